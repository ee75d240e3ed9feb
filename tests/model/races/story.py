"""A history in words."""

from tests.model.races.item import Dispatched, Hold, Item
from tests.model.races.steps import State
from tests.model.search import History


def lines_of(history: History[State]) -> list[str]:
    """A line for each step, with the order after it."""
    return [f"{name:45} {describe(state.item)}" for name, state in history]


def describe(item: Item) -> str:
    words = [
        "name" if item.amazon_name else "no name",
        "lines" if item.amazon_lines else "no lines",
        item.status,
        "| typed name" if item.typed_name else "",
        "| typed lines" if item.typed_lines else "",
        "| verdict pending" if item.is_pending else "",
        "" if item.hold is Hold.NONE else f"| held ({item.hold.name})",
        f"| {item.stage}, {item.three_pl.name}",
        "" if item.dispatched is Dispatched.NO else f"dispatched {item.dispatched.name}",
        "| accepted" if item.accepted else "",
        "| void" if item.is_void else "",
        "| redacted" if item.is_redacted else "",
    ]
    return " ".join(word for word in words if word)

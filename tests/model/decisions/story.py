"""A history in words."""

from tests.model.decisions.item import (
    DispatchDecision,
    Dispatched,
    HoldDecision,
    Item,
)
from tests.model.decisions.steps import State
from tests.model.search import History


def lines_of(history: History[State]) -> list[str]:
    """A line for each step, with the order after it."""
    return [f"{name:50} {describe(state.item)}" for name, state in history]


def describe(item: Item) -> str:
    words = [
        f"x={item.amazon_x or 'blank'}",
        "lines" if item.amazon_lines else "no lines",
        f"{item.line.unfulfilled} left" if item.line.unfulfilled is not None else "",
        "cancelled line" if item.line.is_cancelled else "",
        item.status,
        "FBA" if item.is_fba else "",
        f"{item.cancel_requests} cancel requests" if item.cancel_requests else "",
        "back from elsewhere" if item.was_elsewhere else "",
        f"| typed x={item.typed_x or 'blank'}" if item.typed_x else "",
        "| typed y" if item.typed_y else "",
        f"| typed line {item.typed_line.name}" if item.typed_line else "",
        f"| decided: {_decisions(item)}" if _decisions(item) else "",
        "| verdict pending" if item.is_pending else "",
        "| held" if item.is_held else "",
        f"| {item.stage}, {item.three_pl.name}",
        "" if item.dispatched is Dispatched.NO else f"dispatched {item.dispatched.name}",
        "| alert" if item.alerts else "",
        "| void" if item.is_void else "",
        "| redacted" if item.is_redacted else "",
    ]
    return " ".join(word for word in words if word)


def _decisions(item: Item) -> str:
    words = [
        "" if item.decided_hold is HoldDecision.NONE else item.decided_hold.name,
        "own Stage" if item.decided_stage else "",
        "" if item.decided_three_pl is None else item.decided_three_pl.name,
        "" if item.decided_dispatch is DispatchDecision.NONE else item.decided_dispatch.name,
    ]
    return ", ".join(word for word in words if word)

"""The result of a download, from a stored order and one of Amazon's answers."""

from typing import NamedTuple

from tests.model.decisions.item import (
    BLANK,
    CLOSED_AT_AMAZON,
    TYPED_VALUES,
    Item,
    Line,
    is_held_in_any_way,
)
from tests.model.decisions.rules import Rules
from tests.model.values import Status


class Answer(NamedTuple):
    """One version of the order as Amazon tells it."""

    x: int
    lines: bool = True
    line: Line = Line()
    status: Status = Status.UNSHIPPED
    is_fba: bool = False
    cancel_requests: int = 0


WRITTEN_BY_DOWNLOADS = (
    "is_stored",
    "version",
    "amazon_x",
    "amazon_lines",
    "line",
    "status",
    "is_fba",
    "cancel_requests",
    "was_elsewhere",
    "confirmed_ours",
    "news",
    "is_pending",
)


def merge(item: Item, version: int, answer: Answer, rules: Rules) -> Item:
    """The order with Amazon's answer in it; its verdict is pending from now on."""
    x = answer.x
    if item.is_redacted:
        x = BLANK
    elif rules.no_erase:
        x = x or item.amazon_x
    was_elsewhere, confirmed_ours = _doubt(item, answer, rules)
    is_another_doubt = item.told.is_back and was_elsewhere and _comes_back(item, answer)
    return item._replace(
        is_stored=True,
        version=version,
        amazon_x=x,
        amazon_lines=answer.lines,
        line=answer.line,
        status=answer.status,
        is_fba=answer.is_fba,
        cancel_requests=max(answer.cancel_requests, item.cancel_requests),
        was_elsewhere=was_elsewhere,
        confirmed_ours=confirmed_ours,
        news=_is_news(item, x, rules),
        told=item.told._replace(is_back=False) if is_another_doubt else item.told,
        is_pending=True,
    )


def _doubt(item: Item, answer: Answer, rules: Rules) -> tuple[bool, bool]:
    """Whether the order comes back from shipped or FBA, and whether a confirmation that it is ours still counts."""
    was_elsewhere, confirmed_ours = item.was_elsewhere, item.confirmed_ours
    if rules.back and rules.back_merge:
        if answer.status in CLOSED_AT_AMAZON:
            was_elsewhere = False
        elif _comes_back(item, answer):
            was_elsewhere, confirmed_ours = True, False
    if rules.confirm_once and answer.status is not item.status and not was_elsewhere:
        confirmed_ours = False
    return was_elsewhere, confirmed_ours


def _comes_back(item: Item, answer: Answer) -> bool:
    return item.is_stored and (item.status is Status.SHIPPED or (item.is_fba and not answer.is_fba))


def _is_news(item: Item, x: int, rules: Rules) -> bool:
    """Amazon's x replaced another value of Amazon's, or came while the order was held in any way."""
    if item.typed_x not in TYPED_VALUES or x == item.typed_x:
        return False
    if x == item.settled and x != item.amazon_x:  # back at the value that a person typed over
        return item.amazon_x == item.typed_x and rules.agreed
    replaces_a_value = item.amazon_x not in (BLANK, x)
    came_while_held = x not in (BLANK, item.amazon_x) and is_held_in_any_way(item) and rules.chg_held
    return replaces_a_value or came_while_held or item.news

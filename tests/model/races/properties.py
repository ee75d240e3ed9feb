"""The properties that no history may break. Each has a code, a sentence, and checks of a write or of a state."""

from collections.abc import Iterator
from typing import NamedTuple

from tests.model.races.item import (
    Dispatched,
    Hold,
    Item,
    find_missing,
    find_missing_at_amazon,
    is_handed_over,
    is_transferable,
    open_missing,
)
from tests.model.races.rules import Rules
from tests.model.values import Stage, Status, ThreePl

PROPERTIES = {
    "S1a": "an incomplete order that nobody released may be taken by the 3PL",
    "S1b": "an incomplete order is dispatched",
    "S1c": "an incomplete order is transferred",
    "S1f": "the 3PL acted on an old event, and the order was incomplete by then",
    "S1g": "the 3PL acted on an old event, and the order was void by then",
    "S1p": "an incomplete order may be taken by the 3PL, and stays so for good",
    "S3": "a person's Stage was overwritten",
    "S4": "absence erased a stored name",
    "S5": "a redacted order was filled again",
    "S6": "validation let go an order whose data at Amazon is still incomplete: a person was to decide",
    "S7": "a redacted order is still held",
    "S8": "a redacted order may be taken by the 3PL",
    "S9": "an order in Needs Attention may be taken by the 3PL",
    "L1": "a verdict is pending for ever",
    "L2": "the list of missing fields is out of date for ever",
    "L3": "Amazon completed the order, and it never heals",
    "L4": "a cancelled order may still be taken by the 3PL",
    "L5": "an order that Amazon shipped may still be taken by the 3PL: it would ship twice",
}


class Memory(NamedTuple):
    """The model's memory of a history, apart from the item."""

    own_stage: Stage | None = None
    """The Stage that a person chose last, as long as nothing overrides it by right."""
    had_name: bool = False


def after_write(memory: Memory, new: Item, *, chooses_a_stage: bool) -> tuple[Memory, tuple[str, ...]]:
    """The memory after a write, and the properties that the write breaks against it."""
    broken: tuple[str, ...] = ()
    if memory.had_name and not new.amazon_name and not new.is_redacted:
        broken += ("S4",)
    had_name = (memory.had_name or new.amazon_name) and not new.is_redacted
    own_stage = (new.stage if new.stage is not Stage.NONE else None) if chooses_a_stage else memory.own_stage
    if open_missing(new) or new.status is not Status.UNSHIPPED or new.is_redacted:
        own_stage = None
    elif own_stage is not None and new.stage is not own_stage:
        broken += ("S3",)
        own_stage = None
    return Memory(own_stage, had_name), broken


def broken_by_write(old: Item, new: Item) -> Iterator[str]:
    is_incomplete = bool(open_missing(new))
    if is_incomplete and new.dispatched is Dispatched.BY_US and old.dispatched is Dispatched.NO:
        yield "S1b"
    if is_incomplete and is_handed_over(new) and not is_handed_over(old):
        yield "S1c"
    if new.is_redacted and new.amazon_name:
        yield "S5"


def broken_by_verdict(item: Item, judged: Item) -> tuple[str, ...]:
    is_let_go = bool(item.hold) and not judged.hold and judged.stage is Stage.DEFAULT
    is_open = item.status is Status.UNSHIPPED and not item.is_redacted
    return ("S6",) if is_let_go and is_open and find_missing_at_amazon(item) & ~item.accepted else ()


def broken_in(item: Item, rules: Rules, *, is_quiet: bool) -> Iterator[str]:
    """`is_quiet`: nothing is in flight, the stream is drained, and the clock owes nothing."""
    may_be_taken = is_transferable(item, pend_closed=rules.pend_closed)
    if may_be_taken and not item.is_redacted and open_missing(item):
        yield "S1a"
        if is_quiet:
            yield "S1p"
    if item.is_redacted and item.hold and not item.is_pending:
        yield "S7"
    if item.is_redacted and may_be_taken:
        yield "S8"
    if item.stage is Stage.NEEDS_ATTENTION and may_be_taken:
        yield "S9"
    if is_quiet:
        yield from _broken_for_good(item, may_be_taken=may_be_taken)


def _broken_for_good(item: Item, *, may_be_taken: bool) -> Iterator[str]:
    is_ours = not (item.is_redacted or item.is_void or is_handed_over(item) or item.dispatched)
    if item.is_pending and not item.is_redacted:
        yield "L1"
    elif is_ours:
        yield from _never_brought_up_to_date(item)
    if item.status is Status.CANCELLED and may_be_taken:
        yield "L4"
    is_sent_by_us = item.dispatched is Dispatched.BY_US and item.three_pl is not ThreePl.NOW
    if item.status is Status.SHIPPED and may_be_taken and not is_sent_by_us:
        yield "L5"


def _never_brought_up_to_date(item: Item) -> Iterator[str]:
    if item.missing != find_missing(item):
        yield "L2"
    is_complete = not find_missing(item) and not find_missing_at_amazon(item)
    if item.hold is Hold.MISSING and is_complete and item.status is Status.UNSHIPPED:
        yield "L3"

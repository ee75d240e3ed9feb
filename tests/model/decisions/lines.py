"""The one line of the order: how many were ordered, how many are left to send, and what a person typed over it."""

from tests.model.decisions.item import (
    MISSING_LINES,
    MISSING_NUMBER,
    ORDERED,
    Item,
    TypedLine,
)
from tests.model.decisions.rules import Rules
from tests.model.values import Status


def has_goods(item: Item) -> bool:
    """Whether Amazon has the line, and has not cancelled it."""
    return item.amazon_lines and not item.line.is_cancelled


def goods_of(item: Item) -> int:
    """Which goods the order shows: none, those of Amazon's line, or those of a typed line that names none."""
    if item.typed_line is TypedLine.NONE:
        return int(has_goods(item))
    return 2 if item.typed_line is TypedLine.NAMELESS else 1


def is_cancelled_under_typed(item: Item) -> bool:
    """Amazon has no goods any more under a typed line, and no person has settled that."""
    return item.typed_line is not TypedLine.NONE and not has_goods(item) and not item.settled_without_goods


def amazons_number(item: Item, rules: Rules) -> int | None:
    """How many of Amazon's line are left to send; None if nobody knows."""
    if not has_goods(item):
        return 0
    if item.line.unfulfilled is not None:
        return item.line.unfulfilled
    return None if item.status is Status.PARTLY_SHIPPED and rules.unknown_number else ORDERED


def number_to_send(item: Item, rules: Rules) -> int | None:
    """The number that the warehouse is asked to send; None if nobody knows."""
    match item.typed_line:
        case TypedLine.NAMED:
            # Of its line, so what was sent of that line was sent of it.
            return amazons_number(item, rules) if rules.typed_share and item.amazon_lines else ORDERED
        case TypedLine.NAMELESS:
            return None if was_sent_in_part(item) and rules.typed_waits else ORDERED
        case _:
            return amazons_number(item, rules)


def was_sent_in_part(item: Item) -> bool:
    return item.status is Status.PARTLY_SHIPPED or item.line.unfulfilled in range(ORDERED)


def gap_of(number: int | None) -> int:
    """What is missing, for a number to send."""
    if number is None:
        return MISSING_NUMBER
    return 0 if number else MISSING_LINES


def number_in_the_warehouses_eyes(item: Item, rules: Rules) -> int | None:
    """After the hand-over."""
    if item.parcel is None:
        return None
    is_noted = rules.frozen and not item.parcel.is_earlier
    return item.parcel.took if is_noted else number_to_send(item, rules)


def left_at_amazon(item: Item) -> int:
    """The most that may be sent, by Amazon's last word alone; where that is unknown, nothing."""
    nothing_known = item.status is Status.PARTLY_SHIPPED and item.line.unfulfilled is None
    if nothing_known:
        return 0
    if item.typed_line is TypedLine.NAMELESS:
        return 0 if was_sent_in_part(item) else ORDERED
    if not has_goods(item):
        return ORDERED if item.typed_line is TypedLine.NAMED and not item.amazon_lines else 0
    return ORDERED if item.line.unfulfilled is None else item.line.unfulfilled

"""The order as the races see it: `name` (Amazon may stop sending it) and `lines` (Amazon may really take them away)."""

from enum import IntEnum
from typing import NamedTuple

from tests.model.values import Stage, Status, ThreePl


class Hold(IntEnum):
    NONE = 0
    MISSING = 1
    MANUAL = 2


class Dispatched(IntEnum):
    NO = 0
    BY_US = 1
    """By Auto Dispatch or a person."""
    BY_AMAZON = 2


class Item(NamedTuple):
    is_stored: bool = False
    version: int = 0
    amazon_name: bool = False
    amazon_lines: bool = False
    status: Status = Status.UNSHIPPED
    typed_name: bool = False
    typed_lines: bool = False
    accepted: int = 0
    is_pending: bool = False
    by_download: bool = False
    """The last change came from a download."""
    is_judged: bool = False
    hold: Hold = Hold.NONE
    missing: int = 0
    stage: Stage = Stage.NONE
    dispatched: Dispatched = Dispatched.NO
    three_pl: ThreePl = ThreePl.DO_NOT_TRANSFER
    is_void: bool = False
    is_redacted: bool = False


NO_ITEM = Item()

# The fields that can be missing, combined as bits.
MISSING_NAME = 1
MISSING_LINES = 2


class Settings(NamedTuple):
    default_three_pl: ThreePl
    auto_dispatch: bool


def find_missing(item: Item) -> int:
    name = 0 if item.amazon_name or item.typed_name else MISSING_NAME
    lines = 0 if item.amazon_lines or item.typed_lines else MISSING_LINES
    return name | lines


def find_missing_at_amazon(item: Item) -> int:
    """The gaps in Amazon's data alone."""
    return (0 if item.amazon_name else MISSING_NAME) | (0 if item.amazon_lines else MISSING_LINES)


def open_missing(item: Item) -> int:
    """The gaps that no administrator accepted."""
    return find_missing(item) & ~item.accepted


def is_handed_over(item: Item) -> bool:
    return item.three_pl is ThreePl.TRANSFERRED


def is_transferable(item: Item, *, pend_closed: bool) -> bool:
    if item.is_void or (pend_closed and item.is_pending):
        return False
    return item.three_pl is ThreePl.NOW or (item.three_pl is ThreePl.UPON_COMPLETION and bool(item.dispatched))


def is_fulfillable(item: Item, *, pend_closed: bool) -> bool:
    is_sent = item.dispatched is Dispatched.BY_US and not item.is_void and not (pend_closed and item.is_pending)
    return is_sent or is_transferable(item, pend_closed=pend_closed)

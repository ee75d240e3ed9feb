"""The order as it is stored: Amazon's data, people's edits and decisions, and the result of the last verdict.

The model keeps one field that Amazon may fill late, `x` (blank, or one of two values), one that Amazon never sends, `y`
(a phone), and one line. Items are plain tuples of small values, because millions of them are compared.
"""

from enum import IntEnum
from typing import NamedTuple

from tests.model.values import Stage, Status, ThreePl

BLANK = 0
OWNED_BLANK = 4
"""A typed unit whose part x is blank: only with the rule `parts` off, where one typed part owns its whole unit."""
TYPED_VALUES = (1, 2)
CLOSED_AT_AMAZON = (Status.SHIPPED, Status.CANCELLED)


class Dispatched(IntEnum):
    """Who dispatched the order. `REPORTED`: the warehouse or a person said so after the hand-over."""

    NO = 0
    BY_US = 1
    BY_AMAZON = 2
    BY_PERSON = 3
    REPORTED = 4


DISPATCHED_BEFORE_HAND_OVER = (Dispatched.BY_US, Dispatched.BY_PERSON)
"""A dispatch by Auto Dispatch or by a person. While the order waits for its transfer, it can still be undone."""
DISPATCHED_BY_US = (*DISPATCHED_BEFORE_HAND_OVER, Dispatched.REPORTED)
"""Not by Amazon."""


class HoldDecision(IntEnum):
    """A person's hold: by hand, snoozed until a date, or snoozed over a hold by hand."""

    NONE = 0
    MANUAL = 1
    SNOOZED = 2
    SNOOZED_OVER_MANUAL = 3


class DispatchDecision(IntEnum):
    NONE = 0
    SENT = 1
    NOT_SENT = 2


# The fields that can be missing. Plain numbers, combined as bits: `enum.IntFlag` combines in Python and is many times
# slower.
MISSING_X = 1
MISSING_LINES = 2
MISSING_ANSWER = 4
"""The buyer asked to cancel, and nobody answered."""
MISSING_CONFIRMATION = 8
"""`fulfillmentUnknown`: nobody knows whether the order was shipped already."""

MISSING_NUMBER = 16
"""Nobody knows how many are left to send."""
LINE_GAPS = MISSING_LINES | MISSING_NUMBER

# Urgent news for people, combined as bits.
ALERT_CANCELLED = 1
"""Cancelled at Amazon, after the order had left."""
ALERT_ASKED_TO_CANCEL = 2
ALERT_CHANGED = 4
"""The destination or the goods are others than people were told last. It tells of one change, so it has no end."""
ALERT_BACK = 8
ALERT_MISSING = 16
ALERT_LATE_VALUE = 32
LAST_JUDGED_ELSEWHERE = 64
"""No alert: the verdict's own note that it saw the order shipped or FBA. Only with the rule `back_merge` off."""


ORDERED = 2
"""The quantity of the order's one line."""


class Line(NamedTuple):
    """The line as Amazon tells it. `unfulfilled` is the number that Amazon has not counted as sent, if it says one."""

    unfulfilled: int | None = None
    is_cancelled: bool = False


class TypedLine(IntEnum):
    """A line that a person typed: it names Amazon's line, or none."""

    NONE = 0
    NAMED = 1
    NAMELESS = 2


class News(NamedTuple):
    """Bad news about an order, in pieces: as it is now, or as far as people were told."""

    is_cancelled: bool = False
    requests: int = 0
    """The cancel requests, if any is unanswered."""
    is_back: bool = False
    missing: int = 0
    late_x: int = BLANK
    """Amazon's x, if it differs from the typed one, and no person has settled that."""
    late_cancellation: bool = False
    """The same of a typed line, which Amazon cancelled or does not have any more."""


NO_NEWS = News()


class Parcel(NamedTuple):
    """What left with the order, and what people were told of it since: the x and the goods that show."""

    left: tuple[int, int]
    told: tuple[int, int]
    took: int
    """The number that was left to send; 0 if nobody knew."""
    is_earlier: bool = False
    """Taken in the release before, which noted neither the number nor what people were told."""


class Item(NamedTuple):
    """One order in the table."""

    # Amazon's data, written by downloads
    is_stored: bool = False
    version: int = 0
    amazon_x: int = BLANK
    amazon_lines: bool = False
    line: Line = Line()
    status: Status = Status.UNSHIPPED
    is_fba: bool = False
    cancel_requests: int = 0
    was_elsewhere: bool = False
    """Amazon said shipped or FBA before, and now says neither."""
    news: bool = False
    """Amazon's x replaced another value of Amazon's, or came while the order was held in any way."""
    # people's edits and confirmations
    typed_x: int = BLANK
    typed_y: bool = False
    settled: int = BLANK
    """Amazon's x that the person saw who typed or kept a value."""
    typed_line: TypedLine = TypedLine.NONE
    settled_without_goods: bool = False
    """Amazon had no goods when the person typed or kept the line."""
    answered_requests: int = 0
    confirmed_ours: bool = False
    accepted: int = 0
    """The gaps that an administrator accepted."""
    # people's decisions
    decided_hold: HoldDecision = HoldDecision.NONE
    decided_stage: bool = False
    decided_three_pl: ThreePl | None = None
    decided_dispatch: DispatchDecision = DispatchDecision.NONE
    # decisions of verdicts
    is_pending: bool = False
    is_judged: bool = False
    """With `is_held` it says: new, held, or let go."""
    is_held: bool = False
    last_judged_x: int = BLANK
    """Only with the rule `chg_merge` off."""
    is_granted: bool = False
    granted_three_pl: ThreePl = ThreePl.DO_NOT_TRANSFER
    granted_dispatch: Dispatched = Dispatched.NO
    missing: int = 0
    alerts: int = 0
    told: News = NO_NEWS
    parcel: Parcel | None = None
    is_earlier: bool = False
    """Last written by the release before: its people's decisions lie in what the order shows."""
    is_void: bool = False
    is_redacted: bool = False
    # visible to everyone
    stage: Stage = Stage.NONE
    three_pl: ThreePl = ThreePl.DO_NOT_TRANSFER
    dispatched: Dispatched = Dispatched.NO


NO_ITEM = Item()


class Settings(NamedTuple):
    """The integration's settings that the verdict looks at."""

    default_three_pl: ThreePl
    auto_dispatch: bool
    checks_x: bool = True


def is_handed_over(item: Item) -> bool:
    return item.three_pl >= ThreePl.TRANSFERRED


def is_held_in_any_way(item: Item) -> bool:
    """Held by a verdict, by hand or snoozed."""
    return bool(item.is_held or item.decided_hold)


def is_really_dispatched(item: Item) -> bool:
    """Dispatched by us or a person without a transfer: the goods may be on their way."""
    return item.dispatched in DISPATCHED_BY_US and item.three_pl is ThreePl.DO_NOT_TRANSFER


def waits_for_transfer(item: Item) -> bool:
    """Dispatched by us or a person, and only waiting for the transfer to the 3PL."""
    return item.dispatched in DISPATCHED_BEFORE_HAND_OVER and item.three_pl in (ThreePl.UPON_COMPLETION, ThreePl.NOW)

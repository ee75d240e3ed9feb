"""One order: Amazon's facts, the edits that people lay over them, and its state.

Only downloads write `amazon`, and only people write `edits` and `decisions`. Everyone sees `edits` over `amazon`, part
by part. The Stage, the 3PL Status and the dispatch that everyone sees follow from what people decided, what the order
was granted where nobody decided, and whatever masks both: a hold, a draft, an order that is closed.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, Self

from needs_attention.orders.amazon_order import AmazonOrder
from needs_attention.orders.decisions import Decisions, Granted
from needs_attention.orders.edits import Edits
from needs_attention.orders.settings import NEEDS_ATTENTION, ThreePlStatus
from needs_attention.orders.urgency import ShipByState
from needs_attention.values.model import Value
from needs_attention.values.times import UtcTime

# Amazon's Data Protection Policy allows personal data for 30 days after delivery. Recovery points keep it for up to
# 3 days more (PointInTimeRecoveryDays in template.yaml), and the clock may need a day for a backlog.
REDACTION_AGE = timedelta(days=26)
REDACTION_TAKES_AT_MOST = timedelta(days=1)
# Limits how long an order is kept for which Amazon names no deadline, whenever it was dispatched.
LONGEST_DELIVERY = timedelta(days=60)
# A pre-order, a back-order or an order made to measure may be sent long after its ship-by.
UNSENT_KEPT = timedelta(days=30)
# Whatever a date says, with the backlog and the recovery points no data is older than 400 days.
LONGEST_KEPT = timedelta(days=396)

OrderStatus = Literal["Draft", "Open", "Dispatched", "Void"]
HoldKind = Literal["missing", "manual", "snoozed"]
DispatchedBy = Literal["us", "person", "warehouse", "amazon"]


# The reason of a field that is there, but was typed otherwise than Amazon says by now.
DIFFERS = "differsFromAmazon"


class Missing(Value):
    """A field that keeps an order from leaving: the reason, the parts of it, and since when it is known."""

    field: str
    reason: str
    parts: tuple[str, ...] = ()
    first_missing_at: UtcTime | None = None

    @property
    def waits_for_a_person(self) -> bool:
        """Whether Amazon cannot settle it, whatever it sends."""
        return self.reason in {DIFFERS, "cameBack"}


class Accepted(Value):
    """A gap with which an order may leave all the same: a field, the reason, and the parts of an address."""

    field: str
    reason: str
    parts: tuple[str, ...] = ()

    def covers(self, missing: Missing) -> bool:
        is_same = (self.field, self.reason) == (missing.field, missing.reason)
        return is_same and set(missing.parts) <= set(self.parts)


class Hold(Value):
    """A hold that a verdict began, because something is missing or waits for a person's word."""

    since: UtcTime
    after_release: bool = False


class Held(NamedTuple):
    """Why an order is in Needs Attention, since when and, if a person snoozed it, until when."""

    kind: HoldKind
    since: datetime
    until: datetime | None = None


class Override(Value):
    """An administrator's decision that an order may leave although fields are missing."""

    by: str
    at: UtcTime
    reason: str
    fields: tuple[str, ...]


class TakenLine(Value):
    """A line as the warehouse took it: the number that was left to send then, and the number that was ordered."""

    order_item_id: str | None = None
    seller_sku: str | None = None
    asin: str | None = None
    quantity: int
    quantity_ordered: int


class Parcel(Value):
    """What the warehouse took, or what was dispatched from here.

    `left` is a fingerprint of the destination and the goods as they left; `told`, as people were told last: only
    another one is news.
    """

    lines: tuple[TakenLine, ...]
    left: str
    told: str


class ClosedAlert(Value):
    """An alert that a person closed, while the news that it told of goes on. Only further news raises it again."""

    alert: str
    by: str
    at: UtcTime


class DeadlineWatch(Value):
    """What people were told about a ship-by, and when the clock looks at the order again, if it had to wait.

    `was_held` is whether the order was held at that last look.
    """

    ship_by: UtcTime
    told: ShipByState | None = None
    look_again_at: UtcTime | None = None
    was_held: bool = False


class Redaction(Value):
    """Who removed the personal data of an order, and why: because its time was over, or on request.

    `reference` is the name of the request elsewhere, such as a ticket's number.
    """

    by: str
    why: Literal["retention", "request"]
    reference: str | None = None


TIME_IS_OVER = Redaction(by="clock", why="retention")


class LastChange(Value):
    """The last change of an order: who made it, when and why, its fields and its events. Never a value of a field.

    `request_id` identifies the call to the API, or Amazon's call if a download made the change. The logs name both.
    """

    by: str
    at: UtcTime
    cause: str
    request_id: str | None = None
    fields: tuple[str, ...] = ()
    events: tuple[str, ...] = ()


class Order(Value):
    """An order as stored: one DynamoDB item. A change makes a new Order; `OrderStore.save` writes the difference."""

    order_id: str
    integration: str
    revision: int = 0
    amazon: AmazonOrder
    edits: Edits = Edits()
    downloaded_at: UtcTime
    pending_since: UtcTime | None = None
    judged_at: UtcTime | None = None  # by a row that decides whether it may leave: None for a new order
    hold: Hold | None = None
    decisions: Decisions = Decisions()
    granted: Granted | None = None
    # The revision up to which decisions and defaults are stored apart. A release before this one writes on without it.
    apart_until: int | None = None
    # The rules (see `checks.RULES`) under which this release wrote the order last.
    rules: int | None = None
    # The gaps with which earlier rules let it go. They count as none until Amazon changes their unit.
    let_go_without: tuple[Accepted, ...] = ()
    missing: tuple[Missing, ...] = ()
    # The places (see `edits`) where Amazon replaced a value of its own, or sent one while the order was held.
    news: tuple[str, ...] = ()
    accepted: tuple[Accepted, ...] = ()
    override: Override | None = None
    stage: str | None = None
    three_pl_status: ThreePlStatus = ThreePlStatus.DO_NOT_TRANSFER
    fully_dispatched_at: UtcTime | None = None
    dispatched_by: DispatchedBy | None = None
    voided_at: UtcTime | None = None
    redacted_at: UtcTime | None = None
    redaction: Redaction | None = None
    parcel: Parcel | None = None
    handed_over_digest: str | None = None  # the parcel's fingerprint as the release before made it, and reads it
    warehouse_error: str | None = None  # the reason why it could not pick the order, in its own words
    alerts: tuple[str, ...] = ()
    closed_alerts: tuple[ClosedAlert, ...] = ()
    told: tuple[str, ...] = ()  # the news (see `alerts`) that people were told, as long as it goes on
    # Whether the settings of the last verdict allowed a hand-over. For events only: the gate asks again.
    is_live: bool = False
    # Amazon's fulfilment status at the last verdict, for the release before: without it, that release takes each partly
    # shipped order for news, and away from the warehouse.
    judged_status: str | None = None
    redownload_at: UtcTime | None = None
    deadline: DeadlineWatch | None = None
    assigned_to: str | None = None
    comment: str | None = None
    last_change: LastChange | None = None

    @classmethod
    def first_seen(cls, integration: str, amazon: AmazonOrder, at: datetime) -> Self:
        return cls(
            order_id=amazon.order_id,
            integration=integration,
            amazon=amazon,
            downloaded_at=at,
            pending_since=at,
            apart_until=0,
        )

    def with_(self, **changes: Any) -> "Order":
        return self.model_copy(update=changes)

    def says_the_same_as(self, other: "Order") -> bool:
        """Whether nothing but the time of the verdict differs."""
        return self.with_(judged_at=other.judged_at) == other

    def was_just(self, event: str) -> bool:
        """Whether the last change means this event."""
        return self.last_change is not None and event in self.last_change.events

    @property
    def is_pending(self) -> bool:
        """Whether the latest data waits for its verdict: until then nothing may leave."""
        return self.pending_since is not None

    @property
    def is_handed_over(self) -> bool:
        return self.three_pl_status.is_handed_over

    @property
    def is_new(self) -> bool:
        """Whether no verdict has held it or let it go yet."""
        return self.judged_at is None and self.hold is None

    @property
    def is_let_go(self) -> bool:
        """Whether the last verdict about its data let it go; a person may hold it all the same."""
        return self.judged_at is not None and self.hold is None

    @property
    def is_held(self) -> bool:
        """Whether it is held in any way: by a verdict, or by a person."""
        return self.hold is not None or self.decisions.hold is not None

    @property
    def held(self) -> Held | None:
        """The hold that people see; None while something else hides it, such as a draft."""
        if self.stage != NEEDS_ATTENTION:
            return None
        decided = self.decisions.hold
        if decided is not None:
            return Held(decided.kind, self.hold.since if self.hold else decided.at, decided.until)
        return Held("missing", self.hold.since) if self.hold else None

    @property
    def is_dispatched_by_us(self) -> bool:
        """Whether somebody here dispatched it: Auto Dispatch, a person or the warehouse; not Amazon."""
        return self.dispatched_by in {"us", "person", "warehouse"}

    @property
    def waits_for_transfer(self) -> bool:
        """Whether it is dispatched, and only waits for the warehouse to take it."""
        return self.is_dispatched_by_us and self.three_pl_status in {ThreePlStatus.UPON_COMPLETION, ThreePlStatus.NOW}

    @property
    def is_reported_sent(self) -> bool:
        """Whether somebody said after the hand-over that it was sent."""
        decided = self.decisions.dispatch
        return decided is not None and decided.is_sent and decided.is_reported

    @property
    def is_really_dispatched(self) -> bool:
        """Whether it is dispatched, and not only waiting for its transfer: the goods may be on their way."""
        is_without_transfer = self.three_pl_status is ThreePlStatus.DO_NOT_TRANSFER
        return self.is_dispatched_by_us and (is_without_transfer or self.is_reported_sent)

    @property
    def open_missing(self) -> tuple[Missing, ...]:
        """The missing fields that no administrator accepted."""
        return self.not_accepted(item for item in self.missing if item.reason != DIFFERS)

    @property
    def differences(self) -> tuple[Missing, ...]:
        """The typed fields that wait for a person's word, because Amazon says something else."""
        return tuple(item for item in self.missing if item.reason == DIFFERS)

    @property
    def is_incomplete(self) -> bool:
        """Whether anything keeps it from leaving: a gap that no administrator accepted, or a difference."""
        return bool(self.missing and (self.open_missing or self.differences))

    def not_let_go_without(self, missing: Iterable[Missing]) -> tuple[Missing, ...]:
        """The gaps but those with which earlier rules let the order go."""
        return tuple(item for item in missing if not any(one.covers(item) for one in self.let_go_without))

    def not_accepted(self, missing: Iterable[Missing]) -> tuple[Missing, ...]:
        return tuple(item for item in missing if not any(one.covers(item) for one in self.accepted))

    @property
    def has_a_future(self) -> bool:
        """Whether it can still be sent: it is neither void, nor shipped at Amazon, nor redacted."""
        return not (self.voided_at or self.redacted_at or self.amazon.is_shipped)

    @property
    def is_ready_to_release(self) -> bool:
        held = self.held
        return held is not None and held.kind != "snoozed" and not self.is_pending and not self.is_incomplete

    @property
    def status(self) -> OrderStatus:
        if self.voided_at:
            return "Void"
        if self.fully_dispatched_at:
            return "Dispatched"
        return "Draft" if self.amazon.is_pending else "Open"

    @property
    def is_unsent(self) -> bool:
        return is_unsent(self.status, self.three_pl_status, self.amazon.fulfilled_by)

    @property
    def shown_three_pl_status(self) -> ThreePlStatus:
        """`Do Not Transfer to 3PL` while the verdict is pending, unless the warehouse has the order already."""
        return ThreePlStatus.DO_NOT_TRANSFER if self.is_pending and not self.is_handed_over else self.three_pl_status

    @property
    def is_transferable(self) -> bool:
        """Whether the order itself allows a warehouse to take it now."""
        if not self._may_leave:
            return False
        if self.three_pl_status is ThreePlStatus.NOW:
            return True
        return self.three_pl_status is ThreePlStatus.UPON_COMPLETION and self.fully_dispatched_at is not None

    @property
    def is_fulfillable(self) -> bool:
        """Whether the order itself allows goods to leave: it is transferable, or dispatched by us or a person."""
        return self.is_transferable or (self._may_leave and self.is_dispatched_by_us)

    @property
    def _may_leave(self) -> bool:
        """Whether nothing in the order itself keeps it here, whatever its 3PL Status is."""
        if self.is_pending or self.stage == NEEDS_ATTENTION or self.is_handed_over or not self.has_a_future:
            return False
        is_not_ours = self.amazon.is_fulfilled_by_amazon or self.amazon.is_pending or self.amazon.is_cancelled
        return not (is_not_ours or self.is_incomplete)

    @property
    def is_over(self) -> bool:
        """Whether nobody has to send it any more: it is sent, cancelled, void or Amazon's.

        An order that is dispatched, but waits for the warehouse or is in its hands, is still to be sent.
        """
        is_over_at_amazon = self.amazon.is_shipped or self.amazon.is_cancelled or self.amazon.is_fulfilled_by_amazon
        return is_over_at_amazon or self.voided_at is not None or self.is_really_dispatched

    @property
    def redact_at(self) -> datetime | None:
        """When its personal data must be gone: counted from its delivery, or from its ship-by while it is to be sent.

        Amazon's Data Protection Policy counts from the delivery. No order is kept for longer than `LONGEST_KEPT`.
        """
        if self.redacted_at:
            return None
        created = self.amazon.created_at
        if self.is_over:
            due = max(self._delivered_at, created) + REDACTION_AGE
        elif self.amazon.ship_by:
            due = self.amazon.ship_by + UNSENT_KEPT
        else:
            due = created + LONGEST_DELIVERY + REDACTION_AGE
        return min(due, created + LONGEST_KEPT)

    @property
    def _delivered_at(self) -> datetime:
        """When the goods were delivered, or may have been at the earliest.

        Amazon reports a delivery with its next update, which may come late; a parcel comes by the end of its promise,
        unless it was sent after that.
        """
        amazon = self.amazon
        # Of an order that Amazon calls shipped, we only know when we learnt of it.
        sent_from_here = self.fully_dispatched_at if self.is_dispatched_by_us else None
        latest = amazon.deliver_by or amazon.created_at + LONGEST_DELIVERY
        if amazon.delivered_at:
            return min(amazon.delivered_at, max(latest, sent_from_here or latest))
        earliest = amazon.deliver_by_earliest
        if sent_from_here:
            return max(earliest or sent_from_here, sent_from_here)
        return earliest or min(self.fully_dispatched_at or amazon.updated_at, latest)


def is_unsent(status: str, three_pl_status: ThreePlStatus, fulfilled_by: str | None) -> bool:
    """Whether somebody here still has to send the order: nobody has, and no warehouse has it."""
    is_with_the_warehouse = three_pl_status in {ThreePlStatus.TRANSFERRED, ThreePlStatus.PICKED}
    is_done = status in {"Dispatched", "Void"} or is_with_the_warehouse
    return not is_done and fulfilled_by != "AMAZON"

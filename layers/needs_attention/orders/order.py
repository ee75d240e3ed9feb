"""One order: Amazon's facts, the edits that people lay over them, and its state.

Only downloads write `amazon`, and only people write `edits`. Everyone sees `edits` over `amazon`, unit by unit: the
name, the email, each address, the line items. An edit owns its whole unit, so an address is never half Amazon's and
half typed.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Literal, Self

from needs_attention.orders.amazon_order import AmazonOrder
from needs_attention.orders.edits import Edits
from needs_attention.orders.settings import NEEDS_ATTENTION, ThreePlStatus
from needs_attention.values.model import Value
from needs_attention.values.times import UtcTime

# Amazon's Data Protection Policy allows personal data for 30 days after delivery. Recovery points keep it for up to
# 3 days more (PointInTimeRecoveryDays in template.yaml), and the clock may need a day for a backlog.
REDACTION_AGE = timedelta(days=26)
REDACTION_TAKES_AT_MOST = timedelta(days=1)
# Limits how long an order is kept for which Amazon names no deadline, whenever it was dispatched.
LONGEST_DELIVERY = timedelta(days=60)

OrderStatus = Literal["Draft", "Open", "Dispatched", "Void"]
HoldKind = Literal["missing", "manual", "snoozed"]
DispatchedBy = Literal["us", "person", "amazon"]


class Missing(Value):
    """A field that keeps an order from leaving: the reason, the parts of it, and since when it is known."""

    field: str
    reason: str
    parts: tuple[str, ...] = ()
    first_missing_at: UtcTime | None = None


class Accepted(Value):
    """A gap that an administrator accepted: a field, the reason, and the parts of an address."""

    field: str
    reason: str
    parts: tuple[str, ...] = ()

    def covers(self, missing: Missing) -> bool:
        is_same = (self.field, self.reason) == (missing.field, missing.reason)
        return is_same and set(missing.parts) <= set(self.parts)


class Hold(Value):
    """The reason why an order is in Needs Attention: a gap, a person's decision, or a snooze date."""

    kind: HoldKind
    since: UtcTime
    after_release: bool = False
    until: UtcTime | None = None
    was_manual: bool = False


class Override(Value):
    """An administrator's decision that an order may leave although fields are missing."""

    by: str
    at: UtcTime
    reason: str
    fields: tuple[str, ...]


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
    judged_at: UtcTime | None = None
    hold: Hold | None = None
    missing: tuple[Missing, ...] = ()
    accepted: tuple[Accepted, ...] = ()
    override: Override | None = None
    stage: str | None = None
    three_pl_status: ThreePlStatus = ThreePlStatus.DO_NOT_TRANSFER
    fully_dispatched_at: UtcTime | None = None
    dispatched_by: DispatchedBy | None = None
    voided_at: UtcTime | None = None
    redacted_at: UtcTime | None = None
    redaction: Redaction | None = None
    handed_over_digest: str | None = None
    warehouse_error: str | None = None  # the reason why it could not pick the order, in its own words
    alerts: tuple[str, ...] = ()
    # Whether the settings of the last verdict allowed a hand-over. For events only: the gate asks again.
    is_live: bool = False
    judged_status: str | None = None  # Amazon's fulfilment status at the last verdict
    redownload_at: UtcTime | None = None
    assigned_to: str | None = None
    comment: str | None = None
    last_change: LastChange | None = None

    @classmethod
    def first_seen(cls, integration: str, amazon: AmazonOrder, at: datetime) -> Self:
        return cls(order_id=amazon.order_id, integration=integration, amazon=amazon, downloaded_at=at, pending_since=at)

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
    def open_missing(self) -> tuple[Missing, ...]:
        """The missing fields that no administrator accepted."""
        return self.not_accepted(self.missing)

    def not_accepted(self, missing: Iterable[Missing]) -> tuple[Missing, ...]:
        return tuple(item for item in missing if not any(one.covers(item) for one in self.accepted))

    @property
    def has_a_future(self) -> bool:
        """Whether it can still be sent: it is neither void, nor shipped at Amazon, nor redacted."""
        return not (self.voided_at or self.redacted_at or self.amazon.is_shipped)

    @property
    def is_ready_to_release(self) -> bool:
        return self.hold is not None and self.hold.kind != "snoozed" and not self.is_pending and not self.open_missing

    @property
    def status(self) -> OrderStatus:
        if self.voided_at:
            return "Void"
        if self.fully_dispatched_at:
            return "Dispatched"
        return "Draft" if self.amazon.is_pending and self.hold is None else "Open"

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
        if self.is_pending or self.voided_at or self.redacted_at or self.stage == NEEDS_ATTENTION:
            return False
        if self.three_pl_status is ThreePlStatus.NOW:
            return True
        return self.three_pl_status is ThreePlStatus.UPON_COMPLETION and self.fully_dispatched_at is not None

    @property
    def is_fulfillable(self) -> bool:
        """Whether the order itself allows goods to leave: it is transferable, or dispatched by us or a person."""
        if self.is_pending or self.is_handed_over or not self.has_a_future:
            return False
        return self.is_transferable or self.dispatched_by in {"us", "person"}

    @property
    def redact_at(self) -> datetime | None:
        """When its personal data must be gone: counted from Amazon's delivery date, else dispatch, else a maximum.

        The maximum limits a dispatch too: for an order that Amazon shipped, we only know when we learnt of it.
        """
        if self.redacted_at:
            return None
        longest = self.amazon.created_at + LONGEST_DELIVERY
        delivered = self.amazon.deliver_by or min(self.fully_dispatched_at or longest, longest)
        return delivered + REDACTION_AGE


def is_unsent(status: str, three_pl_status: ThreePlStatus, fulfilled_by: str | None) -> bool:
    """Whether somebody here still has to send the order: nobody has, and no warehouse has it."""
    is_with_the_warehouse = three_pl_status in {ThreePlStatus.TRANSFERRED, ThreePlStatus.PICKED}
    is_done = status in {"Dispatched", "Void"} or is_with_the_warehouse
    return not is_done and fulfilled_by != "AMAZON"

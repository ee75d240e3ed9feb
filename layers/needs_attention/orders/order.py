"""One order: Amazon's facts, what people typed over them, and how far it has come.

`amazon` is written by downloads only and `edits` by people only. What anyone sees is `edits` over `amazon`, unit by
unit: the name, the email, each address, the line items. An edit owns its whole unit, so an address is never half
Amazon's and half typed.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Literal, Self

from needs_attention.orders.amazon_order import AmazonOrder
from needs_attention.orders.edits import Edits
from needs_attention.orders.settings import NEEDS_ATTENTION, ThreePlStatus
from needs_attention.values.model import Value
from needs_attention.values.times import UtcTime

# Amazon's Data Protection Policy allows personal data for 30 days after delivery. Recovery points hold it for up to
# 3 days more (PointInTimeRecoveryDays in template.yaml), and a backlog may take the clock a day.
REDACTION_AGE = timedelta(days=26)
REDACTION_TAKES_AT_MOST = timedelta(days=1)
# An order without any deadline of Amazon's is still not kept for ever, whenever it was dispatched.
LONGEST_DELIVERY = timedelta(days=60)

OrderStatus = Literal["Draft", "Open", "Dispatched", "Void"]
HoldKind = Literal["missing", "manual", "snoozed"]
DispatchedBy = Literal["us", "person", "amazon"]


class Missing(Value):
    """One thing that keeps an order from leaving: which field, why, which parts of it, and since when we know."""

    field: str
    reason: str
    parts: tuple[str, ...] = ()
    first_missing_at: UtcTime | None = None


class Accepted(Value):
    """What an administrator let an order go without: a field for a reason, and in an address these parts."""

    field: str
    reason: str
    parts: tuple[str, ...] = ()

    def covers(self, missing: Missing) -> bool:
        is_same = (self.field, self.reason) == (missing.field, missing.reason)
        return is_same and set(missing.parts) <= set(self.parts)


class Hold(Value):
    """Why an order is in Needs Attention: something is missing, a person put it there, or it waits for a date."""

    kind: HoldKind
    since: UtcTime
    after_release: bool = False
    until: UtcTime | None = None
    was_manual: bool = False


class Override(Value):
    """An administrator's word that an order may leave with something missing."""

    by: str
    at: UtcTime
    reason: str
    fields: tuple[str, ...]


class Redaction(Value):
    """By whom and why the personal data of an order was removed: because its time was over, or on request.

    `reference` is what the request is called elsewhere, such as a ticket's number.
    """

    by: str
    why: Literal["retention", "request"]
    reference: str | None = None


TIME_IS_OVER = Redaction(by="clock", why="retention")


class LastChange(Value):
    """Who changed the order last, when, why, in which fields, and what it meant. Never a value of a field.

    `request_id` is that of the call to the API or, of a download, Amazon's: the logs name both.
    """

    by: str
    at: UtcTime
    cause: str
    request_id: str | None = None
    fields: tuple[str, ...] = ()
    events: tuple[str, ...] = ()


class Order(Value):
    """An order as stored: one DynamoDB item. A change is a new Order; `OrderStore.save` writes the difference."""

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
    warehouse_error: str | None = None  # why it could not take the order, in its own words
    alerts: tuple[str, ...] = ()
    # Whether the settings of the last verdict let it be handed over: for the events only, the gate asks anew.
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
        """Whether that is what the last change meant, in the words of the event bus."""
        return self.last_change is not None and event in self.last_change.events

    @property
    def is_pending(self) -> bool:
        """Whether the verdict on the latest data is still to come: until then nothing may leave."""
        return self.pending_since is not None

    @property
    def is_handed_over(self) -> bool:
        return self.three_pl_status.is_handed_over

    @property
    def open_missing(self) -> tuple[Missing, ...]:
        """What is missing beyond what an administrator accepted."""
        return self.beyond_what_was_accepted(self.missing)

    def beyond_what_was_accepted(self, missing: Iterable[Missing]) -> tuple[Missing, ...]:
        return tuple(item for item in missing if not any(one.covers(item) for one in self.accepted))

    @property
    def has_a_future(self) -> bool:
        """Whether there is still something to send: it is neither cancelled, nor shipped by Amazon, nor redacted."""
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
    def is_to_be_sent(self) -> bool:
        return is_to_be_sent(self.status, self.three_pl_status, self.amazon.fulfilled_by)

    @property
    def shown_three_pl_status(self) -> ThreePlStatus:
        """While a verdict is pending everyone sees `Do Not Transfer to 3PL`, unless the warehouse has it already."""
        return ThreePlStatus.DO_NOT_TRANSFER if self.is_pending and not self.is_handed_over else self.three_pl_status

    @property
    def is_transferable(self) -> bool:
        """Whether a warehouse may take the order now, as far as the order itself goes."""
        if self.is_pending or self.voided_at or self.redacted_at or self.stage == NEEDS_ATTENTION:
            return False
        if self.three_pl_status is ThreePlStatus.NOW:
            return True
        return self.three_pl_status is ThreePlStatus.UPON_COMPLETION and self.fully_dispatched_at is not None

    @property
    def is_fulfillable(self) -> bool:
        """Whether goods may leave, as far as the order itself goes: transferable, or dispatched by us."""
        if self.is_pending or self.is_handed_over or not self.has_a_future:
            return False
        return self.is_transferable or self.dispatched_by in {"us", "person"}

    @property
    def redact_at(self) -> datetime | None:
        """When its personal data must be gone: by Amazon's latest delivery date, else dispatch, else a set maximum.

        The maximum bounds a dispatch too: of what Amazon shipped we know no time but that at which we learnt of it.
        """
        if self.redacted_at:
            return None
        longest = self.amazon.created_at + LONGEST_DELIVERY
        delivered = self.amazon.deliver_by or min(self.fully_dispatched_at or longest, longest)
        return delivered + REDACTION_AGE


def is_to_be_sent(status: str, three_pl_status: ThreePlStatus, fulfilled_by: str | None) -> bool:
    """Whether somebody here still has to see to an order: nobody has sent it, and no warehouse has it."""
    is_with_the_warehouse = three_pl_status in {ThreePlStatus.TRANSFERRED, ThreePlStatus.PICKED}
    is_done = status in {"Dispatched", "Void"} or is_with_the_warehouse
    return not is_done and fulfilled_by != "AMAZON"

"""The verdict: one table, one pure function of the order and the settings.

So the outcome never depends on the order of events; the clock only stamps the decision. Validation judges the orders
that downloads wrote. People's changes are judged in the same write (see `gate`), so no later verdict overturns them.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal, NamedTuple

from needs_attention.orders.amazon_order import WHERE
from needs_attention.orders.checks import CHECK_OF
from needs_attention.orders.completeness import find_missing
from needs_attention.orders.edits import Edits
from needs_attention.orders.effective import seen
from needs_attention.orders.order import Hold, Missing, Order
from needs_attention.orders.settings import NEEDS_ATTENTION, Settings, ThreePlStatus

# Amazon's news came too late for the gate: people must act on these.
Alert = Literal["CancelledAfterDispatch", "CancelledAfterHandOver", "ChangedAfterHandOver"]
# The rows of the table, in the order in which they are tried.
RowName = Literal[
    "redacted",
    "outOfOurHands",
    "cancelled",
    "shipped",
    "draft",
    "fulfilledByAmazon",
    "dispatched",
    "heldByAPerson",
    "newAndComplete",
    "newAndIncomplete",
    "stillIncomplete",
    "healed",
    "readyToRelease",
    "asLetGo",
    "incompleteAgain",
]
# Amazon often fills a gap within minutes. After a day, a person has to.
REDOWNLOAD_AFTER = tuple(timedelta(minutes=minutes) for minutes in (2, 5, 15, 60, 6 * 60, 24 * 60))


@dataclass(frozen=True)
class Verdict:
    """The decision of one row: the missing fields, and the Stage, dispatch and 3PL Status that follow.

    `hold` is the kind of hold that the order is in from now on, or None.
    """

    row: RowName
    missing: tuple[Missing, ...]
    hold: Literal["missing", "manual", "snoozed"] | None
    stage: str | None
    three_pl_status: ThreePlStatus
    dispatched_by: Literal["us", "person", "amazon"] | None
    is_void: bool = False
    is_judged: bool = True
    is_after_release: bool = False
    alert: Alert | None = None


@dataclass(frozen=True)
class Situation:
    """The questions that the table asks about an order. Each is answered once, when it is first asked."""

    order: Order
    settings: Settings

    @cached_property
    def missing(self) -> tuple[Missing, ...]:
        return find_missing(self.order.amazon, self.order.edits, self.settings)

    @cached_property
    def open_missing(self) -> tuple[Missing, ...]:
        """The missing fields that no administrator accepted."""
        return self.order.not_accepted(self.missing)

    @cached_property
    def missing_at_amazon(self) -> tuple[Missing, ...]:
        """The fields that Amazon's data alone lacks, without people's edits and confirmations."""
        nobody_typed = self.order.edits == Edits()
        return self.missing if nobody_typed else find_missing(self.order.amazon, Edits(), self.settings)

    @property
    def was_judged(self) -> bool:
        return self.order.judged_at is not None

    @property
    def is_held(self) -> bool:
        return self.order.hold is not None

    @property
    def is_held_by_a_person(self) -> bool:
        return self.order.hold is not None and self.order.hold.kind != "missing"


def judge(situation: Situation) -> Verdict:
    """Decides by the first row of the table that matches."""
    return next(row.decide(situation, row.name) for row in ROWS if row.matches(situation))


def _close(s: Situation, row: RowName, *, dispatched_by: Literal["us", "person", "amazon"] | None) -> Verdict:
    """The order needs nothing more: no hold, nothing for the warehouse."""
    order = s.order
    was_in_no_stage = order.stage is None or order.stage == NEEDS_ATTENTION
    return Verdict(
        row=row,
        missing=(),
        hold=None,
        stage=s.settings.default_stage if was_in_no_stage else order.stage,
        three_pl_status=order.three_pl_status if order.is_handed_over else ThreePlStatus.DO_NOT_TRANSFER,
        dispatched_by=dispatched_by,
        is_void=order.voided_at is not None,
    )


def _leave_alone(s: Situation, row: RowName, missing: tuple[Missing, ...], alert: Alert | None = None) -> Verdict:
    order = s.order
    return Verdict(
        row=row,
        missing=missing,
        hold=order.hold.kind if order.hold else None,
        stage=order.stage,
        three_pl_status=order.three_pl_status,
        dispatched_by=order.dispatched_by,
        is_void=order.voided_at is not None,
        alert=alert,
    )


def _hold(s: Situation, row: RowName) -> Verdict:
    """Stage `Needs Attention`, Status `Open`, `Do Not Transfer to 3PL`, whatever the defaults say."""
    return Verdict(
        row=row,
        missing=s.missing,
        hold="missing",
        stage=NEEDS_ATTENTION,
        three_pl_status=ThreePlStatus.DO_NOT_TRANSFER,
        dispatched_by=None,
        is_after_release=bool(s.order.hold and s.order.hold.after_release),
    )


def _hold_again(s: Situation, row: RowName) -> Verdict:
    return replace(_hold(s, row), is_after_release=True)


def _defaults(s: Situation, row: RowName) -> Verdict:
    """The integration's present defaults. Only a person sends the rest of a partly shipped order to the warehouse."""
    is_whole = not s.order.amazon.is_partly_shipped
    return Verdict(
        row=row,
        missing=s.missing,
        hold=None,
        stage=s.settings.default_stage,
        three_pl_status=s.settings.default_three_pl_status if is_whole else ThreePlStatus.DO_NOT_TRANSFER,
        dispatched_by="us" if dispatches_at_once(s.order, s.settings) else s.order.dispatched_by,
    )


def dispatches_at_once(order: Order, settings: Settings) -> bool:
    """Whether Auto Dispatch applies: never to a partly shipped order, and not while nothing may leave."""
    may_leave = settings.may_hand_over(order.amazon.created_at)
    return settings.auto_dispatch_orders and may_leave and not order.amazon.is_partly_shipped


def _redacted(s: Situation, row: RowName) -> Verdict:
    return _close(s, row, dispatched_by=s.order.dispatched_by)


def _out_of_our_hands(s: Situation, row: RowName) -> Verdict:
    return _leave_alone(s, row, s.order.missing, alert=_alert_after_hand_over(s))


def _alert_after_hand_over(s: Situation) -> Alert | None:
    if not s.order.is_handed_over:
        return None
    if s.order.amazon.is_cancelled:
        return "CancelledAfterHandOver"
    return "ChangedAfterHandOver" if s.order.handed_over_digest != digest(s.order, s.settings) else None


def _cancelled(s: Situation, row: RowName) -> Verdict:
    was_sent = s.order.dispatched_by in {"us", "person"}
    closed = _close(s, row, dispatched_by=s.order.dispatched_by)
    return replace(closed, is_void=True, alert="CancelledAfterDispatch" if was_sent else None)


def _shipped(s: Situation, row: RowName) -> Verdict:
    return _close(s, row, dispatched_by=s.order.dispatched_by or "amazon")


def _draft(s: Situation, row: RowName) -> Verdict:
    """The order is judged when Amazon releases it. A person's hold stays."""
    closed = _close(s, row, dispatched_by=None)
    kept = s.order.hold.kind if s.order.hold and s.is_held_by_a_person else None
    return replace(closed, hold=kept, stage=NEEDS_ATTENTION if kept else None, is_judged=False)


def _fulfilled_by_amazon(s: Situation, row: RowName) -> Verdict:
    return replace(_close(s, row, dispatched_by=s.order.dispatched_by), missing=s.missing)


def _dispatched(s: Situation, row: RowName) -> Verdict:
    return _leave_alone(s, row, s.missing)


def _as_let_go(s: Situation, row: RowName) -> Verdict:
    """As a person left it. If Amazon now calls it partly shipped, the whole order no longer goes to the warehouse."""
    kept = _leave_alone(s, row, s.missing)
    is_news = s.order.amazon.is_partly_shipped and s.order.judged_status != s.order.amazon.fulfillment_status
    return replace(kept, three_pl_status=ThreePlStatus.DO_NOT_TRANSFER) if is_news else kept


def _held_by_a_person(s: Situation, row: RowName) -> Verdict:
    return replace(
        _leave_alone(s, row, s.missing), stage=NEEDS_ATTENTION, three_pl_status=ThreePlStatus.DO_NOT_TRANSFER
    )


class Row(NamedTuple):
    """One row of the table: the first row that matches decides."""

    name: RowName
    matches: Callable[[Situation], bool]
    decide: Callable[[Situation, RowName], Verdict]


ROWS = (
    Row("redacted", lambda s: s.order.redacted_at is not None, _redacted),
    Row("outOfOurHands", lambda s: s.order.is_handed_over or s.order.voided_at is not None, _out_of_our_hands),
    Row("cancelled", lambda s: s.order.amazon.is_cancelled, _cancelled),
    Row("shipped", lambda s: s.order.amazon.is_shipped, _shipped),
    Row("draft", lambda s: s.order.amazon.is_pending, _draft),
    # A person's hold stands for an order that Amazon fulfils too: only a person ends it.
    Row(
        "fulfilledByAmazon",
        lambda s: s.order.amazon.is_fulfilled_by_amazon and not s.open_missing and not s.is_held_by_a_person,
        _fulfilled_by_amazon,
    ),
    Row(
        "dispatched",
        lambda s: s.order.dispatched_by is not None and s.order.three_pl_status is ThreePlStatus.DO_NOT_TRANSFER,
        _dispatched,
    ),
    Row("heldByAPerson", lambda s: s.is_held_by_a_person, _held_by_a_person),
    Row("newAndComplete", lambda s: not s.was_judged and not s.open_missing, _defaults),
    Row("newAndIncomplete", lambda s: not s.was_judged, _hold),
    Row("stillIncomplete", lambda s: s.is_held and bool(s.open_missing), _hold),
    Row("healed", lambda s: s.is_held and not s.missing and not s.missing_at_amazon, _defaults),
    Row("readyToRelease", lambda s: s.is_held, _hold),
    Row("asLetGo", lambda s: not s.open_missing, _as_let_go),
    Row("incompleteAgain", lambda _: True, _hold_again),
)


def judged(order: Order, settings: Settings, at: datetime) -> Order:
    """The order with its verdict: no longer pending, and stamped with `at`."""
    situation = Situation(order, settings)
    verdict = judge(situation)
    missing_since = {item.field: item.first_missing_at for item in order.missing}
    lost_dispatch = verdict.dispatched_by is None
    is_new_alert = verdict.alert is not None and verdict.alert not in order.alerts
    # This change is told now; only a further one is told again.
    told = digest(order, settings) if verdict.alert == "ChangedAfterHandOver" else order.handed_over_digest
    return order.with_(
        pending_since=None,
        judged_at=at if verdict.is_judged else None,
        judged_status=order.amazon.fulfillment_status,
        missing=tuple(
            item.model_copy(update={"first_missing_at": missing_since.get(item.field) or at})
            for item in verdict.missing
        ),
        hold=_stamped_hold(order, verdict, at),
        stage=verdict.stage,
        three_pl_status=verdict.three_pl_status,
        dispatched_by=verdict.dispatched_by,
        fully_dispatched_at=None if lost_dispatch else order.fully_dispatched_at or at,
        voided_at=(order.voided_at or at) if verdict.is_void else None,
        alerts=(*order.alerts, verdict.alert) if is_new_alert else order.alerts,
        handed_over_digest=told,
        is_live=settings.may_hand_over(order.amazon.created_at),
        redownload_at=_redownload_at(situation, verdict, at),
    )


def _stamped_hold(order: Order, verdict: Verdict, at: datetime) -> Hold | None:
    if verdict.hold is None:
        return None
    if order.hold is not None:
        return order.hold
    return Hold(kind=verdict.hold, since=at, after_release=verdict.is_after_release)


def _redownload_at(s: Situation, verdict: Verdict, at: datetime) -> datetime | None:
    """When to ask Amazon by ID again, while it may fill a gap. An order that stays held keeps its timetable."""
    if verdict.hold != "missing" or not _amazon_may_fill(s):
        return None
    return s.order.redownload_at if s.order.hold else at + REDOWNLOAD_AFTER[0]


def next_redownload(order: Order, now: datetime) -> datetime | None:
    """When to ask Amazon for a held order again, having asked now; None after a day."""
    if order.hold is None or order.hold.kind != "missing":
        return None
    times = (order.hold.since + wait for wait in REDOWNLOAD_AFTER)
    return next((time for time in times if time > now), None)


def _amazon_may_fill(s: Situation) -> bool:
    return any(CHECK_OF[item.field].amazon_sends_it for item in s.missing_at_amazon)


def digest(order: Order, settings: Settings) -> str:
    """A fingerprint of the goods and the destination that the warehouse knows. It reveals neither."""
    view = seen(order.amazon, order.edits, settings)
    where = view.delivery_address.model_dump(include=WHERE) if view.delivery_address else {}
    destination = [view.first_name, view.last_name, view.company, *sorted(where.items())]
    goods = [(line.order_item_id, line.seller_sku, line.asin, line.quantity) for line in view.line_items]
    return hashlib.sha256(f"{destination}{goods}".encode()).hexdigest()

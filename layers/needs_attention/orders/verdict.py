"""The verdict: one table, one pure function of the order and the settings.

So the outcome never depends on the order of events; the clock only stamps the decision. Validation judges the orders
that downloads wrote. People's changes are judged in the same write (see `gate`), so no later verdict overturns them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal, NamedTuple

from needs_attention.orders.alerts import (
    CAME_BACK,
    CANCEL_REQUESTED,
    CANCELLED,
    MISSING,
    OF_ONE_CHANGE,
    Alert,
    difference,
    told_by,
)
from needs_attention.orders.checks import CHECK_OF
from needs_attention.orders.completeness import find_differences, find_missing
from needs_attention.orders.decisions import Defaults, Granted
from needs_attention.orders.earlier_release import in_the_form_of_now
from needs_attention.orders.edits import (
    ANSWERED_ANEW,
    BUYER_REQUESTED_CANCEL,
    FULFILLMENT_UNKNOWN,
    Edits,
    said_by,
    unit_of,
    unsettled,
)
from needs_attention.orders.order import DIFFERS, ClosedAlert, DispatchedBy, Hold, Missing, Order, Parcel
from needs_attention.orders.parcel import earlier_fingerprint, parcel_now, told_now
from needs_attention.orders.settings import NEEDS_ATTENTION, Settings, ThreePlStatus

# The rows of the table, in the order in which they are tried.
RowName = Literal[
    "redacted",
    "outOfOurHands",
    "cancelled",
    "shipped",
    "dispatched",
    "draft",
    "fulfilledByAmazon",
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

    `state`: whether the order is new, held or let go from now on. `grants`: it is given the defaults of now.
    """

    row: RowName
    state: Literal["new", "held", "letGo"]
    stage: str | None
    three_pl_status: ThreePlStatus
    dispatched_by: DispatchedBy | None
    missing: tuple[Missing, ...] = ()
    grants: bool = False
    is_void: bool = False
    ends_persons_hold: bool = False
    is_after_release: bool = False
    alerts: tuple[Alert, ...] = ()


@dataclass(frozen=True)
class Situation:
    """The questions that the table asks about an order. Each is answered once, when it is first asked."""

    order: Order
    settings: Settings

    @cached_property
    def missing(self) -> tuple[Missing, ...]:
        missing = find_missing(self.order.amazon, self.order.edits, self.settings)
        return self.order.not_let_go_without(missing)

    @cached_property
    def open_missing(self) -> tuple[Missing, ...]:
        """The missing fields that no administrator accepted."""
        return self.order.not_accepted(self.missing)

    @cached_property
    def missing_at_amazon(self) -> tuple[Missing, ...]:
        """The fields that Amazon's data alone lacks, without people's edits and confirmations."""
        if self.order.edits == Edits():
            return self.missing
        return self.order.not_let_go_without(find_missing(self.order.amazon, Edits(), self.settings))

    @cached_property
    def unsettled(self) -> tuple[str, ...]:
        """The places where Amazon says something else than a typed value, and no person has settled that."""
        return unsettled(self.order.edits, self.order.amazon, self.order.news)

    @property
    def changed(self) -> tuple[str, ...]:
        """Those of them where Amazon's value is news that holds the order, also after its release."""
        return tuple(place for place in self.unsettled if place in self.order.news)

    @property
    def to_do(self) -> tuple[Missing, ...]:
        """What a person has to do: the missing fields, and those that differ from Amazon's."""
        return (*self.missing, *find_differences(self.unsettled, self.order.edits))

    @property
    def to_do_after_all(self) -> tuple[Missing, ...]:
        """What a person has to do about an order that was let go: not what Amazon says for the first time since."""
        return (*self.missing, *find_differences(self.changed, self.order.edits))

    @property
    def open_fields(self) -> frozenset[str]:
        return frozenset(item.field for item in self.open_missing)

    @property
    def came_back(self) -> bool:
        """Whether Amazon calls the order shipped or its own no more, and nobody confirmed that it is ours to send."""
        return FULFILLMENT_UNKNOWN in self.open_fields and self.order.amazon.came_back_from is not None

    @property
    def differences_in_the_parcel(self) -> tuple[str, ...]:
        """The differences that send the parcel to somebody or somewhere else, or with other goods."""
        return tuple(place for place in self.unsettled if unit_of(place) in {"name", "delivery_address", "line_items"})

    @property
    def is_sent(self) -> bool:
        """Whether the warehouse's parcel is on its way, as Amazon or a report says."""
        return self.order.is_handed_over and (self.order.amazon.is_shipped or self.order.is_reported_sent)

    @cached_property
    def bad_news(self) -> frozenset[str]:
        """Every piece of news that people must hear once the order left; what changed in the parcel aside."""
        order, amazon = self.order, self.order.amazon
        asked = amazon.cancel_requests - set(order.edits.answered_requests or ())
        said = said_by(amazon) if self.differences_in_the_parcel else {}
        is_back = not amazon.is_cancelled if order.voided_at else self.came_back
        return frozenset(
            (
                *((CANCELLED,) if amazon.is_cancelled else ()),
                *((f"{CAME_BACK} {amazon.doubts}",) if is_back else ()),
                *(f"{CANCEL_REQUESTED} {line}" for line in asked if BUYER_REQUESTED_CANCEL in self.open_fields),
                *(
                    f"{MISSING} {one.field} {part}".rstrip()
                    for one in self.open_missing
                    if one.field not in ANSWERED_ANEW
                    for part in one.parts or ("",)
                ),
                *(difference(place, said[place]) for place in self.differences_in_the_parcel),
            )
        )

    @cached_property
    def parcel_as_told_now(self) -> Parcel | None:
        """The parcel that left, with what the order says of it now; None if none is known."""
        parcel = self.order.parcel
        return told_now(self.order, parcel, self.settings) if parcel else None

    @cached_property
    def parcel_has_changed(self) -> bool:
        """Whether the order says something else of the goods or their destination than people were told last."""
        order = self.order
        if order.parcel is not None:
            return self.parcel_as_told_now != order.parcel
        if order.handed_over_digest is not None:
            return earlier_fingerprint(order, self.settings) != order.handed_over_digest
        return False

    @property
    def needs_nobody(self) -> bool:
        """Whether nothing is missing, in Amazon's data alone neither, and nothing differs: then it goes by itself."""
        return not (self.missing or self.missing_at_amazon or self.unsettled)

    @property
    def state(self) -> Literal["new", "held", "letGo"]:
        return "held" if self.order.hold else "letGo" if self.order.is_let_go else "new"

    @property
    def granted(self) -> Defaults:
        """The defaults that the order was let go with; those of now, if it never was."""
        return self.order.granted or defaults_now(self.order, self.settings)


def judge(situation: Situation) -> Verdict:
    """Decides by the first row of the table that matches."""
    return next(row.decide(situation, row.name) for row in ROWS if row.matches(situation))


# The outcomes that several rows share ---------------------------------------------------------------------------------


def _let_go(s: Situation, row: RowName) -> Verdict:
    """The defaults as they are now, for everything that no person decided."""
    return replace(_shown(s, row, defaults_now(s.order, s.settings)), grants=True)


def defaults_now(order: Order, settings: Settings) -> Defaults:
    """The integration's defaults for the order. Auto Dispatch does not apply while nothing may leave."""
    return Defaults(
        stage=settings.default_stage,
        three_pl_status=settings.default_three_pl_status,
        is_dispatched=settings.auto_dispatch_orders and settings.may_hand_over(order.amazon.created_at),
    )


def granted_now(order: Order, settings: Settings, at: datetime) -> Granted:
    """The order's defaults as a release, or a decision taken back, grants them."""
    return Granted(**dict(defaults_now(order, settings)), at=at)


def _shown(s: Situation, row: RowName, defaults: Defaults) -> Verdict:
    """An order let go: what people decided, else the defaults."""
    return Verdict(
        row=row,
        state="letGo",
        stage=_shown_stage(s.order, defaults),
        three_pl_status=_shown_three_pl_status(s.order, defaults),
        dispatched_by=_shown_dispatch(s.order, defaults),
        missing=s.missing,
    )


def _shown_three_pl_status(order: Order, defaults: Defaults) -> ThreePlStatus:
    decided = order.decisions
    if decided.three_pl_status is not None:
        return decided.three_pl_status.three_pl_status
    # Only a person sends the rest of a partly shipped order, and nothing by a default after taking its dispatch back.
    was_taken_back = decided.dispatch is not None and not decided.dispatch.is_sent
    is_kept = order.amazon.is_partly_shipped or (was_taken_back and defaults.three_pl_status is ThreePlStatus.NOW)
    return ThreePlStatus.DO_NOT_TRANSFER if is_kept else defaults.three_pl_status


def _shown_dispatch(order: Order, defaults: Defaults) -> DispatchedBy | None:
    decided = order.decisions
    if decided.dispatch is not None:
        return "person" if decided.dispatch.is_sent else None
    is_kept = order.amazon.is_partly_shipped or decided.stop is not None
    return "us" if defaults.is_dispatched and not is_kept else None


def showing_defaults(order: Order, defaults: Defaults) -> Order:
    """A dispatched order with the Stage and the 3PL Status that people decided, else the defaults."""
    return order.with_(stage=_shown_stage(order, defaults), three_pl_status=_shown_three_pl_status(order, defaults))


def _shown_stage(order: Order, defaults: Defaults) -> str:
    decided = order.decisions.stage
    return decided.stage if decided else defaults.stage


def _leave_alone(s: Situation, row: RowName, missing: tuple[Missing, ...], alerts: tuple[Alert, ...] = ()) -> Verdict:
    order = s.order
    return Verdict(
        row=row,
        state=s.state,
        stage=order.stage,
        three_pl_status=order.three_pl_status,
        dispatched_by=order.dispatched_by,
        missing=missing,
        is_void=order.voided_at is not None,
        alerts=alerts,
    )


def _in_needs_attention(s: Situation, row: RowName, state: Literal["new", "held", "letGo"]) -> Verdict:
    """Stage `Needs Attention`, Status `Open`, `Do Not Transfer to 3PL`, whatever the defaults say.

    A dispatch that only waited for its transfer is undone.
    """
    return Verdict(
        row=row,
        state=state,
        stage=NEEDS_ATTENTION,
        three_pl_status=ThreePlStatus.DO_NOT_TRANSFER,
        dispatched_by=None,
        missing=s.to_do,
    )


def _hold(s: Situation, row: RowName) -> Verdict:
    after_release = bool(s.order.hold and s.order.hold.after_release)
    return replace(_in_needs_attention(s, row, "held"), is_after_release=after_release)


def _closed(s: Situation, row: RowName, *, dispatched_by: DispatchedBy | None, is_void: bool = False) -> Verdict:
    """Nothing for the warehouse. What is held is not any more, and is judged as new should it come back."""
    order = s.order
    return Verdict(
        row=row,
        state="new" if order.hold else s.state,
        stage=_shown_stage(order, s.granted),
        three_pl_status=order.three_pl_status if order.is_handed_over else ThreePlStatus.DO_NOT_TRANSFER,
        dispatched_by=dispatched_by,
        is_void=is_void or order.voided_at is not None,
    )


def _dispatch_that_stays(order: Order) -> DispatchedBy | None:
    """The dispatch of an order that closes: one that only waited for its transfer is undone."""
    only_waits = order.waits_for_transfer and not order.is_handed_over
    return None if only_waits else order.dispatched_by


# The rows -------------------------------------------------------------------------------------------------------------


def _redacted(s: Situation, row: RowName) -> Verdict:
    closed = _closed(s, row, dispatched_by=_dispatch_that_stays(s.order))
    return replace(closed, state="letGo", ends_persons_hold=True)


def _out_of_our_hands(s: Situation, row: RowName) -> Verdict:
    order = s.order
    if not order.is_handed_over:
        return _leave_alone(s, row, (), alerts=_alerts_once_void(s))
    left = _leave_alone(s, row, order.missing, alerts=() if s.is_sent else _alerts_after_hand_over(s))
    return replace(left, dispatched_by="amazon") if s.is_sent and not order.is_reported_sent else left


def _alerts_after_hand_over(s: Situation) -> tuple[Alert, ...]:
    """The bad news that comes too late for the gate, while the warehouse can still stop the parcel."""
    return _raised(
        {
            "CancelledAfterHandOver": s.order.amazon.is_cancelled,
            "CancelRequestedAfterHandOver": BUYER_REQUESTED_CANCEL in s.open_fields,
            "ChangedAfterHandOver": s.parcel_has_changed,
            "DiffersFromAmazon": bool(s.differences_in_the_parcel),
            "CameBack": s.came_back,
        }
    )


def _raised(causes: Mapping[Alert, bool]) -> tuple[Alert, ...]:
    return tuple(alert for alert, applies in causes.items() if applies)


def _alerts_once_void(s: Situation) -> tuple[Alert, ...]:
    if not s.order.amazon.is_cancelled:
        return ("CameBack",)
    return ("CancelledAfterDispatch",) if s.order.is_dispatched_by_us else ()


def _cancelled(s: Situation, row: RowName) -> Verdict:
    closed = _closed(s, row, dispatched_by=_dispatch_that_stays(s.order), is_void=True)
    return replace(closed, state="letGo", alerts=("CancelledAfterDispatch",) if closed.dispatched_by else ())


def _shipped(s: Situation, row: RowName) -> Verdict:
    return _closed(s, row, dispatched_by=_dispatch_that_stays(s.order) or "amazon")


def _dispatched(s: Situation, row: RowName) -> Verdict:
    alerts = _raised(
        {
            "IncompleteAfterDispatch": bool(s.open_fields - ANSWERED_ANEW),
            "CancelRequestedAfterDispatch": BUYER_REQUESTED_CANCEL in s.open_fields,
            "ChangedAfterDispatch": s.parcel_has_changed,
            "DiffersFromAmazon": bool(s.differences_in_the_parcel),
            "CameBack": s.came_back,
        }
    )
    return _leave_alone(s, row, s.to_do_after_all, alerts)


def _draft(s: Situation, row: RowName) -> Verdict:
    """The order is judged when Amazon releases it. A hold stays beneath, and so does what it was granted."""
    return Verdict(
        row=row,
        state=s.state,
        stage=None,
        three_pl_status=ThreePlStatus.DO_NOT_TRANSFER,
        dispatched_by=None,
    )


def _fulfilled_by_amazon(s: Situation, row: RowName) -> Verdict:
    return replace(_closed(s, row, dispatched_by=None), missing=s.missing)


def _held_by_a_person(s: Situation, row: RowName) -> Verdict:
    return _in_needs_attention(s, row, s.state)


def _as_let_go(s: Situation, row: RowName) -> Verdict:
    shown = _shown(s, row, s.granted)
    return replace(shown, alerts=_raised({"DiffersFromAmazon": bool(s.differences_in_the_parcel)}))


def _hold_again(s: Situation, row: RowName) -> Verdict:
    return replace(_hold(s, row), is_after_release=True)


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
    # Before a draft and an order of Amazon's: what was sent stays sent, whatever Amazon says of it next.
    Row("dispatched", lambda s: s.order.is_really_dispatched, _dispatched),
    Row("draft", lambda s: s.order.amazon.is_pending, _draft),
    # A person's hold is shown on an order that Amazon fulfils too: only a person ends it.
    Row(
        "fulfilledByAmazon",
        lambda s: s.order.amazon.is_fulfilled_by_amazon and not s.open_missing and not s.order.decisions.hold,
        _fulfilled_by_amazon,
    ),
    Row("heldByAPerson", lambda s: s.order.decisions.hold is not None, _held_by_a_person),
    Row("newAndComplete", lambda s: s.state == "new" and s.needs_nobody, _let_go),
    Row("newAndIncomplete", lambda s: s.state == "new", _hold),
    Row("stillIncomplete", lambda s: s.state == "held" and bool(s.open_missing), _hold),
    Row("healed", lambda s: s.state == "held" and s.needs_nobody, _let_go),
    Row("readyToRelease", lambda s: s.state == "held", _hold),
    Row("asLetGo", lambda s: not s.open_missing and not s.changed, _as_let_go),
    Row("incompleteAgain", lambda _: True, _hold_again),
)


# New, held or let go stays what the rows after these decided last; only a hold ends where nothing is left to send.
_LEAVE_THE_STATE: frozenset[RowName] = frozenset(
    {"outOfOurHands", "shipped", "dispatched", "draft", "fulfilledByAmazon", "heldByAPerson"}
)


# The order with its verdict -------------------------------------------------------------------------------------------


def judged(order: Order, settings: Settings, at: datetime) -> Order:
    """The order with its verdict: no longer pending, and stamped with `at`."""
    order = _without_amazons_dispatch(in_the_form_of_now(order, settings))
    situation = Situation(order, settings)
    verdict = judge(situation)
    granted = granted_now(order, settings, at) if verdict.grants else order.granted
    # A gap and a difference of one field are two things to do, and begin at their own times.
    missing_since = {(item.field, item.reason == DIFFERS): item.first_missing_at for item in order.missing}
    told = _told(situation, verdict)
    parcel = _parcel(situation, verdict)
    return order.with_(
        pending_since=None,
        judged_at=_judged_at(order, verdict, at),
        judged_status=order.amazon.fulfillment_status,
        missing=tuple(
            item.model_copy(update={"first_missing_at": missing_since.get((item.field, item.reason == DIFFERS)) or at})
            for item in verdict.missing
        ),
        hold=_stamped_hold(order, verdict, at),
        decisions=order.decisions.with_(hold=None) if verdict.ends_persons_hold else order.decisions,
        granted=granted,
        stage=verdict.stage,
        three_pl_status=verdict.three_pl_status,
        dispatched_by=verdict.dispatched_by,
        fully_dispatched_at=_dispatched_at(order, verdict, granted, at),
        voided_at=(order.voided_at or at) if verdict.is_void else None,
        alerts=told.alerts,
        closed_alerts=told.closed,
        told=told.news,
        parcel=parcel,
        handed_over_digest=(
            earlier_fingerprint(order, settings)
            if order.handed_over_digest and parcel != order.parcel
            else order.handed_over_digest
        ),
        is_live=settings.may_hand_over(order.amazon.created_at),
        redownload_at=_redownload_at(situation, verdict, at),
    )


class Told(NamedTuple):
    """The open alerts, those that a person closed whose cause goes on, and the news that people were told."""

    alerts: tuple[str, ...] = ()
    closed: tuple[ClosedAlert, ...] = ()
    news: tuple[str, ...] = ()


def _told(s: Situation, verdict: Verdict) -> Told:
    """What people are told, and were: no piece of news is told again while it goes on, also through a draft or a hold.

    An alert that is open when a draft or a hold hides it is open again after that.
    Nothing is left to tell of an order that is sent. Should it not be sent after all, everything is news.
    """
    order = s.order
    if verdict.row in {"redacted", "shipped"} or s.is_sent or not (verdict.alerts or order.alerts or order.told):
        return Told()
    hidden = (told_by(alert, order.told) for alert in order.alerts if alert not in verdict.alerts)
    known = (s.bad_news & set(order.told)).difference(*hidden)
    still_open = [alert for alert in order.alerts if alert in {*verdict.alerts, *OF_ONE_CHANGE}]
    new = [
        alert
        for alert in verdict.alerts
        if alert not in still_open and (alert in OF_ONE_CHANGE or told_by(alert, s.bad_news - known))
    ]
    alerts = (*still_open, *new)
    told = known.union(*(told_by(alert, s.bad_news) for alert in verdict.alerts))
    closed = (one for one in order.closed_alerts if one.alert not in alerts and told_by(one.alert, told))
    return Told(alerts, tuple(closed), tuple(sorted(told)))


def _parcel(s: Situation, verdict: Verdict) -> Parcel | None:
    """What left, with the news that people are told now: only further news is told again.

    While it is sent nothing is told: should it not be sent after all, people hear of every change since it left.
    """
    order = s.order
    is_with_the_warehouse = verdict.row == "outOfOurHands" and order.is_handed_over
    is_sent_from_here = verdict.three_pl_status is ThreePlStatus.DO_NOT_TRANSFER and verdict.dispatched_by is not None
    leaves_now = verdict.row in {"newAndComplete", "healed", "asLetGo"} and is_sent_from_here
    has_left = verdict.row in {"dispatched", "shipped"} and order.is_really_dispatched
    if order.redacted_at or not (is_with_the_warehouse or leaves_now or has_left):
        return None
    parcel = s.parcel_as_told_now or parcel_now(order, s.settings)
    return parcel.model_copy(update={"told": parcel.left}) if s.is_sent or verdict.row == "shipped" else parcel


def _without_amazons_dispatch(order: Order) -> Order:
    """An order is dispatched by Amazon only as long as Amazon says so."""
    is_over = order.dispatched_by == "amazon" and not order.amazon.is_shipped and not order.is_handed_over
    return order.with_(dispatched_by=None, fully_dispatched_at=None) if is_over else order


def _judged_at(order: Order, verdict: Verdict, at: datetime) -> datetime | None:
    if verdict.state == "new":
        return None
    return order.judged_at if verdict.row in _LEAVE_THE_STATE else at


def _dispatched_at(order: Order, verdict: Verdict, granted: Granted | None, at: datetime) -> datetime | None:
    if verdict.dispatched_by is None:
        return None
    decided = order.decisions.dispatch
    if verdict.dispatched_by == order.dispatched_by and order.fully_dispatched_at:
        return order.fully_dispatched_at
    if verdict.dispatched_by == "person" and decided:
        return decided.sent_at
    return granted.at if verdict.dispatched_by == "us" and granted else at


def _stamped_hold(order: Order, verdict: Verdict, at: datetime) -> Hold | None:
    if verdict.state != "held":
        return None
    return order.hold or Hold(since=at, after_release=verdict.is_after_release)


def _redownload_at(s: Situation, verdict: Verdict, at: datetime) -> datetime | None:
    """When to ask Amazon by ID again, while it may fill a gap. An order that stays held keeps its timetable."""
    if verdict.state != "held" or verdict.stage != NEEDS_ATTENTION or s.order.decisions.hold or not _amazon_may_fill(s):
        return None
    if s.order.hold is None:
        return at + REDOWNLOAD_AFTER[0]
    return s.order.redownload_at or next_redownload(s.order, at)


def next_redownload(order: Order, now: datetime) -> datetime | None:
    """When to ask Amazon for a held order again, having asked now; None after a day."""
    if order.hold is None or order.decisions.hold is not None:
        return None
    times = (order.hold.since + wait for wait in REDOWNLOAD_AFTER)
    return next((time for time in times if time > now), None)


def _amazon_may_fill(s: Situation) -> bool:
    return any(CHECK_OF[item.field].amazon_sends_it for item in s.missing_at_amazon)

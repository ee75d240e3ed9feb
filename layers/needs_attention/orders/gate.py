"""The changes that people, the warehouse and the clock make to an order: each returns the changed order, or refuses.

Every change is judged in the same step. So the answer carries the new verdict, and no later verdict on the same data
overturns a person's choice. Nothing here writes: `OrderStore.save` lands a change on the revision it was made on.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from needs_attention.orders.completeness import find_differences
from needs_attention.orders.decisions import DispatchDecision, Granted, HoldDecision, StageDecision, ThreePlDecision
from needs_attention.orders.earlier_release import in_the_form_of_now
from needs_attention.orders.edits import ANSWERED_ANEW, UNITS, Edits, Unit, places_touched, unit_of, unsettled
from needs_attention.orders.order import (
    TIME_IS_OVER,
    Accepted,
    ClosedAlert,
    DispatchedBy,
    Missing,
    Order,
    Override,
    Redaction,
)
from needs_attention.orders.parcel import earlier_fingerprint, parcel_now
from needs_attention.orders.settings import NEEDS_ATTENTION, Settings, ThreePlStatus
from needs_attention.orders.verdict import defaults_now, granted_now, judged, showing_defaults
from needs_attention.values.model import Value
from needs_attention.values.times import UtcTime

# Replaces free text, because it may hold a buyer's data.
REDACTED = "[redacted]"


class Refused(Exception):
    """The order may not be changed like this now. `code` is stable, the message is for people.

    `missing` lists the missing fields if they are the reason.
    """

    def __init__(self, code: str, message: str, missing: tuple[Missing, ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.missing = missing


# The name of a decision, as a person takes it back.
DecisionName = Literal["stage", "three_pl_status", "fully_dispatched"]


class Wanted(Value):
    """A person's wishes for an order, apart from edits. None leaves a thing as it is.

    `fully_dispatched` is the time of dispatch; `False` says that the order was not sent. `taken_back` names decisions
    that count no more, as if nobody had made them. `override` is an administrator's reason to let the order go although
    fields are missing.
    """

    stage: str | None = None
    three_pl_status: ThreePlStatus | None = None
    fully_dispatched: UtcTime | Literal[False] | None = None
    taken_back: frozenset[DecisionName] = frozenset()
    release: bool = False
    snooze_until: UtcTime | None = None
    override: str | None = None

    @property
    def ends_hold(self) -> bool:
        return self.release or self.stage not in {None, NEEDS_ATTENTION}

    @property
    def holds(self) -> bool:
        return self.stage == NEEDS_ATTENTION or self.snooze_until is not None

    @property
    def stops_transfer(self) -> bool:
        return self.three_pl_status is ThreePlStatus.DO_NOT_TRANSFER

    @property
    def stops(self) -> bool:
        """Whether it keeps the order here: that is taken also while other wishes are refused."""
        return self.holds or self.stops_transfer or self.fully_dispatched is False

    @property
    def lets_out(self) -> bool:
        return bool(self.fully_dispatched) or self.three_pl_status not in {None, ThreePlStatus.DO_NOT_TRANSFER}

    @property
    def asks_for_something(self) -> bool:
        return self.ends_hold or self.stops or self.lets_out or bool(self.taken_back) or self.override is not None


def edit(  # noqa: PLR0913 - what an edit may hold
    order: Order,
    units: Mapping[Unit, object],
    confirmed: Sequence[str] | None,
    settings: Settings,
    at: datetime,
    *,
    kept: Iterable[Unit] = (),
) -> Order:
    """Brings the verdict up to date, lays people's values over Amazon's (None: Amazon's own), and judges the result.

    The typed values of the units `kept` stay over what Amazon says now.

    A redacted order refuses: its data is gone for good.
    """
    check_editable(order)
    order = judged(order, settings, at)
    edits = order.edits
    settled: set[str] = set()
    for unit in UNITS:
        if unit in units:
            edits = edits.with_typed(unit, units[unit], order.amazon)
            settled |= places_touched(unit, units[unit])
    kept_units = set(kept)
    differing = [place for place in unsettled(edits, order.amazon, order.news) if unit_of(place) in kept_units]
    edits = edits.settling(differing, order.amazon)
    if confirmed is not None:
        edits = edits.confirming(confirmed, order.amazon)
    return judged(_with_edits(order, edits, settled.union(differing)), settings, at)


def _with_edits(order: Order, edits: Edits, settled: Collection[str]) -> Order:
    """The order with these edits. The places that they settle are no news any more."""
    news = [place for place in order.news if place not in settled]
    open_places = unsettled(edits, order.amazon, news)
    return order.with_(edits=edits, news=tuple(place for place in news if place in open_places))


def check_editable(order: Order) -> None:
    """Raises Refused for a redacted order."""
    if order.redacted_at:
        raise Refused("redacted", "The personal data of this order was removed for good; it cannot be edited.")


def change(order: Order, wanted: Wanted, settings: Settings, *, by: str, at: datetime) -> Order:
    """Lays in what stops the order, brings the verdict up to date, and makes the other changes if the gate allows them.

    The present settings count: a check that was switched on since the last verdict applies.
    Raises Refused, with the list of missing fields if they are the reason.
    """
    person = _Person(settings, by, at)
    if not wanted.asks_for_something:
        return judged(order, settings, at)
    _refuse_contradictions(wanted)
    if order.is_handed_over:
        return _after_the_hand_over(order, wanted, person)
    _refuse_closed(order)
    current = judged(_stopped(order, wanted, person), settings, at)
    current = _taken_back(current, wanted, person)
    return _sent_on(current, wanted, person, was_held=order.is_held)


def stopped(order: Order, wanted: Wanted, settings: Settings, *, by: str, at: datetime) -> Order:
    """Lays in what stops the order, for a call that also edits it: no verdict on the edit is faster than the stop.

    `change` has to follow, and looks at the other wishes. Raises Refused for an order that is closed.
    """
    if not wanted.stops or order.is_handed_over:
        return order
    _refuse_closed(order)
    return _stopped(order, wanted, _Person(settings, by, at))


def hand_over(order: Order, settings: Settings, *, is_frozen: bool, at: datetime) -> Order:
    """The warehouse takes the order: judged once more, it becomes `Transferred to 3PL for Picking`."""
    check_outflow(order, settings, is_frozen=is_frozen)
    checked = judged(order, settings, at)
    if not checked.is_transferable:
        raise _not_for_the_warehouse(checked)
    return checked.with_(
        three_pl_status=ThreePlStatus.TRANSFERRED,
        parcel=parcel_now(checked, settings),
        handed_over_digest=earlier_fingerprint(checked, settings),
    )


def close_alerts(order: Order, alerts: Iterable[str], *, by: str, at: datetime) -> Order:
    """Closes these alerts, as far as they are open. Only further news raises them again."""
    closed = [ClosedAlert(alert=alert, by=by, at=at) for alert in order.alerts if alert in set(alerts)]
    names = {one.alert for one in closed}
    return order.with_(
        alerts=tuple(alert for alert in order.alerts if alert not in names),
        closed_alerts=(*(one for one in order.closed_alerts if one.alert not in names), *closed),
    )


def picked(order: Order) -> Order:
    """The warehouse has picked the order that it took. Reporting it again changes nothing."""
    check_handed_over(order)
    return order.with_(three_pl_status=ThreePlStatus.PICKED, warehouse_error=None)


def dispatched(order: Order, sent_at: datetime, settings: Settings, *, by: str, at: datetime) -> Order:
    """The warehouse has sent the order that it took. Reporting it again changes nothing."""
    check_handed_over(order)
    person = _Person(settings, by, at)
    return _reported_sent(person.judged(order), sent_at, "warehouse", person)


def failed(order: Order, reason: str) -> Order:
    """The warehouse took the order and cannot pick it. A person may take it back then."""
    check_handed_over(order)
    if order.three_pl_status is ThreePlStatus.PICKED:
        raise Refused("alreadyPicked", "The warehouse has picked this order already.")
    return order.with_(
        three_pl_status=ThreePlStatus.WITH_ERRORS, warehouse_error=REDACTED if order.redacted_at else reason
    )


def check_handed_over(order: Order) -> None:
    """Raises Refused if the warehouse does not have the order: it never took it, or a person took it back."""
    if not order.is_handed_over:
        raise Refused("notTransferred", "The warehouse has not taken this order: acknowledge it first.")


def check_outflow(order: Order, settings: Settings, *, is_frozen: bool) -> None:
    """Raises Refused if the order, by its last verdict, may not be handed over now."""
    if order.is_handed_over:
        raise Refused("alreadyTransferred", "The warehouse has this order already.")
    if is_frozen:
        raise Refused("frozen", "All hand-overs of this integration are frozen.")
    if not settings.may_hand_over(order.amazon.created_at):
        raise Refused("notLive", "The integration is in trial mode, or the order is from before its go-live date.")
    if not order.is_transferable:
        raise _not_for_the_warehouse(order)


def end_snooze(order: Order, settings: Settings, at: datetime) -> Order:
    """The snooze date has come: a hold by hand beneath goes on, and any other order is judged."""
    snooze = order.decisions.hold
    if snooze is None or snooze.kind != "snoozed":
        return order
    beneath = snooze.model_copy(update={"until": None, "was_manual": False}) if snooze.was_manual else None
    awake = judged(order.with_(decisions=order.decisions.with_(hold=beneath)), settings, at)
    return awake.with_(redownload_at=at) if awake.redownload_at else awake


def redact(order: Order, settings: Settings, at: datetime, redaction: Redaction = TIME_IS_OVER) -> Order:
    """Removes personal data for good, and in the same write ends the hold and closes the way to the warehouse.

    Everything that people and the warehouse wrote in their own words goes too.
    """
    bare = order.with_(
        amazon=order.amazon.redacted(),
        edits=Edits(),
        override=_bare(order.override),
        assigned_to=None,
        comment=None,
        warehouse_error=None,
        parcel=None,  # with a list of buyers, its fingerprint would tell which one placed the order
        handed_over_digest=None,
        redacted_at=at,
        redaction=redaction,
        news=(),
    )
    return judged(bare, settings, at)


def erase(order: Order, settings: Settings, request: Redaction, *, even_if_unsent: bool, at: datetime) -> Order:
    """Redacts the order before its time, on request; a redacted order stays as it is.

    Raises Refused if the order is still to be sent, unless `even_if_unsent`.
    """
    if order.redacted_at:
        return order
    if order.is_unsent and not even_if_unsent:
        raise Refused(
            "unsent",
            "The order is not sent yet, and cannot be sent without its personal data: send or cancel it first, or send "
            "evenIfUnsent.",
        )
    return redact(order, settings, at, request)


def _not_for_the_warehouse(order: Order) -> Refused:
    return Refused("notForTheWarehouse", "The order may not be transferred to the 3PL now.", order.open_missing)


class _Person(NamedTuple):
    """Who changes an order, when, and the settings of its integration."""

    settings: Settings
    by: str
    at: datetime

    def judged(self, order: Order) -> Order:
        return judged(order, self.settings, self.at)

    def granted(self, order: Order) -> Order:
        """The order let go, with the defaults of now for what nobody decided; Amazon's own orders get none."""
        is_ours = not order.amazon.is_fulfilled_by_amazon
        granted = granted_now(order, self.settings, self.at) if is_ours else order.granted
        return order.with_(granted=granted, judged_at=self.at)

    def chose(self, status: ThreePlStatus, *, is_implied: bool = False) -> ThreePlDecision:
        return ThreePlDecision(by=self.by, at=self.at, three_pl_status=status, is_implied=is_implied)

    def said_sent(self, sent_at: datetime, *, is_reported: bool = False) -> DispatchDecision:
        return DispatchDecision(by=self.by, at=self.at, sent_at=sent_at, is_reported=is_reported)

    def said_not_sent(self) -> DispatchDecision:
        return DispatchDecision(by=self.by, at=self.at)


# What refuses -------------------------------------------------------------------------------------------------------


def _refuse_contradictions(wanted: Wanted) -> None:
    if wanted.holds and (wanted.lets_out or wanted.ends_hold):
        raise Refused("contradiction", "An order cannot be put on hold and let go in one call.")


def _refuse_redacted(order: Order) -> None:
    if order.redacted_at:
        raise Refused("redacted", "Its personal data was removed for good.")


def _refuse_closed(order: Order) -> None:
    _refuse_redacted(order)
    closed = {
        "void": (order.voided_at is not None or order.amazon.is_cancelled, "The order is void: it was cancelled."),
        "shipped": (order.amazon.is_shipped, "Amazon says that the order was shipped."),
    }
    for code, (applies, message) in closed.items():
        if applies:
            raise Refused(code, message)


def _refuse_a_status_of_the_warehouse(wanted: Wanted) -> None:
    if wanted.three_pl_status is not None and wanted.three_pl_status.is_handed_over:
        raise Refused("onlyTheWarehouse", f"Only the warehouse sets 3PL Status {wanted.three_pl_status}.")


def _refuse_what_is_not_ours(order: Order, wanted: Wanted) -> None:
    _refuse_a_status_of_the_warehouse(wanted)
    if order.amazon.is_pending and (wanted.ends_hold or wanted.lets_out):
        raise Refused("draft", "The order is a draft: Amazon has not released it yet.")
    if order.amazon.is_fulfilled_by_amazon and wanted.lets_out:
        raise Refused("fulfilledByAmazon", "Amazon fulfils this order: it is not ours to dispatch or transfer.")
    if wanted.fully_dispatched:
        _refuse_a_dispatch_before_the_order(order, wanted.fully_dispatched)


def _refuse_a_dispatch_before_the_order(order: Order, sent_at: datetime) -> None:
    if sent_at < order.amazon.created_at:
        raise Refused("dispatchedBeforeOrdered", "The order cannot have been dispatched before it was placed.")


# What stops ---------------------------------------------------------------------------------------------------------


def _stopped(order: Order, wanted: Wanted, person: _Person) -> Order:
    """The order with the wishes that keep it here, before any verdict: no pending verdict is faster than a stop."""
    order = in_the_form_of_now(order, person.settings)
    if wanted.stops_transfer:
        order = _not_transferred(order, person)
    if wanted.fully_dispatched is False:
        order = _not_sent(order, person)
    return _put_on_hold(order, wanted, person) if wanted.holds else order


def _not_transferred(order: Order, person: _Person) -> Order:
    """Do Not Transfer: a dispatch that only waits for its transfer is undone, also one that a hold hides.

    A real one stays.
    """
    decided = order.decisions.with_(three_pl_status=person.chose(ThreePlStatus.DO_NOT_TRANSFER))
    changes: dict[str, object] = {"three_pl_status": ThreePlStatus.DO_NOT_TRANSFER}
    if not order.is_really_dispatched:
        changes |= {**_UNDONE, "granted": _without_dispatch(order)}
        if decided.dispatch and decided.dispatch.is_sent:
            decided = decided.with_(dispatch=None)
    return order.with_(decisions=decided, **changes)


def _not_sent(order: Order, person: _Person) -> Order:
    """The order was not sent: an earlier decision to transfer it now ends with that."""
    decided = order.decisions.with_(dispatch=person.said_not_sent())
    if decided.three_pl_status and decided.three_pl_status.three_pl_status is ThreePlStatus.NOW:
        decided = decided.with_(three_pl_status=None)
    return order.with_(decisions=decided, **(_UNDONE if order.is_dispatched_by_us else {}))


def _put_on_hold(order: Order, wanted: Wanted, person: _Person) -> Order:
    if order.is_really_dispatched:
        raise Refused("alreadyDispatched", "The order is dispatched: it can no longer be put on hold.")
    before = order.decisions.hold
    hold = HoldDecision(by=person.by, at=person.at)
    if wanted.snooze_until is not None:
        was_manual = before is not None and (before.kind == "manual" or before.was_manual)
        until = _not_past_ship_by(order, wanted.snooze_until)
        hold = hold.model_copy(update={"until": until, "was_manual": was_manual})
    elif before is not None and before.kind == "manual":
        return order
    return order.with_(decisions=order.decisions.with_(hold=hold))


def _not_past_ship_by(order: Order, until: datetime) -> datetime:
    if order.amazon.ship_by is not None and until > order.amazon.ship_by:
        raise Refused("pastShipBy", "An order cannot be snoozed past its ship-by deadline.")
    return until


_UNDONE: Mapping[str, object] = {"dispatched_by": None, "fully_dispatched_at": None}


def _without_dispatch(order: Order) -> Granted | None:
    return order.granted.model_copy(update={"is_dispatched": False}) if order.granted else None


# What takes a decision back -----------------------------------------------------------------------------------------


def _taken_back(order: Order, wanted: Wanted, person: _Person) -> Order:
    """The order as if nobody had made these decisions: an order let go gets the defaults of now, at once."""
    decided = order.decisions
    if "stage" in wanted.taken_back:
        decided = decided.with_(stage=None, hold=None)
    if "three_pl_status" in wanted.taken_back:
        decided = decided.with_(three_pl_status=None)
    if "fully_dispatched" in wanted.taken_back:
        decided = decided.with_(dispatch=None)
    if decided == order.decisions:
        return order
    is_open = order.is_let_go and not order.decisions.hold
    is_ours = not (order.amazon.is_pending or order.amazon.is_fulfilled_by_amazon)
    cleared = order.with_(decisions=decided)
    if is_open and is_ours:
        cleared = person.granted(cleared)
        keeps_its_dispatch = cleared.is_really_dispatched and "fully_dispatched" not in wanted.taken_back
        cleared = (
            showing_defaults(cleared, defaults_now(cleared, person.settings))
            if keeps_its_dispatch
            else cleared.with_(**_UNDONE)
        )
    return person.judged(cleared)


# What sends ---------------------------------------------------------------------------------------------------------


def _sent_on(order: Order, wanted: Wanted, person: _Person, *, was_held: bool) -> Order:
    """The order with the wishes that let it go, if the gate allows them."""
    if not (wanted.ends_hold or wanted.lets_out or wanted.override):
        return order
    _refuse_what_is_not_ours(order, wanted)
    if order.is_held and wanted.lets_out and not wanted.ends_hold:
        raise Refused(
            "held", "The order is held: release it first, or change its Stage in the same call.", order.open_missing
        )
    if wanted.release and not order.is_held:
        if was_held:
            return order  # complete by the present settings, so it has the defaults already
        raise Refused("notHeld", "The order is not held, so there is nothing to release.")
    order = _with_override(order, wanted, person)
    if order.open_missing:
        fields = ", ".join(item.field for item in order.open_missing)
        raise Refused("incomplete", f"The order is incomplete: {fields}.", order.open_missing)
    if order.differences:
        fields = ", ".join(item.field for item in order.differences)
        raise Refused(
            "differsFromAmazon",
            f"Amazon says something else than what was typed: {fields}. Type the right value, send keepTyped or null.",
            order.differences,
        )
    return person.judged(_let_go(order, wanted, person))


def _with_override(order: Order, wanted: Wanted, person: _Person) -> Order:
    if wanted.override is None:
        return order
    # Also those that an order let go is only told of: the administrator has seen them.
    places = unsettled(order.edits, order.amazon, order.news)
    if not (order.is_incomplete or places):
        raise Refused("nothingToOverride", "Nothing is missing, so there is nothing to override.")
    missing = order.open_missing
    fields = tuple(dict.fromkeys(item.field for item in (*missing, *find_differences(places, order.edits))))
    # A doubt and a request to cancel are answered, not accepted for ever: Amazon may raise the next one.
    answered = [item.field for item in missing if item.field in ANSWERED_ANEW]
    accepted = [
        Accepted(field=item.field, reason=item.reason, parts=item.parts)
        for item in missing
        if item.field not in ANSWERED_ANEW
    ]
    edits = order.edits.settling(places, order.amazon)
    if answered:
        edits = edits.confirming(tuple(dict.fromkeys((*edits.confirmed, *answered))), order.amazon)
    kept = _with_edits(order, edits, places)
    return person.judged(
        kept.with_(
            accepted=tuple(dict.fromkeys((*order.accepted, *accepted))),
            override=Override(by=person.by, at=person.at, reason=wanted.override, fields=fields),
        )
    )


def _let_go(order: Order, wanted: Wanted, person: _Person) -> Order:
    """The order with the decisions to send it, and without the hold that they end."""
    decided = order.decisions
    shown: dict[str, object] = {}
    if wanted.stage is not None:
        decided = decided.with_(stage=StageDecision(by=person.by, at=person.at, stage=wanted.stage))
        shown["stage"] = wanted.stage
    if wanted.three_pl_status is not None and not wanted.stops_transfer:
        decided = decided.with_(three_pl_status=person.chose(wanted.three_pl_status))
        shown["three_pl_status"] = wanted.three_pl_status
        if wanted.three_pl_status is ThreePlStatus.NOW and decided.dispatch and not decided.dispatch.is_sent:
            decided = decided.with_(dispatch=None)
    if wanted.fully_dispatched:
        decided = decided.with_(dispatch=person.said_sent(wanted.fully_dispatched))
        shown |= {"dispatched_by": "person", "fully_dispatched_at": wanted.fully_dispatched}
    if not (wanted.ends_hold and order.is_held):
        return order.with_(decisions=decided, **shown)
    if decided.three_pl_status is None and not wanted.release:
        # Nobody asked for more: it stays at Do Not Transfer, where it was.
        decided = decided.with_(three_pl_status=person.chose(ThreePlStatus.DO_NOT_TRANSFER, is_implied=True))
    return person.granted(order.with_(hold=None, decisions=decided.with_(hold=None)))


# After the hand-over ------------------------------------------------------------------------------------------------


def _after_the_hand_over(order: Order, wanted: Wanted, person: _Person) -> Order:
    """People may only say whether the warehouse sent it, and take back what it could not pick."""
    current = person.judged(order)
    _refuse_redacted(current)
    _refuse_a_status_of_the_warehouse(wanted)
    if current.three_pl_status is ThreePlStatus.WITH_ERRORS and wanted.three_pl_status is not None:
        return _back_from_the_warehouse(current, wanted, person)
    only_dispatch = wanted == Wanted(fully_dispatched=wanted.fully_dispatched)
    if only_dispatch and wanted.fully_dispatched:
        return _reported_sent(current, wanted.fully_dispatched, "person", person)
    if only_dispatch and wanted.fully_dispatched is False and current.is_reported_sent:
        if current.amazon.is_shipped:
            raise Refused("shipped", "Amazon says that the order was shipped.")
        not_sent = current.decisions.with_(dispatch=person.said_not_sent())
        return person.judged(current.with_(decisions=not_sent, **_UNDONE))
    raise Refused("alreadyTransferred", "The warehouse has the order already.")


def _reported_sent(order: Order, sent_at: datetime, dispatched_by: DispatchedBy, person: _Person) -> Order:
    _refuse_a_dispatch_before_the_order(order, sent_at)
    if order.is_reported_sent:
        return order
    reported = order.decisions.with_(dispatch=person.said_sent(sent_at, is_reported=True))
    return person.judged(order.with_(decisions=reported, dispatched_by=dispatched_by, fully_dispatched_at=sent_at))


def _back_from_the_warehouse(order: Order, wanted: Wanted, person: _Person) -> Order:
    """The order is ours again, its waiting dispatch is undone, and it is judged before anything else.

    An incomplete order is held then: Do Not Transfer lands on it all the same, any other 3PL Status is refused.
    """
    _refuse_closed(order)
    if order.is_reported_sent:
        raise Refused("alreadyDispatched", "Somebody reported that the order was sent: it cannot be taken back.")
    decided = order.decisions
    if decided.dispatch and decided.dispatch.is_sent:
        decided = decided.with_(dispatch=None)
    ours = order.with_(
        three_pl_status=ThreePlStatus.DO_NOT_TRANSFER,
        decisions=decided.with_(three_pl_status=None),
        granted=_without_dispatch(order),
        parcel=None,
        handed_over_digest=None,
        warehouse_error=None,
        **_UNDONE,
    )
    current = _taken_back(person.judged(_stopped(ours, wanted, person)), wanted, person)
    return _sent_on(current, wanted, person, was_held=False)


def _bare(override: Override | None) -> Override | None:
    """Without its reason: free text may hold a buyer's data."""
    return override.model_copy(update={"reason": REDACTED}) if override else None

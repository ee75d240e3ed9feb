"""The changes that people, the warehouse and the clock make to an order: each returns the changed order, or refuses.

Every change is judged in the same step. So the answer carries the new verdict, and no later verdict on the same data
overturns a person's choice. Nothing here writes: `OrderStore.save` lands a change on the revision it was made on.
"""

from collections.abc import Sequence, Set
from datetime import datetime
from typing import Literal

from needs_attention.orders.checks import CHECKS
from needs_attention.orders.edits import UNITS, Edits, Unit
from needs_attention.orders.order import TIME_IS_OVER, Accepted, Hold, Missing, Order, Override, Redaction
from needs_attention.orders.settings import NEEDS_ATTENTION, Settings, ThreePlStatus
from needs_attention.orders.verdict import digest, dispatches_at_once, judged
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


class Wanted(Value):
    """A person's wishes for an order, apart from edits. None leaves a thing as it is.

    `fully_dispatched` is the time of dispatch; `False` takes it back. `override` is an administrator's reason to let
    the order go although fields are missing.
    """

    stage: str | None = None
    three_pl_status: ThreePlStatus | None = None
    fully_dispatched: UtcTime | Literal[False] | None = None
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
    def lets_out(self) -> bool:
        return bool(self.fully_dispatched) or self.three_pl_status not in {None, ThreePlStatus.DO_NOT_TRANSFER}

    @property
    def asks_for_something(self) -> bool:
        return self.ends_hold or self.holds or self.lets_out or self.three_pl_status is not None


def edit(
    order: Order, units: dict[Unit, object], confirmed: Sequence[str] | None, settings: Settings, at: datetime
) -> Order:
    """Lays people's values over Amazon's (None goes back to Amazon's) and judges the result.

    A redacted order refuses: its data is gone for good.
    """
    check_editable(order)
    edits = order.edits
    for unit in UNITS:
        if unit in units:
            edits = edits.edited(unit, units[unit], order.amazon)
    if confirmed is not None:
        edits = edits.model_copy(update={"confirmed": tuple(confirmed)})
    return judged(order.with_(edits=edits), settings, at)


def check_editable(order: Order) -> None:
    """Raises Refused for a redacted order."""
    if order.redacted_at:
        raise Refused("redacted", "The personal data of this order was removed for good; it cannot be edited.")


def change(order: Order, wanted: Wanted, settings: Settings, *, by: str, at: datetime) -> Order:
    """Brings the verdict up to date, makes the wanted changes if the gate allows them, and judges the result.

    The present settings count: a check that was switched on since the last verdict applies.
    Raises Refused, with the list of missing fields if they are the reason.
    """
    current = judged(_taken_back(order, wanted), settings, at)
    if not wanted.asks_for_something and wanted.fully_dispatched is None:
        return current
    _refuse_closed(current)
    if wanted.holds:
        return judged(_put_on_hold(current, wanted, at), settings, at)
    _refuse_what_is_not_ours(current, wanted)
    if current.hold and wanted.lets_out and not wanted.ends_hold:
        raise Refused(
            "held", "The order is held: release it first, or change its Stage in the same call.", current.open_missing
        )
    if wanted.release and not current.hold:
        if order.hold:
            return current  # complete by the present settings, so it has the defaults already
        raise Refused("notHeld", "The order is not held, so there is nothing to release.")
    current = _with_override(current, wanted, settings, by, at)
    if current.open_missing and (wanted.ends_hold or wanted.lets_out):
        fields = ", ".join(item.field for item in current.open_missing)
        raise Refused("incomplete", f"The order is incomplete: {fields}.", current.open_missing)
    return judged(_let_go(current, wanted, settings, at), settings, at)


def hand_over(order: Order, settings: Settings, *, is_frozen: bool, at: datetime) -> Order:
    """The warehouse takes the order: judged once more, it becomes `Transferred to 3PL for Picking`."""
    check_outflow(order, settings, is_frozen=is_frozen)
    checked = judged(order, settings, at)
    if checked.hold or not checked.is_transferable:
        raise _not_for_the_warehouse(checked)
    return checked.with_(three_pl_status=ThreePlStatus.TRANSFERRED, handed_over_digest=digest(checked, settings))


def picked(order: Order) -> Order:
    """The warehouse has picked the order that it took. Reporting it again changes nothing."""
    check_handed_over(order)
    return order.with_(three_pl_status=ThreePlStatus.PICKED, warehouse_error=None)


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
    """The snooze date has come: the hold is again of the kind that it was, and judged like any other."""
    if order.hold is None or order.hold.kind != "snoozed":
        return order
    held = order.hold.model_copy(update={"kind": "manual" if order.hold.was_manual else "missing", "until": None})
    return judged(order.with_(hold=held, redownload_at=at), settings, at)


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
        handed_over_digest=None,  # with a list of buyers, it would tell which one placed the order
        redacted_at=at,
        redaction=redaction,
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


def _taken_back(order: Order, wanted: Wanted) -> Order:
    """An order that the warehouse could not pick is ours again as soon as a person chooses its 3PL Status."""
    is_wanted_back = wanted.three_pl_status is not None and not wanted.three_pl_status.is_handed_over
    if order.three_pl_status is not ThreePlStatus.WITH_ERRORS or not is_wanted_back:
        return order
    return order.with_(three_pl_status=ThreePlStatus.DO_NOT_TRANSFER, handed_over_digest=None, warehouse_error=None)


def _refuse_closed(order: Order) -> None:
    closed = {
        "redacted": (order.redacted_at is not None, "Its personal data was removed for good."),
        "alreadyTransferred": (order.is_handed_over, "The warehouse has the order already."),
        "void": (order.voided_at is not None or order.amazon.is_cancelled, "The order is void: it was cancelled."),
        "shipped": (order.amazon.is_shipped, "Amazon says that the order was shipped."),
        "draft": (order.amazon.is_pending, "The order is a draft: Amazon has not released it yet."),
    }
    for code, (applies, message) in closed.items():
        if applies:
            raise Refused(code, message)


def _refuse_what_is_not_ours(order: Order, wanted: Wanted) -> None:
    if wanted.three_pl_status is not None and wanted.three_pl_status.is_handed_over:
        raise Refused("onlyTheWarehouse", f"Only the warehouse sets 3PL Status {wanted.three_pl_status}.")
    if order.amazon.is_fulfilled_by_amazon and wanted.lets_out:
        raise Refused("fulfilledByAmazon", "Amazon fulfils this order: it is not ours to dispatch or transfer.")
    if wanted.fully_dispatched and wanted.fully_dispatched < order.amazon.created_at:
        raise Refused("dispatchedBeforeOrdered", "The order cannot have been dispatched before it was placed.")


def _put_on_hold(order: Order, wanted: Wanted, at: datetime) -> Order:
    if wanted.lets_out or wanted.ends_hold:
        raise Refused("contradiction", "An order cannot be put on hold and let go in one call.")
    if order.dispatched_by is not None:
        raise Refused("alreadyDispatched", "The order is dispatched: it can no longer be put on hold.")
    hold = order.hold or Hold(kind="manual", since=at)
    if wanted.snooze_until is not None:
        until = _not_past_ship_by(order, wanted.snooze_until)
        was_manual = order.hold is not None and (hold.kind == "manual" or hold.was_manual)
        hold = hold.model_copy(update={"kind": "snoozed", "until": until, "was_manual": was_manual})
    elif hold.kind == "snoozed":
        hold = hold.model_copy(update={"kind": "manual", "until": None})
    return order.with_(hold=hold, stage=NEEDS_ATTENTION, three_pl_status=ThreePlStatus.DO_NOT_TRANSFER)


def _not_past_ship_by(order: Order, until: datetime) -> datetime:
    if order.amazon.ship_by is not None and until > order.amazon.ship_by:
        raise Refused("pastShipBy", "An order cannot be snoozed past its ship-by deadline.")
    return until


def _with_override(order: Order, wanted: Wanted, settings: Settings, by: str, at: datetime) -> Order:
    if wanted.override is None:
        return order
    missing = order.open_missing
    if not missing:
        raise Refused("nothingToOverride", "Nothing is missing, so there is nothing to override.")
    override = Override(by=by, at=at, reason=wanted.override, fields=tuple(item.field for item in missing))
    changed = {item.field for item in missing if item.reason == "changedAtAmazon"}
    accepted = [
        Accepted(field=item.field, reason=item.reason, parts=item.parts)
        for item in missing
        if item.field not in changed
    ]
    kept = order.with_(
        accepted=tuple(dict.fromkeys((*order.accepted, *accepted))),
        edits=_kept_over_amazons(order, changed),
        override=override,
    )
    return judged(kept, settings, at)


def _kept_over_amazons(order: Order, fields: Set[str]) -> Edits:
    """The edits of these fields stand over Amazon's present values; the next difference is a change again."""
    edits = order.edits
    for unit in {check.unit for check in CHECKS if check.unit and check.field in fields}:
        edits = edits.edited(unit, getattr(edits, unit), order.amazon)
    return edits


def _let_go(order: Order, wanted: Wanted, settings: Settings, at: datetime) -> Order:
    changes: dict[str, object] = {}
    if wanted.release:
        changes |= {"stage": settings.default_stage, "three_pl_status": settings.default_three_pl_status}
        if order.amazon.is_fulfilled_by_amazon:
            changes["three_pl_status"] = ThreePlStatus.DO_NOT_TRANSFER
        elif dispatches_at_once(order, settings):
            changes |= {"dispatched_by": "us", "fully_dispatched_at": at}
    if wanted.ends_hold:
        changes |= {"hold": None, "redownload_at": None}
    if wanted.stage is not None:
        changes["stage"] = wanted.stage
    if wanted.three_pl_status is not None:
        changes["three_pl_status"] = wanted.three_pl_status
    if wanted.fully_dispatched is False:
        changes |= {"dispatched_by": None, "fully_dispatched_at": None}
    elif wanted.fully_dispatched is not None:
        changes |= {"dispatched_by": "person", "fully_dispatched_at": wanted.fully_dispatched}
    return order.with_(**changes)


def _bare(override: Override | None) -> Override | None:
    """Without its reason: free text may hold a buyer's data."""
    return override.model_copy(update={"reason": REDACTED}) if override else None

"""The package beside the model: a stored item as an order of the package, and the acts as calls of its gate."""

from datetime import timedelta
from functools import cache
from typing import Any, NamedTuple

from needs_attention.orders import gate
from needs_attention.orders.alerts import CAME_BACK, CANCEL_REQUESTED, CANCELLED, difference
from needs_attention.orders.alerts import MISSING as LACKING
from needs_attention.orders.amazon_order import Address, LineItem
from needs_attention.orders.checks import RULES
from needs_attention.orders.completeness import find_missing
from needs_attention.orders.decisions import (
    Decisions,
    DispatchDecision,
    Granted,
    StageDecision,
    ThreePlDecision,
)
from needs_attention.orders.decisions import (
    HoldDecision as Held,
)
from needs_attention.orders.edits import BUYER_REQUESTED_CANCEL, FULFILLMENT_UNKNOWN, Edits, PersonsName, typed_against
from needs_attention.orders.equivalence import NO_GOODS, plain, plain_goods
from needs_attention.orders.gate import Refused, Wanted
from needs_attention.orders.order import DIFFERS, Accepted, DispatchedBy, Hold, Missing, Order
from needs_attention.orders.order import Parcel as RealParcel
from needs_attention.orders.parcel import earlier_fingerprint, parcel_now, told_now
from needs_attention.orders.settings import NEEDS_ATTENTION, Checks, ThreePlStatus
from needs_attention.orders.settings import Settings as RealSettings
from needs_attention.orders.verdict import judged
from tests.model.decisions.item import (
    ALERT_ASKED_TO_CANCEL,
    ALERT_BACK,
    ALERT_CANCELLED,
    ALERT_CHANGED,
    ALERT_LATE_VALUE,
    ALERT_MISSING,
    BLANK,
    MISSING_ANSWER,
    MISSING_CONFIRMATION,
    MISSING_LINES,
    MISSING_NUMBER,
    MISSING_X,
    NO_ITEM,
    ORDERED,
    Dispatched,
    HoldDecision,
    Item,
    Line,
    Parcel,
    Settings,
    TypedLine,
    is_handed_over,
)
from tests.model.decisions.item import (
    DispatchDecision as Sent,
)
from tests.model.decisions.lines import goods_of, is_cancelled_under_typed
from tests.model.decisions.people import TYPED_LINES, Act
from tests.model.values import Stage, Status, ThreePl
from tools.builders import NOON, a_line, an_amazon_order

LINES = ("90001", "90002")
PHONE = "+1 503 555 0100"
NAME_OF = {BLANK: None, 1: "Ada One", 2: "Bo Two", 3: "Cy Three"}
WHO = {"by": "ada", "at": NOON - timedelta(hours=1)}
NOW = NOON + timedelta(minutes=30)
DEFAULT, OWN = "default", "own"
THREE_PL = {
    ThreePl.DO_NOT_TRANSFER: ThreePlStatus.DO_NOT_TRANSFER,
    ThreePl.UPON_COMPLETION: ThreePlStatus.UPON_COMPLETION,
    ThreePl.NOW: ThreePlStatus.NOW,
    ThreePl.TRANSFERRED: ThreePlStatus.TRANSFERRED,
    ThreePl.WITH_ERRORS: ThreePlStatus.WITH_ERRORS,
    ThreePl.PICKED: ThreePlStatus.PICKED,
}
STAGE = {Stage.NONE: None, Stage.NEEDS_ATTENTION: NEEDS_ATTENTION, Stage.DEFAULT: DEFAULT, Stage.OWN: OWN}
ALERTS = {
    ALERT_CANCELLED: "CancelledAfter{when}",
    ALERT_ASKED_TO_CANCEL: "CancelRequestedAfter{when}",
    ALERT_CHANGED: "ChangedAfter{when}",
    ALERT_MISSING: "IncompleteAfter{when}",
    ALERT_LATE_VALUE: "DiffersFromAmazon",
    ALERT_BACK: "CameBack",
}
DISPATCHED: dict[Dispatched, DispatchedBy | None] = {
    Dispatched.NO: None,
    Dispatched.BY_US: "us",
    Dispatched.BY_AMAZON: "amazon",
    Dispatched.BY_PERSON: "person",
    Dispatched.REPORTED: "warehouse",
}


def settings_of(settings: Settings) -> RealSettings:
    return RealSettings(
        default_stage=DEFAULT,
        default_three_pl_status=THREE_PL[settings.default_three_pl],
        auto_dispatch_orders=settings.auto_dispatch,
        checks=Checks(names=settings.checks_x),
    )


def order_of(item: Item) -> Order:
    """The order that the item stands for; `x` is the recipient's name, `y` a phone."""
    amazon = an_amazon_order(
        recipient_name=NAME_OF[item.amazon_x],
        buyer_name=None,
        line_items=_lines_of(item),
        fulfillment_status=item.status.value,
        came_back_from="shipped" if item.was_elsewhere else None,
        doubts=1,
        fulfilled_by="AMAZON" if item.is_fba else "MERCHANT",
    )
    is_redacted = {"redacted_at": NOON} if item.is_redacted else {}
    order = Order.first_seen("acme-na", amazon.redacted() if item.is_redacted else amazon, NOON)
    return order.with_(
        pending_since=NOON if item.is_pending else None,
        judged_at=NOON if item.is_judged else None,
        hold=Hold(since=NOON) if item.is_held else None,
        edits=Edits(
            name=_typed(item.typed_x),
            line_items=_typed_lines(item.typed_line),
            delivery_address=Address(phone=PHONE) if item.typed_y else None,
            confirmed=_confirmed_of(item),
            confirmed_doubt=1 if item.confirmed_ours else None,
            answered_requests=LINES[: item.answered_requests],
            settled=_settled_of(item),
        ),
        news=(*(("lineItems",) if is_cancelled_under_typed(item) else ()), *(("name",) if item.news else ())),
        decisions=_decisions_of(item),
        granted=_granted_of(item),
        missing=_missing_of(item.missing),
        accepted=tuple(Accepted(field=one.field, reason=one.reason) for one in _missing_of(item.accepted)),
        stage=STAGE[item.stage],
        three_pl_status=THREE_PL[item.three_pl],
        dispatched_by=DISPATCHED[item.dispatched],
        fully_dispatched_at=NOON if item.dispatched else None,
        voided_at=NOON if item.is_void else None,
        alerts=_alerts_of(item),
        told=_told_of(item),
        apart_until=None if item.is_earlier else order.revision,
        rules=None if item.is_earlier else RULES,
        parcel=_parcel_of(item.parcel) if item.parcel and not item.parcel.is_earlier else None,
        handed_over_digest=_digest_of(item.parcel) if item.parcel and item.parcel.is_earlier else None,
        **is_redacted,
    )


def _typed(x: int) -> PersonsName | None:
    first, _, last = (NAME_OF[x] or "").partition(" ")
    return PersonsName(first_name=first, last_name=last) if x else None


def _typed_lines(typed: TypedLine) -> tuple[LineItem, ...] | None:
    if typed is TypedLine.NONE:
        return None
    return tuple(a_line(order_item_id=line if typed is TypedLine.NAMED else None) for line in LINES)


def _settled_of(item: Item) -> dict[str, str]:
    settled = {"name": plain(NAME_OF[item.settled])} if item.typed_x else {}
    if item.typed_line is not TypedLine.NONE:
        settled["lineItems"] = NO_GOODS if item.settled_without_goods else plain_goods(_lines())
    return settled


def _alerts_of(item: Item) -> tuple[str, ...]:
    when = "HandOver" if is_handed_over(item) else "Dispatch"
    return tuple(name.format(when=when) for bit, name in ALERTS.items() if item.alerts & bit)


def _told_of(item: Item) -> tuple[str, ...]:
    told = item.told
    pieces = (
        *((CANCELLED,) if told.is_cancelled else ()),
        *(f"{CANCEL_REQUESTED} {line}" for line in LINES[item.answered_requests : told.requests]),
        *((f"{CAME_BACK} 1",) if told.is_back else ()),
        *(f"{LACKING} {one.field}" for one in _missing_of(told.missing)),
        *((difference("name", plain(NAME_OF[told.late_x])),) if told.late_x else ()),
        *((difference("lineItems", NO_GOODS),) if told.late_cancellation else ()),
    )
    return tuple(sorted(pieces))


@cache
def _parcel_of(parcel: Parcel) -> RealParcel:
    left = _order_as_it_left(*parcel.left, parcel.took)
    return told_now(_order_as_it_left(*parcel.told, parcel.took), parcel_now(left, RealSettings()), RealSettings())


@cache
def _digest_of(parcel: Parcel) -> str:
    return earlier_fingerprint(_order_as_it_left(*parcel.left, ORDERED), RealSettings())


def _order_as_it_left(x: int, goods: int, took: int) -> Order:
    """With these goods, and so many of them left to send; for none, nobody knows how many."""
    is_typed = goods == goods_of(NO_ITEM._replace(typed_line=TypedLine.NAMELESS))
    left = Line(took) if took and not is_typed else Line()
    amazon = an_amazon_order(
        recipient_name=NAME_OF[x],
        buyer_name=None,
        line_items=_lines(line=left) if goods else (),
        fulfillment_status=Status.UNSHIPPED.value if took else Status.PARTLY_SHIPPED.value,
    )
    order = Order.first_seen("acme-na", amazon, NOON)
    return order.with_(edits=Edits(line_items=_typed_lines(TypedLine.NAMELESS))) if is_typed else order


def _lines_of(item: Item) -> tuple[LineItem, ...]:
    return _lines(item.cancel_requests, item.line) if item.amazon_lines else ()


@cache
def _lines(cancel_requests: int = 0, line: Line = NO_ITEM.line) -> tuple[LineItem, ...]:
    """The model's line stands for two, which differ in the requests to cancel them."""
    return tuple(
        a_line(
            order_item_id=order_item_id,
            quantity=ORDERED,
            quantity_unfulfilled=line.unfulfilled,
            is_cancelled=line.is_cancelled or None,
            asked_to_cancel=number < cancel_requests or None,
        )
        for number, order_item_id in enumerate(LINES)
    )


def _confirmed_of(item: Item) -> tuple[str, ...]:
    answered = (BUYER_REQUESTED_CANCEL,) if item.answered_requests else ()
    return (*answered, FULFILLMENT_UNKNOWN) if item.confirmed_ours else answered


def _decisions_of(item: Item) -> Decisions:
    hold = {
        HoldDecision.NONE: None,
        HoldDecision.MANUAL: Held(**WHO),
        HoldDecision.SNOOZED: Held(**WHO, until=NOON + timedelta(hours=1)),
        HoldDecision.SNOOZED_OVER_MANUAL: Held(**WHO, until=NOON + timedelta(hours=1), was_manual=True),
    }
    dispatch = {
        Sent.NONE: None,
        Sent.SENT: DispatchDecision(**WHO, sent_at=NOON),
        Sent.NOT_SENT: DispatchDecision(**WHO),
    }[item.decided_dispatch]
    if item.dispatched is Dispatched.REPORTED:
        dispatch = DispatchDecision(**WHO, sent_at=NOON, is_reported=True)
    three_pl = item.decided_three_pl
    return Decisions(
        stage=StageDecision(**WHO, stage=OWN) if item.decided_stage else None,
        three_pl_status=None if three_pl is None else ThreePlDecision(**WHO, three_pl_status=THREE_PL[three_pl]),
        dispatch=dispatch,
        hold=hold[item.decided_hold],
    )


def _granted_of(item: Item) -> Granted | None:
    if not item.is_granted:
        return None
    return Granted(
        stage=DEFAULT,
        three_pl_status=THREE_PL[item.granted_three_pl],
        is_dispatched=item.granted_dispatch is not Dispatched.NO,
        at=NOON,
    )


def _missing_of(bits: int) -> tuple[Missing, ...]:
    found = (
        ("firstName", "blank", MISSING_X),
        ("lastName", "blank", MISSING_X),
        ("lineItems", "blank", MISSING_LINES),
        ("lineItems", "noProduct", MISSING_NUMBER),
        (BUYER_REQUESTED_CANCEL, "asked", MISSING_ANSWER),
        (FULFILLMENT_UNKNOWN, "cameBack", MISSING_CONFIRMATION),
    )
    return tuple(
        Missing(field=field, reason=reason, first_missing_at=NOON) for field, reason, bit in found if bits & bit
    )


class Outcome(NamedTuple):
    """Of an order, everything that the model and the code both know."""

    state: str
    hold: HoldDecision
    stage: str | None
    three_pl: ThreePlStatus
    dispatched: bool | str
    decided_stage: bool
    decided_three_pl: ThreePlStatus | None
    decided_dispatch: str
    granted: tuple[ThreePlStatus, bool] | None
    missing: frozenset[tuple[str, bool]]
    """The missing fields, and whether it is a number that nobody knows."""
    news: tuple[str, ...]
    answered: tuple[str, ...]
    is_confirmed: bool
    settled: str
    is_void: bool
    is_pending: bool
    alerts: frozenset[str]
    told: tuple[str, ...]
    parcel: RealParcel | None


def outcome_of_item(item: Item) -> Outcome:
    return outcome_of(order_of(item))


def outcome_of(order: Order) -> Outcome:
    decided = order.decisions
    hold = HoldDecision.NONE
    if decided.hold:
        snoozed = HoldDecision.SNOOZED_OVER_MANUAL if decided.hold.was_manual else HoldDecision.SNOOZED
        hold = HoldDecision.MANUAL if decided.hold.kind == "manual" else snoozed
    reported = order.is_reported_sent and order.is_handed_over
    by = "reported" if reported and order.dispatched_by in {"person", "warehouse"} else order.dispatched_by
    dispatch = decided.dispatch
    return Outcome(
        state="held" if order.hold else "letGo" if order.judged_at else "new",
        hold=hold,
        stage=order.stage,
        three_pl=order.three_pl_status,
        dispatched=by or False,
        decided_stage=decided.stage is not None,
        decided_three_pl=decided.three_pl_status.three_pl_status if decided.three_pl_status else None,
        decided_dispatch="" if dispatch is None or dispatch.is_reported else "sent" if dispatch.is_sent else "notSent",
        granted=(order.granted.three_pl_status, order.granted.is_dispatched) if order.granted else None,
        missing=frozenset((one.field, one.reason == "noProduct") for one in order.missing if one.reason != DIFFERS),
        news=order.news,
        answered=order.edits.answered_requests or (),
        is_confirmed=order.edits.confirmed_doubt == order.amazon.doubts,
        settled=order.edits.settled.get("name", "") if "name" in typed_against(order.edits, order.amazon) else "",
        is_void=order.voided_at is not None,
        is_pending=order.is_pending,
        alerts=frozenset(alert.replace("HandOver", "Dispatch") for alert in order.alerts),
        told=order.told,
        parcel=order.parcel,
    )


def judged_by_the_package(item: Item, settings: Settings) -> Outcome:
    return outcome_of(judged(order_of(item), settings_of(settings), NOW))


def taken_by_the_warehouse(item: Item, settings: Settings) -> Outcome | None:
    """The order once the warehouse took it; None where the gate refuses."""
    try:
        return outcome_of(gate.hand_over(order_of(item), settings_of(settings), is_frozen=False, at=NOW))
    except Refused:
        return None


def _lists(order: Order, settings: RealSettings, field: str) -> bool:
    return any(one.field == field for one in find_missing(order.amazon, order.edits, settings))


_WISHES: dict[Act, dict[str, Any]] = {
    Act.DO_NOT_TRANSFER: {"three_pl_status": ThreePlStatus.DO_NOT_TRANSFER},
    Act.UPON_COMPLETION: {"three_pl_status": ThreePlStatus.UPON_COMPLETION},
    Act.NOW: {"three_pl_status": ThreePlStatus.NOW},
    Act.HOLD: {"stage": NEEDS_ATTENTION},
    Act.SNOOZE: {"snooze_until": NOON + timedelta(hours=1)},
    Act.NOT_SENT: {"fully_dispatched": False},
    Act.SENT: {"fully_dispatched": NOON},
    Act.RELEASE: {"release": True},
    Act.STAGE: {"stage": OWN},
    Act.CLEAR_STAGE: {"taken_back": frozenset({"stage"})},
    Act.CLEAR_THREE_PL: {"taken_back": frozenset({"three_pl_status"})},
    Act.CLEAR_DISPATCH: {"taken_back": frozenset({"fully_dispatched"})},
}


def performed_by_the_package(act: Act, item: Item, settings: Settings) -> Outcome | None:
    """The order after the act; None where the gate refuses."""
    order, real = order_of(item), settings_of(settings)
    try:
        match act:
            case Act.TYPE_X_1 | Act.TYPE_X_2:
                typed = dict(_typed(1 if act is Act.TYPE_X_1 else 2) or {})
                after = gate.edit(order, {"name": {**typed}}, None, real, NOW)
            case Act.CLEAR_X:
                after = gate.edit(order, {"name": {"first_name": None, "last_name": None}}, None, real, NOW)
            case Act.TYPE_Y | Act.CLEAR_Y:
                phone = PHONE if act is Act.TYPE_Y else None
                after = gate.edit(order, {"delivery_address": {"phone": phone}}, None, real, NOW)
            case Act.KEEP_TYPED:
                after = gate.edit(order, {}, None, real, NOW, kept=["name", "line_items"])
            case Act.TYPE_LINE | Act.TYPE_NAMELESS_LINE | Act.CLEAR_LINES:
                after = gate.edit(order, {"line_items": _typed_lines(TYPED_LINES[act])}, None, real, NOW)
            case Act.CLOSE_ALERTS:
                after = gate.close_alerts(order, order.alerts, by="ada", at=NOW)
            case Act.CONFIRM:
                asked = [one for one in (BUYER_REQUESTED_CANCEL, FULFILLMENT_UNKNOWN) if _lists(order, real, one)]
                confirmed = tuple(dict.fromkeys((*order.edits.confirmed, *asked)))
                after = gate.edit(order, {}, confirmed, real, NOW)
            case Act.OVERRIDE:
                is_held = judged(order, real, NOW).is_held
                wanted = Wanted(release=is_held, override="it is right")
                after = gate.change(order, wanted, real, by="ada", at=NOW)
            case _:
                after = gate.change(order, Wanted(**_WISHES[act]), real, by="ada", at=NOW)
    except Refused:
        return None
    return outcome_of(after)

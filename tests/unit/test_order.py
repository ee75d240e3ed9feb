"""An order: what follows from its state, when it is redacted, and that all of it can be stored."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from needs_attention.amazon.order_json import read_order
from needs_attention.integrations.stages import Stage
from needs_attention.orders.decisions import DispatchDecision, ThreePlDecision
from needs_attention.orders.order import (
    DIFFERS,
    LONGEST_DELIVERY,
    ClosedAlert,
    Held,
    Hold,
    LastChange,
    Missing,
    Order,
    Override,
    Parcel,
    TakenLine,
)
from needs_attention.orders.settings import NEEDS_ATTENTION, Settings, ThreePlStatus
from needs_attention.values.model import Value
from tools.builders import (
    CREATED,
    DELIVER_BY,
    LATER,
    LATER_STILL,
    NOON,
    SHIP_BY,
    a_held_order,
    a_judged_order,
    a_line,
    a_raw_order,
    a_typed_name,
    accepting,
    an_address,
    an_amazon_order,
    an_order,
    by_hand,
    decided,
    dollars,
    edited,
    snoozed,
)

AN_EDIT: dict[str, Any] = {
    "name": a_typed_name(),
    "email": "typed@example.com",
    "delivery_address": an_address(line1="1 Typed Street"),
    "billing_address": an_address(line1="1 Typed Street"),
    "line_items": (a_line(seller_sku="TYPED"),),
}


DAY = timedelta(days=1)
EARLIEST = DELIVER_BY - 5 * DAY
ORDERED = CREATED - 20 * DAY
SENT: dict[str, Any] = {"created_at": ORDERED, "fulfillment_status": "SHIPPED", "deliver_by_earliest": EARLIEST}


@pytest.mark.parametrize(
    ("facts", "counts_from"),
    [
        ({}, EARLIEST),
        ({"delivered_at": EARLIEST - 3 * DAY}, EARLIEST - 3 * DAY),
        ({"delivered_at": EARLIEST + DAY}, EARLIEST + DAY),
        ({"delivered_at": DELIVER_BY + 20 * DAY}, DELIVER_BY),  # told of by a late update
        ({"deliver_by_earliest": None, "updated_at": EARLIEST - DAY}, EARLIEST - DAY),
        ({"deliver_by_earliest": None, "updated_at": DELIVER_BY + 20 * DAY}, DELIVER_BY),
        (
            {"deliver_by_earliest": None, "deliver_by": None, "updated_at": ORDERED + 99 * DAY},
            ORDERED + LONGEST_DELIVERY,
        ),
        ({"deliver_by_earliest": ORDERED - 999 * DAY}, ORDERED),  # no parcel comes before it is ordered
        ({"fulfillment_status": "CANCELLED"}, EARLIEST),
        ({"fulfillment_status": "UNSHIPPED", "fulfilled_by": "AMAZON"}, EARLIEST),
    ],
)
def test_the_data_of_an_order_that_is_sent_is_due_26_days_after_its_delivery(
    facts: dict[str, Any], counts_from: datetime
) -> None:
    assert an_order(an_amazon_order(**SENT | facts)).redact_at == counts_from + 26 * DAY


@pytest.mark.parametrize("earliest", [EARLIEST, None])
@pytest.mark.parametrize("latest", [DELIVER_BY, CREATED - 30 * DAY, None])
def test_an_order_sent_late_from_here_is_delivered_after_that(
    earliest: datetime | None, latest: datetime | None
) -> None:
    late = DELIVER_BY + 70 * DAY
    amazon = an_amazon_order(deliver_by_earliest=earliest, deliver_by=latest)
    sent = an_order(amazon, fully_dispatched_at=late, dispatched_by="person")
    assert sent.redact_at == late + 26 * DAY
    reported = sent.with_(amazon=amazon.model_copy(update={"delivered_at": late + DAY}))
    assert reported.redact_at == (late + 26 * DAY)


def test_an_order_that_amazon_calls_shipped_late_counts_from_its_promise() -> None:
    shipped = an_amazon_order(fulfillment_status="SHIPPED", deliver_by_earliest=EARLIEST)
    learnt = an_order(shipped, fully_dispatched_at=DELIVER_BY + DAY, dispatched_by="amazon")
    assert learnt.redact_at == EARLIEST + 26 * DAY


@pytest.mark.parametrize(
    "three_pl_status",
    [ThreePlStatus.UPON_COMPLETION, ThreePlStatus.NOW, ThreePlStatus.TRANSFERRED, ThreePlStatus.PICKED],
)
def test_an_order_that_is_dispatched_but_not_yet_gone_is_still_to_be_sent(three_pl_status: ThreePlStatus) -> None:
    far = NOON + 90 * DAY
    order = an_order(
        an_amazon_order(ship_by=far, deliver_by=None),
        three_pl_status=three_pl_status,
        fully_dispatched_at=NOON,
        dispatched_by="us",
    )
    assert order.redact_at == far + 30 * DAY


@pytest.mark.parametrize("status", ["UNSHIPPED", "PARTIALLY_SHIPPED", "PENDING", None])
def test_an_order_that_is_still_to_be_sent_is_kept_30_days_after_its_ship_by(status: str | None) -> None:
    far = NOON + 200 * DAY
    order = an_order(an_amazon_order(fulfillment_status=status, ship_by=far, deliver_by_earliest=NOON, deliver_by=NOON))
    assert order.redact_at == far + 30 * DAY
    assert order.with_(voided_at=NOON).redact_at == NOON + 26 * DAY


@pytest.mark.parametrize(
    "three_pl_status", [ThreePlStatus.TRANSFERRED, ThreePlStatus.PICKED, ThreePlStatus.WITH_ERRORS]
)
def test_an_order_that_is_with_the_warehouse_is_still_to_be_sent(three_pl_status: ThreePlStatus) -> None:
    order = an_order(an_amazon_order(deliver_by_earliest=CREATED), three_pl_status=three_pl_status)
    assert order.redact_at == SHIP_BY + 30 * DAY


def test_an_order_that_names_no_date_is_kept_until_it_may_have_come() -> None:
    order = an_order(an_amazon_order(ship_by=None, deliver_by_earliest=None, deliver_by=None))
    assert order.redact_at == CREATED + LONGEST_DELIVERY + 26 * DAY


@pytest.mark.parametrize("field", ["ship_by", "deliver_by_earliest", "deliver_by", "delivered_at"])
@pytest.mark.parametrize("status", ["UNSHIPPED", "SHIPPED", "CANCELLED"])
def test_no_date_keeps_an_order_longer_than_400_days(field: str, status: str) -> None:
    facts = {"deliver_by_earliest": None, "deliver_by": None, field: NOON + 36_500 * DAY}
    order = an_order(an_amazon_order(fulfillment_status=status, **facts))
    backlog_and_recovery = 4 * DAY
    assert order.redact_at is not None
    assert order.redact_at + backlog_and_recovery <= CREATED + 400 * DAY


def test_a_redacted_order_is_not_due_again() -> None:
    assert an_order(redacted_at=NOON).redact_at is None


def test_an_order_is_first_seen_with_its_verdict_pending() -> None:
    order = Order.first_seen("acme-na", an_amazon_order(), NOON)

    assert order.is_pending
    assert order.pending_since == order.downloaded_at == NOON
    assert order.order_id == "701-1111111-1111111"
    assert order.integration == "acme-na"
    assert order.revision == 0
    assert order.judged_at is None
    assert order.three_pl_status is ThreePlStatus.DO_NOT_TRANSFER


@pytest.mark.parametrize(
    ("fields", "amazons_status", "shown"),
    [
        ({}, "UNSHIPPED", "Open"),
        ({}, "PENDING", "Draft"),
        ({"fully_dispatched_at": NOON}, "UNSHIPPED", "Dispatched"),
        ({"fully_dispatched_at": NOON}, "PENDING", "Dispatched"),
        ({"voided_at": NOON}, "CANCELLED", "Void"),
        ({"voided_at": NOON, "fully_dispatched_at": NOON}, "CANCELLED", "Void"),
    ],
)
def test_the_status_follows_from_what_happened(fields: dict[str, Any], amazons_status: str, shown: str) -> None:
    assert an_order(an_amazon_order(fulfillment_status=amazons_status), **fields).status == shown


HANDED_OVER = {ThreePlStatus.TRANSFERRED, ThreePlStatus.WITH_ERRORS, ThreePlStatus.PICKED}


@pytest.mark.parametrize("status", ThreePlStatus)
def test_a_pending_order_shows_do_not_transfer_unless_handed_over(
    status: ThreePlStatus,
) -> None:
    pending = an_order(three_pl_status=status)

    assert pending.shown_three_pl_status is (status if status in HANDED_OVER else ThreePlStatus.DO_NOT_TRANSFER)
    assert pending.with_(pending_since=None).shown_three_pl_status is status


@pytest.mark.parametrize(
    ("status", "dispatched", "transferable"),
    [
        (ThreePlStatus.DO_NOT_TRANSFER, True, False),
        (ThreePlStatus.UPON_COMPLETION, False, False),
        (ThreePlStatus.UPON_COMPLETION, True, True),
        (ThreePlStatus.NOW, False, True),
        (ThreePlStatus.TRANSFERRED, True, False),
        (ThreePlStatus.WITH_ERRORS, True, False),
        (ThreePlStatus.PICKED, True, False),
    ],
)
def test_an_order_is_transferable_now_or_upon_its_completion(
    status: ThreePlStatus, dispatched: bool, transferable: bool
) -> None:
    order = a_judged_order(three_pl_status=status, fully_dispatched_at=NOON if dispatched else None)

    assert order.is_transferable is transferable


CLOSED: list[dict[str, Any]] = [
    {"pending_since": NOON},
    {"voided_at": NOON},
    {"redacted_at": NOON},
    {"stage": NEEDS_ATTENTION},
    {"missing": (Missing(field="email", reason="blank"),)},
    {"amazon": an_amazon_order(fulfillment_status="PENDING")},
    {"amazon": an_amazon_order(fulfillment_status="CANCELLED")},
    {"amazon": an_amazon_order(fulfillment_status="SHIPPED")},
    {"amazon": an_amazon_order(fulfilled_by="AMAZON")},
]


@pytest.mark.parametrize("closed", CLOSED, ids=lambda fields: next(iter(fields)))
def test_no_closed_or_held_order_is_transferable(closed: dict[str, Any]) -> None:
    order = a_judged_order(three_pl_status=ThreePlStatus.NOW)

    assert order.is_transferable
    assert not order.with_(**closed).is_transferable


@pytest.mark.parametrize(
    ("dispatched_by", "fulfillable"),
    [("us", True), ("person", True), ("warehouse", True), ("amazon", False), (None, False)],
)
def test_an_order_that_we_dispatched_is_fulfillable(dispatched_by: str | None, fulfillable: bool) -> None:
    order = a_judged_order(
        three_pl_status=ThreePlStatus.DO_NOT_TRANSFER, dispatched_by=dispatched_by, fully_dispatched_at=NOON
    )

    assert order.is_fulfillable is fulfillable


def test_a_transferable_order_is_fulfillable() -> None:
    assert a_judged_order(three_pl_status=ThreePlStatus.NOW).is_fulfillable


@pytest.mark.parametrize(
    "closed", [*CLOSED, {"three_pl_status": ThreePlStatus.TRANSFERRED}], ids=lambda fields: next(iter(fields))
)
def test_no_closed_held_or_handed_over_order_is_fulfillable(closed: dict[str, Any]) -> None:
    order = a_judged_order(dispatched_by="us", fully_dispatched_at=NOON)

    assert order.is_fulfillable
    assert not order.with_(**closed).is_fulfillable


def test_open_missing_leaves_out_what_an_administrator_accepted() -> None:
    missing = (Missing(field="email", reason="blank"), Missing(field="lineItems", reason="blank"))
    order = an_order(missing=missing, accepted=accepting("email"))

    assert [item.field for item in order.open_missing] == ["lineItems"]


def test_a_field_that_differs_is_no_gap_but_keeps_the_order_here() -> None:
    differing = Missing(field="email", reason=DIFFERS)
    order = a_judged_order(three_pl_status=ThreePlStatus.NOW)
    waiting = order.with_(missing=(differing,), accepted=accepting("email"))

    assert (waiting.open_missing, waiting.differences, waiting.is_incomplete) == ((), (differing,), True)
    assert order.is_fulfillable
    assert not waiting.is_fulfillable


def test_accepted_gaps_alone_keep_no_order_here() -> None:
    order = a_judged_order(missing=(Missing(field="email", reason="blank"),), accepted=accepting("email"))

    assert not order.is_incomplete


@pytest.mark.parametrize(
    "order",
    [a_held_order(missing=()), a_judged_order(stage=NEEDS_ATTENTION, decisions=decided(hold=by_hand()))],
    ids=["by a verdict", "by hand"],
)
def test_a_held_order_without_anything_missing_is_ready_to_release(order: Order) -> None:
    assert order.is_ready_to_release
    assert not order.with_(pending_since=NOON).is_ready_to_release
    assert not order.with_(missing=(Missing(field="email", reason="blank"),)).is_ready_to_release
    assert not order.with_(missing=(Missing(field="email", reason=DIFFERS),)).is_ready_to_release


def test_an_order_not_held_or_snoozed_is_not_ready_to_release() -> None:
    assert not a_judged_order().is_ready_to_release
    assert not a_judged_order(stage=NEEDS_ATTENTION, decisions=decided(hold=snoozed(LATER))).is_ready_to_release


# New, held, let go ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "is_new", "is_let_go", "is_held"),
    [
        (an_order(), True, False, False),
        (a_judged_order(), False, True, False),
        (a_held_order(), False, False, True),
        (an_order(decisions=decided(hold=by_hand())), True, False, True),
        (a_judged_order(decisions=decided(hold=by_hand())), False, True, True),
        (a_held_order(decisions=decided(hold=by_hand())), False, False, True),
    ],
    ids=["new", "let go", "held", "new, by hand", "let go, by hand", "held, by hand too"],
)
def test_a_persons_hold_lies_over_what_the_verdicts_decided(
    order: Order, is_new: bool, is_let_go: bool, is_held: bool
) -> None:
    assert (order.is_new, order.is_let_go, order.is_held) == (is_new, is_let_go, is_held)


@pytest.mark.parametrize(
    ("order", "held"),
    [
        (a_judged_order(), None),
        (a_held_order(), Held("missing", NOON)),
        (a_judged_order(decisions=decided(hold=by_hand(at=LATER))), Held("manual", LATER)),
        (a_held_order(decisions=decided(hold=by_hand(at=LATER))), Held("manual", NOON)),
        (a_held_order(decisions=decided(hold=snoozed(LATER_STILL, at=LATER))), Held("snoozed", NOON, LATER_STILL)),
    ],
    ids=["not held", "by a verdict", "by hand", "by both", "snoozed"],
)
def test_people_see_their_own_hold_and_since_when_any_holds(order: Order, held: Held | None) -> None:
    is_held = order.is_held
    assert order.with_(stage=NEEDS_ATTENTION if is_held else "new").held == held


def test_no_hold_is_seen_where_something_hides_it() -> None:
    draft = a_held_order(decisions=decided(hold=by_hand()), stage=None)

    assert draft.is_held
    assert draft.held is None


# Dispatched -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dispatched_by", "status", "waits", "is_real"),
    [
        (None, ThreePlStatus.DO_NOT_TRANSFER, False, False),
        (None, ThreePlStatus.UPON_COMPLETION, False, False),
        ("us", ThreePlStatus.DO_NOT_TRANSFER, False, True),
        ("person", ThreePlStatus.DO_NOT_TRANSFER, False, True),
        ("us", ThreePlStatus.UPON_COMPLETION, True, False),
        ("person", ThreePlStatus.NOW, True, False),
        ("person", ThreePlStatus.TRANSFERRED, False, False),
        ("amazon", ThreePlStatus.DO_NOT_TRANSFER, False, False),
    ],
)
def test_a_dispatch_is_real_unless_it_waits_for_a_transfer(
    dispatched_by: str | None, status: ThreePlStatus, waits: bool, is_real: bool
) -> None:
    order = a_judged_order(dispatched_by=dispatched_by, three_pl_status=status)

    assert (order.waits_for_transfer, order.is_really_dispatched) == (waits, is_real)


@pytest.mark.parametrize("by", ["person", "warehouse"])
def test_a_dispatch_reported_after_the_hand_over_is_real(by: str) -> None:
    reported = decided().with_(dispatch=DispatchDecision(by="ada", at=NOON, sent_at=NOON, is_reported=True))
    order = a_judged_order(dispatched_by=by, three_pl_status=ThreePlStatus.TRANSFERRED, decisions=reported)

    assert order.is_reported_sent
    assert order.is_really_dispatched


def test_neither_a_dispatch_before_nor_one_not_sent_is_reported() -> None:
    not_sent = DispatchDecision(by="ada", at=NOON, is_reported=True)

    assert not a_judged_order().is_reported_sent
    assert not a_judged_order(decisions=decided(sent_at=NOON)).is_reported_sent
    assert not a_judged_order(decisions=decided().with_(dispatch=not_sent)).is_reported_sent


# Stopped --------------------------------------------------------------------------------------------------------------


def test_do_not_transfer_and_not_sent_stop_an_order() -> None:
    not_transferred, not_sent = decided(three_pl_status=ThreePlStatus.DO_NOT_TRANSFER), decided(not_sent=True)

    assert not_transferred.stop
    assert not_transferred.stop == not_transferred.three_pl_status
    assert not_sent.stop
    assert not_sent.stop == not_sent.dispatch


@pytest.mark.parametrize(
    "decisions",
    [
        decided(),
        decided(stage="packing", hold=by_hand()),
        decided(three_pl_status=ThreePlStatus.NOW),
        decided(three_pl_status=ThreePlStatus.UPON_COMPLETION, sent_at=NOON),
    ],
)
def test_no_other_decision_stops_an_order(decisions: Any) -> None:
    assert decisions.stop is None


@pytest.mark.parametrize(("at", "expected"), [(LATER, "three_pl_status"), (NOON, "dispatch")])
def test_of_two_stops_the_later_one_counts(at: Any, expected: str) -> None:
    transfer = ThreePlDecision(by="bo", at=at, three_pl_status=ThreePlStatus.DO_NOT_TRANSFER)
    dispatch = DispatchDecision(by="ada", at=NOON + timedelta(minutes=1))
    both = decided().with_(three_pl_status=transfer, dispatch=dispatch)

    assert both.stop == getattr(both, expected)


# Stored ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        read_order(a_raw_order()),
        an_amazon_order(line_items=None, delivery_address=None),
        an_address(line2="Apt 3"),
        a_line(unit_price=dollars("0.10")),
        dollars("1E+3"),
        edited(an_amazon_order(), confirmed=("email",), **AN_EDIT),
        Missing(field="deliveryAddress", reason="incomplete", parts=("city",), first_missing_at=NOON),
        edited(an_amazon_order(line_items=(a_line(asked_to_cancel=True),)), confirmed=("buyerRequestedCancel",)),
        Hold(since=NOON, after_release=True),
        decided(stage="packing", three_pl_status=ThreePlStatus.NOW, sent_at=NOON, hold=snoozed(LATER, was_manual=True)),
        Parcel(lines=(TakenLine(seller_sku="LAMP-1", quantity=1, quantity_ordered=2),), left="0f", told="0f"),
        ClosedAlert(alert="CameBack", by="ada", at=NOON),
        Override(by="admin@example.com", at=NOON, reason="paid by phone", fields=("email",)),
        LastChange(by="system", at=NOON, cause="download", fields=("buyerEmail",), events=("OrderHeld",)),
        Stage(id="on-hold", name="On Hold"),
        Settings(go_live_date=NOON, default_three_pl_status=ThreePlStatus.NOW),
        a_held_order(last_change=LastChange(by="system", at=NOON, cause="verdict")),
        a_judged_order(fully_dispatched_at=NOON, dispatched_by="us", handed_over_digest="0f", alerts=("A",)),
        a_judged_order(decisions=decided(not_sent=True, hold=by_hand()), news=("email",), apart_until=3),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_value_reads_back_from_its_own_json(value: Value) -> None:
    assert type(value).model_validate_json(value.model_dump_json(by_alias=True)) == value


@pytest.mark.parametrize("status", ["SHIPPED", "UNSHIPPED"])
def test_a_shipped_or_redacted_order_has_no_future(status: str) -> None:
    sent = an_order(an_amazon_order(fulfillment_status=status), pending_since=None, dispatched_by="person")

    assert sent.is_fulfillable == (status == "UNSHIPPED")
    assert not sent.with_(redacted_at=NOON).is_fulfillable


def test_an_order_says_the_same_whenever_it_was_judged() -> None:
    order = an_order()
    assert order.with_(judged_at=NOON).says_the_same_as(order)
    assert not order.with_(stage="packing").says_the_same_as(order)


def test_an_order_knows_what_its_last_change_meant() -> None:
    order = an_order()
    assert not order.was_just("OrderHealed")
    change = LastChange(by="validation", at=NOON, cause="verdict", fields=(), events=("OrderHealed",))
    assert order.with_(last_change=change).was_just("OrderHealed")
    assert not order.with_(last_change=change).was_just("OrderHeld")

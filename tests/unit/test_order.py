"""An order: what follows from its state, when it is redacted, and that all of it can be stored."""

from datetime import timedelta
from typing import Any

import pytest

from needs_attention.amazon.order_json import read_order
from needs_attention.integrations.stages import Stage
from needs_attention.orders.order import LONGEST_DELIVERY, REDACTION_AGE, Hold, LastChange, Missing, Order, Override
from needs_attention.orders.settings import NEEDS_ATTENTION, Settings, ThreePlStatus
from needs_attention.values.model import Value
from tools.builders import (
    CREATED,
    DELIVER_BY,
    LATER,
    NOON,
    a_held_order,
    a_judged_order,
    a_line,
    a_raw_order,
    a_typed_name,
    accepting,
    an_address,
    an_amazon_order,
    an_order,
    dollars,
    edited,
)

AN_EDIT: dict[str, Any] = {
    "name": a_typed_name(),
    "email": "typed@example.com",
    "delivery_address": an_address(line1="1 Typed Street"),
    "billing_address": an_address(line1="1 Typed Street"),
    "line_items": (a_line(seller_sku="TYPED"),),
}


def test_redaction_is_due_some_days_after_the_latest_delivery() -> None:
    assert an_order().redact_at == DELIVER_BY + REDACTION_AGE


def test_without_a_delivery_date_redaction_counts_from_dispatch() -> None:
    order = an_order(an_amazon_order(deliver_by=None), fully_dispatched_at=LATER)

    assert order.redact_at == LATER + REDACTION_AGE


def test_a_late_dispatch_keeps_no_data_longer_than_the_maximum() -> None:
    learnt = CREATED + LONGEST_DELIVERY + timedelta(days=20)
    order = an_order(an_amazon_order(deliver_by=None), fully_dispatched_at=learnt, dispatched_by="amazon")

    assert order.redact_at == CREATED + LONGEST_DELIVERY + REDACTION_AGE


def test_without_any_date_redaction_counts_from_the_longest_delivery() -> None:
    assert an_order(an_amazon_order(deliver_by=None)).redact_at == CREATED + LONGEST_DELIVERY + REDACTION_AGE


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
]


@pytest.mark.parametrize("closed", CLOSED, ids=lambda fields: next(iter(fields)))
def test_no_closed_or_held_order_is_transferable(closed: dict[str, Any]) -> None:
    order = a_judged_order(three_pl_status=ThreePlStatus.NOW)

    assert order.is_transferable
    assert not order.with_(**closed).is_transferable


@pytest.mark.parametrize(
    ("dispatched_by", "fulfillable"), [("us", True), ("person", True), ("amazon", False), (None, False)]
)
def test_an_order_that_we_dispatched_is_fulfillable(dispatched_by: str | None, fulfillable: bool) -> None:
    order = a_judged_order(
        three_pl_status=ThreePlStatus.DO_NOT_TRANSFER, dispatched_by=dispatched_by, fully_dispatched_at=NOON
    )

    assert order.is_fulfillable is fulfillable


def test_a_transferable_order_is_fulfillable() -> None:
    assert a_judged_order(three_pl_status=ThreePlStatus.NOW).is_fulfillable


@pytest.mark.parametrize(
    "closed", [{"pending_since": NOON}, {"voided_at": NOON}, {"three_pl_status": ThreePlStatus.TRANSFERRED}]
)
def test_no_pending_void_or_handed_over_order_is_fulfillable(closed: dict[str, Any]) -> None:
    order = a_judged_order(dispatched_by="us", fully_dispatched_at=NOON)

    assert order.is_fulfillable
    assert not order.with_(**closed).is_fulfillable


def test_open_missing_leaves_out_what_an_administrator_accepted() -> None:
    missing = (Missing(field="email", reason="blank"), Missing(field="lineItems", reason="blank"))
    order = an_order(missing=missing, accepted=accepting("email"))

    assert [item.field for item in order.open_missing] == ["lineItems"]


@pytest.mark.parametrize("kind", ["missing", "manual"])
def test_a_held_order_without_anything_missing_is_ready_to_release(kind: Any) -> None:
    order = a_judged_order(hold=Hold(kind=kind, since=NOON))

    assert order.is_ready_to_release
    assert not order.with_(pending_since=NOON).is_ready_to_release
    assert not order.with_(missing=(Missing(field="email", reason="blank"),)).is_ready_to_release


def test_an_order_not_held_or_snoozed_is_not_ready_to_release() -> None:
    assert not a_judged_order().is_ready_to_release
    assert not a_judged_order(hold=Hold(kind="snoozed", since=NOON, until=LATER)).is_ready_to_release


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
        Hold(kind="snoozed", since=NOON, after_release=True, until=LATER),
        Override(by="admin@example.com", at=NOON, reason="paid by phone", fields=("email",)),
        LastChange(by="system", at=NOON, cause="download", fields=("buyerEmail",), events=("OrderHeld",)),
        Stage(id="on-hold", name="On Hold"),
        Settings(go_live_date=NOON, default_three_pl_status=ThreePlStatus.NOW),
        a_held_order(last_change=LastChange(by="system", at=NOON, cause="verdict")),
        a_judged_order(fully_dispatched_at=NOON, dispatched_by="us", handed_over_digest="0f", alerts=("A",)),
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

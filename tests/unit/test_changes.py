"""The record of a change of an order: who made it, its fields, and the events that it means."""

from datetime import datetime

import pytest

from needs_attention.orders.changes import with_change
from needs_attention.orders.decisions import Decisions
from needs_attention.orders.order import ClosedAlert, Order, Parcel
from needs_attention.orders.parcel import parcel_now
from needs_attention.orders.settings import Settings, ThreePlStatus
from needs_attention.orders.verdict import granted_now
from tools.builders import (
    LATER,
    LATER_STILL,
    NOON,
    a_held_order,
    a_judged_order,
    a_line,
    an_address,
    an_amazon_order,
    an_order,
    by_hand,
    decided,
    edited,
)


def changed(before: Order | None, after: Order, by: str = "ada", at: datetime = LATER) -> Order:
    return with_change(before, after, by=by, at=at, cause="edited")


def last_fields(before: Order | None, after: Order) -> tuple[str, ...]:
    change = changed(before, after).last_change
    assert change is not None
    return change.fields


def last_events(before: Order | None, after: Order, by: str = "ada") -> tuple[str, ...]:
    change = changed(before, after, by).last_change
    assert change is not None
    return change.events


def test_a_change_carries_its_author_time_cause_and_request() -> None:
    order = with_change(None, an_order(), by="ada", at=NOON, cause="downloaded", request_id="r-1")
    change = order.last_change

    assert change is not None
    assert (change.by, change.at, change.cause, change.request_id) == ("ada", NOON, "downloaded", "r-1")
    assert (change.fields, order.revision) == ((), 1)


def test_each_change_is_one_revision_on_and_never_earlier_than_the_last() -> None:
    first = changed(None, an_order(), at=LATER_STILL)
    second = changed(first, first.with_(stage="packing"), at=LATER)

    assert second.revision == 2
    assert second.last_change is not None
    assert (second.last_change.at, second.last_change.request_id) == (LATER_STILL, None)


def test_a_change_names_its_fields_by_their_owner() -> None:
    before = an_order()
    edits = edited(before.amazon, email="typed@example.com")
    amazon = before.amazon.model_copy(update={"buyer_name": "Bo Ortiz"})

    assert last_fields(before, before.with_(stage="packing", edits=edits, amazon=amazon)) == (
        "stage",
        "edits.email",
        "amazon.buyerName",
    )


def test_a_change_names_no_bookkeeping() -> None:
    before = an_order()
    after = before.with_(
        revision=7,
        downloaded_at=LATER,
        pending_since=LATER,
        redownload_at=LATER,
        news=("email",),
        granted=granted_now(before, Settings(), LATER),
        parcel=parcel_now(before, Settings()),
        alerts=("CameBack",),
        is_live=True,
    )

    assert last_fields(before, after) == ()


@pytest.mark.parametrize(
    ("decisions", "field"),
    [
        (decided(stage="packing"), "decisions.stage"),
        (decided(three_pl_status=ThreePlStatus.DO_NOT_TRANSFER), "decisions.threePlStatus"),
        (decided(not_sent=True), "decisions.fullyDispatched"),
        (decided(sent_at=NOON), "decisions.fullyDispatched"),
        (decided(hold=by_hand()), "decisions.hold"),
    ],
)
def test_each_decision_is_named_when_it_is_made_and_taken_back(decisions: Decisions, field: str) -> None:
    before = an_order()
    after = before.with_(decisions=decisions)

    assert last_fields(before, after) == last_fields(after, before) == (field,)


def test_a_decision_of_another_person_is_a_change_of_its_own() -> None:
    ada = decided(three_pl_status=ThreePlStatus.NOW)
    assert ada.three_pl_status is not None
    bo = ada.with_(three_pl_status=ada.three_pl_status.model_copy(update={"by": "bo"}))

    assert last_fields(an_order(decisions=ada), an_order(decisions=bo)) == ("decisions.threePlStatus",)


def test_a_typed_value_that_is_kept_is_named_by_its_unit() -> None:
    amazon = an_amazon_order(buyer_email=None, delivery_address=an_address(line1=None))
    before = an_order(
        edits=edited(amazon, email="typed@example.com", delivery_address={"line1": "9 Larkspur Court"}),
        amazon=an_amazon_order(),
    )
    kept = before.edits.settling(["email", "deliveryAddress.addressLine1"], before.amazon)

    assert last_fields(before, before.with_(edits=kept)) == ("keepTyped.email", "keepTyped.deliveryAddress")


def test_a_value_that_is_typed_or_returns_to_amazons_is_not_kept() -> None:
    before = an_order(edits=edited(an_amazon_order(buyer_email=None), email="typed@example.com"))
    typed, amazons = (before.edits.with_typed("email", text, before.amazon) for text in ("third@example.com", None))

    assert last_fields(before, before.with_(edits=typed)) == ("edits.email",)
    assert last_fields(before, before.with_(edits=amazons)) == ("edits.email",)


@pytest.mark.parametrize("field", ["fulfillmentUnknown", "buyerRequestedCancel"])
def test_a_confirmation_is_named_once_also_if_it_answers_another_doubt(field: str) -> None:
    asked = an_amazon_order(line_items=(a_line(asked_to_cancel=True),), doubts=1)
    again = asked.model_copy(update={"line_items": (a_line(order_item_id="2", asked_to_cancel=True),), "doubts": 2})
    before = an_order(asked)
    once = before.with_(edits=before.edits.confirming([field], asked))

    assert last_fields(before, once) == ("edits.confirmed",)
    assert last_fields(once, once.with_(edits=once.edits.confirming([field], again))) == ("edits.confirmed",)


def test_an_alert_that_a_person_closes_is_named_once() -> None:
    before = an_order(closed_alerts=(ClosedAlert(alert="CameBack", by="ada", at=NOON),))
    changed_too = ClosedAlert(alert="ChangedAfterHandOver", by="ada", at=LATER)
    after = before.with_(closed_alerts=(*before.closed_alerts, changed_too))

    assert last_fields(before, after) == ("closedAlerts.ChangedAfterHandOver",)
    assert last_fields(after, before) == ()  # its cause is over


@pytest.mark.parametrize(
    ("before", "after", "event"),
    [
        (None, a_held_order(), "OrderHeld"),
        (an_order(), a_held_order(), "OrderHeld"),
        (a_held_order(), a_judged_order(), "OrderReleased"),
        (None, a_judged_order(three_pl_status=ThreePlStatus.NOW), "OrderReadyFor3pl"),
        (a_judged_order(), a_judged_order(three_pl_status=ThreePlStatus.TRANSFERRED), "OrderTransferred"),
        (
            a_judged_order(three_pl_status=ThreePlStatus.TRANSFERRED),
            a_judged_order(three_pl_status=ThreePlStatus.PICKED),
            "OrderPicked",
        ),
        (
            a_judged_order(three_pl_status=ThreePlStatus.TRANSFERRED),
            a_judged_order(three_pl_status=ThreePlStatus.WITH_ERRORS),
            "OrderTransferFailed",
        ),
        (an_order(), an_order(fully_dispatched_at=NOON), "OrderDispatched"),
        (an_order(), an_order(voided_at=NOON), "OrderCancelled"),
        (an_order(), an_order(redacted_at=NOON), "OrderRedacted"),
        (an_order(), an_order(alerts=("CancelledAfterDispatch",)), "CancelledAfterDispatch"),
    ],
)
def test_an_event_is_told_once(before: Order | None, after: Order, event: str) -> None:
    assert last_events(before, after) == (event,)
    assert last_events(after, after) == ()


def test_a_hold_by_hand_is_told_as_a_hold_and_as_a_release() -> None:
    free, held = a_judged_order(), a_judged_order(decisions=decided(hold=by_hand()))

    assert last_events(free, held) == ("OrderHeld",)
    assert last_events(held, free) == ("OrderReleased",)


def test_a_hold_by_hand_over_another_is_told_once() -> None:
    held = a_held_order()
    twice = held.with_(decisions=decided(hold=by_hand()))

    assert last_events(held, twice) == ()
    assert last_events(twice, held) == ()


@pytest.mark.parametrize("alert", ["ChangedAfterHandOver", "ChangedAfterDispatch"])
def test_each_further_change_of_a_sent_order_is_told(alert: str) -> None:
    order = a_judged_order(alerts=(alert,), parcel=Parcel(lines=(), left="", told="first"))
    further = order.with_(parcel=Parcel(lines=(), left="", told="second"))

    assert last_events(order, further) == (alert,)
    assert last_events(further, further) == ()


def test_an_alert_that_stays_is_not_told_with_a_further_change() -> None:
    order = a_judged_order(alerts=("CameBack",), parcel=Parcel(lines=(), left="", told="first"))

    assert last_events(order, order.with_(parcel=Parcel(lines=(), left="", told="second"))) == ()


def test_a_record_of_decisions_stays_valid_with_each_revision() -> None:
    apart = changed(None, an_order())
    others = changed(None, an_order(apart_until=None))

    assert (apart.apart_until, changed(apart, apart).apart_until) == (1, 2)
    assert others.apart_until is None


@pytest.mark.parametrize("by", ["amazon", "validation", "clock"])
def test_a_hold_that_no_person_ends_is_healed(by: str) -> None:
    assert last_events(a_held_order(), a_judged_order(), by) == ("OrderHealed",)


def test_a_hold_that_ends_without_a_future_is_neither_healed_nor_released() -> None:
    shipped = a_judged_order(an_amazon_order(fulfillment_status="SHIPPED"))

    assert last_events(a_held_order(), shipped) == ("OrderDispatched",)


def test_an_order_that_is_not_live_is_never_told_as_ready() -> None:
    assert last_events(None, a_judged_order(three_pl_status=ThreePlStatus.NOW, is_live=False)) == ()

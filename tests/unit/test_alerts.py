"""Alerts: Amazon's news that comes too late for the gate. What raises them, and when they end."""

from datetime import timedelta
from typing import Any

import pytest

from needs_attention.orders.amazon_order import Address
from needs_attention.orders.amazon_update import downloaded
from needs_attention.orders.changes import happened
from needs_attention.orders.decisions import DispatchDecision
from needs_attention.orders.edits import Edits
from needs_attention.orders.gate import Wanted, change, close_alerts, edit, hand_over
from needs_attention.orders.order import Order
from needs_attention.orders.parcel import earlier_fingerprint, parcel_now
from needs_attention.orders.settings import Settings, ThreePlStatus
from needs_attention.orders.verdict import judged
from tools.builders import (
    LATER,
    LATER_STILL,
    NOON,
    a_judged_order,
    a_line,
    a_typed_name,
    an_address,
    an_amazon_order,
    an_order,
    by_hand,
    decided,
    edited,
)

BY_DEFAULT = Settings()
OWN_WAREHOUSE = Settings(default_three_pl_status=ThreePlStatus.DO_NOT_TRANSFER, auto_dispatch_orders=True)
TO_THE_WAREHOUSE = Settings(default_three_pl_status=ThreePlStatus.NOW)
LAMP_ASKED = a_line(asked_to_cancel=True)
SHADE_ASKED = a_line(order_item_id="90002", seller_sku="SHADE-1", asin="B0EXAMPLE2", asked_to_cancel=True)
LAMP, SHADE = a_line(), a_line(order_item_id="90002", seller_sku="SHADE-1", asin="B0EXAMPLE2")
TWO_LINES = an_amazon_order(line_items=(LAMP, SHADE))
NOBODY: dict[str, Any] = {"recipient_name": None, "buyer_name": None}


def amazon_sends(order: Order, settings: Settings = BY_DEFAULT, **fields: Any) -> Order:
    """The order after a newer answer of Amazon's with these fields, and the verdict on it."""
    newer = order.amazon.updated_at + timedelta(seconds=1)
    answer = order.amazon.model_copy(update={"updated_at": newer, **fields})
    after = downloaded(order, answer, order.integration, settings, LATER)
    assert after is not None
    return judged(after, settings, LATER)


def handed_over(amazon: Any = None, **fields: Any) -> Order:
    order = a_judged_order(amazon, TO_THE_WAREHOUSE, **fields)
    return hand_over(order, TO_THE_WAREHOUSE, is_frozen=False, at=NOON)


def dispatched(amazon: Any = None) -> Order:
    """An order that left from our own warehouse, by Auto Dispatch."""
    return a_judged_order(amazon, OWN_WAREHOUSE)


def closed(order: Order, *alerts: str) -> Order:
    return close_alerts(order, alerts, by="ada", at=LATER)


# Each sends an order away from here; the second name is the end of its alerts' names.
SENT = [(handed_over, "HandOver"), (dispatched, "Dispatch")]
BY_BOTH = pytest.mark.parametrize(("sent", "when"), SENT, ids=[when for _, when in SENT])


# What is news of the parcel -------------------------------------------------------------------------------------------


@BY_BOTH
@pytest.mark.parametrize(
    "change",
    [
        {"delivery_address": an_address(line1="5 Mill Road")},
        {"delivery_address": an_address(city="Salem")},
        {"delivery_address": an_address(company_name="Quill Works")},
        {"recipient_name": "Bo Quill"},
        {"recipient_name": "Ada Quell"},
        {"buyer_company_name": "Quill Works"},
        {"line_items": (LAMP.model_copy(update={"quantity": 3}), SHADE)},
        {"line_items": (LAMP, SHADE, a_line(order_item_id="90003", seller_sku="BULB-1"))},
    ],
    ids=["street", "city", "company", "first name", "last name", "buyer's company", "more units", "one more line"],
)
def test_another_destination_or_more_goods_raise_an_alert(sent: Any, when: str, change: dict[str, Any]) -> None:
    assert amazon_sends(sent(TWO_LINES), **change).alerts == (f"ChangedAfter{when}",)


@BY_BOTH
@pytest.mark.parametrize(
    "lines",
    [(SHADE,), (LAMP.model_copy(update={"is_cancelled": True}), SHADE), (a_line(quantity=0), SHADE)],
    ids=["gone", "cancelled", "of no units"],
)
def test_a_cancelled_line_raises_an_alert(sent: Any, when: str, lines: Any) -> None:
    assert amazon_sends(sent(TWO_LINES), line_items=lines).alerts == (f"ChangedAfter{when}",)


@BY_BOTH
@pytest.mark.parametrize(
    "change",
    [
        {"line_items": (SHADE, LAMP)},
        {"line_items": (a_line(quantity=1), SHADE)},
        {"line_items": (a_line(quantity_fulfilled=2, quantity_unfulfilled=0), SHADE)},
        {"line_items": (a_line(title="Another title"), SHADE)},
        {"delivery_address": an_address(line1="12  HARBOR Street.", city="portland")},
        {"delivery_address": an_address(state_or_region="Oregon")},
        {"delivery_address": an_address(postal_code="97209-1234")},
        {"delivery_address": an_address(phone="+1 503 555 0199")},
        {"delivery_address": an_address(address_type="COMMERCIAL")},
        {"recipient_name": "ADA QUILL"},
        {"buyer_email": "bo@example.com"},
        {"is_gift": True},
        {},
    ],
    ids=[
        "lines in another order",
        "a lower number",
        "a line that was sent",
        "a title",
        "the street in other letters",
        "the state's name",
        "ZIP+4",
        "a phone",
        "a type of address",
        "the name in capitals",
        "an email",
        "a gift",
        "a time",
    ],
)
def test_what_changes_neither_goods_nor_destination_is_no_alarm(sent: Any, when: str, change: dict[str, Any]) -> None:
    assert amazon_sends(sent(TWO_LINES), **change).alerts == ()


@BY_BOTH
def test_a_change_is_told_once_and_a_further_change_again(sent: Any, when: str) -> None:
    before = sent()
    moved = amazon_sends(before, delivery_address=an_address(line1="5 Other Road"))
    again = amazon_sends(moved, delivery_address=an_address(line1="6 Other Road"))
    same = amazon_sends(again)

    event = f"ChangedAfter{when}"
    assert moved.alerts == again.alerts == same.alerts == (event,)
    assert happened(before, moved, by_a_person=False) == (event,)
    assert happened(moved, again, by_a_person=False) == (event,)
    assert happened(again, same, by_a_person=False) == ()


@BY_BOTH
def test_a_closed_change_is_raised_again_only_for_a_further_one(sent: Any, when: str) -> None:
    event = f"ChangedAfter{when}"
    moved = closed(amazon_sends(sent(), delivery_address=an_address(line1="5 Other Road")), event)
    same = amazon_sends(moved, updated_at=moved.amazon.updated_at + timedelta(hours=1))
    again = amazon_sends(same, delivery_address=an_address(line1="6 Other Road"))

    assert moved.alerts == same.alerts == ()
    assert again.alerts == (event,)
    assert happened(same, again, by_a_person=False) == (event,)


@BY_BOTH
def test_a_further_change_is_raised_right_after_the_first_was_closed(sent: Any, when: str) -> None:
    event = f"ChangedAfter{when}"
    moved = closed(amazon_sends(sent(), delivery_address=an_address(line1="5 Other Road")), event)

    assert amazon_sends(moved, delivery_address=an_address(line1="6 Other Road")).alerts == (event,)


@BY_BOTH
def test_a_lower_number_of_a_line_sent_in_part_is_no_alarm(sent: Any, when: str) -> None:
    del when
    order = sent(an_amazon_order(line_items=(a_line(quantity_unfulfilled=1),)))

    assert amazon_sends(order, line_items=(a_line(quantity=1, quantity_unfulfilled=1),)).alerts == ()


def test_a_dispatch_that_only_waits_for_its_transfer_has_no_parcel_yet() -> None:
    waiting = a_judged_order(settings=Settings(auto_dispatch_orders=True))

    assert waiting.waits_for_transfer
    assert waiting.parcel is None
    assert amazon_sends(waiting, line_items=(a_line(quantity=3),)).alerts == ()


def test_a_dispatch_from_here_leaves_no_fingerprint_of_a_hand_over() -> None:
    assert dispatched().parcel is not None
    assert dispatched().handed_over_digest is None


def test_a_dispatch_taken_back_leaves_no_parcel_behind() -> None:
    taken_back = dispatched().with_(decisions=decided(not_sent=True), dispatched_by=None, fully_dispatched_at=None)

    assert judged(taken_back, OWN_WAREHOUSE, LATER).parcel is None


def test_the_record_of_a_parcel_leaves_no_trace_of_the_buyer() -> None:
    parcel = parcel_now(an_order(), BY_DEFAULT)

    assert len(parcel.told) == 64
    assert int(parcel.told, 16)
    assert "Quill" not in parcel.model_dump_json()


def test_a_parcel_holds_only_the_lines_that_are_left_to_send() -> None:
    sent = a_line(quantity_fulfilled=2, quantity_unfulfilled=0)
    amazon = an_amazon_order(line_items=(sent, SHADE.model_copy(update={"quantity_unfulfilled": 1})))
    (line,) = parcel_now(an_order(amazon), BY_DEFAULT).lines

    assert (line.seller_sku, line.quantity, line.quantity_ordered) == ("SHADE-1", 1, 2)


@pytest.mark.parametrize(
    ("change", "alerts"), [({}, ()), ({"line_items": (a_line(quantity=3),)}, ("ChangedAfterHandOver",))]
)
def test_a_parcel_of_the_release_before_is_compared_as_it_did(change: dict[str, Any], alerts: Any) -> None:
    order = handed_over()
    old = order.with_(parcel=None, handed_over_digest=earlier_fingerprint(order, BY_DEFAULT))

    assert amazon_sends(old, **change).alerts == alerts


def test_the_release_before_finds_what_it_compares_brought_up_to_date() -> None:
    moved = amazon_sends(handed_over(), delivery_address=an_address(line1="5 Other Road"))

    assert moved.handed_over_digest == earlier_fingerprint(moved, BY_DEFAULT)
    assert moved.handed_over_digest != handed_over().handed_over_digest


# What else is news ----------------------------------------------------------------------------------------------------


def test_a_cancellation_after_the_hand_over_leaves_the_order_where_it_is() -> None:
    after = amazon_sends(handed_over(), fulfillment_status="CANCELLED")

    assert after.alerts == ("CancelledAfterHandOver",)
    assert (after.voided_at, after.three_pl_status) == (None, ThreePlStatus.TRANSFERRED)


def test_a_cancellation_after_a_dispatch_from_here_raises_an_alert() -> None:
    after = amazon_sends(dispatched(), fulfillment_status="CANCELLED")

    assert (after.status, after.alerts) == ("Void", ("CancelledAfterDispatch",))
    assert amazon_sends(after).alerts == ("CancelledAfterDispatch",)


@pytest.mark.parametrize("is_shipped", [True, False])
def test_a_cancellation_of_what_nobody_here_sent_raises_no_alert(is_shipped: bool) -> None:
    order = a_judged_order()
    order = amazon_sends(order, fulfillment_status="SHIPPED") if is_shipped else order

    assert amazon_sends(order, fulfillment_status="CANCELLED").alerts == ()


@BY_BOTH
def test_a_request_to_cancel_what_was_sent_raises_an_alert(sent: Any, when: str) -> None:
    asked = amazon_sends(sent(), line_items=(a_line(asked_to_cancel=True),))

    assert asked.alerts == (f"CancelRequestedAfter{when}",)


@BY_BOTH
def test_an_answer_to_a_request_to_cancel_ends_its_alert(sent: Any, when: str) -> None:
    asked = amazon_sends(sent(), line_items=(a_line(asked_to_cancel=True),))
    answered = asked.with_(edits=edited(asked.amazon, confirmed=("buyerRequestedCancel",)))

    assert judged(answered, BY_DEFAULT, LATER_STILL).alerts == ()


@BY_BOTH
def test_an_order_shipped_and_back_raises_an_alert_until_confirmed(sent: Any, when: str) -> None:
    del when
    shipped = amazon_sends(sent(), fulfillment_status="SHIPPED")
    back = amazon_sends(shipped, fulfillment_status="UNSHIPPED")
    confirmed = back.with_(edits=edited(back.amazon, confirmed=("fulfillmentUnknown",)))

    assert shipped.alerts == ()
    assert back.alerts == ("CameBack",)
    assert judged(confirmed, BY_DEFAULT, LATER_STILL).alerts == ()


def test_an_order_void_and_back_raises_an_alert_until_void_again() -> None:
    void = amazon_sends(a_judged_order(), fulfillment_status="CANCELLED")
    back = amazon_sends(void, fulfillment_status="UNSHIPPED")
    again = amazon_sends(back, fulfillment_status="CANCELLED")

    assert (void.alerts, back.alerts, again.alerts) == ((), ("CameBack",), ())
    assert back.status == "Void"


def test_a_gap_after_a_dispatch_raises_an_alert_that_ends_with_it() -> None:
    blanked = judged(dispatched().with_(edits=edited(an_amazon_order(), email="")), OWN_WAREHOUSE, LATER)
    filled = judged(blanked.with_(edits=Edits()), OWN_WAREHOUSE, LATER_STILL)

    assert (blanked.alerts, filled.alerts) == (("IncompleteAfterDispatch",), ())
    assert not blanked.is_fulfillable
    assert filled.is_fulfillable


def released_with_a_typed_name(amazon: Any = None) -> Order:
    """An order whose name a person typed, because Amazon sent none, and that a person let go."""
    nameless = amazon or an_amazon_order(**NOBODY)
    return a_judged_order().with_(amazon=nameless, edits=edited(nameless, name=a_typed_name()))


def test_amazons_first_other_word_on_a_typed_name_raises_an_alert() -> None:
    after = amazon_sends(released_with_a_typed_name(), recipient_name="Bo Ortiz")

    assert after.alerts == ("DiffersFromAmazon",)
    assert (after.hold, after.missing, after.three_pl_status) == (None, (), ThreePlStatus.UPON_COMPLETION)


def test_an_alert_ends_when_amazon_says_what_was_typed() -> None:
    differs = amazon_sends(released_with_a_typed_name(), recipient_name="Bo Ortiz")
    settled = differs.with_(edits=differs.edits.settling(["name"], differs.amazon))

    assert judged(settled, BY_DEFAULT, LATER_STILL).alerts == ()
    assert amazon_sends(released_with_a_typed_name(), recipient_name="ADA QUILL").alerts == ()


def test_a_late_word_on_a_typed_email_is_no_alarm() -> None:
    without = an_amazon_order(buyer_email=None)
    order = a_judged_order().with_(amazon=without, edits=edited(without, email="typed@example.com"))

    after = amazon_sends(order, buyer_email="ada@example.com")
    assert (after.alerts, after.hold) == ((), None)


@BY_BOTH
def test_a_late_word_on_what_was_typed_and_sent_raises_an_alert(sent: Any, when: str) -> None:
    del when
    nameless = an_amazon_order(**NOBODY)
    order = sent().with_(amazon=nameless, edits=edited(nameless, name=a_typed_name()))

    assert amazon_sends(order, recipient_name="Bo Ortiz").alerts == ("DiffersFromAmazon",)


def test_a_changed_value_makes_a_dispatched_order_unfulfillable() -> None:
    order = dispatched().with_(edits=edited(an_amazon_order(), name=a_typed_name("Cy", "Moss")))
    after = amazon_sends(order, OWN_WAREHOUSE, recipient_name="Bo Ortiz")

    assert [(item.field, item.reason) for item in after.missing] == [("lastName", "differsFromAmazon")]
    assert (after.dispatched_by, after.is_fulfillable) == ("us", False)


# How alerts end -------------------------------------------------------------------------------------------------------


def test_a_second_kind_of_alert_joins_the_first() -> None:
    changed = amazon_sends(handed_over(), line_items=())
    cancelled = amazon_sends(changed, fulfillment_status="CANCELLED")

    assert cancelled.alerts == ("ChangedAfterHandOver", "CancelledAfterHandOver")


def test_an_alert_with_its_cause_over_ends_and_is_raised_again() -> None:
    cancelled = amazon_sends(handed_over(), fulfillment_status="CANCELLED")
    not_any_more = amazon_sends(cancelled, fulfillment_status="UNSHIPPED")
    again = amazon_sends(not_any_more, fulfillment_status="CANCELLED")

    assert (not_any_more.alerts, again.alerts) == ((), ("CancelledAfterHandOver",))


def test_a_closed_alert_is_not_raised_again_for_the_same_news() -> None:
    order = closed(amazon_sends(handed_over(), fulfillment_status="CANCELLED"), "CancelledAfterHandOver")
    same = amazon_sends(order, buyer_name="Bo Ortiz")

    assert (order.alerts, same.alerts) == ((), ())
    assert [(one.alert, one.by, one.at) for one in same.closed_alerts] == [("CancelledAfterHandOver", "ada", LATER)]


def test_a_closed_alert_is_raised_again_once_its_cause_was_over() -> None:
    order = closed(amazon_sends(handed_over(), fulfillment_status="CANCELLED"), "CancelledAfterHandOver")
    over = amazon_sends(order, fulfillment_status="UNSHIPPED")

    assert over.closed_alerts == ()
    assert amazon_sends(over, fulfillment_status="CANCELLED").alerts == ("CancelledAfterHandOver",)


def test_only_a_closed_alert_whose_news_goes_on_is_remembered() -> None:
    loud = amazon_sends(handed_over(), fulfillment_status="CANCELLED", delivery_address=an_address(city="Salem"))
    order = closed(loud, *loud.alerts)

    assert {one.alert for one in order.closed_alerts} == {"CancelledAfterHandOver", "ChangedAfterHandOver"}
    assert [one.alert for one in amazon_sends(order).closed_alerts] == ["CancelledAfterHandOver"]


def test_an_unknown_status_is_no_return() -> None:
    assert "CameBack" not in amazon_sends(dispatched(), fulfillment_status=None).alerts


def test_a_return_that_a_person_confirmed_is_no_news_any_more() -> None:
    back = amazon_sends(amazon_sends(handed_over(), fulfillment_status="SHIPPED"), fulfillment_status="UNSHIPPED")

    assert back.alerts == ("CameBack",)
    assert edit(back, {}, ("fulfillmentUnknown",), BY_DEFAULT, LATER).alerts == ()


def test_a_change_is_compared_with_what_people_were_told_last() -> None:
    moved = amazon_sends(handed_over(), delivery_address=an_address(city="Salem"))
    order = closed(moved, "ChangedAfterHandOver")

    assert amazon_sends(order).alerts == ()
    assert amazon_sends(order, delivery_address=an_address()).alerts == ("ChangedAfterHandOver",)


def test_a_further_request_to_cancel_is_told_though_the_first_was_closed() -> None:
    asked, asked_for_both = ((LAMP_ASKED, SHADE), (LAMP_ASKED, SHADE_ASKED))
    first = amazon_sends(handed_over(TWO_LINES), line_items=asked)
    order = closed(first, "CancelRequestedAfterHandOver")
    second = amazon_sends(order, line_items=asked_for_both)

    assert (order.alerts, second.alerts, second.closed_alerts) == ((), ("CancelRequestedAfterHandOver",), ())
    assert amazon_sends(closed(second, "CancelRequestedAfterHandOver")).alerts == ()


def test_a_further_request_to_cancel_is_an_event_while_the_first_is_open() -> None:
    first = amazon_sends(handed_over(TWO_LINES), line_items=(LAMP_ASKED, SHADE))
    second = amazon_sends(first, line_items=(LAMP_ASKED, SHADE_ASKED))

    assert happened(first, second, by_a_person=False) == ("CancelRequestedAfterHandOver",)
    assert happened(second, amazon_sends(second), by_a_person=False) == ()


def test_alerts_that_the_release_before_raised_are_not_told_again() -> None:
    order = amazon_sends(handed_over(), fulfillment_status="CANCELLED").with_(told=())
    after = amazon_sends(order)

    assert (after.alerts, happened(order, after, by_a_person=False)) == (("CancelledAfterHandOver",), ())


def test_another_difference_is_told_though_the_first_was_closed() -> None:
    nameless = an_amazon_order(**NOBODY)
    typed = handed_over().with_(amazon=nameless, edits=edited(nameless, name=a_typed_name()))
    order = closed(amazon_sends(typed, recipient_name="Bo Ortiz"), "DiffersFromAmazon")

    assert amazon_sends(order, recipient_name="BO ORTIZ").alerts == ()
    assert amazon_sends(order, recipient_name="Cy Moss").alerts == ("DiffersFromAmazon",)
    assert "Ortiz" not in str(order.told)


def test_another_return_is_told_though_the_first_was_closed() -> None:
    back = amazon_sends(amazon_sends(handed_over(), fulfillment_status="SHIPPED"), fulfillment_status="UNSHIPPED")
    order = closed(back, "CameBack")
    at_once = order.amazon
    for status in ("SHIPPED", "UNSHIPPED"):
        at_once = at_once.updated_with(order.amazon.model_copy(update={"fulfillment_status": status}))

    assert amazon_sends(order).alerts == ()
    assert judged(order.with_(amazon=at_once), BY_DEFAULT, LATER).alerts == ("CameBack",)


def test_a_further_gap_is_told_though_the_first_was_closed() -> None:
    blanked = dispatched().with_(edits=edited(an_amazon_order(), email=""))
    order = closed(judged(blanked, OWN_WAREHOUSE, LATER), "IncompleteAfterDispatch")
    also_asked = judged(order.with_(amazon=an_amazon_order(line_items=(LAMP_ASKED,))), OWN_WAREHOUSE, LATER)
    nowhere = edited(an_amazon_order(), email="", delivery_address=Address(line1="", city=""))
    without_a_city = edited(an_amazon_order(), email="", delivery_address=Address(city=""))

    assert also_asked.alerts == ("CancelRequestedAfterDispatch",)
    further = judged(order.with_(edits=without_a_city), OWN_WAREHOUSE, LATER)
    assert further.alerts == ("IncompleteAfterDispatch", "ChangedAfterDispatch")
    further = judged(closed(further, "IncompleteAfterDispatch").with_(edits=nowhere), OWN_WAREHOUSE, LATER)
    assert "IncompleteAfterDispatch" in further.alerts


@pytest.mark.parametrize("spell", [{"fulfillment_status": "PENDING"}, {"fulfilled_by": "AMAZON"}], ids=str)
def test_a_closed_alert_stays_closed_through_a_draft_and_amazons_hands(spell: dict[str, Any]) -> None:
    order = closed(amazon_sends(released_with_a_typed_name(), recipient_name="Bo Ortiz"), "DiffersFromAmazon")
    away = amazon_sends(order, **spell)
    back = judged(away.with_(amazon=order.amazon), BY_DEFAULT, LATER_STILL)

    assert (order.alerts, away.alerts, back.alerts) == ((), (), ())
    assert [one.alert for one in back.closed_alerts] == ["DiffersFromAmazon"]


def test_a_closed_alert_stays_closed_through_a_hold_by_hand() -> None:
    order = closed(amazon_sends(released_with_a_typed_name(), recipient_name="Bo Ortiz"), "DiffersFromAmazon")
    held = judged(order.with_(decisions=decided(hold=by_hand())), BY_DEFAULT, LATER)

    assert judged(held.with_(decisions=decided()), BY_DEFAULT, LATER_STILL).alerts == ()


@pytest.mark.parametrize("spell", [{"fulfillment_status": "PENDING"}, {"fulfilled_by": "AMAZON"}], ids=str)
def test_an_alert_that_nobody_closed_is_open_again_after_a_draft(spell: dict[str, Any]) -> None:
    order = amazon_sends(released_with_a_typed_name(), recipient_name="Bo Ortiz")
    away = amazon_sends(order, **spell)
    back = judged(away.with_(amazon=order.amazon), BY_DEFAULT, LATER_STILL)

    assert (order.alerts, away.alerts, back.alerts) == (("DiffersFromAmazon",), (), ("DiffersFromAmazon",))


def test_what_came_while_an_order_seemed_sent_is_told_once_it_was_not() -> None:
    person: dict[str, Any] = {"by": "ada", "at": LATER}
    closed_before = closed(amazon_sends(handed_over(), fulfillment_status="CANCELLED"), "CancelledAfterHandOver")
    sent = change(closed_before, Wanted(fully_dispatched=LATER), BY_DEFAULT, **person)
    moved = amazon_sends(sent, delivery_address=an_address(line1="5 Other Road"))
    unsent = change(moved, Wanted(fully_dispatched=False), BY_DEFAULT, **person)

    assert (sent.alerts, sent.told, moved.alerts) == ((), (), ())
    assert unsent.alerts == ("CancelledAfterHandOver", "ChangedAfterHandOver")


def test_a_change_that_seemed_shipped_is_told_when_the_order_comes_back() -> None:
    shipped = amazon_sends(dispatched(), fulfillment_status="SHIPPED", delivery_address=an_address(line1="5 Mill Road"))
    back = amazon_sends(shipped, fulfillment_status="UNSHIPPED")

    assert (shipped.alerts, back.alerts) == ((), ("ChangedAfterDispatch", "CameBack"))


def test_only_open_alerts_can_be_closed_and_others_stay() -> None:
    changed = amazon_sends(handed_over(), line_items=(a_line(quantity=3),))
    both = amazon_sends(changed, fulfillment_status="CANCELLED")
    after = closed(both, "CancelledAfterHandOver", "CameBack")

    assert after.alerts == ("ChangedAfterHandOver",)
    assert [one.alert for one in after.closed_alerts] == ["CancelledAfterHandOver"]


@BY_BOTH
def test_amazons_shipped_ends_the_alerts_that_it_overtakes(sent: Any, when: str) -> None:
    changed = amazon_sends(sent(), delivery_address=an_address(line1="5 Other Road"))
    shipped = amazon_sends(changed, fulfillment_status="SHIPPED")

    assert changed.alerts == (f"ChangedAfter{when}",)
    assert shipped.alerts == ()


def test_a_dispatch_that_the_warehouse_reports_ends_its_alerts() -> None:
    changed = amazon_sends(handed_over(), delivery_address=an_address(line1="5 Other Road"))
    sent = DispatchDecision(by="warehouse", at=LATER, sent_at=LATER, is_reported=True)
    reported = changed.with_(decisions=decided().with_(dispatch=sent), dispatched_by="warehouse")

    assert judged(reported, BY_DEFAULT, LATER_STILL).alerts == ()
    assert amazon_sends(reported, line_items=()).alerts == ()


def test_redaction_ends_alerts_and_forgets_the_parcel() -> None:
    changed = amazon_sends(handed_over(), delivery_address=an_address(line1="5 Other Road"))
    redacted = judged(changed.with_(redacted_at=LATER), BY_DEFAULT, LATER)

    assert (redacted.alerts, redacted.parcel) == ((), None)


def test_no_alert_is_raised_before_an_order_has_left() -> None:
    order = amazon_sends(a_judged_order(), delivery_address=an_address(line1="5 Other Road"))

    assert order.alerts == ()
    assert amazon_sends(order, line_items=(a_line(asked_to_cancel=True),)).alerts == ()

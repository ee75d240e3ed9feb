"""Amazon's facts of an order: absence never erases them, and redaction leaves no personal data."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from needs_attention.amazon.order_json import read_order
from needs_attention.orders.amazon_order import Address, AmazonOrder
from tools.builders import DELIVER_BY, LATER, NOON, a_line, a_raw_order, an_address, an_amazon_order, dollars


@pytest.mark.parametrize(
    ("status", "cancelled", "pending", "shipped", "partly_shipped"),
    [
        ("PENDING_AVAILABILITY", False, True, False, False),
        ("PENDING", False, True, False, False),
        ("UNSHIPPED", False, False, False, False),
        ("PARTIALLY_SHIPPED", False, False, False, True),
        ("SHIPPED", False, False, True, False),
        ("INVOICE_UNCONFIRMED", False, False, True, False),
        ("CANCELLED", True, False, False, False),
        ("UNFULFILLABLE", True, False, False, False),
        (None, False, False, False, False),
        ("Shipped", False, False, False, False),
        ("CANCELED", False, False, False, False),
    ],
)
def test_amazons_statuses_are_told_apart(
    status: str | None, cancelled: bool, pending: bool, shipped: bool, partly_shipped: bool
) -> None:
    order = an_amazon_order(fulfillment_status=status)

    assert order.is_cancelled == cancelled
    assert order.is_pending == pending
    assert order.is_shipped == shipped
    assert order.is_partly_shipped == partly_shipped


KNOWN = read_order(a_raw_order())
ALWAYS_THERE = {"order_id", "created_at", "updated_at"}
NEVER_NONE = {"programs", "is_gift", "cancel_requested_by_buyer"}
OF_THE_STATUS = {"fulfillment_status", "came_back_from", "doubts", "delivered_at"}  # see the tests of the status below


@pytest.mark.parametrize("field", sorted(AmazonOrder.model_fields.keys() - ALWAYS_THERE - NEVER_NONE - OF_THE_STATUS))
def test_a_fact_that_amazon_no_longer_sends_is_kept(field: str) -> None:
    silent = KNOWN.model_copy(update={field: None, "updated_at": NOON})

    assert getattr(KNOWN, field) is not None
    assert KNOWN.updated_with(silent) == KNOWN.model_copy(update={"updated_at": NOON})


DELIVERED = KNOWN.model_copy(update={"fulfillment_status": "SHIPPED", "delivered_at": DELIVER_BY})


@pytest.mark.parametrize("told", [None, NOON])
def test_a_delivery_counts_from_the_first_answer_that_told_of_it(told: datetime | None) -> None:
    later = DELIVERED.model_copy(update={"updated_at": NOON, "delivered_at": told})
    assert DELIVERED.updated_with(later).delivered_at == DELIVER_BY


def test_an_order_that_comes_back_from_shipped_is_delivered_another_time() -> None:
    back = DELIVERED.updated_with(KNOWN.model_copy(update={"updated_at": NOON}))
    assert back.delivered_at is None
    again = back.updated_with(DELIVERED.model_copy(update={"updated_at": NOON, "delivered_at": NOON}))
    assert again.delivered_at == NOON


def test_an_answer_stripped_of_everything_erases_nothing() -> None:
    bare = AmazonOrder(
        order_id=KNOWN.order_id, created_at=KNOWN.created_at, updated_at=NOON, fulfillment_status="UNSHIPPED"
    )

    assert KNOWN.updated_with(bare) == KNOWN.model_copy(update={"updated_at": NOON})


# The status -----------------------------------------------------------------------------------------------------------


def after(*answers: dict[str, Any]) -> AmazonOrder:
    """An unshipped order of ours after these answers of Amazon's."""
    order = an_amazon_order()
    for answer in answers:
        order = order.updated_with(order.model_copy(update=answer))
    return order


def of_status(status: str | None) -> dict[str, Any]:
    return {"fulfillment_status": status}


SHIPPED, UNSHIPPED, ON_HOLD, NO_STATUS = (of_status(status) for status in ("SHIPPED", "UNSHIPPED", "ON_HOLD", None))
FBA, OURS = {"fulfilled_by": "AMAZON"}, {"fulfilled_by": "MERCHANT"}


@pytest.mark.parametrize("unknown", [None, "ON_HOLD", "Shipped"])
@pytest.mark.parametrize("before", ["UNSHIPPED", "PARTIALLY_SHIPPED", "PENDING"])
def test_a_status_that_is_absent_or_unknown_is_no_silence(before: str, unknown: str | None) -> None:
    order = after(of_status(before), of_status(unknown))

    assert order.fulfillment_status == unknown
    assert order.doubt == (unknown, "", None)


@pytest.mark.parametrize("unknown", [None, "ON_HOLD"])
@pytest.mark.parametrize("final", ["SHIPPED", "INVOICE_UNCONFIRMED", "CANCELLED", "UNFULFILLABLE"])
def test_a_final_status_outlasts_one_that_is_absent_or_unknown(final: str, unknown: str | None) -> None:
    order = after(of_status(final), of_status(unknown))

    assert (order.fulfillment_status, order.doubt) == (final, ())


@pytest.mark.parametrize(
    ("facts", "doubt"),
    [
        ({}, ()),
        (FBA, ()),
        (SHIPPED, ()),
        (ON_HOLD, ("ON_HOLD", "", None)),
        (NO_STATUS, (None, "", None)),
        ({"fulfilled_by": "AFN"}, ("", "AFN", None)),
        ({"fulfilled_by": None}, ("", None, None)),
        ({"fulfillment_status": None, "fulfilled_by": None}, (None, None, None)),
        ({"came_back_from": "shipped"}, ("", "", "shipped")),
    ],
    ids=str,
)
def test_a_doubt_says_what_makes_it_unknown_whether_to_send(facts: dict[str, Any], doubt: tuple[str | None]) -> None:
    assert an_amazon_order(**facts).doubt == doubt


@pytest.mark.parametrize(
    ("answers", "came_back_from"),
    [
        ([SHIPPED], None),
        ([SHIPPED, UNSHIPPED], "shipped"),
        ([SHIPPED, UNSHIPPED, {"buyer_name": "Bo"}], "shipped"),
        ([of_status("INVOICE_UNCONFIRMED"), of_status("PENDING")], "shipped"),
        ([SHIPPED, UNSHIPPED, SHIPPED], None),
        ([SHIPPED, UNSHIPPED, of_status("CANCELLED")], None),
        ([SHIPPED, of_status("CANCELLED")], None),
        ([FBA], None),
        ([FBA, OURS], "fulfilledByAmazon"),
        ([FBA, {"fulfilled_by": "AFN"}], "fulfilledByAmazon"),
        ([FBA, {"fulfilled_by": None}], None),
        ([of_status("CANCELLED"), UNSHIPPED], None),
    ],
    ids=str,
)
def test_an_order_comes_back_from_shipped_or_from_amazon(
    answers: list[dict[str, Any]], came_back_from: str | None
) -> None:
    assert after(*answers).came_back_from == came_back_from


@pytest.mark.parametrize(
    ("answers", "doubts"),
    [
        ([UNSHIPPED], 0),
        ([ON_HOLD], 1),
        ([ON_HOLD, {"buyer_name": "Bo"}], 1),
        ([ON_HOLD, UNSHIPPED], 1),
        ([ON_HOLD, of_status("FROZEN")], 2),
        ([ON_HOLD, UNSHIPPED, ON_HOLD], 2),
        ([SHIPPED, UNSHIPPED], 1),
        ([SHIPPED, UNSHIPPED, SHIPPED], 1),
        ([SHIPPED, UNSHIPPED, SHIPPED, UNSHIPPED], 2),
        ([FBA, OURS, FBA, OURS], 2),
    ],
    ids=str,
)
def test_each_new_doubt_counts_and_the_same_one_only_once(answers: list[dict[str, Any]], doubts: int) -> None:
    assert after(*answers).doubts == doubts


# Requests to cancel ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "requests"),
    [
        ({"line_items": (a_line(), a_line(order_item_id="2", asked_to_cancel=True))}, {"2"}),
        (
            {"line_items": (a_line(asked_to_cancel=True), a_line(order_item_id="2", asked_to_cancel=True))},
            {"90001", "2"},
        ),
        ({"line_items": (a_line(asked_to_cancel=True, is_cancelled=True),)}, set()),
        ({"line_items": (a_line(asked_to_cancel=True, quantity=0),)}, set()),
        ({"line_items": (a_line(asked_to_cancel=True, order_item_id=None),)}, {"*"}),
        ({"cancel_requested_by_buyer": True}, {"*"}),
        ({"cancel_requested_by_buyer": True, "line_items": None}, {"*"}),
        ({"cancel_requested_by_buyer": True, "line_items": (a_line(asked_to_cancel=True),)}, {"90001"}),
        ({"line_items": None}, set()),
        ({}, set()),
    ],
)
def test_requests_to_cancel_count_by_line_until_it_is_cancelled(order: dict[str, Any], requests: set[str]) -> None:
    assert an_amazon_order(**order).cancel_requests == requests


def test_a_request_to_cancel_outlasts_an_answer_that_does_not_repeat_it() -> None:
    asked = an_amazon_order(line_items=(a_line(asked_to_cancel=True),))

    assert asked.updated_with(an_amazon_order()).cancel_requests == {"90001"}


def test_a_cancelled_line_stays_cancelled_if_amazon_falls_silent() -> None:
    cancelled = an_amazon_order(line_items=(a_line(is_cancelled=True),))
    (line,) = cancelled.updated_with(an_amazon_order()).line_items or ()

    assert not line.is_wanted


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("buyer_name", "Bella Ruiz"),
        ("buyer_email", "new@marketplace.example.com"),
        ("recipient_name", "Bo Quill"),
        ("fulfillment_status", "SHIPPED"),
        ("fulfilled_by", "AMAZON"),
        ("ship_by", NOON),
        ("grand_total", dollars("1.00")),
        ("programs", ("BUSINESS",)),
        ("updated_at", LATER),
    ],
)
def test_a_new_value_from_amazon_replaces_the_known_one(field: str, value: object) -> None:
    newer = KNOWN.model_copy(update={field: value})

    assert KNOWN.updated_with(newer) == newer


def test_programs_that_are_no_longer_sent_are_kept() -> None:
    assert KNOWN.updated_with(KNOWN.model_copy(update={"programs": ()})).programs == ("PRIME",)


@pytest.mark.parametrize("flag", ["is_gift", "cancel_requested_by_buyer"])
def test_a_flag_once_raised_stays(flag: str) -> None:
    raised, lowered = KNOWN.model_copy(update={flag: True}), KNOWN.model_copy(update={flag: False})

    assert getattr(raised.updated_with(lowered), flag) is True
    assert getattr(lowered.updated_with(raised), flag) is True
    assert getattr(lowered.updated_with(lowered), flag) is False


@pytest.mark.parametrize("unit", ["delivery_address", "tax_address"])
class TestAnAddressFromAmazon:
    def test_that_comes_with_a_street_replaces_the_old_one_whole(self, unit: str) -> None:
        old, new = an_address(line2="Apt 3", phone="1"), an_address(line1="5 Mill Road", postal_code=None)
        merged = an_amazon_order(**{unit: old}).updated_with(an_amazon_order(**{unit: new}))

        assert getattr(merged, unit) == new

    @pytest.mark.parametrize("street", ["line2", "line3", "street_name"])
    def test_has_a_street_in_any_of_its_lines(self, unit: str, street: str) -> None:
        new = Address(**{street: "5 Mill Road"})
        merged = an_amazon_order(**{unit: an_address()}).updated_with(an_amazon_order(**{unit: new}))

        assert getattr(merged, unit) == new

    def test_that_comes_stripped_of_its_street_changes_nothing_in_a_whole_one(self, unit: str) -> None:
        old, stripped = an_address(), Address(city="Elsewhere", country_code="US")
        merged = an_amazon_order(**{unit: old}).updated_with(an_amazon_order(**{unit: stripped}))

        assert getattr(merged, unit) == old

    def test_fills_in_and_refreshes_one_that_has_no_street_yet(self, unit: str) -> None:
        old = Address(city="Portland", country_code="US")
        new = Address(city="Salem", postal_code="97301")
        merged = an_amazon_order(**{unit: old}).updated_with(an_amazon_order(**{unit: new}))

        assert getattr(merged, unit) == Address(city="Salem", postal_code="97301", country_code="US")

    def test_that_is_the_first_one_is_taken(self, unit: str) -> None:
        merged = an_amazon_order(**{unit: None}).updated_with(an_amazon_order(**{unit: an_address()}))

        assert getattr(merged, unit) == an_address()


def test_an_order_can_lose_its_last_line() -> None:
    assert KNOWN.updated_with(KNOWN.model_copy(update={"line_items": ()})).line_items == ()


def test_a_line_that_is_gone_is_gone() -> None:
    first, second = a_line(), a_line(order_item_id="90002")
    merged = an_amazon_order(line_items=(first, second)).updated_with(an_amazon_order(line_items=(second,)))

    assert merged.line_items == (second,)


def test_a_line_keeps_the_product_that_amazon_no_longer_names() -> None:
    known = a_line(title="Desk lamp", unit_price=dollars("9.00"))
    silent = a_line(quantity=1, seller_sku=None, asin=None)
    merged = an_amazon_order(line_items=(known,)).updated_with(an_amazon_order(line_items=(silent,)))

    assert merged.line_items == (known.model_copy(update={"quantity": 1}),)


def test_a_line_without_an_id_takes_nothing_from_another() -> None:
    unnamed = a_line(order_item_id=None, seller_sku=None)
    merged = an_amazon_order(line_items=(a_line(order_item_id=None),)).updated_with(
        an_amazon_order(line_items=(unnamed,))
    )

    assert merged.line_items == (unnamed,)


@pytest.mark.parametrize("number_of_old", [1, 2])
@pytest.mark.parametrize("number_of_new", [1, 2])
def test_lines_that_share_an_id_take_nothing_from_each_other(number_of_old: int, number_of_new: int) -> None:
    lines = (a_line(quantity=None), a_line(quantity=7))
    newer = an_amazon_order(line_items=lines[:number_of_new])
    merged = an_amazon_order(line_items=(lines[1],) * number_of_old).updated_with(newer)

    kept_from_the_only_one = (a_line(quantity=7),)
    assert merged.line_items == (kept_from_the_only_one if number_of_old == number_of_new == 1 else newer.line_items)
    assert merged.updated_with(newer) == merged


def test_the_lines_of_an_order_that_had_none_are_taken_as_they_are() -> None:
    merged = an_amazon_order(line_items=None).updated_with(an_amazon_order(line_items=(a_line(),)))

    assert merged.line_items == (a_line(),)


@settings(deadline=None)
@given(st.data())
def test_no_answer_of_amazons_ever_blanks_a_text_that_was_known(data: st.DataObject) -> None:
    texts = ["buyer_name", "buyer_email", "recipient_name", "fulfilled_by", "tax_name"]
    order = KNOWN
    for _ in range(3):
        update = data.draw(st.dictionaries(st.sampled_from(texts), st.none() | st.sampled_from(["A b", "C d"])))
        order = order.updated_with(order.model_copy(update=update))
        assert all(getattr(order, text) for text in texts)
        assert all(getattr(order, text) == value for text, value in update.items() if value)


def test_the_fields_that_changed_are_told_by_their_outside_names() -> None:
    newer = KNOWN.model_copy(update={"buyer_email": None, "fulfillment_status": "SHIPPED"})

    assert KNOWN.changed_fields(newer) == ("buyerEmail", "fulfillmentStatus")
    assert KNOWN.changed_fields(KNOWN) == ()


def test_a_parcel_is_for_the_recipient_or_else_the_buyer() -> None:
    assert an_amazon_order(recipient_name="Ada Quill", buyer_name="Bo Ortiz").addressee == "Ada Quill"
    assert an_amazon_order(recipient_name=None, buyer_name="Bo Ortiz").addressee == "Bo Ortiz"
    assert an_amazon_order(recipient_name=None, buyer_name=None).addressee is None


@pytest.mark.parametrize("order", [{"is_gift": True}, {"programs": ("BUSINESS", "INVOICE_BY_AMAZON")}])
def test_no_parcel_is_for_the_buyer_of_a_gift_or_amazon_as_buyer(
    order: dict[str, Any],
) -> None:
    assert an_amazon_order(recipient_name=None, buyer_name="Bo Ortiz", **order).addressee is None
    assert an_amazon_order(recipient_name="Ada Quill", **order).addressee == "Ada Quill"


def test_redaction_leaves_no_personal_data() -> None:
    order = read_order(a_raw_order())
    left = order.redacted().model_dump_json()

    personal = ["Bella", "Ortiz", "bella@", "PO-5", "Ada", "Quill", "Harbor", "Apt 3", "Rear", "Portland", "97209"]
    personal += ["Multnomah", "Pearl", "Waterfront", "503", "Ledger", "Salem", "97301"]
    assert [text for text in personal if text not in order.model_dump_json()] == []
    assert [text for text in personal if text in left] == []


def test_redaction_keeps_what_is_not_personal() -> None:
    redacted = KNOWN.redacted()

    assert redacted.delivery_address == Address(country_code="US")
    assert (redacted.order_id, redacted.line_items, redacted.grand_total, redacted.fulfillment_status) == (
        KNOWN.order_id,
        KNOWN.line_items,
        KNOWN.grand_total,
        "UNSHIPPED",
    )


@pytest.mark.parametrize("address", [None, Address(city="Portland")])
def test_without_a_country_redaction_leaves_no_address_at_all(address: Address | None) -> None:
    assert an_amazon_order(delivery_address=address).redacted().delivery_address is None

"""What is read of Amazon's orders, what is kept of them, and what of that is shown."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from needs_attention.amazon.order_json import LONGEST_TEXT, read_order
from needs_attention.integrations.stages import Stage
from needs_attention.orders.amazon_order import LARGEST_ORDER, Address, AmazonOrder, Money, UnreadableOrder
from needs_attention.orders.edits import Edits, amazons_units, units_changed_at_amazon
from needs_attention.orders.order import LONGEST_DELIVERY, REDACTION_AGE, Hold, LastChange, Missing, Order, Override
from needs_attention.orders.settings import NEEDS_ATTENTION, Settings, ThreePlStatus
from needs_attention.values.model import Value
from needs_attention.values.times import in_utc, instant, utc_now
from tools.builders import (
    ABSENT,
    CREATED,
    DELIVER_BY,
    LATER,
    NOON,
    SHIP_BY,
    a_held_order,
    a_judged_order,
    a_line,
    a_raw_item,
    a_raw_order,
    a_typed_name,
    accepting,
    an_address,
    an_amazon_order,
    an_order,
    dollars,
    edited,
)

# Times ----------------------------------------------------------------------------------------------------------------


def test_times_are_kept_in_utc_to_the_millisecond() -> None:
    in_tokyo = datetime(2026, 11, 23, 21, 0, 0, 123_999, tzinfo=timezone(timedelta(hours=9)))

    assert in_utc(in_tokyo) == datetime(2026, 11, 23, 12, 0, 0, 123_000, tzinfo=UTC)
    assert in_utc(in_tokyo).tzinfo is UTC


def test_times_are_written_so_that_their_texts_sort_as_they_do() -> None:
    times = [datetime(2026, 1, 2, tzinfo=UTC), NOON, NOON + timedelta(milliseconds=1), NOON + timedelta(seconds=1)]

    assert [instant(time) for time in times] == sorted(instant(time) for time in times)
    assert instant(NOON) == "2026-11-23T12:00:00.000Z"


def test_a_time_of_another_zone_is_written_in_utc() -> None:
    assert instant(datetime(2026, 11, 23, 21, tzinfo=timezone(timedelta(hours=9)))) == "2026-11-23T12:00:00.000Z"


def test_the_clock_is_read_as_exactly_as_times_are_stored() -> None:
    now = utc_now()

    assert now == in_utc(now)
    assert now.tzinfo is UTC


@pytest.mark.parametrize("year", [1, 1969, 3000, 9999])
def test_a_time_with_which_nothing_can_be_reckoned_is_refused(year: int) -> None:
    with pytest.raises(ValueError, match="1970"):
        in_utc(datetime(year, 6, 1, tzinfo=UTC))


@pytest.mark.parametrize("text", ["1970-01-01T00:00:00+14:00", "2999-12-31T23:59:59-12:00"])
def test_a_time_that_its_zone_brings_out_of_bounds_is_refused_as_it_could_not_be_read_again(text: str) -> None:
    with pytest.raises(ValueError, match="1970"):
        in_utc(datetime.fromisoformat(text))


@pytest.mark.parametrize("field", ["earliestDateTime", "latestDateTime"])
def test_a_deadline_that_its_zone_brings_out_of_bounds_says_nothing_and_stops_no_page(field: str) -> None:
    order = read_order(a_raw_order(fulfillment={"shipByWindow": {field: "1970-01-01T00:00:00+14:00"}}))

    assert None in {order.ship_by, order.ship_by_earliest}


@pytest.mark.parametrize("year", [1970, 2999])
def test_the_first_and_the_last_year_are_accepted(year: int) -> None:
    assert in_utc(datetime(year, 6, 1, tzinfo=UTC)).year == year


def test_a_value_that_does_not_know_a_field_says_so() -> None:
    with pytest.raises(ValidationError, match="amuont"):
        Money.model_validate({"amuont": "1.00", "currencyCode": "USD"})


def test_a_value_cannot_be_changed() -> None:
    money = dollars("1.00")

    with pytest.raises(ValidationError, match="frozen"):
        money.amount = "2.00"  # type: ignore[misc]  # that is the point


# Reading Amazon's JSON ------------------------------------------------------------------------------------------------


def test_every_fact_that_is_used_is_read_from_its_place() -> None:
    assert read_order(a_raw_order()) == AmazonOrder(
        order_id="701-1111111-1111111",
        created_at=CREATED,
        updated_at=CREATED + timedelta(hours=1),
        marketplace_id="ATVPDKIKX0DER",
        seller_order_id="S-77",
        programs=("PRIME",),
        replaces_order_id="701-0000000-0000000",
        buyer_name="Bella Ortiz",
        buyer_email="bella@marketplace.example.com",
        buyer_company_name="Ortiz Lamps",
        purchase_order_number="PO-5",
        recipient_name="Ada Quill",
        delivery_address=Address(
            company_name="Quill Works",
            line1="12 Harbor Street",
            line2="Apt 3",
            line3="Rear",
            city="Portland",
            district_or_county="Multnomah",
            municipality="Pearl",
            state_or_region="OR",
            postal_code="97209",
            country_code="US",
            phone="+1 503 555 0100",
            address_type="RESIDENTIAL",
            street_name="Harbor Street",
            street_number="12",
            complement="Apt 3",
            neighborhood="Waterfront",
        ),
        fulfillment_status="UNSHIPPED",
        fulfilled_by="MERCHANT",
        service_level="STANDARD",
        ship_by_earliest=datetime(2026, 11, 24, 8, tzinfo=UTC),
        ship_by=SHIP_BY,
        deliver_by=DELIVER_BY,
        grand_total=dollars("59.90"),
        tax_name="Ortiz Lamps Ltd",
        tax_address=Address(
            line1="1 Ledger Lane", city="Salem", state_or_region="OR", postal_code="97301", country_code="US"
        ),
        line_items=(a_line(title="Desk lamp", quantity_fulfilled=0, unit_price=dollars("29.95")),),
        is_gift=False,
        cancel_requested_by_buyer=False,
    )


# Where each text of an order stands in Amazon's JSON, and what it is called here.
TEXTS = {
    "marketplace_id": ("salesChannel", "marketplaceId"),
    "buyer_name": ("buyer", "buyerName"),
    "buyer_email": ("buyer", "buyerEmail"),
    "buyer_company_name": ("buyer", "buyerCompanyName"),
    "purchase_order_number": ("buyer", "buyerPurchaseOrderNumber"),
    "recipient_name": ("recipient", "deliveryAddress", "name"),
    "fulfillment_status": ("fulfillment", "fulfillmentStatus"),
    "fulfilled_by": ("fulfillment", "fulfilledBy"),
    "service_level": ("fulfillment", "fulfillmentServiceLevel"),
}


def raw_order_with(path: tuple[str, ...], value: object) -> dict[str, Any]:
    for key in reversed(path):
        value = {key: value}
    assert isinstance(value, dict)
    return a_raw_order(**value)


@pytest.mark.parametrize("field", TEXTS)
@pytest.mark.parametrize(
    "nothing", [ABSENT, None, "", " \t\u200b", "[Redacted]", "Not Provided", "PII Removed", ".", "-", 7, [], {}, True]
)
def test_absent_null_empty_placeholder_and_anything_but_text_are_one_thing(field: str, nothing: object) -> None:
    order = read_order(raw_order_with(TEXTS[field], nothing))

    assert getattr(order, field) is None


@pytest.mark.parametrize("nothing", [ABSENT, None, "", "[Redacted]", 5, [], "text"])
@pytest.mark.parametrize(
    ("branch", "fields"),
    [
        ("buyer", ["buyer_name", "buyer_email", "buyer_company_name", "purchase_order_number"]),
        ("recipient", ["recipient_name", "delivery_address"]),
        ("proceeds", ["grand_total"]),
        ("tax", ["tax_name", "tax_address"]),
        ("fulfillment", ["fulfillment_status", "fulfilled_by", "ship_by_earliest", "ship_by", "deliver_by"]),
        ("salesChannel", ["marketplace_id"]),
        ("orderAliases", ["seller_order_id"]),
        ("associatedOrders", ["replaces_order_id"]),
    ],
)
def test_a_branch_that_is_not_there_leaves_its_facts_unknown(branch: str, fields: list[str], nothing: object) -> None:
    order = read_order(a_raw_order(**{branch: nothing}))

    assert [getattr(order, field) for field in fields] == [None] * len(fields)


def test_an_address_in_which_every_part_is_a_placeholder_is_none() -> None:
    parts = ["addressLine1", "addressLine2", "addressLine3", "city", "districtOrCounty", "stateOrRegion", "companyName"]
    parts += ["municipality", "postalCode", "countryCode", "phone", "addressType"]
    redacted = {**dict.fromkeys(parts, "[Redacted]"), "extendedFields": ABSENT}

    assert read_order(a_raw_order(recipient={"deliveryAddress": redacted})).delivery_address is None


def test_texts_are_composed_and_trimmed() -> None:
    order = read_order(a_raw_order(buyer={"buyerName": "  Rene\u0301e \u00a0 Day "}))

    assert order.buyer_name == "Renée Day"


def test_an_unknown_status_or_channel_or_program_is_kept_as_it_is() -> None:
    raw = a_raw_order(fulfillment={"fulfillmentStatus": "TELEPORTED", "fulfilledBy": "DRONE"}, programs=["NEW_THING"])
    order = read_order(raw)

    assert (order.fulfillment_status, order.fulfilled_by, order.programs) == ("TELEPORTED", "DRONE", ("NEW_THING",))
    assert not any([order.is_cancelled, order.is_pending, order.is_shipped, order.is_partly_shipped])
    assert not order.is_fulfilled_by_amazon


def test_an_unknown_field_is_passed_over() -> None:
    assert read_order(a_raw_order(novelty={"a": [1]})) == read_order(a_raw_order())


def test_programs_that_are_no_texts_are_passed_over() -> None:
    assert read_order(a_raw_order(programs=["PRIME", None, 3, "", "\ud800"])).programs == ("PRIME",)


@pytest.mark.parametrize(
    ("status", "cancelled", "pending", "shipped", "partly_shipped"),
    [
        ("PENDING_AVAILABILITY", False, True, False, False),
        ("PENDING", False, True, False, False),
        ("UNSHIPPED", False, False, False, False),
        ("PARTIALLY_SHIPPED", False, False, False, True),
        ("SHIPPED", False, False, True, False),
        ("CANCELLED", True, False, False, False),
        ("UNFULFILLABLE", True, False, False, False),
        (None, False, False, False, False),
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


@pytest.mark.parametrize("raw", [None, 5, "order", [], {}, a_raw_order(orderId=None), a_raw_order(orderId=7)])
def test_an_order_without_an_id_is_refused(raw: object) -> None:
    with pytest.raises(UnreadableOrder, match="without an ID") as refused:
        read_order(raw)

    assert refused.value.order_id is None


def test_an_order_id_is_opaque_text_of_at_most_100_characters() -> None:
    assert read_order(a_raw_order(orderId="x" * 100)).order_id == "x" * 100
    with pytest.raises(UnreadableOrder, match="at most 100 characters"):
        read_order(a_raw_order(orderId="x" * 101))


@pytest.mark.parametrize("field", ["createdTime", "lastUpdatedTime"])
@pytest.mark.parametrize(
    "time",
    [
        ABSENT,
        None,
        "",
        "yesterday",
        "2026-11-23T10:00:00",
        [],
        True,
        "0001-01-01T00:00:00+05:00",
        "9999-12-31T23:59:59Z",
    ],
)
def test_an_order_without_its_times_is_refused_and_named(field: str, time: object) -> None:
    with pytest.raises(UnreadableOrder, match=field) as refused:
        read_order(a_raw_order(**{field: time}))

    assert refused.value.order_id == "701-1111111-1111111"
    assert refused.value.reason == f"{field} is missing or not a time"
    assert "701-1111111-1111111" in str(refused.value)


@pytest.mark.parametrize("nonsense", ["soon", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59Z", None, {}])
def test_a_deadline_that_is_no_time_is_unknown(nonsense: object) -> None:
    window = {"latestDateTime": nonsense}
    order = read_order(a_raw_order(fulfillment={"shipByWindow": window, "deliverByWindow": window}))

    assert order.ship_by is None
    assert order.deliver_by is None


def test_the_buyers_tax_registration_is_taken_not_the_sellers() -> None:
    sellers = {"entityType": "SELLER", "legalName": "Our Shop"}
    buyers = {"entityType": "BUYER", "legalName": "Ortiz Lamps Ltd"}
    order = read_order(a_raw_order(tax={"taxRegistrations": [None, sellers, buyers]}))

    assert order.tax_name == "Ortiz Lamps Ltd"
    assert order.tax_address is None


def test_the_sellers_own_number_is_found_among_the_aliases() -> None:
    aliases = [None, {"aliasType": "OTHER", "aliasId": "X"}, {"aliasType": "SELLER_ORDER_ID", "aliasId": "S-1"}]

    assert read_order(a_raw_order(orderAliases=aliases)).seller_order_id == "S-1"


@pytest.mark.parametrize(
    "money",
    [
        ABSENT,
        None,
        "12.50",
        {"amount": "12.50"},
        {"currencyCode": "USD"},
        {"amount": 12.5, "currencyCode": "USD"},
        {"amount": "much", "currencyCode": "USD"},
        {"amount": "NaN", "currencyCode": "USD"},
        {"amount": "Infinity", "currencyCode": "USD"},
    ],
)
def test_an_amount_that_cannot_be_read_is_unknown(money: object) -> None:
    order = read_order(a_raw_order(proceeds={"grandTotal": ABSENT}) | {"proceeds": {"grandTotal": money}})

    assert order.grand_total is None


def test_an_amount_keeps_its_digits() -> None:
    raw = a_raw_order(proceeds={"grandTotal": {"amount": "0.10", "currencyCode": "USD"}})

    assert read_order(raw).grand_total == dollars("0.10")


@pytest.mark.parametrize("nothing", [ABSENT, None, "", 5, "text", {}])
def test_without_a_list_of_items_the_lines_are_unknown(nothing: object) -> None:
    assert read_order(a_raw_order(orderItems=nothing)).line_items is None


@pytest.mark.parametrize(("items", "count"), [([], 0), ([None, "x", 3], 0), ([a_raw_item(), a_raw_item()], 2)])
def test_a_list_of_items_is_known_even_when_it_is_empty(items: list[object], count: int) -> None:
    lines = read_order(a_raw_order(orderItems=items)).line_items

    assert lines is not None
    assert len(lines) == count


@pytest.mark.parametrize("quantity", [ABSENT, None, "2", 2.0, True, -1, 1_000_001, [], {}])
def test_a_quantity_that_cannot_be_read_is_not_a_quantity_to_ship(quantity: object) -> None:
    lines = read_order(a_raw_order(orderItems=[a_raw_item(quantityOrdered=quantity)])).line_items

    assert lines is not None
    assert lines[0].quantity is None
    assert not lines[0].can_be_picked


@pytest.mark.parametrize("quantity", [0, 1, 1_000_000])
def test_a_whole_number_is_a_quantity(quantity: int) -> None:
    lines = read_order(a_raw_order(orderItems=[a_raw_item(quantityOrdered=quantity)])).line_items

    assert lines is not None
    assert lines[0].quantity == quantity


def test_an_item_of_which_nothing_can_be_read_is_still_a_line() -> None:
    item = {"product": 5, "fulfillment": "x", "cancellation": []}
    lines = read_order(a_raw_order(orderItems=[item])).line_items

    assert lines == (a_line(order_item_id=None, seller_sku=None, asin=None, quantity=None),)


def test_a_gift_option_on_any_item_makes_the_order_a_gift() -> None:
    gift = a_raw_item(fulfillment={"packing": {"giftOption": {"giftMessage": None}}})

    assert read_order(a_raw_order(orderItems=[a_raw_item(), gift])).is_gift
    assert not read_order(a_raw_order(orderItems=[a_raw_item(fulfillment={"packing": {}})])).is_gift


@pytest.mark.parametrize(("requester", "asked"), [("BUYER", True), ("SELLER", False), (None, False)])
def test_only_the_buyers_own_request_counts_as_asking_to_cancel(requester: str | None, asked: bool) -> None:
    item = a_raw_item(cancellation={"cancellationRequest": {"requester": requester}})

    assert read_order(a_raw_order(orderItems=[a_raw_item(), item])).cancel_requested_by_buyer is asked


def test_an_order_that_is_too_large_to_keep_is_refused_by_its_size_in_bytes() -> None:
    programs = LARGEST_ORDER // 3 // LONGEST_TEXT + 1
    read_order(a_raw_order(programs=["a" * LONGEST_TEXT] * programs))  # of one byte each

    with pytest.raises(UnreadableOrder, match="more than the 100,000 that can be kept") as refused:
        read_order(a_raw_order(programs=["山" * LONGEST_TEXT] * programs))

    assert refused.value.order_id == "701-1111111-1111111"
    assert "山" not in str(refused.value)


def test_a_text_far_too_long_for_what_it_should_be_says_nothing() -> None:
    longest, too_long = ("a" * length for length in (LONGEST_TEXT, LONGEST_TEXT + 1))
    order = read_order(a_raw_order(buyer={"buyerName": longest, "buyerEmail": too_long}, programs=["PRIME", too_long]))

    assert (order.buyer_name, order.buyer_email, order.programs) == (longest, None, ("PRIME",))


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=12)
    | st.sampled_from(["2026-11-23T10:00:00Z", "0001-01-01T00:00:00+14:00", "BUYER", "NaN", "1e999999", "\ud800", "-"])
)
JSON = st.recursive(
    SCALARS,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=6,
)


@st.composite
def broken_orders(draw: st.DrawFn) -> object:
    """Amazon's order with any JSON in the place of up to three of its parts, however deep."""
    order = json.loads(json.dumps(a_raw_order()))
    for _ in range(draw(st.integers(min_value=1, max_value=3))):
        part: Any = {"": order}
        key: Any = ""
        while isinstance(part[key], dict | list) and part[key] and draw(st.integers(0, 3)):
            part = part[key]
            key = draw(st.sampled_from(list(part) if isinstance(part, dict) else list(range(len(part)))))
        part[key] = draw(JSON)
    return order


@settings(deadline=None)
@given(broken_orders())
def test_whatever_amazon_sends_is_read_or_refused_and_what_was_read_can_be_stored(raw: object) -> None:
    with suppress(UnreadableOrder):
        order = read_order(raw)
        assert AmazonOrder.model_validate_json(order.model_dump_json(by_alias=True)) == order
        assert an_order(order).redact_at is not None


@settings(deadline=None)
@given(JSON)
def test_json_that_is_no_order_is_refused(raw: object) -> None:
    with pytest.raises(UnreadableOrder):
        read_order(raw)


# Absence never erases -------------------------------------------------------------------------------------------------

KNOWN = read_order(a_raw_order())
ALWAYS_THERE = {"order_id", "created_at", "updated_at"}
NEVER_NONE = {"programs", "is_gift", "cancel_requested_by_buyer"}


@pytest.mark.parametrize("field", sorted(AmazonOrder.model_fields.keys() - ALWAYS_THERE - NEVER_NONE))
def test_what_amazon_no_longer_sends_is_kept(field: str) -> None:
    silent = KNOWN.model_copy(update={field: None, "updated_at": NOON})

    assert getattr(KNOWN, field) is not None
    assert KNOWN.updated_with(silent) == KNOWN.model_copy(update={"updated_at": NOON})


def test_an_answer_stripped_of_everything_erases_nothing() -> None:
    bare = AmazonOrder(order_id=KNOWN.order_id, created_at=KNOWN.created_at, updated_at=NOON)

    assert KNOWN.updated_with(bare) == KNOWN.model_copy(update={"updated_at": NOON})


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
def test_what_amazon_sends_anew_replaces_what_was_known(field: str, value: object) -> None:
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
def test_lines_that_share_an_id_take_nothing_from_each_other_and_are_no_news_again(
    number_of_old: int, number_of_new: int
) -> None:
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
    texts = ["buyer_name", "buyer_email", "recipient_name", "fulfillment_status", "fulfilled_by", "tax_name"]
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


# Edits, and what Amazon changes under them ----------------------------------------------------------------------------


def test_whom_a_parcel_is_for_is_the_recipient_else_the_buyer() -> None:
    assert an_amazon_order(recipient_name="Ada Quill", buyer_name="Bo Ortiz").addressee == "Ada Quill"
    assert an_amazon_order(recipient_name=None, buyer_name="Bo Ortiz").addressee == "Bo Ortiz"
    assert an_amazon_order(recipient_name=None, buyer_name=None).addressee is None


@pytest.mark.parametrize("order", [{"is_gift": True}, {"programs": ("BUSINESS", "INVOICE_BY_AMAZON")}])
def test_the_buyer_of_a_gift_or_of_a_purchase_invoiced_by_amazon_is_not_whom_the_parcel_is_for(
    order: dict[str, Any],
) -> None:
    assert an_amazon_order(recipient_name=None, buyer_name="Bo Ortiz", **order).addressee is None
    assert an_amazon_order(recipient_name="Ada Quill", **order).addressee == "Ada Quill"


def test_an_edit_remembers_what_amazon_said_of_its_unit_alone() -> None:
    amazon = an_amazon_order()
    edits = Edits().edited("email", "typed@example.com", amazon)

    assert edits.email == "typed@example.com"
    assert edits.amazon_then.email == amazon.buyer_email
    assert edits.amazon_then.name is None
    assert edits.is_edited("email")
    assert not edits.is_edited("name")


def test_an_edit_taken_back_is_no_edit() -> None:
    edits = edited(an_amazon_order(), email="typed@example.com").edited("email", None, an_amazon_order())

    assert edits.email is None
    assert not edits.is_edited("email")


def test_a_blank_edit_is_an_edit() -> None:
    assert edited(an_amazon_order(), email="", line_items=()).is_edited("email")
    assert edited(an_amazon_order(), email="", line_items=()).is_edited("line_items")


def test_amazons_units_are_those_that_people_edit() -> None:
    units = amazons_units(KNOWN)

    assert units.name == "Ada Quill"
    assert units.email == KNOWN.buyer_email
    assert units.delivery_address == KNOWN.delivery_address
    assert units.billing_address == KNOWN.tax_address
    assert units.line_items == KNOWN.line_items


AN_EDIT: dict[str, Any] = {
    "name": a_typed_name(),
    "email": "typed@example.com",
    "delivery_address": an_address(line1="1 Typed Street"),
    "billing_address": an_address(line1="1 Typed Street"),
    "line_items": (a_line(seller_sku="TYPED"),),
}
TWO_LINES = (a_line(), a_line(order_item_id="90002", seller_sku="SHADE-1", quantity=1))


@pytest.mark.parametrize(
    ("unit", "then", "now"),
    [
        ("name", {"recipient_name": "Ada Quill"}, {"recipient_name": "Bo Quill"}),
        ("email", {"buyer_email": "a@example.com"}, {"buyer_email": "b@example.com"}),
        ("delivery_address", {}, {"delivery_address": an_address(line1="5 Mill Road")}),
        ("delivery_address", {}, {"delivery_address": an_address(postal_code="97210")}),
        ("billing_address", {"tax_address": an_address()}, {"tax_address": an_address(city="Salem")}),
        ("line_items", {"line_items": TWO_LINES}, {"line_items": TWO_LINES[:1]}),
        ("line_items", {"line_items": TWO_LINES}, {"line_items": ()}),
        ("line_items", {"line_items": TWO_LINES}, {"line_items": (TWO_LINES[0], a_line(order_item_id="3"))}),
        ("line_items", {}, {"line_items": TWO_LINES}),
        ("line_items", {}, {"line_items": (a_line(quantity=1),)}),
        ("line_items", {}, {"line_items": (a_line(quantity=0),)}),
        ("line_items", {}, {"line_items": (a_line(seller_sku="LAMP-2"),)}),
        ("line_items", {"line_items": (a_line(seller_sku=None),)}, {"line_items": (a_line(quantity=1),)}),
    ],
)
def test_amazon_altering_what_it_had_said_of_an_edited_unit_is_a_change(
    unit: str, then: dict[str, Any], now: dict[str, Any]
) -> None:
    edits = edited(an_amazon_order(**then), **{unit: AN_EDIT[unit]})

    assert units_changed_at_amazon(edits, an_amazon_order(**now)) == (unit,)


@pytest.mark.parametrize(
    ("unit", "then", "now"),
    [
        ("name", {"recipient_name": None, "buyer_name": None}, {"recipient_name": "Ada Quill"}),
        ("name", {"recipient_name": None, "buyer_name": "Bo Ortiz", "is_gift": True}, {"is_gift": True}),
        ("email", {"buyer_email": None}, {"buyer_email": "b@example.com"}),
        ("delivery_address", {"delivery_address": None}, {}),
        ("delivery_address", {"delivery_address": Address(city="Portland", country_code="US")}, {}),
        ("billing_address", {"tax_address": None}, {"tax_address": an_address()}),
        ("line_items", {"line_items": None}, {}),
        ("line_items", {"line_items": ()}, {}),
        ("line_items", {"line_items": (a_line(quantity=0),)}, {}),
        ("line_items", {"line_items": (a_line(seller_sku=None, asin=None),)}, {}),
        ("line_items", {"line_items": (a_line(seller_sku=None),)}, {}),
    ],
)
def test_amazon_filling_a_gap_under_an_edit_is_no_change(unit: str, then: dict[str, Any], now: dict[str, Any]) -> None:
    edits = edited(an_amazon_order(**then), **{unit: AN_EDIT[unit]})

    assert units_changed_at_amazon(edits, an_amazon_order(**now)) == ()


@pytest.mark.parametrize(
    ("unit", "now"),
    [
        ("name", {"recipient_name": None, "buyer_name": None}),
        ("email", {"buyer_email": None}),
        ("delivery_address", {"delivery_address": None}),
        ("delivery_address", {"delivery_address": Address(country_code="US")}),
        ("billing_address", {"tax_address": None}),
        ("line_items", {"line_items": None}),
    ],
)
def test_amazon_falling_silent_under_an_edit_is_no_change(unit: str, now: dict[str, Any]) -> None:
    edits = edited(an_amazon_order(tax_address=an_address()), **{unit: AN_EDIT[unit]})

    assert units_changed_at_amazon(edits, an_amazon_order(**now)) == ()


@pytest.mark.parametrize(
    ("unit", "blank", "now"),
    [
        ("name", a_typed_name("", ""), {"recipient_name": "Bo Quill"}),
        ("email", "", {"buyer_email": "b@example.com"}),
    ],
)
def test_amazon_altering_what_was_blanked_here_is_a_change_too(unit: str, blank: Any, now: dict[str, Any]) -> None:
    edits = edited(an_amazon_order(), **{unit: blank})

    assert units_changed_at_amazon(edits, an_amazon_order(**now)) == (unit,)


@pytest.mark.parametrize("same", [{"title": "Desk lamp, new title"}, {"quantity_fulfilled": 1}])
def test_a_line_changes_by_what_has_to_be_picked_alone(same: dict[str, Any]) -> None:
    edits = edited(an_amazon_order(), line_items=AN_EDIT["line_items"])

    assert units_changed_at_amazon(edits, an_amazon_order(line_items=(a_line(**same),))) == ()


def test_the_order_of_the_lines_does_not_matter() -> None:
    edits = edited(an_amazon_order(line_items=TWO_LINES), line_items=AN_EDIT["line_items"])

    assert units_changed_at_amazon(edits, an_amazon_order(line_items=TWO_LINES[::-1])) == ()


def test_a_unit_that_nobody_edited_cannot_change_under_an_edit() -> None:
    edits = edited(an_amazon_order(), email="typed@example.com")

    assert units_changed_at_amazon(edits, an_amazon_order(recipient_name="Bo Quill", line_items=())) == ()


def test_every_edited_unit_that_changed_is_told() -> None:
    edits = edited(an_amazon_order(), **AN_EDIT)
    now = an_amazon_order(recipient_name="Bo Quill", buyer_email="b@example.com", line_items=())

    assert units_changed_at_amazon(edits, now) == ("name", "email", "line_items")


# Redaction ------------------------------------------------------------------------------------------------------------


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


def test_redaction_is_due_some_days_after_the_latest_delivery() -> None:
    assert an_order().redact_at == DELIVER_BY + REDACTION_AGE


def test_without_a_delivery_date_redaction_counts_from_dispatch() -> None:
    order = an_order(an_amazon_order(deliver_by=None), fully_dispatched_at=LATER)

    assert order.redact_at == LATER + REDACTION_AGE


def test_a_dispatch_of_which_we_learn_late_does_not_keep_personal_data_longer_than_the_maximum() -> None:
    learnt = CREATED + LONGEST_DELIVERY + timedelta(days=20)
    order = an_order(an_amazon_order(deliver_by=None), fully_dispatched_at=learnt, dispatched_by="amazon")

    assert order.redact_at == CREATED + LONGEST_DELIVERY + REDACTION_AGE


def test_without_any_date_redaction_counts_from_the_longest_delivery() -> None:
    assert an_order(an_amazon_order(deliver_by=None)).redact_at == CREATED + LONGEST_DELIVERY + REDACTION_AGE


def test_a_redacted_order_is_not_due_again() -> None:
    assert an_order(redacted_at=NOON).redact_at is None


# What an order shows --------------------------------------------------------------------------------------------------


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
def test_while_a_verdict_is_pending_everyone_sees_do_not_transfer_unless_the_warehouse_has_it(
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
def test_nothing_pending_void_redacted_or_in_needs_attention_is_transferable(closed: dict[str, Any]) -> None:
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
def test_nothing_pending_void_or_handed_over_is_fulfillable(closed: dict[str, Any]) -> None:
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


def test_an_order_that_is_not_held_or_waits_for_a_date_is_not_ready_to_release() -> None:
    assert not a_judged_order().is_ready_to_release
    assert not a_judged_order(hold=Hold(kind="snoozed", since=NOON, until=LATER)).is_ready_to_release


# Storing --------------------------------------------------------------------------------------------------------------


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


# What a person typed and Amazon says later ----------------------------------------------------------------------------


def test_amazon_coming_round_to_what_was_typed_is_no_change() -> None:
    before = an_amazon_order(delivery_address=an_address(line1="1 Old Road"), recipient_name="Ada Quil")
    typed = edited(before, delivery_address=an_address(line1="2 New Road"), name=a_typed_name("Ada", "Quill"))
    after = an_amazon_order(delivery_address=an_address(line1="2 New Road"), recipient_name="Ada  Quill")

    assert units_changed_at_amazon(typed, after) == ()


def test_amazon_changing_its_mind_to_something_else_is_a_change() -> None:
    before = an_amazon_order(delivery_address=an_address(line1="1 Old Road"), recipient_name="Ada Quil")
    typed = edited(before, delivery_address=an_address(line1="2 New Road"), name=a_typed_name("Ada", "Quill"))
    after = an_amazon_order(delivery_address=an_address(line1="3 Third Road"), recipient_name="Bea Quill")

    assert units_changed_at_amazon(typed, after) == ("name", "delivery_address")


def test_another_phone_number_is_no_other_address() -> None:
    before = an_amazon_order(delivery_address=an_address(phone="+1 503 555 0100"))
    typed = edited(before, delivery_address=an_address(line1="2 New Road"))
    after = an_amazon_order(delivery_address=an_address(phone="+1 503 555 0199"))

    assert units_changed_at_amazon(typed, after) == ()


@pytest.mark.parametrize("status", ["SHIPPED", "UNSHIPPED"])
def test_what_amazon_shipped_or_was_redacted_is_not_to_be_fulfilled_any_more(status: str) -> None:
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

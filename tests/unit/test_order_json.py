"""An order in Amazon's JSON: every fact from its place, and nonsense that stops nothing."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from needs_attention.amazon.order_json import LONGEST_TEXT, read_order
from needs_attention.orders.amazon_order import LARGEST_ORDER, Address, AmazonOrder, UnreadableOrder
from needs_attention.orders.completeness import find_missing
from needs_attention.orders.edits import Edits
from needs_attention.orders.settings import Settings
from tools.builders import ABSENT, CREATED, DELIVER_BY, SHIP_BY, a_line, a_raw_item, a_raw_order, an_order, dollars


@pytest.mark.parametrize("field", ["earliestDateTime", "latestDateTime"])
def test_a_deadline_out_of_range_in_utc_is_unknown(field: str) -> None:
    order = read_order(a_raw_order(fulfillment={"shipByWindow": {field: "1970-01-01T00:00:00+14:00"}}))

    assert None in {order.ship_by, order.ship_by_earliest}


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
        deliver_by_earliest=datetime(2026, 11, 26, 8, tzinfo=UTC),
        deliver_by=DELIVER_BY,
        grand_total=dollars("59.90"),
        tax_name="Ortiz Lamps Ltd",
        tax_address=Address(
            line1="1 Ledger Lane", city="Salem", state_or_region="OR", postal_code="97301", country_code="US"
        ),
        line_items=(
            a_line(title="Desk lamp", quantity_fulfilled=0, quantity_unfulfilled=2, unit_price=dollars("29.95")),
        ),
        is_gift=False,
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
        (
            "fulfillment",
            ["fulfillment_status", "fulfilled_by", "ship_by_earliest", "ship_by", "deliver_by_earliest", "deliver_by"],
        ),
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


@pytest.mark.parametrize("sku", ["ABC  DEF", "TABLE\tLAMP", "N/A", "e\u0301te\u0301-1", " LAMP-1 "])
def test_a_sku_is_read_letter_by_letter(sku: str) -> None:
    order = read_order(a_raw_order(orderItems=[a_raw_item(product={"sellerSku": sku})]))
    assert [line.seller_sku for line in order.line_items or ()] == [sku]


def test_an_unknown_status_or_channel_or_program_is_kept_as_it_is() -> None:
    raw = a_raw_order(fulfillment={"fulfillmentStatus": "TELEPORTED", "fulfilledBy": "DRONE"}, programs=["NEW_THING"])
    order = read_order(raw)

    assert (order.fulfillment_status, order.fulfilled_by, order.programs) == ("TELEPORTED", "DRONE", ("NEW_THING",))
    assert not any([order.is_cancelled, order.is_pending, order.is_shipped, order.is_partly_shipped])
    assert not order.is_fulfilled_by_amazon


def test_an_unknown_field_is_ignored() -> None:
    assert read_order(a_raw_order(novelty={"a": [1]})) == read_order(a_raw_order())


def test_programs_that_are_not_texts_are_ignored() -> None:
    assert read_order(a_raw_order(programs=["PRIME", None, 3, "", "\ud800"])).programs == ("PRIME",)


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


@pytest.mark.parametrize(("items", "count"), [([], 0), ([a_raw_item(), a_raw_item()], 2)])
def test_a_list_of_items_is_known_even_when_it_is_empty(items: list[object], count: int) -> None:
    lines = read_order(a_raw_order(orderItems=items)).line_items

    assert lines is not None
    assert len(lines) == count


def quantities(number: object) -> list[int | None]:
    """The quantities of a line that Amazon sends with `number` in the place of each."""
    shipped = {"quantityFulfilled": number, "quantityUnfulfilled": number}
    lines = read_order(a_raw_order(orderItems=[a_raw_item(quantityOrdered=number, fulfillment=shipped)])).line_items
    assert lines is not None
    return [lines[0].quantity, lines[0].quantity_fulfilled, lines[0].quantity_unfulfilled]


@pytest.mark.parametrize("number", [ABSENT, None, "2", 2.0, True, -1, 1_000_001, [], {}])
def test_a_quantity_that_cannot_be_read_is_unknown(number: object) -> None:
    assert quantities(number) == [None, None, None]


@pytest.mark.parametrize("number", [0, 1, 1_000_000])
def test_a_whole_number_is_a_quantity(number: int) -> None:
    assert quantities(number) == [number, number, number]


@pytest.mark.parametrize("item", [{"product": 5, "fulfillment": "x", "cancellation": []}, {}, None, "x", 3, [1]])
def test_an_unreadable_item_is_still_a_line(item: object) -> None:
    lines = read_order(a_raw_order(orderItems=[a_raw_item(), item])).line_items

    assert lines is not None
    assert lines[1] == a_line(order_item_id=None, seller_sku=None, asin=None, quantity=None)


@pytest.mark.parametrize("item", [None, "x", 3, [1]])
def test_a_line_that_is_no_object_holds_the_order(item: object) -> None:
    order = read_order(a_raw_order(orderItems=[a_raw_item(), item]))

    found = find_missing(order, Edits(), Settings())
    assert [(one.field, one.reason) for one in found] == [("lineItems", "noProduct")]


def test_a_gift_option_on_any_item_makes_the_order_a_gift() -> None:
    gift = a_raw_item(fulfillment={"packing": {"giftOption": {"giftMessage": None}}})

    assert read_order(a_raw_order(orderItems=[a_raw_item(), gift])).is_gift
    assert not read_order(a_raw_order(orderItems=[a_raw_item(fulfillment={"packing": {}})])).is_gift


@pytest.mark.parametrize(("requester", "asked"), [("BUYER", True), ("SELLER", False), (None, False)])
def test_only_the_buyers_own_request_counts_as_asking_to_cancel(requester: str | None, asked: bool) -> None:
    item = a_raw_item(cancellation={"cancellationRequest": {"requester": requester}})

    lines = read_order(a_raw_order(orderItems=[a_raw_item(), item])).line_items
    assert lines is not None
    assert [bool(line.asked_to_cancel) for line in lines] == [False, asked]


@pytest.mark.parametrize(
    ("cancellation", "is_cancelled"),
    [
        ({"cancellationExecution": {"cancelledBy": "MERCHANT", "cancelReason": "sold out"}}, True),
        ({"cancellationExecution": {}}, False),
        ({"cancellationRequest": {"requester": "BUYER"}}, False),
        (None, False),
    ],
)
def test_an_executed_cancellation_cancels_a_line(cancellation: object, is_cancelled: bool) -> None:
    item = a_raw_item(orderItemId="90002", cancellation=cancellation)

    lines = read_order(a_raw_order(orderItems=[item])).line_items
    assert lines is not None
    assert bool(lines[0].is_cancelled) == is_cancelled
    assert lines[0].is_wanted != is_cancelled


def test_an_order_too_large_to_keep_is_refused_by_its_bytes() -> None:
    programs = LARGEST_ORDER // 3 // LONGEST_TEXT + 1
    read_order(a_raw_order(programs=["a" * LONGEST_TEXT] * programs))  # of one byte each

    with pytest.raises(UnreadableOrder, match="more than the 100,000 that can be kept") as refused:
        read_order(a_raw_order(programs=["山" * LONGEST_TEXT] * programs))

    assert refused.value.order_id == "701-1111111-1111111"
    assert "山" not in str(refused.value)


@pytest.mark.parametrize(
    ("lines", "title", "longest"),
    [
        (50, "a" * 500, 500),
        (200, "a" * 500, 200),
        (200, "山" * 100, 300),
        (300, "山" * 100, 100),
        (380, "山" * 100, 50),
        (450, "a" * 500, 25),
    ],
)
def test_titles_are_shortened_by_bytes_as_far_as_it_takes(lines: int, title: str, longest: int) -> None:
    item = a_raw_item(product={"title": title, "asin": ABSENT, "price": ABSENT}, fulfillment=ABSENT)
    order = read_order(a_raw_order(orderItems=[item] * lines))

    assert order.line_items is not None
    (kept,) = {line.title for line in order.line_items}
    assert kept is not None
    assert longest - 4 < len(kept.encode()) <= longest
    assert kept == title or (kept.endswith("…") and title.startswith(kept[:-1]))
    assert LARGEST_ORDER / 2 < len(order.model_dump_json(by_alias=True).encode()) <= LARGEST_ORDER or kept == title


def test_an_order_may_be_kept_without_any_title() -> None:
    lines = [a_raw_item(product={"title": "a" * 100}) for _ in range(420)]
    order = read_order(a_raw_order(orderItems=lines))

    assert {line.title for line in order.line_items or ()} == {None}


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
def test_every_answer_is_refused_or_read_and_can_be_stored(raw: object) -> None:
    with suppress(UnreadableOrder):
        order = read_order(raw)
        assert AmazonOrder.model_validate_json(order.model_dump_json(by_alias=True)) == order
        assert an_order(order).redact_at is not None


@settings(deadline=None)
@given(JSON)
def test_json_that_is_no_order_is_refused(raw: object) -> None:
    with pytest.raises(UnreadableOrder):
        read_order(raw)


@pytest.mark.parametrize(
    ("status", "packages", "is_delivered"),
    [
        ("SHIPPED", ["DELIVERED"], True),
        ("SHIPPED", ["DELIVERED", "DELIVERED", "CANCELLED"], True),
        ("SHIPPED", ["DELIVERED", "IN_TRANSIT"], False),
        ("SHIPPED", ["UNDELIVERABLE"], False),
        ("SHIPPED", ["CANCELLED"], False),
        ("SHIPPED", ["DELIVERED", None], False),
        ("SHIPPED", [], False),
        ("PARTIALLY_SHIPPED", ["DELIVERED"], False),
        ("UNSHIPPED", ["DELIVERED"], False),
    ],
)
def test_an_order_is_delivered_once_all_its_packages_are(
    status: str, packages: list[str | None], is_delivered: bool
) -> None:
    told = [{"packageReferenceId": "1", "packageStatus": {"status": one}} for one in packages]
    order = read_order(a_raw_order(fulfillment={"fulfillmentStatus": status}, packages=told))
    assert order.delivered_at == (order.updated_at if is_delivered else None)


@pytest.mark.parametrize(
    "packages",
    [
        None,
        "two",
        [None, "x"],
        [{"packageStatus": "DELIVERED"}],
        {"status": "DELIVERED"},
        [{"packageStatus": {"status": {}}}],
    ],
)
def test_packages_that_cannot_be_read_say_nothing(packages: object) -> None:
    raw = a_raw_order(fulfillment={"fulfillmentStatus": "SHIPPED"}, packages=packages)
    assert read_order(raw).delivered_at is None

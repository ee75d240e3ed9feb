"""Every order that Amazon's types allow becomes an AmazonOrder without loss of what we use, path by path.

The orders are made of the types, so that each member shows in some of them; with Amazon's model, its own six sandbox
cases and two examples come on top.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from needs_attention.amazon.order_json import read_order
from needs_attention.orders.amazon_order import Address, AmazonOrder, LineItem, Money
from tests.contract.amazons_orders_api import OrdersApi
from tests.contract.orders_api_of_sdk import out_of_sdk


@pytest.fixture(scope="module")
def orders(orders_api: OrdersApi) -> list[Any]:
    return orders_api.orders()


def at(node: Any, path: str) -> Any:
    """The value at a dotted path; None if there is none, or a blank text: both are absence."""
    for key in path.split("."):
        node = node.get(key) if isinstance(node, Mapping) else None
    return None if node == "" else node


def time(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def is_money(ours: object, theirs: Mapping[str, str] | None) -> bool:
    if theirs is None:
        return ours is None
    return isinstance(ours, Money) and (Decimal(ours.amount), ours.currency_code) == (
        Decimal(theirs["amount"]),
        theirs["currencyCode"],
    )


TEXTS = {
    "orderId": "order_id",
    "salesChannel.marketplaceId": "marketplace_id",
    "buyer.buyerName": "buyer_name",
    "buyer.buyerEmail": "buyer_email",
    "buyer.buyerCompanyName": "buyer_company_name",
    "buyer.buyerPurchaseOrderNumber": "purchase_order_number",
    "recipient.deliveryAddress.name": "recipient_name",
    "fulfillment.fulfillmentStatus": "fulfillment_status",
    "fulfillment.fulfilledBy": "fulfilled_by",
    "fulfillment.fulfillmentServiceLevel": "service_level",
}
TIMES = {
    "createdTime": "created_at",
    "lastUpdatedTime": "updated_at",
    "fulfillment.shipByWindow.earliestDateTime": "ship_by_earliest",
    "fulfillment.shipByWindow.latestDateTime": "ship_by",
    "fulfillment.deliverByWindow.earliestDateTime": "deliver_by_earliest",
    "fulfillment.deliverByWindow.latestDateTime": "deliver_by",
}
ADDRESS = {
    "companyName": "company_name",
    "addressLine1": "line1",
    "addressLine2": "line2",
    "addressLine3": "line3",
    "city": "city",
    "districtOrCounty": "district_or_county",
    "municipality": "municipality",
    "stateOrRegion": "state_or_region",
    "postalCode": "postal_code",
    "countryCode": "country_code",
    "phone": "phone",
    "addressType": "address_type",
    "extendedFields.streetName": "street_name",
    "extendedFields.streetNumber": "street_number",
    "extendedFields.complement": "complement",
    "extendedFields.neighborhood": "neighborhood",
}
LINE = {
    "orderItemId": "order_item_id",
    "quantityOrdered": "quantity",
    "product.sellerSku": "seller_sku",
    "product.asin": "asin",
    "product.title": "title",
    "fulfillment.quantityFulfilled": "quantity_fulfilled",
    "fulfillment.quantityUnfulfilled": "quantity_unfulfilled",
}


def assert_address(ours: Any, theirs: Mapping[str, Any]) -> None:
    assert {path: getattr(ours, part) for path, part in ADDRESS.items()} == {path: at(theirs, path) for path in ADDRESS}


def test_some_orders_have_every_member_and_some_the_required_ones_only(
    orders_api: OrdersApi, orders: list[Any]
) -> None:
    types = orders_api.definitions["Order"]
    shown = [set(raw) for raw in orders]
    assert set(types["properties"]) in shown
    assert set(types["required"]) in shown


@pytest.mark.parametrize("path", TEXTS)
def test_texts_arrive_as_they_are(orders: list[Any], path: str) -> None:
    for raw in orders:
        assert getattr(read_order(raw), TEXTS[path]) == at(raw, path)
    assert any(at(raw, path) for raw in orders), "no sample shows this path: the check above says nothing"


@pytest.mark.parametrize("path", TIMES)
def test_times_arrive_as_the_same_moments(orders: list[Any], path: str) -> None:
    for raw in orders:
        assert getattr(read_order(raw), TIMES[path]) == time(at(raw, path))
    assert any(at(raw, path) for raw in orders), "no sample shows this path: the check above says nothing"


def test_the_grand_total_arrives_to_the_last_digit(orders: list[Any]) -> None:
    for raw in orders:
        assert is_money(read_order(raw).grand_total, at(raw, "proceeds.grandTotal"))
    assert any(at(raw, "proceeds.grandTotal") for raw in orders)


def test_every_part_of_the_delivery_address_arrives(orders: list[Any]) -> None:
    for raw in orders:
        if (theirs := at(raw, "recipient.deliveryAddress")) is None:
            assert read_order(raw).delivery_address is None
        else:
            assert_address(read_order(raw).delivery_address, theirs)
    assert {path for path in ADDRESS for raw in orders if at(raw, f"recipient.deliveryAddress.{path}")} == set(ADDRESS)


def test_every_line_arrives_in_its_place(orders: list[Any]) -> None:
    for raw in orders:
        lines = read_order(raw).line_items or ()
        assert len(lines) == len(raw["orderItems"]) > 0
        for line, item in zip(lines, raw["orderItems"], strict=True):
            assert {path: getattr(line, field) for path, field in LINE.items()} == {
                path: at(item, path) for path in LINE
            }
            assert is_money(line.unit_price, at(item, "product.price.unitPrice"))
    shown = {*LINE, "product.price.unitPrice"}
    assert {path for path in shown for raw in orders for item in raw["orderItems"] if at(item, path)} == shown


def test_programs_the_sellers_own_number_and_the_replaced_order_arrive(orders: list[Any]) -> None:
    for raw in orders:
        order = read_order(raw)
        assert list(order.programs) == raw.get("programs", [])
        own = [alias["aliasId"] for alias in raw.get("orderAliases", []) if alias["aliasType"] == "SELLER_ORDER_ID"]
        assert order.seller_order_id == next(iter(own), None)
        replaced = [associated["orderId"] for associated in raw.get("associatedOrders", [])]
        assert order.replaces_order_id == next(iter(replaced), None)
    assert any("associatedOrders" in raw for raw in orders)
    assert any("orderAliases" in raw for raw in orders)
    assert any("programs" in raw for raw in orders)


def test_the_buyers_tax_registration_arrives_and_nobody_elses(orders: list[Any]) -> None:
    addresses = 0
    for raw in orders:
        order = read_order(raw)
        registrations = at(raw, "tax.taxRegistrations") or []
        (buyers,) = [entry for entry in registrations if entry["entityType"] == "BUYER"] or [{}]
        assert order.tax_name == buyers.get("legalName")
        if address := buyers.get("taxRegistrationAddress"):
            assert_address(order.tax_address, address)
            addresses += 1
        else:
            assert order.tax_address is None
    assert 0 < addresses < len(orders)


def test_the_buyers_registration_is_found_wherever_it_stands(orders: list[Any]) -> None:
    several = [raw for raw in orders if len(at(raw, "tax.taxRegistrations") or ()) > 1]
    assert several
    for raw in several:
        turned = raw | {"tax": {"taxRegistrations": raw["tax"]["taxRegistrations"][::-1]}}
        assert read_order(turned) == read_order(raw)


def test_gifts_requests_to_cancel_and_cancelled_lines_are_seen(orders: list[Any]) -> None:
    gifts = cancellations = 0
    for raw in orders:
        order = read_order(raw)
        gift = any(at(item, "fulfillment.packing.giftOption") for item in raw["orderItems"])
        requesters = [at(item, "cancellation.cancellationRequest.requester") for item in raw["orderItems"]]
        asked = [requester == "BUYER" for requester in requesters]
        assert order.is_gift == gift
        assert [bool(line.asked_to_cancel) for line in order.line_items or ()] == asked
        executed = [bool(at(item, "cancellation.cancellationExecution")) for item in raw["orderItems"]]
        assert [bool(line.is_cancelled) for line in order.line_items or ()] == executed
        gifts, cancellations = gifts + gift, cancellations + any(asked)
    assert 0 < gifts < len(orders)
    assert 0 < cancellations < len(orders)


def test_an_order_is_delivered_once_all_its_packages_are(orders: list[Any]) -> None:
    sent = [raw for raw in orders if raw.get("packages")]
    assert sent
    for raw in sent:
        shipped = raw | {"fulfillment": raw["fulfillment"] | {"fulfillmentStatus": "SHIPPED"}}
        *others, last = [package | {"packageStatus": {"status": "DELIVERED"}} for package in raw["packages"]]
        arrived = read_order(shipped | {"packages": [*others, last]})
        assert arrived.delivered_at == arrived.updated_at
        last["packageStatus"] = {"status": "IN_TRANSIT"}
        assert read_order(shipped | {"packages": [*others, last]}).delivered_at is None


def test_members_that_amazon_added_later_change_nothing() -> None:
    newer = out_of_sdk().orders()
    promised = associated = 0
    for raw in newer:
        earlier = json.loads(json.dumps(raw))
        promised += bool(earlier.get("fulfillment", {}).pop("promiseCalculationInputs", None))
        for item in earlier["orderItems"]:
            for other in item.get("associatedOrderItems", ()):
                associated += bool(other.pop("asin") and other.pop("purchasePrice"))
        assert read_order(raw) == read_order(earlier)
    assert promised
    assert associated


def test_an_order_survives_being_stored_as_json(orders: list[Any]) -> None:
    for raw in orders:
        order = read_order(raw)
        assert AmazonOrder.model_validate_json(order.model_dump_json(by_alias=True)) == order


def test_every_field_of_an_order_is_checked_here() -> None:
    in_tests_of_their_own = {"grand_total", "delivery_address", "line_items", "programs", "seller_order_id"}
    in_tests_of_their_own |= {"replaces_order_id", "tax_name", "tax_address", "is_gift", "cancel_requested_by_buyer"}
    in_tests_of_their_own |= {"delivered_at"}
    follow_from_two_answers = {"came_back_from", "doubts"}
    mapped = {*TEXTS.values(), *TIMES.values(), *in_tests_of_their_own}
    assert mapped | follow_from_two_answers == set(AmazonOrder.model_fields)
    assert set(ADDRESS.values()) == set(Address.model_fields)
    lines_in_tests_of_their_own = {"unit_price", "is_cancelled", "asked_to_cancel"}
    assert {*LINE.values(), *lines_in_tests_of_their_own} == set(LineItem.model_fields)

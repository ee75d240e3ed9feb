"""Reads an order in Amazon's JSON, tolerantly."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import TypeAdapter, ValidationError

from needs_attention.orders.amazon_order import Address, AmazonOrder, LineItem, Money, UnreadableOrder, may_be_order_id
from needs_attention.values.text import cleaned, verbatim
from needs_attention.values.times import UtcTime

# In characters: no text of an order that we use is nearly as long, and composing (NFC) takes up to its square.
LONGEST_TEXT = 2_000

_TIME: TypeAdapter[datetime] = TypeAdapter(UtcTime)


def read_order(raw: object) -> AmazonOrder:
    """Reads an order of `searchOrders` or `getOrder`. It refuses only an order that cannot be identified.

    Raises UnreadableOrder if there is no order ID, created time or last updated time, or far too much data.
    """
    return AmazonOrder.model_validate(_facts(raw)).that_can_be_kept()


def _facts(raw: object) -> dict[str, Any]:
    """Every field of an AmazonOrder with its place in the JSON: one table, however long."""
    order = _node(raw)
    order_id = _text(order, "orderId")
    if order_id is None or not may_be_order_id(order_id):
        raise UnreadableOrder(None, "orderId is missing or not a text of at most 100 characters")
    updated_at = _required_time(order, "lastUpdatedTime", order_id)
    recipient = _node(_node(order.get("recipient")).get("deliveryAddress"))
    buyer, fulfillment = _node(order.get("buyer")), _node(order.get("fulfillment"))
    ship_by, deliver_by = _node(fulfillment.get("shipByWindow")), _node(fulfillment.get("deliverByWindow"))
    registrations = _nodes(_node(order.get("tax")).get("taxRegistrations"))
    tax = next((entry for entry in registrations if entry.get("entityType") == "BUYER"), {})
    tax_address = _node(tax.get("taxRegistrationAddress"))
    aliases = _nodes(order.get("orderAliases"))
    # A line that is no object still is a line: without it, the parcel would go out short.
    items = [_node(entry) for entry in _list(order.get("orderItems"))]
    has_items = isinstance(order.get("orderItems"), list)
    return {
        "order_id": order_id,
        "created_at": _required_time(order, "createdTime", order_id),
        "updated_at": updated_at,
        "marketplace_id": _text(_node(order.get("salesChannel")), "marketplaceId"),
        "seller_order_id": next(
            (_text(a, "aliasId") for a in aliases if a.get("aliasType") == "SELLER_ORDER_ID"), None
        ),
        "programs": _texts(order.get("programs")),
        "replaces_order_id": next((_text(o, "orderId") for o in _nodes(order.get("associatedOrders"))), None),
        "buyer_name": _text(buyer, "buyerName"),
        "buyer_email": _text(buyer, "buyerEmail"),
        "buyer_company_name": _text(buyer, "buyerCompanyName"),
        "purchase_order_number": _text(buyer, "buyerPurchaseOrderNumber"),
        "recipient_name": _text(recipient, "name"),
        "delivery_address": _address(recipient),
        "fulfillment_status": _text(fulfillment, "fulfillmentStatus"),
        "fulfilled_by": _text(fulfillment, "fulfilledBy"),
        "service_level": _text(fulfillment, "fulfillmentServiceLevel"),
        "ship_by_earliest": _time(ship_by, "earliestDateTime"),
        "ship_by": _time(ship_by, "latestDateTime"),
        "deliver_by_earliest": _time(deliver_by, "earliestDateTime"),
        "deliver_by": _time(deliver_by, "latestDateTime"),
        "delivered_at": updated_at if _is_delivered(order, fulfillment) else None,
        "grand_total": _money(_node(order.get("proceeds")).get("grandTotal")),
        "tax_name": _text(tax, "legalName") or _text(tax_address, "name"),
        "tax_address": _address(tax_address),
        "line_items": tuple(_line_item(item) for item in items) if has_items else None,
        "is_gift": any(_node(_node(_node(i.get("fulfillment")).get("packing")).get("giftOption")) for i in items),
    }


def _is_delivered(order: Mapping[str, Any], fulfillment: Mapping[str, Any]) -> bool:
    """Whether all packages of an order that is shipped completely have arrived. Amazon does not say when they did."""
    statuses = {_text(_node(package.get("packageStatus")), "status") for package in _nodes(order.get("packages"))}
    return fulfillment.get("fulfillmentStatus") == "SHIPPED" and statuses - {"CANCELLED"} == {"DELIVERED"}


def _node(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> Iterable[object]:
    return value if isinstance(value, list) else ()


def _nodes(value: object) -> list[Mapping[str, Any]]:
    return [entry for entry in _list(value) if isinstance(entry, Mapping)]


def _text(node: Mapping[str, Any], key: str) -> str | None:
    return _told(node.get(key))


def _key(node: Mapping[str, Any], key: str) -> str | None:
    """A key of the seller's own systems, letter by letter."""
    value = node.get(key)
    return verbatim(value) if isinstance(value, str) and len(value) <= LONGEST_TEXT else None


def _texts(value: object) -> tuple[str, ...]:
    texts = map(_told, _list(value))
    return tuple(text for text in texts if text is not None)


def _told(value: object) -> str | None:
    return cleaned(value) if isinstance(value, str) and len(value) <= LONGEST_TEXT else None


def _time(node: Mapping[str, Any], key: str) -> datetime | None:
    try:
        return _TIME.validate_python(node[key])
    except (KeyError, ValidationError):
        return None


def _required_time(order: Mapping[str, Any], key: str, order_id: str) -> datetime:
    time = _time(order, key)
    if time is None:
        raise UnreadableOrder(order_id, f"{key} is missing or not a time")
    return time


def _money(value: object) -> Money | None:
    node = _node(value)
    amount, currency = _text(node, "amount"), _text(node, "currencyCode")
    if amount is None or currency is None:
        return None
    try:
        number = Decimal(amount)
    except InvalidOperation:
        return None
    return Money(amount=str(number), currency_code=currency) if number.is_finite() else None


def _address(node: Mapping[str, Any]) -> Address | None:
    parts = {**node, **_node(node.get("extendedFields"))}
    texts = {field: _text(parts, info.alias or field) for field, info in Address.model_fields.items()}
    return Address.model_validate(texts) if any(texts.values()) else None


def _line_item(item: Mapping[str, Any]) -> LineItem:
    product, fulfillment = _node(item.get("product")), _node(item.get("fulfillment"))
    return LineItem(
        order_item_id=_text(item, "orderItemId"),
        seller_sku=_key(product, "sellerSku"),
        asin=_text(product, "asin"),
        title=_text(product, "title"),
        quantity=_quantity(item, "quantityOrdered"),
        quantity_fulfilled=_quantity(fulfillment, "quantityFulfilled"),
        quantity_unfulfilled=_quantity(fulfillment, "quantityUnfulfilled"),
        is_cancelled=bool(_node(item.get("cancellation")).get("cancellationExecution")) or None,
        unit_price=_money(_node(product.get("price")).get("unitPrice")),
        asked_to_cancel=_buyer_asked_to_cancel(item) or None,
    )


def _quantity(node: Mapping[str, Any], key: str) -> int | None:
    value = node.get(key)
    return value if type(value) is int and 0 <= value <= 1_000_000 else None


def _buyer_asked_to_cancel(item: Mapping[str, Any]) -> bool:
    return _node(_node(item.get("cancellation")).get("cancellationRequest")).get("requester") == "BUYER"

"""Whole orders in the shape of Amazon's model: every dataset, nothing missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from tools.amazon_stand_in.ledger import Json, amazon_time
from tools.amazon_stand_in.marketplaces import Marketplace

_CURRENCIES_WITHOUT_DECIMALS: Final = frozenset({"JPY"})


@dataclass(frozen=True, slots=True)
class Line:
    """One order item. `price` is for one piece, in the marketplace's currency."""

    seller_sku: str
    title: str
    quantity: int
    price: Decimal


def whole_order(
    order_id: str,
    *,
    marketplace: Marketplace,
    buyer_name: str,
    address: Json,
    lines: Sequence[Line],
    created: datetime,
    updated: datetime,
    ship_by: datetime,
    status: str = "UNSHIPPED",
    fulfilled_by: str = "MERCHANT",
) -> Json:
    """`address` is Amazon's deliveryAddress, the recipient's name in it.

    The buyer's email is derived from the order ID; item IDs are the order's digits and the line's number.
    """
    digits = order_id.replace("-", "")
    total = sum((line.price * line.quantity for line in lines), start=Decimal())
    return {
        "orderId": order_id,
        "orderAliases": [{"aliasId": f"SHOP-{digits[-7:]}", "aliasType": "SELLER_ORDER_ID"}],
        "createdTime": amazon_time(created),
        "lastUpdatedTime": amazon_time(updated),
        "salesChannel": {
            "channelName": "AMAZON",
            "marketplaceId": marketplace.marketplace_id,
            "marketplaceName": marketplace.name,
        },
        "buyer": {"buyerName": buyer_name, "buyerEmail": f"{digits}@marketplace.example.com"},
        "recipient": {"deliveryAddress": address},
        "proceeds": {"grandTotal": money(total, marketplace.currency)},
        "fulfillment": {
            "fulfillmentStatus": status,
            "fulfilledBy": fulfilled_by,
            "fulfillmentServiceLevel": "STANDARD",
            "shipByWindow": {"earliestDateTime": amazon_time(created), "latestDateTime": amazon_time(ship_by)},
            "deliverByWindow": {
                "earliestDateTime": amazon_time(ship_by + timedelta(days=1)),
                "latestDateTime": amazon_time(ship_by + timedelta(days=4)),
            },
        },
        "orderItems": [
            _order_item(f"{digits[-12:]}{number:02}", line, marketplace.currency, status)
            for number, line in enumerate(lines, start=1)
        ],
    }


def money(amount: Decimal, currency: str) -> Json:
    places = Decimal(1) if currency in _CURRENCIES_WITHOUT_DECIMALS else Decimal("0.01")
    return {"amount": str(amount.quantize(places)), "currencyCode": currency}


def _order_item(item_id: str, line: Line, currency: str, status: str) -> Json:
    subtotal = money(line.price * line.quantity, currency)
    fulfilled = line.quantity if status == "SHIPPED" else 0
    return {
        "orderItemId": item_id,
        "quantityOrdered": line.quantity,
        "product": {
            "asin": f"B0{item_id[-8:]}",
            "title": line.title,
            "sellerSku": line.seller_sku,
            "condition": {"conditionType": "NEW", "conditionSubtype": "NEW"},
            "price": {"unitPrice": money(line.price, currency)},
        },
        "proceeds": {"proceedsTotal": subtotal, "breakdowns": [{"type": "ITEM", "subtotal": subtotal}]},
        "fulfillment": {"quantityFulfilled": fulfilled, "quantityUnfulfilled": line.quantity - fulfilled},
    }

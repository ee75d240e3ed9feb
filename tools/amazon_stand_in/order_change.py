"""The ORDER_CHANGE notification, as it stands in the body of an SQS message.

Source: Amazon's JSON schema of the notification, payload version 1.0. Inferred: the reason of a change of status (the
schema allows any text), and that the postal code of an order that is pending or cancelled is null, as the Orders API
shows no recipient of such an order.
"""

from datetime import UTC, datetime
from typing import Final

from tools.amazon_stand_in.ledger import Json, moment
from tools.amazon_stand_in.v0_vocabulary import FULFILLMENT_CHANNELS, ORDER_STATUSES
from tools.amazon_stand_in.visibility import PENDING, WITHOUT_PERSONAL_DATA, items_of, part_of

NOTIFICATION_TYPE: Final = "ORDER_CHANGE"
PAYLOAD_VERSION: Final = "1.0"
ORDER_CHANGE_TYPES: Final = frozenset({"BuyerRequestedChange", "DeliveryTipChange", "OrderStatusChange"})
APPLICATION_ID: Final = "amzn1.sp.solution.stand-in"

_ORDER_PROGRAMS: Final = {
    "AMAZON_BUSINESS": "Business",
    "PRIME": "Prime",
    "PREMIUM": "Premium",
    "INVOICE_BY_AMAZON": "IBA",
}
_SHIPPING_PROGRAMS: Final = {"IN_STORE_PICK_UP": "ISPU", "AMAZON_EASY_SHIP": "EasyShip"}


def order_change(order: Json, *, subscription_id: str, seller_id: str, at: datetime, notification_id: str) -> Json:
    """The notification that Amazon sends at that time for an order of the Orders API 2026-01-01 with all datasets.

    A buyer's request to cancel makes a BuyerRequestedChange, anything else an OrderStatusChange. Raises KeyError for
    an order whose status or channel v0 has no word for.
    """
    is_request = any(_is_cancellation_requested(item) for item in items_of(order))
    return {
        "NotificationVersion": "1.0",
        "NotificationType": NOTIFICATION_TYPE,
        "PayloadVersion": PAYLOAD_VERSION,
        "EventTime": _time(at),
        "Payload": {
            "OrderChangeNotification": {
                "NotificationLevel": "OrderLevel",
                "SellerId": seller_id,
                "AmazonOrderId": order["orderId"],
                "OrderChangeType": "BuyerRequestedChange" if is_request else "OrderStatusChange",
                "OrderChangeTrigger": {
                    "TimeOfOrderChange": _time(moment(order["lastUpdatedTime"])),
                    "ChangeReason": "Buyer Requested Cancel" if is_request else "Order Status Change",
                },
                "Summary": _summary(order),
            }
        },
        "NotificationMetadata": {
            "ApplicationId": APPLICATION_ID,
            "SubscriptionId": subscription_id,
            "PublishTime": _time(at),
            "NotificationId": notification_id,
        },
    }


def _summary(order: Json) -> Json:
    fulfillment = part_of(order, "fulfillment")
    status, channel = fulfillment["fulfillmentStatus"], FULFILLMENT_CHANNELS[fulfillment["fulfilledBy"]]
    programs = order.get("programs") or ()
    items = [_item(item) for item in items_of(order)]
    shipped = sum(item["QuantityShipped"] for item in items)
    written = {
        "MarketplaceId": order["salesChannel"]["marketplaceId"],
        "OrderStatus": ORDER_STATUSES[status],
        "PurchaseDate": _time(moment(order["createdTime"])),
        "DestinationPostalCode": None if status in WITHOUT_PERSONAL_DATA else _postal_code(order),
        "FulfillmentType": channel,
        "OrderType": "Preorder" if "PREORDER" in programs else "StandardOrder",
        "NumberOfItemsShipped": shipped,
        "NumberOfItemsUnshipped": sum(item["Quantity"] for item in items) - shipped,
        "OrderPrograms": [word for program, word in _ORDER_PROGRAMS.items() if program in programs],
        "ShippingPrograms": [word for program, word in _SHIPPING_PROGRAMS.items() if program in programs],
        "OrderItems": items,
    }
    return written | _window(fulfillment, "shipByWindow", "ShipDate") | _delivery(fulfillment, status, channel)


def _delivery(fulfillment: Json, status: str, channel: str) -> Json:
    """Amazon tells the merchant's orders only by when they are delivered, and the end only of those not in the air."""
    if channel != "MFN":
        return {}
    window = _window(fulfillment, "deliverByWindow", "DeliveryDate")
    if status in PENDING | {"CANCELLED"}:
        window.pop("LatestDeliveryDate", None)
    return window


def _window(fulfillment: Json, field: str, name: str) -> Json:
    window = part_of(fulfillment, field)
    bounds = {f"Earliest{name}": "earliestDateTime", f"Latest{name}": "latestDateTime"}
    return {bound: _time(moment(window[theirs])) for bound, theirs in bounds.items() if theirs in window}


def _item(item: Json) -> Json:
    return {
        "OrderItemId": item["orderItemId"],
        # The schema requires a text, and the ledger has items whose product Amazon does not know yet.
        "SellerSKU": part_of(item, "product").get("sellerSku") or "",
        "SupplySourceId": None,
        "Quantity": item["quantityOrdered"],
        "QuantityShipped": part_of(item, "fulfillment").get("quantityFulfilled", 0),
        "IsBuyerRequestedCancel": _is_cancellation_requested(item),
    }


def _is_cancellation_requested(item: Json) -> bool:
    return part_of(part_of(item, "cancellation"), "cancellationRequest").get("requester") == "BUYER"


def _postal_code(order: Json) -> str | None:
    code: str | None = part_of(part_of(order, "recipient"), "deliveryAddress").get("postalCode")
    return code


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

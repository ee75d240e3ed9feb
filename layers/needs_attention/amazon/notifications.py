"""Amazon's `ORDER_CHANGE` notifications: the seller's subscription to them, and what a message says.

They are hints: a changed order is asked for within seconds. Nothing depends on them, because Amazon promises neither
that they come nor when. They carry a postal code, so a message is never logged.

Facts: the models of the Notifications API v1 and of OrderChangeNotification. Amazon sends them only to a standard SQS
queue.
"""

from typing import Any, NamedTuple
from urllib.parse import quote

from pydantic import TypeAdapter
from pydantic_core import from_json

from needs_attention.amazon.client import SellingPartnerApi
from needs_attention.amazon.errors import RequestRejected, UnreadableAnswer
from needs_attention.integrations.integration import Integration
from needs_attention.orders.amazon_order import may_be_order_id
from needs_attention.values.times import UtcTime

_DESTINATIONS = "/notifications/v1/destinations"
_SUBSCRIPTIONS = "/notifications/v1/subscriptions/ORDER_CHANGE"
# Destinations belong to the application, and so does the right to end a subscription.
_GRANTLESS = "sellingpartnerapi::notifications"
_PAYLOAD_VERSION = "1.0"
_TIME: TypeAdapter[Any] = TypeAdapter(UtcTime)


class OrderChange(NamedTuple):
    """A notification: Amazon changed the order at `changed_at`. `is_pending`: Amazon has not released the order yet."""

    subscription_id: str
    order_id: str
    marketplace_id: str
    changed_at: UtcTime
    is_pending: bool


def order_change(body: str) -> OrderChange | None:
    """Reads a message; None for a notification of another kind. Raises ValueError if it is no notification."""
    match from_json(body):
        case {
            "NotificationType": "ORDER_CHANGE",
            "EventTime": event_time,
            "NotificationMetadata": {"SubscriptionId": str(subscription_id)},
            "Payload": {
                "OrderChangeNotification": {
                    "AmazonOrderId": str(order_id),
                    "OrderChangeTrigger": {"TimeOfOrderChange": time_of_change},
                    "Summary": {"MarketplaceId": str(marketplace_id), "OrderStatus": str(status)},
                }
            },
        } if may_be_order_id(order_id):
            # Whole seconds, as the orders' own times are.
            changed_at = _TIME.validate_python(time_of_change or event_time).replace(microsecond=0)
            is_pending = status.startswith("Pending")
            return OrderChange(subscription_id, order_id, marketplace_id, changed_at, is_pending)
        case {"NotificationType": str(kind)} if kind != "ORDER_CHANGE":
            return None
    raise ValueError("the message is no notification as in Amazon's schema")


def is_wanted(change: OrderChange, integration: Integration) -> bool:
    """Whether the order is worth a call: the integration downloads, wants notifications, and takes orders like this."""
    settings = integration.settings
    is_downloading = not (integration.is_paused or integration.deleted_at)
    is_taken = settings.download_pending_orders or not change.is_pending
    is_ours = change.marketplace_id in integration.marketplace_ids
    return is_downloading and settings.order_change_notifications and is_taken and is_ours


def subscribe(amazon: SellingPartnerApi, queue_arn: str) -> str:
    """The ID of the seller's subscription that sends to the queue; creates it if there is none.

    Raises an SpApiError, also if the same application already sends this seller's notifications elsewhere.
    """
    destination_id = _destination(amazon, queue_arn)
    known = _subscription(amazon)
    if known is None:
        body = {"payloadVersion": _PAYLOAD_VERSION, "destinationId": destination_id}
        made = amazon.call("createSubscription", "POST", _SUBSCRIPTIONS, body=body)
        return _text(made.get("payload"), "subscriptionId", "createSubscription")
    if _text(known, "destinationId", "getSubscription") != destination_id:
        raise RequestRejected("the application sends this seller's ORDER_CHANGE notifications elsewhere already")
    return _text(known, "subscriptionId", "getSubscription")


def unsubscribe(amazon: SellingPartnerApi, subscription_id: str) -> None:
    """Ends the subscription; it may have ended already. Raises an SpApiError."""
    path = f"{_SUBSCRIPTIONS}/{quote(subscription_id, safe='')}"
    try:
        amazon.call("deleteSubscriptionById", "DELETE", path, scope=_GRANTLESS)
    except RequestRejected as error:
        if error.status != 404:
            raise


def _subscription(amazon: SellingPartnerApi) -> object:
    try:
        return amazon.call("getSubscription", "GET", _SUBSCRIPTIONS).get("payload")
    except RequestRejected as error:
        if error.status != 404:
            raise
        return None


def _destination(amazon: SellingPartnerApi, queue_arn: str) -> str:
    if destination_id := _known_destination(amazon, queue_arn):
        return destination_id
    body = {"name": queue_arn.rpartition(":")[2], "resourceSpecification": {"sqs": {"arn": queue_arn}}}
    try:
        made = amazon.call("createDestination", "POST", _DESTINATIONS, body=body, scope=_GRANTLESS)
    except RequestRejected as error:
        # Another seller's integration with the same application may have made it meanwhile.
        if error.status == 409 and (destination_id := _known_destination(amazon, queue_arn)):
            return destination_id
        raise
    return _text(made.get("payload"), "destinationId", "createDestination")


def _known_destination(amazon: SellingPartnerApi, queue_arn: str) -> str | None:
    found = amazon.call("getDestinations", "GET", _DESTINATIONS, scope=_GRANTLESS).get("payload")
    for destination in found if isinstance(found, list) else ():
        match destination:
            case {"destinationId": str(destination_id), "resource": {"sqs": {"arn": arn}}} if arn == queue_arn:
                return destination_id
    return None


def _text(payload: object, name: str, operation: str) -> str:
    match payload:
        case {**fields} if isinstance(text := fields.get(name), str) and text:
            return text
    raise UnreadableAnswer(f"{operation}: Amazon answered without {name}")

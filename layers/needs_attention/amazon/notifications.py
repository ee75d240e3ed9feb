"""Amazon's `ORDER_CHANGE` notifications: the seller's subscription to them, and what a message says.

They are hints: a changed order is asked for within seconds. Nothing depends on them, because Amazon promises neither
that they come nor when. They carry a postal code, so a message is never logged.

Facts: the models of the Notifications API v1 and of OrderChangeNotification. Amazon sends them only to a standard SQS
queue.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from needs_attention.amazon.client import SellingPartnerApi
from needs_attention.amazon.errors import RequestRejected, UnreadableAnswer
from needs_attention.integrations.integration import Integration
from needs_attention.orders.amazon_order import may_be_order_id
from needs_attention.values.times import UtcTime

_KIND = "ORDER_CHANGE"
_DESTINATIONS = "/notifications/v1/destinations"
_SUBSCRIPTIONS = f"/notifications/v1/subscriptions/{_KIND}"
# Destinations belong to the application, and so does the right to end a subscription.
_GRANTLESS = "sellingpartnerapi::notifications"
_PAYLOAD_VERSION = "1.0"
# The model calls the directive optional, but Amazon refuses a subscription without one ("Processing Directive
# eventFilter must not be empty", jlevers/selling-partner-api#885), and one with marketplace IDs
# (amzn/selling-partner-api-models#4135). Without `orderChangeTypes` every kind of change comes.
_EVERY_CHANGE = {"eventFilter": {"eventFilterType": _KIND}}
# The kinds of change that the gate needs. The third, DeliveryTipChange, is of no use here.
_NEEDED_CHANGES = frozenset({"OrderStatusChange", "BuyerRequestedChange"})
_TIME: TypeAdapter[datetime] = TypeAdapter(UtcTime)


class ChangeNotification(NamedTuple):
    """A notification: Amazon changed the order at `changed_at`. `is_pending`: Amazon has not released the order yet.

    `seller_id`, `marketplace_id` and `changed_at` are None if the notification does not say.
    """

    subscription_id: str
    order_id: str
    seller_id: str | None
    marketplace_id: str | None
    changed_at: datetime | None
    is_pending: bool


def order_change(body: str) -> ChangeNotification | None:
    """Reads a message; None for a notification of another kind. Raises ValueError if it is no notification.

    The subscription and the order are enough: Amazon leaves out fields that its schema requires
    (amzn/selling-partner-api-models#5054).
    """
    message = from_json(body)
    match message:
        case {"NotificationType": str(kind)} | {"notificationType": str(kind)} if kind != _KIND:
            return None
        case {
            "NotificationMetadata": {"SubscriptionId": str(subscription_id)},
            "Payload": {"OrderChangeNotification": {"AmazonOrderId": str(order_id), **change}},
        } if may_be_order_id(order_id):
            times = (
                _told(change, "OrderChangeTrigger", "TimeOfOrderChange"),
                _told(message, "EventTime"),
                _told(message, "NotificationMetadata", "PublishTime"),
            )
            return ChangeNotification(
                subscription_id,
                order_id,
                seller_id=_told(change, "SellerId"),
                marketplace_id=_told(change, "Summary", "MarketplaceId"),
                changed_at=_first_time(times),
                is_pending=(_told(change, "Summary", "OrderStatus") or "").startswith("Pending"),
            )
    raise ValueError("the message is no notification as in Amazon's schema")


def _told(node: object, *path: str) -> str | None:
    for name in path:
        node = node.get(name) if isinstance(node, dict) else None
    return node if isinstance(node, str) and node else None


def _first_time(texts: Iterable[str | None]) -> datetime | None:
    """The first of them that is a time, in whole seconds, as the orders' own times are."""
    for text in texts:
        try:
            return _TIME.validate_python(text).replace(microsecond=0)
        except ValidationError:
            continue
    return None


def is_wanted(change: ChangeNotification, integration: Integration) -> bool:
    """Whether the order is worth a call: the integration downloads, wants notifications, and takes orders like this."""
    settings = integration.settings
    is_downloading = not (integration.is_paused or integration.deleted_at)
    is_taken = settings.download_pending_orders or not change.is_pending
    is_ours = change.marketplace_id is None or change.marketplace_id in integration.marketplace_ids
    return is_downloading and settings.order_change_notifications and is_taken and is_ours


def subscribe(amazon: SellingPartnerApi, queue_arn: str) -> str:
    """The ID of the seller's subscription that sends every change to the queue.

    Creates it if there is none, and replaces one that a filter keeps changes from. Raises an SpApiError, also if the
    same application already sends this seller's notifications elsewhere.
    """
    destination_id = _destination(amazon, queue_arn)
    known = _subscription(amazon)
    if known is None:
        return _created_subscription(amazon, destination_id)
    if _text(known, "destinationId", "getSubscription") != destination_id:
        raise RequestRejected("the application sends this seller's ORDER_CHANGE notifications elsewhere already")
    subscription_id = _text(known, "subscriptionId", "getSubscription")
    if _is_filtered(known):
        unsubscribe(amazon, subscription_id)
        return _created_subscription(amazon, destination_id)
    return subscription_id


def _created_subscription(amazon: SellingPartnerApi, destination_id: str) -> str:
    body = {
        "payloadVersion": _PAYLOAD_VERSION,
        "destinationId": destination_id,
        "processingDirective": _EVERY_CHANGE,
    }
    made = amazon.call("createSubscription", "POST", _SUBSCRIPTIONS, body=body)
    return _text(made.get("payload"), "subscriptionId", "createSubscription")


def _is_filtered(subscription: object) -> bool:
    """Whether changes that the gate needs do not come by the subscription."""
    match subscription:
        case {"processingDirective": {"eventFilter": {**event_filter}}}:
            kinds = event_filter.get("orderChangeTypes")
            has_all_kinds = not kinds or (isinstance(kinds, list) and all(kind in kinds for kind in _NEEDED_CHANGES))
            return bool(event_filter.get("marketplaceIds")) or not has_all_kinds
    return False


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

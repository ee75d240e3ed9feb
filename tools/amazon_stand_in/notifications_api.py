"""The Notifications API v1, as far as ORDER_CHANGE to an SQS queue needs it.

Sources: Amazon's model of the API for shapes, statuses and usage plans; SP-API documentation, "Grantless operations",
for which of them want which token; Amazon's issue tracker for the texts of errors. Observed there, too: a FIFO queue is
taken but nothing arrives in it, though the documentation asks for a standard queue; a destination comes back with a
null for the kind of resource that it is not; a subscription needs an event filter, though the model calls it optional,
and takes no marketplace IDs. Inferred: the status of the refusal to delete a destination in use (its
code is that of 403 answers), the texts of 404 answers (the model's words, as other texts are), and that ORDER_CHANGE
has one payload version.

Less than Amazon: no EventBridge (ORDER_CHANGE does not go there), no other notification types, no `filterExpression`.
Each of them is an invalid input.
"""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tools.amazon_stand_in.front_door import FrontDoor, json_body
from tools.amazon_stand_in.http_messages import Answer, ApiError, Request
from tools.amazon_stand_in.ledger import Json
from tools.amazon_stand_in.login_with_amazon import NOTIFICATIONS
from tools.amazon_stand_in.order_change import (
    APPLICATION_ID,
    NOTIFICATION_TYPE,
    ORDER_CHANGE_TYPES,
    PAYLOAD_VERSION,
    order_change,
)

DESTINATIONS_PATH: Final = "/notifications/v1/destinations"
SUBSCRIPTIONS_PATH: Final = "/notifications/v1/subscriptions"
SELLER_ID: Final = "A1STANDINSELLER"
_QUEUE_ARN: Final = re.compile(r"arn:aws:sqs:\S+:\S+:\S+")
_LONGEST_ARN: Final = 1000
_LONGEST_NAME: Final = 256


@dataclass(frozen=True, slots=True)
class Destination:
    """A queue of the application's, by the name that it gave it."""

    destination_id: str
    name: str
    arn: str

    def as_json(self) -> Json:
        resource = {"sqs": {"arn": self.arn}, "eventBridge": None}
        return {"destinationId": self.destination_id, "name": self.name, "resource": resource}


@dataclass(frozen=True, slots=True)
class Subscription:
    """The seller's changes of orders to a destination. `change_types` is empty for all of them."""

    subscription_id: str
    destination_id: str
    change_types: tuple[str, ...]

    def as_json(self) -> Json:
        written: Json = {
            "subscriptionId": self.subscription_id,
            "payloadVersion": PAYLOAD_VERSION,
            "destinationId": self.destination_id,
        }
        event_filter: Json = {"eventFilterType": NOTIFICATION_TYPE}
        if self.change_types:
            event_filter["orderChangeTypes"] = list(self.change_types)
        written["processingDirective"] = {"eventFilter": event_filter}
        return written

    def wants(self, change_type: str) -> bool:
        return not self.change_types or change_type in self.change_types


class NotificationsApi:
    """One application's destinations, and its one subscription to ORDER_CHANGE on behalf of one seller."""

    def __init__(self, door: FrontDoor, now: Callable[[], datetime]) -> None:
        self._door = door
        self._now = now
        self._destinations: dict[str, Destination] = {}
        self._subscription: Subscription | None = None

    def order_change(self, order: Json) -> tuple[str, Json] | None:
        """See `AmazonStandIn.order_change`."""
        if self._subscription is None:
            return None
        arn = self._destinations[self._subscription.destination_id].arn
        notification = order_change(
            order,
            subscription_id=self._subscription.subscription_id,
            seller_id=SELLER_ID,
            at=self._now(),
            notification_id=str(uuid.uuid4()),
        )
        change_type = notification["Payload"]["OrderChangeNotification"]["OrderChangeType"]
        if arn.endswith(".fifo") or not self._subscription.wants(change_type):
            return None
        return arn, notification

    def create_destination(self, request: Request) -> Answer:
        return self._door.answer("createDestination", request, self._created_destination, scope=NOTIFICATIONS)

    def get_destinations(self, request: Request) -> Answer:
        return self._door.answer("getDestinations", request, self._all_destinations, scope=NOTIFICATIONS)

    def get_destination(self, request: Request) -> Answer:
        return self._door.answer("getDestination", request, self._one_destination, scope=NOTIFICATIONS)

    def delete_destination(self, request: Request) -> Answer:
        return self._door.answer("deleteDestination", request, self._deleted_destination, scope=NOTIFICATIONS)

    def create_subscription(self, request: Request) -> Answer:
        return self._door.answer("createSubscription", request, self._created_subscription)

    def get_subscription(self, request: Request) -> Answer:
        return self._door.answer("getSubscription", request, self._sellers_subscription)

    def get_subscription_by_id(self, request: Request) -> Answer:
        return self._door.answer("getSubscriptionById", request, self._one_subscription, scope=NOTIFICATIONS)

    def delete_subscription_by_id(self, request: Request) -> Answer:
        return self._door.answer("deleteSubscriptionById", request, self._deleted_subscription, scope=NOTIFICATIONS)

    def _created_destination(self, request: Request) -> Json:
        body = json_body(request)
        name, arn = _name(body), _queue_arn(body)
        if any(destination.arn == arn for destination in self._destinations.values()):
            message = "The requested resource conflict with a resource in the server."
            details = f"A destination with arn {arn} already exists for the application {APPLICATION_ID}"
            raise ApiError(409, "Conflict", message, details)
        destination = Destination(str(uuid.uuid4()), name, arn)
        self._destinations[destination.destination_id] = destination
        return {"payload": destination.as_json()}

    def _all_destinations(self, _: Request) -> Json:
        return {"payload": [destination.as_json() for destination in self._destinations.values()]}

    def _one_destination(self, request: Request) -> Json:
        return {"payload": self._destination(request).as_json()}

    def _deleted_destination(self, request: Request) -> Json:
        destination_id = self._destination(request).destination_id
        if self._subscription and self._subscription.destination_id == destination_id:
            raise ApiError(403, "Unauthorized", "The requested action is forbidden.", "Destination has subscriptions")
        del self._destinations[destination_id]
        return {}

    def _destination(self, request: Request) -> Destination:
        destination = self._destinations.get(request.path.removeprefix(f"{DESTINATIONS_PATH}/"))
        if destination is None:
            raise _not_found("No such destination")
        return destination

    def _created_subscription(self, request: Request) -> Json:
        _check_notification_type(request)
        body = json_body(request)
        destination_id = body.get("destinationId")
        if destination_id not in self._destinations:
            raise _unreadable(f"No destination with id '{destination_id}' for applicationId '{APPLICATION_ID}'")
        if body.get("payloadVersion") != PAYLOAD_VERSION:
            raise _unreadable(f"payloadVersion must be {PAYLOAD_VERSION}")
        change_types = _change_types(body)
        if self._subscription is not None:
            message = "The resource specified conflicts with the current state."
            details = f"Subscription already exist for notification type {NOTIFICATION_TYPE}"
            raise ApiError(409, "StateConflict", message, details)
        self._subscription = Subscription(str(uuid.uuid4()), destination_id, change_types)
        return {"payload": self._subscription.as_json()}

    def _sellers_subscription(self, request: Request) -> Json:
        _check_notification_type(request)
        version = request.query.get("payloadVersion", [PAYLOAD_VERSION])[0]
        if self._subscription is None or version != PAYLOAD_VERSION:
            raise _not_found("No such subscription")
        return {"payload": self._subscription.as_json()}

    def _one_subscription(self, request: Request) -> Json:
        return {"payload": self._subscription_by_id(request).as_json()}

    def _deleted_subscription(self, request: Request) -> Json:
        self._subscription_by_id(request)
        self._subscription = None
        return {}

    def _subscription_by_id(self, request: Request) -> Subscription:
        _check_notification_type(request)
        subscription_id = request.path.rpartition("/")[2]
        if self._subscription is None or self._subscription.subscription_id != subscription_id:
            raise _not_found("No such subscription")
        return self._subscription


def _name(body: Json) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not name or len(name) > _LONGEST_NAME:
        raise _unreadable(f"name must be a text of 1 to {_LONGEST_NAME} characters")
    return name


def _queue_arn(body: Json) -> str:
    specification = body.get("resourceSpecification")
    if not isinstance(specification, dict):
        raise _unreadable("resourceSpecification must be an object")
    if specification.get("sqs") and specification.get("eventBridge"):
        details = "A destination cannot be created with multiple resource types"
        raise ApiError(400, "InvalidInput", "Invalid input.", details)
    queue = specification.get("sqs")
    arn = queue.get("arn") if isinstance(queue, dict) else None
    if not isinstance(arn, str) or len(arn) > _LONGEST_ARN or not _QUEUE_ARN.match(arn):
        raise _unreadable("resourceSpecification.sqs.arn must be the ARN of a queue")
    return arn


def _change_types(body: Json) -> tuple[str, ...]:
    directive = body.get("processingDirective")
    event_filter = directive.get("eventFilter") if isinstance(directive, dict) else None
    if not isinstance(event_filter, dict):
        raise _unreadable("Processing Directive eventFilter must not be empty")
    if event_filter.get("eventFilterType") != NOTIFICATION_TYPE:
        raise _unreadable(f"eventFilterType must be {NOTIFICATION_TYPE}")
    if "marketplaceIds" in event_filter:
        raise _unreadable(f"marketplaceIds is no filter of {NOTIFICATION_TYPE}")
    change_types = event_filter.get("orderChangeTypes")
    if change_types is None:
        return ()
    if not isinstance(change_types, list) or not change_types or not ORDER_CHANGE_TYPES.issuperset(change_types):
        raise _unreadable(f"orderChangeTypes must be some of {', '.join(sorted(ORDER_CHANGE_TYPES))}")
    return tuple(change_types)


def _check_notification_type(request: Request) -> None:
    notification_type = request.path.removeprefix(f"{SUBSCRIPTIONS_PATH}/").partition("/")[0]
    if notification_type != NOTIFICATION_TYPE:
        raise _unreadable(f"The notification type {notification_type} is not supported")


def _unreadable(details: str) -> ApiError:
    return ApiError(400, "InvalidInput", "Request has missing or invalid parameters and cannot be parsed.", details)


def _not_found(details: str) -> ApiError:
    return ApiError(404, "NotFound", "The resource specified does not exist.", details)

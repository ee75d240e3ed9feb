"""The stand-in's ORDER_CHANGE notifications are of Amazon's schema, and what we ask of Notifications is of its types.

The environment variable ORDER_CHANGE_SCHEMA names the schema: OrderChangeNotification.json of Amazon's
selling-partner-api-models. `EXPECTED` is what we read in it, as far as the stand-in tells it; Amazon's SDK has no type
of the notification, but its types of the Orders API v0 have the same words.
"""

import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
import urllib3
from spapi.models import notifications_v1, orders_v0  # type: ignore[import-untyped]  # the SDK ships no types

from needs_attention.amazon.client import SellingPartnerApi
from needs_attention.amazon.notifications import order_change as read_notification
from needs_attention.amazon.notifications import subscribe
from needs_attention.amazon.tokens import Credentials
from tests.contract.orders_api_of_sdk import sdk_definitions
from tools.amazon_stand_in.generator import Hole, generated
from tools.amazon_stand_in.ledger import Json, moment
from tools.amazon_stand_in.marketplaces import Region
from tools.amazon_stand_in.order_change import ORDER_CHANGE_TYPES, order_change
from tools.amazon_stand_in.server import AmazonStandIn
from tools.amazon_stand_in.story import story

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
REGIONS: tuple[Region, ...] = ("NA", "EU", "FE")
SCHEMA = os.environ.get("ORDER_CHANGE_SCHEMA")

# A name with * is required, a kind with ? may be null; a tuple holds the only words, a list the kind of its entries.
# Source: OrderChangeNotification.json of amzn/selling-partner-api-models at commit 34dc93f, payload version 1.0.
EXPECTED: Final = {
    "NotificationVersion*": "string",
    "NotificationType*": "string",
    "PayloadVersion*": "string",
    "EventTime*": "string",
    "Payload*": {
        "OrderChangeNotification*": {
            "NotificationLevel*": ("OrderItemLevel", "OrderLevel"),
            "SellerId*": "string",
            "AmazonOrderId*": "string",
            "OrderChangeType*": ("BuyerRequestedChange", "DeliveryTipChange", "OrderStatusChange"),
            "OrderChangeTrigger*": {"TimeOfOrderChange*": "string?", "ChangeReason*": "string"},
            "Summary*": {
                "MarketplaceId*": "string",
                "OrderStatus*": (
                    *("PendingAvailability", "Pending", "Unshipped", "PartiallyShipped", "Shipped", "Canceled"),
                    *("Unfulfillable", "InvoiceUnconfirmed"),
                ),
                "PurchaseDate*": "string?",
                "DestinationPostalCode*": "string?",
                "FulfillmentType*": ("AFN", "MFN"),
                "OrderType*": ("StandardOrder", "LongLeadTimeOrder", "Preorder", "BackOrder", "SourcingOnDemandOrder"),
                "NumberOfItemsShipped": "integer",
                "NumberOfItemsUnshipped": "integer",
                "EarliestShipDate": "string",
                "LatestShipDate": "string",
                "EarliestDeliveryDate": "string",
                "LatestDeliveryDate": "string",
                "OrderPrograms": [("Business", "Prime", "Premium", "IBA", "Replacement")],
                "ShippingPrograms": [("ShipDateSet", "GlobalExpress", "ISPU", "AccessPoint", "TFM", "EasyShip")],
                "OrderItems*": [
                    {
                        "OrderItemId*": "string",
                        "SellerSKU*": "string",
                        "SupplySourceId*": "string?",
                        "Quantity*": "integer",
                        "QuantityShipped": "integer",
                        "IsBuyerRequestedCancel": "boolean",
                    }
                ],
            },
        }
    },
    "NotificationMetadata*": {
        "ApplicationId*": "string",
        "SubscriptionId*": "string",
        "PublishTime*": "string",
        "NotificationId*": "string",
    },
}
NEVER_TOLD = {
    *("CancelNotifyDate", "EasyShipShipmentStatus", "ElectronicInvoiceStatus"),
    *("OrderItems.OrderItemStatus", "OrderItems.ItemEarliestDeliveryDate", "OrderItems.ItemLatestDeliveryDate"),
}
SUMMARY = "Payload.OrderChangeNotification.Summary"


def compiled(expected: Any) -> Json:
    """The table above as a JSON schema."""
    match expected:
        case str():
            return {"type": [expected[:-1], "null"] if expected.endswith("?") else expected}
        case tuple():
            return {"type": "string", "enum": list(expected)}
        case [entry]:
            return {"type": "array", "items": compiled(entry)}
    return {
        "type": "object",
        "properties": {name.rstrip("*"): compiled(part) for name, part in expected.items()},
        "required": [name[:-1] for name in expected if name.endswith("*")],
    }


def strict(schema: Any) -> Any:
    """Without the IDs, which are no URLs that anything could be resolved against; an unknown field is an error."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: strict(part) for name, part in schema.items() if name != "$id"}
    return made | ({"additionalProperties": False} if isinstance(schema.get("properties"), dict) else {})


@pytest.fixture(scope="module", params=["expected", *(["schema"] if SCHEMA else [])])
def schema(request: pytest.FixtureRequest) -> Json:
    published: Json = json.loads(Path(SCHEMA).read_bytes()) if SCHEMA and request.param == "schema" else {}
    made: Json = strict(published or compiled(EXPECTED))
    return made


@pytest.fixture(scope="module")
def notifications() -> list[Json]:
    """Of the story's orders, and of generated ones of each region."""
    entries = [*story(NOON)]
    for region in REGIONS:
        entries += generated(200, now=NOON, region=region, shares=dict.fromkeys(Hole, 0.1))
    return [notified(entry.order) for entry in entries]


def notified(order: Json) -> Json:
    return order_change(order, subscription_id="sub-1", seller_id="A1SELLER", at=NOON, notification_id="note-1")


def members(schema: Json, path: str = "") -> Iterator[tuple[str, str, bool]]:
    """Each member's path, such as `Payload.OrderChangeNotification.SellerId`, its type, and whether it is required."""
    inner = schema.get("items", schema)
    for name, part in inner.get("properties", {}).items():
        yield f"{path}{name}", str(part["type"]), name in inner.get("required", ())
        yield from members(part, f"{path}{name}.")


def told(value: object, path: str = "") -> Iterator[str]:
    """Each member's path in what a notification tells."""
    for entry in value if isinstance(value, list) else [value]:
        for name, part in entry.items() if isinstance(entry, dict) else ():
            yield f"{path}{name}"
            yield from told(part, f"{path}{name}.")


def test_changes_are_of_amazons_schema(schema: Json, notifications: list[Json]) -> None:
    validator = jsonschema.Draft7Validator(schema)
    assert len(notifications) > 600
    for notification in notifications:
        validator.validate(notification)


def test_changes_tell_each_member_but_those_never_told(schema: Json, notifications: list[Json]) -> None:
    never = {f"{SUMMARY}.{path}" for path in NEVER_TOLD}
    tellable = {member for member in members(schema) if member[0] not in never}
    assert tellable == set(members(compiled(EXPECTED)))
    assert {path for path, *_ in tellable} == {path for each in notifications for path in told(each)}


@pytest.mark.parametrize(
    ("member", "in_v0"),
    [("OrderStatus", "OrderStatus"), ("FulfillmentType", "FulfillmentChannel"), ("OrderType", "OrderType")],
)
def test_words_of_a_change_are_those_of_v0(schema: Json, member: str, in_v0: str) -> None:
    theirs = sdk_definitions(orders_v0)["Order"]["properties"][in_v0]["enum"]
    assert sorted(part_at(schema, f"{SUMMARY}.{member}")["enum"]) == sorted(theirs)


def test_kinds_of_changes_are_those_of_a_subscription(schema: Json) -> None:
    kinds = part_at(schema, "Payload.OrderChangeNotification.OrderChangeType")["enum"]
    assert sorted(kinds) == sorted(sdk_definitions(notifications_v1)["OrderChangeTypeEnum"]["enum"])
    assert frozenset(kinds) == ORDER_CHANGE_TYPES


def part_at(schema: Json, path: str) -> Json:
    for name in path.split("."):
        schema = schema["properties"][name]
    return schema


@pytest.mark.parametrize(
    "change", [{"OrderStatus": "UNSHIPPED"}, {"Unknown": 1}, {"OrderItems": [{}]}, {"MarketplaceId": None}]
)
def test_the_schema_notices_what_is_wrong(
    schema: Json, notifications: list[Json], change: Mapping[str, object]
) -> None:
    wrong = json.loads(json.dumps(notifications[0]))
    wrong["Payload"]["OrderChangeNotification"]["Summary"] |= change
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(schema).validate(wrong)


def test_we_read_each_change_as_it_is(notifications: list[Json]) -> None:
    pending = 0
    for notification in notifications:
        change = notification["Payload"]["OrderChangeNotification"]
        read = read_notification(json.dumps(notification))
        assert read
        assert (read.subscription_id, read.order_id) == ("sub-1", change["AmazonOrderId"])
        assert read.marketplace_id == change["Summary"]["MarketplaceId"]
        assert read.changed_at == moment(change["OrderChangeTrigger"]["TimeOfOrderChange"]).replace(microsecond=0)
        assert read.is_pending == (change["Summary"]["OrderStatus"] in {"Pending", "PendingAvailability"})
        pending += read.is_pending
    assert 0 < pending < len(notifications)


class RecordingHttp(urllib3.PoolManager):
    """Keeps the bodies that are posted, by the last part of the path."""

    def __init__(self) -> None:
        super().__init__()
        self.posted: dict[str, Json] = {}

    def request(self, method: str, url: str, *_: Any, **more: Any) -> urllib3.BaseHTTPResponse:
        if method == "POST" and "/notifications/" in url:
            self.posted[url.rpartition("/")[2]] = json.loads(more["body"])
        return super().request(method, url, **more)


def test_we_subscribe_in_the_types_of_the_sdk() -> None:
    types = sdk_definitions(notifications_v1)
    with AmazonStandIn(story(NOON), now=lambda: NOON) as stand_in, RecordingHttp() as http:
        given = stand_in.credentials
        credentials = Credentials(given.client_id, given.client_secret, given.refresh_token)
        api = SellingPartnerApi(credentials, endpoint=stand_in.endpoint, lwa_endpoint=stand_in.lwa_endpoint, http=http)
        subscribe(api, "arn:aws:sqs:us-east-1:123456789012:order-changes")
    requests = {"destinations": "CreateDestinationRequest", "ORDER_CHANGE": "CreateSubscriptionRequest"}
    assert http.posted.keys() == requests.keys()
    for path, name in requests.items():
        schema = strict({"$ref": f"#/definitions/{name}", "definitions": types})
        jsonschema.Draft4Validator(schema).validate(http.posted[path])

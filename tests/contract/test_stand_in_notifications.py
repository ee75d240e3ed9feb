"""The stand-in's Notifications API keeps Amazon's rules, and its ORDER_CHANGE notifications say what orders say."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import sp_api.auth  # type: ignore[import-untyped]  # neither client ships types
import spapi  # type: ignore[import-untyped]
from sp_api.api import Notifications  # type: ignore[import-untyped]
from sp_api.base import SellingApiException  # type: ignore[import-untyped]

from tools.amazon_stand_in.clock import Clock
from tools.amazon_stand_in.ledger import Json, moment
from tools.amazon_stand_in.misbehaviour import Misbehaviour
from tools.amazon_stand_in.order_change import order_change
from tools.amazon_stand_in.plain_client import USER_AGENT, PlainClient, Reply
from tools.amazon_stand_in.server import AmazonStandIn
from tools.amazon_stand_in.story import story

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DESTINATIONS, SUBSCRIPTIONS = "/notifications/v1/destinations", "/notifications/v1/subscriptions"
ORDER_CHANGE = f"{SUBSCRIPTIONS}/ORDER_CHANGE"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:order-changes"
OTHER_QUEUE = "arn:aws:sqs:us-east-1:123456789012:other"
FIFO_QUEUE = f"{QUEUE}.fifo"
FIRST = "111-0000001-1000001"


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def stand_in(clock: Clock) -> Iterator[AmazonStandIn]:
    with AmazonStandIn(story(NOON), now=clock) as stand_in:
        yield stand_in


@pytest.fixture
def client(stand_in: AmazonStandIn) -> Iterator[PlainClient]:
    client = PlainClient(stand_in)
    yield client
    client.close()


type Call = Callable[..., Reply]


@pytest.fixture
def grantless(client: PlainClient) -> Call:
    """Calls with a grantless token."""
    login = client.log_in(grant_type="client_credentials", scope="sellingpartnerapi::notifications", refresh_token=None)
    headers = {"x-amz-access-token": login.json["access_token"]}

    def call(method: str, path: str, content: Any = None) -> Reply:
        return client.call(method, path, content, headers=headers)

    return call


def queue(arn: Any = QUEUE, name: Any = "order changes") -> Json:
    return {"name": name, "resourceSpecification": {"sqs": {"arn": arn}}}


def destination(grantless: Call, arn: str = QUEUE) -> str:
    destination_id: str = grantless("POST", DESTINATIONS, queue(arn)).json["payload"]["destinationId"]
    return destination_id


def a_subscription(destination_id: str | None) -> Json:
    return {"payloadVersion": "1.0", "destinationId": destination_id, "processingDirective": EVERY_CHANGE}


def subscribe(client: PlainClient, destination_id: str | None, **more: Any) -> Reply:
    return client.call("POST", ORDER_CHANGE, a_subscription(destination_id) | more)


EVERY_CHANGE: Json = {"eventFilter": {"eventFilterType": "ORDER_CHANGE"}}


def event_filter(*change_types: str) -> Json:
    return {"eventFilter": {"eventFilterType": "ORDER_CHANGE", "orderChangeTypes": list(change_types)}}


# Destinations


def test_a_destination_is_created_and_found_again(grantless: Call) -> None:
    created = grantless("POST", DESTINATIONS, queue())
    assert (created.status, created.headers["x-amzn-ratelimit-limit"]) == (200, "1")
    payload = created.json["payload"]
    destination_id = payload["destinationId"]
    assert payload == {
        "destinationId": destination_id,
        "name": "order changes",
        "resource": {"sqs": {"arn": QUEUE}, "eventBridge": None},
    }
    assert grantless("GET", f"{DESTINATIONS}/{destination_id}").json == {"payload": payload}
    assert grantless("GET", DESTINATIONS).json == {"payload": [payload]}


def test_without_destinations_the_list_is_empty(grantless: Call) -> None:
    assert grantless("GET", DESTINATIONS).json == {"payload": []}


def test_a_queue_is_a_destination_once_only(grantless: Call) -> None:
    destination(grantless)
    reply = grantless("POST", DESTINATIONS, queue(name="another name"))
    assert (reply.status, reply.error["code"]) == (409, "Conflict")
    assert f"A destination with arn {QUEUE} already exists" in reply.error["details"]
    assert "x-amzn-ratelimit-limit" not in reply.headers
    assert grantless("POST", DESTINATIONS, queue(OTHER_QUEUE)).status == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "nowhere"},
        {"name": "nowhere", "resourceSpecification": {}},
        {"name": "nowhere", "resourceSpecification": "sqs"},
        {"name": "nowhere", "resourceSpecification": {"sqs": {}}},
        {"name": "bus", "resourceSpecification": {"eventBridge": {"region": "us-east-1", "accountId": "1"}}},
        {"name": "both", "resourceSpecification": {"sqs": {"arn": QUEUE}, "eventBridge": {"region": "us-east-1"}}},
        queue("order-changes"),
        queue("arn:aws:sns:us-east-1:123456789012:order-changes"),
        queue(f"{QUEUE}-{'x' * 1000}"),
        queue(name=""),
        queue(name="x" * 257),
        queue(name=7),
    ],
)
def test_a_destination_is_a_queue_with_a_name(grantless: Call, body: Json) -> None:
    reply = grantless("POST", DESTINATIONS, body)
    assert (reply.status, reply.error["code"]) == (400, "InvalidInput")
    assert grantless("GET", DESTINATIONS).json == {"payload": []}


def test_a_deleted_destination_is_gone(grantless: Call) -> None:
    path = f"{DESTINATIONS}/{destination(grantless)}"
    deleted = grantless("DELETE", path)
    assert (deleted.status, deleted.json) == (200, {})
    assert [grantless(method, path).status for method in ("GET", "DELETE")] == [404, 404]
    assert grantless("POST", DESTINATIONS, queue()).status == 200


def test_a_destination_in_use_cannot_be_deleted(client: PlainClient, grantless: Call) -> None:
    destination_id, unused = destination(grantless), destination(grantless, OTHER_QUEUE)
    subscribe(client, destination_id)
    reply = grantless("DELETE", f"{DESTINATIONS}/{destination_id}")
    assert (reply.status, reply.error["details"]) == (403, "Destination has subscriptions")
    assert grantless("DELETE", f"{DESTINATIONS}/{unused}").status == 200


# Subscriptions


def test_a_subscription_is_found_by_its_type_and_by_its_id(client: PlainClient, grantless: Call) -> None:
    destination_id = destination(grantless)
    created = subscribe(client, destination_id)
    payload = created.json["payload"]
    subscription_id = payload["subscriptionId"]
    assert created.status == 200
    assert payload == {
        "subscriptionId": subscription_id,
        "payloadVersion": "1.0",
        "destinationId": destination_id,
        "processingDirective": EVERY_CHANGE,
    }
    assert client.get(ORDER_CHANGE).json == {"payload": payload}
    assert client.get(ORDER_CHANGE, {"payloadVersion": "1.0"}).json == {"payload": payload}
    assert client.get(ORDER_CHANGE, {"payloadVersion": "2.0"}).status == 404
    assert grantless("GET", f"{ORDER_CHANGE}/{subscription_id}").json == {"payload": payload}


def test_a_seller_has_one_subscription_to_a_type(client: PlainClient, grantless: Call) -> None:
    subscribe(client, destination(grantless))
    reply = subscribe(client, destination(grantless, OTHER_QUEUE))
    assert (reply.status, reply.error["code"]) == (409, "StateConflict")
    assert "Subscription already exist for notification type ORDER_CHANGE" in reply.error["details"]


def test_a_deleted_subscription_is_gone(client: PlainClient, grantless: Call) -> None:
    destination_id = destination(grantless)
    subscription_id = subscribe(client, destination_id).json["payload"]["subscriptionId"]
    path = f"{ORDER_CHANGE}/{subscription_id}"
    assert grantless("DELETE", f"{ORDER_CHANGE}/another").status == 404
    deleted = grantless("DELETE", path)
    assert (deleted.status, deleted.json) == (200, {})
    assert [grantless(method, path).status for method in ("GET", "DELETE")] == [404, 404]
    reply = client.get(ORDER_CHANGE)
    assert (reply.status, reply.error["code"]) == (404, "NotFound")
    assert grantless("DELETE", f"{DESTINATIONS}/{destination_id}").status == 200


def test_a_subscription_needs_a_destination_that_exists(client: PlainClient) -> None:
    reply = subscribe(client, "3acafc7e-121b-1329-8ae8-1571be663aa2")
    assert (reply.status, reply.error["code"]) == (400, "InvalidInput")
    assert "No destination with id '3acafc7e-121b-1329-8ae8-1571be663aa2'" in reply.error["details"]
    assert subscribe(client, None).status == 400


@pytest.mark.parametrize(
    "more",
    [
        {"payloadVersion": "2.0"},
        {"processingDirective": None},
        {"processingDirective": {}},
        {"processingDirective": {"eventFilter": None}},
        {"processingDirective": {"filterExpression": "true"}},
        {"processingDirective": {"eventFilter": {"orderChangeTypes": ["OrderStatusChange"]}}},
        {
            "processingDirective": {
                "eventFilter": {"eventFilterType": "ORDER_CHANGE", "marketplaceIds": ["ATVPDKIKX0DER"]}
            }
        },
        {"processingDirective": event_filter()},
        {"processingDirective": event_filter("PriceChange")},
    ],
)
def test_a_subscription_that_amazon_does_not_know_is_rejected(client: PlainClient, grantless: Call, more: Json) -> None:
    reply = subscribe(client, destination(grantless), **more)
    assert (reply.status, reply.error["code"]) == (400, "InvalidInput")
    assert client.get(ORDER_CHANGE).status == 404


def test_a_filter_comes_back_as_it_was_given(client: PlainClient, grantless: Call) -> None:
    directive = event_filter("OrderStatusChange", "BuyerRequestedChange")
    subscribe(client, destination(grantless), processingDirective=directive)
    assert client.get(ORDER_CHANGE).json["payload"]["processingDirective"] == directive


def test_other_types_of_notifications_are_rejected(client: PlainClient, grantless: Call) -> None:
    body = a_subscription(destination(grantless))
    path = f"{SUBSCRIPTIONS}/ANY_OFFER_CHANGED"
    assert client.call("POST", path, body).status == 400
    assert client.get(path).status == 400
    assert grantless("GET", f"{path}/1").status == 400


# Tokens and quotas

ANY_BODY: Json = {}
GRANTLESS = [
    ("POST", DESTINATIONS, queue()),
    ("GET", DESTINATIONS, None),
    ("GET", f"{DESTINATIONS}/1", None),
    ("DELETE", f"{DESTINATIONS}/1", None),
    ("GET", f"{ORDER_CHANGE}/1", None),
    ("DELETE", f"{ORDER_CHANGE}/1", None),
]
SELLERS = [("POST", ORDER_CHANGE, ANY_BODY), ("GET", ORDER_CHANGE, None)]


@pytest.mark.parametrize(("method", "path", "content"), GRANTLESS)
def test_grantless_operations_refuse_a_sellers_token(
    client: PlainClient, grantless: Call, method: str, path: str, content: Json | None
) -> None:
    reply = client.call(method, path, content)
    assert (reply.status, reply.error["code"]) == (403, "Unauthorized")
    assert grantless(method, path, content).status in {200, 404}


@pytest.mark.parametrize(("method", "path", "content"), SELLERS)
def test_subscribing_refuses_a_grantless_token(
    client: PlainClient, grantless: Call, method: str, path: str, content: Json | None
) -> None:
    reply = grantless(method, path, content)
    assert (reply.status, reply.error["code"]) == (403, "Unauthorized")
    assert client.call(method, path, content).status in {400, 404}


def test_a_grantless_token_of_another_scope_is_refused(client: PlainClient) -> None:
    login = client.log_in(grant_type="client_credentials", scope="sellingpartnerapi::migration", refresh_token=None)
    headers = {"x-amz-access-token": login.json["access_token"]}
    assert client.call("GET", DESTINATIONS, headers=headers).status == 403


def test_a_grantless_token_needs_no_role_and_expires_after_an_hour(
    stand_in: AmazonStandIn, grantless: Call, clock: Clock
) -> None:
    stand_in.set_roles(frozenset())
    clock.advance(timedelta(minutes=59, seconds=59))
    assert grantless("GET", DESTINATIONS).status == 200
    clock.advance(timedelta(seconds=1))
    reply = grantless("GET", DESTINATIONS)
    assert reply.status == 403
    assert "expired" in reply.error["details"]


@pytest.mark.parametrize(("method", "path", "content"), GRANTLESS)
def test_five_calls_at_once_are_the_burst_then_one_a_second(
    grantless: Call, clock: Clock, method: str, path: str, content: Json | None
) -> None:
    assert [grantless(method, path, content).status == 429 for _ in range(6)] == [False] * 5 + [True]
    clock.advance(timedelta(seconds=1))
    assert [grantless(method, path, content).status == 429 for _ in range(2)] == [False, True]


@pytest.mark.parametrize(("method", "path", "content"), SELLERS)
def test_subscribing_has_the_same_burst(
    client: PlainClient, clock: Clock, method: str, path: str, content: Json | None
) -> None:
    assert [client.call(method, path, content).status == 429 for _ in range(6)] == [False] * 5 + [True]
    clock.advance(timedelta(seconds=1))
    assert [client.call(method, path, content).status == 429 for _ in range(2)] == [False, True]


@pytest.mark.parametrize(
    ("operation", "method", "path"),
    [
        ("createDestination", "POST", DESTINATIONS),
        ("getDestinations", "GET", DESTINATIONS),
        ("getDestination", "GET", f"{DESTINATIONS}/1"),
        ("deleteDestination", "DELETE", f"{DESTINATIONS}/1"),
        ("createSubscription", "POST", ORDER_CHANGE),
        ("getSubscription", "GET", ORDER_CHANGE),
        ("getSubscriptionById", "GET", f"{ORDER_CHANGE}/1"),
        ("deleteSubscriptionById", "DELETE", f"{ORDER_CHANGE}/1"),
    ],
)
def test_each_operation_goes_wrong_as_told(
    stand_in: AmazonStandIn, grantless: Call, operation: str, method: str, path: str
) -> None:
    kinds = {
        Misbehaviour.HTML_503: 503,
        Misbehaviour.JSON_500: 500,
        Misbehaviour.QUOTA_EXCEEDED: 429,
        Misbehaviour.ACCESS_DENIED: 403,
        Misbehaviour.INVALID_INPUT: 400,
    }
    stand_in.set_usage_plan(operation, rate=1, burst=1)
    for kind, status in kinds.items():
        stand_in.misbehave(kind, operations={operation})
        assert grantless(method, path, ANY_BODY).status == status
    assert {seen.operation for seen in stand_in.requests()} == {"login", operation}


# The notification


def test_whoever_has_subscribed_gets_the_change(
    client: PlainClient, stand_in: AmazonStandIn, grantless: Call, clock: Clock
) -> None:
    assert stand_in.order_change(FIRST) is None
    destination_id = destination(grantless)
    assert stand_in.order_change(FIRST) is None
    subscription_id = subscribe(client, destination_id).json["payload"]["subscriptionId"]
    sent, again = stand_in.order_change(FIRST), stand_in.order_change(FIRST)
    assert sent is not None
    assert again is not None
    arn, notification = sent
    assert arn == QUEUE
    metadata = notification["NotificationMetadata"]
    assert (metadata["SubscriptionId"], metadata["PublishTime"]) == (subscription_id, "2026-11-20T12:00:00.000Z")
    assert metadata["NotificationId"] != again[1]["NotificationMetadata"]["NotificationId"]
    grantless("DELETE", f"{ORDER_CHANGE}/{subscription_id}")
    assert stand_in.order_change(FIRST) is None


def test_a_fifo_queue_is_taken_but_nothing_arrives_in_it(
    client: PlainClient, stand_in: AmazonStandIn, grantless: Call
) -> None:
    assert subscribe(client, destination(grantless, FIFO_QUEUE)).status == 200
    assert stand_in.order_change(FIRST) is None


def test_a_filter_lets_only_its_types_through(client: PlainClient, stand_in: AmazonStandIn, grantless: Call) -> None:
    subscribe(client, destination(grantless), processingDirective=event_filter("BuyerRequestedChange"))
    assert stand_in.order_change(FIRST) is None
    items = stand_in.order(FIRST).order["orderItems"]
    items[0]["cancellation"] = {"cancellationRequest": {"requester": "BUYER", "cancelReason": "Ordered twice"}}
    stand_in.patch(FIRST, {"orderItems": items})
    assert stand_in.order_change(FIRST) is not None


def test_control_tells_the_change(client: PlainClient, grantless: Call) -> None:
    path = f"/orders/{FIRST}/order-change"
    assert client.control("GET", path).json == {}
    subscribe(client, destination(grantless))
    told = client.control("GET", path).json
    assert told["queueArn"] == QUEUE
    assert told["notification"]["Payload"]["OrderChangeNotification"]["AmazonOrderId"] == FIRST
    assert client.control("GET", "/orders/111-9999999-9999999/order-change").status == 404


def notified(order: Json) -> Json:
    return order_change(order, subscription_id="sub-1", seller_id="A1SELLER", at=NOON, notification_id="note-1")


def test_a_change_speaks_the_words_of_v0(stand_in: AmazonStandIn) -> None:
    order = stand_in.order(FIRST).order
    fulfillment = order["fulfillment"]

    def milliseconds(text: str) -> str:
        return moment(text).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    assert notified(order) == {
        "NotificationVersion": "1.0",
        "NotificationType": "ORDER_CHANGE",
        "PayloadVersion": "1.0",
        "EventTime": "2026-11-20T12:00:00.000Z",
        "Payload": {
            "OrderChangeNotification": {
                "NotificationLevel": "OrderLevel",
                "SellerId": "A1SELLER",
                "AmazonOrderId": FIRST,
                "OrderChangeType": "OrderStatusChange",
                "OrderChangeTrigger": {
                    "TimeOfOrderChange": milliseconds(order["lastUpdatedTime"]),
                    "ChangeReason": "Order Status Change",
                },
                "Summary": {
                    "MarketplaceId": "ATVPDKIKX0DER",
                    "OrderStatus": "Unshipped",
                    "PurchaseDate": milliseconds(order["createdTime"]),
                    "DestinationPostalCode": order["recipient"]["deliveryAddress"]["postalCode"],
                    "FulfillmentType": "MFN",
                    "OrderType": "StandardOrder",
                    "NumberOfItemsShipped": 0,
                    "NumberOfItemsUnshipped": sum(line["quantityOrdered"] for line in order["orderItems"]),
                    "OrderPrograms": [],
                    "ShippingPrograms": [],
                    "EarliestShipDate": milliseconds(fulfillment["shipByWindow"]["earliestDateTime"]),
                    "LatestShipDate": milliseconds(fulfillment["shipByWindow"]["latestDateTime"]),
                    "EarliestDeliveryDate": milliseconds(fulfillment["deliverByWindow"]["earliestDateTime"]),
                    "LatestDeliveryDate": milliseconds(fulfillment["deliverByWindow"]["latestDateTime"]),
                    "OrderItems": [
                        {
                            "OrderItemId": item["orderItemId"],
                            "SellerSKU": item["product"]["sellerSku"],
                            "SupplySourceId": None,
                            "Quantity": item["quantityOrdered"],
                            "QuantityShipped": 0,
                            "IsBuyerRequestedCancel": False,
                        }
                        for item in order["orderItems"]
                    ],
                },
            }
        },
        "NotificationMetadata": {
            "ApplicationId": "amzn1.sp.solution.stand-in",
            "SubscriptionId": "sub-1",
            "PublishTime": "2026-11-20T12:00:00.000Z",
            "NotificationId": "note-1",
        },
    }


def summary(stand_in: AmazonStandIn, changes: Json) -> Json:
    stand_in.patch(FIRST, changes)
    told: Json = notified(stand_in.order(FIRST).order)["Payload"]["OrderChangeNotification"]["Summary"]
    return told


def test_an_order_of_amazons_has_no_dates_of_delivery(stand_in: AmazonStandIn) -> None:
    told = summary(stand_in, {"fulfillment": {"fulfilledBy": "AMAZON"}})
    assert told["FulfillmentType"] == "AFN"
    assert not {"EarliestDeliveryDate", "LatestDeliveryDate"} & told.keys()


@pytest.mark.parametrize(("status", "word"), [("PENDING", "Pending"), ("CANCELLED", "Canceled")])
def test_pending_and_cancelled_orders_omit_postal_code_and_latest_delivery(
    stand_in: AmazonStandIn, status: str, word: str
) -> None:
    told = summary(stand_in, {"fulfillment": {"fulfillmentStatus": status}})
    assert (told["OrderStatus"], told["DestinationPostalCode"]) == (word, None)
    assert "EarliestDeliveryDate" in told
    assert "LatestDeliveryDate" not in told


def test_programs_have_v0s_names(stand_in: AmazonStandIn) -> None:
    told = summary(stand_in, {"programs": ["PREORDER", "AMAZON_BUSINESS", "PRIME", "IN_STORE_PICK_UP", "AMAZON_HAUL"]})
    assert told["OrderType"] == "Preorder"
    assert (told["OrderPrograms"], told["ShippingPrograms"]) == (["Business", "Prime"], ["ISPU"])


def test_a_change_names_neither_buyer_nor_street(stand_in: AmazonStandIn) -> None:
    order = stand_in.order(FIRST).order
    address = order["recipient"]["deliveryAddress"]
    text = json.dumps(notified(order))
    for personal in (address["name"], address["addressLine1"], *order["buyer"].values()):
        assert personal not in text


# Public clients


def test_python_amazon_sp_api_subscribes(stand_in: AmazonStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sp_api.auth.AccessTokenClient, "scheme", "http://")
    monkeypatch.setattr(sp_api.auth.AccessTokenClient, "host", stand_in.endpoint.removeprefix("http://"))
    monkeypatch.setattr(Notifications, "user_agent", USER_AGENT)
    sp_api.auth.access_token_client.cache.clear()
    sp_api.auth.access_token_client.grantless_cache.clear()
    api = Notifications(
        marketplace=SimpleNamespace(endpoint=stand_in.endpoint, marketplace_id="ATVPDKIKX0DER", region="us-east-1"),
        credentials={
            "lwa_app_id": stand_in.credentials.client_id,
            "lwa_client_secret": stand_in.credentials.client_secret,
            "refresh_token": stand_in.credentials.refresh_token,
        },
    )
    created = api.create_destination("order changes", arn=QUEUE).payload
    unused = api.create_destination("other", arn=OTHER_QUEUE).payload
    assert api.get_destinations().payload == [created, unused]
    assert api.get_destination(created["destinationId"]).payload["resource"]["sqs"]["arn"] == QUEUE
    api.delete_destination(unused["destinationId"])
    subscription = api.create_subscription(
        "ORDER_CHANGE", created["destinationId"], processingDirective=EVERY_CHANGE
    ).payload
    assert api.get_subscription("ORDER_CHANGE").payload == subscription
    with pytest.raises(SellingApiException) as raised:
        api.create_subscription("ORDER_CHANGE", created["destinationId"], processingDirective=EVERY_CHANGE)
    api.close()
    api._auth._transport.close()  # its own close forgets this one
    assert raised.value.code == 409


def test_the_official_sdk_subscribes_and_unsubscribes(stand_in: AmazonStandIn) -> None:
    spapi.Configuration.set_default(spapi.Configuration())
    credentials = stand_in.credentials
    application = {"client_id": credentials.client_id, "client_secret": credentials.client_secret}
    configs = (
        spapi.SPAPIConfig(**application, scope="sellingpartnerapi::notifications"),
        spapi.SPAPIConfig(**application, refresh_token=credentials.refresh_token),
    )
    clients = [
        spapi.SPAPIClient(config, oauth_endpoint=stand_in.lwa_endpoint, endpoint=stand_in.endpoint).api_client
        for config in configs
    ]
    for client in clients:
        client.user_agent = USER_AGENT
    of_application, of_seller = (spapi.NotificationsApi(client) for client in clients)
    destination_id = of_application.create_destination(queue()).payload.destination_id
    assert of_application.get_destinations().payload[0].resource.sqs.arn == QUEUE
    body = a_subscription(destination_id)
    subscription_id = of_seller.create_subscription("ORDER_CHANGE", body).payload.subscription_id
    assert of_seller.get_subscription("ORDER_CHANGE").payload.subscription_id == subscription_id
    found = of_application.get_subscription_by_id(subscription_id, "ORDER_CHANGE").payload
    assert found.destination_id == destination_id
    with pytest.raises(spapi.ApiException) as raised:
        of_seller.delete_subscription_by_id(subscription_id, "ORDER_CHANGE")
    assert raised.value.status == 403
    of_application.delete_subscription_by_id(subscription_id, "ORDER_CHANGE")
    of_application.delete_destination(destination_id)
    for client in clients:
        client.rest_client.pool_manager.clear()
    spapi.Configuration.set_default(None)
    assert stand_in.order_change(FIRST) is None

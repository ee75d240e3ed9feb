"""Everything is published once: a repeated record causes no second event, entry or write."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest

from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.jobs.change_log import ChangeLog
from needs_attention.orders.order import Order
from needs_attention.orders.settings import Settings, ThreePlStatus
from needs_attention.orders.verdict import judged
from needs_attention.tables.order_items import order_key, to_item
from tests.integration.faults import watched
from tools.builders import NOON, an_amazon_order, an_order, decided
from tools.in_memory.api import World, an_event, app, invoke
from tools.in_memory.events import MemoryEvents

HOUR = timedelta(hours=1)
TRIAL = IntegrationSettings(trial_mode=True, default_three_pl_status=ThreePlStatus.NOW)
LIVE = IntegrationSettings(default_three_pl_status=ThreePlStatus.NOW)

type Told = Callable[[], list[tuple[str, int]]]


@pytest.fixture
def told(world: World) -> Told:
    """The events on the bus that were not read before, each with the revision that it tells of."""
    events, sqs = boto3.client("events"), boto3.client("sqs")
    events.create_event_bus(Name="orders")
    url = sqs.create_queue(QueueName="everything")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="everything", EventBusName="orders", EventPattern=json.dumps({"source": ["needs-attention"]}))
    events.put_targets(Rule="everything", EventBusName="orders", Targets=[{"Id": "queue", "Arn": arn}])

    def read() -> list[tuple[str, int]]:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        told = [json.loads(message["Body"]) for message in messages]
        return [(event["detail-type"], event["detail"]["revision"]) for event in told]

    return read


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> MemoryEvents:
    """An event bus in memory, in place of the function's."""
    function, events = app("publish_changes"), MemoryEvents()
    monkeypatch.setattr(function, "change_log", ChangeLog(function.history, events.bus))
    return events


def publish(*orders: Order) -> list[str]:
    """The stream brings these orders as they are; the records that failed."""
    return bring(*map(to_item, orders))


def bring(*images: Any) -> list[str]:
    """The stream brings these images; the records that failed."""
    (record, *_) = an_event("publish_changes")["Records"]
    records = [
        record | {"dynamodb": record["dynamodb"] | {"NewImage": image, "SequenceNumber": str(number)}}
        for number, image in enumerate(images, start=1)
    ]
    answer: dict[str, list[dict[str, str]]] = invoke("publish_changes", {"Records": records})
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def item(world: World) -> Any:
    """The item of the one order, as its last write left it."""
    return world.dynamodb.get_item(TableName="OrdersTable", Key=order_key(world.order().order_id))["Item"]


def test_a_record_that_comes_again_tells_no_event_again(world: World, told: Told) -> None:
    order = world.download(buyer_email=None)
    publish(order)
    assert told() == [("OrderHeld", order.revision)]

    publish(order, order)
    assert told() == []


def test_the_clocks_bookkeeping_tells_no_event_again(world: World, told: Told) -> None:
    order = world.download(buyer_email=None)
    publish(order)
    told()

    world.orders.ask_again(order, NOON + HOUR)
    again = world.order()
    assert (again.redownload_at, again.revision) == (NOON + HOUR, order.revision)
    publish(again)
    assert told() == []


def test_the_clocks_bookkeeping_writes_no_entry_of_the_history_again(world: World) -> None:
    order = world.download(buyer_email=None)
    world.orders.ask_again(order, NOON + HOUR)
    image = item(world)
    with watched() as calls:
        bring(image)
    assert calls == []

    world.orders.save(world.order(), world.order().with_(comment="seen"), by="ada", at=NOON, cause="edit")
    bring(item(world))
    found = app("publish_changes").history.find(order.order_id, 10, None)
    assert [entry["cause"] for entry in found.entries] == ["edit"]


def test_an_image_without_a_revision_is_no_order_and_fails(world: World) -> None:
    world.download()
    image = item(world)
    del image["revision"], image["summary"]
    assert bring(image) == ["1"]


def test_the_next_revision_tells_its_own_events_alone(world: World, told: Told) -> None:
    order = world.download(buyer_email=None)
    publish(order)
    told()

    world.call("PATCH", f"/orders/{order.order_id}", {"email": "typed@example.com"})
    publish(world.order())
    assert told() == []
    world.call("POST", f"/orders/{order.order_id}/release", {})
    publish(world.order())
    assert told() == [("OrderReleased", order.revision + 2)]


def test_events_that_the_bus_refused_are_no_entry_of_the_history(world: World, events: MemoryEvents) -> None:
    order = world.download(buyer_email=None)
    events.is_full = True
    assert publish(order) == ["1"]
    assert world.dynamodb.scan(TableName="HistoryTable")["Items"] == []
    events.is_full = False
    assert publish(order) == []
    assert [event.name for event in events.told] == ["OrderHeld"]


@pytest.mark.parametrize(("settings", "events"), [(TRIAL, []), (LIVE, ["OrderReadyFor3pl"])])
def test_no_event_calls_an_order_ready_for_the_3pl_in_trial_mode(
    world: World, told: Told, settings: IntegrationSettings, events: list[str]
) -> None:
    world.change_integration(settings=settings)
    publish(world.download())
    assert [name for name, _ in told()] == events


def test_an_event_is_told_at_the_time_of_its_change(world: World, events: MemoryEvents) -> None:
    order = world.download(buyer_email=None)
    world.clock.advance(HOUR)
    publish(order)
    assert [(event.name, event.at) for event in events.told] == [("OrderHeld", NOON)]


@pytest.mark.parametrize(
    ("facts", "origin"),
    [
        pytest.param({"came_back_from": "shipped"}, "shipped", id="shipped"),
        pytest.param({"came_back_from": "fulfilledByAmazon"}, "fulfilledByAmazon", id="FBA"),
        pytest.param({}, "void", id="void"),
    ],
)
def test_the_event_of_an_order_that_comes_back_says_from_where(
    world: World, events: MemoryEvents, facts: dict[str, Any], origin: str
) -> None:
    before = world.store(judged(an_order(), LIVE.of(None), NOON))
    back = before.with_(alerts=("CameBack",), amazon=before.amazon.model_copy(update=facts))
    publish(world.orders.save(before, back, by="validation", at=NOON, cause="verdict"))
    assert [(event.name, event.detail["from"]) for event in events.told] == [("CameBack", origin)]


def test_an_event_holds_a_hint_and_nothing_that_a_freeze_makes_untrue(world: World, events: MemoryEvents) -> None:
    held = an_order(an_amazon_order(buyer_email=None), decisions=decided(three_pl_status=ThreePlStatus.DO_NOT_TRANSFER))
    publish(world.store(judged(held, Settings(), NOON)))
    assert [event.detail for event in events.told] == [
        {
            "orderId": "701-1111111-1111111",
            "integration": "acme-na",
            "revision": 1,
            "changeId": "701-1111111-1111111:1",
            "cause": "download",
            "requestId": None,
            "marketplaceId": "ATVPDKIKX0DER",
            "fulfilledBy": "MERCHANT",
            "fulfillmentStatus": "UNSHIPPED",
            "createdAt": "2026-11-23T10:00:00.000Z",
            "updatedAt": "2026-11-23T10:00:00.000Z",
            "shipBy": "2026-11-25T12:00:00.000Z",
            "stage": "needs-attention",
            "status": "Open",
            "threePlStatus": "Do Not Transfer to 3PL",
            "hold": "missing",
            "heldAt": "2026-11-23T12:00:00.000Z",
            "missing": ["email"],
            "readyToRelease": False,
            "alerts": [],
            "flags": [],
            "redownloadAt": "2026-11-23T12:02:00.000Z",
        }
    ]


def test_an_entry_of_the_history_says_who_when_why_and_no_more(world: World, told: Told) -> None:
    publish(world.download(buyer_email=None))
    (item,) = world.dynamodb.scan(TableName="HistoryTable")["Items"]
    data = json.loads(item.pop("data")["S"])
    assert item == {
        "orderId": {"S": "701-1111111-1111111"},
        "changedAt": {"S": "2026-11-23T12:00:00.000Z#0000000001"},
    }
    assert data == {
        "revision": 1,
        "by": "amazon",
        "at": "2026-11-23T12:00:00.000Z",
        "cause": "download",
        "fields": [],
        "events": ["OrderHeld"],
    }

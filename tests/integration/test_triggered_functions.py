"""The functions that the schedule, the queue and the stream invoke, with the events of `sam local invoke`."""

import io
import json
import os
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest

from needs_attention.amazon.accounts import AmazonAccounts
from needs_attention.amazon.tokens import Credentials
from needs_attention.downloads.backdated import BackdatedDownload
from needs_attention.downloads.walk import AMAZONS_MARGIN, Walk
from needs_attention.environment import AmazonAccess
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.jobs.change_log import ChangeLog
from needs_attention.orders.order import Order
from needs_attention.tables.order_items import order_from_item, to_item
from tests.integration.faults import watched
from tools.amazon_stand_in.generator import generated
from tools.amazon_stand_in.server import AmazonStandIn
from tools.builders import NOON, an_amazon_order, an_order
from tools.in_memory.api import World, an_event, app, invoke
from tools.in_memory.events import MemoryEvents


def a_stream_event(*orders: Order) -> dict[str, Any]:
    """The records of these orders as they are, numbered from 1."""
    (record, *_) = an_event("validate_orders")["Records"]
    return {
        "Records": [
            record | {"dynamodb": record["dynamodb"] | {"NewImage": to_item(order), "SequenceNumber": str(number)}}
            for number, order in enumerate(orders, start=1)
        ]
    }


def failed(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


# Validation -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def demo(world: World) -> World:
    """The integration that the events in `events/` name, too."""
    world.register("demo")
    return world


def test_a_downloaded_order_gets_its_verdict(demo: World) -> None:
    event = an_event("validate_orders")
    order = order_from_item(event["Records"][0]["dynamodb"]["NewImage"])
    demo.dynamodb.put_item(TableName="OrdersTable", Item=to_item(order))
    assert failed(invoke("validate_orders", event)) == []
    verdict = demo.order(order.order_id)
    assert [item.field for item in verdict.missing] == ["email"]
    assert (verdict.stage, verdict.revision) == ("needs-attention", order.revision + 1)


def test_a_record_that_comes_again_changes_nothing(world: World) -> None:
    event = a_stream_event(world.store(an_order()))
    invoke("validate_orders", event)
    judged = world.order()
    assert failed(invoke("validate_orders", event)) == []
    assert world.order() == judged


@pytest.mark.parametrize("function", ["validate_orders", "publish_changes"])
def test_a_batch_of_a_hundred_orders_is_one_log_line(world: World, log_lines: io.StringIO, function: str) -> None:
    orders = [world.store(an_order(an_amazon_order(order_id=f"701-{number:07}-0000000"))) for number in range(100)]
    log_lines.truncate(0)
    assert failed(invoke(function, a_stream_event(*orders))) == []
    (line,) = log_lines.getvalue().strip("\0").splitlines()
    assert json.loads(line)["records"] == 100


def test_a_stale_record_changes_nothing(world: World) -> None:
    first = world.store(an_order(an_amazon_order(buyer_email=None)))
    second = world.orders.save(first, first.with_(stage="packing"), by="ada", at=NOON, cause="stage")
    assert failed(invoke("validate_orders", a_stream_event(first))) == []
    assert world.order() == second


def test_a_verdict_that_conflicts_with_a_transaction_is_asked_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = world.store(an_order())
    client = app("validate_orders").dynamodb
    conflict = client.exceptions.TransactionConflictException({"Error": {"Code": "TransactionConflict"}}, "UpdateItem")

    def a_transaction_is_in_the_way(**_: object) -> None:
        raise conflict

    client.meta.events.register("before-call.dynamodb.UpdateItem", a_transaction_is_in_the_way)
    try:
        assert failed(invoke("validate_orders", a_stream_event(order))) == ["1"]
    finally:
        client.meta.events.unregister("before-call.dynamodb.UpdateItem", a_transaction_is_in_the_way)
    assert failed(invoke("validate_orders", a_stream_event(order))) == []
    assert not world.order().is_pending


def test_a_record_that_cannot_be_read_fails_alone(world: World) -> None:
    event = a_stream_event(world.store(an_order()), an_order())
    event["Records"].reverse()
    event["Records"][0]["dynamodb"]["NewImage"]["amazon"] = {"S": "{not json"}
    assert failed(invoke("validate_orders", event)) == ["2"]
    assert not world.order().is_pending


def test_a_batch_of_nothing_but_broken_records_is_told_record_by_record(world: World) -> None:
    event = a_stream_event(an_order(), an_order(an_amazon_order(order_id="701-2222222-2222222")))
    for record in event["Records"]:
        record["dynamodb"]["NewImage"]["amazon"] = {"S": "[]"}
    assert failed(invoke("validate_orders", event)) == ["1", "2"]


def test_an_order_without_an_integration_fails_alone_and_stays_pending(world: World) -> None:
    lost = world.store(an_order(integration="nobody"))
    assert failed(invoke("validate_orders", a_stream_event(lost))) == ["1"]
    assert world.order().is_pending


def test_an_image_without_a_pending_verdict_is_passed_over(world: World) -> None:
    judged = world.download()
    assert failed(invoke("validate_orders", a_stream_event(judged))) == []
    assert world.order() == judged


def test_the_log_of_a_batch_counts_what_was_decided_and_names_nobody(world: World, log_lines: Any) -> None:
    invoke("validate_orders", a_stream_event(world.store(an_order(an_amazon_order(buyer_email=None)))))
    (line,) = [json.loads(text) for text in log_lines.getvalue().splitlines() if "validated" in text]
    assert line["counts"] == {"judged": 1, "held": 1, "healed": 0, "stale": 0}


def lines_about_failures(log_lines: io.StringIO) -> list[tuple[str, str]]:
    lines = [json.loads(text) for text in log_lines.getvalue().splitlines()]
    return [(line["order_id"], line["error"]) for line in lines if line["message"] == "record failed"]


def test_a_failed_judgement_is_one_log_line_with_its_order_and_no_values(world: World, log_lines: io.StringIO) -> None:
    event = a_stream_event(an_order(), world.store(an_order()))
    failing, _ = event["Records"]
    failing["dynamodb"]["NewImage"]["amazon"] = {"S": json.dumps({"recipientName": "Ada Quill"})}
    failing["dynamodb"]["Keys"] = {"orderId": {"S": "701-7777777-7777777"}}
    invoke("validate_orders", event)
    assert lines_about_failures(log_lines) == [("701-7777777-7777777", "ValidationError")]
    assert "Ada" not in log_lines.getvalue()


# History and events ---------------------------------------------------------------------------------------------------


@pytest.fixture
def bus(world: World) -> Any:
    """Everything on the event bus, as a queue."""
    events, sqs = boto3.client("events"), boto3.client("sqs")
    events.create_event_bus(Name="orders")
    url = sqs.create_queue(QueueName="everything")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = json.dumps({"source": ["needs-attention"]})
    events.put_rule(Name="everything", EventBusName="orders", EventPattern=pattern)
    events.put_targets(Rule="everything", EventBusName="orders", Targets=[{"Id": "queue", "Arn": arn}])

    def received() -> list[dict[str, Any]]:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]

    return received


def history(world: World) -> list[dict[str, Any]]:
    return [json.loads(item["data"]["S"]) for item in world.dynamodb.scan(TableName="HistoryTable")["Items"]]


def test_every_change_is_an_entry_of_the_history_and_some_are_events(world: World, bus: Any) -> None:
    assert failed(invoke("publish_changes", an_event("publish_changes"))) == []
    assert [(entry["revision"], entry["cause"]) for entry in history(world)] == [(1, "download"), (2, "verdict")]
    (event,) = bus()
    assert (event["source"], event["detail-type"]) == ("needs-attention", "OrderHeld")
    assert event["detail"]["missing"] == ["email"]
    assert event["detail"]["changeId"] == "701-4040404-4040404:2"


def test_a_change_that_is_told_twice_is_one_entry_of_the_history(world: World, bus: Any) -> None:
    invoke("publish_changes", an_event("publish_changes"))
    invoke("publish_changes", an_event("publish_changes"))
    assert len(history(world)) == 2


def test_neither_history_nor_events_hold_personal_data(world: World, bus: Any) -> None:
    invoke("publish_changes", an_event("publish_changes"))
    told = json.dumps([history(world), bus()])
    assert [word for word in ("Ada", "Quill", "Harbor", "Portland", "97209") if word in told] == []


def test_an_event_does_not_say_who_sees_to_the_order(world: World, bus: Any) -> None:
    event = an_event("publish_changes")
    image = event["Records"][0]["dynamodb"]["NewImage"]
    image["summary"] = {"S": json.dumps({**json.loads(image["summary"]["S"]), "assignedTo": "zoe"})}
    invoke("publish_changes", event)
    (told,) = bus()
    assert "zoe" not in json.dumps(told)


def test_a_change_that_cannot_be_read_fails_alone(world: World, bus: Any) -> None:
    event = an_event("publish_changes")
    del event["Records"][0]["dynamodb"]["NewImage"]["lastChange"]
    event["Records"][0]["dynamodb"]["SequenceNumber"] = "7"
    assert failed(invoke("publish_changes", event)) == ["7"]
    assert [entry["revision"] for entry in history(world)] == [2]


def test_a_failed_publication_is_one_log_line_with_its_order_and_no_values(
    world: World, bus: Any, log_lines: io.StringIO
) -> None:
    event = an_event("publish_changes")
    event["Records"][0]["dynamodb"]["NewImage"]["lastChange"] = {"S": json.dumps({"by": "Ada Quill"})}
    invoke("publish_changes", event)
    assert lines_about_failures(log_lines) == [("701-4040404-4040404", "ValidationError")]
    assert "Ada" not in log_lines.getvalue()


def test_an_event_that_the_bus_refuses_is_told_again(world: World, bus: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    function, full = app("publish_changes"), MemoryEvents()
    full.is_full = True
    monkeypatch.setattr(function, "change_log", ChangeLog(function.history, full.bus))
    event = an_event("publish_changes")
    held = event["Records"][1]["dynamodb"]["SequenceNumber"]
    assert failed(invoke("publish_changes", event)) == [held]


# Schedule and queue ---------------------------------------------------------------------------------------------------


def test_the_schedule_wakes_every_integration_also_paused_and_deleted_ones(world: World) -> None:
    world.register("paused", is_paused=True)
    world.register("deleted", deleted_at=NOON)
    assert invoke("download_orders", an_event("download_orders_tick")) is None
    assert sorted(world.woken()) == ["acme-na", "deleted", "paused"]


def test_the_schedule_wakes_ten_integrations_with_a_call(world: World) -> None:
    for number in range(24):
        world.register(f"shop-{number}")
    with watched() as calls:
        invoke("download_orders", an_event("download_orders_tick"))
    assert [call.operation for call in calls if call.service == "sqs"] == ["SendMessageBatch"] * 3
    woken = [one for _ in range(3) for one in world.woken()]
    assert len(set(woken)) == 25


def test_a_tick_that_comes_twice_wakes_once(world: World) -> None:
    invoke("download_orders", an_event("download_orders_tick"))
    invoke("download_orders", an_event("download_orders_tick"))
    assert world.woken() == ["acme-na"]


def test_a_wake_up_downloads_the_orders_of_its_integration(demo: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with AmazonStandIn(generated(30, now=NOON), now=demo.clock) as amazon:
        access = AmazonAccess(
            secret_prefix=os.environ["SECRET_PREFIX"],
            sp_api_endpoint=amazon.endpoint,
            lwa_endpoint=amazon.lwa_endpoint,
        )
        accounts = AmazonAccounts(boto3.client("secretsmanager"), access)
        accounts.offer("demo", Credentials(**asdict(amazon.credentials)), in_use=None)
        monkeypatch.setattr(app("download_orders"), "accounts", accounts)
        start = NOON.replace(month=10)
        demo.downloads.save_backdated_download(
            "demo",
            BackdatedDownload(
                download_id="d1",
                updated_after=start,
                updated_before=NOON - AMAZONS_MARGIN,
                walk=Walk(reached=start),
                requested_by="ada",
                requested_at=NOON,
            ),
        )
        assert failed(invoke("download_orders", an_event("download_orders_wake_up"))) == []
    stored = {item["orderId"]["S"] for item in demo.dynamodb.scan(TableName="OrdersTable")["Items"]}
    assert stored == {
        entry.order_id
        for entry in generated(30, now=NOON)
        if entry.order["salesChannel"]["marketplaceId"] == "ATVPDKIKX0DER"
        and not entry.order["fulfillment"]["fulfillmentStatus"].startswith("PENDING")
    }


def test_a_message_that_names_no_integration_fails(world: World) -> None:
    event = an_event("download_orders_wake_up")
    event["Records"][0]["body"] = json.dumps({"hello": "world"})
    with pytest.raises(Exception, match="names no integration"):
        invoke("download_orders", event)


def test_every_hour_personal_data_is_removed_whose_time_is_over(world: World) -> None:
    world.download()
    world.clock.advance(timedelta(days=60))
    world.redact()
    assert world.order().redacted_at == world.clock.now


# Notifications --------------------------------------------------------------------------------------------------------

SUBSCRIPTION = "8fb1f4a5-1b4c-4a1e-9f52-6c2f6f0e8b11"  # as in the event


@pytest.fixture
def subscribed(demo: World) -> World:
    """The integration demo gets Amazon's notifications of changed orders."""
    demo.change_integration("demo", settings=IntegrationSettings(order_change_notifications=True))
    demo.downloads.save_subscription(SUBSCRIPTION, "demo")
    return demo


def a_notification(**changes: Any) -> dict[str, Any]:
    """A message of the queue; `changes` are made to the notification, which `path__name` names."""
    event = an_event("receive_order_changes")
    body = json.loads(event["Records"][0]["body"])
    for path, value in changes.items():
        *above, name = path.split("__")
        node = body
        for step in above:
            node = node[step]
        node[name] = value
    event["Records"][0]["body"] = json.dumps(body)
    return event


SELLER = "A1EXAMPLESELLER"  # in events/receive_order_changes.json
ORDER = "Payload__OrderChangeNotification__"


def test_a_notification_wakes_a_run_that_asks_for_the_changed_order(subscribed: World) -> None:
    assert failed(invoke("receive_order_changes", a_notification())) == []
    (hint,) = subscribed.downloads.due_redownloads("demo", "orderChange", NOON)
    assert (hint.order_id, hint.cause) == ("701-1111111-1111111", "orderChange")
    assert hint.changed_at == NOON - timedelta(seconds=2)
    assert hint.seller_id == SELLER
    assert subscribed.woken() == ["demo"]


def test_many_changes_wake_their_integration_once(subscribed: World) -> None:
    events = [a_notification(**{f"{ORDER}AmazonOrderId": f"701-{number}"}) for number in range(5)]
    invoke("receive_order_changes", {"Records": [record for event in events for record in event["Records"]]})
    assert len(subscribed.downloads.due_redownloads("demo", "orderChange", NOON)) == 5
    assert subscribed.woken() == ["demo"]


NO_TIMES = {
    f"{ORDER}OrderChangeTrigger": None,
    "EventTime": "soon",
    "NotificationMetadata__PublishTime": "",
}


@pytest.mark.parametrize(
    ("changes", "changed_at"),
    [
        ({f"{ORDER}OrderChangeTrigger__TimeOfOrderChange": None}, NOON),
        ({f"{ORDER}OrderChangeTrigger__TimeOfOrderChange": "soon"}, NOON),
        ({f"{ORDER}OrderChangeTrigger": {}}, NOON),
        ({f"{ORDER}OrderChangeTrigger": "now"}, NOON),
        ({**NO_TIMES, "NotificationMetadata__PublishTime": "2026-11-23T11:59:00Z"}, NOON - timedelta(minutes=1)),
        (NO_TIMES, NOON),
        ({"EventTime": None}, NOON - timedelta(seconds=2)),
        ({"NotificationType": None}, NOON - timedelta(seconds=2)),
        ({f"{ORDER}Summary": None}, NOON - timedelta(seconds=2)),
        ({f"{ORDER}Summary": []}, NOON - timedelta(seconds=2)),
        ({f"{ORDER}Summary__OrderStatus": None}, NOON - timedelta(seconds=2)),
        ({f"{ORDER}Summary__MarketplaceId": None}, NOON - timedelta(seconds=2)),
        ({f"{ORDER}SellerId": None, "PayloadVersion": 1, "NotificationVersion": None}, NOON - timedelta(seconds=2)),
    ],
)
def test_a_notification_needs_only_its_subscription_and_the_order(
    subscribed: World, changes: dict[str, Any], changed_at: datetime
) -> None:
    invoke("receive_order_changes", a_notification(**changes))
    (hint,) = subscribed.downloads.due_redownloads("demo", "orderChange", NOON)
    assert (hint.order_id, hint.changed_at) == ("701-1111111-1111111", changed_at)


@pytest.mark.parametrize(
    "changes",
    [
        {"NotificationMetadata__SubscriptionId": "a-stranger's"},
        {"NotificationType": "FEED_PROCESSING_FINISHED"},
        {"NotificationType": None, "notificationType": "REPORT_PROCESSING_FINISHED"},
        {f"{ORDER}Summary__OrderStatus": "Pending"},
        {f"{ORDER}Summary__OrderStatus": "PendingAvailability"},
        {f"{ORDER}Summary__MarketplaceId": "A2EUQ1WTGCTBG2"},
    ],
)
def test_a_notification_that_is_none_of_ours_to_follow_is_dropped(subscribed: World, changes: dict[str, Any]) -> None:
    assert failed(invoke("receive_order_changes", a_notification(**changes))) == []
    assert subscribed.downloads.due_redownloads("demo", "orderChange", NOON) == ()
    assert subscribed.woken() == []


@pytest.mark.parametrize("changes", [{"is_paused": True}, {"deleted_at": NOON}, {"settings": IntegrationSettings()}])
def test_an_integration_that_is_paused_or_wants_no_notifications_gets_none(
    subscribed: World, changes: dict[str, Any]
) -> None:
    subscribed.change_integration("demo", **changes)
    invoke("receive_order_changes", a_notification())
    assert subscribed.downloads.due_redownloads("demo", "orderChange", NOON) == ()


def test_a_pending_order_is_asked_for_where_pending_orders_are_downloaded(subscribed: World) -> None:
    settings = IntegrationSettings(order_change_notifications=True, download_pending_orders=True)
    subscribed.change_integration("demo", settings=settings)
    invoke("receive_order_changes", a_notification(**{f"{ORDER}Summary__OrderStatus": "Pending"}))
    assert len(subscribed.downloads.due_redownloads("demo", "orderChange", NOON)) == 1


def test_a_message_of_another_kind_is_no_unreadable_notification(
    subscribed: World, capsys: pytest.CaptureFixture[str]
) -> None:
    event = a_notification()
    event["Records"][0]["body"] = json.dumps({"notificationType": "REPORT_PROCESSING_FINISHED", "payload": {}})
    assert failed(invoke("receive_order_changes", event)) == []
    assert "cannot be read" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "body",
    [
        "knock, knock",
        "[]",
        "[" * 100_000,
        '{"NotificationType": "\\ud800"}',
        '{"NotificationType": "ORDER_CHANGE"}',
        json.dumps({"NotificationType": "ORDER_CHANGE", "EventTime": "soon", "Payload": {"postalCode": "97209"}}),
    ],
)
def test_an_unreadable_notification_is_dropped_and_delays_no_other(subscribed: World, body: str) -> None:
    event = a_notification()
    unreadable = event["Records"][0] | {"body": body}
    assert failed(invoke("receive_order_changes", {"Records": [unreadable, *event["Records"]]})) == []
    assert len(subscribed.downloads.due_redownloads("demo", "orderChange", NOON)) == 1


@pytest.mark.parametrize("order_id", ["", "..", "7" * 101])
def test_an_id_that_no_order_can_have_makes_a_notification_unreadable(subscribed: World, order_id: str) -> None:
    event = a_notification(**{f"{ORDER}AmazonOrderId": order_id})
    assert failed(invoke("receive_order_changes", event)) == []
    assert subscribed.woken() == []


def test_integrations_that_share_a_subscription_get_their_own_marketplaces(
    subscribed: World,
) -> None:
    settings = IntegrationSettings(order_change_notifications=True)
    subscribed.register("canada", marketplace_ids=("A2EUQ1WTGCTBG2",), settings=settings)
    subscribed.downloads.save_subscription(SUBSCRIPTION, "canada")
    invoke("receive_order_changes", a_notification(**{f"{ORDER}Summary__MarketplaceId": "A2EUQ1WTGCTBG2"}))
    assert subscribed.woken() == ["canada"]
    assert len(subscribed.downloads.due_redownloads("canada", "orderChange", NOON)) == 1


def test_a_notification_that_could_not_be_noted_comes_again(subscribed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def throttled(*_: object) -> None:
        raise RuntimeError

    event = a_notification()
    monkeypatch.setattr(app("receive_order_changes").downloads, "want_redownload", throttled)
    assert failed(invoke("receive_order_changes", event)) == [event["Records"][0]["messageId"]]
    assert subscribed.woken() == []

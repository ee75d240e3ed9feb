"""`make replay` repeats abandoned work once, and nothing leaves a queue before its work is done."""

import json
from collections.abc import Mapping
from typing import Any

import boto3
import pytest

from needs_attention.orders.order import Order
from needs_attention.tables.order_items import to_item
from tests.integration.faults import failing, throttled
from tools.builders import NOON, an_amazon_order, an_order
from tools.from_template import outputs, resources
from tools.in_memory.api import CONTEXT, World, an_event, app
from tools.replay import Clients, NotReplayed, Replay, portions

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
GIVEN_UP_BY = {"ValidateOrdersFailureQueue": "validate_orders", "PublishChangesFailureQueue": "publish_changes"}
QUEUES = (
    "ValidateOrdersFailureQueue",
    "PublishChangesFailureQueue",
    "WakeUpDeadLetterQueue",
    "RedactionDeadLetterQueue",
    "ScheduleDeadLetterQueue",
)


class Shard:
    """A shard of the orders table's stream, as DynamoDB gives it: in pages, the first of which is empty."""

    def __init__(self) -> None:
        self.exceptions = boto3.client("dynamodbstreams").exceptions
        self._records: list[dict[str, Any]] = []
        self._forgotten: int | None = 0

    def add(self, order: Order) -> Order:
        """The order as it is now."""
        changed = {
            "ApproximateCreationDateTime": NOON,
            "Keys": {"orderId": {"S": order.order_id}},
            "NewImage": to_item(order),
            "SequenceNumber": self.number(len(self._records)),
        }
        self._records.append({"eventName": "MODIFY", "eventSource": "aws:dynamodb", "dynamodb": changed})
        return order

    def remove(self, order: Order) -> None:
        self.add(order)
        self._records[-1]["eventName"] = "REMOVE"
        del self._records[-1]["dynamodb"]["NewImage"]

    def forget(self, number: int | None = None) -> None:
        """So many records, or the whole shard, after 24 hours."""
        self._forgotten = number

    @staticmethod
    def number(place: int) -> str:
        return str(98 + place)  # so that they do not sort as texts

    def get_shard_iterator(self, **asked: str) -> dict[str, str]:
        assert (asked["StreamArn"], asked["ShardId"]) == ("the-stream", "the-shard")
        if self._forgotten is None:
            raise self.exceptions.ResourceNotFoundException({"Error": {"Code": "ResourceNotFoundException"}}, "")
        if asked["ShardIteratorType"] == "TRIM_HORIZON":
            return {"ShardIterator": f"{self._forgotten} empty"}
        place = int(asked["SequenceNumber"]) - int(self.number(0))
        if place < self._forgotten:
            raise self.exceptions.TrimmedDataAccessException({"Error": {"Code": "TrimmedDataAccessException"}}, "")
        return {"ShardIterator": f"{place} empty"}

    def get_records(self, *, ShardIterator: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        place = int(ShardIterator.split(maxsplit=1)[0])
        if "empty" in ShardIterator:
            return {"Records": [], "NextShardIterator": f"{place}"}
        return {"Records": self._records[place : place + 2], "NextShardIterator": f"{place + 2}"}


class Stack:
    """A world with the failure queues and the orders table's stream; `said` holds the command's output."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.shard = Shard()
        self.sqs = boto3.client("sqs")
        boto3.client("events").create_event_bus(Name="orders")
        fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
        self.urls = {
            name: self.sqs.create_queue(
                QueueName=f"{name}.fifo" if "WakeUp" in name else name, Attributes=fifo if "WakeUp" in name else {}
            )["QueueUrl"]
            for name in QUEUES
        }
        self.said: list[str] = []

    def give_up(self, queue: str, first: int, last: int) -> None:
        """Lambda gives these records of the stream up; the message is as its documentation shows it."""
        message = {
            "requestContext": {
                "requestId": "5d1c7f0e-3f6a-4c1b-8e0a-2b9d4f6c7a10",
                "functionArn": f"{FUNCTION}{GIVEN_UP_BY[queue]}:live",
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": 11,
            },
            "responseContext": {"statusCode": 200, "executedVersion": "7"},
            "version": "1.0",
            "timestamp": "2026-11-23T12:13:49.717Z",
            "DDBStreamBatchInfo": {
                "shardId": "the-shard",
                "startSequenceNumber": Shard.number(first),
                "endSequenceNumber": Shard.number(last),
                "approximateArrivalOfFirstRecord": "2026-11-23T12:13:19Z",
                "approximateArrivalOfLastRecord": "2026-11-23T12:13:19Z",
                "batchSize": last - first + 1,
                "streamArn": "the-stream",
            },
        }
        self.put(queue, json.dumps(message))

    def put(self, queue: str, body: str) -> None:
        more: dict[str, Any] = {"MessageGroupId": "g"} if "WakeUp" in queue else {}
        if "Schedule" in queue:
            target = {"DataType": "String", "StringValue": f"{FUNCTION}download_orders:live"}
            more = {"MessageAttributes": {"TARGET_ARN": target}}
        self.sqs.send_message(QueueUrl=self.urls[queue], MessageBody=body, **more)

    def waiting(self, queue: str) -> int:
        number = self.sqs.get_queue_attributes(
            QueueUrl=self.urls[queue], AttributeNames=["ApproximateNumberOfMessages"]
        )["Attributes"]["ApproximateNumberOfMessages"]
        return int(number)

    def replay(self) -> int:
        """As the command does it, but that the functions run in this process."""

        def invoke(function: str, event: Mapping[str, Any]) -> Any:
            name = function.removeprefix(FUNCTION).removesuffix(":live")
            try:
                return app(name).handler(json.loads(json.dumps(event)), CONTEXT)
            except Exception as error:
                raise NotReplayed(f"{function} fails") from error

        outputs = {f"{name}Url": url for name, url in self.urls.items()} | {
            "OrdersTable": "OrdersTable",
            "HistoryTable": "HistoryTable",
            "WakeUpQueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/wake-up.fifo",
            "RedactionQueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/RedactionQueue",
        }
        clients = Clients(self.sqs, self.world.dynamodb, self.shard, invoke)
        return Replay(clients, outputs, self.said.append).run()

    def history(self) -> list[tuple[str, int]]:
        items = self.world.dynamodb.scan(TableName="HistoryTable")["Items"]
        return sorted((item["orderId"]["S"], json.loads(item["data"]["S"])["revision"]) for item in items)


FIRST, SECOND = "701-1111111-1111111", "701-2222222-2222222"


@pytest.fixture
def stack(world: World, monkeypatch: pytest.MonkeyPatch) -> Stack:
    monkeypatch.setattr("tools.replay.WAIT_SECONDS", 0)
    return Stack(world)


@pytest.fixture
def pending(stack: Stack) -> Stack:
    """Two orders, for whose verdicts validation was given up."""
    for order_id in (FIRST, SECOND):
        stack.shard.add(stack.world.store(an_order(an_amazon_order(order_id=order_id))))
    stack.give_up("ValidateOrdersFailureQueue", 0, 1)
    return stack


@pytest.fixture
def untold(stack: Stack) -> Stack:
    """Two orders with two revisions each, whose publication was given up."""
    for order_id in (FIRST, SECOND):
        order = stack.shard.add(stack.world.download(order_id=order_id))
        noted = order.with_(assigned_to="zoe")
        stack.shard.add(stack.world.orders.save(order, noted, by="ada", at=NOON, cause="note"))
    stack.give_up("PublishChangesFailureQueue", 0, 3)
    return stack


# Validation


def test_a_verdict_that_was_given_up_is_made_and_its_message_deleted(pending: Stack) -> None:
    assert pending.replay() == 0
    assert [pending.world.order(order_id).is_pending for order_id in (FIRST, SECOND)] == [False, False]
    assert pending.waiting("ValidateOrdersFailureQueue") == 0


def test_replaying_twice_is_replaying_once(pending: Stack) -> None:
    pending.give_up("ValidateOrdersFailureQueue", 0, 1)
    assert pending.replay() == 0
    assert pending.replay() == 0
    assert [pending.world.order(order_id).revision for order_id in (FIRST, SECOND)] == [2, 2]


def test_only_the_records_that_were_given_up_are_replayed(stack: Stack) -> None:
    for order_id in (FIRST, SECOND):
        stack.shard.add(stack.world.store(an_order(an_amazon_order(order_id=order_id))))
    stack.give_up("ValidateOrdersFailureQueue", 1, 1)
    stack.replay()
    assert [stack.world.order(order_id).is_pending for order_id in (FIRST, SECOND)] == [True, False]


def test_changes_the_stream_has_forgotten_are_not_confused_with_later_ones(stack: Stack) -> None:
    for order_id in (FIRST, SECOND):
        stack.shard.add(stack.world.store(an_order(an_amazon_order(order_id=order_id))))
    stack.give_up("ValidateOrdersFailureQueue", 0, 0)
    stack.shard.forget(1)
    assert stack.replay() == 0
    assert stack.world.order(SECOND).is_pending


def test_a_message_that_fails_again_stays_with_its_cause_until_it_succeeds(pending: Stack) -> None:
    with failing(throttled, "dynamodb", "UpdateItem", "OrdersTable"):
        assert pending.replay() == 1
    assert pending.waiting("ValidateOrdersFailureQueue") == 1
    assert "fails on 2 of 2 records" in "".join(pending.said)
    assert pending.replay() == 0


def test_a_validation_that_the_stream_has_forgotten_is_left_to_the_clock(pending: Stack) -> None:
    pending.shard.forget()
    assert pending.replay() == 0
    assert pending.waiting("ValidateOrdersFailureQueue") == 0
    assert "the clock asks for every verdict that did not come" in "".join(pending.said)


# Publication


def test_changes_that_were_given_up_are_published(untold: Stack) -> None:
    assert untold.replay() == 0
    assert untold.history() == [(FIRST, 1), (FIRST, 2), (SECOND, 1), (SECOND, 2)]
    assert untold.waiting("PublishChangesFailureQueue") == 0


def test_an_order_whose_changes_the_stream_forgot_has_its_last_one_told(untold: Stack) -> None:
    untold.shard.forget()
    assert untold.replay() == 0
    assert untold.history() == [(FIRST, 2), (SECOND, 2)]
    assert "Published the last change of 2 orders" in "".join(untold.said)
    assert "LOST" in "".join(untold.said)


def test_changes_that_the_stream_still_has_are_published_from_there_on(untold: Stack) -> None:
    untold.shard.forget(1)
    assert untold.replay() == 0
    assert untold.history() == [(FIRST, 2), (SECOND, 1), (SECOND, 2)]
    assert "LOST" in "".join(untold.said)


def test_an_order_that_was_removed_has_nothing_to_tell(untold: Stack) -> None:
    untold.shard.remove(untold.world.order(FIRST))
    untold.give_up("PublishChangesFailureQueue", 4, 4)
    assert untold.replay() == 0
    assert "LOST" not in "".join(untold.said)


def test_an_item_that_is_no_order_prevents_no_last_change_from_being_told(untold: Stack) -> None:
    untold.world.dynamodb.put_item(TableName="OrdersTable", Item={"orderId": {"S": "spoilt"}})
    untold.shard.forget()
    assert untold.replay() == 0
    assert len(untold.history()) == 2


def test_a_change_already_told_is_not_told_again(untold: Stack) -> None:
    untold.replay()
    untold.give_up("PublishChangesFailureQueue", 0, 3)
    untold.shard.forget()
    untold.replay()
    assert "Published the last change of 0 orders" in "".join(untold.said)


# Wake-ups, redactions and ticks


def test_a_wake_up_that_failed_three_times_wakes_its_integration_again(stack: Stack) -> None:
    stack.put("WakeUpDeadLetterQueue", json.dumps({"integrationId": "acme-na"}))
    assert stack.replay() == 0
    assert stack.world.woken() == ["acme-na"]
    assert stack.waiting("WakeUpDeadLetterQueue") == 0


def test_a_wake_up_that_cannot_be_sent_stays(stack: Stack) -> None:
    stack.put("WakeUpDeadLetterQueue", json.dumps({"integrationId": "acme-na"}))
    with failing(throttled, "sqs", "SendMessageBatch"):
        assert stack.replay() == 1
    assert stack.waiting("WakeUpDeadLetterQueue") == 1


def test_redactions_that_failed_three_times_are_asked_for_again(stack: Stack) -> None:
    stack.put("RedactionDeadLetterQueue", json.dumps({"integrationIds": ["acme-na", "demo"]}))
    assert stack.replay() == 0
    assert stack.world.asked_to_redact() == [["acme-na", "demo"]]
    assert stack.waiting("RedactionDeadLetterQueue") == 0


def test_a_message_of_redactions_that_cannot_be_sent_stays(stack: Stack) -> None:
    stack.put("RedactionDeadLetterQueue", json.dumps({"integrationIds": ["acme-na", "demo"]}))
    with failing(throttled, "sqs", "SendMessageBatch"):
        assert stack.replay() == 1
    assert stack.waiting("RedactionDeadLetterQueue") == 1


def test_one_tick_stands_for_all_that_did_not_arrive(stack: Stack) -> None:
    for minute in range(3):
        tick = an_event("download_orders_tick") | {"time": f"2026-11-23T12:0{minute}:00Z"}
        stack.put("ScheduleDeadLetterQueue", json.dumps(tick))
    assert stack.replay() == 0
    assert stack.world.woken() == ["acme-na"]
    assert stack.waiting("ScheduleDeadLetterQueue") == 0


@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize("body", ["knock, knock", "[]", '{"hello": "world"}'])
def test_an_unreadable_message_stays_and_delays_nothing_else(stack: Stack, queue: str, body: str) -> None:
    stack.put(queue, body)
    stack.put("ScheduleDeadLetterQueue", json.dumps(an_event("download_orders_tick")))
    assert stack.replay() == 1
    assert stack.waiting(queue) == 1
    assert stack.world.woken() == ["acme-na"]


# The whole


def test_every_dead_letter_queue_is_replayed() -> None:
    queues = {name for name, resource in resources().items() if resource["Type"] == "AWS::SQS::Queue"}
    assert queues - {"WakeUpQueue", "RedactionQueue", "OrderChangeQueue"} == set(QUEUES)
    assert {f"{name}Url" for name in QUEUES} < outputs().keys()


def test_an_unreadable_message_delays_its_own_queue_by_one_run_at_most(stack: Stack) -> None:
    """A FIFO queue gives nothing of a group out while another message of it is."""
    for body in ("knock, knock", json.dumps({"integrationId": "acme-na"})):
        stack.put("WakeUpDeadLetterQueue", body)
    assert stack.replay() == 1
    assert stack.world.woken() == ["acme-na"]
    assert stack.replay() == 1


# Batches for a function


def test_a_function_is_given_no_more_than_it_takes_at_once() -> None:
    small = [{"n": number} for number in range(250)]
    assert [len(part) for part in portions(small)] == [100, 100, 50]
    large = [{"n": "x" * 2_000_000} for _ in range(5)]
    assert [len(part) for part in portions(large)] == [2, 2, 1]
    assert list(portions([])) == []

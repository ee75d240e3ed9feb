"""`make replay` on a deployed stack: its real queues, stream and functions.

The embedded AWS never gives a stream's record up, so the failure queues are filled by hand; `test_replay` among the
integration tests covers the fate of each message.
"""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from needs_attention.tables.history import OrderRevision, history_key
from tools.in_memory.api import an_event
from tools.local_stack import local_aws
from tools.local_stack.deployment import PROJECT, STACK_NAME
from tools.local_stack.expectations import eventually
from tools.local_stack.registration import INTEGRATION
from tools.local_stack.shop import Shop
from tools.local_stack.stack import Stack

QUEUES = (
    "ValidateOrdersFailureQueue",
    "PublishChangesFailureQueue",
    "WakeUpDeadLetterQueue",
    "RedactionDeadLetterQueue",
    "ScheduleDeadLetterQueue",
)


class Operator:
    """Somebody with an administrator's rights in the account."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.dynamodb = self._client("dynamodb")
        self.streams = self._client("dynamodbstreams")
        self.sqs = self._client("sqs")

    def _client(self, service: str) -> Any:
        return local_aws.session().client(service, endpoint_url=self.stack.aws_endpoint)

    def a_change_of(self, order_id: str) -> tuple[str, str, dict[str, Any]]:
        """Of the stream that it is in: its ARN, its shard, and the record."""
        table = self.dynamodb.describe_table(TableName=self.stack.outputs["OrdersTable"])["Table"]
        stream = table["LatestStreamArn"]
        for shard in self.streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"]:
            place = {"StreamArn": stream, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
            iterator = self.streams.get_shard_iterator(**place)["ShardIterator"]
            while iterator and (answer := self.streams.get_records(ShardIterator=iterator))["Records"]:
                for record in answer["Records"]:
                    is_of_order = record["dynamodb"]["Keys"]["orderId"]["S"] == order_id
                    if is_of_order and "lastChange" in record["dynamodb"].get("NewImage", {}):
                        return stream, shard["ShardId"], record
                iterator = answer.get("NextShardIterator")
        raise LookupError(f"no change of {order_id} in the stream")

    def history_entry(self, record: dict[str, Any]) -> dict[str, Any]:
        key = history_key(OrderRevision.from_image(record["dynamodb"]["NewImage"]))
        return {"TableName": self.stack.outputs["HistoryTable"], "Key": key}

    def function(self, logical_id: str) -> str:
        found = self._client("cloudformation").describe_stack_resource(
            StackName=STACK_NAME, LogicalResourceId=logical_id
        )
        name = found["StackResourceDetail"]["PhysicalResourceId"]
        return str(self._client("lambda").get_function(FunctionName=name)["Configuration"]["FunctionArn"]) + ":live"

    def put(self, queue: str, body: object, **more: Any) -> None:
        self.sqs.send_message(QueueUrl=self.stack.outputs[f"{queue}Url"], MessageBody=json.dumps(body), **more)

    def replay(self) -> subprocess.CompletedProcess[str]:
        environment = local_aws.environment_of(self.stack.aws_endpoint)
        environment["PYTHONPATH"] = os.pathsep.join([str(PROJECT), str(PROJECT / "layers")])
        return subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "tools.replay", STACK_NAME],
            cwd=PROJECT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def shop(stack: Stack) -> Shop:
    """Nothing runs any more that could be given up, and the failure queues are empty."""
    shop = Shop.registered(stack)
    for queue in QUEUES:
        shop.empty(queue)
    return shop


def test_one_command_repeats_work_that_was_given_up_as_often_as_you_like(shop: Shop) -> None:
    operator = Operator(shop.stack)
    (order_id,) = shop.new_orders()
    shop.download()
    shop.judged([order_id])
    stream, shard, record = operator.a_change_of(order_id)
    entry = operator.history_entry(record)
    eventually("the change is told", lambda: operator.dynamodb.get_item(**entry).get("Item"))
    operator.dynamodb.delete_item(**entry)
    number = record["dynamodb"]["SequenceNumber"]
    place = {"streamArn": stream, "shardId": shard, "startSequenceNumber": number, "endSequenceNumber": number}

    def give_up(queue: str, function: str) -> None:
        context = {"functionArn": operator.function(function), "condition": "RetryAttemptsExhausted"}
        operator.put(queue, {"requestContext": context, "DDBStreamBatchInfo": place | {"batchSize": 1}})

    give_up("ValidateOrdersFailureQueue", "ValidateOrdersFunction")
    give_up("PublishChangesFailureQueue", "PublishChangesFunction")
    once = {"MessageGroupId": INTEGRATION, "MessageDeduplicationId": "replay"}
    operator.put("WakeUpDeadLetterQueue", {"integrationId": INTEGRATION}, **once)
    operator.put("RedactionDeadLetterQueue", {"integrationIds": [INTEGRATION]})
    target = {"DataType": "String", "StringValue": operator.function("DownloadOrdersFunction")}
    operator.put("ScheduleDeadLetterQueue", an_event("download_orders_tick"), MessageAttributes={"TARGET_ARN": target})

    first = operator.replay()
    assert (first.returncode, first.stderr) == (0, ""), first.stdout
    assert [line for line in first.stdout.splitlines() if line.endswith("1 replayed, 0 left")] == [
        f"{queue}: 1 replayed, 0 left" for queue in QUEUES
    ]
    assert operator.dynamodb.get_item(**entry)["Item"]["data"]["S"]
    again = operator.replay()
    assert again.returncode == 0
    assert again.stdout.count("0 replayed, 0 left") == len(QUEUES)

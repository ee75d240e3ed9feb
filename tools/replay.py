"""`make replay STACK=name`: gives the functions of a deployed stack again the work that they gave up.

It deletes each message of a failure queue only after its replay. A message that fails again, or that it does not
understand, stays with its cause. A second replay of the same message changes nothing, so you may run the command at any
time, twice, or together with somebody else. You need the rights of an administrator of the stack.

- A stream's failures name places in it (https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html).
  The function that failed on them gets the records there again. The stream forgets them after 24 hours. After that,
  validation needs nothing: the clock has asked for every verdict that did not come. Only the last unpublished change of
  each order can still be told; those before it are lost, which the orders' histories show as gaps.
- A wake-up wakes its integration.
- A message of redactions asks for those of its integrations.
- A tick of the clock goes to its target (https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html):
  one for each target, because one does the work of all.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import batched
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from needs_attention.redaction_queue import RedactionQueue, integrations_to_redact
from needs_attention.tables.history import HistoryStore, OrderRevision
from needs_attention.wake_up_queue import WakeUpQueue, integration_to_wake

# Nobody else gets a message for this long while it is replayed.
HIDDEN_SECONDS = 900
# A function takes a payload of 6 MB (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
MOST_RECORDS, MOST_BYTES = 100, 5_000_000
# A call that waits asks all of SQS's servers; one that does not may ask only servers without messages.
WAIT_SECONDS = 1
# Lambda lets no function run longer.
LONGEST_RUN_SECONDS = 900
# An open shard answers without records at its end, and sometimes before.
MOST_EMPTY_ANSWERS = 20

type Invoke = Callable[[str, Mapping[str, Any]], Any]
type Message = Mapping[str, Any]


class NotReplayed(Exception):
    """The message stays where it is; the text says why."""


class Clients(NamedTuple):
    """Clients of the stack's services. `invoke` calls the function of an ARN with an event, and returns its answer."""

    sqs: Any
    dynamodb: Any
    streams: Any
    invoke: Invoke


class Replay:
    """One pass through all failure queues of a stack with these outputs. It reports each step to `say`."""

    def __init__(self, clients: Clients, outputs: Mapping[str, str], say: Callable[[str], None]) -> None:
        self._clients = clients
        self._outputs = outputs
        self._say = say
        self._ticked: set[str] = set()
        self._has_told_last_changes = False

    def run(self) -> int:
        """Replays as much as it can; answers how many messages are left."""
        return sum(
            (
                self._empty("ValidateOrdersFailureQueue", self._validate),
                self._empty("PublishChangesFailureQueue", self._publish),
                self._empty("WakeUpDeadLetterQueue", self._wake),
                self._empty("RedactionDeadLetterQueue", self._ask_for_redactions),
                self._empty("ScheduleDeadLetterQueue", self._tick),
            )
        )

    def _empty(self, queue: str, replay: Callable[[Message], str]) -> int:
        url = self._outputs[f"{queue}Url"]
        replayed, left = 0, []
        for message in self._messages(url):
            try:
                done = replay(message)
            except (NotReplayed, BotoCoreError, ClientError) as error:
                self._say(f"{queue}: {message['MessageId']} stays. {error}")
                left.append(message)
            else:
                self._say(f"{queue}: {message['MessageId']}. {done}")
                self._clients.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                replayed += 1
        for message in left:
            self._clients.sqs.change_message_visibility(
                QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
            )
        self._say(f"{queue}: {replayed} replayed, {len(left)} left")
        return len(left)

    def _messages(self, url: str) -> Iterator[Message]:
        while messages := self._clients.sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=HIDDEN_SECONDS,
            WaitTimeSeconds=WAIT_SECONDS,
            MessageAttributeNames=["All"],
        ).get("Messages", []):
            yield from messages

    # Records of the stream

    def _validate(self, message: Message) -> str:
        place, found = self._give_again(message)
        done = f"{place}: validated {len(found.records)}."
        if found.is_whole:
            return done
        return f"{done} The stream has forgotten the others; the clock asks for every verdict that did not come."

    def _publish(self, message: Message) -> str:
        place, found = self._give_again(message)
        done = f"{place}: published {len(found.records)}."
        if found.is_whole:
            return done
        self._tell_last_changes(place.function)
        return f"{done} The stream has forgotten the others: LOST, except for each order's last change."

    def _give_again(self, message: Message) -> "tuple[Place, Found]":
        """Gives the function again the records that the message names, as far as the stream still has them."""
        place = Place.from_message(message)
        found = self._find(place)
        self._give(place.function, found.records)
        return place, found

    def _find(self, place: "Place") -> "Found":
        """The records that the stream still has."""
        errors = self._clients.streams.exceptions
        try:
            found = list(self._read(place, {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": place.first}))
        except errors.TrimmedDataAccessException:
            found = list(self._read(place, {"ShardIteratorType": "TRIM_HORIZON"}))
        except errors.ResourceNotFoundException:
            found = []  # the whole shard is gone
        # A stream forgets its oldest records first.
        is_whole = bool(found) and found[0]["dynamodb"]["SequenceNumber"] == place.first
        records = [_as_lambda_gives_it(record, place.stream) for record in found if record["eventName"] != "REMOVE"]
        return Found(records, is_whole)

    def _read(self, place: "Place", start: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        position = self._clients.streams.get_shard_iterator(StreamArn=place.stream, ShardId=place.shard, **start)
        iterator, empty = position["ShardIterator"], 0
        while iterator and empty < MOST_EMPTY_ANSWERS:
            answer = self._clients.streams.get_records(ShardIterator=iterator)
            for record in answer["Records"]:
                number = int(record["dynamodb"]["SequenceNumber"])
                if number <= int(place.last):
                    yield record
                if number >= int(place.last):
                    return
            empty = 0 if answer["Records"] else empty + 1
            iterator = answer.get("NextShardIterator")

    def _tell_last_changes(self, publish: str) -> None:
        """Publishes each order's last change that its history lacks; once in a run, however much was forgotten."""
        if self._has_told_last_changes:
            return
        told = 0
        pages = self._clients.dynamodb.get_paginator("scan").paginate(TableName=self._outputs["OrdersTable"])
        for items in batched((item for page in pages for item in page["Items"]), MOST_RECORDS, strict=False):
            untold = [_a_record_of(item) for item in self._without_history(items)]
            self._give(publish, untold)
            told += len(untold)
        self._has_told_last_changes = True
        self._say(f"Published the last change of {told} orders whose histories lacked it")

    def _without_history(self, items: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        history = HistoryStore(self._clients.dynamodb, self._outputs["HistoryTable"])
        for item in items:
            try:
                revision = OrderRevision.from_image(item)
            except ValueError:
                continue  # not an order: the function would fail on it
            if not history.holds(revision):
                yield item

    def _give(self, function: str, records: Iterable[dict[str, Any]]) -> None:
        for some in portions(records):
            answer = self._clients.invoke(function, {"Records": some})
            failed = len(answer["batchItemFailures"])
            if failed:
                raise NotReplayed(f"{function} fails on {failed} of {len(some)} records; its log says why")

    # Wake-ups, redactions and ticks

    def _wake(self, message: Message) -> str:
        try:
            integration_id = integration_to_wake(message["Body"])
        except ValueError as error:
            raise NotReplayed(f"It is not a wake-up ({error})") from None
        queue = WakeUpQueue(self._clients.sqs, self._outputs["WakeUpQueueUrl"])
        if failed := queue.wake_each([integration_id], message["MessageId"]):
            raise NotReplayed(f"SQS does not take the wake-up ({failed[integration_id]})")
        return f"Woke {integration_id}"

    def _ask_for_redactions(self, message: Message) -> str:
        try:
            integration_ids = integrations_to_redact(message["Body"])
        except ValueError as error:
            raise NotReplayed(f"It asks for no redactions ({error})") from None
        queue = RedactionQueue(self._clients.sqs, self._outputs["RedactionQueueUrl"])
        if failed := queue.ask_for(integration_ids):
            raise NotReplayed(f"SQS does not take the message ({failed[integration_ids[0]]})")
        return f"Asked for the redactions of {len(integration_ids)} integrations"

    def _tick(self, message: Message) -> str:
        try:
            target = message["MessageAttributes"]["TARGET_ARN"]["StringValue"]
            tick = json.loads(message["Body"])
        except (KeyError, ValueError):
            raise NotReplayed("It does not name the tick that did not arrive") from None
        if target not in self._ticked:
            self._clients.invoke(target, tick)
            self._ticked.add(target)
        cause = message["MessageAttributes"].get("ERROR_CODE", {}).get("StringValue", "no cause")
        return f"{cause}: gave a tick to {target}"


class Place(NamedTuple):
    """A part of a stream that a function gave up, and why, as the message in its failure queue says."""

    function: str
    stream: str
    shard: str
    first: str
    last: str
    size: int
    cause: str

    @classmethod
    def from_message(cls, message: Message) -> "Place":
        """Raises NotReplayed for a message that is not one of Lambda's about a stream."""
        try:
            body = json.loads(message["Body"])
            batch = body["DDBStreamBatchInfo"]
            return cls(
                function=body["requestContext"]["functionArn"],
                stream=batch["streamArn"],
                shard=batch["shardId"],
                first=batch["startSequenceNumber"],
                last=batch["endSequenceNumber"],
                size=batch["batchSize"],
                cause=body["requestContext"]["condition"],
            )
        except (KeyError, TypeError, ValueError):
            raise NotReplayed("It does not name the failed records and their stream") from None

    def __str__(self) -> str:
        return f"{self.cause} on {self.size} records from {self.first} on"


class Found(NamedTuple):
    """Records as Lambda gives them to a function, and whether none is missing."""

    records: list[dict[str, Any]]
    is_whole: bool


def portions(records: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The records in the stream's order, in parts of a size that a function takes at once."""
    part: list[dict[str, Any]] = []
    size = 0
    for record in records:
        length = len(json.dumps(record))
        if part and (len(part) == MOST_RECORDS or size + length > MOST_BYTES):
            yield part
            part, size = [], 0
        part.append(record)
        size += length
    if part:
        yield part


def _as_lambda_gives_it(record: dict[str, Any], stream: str) -> dict[str, Any]:
    changed = record["dynamodb"]
    at = int(changed["ApproximateCreationDateTime"].timestamp())
    return {**record, "eventSourceARN": stream, "dynamodb": {**changed, "ApproximateCreationDateTime": at}}


def _a_record_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """A record of the change that led to the item, as the stream would bring it."""
    number = f"{item['orderId']['S']}:{item['revision']['N']}"
    changed = {"Keys": {"orderId": item["orderId"]}, "NewImage": item, "SequenceNumber": number}
    return {"eventName": "MODIFY", "eventSource": "aws:dynamodb", "dynamodb": changed}


def invoke(lambda_: Any, function: str, event: Mapping[str, Any]) -> Any:
    """The function's answer. Raises NotReplayed if it fails as a whole."""
    answer = lambda_.invoke(FunctionName=function, Payload=json.dumps(event))
    if "FunctionError" in answer:
        raise NotReplayed(f"{function} fails; its log says why")
    return json.loads(answer["Payload"].read() or "null")


def main(stack: str) -> int:
    """Replays the failures of the stack of that name, in the account and region of the caller's AWS settings."""

    def say(sentence: str) -> None:
        sys.stdout.write(f"{sentence}\n")

    (described,) = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    patient = Config(read_timeout=LONGEST_RUN_SECONDS, retries={"total_max_attempts": 1})
    clients = Clients(
        sqs=boto3.client("sqs"),
        dynamodb=boto3.client("dynamodb"),
        streams=boto3.client("dynamodbstreams"),
        invoke=partial(invoke, boto3.client("lambda", config=patient)),
    )
    return 1 if Replay(clients, outputs, say).run() else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

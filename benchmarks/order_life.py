"""Orders' lives from download to redaction, lived by the functions themselves, and what each step of them takes.

Everything runs on an embedded DynamoDB that says what each write costs the table and each index, against the Amazon
stand-in, on a clock that is set: nothing here waits.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from itertools import batched
from statistics import mean
from typing import Any, NamedTuple
from unittest.mock import patch

from benchmarks.amazon_orders import NOW, entries
from benchmarks.downloads import INTEGRATION
from benchmarks.embedded_dynamodb import embedded_dynamodb
from benchmarks.invocations import Functions, Usage
from needs_attention.downloads.backdated import BackdatedDownload
from needs_attention.downloads.next_wake_up import NextWakeUp
from needs_attention.orders.verdict import REDOWNLOAD_AFTER
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.wake_ups import WakeUpStore
from needs_attention.values import times
from tools.amazon_stand_in.clock import Clock
from tools.amazon_stand_in.ledger import Entry, Json
from tools.amazon_stand_in.server import AmazonStandIn
from tools.consumption import size_of
from tools.from_template import resources
from tools.local_stack import local_aws
from tools.local_stack.deployment import PROJECT
from tools.local_stack.expectations import expect
from tools.local_stack.stack import Stack

# Less than a page, so that one search lists them all.
ORDERS = 90
BATCH = 100
NOT_A_FULL_HOUR = "2026-11-23T12:01:00Z"
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
LIVE_EVERY = 5 * MINUTE
# By then all personal data must be gone.
LATE = timedelta(days=60)
MORE_INTEGRATIONS = 10
SHIPPED: Json = {"fulfillment": {"fulfillmentStatus": "SHIPPED"}}
# Of a full hour's tick, which is not lived here: what it counts in an index no emulator weighs.
HOURLY_METRICS = 1


class Step(NamedTuple):
    """The usage of one change of an order in each function that it passes, without the invocations."""

    download: Usage = Usage()
    validate: Usage = Usage()
    publish: Usage = Usage()

    @property
    def total(self) -> Usage:
        return self.download + self.validate + self.publish


class Sizes(NamedTuple):
    """Mean bytes of an order's item, of its entries in all indexes together, and of its history."""

    item: float
    entries: float
    history: float


class Life(NamedTuple):
    """The usage for each order, and that of the clock.

    `new` to `redacted` are for one order each; `held` is a day of asking for a held one, `repaired` a person's look at
    it, edit and release. `tick`, `idle` and `redaction_tick` are whole invocations; `search` is what a live search adds
    to an idle wake-up, and `..._per_integration` each further integration to a tick; `..._batch` is what an invocation
    takes beyond its records. `metrics` is the number of custom metrics.
    """

    new: Step
    shipped: Step
    touched: Step
    unchanged: Usage
    held: Step
    repaired: Step
    redacted: Step
    tick: Usage
    idle: Usage
    search: Usage
    redaction_tick: Usage
    tick_per_integration: Usage
    redaction_tick_per_integration: Usage
    validate_batch: Usage
    publish_batch: Usage
    metrics: int
    sizes: Sizes


def live() -> Life:
    """Lives them; takes half a minute."""
    clock = Clock(NOW - 60 * MINUTE)
    orders = entries(ORDERS, spread=10 * MINUTE)
    with (
        patch.object(times, "utc_now", clock),
        AmazonStandIn(orders, now=clock) as amazon,
        embedded_dynamodb("bench-cost") as stack,
    ):
        return _Seller(stack, amazon, clock).live(orders)


class _Delivered(NamedTuple):
    """The usage of validation and publication of the stream, and how many records came to each."""

    validate: Usage
    judged: int
    publish: Usage
    told: int


class _Seller:
    """One integration, and the functions that serve it."""

    def __init__(self, stack: Stack, amazon: AmazonStandIn, clock: Clock) -> None:
        self._amazon = amazon
        self._clock = clock
        self._dynamodb = _client("dynamodb", stack)
        self._sqs = _client("sqs", stack)
        self._redactions: str = self._sqs.create_queue(QueueName="redactions")["QueueUrl"]
        self._stream = _Stream(stack)
        self._functions = Functions(self._environment(stack))
        self._integrations = SettingsStore(self._dynamodb, "IntegrationsTable")
        self._downloads = DownloadStateStore(self._dynamodb, "IntegrationsTable")
        self._wake_ups = WakeUpStore(self._dynamodb, "IntegrationsTable")
        begun = {"registered_at": clock(), "client_secret_created_at": clock(), "consent_given_at": clock()}
        self._integrations.save(INTEGRATION.model_copy(update=begun))

    def _environment(self, stack: Stack) -> dict[str, str]:
        queue = self._sqs.create_queue(QueueName="wake-up.fifo", Attributes={"FifoQueue": "true"})
        _client("events", stack).create_event_bus(Name="orders")
        secret = json.dumps(asdict(self._amazon.credentials))
        name = f"integration/{INTEGRATION.integration_id}"
        _client("secretsmanager", stack).create_secret(Name=name, SecretString=secret)
        return {
            **local_aws.environment_of(stack.aws_endpoint),
            "ORDERS_TABLE": "OrdersTable",
            "HISTORY_TABLE": "HistoryTable",
            "INTEGRATIONS_TABLE": "IntegrationsTable",
            "ANSWERS_TABLE": "AnswersTable",
            "EVENT_BUS": "orders",
            "WAKE_UP_QUEUE_URL": queue["QueueUrl"],
            "REDACTION_QUEUE_URL": self._redactions,
            "SECRET_PREFIX": "integration/",
            "SP_API_ENDPOINT": self._amazon.endpoint,
            "LWA_ENDPOINT": self._amazon.lwa_endpoint,
            "POWERTOOLS_SERVICE_NAME": "download_orders",
            "POWERTOOLS_METRICS_NAMESPACE": "NeedsAttention/benchmark",
            "POWERTOOLS_LOG_LEVEL": "INFO",
        }

    def live(self, orders: Sequence[Entry]) -> Life:
        # The first invocations take longer than all later ones.
        self._wake_up()
        self._tick()
        tick = self._tick()
        self._clock.advance(MINUTE)
        idle = self._wake_up()
        self._clock.advance(LIVE_EVERY)
        search = self._wake_up() - idle

        def changed() -> tuple[Usage, _Delivered]:
            """A live search that brings something, and what follows from it."""
            self._clock.advance(LIVE_EVERY)
            return self._wake_up() - idle - search, self._delivered()

        self._clock.now = NOW - LIVE_EVERY
        new = changed()
        held = self._held_for_a_day(idle, search)
        repaired = self._repaired()
        changed()
        unchanged = self._downloaded_again() - idle - search
        if of_orders := [place for place in unchanged.written if place.startswith("OrdersTable")]:
            raise ValueError(f"orders that had not changed were written: {of_orders}")
        first, *others = orders
        self._amazon_changes([first], SHIPPED)
        _, alone = changed()
        self._amazon_changes(others, SHIPPED)
        shipped = changed()
        self._amazon_changes(orders, {})
        touched = changed()
        if touched[1].judged:
            raise ValueError(f"{touched[1].judged} orders whose time alone changed were judged again")
        sizes = self._sizes()
        self._clock.advance(LATE)
        redacted = self._redaction_tick(), self._delivered()
        redaction_tick = self._redaction_tick()
        tick_of_all, redaction_tick_of_all = self._ticks_with_more_integrations()

        _, together = shipped
        validate_batch = _beyond_records(alone.validate, alone.judged, together.validate, together.judged)
        publish_batch = _beyond_records(alone.publish, alone.told, together.publish, together.told)

        def each(download: Usage, delivered: _Delivered, number: int) -> Step:
            return Step(
                download.times(1 / number),
                (delivered.validate - validate_batch.times(delivered.validate.invocations)).times(1 / number),
                (delivered.publish - publish_batch.times(delivered.publish.invocations)).times(1 / number),
            )

        return Life(
            new=each(*new, ORDERS),
            shipped=each(*shipped, len(others)),
            touched=each(*touched, ORDERS),
            unchanged=unchanged.times(1 / ORDERS),
            held=each(*held),
            repaired=each(*repaired),
            redacted=each(redacted[0] - redaction_tick, redacted[1], ORDERS),
            tick=tick,
            idle=idle,
            search=search,
            redaction_tick=redaction_tick,
            tick_per_integration=(tick_of_all - tick).times(1 / MORE_INTEGRATIONS),
            redaction_tick_per_integration=(redaction_tick_of_all - redaction_tick).times(1 / MORE_INTEGRATIONS),
            validate_batch=validate_batch,
            publish_batch=publish_batch,
            metrics=self._metrics(),
            sizes=sizes,
        )

    # Events

    def _amazon_changes(self, orders: Sequence[Entry], changes: Json) -> None:
        for order in orders:
            self._amazon.patch(order.order_id, changes, last_updated_time=self._clock())

    def _held_for_a_day(self, idle: Usage, search: Usage) -> tuple[Usage, _Delivered, int]:
        """All that is asked for the held orders by ID, and how many they are."""
        asked, delivered, number = Usage(), _Delivered(Usage(), 0, Usage(), 0), 0
        since = self._clock()
        for wait in REDOWNLOAD_AFTER:
            self._clock.now = since + wait + SECOND
            run = self._wake_up()
            number = number or int(run.calls["getOrder"])
            asked += run - idle - search.times(run.calls["searchOrders"])
            told = self._delivered()
            delivered = _Delivered(
                delivered.validate + told.validate,
                delivered.judged + told.judged,
                delivered.publish + told.publish,
                delivered.told + told.told,
            )
        return asked, delivered, number

    def _repaired(self) -> tuple[Usage, _Delivered, int]:
        """A person finds each order that lacks its email alone, looks at it, types one in and releases it."""
        items = self._dynamodb.scan(TableName="OrdersTable")["Items"]
        lacking = [
            item["orderId"]["S"]
            for item in items
            if [missing["field"] for missing in json.loads(item.get("missing", {"S": "[]"})["S"])] == ["email"]
        ]
        calls = Usage()
        for order_id in lacking:
            path = f"/orders/{order_id}"
            calls += self._call("query_orders", "GET", "/orders", query={"stage": "Needs Attention"})
            calls += self._call("query_orders", "GET", path)
            calls += self._call("edit_orders", "PATCH", path, {"email": "typed@mail.example.com"})
            calls += self._call("edit_orders", "POST", f"{path}/release", {})
        return calls, self._delivered(), len(lacking)

    def _downloaded_again(self) -> Usage:
        """A backdated download of all orders, without any change."""
        since = NOW - timedelta(hours=1)
        pace = self._downloads.live_download(INTEGRATION).walk.pace
        again = BackdatedDownload.requested(since, pace, by="ada", now=self._clock())
        self._downloads.save_backdated_download(INTEGRATION.integration_id, again)
        self._clock.advance(MINUTE)
        return self._wake_up()

    def _ticks_with_more_integrations(self) -> tuple[Usage, Usage]:
        for number in range(MORE_INTEGRATIONS):
            another, now = f"another-{number}", self._clock()
            self._integrations.save(INTEGRATION.model_copy(update={"integration_id": another, "registered_at": now}))
            self._wake_ups.save(NextWakeUp(integration=another, at=now + 3 * MINUTE, ran_at=now))
        return self._tick(), self._redaction_tick()

    # The functions

    def _tick(self) -> Usage:
        return self._functions.invoke("download_orders", _event("download_orders_tick") | {"time": NOT_A_FULL_HOUR})[1]

    def _redaction_tick(self) -> Usage:
        """With the messages that it sends."""
        _, usage = self._functions.invoke("redact_orders", _event("redact_orders_tick"))
        (record,) = _event("redact_orders_message")["Records"]
        for message in self._sqs.receive_message(QueueUrl=self._redactions, MaxNumberOfMessages=10)["Messages"]:
            self._sqs.delete_message(QueueUrl=self._redactions, ReceiptHandle=message["ReceiptHandle"])
            _, of_message = self._functions.invoke("redact_orders", {"Records": [record | {"body": message["Body"]}]})
            usage += of_message
        return usage

    def _wake_up(self) -> Usage:
        """With the calls to Amazon among the calls."""
        self._amazon.forget_requests()
        _, usage = self._functions.invoke("download_orders", _event("download_orders_wake_up"))
        made = Counter(request.operation for request in self._amazon.requests())
        return usage + Usage(calls=made)

    def _delivered(self) -> _Delivered:
        """The records of the stream: first those to judge, because verdicts change orders too, then all to publish."""
        changes = self._stream.records()
        pending = [record for record in changes if record["dynamodb"]["NewImage"]["verdict"]["S"] == "pending"]
        validate = self._batches("validate_orders", pending)
        changes += self._stream.records()
        return _Delivered(validate, len(pending), self._batches("publish_changes", changes), len(changes))

    def _batches(self, function: str, records: Sequence[Json]) -> Usage:
        usage = Usage()
        for batch in batched(records, BATCH, strict=False):
            usage += self._functions.invoke(function, {"Records": list(batch)})[1]
        return usage

    def _call(
        self, function: str, method: str, path: str, body: object = None, query: Mapping[str, str] | None = None
    ) -> Usage:
        kind = {"Content-Type": "application/merge-patch+json" if method == "PATCH" else "application/json"}
        event = _event(function) | {
            "httpMethod": method,
            "path": path,
            "headers": kind,
            "multiValueHeaders": {name: [value] for name, value in kind.items()},
            "queryStringParameters": query,
            "multiValueQueryStringParameters": {name: [value] for name, value in (query or {}).items()},
            "body": None if body is None else json.dumps(body),
        }
        event["requestContext"]["path"] = f"/v1{path}"
        answer, usage = self._functions.invoke(function, event)
        expect(answer["statusCode"], 200, f"{method} {path} ({answer['body'][:300]})")
        return usage

    # The state afterwards

    def _sizes(self) -> Sizes:
        items = self._dynamodb.scan(TableName="OrdersTable")["Items"]
        history = self._dynamodb.scan(TableName="HistoryTable")["Items"]
        entries_of = [sum(size_of(entry) for entry in index_entries(item)) for item in items]
        return Sizes(mean(map(size_of, items)), mean(entries_of), sum(map(size_of, history)) / len(items))

    def _metrics(self) -> int:
        """How many the functions logged, in CloudWatch's embedded metric format, and those of the whole hour."""
        found = set()
        for line in self._functions.output.splitlines():
            for told in json.loads(line).get("_aws", {}).get("CloudWatchMetrics", ()):
                found |= {(str(told["Dimensions"]), metric["Name"]) for metric in told["Metrics"]}
        return len(found) + HOURLY_METRICS


class _Stream:
    """The orders table's stream, from its beginning."""

    def __init__(self, stack: Stack) -> None:
        dynamodb = _client("dynamodb", stack)
        stream = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
        dynamodb.update_table(TableName="OrdersTable", StreamSpecification=stream)
        self._arn = dynamodb.describe_table(TableName="OrdersTable")["Table"]["LatestStreamArn"]
        self._streams = _client("dynamodbstreams", stack)
        self._iterators: dict[str, str] = {}

    def records(self) -> list[Json]:
        """Those that have come since, in the form in which Lambda hands them over."""
        return [
            record | {"dynamodb": record["dynamodb"] | {"ApproximateCreationDateTime": 1795435200}}
            for shard in self._streams.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"]
            for record in self._of(shard["ShardId"])
        ]

    def _of(self, shard: str) -> Iterator[Json]:
        begin = {"StreamArn": self._arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
        at = self._iterators.get(shard) or self._streams.get_shard_iterator(**begin)["ShardIterator"]
        while True:
            answer = self._streams.get_records(ShardIterator=at)
            at = self._iterators[shard] = answer["NextShardIterator"]
            yield from answer["Records"]
            if not answer["Records"]:
                return


def index_entries(item: Json) -> Iterator[Json]:
    """The parts of an item that the indexes of the orders table hold."""
    for index in resources()["OrdersTable"]["Properties"]["GlobalSecondaryIndexes"]:
        keys = {key["AttributeName"] for key in index["KeySchema"]}
        if keys <= item.keys():
            projected = keys | {"orderId", *index["Projection"].get("NonKeyAttributes", ())}
            yield {name: value for name, value in item.items() if name in projected}


def _beyond_records(few: Usage, number_of_few: int, many: Usage, number_of_many: int) -> Usage:
    """The usage of an invocation itself: the same however many records it brings, and without writes."""
    each = (many - few).times(1 / (number_of_many - number_of_few))
    return replace(few - each.times(number_of_few), invocations=1, written=Counter())


def _event(name: str) -> Json:
    event: Json = json.loads((PROJECT / f"events/{name}.json").read_text())
    return event


def _client(service: str, stack: Stack) -> Any:
    return local_aws.session().client(service, endpoint_url=stack.aws_endpoint)

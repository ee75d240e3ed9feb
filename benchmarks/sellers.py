"""Ten thousand sellers against a hundred: what each tick of the clock and each route asks of AWS, and how long it takes.

The functions' own code runs in the measuring process, on the template's tables and queues in MiniStack.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import batched
from typing import Any, NamedTuple

from benchmarks.embedded_dynamodb import embedded_dynamodb, environment_on
from benchmarks.markdown import table
from benchmarks.report import Section, at_most, told_of
from needs_attention.downloads.next_wake_up import NextWakeUp
from needs_attention.integrations.held_counter import HeldCounter
from needs_attention.integrations.integration import Integration
from needs_attention.tables.dynamodb import Item, number
from needs_attention.tables.integration_items import HELD, SYSTEM, WAKE_UPS, as_json, item_key
from tools.consumption import Consumption
from tools.local_stack import local_aws
from tools.local_stack.deployment import PROJECT
from tools.local_stack.expectations import expect
from tools.local_stack.filled_tables import MOST_IN_A_BATCH, fill
from tools.local_stack.registration import INTEGRATION
from tools.local_stack.scale import InProcess, Route
from tools.local_stack.stack import Stack

FEW, MANY = 100, 10_000
ORDERS = 500  # of the integration that lists ask for
# The targets: of a tick, and of a list.
SECONDS_OF_A_TICK, SECONDS_OF_A_LIST = 60, 3
# A call of DynamoDB or SQS from a function in the same region takes so many seconds, by experience.
CALL_ON_AWS = 0.01
QUEUES = {"WakeUpQueue": "wake-up.fifo", "RedactionQueue": "redactions"}


class Weighed(NamedTuple):
    """One call: wall seconds in this process, what it asked of DynamoDB, and the messages that it sent."""

    seconds: float
    dynamodb: Consumption
    messages: int

    @property
    def calls(self) -> int:
        """SQS takes ten messages with a call."""
        return self.dynamodb.requests + -(-self.messages // 10)

    @property
    def waits_on_aws(self) -> float:
        """Seconds, calculated."""
        return self.calls * CALL_ON_AWS

    @property
    def longest(self) -> float:
        return max(self.seconds, self.waits_on_aws)


class Platform:
    """So many integrations, all due and paused, and the functions that work for all of them."""

    def __init__(self, stack: Stack, sellers: int, now: datetime) -> None:
        self._stack = stack
        self._now = now
        self._sqs = local_aws.session().client("sqs", endpoint_url=stack.aws_endpoint)
        fill(stack, ORDERS, now, lambda sentence: print(f"  {sentence}", flush=True))
        self._register(sellers - 1)
        self._functions: dict[str, InProcess] = {}

    def _register(self, sellers: int) -> None:
        dynamodb = local_aws.session().client("dynamodb", endpoint_url=self._stack.aws_endpoint)
        items = (item for seller in range(sellers) for item in _items_of(f"seller-{seller:05}", self._now))
        for some in batched(items, MOST_IN_A_BATCH, strict=False):
            puts: Any = [{"PutRequest": {"Item": item}} for item in some]
            dynamodb.batch_write_item(RequestItems={self._stack.outputs["IntegrationsTable"]: puts})
        print(f"  {sellers:,} integrations written", flush=True)

    def _function(self, name: str) -> InProcess:
        if name not in self._functions:
            self._functions[name] = InProcess(name, self._stack, variables=environment_on(self._stack, name))
        return self._functions[name]

    def call(self, function: str, route: Route) -> Weighed:
        began = time.perf_counter()
        answer, consumption = self._function(function).consumption(route)
        seconds = time.perf_counter() - began
        expect(answer.status, 200, route.name)
        return Weighed(seconds, consumption, 0)

    def tick(self, function: str, queue: str) -> Weighed:
        """The event of its schedule, as it comes now."""
        event = json.loads((PROJECT / f"events/{function}_tick.json").read_text())
        event["time"] = self._now.replace(minute=1).isoformat()
        return self._weighed(function, event, queue)

    def digest(self) -> Weighed:
        return self._weighed("send_digest", {})

    def message(self, function: str, body: Mapping[str, object]) -> Weighed:
        record = {"messageId": "1", "body": json.dumps(body), "attributes": {}, "eventSource": "aws:sqs"}
        return self._weighed(function, {"Records": [record]})

    def _weighed(self, function: str, event: Mapping[str, object], queue: str | None = None) -> Weighed:
        before = self._waiting(queue)
        began = time.perf_counter()
        consumption = self._function(function).consumption_of_event(event)
        return Weighed(time.perf_counter() - began, consumption, self._waiting(queue) - before)

    def _waiting(self, queue: str | None) -> int:
        if queue is None:
            return 0
        name = "ApproximateNumberOfMessages"
        answer = self._sqs.get_queue_attributes(QueueUrl=self._stack.outputs[queue], AttributeNames=[name])
        return int(answer["Attributes"][name])


def _items_of(integration_id: str, now: datetime) -> Iterator[Item]:
    integration = Integration(
        integration_id=integration_id,
        name="A seller",
        region="NA",
        marketplace_ids=("ATVPDKIKX0DER", "A2EUQ1WTGCTBG2"),
        is_paused=True,
        registered_at=now,
        revision=1,
    )
    row = {"data": as_json(integration), "revision": number(1)}
    yield {**item_key(SYSTEM, f"integration#{integration_id}"), **row}
    wake_up = NextWakeUp(integration=integration_id, at=now, ran_at=now)
    yield {**item_key(WAKE_UPS, f"next#{integration_id}"), "data": as_json(wake_up)}
    counter = HeldCounter(held=3, counted_at=now)
    yield {**item_key(HELD, f"held#{integration_id}"), "data": as_json(counter)}


def _measured(platform: Platform, sellers: int) -> dict[str, Weighed]:
    """In the order in which they are shown."""
    some = [INTEGRATION, *(f"seller-{seller:05}" for seller in range(min(sellers, 50) - 1))]
    of_one = {"integration": INTEGRATION}
    named = {"integration": ",".join(some)}
    retention = {"limit": "50"}
    return {
        "the tick that wakes": platform.tick("download_orders", "WakeUpQueue"),
        "a wake-up": platform.message("download_orders", {"integrationId": INTEGRATION}),
        "the tick that asks for redactions": platform.tick("redact_orders", "RedactionQueue"),
        "the redactions of 50": platform.message("redact_orders", {"integrationIds": some}),
        "the digest": platform.digest(),
        "a page of orders of one": platform.call("query_orders", Route("orders", "GET", "/orders", of_one)),
        "the summary of 50": platform.call("query_orders", Route("summary of 50", "GET", "/summary", named)),
        "the summary": platform.call("query_orders", Route("summary", "GET", "/summary")),
        "redactions due, a page": platform.call("query_orders", Route("retention", "GET", "/retention", retention)),
        "integrations, a page": platform.call("manage_settings", Route("integrations", "GET", "/integrations")),
    }


def section() -> Section:
    """Takes about two minutes."""
    print("Sellers", flush=True)
    now = datetime.now(UTC)
    measured: dict[int, dict[str, Weighed]] = {}
    for sellers in (FEW, MANY):
        with _platform(sellers, now) as platform:
            measured[sellers] = _measured(platform, sellers)
    few, many = measured[FEW], measured[MANY]
    rows = [
        (
            name,
            f"{few[name].calls:,}",
            f"{many[name].calls:,}",
            f"{few[name].dynamodb.read_units:,.1f}",
            f"{many[name].dynamodb.read_units:,.1f}",
            f"{many[name].messages:,}" if many[name].messages else "",
            f"{many[name].seconds:.1f}",
            f"{many[name].waits_on_aws:.1f}",
        )
        for name in many
    ]
    headings = (
        "",
        f"calls, {FEW:,}",
        f"calls, {MANY:,}",
        f"read units, {FEW:,}",
        f"read units, {MANY:,}",
        f"messages, {MANY:,}",
        f"seconds here, {MANY:,}",
        "seconds of waiting on AWS (calculated)",
    )
    ticks = max(one.longest for name, one in many.items() if name.startswith("the tick"))
    listed = many["a page of orders of one"].longest
    figures = [
        at_most(f"a tick over {MANY:,} sellers", ticks, SECONDS_OF_A_TICK, " s", 1),
        at_most(f"a list of one of {MANY:,} sellers", listed, SECONDS_OF_A_LIST, " s", 1),
    ]
    return Section(
        figures,
        f"""## Sellers

What the clock and the routes do with {FEW:,} and with {MANY:,} integrations in the tables, all of them due. They are
paused, so that no call goes to Amazon; one of them has {ORDERS:,} orders. The functions' own code runs in the measuring
process, on tables and queues of MiniStack. A call is one to DynamoDB or SQS, which takes ten messages with one. The last
column takes {CALL_ON_AWS * 1000:.0f} ms for each call, and is not measured. Read units are calculated from the bytes
that came back. The targets hold for the longer of the last two columns.

{table(headings, rows)}

{told_of(figures[0], "Target of a tick")}
{told_of(figures[1], "Target of a list")}
""",
    )


@contextmanager
def _platform(sellers: int, now: datetime) -> Iterator[Platform]:
    with embedded_dynamodb(f"bench-sellers-{sellers}") as stack:
        sqs = local_aws.session().client("sqs", endpoint_url=stack.aws_endpoint)
        for queue, name in QUEUES.items():
            fifo = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
            stack.outputs[queue] = sqs.create_queue(QueueName=name, Attributes=fifo)["QueueUrl"]
        sns = local_aws.session().client("sns", endpoint_url=stack.aws_endpoint)
        stack.outputs["DigestTopic"] = sns.create_topic(Name="digest")["TopicArn"]
        yield Platform(stack, sellers, now)


if __name__ == "__main__":
    print(section().text)

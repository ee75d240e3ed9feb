"""How many stream records a second are judged, compared with the usual way (`benchmarks/usual/validator.py`)."""

import contextlib
import importlib.util
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

from boto3.dynamodb.types import TypeSerializer

from benchmarks.invocations import CONTEXT
from benchmarks.markdown import table
from benchmarks.rounds import Spread, interleaved, ratio
from benchmarks.usual import validator
from needs_attention.amazon.order_json import read_order
from needs_attention.integrations.integration import Integration
from needs_attention.orders.order import Order
from needs_attention.orders.settings import NEEDS_ATTENTION
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.order_items import to_item
from needs_attention.tables.orders import OrderStore
from tools.amazon_stand_in.generator import generated

ROUNDS = 25
BATCHES_A_ROUND = 4
RECORDS = 100
VERSIONS = 3  # of an order: new, changed, shipped
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PROJECT = Path(__file__).parents[1]
TARGET = 12
STDOUT = 1

type Json = dict[str, Any]


class Ours:
    """The handler itself, as `functions/validate_orders/app.py` has it, on a DynamoDB that takes nothing."""

    stream = "NEW_IMAGE"

    def __init__(self) -> None:
        environment = {
            "AWS_DEFAULT_REGION": "us-east-1",
            "ORDERS_TABLE": "orders",
            "INTEGRATIONS_TABLE": "integrations",
            "POWERTOOLS_METRICS_NAMESPACE": "NeedsAttention",
            "POWERTOOLS_SERVICE_NAME": "validate_orders",
        }
        path = PROJECT / "functions/validate_orders/app.py"
        spec = importlib.util.spec_from_file_location("validate_orders", path)
        assert spec
        assert spec.loader
        with patch.dict(os.environ, environment):
            self._app = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(self._app)
        self.writes = PreparedWrites()
        self._app.orders = OrderStore(self.writes, "orders")  # type: ignore[attr-defined, arg-type]  # what stands there, and all that is used of it
        self._app.integrations = SettingsStore(self.writes, "integrations")  # type: ignore[attr-defined, arg-type]

    def judge(self, event: str) -> None:
        answer = self._app.handler(json.loads(event), CONTEXT)
        assert not answer["batchItemFailures"]

    @staticmethod
    def image(order: Json) -> Json:
        seen = Order.first_seen("demo", read_order(order), NOW)
        store = OrderStore(PreparedWrites(), "orders")  # type: ignore[arg-type]
        return dict(to_item(store.save(None, seen, by="amazon", at=NOW, cause="download")))


class Usual:
    """The usual handler, on a Table that prepares what boto3's Table sends and takes it."""

    stream = "NEW_AND_OLD_IMAGES"

    def __init__(self) -> None:
        self.writes = PreparedWrites()

    def judge(self, event: str) -> None:
        answer = validator.handler(json.loads(event), CONTEXT, self.writes.as_table())
        assert not answer["batchItemFailures"]

    @staticmethod
    def image(order: Json) -> Json:
        exact = json.loads(json.dumps(order), parse_float=Decimal)
        item = {"orderId": order["orderId"], "version": 1, "order": exact}
        return {name: TypeSerializer().serialize(value) for name, value in item.items()}


class PreparedWrites:
    """In DynamoDB's place: takes each write just before it would be sent, and notes which orders it holds."""

    def __init__(self) -> None:
        self.held: set[str] = set()
        made = Integration(
            integration_id="demo", name="Demo", region="NA", marketplace_ids=("ATVPDKIKX0DER",), registered_at=NOW
        )
        self._integration = {"Item": {"data": {"S": made.model_dump_json(by_alias=True)}}}

    def get_item(self, **_: Any) -> Json:
        return self._integration

    def update_item(self, **request: Any) -> Json:
        if request["ExpressionAttributeValues"].get(":stage") in HELD:
            self.held.add(request["Key"]["orderId"]["S"])
        return {}

    def as_table(self) -> "PreparedTable":
        return PreparedTable(self)


class PreparedTable:
    """The addition of boto3's Table to a client's write: values become attributes."""

    def __init__(self, client: PreparedWrites) -> None:
        self._client = client
        self._serializer = TypeSerializer()

    def update_item(self, **request: Any) -> Json:
        attributes = {
            part: {name: self._serializer.serialize(value) for name, value in request[part].items()}
            for part in ("Key", "ExpressionAttributeValues")
        }
        return self._client.update_item(**request | attributes)


HELD = ({"S": NEEDS_ATTENTION}, {"S": "Needs Attention"})


def batch(orders: Iterable[Json], handler: Ours | Usual) -> str:
    """A batch of the handler's stream, as it comes to Lambda's runtime: JSON."""
    is_asked_for_both = handler.stream == "NEW_AND_OLD_IMAGES"
    records = [
        {
            "eventID": f"{number:032}",
            "eventName": "INSERT" if number % VERSIONS == 0 else "MODIFY",
            "eventSource": "aws:dynamodb",
            "eventVersion": "1.1",
            "awsRegion": "us-east-1",
            "eventSourceARN": "arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026-11-23T00:00:00.000",
            "dynamodb": {
                "ApproximateCreationDateTime": 1795435200,
                "Keys": {"orderId": {"S": order["orderId"]}},
                "NewImage": handler.image(order),
                "SequenceNumber": f"{number:021}",
                "StreamViewType": handler.stream,
                **({"OldImage": handler.image(order)} if is_asked_for_both and number % VERSIONS else {}),
            },
        }
        for number, order in enumerate(orders)
    ]
    return json.dumps({"Records": records})


@contextlib.contextmanager
def log_lines_thrown_away() -> Iterator[None]:
    """Both write to the standard output that they found when they were imported."""
    sys.stdout.flush()
    screen = os.dup(STDOUT)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), STDOUT)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(screen, STDOUT)
        os.close(screen)


class Round:
    """Each round has orders of its own, so that nothing is quick because it was there before."""

    def __init__(self, handler: Ours | Usual) -> None:
        self._handler = handler
        self._seeds = count()

    def __call__(self) -> float:
        """Microseconds of processor time a record."""
        seed = next(self._seeds)
        events = [
            batch(
                (entry.order for entry in generated(RECORDS, now=NOW, seed=seed * BATCHES_A_ROUND + part)),
                self._handler,
            )
            for part in range(BATCHES_A_ROUND)
        ]
        with log_lines_thrown_away():
            began = time.process_time()
            for event in events:
                self._handler.judge(event)
            took = time.process_time() - began
        return took / BATCHES_A_ROUND / RECORDS * 1_000_000


def section() -> str:
    ours, usual = Ours(), Usual()
    figures = interleaved(ROUNDS, {"ours": Round(ours), "usual": Round(usual)})
    faster = ratio(figures["usual"], figures["ours"])
    rows = [
        (name, spread.shown(), f"{1_000_000 / spread.median:,.0f}")
        for name, spread in (
            ("This system", Spread.of(figures["ours"])),
            ("The usual way", Spread.of(figures["usual"])),
        )
    ]
    orders = ROUNDS * BATCHES_A_ROUND * RECORDS
    return f"""## Verdicts

A batch of {RECORDS} stream records, from the event's JSON until all writes are prepared: processor time of the process,
without the work of botocore and DynamoDB on a write, which both have. One record in three is a new order and the others
are changes of orders, because an order has about three versions. The usual way is `benchmarks/usual/validator.py`:
Powertools' batch processor, a stream of new and old images, `.new_image`, full models of Amazon's order, one log line a
record. Ours is the function itself, and does more: it checks each address for the parts that its country needs, tells
people's names from companies', prepares the data of lists, events and history, and measures. Each round brings orders
that neither has seen. Of all {orders:,} orders ours held {len(ours.writes.held):,} and the usual way
{len(usual.writes.held):,}.

{table(("", "Microseconds a record", "Records a second"), rows)}

Records a second, of the usual way's: **{faster.shown(1)}**. The target was {TARGET}: {"reached" if faster.median >= TARGET else "missed"}.
Either way, a million verdicts cost cents of processor time; the writes cost more. Rules merged into one function over
the raw JSON would be faster, but hard to read.
"""


if __name__ == "__main__":
    print(section())

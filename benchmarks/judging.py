"""The two handlers that judge orders of the stream, ours and the usual one, and the batches that they judge."""

import contextlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
from boto3.dynamodb.types import TypeSerializer

from benchmarks.invocations import CONTEXT
from benchmarks.loopback_dynamodb import ACCESS
from benchmarks.usual import validator
from needs_attention.amazon.order_json import read_order
from needs_attention.integrations.integration import Integration
from needs_attention.orders.order import Order
from needs_attention.orders.settings import NEEDS_ATTENTION
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.order_items import to_item
from needs_attention.tables.orders import OrderStore
from tools.amazon_stand_in.generator import generated
from tools.local_stack.deployment import PROJECT

RECORDS = 100
VERSIONS = 3  # of an order: new, changed, shipped
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
STDOUT = 1
INTEGRATION = Integration(
    integration_id="demo", name="Demo", region="NA", marketplace_ids=("ATVPDKIKX0DER",), registered_at=NOW
)
STORED_INTEGRATION = {"data": {"S": INTEGRATION.model_dump_json(by_alias=True)}}

type Json = dict[str, Any]


class Ours:
    """The handler itself, as `functions/validate_orders/app.py` has it; its writes go to `writes`, or to DynamoDB."""

    stream = "NEW_IMAGE"

    def __init__(self, writes: "PreparedWrites | None") -> None:
        environment = {
            "ORDERS_TABLE": "orders",
            "INTEGRATIONS_TABLE": "integrations",
            "POWERTOOLS_METRICS_NAMESPACE": "NeedsAttention",
            "POWERTOOLS_SERVICE_NAME": "validate_orders",
        }
        path = PROJECT / "functions/validate_orders/app.py"
        spec = importlib.util.spec_from_file_location("validate_orders", path)
        assert spec
        assert spec.loader
        with patch.dict(os.environ, ACCESS | environment):
            app: Any = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(app)
        if writes:
            client: Any = writes  # it has all that the stores use of a client here
            app.orders = OrderStore(client, "orders")
            app.integrations = SettingsStore(client, "integrations")
        self._app = app

    def judge(self, event: str) -> None:
        answer = self._app.handler(json.loads(event), CONTEXT)
        assert not answer["batchItemFailures"]

    @staticmethod
    def image(order: Json) -> Json:
        seen = Order.first_seen("demo", read_order(order), NOW)
        client: Any = PreparedWrites()
        store = OrderStore(client, "orders")
        return dict(to_item(store.save(None, seen, by="amazon", at=NOW, cause="download")))


class Usual:
    """The usual handler; its writes go to `writes`, prepared as boto3's Table prepares them, or to DynamoDB."""

    stream = "NEW_AND_OLD_IMAGES"

    def __init__(self, writes: "PreparedWrites | None") -> None:
        with patch.dict(os.environ, ACCESS):
            self._table: validator.Table = (
                PreparedTable(writes) if writes else boto3.resource("dynamodb").Table("orders")
            )

    def judge(self, event: str) -> None:
        answer = validator.handler(json.loads(event), CONTEXT, self._table)
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

    def get_item(self, **_: Any) -> Json:
        return {"Item": STORED_INTEGRATION}

    def update_item(self, **request: Any) -> Json:
        if request["ExpressionAttributeValues"].get(":stage") in HELD:
            self.held.add(request["Key"]["orderId"]["S"])
        return {}


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


def batch(orders: Iterable[Json], handler: type[Ours | Usual]) -> str:
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


def batches(number: int, seed: int, handler: type[Ours | Usual]) -> list[str]:
    """So many batches, of orders that no batch with another seed has."""
    return [
        batch((entry.order for entry in generated(RECORDS, now=NOW, seed=seed * number + part)), handler)
        for part in range(number)
    ]


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

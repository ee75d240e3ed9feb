"""The same orders' lives, lived the usual way, and what each step of them takes."""

import copy
import io
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from aws_lambda_powertools import Logger

from benchmarks.amazon_orders import NOW, new_orders, shipped, touched
from benchmarks.embedded_dynamodb import embedded_dynamodb
from benchmarks.invocations import Usage
from benchmarks.usual.downloader import store
from benchmarks.usual.judge import judge
from benchmarks.usual.models import Order as UsualOrder
from benchmarks.usual.redactor import redact
from needs_attention.values.times import instant
from tools.amazon_stand_in.ledger import Json
from tools.consumption import consumption_of
from tools.from_template import resources
from tools.local_stack import local_aws
from tools.local_stack.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

ORDERS = 90


class UsualStep(NamedTuple):
    """The usage of one change of an order in the two functions, without their invocations."""

    download: Usage
    validate: Usage


class UsualLife(NamedTuple):
    """The usage for one order each."""

    new: UsualStep
    shipped: UsualStep
    touched: UsualStep
    unchanged: Usage
    redacted: Usage


def live_as_usual() -> UsualLife:
    """Lives them; takes a few seconds."""
    orders = new_orders(ORDERS)
    with embedded_dynamodb("bench-usual") as stack:
        seller = _UsualSeller(stack)
        new = seller.comes(orders)
        unchanged = seller.is_stored(orders)
        sent = [shipped(order) for order in orders]
        return UsualLife(
            new=new,
            unchanged=unchanged,
            shipped=seller.comes(sent),
            touched=seller.comes([touched(order) for order in sent]),
            redacted=seller.is_forgotten(orders),
        )


class _UsualSeller:
    """A table with the indexes of ours, each with everything in it."""

    def __init__(self, stack: Stack) -> None:
        properties = copy.deepcopy(resources()["OrdersTable"]["Properties"])
        for index in properties["GlobalSecondaryIndexes"]:
            index["Projection"] = {"ProjectionType": "ALL"}
        parts = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
        session = local_aws.session()
        self._dynamodb = session.client("dynamodb", endpoint_url=stack.aws_endpoint)
        self._table: Table = session.resource("dynamodb", endpoint_url=stack.aws_endpoint).create_table(
            TableName="UsualOrders", **{part: properties[part] for part in parts}
        )
        self._lines = io.StringIO()
        self._logger = Logger(service="validate_orders", stream=self._lines)

    def comes(self, orders: Sequence[Json]) -> UsualStep:
        """The orders are downloaded, and judged as their stream brings them."""
        download = self.is_stored(orders)
        images = self._dynamodb.scan(TableName="UsualOrders")["Items"]
        return UsualStep(download, self._taken(lambda image: judge(self._table, image, self._logger), images))

    def is_stored(self, orders: Sequence[Json]) -> Usage:
        return self._taken(lambda order: store(self._table, UsualOrder.model_validate(order)), orders)

    def is_forgotten(self, orders: Sequence[Json]) -> Usage:
        return self._taken(lambda order: redact(self._table, order["orderId"], instant(NOW)), orders)

    def _taken(self, work: Callable[[Any], None], items: Sequence[Any]) -> Usage:
        """By the work, for each item."""
        logged = self._lines.tell()
        with consumption_of(self._table.meta.client) as consumption:
            began = time.thread_time()
            for item in items:
                work(item)
            seconds = time.thread_time() - began
        used = Usage(
            seconds=seconds,
            calls=Counter(UpdateItem=consumption.requests),
            written=consumption.written,
            logged=self._lines.tell() - logged,
        )
        return used.times(1 / len(items))

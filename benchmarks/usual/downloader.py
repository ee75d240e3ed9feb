"""Stores a page of orders the usual way: a model of the whole API, and `Table.update_item` for each order.

The whole order becomes a map of DynamoDB, as the AWS SDK's resource makes it of a dictionary. Written without looking
at what is there, so that it costs no read; an order that has not changed is written again.
"""

import json
from typing import TYPE_CHECKING, Any

from benchmarks.usual.models import Order

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


def store_page(table: "Table", answer: bytes) -> None:
    """`answer` is the body of an answer of `searchOrders`. Raises pydantic's ValidationError for a broken order."""
    for raw in json.loads(answer)["orders"]:
        store(table, Order.model_validate(raw).model_dump(mode="json", by_alias=True, exclude_none=True))


def store(table: "Table", order: dict[str, Any]) -> None:
    table.update_item(
        Key={"orderId": order["orderId"]},
        UpdateExpression="SET #order = :order, #updatedAt = :updatedAt",
        ExpressionAttributeNames={"#order": "order", "#updatedAt": "updatedAt"},
        ExpressionAttributeValues={":order": order, ":updatedAt": order["lastUpdatedTime"]},
    )

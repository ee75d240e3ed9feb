"""Stores a page of orders the usual way: a model of the whole API, and `Table.update_item` for each order.

The whole order becomes a map of DynamoDB, as the SDK's resource makes it of a dictionary, with the keys by which it is
found next to it. Nothing is read before, so an order that has not changed is written again.
"""

import json
from typing import TYPE_CHECKING, Any

from benchmarks.usual.models import Order

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

INTEGRATION = "demo"


def store_page(table: "Table", answer: bytes) -> None:
    """`answer` is the body of an answer of `searchOrders`. Raises pydantic's ValidationError for a broken order."""
    for raw in json.loads(answer)["orders"]:
        store(table, Order.model_validate(raw))


def store(table: "Table", order: Order) -> None:
    document: dict[str, Any] = order.model_dump(mode="json", by_alias=True, exclude_none=True)
    order_id = document["orderId"]
    table.update_item(
        Key={"orderId": order_id},
        UpdateExpression=(
            "SET #order = :order, #integration = :integration, #createdKey = :createdKey, #redactionKey = :redactionKey"
        ),
        ExpressionAttributeNames={
            "#order": "order",
            "#integration": "integration",
            "#createdKey": "createdKey",
            "#redactionKey": "redactionKey",
        },
        ExpressionAttributeValues={
            ":order": document,
            ":integration": INTEGRATION,
            ":createdKey": f"{document['createdTime']}#{order_id}",
            ":redactionKey": f"due#{document['fulfillment']['deliverByWindow']['latestDateTime']}#{order_id}",
        },
    )

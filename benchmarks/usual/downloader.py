"""Stores a page of orders in two usual ways: a model of the whole API, and `Table.update_item` or `Table.batch_writer`.

The whole order becomes a map of DynamoDB, as the SDK's resource makes it of a dictionary, with the keys by which it is
found next to it. Nothing is read before, so an order that has not changed is written again. `batch_writer` moreover
replaces the whole item, without a condition: what else was stored of the order is lost, also what a person has changed
meanwhile, and an older answer replaces a newer one.
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


def store_page_in_batches(table: "Table", answer: bytes) -> None:
    """The same, 25 orders a call."""
    with table.batch_writer() as batch:
        for raw in json.loads(answer)["orders"]:
            batch.put_item(Item=attributes_of(Order.model_validate(raw)))


def store(table: "Table", order: Order) -> None:
    attributes = attributes_of(order)
    table.update_item(
        Key={"orderId": attributes.pop("orderId")},
        UpdateExpression=(
            "SET #order = :order, #integration = :integration, #createdKey = :createdKey, #redactionKey = :redactionKey"
        ),
        ExpressionAttributeNames={
            "#order": "order",
            "#integration": "integration",
            "#createdKey": "createdKey",
            "#redactionKey": "redactionKey",
        },
        ExpressionAttributeValues={f":{name}": value for name, value in attributes.items()},
    )


def attributes_of(order: Order) -> dict[str, Any]:
    document: dict[str, Any] = order.model_dump(mode="json", by_alias=True, exclude_none=True)
    order_id = document["orderId"]
    return {
        "orderId": order_id,
        "order": document,
        "integration": INTEGRATION,
        "createdKey": f"{document['createdTime']}#{order_id}",
        "redactionKey": f"due#{document['fulfillment']['deliverByWindow']['latestDateTime']}#{order_id}",
    }

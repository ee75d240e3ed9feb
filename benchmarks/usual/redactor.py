"""Removes an order's personal data the usual way."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


def redact(table: "Table", order_id: str, at: str) -> None:
    table.update_item(
        Key={"orderId": order_id},
        UpdateExpression="SET #redactionKey = :redactionKey REMOVE #order.#buyer, #order.#recipient",
        ExpressionAttributeNames={
            "#redactionKey": "redactionKey",
            "#order": "order",
            "#buyer": "buyer",
            "#recipient": "recipient",
        },
        ExpressionAttributeValues={":redactionKey": f"redacted#{at}#{order_id}"},
    )

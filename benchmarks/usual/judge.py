"""Judges an order of the stream the usual way, one record after another.

The stream's map is made Python's objects again, then the model's; the verdict is a second write, and each record has a
log line.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from boto3.dynamodb.types import TypeDeserializer

from benchmarks.usual.downloader import INTEGRATION
from benchmarks.usual.models import Order

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

deserialize = TypeDeserializer().deserialize


def validate(
    table: "Table", image: Mapping[str, Any], rules: Callable[[Order], dict[str, Any]], logger: Logger
) -> None:
    """`image` is a stream record's new image; `rules` say the Stage's ID, the status and what is missing."""
    order = Order.model_validate(deserialize({"M": image})["order"])
    verdict = rules(order)
    save_verdict(table, order, verdict)
    logger.info("order validated", order_id=order.order_id, stage=verdict["stage"], missing=verdict["missing"])


def save_verdict(table: "Table", order: Order, verdict: dict[str, Any]) -> None:
    window = order.fulfillment and order.fulfillment.ship_by_window
    ship_by = window.latest_date_time if window else None
    table.update_item(
        Key={"orderId": order.order_id},
        UpdateExpression="SET #verdict = :verdict, #stageKey = :stageKey, #shipByKey = :shipByKey",
        ExpressionAttributeNames={"#verdict": "verdict", "#stageKey": "stageKey", "#shipByKey": "shipByKey"},
        ExpressionAttributeValues={
            ":verdict": verdict,
            ":stageKey": f"{INTEGRATION}#{verdict['stage']}",
            ":shipByKey": f"{ship_by.isoformat() if ship_by else '9999'}#{order.order_id}",
        },
    )

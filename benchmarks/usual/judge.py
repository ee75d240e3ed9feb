"""Judges an order of the stream the usual way, and writes the verdict with the keys by which it is found.

`validator` is the whole function; here is what its record takes where lists are wanted too.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from boto3.dynamodb.types import TypeDeserializer

from benchmarks.usual.downloader import INTEGRATION
from benchmarks.usual.models import Order
from benchmarks.usual.validator import RULES

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

deserialize = TypeDeserializer().deserialize


def judge(table: "Table", image: Mapping[str, Any], logger: Logger) -> None:
    """`image` is a stream record's new image."""
    order = Order.model_validate(deserialize({"M": image})["order"])
    status = order.fulfillment.fulfillment_status if order.fulfillment else None
    is_sent = status == "SHIPPED"
    missing = [] if is_sent else [field for field, lacks in RULES.items() if lacks(order)]
    window = order.fulfillment and order.fulfillment.ship_by_window
    ship_by = window.latest_date_time.isoformat() if window and window.latest_date_time else "9999"
    stage = "needs-attention" if missing else "new"
    verdict = {
        "stage": stage,
        "status": "Dispatched" if is_sent else "Open",
        "threePlStatus": "Do Not Transfer to 3PL" if is_sent or missing else "Transfer to 3PL Upon Completion",
        "missing": missing,
    }
    table.update_item(
        Key={"orderId": order.order_id},
        UpdateExpression="SET #verdict = :verdict, #stageKey = :stageKey, #shipByKey = :shipByKey",
        ExpressionAttributeNames={"#verdict": "verdict", "#stageKey": "stageKey", "#shipByKey": "shipByKey"},
        ExpressionAttributeValues={
            ":verdict": verdict,
            ":stageKey": f"{INTEGRATION}#{stage}",
            ":shipByKey": f"{ship_by}#{order.order_id}",
        },
    )
    logger.info("order validated", order_id=order.order_id, held=bool(missing), missing=missing)

"""Validating the orders stream the usual way: Powertools' BatchProcessor, its images, full models, a log line a record.

What Powertools' guide shows (https://docs.powertools.aws.dev/lambda/python/latest/utilities/batch/): the image becomes
Python values, pydantic makes an order of them, each rule looks at it, and `Table.update_item` writes what was decided.
Less is decided here than by the system that it is compared with: names are split at spaces, an address needs the same
parts in every country, and nothing is kept for lists, history or people.
"""

import re
from collections.abc import Callable
from typing import Any, Protocol

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from benchmarks.usual.models import Order

EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
PLACEHOLDERS = {"", "n/a", "unknown", "redacted", "[redacted]"}


class Table(Protocol):
    """The part of boto3's Table that this uses."""

    def update_item(self, **request: Any) -> object: ...


def is_blank(text: str | None) -> bool:
    return text is None or text.strip().casefold() in PLACEHOLDERS


def names(order: Order) -> list[str]:
    address = order.recipient.delivery_address if order.recipient else None
    name = (address and address.name) or (order.buyer and order.buyer.buyer_name) or ""
    return [] if is_blank(name) else name.split()


def lacks_first_name(order: Order) -> bool:
    return len(names(order)) < 2


def lacks_last_name(order: Order) -> bool:
    return not names(order)


def lacks_email(order: Order) -> bool:
    email = order.buyer.buyer_email if order.buyer else None
    return email is None or not EMAIL.fullmatch(email)


def lacks_address(order: Order) -> bool:
    address = order.recipient.delivery_address if order.recipient else None
    if address is None:
        return True
    lines = (address.address_line1, address.address_line2, address.address_line3)
    return all(map(is_blank, lines)) or any(map(is_blank, (address.city, address.postal_code, address.country_code)))


def lacks_line_items(order: Order) -> bool:
    return not any(item.quantity_ordered for item in order.order_items) or any(
        is_blank(item.product.seller_sku) and is_blank(item.product.asin) for item in order.order_items
    )


RULES: dict[str, Callable[[Order], bool]] = {
    "firstName": lacks_first_name,
    "lastName": lacks_last_name,
    "email": lacks_email,
    "deliveryAddress": lacks_address,
    "lineItems": lacks_line_items,
}

logger = Logger(service="usual-validator")
processor = BatchProcessor(event_type=EventType.DynamoDBStreams)


def handler(event: dict[str, Any], context: LambdaContext, table: Table) -> PartialItemFailureResponse:
    def validate(record: DynamoDBRecord) -> None:
        image = record.dynamodb.new_image if record.dynamodb else {}
        order = Order.model_validate(image["order"])
        missing = [field for field, lacks in RULES.items() if lacks(order)]
        is_held = bool(missing)
        table.update_item(
            Key={"orderId": order.order_id},
            UpdateExpression="SET #stage = :stage, #status = :status, threePlStatus = :threePl, missing = :missing",
            ConditionExpression="version = :version",
            ExpressionAttributeNames={"#stage": "stage", "#status": "status"},
            ExpressionAttributeValues={
                ":stage": "Needs Attention" if is_held else "New",
                ":status": "Open",
                ":threePl": "Do Not Transfer to 3PL" if is_held else "Transfer to 3PL Upon Completion",
                ":missing": missing,
                ":version": image["version"],
            },
        )
        logger.info("order validated", order_id=order.order_id, held=is_held, missing=missing)

    return process_partial_response(event=event, record_handler=validate, processor=processor, context=context)

"""How the functions behind the orders stream report a record that fails."""

from collections.abc import Iterator
from contextlib import contextmanager

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord


@contextmanager
def told_if_it_fails(logger: Logger, record: DynamoDBRecord) -> Iterator[None]:
    """Logs a record that fails in one line: its order, and the kind of error, whose text may hold personal data."""
    try:
        yield
    except Exception as error:
        order_id = record.raw_event["dynamodb"].get("Keys", {}).get("orderId", {}).get("S")
        logger.error("record failed", order_id=order_id, error=type(error).__name__)  # noqa: TRY400 - no values
        raise

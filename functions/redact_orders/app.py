"""Schedule -> orders whose personal data is to be removed -> orders table."""

from datetime import timedelta
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from needs_attention import values
from needs_attention.integration_store import IntegrationStore
from needs_attention.order_store import OrderStore
from needs_attention.redaction import redact_what_is_due
from needs_attention.settings import OrderTables

RUN_FOR = timedelta(minutes=4)  # of the function's five

dynamodb = boto3.client("dynamodb")
tables = OrderTables.from_env()
orders = OrderStore(dynamodb, tables.orders_table)
integrations = IntegrationStore(dynamodb, tables.integrations_table)
logger = Logger()


@logger.inject_lambda_context(clear_state=True)
def handler(_event: dict[str, Any], _context: LambdaContext) -> None:
    redacted = redact_what_is_due(orders, integrations, values.utc_now, until=values.utc_now() + RUN_FOR)
    logger.info("redacted", orders=redacted)

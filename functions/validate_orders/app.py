"""Orders stream -> verdict -> orders table. The stream's filter passes only orders whose verdict is pending."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from needs_attention import aws
from needs_attention.environment import OrderTables
from needs_attention.jobs.stream_records import told_if_it_fails
from needs_attention.jobs.validation import Validation
from needs_attention.orders import names
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.orders import OrderStore
from needs_attention.values import times

names.load_parser()
dynamodb = aws.client("dynamodb")
tables = OrderTables.from_env()
orders = OrderStore(dynamodb, tables.orders_table)
integrations = SettingsStore(dynamodb, tables.integrations_table)
logger = Logger()
metrics = Metrics()
processor = BatchProcessor(event_type=EventType.DynamoDBStreams, raise_on_entire_batch_failure=False)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    validation = Validation(orders, integrations, times.utc_now())

    def validate(record: DynamoDBRecord) -> None:
        with told_if_it_fails(logger, record):
            validation.judge_image(record.raw_event["dynamodb"]["NewImage"])

    answer = process_partial_response(event=event, record_handler=validate, processor=processor, context=context)
    logger.info(
        "validated",
        records=len(event["Records"]),
        failed=len(answer["batchItemFailures"]),
        counts=dict(validation.counts),
    )
    # The lists come first: Powertools sends all metrics when one has a hundred values, and needs some left at the end.
    for waited in sorted(validation.waited):
        metrics.add_metric(name="VerdictLag", unit=MetricUnit.Seconds, value=waited.total_seconds())
    for held_for in validation.held_for:
        metrics.add_metric(name="TimeToHeal", unit=MetricUnit.Seconds, value=held_for.total_seconds())
    metrics.add_metric(name="ValidationsFailed", unit=MetricUnit.Count, value=len(answer["batchItemFailures"]))
    metrics.add_metric(name="OrdersJudged", unit=MetricUnit.Count, value=validation.counts["judged"])
    metrics.add_metric(name="OrdersHeld", unit=MetricUnit.Count, value=validation.counts["held"])
    metrics.add_metric(name="OrdersHealed", unit=MetricUnit.Count, value=validation.counts["healed"])
    return answer

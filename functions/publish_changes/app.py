"""Orders stream -> history table and event bus."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from needs_attention import aws
from needs_attention.environment import EventBusName, HistoryTable
from needs_attention.jobs.change_log import ChangeLog
from needs_attention.jobs.event_bus import EventBus
from needs_attention.jobs.stream_records import told_if_it_fails
from needs_attention.tables.history import HistoryStore, OrderRevision, is_told_already

history = HistoryStore(aws.client("dynamodb"), HistoryTable.from_env().history_table)
events = aws.client("events")
change_log = ChangeLog(history, EventBus(events, EventBusName.from_env().event_bus))
logger = Logger()
processor = BatchProcessor(event_type=EventType.DynamoDBStreams, raise_on_entire_batch_failure=False)


def tell(record: DynamoDBRecord) -> None:
    with told_if_it_fails(logger, record):
        image = record.raw_event["dynamodb"]["NewImage"]
        if not is_told_already(image):
            change_log.tell(OrderRevision.from_image(image))


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    answer = process_partial_response(event=event, record_handler=tell, processor=processor, context=context)
    logger.info("published", records=len(event["Records"]), failed=len(answer["batchItemFailures"]))
    return answer

"""Queue of Amazon's ORDER_CHANGE notifications -> orders to be asked for by ID -> wake-ups.

A notification is a hint. One that cannot be read, or that no integration wants any more, is dropped: the live download
brings the change. The content is never logged, because it carries a postal code.
"""

from collections import Counter
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from needs_attention import aws
from needs_attention.amazon.notifications import is_wanted, order_change
from needs_attention.downloads.by_id import Redownload
from needs_attention.environment import IntegrationsTable, WakeUpQueueUrl
from needs_attention.integrations.integration import Integration
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.integrations import SettingsStore
from needs_attention.values import times
from needs_attention.wake_up_queue import WakeUpQueue

dynamodb = aws.client("dynamodb")
table = IntegrationsTable.from_env().integrations_table
integrations = SettingsStore(dynamodb, table)
downloads = DownloadStateStore(dynamodb, table)
wake_ups = WakeUpQueue(aws.client("sqs"), WakeUpQueueUrl.from_env().wake_up_queue_url)
logger = Logger()
metrics = Metrics()
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    now = times.utc_now()
    subscribers = cache(subscribed)
    counts, to_wake = Counter[str](), set[str]()

    def take(record: SQSRecord) -> None:
        try:
            change = order_change(record.body)
        except ValueError:
            logger.warning("notification cannot be read", message_id=record.message_id)
            counts["unreadable"] += 1
            return
        if change is None:
            return
        changed_at = change.changed_at or now
        hint = Redownload(
            order_id=change.order_id,
            cause="orderChange",
            wanted_at=now,
            changed_at=changed_at,
            seller_id=change.seller_id,
        )
        for integration in subscribers(change.subscription_id):
            if is_wanted(change, integration):
                downloads.want_redownload(integration.integration_id, hint)
                counts["taken"] += 1
                to_wake.add(integration.integration_id)

    answer = process_partial_response(event=event, record_handler=take, processor=processor, context=context)
    for integration_id in to_wake:
        wake_ups.wake(integration_id)
    logger.info("received", records=len(event["Records"]), counts=dict(counts))
    metrics.add_metric(name="OrderChangesTaken", unit=MetricUnit.Count, value=counts["taken"])
    metrics.add_metric(name="NotificationsUnreadable", unit=MetricUnit.Count, value=counts["unreadable"])
    return answer


def subscribed(subscription_id: str) -> tuple[Integration, ...]:
    """The integrations whose notifications come by the subscription."""
    found = (integrations.get(integration_id) for integration_id in downloads.subscribers(subscription_id))
    return tuple(integration for integration in found if integration)

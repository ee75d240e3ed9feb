"""Schedule and queue -> Amazon -> orders table.

The schedule wakes the integrations that are due through the queue; a message of it runs one integration's downloads.
"""

from datetime import datetime, timedelta
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes import EventBridgeEvent
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from needs_attention import aws
from needs_attention.amazon.accounts import AmazonAccounts
from needs_attention.environment import AmazonAccess, EventBusName, OrderChangeQueue, OrderTables, WakeUpQueueUrl
from needs_attention.jobs.download.run import Downloader, RunFindings
from needs_attention.jobs.event_bus import EventBus
from needs_attention.jobs.turns import fail_loudly
from needs_attention.jobs.waking import wake_what_is_due
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.orders import OrderStore
from needs_attention.tables.wake_ups import WakeUpStore
from needs_attention.values import times
from needs_attention.wake_up_queue import WakeUpQueue, integration_to_wake

# A run that begins a call to Amazon at its very end must still finish the slowest call and store its page: the function
# has 100 seconds more.
RUN_FOR = timedelta(seconds=20)

dynamodb = aws.client("dynamodb")
tables = OrderTables.from_env()
integrations = SettingsStore(dynamodb, tables.integrations_table)
downloads = DownloadStateStore(dynamodb, tables.integrations_table)
accounts = AmazonAccounts(aws.client("secretsmanager"), AmazonAccess.from_env())
wake_ups = WakeUpStore(dynamodb, tables.integrations_table)
queue = WakeUpQueue(aws.client("sqs"), WakeUpQueueUrl.from_env().wake_up_queue_url)
orders = OrderStore(dynamodb, tables.orders_table)
event_bus = EventBus(aws.client("events"), EventBusName.from_env().event_bus)
order_change_queue = OrderChangeQueue.from_env().order_change_queue
logger = Logger()
metrics = Metrics()
processor = SqsFifoPartialProcessor()


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse | None:
    if "Records" in event:
        return process_partial_response(event=event, record_handler=run, processor=processor, context=context)
    tick(EventBridgeEvent(event))
    return None


def run(record: SQSRecord) -> None:
    now = times.utc_now()
    downloader = Downloader(
        downloads=downloads,
        orders=orders,
        wake_ups=wake_ups,
        amazon_for=lambda integration: accounts.api_for(integration, now),
        now=times.utc_now,
        wake_up=queue.wake,
        event_bus=event_bus,
        order_change_queue=order_change_queue,
    )
    integration_id = integration_to_wake(record.body)
    findings = downloader.run(integration_id, until=now + RUN_FOR)
    if findings is not None:
        measure(integration_id, findings)


def measure(integration_id: str, findings: RunFindings) -> None:
    """Metrics of all integrations together. The log tells whose downloads are late: a metric for each costs more."""
    lag = max(findings.cursor_lag.total_seconds(), 0)
    metrics.add_metric(name="OpenIncidents", unit=MetricUnit.Count, value=findings.open_incidents)
    metrics.add_metric(name="CursorLag", unit=MetricUnit.Seconds, value=lag)
    metrics.add_metric(name="SearchCallsLeft", unit=MetricUnit.Count, value=findings.search_calls_left)
    if findings.credentials_last is not None:
        days = findings.credentials_last / timedelta(days=1)
        metrics.add_metric(name="CredentialsLastDays", unit=MetricUnit.Count, value=days)
    metrics.flush_metrics()
    logger.info("ran downloads", integration=integration_id, cursor_lag=lag)


def tick(event: EventBridgeEvent) -> None:
    scheduled_at = datetime.fromisoformat(event.time)
    failed = wake_what_is_due(integrations, wake_ups, queue, scheduled_at, times.utc_now())
    if scheduled_at.minute == 0:
        measure_held()
    fail_loudly(failed)


def measure_held() -> None:
    """Adds up the counters that runs keep, once an hour: an alarm compares the number with the day before."""
    held = sum(counter.held for counter in downloads.all_held_counters().values())
    metrics.add_metric(name="OrdersHeldNow", unit=MetricUnit.Count, value=held)
    metrics.flush_metrics()

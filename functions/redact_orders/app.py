"""Schedule and queue -> removal of personal data that is due. On request: /orders/{orderId}/erase and /erasures.

The schedule asks for the redactions of all integrations through the queue; a message of the queue makes those of some.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from itertools import takewhile
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.logging.correlation_paths import API_GATEWAY_REST
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from needs_attention import aws
from needs_attention.api.answers import answer, answer_with_etag
from needs_attention.api.callers import Caller, Role
from needs_attention.api.idempotency import RememberedAnswers
from needs_attention.api.operations import Body, IdempotencyKey, IfMatchHeader
from needs_attention.api.orders.changes import OrderChanges
from needs_attention.api.orders.views import EditedOrder
from needs_attention.api.retention import BuyerErasures, EraseBuyer, EraseOrder, ErasureOfBuyer
from needs_attention.api.router import Api
from needs_attention.environment import AnswersTable, OrderTables, RedactionQueueUrl
from needs_attention.jobs.redactions import in_an_order_of, remove_personal_data
from needs_attention.jobs.turns import fail_loudly, for_each
from needs_attention.redaction_queue import RedactionQueue, integrations_to_redact
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.orders import OrderStore, count_overdue
from needs_attention.values import times

# Then it counts overdue orders, and begins no count after `COUNT_FOR` more. The function's three minutes leave time for
# the last page of orders, and for the last count.
RUN_FOR = timedelta(seconds=90)
COUNT_FOR = timedelta(seconds=30)

dynamodb = aws.client("dynamodb")
tables = OrderTables.from_env()
orders = OrderStore(dynamodb, tables.orders_table)
integrations = SettingsStore(dynamodb, tables.integrations_table)
downloads = DownloadStateStore(dynamodb, tables.integrations_table)
erasures = BuyerErasures(integrations, downloads)
redactions = RedactionQueue(aws.client("sqs"), RedactionQueueUrl.from_env().redaction_queue_url)
logger = Logger()
metrics = Metrics()
processor = BatchProcessor(event_type=EventType.SQS)
api = Api(RememberedAnswers(dynamodb, AnswersTable.from_env().answers_table))


@logger.inject_lambda_context(clear_state=True, correlation_id_path=API_GATEWAY_REST)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any] | PartialItemFailureResponse | None:
    if "httpMethod" in event:
        return api.resolve(event, context)
    if "Records" in event:
        return process_partial_response(event=event, record_handler=redact, processor=processor, context=context)
    ask_for_redactions()
    return None


def ask_for_redactions() -> None:
    """Asks for those of all integrations, unless messages of an earlier tick still wait: they ask for the same.

    The metric shows that the clock runs, so only a tick that has done its work sends it.
    """
    asked_for: Sequence[str] = ()
    if redactions.has_waiting():
        logger.warning("redactions of an earlier tick still wait")
    else:
        asked_for = in_an_order_of(times.utc_now(), integrations.find_all_ids())
        fail_loudly(redactions.ask_for(asked_for))
    metrics.add_metric(name="IntegrationsToRedact", unit=MetricUnit.Count, value=len(asked_for))
    metrics.flush_metrics()


def redact(record: SQSRecord) -> None:
    """Leaves to the next tick what its time is not enough for.

    A message for the rest would make a chain of invocations, which Lambda takes for a loop and stops.
    """
    integration_ids = integrations_to_redact(record.body)
    until = times.utc_now() + RUN_FOR
    failed: Mapping[str, Exception] = {}
    try:
        named = integrations.get_each(integration_ids)
        failed = remove_personal_data(orders, downloads, named, times.utc_now, until)
    finally:
        not_counted = measure_overdue(integration_ids, until + COUNT_FOR)
    fail_loudly(failed, not_counted)


def measure_overdue(integration_ids: Sequence[str], until: datetime) -> Mapping[str, Exception]:
    """Measures the overdue orders of the integrations together; answers with the errors of those that failed."""
    now = times.utc_now()
    in_time = takewhile(lambda _: times.utc_now() < until, integration_ids)
    overdue = for_each("overdue redactions", in_time, lambda one: count_overdue(orders, one, now))
    metrics.add_metric(name="RedactionsOverdue", unit=MetricUnit.Count, value=sum(overdue.results.values()))
    metrics.flush_metrics()
    return overdue.failed


@api.operation("POST", "/orders/<order_id>/erase", open_to=[Role.ADMINISTRATOR], answers={HTTPStatus.OK: EditedOrder})
def erase_order(caller: Caller, order_id: str, erasure: Body[EraseOrder], if_match: IfMatchHeader) -> Response[object]:
    """Removes the personal data of an order early and for good.

    Afterwards you can neither hold the order nor send it from here, and no download fills it again.
    """
    changes = OrderChanges(dynamodb, orders, integrations, caller, times.utc_now(), request_id=api.request_id)
    return answer_with_etag(changes.make(order_id, changes.erase(erasure), if_match))


@api.operation("POST", "/erasures", open_to=[Role.ADMINISTRATOR], answers={HTTPStatus.ACCEPTED: ErasureOfBuyer})
def erase_buyer(caller: Caller, request: Body[EraseBuyer], key: IdempotencyKey) -> Response[object]:
    """Removes a buyer's personal data from all orders, early and for good.

    It begins within minutes, and walks through all orders. Orders that are not yet sent are left and named, unless the
    request says otherwise.
    """
    begun = erasures.begin(request, caller, key, times.utc_now())
    location = {"Location": f"erasures/{begun['erasureId']}"}  # relative: a stage may come before it
    return answer(begun, HTTPStatus.ACCEPTED, location)


@api.operation("GET", "/erasures/<erasure_id>", open_to=[Role.READER], answers={HTTPStatus.OK: ErasureOfBuyer})
def get_erasure(_: Caller, erasure_id: str) -> Response[object]:
    """Shows the progress of a buyer's erasure, and the orders that it erased."""
    return answer(erasures.one(erasure_id))

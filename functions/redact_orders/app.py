"""Schedule -> removal of personal data that is due. On request: /orders/{orderId}/erase, and a buyer's /erasures."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.logging.correlation_paths import API_GATEWAY_REST
from aws_lambda_powertools.metrics import MetricUnit
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
from needs_attention.environment import AnswersTable, OrderTables
from needs_attention.jobs.redactions import remove_personal_data
from needs_attention.jobs.turns import fail_loudly, for_each
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.orders import OrderStore, count_overdue
from needs_attention.values import times

RUN_FOR = timedelta(minutes=4)  # the function may take five minutes, and the schedule starts it every five

dynamodb = aws.client("dynamodb")
tables = OrderTables.from_env()
orders = OrderStore(dynamodb, tables.orders_table)
integrations = SettingsStore(dynamodb, tables.integrations_table)
downloads = DownloadStateStore(dynamodb, tables.integrations_table)
erasures = BuyerErasures(integrations, downloads)
logger = Logger()
metrics = Metrics()
api = Api(RememberedAnswers(dynamodb, AnswersTable.from_env().answers_table))


@logger.inject_lambda_context(clear_state=True, correlation_id_path=API_GATEWAY_REST)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any] | None:
    if "httpMethod" in event:
        return api.resolve(event, context)
    run()
    return None


def run() -> None:
    failed = remove_personal_data(orders, integrations, downloads, times.utc_now, until=times.utc_now() + RUN_FOR)
    now = times.utc_now()
    overdue = for_each("overdue redactions", integrations.find_all_ids(), lambda one: count_overdue(orders, one, now))
    metrics.add_metric(name="RedactionsOverdue", unit=MetricUnit.Count, value=sum(overdue.results.values()))
    metrics.flush_metrics()
    fail_loudly(failed, overdue.failed)


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
    return answer(begun, HTTPStatus.ACCEPTED, {"Location": f"/erasures/{begun['erasureId']}"})


@api.operation("GET", "/erasures/<erasure_id>", open_to=[Role.READER], answers={HTTPStatus.OK: ErasureOfBuyer})
def get_erasure(_: Caller, erasure_id: str) -> Response[object]:
    """Shows the progress of a buyer's erasure, and the orders that it erased."""
    return answer(erasures.one(erasure_id))

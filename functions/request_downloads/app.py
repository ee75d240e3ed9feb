"""Downloads of a past window under /integrations/{integrationId}/downloads, and of single orders by their IDs:
POST /orders/{orderId}/redownload, and /bulk/redownloads for several."""

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.logging.correlation_paths import API_GATEWAY_REST
from aws_lambda_powertools.utilities.typing import LambdaContext

from needs_attention import aws
from needs_attention.api.answers import answer
from needs_attention.api.callers import Caller, Role
from needs_attention.api.downloads import (
    Download,
    DownloadRequest,
    Downloads,
    OrderRedownloads,
    OrdersToRedownload,
    PastDownloads,
    Redownloaded,
    RedownloadedOrders,
)
from needs_attention.api.idempotency import RememberedAnswers
from needs_attention.api.operations import Body, IdempotencyKey
from needs_attention.api.router import Api
from needs_attention.environment import AnswersTable, OrderTables, WakeUpQueueUrl
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.orders import OrderStore
from needs_attention.values import times
from needs_attention.wake_up_queue import WakeUpQueue

dynamodb = aws.client("dynamodb")
tables = OrderTables.from_env()
integrations = SettingsStore(dynamodb, tables.integrations_table)
downloads = DownloadStateStore(dynamodb, tables.integrations_table)
wake_ups = WakeUpQueue(aws.client("sqs"), WakeUpQueueUrl.from_env().wake_up_queue_url)
past_downloads = PastDownloads(integrations, downloads, wake_ups)
redownloads = OrderRedownloads(OrderStore(dynamodb, tables.orders_table), integrations, downloads, wake_ups)
logger = Logger()
api = Api(RememberedAnswers(dynamodb, AnswersTable.from_env().answers_table))

DOWNLOADS = "/integrations/<integration_id>/downloads"


@logger.inject_lambda_context(clear_state=True, correlation_id_path=API_GATEWAY_REST)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return api.resolve(event, context)


@api.operation(
    "POST", DOWNLOADS, open_to=[Role.ADMINISTRATOR], answers={HTTPStatus.ACCEPTED: Download, HTTPStatus.OK: Download}
)
def request_download(
    caller: Caller, integration_id: str, request: Body[DownloadRequest], key: IdempotencyKey
) -> Response[object]:
    """Downloads everything that Amazon updated since a past time.

    A dry run answers 200 with the plan, and downloads nothing.
    """
    now = times.utc_now()
    if request.dry_run:
        return answer(past_downloads.plan(integration_id, request, caller, key, now))
    begun = past_downloads.request(integration_id, request, caller, key, now)
    location = {"Location": f"downloads/{begun['downloadId']}"}  # relative: a stage may come before it
    return answer(begun, HTTPStatus.ACCEPTED, location)


@api.operation("GET", DOWNLOADS, open_to=[Role.READER], answers={HTTPStatus.OK: Downloads})
def list_downloads(_: Caller, integration_id: str) -> Response[object]:
    """Lists an integration's backdated downloads, newest first."""
    return answer(past_downloads.all(integration_id, times.utc_now()))


@api.operation("GET", f"{DOWNLOADS}/<download_id>", open_to=[Role.READER], answers={HTTPStatus.OK: Download})
def get_download(_: Caller, integration_id: str, download_id: str) -> Response[object]:
    """Shows the progress of a backdated download."""
    return answer(past_downloads.one(integration_id, download_id, times.utc_now()))


@api.operation("DELETE", f"{DOWNLOADS}/<download_id>", open_to=[Role.ADMINISTRATOR], answers={HTTPStatus.OK: Download})
def cancel_download(_: Caller, integration_id: str, download_id: str) -> Response[object]:
    """Ends a backdated download. Orders that it has already brought stay."""
    return answer(past_downloads.cancel(integration_id, download_id, times.utc_now()))


@api.operation(
    "POST", "/orders/<order_id>/redownload", open_to=[Role.EDITOR], answers={HTTPStatus.ACCEPTED: Redownloaded}
)
def redownload_order(_: Caller, order_id: str) -> Response[object]:
    """Asks Amazon for an order again."""
    return answer(redownloads.one(order_id, times.utc_now()), HTTPStatus.ACCEPTED)


@api.operation(
    "POST",
    "/bulk/redownloads",
    open_to=[Role.EDITOR],
    answers={HTTPStatus.ACCEPTED: RedownloadedOrders, HTTPStatus.OK: RedownloadedOrders},
)
def redownload_orders(_: Caller, wanted: Body[OrdersToRedownload]) -> Response[object]:
    """Asks Amazon for up to 100 orders again, each by itself.

    A dry run answers 200 with the same results, and asks nothing.
    """
    results = redownloads.several(wanted, times.utc_now())
    logger.append_keys(order_ids=[one["orderId"] for one in results if one["status"] == HTTPStatus.ACCEPTED])
    return answer({"orders": results}, HTTPStatus.OK if wanted.dry_run else HTTPStatus.ACCEPTED)

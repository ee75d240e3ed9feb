"""Downloads of a past window under /integrations/{integrationId}/downloads, and of single orders by their IDs:
POST /orders/{orderId}/redownload, and /bulk/redownloads for many."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.logging.correlation_paths import API_GATEWAY_REST
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import ConfigDict, Field, StringConstraints

from needs_attention import aws
from needs_attention.api.answers import answer
from needs_attention.api.callers import Caller, Role
from needs_attention.api.downloads import (
    Download,
    Downloads,
    Redownloaded,
    RedownloadedOf,
    RedownloadedOrders,
    check_start,
    download_view,
)
from needs_attention.api.idempotency import RememberedAnswers
from needs_attention.api.integrations.changes import existing_integration
from needs_attention.api.operations import Body, IdempotencyKey
from needs_attention.api.orders.changes import existing_order
from needs_attention.api.orders.one_by_one import OneByOne
from needs_attention.api.problems import ATTEMPTS, FieldError, Problem, changed_meanwhile, invalid, not_found
from needs_attention.api.router import Api
from needs_attention.aws import ChangedMeanwhile
from needs_attention.downloads.backdated import BackdatedDownload
from needs_attention.downloads.by_id import Redownload
from needs_attention.environment import AnswersTable, OrderTables, WakeUpQueueUrl
from needs_attention.integrations.integration import Integration
from needs_attention.orders.gate import Refused
from needs_attention.orders.order import Order
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.orders import OrderStore
from needs_attention.values import times
from needs_attention.values.model import Value
from needs_attention.values.times import SentTime, instant
from needs_attention.wake_up_queue import WakeUpQueue

dynamodb = aws.client("dynamodb")
tables = OrderTables.from_env()
orders = OrderStore(dynamodb, tables.orders_table)
integrations = SettingsStore(dynamodb, tables.integrations_table)
downloads = DownloadStateStore(dynamodb, tables.integrations_table)
wake_ups = WakeUpQueue(aws.client("sqs"), WakeUpQueueUrl.from_env().wake_up_queue_url)
logger = Logger()
api = Api(RememberedAnswers(dynamodb, AnswersTable.from_env().answers_table))

OrderId = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class DownloadRequest(Value):
    """From when on; without it, from the integration's setting `downloadOrdersUpdatedAfter`. A dry run only plans."""

    updated_after: SentTime | None = None
    dry_run: bool = False


class RedownloadRequest(Value):
    """Orders that Amazon is to be asked for again; a dry run asks for none."""

    model_config = ConfigDict(title="Redownloads")

    order_ids: Annotated[tuple[OrderId, ...], Field(min_length=1, max_length=100)]
    dry_run: bool = False


@logger.inject_lambda_context(clear_state=True, correlation_id_path=API_GATEWAY_REST)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return api.resolve(event, context)


DOWNLOADS = "/integrations/<integration_id>/downloads"


@api.operation(
    "POST", DOWNLOADS, open_to=[Role.ADMINISTRATOR], answers={HTTPStatus.ACCEPTED: Download, HTTPStatus.OK: Download}
)
def request_download(
    caller: Caller, integration_id: str, request: Body[DownloadRequest], key: IdempotencyKey
) -> Response[object]:
    """Downloads all that Amazon updated since a past time. A dry run answers 200 with the plan, and does nothing."""
    integration = existing_integration(integrations, integration_id)
    download = new_download(integration, request, caller, key)
    if request.dry_run:
        return answer(view(integration, download, ahead=downloads.backdated_downloads(integration_id)))
    # A request that died before its answer was remembered has made its download all the same.
    made = made_before(integration_id, download) if key else None
    if made is None:
        made = downloads.save_backdated_download(integration_id, download)
    wake_ups.wake(integration_id)
    location = {"Location": f"/integrations/{integration_id}/downloads/{made.download_id}"}
    return answer(stored_view(integration, made.download_id), HTTPStatus.ACCEPTED, location)


@api.operation("GET", DOWNLOADS, open_to=[Role.READER], answers={HTTPStatus.OK: Downloads})
def list_downloads(_: Caller, integration_id: str) -> Response[object]:
    """Lists an integration's backdated downloads, newest first."""
    integration = existing_integration(integrations, integration_id)
    found = downloads.backdated_downloads(integration_id)
    views = [view(integration, download, ahead=found[:place]) for place, download in enumerate(found)]
    return answer({"downloads": views[::-1]})


@api.operation("GET", f"{DOWNLOADS}/<download_id>", open_to=[Role.READER], answers={HTTPStatus.OK: Download})
def get_download(_: Caller, integration_id: str, download_id: str) -> Response[object]:
    """Shows how far a backdated download is."""
    return answer(stored_view(existing_integration(integrations, integration_id), download_id))


@api.operation("DELETE", f"{DOWNLOADS}/<download_id>", open_to=[Role.ADMINISTRATOR], answers={HTTPStatus.OK: Download})
def cancel_download(_: Caller, integration_id: str, download_id: str) -> Response[object]:
    """Ends a backdated download. What it has brought so far stays."""
    integration = existing_integration(integrations, integration_id)
    for _attempt in range(ATTEMPTS):
        download = existing_download(integration_id, download_id)
        if download.status in {"finished", "failed"}:
            raise Problem(409, f"The download has {download.status} already.", code="alreadyOver")
        if download.status == "cancelled":
            return answer(view(integration, download))
        cancelled = download.model_copy(update={"status": "cancelled", "finished_at": times.utc_now()})
        try:
            return answer(view(integration, downloads.save_backdated_download(integration_id, cancelled)))
        except ChangedMeanwhile:
            continue
    raise changed_meanwhile()


@api.operation(
    "POST", "/orders/<order_id>/redownload", open_to=[Role.EDITOR], answers={HTTPStatus.ACCEPTED: Redownloaded}
)
def redownload_order(_: Caller, order_id: str) -> Response[object]:
    """Asks Amazon for an order again."""
    now = times.utc_now()
    order = to_be_asked_for(order_id)
    ask_for(order, now)
    wake_ups.wake(order.integration)
    return answer(redownload_view(order, now), HTTPStatus.ACCEPTED)


@api.operation(
    "POST",
    "/bulk/redownloads",
    open_to=[Role.EDITOR],
    answers={HTTPStatus.ACCEPTED: RedownloadedOrders, HTTPStatus.OK: RedownloadedOrders},
)
def redownload_orders(_: Caller, wanted: Body[RedownloadRequest]) -> Response[object]:
    """Asks Amazon for up to 100 orders again, each by itself. A dry run answers 200 with the same, and asks not."""
    now, each = times.utc_now(), OneByOne()
    to_wake: set[str] = set()

    def attempt(order_id: str) -> RedownloadedOf:
        order = to_be_asked_for(order_id)
        if not wanted.dry_run:
            ask_for(order, now)
            to_wake.add(order.integration)
        return {**redownload_view(order, now), "status": 202}

    results = [each.result(order_id, partial(attempt, order_id)) for order_id in dict.fromkeys(wanted.order_ids)]
    for integration_id in to_wake:
        wake_ups.wake(integration_id)
    logger.append_keys(order_ids=[one["orderId"] for one in results if one["status"] == HTTPStatus.ACCEPTED])
    return answer({"orders": results}, HTTPStatus.OK if wanted.dry_run else HTTPStatus.ACCEPTED)


def to_be_asked_for(order_id: str) -> Order:
    """The order, if Amazon can be asked for it. Raises a 404, or Refused."""
    order = existing_order(orders, order_id)
    if order.redacted_at:
        raise Refused("redacted", "The personal data of this order was removed for good.")
    integration = integrations.get(order.integration)
    if integration is None or integration.is_paused or integration.deleted_at:
        raise Refused("paused", "Nothing is downloaded for this integration: it is paused, or was removed.")
    return order


def ask_for(order: Order, now: datetime) -> None:
    """Has the next run ask Amazon for the order."""
    wanted = Redownload(order_id=order.order_id, cause="requested", wanted_at=now)
    downloads.want_redownload(order.integration, wanted)


def redownload_view(order: Order, now: datetime) -> Redownloaded:
    return {"orderId": order.order_id, "redownloadAt": instant(now)}


def new_download(
    integration: Integration, request: DownloadRequest, caller: Caller, key: str | None
) -> BackdatedDownload:
    now = times.utc_now()
    updated_after = request.updated_after or integration.settings.download_orders_updated_after
    if updated_after is None:
        missing = FieldError("updatedAfter", "required", "send it, or set downloadOrdersUpdatedAfter")
        raise invalid([missing])
    check_start("updatedAfter", updated_after, now)
    pace = downloads.live_download(integration).walk.pace
    suffix = caller.suffix_for(key)
    return BackdatedDownload.requested(updated_after, pace, by=caller.name, now=now, suffix=suffix)


def made_before(integration_id: str, download: BackdatedDownload) -> BackdatedDownload | None:
    earlier = downloads.backdated_downloads(integration_id)
    return next((one for one in earlier if one.is_asked_for_again_by(download)), None)


def existing_download(integration_id: str, download_id: str) -> BackdatedDownload:
    download = downloads.backdated_download(integration_id, download_id)
    if download is None:
        raise not_found("download")
    return download


def stored_view(integration: Integration, download_id: str) -> Download:
    """A download that is stored, with its place in the queue. Raises a 404."""
    existing_download(integration.integration_id, download_id)
    found = downloads.backdated_downloads(integration.integration_id)
    ahead = [one for one in found if one.download_id < download_id]
    return view(integration, next(one for one in found if one.download_id == download_id), ahead)


def view(integration: Integration, download: BackdatedDownload, ahead: Iterable[BackdatedDownload] = ()) -> Download:
    bucket = downloads.live_download(integration).search_bucket
    return download_view(integration.integration_id, download, ahead, bucket, times.utc_now())

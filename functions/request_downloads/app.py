"""Downloads of a past window under /integrations/{integrationId}/downloads, and POST /orders/{orderId}/redownload."""

from http import HTTPStatus
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from needs_attention import values
from needs_attention.download import BackdatedDownload
from needs_attention.download_requests import check_start, download_view, key_suffix, requested
from needs_attention.gate import Refused
from needs_attention.http_api import (
    ATTEMPTS,
    Api,
    Caller,
    FieldError,
    Problem,
    Role,
    answer,
    changed_meanwhile,
    invalid,
    not_found,
)
from needs_attention.integration_store import ChangedMeanwhile, Integration, IntegrationStore
from needs_attention.order_changes import existing_order
from needs_attention.order_store import OrderStore
from needs_attention.settings import OrderTables, WakeUps
from needs_attention.values import UtcTime, Value, instant
from needs_attention.wake_ups import WakeUpQueue

dynamodb = boto3.client("dynamodb")
tables = OrderTables.from_env()
orders = OrderStore(dynamodb, tables.orders_table)
integrations = IntegrationStore(dynamodb, tables.integrations_table)
wake_ups = WakeUpQueue(boto3.client("sqs"), WakeUps.from_env().wake_up_queue_url)
logger = Logger()
api = Api()


class DownloadRequest(Value):
    """From when on; without it, from the integration's setting `downloadOrdersUpdatedAfter`."""

    updated_after: UtcTime | None = None


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return api.resolve(event, context)


@api.post("/integrations/<integration_id>/downloads")
@api.open_to(Role.ADMINISTRATOR)
def request_download(caller: Caller, integration_id: str) -> Response[object]:
    """With an `Idempotency-Key`, a request that is sent again answers with the download that the first one made."""
    request = api.body(DownloadRequest)
    key = api.idempotency_key()
    integration = existing_integration(integration_id)
    download = made_before(integration_id, key, request) if key else None
    if download is None:
        download = new_download(integration, request, caller, key)
    wake_ups.wake(integration_id)
    location = {"Location": f"/integrations/{integration_id}/downloads/{download.download_id}"}
    return answer(view(integration, download), HTTPStatus.ACCEPTED, location)


@api.get("/integrations/<integration_id>/downloads")
@api.open_to(Role.READER)
def list_downloads(_: Caller, integration_id: str) -> Response[object]:
    """Newest first."""
    integration = existing_integration(integration_id)
    found = integrations.backdated_downloads(integration_id)
    return answer({"downloads": [view(integration, download) for download in reversed(found)]})


@api.get("/integrations/<integration_id>/downloads/<download_id>")
@api.open_to(Role.READER)
def get_download(_: Caller, integration_id: str, download_id: str) -> Response[object]:
    return answer(view(existing_integration(integration_id), existing_download(integration_id, download_id)))


@api.delete("/integrations/<integration_id>/downloads/<download_id>")
@api.open_to(Role.ADMINISTRATOR)
def cancel_download(_: Caller, integration_id: str, download_id: str) -> Response[object]:
    """What it has brought so far stays."""
    integration = existing_integration(integration_id)
    for _attempt in range(ATTEMPTS):
        download = existing_download(integration_id, download_id)
        if download.status in {"finished", "failed"}:
            raise Problem(409, f"The download has {download.status} already.", code="alreadyOver")
        if download.status == "cancelled":
            return answer(view(integration, download))
        cancelled = download.model_copy(update={"status": "cancelled", "finished_at": values.utc_now()})
        try:
            return answer(view(integration, integrations.save_backdated_download(integration_id, cancelled)))
        except ChangedMeanwhile:
            continue
    raise changed_meanwhile()


@api.post("/orders/<order_id>/redownload")
@api.open_to(Role.EDITOR)
def redownload_order(_: Caller, order_id: str) -> Response[object]:
    now = values.utc_now()
    for _attempt in range(ATTEMPTS):
        order = existing_order(orders, order_id)
        if order.redacted_at:
            raise Refused("redacted", "The personal data of this order was removed for good.")
        if orders.ask_again(order, now):
            wake_ups.wake(order.integration)
            return answer({"orderId": order_id, "redownloadAt": instant(now)}, HTTPStatus.ACCEPTED)
    raise changed_meanwhile()


def new_download(
    integration: Integration, request: DownloadRequest, caller: Caller, key: str | None
) -> BackdatedDownload:
    now = values.utc_now()
    updated_after = request.updated_after or integration.settings.download_orders_updated_after
    if updated_after is None:
        missing = FieldError("updatedAfter", "required", "send it, or set downloadOrdersUpdatedAfter")
        raise invalid([missing])
    check_start("updatedAfter", updated_after, now)
    wanted = requested(updated_after, by=caller.name, now=now, key=key)
    return integrations.save_backdated_download(integration.integration_id, wanted)


def made_before(integration_id: str, key: str, request: DownloadRequest) -> BackdatedDownload | None:
    """The download that an earlier request with this key made. Raises a 422 if that one asked for something else."""
    suffix = f"-{key_suffix(key)}"
    found = (d for d in integrations.backdated_downloads(integration_id) if d.download_id.endswith(suffix))
    download = next(found, None)
    if download and request.updated_after not in {None, download.updated_after}:
        raise invalid([FieldError("Idempotency-Key", "usedBefore", "was sent before with another updatedAfter")])
    return download


def existing_integration(integration_id: str) -> Integration:
    integration = integrations.get(integration_id)
    if integration is None or integration.deleted_at:
        raise not_found("integration")
    return integration


def existing_download(integration_id: str, download_id: str) -> BackdatedDownload:
    download = integrations.backdated_download(integration_id, download_id)
    if download is None:
        raise not_found("download")
    return download


def view(integration: Integration, download: BackdatedDownload) -> dict[str, Any]:
    bucket = integrations.live_download(integration).search_bucket
    return {"integrationId": integration.integration_id, **download_view(download, bucket, values.utc_now())}

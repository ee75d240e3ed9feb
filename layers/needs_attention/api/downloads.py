"""Downloads that people ask for: of all that Amazon updated since a past time, and of single orders again."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Literal, TypedDict

from pydantic import ConfigDict, Field, StringConstraints

from needs_attention.api.answers import Instant, as_json
from needs_attention.api.callers import Caller
from needs_attention.api.lookup import existing_integration, existing_order
from needs_attention.api.orders.one_by_one import OneByOne, RefusedOrder
from needs_attention.api.problems import ATTEMPTS, FieldError, Problem, changed_meanwhile, invalid, not_found
from needs_attention.aws import ChangedMeanwhile
from needs_attention.downloads.backdated import BackdatedDownload, Counts, DownloadStatus
from needs_attention.downloads.by_id import Redownload
from needs_attention.downloads.quota import Bucket
from needs_attention.downloads.walk import AMAZONS_MARGIN, OLDEST
from needs_attention.integrations.integration import Integration
from needs_attention.orders.gate import Refused
from needs_attention.orders.order import Order
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.orders import OrderStore
from needs_attention.values.model import Value
from needs_attention.values.times import SentTime, instant
from needs_attention.wake_up_queue import WakeUpQueue


class DownloadRequest(Value):
    """The start, by default the integration's setting `downloadOrdersUpdatedAfter`. A dry run only plans."""

    updated_after: SentTime | None = None
    dry_run: bool = False


OrderId = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class OrdersToRedownload(Value):
    """Orders to ask Amazon for again. A dry run asks for none."""

    model_config = ConfigDict(title="Redownloads")

    order_ids: Annotated[tuple[OrderId, ...], Field(min_length=1, max_length=100)]
    dry_run: bool = False


class Download(TypedDict):
    """A download of a past window: planned, under way or ended."""

    integrationId: str
    downloadId: str
    status: DownloadStatus
    updatedAfter: Instant
    updatedBefore: Instant
    requestedBy: str
    requestedAt: Instant
    startedAt: Instant | None
    finishedAt: Instant | None
    counts: Counts
    failures: int
    failure: str | None
    retryAt: Instant | None
    reached: Instant
    progress: Annotated[float, Field(ge=0, le=1)]
    estimatedOrdersLeft: int
    estimatedCallsLeft: int
    callsAhead: Annotated[int, Field(description="Calls that the downloads ahead of it still need")]
    estimatedEnd: Instant | None


class Downloads(TypedDict):
    """An integration's downloads of past windows, newest first."""

    downloads: list[Download]


class Redownloaded(TypedDict):
    """The next run asks Amazon for the order."""

    orderId: str
    redownloadAt: Instant


class RedownloadedOf(Redownloaded):
    """One of several orders, accepted."""

    status: Literal[202]


class RedownloadedOrders(TypedDict):
    """A result for each order, in the sequence of the request. One that is named twice counts once."""

    orders: list[RedownloadedOf | RefusedOrder]


class PastDownloads:
    """Downloads of a past window: people ask for them, and runs make them.

    Every method raises a 404 for an integration that does not exist, or was removed.
    """

    def __init__(self, integrations: SettingsStore, downloads: DownloadStateStore, wake_ups: WakeUpQueue) -> None:
        self._integrations = integrations
        self._downloads = downloads
        self._wake_ups = wake_ups

    def plan(
        self, integration_id: str, request: DownloadRequest, caller: Caller, key: str | None, now: datetime
    ) -> Download:
        """The download that the request would begin. Raises a 422 for a start that Amazon does not serve."""
        integration = existing_integration(self._integrations, integration_id)
        download = self._requested(integration, request, caller, key, now)
        return self._view(integration, download, self._downloads.backdated_downloads(integration_id), now)

    def request(
        self, integration_id: str, request: DownloadRequest, caller: Caller, key: str | None, now: datetime
    ) -> Download:
        """Begins a download, or finds the one that a request with the same key began. Raises a 422 as `plan` does."""
        integration = existing_integration(self._integrations, integration_id)
        download = self._requested(integration, request, caller, key, now)
        # A request that died before its answer was remembered has begun its download all the same.
        begun = self._begun_before(integration_id, download) if key else None
        if begun is None:
            begun = self._downloads.save_backdated_download(integration_id, download)
        self._wake_ups.wake(integration_id)
        return self._stored_view(integration, begun.download_id, now)

    def all(self, integration_id: str, now: datetime) -> Downloads:
        """Those that are over too, newest first. Raises a 404 for an integration that does not exist."""
        integration = existing_integration(self._integrations, integration_id)
        found = self._downloads.backdated_downloads(integration_id)
        views = [self._view(integration, download, found[:place], now) for place, download in enumerate(found)]
        return {"downloads": views[::-1]}

    def one(self, integration_id: str, download_id: str, now: datetime) -> Download:
        """Raises a 404 for an integration or a download that does not exist."""
        return self._stored_view(existing_integration(self._integrations, integration_id), download_id, now)

    def cancel(self, integration_id: str, download_id: str, now: datetime) -> Download:
        """Ends a download. Raises a 404, or a 409 if it has already finished or failed."""
        integration = existing_integration(self._integrations, integration_id)
        for _ in range(ATTEMPTS):
            download = self._existing(integration_id, download_id)
            if download.status in {"finished", "failed"}:
                raise Problem(409, f"The download has already {download.status}.", code="alreadyOver")
            if download.status == "cancelled":
                return self._view(integration, download, (), now)
            cancelled = download.model_copy(update={"status": "cancelled", "finished_at": now})
            try:
                saved = self._downloads.save_backdated_download(integration_id, cancelled)
            except ChangedMeanwhile:
                continue
            return self._view(integration, saved, (), now)
        raise changed_meanwhile()

    def _requested(
        self, integration: Integration, request: DownloadRequest, caller: Caller, key: str | None, now: datetime
    ) -> BackdatedDownload:
        updated_after = request.updated_after or integration.settings.download_orders_updated_after
        if updated_after is None:
            raise invalid([FieldError("updatedAfter", "required", "send it, or set downloadOrdersUpdatedAfter")])
        check_start("updatedAfter", updated_after, now)
        pace = self._downloads.live_download(integration).walk.pace
        suffix = caller.suffix_for(key)
        return BackdatedDownload.requested(updated_after, pace, by=caller.name, now=now, suffix=suffix)

    def _begun_before(self, integration_id: str, download: BackdatedDownload) -> BackdatedDownload | None:
        earlier = self._downloads.backdated_downloads(integration_id)
        return next((one for one in earlier if one.is_asked_for_again_by(download)), None)

    def _existing(self, integration_id: str, download_id: str) -> BackdatedDownload:
        download = self._downloads.backdated_download(integration_id, download_id)
        if download is None:
            raise not_found("download")
        return download

    def _stored_view(self, integration: Integration, download_id: str, now: datetime) -> Download:
        """A stored download, with its place in the queue."""
        self._existing(integration.integration_id, download_id)
        found = self._downloads.backdated_downloads(integration.integration_id)
        ahead = [one for one in found if one.download_id < download_id]
        return self._view(integration, next(one for one in found if one.download_id == download_id), ahead, now)

    def _view(
        self, integration: Integration, download: BackdatedDownload, ahead: Iterable[BackdatedDownload], now: datetime
    ) -> Download:
        bucket = self._downloads.live_download(integration).search_bucket
        return _download_view(integration.integration_id, download, ahead, bucket, now)


class OrderRedownloads:
    """Has the next run ask Amazon for orders again."""

    def __init__(
        self, orders: OrderStore, integrations: SettingsStore, downloads: DownloadStateStore, wake_ups: WakeUpQueue
    ) -> None:
        self._orders = orders
        self._integrations = integrations
        self._downloads = downloads
        self._wake_ups = wake_ups

    def one(self, order_id: str, now: datetime) -> Redownloaded:
        """One order. Raises a 404, or Refused."""
        order = self._to_be_asked_for(order_id)
        self._ask_for(order, now)
        self._wake_ups.wake(order.integration)
        return {"orderId": order.order_id, "redownloadAt": instant(now)}

    def several(self, wanted: OrdersToRedownload, now: datetime) -> list[RedownloadedOf | RefusedOrder]:
        """Several orders, each by itself."""
        each = OneByOne()
        to_wake: set[str] = set()

        def attempt(order_id: str) -> RedownloadedOf:
            order = self._to_be_asked_for(order_id)
            if not wanted.dry_run:
                self._ask_for(order, now)
                to_wake.add(order.integration)
            return {"orderId": order.order_id, "status": 202, "redownloadAt": instant(now)}

        results = [each.result(order_id, partial(attempt, order_id)) for order_id in dict.fromkeys(wanted.order_ids)]
        for integration_id in to_wake:
            self._wake_ups.wake(integration_id)
        return results

    def _to_be_asked_for(self, order_id: str) -> Order:
        """The order, if Amazon can be asked for it. Raises a 404, or Refused."""
        order = existing_order(self._orders, order_id)
        if order.redacted_at:
            raise Refused("redacted", "The personal data of this order was removed for good.")
        integration = self._integrations.get(order.integration)
        if integration is None or integration.is_paused or integration.deleted_at:
            raise Refused("paused", "This integration downloads nothing: it is paused, or was removed.")
        return order

    def _ask_for(self, order: Order, now: datetime) -> None:
        wanted = Redownload(order_id=order.order_id, cause="requested", wanted_at=now)
        self._downloads.want_redownload(order.integration, wanted)


def check_start(field: str, updated_after: datetime, now: datetime) -> None:
    """Raises a 422 for a start that Amazon does not serve."""
    if updated_after >= now - AMAZONS_MARGIN:
        message = "Amazon lists only orders updated more than two minutes ago: choose an earlier time"
        raise invalid([FieldError(field, "tooLate", message)])
    if updated_after < now - OLDEST:
        raise invalid([FieldError(field, "tooOld", f"Amazon shows no orders from more than {OLDEST.days} days ago")])


def _download_view(
    integration_id: str, download: BackdatedDownload, ahead: Iterable[BackdatedDownload], bucket: Bucket, now: datetime
) -> Download:
    """A download as the API shows it, also one that is only planned.

    The estimates use the number of orders that Amazon listed lately; each call corrects them. `ahead` are the downloads
    that come before this one.
    """
    calls = _calls_left(download)
    calls_before = sum(_calls_left(other) for other in ahead if not other.is_over)
    window = download.updated_before - download.walk.reached
    return {
        "integrationId": integration_id,
        "downloadId": download.download_id,
        "status": download.status,
        "updatedAfter": instant(download.updated_after),
        "updatedBefore": instant(download.updated_before),
        "requestedBy": download.requested_by,
        "requestedAt": instant(download.requested_at),
        "startedAt": instant(download.started_at) if download.started_at else None,
        "finishedAt": instant(download.finished_at) if download.finished_at else None,
        "counts": as_json(download.counts),
        "failures": download.failures,
        "failure": download.failure,
        "retryAt": instant(download.retry_at) if download.retry_at else None,
        "reached": instant(download.walk.reached),
        "progress": _progress(download),
        "estimatedOrdersLeft": 0 if download.is_over else round(download.walk.pace.orders_in(window)),
        "estimatedCallsLeft": calls,
        "callsAhead": 0 if download.is_over else calls_before,
        "estimatedEnd": None if download.is_over else instant(_end_of(calls_before + calls, bucket, now)),
    }


def _progress(download: BackdatedDownload) -> float:
    """The share of the window that is downloaded, between 0 and 1."""
    whole = download.updated_before - download.updated_after
    return round(min((download.walk.reached - download.updated_after) / whole, 1.0), 3)


def _calls_left(download: BackdatedDownload) -> int:
    return 0 if download.is_over else download.walk.calls_to(download.updated_before)


def _end_of(calls: int, bucket: Bucket, now: datetime) -> datetime:
    """The calls that are saved up are spent at once. Half of those that Amazon grants later are for live downloads."""
    return now + timedelta(seconds=max(calls - bucket.tokens_at(now), 0) / (bucket.rate / 2))

"""Requests for downloads of a past window: from when they may start, and how the API shows them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Literal, TypedDict

from pydantic import Field

from needs_attention.api.answers import Instant, as_json
from needs_attention.api.orders.one_by_one import RefusedOrder
from needs_attention.api.problems import FieldError, invalid
from needs_attention.downloads.backdated import BackdatedDownload, Counts, DownloadStatus
from needs_attention.downloads.quota import Bucket
from needs_attention.downloads.walk import AMAZONS_MARGIN, OLDEST
from needs_attention.values.times import instant


# Downloads
class Download(TypedDict):
    """A download of a past window, planned, under way or over."""

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
    callsAhead: Annotated[int, Field(description="Calls of the downloads that come before it")]
    estimatedEnd: Instant | None


class Downloads(TypedDict):
    """Newest first."""

    downloads: list[Download]


class Redownloaded(TypedDict):
    """Amazon is asked for the order with the next run."""

    orderId: str
    redownloadAt: Instant


class RedownloadedOf(Redownloaded):
    """One of several, accepted."""

    status: Literal[202]


class RedownloadedOrders(TypedDict):
    """A result for each order."""

    orders: list[RedownloadedOf | RefusedOrder]


def check_start(field: str, updated_after: datetime, now: datetime) -> None:
    """Raises a 422 for a start from which Amazon shows nothing."""
    if updated_after >= now - AMAZONS_MARGIN:
        raise invalid(
            [FieldError(field, "tooLate", "Amazon lists what was updated until two minutes ago: go further back")]
        )
    if updated_after < now - OLDEST:
        raise invalid([FieldError(field, "tooOld", f"Amazon shows no orders of more than {OLDEST.days} days ago")])


def download_view(
    integration_id: str, download: BackdatedDownload, ahead: Iterable[BackdatedDownload], bucket: Bucket, now: datetime
) -> Download:
    """A download as the API shows it, also as a plan before it starts.

    The estimates rest on how many orders Amazon listed lately, and the walk corrects them on its way. `ahead` are the
    downloads that are done before this one.
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
    """The share of the window's time that is done, between 0 and 1."""
    whole = download.updated_before - download.updated_after
    return round(min((download.walk.reached - download.updated_after) / whole, 1.0), 3)


def _calls_left(download: BackdatedDownload) -> int:
    return 0 if download.is_over else download.walk.calls_to(download.updated_before)


def _end_of(calls: int, bucket: Bucket, now: datetime) -> datetime:
    """What is saved up is spent at once; of what Amazon gives after that, half is kept for live downloads."""
    return now + timedelta(seconds=max(calls - bucket.tokens_at(now), 0) / (bucket.rate / 2))

"""Requests for downloads of a past window: from when they may start, and how the API shows them."""

import hashlib
import math
import secrets
from datetime import datetime, timedelta
from typing import Any

from needs_attention.download import AMAZONS_MARGIN, OLDEST, BackdatedDownload, Bucket, Walk
from needs_attention.http_api import FieldError, invalid
from needs_attention.values import instant


def check_start(field: str, updated_after: datetime, now: datetime) -> None:
    """Raises a 422 for a start from which Amazon shows nothing."""
    if updated_after >= now - AMAZONS_MARGIN:
        raise invalid(
            [FieldError(field, "tooLate", "Amazon lists what was updated until two minutes ago: go further back")]
        )
    if updated_after < now - OLDEST:
        raise invalid([FieldError(field, "tooOld", f"Amazon shows no orders of more than {OLDEST.days} days ago")])


def requested(updated_after: datetime, *, by: str, now: datetime, key: str | None = None) -> BackdatedDownload:
    """A new download of all that was updated since. Its id sorts by time, and ends with a digest of `key`."""
    suffix = key_suffix(key) if key else secrets.token_hex(6)
    return BackdatedDownload(
        download_id=f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}Z-{suffix}",
        updated_after=updated_after,
        updated_before=now - AMAZONS_MARGIN,
        walk=Walk(reached=updated_after),
        requested_by=by,
        requested_at=now,
    )


def key_suffix(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def download_view(download: BackdatedDownload, bucket: Bucket, now: datetime) -> dict[str, Any]:
    """A download as the API shows it. Estimates are null until a page has shown how dense the window is."""
    calls = _calls_left(download)
    end = _end_of(calls, bucket, now) if calls else None
    return {
        **download.model_dump(mode="json", by_alias=True, exclude={"walk", "revision"}),
        "reached": instant(download.walk.reached),
        "progress": _progress(download),
        "estimatedCallsLeft": calls,
        "estimatedEnd": instant(end) if end else None,
    }


def _progress(download: BackdatedDownload) -> float:
    """The share of the window's time that is done, between 0 and 1."""
    whole = download.updated_before - download.updated_after
    return round(min((download.walk.reached - download.updated_after) / whole, 1.0), 3)


def _calls_left(download: BackdatedDownload) -> int | None:
    if download.is_over:
        return 0
    if not download.counts.pages:
        return None
    left = max(download.updated_before - download.walk.reached, timedelta())
    return math.ceil(left / download.walk.width)


def _end_of(calls: int, bucket: Bucket, now: datetime) -> datetime:
    """What is saved up is spent at once; of what Amazon gives after that, half is kept for live downloads."""
    return now + timedelta(seconds=max(calls - bucket.tokens_at(now), 0) / (bucket.rate / 2))

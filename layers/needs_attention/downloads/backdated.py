"""A download of a past window that a person requests: its progress, its counts and its failures."""

from datetime import datetime
from typing import Literal

from needs_attention.downloads.quota import GIVEN_UP_AFTER, RETRY_AFTER
from needs_attention.downloads.walk import AMAZONS_MARGIN, Pace, Walk
from needs_attention.values.model import Value
from needs_attention.values.times import UtcTime, id_made_at


class Counts(Value):
    """The result of a download so far.

    `held`, `healed` and `partly_filled` (held, but with fewer missing fields) count the verdicts that the orders will
    get.
    """

    pages: int = 0
    orders: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    set_aside: int = 0
    held: int = 0
    healed: int = 0
    partly_filled: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(**{field: value + getattr(other, field) for field, value in self})


DownloadStatus = Literal["queued", "running", "waitingForQuota", "finished", "cancelled", "failed"]


class BackdatedDownload(Value):
    """A download of a past window that a person requested. It never moves the live cursor."""

    download_id: str
    status: DownloadStatus = "queued"
    updated_after: UtcTime
    updated_before: UtcTime
    walk: Walk
    requested_by: str
    requested_at: UtcTime
    started_at: UtcTime | None = None
    finished_at: UtcTime | None = None
    counts: Counts = Counts()
    failures: int = 0  # in a row
    failure: str | None = None  # in Amazon's words, of the last one
    retry_at: UtcTime | None = None
    revision: int = 0

    @classmethod
    def requested(
        cls, updated_after: datetime, pace: Pace, *, by: str, now: datetime, suffix: str | None = None
    ) -> "BackdatedDownload":
        """A new download of everything that was updated since. Its id sorts by time, and ends with the suffix."""
        return cls(
            download_id=id_made_at(now, suffix),
            updated_after=updated_after,
            updated_before=now - AMAZONS_MARGIN,
            walk=Walk.of_the_past(updated_after, pace),
            requested_by=by,
            requested_at=now,
        )

    def is_asked_for_again_by(self, other: "BackdatedDownload") -> bool:
        """Whether both were requested with the same suffix and the same start."""
        suffixes = {one.download_id.partition("-")[2] for one in (self, other)}
        return len(suffixes) == 1 and self.updated_after == other.updated_after

    def failed(self, failure: str, now: datetime) -> "BackdatedDownload":
        """After a search that failed: it is repeated later, and given up after the last try."""
        failures = self.failures + 1
        changes: dict[str, object] = {"failures": failures, "failure": failure, "retry_at": now + RETRY_AFTER}
        if failures >= GIVEN_UP_AFTER:
            changes |= {"status": "failed", "finished_at": now}
        return self.model_copy(update=changes)

    def waiting_for_amazon(self, failure: str, now: datetime) -> "BackdatedDownload":
        """After a search that Amazon did not answer: the download goes on afterwards, however long that lasts."""
        return self.model_copy(update={"failure": failure, "retry_at": now + RETRY_AFTER})

    @property
    def is_over(self) -> bool:
        return self.status in {"finished", "cancelled", "failed"}

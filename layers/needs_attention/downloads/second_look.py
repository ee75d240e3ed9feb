"""The second look at a window that live downloads have finished: it finds the orders that they missed.

It takes quota that would go unused. If an account has so many updates that its searches use all their quota, Amazon's
order report is compared instead. The report has a quota of its own; the orders that differ are asked for by ID.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from needs_attention.downloads.backdated import Counts
from needs_attention.downloads.live import LiveDownload
from needs_attention.downloads.quota import RETRY_AFTER
from needs_attention.downloads.walk import Walk
from needs_attention.values.model import Value
from needs_attention.values.times import UtcTime

# The second look goes back this far, this often.
RECONCILED = timedelta(days=3)
RECONCILED_EVERY = timedelta(days=1)
LONGEST = timedelta(days=30)
MOST_MISSED_SHOWN = 20
# With more updates, three days of them take more calls than live downloads leave in one day.
SHARE_TO_SPARE = 0.15
# A report takes minutes. If Amazon cannot make it now, it hardly can a few minutes later.
REPORT_FAILS_FOR = timedelta(hours=1)
REPORT_TAKES_AT_MOST = timedelta(hours=6)


class OrderReport(Value):
    """Amazon's report of the window: its ID there, and the number of rows that have been compared or were unreadable.

    `rows` counts both.
    """

    report_id: str
    requested_at: UtcTime
    rows: int = 0
    unreadable_rows: int = 0

    def is_overdue(self, now: datetime) -> bool:
        return self.requested_at + REPORT_TAKES_AT_MOST < now


class Reconciliation(Value):
    """A second look at a window: by searches, or by Amazon's order report.

    `missed` names the first orders that it found new, or newer than stored; all are stored by then.
    """

    updated_after: UtcTime
    updated_before: UtcTime
    walk: Walk
    is_by_report: bool = False
    is_instead_of_report: bool = False  # by searches, since Amazon made no usable report; however busy the account is
    report: OrderReport | None = None
    counts: Counts = Counts()
    missed: tuple[str, ...] = ()
    missed_count: int = 0
    finished_at: UtcTime | None = None
    failure: str | None = None
    retry_at: UtcTime | None = None

    @classmethod
    def next(
        cls, last: "Reconciliation | None", live: LiveDownload, since: datetime, now: datetime
    ) -> "Reconciliation | None":
        """The second look to go on with; None if there is nothing to look at now.

        If an account becomes too busy for searches, the look starts again, by report. If Amazon makes no usable report
        of an account that is quiet again, it starts again by searches.
        """
        by_report = not live.search_bucket.can_carry(live.walk.pace, SHARE_TO_SPARE)
        if last and not last.finished_at:
            if last.retry_at and now < last.retry_at:
                return None
            goes_on = last.is_instead_of_report or (last.is_by_report and not last._has_failed)
            if last.is_by_report == by_report or goes_on:
                return last._reaching(live.walk.reached)
        if last and last.finished_at and now < last.finished_at + RECONCILED_EVERY:
            return None
        end = live.walk.reached
        start = max(end - RECONCILED, since)
        if last:
            # No time lies between two looks, however long the last one took. A report holds at most a month.
            start = max(min(start, last.looked_at_until), end - LONGEST)
        if end - start < RECONCILED_EVERY:
            return None
        walk = Walk.of_the_past(start, live.walk.pace)
        is_instead = last is not None and last.finished_at is None and last._has_failed and not by_report
        return cls(
            updated_after=start,
            updated_before=end,
            walk=walk,
            is_by_report=by_report,
            is_instead_of_report=is_instead,
        )

    @property
    def looked_at_until(self) -> datetime:
        return self.updated_before if self.finished_at else self.updated_after

    @property
    def _has_failed(self) -> bool:
        """Whether Amazon made no usable report, and another has to be asked for."""
        return self.is_by_report and self.report is None and self.failure is not None

    def _reaching(self, end: datetime) -> "Reconciliation":
        """With the time since: while reports fail, the next one covers it too. A report holds at most a month."""
        if not self._has_failed:
            return self
        start = max(self.updated_after, end - LONGEST)
        return self.model_copy(update={"updated_after": start, "updated_before": max(self.updated_before, end)})

    def asking_for(self, report: OrderReport) -> "Reconciliation":
        """Once Amazon is asked for the report: it is counted from its beginning."""
        cleared = {"counts": Counts(), "missed": (), "missed_count": 0}
        return self.model_copy(update={"report": report, "retry_at": None, "failure": None, **cleared})

    def found(self, missed: Sequence[str]) -> "Reconciliation":
        shown = (*self.missed, *missed)[:MOST_MISSED_SHOWN]
        return self.model_copy(update={"missed": shown, "missed_count": self.missed_count + len(missed)})

    def failed(self, failure: str, now: datetime) -> "Reconciliation":
        """After a call that failed: it is repeated later."""
        return self.model_copy(update={"failure": failure, "retry_at": now + RETRY_AFTER})

    def without_report(self, failure: str, now: datetime) -> "Reconciliation":
        """After Amazon could not make the report: another one is requested later."""
        return self.model_copy(update={"failure": failure, "retry_at": now + REPORT_FAILS_FOR, "report": None})

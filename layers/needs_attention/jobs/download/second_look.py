"""The second look of a run: whether live downloads brought all orders, by searches or by Amazon's order report."""

from collections.abc import Callable
from datetime import datetime

from aws_lambda_powertools import Logger

from needs_attention.amazon.accounts import CredentialsUnreadable
from needs_attention.downloads.second_look import Reconciliation
from needs_attention.jobs.download.calls import NO_ANSWER, THIS_SEARCH_FAILS, Calls, StoredPage
from needs_attention.jobs.download.report_comparison import ReportComparison
from needs_attention.jobs.download.run_state import RunState
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.orders import OrderStore

logger = Logger(child=True)


class SecondLookRunner:
    """Goes on with the second look at the integration's orders; it takes only quota that would go unused."""

    def __init__(
        self,
        state: RunState,
        calls: Calls,
        downloads: DownloadStateStore,
        orders: OrderStore,
        now: Callable[[], datetime],
    ) -> None:
        self._state = state
        self._calls = calls
        self._downloads = downloads
        self._orders = orders
        self._now = now

    def search(self, now: datetime) -> bool:
        """Asks for a page, if the bucket would overflow; False if none is wanted, or may be asked for now."""
        state = self._state
        if not state.live.search_bucket.is_brimming(now):
            return False
        current = self._current(now)
        if current is None or current.is_by_report:
            return False
        part = current.walk.next_slice(current.updated_before)
        if part is None or not state.takes_token("search_bucket", now):
            return False
        reconciliation = current

        def save(**changes: object) -> None:
            nonlocal reconciliation
            reconciliation = reconciliation.model_copy(update=changes)
            state.keep_reconciliation(reconciliation)

        try:
            stored = self._calls.page(current.walk, part, cause="reconciliation", keep=lambda walk: save(walk=walk))
        except (*THIS_SEARCH_FAILS, *NO_ANSWER) as error:
            logger.warning("reconciliation failed", integration=state.integration_id, reason=str(error))
            state.keep_reconciliation(reconciliation.failed(str(error), now))
            return True
        reconciliation = reconciliation.found(self._missed(stored, reconciliation.updated_before))
        is_finished = stored.walk.next_slice(reconciliation.updated_before) is None
        save(
            walk=stored.walk,
            counts=reconciliation.counts + stored.counts,
            finished_at=now if is_finished else None,
            failure=None,
            retry_at=None,
        )
        state.works(now)
        return True

    def compare_report(self, until: datetime) -> None:
        """Goes on with the report for an account that is too busy for a second look by searches."""
        now = self._now()
        if self._state.is_blocked(now):
            return
        current = self._current(now)
        if current and current.is_by_report:
            try:
                amazon = self._calls.amazon
            except CredentialsUnreadable as error:
                self._state.fails(error, now)
                return
            comparison = ReportComparison(self._downloads, self._orders, amazon, self._state.integration, self._now)
            comparison.go_on(current, until)

    def goes_on_at(self, now: datetime) -> datetime | None:
        """When it may go on; None if there is nothing to look at."""
        current = self._current(now)
        if current is None:
            return None
        return now if current.is_by_report else self._state.live.search_bucket.brimming_at(now)

    def _current(self, now: datetime) -> Reconciliation | None:
        state = self._state
        return Reconciliation.next(state.reconciliation, state.live, state.integration.registered_at, now)

    def _missed(self, stored: StoredPage, updated_before: datetime) -> list[str]:
        """The IDs of the orders on the page that live downloads should have brought."""
        missed = [
            one.after.order_id for one in stored.written if one.was_missed and one.amazon.updated_at <= updated_before
        ]
        if missed:
            logger.error("live downloads missed orders", integration=self._state.integration_id, orders=len(missed))
        return missed

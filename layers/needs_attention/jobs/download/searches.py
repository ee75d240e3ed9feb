"""The searches of a run: the live download, slices to walk again, backdated downloads, and whose turn it is."""

from collections.abc import Callable, Container
from datetime import datetime, timedelta

from aws_lambda_powertools import Logger

from needs_attention.downloads.backdated import BackdatedDownload
from needs_attention.downloads.live import SPENDERS, Spender
from needs_attention.downloads.proofs import Again
from needs_attention.downloads.quota import RETRY_AFTER
from needs_attention.downloads.walk import AMAZONS_MARGIN, FEW_PAGES, Walk
from needs_attention.jobs.download.calls import NO_ANSWER, THIS_SEARCH_FAILS, Calls
from needs_attention.jobs.download.run_state import RunState
from needs_attention.jobs.download.second_look import SecondLookRunner
from needs_attention.tables.downloads import DownloadStateStore

BACKDATED_LIVE_INTERVAL = timedelta(minutes=10)

logger = Logger(child=True)


class Searches:
    """Makes one search at a time. Those that want calls at the same time take turns, so that none starves."""

    def __init__(
        self,
        state: RunState,
        calls: Calls,
        downloads: DownloadStateStore,
        second_look: SecondLookRunner,
        now: Callable[[], datetime],
    ) -> None:
        self._state = state
        self._calls = calls
        self._downloads = downloads
        self._second_look = second_look
        self._now = now
        self._id = state.integration_id
        self._is_any_backdated = False  # as far as the run has looked

    def make_next(self, now: datetime) -> bool:
        """Asks for the next page of the search whose turn it is; False if none is wanted, or may be made now."""
        state = self._state
        waiting, again = self._waiting_backdated(), state.proofs.next_again(now)
        every = self._live_every
        turns: dict[Spender, Callable[[], bool]] = {}
        if state.live.is_due(now, max(every, BACKDATED_LIVE_INTERVAL) if waiting else every):
            turns["live"] = lambda: self._live_page(now)
        if again is not None and again.is_urgent:
            turns["again"] = lambda: self._page_again(again, now)
        if waiting is not None:
            turns["backdated"] = lambda: self._backdated_page(waiting, now)
        if turns:
            has_searched = turns[self._whose_turn(turns, waiting, again)]()
            if not has_searched and waiting is not None and waiting.status != "waitingForQuota":
                later = waiting.model_copy(update={"status": "waitingForQuota"})
                self._downloads.save_backdated_download(self._id, later)
            return has_searched
        if again is not None and (again.walk.slice or state.live.search_bucket.is_half_full(now)):
            return self._page_again(again, now)
        return self._second_look.search(now)

    def go_on_at(self, now: datetime) -> datetime:
        """When the next search is wanted and may be made, at the latest at the next live download."""
        state, bucket = self._state, self._state.live.search_bucket
        is_any_urgent = any(again.is_urgent for again in state.proofs.again)
        next_live = state.live.due_at(now, self._live_every)
        if self._is_any_backdated or is_any_urgent or next_live == now:
            return bucket.next_token_at(now)
        second_look = self._second_look.goes_on_at(now)
        return min(next_live, second_look or next_live, bucket.half_full_at(now) if state.proofs.again else next_live)

    @property
    def _live_every(self) -> timedelta:
        return timedelta(minutes=self._state.integration.settings.live_download_every_minutes)

    def _whose_turn(self, turns: Container[Spender], waiting: BackdatedDownload | None, again: Again | None) -> Spender:
        """The one after the last, unless the last is within a slice of a few pages.

        That one may be waiting for enough tokens to walk its slice at once: nobody else takes them meanwhile.
        """
        last = self._state.live.last_search
        walks = {"live": self._state.live.walk, "again": again and again.walk, "backdated": waiting and waiting.walk}
        walk = walks.get(last or "")
        if last is not None and last in turns and walk and walk.slice and walk.slice.pages < FEW_PAGES:
            return last
        start = SPENDERS.index(last) + 1 if last else 0
        return next(one for one in (*SPENDERS[start:], *SPENDERS) if one in turns)

    def _waiting_backdated(self) -> BackdatedDownload | None:
        left = [one for one in self._downloads.backdated_downloads(self._id) if not one.is_over]
        self._is_any_backdated = bool(left)
        now = self._now()
        return next((one for one in left if not (one.retry_at and now < one.retry_at)), None)

    def _live_page(self, now: datetime) -> bool:
        state = self._state
        until = now - AMAZONS_MARGIN
        share = 0.5 if self._waiting_backdated() else 1.0
        may_have_pages = not state.live.search_bucket.can_carry(state.live.walk.pace, share)
        part = state.live.walk.next_slice(until, may_have_pages=may_have_pages, is_listed_late=True)
        if part is None:
            state.keep(last_run_at=now)
            return True
        if not state.takes_search_token("live", now, state.live.walk, part):
            state.live_waits_for_quota = True
            return False
        try:
            stored = self._calls.page(state.live.walk, part, cause="download", keep=lambda walk: state.keep(walk=walk))
        except THIS_SEARCH_FAILS as error:
            state.health.fails(error, now)
            state.keep(retry_at=now + RETRY_AFTER)
            return True
        # Amazon may answer with an earlier bound than was sent: the rest comes with the next run, not at once.
        is_through = stored.ends_slice and part.before >= until.replace(microsecond=0)
        state.health.live_search_works(now)
        state.works(now, walk=stored.walk, last_run_at=now if is_through else None, retry_at=None)
        state.keep_proofs(state.proofs.watched(stored.walk.reached))
        return True

    def _page_again(self, again: Again, now: datetime) -> bool:
        """A page of a part of a window in which an order may have slipped between two pages."""
        state, walk = self._state, again.walk

        def save(later: Walk) -> None:
            nonlocal walk
            state.keep_proofs(state.proofs.with_walk(walk, later))
            walk = later

        part = walk.next_slice(again.before)
        if part is None:
            save(walk)
            return True
        if not state.takes_search_token("again", now, walk, part):
            state.live_waits_for_quota = again.is_urgent
            return False
        try:
            stored = self._calls.page(walk, part, cause="download", keep=save)
        except (*THIS_SEARCH_FAILS, *NO_ANSWER) as error:
            logger.warning("slice cannot be walked again now", integration=self._id, reason=str(error))
            is_at_fault = isinstance(error, THIS_SEARCH_FAILS)
            state.keep_proofs(state.proofs.postponed(walk, now, is_at_fault=is_at_fault))
            return True
        save(stored.walk)
        state.works(now)
        return True

    def _backdated_page(self, download: BackdatedDownload, now: datetime) -> bool:
        state, current = self._state, download

        def save(**changes: object) -> None:
            nonlocal current
            later = current.model_copy(update=changes)
            current = self._downloads.save_backdated_download(self._id, later)

        # Two nearly full pages bring more for a call, but take two turns or three: so only if live downloads need few.
        may_have_pages = state.live.search_bucket.can_carry(state.live.walk.pace, 0.25)
        part = download.walk.next_slice(download.updated_before, may_have_pages=may_have_pages)
        if part is None:
            save(status="finished", finished_at=now)
            return True
        if not state.takes_search_token("backdated", now, download.walk, part):
            return False
        try:
            stored = self._calls.page(download.walk, part, cause="backdatedDownload", keep=lambda walk: save(walk=walk))
        except THIS_SEARCH_FAILS as error:
            logger.warning("backdated download failed", integration=self._id, reason=str(error))
            self._downloads.save_backdated_download(self._id, current.failed(str(error), now))
            return True
        except NO_ANSWER as error:
            logger.warning("backdated download waits", integration=self._id, reason=str(error))
            self._downloads.save_backdated_download(self._id, current.waiting_for_amazon(str(error), now))
            return True
        is_finished = stored.walk.next_slice(download.updated_before) is None
        save(
            status="finished" if is_finished else "running",
            walk=stored.walk,
            counts=download.counts + stored.counts,
            started_at=download.started_at or now,
            finished_at=now if is_finished else None,
            failures=0,
            failure=None,
            retry_at=None,
        )
        state.works(now)
        return True

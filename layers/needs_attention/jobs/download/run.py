"""Runs an integration's downloads: the most urgent thing now, within a bounded time, never waiting for quota.

A wake-up says nothing but "wake up": all work lives in the integrations table and in the orders' index of what is due.
A page's orders are written before the checkpoint that moves past them, so a run that dies at any point repeats a page
and loses none. The queue gives an integration to one run at a time, so nobody else spends its quota.
"""

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Literal, NamedTuple

from aws_lambda_powertools import Logger

from needs_attention.amazon.accounts import CredentialsUnreadable
from needs_attention.amazon.client import SellingPartnerApi
from needs_attention.amazon.errors import (
    AccessDenied,
    AmazonUnavailable,
    OrderNotFound,
    PageTokenRejected,
    QuotaExceeded,
    RequestRejected,
    SpApiError,
    UnreadableAnswer,
)
from needs_attention.amazon.notifications import subscribe, unsubscribe
from needs_attention.aws import ChangedMeanwhile
from needs_attention.downloads.backdated import BackdatedDownload, Counts
from needs_attention.downloads.live import SPENDERS, OverdueVerdicts, Spender, Subscription
from needs_attention.downloads.proofs import Again, Proofs, Unproven
from needs_attention.downloads.quota import RETRY_AFTER, Bucket
from needs_attention.downloads.second_look import Reconciliation
from needs_attention.downloads.walk import AMAZONS_MARGIN, FEW_PAGES, Slice, Walk
from needs_attention.integrations.incidents import OF_DOWNLOADS
from needs_attention.integrations.integration import Integration
from needs_attention.integrations.standing import IntegrationState
from needs_attention.jobs.download.by_id import Redownloads
from needs_attention.jobs.download.connection import Connection
from needs_attention.jobs.download.intake import Intake, Taken, Written
from needs_attention.jobs.download.report_comparison import ReportComparison
from needs_attention.jobs.due_orders import go_on_rejudging, settle_what_is_due
from needs_attention.orders.order import Order
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.orders import OrderStore

BACKDATED_LIVE_INTERVAL = timedelta(minutes=10)
NO_QUEUE = "This stack has no queue for notifications: deploy it with OrderChangeNotifications=true."

# What is wrong with one search need not be wrong with others.
THIS_SEARCH_FAILS = (RequestRejected, UnreadableAnswer)
# Whether nothing works, or this alone, the next live search tells.
NO_ANSWER = (AccessDenied, AmazonUnavailable)

logger = Logger(child=True)


@dataclass(frozen=True)
class Downloader:
    """What a run needs: the two stores, Amazon for an integration, the clock, and a way to wake the next run.

    `order_change_queue` is the ARN of the queue for `ORDER_CHANGE` notifications; blank if there is none.
    """

    downloads: DownloadStateStore
    orders: OrderStore
    amazon_for: Callable[[Integration], SellingPartnerApi]
    now: Callable[[], datetime]
    wake_up: Callable[[str], None]
    order_change_queue: str = ""

    def run(self, integration_id: str, until: datetime) -> "Seen | None":
        """Does what is due for the integration, most urgent first, until nothing is left or the time is up.

        What the clock owes single orders is done for a paused and a deleted integration too. Answers with what it has
        seen of the connection; None if it did not use it.
        """
        state = self.downloads.state(integration_id)
        if state is None:
            logger.warning("no such integration", integration=integration_id)
            return None
        integration = state.integration
        settled = settle_what_is_due(self.orders, integration, self.now, until)
        if settled.overdue_verdicts:
            state = self._with_overdue_verdicts(state, settled.overdue_verdicts)
        if state.is_rejudging and go_on_rejudging(self.orders, self.downloads, integration, self.now, until):
            self.wake_up(integration_id)
        if integration.deleted_at:
            self._close_incidents(state)
            return None
        run = _Run(self, state, settled.to_ask_for)
        if integration.is_paused:
            self._close_incidents(state)
            run.arrange_notifications(self.order_change_queue)
            return None
        is_unfinished = False
        while not is_unfinished and run.step():
            is_unfinished = self.now() >= until
        run.compare_report(until)
        run.arrange_notifications(self.order_change_queue)
        seen = run.look_back()
        if seen.leaves_work or is_unfinished:
            self.wake_up(integration_id)
        return seen

    def _close_incidents(self, state: IntegrationState) -> None:
        """Those that say nothing while nothing is downloaded."""
        if state.incidents != (left := state.incidents.closed(*OF_DOWNLOADS)):
            self.downloads.save_incidents(state.integration.integration_id, left)

    def _with_overdue_verdicts(self, state: IntegrationState, orders: int) -> IntegrationState:
        """Kept where people see it: an order whose verdict never comes is held up, but by nothing that it lacks."""
        integration_id = state.integration.integration_id
        logger.warning("verdicts overdue", integration=integration_id, orders=orders)
        overdue = OverdueVerdicts(orders=orders, found_at=self.now())
        live = state.live.model_copy(update={"overdue_verdicts": overdue})
        self.downloads.save_live_download(integration_id, live)
        return state._replace(live=live)


class Seen(NamedTuple):
    """What a run saw: how many incidents are open, how far live downloads are behind, whether there is more to do.

    `search_calls_left` is what is left of Amazon's quota for searches. `credentials_last` is how long the credentials
    are still good; None if nobody said since when they are.
    """

    open_incidents: int
    cursor_lag: timedelta
    search_calls_left: int
    leaves_work: bool
    credentials_last: timedelta | None


class _Stored(NamedTuple):
    """What a page brought: the walk after it, what was counted and written, and whether its slice is done."""

    walk: Walk
    counts: Counts
    written: tuple[Written, ...]
    ends_slice: bool


class _Run:
    """One run over one integration: what it has read of how the downloads stand, and what it may still spend."""

    def __init__(self, downloader: Downloader, state: IntegrationState, to_ask_for: Iterable[Order]) -> None:
        self._downloads = downloader.downloads
        self._orders = downloader.orders
        self._intake = Intake(downloader.orders, downloader.downloads)
        self._now = downloader.now
        self._integration = state.integration
        self._id = state.integration.integration_id
        self._live = self._stored_live = state.live
        self._downloader = downloader
        self._connection = Connection(downloader.downloads, downloader.orders, state.integration, state.incidents)
        self._redownloads = Redownloads(
            orders=self._orders,
            downloads=self._downloads,
            connection=self._connection,
            integration_id=self._id,
            due=to_ask_for,
            reached=lambda: self._live.walk.reached,
            now=self._now,
        )
        self._proofs = state.proofs
        self._reconciliation = state.reconciliation
        self._spent_from: Literal["search_bucket", "get_bucket"] = "search_bucket"
        self._live_waits_for_quota = False

    @cached_property
    def _amazon(self) -> SellingPartnerApi:
        """Not before it is needed: a paused integration may be without credentials."""
        return self._downloader.amazon_for(self._integration)

    def arrange_notifications(self, queue_arn: str) -> None:
        """Subscribes to `ORDER_CHANGE`, or ends that, as the settings want it; what fails is tried again in an hour."""
        now, known = self._now(), self._live.subscription
        is_wanted = self._integration.settings.order_change_notifications
        if known.is_in_order(now, is_wanted=is_wanted):
            return
        try:
            if not is_wanted:
                self._unsubscribe(known.subscription_id)
                self._keep(subscription=Subscription())
            elif queue_arn:
                subscription_id = subscribe(self._amazon, queue_arn)
                self._downloads.save_subscription(subscription_id, self._id)
                if known.subscription_id not in {None, subscription_id}:
                    self._downloads.forget_subscription(str(known.subscription_id), self._id)
                self._keep(subscription=Subscription(subscription_id=subscription_id, confirmed_at=now))
            else:
                self._keep(subscription=known.failed(NO_QUEUE, now))
        except SpApiError as error:
            logger.warning("notifications cannot be arranged", integration=self._id, reason=str(error))
            self._keep(subscription=known.failed(str(error), now))

    def _unsubscribe(self, subscription_id: str | None) -> None:
        """Another integration of the same seller may still want it."""
        if subscription_id is not None:
            self._downloads.forget_subscription(subscription_id, self._id)
            if not self._downloads.subscribers(subscription_id):
                unsubscribe(self._amazon, subscription_id)

    def step(self) -> bool:
        """Makes the most urgent search and asks for one order by ID; False if neither is wanted, or may be made now.

        Each has a quota of its own, so what has none left does not hold up what has.
        """
        now = self._now()
        if self._live.blocked_until and now < self._live.blocked_until:
            return False
        try:
            has_searched = self._search(now)
            return self._redownload(now) or has_searched
        except QuotaExceeded as error:
            logger.warning("quota exceeded", integration=self._id, request_id=error.request_id)
            bucket = getattr(self._live, self._spent_from)
            self._keep(**{self._spent_from: bucket.answered(now, error.rate_limit).emptied(now)})
            self._live_waits_for_quota = self._spent_from == "search_bucket"
        except ChangedMeanwhile:
            # Somebody cancelled the download while its page was on the way: what it brought is kept.
            return True
        except SpApiError as error:
            self._fails(error, now)
        return False

    def look_back(self) -> Seen:
        """What the run has seen of the connection, once it has done what it could."""
        now = self._now()
        reached = self._live.walk.reached
        leaves_work = self._connection.look_back(reached, now, is_out_of_quota=self._live_waits_for_quota)
        credentials_last = next((one.at - now for one in self._integration.expiries(now)), None)
        lag = now - AMAZONS_MARGIN - reached
        calls_left = int(self._live.search_bucket.tokens_at(now))
        return Seen(self._connection.open_incidents, lag, calls_left, leaves_work, credentials_last)

    # Searches

    def _search(self, now: datetime) -> bool:
        """The next page of what wants one; those who want calls at the same time take turns, so that none starves."""
        waiting, again = self._waiting_backdated(), self._proofs.next_again(now)
        every = timedelta(minutes=self._integration.settings.live_download_every_minutes)
        turns: dict[Spender, Callable[[], bool]] = {}
        if self._live.is_due(now, max(every, BACKDATED_LIVE_INTERVAL) if waiting else every):
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
        if again is not None and (again.walk.slice or self._live.search_bucket.is_half_full(now)):
            return self._page_again(again, now)
        return self._reconcile(now)

    def _whose_turn(self, turns: Container[Spender], waiting: BackdatedDownload | None, again: Again | None) -> Spender:
        """The next one after the last, unless that one is within a slice of a few pages.

        It may be waiting for enough tokens to walk its slice at once: nobody else takes them meanwhile.
        """
        last = self._live.last_search
        walks = {"live": self._live.walk, "again": again and again.walk, "backdated": waiting and waiting.walk}
        walk = walks.get(last or "")
        if last is not None and last in turns and walk and walk.slice and walk.slice.pages < FEW_PAGES:
            return last
        start = SPENDERS.index(last) + 1 if last else 0
        return next(one for one in (*SPENDERS[start:], *SPENDERS) if one in turns)

    def _waiting_backdated(self) -> BackdatedDownload | None:
        downloads = self._downloads.backdated_downloads(self._id)
        now = self._now()
        return next((one for one in downloads if not one.is_over and not (one.retry_at and now < one.retry_at)), None)

    def _live_page(self, now: datetime) -> bool:
        until = now - AMAZONS_MARGIN
        share = 0.5 if self._waiting_backdated() else 1.0
        may_have_pages = not self._live.search_bucket.can_carry(self._live.walk.pace, share)
        part = self._live.walk.next_slice(until, may_have_pages=may_have_pages)
        if part is None:
            self._keep(last_run_at=now)
            return True
        if not self._takes_a_search_token("live", now, self._live.walk, part):
            self._live_waits_for_quota = True
            return False
        try:
            stored = self._page(self._live.walk, part, cause="download", keep=lambda walk: self._keep(walk=walk))
        except THIS_SEARCH_FAILS as error:
            self._connection.fails(error, now)
            self._keep(retry_at=now + RETRY_AFTER)
            return True
        # Amazon may answer an earlier bound than was sent: the rest comes with the next run, not at once.
        is_through = stored.ends_slice and part.before >= until.replace(microsecond=0)
        self._connection.live_search_works()
        self._works(now, walk=stored.walk, last_run_at=now if is_through else None, retry_at=None)
        self._keep_proofs(self._proofs.watched(stored.walk.reached))
        return True

    def _page_again(self, again: Again, now: datetime) -> bool:
        """A page of a part of a window in which something may have slipped between two pages."""
        walk = again.walk

        def save(later: Walk) -> None:
            nonlocal walk
            self._keep_proofs(self._proofs.with_walk(walk, later))
            walk = later

        part = walk.next_slice(again.before)
        if part is None:
            save(walk)
            return True
        if not self._takes_a_search_token("again", now, walk, part):
            self._live_waits_for_quota = again.is_urgent
            return False
        try:
            stored = self._page(walk, part, cause="download", keep=save)
        except (*THIS_SEARCH_FAILS, *NO_ANSWER) as error:
            logger.warning("slice cannot be walked again now", integration=self._id, reason=str(error))
            is_at_fault = isinstance(error, THIS_SEARCH_FAILS)
            self._keep_proofs(self._proofs.postponed(walk, now, is_at_fault=is_at_fault))
            return True
        save(stored.walk)
        self._works(now)
        return True

    def _backdated_page(self, download: BackdatedDownload, now: datetime) -> bool:
        current = download

        def save(**changes: object) -> None:
            nonlocal current
            later = current.model_copy(update=changes)
            current = self._downloads.save_backdated_download(self._id, later)

        # Two nearly full pages bring more for a call, but take two turns or three: so only if live downloads need few.
        may_have_pages = self._live.search_bucket.can_carry(self._live.walk.pace, 0.25)
        part = download.walk.next_slice(download.updated_before, may_have_pages=may_have_pages)
        if part is None:
            save(status="finished", finished_at=now)
            return True
        if not self._takes_a_search_token("backdated", now, download.walk, part):
            return False
        try:
            stored = self._page(download.walk, part, cause="backdatedDownload", keep=lambda walk: save(walk=walk))
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
        self._works(now)
        return True

    def _reconcile(self, now: datetime) -> bool:
        """A page of the second look, when nothing else wants the quota and the bucket would overflow."""
        if not self._live.search_bucket.is_brimming(now):
            return False
        current = Reconciliation.next(self._reconciliation, self._live, self._integration.registered_at, now)
        if current is None or current.is_by_report:
            return False
        part = current.walk.next_slice(current.updated_before)
        if part is None or not self._takes_a_token("search_bucket", now):
            return False
        reconciliation = current

        def save(**changes: object) -> None:
            nonlocal reconciliation
            reconciliation = reconciliation.model_copy(update=changes)
            self._keep_reconciliation(reconciliation)

        try:
            stored = self._page(reconciliation.walk, part, cause="reconciliation", keep=lambda walk: save(walk=walk))
        except (*THIS_SEARCH_FAILS, *NO_ANSWER) as error:
            logger.warning("reconciliation failed", integration=self._id, reason=str(error))
            self._keep_reconciliation(reconciliation.failed(str(error), now))
            return True
        missed = [
            one.after.order_id
            for one in stored.written
            if one.was_missed and one.amazon.updated_at <= reconciliation.updated_before
        ]
        if missed:
            logger.error("live downloads missed orders", integration=self._id, orders=len(missed))
        reconciliation = reconciliation.found(missed)
        is_finished = stored.walk.next_slice(reconciliation.updated_before) is None
        save(
            walk=stored.walk,
            counts=reconciliation.counts + stored.counts,
            finished_at=now if is_finished else None,
            failure=None,
            retry_at=None,
        )
        self._works(now)
        return True

    def compare_report(self, until: datetime) -> None:
        """Goes on with the second look at an account that is too busy for one by searches."""
        now = self._now()
        if self._live.blocked_until and now < self._live.blocked_until:
            return
        current = Reconciliation.next(self._reconciliation, self._live, self._integration.registered_at, now)
        if current and current.is_by_report:
            try:
                amazon = self._amazon
            except CredentialsUnreadable as error:
                self._fails(error, now)
                return
            ReportComparison(self._downloads, self._orders, amazon, self._integration, self._now).go_on(current, until)

    def _page(self, walk: Walk, part: Slice, *, cause: str, keep: Callable[[Walk], None]) -> _Stored:
        """Asks for the next page of the walk's slice and stores it; the walk comes back only when that is done."""
        try:
            page = self._amazon.search_orders(
                marketplace_ids=self._integration.marketplace_ids,
                updated_after=part.after,
                updated_before=part.before,
                pagination_token=part.page_token,
            )
        except PageTokenRejected:
            keep(walk.restarted())
            if walk.was_restarted:
                raise  # a token that is only too old is rejected once
            return _Stored(walk.restarted(), Counts(), (), ends_slice=False)
        except RequestRejected:
            keep(walk.begun(part))
            raise
        order_ids = tuple(str(raw.get("orderId")) for raw in page.orders if isinstance(raw, dict))
        if part.repeats(order_ids):
            keep(walk.restarted())
            raise UnreadableAnswer(f"page {part.pages + 1} repeats the page before it", request_id=page.request_id)
        self._note(search_bucket=self._live.search_bucket.answered(self._now(), page.rate_limit))
        taken = self._take(page.orders, cause=cause, request_id=page.request_id)
        counted = taken.counts.model_dump(exclude={"pages"})
        logger.info("page stored", integration=self._id, cause=cause, request_id=page.request_id, **counted)
        now = self._now()
        proofs = self._proofs.with_versions(taken.versions)
        # What could not be cut has a second's updates on several pages: walking it again would be no safer.
        if part.may_have_pages and page.next_token is None and (walked := Unproven.left_by(part, order_ids, now)):
            proofs = proofs.with_walked(walked)
        self._keep_proofs(proofs)
        after = walk.after_page(part, order_ids, page.next_token, page.last_updated_before, now)
        return _Stored(after, taken.counts + Counts(pages=1), taken.written, ends_slice=page.next_token is None)

    # By ID

    def _redownload(self, now: datetime) -> bool:
        """Asks for one order by ID; one that Amazon cannot answer waits for its next turn."""
        wanted = self._redownloads.next() if self._live.get_bucket.tokens_at(now) >= 1 else None
        if wanted is None or not self._takes_a_token("get_bucket", now):
            return False
        self._redownloads.begin(wanted)
        try:
            answer = self._amazon.get_order(wanted.order_id)
        except OrderNotFound:
            wanted.unknown()
            return True
        except AmazonUnavailable as error:
            logger.warning("redownloads wait", integration=self._id, reason=str(error))
            wanted.unanswered()
            self._redownloads.stop()
            return True
        except (AccessDenied, RequestRejected, UnreadableAnswer) as error:
            logger.warning("redownload failed", integration=self._id, order_id=wanted.order_id, reason=str(error))
            wanted.failed()
            return True
        self._note(get_bucket=self._live.get_bucket.answered(self._now(), answer.rate_limit))
        wanted.answered(self._take([answer.order], cause=wanted.cause, request_id=answer.request_id))
        self._works(now)
        return True

    # How it stands

    def _take(self, raw_orders: Iterable[object], *, cause: str, request_id: str | None) -> Taken:
        taken = self._intake.take(self._integration, raw_orders, cause=cause, request_id=request_id, now=self._now())
        self._connection.has_brought(taken.written, self._now())
        return taken

    def _fails(self, error: SpApiError, now: datetime) -> None:
        """Nothing works: it is an incident, and Amazon is left alone for a while."""
        self._connection.fails(error, now)
        self._keep(blocked_until=now + RETRY_AFTER)

    def _works(self, now: datetime, **also: object) -> None:
        """Amazon answered a call: whatever kept it from doing so is over."""
        self._connection.works()
        self._keep(blocked_until=None, last_success_at=now, **also)

    def _takes_a_search_token(self, spender: Spender, now: datetime, walk: Walk, part: Slice) -> bool:
        """A slice is begun when there are tokens for all of its pages: the longer it takes, the more orders change."""
        wanted = min(walk.pages_expected(part), FEW_PAGES)
        if part.pages == 0 and self._live.search_bucket.tokens_at(now) < wanted:
            return False
        return self._takes_a_token("search_bucket", now, last_search=spender)

    def _keep_proofs(self, proofs: Proofs) -> None:
        if proofs != self._proofs:
            self._downloads.save_proofs(self._id, proofs)
            self._proofs = proofs

    def _keep_reconciliation(self, reconciliation: Reconciliation) -> None:
        self._downloads.save_reconciliation(self._id, reconciliation)
        self._reconciliation = reconciliation

    def _takes_a_token(self, name: Literal["search_bucket", "get_bucket"], now: datetime, **also: Any) -> bool:
        """Takes a token from the bucket, and keeps that before the call is made: a crash loses a token, no more."""
        bucket: Bucket | None = getattr(self._live, name).take(now)
        self._spent_from = name
        if bucket is not None:
            self._keep(**{name: bucket}, **also)
        return bucket is not None

    def _keep(self, **changes: object) -> None:
        self._note(**changes)
        if self._live != self._stored_live:
            self._downloads.save_live_download(self._id, self._live)
            self._stored_live = self._live

    def _note(self, **changes: object) -> None:
        """For what Amazon says of the quota: kept with what is kept next, and said again if that never comes."""
        self._live = self._live.model_copy(update=changes)

"""Runs an integration's downloads: the most urgent call now, within a bounded time, never waiting for quota.

A wake-up says nothing but "wake up": all work is in the integrations table and in the orders' index of due orders. The
orders of a page are written before the checkpoint that moves past them, so a run that dies at any point repeats a page
and loses none. The queue gives an integration to one run at a time, so nobody else spends its quota.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from aws_lambda_powertools import Logger

from needs_attention.amazon.client import SellingPartnerApi
from needs_attention.amazon.errors import QuotaExceeded, SpApiError
from needs_attention.amazon.notifications import subscribe, unsubscribe
from needs_attention.aws import ChangedMeanwhile
from needs_attention.downloads.live import TICK, OverdueVerdicts, Subscription
from needs_attention.downloads.next_wake_up import LOOKED_AT_EVERY, LOOKED_AT_EVERY_WHILE_DOWNLOADING, NextWakeUp
from needs_attention.downloads.walk import AMAZONS_MARGIN
from needs_attention.integrations.held_counter import HeldCounter
from needs_attention.integrations.integration import Integration
from needs_attention.integrations.standing import IntegrationState
from needs_attention.jobs.download.by_id import Redownloads
from needs_attention.jobs.download.calls import Calls
from needs_attention.jobs.download.connection import ConnectionHealth
from needs_attention.jobs.download.intake import Intake
from needs_attention.jobs.download.run_state import RunState
from needs_attention.jobs.download.searches import Searches
from needs_attention.jobs.download.second_look import SecondLookRunner
from needs_attention.jobs.due_orders import Settled, go_on_rejudging, settle_what_is_due
from needs_attention.jobs.event_bus import EventBus
from needs_attention.jobs.merging import go_on_merging
from needs_attention.orders.order import Order
from needs_attention.orders.settings import NEEDS_ATTENTION
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.order_items import VERDICT_OVERDUE
from needs_attention.tables.orders import OrderStore
from needs_attention.tables.wake_ups import WakeUpStore

NO_QUEUE = "This stack has no queue for notifications: deploy it with OrderChangeNotifications=true."

logger = Logger(child=True)


class _End(NamedTuple):
    """How a run ended: what it found about the connection, if it used it, and when the downloads go on.

    Orders that were due before `waits_since` wait for Amazon until then; None if none has to.
    """

    findings: "RunFindings | None"
    goes_on_at: datetime
    waits_since: datetime | None


def _waiting(findings: "RunFindings | None", goes_on_at: datetime, settled: Settled) -> _End:
    """The end of a run that may not ask Amazon: orders that wait for it are no reason to run again."""
    at = min(goes_on_at, settled.owed_at) if settled.owed_at and settled.all_before else goes_on_at
    return _End(findings, at, settled.all_before)


class RunFindings(NamedTuple):
    """What a run found: how many incidents are open, how far live downloads are behind, whether work is left.

    `search_calls_left` is the rest of Amazon's quota for searches. `credentials_last` says for how long the credentials
    are still good; None if nobody said since when they are.
    """

    open_incidents: int
    cursor_lag: timedelta
    search_calls_left: int
    leaves_work: bool
    credentials_last: timedelta | None


@dataclass(frozen=True)
class Downloader:
    """What a run needs: the stores, Amazon for an integration, the clock, the bus, and a way to wake the next run.

    `order_change_queue` is the ARN of the queue for `ORDER_CHANGE` notifications; blank if there is none.
    """

    downloads: DownloadStateStore
    orders: OrderStore
    wake_ups: WakeUpStore
    amazon_for: Callable[[Integration], SellingPartnerApi]
    now: Callable[[], datetime]
    wake_up: Callable[[str], None]
    event_bus: EventBus
    order_change_queue: str = ""

    def run(self, integration_id: str, until: datetime) -> RunFindings | None:
        """Does what is due for the integration, most urgent first, until nothing is left or the time is up.

        It settles due orders for a paused and a deleted integration too. Answers with what it found about the
        connection; None if it did not use it.
        """
        state = self.downloads.state(integration_id)
        if state is None:
            logger.warning("no such integration", integration=integration_id)
            return None
        health = ConnectionHealth(self.downloads, self.orders, state.integration, state.incidents)
        end = self._run(state, health, until)
        health.tell(self.event_bus)
        self._count_held(state)
        now = self.now()
        at = self._next_due(integration_id, end, now) if health.is_all_told else now
        self.wake_ups.save(NextWakeUp(integration=integration_id, at=at, ran_at=now))
        return end.findings

    def _count_held(self, state: IntegrationState) -> None:
        """Counts the held orders if the last count is an hour old. A removed integration has no counter."""
        integration_id, counter, now = state.integration.integration_id, state.held_counter, self.now()
        if state.integration.deleted_at:
            if counter:
                self.downloads.forget_held_counter(integration_id)
        elif counter is None or counter.is_due(now):
            held = self.orders.count_in_stage(integration_id, NEEDS_ATTENTION)
            self.downloads.save_held_counter(integration_id, HeldCounter(held=held, counted_at=now))

    def _next_due(self, integration_id: str, end: _End, now: datetime) -> datetime:
        """When the next run has something to do: `now` stands for the next tick.

        A verdict that is still to come may owe its order something at once. An order that is due and cannot be read is
        passed over.
        """
        if end.goes_on_at <= now:
            return now
        for since in (end.waits_since, now):
            due = self.orders.next_due(integration_id, since=since)
            if due is None or due.at >= max(end.goes_on_at, now + VERDICT_OVERDUE):
                break
            if order := self.orders.get_many([due.order_id]).get(due.order_id):
                return now if order.is_pending else min(due.at, end.goes_on_at)
        return end.goes_on_at

    def _run(self, state: IntegrationState, health: ConnectionHealth, until: datetime) -> _End:
        integration, integration_id = state.integration, state.integration.integration_id
        settled = settle_what_is_due(self.orders, state.surroundings, self.now, until)
        if settled.overdue_verdicts:
            state = self._with_overdue_verdicts(state, settled.overdue_verdicts)
        if state.is_rejudging and go_on_rejudging(self.orders, self.downloads, integration, self.now, until):
            self.wake_up(integration_id)
        is_merging = bool(integration.merged_from and self.downloads.merge_under_way(integration_id))
        is_at_work = state.is_rejudging or is_merging
        if is_merging:
            if go_on_merging(self.orders, self.downloads, integration_id, self.now, until):
                self.wake_up(integration_id)
            live, proofs = self.downloads.live_download(integration), self.downloads.proofs(integration_id)
            state = state._replace(live=live, proofs=proofs)
        goes_on_at = self.now() if is_at_work else self.now() + LOOKED_AT_EVERY - TICK / 2
        if integration.deleted_at:
            health.rests(self.now())
            return _waiting(None, goes_on_at, settled)
        run = _Run(self, state, health, settled.to_ask_for)
        run.hear_notifications()
        if integration.is_paused:
            health.rests(self.now())
            run.arrange_notifications()
            return _waiting(None, goes_on_at, settled)
        is_unfinished = run.make_calls(until)
        run.compare_report(until)
        run.arrange_notifications()
        findings = run.look_back()
        if findings.leaves_work or is_unfinished:
            self.wake_up(integration_id)
            is_at_work = True
        goes_on_at = self.now() if is_at_work else run.goes_on_at()
        if run.is_blocked:
            return _waiting(findings, goes_on_at, settled)
        return _End(findings, goes_on_at, None)

    def _with_overdue_verdicts(self, state: IntegrationState, orders: int) -> IntegrationState:
        """Writes it where people see it: an order whose verdict never comes is held up, but lacks nothing."""
        integration_id = state.integration.integration_id
        logger.warning("verdicts overdue", integration=integration_id, orders=orders)
        overdue = OverdueVerdicts(orders=orders, found_at=self.now())
        live = state.live.model_copy(update={"overdue_verdicts": overdue})
        self.downloads.save_live_download(integration_id, live)
        return state._replace(live=live)


class _Run:
    """One run over one integration that is not deleted."""

    def __init__(
        self, downloader: Downloader, read: IntegrationState, health: ConnectionHealth, to_ask_for: Iterable[Order]
    ) -> None:
        orders, downloads, now = downloader.orders, downloader.downloads, downloader.now
        self._state = state = RunState(downloads, read, health)
        self._calls = calls = Calls(downloader.amazon_for, Intake(orders, downloads), state, now)
        self._second_look = SecondLookRunner(state, calls, downloads, orders, now)
        self._searches = Searches(state, calls, downloads, self._second_look, now)
        self._redownloads = Redownloads(orders, downloads, state, calls, to_ask_for, now)
        self._downloads = downloads
        self._order_change_queue = downloader.order_change_queue
        self._now = now

    def hear_notifications(self) -> None:
        """They may name another seller. This needs no call of Amazon's, and other credentials may be why none works."""
        integration = self._state.integration
        if integration.seller_id and integration.settings.order_change_notifications:
            self._state.health.hears_of(self._redownloads.told_sellers, self._now())

    def make_calls(self, until: datetime) -> bool:
        """Calls Amazon until nothing is left that may be done now; answers whether the time was up before that."""
        while self._step():
            if self._now() >= until:
                return True
        return False

    def _step(self) -> bool:
        """Makes the most urgent search and asks for one order by ID; False if neither is wanted, or may be made now.

        Each has a quota of its own, so one without quota does not hold up the other.
        """
        state, now = self._state, self._now()
        if state.is_blocked(now):
            return False
        try:
            has_searched = self._searches.make_next(now)
            return self._redownloads.ask_for_next(now) or has_searched
        except QuotaExceeded as error:
            logger.warning("quota exceeded", integration=state.integration_id, request_id=error.request_id)
            state.has_exceeded_quota(error.rate_limit, now)
        except ChangedMeanwhile:
            # Somebody cancelled the download while its page was on the way: the orders of the page are stored.
            return True
        except SpApiError as error:
            state.fails(error, now)
        return False

    def compare_report(self, until: datetime) -> None:
        self._second_look.compare_report(until)

    def arrange_notifications(self) -> None:
        """Subscribes to `ORDER_CHANGE`, or ends the subscription, as the settings want it.

        A failure is tried again in an hour.
        """
        state, now = self._state, self._now()
        known = state.live.subscription
        is_wanted = state.integration.settings.order_change_notifications
        version = state.integration.credentials_version
        if known.is_in_order(now, version, is_wanted=is_wanted):
            return
        try:
            if not is_wanted:
                self._end_subscription(known.subscription_id)
                state.keep(subscription=Subscription())
            elif self._order_change_queue:
                subscription_id = self._subscribed(known)
                state.keep(
                    subscription=Subscription(
                        subscription_id=subscription_id, credentials_version=version, confirmed_at=now
                    )
                )
            else:
                state.keep(subscription=known.failed(NO_QUEUE, now))
        except SpApiError as error:
            logger.warning("notifications cannot be arranged", integration=state.integration_id, reason=str(error))
            state.keep(subscription=known.failed(str(error), now))

    def _subscribed(self, known: Subscription) -> str:
        """The ID of the seller's subscription, by which the integration is found from now on."""
        integration_id = self._state.integration_id
        subscription_id = subscribe(self._calls.amazon, self._order_change_queue)
        self._downloads.save_subscription(subscription_id, integration_id)
        if known.subscription_id not in {None, subscription_id}:
            self._downloads.forget_subscription(str(known.subscription_id), integration_id)
        return subscription_id

    def _end_subscription(self, subscription_id: str | None) -> None:
        """Ends the subscription, unless another integration of the same seller still wants it."""
        if subscription_id is not None:
            self._downloads.forget_subscription(subscription_id, self._state.integration_id)
            if not self._downloads.subscribers(subscription_id):
                unsubscribe(self._calls.amazon, subscription_id)

    def goes_on_at(self) -> datetime:
        """When there is something to do for Amazon's orders: now if the verdicts on new ones may bring it."""
        state, now = self._state, self._now()
        if self._calls.have_stored:
            return now
        if state.is_blocked(now):
            wanted = state.live.blocked_until or now
        elif state.live.get_bucket.tokens_at(now) < 1 or self._redownloads.are_any_kept:
            wanted = now
        else:
            wanted = self._searches.go_on_at(now)
        return min(wanted, now + LOOKED_AT_EVERY_WHILE_DOWNLOADING - TICK / 2)

    @property
    def is_blocked(self) -> bool:
        return self._state.is_blocked(self._now())

    def look_back(self) -> RunFindings:
        """What the run found about the connection, once it has done what it could."""
        state, now = self._state, self._now()
        reached = state.live.walk.reached
        leaves_work = state.health.look_back(reached, now, is_out_of_quota=state.live_waits_for_quota)
        return RunFindings(
            open_incidents=state.health.open_incidents,
            cursor_lag=now - AMAZONS_MARGIN - reached,
            search_calls_left=int(state.live.search_bucket.tokens_at(now)),
            leaves_work=leaves_work,
            credentials_last=next((one.at - now for one in state.integration.expiries(now)), None),
        )

"""Runs an integration's downloads: the most urgent thing now, within a bounded time, never waiting for quota.

A wake-up says nothing but "wake up": all work lives in the integrations table and in the orders' index of what is due.
A page's orders are written before the checkpoint that moves past them, so a run that dies at any point repeats a page
and loses none. The queue gives an integration to one run at a time, so nobody else spends its quota.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched, takewhile
from operator import itemgetter
from typing import Any, Literal, NamedTuple

from aws_lambda_powertools import Logger

from needs_attention import gate
from needs_attention.download import (
    AMAZONS_MARGIN,
    BackdatedDownload,
    Bucket,
    Counts,
    OverdueVerdicts,
    SetAside,
    Trouble,
    TroubleCode,
    Walk,
    downloaded,
)
from needs_attention.integration_store import ChangedMeanwhile, Integration, IntegrationStore
from needs_attention.order import AmazonOrder, Order, UnreadableOrder
from needs_attention.order_store import VERDICT_OVERDUE, LostRace, OrderStore, SpoiltItem
from needs_attention.sp_api import (
    AccessDenied,
    AmazonUnavailable,
    CredentialsRejected,
    OrderNotFound,
    PageTokenRejected,
    QuotaExceeded,
    RequestRejected,
    SellingPartnerApi,
    SpApiError,
    UnreadableAnswer,
)
from needs_attention.verdict import next_redownload

# While a connection does not work, Amazon is asked again this often.
RETRY_AFTER = timedelta(minutes=5)
DUE_AT_ONCE = 100
BACKDATED_LIVE_INTERVAL = timedelta(minutes=10)

logger = Logger(child=True)


@dataclass(frozen=True)
class Downloader:
    """What a run needs: the two stores, Amazon for an integration, the clock, and a way to wake the next run."""

    integrations: IntegrationStore
    orders: OrderStore
    amazon_for: Callable[[Integration], SellingPartnerApi]
    now: Callable[[], datetime]
    wake_up: Callable[[str], None]

    def run(self, integration_id: str, until: datetime) -> None:
        """Does what is due for the integration, most urgent first, until nothing is left or the time is up."""
        integration = self.integrations.get(integration_id)
        if integration is None:
            logger.warning("no such integration", integration=integration_id)
            return
        to_ask_for = self._settle_what_is_due(integration, until)
        if integration.is_paused or integration.deleted_at:
            return
        run = _Run(self, integration, to_ask_for)
        while run.step():
            if self.now() >= until:
                self.wake_up(integration_id)
                return

    # What the clock owes single orders, without Amazon

    def _settle_what_is_due(self, integration: Integration, until: datetime) -> list[Order]:
        """Overdue verdicts are asked for again, snoozes end, personal data is redacted; also while paused.

        Answers with the orders that Amazon is to be asked for again, longest due first. However many of those wait,
        what is due after them is settled too.
        """
        now = self.now()
        due_ids = takewhile(lambda _: self.now() < until, self.orders.find_due(integration.integration_id, now))
        to_ask_for: list[tuple[datetime, Order]] = []
        overdue = 0
        for due in batched(due_ids, DUE_AT_ONCE, strict=False):
            orders = self.orders.get_many(due).values()
            settled = {order.order_id for order in orders if self._settle(order, integration, now)}
            if settled:
                logger.info("settled due orders", integration=integration.integration_id, orders=len(settled))
            overdue += sum(_is_verdict_overdue(order, now) for order in orders if order.order_id in settled)
            to_ask_for += [
                (order.redownload_at, order)
                for order in orders
                if order.order_id not in settled and order.redownload_at and order.redownload_at <= now
            ]
        if overdue:
            self._count_overdue_verdicts(integration, OverdueVerdicts(orders=overdue, found_at=now))
        return [order for _, order in sorted(to_ask_for, key=itemgetter(0))]

    def _count_overdue_verdicts(self, integration: Integration, overdue: OverdueVerdicts) -> None:
        """Where people see it: an order whose verdict never comes is held up, but not by anything that it lacks."""
        logger.warning("verdicts overdue", integration=integration.integration_id, orders=overdue.orders)
        live = self.integrations.live_download(integration)
        counted = live.model_copy(update={"overdue_verdicts": overdue})
        self.integrations.save_live_download(integration.integration_id, counted)

    def _settle(self, order: Order, integration: Integration, now: datetime) -> bool:
        """One thing that is owed to the order; the index shows the next one when the time for it has come."""
        settings = integration.settings
        if order.redact_at and order.redact_at <= now:
            return self._save(order, gate.redact(order, settings, now), now, cause="redaction")
        if order.hold and order.hold.until and order.hold.until <= now:
            return self._save(order, gate.end_snooze(order, settings, now), now, cause="snoozeEnded")
        if _is_verdict_overdue(order, now):
            return self._save(order, order.with_(pending_since=now), now, cause="verdictOverdue")
        return False

    def _save(self, before: Order, after: Order, now: datetime, *, cause: str) -> bool:
        try:
            self.orders.save(before, after, by="clock", at=now, cause=cause)
        except LostRace:
            return False
        return True

    # Storing what Amazon sent

    def store(
        self, integration: Integration, raw_orders: Iterable[dict[str, Any]], *, cause: str, request_id: str | None
    ) -> Counts:
        """Writes the orders that are new or changed; one that cannot be kept is set aside where people find it."""
        now = self.now()
        readable: dict[str, AmazonOrder] = {}
        aside: list[SetAside] = []
        for raw in raw_orders:
            try:
                amazon = AmazonOrder.from_amazon(raw)
            except UnreadableOrder as error:
                aside.append(_set_aside(error, raw, now, request_id))
                continue
            known = readable.get(amazon.order_id)
            if known is None or known.updated_at <= amazon.updated_at:
                readable[amazon.order_id] = amazon
        stored = self.orders.get_many(readable)
        outcomes = []
        for order_id, amazon in readable.items():
            try:
                outcomes.append(self._store_one(integration, stored.get(order_id), amazon, now, cause))
            except UnreadableOrder as error:
                aside.append(_set_aside(error, order_id, now, request_id))
            except SpoiltItem:
                spoilt = UnreadableOrder(order_id, "what is stored under its ID cannot be read")
                aside.append(_set_aside(spoilt, order_id, now, request_id))
        self._note_set_aside(integration, aside, kept=readable.keys() - {order.order_id for order in aside})
        if aside:
            logger.warning("orders set aside", integration=integration.integration_id, orders=len(aside))
        return Counts(
            orders=len(outcomes) + len(aside),
            new=outcomes.count("new"),
            changed=outcomes.count("changed"),
            unchanged=outcomes.count("unchanged"),
            set_aside=len(aside),
        )

    def _note_set_aside(self, integration: Integration, aside: list[SetAside], kept: Set[str]) -> None:
        """The list holds what could not be kept so far: an order that is kept at last leaves it."""
        before = {order.order_id: order for order in self.integrations.all_set_aside(integration.integration_id)}
        for order_id in before.keys() & kept:
            self.integrations.forget_set_aside(integration.integration_id, order_id)
        new = [order for order in aside if order.order_id not in before]
        self.integrations.set_aside(integration.integration_id, new)

    def _store_one(
        self, integration: Integration, before: Order | None, amazon: AmazonOrder, now: datetime, cause: str
    ) -> str:
        if before is None and amazon.is_pending and not integration.settings.download_pending_orders:
            return "unchanged"
        while True:
            after = downloaded(before, amazon, integration.integration_id, now)
            if after is None:
                return "unchanged"
            if cause == "redownload":
                after = after.with_(redownload_at=next_redownload(after, now))
            try:
                self.orders.save(before, after, by="amazon", at=now, cause=cause)
            except LostRace as race:
                before = race.current
                continue
            return "changed" if before else "new"


class _Stored(NamedTuple):
    """What a page brought: the walk after it, what was counted, and whether its slice is done."""

    walk: Walk
    counts: Counts
    ends_slice: bool


class _Run:
    """One run over one integration: what it has read of how the downloads stand, and what it may still spend."""

    def __init__(self, downloader: Downloader, integration: Integration, to_ask_for: Iterable[Order]) -> None:
        self._downloader = downloader
        self._to_ask_for = deque(to_ask_for)
        self._integration = integration
        self._id = integration.integration_id
        self._live = downloader.integrations.live_download(integration)
        self._amazon = downloader.amazon_for(integration)
        self._spent_from: Literal["search_bucket", "get_bucket"] = "search_bucket"

    def step(self) -> bool:
        """Makes the one most urgent call to Amazon; False if there is nothing to do, or nothing may be done now.

        What has no quota left does not hold up what has: search and single orders have quotas of their own.
        """
        now = self._downloader.now()
        if self._live.trouble and self._live.last_run_at and now < self._live.last_run_at + RETRY_AFTER:
            return False
        waiting = self._waiting_backdated()
        every = timedelta(minutes=self._integration.settings.live_download_every_minutes)
        is_live_due = self._live.is_due(now, max(every, BACKDATED_LIVE_INTERVAL) if waiting else every)
        try:
            return (
                (is_live_due and self._live_page(now))
                or self._redownload(now)
                or (waiting is not None and self._backdated_page(waiting, now))
            )
        except QuotaExceeded as error:
            logger.warning("quota exceeded", integration=self._id, request_id=error.request_id)
            bucket = getattr(self._live, self._spent_from)
            self._keep(**{self._spent_from: bucket.learned(error.rate_limit).emptied(now)})
        except ChangedMeanwhile:
            # Somebody cancelled the download while its page was on the way: what it brought is kept.
            return True
        except SpApiError as error:
            self._note_trouble(error, now)
        return False

    def _waiting_backdated(self) -> BackdatedDownload | None:
        downloads = self._downloader.integrations.backdated_downloads(self._id)
        return next((download for download in downloads if not download.is_over), None)

    # Live

    def _live_page(self, now: datetime) -> bool:
        until = now - AMAZONS_MARGIN
        part = self._live.walk.next_slice(until)
        if part is None:
            self._keep(last_run_at=now)
            return True
        if not self._takes_a_token("search_bucket", now):
            return False
        stored = self._page(self._live.walk, until, cause="download", keep=lambda walk: self._keep(walk=walk))
        # Amazon may answer an earlier bound than was sent: the rest comes with the next run, not at once.
        is_through = stored.ends_slice and part.before >= until.replace(microsecond=0)
        self._keep(walk=stored.walk, trouble=None, last_success_at=now, last_run_at=now if is_through else None)
        return True

    # Backdated

    def _backdated_page(self, download: BackdatedDownload, now: datetime) -> bool:
        def save(**changes: object) -> None:
            later = download.model_copy(update=changes)
            self._downloader.integrations.save_backdated_download(self._id, later)

        if not self._takes_a_token("search_bucket", now):
            if download.status != "waitingForQuota":
                save(status="waitingForQuota")
            return False
        stored = self._page(
            download.walk, download.updated_before, cause="backdatedDownload", keep=lambda walk: save(walk=walk)
        )
        is_finished = stored.walk.next_slice(download.updated_before) is None
        save(
            status="finished" if is_finished else "running",
            walk=stored.walk,
            counts=download.counts + stored.counts,
            started_at=download.started_at or now,
            finished_at=now if is_finished else None,
        )
        self._keep(trouble=None, last_success_at=now)
        return True

    def _page(self, walk: Walk, until: datetime, *, cause: str, keep: Callable[[Walk], None]) -> "_Stored":
        """Asks for the next page of the walk and stores it; the walk comes back only when that is done."""
        part = walk.next_slice(until)
        if part is None:
            return _Stored(walk, Counts(), ends_slice=True)
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
            return _Stored(walk.restarted(), Counts(), ends_slice=False)
        order_ids = tuple(str(raw.get("orderId")) for raw in page.orders if isinstance(raw, dict))
        if part.repeats(order_ids):
            keep(walk.restarted())
            raise UnreadableAnswer(f"page {part.pages + 1} repeats the page before it", request_id=page.request_id)
        self._keep(search_bucket=self._live.search_bucket.learned(page.rate_limit))
        counts = self._downloader.store(self._integration, page.orders, cause=cause, request_id=page.request_id)
        logger.info("page stored", integration=self._id, cause=cause, **counts.model_dump(exclude={"pages"}))
        after = walk.after_page(part, order_ids, page.next_token, page.last_updated_before)
        is_whole = page.next_token is None and after.slice is None
        return _Stored(after, counts + Counts(pages=1), ends_slice=is_whole)

    # By ID

    def _redownload(self, now: datetime) -> bool:
        """Asks for one order that is due; one that Amazon cannot answer waits for its next turn."""
        if not self._to_ask_for or not self._takes_a_token("get_bucket", now):
            return False
        order = self._to_ask_for.popleft()
        try:
            answer = self._amazon.get_order(order.order_id)
        except OrderNotFound:
            self._downloader.orders.ask_again(order, None)
            return True
        except (AmazonUnavailable, RequestRejected, UnreadableAnswer) as error:
            logger.warning("redownload failed", integration=self._id, order_id=order.order_id, reason=str(error))
            self._downloader.orders.ask_again(order, next_redownload(order, now))
            return True
        self._keep(get_bucket=self._live.get_bucket.learned(answer.rate_limit))
        counts = self._downloader.store(
            self._integration, [answer.order], cause="redownload", request_id=answer.request_id
        )
        if not counts.changed:
            self._downloader.orders.ask_again(order, next_redownload(order, now))
        return True

    # How it stands

    def _takes_a_token(self, name: Literal["search_bucket", "get_bucket"], now: datetime) -> bool:
        """Takes a token from the bucket, and keeps that before the call is made: a crash loses a token, no more."""
        bucket: Bucket | None = getattr(self._live, name).take(now)
        self._spent_from = name
        if bucket is not None:
            self._keep(**{name: bucket})
        return bucket is not None

    def _keep(self, **changes: object) -> None:
        later = self._live.model_copy(update=changes)
        if later != self._live:
            self._downloader.integrations.save_live_download(self._id, later)
            self._live = later

    def _note_trouble(self, error: SpApiError, now: datetime) -> None:
        """One cause, told once: since when, and Amazon's request id. The cursor stays where it is."""
        code = _trouble_code(error)
        known = self._live.trouble
        since = known.since if known and known.code == code else now
        logger.error("download failed", integration=self._id, code=code, reason=str(error))
        self._keep(trouble=Trouble(code=code, since=since, request_id=error.request_id), last_run_at=now)


def _is_verdict_overdue(order: Order, now: datetime) -> bool:
    return order.pending_since is not None and order.pending_since + VERDICT_OVERDUE <= now


def _trouble_code(error: SpApiError) -> TroubleCode:
    codes: dict[type[SpApiError], TroubleCode] = {
        CredentialsRejected: "credentialsRejected",
        AccessDenied: "accessDenied",
        RequestRejected: "requestRejected",
        UnreadableAnswer: "unreadableAnswer",
    }
    return next((code for kind, code in codes.items() if isinstance(error, kind)), "amazonUnavailable")


def _set_aside(error: UnreadableOrder, raw: object, now: datetime, request_id: str | None) -> SetAside:
    """Without an order ID, a fingerprint tells it from others, and knows it again when it comes again."""
    fingerprint = hashlib.blake2b(repr(raw).encode(), digest_size=6).hexdigest()
    return SetAside(
        order_id=error.order_id or f"unknown-{fingerprint}",
        reason=error.reason,
        first_seen_at=now,
        request_id=request_id,
    )

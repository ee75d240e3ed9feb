"""How a download walks through a window of Amazon's updates, and what it may spend: pure rules, no calls.

Amazon's `searchOrders` gives one call per 178.6 s after a burst of 20, 100 orders a call (Orders API 2026-01-01), so a
window is walked in slices with an explicit upper bound, each sized to about one page. A slice's last page moves the
walk on; whatever goes wrong before that repeats the slice, so an order may be written twice but is never skipped.
"""

import hashlib
from datetime import datetime, timedelta
from functools import reduce
from operator import xor
from typing import Literal

from needs_attention.order import AmazonOrder, Order, UnreadableOrder
from needs_attention.values import UtcTime, Value

# The model: "at least 2 minutes before the request"; the rest is for clocks that differ.
AMAZONS_MARGIN = timedelta(minutes=2, seconds=10)
# Orders that Amazon lists late are caught by looking back a little from where the last slice ended.
OVERLAP = timedelta(seconds=30)
# Amazon shows no orders that are older (the model; Japan, Australia and Singapore: from 2016).
OLDEST = timedelta(days=730)
PAGE = 100
# How often the schedule wakes every integration (template.yaml).
TICK = timedelta(minutes=1)
NARROWEST, WIDEST, FIRST = timedelta(minutes=1), timedelta(days=60), timedelta(days=1)


class Slice(Value):
    """The part of a window that is asked for now: both bounds are sent, and stay the same for all of its pages."""

    after: UtcTime
    before: UtcTime
    page_token: str | None = None
    last_page: tuple[str, ...] = ()
    served: int = 0
    served_before: int | None = None
    orders: int = 0
    pages: int = 0

    def repeats(self, order_ids: tuple[str, ...]) -> bool:
        """Whether a page holds just what the page before it held: then paging goes round in a circle."""
        return self.pages > 0 and order_ids == self.last_page


class Walk(Value):
    """How far a download has come: everything that Amazon updated before `reached` is in the table."""

    reached: UtcTime
    width: timedelta = FIRST
    slice: Slice | None = None
    was_restarted: bool = False

    def next_slice(self, until: datetime) -> Slice | None:
        """The slice to ask for now: the one begun, else the next before `until`; None if there is nothing left.

        In whole seconds, as all of Amazon's examples are.
        """
        if self.slice:
            return self.slice
        before = min(self.reached + self.width, until).replace(microsecond=0)
        return Slice(after=self.reached - OVERLAP, before=before) if before > self.reached else None

    def after_page(
        self, part: Slice, order_ids: tuple[str, ...], next_token: str | None, answered_before: datetime | None
    ) -> "Walk":
        """The walk once a page of `part` is stored."""
        seen = part.orders + len(order_ids)
        served = part.served ^ _digest(order_ids)
        if next_token is None and part.pages and served != part.served_before:
            # Pages may shift under a walk when an order moves, so that one that did not move is never served (Amazon
            # documents no sort order). Only when two walks serve the same orders, none has slipped between pages.
            again = Slice(after=part.after, before=part.before, served_before=served)
            return Walk(reached=self.reached, width=self.width, slice=again)
        if next_token is None:
            reached = min(part.before, answered_before or part.before)
            # An answer that ends before the slice began would walk backwards for ever.
            reached = max(reached, self.reached)
            return Walk(reached=reached, width=_next_width(self.width, part, seen))
        if part.pages == 0 and part.before - self.reached > NARROWEST:
            # More than a page: paging may skip an unchanged order when another one moves, so take less at a time. What
            # this page brought is stored already.
            return Walk(reached=self.reached, width=max((part.before - self.reached) / 4, NARROWEST))
        further = {
            "page_token": next_token,
            "last_page": order_ids,
            "served": served,
            "orders": seen,
            "pages": part.pages + 1,
        }
        return self.model_copy(update={"slice": part.model_copy(update=further)})

    def restarted(self) -> "Walk":
        """The slice from its first page again: its page token is no longer good."""
        return self.model_copy(update={"slice": None, "was_restarted": True})


def _digest(order_ids: tuple[str, ...]) -> int:
    """The same for the same orders in whatever sequence, and however they are spread over pages."""
    hashes = (int.from_bytes(hashlib.blake2b(order_id.encode(), digest_size=8).digest()) for order_id in order_ids)
    return reduce(xor, hashes, 0)


def _next_width(planned: timedelta, part: Slice, orders: int) -> timedelta:
    """Towards about a page; a slice that the window's end cut short says nothing against the width that was planned."""
    width = part.before - part.after
    if orders < PAGE * 4 // 10:
        width = max(width * 2, planned)
    elif orders > PAGE * 8 // 10:
        width = width / 2
    return min(max(width, NARROWEST), WIDEST)


class Bucket(Value):
    """Amazon's token bucket for one operation, as far as we know: `rate` calls per second, at most `burst` saved up."""

    rate: float
    burst: int
    tokens: float
    at: UtcTime

    @classmethod
    def full(cls, rate: float, burst: int, at: datetime) -> "Bucket":
        return cls(rate=rate, burst=burst, tokens=burst, at=at)

    def take(self, now: datetime) -> "Bucket | None":
        """The bucket with a token less, or None if there is none to take."""
        tokens = self.tokens_at(now)
        return self.model_copy(update={"tokens": tokens - 1, "at": now}) if tokens >= 1 else None

    def tokens_at(self, now: datetime) -> float:
        return min(self.burst, self.tokens + self.rate * max((now - self.at).total_seconds(), 0))

    def next_token_at(self, now: datetime) -> datetime:
        tokens = self.tokens_at(now)
        return now if tokens >= 1 else now + timedelta(seconds=(1 - tokens) / self.rate)

    def learned(self, rate: float | None) -> "Bucket":
        """With the rate that an answer's `x-amzn-RateLimit-Limit` named, if it named one."""
        return self.model_copy(update={"rate": rate}) if rate else self

    def emptied(self, now: datetime) -> "Bucket":
        """Amazon said 429: whatever we thought to have left is gone."""
        return self.model_copy(update={"tokens": 0, "at": now})


TroubleCode = Literal["credentialsRejected", "accessDenied", "requestRejected", "amazonUnavailable", "unreadableAnswer"]


class Trouble(Value):
    """What keeps an integration from downloading: one cause, since when, and what to do about it."""

    code: TroubleCode
    since: UtcTime
    request_id: str | None = None


class OverdueVerdicts(Value):
    """Verdicts that did not come and were asked for again: a record of the stream was lost, or cannot be judged."""

    orders: int
    found_at: UtcTime


class LiveDownload(Value):
    """The download by schedule: its cursor is `walk.reached`. It keeps the account's buckets for all downloads."""

    walk: Walk
    search_bucket: Bucket
    get_bucket: Bucket
    last_run_at: UtcTime | None = None
    last_success_at: UtcTime | None = None
    trouble: Trouble | None = None
    overdue_verdicts: OverdueVerdicts | None = None

    @classmethod
    def starting(cls, at: datetime) -> "LiveDownload":
        """From now on: what was before is a backdated download, so that new orders do not wait behind old ones."""
        return cls(
            walk=Walk(reached=at - AMAZONS_MARGIN, width=timedelta(hours=1)),
            search_bucket=Bucket.full(0.0056, 20, at),
            get_bucket=Bucket.full(0.5, 30, at),
        )

    def is_due(self, now: datetime, every: timedelta) -> bool:
        """Half a tick too early rather than almost a whole one too late: the schedule's ticks are never quite even."""
        return self.walk.slice is not None or self.last_run_at is None or now >= self.last_run_at + every - TICK / 2


class SetAside(Value):
    """An order in an answer of Amazon's that could not be kept, and why. No personal data."""

    order_id: str
    reason: str
    first_seen_at: UtcTime
    request_id: str | None = None


class Counts(Value):
    """What a download brought so far."""

    pages: int = 0
    orders: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    set_aside: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(**{field: value + getattr(other, field) for field, value in self})


class BackdatedDownload(Value):
    """A download of a past window that a person asked for. It never moves the live cursor."""

    download_id: str
    status: Literal["queued", "running", "waitingForQuota", "finished", "cancelled", "failed"] = "queued"
    updated_after: UtcTime
    updated_before: UtcTime
    walk: Walk
    requested_by: str
    requested_at: UtcTime
    started_at: UtcTime | None = None
    finished_at: UtcTime | None = None
    counts: Counts = Counts()
    revision: int = 0

    @property
    def is_over(self) -> bool:
        return self.status in {"finished", "cancelled", "failed"}


def downloaded(before: Order | None, amazon: AmazonOrder, integration: str, at: datetime) -> Order | None:
    """The order with what Amazon sent on it and its verdict pending; None if that is nothing new.

    An older version never wins. The same `lastUpdatedTime` with new content does: a role was granted. Absence never
    erases. A redacted order is never filled again, and one whose time is over when it arrives is stored redacted.
    Raises UnreadableOrder if the order belongs to another integration.
    """
    if before is None:
        order = Order.first_seen(integration, amazon, at)
        overdue = order.redact_at is not None and order.redact_at <= at
        return order.with_(amazon=amazon.redacted(), redacted_at=at) if overdue else order
    if before.integration != integration:
        raise UnreadableOrder(amazon.order_id, "belongs to another integration")
    if amazon.updated_at < before.amazon.updated_at:
        return None
    merged = before.amazon.updated_with(amazon)
    merged = merged.redacted() if before.redacted_at else merged
    if merged == before.amazon:
        return None
    return before.with_(amazon=merged, downloaded_at=at, pending_since=at)

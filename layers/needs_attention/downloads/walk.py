"""How a download walks through a window of Amazon's updates, and what it may spend: pure rules, no calls.

Amazon's `searchOrders` gives one call per 178.6 s after a burst of 20, 100 orders a call (Orders API 2026-01-01), so a
window is walked in slices with an explicit upper bound, each sized to a good half of a page. A slice's last page moves
the walk on; whatever goes wrong before that repeats the slice, so an order may be written twice but is never skipped.

Amazon documents no sort order. If it pages by offset, an order that is updated while a slice of several pages is walked
leaves it, the others move up, and one that did not change may never be served. So a slice that turns out longer than a
page is cut, and no order can slip between pages. Only a seller with more updates than half empty pages can carry gets
slices of two pages. They are walked again, cut: at once if an order shows that another may have slipped (`Unproven`),
else when there is quota to spare.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from needs_attention.orders.amazon_order import AmazonOrder, UnreadableOrder
from needs_attention.orders.order import TIME_IS_OVER, Order
from needs_attention.orders.settings import Settings
from needs_attention.orders.verdict import judged
from needs_attention.values.model import Value, differing
from needs_attention.values.times import UtcTime, id_made_at

# The model: "at least 2 minutes before the request"; the rest is for clocks that differ.
AMAZONS_MARGIN = timedelta(minutes=2, seconds=10)
# Orders that Amazon lists late are caught by looking back a little from where the last run ended.
OVERLAP = timedelta(seconds=30)
# Amazon shows no orders that are older (the model; Japan, Australia and Singapore: from 2016).
OLDEST = timedelta(days=730)
PAGE = 100
MOST_EMPTY_PAGES = 3
# A page that is seldom so full that there is a second; two pages that are seldom followed by a third.
ONE_PAGE, TWO_PAGES = 0.75, 1.85
# A slice of so few pages is walked at once; one of more lets others have their turns in between.
FEW_PAGES = 3
# How often the schedule wakes every integration (template.yaml).
TICK = timedelta(minutes=1)
# How many slices are remembered: a seller without quota to spare never comes to walk them all again, and an item of
# DynamoDB's holds 400 KB. A slice that is to be proven takes about 3 KB.
MOST_AGAIN, MOST_UNPROVEN = 100, 40
NARROWEST, WIDEST, FIRST = timedelta(seconds=1), timedelta(days=60), timedelta(days=1)
PACE_FADES_IN = timedelta(hours=3)
# Times are kept in milliseconds, so what has come back since is known a little inexactly.
TIMES_ARE_EXACT_TO = timedelta(milliseconds=1)
# How far apart Amazon's clock and ours may be.
CLOCKS_DIFFER = timedelta(seconds=10)
# While something does not work, Amazon is asked again this often; a backdated download is given up after so many times.
RETRY_AFTER = timedelta(minutes=5)
GIVEN_UP_AFTER = 12
# What keeps a subscription from being made is mended by people.
RETRY_SUBSCRIPTION_AFTER = timedelta(hours=1)
SUBSCRIPTION_CONFIRMED_EVERY = timedelta(days=1)
RETRY_SET_ASIDE_AFTER = tuple(timedelta(minutes=minutes) for minutes in (15, 60, 6 * 60, 24 * 60))


class Slice(Value):
    """The part of a window that is asked for now: both bounds are sent, and stay the same for all of its pages.

    `served` are fingerprints of the orders on the pages so far.
    """

    after: UtcTime
    before: UtcTime
    is_at_edge: bool = False  # it ends where the window did when it was begun
    may_have_pages: bool = False
    began_at: UtcTime | None = None
    page_token: str | None = None
    last_page: tuple[str, ...] = ()
    empty_pages: int = 0  # in a row
    served: tuple[str, ...] = ()
    pages: int = 0

    def repeats(self, order_ids: tuple[str, ...]) -> bool:
        """Whether a page holds just what the page before it held: then paging goes round in a circle.

        A few empty pages may follow each other.
        """
        if not order_ids:
            return self.empty_pages >= MOST_EMPTY_PAGES
        return self.pages > 0 and order_ids == self.last_page

    def walked(self, last_page: tuple[str, ...], now: datetime) -> "Unproven | None":
        """What is still to be proven of a slice of several pages after its last one; None if there was one only."""
        if not self.pages:
            return None
        orders = (*self.served, *map(_fingerprint, last_page))
        began_at = self.began_at or now
        return Unproven(after=self.after, before=self.before, began_at=began_at, ended_at=now, orders=orders)


class Unproven(Value):
    """A slice of several pages: something slipped between them if one of its orders was updated meanwhile."""

    after: UtcTime
    before: UtcTime
    began_at: UtcTime
    ended_at: UtcTime
    orders: tuple[str, ...]

    def is_contradicted_by(self, versions: Mapping[str, datetime]) -> bool:
        """Whether an order of the slice, by ID and time of its last update, was updated while it was walked."""
        served = set(self.orders)
        began, ended = self.began_at - CLOCKS_DIFFER, self.ended_at + CLOCKS_DIFFER
        return any(began <= at <= ended and _fingerprint(order_id) in served for order_id, at in versions.items())


class Pace(Value):
    """How many orders Amazon lists in how much time, over about the last hours; both fade with that time."""

    orders: float = 0.0
    seconds: float = 0.0

    def after(self, orders: int, width: timedelta) -> "Pace":
        kept = 0.5 ** (width / PACE_FADES_IN)
        return Pace(orders=self.orders * kept + orders, seconds=self.seconds * kept + width.total_seconds())

    def at_least(self, orders: int, width: timedelta) -> "Pace":
        """After a slice that held more than was known: what was listed before says little of a burst."""
        return self if self.orders_in(width) >= orders else Pace(orders=orders, seconds=width.total_seconds())

    def orders_in(self, window: timedelta) -> float:
        """How many orders a window of that length may hold; 0 as long as nothing is known."""
        return self.orders / self.seconds * window.total_seconds() if self.seconds else 0.0

    def width_of(self, pages: float) -> timedelta:
        """How long a slice is that holds so many pages."""
        a_day = self.orders_in(timedelta(days=1))
        days = min(PAGE * pages / a_day, WIDEST / timedelta(days=1)) if a_day else WIDEST / timedelta(days=1)
        return max(timedelta(days=days), NARROWEST)


class Walk(Value):
    """How far a download has come: everything that Amazon updated before `reached` is in the table."""

    reached: UtcTime
    width: timedelta = FIRST
    slice: Slice | None = None
    looks_back: bool = True
    was_restarted: bool = False
    pace: Pace = Pace()

    @classmethod
    def of_the_past(cls, start: datetime, pace: Pace) -> "Walk":
        """A walk from `start`; it finds the width of its slices on the way."""
        return cls(reached=start, pace=pace)

    def next_slice(self, until: datetime, *, may_have_pages: bool = False) -> Slice | None:
        """The slice to ask for now: the one begun, else the next before `until`; None if there is nothing left.

        In whole seconds, as all of Amazon's examples are.
        """
        if self.slice:
            return self.slice
        end = until.replace(microsecond=0)
        width = min(self.width, self.pace.width_of(TWO_PAGES if may_have_pages else ONE_PAGE))
        before = min((self.reached + width).replace(microsecond=0), end)
        if before <= self.reached:
            return None
        after = self.reached - OVERLAP if self.looks_back else self.reached
        return Slice(after=after, before=before, is_at_edge=before == end, may_have_pages=may_have_pages)

    def pages_expected(self, part: Slice) -> int:
        """How many calls the slice may take."""
        return max(math.ceil(self.pace.orders_in(part.before - part.after) / PAGE), 1)

    def after_page(
        self,
        part: Slice,
        order_ids: tuple[str, ...],
        next_token: str | None,
        answered_before: datetime | None,
        now: datetime,
    ) -> "Walk":
        """The walk once a page of `part` is stored."""
        if next_token is None:
            seen = len(part.served) + len(order_ids)
            reached = min(part.before, answered_before or part.before)
            # An answer that ends before the slice began would walk backwards for ever.
            reached = max(reached, self.reached)
            pace = self.pace.after(seen, part.before - part.after)
            expected = self.pace.orders_in(part.before - part.after)
            if seen < expected / 4 and expected - seen > 1.9 * math.sqrt(expected):  # so few are no accident
                # What was busy is so no longer: wait for no average, a wrong guess costs a cut.
                pace = pace.model_copy(update={"orders": pace.orders / 2})
            # A slice that the window's end cut short says nothing against the width that was planned.
            width = min(max((part.before - part.after) * 2, self.width), WIDEST)
            return Walk(reached=reached, width=width, pace=pace, looks_back=part.is_at_edge)
        if part.pages == 0 and part.before - self.reached > NARROWEST and self._is_to_be_cut(part):
            # What this page brought is stored already.
            is_surprise = self.pace.orders_in(part.before - part.after) < PAGE / 2
            width = max((part.before - self.reached) / (4 if is_surprise else 2), NARROWEST)
            pace = self.pace.at_least(PAGE, part.before - part.after)
            return self.model_copy(update={"width": width, "slice": None, "was_restarted": False, "pace": pace})
        further = {
            "began_at": part.began_at or now,
            "page_token": next_token,
            "last_page": order_ids,
            "empty_pages": 0 if order_ids else part.empty_pages + 1,
            "served": (*part.served, *map(_fingerprint, order_ids)),
            "pages": part.pages + 1,
        }
        return self.model_copy(update={"slice": part.model_copy(update=further)})

    def _is_to_be_cut(self, part: Slice) -> bool:
        """Several pages are walked only if that was intended, and not if the slice may have any number of them."""
        is_expected = PAGE / 2 <= self.pace.orders_in(part.before - part.after) <= PAGE * 3
        return not (part.may_have_pages and is_expected)

    def restarted(self) -> "Walk":
        """The slice from its first page again: its page token is no longer good."""
        return self.model_copy(update={"slice": None, "was_restarted": True})

    def begun(self, part: Slice) -> "Walk":
        """With the slice kept for the next try: an answer of 400 may be Amazon's fault, or our clock's, and pass."""
        return self.model_copy(update={"slice": part})

    def calls_to(self, until: datetime) -> int:
        """About how many calls the rest of the window takes: slices double until they hold about a page."""
        left = until - self.reached
        widest = self.pace.width_of(ONE_PAGE)
        width, calls = min(self.width, widest), 0
        while left > timedelta() and width < widest:
            left, width, calls = left - width, min(width * 2, widest), calls + 1
        return calls + max(math.ceil(left / widest), 0)


class Again(Value):
    """A part of a window to be walked again, because something may have slipped: at once, or when there is quota."""

    before: UtcTime
    walk: Walk
    is_urgent: bool
    retry_at: UtcTime | None = None
    failures: int = 0  # in a row


class Proofs(Value):
    """The slices of several pages that an order may still contradict, and what is to be walked again."""

    unproven: tuple[Unproven, ...] = ()
    again: tuple[Again, ...] = ()

    def with_walked(self, walked: Unproven) -> "Proofs":
        """A slice of several pages is walked again when there is quota, cut: what slipped is not always told."""
        return self._with_again(walked, is_urgent=False)._watching((*self.unproven, walked))

    def with_versions(self, versions: Mapping[str, datetime]) -> "Proofs":
        """What the orders of a page, by ID and time of their last update, say of the slices walked before."""
        later = self
        for one in self.unproven:
            if one.is_contradicted_by(versions):
                later = later._with_again(one, is_urgent=True)
        return later._watching([one for one in self.unproven if not one.is_contradicted_by(versions)])

    def _watching(self, unproven: Sequence[Unproven]) -> "Proofs":
        return self.model_copy(update={"unproven": tuple(unproven[-MOST_UNPROVEN:])})

    def _with_again(self, slipped: Unproven, *, is_urgent: bool) -> "Proofs":
        """What follows on something that waits already is walked with it."""
        again = list(self.again)
        for place, one in enumerate(again):
            is_next = one.before - OVERLAP <= slipped.after <= one.before
            if is_next and one.is_urgent == is_urgent and one.walk.slice is None:
                again[place] = one.model_copy(update={"before": slipped.before})
                return self.model_copy(update={"again": tuple(again)})
        pace = Pace().after(len(slipped.orders), slipped.before - slipped.after)
        walk = Walk(reached=slipped.after, looks_back=False, pace=pace)
        again.append(Again(before=slipped.before, walk=walk, is_urgent=is_urgent))
        # The urgent first, then the latest: what has no place left is the oldest, and left to the second look.
        again.sort(key=lambda one: (not one.is_urgent, -one.before.timestamp()))
        return self.model_copy(update={"again": tuple(again[:MOST_AGAIN])})

    def next_again(self, now: datetime) -> Again | None:
        """What is to be walked again next, the urgent first."""
        return next((one for one in self.again if not (one.retry_at and now < one.retry_at)), None)

    def with_walk(self, walk: Walk, later: Walk) -> "Proofs":
        """With a walk as it has gone on; what it was for is done when nothing is left of it."""
        went_on = {"walk": later, "failures": 0}
        moved = (one.model_copy(update=went_on) if one.walk == walk else one for one in self.again)
        left = tuple(one for one in moved if one.walk != later or one.walk.next_slice(one.before))
        return self.model_copy(update={"again": left})

    def postponed(self, walk: Walk, now: datetime, *, is_at_fault: bool) -> "Proofs":
        """A search that did not work is made again later, and holds up no live download meanwhile.

        One that is at fault itself is left to the second look at last.
        """

        def later(one: Again) -> Again:
            return one.model_copy(update={"retry_at": now + RETRY_AFTER, "failures": one.failures + is_at_fault})

        again = (later(one) if one.walk == walk else one for one in self.again)
        return self.model_copy(update={"again": tuple(one for one in again if one.failures < GIVEN_UP_AFTER)})

    def watched(self, reached: datetime) -> "Proofs":
        """Once live downloads are past the time of a walk, what was updated during it has come, or will have again."""
        return self._watching([one for one in self.unproven if one.ended_at + CLOCKS_DIFFER >= reached])


def _fingerprint(order_id: str) -> str:
    return hashlib.blake2b(order_id.encode(), digest_size=5).hexdigest()


class Bucket(Value):
    """Amazon's token bucket for one operation, as far as we know: `rate` calls per second, at most `burst` saved up."""

    rate: float
    burst: int
    tokens: float
    at: UtcTime
    was_full: bool = False  # when the last token was taken

    @classmethod
    def full(cls, rate: float, burst: int, at: datetime) -> "Bucket":
        return cls(rate=rate, burst=burst, tokens=burst, at=at)

    def take(self, now: datetime) -> "Bucket | None":
        """The bucket with a token less, or None if there is none to take."""
        tokens = self.tokens_at(now)
        if tokens < 1:
            return None
        return self.model_copy(update={"tokens": tokens - 1, "at": now, "was_full": tokens >= self.burst})

    def tokens_at(self, now: datetime) -> float:
        passed = max(now - self.at - TIMES_ARE_EXACT_TO, timedelta())
        return min(self.burst, self.tokens + self.rate * passed.total_seconds())

    def can_carry(self, pace: Pace, share: float) -> bool:
        """Whether that share of the calls suffices for slices of about a page, with some to spare."""
        return pace.orders_in(timedelta(hours=1)) < 0.8 * ONE_PAGE * PAGE * self.rate * 3600 * share

    def is_half_full(self, now: datetime) -> bool:
        return self.tokens_at(now) >= self.burst / 2

    def is_brimming(self, now: datetime) -> bool:
        """Whether the next token would be the last that it can hold: what is not spent now is lost."""
        return self.tokens_at(now) >= self.burst - 1

    def next_token_at(self, now: datetime) -> datetime:
        tokens = self.tokens_at(now)
        return now if tokens >= 1 else now + timedelta(seconds=(1 - tokens) / self.rate)

    def answered(self, now: datetime, rate: float | None) -> "Bucket":
        """With the rate that the answer's `x-amzn-RateLimit-Limit` named, if it named one.

        Amazon's bucket begins to fill again when the call comes there, at the latest by now.
        """
        known = self.model_copy(update={"rate": rate}) if rate else self
        return known.model_copy(update={"at": now, "was_full": False}) if self.was_full else known

    def emptied(self, now: datetime) -> "Bucket":
        """Amazon said 429: whatever we thought to have left is gone."""
        return self.model_copy(update={"tokens": 0, "at": now})


Spender = Literal["live", "again", "backdated"]
SPENDERS: tuple[Spender, ...] = ("live", "again", "backdated")


class OverdueVerdicts(Value):
    """Verdicts that did not come and were asked for again: a record of the stream was lost, or cannot be judged."""

    orders: int
    found_at: UtcTime


class Subscription(Value):
    """The seller's subscription to Amazon's `ORDER_CHANGE` notifications, or why there is none."""

    subscription_id: str | None = None
    confirmed_at: UtcTime | None = None
    failure: str | None = None
    retry_at: UtcTime | None = None

    def is_in_order(self, now: datetime, *, is_wanted: bool) -> bool:
        """Whether nothing is to be done now. One that is wanted is confirmed each day: Amazon may have lost it."""
        if self.retry_at and now < self.retry_at:
            return is_wanted or self.subscription_id is not None  # what nobody wants any more may be forgotten at once
        if not is_wanted:
            return self == Subscription()
        return self.confirmed_at is not None and now < self.confirmed_at + SUBSCRIPTION_CONFIRMED_EVERY

    def failed(self, failure: str, now: datetime) -> "Subscription":
        return self.model_copy(update={"failure": failure, "retry_at": now + RETRY_SUBSCRIPTION_AFTER})


class LiveDownload(Value):
    """The download by schedule: its cursor is `walk.reached`. It keeps the account's buckets for all downloads."""

    walk: Walk
    search_bucket: Bucket
    get_bucket: Bucket
    last_search: Spender | None = None  # whose turn it was: they take turns while several want calls
    last_run_at: UtcTime | None = None
    last_success_at: UtcTime | None = None
    blocked_until: UtcTime | None = None  # no call to Amazon works: it is asked again then
    retry_at: UtcTime | None = None  # this search does not work: it is made again then
    overdue_verdicts: OverdueVerdicts | None = None
    subscription: Subscription = Subscription()

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
        if self.retry_at and now < self.retry_at:
            return False
        return self.walk.slice is not None or self.last_run_at is None or now >= self.last_run_at + every - TICK / 2


class SetAside(Value):
    """An order in an answer of Amazon's that could not be kept, and why. No personal data.

    One whose ID could be read is asked for again at `retry_at`: it may have been the answer's fault.
    """

    order_id: str
    reason: str
    first_seen_at: UtcTime
    request_id: str | None = None
    retry_at: UtcTime | None = None
    tries: int = 0

    def tried_again(self, now: datetime) -> "SetAside":
        later = RETRY_SET_ASIDE_AFTER[min(self.tries, len(RETRY_SET_ASIDE_AFTER) - 1)]
        return self.model_copy(update={"retry_at": now + later, "tries": self.tries + 1})


RedownloadCause = Literal["requested", "orderChange", "reconciliation"]


class Redownload(Value):
    """An order that Amazon is asked for by its ID, whatever the order's own timetable says, and why.

    A hint says that Amazon changed the order at `changed_at`: it is worth a call until that version is stored.
    """

    order_id: str
    cause: RedownloadCause
    wanted_at: UtcTime
    changed_at: UtcTime | None = None
    retry_at: UtcTime | None = None
    tries: int = 0

    def is_due(self, now: datetime) -> bool:
        return self.retry_at is None or self.retry_at <= now

    def failed(self, now: datetime) -> "Redownload | None":
        """After an answer that brought nothing: it is asked for again later, and given up at last."""
        tries = self.tries + 1
        return None if tries >= GIVEN_UP_AFTER else self.put_off(now).model_copy(update={"tries": tries})

    def put_off(self, now: datetime) -> "Redownload":
        """After no answer at all: however long that lasts, it is asked for afterwards."""
        return self.model_copy(update={"retry_at": now + RETRY_AFTER})

    def is_answered_by(self, stored: datetime | None, reached: datetime) -> bool:
        """Whether its call can be saved: the version is stored, or live downloads have come past it.

        What the second look found was missed by live downloads, however far they are.
        """
        if self.changed_at is None:
            return False
        is_stored = stored is not None and stored >= self.changed_at
        return is_stored or (self.cause == "orderChange" and self.changed_at <= reached)


class Counts(Value):
    """What a download brought so far.

    `held`, `healed` and `partly_filled` (held, but lacking less than before) are what the orders' verdicts will say.
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
    """A download of a past window that a person asked for. It never moves the live cursor."""

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
        """A new download of all that was updated since. Its id sorts by time, and ends with the suffix."""
        return cls(
            download_id=id_made_at(now, suffix),
            updated_after=updated_after,
            updated_before=now - AMAZONS_MARGIN,
            walk=Walk.of_the_past(updated_after, pace),
            requested_by=by,
            requested_at=now,
        )

    def is_asked_for_again_by(self, other: "BackdatedDownload") -> bool:
        """Whether both were requested with one suffix, of the same time on."""
        suffixes = {one.download_id.partition("-")[2] for one in (self, other)}
        return len(suffixes) == 1 and self.updated_after == other.updated_after

    def failed(self, failure: str, now: datetime) -> "BackdatedDownload":
        """After a search that did not work: it is made again later, and given up at last."""
        failures = self.failures + 1
        changes: dict[str, object] = {"failures": failures, "failure": failure, "retry_at": now + RETRY_AFTER}
        if failures >= GIVEN_UP_AFTER:
            changes |= {"status": "failed", "finished_at": now}
        return self.model_copy(update=changes)

    def waiting_for_amazon(self, failure: str, now: datetime) -> "BackdatedDownload":
        """After a search that Amazon did not answer: however long that lasts, the download goes on afterwards."""
        return self.model_copy(update={"failure": failure, "retry_at": now + RETRY_AFTER})

    @property
    def is_over(self) -> bool:
        return self.status in {"finished", "cancelled", "failed"}


def downloaded(
    before: Order | None, amazon: AmazonOrder, integration: str, settings: Settings, at: datetime
) -> Order | None:
    """The order with what Amazon sent on it and its verdict pending; None if that is nothing new.

    Where nothing but Amazon's time of the update is new, and the integration's `settings` would have it judged the
    same, the verdict stands: the order is not stopped for nothing, and not written twice.

    An older version never wins. The same `lastUpdatedTime` with new content does: a role was granted. Absence never
    erases. A redacted order is never filled again, and one whose time is over when it arrives is stored redacted.
    Raises UnreadableOrder if the order belongs to another integration, or is far too large with what is kept of it.
    """
    if before is None:
        order = Order.first_seen(integration, amazon, at)
        overdue = order.redact_at is not None and order.redact_at <= at
        bare = {"amazon": amazon.redacted(), "redacted_at": at, "redaction": TIME_IS_OVER}
        return order.with_(**bare) if overdue else order
    if before.integration != integration:
        raise UnreadableOrder(amazon.order_id, "belongs to another integration")
    if amazon.updated_at < before.amazon.updated_at:
        return None
    merged = before.amazon.updated_with(amazon)
    merged = merged.redacted() if before.redacted_at else merged
    if merged == before.amazon:
        return None
    after = before.with_(amazon=merged.that_can_be_kept(), downloaded_at=at)
    is_touched = differing(before.amazon, merged) == {"updated_at"}
    stands = is_touched and judged(after, settings, at).says_the_same_as(after)
    return after if stands else after.with_(pending_since=at)

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
from datetime import datetime, timedelta

from needs_attention.values.model import Value
from needs_attention.values.times import UtcTime

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

NARROWEST, WIDEST, FIRST = timedelta(seconds=1), timedelta(days=60), timedelta(days=1)
PACE_FADES_IN = timedelta(hours=3)


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
            "served": (*part.served, *map(order_fingerprint, order_ids)),
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


def order_fingerprint(order_id: str) -> str:
    return hashlib.blake2b(order_id.encode(), digest_size=5).hexdigest()

"""How a download walks through a window of Amazon's updates, slice by slice.

Amazon's `searchOrders` allows one call per 178.6 s after a burst of 20, with 100 orders a call (Orders API 2026-01-01).
So a window is walked in slices with an explicit upper bound, each sized to three quarters of a page. A slice's last
page moves the walk on; any failure before that repeats the slice. So an order may be written twice, but none is
skipped.

Amazon documents no sort order. If it pages by offset, an order that is updated during the walk of a slice of several
pages leaves the slice, the others move up, and one that did not change may never be served. So a slice that turns out
longer than a page is cut, and no order can slip between pages. Only a seller with more updates than half-empty pages
can carry gets slices of two pages. These are walked again, cut: at once if an order shows that another may have slipped
(`Unproven`), else when there is quota to spare.
"""

import hashlib
import math
from datetime import datetime, timedelta

from needs_attention.values.model import Value
from needs_attention.values.times import UtcTime

# The model says "at least 2 minutes before the request"; the rest is for clocks that differ.
AMAZONS_MARGIN = timedelta(minutes=2, seconds=10)
# A run looks back from the end of the last one, because Amazon lists some orders minutes after their last update: of
# windows of 15 and 30 minutes "often" (amzn/selling-partner-api-docs#86). It looks back as far as one page allows.
LISTED_LATE = (timedelta(minutes=30), timedelta(minutes=10))
OVERLAP = timedelta(seconds=30)
# Amazon shows no orders that are older (the model; Japan, Australia and Singapore: from 2016).
OLDEST = timedelta(days=730)
PAGE = 100
MOST_EMPTY_PAGES = 3
# With so many orders expected, a page is seldom followed by a second; two pages are seldom followed by a third.
ONE_PAGE, TWO_PAGES = 0.75, 1.85
# A slice of up to this many pages is walked at once; a longer one lets others have their turns in between.
FEW_PAGES = 3

NARROWEST, WIDEST, FIRST = timedelta(seconds=1), timedelta(days=60), timedelta(days=1)
PACE_FADES_IN = timedelta(hours=3)


class Slice(Value):
    """The part of a window that is asked for now. Both bounds are sent, and stay the same for all its pages.

    `served` are fingerprints of the orders on the pages so far.
    """

    after: UtcTime
    before: UtcTime
    is_at_edge: bool = False  # it ends where the window did when it was begun
    may_have_pages: bool = False
    began_at: UtcTime | None = None
    page_token: str | None = None
    empty_pages: int = 0  # in a row
    served: tuple[str, ...] = ()
    pages: int = 0

    def repeats(self, order_ids: tuple[str, ...]) -> bool:
        """Whether the pages before held all orders of this one: then paging goes round in circles.

        A few empty pages in a row are no repetition.
        """
        if not order_ids:
            return self.empty_pages >= MOST_EMPTY_PAGES
        return {*map(order_fingerprint, order_ids)} <= {*self.served}


class Pace(Value):
    """The number of orders that Amazon lists in a time, over about the last hours: older ones count less and less."""

    orders: float = 0.0
    seconds: float = 0.0

    def after(self, orders: float, width: timedelta) -> "Pace":
        kept = 0.5 ** (width / PACE_FADES_IN)
        return Pace(orders=self.orders * kept + orders, seconds=self.seconds * kept + width.total_seconds())

    def at_least(self, orders: int, width: timedelta) -> "Pace":
        """After a slice that held more than expected: the past says little about a burst."""
        return self if self.orders_in(width) >= orders else Pace(orders=orders, seconds=width.total_seconds())

    def orders_in(self, window: timedelta) -> float:
        """The number of orders that a window of this length may hold; 0 while nothing is known."""
        return self.orders / self.seconds * window.total_seconds() if self.seconds else 0.0

    def slices_in(self, window: timedelta) -> float:
        """How many slices of one page a window of that length takes."""
        return self.orders_in(window) / (PAGE * ONE_PAGE)

    def width_of(self, pages: float) -> timedelta:
        """The length of a slice that holds this many pages."""
        a_day = self.orders_in(timedelta(days=1))
        days = min(PAGE * pages / a_day, WIDEST / timedelta(days=1)) if a_day else WIDEST / timedelta(days=1)
        return max(timedelta(days=days), NARROWEST)


class Walk(Value):
    """The progress of a download: every order that Amazon updated before `reached` is in the table."""

    reached: UtcTime
    width: timedelta = FIRST
    slice: Slice | None = None
    looks_back: bool = True
    was_restarted: bool = False
    pace: Pace = Pace()
    crowded_before: UtcTime | None = None  # looking back past this time filled a page

    @classmethod
    def of_the_past(cls, start: datetime, pace: Pace) -> "Walk":
        """A walk from `start`. It finds the width of its slices on the way."""
        return cls(reached=start, pace=pace)

    def next_slice(
        self, until: datetime, *, may_have_pages: bool = False, is_listed_late: bool = False
    ) -> Slice | None:
        """The slice to ask for now: the one that has begun, else the next before `until`; None if nothing is left.

        `is_listed_late`: Amazon may still list orders in the time before `reached`, so it looks back further. The
        bounds are in whole seconds, as in all of Amazon's examples.
        """
        if self.slice:
            return self.slice
        end = until.replace(microsecond=0)
        width = min(self.width, self.pace.width_of(TWO_PAGES if may_have_pages else ONE_PAGE))
        before = min((self.reached + width).replace(microsecond=0), end)
        if before <= self.reached:
            return None
        after = self.reached
        if self.looks_back:
            after -= self._look_back(before) if is_listed_late else OVERLAP
        return Slice(after=after, before=before, is_at_edge=before == end, may_have_pages=may_have_pages)

    def _look_back(self, before: datetime) -> timedelta:
        """As far as the slice is expected to hold a page at most, so that it seldom costs a call."""
        new = before - self.reached
        fitting = (it for it in LISTED_LATE if self.pace.orders_in(new + it) <= PAGE * ONE_PAGE)
        found = next(fitting, OVERLAP)
        return max(min(found, self.reached - self.crowded_before), OVERLAP) if self.crowded_before else found

    def pages_expected(self, part: Slice) -> int:
        """The number of calls that the slice may take."""
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
            seen, new = len(part.served) + len(order_ids), part.before - self.reached
            reached = min(part.before, answered_before or part.before)
            # Or an answer that ends before the slice began would walk backwards for ever.
            reached = max(reached, self.reached)
            # The time before `reached` has counted already.
            pace = self.pace.after(seen * (new / (part.before - part.after)), new)
            expected = self.pace.orders_in(part.before - part.after)
            if seen < expected / 4 and expected - seen > 1.9 * math.sqrt(expected):  # too few for chance
                # The busy time is over. Do not wait for the average: a wrong guess only costs a cut.
                pace = pace.model_copy(update={"orders": pace.orders / 2})
            # A slice that ended with the window does not speak against the planned width.
            width = min(max((part.before - part.after) * 2, self.width), WIDEST)
            return Walk(
                reached=reached,
                width=width,
                pace=pace,
                looks_back=part.is_at_edge,
                crowded_before=self.crowded_before,
            )
        looked_back = self.reached - part.after > OVERLAP
        # A page that is not half full and still names another is odd: it says nothing of a crowd.
        is_odd = looked_back and len(order_ids) < PAGE / 2
        if part.pages == 0 and part.before - self.reached > NARROWEST and self._must_be_cut(part) and not is_odd:
            if looked_back:
                # What was looked back at filled the page: that says nothing about the new part.
                update = {"slice": None, "was_restarted": False, "crowded_before": self.reached}
                return self.model_copy(update=update)
            # The orders of this page are stored already.
            is_surprise = self.pace.orders_in(part.before - part.after) < PAGE / 2
            width = max((part.before - self.reached) / (4 if is_surprise else 2), NARROWEST)
            pace = self.pace.at_least(PAGE, part.before - part.after)
            return self.model_copy(update={"width": width, "slice": None, "was_restarted": False, "pace": pace})
        further = {
            "began_at": part.began_at or now,
            "page_token": next_token,
            "empty_pages": 0 if order_ids else part.empty_pages + 1,
            "served": (*part.served, *map(order_fingerprint, order_ids)),
            "pages": part.pages + 1,
            "may_have_pages": part.may_have_pages or is_odd,
        }
        return self.model_copy(update={"slice": part.model_copy(update=further)})

    def _must_be_cut(self, part: Slice) -> bool:
        """Whether to cut the slice. Its pages are only walked if it may have several, and about as many as expected."""
        is_expected = PAGE / 2 <= self.pace.orders_in(part.before - part.after) <= PAGE * 3
        return not (part.may_have_pages and is_expected)

    def restarted(self) -> "Walk":
        """The walk after a page token has expired: the slice starts again from its first page."""
        return self.model_copy(update={"slice": None, "was_restarted": True})

    def begun(self, part: Slice) -> "Walk":
        """With the slice kept for the next try: an answer of 400 may be the fault of Amazon or our clock, and pass."""
        return self.model_copy(update={"slice": part})

    def calls_to(self, until: datetime) -> int:
        """The approximate number of calls for the rest of the window: slices double until they hold about a page."""
        left = until - self.reached
        widest = self.pace.width_of(ONE_PAGE)
        width, calls = min(self.width, widest), 0
        while left > timedelta() and width < widest:
            left, width, calls = left - width, min(width * 2, widest), calls + 1
        return calls + max(math.ceil(left / widest), 0)


def order_fingerprint(order_id: str) -> str:
    return hashlib.blake2b(order_id.encode(), digest_size=5).hexdigest()

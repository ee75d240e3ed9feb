"""Slices of several pages, and what shows that no order slipped between two of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from needs_attention.downloads.quota import GIVEN_UP_AFTER, RETRY_AFTER
from needs_attention.downloads.walk import OVERLAP, Pace, Slice, Walk, order_fingerprint
from needs_attention.values.model import Value
from needs_attention.values.times import UtcTime

# How many slices are remembered: a seller without quota to spare never comes to walk them all again, and an item of
# DynamoDB's holds 400 KB. A slice that is to be proven takes about 3 KB.
MOST_AGAIN, MOST_UNPROVEN = 100, 40


# How far apart Amazon's clock and ours may be.
CLOCKS_DIFFER = timedelta(seconds=10)


class Unproven(Value):
    """A slice of several pages: something slipped between them if one of its orders was updated meanwhile."""

    after: UtcTime
    before: UtcTime
    began_at: UtcTime
    ended_at: UtcTime
    orders: tuple[str, ...]

    @classmethod
    def left_by(cls, part: Slice, last_page: tuple[str, ...], now: datetime) -> "Unproven | None":
        """What remains unproven of a slice once its last page is stored; None if it has one page only."""
        if not part.pages:
            return None
        orders = (*part.served, *map(order_fingerprint, last_page))
        return cls(after=part.after, before=part.before, began_at=part.began_at or now, ended_at=now, orders=orders)

    def is_contradicted_by(self, versions: Mapping[str, datetime]) -> bool:
        """Whether an order of the slice, by ID and time of its last update, was updated while it was walked."""
        served = set(self.orders)
        began, ended = self.began_at - CLOCKS_DIFFER, self.ended_at + CLOCKS_DIFFER
        return any(began <= at <= ended and order_fingerprint(order_id) in served for order_id, at in versions.items())


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

"""Slices of several pages, and the proof that no order slipped between two pages."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from needs_attention.downloads.quota import GIVEN_UP_AFTER, RETRY_AFTER
from needs_attention.downloads.walk import OVERLAP, Pace, Slice, Walk, order_fingerprint
from needs_attention.values.model import Value
from needs_attention.values.times import UtcTime

# The number of slices that are remembered. A seller without spare quota never walks them all again, and a DynamoDB item
# holds 400 KB; an unproven slice takes about 3 KB.
MOST_AGAIN, MOST_UNPROVEN = 100, 40

# The most that Amazon's clock and ours may differ.
CLOCKS_DIFFER = timedelta(seconds=10)


class Unproven(Value):
    """A slice of several pages. If one of its orders was updated meanwhile, another may have slipped between them."""

    after: UtcTime
    before: UtcTime
    began_at: UtcTime
    ended_at: UtcTime
    orders: tuple[str, ...]

    @classmethod
    def left_by(cls, part: Slice, last_page: tuple[str, ...], now: datetime) -> "Unproven | None":
        """A slice whose last page is stored, still unproven; None if it had a single page."""
        if not part.pages:
            return None
        orders = (*part.served, *map(order_fingerprint, last_page))
        return cls(after=part.after, before=part.before, began_at=part.began_at or now, ended_at=now, orders=orders)

    def is_contradicted_by(self, versions: Mapping[str, datetime]) -> bool:
        """Whether an order of the slice was updated during its walk. `versions`: order ID to time of last update."""
        served = set(self.orders)
        began, ended = self.began_at - CLOCKS_DIFFER, self.ended_at + CLOCKS_DIFFER
        return any(began <= at <= ended and order_fingerprint(order_id) in served for order_id, at in versions.items())


class Again(Value):
    """A part of a window to walk again, because an order may have slipped: at once, or when there is quota."""

    before: UtcTime
    walk: Walk
    is_urgent: bool
    retry_at: UtcTime | None = None
    failures: int = 0  # in a row


class Proofs(Value):
    """The slices of several pages that an order may still contradict, and the parts to walk again."""

    unproven: tuple[Unproven, ...] = ()
    again: tuple[Again, ...] = ()

    def with_walked(self, walked: Unproven) -> "Proofs":
        """A slice of several pages is walked again, cut, when there is quota: a slipped order does not always show."""
        return self._with_again(walked, is_urgent=False)._watching((*self.unproven, walked))

    def with_versions(self, versions: Mapping[str, datetime]) -> "Proofs":
        """With the slices that a page's orders contradict moved to the parts to walk again, urgently."""
        later = self
        for one in self.unproven:
            if one.is_contradicted_by(versions):
                later = later._with_again(one, is_urgent=True)
        return later._watching([one for one in self.unproven if not one.is_contradicted_by(versions)])

    def _watching(self, unproven: Sequence[Unproven]) -> "Proofs":
        return self.model_copy(update={"unproven": tuple(unproven[-MOST_UNPROVEN:])})

    def _with_again(self, slipped: Unproven, *, is_urgent: bool) -> "Proofs":
        """A part that follows on one that waits already joins it."""
        again = list(self.again)
        for place, one in enumerate(again):
            is_next = one.before - OVERLAP <= slipped.after <= one.before
            if is_next and one.is_urgent == is_urgent and one.walk.slice is None:
                again[place] = one.model_copy(update={"before": slipped.before})
                return self.model_copy(update={"again": tuple(again)})
        pace = Pace().after(len(slipped.orders), slipped.before - slipped.after)
        walk = Walk(reached=slipped.after, looks_back=False, pace=pace)
        return self._with_parts((*again, Again(before=slipped.before, walk=walk, is_urgent=is_urgent)))

    def with_parts_of(self, other: "Proofs") -> "Proofs":
        """With the parts that another integration of the seller was to walk again, from the beginning of their slices.

        Amazon's page tokens may be good for the other's credentials alone.
        """
        from_their_start = (
            one.model_copy(update={"walk": one.walk.model_copy(update={"slice": None})}) for one in other.again
        )
        return self._with_parts((*self.again, *(one for one in from_their_start if one not in self.again)))

    def _with_parts(self, again: Iterable[Again]) -> "Proofs":
        # The urgent first, then the latest. The oldest find no place, and are left to the second look.
        by_urgency = sorted(again, key=lambda one: (not one.is_urgent, -one.before.timestamp()))
        return self.model_copy(update={"again": tuple(by_urgency[:MOST_AGAIN])})

    def next_again(self, now: datetime) -> Again | None:
        """The next part to walk again, the urgent first."""
        return next((one for one in self.again if not (one.retry_at and now < one.retry_at)), None)

    def with_walk(self, walk: Walk, later: Walk) -> "Proofs":
        """With the progress of a walk; its part is done when nothing of it is left."""
        went_on = {"walk": later, "failures": 0}
        moved = (one.model_copy(update=went_on) if one.walk == walk else one for one in self.again)
        left = tuple(one for one in moved if one.walk != later or one.walk.next_slice(one.before))
        return self.model_copy(update={"again": left})

    def postponed(self, walk: Walk, now: datetime, *, is_at_fault: bool) -> "Proofs":
        """After a search that failed: it is repeated later, and holds up no live download meanwhile.

        If the search itself is at fault, it is left to the second look after the last try.
        """

        def later(one: Again) -> Again:
            return one.model_copy(update={"retry_at": now + RETRY_AFTER, "failures": one.failures + is_at_fault})

        again = (later(one) if one.walk == walk else one for one in self.again)
        return self.model_copy(update={"again": tuple(one for one in again if one.failures < GIVEN_UP_AFTER)})

    def watched(self, reached: datetime) -> "Proofs":
        """Once live downloads are past the time of a walk, what was updated during it has come, or will have again."""
        return self._watching([one for one in self.unproven if one.ended_at + CLOCKS_DIFFER >= reached])

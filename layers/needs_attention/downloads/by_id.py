"""Single orders that Amazon is asked for by ID: those that were set aside, and those that somebody or a hint wants."""

from datetime import datetime, timedelta
from typing import Literal

from needs_attention.downloads.quota import GIVEN_UP_AFTER, RETRY_AFTER
from needs_attention.downloads.walk import LISTED_LATE
from needs_attention.values.model import Value
from needs_attention.values.times import UtcTime

RETRY_SET_ASIDE_AFTER = tuple(timedelta(minutes=minutes) for minutes in (15, 60, 6 * 60, 24 * 60))


class SetAside(Value):
    """An order in an answer of Amazon's that could not be kept, and the reason. It has no personal data.

    If its ID could be read, the order is asked for again at `retry_at`: the answer may have been at fault.
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
    """An order that Amazon is asked for by its ID, regardless of the order's own timetable, and the cause.

    A hint says that Amazon changed the order at `changed_at`: it is worth a call until that version is stored. It may
    name the seller.
    """

    order_id: str
    cause: RedownloadCause
    wanted_at: UtcTime
    changed_at: UtcTime | None = None
    seller_id: str | None = None
    retry_at: UtcTime | None = None
    tries: int = 0

    def is_due(self, now: datetime) -> bool:
        return self.retry_at is None or self.retry_at <= now

    def failed(self, now: datetime) -> "Redownload | None":
        """After an answer without the order: it is asked for again later, and given up after the last try."""
        tries = self.tries + 1
        return None if tries >= GIVEN_UP_AFTER else self.put_off(now).model_copy(update={"tries": tries})

    def put_off(self, now: datetime) -> "Redownload":
        """After no answer at all: it is asked for afterwards, however long that lasts."""
        return self.model_copy(update={"retry_at": now + RETRY_AFTER})

    def is_answered_by(self, stored: datetime | None, reached: datetime) -> bool:
        """Whether the call is unnecessary: the version is stored, or live downloads have long passed it.

        Live downloads miss orders that Amazon lists late. They missed those that the second look found, so their
        progress says nothing about those.
        """
        if self.changed_at is None:
            return False
        is_stored = stored is not None and stored >= self.changed_at
        return is_stored or (self.cause == "orderChange" and self.changed_at <= reached - max(LISTED_LATE))

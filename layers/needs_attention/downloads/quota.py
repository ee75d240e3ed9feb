"""Amazon's quota for one operation, as far as it is known, and the wait after a failed call."""

from datetime import datetime, timedelta

from needs_attention.downloads.walk import Pace
from needs_attention.values.model import Value
from needs_attention.values.times import UtcTime

# Times are kept in milliseconds, so the returned tokens are known a little inexactly.
TIMES_ARE_EXACT_TO = timedelta(milliseconds=1)

# A failed call is repeated this often; a backdated download is given up after so many failures in a row.
RETRY_AFTER = timedelta(minutes=5)
GIVEN_UP_AFTER = 12


class Bucket(Value):
    """Amazon's token bucket for one operation, as far as we know it: `rate` calls per second, at most `burst` saved."""

    rate: float
    burst: int
    tokens: float
    at: UtcTime
    was_full: bool = False  # when the last token was taken

    @classmethod
    def full(cls, rate: float, burst: int, at: datetime) -> "Bucket":
        return cls(rate=rate, burst=burst, tokens=burst, at=at)

    def take(self, now: datetime) -> "Bucket | None":
        """The bucket with one token less, or None if it is empty."""
        tokens = self.tokens_at(now)
        if tokens < 1:
            return None
        return self.model_copy(update={"tokens": tokens - 1, "at": now, "was_full": tokens >= self.burst})

    def tokens_at(self, now: datetime) -> float:
        passed = max(now - self.at - TIMES_ARE_EXACT_TO, timedelta())
        return min(self.burst, self.tokens + self.rate * passed.total_seconds())

    def can_carry(self, pace: Pace, share: float) -> bool:
        """Whether this share of the calls is enough for slices of about a page, with some to spare."""
        return pace.slices_in(timedelta(hours=1)) < 0.8 * self.rate * 3600 * share

    def is_half_full(self, now: datetime) -> bool:
        return self.tokens_at(now) >= self.burst / 2

    def is_brimming(self, now: datetime) -> bool:
        """Whether the next token would be the last that it can hold: a call that is not made now is lost."""
        return self.tokens_at(now) >= self.burst - 1

    def next_token_at(self, now: datetime) -> datetime:
        return self._holds_at(1, now)

    def half_full_at(self, now: datetime) -> datetime:
        return self._holds_at(self.burst / 2, now)

    def brimming_at(self, now: datetime) -> datetime:
        return self._holds_at(self.burst - 1, now)

    def _holds_at(self, wanted: float, now: datetime) -> datetime:
        """When it holds so many tokens, if none is taken: `now`, or later."""
        return now + timedelta(seconds=max(wanted - self.tokens_at(now), 0) / self.rate)

    def answered(self, now: datetime, rate: float | None) -> "Bucket":
        """With the rate in the answer's `x-amzn-RateLimit-Limit`, if it named one.

        Amazon's bucket begins to fill again when the call arrives there: now at the latest.
        """
        known = self.model_copy(update={"rate": rate}) if rate else self
        return known.model_copy(update={"at": now, "was_full": False}) if self.was_full else known

    def shared_with(self, other: "Bucket", now: datetime) -> "Bucket":
        """The bucket of a seller whose quota two have spent, each as if it had all of it."""
        spent_by_other = self.burst - other.tokens_at(now)
        return self.model_copy(update={"tokens": max(self.tokens_at(now) - spent_by_other, 0.0), "at": now})

    def emptied(self, now: datetime) -> "Bucket":
        """After Amazon's 429: the tokens that seemed to be left are gone."""
        return self.model_copy(update={"tokens": 0, "at": now})

"""The download by schedule: its progress, whose turn the next search is, and the subscription to notifications."""

from datetime import datetime, timedelta
from typing import Literal

from needs_attention.downloads.quota import Bucket
from needs_attention.downloads.walk import AMAZONS_MARGIN, Walk
from needs_attention.values.model import Value
from needs_attention.values.times import UtcTime

# How often the schedule looks which integrations are due (template.yaml).
TICK = timedelta(minutes=1)

# Only people can remove the reason why Amazon refuses a subscription.
RETRY_SUBSCRIPTION_AFTER = timedelta(hours=1)
SUBSCRIPTION_CONFIRMED_EVERY = timedelta(days=1)

Spender = Literal["live", "again", "backdated"]
SPENDERS: tuple[Spender, ...] = ("live", "again", "backdated")


class OverdueVerdicts(Value):
    """Verdicts that did not come and were requested again: a stream record was lost, or cannot be judged."""

    orders: int
    found_at: UtcTime


class Subscription(Value):
    """The seller's subscription to Amazon's `ORDER_CHANGE` notifications, or the reason why there is none.

    Other credentials may be another seller's, who has another subscription.
    """

    subscription_id: str | None = None
    credentials_version: str | None = None
    confirmed_at: UtcTime | None = None
    failure: str | None = None
    retry_at: UtcTime | None = None

    def is_in_order(self, now: datetime, credentials_version: str | None, *, is_wanted: bool) -> bool:
        """Whether it needs nothing now.

        A wanted subscription is confirmed each day, because Amazon may have lost it, and after a change of credentials.
        """
        if self.retry_at and now < self.retry_at:
            return is_wanted or self.subscription_id is not None  # an unwanted one may be forgotten at once
        if not is_wanted:
            return self == Subscription()
        if self.credentials_version != credentials_version:
            return False
        return self.confirmed_at is not None and now < self.confirmed_at + SUBSCRIPTION_CONFIRMED_EVERY

    def failed(self, failure: str, now: datetime) -> "Subscription":
        return self.model_copy(update={"failure": failure, "retry_at": now + RETRY_SUBSCRIPTION_AFTER})


class LiveDownload(Value):
    """The download by schedule. Its cursor is `walk.reached`; it keeps the account's buckets for all downloads."""

    walk: Walk
    search_bucket: Bucket
    get_bucket: Bucket
    last_search: Spender | None = None  # they take turns while several want calls
    last_run_at: UtcTime | None = None
    last_success_at: UtcTime | None = None
    blocked_until: UtcTime | None = None  # no call to Amazon works before this time
    retry_at: UtcTime | None = None  # the live search failed, and is repeated then
    overdue_verdicts: OverdueVerdicts | None = None
    subscription: Subscription = Subscription()

    @classmethod
    def starting(cls, at: datetime) -> "LiveDownload":
        """It starts now. A backdated download brings the past, so that new orders do not wait behind old ones."""
        return cls(
            walk=Walk(reached=at - AMAZONS_MARGIN, width=timedelta(hours=1)),
            search_bucket=Bucket.full(0.0056, 20, at),
            get_bucket=Bucket.full(0.5, 30, at),
        )

    def is_due(self, now: datetime, every: timedelta) -> bool:
        return self.due_at(now, every) <= now

    def due_at(self, now: datetime, every: timedelta) -> datetime:
        """When the next live search may begin: `now`, or later.

        Half a tick early is better than a whole tick late: the schedule's ticks are never quite even.
        """
        is_under_way = self.walk.slice is not None
        wanted = now if is_under_way or self.last_run_at is None else self.last_run_at + every - TICK / 2
        return max(now, wanted, self.retry_at or now)

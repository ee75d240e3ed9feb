"""The state of one run: what it read once when it began, and when it writes down what has changed since."""

from datetime import datetime
from typing import Any, Literal

from needs_attention.amazon.errors import SpApiError
from needs_attention.downloads.live import Spender
from needs_attention.downloads.proofs import Proofs
from needs_attention.downloads.quota import RETRY_AFTER, Bucket
from needs_attention.downloads.second_look import Reconciliation
from needs_attention.downloads.walk import FEW_PAGES, Slice, Walk
from needs_attention.integrations.standing import IntegrationState
from needs_attention.jobs.download.connection import ConnectionHealth
from needs_attention.tables.downloads import DownloadStateStore

BucketName = Literal["search_bucket", "get_bucket"]


class RunState:
    """How the downloads of an integration stand now. Nobody else writes that while the run lasts."""

    def __init__(self, downloads: DownloadStateStore, read: IntegrationState, health: ConnectionHealth) -> None:
        self._downloads = downloads
        self.integration = read.integration
        self.integration_id = read.integration.integration_id
        self.live = self._stored_live = read.live
        self.proofs = read.proofs
        self.reconciliation = read.reconciliation
        self.health = health
        self.live_waits_for_quota = False
        self._spent_from: BucketName = "search_bucket"

    # The connection

    def is_blocked(self, now: datetime) -> bool:
        """Whether Amazon is left alone for now, because no call worked."""
        return self.live.blocked_until is not None and now < self.live.blocked_until

    def fails(self, error: SpApiError, now: datetime) -> None:
        """No call works: this opens an incident, and leaves Amazon alone for a while."""
        self.health.fails(error, now)
        self.keep(blocked_until=now + RETRY_AFTER)

    def works(self, now: datetime, **also: object) -> None:
        """Amazon answered a call: whatever kept it from doing so is over."""
        self.health.works(now)
        self.keep(blocked_until=None, last_success_at=now, **also)

    # The quota

    def takes_search_token(self, spender: Spender, now: datetime, walk: Walk, part: Slice) -> bool:
        """Begins a slice only with tokens for all of its pages: the longer it takes, the more orders change."""
        wanted = min(walk.pages_expected(part), FEW_PAGES)
        if part.pages == 0 and self.live.search_bucket.tokens_at(now) < wanted:
            return False
        return self.takes_token("search_bucket", now, last_search=spender)

    def takes_token(self, name: BucketName, now: datetime, **also: Any) -> bool:
        """Takes a token from the bucket and writes that down before the call, so that a crash loses only a token."""
        bucket: Bucket | None = getattr(self.live, name).take(now)
        self._spent_from = name
        if bucket is not None:
            self.keep(**{name: bucket}, **also)
        return bucket is not None

    def has_exceeded_quota(self, rate: float | None, now: datetime) -> None:
        """Amazon answered 429 to the call that the last token was for."""
        bucket: Bucket = getattr(self.live, self._spent_from)
        self.keep(**{self._spent_from: bucket.answered(now, rate).emptied(now)})
        self.live_waits_for_quota = self._spent_from == "search_bucket"

    # Writes

    def keep(self, **changes: object) -> None:
        """Changes the live download, and writes it if it differs from what is stored."""
        self.note(**changes)
        if self.live != self._stored_live:
            self._downloads.save_live_download(self.integration_id, self.live)
            self._stored_live = self.live

    def note(self, **changes: object) -> None:
        """Changes the live download without a write of its own: the next `keep` writes it.

        This is for what Amazon says of the quota, which it says again if that write never comes.
        """
        self.live = self.live.model_copy(update=changes)

    def keep_proofs(self, proofs: Proofs) -> None:
        if proofs != self.proofs:
            self._downloads.save_proofs(self.integration_id, proofs)
            self.proofs = proofs

    def keep_reconciliation(self, reconciliation: Reconciliation) -> None:
        self._downloads.save_reconciliation(self.integration_id, reconciliation)
        self.reconciliation = reconciliation

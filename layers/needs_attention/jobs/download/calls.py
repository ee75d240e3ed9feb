"""A run's calls to Amazon for orders: stores the orders of each answer, and notes what it says of the quota."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from aws_lambda_powertools import Logger

from needs_attention.amazon.client import SellingPartnerApi
from needs_attention.amazon.errors import (
    AccessDenied,
    AmazonUnavailable,
    PageTokenRejected,
    RequestRejected,
    UnreadableAnswer,
)
from needs_attention.downloads.backdated import Counts
from needs_attention.downloads.proofs import Unproven
from needs_attention.downloads.walk import Slice, Walk
from needs_attention.integrations.integration import Integration
from needs_attention.jobs.download.intake import Intake, Taken, Written
from needs_attention.jobs.download.run_state import RunState

# The fault of one search need not be a fault of others.
THIS_SEARCH_FAILS = (RequestRejected, UnreadableAnswer)
# The next live search tells whether no call works, or only this one.
NO_ANSWER = (AccessDenied, AmazonUnavailable)

logger = Logger(child=True)


class StoredPage(NamedTuple):
    """What a page brought: the walk after it, what was counted and written, and whether its slice is done."""

    walk: Walk
    counts: Counts
    written: tuple[Written, ...]
    ends_slice: bool


class Calls:
    """Asks for orders, page by page or by ID. Whoever calls takes a token first."""

    def __init__(
        self,
        amazon_for: Callable[[Integration], SellingPartnerApi],
        intake: Intake,
        state: RunState,
        now: Callable[[], datetime],
    ) -> None:
        self._amazon_for = amazon_for
        self._intake = intake
        self._state = state
        self._now = now
        self.have_stored = False  # new or changed orders

    @cached_property
    def amazon(self) -> SellingPartnerApi:
        """Read only when it is needed: a paused integration may have no credentials. Raises CredentialsUnreadable."""
        return self._amazon_for(self._state.integration)

    def page(self, walk: Walk, part: Slice, *, cause: str, keep: Callable[[Walk], None]) -> StoredPage:
        """Asks for the next page of the walk's slice and stores it; answers with the walk once that is done."""
        state = self._state
        try:
            page = self.amazon.search_orders(
                marketplace_ids=state.integration.marketplace_ids,
                updated_after=part.after,
                updated_before=part.before,
                pagination_token=part.page_token,
            )
        except PageTokenRejected:
            keep(walk.restarted())
            if walk.was_restarted:
                raise  # a token that is only too old is rejected once
            return StoredPage(walk.restarted(), Counts(), (), ends_slice=False)
        except RequestRejected:
            keep(walk.begun(part))
            raise
        order_ids = tuple(str(raw.get("orderId")) for raw in page.orders if isinstance(raw, dict))
        if part.repeats(order_ids):
            keep(walk.restarted())
            raise UnreadableAnswer(f"page {part.pages + 1} repeats the pages before it", request_id=page.request_id)
        state.note(search_bucket=state.live.search_bucket.answered(self._now(), page.rate_limit))
        taken = self._take(page.orders, cause=cause, request_id=page.request_id)
        if page.failure:
            raise UnreadableAnswer(page.failure)  # the walk stays: the page may lack orders
        counted = taken.counts.model_dump(exclude={"pages"})
        logger.info("page stored", integration=state.integration_id, cause=cause, request_id=page.request_id, **counted)
        now = self._now()
        proofs = state.proofs.with_versions(taken.versions)
        # What could not be cut has a second's updates on several pages: walking it again would be no safer.
        if part.may_have_pages and page.next_token is None and (walked := Unproven.left_by(part, order_ids, now)):
            proofs = proofs.with_walked(walked)
        state.keep_proofs(proofs)
        after = walk.after_page(part, order_ids, page.next_token, page.last_updated_before, now)
        return StoredPage(after, taken.counts + Counts(pages=1), taken.written, ends_slice=page.next_token is None)

    def order(self, order_id: str, *, cause: str) -> Taken:
        """Asks for one order by ID and stores it. Raises an SpApiError."""
        answer = self.amazon.get_order(order_id)
        self._state.note(get_bucket=self._state.live.get_bucket.answered(self._now(), answer.rate_limit))
        return self._take([answer.order], cause=cause, request_id=answer.request_id)

    def _take(self, raw_orders: Iterable[object], *, cause: str, request_id: str | None) -> Taken:
        taken = self._intake.take(
            self._state.integration, raw_orders, cause=cause, request_id=request_id, now=self._now()
        )
        self._state.health.has_brought(taken.written, self._now())
        self.have_stored = self.have_stored or bool(taken.written)
        return taken

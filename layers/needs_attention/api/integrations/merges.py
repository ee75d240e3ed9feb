"""Merges a removed integration into another one of the same seller."""

from contextlib import suppress
from datetime import datetime
from typing import TypedDict

from needs_attention.api.answers import Instant
from needs_attention.api.callers import Caller
from needs_attention.api.integrations.requests import MergeRequest
from needs_attention.api.lookup import existing_integration
from needs_attention.api.problems import ATTEMPTS, FieldError, Problem, changed_meanwhile, invalid, not_found
from needs_attention.aws import ChangedMeanwhile
from needs_attention.downloads.second_look import RECONCILED
from needs_attention.downloads.walk import LISTED_LATE, OLDEST
from needs_attention.integrations.integration import Integration
from needs_attention.integrations.merge import Merge
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.integrations import SettingsStore
from needs_attention.values.times import instant
from needs_attention.wake_up_queue import WakeUpQueue


class MergeView(TypedDict):
    """The progress of a merge. `unreadable` names the first orders that cannot be read, and so stay where they are."""

    source: str
    requestedBy: str
    requestedAt: Instant
    beginsAt: Instant
    orders: int
    unreadable: list[str]
    finishedAt: Instant | None


class IntegrationMerges:
    """Merges integrations for one caller at one moment."""

    def __init__(
        self,
        integrations: SettingsStore,
        downloads: DownloadStateStore,
        wake_ups: WakeUpQueue,
        *,
        caller: Caller,
        now: datetime,
    ) -> None:
        self._integrations = integrations
        self._downloads = downloads
        self._wake_ups = wake_ups
        self._caller = caller
        self._now = now

    def merge(self, integration_id: str, request: MergeRequest) -> MergeView:
        """Begins the merge, or goes on with the one that is there already. Raises a 404, 409 or 422."""
        for _ in range(ATTEMPTS):
            target = existing_integration(self._integrations, integration_id)
            source = self._integrations.get(request.source)
            if source is None or source.integration_id == integration_id:
                raise invalid([FieldError("source", "unknownIntegration", "is no other integration")])
            with suppress(ChangedMeanwhile):
                is_begun = source.merged_into == integration_id
                known = self._downloads.merge(integration_id, source.integration_id) if is_begun else None
                merge = (
                    self._gone_on(known, source, target) if known else self._begun(source, target, request.seller_id)
                )
                self._wake_ups.wake(integration_id)
                return merge_view(merge)
        raise changed_meanwhile()

    def _begun(self, source: Integration, target: Integration, seller_id: str | None) -> Merge:
        wrong = _recorded_wrongly(source, target, seller_id)
        if seller_id and wrong:
            source, target = (one.of_seller(seller_id, self._caller.name, self._now) for one in (source, target))
        self._check(source, target)
        merge = Merge(
            source=source.integration_id,
            requested_by=self._caller.name,
            requested_at=self._now,
            missed_since=self._end_of_downloads(source),
        )
        merged = target.with_source(source, self._integrations.stages())
        self._integrations.begin_merge(source, target, merged, merge, wrong=wrong)
        return merge

    def _gone_on(self, merge: Merge, source: Integration, target: Integration) -> Merge:
        """The merge as it is, or started over for orders that could not be read. Raises a 409."""
        # A release that knows no merges has changed the integration, and may have unfrozen it.
        is_forgotten = merge.source not in target.merged_from
        is_repeated = bool(merge.finished_at and merge.unreadable)
        if is_repeated or (is_forgotten and not merge.finished_at):
            _check_is_frozen(target)
        if is_forgotten:
            merged_from = (*target.merged_from, merge.source)
            target = self._integrations.save(target.model_copy(update={"merged_from": merged_from}))
        if is_repeated:
            merge = merge.started_over()
            self._integrations.begin_merge(source, target, target, merge)
        return merge

    def progress(self, integration_id: str) -> MergeView:
        """The merge that is under way, or was the last. Raises a 404."""
        merged_from = existing_integration(self._integrations, integration_id).merged_from
        merge = self._downloads.merge(integration_id, merged_from[-1]) if merged_from else None
        if merge is None:
            raise not_found("merge")
        return merge_view(merge)

    def _end_of_downloads(self, source: Integration) -> datetime:
        """Since when the source may have missed updates, also those of a past that it had not downloaded yet.

        What no second look had come to counts as missed.
        """
        standing = self._downloads.standing(source)
        reached, looked = standing.live.walk.reached, standing.reconciliation
        unfinished = (one for one in self._downloads.backdated_downloads(source.integration_id) if not one.is_over)
        open_since = [
            reached - max(LISTED_LATE),
            looked.looked_at_until if looked else max(reached - RECONCILED, source.registered_at),
            *(one.walk.reached for one in unfinished),
        ]
        return max(min(open_since), self._now - OLDEST)

    def _check(self, source: Integration, target: Integration) -> None:
        if source.merged_into:
            raise Problem(409, f"It was merged into {source.merged_into} before.", code="alreadyMerged")
        for one in (source, target):
            if under_way := self._downloads.merge_under_way(one.integration_id):
                detail = f"The merge of {under_way.source} into {one.integration_id} is not finished."
                raise Problem(409, detail, code="mergeUnderWay")
        if source.deleted_at is None:
            detail = f"Remove the integration {source.integration_id} first, so that it downloads nothing any more."
            raise Problem(409, detail, code="notRemoved")
        if source.credentials_version:
            detail = f"The removal of {source.integration_id} is not finished. Send the DELETE again first."
            raise Problem(409, detail, code="stillBeingRemoved")
        if not source.may_have_the_seller_of(target):
            detail = "The two integrations are not of the same seller and region."
            if source.region == target.region:
                detail += " If a seller was recorded wrongly, send the right one as `sellerId`."
            raise Problem(409, detail, code="otherSeller")
        if source.seller_id is None and target.seller_id is None:
            detail = f"Name the seller first: send `sellerId` to {target.integration_id} with PATCH."
            raise Problem(409, detail, code="noSellerId")
        _check_is_frozen(target)


def _recorded_wrongly(source: Integration, target: Integration, seller_id: str | None) -> Integration | None:
    """The one of the two that has another seller than the one that was sent, if any was. Raises a 422 if both have."""
    wrong = [one for one in (source, target) if seller_id and one.seller_id not in {None, seller_id}]
    if wrong and seller_id not in {source.seller_id, target.seller_id}:
        message = "is on record for neither of the two: PATCH the one that stays first"
        raise invalid([FieldError("sellerId", "otherSeller", message)])
    return next(iter(wrong), None)


def _check_is_frozen(target: Integration) -> None:
    if not target.is_frozen:
        detail = (
            f"Freeze {target.integration_id} first: no order that the source kept may leave before you have looked at "
            "the settings."
        )
        raise Problem(409, detail, code="notFrozen")


def merge_view(merge: Merge) -> MergeView:
    """Leaves out the position, which means nothing to people."""
    return {
        "source": merge.source,
        "requestedBy": merge.requested_by,
        "requestedAt": instant(merge.requested_at),
        "beginsAt": instant(merge.begins_at),
        "orders": merge.orders,
        "unreadable": list(merge.unreadable),
        "finishedAt": instant(merge.finished_at) if merge.finished_at else None,
    }

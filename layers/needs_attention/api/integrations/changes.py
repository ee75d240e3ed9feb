"""Changes that administrators make to integrations: read, change, write only if nobody was faster."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Literal, NotRequired, TypedDict

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from needs_attention.amazon.accounts import AmazonAccounts
from needs_attention.api.callers import Caller
from needs_attention.api.downloads import check_start
from needs_attention.api.integrations.list import IntegrationList
from needs_attention.api.integrations.preview import SettingsPreview, preview
from needs_attention.api.integrations.requests import CredentialsBody, IntegrationPatch, Registration
from needs_attention.api.integrations.views import IntegrationDetails, RejudgementView, rejudgement_view
from needs_attention.api.lookup import existing_integration
from needs_attention.api.operations import IfMatch
from needs_attention.api.problems import ATTEMPTS, Problem, ProblemDetails, changed_meanwhile
from needs_attention.aws import ChangedMeanwhile
from needs_attention.downloads.backdated import BackdatedDownload
from needs_attention.integrations.integration import Integration, Rejudgement
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.integrations.stages import Stages
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.orders import OrderStore
from needs_attention.wake_up_queue import WakeUpQueue

logger = Logger(child=True)


class TriedIntegration(IntegrationDetails):
    """An integration. The answer to a dry run shows it as it would be, with a preview."""

    dryRun: NotRequired[Literal[True]]
    preview: NotRequired[SettingsPreview]


class SellerProblem(ProblemDetails):
    """Why an integration cannot be registered or changed.

    With the code `sellerAlreadyRegistered`, `registeredAs` is the ID of the integration that has the seller.
    """

    registeredAs: NotRequired[str]


class Freeze(TypedDict):
    """Whether the hand-over of all integrations is stopped."""

    isFrozen: bool


class IntegrationChanges:
    """Changes integrations for one caller at one moment."""

    def __init__(  # noqa: PLR0913 - what the function behind the API has, and what came with the request
        self,
        orders: OrderStore,
        integrations: SettingsStore,
        downloads: DownloadStateStore,
        accounts: AmazonAccounts,
        wake_ups: WakeUpQueue,
        *,
        caller: Caller,
        now: datetime,
    ) -> None:
        self._orders = orders
        self._integrations = integrations
        self._downloads = downloads
        self._accounts = accounts
        self._wake_ups = wake_ups
        self._caller = caller
        self._now = now
        self._list = IntegrationList(integrations, downloads)

    def register(self, registration: Registration) -> IntegrationDetails:
        """Registers an integration, or revives a removed one, and wakes its downloads. Raises a 409 or 422."""
        before = self._integrations.get(registration.integration_id)
        if before is not None and before.deleted_at is None:
            detail = f"There is already an integration {registration.integration_id}."
            raise Problem(409, detail, code="alreadyRegistered")
        if before is not None and before.merged_into:
            detail = f"The integration {before.integration_id} was merged into {before.merged_into}. Choose another ID."
            raise Problem(409, detail, code="alreadyMerged")
        if before is not None and before.credentials_version:
            detail = "The removal of this integration is not finished. Send the DELETE again first."
            raise Problem(409, detail, code="stillBeingRemoved")
        wanted = registration.integration(before, self._integrations.stages(), self._now)
        wanted = wanted.of_seller(registration.seller_id, self._caller.name, self._now)
        if before is not None:
            _check_is_the_same_seller(before, wanted)
        self._check_seller_is_free(wanted, before)
        self._check_download_start(wanted.settings)
        start, history = wanted.settings.download_orders_updated_after, None
        if start is not None:
            pace = self._downloads.live_download(wanted).walk.pace
            history = BackdatedDownload.requested(start, pace, by=self._caller.name, now=self._now)
        with self._with_credentials(wanted.integration_id, registration.credentials, in_use=None) as version:
            named = wanted.model_copy(update={"credentials_version": version})
            try:
                integration = self._integrations.save_with_names(named, before, history)
            except ChangedMeanwhile:
                self._check_seller_is_free(wanted, before)
                raise
        self._wake_ups.wake(integration.integration_id)
        return self._list.details(integration, self._now)

    def patch(self, integration_id: str, patch: IntegrationPatch, if_match: IfMatch) -> IntegrationDetails:
        """Applies the patch, and wakes the integration's downloads. Raises a 404, 409, 412 or 422.

        New settings start a rejudgement over that is under way: it has judged orders by the ones before.
        """

        def patched(integration: Integration) -> Integration:
            return self._patched(integration, patch, self._integrations.stages())

        if patch.credentials is None:
            changed = self._changed(integration_id, patched, if_match)
        else:
            known = existing_integration(self._integrations, integration_id)
            self._check(patched(known), known)  # what is wrong is refused before the credentials are stored
            in_use = known.credentials_version
            with self._with_credentials(integration_id, patch.credentials, in_use=in_use) as version:
                named = {"credentials_version": version}
                changed = self._changed(integration_id, lambda one: patched(one).model_copy(update=named), if_match)
        if patch.settings and self._is_rejudging(integration_id):
            self._begin_rejudgement(integration_id, self._integrations.stages())
        self._wake_ups.wake(integration_id)
        return self._list.details(changed, self._now)

    def tried(self, integration_id: str, patch: IntegrationPatch) -> TriedIntegration:
        """The integration as the patch would make it, with a preview. Raises a 404, 409 or 422."""
        stages = self._integrations.stages()
        integration = existing_integration(self._integrations, integration_id)
        wanted = self._patched(integration, patch, stages)
        self._check_download_start(wanted.settings)
        self._check_seller_of(wanted, integration)
        found = preview(self._orders, integration, wanted.settings, stages.stages, self._now)
        return {**self._list.details(wanted, self._now), "dryRun": True, "preview": found}

    def rejudge(self, integration_id: str) -> RejudgementView:
        """Asks for new verdicts on the orders in all Stages. Raises a 404."""
        existing_integration(self._integrations, integration_id)
        job = self._begin_rejudgement(integration_id, self._integrations.stages())
        self._wake_ups.wake(integration_id)
        return rejudgement_view(job)

    def remove(self, integration_id: str, if_match: IfMatch) -> None:
        """Removes the integration, then its credentials. Raises a 404, 409 or 412.

        Amazon's notifications must have ended before: that needs the credentials.
        """
        known = self._integrations.get(integration_id)
        if known is not None and known.deleted_at:
            self._forget_credentials(known)  # nothing else finishes a removal that died half-way
        integration = existing_integration(self._integrations, integration_id)
        subscription = self._downloads.live_download(integration).subscription
        if subscription.subscription_id is not None and subscription.failure is None:
            detail = "Amazon still sends its notifications. Set orderChangeNotifications to false, and wait a moment."
            raise Problem(409, detail, code="stillSubscribed")
        gone = {"deleted_at": self._now}
        self._forget_credentials(self._changed(integration_id, lambda one: one.model_copy(update=gone), if_match))

    def freeze(self, integration_id: str, if_match: IfMatch) -> IntegrationDetails:
        """Stops the hand-over of the integration's orders. Raises a 404, 409 or 412."""
        return self._with_freeze(integration_id, if_match, lambda one: one.model_copy(update={"is_frozen": True}))

    def unfreeze(self, integration_id: str, if_match: IfMatch) -> IntegrationDetails:
        """Lets the integration's orders be handed over again. Raises a 404, 409 or 412."""
        return self._with_freeze(integration_id, if_match, self._unfrozen)

    def freeze_all(self) -> Freeze:
        """Stops the hand-over of all orders."""
        self._integrations.freeze_all(self._caller.name, self._now)
        return {"isFrozen": True}

    def unfreeze_all(self) -> Freeze:
        """Lets orders be handed over again, except those of an integration that is frozen itself."""
        self._integrations.unfreeze_all()
        return {"isFrozen": False}

    @contextmanager
    def _with_credentials(
        self, integration_id: str, credentials: CredentialsBody, *, in_use: str | None
    ) -> Iterator[str]:
        """The version of the credentials to name in the integration: used if that is written, else withdrawn.

        They come first: an integration without them would only fail.
        """
        version = self._accounts.offer(integration_id, credentials.as_credentials(), in_use=in_use)
        try:
            yield version
        except (Problem, ChangedMeanwhile):
            # After any other error, or if an answer of AWS's was lost, the integration may name it.
            if self._version_named_by(integration_id) != version:
                self._accounts.withdraw(integration_id, version)
            raise
        self._make_current(integration_id)

    def _make_current(self, integration_id: str) -> None:
        """Downloads go by the version that the integration names: if this fails, the call has succeeded all the same.

        Somebody else may bring other credentials meanwhile, so it looks again.
        """
        for _ in range(ATTEMPTS):
            named = self._version_named_by(integration_id)
            try:
                if named:
                    self._accounts.make_current(integration_id, named)
            except ChangedMeanwhile:
                continue
            except (BotoCoreError, ClientError) as error:
                logger.warning("credentials not made current", integration=integration_id, error=type(error).__name__)
                return
            if self._version_named_by(integration_id) == named:
                return

    def _version_named_by(self, integration_id: str) -> str | None:
        integration = self._integrations.get(integration_id)
        return integration.credentials_version if integration else None

    def _forget_credentials(self, removed: Integration) -> None:
        """Until it names no version any more, nobody can revive it: new credentials would be forgotten too."""
        self._accounts.forget(removed.integration_id)
        if removed.credentials_version:
            with suppress(ChangedMeanwhile):
                self._integrations.save(removed.model_copy(update={"credentials_version": None}))

    def _is_rejudging(self, integration_id: str) -> bool:
        """Whether a rejudgement is under way, or was when this request came."""
        job = self._downloads.rejudgement(integration_id)
        return job is not None and job.was_under_way(self._now)

    def _begin_rejudgement(self, integration_id: str, stages: Stages) -> Rejudgement:
        job = Rejudgement.of_every_stage(stages, by=self._caller.name, at=self._now)
        self._downloads.begin_rejudgement(integration_id, job)
        return job

    def _with_freeze(
        self, integration_id: str, if_match: IfMatch, update: Callable[[Integration], Integration]
    ) -> IntegrationDetails:
        return self._list.details(self._changed(integration_id, update, if_match), self._now)

    def _unfrozen(self, integration: Integration) -> Integration:
        """A merge that begins from now on changes the integration, so this look at merges is repeated."""
        if under_way := self._downloads.merge_under_way(integration.integration_id):
            raise Problem(409, f"The merge of {under_way.source} is not finished.", code="mergeUnderWay")
        return integration.model_copy(update={"is_frozen": False})

    def _changed(
        self, integration_id: str, update: Callable[[Integration], Integration], if_match: IfMatch
    ) -> Integration:
        """The integration with the update, which is written if it changes anything."""
        for _ in range(ATTEMPTS):
            integration = existing_integration(self._integrations, integration_id)
            if not if_match.allows(integration.revision):
                detail = "The integration has changed since you read it. `integration` shows it as it is now."
                also = {"integration": self._list.details(integration, self._now)}
                raise Problem(412, detail, code="changedMeanwhile", also=also)
            updated = update(integration)
            if updated == integration:
                return integration
            self._check(updated, integration)
            try:
                if _names(updated) != _names(integration):
                    return self._integrations.save_with_names(updated, integration)
                return self._integrations.save(updated)
            except ChangedMeanwhile:
                continue
        raise changed_meanwhile()

    def _patched(self, integration: Integration, patch: IntegrationPatch, stages: Stages) -> Integration:
        patched = patch.applied_to(integration, stages, self._now)
        return patched.of_seller(patch.seller_id, self._caller.name, self._now) if patch.seller_id else patched

    def _check(self, updated: Integration, before: Integration) -> None:
        if updated.settings.download_orders_updated_after != before.settings.download_orders_updated_after:
            self._check_download_start(updated.settings)
        self._check_seller_of(updated, before)

    def _check_download_start(self, settings: IntegrationSettings) -> None:
        if settings.download_orders_updated_after is not None:
            check_start("settings.downloadOrdersUpdatedAfter", settings.download_orders_updated_after, self._now)

    def _check_seller_of(self, updated: Integration, before: Integration) -> None:
        if updated.seller_id != before.seller_id:
            self._check_seller_is_free(updated, before)

    def _check_seller_is_free(self, integration: Integration, before: Integration | None) -> None:
        """Raises a 409 that names the integration of the same seller. `before` is the integration as it was read."""
        if integration.seller_id is None:
            return
        holder = self._integrations.of_seller(integration.region, integration.seller_id)
        if holder is None or holder.integration_id == integration.integration_id:
            return
        has_it = f"The integration {holder.integration_id} has this seller in {holder.region} already."
        detail = f"{has_it} {_way_out(holder, before)}"
        raise Problem(409, detail, code="sellerAlreadyRegistered", also={"registeredAs": holder.integration_id})


def _names(integration: Integration) -> tuple[str | None, frozenset[str]]:
    """The seller, which the integration alone has, and the Stages that nobody may remove."""
    return integration.seller_id, integration.settings.default_stages


def _way_out(holder: Integration, before: Integration | None) -> str:
    """How to have the orders of the integration, which is new if there is no `before`, and of the holder in one.

    Whoever corrects a seller says that the one on record is wrong: the merge needs the right one, too.
    """
    if before is None or before.deleted_at:
        if holder.deleted_at:
            return f"It is removed: register it again under {holder.integration_id}, and its orders come along."
        if before is None:
            return "Add the marketplaces to that one."
        return f"Merge {before.integration_id} into that one: its orders come along."
    with_it = " with this `sellerId`" if before.seller_id else ""
    if holder.deleted_at:
        return f"Merge {holder.integration_id} into {before.integration_id}{with_it}: its seller and orders come along."
    return f"Remove {before.integration_id}, and merge it into that one{with_it}: its orders come along."


def _check_is_the_same_seller(removed: Integration, wanted: Integration) -> None:
    """A removed integration is revived with its orders, so only for its seller. Raises a 409.

    One of an earlier release has no seller on record: the administrator who revives it names it.
    """
    if not removed.may_have_the_seller_of(wanted):
        seller = f"the seller {removed.seller_id} in {removed.region}" if removed.seller_id else removed.region
        detail = (
            f"The removed integration {removed.integration_id} is of {seller}. Choose another ID for this seller. If "
            "that was recorded wrongly, register the integration as it was, and correct `sellerId` with PATCH."
        )
        raise Problem(409, detail, code="otherSeller")

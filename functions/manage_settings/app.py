"""Integrations under /integrations, the freeze of all under /freeze, and the list of Stages under /stages."""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.logging.correlation_paths import API_GATEWAY_REST
from aws_lambda_powertools.utilities.typing import LambdaContext

from needs_attention import aws
from needs_attention.amazon.accounts import AmazonAccounts
from needs_attention.api.answers import answer, etag, nothing
from needs_attention.api.callers import Caller, Role
from needs_attention.api.downloads import check_start
from needs_attention.api.idempotency import RememberedAnswers
from needs_attention.api.integrations.changes import TriedIntegration, existing_integration
from needs_attention.api.integrations.preview import preview
from needs_attention.api.integrations.requests import IntegrationPatch, Registration
from needs_attention.api.integrations.stages import (
    StageList,
    StageView,
    existing_stage,
    renamed,
    stage_view,
    with_stage,
    without,
)
from needs_attention.api.integrations.views import (
    ConnectionView,
    Freeze,
    IntegrationDetails,
    Integrations,
    RejudgementView,
    connection_view,
    integration_details,
    integration_row,
    rejudgement_view,
)
from needs_attention.api.operations import Body, IfMatch, IfMatchHeader, MergePatch
from needs_attention.api.problems import ATTEMPTS, Problem, changed_meanwhile, not_found
from needs_attention.api.router import Api
from needs_attention.aws import ChangedMeanwhile
from needs_attention.downloads.backdated import BackdatedDownload
from needs_attention.environment import AmazonAccess, AnswersTable, OrderTables, WakeUpQueueUrl
from needs_attention.integrations.incidents import Incidents
from needs_attention.integrations.integration import Integration, Rejudgement
from needs_attention.integrations.stages import Stage, StageName, Stages
from needs_attention.orders.settings import Settings
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.orders import OrderStore, Page
from needs_attention.values import times
from needs_attention.values.model import Value
from needs_attention.wake_up_queue import WakeUpQueue

dynamodb = aws.client("dynamodb")
tables = OrderTables.from_env()
orders = OrderStore(dynamodb, tables.orders_table)
integrations = SettingsStore(dynamodb, tables.integrations_table)
downloads = DownloadStateStore(dynamodb, tables.integrations_table)
accounts = AmazonAccounts(aws.client("secretsmanager"), AmazonAccess.from_env())
wake_ups = WakeUpQueue(aws.client("sqs"), WakeUpQueueUrl.from_env().wake_up_queue_url)
logger = Logger()
api = Api(RememberedAnswers(dynamodb, AnswersTable.from_env().answers_table))


class StageBody(Value):
    """A Stage's name."""

    name: StageName


@logger.inject_lambda_context(clear_state=True, correlation_id_path=API_GATEWAY_REST)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return api.resolve(event, context)


# Integrations ---------------------------------------------------------------------------------------------------------


@api.operation("POST", "/integrations", open_to=[Role.ADMINISTRATOR], answers={HTTPStatus.CREATED: IntegrationDetails})
def register_integration(caller: Caller, registration: Body[Registration]) -> Response[object]:
    """Registers an integration, and begins its downloads.

    Registering a removed one again revives it: its cursor is where it was.
    """
    now = times.utc_now()
    before = integrations.get(registration.integration_id)
    if before is not None and before.deleted_at is None:
        raise Problem(409, f"There is an integration {registration.integration_id} already.", code="alreadyRegistered")
    wanted = registration.integration(before, integrations.stages(), now)
    check_download_start(wanted.settings)
    start, history = wanted.settings.download_orders_updated_after, None
    if start is not None:
        pace = downloads.live_download(wanted).walk.pace
        history = BackdatedDownload.requested(start, pace, by=caller.name, now=now)
    # The credentials come first: an integration without them would only fail.
    accounts.save(wanted.integration_id, registration.credentials.as_credentials())
    integration = integrations.register(wanted, history)
    wake_ups.wake(integration.integration_id)
    return shown(integration, HTTPStatus.CREATED, {"Location": f"/integrations/{integration.integration_id}"})


@api.operation("GET", "/integrations", open_to=[Role.READER], answers={HTTPStatus.OK: Integrations})
def list_integrations(_: Caller) -> Response[object]:
    """Lists all integrations, with how their downloads stand."""
    stages = integrations.stages()
    now = times.utc_now()
    every = integrations.find_all()
    live, incidents = downloads.live_downloads(every), downloads.all_incidents()
    shown = [
        integration_row(one, live[one.integration_id], incidents.get(one.integration_id, Incidents()), stages, now)
        for one in every
    ]
    return answer({"integrations": shown, "isFrozen": integrations.is_all_frozen()})


INTEGRATION = "/integrations/<integration_id>"


@api.operation("GET", INTEGRATION, open_to=[Role.READER], answers={HTTPStatus.OK: IntegrationDetails})
def get_integration(_: Caller, integration_id: str) -> Response[object]:
    """Shows an integration, with what is wrong with its connection. Credentials are never shown."""
    return shown(existing_integration(integrations, integration_id))


@api.operation("GET", f"{INTEGRATION}/connection", open_to=[Role.READER], answers={HTTPStatus.OK: ConnectionView})
def get_connection(_: Caller, integration_id: str) -> Response[object]:
    """Shows which fields Amazon really sends, marketplace by marketplace, and when the credentials end."""
    integration = existing_integration(integrations, integration_id)
    return answer(connection_view(integration, downloads.arrivals(integration_id), times.utc_now()))


@api.operation("PATCH", INTEGRATION, open_to=[Role.ADMINISTRATOR], answers={HTTPStatus.OK: TriedIntegration})
def change_integration(
    _: Caller, integration_id: str, patch: MergePatch[IntegrationPatch], if_match: IfMatchHeader
) -> Response[object]:
    """Changes an integration and its settings, which count from each order's next verdict.

    A dry run writes nothing, and tells what the settings would change.
    """
    stages = integrations.stages()
    now = times.utc_now()
    if patch.dry_run:
        return answer(tried(existing_integration(integrations, integration_id), patch, stages, now))
    integration = change(integration_id, lambda one: patch.applied_to(one, stages, now), if_match)
    if patch.credentials is not None:
        accounts.save(integration_id, patch.credentials.as_credentials())
    wake_ups.wake(integration_id)
    return shown(integration)


@api.operation(
    "POST",
    f"{INTEGRATION}/rejudgement",
    open_to=[Role.ADMINISTRATOR],
    answers={HTTPStatus.ACCEPTED: RejudgementView},
)
def rejudge(caller: Caller, integration_id: str) -> Response[object]:
    """Judges the orders in all Stages anew, by the settings of now.

    Without it, settings count from an order's next verdict.
    """
    integration = existing_integration(integrations, integration_id)
    stages = tuple(stage.id for stage in integrations.stages().stages)
    job = Rejudgement(requested_by=caller.name, requested_at=times.utc_now(), stages=stages)
    downloads.begin_rejudgement(integration.integration_id, job)
    wake_ups.wake(integration_id)
    return answer(rejudgement_view(job), HTTPStatus.ACCEPTED)


@api.operation("GET", f"{INTEGRATION}/rejudgement", open_to=[Role.READER], answers={HTTPStatus.OK: RejudgementView})
def get_rejudgement(_: Caller, integration_id: str) -> Response[object]:
    """Shows how far judging all orders anew has come."""
    job = downloads.rejudgement(existing_integration(integrations, integration_id).integration_id)
    if job is None:
        raise not_found("rejudgement")
    return answer(rejudgement_view(job))


@api.operation("DELETE", INTEGRATION, open_to=[Role.ADMINISTRATOR], answers={HTTPStatus.NO_CONTENT: None})
def remove_integration(_: Caller, integration_id: str, if_match: IfMatchHeader) -> Response[object]:
    """Ends an integration's downloads and hand-overs, and removes its credentials.

    Its orders stay until their redaction; registering it again, with credentials, revives it. What needs its
    credentials to be ended comes first.
    """
    now = times.utc_now()
    known = integrations.get(integration_id)
    if known is not None and known.deleted_at:
        accounts.forget(integration_id)  # a removal that died half-way is asked for again: nothing else would do it
    subscription = downloads.live_download(existing_integration(integrations, integration_id)).subscription
    if subscription.subscription_id is not None and subscription.failure is None:
        detail = "Amazon still sends its notifications: set orderChangeNotifications to false, and wait a moment."
        raise Problem(409, detail, code="stillSubscribed")
    change(integration_id, lambda integration: integration.model_copy(update={"deleted_at": now}), if_match)
    accounts.forget(integration_id)
    return nothing()


@api.operation(
    "POST", f"{INTEGRATION}/freeze", open_to=[Role.ADMINISTRATOR], answers={HTTPStatus.OK: IntegrationDetails}
)
def freeze_integration(_: Caller, integration_id: str, if_match: IfMatchHeader) -> Response[object]:
    """Stops the hand-over of an integration's orders."""
    return shown(change(integration_id, lambda one: one.model_copy(update={"is_frozen": True}), if_match))


@api.operation(
    "DELETE", f"{INTEGRATION}/freeze", open_to=[Role.ADMINISTRATOR], answers={HTTPStatus.OK: IntegrationDetails}
)
def unfreeze_integration(_: Caller, integration_id: str, if_match: IfMatchHeader) -> Response[object]:
    """Lets an integration's orders be handed over again."""
    return shown(change(integration_id, lambda one: one.model_copy(update={"is_frozen": False}), if_match))


@api.operation("POST", "/freeze", open_to=[Role.ADMINISTRATOR], answers={HTTPStatus.OK: Freeze})
def freeze_all(caller: Caller) -> Response[object]:
    """Stops the hand-over of all orders."""
    integrations.freeze_all(caller.name, times.utc_now())
    return answer({"isFrozen": True})


@api.operation("DELETE", "/freeze", open_to=[Role.ADMINISTRATOR], answers={HTTPStatus.OK: Freeze})
def unfreeze_all(_: Caller) -> Response[object]:
    """Lets orders be handed over again, but for those of an integration that is frozen itself."""
    integrations.unfreeze_all()
    return answer({"isFrozen": False})


def change(integration_id: str, update: Callable[[Integration], Integration], if_match: IfMatch) -> Integration:
    """Writes the integration with the update, if it changes anything. Raises a 404, 409, 412 or 422."""
    for _ in range(ATTEMPTS):
        integration = existing_integration(integrations, integration_id)
        if not if_match.allows(integration.revision):
            detail = "The integration was changed since the caller read it: `integration` is how it is now."
            raise Problem(412, detail, code="changedMeanwhile", also={"integration": view(integration)})
        updated = update(integration)
        if updated == integration:
            return integration
        if updated.settings.download_orders_updated_after != integration.settings.download_orders_updated_after:
            check_download_start(updated.settings)
        try:
            return integrations.save(updated)
        except ChangedMeanwhile:
            continue
    raise changed_meanwhile()


def tried(integration: Integration, patch: IntegrationPatch, stages: Stages, now: datetime) -> TriedIntegration:
    """The integration as it would be, and what that would change. Raises a 422."""
    wanted = patch.applied_to(integration, stages, now)
    check_download_start(wanted.settings)
    found = preview(orders, integration, wanted.settings, stages.stages, now)
    return {**view(wanted), "dryRun": True, "preview": found}


def check_download_start(settings: Settings) -> None:
    start = settings.download_orders_updated_after
    if start is not None:
        check_start("settings.downloadOrdersUpdatedAfter", start, times.utc_now())


def view(integration: Integration) -> IntegrationDetails:
    standing = downloads.standing(integration)
    aside = downloads.all_set_aside(integration.integration_id)
    return integration_details(integration, standing, aside, times.utc_now())


def shown(
    integration: Integration, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None
) -> Response[object]:
    return answer(view(integration), status, etag(integration.revision) | (headers or {}))


# Stages ---------------------------------------------------------------------------------------------------------------


@api.operation("GET", "/stages", open_to=[Role.READER], answers={HTTPStatus.OK: StageList})
def list_stages(_: Caller) -> Response[object]:
    """Lists the Stages."""
    return answer({"stages": [stage_view(stage) for stage in integrations.stages().stages]})


@api.operation(
    "POST",
    "/stages",
    open_to=[Role.ADMINISTRATOR],
    answers={HTTPStatus.CREATED: StageView, HTTPStatus.OK: StageView},
)
def add_stage(_: Caller, stage: Body[StageBody]) -> Response[object]:
    """Adds a Stage. Adding one that exists succeeds with 200 and changes nothing."""
    name = stage.name
    is_new = integrations.stages().named(name) is None
    stages = change_stages(lambda stages: with_stage(stages, name))
    return answer(stage_view(existing_stage(stages, name)), HTTPStatus.CREATED if is_new else HTTPStatus.OK)


@api.operation("PATCH", "/stages/<stage_id>", open_to=[Role.ADMINISTRATOR], answers={HTTPStatus.OK: StageView})
def rename_stage(_: Caller, stage_id: str, stage: MergePatch[StageBody]) -> Response[object]:
    """Renames a Stage; the orders in it follow. A Stage is named by its id or its name."""
    name = stage.name
    stages = change_stages(lambda stages: renamed(stages, existing_stage(stages, stage_id), name))
    return answer(stage_view(existing_stage(stages, name)))


@api.operation("DELETE", "/stages/<stage_id>", open_to=[Role.ADMINISTRATOR], answers={HTTPStatus.NO_CONTENT: None})
def remove_stage(_: Caller, stage_id: str) -> Response[object]:
    """Removes a Stage that no order is in, and that is no integration's default."""

    def removed(stages: Stages) -> Stages:
        stage = existing_stage(stages, stage_id)
        remaining = without(stages, stage)
        refuse_in_use(stage)
        return remaining

    change_stages(removed)
    return nothing()


def change_stages(update: Callable[[Stages], Stages]) -> Stages:
    """Writes the list with the update, if it changes anything. Raises a 404 or 409."""
    for _ in range(ATTEMPTS):
        stages = integrations.stages()
        updated = update(stages)
        if updated == stages:
            return stages
        try:
            integrations.save_stages(updated)
        except ChangedMeanwhile:
            continue
        return updated
    raise changed_meanwhile()


def refuse_in_use(stage: Stage) -> None:
    for integration in integrations.find_all(deleted_too=True):
        if integration.settings.default_stage == stage.id and integration.deleted_at is None:
            raise Problem(409, f"It is the default Stage of {integration.name}.", code="inUse")
        if orders.find_by_stage(integration.integration_id, stage.id, Page(limit=1)).summaries:
            raise Problem(409, f"Orders of {integration.name} are in this Stage.", code="inUse")

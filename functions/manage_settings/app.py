"""Integrations under /integrations, the system-wide freeze under /freeze, and the list of Stages under /stages."""

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.logging.correlation_paths import API_GATEWAY_REST
from aws_lambda_powertools.utilities.typing import LambdaContext

from needs_attention import aws
from needs_attention.amazon.accounts import AmazonAccounts
from needs_attention.api.answers import answer, answer_with_etag, nothing
from needs_attention.api.callers import Caller, Role
from needs_attention.api.idempotency import RememberedAnswers
from needs_attention.api.integrations.changes import Freeze, IntegrationChanges, TriedIntegration
from needs_attention.api.integrations.list import IntegrationList, PartOfIntegrations
from needs_attention.api.integrations.merges import IntegrationMerges, MergeView
from needs_attention.api.integrations.requests import IntegrationPatch, MergeRequest, Registration, StageBody
from needs_attention.api.integrations.stages import StageChanges, StageList, StageView, stage_list
from needs_attention.api.integrations.views import ConnectionView, IntegrationDetails, Integrations, RejudgementView
from needs_attention.api.operations import Body, IfMatchHeader, MergePatch, Query
from needs_attention.api.router import Api
from needs_attention.environment import AmazonAccess, AnswersTable, OrderTables, WakeUpQueueUrl
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.orders import OrderStore
from needs_attention.values import times
from needs_attention.wake_up_queue import WakeUpQueue

dynamodb = aws.client("dynamodb")
tables = OrderTables.from_env()
orders = OrderStore(dynamodb, tables.orders_table)
integrations = SettingsStore(dynamodb, tables.integrations_table)
downloads = DownloadStateStore(dynamodb, tables.integrations_table)
accounts = AmazonAccounts(aws.client("secretsmanager"), AmazonAccess.from_env())
wake_ups = WakeUpQueue(aws.client("sqs"), WakeUpQueueUrl.from_env().wake_up_queue_url)
integration_list = IntegrationList(integrations, downloads)
stage_changes = StageChanges(orders, integrations)
logger = Logger()
api = Api(RememberedAnswers(dynamodb, AnswersTable.from_env().answers_table))

INTEGRATION = "/integrations/<integration_id>"


@logger.inject_lambda_context(clear_state=True, correlation_id_path=API_GATEWAY_REST)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return api.resolve(event, context)


@api.operation("POST", "/integrations", open_to=[Role.ADMINISTRATOR], answers={HTTPStatus.CREATED: IntegrationDetails})
def register_integration(caller: Caller, registration: Body[Registration]) -> Response[object]:
    """Registers an integration, and begins its downloads.

    Registering a removed integration again revives it, with its earlier cursor.
    """
    registered = changes_by(caller).register(registration)
    location = {"Location": f"integrations/{registered['integrationId']}"}  # relative: a stage may come before it
    return answer_with_etag(registered, HTTPStatus.CREATED, location)


@api.operation("GET", "/integrations", open_to=[Role.READER], answers={HTTPStatus.OK: Integrations})
def list_integrations(_: Caller, part: Query[PartOfIntegrations]) -> Response[object]:
    """Lists the integrations by ID, with the state of their downloads."""
    return answer(integration_list.page(part, times.utc_now()))


@api.operation("GET", INTEGRATION, open_to=[Role.READER], answers={HTTPStatus.OK: IntegrationDetails})
def get_integration(_: Caller, integration_id: str) -> Response[object]:
    """Shows an integration, with the incidents of its connection. Credentials are never shown."""
    return answer_with_etag(integration_list.one(integration_id, times.utc_now()))


@api.operation("GET", f"{INTEGRATION}/connection", open_to=[Role.READER], answers={HTTPStatus.OK: ConnectionView})
def get_connection(_: Caller, integration_id: str) -> Response[object]:
    """Shows which fields Amazon really sends, marketplace by marketplace, and when the credentials end."""
    return answer(integration_list.connection(integration_id, times.utc_now()))


@api.operation("PATCH", INTEGRATION, open_to=[Role.ADMINISTRATOR], answers={HTTPStatus.OK: TriedIntegration})
def change_integration(
    caller: Caller, integration_id: str, patch: MergePatch[IntegrationPatch], if_match: IfMatchHeader
) -> Response[object]:
    """Changes an integration and its settings, which apply from each order's next verdict.

    A dry run writes nothing, and shows what the settings would change.
    """
    changes = changes_by(caller)
    if patch.dry_run:
        return answer(changes.tried(integration_id, patch))
    return answer_with_etag(changes.patch(integration_id, patch, if_match))


@api.operation(
    "POST",
    f"{INTEGRATION}/rejudgement",
    open_to=[Role.ADMINISTRATOR],
    answers={HTTPStatus.ACCEPTED: RejudgementView},
)
def rejudge(caller: Caller, integration_id: str) -> Response[object]:
    """Judges the orders in all Stages again, by the current settings.

    It begins after two minutes, when no verdict by earlier settings can still be written, and includes orders whose
    verdict is pending. If the settings change before it has finished, it starts over. Otherwise settings apply from an
    order's next verdict.
    """
    return answer(changes_by(caller).rejudge(integration_id), HTTPStatus.ACCEPTED)


@api.operation("GET", f"{INTEGRATION}/rejudgement", open_to=[Role.READER], answers={HTTPStatus.OK: RejudgementView})
def get_rejudgement(_: Caller, integration_id: str) -> Response[object]:
    """Shows the progress of judging all orders again."""
    return answer(integration_list.rejudgement(integration_id))


@api.operation("POST", f"{INTEGRATION}/merge", open_to=[Role.ADMINISTRATOR], answers={HTTPStatus.ACCEPTED: MergeView})
def merge_integration(caller: Caller, integration_id: str, request: Body[MergeRequest]) -> Response[object]:
    """Merges a removed integration of the same seller into this one, with its orders, marketplaces and their settings.

    It begins after three minutes, when nothing can store an order of the removed one any more. This one must be frozen,
    so that nothing leaves before you have looked at the settings. Sent again, the request shows the progress, and moves
    the orders that could not be read and have been mended since.
    """
    return answer(merges_by(caller).merge(integration_id, request), HTTPStatus.ACCEPTED)


@api.operation("GET", f"{INTEGRATION}/merge", open_to=[Role.READER], answers={HTTPStatus.OK: MergeView})
def get_merge(caller: Caller, integration_id: str) -> Response[object]:
    """Shows the progress of the last merge into this integration."""
    return answer(merges_by(caller).progress(integration_id))


@api.operation("DELETE", INTEGRATION, open_to=[Role.ADMINISTRATOR], answers={HTTPStatus.NO_CONTENT: None})
def remove_integration(caller: Caller, integration_id: str, if_match: IfMatchHeader) -> Response[object]:
    """Ends an integration's downloads and hand-overs, and removes its credentials.

    Its orders stay until their redaction. To revive it, register it again with credentials. End Amazon's notifications
    first: that needs the credentials.
    """
    changes_by(caller).remove(integration_id, if_match)
    return nothing()


@api.operation(
    "POST", f"{INTEGRATION}/freeze", open_to=[Role.ADMINISTRATOR], answers={HTTPStatus.OK: IntegrationDetails}
)
def freeze_integration(caller: Caller, integration_id: str, if_match: IfMatchHeader) -> Response[object]:
    """Stops the hand-over of an integration's orders."""
    return answer_with_etag(changes_by(caller).freeze(integration_id, if_match))


@api.operation(
    "DELETE", f"{INTEGRATION}/freeze", open_to=[Role.ADMINISTRATOR], answers={HTTPStatus.OK: IntegrationDetails}
)
def unfreeze_integration(caller: Caller, integration_id: str, if_match: IfMatchHeader) -> Response[object]:
    """Lets an integration's orders be handed over again."""
    return answer_with_etag(changes_by(caller).unfreeze(integration_id, if_match))


@api.operation("POST", "/freeze", open_to=[Role.ADMINISTRATOR], answers={HTTPStatus.OK: Freeze})
def freeze_all(caller: Caller) -> Response[object]:
    """Stops the hand-over of all orders."""
    return answer(changes_by(caller).freeze_all())


@api.operation("DELETE", "/freeze", open_to=[Role.ADMINISTRATOR], answers={HTTPStatus.OK: Freeze})
def unfreeze_all(caller: Caller) -> Response[object]:
    """Lets orders be handed over again, except those of an integration that is frozen itself."""
    return answer(changes_by(caller).unfreeze_all())


@api.operation("GET", "/stages", open_to=[Role.READER], answers={HTTPStatus.OK: StageList})
def list_stages(_: Caller) -> Response[object]:
    """Lists the Stages."""
    return answer(stage_list(integrations.stages()))


@api.operation(
    "POST",
    "/stages",
    open_to=[Role.ADMINISTRATOR],
    answers={HTTPStatus.CREATED: StageView, HTTPStatus.OK: StageView},
)
def add_stage(_: Caller, stage: Body[StageBody]) -> Response[object]:
    """Adds a Stage. Adding one that exists succeeds with 200 and changes nothing."""
    added = stage_changes.add(stage.name)
    return answer(added.stage, HTTPStatus.CREATED if added.is_new else HTTPStatus.OK)


@api.operation("PATCH", "/stages/<stage_id>", open_to=[Role.ADMINISTRATOR], answers={HTTPStatus.OK: StageView})
def rename_stage(_: Caller, stage_id: str, stage: MergePatch[StageBody]) -> Response[object]:
    """Renames a Stage, also for the orders in it. The path names the Stage by its ID or its name."""
    return answer(stage_changes.rename(stage_id, stage.name))


@api.operation("DELETE", "/stages/<stage_id>", open_to=[Role.ADMINISTRATOR], answers={HTTPStatus.NO_CONTENT: None})
def remove_stage(_: Caller, stage_id: str) -> Response[object]:
    """Removes a Stage that no order is in, and that is not the default of any integration."""
    stage_changes.remove(stage_id)
    return nothing()


def changes_by(caller: Caller) -> IntegrationChanges:
    return IntegrationChanges(orders, integrations, downloads, accounts, wake_ups, caller=caller, now=times.utc_now())


def merges_by(caller: Caller) -> IntegrationMerges:
    return IntegrationMerges(integrations, downloads, wake_ups, caller=caller, now=times.utc_now())

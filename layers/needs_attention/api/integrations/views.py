"""Integrations as the API shows them."""

from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from pydantic import Field

from needs_attention.api.answers import Instant
from needs_attention.api.problems import ProblemDetails
from needs_attention.downloads.backdated import Counts
from needs_attention.downloads.by_id import SetAside
from needs_attention.downloads.live import LiveDownload, OverdueVerdicts
from needs_attention.downloads.second_look import OrderReport, Reconciliation
from needs_attention.downloads.walk import AMAZONS_MARGIN
from needs_attention.integrations.arrivals import Arrivals, MarketplaceArrivals, arriving
from needs_attention.integrations.expiry import Ending
from needs_attention.integrations.incidents import Incident, IncidentCode, Incidents
from needs_attention.integrations.integration import Integration, Region
from needs_attention.integrations.stages import Stages
from needs_attention.integrations.wording import HOW_TO_RENEW, WHAT_TO_DO
from needs_attention.orders.settings import Settings
from needs_attention.values.times import instant


class IntegrationProblem(ProblemDetails):
    """The integration was changed meanwhile: `integration` is how it is now."""

    integration: "IntegrationDetails"


# Integrations
class ExpiryView(TypedDict):
    """When a part of the credentials ends, and what to do before that."""

    what: Ending
    at: Instant
    isSoon: bool
    whatToDo: str


class IncidentView(TypedDict):
    """What is wrong with the connection, since when, and what to do."""

    code: IncidentCode
    since: Instant
    evidence: str
    requestId: str | None
    fields: Annotated[dict[str, list[str]], Field(description="By marketplace: fields that Amazon sends no more")]
    whatToDo: str


class NotificationsState(TypedDict):
    """Whether Amazon tells of changed orders, or why not."""

    isSubscribed: bool
    failure: str | None


class QuotaLeft(TypedDict):
    """How many calls of each operation may be made at once."""

    searchOrders: int
    getOrder: int


class Health(TypedDict):
    """How an integration's downloads stand."""

    cursor: Annotated[Instant, Field(description="All that Amazon updated until then is here")]
    cursorLagSeconds: int
    lastRunAt: Instant | None
    lastSuccessAt: Instant | None
    orderChangeNotifications: NotificationsState
    incidents: list[IncidentView]
    overdueVerdicts: OverdueVerdicts | None
    quotaLeft: QuotaLeft
    expiries: list[ExpiryView]


class SetAsideView(TypedDict):
    """An order of Amazon's that could not be kept, and why."""

    orderId: str
    reason: str
    firstSeenAt: Instant
    requestId: str | None
    retryAt: Instant | None


class SecondLook(TypedDict):
    """What comparing a window anew with Amazon has found."""

    updatedAfter: Instant
    updatedBefore: Instant
    isByReport: bool
    report: OrderReport | None
    counts: Counts
    missed: list[str]
    missedCount: int
    finishedAt: Instant | None


class HealthDetails(Health):
    """With the orders that could not be kept (100 at most), and what the second look found."""

    setAside: list[SetAsideView]
    setAsideCount: int
    reconciliation: SecondLook | None


class ShownSettings(Settings):
    """An integration's settings; the default Stage by its name."""

    default_stage: str


class IntegrationBase(TypedDict):
    """An integration, without its credentials."""

    integrationId: str
    name: str
    region: Region
    marketplaceIds: list[str]
    settings: ShownSettings
    isPaused: bool
    isFrozen: bool
    registeredAt: Instant
    clientSecretCreatedAt: Instant | None
    consentGivenAt: Instant | None
    revision: int


class IntegrationRow(IntegrationBase):
    """An integration in the list."""

    health: Health


class IntegrationDetails(IntegrationBase):
    """One integration, with all that was found."""

    health: HealthDetails


class SettingsPreview(TypedDict):
    """What other settings would change of the orders that were looked at."""

    orders: int
    wouldBeHeld: int
    wouldBeLetGo: int
    isTruncated: bool


class TriedIntegration(IntegrationDetails):
    """An integration as it would be; only a dry run's answer has the preview."""

    dryRun: NotRequired[Literal[True]]
    preview: NotRequired[SettingsPreview]


class Integrations(TypedDict):
    """All of them, and whether all are frozen."""

    integrations: list[IntegrationRow]
    isFrozen: bool


class Connection(TypedDict):
    """What really arrives through a connection."""

    integrationId: str
    marketplaces: list[MarketplaceArrivals]
    expiries: list[ExpiryView]


class RejudgementView(TypedDict):
    """How far judging all orders anew has come."""

    requestedBy: str
    requestedAt: Instant
    orders: int
    changed: int
    finishedAt: Instant | None


class Freeze(TypedDict):
    """Whether the hand-over of all integrations is stopped."""

    isFrozen: bool


def integration_view(
    integration: Integration, live: LiveDownload, incidents: Incidents, stages: Stages, now: datetime
) -> dict[str, Any]:
    """An integration as the API shows it, with how its downloads stand."""
    shown = integration.model_dump(mode="json", by_alias=True, exclude={"deleted_at"})
    shown["settings"]["defaultStage"] = stages.name_of(integration.settings.default_stage)
    return shown | {"health": _health(live, incidents, now) | {"expiries": _expiries(integration, now)}}


def connection_view(integration: Integration, arrivals: Arrivals, now: datetime) -> dict[str, Any]:
    """What really arrives through the connection, by marketplace, and when its credentials end."""
    found = arriving(arrivals, integration.marketplace_ids, integration.settings.checks)
    return {
        "integrationId": integration.integration_id,
        "marketplaces": [one.model_dump(mode="json", by_alias=True) for one in found],
        "expiries": _expiries(integration, now),
    }


def with_findings(
    view: dict[str, Any], aside: tuple[SetAside, ...], reconciliation: Reconciliation | None
) -> dict[str, Any]:
    """The view with the orders that could not be kept, at most 100 of them, and what the second look found."""
    shown = [order.model_dump(mode="json", by_alias=True, exclude={"tries"}) for order in aside[:100]]
    compared = reconciliation and reconciliation.model_dump(mode="json", by_alias=True, exclude={"walk"})
    found = {"setAside": shown, "setAsideCount": len(aside), "reconciliation": compared}
    return view | {"health": view["health"] | found}


def _health(live: LiveDownload, incidents: Incidents, now: datetime) -> dict[str, Any]:
    overdue = live.overdue_verdicts
    return {
        "cursor": instant(live.walk.reached),
        "cursorLagSeconds": max(int((now - AMAZONS_MARGIN - live.walk.reached).total_seconds()), 0),
        "lastRunAt": instant(live.last_run_at) if live.last_run_at else None,
        "lastSuccessAt": instant(live.last_success_at) if live.last_success_at else None,
        "orderChangeNotifications": {
            "isSubscribed": live.subscription.subscription_id is not None,
            "failure": live.subscription.failure,
        },
        "incidents": [_incident(incident) for incident in incidents.incidents],
        "overdueVerdicts": overdue.model_dump(mode="json", by_alias=True) if overdue else None,
        "quotaLeft": {
            "searchOrders": int(live.search_bucket.tokens_at(now)),
            "getOrder": int(live.get_bucket.tokens_at(now)),
        },
    }


def _expiries(integration: Integration, now: datetime) -> list[dict[str, Any]]:
    return [
        {"what": one.what, "at": instant(one.at), "isSoon": one.is_soon, "whatToDo": HOW_TO_RENEW[one.what]}
        for one in integration.expiries(now)
    ]


def _incident(incident: Incident) -> dict[str, Any]:
    shown = incident.model_dump(mode="json", by_alias=True, exclude={"probed_at", "probed_order"})
    return {**shown, "whatToDo": WHAT_TO_DO[incident.code]}

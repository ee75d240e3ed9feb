"""Integrations as the API shows them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal, TypedDict, cast

from pydantic import ConfigDict, Field, with_config

from needs_attention.api.answers import Instant, as_json
from needs_attention.api.problems import ProblemDetails
from needs_attention.downloads.backdated import Counts
from needs_attention.downloads.by_id import SetAside
from needs_attention.downloads.live import LiveDownload, OverdueVerdicts
from needs_attention.downloads.second_look import OrderReport, Reconciliation
from needs_attention.downloads.walk import AMAZONS_MARGIN
from needs_attention.integrations.arrivals import Arrivals, MarketplaceArrivals, arriving
from needs_attention.integrations.expiry import Ending
from needs_attention.integrations.incidents import Incident, IncidentCode, Incidents
from needs_attention.integrations.integration import Integration, Region, Rejudgement
from needs_attention.integrations.integration_settings import (
    IntegrationSettings,
    MarketplaceId,
    MarketplaceSettings,
    OwnValue,
)
from needs_attention.integrations.stages import Stages
from needs_attention.integrations.standing import IntegrationStanding
from needs_attention.integrations.wording import HOW_TO_RENEW, NAME_THE_SELLER, what_to_do
from needs_attention.values.times import instant

MOST_SET_ASIDE_SHOWN = 100


class IntegrationProblem(ProblemDetails):
    """The integration has changed since you read it. `integration` shows it as it is now."""

    integration: "IntegrationDetails"


class ExpiryView(TypedDict):
    """When a part of the credentials ends, and what to do before then."""

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
    fields: Annotated[dict[str, list[str]], Field(description="By marketplace, the fields that Amazon no longer sends")]
    whatToDo: str


class NotificationsState(TypedDict):
    """Whether Amazon sends notifications of changed orders, or why not."""

    isSubscribed: bool
    failure: str | None


class QuotaLeft(TypedDict):
    """The calls of each operation that Amazon's quota allows now."""

    searchOrders: int
    getOrder: int


class HealthWarning(TypedDict):
    """A weak point that stops nothing, and what to do about it."""

    code: Literal["noSellerId"]
    whatToDo: str


class SellerView(TypedDict):
    """The seller that an administrator named, and when."""

    sellerId: str
    by: str
    at: Instant


class Health(TypedDict):
    """The state of an integration's downloads."""

    cursor: Annotated[Instant, Field(description="Everything that Amazon updated until then is here")]
    cursorLagSeconds: int
    lastRunAt: Instant | None
    lastSuccessAt: Instant | None
    orderChangeNotifications: NotificationsState
    incidents: list[IncidentView]
    warnings: list[HealthWarning]
    overdueVerdicts: OverdueVerdicts | None
    quotaLeft: QuotaLeft
    expiries: list[ExpiryView]


class SetAsideView(TypedDict):
    """An order that could not be stored, and why."""

    orderId: str
    reason: str
    firstSeenAt: Instant
    requestId: str | None
    retryAt: Instant | None


class SecondLook(TypedDict):
    """The result of comparing a past window with Amazon again."""

    updatedAfter: Instant
    updatedBefore: Instant
    isByReport: bool
    report: OrderReport | None
    counts: Counts
    missed: list[str]
    missedCount: int
    finishedAt: Instant | None


class HealthDetails(Health):
    """The state of the downloads, with at most 100 orders that could not be stored, and the second look."""

    setAside: list[SetAsideView]
    setAsideCount: int
    reconciliation: SecondLook | None


class ShownMarketplaceSettings(MarketplaceSettings):
    """The settings that a marketplace has its own values of, with the default Stage by its name."""

    default_stage: OwnValue[str] = None


class ShownSettings(IntegrationSettings):
    """An integration's settings, with default Stages by their names."""

    default_stage: str
    marketplaces: Mapping[MarketplaceId, ShownMarketplaceSettings] = Field(
        description="By marketplace ID, the settings that its orders have instead of the integration's"
    )


class IntegrationBase(TypedDict):
    """An integration, without its credentials."""

    integrationId: str
    name: str
    region: Region
    sellerId: Annotated[str | None, Field(description="The seller's Merchant Token, if it is known")]
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
    """One integration, with the details of its downloads, and the sellers that were named for it, the latest last."""

    sellerHistory: list[SellerView]
    health: HealthDetails


class Integrations(TypedDict):
    """A part of the integrations, and whether all are frozen.

    If there is a `nextCursor`, there may be more, even after a short or empty part.
    """

    integrations: list[IntegrationRow]
    isFrozen: bool
    nextCursor: str | None


@with_config(ConfigDict(title="Connection"))
class ConnectionView(TypedDict):
    """The fields that really arrive through a connection."""

    integrationId: str
    marketplaces: list[MarketplaceArrivals]
    expiries: list[ExpiryView]


class RejudgementView(TypedDict):
    """The progress of judging all orders again."""

    requestedBy: str
    requestedAt: Instant
    beginsAt: Annotated[Instant, Field(description="By then no verdict by earlier settings can still be written")]
    orders: int
    changed: int
    finishedAt: Instant | None


def integration_row(
    integration: Integration, live: LiveDownload, incidents: Incidents, stages: Stages, now: datetime
) -> IntegrationRow:
    """An integration in a list, with the state of its downloads."""
    return {**_base(integration, stages), "health": _health(integration, live, incidents, now)}


def integration_details(
    integration: Integration, standing: IntegrationStanding, aside: Sequence[SetAside], now: datetime
) -> IntegrationDetails:
    """One integration, with the details of its downloads. `aside` are the orders that could not be stored."""
    return {
        **_base(integration, standing.stages),
        "sellerHistory": [
            {"sellerId": one.seller_id, "by": one.by, "at": instant(one.at)} for one in integration.named_sellers
        ],
        "health": {
            **_health(integration, standing.live, standing.incidents, now),
            "setAside": [_set_aside(order) for order in aside[:MOST_SET_ASIDE_SHOWN]],
            "setAsideCount": len(aside),
            "reconciliation": _second_look(standing.reconciliation),
        },
    }


def connection_view(integration: Integration, arrivals: Arrivals, now: datetime) -> ConnectionView:
    """The fields that really arrive, by marketplace, and when the credentials end."""
    found = arriving(arrivals, integration.marketplace_ids, integration.settings)
    return {
        "integrationId": integration.integration_id,
        "marketplaces": [as_json(one) for one in found],
        "expiries": _expiries(integration, now),
    }


def rejudgement_view(job: Rejudgement) -> RejudgementView:
    """Leaves out the position within a Stage, which means nothing to people."""
    return {
        "requestedBy": job.requested_by,
        "requestedAt": instant(job.requested_at),
        "beginsAt": instant(job.begins_at),
        "orders": job.orders,
        "changed": job.changed,
        "finishedAt": instant(job.finished_at) if job.finished_at else None,
    }


def _base(integration: Integration, stages: Stages) -> IntegrationBase:
    return {
        "integrationId": integration.integration_id,
        "name": integration.name,
        "region": integration.region,
        "sellerId": integration.seller_id,
        "marketplaceIds": list(integration.marketplace_ids),
        "settings": _shown_settings(integration.settings, stages),
        "isPaused": integration.is_paused,
        "isFrozen": integration.is_frozen,
        "registeredAt": instant(integration.registered_at),
        "clientSecretCreatedAt": _instant(integration.client_secret_created_at),
        "consentGivenAt": _instant(integration.consent_given_at),
        "revision": integration.revision,
    }


def _shown_settings(settings: IntegrationSettings, stages: Stages) -> ShownSettings:
    shown = as_json(settings)
    for one in (shown, *shown["marketplaces"].values()):
        if "defaultStage" in one:
            one["defaultStage"] = stages.name_of(one["defaultStage"])
    return cast("ShownSettings", shown)


def _health(integration: Integration, live: LiveDownload, incidents: Incidents, now: datetime) -> Health:
    return {
        "cursor": instant(live.walk.reached),
        "cursorLagSeconds": max(int((now - AMAZONS_MARGIN - live.walk.reached).total_seconds()), 0),
        "lastRunAt": _instant(live.last_run_at),
        "lastSuccessAt": _instant(live.last_success_at),
        "orderChangeNotifications": {
            "isSubscribed": live.subscription.subscription_id is not None,
            "failure": live.subscription.failure,
        },
        "incidents": [_incident(incident) for incident in incidents.incidents],
        "warnings": [] if integration.seller_id else [{"code": "noSellerId", "whatToDo": NAME_THE_SELLER}],
        "overdueVerdicts": as_json(live.overdue_verdicts),
        "quotaLeft": {
            "searchOrders": int(live.search_bucket.tokens_at(now)),
            "getOrder": int(live.get_bucket.tokens_at(now)),
        },
        "expiries": _expiries(integration, now),
    }


def _expiries(integration: Integration, now: datetime) -> list[ExpiryView]:
    return [
        {"what": one.what, "at": instant(one.at), "isSoon": one.is_soon, "whatToDo": HOW_TO_RENEW[one.what]}
        for one in integration.expiries(now)
    ]


def _incident(incident: Incident) -> IncidentView:
    return {
        "code": incident.code,
        "since": instant(incident.since),
        "evidence": incident.evidence,
        "requestId": incident.request_id,
        "fields": {marketplace_id: list(fields) for marketplace_id, fields in incident.fields.items()},
        "whatToDo": what_to_do(incident),
    }


def _set_aside(order: SetAside) -> SetAsideView:
    return {
        "orderId": order.order_id,
        "reason": order.reason,
        "firstSeenAt": instant(order.first_seen_at),
        "requestId": order.request_id,
        "retryAt": _instant(order.retry_at),
    }


def _second_look(found: Reconciliation | None) -> SecondLook | None:
    """The answer also holds `failure` and `retryAt`, which the document does not name."""
    shown = found and found.model_dump(mode="json", by_alias=True, exclude={"walk"})
    return cast("SecondLook | None", shown)


def _instant(time: datetime | None) -> str | None:
    return instant(time) if time else None

"""Integrations with the state of their downloads, as people ask for them."""

from datetime import datetime

from pydantic import Field

from needs_attention.api.cursors import PartOfList, cursor_at, integration_in
from needs_attention.api.integrations.views import (
    ConnectionView,
    IntegrationDetails,
    Integrations,
    RejudgementView,
    connection_view,
    integration_details,
    integration_row,
    rejudgement_view,
)
from needs_attention.api.lookup import MOST_INTEGRATIONS_AT_ONCE, existing_integration
from needs_attention.api.problems import not_found
from needs_attention.integrations.incidents import Incidents
from needs_attention.integrations.integration import Integration
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.integrations import SettingsStore

_THIS_LIST = "integrations"


class PartOfIntegrations(PartOfList):
    """The query parameters of the list of integrations."""

    # As many as a call that names none reads orders of.
    limit: int = Field(default=MOST_INTEGRATIONS_AT_ONCE, ge=1, le=250)


class IntegrationList:
    """Reads integrations. Raises a 404 for an integration that does not exist, or was removed."""

    def __init__(self, integrations: SettingsStore, downloads: DownloadStateStore) -> None:
        self._integrations = integrations
        self._downloads = downloads

    def page(self, part: PartOfIntegrations, now: datetime) -> Integrations:
        """By ID, without removed ones. Raises a 400 for a cursor of another list."""
        stages = self._integrations.stages()
        after = integration_in(part.cursor, _THIS_LIST) if part.cursor is not None else None
        found = self._integrations.page(part.limit, after)
        shown = [one for one in found.readable if one.deleted_at is None]
        live, incidents = self._downloads.live_downloads(shown), self._downloads.incidents_of(shown)
        rows = [
            integration_row(one, live[one.integration_id], incidents.get(one.integration_id, Incidents()), stages, now)
            for one in shown
        ]
        return {
            "integrations": rows,
            "isFrozen": self._integrations.is_all_frozen(),
            "nextCursor": cursor_at(found.position, _THIS_LIST) if found.position else None,
        }

    def one(self, integration_id: str, now: datetime) -> IntegrationDetails:
        return self.details(existing_integration(self._integrations, integration_id), now)

    def details(self, integration: Integration, now: datetime) -> IntegrationDetails:
        standing = self._downloads.standing(integration)
        aside = self._downloads.all_set_aside(integration.integration_id)
        return integration_details(integration, standing, aside, now)

    def connection(self, integration_id: str, now: datetime) -> ConnectionView:
        integration = existing_integration(self._integrations, integration_id)
        return connection_view(integration, self._downloads.arrivals(integration_id), now)

    def rejudgement(self, integration_id: str) -> RejudgementView:
        """Also raises a 404 if nobody ever asked for a rejudgement."""
        job = self._downloads.rejudgement(existing_integration(self._integrations, integration_id).integration_id)
        if job is None:
            raise not_found("rejudgement")
        return rejudgement_view(job)

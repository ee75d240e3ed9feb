"""Integrations with the state of their downloads, as people ask for them."""

from datetime import datetime

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
from needs_attention.api.lookup import existing_integration
from needs_attention.api.problems import not_found
from needs_attention.integrations.incidents import Incidents
from needs_attention.integrations.integration import Integration
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.integrations import SettingsStore


class IntegrationList:
    """Reads integrations. Raises a 404 for an integration that does not exist, or was removed."""

    def __init__(self, integrations: SettingsStore, downloads: DownloadStateStore) -> None:
        self._integrations = integrations
        self._downloads = downloads

    def all(self, now: datetime) -> Integrations:
        stages = self._integrations.stages()
        every = self._integrations.find_all()
        live, incidents = self._downloads.live_downloads(every), self._downloads.all_incidents()
        rows = [
            integration_row(one, live[one.integration_id], incidents.get(one.integration_id, Incidents()), stages, now)
            for one in every
        ]
        return {"integrations": rows, "isFrozen": self._integrations.is_all_frozen()}

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

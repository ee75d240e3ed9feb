"""Changes that administrators make to integrations."""

from typing import Literal, NotRequired

from needs_attention.api.integrations.preview import SettingsPreview
from needs_attention.api.integrations.views import IntegrationDetails
from needs_attention.api.problems import not_found
from needs_attention.integrations.integration import Integration
from needs_attention.tables.integrations import SettingsStore


class TriedIntegration(IntegrationDetails):
    """An integration as it would be; only a dry run's answer has the preview."""

    dryRun: NotRequired[Literal[True]]
    preview: NotRequired[SettingsPreview]


def existing_integration(integrations: SettingsStore, integration_id: str) -> Integration:
    """Raises a 404 for one that is not there, or was removed."""
    integration = integrations.get(integration_id)
    if integration is None or integration.deleted_at:
        raise not_found("integration")
    return integration

"""One integration by its ID."""

from needs_attention.api.problems import not_found
from needs_attention.integrations.integration import Integration
from needs_attention.tables.integrations import SettingsStore


def existing_integration(integrations: SettingsStore, integration_id: str) -> Integration:
    """Raises a 404 for an integration that does not exist, or was removed."""
    integration = integrations.get(integration_id)
    if integration is None or integration.deleted_at:
        raise not_found("integration")
    return integration

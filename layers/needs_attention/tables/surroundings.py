"""The surroundings of the orders of all integrations, read at once."""

from needs_attention.integrations.incidents import Incidents
from needs_attention.integrations.stages import Stages
from needs_attention.integrations.surroundings import Surroundings
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.integrations import SettingsStore


def all_surroundings(
    integrations: SettingsStore, downloads: DownloadStateStore, stages: Stages
) -> dict[str, Surroundings]:
    """By integration ID. Deleted integrations count too: people still have to see to their orders."""
    known = integrations.find_all(deleted_too=True)
    is_all_frozen = integrations.is_all_frozen()
    incidents = downloads.all_incidents()
    return {
        one.integration_id: Surroundings.of(
            one, incidents.get(one.integration_id, Incidents()), stages, is_all_frozen=is_all_frozen
        )
        for one in known
    }

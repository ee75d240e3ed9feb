"""How an integration's downloads stand."""

from typing import NamedTuple

from needs_attention.downloads.live import LiveDownload
from needs_attention.downloads.proofs import Proofs
from needs_attention.downloads.second_look import Reconciliation
from needs_attention.integrations.incidents import Incidents
from needs_attention.integrations.integration import Integration
from needs_attention.integrations.integration import Rejudgement
from needs_attention.integrations.stages import Stages


class IntegrationState(NamedTuple):
    """How an integration stands, and what a run reads of its downloads once, when it begins.

    Only runs write those, one at a time; but a rejudgement people may begin anew meanwhile.
    """

    integration: Integration
    live: LiveDownload
    proofs: Proofs
    reconciliation: Reconciliation | None
    rejudgement: Rejudgement | None
    incidents: Incidents

    @property
    def is_rejudging(self) -> bool:
        return self.rejudgement is not None and self.rejudgement.finished_at is None


class Standing(NamedTuple):
    """What people are shown of how an integration's downloads stand, and what its Stages are called."""

    live: LiveDownload
    incidents: Incidents
    reconciliation: Reconciliation | None  # the second look that is under way, or was the last
    stages: Stages

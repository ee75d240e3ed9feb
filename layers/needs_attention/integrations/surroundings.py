"""Everything that a decision about an order needs apart from the order."""

from typing import NamedTuple

from needs_attention.integrations.incidents import Incidents
from needs_attention.integrations.integration import Integration
from needs_attention.integrations.stages import Stages
from needs_attention.orders.settings import Settings


class Surroundings(NamedTuple):
    """The integration of an order, with its incidents and Stages, and whether hand-overs are frozen."""

    integration: Integration
    is_frozen: bool
    incidents: Incidents
    stages: Stages

    @classmethod
    def of(
        cls, integration: Integration, incidents: Incidents, stages: Stages, *, is_all_frozen: bool
    ) -> "Surroundings":
        """A deleted integration counts as frozen: nobody would hear that an order was cancelled."""
        is_closed = integration.is_frozen or integration.deleted_at is not None
        return cls(integration, is_closed or is_all_frozen, incidents, stages)

    def settings_for(self, marketplace_id: str | None) -> Settings:
        """The settings that the orders of this marketplace are judged by."""
        return self.integration.settings.of(marketplace_id)

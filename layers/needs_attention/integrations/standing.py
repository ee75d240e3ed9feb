"""How an integration's downloads stand."""

from datetime import datetime
from typing import NamedTuple

from needs_attention.downloads.live import LiveDownload
from needs_attention.downloads.proofs import Proofs
from needs_attention.downloads.second_look import Reconciliation
from needs_attention.integrations.incidents import IncidentCode, Incidents
from needs_attention.integrations.integration import Integration, Rejudgement
from needs_attention.integrations.stages import Stages
from needs_attention.integrations.surroundings import Surroundings
from needs_attention.orders.summary import Summary
from needs_attention.orders.urgency import Queue, ShipByState, queue_of, ship_by_state


def may_be_fulfilled(summary: Summary, surroundings: Surroundings) -> bool:
    """Whether goods may leave now: the order allows it, the integration is live, and nothing is frozen."""
    return summary.is_fulfillable and _is_open(summary, surroundings)


def may_be_transferred(summary: Summary, surroundings: Surroundings) -> bool:
    """Whether a warehouse may take the order now."""
    return summary.is_transferable and _is_open(summary, surroundings)


def _is_open(summary: Summary, surroundings: Surroundings) -> bool:
    return surroundings.settings.may_hand_over(summary.created_at) and not surroundings.is_frozen


class OrderStanding(NamedTuple):
    """How an order stands at this moment: what an index cannot hold, because it changes with the clock."""

    incident: IncidentCode | None
    ship_by_state: ShipByState | None
    queue: Queue | None

    @classmethod
    def of(cls, summary: Summary, surroundings: Surroundings, now: datetime) -> "OrderStanding":
        incident = surroundings.incidents.cause_of(summary.marketplace_id, summary.missing)
        urgency = ship_by_state(summary.ship_by, now) if summary.is_to_be_sent else None
        waits = summary.redownload_at is not None and not summary.ready_to_release
        queue = queue_of(summary.hold, urgency, has_incident=incident is not None, waits_for_amazon=waits)
        return cls(incident, urgency, queue)


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


class IntegrationStanding(NamedTuple):
    """What people are shown of how an integration's downloads stand, and what its Stages are called."""

    live: LiveDownload
    incidents: Incidents
    reconciliation: Reconciliation | None  # the second look that is under way, or was the last
    stages: Stages

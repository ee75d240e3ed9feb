"""What is wrong with an integration's connection: one cause, one incident, however many orders suffer from it.

Pure rules, no calls. An incident says since when, on what evidence, and closes itself when its cause is over.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from needs_attention.values.model import Value
from needs_attention.values.times import UtcTime

IncidentCode = Literal[
    "credentialsUnreadable",
    "credentialsRejected",
    "accessDenied",
    "marketplaceNotAllowed",
    "requestRejected",
    "amazonUnavailable",
    "unreadableAnswer",
    "fieldsVanished",
    "quotaExhausted",
]
# Those that end with the next call that Amazon answers, and those that end with the next live download.
NO_CALL_WORKS: frozenset[IncidentCode] = frozenset(
    {"credentialsUnreadable", "credentialsRejected", "accessDenied", "marketplaceNotAllowed", "amazonUnavailable"}
)
LIVE_SEARCH_FAILS: frozenset[IncidentCode] = frozenset({"requestRejected", "unreadableAnswer"})
# Those that say nothing while nothing is downloaded.
OF_DOWNLOADS: frozenset[IncidentCode] = NO_CALL_WORKS | LIVE_SEARCH_FAILS | {"quotaExhausted"}


# Live downloads this far behind for want of quota are an incident, until they are half as far behind.
FAR_BEHIND = timedelta(hours=2)


class Incident(Value):
    """One cause. `evidence` is for people and names no person; `fields` are by marketplace, of vanished fields only."""

    code: IncidentCode
    since: UtcTime
    evidence: str
    request_id: str | None = None
    fields: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    probed_at: UtcTime | None = None
    probed_order: str | None = None


class Incidents(Value):
    """The open incidents of one integration, the oldest first."""

    incidents: tuple[Incident, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.incidents)

    def find(self, code: IncidentCode) -> Incident | None:
        return next((incident for incident in self.incidents if incident.code == code), None)

    def opened(self, incident: Incident) -> "Incidents":
        """With it, once: one that is open already keeps the time since when, and gets the new evidence."""
        known = self.find(incident.code)
        if known is None:
            return Incidents(incidents=(*self.incidents, incident))
        later = incident.model_copy(update={"since": known.since})
        return Incidents(incidents=tuple(later if one.code == incident.code else one for one in self.incidents))

    def closed(self, *codes: IncidentCode) -> "Incidents":
        return Incidents(incidents=tuple(one for one in self.incidents if one.code not in codes))

    def vanished(self, marketplace_id: str | None) -> frozenset[str]:
        """The fields that Amazon no longer sends for orders of the marketplace."""
        incident = self.find("fieldsVanished")
        return frozenset(incident.fields.get(marketplace_id or "", ())) if incident else frozenset()

    def cause_of(self, marketplace_id: str | None, missing: Iterable[str]) -> IncidentCode | None:
        """The incident that explains what an order of the marketplace lacks; None if that is the order's own."""
        return "fieldsVanished" if not self.vanished(marketplace_id).isdisjoint(missing) else None


def is_far_behind(reached: datetime, now: datetime, *, is_open: bool) -> bool:
    """Whether live downloads are too far behind; an incident that is open stays so until half of that is made up."""
    return now - reached > (FAR_BEHIND / 2 if is_open else FAR_BEHIND)

"""The incidents of an integration's connection: one cause is one incident, however many orders it affects.

An incident keeps its beginning and its evidence, and closes by itself when its cause is over.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

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
    "otherSeller",
]
# A release cannot read an item with a code that it does not know, so codes since 0.1.0 are stored apart from the others
# under a name that it leaves out.
_NEWER: frozenset[str] = frozenset({"otherSeller"})
# These end with the next call that Amazon answers.
NO_CALL_WORKS: frozenset[IncidentCode] = frozenset(
    {"credentialsUnreadable", "credentialsRejected", "accessDenied", "marketplaceNotAllowed", "amazonUnavailable"}
)
# These end with the next live download.
LIVE_SEARCH_FAILS: frozenset[IncidentCode] = frozenset({"requestRejected", "unreadableAnswer"})
# These mean nothing while downloads are paused.
OF_DOWNLOADS: frozenset[IncidentCode] = NO_CALL_WORKS | LIVE_SEARCH_FAILS | {"quotaExhausted"}

# Live downloads that are this far behind for lack of quota are an incident, until they have made up half of it.
FAR_BEHIND = timedelta(hours=2)

# News that the event bus has not taken for so long is old: only the latest is kept.
MOST_UNTOLD = 100


class Incident(Value):
    """One cause. `evidence` is for people and names nobody. `fields`, by marketplace, are the vanished ones."""

    code: IncidentCode
    since: UtcTime
    evidence: str
    request_id: str | None = None
    fields: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    seller_id: str | None = None  # the other seller
    probed_at: UtcTime | None = None
    probed_order: str | None = None


class IncidentNews(Value):
    """The beginning or the end of an incident, kept until the event bus has taken it."""

    event: Literal["IncidentOpened", "IncidentClosed"]
    at: UtcTime
    incident: Incident


class Incidents(Value):
    """The open incidents of one integration, the oldest first, and the news of them that nobody was told yet."""

    incidents: tuple[Incident, ...] = ()
    untold: tuple[IncidentNews, ...] = ()

    @model_serializer(mode="wrap")
    def _with_newer_apart(self, dumped: SerializerFunctionWrapHandler) -> dict[str, Any]:
        whole = dumped(self)
        older = {name: [one for one in whole[name] if not _is_newer(one)] for name in whole}
        return {**older, "newer": {name: [one for one in whole[name] if _is_newer(one)] for name in whole}}

    @model_validator(mode="before")
    @classmethod
    def _with_newer_among_them(cls, stored: Any) -> Any:
        """Codes of a later release, from which this one was rolled back to, are left out."""
        match stored:
            case {"newer": {"incidents": [*incidents], "untold": [*untold]}}:
                return {
                    "incidents": sorted([*stored["incidents"], *filter(_is_newer, incidents)], key=itemgetter("since")),
                    "untold": sorted([*stored["untold"], *filter(_is_newer, untold)], key=itemgetter("at")),
                }
        return stored

    def __bool__(self) -> bool:
        return bool(self.incidents)

    def find(self, code: IncidentCode) -> Incident | None:
        return next((incident for incident in self.incidents if incident.code == code), None)

    def opened(self, incident: Incident) -> "Incidents":
        """With this incident. One that is open already keeps its beginning, and gets the new evidence."""
        known = self.find(incident.code)
        if known is None:
            return self._with((*self.incidents, incident))
        later = incident.model_copy(update={"since": known.since})
        return self._with(later if one.code == incident.code else one for one in self.incidents)

    def closed(self, *codes: IncidentCode) -> "Incidents":
        return self._with(one for one in self.incidents if one.code not in codes)

    def with_news_since(self, before: "Incidents", now: datetime) -> "Incidents":
        """With the news of what was opened and closed since `before`."""
        opened = [one for one in self.incidents if before.find(one.code) is None]
        closed = [one for one in before.incidents if self.find(one.code) is None]
        news = (
            *(IncidentNews(event="IncidentClosed", at=now, incident=one) for one in closed),
            *(IncidentNews(event="IncidentOpened", at=now, incident=one) for one in opened),
        )
        return self.model_copy(update={"untold": (*before.untold, *news)[-MOST_UNTOLD:]})

    def all_told(self) -> "Incidents":
        return self.model_copy(update={"untold": ()})

    def _with(self, incidents: Iterable[Incident]) -> "Incidents":
        return self.model_copy(update={"incidents": tuple(incidents)})

    def vanished(self, marketplace_id: str | None) -> frozenset[str]:
        """The fields that Amazon no longer sends for orders of the marketplace."""
        incident = self.find("fieldsVanished")
        return frozenset(incident.fields.get(marketplace_id or "", ())) if incident else frozenset()

    def cause_of(self, marketplace_id: str | None, awaited: Iterable[str]) -> IncidentCode | None:
        """The incident that explains the fields that an order awaits; None if only the order lacks them."""
        return "fieldsVanished" if not self.vanished(marketplace_id).isdisjoint(awaited) else None


def _is_newer(stored: Mapping[str, Any]) -> bool:
    """Whether a stored incident, or the news of one, has a code that this release knows and 0.1.0 does not."""
    return stored.get("incident", stored)["code"] in _NEWER


def is_far_behind(reached: datetime, now: datetime, *, is_open: bool) -> bool:
    """Whether live downloads are too far behind. An open incident ends once half of the lag is made up."""
    return now - reached > (FAR_BEHIND / 2 if is_open else FAR_BEHIND)

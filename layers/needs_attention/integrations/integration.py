"""An integration: one Amazon seller account in one Amazon region, its settings, and the rejudgement of its orders."""

from datetime import datetime, timedelta
from operator import attrgetter
from typing import Literal

from pydantic import Field

from needs_attention.integrations.expiry import Ending, Expiry
from needs_attention.orders.settings import Settings
from needs_attention.values.fields import Slug
from needs_attention.values.model import Value
from needs_attention.values.times import UtcTime

# A function that read the settings before they changed may write verdicts by them until its time is up: a validation
# has a minute (its timeout in template.yaml), and the request that changed them half a minute. Indexes lag a moment.
OLD_VERDICTS_END_AFTER = timedelta(minutes=2)


class Rejudgement(Value):
    """A new verdict on every order, Stage by Stage; `position` is the place reached in the first of `stages`.

    `changed` counts the orders whose verdict is a different one now, or was pending.
    """

    requested_by: str
    requested_at: UtcTime
    stages: tuple[str, ...]
    position: str | None = None
    orders: int = 0
    changed: int = 0
    finished_at: UtcTime | None = None

    @property
    def begins_at(self) -> datetime:
        """When no verdict by earlier settings can still be written."""
        return self.requested_at + OLD_VERDICTS_END_AFTER


Region = Literal["NA", "EU", "FE"]


class Integration(Value):
    """One Amazon seller account in one Amazon region. Its credentials are in Secrets Manager, never here.

    `credentials_version` names the version of the secret that came with the last change of the credentials; None for
    one of an earlier release.
    """

    integration_id: Slug
    name: str
    region: Region
    marketplace_ids: tuple[str, ...]
    settings: Settings = Settings()
    is_paused: bool = Field(default=False, description="Nothing is downloaded; redaction goes on")
    is_frozen: bool = Field(default=False, description="Nothing may be handed over")
    registered_at: UtcTime
    client_secret_created_at: UtcTime | None = None
    consent_given_at: UtcTime | None = None
    credentials_version: str | None = None
    deleted_at: UtcTime | None = None
    revision: int = 0

    def expiries(self, now: datetime) -> tuple[Expiry, ...]:
        """The ends of its credentials, the soonest first."""
        begun: dict[Ending, datetime | None] = {
            "clientSecret": self.client_secret_created_at,
            "consent": self.consent_given_at,
        }
        known = (Expiry.of(what, at, now) for what, at in begun.items() if at)
        return tuple(sorted(known, key=attrgetter("at")))

"""An integration: one Amazon seller account in one Amazon region, its settings, and the rejudgement of its orders."""

from datetime import datetime, timedelta
from operator import attrgetter
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints

from needs_attention.integrations.expiry import Ending, Expiry
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.integrations.stages import Stages
from needs_attention.orders.marketplaces import MARKETPLACES
from needs_attention.values.fields import Like, Slug
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

    @classmethod
    def of_every_stage(cls, stages: Stages, *, by: str, at: datetime) -> Self:
        """A new one of the orders in every Stage."""
        return cls(requested_by=by, requested_at=at, stages=tuple(stage.id for stage in stages.stages))

    def was_under_way(self, at: datetime) -> bool:
        """Whether it is not finished, or was not at that time."""
        return self.finished_at is None or self.finished_at >= at

    @property
    def begins_at(self) -> datetime:
        """When no verdict by earlier settings can still be written."""
        return self.requested_at + OLD_VERDICTS_END_AFTER


Region = Literal["NA", "EU", "FE"]

# Amazon calls it Merchant Token in Seller Central, and `SellerId` in notifications. The known ones are an A with 12 or
# 13 letters and digits; nothing that Amazon publishes limits its length.
WHERE_IT_IS = "Seller Central shows it under Settings, Account Info"
SellerId = Annotated[
    str,
    StringConstraints(strip_whitespace=True),
    Like("[A-Za-z0-9]{10,20}", f"must be the seller's Merchant Token, such as A1EXAMPLE12345: {WHERE_IT_IS}"),
    AfterValidator(str.upper),
]
MOST_NAMED_SELLERS = 20


class NamedSeller(Value):
    """The seller that an administrator named for an integration, and when."""

    seller_id: str
    by: str
    at: UtcTime


class Integration(Value):
    """One Amazon seller account in one Amazon region. Its credentials are in Secrets Manager, never here.

    No other integration has the same seller and region: Amazon's quota is the seller's, and two would overspend it.
    `credentials_version` names the version of the secret that came with the last change of the credentials; None for
    one of an earlier release.
    """

    integration_id: Slug
    name: str
    region: Region
    marketplace_ids: tuple[str, ...]
    settings: IntegrationSettings = IntegrationSettings()
    is_paused: bool = Field(default=False, description="Nothing is downloaded; redaction goes on")
    is_frozen: bool = Field(default=False, description="Nothing may be handed over")
    registered_at: UtcTime
    client_secret_created_at: UtcTime | None = None
    consent_given_at: UtcTime | None = None
    credentials_version: str | None = None
    named_sellers: tuple[NamedSeller, ...] = ()  # the last one counts; empty for an integration of an earlier release
    deleted_at: UtcTime | None = None
    merged_into: str | None = None  # the integration that has its orders now; only of a deleted one
    merged_from: tuple[str, ...] = ()  # the integrations that were merged into this one, the latest last
    revision: int = 0

    @property
    def seller_id(self) -> str | None:
        """The seller's Merchant Token; None for an integration of an earlier release that nobody has given one."""
        return self.named_sellers[-1].seller_id if self.named_sellers else None

    def of_seller(self, seller_id: str, by: str, at: datetime) -> "Integration":
        """With this seller. The last twenty stay on record."""
        if seller_id == self.seller_id:
            return self
        named = (*self.named_sellers, NamedSeller(seller_id=seller_id, by=by, at=at))
        return self.model_copy(update={"named_sellers": named[-MOST_NAMED_SELLERS:]})

    def may_have_the_seller_of(self, other: "Integration") -> bool:
        """Whether both are in one region, and of one seller as far as the sellers are known."""
        are_known = None not in {self.seller_id, other.seller_id}
        return self.region == other.region and (not are_known or self.seller_id == other.seller_id)

    def with_source(self, source: "Integration", stages: Stages) -> "Integration":
        """This integration once the source is merged into it: with its seller, and with its marketplaces.

        The orders of marketplaces that are not in its own list get the settings that they have in the source, but for a
        default Stage that is gone. Of marketplaces that both have left, both may have orders: none of these becomes
        free to leave.
        """
        added = tuple(one for one in source.marketplace_ids if one not in self.marketplace_ids)
        others = [
            one.id for one in MARKETPLACES.values() if one.region == self.region and one.id not in self.marketplace_ids
        ]
        left = [one for one in others if one not in added]
        return self.model_copy(
            update={
                "marketplace_ids": (*self.marketplace_ids, *added),
                "settings": self.settings.with_overrides_of(source.settings, others, stages, kept_back=left),
                "named_sellers": self.named_sellers or source.named_sellers,
                "merged_from": (*self.merged_from, source.integration_id),
            }
        )

    def expiries(self, now: datetime) -> tuple[Expiry, ...]:
        """The ends of its credentials, the soonest first."""
        begun: dict[Ending, datetime | None] = {
            "clientSecret": self.client_secret_created_at,
            "consent": self.consent_given_at,
        }
        known = (Expiry.of(what, at, now) for what, at in begun.items() if at)
        return tuple(sorted(known, key=attrgetter("at")))

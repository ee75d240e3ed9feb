"""The settings of one integration, and those that a marketplace has its own values of."""

from collections.abc import Container, Iterable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any, Self, TypeVar

from pydantic import Field, WithJsonSchema, field_validator

from needs_attention.integrations.stages import Stages
from needs_attention.orders.marketplaces import MARKETPLACES
from needs_attention.orders.settings import (
    BillingAddressPolicy,
    DefaultStage,
    DefaultThreePlStatus,
    OrderDefaults,
    Settings,
    SingleWordNamePolicy,
)
from needs_attention.values.fields import WHOLE, NotNull
from needs_attention.values.model import Value, differing
from needs_attention.values.times import SentTime


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default")


Kind = TypeVar("Kind")
# A member that is not overridden is left out, wherever the settings are stored or shown.
OwnValue = Annotated[
    Kind | None, NotNull(), Field(exclude_if=lambda value: value is None, json_schema_extra=_without_default)
]

NO_GO_LIVE_DATE = datetime(2000, 1, 1, tzinfo=UTC)  # before Amazon's first sellers

# Any text is read from storage: requests are checked where they come in.
MarketplaceId = Annotated[str, WithJsonSchema({"type": "string", "enum": list(MARKETPLACES)})]


class MarketplaceChecks(Value):
    """The checks that a marketplace switches on or off for itself."""

    names: OwnValue[bool] = None
    email: OwnValue[bool] = None
    delivery_address: OwnValue[bool] = None
    billing_address: OwnValue[bool] = None
    line_items: OwnValue[bool] = None
    buyer_requested_cancel: OwnValue[bool] = None


class MarketplaceSettings(Value):
    """The settings that a marketplace has its own values of. The others are the integration's."""

    default_stage: OwnValue[DefaultStage] = None
    default_three_pl_status: OwnValue[DefaultThreePlStatus] = None
    auto_dispatch_orders: OwnValue[bool] = None
    go_live_date: OwnValue[SentTime] = None
    trial_mode: OwnValue[bool] = None
    checks: OwnValue[MarketplaceChecks] = None
    billing_address: OwnValue[BillingAddressPolicy] = None
    single_word_names: OwnValue[SingleWordNamePolicy] = None

    @field_validator("checks")
    @classmethod
    def _if_any(cls, checks: MarketplaceChecks | None) -> MarketplaceChecks | None:
        return checks if checks != MarketplaceChecks() else None


class IntegrationSettings(OrderDefaults):
    """One integration's settings. Rules take those of an order's marketplace: `of(marketplace_id)`.

    `marketplaces` holds no marketplace without overrides.
    """

    download_orders_updated_after: SentTime | None = Field(
        default=None, description="The start of a backdated download whose request names no time"
    )
    download_pending_orders: bool = Field(
        default=False, description="Orders that Amazon has not released yet are downloaded as drafts"
    )
    live_download_every_minutes: Annotated[int, Field(ge=1, le=24 * 60), WHOLE] = 5
    order_change_notifications: bool = Field(
        default=False, description="Amazon reports changed orders, which are then downloaded within seconds"
    )
    marketplaces: Mapping[MarketplaceId, MarketplaceSettings] = Field(
        default_factory=dict,
        description="By marketplace ID, the settings that its orders have instead of the integration's",
    )

    @field_validator("marketplaces")
    @classmethod
    def _with_overrides(cls, marketplaces: Mapping[str, MarketplaceSettings]) -> Mapping[str, MarketplaceSettings]:
        return {one: overrides for one, overrides in marketplaces.items() if overrides != MarketplaceSettings()}

    def of(self, marketplace_id: str | None) -> Settings:
        """The settings that the orders of this marketplace are judged by. Many ask, so each is built once."""
        return self.of_marketplaces.get(marketplace_id) or self.of_others

    @cached_property
    def of_others(self) -> Settings:
        """The settings of orders whose marketplace overrides nothing, or is not known."""
        return Settings.model_construct(**{name: getattr(self, name) for name in OrderDefaults.model_fields})

    @cached_property
    def of_marketplaces(self) -> Mapping[str | None, Settings]:
        """The settings of the marketplaces with overrides."""
        return {one: self._with(overrides) for one, overrides in self.marketplaces.items()}

    def with_overrides_of(
        self,
        other: "IntegrationSettings",
        marketplace_ids: Iterable[str],
        stages: Stages,
        *,
        kept_back: Container[str] = (),
    ) -> "IntegrationSettings":
        """With other overrides for these marketplaces: their orders are judged as the other settings judge them.

        A default Stage that is not among the Stages stays the integration's. In the marketplaces that are `kept_back`
        nothing may leave that either of the two settings keeps.
        """
        overrides = {**self.marketplaces}
        for one in marketplace_ids:
            wanted = other.of(one)
            if one in kept_back:
                wanted = wanted.no_freer_than(self.of(one))
            if stages.named(wanted.default_stage) is None:
                wanted = wanted.model_copy(update={"default_stage": self.default_stage})
            overrides[one] = _overrides(self.of_others, wanted)
        found = {one: override for one, override in overrides.items() if override != MarketplaceSettings()}
        return self.model_copy(update={"marketplaces": found})

    @property
    def default_stages(self) -> frozenset[str]:
        """The IDs of the Stages that complete orders go to: the integration's, and those of its marketplaces."""
        return frozenset(one.default_stage for one in (self.of_others, *self.of_marketplaces.values()))

    def _with(self, overrides: MarketplaceSettings) -> Settings:
        changes = _given(overrides)
        if overrides.checks:
            changes["checks"] = self.checks.model_copy(update=_given(overrides.checks))
        return self.of_others.model_copy(update=changes)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy resolves for itself: it may have other settings."""
        copied = super().model_copy(update=update, deep=deep)
        for resolved in ("of_others", "of_marketplaces"):
            vars(copied).pop(resolved, None)
        return copied


def _overrides(base: Settings, wanted: Settings) -> MarketplaceSettings:
    """Whatever differs. No go-live date is an old one: an override of None would leave the base's."""
    changes: dict[str, Any] = {name: getattr(wanted, name) for name in differing(base, wanted) - {"checks"}}
    if changes.get("go_live_date", wanted) is None:
        changes["go_live_date"] = NO_GO_LIVE_DATE
    checks = {name: getattr(wanted.checks, name) for name in differing(base.checks, wanted.checks)}
    return MarketplaceSettings(**changes, checks=MarketplaceChecks(**checks))


def _given(overrides: MarketplaceSettings | MarketplaceChecks) -> dict[str, Any]:
    return {name: value for name, value in overrides if value is not None}

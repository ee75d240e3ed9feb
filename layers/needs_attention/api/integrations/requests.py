"""The bodies of requests that change integrations and Stages. Credentials only ever go in."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, GetJsonSchemaHandler, SecretStr, StringConstraints, ValidationInfo, field_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError

from needs_attention.amazon.tokens import Credentials
from needs_attention.api.operations import parsed
from needs_attention.api.problems import FieldError, Problem, invalid
from needs_attention.integrations.integration import WHERE_IT_IS, Integration, Region, SellerId
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.integrations.stages import StageName, Stages
from needs_attention.orders.marketplaces import MARKETPLACES
from needs_attention.values.fields import NoneOf, OneOf, Slug
from needs_attention.values.model import Value
from needs_attention.values.times import SentTime

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
MarketplaceIds = Annotated[tuple[Annotated[str, OneOf(MARKETPLACES)], ...], Field(min_length=1, max_length=50)]
# Marketplaces' IDs look the same, and stand next to it in the same request.
MerchantToken = Annotated[
    SellerId,
    NoneOf(MARKETPLACES, f"is a marketplace's ID, not the seller's Merchant Token: {WHERE_IT_IS}"),
    Field(description=f"The seller's Merchant Token: {WHERE_IT_IS}"),
]
Secret = Annotated[SecretStr, Field(min_length=1, max_length=2048)]


class _PatchOf:
    """Describes a dictionary in the OpenAPI document as a merge patch: each member as the value has it, or null."""

    def __init__(self, model: type[Value], **others: JsonSchemaValue) -> None:
        self._model = model
        self._others = others

    def __get_pydantic_json_schema__(self, _: object, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        whole = handler.resolve_ref_schema(handler(self._model.__pydantic_core_schema__))
        return self._patch_of(self._named(whole["properties"]), handler)

    def _named(self, members: Mapping[str, JsonSchemaValue]) -> Mapping[str, JsonSchemaValue]:
        return {name: self._others.get(name, one) for name, one in members.items()}

    def _patch_of(self, members: Mapping[str, JsonSchemaValue], handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        patched = {name: {"anyOf": [self._member(one, handler), {"type": "null"}]} for name, one in members.items()}
        return {"type": "object", "properties": patched, "additionalProperties": False}

    def _member(self, member: JsonSchemaValue, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        whole = handler.resolve_ref_schema(member)
        if "properties" in whole:
            return self._patch_of(self._named(whole["properties"]), handler)
        if isinstance(whole.get("additionalProperties"), dict):
            each = {"anyOf": [self._member(whole["additionalProperties"], handler), {"type": "null"}]}
            return {key: told for key, told in whole.items() if key != "default"} | {"additionalProperties": each}
        return {key: told for key, told in member.items() if key != "default"}


SettingsPatch = Annotated[
    dict[str, Any],
    _PatchOf(IntegrationSettings, defaultStage={"type": "string", "description": "A Stage's name or id"}),
]


class CredentialsBody(Value):
    """An application's Login with Amazon client, and the seller's consent. No answer shows them.

    The two times default to now. They decide when people are warned that the credentials end.
    """

    client_id: Secret
    client_secret: Secret
    refresh_token: Secret
    client_secret_created_at: SentTime | None = None
    consent_given_at: SentTime | None = None

    def begun(self, now: datetime) -> dict[str, datetime]:
        """The integration's fields that say when these credentials began. Raises a 422 for a time in the future."""
        given = {
            "client_secret_created_at": self.client_secret_created_at or now,
            "consent_given_at": self.consent_given_at or now,
        }
        future = [f"credentials.{to_camel(name)}" for name, time in given.items() if time > now]
        if future:
            raise invalid([FieldError(field, "inTheFuture", "lies in the future") for field in future])
        return given

    def as_credentials(self) -> Credentials:
        return Credentials(
            client_id=self.client_id.get_secret_value(),
            client_secret=self.client_secret.get_secret_value(),
            refresh_token=self.refresh_token.get_secret_value(),
        )


class Registration(Value):
    """A new integration. `settings` holds changes to the defaults, or to the earlier settings of a removed one."""

    integration_id: Slug
    name: Name | None = None
    region: Region
    seller_id: MerchantToken
    marketplace_ids: MarketplaceIds
    credentials: CredentialsBody
    settings: SettingsPatch = Field(default_factory=dict)

    @field_validator("marketplace_ids")
    @classmethod
    def _are_of_the_region(cls, marketplace_ids: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if "region" in info.data:
            check_marketplaces(marketplace_ids, info.data["region"])
        return marketplace_ids

    def integration(self, before: Integration | None, stages: Stages, now: datetime) -> Integration:
        """The integration as registered now. `before` is the removed one that it revives. Raises a 422."""
        return Integration(
            integration_id=self.integration_id,
            name=self.name or self.integration_id,
            region=self.region,
            marketplace_ids=tuple(dict.fromkeys(self.marketplace_ids)),
            settings=patched_settings(
                before.settings if before else IntegrationSettings(), self.settings, stages, self.region
            ),
            registered_at=now,
            **self.credentials.begun(now),
            is_paused=before is not None and before.is_paused,
            is_frozen=before is not None and before.is_frozen,
            named_sellers=before.named_sellers if before else (),
            merged_from=before.merged_from if before else (),
            revision=before.revision if before else 0,
        )


def check_marketplaces(marketplace_ids: Sequence[str], region: str) -> None:
    """Raises a ValueError for a marketplace of another region."""
    allowed = [marketplace.id for marketplace in MARKETPLACES.values() if marketplace.region == region]
    if not set(marketplace_ids) <= set(allowed):
        known = {"region": region, "allowed": ", ".join(allowed)}
        raise PydanticCustomError("other_region", "region {region} has {allowed}", known)


class IntegrationPatch(Value):
    """JSON Merge Patch on an integration. A setting of null returns to its default.

    A dry run writes nothing, and shows how many of the present orders the settings would hold or let go.
    """

    name: Name = ""
    seller_id: MerchantToken = ""
    marketplace_ids: MarketplaceIds = ()
    settings: SettingsPatch = Field(default_factory=dict)
    credentials: CredentialsBody | None = None
    is_paused: bool = False
    dry_run: bool = False

    def applied_to(self, integration: Integration, stages: Stages, now: datetime) -> Integration:
        """Raises a 422 for impossible settings."""
        changes: dict[str, object] = self.model_dump(include=self.model_fields_set & {"name", "is_paused"})
        if "marketplace_ids" in self.model_fields_set:
            try:
                check_marketplaces(self.marketplace_ids, integration.region)
            except ValueError as error:
                raise invalid([FieldError("marketplaceIds", "otherRegion", str(error))]) from None
            changes["marketplace_ids"] = tuple(dict.fromkeys(self.marketplace_ids))
        if "settings" in self.model_fields_set:
            changes["settings"] = patched_settings(integration.settings, self.settings, stages, integration.region)
        if self.credentials is not None:
            changes |= self.credentials.begun(now)
        return integration.model_copy(update=changes)


class MergeRequest(Value):
    """The removed integration whose orders the one in the path takes over.

    `sellerId` is the seller of both. It is needed only if another one is on record for one of the two by mistake.
    """

    source: Slug
    seller_id: MerchantToken | None = None


class StageBody(Value):
    """A Stage's name."""

    name: StageName


def patched_settings(
    settings: IntegrationSettings, patch: dict[str, Any], stages: Stages, region: Region
) -> IntegrationSettings:
    """The settings with a merge patch, which gives default Stages by their names or IDs. Raises a 422."""
    wanted = _merged(json.loads(settings.model_dump_json(by_alias=True)), patch)
    if errors := [*_wrong_marketplaces(patch.get("marketplaces"), region), *_identify_stages(wanted, stages)]:
        raise invalid(errors)
    try:
        return parsed(IntegrationSettings, json.dumps(wanted))
    except Problem as problem:
        raise invalid([error._replace(field=f"settings.{error.field}") for error in problem.errors]) from None


def _wrong_marketplaces(patch: object, region: Region) -> Iterator[FieldError]:
    """An error for each marketplace of a patch that cannot have settings here. Any may lose those that it has."""
    given = (one for one, overrides in _members(patch).items() if overrides is not None)
    for marketplace_id in given:
        try:
            check_marketplaces([marketplace_id], region)
        except PydanticCustomError as error:
            code, problem = ("otherRegion", "") if marketplace_id in MARKETPLACES else ("notAllowed", "not known; ")
            yield FieldError(f"settings.marketplaces.{marketplace_id}", code, f"{problem}{error}")


def _identify_stages(wanted: dict[str, Any], stages: Stages) -> Iterator[FieldError]:
    """Puts the ID of each default Stage in the place of its name. An error for each that is not in the list."""
    overrides = _members(wanted.get("marketplaces"))
    places = {"settings": wanted} | {f"settings.marketplaces.{one}": overrides[one] for one in overrides}
    for place, members in places.items():
        name = _members(members).get("defaultStage")
        if not isinstance(name, str):
            continue
        if stage := stages.named(name):
            members["defaultStage"] = stage.id
        else:
            known = ", ".join(stage.name for stage in stages.stages)
            yield FieldError(f"{place}.defaultStage", "unknownStage", f"not known; the Stages are {known}")


def _members(sent: object) -> dict[str, Any]:
    """The members of an object. Anything else has none, and is refused when the settings are read."""
    return sent if isinstance(sent, dict) else {}


def _merged(target: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Applies a merge patch (RFC 7396)."""
    merged = dict(target)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict):
            below = merged.get(name)
            merged[name] = _merged(below if isinstance(below, dict) else {}, value)
        else:
            merged[name] = value
    return merged

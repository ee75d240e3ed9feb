"""The base of every value: frozen, camelCase outside, times in UTC with a fixed width so that they sort as text."""

import re
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


def instant(time: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, e.g. `2026-11-23T18:00:00.000Z`: such texts sort as the times do."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def id_made_at(time: datetime, suffix: str | None = None) -> str:
    """An id that sorts by the time, and ends with the suffix; without one, by chance."""
    return f"{time:%Y%m%dT%H%M%S}{time.microsecond // 1000:03d}Z-{suffix or secrets.token_hex(6)}"


def utc_now() -> datetime:
    """The time, as exact as it is stored: handlers read the clock with it, and nobody else does."""
    return in_utc(datetime.now(UTC))


def in_utc(time: datetime) -> datetime:
    """The same moment in UTC, cut to milliseconds.

    Refuses the far ends of the calendar, where changing the zone or adding a deadline would overflow; also what only
    its zone brings there, so that what was written is read again.
    """
    utc = time.astimezone(UTC) if _can_be_reckoned_with(time) else time
    if not _can_be_reckoned_with(utc):
        raise PydanticCustomError("year_out_of_range", "a time must lie between the years 1970 and 2999")
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def _can_be_reckoned_with(time: datetime) -> bool:
    return 1970 <= time.year < 3000


_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _parsed(value: object) -> object:
    """Not left to pydantic, which takes more for a time: a number, or its text, for seconds since 1970."""
    if not isinstance(value, str):
        return value
    try:
        if _RFC_3339.fullmatch(value):
            return datetime.fromisoformat(value.upper())
    except ValueError:  # a day that no month has
        pass
    raise ValueError("must be a time with its zone, such as 2026-11-23T18:00:00Z")


UtcTime = Annotated[
    AwareDatetime,
    AfterValidator(in_utc),
    PlainSerializer(instant, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


def _whole(value: object) -> object:
    """JSON knows one kind of number: 2.0 is as whole as 2."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


# Says of a number that people and machines send, after its bounds, that it may be written either way.
WHOLE = BeforeValidator(_whole)
# A time that people and machines send.
SentTime = Annotated[UtcTime, BeforeValidator(_parsed)]


class Value(BaseModel):
    """A frozen value with camelCase names outside; what it does not know is an error, so a typing mistake is seen."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, extra="forbid", hide_input_in_errors=True
    )


def differing[Kind: Value](one: Kind, other: Kind) -> set[str]:
    """The names of the fields in which the two differ."""
    was, now = vars(one), vars(other)
    # A change keeps most values as they are, and to see that costs less than to compare them.
    return {name for name in was if was[name] is not now[name] and was[name] != now[name]}


def read_stored[Stored: Value](kind: type[Stored], text: str) -> Stored:
    """What a table holds; fields of a later version are left out, so that one that was rolled back can go on."""
    return kind.model_validate_json(text, extra="ignore")


class NotNull:
    """Says of what may be left out, in an annotation, that it cannot be sent as null."""

    def __get_pydantic_core_schema__(self, kind: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(kind))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        told = handler(core)
        kinds = [kind for kind in told.get("anyOf", []) if kind != {"type": "null"}]
        return kinds[0] if len(kinds) == 1 else told | {"anyOf": kinds}

    @staticmethod
    def _check(value: object) -> object:
        if value is None:
            raise ValueError("cannot be null; leave it out instead")
        return value


class OneOf:
    """Says of a text, in an annotation, that it is one of these; `refusal` is told to whoever sent another."""

    def __init__(self, allowed: Iterable[str], refusal: str = "not known; allowed are {allowed}") -> None:
        self._allowed = tuple(allowed)
        self._refusal = refusal

    def __get_pydantic_core_schema__(self, kind: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(kind))

    def __get_pydantic_json_schema__(self, _: object, __: object) -> JsonSchemaValue:
        return {"type": "string", "enum": list(self._allowed)}

    def _check(self, value: str) -> str:
        if value not in self._allowed:
            raise ValueError(self._refusal.format(allowed=", ".join(self._allowed)))
        return value


class Like:
    """Says of a text, in an annotation, how it is written; `refusal` is told to whoever sent another."""

    def __init__(self, pattern: str, refusal: str) -> None:
        self._pattern = pattern
        self._refusal = refusal

    def __get_pydantic_core_schema__(self, kind: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(kind))

    def __get_pydantic_json_schema__(self, _: object, __: object) -> JsonSchemaValue:
        return {"type": "string", "pattern": f"^{self._pattern}$"}

    def _check(self, value: str) -> str:
        if not re.fullmatch(self._pattern, value, re.ASCII):
            raise ValueError(self._refusal)
        return value


# An id that people choose, and that stands in paths.
Slug = Annotated[
    str, Like("[a-z0-9][a-z0-9-]{0,39}", "must be up to 40 small letters, digits and dashes, such as acme-eu")
]

"""Annotations that restrict a field of a value, describe it in the schema, and word its refusal."""

import re
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


def _whole(value: object) -> object:
    """JSON has one kind of number: 2.0 is as whole as 2."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


# For a number that people and machines send, after its bounds: 2 may be written as 2.0.
WHOLE = BeforeValidator(_whole)


def _split(value: object) -> object:
    """Splits the values of a parameter, which may be repeated, or separated by commas, semicolons, blanks and lines.

    A parameter without any value is wrong: whoever sends an empty list does not want every order.
    """
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list):
        return texts
    if parts := [part for text in texts for part in re.split(r"[\s,;]+", text) if part]:
        return parts
    raise PydanticCustomError("required", "must name at least one")


# For a query parameter that takes several values.
SEVERAL = BeforeValidator(_split)


class NotNull:
    """Annotates a field that may be left out, but not sent as null."""

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
    """Annotates a text that must be one of these; `refusal` is the message for any other."""

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


class NoneOf:
    """Annotates a text that must be none of these; `refusal` is the message for one of them."""

    def __init__(self, refused: Iterable[str], refusal: str) -> None:
        self._refused = frozenset(refused)
        self._refusal = refusal

    def __get_pydantic_core_schema__(self, kind: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(kind))

    def _check(self, value: str) -> str:
        if value in self._refused:
            raise ValueError(self._refusal)
        return value


class Like:
    """Annotates a text that must match a pattern; `refusal` is the message for any other."""

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


# An id that people choose, and that is part of URLs.
Slug = Annotated[
    str, Like("[a-z0-9][a-z0-9-]{0,39}", "must be up to 40 small letters, digits and dashes, such as acme-eu")
]

"""Wrong requests, made from right ones by the OpenAPI document: with a fault in every place, one at a time.

Only what the document itself refuses counts as wrong, so that whatever it calls wrong must be refused.
"""

import copy
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from needs_attention.orders.marketplaces import MARKETPLACES
from tools.openapi.conformance import document_checked_in

type Place = tuple[str | int, ...]

UNKNOWN = "colour"
FAR_TOO_LONG = 5_000
# One of each type of JSON, and of each the ends: `x` is in no list of allowed values.
OTHER_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 10**12),
    *("", "x", "x" * FAR_TOO_LONG, "2026-02-30T12:00:00Z", "2026-11-23"),
    *([], ["x"], ["x"] * 300, {}, {UNKNOWN: "red"}),
)
OTHER_TEXTS = (
    *("", "x", "x" * FAR_TOO_LONG, "-1", "0", "1.5", "251", "null", "2026-02-30T12:00:00Z", "2026-11-23"),
    ",".join(["x"] * 101),
)

NOT_JSON = {
    "nothing but a bracket": b"{",
    "a trailing comma": b'{"name": "x",}',
    "single quotes": b"{'name': 'x'}",
    "a form": b"name=x&colour=red",
    "two of them": b"{}{}",
    "half a letter": b'{"name": "\xc3"}',
    "half a pair of surrogates": b'{"name": "\\ud800"}',
    "Latin-1": '{"name": "é"}'.encode("latin-1"),
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "a byte order mark": '{"name": "x"}'.encode("utf-8-sig"),
    "a zero byte": b'{"name": "x"}\x00',
    "thousands of brackets": b"[" * 100_000,
}


FORMATS = FormatChecker(())


@FORMATS.checks("date-time", raises=ValueError)
def _is_a_time_with_its_zone(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


class Called(NamedTuple):
    """An operation of the document."""

    method: str
    path: str

    @property
    def told(self) -> Mapping[str, Any]:
        """Its entry in the document."""
        told: Mapping[str, Any] = document_checked_in()["paths"][self.path][self.method.lower()]
        return told

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The schemas of its query parameters and headers, by name."""
        return {one["name"]: one["schema"] for one in self.told["parameters"] if one["in"] != "path"}

    @property
    def json_schema(self) -> Mapping[str, Any] | None:
        """The schema of its body, if that is JSON."""
        content = self.told.get("requestBody", {}).get("content", {})
        return content["application/json"]["schema"] if "application/json" in content else None

    @property
    def has_body(self) -> bool:
        return "requestBody" in self.told


def operations() -> list[Called]:
    """All of them, but the one that is open to everybody."""
    paths = document_checked_in()["paths"]
    return [Called(method.upper(), path) for path, methods in paths.items() for method in methods]


class Wrong(NamedTuple):
    """A wrong request, its wrong field, and words; a refusal must hold one of them as a remedy."""

    field: str
    sent: Any
    hints: frozenset[str]

    def __str__(self) -> str:
        return f"{self.field}: {str(self.sent)[:200]}"


def wrong_bodies(schema: Mapping[str, Any], right: Any) -> Iterator[Wrong]:
    """Every body that is as the right one but in one place: another value there, a name too many or one too few."""
    judge = _judge(schema)
    for place, value in _places(right):
        others: list[tuple[Place, Any]] = [(place, other) for other in OTHER_VALUES if other != value]
        if isinstance(value, dict):
            others.append(((*place, UNKNOWN), {**value, UNKNOWN: "red"}))
            others += [(place, {name: one for name, one in value.items() if name != left_out}) for left_out in value]
        for named, other in others:
            sent = _with(right, named[: len(place)], other)
            errors = list(judge.iter_errors(sent))
            if errors:
                yield Wrong(".".join(map(str, named)), sent, frozenset(_hints(errors)))


def wrong_texts(schema: Mapping[str, Any]) -> Iterator[Wrong]:
    """Every text that a parameter cannot be."""
    judge = _judge(schema)
    for text in OTHER_TEXTS:
        errors = list(judge.iter_errors(_as_sent(schema, text)))
        if errors:
            yield Wrong("", text, frozenset(_hints(errors)))


def names_in_schema(schema: Mapping[str, Any]) -> set[str]:
    """The names of everything that a body may have, at any depth. Marketplaces are all the same: their name is `*`."""
    found = set()
    for one in _kinds(schema):
        for name, below in one.get("properties", {}).items():
            found |= {name, *(f"{name}.{inner}" for inner in names_in_schema(below))}
        for name in {_alike(name) for name in one.get("propertyNames", {}).get("enum", ())}:
            found |= {name, *(f"{name}.{inner}" for inner in names_in_schema(one["additionalProperties"]))}
        found |= names_in_schema(one["items"]) if "items" in one else set()
    return found


def _alike(name: str) -> str:
    return "*" if name in MARKETPLACES else name


def names_in_body(body: Any) -> set[str]:
    if isinstance(body, list):
        return set().union(*map(names_in_body, body))
    if not isinstance(body, dict):
        return set()
    named = [(_alike(name), below) for name, below in body.items()]
    return {name for name, _ in named} | {f"{name}.{inner}" for name, below in named for inner in names_in_body(below)}


def _judge(schema: Mapping[str, Any]) -> Draft202012Validator:
    components = {"components": document_checked_in()["components"]}
    return Draft202012Validator(dict(schema) | components, format_checker=FORMATS)


def _kinds(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The schema, and those that it refers to or lets one choose from."""
    yield schema
    for one in schema.get("anyOf", ()):
        yield from _kinds(one)
    if "$ref" in schema:
        yield from _kinds(document_checked_in()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])


def _places(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    yield place, value
    if isinstance(value, (dict, list)):
        for part, below in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _places(below, (*place, part))


def _with(right: Any, place: Place, other: Any) -> Any:
    if not place:
        return other
    sent = copy.deepcopy(right)
    around = sent
    for part in place[:-1]:
        around = around[part]
    around[place[-1]] = other
    return sent


def _as_sent(schema: Mapping[str, Any], text: str) -> Any:
    """The value of a text in a query string, if a parameter is of that type; the text itself if it is none."""
    match schema.get("type"):
        case "array":
            return [part for part in text.split(",") if part]
        case "integer" if text.lstrip("-").isdecimal():
            return int(text)
        case "boolean":
            return {"true": True, "false": False, "1": True, "0": False}.get(text, text)
    return text


def _hints(errors: list[ValidationError]) -> Iterator[str]:
    """Words, one of which must be in a refusal: the bound, an allowed value, a type."""
    for error in errors:
        yield from _hints(error.context)
        told: Any = error.validator_value
        match error.validator:
            case "enum":
                yield from (*told, "leave it out")
            case "const":
                yield from ("true", "leave it out")
            case "type":
                yield from (*_WORDS[told], "leave it out")
            case "required":
                yield "required"
            case "additionalProperties" | "propertyNames":
                yield "allowed are"
            case "format" | "pattern":
                yield from ("such as", "between the years")
            case "oneOf":
                yield "send either"
            case "anyOf":
                pass
            case _:
                yield str(told)


_WORDS = {
    "string": ("string", "time"),
    "integer": ("integer", "whole"),
    "boolean": ("boolean", "true"),
    "array": ("array",),
    "object": ("object",),
    "null": (),
}

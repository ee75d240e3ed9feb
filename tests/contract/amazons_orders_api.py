"""Amazon's Orders API 2026-01-01 in one form, whichever of Amazon's publications tells it.

Schemas are those of Swagger 2: a `$ref` names one of `definitions`. The module `orders_api_of_model` reads Amazon's
model, and `orders_api_of_sdk` its SDK.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import count
from typing import Any, Final

import jsonschema

from tools.amazon_stand_in.ledger import Json, amazon_time, moment

SEARCH, GET = "/orders/2026-01-01/orders", "/orders/2026-01-01/orders/{orderId}"

# Members that Amazon added to its model after commit 34dc93f, by type. The SDK 1.13.0 has them.
ADDED_LATER: Final = {
    "OrderFulfillment": ("promiseCalculationInputs",),
    "AssociatedOrderItem": ("asin", "purchasePrice"),
}

FORMATS: Final = jsonschema.FormatChecker(formats=("date",))
FORMATS.checks("date-time", raises=ValueError)(lambda text: bool(moment(text)))


@dataclass(frozen=True)
class Operation:
    """`parameters` are schemas of the query's values by name, `headers` the answers' by status."""

    parameters: Mapping[str, Json]
    headers: Mapping[str, frozenset[str]]
    answer: str
    usage_plan: tuple[str, str]


@dataclass(frozen=True, order=True)
class SandboxCall:
    """A call that the static sandbox knows, and what the order in its answer is like."""

    query: tuple[tuple[str, str], ...]
    order_id: str
    country: str
    status: str
    fulfilled_by: str
    lines: int
    has_buyer: bool


@dataclass(frozen=True)
class OrdersApi:
    """`documented` holds the answers that a publication shows, by path and status."""

    definitions: Json
    operations: Mapping[str, Operation]
    sandbox: frozenset[SandboxCall]
    documented: Mapping[tuple[str, str], Sequence[Json]]

    def validate(self, answer: object, path: str, status: int) -> None:
        """Raises a ValidationError if an answer lacks a member, or has an unknown one or one of another type."""
        self._validators[self._type_of(path, status)].validate(answer)

    def answers(self, path: str, status: int) -> list[Json]:
        """The answers shown, and some made of the types: with all members and with the required ones only."""
        made = [_Maker(self.definitions, turn).answer(self._type_of(path, status)) for turn in range(4)]
        return [*self.documented.get((path, str(status)), ()), *made]

    def orders(self) -> list[Json]:
        """The orders in all answers, each with an ID of its own."""
        orders = [order for answer in self.answers(SEARCH, 200) for order in answer["orders"]]
        orders += [answer["order"] for answer in self.answers(GET, 200)]
        return list({order["orderId"]: order for order in orders}.values())

    def words(self, definition: str, member: str) -> frozenset[str]:
        """The values of a text: its enumeration, or the possible values that its description names."""
        schema: Json = self.definitions[definition]["properties"][member]
        return frozenset(words_of(self.definitions, schema))

    def members(self, definition: str, path: str) -> Iterator[str]:
        """Each member below, as `order.orderItems.product.asin*`: `*` if it is required.

        `=A|B` after a path tells that only these values are allowed.
        """
        yield from _members(self.definitions, {"$ref": f"#/definitions/{definition}"}, path)

    def as_first_published(self) -> "OrdersApi":
        """Without the members that Amazon added later."""
        definitions = {
            name: definition
            | {
                "properties": {
                    member: schema
                    for member, schema in definition["properties"].items()
                    if member not in ADDED_LATER.get(name, ())
                }
            }
            if "properties" in definition
            else definition
            for name, definition in self.definitions.items()
        }
        return replace(self, definitions=definitions)

    def _type_of(self, path: str, status: int) -> str:
        return self.operations[path].answer if status == 200 else "ErrorList"

    @cached_property
    def _validators(self) -> Mapping[str, jsonschema.Draft4Validator]:
        """By the type of the answer."""
        names = ("ErrorList", *(operation.answer for operation in self.operations.values()))
        schemas = {name: _strict(self.definitions, self.definitions[name]) for name in names}
        return {name: jsonschema.Draft4Validator(one, format_checker=FORMATS) for name, one in schemas.items()}


def _strict(definitions: Json, schema: Json) -> Json:
    """The schema in one piece, to which an unknown member is an error. Looking up each `$ref` takes twice the time."""
    if "$ref" in schema:
        return _strict(definitions, _referred(definitions, schema))
    strict = {word: value for word, value in schema.items() if word in {"type", "format", "enum", "required"}}
    if "items" in schema:
        strict["items"] = _strict(definitions, schema["items"])
    if "properties" in schema:
        members = {name: _strict(definitions, member) for name, member in schema["properties"].items()}
        strict |= {"properties": members, "additionalProperties": False}
    return strict


def _members(definitions: Json, schema: Json, path: str) -> Iterator[str]:
    if "$ref" in schema:
        yield from _members(definitions, _referred(definitions, schema), path)
    elif schema["type"] == "array":
        yield from _members(definitions, schema["items"], path)
    elif "enum" in schema:
        yield f"{path}={'|'.join(sorted(schema['enum']))}"
    for name, member in schema.get("properties", {}).items():
        yield f"{path}.{name}{'*' if name in schema.get('required', ()) else ''}"
        yield from _members(definitions, member, f"{path}.{name}")


def _referred(definitions: Json, schema: Json) -> Json:
    found: Json = definitions[schema["$ref"].rpartition("/")[2]]
    return found


def usage_plan(description: str) -> tuple[str, str]:
    """Rate and burst as Amazon writes them: the only row of the table in the description of an operation."""
    ((rate, burst),) = set(re.findall(r"\| ([\d.]+) \| (\d+) \|", description))
    return rate, burst


def words_of(definitions: Json, schema: Json) -> list[str]:
    """The words that a text may be: its enumeration, or the possible values in its description; empty if any may."""
    if "enum" in schema:
        return list(schema["enum"])
    _, _, values = schema.get("description", "").partition("**Possible values**")
    if words := re.findall("`([A-Z_]+)`", values.partition("**Note")[0]):
        return words
    if "$ref" in schema:
        return words_of(definitions, _referred(definitions, schema))
    return words_of(definitions, schema["items"]) if "items" in schema else []


class _Maker:
    """Makes answers of the types, in four turns: the last has the required members only, the others have all.

    A text says its path, so that no two are alike; where only some words are possible, each turn begins with another.
    Lists have one entry more in each turn.
    """

    def __init__(self, definitions: Json, turn: int) -> None:
        self._definitions, self._turn = definitions, turn
        self._is_whole = turn < 3
        self._numbers = count(1)

    def answer(self, name: str) -> Json:
        made: Json = self._value({"$ref": f"#/definitions/{name}"}, f"{name}-{self._turn}", 0)
        return made

    def _value(self, schema: Json, path: str, place: int) -> Any:
        entries = range(self._turn + 1 if self._is_whole else 1)
        if words := words_of(self._definitions, schema):
            rotated = [words[(self._turn + place + entry) % len(words)] for entry in entries]
            return rotated if schema.get("type") == "array" else rotated[0]
        if "$ref" in schema:
            return self._value(_referred(self._definitions, schema), path, place)
        if schema["type"] == "array":
            return [self._value(schema["items"], f"{path}.{entry}", entry) for entry in entries]
        if schema["type"] == "object":
            return {
                name: self._value(member, f"{path}.{name}", place)
                for name, member in schema["properties"].items()
                if self._is_whole or name in schema.get("required", ())
            }
        return self._plain_value(schema, path, next(self._numbers))

    def _plain_value(self, schema: Json, path: str, number: int) -> object:
        kind: str = schema["format"] if "format" in schema else schema["type"]
        values = {
            "string": f"{number}.{self._turn}0" if path.endswith(".amount") else path,
            "date-time": amazon_time(datetime(2026, 10, 1, tzinfo=UTC) + timedelta(hours=self._turn, seconds=number)),
            "date": f"2026-10-{number % 28 + 1:02}",
            "integer": number,
            "number": number + 0.5,
            "boolean": self._turn % 2 == 0,
        }
        return values[kind]

"""The DynamoDB calls that the stores make, on dictionaries: a simulated day takes minutes on moto, and seconds here.

It knows only the expressions that the stores and Powertools write, and raises for any other. Only tests scan: no
function may. `tests/contract/test_memory_dynamodb.py` compares it with moto.
"""

import json
import re
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from functools import cache
from types import SimpleNamespace
from typing import Any

from botocore import xform_name

from tools.from_template import resources

type Item = dict[str, dict[str, Any]]

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
MOST_BYTES_AN_ITEM = 400 * 1024
MOST_KEYS_A_BATCH = 100
MOST_BYTES_A_SORT_KEY = 1024


class ConditionalCheckFailed(Exception):
    """As botocore raises it: `response` may hold the item as it is."""

    def __init__(self, item: Item | None) -> None:
        super().__init__("the condition does not hold")
        self.response = {"Error": {"Code": "ConditionalCheckFailedException"}} | ({"Item": item} if item else {})


class TransactionCanceled(Exception):
    """As botocore raises it, with a reason for each write: none for one whose condition holds."""

    def __init__(self, failed: list[ConditionalCheckFailed | None]) -> None:
        super().__init__("a condition of the transaction does not hold")
        reasons = [{"Code": "ConditionalCheckFailed" if error else "None"} for error in failed]
        self.response = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}


class Invalid(Exception):
    """As botocore raises what DynamoDB refuses, whatever is stored."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.response = {"Error": {"Code": "ValidationException", "Message": why}}


class TransactionConflict(Exception):
    """Never raised: no two calls are made at the same time."""


class Table:
    """Items by key, and the sorted keys of each index; schema as in template.yaml."""

    def __init__(self, logical_id: str) -> None:
        properties = resources()[logical_id]["Properties"]
        self._key = [part["AttributeName"] for part in properties["KeySchema"]]
        self._indexes = {
            index["IndexName"]: tuple(part["AttributeName"] for part in index["KeySchema"])
            for index in properties.get("GlobalSecondaryIndexes", [])
        }
        # An index shows only an item's keys and the attributes that it includes.
        self._shown = {
            index["IndexName"]: {*self._key, *self._indexes[index["IndexName"]]}
            | set(index["Projection"].get("NonKeyAttributes", ()))
            for index in properties.get("GlobalSecondaryIndexes", [])
        }
        if len(self._key) == 2:
            self._indexes[""] = (self._key[0], self._key[1])
        self.items: dict[tuple[str, ...], Item] = {}
        self._sorted: defaultdict[tuple[str, str], list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
        self.writes: Counter[tuple[str, ...]] = Counter()

    def key_of(self, item: Mapping[str, Any]) -> tuple[str, ...]:
        key = tuple(item[name]["S"] for name in self._key)
        if len(key) == 2 and len(key[1].encode()) > MOST_BYTES_A_SORT_KEY:
            raise Invalid("the sort key is too long")
        return key

    def put(self, item: Item) -> None:
        key = self.key_of(item)
        if _bytes_of(item) > MOST_BYTES_AN_ITEM:
            raise Invalid("Item size has exceeded the maximum allowed size")
        self.remove(key)
        self.items[key] = item
        self.writes[key] += 1
        for place in self._places(item):
            insort(self._sorted[place[0]], (place[1], key))

    def remove(self, key: tuple[str, ...]) -> None:
        item = self.items.pop(key, None)
        for place in self._places(item or {}):
            entries = self._sorted[place[0]]
            entries.pop(bisect_left(entries, (place[1], key)))

    def _places(self, item: Item) -> Iterator[tuple[tuple[str, str], str]]:
        for index, (hash_key, range_key) in self._indexes.items():
            if hash_key in item and range_key in item:
                yield (index, item[hash_key]["S"]), item[range_key]["S"]

    def empty(self) -> None:
        self.items.clear()
        self._sorted.clear()

    def find(
        self, index: str, hash_value: str, *, is_wanted: Callable[[str], bool], start: Item | None, descending: bool
    ) -> list[Item]:
        """The items there as an index shows them, in its order, from `start` on, which may be gone by now."""
        entries = self._sorted[index, hash_value]
        if start:
            last = start[self._indexes[index][1]]["S"], self.key_of(start)
            entries = [entry for entry in entries if (entry < last if descending else entry > last)]
        keys = [key for value, key in entries if is_wanted(value)]
        return self._seen(index, [self.items[key] for key in (reversed(keys) if descending else keys)])

    def scan(self, index: str = "") -> list[Item]:
        """All items, or what an index shows of all that are in it."""
        return self._seen(index, [item for item in self.items.values() if not index or self._is_in(index, item)])

    def _is_in(self, index: str, item: Item) -> bool:
        return all(name in item for name in self._indexes[index])

    def _seen(self, index: str, items: Iterable[Item]) -> list[Item]:
        if shown := self._shown.get(index):
            return [{name: value for name, value in item.items() if name in shown} for item in items]
        return [dict(item) for item in items]

    def place_of(self, index: str, item: Item) -> Item:
        """The key by which a query of the index goes on after that item."""
        return {name: item[name] for name in (*self._indexes[index], *self._key)}


class MemoryDynamoDB:
    """`on_call` is told of each call before and after it is made, and may end the process there by raising."""

    exceptions = SimpleNamespace(
        ConditionalCheckFailedException=ConditionalCheckFailed,
        TransactionCanceledException=TransactionCanceled,
        TransactionConflictException=TransactionConflict,
    )

    def __init__(self, tables: Mapping[str, Table], on_call: Callable[[], None] = lambda: None) -> None:
        self._tables = tables
        self.on_call = on_call

    def empty(self) -> None:
        for table in self._tables.values():
            table.empty()

    def get_item(self, *, TableName: str, Key: Item, **_: object) -> dict[str, Any]:  # noqa: N803 - botocore's names
        self.on_call()
        table = self._tables[TableName]
        item = table.items.get(table.key_of(Key))
        self.on_call()
        return {"Item": dict(item)} if item else {}

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803
        self.on_call()
        found = {}
        for name, wanted in RequestItems.items():
            table = self._tables[name]
            keys = [table.key_of(key) for key in wanted["Keys"]]
            if len(keys) > MOST_KEYS_A_BATCH or len(set(keys)) < len(keys):
                raise Invalid("too many keys, or one twice")
            items = (table.items.get(key) for key in keys)
            names = set(wanted.get("ExpressionAttributeNames", {}).values())
            found[name] = [
                {name: value for name, value in item.items() if not names or name in names} for item in items if item
            ]
        self.on_call()
        return {"Responses": found}

    def put_item(self, *, TableName: str, Item: Item, **condition: Any) -> None:  # noqa: N803
        self._write({"Put": {"TableName": TableName, "Item": Item, **condition}})

    def delete_item(self, *, TableName: str, Key: Item, **condition: Any) -> None:  # noqa: N803
        self._write({"Delete": {"TableName": TableName, "Key": Key, **condition}})

    def update_item(self, *, TableName: str, Key: Item, UpdateExpression: str, **rest: Any) -> None:  # noqa: N803
        self._write({"Update": {"TableName": TableName, "Key": Key, "UpdateExpression": UpdateExpression, **rest}})

    def transact_write_items(self, *, TransactItems: list[Mapping[str, Any]], **_: object) -> None:  # noqa: N803
        self._write(*TransactItems, is_transaction=True)

    def _write(self, *writes: Mapping[str, Any], is_transaction: bool = False) -> None:
        """Each is a kind of write with what that takes. All of them or none, if their conditions hold."""
        self.on_call()
        calls = [entry for write in writes for entry in write.items()]
        failed = [self._failed_check(call) for _, call in calls]
        if is_transaction and any(failed):
            raise TransactionCanceled(failed)
        for error in filter(None, failed):
            raise error
        for kind, call in calls:
            table = self._tables[call["TableName"]]
            match kind:
                case "Put":
                    table.put(dict(call["Item"]))
                case "Delete":
                    table.remove(table.key_of(call["Key"]))
                case "Update":
                    table.put(_updated(table.items.get(table.key_of(call["Key"]), call["Key"]), call))
                case "ConditionCheck":
                    pass
                case _:
                    raise NotImplementedError(kind)
        self.on_call()

    def query(self, *, TableName: str, KeyConditionExpression: str, **rest: Any) -> dict[str, Any]:  # noqa: N803
        self.on_call()
        table, index = self._tables[TableName], rest.get("IndexName", "")
        _no_name_is_idle(rest, KeyConditionExpression)
        values = {name: value["S"] for name, value in rest["ExpressionAttributeValues"].items()}
        first, _, second = KeyConditionExpression.partition(" AND ")
        found = table.find(
            index,
            values[first.split(" = ")[1]],
            is_wanted=_wanted(second, values),
            start=rest.get("ExclusiveStartKey"),
            descending=not rest.get("ScanIndexForward", True),
        )
        limit = rest.get("Limit", len(found))
        page = found[:limit]
        answer: dict[str, Any] = {"Count": len(page)}
        if rest.get("Select") != "COUNT":
            answer["Items"] = page
        if limit < len(found):
            answer["LastEvaluatedKey"] = table.place_of(index, page[-1])
        self.on_call()
        return answer

    def get_paginator(self, operation: str) -> Any:
        if operation != "query":
            raise NotImplementedError(operation)
        return SimpleNamespace(paginate=lambda **query: iter([self.query(**query)]))

    @contextmanager
    def answering(self, client: Any) -> Iterator[None]:
        """While this lasts, the botocore client's calls come here in place of AWS, with all that botocore does to them.

        The client checks its parameters, raises its own exceptions, and turns pages.
        """
        client.meta.events.register("before-call.dynamodb", self._answer)
        try:
            yield
        finally:
            client.meta.events.unregister("before-call.dynamodb", self._answer)

    def _answer(self, model: Any, params: Mapping[str, Any], **_: object) -> tuple[Any, Mapping[str, Any]]:
        return self.answer(model.name, json.loads(params["body"]))

    def answer(self, operation: str, parameters: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
        """What botocore takes for a response: its HTTP status, and the answer as it is parsed."""
        call = getattr(self, xform_name(operation))
        try:
            return SimpleNamespace(status_code=200), call(**parameters) or {}
        except (ConditionalCheckFailed, Invalid, TransactionCanceled) as error:
            return SimpleNamespace(status_code=400), error.response

    def _failed_check(self, call: Mapping[str, Any]) -> ConditionalCheckFailed | None:
        """The error of a write whose condition does not hold."""
        expression = call.get("ConditionExpression")
        _no_name_is_idle(call, call.get("UpdateExpression", ""), expression or "")
        if expression is None:
            return None
        table = self._tables[call["TableName"]]
        stored = table.items.get(table.key_of(call.get("Key") or call["Item"]))
        if _holds(expression, stored, call["ExpressionAttributeNames"], call.get("ExpressionAttributeValues", {})):
            return None
        is_wanted = call.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        return ConditionalCheckFailed(dict(stored) if stored and is_wanted else None)


def _holds(expression: str, stored: Item | None, names: Mapping[str, str], values: Mapping[str, Any]) -> bool:
    return any(
        all(_is_so(atom, stored or {}, names, values) for atom in together) for together in _alternatives(expression)
    )


@cache
def _alternatives(expression: str) -> list[list[tuple[str, str, str]]]:
    """What a condition asks for, in alternatives: a function or operator, a name and a value each.

    An alternative may stand in brackets as a whole; others than those of functions there are none.
    """
    return [
        [_atom(atom) for atom in re.sub(r"^\((.*)\)$", r"\1", alternative).split(" AND ")]
        for alternative in expression.split(" OR ")
    ]


def _atom(atom: str) -> tuple[str, str, str]:
    if existing := re.fullmatch(r"(attribute_exists|attribute_not_exists)\((#\w+)\)", atom):
        return existing[1], existing[2], ""
    if compared := re.fullmatch(r"(#\w+) ([=<]) (:\w+)", atom):
        return compared[2], compared[1], compared[3]
    raise NotImplementedError(atom)


def _is_so(atom: tuple[str, str, str], stored: Item, names: Mapping[str, str], values: Mapping[str, Any]) -> bool:
    operation, name, value = atom
    attribute = stored.get(names[name])
    match operation:
        case "attribute_exists":
            return attribute is not None
        case "attribute_not_exists":
            return attribute is None
        case "=":
            return bool(attribute == values[value])
        case _:
            return attribute is not None and _is_less(attribute, values[value])


def _is_less(attribute: Mapping[str, Any], value: Mapping[str, Any]) -> bool:
    if "N" in attribute and "N" in value:
        return Decimal(attribute["N"]) < Decimal(value["N"])
    return bool(attribute["S"] < value["S"])


def _updated(item: Item, call: Mapping[str, Any]) -> Item:
    names, values = call["ExpressionAttributeNames"], call["ExpressionAttributeValues"]
    later = dict(item)
    sets, _, removes = call["UpdateExpression"].removeprefix("SET ").partition(" REMOVE ")
    for assignment in sets.split(", "):
        name, value = assignment.split(" = ")
        later[names[name]] = values[value]
    for name in filter(None, removes.split(", ")):
        later.pop(names[name], None)
    return later


def _bytes_of(item: Item) -> int:
    return sum(
        len(name.encode()) + len(str(value).encode()) for name, typed in item.items() for value in typed.values()
    )


def _no_name_is_idle(call: Mapping[str, Any], *expressions: str) -> None:
    """DynamoDB refuses a name or a value that no expression of the call uses, and one that is used and not given."""
    used = {name for expression in expressions for name in re.findall(r"[#:]\w+", expression)}
    given = {*call.get("ExpressionAttributeNames", ()), *call.get("ExpressionAttributeValues", ())}
    if used != given:
        raise Invalid(f"names and values are not those of the expressions: {sorted(used ^ given)}")


def _wanted(condition: str, values: Mapping[str, str]) -> Callable[[str], bool]:
    if not condition:
        return lambda _: True
    if begins := re.fullmatch(r"begins_with\(#\w+, (:\w+)\)", condition):
        return lambda value: value.startswith(values[begins[1]])
    if below := re.fullmatch(r"#\w+ < (:\w+)", condition):
        return lambda value: value < values[below[1]]
    if between := re.fullmatch(r"#\w+ BETWEEN (:\w+) AND (:\w+)", condition):
        return lambda value: values[between[1]] <= value <= values[between[2]]
    raise NotImplementedError(condition)

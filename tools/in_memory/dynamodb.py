"""The DynamoDB calls that the stores make, on dictionaries: a simulated day takes minutes on moto, and seconds here.

It knows just the expressions that the stores write, and raises for any other. A test holds it against moto.
"""

import re
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from tools.from_template import resources

type Item = dict[str, dict[str, Any]]


class ConditionalCheckFailed(Exception):
    """As botocore raises it: `response` may hold the item as it is."""

    def __init__(self, item: Item | None) -> None:
        super().__init__("the condition does not hold")
        self.response = {"Error": {"Code": "ConditionalCheckFailedException"}} | ({"Item": item} if item else {})


class TransactionConflict(Exception):
    """Never raised: nothing here writes in transactions."""


class Table:
    """Items by key, and the sorted keys of each index; schema as in template.yaml."""

    def __init__(self, logical_id: str) -> None:
        properties = resources()[logical_id]["Properties"]
        self._key = [part["AttributeName"] for part in properties["KeySchema"]]
        self._indexes = {
            index["IndexName"]: tuple(part["AttributeName"] for part in index["KeySchema"])
            for index in properties.get("GlobalSecondaryIndexes", [])
        }
        if len(self._key) == 2:
            self._indexes[""] = (self._key[0], self._key[1])
        self.items: dict[tuple[str, ...], Item] = {}
        self._sorted: defaultdict[tuple[str, str], list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
        self.writes: Counter[tuple[str, ...]] = Counter()

    def key_of(self, item: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(item[name]["S"] for name in self._key)

    def put(self, item: Item) -> None:
        key = self.key_of(item)
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

    def find(self, index: str, hash_value: str, *, is_wanted: Callable[[str], bool]) -> list[Item]:
        return [self.items[key] for value, key in self._sorted[index, hash_value] if is_wanted(value)]


class MemoryDynamoDB:
    """`on_call` is told of each call before and after it is made, and may end the process there by raising."""

    exceptions = SimpleNamespace(
        ConditionalCheckFailedException=ConditionalCheckFailed, TransactionConflictException=TransactionConflict
    )

    def __init__(self, tables: Mapping[str, Table], on_call: Callable[[], None] = lambda: None) -> None:
        self._tables = tables
        self.on_call = on_call

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
            items = (table.items.get(table.key_of(key)) for key in wanted["Keys"])
            names = set(wanted.get("ExpressionAttributeNames", {}).values())
            found[name] = [
                {name: value for name, value in item.items() if not names or name in names} for item in items if item
            ]
        self.on_call()
        return {"Responses": found}

    def put_item(self, *, TableName: str, Item: Item, **condition: Any) -> None:  # noqa: N803
        self.on_call()
        self._check(TableName, Item, condition)
        self._tables[TableName].put(dict(Item))
        self.on_call()

    def delete_item(self, *, TableName: str, Key: Item, **condition: Any) -> None:  # noqa: N803
        self.on_call()
        self._check(TableName, Key, condition)
        table = self._tables[TableName]
        table.remove(table.key_of(Key))
        self.on_call()

    def update_item(self, *, TableName: str, Key: Item, UpdateExpression: str, **rest: Any) -> None:  # noqa: N803
        self.on_call()
        self._check(TableName, Key, rest)
        table = self._tables[TableName]
        names, values = rest["ExpressionAttributeNames"], rest["ExpressionAttributeValues"]
        item = dict(table.items.get(table.key_of(Key), Key))
        sets, _, removes = UpdateExpression.removeprefix("SET ").partition(" REMOVE ")
        for assignment in sets.split(", "):
            name, value = assignment.split(" = ")
            item[names[name]] = values[value]
        for name in filter(None, removes.split(", ")):
            item.pop(names[name], None)
        table.put(item)
        self.on_call()

    def query(self, *, TableName: str, KeyConditionExpression: str, **rest: Any) -> dict[str, Any]:  # noqa: N803
        self.on_call()
        values = {name: value["S"] for name, value in rest["ExpressionAttributeValues"].items()}
        first, _, second = KeyConditionExpression.partition(" AND ")
        found = self._tables[TableName].find(
            rest.get("IndexName", ""), values[first.split(" = ")[1]], is_wanted=_wanted(second, values)
        )
        self.on_call()
        return {"Items": [dict(item) for item in found[: rest.get("Limit")]]}

    def get_paginator(self, operation: str) -> Any:
        if operation != "query":
            raise NotImplementedError(operation)
        return SimpleNamespace(paginate=lambda **query: iter([self.query(**query)]))

    def _check(self, table_name: str, key: Item, condition: Mapping[str, Any]) -> None:
        expression = condition.get("ConditionExpression")
        if expression is None:
            return
        table = self._tables[table_name]
        stored = table.items.get(table.key_of(key))
        names = condition["ExpressionAttributeNames"]
        if absent := re.fullmatch(r"attribute_not_exists\((#\w+)\)", expression):
            holds = stored is None or names[absent[1]] not in stored
        elif absent_or_less := re.fullmatch(r"attribute_not_exists\((#\w+)\) OR (#\w+) < (:\w+)", expression):
            value = condition["ExpressionAttributeValues"][absent_or_less[3]]
            holds = stored is None or stored[names[absent_or_less[2]]]["S"] < value["S"]
        elif equal := re.fullmatch(r"(#\w+) = (:\w+)", expression):
            wanted = condition["ExpressionAttributeValues"][equal[2]]
            holds = stored is not None and stored.get(names[equal[1]]) == wanted
        else:
            raise NotImplementedError(expression)
        if not holds:
            is_wanted = condition.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
            raise ConditionalCheckFailed(dict(stored) if stored and is_wanted else None)


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

"""The use of DynamoDB by code: requests, the entries that they look at, and the units that AWS charges."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import ceil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]

BYTES_A_READ_UNIT = 4096
WRITES = ("UpdateItem", "PutItem", "DeleteItem")


class Consumption:
    """Adds up the answers that a client got.

    `requests` counts calls, `entries` the items that they looked at, shown or not. `read_units` is calculated from the
    bytes of these, as AWS documents it, because emulators do not: one for 4 KB, half of that for a read that need not
    be consistent. `write_units` is the sum that the answers report for writes, 0 if they report nothing; `written` is
    the same for each table, and for each index by the names of both (`OrdersTable.byStage`).
    """

    def __init__(self) -> None:
        self.requests = 0
        self.entries = 0
        self.read_units = 0.0
        self.write_units = 0.0
        self.written: Counter[str] = Counter()

    def add(self, *, parsed: Mapping[str, Any], model: Any, context: Mapping[str, Any], **_: object) -> None:
        """An answer, as botocore's event `after-call` tells it. Raises ValueError if its cost cannot be told."""
        self.requests += 1
        asked = context["asked"]
        match model.name:
            case "GetItem":
                self._add_read([parsed["Item"]] if "Item" in parsed else [], asked)
            case "Query":
                if parsed["ScannedCount"] != len(parsed["Items"]):
                    raise ValueError("a filter dropped items that were read too, and whose size is unknown")
                self._add_read(parsed["Items"], asked)
            case "BatchGetItem":
                for table, wanted in asked["RequestItems"].items():
                    found = parsed["Responses"][table]
                    in_vain = len(wanted["Keys"]) - len(found)
                    for items in [*([item] for item in found), *[[]] * in_vain]:
                        self._add_read(items, wanted)
            case name if name in WRITES:
                self._add_write(parsed.get("ConsumedCapacity", {}))
            case name:
                raise ValueError(f"the cost of {name} is not known here")

    def _add_write(self, consumed: Mapping[str, Any]) -> None:
        units, table = consumed.get("CapacityUnits", 0), consumed.get("TableName", "")
        indexes = consumed.get("GlobalSecondaryIndexes", {})
        of_indexes = {f"{table}.{name}": index["CapacityUnits"] for name, index in indexes.items()}
        self.write_units += units
        self.written.update({table: units - sum(of_indexes.values()), **of_indexes})

    def _add_read(self, items: "Sequence[Item]", asked: Mapping[str, Any]) -> None:
        """Their bytes are rounded up together, and nothing costs as much as a little."""
        units = max(ceil(sum(map(size_of, items)) / BYTES_A_READ_UNIT), 1)
        self.entries += len(items)
        self.read_units += units if asked.get("ConsistentRead") else units / 2


@contextmanager
def consumption_of(client: "DynamoDBClient") -> Iterator[Consumption]:
    """Counts the client's calls meanwhile."""
    consumption, events = Consumption(), client.meta.events
    hooks: dict[str, Any] = {
        "before-parameter-build.dynamodb": _note_request,
        "after-call.dynamodb": consumption.add,
    }
    for event, hook in hooks.items():
        events.register(event, hook)
    try:
        yield consumption
    finally:
        for event, hook in hooks.items():
            events.unregister(event, hook)


def _note_request(*, params: dict[str, Any], model: Any, context: dict[str, Any], **_: object) -> None:
    """For `Consumption.add`: an answer does not say what was asked.

    A write is asked what it costs, and a count for the items, because it reads them all the same.
    """
    context["asked"] = params
    if model.name in WRITES:
        params["ReturnConsumedCapacity"] = "INDEXES"
    elif params.get("Select") == "COUNT":
        del params["Select"]


def size_of(item: "Item") -> int:
    """An item's bytes as AWS counts them, names and values. Raises ValueError for types that no table of ours holds."""
    return sum(len(name.encode()) + _size_of_value(value) for name, value in item.items())


def _size_of_value(value: "AttributeValueTypeDef") -> int:
    match value:
        case {"S": str(text)}:
            return len(text.encode())
        case {"N": str(number)}:
            return ceil(len(number) / 2) + 1
        case {"BOOL": _}:
            return 1
    raise ValueError(f"the size of {value} is not known here")

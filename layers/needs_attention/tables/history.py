"""The history table: one entry for each revision of an order, with who made it and why, never with personal data.

An entry is made from one stream image alone, so writing it twice writes the same entry again.
"""

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from needs_attention.orders.order import LastChange
from needs_attention.orders.summary import Summary
from needs_attention.tables.dynamodb import Item, text
from needs_attention.values.model import read_stored
from needs_attention.values.times import instant

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

# The sort key of an entry: `_position_of` writes it.
_POSITION = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z#\d{10}")
# The attribute of an order with the revision on which the clock kept its books last, which makes no further revision.
BOOKS_KEPT = "booksKept"


class OrderRevision(NamedTuple):
    """One revision of an order, with who made it and why."""

    summary: Summary
    last_change: LastChange

    @classmethod
    def from_image(cls, image: Item) -> "OrderRevision":
        """The revision that a stream's new image carries. Raises ValueError if it is not an order of ours."""
        try:
            summary, last_change = str(image["summary"]["S"]), str(image["lastChange"]["S"])
        except KeyError as error:
            raise ValueError(f"the image has no {error}") from error
        return cls(read_stored(Summary, summary), read_stored(LastChange, last_change))


def is_told_already(image: Item) -> bool:
    """Whether bookkeeping made the image that the orders' stream brings: one before it told of the revision."""
    return BOOKS_KEPT in image and image[BOOKS_KEPT] == image.get("revision")


class FoundEntries(NamedTuple):
    """One page of an order's history, newest first, and the position after it (None at the end).

    An entry is what `history_item` writes as `data`.
    """

    entries: list[dict[str, Any]]
    position: str | None


class HistoryStore:
    """Reads and writes the history table, `table`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def save(self, revision: OrderRevision) -> None:
        """Writes the revision's entry; writing it again changes nothing."""
        self._client.put_item(TableName=self._table, Item=history_item(revision))

    def holds(self, revision: OrderRevision) -> bool:
        """Whether the revision's entry is there, in a consistent read."""
        answer = self._client.get_item(TableName=self._table, Key=history_key(revision), ConsistentRead=True)
        return "Item" in answer

    def find(self, order_id: str, limit: int, after: str | None) -> FoundEntries:
        """At most `limit` entries of an order, newest first, after a position (None: from the newest)."""
        start: dict[str, Any] = {"ExclusiveStartKey": _key(order_id, after)} if after else {}
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="#orderId = :orderId",
            ExpressionAttributeNames={"#orderId": "orderId"},
            ExpressionAttributeValues={":orderId": text(order_id)},
            ScanIndexForward=False,
            Limit=limit,
            **start,
        )
        last = answer.get("LastEvaluatedKey")
        entries = [json.loads(item["data"]["S"]) for item in answer["Items"]]
        return FoundEntries(entries, last["changedAt"]["S"] if last else None)


def history_key(revision: OrderRevision) -> dict[str, "AttributeValueTypeDef"]:
    """The key of the revision's entry."""
    return _key(revision.summary.order_id, _position_of(revision))


def history_item(revision: OrderRevision) -> dict[str, "AttributeValueTypeDef"]:
    """The revision's entry as the table holds it."""
    data = {
        "revision": revision.summary.revision,
        **revision.last_change.model_dump(mode="json", by_alias=True, exclude_none=True),
    }
    return {**history_key(revision), "data": text(json.dumps(data, separators=(",", ":")))}


def is_position(sent: str) -> bool:
    """Whether it is written as a position in a history is."""
    return _POSITION.fullmatch(sent) is not None


def revision_at(position: str) -> int:
    """The number of the revision whose entry is at the position."""
    return int(position.rpartition("#")[2])


def _position_of(revision: OrderRevision) -> str:
    """Sorts by time, and tells two changes of one moment apart by their revision."""
    return f"{instant(revision.last_change.at)}#{revision.summary.revision:010d}"


def _key(order_id: str, position: str) -> dict[str, "AttributeValueTypeDef"]:
    return {"orderId": text(order_id), "changedAt": text(position)}

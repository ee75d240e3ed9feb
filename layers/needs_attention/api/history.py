"""The history of an order, as the API shows it. What is read here is written by `events.ChangeLog`."""

import json
import re
from typing import TYPE_CHECKING, Any, TypedDict

from needs_attention.api.cursors import cursor_at, invalid_cursor, position_in
from needs_attention.api.orders.views import Change

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class PastChange(Change):
    """An entry of an order's history."""

    revision: int


Revisions = TypedDict("Revisions", {"from": int, "to": int})


class MissingRevisions(TypedDict):
    """Changes of which nothing was written down."""

    missingRevisions: Revisions


class HistoryOfOrder(TypedDict):
    """Newest first."""

    changes: list[PastChange | MissingRevisions]
    nextCursor: str | None


_KEY = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z#\d{10}")


class History:
    """Reads the history table, `table`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def page(self, order_id: str, limit: int, cursor: str | None) -> dict[str, Any]:
        """`{changes, nextCursor}`, newest first. Revisions that were not written down stand as `missingRevisions`.

        Raises a 400 for a cursor that is not one of these.
        """
        query: dict[str, Any] = {}
        position = None
        if cursor is not None:
            position = position_in(cursor, order_id)
            if not _KEY.fullmatch(position):
                raise invalid_cursor()
            query["ExclusiveStartKey"] = {"orderId": {"S": order_id}, "changedAt": {"S": position}}
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="#orderId = :orderId",
            ExpressionAttributeNames={"#orderId": "orderId"},
            ExpressionAttributeValues={":orderId": {"S": order_id}},
            ScanIndexForward=False,
            Limit=limit,
            **query,
        )
        changes = [json.loads(item["data"]["S"]) for item in answer["Items"]]
        last = answer.get("LastEvaluatedKey")
        before_all = _revision_of(position) if position else None
        return {
            "changes": _with_gaps(before_all, changes, is_all=last is None),
            "nextCursor": cursor_at(last["changedAt"]["S"], order_id) if last else None,
        }


def _revision_of(key: str) -> int:
    return int(key.rpartition("#")[2])


def _with_gaps(shown_before: int | None, changes: list[dict[str, Any]], *, is_all: bool) -> list[dict[str, Any]]:
    """The changes, newest first, with what lies between two of them, or before the first, if anything does."""
    revisions = [change["revision"] for change in changes]
    newer = [shown_before, *revisions]
    older = [*revisions, 0 if is_all else None]
    gaps = [_gap(new, old) for new, old in zip(newer, older, strict=True)]
    return [entry for pair in zip(gaps, [*changes, None], strict=True) for entry in pair if entry]


def _gap(newer: int | None, older: int | None) -> dict[str, Any] | None:
    if newer is None or older is None or newer - older <= 1:
        return None
    return {"missingRevisions": {"from": older + 1, "to": newer - 1}}

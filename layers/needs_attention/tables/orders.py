"""The orders table. Every write that changes an order lands only on the revision it was made on, and adds 1 to it.

One item is one order. Lists read the indexes `byStage` and `byCreated`, which project `summary`: what a list shows, as
one JSON text without personal data, so that a new column in a list is no change to an index.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

from needs_attention.orders.amazon_order import may_be_order_id
from needs_attention.orders.changes import ChangedBy, with_change
from needs_attention.orders.order import Order, Redaction
from needs_attention.orders.summary import Summary
from needs_attention.tables.dynamodb import Item, items
from needs_attention.tables.order_items import (
    DUE,
    REDACTED,
    conditional_update,
    id_in,
    key_of,
    order_from_item,
    readable_order,
    readable_summary,
    stage_key,
    text,
    time_in,
    update_of_differences,
)
from needs_attention.values.model import read_stored
from needs_attention.values.times import instant

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BY_STAGE, BY_CREATED, BY_DUE, BY_REDACTION = "byStage", "byCreated", "byDue", "byRedaction"


# Of what is to be redacted: a run takes hardly more, and what it does not take was read in vain.
REDACTIONS_A_QUERY = 500
# Nobody needs to know how many more orders than this there are.
MOST_COUNTED = 10_000


class LostRace(Exception):
    """Somebody else changed the order since it was read. `current` is the order as it is now, if it still exists."""

    def __init__(self, current: Order | None) -> None:
        super().__init__("the order was changed by somebody else meanwhile")
        self.current = current


class SpoiltItem(Exception):
    """What is stored under an order's ID cannot be read: nothing may be written over it until a person has looked."""


class Page(NamedTuple):
    """Which part of an index to read: at most `limit` orders after a position, within two bounds (both included)."""

    limit: int
    after: str | None = None
    descending: bool = False
    between: tuple[str, str] | None = None


class Found(NamedTuple):
    """One page of an index: what lists show, and the position after it (None at the end)."""

    summaries: tuple[Summary, ...]
    position: str | None


class RedactionDue(NamedTuple):
    """Whose personal data must be gone, and by when."""

    order_id: str
    at: datetime


class Redacted(NamedTuple):
    """Whose personal data was removed, when, by whom and why."""

    order_id: str
    at: datetime
    redaction: Redaction


class FoundRedacted(NamedTuple):
    """One page of what was redacted, and the position after it (None at the end)."""

    orders: tuple[Redacted, ...]
    position: str | None


class OrderStore:
    """Reads and writes orders; `table` is the orders table's name."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def get(self, order_id: str) -> Order | None:
        """The order as it is now (a consistent read), or None."""
        if not may_be_order_id(order_id):
            return None
        answer = self._client.get_item(TableName=self._table, Key=key_of(order_id), ConsistentRead=True)
        return order_from_item(answer["Item"]) if "Item" in answer else None

    def get_many(self, order_ids: Iterable[str]) -> dict[str, Order]:
        """Those of the orders that exist and can be read, by ID: a spoilt item keeps no other order waiting.

        A read may be a moment old, which a conditional write notices.
        """
        orders = (readable_order(item) for item in self._items(order_ids))
        return {order.order_id: order for order in orders if order}

    def versions(self, order_ids: Iterable[str]) -> dict[str, datetime]:
        """When Amazon had last updated each of the orders that are stored and can be read, by ID."""
        names = {"#orderId": "orderId", "#summary": "summary"}
        only = {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
        summaries = (readable_summary(item) for item in self._items(order_ids, **only))
        return {summary.order_id: summary.updated_at for summary in summaries if summary}

    def _items(self, order_ids: Iterable[str], **only: Any) -> Iterator[Item]:
        """The items of those that exist; `only` projects what is read of each. Raises Throttled."""
        keys = map(key_of, dict.fromkeys(filter(may_be_order_id, order_ids)))
        return items(self._client, self._table, keys, **only)

    def save(self, before: Order | None, after: Order, **changed_by: Unpack[ChangedBy]) -> Order:
        """Writes what differs between the order as it was read and as it shall be, with who changed it and why.

        Raises LostRace if the order is no longer as it was read (`before` None: not there yet), SpoiltItem if what is
        there now cannot be read. A write whose answer was lost is made again by botocore, and finds itself there: that
        is no race lost.
        """
        landed = with_change(before, after, **changed_by)
        expression = conditional_update(before, landed)
        try:
            self._client.update_item(
                TableName=self._table,
                Key=key_of(after.order_id),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **expression,
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            stored: Any = error.response.get("Item")
            current = readable_order(stored) if stored else None
            if stored and current is None:
                raise SpoiltItem from error
            if current == landed:
                return landed
            raise LostRace(current) from error
        except self._client.exceptions.TransactionConflictException as error:
            # A hand-over is being written at this instant; whether it lands is not known yet.
            raise LostRace(self.get(after.order_id)) from error
        return landed

    def save_if_unchanged(self, before: Order, after: Order, **changed_by: Unpack[ChangedBy]) -> bool:
        """As `save`; False if somebody was faster, for whoever comes back to the order anyway."""
        try:
            self.save(before, after, **changed_by)
        except LostRace:
            return False
        return True

    def transaction_update(self, before: Order, after: Order, **changed_by: Unpack[ChangedBy]) -> Any:
        """The same write as `save`, as the `Update` of a transaction that also checks something else."""
        landed = with_change(before, after, **changed_by)
        return {"TableName": self._table, "Key": key_of(after.order_id), **conditional_update(before, landed)}

    def ask_again(self, order: Order, redownload_at: datetime | None) -> None:
        """The clock's own bookkeeping: when Amazon is asked for this order next. It leaves the revision alone.

        Writes nothing if the order has changed since, or is being changed: then its timetable is made anew.
        """
        if redownload_at == order.redownload_at:
            return
        later = order.with_(redownload_at=redownload_at)
        expression = update_of_differences(order, later)
        expression["ConditionExpression"] = "#revision = :revision"
        expression["ExpressionAttributeNames"]["#revision"] = "revision"
        expression["ExpressionAttributeValues"][":revision"] = {"N": str(order.revision)}
        errors = self._client.exceptions
        with suppress(errors.ConditionalCheckFailedException, errors.TransactionConflictException):
            self._client.update_item(TableName=self._table, Key=key_of(order.order_id), **expression)

    def find_by_stage(self, integration: str, stage: str, page: Page) -> Found:
        """Orders in a Stage (its id), soonest ship-by deadline first."""
        return self._find(BY_STAGE, {"stageKey": stage_key(integration, stage)}, "shipByKey", page)

    def find_by_created(self, integration: str, page: Page) -> Found:
        """Orders by Amazon's created time, oldest first."""
        return self._find(BY_CREATED, {"integration": integration}, "createdKey", page)

    def count_in_stage(self, integration: str, stage: str) -> int:
        """How many orders are in a Stage (its id), up to `MOST_COUNTED`."""
        of_stage = {":stageKey": text(stage_key(integration, stage))}
        return self._count(BY_STAGE, "#stageKey = :stageKey", {"#stageKey": "stageKey"}, of_stage)

    def count_created(self, integration: str, since: datetime, until: datetime) -> int:
        """How many orders Amazon created from `since` on and before `until`, up to `MOST_COUNTED`."""
        created = "#integration = :integration AND #createdKey BETWEEN :since AND :until"
        names = {"#integration": "integration", "#createdKey": "createdKey"}
        within = {":since": text(instant(since)), ":until": text(instant(until))}
        return self._count(BY_CREATED, created, names, {":integration": text(integration), **within})

    def _count(self, index: str, condition: str, names: Mapping[str, str], values: Item) -> int:
        """Counts entries without any coming over; DynamoDB reads them all the same, a megabyte a request."""
        query: dict[str, Any] = {
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
        counted = 0
        while counted < MOST_COUNTED:
            answer = self._client.query(
                TableName=self._table, IndexName=index, Select="COUNT", Limit=MOST_COUNTED - counted, **query
            )
            counted += answer["Count"]
            if "LastEvaluatedKey" not in answer:
                break
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        return counted

    def find_due(self, integration: str, now: datetime) -> Iterator[str]:
        """IDs of orders that the clock owes something by now, longest due first; read as far as they are taken."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=BY_DUE,
            KeyConditionExpression="#integration = :integration AND #dueKey < :now",
            ExpressionAttributeNames={"#integration": "integration", "#dueKey": "dueKey"},
            ExpressionAttributeValues={":integration": text(integration), ":now": text(instant(now))},
        )
        return (item["orderId"]["S"] for page in pages for item in page["Items"])

    def find_redactions_due(self, integration: str, by: datetime) -> Iterator[RedactionDue]:
        """Orders whose personal data must be gone by then, longest due first; read as far as they are taken.

        Also of orders that cannot be read: of those nothing else tells.
        """
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=BY_REDACTION,
            KeyConditionExpression="#integration = :integration AND #redactionKey BETWEEN :first AND :last",
            ExpressionAttributeNames={"#integration": "integration", "#redactionKey": "redactionKey"},
            ExpressionAttributeValues={
                ":integration": text(integration),
                ":first": text(DUE),
                ":last": text(f"{DUE}{instant(by)}"),
            },
            PaginationConfig={"PageSize": REDACTIONS_A_QUERY},
        )
        keys = (item["redactionKey"]["S"] for page in pages for item in page["Items"])
        return (RedactionDue(id_in(key), time_in(key)) for key in keys)

    def find_redacted(self, integration: str, since: datetime, until: datetime, page: Page) -> FoundRedacted:
        """Orders that were redacted from `since` on and before `until`, by that time."""
        within = page._replace(
            after=page.after and f"{REDACTED}{page.after}",
            between=(f"{REDACTED}{instant(since)}", f"{REDACTED}{instant(until)}"),
        )
        items, position = self._query(BY_REDACTION, {"integration": integration}, "redactionKey", within)
        found = ((item["redactionKey"]["S"], read_stored(Redaction, item["redaction"]["S"])) for item in items)
        return FoundRedacted(
            tuple(Redacted(id_in(key), time_in(key), why) for key, why in found),
            position and position.removeprefix(REDACTED),
        )

    def _find(self, index: str, partition: dict[str, str], sort_key: str, page: Page) -> Found:
        items, position = self._query(index, partition, sort_key, page)
        return Found(tuple(read_stored(Summary, item["summary"]["S"]) for item in items), position)

    def _query(
        self, index: str, partition: dict[str, str], sort_key: str, page: Page
    ) -> tuple[Iterable[Item], str | None]:
        """One page of an index, and the position after it."""
        ((hash_key, hash_value),) = partition.items()
        query: dict[str, Any] = {
            "KeyConditionExpression": "#hash = :hash",
            "ExpressionAttributeNames": {"#hash": hash_key},
            "ExpressionAttributeValues": {":hash": {"S": hash_value}},
        }
        if page.between:
            query["KeyConditionExpression"] += " AND #sort BETWEEN :low AND :high"
            query["ExpressionAttributeNames"]["#sort"] = sort_key
            query["ExpressionAttributeValues"] |= dict(zip((":low", ":high"), map(text, page.between), strict=True))
        if page.after is not None:
            query["ExclusiveStartKey"] = {
                hash_key: text(hash_value),
                sort_key: text(page.after),
                "orderId": text(id_in(page.after)),
            }
        answer = self._client.query(
            TableName=self._table, IndexName=index, ScanIndexForward=not page.descending, Limit=page.limit, **query
        )
        last = answer.get("LastEvaluatedKey")
        return answer["Items"], last[sort_key]["S"] if last else None

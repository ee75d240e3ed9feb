"""The orders table. Every write that changes an order lands only on the revision it was made on, and adds 1 to it.

One item is one order. Lists read the indexes `byStage` and `byCreated`. These project `summary`, one JSON text with
everything that a list shows, without personal data. So a new column in a list is no change to an index.
"""

import heapq
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, Self, Unpack

from aws_lambda_powertools import Logger

from needs_attention.orders.amazon_order import may_be_order_id
from needs_attention.orders.changes import ChangedBy, with_change
from needs_attention.orders.order import REDACTION_TAKES_AT_MOST, UNSENT_KEPT, Order, Redaction
from needs_attention.orders.summary import Summary
from needs_attention.tables.dynamodb import Item, count, get_many, number, text
from needs_attention.tables.order_items import (
    DUE,
    REDACTED,
    UNSENT,
    id_in,
    order_from_item,
    order_key,
    readable_order,
    readable_redaction,
    readable_summary,
    redaction_key,
    stage_key,
    time_in,
    update_if_unchanged,
    update_of_books,
)
from needs_attention.values.times import instant

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

logger = Logger(child=True)

BY_STAGE, BY_CREATED, BY_DUE, BY_REDACTION = "byStage", "byCreated", "byDue", "byRedaction"

# A run redacts hardly more orders than this, and would read the rest in vain.
REDACTIONS_A_QUERY = 500
# Nobody needs to know how many more orders than this there are, in a Stage or of a day.
MOST_ORDERS_COUNTED = 10_000
# Of an integration's orders whose redaction is due, or will be soon.
MOST_REDACTIONS_COUNTED = 5_000
REDACTED_SOON = timedelta(days=7)
MOST_UNSENT_NAMED = 100
AFTER_ALL_TIMES = "~"


class LostRace(Exception):
    """Somebody else has changed the order since it was read. `current` is the order now, or None if it is gone."""

    def __init__(self, current: Order | None) -> None:
        super().__init__("the order was changed by somebody else meanwhile")
        self.current = current


class SpoiltItem(Exception):
    """The item under an order's ID cannot be read: nothing may be written over it until a person has looked."""


class Page(NamedTuple):
    """The part of an index to read: at most `limit` orders after a position, within two bounds (both included)."""

    limit: int
    after: str | None = None
    descending: bool = False
    between: tuple[str, str] | None = None


class Found(NamedTuple):
    """One page of an index: the summaries that lists show, and the position after it (None at the end).

    `unreadable` are the IDs of orders in it whose summary cannot be read.
    """

    summaries: tuple[Summary, ...]
    position: str | None
    unreadable: tuple[str, ...] = ()


class OrderDue(NamedTuple):
    """An order, and when the clock has to act on it."""

    order_id: str
    at: datetime


class RedactionDue(NamedTuple):
    """An order whose personal data must be gone, and by when."""

    order_id: str
    at: datetime


class Redacted(NamedTuple):
    """An order whose personal data was removed: when, by whom and why."""

    order_id: str
    at: datetime
    redaction: Redaction


class FoundRedacted(NamedTuple):
    """One page of redacted orders, and the position after it (None at the end)."""

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
        answer = self._client.get_item(TableName=self._table, Key=order_key(order_id), ConsistentRead=True)
        return order_from_item(answer["Item"]) if "Item" in answer else None

    def get_many(self, order_ids: Iterable[str]) -> dict[str, Order]:
        """The orders that exist and can be read, by ID: a spoilt item keeps no other order waiting.

        They may be a moment old, which a conditional write notices.
        """
        orders = (readable_order(item) for item in self._items(order_ids))
        return {order.order_id: order for order in orders if order}

    def versions(self, order_ids: Iterable[str]) -> dict[str, datetime]:
        """When Amazon last updated each of the orders that are stored and can be read, by ID."""
        names = {"#orderId": "orderId", "#summary": "summary"}
        only = {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
        summaries = (readable_summary(item) for item in self._items(order_ids, **only))
        return {summary.order_id: summary.updated_at for summary in summaries if summary}

    def _items(self, order_ids: Iterable[str], **only: Any) -> Iterator[Item]:
        """The items of the orders that exist; `only` says which attributes to read. Raises Throttled."""
        keys = map(order_key, dict.fromkeys(filter(may_be_order_id, order_ids)))
        return get_many(self._client, self._table, keys, **only)

    def save(self, before: Order | None, after: Order, **changed_by: Unpack[ChangedBy]) -> Order:
        """Writes the differences between `before`, as it was read, and `after`, with who changed it and why.

        Raises LostRace if the order is no longer as it was read (`before` None: not there yet), SpoiltItem if the item
        that is there now cannot be read. If the answer to a write is lost, botocore writes again and meets its own
        write: that is no lost race.
        """
        landed = with_change(before, after, **changed_by)
        expression = update_if_unchanged(before, landed)
        try:
            self._client.update_item(
                TableName=self._table,
                Key=order_key(after.order_id),
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
        """Like `save`, but answers False if somebody was faster, for callers that come back to the order anyway."""
        try:
            self.save(before, after, **changed_by)
        except LostRace:
            return False
        return True

    def transaction_update(self, before: Order, after: Order, **changed_by: Unpack[ChangedBy]) -> Any:
        """The same write as `save`, as the `Update` of a transaction that also checks something else."""
        landed = with_change(before, after, **changed_by)
        return {"TableName": self._table, "Key": order_key(after.order_id), **update_if_unchanged(before, landed)}

    def ask_again(self, order: Order, redownload_at: datetime | None) -> None:
        """Writes when Amazon is asked for this order next."""
        self.keep_books(order, order.with_(redownload_at=redownload_at))

    def keep_books(self, order: Order, later: Order) -> None:
        """Writes the clock's own bookkeeping, which is no new revision.

        Writes nothing if the order has changed since, or is being changed: that change makes a new timetable.
        """
        if later == order:
            return
        expression = update_of_books(order, later)
        errors = self._client.exceptions
        with suppress(errors.ConditionalCheckFailedException, errors.TransactionConflictException):
            self._client.update_item(TableName=self._table, Key=order_key(order.order_id), **expression)

    def find_by_stage(self, integration: str, stage: str, page: Page) -> Found:
        """Orders in a Stage (its id), soonest ship-by deadline first."""
        return self._find(BY_STAGE, {"stageKey": stage_key(integration, stage)}, "shipByKey", page)

    def find_by_created(self, integration: str, page: Page) -> Found:
        """Orders by Amazon's created time, oldest first."""
        return self._find(BY_CREATED, {"integration": integration}, "createdKey", page)

    def count_in_stage(self, integration: str, stage: str) -> int:
        """How many orders are in a Stage (its id), up to `MOST_ORDERS_COUNTED`."""
        return count(
            self._client,
            MOST_ORDERS_COUNTED,
            TableName=self._table,
            IndexName=BY_STAGE,
            KeyConditionExpression="#stageKey = :stageKey",
            ExpressionAttributeNames={"#stageKey": "stageKey"},
            ExpressionAttributeValues={":stageKey": text(stage_key(integration, stage))},
        )

    def count_created(self, integration: str, since: datetime, until: datetime) -> int:
        """How many orders Amazon created at or after `since` and before `until`, up to `MOST_ORDERS_COUNTED`."""
        within = {":since": text(instant(since)), ":until": text(instant(until))}
        return count(
            self._client,
            MOST_ORDERS_COUNTED,
            TableName=self._table,
            IndexName=BY_CREATED,
            KeyConditionExpression="#integration = :integration AND #createdKey BETWEEN :since AND :until",
            ExpressionAttributeNames={"#integration": "integration", "#createdKey": "createdKey"},
            ExpressionAttributeValues={":integration": text(integration), **within},
        )

    def find_due(self, integration: str, now: datetime) -> Iterator[str]:
        """IDs of the orders that are due by now, longest due first; reads only as far as they are taken."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=BY_DUE,
            KeyConditionExpression="#integration = :integration AND #dueKey < :now",
            ExpressionAttributeNames={"#integration": "integration", "#dueKey": "dueKey"},
            ExpressionAttributeValues={":integration": text(integration), ":now": text(instant(now))},
        )
        return (item["orderId"]["S"] for page in pages for item in page["Items"])

    def next_due(self, integration: str, since: datetime | None = None) -> OrderDue | None:
        """The order that the clock owes something first; None if there is none. Without `since`, it may be overdue.

        The index is a moment behind.
        """
        page = Page(limit=1, between=(instant(since), AFTER_ALL_TIMES) if since else None)
        entries, _ = self._query(BY_DUE, {"integration": integration}, "dueKey", page)
        return next((OrderDue(id_in(item["dueKey"]["S"]), time_in(item["dueKey"]["S"])) for item in entries), None)

    def find_redactions_due(self, integration: str, by: datetime) -> Iterator[RedactionDue]:
        """Orders whose personal data must be gone by then, longest due first; reads only as far as they are taken.

        Orders that cannot be read are among them: nothing else tells of those.
        """
        found = (self._find_by_redaction(integration, state, by) for state in (DUE, UNSENT))
        return heapq.merge(*found, key=lambda due: due.at)

    def find_unsent(self, integration: str, shipped_by: datetime) -> Iterator[RedactionDue]:
        """Orders that are still to be sent, and should have been by then, the oldest first."""
        return self._find_by_redaction(integration, UNSENT, shipped_by + UNSENT_KEPT)

    def _find_by_redaction(self, integration: str, state: str, by: datetime) -> Iterator[RedactionDue]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=BY_REDACTION,
            KeyConditionExpression="#integration = :integration AND #redactionKey BETWEEN :first AND :last",
            ExpressionAttributeNames={"#integration": "integration", "#redactionKey": "redactionKey"},
            ExpressionAttributeValues={
                ":integration": text(integration),
                ":first": text(state),
                ":last": text(f"{state}{instant(by)}"),
            },
            PaginationConfig={"PageSize": REDACTIONS_A_QUERY},
        )
        keys = (item["redactionKey"]["S"] for page in pages for item in page["Items"])
        return (RedactionDue(id_in(key), time_in(key)) for key in keys)

    def write_redaction_key(self, order: Order) -> None:
        """Writes when the order's data is due, for an order that an earlier release counted otherwise.

        Writes nothing if the order has changed since, or is being changed: that change writes it too.
        """
        errors = self._client.exceptions
        with suppress(errors.ConditionalCheckFailedException, errors.TransactionConflictException):
            self._client.update_item(
                TableName=self._table,
                Key=order_key(order.order_id),
                UpdateExpression="SET #redactionKey = :redactionKey",
                ConditionExpression="#revision = :revision",
                ExpressionAttributeNames={"#redactionKey": "redactionKey", "#revision": "revision"},
                ExpressionAttributeValues={
                    ":redactionKey": text(redaction_key(order)),
                    ":revision": number(order.revision),
                },
            )

    def find_redacted(self, integration: str, since: datetime, until: datetime, page: Page) -> FoundRedacted:
        """Orders that were redacted at or after `since` and before `until`, by the time of their redaction."""
        within = page._replace(
            after=page.after and f"{REDACTED}{page.after}",
            between=(f"{REDACTED}{instant(since)}", f"{REDACTED}{instant(until)}"),
        )
        entries, position = self._query(BY_REDACTION, {"integration": integration}, "redactionKey", within)
        read = [(item["redactionKey"]["S"], readable_redaction(item)) for item in entries]
        if unreadable := [id_in(key) for key, why in read if why is None]:
            logger.error("redactions cannot be read", order_ids=unreadable)
        return FoundRedacted(
            tuple(Redacted(id_in(key), time_in(key), why) for key, why in read if why),
            position and position.removeprefix(REDACTED),
        )

    def _find(self, index: str, partition: dict[str, str], sort_key: str, page: Page) -> Found:
        entries, position = self._query(index, partition, sort_key, page)
        read = [(item["orderId"]["S"], readable_summary(item)) for item in entries]
        unreadable = tuple(order_id for order_id, summary in read if summary is None)
        if unreadable:
            logger.error("orders cannot be read", order_ids=unreadable)
        return Found(tuple(summary for _, summary in read if summary), position, unreadable)

    def _query(
        self, index: str, partition: dict[str, str], sort_key: str, page: Page
    ) -> tuple[Iterable[Item], str | None]:
        """One page of an index, and the position after it."""
        ((hash_key, hash_value),) = partition.items()
        query: dict[str, Any] = {
            "KeyConditionExpression": "#hash = :hash",
            "ExpressionAttributeNames": {"#hash": hash_key},
            "ExpressionAttributeValues": {":hash": text(hash_value)},
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


def count_overdue(orders: OrderStore, integration_id: str, now: datetime) -> int:
    """How many orders hold personal data for longer than its removal may take: none, if all is well.

    Counts no more than `MOST_REDACTIONS_COUNTED`.
    """
    overdue = orders.find_redactions_due(integration_id, now - REDACTION_TAKES_AT_MOST)
    return sum(1 for _ in islice(overdue, MOST_REDACTIONS_COUNTED))


class RedactionCounts(NamedTuple):
    """How many orders of an integration are due for redaction now, since when, and how many will be soon.

    Overdue orders are also due. It counts no more than `MOST_REDACTIONS_COUNTED` orders; `is_truncated` says that there
    are more. `unsent` are the first of the orders that are still to be sent though their ship-by has passed, with the
    time when their data will be removed all the same.
    """

    due: int
    overdue: int
    due_within_seven_days: int
    oldest_due_at: datetime | None
    is_truncated: bool
    unsent: tuple[RedactionDue, ...]

    @classmethod
    def of(cls, orders: OrderStore, integration_id: str, now: datetime) -> Self:
        found = orders.find_redactions_due(integration_id, now + REDACTED_SOON)
        times = [due.at for due in islice(found, MOST_REDACTIONS_COUNTED + 1)]
        counted = times[:MOST_REDACTIONS_COUNTED]
        due = [time for time in counted if time <= now]
        return cls(
            due=len(due),
            overdue=sum(time + REDACTION_TAKES_AT_MOST <= now for time in due),
            due_within_seven_days=len(counted) - len(due),
            oldest_due_at=next(iter(due), None),
            is_truncated=len(times) > len(counted),
            unsent=tuple(islice(orders.find_unsent(integration_id, now), MOST_UNSENT_NAMED)),
        )

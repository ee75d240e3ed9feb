"""The orders table. Every write that changes an order lands only on the revision it was made on, and adds 1 to it.

One item is one order. Lists read the indexes `byStage` and `byCreated`, which project `summary`: what a list shows, as
one JSON text without personal data, so that a new column in a list is no change to an index.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, NotRequired, TypedDict, Unpack

from pydantic_core import from_json

from needs_attention.orders.amazon_order import AmazonOrder, may_be_order_id
from needs_attention.orders.changes import happened
from needs_attention.orders.edits import Edits
from needs_attention.orders.order import LastChange, Order, Redaction, is_to_be_sent
from needs_attention.orders.settings import ThreePlStatus
from needs_attention.tables.dynamodb import Item, items
from needs_attention.values.model import Value, differing, read_stored
from needs_attention.values.times import UtcTime, instant

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

SCHEMA_VERSION = 1
BY_STAGE, BY_CREATED, BY_DUE, BY_REDACTION = "byStage", "byCreated", "byDue", "byRedaction"
# Who changes orders without anybody having asked; every other name is a person's or a warehouse's.
AUTOMATIC = frozenset({"amazon", "validation", "clock"})
# Orders without a deadline come after all that have one.
NO_DEADLINE = "9999-12-31T23:59:59.999Z"
# A verdict takes a second or so; one that is pending for longer than this was lost, and is asked for again.
VERDICT_OVERDUE = timedelta(minutes=10)
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


class Summary(Value):
    """What a list shows of an order. No personal data, since indexes and lists hold it."""

    order_id: str
    integration: str
    revision: int
    marketplace_id: str | None = None
    fulfilled_by: str | None = None
    fulfillment_status: str | None = None
    created_at: UtcTime
    updated_at: UtcTime
    ship_by: UtcTime | None = None
    is_pending: bool = False
    stage: str | None = None
    status: str
    three_pl_status: ThreePlStatus
    hold: str | None = None
    held_at: UtcTime | None = None
    missing: tuple[str, ...] = ()
    ready_to_release: bool = False
    is_fulfillable: bool = False
    is_transferable: bool = False
    fully_dispatched_at: UtcTime | None = None
    dispatched_by: str | None = None
    alerts: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    redownload_at: UtcTime | None = None
    assigned_to: str | None = None
    redacted_at: UtcTime | None = None

    @property
    def is_to_be_sent(self) -> bool:
        return is_to_be_sent(self.status, self.three_pl_status, self.fulfilled_by)

    @classmethod
    def of(cls, order: Order) -> "Summary":
        amazon, hold = order.amazon, order.hold
        return cls(
            order_id=order.order_id,
            integration=order.integration,
            revision=order.revision,
            marketplace_id=amazon.marketplace_id,
            fulfilled_by=amazon.fulfilled_by,
            fulfillment_status=amazon.fulfillment_status,
            created_at=amazon.created_at,
            updated_at=amazon.updated_at,
            ship_by=amazon.ship_by,
            is_pending=order.is_pending,
            stage=order.stage,
            status=order.status,
            three_pl_status=order.shown_three_pl_status,
            hold=hold.kind if hold else None,
            held_at=hold.since if hold else None,
            missing=tuple(item.field for item in order.open_missing),
            ready_to_release=order.is_ready_to_release,
            is_fulfillable=order.is_fulfillable,
            is_transferable=order.is_transferable,
            fully_dispatched_at=order.fully_dispatched_at,
            dispatched_by=order.dispatched_by,
            alerts=order.alerts,
            flags=tuple(name for name, applies in FLAGS.items() if applies(amazon)),
            redownload_at=order.redownload_at,
            assigned_to=order.assigned_to,
            redacted_at=order.redacted_at,
        )


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


class ChangedBy(TypedDict):
    """What is written down with a change of an order: who made it, when and why, and the request that it came with.

    That is the API's of a person's or a warehouse's change, Amazon's of a download.
    """

    by: str
    at: datetime
    cause: str
    request_id: NotRequired[str | None]


class OrderStore:
    """Reads and writes orders; `table` is the orders table's name."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def get(self, order_id: str) -> Order | None:
        """The order as it is now (a consistent read), or None."""
        if not may_be_order_id(order_id):
            return None
        answer = self._client.get_item(TableName=self._table, Key=_key(order_id), ConsistentRead=True)
        return order_from_item(answer["Item"]) if "Item" in answer else None

    def get_many(self, order_ids: Iterable[str]) -> dict[str, Order]:
        """Those of the orders that exist and can be read, by ID: a spoilt item keeps no other order waiting.

        A read may be a moment old, which a conditional write notices.
        """
        orders = (_readable(item) for item in self._items(order_ids))
        return {order.order_id: order for order in orders if order}

    def versions(self, order_ids: Iterable[str]) -> dict[str, datetime]:
        """When Amazon had last updated each of the orders that are stored and can be read, by ID."""
        names = {"#orderId": "orderId", "#summary": "summary"}
        only = {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
        summaries = (_readable_summary(item) for item in self._items(order_ids, **only))
        return {summary.order_id: summary.updated_at for summary in summaries if summary}

    def _items(self, order_ids: Iterable[str], **only: Any) -> Iterator[Item]:
        """The items of those that exist; `only` projects what is read of each. Raises Throttled."""
        keys = map(_key, dict.fromkeys(filter(may_be_order_id, order_ids)))
        return items(self._client, self._table, keys, **only)

    def save(self, before: Order | None, after: Order, **changed_by: Unpack[ChangedBy]) -> Order:
        """Writes what differs between the order as it was read and as it shall be, with who changed it and why.

        Raises LostRace if the order is no longer as it was read (`before` None: not there yet), SpoiltItem if what is
        there now cannot be read. A write whose answer was lost is made again by botocore, and finds itself there: that
        is no race lost.
        """
        landed = _changed(before, after, **changed_by)
        expression = _update(before, landed)
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(after.order_id),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **expression,
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            stored: Any = error.response.get("Item")
            current = _readable(stored) if stored else None
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
        landed = _changed(before, after, **changed_by)
        return {"TableName": self._table, "Key": _key(after.order_id), **_update(before, landed)}

    def ask_again(self, order: Order, redownload_at: datetime | None) -> None:
        """The clock's own bookkeeping: when Amazon is asked for this order next. It leaves the revision alone.

        Writes nothing if the order has changed since, or is being changed: then its timetable is made anew.
        """
        if redownload_at == order.redownload_at:
            return
        later = order.with_(redownload_at=redownload_at)
        expression = _difference(order, later)
        expression["ConditionExpression"] = "#revision = :revision"
        expression["ExpressionAttributeNames"]["#revision"] = "revision"
        expression["ExpressionAttributeValues"][":revision"] = {"N": str(order.revision)}
        errors = self._client.exceptions
        with suppress(errors.ConditionalCheckFailedException, errors.TransactionConflictException):
            self._client.update_item(TableName=self._table, Key=_key(order.order_id), **expression)

    def find_by_stage(self, integration: str, stage: str, page: Page) -> Found:
        """Orders in a Stage (its id), soonest ship-by deadline first."""
        return self._find(BY_STAGE, {"stageKey": stage_key(integration, stage)}, "shipByKey", page)

    def find_by_created(self, integration: str, page: Page) -> Found:
        """Orders by Amazon's created time, oldest first."""
        return self._find(BY_CREATED, {"integration": integration}, "createdKey", page)

    def count_in_stage(self, integration: str, stage: str) -> int:
        """How many orders are in a Stage (its id), up to `MOST_COUNTED`."""
        of_stage = {":stageKey": _text(stage_key(integration, stage))}
        return self._count(BY_STAGE, "#stageKey = :stageKey", {"#stageKey": "stageKey"}, of_stage)

    def count_created(self, integration: str, since: datetime, until: datetime) -> int:
        """How many orders Amazon created from `since` on and before `until`, up to `MOST_COUNTED`."""
        created = "#integration = :integration AND #createdKey BETWEEN :since AND :until"
        names = {"#integration": "integration", "#createdKey": "createdKey"}
        within = {":since": _text(instant(since)), ":until": _text(instant(until))}
        return self._count(BY_CREATED, created, names, {":integration": _text(integration), **within})

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
            ExpressionAttributeValues={":integration": _text(integration), ":now": _text(instant(now))},
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
                ":integration": _text(integration),
                ":first": _text(_DUE),
                ":last": _text(f"{_DUE}{instant(by)}"),
            },
            PaginationConfig={"PageSize": REDACTIONS_A_QUERY},
        )
        keys = (item["redactionKey"]["S"] for page in pages for item in page["Items"])
        return (RedactionDue(_id_in(key), _time_in(key)) for key in keys)

    def find_redacted(self, integration: str, since: datetime, until: datetime, page: Page) -> FoundRedacted:
        """Orders that were redacted from `since` on and before `until`, by that time."""
        within = page._replace(
            after=page.after and f"{_REDACTED}{page.after}",
            between=(f"{_REDACTED}{instant(since)}", f"{_REDACTED}{instant(until)}"),
        )
        items, position = self._query(BY_REDACTION, {"integration": integration}, "redactionKey", within)
        found = ((item["redactionKey"]["S"], read_stored(Redaction, item["redaction"]["S"])) for item in items)
        return FoundRedacted(
            tuple(Redacted(_id_in(key), _time_in(key), why) for key, why in found),
            position and position.removeprefix(_REDACTED),
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
            query["ExpressionAttributeValues"] |= dict(zip((":low", ":high"), map(_text, page.between), strict=True))
        if page.after is not None:
            query["ExclusiveStartKey"] = {
                hash_key: _text(hash_value),
                sort_key: _text(page.after),
                "orderId": _text(_id_in(page.after)),
            }
        answer = self._client.query(
            TableName=self._table, IndexName=index, ScanIndexForward=not page.descending, Limit=page.limit, **query
        )
        last = answer.get("LastEvaluatedKey")
        return answer["Items"], last[sort_key]["S"] if last else None


def stage_key(integration: str, stage: str) -> str:
    return f"{integration}#{stage}"


def ship_by_key(order: Order | Summary) -> str:
    ship_by = order.ship_by if isinstance(order, Summary) else order.amazon.ship_by
    return f"{instant(ship_by) if ship_by else NO_DEADLINE}#{order.order_id}"


def created_key(order: Order | Summary) -> str:
    created = order.created_at if isinstance(order, Summary) else order.amazon.created_at
    return f"{instant(created)}#{order.order_id}"


# What still holds personal data, by when that must be gone, comes before what does not, by when it was removed.
_DUE, _REDACTED = "due#", "redacted#"


def _id_in(key: str) -> str:
    return _time_and_id(key)[1]


def _time_in(key: str) -> datetime:
    return datetime.fromisoformat(_time_and_id(key)[0])


def _time_and_id(key: str) -> tuple[str, str]:
    """Of a sort key of any index. An order ID is any text, also one with a `#`."""
    time, _, order_id = key.removeprefix(_DUE).removeprefix(_REDACTED).partition("#")
    return time, order_id


# Items ----------------------------------------------------------------------------------------------------------------

# Held as one JSON text each; everything else is a plain text or number.
_JSON = {"amazon", "edits", "hold", "missing", "accepted", "override", "alerts", "redaction", "lastChange"}
_ATTRIBUTES = {info.alias or name for name, info in Order.model_fields.items()}


def to_item(order: Order) -> dict[str, "AttributeValueTypeDef"]:
    """The whole item: what the order is, and what the indexes and the streams' filter need to find it."""
    return _own(order, Order.model_fields.keys()) | _keys(order) | {"summary": _summary(order)}


def _own(order: Order, fields: Set[str]) -> dict[str, "AttributeValueTypeDef"]:
    """These fields of the order, each as an attribute; what is as it is by default has none."""
    values = order.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True, include=set(fields))
    values |= {"revision": order.revision, "threePlStatus": order.three_pl_status.value}
    return {
        name: _text(json.dumps(value, ensure_ascii=False, separators=(",", ":"))) if name in _JSON else _plain(value)
        for name, value in values.items()
    }


def _summary(order: Order) -> "AttributeValueTypeDef":
    return _text(Summary.of(order).model_dump_json(by_alias=True, exclude_none=True, exclude_defaults=True))


def _keys(order: Order) -> dict[str, "AttributeValueTypeDef"]:
    """What the indexes and the streams' filter need to find the order."""
    item: dict[str, AttributeValueTypeDef] = {
        "schemaVersion": {"N": str(SCHEMA_VERSION)},
        "verdict": _text("pending" if order.is_pending else "judged"),
        "createdKey": _text(created_key(order)),
    }
    if order.stage:
        item |= {"stageKey": _text(stage_key(order.integration, order.stage)), "shipByKey": _text(ship_by_key(order))}
    if due := due_at(order):
        item["dueKey"] = _text(f"{instant(due)}#{order.order_id}")
    for state, at in ((_DUE, order.redact_at), (_REDACTED, order.redacted_at)):
        if at:
            item["redactionKey"] = _text(f"{state}{instant(at)}#{order.order_id}")
    return item


def _plain(value: str | int | bool) -> "AttributeValueTypeDef":  # noqa: FBT001 - an attribute's value
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"N": str(value)} if isinstance(value, int) else _text(value)


def order_from_item(item: Item) -> Order:
    """The order of an item or of a stream image. Raises ValueError if it is not one of ours."""
    values: dict[str, Any] = {}
    for name in _ATTRIBUTES & item.keys():
        ((_, value),) = item[name].items()
        values[name] = from_json(str(value)) if name in _JSON else value
    return Order.model_validate(values, extra="ignore")


def _readable(item: Item) -> Order | None:
    try:
        return order_from_item(item)
    except ValueError:
        return None


def _readable_summary(item: Item) -> Summary | None:
    try:
        return read_stored(Summary, item["summary"]["S"])
    except (KeyError, ValueError):
        return None


def due_at(order: Order) -> datetime | None:
    """When the clock next owes this order something beside its redaction: an overdue verdict, a redownload, the end of
    a snooze."""
    owed = (
        order.pending_since and order.pending_since + VERDICT_OVERDUE,
        order.redownload_at,
        order.hold and order.hold.until,
    )
    return min((time for time in owed if time), default=None)


# What a clerk wants to see at a glance.
FLAGS: Mapping[str, Callable[[AmazonOrder], bool]] = {
    "buyerRequestedCancel": lambda amazon: amazon.cancel_requested_by_buyer,
    "replacement": lambda amazon: amazon.replaces_order_id is not None,
    "gift": lambda amazon: amazon.is_gift,
    "prime": lambda amazon: "PRIME" in amazon.programs,
    "business": lambda amazon: "AMAZON_BUSINESS" in amazon.programs,
}


# Writes ---------------------------------------------------------------------------------------------------------------


def _changed(before: Order | None, after: Order, **changed_by: Unpack[ChangedBy]) -> Order:
    """The order as it will stand: one revision on, and with the change that led there written on it."""
    at = changed_by["at"]
    change = LastChange(
        by=changed_by["by"],
        at=max(at, before.last_change.at) if before and before.last_change else at,
        cause=changed_by["cause"],
        request_id=changed_by.get("request_id"),
        fields=_changed_fields(before, after),
        events=happened(before, after, by_a_person=changed_by["by"] not in AUTOMATIC),
    )
    return after.with_(revision=(before.revision if before else 0) + 1, last_change=change)


# Told otherwise (amazon, edits), or of no interest to a person who reads the history.
_OWN_BOOKKEEPING = {
    "amazon",
    "edits",
    "revision",
    "last_change",
    "downloaded_at",
    "pending_since",
    "judged_at",
    "judged_status",
    "redownload_at",
    "handed_over_digest",
    "redaction",
    "alerts",
}


def _changed_fields(before: Order | None, after: Order) -> tuple[str, ...]:
    if before is None:
        return ()
    own = differing(before, after) - _OWN_BOOKKEEPING
    edits = differing(before.edits, after.edits) - {"amazon_then"}
    told = (info.alias or name for name, info in Order.model_fields.items() if name in own)
    edited = (f"edits.{info.alias or name}" for name, info in Edits.model_fields.items() if name in edits)
    amazons = (f"amazon.{name}" for name in before.amazon.changed_fields(after.amazon))
    return (*told, *edited, *amazons)


def _update(before: Order | None, after: Order) -> dict[str, Any]:
    update = _difference(before, after)
    update["ExpressionAttributeNames"] |= {"#orderId": "orderId"} if before is None else {}
    if before is None:
        not_there_yet = "attribute_not_exists(#orderId)"
        return update | {"ConditionExpression": not_there_yet}
    unchanged_since_read = "#revision = :read"
    update["ExpressionAttributeValues"][":read"] = {"N": str(before.revision)}
    return update | {"ConditionExpression": unchanged_since_read}


def _difference(before: Order | None, after: Order) -> dict[str, Any]:
    """An update expression for the attributes that differ, the key aside. What lists show differs in every change."""
    fields = differing(before, after) if before else Order.model_fields.keys()
    old = _own(before, fields) | _keys(before) if before else {}
    new = _own(after, fields) | _keys(after) | {"summary": _summary(after)}
    changed = sorted(name for name in new if name != "orderId" and new[name] != old.get(name))
    gone = sorted(old.keys() - new.keys())
    sets = ", ".join(f"#{name} = :{name}" for name in changed)
    removes = ", ".join(f"#{name}" for name in gone)
    return {
        "UpdateExpression": f"SET {sets}" + (f" REMOVE {removes}" if removes else ""),
        "ExpressionAttributeNames": {f"#{name}": name for name in (*changed, *gone)},
        "ExpressionAttributeValues": {f":{name}": new[name] for name in changed},
    }


def _key(order_id: str) -> dict[str, "AttributeValueTypeDef"]:
    return {"orderId": _text(order_id)}


def _text(value: str) -> "AttributeValueTypeDef":
    return {"S": value}

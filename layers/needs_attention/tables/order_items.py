"""An order as a DynamoDB item: its attributes, the keys of the indexes, and the updates that write it."""

from collections.abc import Set
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from needs_attention.orders.deadline import next_look
from needs_attention.orders.order import Order, Redaction
from needs_attention.orders.summary import Summary
from needs_attention.tables.dynamodb import Item, number, text
from needs_attention.tables.earlier_items import as_written_now, is_upgraded, mirrored_hold
from needs_attention.tables.history import BOOKS_KEPT
from needs_attention.values.model import Value, differing, read_stored
from needs_attention.values.times import instant

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

SCHEMA_VERSION = 1
# A verdict takes a second or so; one that is pending for longer than this was lost, and is asked for again.
VERDICT_OVERDUE = timedelta(minutes=10)
# Orders without a deadline come after all that have one.
NO_DEADLINE = "9999-12-31T23:59:59.999Z"
# Orders that still hold personal data, by the time when that must be gone, apart from those that are still to be sent,
# and from redacted ones, by the time of their redaction.
DUE, UNSENT, REDACTED = "due#", "unsent#", "redacted#"

# These are one JSON text each; every other attribute is a plain text or number.
_JSON = {
    "amazon",
    "edits",
    "hold",
    "decisions",
    "granted",
    "missing",
    "news",
    "accepted",
    "letGoWithout",
    "override",
    "alerts",
    "closedAlerts",
    "told",
    "parcel",
    "deadline",
    "redaction",
    "lastChange",
}
# The release before keeps a verdict's hold and a person's in `hold`, and still reads that (see `mirrored_hold`).
_STORED_AS = {"hold": "verdictHold"}
_NAMES = {name: info.alias or name for name, info in Order.model_fields.items()}
_ATTRIBUTES = {name: _STORED_AS.get(alias, alias) for name, alias in _NAMES.items()}
_NAME_OF = {_ATTRIBUTES[name]: alias for name, alias in _NAMES.items()}
# The attributes of `_keys` that an order need not have.
_KEYS_OF_SOME_ORDERS = {"hold", "stageKey", "shipByKey", "dueKey"}
# What is read out of that `hold` is in none of these attributes until the order is written in the form of now.
_READ_OTHERWISE = {"hold", "decisions"}


# Items ----------------------------------------------------------------------------------------------------------------


def order_key(order_id: str) -> dict[str, "AttributeValueTypeDef"]:
    return {"orderId": text(order_id)}


def to_item(order: Order) -> dict[str, "AttributeValueTypeDef"]:
    """The whole item: the order's fields, and the keys by which indexes and the streams' filter find it."""
    return _fields(order, Order.model_fields.keys()) | _keys(order) | {"summary": _summary(order)}


def order_from_item(item: Item) -> Order:
    """The order of an item or of a stream image. Raises ValueError if it is not one of ours."""
    values: dict[str, Any] = {}
    for attribute, stored in item.items():
        if (name := _NAME_OF.get(attribute)) is not None:
            ((_, value),) = stored.items()
            values[name] = from_json(str(value)) if name in _JSON else value
    try:
        now = as_written_now(values, from_json(item["hold"]["S"]) if "hold" in item else None)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("edits, a hold or what was accepted are in no form of ours") from error
    return Order.model_validate(now, extra="ignore")


def readable_order(item: Item) -> Order | None:
    try:
        return order_from_item(item)
    except ValueError:
        return None


def readable_summary(item: Item) -> Summary | None:
    return _readable(Summary, item, "summary")


def readable_redaction(item: Item) -> Redaction | None:
    return _readable(Redaction, item, "redaction")


def _readable[Kept: Value](kind: type[Kept], item: Item, attribute: str) -> Kept | None:
    try:
        return read_stored(kind, item[attribute]["S"])
    except (KeyError, ValueError):
        return None


def _fields(order: Order, names: Set[str]) -> dict[str, "AttributeValueTypeDef"]:
    """These fields of the order, each as an attribute; a field with its default value has none."""
    values = order.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True, include=set(names))
    values |= {"revision": order.revision, "threePlStatus": order.three_pl_status.value}
    return {
        _STORED_AS.get(name, name): _json_text(value) if name in _JSON else _plain(value)
        for name, value in values.items()
    }


def _json_text(value: object) -> "AttributeValueTypeDef":
    return text(to_json(value).decode())


def _plain(value: str | int | bool) -> "AttributeValueTypeDef":  # noqa: FBT001 - an attribute's value
    if isinstance(value, bool):
        return {"BOOL": value}
    return number(value) if isinstance(value, int) else text(value)


def _summary(order: Order) -> "AttributeValueTypeDef":
    return text(Summary.of(order).model_dump_json(by_alias=True, exclude_none=True, exclude_defaults=True))


def _keys(order: Order) -> dict[str, "AttributeValueTypeDef"]:
    """The attributes by which the indexes and the streams' filter find the order."""
    item: dict[str, AttributeValueTypeDef] = {
        "schemaVersion": number(SCHEMA_VERSION),
        "verdict": text("pending" if order.is_pending else "judged"),
        "createdKey": text(created_key(order)),
    }
    if mirror := mirrored_hold(order):
        item["hold"] = _json_text(mirror)
    if order.stage:
        item |= {"stageKey": text(stage_key(order.integration, order.stage)), "shipByKey": text(ship_by_key(order))}
    if due := due_at(order):
        item["dueKey"] = text(f"{instant(due)}#{order.order_id}")
    item["redactionKey"] = text(redaction_key(order))
    return item


def due_at(order: Order) -> datetime | None:
    """When the clock has to act on the order next: an overdue verdict, a redownload, the end of a snooze, its ship-by.

    Its redaction is in an index of its own.
    """
    return min((time for time in (due_without_amazon_at(order), order.redownload_at) if time), default=None)


def due_without_amazon_at(order: Order) -> datetime | None:
    """As `due_at`, but for the redownload, which may have to wait for Amazon."""
    owed = (
        order.pending_since and order.pending_since + VERDICT_OVERDUE,
        order.decisions.hold and order.decisions.hold.until,
        next_look(order),
    )
    return min((time for time in owed if time), default=None)


# Keys of the indexes --------------------------------------------------------------------------------------------------


def stage_key(integration: str, stage: str) -> str:
    return f"{integration}#{stage}"


def ship_by_key(order: Order | Summary) -> str:
    ship_by = order.ship_by if isinstance(order, Summary) else order.amazon.ship_by
    return f"{instant(ship_by) if ship_by else NO_DEADLINE}#{order.order_id}"


def created_key(order: Order | Summary) -> str:
    created = order.created_at if isinstance(order, Summary) else order.amazon.created_at
    return f"{instant(created)}#{order.order_id}"


def redaction_key(order: Order) -> str:
    """Every order is either redacted or will be."""
    states = ((DUE if order.is_over else UNSENT, order.redact_at), (REDACTED, order.redacted_at))
    return next(f"{state}{instant(at)}#{order.order_id}" for state, at in states if at)


def id_in(key: str) -> str:
    """The order ID in a sort key of any index."""
    return _time_and_id(key)[1]


def time_in(key: str) -> datetime:
    """The time in a sort key of any index."""
    return datetime.fromisoformat(_time_and_id(key)[0])


def _time_and_id(key: str) -> tuple[str, str]:
    """Both parts of a sort key. The ID is any text, also one with a `#`: only the first `#` parts them."""
    time, _, order_id = key.removeprefix(DUE).removeprefix(UNSENT).removeprefix(REDACTED).partition("#")
    return time, order_id


# Updates --------------------------------------------------------------------------------------------------------------


def update_if_unchanged(before: Order | None, after: Order) -> dict[str, Any]:
    """The update of the differences, on the condition that the order is as it was read (None: not there yet)."""
    update = _update(*_differences(before, after))
    if before is None:
        update["ExpressionAttributeNames"]["#orderId"] = "orderId"
        return update | {"ConditionExpression": "attribute_not_exists(#orderId)"}
    return _only_on(before.revision, update)


def update_of_books(order: Order, later: Order) -> dict[str, Any]:
    """The update of the clock's own bookkeeping on the same condition. The revision stays."""
    written, gone = _differences(order, later)
    return _only_on(order.revision, _update(written | {BOOKS_KEPT: number(order.revision)}, gone))


def _differences(before: Order | None, after: Order) -> tuple[dict[str, "AttributeValueTypeDef"], Set[str]]:
    """The attributes to write, and those to remove. The summary and the keys of the indexes follow from the rest."""
    names = differing(before, after) if before else set(Order.model_fields)
    if before and is_upgraded(before, after):
        names |= _READ_OTHERWISE
    written = _fields(after, names) | _keys(after) | {"summary": _summary(after)}
    written.pop("orderId", None)  # the key
    gone = {*map(_ATTRIBUTES.__getitem__, names), *_KEYS_OF_SOME_ORDERS} - written.keys() if before else set()
    return written, gone


def _update(written: Item, gone: Set[str]) -> dict[str, Any]:
    sets = ", ".join(f"#{name} = :{name}" for name in written)
    removes = ", ".join(f"#{name}" for name in sorted(gone))
    return {
        "UpdateExpression": f"SET {sets}" + (f" REMOVE {removes}" if removes else ""),
        "ExpressionAttributeNames": {f"#{name}": name for name in (*written, *gone)},
        "ExpressionAttributeValues": {f":{name}": value for name, value in written.items()},
    }


def _only_on(revision: int, update: dict[str, Any]) -> dict[str, Any]:
    """The update on the condition that the order is still of that revision, which each update names."""
    update["ExpressionAttributeValues"][":read"] = number(revision)
    return update | {"ConditionExpression": "#revision = :read"}

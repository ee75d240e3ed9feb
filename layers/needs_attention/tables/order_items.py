"""An order as a DynamoDB item: its attributes, and the keys of the indexes."""

import json
from collections.abc import Set
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from needs_attention.orders.order import Order
from needs_attention.orders.summary import Summary
from needs_attention.tables.dynamodb import Item
from needs_attention.values.model import differing, read_stored
from needs_attention.values.times import instant

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

SCHEMA_VERSION = 1


# Orders without a deadline come after all that have one.
NO_DEADLINE = "9999-12-31T23:59:59.999Z"
# A verdict takes a second or so; one that is pending for longer than this was lost, and is asked for again.
VERDICT_OVERDUE = timedelta(minutes=10)


def stage_key(integration: str, stage: str) -> str:
    return f"{integration}#{stage}"


def ship_by_key(order: Order | Summary) -> str:
    ship_by = order.ship_by if isinstance(order, Summary) else order.amazon.ship_by
    return f"{instant(ship_by) if ship_by else NO_DEADLINE}#{order.order_id}"


def created_key(order: Order | Summary) -> str:
    created = order.created_at if isinstance(order, Summary) else order.amazon.created_at
    return f"{instant(created)}#{order.order_id}"


# What still holds personal data, by when that must be gone, comes before what does not, by when it was removed.
DUE, REDACTED = "due#", "redacted#"


def id_in(key: str) -> str:
    return _time_and_id(key)[1]


def time_in(key: str) -> datetime:
    return datetime.fromisoformat(_time_and_id(key)[0])


def _time_and_id(key: str) -> tuple[str, str]:
    """Of a sort key of any index. An order ID is any text, also one with a `#`."""
    time, _, order_id = key.removeprefix(DUE).removeprefix(REDACTED).partition("#")
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
        name: text(json.dumps(value, ensure_ascii=False, separators=(",", ":"))) if name in _JSON else _plain(value)
        for name, value in values.items()
    }


def _summary(order: Order) -> "AttributeValueTypeDef":
    return text(Summary.of(order).model_dump_json(by_alias=True, exclude_none=True, exclude_defaults=True))


def _keys(order: Order) -> dict[str, "AttributeValueTypeDef"]:
    """What the indexes and the streams' filter need to find the order."""
    item: dict[str, AttributeValueTypeDef] = {
        "schemaVersion": {"N": str(SCHEMA_VERSION)},
        "verdict": text("pending" if order.is_pending else "judged"),
        "createdKey": text(created_key(order)),
    }
    if order.stage:
        item |= {"stageKey": text(stage_key(order.integration, order.stage)), "shipByKey": text(ship_by_key(order))}
    if due := due_at(order):
        item["dueKey"] = text(f"{instant(due)}#{order.order_id}")
    for state, at in ((DUE, order.redact_at), (REDACTED, order.redacted_at)):
        if at:
            item["redactionKey"] = text(f"{state}{instant(at)}#{order.order_id}")
    return item


def _plain(value: str | int | bool) -> "AttributeValueTypeDef":  # noqa: FBT001 - an attribute's value
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"N": str(value)} if isinstance(value, int) else text(value)


def order_from_item(item: Item) -> Order:
    """The order of an item or of a stream image. Raises ValueError if it is not one of ours."""
    values: dict[str, Any] = {}
    for name in _ATTRIBUTES & item.keys():
        ((_, value),) = item[name].items()
        values[name] = from_json(str(value)) if name in _JSON else value
    return Order.model_validate(values, extra="ignore")


def readable_order(item: Item) -> Order | None:
    try:
        return order_from_item(item)
    except ValueError:
        return None


def readable_summary(item: Item) -> Summary | None:
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


def conditional_update(before: Order | None, after: Order) -> dict[str, Any]:
    update = update_of_differences(before, after)
    update["ExpressionAttributeNames"] |= {"#orderId": "orderId"} if before is None else {}
    if before is None:
        not_there_yet = "attribute_not_exists(#orderId)"
        return update | {"ConditionExpression": not_there_yet}
    unchanged_since_read = "#revision = :read"
    update["ExpressionAttributeValues"][":read"] = {"N": str(before.revision)}
    return update | {"ConditionExpression": unchanged_since_read}


def update_of_differences(before: Order | None, after: Order) -> dict[str, Any]:
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


def key_of(order_id: str) -> dict[str, "AttributeValueTypeDef"]:
    return {"orderId": text(order_id)}


def text(value: str) -> "AttributeValueTypeDef":
    return {"S": value}

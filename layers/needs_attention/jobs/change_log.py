"""Telling what happened: a history entry for every change of an order, an event on the bus where it means something.

Both are made from one stream image alone, so telling a change twice writes the same entry again. Neither holds personal
data: a change names fields, never their values.
"""

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from needs_attention.orders.order import LastChange
from needs_attention.orders.summary import Summary
from needs_attention.tables.dynamodb import Item
from needs_attention.values.model import read_stored
from needs_attention.values.times import instant

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef
    from mypy_boto3_events import EventBridgeClient

EVENT_SOURCE = "needs-attention"


class UntoldChange(Exception):
    """EventBridge did not take an event; telling the change again is safe."""


class Change(NamedTuple):
    """One revision of an order, with who made it and why."""

    summary: Summary
    last_change: LastChange

    @classmethod
    def from_image(cls, image: Item) -> "Change":
        """The change that a stream's new image carries. Raises ValueError if it is not an order of ours."""
        try:
            summary, last_change = str(image["summary"]["S"]), str(image["lastChange"]["S"])
        except KeyError as error:
            raise ValueError(f"the image has no {error}") from error
        return cls(read_stored(Summary, summary), read_stored(LastChange, last_change))


def history_key(change: Change) -> str:
    """Sorts by time, and tells two changes of one moment apart by their revision."""
    return f"{instant(change.last_change.at)}#{change.summary.revision:010d}"


def history_item(change: Change) -> dict[str, "AttributeValueTypeDef"]:
    """The entry as the history table holds it."""
    data = {
        "revision": change.summary.revision,
        **change.last_change.model_dump(mode="json", by_alias=True, exclude_none=True),
    }
    return {
        "orderId": {"S": change.summary.order_id},
        "changedAt": {"S": history_key(change)},
        "data": {"S": json.dumps(data, separators=(",", ":"))},
    }


class ChangeLog:
    """Writes the history table `table` and the event bus `bus`."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str, events: "EventBridgeClient", bus: str) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._events = events
        self._bus = bus

    def tell(self, change: Change) -> None:
        """Puts the events on the bus, then writes the history entry. Raises UntoldChange if the bus refuses one.

        The entry comes last, so that it says that all was told: the clock's bookkeeping brings a change again.
        """
        if change.last_change.events and not self._was_told(change):
            self._put_events(change)
        self._dynamodb.put_item(TableName=self._table, Item=history_item(change))

    def _was_told(self, change: Change) -> bool:
        answer = self._dynamodb.get_item(
            TableName=self._table,
            Key={"orderId": {"S": change.summary.order_id}, "changedAt": {"S": history_key(change)}},
            ConsistentRead=True,
        )
        return "Item" in answer

    def _put_events(self, change: Change) -> None:
        entries: Any = [
            {
                "EventBusName": self._bus,
                "Source": EVENT_SOURCE,
                "DetailType": event,
                "Detail": json.dumps(_detail(change)),
                "Time": change.last_change.at,
            }
            for event in change.last_change.events
        ]
        answer = self._events.put_events(Entries=entries)
        if answer["FailedEntryCount"]:
            raise UntoldChange(f"EventBridge refused {answer['FailedEntryCount']} of {len(entries)} events")


def _detail(change: Change) -> dict[str, Any]:
    """What an event tells: a hint, which carries the revision; who acts on it reads the order first.

    Whether goods may leave now is not in it: a freeze would make it untrue.
    """
    gate_knows = {"is_fulfillable", "is_transferable", "is_pending"}
    summary = change.summary.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=gate_knows)
    return {
        **summary,
        "changeId": f"{change.summary.order_id}:{change.summary.revision}",
        "cause": change.last_change.cause,
        "requestId": change.last_change.request_id,
    }

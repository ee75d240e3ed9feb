"""Tells what changed: a history entry for every revision of an order, an event on the bus where it means something.

Neither holds personal data: a change names fields, never their values.
"""

import json
from typing import TYPE_CHECKING, Any

from needs_attention.tables.history import HistoryStore, OrderRevision

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

EVENT_SOURCE = "needs-attention"


class UntoldChange(Exception):
    """EventBridge did not take an event. It is safe to tell the change again."""


class ChangeLog:
    """Writes the history and the event bus, `bus`."""

    def __init__(self, history: HistoryStore, events: "EventBridgeClient", bus: str) -> None:
        self._history = history
        self._events = events
        self._bus = bus

    def tell(self, revision: OrderRevision) -> None:
        """Puts the events on the bus, then writes the history entry. Raises UntoldChange if the bus refuses one.

        The entry comes last, so it proves that the events were told. The stream brings a revision again after each of
        the clock's bookkeeping writes.
        """
        if revision.last_change.events and not self._history.holds(revision):
            self._put_events(revision)
        self._history.save(revision)

    def _put_events(self, revision: OrderRevision) -> None:
        entries: Any = [
            {
                "EventBusName": self._bus,
                "Source": EVENT_SOURCE,
                "DetailType": event,
                "Detail": json.dumps(_detail(revision)),
                "Time": revision.last_change.at,
            }
            for event in revision.last_change.events
        ]
        answer = self._events.put_events(Entries=entries)
        if answer["FailedEntryCount"]:
            raise UntoldChange(f"EventBridge refused {answer['FailedEntryCount']} of {len(entries)} events")


def _detail(revision: OrderRevision) -> dict[str, Any]:
    """The body of an event. It is a hint that carries the revision: whoever acts on it reads the order first.

    It does not say whether goods may leave now: a freeze would make that untrue. Nor does it name who stopped the
    order.
    """
    gate_knows = {"is_fulfillable", "is_transferable", "is_pending", "is_shipped", "is_void", "came_back_from"}
    persons = {"stopped_by", "stopped_at", "stop_is_implied"}
    summary = revision.summary.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=gate_knows | persons)
    return {
        **summary,
        "changeId": f"{revision.summary.order_id}:{revision.summary.revision}",
        "cause": revision.last_change.cause,
        "requestId": revision.last_change.request_id,
    }

"""Tells what changed: a history entry for every revision of an order, an event on the bus where it means something.

Neither holds personal data: a change names fields, never their values.
"""

from typing import Any

from needs_attention.jobs.event_bus import Event, EventBus
from needs_attention.tables.history import HistoryStore, OrderRevision


class ChangeLog:
    """Writes the history, and puts events on the bus."""

    def __init__(self, history: HistoryStore, event_bus: EventBus) -> None:
        self._history = history
        self._event_bus = event_bus

    def tell(self, revision: OrderRevision) -> None:
        """Puts the events on the bus, then writes the history entry. Raises UntoldChange if the bus refuses one.

        The entry comes last, so it proves that the events were told. The stream may bring a revision again.
        """
        if revision.last_change.events and not self._history.holds(revision):
            detail, at = _detail(revision), revision.last_change.at
            self._event_bus.put([Event(name, detail, at) for name in revision.last_change.events])
        self._history.save(revision)


def _detail(revision: OrderRevision) -> dict[str, Any]:
    """The body of an event. It is a hint that carries the revision: whoever acts on it reads the order first.

    It does not say whether goods may leave now: a freeze would make that untrue. Nor does it name who stopped the
    order, or who sees to it.
    """
    gate_knows = {"is_fulfillable", "is_transferable", "is_pending", "is_shipped", "is_void", "came_back_from"}
    ours = {"stopped_by", "stopped_at", "stop_is_implied", "for_people", "assigned_to"}
    summary = revision.summary.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=gate_knows | ours)
    origin = {"from": revision.summary.came_back_from or "void"} if "CameBack" in revision.last_change.events else {}
    return {
        **summary,
        **origin,
        "changeId": f"{revision.summary.order_id}:{revision.summary.revision}",
        "cause": revision.last_change.cause,
        "requestId": revision.last_change.request_id,
    }

"""The event bus: it tells other systems, and people, what happened here."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

EVENT_SOURCE = "needs-attention"
# EventBridge's quota for one PutEvents call.
MOST_ENTRIES = 10


class UntoldChange(Exception):
    """EventBridge did not take an event. It is safe to put the events again."""


class Event(NamedTuple):
    """One event: its name, its body (JSON, without personal data), and when it happened."""

    name: str
    detail: dict[str, Any]
    at: datetime


class EventBus:
    """Puts events on the bus named `bus`."""

    def __init__(self, client: "EventBridgeClient", bus: str) -> None:
        self._client = client
        self._bus = bus

    def put(self, events: Sequence[Event]) -> None:
        """Puts the events in their order. Raises UntoldChange if the bus refuses one; those before it were taken."""
        for first in range(0, len(events), MOST_ENTRIES):
            self._put(events[first : first + MOST_ENTRIES])

    def _put(self, events: Sequence[Event]) -> None:
        entries: Any = [
            {
                "EventBusName": self._bus,
                "Source": EVENT_SOURCE,
                "DetailType": event.name,
                "Detail": json.dumps(event.detail),
                "Time": event.at,
            }
            for event in events
        ]
        try:
            answer = self._client.put_events(Entries=entries)
        except (BotoCoreError, ClientError) as error:
            raise UntoldChange(f"EventBridge did not answer: {error}") from error
        if answer["FailedEntryCount"]:
            raise UntoldChange(f"EventBridge refused {answer['FailedEntryCount']} of {len(entries)} events")

"""EventBridge in memory: an event bus that remembers what it was given."""

import json
from typing import Any

from botocore.exceptions import ClientError

from needs_attention.jobs.event_bus import Event, EventBus

# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
MOST_ENTRIES_A_CALL = 10


class MemoryEvents:
    """Takes events as EventBridge's client does, or refuses them all."""

    def __init__(self) -> None:
        self.told: list[Event] = []
        self.is_full = False

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        if not 1 <= len(Entries) <= MOST_ENTRIES_A_CALL:
            raise ClientError({"Error": {"Code": "ValidationException"}}, "PutEvents")
        if self.is_full:
            return {"FailedEntryCount": len(Entries)}
        self.told += [Event(entry["DetailType"], json.loads(entry["Detail"]), entry["Time"]) for entry in Entries]
        return {"FailedEntryCount": 0}

    @property
    def bus(self) -> EventBus:
        client: Any = self
        return EventBus(client, "orders")

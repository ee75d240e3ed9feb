"""The queue of wake-ups in memory: who is woken is noted, and nobody runs."""

from collections.abc import Iterable, Mapping

from needs_attention.sqs import NotTaken
from needs_attention.wake_up_queue import WakeUpQueue


class MemoryWakeUpQueue(WakeUpQueue):
    """Takes wake-ups as SQS does, but for those of the integrations in `refused`."""

    def __init__(self, *refused: str) -> None:
        self.woken: list[str] = []
        self._refused = refused

    def wake_each(self, integration_ids: Iterable[str], occasion: str) -> Mapping[str, Exception]:  # noqa: ARG002
        asked = list(integration_ids)
        self.woken += [one for one in asked if one not in self._refused]
        return {one: NotTaken("InternalError") for one in asked if one in self._refused}

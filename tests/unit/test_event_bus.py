"""Events on their way to the bus."""

import pytest

from needs_attention.jobs.event_bus import Event, UntoldChange
from tools.builders import NOON
from tools.in_memory.events import MemoryEvents

EVENTS = [Event("OrderHeld", {"changeId": str(number)}, NOON) for number in range(21)]


@pytest.mark.parametrize("number", [0, 1, 10, 11, 21])
def test_any_number_of_events_reaches_the_bus_in_their_order(number: int) -> None:
    events = MemoryEvents()
    events.bus.put(EVENTS[:number])
    assert events.told == EVENTS[:number]


def test_a_bus_that_refuses_events_is_told_from_one_that_takes_them() -> None:
    events = MemoryEvents()
    events.is_full = True
    with pytest.raises(UntoldChange, match="2 of 2"):
        events.bus.put(EVENTS[:2])

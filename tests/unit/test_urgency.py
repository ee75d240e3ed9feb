"""How urgent an order is, and whose turn it is."""

from datetime import timedelta

import pytest

from needs_attention.orders.urgency import Queue, ShipByState, age_of, queue_of, ship_by_state
from tools.builders import NOON

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("left", "state"),
    [(DAY + SECOND, "onTrack"), (DAY, "atRisk"), (SECOND, "atRisk"), (timedelta(), "overdue"), (-DAY, "overdue")],
)
def test_an_order_is_at_risk_a_day_before_its_deadline(left: timedelta, state: str) -> None:
    assert ship_by_state(NOON + left, NOON) == state


def test_an_order_without_a_deadline_has_no_state() -> None:
    assert ship_by_state(None, NOON) is None


@pytest.mark.parametrize(
    ("hold", "urgency", "has_incident", "waits", "queue"),
    [
        (None, "overdue", True, True, None),
        ("snoozed", "onTrack", True, True, "snoozed"),
        ("missing", "overdue", True, True, "connectionAtFault"),
        ("missing", "onTrack", False, True, "waitingForAmazon"),
        ("missing", None, False, True, "waitingForAmazon"),
        ("missing", "atRisk", False, True, "yours"),
        ("missing", "overdue", False, True, "yours"),
        ("missing", "onTrack", False, False, "yours"),
        ("manual", "onTrack", False, False, "yours"),
    ],
)
def test_a_held_order_is_in_one_queue(
    hold: str | None, urgency: ShipByState | None, has_incident: bool, waits: bool, queue: Queue | None
) -> None:
    assert queue_of(hold, urgency, has_incident=has_incident, waits_for_amazon=waits) == queue


@pytest.mark.parametrize(
    ("held", "age"),
    [
        (timedelta(), "underAnHour"),
        (HOUR - SECOND, "underAnHour"),
        (HOUR, "underADay"),
        (DAY, "underThreeDays"),
        (3 * DAY, "older"),
    ],
)
def test_a_hold_grows_older(held: timedelta, age: str) -> None:
    assert age_of(NOON - held, NOON) == age

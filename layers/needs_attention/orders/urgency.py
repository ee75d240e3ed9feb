"""How urgent an order is, whose turn it is, and how long it has been held."""

from datetime import datetime, timedelta
from typing import Literal

ShipByState = Literal["onTrack", "atRisk", "overdue"]
# A held order waits for people, for Amazon (it is asked again), for the connection, or for a date.
Queue = Literal["yours", "waitingForAmazon", "connectionAtFault", "snoozed"]
Age = Literal["underAnHour", "underADay", "underThreeDays", "older"]

# A warehouse needs a working day to send an order.
AT_RISK = timedelta(hours=24)
_AGES: tuple[tuple[Age, timedelta], ...] = (
    ("underAnHour", timedelta(hours=1)),
    ("underADay", timedelta(days=1)),
    ("underThreeDays", timedelta(days=3)),
)


def ship_by_state(ship_by: datetime | None, now: datetime) -> ShipByState | None:
    """The state of an order that is still to be sent; None if Amazon names no deadline."""
    if ship_by is None:
        return None
    if now >= ship_by:
        return "overdue"
    return "atRisk" if now >= ship_by - AT_RISK else "onTrack"


def queue_of(
    hold: str | None, urgency: ShipByState | None, *, has_incident: bool, waits_for_amazon: bool
) -> Queue | None:
    """The queue of a held order; None for an order that is not held.

    The wait for Amazon ends when the deadline is near: then a person has to look anyway.
    """
    if hold is None:
        return None
    if hold == "snoozed":
        return "snoozed"
    if has_incident:
        return "connectionAtFault"
    return "waitingForAmazon" if waits_for_amazon and urgency in {None, "onTrack"} else "yours"


def age_of(since: datetime, now: datetime) -> Age:
    """How long an order has been held."""
    return next((age for age, limit in _AGES if now - since < limit), "older")

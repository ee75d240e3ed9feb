"""What a desk looks at first: how urgent an order is, and whose turn it is. Pure rules."""

from datetime import datetime, timedelta
from typing import Literal

ShipByState = Literal["onTrack", "atRisk", "overdue"]
# Whose turn it is with a held order: people's, Amazon's (it is asked again), the connection's, or nobody's yet.
Queue = Literal["yours", "waitingForAmazon", "connectionAtFault", "snoozed"]
Age = Literal["underAnHour", "underADay", "underThreeDays", "older"]

# A warehouse needs a working day to send what it is given.
AT_RISK = timedelta(hours=24)
_AGES: tuple[tuple[Age, timedelta], ...] = (
    ("underAnHour", timedelta(hours=1)),
    ("underADay", timedelta(days=1)),
    ("underThreeDays", timedelta(days=3)),
)


def ship_by_state(ship_by: datetime | None, now: datetime) -> ShipByState | None:
    """Of an order that is still to be sent; None if Amazon names no deadline."""
    if ship_by is None:
        return None
    if now >= ship_by:
        return "overdue"
    return "atRisk" if now >= ship_by - AT_RISK else "onTrack"


def queue_of(
    hold: str | None, urgency: ShipByState | None, *, has_incident: bool, waits_for_amazon: bool
) -> Queue | None:
    """Where a held order belongs; None for one that is not held.

    Waiting for Amazon ends when the deadline comes near: then a person has to look all the same.
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

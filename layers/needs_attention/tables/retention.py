"""Counts of orders whose personal data is due for removal."""

from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple, Self

from needs_attention.orders.order import REDACTION_TAKES_AT_MOST
from needs_attention.tables.orders import OrderStore

SOON = timedelta(days=7)

MOST_COUNTED = 5_000


def count_overdue(orders: OrderStore, integration_id: str, now: datetime) -> int:
    """How many orders hold personal data for longer than its removal may take: none, if all is well.

    Counts no more than `MOST_COUNTED`.
    """
    overdue = orders.find_redactions_due(integration_id, now - REDACTION_TAKES_AT_MOST)
    return sum(1 for _ in islice(overdue, MOST_COUNTED))


class RedactionCounts(NamedTuple):
    """How many orders of an integration are due for redaction now, since when, and how many will be soon.

    Overdue orders are also due. It counts no more than `MOST_COUNTED` orders; `is_truncated` says that there are more.
    """

    due: int
    overdue: int
    due_within_seven_days: int
    oldest_due_at: datetime | None
    is_truncated: bool

    @classmethod
    def of(cls, orders: OrderStore, integration_id: str, now: datetime) -> Self:
        found = orders.find_redactions_due(integration_id, now + SOON)
        times = [due.at for due in islice(found, MOST_COUNTED + 1)]
        counted = times[:MOST_COUNTED]
        due = [time for time in counted if time <= now]
        return cls(
            due=len(due),
            overdue=sum(time + REDACTION_TAKES_AT_MOST <= now for time in due),
            due_within_seven_days=len(counted) - len(due),
            oldest_due_at=next(iter(due), None),
            is_truncated=len(times) > len(counted),
        )

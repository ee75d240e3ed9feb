"""Removing the personal data of orders whose time is over, for good.

A function of its own does it: it has to empty what people typed, which nothing that downloads may write.
"""

from collections.abc import Callable
from datetime import datetime
from itertools import batched, takewhile

from needs_attention import gate
from needs_attention.integration_store import IntegrationStore
from needs_attention.order import Order
from needs_attention.order_store import LostRace, OrderStore
from needs_attention.policy import Settings

READ_AT_ONCE = 100


def redact_what_is_due(
    orders: OrderStore, integrations: IntegrationStore, now: Callable[[], datetime], until: datetime
) -> int:
    """Redacts the orders of all integrations, paused and deleted ones too; answers how many. The next time does what
    this one has no time for."""
    began = now()
    redacted = 0
    for integration in integrations.find_all(deleted_too=True):
        due_ids = takewhile(lambda _: now() < until, orders.find_due(integration.integration_id, began))
        for due in batched(due_ids, READ_AT_ONCE, strict=False):
            for order in orders.get_many(due).values():
                if order.redact_at and order.redact_at <= began:
                    redacted += _redact(orders, order, integration.settings, began)
    return redacted


def _redact(orders: OrderStore, order: Order, settings: Settings, at: datetime) -> bool:
    """Whether it landed; whoever was faster leaves it due for the next time."""
    try:
        orders.save(order, gate.redact(order, settings, at), by="clock", at=at, cause="redaction")
    except LostRace:
        return False
    return True

"""What the clock owes single orders, without Amazon: verdicts that were lost, ends of snoozes, redactions."""

from collections.abc import Callable
from datetime import datetime
from itertools import batched, takewhile
from operator import itemgetter
from typing import NamedTuple

from aws_lambda_powertools import Logger

from needs_attention import gate
from needs_attention.integration_store import Integration
from needs_attention.order import Order
from needs_attention.order_store import VERDICT_OVERDUE, LostRace, OrderStore

READ_AT_ONCE = 100
# More than a run has quota for; a role that is lost may leave tens of thousands waiting.
MOST_TO_ASK_FOR = 300

logger = Logger(child=True)


class Settled(NamedTuple):
    """What remains to be done: the orders that Amazon is to be asked for again, longest due first, the first of them.

    `overdue_verdicts` is how many verdicts had not come and were asked for again.
    """

    to_ask_for: tuple[Order, ...]
    overdue_verdicts: int


def settle_what_is_due(
    orders: OrderStore, integration: Integration, now: Callable[[], datetime], until: datetime
) -> Settled:
    """Overdue verdicts are asked for again, snoozes end, personal data is redacted.

    However many orders wait for Amazon, what is due after them is settled too, as far as the time reaches.
    """
    began = now()
    due_ids = takewhile(lambda _: now() < until, orders.find_due(integration.integration_id, began))
    to_ask_for: list[Order] = []
    overdue = 0
    for due in batched(due_ids, READ_AT_ONCE, strict=False):
        found = orders.get_many(due).values()
        settled = {order.order_id for order in found if _settle(orders, order, integration, began)}
        if settled:
            logger.info("settled due orders", integration=integration.integration_id, orders=len(settled))
        overdue += sum(_is_verdict_overdue(order, began) for order in found if order.order_id in settled)
        waiting = [
            (order.redownload_at, order)
            for order in found
            if order.order_id not in settled and order.redownload_at and order.redownload_at <= began
        ]
        waiting.sort(key=itemgetter(0))
        to_ask_for += [order for _, order in waiting[: MOST_TO_ASK_FOR - len(to_ask_for)]]
    return Settled(tuple(to_ask_for), overdue)


def _settle(orders: OrderStore, order: Order, integration: Integration, now: datetime) -> bool:
    """One thing that is owed to the order; the index shows the next one when the time for it has come."""
    settings = integration.settings
    if order.redact_at and order.redact_at <= now:
        return _save(orders, order, gate.redact(order, settings, now), now, cause="redaction")
    if order.hold and order.hold.until and order.hold.until <= now:
        return _save(orders, order, gate.end_snooze(order, settings, now), now, cause="snoozeEnded")
    if _is_verdict_overdue(order, now):
        return _save(orders, order, order.with_(pending_since=now), now, cause="verdictOverdue")
    return False


def _save(orders: OrderStore, before: Order, after: Order, now: datetime, *, cause: str) -> bool:
    try:
        orders.save(before, after, by="clock", at=now, cause=cause)
    except LostRace:
        return False
    return True


def _is_verdict_overdue(order: Order, now: datetime) -> bool:
    return order.pending_since is not None and order.pending_since + VERDICT_OVERDUE <= now

"""Work that falls due on single orders without Amazon: lost verdicts, ends of snoozes, and judging orders again."""

from collections.abc import Callable
from datetime import datetime
from itertools import batched, takewhile
from operator import itemgetter
from typing import NamedTuple

from aws_lambda_powertools import Logger

from needs_attention.integrations.integration import Integration, Rejudgement
from needs_attention.orders import gate
from needs_attention.orders.order import Order
from needs_attention.orders.verdict import judged
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.order_items import VERDICT_OVERDUE
from needs_attention.tables.orders import OrderStore, Page

READ_AT_ONCE = 100
# More than a run has quota for; a lost role may leave tens of thousands of orders waiting.
MOST_TO_ASK_FOR = 300

logger = Logger(child=True)


class Settled(NamedTuple):
    """What is left to do after the due orders are settled.

    `to_ask_for` are the first of the orders that Amazon should send again, longest due first. `overdue_verdicts` counts
    the verdicts that had not come and were asked for again.
    """

    to_ask_for: tuple[Order, ...]
    overdue_verdicts: int


def settle_what_is_due(
    orders: OrderStore, integration: Integration, now: Callable[[], datetime], until: datetime
) -> Settled:
    """Asks again for overdue verdicts, and ends snoozes.

    Orders that wait for Amazon, however many, do not keep the orders due after them from being settled in time.
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


def go_on_rejudging(
    orders: OrderStore,
    downloads: DownloadStateStore,
    integration: Integration,
    now: Callable[[], datetime],
    until: datetime,
) -> bool:
    """Judges orders by the current settings, if somebody asked for it; answers whether there is more to do.

    An order whose verdict is pending is left to validation. A run that dies repeats a page, which changes nothing.
    """
    integration_id = integration.integration_id
    while (job := downloads.rejudgement(integration_id)) and not job.finished_at:
        if now() >= until:
            return True
        downloads.save_rejudgement(integration_id, _with_next_page_judged(orders, integration, job, now()))
    return False


def _with_next_page_judged(
    orders: OrderStore, integration: Integration, job: Rejudgement, now: datetime
) -> Rejudgement:
    if not job.stages:
        return job.model_copy(update={"finished_at": now})
    page = Page(limit=READ_AT_ONCE, after=job.position)
    found = orders.find_by_stage(integration.integration_id, job.stages[0], page)
    changed = 0
    for order in orders.get_many(one.order_id for one in found.summaries).values():
        after = judged(order, integration.settings, now)
        if not order.is_pending and not after.says_the_same_as(order):
            changed += orders.save_if_unchanged(order, after, by="clock", at=now, cause="settingsChanged")
    return job.model_copy(
        update={
            "stages": job.stages if found.position else job.stages[1:],
            "position": found.position,
            "orders": job.orders + len(found.summaries),
            "changed": job.changed + changed,
        }
    )


def _settle(orders: OrderStore, order: Order, integration: Integration, now: datetime) -> bool:
    """Does one thing that is due on the order. The index shows the next one when its time has come."""
    snooze = order.decisions.hold
    if snooze and snooze.until and snooze.until <= now:
        awake = gate.end_snooze(order, integration.settings, now)
        return orders.save_if_unchanged(order, awake, by="clock", at=now, cause="snoozeEnded")
    if _is_verdict_overdue(order, now):
        asked_again = order.with_(pending_since=now)
        return orders.save_if_unchanged(order, asked_again, by="clock", at=now, cause="verdictOverdue")
    return False


def _is_verdict_overdue(order: Order, now: datetime) -> bool:
    return order.pending_since is not None and order.pending_since + VERDICT_OVERDUE <= now

"""Work that falls due on single orders without Amazon.

These are lost verdicts, ends of snoozes, words about a ship-by, and judging orders again.
"""

from collections.abc import Callable
from datetime import datetime
from itertools import batched, takewhile
from operator import itemgetter
from typing import NamedTuple

from aws_lambda_powertools import Logger

from needs_attention.integrations.integration import Integration, Rejudgement
from needs_attention.integrations.standing import OrderStanding
from needs_attention.integrations.surroundings import Surroundings
from needs_attention.orders import deadline, gate
from needs_attention.orders.order import Order
from needs_attention.orders.summary import Summary
from needs_attention.orders.verdict import judged
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.order_items import VERDICT_OVERDUE, due_without_amazon_at
from needs_attention.tables.orders import LostRace, OrderStore, Page

READ_AT_ONCE = 100
# More than a run has quota for; a lost role may leave tens of thousands of orders waiting.
MOST_TO_ASK_FOR = 300
# A run gives words about ship-bys a second or two, and leaves the rest to the next: downloads come before them.
MOST_LOOKS = 200

logger = Logger(child=True)


class Settled(NamedTuple):
    """What is left to do after the due orders are settled.

    `to_ask_for` are the first of the orders that Amazon should send again, longest due first. `overdue_verdicts` counts
    the verdicts that had not come and were asked for again. Of what was due before `all_before`, nothing is left but
    orders that wait for Amazon; None if more may be left. These owe something else at `owed_at` at the earliest.
    """

    to_ask_for: tuple[Order, ...]
    overdue_verdicts: int
    all_before: datetime | None
    owed_at: datetime | None


def settle_what_is_due(
    orders: OrderStore, surroundings: Surroundings, now: Callable[[], datetime], until: datetime
) -> Settled:
    """Asks again for overdue verdicts, ends snoozes, and tells of orders whose ship-by is near or has passed.

    Orders that wait for Amazon, however many, do not keep the orders due after them from being settled in time.
    """
    began, integration = now(), surroundings.integration
    due_ids = takewhile(lambda _: now() < until, orders.find_due(integration.integration_id, began))
    to_ask_for: list[Order] = []
    overdue = looks = 0
    is_all_settled = True
    owed_at: datetime | None = None
    for due in batched(due_ids, READ_AT_ONCE, strict=False):
        found = orders.get_many(due).values()
        # An order may owe the next thing at once, or somebody else was faster.
        is_all_settled = is_all_settled and not any(_owes_more_than_a_redownload(order, began) for order in found)
        owed_at = min(filter(None, (owed_at, *map(due_without_amazon_at, found))), default=None)
        settled = {order.order_id for order in found if _settle(orders, order, integration, began)}
        if settled:
            logger.info("settled due orders", integration=integration.integration_id, orders=len(settled))
        overdue += sum(_is_verdict_overdue(order, began) for order in found if order.order_id in settled)
        rest = [order for order in found if order.order_id not in settled]
        late = [order for order in rest if _is_look_due(order, began)][: MOST_LOOKS - looks]
        looks += len(late)
        looked = {order.order_id: _watched(orders, order, surroundings, began) for order in late}
        rest = [looked.get(order.order_id, order) for order in rest]
        waiting = [(one.redownload_at, one) for one in rest if one.redownload_at and one.redownload_at <= began]
        waiting.sort(key=itemgetter(0))
        to_ask_for += [order for _, order in waiting[: MOST_TO_ASK_FOR - len(to_ask_for)]]
    is_all_settled = is_all_settled and now() < until
    return Settled(tuple(to_ask_for), overdue, began if is_all_settled else None, owed_at)


def go_on_rejudging(
    orders: OrderStore,
    downloads: DownloadStateStore,
    integration: Integration,
    now: Callable[[], datetime],
    until: datetime,
) -> bool:
    """Judges orders by the current settings, if somebody asked for it; answers whether there is more to do at once.

    Before it begins, no verdict by earlier settings can be on its way any more. So an order without a Stage, which it
    does not find, has yet to get its first verdict, and gets it by the current settings; and whoever changes an order
    faster than it judges by them too. It judges orders whose verdict is pending as validation would. A run that dies
    repeats a page, which changes nothing.
    """
    integration_id = integration.integration_id
    while (job := downloads.rejudgement(integration_id)) and not job.finished_at:
        if now() < job.begins_at:
            return False  # the clock wakes the integration at the next tick
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
        after = judged(order, integration.settings.of(order.amazon.marketplace_id), now)
        if not after.says_the_same_as(order):
            changed += orders.save_if_unchanged(order, after, by="clock", at=now, cause="settingsChanged")
    return job.model_copy(
        update={
            "stages": job.stages if found.position else job.stages[1:],
            "position": found.position,
            "orders": job.orders + len(found.summaries) + len(found.unreadable),
            "changed": job.changed + changed,
        }
    )


def _settle(orders: OrderStore, order: Order, integration: Integration, now: datetime) -> bool:
    """Does one thing that is due on the order. The index shows the next one when its time has come."""
    snooze = order.decisions.hold
    if snooze and snooze.until and snooze.until <= now:
        awake = gate.end_snooze(order, integration.settings.of(order.amazon.marketplace_id), now)
        return orders.save_if_unchanged(order, awake, by="clock", at=now, cause="snoozeEnded")
    if _is_verdict_overdue(order, now):
        asked_again = order.with_(pending_since=now)
        return orders.save_if_unchanged(order, asked_again, by="clock", at=now, cause="verdictOverdue")
    return False


def _owes_more_than_a_redownload(order: Order, now: datetime) -> bool:
    due = due_without_amazon_at(order)
    return order.is_pending or (due is not None and due <= now)


def _is_look_due(order: Order, now: datetime) -> bool:
    look = deadline.next_look(order)
    return look is not None and look <= now


def _watched(orders: OrderStore, order: Order, surroundings: Surroundings, now: datetime) -> Order:
    """The order, once people are told that its ship-by is near or has passed, if it is held or goes nowhere.

    The orders that one incident holds up have that one cause, of which people are told. What became of the orders of a
    deleted integration is not known.
    """
    standing = OrderStanding.of(Summary.of(order), surroundings, now)
    is_known = standing.incident is None and surroundings.integration.deleted_at is None
    if is_known and (order.held or standing.goes_nowhere):
        try:
            return orders.save(order, deadline.told(order, now), by="clock", at=now, cause="shipBy")
        except LostRace:
            return order
    later = deadline.put_off(order, now)
    orders.keep_books(order, later)
    return later


def _is_verdict_overdue(order: Order, now: datetime) -> bool:
    return order.pending_since is not None and order.pending_since + VERDICT_OVERDUE <= now

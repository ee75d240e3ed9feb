"""Removes personal data when its time is over, or when somebody asks for it.

Nothing scans: an index holds the orders with personal data by the time when that must be gone. Two runs at once over
the same integration do no harm: each write has a condition.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from itertools import batched, takewhile

from aws_lambda_powertools import Logger

from needs_attention.integrations.integration import Integration
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.jobs.turns import for_each
from needs_attention.orders import gate
from needs_attention.orders.erasure import Erasure, PageErased
from needs_attention.orders.gate import Refused
from needs_attention.orders.order import TIME_IS_OVER, Order
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.orders import LostRace, OrderStore, Page

# After so many orders of an integration it is the next one's turn: a few seconds.
MOST_REDACTED_AT_ONCE = 500

READ_AT_ONCE = 100

logger = Logger(child=True)


def in_an_order_of(tick: datetime, integration_ids: Iterable[str]) -> list[str]:
    """The IDs in an order that each tick has for itself.

    No integration is always the last one, or always next to one at which runs die.
    """
    return sorted(integration_ids, key=lambda one: blake2b(f"{tick.isoformat()} {one}".encode()).digest())


def remove_personal_data(
    orders: OrderStore,
    downloads: DownloadStateStore,
    integrations: Mapping[str, Integration | None],
    now: Callable[[], datetime],
    until: datetime,
) -> Mapping[str, Exception]:
    """Redacts the orders that are due and erases the buyers that somebody asked for, in these integrations.

    They come by ID; paused and deleted ones count too, and one that cannot be read is None. They take turns, so that no
    backlog keeps another waiting, and one that fails keeps none waiting either. When the time is over, the next tick
    asks for what is left. Answers with the errors of those that failed, by their IDs.
    """

    def leaves_some(integration_id: str) -> bool:
        integration = integrations[integration_id]
        settings = integration.settings if integration else IntegrationSettings()
        is_more_due = redact_what_is_due(orders, integration_id, settings, now, until)
        if integration and integration.merged_from and downloads.merge_under_way(integration_id):
            return is_more_due  # an erasure might be past the place where the merge moves an order to
        return go_on_erasing(orders, downloads, integration_id, settings, now, until=until) or is_more_due

    waiting, failed = tuple(integrations), dict[str, Exception]()
    while waiting and now() < until:
        turns = for_each("redaction", takewhile(lambda _: now() < until, waiting), leaves_some)
        failed |= turns.failed
        waiting = tuple(one for one, is_left in turns.results.items() if is_left)
    return failed


def redact_what_is_due(
    orders: OrderStore,
    integration_id: str,
    settings: IntegrationSettings,
    now: Callable[[], datetime],
    until: datetime,
) -> bool:
    """Removes the personal data of orders whose time is over, longest due first; answers whether there is more.

    An order that cannot be read stays due, and raises an alarm after a day.
    """
    began = now()
    due_ids = (due.order_id for due in orders.find_redactions_due(integration_id, began))
    redacted = 0
    for due in batched(takewhile(lambda _: now() < until, due_ids), READ_AT_ONCE, strict=False):
        found = orders.get_many(due)
        if unreadable := [order_id for order_id in due if order_id not in found]:
            logger.error("cannot be read to be redacted", integration=integration_id, order_ids=unreadable)
        for order in found.values():
            if order.redact_at and order.redact_at <= began:
                bare = gate.redact(order, settings.of(order.amazon.marketplace_id), began)
                redacted += orders.save_if_unchanged(order, bare, by=TIME_IS_OVER.by, at=began, cause="redaction")
            elif order.redact_at:  # the index is a moment behind, or an earlier release wrote the key
                orders.write_redaction_key(order)
        if redacted >= MOST_REDACTED_AT_ONCE:
            break
    if redacted:
        logger.info("redacted orders", integration=integration_id, orders=redacted)
    return redacted >= MOST_REDACTED_AT_ONCE


def go_on_erasing(  # noqa: PLR0913 - both stores, whose orders, and for how long
    orders: OrderStore,
    downloads: DownloadStateStore,
    integration_id: str,
    settings: IntegrationSettings,
    now: Callable[[], datetime],
    *,
    until: datetime,
) -> bool:
    """Takes a page of orders for each erasure that is under way, while there is time; answers whether there is more.

    The oldest come first, so none waits for ever behind many.

    It goes through all orders by their created time, which does not change meanwhile, and reads those that hold
    personal data: no index finds the orders of a buyer. A run that dies repeats a page. If another run was
    faster with the page, that one goes on.
    """
    is_more = False
    for before in takewhile(lambda _: now() < until, downloads.erasures_under_way(integration_id)):
        after = _with_next_page_erased(orders, integration_id, settings, before.erasure, now())
        is_ours = downloads.save_progress(integration_id, before, after)
        is_more = is_more or (is_ours and after.finished_at is None)
    return is_more


def _with_next_page_erased(
    orders: OrderStore, integration_id: str, settings: IntegrationSettings, erasure: Erasure, now: datetime
) -> Erasure:
    page = Page(limit=READ_AT_ONCE, after=erasure.position)
    found = orders.find_by_created(integration_id, page)
    ids = [
        *(
            one.order_id
            for one in found.summaries
            if one.redacted_at is None or one.redacted_at >= erasure.requested_at
        ),
        *found.unreadable,
    ]
    read = orders.get_many(ids)
    concerned = [order for order in read.values() if erasure.concerns(order)]
    are_erased = {order.order_id: _is_erased(orders, settings, order, erasure, now) for order in concerned}
    if any(are_erased.values()):
        logger.info("erased orders", integration=integration_id, erasure=erasure.erasure_id)
    brought = PageErased(
        orders=len(found.summaries) + len(found.unreadable),
        unreadable=[order_id for order_id in ids if order_id not in read],
        erased=[order_id for order_id, is_erased in are_erased.items() if is_erased],
        unsent=[order_id for order_id, is_erased in are_erased.items() if not is_erased],
    )
    return erasure.after_page(brought, found.position, now)


def _is_erased(
    orders: OrderStore, settings: IntegrationSettings, order: Order, erasure: Erasure, now: datetime
) -> bool:
    """Erases the order, and answers whether it is erased now.

    An order that still has to be sent is left as it is, unless the request says otherwise.
    """
    before, own = order, settings.of(order.amazon.marketplace_id)
    while not before.redacted_at:
        try:
            after = gate.erase(before, own, erasure.redaction, even_if_unsent=erasure.even_if_unsent, at=now)
            before = orders.save(before, after, by=erasure.requested_by, at=now, cause="erasure")
        except Refused:
            return False
        except LostRace as race:
            if race.current is None:
                return True
            before = race.current
    return True

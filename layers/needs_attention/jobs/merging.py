"""Moves what a removed integration has to the one that it is merged into: orders, and requests for single orders."""

from collections.abc import Callable
from datetime import datetime
from functools import cache, partial

from aws_lambda_powertools import Logger

from needs_attention.downloads.backdated import BackdatedDownload
from needs_attention.downloads.by_id import Redownload
from needs_attention.integrations.integration import Rejudgement
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.integrations.merge import Merge
from needs_attention.integrations.standing import IntegrationState
from needs_attention.orders.earlier_release import in_the_form_of_now
from needs_attention.orders.order import Order
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.orders import LostRace, OrderStore, Page

READ_AT_ONCE = 100

logger = Logger(child=True)


def go_on_merging(
    orders: OrderStore,
    downloads: DownloadStateStore,
    integration_id: str,
    now: Callable[[], datetime],
    until: datetime,
) -> bool:
    """Moves orders into the integration, if a merge is under way; answers whether there is more to do at once.

    An order moves with its data, decisions and verdict in one write. A run that dies repeats a page, which changes
    nothing. What goes through all orders of the source comes first: it would not find orders that have moved. The
    download of what the source missed comes last: orders that have not moved yet would be set aside.
    """
    existing = cache(partial(_existing, downloads))  # a removed integration stays as it is
    while merge := downloads.merge_under_way(integration_id):
        if now() < merge.begins_at or _is_gone_through(downloads, merge.source):
            return False  # the clock wakes the integration at the next tick
        if now() >= until:
            return True
        if not merge.are_orders_moved:
            settings = existing(merge.source).integration.settings
            after = _with_next_page_moved(orders, downloads, settings, integration_id, merge=merge, now=now())
            downloads.save_merge(integration_id, after)
        elif not downloads.move_requests(merge.source, integration_id):
            if not merge.is_repeated:
                _take_over_downloads(downloads, existing(integration_id), existing(merge.source), merge, now())
            _judge_again_if_asked(downloads, existing(integration_id), merge, now())
            downloads.save_merge(integration_id, merge.model_copy(update={"finished_at": now()}))
            logger.info("merged", integration=integration_id, source=merge.source, orders=merge.orders)
    return False


def _is_gone_through(downloads: DownloadStateStore, source: str) -> bool:
    """Whether an erasure or a rejudgement goes through all orders of the source, page by page."""
    judged_again = downloads.rejudgement(source)
    return bool(downloads.erasures_under_way(source)) or (judged_again is not None and not judged_again.finished_at)


def _existing(downloads: DownloadStateStore, integration_id: str) -> IntegrationState:
    """No integration is ever removed for good, so one that is missing is our fault."""
    state = downloads.state(integration_id)
    if state is None:
        raise LookupError(integration_id)
    return state


def _take_over_downloads(
    downloads: DownloadStateStore, target: IntegrationState, source: IntegrationState, merge: Merge, now: datetime
) -> None:
    """Asks for what the source has missed, and takes over the parts of the past that it was to search again.

    The calls that it made lately count: they were the seller's, too. Notifications are the target's alone from now on.
    """
    integration_id, live = target.integration.integration_id, target.live
    download = BackdatedDownload.requested(
        merge.missed_since, live.walk.pace, by=merge.requested_by, now=now, suffix=merge.source
    )
    waiting = (one for one in downloads.backdated_downloads(integration_id) if not one.is_over)
    if not any(one.is_asked_for_again_by(download) for one in waiting):  # a run that died here has asked for it
        downloads.save_backdated_download(integration_id, download)
    downloads.save_proofs(integration_id, target.proofs.with_parts_of(source.proofs))
    shared = {
        "search_bucket": live.search_bucket.shared_with(source.live.search_bucket, now),
        "get_bucket": live.get_bucket.shared_with(source.live.get_bucket, now),
    }
    downloads.save_live_download(integration_id, live.model_copy(update=shared))
    if subscription_id := source.live.subscription.subscription_id:  # Amazon did not end it when the source was removed
        downloads.forget_subscription(subscription_id, merge.source)


def _judge_again_if_asked(downloads: DownloadStateStore, target: IntegrationState, merge: Merge, now: datetime) -> None:
    """Starts a rejudgement over that was under way meanwhile: orders may have moved to places that it had passed."""
    asked = target.rejudgement
    if asked and asked.was_under_way(merge.requested_at):
        again = Rejudgement.of_every_stage(target.surroundings.stages, by=asked.requested_by, at=now)
        downloads.begin_rejudgement(target.integration.integration_id, again)


def _with_next_page_moved(  # noqa: PLR0913 - both stores, and what is moved from where to where
    orders: OrderStore,
    downloads: DownloadStateStore,
    settings: IntegrationSettings,
    integration_id: str,
    *,
    merge: Merge,
    now: datetime,
) -> Merge:
    """`settings` are those of the source."""
    found = orders.find_by_created(merge.source, Page(limit=READ_AT_ONCE, after=merge.position))
    ids = [*(one.order_id for one in found.summaries), *found.unreadable]
    read = orders.get_many(ids)
    unreadable = tuple(order_id for order_id in ids if order_id not in read)
    if unreadable:
        logger.error("cannot be read to be moved", integration=merge.source, order_ids=unreadable)

    def into(order: Order) -> Order:
        # A decision of an earlier release is told from the defaults of its time, so it is read before the order moves.
        own = in_the_form_of_now(order, settings.of(order.amazon.marketplace_id))
        return own.with_(integration=integration_id)

    if merge.is_repeated:  # before they move: a run that dies in between would not find them again
        for order_id in read:
            downloads.want_redownload(integration_id, Redownload(order_id=order_id, cause="requested", wanted_at=now))
    moved = sum(_is_moved(orders, order, into, merge, now) for order in read.values())
    return merge.after_page(moved, unreadable, found.position)


def _is_moved(orders: OrderStore, order: Order, into: Callable[[Order], Order], merge: Merge, now: datetime) -> bool:
    """Moves the order, however often somebody else is faster. False if it has moved already."""
    current: Order | None = order
    while current and current.integration == merge.source:
        try:
            orders.save(current, into(current), by=merge.requested_by, at=now, cause="merge")
        except LostRace as race:
            current = race.current
        else:
            return True
    return False

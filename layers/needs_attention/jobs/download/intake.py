"""Takes in Amazon's answers: writes the orders that are new or changed, and sets aside those that cannot be kept."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import NamedTuple

from aws_lambda_powertools import Logger

from needs_attention.amazon.order_json import read_order
from needs_attention.downloads.backdated import Counts
from needs_attention.downloads.by_id import SetAside
from needs_attention.integrations.integration import Integration
from needs_attention.orders.amazon_order import AmazonOrder, UnreadableOrder
from needs_attention.orders.amazon_update import downloaded
from needs_attention.orders.changes import ChangedBy
from needs_attention.orders.order import Order
from needs_attention.orders.verdict import judged, next_redownload
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.orders import LostRace, OrderStore, SpoiltItem

logger = Logger(child=True)


class Written(NamedTuple):
    """An order that was new or changed: as it was stored before, as it is now, and as Amazon sent it."""

    before: Order | None
    after: Order
    amazon: AmazonOrder

    @property
    def was_missed(self) -> bool:
        """Whether we lacked a version that Amazon had. A newly granted role sends more fields, but no new version."""
        return self.before is None or self.before.amazon.updated_at < self.amazon.updated_at


class Taken(NamedTuple):
    """The orders of one answer. `versions` are all that could be read, by ID, with the time of their last update."""

    counts: Counts
    written: tuple[Written, ...]
    versions: Mapping[str, datetime]


class Intake:
    """Stores the orders of Amazon's answers."""

    def __init__(self, orders: OrderStore, downloads: DownloadStateStore) -> None:
        self._orders = orders
        self._downloads = downloads

    def take(
        self,
        integration: Integration,
        raw_orders: Iterable[object],
        *,
        cause: str,
        request_id: str | None,
        now: datetime,
    ) -> Taken:
        """Writes the orders that are new or changed; one that cannot be kept is set aside where people find it."""
        readable, aside = _read(raw_orders, request_id, now)
        stored = self._orders.get_many(readable)
        by_amazon: ChangedBy = {"by": "amazon", "at": now, "cause": cause, "request_id": request_id}
        written: list[Written] = []
        unchanged = 0
        for order_id, versions in readable.items():
            try:
                outcome = self._take_one(integration, stored.get(order_id), versions, by_amazon)
            except UnreadableOrder as error:
                aside.append(_set_aside(error, order_id, now, request_id))
            except SpoiltItem:
                spoilt = UnreadableOrder(order_id, "what is stored under its ID cannot be read")
                aside.append(_set_aside(spoilt, order_id, now, request_id))
            else:
                unchanged += outcome is None
                written += [outcome] if outcome else []
        self._note_set_aside(integration, aside, kept=readable.keys() - {order.order_id for order in aside})
        if aside:
            logger.warning("orders set aside", integration=integration.integration_id, orders=len(aside))
        counts = Counts(orders=len(written) + unchanged + len(aside), unchanged=unchanged, set_aside=len(aside))
        return Taken(
            counts=sum((_counted(one, integration, now) for one in written), counts),
            written=tuple(written),
            versions={order_id: versions[-1].updated_at for order_id, versions in readable.items()},
        )

    def _note_set_aside(self, integration: Integration, aside: list[SetAside], kept: Set[str]) -> None:
        """Updates the list of orders that could not be kept: an order that is kept at last leaves it."""
        before = {order.order_id: order for order in self._downloads.all_set_aside(integration.integration_id)}
        for order_id in before.keys() & kept:
            self._downloads.forget_set_aside(integration.integration_id, order_id)
        new = [order for order in aside if order.order_id not in before]
        self._downloads.set_aside(integration.integration_id, new)

    def _take_one(
        self, integration: Integration, before: Order | None, versions: Sequence[AmazonOrder], by_amazon: ChangedBy
    ) -> Written | None:
        if before is None and not _is_wanted(versions[-1], integration):
            return None
        while True:
            after = before
            for amazon in versions:
                settings = integration.settings.of(_marketplace_of(amazon, after))
                newer = downloaded(after, amazon, integration.integration_id, settings, by_amazon["at"])
                after = newer or after
            if after is None or after is before:
                return None
            if by_amazon["cause"] == "redownload":
                after = after.with_(redownload_at=next_redownload(after, by_amazon["at"]))
            try:
                landed = self._orders.save(before, after, **by_amazon)
            except LostRace as race:
                before = race.current
                continue
            return Written(before, landed, versions[-1])


def _read(
    raw_orders: Iterable[object], request_id: str | None, now: datetime
) -> tuple[dict[str, list[AmazonOrder]], list[SetAside]]:
    """The versions of each order that can be read, by ID, and the orders that cannot be read.

    An order that is there twice is taken in as two downloads of it would be, the older version first.
    """
    readable: dict[str, list[AmazonOrder]] = {}
    aside: list[SetAside] = []
    for raw in raw_orders:
        try:
            amazon = read_order(raw)
        except UnreadableOrder as error:
            aside.append(_set_aside(error, raw, now, request_id))
        else:
            readable.setdefault(amazon.order_id, []).append(amazon)
    for copies in readable.values():
        copies.sort(key=lambda copy: copy.updated_at)
    return readable, aside


def _is_wanted(amazon: AmazonOrder, integration: Integration) -> bool:
    """Whether the integration takes an order that is not stored yet.

    A search lists orders of the integration's marketplaces, but by ID Amazon sends any order of the seller in the
    region. An order that does not say where it was sold is taken.
    """
    is_ours = amazon.marketplace_id is None or amazon.marketplace_id in integration.marketplace_ids
    return is_ours and (integration.settings.download_pending_orders or not amazon.is_pending)


def _marketplace_of(amazon: AmazonOrder, known: Order | None) -> str | None:
    """The marketplace of the order once Amazon's answer is merged: an answer that lacks it does not erase it."""
    return amazon.marketplace_id or (known.amazon.marketplace_id if known else None)


def _counted(written: Written, integration: Integration, now: datetime) -> Counts:
    """Counts one order by its coming verdict, which is a pure function of the order as it was just written."""
    settings = integration.settings.of(written.after.amazon.marketplace_id)
    before, after = written.before, judged(written.after, settings, now)
    was_held, is_held = before is not None and before.is_held, after.is_held
    lacks_less = before is not None and len(after.open_missing) < len(before.open_missing)
    return Counts(
        new=before is None,
        changed=before is not None,
        held=is_held and not was_held,
        healed=was_held and not is_held and after.has_a_future,
        partly_filled=was_held and is_held and lacks_less,
    )


def _set_aside(error: UnreadableOrder, raw: object, now: datetime, request_id: str | None) -> SetAside:
    """Without an order ID, a fingerprint tells the order from others, and recognises it when it comes again."""
    fingerprint = hashlib.blake2b(repr(raw).encode(), digest_size=6).hexdigest()
    aside = SetAside(
        order_id=error.order_id or f"unknown-{fingerprint}",
        reason=error.reason,
        first_seen_at=now,
        request_id=request_id,
    )
    return aside.tried_again(now) if error.order_id else aside

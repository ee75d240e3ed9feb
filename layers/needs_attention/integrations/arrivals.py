"""The latest orders of each marketplace, and the fields that they lack: they tell whether the connection is at fault.

Amazon silently leaves out the fields for which an application has no role, and in an outage whole datasets; only the
orders show it.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Container, Iterable, Mapping, Set
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Literal

from pydantic import Field

from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.orders.amazon_order import AmazonOrder
from needs_attention.orders.checks import CHECK_OF, CHECKS
from needs_attention.orders.completeness import find_missing
from needs_attention.orders.edits import FULFILLMENT_UNKNOWN, Edits
from needs_attention.orders.settings import Checks, Settings
from needs_attention.values.model import Value
from needs_attention.values.times import UtcTime

# If most of the latest orders of a marketplace lack a field, the connection is at fault, and not the orders.
LATEST = 50
FEWEST_FOR_AN_INCIDENT = 10
# After so long without orders, nothing is known about a marketplace any more.
SILENT_AFTER = timedelta(days=7)
# This many orders in a row that have the field again end the incident.
FEWEST_TO_END_IT = 3


class Arrival(Value):
    """One of the latest orders: a fingerprint of its ID, when it came, and the fields that Amazon's data lacked.

    `is_to_send`: Amazon calls it merchant-fulfilled and unshipped. Of any other order Amazon may leave out personal
    data, so it only tells whether its fulfillment is known: its status and its channel.
    """

    order: str
    at: UtcTime
    lacks: tuple[str, ...] = ()
    is_to_send: bool = True  # as is every order that the release before noted

    @property
    def counts(self) -> bool:
        """Whether it may be an order to send, as far as Amazon says."""
        return self.is_to_send or bool(self.lacks)

    def tells_of(self, field: str) -> bool:
        return self.is_to_send or field == FULFILLMENT_UNKNOWN

    def having(self, fields: Set[str]) -> "Arrival":
        """The same, and these fields are not lacking."""
        return self.model_copy(update={"lacks": tuple(field for field in self.lacks if field not in fields)})


class Arrivals(Value):
    """The latest orders of each marketplace that are to be sent, or of which Amazon does not say whether they are.

    While some are of unknown fulfillment, the last few others are among them: they show when it is known again.
    """

    by_marketplace: dict[str, tuple[Arrival, ...]] = Field(default_factory=dict)

    def with_orders(self, orders: Iterable[AmazonOrder], settings: IntegrationSettings, now: datetime) -> "Arrivals":
        """With these orders, the newest last. An order that comes again counts with its present data."""
        latest = dict(self.by_marketplace)
        for order in orders:
            arrival = _arrival(order, settings.of(order.marketplace_id), now)
            known = latest.get(order.marketplace_id or "", ())
            if arrival and (arrival.counts or any(FULFILLMENT_UNKNOWN in one.lacks for one in known)):
                latest[order.marketplace_id or ""] = _with_newest(known, arrival)
        return Arrivals(by_marketplace=latest)

    def recent(self, now: datetime) -> "Arrivals":
        """Without marketplaces that have been silent for so long that their last orders say nothing about today."""
        is_silent = {key: latest[-1].at + SILENT_AFTER < now for key, latest in self.by_marketplace.items()}
        return Arrivals(by_marketplace={key: one for key, one in self.by_marketplace.items() if not is_silent[key]})

    def once_back(self, back: Mapping[str, Set[str]], gone: Container[str]) -> "Arrivals":
        """Once these fields are back, by marketplace: the orders that opened an incident must not open it again.

        They are forgotten, except in the marketplaces where other fields are still `gone`.
        """
        kept = {key: latest for key, latest in self.by_marketplace.items() if key in gone or not back.get(key)}
        return Arrivals(
            by_marketplace={
                key: tuple(arrival.having(back.get(key, frozenset())) for arrival in latest)
                for key, latest in kept.items()
            }
        )


def vanished_fields(
    arrivals: Arrivals, known: Mapping[str, tuple[str, ...]], filled: Mapping[str, Set[str]]
) -> dict[str, tuple[str, ...]]:
    """By marketplace, the fields that most of its latest orders lack.

    A vanished field is back when the last few orders have it, or when Amazon has filled a gap with it.
    """
    found = {
        marketplace_id: _vanished(latest, known.get(marketplace_id, ()), filled.get(marketplace_id, set()))
        for marketplace_id, latest in arrivals.by_marketplace.items()
    }
    return {marketplace_id: fields for marketplace_id, fields in found.items() if fields}


def filled_gaps(
    versions: Iterable[tuple[AmazonOrder, AmazonOrder]], settings: IntegrationSettings
) -> dict[str, frozenset[str]]:
    """By marketplace, the fields that Amazon has now sent for orders that lacked them before."""
    filled: dict[str, frozenset[str]] = {}
    for before, after in versions:
        marketplace_id = after.marketplace_id or ""
        fields = _filled(before, after, settings.of(after.marketplace_id))
        filled[marketplace_id] = filled.get(marketplace_id, frozenset()) | fields
    return filled


def _filled(before: AmazonOrder, after: AmazonOrder, settings: Settings) -> frozenset[str]:
    fields = frozenset[str]()
    if not after.is_fulfilled_by_amazon:  # such an order lacks no personal data, and has none
        fields = frozenset(_lacking(before, settings)) - frozenset(_lacking(after, settings))
    is_known_now = after.has_known_fulfillment and not before.has_known_fulfillment
    return fields | {FULFILLMENT_UNKNOWN} if is_known_now else fields


def evidence_of(fields: Mapping[str, tuple[str, ...]], arrivals: Arrivals) -> str:
    """The evidence for people: how many of the latest orders lack each field."""
    sentences = []
    for marketplace_id, vanished in sorted(fields.items()):
        latest = _counted(arrivals, marketplace_id)
        lacking = Counter(field for arrival in latest for field in arrival.lacks)
        counted = ", ".join(f"{field} on {lacking[field]}" for field in vanished)
        sentences.append(
            f"Of the latest {len(latest)} orders of {marketplace_id or 'no marketplace'}, missing: {counted}."
        )
    return " ".join(sentences)


def _vanished(latest: tuple[Arrival, ...], known: Collection[str], filled: Set[str]) -> tuple[str, ...]:
    lacking = {field for arrival in latest for field in arrival.lacks}
    return tuple(
        field
        for field in sorted(lacking.union(known) - filled)
        if not _is_back(field, latest) and (field in known or _is_gone(field, latest))
    )


def _is_gone(field: str, latest: tuple[Arrival, ...]) -> bool:
    telling = [arrival for arrival in latest if arrival.counts and arrival.tells_of(field)]
    lacking = sum(field in arrival.lacks for arrival in telling)
    return len(telling) >= FEWEST_FOR_AN_INCIDENT and lacking * 2 > len(telling)


def _is_back(field: str, latest: tuple[Arrival, ...]) -> bool:
    newest = [arrival for arrival in latest if arrival.tells_of(field)][-FEWEST_TO_END_IT:]
    return len(newest) == FEWEST_TO_END_IT and not any(field in arrival.lacks for arrival in newest)


def _arrival(order: AmazonOrder, settings: Settings, now: datetime) -> Arrival | None:
    """What the order tells; None if its status or its channel is unknown, and yet it is not one to send."""
    lacks: tuple[str, ...] = ()
    is_to_send = False
    if order.has_known_fulfillment:
        is_to_send = order.fulfillment_status == "UNSHIPPED" and not order.is_fulfilled_by_amazon
        lacks = _lacking(order, settings) if is_to_send else ()
    elif order.is_shipped or order.is_cancelled or order.is_pending or order.is_fulfilled_by_amazon:
        return None
    else:
        lacks = (FULFILLMENT_UNKNOWN,)
    return Arrival(order=_fingerprint(order.order_id), at=now, lacks=lacks, is_to_send=is_to_send)


def _with_newest(known: tuple[Arrival, ...], newest: Arrival) -> tuple[Arrival, ...]:
    """The arrivals with one more. What an order told while it was to be sent stays, once it is sent."""
    others = [one for one in known if one.order != newest.order or (one.is_to_send and not newest.counts)]
    numbered = list(enumerate((*others, newest)))
    counted = [one for one in numbered if one[1].counts][-LATEST:]
    rest = [one for one in numbered if not one[1].counts][-FEWEST_TO_END_IT:]
    return tuple(arrival for _, arrival in sorted(counted + rest, key=itemgetter(0)))


def _counted(arrivals: Arrivals, marketplace_id: str) -> tuple[Arrival, ...]:
    return tuple(arrival for arrival in arrivals.by_marketplace.get(marketplace_id, ()) if arrival.counts)


def _lacking(order: AmazonOrder, settings: Settings) -> tuple[str, ...]:
    """The fields that Amazon normally sends and this order lacks. A name of one word is there."""
    missing = (item for item in find_missing(order, Edits(), settings) if item.reason in {"blank", "incomplete"})
    return tuple(item.field for item in missing if CHECK_OF[item.field].amazon_sends_it)


def _fingerprint(order_id: str) -> str:
    return hashlib.blake2b(order_id.encode(), digest_size=4).hexdigest()


class MarketplaceArrivals(Value):
    """The fields that Amazon's data lacks in a marketplace's latest merchant-fulfilled, unshipped orders.

    `lacking` counts by field, for fields whose check is on. Orders of which Amazon does not say whether they are to be
    sent are among them, and count as lacking `fulfillmentUnknown` only. `shipping_role` tells whether the others show
    that Direct-to-Consumer Shipping is granted: email and street come with that role only (Amazon's "Access Orders
    PII").
    """

    marketplace_id: str
    orders: int
    latest_at: UtcTime | None = None
    lacking: dict[str, int]
    shipping_role: Literal["granted", "notSeen", "unknown"]


def arriving(
    arrivals: Arrivals, marketplace_ids: Iterable[str], settings: IntegrationSettings
) -> list[MarketplaceArrivals]:
    """The summary of each marketplace's latest orders."""
    return [_of_marketplace(arrivals, one, settings.of(one).checks) for one in marketplace_ids]


def _of_marketplace(arrivals: Arrivals, marketplace_id: str, checks: Checks) -> MarketplaceArrivals:
    telling = [check.field for check in CHECKS if check.comes_with_shipping_role and check.is_on(checks)]
    latest = _counted(arrivals, marketplace_id)
    to_send = [arrival for arrival in latest if arrival.is_to_send]
    lacking = Counter(field for arrival in latest for field in arrival.lacks)
    has_come = any(field not in arrival.lacks for arrival in to_send for field in telling)
    return MarketplaceArrivals(
        marketplace_id=marketplace_id,
        orders=len(latest),
        latest_at=latest[-1].at if latest else None,
        lacking=dict(sorted(lacking.items())),
        shipping_role="granted" if has_come else "notSeen" if to_send and telling else "unknown",
    )

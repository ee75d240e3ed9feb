"""The latest orders of each marketplace, and the fields that they lack: they tell whether a role is missing.

Amazon silently leaves out the fields for which an application has no role; only the orders show it.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Container, Iterable, Mapping, Set
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from needs_attention.orders.amazon_order import AmazonOrder
from needs_attention.orders.checks import CHECK_OF, CHECKS
from needs_attention.orders.completeness import find_missing
from needs_attention.orders.edits import Edits
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
    """One of the latest orders: a fingerprint of its ID, when it came, and the fields that Amazon's data lacked."""

    order: str
    at: UtcTime
    lacks: tuple[str, ...] = ()

    def having(self, fields: Set[str]) -> "Arrival":
        """The same, and these fields are not lacking."""
        return self.model_copy(update={"lacks": tuple(field for field in self.lacks if field not in fields)})


class Arrivals(Value):
    """The latest merchant-fulfilled, unshipped orders of each marketplace: Amazon gives personal data for these."""

    by_marketplace: dict[str, tuple[Arrival, ...]] = Field(default_factory=dict)

    def with_orders(self, orders: Iterable[AmazonOrder], settings: Settings, now: datetime) -> "Arrivals":
        """With these orders, the newest last. An order that comes again counts with its present data."""
        latest = dict(self.by_marketplace)
        for order in orders:
            if order.is_fulfilled_by_amazon or order.fulfillment_status != "UNSHIPPED":
                continue
            arrival = Arrival(order=_fingerprint(order.order_id), at=now, lacks=_lacking(order, settings))
            others = (one for one in latest.get(order.marketplace_id or "", ()) if one.order != arrival.order)
            latest[order.marketplace_id or ""] = (*others, arrival)[-LATEST:]
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


def filled_gaps(versions: Iterable[tuple[AmazonOrder, AmazonOrder]], settings: Settings) -> dict[str, frozenset[str]]:
    """By marketplace, the fields that Amazon has now sent for orders that lacked them before."""
    filled: dict[str, frozenset[str]] = {}
    for before, after in versions:
        marketplace_id = after.marketplace_id or ""
        fields = frozenset(_lacking(before, settings)) - frozenset(_lacking(after, settings))
        filled[marketplace_id] = filled.get(marketplace_id, frozenset()) | fields
    return filled


def evidence_of(fields: Mapping[str, tuple[str, ...]], arrivals: Arrivals) -> str:
    """The evidence for people: how many of the latest orders lack each field."""
    sentences = []
    for marketplace_id, vanished in sorted(fields.items()):
        latest = arrivals.by_marketplace.get(marketplace_id, ())
        lacking = Counter(field for arrival in latest for field in arrival.lacks)
        counted = ", ".join(f"{field} on {lacking[field]}" for field in vanished)
        sentences.append(
            f"Of the latest {len(latest)} orders of {marketplace_id or 'no marketplace'}, missing: {counted}."
        )
    return " ".join(sentences)


def _vanished(latest: tuple[Arrival, ...], known: Iterable[str], filled: Set[str]) -> tuple[str, ...]:
    lacking = Counter(field for arrival in latest for field in arrival.lacks)
    mostly = {
        field for field, count in lacking.items() if len(latest) >= FEWEST_FOR_AN_INCIDENT and count * 2 > len(latest)
    }
    newest = latest[-FEWEST_TO_END_IT:]
    present = {
        field
        for field in mostly.union(known)
        if len(newest) == FEWEST_TO_END_IT and not any(field in arrival.lacks for arrival in newest)
    }
    return tuple(sorted(mostly.union(known) - present - filled))


def _lacking(order: AmazonOrder, settings: Settings) -> tuple[str, ...]:
    """The fields that Amazon normally sends and this order lacks. A name of one word is there."""
    missing = (item for item in find_missing(order, Edits(), settings) if item.reason in {"blank", "incomplete"})
    return tuple(item.field for item in missing if CHECK_OF[item.field].amazon_sends_it)


def _fingerprint(order_id: str) -> str:
    return hashlib.blake2b(order_id.encode(), digest_size=4).hexdigest()


class MarketplaceArrivals(Value):
    """The fields that Amazon's data lacks in a marketplace's latest merchant-fulfilled, unshipped orders.

    `lacking` counts by field, for fields whose check is on. `shipping_role` tells whether these orders show that
    Direct-to-Consumer Shipping is granted: email and street come with that role only (Amazon's "Access Orders PII").
    """

    marketplace_id: str
    orders: int
    latest_at: UtcTime | None = None
    lacking: dict[str, int]
    shipping_role: Literal["granted", "notSeen", "unknown"]


def arriving(arrivals: Arrivals, marketplace_ids: Iterable[str], checks: Checks) -> list[MarketplaceArrivals]:
    """The summary of each marketplace's latest orders."""
    telling = [check.field for check in CHECKS if check.comes_with_shipping_role and check.is_on(checks)]
    return [_of_marketplace(arrivals, marketplace_id, telling) for marketplace_id in marketplace_ids]


def _of_marketplace(arrivals: Arrivals, marketplace_id: str, telling: Collection[str]) -> MarketplaceArrivals:
    latest = arrivals.by_marketplace.get(marketplace_id, ())
    lacking = Counter(field for arrival in latest for field in arrival.lacks)
    has_come = any(lacking[field] < len(latest) for field in telling)
    return MarketplaceArrivals(
        marketplace_id=marketplace_id,
        orders=len(latest),
        latest_at=latest[-1].at if latest else None,
        lacking=dict(sorted(lacking.items())),
        shipping_role="granted" if has_come else "notSeen" if latest and telling else "unknown",
    )

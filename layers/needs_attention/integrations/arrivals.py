"""What really arrives through an integration's connection, and the dates on which it will end. Pure rules, no calls.

Amazon leaves out what a role is lacking for, and says nothing of it; only the orders tell.
"""


from collections import Counter
from collections.abc import Collection
from collections.abc import Iterable
from typing import Literal
from needs_attention.integrations.latest_orders import Arrivals
from needs_attention.orders.settings import Checks
from needs_attention.values.model import Value
from needs_attention.values.times import UtcTime


class MarketplaceArrivals(Value):
    """What Amazon's data of a marketplace's latest merchant-fulfilled, unshipped orders lacked.

    `lacking` counts by field, for fields whose check is on. `shipping_role`: whether Direct-to-Consumer Shipping is
    granted, as far as these orders tell: e-mail and street come with that role only (Amazon's "Access Orders PII").
    """

    marketplace_id: str
    orders: int
    latest_at: UtcTime | None = None
    lacking: dict[str, int]
    shipping_role: Literal["granted", "notSeen", "unknown"]


def arriving(arrivals: Arrivals, marketplace_ids: Iterable[str], checks: Checks) -> list[MarketplaceArrivals]:
    """By marketplace, what its latest orders tell."""
    on = {"email": checks.email, "deliveryAddress": checks.delivery_address}
    telling = [field for field, is_checked in on.items() if is_checked]
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


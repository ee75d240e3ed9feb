"""Reads the answers of `searchOrders` and `getOrder`. The orders in them stay as they came."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from needs_attention.amazon.transport import HttpAnswer

# Amazon's model allows 100 on a page.
_MOST_ORDERS: Final = 1_000


@dataclass(frozen=True)
class SearchPage:
    """One answer of `searchOrders`.

    `orders` are Amazon's entries as they came, unchecked: JSON objects, unless one of them is broken.
    `next_token` is None on the last page. `last_updated_before` is the upper bound that Amazon says it really used
    (aware). `rate_limit` is requests a second, if Amazon said so.
    """

    orders: tuple[Any, ...] = field(repr=False)
    next_token: str | None = field(repr=False)
    last_updated_before: datetime | None
    rate_limit: float | None
    request_id: str | None


@dataclass(frozen=True)
class FetchedOrder:
    """One answer of `getOrder`: Amazon's JSON object as it came, and the rate limit as in `SearchPage`."""

    order: dict[str, Any] = field(repr=False)
    rate_limit: float | None
    request_id: str | None


def read_page(answer: HttpAnswer) -> SearchPage:
    """The page of a successful answer. Raises UnreadableAnswer."""
    document = answer.json_object() or {}
    orders = document.get("orders")
    if not isinstance(orders, list):
        raise answer.unreadable("searchOrders", "no JSON with a list of orders")
    if len(orders) > _MOST_ORDERS:
        raise answer.unreadable("searchOrders", "more orders than a page can have")
    return SearchPage(
        orders=tuple(orders),
        next_token=_next_token(answer, document.get("pagination")),
        last_updated_before=_upper_bound(answer, document.get("lastUpdatedBefore")),
        rate_limit=answer.rate_limit,
        request_id=answer.request_id,
    )


def read_fetched_order(answer: HttpAnswer, order_id: str) -> FetchedOrder:
    """The order of a successful answer. Raises UnreadableAnswer, also for another order than the one asked for."""
    order = (answer.json_object() or {}).get("order")
    # Another order's data under this ID would be a person's data in the wrong place.
    if not isinstance(order, dict) or order.get("orderId") != order_id:
        raise answer.unreadable("getOrder", "no JSON with the order that was asked for")
    return FetchedOrder(order=order, rate_limit=answer.rate_limit, request_id=answer.request_id)


def _next_token(answer: HttpAnswer, pagination: object) -> str | None:
    """Fails closed: a page must never look like the last one because its token could not be read."""
    if pagination is None:
        return None
    if not isinstance(pagination, dict) or not isinstance(token := pagination.get("nextToken"), str | None):
        raise answer.unreadable("searchOrders", "a pagination that is not as in the model")
    return token or None


def _upper_bound(answer: HttpAnswer, stated: object) -> datetime | None:
    """Fails closed: the cursor must not move past what Amazon searched because its bound could not be read."""
    if stated is None:
        return None
    try:
        bound = datetime.fromisoformat(stated) if isinstance(stated, str) else None
    except ValueError:
        bound = None
    if bound is None or bound.tzinfo is None:
        raise answer.unreadable("searchOrders", "a lastUpdatedBefore that is no time with a zone")
    return bound

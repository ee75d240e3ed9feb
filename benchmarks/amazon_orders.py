"""The orders that downloads and their cost are measured with, and how `searchOrders` answers with them."""

import copy
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice

from tools.amazon_stand_in.generator import SPREAD, Hole, generated
from tools.amazon_stand_in.ledger import Entry, Json, amazon_time

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
# About 15 in 100 orders lack something, mostly the email.
SHARES = dict.fromkeys(Hole, 0.004) | {Hole.EMAIL_ABSENT: 0.15}


def entries(number: int, spread: timedelta = SPREAD) -> list[Entry]:
    """As Amazon has them first: nothing has been sent. The n-th is the same for every number.

    They were updated in the time of that length before `NOW`, the last ones ten minutes before.
    """
    every = generated(2 * number + 100, now=NOW, shares=SHARES, spread=spread)
    return list(islice((entry for entry in every if entry.fulfillment_status == "UNSHIPPED"), number))


def new_orders(number: int) -> list[Json]:
    return [entry.order for entry in entries(number)]


def shipped(order: Json) -> Json:
    """The same order an hour later, sent."""
    later = touched(order)
    later["fulfillment"]["fulfillmentStatus"] = "SHIPPED"
    for item in later["orderItems"]:
        item["fulfillment"] |= {"quantityFulfilled": item["quantityOrdered"], "quantityUnfulfilled": 0}
    return later


def touched(order: Json) -> Json:
    """The same order an hour later, which Amazon calls changed without showing any change."""
    at = datetime.fromisoformat(order["lastUpdatedTime"]) + timedelta(hours=1)
    return copy.deepcopy(order) | {"lastUpdatedTime": amazon_time(at)}


def answer(orders: Iterable[Json]) -> bytes:
    """The body of an answer that tells them."""
    return as_sent({"orders": list(orders), "lastUpdatedBefore": amazon_time(NOW)})


def as_sent(told: Json) -> bytes:
    """JSON without blanks."""
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()

"""The word when time runs out: people hear of an order that still waits here a day before its ship-by, and after it.

The clock owes that word, because an order that waits for somebody changes nothing by itself.
"""

from datetime import datetime, timedelta

from needs_attention.orders.order import DeadlineWatch, Order
from needs_attention.orders.urgency import AT_RISK, ship_by_state

# While people need no word (the connection is at fault, hand-overs are frozen), the clock looks again: in an hour at
# first, then less and less often, but every day.
SOONEST, LATEST = timedelta(hours=1), timedelta(days=1)


def next_look(order: Order) -> datetime | None:
    """When the clock looks whether people need a word about the order; None for an order that waits for nobody here.

    A pending order gets its verdict first. A hold that begins after the last look is not put off.
    """
    watch = _watch(order)
    if watch is None or watch.told == "overdue" or order.is_pending or not _waits_here(order):
        return None
    at = watch.ship_by if watch.told == "atRisk" else watch.ship_by - AT_RISK
    if watch.look_again_at is None or watch.was_held != order.is_held:
        return at
    return max(at, watch.look_again_at)


def told(order: Order, now: datetime) -> Order:
    """The order, once people are told of its ship-by: that it is near, or that it has passed."""
    watch = _watch(order)
    return order.with_(deadline=watch and DeadlineWatch(ship_by=watch.ship_by, told=ship_by_state(watch.ship_by, now)))


def put_off(order: Order, now: datetime) -> Order:
    """The order, with the time when the clock looks again.

    An order that is let go waits for its ship-by: until then it may still leave as it is meant to.
    """
    watch = _watch(order)
    if watch is None:
        return order
    is_in_time = now < watch.ship_by and not order.is_held
    again_at = watch.ship_by if is_in_time else now + min(max(now - watch.ship_by, SOONEST), LATEST)
    return order.with_(deadline=watch.model_copy(update={"look_again_at": again_at, "was_held": order.is_held}))


def _watch(order: Order) -> DeadlineWatch | None:
    """The watch over the ship-by; None if Amazon names none. Amazon may move it, which begins a new watch."""
    ship_by, known = order.amazon.ship_by, order.deadline
    if ship_by is None:
        return None
    return known if known and known.ship_by == ship_by else DeadlineWatch(ship_by=ship_by)


def _waits_here(order: Order) -> bool:
    return order.is_unsent and order.has_a_future and not (order.amazon.is_pending or order.is_fulfillable)

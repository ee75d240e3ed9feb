"""The word when time runs out: when the clock looks at an order, and what it has told."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from needs_attention.orders import deadline
from needs_attention.orders.changes import happened
from needs_attention.orders.order import Order
from needs_attention.orders.settings import Settings, ThreePlStatus
from needs_attention.orders.verdict import judged
from tools.builders import NOON, a_held_order, a_judged_order, an_amazon_order, an_fba_order, an_order, by_hand, decided

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SHIP_BY = NOON + 10 * DAY
NEAR = SHIP_BY - DAY
BY_HAND = Settings(default_three_pl_status=ThreePlStatus.DO_NOT_TRANSFER)
TO_THE_3PL = Settings(default_three_pl_status=ThreePlStatus.NOW)


def amazons(**facts: Any) -> Any:
    return an_amazon_order(ship_by=SHIP_BY, **facts)


def held(**facts: Any) -> Order:
    return judged(an_order(amazons(buyer_email=None, **facts)), Settings(), NOON)


def events(before: Order, after: Order) -> tuple[str, ...]:
    return happened(before, after, by_a_person=False)


def test_a_held_order_is_looked_at_a_day_before_its_ship_by() -> None:
    assert deadline.next_look(held()) == NEAR


def test_an_order_that_waits_for_a_persons_dispatch_is_looked_at_too() -> None:
    assert deadline.next_look(judged(an_order(amazons()), BY_HAND, NOON)) == NEAR


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(a_held_order().with_(amazon=an_amazon_order(ship_by=None)), id="without ship-by"),
        pytest.param(an_order(amazons()), id="pending"),
        pytest.param(judged(an_order(amazons()), TO_THE_3PL, NOON), id="fulfillable"),
        pytest.param(a_judged_order(amazons(fulfillment_status="SHIPPED")), id="shipped"),
        pytest.param(a_judged_order(amazons(fulfillment_status="CANCELLED")), id="cancelled"),
        pytest.param(a_judged_order(amazons(fulfillment_status="PENDING")), id="draft"),
        pytest.param(a_judged_order(an_fba_order(ship_by=SHIP_BY)), id="fulfilled by Amazon"),
        pytest.param(held().with_(redacted_at=NOON), id="redacted"),
        pytest.param(held().with_(three_pl_status=ThreePlStatus.TRANSFERRED), id="at the warehouse"),
    ],
)
def test_an_order_that_waits_for_nobody_here_is_never_looked_at(order: Order) -> None:
    assert deadline.next_look(order) is None


def test_each_of_the_two_words_is_given_once() -> None:
    order = held()
    at_risk = deadline.told(order, NEAR)
    assert events(order, at_risk) == ("OrderAtRisk",)
    assert deadline.next_look(at_risk) == SHIP_BY
    missed = deadline.told(at_risk, SHIP_BY)
    assert events(at_risk, missed) == ("ShipByMissed",)
    assert deadline.next_look(missed) is None
    assert events(missed, missed.with_(comment="Called the buyer")) == ()


def test_an_order_found_after_its_ship_by_is_told_as_missed_alone() -> None:
    order = held()
    assert events(order, deadline.told(order, SHIP_BY + HOUR)) == ("ShipByMissed",)


def test_a_ship_by_that_amazon_moves_is_watched_from_the_start() -> None:
    missed = deadline.told(held(), SHIP_BY)
    later = SHIP_BY + 3 * DAY
    moved = missed.with_(amazon=missed.amazon.model_copy(update={"ship_by": later}))
    assert deadline.next_look(moved) == later - DAY
    assert events(moved, deadline.told(moved, later)) == ("ShipByMissed",)


def test_an_order_let_go_is_looked_at_again_at_its_ship_by() -> None:
    order = judged(an_order(amazons()), BY_HAND, NOON)
    later = deadline.put_off(order, NEAR)
    assert deadline.next_look(later) == SHIP_BY
    assert events(order, later) == ()


def test_an_order_let_go_and_overdue_is_looked_at_every_hour() -> None:
    order = judged(an_order(amazons()), BY_HAND, NOON)
    assert deadline.next_look(deadline.put_off(order, SHIP_BY)) == SHIP_BY + HOUR


def test_a_hold_that_begins_after_the_last_look_is_looked_at_at_once() -> None:
    later = deadline.put_off(judged(an_order(amazons()), BY_HAND, NOON), NEAR)
    assert deadline.next_look(later.with_(decisions=decided(hold=by_hand()))) == NEAR


def test_what_was_told_stays_known_while_an_order_is_put_off() -> None:
    at_risk = deadline.told(held(), NEAR)
    later = deadline.put_off(at_risk, NEAR + HOUR)
    assert deadline.next_look(later) == SHIP_BY
    assert events(later, deadline.told(later, SHIP_BY)) == ("ShipByMissed",)


@pytest.mark.parametrize(
    ("now", "wait"),
    [
        (NEAR, HOUR),
        (SHIP_BY, HOUR),
        (SHIP_BY + 5 * HOUR, 5 * HOUR),
        (SHIP_BY + 30 * DAY, DAY),
    ],
)
def test_an_order_put_off_is_looked_at_every_hour_to_every_day(now: datetime, wait: timedelta) -> None:
    assert deadline.next_look(deadline.put_off(held(), now)) == now + wait


def test_an_order_without_ship_by_is_never_watched() -> None:
    order = a_held_order().with_(amazon=an_amazon_order(buyer_email=None, ship_by=None))
    assert deadline.told(order, NOON) == deadline.put_off(order, NOON) == order

"""Ours against two ways of downloading that are in use, in small: pages of 10 orders instead of 100.

`python -m tools.simulation.comparison` compares them in full size.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from tools.amazon_stand_in.clock import Clock
from tools.amazon_stand_in.generator import generated
from tools.amazon_stand_in.http_messages import Request
from tools.amazon_stand_in.orders_v0 import ORDERS_PATH, OrdersV0
from tools.amazon_stand_in.server import AmazonStandIn
from tools.simulation.comparison import BacklogTold, HealTold, LiveTold, Scale, backlog, live_and_heal
from tools.simulation.contenders import CONTENDERS
from tools.simulation.history import Flow
from tools.simulation.seller import HOUR, MINUTE, START

SMALL = Scale(
    page=10,
    backlog=Flow(past=600, new=60, updates=120, lasts=4 * HOUR),
    live=Flow(past=0, new=800, updates=320, lasts=9 * HOUR, held=30, goes_on=HOUR),
)
OURS, OLD_WAY, REWIND = CONTENDERS


@dataclass(frozen=True)
class Told:
    backlog: dict[str, BacklogTold]
    live: dict[str, LiveTold]
    heal: dict[str, HealTold]


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    logging.disable(logging.CRITICAL)
    lived = {name: live_and_heal(name, SMALL, seed=0) for name in CONTENDERS}
    yield Told(
        backlog={name: backlog(name, SMALL, seed=0) for name in CONTENDERS},
        live={name: live for name, (live, _) in lived.items()},
        heal={name: heal for name, (_, heal) in lived.items()},
    )
    logging.disable(logging.NOTSET)


def test_ours_loses_no_order_and_leaves_none_stale(told: Told) -> None:
    for outcome in (told.backlog[OURS].outcome, told.live[OURS].outcome, told.heal[OURS].outcome):
        assert (outcome.lost, outcome.stale) == (0, 0)


def test_one_cursor_loses_orders_that_slip_between_pages(told: Told) -> None:
    assert told.backlog[OLD_WAY].outcome.lost > 0
    assert told.backlog[REWIND].outcome.lost > 0


def test_ours_needs_fewer_than_two_calls_for_each_full_page_of_the_past(told: Told) -> None:
    assert told.backlog[OURS].calls_per_order < 2 / SMALL.page


def test_the_old_way_needs_more_than_one_call_for_each_order(told: Told) -> None:
    assert told.backlog[OLD_WAY].calls_per_order > 1
    assert told.live[OLD_WAY].calls_per_order > 1


@pytest.mark.parametrize(
    ("target", "burst", "seconds"),
    [("?LastUpdatedAfter=2026-10-31T00:00:00Z&MarketplaceIds=ATVPDKIKX0DER", 20, 60), ("/{}/orderItems", 30, 2)],
)
def test_v0_answers_a_burst_of_calls_and_then_one_each_time_a_token_is_due(
    target: str, burst: int, seconds: float
) -> None:
    clock = Clock(START)
    stand_in = AmazonStandIn(generated(1, now=START), now=clock)
    v0 = OrdersV0(stand_in, clock)
    request = Request.read("GET", ORDERS_PATH + target.format(stand_in.orders()[0].order_id), {}, b"")
    assert [v0.answer(request).status for _ in range(burst + 1)] == [200] * burst + [429]
    clock.advance(timedelta(seconds=seconds * 0.9))
    assert v0.answer(request).status == 429
    clock.advance(timedelta(seconds=seconds * 0.1))
    assert [v0.answer(request).status for _ in range(2)] == [200, 429]


def test_the_old_way_goes_on_after_refused_calls(told: Told) -> None:
    assert told.backlog[OLD_WAY].meanwhile.refused > 0
    assert told.backlog[OLD_WAY].past.orders > SMALL.backlog.past * 0.9


def test_ours_heals_thirty_orders_in_a_minute_and_a_rewind_needs_hours(told: Told) -> None:
    ours = told.heal[OURS]
    assert (ours.healed, ours.held) == (30, 30)
    assert ours.healed_after < MINUTE
    assert told.heal[REWIND].healed_after > 2 * HOUR
    assert told.heal[OLD_WAY].healed_after > HOUR / 2


def test_new_orders_wait_behind_no_download_of_the_past_and_no_healing(told: Told) -> None:
    assert told.backlog[OURS].live.longest_wait < HOUR < told.backlog[REWIND].live.longest_wait
    assert told.heal[OURS].meanwhile.longest_wait < HOUR < told.heal[REWIND].meanwhile.longest_wait


def test_ours_is_refused_no_call(told: Told) -> None:
    assert told.backlog[OURS].meanwhile.refused == told.live[OURS].calls.refused == told.heal[OURS].calls.refused == 0

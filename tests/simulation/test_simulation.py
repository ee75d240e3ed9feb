"""After a seller's life, whatever went wrong in it, the orders table equals Amazon's ledger.

A seed that fails is printed; `make simulate ARGUMENTS="--seed N"` lives it again. `make simulate` lives thousands, and
many of each kind of life.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from needs_attention.downloads.proofs import Proofs
from needs_attention.jobs.download.run import Downloader
from tools.simulation.lives import BUSY, BUSY_DAY, FLOODED, LAG_BOUND, LISTED_LATE, REGISTERED_TWICE, TROUBLED
from tools.simulation.many import live_together
from tools.simulation.seller import HOUR, Life, Simulation, Told

SEEDS_A_TEST = 20


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Thousands of warnings are wanted here."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def broken(told: list[Told]) -> dict[int, list[str]]:
    return {one.seed: one.broken for one in told if one.broken}


@pytest.mark.parametrize("first", range(0, 80, SEEDS_A_TEST))
def test_no_order_is_missed_stale_or_robbed_of_an_edit_whatever_goes_wrong(first: int) -> None:
    told = [Simulation(seed, TROUBLED).live() for seed in range(first, first + SEEDS_A_TEST)]
    assert broken(told) == {}
    assert all(sum(counts) > 0 for counts in zip(*((one.faults, one.crashes, one.edits) for one in told), strict=True))


def test_no_order_that_amazon_lists_late_is_missed() -> None:
    told = [Simulation(seed, LISTED_LATE).live() for seed in range(6)]
    assert broken(told) == {}


def test_a_seller_registered_twice_is_whole_and_within_its_quota_once_merged() -> None:
    told = [Simulation(seed, REGISTERED_TWICE).live() for seed in range(6)]
    assert broken(told) == {}


def test_the_busiest_seller_lags_an_hour_at_most_and_no_call_is_refused() -> None:
    sellers = [Simulation(seed, BUSY) for seed in range(6)]
    told = [seller.live() for seller in sellers]
    assert broken(told) == {}
    assert max(one.longest_lag for one in told) < LAG_BOUND
    assert [seller.refused_for_quota() for seller in sellers] == [0] * len(sellers)


def test_the_busiest_seller_is_compared_with_a_report_after_a_bad_day() -> None:
    seller = Simulation(0, BUSY_DAY)
    assert seller.live().broken == []
    state = seller.downloads.state(seller.integration_id)
    assert state is not None
    looked = state.reconciliation
    assert looked is not None
    assert (looked.is_by_report, looked.finished_at is None) == (True, False)
    assert looked.counts.orders > 1_000


def test_a_flood_of_forty_pages_in_two_minutes_is_absorbed_without_loss() -> None:
    told = [Simulation(seed, FLOODED).live() for seed in range(3)]
    assert broken(told) == {}
    assert max(one.longest_lag for one in told) < 2 * HOUR


def test_of_a_hundred_sellers_none_starves_and_no_key_is_hot() -> None:
    seen = live_together(sellers=100, minutes=10, functions_at_once=5)
    assert seen.fewest_runs >= 2  # a live download each five minutes
    assert seen.longest_wait < timedelta(minutes=1)
    assert seen.longest_lag < timedelta(minutes=7)
    assert all(writes_a_minute < 10 for _, writes_a_minute in seen.writes)


def test_the_same_seed_lives_the_same_life() -> None:
    assert Simulation(7, TROUBLED).live() == Simulation(7, TROUBLED).live()


# The simulation itself ------------------------------------------------------------------------------------------------


def seed_that_breaks(law: str, life: Life, seeds: Iterable[int]) -> int | None:
    """The first one."""
    return next((seed for seed in seeds if any(law in told for told in Simulation(seed, life).live().broken)), None)


def test_it_sees_when_orders_slip_between_pages() -> None:
    life = replace(TROUBLED, updates_a_day=2_500, backdates=0.0, settles=2 * HOUR)
    with pytest.MonkeyPatch.context() as unproven:
        unproven.setattr(Proofs, "with_walked", lambda proofs, _: proofs)
        # One in three slips: these are known to, as long as a seed draws what it draws now.
        seed = seed_that_breaks("no order is stale", life, (20, 27, *range(40)))
    assert seed is not None
    assert Simulation(seed, life).live().broken == []


def test_it_sees_when_orders_that_are_listed_late_are_missed() -> None:
    life = replace(LISTED_LATE, settles=2 * HOUR)
    with pytest.MonkeyPatch.context() as short_sighted:
        short_sighted.setattr("needs_attention.downloads.walk.LISTED_LATE", ())
        seed = seed_that_breaks("every order of Amazon's is stored", life, range(10))
    assert seed is not None


def test_it_sees_when_a_checkpoint_comes_before_the_orders() -> None:
    life = replace(TROUBLED, settles=2 * HOUR)
    run = Downloader.run

    def runs_ahead(downloader: Downloader, integration_id: str, until: datetime) -> Any:
        state = downloader.downloads.state(integration_id)
        if state and downloader.now().minute % 20 == 0:
            live = state.live
            walk = live.walk.model_copy(update={"reached": live.walk.reached + HOUR / 20, "slice": None})
            downloader.downloads.save_live_download(integration_id, live.model_copy(update={"walk": walk}))
        return run(downloader, integration_id, until)

    with pytest.MonkeyPatch.context() as ahead:
        ahead.setattr(Downloader, "run", runs_ahead)
        seed = seed_that_breaks("every order of Amazon's is stored", life, range(10))
    assert seed is not None
    assert Simulation(seed, life).live().broken == []

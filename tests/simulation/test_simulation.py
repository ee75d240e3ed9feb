"""After a seller's life, whatever went wrong in it, the orders table equals Amazon's ledger.

A seed that fails is printed; `make simulate ARGUMENTS="--seed N"` lives it again, and `make simulate` thousands.
"""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from needs_attention.downloads.proofs import Proofs
from needs_attention.jobs.download.run import Downloader
from tools.from_template import create_table
from tools.in_memory.dynamodb import ConditionalCheckFailed, MemoryDynamoDB, Table
from tools.simulation.lives import BUSY, BUSY_DAY, FLOODED, LAG_BOUND, TROUBLED
from tools.simulation.many import live_together
from tools.simulation.seller import HOUR, Simulation, Told

SEEDS_A_TEST = 20


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Thousands of warnings are wanted here."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def broken(told: list[Told]) -> dict[int, list[str]]:
    return {one.seed: one.broken for one in told if one.broken}


@pytest.mark.parametrize("first", range(0, 200, SEEDS_A_TEST))
def test_no_order_is_missed_stale_or_robbed_of_an_edit_whatever_goes_wrong(first: int) -> None:
    told = [Simulation(seed, TROUBLED).live() for seed in range(first, first + SEEDS_A_TEST)]
    assert broken(told) == {}
    assert all(sum(counts) > 0 for counts in zip(*((one.faults, one.crashes, one.edits) for one in told), strict=True))


@pytest.mark.parametrize("first", range(0, 12, 6))
def test_the_busiest_seller_is_behind_by_an_hour_at_most_and_amazon_refuses_no_call(first: int) -> None:
    sellers = [Simulation(seed, BUSY) for seed in range(first, first + 6)]
    told = [seller.live() for seller in sellers]
    assert broken(told) == {}
    assert max(one.longest_lag for one in told) < LAG_BOUND
    assert [seller.refused_for_quota() for seller in sellers] == [0] * len(sellers)


@pytest.mark.parametrize("seed", range(3))
def test_the_busiest_seller_is_compared_with_amazons_report_after_a_day_of_trouble(seed: int) -> None:
    seller = Simulation(seed, BUSY_DAY)
    assert seller.live().broken == []
    state = seller.downloads.state(seller.integration_id)
    assert state is not None
    looked = state.reconciliation
    assert looked is not None
    assert (looked.is_by_report, looked.finished_at is None) == (True, False)
    assert looked.counts.orders > 1_000


def test_a_flood_of_forty_pages_within_two_minutes_is_worked_off_and_loses_nothing() -> None:
    told = [Simulation(seed, FLOODED).live() for seed in range(6)]
    assert broken(told) == {}
    assert max(one.longest_lag for one in told) < 2 * HOUR


def test_of_a_hundred_sellers_none_starves_and_no_key_is_hot() -> None:
    seen = live_together(sellers=100, minutes=10, functions_at_once=5)
    assert seen.fewest_runs == 10
    assert seen.longest_wait < timedelta(minutes=1)
    assert seen.longest_lag < timedelta(minutes=7)
    assert all(writes_a_minute < 10 for _, writes_a_minute in seen.writes)


def test_the_same_seed_lives_the_same_life() -> None:
    assert Simulation(7, TROUBLED).live() == Simulation(7, TROUBLED).live()


# The simulation itself ------------------------------------------------------------------------------------------------


def test_it_sees_when_orders_slip_between_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Proofs, "with_walked", lambda proofs, _: proofs)
    life = replace(TROUBLED, updates_a_day=2_500, backdates=0.0)
    laws = (law for seed in range(40) for law in Simulation(seed, life).live().broken)
    assert any("no order is stale" in law for law in laws)


def test_it_sees_when_a_checkpoint_comes_before_the_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Downloader.run

    def runs_ahead(downloader: Downloader, integration_id: str, until: datetime) -> Any:
        state = downloader.downloads.state(integration_id)
        if state and downloader.now().minute % 20 == 0:
            live = state.live
            walk = live.walk.model_copy(update={"reached": live.walk.reached + HOUR / 20, "slice": None})
            downloader.downloads.save_live_download(integration_id, live.model_copy(update={"walk": walk}))
        return run(downloader, integration_id, until)

    monkeypatch.setattr(Downloader, "run", runs_ahead)
    laws = (law for seed in range(10) for law in Simulation(seed, TROUBLED).live().broken)
    assert any("every order of Amazon's is stored" in law for law in laws)


class Mirrored:
    """Makes each call on dictionaries and on moto, and compares what both say. What else happens comes around both."""

    exceptions = MemoryDynamoDB.exceptions

    def __init__(self, memory: Any, moto: Any) -> None:
        self._on_call, memory.on_call = memory.on_call, lambda: None
        self._memory = memory
        self._moto = moto
        self.get_paginator = memory.get_paginator

    def __getattr__(self, operation: str) -> Any:
        return partial(self._both, operation)

    def _both(self, operation: str, **parameters: Any) -> Any:
        self._on_call()
        expected = _outcome(getattr(self._moto, operation), parameters)
        said = _outcome(getattr(self._memory, operation), parameters)
        self._on_call()
        assert said == expected, (operation, parameters)
        return _raised(said)


def _outcome(call: Any, parameters: dict[str, Any]) -> Any:
    """What a call answers, without moto's wrapping; or the code of its error, and the item that comes with it."""
    try:
        answer = call(**parameters) or {}
    except (ClientError, ConditionalCheckFailed) as error:
        return error.response["Error"]["Code"], error.response.get("Item")
    found = {name: value for name, value in answer.items() if name in {"Item", "Items", "Responses"}}
    for items in found.get("Responses", {}).values():
        items.sort(key=str)
    return found


def _raised(outcome: Any) -> Any:
    if isinstance(outcome, tuple):
        raise ConditionalCheckFailed(outcome[1])
    return outcome


def test_its_tables_do_what_dynamodb_does() -> None:
    life = replace(TROUBLED, updates_a_day=400, lasts=HOUR, crashes=0.0)
    with mock_aws():
        moto = boto3.client("dynamodb", region_name="eu-west-1")
        for table in ("OrdersTable", "IntegrationsTable"):
            create_table(moto, table)
        told = Simulation(3, life, wrapped=lambda memory: Mirrored(memory, moto)).live()
    assert (told.broken, told.edits > 0) == ([], True)


def test_its_tables_refuse_what_they_do_not_know() -> None:
    client = MemoryDynamoDB({"OrdersTable": Table("OrdersTable")})
    with pytest.raises(NotImplementedError):
        client.get_paginator("scan")
    for condition in ("size(#orderId) > :n", "#a = :a OR #b = :b"):
        with pytest.raises(NotImplementedError):
            client.put_item(
                TableName="OrdersTable",
                Item={"orderId": {"S": "1"}},
                ConditionExpression=condition,
                ExpressionAttributeNames={},
            )

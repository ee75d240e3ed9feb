"""The functions' metrics, read from their output as CloudWatch reads it."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import Any, NamedTuple

import boto3
import pytest

from needs_attention.amazon.accounts import AmazonAccounts
from needs_attention.amazon.tokens import Credentials
from needs_attention.environment import AmazonAccess
from needs_attention.integrations.held_counter import HeldCounter
from needs_attention.orders.order import Order
from needs_attention.orders.settings import NEEDS_ATTENTION
from needs_attention.tables.order_items import to_item
from tools.amazon_stand_in.generator import generated
from tools.amazon_stand_in.server import AmazonStandIn
from tools.builders import NOON, an_amazon_order, an_order, downloaded_again
from tools.in_memory.api import CONTEXT, World, an_event, app

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


class Measured(NamedTuple):
    """The values of one metric in one line, with their dimensions other than the function."""

    name: str
    values: list[float]


type Measure = Callable[[], list[Measured]]


@pytest.fixture
def measured(capsys: pytest.CaptureFixture[str]) -> Measure:
    """The metrics since the last call of this."""

    def read() -> list[Measured]:
        lines = (json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith('{"_aws"'))
        return [one for line in lines for one in _metrics_of(line)]

    return read


def _metrics_of(line: dict[str, Any]) -> Iterator[Measured]:
    (metrics,) = line["_aws"]["CloudWatchMetrics"]
    (dimensions,) = metrics["Dimensions"]
    assert dimensions == ["service"]  # CloudWatch bills each combination
    for metric in metrics["Metrics"]:
        yield Measured(metric["Name"], line[metric["Name"]])


def values_of(name: str, measured: list[Measured]) -> list[float]:
    return [value for one in measured if one.name == name for value in one.values]


def validate(*orders: Order) -> None:
    (record, *_) = an_event("validate_orders")["Records"]
    images = [record["dynamodb"] | {"NewImage": to_item(order), "SequenceNumber": "1"} for order in orders]
    app("validate_orders").handler({"Records": [record | {"dynamodb": image} for image in images]}, CONTEXT)


def test_a_verdict_measures_how_long_the_order_waited_and_that_it_is_held(world: World, measured: Measure) -> None:
    order = world.store(an_order(an_amazon_order(buyer_email=None)))
    world.clock.advance(timedelta(seconds=3))
    validate(order)
    told = measured()
    assert values_of("VerdictLag", told) == [3.0]
    assert (values_of("OrdersJudged", told), values_of("OrdersHeld", told)) == ([1.0], [1.0])
    assert values_of("TimeToHeal", told) == []


def test_a_verdict_asked_for_again_has_waited_since_the_download(world: World, measured: Measure) -> None:
    order = world.store(an_order())
    world.clock.advance(timedelta(minutes=11))
    again = order.with_(pending_since=world.clock.now)
    validate(world.orders.save(order, again, by="clock", at=world.clock.now, cause="verdictOverdue"))
    assert values_of("VerdictLag", measured()) == [660.0]


def test_an_order_that_amazons_data_heals_tells_how_long_it_was_held(world: World, measured: Measure) -> None:
    held = world.download(buyer_email=None)
    world.clock.advance(HOUR)
    healed = downloaded_again(held, an_amazon_order())
    validate(world.orders.save(held, healed, by="amazon", at=world.clock.now, cause="redownload"))
    told = measured()
    assert (values_of("OrdersHealed", told), values_of("TimeToHeal", told)) == ([1.0], [3600.0])


def test_a_hold_that_ends_because_amazon_cancelled_the_order_is_no_heal(world: World, measured: Measure) -> None:
    held = world.download(buyer_email=None)
    cancelled = downloaded_again(held, fulfillment_status="CANCELLED")
    validate(world.orders.save(held, cancelled, by="amazon", at=world.clock.now, cause="download"))
    told = measured()
    assert world.order().hold is None
    assert (values_of("OrdersHealed", told), values_of("TimeToHeal", told)) == ([0.0], [])


def test_verdicts_on_a_hundred_downloads_are_all_measured(world: World, measured: Measure) -> None:
    orders = [an_order(an_amazon_order(order_id=f"701-{number}")) for number in range(100)]
    validate(*(world.store(one.with_(downloaded_at=NOON - SECOND * at)) for at, one in enumerate(orders)))
    told = measured()
    assert (len(values_of("VerdictLag", told)), values_of("OrdersJudged", told)) == (100, [100.0])


def test_verdicts_on_one_download_are_measured_once(world: World, measured: Measure) -> None:
    orders = [world.store(an_order(an_amazon_order(order_id=f"701-{number}"))) for number in range(3)]
    world.clock.advance(SECOND)
    validate(*orders)
    told = measured()
    assert (values_of("VerdictLag", told), values_of("OrdersJudged", told)) == ([1.0], [3.0])


def test_an_order_that_a_person_releases_tells_how_long_it_was_held(world: World, measured: Measure) -> None:
    world.download(buyer_email=None)
    world.clock.advance(HOUR)
    world.call("PATCH", "/orders/701-1111111-1111111", {"email": "ada@marketplace.example.com"})
    assert measured() == []
    world.call("POST", "/orders/701-1111111-1111111/release", {}, role="editor")
    assert measured() == [Measured("TimeToRelease", [3600.0])]


def test_an_order_that_leaves_needs_attention_by_its_stage_is_released_too(world: World, measured: Measure) -> None:
    world.download(buyer_email=None)
    wish = {"orderId": "701-1111111-1111111", "patch": {"email": "ada@marketplace.example.com", "stage": "New"}}
    assert world.call("POST", "/bulk/orders", {"orders": [wish]}, role="editor").status == 200
    assert measured() == [Measured("TimeToRelease", [0.0])]


def test_a_dry_run_measures_nothing(world: World, measured: Measure) -> None:
    world.download(buyer_email=None)
    wish = {"orderId": "701-1111111-1111111", "patch": {"email": "ada@marketplace.example.com", "stage": "New"}}
    world.call("POST", "/bulk/orders", {"orders": [wish], "dryRun": True}, role="editor")
    assert measured() == []


def test_once_an_hour_the_tick_adds_up_what_runs_counted(world: World, measured: Measure) -> None:
    world.register("second")
    for integration_id, held in (("acme-na", 2), ("second", 3)):
        world.downloads.save_held_counter(integration_id, HeldCounter(held=held, counted_at=NOON))
    tick = an_event("download_orders_tick")
    app("download_orders").handler(tick, CONTEXT)
    assert measured() == [Measured("OrdersHeldNow", [5.0])]
    app("download_orders").handler(tick | {"time": "2026-11-23T12:01:00Z"}, CONTEXT)
    assert measured() == []


def test_counting_stops_where_nobody_needs_to_know_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("needs_attention.tables.orders.MOST_ORDERS_COUNTED", 2)
    for number in range(3):
        world.download(order_id=f"701-{number}", buyer_email=None)
    assert world.orders.count_in_stage("acme-na", NEEDS_ATTENTION) == 2
    assert world.orders.count_created("acme-na", NOON - timedelta(days=1), NOON) == 2


def test_orders_are_counted_by_when_amazon_created_them(world: World) -> None:
    for number in range(3):
        world.download(order_id=f"701-{number}", created_at=NOON + number * HOUR)
    assert world.orders.count_created("acme-na", NOON, NOON + 2 * HOUR) == 2
    assert world.orders.count_created("acme-na", NOON + HOUR, NOON + 3 * HOUR) == 2
    assert world.orders.count_created("elsewhere", NOON, NOON + 3 * HOUR) == 0


def test_a_run_measures_all_integrations_together_and_logs_its_own_lag(
    world: World, measured: Measure, log_lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.register("demo", client_secret_created_at=NOON)
    with AmazonStandIn(generated(1, now=NOON), now=world.clock) as amazon:
        access = AmazonAccess(secret_prefix="tests/", sp_api_endpoint=amazon.endpoint, lwa_endpoint=amazon.lwa_endpoint)
        accounts = AmazonAccounts(boto3.client("secretsmanager"), access)
        accounts.offer("demo", Credentials(**asdict(amazon.credentials)), in_use=None)
        monkeypatch.setattr(app("download_orders"), "accounts", accounts)
        app("download_orders").handler(an_event("download_orders_wake_up"), CONTEXT)
    assert sorted(one.name for one in measured()) == [
        "CredentialsLastDays",
        "CursorLag",
        "OpenIncidents",
        "SearchCallsLeft",
    ]
    lines = [json.loads(text) for text in log_lines.getvalue().splitlines()]
    assert [(one["integration"], one["cursor_lag"]) for one in lines if one["message"] == "ran downloads"] == [
        ("demo", 0)
    ]


def test_the_calls_that_are_left_are_those_of_the_search_quota(world: World, measured: Measure) -> None:
    run = app("download_orders")
    run.measure("demo", run.RunFindings(0, HOUR, 7, leaves_work=False, credentials_last=None))
    told = measured()
    assert values_of("SearchCallsLeft", told) == [7.0]
    assert values_of("CursorLag", told) == [3600.0]

"""Killed before any of its calls to AWS, and run again: every function ends where it would have ended undisturbed.

A Lambda function dies in the middle when its time or memory runs out, or its machine fails. To die before call number N
is the same as to die after the call before it, when nobody has heard of that; each test goes through every N.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import boto3
import pytest

from needs_attention.amazon.accounts import AmazonAccounts
from needs_attention.amazon.tokens import Credentials
from needs_attention.api.retention import EraseBuyer
from needs_attention.downloads.backdated import BackdatedDownload
from needs_attention.downloads.by_id import Redownload
from needs_attention.downloads.walk import Pace
from needs_attention.environment import AmazonAccess
from needs_attention.integrations.integration import Integration
from needs_attention.integrations.integration_settings import IntegrationSettings
from tests.integration.faults import Killed, killed_before_call, watched
from tests.integration.test_triggered_functions import SUBSCRIPTION, a_stream_event
from tests.integration.writes import WRITES, Write
from tools.amazon_stand_in.generator import generated
from tools.amazon_stand_in.server import AmazonStandIn
from tools.builders import NOON, an_amazon_order, an_order
from tools.in_memory.account import aws_in_memory
from tools.in_memory.api import CONTEXT, Clock, DocumentedWorld, World, a_message_of_redactions, an_event, app, routes

# A process that dies tells no metrics; here, where it goes on, it is warned that there were none.
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish:UserWarning")

State = dict[str, Any]
BY_LOT = re.compile(r"Z-[0-9a-f]{12}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def same_end_whenever_killed(
    clock: Clock, prepare: Callable[[World], object], run: Callable[[World], object], state: Callable[[World], State]
) -> None:
    """Raises AssertionError if a run that is killed, and made again, ends otherwise than one that is not."""
    with a_world(clock) as world:
        prepare(world)
        with watched() as calls:
            run(world)
        undisturbed = state(world)
    assert len(calls) > 0
    for number in range(len(calls)):
        with a_world(clock) as world:
            prepare(world)
            with pytest.raises(Killed), killed_before_call(number):
                run(world)
            run(world)
            assert state(world) == undisturbed, f"killed before {calls[number].operation}, its call {number}"


@contextmanager
def a_world(clock: Clock) -> Iterator[World]:
    """One of many, in a test that needs them new."""
    with aws_in_memory():
        world = DocumentedWorld(clock)
        world.register()
        yield world


def tables(world: World, *names: str) -> State:
    """Their content, whatever random IDs it has: two downloads that began at once would be two rows."""
    return {
        name: sorted(BY_LOT.sub("", json.dumps(item, sort_keys=True)) for item in items)
        for name in names
        for items in [world.dynamodb.scan(TableName=name)["Items"]]
    }


# The API --------------------------------------------------------------------------------------------------------------


def test_every_operation_that_changes_something_is_here() -> None:
    assert WRITES.keys() == {(one.method, one.resource) for one in routes() if one.method != "GET"}


@pytest.mark.parametrize("write", WRITES.values(), ids=lambda write: f"{write.method} {write.path}")
def test_a_request_that_died_and_is_sent_again_ends_as_if_it_had_not(
    clock: Clock, unlogged: None, monkeypatch: pytest.MonkeyPatch, write: Write
) -> None:
    # Whoever sends it again has waited until the first one's time was up.
    monkeypatch.setattr(CONTEXT, "get_remaining_time_in_millis", lambda: -1)
    monkeypatch.setattr("secrets.token_hex", lambda length: "00" * length)  # random values make no difference

    def stored(world: World) -> State:
        secrets = boto3.client("secretsmanager")
        names = [secret["Name"] for secret in secrets.list_secrets()["SecretList"]]
        kept = {name: secrets.get_secret_value(SecretId=name)["SecretString"] for name in names}
        return tables(world, "OrdersTable", "IntegrationsTable") | {"secrets": kept}

    same_end_whenever_killed(clock, write.prepare, write.make, stored)


# The stream -----------------------------------------------------------------------------------------------------------


def test_a_validation_that_died_and_comes_again_ends_as_if_it_had_not(clock: Clock, unlogged: None) -> None:
    new = [an_order(), an_order(an_amazon_order(order_id="701-2222222-2222222", buyer_email=None))]
    event: dict[str, Any] = {}

    def prepare(world: World) -> None:
        event.update(a_stream_event(*(world.store(order) for order in new)))

    same_end_whenever_killed(
        clock, prepare, lambda _: app("validate_orders").handler(event, CONTEXT), lambda w: tables(w, "OrdersTable")
    )


def test_a_publication_that_died_and_comes_again_ends_as_if_it_had_not(clock: Clock, unlogged: None) -> None:
    event = an_event("publish_changes")

    def prepare(_: World) -> None:
        boto3.client("events").create_event_bus(Name="orders")

    same_end_whenever_killed(
        clock, prepare, lambda _: app("publish_changes").handler(event, CONTEXT), lambda w: tables(w, "HistoryTable")
    )


# Schedule and queues --------------------------------------------------------------------------------------------------


def test_a_tick_that_died_and_comes_again_wakes_every_integration_once(clock: Clock, unlogged: None) -> None:
    tick = an_event("download_orders_tick")
    same_end_whenever_killed(
        clock,
        lambda world: world.register("demo"),
        lambda _: app("download_orders").handler(tick, CONTEXT),
        lambda world: {"woken": sorted(world.woken())},
    )


def test_a_redaction_that_died_and_runs_again_ends_as_if_it_had_not(
    clock: Clock, unlogged: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One order's time is over, and somebody asked to erase the buyer of another."""
    email = "ada@marketplace.example.com"
    monkeypatch.setattr("secrets.token_hex", lambda length: "00" * length)
    message = a_message_of_redactions("acme-na")

    def prepare(world: World) -> None:
        clock.now = NOON + timedelta(days=100)
        world.store(an_order(pending_since=None, judged_at=NOON))
        fresh = an_amazon_order(order_id="701-2222222-2222222", buyer_email=email, deliver_by=clock.now)
        world.store(an_order(fresh, pending_since=None, judged_at=NOON))
        request = EraseBuyer(reference="GR-2042", buyer_email=email, even_if_unsent=True)
        erasure = request.erasure(by="ada", now=clock.now, suffix="abc")
        world.downloads.save_erasure("acme-na", erasure)

    same_end_whenever_killed(
        clock,
        prepare,
        lambda _: app("redact_orders").handler(message, CONTEXT),
        lambda world: tables(world, "OrdersTable", "IntegrationsTable"),
    )


def test_a_tick_that_died_and_comes_again_asks_for_every_redaction(clock: Clock, unlogged: None) -> None:
    tick = an_event("redact_orders_tick")
    same_end_whenever_killed(
        clock,
        lambda world: world.register("demo"),
        lambda _: app("redact_orders").handler(tick, CONTEXT),
        lambda world: {"asked for": world.asked_to_redact()},
    )


def test_notifications_of_a_killed_run_come_again_and_end_the_same(clock: Clock, unlogged: None) -> None:
    event = an_event("receive_order_changes")

    def prepare(world: World) -> None:
        world.register("demo", settings=IntegrationSettings(order_change_notifications=True))
        world.downloads.save_subscription(SUBSCRIPTION, "demo")

    same_end_whenever_killed(
        clock,
        prepare,
        lambda _: app("receive_order_changes").handler(event, CONTEXT),
        lambda world: tables(world, "IntegrationsTable") | {"woken": set(world.woken())},
    )


def test_a_download_that_died_and_is_woken_again_ends_as_if_it_had_not(
    clock: Clock, unlogged: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one of everything that a run may do: each spends calls to AWS, and may be the one that it dies before."""
    with AmazonStandIn(generated(5, now=NOON), now=clock) as amazon:
        access = AmazonAccess(
            secret_prefix=os.environ["SECRET_PREFIX"], sp_api_endpoint=amazon.endpoint, lwa_endpoint=amazon.lwa_endpoint
        )
        for operation in ("searchOrders", "getOrder"):
            amazon.set_usage_plan(operation, rate=1_000, burst=1_000)
        wanted = min(entry.order_id for entry in amazon.orders())

        def prepare(world: World) -> None:
            accounts = AmazonAccounts(boto3.client("secretsmanager"), access)
            accounts.offer("demo", Credentials(**asdict(amazon.credentials)), in_use=None)
            monkeypatch.setattr(app("download_orders"), "accounts", accounts)
            world.register("demo", settings=IntegrationSettings(download_pending_orders=True))
            world.store(an_order(pending_since=NOON - timedelta(minutes=11), integration="demo"))
            download = BackdatedDownload.requested(NOON.replace(day=1), Pace(), by="ada", now=NOON, suffix="abc")
            world.downloads.save_backdated_download("demo", download)
            redownload = Redownload(order_id=wanted, cause="requested", wanted_at=NOON)
            world.downloads.want_redownload("demo", redownload)

        def stored(world: World) -> State:
            """Without the counts of calls to Amazon and of the orders that a page brought the first time."""
            demo = world.integrations.get("demo")
            assert isinstance(demo, Integration)
            (download,) = world.downloads.backdated_downloads("demo")
            live = world.downloads.live_download(demo)
            return tables(world, "OrdersTable") | {
                "cursor": live.walk.reached,
                "download": (download.status, download.walk.reached),
                "wanted": world.downloads.due_redownloads("demo", "requested", NOON),
            }

        event = an_event("download_orders_wake_up")
        same_end_whenever_killed(clock, prepare, lambda _: app("download_orders").handler(event, CONTEXT), stored)

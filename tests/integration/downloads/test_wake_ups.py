"""When the clock wakes an integration: as soon as anything is due for it, and otherwise seldom."""

import json
from datetime import datetime
from typing import Any, NamedTuple

import pytest

from needs_attention.downloads.next_wake_up import NextWakeUp
from needs_attention.downloads.proofs import Again, Proofs
from needs_attention.downloads.walk import Walk
from needs_attention.integrations.integration import Rejudgement
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.integrations.merge import Merge
from needs_attention.integrations.stages import Stages
from needs_attention.jobs.waking import wake_what_is_due
from tests.integration.downloads.conftest import DAY, HOUR, MINUTE, NOON, World, a_world, held
from tests.integration.faults import watched
from tools.amazon_stand_in.misbehaviour import Misbehaviour
from tools.builders import decided, snoozed
from tools.in_memory.dynamodb import MemoryDynamoDB, Table
from tools.in_memory.wake_up_queue import MemoryWakeUpQueue


def ticks(world: World, queue: MemoryWakeUpQueue, at: datetime | None = None) -> None:
    now = at or world.clock()
    wake_what_is_due(world.integrations, world.wake_ups, queue, tick=now, now=now)


def minutes_until_woken(world: World, most: int = 60) -> int | None:
    """How many ticks later the clock wakes the integration."""
    start = world.clock().replace(second=0, microsecond=0)
    for minute in range(1, most + 1):
        world.clock.now = start + minute * MINUTE
        if world.woken_by_the_clock():
            return minute
    return None


class Life(NamedTuple):
    """What a life with all that keeps an integration at work led to: when Amazon was asked for what, and the orders."""

    calls: list[tuple[datetime, str, str]]
    orders: dict[str, tuple[bool, datetime | None]]
    runs: int


def _happens(world: World, minute: int) -> None:
    some = sorted(world.ledger())[minute % 40]
    match minute:
        case 1:
            world.backdate()
        case 90 | 100 | 250:
            shipped = {"fulfillment": {"fulfillmentStatus": "SHIPPED"}}
            world.amazon.patch(some, shipped, last_updated_time=world.clock())
        case 120:
            world.amazon.misbehave(Misbehaviour.QUOTA_EXCEEDED, operations=["searchOrders"])
        case 150:
            world.amazon.misbehave(Misbehaviour.HTML_503, operations=["searchOrders"], times=4)
        case 200:
            world.want(some)
        case 300:
            world.change(settings=IntegrationSettings(live_download_every_minutes=30))


def lived(client: Any, *, is_woken_each_minute: bool) -> Life:
    """Eight hours: a backdated download, held orders, changes, a 429, an outage, a request, another interval."""
    tables = {name: Table(name) for name in ("OrdersTable", "IntegrationsTable")}
    runs = 0
    with MemoryDynamoDB(tables).answering(client), a_world(tables, client) as world:
        for order_id in sorted(world.ledger())[::5]:
            world.amazon.patch(order_id, {"buyer": {"buyerEmail": None}})
        for minute in range(8 * 60):
            world.clock.advance(MINUTE)
            _happens(world, minute)
            if minute in {1, 200} or is_woken_each_minute or world.woken or world.woken_by_the_clock():
                world.woken.clear()
                world.run(lasting=20 * MINUTE)
                runs += 1
                if minute % 4 == 0:  # most verdicts come late
                    world.judge_all()
        calls = [(request.at, request.operation, request.path) for request in world.amazon.requests()]
        orders = {
            order_id: (bool(world.order(order_id).hold), world.order(order_id).redownload_at)
            for order_id in world.items()
        }
    return Life(calls, orders, runs)


def test_the_clock_wakes_as_freshly_as_if_it_woke_each_minute(client: Any) -> None:
    always, when_due = lived(client, is_woken_each_minute=True), lived(client, is_woken_each_minute=False)
    assert (when_due.calls, when_due.orders) == (always.calls, always.orders)
    assert (always.runs, when_due.runs <= 120) == (480, True)


def test_an_idle_seller_is_woken_for_its_live_download_alone(world: World) -> None:
    world.run()
    world.judge_all()
    world.clock.advance(HOUR)
    world.run()
    runs = 0
    for _ in range(60):
        world.clock.advance(MINUTE)
        if world.woken_by_the_clock():
            runs += 1
            world.run()
    assert runs == 12
    assert len(world.searches()) == 13


def test_an_order_is_waited_for_each_minute_until_its_verdict_has_come(world: World) -> None:
    world.backdate()
    world.run()
    for _ in range(3):
        assert minutes_until_woken(world) == 1
        world.run()
    world.judge_all()
    world.run()
    assert minutes_until_woken(world) == 2  # the live download of noon was five minutes before


def leave_search_calls(world: World, tokens: float) -> None:
    bucket = world.live.search_bucket.model_copy(update={"tokens": tokens, "at": world.clock()})
    world.downloads.save_live_download("demo", world.live.model_copy(update={"search_bucket": bucket}))


def test_a_search_without_quota_goes_on_with_the_next_call(world: World) -> None:
    """Amazon gives one in 178.6 seconds."""
    world.run()
    leave_search_calls(world, 0)
    world.backdate()
    world.run()
    assert minutes_until_woken(world) == 3


def test_a_live_download_without_quota_goes_on_with_the_next_call(world: World) -> None:
    world.run()
    world.clock.advance(10 * MINUTE)
    leave_search_calls(world, 0)
    world.run()
    assert minutes_until_woken(world) == 3


@pytest.mark.parametrize(("is_urgent", "minute"), [(True, 1), (False, 2)])
def test_a_part_to_walk_again_goes_on_when_it_may(world: World, *, is_urgent: bool, minute: int) -> None:
    """A part that is not urgent waits until half of the calls are there: 89 seconds for the half of one."""
    world.run()
    leave_search_calls(world, 9.5)
    part = Again(before=NOON - HOUR, walk=Walk(reached=NOON - 2 * HOUR, looks_back=False), is_urgent=is_urgent)
    later = part.model_copy(update={"retry_at": NOON + MINUTE})
    world.downloads.save_proofs("demo", Proofs(again=(later,)))
    world.run()
    assert minutes_until_woken(world) == minute


def test_a_second_look_goes_on_with_the_call_that_would_be_lost(world: World) -> None:
    world.run()
    world.change(registered_at=NOON - 3 * DAY)
    leave_search_calls(world, 18.5)
    world.run()
    assert minutes_until_woken(world) == 2


def test_a_request_that_amazon_could_not_answer_is_looked_at_each_minute(world: World) -> None:
    world.run()
    world.want(min(world.ledger()))
    world.amazon.misbehave(Misbehaviour.HTML_503, operations=["getOrder"])
    world.run()
    assert minutes_until_woken(world) == 1


def test_news_that_the_bus_did_not_take_is_told_at_the_next_tick(world: World) -> None:
    world.run()
    world.clock.advance(10 * MINUTE)
    world.amazon.misbehave(Misbehaviour.INVALID_INPUT, operations=["searchOrders"])
    world.events.is_full = True
    world.run()
    assert minutes_until_woken(world) == 1


def test_a_rejudgement_that_may_not_begin_yet_is_looked_at_each_minute(world: World) -> None:
    world.change(is_paused=True)
    rejudgement = Rejudgement(requested_by="ada", requested_at=NOON, stages=("new",))
    world.downloads.begin_rejudgement("demo", rejudgement)
    world.run()
    assert minutes_until_woken(world) == 1


def test_a_merge_that_may_not_begin_yet_is_looked_at_each_minute(world: World) -> None:
    world.register("old")
    world.change(is_paused=True)
    known = world.integrations.get("old")
    assert known is not None
    source = world.integrations.save(known.model_copy(update={"deleted_at": NOON}))
    merge = Merge(source="old", requested_by="ada", requested_at=NOON, missed_since=NOON)
    world.integrations.begin_merge(source, world.integration, world.integration.with_source(source, Stages()), merge)
    world.run()
    assert minutes_until_woken(world) == 1


def test_an_order_that_cannot_be_read_hides_no_snooze_that_ends_after_it(world: World) -> None:
    spoilt_id = held(world)
    other_id = next(one for one in world.items() if one != spoilt_id and not world.order(one).hold)
    other = world.order(other_id)
    asleep = other.with_(decisions=decided(hold=snoozed(NOON + 2 * MINUTE)))
    world.orders.save(other, asleep, by="ada", at=NOON, cause="snooze")
    spoilt = world.items()[spoilt_id] | {"amazon": {"S": "[]"}, "dueKey": {"S": f"2026-11-01T11:00:00Z#{spoilt_id}"}}
    world.dynamodb.put_item(TableName="OrdersTable", Item=spoilt)
    world.run()
    assert minutes_until_woken(world) == 2


def test_an_order_that_cannot_be_read_wakes_nobody(world: World) -> None:
    order_id = held(world)
    world.change(is_paused=True)
    spoilt = world.items()[order_id] | {"amazon": {"S": "[]"}, "dueKey": {"S": f"2026-11-01T11:00:00Z#{order_id}"}}
    world.dynamodb.put_item(TableName="OrdersTable", Item=spoilt)
    world.run()
    assert minutes_until_woken(world) == 15


@pytest.mark.parametrize("change", [{"is_paused": True}, {"deleted_at": NOON}])
def test_an_integration_that_rests_is_looked_at_four_times_an_hour(world: World, change: dict[str, Any]) -> None:
    world.change(**change)
    world.run()
    assert minutes_until_woken(world) == 15


@pytest.mark.parametrize("change", [{"is_paused": True}, {"deleted_at": NOON}])
def test_an_order_that_waits_for_amazon_wakes_no_one_who_rests(world: World, change: dict[str, Any]) -> None:
    """A redownload stays due while nobody may make it. What else falls due meanwhile is still seen."""
    order_id = held(world)
    world.change(**change)
    world.clock.advance(HOUR)
    world.run()
    world.run()  # the first told of ship-bys, so it looks once more
    assert minutes_until_woken(world) == 15
    asleep = world.order(order_id)
    later = asleep.with_(decisions=decided(hold=snoozed(world.clock() + 7 * MINUTE)))
    world.orders.save(asleep, later, by="ada", at=world.clock(), cause="snooze")
    world.run()
    assert minutes_until_woken(world) == 7
    world.run()
    assert minutes_until_woken(world) == 1
    world.run()
    assert minutes_until_woken(world) == 15


def test_an_order_that_waits_for_a_blocked_amazon_wakes_nobody(world: World) -> None:
    held(world)
    world.clock.advance(HOUR)
    world.amazon.misbehave(Misbehaviour.HTML_503, operations=["searchOrders"])
    world.run()
    world.run()
    assert world.live.blocked_until
    assert minutes_until_woken(world) == 5


def test_a_snooze_of_a_paused_integration_ends_at_its_time(world: World) -> None:
    order = world.order(held(world))
    asleep = order.with_(decisions=decided(hold=snoozed(NOON + 7 * MINUTE)), redownload_at=None)
    world.orders.save(order, asleep, by="ada", at=NOON, cause="snooze")
    world.change(is_paused=True)
    world.run()
    assert minutes_until_woken(world) == 7


def test_the_end_of_a_run_does_not_hide_what_a_person_wanted_meanwhile(world: World) -> None:
    """A snooze that is shorter than the time until the next look has a wake-up of its own."""
    world.change(is_paused=True)
    world.wake_ups.save(NextWakeUp(integration="demo", at=NOON + 3 * MINUTE))
    world.run()
    assert minutes_until_woken(world) == 3
    assert minutes_until_woken(world, most=10) is None
    world.run()
    assert minutes_until_woken(world) == 15


def test_a_wake_up_that_was_lost_is_made_up_for_in_a_quarter_of_an_hour(world: World) -> None:
    world.register("acme-na")
    world.run()
    assert [one.integration for one in world.wake_ups.all()] == ["demo"]
    world.clock.now = NOON + 5 * MINUTE
    assert world.woken_by_the_clock() == ["demo"]
    world.clock.now = NOON + 15 * MINUTE
    assert world.woken_by_the_clock() == ["demo", "acme-na"]


def test_a_next_wake_up_that_is_too_late_or_unreadable_is_made_up_for(world: World) -> None:
    world.wake_ups.save(NextWakeUp(integration="demo", at=NOON + DAY, ran_at=NOON))
    assert minutes_until_woken(world) == 15
    (stored,) = (item for item in world.tables["IntegrationsTable"].items.values() if item["item"]["S"] == "next#demo")
    world.dynamodb.put_item(TableName="IntegrationsTable", Item=stored | {"data": {"S": "{}"}})
    assert world.woken_by_the_clock() == ["demo"]


def test_the_first_tick_after_an_upgrade_wakes_everybody(world: World) -> None:
    world.register("acme-na", deleted_at=NOON)
    world.clock.now = NOON + MINUTE
    assert sorted(world.woken_by_the_clock()) == ["acme-na", "demo"]


def test_a_run_that_dies_is_woken_again_at_the_next_tick(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.run()
    assert minutes_until_woken(world) == 5
    monkeypatch.setattr(world.downloads, "state", _dies)
    with pytest.raises(ZeroDivisionError):
        world.run()
    assert minutes_until_woken(world) == 1


def _dies(_: str) -> None:
    raise ZeroDivisionError


def test_who_is_due_longest_is_woken_first(world: World) -> None:
    for number, integration in enumerate(["one", "two", "three"]):
        world.wake_ups.save(NextWakeUp(integration=integration, at=NOON - number * MINUTE, ran_at=NOON))
    queue = MemoryWakeUpQueue()
    ticks(world, queue, NOON + MINUTE)
    assert queue.woken == ["three", "two", "one"]


def test_a_wake_up_for_an_order_is_kept_until_it_could_be_sent(world: World) -> None:
    world.run()
    world.wake_ups.save(NextWakeUp(integration="demo", at=NOON + MINUTE))
    ticks(world, MemoryWakeUpQueue("demo"), NOON + MINUTE)
    queue = MemoryWakeUpQueue()
    ticks(world, queue, NOON + 2 * MINUTE)
    ticks(world, queue, NOON + 3 * MINUTE)
    assert queue.woken == ["demo"]


def test_a_tick_over_many_integrations_reads_their_wake_ups_and_no_settings(world: World) -> None:
    for number in range(300):
        world.wake_ups.save(NextWakeUp(integration=f"seller-{number}", at=NOON, ran_at=NOON))
    queue = MemoryWakeUpQueue()
    with watched() as calls:
        ticks(world, queue, NOON + MINUTE)
    assert len(queue.woken) == 300
    assert [(call.operation, json.dumps(call.parameters).count("#system")) for call in calls] == [("Query", 0)]

"""The clock asks for redactions by queue: in a bounded number of calls, each integration for itself, none twice."""

import json
from datetime import timedelta
from typing import Any

import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError

from needs_attention.jobs.redactions import in_an_order_of
from needs_attention.redaction_queue import INTEGRATIONS_A_MESSAGE
from needs_attention.sqs import NotTaken
from needs_attention.tables.integration_items import item_key
from needs_attention.tables.orders import OrderStore
from tests.integration.faults import sqs_takes_all_but_the_first, watched
from tools.builders import NOON, an_amazon_order, an_order
from tools.in_memory.api import World, a_message_of_redactions, an_event, app, invoke

DAY = timedelta(days=1)
MANY = 620


def tick() -> None:
    assert invoke("redact_orders", an_event("redact_orders_tick")) is None


def redact(*integration_ids: str) -> None:
    assert invoke("redact_orders", a_message_of_redactions(*integration_ids)) == {"batchItemFailures": []}


def register_many(world: World) -> list[str]:
    """The IDs of all integrations."""
    for number in range(MANY):
        world.register(f"shop-{number:04}")
    return ["acme-na", *(f"shop-{number:04}" for number in range(MANY))]


def an_old_order(world: World, integration: str, number: int) -> str:
    amazon = an_amazon_order(order_id=f"701-{number:07}-0000000")
    return world.store(an_order(amazon, integration=integration, pending_since=None, judged_at=NOON)).order_id


def asked_for(world: World) -> list[list[str]]:
    """Of each message that waits."""
    found = []
    while some := world.asked_to_redact():
        found += some
    return found


# The tick -------------------------------------------------------------------------------------------------------------


def test_the_clock_asks_for_paused_and_deleted_integrations_too(world: World) -> None:
    world.register("paused", is_paused=True)
    world.register("deleted", deleted_at=NOON)
    world.dynamodb.put_item(
        TableName="IntegrationsTable", Item={**item_key("#system", "integration#spoilt"), "data": {"S": "{"}}
    )
    tick()
    (ids,) = asked_for(world)
    assert sorted(ids) == ["acme-na", "deleted", "paused", "spoilt"]


def test_a_tick_sends_ten_messages_a_call_of_many_integrations_each(world: World) -> None:
    ids = register_many(world)
    with watched() as calls:
        tick()
    assert [call.operation for call in calls] == ["GetQueueAttributes", "Query", *["SendMessageBatch"] * 2]
    messages = asked_for(world)
    assert len(messages) == -(-len(ids) // INTEGRATIONS_A_MESSAGE)
    assert max(len(message) for message in messages) == INTEGRATIONS_A_MESSAGE
    assert sorted(one for message in messages for one in message) == ids


def test_a_message_takes_as_many_calls_for_an_integration_whatever_others_it_names(world: World) -> None:
    ids = register_many(world)

    def calls_for(named: list[str]) -> int:
        with watched() as calls:
            redact(*named)
        assert [call.operation for call in calls].count("BatchGetItem") == 1
        return len(calls) - 1

    assert calls_for(ids[:INTEGRATIONS_A_MESSAGE]) == INTEGRATIONS_A_MESSAGE * calls_for(ids[:1])
    assert calls_for(ids[:1]) == 5


def test_an_integration_that_fails_stops_none_of_several_hundred(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], unlogged: None
) -> None:
    ids = register_many(world)
    failing, *others = ids[7 :: INTEGRATIONS_A_MESSAGE // 2]
    with_orders = [failing, *others]
    orders = {one: an_old_order(world, one, number) for number, one in enumerate(with_orders)}
    world.clock.advance(100 * DAY)
    read = OrderStore.find_redactions_due

    def fails_for_one(store: OrderStore, integration: str, *rest: Any) -> Any:
        if integration == failing:
            raise OSError("this integration fails")
        return read(store, integration, *rest)

    monkeypatch.setattr(OrderStore, "find_redactions_due", fails_for_one)
    with pytest.raises(OSError, match="this integration fails"):
        world.redact()
    assert {one for one, order_id in orders.items() if world.order(order_id).redacted_at is None} == {failing}
    measured = [line for line in capsys.readouterr().out.splitlines() if '"RedactionsOverdue"' in line]
    assert len(measured) == -(-len(ids) // INTEGRATIONS_A_MESSAGE)


def test_a_message_that_sqs_does_not_take_leaves_the_others(world: World) -> None:
    ids = register_many(world)
    with sqs_takes_all_but_the_first(), pytest.raises(NotTaken, match="InternalError"):
        tick()
    assert sum(len(message) for message in asked_for(world)) == len(ids) - 2 * INTEGRATIONS_A_MESSAGE


def test_no_message_is_sent_while_those_of_an_earlier_tick_wait(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(12):
        tick()
    assert asked_for(world) == [["acme-na"]]
    signs = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "IntegrationsToRedact" in line]
    assert [sign["IntegrationsToRedact"] for sign in signs] == [[1.0], *[[0.0]] * 11]


def test_a_message_that_failed_and_will_come_again_holds_no_tick_up(world: World) -> None:
    tick()
    taken = world.sqs.receive_message(QueueUrl=REDACTION_QUEUE)["Messages"]
    assert len(taken) == 1
    tick()
    assert asked_for(world) == [["acme-na"]]


REDACTION_QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/RedactionQueue"


def test_integrations_have_other_neighbours_and_places_with_each_tick() -> None:
    ids = [f"shop-{number}" for number in range(200)]
    first, second = (in_an_order_of(NOON + tick * timedelta(minutes=5), ids) for tick in (0, 1))
    assert sorted(first) == sorted(second) == sorted(ids)
    assert first == in_an_order_of(NOON, ids)
    assert len({*first[:50]} & {*second[:50]}) < 30
    assert len({*first[-50:]} & {*second[-50:]}) < 30


@pytest.mark.parametrize("event", [{}, {"time": "2026-11-23T12:00:00Z"}, {"source": "aws.scheduler"}])
def test_whatever_is_no_message_and_no_request_is_a_tick(world: World, event: dict[str, Any]) -> None:
    """As for the release before: a deployment may leave ticks of either."""
    assert invoke("redact_orders", event) is None
    assert asked_for(world) == [["acme-na"]]


# A message ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", ["[]", '"demo"', "[7]", '["demo", null]', "{}"])
def test_a_message_that_names_no_integrations_fails(world: World, named: str) -> None:
    event = a_message_of_redactions()
    event["Records"][0]["body"] = f'{{"integrationIds": {named}}}'
    with pytest.raises(BatchProcessingError, match="names no integrations"):
        invoke("redact_orders", event)


def test_a_message_may_name_an_integration_that_is_not_there(world: World) -> None:
    order_id = an_old_order(world, "acme-na", 1)
    world.clock.advance(100 * DAY)
    redact("nobody", "acme-na", "acme-na")
    assert world.order(order_id).redacted_at


def test_each_message_measures_what_is_overdue_in_its_own_integrations(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.register("zulu")
    for number, integration in enumerate(("acme-na", "zulu", "zulu")):
        order_id = an_old_order(world, integration, number)
        key = {"TableName": "OrdersTable", "Key": {"orderId": {"S": order_id}}}
        world.dynamodb.put_item(
            TableName="OrdersTable", Item=world.dynamodb.get_item(**key)["Item"] | {"amazon": {"S": "{"}}
        )
    world.clock.advance(100 * DAY)
    redact("zulu")
    assert '"RedactionsOverdue":[2.0]' in capsys.readouterr().out
    redact("acme-na")
    assert '"RedactionsOverdue":[1.0]' in capsys.readouterr().out


def test_a_message_out_of_time_leaves_the_rest_to_the_next_tick(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = ["acme-na", "bravo", "zulu"]
    for one in ids[1:]:
        world.register(one)
    orders = {one: an_old_order(world, one, number) for number, one in enumerate(ids)}
    world.clock.advance(100 * DAY)
    save = OrderStore.save_if_unchanged

    def takes_its_time(*arguments: Any, **more: Any) -> bool:
        world.clock.advance(app("redact_orders").RUN_FOR)
        return save(*arguments, **more)

    monkeypatch.setattr(OrderStore, "save_if_unchanged", takes_its_time)
    redact(*ids)
    assert [one for one, order_id in orders.items() if world.order(order_id).redacted_at] == ["acme-na"]
    assert '"RedactionsOverdue":[2.0]' in capsys.readouterr().out  # those that it did not come to count too
    assert asked_for(world) == []
    monkeypatch.undo()
    tick()
    assert [sorted(message) for message in asked_for(world)] == [ids]


def test_two_messages_at_once_redact_an_order_once(world: World) -> None:
    order_id = an_old_order(world, "acme-na", 1)
    world.clock.advance(100 * DAY)
    before = world.order(order_id).revision
    other = a_message_of_redactions("acme-na")

    def another_run() -> None:
        invoke("redact_orders", other)

    with world.just_before("redact_orders", "UpdateItem", another_run):
        redact("acme-na")
    after = world.order(order_id)
    assert (after.revision, after.redacted_at) == (before + 1, world.clock.now)

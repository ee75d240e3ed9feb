"""One unreadable item, or one integration that fails, stops nobody else: each loop goes on, and says what failed."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from needs_attention.integrations.held_counter import HeldCounter
from needs_attention.jobs.digest import Measurements, digest
from needs_attention.sqs import NotTaken
from needs_attention.tables.orders import OrderStore
from tests.integration.faults import sqs_takes_all_but_the_first
from tools.builders import NOON, an_amazon_order, an_order
from tools.in_memory.api import World, an_event, invoke

SPOILT, OTHER, OF_ZULU = "701-0000001-0000000", "701-0000002-0000000", "701-0000003-0000000"
FAR = NOON + timedelta(days=300)


@pytest.fixture
def two(world: World) -> World:
    """Two integrations; the first has one order that is spoilt in each test, and another one."""
    world.register("zulu")
    for order_id in (SPOILT, OTHER):
        world.download(order_id=order_id, buyer_email=None, ship_by=FAR)
    world.download("zulu", order_id=OF_ZULU, buyer_email=None)
    return world


def spoil_order(world: World, order_id: str = SPOILT, attribute: str = "summary") -> None:
    world.dynamodb.update_item(
        TableName="OrdersTable",
        Key={"orderId": {"S": order_id}},
        UpdateExpression="SET #attribute = :spoilt",
        ExpressionAttributeNames={"#attribute": attribute},
        ExpressionAttributeValues={":spoilt": {"S": '{"orderId": 1}'}},
    )


def spoil(world: World, integration_id: str, item: str) -> None:
    world.dynamodb.update_item(
        TableName="IntegrationsTable",
        Key={"integrationId": {"S": integration_id}, "item": {"S": item}},
        UpdateExpression="SET #data = :spoilt",
        ExpressionAttributeNames={"#data": "data"},
        ExpressionAttributeValues={":spoilt": {"S": "{"}},
    )


def redacted(world: World) -> set[str]:
    every = (world.orders.get(order_id) for order_id in (SPOILT, OTHER, OF_ZULU))
    return {order.order_id for order in every if order and order.redacted_at}


def begin_an_erasure(world: World, **more: Any) -> str:
    wanted = {"reference": "GR-1", "buyerEmail": "buyer@example.com", "evenIfUnsent": True, **more}
    erasure_id: str = world.call("POST", "/erasures", wanted).body["erasureId"]
    return erasure_id


# Orders ---------------------------------------------------------------------------------------------------------------


def test_a_list_shows_the_orders_that_can_be_read(two: World) -> None:
    spoil_order(two)
    shown = [order["orderId"] for order in two.call("GET", "/orders", role="reader").body["orders"]]
    assert sorted(shown) == [OTHER, OF_ZULU]
    assert two.call("GET", "/summary", role="reader").body["held"] == 2
    assert SPOILT not in two.call("GET", "/orders.csv", role="reader").body


def test_the_log_of_a_list_names_the_orders_that_cannot_be_read(two: World, log_lines: io.StringIO) -> None:
    two.call("GET", "/orders", role="reader")
    spoil_order(two)
    two.call("GET", "/orders", role="reader")
    lines = [json.loads(text) for text in log_lines.getvalue().splitlines()]
    assert [line["order_ids"] for line in lines if line["message"] == "orders cannot be read"] == [[SPOILT]]


def test_a_stage_whose_only_order_is_unreadable_is_not_removed(two: World) -> None:
    stage_id = two.call("POST", "/stages", {"name": "Packing"}).body["id"]
    two.store(an_order(an_amazon_order(order_id="701-4"), integration="acme-na", stage=stage_id))
    spoil_order(two, "701-4")
    assert two.call("DELETE", f"/stages/{stage_id}").status == 409


def test_an_erasure_names_the_orders_that_it_could_not_read(two: World) -> None:
    erasure_id = begin_an_erasure(two, integration="acme-na")
    key: Any = {"TableName": "OrdersTable", "Key": {"orderId": {"S": SPOILT}}}
    two.dynamodb.put_item(
        TableName="OrdersTable",
        Item={**two.dynamodb.get_item(**key)["Item"], "amazon": {"S": "{"}, "summary": {"S": "{"}},
    )
    two.redact()
    (part,) = two.call("GET", f"/erasures/{erasure_id}").body["integrations"]
    assert (part["orders"], part["unreadable"], part["unreadableCount"]) == (2, [SPOILT], 1)
    assert part["finishedAt"]
    assert (part["erased"], part["unsent"]) == ([], [])


def test_an_order_with_a_spoilt_summary_is_erased_all_the_same(two: World) -> None:
    email = "buyer@example.com"
    two.call("PATCH", f"/orders/{SPOILT}", {"email": email})
    spoil_order(two)
    erasure_id = begin_an_erasure(two, buyerEmail=email)
    two.redact()
    erased = [part["erased"] for part in two.call("GET", f"/erasures/{erasure_id}").body["integrations"]]
    assert erased == [[SPOILT], []]


def test_an_unreadable_order_keeps_no_other_from_being_redacted(two: World) -> None:
    begin_an_erasure(two, integration="acme-na")
    spoil_order(two)
    two.clock.advance(timedelta(days=60))
    two.redact()
    assert OF_ZULU in redacted(two)


def test_a_redaction_that_cannot_be_read_is_named_in_the_log(two: World, log_lines: io.StringIO) -> None:
    two.clock.advance(timedelta(days=400))
    two.redact()
    spoil_order(two, attribute="redaction")
    found = two.call("GET", "/integrations/acme-na/redactions", role="reader").body["redactions"]
    assert [one["orderId"] for one in found] == [OTHER]
    lines = [json.loads(text) for text in log_lines.getvalue().splitlines()]
    assert [line["order_ids"] for line in lines if line["message"] == "redactions cannot be read"] == [[SPOILT]]


def test_the_digest_names_the_held_orders_that_cannot_be_read(two: World) -> None:
    spoil_order(two)
    text = the_digest(two)
    assert f"Held, but cannot be read: {SPOILT}" in text
    assert "Held now: 2." in text


# Integrations ---------------------------------------------------------------------------------------------------------


def test_unreadable_settings_keep_no_personal_data(two: World) -> None:
    spoil(two, "#system", "integration#zulu")
    two.clock.advance(timedelta(days=60))
    two.redact()
    assert redacted(two) == {OF_ZULU}


def test_an_erasure_covers_an_integration_whose_settings_cannot_be_read(two: World) -> None:
    email = "buyer@example.com"
    two.call("PATCH", f"/orders/{OF_ZULU}", {"email": email})
    spoil(two, "#system", "integration#zulu")
    erasure_id = begin_an_erasure(two, buyerEmail=email)
    two.redact()
    parts = two.call("GET", f"/erasures/{erasure_id}").body["integrations"]
    assert [(part["integration"], part["erased"]) for part in parts] == [("acme-na", []), ("zulu", [OF_ZULU])]
    due = two.call("GET", "/retention").body["integrations"]
    assert [one["integration"] for one in due] == ["acme-na", "zulu"]


def test_an_erasure_may_name_an_integration_that_cannot_be_read(two: World) -> None:
    email = "buyer@example.com"
    two.call("PATCH", f"/orders/{OF_ZULU}", {"email": email})
    spoil(two, "#system", "integration#zulu")
    erasure_id = begin_an_erasure(two, buyerEmail=email, integration="zulu")
    two.redact()
    (part,) = two.call("GET", f"/erasures/{erasure_id}").body["integrations"]
    assert (part["integration"], part["erased"]) == ("zulu", [OF_ZULU])


def test_unreadable_settings_hide_no_proof_of_a_redaction(two: World) -> None:
    two.clock.advance(timedelta(days=60))
    two.redact()
    spoil(two, "#system", "integration#zulu")
    told = two.call("GET", "/integrations/zulu/redactions").body["redactions"]
    assert [one["orderId"] for one in told] == [OF_ZULU]
    assert two.call("GET", "/integrations/none/redactions").status == 404


def test_unreadable_settings_hide_no_other_integration(two: World) -> None:
    spoil(two, "#system", "integration#acme-na")
    assert [one["integrationId"] for one in two.call("GET", "/integrations").body["integrations"]] == ["zulu"]
    assert [one["orderId"] for one in two.call("GET", "/orders").body["orders"]] == [OF_ZULU]
    assert two.call("GET", "/retention").status == 200
    assert "cannot be read: acme-na." in the_digest(two)


@pytest.mark.parametrize(("partition", "item"), [("#connections", "incidents#acme-na"), ("acme-na", "live")])
def test_an_unreadable_state_of_one_integration_hides_nothing(two: World, partition: str, item: str) -> None:
    spoil(two, partition, item)
    assert len(two.call("GET", "/integrations").body["integrations"]) == 2
    assert len(two.call("GET", "/orders").body["orders"]) == 3
    assert the_digest(two)


def fails_for_acme(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The named read of the order store fails for one integration."""
    read: Callable[..., Any] = getattr(OrderStore, name)

    def fails(store: OrderStore, integration: str, *arguments: Any) -> Any:
        if integration == "acme-na":
            raise OSError("this integration fails")
        return read(store, integration, *arguments)

    monkeypatch.setattr(OrderStore, name, fails)


def test_an_integration_that_fails_keeps_no_other_from_its_redactions(
    two: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    two.clock.advance(timedelta(days=60))
    fails_for_acme(monkeypatch, "find_redactions_due")
    with pytest.raises(OSError, match="this integration fails"):
        two.redact()
    assert redacted(two) == {OF_ZULU}
    assert '"RedactionsOverdue"' in capsys.readouterr().out


def test_an_integration_that_fails_keeps_no_other_out_of_the_digest(
    two: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails_for_acme(monkeypatch, "find_by_stage")
    text = the_digest(two)
    assert "Not in this digest, because they cannot be read: acme-na." in text
    assert "Held now: 1." in text


def test_a_wake_up_that_sqs_does_not_take_keeps_no_other_asleep(two: World) -> None:
    with sqs_takes_all_but_the_first(), pytest.raises(NotTaken, match="InternalError"):
        invoke("download_orders", an_event("download_orders_tick"))
    assert two.woken() == ["zulu"]


def test_a_counter_that_cannot_be_read_keeps_no_other_from_being_added(
    two: World, capsys: pytest.CaptureFixture[str]
) -> None:
    for integration_id in ("acme-na", "zulu"):
        two.downloads.save_held_counter(integration_id, HeldCounter(held=1, counted_at=NOON))
    spoil(two, "#held", "held#acme-na")
    invoke("download_orders", an_event("download_orders_tick") | {"time": "2026-11-23T12:00:00Z"})
    assert '"OrdersHeldNow":[1.0]' in capsys.readouterr().out


class NoMeasurements(Measurements):
    def __init__(self) -> None:
        """Asks nobody."""

    def total(self, *_: object) -> int:
        return 0


def the_digest(world: World) -> str:
    return digest(world.orders, world.integrations, world.downloads, NoMeasurements(), world.clock.now).text

"""Nothing that Amazon sends is lost on the way, and nothing is read or counted twice."""

from collections.abc import Callable
from datetime import timedelta
from itertools import groupby
from typing import Any

import pytest

from needs_attention.downloads.by_id import RETRY_SET_ASIDE_AFTER
from needs_attention.jobs.download import report_comparison
from needs_attention.jobs.download.intake import Intake
from tests.integration.downloads.conftest import MINUTE, World, second_look
from tests.integration.downloads.test_order_reports import busy  # noqa: F401 - a fixture


def make_too_large(world: World, order_id: str) -> None:
    line = dict(world.amazon.order(order_id).order["orderItems"][0])
    world.amazon.patch(order_id, {"orderItems": [line] * 3000})


def spoil(world: World, order_id: str) -> None:
    """The item under the order's ID cannot be read."""
    world.dynamodb.put_item(TableName="OrdersTable", Item={"orderId": {"S": order_id}, "amazon": {"S": "{"}})


@pytest.mark.parametrize("fail", [make_too_large, spoil])
def test_an_order_that_fails_twice_stays_on_the_list_of_those_set_aside(
    world: World, fail: Callable[[World, str], None]
) -> None:
    order_id = min(world.ledger())
    fail(world, order_id)
    world.backdate()
    world.run()
    (first,) = world.downloads.all_set_aside("demo")
    began = world.clock()
    assert (first.order_id, first.tries, first.retry_at) == (order_id, 1, began + RETRY_SET_ASIDE_AFTER[0])

    world.clock.advance(RETRY_SET_ASIDE_AFTER[0])
    world.run()
    (second,) = world.downloads.all_set_aside("demo")
    assert (second.order_id, second.tries, second.first_seen_at) == (order_id, 2, began)
    assert second.retry_at == world.clock() + RETRY_SET_ASIDE_AFTER[1]


@pytest.mark.parametrize("channel", [{"channelName": "AMAZON"}, {"channelName": "AMAZON", "marketplaceId": None}])
def test_an_order_that_names_no_marketplace_is_taken(world: World, channel: dict[str, Any]) -> None:
    world.change(marketplace_ids=("ATVPDKIKX0DER",))
    entry = next(one for one in world.amazon.orders() if one.marketplace_id == "ATVPDKIKX0DER")
    raw = dict(entry.order) | {"orderId": "777-7777777-7777777", "salesChannel": channel}
    intake = Intake(world.orders, world.downloads)
    taken = intake.take(world.integration, [raw], cause="download", request_id=None, now=world.clock())
    assert taken.counts.new == 1
    assert world.order("777-7777777-7777777").amazon.marketplace_id is None


def test_each_row_of_a_report_is_read_by_one_run_alone(
    busy: World,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(report_comparison, "_COMPARED_AT_ONCE", 10)
    compared: list[list[str]] = []
    versions = busy.orders.versions

    def told(order_ids: Any) -> Any:
        compared.append(list(order_ids))
        return versions(compared[-1])

    monkeypatch.setattr(busy.orders, "versions", told)
    busy.run()
    busy.clock.advance(3 * MINUTE)
    runs = 0
    while second_look(busy).finished_at is None:
        busy.run(lasting=timedelta())
        runs += 1
        assert runs < 20
    rows = [order_id for some in compared for order_id in some]
    assert runs > 2
    # The rows of an order's lines stand one after another, and two runs may each read some of them.
    assert sorted(order_id for order_id, _ in groupby(rows)) == sorted(busy.ledger())
    assert second_look(busy).counts.orders == len(rows)
    assert second_look(busy).finished_at == busy.clock()

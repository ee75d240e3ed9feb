"""Nothing that Amazon sends is lost on the way, and nothing is read or counted twice."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import pytest

from needs_attention.downloads.by_id import RETRY_SET_ASIDE_AFTER
from needs_attention.jobs.download import report_comparison
from needs_attention.jobs.download.intake import Intake, Taken
from tests.integration.downloads.conftest import MINUTE, World, second_look
from tests.integration.downloads.test_order_reports import busy  # noqa: F401 - a fixture
from tools.builders import ABSENT, a_raw_item, a_raw_order


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


LATER = {"lastUpdatedTime": "2026-11-23T11:30:00Z"}
POORER: dict[str, Any] = {"buyer": ABSENT, "recipient": ABSENT}


@pytest.mark.parametrize(
    "copies",
    [
        ({}, POORER),
        (POORER, {}),
        ({}, POORER | LATER),
        (POORER, LATER),
        ({}, {"buyer": {"buyerEmail": "[Redacted]"}}, {"recipient": ABSENT} | LATER),
        (
            {"fulfillment": {"fulfillmentStatus": "UNSHIPPED"}},
            {"fulfillment": {"fulfillmentStatus": "SHIPPED"}} | LATER,
        ),
        ({"orderItems": ABSENT}, {"buyer": ABSENT}),
        ({"fulfillment": {"fulfillmentStatus": "ODD"}}, {"fulfillment": {"fulfillmentStatus": "ODDER"}} | LATER),
    ],
)
def test_copies_on_one_page_are_merged_as_two_downloads_would_be(
    world: World, copies: tuple[dict[str, Any], ...]
) -> None:
    at_once = [a_raw_order(**changes) for changes in copies]
    one_by_one = [raw | {"orderId": "701-2222222-2222222"} for raw in at_once]
    taken = take(world, at_once)
    for raw in one_by_one:
        take(world, [raw])
    first, second = (world.order(raw[0]["orderId"]).amazon for raw in (at_once, one_by_one))
    assert first.model_copy(update={"order_id": second.order_id}) == second
    assert (taken.counts.orders, taken.counts.new) == (1, 1)


MOVED = {"recipient": {"deliveryAddress": {"addressLine1": "5 Mill Road"}}}
LATEST = {"lastUpdatedTime": "2026-11-23T12:00:00Z"}


@pytest.mark.parametrize(
    ("stored", "copies"),
    [
        (MOVED | LATER, ({}, {"recipient": ABSENT} | LATEST)),  # the older copy has the address before
        (MOVED | LATER, ({}, {"recipient": ABSENT} | LATER)),
        ({}, ({"fulfillment": {"fulfillmentStatus": "SHIPPED"}} | LATER, LATEST)),  # it came back from shipped
        ({}, ({"fulfillment": {"fulfillmentStatus": "ODD"}} | LATER, LATEST)),
    ],
)
def test_copies_are_merged_into_the_stored_order_one_after_another(
    world: World, stored: dict[str, Any], copies: tuple[dict[str, Any], ...]
) -> None:
    take(world, [a_raw_order(**stored)])
    take(world, [a_raw_order(**stored) | {"orderId": "701-2222222-2222222"}])
    at_once = [a_raw_order(**changes) for changes in copies]
    take(world, at_once)
    for raw in at_once:
        take(world, [raw | {"orderId": "701-2222222-2222222"}])
    first, second = world.order("701-1111111-1111111").amazon, world.order("701-2222222-2222222").amazon
    assert first.model_copy(update={"order_id": second.order_id}) == second


def test_an_older_copy_on_a_page_fills_gaps_of_the_newer_one_before_it(world: World) -> None:
    take(world, [a_raw_order(**POORER | LATER), a_raw_order()])
    amazon = world.order("701-1111111-1111111").amazon
    assert (amazon.buyer_email, amazon.recipient_name) == ("bella@marketplace.example.com", "Ada Quill")
    assert amazon.updated_at == datetime(2026, 11, 23, 11, 30, tzinfo=UTC)


def test_copies_that_are_too_large_together_spoil_no_page(world: World) -> None:
    programs = ["P" * 2_000] * 40
    lines = [a_raw_item(orderItemId=str(number)) for number in range(150)]
    taken = take(
        world,
        [
            a_raw_order(programs=programs, orderItems=ABSENT),
            a_raw_order(programs=[], orderItems=lines),
            a_raw_order(orderId="701-2222222-2222222"),
        ],
    )
    assert (taken.counts.new, taken.counts.set_aside) == (1, 1)


@pytest.mark.parametrize(
    ("lines", "title"), [(130, "山" * 200), (265, "a" * 200), (300, '"\\' * 900), (350, "Desk lamp"), (120, "😀" * 500)]
)
def test_an_order_of_hundreds_of_lines_with_long_titles_is_stored(world: World, lines: int, title: str) -> None:
    raw = a_raw_order(
        orderItems=[
            a_raw_item(orderItemId=str(n), product={"title": title, "sellerSku": f"S-{n}"}) for n in range(lines)
        ]
    )
    assert take(world, [raw]).counts.new == 1
    world.judge_all()
    order = world.order(raw["orderId"])
    stored = order.amazon.line_items
    assert stored is not None
    assert [line.seller_sku for line in stored] == [f"S-{n}" for n in range(lines)]
    assert all(line.title is None or title.startswith(line.title.removesuffix("…")) for line in stored)
    assert not order.is_held
    assert world.downloads.all_set_aside("demo") == ()
    assert take(world, [raw]).counts.unchanged == 1


def take(world: World, raw_orders: list[dict[str, Any]]) -> Taken:
    intake = Intake(world.orders, world.downloads)
    return intake.take(world.integration, raw_orders, cause="download", request_id=None, now=world.clock())


@pytest.mark.parametrize("channel", [{"channelName": "AMAZON"}, {"channelName": "AMAZON", "marketplaceId": None}])
def test_an_order_that_names_no_marketplace_is_taken(world: World, channel: dict[str, Any]) -> None:
    world.change(marketplace_ids=("ATVPDKIKX0DER",))
    entry = next(one for one in world.amazon.orders() if one.marketplace_id == "ATVPDKIKX0DER")
    raw = dict(entry.order) | {"orderId": "777-7777777-7777777", "salesChannel": channel}
    assert take(world, [raw]).counts.new == 1
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

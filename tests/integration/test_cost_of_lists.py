"""The cost of reading orders in DynamoDB: the same with many orders in the table as with few.

`make scale` measures the same with 50,000 orders on the local stack; here is why it comes out as it does.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import batched
from typing import Any, NamedTuple

import pytest
from moto import mock_aws

from needs_attention.api.orders.filters import OrderFilters
from needs_attention.api.orders.list import MOST_ENTRIES_READ
from needs_attention.orders.order import Order
from needs_attention.orders.settings import ThreePlStatus
from needs_attention.tables.order_items import created_key, ship_by_key, to_item
from needs_attention.values import times
from tools.builders import CREATED, NOON, a_judged_order, an_amazon_order
from tools.consumption import consumption_of
from tools.in_memory.api import Answer, Clock, World

FEW, MANY = 800, 2000
MINUTE = timedelta(minutes=1)
DUE = NOON + timedelta(days=10)
HELD = "Needs Attention"
# The entries that a narrowed list reads at once.
ENTRIES_OF_A_NARROWED_QUERY = 250


def order_number(number: int) -> Order:
    """Each is a minute newer, and due a minute sooner, than the one before: more of them lie before the first ones.

    Every third is held for its email; the warehouse may take the others.
    """
    created_at = CREATED - (MANY - number) * MINUTE
    fields: dict[str, Any] = {"buyer_email": None} if number % 3 == 0 else {}
    amazon = an_amazon_order(
        order_id=f"701-{number:07}-0000000",
        created_at=created_at,
        updated_at=created_at,
        ship_by=DUE - number * MINUTE,
        **fields,
    )
    order = a_judged_order(amazon, revision=1)
    return order if order.hold else order.with_(three_pl_status=ThreePlStatus.NOW)


def created(number: int) -> datetime:
    return order_number(number).amazon.created_at


def after(order: Order, **query: str) -> dict[str, str]:
    """The page that begins after an order."""
    filters = OrderFilters.model_validate(query)
    position = ship_by_key(order) if filters.sorts_by_ship_by else created_key(order)
    return query | {"cursor": filters.cursor_at(position)}


class Reading(NamedTuple):
    """A call that reads orders, and how many of them it shows."""

    shows: int
    path: str = "/orders"
    query: Mapping[str, object] = {}
    role: str = "reader"


AMONG_THE_FIRST = order_number(300)
READINGS = {
    "the newest": Reading(50),
    "a page further down": Reading(50, query=after(AMONG_THE_FIRST)),
    "a Stage": Reading(50, query={"stage": HELD}),
    "a page further down a Stage": Reading(50, query=after(AMONG_THE_FIRST, stage=HELD)),
    "orders of a Stage to send by then": Reading(50, query={"stage": HELD, "shipByBefore": DUE}),
    "a span of time": Reading(50, query={"createdAfter": created(200), "createdBefore": created(300)}),
    "by their IDs": Reading(3, query={"orderIds": [order_number(number).order_id for number in (0, 300, 500)]}),
    "those that lack an email": Reading(50, query={"missing": "email"}),
    "whose turn it is in a Stage": Reading(50, query={"stage": HELD, "queue": "waitingForAmazon"}),
    "what the warehouse may take": Reading(50, role="warehouse"),
    "a page as a sheet": Reading(50, "/orders.csv", {"stage": HELD}),
    "one order": Reading(1, f"/orders/{AMONG_THE_FIRST.order_id}"),
    "one order's history": Reading(0, f"/orders/{AMONG_THE_FIRST.order_id}/history"),
}


class Cost(NamedTuple):
    """The requests of a call to DynamoDB, and how many orders it showed for them."""

    shown: int
    requests: int
    entries: int
    read_units: float


class Costs(NamedTuple):
    """Of each reading, with that many orders."""

    few: Mapping[str, Cost]
    many: Mapping[str, Cost]

    @property
    def entries_of_settings(self) -> int:
        """The items that each list reads in addition to orders: the integrations, and their state."""
        return self.many["by their IDs"].entries - READINGS["by their IDs"].shows


def cost_of(world: World, reading: Reading) -> Cost:
    with consumption_of(world.dynamodb) as used:
        answer = world.call("GET", reading.path, role=reading.role, query=reading.query)
    assert answer.status == 200, answer.body
    return Cost(shown(answer), used.requests, used.entries, used.read_units)


def shown(answer: Answer) -> int:
    """How many orders, whatever they are shown as."""
    if isinstance(answer.body, str):
        return len(answer.body.splitlines()) - 1
    return len(answer.body["orders"]) if "orders" in answer.body else int("orderId" in answer.body)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A world without orders, for all tests here: to fill it takes most of their time."""
    clock = Clock()
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(times, "utc_now", clock)
        world = World(clock)
        world.register()
        yield world


@pytest.fixture(scope="module")
def costs(world: World) -> Costs:
    store(world, 0, FEW)
    few = {name: cost_of(world, reading) for name, reading in READINGS.items()}
    store(world, FEW, MANY)
    return Costs(few, {name: cost_of(world, reading) for name, reading in READINGS.items()})


def store(world: World, first: int, end: int) -> None:
    for numbers in batched(range(first, end), 25, strict=False):
        puts: Any = [{"PutRequest": {"Item": to_item(order_number(number))}} for number in numbers]
        world.dynamodb.batch_write_item(RequestItems={"OrdersTable": puts})


@pytest.mark.parametrize("name", READINGS)
def test_a_reading_costs_as_much_with_many_orders_as_with_few(costs: Costs, name: str) -> None:
    assert costs.few[name].shown == READINGS[name].shows
    assert costs.many[name] == costs.few[name]


@pytest.mark.parametrize(
    "name", ["the newest", "a page further down", "a Stage", "a page further down a Stage", "a span of time"]
)
def test_a_page_looks_at_one_order_more_than_it_shows(costs: Costs, name: str) -> None:
    assert costs.many[name].entries - costs.entries_of_settings == READINGS[name].shows + 1


def test_a_filter_that_matches_no_order_reads_its_share_and_no_more(world: World, costs: Costs) -> None:
    cost = cost_of(world, Reading(0, query={"assignedTo": "nobody"}))
    assert cost.shown == 0
    assert cost.entries - costs.entries_of_settings == MOST_ENTRIES_READ + ENTRIES_OF_A_NARROWED_QUERY

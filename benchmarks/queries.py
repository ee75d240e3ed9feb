"""The cost of a page of orders, from a thousand orders to a million: its reads, and our own processor time.

`make scale` (docs/scale.md) measures every route on the whole stack with two numbers of orders; this calls the function
in its way on tables alone, with more numbers of orders.
"""

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import mean
from typing import NamedTuple
from unittest.mock import patch

from botocore.config import Config

from benchmarks.embedded_dynamodb import embedded_dynamodb, environment_on
from benchmarks.markdown import table
from benchmarks.report import Figure, Section, told_of
from benchmarks.rounds import Spread, interleaved, ratio
from needs_attention import aws
from needs_attention.tables.order_items import to_item
from needs_attention.tables.orders import BY_CREATED
from tools.consumption import BYTES_A_READ_UNIT, Consumption, size_of
from tools.from_template import resources
from tools.local_stack.expectations import expect
from tools.local_stack.filled_tables import fill, stored_orders
from tools.local_stack.scale import HELD, PAGE, InProcess, Route
from tools.local_stack.stack import Stack

NUMBERS = (1_000, 10_000, 100_000)
ON_PAPER = 1_000_000
ROUNDS = 10
# MiniStack may take seconds for a query among 100,000 orders, after which a function gives a call up.
PATIENT = Config(read_timeout=60)
# Of orders, to know how large they and their entries are on average.
SAMPLE = 1_000


class Account:
    """Tables with so many orders, and the function that answers questions about them."""

    def __init__(self, stack: Stack, number: int, now: datetime) -> None:
        fill(stack, number, now, lambda sentence: print(f"  {sentence}", flush=True))
        with patch.object(aws, "CONFIG", aws.CONFIG.merge(PATIENT)):
            self._function = InProcess("query_orders", stack, variables=environment_on(stack, "query_orders"))

    def weigh(self, route: Route) -> Consumption:
        """The call's requests to DynamoDB."""
        answer, consumption = self._function.consumption(route)
        expect(answer.status, 200, route.name)
        if route.path == "/orders":
            expect(len(json.loads(answer.body)["orders"]), PAGE, f"the orders that {route.name} shows")
        return consumption

    def milliseconds(self, route: Route) -> float:
        """Of a processor, in this process."""
        return 1000 * self._function.call(route).seconds


def _routes(now: datetime) -> list[Route]:
    order = f"/orders/{next(stored_orders(1, now)).order_id}"
    span = {
        "createdAfter": (now - timedelta(days=10)).isoformat(),
        "createdBefore": (now - timedelta(days=4)).isoformat(),
    }
    return [
        Route("orders by Stage", "GET", "/orders", HELD),
        Route("orders by created time, newest first", "GET", "/orders"),
        Route("orders by created time, a span", "GET", "/orders", span),
        Route("one order", "GET", order),
        Route("its history", "GET", f"{order}/history"),
        Route("summary", "GET", "/summary", is_bounded=True),
    ]


class Sizes(NamedTuple):
    """Mean bytes of an order's item, and of its entry in the index by created time."""

    item: float
    entry: float

    @classmethod
    def of_stored_orders(cls, now: datetime) -> "Sizes":
        indexes = resources()["OrdersTable"]["Properties"]["GlobalSecondaryIndexes"]
        index = next(one for one in indexes if one["IndexName"] == BY_CREATED)
        keys = {key["AttributeName"] for key in index["KeySchema"]}
        projected = {"orderId", *keys, *index["Projection"]["NonKeyAttributes"]}
        items = [to_item(order) for order in stored_orders(SAMPLE, now)]
        entries = [{name: value for name, value in item.items() if name in projected} for item in items]
        return cls(mean(map(size_of, items)), mean(map(size_of, entries)))

    @property
    def units_of_a_page(self) -> float:
        """A query reads one entry more than its page shows; 4 KB begun are half a unit (it may be a moment old)."""
        return math.ceil((PAGE + 1) * self.entry / BYTES_A_READ_UNIT) / 2

    def units_of_a_scan(self, orders: int) -> int:
        return math.ceil(orders * self.item / BYTES_A_READ_UNIT / 2)


def _table_of_reads(weighed: Mapping[int, Mapping[str, Consumption]], sizes: Sizes) -> str:
    largest = weighed[NUMBERS[-1]]
    rows = [
        (name, *(f"{weighed[number][name].read_units:g}" for number in NUMBERS), f"{consumption.read_units:g}")
        for name, consumption in largest.items()
    ]
    scans = (f"{sizes.units_of_a_scan(number):,}" for number in (*NUMBERS, ON_PAPER))
    rows.append(("for comparison: a scan with a filter (calculated)", *scans))
    headings = [f"{number:,}" for number in NUMBERS]
    return table(("read units, by the number of orders", *headings, f"{ON_PAPER:,} (calculated)"), rows)


def _table_of_times(figures: Mapping[str, Sequence[float]], routes: Sequence[Route]) -> str:
    few, many = NUMBERS[0], NUMBERS[-1]
    rows = []
    for route in routes:
        times = [figures[_name(route, number)] for number in NUMBERS]
        of_all = ratio(times[-1], times[0])
        rows.append((route.name, *(Spread.of(some).shown(1) for some in times), of_all.shown(2)))
    headings = [f"{number:,}" for number in NUMBERS]
    return table(("our processor time, ms", *headings, f"ratio, {many:,} to {few:,}"), rows)


def _name(route: Route, number: int) -> str:
    return f"{route.name}, {number}"


def section() -> Section:
    """Takes about ten minutes, most of it to fill the tables."""
    print("Queries", flush=True)
    now = datetime.now(UTC)
    routes = _routes(now)
    with ExitStack() as stack:
        accounts = {
            number: Account(stack.enter_context(embedded_dynamodb(f"bench-{number}")), number, now)
            for number in NUMBERS
        }
        # The first call is slower, so it is the one that is weighed.
        weighed = {
            number: {route.name: account.weigh(route) for route in routes} for number, account in accounts.items()
        }
        figures = interleaved(
            ROUNDS,
            {
                _name(route, number): partial(account.milliseconds, route)
                for number, account in accounts.items()
                for route in routes
            },
        )
    sizes = Sizes.of_stored_orders(now)
    flat = _flat(weighed, [route.name for route in routes if route.is_bounded])
    return Section(
        [flat],
        f"""## Queries

The same questions, asked of {" and ".join(f"{number:,}" for number in NUMBERS)} orders of one integration,
three in ten of them held, in tables of MiniStack. A page shows {PAGE} orders. The function's own code is called in the
measuring process.

{_table_of_reads(weighed, sizes)}

Read units are calculated from the bytes that came back, by DynamoDB's rule (each started 4 KB is a unit, or half a unit
if the read need not be consistent), because MiniStack reports the same for every query. They include the settings that
a route reads. {ON_PAPER:,} orders are not measured. There too a page of an index is {PAGE + 1} entries,
{sizes.entry:.0f} bytes each on average, which is {sizes.units_of_a_page:g} units and the settings; one order is one
item; the summary stops at its bound of 1,000 orders of a Stage. A scan would read every item, {sizes.item:,.0f} bytes
each.

{_table_of_times(figures, routes)}

Median (least to most) of {ROUNDS} rounds, without DynamoDB's own time and without waiting. AWS promises how long
DynamoDB takes for a page of a large partition; it is not measured here, because MiniStack sorts the whole partition for
each query. For all routes, and over the whole stack, see [scale.md](scale.md).

{told_of(flat)}
""",
    )


def _flat(weighed: Mapping[int, Mapping[str, Consumption]], bounded: Sequence[str]) -> Figure:
    """Whether no route reads more with more orders, apart from those that stop at a bound of their own."""
    few, many = weighed[NUMBERS[0]], weighed[NUMBERS[-1]]
    more = [name for name in many if many[name].read_units > few[name].read_units]
    others = [name for name in more if name not in bounded]
    reached = f"more: {', '.join(others)}" if others else "flat"
    if growing := [name for name in more if name in bounded]:
        reached += f", and up to its bound more for {', '.join(growing)}"
    return Figure("read units of a page with more orders", reached, "flat", not others)


if __name__ == "__main__":
    print(section().text)

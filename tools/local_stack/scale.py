"""Fifty thousand orders against five hundred: the time and reads of each route, on two stacks at the same time.

Over HTTP a call goes through the whole stack, the embedded AWS included. To measure our own part, this process runs the
functions' code on the same tables, and takes its processor time and its requests to DynamoDB.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.util import module_from_spec, spec_from_file_location
from statistics import median
from types import SimpleNamespace
from typing import Any, Literal, NamedTuple
from unittest import mock
from urllib.parse import urlencode

from botocore.session import get_session

from needs_attention import aws
from needs_attention.tables.orders import BY_CREATED
from tools.consumption import Consumption, consumption_of
from tools.from_template import logical_id_of
from tools.local_stack import local_aws
from tools.local_stack.api import CONNECTIONS
from tools.local_stack.deployment import PROJECT
from tools.local_stack.expectations import Unexpected, expect
from tools.local_stack.filled_tables import fill, stored_orders
from tools.local_stack.functions import Functions
from tools.local_stack.registration import INTEGRATION
from tools.local_stack.stack import Stack

FEW, MANY = 500, 50_000
ROUNDS = 30
SAYS_EVERY = 5
# How much more a route may ask of DynamoDB with many orders than with few, unless it is bounded by design.
MOST_MORE = 1.3
PAGE = 50
HELD = {"stage": "Needs Attention"}
TYPED = "typed@mail.example.com"


class Route(NamedTuple):
    """A call of the API, as people make it. `is_bounded`: it reads more with more orders, up to a bound, by design."""

    name: str
    method: str
    path: str
    query: Mapping[str, str] = {}
    role: str = "reader"
    body: object = None
    is_bounded: bool = False

    @property
    def function(self) -> Literal["query_orders", "edit_orders"]:
        return "query_orders" if self.method == "GET" else "edit_orders"

    @property
    def content(self) -> str | None:
        return None if self.body is None else json.dumps(self.body)

    @property
    def headers(self) -> dict[str, str]:
        kind = "application/merge-patch+json" if self.method == "PATCH" else "application/json"
        return {} if self.body is None else {"Content-Type": kind}


class Answer(NamedTuple):
    """An answer, and the seconds until it came (of a processor, if it came from this process)."""

    status: int
    body: str
    seconds: float


class InProcess:
    """A function's code in this process, on the tables of a stack: a copy of its own, as it reads its settings once.

    `variables` are its environment, where the stack has tables and no functions; else it has that of the deployed one.
    """

    def __init__(self, name: str, stack: Stack, variables: Mapping[str, str] | None = None) -> None:
        self._name = name
        environment = {
            **local_aws.environment_of(stack.aws_endpoint),
            **(variables or Functions(stack).environment(logical_id_of(name))),
            "POWERTOOLS_LOG_LEVEL": "WARNING",
        }
        spec = spec_from_file_location(f"{name}_of_{stack.outputs['ApiId']}", PROJECT / f"functions/{name}/app.py")
        if spec is None or spec.loader is None:
            raise RuntimeError(f"There is no function {name}")
        self._app: Any = module_from_spec(spec)
        # The functions' session keeps the credentials of the first environment that it saw.
        its_own_session = mock.patch.object(aws, "_session", get_session)
        with mock.patch.dict(os.environ, environment, clear=True), its_own_session:
            spec.loader.exec_module(self._app)

    def call(self, route: Route) -> Answer:
        event = self._event_of(route)
        began = time.thread_time()
        answer = self._app.handler(event, CONTEXT)
        return Answer(answer["statusCode"], answer["body"], time.thread_time() - began)

    def consumption(self, route: Route) -> tuple[Answer, Consumption]:
        with consumption_of(self._app.dynamodb) as consumption:
            answer = self.call(route)
        return answer, consumption

    def consumption_of_event(self, event: Mapping[str, object]) -> Consumption:
        """Of an event that is no call of the API. Raises what the function raises."""
        with consumption_of(self._app.dynamodb) as consumption:
            failures = (self._app.handler(event, CONTEXT) or {}).get("batchItemFailures", [])
        expect(failures, [], f"what {self._name} could not do")
        return consumption

    def _event_of(self, route: Route) -> dict[str, Any]:
        event = json.loads((PROJECT / f"events/{self._name}.json").read_text())
        claims = {"username": f"{route.role}@example.com", "cognito:groups": route.role}
        return {
            **event,
            "httpMethod": route.method,
            "path": route.path,
            "headers": route.headers,
            "multiValueHeaders": {name: [value] for name, value in route.headers.items()},
            "queryStringParameters": dict(route.query) or None,
            "multiValueQueryStringParameters": {name: [value] for name, value in route.query.items()},
            "body": route.content,
            "requestContext": event["requestContext"] | {"authorizer": {"claims": claims}, "path": f"/v1{route.path}"},
        }


def over_http(stack: Stack, route: Route) -> Answer:
    headers = {"Authorization": f"Bearer {stack.tokens[route.role]}", **route.headers}
    url = f"{stack.api}{route.path}" + (f"?{urlencode(route.query)}" if route.query else "")
    began = time.perf_counter()
    answer = CONNECTIONS.request(route.method, url, body=route.content, headers=headers)
    return Answer(answer.status, answer.data.decode(), time.perf_counter() - began)


CONTEXT: Any = SimpleNamespace(
    function_name="in-process", memory_limit_in_mb=512, invoked_function_arn="arn:aws:lambda", aws_request_id="1"
)


class Measured(NamedTuple):
    """Of one route with one number of orders: seconds of each call, and what one call asks of DynamoDB."""

    http: list[float]
    processor: list[float]
    consumption: Consumption


class Account:
    """A stack with so many orders, and the calls that are measured on it."""

    def __init__(self, stack: Stack, orders: int, now: datetime, say: Callable[[str], None]) -> None:
        self.orders = orders
        self._stack = stack
        fill(stack, orders, now, say)
        self._functions = {name: InProcess(name, stack) for name in ("query_orders", "edit_orders")}
        self._dynamodb = local_aws.session().client("dynamodb", endpoint_url=stack.aws_endpoint)
        self.routes = list(self._routes(now))
        self.measured: dict[str, Measured] = {}

    def weigh(self, route: Route) -> None:
        """Counts what a call asks of DynamoDB. It is the first, which takes longer than all later ones."""
        answer, consumption = self._functions[route.function].consumption(route)
        _check(route, answer)
        self.measured[route.name] = Measured([], [], consumption)

    def warm_up(self, route: Route) -> None:
        """The first call over HTTP, likewise. Only whole pages are worth comparing."""
        answer = over_http(self._stack, route)
        _check(route, answer)
        if route.path == "/orders" and not route.is_bounded:
            shown, wanted = len(json.loads(answer.body)["orders"]), int(route.query.get("limit", PAGE))
            expect(shown, wanted, f"the orders that {route.name} shows")

    def time_over_http(self, route: Route) -> None:
        answer = over_http(self._stack, route)
        _check(route, answer)
        self.measured[route.name].http.append(answer.seconds)

    def time_in_process(self, route: Route) -> None:
        answer = self._functions[route.function].call(route)
        _check(route, answer)
        self.measured[route.name].processor.append(answer.seconds)

    def bare_query(self) -> float:
        """Seconds of a list's own request without any code of ours: what the embedded DynamoDB takes by itself."""
        began = time.perf_counter()
        self._dynamodb.query(
            TableName=self._stack.outputs["OrdersTable"],
            IndexName=BY_CREATED,
            KeyConditionExpression="integration = :integration",
            ExpressionAttributeValues={":integration": {"S": INTEGRATION}},
            Limit=PAGE + 1,
        )
        return time.perf_counter() - began

    def _routes(self, now: datetime) -> Iterator[Route]:
        # The first orders are the same in every account.
        first = list(stored_orders(FEW, now))
        lack_email = [order.order_id for order in first if [item.field for item in order.missing] == ["email"]]
        one = f"/orders/{lack_email[0]}"
        span = {
            "createdAfter": (now - timedelta(days=6)).isoformat(),
            "createdBefore": (now - timedelta(days=2)).isoformat(),
        }
        third = {**HELD, "cursor": self._cursor_after(HELD, pages=2)}
        yield Route("orders: the newest", "GET", "/orders")
        yield Route("orders: a Stage", "GET", "/orders", HELD)
        yield Route("orders: a Stage, third page", "GET", "/orders", third)
        yield Route("orders: a span of created time", "GET", "/orders", span)
        by_id = {"orderIds": ",".join(order.order_id for order in first[:PAGE])}
        yield Route("orders: 50 by ID", "GET", "/orders", by_id)
        half_a_page = {"limit": str(PAGE // 2)}
        lacking = {"missing": "email", **half_a_page}
        yield Route("orders: 25 lacking an email", "GET", "/orders", lacking)
        fulfillable = {"fulfillable": "true", **half_a_page}
        yield Route("orders: 25 fulfillable, as a warehouse", "GET", "/orders", fulfillable, "warehouse")
        nobodys = {**HELD, "assignedTo": "nobody"}
        yield Route("orders: a Stage, assigned to nobody known", "GET", "/orders", nobodys, is_bounded=True)
        yield Route("one order", "GET", one)
        yield Route("its history", "GET", f"{one}/history")
        yield Route("orders.csv: a Stage", "GET", "/orders.csv", HELD)
        yield Route("summary", "GET", "/summary", is_bounded=True)
        # After these three the order is as it was before.
        yield Route("PATCH: its email typed in", "PATCH", one, role="editor", body={"email": TYPED})
        yield Route("release", "POST", f"{one}/release", role="editor", body={})
        yield Route("PATCH: its email taken out", "PATCH", one, role="editor", body={"email": None})
        changes = [{"orderId": order_id, "patch": {"email": TYPED}} for order_id in lack_email[:PAGE]]
        dry_run = {"orders": changes, "dryRun": True}
        yield Route("bulk/orders: dry run of 50", "POST", "/bulk/orders", role="editor", body=dry_run)

    def _cursor_after(self, query: Mapping[str, str], pages: int) -> str:
        cursor: dict[str, str] = {}
        for _ in range(pages):
            answer = over_http(self._stack, Route("pages", "GET", "/orders", {**query, **cursor}))
            cursor = {"cursor": json.loads(answer.body)["nextCursor"]}
        return cursor["cursor"]


def _check(route: Route, answer: Answer) -> None:
    expect(answer.status, 200, f"{route.name} ({answer.body[:500]})")


def compare(stacks: Sequence[Stack], say: Callable[[str], None]) -> None:
    """Fills the two stacks, measures each route on both in turns, and prints the results as tables in Markdown.

    Raises Unexpected if a route asks more of DynamoDB with many orders than with few, unless it is known to.
    """
    now = datetime.now(UTC)
    accounts = [Account(stack, orders, now, say) for stack, orders in zip(stacks, (FEW, MANY), strict=True)]
    few, many = accounts
    for step in (Account.weigh, Account.warm_up):
        _in_turns(accounts, step)
    queries: list[tuple[float, float]] = []
    for round_ in range(1, ROUNDS + 1):
        for step in (Account.time_over_http, Account.time_in_process):
            _in_turns(accounts, step)
        queries.append((few.bare_query(), many.bare_query()))
        accounts.reverse()
        if round_ % SAYS_EVERY == 0:
            say(f"{round_} of {ROUNDS} rounds")
    alone = " and ".join(f"{_milliseconds(times)} ms" for times in zip(*queries, strict=True))
    say(
        f"With {few.orders:,} orders and with {many.orders:,}:\n\n{_table_of_reads(few, many)}\n\n"
        f"{_table_of_times(few, many)}\n\n"
        f"A query of {PAGE + 1} entries without our code takes the embedded DynamoDB {alone}.\n"
    )
    _check_consumption(few, many)


def _in_turns(accounts: Sequence[Account], step: Callable[[Account, Route], None]) -> None:
    """The step for each route, on one account right after the other: what slows the machine down slows both."""
    for routes in zip(*(account.routes for account in accounts), strict=True):
        for account, route in zip(accounts, routes, strict=True):
            step(account, route)


def _check_consumption(few: Account, many: Account) -> None:
    for route in many.routes:
        before, after = few.measured[route.name].consumption, many.measured[route.name].consumption
        is_more = after.requests > before.requests or after.read_units > MOST_MORE * before.read_units
        if is_more and not route.is_bounded:
            raise Unexpected(
                f"{route.name} asks more of DynamoDB with {many.orders:,} orders: {after.requests} requests and "
                f"{after.read_units} read units instead of {before.requests} and {before.read_units}"
            )


def _table_of_reads(few: Account, many: Account) -> str:
    rows = []
    for name, measured in many.measured.items():
        before, after = few.measured[name].consumption, measured.consumption
        rows.append(
            (
                name,
                _both(before.requests, after.requests),
                _both(before.entries, after.entries),
                _both(before.read_units, after.read_units),
                f"{after.read_units / before.read_units:.2f}",
                _both(before.write_units, after.write_units),
            )
        )
    return _table(("", "requests", "items read", "read units", "ratio", "write units"), rows)


def _table_of_times(few: Account, many: Account) -> str:
    rows = []
    for name, after in many.measured.items():
        before = few.measured[name]
        rows.append(
            (
                name,
                f"{_milliseconds(before.processor)}, {_milliseconds(after.processor)}",
                f"{median(after.processor) / median(before.processor):.2f}",
                f"{_milliseconds(before.http)} / {_milliseconds(before.http, max)}",
                f"{_milliseconds(after.http)} / {_milliseconds(after.http, max)}",
                f"{median(after.http) / median(before.http):.2f}",
            )
        )
    over_http = [f"HTTP, {account.orders:,} orders: median / slowest, ms" for account in (few, many)]
    return _table(("", "our processor time: median, ms", "ratio", *over_http, "ratio"), rows)


def _both(before: float, after: float) -> str:
    return f"{before:g}" if before == after else f"{before:g}, {after:g}"


def _milliseconds(seconds: Sequence[float], of: Callable[[Sequence[float]], float] = median) -> str:
    return f"{1000 * of(seconds):.1f}"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    ruled = (headings, ["---"] * len(headings), *rows)
    return "\n".join(f"| {' | '.join(row)} |" for row in ruled)

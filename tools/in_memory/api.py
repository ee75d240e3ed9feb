"""The functions behind the API as they are, on tables and a queue in memory, called as API Gateway calls them."""

import json
import os
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from urllib.parse import urljoin

import boto3
import moto  # noqa: F401 - a client that is made before it is imported calls AWS itself
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError

from needs_attention.integrations.integration import Integration
from needs_attention.orders.amazon_order import AmazonOrder
from needs_attention.orders.order import Order
from needs_attention.orders.settings import Settings
from needs_attention.orders.verdict import judged
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.orders import OrderStore
from needs_attention.tables.wake_ups import WakeUpStore
from needs_attention.values import times
from tools.builders import NOON, an_amazon_order, an_order
from tools.from_template import create_table, resources
from tools.openapi.conformance import problems_with
from tools.permissions.guard import Guard
from tools.permissions.policies import policy_of, roles

# Functions read their environment once, when they are imported, so it stands before any test module is; so do loggers,
# which take their name from it.
os.environ |= {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "ORDERS_TABLE": "OrdersTable",
    "HISTORY_TABLE": "HistoryTable",
    "INTEGRATIONS_TABLE": "IntegrationsTable",
    "ANSWERS_TABLE": "AnswersTable",
    "EVENT_BUS": "orders",
    "DIGEST_TOPIC": "arn:aws:sns:us-east-1:123456789012:digest",
    "WAKE_UP_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/wake-up.fifo",
    "REDACTION_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/RedactionQueue",
    "SECRET_PREFIX": "needs-attention/integration/",
    "POWERTOOLS_SERVICE_NAME": "tests",
    "POWERTOOLS_METRICS_NAMESPACE": "tests",
}

# The names of the template's resources in these tests, if they differ from their logical IDs.
NAMES = {"WakeUpQueue": "wake-up.fifo", "EventBus": "orders", "DigestTopic": "digest"}
# Before any client is made: the functions' own are made when they are imported.
IAM = Guard({function: policy_of(role, NAMES) for function, role in roles().items()})

EVENTS = Path(__file__).parents[2] / "events"
API_FUNCTIONS = ("query_orders", "edit_orders", "request_downloads", "manage_settings", "redact_orders")


class Clock:
    """The time that the functions read."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


class Answer(NamedTuple):
    """A function's answer."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def codes(self) -> dict[str, str]:
        """The code of each field's error."""
        return {error["field"]: error["code"] for error in self.body["errors"]}


def found_at(location: str, path: str) -> str:
    """The path of an answer's `Location` to a request of that path, in the stage's URL and in that of an own domain.

    Raises AssertionError if these two differ.
    """
    by_stage, by_domain = (urljoin(base + path, location) for base in ("https://api.example/v1", "https://api.example"))
    assert by_stage.removeprefix("https://api.example/v1") == by_domain.removeprefix("https://api.example")
    return by_domain.removeprefix("https://api.example")


class Route(NamedTuple):
    """A route as the template gives it to a function."""

    function: str
    method: str
    resource: str

    def matches(self, method: str, path: str) -> bool:
        return method == self.method and bool(re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", self.resource), path))


@cache
def routes() -> list[Route]:
    """Every route of the template, with the folder of its function."""
    found = []
    for resource in resources().values():
        if resource["Type"] == "AWS::Serverless::Function":
            folder = Path(resource["Properties"]["CodeUri"]).name
            events = (
                event["Properties"] for event in resource["Properties"]["Events"].values() if event["Type"] == "Api"
            )
            found += [Route(folder, event["Method"], event["Path"]) for event in events]
    return found


class World:
    """The tables, the clock, and the API as the template routes it."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.dynamodb = app("query_orders").dynamodb
        self.sqs = sqs()
        for table in ("OrdersTable", "HistoryTable", "IntegrationsTable", "AnswersTable"):
            create_table(self.dynamodb, table)
        self.sqs.create_queue(QueueName="wake-up.fifo", Attributes={"FifoQueue": "true"})
        self.sqs.create_queue(QueueName="RedactionQueue")
        self.orders = OrderStore(self.dynamodb, "OrdersTable")
        self.integrations = SettingsStore(self.dynamodb, "IntegrationsTable")
        self.downloads = DownloadStateStore(self.dynamodb, "IntegrationsTable")
        self.wake_ups = WakeUpStore(self.dynamodb, "IntegrationsTable")

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        role: str = "administrator",
        query: Mapping[str, object] | None = None,
        **headers: str,
    ) -> Answer:
        """Calls the API as a person of that role. A header's name is written with `_` for `-`."""
        claims = {"username": f"{role}@example.com", "cognito:groups": role}
        return self.call_as(claims, method, path, body, query=query, **headers)

    def call_as(
        self,
        claims: Mapping[str, object],
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, object] | None = None,
        **headers: str,
    ) -> Answer:
        """Calls the API with an access token of these claims. API Gateway sends bytes to a function in base64."""
        route = next(route for route in routes() if route.matches(method, path))
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            sent = {"Content-Type": "application/json"} | sent
        event = an_event(route.function) | {
            "httpMethod": method,
            "resource": route.resource,
            "path": path,
            "headers": sent,
            "multiValueHeaders": {name: [value] for name, value in sent.items()},
            "multiValueQueryStringParameters": _texts(query),
            "queryStringParameters": {name: texts[-1] for name, texts in _texts(query).items()} if query else None,
            "body": _body(body),
            "isBase64Encoded": isinstance(body, bytes),
        }
        event["requestContext"] |= {"authorizer": {"claims": dict(claims)}, "path": f"/v1{path}"}
        return send(route.function, event)

    def register(self, integration_id: str = "acme-na", **changes: Any) -> Integration:
        """An integration that is there already."""
        return self.integrations.save(
            Integration(
                **{
                    "integration_id": integration_id,
                    "name": "Acme",
                    "region": "NA",
                    "marketplace_ids": ("ATVPDKIKX0DER",),
                    "registered_at": NOON,
                    **changes,
                }
            )
        )

    def change_integration(self, integration_id: str = "acme-na", **changes: Any) -> Integration:
        integration = self.integrations.get(integration_id)
        assert integration is not None
        return self.integrations.save(integration.model_copy(update=changes))

    def store(self, order: Order) -> Order:
        """The order in the table, as it is."""
        return self.orders.save(None, order, by="amazon", at=self.clock.now, cause="download")

    def download(self, integration: str = "acme-na", **fields: Any) -> Order:
        """An order as downloaded and judged; it is complete but for `fields`."""
        amazon: AmazonOrder = an_amazon_order(**fields)
        found = self.integrations.get(integration)
        settings = found.settings.of(amazon.marketplace_id) if found else Settings()
        return self.store(judged(an_order(amazon, integration=integration), settings, self.clock.now))

    def order(self, order_id: str = "701-1111111-1111111") -> Order:
        order = self.orders.get(order_id)
        assert order is not None
        return order

    @contextmanager
    def just_before(
        self, function: str, operation: str, action: Callable[[], object], *, times: int = 1
    ) -> Iterator[None]:
        """Lets something happen between the function's read and its write, this many times."""
        left = iter(range(times))
        events = app(function).dynamodb.meta.events

        def happen(**_: object) -> None:
            if next(left, None) is not None:
                with IAM.running(None):
                    action()

        events.register(f"before-call.dynamodb.{operation}", happen)
        try:
            yield
        finally:
            events.unregister(f"before-call.dynamodb.{operation}", happen)
        assert next(left, None) is None, f"{function} never called {operation} that often"

    def woken(self) -> list[str]:
        """The integrations that were woken since this was asked last."""
        return [json.loads(body)["integrationId"] for body in self._received("WAKE_UP_QUEUE_URL")]

    def asked_to_redact(self) -> list[list[str]]:
        """The integrations of each message of redactions that was sent since this was asked last, ten at the most."""
        return [json.loads(body)["integrationIds"] for body in self._received("REDACTION_QUEUE_URL")]

    def redact(self) -> None:
        """Gives `redact_orders` a tick of the clock, and then every message that the tick sends.

        Raises the first error once all had their turn: SQS gives out each message, whatever becomes of another.
        """
        invoke("redact_orders", an_event("redact_orders_tick"))
        failed: list[BaseException] = []
        while asked := self.asked_to_redact():
            for integration_ids in asked:
                try:
                    invoke("redact_orders", a_message_of_redactions(*integration_ids))
                except BatchProcessingError as error:
                    failed += [child for _, child, _ in error.child_exceptions if child]
        for one in failed:
            raise one

    def _received(self, queue: str) -> list[str]:
        """The bodies of the messages in the queue of that variable, which are gone from there."""
        url = os.environ[queue]
        messages = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in messages]


class DocumentedWorld(World):
    """Compares every answer with the OpenAPI document."""

    def call_as(self, claims: Mapping[str, object], method: str, path: str, *args: Any, **more: Any) -> Answer:
        answer = super().call_as(claims, method, path, *args, **more)
        resource = next(route for route in routes() if route.matches(method, path)).resource
        if resource != "/openapi.json":
            assert problems_with(method, resource, *answer) == []
        return answer


def _body(body: object) -> str | None:
    if isinstance(body, bytes):
        return b64encode(body).decode()
    return body if body is None or isinstance(body, str) else json.dumps(body)


def an_event(name: str) -> dict[str, Any]:
    """The event of that name in `events/`, which also serves `sam local invoke`."""
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


def a_message_of_redactions(*integration_ids: str) -> dict[str, Any]:
    """The event with which the queue asks for the redactions of these integrations."""
    event = an_event("redact_orders_message")
    event["Records"][0]["body"] = json.dumps({"integrationIds": integration_ids})
    return event


def send(function: str, event: Mapping[str, Any]) -> Answer:
    """Invokes a function with an event of API Gateway."""
    answer = invoke(function, event)
    headers = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
    is_json = answer["body"] and "json" in headers.get("Content-Type", "json")
    return Answer(answer["statusCode"], json.loads(answer["body"]) if is_json else answer["body"] or None, headers)


def invoke(function: str, event: Mapping[str, Any]) -> Any:
    """Invokes a function with the permissions of its role in the template, and no more."""
    handler = app(function).handler
    with IAM.running(function):
        return handler(event, CONTEXT)


def app(function: str) -> Any:
    return import_module(f"functions.{function}.app")


CONTEXT: Any = SimpleNamespace(
    function_name="a function",
    memory_limit_in_mb=128,
    invoked_function_arn="arn:aws:lambda",
    aws_request_id="1",
    get_remaining_time_in_millis=lambda: 10_000,
)


@cache
def sqs() -> Any:
    return boto3.client("sqs")


def _texts(query: Mapping[str, object] | None) -> dict[str, list[str]]:
    lists = {name: value if isinstance(value, list) else [value] for name, value in (query or {}).items()}
    return {name: [_text(value) for value in values] for name, values in lists.items()}


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return times.instant(value)
    return str(value).lower() if isinstance(value, bool) else str(value)

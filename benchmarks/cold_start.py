"""The first request of each function behind the API, compared with an orders API as it is usually built."""

import json
import os
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.artifacts import built, with_bytecode
from benchmarks.emulator import LOG, Function, Runtime, runtime_of
from benchmarks.markdown import table
from benchmarks.report import Figure, Section, at_most
from benchmarks.rounds import Spread, interleaved, ratio
from needs_attention.integrations.integration import Integration
from needs_attention.orders.order import Order
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.order_items import to_item
from needs_attention.tables.orders import OrderStore
from tools.from_template import TEMPLATE, create_table, parameters, variables
from tools.local_stack import local_aws
from tools.local_stack.deployment import PROJECT, Tools
from tools.local_stack.filled_tables import stored_orders
from tools.local_stack.functions import stream_record
from tools.local_stack.processes import ProcessList
from tools.local_stack.registration import INTEGRATION

ROUNDS = 15
WARM_REQUESTS = 20
USUAL = PROJECT / "benchmarks/usual"
USUAL_TABLES = {"ORDERS_TABLE": "usual-orders", "IDEMPOTENCY_TABLE": "usual-idempotency"}
USUAL_ORDER_ID = "111-0000001-1000001"
USUAL_ORDER = {
    "order_id": USUAL_ORDER_ID,
    "created_at": "2026-11-23T10:00:00Z",
    "updated_at": "2026-11-23T11:00:00Z",
    "stage": "Needs Attention",
    "fulfillment_status": "UNSHIPPED",
    "buyer_name": "Bella Ortiz",
    "buyer_email": "bella@marketplace.example.com",
    "delivery_address": {
        "name": "Ada Quill",
        "address_line1": "12 Harbor Street",
        "city": "Portland",
        "state_or_region": "OR",
        "postal_code": "97209",
        "country_code": "US",
    },
    "line_items": [{"order_item_id": "90001", "seller_sku": "LAMP-1", "title": "Desk lamp", "quantity": 2}],
}
READ, WRITE = "usual: GET an order", "usual: PATCH an order"
WITH_BYTECODE = {READ: "usual, with bytecode: GET an order", WRITE: "usual, with bytecode: PATCH an order"}
# The most that each figure may be of the usual one, and a first request of the usual one with bytecode.
TARGETS = {"first": 0.35, "peak": 0.70}
OF_BYTECODE = 0.80
COLUMNS = {
    "first": ("first request, ms", 0),
    "peak": ("peak memory, MiB", 1),
    "warm": ("warm request, ms", 1),
    "processor": ("its processor time, ms", 1),
}


class Request(NamedTuple):
    """An event, and whether an answer to it is the right one."""

    event: dict[str, Any]
    is_answered_by: Callable[[Any], bool]


class Contender(NamedTuple):
    """A function and its requests: each call of `request` makes another one. `compared_with` is its usual counterpart."""

    function: Function
    request: Callable[[], Request]
    compared_with: str


class Measured(NamedTuple):
    """Of one new environment: milliseconds, and at the end MiB."""

    first: float
    peak: float
    warm: float
    processor: float


def measure(contender: Contender) -> Measured:
    """The first request, some more, and the memory after them. Raises RuntimeError at a wrong answer."""
    requests = [contender.request() for _ in range(1 + WARM_REQUESTS)]
    with runtime_of(contender.function) as runtime:
        first = _milliseconds(runtime, requests[0])
        before = runtime.processor_milliseconds()
        warm = [_milliseconds(runtime, request) for request in requests[1:]]
        processor = (runtime.processor_milliseconds() - before) / WARM_REQUESTS
        return Measured(first, runtime.peak_mebibytes(), median(warm), processor)


def _milliseconds(runtime: Runtime, request: Request) -> float:
    answer = runtime.answer(request.event)
    if not request.is_answered_by(answer.content):
        raise RuntimeError(f"Not the right answer: {answer.content}\n{LOG.read_text(errors='replace')[-4000:]}")
    return answer.milliseconds


TEXT = """## Cold start

The first request of each function behind the API in a new environment, and {requests} more. The functions run as `sam
build` leaves them, under the Lambda Runtime Interface Emulator of the AWS SAM CLI. The same rounds also measure an
[orders API in the style of aws-lambda-handler-cookbook](../benchmarks/usual/handler/orders/app.py), as such APIs are
usually built, with the same versions of the same packages and as a plain `sam build` leaves it. A read is compared with
its GET. A write is compared with its PATCH, which remembers answers in a table, as our POST does and our PATCH need
not.

- **First request**: from the POST to the emulator to the answer. It includes Python's start, all imports, the first
  connection to DynamoDB and the first call of everything. As on Lambda, nothing can write bytecode.
- **Peak memory**: of the runtime's process, after the last request (`VmHWM`).
- **Warm request**: the median of the {requests}. DynamoDB is an embedded one on this machine (MiniStack), over HTTP. A
  GetItem on it takes {read:.1f} ms without the client, and every call waits about as long: a usual GET makes 1 call, a
  usual PATCH 3. The processor time of the runtime's process excludes that wait; it is the mean of the {requests}.

Not measured are the time that Lambda takes to fetch and unpack the code, its limits of processor and memory, and TLS.
The usual API has no bytecode, because that is usual; an expert's has, so a first request of ours is compared with both.
The traces of the usual API cover the first request only, and go nowhere. Medians of {rounds} rounds, with the least and the most; a ratio is the median
of the ratios within a round.

{table}

The worst of the API's four functions: a first request takes {worst:.2f} of the usual one's time (target: at most
{target:.2f}) and {worst_of_bytecode:.2f} of the usual one's with bytecode (at most {of_bytecode:.2f}), and its peak memory is
{worst_peak:.2f} of the usual one's (at most {peak:.2f}).

The rest of a first request is mostly the import of botocore, pydantic and Powertools, which both have; the same is true
of the memory that a process keeps. A warm request has no target: botocore's work on each call is most of it, and ours
makes more calls than the usual one, because it shows more.
"""

# Requests -------------------------------------------------------------------------------------------------------------


def api_request(
    role: str,
    method: str,
    resource: str,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    **path_parameters: str,
) -> dict[str, Any]:
    """API Gateway's event for a call; a body is JSON."""
    event: dict[str, Any] = json.loads((PROJECT / "events/query_orders.json").read_text())
    path = resource.format(**path_parameters)
    content_type = {} if body is None else {"Content-Type": "application/json"}
    sent: dict[str, str] = event["headers"] | content_type | (headers or {})
    event |= {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": path_parameters,
        "body": None if body is None else json.dumps(body),
    }
    event["requestContext"] |= {"resourcePath": resource, "path": f"/v1{path}", "httpMethod": method}
    event["requestContext"]["authorizer"]["claims"] |= {"username": f"{role}@example.com", "cognito:groups": role}
    return event


def is_answer(content: Any, status: int, fields: Mapping[str, object]) -> bool:
    """Whether this is an answer with that status and, among others, these fields."""
    return bool(content.get("statusCode") == status and json.loads(content["body"]).items() >= fields.items())


def get_order(order_id: str, identified: Mapping[str, object]) -> Request:
    """`identified` is in the right answer."""
    event = api_request("reader", "GET", "/orders/{orderId}", orderId=order_id)
    return Request(event, partial(is_answer, status=200, fields=identified))


def patch_order(order_id: str, identified: Mapping[str, object]) -> Request:
    """With another comment each time: the usual one would answer the same again from its memory."""
    comment = {"comment": f"Asked the buyer for an address, {uuid.uuid4()}"}
    event = api_request("editor", "PATCH", "/orders/{orderId}", comment, orderId=order_id)
    return Request(event, partial(is_answer, status=200, fields={**identified, **comment}))


def post_redownload(order_id: str) -> Request:
    """With a key, by which its answer is remembered as the usual one's of a PATCH is."""
    key = {"Idempotency-Key": str(uuid.uuid4())}
    event = api_request("editor", "POST", "/orders/{orderId}/redownload", headers=key, orderId=order_id)
    return Request(event, partial(is_answer, status=202, fields={"orderId": order_id}))


def get_integration() -> Request:
    event = api_request("reader", "GET", "/integrations/{integrationId}", integrationId=INTEGRATION)
    return Request(event, partial(is_answer, status=200, fields={"integrationId": INTEGRATION}))


def get_nothing() -> Request:
    return Request({}, partial(is_answer, status=200, fields={}))


# The world ------------------------------------------------------------------------------------------------------------


class World:
    """The tables of both, with a held order of ours and an order of theirs, on an embedded AWS."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        session = local_aws.session()
        self._dynamodb = session.client("dynamodb", endpoint_url=endpoint)
        sqs = session.client("sqs", endpoint_url=endpoint)
        queue = sqs.create_queue(QueueName="wake-up.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        # The values of the template's references: its tables bear their logical IDs here.
        self._references = {name: str(parameter.get("Default", "")) for name, parameter in parameters().items()}
        self._references |= {"AwsEndpointUrl": endpoint, "WakeUpQueue": queue}
        self._now = datetime.now(UTC)
        self._orders = OrderStore(self._dynamodb, "OrdersTable")
        self.held = self._filled()
        self._make_usual(session.resource("dynamodb", endpoint_url=endpoint))

    def ours(self, built_in: Path, logical_id: str) -> Function:
        """A function as the template's build left it, in the environment that the template gives it."""
        own = {name: self._references.get(value, value) for name, value in variables(logical_id).items()}
        return Function(built_in / logical_id, built_in / "NeedsAttentionLayer", self._aws() | own)

    def usual(self, folder: Path) -> Function:
        own = variables("OrdersFunction", USUAL / "handler/template.yaml") | USUAL_TABLES
        return Function(folder, None, self._aws() | {"AWS_ENDPOINT_URL": self._endpoint} | own)

    def new_order_in_the_stream(self) -> Request:
        """An order that waits for its verdict, and the stream's event that says so."""
        order_id = f"701-{uuid.uuid4()}"
        amazon = self.held.amazon.model_copy(update={"order_id": order_id})
        order = self._orders.save(
            None, Order.first_seen(INTEGRATION, amazon, self._now), by="amazon", at=self._now, cause="download"
        )

        def is_judged(content: Any) -> bool:
            judged = self._orders.get(order_id)
            return content == {"batchItemFailures": []} and judged is not None and judged.judged_at is not None

        return Request({"Records": [stream_record(to_item(order))]}, is_judged)

    def milliseconds_of_a_read(self) -> float:
        """Of our order, by a client that does nothing else: the median of some."""
        body = json.dumps({"TableName": "OrdersTable", "Key": {"orderId": {"S": self.held.order_id}}})
        headers = {"X-Amz-Target": "DynamoDB_20120810.GetItem", "Content-Type": "application/x-amz-json-1.0"}
        request = AWSRequest("POST", f"{self._endpoint}/", headers, body)
        credentials = Credentials(*local_aws.ROOT_CREDENTIALS.values())
        SigV4Auth(credentials, "dynamodb", local_aws.REGION).add_auth(request)
        http, signed = urllib3.PoolManager(), request.prepare()
        figures = []
        for _ in range(100):
            began = perf_counter()
            http.request("POST", signed.url, body=body, headers=dict(signed.headers))
            figures.append((perf_counter() - began) * 1000)
        return median(figures)

    def _filled(self) -> Order:
        for name in ("OrdersTable", "HistoryTable", "IntegrationsTable", "AnswersTable"):
            create_table(self._dynamodb, name)
        integration = Integration(
            integration_id=INTEGRATION,
            name="Demo shop",
            region="NA",
            marketplace_ids=("ATVPDKIKX0DER",),
            registered_at=self._now,
        )
        SettingsStore(self._dynamodb, "IntegrationsTable").save(integration)
        held = next(order for order in stored_orders(100, self._now) if order.hold)
        self._dynamodb.put_item(TableName="OrdersTable", Item=to_item(held))
        return held

    def _make_usual(self, dynamodb: Any) -> None:
        for name, key in zip(USUAL_TABLES.values(), ("order_id", "id"), strict=True):
            dynamodb.create_table(
                TableName=name,
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
                KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
                BillingMode="PAY_PER_REQUEST",
            )
        dynamodb.Table(USUAL_TABLES["ORDERS_TABLE"]).put_item(Item=USUAL_ORDER)

    def _aws(self) -> dict[str, str]:
        return {
            **local_aws.ROOT_CREDENTIALS,
            "AWS_REGION": local_aws.REGION,
            "AWS_DEFAULT_REGION": local_aws.REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }


# The section ----------------------------------------------------------------------------------------------------------


def of_the_api(world: World, built_in: Path) -> dict[str, Contender]:
    """Our functions behind the API."""
    held = world.held.order_id
    get, patch = (partial(request, held, {"orderId": held}) for request in (get_order, patch_order))
    return {
        "query_orders: GET an order": Contender(world.ours(built_in, "QueryOrdersFunction"), get, READ),
        "edit_orders: PATCH an order": Contender(world.ours(built_in, "EditOrdersFunction"), patch, WRITE),
        "request_downloads: POST a redownload": Contender(
            world.ours(built_in, "RequestDownloadsFunction"), partial(post_redownload, held), WRITE
        ),
        "manage_settings: GET an integration": Contender(
            world.ours(built_in, "ManageSettingsFunction"), get_integration, READ
        ),
    }


def the_usual_way(world: World, built_in: Path) -> dict[str, Contender]:
    order_id = USUAL_ORDER_ID
    get, patch = (partial(request, order_id, {"order_id": order_id}) for request in (get_order, patch_order))
    plain = world.usual(built_in / "OrdersFunction")
    compiled = world.usual(with_bytecode(built_in / "OrdersFunction"))
    return {
        READ: Contender(plain, get, READ),
        WRITE: Contender(plain, patch, WRITE),
        WITH_BYTECODE[READ]: Contender(compiled, get, READ),
        WITH_BYTECODE[WRITE]: Contender(compiled, patch, WRITE),
    }


def for_orientation(world: World, built_in: Path) -> dict[str, Contender]:
    validate = world.ours(built_in, "ValidateOrdersFunction")
    return {
        "validate_orders: an order of the stream": Contender(validate, world.new_order_in_the_stream, WRITE),
        "a function that does nothing": Contender(world.usual(USUAL / "empty"), get_nothing, READ),
    }


def section() -> Section:
    """Takes about eight minutes."""
    if sys.platform != "linux":
        text = "## Cold start\n\nNot measured: only Linux tells what memory and processor a process has had.\n"
        return Section([], text)
    print("  building both templates", flush=True)
    ours_built_in, usual_built_in = built(TEMPLATE, "ours"), built(USUAL / "handler/template.yaml", "usual")
    with tempfile.TemporaryDirectory() as directory:
        processes = ProcessList(Path(directory) / "processes.json")
        try:
            world = World(local_aws.start(Tools.ministack_python, Path(directory), processes).endpoint)
            api = of_the_api(world, ours_built_in)
            contenders = the_usual_way(world, usual_built_in) | api | for_orientation(world, ours_built_in)
            measured = interleaved(ROUNDS, {name: partial(measure, one) for name, one in contenders.items()})
            read = world.milliseconds_of_a_read()
        finally:
            processes.end_all()
    counterparts = {name: one.compared_with for name, one in contenders.items()}
    return told(measured, counterparts, list(api), read)


def told(
    measured: Mapping[str, Sequence[Measured]], counterparts: Mapping[str, str], api: Sequence[str], read: float
) -> Section:
    """The section, from what was measured of each contender in each round; `read` in milliseconds."""

    def compared(name: str, other: str, figure: str) -> Spread:
        mine, theirs = ([getattr(one, figure) for one in measured[contender]] for contender in (name, other))
        return ratio(mine, theirs)

    def cells(name: str) -> Iterator[str]:
        usual = counterparts[name]
        yield name
        for figure, (_, digits) in COLUMNS.items():
            yield Spread.of([getattr(one, figure) for one in measured[name]]).shown(digits)
            yield "" if name == usual else compared(name, usual, figure).shown(2)
            if figure == "first":
                of_bytecode = WITH_BYTECODE[usual]
                yield "" if name in {usual, of_bytecode} else compared(name, of_bytecode, figure).shown(2)

    header = [""]
    for figure, (title, _) in COLUMNS.items():
        header += [title, "of the usual", *(["of the usual with bytecode"] if figure == "first" else [])]
    worst = {figure: max(compared(name, counterparts[name], figure).median for name in api) for figure in TARGETS}
    worst_of_bytecode = max(compared(name, WITH_BYTECODE[counterparts[name]], "first").median for name in api)
    return Section(
        _decisive(worst, worst_of_bytecode),
        TEXT.format(
            rounds=ROUNDS,
            requests=WARM_REQUESTS,
            read=read,
            table=table(header, [list(cells(name)) for name in measured]),
            worst=worst["first"],
            worst_of_bytecode=worst_of_bytecode,
            worst_peak=worst["peak"],
            target=TARGETS["first"],
            of_bytecode=OF_BYTECODE,
            peak=TARGETS["peak"],
        ),
    )


def _decisive(worst: Mapping[str, float], worst_of_bytecode: float) -> list[Figure]:
    """The worst of the API's four functions."""
    plain = at_most("", worst["first"], TARGETS["first"])
    compiled = at_most("", worst_of_bytecode, OF_BYTECODE)
    return [
        Figure(
            "first request (worst of four functions), of the usual way's, and of the usual way's with bytecode",
            f"{plain.reached}, and {compiled.reached}",
            f"{plain.target}, and {compiled.target}",
            plain.is_met and compiled.is_met,
        ),
        at_most("peak memory (worst of four functions), of the usual way's", worst["peak"], TARGETS["peak"]),
    ]


if __name__ == "__main__":
    print(section().text)

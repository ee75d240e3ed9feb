"""The stand-in as a server on loopback, for tests in the same process and for programs in others."""

import json
import re
import socket
import struct
import threading
import urllib.parse
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, Self

from tools.amazon_stand_in import control
from tools.amazon_stand_in.front_door import FrontDoor
from tools.amazon_stand_in.http_messages import Answer, ApiError, Request
from tools.amazon_stand_in.ledger import Entry, Json, Ledger, amazon_time
from tools.amazon_stand_in.login_with_amazon import TOKEN_PATH, Credentials, LoginWithAmazon
from tools.amazon_stand_in.marketplaces import Region
from tools.amazon_stand_in.misbehaviour import DOWNLOAD, LOGIN, REPLACED, Instruction, Misbehaviour, Misbehaviours
from tools.amazon_stand_in.notifications_api import DESTINATIONS_PATH, SUBSCRIPTIONS_PATH, NotificationsApi
from tools.amazon_stand_in.orders_api import ORDERS_PATH, OrdersApi
from tools.amazon_stand_in.quota import UsagePlan
from tools.amazon_stand_in.reports_api import (
    DOCUMENTS_PATH,
    DOWNLOADS_PATH,
    REPORTS_PATH,
    SIGNATURE,
    ReportsApi,
)
from tools.amazon_stand_in.sandbox import SandboxOrdersApi
from tools.amazon_stand_in.visibility import ROLES

_BEFORE_THE_ANSWER: Final = frozenset({*REPLACED, Misbehaviour.DROPPED_CONNECTION, Misbehaviour.SLOW_ANSWER})
_REQUESTS_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """A request and the status of its answer (None: the connection was dropped), without tokens and secrets."""

    at: datetime
    operation: str
    method: str
    path: str
    parameters: dict[str, str]
    status: int | None
    request_id: str | None

    def as_json(self) -> Json:
        return {
            "at": amazon_time(self.at),
            "operation": self.operation,
            "method": self.method,
            "path": self.path,
            "parameters": self.parameters,
            "status": self.status,
            "requestId": self.request_id,
        }


class AmazonStandIn:
    """Amazon's Orders, Reports and Notifications APIs and Login with Amazon, for one seller in one region.

    The methods are for tests: they play Amazon and the seller's buyers, and make things go wrong. You may call all of
    them while the server answers. `now` is Amazon's clock. With `is_sandbox` the Orders API is the static sandbox's.
    """

    def __init__(
        self,
        entries: Iterable[Entry] = (),
        *,
        region: Region = "NA",
        credentials: Credentials | None = None,
        port: int = 0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        is_sandbox: bool = False,
    ) -> None:
        self.credentials = credentials or Credentials()
        self._now = now
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._ledger = Ledger(entries, now)
        self._misbehaviours = Misbehaviours()
        self._login = LoginWithAmazon(self.credentials, now)
        self._door = FrontDoor(self._login, now)
        self._orders_api = (
            SandboxOrdersApi(region, self._door)
            if is_sandbox
            else OrdersApi(region, self._ledger, self._door, self._misbehaviours, now)
        )
        self._reports_api = ReportsApi(region, self._ledger, self._door, self._misbehaviours, now)
        self._notifications_api = NotificationsApi(self._door, now)
        self._answers: Mapping[str, Callable[[Request], Answer]] = {
            LOGIN: self._login.answer,
            DOWNLOAD: self._reports_api.download,
            "searchOrders": self._orders_api.search_orders,
            "getOrder": self._orders_api.get_order,
            "createReport": self._reports_api.create_report,
            "getReport": self._reports_api.get_report,
            "getReportDocument": self._reports_api.get_report_document,
            "createDestination": self._notifications_api.create_destination,
            "getDestinations": self._notifications_api.get_destinations,
            "getDestination": self._notifications_api.get_destination,
            "deleteDestination": self._notifications_api.delete_destination,
            "createSubscription": self._notifications_api.create_subscription,
            "getSubscription": self._notifications_api.get_subscription,
            "getSubscriptionById": self._notifications_api.get_subscription_by_id,
            "deleteSubscriptionById": self._notifications_api.delete_subscription_by_id,
        }
        self._requests: deque[SeenRequest] = deque(maxlen=_REQUESTS_KEPT)
        self._port = port

    @cached_property
    def _server(self) -> "_Server":
        """Listens once you first ask for it: a caller of `answer` needs no socket."""
        return _Server(self._port, self)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def lwa_endpoint(self) -> str:
        return self.endpoint + TOKEN_PATH

    @property
    def control_endpoint(self) -> str:
        return self.endpoint + control.PATH

    def start(self) -> Self:
        listening = self._server
        serve = partial(listening.serve_forever, poll_interval=0.02)
        threading.Thread(target=serve, name="amazon-stand-in", daemon=True).start()
        return self

    def serve(self) -> None:
        """Serves until `stop` is called from another thread."""
        self._server.serve_forever(poll_interval=0.02)

    def stop(self) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.close_connections()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    # Events at Amazon

    def put(self, order: Json, *, missing: Iterable[str] = ()) -> None:
        """Adds an order in the shape of Amazon's model, all datasets included, or replaces the one with its ID."""
        with self._lock:
            self._ledger.put(order, missing=missing)

    def patch(self, order_id: str, changes: Json, *, last_updated_time: datetime | None = None) -> None:
        """Changes an order by JSON Merge Patch. `lastUpdatedTime` is kept unless given."""
        with self._lock:
            self._ledger.patch(order_id, changes, last_updated_time=last_updated_time)

    def complete(self, order_id: str, *codes: str, last_updated_time: datetime | None = None) -> None:
        """Amazon learns all missing data, or only the data that these codes name. See `Ledger.complete`."""
        with self._lock:
            self._ledger.complete(order_id, *codes, last_updated_time=last_updated_time)

    def orders(self) -> list[Entry]:
        with self._lock:
            return list(self._ledger)

    def order(self, order_id: str) -> Entry:
        """Raises KeyError for an unknown order ID."""
        with self._lock:
            return self._ledger[order_id]

    def order_change(self, order_id: str) -> tuple[str, Json] | None:
        """The message that Amazon sends when the order has changed: the queue's ARN and the notification, its body.

        None: nobody has subscribed, not to changes of this type, or to a FIFO queue, where nothing arrives. Raises
        KeyError for an unknown order ID. The notification has an ID of its own each time; sending it is the caller's.
        """
        with self._lock:
            return self._notifications_api.order_change(self._ledger[order_id].order)

    # The account

    def set_roles(self, roles: Set[str]) -> None:
        """The roles that the seller granted from now on. Raises ValueError for one that Amazon does not have."""
        if unknown := roles - ROLES:
            raise ValueError(f"not a role: {min(unknown)}")
        with self._lock:
            self._door.roles = frozenset(roles)

    def set_usage_plan(self, operation: str, *, rate: float, burst: int) -> None:
        """`rate` in requests per second; the bucket is full again."""
        with self._lock:
            self._door.set_plan(operation, UsagePlan(rate, burst))

    def set_reports(self, *, duration: timedelta | None = None, lag: timedelta | None = None) -> None:
        """How long reports that are created from now on take, and how old their data is when they are created.

        At first two minutes and nothing. Raises ValueError for a lag of more than half an hour, Amazon's longest.
        """
        with self._lock:
            self._reports_api.set_times(duration=duration, lag=lag)

    def expire_access_tokens(self) -> None:
        with self._lock:
            self._login.expire_all()

    # Faults, and past requests

    def misbehave(
        self,
        kind: Misbehaviour,
        *,
        times: int | None = 1,
        operations: Iterable[str] = (),
        seconds: float = 0.0,
    ) -> None:
        """Gets the next `times` answers wrong (None: until `behave`), of these operations or of all that can.

        Instructions for one operation are followed one after another.
        """
        with self._lock:
            self._misbehaviours.add(Instruction(kind, times, frozenset(operations), seconds))

    def behave(self) -> None:
        with self._lock:
            self._misbehaviours.clear()

    def requests(self) -> list[SeenRequest]:
        with self._lock:
            return list(self._requests)

    def forget_requests(self) -> None:
        with self._lock:
            self._requests.clear()

    # The other side

    def answer(self, request: Request) -> Answer | None:
        """None: the connection is dropped instead."""
        if request.path.startswith(control.PATH):
            return control.answer(self, request)
        operation = operation_of(request)
        answer = self._answer(operation, request)
        with self._lock:
            self._requests.append(_seen(request, operation, answer, self._now()))
        return answer

    def _answer(self, operation: str, request: Request) -> Answer | None:
        with self._lock:
            told = self._misbehaviours.take(operation, _BEFORE_THE_ANSWER)
        if told and told.kind is Misbehaviour.DROPPED_CONNECTION:
            return None
        if told and told.kind in REPLACED:
            return REPLACED[told.kind]()
        if told:
            self._stopping.wait(told.seconds)
        with self._lock:
            answer = self._obedient_answer(operation, request)
            if self._misbehaviours.take(operation, {Misbehaviour.TRUNCATED_JSON}):
                return replace(answer, body=answer.body[: len(answer.body) // 2])
            return answer

    def _obedient_answer(self, operation: str, request: Request) -> Answer:
        if operation in self._answers:
            return self._answers[operation](request)
        return ApiError(404, "NotFound", "The requested resource was not found.", request.path).answer()


_ROUTES: Final = tuple(
    (method, re.compile(pattern), operation)
    for method, pattern, operation in (
        ("GET", ORDERS_PATH, "searchOrders"),
        ("GET", f"{ORDERS_PATH}/.*", "getOrder"),
        ("POST", REPORTS_PATH, "createReport"),
        ("GET", f"{REPORTS_PATH}/[^/]+", "getReport"),
        ("GET", f"{DOCUMENTS_PATH}/[^/]+", "getReportDocument"),
        ("GET", f"{DOWNLOADS_PATH}/[^/]+", DOWNLOAD),
        ("POST", DESTINATIONS_PATH, "createDestination"),
        ("GET", DESTINATIONS_PATH, "getDestinations"),
        ("GET", f"{DESTINATIONS_PATH}/[^/]+", "getDestination"),
        ("DELETE", f"{DESTINATIONS_PATH}/[^/]+", "deleteDestination"),
        ("POST", f"{SUBSCRIPTIONS_PATH}/[^/]+", "createSubscription"),
        ("GET", f"{SUBSCRIPTIONS_PATH}/[^/]+", "getSubscription"),
        ("GET", f"{SUBSCRIPTIONS_PATH}/[^/]+/[^/]+", "getSubscriptionById"),
        ("DELETE", f"{SUBSCRIPTIONS_PATH}/[^/]+/[^/]+", "deleteSubscriptionById"),
    )
)


def operation_of(request: Request) -> str:
    """The operationId of Amazon's model; empty for a route that Amazon does not offer."""
    if request.path == TOKEN_PATH:
        return LOGIN
    for method, pattern, operation in _ROUTES:
        if method == request.method and pattern.fullmatch(request.path):
            return operation
    return ""


def _seen(request: Request, operation: str, answer: Answer | None, at: datetime) -> SeenRequest:
    if operation == LOGIN:
        form = urllib.parse.parse_qs(request.body.decode(errors="replace"))
        parameters = {name: values[0] for name, values in form.items() if name in {"grant_type", "scope"}}
    else:
        parameters = {name: ",".join(values) for name, values in request.query.items() if name != SIGNATURE}
        parameters |= _body_parameters(request)
    status, request_id = (answer.status, answer.request_id) if answer else (None, None)
    return SeenRequest(at, operation, request.method, request.path, parameters, status, request_id)


def _body_parameters(request: Request) -> dict[str, str]:
    """The fields of a JSON body, those that are no texts as JSON."""
    with suppress(ValueError):
        body = json.loads(request.body)
        if isinstance(body, dict):
            return {name: value if isinstance(value, str) else json.dumps(value) for name, value in body.items()}
    return {}


class _Server(ThreadingHTTPServer):
    # Threads are joined, and connections closed, at the end: nothing outlives a test.
    daemon_threads = False
    allow_reuse_address = False

    def __init__(self, port: int, stand_in: AmazonStandIn) -> None:
        self.stand_in = stand_in
        self._connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, address = super().get_request()
        self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        if isinstance(request, socket.socket):
            self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        request = Request.read(self.command, self.path, dict(self.headers.items()), self.rfile.read(length))
        answer = self.server.stand_in.answer(request)
        if answer is None:
            self._drop()
            return
        with suppress(ConnectionError):  # the caller may have given up on a slow answer
            self._send(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - http.server finds them by these names

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("x-amzn-RequestId", answer.request_id)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def _drop(self) -> None:
        # Lingering for zero seconds makes the kernel send a reset instead of an orderly end.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Requests are kept in `AmazonStandIn.requests`, not written to stderr."""


def ready_line(stand_in: AmazonStandIn) -> str:
    """One line of JSON: where the stand-in listens, and the credentials that it accepts."""
    return json.dumps(
        {
            "endpoint": stand_in.endpoint,
            "lwaEndpoint": stand_in.lwa_endpoint,
            "controlEndpoint": stand_in.control_endpoint,
            "credentials": {
                "clientId": stand_in.credentials.client_id,
                "clientSecret": stand_in.credentials.client_secret,
                "refreshToken": stand_in.credentials.refresh_token,
            },
        }
    )

"""The Amazon client at the process's edge: every test speaks real HTTP with a server on the loopback."""

import json
import socket
import subprocess
import sys
import threading
import tomllib
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3

from needs_attention.amazon import transport
from needs_attention.amazon.client import REGION_ENDPOINTS, FetchedOrder, SearchPage, SellingPartnerApi
from needs_attention.amazon.errors import (
    AccessDenied,
    AmazonUnavailable,
    CredentialsRejected,
    OrderNotFound,
    PageTokenRejected,
    QuotaExceeded,
    RequestRejected,
    SpApiError,
    UnreadableAnswer,
)
from needs_attention.amazon.tokens import Credentials, _AccessToken
from needs_attention.amazon.transport import USER_AGENT, user_agent
from needs_attention.orders.marketplaces import MARKETPLACES
from needs_attention.version import VERSION

REPOSITORY = Path(__file__).parents[2]
CREDENTIALS = Credentials("amzn1.application-oa2-client.example", "a+client/secret", "Atzr|a-refresh-token")
NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
ORDER = {"orderId": "111-1111111-1111111", "buyer": {"buyerEmail": "ada@marketplace.example.com"}}

type Reply = Callable[[BaseHTTPRequestHandler], None]


class Seen(NamedTuple):
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    form: dict[str, list[str]]
    client: Any


def answers(status: int, body: object = None, **headers: str) -> Reply:
    """A whole JSON answer; header names are written with _ for -."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}

    def reply(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in (named | {"Content-Length": str(len(content))}).items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(content)

    return reply


def refuses(status: int, code: str, message: str = "No.", **headers: str) -> Reply:
    return answers(status, {"errors": [{"code": code, "message": message}]}, **headers)


def issues_token(value: object = "Atza|a-token", expires_in: object = 3600) -> Reply:
    return answers(200, {"access_token": value, "expires_in": expires_in, "token_type": "bearer"})


def hangs_up(request: BaseHTTPRequestHandler) -> None:
    request.connection.shutdown(socket.SHUT_RDWR)
    request.close_connection = True


def hangs_up_half_way(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", "1000")
    request.end_headers()
    request.wfile.write(b'{"orders": [')
    hangs_up(request)


class Amazon:
    """A server on the loopback that gives the replies it was told, in that order, and remembers what it was asked."""

    def __init__(self) -> None:
        self.replies: deque[Reply] = deque()
        self.lwa_replies: deque[Reply] = deque()
        self.seen: list[Seen] = []
        self.tokens_asked: list[Seen] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        amazon = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle(self) -> None:
                with suppress(ConnectionError):  # a client that gives an answer up
                    super().handle()

            def do_GET(self) -> None:
                amazon.seen.append(self.seen(b""))
                amazon.replies.popleft()(self)

            def do_POST(self) -> None:
                amazon.tokens_asked.append(self.seen(self.rfile.read(int(self.headers["Content-Length"]))))
                (amazon.lwa_replies.popleft() if amazon.lwa_replies else issues_token())(self)

            def seen(self, body: bytes) -> Seen:
                url = urlsplit(self.path)
                query, form = parse_qs(url.query), parse_qs(body.decode())
                return Seen(self.command, url.path, query, dict(self.headers), form, self.client_address)

            def log_message(self, *_: object) -> None: ...

        return Handler


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def amazon() -> Iterator[Amazon]:
    server = Amazon()
    yield server
    server.stop()
    assert not server.replies, "a reply was prepared that nobody asked for"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def http() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager() as pool:
        yield pool


@pytest.fixture
def api(amazon: Amazon, clock: Clock, http: urllib3.PoolManager) -> SellingPartnerApi:
    return SellingPartnerApi(
        CREDENTIALS, endpoint=amazon.endpoint, lwa_endpoint=f"{amazon.endpoint}/auth/o2/token", http=http, now=clock
    )


def search(api: SellingPartnerApi, **changes: Any) -> SearchPage:
    window = {"updated_after": NOON - timedelta(hours=1), "updated_before": NOON}
    return api.search_orders(**{"marketplace_ids": ["ATVPDKIKX0DER"], **window, **changes})


# Requests


def test_a_search_asks_for_the_window_marketplaces_and_datasets_in_use(amazon: Amazon, api: SellingPartnerApi) -> None:
    amazon.replies.append(answers(200, {"orders": []}))
    search(api, marketplace_ids=["ATVPDKIKX0DER", "A2EUQ1WTGCTBG2"], fulfillment_statuses=["UNSHIPPED", "SHIPPED"])
    assert (amazon.seen[0].method, amazon.seen[0].path) == ("GET", "/orders/2026-01-01/orders")
    assert amazon.seen[0].query == {
        "marketplaceIds": ["ATVPDKIKX0DER,A2EUQ1WTGCTBG2"],
        "lastUpdatedAfter": ["2026-11-01T11:00:00Z"],
        "lastUpdatedBefore": ["2026-11-01T12:00:00Z"],
        "includedData": ["BUYER,RECIPIENT,FULFILLMENT,PROCEEDS,CANCELLATION,TAX,PACKAGES"],
        "fulfillmentStatuses": ["UNSHIPPED,SHIPPED"],
    }


def test_a_further_page_repeats_all_parameters_and_adds_the_token_unharmed(
    amazon: Amazon, api: SellingPartnerApi
) -> None:
    amazon.replies.extend([answers(200, {"orders": []})] * 2)
    search(api)
    search(api, pagination_token="a+b/c=&d")
    assert amazon.seen[1].query == amazon.seen[0].query | {"paginationToken": ["a+b/c=&d"]}


def test_times_are_sent_in_utc_to_the_millisecond(amazon: Amazon, api: SellingPartnerApi) -> None:
    amazon.replies.append(answers(200, {"orders": []}))
    in_berlin = datetime(2026, 11, 1, 13, 0, 0, 123456, tzinfo=timezone(timedelta(hours=1)))
    search(api, updated_before=in_berlin)
    assert amazon.seen[0].query["lastUpdatedBefore"] == ["2026-11-01T12:00:00.123Z"]


def test_a_time_without_a_zone_is_refused_before_anything_is_sent(amazon: Amazon, api: SellingPartnerApi) -> None:
    with pytest.raises(ValueError, match="zone"):
        search(api, updated_after=NOON.replace(tzinfo=None))
    assert not amazon.tokens_asked


def test_a_search_without_a_marketplace_is_refused_before_anything_is_sent(
    amazon: Amazon, api: SellingPartnerApi
) -> None:
    with pytest.raises(ValueError, match="marketplace"):
        search(api, marketplace_ids=[])
    assert not amazon.tokens_asked


def test_an_order_is_asked_for_by_its_id_with_every_dataset_in_use(amazon: Amazon, api: SellingPartnerApi) -> None:
    amazon.replies.append(answers(200, {"order": ORDER}, x_amzn_RateLimit_Limit="0.5", x_amzn_RequestId="r-1"))
    assert api.get_order("111-1111111-1111111") == FetchedOrder(ORDER, rate_limit=0.5, request_id="r-1")
    assert amazon.seen[0].path == "/orders/2026-01-01/orders/111-1111111-1111111"
    assert amazon.seen[0].query == {"includedData": ["BUYER,RECIPIENT,FULFILLMENT,PROCEEDS,CANCELLATION,TAX,PACKAGES"]}


@pytest.mark.parametrize(
    ("order_id", "sent"),
    [("a/b?c#d", "a%2Fb%3Fc%23d"), ("../x", "..%2Fx"), ("S01 é", "S01%20%C3%A9"), ("%2e", "%252e")],
)
def test_an_order_id_never_leaves_its_place_in_the_path(
    amazon: Amazon, api: SellingPartnerApi, order_id: str, sent: str
) -> None:
    amazon.replies.append(answers(200, {"order": {"orderId": order_id}}))
    api.get_order(order_id)
    assert amazon.seen[0].path == f"/orders/2026-01-01/orders/{sent}"


@pytest.mark.parametrize("order_id", ["", ".", ".."])
def test_an_order_id_that_would_be_another_path_is_refused(
    amazon: Amazon, api: SellingPartnerApi, order_id: str
) -> None:
    with pytest.raises(ValueError, match="order ID"):
        api.get_order(order_id)
    assert not amazon.seen


def test_every_request_names_the_application_and_its_language(amazon: Amazon, api: SellingPartnerApi) -> None:
    amazon.replies.append(answers(200, {"orders": []}))
    search(api)
    for seen in (*amazon.tokens_asked, *amazon.seen):
        assert seen.headers["User-Agent"] == USER_AGENT
    assert USER_AGENT.startswith(f"NeedsAttention/{VERSION} (Language=Python/3.13; ")


def test_the_version_is_the_projects() -> None:
    assert tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"] == VERSION


def test_the_user_agent_escapes_what_would_end_each_of_its_parts() -> None:
    header = user_agent("My/App", "1(2", {"Language": "C\\D", "a=b": "c);d=e/f"})
    assert header == r"My\/App/1\(2 (Language=C\\D; a\=b=c\)\;d=e/f)"


def test_a_user_agent_that_amazon_would_reject_is_refused() -> None:
    assert len(user_agent("A", "1", {"Language": "x" * 485})) == 500
    with pytest.raises(ValueError, match="500"):
        user_agent("A", "1", {"Language": "x" * 486})
    with pytest.raises(ValueError, match="Language"):
        user_agent("A", "1", {"Platform": "linux"})


# The access token


def test_a_token_is_got_with_the_sellers_consent_and_sent_with_the_call(amazon: Amazon, api: SellingPartnerApi) -> None:
    amazon.replies.append(answers(200, {"orders": []}))
    search(api)
    assert amazon.tokens_asked[0].path == "/auth/o2/token"
    assert amazon.tokens_asked[0].headers["Content-Type"] == "application/x-www-form-urlencoded;charset=UTF-8"
    assert amazon.tokens_asked[0].form == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["Atzr|a-refresh-token"],
        "client_id": ["amzn1.application-oa2-client.example"],
        "client_secret": ["a+client/secret"],
    }
    assert amazon.seen[0].headers["x-amz-access-token"] == "Atza|a-token"
    assert "Authorization" not in amazon.seen[0].headers


def test_a_token_serves_until_a_minute_before_it_expires(amazon: Amazon, api: SellingPartnerApi, clock: Clock) -> None:
    amazon.replies.extend([answers(200, {"orders": []})] * 3)
    search(api)
    clock.seconds += 3539
    search(api)
    assert len(amazon.tokens_asked) == 1
    clock.seconds += 1
    search(api)
    assert len(amazon.tokens_asked) == 2


def test_a_token_may_live_for_a_day(amazon: Amazon, api: SellingPartnerApi, clock: Clock) -> None:
    amazon.lwa_replies.append(issues_token(expires_in=24 * 3600))
    amazon.replies.extend([answers(200, {"orders": []})] * 2)
    search(api)
    clock.seconds += 24 * 3600 - 61
    search(api)
    assert len(amazon.tokens_asked) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_denied_call_is_tried_once_more_with_a_fresh_token(
    amazon: Amazon, api: SellingPartnerApi, status: int
) -> None:
    amazon.lwa_replies.extend([issues_token("Atza|old"), issues_token("Atza|new")])
    amazon.replies.extend([refuses(status, "Unauthorized"), answers(200, {"orders": [ORDER]})])
    assert search(api).orders == (ORDER,)
    assert [seen.headers["x-amz-access-token"] for seen in amazon.seen] == ["Atza|old", "Atza|new"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_call_denied_twice_is_denied(amazon: Amazon, api: SellingPartnerApi, status: int) -> None:
    amazon.replies.extend([refuses(status, "Unauthorized", "Access is denied.", x_amzn_RequestId="r-2")] * 2)
    with pytest.raises(AccessDenied, match="Access is denied") as caught:
        search(api)
    assert (caught.value.status, caught.value.code, caught.value.request_id) == (status, "Unauthorized", "r-2")
    assert len(amazon.tokens_asked) == 2


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "invalid_grant"),
        (401, "invalid_client"),
        (400, "unauthorized_client"),
        (400, "access_denied"),
        (400, "invalid_scope"),
        (400, "invalid_request"),
        (400, "unsupported_grant_type"),
    ],
)
def test_credentials_that_lwa_rejects_are_told_with_its_code(
    amazon: Amazon, api: SellingPartnerApi, status: int, code: str
) -> None:
    lwa_says = {"error": code, "error_description": "Client authentication failed"}
    amazon.lwa_replies.append(answers(status, lwa_says, x_amzn_RequestId="r-3"))
    with pytest.raises(CredentialsRejected, match="Client authentication failed") as caught:
        search(api)
    assert (caught.value.status, caught.value.code, caught.value.request_id) == (status, code, "r-3")
    assert not amazon.seen


@pytest.mark.parametrize(
    "reply",
    [
        answers(500, {"error": "server_error"}),
        answers(503, {"error": "temporarily_unavailable"}),
        answers(400, {"error": "server_error"}),
        answers(503, {"error": "invalid_grant"}),
        answers(408, {"error": "timeout"}),
        answers(429, {"error": "throttled"}),
        answers(403, b"<html>", Content_Type="text/html"),
        answers(302, b"", Location="/elsewhere"),
        answers(399, {"error": "invalid_grant"}),
        hangs_up,
    ],
)
def test_lwa_errors_that_pass_do_not_accuse_the_credentials(
    amazon: Amazon, api: SellingPartnerApi, reply: Reply
) -> None:
    amazon.lwa_replies.append(reply)
    with pytest.raises(AmazonUnavailable):
        search(api)
    assert len(amazon.tokens_asked) == 1


@pytest.mark.parametrize(
    "reply",
    [
        answers(200, b"<html>", Content_Type="text/html"),
        answers(200, {"access_token": "Atza|x"}),
        issues_token(None),
        issues_token(""),
        issues_token("Atza|x\r\nInjected: yes"),
        issues_token("Atza|é"),
        issues_token("Atza|x", "soon"),
        issues_token("Atza|x", -1),
        issues_token("Atza|x", 24 * 3600 + 1),
        issues_token("Atza|x", 10**400),
    ],
)
def test_an_answer_without_a_usable_token_is_unreadable_and_sends_nothing(
    amazon: Amazon, api: SellingPartnerApi, reply: Reply
) -> None:
    amazon.lwa_replies.append(reply)
    with pytest.raises(UnreadableAnswer) as caught:
        search(api)
    assert "Atza" not in str(caught.value)
    assert not amazon.seen


# Answers


def test_a_page_holds_the_orders_as_amazon_sent_them_and_the_way_on(amazon: Amazon, api: SellingPartnerApi) -> None:
    body = {
        "orders": [ORDER, {"orderId": "2", "unknownField": {"deep": [1, None]}}],
        "pagination": {"nextToken": "next"},
        "lastUpdatedBefore": "2026-11-01T11:58:00.500Z",
    }
    amazon.replies.append(answers(200, body, x_amzn_RateLimit_Limit="0.0056", x_amzn_RequestId="r-4"))
    assert search(api) == SearchPage(
        orders=(ORDER, {"orderId": "2", "unknownField": {"deep": [1, None]}}),
        next_token="next",
        last_updated_before=datetime(2026, 11, 1, 11, 58, 0, 500_000, tzinfo=UTC),
        rate_limit=0.0056,
        request_id="r-4",
    )


@pytest.mark.parametrize(
    "pagination", [{}, {"pagination": None}, {"pagination": {}}, {"pagination": {"nextToken": ""}}]
)
def test_a_page_without_a_next_token_is_the_last(
    amazon: Amazon, api: SellingPartnerApi, pagination: dict[str, Any]
) -> None:
    amazon.replies.append(answers(200, {"orders": []} | pagination))
    assert search(api) == SearchPage((), None, last_updated_before=None, rate_limit=None, request_id=None)


@pytest.mark.parametrize(
    "unclear",
    [
        {"pagination": "next"},
        {"pagination": ["next"]},
        {"pagination": {"nextToken": 7}},
        {"lastUpdatedBefore": "yesterday"},
        {"lastUpdatedBefore": "2026-11-01T12:00:00"},
        {"lastUpdatedBefore": 1793534400},
    ],
)
def test_a_page_whose_way_on_cannot_be_read_is_never_taken_for_the_last(
    amazon: Amazon, api: SellingPartnerApi, unclear: dict[str, Any]
) -> None:
    amazon.replies.append(answers(200, {"orders": [ORDER]} | unclear))
    with pytest.raises(UnreadableAnswer):
        search(api)


def test_an_entry_that_is_no_order_spoils_no_page_and_does_not_vanish(amazon: Amazon, api: SellingPartnerApi) -> None:
    amazon.replies.append(answers(200, {"orders": [None, ORDER, "x"]}))
    assert search(api).orders == (None, ORDER, "x")


@pytest.mark.parametrize("errors", [[{"code": "InternalFailure", "message": "Try again."}], [7], {"code": "x"}, "soon"])
def test_a_page_with_errors_beside_its_orders_says_so(amazon: Amazon, api: SellingPartnerApi, errors: object) -> None:
    amazon.replies.append(answers(200, {"orders": [ORDER], "errors": errors}, x_amzn_RequestId="r-5"))
    page = search(api)
    assert page.orders == (ORDER,)
    assert page.failure
    assert "r-5" in page.failure
    assert ("Try again." in page.failure) == isinstance(errors[0] if isinstance(errors, list) else 0, dict)


@pytest.mark.parametrize("errors", [None, []])
def test_a_page_with_an_empty_list_of_errors_has_none(
    amazon: Amazon, api: SellingPartnerApi, errors: list[object] | None
) -> None:
    amazon.replies.append(answers(200, {"orders": [ORDER], "errors": errors}))
    assert search(api).failure is None


NO_RATES = [
    "",
    "often",
    "nan",
    "inf",
    "-1",
    "0",
    "0_5",
    "1e9",
    "1e-3",
    "1000000000",
    "101",
    "0.5, 0.5",
    "0x1",
    "0.0009",
    "0.000000001",
    ".5",
]


@pytest.mark.parametrize("header", NO_RATES)
def test_a_rate_limit_that_is_no_rate_is_left_out(amazon: Amazon, api: SellingPartnerApi, header: str) -> None:
    amazon.replies.append(answers(200, {"orders": []}, x_amzn_RateLimit_Limit=header))
    assert search(api).rate_limit is None


@pytest.mark.parametrize(("header", "rate"), [("0.0056", 0.0056), (" 0.5 ", 0.5), ("2", 2.0), ("100.0", 100.0)])
def test_a_rate_limit_is_a_decimal_number(amazon: Amazon, api: SellingPartnerApi, header: str, rate: float) -> None:
    amazon.replies.append(answers(200, {"orders": []}, x_amzn_RateLimit_Limit=header))
    assert search(api).rate_limit == rate


@pytest.mark.parametrize(
    "reply",
    [
        answers(200, b"<html>Sorry</html>", Content_Type="text/html"),
        answers(200, b'{"orders": []}', Content_Type="text/plain"),
        answers(200, b'{"orders": [', x_amzn_RequestId="r-5"),
        answers(200, b""),
        answers(204, b""),
        answers(200, b"\xff\xfe\xfa"),
        answers(200, b"[" * 100_000),
        answers(200, b'{"orders": ' + b"9" * 5000 + b"}"),
        answers(200, []),
        answers(200, {}),
        answers(200, {"orders": None}),
        answers(200, {"payload": {"orders": []}}),
        answers(302, b"", Location="/elsewhere"),
    ],
)
def test_an_answer_that_breaks_the_model_is_never_an_empty_success(
    amazon: Amazon, api: SellingPartnerApi, reply: Reply
) -> None:
    amazon.replies.append(reply)
    with pytest.raises(UnreadableAnswer):
        search(api)
    assert len(amazon.seen) == 1


@pytest.mark.parametrize("body", [{}, {"order": None}, {"order": []}, {"order": {}}, {"order": {"orderId": "2"}}])
def test_an_answer_without_the_order_that_was_asked_for_is_unreadable(
    amazon: Amazon, api: SellingPartnerApi, body: Any
) -> None:
    amazon.replies.append(answers(200, body, x_amzn_RequestId="r-6"))
    with pytest.raises(UnreadableAnswer) as caught:
        api.get_order("1")
    assert (caught.value.status, caught.value.request_id) == (200, "r-6")


def test_json_is_known_by_its_media_type_whatever_its_parameters(amazon: Amazon, api: SellingPartnerApi) -> None:
    for media_type in ("application/json;charset=UTF-8", "Application/JSON", "application/vnd.amazon+json"):
        amazon.replies.append(answers(200, {"orders": [ORDER]}, Content_Type=media_type))
        assert search(api).orders == (ORDER,)


def test_an_answer_too_large_for_memory_is_given_up(
    amazon: Amazon, api: SellingPartnerApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_ANSWER_BYTES", 100_000)
    small, large = (answers(200, {"orders": [], "filler": "x" * size}) for size in (90_000, 100_001))
    amazon.replies.append(small)
    search(api)
    amazon.replies.append(large)
    with pytest.raises(UnreadableAnswer, match="larger"):
        search(api)


@pytest.mark.parametrize("filler", [[[]] * 50_000, [{}] * 100_000])
def test_an_answer_of_more_parts_than_memory_holds_is_not_read(
    amazon: Amazon, api: SellingPartnerApi, monkeypatch: pytest.MonkeyPatch, filler: list[object]
) -> None:
    body = {"orders": [], "filler": filler}
    amazon.replies.append(answers(200, body))
    search(api)
    monkeypatch.setattr(transport, "_MOST_PARTS", 50_000)
    amazon.replies.append(answers(200, body))
    with pytest.raises(UnreadableAnswer, match="no JSON"):
        search(api)


def test_a_page_of_far_too_many_orders_is_none(amazon: Amazon, api: SellingPartnerApi) -> None:
    amazon.replies.extend(answers(200, {"orders": [{}] * count}) for count in (1_000, 1_001))
    assert len(search(api).orders) == 1_000
    with pytest.raises(UnreadableAnswer, match="more orders"):
        search(api)


def test_half_a_character_cannot_be_stored_or_sent_and_stops_no_page(amazon: Amazon, api: SellingPartnerApi) -> None:
    body = {
        "orders": [{"orderId": "1", "buyer": {"buyerName": "Ada \ud800Quill 💡"}}],
        "pagination": {"nextToken": "\udc00"},
    }
    amazon.replies.append(answers(200, body))
    page = search(api)
    assert page.orders[0]["buyer"]["buyerName"] == "Ada \ufffdQuill 💡"
    assert page.next_token == "\ufffd"
    amazon.replies.append(refuses(400, "Invalid\udfff", "Not \ud800 this."))
    with pytest.raises(RequestRejected) as caught:
        search(api)
    assert (str(caught.value), caught.value.code) == (
        "searchOrders: Not \ufffd this. (status 400, code Invalid\ufffd)",
        "Invalid\ufffd",
    )


def test_an_answer_that_comes_in_drops_is_given_up(amazon: Amazon, api: SellingPartnerApi, clock: Clock) -> None:
    def drips(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "application/json")
        request.end_headers()
        for _ in range(1000):
            clock.seconds += 15
            request.wfile.write(b" ")

    amazon.replies.append(drips)
    with pytest.raises(AmazonUnavailable, match="longer than 60 s"):
        search(api)


def test_a_connection_is_used_again(amazon: Amazon, api: SellingPartnerApi) -> None:
    amazon.replies.extend([answers(200, {"orders": []})] * 2)
    search(api)
    search(api)
    assert amazon.tokens_asked[0].client == amazon.seen[0].client == amazon.seen[1].client


def test_a_connection_given_up_half_way_is_not_used_again(
    amazon: Amazon, api: SellingPartnerApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_ANSWER_BYTES", 100_000)
    amazon.replies.append(answers(200, {"filler": "x" * 1_000_000}))
    with pytest.raises(UnreadableAnswer):
        search(api)
    amazon.replies.append(answers(200, {"orders": [ORDER]}))
    assert search(api).orders == (ORDER,)
    assert amazon.seen[0].client != amazon.seen[1].client


# Refusals


@pytest.mark.parametrize("status", [400, 404, 405, 413, 415])
def test_a_request_that_amazon_does_not_accept_is_rejected_with_its_reason(
    amazon: Amazon, api: SellingPartnerApi, status: int
) -> None:
    details = {"code": "InvalidInput", "message": "Bad.", "details": "The marketplaces are not valid for region."}
    amazon.replies.append(
        answers(status, {"errors": [details]}, x_amzn_RequestId="r-7", x_amzn_RateLimit_Limit="0.0056")
    )
    with pytest.raises(RequestRejected, match="not valid for region") as caught:
        search(api)
    assert type(caught.value) is RequestRejected
    assert (caught.value.status, caught.value.code, caught.value.request_id) == (status, "InvalidInput", "r-7")
    assert caught.value.rate_limit == 0.0056
    assert "r-7" in str(caught.value)


@pytest.mark.parametrize(
    "body", [b"<html>", b"null", b'{"errors": []}', b'{"errors": [7]}', b'{"errors": [{"code": 7}]}']
)
def test_a_refusal_without_amazons_error_document_is_still_that_refusal(
    amazon: Amazon, api: SellingPartnerApi, body: Any
) -> None:
    amazon.replies.append(answers(400, body))
    with pytest.raises(RequestRejected, match="no reason") as caught:
        search(api)
    assert (caught.value.status, caught.value.code) == (400, None)


def test_a_400_to_a_further_page_is_about_its_token(amazon: Amazon, api: SellingPartnerApi) -> None:
    amazon.replies.append(refuses(400, "InvalidInput"))
    with pytest.raises(PageTokenRejected):
        search(api, pagination_token="expired")


def test_an_order_that_amazon_does_not_know_is_not_found(amazon: Amazon, api: SellingPartnerApi) -> None:
    amazon.replies.append(refuses(404, "NotFound", x_amzn_RequestId="r-8"))
    with pytest.raises(OrderNotFound) as caught:
        api.get_order("1")
    assert (caught.value.status, caught.value.code, caught.value.request_id) == (404, "NotFound", "r-8")


def test_a_404_of_a_gateway_says_nothing_about_the_order(amazon: Amazon, api: SellingPartnerApi) -> None:
    amazon.replies.append(answers(404, b"<html>", Content_Type="text/html"))
    with pytest.raises(RequestRejected):
        api.get_order("1")


@pytest.mark.parametrize(("headers", "rate_limit"), [({}, None), ({"x_amzn_RateLimit_Limit": "0.5"}, 0.5)])
def test_an_exceeded_quota_is_told_at_once(
    amazon: Amazon, api: SellingPartnerApi, headers: dict[str, str], rate_limit: float | None
) -> None:
    amazon.replies.append(refuses(429, "QuotaExceeded", x_amzn_RequestId="r-9", **headers))
    with pytest.raises(QuotaExceeded) as caught:
        search(api)
    assert (caught.value.status, caught.value.code, caught.value.request_id) == (429, "QuotaExceeded", "r-9")
    assert caught.value.rate_limit == rate_limit
    assert len(amazon.seen) == 1


@pytest.mark.parametrize(
    "reply",
    [
        answers(503, b"<html>Service Unavailable</html>", Content_Type="text/html", x_amzn_RequestId="r-10"),
        answers(503, {"orders": []}, x_amzn_RequestId="r-10"),
        refuses(500, "InternalFailure", x_amzn_RequestId="r-10"),
        refuses(408, "RequestTimeout", x_amzn_RequestId="r-10"),
    ],
)
def test_amazon_is_unavailable_when_down_whatever_its_page_looks_like(
    amazon: Amazon, api: SellingPartnerApi, reply: Reply
) -> None:
    amazon.replies.append(reply)
    with pytest.raises(AmazonUnavailable) as caught:
        search(api)
    assert caught.value.status is not None
    assert caught.value.request_id == "r-10"
    assert len(amazon.seen) == 1


@pytest.mark.parametrize("reply", [hangs_up, hangs_up_half_way])
def test_a_dropped_connection_is_unavailable_and_is_not_tried_again(
    amazon: Amazon, api: SellingPartnerApi, reply: Reply
) -> None:
    amazon.replies.append(reply)
    with pytest.raises(AmazonUnavailable) as caught:
        search(api)
    assert caught.value.status is None
    assert len(amazon.seen) == 1


def test_a_refused_connection_is_unavailable(http: urllib3.PoolManager) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
    with pytest.raises(AmazonUnavailable, match="NewConnectionError"):
        search(SellingPartnerApi(CREDENTIALS, endpoint=endpoint, lwa_endpoint=endpoint, http=http))


def test_a_silent_amazon_is_unavailable_after_the_read_timeout(
    http: urllib3.PoolManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_TIMEOUT", urllib3.Timeout(connect=3.0, read=0.05))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        gives_up_first = threading.Timer(5, silent.close)
        gives_up_first.start()
        with pytest.raises(AmazonUnavailable, match="ReadTimeoutError"):
            search(SellingPartnerApi(CREDENTIALS, endpoint=endpoint, lwa_endpoint=endpoint, http=http))
        gives_up_first.cancel()


def test_a_call_waits_3_seconds_to_connect_and_20_to_read() -> None:
    assert (transport._TIMEOUT.connect_timeout, transport._TIMEOUT.read_timeout) == (3, 20)


# Secrets that never show


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500])
def test_no_error_repeats_a_secret_that_amazon_quotes(amazon: Amazon, api: SellingPartnerApi, status: int) -> None:
    quoted = "for 'x-amz-access-token:Atza|a-token' Atzr%7Ca-refresh-token Atzr|a-refresh-token a+client/secret done"
    amazon.replies.extend([refuses(status, "Invalid", quoted)] * (2 if status == 403 else 1))
    with pytest.raises(SpApiError) as caught:
        search(api)
    told = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    assert "done" in told
    for secret in ("a-token", "a-refresh-token", "a+client/secret"):
        assert secret not in told


def test_no_lwa_error_repeats_a_secret_that_amazon_quotes(amazon: Amazon, api: SellingPartnerApi) -> None:
    amazon.lwa_replies.append(
        answers(400, {"error": "invalid_grant", "error_description": "no such Atzr|a-refresh-token, a+client/secret"})
    )
    with pytest.raises(CredentialsRejected) as caught:
        search(api)
    assert "a-refresh-token" not in str(caught.value)
    assert "a+client/secret" not in str(caught.value)


def test_credentials_left_blank_do_not_garble_the_reason(amazon: Amazon, http: urllib3.PoolManager) -> None:
    amazon.lwa_replies.append(answers(400, {"error": "invalid_request", "error_description": "client_id is missing"}))
    blank = SellingPartnerApi(
        Credentials("", "", ""), endpoint=amazon.endpoint, lwa_endpoint=f"{amazon.endpoint}/auth/o2/token", http=http
    )
    with pytest.raises(CredentialsRejected, match="LWA: client_id is missing"):
        search(blank)


@pytest.mark.parametrize("body", [b'{"order": {"buyer": {"buyerName": "Ada', b"\xffAda", b'{"order": ["Ada"]}'])
def test_an_unreadable_answer_is_not_carried_along_by_the_error(
    amazon: Amazon, api: SellingPartnerApi, body: Any
) -> None:
    amazon.replies.append(answers(200, body))
    with pytest.raises(UnreadableAnswer) as caught:
        api.get_order("1")
    assert caught.value.__context__ is None
    assert "Ada" not in "".join(traceback.format_exception(caught.value))


def test_an_explanation_is_short_whatever_amazon_sends(amazon: Amazon, api: SellingPartnerApi) -> None:
    amazon.replies.append(refuses(400, "C" * 5000, "m" * 5000))
    with pytest.raises(RequestRejected) as caught:
        search(api)
    assert len(str(caught.value)) < 1000


def test_no_repr_shows_a_person_or_a_secret(api: SellingPartnerApi) -> None:
    page = SearchPage((ORDER,), "page-token", None, None, "r-11")
    fetched = FetchedOrder(ORDER, None, "r-11")
    shown = " ".join(map(repr, (CREDENTIALS, page, fetched, api, _AccessToken("Atza|a-token", 0.0))))
    for secret in ("ada@", "amzn1.application", "secret", "Atz", "page-token"):
        assert secret not in shown
    assert "r-11" in shown


# Marketplaces


def test_every_marketplace_belongs_to_a_region_with_an_endpoint() -> None:
    assert len(MARKETPLACES) == 23
    assert {marketplace.region for marketplace in MARKETPLACES.values()} == set(REGION_ENDPOINTS)
    assert len({marketplace.country_code for marketplace in MARKETPLACES.values()}) == 23
    assert all(id_ == marketplace.id for id_, marketplace in MARKETPLACES.items())


def test_a_marketplace_knows_an_orders_page_in_seller_central() -> None:
    page = MARKETPLACES["ATVPDKIKX0DER"].order_page("111-1111111-1111111")
    assert page == "https://sellercentral.amazon.com/orders-v3/order/111-1111111-1111111"
    assert (
        MARKETPLACES["A1VC38T7YXB528"].order_page("a/b") == "https://sellercentral.amazon.co.jp/orders-v3/order/a%2Fb"
    )


def test_the_client_imports_nothing_but_urllib3_and_the_standard_library() -> None:
    program = """
import sys
import urllib3
before = set(sys.modules)
import needs_attention.amazon.client
print(*{name.partition(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names))
"""
    loaded = subprocess.run(  # noqa: S603 - this interpreter runs the text above
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(REPOSITORY / "layers")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout.split() == ["needs_attention"]

"""The client's requests, and how it reads the answers, against what Amazon publishes of its Orders API 2026-01-01."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3
from jsonschema import Draft4Validator, FormatChecker

from needs_attention.amazon.client import SellingPartnerApi
from needs_attention.amazon.errors import (
    AccessDenied,
    AmazonUnavailable,
    OrderNotFound,
    PageTokenRejected,
    QuotaExceeded,
    RequestRejected,
    SpApiError,
)
from needs_attention.amazon.tokens import Credentials
from tests.contract.amazons_orders_api import GET, SEARCH, OrdersApi
from tools.amazon_stand_in.ledger import Json

ENDPOINT = "https://amazon.example.com"
LWA = f"{ENDPOINT}/auth/o2/token"
TIMES = FormatChecker(formats=())


@TIMES.checks("date-time", raises=ValueError)
def is_time_with_zone(text: object) -> bool:
    return isinstance(text, str) and text.endswith("Z") and datetime.fromisoformat(text).tzinfo is not None


class Wire(urllib3.PoolManager):
    """Gives one prepared answer to every call but LWA's, and keeps the addresses asked for."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__()
        self.asked: list[str] = []
        self._status, self._body = status, body

    def request(self, method: str, url: str, *_: Any, **__: Any) -> urllib3.BaseHTTPResponse:
        if url == LWA:
            return self._answer(200, {"access_token": "Atza|example", "expires_in": 3600})
        assert method == "GET"
        self.asked.append(url)
        return self._answer(self._status, self._body)

    def _answer(self, status: int, body: object) -> urllib3.BaseHTTPResponse:
        content = BytesIO(json.dumps(body).encode())
        return urllib3.HTTPResponse(
            content, headers={"Content-Type": "application/json"}, status=status, preload_content=False
        )


def api_on(wire: Wire) -> SellingPartnerApi:
    return SellingPartnerApi(Credentials("client", "secret", "refresh"), endpoint=ENDPOINT, lwa_endpoint=LWA, http=wire)


def search(wire: Wire, **changes: Any) -> Any:
    window = {"updated_after": datetime(2026, 11, 1, tzinfo=UTC), "updated_before": datetime(2026, 11, 2, tzinfo=UTC)}
    return api_on(wire).search_orders(**{"marketplace_ids": ["ATVPDKIKX0DER"], **window, **changes})


def assert_allowed(parameters: Mapping[str, Json], url: str) -> None:
    """Every parameter is one of the operation's, said once, and of the type that Amazon gives it."""
    for name, texts in parse_qs(urlsplit(url).query, strict_parsing=True).items():
        (text,) = texts
        # Amazon takes a list as comma-separated values.
        value = text.split(",") if parameters[name]["type"] == "array" else text
        Draft4Validator(parameters[name], format_checker=TIMES).validate(value)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"updated_after": datetime(2026, 11, 1, 0, 0, 0, 999_999, tzinfo=UTC)},
        {"marketplace_ids": ["ATVPDKIKX0DER", "A2EUQ1WTGCTBG2"], "pagination_token": "a+b/c="},
        {"fulfillment_statuses": ["UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED", "CANCELLED", "UNFULFILLABLE"]},
    ],
)
def test_a_search_is_what_amazon_allows(orders_api: OrdersApi, changes: dict[str, Any]) -> None:
    wire = Wire(200, {"orders": []})
    search(wire, **changes)
    assert urlsplit(wire.asked[0]).path == SEARCH
    assert_allowed(orders_api.operations[SEARCH].parameters, wire.asked[0])


def test_a_search_gives_one_family_of_times_only() -> None:
    wire = Wire(200, {"orders": []})
    search(wire)
    asked = parse_qs(urlsplit(wire.asked[0]).query)
    assert {name for name in asked if name.endswith(("After", "Before"))} == {"lastUpdatedAfter", "lastUpdatedBefore"}


def test_a_request_for_one_order_is_what_amazon_allows(orders_api: OrdersApi) -> None:
    wire = Wire(200, {"order": {"orderId": "111-1111111-1111111"}})
    api_on(wire).get_order("111-1111111-1111111")
    assert urlsplit(wire.asked[0]).path == GET.format(orderId="111-1111111-1111111")
    assert_allowed(orders_api.operations[GET].parameters, wire.asked[0])


@pytest.mark.parametrize("url", ["?orderIds=1", "?lastUpdatedAfter=2026-11-01", "?includedData=BUYER,NOTHING"])
def test_the_check_itself_notices_what_amazon_does_not_allow(orders_api: OrdersApi, url: str) -> None:
    with pytest.raises(Exception, match=r"orderIds|not a 'date-time'|not one of"):
        assert_allowed(orders_api.operations[SEARCH].parameters, url)


def test_every_page_is_read_as_it_is(orders_api: OrdersApi) -> None:
    pages = orders_api.answers(SEARCH, 200)
    for body in pages:
        page = search(Wire(200, body))
        assert list(page.orders) == body["orders"]
        assert page.next_token == body.get("pagination", {}).get("nextToken")
        if stated := body.get("lastUpdatedBefore"):
            assert page.last_updated_before == datetime.fromisoformat(stated)
    for optional in ("pagination", "lastUpdatedBefore"):
        assert 0 < sum(optional in body for body in pages) < len(pages)


def test_every_single_order_is_read_as_it_is(orders_api: OrdersApi) -> None:
    answers = orders_api.answers(GET, 200)
    assert answers
    for body in answers:
        assert api_on(Wire(200, body)).get_order(body["order"]["orderId"]).order == body["order"]


def test_errors_are_read_with_their_codes(orders_api: OrdersApi) -> None:
    answers = {path: orders_api.answers(path, 400) for path in (SEARCH, GET)}
    assert all(answers.values())
    for body in answers[SEARCH]:
        with pytest.raises(RequestRejected) as caught:
            search(Wire(400, body))
        assert caught.value.code == body["errors"][0]["code"]
    for body in answers[GET]:
        with pytest.raises(RequestRejected) as caught:
            api_on(Wire(400, body)).get_order("TEST_CASE_400")
        assert caught.value.code == body["errors"][0]["code"]


EXPECTED = {
    "400": (RequestRejected, RequestRejected),
    "403": (AccessDenied, AccessDenied),
    "404": (RequestRejected, OrderNotFound),
    "413": (RequestRejected, RequestRejected),
    "415": (RequestRejected, RequestRejected),
    "429": (QuotaExceeded, QuotaExceeded),
    "500": (AmazonUnavailable, AmazonUnavailable),
    "503": (AmazonUnavailable, AmazonUnavailable),
}


def test_every_status_of_amazons_has_its_error(orders_api: OrdersApi) -> None:
    for path in (SEARCH, GET):
        assert set(orders_api.operations[path].headers) == {"200", *EXPECTED}


@pytest.mark.parametrize("status", EXPECTED)
def test_each_status_becomes_its_error(status: str) -> None:
    body = {"errors": [{"code": "Example", "message": "An example."}]}
    on_search, on_get = EXPECTED[status]
    with pytest.raises(SpApiError) as caught:
        search(Wire(int(status), body))
    assert type(caught.value) is on_search
    with pytest.raises(SpApiError) as caught:
        api_on(Wire(int(status), body)).get_order("111-1111111-1111111")
    assert type(caught.value) is on_get
    with pytest.raises(SpApiError) as caught:
        search(Wire(int(status), body), pagination_token="page-2")
    assert type(caught.value) is (PageTokenRejected if status == "400" else on_search)

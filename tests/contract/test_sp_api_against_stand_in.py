"""The client and the stand-in, each written from Amazon's documentation alone, understand each other over HTTP."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import urllib3

from needs_attention.amazon.client import SearchPage, SellingPartnerApi
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
from needs_attention.amazon.order_json import read_order
from needs_attention.amazon.tokens import Credentials
from needs_attention.orders.marketplaces import MARKETPLACES
from tools.amazon_stand_in.clock import Clock
from tools.amazon_stand_in.generator import generated
from tools.amazon_stand_in.misbehaviour import Misbehaviour
from tools.amazon_stand_in.server import AmazonStandIn

NORTH_AMERICA = [marketplace.id for marketplace in MARKETPLACES.values() if marketplace.region == "NA"]
ORDERS = 230
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
BOUND = NOON - timedelta(minutes=2)


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def amazon(clock: Clock) -> Iterator[AmazonStandIn]:
    with AmazonStandIn(generated(ORDERS, now=NOON), now=clock) as stand_in:
        yield stand_in


@pytest.fixture
def api(amazon: AmazonStandIn, clock: Clock) -> Iterator[SellingPartnerApi]:
    with urllib3.PoolManager() as http:
        yield api_with(amazon.credentials.refresh_token, amazon, clock, http)


def api_with(refresh_token: str, amazon: AmazonStandIn, clock: Clock, http: urllib3.PoolManager) -> SellingPartnerApi:
    return SellingPartnerApi(
        Credentials(amazon.credentials.client_id, amazon.credentials.client_secret, refresh_token),
        endpoint=amazon.endpoint,
        lwa_endpoint=amazon.lwa_endpoint,
        http=http,
        now=lambda: clock().timestamp(),
    )


def search(
    api: SellingPartnerApi,
    *,
    token: str | None = None,
    marketplace_ids: list[str] = NORTH_AMERICA,
    before: datetime = BOUND,
) -> SearchPage:
    return api.search_orders(
        marketplace_ids=marketplace_ids,
        updated_after=NOON - timedelta(days=400),
        updated_before=before,
        pagination_token=token,
    )


def test_a_walk_over_the_pages_sees_every_order_exactly_once(amazon: AmazonStandIn, api: SellingPartnerApi) -> None:
    page = search(api)
    pages = [page]
    while page.next_token:
        page = search(api, token=page.next_token)
        pages.append(page)
    expected = [entry.order_id for entry in amazon.orders() if entry.updated <= BOUND]
    assert sorted(order["orderId"] for page in pages for order in page.orders) == sorted(expected)
    assert [len(page.orders) for page in pages] == [100, 100, len(expected) - 200]
    assert {page.last_updated_before for page in pages} == {BOUND}
    assert {page.rate_limit for page in pages} == {0.0056}
    assert all(page.request_id for page in pages)


def test_an_order_comes_the_same_by_its_id_as_on_a_page(api: SellingPartnerApi) -> None:
    on_page = search(api).orders[0]
    fetched = api.get_order(on_page["orderId"])
    assert fetched.order == on_page
    assert fetched.rate_limit == 0.5
    assert {"buyer", "recipient", "fulfillment", "proceeds"} <= set(on_page)


def test_one_token_serves_many_calls_and_an_expired_one_is_renewed_unseen(
    amazon: AmazonStandIn, api: SellingPartnerApi
) -> None:
    search(api)
    search(api)
    amazon.expire_access_tokens()
    assert search(api).orders
    asked = [(request.operation, request.status) for request in amazon.requests()]
    first = [("login", 200), ("searchOrders", 200), ("searchOrders", 200)]
    assert asked == [*first, ("searchOrders", 403), ("login", 200), ("searchOrders", 200)]


def test_a_token_is_renewed_before_it_expires(amazon: AmazonStandIn, api: SellingPartnerApi, clock: Clock) -> None:
    search(api)
    clock.advance(timedelta(minutes=59, seconds=30))
    search(api)
    assert [request.status for request in amazon.requests()] == [200] * 4


def test_a_page_token_that_is_a_day_old_is_told_apart(api: SellingPartnerApi, clock: Clock) -> None:
    token = search(api).next_token
    clock.advance(timedelta(hours=24))
    with pytest.raises(PageTokenRejected):
        search(api, token=token)


def test_a_page_token_of_another_window_is_told_apart(api: SellingPartnerApi) -> None:
    token = search(api).next_token
    with pytest.raises(PageTokenRejected):
        search(api, token=token, before=NOON - timedelta(minutes=3))


def test_the_burst_ends_in_an_exceeded_quota_and_not_in_a_wait(api: SellingPartnerApi, clock: Clock) -> None:
    for _ in range(20):
        search(api)
    with pytest.raises(QuotaExceeded) as caught:
        search(api)
    assert caught.value.rate_limit is None
    assert caught.value.request_id
    clock.advance(timedelta(seconds=179))
    assert search(api).orders


def test_a_window_closer_than_two_minutes_is_rejected(api: SellingPartnerApi) -> None:
    with pytest.raises(RequestRejected, match="two minutes"):
        search(api, before=NOON - timedelta(minutes=1))


def test_a_marketplace_of_another_region_is_denied_with_amazons_reason(api: SellingPartnerApi) -> None:
    with pytest.raises(AccessDenied, match="not valid for region"):
        search(api, marketplace_ids=["A1PA6795UKMFR9"])


def test_an_application_without_a_role_is_denied(amazon: AmazonStandIn, api: SellingPartnerApi) -> None:
    amazon.set_roles(set())
    with pytest.raises(AccessDenied, match="role"):
        search(api)


def test_an_unknown_order_is_not_found(api: SellingPartnerApi) -> None:
    with pytest.raises(OrderNotFound):
        api.get_order("999-9999999-9999999")


@pytest.mark.parametrize("order_id", ["S01/2?x=1#y", "../orders", "S01 é+%2F", "a%2e%2e"])
def test_an_order_of_whatever_id_is_found(amazon: AmazonStandIn, api: SellingPartnerApi, order_id: str) -> None:
    amazon.put(amazon.orders()[0].order | {"orderId": order_id})
    assert api.get_order(order_id).order["orderId"] == order_id


def test_a_withdrawn_consent_is_a_matter_of_the_credentials(amazon: AmazonStandIn, clock: Clock) -> None:
    with urllib3.PoolManager() as http, pytest.raises(CredentialsRejected) as caught:
        search(api_with("Atzr|withdrawn", amazon, clock, http))
    assert caught.value.code == "invalid_grant"
    assert "withdrawn" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "operation", "error"),
    [
        (Misbehaviour.HTML_503, "searchOrders", AmazonUnavailable),
        (Misbehaviour.JSON_500, "searchOrders", AmazonUnavailable),
        (Misbehaviour.DROPPED_CONNECTION, "searchOrders", AmazonUnavailable),
        (Misbehaviour.QUOTA_EXCEEDED, "searchOrders", QuotaExceeded),
        (Misbehaviour.INVALID_INPUT, "searchOrders", RequestRejected),
        (Misbehaviour.TRUNCATED_JSON, "searchOrders", UnreadableAnswer),
        (Misbehaviour.HTML_503, "login", AmazonUnavailable),
        (Misbehaviour.DROPPED_CONNECTION, "login", AmazonUnavailable),
        (Misbehaviour.TRUNCATED_JSON, "login", UnreadableAnswer),
        (Misbehaviour.LWA_SERVER_ERROR, "login", AmazonUnavailable),
        (Misbehaviour.LWA_TEMPORARILY_UNAVAILABLE, "login", AmazonUnavailable),
        (Misbehaviour.LWA_INVALID_CLIENT, "login", CredentialsRejected),
        (Misbehaviour.LWA_INVALID_GRANT, "login", CredentialsRejected),
        (Misbehaviour.LWA_UNAUTHORIZED_CLIENT, "login", CredentialsRejected),
    ],
)
def test_each_fault_is_one_error_after_one_call_and_the_next_call_works(
    amazon: AmazonStandIn,
    api: SellingPartnerApi,
    kind: Misbehaviour,
    operation: str,
    error: type[SpApiError],
) -> None:
    amazon.misbehave(kind, operations=[operation])
    with pytest.raises(SpApiError) as caught:
        search(api)
    assert type(caught.value) is error
    assert [request.operation for request in amazon.requests()].count(operation) == 1
    assert search(api).orders


def test_one_denied_call_is_healed_by_a_fresh_token_and_two_are_not(
    amazon: AmazonStandIn, api: SellingPartnerApi
) -> None:
    amazon.misbehave(Misbehaviour.ACCESS_DENIED)
    assert search(api).orders
    amazon.misbehave(Misbehaviour.ACCESS_DENIED, times=2)
    with pytest.raises(AccessDenied):
        search(api)


@pytest.mark.parametrize(
    "kind", [Misbehaviour.NULL_FIELDS, Misbehaviour.BLANK_FIELDS, Misbehaviour.UNKNOWN_VALUES, Misbehaviour.DUPLICATES]
)
def test_odd_but_readable_pages_are_read_to_the_last_order(
    amazon: AmazonStandIn, api: SellingPartnerApi, kind: Misbehaviour
) -> None:
    amazon.misbehave(kind)
    orders = [read_order(order) for order in search(api).orders]
    assert len({order.order_id for order in orders}) == 100


def test_a_malformed_order_comes_along_with_the_others(amazon: AmazonStandIn, api: SellingPartnerApi) -> None:
    amazon.misbehave(Misbehaviour.MALFORMED_ORDER)
    assert len(search(api).orders) == 100

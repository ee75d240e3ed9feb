"""The public clients of the Selling Partner API can read the stand-in: Amazon's own SDK and python-amazon-sp-api.

Neither sends the User-Agent that Amazon's documentation requires (with `Language=`), so the tests set one.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import sp_api.auth.exceptions  # type: ignore[import-untyped]  # neither client ships types
import spapi  # type: ignore[import-untyped]
from sp_api.api.orders.orders_2026_01_01 import OrdersV20260101  # type: ignore[import-untyped]

from tools.amazon_stand_in.ledger import amazon_time
from tools.amazon_stand_in.plain_client import ALL_DATASETS, USER_AGENT
from tools.amazon_stand_in.server import AmazonStandIn
from tools.amazon_stand_in.story import story

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
A_MONTH_AGO = amazon_time(NOON - timedelta(days=30))
US, CANADA = "ATVPDKIKX0DER", "A2EUQ1WTGCTBG2"
FIRST = "111-0000001-1000001"


@pytest.fixture
def stand_in() -> Iterator[AmazonStandIn]:
    with AmazonStandIn(story(NOON), now=lambda: NOON) as stand_in:
        yield stand_in


# Amazon's SDK for Python (amzn-sp-api)


@pytest.fixture
def official(stand_in: AmazonStandIn) -> Iterator[spapi.ApiClient]:
    # Each model object adds a log handler of its own unless a default configuration exists.
    spapi.Configuration.set_default(spapi.Configuration())
    credentials = stand_in.credentials
    config = spapi.SPAPIConfig(
        client_id=credentials.client_id,
        client_secret=credentials.client_secret,
        refresh_token=credentials.refresh_token,
    )
    client = spapi.SPAPIClient(config, oauth_endpoint=stand_in.lwa_endpoint, endpoint=stand_in.endpoint)
    client.api_client.user_agent = USER_AGENT
    yield client.api_client
    client.api_client.rest_client.pool_manager.clear()
    spapi.Configuration.set_default(None)


def test_the_official_sdk_reads_all_pages(official: spapi.ApiClient) -> None:
    api = spapi.SearchOrdersApi(official)
    query = {
        "last_updated_after": A_MONTH_AGO,
        "marketplace_ids": [US, CANADA],
        "max_results_per_page": 5,
        "included_data": ALL_DATASETS.split(","),
    }
    page = api.search_orders(**query)
    orders = list(page.orders)
    while page.pagination:
        page = api.search_orders(**query, pagination_token=page.pagination.next_token)
        orders += page.orders
    assert len(orders) == len({order.order_id for order in orders}) == 15
    first = next(order for order in orders if order.order_id == FIRST)
    assert first.recipient.delivery_address.name == "Dana Whitfield"
    assert first.buyer.buyer_email == "11100000011000001@marketplace.example.com"
    assert first.order_items[0].product.price.unit_price.amount == "42.90"


def test_the_official_sdk_reads_one_order(official: spapi.ApiClient) -> None:
    order = spapi.GetOrderApi(official).get_order(FIRST, included_data=["FULFILLMENT"]).order
    assert order.order_id == FIRST
    assert order.fulfillment.fulfillment_status == "UNSHIPPED"
    assert order.buyer is None


def test_the_official_sdk_understands_errors(official: spapi.ApiClient) -> None:
    with pytest.raises(spapi.ApiException) as raised:
        spapi.GetOrderApi(official).get_order("111-9999999-9999999")
    assert raised.value.status == 404


# python-amazon-sp-api


@pytest.fixture
def orders_api(stand_in: AmazonStandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[OrdersV20260101]:
    credentials = stand_in.credentials
    monkeypatch.setattr(sp_api.auth.AccessTokenClient, "scheme", "http://")
    monkeypatch.setattr(sp_api.auth.AccessTokenClient, "host", stand_in.endpoint.removeprefix("http://"))
    monkeypatch.setattr(OrdersV20260101, "user_agent", USER_AGENT)
    sp_api.auth.access_token_client.cache.clear()
    api = OrdersV20260101(
        # It derives the Host header from the endpoint by cutting off "https://".
        marketplace=SimpleNamespace(endpoint=stand_in.endpoint, marketplace_id=US, region="us-east-1"),
        credentials={
            "lwa_app_id": credentials.client_id,
            "lwa_client_secret": credentials.client_secret,
            "refresh_token": credentials.refresh_token,
        },
    )
    yield api
    api.close()
    api._auth._transport.close()  # its own close forgets this one


def test_python_amazon_sp_api_reads_all_pages(orders_api: OrdersV20260101) -> None:
    query = {
        "lastUpdatedAfter": A_MONTH_AGO,
        "marketplaceIds": [US, CANADA],
        "maxResultsPerPage": 5,
        "includedData": ALL_DATASETS.split(","),
    }
    page = orders_api.search_orders(**query)
    orders = list(page.orders)
    while page.pagination:
        page = orders_api.search_orders(**query, paginationToken=page.pagination["nextToken"])
        orders += page.orders
    assert len(orders) == len({order["orderId"] for order in orders}) == 15


def test_python_amazon_sp_api_reads_one_order(orders_api: OrdersV20260101) -> None:
    order = orders_api.get_order(FIRST, includedData=["RECIPIENT"]).order
    assert order["recipient"]["deliveryAddress"]["city"] == "Madison"


def test_python_amazon_sp_api_understands_a_refused_login(orders_api: OrdersV20260101, stand_in: AmazonStandIn) -> None:
    orders_api._auth.cred.refresh_token = "Atzr|revoked"
    with pytest.raises(sp_api.auth.exceptions.AuthorizationError) as raised:
        orders_api.get_order(FIRST)
    assert raised.value.error_code == "invalid_grant"
    assert stand_in.requests()[-1].status == 400

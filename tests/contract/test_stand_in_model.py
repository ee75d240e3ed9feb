"""The stand-in's answers are of the types that Amazon publishes of its Orders API 2026-01-01, and of no other."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import jsonschema
import pytest

from tests.contract.amazons_orders_api import GET, SEARCH, OrdersApi
from tools.amazon_stand_in.generator import Hole, generated
from tools.amazon_stand_in.marketplaces import Region
from tools.amazon_stand_in.misbehaviour import Misbehaviour
from tools.amazon_stand_in.orders_api import FULFILLED_BY, STATUSES
from tools.amazon_stand_in.plain_client import ALL_DATASETS, PlainClient, Query, Reply
from tools.amazon_stand_in.quota import USAGE_PLANS
from tools.amazon_stand_in.server import AmazonStandIn
from tools.amazon_stand_in.story import story
from tools.amazon_stand_in.visibility import DATASETS, INVENTORY_AND_ORDER_TRACKING

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
REGIONS: tuple[Region, ...] = ("NA", "EU", "FE")
ALL: Query = {"lastUpdatedAfter": NOON - timedelta(days=30), "includedData": ALL_DATASETS}


@pytest.fixture
def stand_in() -> Iterator[AmazonStandIn]:
    with AmazonStandIn(story(NOON), now=lambda: NOON) as stand_in:
        yield stand_in


@pytest.fixture
def client(stand_in: AmazonStandIn) -> Iterator[PlainClient]:
    client = PlainClient(stand_in)
    yield client
    client.close()


def check(reply: Reply, orders_api: OrdersApi, path: str) -> None:
    """Body and headers are those that Amazon gives for this status."""
    orders_api.validate(reply.json, path, reply.status)
    sent = {name for name in reply.headers if name.startswith("x-amzn-")}
    assert sent == {name.lower() for name in orders_api.operations[path].headers[str(reply.status)]}


def test_the_story_is_of_amazons_types(client: PlainClient, orders_api: OrdersApi) -> None:
    reply = client.search(ALL)
    assert len(reply.order_ids) == 19
    check(reply, orders_api, SEARCH)
    for order_id in reply.order_ids:
        check(client.order(order_id, includedData=ALL_DATASETS), orders_api, GET)


@pytest.fixture(scope="session")
def pages() -> dict[Region, list[Reply]]:
    """All generated orders of each region, with holes of every kind."""
    return {region: list(searched(region)) for region in REGIONS}


def searched(region: Region) -> Iterator[Reply]:
    entries = generated(300, now=NOON, region=region, shares=dict.fromkeys(Hole, 0.1))
    with AmazonStandIn(entries, region=region, now=lambda: NOON) as stand_in:
        client = PlainClient(stand_in)
        yield (reply := client.search(ALL))
        while token := reply.json.get("pagination", {}).get("nextToken"):
            yield (reply := client.search(ALL | {"paginationToken": token}))
        client.close()


@pytest.mark.parametrize("region", REGIONS)
def test_generated_orders_are_of_amazons_types(
    region: Region, pages: dict[Region, list[Reply]], orders_api: OrdersApi
) -> None:
    assert [len(reply.order_ids) for reply in pages[region]] == [100, 100, 100]
    for reply in pages[region]:
        check(reply, orders_api, SEARCH)


def test_orders_without_datasets_or_roles_are_of_amazons_types(
    client: PlainClient, stand_in: AmazonStandIn, orders_api: OrdersApi
) -> None:
    check(client.search(ALL | {"includedData": "BUYER"}), orders_api, SEARCH)
    stand_in.set_roles(frozenset({INVENTORY_AND_ORDER_TRACKING}))
    check(client.search(ALL), orders_api, SEARCH)


def test_errors_are_of_amazons_types(client: PlainClient, stand_in: AmazonStandIn, orders_api: OrdersApi) -> None:
    stand_in.set_usage_plan("searchOrders", rate=0.0056, burst=1)
    invalid, too_many = client.search(), client.search()
    unknown = client.order("111-9999999-9999999")
    denied = client.search(ALL, headers={"x-amz-access-token": "Atza|unknown"})
    stand_in.misbehave(Misbehaviour.JSON_500)
    broken = client.search(ALL)
    assert [reply.status for reply in (invalid, too_many, denied, broken, unknown)] == [400, 429, 403, 500, 404]
    for reply in (invalid, too_many, denied, broken):
        check(reply, orders_api, SEARCH)
    check(unknown, orders_api, GET)


def test_parameters_take_amazons_values(orders_api: OrdersApi) -> None:
    parameters = orders_api.operations[SEARCH].parameters
    assert frozenset(parameters["includedData"]["items"]["enum"]) == DATASETS
    assert frozenset(parameters["fulfillmentStatuses"]["items"]["enum"]) == STATUSES
    assert frozenset(parameters["fulfilledBy"]["items"]["enum"]) == FULFILLED_BY


@pytest.mark.parametrize(("operation", "path"), [("searchOrders", SEARCH), ("getOrder", GET)])
def test_usage_plans_are_amazons(operation: str, path: str, orders_api: OrdersApi) -> None:
    plan = USAGE_PLANS[operation]
    assert (str(plan.rate), str(plan.burst)) == orders_api.operations[path].usage_plan


def test_the_check_notices_an_unknown_and_a_missing_member(client: PlainClient, orders_api: OrdersApi) -> None:
    answer = client.search(ALL).json
    order = answer["orders"][0]
    for wrong in (order | {"unknown": 1}, order | {"createdTime": "yesterday"}, {**order, "salesChannel": {}}):
        with pytest.raises(jsonschema.ValidationError):
            orders_api.validate(answer | {"orders": [wrong]}, SEARCH, 200)

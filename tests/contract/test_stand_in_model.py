"""The stand-in's answers have the shape of Amazon's own model of the Orders API 2026-01-01.

The environment variable SP_API_MODEL names the model: orders_2026-01-01.json of Amazon's selling-partner-api-models.
"""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest

from tools.amazon_stand_in.generator import Hole, generated
from tools.amazon_stand_in.ledger import Json, moment
from tools.amazon_stand_in.marketplaces import Region
from tools.amazon_stand_in.misbehaviour import Misbehaviour
from tools.amazon_stand_in.orders_api import FULFILLED_BY, STATUSES
from tools.amazon_stand_in.plain_client import ALL_DATASETS, PlainClient, Query, Reply
from tools.amazon_stand_in.quota import USAGE_PLANS
from tools.amazon_stand_in.server import AmazonStandIn
from tools.amazon_stand_in.story import story
from tools.amazon_stand_in.visibility import DATASETS, INVENTORY_AND_ORDER_TRACKING

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ALL: Query = {"lastUpdatedAfter": NOON - timedelta(days=30), "includedData": ALL_DATASETS}
SEARCH, GET = "/orders/2026-01-01/orders", "/orders/2026-01-01/orders/{orderId}"

FORMATS = jsonschema.FormatChecker(formats=())
FORMATS.checks("date-time", raises=ValueError)(lambda text: bool(moment(text)))


@pytest.fixture(scope="module")
def model() -> Json:
    path = os.environ.get("SP_API_MODEL")
    if not path:
        pytest.skip("SP_API_MODEL does not name Amazon's model of the Orders API, orders_2026-01-01.json")
    model: Json = json.loads(Path(path).read_text(encoding="utf-8"))
    return model


@pytest.fixture(scope="module")
def definitions(model: Json) -> Json:
    """The model's definitions, made strict: a field that Amazon does not know is an error."""
    return {
        name: definition | ({"additionalProperties": False} if "properties" in definition else {})
        for name, definition in model["definitions"].items()
    }


@pytest.fixture
def stand_in() -> Iterator[AmazonStandIn]:
    with AmazonStandIn(story(NOON), now=lambda: NOON) as stand_in:
        yield stand_in


@pytest.fixture
def client(stand_in: AmazonStandIn) -> Iterator[PlainClient]:
    client = PlainClient(stand_in)
    yield client
    client.close()


def check(reply: Reply, model: Json, definitions: Json, path: str) -> None:
    """Body and headers are those that the model's path gives for this status."""
    response = model["paths"][path]["get"]["responses"][str(reply.status)]
    schema = response["schema"] | {"definitions": definitions}
    jsonschema.Draft4Validator(schema, format_checker=FORMATS).validate(reply.json)
    sent = {name for name in reply.headers if name.startswith("x-amzn-")}
    assert sent == {name.lower() for name in response["headers"]}


def test_the_story_is_of_the_models_shape(client: PlainClient, model: Json, definitions: Json) -> None:
    reply = client.search(ALL)
    assert len(reply.order_ids) == 19
    check(reply, model, definitions, SEARCH)
    for order_id in reply.order_ids:
        check(client.order(order_id, includedData=ALL_DATASETS), model, definitions, GET)


@pytest.mark.parametrize("region", ["NA", "EU", "FE"])
def test_generated_orders_are_of_the_models_shape(region: Region, model: Json, definitions: Json) -> None:
    entries = generated(300, now=NOON, region=region, shares=dict.fromkeys(Hole, 0.1))
    with AmazonStandIn(entries, region=region, now=lambda: NOON) as stand_in:
        client = PlainClient(stand_in)
        query = ALL
        for _ in range(3):
            reply = client.search(query)
            check(reply, model, definitions, SEARCH)
            query = ALL | {"paginationToken": reply.json.get("pagination", {}).get("nextToken", "")}
        client.close()
    assert "pagination" not in reply.json


def test_orders_without_datasets_or_roles_are_of_the_models_shape(
    client: PlainClient, stand_in: AmazonStandIn, model: Json, definitions: Json
) -> None:
    check(client.search(ALL | {"includedData": "BUYER"}), model, definitions, SEARCH)
    stand_in.set_roles(frozenset({INVENTORY_AND_ORDER_TRACKING}))
    check(client.search(ALL), model, definitions, SEARCH)


def test_errors_are_of_the_models_shape(
    client: PlainClient, stand_in: AmazonStandIn, model: Json, definitions: Json
) -> None:
    stand_in.set_usage_plan("searchOrders", rate=0.0056, burst=1)
    invalid, too_many = client.search(), client.search()
    unknown = client.order("111-9999999-9999999")
    denied = client.search(ALL, headers={"x-amz-access-token": "Atza|unknown"})
    stand_in.misbehave(Misbehaviour.JSON_500)
    broken = client.search(ALL)
    assert [reply.status for reply in (invalid, too_many, denied, broken, unknown)] == [400, 429, 403, 500, 404]
    for reply in (invalid, too_many, denied, broken):
        check(reply, model, definitions, SEARCH)
    check(unknown, model, definitions, GET)


def test_parameters_take_the_models_values(model: Json) -> None:
    parameters = {parameter["name"]: parameter for parameter in model["paths"][SEARCH]["get"]["parameters"]}
    assert frozenset(parameters["includedData"]["items"]["enum"]) == DATASETS
    assert frozenset(parameters["fulfillmentStatuses"]["items"]["enum"]) == STATUSES
    assert frozenset(parameters["fulfilledBy"]["items"]["enum"]) == FULFILLED_BY


@pytest.mark.parametrize(("operation", "path"), [("searchOrders", SEARCH), ("getOrder", GET)])
def test_usage_plans_are_the_models(operation: str, path: str, model: Json) -> None:
    plan = USAGE_PLANS[operation]
    assert f"| {plan.rate} | {plan.burst} |" in model["paths"][path]["get"]["description"]

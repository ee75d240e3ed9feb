"""The calls to AWS that a request makes, and how a call identifies its maker."""

from typing import Any

import botocore
import pytest
from moto import mock_aws

from needs_attention import aws
from tests.integration.faults import watched
from tests.integration.writes import ORDER, WRITES, Write, an_order
from tools.in_memory.api import World

FIRST = "701-1111111-1111111"
READS_SURROUNDINGS_ONCE = [
    Write("GET", ORDER, None, an_order),
    *(WRITES[operation] for operation in (("PATCH", "/orders/{orderId}"), ("POST", "/bulk/orders"))),
    *(WRITES["POST", path] for path in ("/orders.csv", "/orders/{orderId}/release", "/orders/{orderId}/acknowledge")),
    *(WRITES["POST", f"/orders/{{orderId}}/{what}"] for what in ("picked", "transfer-failed", "erase")),
]


@pytest.mark.parametrize("one", READS_SURROUNDINGS_ONCE, ids=lambda one: f"{one.method} {one.path}")
def test_showing_or_changing_orders_reads_their_surroundings_in_one_call(world: World, one: Write) -> None:
    one.prepare(world)
    with watched() as calls:
        assert one.make(world).status == 200
    (read,) = [call for call in calls if call.is_to("dynamodb", table="IntegrationsTable") and "Get" in call.operation]
    (wanted,) = read.parameters["RequestItems"].values()
    assert (read.operation, len(wanted["Keys"]), wanted["ConsistentRead"]) == ("BatchGetItem", 4, True)


def test_showing_an_order_takes_one_read_of_it_and_one_of_its_surroundings(world: World) -> None:
    world.download()
    with watched() as calls:
        world.call("GET", ORDER)
    assert [call.operation for call in calls] == ["GetItem", "BatchGetItem"]


def test_a_patch_makes_a_read_of_the_order_one_of_surroundings_and_a_write(world: World) -> None:
    world.download()
    with watched() as calls:
        world.call("PATCH", ORDER, {"comment": "Later."})
    assert [call.operation for call in calls] == ["GetItem", "BatchGetItem", "UpdateItem"]


def test_an_integration_is_shown_after_three_reads(world: World) -> None:
    """The integration itself, the state of its downloads, and the orders that could not be stored."""
    with watched() as calls:
        assert world.call("GET", "/integrations/acme-na").status == 200
    assert [call.operation for call in calls] == ["GetItem", "BatchGetItem", "Query"]


def test_a_hundred_integrations_are_listed_after_as_many_reads_as_one(world: World) -> None:
    def reads_of(number: int) -> list[str]:
        with watched() as calls:
            assert len(world.call("GET", "/integrations").body["integrations"]) == number
        return [call.operation for call in calls]

    reads_of_one = reads_of(1)
    for number in range(99):
        world.register(f"another-{number}")
    assert reads_of(100) == reads_of_one


@pytest.mark.parametrize("query", [{"integration": "acme-na"}, {"orderIds": FIRST}], ids=str)
@pytest.mark.parametrize("path", ["/orders", "/orders.csv"])
def test_a_list_reads_the_settings_of_the_integrations_that_it_shows(
    world: World, path: str, query: dict[str, str]
) -> None:
    world.download(order_id=FIRST)
    for number in range(3):
        world.register(f"another-{number}")
    with watched() as calls:
        assert world.call("GET", path, query=query).status == 200
    read = [str(call) for call in calls if call.is_to("dynamodb", table="IntegrationsTable")]
    assert "integration#acme-na" in str(read)
    assert "another" not in str(read)
    assert not [call for call in read if "begins_with" in call]


@pytest.mark.parametrize("path", ["/orders", "/orders.csv"])
def test_a_list_of_too_many_integrations_reads_no_order(world: World, path: str) -> None:
    for number in range(150):
        world.register(f"another-{number}")
    with watched() as calls:
        assert world.call("GET", path).codes == {"integration": "integrationNeeded"}
        wrong = world.call("GET", path, query={"integration": "nobody"}).body["errors"][0]["message"]
    assert wrong == "nobody is not known; GET /integrations lists those that are"
    assert not [call for call in calls if call.is_to("dynamodb", table="OrdersTable")]


@pytest.mark.parametrize("path", ["/orders", "/orders.csv", "/summary"])
def test_a_list_reads_no_item_of_the_integrations_table_twice(world: World, path: str) -> None:
    world.download()
    with watched() as calls:
        assert world.call("GET", path).status == 200
    read = [str(call) for call in calls if call.is_to("dynamodb", table="IntegrationsTable")]
    assert len(read) == len(set(read)) == 4


def test_calls_name_the_project_and_botocore() -> None:
    """Powertools adds itself where it is imported; botocore's own composition is absent."""
    sent: list[Any] = []
    with mock_aws():
        dynamodb = aws.client("dynamodb")
        dynamodb.meta.events.register_first("before-send.dynamodb", lambda request, **_: sent.append(request))
        dynamodb.list_tables()
    (agent,) = {request.headers["User-Agent"].decode() for request in sent}
    assert agent.split()[:2] == ["needs-attention", f"Botocore/{botocore.__version__}"]
    assert "lang/python" not in agent

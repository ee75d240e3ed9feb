"""Amazon's publications of its Orders API agree with each other, and with the words that the package knows."""

import re

import pytest

from needs_attention.amazon.client import INCLUDED_DATA
from needs_attention.orders.amazon_order import (
    AMAZON_AS_BUYER,
    KNOWN_CHANNELS,
    KNOWN_STATUSES,
)
from tests.contract.amazons_orders_api import ADDED_LATER, GET, SEARCH, OrdersApi
from tests.contract.orders_api_of_sdk import out_of_sdk
from tools.amazon_stand_in.orders_api import FULFILLED_BY, STATUSES
from tools.amazon_stand_in.visibility import DATASETS

ANSWERS = ("SearchOrdersResponse", "GetOrderResponse", "ErrorList")
# Members of an order and its items that come with every answer, whichever datasets are asked for.
ALWAYS_THERE = {
    *("orderId", "orderAliases", "createdTime", "lastUpdatedTime", "programs", "associatedOrders", "salesChannel"),
    *("orderItems", "orderItemId", "quantityOrdered", "measurement", "associatedOrderItems", "product"),
}
PARAMETERS = {
    SEARCH: {
        **dict.fromkeys(("createdAfter", "createdBefore", "lastUpdatedAfter", "lastUpdatedBefore"), "date-time"),
        **dict.fromkeys(("fulfillmentStatuses", "marketplaceIds", "fulfilledBy", "includedData"), "array"),
        "maxResultsPerPage": "integer",
        "paginationToken": "string",
    },
    GET: {"includedData": "array"},
}


def test_publications_agree_but_for_what_amazon_added_later(orders_api: OrdersApi) -> None:
    earlier, sdk = orders_api.as_first_published(), out_of_sdk().as_first_published()
    for answer in ANSWERS:
        assert sorted(earlier.members(answer, answer)) == sorted(sdk.members(answer, answer))
    assert orders_api.sandbox == sdk.sandbox
    for path, operation in sdk.operations.items():
        assert orders_api.operations[path].headers == operation.headers
        assert orders_api.operations[path].answer == operation.answer
        assert orders_api.operations[path].usage_plan == operation.usage_plan
    added = {(name, member) for name, members in ADDED_LATER.items() for member in members}
    has = {(name, member) for name, member in added if member in orders_api.definitions[name]["properties"]}
    assert has in (added, set())
    assert added <= {(name, member) for name, each in sdk_members().items() for member in each}


def sdk_members() -> dict[str, set[str]]:
    definitions = out_of_sdk().definitions
    return {name: set(definition.get("properties", ())) for name, definition in definitions.items()}


def test_the_operations_take_these_parameters_and_no_other(orders_api: OrdersApi) -> None:
    said = {
        path: {name: schema.get("format", schema["type"]) for name, schema in operation.parameters.items()}
        for path, operation in orders_api.operations.items()
    }
    assert said == PARAMETERS
    assert orders_api.operations[SEARCH].parameters["marketplaceIds"]["maxItems"] == 50


def test_each_dataset_is_a_member_of_an_order_or_its_items(orders_api: OrdersApi) -> None:
    members = {member for name in ("Order", "OrderItem") for member in orders_api.definitions[name]["properties"]}
    optional = {re.sub("([A-Z])", r"_\1", member).upper() for member in members - ALWAYS_THERE}
    for path in (SEARCH, GET):
        assert set(orders_api.operations[path].parameters["includedData"]["items"]["enum"]) == optional
    assert optional == DATASETS
    assert set(INCLUDED_DATA) <= optional


def test_the_package_and_the_stand_in_know_each_status_and_channel(orders_api: OrdersApi) -> None:
    # The last comes from the Orders API v0 alone.
    statuses = orders_api.words("OrderFulfillment", "fulfillmentStatus")
    assert statuses == KNOWN_STATUSES - {"INVOICE_UNCONFIRMED"} == STATUSES
    assert orders_api.words("OrderFulfillment", "fulfilledBy") == KNOWN_CHANNELS == FULFILLED_BY


@pytest.mark.parametrize(
    ("definition", "member", "word"),
    [
        ("Alias", "aliasType", "SELLER_ORDER_ID"),
        ("OrderTaxRegistration", "entityType", "BUYER"),
        ("ItemCancellationRequest", "requester", "BUYER"),
        ("PackageStatus", "status", "DELIVERED"),
        ("PackageStatus", "status", "CANCELLED"),
        ("Order", "programs", AMAZON_AS_BUYER),
        ("Order", "programs", "PRIME"),
        ("Order", "programs", "AMAZON_BUSINESS"),
    ],
)
def test_the_package_asks_for_words_that_amazon_says(
    orders_api: OrdersApi, definition: str, member: str, word: str
) -> None:
    assert word in orders_api.words(definition, member)

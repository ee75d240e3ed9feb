"""Amazon's Orders API out of its model: orders_2026-01-01.json of github.com/amzn/selling-partner-api-models."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.contract.amazons_orders_api import Operation, OrdersApi, SandboxCall, usage_plan
from tools.amazon_stand_in.ledger import Json

_OF_A_SCHEMA: Final = ("type", "format", "items", "maxItems", "enum")


def out_of_model(path: Path) -> OrdersApi:
    """Reads Amazon's Swagger file."""
    model: Json = json.loads(path.read_text(encoding="utf-8"))
    operations = {where: each["get"] for where, each in model["paths"].items()}
    return OrdersApi(
        definitions=model["definitions"],
        operations={where: _operation(operation) for where, operation in operations.items()},
        sandbox=frozenset(
            _sandbox_call(case)
            for operation in operations.values()
            for case in operation["responses"]["200"]["x-amzn-api-sandbox"]["static"]
        ),
        documented={
            (where, status): list(_shown(response))
            for where, operation in operations.items()
            for status, response in operation["responses"].items()
        },
    )


def _operation(operation: Json) -> Operation:
    return Operation(
        parameters={
            parameter["name"]: {word: parameter[word] for word in _OF_A_SCHEMA if word in parameter}
            for parameter in operation["parameters"]
            if parameter["in"] == "query"
        },
        headers={status: frozenset(response["headers"]) for status, response in operation["responses"].items()},
        answer=operation["responses"]["200"]["schema"]["$ref"].rpartition("/")[2],
        usage_plan=usage_plan(operation["description"]),
    )


def _shown(response: Json) -> Iterator[Json]:
    for case in response.get("x-amzn-api-sandbox", {}).get("static", ()):
        yield case["response"]
    if example := response.get("examples"):
        yield example["application/json"]


def _sandbox_call(case: Json) -> SandboxCall:
    values = {name: given["value"] for name, given in case["request"]["parameters"].items()}
    query = {name: ",".join(value) if isinstance(value, list) else value for name, value in values.items()}
    (order,) = case["response"].get("orders") or [case["response"]["order"]]
    return SandboxCall(
        query=tuple(sorted(query.items())),
        order_id=order["orderId"],
        country=order["recipient"]["deliveryAddress"]["countryCode"],
        status=order["fulfillment"]["fulfillmentStatus"],
        fulfilled_by=order["fulfillment"]["fulfilledBy"],
        lines=len(order["orderItems"]),
        has_buyer="buyer" in order,
    )

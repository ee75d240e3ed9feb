"""Amazon's Orders API out of Amazon's SDK for Python (package amzn-sp-api, module spapi), which is always installed.

The SDK is generated from Amazon's model, so it holds types, required members, words, parameters and usage plans. It
lacks the datasets, the statuses and headers of answers, and the static sandbox: these facts are written down here.
"""

import ast
import inspect
import re
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any, Final

import spapi  # type: ignore[import-untyped]  # the SDK ships no types
from spapi.models import orders_v2026_01_01  # type: ignore[import-untyped]

from tests.contract.amazons_orders_api import Operation, OrdersApi, SandboxCall, usage_plan, words_of
from tools.amazon_stand_in.ledger import Json

# What follows is Amazon's model at commit 34dc93f, which knows it and the SDK does not: `includedData` of both
# operations, statuses and headers of the answers, and `x-amzn-api-sandbox`.
DATASETS: Final = (
    *("BUYER", "RECIPIENT", "PROCEEDS", "EXPENSE", "PROMOTION", "CANCELLATION", "FULFILLMENT", "PACKAGES", "TAX"),
    *("PAYMENT", "FULFILLMENT_ORDERS"),
)
_REQUEST_ID, _RATE_LIMIT = "x-amzn-RequestId", "x-amzn-RateLimit-Limit"
_HEADERS: Final = {
    **dict.fromkeys(("200", "400", "404"), frozenset({_REQUEST_ID, _RATE_LIMIT})),
    **dict.fromkeys(("403", "413", "415", "429", "500", "503"), frozenset({_REQUEST_ID})),
}
_EIGHT: Final = ",".join(DATASETS[:8])
_SANDBOX: Final = frozenset(
    SandboxCall(tuple(sorted(query.items())), *order)
    for query, order in (
        (
            {
                "createdAfter": "2024-12-20T00:00:00Z",
                "marketplaceIds": "A2Q3Y263D00KWC",
                "includedData": "BUYER,RECIPIENT,PROCEEDS,FULFILLMENT,TAX,PAYMENT",
            },
            ("171-2345678-9012345", "BR", "UNSHIPPED", "MERCHANT", 1, True),
        ),
        (
            {
                "createdAfter": "2024-12-23T00:00:00Z",
                "marketplaceIds": "A1F83G8C2ARO7P",
                "includedData": _EIGHT,
                "paginationToken": "9ZhB4RmVyc2lvbiAxLjAgb2YgdGhl",
            },
            ("202-7654321-1098765", "GB", "SHIPPED", "MERCHANT", 1, True),
        ),
        (
            {"createdAfter": "2024-12-25T00:00:00Z", "marketplaceIds": "A1VC38T7YXB528", "includedData": _EIGHT},
            ("250-1234567-8901234", "JP", "SHIPPED", "AMAZON", 2, True),
        ),
        (
            {"orderId": "171-9876543-2109876", "includedData": _EIGHT},
            ("171-9876543-2109876", "BR", "UNSHIPPED", "MERCHANT", 1, True),
        ),
        (
            {"orderId": "114-9876543-1234567", "includedData": "RECIPIENT,PROCEEDS,FULFILLMENT"},
            ("114-9876543-1234567", "US", "UNSHIPPED", "MERCHANT", 1, False),
        ),
        (
            {"orderId": "028-1234567-8901234", "includedData": "BUYER,RECIPIENT,PROCEEDS,FULFILLMENT,TAX"},
            ("028-1234567-8901234", "TR", "SHIPPED", "MERCHANT", 1, True),
        ),
    )
)


def out_of_sdk() -> OrdersApi:
    """Asks the SDK's classes of types and operations."""
    definitions = sdk_definitions(orders_v2026_01_01)
    words = {
        "fulfillmentStatuses": definitions["FulfillmentStatus"]["enum"],
        "fulfilledBy": words_of(definitions, definitions["OrderFulfillment"]["properties"]["fulfilledBy"]),
        "includedData": list(DATASETS),
    }
    calls = {"search_orders": spapi.SearchOrdersApi, "get_order": spapi.GetOrderApi}
    return OrdersApi(
        definitions=definitions,
        operations=dict(_called(api(_Recorder()), method, words) for method, api in calls.items()),
        sandbox=_SANDBOX,
        documented={},
    )


def sdk_definitions(types: ModuleType) -> Json:
    """The types of one API, a module of `spapi.models`, as schemas by name."""
    return {name: _definition(kind) for name, kind in vars(types).items() if isinstance(kind, type)}


def _definition(kind: Any) -> Json:
    """A class of the SDK as a schema. Its setters refuse None for a required member, and a word that is not allowed."""
    if not kind.swagger_types:
        return {"type": "string", "enum": [word for name, word in vars(kind).items() if name.isupper()]}
    unset = object.__new__(kind)
    unset._configuration = spapi.Configuration()
    properties, required = {}, []
    for attribute, name in kind.attribute_map.items():
        schema = _schema(kind.swagger_types[attribute])
        if "must not be `None`" in _refusal(unset, attribute, None):
            required.append(name)
        if schema == {"type": "string"}:
            _, _, allowed = _refusal(unset, attribute, "NO_SUCH_WORD").partition("must be one of ")
            schema |= {"enum": ast.literal_eval(allowed)} if allowed else {}
        properties[name] = schema | {"description": inspect.getdoc(getattr(kind, attribute)) or ""}
    return {"type": "object", "properties": properties} | ({"required": required} if required else {})


def _refusal(unset: object, attribute: str, value: object) -> str:
    try:
        setattr(unset, attribute, value)
    except ValueError as error:
        return str(error)
    return ""


_SCHEMAS: Final[Mapping[str, Json]] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
}


def _schema(sdk_type: str) -> Json:
    """Of a type as the SDK writes it: `str`, `List[OrderItem]`."""
    if entries := re.fullmatch(r"List\[(.+)\]", sdk_type):
        return {"type": "array", "items": _schema(entries[1])}
    return dict(_SCHEMAS.get(sdk_type) or {"$ref": f"#/definitions/{sdk_type}"})


class _Recorder:
    """Takes the place of the SDK's HTTP client, and keeps the one call that is made."""

    client_side_validation = True

    def select_header_accept(self, kinds: object) -> object:
        return kinds

    def call_api(self, path: str, method: str, _: object, query: Any, *__: object, **more: Any) -> None:
        assert method == "GET"
        self.path, self.query, self.more = path, query, more


def _called(api: Any, method: str, words: Mapping[str, list[str]]) -> tuple[str, Operation]:
    """The path of an operation, and what the SDK says of it by its method's documentation and by making the call."""
    text = inspect.getdoc(getattr(api, method)) or ""
    types = {name: kind for kind, name in re.findall(r":param (\S+) (\w+): ", text)}
    getattr(api, method)(**{name: [name] for name in types})
    call = api.api_client
    parameters = {}
    for name, (attribute,) in call.query:
        schema = _schema(types[attribute])
        if schema["type"] == "array":
            assert call.more["collection_formats"][name] == "csv"
            schema |= _limit(api, method, types, attribute)
            if name in words:
                schema["items"]["enum"] = words[name]
        parameters[name] = schema
    return call.path, Operation(parameters, _HEADERS, call.more["response_type"], usage_plan(text))


def _limit(api: Any, method: str, attributes: Iterable[str], attribute: str) -> Json:
    """`maxItems` if the SDK refuses a list that is far too long."""
    try:
        getattr(api, method)(**{name: [name] for name in attributes} | {attribute: [attribute] * 10_000})
    except ValueError as error:
        return {"maxItems": int(re.findall("less than or equal to `([0-9]+)`", str(error))[0])}
    return {}

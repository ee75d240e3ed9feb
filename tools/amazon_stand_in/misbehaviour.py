"""The ways in which Amazon's answers go wrong; tests ask the stand-in for each of them."""

from collections.abc import Callable, Container
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from tools.amazon_stand_in.http_messages import Answer, ApiError
from tools.amazon_stand_in.ledger import Json
from tools.amazon_stand_in.quota import USAGE_PLANS

LOGIN: Final = "login"
DOWNLOAD: Final = "download"
OPERATIONS: Final = frozenset({*USAGE_PLANS, LOGIN, DOWNLOAD})


class Misbehaviour(StrEnum):
    """A way to go wrong.

    Login with Amazon knows the LWA_ ones and those of the connection, the download of a report those of the connection
    only, every operation of the Selling Partner API also the errors; the others are of the operation that they name.
    """

    HTML_503 = "html503"
    JSON_500 = "json500"
    QUOTA_EXCEEDED = "quotaExceeded"
    ACCESS_DENIED = "accessDenied"
    INVALID_INPUT = "invalidInput"
    DROPPED_CONNECTION = "droppedConnection"
    TRUNCATED_JSON = "truncatedJson"
    SLOW_ANSWER = "slowAnswer"
    NULL_FIELDS = "nullFields"
    BLANK_FIELDS = "blankFields"
    NO_FULFILLMENT = "noFulfillment"
    DUPLICATES = "duplicates"
    UNKNOWN_VALUES = "unknownValues"
    MALFORMED_ORDER = "malformedOrder"
    REPEATED_PAGE = "repeatedPage"
    EARLIER_BOUND = "earlierBound"
    FATAL_REPORT = "fatalReport"
    CANCELLED_REPORT = "cancelledReport"
    UNREADABLE_REPORT = "unreadableReport"
    LWA_INVALID_CLIENT = "lwaInvalidClient"
    LWA_INVALID_GRANT = "lwaInvalidGrant"
    LWA_UNAUTHORIZED_CLIENT = "lwaUnauthorizedClient"
    LWA_SERVER_ERROR = "lwaServerError"
    LWA_TEMPORARILY_UNAVAILABLE = "lwaTemporarilyUnavailable"

    @property
    def concerns_login(self) -> bool:
        return self.name.startswith("LWA_")


_OF_THE_CONNECTION: Final = frozenset(
    {
        Misbehaviour.HTML_503,
        Misbehaviour.DROPPED_CONNECTION,
        Misbehaviour.TRUNCATED_JSON,
        Misbehaviour.SLOW_ANSWER,
    }
)

_OF_THE_ORDERS_API: Final = frozenset({"searchOrders", "getOrder"})
OF_REPORTS: Final = (Misbehaviour.FATAL_REPORT, Misbehaviour.CANCELLED_REPORT, Misbehaviour.UNREADABLE_REPORT)
# Faults that only some operations can have.
_ONLY_OF: Final = {
    Misbehaviour.NULL_FIELDS: _OF_THE_ORDERS_API,
    Misbehaviour.BLANK_FIELDS: _OF_THE_ORDERS_API,
    Misbehaviour.NO_FULFILLMENT: _OF_THE_ORDERS_API,
    Misbehaviour.DUPLICATES: _OF_THE_ORDERS_API,
    Misbehaviour.UNKNOWN_VALUES: _OF_THE_ORDERS_API,
    Misbehaviour.MALFORMED_ORDER: _OF_THE_ORDERS_API,
    Misbehaviour.REPEATED_PAGE: frozenset({"searchOrders"}),
    Misbehaviour.EARLIER_BOUND: frozenset({"searchOrders"}),
    **dict.fromkeys(OF_REPORTS, frozenset({"createReport"})),
}


@dataclass(slots=True)
class Instruction:
    """An instruction to misbehave in the next `times` answers of the operations (None: until told otherwise).

    `seconds` is how long a slow answer takes, and how much earlier than asked an earlier bound is.
    """

    kind: Misbehaviour
    times: int | None = 1
    operations: frozenset[str] = frozenset()
    seconds: float = 0.0

    def concerns(self, operation: str) -> bool:
        if self.operations:
            return operation in self.operations
        return self.kind.concerns_login == (operation == LOGIN) and _is_possible(self.kind, operation)


def _is_possible(kind: Misbehaviour, operation: str) -> bool:
    if operation == LOGIN:
        return kind.concerns_login or kind in _OF_THE_CONNECTION
    if operation == DOWNLOAD:
        return kind in _OF_THE_CONNECTION
    if kind in _ONLY_OF:
        return operation in _ONLY_OF[kind]
    return not kind.concerns_login


_HTML: Final = b"<html><head><title>503 Service Temporarily Unavailable</title></head><body>Try again</body></html>"

# Answers that take the place of the real one, before access and quota are looked at.
REPLACED: Final[dict[Misbehaviour, Callable[[], Answer]]] = {
    Misbehaviour.HTML_503: lambda: Answer(503, _HTML, content_type="text/html"),
    Misbehaviour.JSON_500: lambda: ApiError(500, "InternalFailure", "We encountered an internal error.").answer(),
    Misbehaviour.QUOTA_EXCEEDED: lambda: quota_exceeded().answer(),
    Misbehaviour.ACCESS_DENIED: lambda: access_denied("").answer(),
    Misbehaviour.INVALID_INPUT: lambda: ApiError(400, "InvalidInput", "Invalid Input", "Invalid Input").answer(),
    Misbehaviour.LWA_INVALID_CLIENT: lambda: _login_error(401, "invalid_client"),
    Misbehaviour.LWA_INVALID_GRANT: lambda: _login_error(400, "invalid_grant"),
    Misbehaviour.LWA_UNAUTHORIZED_CLIENT: lambda: _login_error(400, "unauthorized_client"),
    Misbehaviour.LWA_SERVER_ERROR: lambda: _login_error(500, "server_error"),
    Misbehaviour.LWA_TEMPORARILY_UNAVAILABLE: lambda: _login_error(503, "temporarily_unavailable"),
}


def quota_exceeded() -> ApiError:
    return ApiError(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")


def access_denied(details: str) -> ApiError:
    return ApiError(403, "Unauthorized", "Access to requested resource is denied.", details)


def _login_error(status: int, code: str) -> Answer:
    return Answer.of_json(status, {"error": code, "error_description": "Told to answer so"})


def _with_null_fields(orders: list[Json]) -> list[Json]:
    return [_with_absent_fields(order, None) for order in orders]


def _with_blank_fields(orders: list[Json]) -> list[Json]:
    return [_with_absent_fields(order, "") for order in orders]


def _without_fulfillment(orders: list[Json]) -> list[Json]:
    """As in an outage of that dataset, with all others there (selling-partner-api-models issue 5365)."""
    return [
        _without(order, "fulfillment") | {"orderItems": [_without(item, "fulfillment") for item in order["orderItems"]]}
        for order in orders
    ]


def _without(part: Json, field: str) -> Json:
    return {key: value for key, value in part.items() if key != field}


def _with_a_duplicate(orders: list[Json]) -> list[Json]:
    """The first order is there once more, without the people in it."""
    return orders + [_without(_without(order, "buyer"), "recipient") for order in orders[:1]]


def _with_unknown_values(orders: list[Json]) -> list[Json]:
    return [_with_unknown_value(order) for order in orders]


def _with_a_malformed_order(orders: list[Json]) -> list[Json]:
    return [order | {"createdTime": "yesterday", "buyer": 7, "orderItems": "two"} for order in orders[:1]] + orders[1:]


# Changes to the orders of a good answer.
REWRITTEN: Final[dict[Misbehaviour, Callable[[list[Json]], list[Json]]]] = {
    Misbehaviour.NULL_FIELDS: _with_null_fields,
    Misbehaviour.BLANK_FIELDS: _with_blank_fields,
    Misbehaviour.NO_FULFILLMENT: _without_fulfillment,
    Misbehaviour.DUPLICATES: _with_a_duplicate,
    Misbehaviour.UNKNOWN_VALUES: _with_unknown_values,
    Misbehaviour.MALFORMED_ORDER: _with_a_malformed_order,
}

_BUYER_TEXTS: Final = ("buyerName", "buyerEmail", "buyerCompanyName", "buyerPurchaseOrderNumber")
ADDRESS_TEXTS: Final = (
    "name",
    "companyName",
    "addressLine1",
    "addressLine2",
    "addressLine3",
    "city",
    "districtOrCounty",
    "stateOrRegion",
    "municipality",
    "postalCode",
    "countryCode",
    "phone",
    "addressType",
)
_PRODUCT_TEXTS: Final = ("asin", "title", "sellerSku")
_OBJECTS: Final = (
    "orderAliases",
    "programs",
    "associatedOrders",
    "proceeds",
    "payment",
    "tax",
    "fulfillment",
    "packages",
    "fulfillmentOrders",
)


def _with_absent_fields(order: Json, value: Any) -> Json:
    recipient = order.get("recipient", {})
    address = _filled_up(recipient.get("deliveryAddress", {}), ADDRESS_TEXTS, value)
    written = order | {
        "buyer": _filled_up(order.get("buyer", {}), _BUYER_TEXTS, value),
        "recipient": recipient | {"deliveryAddress": address},
        "orderItems": [
            item | {"product": _filled_up(item["product"], _PRODUCT_TEXTS, value)} for item in order["orderItems"]
        ],
    }
    return written if value is not None else _filled_up(written, _OBJECTS, None)


def _filled_up(part: Json, fields: tuple[str, ...], value: Any) -> Json:
    return dict.fromkeys(fields, value) | part


def _with_unknown_value(order: Json) -> Json:
    fulfillment = order.get("fulfillment", {})
    new = {"fulfillmentStatus": "AWAITING_DRONE", "fulfilledBy": "DRONE", "droneLane": {"number": 7}}
    return order | {
        "programs": [*order.get("programs", []), "AMAZON_DRONE"],
        "fulfillment": fulfillment | new,
        "orderItems": [item | {"droneReady": True} for item in order["orderItems"]],
        "carbonFootprint": {"grams": 120},
    }


class Misbehaviours:
    """The instructions to misbehave that the stand-in has not carried out yet, in the order in which they came."""

    def __init__(self) -> None:
        self._instructions: list[Instruction] = []

    def add(self, instruction: Instruction) -> None:
        """Raises ValueError for an operation that cannot go wrong in this way."""
        for operation in instruction.operations:
            if operation not in OPERATIONS:
                raise ValueError(f"no such operation: {operation}")
            if not _is_possible(instruction.kind, operation):
                raise ValueError(f"{operation} cannot answer with {instruction.kind}")
        if instruction.times is not None and instruction.times < 1:
            raise ValueError("times must be 1 or more")
        self._instructions.append(instruction)

    def clear(self) -> None:
        self._instructions.clear()

    def take(self, operation: str, kinds: Container[Misbehaviour]) -> Instruction | None:
        """Uses up one time of the operation's first instruction, if that is of one of these kinds."""
        first = next((told for told in self._instructions if told.concerns(operation)), None)
        if first is None or first.kind not in kinds:
            return None
        if first.times is not None:
            first.times -= 1
            if not first.times:
                self._instructions.remove(first)
        return first

"""Amazon's static sandbox of the Orders API: fixed answers to fixed parameters, and 400 to everything else.

Source: the `x-amzn-api-sandbox` blocks of Amazon's model orders_2026-01-01, for parameters, order IDs and what each
order is like; Amazon's issue tracker for the refusal of other parameters (amzn/selling-partner-api-models#5056). The
people in the orders are invented.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from tools.amazon_stand_in.front_door import FrontDoor
from tools.amazon_stand_in.generator import generated
from tools.amazon_stand_in.http_messages import Answer, ApiError, Request
from tools.amazon_stand_in.ledger import Json
from tools.amazon_stand_in.marketplaces import Region
from tools.amazon_stand_in.orders_api import ORDERS_PATH

_EIGHT: Final = "BUYER,RECIPIENT,PROCEEDS,EXPENSE,PROMOTION,CANCELLATION,FULFILLMENT,PACKAGES"


@dataclass(frozen=True)
class SandboxCase:
    """A call that the sandbox knows, and the order in its answer. `query` holds the call's parameters."""

    region: Region
    operation: Literal["searchOrders", "getOrder"]
    query: Mapping[str, str]
    order_id: str
    country: str
    status: str
    fulfilled_by: str
    lines: int = 1
    has_buyer: bool = True

    @property
    def path(self) -> str:
        return ORDERS_PATH if self.operation == "searchOrders" else f"{ORDERS_PATH}/{self.order_id}"


CASES: Final = (
    SandboxCase(
        region="NA",
        operation="searchOrders",
        query={
            "createdAfter": "2024-12-20T00:00:00Z",
            "marketplaceIds": "A2Q3Y263D00KWC",
            "includedData": "BUYER,RECIPIENT,PROCEEDS,FULFILLMENT,TAX,PAYMENT",
        },
        order_id="171-2345678-9012345",
        country="BR",
        status="UNSHIPPED",
        fulfilled_by="MERCHANT",
    ),
    SandboxCase(
        region="EU",
        operation="searchOrders",
        query={
            "createdAfter": "2024-12-23T00:00:00Z",
            "marketplaceIds": "A1F83G8C2ARO7P",
            "includedData": _EIGHT,
            "paginationToken": "9ZhB4RmVyc2lvbiAxLjAgb2YgdGhl",
        },
        order_id="202-7654321-1098765",
        country="GB",
        status="SHIPPED",
        fulfilled_by="MERCHANT",
    ),
    SandboxCase(
        region="FE",
        operation="searchOrders",
        query={
            "createdAfter": "2024-12-25T00:00:00Z",
            "marketplaceIds": "A1VC38T7YXB528",
            "includedData": _EIGHT,
        },
        order_id="250-1234567-8901234",
        country="JP",
        status="SHIPPED",
        fulfilled_by="AMAZON",
        lines=2,
    ),
    SandboxCase(
        region="NA",
        operation="getOrder",
        query={"includedData": _EIGHT},
        order_id="171-9876543-2109876",
        country="BR",
        status="UNSHIPPED",
        fulfilled_by="MERCHANT",
    ),
    SandboxCase(
        region="NA",
        operation="getOrder",
        query={"includedData": "RECIPIENT,PROCEEDS,FULFILLMENT"},
        order_id="114-9876543-1234567",
        country="US",
        status="UNSHIPPED",
        fulfilled_by="MERCHANT",
        has_buyer=False,
    ),
    SandboxCase(
        region="EU",
        operation="getOrder",
        query={"includedData": "BUYER,RECIPIENT,PROCEEDS,FULFILLMENT,TAX"},
        order_id="028-1234567-8901234",
        country="TR",
        status="SHIPPED",
        fulfilled_by="MERCHANT",
    ),
)


class SandboxOrdersApi:
    """searchOrders and getOrder of the sandbox in one region."""

    def __init__(self, region: Region, door: FrontDoor) -> None:
        self._cases = [case for case in CASES if case.region == region]
        self._door = door

    def search_orders(self, request: Request) -> Answer:
        return self._door.answer("searchOrders", request, lambda asked: {"orders": [self._matching(asked)]})

    def get_order(self, request: Request) -> Answer:
        return self._door.answer("getOrder", request, lambda asked: {"order": self._matching(asked)})

    def _matching(self, request: Request) -> Json:
        query = {name: ",".join(values) for name, values in request.query.items()}
        for case in self._cases:
            if (case.path, dict(case.query)) == (request.path, query):
                return _order_of(case)
        raise ApiError(400, "InvalidInput", "Could not match input arguments")


def _order_of(case: SandboxCase) -> Json:
    (entry,) = generated(1, now=datetime(2025, 1, 1, tzinfo=UTC), shares={})
    whole = json.loads(entry.whole)
    address = whole["recipient"]["deliveryAddress"] | {"countryCode": case.country}
    order = whole | {
        "orderId": case.order_id,
        "recipient": {"deliveryAddress": address},
        "fulfillment": whole["fulfillment"] | {"fulfillmentStatus": case.status, "fulfilledBy": case.fulfilled_by},
        "orderItems": whole["orderItems"][:1] * case.lines,
    }
    return order if case.has_buyer else {field: part for field, part in order.items() if field != "buyer"}

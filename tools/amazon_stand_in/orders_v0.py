"""The Orders API v0, as far as old clients need it: getOrders by time of update, and getOrderItems.

Source: Amazon's model (`ordersV0.json`) for paths, fields, usage plans and paging. Where the model is silent, this does
as `OrdersApi`: pages are cut by offset from orders sorted by the time of their last update, and a page token keeps the
upper bound of its first page. Every caller is let in, as if with a restricted data token: getOrders shows buyers and
addresses without a further call, which is the best case of v0.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tools.amazon_stand_in import orders_api
from tools.amazon_stand_in.http_messages import Answer, ApiError, Request
from tools.amazon_stand_in.ledger import Entry, Json, amazon_time, moment
from tools.amazon_stand_in.misbehaviour import quota_exceeded
from tools.amazon_stand_in.quota import TokenBucket, UsagePlan
from tools.amazon_stand_in.server import AmazonStandIn
from tools.amazon_stand_in.visibility import ALL_DATA_ROLES, DATASETS, shown

ORDERS_PATH: Final = "/orders/v0/orders"
_ITEMS: Final = "/orderItems"

# Source: Amazon's model of the Orders API v0 (amzn/selling-partner-api-models at 037fc47,
# models/orders-api-model/ordersV0.json), "Usage Plan" of each operation.
USAGE_PLANS: Final = {"getOrders": UsagePlan(0.0167, 20), "getOrderItems": UsagePlan(0.5, 30)}

_ADDRESS: Final = {
    "name": "Name",
    "addressLine1": "AddressLine1",
    "addressLine2": "AddressLine2",
    "addressLine3": "AddressLine3",
    "city": "City",
    "stateOrRegion": "StateOrRegion",
    "postalCode": "PostalCode",
    "countryCode": "CountryCode",
    "phone": "Phone",
}
_BUYER: Final = {"buyerName": "BuyerName", "buyerEmail": "BuyerEmail"}
_CHANNELS: Final = {"MERCHANT": "MFN", "AMAZON": "AFN"}


@dataclass(frozen=True, slots=True)
class _Search:
    after: datetime
    before: datetime
    marketplace_ids: frozenset[str]
    offset: int


class OrdersV0:
    """v0's view of a stand-in's orders, with quotas of its own. `now` is Amazon's clock."""

    def __init__(self, stand_in: AmazonStandIn, now: Callable[[], datetime]) -> None:
        self._stand_in = stand_in
        self._now = now
        self._searches: dict[str, _Search] = {}
        self._buckets = {operation: TokenBucket(plan, now()) for operation, plan in USAGE_PLANS.items()}

    def answer(self, request: Request) -> Answer:
        operation = operation_of(request)
        try:
            if not self._buckets[operation].take(self._now()):
                raise quota_exceeded()
            payload = self._get_orders(request) if operation == "getOrders" else self._get_order_items(request)
        except ApiError as error:
            return error.answer()
        rate = {"x-amzn-RateLimit-Limit": str(USAGE_PLANS[operation].rate)}
        return Answer.of_json(200, {"payload": payload}, rate)

    def _get_orders(self, request: Request) -> Json:
        search = self._search({name: values[0] for name, values in request.query.items()})
        matches = [
            entry
            for entry in self._stand_in.orders()
            if search.after <= entry.updated <= search.before and entry.marketplace_id in search.marketplace_ids
        ]
        matches.sort(key=lambda entry: (entry.updated, entry.order_id))
        end = search.offset + orders_api.MOST_RESULTS
        payload: Json = {
            "Orders": [order_of(entry, self._now()) for entry in matches[search.offset : end]],
            "LastUpdatedBefore": amazon_time(search.before),
        }
        if end < len(matches):
            payload["NextToken"] = secrets.token_urlsafe(32)
            self._searches[payload["NextToken"]] = _Search(search.after, search.before, search.marketplace_ids, end)
        return payload

    def _search(self, parameters: Mapping[str, str]) -> _Search:
        """The model: "If NextToken is present, that will be used to retrieve the orders instead of other criteria"."""
        if token := parameters.get("NextToken"):
            if token not in self._searches:
                raise ApiError(400, "InvalidInput", "Invalid Input", "NextToken is not valid.")
            return self._searches[token]
        if not {"LastUpdatedAfter", "MarketplaceIds"} <= parameters.keys():
            raise ApiError(400, "InvalidInput", "Invalid Input", "LastUpdatedAfter and MarketplaceIds are required.")
        return _Search(
            after=moment(parameters["LastUpdatedAfter"]),
            before=(self._now() - orders_api.MARGIN).replace(microsecond=0),
            marketplace_ids=frozenset(parameters["MarketplaceIds"].split(",")),
            offset=0,
        )

    def _get_order_items(self, request: Request) -> Json:
        order_id = request.path.removeprefix(f"{ORDERS_PATH}/").removesuffix(_ITEMS)
        try:
            entry = self._stand_in.order(order_id)
        except KeyError:
            raise ApiError(404, "NotFound", "The requested order was not found.", order_id) from None
        return {"AmazonOrderId": order_id, "OrderItems": items_of(entry, self._now())}


def operation_of(request: Request) -> str:
    """The operation that the request is for. Raises ValueError for one that v0 does not have here."""
    if request.path == ORDERS_PATH:
        return "getOrders"
    if request.path.startswith(f"{ORDERS_PATH}/") and request.path.endswith(_ITEMS):
        return "getOrderItems"
    raise ValueError(f"no such operation: {request.path}")


def order_of(entry: Entry, now: datetime) -> Json:
    """The order as getOrders shows it then."""
    order = _shown(entry, now)
    fulfillment = order["fulfillment"]
    found: Json = {
        "AmazonOrderId": entry.order_id,
        "PurchaseDate": amazon_time(entry.created),
        "LastUpdateDate": amazon_time(entry.updated),
        "OrderStatus": _status(entry.fulfillment_status),
        "FulfillmentChannel": _CHANNELS[entry.fulfilled_by],
        "ShipServiceLevel": fulfillment["fulfillmentServiceLevel"],
        "LatestShipDate": fulfillment["shipByWindow"]["latestDateTime"],
        "MarketplaceId": entry.marketplace_id,
        "BuyerInfo": _renamed(order.get("buyer", {}), _BUYER),
    }
    if address := order.get("recipient", {}).get("deliveryAddress"):
        found["ShippingAddress"] = _renamed(address, _ADDRESS)
    return found


def items_of(entry: Entry, now: datetime) -> list[Json]:
    """The order's items as getOrderItems shows them then."""
    return [
        {
            "OrderItemId": item["orderItemId"],
            "ASIN": item["product"]["asin"],
            "SellerSKU": item["product"]["sellerSku"],
            "Title": item["product"]["title"],
            "QuantityOrdered": item["quantityOrdered"],
            "QuantityShipped": item["fulfillment"]["quantityFulfilled"],
        }
        for item in _shown(entry, now)["orderItems"]
    ]


def _shown(entry: Entry, now: datetime) -> Json:
    return shown(entry, datasets=DATASETS, roles=ALL_DATA_ROLES, now=now)


def _status(fulfillment_status: str) -> str:
    """v0 writes one L: `Canceled`."""
    words = fulfillment_status.replace("CANCELLED", "CANCELED").split("_")
    return "".join(word.capitalize() for word in words)


def _renamed(part: Json, names: Mapping[str, str]) -> Json:
    return {names[field]: value for field, value in part.items() if field in names}

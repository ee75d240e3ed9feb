"""The parts of an order that Amazon shows, by the datasets asked for, the caller's roles, and the order's state.

Sources: the includedData and Order descriptions of Amazon's model of the Orders API 2026-01-01; Amazon's pages
"Access Orders PII", "Get Order Information", "Get Tax Information". Where they are silent, Amazon's answers on its
issue tracker decide: a role that is lacking leaves the field out and the call succeeds.
"""

from collections.abc import Iterable, Set
from datetime import datetime
from typing import Final

from tools.amazon_stand_in.ledger import Entry, Json, moment
from tools.amazon_stand_in.marketplaces import MARKETPLACES

DATASETS: Final = frozenset(
    {
        "BUYER",
        "RECIPIENT",
        "PROCEEDS",
        "EXPENSE",
        "PROMOTION",
        "CANCELLATION",
        "FULFILLMENT",
        "PACKAGES",
        "TAX",
        "PAYMENT",
        "FULFILLMENT_ORDERS",
    }
)

DIRECT_TO_CONSUMER: Final = "Direct-to-Consumer Shipping"
TAX_INVOICING: Final = "Tax Invoicing"
TAX_REMITTANCE: Final = "Tax Remittance"
INVENTORY_AND_ORDER_TRACKING: Final = "Inventory and Order Tracking"

# Any one of these lets a caller use the API at all.
ROLES: Final = frozenset(
    {
        "Amazon Fulfillment",
        "Buyer Communication",
        "Buyer Solicitation",
        "Finance and Accounting",
        INVENTORY_AND_ORDER_TRACKING,
        "Pricing",
        "Product Listing",
        "Professional Services",
        "Selling Partner Insights",
        DIRECT_TO_CONSUMER,
        TAX_INVOICING,
        TAX_REMITTANCE,
    }
)
ALL_DATA_ROLES: Final = frozenset({DIRECT_TO_CONSUMER, TAX_INVOICING, INVENTORY_AND_ORDER_TRACKING})

_ORDER_DATASETS: Final = {
    "BUYER": "buyer",
    "RECIPIENT": "recipient",
    "PROCEEDS": "proceeds",
    "FULFILLMENT": "fulfillment",
    "PACKAGES": "packages",
    "TAX": "tax",
    "PAYMENT": "payment",
    "FULFILLMENT_ORDERS": "fulfillmentOrders",
}
_ITEM_DATASETS: Final = {
    "PROCEEDS": "proceeds",
    "EXPENSE": "expense",
    "PROMOTION": "promotion",
    "CANCELLATION": "cancellation",
    "FULFILLMENT": "fulfillment",
    "TAX": "tax",
}
PENDING: Final = frozenset({"PENDING", "PENDING_AVAILABILITY"})
WITHOUT_PERSONAL_DATA: Final = PENDING | {"CANCELLED", "UNFULFILLABLE"}
_NO_FBA_NAMES_IN: Final = frozenset({"JP", "US", "SG"})
_RESTRICTED_ADDRESS_FIELDS: Final = (
    "name",
    "addressLine1",
    "addressLine2",
    "addressLine3",
    "postalCode",
    "phone",
    "extendedFields",
)


def shown(entry: Entry, *, datasets: Set[str], roles: Set[str], now: datetime) -> Json:
    """The order as a caller with these roles, asking for these datasets, gets it."""
    order = entry.order
    if entry.fulfillment_status in WITHOUT_PERSONAL_DATA:
        _leave_out(order, ("buyer", "recipient"))
    else:
        _restrict_buyer(order, entry, roles)
        _restrict_recipient(order, entry, roles, now)
    if entry.fulfillment_status in PENDING:
        _leave_out_prices(order)
    if not roles & {TAX_INVOICING, TAX_REMITTANCE}:
        _leave_out(part_of(order, "tax"), ("taxRegistrations",))
    if DIRECT_TO_CONSUMER not in roles:
        _leave_out_personal_item_data(order)
    _leave_out(order, (field for dataset, field in _ORDER_DATASETS.items() if dataset not in datasets))
    for item in items_of(order):
        _leave_out(item, (field for dataset, field in _ITEM_DATASETS.items() if dataset not in datasets))
    return {field: value for field, value in order.items() if value != {}}


def _restrict_buyer(order: Json, entry: Entry, roles: Set[str]) -> None:
    buyer = part_of(order, "buyer")
    is_consumer_order = entry.fulfilled_by != "AMAZON" and DIRECT_TO_CONSUMER in roles
    if not is_consumer_order:
        _leave_out(buyer, ("buyerEmail",))
    if not is_consumer_order and not _is_named_by_tax_role(entry, roles):
        _leave_out(buyer, ("buyerName",))


def _restrict_recipient(order: Json, entry: Entry, roles: Set[str], now: datetime) -> None:
    recipient = part_of(order, "recipient")
    address = part_of(recipient, "deliveryAddress")
    by_amazon = entry.fulfilled_by == "AMAZON"
    is_shown = _is_named_by_tax_role(entry, roles) if by_amazon else DIRECT_TO_CONSUMER in roles
    if not is_shown:
        _leave_out(address, _RESTRICTED_ADDRESS_FIELDS)
        _leave_out(recipient, ("deliveryPreference",))
    if by_amazon or _is_delivered(order, entry, now):
        _leave_out(address, ("phone",))
    if recipient.get("deliveryAddress") == {}:
        _leave_out(recipient, ("deliveryAddress",))


def _is_named_by_tax_role(entry: Entry, roles: Set[str]) -> bool:
    if not roles & {TAX_INVOICING, TAX_REMITTANCE}:
        return False
    marketplace = MARKETPLACES.get(entry.marketplace_id)
    return entry.fulfilled_by != "AMAZON" or marketplace is None or marketplace.country not in _NO_FBA_NAMES_IN


def _is_delivered(order: Json, entry: Entry, now: datetime) -> bool:
    latest = part_of(part_of(order, "fulfillment"), "deliverByWindow").get("latestDateTime")
    return entry.fulfillment_status == "SHIPPED" and latest is not None and moment(latest) < now


def _leave_out_prices(order: Json) -> None:
    _leave_out(order, ("proceeds",))
    for item in items_of(order):
        _leave_out(item, ("proceeds",))
        _leave_out(part_of(item, "product"), ("price",))


def _leave_out_personal_item_data(order: Json) -> None:
    for item in items_of(order):
        gift = part_of(part_of(part_of(item, "fulfillment"), "packing"), "giftOption")
        _leave_out(gift, ("giftMessage",))
        _leave_out(part_of(part_of(item, "product"), "customization"), ("customizedUrl",))


def _leave_out(part: Json, fields: Iterable[str]) -> None:
    for field in fields:
        part.pop(field, None)


# Tests may put orders that are not of the model's shape into the ledger: these two let them through as they are.


def part_of(parent: Json, field: str) -> Json:
    """The object in that field, an empty one if there is none."""
    part = parent.get(field)
    return part if isinstance(part, dict) else {}


def items_of(order: Json) -> list[Json]:
    """Those of the order's items that are objects."""
    items = order.get("orderItems")
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []

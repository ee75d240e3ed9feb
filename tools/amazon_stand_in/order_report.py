"""The report GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL: one tab-delimited row for each item of an order.

Sources: Amazon's page "Order Tracking reports attributes" for the columns and their order; rows of such reports in
public test fixtures for the format of times, `Amazon` and `Merchant`, and `Cancelled` (where v0 says `Canceled`);
Amazon's issue tracker for the character sets. Inferred: the other statuses are v0's, rows end with a line feed, tabs
and line ends inside a value become spaces (nothing is quoted), the item status of what is not shipped.

Real reports have had further columns, and `ship-state` is filled by some marketplaces only: a reader must go by names.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from tools.amazon_stand_in.ledger import Entry, Json
from tools.amazon_stand_in.marketplaces import Region
from tools.amazon_stand_in.v0_vocabulary import ORDER_STATUSES
from tools.amazon_stand_in.visibility import PENDING, items_of, part_of

REPORT_TYPE: Final = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL"

# Reports were seen as UTF-8 in North America, Cp1252 in Europe and Windows-31J in Japan, though Amazon once said UTF-8
# for all. They were mostly reports of listings: that reports of orders follow suit is inferred. Characters that the
# set does not have were seen as question marks.
CHARSETS: Final[dict[Region, str]] = {"NA": "UTF-8", "EU": "Cp1252", "FE": "Windows-31J"}

_SPACES: Final = str.maketrans("\t\r\n", "   ")
_CHANNELS: Final = {"AMAZON": "Amazon", "MERCHANT": "Merchant"}


def order_report(entries: Iterable[Entry], charset: str) -> bytes:
    """The document, header row first, oldest update first; an order without items has no row."""
    ordered = sorted(entries, key=lambda entry: (entry.updated, entry.order_id))
    rows = [COLUMNS.keys()] + [
        [_cell(value(entry, order, item)) for value in COLUMNS.values()]
        for entry in ordered
        for order in [entry.order]
        for item in items_of(order)
    ]
    return "".join("\t".join(row) + "\n" for row in rows).encode(charset, errors="replace")


def report_time(moment: datetime) -> str:
    """To the second, in UTC, with `+00:00`."""
    return moment.isoformat(timespec="seconds")


def _cell(value: Any) -> str:
    return "" if value is None else str(value).translate(_SPACES)


def _merchant_order_id(_: Entry, order: Json, __: Json) -> Any:
    aliases = order.get("orderAliases") or ()
    return next((alias["aliasId"] for alias in aliases if alias["aliasType"] == "SELLER_ORDER_ID"), None)


def _order_status(entry: Entry, _: Json, __: Json) -> str:
    if entry.fulfillment_status == "CANCELLED":
        return "Cancelled"
    return ORDER_STATUSES.get(entry.fulfillment_status, entry.fulfillment_status)


def _item_status(entry: Entry, _: Json, item: Json) -> str:
    if entry.fulfillment_status == "CANCELLED":
        return "Cancelled"
    return "Shipped" if part_of(item, "fulfillment").get("quantityUnfulfilled") == 0 else "Unshipped"


def _service_level(_: Entry, order: Json, __: Json) -> str:
    level = part_of(order, "fulfillment").get("fulfillmentServiceLevel") or ""
    return "".join(word.capitalize() for word in level.split("_"))


def _price(entry: Entry, item: Json) -> Json:
    """Of all pieces together. Amazon shows none of an order of the merchant's that is pending."""
    if entry.fulfilled_by == "MERCHANT" and entry.fulfillment_status in PENDING:
        return {}
    return part_of(part_of(part_of(item, "product"), "price"), "unitPrice")


def _item_price(entry: Entry, _: Json, item: Json) -> Any:
    amount = _price(entry, item).get("amount")
    return None if amount is None else Decimal(amount) * (item.get("quantityOrdered") or 0)


def _destination(field: str) -> Callable[[Entry, Json, Json], Any]:
    """Of the address Amazon really has these four parts in the report, but no name and no street."""

    def value(entry: Entry, order: Json, _: Json) -> Any:
        if entry.fulfillment_status in PENDING:
            return None
        return part_of(part_of(order, "recipient"), "deliveryAddress").get(field)

    return value


def _promotion_ids(_: Entry, __: Json, item: Json) -> str:
    return ",".join(part["promotionId"] for part in part_of(item, "promotion").get("breakdowns") or ())


def _blank(_: Entry, __: Json, ___: Json) -> None:
    """The ledger does not know it."""


COLUMNS: Final[dict[str, Callable[[Entry, Json, Json], Any]]] = {
    "amazon-order-id": lambda entry, _, __: entry.order_id,
    "merchant-order-id": _merchant_order_id,
    "purchase-date": lambda entry, _, __: report_time(entry.created),
    "last-updated-date": lambda entry, _, __: report_time(entry.updated),
    "order-status": _order_status,
    "fulfillment-channel": lambda entry, _, __: _CHANNELS.get(entry.fulfilled_by),
    "sales-channel": lambda _, order, __: part_of(order, "salesChannel").get("marketplaceName"),
    "order-channel": _blank,
    "ship-service-level": _service_level,
    "product-name": lambda _, __, item: part_of(item, "product").get("title"),
    "sku": lambda _, __, item: part_of(item, "product").get("sellerSku"),
    "asin": lambda _, __, item: part_of(item, "product").get("asin"),
    "item-status": _item_status,
    "quantity": lambda _, __, item: item.get("quantityOrdered"),
    "currency": lambda entry, _, item: _price(entry, item).get("currencyCode"),
    "item-price": _item_price,
    "item-tax": _blank,
    "shipping-price": _blank,
    "shipping-tax": _blank,
    "gift-wrap-price": _blank,
    "gift-wrap-tax": _blank,
    "item-promotion-discount": _blank,
    "ship-promotion-discount": _blank,
    "ship-city": _destination("city"),
    "ship-state": _destination("stateOrRegion"),
    "ship-postal-code": _destination("postalCode"),
    "ship-country": _destination("countryCode"),
    "promotion-ids": _promotion_ids,
    "is-business-order": lambda _, order, __: str("AMAZON_BUSINESS" in (order.get("programs") or ())).lower(),
    "purchase-order-number": lambda _, order, __: part_of(order, "buyer").get("buyerPurchaseOrderNumber"),
    "price-designation": _blank,
}

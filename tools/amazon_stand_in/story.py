"""The scenario `story`: a seller in North America, whose orders of the past days tell the whole tale of the gate.

| Order ID | What is missing at Amazon | What the demo does with it |
|---|---|---|
| 111-0000001-1000001 | nothing (US) | complete from the start |
| 701-0000002-1000002 | nothing (CA) | complete from the start |
| 702-0000003-1000003 | nothing (MX) | complete from the start |
| 700-0000004-1000004 | nothing: the street is in Brazil's extendedFields only | complete from the start |
| 111-0000005-1000005 | both names, recipient's and buyer's | completed at Amazon later: heals |
| 701-0000006-1000006 | the street, the postal code | completed at Amazon later: heals |
| 702-0000007-1000007 | both names, the email, the street | completed but for the email: stays held, shorter list |
| 111-0000008-1000008 | the email, the street | an editor types both in and releases it |
| 701-0000009-1000009 | the first name: the recipient has one name only | an administrator overrides |
| 111-0000010-1000010 | line items | attempts to let it go are refused |
| 700-0000011-1000011 | the email | cancelled at Amazon while held |
| 111-0000012-1000012 | nothing: a name in Chinese characters, written without a space | complete from the start |
| 111-0000013-1000013 | what Amazon never gives of orders that it fulfils (FBA) | complete: judged on its lines only |
| 111-0000014-1000014 | all that Amazon withholds of a PENDING order | not downloaded by default |
| 701-0000015-1000015 | the email; already SHIPPED | recorded as dispatched by Amazon, never held |
| 111-0000016-1000016 | all that Amazon withholds of a CANCELLED order | void, never held |
| 111-0000017-1000017 | nothing: a replacement at price 0 | complete from the start |
| 111-0000018-1000018 | nothing: a gift, recipient and buyer differ | complete from the start |
| 701-0000019-1000019 | nothing, but the buyer asked to cancel | held for that reason |
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from tools.amazon_stand_in.ledger import NAME, Entry, Json, merged
from tools.amazon_stand_in.marketplaces import marketplace_in
from tools.amazon_stand_in.whole_order import Line, money, whole_order


class Part(StrEnum):
    """The part that an order plays in the demo. It is the note of its ledger entry."""

    COMPLETE = "complete"
    HEALED = "healed"
    PARTLY_COMPLETED = "partlyCompleted"
    EDITED = "edited"
    OVERRIDDEN = "overridden"
    REFUSED = "refused"
    CANCELLED_LATER = "cancelledLater"
    FULFILLED_BY_AMAZON = "fulfilledByAmazon"
    PENDING = "pending"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"
    CANCELLATION_REQUESTED = "cancellationRequested"


@dataclass(frozen=True, slots=True)
class StoryOrder:
    """One row. `hole` is the merge patch that turns the whole order into the one that Amazon has at first."""

    order_id: str
    country: str
    recipient: str
    part: Part
    missing: tuple[str, ...]
    hole: Json
    status: str
    fulfilled_by: str


def _row(
    order_id: str,
    country: str,
    recipient: str,
    part: Part,
    *,
    missing: tuple[str, ...] = (),
    hole: Json | None = None,
    status: str = "UNSHIPPED",
    fulfilled_by: str = "MERCHANT",
) -> StoryOrder:
    return StoryOrder(order_id, country, recipient, part, missing, hole or {}, status, fulfilled_by)


_NO_EMAIL: Final[Json] = {"buyer": {"buyerEmail": None}}
# Any of Amazon's three lines may hold the street.
_NO_STREET: Final[Json] = {"addressLine1": None, "addressLine2": None}
_NO_NAMES: Final[Json] = {"buyer": {"buyerName": None}, "recipient": {"deliveryAddress": {"name": None}}}

STORY: Final = (
    _row("111-0000001-1000001", "US", "Dana Whitfield", Part.COMPLETE),
    _row("701-0000002-1000002", "CA", "Noémie Lachance", Part.COMPLETE),
    _row("702-0000003-1000003", "MX", "Ximena Robledo Cárdenas", Part.COMPLETE),
    _row("700-0000004-1000004", "BR", "Thiago Meireles da Costa", Part.COMPLETE),
    _row("111-0000005-1000005", "US", "Marcus Oyelaran", Part.HEALED, missing=NAME, hole=_NO_NAMES),
    _row(
        "701-0000006-1000006",
        "CA",
        "Gwen Abernathy",
        Part.HEALED,
        missing=("deliveryAddress",),
        hole={"recipient": {"deliveryAddress": {"postalCode": None} | _NO_STREET}},
    ),
    _row(
        "702-0000007-1000007",
        "MX",
        "Rocío Balderas Nava",
        Part.PARTLY_COMPLETED,
        missing=(*NAME, "email", "deliveryAddress"),
        hole={"buyer": None, "recipient": {"deliveryAddress": {"name": None} | _NO_STREET}},
    ),
    _row(
        "111-0000008-1000008",
        "US",
        "Priya Ramanathan",
        Part.EDITED,
        missing=("email", "deliveryAddress"),
        hole=_NO_EMAIL | {"recipient": {"deliveryAddress": _NO_STREET}},
    ),
    _row(
        "701-0000009-1000009",
        "CA",
        "Isolde Fairbairn",
        Part.OVERRIDDEN,
        missing=("firstName",),
        hole={"buyer": {"buyerName": "Isolde"}, "recipient": {"deliveryAddress": {"name": "Isolde"}}},
    ),
    _row(
        "111-0000010-1000010",
        "US",
        "Owen Castellane",
        Part.REFUSED,
        missing=("lineItems",),
        hole={"orderItems": []},
    ),
    _row("700-0000011-1000011", "BR", "Larissa Prado", Part.CANCELLED_LATER, missing=("email",), hole=_NO_EMAIL),
    _row("111-0000012-1000012", "US", "山田太郎", Part.COMPLETE),
    _row("111-0000013-1000013", "US", "Hollis Brandt", Part.FULFILLED_BY_AMAZON, fulfilled_by="AMAZON"),
    _row("111-0000014-1000014", "US", "Freya Lindqvist", Part.PENDING, status="PENDING"),
    _row("701-0000015-1000015", "CA", "Callum Rutherglen", Part.SHIPPED, hole=_NO_EMAIL, status="SHIPPED"),
    _row("111-0000016-1000016", "US", "Tamsin Okafor", Part.CANCELLED, status="CANCELLED"),
    _row("111-0000017-1000017", "US", "Dana Whitfield", Part.COMPLETE),
    _row("111-0000018-1000018", "US", "Leopold Amsel", Part.COMPLETE),
    _row("701-0000019-1000019", "CA", "Bram Kowalczuk", Part.CANCELLATION_REQUESTED),
)

_ADDRESSES: Final[dict[str, Json]] = {
    "US": {
        "addressLine1": "1420 Quarry Lane",
        "addressLine2": "Apt 3",
        "city": "Madison",
        "stateOrRegion": "WI",
        "postalCode": "53703",
        "countryCode": "US",
        "phone": "+1 608-555-0142",
        "addressType": "RESIDENTIAL",
    },
    "CA": {
        "addressLine1": "77 Tamarack Crescent",
        "city": "Halifax",
        "stateOrRegion": "NS",
        "postalCode": "B3H 1T1",
        "countryCode": "CA",
        "phone": "+1 902-555-0117",
        "addressType": "RESIDENTIAL",
    },
    "MX": {
        "addressLine1": "Calle Jacaranda 208",
        "addressLine2": "Col. Americana",
        "city": "Guadalajara",
        "stateOrRegion": "Jalisco",
        "postalCode": "44160",
        "countryCode": "MX",
        "phone": "+52 33 5550 0188",
        "addressType": "RESIDENTIAL",
    },
    "BR": {
        "addressLine1": "Rua das Palmeiras, 815",
        "city": "Curitiba",
        "stateOrRegion": "PR",
        "postalCode": "80010-000",
        "countryCode": "BR",
        "phone": "+55 41 5550-0163",
        "addressType": "RESIDENTIAL",
    },
}

_LINES: Final = (
    Line("KETTLE-STEEL-17", "Steel kettle, 1.7 l", 1, Decimal("42.90")),
    Line("FILTER-PAPER-100", "Paper filters, 100 pieces", 2, Decimal("4.75")),
)


def story(start: datetime) -> list[Entry]:
    """The orders as they are at `start`: created in the five days before it, none updated in its last hour.

    The deadlines to ship lie ahead of it, in another sequence than the orders were created in.
    """
    return [_entry(row, number, start.replace(microsecond=0)) for number, row in enumerate(STORY)]


def _entry(row: StoryOrder, number: int, start: datetime) -> Entry:
    created = start - timedelta(days=5) + timedelta(hours=6 * number)
    whole = whole_order(
        row.order_id,
        marketplace=marketplace_in(row.country),
        buyer_name=row.recipient,
        address={"name": row.recipient, **_ADDRESSES[row.country]},
        lines=_LINES,
        created=created,
        updated=created + timedelta(minutes=35),
        ship_by=start + timedelta(days=1, hours=number * 7 % len(STORY)),
        status=row.status,
        fulfilled_by=row.fulfilled_by,
    )
    if row.order_id in _PECULIARITIES:
        _PECULIARITIES[row.order_id](whole)
    return Entry.of(merged(whole, row.hole), whole=whole, missing=row.missing, note=row.part)


def _has_its_street_in_extended_fields(order: Json) -> None:
    address = order["recipient"]["deliveryAddress"]
    del address["addressLine1"]
    address["extendedFields"] = {
        "streetName": "Rua das Palmeiras",
        "streetNumber": "815",
        "neighborhood": "Centro",
    }


def _replaces_the_first_order_for_nothing(order: Json) -> None:
    nothing = money(Decimal(), "USD")
    order["associatedOrders"] = [{"orderId": STORY[0].order_id, "associationType": "REPLACEMENT_ORIGINAL_ID"}]
    order["proceeds"] = {"grandTotal": nothing}
    for item in order["orderItems"]:
        item["product"]["price"] = {"unitPrice": nothing}
        item["proceeds"] = {"proceedsTotal": nothing}


def _is_a_gift(order: Json) -> None:
    order["buyer"]["buyerName"] = "Cordelia Amsel"
    for item in order["orderItems"]:
        item["fulfillment"]["packing"] = {"giftOption": {"giftMessage": "Happy birthday!", "giftWrapLevel": "PAPER"}}


def _has_a_buyer_who_asked_to_cancel(order: Json) -> None:
    for item in order["orderItems"]:
        item["cancellation"] = {"cancellationRequest": {"requester": "BUYER", "cancelReason": "Ordered twice"}}


# The differences of an order that stay, apart from its hole.
_PECULIARITIES: Final[dict[str, Callable[[Json], None]]] = {
    "700-0000004-1000004": _has_its_street_in_extended_fields,
    "111-0000017-1000017": _replaces_the_first_order_for_nothing,
    "111-0000018-1000018": _is_a_gift,
    "701-0000019-1000019": _has_a_buyer_who_asked_to_cancel,
}

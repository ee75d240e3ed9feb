"""Orders for tests: complete unless told otherwise, so that a test states only what matters to it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from needs_attention.orders.amazon_order import Address, AmazonOrder, LineItem, Money
from needs_attention.orders.amazon_update import downloaded
from needs_attention.orders.decisions import (
    Decisions,
    DispatchDecision,
    HoldDecision,
    StageDecision,
    ThreePlDecision,
)
from needs_attention.orders.edits import Edits, PersonsName, Unit
from needs_attention.orders.gate import Wanted, change
from needs_attention.orders.order import Accepted, Order
from needs_attention.orders.settings import Checks, Settings, ThreePlStatus
from needs_attention.orders.verdict import judged

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)
LATER_STILL = NOON + timedelta(minutes=10)
CREATED = NOON - timedelta(hours=2)
SHIP_BY = NOON + timedelta(days=2)
ADA_AT_NOON: Final[dict[str, Any]] = {"by": "ada", "at": NOON}
DELIVER_BY = NOON + timedelta(days=5)

ABSENT: Final = object()
"""As the value of a field of `a_raw_order`: the field is not there at all."""


def a_raw_order(**changes: object) -> dict[str, Any]:
    """An order as `searchOrders` answers it. Nested objects are merged; `ABSENT` leaves a field out."""
    return _merged(
        {
            "orderId": "701-1111111-1111111",
            "orderAliases": [{"aliasType": "SELLER_ORDER_ID", "aliasId": "S-77"}],
            "createdTime": "2026-11-23T10:00:00Z",
            "lastUpdatedTime": "2026-11-23T11:00:00Z",
            "programs": ["PRIME"],
            "associatedOrders": [{"orderId": "701-0000000-0000000", "associationType": "REPLACEMENT_ORIGINAL_ID"}],
            "salesChannel": {"channelName": "AMAZON", "marketplaceId": "ATVPDKIKX0DER"},
            "buyer": {
                "buyerName": "Bella Ortiz",
                "buyerEmail": "bella@marketplace.example.com",
                "buyerCompanyName": "Ortiz Lamps",
                "buyerPurchaseOrderNumber": "PO-5",
            },
            "recipient": {
                "deliveryAddress": {
                    "name": "Ada Quill",
                    "companyName": "Quill Works",
                    "addressLine1": "12 Harbor Street",
                    "addressLine2": "Apt 3",
                    "addressLine3": "Rear",
                    "city": "Portland",
                    "districtOrCounty": "Multnomah",
                    "stateOrRegion": "OR",
                    "municipality": "Pearl",
                    "postalCode": "97209",
                    "countryCode": "US",
                    "phone": "+1 503 555 0100",
                    "addressType": "RESIDENTIAL",
                    "extendedFields": {
                        "streetName": "Harbor Street",
                        "streetNumber": "12",
                        "complement": "Apt 3",
                        "neighborhood": "Waterfront",
                    },
                }
            },
            "proceeds": {"grandTotal": {"amount": "59.90", "currencyCode": "USD"}},
            "tax": {
                "taxRegistrations": [
                    {
                        "entityType": "BUYER",
                        "legalName": "Ortiz Lamps Ltd",
                        "taxRegistrationAddress": {
                            "addressLine1": "1 Ledger Lane",
                            "city": "Salem",
                            "stateOrRegion": "OR",
                            "postalCode": "97301",
                            "countryCode": "US",
                        },
                    }
                ]
            },
            "fulfillment": {
                "fulfillmentStatus": "UNSHIPPED",
                "fulfilledBy": "MERCHANT",
                "fulfillmentServiceLevel": "STANDARD",
                "shipByWindow": {
                    "earliestDateTime": "2026-11-24T08:00:00Z",
                    "latestDateTime": "2026-11-25T12:00:00Z",
                },
                "deliverByWindow": {
                    "earliestDateTime": "2026-11-26T08:00:00Z",
                    "latestDateTime": "2026-11-28T12:00:00Z",
                },
            },
            "orderItems": [a_raw_item()],
        },
        changes,
    )


def a_raw_item(**changes: object) -> dict[str, Any]:
    return _merged(
        {
            "orderItemId": "90001",
            "quantityOrdered": 2,
            "product": {
                "asin": "B0EXAMPLE1",
                "title": "Desk lamp",
                "sellerSku": "LAMP-1",
                "price": {"unitPrice": {"amount": "29.95", "currencyCode": "USD"}},
            },
            "fulfillment": {"quantityFulfilled": 0, "quantityUnfulfilled": 2},
        },
        changes,
    )


def _merged(base: Mapping[str, Any], changes: Mapping[str, object]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        both_are_objects = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merged(merged[key], value) if both_are_objects else value  # type: ignore[arg-type]  # it is one
    return {key: value for key, value in merged.items() if value is not ABSENT}


def an_address(**parts: str | None) -> Address:
    return Address(
        **{
            "line1": "12 Harbor Street",
            "city": "Portland",
            "state_or_region": "OR",
            "postal_code": "97209",
            "country_code": "US",
            **parts,
        }
    )


def a_line(**fields: Any) -> LineItem:
    return LineItem(**{"order_item_id": "90001", "seller_sku": "LAMP-1", "asin": "B0EXAMPLE1", "quantity": 2, **fields})


def an_amazon_order(**fields: Any) -> AmazonOrder:
    """A merchant-fulfilled, unshipped US order that lacks nothing."""
    return AmazonOrder(
        **{
            "order_id": "701-1111111-1111111",
            "created_at": CREATED,
            "updated_at": CREATED,
            "marketplace_id": "ATVPDKIKX0DER",
            "buyer_name": "Ada Quill",
            "buyer_email": "ada@marketplace.example.com",
            "recipient_name": "Ada Quill",
            "delivery_address": an_address(),
            "fulfillment_status": "UNSHIPPED",
            "fulfilled_by": "MERCHANT",
            "ship_by": SHIP_BY,
            "deliver_by": DELIVER_BY,
            "line_items": (a_line(),),
            **fields,
        }
    )


def an_fba_order(**fields: Any) -> AmazonOrder:
    """An order that Amazon fulfils: no buyer, no address, as Amazon sends it."""
    return an_amazon_order(
        **{
            "fulfilled_by": "AMAZON",
            "buyer_name": None,
            "buyer_email": None,
            "recipient_name": None,
            "delivery_address": None,
            **fields,
        }
    )


def an_order(amazon: AmazonOrder | None = None, **fields: Any) -> Order:
    """An order as just downloaded: its verdict is pending."""
    amazon = amazon or an_amazon_order()
    return Order.first_seen("acme-na", amazon, NOON).with_(**fields)


def a_judged_order(amazon: AmazonOrder | None = None, settings: Settings | None = None, **fields: Any) -> Order:
    """An order with its first verdict, `fields` set on it afterwards."""
    return judged(an_order(amazon), settings or Settings(), NOON).with_(**fields)


def a_held_order(**fields: Any) -> Order:
    """An order that lacks its email and is held for it."""
    return a_judged_order(an_amazon_order(buyer_email=None), **fields)


def downloaded_again(order: Order, amazon: AmazonOrder | None = None, **fields: Any) -> Order:
    """The order after Amazon sent `amazon`, or its data with `fields` changed: the verdict is pending again."""
    return order.with_(amazon=amazon or order.amazon.model_copy(update=fields), pending_since=LATER)


def after_amazons_answer(order: Order, settings: Settings, at: datetime, **facts: Any) -> Order:
    """The order after Amazon's next answer, a minute newer and with these facts, and the verdict on it."""
    newer = {"updated_at": order.amazon.updated_at + timedelta(minutes=1), **facts}
    after = downloaded(order, order.amazon.model_copy(update=newer), order.integration, settings, at)
    if after is None:
        raise ValueError("the answer says nothing new")
    return judged(after, settings, at)


def after_a_call(order: Order, settings: Settings, by: str, **wanted: Any) -> Order:
    """The order after a person's call, which no verdict on the same data may overturn. Raises Refused."""
    after = change(order, Wanted(**wanted), settings, by=by, at=LATER)
    if judged(after, settings, LATER) != after:
        raise ValueError("a verdict on the same data overturns a part of the call")
    return after


def edited(amazon: AmazonOrder, confirmed: tuple[str, ...] = (), **units: Any) -> Edits:
    """People's edits over `amazon`, by unit."""
    edits = Edits().confirming(confirmed, amazon)
    for unit, value in units.items():
        edits = edits.with_typed(_unit(unit), value, amazon)
    return edits


def _unit(name: str) -> Unit:
    match name:
        case "name" | "email" | "delivery_address" | "billing_address" | "line_items":
            return name
    raise ValueError(f"{name} is not a unit that can be edited")


def a_typed_name(first: str = "Ada", last: str = "Quill", company: str | None = None) -> PersonsName:
    return PersonsName(first_name=first, last_name=last, company=company)


def decided(
    *,
    stage: str | None = None,
    three_pl_status: ThreePlStatus | None = None,
    sent_at: datetime | None = None,
    not_sent: bool = False,
    hold: HoldDecision | None = None,
) -> Decisions:
    """What Ada decided at noon."""
    dispatch = DispatchDecision(**ADA_AT_NOON, sent_at=sent_at) if sent_at or not_sent else None
    return Decisions(
        stage=StageDecision(**ADA_AT_NOON, stage=stage) if stage else None,
        three_pl_status=three_pl_status and ThreePlDecision(**ADA_AT_NOON, three_pl_status=three_pl_status),
        dispatch=dispatch,
        hold=hold,
    )


def by_hand(at: datetime = NOON) -> HoldDecision:
    """Ada's hold by hand."""
    return HoldDecision(by="ada", at=at)


def snoozed(until: datetime, at: datetime = NOON, *, was_manual: bool = False) -> HoldDecision:
    """Ada's snooze."""
    return HoldDecision(by="ada", at=at, until=until, was_manual=was_manual)


def accepting(*fields: str) -> tuple[Accepted, ...]:
    """An administrator's acceptance of blank fields."""
    return tuple(Accepted(field=field, reason="blank") for field in fields)


def dollars(amount: str) -> Money:
    return Money(amount=amount, currency_code="USD")


def without_checks(*switched_off: str) -> Settings:
    return Settings(checks=Checks(**dict.fromkeys(switched_off, False)))

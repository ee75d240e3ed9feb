"""One order: Amazon's facts, what people typed over them, and how far it has come.

`amazon` is written by downloads only and `edits` by people only. What anyone sees is `edits` over `amazon`, unit by
unit: the name, the email, each address, the line items. An edit owns its whole unit, so an address is never half
Amazon's and half typed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError

from needs_attention.orders.settings import NEEDS_ATTENTION, ThreePlStatus
from needs_attention.values.model import UtcTime, Value, differing
from needs_attention.values.text import cleaned, is_blank

# Amazon's Data Protection Policy allows personal data for 30 days after delivery. Recovery points hold it for up to
# 3 days more (PointInTimeRecoveryDays in template.yaml), and a backlog may take the clock a day.
REDACTION_AGE = timedelta(days=26)
REDACTION_TAKES_AT_MOST = timedelta(days=1)
# An order without any deadline of Amazon's is still not kept for ever, whenever it was dispatched.
LONGEST_DELIVERY = timedelta(days=60)
# The lean facts of an order, in bytes as stored: they must fit into one DynamoDB item (400 KB) beside edits, verdict
# and keys.
LARGEST_ORDER = 100_000
# In characters: nothing that is used of an order is nearly as long, and composing (NFC) takes up to its square.
LONGEST_TEXT = 2_000
# The program of a business order that Amazon buys and invoices itself.
AMAZON_AS_BUYER = "INVOICE_BY_AMAZON"

CANCELLED_AT_AMAZON = frozenset({"CANCELLED", "UNFULFILLABLE"})
PENDING_AT_AMAZON = frozenset({"PENDING", "PENDING_AVAILABILITY"})


class UnreadableOrder(Exception):
    """An order in Amazon's answer that cannot be kept, with why; the others of its page are not concerned.

    `order_id` is None when not even that could be read. The reason names fields, never their values.
    """

    def __init__(self, order_id: str | None, reason: str) -> None:
        super().__init__(f"order {order_id or 'without an ID'}: {reason}")
        self.order_id = order_id
        self.reason = reason


class Money(Value):
    """An amount as Amazon sends it: decimal text, so that nothing is rounded."""

    amount: str
    currency_code: str


class Address(Value):
    """A postal address in Amazon's parts; the last four are Brazil's (`extendedFields`)."""

    company_name: str | None = None
    line1: str | None = Field(default=None, alias="addressLine1")
    line2: str | None = Field(default=None, alias="addressLine2")
    line3: str | None = Field(default=None, alias="addressLine3")
    city: str | None = None
    district_or_county: str | None = None
    municipality: str | None = None
    state_or_region: str | None = None
    postal_code: str | None = None
    country_code: str | None = None
    phone: str | None = None
    address_type: str | None = None
    street_name: str | None = None
    street_number: str | None = None
    complement: str | None = None
    neighborhood: str | None = None

    @property
    def has_street(self) -> bool:
        return not all(is_blank(part) for part in (self.line1, self.line2, self.line3, self.street_name))

    def given_parts(self) -> dict[str, str]:
        """The parts that are not blank, by attribute name."""
        return {part: text for part, text in self if not is_blank(text)}


# A phone number or a type of address may change without the parcel going anywhere else.
WHERE = Address.model_fields.keys() - {"phone", "address_type"}


class LineItem(Value):
    """One line of an order that someone has to pick.

    `quantity` is what was ordered and not cancelled; None if that could not be read.
    """

    order_item_id: str | None = None
    seller_sku: str | None = None
    asin: str | None = None
    title: str | None = None
    quantity: int | None = Field(default=None, ge=0, le=1_000_000)
    quantity_fulfilled: int | None = None
    unit_price: Money | None = None

    @property
    def can_be_picked(self) -> bool:
        """Quantity 0 is Amazon's way of saying that a line was cancelled; a price of 0 is a replacement."""
        return bool(self.quantity) and not (is_blank(self.seller_sku) and is_blank(self.asin))


class AmazonOrder(Value):
    """The facts that we use of an order of the Orders API 2026-01-01 (its model's paths stand beside each field).

    Blank texts and placeholders come in as None, so absent, null, "" and `[Redacted]` are one thing; so do texts that
    are far too long for what they should be.
    """

    order_id: str
    created_at: UtcTime  # createdTime
    updated_at: UtcTime  # lastUpdatedTime
    marketplace_id: str | None = None  # salesChannel.marketplaceId
    seller_order_id: str | None = None  # orderAliases[SELLER_ORDER_ID].aliasId
    programs: tuple[str, ...] = ()
    replaces_order_id: str | None = None  # associatedOrders[].orderId
    buyer_name: str | None = None  # buyer.buyerName
    buyer_email: str | None = None  # buyer.buyerEmail
    buyer_company_name: str | None = None  # buyer.buyerCompanyName
    purchase_order_number: str | None = None  # buyer.buyerPurchaseOrderNumber
    recipient_name: str | None = None  # recipient.deliveryAddress.name
    delivery_address: Address | None = None  # recipient.deliveryAddress
    fulfillment_status: str | None = None  # fulfillment.fulfillmentStatus
    fulfilled_by: str | None = None  # fulfillment.fulfilledBy
    service_level: str | None = None  # fulfillment.fulfillmentServiceLevel
    ship_by_earliest: UtcTime | None = None  # fulfillment.shipByWindow
    ship_by: UtcTime | None = None
    deliver_by: UtcTime | None = None  # fulfillment.deliverByWindow.latestDateTime
    grand_total: Money | None = None  # proceeds.grandTotal
    tax_name: str | None = None  # tax.taxRegistrations[BUYER].legalName, else its address's name
    tax_address: Address | None = None  # tax.taxRegistrations[BUYER].taxRegistrationAddress
    line_items: tuple[LineItem, ...] | None = None  # orderItems; None if the answer had none at all
    is_gift: bool = False  # orderItems[].fulfillment.packing.giftOption
    cancel_requested_by_buyer: bool = False  # orderItems[].cancellation.cancellationRequest.requester

    @classmethod
    def from_amazon(cls, raw: object) -> Self:
        """Reads an order of `searchOrders` or `getOrder`, tolerantly: only an order that cannot be told is refused.

        Raises UnreadableOrder if there is no order ID, created or last updated time, or far too much data.
        """
        return cls.model_validate(_facts(raw)).that_can_be_kept()

    def that_can_be_kept(self) -> Self:
        """The order itself. Raises UnreadableOrder if it is far too much data."""
        size = len(self.model_dump_json(by_alias=True).encode())
        if size > LARGEST_ORDER:
            raise UnreadableOrder(self.order_id, f"{size:,} bytes, more than the {LARGEST_ORDER:,} that can be kept")
        return self

    @property
    def addressee(self) -> str | None:
        """Whom the parcel is for, as Amazon wrote it: the recipient, else the buyer where that may be the recipient.

        On a gift order the buyer is somebody else, and a business invoiced through Amazon has Amazon as its buyer.
        """
        buyer_may_be_recipient = not self.is_gift and AMAZON_AS_BUYER not in self.programs
        return self.recipient_name or (self.buyer_name if buyer_may_be_recipient else None)

    @property
    def is_cancelled(self) -> bool:
        return self.fulfillment_status in CANCELLED_AT_AMAZON

    @property
    def is_pending(self) -> bool:
        return self.fulfillment_status in PENDING_AT_AMAZON

    @property
    def is_shipped(self) -> bool:
        return self.fulfillment_status == "SHIPPED"

    @property
    def is_partly_shipped(self) -> bool:
        return self.fulfillment_status == "PARTIALLY_SHIPPED"

    @property
    def is_fulfilled_by_amazon(self) -> bool:
        return self.fulfilled_by == "AMAZON"

    def updated_with(self, newer: "AmazonOrder") -> "AmazonOrder":
        """`newer` with what Amazon no longer sends kept from this one: absence never erases.

        Amazon strips personal data from its answers later (shipped, cancelled, old, role lost). An empty list of line
        items is a real value, though: an order can lose its last line.
        """
        kept = {field: value for field, value in self if value is not None and getattr(newer, field) is None}
        merged = newer.model_copy(update=kept)
        return merged.model_copy(
            update={
                "programs": newer.programs or self.programs,
                "delivery_address": _newer_address(self.delivery_address, newer.delivery_address),
                "tax_address": _newer_address(self.tax_address, newer.tax_address),
                "line_items": _with_known_products(self.line_items, merged.line_items),
                "is_gift": newer.is_gift or self.is_gift,
                "cancel_requested_by_buyer": newer.cancel_requested_by_buyer or self.cancel_requested_by_buyer,
            }
        )

    def redacted(self) -> "AmazonOrder":
        """Without personal data: what Amazon's data protection list names, and every name, company and number."""
        country = self.delivery_address.country_code if self.delivery_address else None
        return self.model_copy(
            update={
                **dict.fromkeys(
                    (
                        "buyer_name",
                        "buyer_email",
                        "buyer_company_name",
                        "purchase_order_number",
                        "recipient_name",
                        "tax_name",
                        "tax_address",
                    )
                ),
                "delivery_address": Address(country_code=country) if country else None,
            }
        )

    def changed_fields(self, newer: "AmazonOrder") -> tuple[str, ...]:
        """The names (camelCase) of the fields in which `newer` differs, for the history."""
        changed = differing(self, newer)
        return tuple(info.alias or field for field, info in type(self).model_fields.items() if field in changed)


class PersonsName(Value):
    """A name as a person typed it: either part may be blank, and a company needs neither."""

    first_name: str = ""
    last_name: str = ""
    company: str = ""


class AmazonsUnit(Value):
    """What Amazon said of the units when a person edited them, to notice when Amazon changes its mind."""

    name: str | None = None
    email: str | None = None
    delivery_address: Address | None = None
    billing_address: Address | None = None
    line_items: tuple[LineItem, ...] | None = None


OrderStatus = Literal["Draft", "Open", "Dispatched", "Void"]
HoldKind = Literal["missing", "manual", "snoozed"]
DispatchedBy = Literal["us", "person", "amazon"]
Unit = Literal["name", "email", "delivery_address", "billing_address", "line_items"]
UNITS: tuple[Unit, ...] = ("name", "email", "delivery_address", "billing_address", "line_items")
# Seller Central shows no more than the API, so an editor may say that there is none; an address or lines must be there.
CONFIRMABLE = ("firstName", "lastName", "email", "buyerRequestedCancel")


class Edits(Value):
    """What people typed, by unit, what they confirmed to be not to be had, and what Amazon said at that time."""

    name: PersonsName | None = None
    email: str | None = None
    delivery_address: Address | None = None
    billing_address: Address | None = None
    line_items: tuple[LineItem, ...] | None = None
    confirmed: tuple[str, ...] = ()
    amazon_then: AmazonsUnit = AmazonsUnit()

    def is_edited(self, unit: Unit) -> bool:
        return getattr(self, unit) is not None

    def edited(self, unit: Unit, value: object, amazon: AmazonOrder) -> "Edits":
        """With `value` over Amazon's unit, or Amazon's value again if it is None."""
        then = self.amazon_then.model_copy(update={unit: getattr(amazons_units(amazon), unit)})
        return self.model_copy(update={unit: value, "amazon_then": then})


def amazons_units(amazon: AmazonOrder) -> AmazonsUnit:
    """Amazon's present value of every unit that a person can edit."""
    return AmazonsUnit(
        name=amazon.addressee,
        email=amazon.buyer_email,
        delivery_address=amazon.delivery_address,
        billing_address=amazon.tax_address,
        line_items=amazon.line_items,
    )


def units_changed_at_amazon(edits: Edits, amazon: AmazonOrder) -> tuple[Unit, ...]:
    """The edited units in which Amazon now says something else than when they were edited.

    Amazon filling a gap is no change, nor is Amazon falling silent or saying what was typed; altering what it had said
    to something else is.
    """
    now = amazons_units(amazon)
    return tuple(
        unit
        for unit in UNITS
        if edits.is_edited(unit)
        and _contradicts(getattr(edits.amazon_then, unit), getattr(now, unit))
        and _contradicts(getattr(edits, unit), getattr(now, unit))
    )


class Missing(Value):
    """One thing that keeps an order from leaving: which field, why, which parts of it, and since when we know."""

    field: str
    reason: str
    parts: tuple[str, ...] = ()
    first_missing_at: UtcTime | None = None


class Accepted(Value):
    """What an administrator let an order go without: a field for a reason, and in an address these parts."""

    field: str
    reason: str
    parts: tuple[str, ...] = ()

    def covers(self, missing: Missing) -> bool:
        is_same = (self.field, self.reason) == (missing.field, missing.reason)
        return is_same and set(missing.parts) <= set(self.parts)


class Hold(Value):
    """Why an order is in Needs Attention: something is missing, a person put it there, or it waits for a date."""

    kind: HoldKind
    since: UtcTime
    after_release: bool = False
    until: UtcTime | None = None
    was_manual: bool = False


class Override(Value):
    """An administrator's word that an order may leave with something missing."""

    by: str
    at: UtcTime
    reason: str
    fields: tuple[str, ...]


class Redaction(Value):
    """By whom and why the personal data of an order was removed: because its time was over, or on request.

    `reference` is what the request is called elsewhere, such as a ticket's number.
    """

    by: str
    why: Literal["retention", "request"]
    reference: str | None = None


TIME_IS_OVER = Redaction(by="clock", why="retention")


class LastChange(Value):
    """Who changed the order last, when, why, in which fields, and what it meant. Never a value of a field.

    `request_id` is that of the call to the API or, of a download, Amazon's: the logs name both.
    """

    by: str
    at: UtcTime
    cause: str
    request_id: str | None = None
    fields: tuple[str, ...] = ()
    events: tuple[str, ...] = ()


class Order(Value):
    """An order as stored: one DynamoDB item. A change is a new Order; `OrderStore.save` writes the difference."""

    order_id: str
    integration: str
    revision: int = 0
    amazon: AmazonOrder
    edits: Edits = Edits()
    downloaded_at: UtcTime
    pending_since: UtcTime | None = None
    judged_at: UtcTime | None = None
    hold: Hold | None = None
    missing: tuple[Missing, ...] = ()
    accepted: tuple[Accepted, ...] = ()
    override: Override | None = None
    stage: str | None = None
    three_pl_status: ThreePlStatus = ThreePlStatus.DO_NOT_TRANSFER
    fully_dispatched_at: UtcTime | None = None
    dispatched_by: DispatchedBy | None = None
    voided_at: UtcTime | None = None
    redacted_at: UtcTime | None = None
    redaction: Redaction | None = None
    handed_over_digest: str | None = None
    warehouse_error: str | None = None  # why it could not take the order, in its own words
    alerts: tuple[str, ...] = ()
    # Whether the settings of the last verdict let it be handed over: for the events only, the gate asks anew.
    is_live: bool = False
    judged_status: str | None = None  # Amazon's fulfilment status at the last verdict
    redownload_at: UtcTime | None = None
    assigned_to: str | None = None
    comment: str | None = None
    last_change: LastChange | None = None

    @classmethod
    def first_seen(cls, integration: str, amazon: AmazonOrder, at: datetime) -> Self:
        return cls(order_id=amazon.order_id, integration=integration, amazon=amazon, downloaded_at=at, pending_since=at)

    def with_(self, **changes: Any) -> "Order":
        return self.model_copy(update=changes)

    def says_the_same_as(self, other: "Order") -> bool:
        """Whether nothing but the time of the verdict differs."""
        return self.with_(judged_at=other.judged_at) == other

    def was_just(self, event: str) -> bool:
        """Whether that is what the last change meant, in the words of the event bus."""
        return self.last_change is not None and event in self.last_change.events

    @property
    def is_pending(self) -> bool:
        """Whether the verdict on the latest data is still to come: until then nothing may leave."""
        return self.pending_since is not None

    @property
    def is_handed_over(self) -> bool:
        return self.three_pl_status.is_handed_over

    @property
    def open_missing(self) -> tuple[Missing, ...]:
        """What is missing beyond what an administrator accepted."""
        return self.beyond_what_was_accepted(self.missing)

    def beyond_what_was_accepted(self, missing: Iterable[Missing]) -> tuple[Missing, ...]:
        return tuple(item for item in missing if not any(one.covers(item) for one in self.accepted))

    @property
    def has_a_future(self) -> bool:
        """Whether there is still something to send: it is neither cancelled, nor shipped by Amazon, nor redacted."""
        return not (self.voided_at or self.redacted_at or self.amazon.is_shipped)

    @property
    def is_ready_to_release(self) -> bool:
        return self.hold is not None and self.hold.kind != "snoozed" and not self.is_pending and not self.open_missing

    @property
    def status(self) -> OrderStatus:
        if self.voided_at:
            return "Void"
        if self.fully_dispatched_at:
            return "Dispatched"
        return "Draft" if self.amazon.is_pending and self.hold is None else "Open"

    @property
    def is_to_be_sent(self) -> bool:
        return is_to_be_sent(self.status, self.three_pl_status, self.amazon.fulfilled_by)

    @property
    def shown_three_pl_status(self) -> ThreePlStatus:
        """While a verdict is pending everyone sees `Do Not Transfer to 3PL`, unless the warehouse has it already."""
        return ThreePlStatus.DO_NOT_TRANSFER if self.is_pending and not self.is_handed_over else self.three_pl_status

    @property
    def is_transferable(self) -> bool:
        """Whether a warehouse may take the order now, as far as the order itself goes."""
        if self.is_pending or self.voided_at or self.redacted_at or self.stage == NEEDS_ATTENTION:
            return False
        if self.three_pl_status is ThreePlStatus.NOW:
            return True
        return self.three_pl_status is ThreePlStatus.UPON_COMPLETION and self.fully_dispatched_at is not None

    @property
    def is_fulfillable(self) -> bool:
        """Whether goods may leave, as far as the order itself goes: transferable, or dispatched by us."""
        if self.is_pending or self.is_handed_over or not self.has_a_future:
            return False
        return self.is_transferable or self.dispatched_by in {"us", "person"}

    @property
    def redact_at(self) -> datetime | None:
        """When its personal data must be gone: by Amazon's latest delivery date, else dispatch, else a set maximum.

        The maximum bounds a dispatch too: of what Amazon shipped we know no time but that at which we learnt of it.
        """
        if self.redacted_at:
            return None
        longest = self.amazon.created_at + LONGEST_DELIVERY
        delivered = self.amazon.deliver_by or min(self.fully_dispatched_at or longest, longest)
        return delivered + REDACTION_AGE


def is_to_be_sent(status: str, three_pl_status: ThreePlStatus, fulfilled_by: str | None) -> bool:
    """Whether somebody here still has to see to an order: nobody has sent it, and no warehouse has it."""
    is_with_the_warehouse = three_pl_status in {ThreePlStatus.TRANSFERRED, ThreePlStatus.PICKED}
    is_done = status in {"Dispatched", "Void"} or is_with_the_warehouse
    return not is_done and fulfilled_by != "AMAZON"


# Reading Amazon's JSON ------------------------------------------------------------------------------------------------

_TIME: TypeAdapter[datetime] = TypeAdapter(UtcTime)


def _facts(raw: object) -> dict[str, Any]:
    order = _node(raw)
    order_id = _text(order, "orderId")
    if order_id is None or not may_be_order_id(order_id):
        raise UnreadableOrder(None, "orderId is missing or not a text of at most 100 characters")
    recipient = _node(_node(order.get("recipient")).get("deliveryAddress"))
    buyer, fulfillment = _node(order.get("buyer")), _node(order.get("fulfillment"))
    ship_by, deliver_by = _node(fulfillment.get("shipByWindow")), _node(fulfillment.get("deliverByWindow"))
    registrations = _nodes(_node(order.get("tax")).get("taxRegistrations"))
    tax = next((entry for entry in registrations if entry.get("entityType") == "BUYER"), {})
    tax_address = _node(tax.get("taxRegistrationAddress"))
    aliases = _nodes(order.get("orderAliases"))
    items = _nodes(order.get("orderItems"))
    has_items = isinstance(order.get("orderItems"), list)
    return {
        "order_id": order_id,
        "created_at": _required_time(order, "createdTime", order_id),
        "updated_at": _required_time(order, "lastUpdatedTime", order_id),
        "marketplace_id": _text(_node(order.get("salesChannel")), "marketplaceId"),
        "seller_order_id": next(
            (_text(a, "aliasId") for a in aliases if a.get("aliasType") == "SELLER_ORDER_ID"), None
        ),
        "programs": _texts(order.get("programs")),
        "replaces_order_id": next((_text(o, "orderId") for o in _nodes(order.get("associatedOrders"))), None),
        "buyer_name": _text(buyer, "buyerName"),
        "buyer_email": _text(buyer, "buyerEmail"),
        "buyer_company_name": _text(buyer, "buyerCompanyName"),
        "purchase_order_number": _text(buyer, "buyerPurchaseOrderNumber"),
        "recipient_name": _text(recipient, "name"),
        "delivery_address": _address(recipient),
        "fulfillment_status": _text(fulfillment, "fulfillmentStatus"),
        "fulfilled_by": _text(fulfillment, "fulfilledBy"),
        "service_level": _text(fulfillment, "fulfillmentServiceLevel"),
        "ship_by_earliest": _time(ship_by, "earliestDateTime"),
        "ship_by": _time(ship_by, "latestDateTime"),
        "deliver_by": _time(deliver_by, "latestDateTime"),
        "grand_total": _money(_node(order.get("proceeds")).get("grandTotal")),
        "tax_name": _text(tax, "legalName") or _text(tax_address, "name"),
        "tax_address": _address(tax_address),
        "line_items": tuple(_line_item(item) for item in items) if has_items else None,
        "is_gift": any(_node(_node(_node(i.get("fulfillment")).get("packing")).get("giftOption")) for i in items),
        "cancel_requested_by_buyer": any(_buyer_asked_to_cancel(item) for item in items),
    }


def may_be_order_id(text: str) -> bool:
    """Amazon's order IDs are opaque, and its model does not bound them. But DynamoDB takes no key of any length, and
    one of dots alone would be a step in a path."""
    return bool(text.strip(".")) and len(text) <= 100


def _node(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> Iterable[object]:
    return value if isinstance(value, list) else ()


def _nodes(value: object) -> list[Mapping[str, Any]]:
    return [entry for entry in _list(value) if isinstance(entry, Mapping)]


def _text(node: Mapping[str, Any], key: str) -> str | None:
    return _told(node.get(key))


def _texts(value: object) -> tuple[str, ...]:
    texts = map(_told, _list(value))
    return tuple(text for text in texts if text is not None)


def _told(value: object) -> str | None:
    return cleaned(value) if isinstance(value, str) and len(value) <= LONGEST_TEXT else None


def _time(node: Mapping[str, Any], key: str) -> datetime | None:
    try:
        return _TIME.validate_python(node[key])
    except (KeyError, ValidationError):
        return None


def _required_time(order: Mapping[str, Any], key: str, order_id: str) -> datetime:
    time = _time(order, key)
    if time is None:
        raise UnreadableOrder(order_id, f"{key} is missing or not a time")
    return time


def _money(value: object) -> Money | None:
    node = _node(value)
    amount, currency = _text(node, "amount"), _text(node, "currencyCode")
    if amount is None or currency is None:
        return None
    try:
        number = Decimal(amount)
    except InvalidOperation:
        return None
    return Money(amount=str(number), currency_code=currency) if number.is_finite() else None


def _address(node: Mapping[str, Any]) -> Address | None:
    parts = {**node, **_node(node.get("extendedFields"))}
    texts = {field: _text(parts, info.alias or field) for field, info in Address.model_fields.items()}
    return Address.model_validate(texts) if any(texts.values()) else None


def _line_item(item: Mapping[str, Any]) -> LineItem:
    product, fulfillment = _node(item.get("product")), _node(item.get("fulfillment"))
    return LineItem(
        order_item_id=_text(item, "orderItemId"),
        seller_sku=_text(product, "sellerSku"),
        asin=_text(product, "asin"),
        title=_text(product, "title"),
        quantity=_quantity(item, "quantityOrdered"),
        quantity_fulfilled=_quantity(fulfillment, "quantityFulfilled"),
        unit_price=_money(_node(product.get("price")).get("unitPrice")),
    )


def _quantity(node: Mapping[str, Any], key: str) -> int | None:
    value = node.get(key)
    return value if type(value) is int and 0 <= value <= 1_000_000 else None


def _buyer_asked_to_cancel(item: Mapping[str, Any]) -> bool:
    return _node(_node(item.get("cancellation")).get("cancellationRequest")).get("requester") == "BUYER"


# Keeping what Amazon no longer sends ----------------------------------------------------------------------------------


def _newer_address(old: Address | None, new: Address | None) -> Address | None:
    """An address that comes with a street replaces the old one whole; one without only fills in and refreshes parts."""
    if new is None or old is None or new.has_street:
        return new or old
    return old if old.has_street else old.model_copy(update=new.given_parts())


def _with_known_products(
    old: tuple[LineItem, ...] | None, new: tuple[LineItem, ...] | None
) -> tuple[LineItem, ...] | None:
    """The new lines; what one of them no longer says of its product is kept from the old line of the same ID.

    Lines that share an ID, as no order should have them, are taken as they are: nobody knows which was which.
    """
    known, alone = _by_their_own_id(old), _by_their_own_id(new)
    return new and tuple(
        _with_known_product(known.get(line.order_item_id) if line.order_item_id in alone else None, line)
        for line in new
    )


def _by_their_own_id(lines: Iterable[LineItem] | None) -> dict[str | None, LineItem]:
    lines = tuple(lines or ())
    times = Counter(line.order_item_id for line in lines)
    return {line.order_item_id: line for line in lines if line.order_item_id and times[line.order_item_id] == 1}


def _with_known_product(known: LineItem | None, line: LineItem) -> LineItem:
    absent = {field: getattr(known, field) for field, value in line if value is None} if known else {}
    return line.model_copy(update=absent)


# What Amazon changed --------------------------------------------------------------------------------------------------


def _contradicts(then: object, now: object) -> bool:
    if isinstance(then, Address) and isinstance(now, Address):
        said = then.given_parts()
        return any(said[part] != text for part, text in now.given_parts().items() if part in said and part in WHERE)
    if isinstance(then, PersonsName):
        return f"{then.first_name} {then.last_name}".split() != str(now).split()
    if isinstance(then, tuple) and isinstance(now, tuple):
        return _lines_contradict(then, now)
    # What was blanked here says something too: that there is none.
    return then is not None and bool(now) and then != now


def _lines_contradict(then: Iterable[LineItem], now: Iterable[LineItem]) -> bool:
    """A line whose SKU was not said can be contradicted in its quantity alone; where no line was, in nothing."""
    unsaid = {line.order_item_id for line in then if line.seller_sku is None}
    said = _to_pick(then, unsaid)
    return bool(said) and said != _to_pick(now, unsaid)


def _to_pick(lines: Iterable[LineItem], unsaid: Set[str | None]) -> Counter[tuple[str | None, str | None, int | None]]:
    return Counter(
        (line.order_item_id, None if line.order_item_id in unsaid else line.seller_sku, line.quantity)
        for line in lines
        if line.quantity
    )

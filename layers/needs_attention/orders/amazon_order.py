"""The facts that Amazon states about an order. A later answer merges into them: absence never erases."""

from collections import Counter
from collections.abc import Iterable
from typing import Literal, Self

from pydantic import Field

from needs_attention.values.model import Value, differing
from needs_attention.values.text import is_blank
from needs_attention.values.times import UtcTime

# In bytes as stored. One DynamoDB item (400 KB) holds these facts together with edits, verdict and keys.
LARGEST_ORDER = 100_000
# In bytes. People tell lines by their SKU too, so a title is the first thing to do without.
_SHORTER_TITLES = (200, 100, 50, 25)
_ELLIPSIS = "…"

# The program of a business order that Amazon buys and invoices itself.
AMAZON_AS_BUYER = "INVOICE_BY_AMAZON"

# Amazon's `fulfillmentStatus` (model orders_2026-01-01). INVOICE_UNCONFIRMED: all goods have left (Orders API v0,
# `InvoiceUnconfirmed`, which Amazon's migration guide maps to it).
CANCELLED_AT_AMAZON = frozenset({"CANCELLED", "UNFULFILLABLE"})
PENDING_AT_AMAZON = frozenset({"PENDING", "PENDING_AVAILABILITY"})
SHIPPED_AT_AMAZON = frozenset({"SHIPPED", "INVOICE_UNCONFIRMED"})
OPEN_AT_AMAZON = frozenset({"UNSHIPPED", "PARTIALLY_SHIPPED"})
KNOWN_STATUSES = CANCELLED_AT_AMAZON | PENDING_AT_AMAZON | SHIPPED_AT_AMAZON | OPEN_AT_AMAZON
KNOWN_CHANNELS = frozenset({"MERCHANT", "AMAZON"})


# Of an order that is not shipped any more, or not Amazon's own any more.
CameBackFrom = Literal["shipped", "fulfilledByAmazon"]
# Stands for the line of a request to cancel that names none.
WHOLE_ORDER = "*"


class UnreadableOrder(Exception):
    """An order in Amazon's answer that cannot be kept, and the reason; the other orders of its page can.

    `order_id` is None if the ID itself could not be read. The reason names fields, never their values.
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


# A new phone number or type of address sends the parcel nowhere else.
WHERE = Address.model_fields.keys() - {"phone", "address_type"}


class LineItem(Value):
    """One line of an order that someone has to pick.

    `quantity` counts the units that were ordered (`quantityOrdered`); None if the number could not be read. Amazon
    sends 0 for some cancelled lines, and keeps the number on others (`cancellation.cancellationExecution`).
    """

    order_item_id: str | None = None
    seller_sku: str | None = None
    asin: str | None = None
    title: str | None = None
    quantity: int | None = Field(default=None, ge=0, le=1_000_000)
    quantity_fulfilled: int | None = None
    quantity_unfulfilled: int | None = None
    unit_price: Money | None = None
    is_cancelled: bool | None = None  # cancellation.cancellationExecution
    asked_to_cancel: bool | None = None  # cancellation.cancellationRequest.requester is BUYER

    @property
    def is_wanted(self) -> bool:
        """Whether the line is still part of the order: neither cancelled nor of quantity 0."""
        return self.quantity != 0 and not self.is_cancelled

    @property
    def names_a_product(self) -> bool:
        return not (is_blank(self.seller_sku) and is_blank(self.asin))


class AmazonOrder(Value):
    """The facts of an order that the rules use. The comments give the paths in Amazon's Orders API 2026-01-01.

    Blank texts and placeholders are read as None, so that absent, null, "" and `[Redacted]` mean the same. So are texts
    that are far too long for their field.
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
    deliver_by_earliest: UtcTime | None = None  # fulfillment.deliverByWindow
    deliver_by: UtcTime | None = None
    # When Amazon first said of all packages of a shipped order that they are delivered (packages[].packageStatus).
    delivered_at: UtcTime | None = None
    grand_total: Money | None = None  # proceeds.grandTotal
    tax_name: str | None = None  # tax.taxRegistrations[BUYER].legalName, else its address's name
    tax_address: Address | None = None  # tax.taxRegistrations[BUYER].taxRegistrationAddress
    line_items: tuple[LineItem, ...] | None = None  # orderItems; None if the answer has no list
    is_gift: bool = False  # orderItems[].fulfillment.packing.giftOption
    # The release before kept one request to cancel for the whole order; now each line has its own.
    cancel_requested_by_buyer: bool = False
    # Amazon called the order shipped, or its own, and now calls it neither, nor cancelled.
    came_back_from: CameBackFrom | None = None
    doubts: int = 0  # how many times nobody knew whether the order is ours to send, the present time included

    def that_can_be_kept(self) -> Self:
        """The order itself, with titles as long as there is room for them.

        Raises UnreadableOrder if it is too large to keep even without them.
        """
        if self._bytes <= LARGEST_ORDER:
            return self
        bare = self._with_titles_of(0)
        if (size := bare._bytes) > LARGEST_ORDER:
            raise UnreadableOrder(self.order_id, f"{size:,} bytes, more than the {LARGEST_ORDER:,} that can be kept")
        shorter = (self._with_titles_of(longest) for longest in _SHORTER_TITLES)
        return next((order for order in shorter if order._bytes <= LARGEST_ORDER), bare)

    @property
    def _bytes(self) -> int:
        return len(self.model_dump_json(by_alias=True).encode())

    def _with_titles_of(self, longest: int) -> Self:
        lines = self.line_items and tuple(
            line.model_copy(update={"title": _shortened(line.title, longest)}) for line in self.line_items
        )
        return self.model_copy(update={"line_items": lines})

    @property
    def addressee(self) -> str | None:
        """The name that the parcel goes to, as Amazon wrote it: the recipient's, else the buyer's if both may be one.

        The buyer of a gift is somebody else, and the buyer of an order that is invoiced through Amazon is Amazon.
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
        return self.fulfillment_status in SHIPPED_AT_AMAZON

    @property
    def has_known_fulfillment(self) -> bool:
        """Whether Amazon says, in words that are known here, how far the order is and who fulfils it."""
        return self.fulfillment_status in KNOWN_STATUSES and self.fulfilled_by in KNOWN_CHANNELS

    @property
    def doubt(self) -> tuple[str | None, ...]:
        """What makes it unknown whether the order is ours to send: its status, its channel or its return; () if known.

        An order without a known status may have been shipped already.
        """
        if self.has_known_fulfillment and self.came_back_from is None:
            return ()
        status = self.fulfillment_status if self.fulfillment_status not in KNOWN_STATUSES else ""
        channel = self.fulfilled_by if self.fulfilled_by not in KNOWN_CHANNELS else ""
        return (status, channel, self.came_back_from)

    @property
    def cancel_requests(self) -> frozenset[str]:
        """The lines (their IDs) that the buyer asked to cancel and that are not cancelled yet.

        `WHOLE_ORDER` stands for a request that names no line.
        """
        lines = self.line_items or ()
        asked = {line.order_item_id or WHOLE_ORDER for line in lines if line.asked_to_cancel and line.is_wanted}
        is_of_no_line = self.cancel_requested_by_buyer and not any(line.asked_to_cancel for line in lines)
        return frozenset(asked | {WHOLE_ORDER}) if is_of_no_line else frozenset(asked)

    @property
    def is_partly_shipped(self) -> bool:
        return self.fulfillment_status == "PARTIALLY_SHIPPED"

    @property
    def is_fulfilled_by_amazon(self) -> bool:
        return self.fulfilled_by == "AMAZON"

    def updated_with(self, newer: "AmazonOrder") -> "AmazonOrder":
        """`newer`, with every fact that it lacks taken from this one: absence never erases.

        Amazon strips personal data from later answers (shipped, cancelled, old, role lost). An empty list of line
        items is a real value: an order can lose its last line. A status that is absent or unknown is no absence:
        nobody knows any more whether the order was shipped. It only leaves a final one (shipped, cancelled) as it was.
        """
        kept = {field: value for field, value in self if value is not None and getattr(newer, field) is None}
        is_over = self.is_shipped or self.is_cancelled
        kept["fulfillment_status"] = (
            self.fulfillment_status
            if is_over and newer.fulfillment_status not in KNOWN_STATUSES
            else newer.fulfillment_status
        )
        merged = newer.model_copy(update=kept)
        return self._in_the_same_doubt(
            merged.model_copy(
                update={
                    "programs": newer.programs or self.programs,
                    "delivery_address": _newer_address(self.delivery_address, newer.delivery_address),
                    "tax_address": _newer_address(self.tax_address, newer.tax_address),
                    "line_items": _with_known_products(self.line_items, merged.line_items),
                    "is_gift": newer.is_gift or self.is_gift,
                    "cancel_requested_by_buyer": newer.cancel_requested_by_buyer or self.cancel_requested_by_buyer,
                    # Later answers repeat it. An order that comes back from shipped is delivered another time.
                    "delivered_at": (self.delivered_at or newer.delivered_at) if merged.is_shipped else None,
                }
            )
        )

    def _in_the_same_doubt(self, merged: "AmazonOrder") -> "AmazonOrder":
        """The merged order, with its return from elsewhere, and one doubt more if this one is new."""
        returns_from: CameBackFrom | None = None
        if self.is_shipped:
            returns_from = "shipped"
        elif self.is_fulfilled_by_amazon and not merged.is_fulfilled_by_amazon:
            returns_from = "fulfilledByAmazon"
        if merged.is_shipped or merged.is_cancelled:
            return merged.model_copy(update={"came_back_from": None, "doubts": self.doubts})
        now = merged.model_copy(update={"came_back_from": returns_from or self.came_back_from})
        is_new = returns_from is not None or now.doubt not in {(), self.doubt}
        return now.model_copy(update={"doubts": self.doubts + is_new})

    def redacted(self) -> "AmazonOrder":
        """Without personal data: all that Amazon's data protection list names, and every name, company and number."""
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
        if not changed:
            return ()
        return tuple(info.alias or field for field, info in type(self).model_fields.items() if field in changed)


def may_be_order_id(text: str) -> bool:
    """Whether the text can be an order ID. Amazon's IDs are opaque, and its model does not limit their length.

    DynamoDB limits the length of a key, and dots alone would be a step in a URL's path.
    """
    return bool(text.strip(".")) and len(text) <= 100


def _shortened(title: str | None, longest: int) -> str | None:
    """The beginning of the title, in so many bytes at most, or None if nothing is left of it."""
    if title is None or len(title.encode()) <= longest:
        return title
    room = longest - len(_ELLIPSIS.encode())
    beginning = title.encode()[: max(room, 0)].decode(errors="ignore").rstrip()
    return f"{beginning}{_ELLIPSIS}" if beginning else None


def _newer_address(old: Address | None, new: Address | None) -> Address | None:
    """A new address with a street replaces the old one whole; one without a street only updates single parts."""
    if new is None or old is None or new.has_street:
        return new or old
    return old if old.has_street else old.model_copy(update=new.given_parts())


def _with_known_products(
    old: tuple[LineItem, ...] | None, new: tuple[LineItem, ...] | None
) -> tuple[LineItem, ...] | None:
    """The new lines. If one no longer names its product, the old line of the same ID supplies it.

    Lines that share an ID are taken as they are: nothing tells which old line belongs to which.
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

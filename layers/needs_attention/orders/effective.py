"""The order as people see it: which of Amazon's data and which edits show, by unit, and what stands in for a gap."""

from collections import Counter
from typing import Literal

from needs_attention.orders.amazon_order import Address, AmazonOrder, LineItem
from needs_attention.orders.edits import Edits, PersonsName, laid_over
from needs_attention.orders.names import PersonName, split_name
from needs_attention.orders.settings import Settings
from needs_attention.values.model import Value
from needs_attention.values.text import is_blank

# The sources of the parts.
NameSource = Literal["recipient", "buyer", "edited", "none"]
AmazonsOrEdited = Literal["amazon", "edited"]
BillingSource = Literal["amazonTax", "copiedFromDelivery", "edited", "none"]


class SeenLine(LineItem):
    """A line, the number of units that were ordered, and the number that is left to send; None if nobody can tell.

    `quantity` is the number ordered too, but for a warehouse: it reads the number to send there.
    """

    quantity_ordered: int | None = None
    quantity_to_send: int | None = None


class Seen(Value):
    """The personal data and lines that are shown, each part with its source.

    Without data, names are blank, there are no lines, and other parts are None. Cancelled lines are left out.
    """

    first_name: str
    last_name: str
    company: str
    name_kind: Literal["person", "singleWord", "unspacedScript", "company", "blank"]
    name_source: NameSource
    email: str | None
    email_source: AmazonsOrEdited
    delivery_address: Address | None
    delivery_source: AmazonsOrEdited
    billing_name: str | None
    billing_address: Address | None
    billing_source: BillingSource
    line_items: tuple[SeenLine, ...]
    line_items_source: AmazonsOrEdited


def seen(amazon: AmazonOrder, edits: Edits, settings: Settings) -> Seen:
    """Typed parts over Amazon's, part by part; typed lines replace Amazon's."""
    name, name_source = _name(amazon, edits)
    delivery = laid_over(amazon.delivery_address, edits.delivery_address)
    billing_name, billing, billing_source = _billing(amazon, edits, settings, delivery)
    return Seen(
        first_name=name.first,
        last_name=name.last,
        company=_company(amazon, edits),
        name_kind=name.kind,
        name_source=name_source,
        email=edits.email if edits.email is not None else amazon.buyer_email,
        email_source="edited" if edits.is_edited("email") else "amazon",
        delivery_address=delivery,
        delivery_source="edited" if edits.is_edited("delivery_address") else "amazon",
        billing_name=billing_name,
        billing_address=billing,
        billing_source=billing_source,
        line_items=_lines(amazon, edits),
        line_items_source="edited" if edits.is_edited("line_items") else "amazon",
    )


def _lines(amazon: AmazonOrder, edits: Edits) -> tuple[SeenLine, ...]:
    """The wanted lines. A typed line that names one of Amazon's keeps its share of what was sent, or cancelled."""
    amazons = amazon.line_items or ()
    if edits.line_items is None:
        return tuple(_seen_line(line, _left(line, amazon)) for line in amazons if line.is_wanted)
    was_sent = amazon.is_partly_shipped or any(map(_gone, amazons))
    done = {line.order_item_id for line in amazons if not line.is_wanted or line.quantity_unfulfilled == 0}
    unclear = {line.order_item_id for line in amazons if amazon.is_partly_shipped and _gone(line) is None}
    gone = Counter[str | None]()
    for line in amazons:
        gone[line.order_item_id] += _gone(line) or 0
    seen_lines: list[SeenLine] = []
    for line in edits.line_items:
        left = line.quantity
        if line.order_item_id is None:
            left = None if was_sent else left
        elif line.order_item_id in done:
            left = 0
        elif line.order_item_id in unclear:
            left = None
        elif left is not None:
            taken = min(left, gone[line.order_item_id])
            gone[line.order_item_id] -= taken
            left -= taken
        seen_lines.append(_seen_line(line, left))
    return tuple(line for line in seen_lines if line.is_wanted)


def _seen_line(line: LineItem, left: int | None) -> SeenLine:
    return SeenLine(**dict(line), quantity_ordered=line.quantity, quantity_to_send=left)


def _gone(line: LineItem) -> int | None:
    """The units of Amazon's line that are sent, or were cancelled; None if Amazon gives no number."""
    if not line.is_wanted or line.quantity is None or line.quantity_unfulfilled is None:
        return line.quantity_fulfilled
    return max(line.quantity - line.quantity_unfulfilled, line.quantity_fulfilled or 0)


def _left(line: LineItem, amazon: AmazonOrder) -> int | None:
    """The units of Amazon's line that are not sent yet.

    Without Amazon's number that is what was ordered, as long as nothing of the order was shipped. It is never more than
    was ordered: an answer that lowers the order may leave out the number that is left.
    """
    if line.quantity_unfulfilled is not None:
        ordered = line.quantity_unfulfilled if line.quantity is None else line.quantity
        return min(line.quantity_unfulfilled, ordered)
    if line.quantity is not None and line.quantity_fulfilled is not None:
        return max(line.quantity - line.quantity_fulfilled, 0)
    return None if amazon.is_partly_shipped else line.quantity


def _name(amazon: AmazonOrder, edits: Edits) -> tuple[PersonName, NameSource]:
    amazons, source = _amazons_name(amazon)
    if edits.name is None:
        return amazons, source
    return _with_typed_parts(amazons, edits.name), "edited"


def _amazons_name(amazon: AmazonOrder) -> tuple[PersonName, NameSource]:
    company = amazon.delivery_address.company_name if amazon.delivery_address else None
    if amazon.recipient_name:
        return split_name(amazon.recipient_name, company_name=company), "recipient"
    if amazon.addressee:
        return split_name(amazon.addressee, company_name=amazon.buyer_company_name), "buyer"
    return PersonName(first="", last="", kind="blank"), "none"


def _with_typed_parts(amazons: PersonName, typed: PersonsName) -> PersonName:
    first = amazons.first if typed.first_name is None else typed.first_name
    last = amazons.last if typed.last_name is None else typed.last_name
    if typed.company is None and typed.first_name is None and amazons.kind == "company":
        return PersonName(first=first, last=last, kind="company")
    return _typed_name(first, last, typed.company or "")


def _typed_name(first: str, last: str, company: str) -> PersonName:
    """A name from two boxes. Its script matters only if one of them is blank."""
    if not is_blank(company):
        return PersonName(first=first, last=last, kind="company")
    if not is_blank(first) and not is_blank(last):
        return PersonName(first=first, last=last, kind="person")
    only = split_name(last if is_blank(first) else first)
    if only.kind in {"blank", "unspacedScript"}:
        return PersonName(first=first, last=last, kind=only.kind)
    return PersonName(first=first, last=last, kind="singleWord")


def _company(amazon: AmazonOrder, edits: Edits) -> str:
    if edits.name is not None and edits.name.company is not None:
        return edits.name.company
    return (amazon.delivery_address and amazon.delivery_address.company_name) or amazon.buyer_company_name or ""


def _billing(
    amazon: AmazonOrder, edits: Edits, settings: Settings, delivery: Address | None
) -> tuple[str | None, Address | None, BillingSource]:
    """Amazon's API has no billing address. The buyer's tax registration comes nearest; then the setting decides."""
    name = amazon.tax_name or amazon.buyer_name or amazon.recipient_name
    address, source = _billing_without_edits(amazon, settings, delivery)
    if edits.billing_address is not None:
        return name, laid_over(address, edits.billing_address), "edited"
    return name, address, source


def _billing_without_edits(
    amazon: AmazonOrder, settings: Settings, delivery: Address | None
) -> tuple[Address | None, BillingSource]:
    if amazon.tax_address is not None and amazon.tax_address.has_street:
        return amazon.tax_address, "amazonTax"
    if delivery is not None and _may_copy(amazon, settings):
        return delivery, "copiedFromDelivery"
    return None, "none"


def _may_copy(amazon: AmazonOrder, settings: Settings) -> bool:
    if settings.billing_address == "copyIfSameName":
        buyer, recipient = amazon.buyer_name, amazon.recipient_name
        return buyer is not None and recipient is not None and buyer.casefold() == recipient.casefold()
    return settings.billing_address == "copyDelivery"

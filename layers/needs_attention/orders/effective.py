"""The order as people see it: which of Amazon's data and which edits show, by unit, and what stands in for a gap."""

from typing import Literal

from needs_attention.orders.amazon_order import Address, AmazonOrder, LineItem
from needs_attention.orders.edits import Edits
from needs_attention.orders.names import PersonName, split_name
from needs_attention.orders.settings import Settings
from needs_attention.values.model import Value
from needs_attention.values.text import is_blank

# The sources of the parts.
NameSource = Literal["recipient", "buyer", "edited", "none"]
AmazonsOrEdited = Literal["amazon", "edited"]
BillingSource = Literal["amazonTax", "copiedFromDelivery", "edited", "none"]


class Seen(Value):
    """The personal data and lines that are shown, each part with its source.

    Without data, names are blank, there are no lines, and other parts are None. Lines of quantity 0 are left out.
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
    line_items: tuple[LineItem, ...]
    line_items_source: AmazonsOrEdited


def seen(amazon: AmazonOrder, edits: Edits, settings: Settings) -> Seen:
    """Each unit as the edit has it, if there is one, else as Amazon sent it."""
    name, name_source = _name(amazon, edits)
    delivery = edits.delivery_address or amazon.delivery_address
    billing_name, billing, billing_source = _billing(amazon, edits, settings, delivery)
    lines = edits.line_items if edits.line_items is not None else amazon.line_items or ()
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
        line_items=tuple(line for line in lines if line.quantity != 0),
        line_items_source="edited" if edits.is_edited("line_items") else "amazon",
    )


def _name(amazon: AmazonOrder, edits: Edits) -> tuple[PersonName, NameSource]:
    if edits.name is not None:
        return _typed_name(edits.name.first_name, edits.name.last_name, edits.name.company), "edited"
    company = amazon.delivery_address.company_name if amazon.delivery_address else None
    if amazon.recipient_name:
        return split_name(amazon.recipient_name, company_name=company), "recipient"
    if amazon.addressee:
        return split_name(amazon.addressee, company_name=amazon.buyer_company_name), "buyer"
    return PersonName(first="", last="", kind="blank"), "none"


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
    if edits.name is not None:
        return edits.name.company
    return (amazon.delivery_address and amazon.delivery_address.company_name) or amazon.buyer_company_name or ""


def _billing(
    amazon: AmazonOrder, edits: Edits, settings: Settings, delivery: Address | None
) -> tuple[str | None, Address | None, BillingSource]:
    """Amazon's API has no billing address. The buyer's tax registration comes nearest; then the setting decides."""
    name = amazon.tax_name or amazon.buyer_name or amazon.recipient_name
    if edits.billing_address is not None:
        return name, edits.billing_address, "edited"
    if amazon.tax_address is not None and amazon.tax_address.has_street:
        return name, amazon.tax_address, "amazonTax"
    if delivery is not None and _may_copy(amazon, settings):
        return name, delivery, "copiedFromDelivery"
    return name, None, "none"


def _may_copy(amazon: AmazonOrder, settings: Settings) -> bool:
    if settings.billing_address == "copyIfSameName":
        buyer, recipient = amazon.buyer_name, amazon.recipient_name
        return buyer is not None and recipient is not None and buyer.casefold() == recipient.casefold()
    return settings.billing_address == "copyDelivery"

"""What an order lacks, judged on what people see. Every missing field is listed, never only the first."""

import re
from collections.abc import Callable
from typing import Literal

from needs_attention.orders.addresses import missing_parts
from needs_attention.orders.names import PersonName, split_name
from needs_attention.orders.order import Address, AmazonOrder, Edits, LineItem, Missing, Unit, units_changed_at_amazon
from needs_attention.orders.settings import Settings
from needs_attention.values.model import Value
from needs_attention.values.text import is_blank

# Enough to tell an address from a remark; whether it is deliverable only the mail server knows.
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


# Where what is seen came from.
NameSource = Literal["recipient", "buyer", "edited", "none"]
AmazonsOrEdited = Literal["amazon", "edited"]
BillingSource = Literal["amazonTax", "copiedFromDelivery", "edited", "none"]


class Seen(Value):
    """An order as people see it: edits over Amazon's data, and where each part came from."""

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
    """What anyone sees of the order: each unit is the person's if there is an edit, else Amazon's."""
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


def find_missing(amazon: AmazonOrder, edits: Edits, settings: Settings) -> tuple[Missing, ...]:
    """Everything that keeps the order from leaving, in the order of the table in which it is checked.

    A field that an editor confirmed to be not to be had counts as filled. An order that Amazon fulfils is checked for
    line items alone: Amazon gives no buyer data for it, and it never leaves from here.
    """
    view = seen(amazon, edits, settings)
    rules = {"lineItems": RULES["lineItems"]} if amazon.is_fulfilled_by_amazon else RULES
    found = [rule(view, amazon, settings) for rule in rules.values()]
    missing = [item for item in found if item and item.field not in edits.confirmed]
    listed = {item.field for item in missing}
    changed = units_changed_at_amazon(edits, amazon)
    missing += [
        Missing(field=field, reason="changedAtAmazon")
        for unit in changed
        for field in FIELDS_OF_UNIT[unit]
        if field in rules and field not in listed
    ]
    return tuple(missing)


FIELDS_OF_UNIT: dict[Unit, tuple[str, ...]] = {
    "name": ("firstName", "lastName"),
    "email": ("email",),
    "delivery_address": ("deliveryAddress",),
    "billing_address": ("billingAddress",),
    "line_items": ("lineItems",),
}


# The checks -----------------------------------------------------------------------------------------------------------

Rule = Callable[[Seen, AmazonOrder, Settings], Missing | None]


def _first_name(view: Seen, _: AmazonOrder, settings: Settings) -> Missing | None:
    return _name_part("firstName", view.first_name, view, settings)


def _last_name(view: Seen, _: AmazonOrder, settings: Settings) -> Missing | None:
    return _name_part("lastName", view.last_name, view, settings)


def _name_part(field: str, part: str, view: Seen, settings: Settings) -> Missing | None:
    if not settings.checks.names or not is_blank(part) or view.name_kind == "company":
        return None
    if view.name_kind == "blank":
        return Missing(field=field, reason="blank")
    # One word stands where two are asked for: what that means depends on the script, and on the setting.
    accepted_kinds = {
        "byScript": {"unspacedScript"},
        "hold": set[str](),
        "accept": {"unspacedScript", "singleWord"},
    }[settings.single_word_names]
    return None if view.name_kind in accepted_kinds else Missing(field=field, reason="singleWord")


def _email(view: Seen, _: AmazonOrder, settings: Settings) -> Missing | None:
    if not settings.checks.email:
        return None
    if view.email is None or is_blank(view.email):
        return Missing(field="email", reason="blank")
    return None if EMAIL.fullmatch(view.email) else Missing(field="email", reason="notAnAddress")


def _delivery_address(view: Seen, _: AmazonOrder, settings: Settings) -> Missing | None:
    return _address("deliveryAddress", view.delivery_address) if settings.checks.delivery_address else None


def _billing_address(view: Seen, _: AmazonOrder, settings: Settings) -> Missing | None:
    if not settings.checks.billing_address:
        return None
    if view.billing_address is None and settings.billing_address == "copyIfSameName" and view.delivery_address:
        return Missing(field="billingAddress", reason="buyerIsNotRecipient")
    return _address("billingAddress", view.billing_address)


def _line_items(view: Seen, _: AmazonOrder, settings: Settings) -> Missing | None:
    if not settings.checks.line_items:
        return None
    if not view.line_items:
        return Missing(field="lineItems", reason="blank")
    # One line that nobody can pick is enough: without it the parcel would go out short.
    return (
        None if all(line.can_be_picked for line in view.line_items) else Missing(field="lineItems", reason="noProduct")
    )


def _buyer_requested_cancel(_: Seen, amazon: AmazonOrder, settings: Settings) -> Missing | None:
    if settings.checks.buyer_requested_cancel and amazon.cancel_requested_by_buyer:
        return Missing(field="buyerRequestedCancel", reason="asked")
    return None


RULES: dict[str, Rule] = {
    "firstName": _first_name,
    "lastName": _last_name,
    "email": _email,
    "deliveryAddress": _delivery_address,
    "billingAddress": _billing_address,
    "lineItems": _line_items,
    "buyerRequestedCancel": _buyer_requested_cancel,
}


def _address(field: str, address: Address | None) -> Missing | None:
    if address is None:
        return Missing(field=field, reason="blank")
    parts = missing_parts(address)
    if not parts:
        return None
    if not address.given_parts():
        return Missing(field=field, reason="blank")
    return Missing(field=field, reason="incomplete", parts=parts)


# What is seen ---------------------------------------------------------------------------------------------------------


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
    """A name from two boxes: only when one of them was left blank does its script matter."""
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
    """Amazon's API has no billing address: the buyer's tax registration is the nearest, then what the setting says."""
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

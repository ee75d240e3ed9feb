"""What an order lacks, judged on what people see. Every missing field is listed, never only the first."""

import re
from collections.abc import Callable

from needs_attention.orders.addresses import missing_parts
from needs_attention.orders.amazon_order import Address, AmazonOrder
from needs_attention.orders.edits import Edits, Unit, units_changed_at_amazon
from needs_attention.orders.effective import Seen, seen
from needs_attention.orders.order import Missing
from needs_attention.orders.settings import Settings
from needs_attention.values.text import is_blank

# Enough to tell an address from a remark; whether it is deliverable only the mail server knows.
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


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

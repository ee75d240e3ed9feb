"""The checks for missing data: one row and one function for each field that an order must have to leave.

To add a check, write its row and its function here, and its switch in `settings.Checks`.
"""

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

from needs_attention.orders.amazon_order import WHOLE_ORDER, Address, AmazonOrder
from needs_attention.orders.edits import BUYER_REQUESTED_CANCEL, FULFILLMENT_UNKNOWN, Edits, Unit
from needs_attention.orders.effective import Seen
from needs_attention.orders.settings import Checks, Settings
from needs_attention.values.text import is_blank

Finding = Literal[
    "blank",
    "incomplete",
    "singleWord",
    "notAnAddress",
    "buyerIsNotRecipient",
    "noProduct",
    "asked",
    "unknownStatus",
    "cameBack",
]

# The number of the rules. Raise it when a rule asks for more than before: an order that was let go stays so, until
# Amazon changes the unit in question (see `earlier_release`).
RULES = 2

# Enough to tell an address from a remark. Only the mail server knows whether it is deliverable.
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


class Gap(NamedTuple):
    """Why a field counts as missing and, in an address, which parts of it are."""

    reason: Finding
    parts: tuple[str, ...] = ()


class Check(NamedTuple):
    """One check. `field` is the name of the missing field in the API, `words` its name for people.

    `switch` names the setting in `Checks` that turns the check on; several checks may share one, and a check without
    one is always on. `unit` is the edit
    that supplies the field. `may_be_confirmed`: a person may say that the field is unavailable. If a confirmation
    answers something that Amazon may say again, `is_answered` tells whether it answers what Amazon says now.

    `amazon_sends_it`: Amazon sends the field for nearly every order. Then it is worth asking Amazon again, and if most
    orders of a marketplace lack it, the connection is at fault. Leave it out for a field that ordinary orders lack.
    `comes_with_shipping_role`: Amazon sends it only to applications that have the Direct-to-Consumer Shipping role.
    """

    field: str
    switch: str | None
    find: Callable[[Seen, AmazonOrder, Settings], Gap | None]
    words: str
    unit: Unit | None = None
    may_be_confirmed: bool = False
    is_answered: Callable[[AmazonOrder, Edits], bool] = lambda _, __: True
    amazon_sends_it: bool = False
    comes_with_shipping_role: bool = False

    def is_on(self, checks: Checks) -> bool:
        return self.switch is None or bool(getattr(checks, self.switch))

    def is_confirmed(self, amazon: AmazonOrder, edits: Edits) -> bool:
        """Whether a person confirmed the field as unavailable, on what Amazon says now."""
        return self.field in edits.confirmed and self.is_answered(amazon, edits)

    @property
    def applies_to_orders_of_amazon(self) -> bool:
        """Whether orders that Amazon fulfils are checked too: Amazon gives no buyer data for those."""
        return self.unit == "line_items"


def _first_name(view: Seen, _: AmazonOrder, settings: Settings) -> Gap | None:
    return None if view.has_whole_name else _name_part(view.first_name, view, settings)


def _last_name(view: Seen, _: AmazonOrder, settings: Settings) -> Gap | None:
    return None if view.has_whole_name else _name_part(view.last_name, view, settings)


def _name_part(part: str, view: Seen, settings: Settings) -> Gap | None:
    if not is_blank(part):
        return None
    if view.name_kind == "blank":
        return Gap("blank")
    # The name is one word, and the order needs two. The script and the setting decide whether one will do.
    accepted_kinds = {
        "byScript": {"unspacedScript"},
        "hold": set[str](),
        "accept": {"unspacedScript", "singleWord"},
    }[settings.single_word_names]
    return None if view.name_kind in accepted_kinds else Gap("singleWord")


def _email(view: Seen, _: AmazonOrder, __: Settings) -> Gap | None:
    if view.email is None or is_blank(view.email):
        return Gap("blank")
    return None if EMAIL.fullmatch(view.email) else Gap("notAnAddress")


def _delivery_address(view: Seen, _: AmazonOrder, __: Settings) -> Gap | None:
    return _address(view.delivery_address, view.delivery_lacks)


def _billing_address(view: Seen, _: AmazonOrder, settings: Settings) -> Gap | None:
    if view.billing_address is None and settings.billing_address == "copyIfSameName" and view.delivery_address:
        return Gap("buyerIsNotRecipient")
    return _address(view.billing_address, view.billing_lacks)


def _address(address: Address | None, lacks: tuple[str, ...]) -> Gap | None:
    if address is None or (lacks and not address.given_parts()):
        return Gap("blank")
    return Gap("incomplete", lacks) if lacks else None


def _line_items(view: Seen, amazon: AmazonOrder, __: Settings) -> Gap | None:
    is_amazons = amazon.is_fulfilled_by_amazon
    numbers = [(line, line.quantity if is_amazons else left) for line, left in view.left_to_send]
    to_pick = [(line, number) for line, number in numbers if number != 0]
    if not to_pick:
        return Gap("blank")
    # One line that nobody can pick is enough: the parcel would go out short.
    can_be_picked = all(line.names_a_product and number is not None for line, number in to_pick)
    return None if can_be_picked else Gap("noProduct")


def _buyer_requested_cancel(_: Seen, amazon: AmazonOrder, __: Settings) -> Gap | None:
    return Gap("asked") if amazon.cancel_requests else None


def _is_answered(amazon: AmazonOrder, edits: Edits) -> bool:
    answered = edits.answered_requests or ()
    return amazon.cancel_requests <= set(answered) or WHOLE_ORDER in answered


def _fulfillment_unknown(_: Seen, amazon: AmazonOrder, __: Settings) -> Gap | None:
    if not amazon.doubt:
        return None
    return Gap("cameBack") if amazon.came_back_from else Gap("unknownStatus")


def _is_confirmed_as_ours(amazon: AmazonOrder, edits: Edits) -> bool:
    return edits.confirmed_doubt == amazon.doubts


# Missing fields are listed in this order. Seller Central shows no more than the API, so a person may confirm a name or
# an email as unavailable; an order without an address or lines cannot be sent.
CHECKS = (
    Check("firstName", "names", _first_name, "first name", "name", may_be_confirmed=True, amazon_sends_it=True),
    Check("lastName", "names", _last_name, "last name", "name", may_be_confirmed=True, amazon_sends_it=True),
    Check(
        "email",
        "email",
        _email,
        "email address",
        "email",
        may_be_confirmed=True,
        amazon_sends_it=True,
        comes_with_shipping_role=True,
    ),
    Check(
        "deliveryAddress",
        "delivery_address",
        _delivery_address,
        "delivery address",
        "delivery_address",
        amazon_sends_it=True,
        comes_with_shipping_role=True,
    ),
    Check(
        "billingAddress",
        "billing_address",
        _billing_address,
        "billing address",
        "billing_address",
        amazon_sends_it=True,
    ),
    Check("lineItems", "line_items", _line_items, "line items", "line_items", amazon_sends_it=True),
    Check(
        BUYER_REQUESTED_CANCEL,
        "buyer_requested_cancel",
        _buyer_requested_cancel,
        "request to cancel",
        may_be_confirmed=True,
        is_answered=_is_answered,
    ),
    Check(
        FULFILLMENT_UNKNOWN,
        None,
        _fulfillment_unknown,
        "fulfillment status",
        may_be_confirmed=True,
        is_answered=_is_confirmed_as_ours,
        amazon_sends_it=True,
    ),
)
CHECK_OF = {check.field: check for check in CHECKS}
# The missing fields that a person may confirm as unavailable.
CONFIRMABLE = tuple(check.field for check in CHECKS if check.may_be_confirmed)

"""The rows of the checks, each in words of its own, and the effects of a row."""

from typing import Any

import pytest

from needs_attention.integrations.arrivals import Arrivals, vanished_fields
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.orders import checks, completeness
from needs_attention.orders.checks import CHECK_OF, CHECKS, Check, Gap
from needs_attention.orders.edits import UNITS
from needs_attention.orders.order import Order
from needs_attention.orders.settings import Checks, Settings
from needs_attention.orders.verdict import judged
from tools.builders import NOON, an_amazon_order, an_order

# By field: its switch, the edit that supplies it, and its name for people.
ROWS = {
    "firstName": ("names", "name", "first name"),
    "lastName": ("names", "name", "last name"),
    "email": ("email", "email", "email address"),
    "deliveryAddress": ("delivery_address", "delivery_address", "delivery address"),
    "billingAddress": ("billing_address", "billing_address", "billing address"),
    "lineItems": ("line_items", "line_items", "line items"),
    "buyerRequestedCancel": ("buyer_requested_cancel", None, "request to cancel"),
    "fulfillmentUnknown": (None, None, "fulfillment status"),
}


def test_every_check_is_tested_in_the_order_of_the_table() -> None:
    assert list(ROWS) == list(CHECK_OF) == [check.field for check in CHECKS]


@pytest.mark.parametrize("field", ROWS)
def test_a_check_names_its_switch_its_unit_and_its_words(field: str) -> None:
    check = CHECK_OF[field]

    assert (check.switch, check.unit, check.words) == ROWS[field]


def test_every_switch_turns_a_check_on_and_only_the_doubt_has_none() -> None:
    assert {check.switch for check in CHECKS} == {*Checks.model_fields, None}
    assert [check.field for check in CHECKS if check.switch is None] == ["fulfillmentUnknown"]


def test_no_setting_lets_an_order_of_unknown_status_go() -> None:
    nothing_is_checked = Settings(checks=Checks(**dict.fromkeys(Checks.model_fields, False)))
    order = judged(an_order(an_amazon_order(fulfillment_status=None)), nothing_is_checked, NOON)

    assert [item.field for item in order.missing] == ["fulfillmentUnknown"]
    assert order.hold is not None


def test_every_unit_supplies_a_field_in_the_order_of_the_table() -> None:
    assert tuple(dict.fromkeys(check.unit for check in CHECKS if check.unit)) == UNITS


@pytest.mark.parametrize(
    ("column", "fields"),
    [
        ("may_be_confirmed", ["firstName", "lastName", "email", "buyerRequestedCancel", "fulfillmentUnknown"]),
        (
            "amazon_sends_it",
            [field for field in ROWS if field != "buyerRequestedCancel"],
        ),
        ("comes_with_shipping_role", ["email", "deliveryAddress"]),
        ("applies_to_orders_of_amazon", ["lineItems"]),
    ],
)
def test_each_property_holds_for_these_checks_alone(column: str, fields: list[str]) -> None:
    assert [check.field for check in CHECKS if getattr(check, column)] == fields


def with_a_check_of_phones(monkeypatch: pytest.MonkeyPatch, **columns: Any) -> None:
    """A check of a field that our orders lack."""
    check = Check("phone", "delivery_address", lambda *_: Gap("blank"), "phone", **columns)
    monkeypatch.setattr(completeness, "CHECKS", (*CHECKS, check))
    monkeypatch.setitem(checks.CHECK_OF, "phone", check)


def after_ten_orders() -> tuple[Order, dict[str, tuple[str, ...]]]:
    """One of ten orders as it is judged, and the fields that have vanished by then."""
    orders = [an_amazon_order(order_id=f"701-{number:07}-0000000") for number in range(10)]
    arrivals = Arrivals().with_orders(orders, IntegrationSettings(), NOON)
    return judged(an_order(orders[0]), Settings(), NOON), vanished_fields(arrivals, {}, {})


def test_a_field_amazon_never_sends_holds_orders_without_blaming_the_roles(monkeypatch: pytest.MonkeyPatch) -> None:
    with_a_check_of_phones(monkeypatch)

    order, vanished = after_ten_orders()
    assert [item.field for item in order.missing] == ["phone"]
    assert order.redownload_at is None
    assert vanished == {}


def test_a_field_that_amazon_sends_is_asked_for_again_and_seen_to_vanish(monkeypatch: pytest.MonkeyPatch) -> None:
    with_a_check_of_phones(monkeypatch, amazon_sends_it=True)

    order, vanished = after_ten_orders()
    assert order.redownload_at is not None
    assert vanished == {"ATVPDKIKX0DER": ("phone",)}

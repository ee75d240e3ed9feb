"""People's edits over Amazon's data, and which changes of Amazon's count under them."""

from typing import Any

import pytest

from needs_attention.amazon.order_json import read_order
from needs_attention.orders.amazon_order import Address
from needs_attention.orders.edits import Edits, amazons_units, units_changed_at_amazon
from tools.builders import a_line, a_raw_order, a_typed_name, an_address, an_amazon_order, edited

KNOWN = read_order(a_raw_order())


def test_an_edit_remembers_what_amazon_said_of_its_unit_alone() -> None:
    amazon = an_amazon_order()
    edits = Edits().edited("email", "typed@example.com", amazon)

    assert edits.email == "typed@example.com"
    assert edits.amazon_then.email == amazon.buyer_email
    assert edits.amazon_then.name is None
    assert edits.is_edited("email")
    assert not edits.is_edited("name")


def test_an_edit_taken_back_is_no_edit() -> None:
    edits = edited(an_amazon_order(), email="typed@example.com").edited("email", None, an_amazon_order())

    assert edits.email is None
    assert not edits.is_edited("email")


def test_a_blank_edit_is_an_edit() -> None:
    assert edited(an_amazon_order(), email="", line_items=()).is_edited("email")
    assert edited(an_amazon_order(), email="", line_items=()).is_edited("line_items")


def test_amazons_units_are_those_that_people_edit() -> None:
    units = amazons_units(KNOWN)

    assert units.name == "Ada Quill"
    assert units.email == KNOWN.buyer_email
    assert units.delivery_address == KNOWN.delivery_address
    assert units.billing_address == KNOWN.tax_address
    assert units.line_items == KNOWN.line_items


AN_EDIT: dict[str, Any] = {
    "name": a_typed_name(),
    "email": "typed@example.com",
    "delivery_address": an_address(line1="1 Typed Street"),
    "billing_address": an_address(line1="1 Typed Street"),
    "line_items": (a_line(seller_sku="TYPED"),),
}


TWO_LINES = (a_line(), a_line(order_item_id="90002", seller_sku="SHADE-1", quantity=1))


@pytest.mark.parametrize(
    ("unit", "then", "now"),
    [
        ("name", {"recipient_name": "Ada Quill"}, {"recipient_name": "Bo Quill"}),
        ("email", {"buyer_email": "a@example.com"}, {"buyer_email": "b@example.com"}),
        ("delivery_address", {}, {"delivery_address": an_address(line1="5 Mill Road")}),
        ("delivery_address", {}, {"delivery_address": an_address(postal_code="97210")}),
        ("billing_address", {"tax_address": an_address()}, {"tax_address": an_address(city="Salem")}),
        ("line_items", {"line_items": TWO_LINES}, {"line_items": TWO_LINES[:1]}),
        ("line_items", {"line_items": TWO_LINES}, {"line_items": ()}),
        ("line_items", {"line_items": TWO_LINES}, {"line_items": (TWO_LINES[0], a_line(order_item_id="3"))}),
        ("line_items", {}, {"line_items": TWO_LINES}),
        ("line_items", {}, {"line_items": (a_line(quantity=1),)}),
        ("line_items", {}, {"line_items": (a_line(quantity=0),)}),
        ("line_items", {}, {"line_items": (a_line(seller_sku="LAMP-2"),)}),
        ("line_items", {"line_items": (a_line(seller_sku=None),)}, {"line_items": (a_line(quantity=1),)}),
    ],
)
def test_a_new_value_of_amazons_for_an_edited_unit_is_a_change(
    unit: str, then: dict[str, Any], now: dict[str, Any]
) -> None:
    edits = edited(an_amazon_order(**then), **{unit: AN_EDIT[unit]})

    assert units_changed_at_amazon(edits, an_amazon_order(**now)) == (unit,)


@pytest.mark.parametrize(
    ("unit", "then", "now"),
    [
        ("name", {"recipient_name": None, "buyer_name": None}, {"recipient_name": "Ada Quill"}),
        ("name", {"recipient_name": None, "buyer_name": "Bo Ortiz", "is_gift": True}, {"is_gift": True}),
        ("email", {"buyer_email": None}, {"buyer_email": "b@example.com"}),
        ("delivery_address", {"delivery_address": None}, {}),
        ("delivery_address", {"delivery_address": Address(city="Portland", country_code="US")}, {}),
        ("billing_address", {"tax_address": None}, {"tax_address": an_address()}),
        ("line_items", {"line_items": None}, {}),
        ("line_items", {"line_items": ()}, {}),
        ("line_items", {"line_items": (a_line(quantity=0),)}, {}),
        ("line_items", {"line_items": (a_line(seller_sku=None, asin=None),)}, {}),
        ("line_items", {"line_items": (a_line(seller_sku=None),)}, {}),
    ],
)
def test_amazon_filling_a_gap_under_an_edit_is_no_change(unit: str, then: dict[str, Any], now: dict[str, Any]) -> None:
    edits = edited(an_amazon_order(**then), **{unit: AN_EDIT[unit]})

    assert units_changed_at_amazon(edits, an_amazon_order(**now)) == ()


@pytest.mark.parametrize(
    ("unit", "now"),
    [
        ("name", {"recipient_name": None, "buyer_name": None}),
        ("email", {"buyer_email": None}),
        ("delivery_address", {"delivery_address": None}),
        ("delivery_address", {"delivery_address": Address(country_code="US")}),
        ("billing_address", {"tax_address": None}),
        ("line_items", {"line_items": None}),
    ],
)
def test_amazon_falling_silent_under_an_edit_is_no_change(unit: str, now: dict[str, Any]) -> None:
    edits = edited(an_amazon_order(tax_address=an_address()), **{unit: AN_EDIT[unit]})

    assert units_changed_at_amazon(edits, an_amazon_order(**now)) == ()


@pytest.mark.parametrize(
    ("unit", "blank", "now"),
    [
        ("name", a_typed_name("", ""), {"recipient_name": "Bo Quill"}),
        ("email", "", {"buyer_email": "b@example.com"}),
    ],
)
def test_a_new_value_of_amazons_for_a_blanked_unit_is_a_change_too(unit: str, blank: Any, now: dict[str, Any]) -> None:
    edits = edited(an_amazon_order(), **{unit: blank})

    assert units_changed_at_amazon(edits, an_amazon_order(**now)) == (unit,)


@pytest.mark.parametrize("same", [{"title": "Desk lamp, new title"}, {"quantity_fulfilled": 1}])
def test_a_line_changes_by_what_has_to_be_picked_alone(same: dict[str, Any]) -> None:
    edits = edited(an_amazon_order(), line_items=AN_EDIT["line_items"])

    assert units_changed_at_amazon(edits, an_amazon_order(line_items=(a_line(**same),))) == ()


def test_the_order_of_the_lines_does_not_matter() -> None:
    edits = edited(an_amazon_order(line_items=TWO_LINES), line_items=AN_EDIT["line_items"])

    assert units_changed_at_amazon(edits, an_amazon_order(line_items=TWO_LINES[::-1])) == ()


def test_a_unit_that_nobody_edited_cannot_change_under_an_edit() -> None:
    edits = edited(an_amazon_order(), email="typed@example.com")

    assert units_changed_at_amazon(edits, an_amazon_order(recipient_name="Bo Quill", line_items=())) == ()


def test_every_edited_unit_that_changed_is_told() -> None:
    edits = edited(an_amazon_order(), **AN_EDIT)
    now = an_amazon_order(recipient_name="Bo Quill", buyer_email="b@example.com", line_items=())

    assert units_changed_at_amazon(edits, now) == ("name", "email", "line_items")


def test_amazon_coming_round_to_what_was_typed_is_no_change() -> None:
    before = an_amazon_order(delivery_address=an_address(line1="1 Old Road"), recipient_name="Ada Quil")
    typed = edited(before, delivery_address=an_address(line1="2 New Road"), name=a_typed_name("Ada", "Quill"))
    after = an_amazon_order(delivery_address=an_address(line1="2 New Road"), recipient_name="Ada  Quill")

    assert units_changed_at_amazon(typed, after) == ()


def test_amazon_changing_its_mind_to_something_else_is_a_change() -> None:
    before = an_amazon_order(delivery_address=an_address(line1="1 Old Road"), recipient_name="Ada Quil")
    typed = edited(before, delivery_address=an_address(line1="2 New Road"), name=a_typed_name("Ada", "Quill"))
    after = an_amazon_order(delivery_address=an_address(line1="3 Third Road"), recipient_name="Bea Quill")

    assert units_changed_at_amazon(typed, after) == ("name", "delivery_address")


def test_another_phone_number_is_no_other_address() -> None:
    before = an_amazon_order(delivery_address=an_address(phone="+1 503 555 0100"))
    typed = edited(before, delivery_address=an_address(line1="2 New Road"))
    after = an_amazon_order(delivery_address=an_address(phone="+1 503 555 0199"))

    assert units_changed_at_amazon(typed, after) == ()

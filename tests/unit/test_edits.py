"""People's edits over Amazon's data, part by part, and where Amazon says something else than was typed."""

from typing import Any

import pytest

from needs_attention.orders.amazon_order import Address, AmazonOrder
from needs_attention.orders.edits import (
    UNITS,
    Edits,
    PersonsName,
    laid_over,
    news_for,
    places_typed,
    said_by,
    typed_against,
    unit_of,
    units_typed_otherwise,
    unsettled,
)
from tools.builders import a_line, a_typed_name, an_address, an_amazon_order, edited

TWO_LINES = (a_line(), a_line(order_item_id="90002", seller_sku="SHADE-1", quantity=1))


def with_delivery(**parts: str | None) -> AmazonOrder:
    return an_amazon_order(delivery_address=an_address(**parts))


# What is typed --------------------------------------------------------------------------------------------------------


def test_an_edit_is_of_its_unit_alone() -> None:
    edits = edited(an_amazon_order(), email="typed@example.com")

    assert edits.email == "typed@example.com"
    assert [unit for unit in UNITS if edits.is_edited(unit)] == ["email"]


def test_a_part_typed_later_joins_those_typed_before() -> None:
    amazon = an_amazon_order()
    edits = edited(amazon, delivery_address={"line1": "1 Typed Street"}, name={"first_name": "Bo"})
    edits = edits.with_typed("delivery_address", {"city": "Salem"}, amazon).with_typed("name", {"company": "Q"}, amazon)

    assert edits.delivery_address == Address(line1="1 Typed Street", city="Salem")
    assert edits.name == PersonsName(first_name="Bo", company="Q")


def test_none_returns_a_part_to_amazon_and_leaves_the_others_typed() -> None:
    amazon = an_amazon_order()
    edits = edited(amazon, delivery_address={"line1": "1 Typed Street", "city": "Salem"})

    assert edits.with_typed("delivery_address", {"city": None}, amazon).delivery_address == Address(
        line1="1 Typed Street"
    )


def test_a_unit_whose_last_part_returns_to_amazon_is_not_edited() -> None:
    amazon = an_amazon_order()
    edits = edited(amazon, name={"first_name": "Bo"}).with_typed("name", {"first_name": None}, amazon)

    assert edits == Edits()


@pytest.mark.parametrize(
    ("unit", "typed"),
    [
        ("name", a_typed_name()),
        ("email", "typed@example.com"),
        ("delivery_address", {"city": "Salem"}),
        ("billing_address", {"city": "Salem"}),
        ("line_items", (a_line(),)),
    ],
)
def test_none_returns_a_whole_unit_with_all_that_was_settled(unit: Any, typed: Any) -> None:
    assert edited(an_amazon_order(), **{unit: typed}).with_typed(unit, None, an_amazon_order()) == Edits()


@pytest.mark.parametrize(
    ("unit", "blank"),
    [("email", ""), ("line_items", ()), ("name", {"last_name": ""}), ("delivery_address", {"city": ""})],
)
def test_a_blank_edit_is_an_edit(unit: Any, blank: Any) -> None:
    assert edited(an_amazon_order(), **{unit: blank}).is_edited(unit)


# Places ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "typed", "places"),
    [
        ("name", PersonsName(first_name="Bo"), {"name"}),
        ("name", PersonsName(last_name=""), {"name"}),
        ("name", PersonsName(company="Q"), {"company"}),
        ("name", a_typed_name("Bo", "Q", "C"), {"name", "company"}),
        ("email", "", {"email"}),
        ("line_items", (), {"lineItems"}),
        ("delivery_address", Address(line2="Apt 3"), {"deliveryAddress.addressLine1"}),
        ("delivery_address", Address(line1="a", line3="b"), {"deliveryAddress.addressLine1"}),
        ("billing_address", Address(street_number="12"), {"billingAddress.streetName"}),
        ("billing_address", Address(city="", country_code="US"), {"billingAddress.city", "billingAddress.countryCode"}),
        ("delivery_address", Address(phone="+1 503 555 0100", address_type="COMMERCIAL"), set()),
        ("email", None, set()),
    ],
)
def test_typed_parts_are_compared_in_these_places(unit: Any, typed: object, places: set[str]) -> None:
    assert places_typed(unit, typed) == places
    assert {unit_of(place) for place in places} <= {unit}


def test_amazon_says_something_or_nothing_of_every_place() -> None:
    amazon = an_amazon_order(
        delivery_address=an_address(company_name="Quill Works"), buyer_email=None, tax_address=Address(city="Salem")
    )
    said = said_by(amazon)

    assert (said["name"], said["company"], said["email"]) == ("ada quill", "quill works", "")
    assert (said["deliveryAddress.city"], said["lineItems"]) == ("portland", "2 x LAMP-1 B0EXAMPLE1")
    assert "billingAddress.city" not in said  # a tax address without a street is no billing address


def test_the_buyers_company_stands_in_for_that_at_the_address() -> None:
    assert said_by(an_amazon_order(buyer_company_name="Ortiz Lamps"))["company"] == "ortiz lamps"


# Differences ----------------------------------------------------------------------------------------------------------

A_GAP: list[tuple[str, Any, dict[str, Any], dict[str, Any], str]] = [
    # the unit, what is typed, Amazon's gap of then, Amazon's other value of now, the place
    ("name", a_typed_name(), {"recipient_name": None, "buyer_name": None}, {"recipient_name": "Bo Ortiz"}, "name"),
    ("email", "typed@example.com", {"buyer_email": None}, {"buyer_email": "bo@example.com"}, "email"),
    (
        "delivery_address",
        {"line1": "1 Typed Street"},
        {"delivery_address": an_address(line1=None)},
        {"delivery_address": an_address()},
        "deliveryAddress.addressLine1",
    ),
    (
        "delivery_address",
        {"postal_code": "97210"},
        {"delivery_address": an_address(postal_code=None)},
        {"delivery_address": an_address()},
        "deliveryAddress.postalCode",
    ),
    (
        "billing_address",
        {"city": "Salem"},
        {"tax_address": None},
        {"tax_address": an_address()},
        "billingAddress.city",
    ),
    ("line_items", (a_line(seller_sku="TYPED"),), {"line_items": None}, {}, "lineItems"),
    ("line_items", (a_line(seller_sku="TYPED"),), {"line_items": ()}, {}, "lineItems"),
]


@pytest.mark.parametrize(("unit", "typed", "then", "now", "place"), A_GAP)
def test_amazon_filling_a_typed_gap_otherwise_is_a_difference(
    unit: str, typed: Any, then: dict[str, Any], now: dict[str, Any], place: str
) -> None:
    edits = edited(an_amazon_order(**then), **{unit: typed})

    assert unsettled(edits, an_amazon_order(**then)) == ()
    assert unsettled(edits, an_amazon_order(**now)) == (place,)


@pytest.mark.parametrize(("unit", "typed", "then", "now", "place"), A_GAP)
def test_typing_once_more_settles_the_value_of_now_and_no_other(
    unit: Any, typed: Any, then: dict[str, Any], now: dict[str, Any], place: str
) -> None:
    edits = edited(an_amazon_order(**then), **{unit: typed})
    settled = edits.with_typed(unit, typed, an_amazon_order(**now))

    assert getattr(settled, unit) == getattr(edits, unit)
    assert unsettled(settled, an_amazon_order(**now)) == ()
    assert place in typed_against(settled, an_amazon_order(**now))


@pytest.mark.parametrize(
    ("typed", "now"),
    [
        ({"email": "Typed@Example.com"}, {"buyer_email": "typed@example.com"}),
        ({"name": a_typed_name("Zoë", "O'Neil")}, {"recipient_name": "ZOE ONEIL"}),
        ({"name": {"first_name": "Ada"}}, {"recipient_name": "Ada Maria Quill"}),
        ({"name": {"last_name": "Quill"}}, {"recipient_name": "Ada Maria Quill"}),
        ({"name": {"company": "Quill Works"}}, {"buyer_company_name": "QUILL WORKS"}),
        ({"delivery_address": {"postal_code": "97209-1234"}}, {"delivery_address": an_address()}),
        ({"delivery_address": {"state_or_region": "Oregon"}}, {"delivery_address": an_address()}),
        (
            {"delivery_address": {"line1": "Apt 3, 12 Harbor Street"}},
            {"delivery_address": an_address(line1="Apt 3", line2="12 Harbor Street")},
        ),
        ({"line_items": TWO_LINES[::-1]}, {"line_items": TWO_LINES}),
    ],
    ids=str,
)
def test_amazon_filling_a_gap_as_typed_is_no_difference(typed: dict[str, Any], now: dict[str, Any]) -> None:
    nothing = dict.fromkeys(("buyer_name", "buyer_email", "recipient_name", "delivery_address", "line_items"))
    edits = edited(an_amazon_order(**nothing), **typed)

    assert unsettled(edits, an_amazon_order(**now)) == ()
    assert units_typed_otherwise(edits, an_amazon_order(**nothing)) == set(typed)
    assert units_typed_otherwise(edits, an_amazon_order(**now)) == set()


def test_a_company_that_amazon_sends_as_the_recipient_is_no_difference() -> None:
    edits = edited(an_amazon_order(recipient_name=None), name=a_typed_name("", "", "Quill Works"))

    assert unsettled(edits, an_amazon_order(recipient_name="QUILL WORKS")) == ()


def test_a_typed_name_says_nothing_of_a_city_of_that_name() -> None:
    nowhere = an_amazon_order(delivery_address=None)
    edits = edited(nowhere, name={"first_name": "Salem"}, delivery_address=an_address(city="Portland"))

    now = an_amazon_order(delivery_address=an_address(city="Salem Heights"))
    assert "deliveryAddress.city" in unsettled(edits, now)


@pytest.mark.parametrize("part", [{"first_name": "Ann"}, {"last_name": "ill"}, {"last_name": ""}], ids=str)
def test_a_part_of_a_word_is_no_part_of_a_name(part: dict[str, str]) -> None:
    edits = edited(an_amazon_order(recipient_name=None, buyer_name=None), name=part)

    assert unsettled(edits, an_amazon_order(recipient_name="Anna Quill")) == ("name",)


@pytest.mark.parametrize(
    "silent",
    [
        {"recipient_name": None, "buyer_name": None},
        {"buyer_email": None},
        {"delivery_address": None},
        {"delivery_address": Address(country_code="US")},
        {"tax_address": None},
        {"line_items": None},
    ],
    ids=str,
)
def test_amazon_falling_silent_is_no_difference(silent: dict[str, Any]) -> None:
    edits = edited(
        an_amazon_order(tax_address=an_address()),
        name=a_typed_name("Bo"),
        email="typed@example.com",
        delivery_address={"line1": "1 Typed Street"},
        billing_address={"city": "Salem"},
        line_items=(a_line(seller_sku="TYPED"),),
    )

    assert unsettled(edits, an_amazon_order(tax_address=an_address()).model_copy(update=silent)) == ()


def test_a_lost_line_differs_from_the_typed_lines_down_to_the_last() -> None:
    edits = edited(an_amazon_order(line_items=TWO_LINES), line_items=TWO_LINES)

    for lines in (TWO_LINES[:1], (), (a_line(is_cancelled=True),)):
        assert unsettled(edits, an_amazon_order(line_items=lines)) == ("lineItems",)


def test_a_unit_that_nobody_typed_cannot_differ() -> None:
    edits = edited(an_amazon_order(), delivery_address={"phone": "+1 503 555 0177"})
    now = an_amazon_order(recipient_name="Bo Quill", line_items=(), delivery_address=an_address(line1="5 Mill Road"))

    assert typed_against(edits, now) == {}
    assert typed_against(Edits(), now) == {}


def test_every_place_that_differs_is_told_in_order() -> None:
    edits = edited(an_amazon_order(), email="a@example.com", name=a_typed_name(), delivery_address={"city": "Salem"})
    now = an_amazon_order(
        recipient_name="Bo Ortiz", buyer_email="b@example.com", delivery_address=an_address(city="Bend")
    )

    assert unsettled(edits, now) == ("deliveryAddress.city", "email", "name")
    assert typed_against(edits, now) == {
        "deliveryAddress.city": "bend",
        "email": "b@example.com",
        "name": "bo ortiz",
    }


def test_typing_one_part_settles_no_other() -> None:
    edits = edited(an_amazon_order(), delivery_address={"city": "Salem", "line1": "1 Typed Street"})
    now = with_delivery(city="Bend", line1="5 Mill Road")

    edits = edits.with_typed("delivery_address", {"city": "Salem"}, now)
    assert unsettled(edits, now) == ("deliveryAddress.addressLine1",)


def test_settling_a_place_leaves_the_typed_value_as_it_is() -> None:
    edits = edited(an_amazon_order(), email="typed@example.com")
    now = an_amazon_order(buyer_email="bo@example.com")
    settled = edits.settling(["email"], now)

    assert (settled.email, unsettled(settled, now)) == ("typed@example.com", ())
    assert unsettled(settled, an_amazon_order(buyer_email="third@example.com")) == ("email",)


# News -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "is_held", "known", "news"),
    [
        (None, "other", False, (), set()),
        (None, "other", True, (), {"email"}),
        (None, "typed", True, (), set()),
        ("other", "third", False, (), {"email"}),
        ("typed", "other", False, (), {"email"}),
        ("other", "other", True, (), set()),
        ("other", "other", False, ("email",), {"email"}),
        ("other", None, True, ("email",), set()),
        ("other", "typed", False, ("email",), set()),
    ],
)
def test_news_replaces_a_value_of_amazons_or_comes_while_it_is_held(
    before: str | None, after: str | None, is_held: bool, known: tuple[str, ...], news: set[str]
) -> None:
    one, two = (an_amazon_order(buyer_email=name and f"{name}@example.com") for name in (before, after))
    edits = edited(an_amazon_order(buyer_email=None), email="typed@example.com")

    assert news_for(edits, one, two, known, is_held=is_held) == news


def test_an_emptied_order_is_news_and_lines_for_an_empty_one_are_not() -> None:
    typed = (a_line(seller_sku="TYPED"),)
    full, empty = an_amazon_order(), an_amazon_order(line_items=())

    assert news_for(edited(full, line_items=typed), full, empty, (), is_held=False) == {"lineItems"}
    assert news_for(edited(empty, line_items=typed), empty, full, (), is_held=False) == set()


# Confirmations --------------------------------------------------------------------------------------------------------


def test_confirming_replaces_what_was_confirmed() -> None:
    edits = edited(an_amazon_order(), confirmed=("firstName", "email")).confirming(["email"], an_amazon_order())

    assert edits.confirmed == ("email",)


def test_a_confirmation_remembers_the_doubt_and_the_requests_it_answers() -> None:
    amazon = an_amazon_order(doubts=2, line_items=(a_line(asked_to_cancel=True), a_line(order_item_id="2")))

    edits = edited(amazon, confirmed=("fulfillmentUnknown",))
    assert (edits.confirmed_doubt, edits.answered_requests) == (2, None)
    edits = edited(amazon, confirmed=("buyerRequestedCancel",))
    assert (edits.confirmed_doubt, edits.answered_requests) == (None, ("90001",))


def test_answered_requests_stay_answered_while_they_are_confirmed() -> None:
    first = an_amazon_order(line_items=(a_line(asked_to_cancel=True),))
    second = an_amazon_order(line_items=(a_line(order_item_id="2", asked_to_cancel=True),))
    edits = edited(first, confirmed=("buyerRequestedCancel",)).confirming(["buyerRequestedCancel"], second)

    assert edits.answered_requests == ("2", "90001")
    withdrawn = edits.confirming([], second)
    assert (withdrawn.answered_requests, withdrawn.confirming([], second).answered_requests) == ((), ())


# Laid over ------------------------------------------------------------------------------------------------------------


def test_typed_parts_lie_over_amazons_address() -> None:
    assert laid_over(an_address(), Address(city="Salem", line2="Apt 3")) == an_address(city="Salem", line2="Apt 3")
    assert laid_over(an_address(), Address(city="")) == an_address(city=None)
    assert laid_over(None, Address(city="Salem")) == Address(city="Salem")
    assert laid_over(an_address(), None) == an_address()
    assert laid_over(None, None) is None


def test_a_street_sent_as_it_was_typed_keeps_amazons_lines() -> None:
    typed = Address(line1="12 Harbor Street, Apt 3", city="Salem")

    assert laid_over(an_address(line2="Apt 3"), typed) == an_address(line2="Apt 3", city="Salem")

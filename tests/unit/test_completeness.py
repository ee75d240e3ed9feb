"""The fields that an order lacks: the completeness table, row by row and both sides of each."""

from typing import Any

import pytest

from needs_attention.orders.amazon_order import Address, AmazonOrder, LineItem
from needs_attention.orders.checks import CHECK_OF, CONFIRMABLE
from needs_attention.orders.completeness import find_differences, find_missing, hidden_by_typing
from needs_attention.orders.edits import Edits
from needs_attention.orders.effective import Seen
from needs_attention.orders.order import Missing
from needs_attention.orders.settings import Checks, Settings
from tools.builders import (
    a_line,
    a_typed_name,
    an_address,
    an_amazon_order,
    an_fba_order,
    edited,
    without_checks,
)

BY_DEFAULT = Settings()


def missing(amazon: AmazonOrder, edits: Edits | None = None, settings: Settings = BY_DEFAULT) -> dict[str, str]:
    """The missing fields, with their reasons."""
    return {item.field: item.reason for item in find_missing(amazon, edits or Edits(), settings)}


def lacking_everything(**fields: Any) -> AmazonOrder:
    nothing = dict.fromkeys(["buyer_name", "buyer_email", "recipient_name", "delivery_address", "line_items"])
    return an_amazon_order(**{**nothing, **fields})


EVERYTHING = {
    "firstName": "blank",
    "lastName": "blank",
    "email": "blank",
    "deliveryAddress": "blank",
    "billingAddress": "blank",
    "lineItems": "blank",
}
ASKED = {"cancel_requested_by_buyer": True}
OF_UNKNOWN_STATUS = {"fulfillment_status": None}


def test_a_complete_order_lacks_nothing() -> None:
    assert find_missing(an_amazon_order(), Edits(), Settings()) == ()


def test_every_missing_field_is_listed_in_the_order_of_the_table() -> None:
    order = lacking_everything(**ASKED, **OF_UNKNOWN_STATUS)
    of_the_order = [("buyerRequestedCancel", "asked"), ("fulfillmentUnknown", "unknownStatus")]

    assert list(missing(order).items()) == [*EVERYTHING.items(), *of_the_order]


def test_each_field_is_found_by_its_own_rule() -> None:
    assert list(CHECK_OF) == list(missing(lacking_everything(**ASKED, **OF_UNKNOWN_STATUS)))


# Names ----------------------------------------------------------------------------------------------------------------


def test_a_name_is_split_into_first_and_last() -> None:
    view = Seen(an_amazon_order(recipient_name="Ada Maria Quill"), Edits(), Settings())

    assert (view.first_name, view.last_name, view.name_kind) == ("Ada Maria", "Quill", "person")


def test_the_recipients_name_comes_before_the_buyers() -> None:
    view = Seen(an_amazon_order(recipient_name="Ada Quill", buyer_name="Bo Ortiz"), Edits(), Settings())

    assert (view.first_name, view.name_source) == ("Ada", "recipient")


def test_without_a_recipient_the_buyer_is_named() -> None:
    order = an_amazon_order(recipient_name=None, buyer_name="Bo Ortiz")
    view = Seen(order, Edits(), Settings())

    assert (view.first_name, view.last_name, view.name_source) == ("Bo", "Ortiz", "buyer")
    assert missing(order) == {}


@pytest.mark.parametrize(
    "order", [{"is_gift": True}, {"programs": ("INVOICE_BY_AMAZON",)}, {"buyer_name": None}], ids=str
)
def test_the_buyer_is_no_stand_in_on_a_gift_nor_where_amazon_is_the_buyer(order: dict[str, Any]) -> None:
    amazon = an_amazon_order(**{"recipient_name": None, "buyer_name": "Bo Ortiz", **order})
    view = Seen(amazon, Edits(), Settings())

    assert missing(amazon) == {"firstName": "blank", "lastName": "blank"}
    assert (view.first_name, view.last_name, view.name_kind, view.name_source) == ("", "", "blank", "none")


@pytest.mark.parametrize("order", [{"is_gift": True}, {"programs": ("INVOICE_BY_AMAZON",)}], ids=str)
def test_the_recipient_counts_even_if_the_buyer_does_not(order: dict[str, Any]) -> None:
    assert missing(an_amazon_order(**order)) == {}


@pytest.mark.parametrize(
    ("policy", "latin", "unspaced"),
    [
        ("byScript", {"firstName": "singleWord"}, {}),
        ("hold", {"firstName": "singleWord"}, {"firstName": "singleWord"}),
        ("accept", {}, {}),
    ],
)
def test_a_name_of_one_word_follows_the_setting(policy: Any, latin: dict[str, str], unspaced: dict[str, str]) -> None:
    settings = Settings(single_word_names=policy)

    assert missing(an_amazon_order(recipient_name="Cher"), settings=settings) == latin
    assert missing(an_amazon_order(recipient_name="山田太郎"), settings=settings) == unspaced


@pytest.mark.parametrize(
    ("policy", "latin", "unspaced"),
    [
        ("byScript", {"lastName": "singleWord"}, {}),
        ("hold", {"lastName": "singleWord"}, {"lastName": "singleWord"}),
        ("accept", {}, {}),
    ],
)
@pytest.mark.parametrize("filler", [".", "-", "N/A", "unknown"])
def test_a_name_and_a_filler_follow_the_setting_of_one_word(
    filler: str, policy: Any, latin: dict[str, str], unspaced: dict[str, str]
) -> None:
    settings = Settings(single_word_names=policy)

    assert missing(an_amazon_order(recipient_name=f"Ramesh {filler}"), settings=settings) == latin
    assert missing(an_amazon_order(recipient_name=f"王小明 {filler}"), settings=settings) == unspaced
    assert missing(an_amazon_order(recipient_name=f"{filler} N/A"), settings=settings) != {}


def test_a_last_name_typed_over_a_filler_makes_a_whole_name() -> None:
    order = an_amazon_order(recipient_name="Ramesh .")

    assert missing(order, edited(order, name={"last_name": "Kumar"})) == {}


def test_a_name_without_spaces_is_kept_whole_as_the_last_name() -> None:
    view = Seen(an_amazon_order(recipient_name="山田太郎"), Edits(), Settings())

    assert (view.first_name, view.last_name, view.name_kind) == ("", "山田太郎", "unspacedScript")


@pytest.mark.parametrize("policy", ["byScript", "hold", "accept"])
def test_no_policy_for_single_words_lets_a_blank_name_pass(policy: Any) -> None:
    order = an_amazon_order(recipient_name=None, buyer_name=None)

    assert missing(order, settings=Settings(single_word_names=policy)) == {"firstName": "blank", "lastName": "blank"}


def test_a_company_needs_no_first_and_last_name() -> None:
    named = an_amazon_order(recipient_name="Quill Works GmbH")
    at_its_own_address = an_amazon_order(
        recipient_name="Harborside", delivery_address=an_address(company_name="Harborside")
    )
    as_buyer = an_amazon_order(recipient_name=None, buyer_name="Harborside", buyer_company_name="Harborside")

    assert missing(named) == missing(at_its_own_address) == missing(as_buyer) == {}


def test_the_buyers_company_does_not_make_a_company_of_the_recipient() -> None:
    order = an_amazon_order(recipient_name="Harborside", buyer_company_name="Harborside")

    assert missing(order) == {"firstName": "singleWord"}


@pytest.mark.parametrize(
    ("order", "company"),
    [
        (
            {"delivery_address": an_address(company_name="Quill Works"), "buyer_company_name": "Ortiz Lamps"},
            "Quill Works",
        ),
        ({"buyer_company_name": "Ortiz Lamps"}, "Ortiz Lamps"),
        ({"buyer_company_name": "Ortiz Lamps", "delivery_address": None}, "Ortiz Lamps"),
        ({}, ""),
    ],
)
def test_the_company_is_that_at_the_address_else_the_buyers(order: dict[str, Any], company: str) -> None:
    assert Seen(an_amazon_order(**order), Edits(), Settings()).company == company


@pytest.mark.parametrize(
    ("first", "last", "company", "lacks"),
    [
        ("Ada", "Quill", "", {}),
        ("", "", "", {"firstName": "blank", "lastName": "blank"}),
        ("-", "[Redacted]", "", {"firstName": "blank", "lastName": "blank"}),
        ("Ada", "", "", {"lastName": "singleWord"}),
        ("", "Quill", "", {"firstName": "singleWord"}),
        ("", "Ada Quill", "", {"firstName": "singleWord"}),
        ("Ada Quill", ".", "", {"lastName": "singleWord"}),
        ("", "Quill Works GmbH", "", {"firstName": "singleWord"}),
        ("", "山田太郎", "", {}),
        ("山田太郎", "", "", {}),
        ("", "", "Quill Works", {}),
        ("", "", "-", {"firstName": "blank", "lastName": "blank"}),
    ],
)
def test_a_typed_name_is_judged_by_its_two_boxes(first: str, last: str, company: str, lacks: dict[str, str]) -> None:
    amazon = an_amazon_order(recipient_name=None, buyer_name=None)
    edits = edited(amazon, name=a_typed_name(first, last, company))
    view = Seen(amazon, edits, Settings())

    assert missing(amazon, edits) == lacks
    assert (view.first_name, view.last_name, view.company, view.name_source) == (first, last, company, "edited")


@pytest.mark.parametrize(
    ("first", "last", "company", "kind"),
    [
        ("Ada", "Quill", "", "person"),
        ("Ada", "Quill", "Quill Works", "company"),
        ("Ada", "", "", "singleWord"),
        ("", "Quill Works GmbH", "", "singleWord"),
        ("", "山田太郎", "", "unspacedScript"),
        ("", "", "", "blank"),
    ],
)
def test_a_typed_name_has_a_kind_too(first: str, last: str, company: str, kind: str) -> None:
    edits = edited(an_amazon_order(), name=a_typed_name(first, last, company))

    assert Seen(an_amazon_order(), edits, Settings()).name_kind == kind


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        ({"first_name": "Bo"}, ("Bo", "Quill", "")),
        ({"last_name": "Ortiz"}, ("Ada", "Ortiz", "")),
        ({"company": "Quill Works"}, ("Ada", "Quill", "Quill Works")),
        ({"last_name": ""}, ("Ada", "", "")),
    ],
    ids=str,
)
def test_a_typed_part_of_a_name_leaves_the_others_to_amazon(parts: dict[str, str], name: tuple[str, str, str]) -> None:
    amazon = an_amazon_order()
    view = Seen(amazon, edited(amazon, name=parts), Settings())

    assert (view.first_name, view.last_name, view.company) == name
    assert view.name_source == "edited"


def test_a_typed_last_name_does_not_make_a_person_of_a_company() -> None:
    amazon = an_amazon_order(recipient_name="Quill Works GmbH")
    edits = edited(amazon, name={"last_name": "Quill Works AG"})

    assert Seen(amazon, edits, Settings()).name_kind == "company"
    assert missing(amazon, edits) == {}


def test_a_typed_name_of_one_word_follows_the_setting_too() -> None:
    edits = edited(an_amazon_order(), name=a_typed_name("", "山田太郎"))

    assert missing(an_amazon_order(), edits, Settings(single_word_names="hold")) == {"firstName": "singleWord"}
    edits = edited(an_amazon_order(), name=a_typed_name("Cher", ""))
    assert missing(an_amazon_order(), edits, Settings(single_word_names="accept")) == {}


# Email ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("email", "lacks"),
    [
        ("ada@marketplace.example.com", {}),
        ("a.da+1@example.co.uk", {}),
        ("ada@例え.example", {}),
        (None, {"email": "blank"}),
        ("", {"email": "blank"}),
        ("[Redacted]", {"email": "blank"}),
        ("ada", {"email": "notAnAddress"}),
        ("ada@example", {"email": "notAnAddress"}),
        ("ada@example.", {"email": "notAnAddress"}),
        ("ada@.com", {"email": "notAnAddress"}),
        ("@example.com", {"email": "notAnAddress"}),
        ("ada@b@example.com", {"email": "notAnAddress"}),
        ("ada quill@example.com", {"email": "notAnAddress"}),
        ("ada@example.com now", {"email": "notAnAddress"}),
    ],
)
def test_an_email_is_missing_when_it_is_blank_or_no_address(email: str | None, lacks: dict[str, str]) -> None:
    assert missing(an_amazon_order(buyer_email=email)) == lacks
    if email is not None:
        silent = an_amazon_order(buyer_email=None)
        assert missing(silent, edited(silent, email=email)) == lacks


def test_a_typed_email_covers_amazons() -> None:
    edits = edited(an_amazon_order(), email="typed@example.com")

    view = Seen(an_amazon_order(), edits, Settings())
    assert (view.email, view.email_source) == ("typed@example.com", "edited")
    view = Seen(an_amazon_order(), Edits(), Settings())
    assert (view.email, view.email_source) == ("ada@marketplace.example.com", "amazon")


def test_a_blank_typed_email_blanks_amazons() -> None:
    edits = edited(an_amazon_order(), email="")

    assert missing(an_amazon_order(), edits) == {"email": "blank"}


# Addresses ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "lacks"),
    [
        (an_address(), ()),
        (an_address(line1=None, line2="12 Harbor Street"), ()),
        (an_address(line1="-", line3="12 Harbor Street"), ()),
        (Address(street_name="Rua A", city="Recife", state_or_region="PE", postal_code="1", country_code="BR"), ()),
        (an_address(country_code="HK", postal_code=None, state_or_region=None), ()),
        (an_address(country_code="SG", state_or_region=None, city=None), ()),
        (an_address(country_code="ES", state_or_region=None), ()),
        (an_address(country_code="IT", state_or_region=None), ()),
        (an_address(line1=None), ("addressLine1",)),
        (an_address(state_or_region="[Redacted]"), ("stateOrRegion",)),
        (an_address(city=None, postal_code="."), ("city", "postalCode")),
        (Address(city="Portland"), ("addressLine1", "countryCode")),
    ],
)
def test_an_address_lacks_what_its_country_needs(address: Address, lacks: tuple[str, ...]) -> None:
    amazon = an_amazon_order(delivery_address=address, tax_address=an_address())
    expected = (Missing(field="deliveryAddress", reason="incomplete", parts=lacks),) if lacks else ()

    assert find_missing(amazon, Edits(), Settings()) == expected
    silent = an_amazon_order(delivery_address=None, tax_address=an_address())
    assert find_missing(silent, edited(silent, delivery_address=address), Settings()) == expected


@pytest.mark.parametrize("address", [None, Address(), Address(line1="[Redacted]", city="-")])
def test_an_address_without_a_single_part_is_blank(address: Address | None) -> None:
    amazon = an_amazon_order(delivery_address=address, tax_address=an_address())

    assert missing(amazon) == {"deliveryAddress": "blank"}


def test_typed_parts_of_an_address_lie_over_amazons() -> None:
    amazon = an_amazon_order(delivery_address=an_address(line2="Apt 3"), tax_address=an_address())
    edits = edited(amazon, delivery_address=Address(line1="1 Typed Street"))
    view = Seen(amazon, edits, Settings())

    assert view.delivery_address == an_address(line1="1 Typed Street", line2="Apt 3")
    assert view.delivery_source == "edited"
    assert missing(amazon, edits) == {}
    assert Seen(amazon, Edits(), Settings()).delivery_source == "amazon"


def test_a_part_that_nobody_typed_is_amazons_as_it_is_now() -> None:
    then = an_amazon_order(delivery_address=an_address(postal_code=None))
    edits = edited(then, delivery_address=Address(phone="+1 503 555 0177"))
    now = then.model_copy(update={"delivery_address": an_address(postal_code="97210")})

    assert missing(then, edits) == {"deliveryAddress": "incomplete", "billingAddress": "incomplete"}
    assert missing(now, edits) == {}
    assert Seen(now, edits, Settings()).delivery_address == an_address(postal_code="97210", phone="+1 503 555 0177")


def test_a_part_that_a_person_blanked_is_blank_whatever_amazon_says() -> None:
    amazon = an_amazon_order(tax_address=an_address())
    edits = edited(amazon, delivery_address=Address(postal_code=""))

    assert missing(amazon, edits) == {"deliveryAddress": "incomplete"}
    assert Seen(amazon, edits, Settings()).delivery_address == an_address(postal_code=None)


def test_a_blanked_address_is_blank_whatever_amazon_says() -> None:
    blanked = Address(**dict.fromkeys(Address.model_fields, ""))
    edits = edited(an_amazon_order(), delivery_address=blanked)

    assert missing(an_amazon_order(), edits) == {"deliveryAddress": "blank", "billingAddress": "blank"}


def test_a_street_that_amazon_sends_as_typed_is_amazons() -> None:
    typed = Address(line1="12 Harbor Street, Apt 3")
    edits = edited(an_amazon_order(delivery_address=an_address(line1=None)), delivery_address=typed)
    now = an_amazon_order(delivery_address=an_address(line2="Apt 3"))

    assert Seen(now, edits, Settings()).delivery_address == an_address(line2="Apt 3")


# Billing --------------------------------------------------------------------------------------------------------------


def test_the_address_of_the_buyers_tax_registration_is_the_billing_address() -> None:
    view = Seen(an_amazon_order(tax_address=an_address(line1="1 Ledger Lane")), Edits(), Settings())

    assert view.billing_address == an_address(line1="1 Ledger Lane")
    assert view.billing_source == "amazonTax"


def test_a_tax_registration_without_a_street_is_no_billing_address() -> None:
    order = an_amazon_order(tax_address=Address(city="Salem", country_code="US"))

    assert Seen(order, Edits(), Settings()).billing_source == "copiedFromDelivery"


def test_by_default_the_delivery_address_is_the_billing_address_too() -> None:
    view = Seen(an_amazon_order(recipient_name="Bo Ortiz"), Edits(), Settings())

    assert (view.billing_address, view.billing_source) == (an_address(), "copiedFromDelivery")


def test_a_typed_delivery_address_is_copied_too() -> None:
    edits = edited(an_amazon_order(), delivery_address=an_address(line1="1 Typed Street"))

    assert Seen(an_amazon_order(), edits, Settings()).billing_address == an_address(line1="1 Typed Street")


def test_the_copy_lacks_the_same_parts_as_the_delivery_address() -> None:
    order = an_amazon_order(delivery_address=an_address(postal_code=None))

    assert missing(order) == {"deliveryAddress": "incomplete", "billingAddress": "incomplete"}


def test_typed_parts_of_a_bill_lie_over_the_copied_address() -> None:
    view = Seen(an_amazon_order(), edited(an_amazon_order(), billing_address=Address(line2="Floor 4")), Settings())

    assert (view.billing_address, view.billing_source) == (an_address(line2="Floor 4"), "edited")


def test_a_typed_billing_address_comes_before_all() -> None:
    amazon = an_amazon_order(tax_address=an_address(line1="1 Ledger Lane"))
    edits = edited(amazon, billing_address=an_address(line1="1 Typed Street"))
    view = Seen(amazon, edits, Settings(billing_address="require"))

    assert (view.billing_address, view.billing_source) == (an_address(line1="1 Typed Street"), "edited")


@pytest.mark.parametrize(
    ("buyer", "recipient", "lacks"),
    [
        ("Ada Quill", "Ada Quill", {}),
        ("ADA QUILL", "Ada Quill", {}),
        ("Bo Ortiz", "Ada Quill", {"billingAddress": "buyerIsNotRecipient"}),
        ("Ada Ortiz", "Ada Quill", {"billingAddress": "buyerIsNotRecipient"}),
        (None, "Ada Quill", {"billingAddress": "buyerIsNotRecipient"}),
        ("Bo Ortiz", None, {"billingAddress": "buyerIsNotRecipient"}),
    ],
)
def test_the_delivery_address_may_be_copied_only_if_the_names_match(
    buyer: str | None, recipient: str | None, lacks: dict[str, str]
) -> None:
    order = an_amazon_order(buyer_name=buyer, recipient_name=recipient)

    assert missing(order, settings=Settings(billing_address="copyIfSameName")) == lacks


def test_names_that_match_copy_an_edited_address_and_others_do_not() -> None:
    settings = Settings(billing_address="copyIfSameName")
    theirs, anothers = (
        an_amazon_order(delivery_address=None),
        an_amazon_order(delivery_address=None, buyer_name="Bo Ortiz"),
    )
    edits = edited(theirs, delivery_address=an_address())

    assert missing(theirs, edits, settings) == {}
    assert missing(anothers, edits, settings) == {"billingAddress": "buyerIsNotRecipient"}


def test_without_a_delivery_address_there_is_nothing_to_copy() -> None:
    order = an_amazon_order(delivery_address=None, buyer_name="Bo Ortiz")

    assert missing(order, settings=Settings(billing_address="copyIfSameName"))["billingAddress"] == "blank"


def test_a_billing_address_may_be_required() -> None:
    settings = Settings(billing_address="require")

    assert missing(an_amazon_order(), settings=settings) == {"billingAddress": "blank"}
    assert missing(an_amazon_order(tax_address=an_address()), settings=settings) == {}
    assert Seen(an_amazon_order(), Edits(), settings).billing_source == "none"


@pytest.mark.parametrize(
    ("names", "billed"),
    [
        ({"tax_name": "Ortiz Lamps Ltd", "buyer_name": "Bo Ortiz", "recipient_name": "Ada Quill"}, "Ortiz Lamps Ltd"),
        ({"buyer_name": "Bo Ortiz", "recipient_name": "Ada Quill"}, "Bo Ortiz"),
        ({"buyer_name": None, "recipient_name": "Ada Quill"}, "Ada Quill"),
        ({"buyer_name": None, "recipient_name": None}, None),
    ],
)
@pytest.mark.parametrize(
    ("order", "typed"),
    [
        ({}, {}),
        ({"tax_address": an_address()}, {}),
        ({"delivery_address": None}, {}),
        ({}, {"billing_address": Address(line1="")}),
    ],
)
def test_the_bill_is_in_the_name_of_the_tax_registration_else_the_buyer(
    order: dict[str, Any], typed: dict[str, Any], names: dict[str, Any], billed: str | None
) -> None:
    amazon = an_amazon_order(**order, **names)

    assert Seen(amazon, edited(amazon, **typed), Settings()).billing_name == billed


# Line items -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "lacks"),
    [
        ((a_line(),), {}),
        ((a_line(asin=None),), {}),
        ((a_line(seller_sku=None),), {}),
        ((a_line(quantity=1),), {}),
        ((a_line(quantity=0), a_line(order_item_id="2")), {}),
        ((a_line(seller_sku=None, asin=None), a_line(order_item_id="2")), {"lineItems": "noProduct"}),
        ((a_line(quantity=None), a_line(order_item_id="2")), {"lineItems": "noProduct"}),
        ((a_line(quantity=None),), {"lineItems": "noProduct"}),
        (None, {"lineItems": "blank"}),
        ((), {"lineItems": "blank"}),
        ((a_line(quantity=0),), {"lineItems": "blank"}),
        ((a_line(seller_sku=None, asin=None),), {"lineItems": "noProduct"}),
        ((a_line(seller_sku="[Redacted]", asin="-"), a_line(quantity=0)), {"lineItems": "noProduct"}),
        ((a_line(), LineItem()), {"lineItems": "noProduct"}),
    ],
)
def test_line_items_are_missing_if_one_cannot_be_picked(lines: Any, lacks: dict[str, str]) -> None:
    assert missing(an_amazon_order(line_items=lines)) == lacks
    if lines is not None:
        silent = an_amazon_order(line_items=None)
        assert missing(silent, edited(silent, line_items=lines)) == lacks


def test_a_replacement_for_nothing_is_complete() -> None:
    free = a_line(unit_price={"amount": "0.00", "currency_code": "USD"})

    assert missing(an_amazon_order(line_items=(free,))) == {}


@pytest.mark.parametrize("cancelled", [{"quantity": 0}, {"is_cancelled": True}], ids=str)
def test_cancelled_lines_are_not_seen(cancelled: dict[str, Any]) -> None:
    lines = (a_line(), a_line(order_item_id="2", seller_sku="SHADE-1", **cancelled))
    view = Seen(an_amazon_order(line_items=lines), Edits(), Settings())

    assert [line.seller_sku for line in view.line_items] == ["LAMP-1"]
    assert view.line_items_source == "amazon"


def test_an_order_whose_only_line_is_cancelled_is_held() -> None:
    assert missing(an_amazon_order(line_items=(a_line(is_cancelled=True),))) == {"lineItems": "blank"}


def test_typed_lines_replace_amazons_whole() -> None:
    typed = (a_line(seller_sku="TYPED"),)
    edits = edited(an_amazon_order(line_items=(a_line(), a_line(order_item_id="2"))), line_items=typed)
    view = Seen(an_amazon_order(), edits, Settings())

    assert [line.seller_sku for line in view.line_items] == ["TYPED"]
    assert view.line_items_source == "edited"


def to_send(order: AmazonOrder, typed: tuple[LineItem, ...] | None = None) -> list[int | None]:
    """The numbers that are left to send, line by line."""
    edits = edited(order, line_items=typed) if typed is not None else Edits()
    return [line.quantity_to_send for line in Seen(order, edits, Settings()).line_items]


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ({"quantity": 3, "quantity_fulfilled": 0, "quantity_unfulfilled": 3}, 3),
        ({"quantity": 3, "quantity_fulfilled": 1, "quantity_unfulfilled": 2}, 2),
        ({"quantity": 3, "quantity_fulfilled": 1, "quantity_unfulfilled": 1}, 1),
        ({"quantity": 3, "quantity_fulfilled": 3, "quantity_unfulfilled": 0}, 0),
        ({"quantity": 3, "quantity_fulfilled": 1}, 2),
        ({"quantity": 3, "quantity_fulfilled": 5}, 0),
        ({"quantity": None, "quantity_unfulfilled": 2}, 2),
        ({"quantity": 2, "quantity_unfulfilled": 3}, 2),
        ({"quantity": 3}, None),
    ],
    ids=str,
)
def test_only_the_rest_of_a_partly_shipped_line_is_left_to_send(line: dict[str, Any], left: int | None) -> None:
    order = an_amazon_order(fulfillment_status="PARTIALLY_SHIPPED", line_items=(a_line(**line),))

    assert to_send(order) == [left]


def test_what_was_ordered_is_left_to_send_while_nothing_was_shipped() -> None:
    assert to_send(an_amazon_order(line_items=(a_line(quantity=3),))) == [3]


def test_a_line_seen_tells_the_number_ordered_as_well() -> None:
    order = an_amazon_order(line_items=(a_line(quantity=3, quantity_unfulfilled=1),))
    (line,) = Seen(order, Edits(), Settings()).line_items

    assert (line.quantity_ordered, line.quantity_to_send) == (3, 1)


PARTLY_SHIPPED = an_amazon_order(
    fulfillment_status="PARTIALLY_SHIPPED",
    line_items=(
        a_line(quantity=2, quantity_fulfilled=2, quantity_unfulfilled=0),
        a_line(order_item_id="90002", seller_sku="SHADE-1", quantity=3, quantity_fulfilled=1, quantity_unfulfilled=2),
    ),
)


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ((a_line(seller_sku="OWN-1"),), [0]),
        ((a_line(order_item_id="90002", seller_sku="OWN-2", quantity=3),), [2]),
        ((a_line(order_item_id="90002", seller_sku="OWN-2", quantity=1),), [0]),
        (
            (
                a_line(order_item_id="90002", seller_sku="OWN-2", quantity=2),
                a_line(order_item_id="90002", seller_sku="OWN-3", quantity=1),
            ),
            [1, 1],
        ),
        ((a_line(order_item_id=None, seller_sku="OWN-4"),), [None]),
        ((a_line(order_item_id="90003", seller_sku="OWN-5"),), [2]),
    ],
    ids=["sent whole", "sent in part", "fewer", "split in two", "without an ID", "of no line of Amazon's"],
)
def test_a_typed_line_keeps_the_share_of_amazons_that_was_sent(
    typed: tuple[LineItem, ...], left: list[int | None]
) -> None:
    assert to_send(PARTLY_SHIPPED, typed) == left


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ({"quantity_unfulfilled": 1}, [1]),
        ({"quantity_unfulfilled": 1, "quantity_fulfilled": 0}, [1]),
        ({"quantity_unfulfilled": 2}, [2]),
        ({"quantity": None, "quantity_fulfilled": 1}, [1]),
        ({}, [2]),
    ],
    ids=str,
)
def test_a_typed_line_is_sent_as_far_as_amazon_has_units_left(line: dict[str, Any], left: list[int | None]) -> None:
    order = an_amazon_order(line_items=(a_line(**line),))

    assert to_send(order, (a_line(seller_sku="OWN-1"),)) == left


def test_the_rest_of_a_typed_line_is_unknown_if_amazons_is() -> None:
    order = an_amazon_order(fulfillment_status="PARTIALLY_SHIPPED", line_items=(a_line(),))
    typed = (a_line(seller_sku="OWN-1"),)

    assert to_send(order, typed) == [None]
    assert missing(order, edited(order, line_items=typed)) == {"lineItems": "noProduct"}


@pytest.mark.parametrize(("left_at_amazon", "left"), [(2, [2]), (1, [None])])
def test_a_line_without_an_id_waits_once_amazon_counts_down(left_at_amazon: int, left: list[int | None]) -> None:
    order = an_amazon_order(line_items=(a_line(quantity_unfulfilled=left_at_amazon),))

    assert to_send(order, (a_line(order_item_id=None),)) == left


def test_a_line_without_an_id_does_not_wait_for_a_cancelled_one() -> None:
    cancelled = a_line(order_item_id="90002", quantity_unfulfilled=0, is_cancelled=True)
    order = an_amazon_order(line_items=(a_line(quantity_unfulfilled=2), cancelled))

    assert to_send(order, (a_line(order_item_id=None),)) == [2]


def test_a_typed_line_for_a_cancelled_one_is_not_sent() -> None:
    order = an_amazon_order(line_items=(a_line(is_cancelled=True),))

    assert to_send(order, (a_line(seller_sku="OWN-1"),)) == [0]


def test_a_line_of_which_nobody_knows_the_rest_holds_the_order() -> None:
    assert missing(PARTLY_SHIPPED, edited(PARTLY_SHIPPED, line_items=(a_line(order_item_id=None),))) == {
        "lineItems": "noProduct"
    }
    assert missing(PARTLY_SHIPPED) == {}


def test_an_order_of_which_every_unit_was_sent_has_no_lines_left() -> None:
    sent = a_line(quantity=2, quantity_fulfilled=2, quantity_unfulfilled=0)

    assert missing(an_amazon_order(line_items=(sent,))) == {"lineItems": "blank"}
    assert missing(an_fba_order(line_items=(sent,))) == {}


def test_lines_that_a_person_removed_are_not_filled_from_amazon() -> None:
    edits = edited(an_amazon_order(), line_items=())

    assert missing(an_amazon_order(), edits) == {"lineItems": "blank"}


# Not a field ----------------------------------------------------------------------------------------------------------


def test_a_buyer_who_asked_to_cancel_puts_the_order_on_hold() -> None:
    assert missing(an_amazon_order(line_items=(a_line(asked_to_cancel=True),))) == {"buyerRequestedCancel": "asked"}
    assert missing(an_amazon_order(**ASKED)) == {"buyerRequestedCancel": "asked"}
    assert missing(an_amazon_order(line_items=(a_line(asked_to_cancel=False),))) == {}


def test_a_request_for_a_line_that_is_cancelled_by_now_is_settled() -> None:
    order = an_amazon_order(line_items=(a_line(), a_line(order_item_id="2", asked_to_cancel=True, is_cancelled=True)))

    assert missing(order) == {}


def test_an_order_that_amazon_fulfils_is_judged_on_its_lines_alone() -> None:
    assert missing(an_fba_order()) == {}
    assert missing(an_fba_order(**ASKED)) == {}
    assert missing(an_fba_order(line_items=())) == {"lineItems": "blank"}


@pytest.mark.parametrize("channel", [None, "DRONE", "amazon"])
def test_an_order_of_an_unknown_channel_is_judged_whole_and_in_doubt(channel: str | None) -> None:
    assert missing(lacking_everything(fulfilled_by="MERCHANT")) == EVERYTHING
    in_doubt = {"fulfillmentUnknown": "unknownStatus"}
    assert missing(lacking_everything(fulfilled_by=channel)) == EVERYTHING | in_doubt


@pytest.mark.parametrize("status", [None, "ON_HOLD", "Shipped", "CANCELED"])
def test_an_order_of_an_unknown_status_is_in_doubt(status: str | None) -> None:
    assert missing(an_amazon_order(fulfillment_status=status)) == {"fulfillmentUnknown": "unknownStatus"}


@pytest.mark.parametrize("came_back_from", ["shipped", "fulfilledByAmazon"])
def test_an_order_that_comes_back_is_in_doubt(came_back_from: Any) -> None:
    assert missing(an_amazon_order(came_back_from=came_back_from)) == {"fulfillmentUnknown": "cameBack"}


# Settings -------------------------------------------------------------------------------------------------------------

SWITCHES = {
    "names": ["firstName", "lastName"],
    "email": ["email"],
    "delivery_address": ["deliveryAddress"],
    "billing_address": ["billingAddress"],
    "line_items": ["lineItems"],
    "buyer_requested_cancel": ["buyerRequestedCancel"],
}


def test_every_switch_is_tested() -> None:
    assert list(SWITCHES) == list(Checks.model_fields)


@pytest.mark.parametrize("check", SWITCHES)
def test_each_check_can_be_switched_off_alone(check: str) -> None:
    order = lacking_everything(**ASKED, **OF_UNKNOWN_STATUS)
    left = [field for field in CHECK_OF if field not in SWITCHES[check]]

    assert list(missing(order, settings=without_checks(check))) == left


@pytest.mark.parametrize("name", ["Cher", "山田太郎"])
def test_without_the_check_of_names_one_word_will_do(name: str) -> None:
    settings = Settings(single_word_names="hold", checks=without_checks("names").checks)

    assert missing(an_amazon_order(recipient_name=name), settings=settings) == {}


def test_without_the_check_of_lines_an_fba_order_lacks_nothing() -> None:
    assert missing(an_fba_order(line_items=()), settings=without_checks("line_items")) == {}


def test_without_the_check_of_emails_anything_will_do() -> None:
    assert missing(an_amazon_order(buyer_email="ada"), settings=without_checks("email")) == {}


def test_without_the_check_of_billing_nobody_asks_who_the_buyer_is() -> None:
    settings = Settings(billing_address="copyIfSameName", checks=without_checks("billing_address").checks)

    assert missing(an_amazon_order(buyer_name="Bo Ortiz"), settings=settings) == {}


# Confirmed by an editor -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", CONFIRMABLE)
def test_a_field_confirmed_as_unavailable_counts_as_filled(field: str) -> None:
    order = lacking_everything(**ASKED, **OF_UNKNOWN_STATUS)
    left = [other for other in CHECK_OF if other != field]

    assert list(missing(order, edited(order, confirmed=(field,)))) == left


def test_a_confirmed_request_to_cancel_does_not_answer_one_of_another_line() -> None:
    first, second = a_line(asked_to_cancel=True), a_line(order_item_id="2")
    asked = an_amazon_order(line_items=(first, second))
    edits = edited(asked, confirmed=("buyerRequestedCancel",))
    again = asked.model_copy(update={"line_items": (first, a_line(order_item_id="2", asked_to_cancel=True))})

    assert missing(asked, edits) == {}
    assert missing(again, edits) == {"buyerRequestedCancel": "asked"}


def test_a_confirmed_request_for_the_whole_order_answers_every_line() -> None:
    edits = edited(an_amazon_order(**ASKED), confirmed=("buyerRequestedCancel",))

    assert missing(an_amazon_order(line_items=(a_line(asked_to_cancel=True),)), edits) == {}


@pytest.mark.parametrize(
    "answers",
    [
        [{"fulfillment_status": "FROZEN"}],
        [{"fulfillment_status": "UNSHIPPED"}, {"fulfillment_status": "ON_HOLD"}],
        [{"fulfillment_status": "SHIPPED"}, {"fulfillment_status": "UNSHIPPED"}],
    ],
    ids=str,
)
def test_a_confirmed_doubt_does_not_answer_the_next_one(answers: list[dict[str, Any]]) -> None:
    order = an_amazon_order().updated_with(an_amazon_order(fulfillment_status="ON_HOLD"))
    edits = edited(order, confirmed=("fulfillmentUnknown",))
    assert missing(order, edits) == {}

    for answer in answers:
        order = order.updated_with(order.model_copy(update=answer))
    assert list(missing(order, edits)) == ["fulfillmentUnknown"]


def test_a_doubt_of_the_first_answer_can_be_confirmed_too() -> None:
    order = an_amazon_order(fulfillment_status=None)

    assert missing(order, edited(order, confirmed=("fulfillmentUnknown",))) == {}
    assert missing(order, edited(an_amazon_order(), confirmed=("email",))) == {"fulfillmentUnknown": "unknownStatus"}


# Where Amazon says something else than was typed ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "places", "fields"),
    [
        ({"name": a_typed_name()}, ["name"], [("lastName", ())]),
        ({"name": {"first_name": "Bo"}}, ["name"], [("firstName", ())]),
        ({"name": {"last_name": "Ortiz"}}, ["name"], [("lastName", ())]),
        ({"name": {"company": "Quill Works"}}, ["company"], [("lastName", ("company",))]),
        ({"email": "bo@example.com"}, ["email"], [("email", ())]),
        ({"line_items": (a_line(),)}, ["lineItems"], [("lineItems", ())]),
        (
            {"delivery_address": an_address()},
            ["deliveryAddress.city", "deliveryAddress.postalCode"],
            [("deliveryAddress", ("city", "postalCode"))],
        ),
        (
            {"billing_address": an_address(), "email": "bo@example.com"},
            ["billingAddress.city", "email"],
            [("email", ()), ("billingAddress", ("city",))],
        ),
        ({}, [], []),
    ],
    ids=str,
)
def test_differences_are_told_by_field_in_the_order_of_the_checks(
    typed: dict[str, Any], places: list[str], fields: list[tuple[str, tuple[str, ...]]]
) -> None:
    found = find_differences(places, edited(an_amazon_order(), **typed))

    assert [(item.field, item.parts) for item in found] == fields
    assert {item.reason for item in found} <= {"differsFromAmazon"}


# What typing hides ----------------------------------------------------------------------------------------------------

NO_TOWN = {"city": ""}


@pytest.mark.parametrize(
    ("typed", "hidden"),
    [
        ({}, {}),
        ({"email": "ada@b.example.com"}, {}),
        ({"email": ""}, {"email": "email"}),
        ({"name": {"last_name": ""}}, {"lastName": "name"}),
        ({"name": {"first_name": "", "last_name": ""}}, {"firstName": "name", "lastName": "name"}),
        ({"line_items": ()}, {"lineItems": "line_items"}),
        ({"delivery_address": NO_TOWN, "billing_address": {"city": "Salem"}}, {"deliveryAddress": "delivery_address"}),
        ({"billing_address": NO_TOWN}, {"billingAddress": "billing_address"}),
        ({"email": "", "line_items": ()}, {"email": "email", "lineItems": "line_items"}),
    ],
)
def test_a_typed_unit_hides_what_amazon_has_of_it_by_now(typed: dict[str, Any], hidden: dict[str, str]) -> None:
    amazon = an_amazon_order()

    assert hidden_by_typing(amazon, edited(amazon, **typed), Settings()) == hidden


def test_a_typed_delivery_address_hides_the_bill_that_is_copied_from_it() -> None:
    amazon = an_amazon_order()
    of_delivery = {"deliveryAddress": "delivery_address", "billingAddress": "delivery_address"}

    assert hidden_by_typing(amazon, edited(amazon, delivery_address=NO_TOWN), Settings()) == of_delivery
    # Amazon's own bill is not copied, and a bill that is required is not there.
    taxed = an_amazon_order(tax_address=an_address())
    only_delivery = {"deliveryAddress": "delivery_address"}
    assert hidden_by_typing(taxed, edited(taxed, delivery_address=NO_TOWN), Settings()) == only_delivery
    required = Settings(billing_address="require")
    assert hidden_by_typing(amazon, edited(amazon, delivery_address=NO_TOWN), required) == only_delivery


@pytest.mark.parametrize(
    ("lacks", "typed", "confirmed"),
    [
        ({"buyer_email": None}, {"email": ""}, ()),
        ({"recipient_name": "Cher", "buyer_name": "Cher"}, {"name": {"last_name": ""}}, ("firstName",)),
        ({"delivery_address": an_address(line1=None), "tax_address": an_address()}, {"delivery_address": NO_TOWN}, ()),
        ({"buyer_email": None, **ASKED}, {"name": {"first_name": "Nia"}}, ()),
    ],
)
def test_typing_hides_nothing_where_amazon_still_lacks_a_part(
    lacks: dict[str, Any], typed: dict[str, Any], confirmed: tuple[str, ...]
) -> None:
    amazon = an_amazon_order(**lacks)
    edits = edited(amazon, confirmed, **typed)

    assert find_missing(amazon, edits, Settings())
    assert hidden_by_typing(amazon, edits, Settings()) == {}

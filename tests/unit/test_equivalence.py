"""When two texts say the same: a typed value and Amazon's that comes later."""

from typing import Any

import pytest

from needs_attention.orders.amazon_order import Address
from needs_attention.orders.equivalence import is_same_goods, plain, plain_email, plain_goods, plain_places
from tools.builders import a_line, an_address


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("12 Harbor Street", "12 HARBOR STREET"),
        ("12 Harbor Street", "  12  Harbor\tStreet "),
        ("12 Harbor Street, Apt. 3", "12 Harbor Street Apt 3"),
        ("P.O. Box 7", "PO Box 7"),
        ("O'Neil", "O\u2019Neil"),
        ("O'Neil", "ONeil"),
        ("Jean-Luc", "Jean Luc"),
        ("Façade", "Facade"),
        ("Müller", "Muller"),
        ("Zoë", "Zoe\u0308"),
        ("Łódź", "Lodz"),
        ("Sørensen", "Sorensen"),
        ("Diyarbakır", "DIYARBAKIR"),  # noqa: RUF001  # the Turkish letter is meant
        ("İzmir", "izmir"),
        ("Straße", "STRASSE"),
        ("１２　Ｈａｒｂｏｒ", "12 Harbor"),  # noqa: RUF001  # full width is meant
        ("ﾊﾟｰｸ", "パーク"),
        ("", None),
        ("[Redacted]", None),
        ("-", ""),
    ],
)
def test_case_blanks_punctuation_accents_and_width_do_not_matter(one: str | None, other: str | None) -> None:
    assert plain(one) == plain(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Apt 1, 23 Main St", "Apt 12, 3 Main St"),
        ("1 23 Main St", "12 3 Main St"),
        ("1.5 Mile Road", "15 Mile Road"),
        ("1-2 Mill Road", "12 Mill Road"),
        ("12 Harbor Street", "13 Harbor Street"),
        ("Mill Road 5", "5 Mill Road"),
        ("ハーク", "パーク"),
        ("มา", "ม้า"),
        ("दिल्ली", "दल्ल"),
        ("Ada", ""),
        ("Street", "St"),
    ],
)
def test_other_words_and_numbers_do(one: str, other: str) -> None:
    assert plain(one) != plain(other)


@pytest.mark.parametrize("email", ["Ada@Example.com", " ada@example.com ", "ada@example.com"])
def test_an_email_is_the_same_in_any_case(email: str) -> None:
    assert plain_email(email) == "ada@example.com"


@pytest.mark.parametrize("other", ["a.da@example.com", "ada+1@example.com", "ada@example-com"])
def test_punctuation_matters_in_an_email(other: str) -> None:
    assert plain_email(other) != plain_email("ada@example.com")


@pytest.mark.parametrize("nothing", [None, "", "Not Provided"])
def test_a_placeholder_is_no_email(nothing: str | None) -> None:
    assert plain_email(nothing) == ""


# Addresses ------------------------------------------------------------------------------------------------------------


def are_the_same(one: Address, other: Address) -> bool:
    return plain_places(one) == plain_places(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"state_or_region": "OR"}, {"state_or_region": "Oregon"}),
        ({"state_or_region": "or"}, {"state_or_region": "OREGON"}),
        (
            {"country_code": "CA", "state_or_region": "QC", "postal_code": "H2X 1Y4"},
            {"country_code": "CA", "state_or_region": "Québec", "postal_code": "h2x1y4"},
        ),
        (
            {"country_code": "BR", "state_or_region": "SP", "postal_code": "01310-100"},
            {"country_code": "BR", "state_or_region": "Sao Paulo", "postal_code": "01310100"},
        ),
        ({"country_code": "GB"}, {"country_code": "uk"}),
        ({"postal_code": "97209"}, {"postal_code": "97209-1234"}),
        ({"postal_code": "97209-1234"}, {"postal_code": "972091234"}),
        ({"line1": "Apt 3", "line2": "12 Harbor Street"}, {"line1": "Apt 3, 12 Harbor Street"}),
        ({"line1": "12 Harbor Street", "line2": None, "line3": "Rear"}, {"line1": "12 Harbor Street, Rear"}),
        ({"phone": "+1 503 555 0100"}, {"phone": "5035550199"}),
        ({"address_type": "RESIDENTIAL"}, {"address_type": "COMMERCIAL"}),
        ({"city": "Portland"}, {"city": "PORTLAND"}),
        ({"company_name": None}, {"company_name": "-"}),
    ],
    ids=str,
)
def test_two_spellings_of_an_address_are_the_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert are_the_same(an_address(**one), an_address(**other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"line1": "Apt 1", "line2": "23 Main St"}, {"line1": "Apt 12", "line2": "3 Main St"}),
        ({"line1": "Apt 1", "line2": "23 Main St"}, {"line1": "23 Main St", "line2": "Apt 1"}),
        ({"state_or_region": "OR"}, {"state_or_region": "WA"}),
        ({"state_or_region": "OR"}, {"state_or_region": None}),
        ({"postal_code": "97209"}, {"postal_code": "97210-1234"}),
        ({"country_code": "DE", "postal_code": "10115"}, {"country_code": "DE", "postal_code": "101151234"}),
        ({"country_code": "US"}, {"country_code": "CA"}),
        ({"country_code": None, "state_or_region": "OR"}, {"country_code": None, "state_or_region": "Oregon"}),
        ({"city": "Portland"}, {"city": "Salem"}),
        ({"company_name": None}, {"company_name": "Quill Works"}),
        ({"municipality": None}, {"municipality": "Pearl"}),
        ({"district_or_county": None}, {"district_or_county": "Multnomah"}),
        ({"street_number": "12"}, {"street_number": "13"}),
    ],
    ids=str,
)
def test_another_place_is_not_the_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert not are_the_same(an_address(**one), an_address(**other))


def test_no_address_has_no_places() -> None:
    assert plain_places(None) == {}


# Goods ----------------------------------------------------------------------------------------------------------------

TWO = (a_line(), a_line(order_item_id="90002", seller_sku="SHADE-1", asin="B0EXAMPLE2", quantity=1))


@pytest.mark.parametrize(
    "same",
    [
        TWO[::-1],
        (*TWO, a_line(seller_sku="GONE", quantity=0)),
        (*TWO, a_line(seller_sku="GONE", is_cancelled=True)),
        (a_line(title="Another title", quantity_fulfilled=1), TWO[1]),
    ],
)
def test_order_titles_and_cancelled_lines_make_no_other_goods(same: Any) -> None:
    assert plain_goods(same) == plain_goods(TWO)
    assert is_same_goods(same, TWO)


@pytest.mark.parametrize(
    "other",
    [
        TWO[:1],
        (),
        (a_line(quantity=3), TWO[1]),
        (a_line(seller_sku="lamp-1"), TWO[1]),
        (a_line(seller_sku="LAMP 1"), TWO[1]),
        (*TWO, a_line(seller_sku="SHADE-2")),
    ],
)
def test_another_product_or_number_makes_other_goods(other: Any) -> None:
    assert plain_goods(other) != plain_goods(TWO)
    assert not is_same_goods(other, TWO)


def test_a_line_split_in_two_names_the_same_goods() -> None:
    assert is_same_goods((a_line(quantity=1), a_line(order_item_id="2", quantity=1)), (a_line(quantity=2),))


@pytest.mark.parametrize(("stored", "read"), [("ABC DEF", "ABC  DEF"), (None, "N/A"), ("A", " A")])
def test_a_sku_as_an_earlier_release_stored_it_names_the_same_goods(stored: str | None, read: str) -> None:
    before, now = (a_line(seller_sku=stored),), (a_line(seller_sku=read),)
    assert is_same_goods(before, now)
    assert plain_goods(before) == plain_goods(now)


def test_asins_tell_the_goods_where_a_sku_is_missing() -> None:
    without_sku = (a_line(seller_sku=None),)

    assert is_same_goods(without_sku, (a_line(),))
    assert not is_same_goods(without_sku, (a_line(asin="B0EXAMPLE2"),))


def test_a_list_without_lines_says_something_and_no_list_says_nothing() -> None:
    assert plain_goods(None) == ""
    assert plain_goods(()) == plain_goods((a_line(quantity=0),)) != ""


def test_a_state_of_an_unknown_country_is_compared_as_it_is_written() -> None:
    nowhere = an_address(country_code="XX", state_or_region="Or-land")

    assert plain_places(nowhere)["stateOrRegion"] == "or land"

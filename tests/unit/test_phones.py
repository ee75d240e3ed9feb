"""Which texts may be phone numbers."""

import pytest

from needs_attention.orders.phones import may_be_phone


@pytest.mark.parametrize(
    ("phone", "country"),
    [
        ("206 555 0100", "US"),
        ("(206) 555-0100", "US"),
        ("12065550100", "US"),  # a spreadsheet has eaten the +
        ("1-800-FLOWERS", "US"),
        ("902-555-0117", "CA"),
        ("020 7946 0018", "GB"),
        ("030 1234567", "DE"),
        ("03-1234-5678", "JP"),
        ("\uff10\uff13-\uff11\uff12\uff13\uff14-\uff15\uff16\uff17\uff18", "JP"),  # full-width
    ],
)
def test_a_number_is_one_as_it_is_dialled_in_its_country(phone: str, country: str) -> None:
    assert may_be_phone(phone, country)


@pytest.mark.parametrize(
    "phone", ["+1 314-282-9402 ext. 00631", "314-282-9402 ext. 12345", "+1 314-282-9402 x12345", "+1 314 282 9402 #7"]
)
def test_a_number_may_have_an_extension_as_amazon_writes_it(phone: str) -> None:
    assert may_be_phone(phone, "US")


@pytest.mark.parametrize(("phone", "country"), [("+44 20 7946 0018", "US"), ("0044 20 7946 0018", "DE")])
def test_a_number_may_be_one_of_another_country_if_it_says_so(phone: str, country: str) -> None:
    assert may_be_phone(phone, country)


@pytest.mark.parametrize(
    ("phone", "country"),
    [
        ("1", "US"),
        ("911", "US"),
        ("555-0100", "US"),  # without its area
        ("000-000-0000", "US"),
        ("1234567890", "US"),
        ("+1 206 555 010", "US"),
        ("206 555 01000", "US"),
        ("030 1234567", "US"),  # Berlin's, dialled as in Germany
        ("+999 123 456 789", "US"),
        ("call first", "US"),
        ("206-555-0100 or 206-555-0101", "US"),
    ],
)
def test_what_nobody_can_dial_is_no_number(phone: str, country: str) -> None:
    assert not may_be_phone(phone, country)


@pytest.mark.parametrize("country", [None, "XX", "UK"])
def test_where_the_country_has_no_numbering_plan_anything_may_be_a_number(country: str | None) -> None:
    assert may_be_phone("1", country)

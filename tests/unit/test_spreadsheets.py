"""What spreadsheets make of texts. Two tables say it: one from LibreOffice itself, one from documentation."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from needs_attention.values.spreadsheets import damage, is_rewriting

TABLES = Path(__file__).parent / "spreadsheets"


def rewritings(table: str) -> list[tuple[str, str]]:
    with (TABLES / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(dict.fromkeys((row["text"], row["came_back"]) for row in csv.DictReader(file)))


# Cells that nobody touched --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["libreoffice", "documented"])
def test_what_a_spreadsheet_makes_of_a_text_is_a_rewriting_of_it(table: str) -> None:
    known = rewritings(table)
    assert len(known) > 30
    assert [one for one in known if not is_rewriting(*one)] == []


@pytest.mark.parametrize(
    ("text", "came_back"),
    [
        ("Ada  Quill", " Ada Quill\r\n"),
        ("Zoë", "Zoe\u0308"),
        ("12 Harbor Street", "12\u00a0Harbor\tStreet"),
        ("1.234.567", "1234567"),
        ("1,234.50", "1234.5"),
        ("1.234,50", "1234,5"),
        ("1 1/3", "1.33333333333333"),
        ("5.00", "5"),
        ("12", "12.0"),
        ("1000000000000000000000000000000001", "1E+33"),
        ("0.5%", "0.50%"),
        ("12 p", "12:00 PM"),
        ("12 a", "0:00"),
        ("3:05 pm", "15:05:00"),
        ("2026-10-12", "12 Oct"),
        ("10/12", "oct.-12"),
        ("1/2/26", "2/1/2026"),
        ("FALSE", "falsch"),
        ("Ærø", "\u2019r\u203a"),
        ("Ελένη", "?????"),
        ("Öz", "Öz"),
        ("12-", "-12"),
        ("R$ 5", "5"),
        ("3/4/5", "04/05/2003"),
        ("3/4/5", "04/03/2005"),
        ("1-2-3", "2/3/01"),
        ("12 345", "12345"),
        ("10/12", "10월 12일"),
        ("Müller", "MĂĽller"),
        ("山田", "螻ｱ逕ｰ"),
        ("Москва", "РњРѕСЃРєРІР°"),
        ("Győző Łukasz", "Gyozo Lukasz"),
        ("Müller", "M├╝ller"),
    ],
)
def test_another_spelling_of_the_same_value_is_a_rewriting(text: str, came_back: str) -> None:
    assert is_rewriting(text, came_back)


@pytest.mark.parametrize(
    ("text", "came_back"),
    [
        ("2134", "02134"),  # a person puts the zero back
        ("02134", "02139"),
        ("447911123456", "447911123457"),
        ("447911123456", "4.47912E+11"),
        ("97205", "1.00E+05"),
        ("12.5", "125"),
        ("1/0", "1"),
        ("1 1/0", "1"),
        ("1.2.3", "1.23"),
        ("12 Harbor Street", "12"),
        ("10/12", "12/10"),
        ("10/12", "10/13"),
        ("10/12", "10/12/3"),
        ("10/12", "12 Oak"),
        ("10-12", "10-12-25"),
        ("1-2-3", "1-3-2"),
        ("1-2-3", "1-Feb-04"),
        ("10/12", "46309"),
        ("10/12", "99999"),
        ("5", "5-May"),
        ("5", "5:00"),
        ("Mar 5 Oct", "5-Mar"),
        ("12345/1", "1-Jan"),
        ("5:7", "5:08"),
        ("true", "FALSE"),
        ("#4", "####"),
        ("Ada", "########"),
        ("Müller", "Muller"),
        ("Muller", "Müller"),
        ("Zoë", "Zoé"),
        ("José", "Jos"),
        ("Jörg", "J?rgen"),
        ("9" * 41, "9E+40"),
        ("x" * 50, "y" * 50),
        ("02-134", "02-234"),
        ("111 22", "211 22"),
        ("530-0001", "530-0101"),
        ("503-555-0100", "503-655-0200"),
        ("1-2-301", "1-2-401"),
        ("1-101", "1-201"),
        ("1214/5", "1314/5"),
        ("Marktstr. 5", "Marienstr. 5"),
        ("12 Martin", "12 Market"),
        ("Marktstr. 5", "Marktstr. 5/1"),
        ("10/12", "10/12a"),
        ("10-12", "10-12 a"),
        ("Marktstr. 5", "Marktstr. 5a"),
        ("1012 AM", "1024 AM"),
        ("12", "12/1"),
        ("1/2", "2/4"),
        ("4/2", "2"),
        ("3/12", "12-3"),
        ("1-3", "3/1"),
        ("12/4", "4:12"),
        ("12.6", "13"),
        ("9720 9", "97209"),
        ("12 3", "123"),
        ("447911123456", "+44 7911 123456"),
        ("447911123456", "+447911123456"),
        ("é" * 401, "?" * 401),
    ],
)
def test_another_value_is_an_edit(text: str, came_back: str) -> None:
    assert not is_rewriting(text, came_back)


@given(st.text(min_size=1, max_size=60), st.text(min_size=1, max_size=60))
def test_any_two_texts_can_be_compared(text: str, came_back: str) -> None:
    assert is_rewriting(text, text)
    assert is_rewriting(text, came_back) in {True, False}
    assert damage(came_back) is None or damage(came_back)


@given(
    st.text(alphabet="0123456789.,-+/:eE ()%$apm", min_size=1, max_size=45),
    st.text(alphabet="0123456789.,-+/:E", max_size=45),
)
def test_numbers_and_dates_of_any_form_can_be_compared(text: str, came_back: str) -> None:
    assert is_rewriting(text, came_back) in {True, False}


# Typed texts that a spreadsheet has damaged ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("1.00E+05", "shortened"),
        ("4,47912E+11", "shortened"),
        ("1E+016", "shortened"),
        ("12-Oct", "date"),
        ("12. Okt", "date"),
        ("12/out", "date"),
        ("Oct-26", "date"),
        ("10月12日", "date"),
        ("10/12/2026", "date"),
        ("12.10.2026", "date"),
        ("2026-10-12", "date"),
        ("10:00", "date"),
        ("10:00:00", "date"),
        ("10:00 AM", "date"),
        ("#NAME?", "error"),
        ("#N/A", "error"),
        ("Err:508", "error"),
        ("########", "error"),
        ("?ukasz", "lost letters"),
        ("Jos?", "lost letters"),
        ("JÃ¶rg", "lost letters"),
        ("M√ºller", "lost letters"),
        ("Ã\x9cnal", "lost letters"),
        ("Å\x81ukasz", "lost letters"),
        ("MĂĽller", "lost letters"),
        ("M├╝ller", "lost letters"),
        ("РњРѕСЃРєРІР°", "lost letters"),
        ("03/04/26", "date"),
        ("10.12.26", "date"),
        ("26/03/04", "date"),
        ("10월 12일", "date"),
    ],
)
def test_a_typed_text_that_a_spreadsheet_has_damaged_shows_it(typed: str, why: str) -> None:
    assert why in (damage(typed) or "")


@pytest.mark.parametrize(
    "typed",
    [
        *("5 de Mayo", "16 de Septiembre", "Mar 5", "12 Oak", "5-Elm", "12. Elm", "1-2-3", "10/12", "20/22", "3/4/5"),
        *(
            "1E5",
            "#4",
            "# 12",
            "Apt 5",
            "12:30h",
            "A/B",
            "Jörg",
            "Ä",
            "é",
            "山田太郎",
            "Łódź",
            "+49 170 1234567",
            "02134",
        ),
        *("ada@mail.example.com", "O'Neil", "12-Abc", "Oak-12"),
        *("Москва", "Київ", "Ελένη", "联通", "กรุงเทพ", "مريم", "Ağaoğlu", "Győr", "Żółć", "10-12-26", "3/4/26"),
    ],
)
def test_a_text_that_people_type_shows_no_damage(typed: str) -> None:
    assert damage(typed) is None

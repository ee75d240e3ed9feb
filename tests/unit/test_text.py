# ruff: noqa: RUF001  # other scripts than Latin are the point
# other scripts than Latin are the point

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from needs_attention.values.text import cleaned, is_blank, verbatim

NOTHING_VISIBLE = [
    "",
    " ",
    "\t\r\n",
    "\u00a0",
    "\u3000",
    "\u200b",
    "\ufeff",
    "\u200c\u200d",
    "\u2060\u00ad",
    "\u3164",
    "\x00\x1f",
]
NO_LETTER_OR_DIGIT = [".", "-", "--", "—", "...", "?", "***", "/", "[]", "( )", "_", "\u2800", "\ud800"]
PLACEHOLDERS = [
    "[Redacted]",
    "Redacted",
    "REDACTED",
    "<redacted>",
    "**Redacted**",
    "red\u200bacted",
    "\uff3b\uff32\uff45\uff44\uff41\uff43\uff54\uff45\uff44\uff3d",  # full-width
    "Not Provided",
    "not-provided",
    "NOT_PROVIDED.",
    "  Not \u00a0 Provided ",
    "Not Available",
    "Not Applicable",
    "Not Supplied",
    "Not Specified",
    "PII Removed",
    "[PII_REMOVED]",
    "N/A",
    "n/a",
    "(N/A)",
    "UNKNOWN",
    "Unknown",
    "undefined",
    "Amazon does not supply this information",
    "Amazon does not provide buyer names.",
    "Not provided by Amazon",
    "<null>",
    "[NULL]",
    "(none)",
    "{ nil }",
]
REAL_DATA = [
    "Null",
    "NULL",
    "null",
    "None",
    "NONE",
    "Na",
    "NA",
    "Jennifer Null",
    "N",
    "X",
    "0",
    "1-1",
    "12",
    "王",
    "あ",
    "Ó",
    "Unknown Warrior Street 4",
    "Redacted Lane 1",
    "Provided",
    "Amazonstraße 5",
    "Amazon Locker Blue",
    "Nan",
    "Nil",
    "Blank",
    "00000",
    "n a",
    "none@example.com",
]


@pytest.mark.parametrize("text", [None, *NOTHING_VISIBLE, *NO_LETTER_OR_DIGIT, *PLACEHOLDERS])
def test_absence_invisible_text_and_placeholders_are_blank(text: str | None) -> None:
    assert is_blank(text)
    assert cleaned(text) is None


@pytest.mark.parametrize("text", REAL_DATA)
def test_a_real_name_street_or_code_is_never_blank(text: str) -> None:
    assert not is_blank(text)
    assert cleaned(text) == text


@pytest.mark.parametrize(
    ("raw", "stored"),
    [
        ("  Ana \t\n Souza ", "Ana Souza"),
        ("佐藤\u3000花子", "佐藤 花子"),
        ("Ana\u00a0\u2003Souza", "Ana Souza"),
        ("A\u200bna\ufeff Sou\u00adza", "Ana Souza"),
        ("\u202eAna\u202c", "Ana"),
        ("Zoe\u0308", "Zoë"),
        ("Zoe\u200b\u0308", "Zoë"),
        ("㈱山田", "㈱山田"),
        ("\uff21na", "\uff21na"),  # full-width A stays as written
        ("می\u200cخواهم", "می\u200cخواهم"),  # Persian needs its non-joiner
        ("Ana\x00Souza", "Ana Souza"),
        ("Ana\u3164Souza", "Ana Souza"),
        ("Ana \ud800", "Ana \ufffd"),
    ],
)
def test_text_is_stored_composed_and_with_single_spaces(raw: str, stored: str) -> None:
    assert cleaned(raw) == stored


@settings(deadline=None)
@given(st.text() | st.tuples(st.text(), st.sampled_from(PLACEHOLDERS), st.text()).map("".join))
def test_a_text_is_as_blank_behind_something_invisible(text: str) -> None:
    """Most texts are known for data by their first character, and one that cannot be seen never is."""
    assert is_blank(f"\u200b{text}") == is_blank(text)


@settings(deadline=None)
@given(st.text())
def test_cleaning_twice_changes_nothing(text: str) -> None:
    once = cleaned(text)
    assert cleaned(once) == once


@settings(deadline=None)
@given(st.text(alphabet=st.characters(codec=None)))
def test_a_stored_text_can_be_sent_and_has_no_space_to_trim(text: str) -> None:
    stored = cleaned(text)
    if stored is not None:
        stored.encode()
        assert stored == " ".join(stored.split())
        assert unicodedata.is_normalized("NFC", stored)


@settings(deadline=None)
@given(
    st.sampled_from(PLACEHOLDERS), st.sampled_from(["", " ", "\u200b", "\u3000"]), st.sampled_from(["", ".", " ", "\n"])
)
def test_a_placeholder_stays_one_in_any_case_and_between_any_white_space(
    placeholder: str, before: str, after: str
) -> None:
    for spelling in (placeholder, placeholder.lower(), placeholder.upper()):
        assert is_blank(before + spelling + after)


@pytest.mark.parametrize(
    "key", ["ABC  DEF", "TABLE\tLAMP", "N/A", "e\u0301te\u0301-1", " A ", "[Redacted]", "007", "a\u200bb"]
)
def test_a_key_of_other_systems_stays_letter_by_letter(key: str) -> None:
    assert verbatim(key) == key


@pytest.mark.parametrize("nothing", ["", " ", "\t\n", "\u200b", "\u3164\x00"])
def test_a_key_without_a_visible_character_is_none(nothing: str) -> None:
    assert verbatim(nothing) is None


def test_half_a_character_of_a_key_is_a_lost_character() -> None:
    assert verbatim("A\ud800") == "A\ufffd"

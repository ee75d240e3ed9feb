"""Tells blank text from data: absence, white space and the fillers that Amazon and others write are blank."""

import re
import unicodedata

# Amazon, marketplace connectors and order systems after a redaction write these in place of data.
# All lower case, with one space between words; `_bare_words` brings a text into the same shape.
_PLACEHOLDERS = frozenset(
    {
        "n/a",
        "not applicable",
        "not available",
        "not provided",
        "not specified",
        "not supplied",
        "pii removed",
        "redacted",
        "undefined",
        "unknown",
    }
)

# "Amazon does not supply this information" and its variants.
_PLACEHOLDER_OPENINGS = ("amazon does not supply", "amazon does not provide", "not provided by amazon")
_FIRST_LETTERS_OF_PLACEHOLDERS = frozenset(text[0] for text in (*_PLACEHOLDERS, *_PLACEHOLDER_OPENINGS))

# Null, None and Na are surnames, None is a town in Piedmont, and NA is the code of the province of Naples. Names often
# come in capitals ("JENNIFER NULL"), so no spelling of the bare word tells a person from a filler. JSON has its own
# null, and programs that print one put it in brackets: only then is the word a filler.
_BRACKETED_FILLER = re.compile(r"[\[(<{]\s*(?:null|none|nil)\s*[\])>}]\W*")

# Letters in Unicode, but invisible: the fillers of the Hangul blocks.
_INVISIBLE_LETTERS = "\u115f\u1160\u3164\uffa0"
# Characters without width or effect. The zero-width joiner and non-joiner stay: Persian, Hindi and other languages are
# misspelt without them.
_ZERO_WIDTH = "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
_SPACE = re.compile(rf"[\s{_INVISIBLE_LETTERS}\x00-\x1f\x7f-\x9f]+")
_NOTHING = re.compile(f"[{_ZERO_WIDTH}]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_NO_WORD = re.compile(r"[^\w/]+|_+")


def is_blank(text: str | None) -> bool:
    """Whether `text` is absent, has no letter or digit, or is a placeholder such as "[Redacted]".

    Case and the punctuation around and between words do not matter. Real names, streets and towns are never blank,
    however unlikely they look: "Null", "None" and "NA" alone are data.
    """
    if not text:
        return True
    # Nearly every text is data at first sight, and needs no further look.
    first = text[0]
    if first.isascii() and first.isalnum() and first.lower() not in _FIRST_LETTERS_OF_PLACEHOLDERS:
        return False
    visible = _tidy(text)
    if not any(character.isalnum() for character in visible):
        return True
    folded = unicodedata.normalize("NFKC", visible).casefold()
    words = _bare_words(folded)
    return (
        words in _PLACEHOLDERS or words.startswith(_PLACEHOLDER_OPENINGS) or bool(_BRACKETED_FILLER.fullmatch(folded))
    )


def cleaned(text: str | None) -> str | None:
    """`text` as it is stored and shown: composed (NFC), with single spaces as white space; None if it is blank.

    NFC and not NFKC: full-width letters, ligatures and "㈱" belong to the spelling of a name.
    """
    return None if text is None or is_blank(text) else _tidy(text)


def verbatim(text: str) -> str | None:
    """`text` letter by letter, for a key of other systems, such as a SKU; None if nothing in it is visible.

    Placeholders stay: somebody may have chosen such a key. Only a lone surrogate becomes U+FFFD.
    """
    return _LONE_SURROGATE.sub("\ufffd", text) if _tidy(text) else None


def _tidy(text: str) -> str:
    """As `cleaned`, but placeholders stay.

    A lone surrogate, legal in JSON and impossible in UTF-8, becomes U+FFFD: one broken name must not stop a page.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    visible = _NOTHING.sub("", _LONE_SURROGATE.sub("\ufffd", text))
    return _SPACE.sub(" ", unicodedata.normalize("NFC", visible)).strip()


def _bare_words(folded: str) -> str:
    return " ".join(_NO_WORD.sub(" ", folded).split())

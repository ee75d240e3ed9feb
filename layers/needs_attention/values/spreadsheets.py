"""Cells that a spreadsheet program rewrote by itself, and the damage that it leaves on texts that people type.

A spreadsheet reads a cell that looks like a number, a date or a time as one, and writes it in a form of its own: 02134
becomes 2134, 10/12 becomes 12-Oct. A file that it opens or saves in an encoding of before Unicode loses characters.
Nothing in a CSV file prevents that: the known remedies (`="02134"`, a tab, an apostrophe) spoil the file for programs.

What each program does to a cell, and where it says so, is listed in tests/unit/spreadsheets/.
"""

import codecs
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any, NamedTuple

from needs_attention.values.text import cleaned

# Cells that come back -------------------------------------------------------------------------------------------------


def is_rewriting(text: str, came_back: str) -> bool:
    """Whether a spreadsheet may have made `came_back` of the `text` of a cell that nobody touched.

    Neither is blank.
    """
    if cleaned(came_back) == cleaned(text) or _is_reencoded(text, came_back):
        return True
    are_short = max(len(text), len(came_back)) <= _LONGEST_VALUE
    made = (_is_same_number, _is_same_time, _is_same_truth, _is_too_wide) if are_short else ()
    return any(may_be(text, came_back) for may_be in made)


def damage(typed: str) -> str | None:
    """The mark that a spreadsheet left on a text that somebody typed into it, in words; None if it shows none.

    Only the person knows the text that is lost.
    """
    if _SHORT_NUMBER.fullmatch(typed):
        return f"looks like a number that a spreadsheet shortened{_TYPE_AGAIN}"
    if _WRITTEN_TIME.fullmatch(typed) or _is_written_date(typed):
        return f"looks like a date or a time that a spreadsheet made of it{_TYPE_AGAIN}"
    if _ERROR.fullmatch(typed):
        return f"looks like an error that a spreadsheet shows{_TYPE_AGAIN}"
    if "?" in typed or _is_misread(typed):
        return "seems to have lost letters; save the sheet as CSV UTF-8, and type the text again"
    return None


# In characters, of a number, a date or a time.
_LONGEST_VALUE = 40
_LONGEST_TYPED = 400  # more than any part of a name or an address
_TYPE_AGAIN = "; format the column as text, and type the text again"
_SHORT_NUMBER = re.compile(r"[+-]?\d([.,]\d+)?E[+-]\d{1,3}")
_WRITTEN_TIME = re.compile(r"\d{1,2}:\d{2}(:\d{2})?(\s[AP]M)?", re.IGNORECASE)
_HIDDEN = re.compile("#{2,}")
_ERROR = re.compile(r"#{2,}|#(N/A|NAME\?|REF!|VALUE!|DIV/0!|NUM!|NULL!)|Err:\d{3}")


def _is_too_wide(text: str, came_back: str) -> bool:
    """A number or a date in a column that is too narrow for it."""
    return bool(_HIDDEN.fullmatch(came_back)) and (any(True for _ in _numbers(text)) or _time(text) is not None)


_TRUE = frozenset(["true", "wahr", "vrai", "verdadero", "verdadeiro", "vero", "waar", "sant", "prawda", "真"])
_FALSE = frozenset(["false", "falsch", "faux", "falso", "onwaar", "falskt", "fałsz", "假"])


def _is_same_truth(text: str, came_back: str) -> bool:
    words = {text.casefold(), came_back.casefold()}
    return words <= _TRUE or words <= _FALSE


# Numbers --------------------------------------------------------------------------------------------------------------

# Excel keeps 15 digits of a number ("Excel specifications and limits").
_DIGITS_KEPT = 15
_FEWEST_DIGITS_OF_A_CELL = 9
_NUMBER = re.compile(r"(?P<sign>[+-]?)(?P<digits>\d[\d.,]*|[.,]\d+)(E(?P<power>[+-]?\d{1,3}))?", re.IGNORECASE)
_GROUPED = re.compile(r"\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*")
_FRACTION = re.compile(r"(\d{1,3}) (\d{1,3})/(\d{1,3})")
_WITHIN_NUMBERS = re.compile(r"[\s'\u2019]")
_IN_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:[\s'\u2019]\d{3})+(?:[.,]\d+)?")
_NEGATIVE = re.compile(r"\(([\d.,]+)\)|([\d.,]+)-")  # as accountants write it
# A spreadsheet keeps, changes or drops them, as the format of a number.
_FORMATS = re.compile(r"R\$|[%$\u20ac\u00a3\u00a5]")
_ADDED_ZERO = re.compile(r"[+-]?0\d")


def _is_same_number(text: str, came_back: str) -> bool:
    """As a spreadsheet writes numbers: without zeros in front, and shortened to the digits that it shows."""
    if _ADDED_ZERO.match(came_back) or (came_back.startswith("+") and not text.startswith("+")):
        return False
    shown = set(_numbers(came_back))
    originals = list(_numbers(text))
    return not shown.isdisjoint(originals) or any(
        number in _shortened(original, number, came_back) for original in originals for number in shown
    )


def _numbers(text: str) -> Iterator[Decimal]:
    """The numbers that a text may be, with a point or a comma before the decimals."""
    plain = _FORMATS.sub("", unicodedata.normalize("NFKC", text)).strip()
    if fraction := _FRACTION.fullmatch(plain):
        whole, above, below = map(Decimal, fraction.groups())
        if below:
            yield whole + above / below
    if _IN_THOUSANDS.fullmatch(plain):
        plain = _WITHIN_NUMBERS.sub("", plain)
    if negative := _NEGATIVE.fullmatch(plain):
        plain = f"-{negative[1] or negative[2]}"
    if found := _NUMBER.fullmatch(plain):
        digits, power = found["digits"], found["power"] or 0
        forms = {digits.replace(",", ".")}
        if _GROUPED.fullmatch(digits):
            forms.add(digits.replace(",", "").replace(".", ""))
        if "." in digits and "," in digits:
            forms |= {digits.replace(",", ""), digits.replace(".", "").replace(",", ".")}
        for form in forms:
            if form.count(".") <= 1:
                yield Decimal(f"{found['sign']}{form}E{power}")


def _shortened(original: Decimal, shown: Decimal, came_back: str) -> set[Decimal]:
    """The number cut to the digits that Excel keeps and, where a cell is too narrow for it, rounded to those shown."""
    digits = min(len(shown.as_tuple().digits), _DIGITS_KEPT)
    cut = _to_digits(original, _DIGITS_KEPT, ROUND_DOWN)
    is_rounded = "E" in came_back or digits >= _FEWEST_DIGITS_OF_A_CELL
    return {cut, _to_digits(original, digits)} if is_rounded else {cut}


def _to_digits(number: Decimal, digits: int, rounding: str | None = None) -> Decimal:
    return number.quantize(Decimal(1).scaleb(number.adjusted() - digits + 1), rounding)


# Dates and times ------------------------------------------------------------------------------------------------------

# The months in the languages of the largest marketplaces (CLDR), from January on; some have several forms. A beginning
# of three letters or more names one too: "Oct", "févr.".
_MONTHS = [
    names.split()
    for names in (
        "january januar janvier enero gennaio janeiro januari styczeń stycznia ocak",
        "february februar février febrero febbraio fevereiro februari luty lutego şubat",
        "march mars märz mrz marzo março maart mrt marzec marca mart",
        "april avril abril aprile kwiecień kwietnia nisan",
        "may mai mayo maggio maio mei maj maja mayıs",  # noqa: RUF001 - Turkish
        "june juni juin junio giugno junho czerwiec czerwca haziran",
        "july juli juillet julio luglio julho lipiec lipca temmuz",
        "august août agosto augustus augusti sierpień sierpnia ağustos",
        "september septembre septiembre settembre setembro sept wrzesień września eylül",
        "october oktober octobre octubre ottobre outubro październik października ekim",
        "november novembre noviembre listopad listopada kasım",  # noqa: RUF001 - Turkish
        "december dezember décembre diciembre dicembre dezembro desember grudzień grudnia aralık",  # noqa: RUF001 - Turkish
    )
]
_FEWEST_LETTERS = 3
_TOKEN = re.compile(r"\d+|[^\W\d_年月日년월일]+")
_BETWEEN = re.compile(r"[\s\-/.,:年月日년월일]*")
_HALF_OF_DAY = re.compile(r"((?:0?\d|1[0-2])(?::\d{1,2}){0,2})\s*([ap])(?:\.?m\.?)?", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d\d")
_PART_OF_A_TIME = re.compile(rf"\d{{1,2}}|{_YEAR.pattern}")
# A year of two digits: no house number is written so.
_WITH_SHORT_YEAR = re.compile(r"\d{1,2}([/.])\d{1,2}\1(?:0\d|[2-9]\d)")
_EXCELS_DAY_0 = date(1899, 12, 30)
_DAYS = re.compile(r"[2-6]\d{4}")  # from 1954 to 2091


class _Time(NamedTuple):
    """The numbers of a date or a time: years without their century, hours of 24, months as one of `months`."""

    numbers: tuple[int, ...]
    months: frozenset[int] = frozenset()
    years: tuple[int, ...] = ()
    between: tuple[str, ...] = ()

    def readings(self) -> Iterator[Counter[int]]:
        for month in self.months or (None,):
            yield Counter(self.numbers if month is None else (*self.numbers, month))


def _time(text: str) -> _Time | None:
    """None for a text that no spreadsheet takes for a date or a time."""
    half = _HALF_OF_DAY.fullmatch(text)
    clock = half[1] if half else text
    tokens, between = _TOKEN.findall(clock), tuple(_TOKEN.split(clock))
    numbers = [int(token) for token in tokens if token.isdecimal()]
    words = [token for token in tokens if not token.isdecimal()]
    months = _months_named(words[0]) if words else frozenset[int]()
    is_one = (
        len(numbers) in {1, 2, 3}
        and len(words) == bool(months)
        and all(_PART_OF_A_TIME.fullmatch(token) for token in tokens if token.isdecimal())
        and all(map(_BETWEEN.fullmatch, between))
    )
    if not is_one or (len(tokens) == 1 and not half):
        return None
    if half:
        numbers[0] = numbers[0] % 12 + (12 if half[2].lower() == "p" else 0)
    years = tuple(int(token) % 100 for token in tokens if _YEAR.fullmatch(token))
    if _WITH_SHORT_YEAR.fullmatch(text):
        years = (numbers[-1],)
    return _Time(tuple(number % 100 for number in numbers), months, years, between)


def _months_named(word: str) -> frozenset[int]:
    beginning = word.casefold()
    if len(beginning) < _FEWEST_LETTERS:
        return frozenset()
    months = enumerate(_MONTHS, start=1)
    return frozenset(number for number, names in months if any(name.startswith(beginning) for name in names))


def _is_same_time(text: str, came_back: str) -> bool:
    """As a spreadsheet writes dates and times: in another sequence, with the year of now, with seconds."""
    ours, theirs = _time(text), _time(came_back) or _day_counted(came_back)
    if ours is None or theirs is None:
        return False
    if not (ours.years or ours.months or theirs.years or theirs.months):
        return _is_same_sequence(ours, theirs)
    return any(
        _may_be_added((other - one).elements(), ours, theirs)
        and _may_be_left_out((one - other).elements(), ours, theirs)
        for one in ours.readings()
        for other in theirs.readings()
    )


def _is_same_sequence(text: _Time, came_back: _Time) -> bool:
    """1-2-3 and 1-3-2 are two house numbers. A clock adds seconds, and a month may have its sign behind it."""
    shown = "".join(came_back.between)
    ours, theirs = text.numbers, came_back.numbers
    if ":" in shown and (len(ours) == 1 or ":" in "".join(text.between)):
        return ours == theirs[: len(ours)] and not any(theirs[len(ours) :])
    return ours == theirs and (text.between == came_back.between or "月" in shown or "월" in shown)


def _may_be_added(numbers: Iterable[int], text: _Time, came_back: _Time) -> bool:
    """A day 1 to a month, a year to a day, minutes and seconds to an hour."""
    added = [number for number in numbers if number]
    return added in ([], *([year] for year in came_back.years), *([[1]] if text.months else ()))


def _may_be_left_out(numbers: Iterable[int], text: _Time, came_back: _Time) -> bool:
    """The year, where the month has a name."""
    left_out = list(numbers)
    is_whole_date = len(text.numbers) == 3
    return not left_out or (is_whole_date and bool(came_back.months) and len(left_out) == 1)


def _day_counted(text: str) -> _Time | None:
    """The day for which Excel keeps a number, and shows it in a cell that is no date any more."""
    if not _DAYS.fullmatch(text):
        return None
    day = _EXCELS_DAY_0 + timedelta(days=int(text))
    year = day.year % 100
    return _Time((day.day, day.month, year), years=(year,))


def _is_written_date(text: str) -> bool:
    """Whether it is a date in a form in which spreadsheets write one, and people write nothing else in an address."""
    return bool(_SHORT_DATE.fullmatch(text) and _time(text)) or bool(_FULL_DATE.fullmatch(text))


_SHORT_DATE = re.compile(
    r"\d{1,2}(?:[-/]|\. ?)[^\W\d_]{3,4}\.?|[^\W\d_]{3,4}[-.]\d{2}|\d{1,2}月 ?\d{1,2}日|\d{1,2}월 ?\d{1,2}일"
)
_FULL_DATE = re.compile(
    r"\d{1,2}([/.-])\d{1,2}\1(?:19|20)\d\d|(?:19|20)\d\d([/-])\d{1,2}\2\d{1,2}|\d\d([/.])\d\d\3\d\d"
)


# Encodings ------------------------------------------------------------------------------------------------------------

# The code pages of Windows, of DOS and of the Macintosh in which a program may save a text, or read one in UTF-8.
_OF_ONE_BYTE = (
    *("cp1252", "mac_roman", "cp1250", "cp1251", "cp1253", "cp1254", "cp1256", "cp1257", "cp1258", "iso8859-2"),
    *("cp437", "cp850", "cp852"),
)
_PAGES = (*_OF_ONE_BYTE, "cp874", "cp1255", "cp932", "gbk", "big5", "cp949")
_WESTERN = ("cp1252", "mac_roman")


def _is_reencoded(text: str, came_back: str) -> bool:
    """Saved or read in an encoding of before Unicode: a letter that it lacks is a question mark, or loses its accent.

    The text of one encoding that is read in another is made of other letters.
    """
    if text.isascii() or len(text) > _LONGEST_TYPED:
        return False
    back, shortest = cleaned(came_back), len(came_back.strip())
    # A reading may have blanks at its ends. Most readings are told apart by their length alone.
    likely = (read for read in _readings(text) if 0 <= len(read) - shortest <= len(text))
    return any(read == came_back or cleaned(read) == back for read in likely)


def _readings(text: str) -> Iterator[str]:
    in_utf_8 = text.encode("utf-8", "replace")
    yield from (in_utf_8.decode(read_as, _KEEP) for read_as in _PAGES)
    in_units = "".join(character * (1 + (character > "\uffff")) for character in text)  # Windows counts UTF-16 units
    forms = {text, in_units, _with_best_fit(text)}
    for saved_as in _PAGES:
        for saved in {form.encode(saved_as, "replace") for form in forms}:
            yield from (saved.decode(read_as, _KEEP) for read_as in (saved_as, *_WESTERN))
        yield text.encode(saved_as, _UNDERSCORE).decode(saved_as, _KEEP)  # Excel on the Macintosh


def _is_misread(text: str) -> bool:
    """Whether it is UTF-8 that was read as something else: "JÃ¶rg" for "Jörg".

    In a code page of two bytes, and in the Thai one, real words look so too.
    """
    for read_as in _OF_ONE_BYTE:
        try:
            if text.encode(read_as, _KEEP).decode() != text:
                return True
        except UnicodeError:
            continue
    return False


def _has(encoding: str, character: str) -> bool:
    return character.encode(encoding, "replace") != b"?"


def _with_best_fit(text: str) -> str:
    """Letters that Windows-1252 lacks without their accent or stroke: "L" for "Ł" (Microsoft's bestfit1252.txt)."""
    return "".join(character if _has("cp1252", character) else _base(character) for character in text)


def _base(character: str) -> str:
    return unicodedata.normalize("NFKD", _WITHOUT_STROKE.get(character, character))[0]


_WITHOUT_STROKE = dict(zip("łŁđĐħĦı", "lLdDhHi", strict=True))


def _as_control(error: Any) -> tuple[str | bytes, int]:
    """Bytes that Windows-1252 does not define pass as control characters, as programs let them pass."""
    part = error.object[error.start : error.end]
    return part.encode("latin-1") if isinstance(part, str) else part.decode("latin-1"), error.end


def _as_underscore(error: Any) -> tuple[str | bytes, int]:
    return "_" * (error.end - error.start), error.end


_KEEP, _UNDERSCORE = "needs_attention.as_control", "needs_attention.as_underscore"
codecs.register_error(_KEEP, _as_control)
codecs.register_error(_UNDERSCORE, _as_underscore)

"""Orders as a sheet (CSV, RFC 4180): people fill in the empty cells, which stand for missing data, and send it back.

A cell that comes back empty, as it was exported, or as a spreadsheet writes what was exported, says nothing. So two
columns, exported empty, settle what differs from Amazon: they name units whose typed value stays, or returns to
Amazon's.

A spreadsheet runs a text that begins like a formula, whoever wrote it. An export puts an apostrophe in front of such a
text, and an import takes it away (OWASP, "CSV Injection").
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from pydantic.alias_generators import to_camel

from needs_attention.api.operations import LARGEST_SHEET
from needs_attention.api.problems import FieldError, FieldWarning, Problem, invalid
from needs_attention.orders.amazon_order import Address
from needs_attention.orders.checks import CHECK_OF
from needs_attention.orders.countries import code_of_country
from needs_attention.orders.edits import UNITS
from needs_attention.orders.order import DIFFERS
from needs_attention.orders.plausibility import may_be_postal_code
from needs_attention.values.text import is_blank

# A cell may be as long as a sheet: the text of its field is checked.
csv.field_size_limit(LARGEST_SHEET)
MOST_ROWS = 250  # as many as a list shows at most, so that every export can come back whole
_SEPARATORS = (",", ";", "\t", "|")
# A first line that tells Excel the separator; some programs write it.
_SEPARATOR_LINE = re.compile(r'"?sep=([,;\t|])"?\r?\n', re.IGNORECASE)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_BYTE_ORDER_MARK = "\ufeff"  # spreadsheets write it, and recognise UTF-8 by it
# A change in these columns changes nothing.
_SHOWN = (
    "orderId",
    "revision",
    "integration",
    "stage",
    "missing",
    "blockedBy",
    "goingNowhere",
    "stopped.by",
    "stopped.at",
    "shipBy",
    "sellerCentralUrl",
    "differsFromAmazon",
    "amazonSays",
)
_LOST_ZEROS = "seems to have lost zeros in front; format the column as text, and type the postal code again"
_KEEP, _TAKE = _SETTLING = ("keepTyped", "takeAmazons")
_NAMES = ("firstName", "lastName", "company", "email")
_PARTS = [info.alias or name for name, info in Address.model_fields.items() if name != "address_type"]
_ADDRESSES = ("deliveryAddress", "billingAddress")
_EDITABLE = (*_NAMES, *(f"{address}.{part}" for address in _ADDRESSES for part in _PARTS))
_FILLED_IN = (*_SETTLING, *_EDITABLE)
_NEEDED = ("orderId", "revision")
_COLUMNS = frozenset((*_SHOWN, *_FILLED_IN))
_COLUMN = {name.casefold(): name for name in _COLUMNS}
_WHOLE_NUMBER = re.compile(r"(\d{1,3}(?:[., ]?\d{3})*)(?:[.,]0{1,2})?")
# By unit: its fields in a patch.
_FIELDS_OF_UNIT = {to_camel(unit): (to_camel(unit),) for unit in UNITS} | {"name": ("firstName", "lastName", "company")}


class SheetRow(NamedTuple):
    """One order of a sheet that somebody sent back. `number` counts the rows below the header from 1.

    `warnings` names cells that change nothing, because their column is none of a sheet. `problem` refuses the row.
    """

    number: int
    order_id: str
    revision: str
    cells: Mapping[str, str]
    warnings: tuple[FieldWarning, ...] = ()
    problem: Problem | None = None

    def patch(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """The cells that a person filled in, as a JSON Merge Patch on the order. An empty cell changes nothing.

        Raises a 422 for a text that a spreadsheet has damaged, for a unit that is none, and for one that the row
        settles in two ways.
        """
        typed = _typed(self.cells, _cells(order))
        patch: dict[str, Any] = {name: text for name, text in typed.items() if name in _NAMES}
        for address in _ADDRESSES:
            parts = {part: typed[f"{address}.{part}"] for part in _PARTS if f"{address}.{part}" in typed}
            if parts:
                patch[address] = parts
        kept, taken = self._units(_KEEP), self._units(_TAKE)
        amazons = [field for unit in taken for field in _FIELDS_OF_UNIT[unit]]
        contradicting = [unit for unit in taken if unit in kept] or [field for field in amazons if field in patch]
        if contradicting:
            message = f"cannot take what the row also types in or keeps: {', '.join(contradicting)}"
            raise invalid([FieldError(_TAKE, "contradiction", message)])
        return patch | dict.fromkeys(amazons) | ({_KEEP: kept} if kept else {})

    def _units(self, column: str) -> list[str]:
        """The units that a cell names, between blanks, commas or semicolons."""
        names = [name for name in re.split(r"[\s,;]+", self.cells.get(column, "")) if name]
        if not set(names) <= _FIELDS_OF_UNIT.keys():
            message = f"no typed value has that name; those are {', '.join(_FIELDS_OF_UNIT)}"
            raise invalid([FieldError(column, "notAllowed", message)])
        return names


def sheet_of(orders: Iterable[Mapping[str, Any]]) -> str:
    """Whole orders as a sheet, one row each below the header."""
    written = io.StringIO()
    writer = csv.DictWriter(written, [*_SHOWN, *_FILLED_IN])
    writer.writeheader()
    for order in orders:
        stopped = order["stopped"] or {}
        shown = {name: order.get(name) for name in _SHOWN} | {
            "missing": " ".join(order["missing"]),
            "blockedBy": " ".join(order["blockedBy"]),
            "goingNowhere": "true" if order["goingNowhere"] else "false",
            "stopped.by": stopped.get("by"),
            "stopped.at": stopped.get("at"),
            "differsFromAmazon": " ".join(_differing_units(order)),
            "amazonSays": "; ".join(_amazons_words(order)),
        }
        cells = {name: "" if value is None else str(value) for name, value in shown.items()} | _cells(order)
        writer.writerow({name: _harmless(text) for name, text in cells.items()})
    return _BYTE_ORDER_MARK + written.getvalue()


def rows_of(text: str) -> list[SheetRow]:
    """The rows of a sheet; blank ones are none. Columns stand between commas, semicolons, tabs or bars.

    Raises a 400 for a text that is no sheet, and a 422 for no orders or too many.
    """
    body, separator = _separated(text.removeprefix(_BYTE_ORDER_MARK).lstrip("\r\n"))
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=separator, strict=True)
    try:
        columns = [_COLUMN.get(name.strip().casefold(), name.strip()) for name in next(reader, [])]
        _check_columns(columns)
        filled = ((number, cells) for number, cells in enumerate(reader, start=1) if any(map(str.strip, cells)))
        lines = list(islice(filled, MOST_ROWS + 1))
    except csv.Error as error:
        message = f"The sheet cannot be read: {error} (line {reader.line_num})."
        raise Problem(400, message, code="unreadableSheet") from None
    if not 1 <= len(lines) <= MOST_ROWS:
        raise invalid([FieldError("body", "tooManyRows" if lines else "required", f"takes 1 to {MOST_ROWS} rows")])
    rows = [_row(number, columns, cells) for number, cells in lines]
    times = Counter(row.order_id for row in rows)
    return [row if times[row.order_id] == 1 else _twice(row) for row in rows]


def _twice(row: SheetRow) -> SheetRow:
    """A row that names the order of another row, or none: nobody knows which of them counts."""
    if not row.order_id:
        return row
    message = f"{row.order_id} is in another row too; name each order only once"
    return row._replace(problem=invalid([FieldError("orderId", "notUnique", message)]))


def _separated(text: str) -> tuple[str, str]:
    """The sheet without the line that names its separator, and the separator. The column of order IDs shows it."""
    if told := _SEPARATOR_LINE.match(text):
        return text[told.end() :], told[1]
    header = text.partition("\n")[0].replace('"', "").casefold()
    found = (one for one in _SEPARATORS if "orderid" in map(str.strip, header.split(one)))
    return text, next(found, ",")


def _check_columns(columns: Iterable[str]) -> None:
    given = Counter(name for name in columns if name in _COLUMNS)
    errors = [FieldError(name, "required", "is not among the columns") for name in _NEEDED if name not in given]
    errors += [FieldError(name, "notAllowed", "is there twice") for name, times in given.items() if times > 1]
    if errors:
        raise invalid(errors)


def _row(number: int, columns: Sequence[str], cells: Sequence[str]) -> SheetRow:
    """Cells that a spreadsheet left out at the end of a row are empty."""
    typed = dict.fromkeys(columns, "") | dict(zip(columns, map(_as_typed, cells), strict=False))
    filled_in = {name: typed[name] for name in typed if name in _FILLED_IN}
    order_id, revision = (typed[name].strip() for name in _NEEDED)
    errors = [FieldError(name, "required", "is blank in this row") for name in _NEEDED if not typed[name].strip()]
    if any(map(str.strip, cells[len(columns) :])):
        message = "has more cells than there are columns; a text that holds the separator needs quotation marks"
        errors.append(FieldError(f"row {number}", "wrongLength", message))
    ignored = "is no column of a sheet, so the cell changes nothing"
    warnings = tuple(
        FieldWarning(name or f"column {place}", "unknownColumn", ignored)
        for place, (name, text) in enumerate(zip(columns, cells, strict=False), start=1)
        if name not in _COLUMNS and text.strip()
    )
    return SheetRow(number, order_id, _whole(revision), filled_in, warnings, invalid(errors) if errors else None)


def _whole(number: str) -> str:
    """A whole number as it was exported: a spreadsheet may write 1,000 or 3.0."""
    written = _WHOLE_NUMBER.fullmatch(number)
    return re.sub(r"\D", "", written[1]) if written else number


def _typed(cells: Mapping[str, str], shown: Mapping[str, str]) -> dict[str, str]:
    """The cells in which a person typed something. Raises a 422 that names those whose text a spreadsheet has lost."""
    # Imported here, because compiling its patterns takes 6 ms, and most cold starts do not need it.
    from needs_attention.values.spreadsheets import damage, is_rewriting  # noqa: PLC0415 - see above

    changed = {
        name: text
        for name, text in cells.items()
        if name in shown and text and not (shown[name] and is_rewriting(shown[name], text))
    }
    # A question mark may be part of an email address.
    checked = {name: text.replace("?", "") if name == "email" else text for name, text in changed.items()}
    damaged = {name: why for name, text in checked.items() if (why := damage(text))}
    # A cell with nothing but an invisible character, a dash or "n/a" is as empty as one without.
    typed = {name: text for name, text in changed.items() if not is_blank(text)}
    damaged |= dict.fromkeys(_codes_without_zeros(typed, {**shown, **typed}), _LOST_ZEROS)
    errors = [FieldError(name, "changedBySpreadsheet", why) for name, why in damaged.items()]
    if errors:
        raise invalid(errors)
    return typed


def _codes_without_zeros(typed: Mapping[str, str], order: Mapping[str, str]) -> Iterator[str]:
    """The typed postal codes that only zeros in front make codes of their country."""
    for address in _ADDRESSES:
        name = f"{address}.postalCode"
        code = typed.get(name, "")
        if not code.isdecimal():
            continue
        country = code_of_country(order[f"{address}.countryCode"])
        padded = (code.zfill(len(code) + zeros) for zeros in (1, 2))
        if not may_be_postal_code(code, country) and any(may_be_postal_code(one, country) for one in padded):
            yield name


def _cells(order: Mapping[str, Any]) -> dict[str, str]:
    cells = {name: order.get(name) or "" for name in _NAMES}
    for address in _ADDRESSES:
        parts = order.get(address) or {}
        cells |= {f"{address}.{part}": parts.get(part) or "" for part in _PARTS}
    return cells


def _differing_units(order: Mapping[str, Any]) -> dict[str, None]:
    """The units that wait for a person's word, by the names that settle them."""
    differing = (item["field"] for item in order["missingDetails"] if item["reason"] == DIFFERS)
    return dict.fromkeys(to_camel(str(CHECK_OF[field].unit)) for field in differing)


def _amazons_words(order: Mapping[str, Any]) -> Iterator[str]:
    """Amazon's values that are not those of the cells, each after its column; those of line items in one."""
    for unit, said in order["amazonSays"].items():
        if unit in _ADDRESSES:
            parts, shown = said or {}, order[unit] or {}
            others = (part for part in _PARTS if part in parts and parts[part] != shown.get(part))
            yield from (f"{unit}.{part}: {parts[part]}" for part in others)
        elif unit == "lineItems" and said is not None:
            lines = (line for line in said if line["quantity"] != 0 and not line["isCancelled"])
            goods = ", ".join(f"{line['quantity']} x {line['sellerSku'] or line['asin']}" for line in lines)
            yield f"{unit}: {goods or 'none'}"
        elif said:
            yield f"{unit}: {said}"


def _harmless(text: str) -> str:
    """A text that already begins with an apostrophe and a formula gets another one, which an import takes away."""
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def _as_typed(text: str) -> str:
    stripped = text.strip(" \t\r\n")
    return stripped[1:] if stripped.startswith("'") and stripped.lstrip("'").startswith(_FORMULA) else stripped

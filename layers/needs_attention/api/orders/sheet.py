"""Orders as a sheet (CSV, RFC 4180): people fill in the empty cells, which stand for missing data, and send it back.

A cell that comes back empty, or as it was exported, says nothing. So two columns, exported empty, settle what differs
from Amazon: they name units whose typed value stays, or returns to Amazon's.

A spreadsheet runs a text that begins like a formula, whoever wrote it. An export puts an apostrophe in front of such a
text, and an import takes it away (OWASP, "CSV Injection").
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from pydantic.alias_generators import to_camel

from needs_attention.api.problems import FieldError, Problem, invalid
from needs_attention.orders.amazon_order import Address
from needs_attention.orders.checks import CHECK_OF
from needs_attention.orders.edits import UNITS
from needs_attention.orders.order import DIFFERS

MOST_ROWS = 100
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
_KEEP, _TAKE = _SETTLING = ("keepTyped", "takeAmazons")
_NAMES = ("firstName", "lastName", "company", "email")
_PARTS = [info.alias or name for name, info in Address.model_fields.items() if name != "address_type"]
_ADDRESSES = ("deliveryAddress", "billingAddress")
_EDITABLE = (*_NAMES, *(f"{address}.{part}" for address in _ADDRESSES for part in _PARTS))
_FILLED_IN = (*_SETTLING, *_EDITABLE)
# By unit: its fields in a patch.
_FIELDS_OF_UNIT = {to_camel(unit): (to_camel(unit),) for unit in UNITS} | {"name": ("firstName", "lastName", "company")}


class SheetRow(NamedTuple):
    """One order of a sheet that somebody sent back. `number` counts the rows below the header from 1."""

    number: int
    order_id: str
    revision: str
    cells: Mapping[str, str]

    def patch(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """The cells that a person filled in, as a JSON Merge Patch on the order. An empty cell changes nothing.

        Raises a 422 for a unit that is none, and for one that the row settles in two ways.
        """
        shown = _cells(order)
        typed = {name: text for name, text in self.cells.items() if name in shown and text not in {"", shown[name]}}
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
    """The rows of a sheet. Raises a 400 for a text that is no sheet, and a 422 for no orders or too many."""
    reader = csv.DictReader(io.StringIO(text.removeprefix(_BYTE_ORDER_MARK), newline=""), strict=True)
    try:
        _check_columns(reader.fieldnames or ())
        rows = [_row(number, cells) for number, cells in enumerate(reader, start=1)]
    except csv.Error as error:
        raise Problem(400, f"The sheet cannot be read: {error}.", code="unreadableSheet") from None
    if not 1 <= len(rows) <= MOST_ROWS:
        raise invalid([FieldError("body", "tooManyRows" if rows else "required", f"takes 1 to {MOST_ROWS} rows")])
    if len({row.order_id for row in rows}) < len(rows):
        raise invalid([FieldError("orderId", "notUnique", "name each order only once")])
    return rows


def _check_columns(columns: Iterable[str]) -> None:
    given = Counter(columns)
    missing = [name for name in ("orderId", "revision") if name not in given]
    unknown = sorted(given.keys() - {*_SHOWN, *_FILLED_IN})
    errors = [FieldError(name, "required", "is not among the columns") for name in missing]
    errors += [FieldError(name, "unknownField", "is not a column of this sheet") for name in unknown]
    twice = sorted(name for name, times in given.items() if times > 1)
    errors += [FieldError(name, "notAllowed", "is there twice") for name in twice]
    if errors:
        raise invalid(errors)


def _row(number: int, cells: Mapping[str | None, Any]) -> SheetRow:
    if None in cells or None in cells.values():
        raise invalid([FieldError(f"row {number}", "wrongLength", "must have one cell for each column")])
    typed = {str(name): _as_typed(text) for name, text in cells.items()}
    filled_in = {name: text for name, text in typed.items() if name in _FILLED_IN}
    return SheetRow(number, typed["orderId"], typed["revision"], filled_in)


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
    stripped = text.strip()
    return stripped[1:] if stripped.startswith("'") and stripped.lstrip("'").startswith(_FORMULA) else stripped

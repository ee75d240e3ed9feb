"""Orders as a sheet (CSV, RFC 4180): what is missing is an empty cell, to be filled in and sent back.

A spreadsheet takes a text that begins like a formula for one, whoever wrote it: such a cell gets an apostrophe in front
on the way out, which is taken away on the way in (OWASP, "CSV Injection").
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from needs_attention.api.problems import FieldError, Problem, invalid
from needs_attention.orders.amazon_order import Address

MOST_ROWS = 100
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_BYTE_ORDER_MARK = "\ufeff"  # spreadsheets write it, and know UTF-8 by it
_SHOWN = ("orderId", "revision", "integration", "stage", "missing", "shipBy", "sellerCentralUrl")
_NAMES = ("firstName", "lastName", "company", "email")
_PARTS = [info.alias or name for name, info in Address.model_fields.items() if name != "address_type"]
_ADDRESSES = ("deliveryAddress", "billingAddress")
_EDITABLE = (*_NAMES, *(f"{address}.{part}" for address in _ADDRESSES for part in _PARTS))


class SheetRow(NamedTuple):
    """One order of a sheet that came back. `number` counts the rows below the header from 1."""

    number: int
    order_id: str
    revision: str
    cells: Mapping[str, str]

    def patch(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """What was typed in, as a JSON Merge Patch on the order as it is shown. An empty cell changes nothing."""
        shown = _cells(order)
        typed = {name: text for name, text in self.cells.items() if text and text != shown[name]}
        patch: dict[str, Any] = {name: text for name, text in typed.items() if name in _NAMES}
        for address in _ADDRESSES:
            parts = {part: typed[f"{address}.{part}"] for part in _PARTS if f"{address}.{part}" in typed}
            if parts:
                patch[address] = parts
        return patch


def sheet_of(orders: Iterable[Mapping[str, Any]]) -> str:
    """Whole orders as a sheet, a row each below the header."""
    written = io.StringIO()
    writer = csv.DictWriter(written, [*_SHOWN, *_EDITABLE])
    writer.writeheader()
    for order in orders:
        shown = {name: order.get(name) for name in _SHOWN} | {"missing": " ".join(order["missing"])}
        cells = {name: "" if value is None else str(value) for name, value in shown.items()} | _cells(order)
        writer.writerow({name: _harmless(text) for name, text in cells.items()})
    return _BYTE_ORDER_MARK + written.getvalue()


def rows_of(text: str) -> list[SheetRow]:
    """The rows of a sheet. Raises a 400 for what is none, and a 422 for one that names no order, or too many."""
    reader = csv.DictReader(io.StringIO(text.removeprefix(_BYTE_ORDER_MARK), newline=""), strict=True)
    try:
        _check_columns(reader.fieldnames or ())
        rows = [_row(number, cells) for number, cells in enumerate(reader, start=1)]
    except csv.Error as error:
        raise Problem(400, f"The sheet cannot be read: {error}.", code="unreadableSheet") from None
    if not 1 <= len(rows) <= MOST_ROWS:
        raise invalid([FieldError("body", "tooManyRows" if rows else "required", f"takes 1 to {MOST_ROWS} rows")])
    if len({row.order_id for row in rows}) < len(rows):
        raise invalid([FieldError("orderId", "notUnique", "an order may stand here only once")])
    return rows


def _check_columns(columns: Iterable[str]) -> None:
    given = Counter(columns)
    missing = [name for name in ("orderId", "revision") if name not in given]
    unknown = sorted(given.keys() - {*_SHOWN, *_EDITABLE})
    errors = [FieldError(name, "required", "is not among the columns") for name in missing]
    errors += [FieldError(name, "unknownField", "is no column of this sheet") for name in unknown]
    twice = sorted(name for name, times in given.items() if times > 1)
    errors += [FieldError(name, "notAllowed", "is a column twice") for name in twice]
    if errors:
        raise invalid(errors)


def _row(number: int, cells: Mapping[str | None, Any]) -> SheetRow:
    if None in cells or None in cells.values():
        raise invalid([FieldError(f"row {number}", "wrongLength", "has other cells than there are columns")])
    typed = {str(name): _as_typed(text) for name, text in cells.items()}
    editable = {name: text for name, text in typed.items() if name in _EDITABLE}
    return SheetRow(number, typed["orderId"], typed["revision"], editable)


def _cells(order: Mapping[str, Any]) -> dict[str, str]:
    cells = {name: order.get(name) or "" for name in _NAMES}
    for address in _ADDRESSES:
        parts = order.get(address) or {}
        cells |= {f"{address}.{part}": parts.get(part) or "" for part in _PARTS}
    return cells


def _harmless(text: str) -> str:
    """A text that looks as if it had been made harmless gets an apostrophe too, which is the one that is taken away."""
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def _as_typed(text: str) -> str:
    stripped = text.strip()
    return stripped[1:] if stripped.startswith("'") and stripped.lstrip("'").startswith(_FORMULA) else stripped

"""Amazon's report of all orders by last update: asks for it, and reads its rows.

Its quota is its own (`createReport` one in a minute), and one report holds a month if need be. It names orders and when
they were updated, and holds no name and no street. An order without items has no row in it.

Facts: the model of the Reports API 2021-06-30, and Amazon's page "Order Tracking reports attributes" for the columns.
Times with a zone's name were seen in reports of listings (jlevers/selling-partner-api#525).
"""

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import IO, Final, Literal, NamedTuple, cast
from urllib.parse import quote

from needs_attention.amazon.client import SellingPartnerApi
from needs_attention.amazon.errors import UnreadableAnswer
from needs_attention.orders.amazon_order import may_be_order_id
from needs_attention.values.times import in_utc, instant

REPORT_TYPE = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL"
ORDER_ID, UPDATED_AT, STATUS, CHANNEL = "amazon-order-id", "last-updated-date", "order-status", "sales-channel"
# Orders of other shops that Amazon only fulfils stand in the report, but no search of a marketplace lists them.
ELSEWHERE = "Non-Amazon"
_REPORTS = "/reports/2021-06-30/reports"
_DOCUMENTS = "/reports/2021-06-30/documents"
_GZIP = b"\x1f\x8b"
_LONGEST_LINE = 100_000
# IDs and times are ASCII in each of the character sets in which Amazon was seen to write reports.
_AN_ASCII_CHARSET = "latin-1"
_CHARSETS_BY_MARK = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_TIME = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?)(?:(Z|[+-]\d\d:?\d\d)| ([A-Z]+))", re.ASCII)
# Hours ahead of UTC. "IST", "CST" and "AST" are left out: each means zones of two marketplaces or more.
_ZONES = {
    "UTC": 0, "GMT": 0, "WET": 0, "BST": 1, "WEST": 1, "CET": 1, "MET": 1, "MEZ": 1, "CEST": 2, "MEST": 2, "MESZ": 2,
    "SAST": 2, "EET": 2, "EEST": 3, "TRT": 3, "GST": 4, "SGT": 8, "JST": 9, "AEST": 10, "AEDT": 11,
    "EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "BRT": -3,
}  # fmt: skip


class ReportProgress(NamedTuple):
    """How far Amazon has come with a report, in its own words; `document_id` is a text once the report is made."""

    status: object
    document_id: object


class ReportedOrder(NamedTuple):
    """One row: what it says of the order that its item belongs to."""

    order_id: str
    updated_at: datetime
    is_pending: bool


class Unreadable(Enum):
    """A row of an order whose ID or time cannot be read: a comparison without it proves nothing."""

    ROW = "row"


UNREADABLE: Final = Unreadable.ROW
type _Bytes = io.BufferedReader[io.RawIOBase] | gzip.GzipFile
type ReportRow = ReportedOrder | Literal[Unreadable.ROW] | None


def request_report(
    amazon: SellingPartnerApi, marketplace_ids: Sequence[str], updated_after: datetime, updated_before: datetime
) -> str:
    """Asks for a report of the orders updated between the two times, and answers with its ID. Raises an SpApiError."""
    body = {
        "reportType": REPORT_TYPE,
        "marketplaceIds": list(marketplace_ids),
        "dataStartTime": instant(updated_after),
        "dataEndTime": instant(updated_before),
    }
    report_id = amazon.call("createReport", "POST", _REPORTS, body=body).get("reportId")
    if not isinstance(report_id, str) or not report_id:
        raise UnreadableAnswer("createReport: Amazon answered without reportId")
    return report_id


def report_progress(amazon: SellingPartnerApi, report_id: str) -> ReportProgress:
    """Raises an SpApiError."""
    found = amazon.call("getReport", "GET", f"{_REPORTS}/{quote(report_id, safe='')}")
    return ReportProgress(found.get("processingStatus"), found.get("reportDocumentId"))


@contextmanager
def report_rows(amazon: SellingPartnerApi, document_id: str) -> Iterator[Iterator[ReportRow]]:
    """The rows of a report, read as they are taken; None for a row that says nothing here. Raises an SpApiError."""
    document = amazon.call("getReportDocument", "GET", f"{_DOCUMENTS}/{quote(document_id, safe='')}")
    if not isinstance(url := document.get("url"), str):
        raise UnreadableAnswer("getReportDocument: Amazon answered without url")
    with amazon.document(url) as content:
        try:
            rows = csv.reader(_lines(_as_text(_unpacked(content))), delimiter="\t", quoting=csv.QUOTE_NONE)
            columns = [_unquoted(name) for name in next(rows, [])]
            if not {ORDER_ID, UPDATED_AT, STATUS, CHANNEL} <= set(columns):
                raise UnreadableAnswer("the order report lacks columns that Amazon documents")
            yield (_read(dict(zip(columns, map(_unquoted, row), strict=False))) for row in rows)
        except (gzip.BadGzipFile, EOFError, zlib.error, UnicodeError) as error:
            raise UnreadableAnswer(f"the order report cannot be unpacked: {type(error).__name__}") from error


def _unpacked(content: IO[bytes]) -> _Bytes:
    """By its first bytes: `compressionAlgorithm` may say otherwise (amzn/selling-partner-api-docs #664, #3200)."""
    buffered = io.BufferedReader(cast(io.RawIOBase, content))
    is_packed = buffered.peek(len(_GZIP)).startswith(_GZIP)
    return gzip.GzipFile(fileobj=buffered) if is_packed else buffered


def _as_text(content: _Bytes) -> io.TextIOWrapper:
    beginning = content.peek(3)
    charsets = (charset for mark, charset in _CHARSETS_BY_MARK.items() if beginning.startswith(mark))
    return io.TextIOWrapper(
        cast(IO[bytes], content), encoding=next(charsets, _AN_ASCII_CHARSET), errors="replace", newline=""
    )


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:
            raise UnreadableAnswer("the order report has a line without end")
        # The reader passes over empty lines by itself, however many, and nobody would look at the clock meanwhile.
        yield line if line.strip("\r\n") else "\t"


def _unquoted(cell: str) -> str:
    """None of the texts that matter here has a quote in it, and a title may begin with one that never ends."""
    return cell.strip(' "')


def _read(row: Mapping[str, str]) -> ReportRow:
    order_id = row.get(ORDER_ID, "")
    if not any(row.values()) or row.get(CHANNEL, "").startswith(ELSEWHERE):
        return None
    time = _time(row.get(UPDATED_AT, ""))
    if time is None or not may_be_order_id(order_id):
        return UNREADABLE
    return ReportedOrder(order_id, time, is_pending=row.get(STATUS, "").startswith("Pending"))


def _time(text: str) -> datetime | None:
    """A time in ISO 8601 with its zone, or with the name of one: "2026-10-30 04:00:00 PDT"."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    digits, offset, zone = match.groups()
    try:
        if offset:
            return in_utc(datetime.fromisoformat(digits + offset))
        return in_utc(datetime.fromisoformat(digits).replace(tzinfo=timezone(timedelta(hours=_ZONES[zone]))))
    except (KeyError, ValueError):
        return None

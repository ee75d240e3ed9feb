"""Amazon's report of all orders by last update: asks for it, and reads its rows.

Its quota is its own (`createReport` one in a minute), and one report holds a month if need be. It names orders and when
they were updated, and holds no name and no street. An order without items has no row in it.

Facts: the model of the Reports API 2021-06-30, and Amazon's page "Order Tracking reports attributes" for the columns.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import IO, NamedTuple, cast
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


class ReportProgress(NamedTuple):
    """How far Amazon has come with a report, in its own words; `document_id` is a text once the report is made."""

    status: object
    document_id: object


class ReportedOrder(NamedTuple):
    """One row: what it says of the order that its item belongs to."""

    order_id: str
    updated_at: datetime
    is_pending: bool


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
def report_rows(amazon: SellingPartnerApi, document_id: str) -> Iterator[Iterator[ReportedOrder | None]]:
    """The rows of a report, read as they are taken; None for a row that says nothing here. Raises an SpApiError."""
    document = amazon.call("getReportDocument", "GET", f"{_DOCUMENTS}/{quote(document_id, safe='')}")
    if not isinstance(url := document.get("url"), str):
        raise UnreadableAnswer("getReportDocument: Amazon answered without url")
    with amazon.document(url) as content:
        try:
            # IDs and times are ASCII in each of the character sets in which Amazon was seen to write reports.
            text = io.TextIOWrapper(_unpacked(content), encoding="latin-1", newline="")
            rows = csv.DictReader(_lines(text), delimiter="\t", quoting=csv.QUOTE_NONE)
            if not {ORDER_ID, UPDATED_AT, STATUS, CHANNEL} <= set(rows.fieldnames or ()):
                raise UnreadableAnswer("the order report lacks columns that Amazon documents")
            yield map(_reported_order, rows)
        except (gzip.BadGzipFile, EOFError, zlib.error, csv.Error) as error:
            raise UnreadableAnswer(f"the order report cannot be unpacked: {type(error).__name__}") from error


def _unpacked(content: IO[bytes]) -> IO[bytes]:
    """By its first bytes: `compressionAlgorithm` may say otherwise (amzn/selling-partner-api-docs #664, #3200)."""
    buffered = io.BufferedReader(cast(io.RawIOBase, content))
    is_packed = buffered.peek(len(_GZIP)).startswith(_GZIP)
    return cast(IO[bytes], gzip.GzipFile(fileobj=buffered)) if is_packed else buffered


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:
            raise UnreadableAnswer("the order report has a line without end")
        # The reader passes over empty lines by itself, however many, and nobody would look at the clock meanwhile.
        yield line if line.strip("\r\n") else "\t"


def _reported_order(row: Mapping[str, str | None]) -> ReportedOrder | None:
    order_id, updated_at, status = row[ORDER_ID], row[UPDATED_AT], row[STATUS]
    try:
        time = in_utc(datetime.fromisoformat(updated_at or ""))
    except ValueError:
        return None
    if order_id is None or not may_be_order_id(order_id) or (row[CHANNEL] or "").startswith(ELSEWHERE):
        return None
    return ReportedOrder(order_id, time, is_pending=(status or "").startswith("Pending"))

"""Amazon's report of all orders by last update: asked for, waited for, and compared with what is stored.

Its quota is its own (`createReport` one in a minute), and one report holds a month if need be. It names orders and when
they were updated, and holds no name and no street. An order without items has no row in it.

Facts: the model of the Reports API 2021-06-30, and Amazon's page "Order Tracking reports attributes" for the columns.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import batched, islice
from typing import IO, NamedTuple, cast
from urllib.parse import quote

from aws_lambda_powertools import Logger

from needs_attention.amazon.client import SellingPartnerApi
from needs_attention.amazon.errors import AmazonUnavailable, QuotaExceeded, SpApiError, UnreadableAnswer
from needs_attention.downloads.backdated import Counts
from needs_attention.downloads.by_id import Redownload
from needs_attention.downloads.second_look import OrderReport, Reconciliation
from needs_attention.integrations.integration import Integration
from needs_attention.orders.amazon_order import may_be_order_id
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.orders import OrderStore
from needs_attention.values.times import in_utc, instant

REPORT_TYPE = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL"
ORDER_ID, UPDATED_AT, STATUS, CHANNEL = "amazon-order-id", "last-updated-date", "order-status", "sales-channel"
# Orders of other shops that Amazon only fulfils stand in the report, but no search of a marketplace lists them.
ELSEWHERE = "Non-Amazon"
_REPORTS = "/reports/2021-06-30/reports"
_DOCUMENTS = "/reports/2021-06-30/documents"
_COMPARED_AT_ONCE = 500
_GZIP = b"\x1f\x8b"
_LONGEST_LINE = 100_000

logger = Logger(child=True)


class ReportedOrder(NamedTuple):
    """What a row says of the order that its item belongs to."""

    order_id: str
    updated_at: datetime
    is_pending: bool


@dataclass(frozen=True)
class ReportComparison:
    """The second look at an account by report, one step a run; whatever ends a run, the next goes on from there."""

    downloads: DownloadStateStore
    orders: OrderStore
    amazon: SellingPartnerApi
    integration: Integration
    now: Callable[[], datetime]

    def go_on(self, current: Reconciliation, until: datetime) -> None:
        """Asks for the report, or compares it as far as the time reaches, if Amazon has made it."""
        try:
            self._step(current, until)
        except (AmazonUnavailable, QuotaExceeded) as error:
            logger.warning("order report waits", integration=self._id, reason=str(error))
            self._save(current.failed(str(error), self.now()))
        except SpApiError as error:
            logger.warning("order report failed", integration=self._id, reason=str(error))
            self._save(current.without_report(str(error), self.now()))

    @property
    def _id(self) -> str:
        return self.integration.integration_id

    def _step(self, current: Reconciliation, until: datetime) -> None:
        if current.report is None:
            report_id = _requested(self.amazon, self.integration, current)
            report = OrderReport(report_id=report_id, requested_at=self.now())
            self._save(current.model_copy(update={"report": report, "retry_at": None, "failure": None}))
            return
        if current.report.is_overdue(self.now()):
            self._save(current.without_report("Amazon made no order report in six hours that can be had.", self.now()))
            return
        found = self.amazon.call("getReport", "GET", f"{_REPORTS}/{quote(current.report.report_id, safe='')}")
        match found.get("processingStatus"), found.get("reportDocumentId"):
            case "DONE", str(document_id):
                self._compare(current, current.report, document_id, until)
            case "CANCELLED", _:  # what Amazon says of a report without rows
                self._save(current.model_copy(update={"finished_at": self.now(), "failure": None}))
            case "IN_QUEUE" | "IN_PROGRESS", _:
                pass
            case status, _:
                self._save(current.without_report(f"Amazon could not make the order report ({status}).", self.now()))

    def _compare(self, current: Reconciliation, report: OrderReport, document_id: str, until: datetime) -> None:
        with _rows(self.amazon, document_id) as rows:
            for some in batched(islice(rows, report.rows, None), _COMPARED_AT_ONCE, strict=False):
                reported = {row.order_id: row for row in some if row}
                missed = self._missed(reported, current.updated_before)
                report = report.model_copy(update={"rows": report.rows + len(some)})
                counts = current.counts + Counts(orders=len(reported))
                current = current.found(missed).model_copy(update={"report": report, "counts": counts})
                self._save(current)
                if self.now() >= until:
                    return
        self._save(current.model_copy(update={"finished_at": self.now(), "failure": None, "retry_at": None}))

    def _missed(self, reported: Mapping[str, ReportedOrder], updated_before: datetime) -> list[str]:
        """The orders that are not stored, or as they were before; they are asked for."""
        stored = self.orders.versions(reported)
        takes_pending = self.integration.settings.download_pending_orders
        missed = []
        for order in reported.values():
            known = stored.get(order.order_id)
            is_new = known is None and (takes_pending or not order.is_pending)
            is_newer = known is not None and known < order.updated_at
            if order.updated_at <= updated_before and (is_new or is_newer):
                hint = Redownload(
                    order_id=order.order_id,
                    cause="reconciliation",
                    wanted_at=self.now(),
                    changed_at=order.updated_at,
                )
                self.downloads.want_redownload(self._id, hint)
                missed.append(order.order_id)
        if missed:
            logger.error("live downloads missed orders", integration=self._id, orders=len(missed))
        return missed

    def _save(self, reconciliation: Reconciliation) -> None:
        self.downloads.save_reconciliation(self._id, reconciliation)


def _requested(amazon: SellingPartnerApi, integration: Integration, window: Reconciliation) -> str:
    body = {
        "reportType": REPORT_TYPE,
        "marketplaceIds": list(integration.marketplace_ids),
        "dataStartTime": instant(window.updated_after),
        "dataEndTime": instant(window.updated_before),
    }
    report_id = amazon.call("createReport", "POST", _REPORTS, body=body).get("reportId")
    if not isinstance(report_id, str) or not report_id:
        raise UnreadableAnswer("createReport: Amazon answered without reportId")
    return report_id


@contextmanager
def _rows(amazon: SellingPartnerApi, document_id: str) -> Iterator[Iterator[ReportedOrder | None]]:
    """The report's rows, read as they are taken; None for one that says nothing here. Raises an SpApiError."""
    document = amazon.call("getReportDocument", "GET", f"{_DOCUMENTS}/{quote(document_id, safe='')}")
    if not isinstance(url := document.get("url"), str):
        raise UnreadableAnswer("getReportDocument: Amazon answered without url")
    with amazon.document(url) as content:
        try:
            # IDs and times are ASCII in each of the character sets in which Amazon was seen to write reports.
            text = io.TextIOWrapper(_unpacked(content), encoding="latin-1", newline="")
            rows = csv.DictReader(_lines(text), delimiter="\t", quoting=csv.QUOTE_NONE)
            if not {ORDER_ID, UPDATED_AT, STATUS, CHANNEL} <= set(rows.fieldnames or ()):
                raise UnreadableAnswer("the order report has other columns than Amazon documents")
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

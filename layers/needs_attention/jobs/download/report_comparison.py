"""The second look by Amazon's order report: asks for it, waits for it, and compares it with what is stored."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import batched, islice

from aws_lambda_powertools import Logger

from needs_attention.amazon.client import SellingPartnerApi
from needs_attention.amazon.errors import AmazonUnavailable, QuotaExceeded, SpApiError
from needs_attention.amazon.order_reports import (
    UNREADABLE,
    ReportedOrder,
    report_progress,
    report_rows,
    request_report,
)
from needs_attention.downloads.backdated import Counts
from needs_attention.downloads.by_id import Redownload
from needs_attention.downloads.second_look import OrderReport, Reconciliation
from needs_attention.integrations.integration import Integration
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.orders import OrderStore

_COMPARED_AT_ONCE = 500

logger = Logger(child=True)


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
            marketplace_ids = self.integration.marketplace_ids
            report_id = request_report(self.amazon, marketplace_ids, current.updated_after, current.updated_before)
            self._save(current.asking_for(OrderReport(report_id=report_id, requested_at=self.now())))
            return
        if current.report.is_overdue(self.now()):
            self._save(current.without_report("Amazon made no usable order report in six hours.", self.now()))
            return
        match report_progress(self.amazon, current.report.report_id):
            case "DONE", str(document_id):
                self._compare(current, current.report, document_id, until)
            case "IN_QUEUE" | "IN_PROGRESS", _:
                pass
            case status, _:
                # CANCELLED means "no rows", which a busy account has, or "asked too often"
                # (amzn/selling-partner-api-docs #1329, #1604, #2285): either way nothing was compared.
                self._save(current.without_report(f"Amazon could not make the order report ({status}).", self.now()))

    def _compare(self, current: Reconciliation, report: OrderReport, document_id: str, until: datetime) -> None:
        with report_rows(self.amazon, document_id) as rows:
            for some in batched(islice(rows, report.rows, None), _COMPARED_AT_ONCE, strict=False):
                reported = {row.order_id: row for row in some if isinstance(row, ReportedOrder)}
                missed = self._missed(reported, current.updated_before)
                unreadable = report.unreadable_rows + some.count(UNREADABLE)
                report = report.model_copy(update={"rows": report.rows + len(some), "unreadable_rows": unreadable})
                counts = current.counts + Counts(orders=len(reported))
                current = current.found(missed).model_copy(update={"report": report, "counts": counts})
                self._save(current)
                if self.now() >= until:
                    return
        if report.unreadable_rows:
            failure = f"{report.unreadable_rows:,} of {report.rows:,} rows of the order report cannot be read."
            self._save(current.without_report(failure, self.now()))
        elif not current.counts.orders:
            self._save(current.without_report("The order report names no order.", self.now()))
        else:
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

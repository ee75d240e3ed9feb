"""The Reports API 2021-06-30, as far as the report of all orders by last update needs it.

createReport, getReport and getReportDocument, and the download from the URL that the last of them gives, which is
presigned: it needs no access token and lives for five minutes.

Sources: Amazon's model of the API for shapes, statuses, bounds and usage plans; its pages "Verify that report
processing is complete" and "Retrieve a report"; its issue tracker for the texts of errors, for the format of times, for
reports that are cancelled though there are orders, and for what happens beyond thirty days: createReport accepts that,
and the document holds one sentence. The S3 documentation for an expired URL. Inferred: that such a report is FATAL,
that both bounds are inclusive, that half of the time goes by in the queue, that marketplaces of another region are
refused as in the Orders API, and the texts of errors about bounds.
"""

import gzip
import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Final

from tools.amazon_stand_in.front_door import FrontDoor, check_region, invalid_input, json_body
from tools.amazon_stand_in.http_messages import Answer, ApiError, Request
from tools.amazon_stand_in.ledger import MEMORY, Entry, Json, Ledger, amazon_time, moment
from tools.amazon_stand_in.marketplaces import Region
from tools.amazon_stand_in.misbehaviour import OF_REPORTS, Misbehaviour, Misbehaviours
from tools.amazon_stand_in.order_report import CHARSETS, REPORT_TYPE, order_report, report_time

REPORTS_PATH: Final = "/reports/2021-06-30/reports"
DOCUMENTS_PATH: Final = "/reports/2021-06-30/documents"
DOWNLOADS_PATH: Final = "/report-documents"
SIGNATURE: Final = "X-Amz-Signature"
URL_LIFETIME: Final = timedelta(minutes=5)
LONGEST_RANGE: Final = timedelta(days=30)
MOST_MARKETPLACES: Final = 25
OUTCOMES: Final = {Misbehaviour.FATAL_REPORT: "FATAL", Misbehaviour.CANCELLED_REPORT: "CANCELLED"}
_RANGE_EXCEEDED: Final = "Date range exceeded. Report can be requested only upto 30 days"


@dataclass(frozen=True, slots=True)
class Report:
    """A report that createReport was asked for, and its fate: `outcome` is its status when it has ended."""

    report_id: str
    marketplace_ids: list[str]
    data_start: datetime
    data_end: datetime
    created: datetime
    started: datetime
    ended: datetime
    outcome: str
    document_id: str | None

    def as_json(self, now: datetime) -> Json:
        """The report as getReport shows it at that time."""
        written: Json = {
            "reportId": self.report_id,
            "reportType": REPORT_TYPE,
            "marketplaceIds": self.marketplace_ids,
            "dataStartTime": report_time(self.data_start),
            "dataEndTime": report_time(self.data_end),
            "createdTime": report_time(self.created),
            "processingStatus": "IN_QUEUE",
        }
        if now >= self.started:
            written |= {"processingStatus": "IN_PROGRESS", "processingStartTime": report_time(self.started)}
        if now >= self.ended:
            written |= {"processingStatus": self.outcome, "processingEndTime": report_time(self.ended)}
            if self.document_id is not None:
                written["reportDocumentId"] = self.document_id
        return written


@dataclass(frozen=True, slots=True)
class Presigned:
    """The rights that a download URL's signature gives."""

    document_id: str
    expiry: datetime


class ReportsApi:
    """The reports of one seller in one region. A report shows the ledger as it was when the report was created."""

    def __init__(
        self,
        region: Region,
        ledger: Ledger,
        door: FrontDoor,
        misbehaviours: Misbehaviours,
        now: Callable[[], datetime],
    ) -> None:
        self._region = region
        self._ledger = ledger
        self._door = door
        self._misbehaviours = misbehaviours
        self._now = now
        self._duration = timedelta(minutes=2)
        self._lag = timedelta(0)
        self._numbers = count(50_000_019_000)
        self._reports: dict[str, Report] = {}
        self._documents: dict[str, bytes] = {}
        self._presigned: dict[str, Presigned] = {}

    def set_times(self, *, duration: timedelta | None, lag: timedelta | None) -> None:
        """See `AmazonStandIn.set_reports`."""
        if lag is not None and lag > MEMORY:
            raise ValueError(f"a report lags behind by {MEMORY} at most")
        self._duration = self._duration if duration is None else duration
        self._lag = self._lag if lag is None else lag

    def create_report(self, request: Request) -> Answer:
        return self._door.answer("createReport", request, self._created, status=202)

    def get_report(self, request: Request) -> Answer:
        return self._door.answer("getReport", request, self._found)

    def get_report_document(self, request: Request) -> Answer:
        return self._door.answer("getReportDocument", request, self._document)

    def download(self, request: Request) -> Answer:
        """The document, compressed, or an error in XML as S3 has them."""
        document_id = request.path.removeprefix(f"{DOWNLOADS_PATH}/")
        presigned = self._presigned.get(request.query.get(SIGNATURE, [""])[0])
        if presigned is None or presigned.document_id != document_id:
            return _s3_error("SignatureDoesNotMatch", "The request signature does not match.", {})
        now = self._now()
        if now >= presigned.expiry:
            times = {"Expires": amazon_time(presigned.expiry), "ServerTime": amazon_time(now)}
            return _s3_error("AccessDenied", "Request has expired", {"X-Amz-Expires": _seconds(URL_LIFETIME)} | times)
        # The content is compressed, but not for the connection only: unless asked otherwise, Amazon says identity.
        content_type = f"text/plain; charset={CHARSETS[self._region]}"
        return Answer(200, self._documents[document_id], {"Content-Encoding": "identity"}, content_type)

    def _created(self, request: Request) -> Json:
        body = json_body(request)
        missing = [name for name in ("marketplaceIds", "reportType") if not body.get(name)]
        if missing:
            details = "".join(f"{name};" for name in missing)
            raise ApiError(400, "InvalidInput", "One or more required parameters missing", details)
        if body["reportType"] != REPORT_TYPE:
            raise ApiError(400, "InvalidInput", f"Invalid Report Type {body['reportType']}")
        marketplace_ids = _marketplace_ids(body)
        check_region(marketplace_ids, self._region)
        now = self._now()
        data_start, data_end = _time(body, "dataStartTime", now), _time(body, "dataEndTime", now)
        if data_start > data_end:
            raise ApiError(400, "InvalidInput", "dataStartTime is after dataEndTime")
        outcome, content = self._result(marketplace_ids, data_start, data_end)
        report = Report(
            report_id=str(next(self._numbers)),
            marketplace_ids=marketplace_ids,
            data_start=data_start,
            data_end=data_end,
            created=now,
            started=now + self._duration / 2,
            ended=now + self._duration,
            outcome=outcome,
            document_id=None if content is None else self._kept(content),
        )
        self._reports[report.report_id] = report
        return {"reportId": report.report_id}

    def _result(self, marketplace_ids: list[str], data_start: datetime, data_end: datetime) -> tuple[str, bytes | None]:
        told = self._misbehaviours.take("createReport", OF_REPORTS)
        if told and told.kind in OUTCOMES:
            return OUTCOMES[told.kind], None
        if data_end - data_start > LONGEST_RANGE:
            return "FATAL", _RANGE_EXCEEDED.encode()

        def is_reported(entry: Entry) -> bool:
            return entry.marketplace_id in marketplace_ids and data_start <= entry.updated <= data_end

        reported = [entry for entry in self._ledger.as_of(self._now() - self._lag) if is_reported(entry)]
        if not reported:
            return "CANCELLED", None
        report = order_report(reported, CHARSETS[self._region])
        return "DONE", report.replace(b"+00:00", b" XYZ") if told else report

    def _kept(self, content: bytes) -> str:
        document_id = f"amzn1.spdoc.1.3.{uuid.uuid4()}.{secrets.token_hex(7).upper()}"
        self._documents[document_id] = gzip.compress(content)
        return document_id

    def _found(self, request: Request) -> Json:
        report = self._reports.get(request.path.removeprefix(f"{REPORTS_PATH}/"))
        if report is None:
            raise ApiError(404, "NotFound", "One or more of the provided ReportRequestIds could not be found.")
        return report.as_json(self._now())

    def _document(self, request: Request) -> Json:
        document_id = request.path.removeprefix(f"{DOCUMENTS_PATH}/")
        if document_id not in self._documents:
            raise ApiError(400, "InvalidInput", f"Invalid reportDocumentId {document_id}")
        now = self._now()
        signature = secrets.token_hex(32)
        self._presigned[signature] = Presigned(document_id, now + URL_LIFETIME)
        query = f"X-Amz-Date={now:%Y%m%dT%H%M%SZ}&X-Amz-Expires={_seconds(URL_LIFETIME)}&{SIGNATURE}={signature}"
        # Under the name by which the caller knows the stand-in: it need not listen at all.
        url = f"http://{request.headers.get('host', 'localhost')}{DOWNLOADS_PATH}/{document_id}?{query}"
        return {"reportDocumentId": document_id, "url": url, "compressionAlgorithm": "GZIP"}


def _marketplace_ids(body: Json) -> list[str]:
    marketplace_ids = body["marketplaceIds"]
    if not isinstance(marketplace_ids, list) or not all(isinstance(one, str) for one in marketplace_ids):
        raise invalid_input("marketplaceIds must be a list of texts.")
    if len(marketplace_ids) > MOST_MARKETPLACES:
        raise invalid_input(f"marketplaceIds must have at most {MOST_MARKETPLACES} values.")
    return marketplace_ids


def _time(body: Json, name: str, now: datetime) -> datetime:
    """Amazon's default is now, and nothing later is allowed."""
    try:
        time = moment(body[name]) if name in body else now
    except (TypeError, ValueError):
        raise invalid_input(f"{name} must be an ISO 8601 time with its offset.") from None
    if time > now:
        raise invalid_input(f"{name} must not be in the future.")
    return time


def _seconds(duration: timedelta) -> str:
    return str(int(duration.total_seconds()))


def _s3_error(code: str, message: str, more: Mapping[str, str]) -> Answer:
    elements = {"Code": code, "Message": message, **more}
    content = "".join(f"<{name}>{value}</{name}>" for name, value in elements.items())
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{content}</Error>'
    return Answer(403, body.encode(), content_type="application/xml")

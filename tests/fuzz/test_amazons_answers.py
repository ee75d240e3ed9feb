"""Whatever Amazon, Login with Amazon or a proxy between answers: data, or an error that says when to call again."""

import gzip
import io
import json
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import urllib3
from hypothesis import strategies as st

from needs_attention.amazon.client import SellingPartnerApi
from needs_attention.amazon.errors import SpApiError
from needs_attention.amazon.notifications import order_change
from needs_attention.amazon.tokens import Credentials
from needs_attention.downloads.second_look import OrderReport, Reconciliation
from needs_attention.downloads.walk import Slice, Walk
from needs_attention.integrations.integration import Integration
from needs_attention.jobs.download.report_comparison import ReportComparison
from needs_attention.values.times import instant
from needs_attention.wake_up_queue import integration_to_wake
from tests.fuzz.fuzzed import fuzzed
from tests.fuzz.mutations import damaged, json_bytes, texts
from tests.fuzz.seeds import NOTIFICATIONS, RAW_ORDERS, REPORT, WAKE_UPS
from tools.builders import NOON

CREDENTIALS = Credentials("amzn1.application-oa2-client.example", "a-client-secret", "Atzr|a-refresh-token")
TOKEN = {"access_token": "Atza|an-access-token", "token_type": "bearer", "expires_in": 3600}
REFUSAL = {"errors": [{"code": "QuotaExceeded", "message": "Atza|an-access-token a-client-secret", "details": ""}]}
PAGE = {
    "orders": [RAW_ORDERS[0], {"orderId": "1"}],
    "pagination": {"nextToken": "a-page-token"},
    "lastUpdatedBefore": instant(NOON),
}
ORDER_ID = RAW_ORDERS[0]["orderId"]
# As real answers of Amazon's are; the longest error texts that are shown are of 600 characters.
LONGEST_ERROR = 1_000


class Reply(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Pool:
    """A connection pool to a server that gives these replies in turn, and the last one ever after."""

    def __init__(self, replies: Iterable[Reply]) -> None:
        self._replies = deque(replies)

    def request(self, *_: object, **__: object) -> urllib3.HTTPResponse:
        reply = self._replies.popleft() if len(self._replies) > 1 else self._replies[0]
        headers = urllib3.HTTPHeaderDict(reply.headers)
        return urllib3.HTTPResponse(io.BytesIO(reply.body), headers, reply.status, preload_content=False)


def amazon(*replies: Reply) -> SellingPartnerApi:
    pool: Any = Pool(replies)
    return SellingPartnerApi(CREDENTIALS, endpoint="https://amazon.example.com", http=pool, now=lambda: 0.0)


def answered(document: object, status: int = 200) -> Reply:
    return Reply(status, [("Content-Type", "application/json")], json.dumps(document).encode())


header_texts = st.one_of(
    st.sampled_from(["", "0.0056", "-1", "nan", "1e999", "9" * 400, "a-request", "x" * 5_000]),
    st.text(st.characters(max_codepoint=255), max_size=20),
)
headers = st.builds(
    lambda media_type, others: [("Content-Type", media_type), *others],
    st.sampled_from(["application/json"] * 5 + ["application/problem+json; charset=x", "text/html", ""]),
    st.lists(
        st.tuples(
            st.sampled_from(["x-amzn-RequestId", "x-amzn-RateLimit-Limit", "Content-Encoding", "Retry-After"]),
            st.one_of(st.sampled_from(["gzip", "deflate", "br"]), header_texts),
        ),
        max_size=3,
    ),
)
statuses = st.one_of(st.sampled_from([200] * 6 + [400, 401, 403, 404, 429, 500, 503]), st.integers(100, 599))
replies = st.builds(
    Reply, statuses, headers, json_bytes([json.dumps(one) for one in (PAGE, {"order": RAW_ORDERS[0]}, TOKEN, REFUSAL)])
)


def check_error(error: SpApiError) -> None:
    """It may be logged, stored and shown: short enough, of whole characters, and without any secret."""
    told = str(error)
    assert len(told.encode()) < 20_000
    json.dumps([error.code, error.request_id, error.rate_limit, error.status], allow_nan=False).encode()
    assert not any(secret in told for secret in (CREDENTIALS.client_secret, CREDENTIALS.refresh_token))


@fuzzed(reply=replies, page_token=st.none() | st.just("a-page-token"))
def test_any_answer_to_a_search_is_an_error_or_a_page_to_continue_from(reply: Reply, page_token: str | None) -> None:
    part = Slice(after=NOON - timedelta(hours=2), before=NOON - timedelta(hours=1), page_token=page_token)
    walk = Walk(reached=part.after, slice=part)
    try:
        page = amazon(answered(TOKEN), reply).search_orders(
            marketplace_ids=["ATVPDKIKX0DER"],
            updated_after=part.after,
            updated_before=part.before,
            pagination_token=page_token,
        )
    except SpApiError as error:
        check_error(error)
        return
    later = walk.after_page(part, ("1",), page.next_token, page.last_updated_before, NOON)
    assert Walk.model_validate_json(later.model_dump_json()) == later
    assert later.reached >= walk.reached
    if later.slice and later.slice.page_token:
        with suppress(SpApiError):
            amazon(answered(TOKEN), reply).search_orders(
                marketplace_ids=["ATVPDKIKX0DER"],
                updated_after=part.after,
                updated_before=part.before,
                pagination_token=later.slice.page_token,
            )


@fuzzed(reply=replies)
def test_an_answer_to_an_order_or_another_call_is_data_or_an_error(reply: Reply) -> None:
    api = amazon(answered(TOKEN), reply)
    try:
        assert api.get_order(ORDER_ID).order["orderId"] == ORDER_ID
    except SpApiError as error:
        check_error(error)
    try:
        assert isinstance(api.call("getReport", "GET", "/reports/1"), dict)
    except SpApiError as error:
        check_error(error)


@fuzzed(reply=replies)
def test_any_answer_of_login_with_amazon_is_an_error_or_a_sendable_token(reply: Reply) -> None:
    try:
        amazon(reply, answered({"fine": True})).call("getReport", "GET", "/reports/1")
    except SpApiError as error:
        check_error(error)


# The order report -----------------------------------------------------------------------------------------------------

cells = st.one_of(texts, st.sampled_from(["701-1111111-1111111", "2026-11-23T11:00:00+00:00", "Pending", "Non-Amazon"]))
rows = st.lists(st.lists(cells, max_size=6), max_size=6)


def as_report(extra: list[list[str]]) -> bytes:
    """A real report with some rows more."""
    written = "\n".join("\t".join(cells) for cells in extra)
    return REPORT[: REPORT.index(b"\n", 2_000) + 1] + written.encode("utf-8", "surrogatepass")


reports = damaged(rows.map(as_report))
documents = st.one_of(
    reports, damaged(reports.map(gzip.compress)), st.builds(bytes.__add__, *[reports.map(gzip.compress)] * 2)
)


class Noted:
    """Keeps the writes of a comparison, as the tables do: as text."""

    def __init__(self) -> None:
        self.looked: list[Reconciliation] = []

    def save_reconciliation(self, _: str, reconciliation: Reconciliation) -> None:
        again = Reconciliation.model_validate_json(reconciliation.model_dump_json())
        assert again == reconciliation
        self.looked.append(again)

    def want_redownload(self, _: str, hint: Any) -> None:
        assert type(hint).model_validate_json(hint.model_dump_json()) == hint

    def versions(self, order_ids: Iterable[str]) -> dict[str, Any]:
        return {order_id: NOON for order_id in order_ids if "1" in order_id}


def compared(*replies: Reply, now: Callable[[], datetime] = lambda: NOON) -> Reconciliation:
    """How a second look stands after the step in which these answers came; it has twenty seconds."""
    noted: Any = Noted()
    integration = Integration(
        integration_id="demo", name="Demo", region="NA", marketplace_ids=("ATVPDKIKX0DER",), registered_at=NOON
    )
    look = Reconciliation(
        updated_after=NOON - timedelta(days=3),
        updated_before=NOON,
        walk=Walk(reached=NOON),
        is_by_report=True,
        report=OrderReport(report_id="1", requested_at=NOON),
    )
    comparison = ReportComparison(noted, noted, amazon(answered(TOKEN), *replies), integration, now)
    comparison.go_on(look, until=NOON + timedelta(seconds=20))
    return noted.looked[-1] if noted.looked else look


DONE = answered({"processingStatus": "DONE", "reportDocumentId": "1"})
DOCUMENT = answered({"url": "https://amazon.example.com/document"})


@fuzzed(document=documents)
def test_a_report_is_compared_or_the_second_look_says_why_not(document: bytes) -> None:
    look = compared(DONE, DOCUMENT, Reply(200, [], document))
    assert look.finished_at or look.failure


@fuzzed(replies=st.lists(replies, min_size=1, max_size=3))
def test_whatever_is_answered_about_a_report_the_second_look_can_go_on(replies: list[Reply]) -> None:
    assert compared(*replies)


# Messages -------------------------------------------------------------------------------------------------------------


def as_text(sent: bytes) -> str:
    return sent.decode("utf-8", "replace")


@fuzzed(body=json_bytes(NOTIFICATIONS).map(as_text))
def test_a_notification_is_a_change_or_of_another_kind_or_none(body: str) -> None:
    with suppress(ValueError):
        change = order_change(body)
        if change is not None:
            assert change.changed_at is None or change.changed_at.tzinfo
            assert change.changed_at is None or 1970 <= change.changed_at.year < 3000
            "".join((change.subscription_id, change.order_id, change.marketplace_id or "")).encode()


@fuzzed(body=json_bytes(WAKE_UPS).map(as_text))
def test_a_wake_up_names_an_integration_or_is_none(body: str) -> None:
    with suppress(ValueError):
        integration_to_wake(body).encode()

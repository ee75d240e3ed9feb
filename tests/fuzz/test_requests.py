"""Whatever a client sends to the API: taken, or refused with a problem that quotes no value and can be sent."""

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, get_type_hints

from hypothesis import strategies as st

from needs_attention.api.answers import nothing
from needs_attention.api.callers import Caller, Role
from needs_attention.api.cursors import position_in
from needs_attention.api.operations import Operation, Source, parsed
from needs_attention.api.orders.changes import OrderChanges
from needs_attention.api.orders.filters import OrderFilters
from needs_attention.api.orders.requests import OrderPatch, Release
from needs_attention.api.orders.sheet import MOST_ROWS, SheetRow, rows_of, sheet_of
from needs_attention.api.orders.views import whole_order
from needs_attention.api.problems import Problem, problem_of
from needs_attention.api.router import Api
from needs_attention.orders import gate
from needs_attention.orders.gate import Refused
from needs_attention.orders.order import Order
from needs_attention.orders.settings import ThreePlStatus
from needs_attention.orders.verdict import judged
from needs_attention.values.encodings import UnreadableText, decoded
from tests.fuzz.fuzzed import fuzzed
from tests.fuzz.mutations import MARK, damaged, json_bytes, texts
from tests.fuzz.test_orders import AROUND, WIDE_OPEN, check_shown, check_stored
from tests.integration.test_wrong_requests import PATCH, RIGHT, SHEET
from tests.integration.wrong_requests import Called
from tools.builders import (
    NOON,
    a_held_order,
    a_judged_order,
    an_amazon_order,
    an_fba_order,
    an_order,
    by_hand,
    decided,
    edited,
)
from tools.in_memory.api import API_FUNCTIONS, CONTEXT, an_event, app

# The largest answer that Lambda takes from a function.
LARGEST_ANSWER = 6 * 1024 * 1024


# Whole requests -------------------------------------------------------------------------------------------------------


def taking_what_real_ones_take() -> Api:
    """Every operation of every function, without what it does: it answers that there was nothing wrong."""
    api = Api()
    for function in API_FUNCTIONS:
        for real in app(function).api.operations:
            api.operation(real.method, real.path, open_to=real.roles, answers=real.answers)(_instead_of(real))
    return api


def _instead_of(real: Operation) -> Callable[..., Any]:
    def endpoint(*_: Any, **__: Any) -> Any:
        return nothing()

    endpoint.__annotations__ = get_type_hints(real.endpoint, include_extras=True)
    return endpoint


API = taking_what_real_ones_take()
EVENT = an_event("edit_orders")
CONTENT_TYPES = ("application/json", "application/merge-patch+json", "text/csv", "text/csv; charset=utf-8", "", "x/y")
QUERY_TEXTS = (
    *("true", "1", "50", "shipBy", "-createdAt", "Open", "New", "email,lineItems", ",", "prime", "yours"),
    MARK,
)

paths = st.one_of(st.sampled_from(["701-1111111-1111111", "acme-na", "live", "..", "a b", "%00", "x" * 101]), texts)
query_texts = st.lists(st.one_of(st.sampled_from(QUERY_TEXTS), texts), min_size=1, max_size=2)
header_texts = st.one_of(st.sampled_from(['"1"', '"1", "2"', "*", 'W/"1"', '"', "a-key", "x" * 256]), texts)


def query_names(real: Operation) -> list[str]:
    models: list[Any] = [one.kind for one in real.parameters if one.source is Source.QUERY]
    return [info.alias or name for model in models for name, info in model.model_fields.items()]


def bodies(real: Operation) -> st.SearchStrategy[bytes]:
    right = RIGHT.get(Called(real.method, real.path.replace("<", "{").replace(">", "}").replace("_id}", "Id}")))
    return json_bytes([json.dumps(right if right is not None else {})])


def requests(real: Operation) -> st.SearchStrategy[dict[str, Any]]:
    """Events of API Gateway that are right but for what the strategies make of them."""
    return st.builds(
        an_event_of,
        st.just(real.method),
        st.tuples(*(paths if part.startswith("<") else st.just(part) for part in real.path.split("/"))),
        st.dictionaries(st.sampled_from([*query_names(real), "colour"]), query_texts, max_size=4),
        st.sampled_from((CONTENT_TYPES[0],) * 4 + CONTENT_TYPES),
        st.dictionaries(st.sampled_from(["If-Match", "Idempotency-Key"]), header_texts, max_size=1),
        bodies(real),
        st.booleans(),
    )


def an_event_of(  # noqa: PLR0917 - one for each strategy
    method: str,
    path_parts: tuple[str, ...],
    query: dict[str, list[str]],
    content_type: str,
    headers: dict[str, str],
    body: bytes,
    is_encoded: bool,
) -> dict[str, Any]:
    path = "/".join(part.replace("/", "") for part in path_parts)
    headers = {"Content-Type": content_type, **headers}
    claims = {"username": "ada", "cognito:groups": "administrator,warehouse"}
    return EVENT | {
        "httpMethod": method,
        "path": path,
        "resource": path,
        "headers": headers,
        "multiValueHeaders": {name: [text] for name, text in headers.items()},
        "queryStringParameters": {name: texts[-1] for name, texts in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "body": base64.b64encode(body).decode() if is_encoded else body.decode("utf-8", "replace"),
        "isBase64Encoded": is_encoded,
        "requestContext": EVENT["requestContext"] | {"authorizer": {"claims": claims}},
    }


@fuzzed(event=st.one_of(*map(requests, API.operations)))
def test_a_request_is_taken_or_refused_with_a_problem_that_quotes_no_value(event: dict[str, Any]) -> None:
    answer = API.resolve(event, CONTEXT)
    assert answer["statusCode"] in {204, 400, 404, 413, 415, 422}
    assert len(answer["body"] or "") < LARGEST_ANSWER
    assert MARK not in (answer["body"] or "")


# Changes of orders ----------------------------------------------------------------------------------------------------

HANDED_OVER = a_judged_order(three_pl_status=ThreePlStatus.TRANSFERRED, handed_over_digest="0")
SILENT = an_amazon_order(buyer_email=None)
DIFFERING = judged(an_order(edits=edited(SILENT, email="typed@b.example.com")), WIDE_OPEN, NOON)
STOPPED = decided(stage="new", three_pl_status=ThreePlStatus.DO_NOT_TRANSFER, not_sent=True, hold=by_hand())
STATES: tuple[Order, ...] = (
    a_held_order(),
    a_judged_order(),
    an_order(),
    HANDED_OVER,
    HANDED_OVER.with_(three_pl_status=ThreePlStatus.WITH_ERRORS, warehouse_error="The shelf is empty."),
    judged(an_order(an_amazon_order(fulfillment_status="CANCELLED")), WIDE_OPEN, NOON),
    judged(an_order(an_amazon_order(line_items=None, delivery_address=None)), WIDE_OPEN, NOON),
    judged(an_order(an_fba_order()), WIDE_OPEN, NOON),
    judged(an_order(an_amazon_order(recipient_name="山田太郎", buyer_name="'=1+1")), WIDE_OPEN, NOON),
    a_judged_order(redacted_at=NOON),
    DIFFERING,
    judged(an_order(decisions=STOPPED), WIDE_OPEN, NOON),
    judged(an_order(an_amazon_order(came_back_from="shipped")), WIDE_OPEN, NOON),
    gate.dispatched(HANDED_OVER, NOON, WIDE_OPEN, by="warehouse", at=NOON),
)


def changes() -> OrderChanges:
    no_tables: Any = None
    return OrderChanges(no_tables, no_tables, no_tables, Caller("ada", frozenset(Role)), NOON)


def check_refusal(error: Problem | Refused) -> None:
    problem = problem_of(error)
    assert problem
    assert problem.status in {400, 409, 413, 422}
    assert len(json.dumps(problem.as_json())) < LARGEST_ANSWER


@fuzzed(
    order=st.sampled_from(STATES),
    sent=st.lists(
        st.one_of(st.none(), json_bytes([json.dumps(PATCH), *(json.dumps({n: PATCH[n]}) for n in PATCH)])), max_size=4
    ),
)
def test_a_patch_is_refused_or_its_result_can_be_stored_and_shown(order: Order, sent: list[bytes | None]) -> None:
    for one in sent:
        try:
            change = changes().release(Release()) if one is None else changes().patch(parsed(OrderPatch, one))
            order = change(order, AROUND).order
        except (Problem, Refused) as error:
            check_refusal(error)
            continue
        check_stored(order)
        check_shown(order)


# Sheets ---------------------------------------------------------------------------------------------------------------

EXPORTED = sheet_of(
    whole_order(judged(order, WIDE_OPEN, NOON), AROUND, NOON) for order in (*STATES[:2], STATES[8])
).encode()
sheets = damaged(st.sampled_from([EXPORTED, SHEET.encode()]))
FILLED_IN = ("email", "firstName", "company", "deliveryAddress.city", "billingAddress.phone")


def as_sheet(columns: list[str], cells: list[list[str]], separator: str, encoding: str) -> bytes:
    rows = [["orderId", "revision", *columns]]
    rows += [[str(number), "1", *row[: len(columns)]] for number, row in enumerate(cells)]
    quoted = (separator.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows)
    return "\n".join(quoted).encode(encoding, "replace")


ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "cp1250", "cp932")
CHARSETS = ("", "utf-8", "utf-16", "windows-1252", "latin1", "shift_jis")


# Cells as spreadsheets write numbers, dates and times.
rewritten = st.text(alphabet="0123456789.,-+/:E%$#? apmOct", max_size=45)
# Sheets as people fill them in.
filled_in = st.builds(
    as_sheet,
    st.lists(st.sampled_from(FILLED_IN), unique=True),
    st.lists(st.lists(texts | rewritten, min_size=len(FILLED_IN), max_size=len(FILLED_IN)), max_size=3),
    st.sampled_from(",;\t|"),
    st.sampled_from(ENCODINGS),
)


@fuzzed(
    sent=st.one_of(sheets, filled_in, damaged(filled_in)),
    charset=st.sampled_from(CHARSETS),
    order=st.sampled_from(STATES),
)
def test_a_sheet_is_refused_or_each_row_is_a_refused_or_storable_patch(sent: bytes, charset: str, order: Order) -> None:
    with suppress(UnreadableText):  # which the API refuses
        for row in rows_or_none(decoded(sent, charset)):
            try:
                patch = row.patch(whole_order(order, AROUND, NOON))
                changed = changes().patch(parsed(OrderPatch, json.dumps(patch)))(order, AROUND).order
            except (Problem, Refused) as error:
                check_refusal(error)
            else:
                check_stored(changed)


def rows_or_none(text: str) -> list[SheetRow]:
    try:
        rows = rows_of(text)
    except Problem as problem:
        check_refusal(problem)
        return []
    assert 1 <= len(rows) <= MOST_ROWS
    return rows


# Cursors --------------------------------------------------------------------------------------------------------------

REAL_CURSOR = OrderFilters().cursor_at("2026-11-23T12:00:00.000Z#701-1111111-1111111")
cursors = st.one_of(
    texts,
    damaged(st.just(REAL_CURSOR.encode())).map(lambda sent: sent.decode("latin-1")),
    damaged(st.just(base64.urlsafe_b64decode(REAL_CURSOR))).map(lambda told: base64.urlsafe_b64encode(told).decode()),
)


@fuzzed(cursor=cursors)
def test_a_cursor_is_a_position_in_its_list_or_refused(cursor: str) -> None:
    with suppress(Problem):
        position_in(cursor, "a list").encode()
    with suppress(Problem, ValueError):
        position = OrderFilters.model_validate({"cursor": cursor}).position()
        assert position is not None
        assert OrderFilters(cursor=OrderFilters().cursor_at(position)).position() == position

"""GET /orders, /orders.csv, /orders/{orderId}, /orders/{orderId}/history, /summary, and the API's OpenAPI document."""

from http import HTTPStatus
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.logging.correlation_paths import API_GATEWAY_REST
from aws_lambda_powertools.utilities.typing import LambdaContext

from needs_attention import aws
from needs_attention.api.answers import answer, answer_with_etag, sheet_answer
from needs_attention.api.callers import Caller, Role
from needs_attention.api.cursors import PartOfList
from needs_attention.api.history import HistoryOfOrder, history_of_order
from needs_attention.api.lookup import existing_order
from needs_attention.api.operations import Query
from needs_attention.api.orders.filters import OrderFilters
from needs_attention.api.orders.list import OrderList, OrderPage, OrdersSummary, PartOfSummary
from needs_attention.api.orders.sheet import sheet_of
from needs_attention.api.orders.views import WholeOrder
from needs_attention.api.retention import DueRedactions, PartOfDue, RedactedWhen, Redactions, Retention
from needs_attention.api.router import Api
from needs_attention.environment import HistoryTable, OrderTables
from needs_attention.orders import names
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.history import HistoryStore
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.orders import OrderStore
from needs_attention.values import times

names.load_parser()
dynamodb = aws.client("dynamodb")
tables = OrderTables.from_env()
orders = OrderStore(dynamodb, tables.orders_table)
integrations = SettingsStore(dynamodb, tables.integrations_table)
downloads = DownloadStateStore(dynamodb, tables.integrations_table)
order_list = OrderList(orders, integrations, downloads)
retention = Retention(orders, integrations)
history = HistoryStore(dynamodb, HistoryTable.from_env().history_table)
logger = Logger()
api = Api()


@logger.inject_lambda_context(clear_state=True, correlation_id_path=API_GATEWAY_REST)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return api.resolve(event, context)


@api.operation("GET", "/orders", open_to=[Role.READER, Role.WAREHOUSE], answers={HTTPStatus.OK: OrderPage})
def list_orders(caller: Caller, filters: Query[OrderFilters]) -> Response[object]:
    """Finds orders. A warehouse sees only orders that it may take."""
    is_warehouse = not caller.is_any_of(Role.READER)
    return answer(order_list.page(filters, times.utc_now(), is_warehouse=is_warehouse))


@api.operation("GET", "/orders.csv", open_to=[Role.READER], answers={HTTPStatus.OK: str})
def export_orders(_: Caller, filters: Query[OrderFilters]) -> Response[object]:
    """Finds orders as a sheet to fill in and send back.

    An empty cell stands for missing data. `differsFromAmazon` names the typed units that Amazon says otherwise, and
    `amazonSays` holds Amazon's values. `X-Next-Cursor` says that there may be more.
    """
    page = order_list.whole_page(filters, times.utc_now())
    return sheet_answer(sheet_of(page["orders"]), "orders.csv", page["nextCursor"])


@api.operation("GET", "/orders/<order_id>", open_to=[Role.READER, Role.WAREHOUSE], answers={HTTPStatus.OK: WholeOrder})
def get_order(caller: Caller, order_id: str) -> Response[object]:
    """Shows an order as people need it: its data, why it is held, and what to do."""
    return answer_with_etag(order_list.one(order_id, caller, times.utc_now()))


@api.operation("GET", "/orders/<order_id>/history", open_to=[Role.READER], answers={HTTPStatus.OK: HistoryOfOrder})
def get_history(_: Caller, order_id: str, page: Query[PartOfList]) -> Response[object]:
    """Shows who changed an order, when and why."""
    existing_order(orders, order_id)
    return answer(history_of_order(history, order_id, page.limit, page.cursor))


@api.operation("GET", "/summary", open_to=[Role.READER], answers={HTTPStatus.OK: OrdersSummary})
def get_summary(_: Caller, part: Query[PartOfSummary]) -> Response[object]:
    """Counts held orders in several ways, and orders by Stage.

    If there are more than 100 integrations and you name none, it shows the held orders of each, page by page, as they
    were counted within about the last hour.
    """
    return answer(order_list.summary(part, times.utc_now()))


@api.operation("GET", "/retention", open_to=[Role.READER], answers={HTTPStatus.OK: DueRedactions})
def get_retention(_: Caller, part: Query[PartOfDue]) -> Response[object]:
    """Shows how many orders of each integration are due for redaction, now and soon. Overdue orders raise an alarm."""
    return answer(retention.due(part, times.utc_now()))


@api.operation(
    "GET",
    "/integrations/<integration_id>/redactions",
    open_to=[Role.READER],
    answers={HTTPStatus.OK: Redactions},
)
def list_redactions(_: Caller, integration_id: str, when: Query[RedactedWhen]) -> Response[object]:
    """Lists the orders whose personal data was removed: when, why and who removed it. It proves the removal.

    The list holds no personal data, and also works for a removed integration. Newest first.
    """
    return answer(retention.redacted(integration_id, when))


@api.get("/openapi.json")
def get_document() -> Response[str]:
    """The API's OpenAPI document. Everybody may read it: it holds no secrets. `make openapi` writes it."""
    document = Path(__file__).with_name("openapi.json").read_text(encoding="utf-8")
    return Response(HTTPStatus.OK, "application/json", document, {"Cache-Control": "max-age=300"})

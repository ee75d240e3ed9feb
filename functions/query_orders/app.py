"""GET /orders, /orders/{orderId}, /orders/{orderId}/history and /summary."""

from http import HTTPStatus
from typing import Annotated, Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import Field, StringConstraints

from needs_attention import values
from needs_attention.history import History
from needs_attention.http_api import Api, Caller, Role, answer, etag
from needs_attention.integration_store import IntegrationStore
from needs_attention.order_changes import around, check_visible, existing_order
from needs_attention.order_list import OrderFilters, OrderList
from needs_attention.order_sheet import sheet_of
from needs_attention.order_store import OrderStore
from needs_attention.order_views import for_warehouse, whole_order
from needs_attention.settings import HistoryTable, OrderTables
from needs_attention.values import Value

dynamodb = boto3.client("dynamodb")
tables = OrderTables.from_env()
orders = OrderStore(dynamodb, tables.orders_table)
integrations = IntegrationStore(dynamodb, tables.integrations_table)
order_list = OrderList(orders, integrations)
history = History(dynamodb, HistoryTable.from_env().history_table)
logger = Logger()
api = Api()


class HistoryPage(Value):
    """The query parameters of an order's history."""

    limit: int = Field(default=50, ge=1, le=250)
    cursor: Annotated[str, StringConstraints(max_length=100)] | None = None


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return api.resolve(event, context)


@api.get("/orders")
@api.open_to(Role.READER, Role.WAREHOUSE)
def list_orders(caller: Caller) -> Response[object]:
    filters = api.query(OrderFilters)
    is_warehouse = not caller.is_any_of(Role.READER)
    return answer(order_list.page(filters, values.utc_now(), is_warehouse=is_warehouse))


@api.get("/orders.csv")
@api.open_to(Role.READER)
def export_orders(_: Caller) -> Response[object]:
    """The same filters; what is missing is an empty cell. `X-Next-Cursor` says that there are more."""
    now, stages = values.utc_now(), integrations.stages()
    page = order_list.page(api.query(OrderFilters), now, is_warehouse=False)
    found = orders.get_many(row["orderId"] for row in page["orders"])
    listed = [found[row["orderId"]] for row in page["orders"] if row["orderId"] in found]
    surroundings = {name: integrations.surroundings(name) for name in {order.integration for order in listed}}
    sheet = sheet_of(
        whole_order(order, around, stages, now) for order in listed if (around := surroundings[order.integration])
    )
    headers = {"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="orders.csv"'}
    if page["nextCursor"]:
        headers["X-Next-Cursor"] = page["nextCursor"]
    return Response(HTTPStatus.OK, "text/csv; charset=utf-8", sheet, headers)


@api.get("/orders/<order_id>")
@api.open_to(Role.READER, Role.WAREHOUSE)
def get_order(caller: Caller, order_id: str) -> Response[object]:
    order = existing_order(orders, order_id)
    surroundings = around(order, integrations)
    check_visible(order, surroundings, caller)
    shown = whole_order(order, surroundings, integrations.stages(), values.utc_now())
    if not caller.is_any_of(Role.READER):
        shown = for_warehouse(shown)
    return answer(shown, headers=etag(order.revision))


@api.get("/orders/<order_id>/history")
@api.open_to(Role.READER)
def get_history(_: Caller, order_id: str) -> Response[object]:
    page = api.query(HistoryPage)
    existing_order(orders, order_id)
    return answer(history.page(order_id, page.limit, page.cursor))


@api.get("/summary")
@api.open_to(Role.READER)
def get_summary(_: Caller) -> Response[object]:
    return answer(order_list.summary(values.utc_now()))

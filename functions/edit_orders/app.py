"""PATCH /orders/{orderId}, what people and the warehouse say of an order by POST, and POST /bulk/orders."""

from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from needs_attention import values
from needs_attention.http_api import MERGE_PATCH, Api, Caller, Role, answer, etag
from needs_attention.integration_store import IntegrationStore
from needs_attention.order_changes import OrderChanges
from needs_attention.order_patch import BulkChanges, OrderPatch, Release, TransferFailure
from needs_attention.order_sheet import rows_of
from needs_attention.order_store import OrderStore
from needs_attention.settings import OrderTables
from needs_attention.values import Value

dynamodb = boto3.client("dynamodb")
tables = OrderTables.from_env()
orders = OrderStore(dynamodb, tables.orders_table)
integrations = IntegrationStore(dynamodb, tables.integrations_table)
logger = Logger()
api = Api()


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return api.resolve(event, context)


@api.patch("/orders/<order_id>")
@api.open_to(Role.EDITOR)
def edit_order(caller: Caller, order_id: str) -> Response[object]:
    patch = api.body(OrderPatch, MERGE_PATCH)
    changes = changes_by(caller)
    return shown(changes.make(order_id, changes.patch(patch), api.if_match()))


@api.post("/orders/<order_id>/release")
@api.open_to(Role.EDITOR)
def release_order(caller: Caller, order_id: str) -> Response[object]:
    release = api.body(Release)
    changes = changes_by(caller)
    return shown(changes.make(order_id, changes.release(release), api.if_match()))


@api.post("/orders/<order_id>/acknowledge")
@api.open_to(Role.WAREHOUSE, Role.ADMINISTRATOR)
def acknowledge_order(caller: Caller, order_id: str) -> Response[object]:
    return shown(changes_by(caller).acknowledge(order_id, api.if_match()))


@api.post("/orders/<order_id>/picked")
@api.open_to(Role.WAREHOUSE, Role.ADMINISTRATOR)
def pick_order(caller: Caller, order_id: str) -> Response[object]:
    return shown(changes_by(caller).picked(order_id, api.if_match()))


@api.post("/orders/<order_id>/transfer-failed")
@api.open_to(Role.WAREHOUSE, Role.ADMINISTRATOR)
def fail_transfer(caller: Caller, order_id: str) -> Response[object]:
    """A person may take the order back then, by changing its 3PL Status."""
    failure = api.body(TransferFailure)
    return shown(changes_by(caller).transfer_failed(order_id, failure, api.if_match()))


@api.post("/bulk/orders")
@api.open_to(Role.EDITOR)
def change_orders(caller: Caller) -> Response[object]:
    bulk = api.body(BulkChanges)
    return answer({"orders": changes_by(caller).make_all(bulk), "dryRun": bulk.dry_run})


class SheetOptions(Value):
    """The query parameters of a sheet that comes back."""

    dry_run: bool = False


@api.post("/orders.csv")
@api.open_to(Role.EDITOR)
def fill_in_orders(caller: Caller) -> Response[object]:
    """A result for each row: the order, or why it was refused."""
    options = api.query(SheetOptions)
    filled = changes_by(caller).fill_in(rows_of(api.sheet()), is_dry_run=options.dry_run)
    return answer({"orders": filled, "dryRun": options.dry_run})


def changes_by(caller: Caller) -> OrderChanges:
    return OrderChanges(dynamodb, orders, integrations, caller, values.utc_now())


def shown(order: dict[str, Any]) -> Response[object]:
    return answer(order, headers=etag(order["revision"]))

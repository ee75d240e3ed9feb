"""Changes of orders: PATCH /orders/{orderId}, POST below it, POST /bulk/orders and POST /orders.csv."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.logging.correlation_paths import API_GATEWAY_REST
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from needs_attention import aws
from needs_attention.api.answers import answer, answer_with_etag
from needs_attention.api.callers import Caller, Role
from needs_attention.api.idempotency import RememberedAnswers
from needs_attention.api.operations import Body, IfMatchHeader, MergePatch, Query, Sheet
from needs_attention.api.orders.bulk import BulkOrderChanges, ChangedOrder, ChangedOrders, ChangedRows, RefusedChange
from needs_attention.api.orders.changes import OrderChanges, check_not_redacted_since
from needs_attention.api.orders.requests import (
    BulkChanges,
    DispatchReport,
    OrderPatch,
    Release,
    SheetOptions,
    TransferFailure,
)
from needs_attention.api.orders.sheet import rows_of
from needs_attention.api.orders.views import EditedOrder, WholeOrder
from needs_attention.api.router import Api
from needs_attention.downloads.next_wake_up import NextWakeUp
from needs_attention.environment import AnswersTable, OrderTables
from needs_attention.orders import names
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.orders import OrderStore
from needs_attention.tables.wake_ups import WakeUpStore
from needs_attention.values import times

names.load_parser()
dynamodb = aws.client("dynamodb")
tables = OrderTables.from_env()
orders = OrderStore(dynamodb, tables.orders_table)
integrations = SettingsStore(dynamodb, tables.integrations_table)
wake_ups = WakeUpStore(dynamodb, tables.integrations_table)
logger = Logger()
metrics = Metrics()
api = Api(RememberedAnswers(dynamodb, AnswersTable.from_env().answers_table, partial(check_not_redacted_since, orders)))


@logger.inject_lambda_context(clear_state=True, correlation_id_path=API_GATEWAY_REST)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return api.resolve(event, context)


@api.operation("PATCH", "/orders/<order_id>", open_to=[Role.EDITOR], answers={HTTPStatus.OK: EditedOrder})
def edit_order(
    caller: Caller, order_id: str, patch: MergePatch[OrderPatch], if_match: IfMatchHeader
) -> Response[object]:
    """Edits an order, and decides where it may go.

    Fields that you do not send stay as they are. null returns a field to Amazon's value. The answer holds the new
    verdict.
    """
    changes = changes_by(caller)
    return answer_with_etag(changes.make(order_id, changes.patch(patch), if_match))


@api.operation("POST", "/orders/<order_id>/release", open_to=[Role.EDITOR], answers={HTTPStatus.OK: EditedOrder})
def release_order(caller: Caller, order_id: str, release: Body[Release], if_match: IfMatchHeader) -> Response[object]:
    """Releases a held order that is now complete, with the integration's defaults.

    An administrator may release an incomplete order, with a reason.
    """
    changes = changes_by(caller)
    return answer_with_etag(changes.make(order_id, changes.release(release), if_match))


AT_THE_WAREHOUSE = [Role.WAREHOUSE, Role.ADMINISTRATOR]


@api.operation("POST", "/orders/<order_id>/acknowledge", open_to=AT_THE_WAREHOUSE, answers={HTTPStatus.OK: WholeOrder})
def acknowledge_order(caller: Caller, order_id: str, if_match: IfMatchHeader) -> Response[object]:
    """Hands an order over to the warehouse, if the gate allows it at this instant."""
    return answer_with_etag(changes_by(caller).acknowledge(order_id, if_match))


@api.operation("POST", "/orders/<order_id>/picked", open_to=AT_THE_WAREHOUSE, answers={HTTPStatus.OK: WholeOrder})
def pick_order(caller: Caller, order_id: str, if_match: IfMatchHeader) -> Response[object]:
    """Records that the warehouse has picked an order that it took."""
    return answer_with_etag(changes_by(caller).picked(order_id, if_match))


@api.operation("POST", "/orders/<order_id>/dispatched", open_to=AT_THE_WAREHOUSE, answers={HTTPStatus.OK: WholeOrder})
def report_dispatch(
    caller: Caller, order_id: str, report: Body[DispatchReport], if_match: IfMatchHeader
) -> Response[object]:
    """Records that the warehouse has sent an order that it took."""
    return answer_with_etag(changes_by(caller).dispatched(order_id, report, if_match))


@api.operation(
    "POST", "/orders/<order_id>/transfer-failed", open_to=AT_THE_WAREHOUSE, answers={HTTPStatus.OK: WholeOrder}
)
def fail_transfer(
    caller: Caller, order_id: str, failure: Body[TransferFailure], if_match: IfMatchHeader
) -> Response[object]:
    """Records that the warehouse cannot pick an order that it took.

    A person may then take the order back with a change of its 3PL Status.
    """
    return answer_with_etag(changes_by(caller).transfer_failed(order_id, failure, if_match))


@api.operation("POST", "/bulk/orders", open_to=[Role.EDITOR], answers={HTTPStatus.OK: ChangedOrders})
def change_orders(caller: Caller, bulk: Body[BulkChanges]) -> Response[object]:
    """Edits or releases up to 100 orders, each by itself."""
    changes = BulkOrderChanges(orders, changes_by(caller), is_dry_run=bulk.dry_run)
    return results(changes.make_all(bulk), is_dry_run=bulk.dry_run)


@api.operation("POST", "/orders.csv", open_to=[Role.EDITOR], answers={HTTPStatus.OK: ChangedRows})
def fill_in_orders(caller: Caller, options: Query[SheetOptions], sheet: Sheet) -> Response[object]:
    """Imports an exported sheet that people filled in. Answers a result for each row.

    A cell that is empty, or as it was exported, changes nothing. `keepTyped` names units whose typed value stays over
    what Amazon says by now, and `takeAmazons` units that return to Amazon's value.
    """
    changes = BulkOrderChanges(orders, changes_by(caller), is_dry_run=options.dry_run)
    return results(changes.fill_in(rows_of(sheet)), is_dry_run=options.dry_run)


def results(orders: Sequence[ChangedOrder | RefusedChange], *, is_dry_run: bool) -> Response[object]:
    logger.append_keys(order_ids=[order["orderId"] for order in orders if order["status"] == HTTPStatus.OK])
    return answer({"orders": orders, "dryRun": is_dry_run})


def changes_by(caller: Caller) -> OrderChanges:
    return OrderChanges(
        dynamodb,
        orders,
        integrations,
        caller,
        times.utc_now(),
        request_id=api.request_id,
        tell_released=measure_release,
        tell_due=wake_in_time,
    )


def wake_in_time(integration_id: str, at: datetime) -> None:
    """Has the clock wake the integration then. The change is made, so an error here is only logged.

    The clock looks at each integration within a quarter of an hour anyway.
    """
    try:
        wake_ups.save(NextWakeUp(integration=integration_id, at=at))
    except (BotoCoreError, ClientError) as error:
        logger.warning("next wake-up not stored", integration=integration_id, reason=str(error))


def measure_release(held_for: timedelta) -> None:
    metrics.add_metric(name="TimeToRelease", unit=MetricUnit.Seconds, value=held_for.total_seconds())
    metrics.flush_metrics()

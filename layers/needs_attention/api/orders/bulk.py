"""Changes of several orders in one call, each by itself: as a list, or as a sheet that somebody filled in."""

import json
from collections.abc import Callable, Sequence
from typing import Literal, TypedDict

from needs_attention.api.operations import IfMatch, parsed
from needs_attention.api.orders.changes import Made, OrderChanges
from needs_attention.api.orders.one_by_one import OneByOne, RefusedOrder, refused
from needs_attention.api.orders.requests import BulkChanges, BulkOrder, OrderPatch, Release
from needs_attention.api.orders.sheet import SheetRow
from needs_attention.api.orders.views import WholeOrder
from needs_attention.api.problems import FieldProblem, not_found
from needs_attention.orders.order import Order
from needs_attention.tables.orders import OrderStore


class ChangedOrder(TypedDict):
    """One of several changes, made."""

    orderId: str
    status: Literal[200]
    order: WholeOrder
    warnings: list[FieldProblem]


class RefusedChange(RefusedOrder):
    """One of several changes, refused. Nothing changed, so there are no warnings."""

    warnings: list[FieldProblem]


class ChangedOrders(TypedDict):
    """A result for each order, in the sequence of the request."""

    orders: list[ChangedOrder | RefusedChange]
    dryRun: bool


class ChangedRow(ChangedOrder):
    """A row of the sheet whose change was made."""

    row: int


class RefusedRow(RefusedChange):
    """A row of the sheet whose change was refused."""

    row: int


class ChangedRows(TypedDict):
    """A result for each row. Rows count from 1, below the column names."""

    orders: list[ChangedRow | RefusedRow]
    dryRun: bool


class BulkOrderChanges:
    """Makes, or tries, changes of several orders. A refusal of one does not keep it from the others."""

    def __init__(self, orders: OrderStore, changes: OrderChanges, *, is_dry_run: bool) -> None:
        self._orders = orders
        self._changes = changes
        self._is_dry_run = is_dry_run
        self._one_by_one = OneByOne()

    def make_all(self, bulk: BulkChanges) -> list[ChangedOrder | RefusedChange]:
        known = self._orders.get_many(wish.order_id for wish in bulk.orders)
        return [_result_of_order(self._result(wish, known.get(wish.order_id))) for wish in bulk.orders]

    def fill_in(self, rows: Sequence[SheetRow]) -> list[ChangedRow | RefusedRow]:
        """Makes the change of each row of a sheet, if its order has not changed since the export."""
        known = self._orders.get_many(row.order_id for row in rows)
        return [_result_of_row(row, self._filled(row, known.get(row.order_id))) for row in rows]

    def _result(self, wish: BulkOrder, order: Order | None) -> Made | RefusedOrder:
        def attempt(order: Order) -> Made:
            change = self._changes.release(Release()) if wish.patch is None else self._changes.patch(wish.patch)
            if self._is_dry_run:
                return self._changes.try_on(order, change)
            return self._changes.make_on(order, change, IfMatch(None))

        return self._attempted(wish.order_id, order, attempt)

    def _filled(self, row: SheetRow, order: Order | None) -> Made | RefusedOrder:
        if row.problem:
            return refused(row.order_id, row.problem)
        if_match = IfMatch(frozenset({row.revision}))

        def attempt(order: Order) -> Made:
            patch = row.patch(self._changes.read(order, if_match))
            change = self._changes.patch(parsed(OrderPatch, json.dumps(patch)))
            if self._is_dry_run:
                return self._changes.try_on(order, change)
            return self._changes.make_on(order, change, if_match)

        return self._attempted(row.order_id, order, attempt)

    def _attempted(self, order_id: str, order: Order | None, attempt: Callable[[Order], Made]) -> Made | RefusedOrder:
        if order is None:
            return refused(order_id, not_found("order"))
        return self._one_by_one.result(order_id, lambda: attempt(order))


def _result_of_order(result: Made | RefusedOrder) -> ChangedOrder | RefusedChange:
    if isinstance(result, Made):
        return {"orderId": result.order["orderId"], "status": 200, "order": result.order, "warnings": result.warnings}
    return {**result, "warnings": []}


def _result_of_row(row: SheetRow, result: Made | RefusedOrder) -> ChangedRow | RefusedRow:
    of_the_cells = [warning.as_json() for warning in row.warnings]
    if isinstance(result, Made):
        changed: ChangedRow = {
            "row": row.number,
            "orderId": result.order["orderId"],
            "status": 200,
            "order": result.order,
            "warnings": of_the_cells + result.warnings,
        }
        return changed
    refused_row: RefusedRow = {"row": row.number, **result, "warnings": []}
    return refused_row

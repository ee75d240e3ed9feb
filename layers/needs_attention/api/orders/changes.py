"""Changes that people and the warehouse make to orders: read, ask the gate, write only if nobody was faster."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypedDict

from needs_attention.api.callers import Caller, Role
from needs_attention.api.operations import IfMatch, parsed
from needs_attention.api.orders.lookup import around, existing_order
from needs_attention.api.orders.one_by_one import OneByOne, RefusedOrder, refused
from needs_attention.api.orders.requests import (
    BulkChanges,
    BulkOrder,
    Cause,
    FieldWarning,
    OrderPatch,
    Release,
    TransferFailure,
    cause_of,
)
from needs_attention.api.orders.sheet import SheetRow
from needs_attention.api.orders.views import EditedOrder, WholeOrder, whole_order_for
from needs_attention.api.problems import (
    ATTEMPTS,
    FieldProblem,
    Problem,
    changed_meanwhile,
    not_found,
)
from needs_attention.api.retention import EraseOrder
from needs_attention.aws import is_lost_race
from needs_attention.integrations.surroundings import Surroundings
from needs_attention.orders import gate
from needs_attention.orders.changes import ChangedBy
from needs_attention.orders.gate import Refused, Wanted
from needs_attention.orders.order import Order, Redaction
from needs_attention.orders.verdict import judged
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.orders import LostRace, OrderStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class ChangedOrder(TypedDict):
    """One of several changes, done."""

    orderId: str
    status: Literal[200]
    order: WholeOrder
    warnings: list[FieldProblem]


class RefusedChange(RefusedOrder):
    """One of several changes, refused: nothing was changed, so there is nothing to be warned of."""

    warnings: list[FieldProblem]


class ChangedOrders(TypedDict):
    """A result for each order, in the order in which they were sent."""

    orders: list[ChangedOrder | RefusedChange]
    dryRun: bool


class ChangedRow(ChangedOrder):
    """A row of the sheet, done."""

    row: int


class RefusedRow(RefusedChange):
    """A row of the sheet, refused."""

    row: int


class ChangedRows(TypedDict):
    """A result for each row; they are counted from 1, below the columns' names."""

    orders: list[ChangedRow | RefusedRow]
    dryRun: bool


class Changed(NamedTuple):
    """What a change makes of an order, what it is called in the history, and what the caller may want to look at."""

    order: Order
    cause: Cause
    warnings: tuple[FieldWarning, ...] = ()


_CANNOT_BE_SENT = FieldWarning(
    "evenIfUnsent",
    "cannotBeSent",
    "the order was not sent, and cannot be from here: see to it in Seller Central",
)


OrderChange = Callable[[Order, Surroundings], Changed]


class Made(NamedTuple):
    """What a change that was made, or tried, is answered with."""

    order: WholeOrder
    warnings: list[FieldProblem]


class OrderChanges:
    """Changes orders for one caller at one moment.

    `request_id` is kept with each change; `tell_released` hears how long each order was held that is let go.
    """

    def __init__(  # noqa: PLR0913 - what the function behind the API has, and what came with the request
        self,
        client: "DynamoDBClient",
        orders: OrderStore,
        integrations: SettingsStore,
        caller: Caller,
        now: datetime,
        *,
        request_id: str | None = None,
        tell_released: Callable[[timedelta], None] = lambda _: None,
    ) -> None:
        self._client = client
        self._request_id = request_id
        self._tell_released = tell_released
        self._orders = orders
        self._integrations = integrations
        self._caller = caller
        self._now = now
        self._surroundings: dict[str, Surroundings] = {}
        self._one_by_one = OneByOne()

    # What can be changed

    def patch(self, patch: OrderPatch) -> OrderChange:
        """Edits first, then what is wanted of the gate on top. Raises a 403 for an override by anyone but an
        administrator; the change raises a 422 for what cannot be wanted."""
        self._check_override(patch.override is not None)

        def change(order: Order, surroundings: Surroundings) -> Changed:
            settings = surroundings.settings
            wanted = patch.wanted(surroundings.stages, self._now)
            units, confirmed = patch.units(order, settings), patch.confirmed_fields()
            noted = patch.noted(order)
            if units or confirmed not in {None, order.edits.confirmed}:
                edited = gate.edit(noted, units, confirmed, settings, self._now)
            elif wanted == Wanted():
                return Changed(noted, "edit" if noted == order else "note")
            else:
                edited = noted
            changed = gate.change(edited, wanted, settings, by=self._caller.name, at=self._now)
            return Changed(changed, cause_of(order, wanted), patch.warnings(changed))

        return change

    def release(self, release: Release) -> OrderChange:
        """Raises a 403 for an override by anyone but an administrator."""
        self._check_override(release.override is not None)
        wanted = release.wanted()

        def change(order: Order, surroundings: Surroundings) -> Changed:
            released = gate.change(order, wanted, surroundings.settings, by=self._caller.name, at=self._now)
            return Changed(released, cause_of(order, wanted))

        return change

    def erase(self, erasure: EraseOrder) -> OrderChange:
        """Removes personal data before its time. Warns of an order that was still to be sent."""
        request = Redaction(by=self._caller.name, why="request", reference=erasure.reference)

        def change(order: Order, surroundings: Surroundings) -> Changed:
            erased = gate.erase(
                order, surroundings.settings, request, even_if_unsent=erasure.even_if_unsent, at=self._now
            )
            is_unsent = erased.redaction == request and order.is_unsent
            return Changed(erased, "erasure", (_CANNOT_BE_SENT,) if is_unsent else ())

        return change

    def _check_override(self, is_override: bool) -> None:  # noqa: FBT001 - one question, asked by two
        if is_override:
            self._caller.must_be(Role.ADMINISTRATOR, "overrides the gate")

    # Making a change

    def make(self, order_id: str, change: OrderChange, if_match: IfMatch) -> EditedOrder:
        """Writes the change and answers the order as it is then. Nothing is written if nothing changes.

        Raises Refused, a 404, a 412 with the current order, or a 409 if somebody else was faster each time.
        """
        made = self._made(existing_order(self._orders, order_id), change, if_match)
        return {**made.order, "warnings": made.warnings}

    def acknowledge(self, order_id: str, if_match: IfMatch) -> WholeOrder:
        """The warehouse takes the order, if at that instant the gate lets it, the settings are those that it was asked
        with, and nothing is frozen. Raises as `make` does."""
        for _ in range(ATTEMPTS):
            order = existing_order(self._orders, order_id)
            surroundings = around(order, self._integrations)
            # First, because a 412 shows the whole order: a warehouse sees none that is not for it.
            gate.check_outflow(order, surroundings.settings, is_frozen=surroundings.is_frozen)
            self._check(if_match, order, surroundings)
            self._hold_if_the_settings_want_it(order, surroundings)
            taken = gate.hand_over(order, surroundings.settings, is_frozen=surroundings.is_frozen, at=self._now)
            cause: Cause = "acknowledge"
            update = self._orders.transaction_update(order, taken, **self._changed_by_the_caller(cause))
            writes: list[Any] = [{"Update": update}, *self._integrations.nothing_changed(surroundings.integration)]
            try:
                self._client.transact_write_items(TransactItems=writes)
            except self._client.exceptions.TransactionCanceledException as error:
                if not is_lost_race(error):
                    raise
                continue
            return self._shown(existing_order(self._orders, order_id), surroundings)
        raise changed_meanwhile()

    def picked(self, order_id: str, if_match: IfMatch) -> WholeOrder:
        """The warehouse has picked the order. Raises as `make` does."""
        return self._reported(order_id, lambda order, _: Changed(gate.picked(order), "picked"), if_match)

    def transfer_failed(self, order_id: str, failure: TransferFailure, if_match: IfMatch) -> WholeOrder:
        """The warehouse cannot pick the order. Raises as `make` does."""

        def change(order: Order, _: Surroundings) -> Changed:
            return Changed(gate.failed(order, failure.reason), "transferFailed")

        return self._reported(order_id, change, if_match)

    def _reported(self, order_id: str, change: OrderChange, if_match: IfMatch) -> WholeOrder:
        order = existing_order(self._orders, order_id)
        gate.check_handed_over(order)  # first, because a 412 shows the whole order
        return self._made(order, change, if_match).order

    def _hold_if_the_settings_want_it(self, order: Order, surroundings: Surroundings) -> None:
        """A check that was switched on after the last verdict holds the order now, where people find it."""
        verdict = judged(order, surroundings.settings, self._now)
        if not order.is_pending and verdict.hold and not order.hold:
            with suppress(LostRace):
                self._orders.save(order, verdict, by="validation", at=self._now, cause="verdict")

    def make_all(self, bulk: BulkChanges) -> list[ChangedOrder | RefusedChange]:
        """Makes each change by itself."""
        known = self._orders.get_many(wish.order_id for wish in bulk.orders)
        results = [self._result(wish, known.get(wish.order_id), is_dry_run=bulk.dry_run) for wish in bulk.orders]
        return [_result_of_order(result) for result in results]

    def _result(self, wish: BulkOrder, order: Order | None, *, is_dry_run: bool) -> Made | RefusedOrder:
        def attempt(order: Order) -> Made:
            change = self.release(Release()) if wish.patch is None else self.patch(wish.patch)
            return self._tried(order, change) if is_dry_run else self._made(order, change, IfMatch(None))

        return self._attempted(wish.order_id, order, attempt)

    def fill_in(self, rows: Sequence[SheetRow], *, is_dry_run: bool) -> list[ChangedRow | RefusedRow]:
        """Makes the change of each row of a sheet by itself, if its order is still as it was when it was exported."""
        known = self._orders.get_many(row.order_id for row in rows)
        results = [(row.number, self._filled(row, known.get(row.order_id), is_dry_run=is_dry_run)) for row in rows]
        return [_result_of_row(number, result) for number, result in results]

    def _filled(self, row: SheetRow, order: Order | None, *, is_dry_run: bool) -> Made | RefusedOrder:
        if_match = IfMatch(frozenset({row.revision}))

        def attempt(order: Order) -> Made:
            surroundings = self._around(order)
            self._check(if_match, order, surroundings)
            change = self.patch(parsed(OrderPatch, json.dumps(row.patch(self._shown(order, surroundings)))))
            return self._tried(order, change) if is_dry_run else self._made(order, change, if_match)

        return self._attempted(row.order_id, order, attempt)

    def _attempted(self, order_id: str, order: Order | None, attempt: Callable[[Order], Made]) -> Made | RefusedOrder:
        if order is None:
            return refused(order_id, not_found("order"))
        return self._one_by_one.result(order_id, lambda: attempt(order))

    def _tried(self, order: Order, change: OrderChange) -> Made:
        surroundings = self._around(order)
        after, _, warnings = change(order, surroundings)
        return self._answered(after, warnings, surroundings)

    def _made(self, order: Order, change: OrderChange, if_match: IfMatch) -> Made:
        for _ in range(ATTEMPTS):
            surroundings = self._around(order)
            self._check(if_match, order, surroundings)
            after, cause, warnings = change(order, surroundings)
            if after.says_the_same_as(order):
                return self._answered(order, warnings, surroundings)
            try:
                landed = self._orders.save(order, after, **self._changed_by_the_caller(cause))
            except LostRace:
                order = existing_order(self._orders, order.order_id)
                continue
            if order.hold and landed.was_just("OrderReleased"):
                self._tell_released(self._now - order.hold.since)
            return self._answered(landed, warnings, surroundings)
        raise changed_meanwhile()

    def _changed_by_the_caller(self, cause: Cause) -> ChangedBy:
        return {"by": self._caller.name, "at": self._now, "cause": cause, "request_id": self._request_id}

    def _check(self, if_match: IfMatch, order: Order, surroundings: Surroundings) -> None:
        if not if_match.allows(order.revision):
            raise Problem(
                412,
                "The order was changed since the caller read it: `order` is how it is now.",
                code="changedMeanwhile",
                also={"order": self._shown(order, surroundings)},
            )

    def _around(self, order: Order) -> Surroundings:
        """As read when the first order of an integration was changed: a bulk change reads them once."""
        if order.integration not in self._surroundings:
            self._surroundings[order.integration] = around(order, self._integrations)
        return self._surroundings[order.integration]

    def _answered(self, order: Order, warnings: Sequence[FieldWarning], surroundings: Surroundings) -> Made:
        return Made(self._shown(order, surroundings), [warning.as_json() for warning in warnings])

    def _shown(self, order: Order, surroundings: Surroundings) -> WholeOrder:
        return whole_order_for(self._caller, order, surroundings, self._now)


def _result_of_order(result: Made | RefusedOrder) -> ChangedOrder | RefusedChange:
    if isinstance(result, Made):
        return {"orderId": result.order["orderId"], "status": 200, "order": result.order, "warnings": result.warnings}
    return {**result, "warnings": []}


def _result_of_row(number: int, result: Made | RefusedOrder) -> ChangedRow | RefusedRow:
    if isinstance(result, Made):
        changed: ChangedRow = {
            "row": number,
            "orderId": result.order["orderId"],
            "status": 200,
            "order": result.order,
            "warnings": result.warnings,
        }
        return changed
    refused_row: RefusedRow = {"row": number, **result, "warnings": []}
    return refused_row


def check_not_redacted_since(orders: OrderStore, answer: Mapping[str, Any]) -> None:
    """Raises Refused for an answer of long ago that shows an order whose personal data was removed since.

    The answer is an order, or `{orders}` with a result for each.
    """
    shown = [one["order"] for one in answer["orders"] if "order" in one] if "orders" in answer else [answer]
    with_data = [order["orderId"] for order in shown if order["redactedAt"] is None]
    if any(order.redacted_at for order in orders.get_many(with_data).values()):
        raise Refused("redacted", "It is done, but its answer is not kept: the personal data in it was removed since.")

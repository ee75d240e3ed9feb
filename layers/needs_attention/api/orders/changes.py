"""Changes that people and the warehouse make to orders: read, ask the gate, write only if nobody was faster."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from needs_attention.api.callers import Caller, Role
from needs_attention.api.lookup import around, existing_order
from needs_attention.api.operations import IfMatch
from needs_attention.api.orders.requests import Cause, DispatchReport, OrderPatch, Release, TransferFailure, cause_of
from needs_attention.api.orders.views import EditedOrder, WholeOrder, whole_order_for
from needs_attention.api.problems import (
    ATTEMPTS,
    FieldProblem,
    FieldWarning,
    Problem,
    changed_meanwhile,
    problem_of_refusal,
)
from needs_attention.api.retention import EraseOrder
from needs_attention.aws import is_lost_race
from needs_attention.downloads.next_wake_up import LOOKED_AT_EVERY
from needs_attention.integrations.surroundings import Surroundings
from needs_attention.orders import gate
from needs_attention.orders.changes import ChangedBy
from needs_attention.orders.gate import Refused, Wanted
from needs_attention.orders.order import DIFFERS, Order, Redaction
from needs_attention.orders.verdict import judged
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.order_items import due_at
from needs_attention.tables.orders import LostRace, OrderStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Changed(NamedTuple):
    """The order after a change, the change's name in the history, and warnings for the caller."""

    order: Order
    cause: Cause
    warnings: tuple[FieldWarning, ...] = ()


_CANNOT_BE_SENT = FieldWarning(
    "evenIfUnsent",
    "cannotBeSent",
    "the order was not sent, and you cannot send it from here: handle it in Seller Central",
)


OrderChange = Callable[[Order, Surroundings], Changed]


class Made(NamedTuple):
    """The answer to a change that was made, or tried."""

    order: WholeOrder
    warnings: list[FieldProblem]


class OrderChanges:
    """Changes orders for one caller at one moment.

    Each change keeps `request_id`. `tell_released` is called with the length of each hold that the changes end.
    `tell_due` is called with the integration and the time of what the clock owes a changed order soon, before it looks
    at the integration by itself.
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
        tell_due: Callable[[str, datetime], None] = lambda *_: None,
    ) -> None:
        self._client = client
        self._request_id = request_id
        self._tell_released = tell_released
        self._tell_due = tell_due
        self._orders = orders
        self._integrations = integrations
        self._caller = caller
        self._now = now
        self._surroundings: dict[str, Surroundings] = {}

    def patch(self, patch: OrderPatch) -> OrderChange:
        """Makes the edits first, then asks the gate for the rest.

        Raises a 403 for an override by anyone but an administrator. The change raises a 422 for a wish that makes no
        sense.
        """
        self._check_override(patch.override is not None)

        def change(order: Order, surroundings: Surroundings) -> Changed:
            settings = surroundings.settings_for(order.amazon.marketplace_id)
            wanted = patch.wanted(surroundings.stages, self._now)
            units, confirmed = patch.units(order, settings), patch.confirmed_fields()
            noted = patch.noted(order)
            if patch.close_alerts:
                noted = gate.close_alerts(noted, patch.close_alerts, by=self._caller.name, at=self._now)
            if units or patch.keep_typed or confirmed is not None:
                gate.check_editable(noted)
                noted = gate.stopped(noted, wanted, settings, by=self._caller.name, at=self._now)
                edited = gate.edit(noted, units, confirmed, settings, self._now, kept=patch.kept())
            elif wanted == Wanted():
                return Changed(noted, "alertsClosed" if noted.alerts != order.alerts else "note")
            else:
                edited = noted
            changed = gate.change(edited, wanted, settings, by=self._caller.name, at=self._now)
            return Changed(changed, cause_of(order, wanted), patch.warnings(changed, settings))

        return change

    def release(self, release: Release) -> OrderChange:
        """Raises a 403 for an override by anyone but an administrator."""
        self._check_override(release.override is not None)
        wanted = release.wanted()

        def change(order: Order, surroundings: Surroundings) -> Changed:
            settings = surroundings.settings_for(order.amazon.marketplace_id)
            released = gate.change(order, wanted, settings, by=self._caller.name, at=self._now)
            return Changed(released, cause_of(order, wanted))

        return change

    def erase(self, erasure: EraseOrder) -> OrderChange:
        """Removes personal data early. Warns if the order was not yet sent."""
        request = Redaction(by=self._caller.name, why="request", reference=erasure.reference)

        def change(order: Order, surroundings: Surroundings) -> Changed:
            settings = surroundings.settings_for(order.amazon.marketplace_id)
            erased = gate.erase(order, settings, request, even_if_unsent=erasure.even_if_unsent, at=self._now)
            is_unsent = erased.redaction == request and order.is_unsent
            return Changed(erased, "erasure", (_CANNOT_BE_SENT,) if is_unsent else ())

        return change

    def _check_override(self, is_override: bool) -> None:  # noqa: FBT001 - one question, asked by two
        if is_override:
            self._caller.must_be(Role.ADMINISTRATOR, "overrides the gate")

    def make(self, order_id: str, change: OrderChange, if_match: IfMatch) -> EditedOrder:
        """Writes the change, if it changes anything, and answers the order as it is then.

        Raises Refused, a 404, a 412 with the current order, or a 409 if somebody else was faster each time.
        """
        made = self.make_on(existing_order(self._orders, order_id), change, if_match)
        return {**made.order, "warnings": made.warnings}

    def read(self, order: Order, if_match: IfMatch) -> WholeOrder:
        """The order as the caller may see it. Raises a 412."""
        surroundings = self._around(order)
        self._check(if_match, order, surroundings)
        return self._shown(order, surroundings)

    def try_on(self, order: Order, change: OrderChange) -> Made:
        """The order as the change would make it. Raises what the change raises."""
        surroundings = self._around(order)
        after, _, warnings = self._changed(order, change, surroundings)
        return self._answered(after, warnings, surroundings)

    def make_on(self, order: Order, change: OrderChange, if_match: IfMatch) -> Made:
        """As `make`, for an order that was read already."""
        for _ in range(ATTEMPTS):
            surroundings = self._around(order)
            self._check(if_match, order, surroundings)
            after, cause, warnings = self._changed(order, change, surroundings)
            if after.says_the_same_as(order):
                return self._answered(order, warnings, surroundings)
            try:
                landed = self._orders.save(order, after, **self._changed_by_the_caller(cause))
            except LostRace:
                order = existing_order(self._orders, order.order_id)
                continue
            if order.held and landed.was_just("OrderReleased"):
                self._tell_released(self._now - order.held.since)
            due = due_at(landed)
            if due and due != due_at(order) and due < self._now + LOOKED_AT_EVERY:
                self._tell_due(landed.integration, due)
            return self._answered(landed, warnings, surroundings)
        raise changed_meanwhile()

    def acknowledge(self, order_id: str, if_match: IfMatch) -> WholeOrder:
        """The warehouse takes the order. Raises as `make` does.

        One transaction checks that the order and the settings are those that the gate saw, and that nothing is frozen.
        """
        for _ in range(ATTEMPTS):
            order = existing_order(self._orders, order_id)
            surroundings = around(order, self._integrations)
            settings = surroundings.settings_for(order.amazon.marketplace_id)
            # First, because a 412 shows the whole order, and a warehouse sees only orders for it.
            gate.check_outflow(order, settings, is_frozen=surroundings.is_frozen)
            self._check(if_match, order, surroundings)
            self._hold_if_the_settings_want_it(order, surroundings)
            taken = gate.hand_over(order, settings, is_frozen=surroundings.is_frozen, at=self._now)
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

    def dispatched(self, order_id: str, report: DispatchReport, if_match: IfMatch) -> WholeOrder:
        """The warehouse has sent the order. Raises as `make` does, and a 422 for a time in the future."""
        sent_at = report.sent_at(self._now)

        def change(order: Order, surroundings: Surroundings) -> Changed:
            settings = surroundings.settings_for(order.amazon.marketplace_id)
            sent = gate.dispatched(order, sent_at, settings, by=self._caller.name, at=self._now)
            return Changed(sent, "dispatched")

        return self._reported(order_id, change, if_match)

    def transfer_failed(self, order_id: str, failure: TransferFailure, if_match: IfMatch) -> WholeOrder:
        """The warehouse cannot pick the order. Raises as `make` does."""

        def change(order: Order, _: Surroundings) -> Changed:
            return Changed(gate.failed(order, failure.reason), "transferFailed")

        return self._reported(order_id, change, if_match)

    def _reported(self, order_id: str, change: OrderChange, if_match: IfMatch) -> WholeOrder:
        order = existing_order(self._orders, order_id)
        gate.check_handed_over(order)  # first, because a 412 shows the whole order
        return self.make_on(order, change, if_match).order

    def _hold_if_the_settings_want_it(self, order: Order, surroundings: Surroundings) -> None:
        """Holds the order if a check that was switched on after its last verdict wants that, so that people find it."""
        verdict = judged(order, surroundings.settings_for(order.amazon.marketplace_id), self._now)
        if not order.is_pending and verdict.is_held and not order.is_held:
            with suppress(LostRace):
                self._orders.save(order, verdict, by="validation", at=self._now, cause="verdict")

    def _changed_by_the_caller(self, cause: Cause) -> ChangedBy:
        return {"by": self._caller.name, "at": self._now, "cause": cause, "request_id": self._request_id}

    def _changed(self, order: Order, change: OrderChange, surroundings: Surroundings) -> Changed:
        """The order after the change. A refusal because Amazon says something else shows both values, in the order."""
        try:
            return change(order, surroundings)
        except Refused as refused:
            if refused.code != DIFFERS or not self._caller.is_any_of(Role.READER):
                raise
            raise problem_of_refusal(refused, also={"order": self._shown(order, surroundings)}) from refused

    def _check(self, if_match: IfMatch, order: Order, surroundings: Surroundings) -> None:
        if not if_match.allows(order.revision):
            raise Problem(
                412,
                "The order has changed since you read it. `order` shows it as it is now.",
                code="changedMeanwhile",
                also={"order": self._shown(order, surroundings)},
            )

    def _around(self, order: Order) -> Surroundings:
        """The surroundings of the order. A bulk change reads those of each integration once."""
        if order.integration not in self._surroundings:
            self._surroundings[order.integration] = around(order, self._integrations)
        return self._surroundings[order.integration]

    def _answered(self, order: Order, warnings: Sequence[FieldWarning], surroundings: Surroundings) -> Made:
        return Made(self._shown(order, surroundings), [warning.as_json() for warning in warnings])

    def _shown(self, order: Order, surroundings: Surroundings) -> WholeOrder:
        return whole_order_for(self._caller, order, surroundings, self._now)


def check_not_redacted_since(orders: OrderStore, answer: object) -> None:
    """Raises Refused for a remembered answer that tells of an order whose personal data was removed since."""
    if any(order.redacted_at for order in orders.get_many(_orders_with_data(answer)).values()):
        raise Refused(
            "redacted", "The request took effect. Its answer is gone, because the personal data in it was removed."
        )


def _orders_with_data(answer: object) -> Iterator[str]:
    """The IDs of the orders, wherever they stand in the answer, that had personal data when it was given.

    A refusal that shows no order counts too, because its texts may quote it.
    """
    match answer:
        case {"orderId": str(order_id), "redactedAt": None}:
            yield order_id
        case {"orderId": str(order_id), "problem": {"code": code, **problem}} if "order" not in problem:
            if code != "redacted":
                yield order_id
    parts = answer.values() if isinstance(answer, Mapping) else answer if isinstance(answer, list) else ()
    for part in parts:
        yield from _orders_with_data(part)

"""Checks all the time for states that must never occur."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from tools.local_stack.chaos.actors import Actor, Caller
from tools.local_stack.chaos.truth import Truth
from tools.local_stack.expectations import Unexpected
from tools.local_stack.shop import Shop

AT_ONCE: Final = 25


class Observer(Caller):
    """By the API."""

    pause: ClassVar[float] = 0.3

    def acts(self) -> Mapping[Callable[[], object], int]:
        return {self.looks_at_what_may_leave: 2, self.looks_at_some_orders: 1}

    def looks_at_what_may_leave(self) -> None:
        self._look("/orders?fulfillable=true&limit=100")

    def looks_at_some_orders(self) -> None:
        known = self.truth.order_ids()
        if some := self.random.sample(known, min(AT_ONCE, len(known))):
            self._look(f"/orders?orderIds={','.join(some)}")

    def _look(self, path: str) -> None:
        answer = self.ask("reader", "GET", path)
        for row in answer.body["orders"] if answer.status == 200 else ():
            self.truth.check_row(row)
            self.counts["samples"] += 1


class TableObserver(Actor):
    """In the table itself, past everything that could be out of date, and while no function answers."""

    pause: ClassVar[float] = 0.1

    def __init__(self, seed: int, shop: Shop, truth: Truth) -> None:
        super().__init__(seed)
        self._shop = shop
        self._truth = truth
        self._revisions: dict[str, int] = defaultdict(int)

    def acts(self) -> Mapping[Callable[[], object], int]:
        return {self.looks_into_the_table: 1}

    def looks_into_the_table(self) -> None:
        known = self._truth.order_ids()
        for order_id in self.random.sample(known, min(AT_ONCE, len(known))):
            self._look(order_id)

    def _look(self, order_id: str) -> None:
        order = self._shop.orders.get(order_id)
        seen_before = self._revisions[order_id]
        revision = order.revision if order else 0
        if revision < seen_before:
            raise Unexpected(f"{order_id} goes back from revision {seen_before} to {revision}")
        self._revisions[order_id] = revision
        if order:
            self.counts["samples"] += 1
            if order.is_fulfillable or order.is_transferable or order.is_handed_over:
                self._truth.check(order_id, f"is stored so that it may leave, or has left: {order.three_pl_status}")

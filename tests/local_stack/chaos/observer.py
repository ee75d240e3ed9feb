"""Looks all the time whether something is as it must never be."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from tests.local_stack.chaos.actors import Caller
from tests.local_stack.chaos.truth import Truth
from tests.local_stack.expectations import Unexpected
from tests.local_stack.shop import Shop

AT_ONCE: Final = 25


class Observer(Caller):
    """By the API, and in the table itself, past everything that could be out of date."""

    pause: ClassVar[float] = 0.3

    def __init__(self, seed: int, shop: Shop, truth: Truth) -> None:
        super().__init__(seed, shop.stack, truth)
        self._shop = shop
        self._revisions: dict[str, int] = defaultdict(int)

    def acts(self) -> Mapping[Callable[[], object], int]:
        return {self.looks_at_what_may_leave: 2, self.looks_at_some_orders: 1, self.looks_into_the_table: 3}

    def looks_at_what_may_leave(self) -> None:
        self._look("/orders?fulfillable=true&limit=100")

    def looks_at_some_orders(self) -> None:
        if some := self._some():
            self._look(f"/orders?orderIds={','.join(some)}")

    def looks_into_the_table(self) -> None:
        for order_id in self._some():
            order = self._shop.orders.get(order_id)
            if order is None:
                if self._revisions[order_id]:
                    raise Unexpected(f"{order_id} was there, and is gone")
                continue
            if order.revision < self._revisions[order_id]:
                raise Unexpected(f"{order_id} goes back from {self._revisions[order_id]} to {order.revision}")
            self._revisions[order_id] = order.revision
            if order.is_fulfillable or order.is_transferable or order.is_handed_over:
                self.truth.check(order_id, f"is stored so that it may leave, or has left: {order.three_pl_status}")
            self.counts["samples"] += 1

    def _look(self, path: str) -> None:
        answer = self.ask("reader", "GET", path)
        for row in answer.body["orders"] if answer.status == 200 else ():
            self.truth.check_row(row)
            self.counts["samples"] += 1

    def _some(self) -> list[str]:
        known = self.truth.order_ids()
        return self.random.sample(known, min(AT_ONCE, len(known)))

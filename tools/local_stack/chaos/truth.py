"""A chaos run's own knowledge of its orders: Amazon's data of each, people's edits, and which may leave."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from tools.amazon_stand_in.ledger import Json, Ledger
from tools.local_stack.expectations import Unexpected


class Truth:
    """It learns everything before Amazon or the system does, so that it is never behind them."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.comments: dict[str, set[str | None]] = defaultdict(lambda: {None})
        self.handed_over: set[str] = set()
        self._amazon_lacks: dict[str, set[str]] = {}
        self._typed: dict[str, set[str]] = defaultdict(set)

    def order_ids(self) -> list[str]:
        """In the order in which they came."""
        return list(self._amazon_lacks)

    def new(self, order: Json, whole: Json, missing: Iterable[str]) -> None:
        self.ledger.put(order, whole=whole, missing=missing)
        self._amazon_lacks[order["orderId"]] = set(missing)

    def amazon_gives(self, order_id: str, codes: Iterable[str]) -> None:
        """From now on Amazon may have told the system."""
        self._amazon_lacks[order_id] -= set(codes)

    def typing(self, order_id: str, codes: Iterable[str]) -> Callable[[], None]:
        """From now on these edits may be there. Call the returned function if they were certainly refused."""
        before = self._typed[order_id]
        self._typed[order_id] = before | set(codes)
        return lambda: self._typed.update({order_id: before})

    def lacking(self, order_id: str) -> frozenset[str]:
        """The gaps that nobody can have filled yet: as long as there are any, the order must not leave."""
        return frozenset(self._amazon_lacks[order_id] - self._typed[order_id])

    def check_row(self, row: dict[str, Any]) -> None:
        """A row of the API, seen just now. Raises Unexpected if it says that an order may leave that must not."""
        if row["fulfillable"]:
            is_over = row["fulfillmentStatus"] == "CANCELLED" or row["verdict"] == "pending"
            self.check(row["orderId"], f"is shown as fulfillable: {row}", must_not=is_over)

    def check(self, order_id: str, what: str, *, must_not: bool = False) -> None:
        """Raises Unexpected if something is still missing of an order of ours that leaves, or may."""
        if order_id in self._amazon_lacks and (must_not or self.lacking(order_id)):
            raise Unexpected(f"{order_id} lacks {sorted(self.lacking(order_id))}, and {what}")

    def commenting(self, order_id: str, comment: str) -> None:
        self.comments[order_id].add(comment)

    def commented(self, order_id: str, comment: str) -> None:
        """It was answered as done, so it stands there, and nothing before it."""
        self.comments[order_id] = {comment}

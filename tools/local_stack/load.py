"""Many orders at once: each must get the right verdict, and none may leave before it has one."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from tools.amazon_stand_in.generator import SPREAD, Hole, generated
from tools.local_stack.api import Person
from tools.local_stack.expectations import A_LONG_WHILE, eventually, expect
from tools.local_stack.outside import Amazon
from tools.local_stack.registration import INTEGRATION, register
from tools.local_stack.stack import Stack

SHARE_OF_EACH_HOLE = 0.02
NOT_DOWNLOADED = "PENDING"
# It follows the delivery address, so the generator's truth does not name it.
FOLLOWS = "billingAddress"
SAMPLES_AT_ONCE = 3
BETWEEN_SAMPLES = 1.0
SAYS_EVERY = 20
# Generous: a slow and busy machine may take its time, but not for ever.
SECONDS_AN_ORDER = 1.0


@dataclass(frozen=True)
class Measured:
    """The time from the request until every order had its verdict, and the number of samples meanwhile."""

    orders: int
    held: int
    seconds: float
    samples: int

    def __str__(self) -> str:
        rate = self.orders / self.seconds
        return (
            f"{self.orders:,} orders judged in {self.seconds:.0f} s ({rate:.0f} a second), {self.held:,} of them held; "
            f"{self.samples:,} samples, none fulfillable before its verdict"
        )


class Load:
    """`number` generated orders, with holes whose effect is known, on a stack with the integration `demo`.

    Complete orders are dispatched at once (Auto Dispatch), so that an early or wrong verdict shows.
    """

    def __init__(self, stack: Stack, number: int) -> None:
        shares = dict.fromkeys(Hole, SHARE_OF_EACH_HOLE)
        entries = list(generated(number, now=datetime.now(UTC), shares=shares))
        self.entries = {entry.order_id: entry for entry in entries if entry.fulfillment_status != NOT_DOWNLOADED}
        self._left_out = [entry for entry in entries if entry.fulfillment_status == NOT_DOWNLOADED]
        self._stack = stack
        self._reader = Person(stack, "reader")
        self._administrator = Person(stack, "administrator")
        self._amazon = Amazon(stack.amazon_endpoint)
        self._random = Random(number)
        self._samples = 0
        self._looks = count(1)

    def run(self, say: Callable[[str], None]) -> Measured:
        """Raises Unexpected if an order is judged wrongly, or may leave before it is judged."""
        self._prepare(say)
        self._set(autoDispatchOrders=True)
        try:
            return self._measured(say)
        finally:
            self._set(autoDispatchOrders=False)

    def _measured(self, say: Callable[[str], None]) -> Measured:
        began = time.monotonic()
        path = f"/integrations/{INTEGRATION}/downloads"
        updated_after = (datetime.now(UTC) - SPREAD - timedelta(hours=1)).isoformat()
        asked = self._administrator.post(path, {"updatedAfter": updated_after}, status=202)
        patience = A_LONG_WHILE + SECONDS_AN_ORDER * len(self.entries)
        eventually(
            "the download", lambda: self._finished(f"{path}/{asked['downloadId']}", say), patience, BETWEEN_SAMPLES
        )
        rows = eventually("every verdict", self._rows_if_all_judged, patience, BETWEEN_SAMPLES)
        seconds = time.monotonic() - began
        held = {order_id: _missing(row) for order_id, row in rows.items() if row["stage"] == "Needs Attention"}
        truth = {order_id: set(entry.missing) for order_id, entry in self.entries.items() if entry.missing}
        expect(held, truth, "the held orders, and what each lacks")
        expect(rows.keys(), self.entries.keys(), "the orders")
        self._let_all_be_told(next(iter(held)))
        return Measured(len(rows), len(held), seconds, self._samples)

    def _prepare(self, say: Callable[[str], None]) -> None:
        register(self._stack)
        eventually("the downloads so far", lambda: self._are_all_over(f"/integrations/{INTEGRATION}/downloads") or None)
        for operation in ("searchOrders", "getOrder"):
            self._amazon.set_usage_plan(operation, rate=100, burst=100)
        say(f"Amazon gets {len(self.entries) + len(self._left_out):,} orders")
        for entry in (*self.entries.values(), *self._left_out):
            self._amazon.put(entry.order)

    def _let_all_be_told(self, order_id: str) -> None:
        """Waits until one more change is in the history, after all others: then nobody after us waits for them."""
        comment = "The last change of many"
        Person(self._stack, "editor").patch(f"/orders/{order_id}", {"comment": comment})
        path = f"/orders/{order_id}/history"

        def is_told() -> bool | None:
            return "note" in {change["cause"] for change in self._reader.get(path)["changes"]} or None

        eventually("the end of the history", is_told, A_LONG_WHILE + SECONDS_AN_ORDER * len(self.entries))

    def _set(self, **settings: object) -> None:
        self._administrator.patch(f"/integrations/{INTEGRATION}", {"settings": settings})

    def _finished(self, path: str, say: Callable[[str], None]) -> dict[str, Any] | None:
        self._sample()
        download: dict[str, Any] = self._reader.get(path)
        if next(self._looks) % SAYS_EVERY == 0:
            say(f"{download['counts']['orders']:,} orders downloaded")
        return download if download["status"] == "finished" else None

    def _are_all_over(self, path: str) -> bool:
        return all(download["status"] == "finished" for download in self._reader.get(path)["downloads"])

    def _sample(self) -> None:
        """Looks at what may be fulfilled now, and at some orders, whatever may be."""
        rows = self._reader.get("/orders?fulfillable=true&limit=100")["orders"]
        known = [row for row in rows if row["orderId"] in self.entries]
        some = self._random.sample(sorted(self.entries), SAMPLES_AT_ONCE)
        known += self._reader.get(f"/orders?orderIds={','.join(some)}")["orders"]
        for row in known:
            may_leave = row["verdict"] == "judged" and not self.entries[row["orderId"]].missing
            expect(row["fulfillable"] and not may_leave, False, f"{row['orderId']} may leave, which it must not: {row}")
        self._samples += len(known)

    def _rows_if_all_judged(self) -> dict[str, dict[str, Any]] | None:
        self._sample()
        rows: dict[str, dict[str, Any]] = {}
        for row in self._all_rows():
            if row["orderId"] in self.entries:
                if row["verdict"] == "pending":
                    return None
                rows[row["orderId"]] = row
        return rows

    def _all_rows(self) -> Iterator[dict[str, Any]]:
        cursor = ""
        while True:
            page = self._reader.get(f"/orders?limit=250{cursor}")
            yield from page["orders"]
            if page["nextCursor"] is None:
                return
            cursor = f"&cursor={page['nextCursor']}"


def _missing(row: dict[str, Any]) -> set[str]:
    return {code for code in row["missing"] if code != FOLLOWS}

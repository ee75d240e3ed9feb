"""Rehearses `docs/restore.md` on the real template, as far as the embedded AWS goes.

It has no recovery points, so a copy of the orders replaces one; the program in the document copies the items back.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from needs_attention.tables.order_items import order_from_item, to_item
from tools.from_template import resources
from tools.local_stack import local_aws
from tools.local_stack.api import Person
from tools.local_stack.deployment import PROJECT
from tools.local_stack.expectations import eventually, expect
from tools.local_stack.outside import Amazon
from tools.local_stack.registration import INTEGRATION, register
from tools.local_stack.stack import Stack

NEEDS_ATTENTION, NOW = "Needs Attention", "Transfer to 3PL Now"
COPY = "orders-restored"
A_WHILE = 240.0
TILL_THE_CLOCK = 400.0  # it removes personal data every five minutes


def rehearse(stack: Stack, say: Callable[[str], None]) -> None:
    """Raises Unexpected if anything could leave that must not, or is not forgotten again, or does not come back."""
    rehearsal = _Rehearsal(stack)
    rehearsal.everything_is_as_usual()
    say("Orders are downloaded and judged; one is for the warehouse")
    rehearsal.a_moment_to_come_back_to()
    rehearsal.time_goes_on_and_orders_are_lost()
    say("The warehouse has taken that order, and others were deleted by mistake")
    rehearsal.freeze_and_put_back()
    say("Frozen and restored: an order that was sent looks unsent, and cannot leave")
    rehearsal.forget_again()
    say("Personal data whose time is over is removed again")
    rehearsal.catch_up_and_open()
    say("Missing orders are downloaded again, the order that was sent is held, and the rest may leave")


class _Rehearsal:
    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._dynamodb = local_aws.session().client("dynamodb", endpoint_url=stack.aws_endpoint)
        self._orders = stack.outputs["OrdersTable"]
        self._amazon = Amazon(stack.amazon_endpoint)
        self._administrator, self._editor = Person(stack, "administrator"), Person(stack, "editor")
        self._warehouse = Person(stack, "warehouse")

    def everything_is_as_usual(self) -> None:
        register(self._stack)
        rows = eventually("verdicts", self._all_judged, A_WHILE)
        complete = [
            one
            for one, row in rows.items()
            if not row["missing"] and row["status"] == "Open" and row["fulfilledBy"] == "MERCHANT"
        ]
        self._sent, self._to_send, self._lost, self._old = complete[:4]
        for order_id in (self._sent, self._to_send):
            self._editor.patch(f"/orders/{order_id}", {"threePlStatus": NOW})

    def a_moment_to_come_back_to(self) -> None:
        """The copy: one of the orders that will be lost came later, and another one's time has come since."""
        keys = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
        table = resources()["OrdersTable"]["Properties"]
        self._dynamodb.create_table(TableName=COPY, **{key: table[key] for key in keys})
        items = self._items()
        del items[self._lost]
        old = order_from_item(items[self._old])
        long_ago = old.amazon.created_at - timedelta(days=40)
        items[self._old] = to_item(old.with_(amazon=old.amazon.model_copy(update={"ship_by": long_ago})))
        for item in items.values():
            self._dynamodb.put_item(TableName=COPY, Item=item)

    def time_goes_on_and_orders_are_lost(self) -> None:
        self._warehouse.post(f"/orders/{self._sent}/acknowledge", {})
        for order_id in (self._to_send, self._lost):
            self._dynamodb.delete_item(TableName=self._orders, Key={"orderId": {"S": order_id}})

    def freeze_and_put_back(self) -> None:
        self._administrator.post("/freeze", {})
        (lines,) = re.findall(r"```python\n(.*?)```", (PROJECT / "docs/restore.md").read_text(), re.DOTALL)
        environment = local_aws.environment_of(self._stack.aws_endpoint)
        command = [sys.executable, "-c", lines, COPY, self._orders]
        subprocess.run(command, env=environment, check=True)  # noqa: S603 - what the document says
        expect(self._editor.get(f"/orders/{self._sent}")["threePlStatus"], NOW, "an old state shows it as unsent")
        expect(self._for_the_warehouse(), set(), "the orders that may leave while all is frozen")
        self._warehouse.post(f"/orders/{self._sent}/acknowledge", {}, status=409)

    def forget_again(self) -> None:
        eventually("the redaction", lambda: self._editor.get(f"/orders/{self._old}")["redactedAt"], TILL_THE_CLOCK)
        self._dynamodb.delete_table(TableName=COPY)

    def catch_up_and_open(self) -> None:
        asked = self._administrator.post(f"/integrations/{INTEGRATION}/downloads", {}, status=202)
        path = f"/integrations/{INTEGRATION}/downloads/{asked['downloadId']}"
        eventually("the download", lambda: self._editor.get(path)["status"] == "finished" or None, A_WHILE)
        rows = eventually("verdicts", self._all_judged, A_WHILE)
        expect({self._lost, self._to_send} <= rows.keys(), True, "the lost orders are there again")
        self._editor.patch(f"/orders/{self._sent}", {"stage": NEEDS_ATTENTION, "comment": "Sent before the restore"})
        self._administrator.delete("/freeze")
        may_leave = self._for_the_warehouse()
        expect((self._to_send in may_leave, self._sent in may_leave), (True, False), "the orders that may leave again")

    def _for_the_warehouse(self) -> set[str]:
        return {row["orderId"] for row in self._warehouse.get("/orders")["orders"]}

    def _all_judged(self) -> Mapping[str, Any] | None:
        """The rows, when the downloads so far are over and have brought any."""
        downloads = self._editor.get(f"/integrations/{INTEGRATION}/downloads")["downloads"]
        rows = {row["orderId"]: row for row in self._editor.get("/orders?limit=250")["orders"]}
        is_over = rows and all(one["status"] == "finished" for one in downloads)
        return rows if is_over and all(row["verdict"] == "judged" for row in rows.values()) else None

    def _items(self) -> dict[str, Any]:
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self._orders)
        return {item["orderId"]["S"]: item for page in pages for item in page["Items"]}

"""The integration, and Amazon's side of it, for tests that play both, and let time pass without waiting for it."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Literal

from needs_attention.aws import ChangedMeanwhile
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.order_items import VERDICT_OVERDUE, to_item
from needs_attention.tables.orders import OrderStore
from tools.amazon_stand_in.story import STORY
from tools.local_stack import local_aws
from tools.local_stack.api import Person
from tools.local_stack.expectations import eventually
from tools.local_stack.outside import JUST_LISTED, Amazon, just_listed
from tools.local_stack.registration import INTEGRATION, register
from tools.local_stack.stack import Stack

NUMBERS = count(1)
TRIES_BETWEEN_WHILES = 25
# Amazon's times have no fractions of a second.
ROUNDING = timedelta(seconds=1)
WHOLE = STORY[0].order_id


class Shop:
    """The integration, and Amazon's side of it, with live downloads too rare to take an order that a test prepares."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.amazon = Amazon(stack.amazon_endpoint)
        self.administrator = Person(stack, "administrator")
        self.reader = Person(stack, "reader")
        self.editor = Person(stack, "editor")
        self.path = f"/integrations/{INTEGRATION}"
        session = local_aws.session()
        self.dynamodb = session.client("dynamodb", endpoint_url=stack.aws_endpoint)
        self.orders = OrderStore(self.dynamodb, stack.outputs["OrdersTable"])
        self.sqs = session.client("sqs", endpoint_url=stack.aws_endpoint)
        self._asked_at = datetime.now(UTC)

    @classmethod
    def registered(cls, stack: Stack) -> "Shop":
        """At rest, whatever was before, and with quota for as many calls as a test makes."""
        register(stack)
        shop = cls(stack)
        shop.amazon.behave()
        for operation in ("searchOrders", "getOrder"):
            shop.amazon.set_usage_plan(operation, rate=100, burst=100)
        shop.administrator.patch(shop.path, {"settings": {"liveDownloadEveryMinutes": 24 * 60}})
        shop.come_to_rest()
        return shop

    def come_to_rest(self) -> None:
        """Waits until no incident is open and nothing runs any more; what was set aside is forgotten."""
        eventually("the live download", lambda: self.health()["lastRunAt"])
        self.after_a_while("the end of every incident", lambda: self.health()["incidents"] == [] or None)
        eventually("the live download", lambda: self.health()["lastRunAt"])
        eventually("the end of every run", lambda: self.wake_ups() == 0 or None)
        store = DownloadStateStore(self.dynamodb, self.stack.outputs["IntegrationsTable"])
        for order_id in self.set_aside():
            store.forget_set_aside(INTEGRATION, order_id)

    def new_orders(self, number: int = 1, **changes: Any) -> list[str]:
        """Whole orders that Amazon lists as just updated."""
        whole = self.amazon.order(WHOLE)
        orders = [
            whole | {"orderId": f"113-{next(NUMBERS):07}-0000000", "lastUpdatedTime": just_listed(), **changes}
            for _ in range(number)
        ]
        for order in orders:
            self.amazon.put(order)
        return [order["orderId"] for order in orders]

    def ask_for_download(self) -> str:
        """Of what was updated at Amazon since this was asked last; answers with the download's path."""
        updated_after = (self._asked_at - JUST_LISTED - ROUNDING).isoformat()
        self._asked_at = datetime.now(UTC)
        asked = self.administrator.post(f"{self.path}/downloads", {"updatedAfter": updated_after}, status=202)
        return f"{self.path}/downloads/{asked['downloadId']}"

    def finished(self, path: str) -> dict[str, Any] | None:
        download: dict[str, Any] = self.reader.get(path)
        return download if download["status"] == "finished" else None

    def download(self) -> dict[str, Any]:
        path = self.ask_for_download()
        return eventually("the download", lambda: self.finished(path))

    def judged(self, order_ids: list[str]) -> dict[str, dict[str, Any]]:
        """The orders, as soon as they are there with their verdicts."""

        def find() -> dict[str, dict[str, Any]] | None:
            rows = self.reader.get(f"/orders?orderIds={','.join(order_ids)}")["orders"]
            judged = {row["orderId"]: row for row in rows if row["verdict"] == "judged"}
            return judged if judged.keys() == set(order_ids) else None

        return eventually("the verdicts", find)

    def health(self) -> dict[str, Any]:
        health: dict[str, Any] = self.reader.get(self.path)["health"]
        return health

    def cursor(self) -> datetime:
        """How far live downloads have come."""
        return datetime.fromisoformat(self.health()["cursor"])

    def set_aside(self) -> dict[str, str]:
        """Why, by order ID."""
        return {order["orderId"]: order["reason"] for order in self.health()["setAside"]}

    def let_a_while_pass(self) -> None:
        """Lets minutes pass without waiting, until live downloads are due and failures are tried again."""
        store = DownloadStateStore(self.dynamodb, self.stack.outputs["IntegrationsTable"])
        state = store.state(INTEGRATION)
        assert state is not None
        live = state.live
        earlier = live.walk.model_copy(update={"reached": live.walk.reached - timedelta(minutes=1)})
        due = {"walk": earlier, "last_run_at": None, "blocked_until": None, "retry_at": None}
        store.save_live_download(INTEGRATION, live.model_copy(update=due))
        for download in store.backdated_downloads(INTEGRATION):
            if download.retry_at:
                with suppress(ChangedMeanwhile):
                    store.save_backdated_download(INTEGRATION, download.model_copy(update={"retry_at": None}))
        self.wake_up(json.dumps({"integrationId": INTEGRATION}), group=INTEGRATION)

    def let_verdicts_become_overdue(self, order_ids: Iterable[str]) -> None:
        """Those that are pending, and stay it: the clock asks for them again, and does so after ten minutes."""
        for order in self.orders.get_many(order_ids).values():
            if order.pending_since:
                item = to_item(order.with_(pending_since=order.pending_since - VERDICT_OVERDUE))
                values = {":since": item["pendingSince"], ":due": item["dueKey"], ":revision": item["revision"]}
                with suppress(self.dynamodb.exceptions.ConditionalCheckFailedException):
                    self.dynamodb.update_item(
                        TableName=self.stack.outputs["OrdersTable"],
                        Key={"orderId": item["orderId"]},
                        UpdateExpression="SET pendingSince = :since, dueKey = :due",
                        ConditionExpression="revision = :revision",
                        ExpressionAttributeValues=values,
                    )

    def after_a_while[Found](self, what: str, find: Callable[[], Found | None]) -> Found:
        """The result of `find` once time has passed; if a run under way overwrites that time, more passes."""
        whiles = count()

        def find_or_wait() -> Found | None:
            if (found := find()) is None and next(whiles) % TRIES_BETWEEN_WHILES == 0:
                self.let_a_while_pass()
            return found

        return eventually(what, find_or_wait)

    def wake_up(self, body: str, *, group: str) -> None:
        queue = self.stack.outputs["WakeUpQueueUrl"]
        once = f"{group}-{next(NUMBERS)}"
        self.sqs.send_message(QueueUrl=queue, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=once)

    def set_wake_ups_hidden(self, seconds: int) -> int:
        """Sets how long a wake-up whose run died delays its integration; returns the earlier value."""
        url, name = self.stack.outputs["WakeUpQueueUrl"], "VisibilityTimeout"
        before = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name]
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={name: str(seconds)})
        return int(before)

    def waiting_in(self, queue: str) -> int:
        """How many messages can be received from the queue that the stack's output names."""
        return self._number_in(queue, "ApproximateNumberOfMessages")

    def wake_ups(self) -> int:
        """How many wait, or are being worked on."""
        return self.waiting_in("WakeUpQueue") + self.wake_ups_at_work()

    def wake_ups_at_work(self) -> int:
        """Or failed, and held back until they are tried again."""
        return self._number_in("WakeUpQueue", "ApproximateNumberOfMessagesNotVisible")

    def _number_in(
        self, queue: str, number: Literal["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    ) -> int:
        url = self.stack.outputs[f"{queue}Url"]
        return int(self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[number])["Attributes"][number])

    def empty(self, queue: str) -> None:
        """Of all its messages, whether they wait or not."""
        self.sqs.purge_queue(QueueUrl=self.stack.outputs[f"{queue}Url"])

    @contextmanager
    def stored(self, item: Mapping[str, Any]) -> Iterator[None]:
        """Meanwhile the orders table has this item, put there past the system."""
        table = self.stack.outputs["OrdersTable"]
        self.dynamodb.put_item(TableName=table, Item=item)
        try:
            yield
        finally:
            self.dynamodb.delete_item(TableName=table, Key={"orderId": item["orderId"]})

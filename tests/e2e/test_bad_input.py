"""What arrives broken: an answer of Amazon's, an order, a stream record, a request.

Each is answered with a clear error or set aside alone where a person finds it; nothing else waits, and nothing is lost.
The embedded AWS counts a stream record whose validation failed as done, so that such a record reaches its failure queue
is for the integration tests; here it must not keep others from their verdicts.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from needs_attention.integration_store import ChangedMeanwhile, IntegrationStore
from tests.amazon_stand_in.story import STORY
from tests.local_stack import local_aws
from tests.local_stack.api import Person, send
from tests.local_stack.expectations import eventually
from tests.local_stack.outside import Amazon, just_listed
from tests.local_stack.registration import INTEGRATION, register
from tests.local_stack.stack import Stack

NUMBERS = count(1)
TRIES_BETWEEN_WHILES = 25
WHOLE = STORY[0].order_id


class Shop:
    """The integration, and Amazon's side of it, with live downloads so rare that none takes what a test prepares."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.amazon = Amazon(stack.amazon_endpoint)
        self.administrator = Person(stack, "administrator")
        self.reader = Person(stack, "reader")
        self.editor = Person(stack, "editor")
        self.path = f"/integrations/{INTEGRATION}"
        session = local_aws.session()
        self.dynamodb = session.client("dynamodb", endpoint_url=stack.aws_endpoint)
        self.sqs = session.client("sqs", endpoint_url=stack.aws_endpoint)

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
        """Of what was updated in the last minutes; answers with the download's path."""
        updated_after = (datetime.now(UTC) - timedelta(minutes=3)).isoformat()
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
        """Until live downloads are due, and what did not work is tried again: minutes, which a test does not wait."""
        store = IntegrationStore(self.dynamodb, self.stack.outputs["IntegrationsTable"])
        integration = store.get(INTEGRATION)
        assert integration is not None
        live = store.live_download(integration)
        earlier = live.walk.model_copy(update={"reached": live.walk.reached - timedelta(minutes=1)})
        due = {"walk": earlier, "last_run_at": None, "blocked_until": None, "retry_at": None}
        store.save_live_download(INTEGRATION, live.model_copy(update=due))
        for download in store.backdated_downloads(INTEGRATION):
            if download.retry_at:
                with suppress(ChangedMeanwhile):
                    store.save_backdated_download(INTEGRATION, download.model_copy(update={"retry_at": None}))
        self.wake_up(json.dumps({"integrationId": INTEGRATION}), group=INTEGRATION)

    def after_a_while[Found](self, what: str, find: Callable[[], Found | None]) -> Found:
        """What `find` answers once time has passed; a run that is under way writes over that, and then more passes."""
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

    def put_into_orders_table(self, item: Mapping[str, Any]) -> None:
        self.dynamodb.put_item(TableName=self.stack.outputs["OrdersTable"], Item=item)


@pytest.fixture(scope="module")
def registered_shop(stack: Stack) -> Shop:
    register(stack)
    shop = Shop(stack)
    for operation in ("searchOrders", "getOrder"):
        shop.amazon.set_usage_plan(operation, rate=100, burst=100)
    shop.administrator.patch(shop.path, {"settings": {"liveDownloadEveryMinutes": 24 * 60}})
    eventually("the first live download", lambda: shop.health()["lastRunAt"])
    return shop


@pytest.fixture
def shop(registered_shop: Shop) -> Iterator[Shop]:
    yield registered_shop
    registered_shop.amazon.behave()


# Answers of Amazon's


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("html503", "amazonUnavailable"),
        ("truncatedJson", "unreadableAnswer"),
        ("droppedConnection", "amazonUnavailable"),
        ("accessDenied", "accessDenied"),
    ],
)
def test_an_answer_that_is_none_is_shown_with_what_to_do_and_nothing_is_lost(shop: Shop, kind: str, code: str) -> None:
    order_ids = shop.new_orders(2)
    shop.amazon.misbehave(kind, times=None, operations=["searchOrders"])
    cursor = shop.cursor()
    path = shop.ask_for_download()

    (shown,) = shop.after_a_while("the incident", lambda: shop.health()["incidents"] or None)
    assert shown["code"] == code
    assert shown["whatToDo"]
    assert shop.cursor() <= cursor
    assert shop.finished(path) is None

    shop.amazon.behave()
    shop.after_a_while("the download", lambda: shop.finished(path))
    assert shop.judged(order_ids)
    shop.after_a_while("the end of the incident", lambda: shop.health()["incidents"] == [] or None)


# Orders


def test_a_malformed_order_is_set_aside_alone_until_it_can_be_read(shop: Shop) -> None:
    order_ids = shop.new_orders(3)
    shop.amazon.misbehave("malformedOrder", operations=["searchOrders"])
    counts = shop.download()["counts"]
    ((malformed, reason),) = shop.set_aside().items()
    assert "createdTime" in reason
    assert counts["setAside"] == 1
    assert shop.judged([order_id for order_id in order_ids if order_id != malformed])

    shop.download()
    assert shop.set_aside() == {}
    assert shop.judged(order_ids)


def test_an_oversized_order_is_set_aside_alone(shop: Shop) -> None:
    (item,) = shop.amazon.order(WHOLE)["orderItems"][:1]
    titled = item | {"product": item["product"] | {"title": "A kettle of many words " * 60}}
    (oversized,) = shop.new_orders(orderItems=[titled] * 300)
    others = shop.new_orders(2)
    shop.download()
    assert "bytes" in shop.set_aside()[oversized]
    assert shop.judged(others)
    shop.reader.get(f"/orders/{oversized}", status=404)

    shop.amazon.change(oversized, {"orderItems": [item]})
    shop.download()
    assert shop.judged([oversized])
    assert shop.set_aside() == {}


def test_an_order_with_unknown_values_is_taken_for_ours_to_fulfil(shop: Shop) -> None:
    (complete,) = shop.new_orders()
    (incomplete,) = shop.new_orders(buyer={})
    shop.amazon.misbehave("unknownValues", operations=["searchOrders"])
    shop.download()
    rows = shop.judged([complete, incomplete])
    assert rows[complete]["stage"] == "New"
    assert rows[incomplete]["stage"] == "Needs Attention"
    assert shop.reader.get(f"/orders/{complete}")["fulfillmentStatus"] == "AWAITING_DRONE"


# Records and messages inside the system


def test_a_poisoned_stream_record_keeps_no_other_order_from_its_verdict(shop: Shop) -> None:
    poison = {"orderId": {"S": "poison"}, "integration": {"S": INTEGRATION}, "verdict": {"S": "pending"}}
    order_ids = shop.new_orders(3)
    shop.put_into_orders_table(poison | {"amazon": {"S": "{"}})
    shop.download()
    assert shop.judged(order_ids)
    assert send(shop.stack, "reader", "GET", "/orders/poison", None, {}).status >= 500
    assert shop.reader.get("/orders")["orders"]


def test_a_stored_order_that_cannot_be_read_holds_up_no_other_of_its_page(shop: Shop) -> None:
    order_ids = shop.new_orders(3)
    spoilt, *others = order_ids
    shop.put_into_orders_table({"orderId": {"S": spoilt}, "integration": {"S": INTEGRATION}, "amazon": {"S": "{"}})
    shop.download()
    assert shop.judged(others)
    assert spoilt in shop.set_aside()


def test_a_wake_up_that_says_nothing_holds_up_no_integration(shop: Shop) -> None:
    shop.wake_up("knock, knock", group="nobody")
    order_ids = shop.new_orders()
    shop.download()
    assert shop.judged(order_ids)


# Requests


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b'{"email": ', "application/json", 400),
        (b"email=a@example.com", "application/x-www-form-urlencoded", 415),
        (b'{"email": "a@example.com"}', "text/plain", 415),
        (b'{"e-mail": "a@example.com"}', "application/json", 422),
        (b'["email"]', "application/json", 422),
        (b'{"company": "' + b"x" * 300_000 + b'"}', "application/json", 413),
        (b'{"stage": "Nowhere"}', "application/merge-patch+json", 422),
    ],
)
def test_a_request_that_cannot_be_understood_is_refused_with_a_reason_and_changes_nothing(
    shop: Shop, content: bytes, content_type: str, status: int
) -> None:
    (order_id,) = shop.new_orders()
    shop.download()
    shop.judged([order_id])
    before = shop.reader.get(f"/orders/{order_id}")

    answer = send(shop.stack, "editor", "PATCH", f"/orders/{order_id}", content, {"Content-Type": content_type})

    assert (answer.status, answer.body["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.body["detail"]
    assert "example.com" not in str(answer.body)
    assert shop.reader.get(f"/orders/{order_id}") == before

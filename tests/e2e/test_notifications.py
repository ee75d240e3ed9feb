"""Amazon tells of a changed order: it is there long before the next live download."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tools.amazon_stand_in.ledger import amazon_time
from tools.amazon_stand_in.story import STORY
from tools.local_stack import local_aws
from tools.local_stack.api import Person
from tools.local_stack.expectations import eventually
from tools.local_stack.outside import Amazon
from tools.local_stack.registration import INTEGRATION
from tools.local_stack.shop import Shop
from tools.local_stack.stack import Stack

PATH = f"/integrations/{INTEGRATION}"
ORDER = "114-0000001-0000001"


def set_notifications(stack: Stack, *, wanted: bool) -> None:
    administrator = Person(stack, "administrator")
    administrator.patch(PATH, {"settings": {"orderChangeNotifications": wanted}})

    def subscription() -> dict[str, Any]:
        health: dict[str, Any] = administrator.get(PATH)["health"]["orderChangeNotifications"]
        return health

    eventually("the subscription", lambda: subscription()["isSubscribed"] is wanted or None)
    assert subscription()["failure"] is None


@pytest.fixture
def subscribed(stack: Stack) -> Iterator[Stack]:
    Shop.registered(stack)
    set_notifications(stack, wanted=True)
    yield stack
    set_notifications(stack, wanted=False)
    assert Amazon(stack.amazon_endpoint).order_change(STORY[0].order_id) is None


def test_an_order_that_amazon_tells_of_is_downloaded_by_its_id_and_judged(subscribed: Stack) -> None:
    amazon, reader = Amazon(subscribed.amazon_endpoint), Person(subscribed, "reader")
    cursor = reader.get(PATH)["health"]["cursor"]
    now = amazon_time(datetime.now(UTC))
    amazon.put(amazon.order(STORY[0].order_id) | {"orderId": ORDER, "createdTime": now, "lastUpdatedTime": now})
    told = amazon.order_change(ORDER)
    assert told is not None
    sqs = local_aws.session().client("sqs", endpoint_url=subscribed.aws_endpoint)
    queue = subscribed.outputs["OrderChangeQueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    assert told[0] == attributes["QueueArn"]
    for body in (told[1], "knock, knock", told[1]):
        sqs.send_message(QueueUrl=queue, MessageBody=body)

    def judged() -> bool | None:
        return any(row["verdict"] == "judged" for row in reader.get(f"/orders?orderIds={ORDER}")["orders"]) or None

    eventually("the order's verdict", judged)

    def is_told() -> bool | None:
        changes = reader.get(f"/orders/{ORDER}/history")["changes"]
        return "orderChange" in {change["cause"] for change in changes} or None

    eventually("how it came, in its history", is_told)
    assert reader.get(PATH)["health"]["cursor"] == cursor

"""Broken input: an answer of Amazon's, an order, a stream record, a request.

Each is answered with a clear error or set aside alone where a person finds it; nothing else waits, and nothing is lost.
The embedded AWS counts a stream record whose validation failed as done, so that such a record reaches its failure queue
is for the integration tests; here it must not keep others from their verdicts.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tools.local_stack.api import send
from tools.local_stack.expectations import eventually
from tools.local_stack.registration import INTEGRATION
from tools.local_stack.shop import WHOLE, Shop
from tools.local_stack.stack import Stack


@pytest.fixture
def shop(stack: Stack) -> Iterator[Shop]:
    shop = Shop.registered(stack)
    yield shop
    shop.amazon.behave()


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
def test_an_unusable_answer_is_an_incident_with_a_remedy_and_loses_nothing(shop: Shop, kind: str, code: str) -> None:
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

    shop.amazon.change(malformed, {})
    shop.download()
    assert shop.set_aside() == {}
    assert shop.judged(order_ids)


def test_an_oversized_order_is_set_aside_alone(shop: Shop) -> None:
    (item,) = shop.amazon.order(WHOLE)["orderItems"][:1]
    (oversized,) = shop.new_orders(orderItems=[item] * 1000)
    others = shop.new_orders(2)
    shop.download()
    assert "bytes" in shop.set_aside()[oversized]
    assert shop.judged(others)
    shop.reader.get(f"/orders/{oversized}", status=404)

    shop.amazon.change(oversized, {"orderItems": [item]})
    shop.download()
    assert shop.judged([oversized])
    assert shop.set_aside() == {}


def test_an_order_with_an_unknown_status_waits_for_a_person(shop: Shop) -> None:
    (complete,) = shop.new_orders()
    shop.amazon.misbehave("unknownValues", operations=["searchOrders"])
    shop.download()
    row = shop.judged([complete])[complete]
    assert (row["stage"], row["missing"]) == ("Needs Attention", ["fulfillmentUnknown"])
    assert shop.reader.get(f"/orders/{complete}")["fulfillmentStatus"] == "AWAITING_DRONE"


# Records and messages inside the system


def test_a_poisoned_stream_record_keeps_no_other_order_from_its_verdict(shop: Shop) -> None:
    poison = {"orderId": {"S": "poison"}, "integration": {"S": INTEGRATION}, "verdict": {"S": "pending"}}
    order_ids = shop.new_orders(3)
    with shop.stored(poison | {"amazon": {"S": "{"}}):
        shop.download()
        assert shop.judged(order_ids)
        assert send(shop.stack, "reader", "GET", "/orders/poison", None, {}).status >= 500
        assert shop.reader.get("/orders")["orders"]


def test_a_stored_order_that_cannot_be_read_holds_up_no_other_of_its_page(shop: Shop) -> None:
    order_ids = shop.new_orders(3)
    spoilt, *others = order_ids
    with shop.stored({"orderId": {"S": spoilt}, "integration": {"S": INTEGRATION}, "amazon": {"S": "{"}}):
        shop.download()
        assert shop.judged(others)
        assert spoilt in shop.set_aside()


def test_a_wake_up_that_says_nothing_holds_up_no_integration(shop: Shop) -> None:
    shop.wake_up("knock, knock", group="nobody")
    try:
        eventually("the failure of the wake-up", lambda: shop.wake_ups_at_work() or None)
        order_ids = shop.new_orders()
        shop.download()
        assert shop.judged(order_ids)
    finally:
        shop.empty("WakeUpQueue")  # minutes later it would be a dead letter, in the middle of another test


# Requests


def an_order_of(shop: Shop) -> dict[str, Any]:
    """A new order that was downloaded and judged, as a reader sees it."""
    (order_id,) = shop.new_orders()
    shop.download()
    shop.judged([order_id])
    return dict(shop.reader.get(f"/orders/{order_id}"))


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
def test_a_malformed_request_is_refused_with_a_reason_and_changes_nothing(
    shop: Shop, content: bytes, content_type: str, status: int
) -> None:
    before = an_order_of(shop)
    order_id = before["orderId"]

    answer = send(shop.stack, "editor", "PATCH", f"/orders/{order_id}", content, {"Content-Type": content_type})

    assert (answer.status, answer.body["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.body["detail"]
    assert "example.com" not in str(answer.body)
    assert shop.reader.get(f"/orders/{order_id}") == before


# Sheets, as bytes: API Gateway reads text as UTF-8, and loses what is none


@pytest.mark.parametrize(
    ("encoding", "content_type", "status"),
    [
        ("utf-8-sig", "text/csv", 200),
        ("utf-16", "text/csv", 200),
        ("cp1252", "text/csv; charset=windows-1252", 200),
        ("cp1252", "application/vnd.ms-excel; charset=windows-1252", 200),
        ("cp1252", "text/csv", 400),
        ("cp1252", "application/vnd.ms-excel", 400),
    ],
)
def test_a_sheet_in_the_encoding_of_a_spreadsheet_keeps_its_letters_or_is_refused(
    shop: Shop, encoding: str, content_type: str, status: int
) -> None:
    before = an_order_of(shop)
    order_id = before["orderId"]
    sheet = f"orderId;revision;firstName;lastName\r\n{order_id};{before['revision']};Zoë;Müller-Lüdenscheidt\r\n"

    answer = send(shop.stack, "editor", "POST", "/orders.csv", sheet.encode(encoding), {"Content-Type": content_type})

    assert answer.status == status
    after = shop.reader.get(f"/orders/{order_id}")
    if status == 200:
        assert (after["firstName"], after["lastName"]) == ("Zoë", "Müller-Lüdenscheidt")
    else:
        assert answer.body["code"] == "unreadableSheet"
        assert after == before

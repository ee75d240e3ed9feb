"""No personal data and no secret leaves the tables: not into logs, metrics, events, history, queues, errors or cursors.

Every value that could identify a person carries a mark. The tests use, misuse and disturb the system, and then look for
the marks in everything that it wrote, except the orders, the remembered answers and Secrets Manager.
"""

import base64
import json
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from itertools import count
from typing import Any
from urllib.parse import quote

import pytest

from tests.e2e.conftest import DIRECTORY
from tools.local_stack.api import Answer, send
from tools.local_stack.expectations import eventually
from tools.local_stack.marks import MARK, around, marked, marked_order
from tools.local_stack.outside import Subscriber, just_listed
from tools.local_stack.registration import CREDENTIALS, INTEGRATION
from tools.local_stack.shop import WHOLE, Shop
from tools.local_stack.stack import Stack
from tools.local_stack.written import Written

UNREADABLE = "114-0000099-0000000"
TOKENS = ("Atzr|", "Atza|", "eyJ", CREDENTIALS.client_secret, CREDENTIALS.refresh_token)
NUMBERS = count(1)


class Life:
    """The acts of people, a warehouse and Amazon on marked orders; and every refusal that the API gave on the way."""

    def __init__(self, shop: Shop, subscriber: Subscriber) -> None:
        self.shop = shop
        self.whole = shop.amazon.order(WHOLE)
        self.refusals: list[Answer] = []
        self.cursors: list[str] = []
        self.subscriber = subscriber

    def ask(self, role: str, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        content = body.encode() if isinstance(body, str) else None if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} | {name.replace("_", "-"): text for name, text in headers.items()}
        answer = send(self.shop.stack, role, method, path, content, sent if content is not None else headers)
        if answer.status >= 400 and answer.status != 412:  # which shows the order to whoever may read it
            self.refusals.append(answer)
        return answer

    def new_order(self, **changes: Any) -> str:
        """An order at Amazon, with all its marks but for the changes."""
        order_id = f"114-{next(NUMBERS):07}-0000000"
        self.shop.amazon.put(marked_order(order_id, self.whole) | changes)
        return order_id

    def held(self) -> str:
        """The path of an order that was downloaded, and lacks what only a person knows."""
        order_id = self.new_order(buyer={})
        self.shop.download()
        self.shop.judged([order_id])
        return f"/orders/{order_id}"

    def is_told(self, event: str, path: str) -> None:
        """Waits until the event bus has carried it: whatever happened to the order before is in its history by then."""
        eventually(f"{event} of {path}", lambda: self.subscriber.find(event, path.rpartition("/")[2]))

    # Its chapters

    def people_repair_and_release(self) -> None:
        path = self.held()
        address = {"addressLine1": marked("street"), "city": marked("city"), "postalCode": "97209"}
        typed = {
            "email": f"{marked('typed')}@mail.example.com",
            "firstName": marked("first"),
            "lastName": marked("last"),
            "company": marked("firm"),
            "deliveryAddress": {**address, "phone": marked("no-phone")},
            "billingAddress": address,
            "comment": marked("comment"),
        }
        assert self.ask("editor", "PATCH", path, typed).status == 200
        assert self.ask("editor", "POST", f"{path}/release", {}, Idempotency_Key=marked("key")).status == 200
        sent = {"fullyDispatched": True, "threePlStatus": "Transfer to 3PL Now"}
        assert self.ask("editor", "PATCH", path, sent).status == 200
        assert self.ask("warehouse", "POST", f"{path}/acknowledge").status == 200
        assert self.ask("warehouse", "POST", f"{path}/transfer-failed", {"reason": marked("reason")}).status == 200
        self.is_told("OrderTransferred", path)
        override = {"override": {"reason": marked("override")}}
        assert self.ask("administrator", "POST", f"{self.held()}/release", override).status == 200

    def people_send_what_cannot_be(self) -> None:
        path = self.held()
        order_id = path.rpartition("/")[2]
        far_too_long = marked("long") * 500
        for wrong in (
            {"email": marked("not-an-address")},
            {"firstName": far_too_long, "comment": far_too_long, "stage": marked("stage")},
            {"deliveryAddress": {"street": marked("street"), "city": [marked("city")]}},
            {"lineItems": [{"title": marked("title"), "quantity": marked("number")}]},
            {"phone": marked("phone")},
            [marked("list")],
            f'{{"email": "{marked("cut off")}',
        ):
            assert 400 <= self.ask("editor", "PATCH", path, wrong).status < 500
        assert self.ask("editor", "PATCH", path, {"comment": marked("late")}, If_Match='"99"').status == 412
        assert self.ask("editor", "POST", f"{path}/release", {}).status == 409
        sheet = f"orderId,revision,email,firstName\n{order_id},1,{marked('sheet')},{marked('row')}\n"
        assert self.ask("editor", "POST", "/orders.csv", sheet, Content_Type="text/csv").status == 200
        broken = f'orderId,revision,email\n{order_id},1,"{marked("open")}\n'
        assert self.ask("editor", "POST", "/orders.csv", broken, Content_Type="text/csv").status == 400
        bulk = {"orders": [{"orderId": order_id, "patch": {"email": marked("bulk")}}]}
        assert self.ask("editor", "POST", "/bulk/orders", bulk).status == 422
        assert self.ask("reader", "GET", f"/orders?assignedTo={marked('filter')}&limit={marked('limit')}").status == 400
        assert self.ask("reader", "GET", f"/orders?cursor={quote(marked('cursor'))}").status == 400
        secrets = {name: f"Atzr|{marked('secret')}" for name in ("clientId", "clientSecret", "refreshToken")}
        registration = {"integrationId": "x", "region": "XX", "marketplaceIds": [], "credentials": secrets}
        assert self.ask("administrator", "POST", "/integrations", registration).status == 422

    def amazon_answers_badly(self) -> None:
        for kind in ("malformedOrder", "unknownValues", "blankFields"):
            self.new_order()
            self.shop.amazon.misbehave(kind, operations=["searchOrders"])
            self.shop.download()
        for kind in ("truncatedJson", "html503", "accessDenied", "lwaInvalidGrant"):
            self.new_order()
            concerned = {} if kind.startswith("lwa") else {"operations": ["searchOrders"]}
            self.shop.amazon.forget_access_tokens()
            self.shop.amazon.misbehave(kind, times=None, **concerned)
            path = self.shop.ask_for_download()
            self.shop.after_a_while("the incident", lambda: self.shop.health()["incidents"] or None)
            self.shop.amazon.behave()
            self.shop.after_a_while("the download", partial(self.shop.finished, path))

    def a_stored_order_cannot_be_read(self) -> None:
        """Python and pydantic quote what they stumble over."""
        stored = {
            "orderId": UNREADABLE,
            "integration": INTEGRATION,
            "verdict": "pending",
            "amazon": f'{{"buyerName": "{marked("stored")}", "createdAt": "{marked("time")}"}}',
        }
        self.shop.amazon.put(marked_order(UNREADABLE, self.whole))
        with self.shop.stored({name: {"S": text} for name, text in stored.items()}):
            self.held()
            assert self.ask("reader", "GET", f"/orders/{UNREADABLE}").status >= 500
            assert self.ask("editor", "PATCH", f"/orders/{UNREADABLE}", {"comment": marked("lost")}).status >= 500

    def lists_are_paged(self) -> None:
        for query in ("limit=1", "limit=1&stage=Needs%20Attention", f"limit=1&createdAfter={quote(just_listed())}"):
            answer = self.ask("reader", "GET", f"/orders?{query}")
            self.cursors += filter(None, [answer.body["nextCursor"]])
        assert self.cursors


@pytest.fixture(scope="module")
def outside(stack: Stack) -> dict[str, str]:
    """All texts and their places, after a life full of marks."""
    with closing(Subscriber(stack)) as subscriber:
        life = Life(Shop.registered(stack), subscriber)
        life.people_repair_and_release()
        life.people_send_what_cannot_be()
        life.lists_are_paged()
        life.a_stored_order_cannot_be_read()
        life.amazon_answers_badly()
        cursors = [base64.urlsafe_b64decode(cursor) for cursor in life.cursors]
        written = dict(Written(stack, DIRECTORY).texts())
        return written | {
            "the event bus": str(life.subscriber.everything()),
            "refusals": str(life.refusals),
            "cursors": str(cursors),
        }


def test_no_mark_stands_anywhere_outside_the_orders(outside: Mapping[str, str]) -> None:
    found = {where: around(text, MARK) for where, text in outside.items() if MARK in text}
    assert found == {}


def test_no_token_and_no_secret_stands_anywhere(outside: Mapping[str, str]) -> None:
    found = {
        (where, token): around(text, token) for where, text in outside.items() for token in TOKENS if token in text
    }
    assert found == {}


def test_it_was_looked_for_where_something_stands(outside: Mapping[str, str]) -> None:
    """An empty log holds no personal data either."""
    functions = ("DownloadOrders", "ValidateOrders", "PublishChanges", "QueryOrders", "EditOrders", "ManageSettings")
    logs = {name: text for name, text in outside.items() if name.endswith("Logs")}
    assert all(any(function in name and "INFO" in text for name, text in logs.items()) for function in functions)
    assert "unexpected error" in "".join(logs.values())
    assert "CloudWatchMetrics" in "".join(logs.values())
    assert "OrderTransferred" in outside["the event bus"]
    assert '"release"' in outside["HistoryTable"]
    assert "notAnAddress" in outside["refusals"]
    assert INTEGRATION in outside["IntegrationsTable"]

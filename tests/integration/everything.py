"""A day on which every function makes every kind of call to AWS that it can make, under its role."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from pydantic.alias_generators import to_camel

from needs_attention.amazon.accounts import AmazonAccounts
from needs_attention.downloads.by_id import Redownload
from needs_attention.environment import AmazonAccess
from needs_attention.integrations.incidents import Incidents
from needs_attention.integrations.integration import OLD_VERDICTS_END_AFTER
from needs_attention.integrations.merge import LAST_RUN_ENDS_AFTER
from needs_attention.orders.settings import Settings
from needs_attention.orders.verdict import judged
from tools.amazon_stand_in.generator import Hole, generated
from tools.amazon_stand_in.ledger import amazon_time
from tools.amazon_stand_in.misbehaviour import Misbehaviour
from tools.amazon_stand_in.notifications_api import SELLER_ID
from tools.amazon_stand_in.server import AmazonStandIn
from tools.builders import NOON, an_amazon_order, an_order
from tools.in_memory.api import Answer, World, an_event, app, invoke

INTEGRATION = "demo"  # as in the events
PATH = f"/integrations/{INTEGRATION}"


def do_everything(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A denial by AWS is raised, or an AssertionError, because then nothing happens."""
    boto3.client("events").create_event_bus(Name="orders")
    with AmazonStandIn(generated(40, now=NOON, shares={Hole.EMAIL_ABSENT: 0.4}), now=world.clock) as amazon:
        access = AmazonAccess(
            secret_prefix=os.environ["SECRET_PREFIX"],
            sp_api_endpoint=amazon.endpoint,
            lwa_endpoint=amazon.lwa_endpoint,
        )
        accounts = AmazonAccounts(boto3.client("secretsmanager"), access)
        monkeypatch.setattr(app("download_orders"), "accounts", accounts)
        monkeypatch.setattr(app("download_orders"), "order_change_queue", "arn:aws:sqs:us-east-1:123456789012:changes")
        Day(world, amazon).pass_by()


class Day:
    """The events of the day, in turn."""

    def __init__(self, world: World, amazon: AmazonStandIn) -> None:
        self.world = world
        self.amazon = amazon

    def pass_by(self) -> None:
        self.an_integration_is_registered()
        self.orders_come_in()
        held, complete = self.orders_are_judged()
        self.every_change_is_told()
        self.amazon_tells_of_a_change(complete)
        self.people_look(held)
        self.an_order_is_repaired(held)
        self.an_order_is_handed_over(complete)
        self.amazon_is_asked_again(complete)
        self.settings_change()
        self.another_integration_is_merged_into_it()
        self.the_connection_fails_for_a_while()
        self.a_digest_is_sent()
        self.somebody_asks_to_be_forgotten(complete)
        self.the_integration_is_removed()
        self.what_is_old_is_forgotten(held)

    @property
    def credentials(self) -> dict[str, str]:
        return {to_camel(name): value for name, value in asdict(self.amazon.credentials).items()}

    def an_integration_is_registered(self) -> None:
        body = {
            "integrationId": INTEGRATION,
            "region": "NA",
            "sellerId": SELLER_ID,
            "marketplaceIds": ["ATVPDKIKX0DER"],
            "credentials": self.credentials,
            "settings": {"downloadOrdersUpdatedAfter": "2026-10-25T00:00:00Z", "orderChangeNotifications": True},
        }
        self.ask("POST", "/integrations", body, Idempotency_Key="the-registration")
        self.ask("POST", "/integrations", body, Idempotency_Key="the-registration")
        assert self.call("POST", "/integrations", body, Idempotency_Key="another").status == 409

    def orders_come_in(self) -> None:
        ship_by = {"shipByWindow": {"latestDateTime": amazon_time(self.world.clock() + timedelta(days=2))}}
        for entry in self.amazon.orders()[:20]:
            self.amazon.patch(entry.order_id, {"fulfillment": ship_by})
        invoke("download_orders", an_event("download_orders_tick"))
        with a_hand_over_in_the_way("download_orders"):
            self.wake_up()

    def orders_are_judged(self) -> tuple[str, str]:
        """Answers with an order that is held, and one that is complete."""
        with a_hand_over_in_the_way("validate_orders"):
            assert invoke("validate_orders", self.stream("validate_orders"))["batchItemFailures"] != []
        assert invoke("validate_orders", self.stream("validate_orders")) == {"batchItemFailures": []}
        rows = self.ask("GET", "/orders", query={"status": "Open", "fulfilledBy": "MERCHANT"})["orders"]
        held = next(row["orderId"] for row in rows if row["missing"])
        return held, next(row["orderId"] for row in rows if not row["missing"])

    def every_change_is_told(self) -> None:
        assert invoke("publish_changes", self.stream("publish_changes")) == {"batchItemFailures": []}

    def amazon_tells_of_a_change(self, order_id: str) -> None:
        told = self.amazon.order_change(order_id)
        assert told is not None
        event = an_event("receive_order_changes")
        event["Records"][0]["body"] = json.dumps(told[1])
        assert invoke("receive_order_changes", event) == {"batchItemFailures": []}
        assert self.world.downloads.due_redownloads(INTEGRATION, "orderChange", self.world.clock())

    def people_look(self, order_id: str) -> None:
        self.ask("GET", "/orders", query={"stage": "Needs Attention"})
        self.ask("GET", "/orders.csv")
        self.ask("GET", f"/orders/{order_id}")
        self.ask("GET", f"/orders/{order_id}/history")
        self.ask("GET", "/summary")
        with patch("needs_attention.api.orders.list.MOST_INTEGRATIONS_AT_ONCE", 0):
            assert self.ask("GET", "/summary")["isFromCounters"]
        self.ask("GET", "/integrations")
        self.ask("GET", PATH)

    def an_order_is_repaired(self, order_id: str) -> None:
        release = f"/orders/{order_id}/release"
        assert self.call("POST", release, Idempotency_Key="too-early").status == 409
        self.ask("PATCH", f"/orders/{order_id}", {"comment": "She will write.", "assignedTo": "ada@example.com"})
        self.ask("PATCH", f"/orders/{order_id}", {"threePlStatus": "Do Not Transfer to 3PL", "fullyDispatched": False})
        self.ask("PATCH", f"/orders/{order_id}", {"threePlStatus": None, "fullyDispatched": None})
        soon = (self.world.clock() + timedelta(minutes=5)).isoformat()
        rows = self.ask("GET", "/orders", query={"status": "Open", "fulfilledBy": "MERCHANT"})["orders"]
        not_due = next(row["orderId"] for row in rows if row["shipBy"] > soon and not row["missing"])
        self.ask("PATCH", f"/orders/{not_due}", {"snoozeUntil": soon})
        override = {"override": {"reason": "The buyer picks it up."}}
        self.ask("POST", release, override, Idempotency_Key="the-release")
        self.ask("POST", release, override, Idempotency_Key="the-release")

    def an_order_is_handed_over(self, order_id: str) -> None:
        patch = {"email": "typed@example.com", "threePlStatus": "Transfer to 3PL Now"}
        (changed,) = self.ask("POST", "/bulk/orders", {"orders": [{"orderId": order_id, "patch": patch}]})["orders"]
        assert changed["status"] == 200, changed
        self.ask("POST", f"/orders/{order_id}/acknowledge")
        self.ask("POST", f"/orders/{order_id}/dispatched", {})

    def amazon_is_asked_again(self, order_id: str) -> None:
        body = {"updatedAfter": "2026-11-01T00:00:00Z"}
        self.ask("POST", f"{PATH}/downloads", body, Idempotency_Key="the-download")
        self.ask("POST", f"{PATH}/downloads", body, Idempotency_Key="the-download")
        assert self.call("POST", "/orders/none/redownload", Idempotency_Key="of-none").status == 404
        self.ask("POST", f"/orders/{order_id}/redownload")
        self.ask("POST", f"{PATH}/rejudgement")
        self.world.clock.advance(OLD_VERDICTS_END_AFTER)
        self.wake_up()
        assert self.ask("GET", f"{PATH}/rejudgement")["finishedAt"]
        assert not self.world.downloads.due_redownloads(INTEGRATION, "requested", self.world.clock())

    def settings_change(self) -> None:
        self.ask("PATCH", PATH, {"settings": {"orderChangeNotifications": False}, "dryRun": True})
        self.ask("PATCH", PATH, {"settings": {"orderChangeNotifications": False}, "credentials": self.credentials})
        self.wake_up()
        self.ask("POST", "/stages", {"name": "Awaiting Supplier"})
        self.ask("DELETE", "/stages/Awaiting Supplier")
        self.ask("POST", "/freeze")
        self.ask("DELETE", "/freeze")

    def another_integration_is_merged_into_it(self) -> None:
        old = an_order(an_amazon_order(order_id="702-7777777-7777777"), integration="of-old")
        self.world.register("of-old", marketplace_ids=("A2EUQ1WTGCTBG2",), deleted_at=self.world.clock())
        self.world.store(judged(old, Settings(), self.world.clock()))
        wanted = Redownload(order_id="702-8888888-8888888", cause="requested", wanted_at=self.world.clock())
        self.world.downloads.want_redownload("of-old", wanted)
        self.ask("POST", f"{PATH}/freeze")
        self.ask("POST", f"{PATH}/merge", {"source": "of-old"})
        self.world.clock.advance(LAST_RUN_ENDS_AFTER)
        self.wake_up()
        assert self.ask("GET", f"{PATH}/merge")["finishedAt"]
        assert self.world.order(old.order_id).integration == INTEGRATION
        self.ask("DELETE", f"{PATH}/freeze")

    def the_connection_fails_for_a_while(self) -> None:
        """People are told of the incident, and of its end."""
        self.amazon.misbehave(Misbehaviour.HTML_503, operations=["searchOrders"])
        self.world.clock.advance(timedelta(minutes=10))
        invoke("download_orders", an_event("download_orders_wake_up"))
        state = self.world.downloads.state(INTEGRATION)
        assert state is not None
        assert state.incidents
        assert not state.incidents.untold
        self.world.clock.advance(timedelta(minutes=10))
        self.wake_up()

    def a_digest_is_sent(self) -> None:
        assert boto3.client("sns").create_topic(Name="digest")["TopicArn"] == os.environ["DIGEST_TOPIC"]
        invoke("send_digest", an_event("send_digest"))
        with patch("needs_attention.jobs.digest.MOST_LOOKED_AT", 1):
            invoke("send_digest", an_event("send_digest"))

    def somebody_asks_to_be_forgotten(self, order_id: str) -> None:
        erase, reference = f"/orders/{order_id}/erase", {"reference": "GR-2041"}
        self.ask("POST", erase, reference | {"evenIfUnsent": True}, Idempotency_Key="the-erasure")
        self.ask("POST", erase, reference | {"evenIfUnsent": True}, Idempotency_Key="the-erasure")
        assert self.call("POST", "/orders/none/erase", reference, Idempotency_Key="of-none").status == 404
        buyer = reference | {"buyerEmail": "somebody@marketplace.example.com"}
        made = self.ask("POST", "/erasures", buyer)
        self.world.redact()
        assert self.ask("GET", f"/erasures/{made['erasureId']}")["finishedAt"]
        self.ask("GET", f"{PATH}/redactions")
        self.ask("GET", "/retention")

    def the_integration_is_removed(self) -> None:
        self.ask("DELETE", PATH)

    def what_is_old_is_forgotten(self, order_id: str) -> None:
        self.world.clock.advance(timedelta(days=60))
        with a_hand_over_in_the_way("redact_orders"):
            self.world.redact()
        self.world.redact()
        assert self.world.order(order_id).redacted_at

    def wake_up(self) -> None:
        assert invoke("download_orders", an_event("download_orders_wake_up")) == {"batchItemFailures": []}
        state = self.world.downloads.state(INTEGRATION)
        assert state is not None
        assert state.incidents == Incidents()

    def stream(self, function: str) -> dict[str, Any]:
        """The records of all orders as they are."""
        (record, *_) = an_event(function)["Records"]
        images = self.world.dynamodb.scan(TableName="OrdersTable")["Items"]
        return {"Records": [record | {"dynamodb": record["dynamodb"] | {"NewImage": image}} for image in images]}

    def ask(self, method: str, path: str, body: object = None, **more: Any) -> Any:
        answer = self.call(method, path, body, **more)
        assert answer.status < 300, (path, answer)
        return answer.body

    def call(self, method: str, path: str, body: object = None, **more: Any) -> Answer:
        return self.world.call(method, path, body, **more)


@contextmanager
def a_hand_over_in_the_way(function: str) -> Iterator[None]:
    """The function's first write meets a transaction that is under way."""
    client = app(function).dynamodb
    conflict = client.exceptions.TransactionConflictException({"Error": {"Code": "TransactionConflict"}}, "UpdateItem")
    conflicts = iter([conflict])

    def meet(**_: object) -> None:
        if error := next(conflicts, None):
            raise error

    client.meta.events.register("before-call.dynamodb.UpdateItem", meet)
    try:
        yield
    finally:
        client.meta.events.unregister("before-call.dynamodb.UpdateItem", meet)
    assert next(conflicts, None) is None

"""The two outer sides of the system: Amazon, and the consumers of the event bus."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, NamedTuple

import urllib3

from tools.amazon_stand_in import control
from tools.amazon_stand_in.ledger import amazon_time
from tools.local_stack import local_aws
from tools.local_stack.expectations import Unexpected
from tools.local_stack.stack import Stack

CONNECTIONS = urllib3.PoolManager(timeout=urllib3.Timeout(300), retries=False)
NUMBERS = count(1)
# Amazon lists what was updated at least two minutes ago; this is a little more, and less than the live download looks
# back from where it stands.
JUST_LISTED = timedelta(seconds=150)


class Amazon(NamedTuple):
    """Events at Amazon, by the stand-in's control endpoint."""

    endpoint: str

    def orders(self) -> dict[str, dict[str, Any]]:
        """The ledger's summaries, by order ID."""
        return {order["orderId"]: order for order in self.ask("GET", "/orders")["orders"]}

    def order(self, order_id: str) -> dict[str, Any]:
        order: dict[str, Any] = self.ask("GET", f"/orders/{order_id}")
        return order

    def put(self, order: dict[str, Any]) -> None:
        self.ask("PUT", f"/orders/{order['orderId']}", order)

    def change(self, order_id: str, changes: dict[str, Any]) -> None:
        """By JSON Merge Patch; Amazon lists it as just updated."""
        self.ask("PATCH", f"/orders/{order_id}", {"changes": changes, "lastUpdatedTime": just_listed()})

    def complete(self, order_id: str, *fields: str) -> None:
        """Amazon learns the missing data: all of it, or these fields."""
        self.ask("POST", f"/orders/{order_id}/complete", {"fields": fields, "lastUpdatedTime": just_listed()})

    def order_change(self, order_id: str) -> tuple[str, str] | None:
        """The ARN of the queue that Amazon tells of the order's change, and the message; None if nobody is told."""
        sent = self.ask("GET", f"/orders/{order_id}/order-change")
        return (sent["queueArn"], json.dumps(sent["notification"])) if sent else None

    def misbehave(self, kind: str, **instruction: object) -> None:
        """See `Misbehaviour` for the kinds."""
        self.ask("POST", "/misbehaviours", {"kind": kind, **instruction})

    def behave(self) -> None:
        self.ask("DELETE", "/misbehaviours")

    def forget_access_tokens(self) -> None:
        """The next call has to log in again."""
        self.ask("DELETE", "/access-tokens")

    def set_usage_plan(self, operation: str, *, rate: float, burst: int) -> None:
        self.ask("PUT", f"/usage-plans/{operation}", {"rate": rate, "burst": burst})

    def ask(self, method: str, path: str, body: object = None) -> Any:
        content = None if body is None else json.dumps(body).encode()
        answer = CONNECTIONS.request(method, self.endpoint + control.PATH + path, body=content)
        if answer.status != 200:
            raise Unexpected(f"the Amazon stand-in answers {method} {path} with {answer.status}: {answer.data[:500]!r}")
        return json.loads(answer.data)


def just_listed() -> str:
    """A time of update that Amazon lists by now, and that the live download has not passed yet."""
    return amazon_time(datetime.now(UTC) - JUST_LISTED)


class Subscriber:
    """A consumer of all events from now on: a queue of its own behind a rule on the event bus."""

    def __init__(self, stack: Stack) -> None:
        session = local_aws.session()
        self._sqs = session.client("sqs", endpoint_url=stack.aws_endpoint)
        self._events = session.client("events", endpoint_url=stack.aws_endpoint)
        name, bus = f"subscriber-{next(NUMBERS)}", stack.outputs["EventBus"]
        self._rule = {"Rule": name, "EventBusName": bus}
        self._queue = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        answer = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        pattern = json.dumps({"source": ["needs-attention"]})
        self._events.put_rule(Name=name, EventBusName=bus, EventPattern=pattern)
        self._events.put_targets(**self._rule, Targets=[{"Id": name, "Arn": answer["Attributes"]["QueueArn"]}])
        self.received: list[dict[str, Any]] = []

    def close(self) -> None:
        """Nothing is told any more, and nothing of it is kept."""
        self._events.remove_targets(**self._rule, Ids=[self._rule["Rule"]])
        self._events.delete_rule(Name=self._rule["Rule"], EventBusName=self._rule["EventBusName"])
        self._sqs.delete_queue(QueueUrl=self._queue)

    def find(self, event: str, order_id: str) -> dict[str, Any] | None:
        """The event of that order, if it has come by now."""
        of_order = (told for told in self.everything() if told["detail"]["orderId"] == order_id)
        return next((told for told in of_order if told["detail-type"] == event), None)

    def everything(self) -> list[dict[str, Any]]:
        """All that has come by now."""
        self.received.extend(self._new())
        return self.received

    def _new(self) -> Iterator[dict[str, Any]]:
        while messages := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                yield json.loads(message["Body"])
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])

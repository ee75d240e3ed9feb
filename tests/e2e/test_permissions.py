"""The deployed roles are enforced: a call fails without a permission that it needs, and works with it.

`tests/integration/test_permissions.py` covers all permissions, and shows that none is superfluous. Here some of each
role are taken away where functions really run with them. The embedded AWS checks actions and resources, but not
conditions on attributes, and reads streams and queues without asking the function's role.
"""

import copy
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tools.local_stack import local_aws
from tools.local_stack.api import call
from tools.local_stack.deployment import PROJECT
from tools.local_stack.functions import Functions, stream_record
from tools.local_stack.registration import INTEGRATION, registration
from tools.local_stack.shop import Shop
from tools.local_stack.stack import Stack

PATH = f"/integrations/{INTEGRATION}"


@dataclass
class Deployed:
    """The stack, with an order in it."""

    stack: Stack
    order_id: str

    def __post_init__(self) -> None:
        session, endpoint = local_aws.session(), self.stack.aws_endpoint
        self._iam: Any = session.client("iam", endpoint_url=endpoint)
        self._functions = Functions(self.stack)
        self._dynamodb = session.client("dynamodb", endpoint_url=endpoint)

    def asks(self, method: str, path: str, body: object = None) -> bool:
        """Whether the API does it; `ORDER` stands for the order's ID."""
        return call(self.stack, "administrator", method, path.replace("ORDER", self.order_id), body).status < 300

    def invokes(self, function: str, event: dict[str, Any]) -> bool:
        """Whether the function does all of the event."""
        return self._functions.does(function, event)

    def image(self) -> dict[str, Any]:
        """The order as the stream shows it."""
        table, key = self.stack.outputs["OrdersTable"], {"orderId": {"S": self.order_id}}
        item: dict[str, Any] = self._dynamodb.get_item(TableName=table, Key=key)["Item"]
        return item

    @contextmanager
    def without(self, role: str, action: str, resource: str) -> Iterator[None]:
        """The role has lost an action on the resource of this name."""
        iam, name = self._iam, self._functions.names[role]
        (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
        document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        less = _without(document, action, resource)
        assert less != document
        try:
            iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(less))
            yield
        finally:
            iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))


def _without(document: dict[str, Any], action: str, resource: str) -> dict[str, Any]:
    less = copy.deepcopy(document)
    for statement in less["Statement"]:
        if action in (actions := _list(statement["Action"])):
            resources = [one for one in _list(statement["Resource"]) if re.search(f"{resource}[^/]*$", one)]
            statement["Action"] = [one for one in actions if one != action or not resources]
    less["Statement"] = [statement for statement in less["Statement"] if statement["Action"]]
    return less


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def event(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PROJECT / "events" / f"{name}.json").read_text())
    return found


@pytest.fixture(scope="module")
def deployed(stack: Stack) -> Deployed:
    shop = Shop.registered(stack)
    (order_id,) = shop.new_orders()
    shop.download()
    shop.judged([order_id])
    return Deployed(stack, order_id)


Drive = Callable[[Deployed], bool]


def asking(method: str, path: str, body: object = None) -> Drive:
    return lambda deployed: deployed.asks(method, path, body)


def ticking(deployed: Deployed) -> bool:
    return deployed.invokes("DownloadOrdersFunction", event("download_orders_tick"))


def receiving(deployed: Deployed) -> bool:
    return deployed.invokes("ReceiveOrderChangesFunction", event("receive_order_changes"))


def asking_for_redactions(deployed: Deployed) -> bool:
    return deployed.invokes("RedactOrdersFunction", event("redact_orders_tick"))


def redacting(deployed: Deployed) -> bool:
    return deployed.invokes("RedactOrdersFunction", event("redact_orders_message"))


def judging(deployed: Deployed) -> bool:
    """As if the order's verdict were still to come."""
    pending = {"pendingSince": {"S": "2026-11-01T00:00:00Z"}}
    return deployed.invokes("ValidateOrdersFunction", {"Records": [stream_record(deployed.image() | pending)]})


def telling(deployed: Deployed) -> bool:
    return deployed.invokes("PublishChangesFunction", {"Records": [stream_record(deployed.image())]})


# As it is on this stack: see `_let_roles_send_batches`.
SENDING = "sqs:SendMessage*"
CREDENTIALS = {"credentials": registration()["credentials"]}


@pytest.mark.parametrize(
    ("role", "action", "resource", "drive"),
    [
        ("DownloadOrdersRole", SENDING, "wake-up", ticking),
        ("ReceiveOrderChangesRole", "dynamodb:Query", "IntegrationsTable", receiving),
        ("ValidateOrdersRole", "dynamodb:UpdateItem", "OrdersTable", judging),
        ("PublishChangesRole", "dynamodb:PutItem", "HistoryTable", telling),
        ("RedactOrdersRole", "dynamodb:Query", "index/byRedaction", redacting),
        ("RedactOrdersRole", SENDING, "RedactionQueue", asking_for_redactions),
        ("QueryOrdersRole", "dynamodb:GetItem", "OrdersTable", asking("GET", "/orders/ORDER")),
        ("QueryOrdersRole", "dynamodb:Query", "index/byStage", asking("GET", "/orders?stage=New")),
        ("EditOrdersRole", "dynamodb:UpdateItem", "OrdersTable", asking("PATCH", "/orders/ORDER", {"comment": "Hm."})),
        ("RequestDownloadsRole", "dynamodb:PutItem", "IntegrationsTable", asking("POST", "/orders/ORDER/redownload")),
        ("RequestDownloadsRole", "dynamodb:GetItem", "OrdersTable", asking("POST", "/orders/ORDER/redownload")),
        ("ManageSettingsRole", "dynamodb:DeleteItem", "IntegrationsTable", asking("DELETE", "/freeze")),
        ("ManageSettingsRole", "secretsmanager:PutSecretValue", r"\*", asking("PATCH", PATH, CREDENTIALS)),
    ],
)
def test_a_call_that_needs_a_permission_fails_without_it_and_works_with_it(
    deployed: Deployed, role: str, action: str, resource: str, drive: Drive
) -> None:
    with deployed.without(role, action, resource):
        assert not drive(deployed)
    assert drive(deployed)

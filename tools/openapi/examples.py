"""The examples in the OpenAPI document: real answers of the functions, in the morning of an invented seller."""

from datetime import timedelta
from functools import cache
from typing import Any, NamedTuple

import pytest
from moto import mock_aws

from needs_attention.orders.settings import ThreePlStatus
from needs_attention.values import times
from needs_attention.values.times import instant
from tools.builders import NOON
from tools.in_memory.api import Answer, Clock, World, routes

HELD, COMPLETE = "701-1111111-1111111", "701-2222222-2222222"
INTEGRATION = "/integrations/acme-na"


class Example(NamedTuple):
    """One call: the operation, the body of the request, and the answer."""

    name: str
    method: str
    path: str
    sent: object
    status: int
    answered: object


@cache
def examples() -> tuple[Example, ...]:
    """The same every time: the clock is set, and nothing in the answers is random."""
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setattr(times, "utc_now", clock)
        return tuple(_Morning(World(clock)).examples)


class _Morning:
    def __init__(self, world: World) -> None:
        self.world = world
        self.examples: list[Example] = []
        self._settings()
        self._orders()
        self._warehouse()
        self._retention()
        self._downloads()

    def call(self, name: str, method: str, path: str, body: object = None, **more: Any) -> Answer:
        answer = self.world.call(method, path, body, **more)
        assert answer.status < 300, (name, answer)
        route = next(route for route in routes() if route.matches(method, path))
        self.examples.append(Example(name, method, route.resource, body, answer.status, answer.body))
        return answer

    def _settings(self) -> None:
        credentials = {
            "clientId": "amzn1.application-oa2-client.example",
            "clientSecret": "amzn1.oa2-cs.v1.example",
            "refreshToken": "Atzr|example",
        }
        registration = {
            "integrationId": "acme-na",
            "name": "Acme North America",
            "region": "NA",
            "sellerId": "A1EXAMPLESELLER",
            "marketplaceIds": ["ATVPDKIKX0DER"],
            "credentials": credentials,
            "settings": {"goLiveDate": instant(NOON - timedelta(days=7))},
        }
        self.call("Register a seller", "POST", "/integrations", registration)
        self.call("List integrations", "GET", "/integrations")
        self.call("Show one", "GET", INTEGRATION)
        self.call("What arrives", "GET", f"{INTEGRATION}/connection")
        self.call("Add a Stage", "POST", "/stages", {"name": "Awaiting Supplier"})
        self.call("Add it again", "POST", "/stages", {"name": "Awaiting Supplier"})
        self.call("Rename it", "PATCH", "/stages/awaiting-supplier", {"name": "Supplier"})
        self.call("List Stages", "GET", "/stages")
        self.call("Remove it", "DELETE", "/stages/awaiting-supplier")
        tried = {"settings": {"singleWordNames": "accept"}, "dryRun": True}
        self.call("Try settings", "PATCH", INTEGRATION, tried)
        self.call("Change settings", "PATCH", INTEGRATION, {"settings": {"singleWordNames": "accept"}})
        self.call("Judge all again", "POST", f"{INTEGRATION}/rejudgement")
        self.call("How far that is", "GET", f"{INTEGRATION}/rejudgement")
        self.call("Freeze one", "POST", f"{INTEGRATION}/freeze")
        self.call("Unfreeze it", "DELETE", f"{INTEGRATION}/freeze")
        self.call("Freeze it for a merge", "POST", f"{INTEGRATION}/freeze")
        self.world.register("acme-ca", marketplace_ids=("A2EUQ1WTGCTBG2",), deleted_at=NOON)
        self.call("Merge a removed one", "POST", f"{INTEGRATION}/merge", {"source": "acme-ca"})
        self.call("How far the merge is", "GET", f"{INTEGRATION}/merge")
        self.world.change_integration(is_frozen=False)
        self.call("Freeze all", "POST", "/freeze")
        self.call("Unfreeze all", "DELETE", "/freeze")

    def _orders(self) -> None:
        self.world.download(buyer_email=None, order_id=HELD)
        self.world.download(order_id=COMPLETE)
        self.call("Held orders", "GET", "/orders", query={"stage": "Needs Attention"})
        self.call("One order", "GET", f"/orders/{HELD}")
        self.call("Held orders as a sheet", "GET", "/orders.csv", query={"stage": "Needs Attention"})
        self.call("Numbers", "GET", "/summary")
        sheet = f"orderId,revision,email\n{HELD},{self._revision(HELD)},ada@example.com\n"
        self.call("A sheet, tried", "POST", "/orders.csv", sheet, query={"dryRun": True}, Content_Type="text/csv")
        self.call("Type in an email", "PATCH", f"/orders/{HELD}", {"email": "ada@example.com"})
        bulk = {"orders": [{"orderId": HELD, "release": True}, {"orderId": "none", "release": True}], "dryRun": True}
        self.call("A bulk release, tried", "POST", "/bulk/orders", bulk)
        self.call("Release it", "POST", f"/orders/{HELD}/release", {})
        self.call("Ask Amazon again", "POST", f"/orders/{HELD}/redownload")
        several = {"orderIds": [HELD, "none"]}
        self.call("Ask for several, tried", "POST", "/bulk/redownloads", several | {"dryRun": True})
        self.call("Ask for several", "POST", "/bulk/redownloads", several)
        self.call("Who changed it", "GET", f"/orders/{HELD}/history")

    def _warehouse(self) -> None:
        self.call("Do not send it", "PATCH", f"/orders/{COMPLETE}", {"threePlStatus": ThreePlStatus.DO_NOT_TRANSFER})
        self.call("As if nobody had decided", "PATCH", f"/orders/{COMPLETE}", {"threePlStatus": None})
        self.call("Send it now", "PATCH", f"/orders/{COMPLETE}", {"threePlStatus": ThreePlStatus.NOW})
        self.call("Take it", "POST", f"/orders/{COMPLETE}/acknowledge")
        failure = {"reason": "The shelf is empty."}
        self.call("Cannot pick it", "POST", f"/orders/{COMPLETE}/transfer-failed", failure)
        self.call("Picked after all", "POST", f"/orders/{COMPLETE}/picked")
        self.call("Sent", "POST", f"/orders/{COMPLETE}/dispatched", {"dispatchedAt": instant(NOON)})

    def _retention(self) -> None:
        self.call("What is due", "GET", "/retention")
        erasure = {"reference": "GR-2041", "evenIfUnsent": True}
        self.call("A person asked for it", "POST", f"/orders/{HELD}/erase", erasure)
        self.call("The proof", "GET", f"{INTEGRATION}/redactions")
        buyer = {"reference": "GR-2042", "buyerEmail": "bea@marketplace.example.com"}
        made = self.call("A buyer asked for it", "POST", "/erasures", buyer, Idempotency_Key="GR-2042")
        self.call("How far that has come", "GET", f"/erasures/{made.body['erasureId']}")

    def _downloads(self) -> None:
        start = {"updatedAfter": instant(NOON - timedelta(days=2))}
        downloads = f"{INTEGRATION}/downloads"
        self.call("A plan", "POST", downloads, start | {"dryRun": True}, Idempotency_Key="plan")
        made = self.call("Download two days", "POST", downloads, start, Idempotency_Key="monday")
        download = f"{downloads}/{made.body['downloadId']}"
        self.call("All of them", "GET", downloads)
        self.call("How far it is", "GET", download)
        self.call("Cancel it", "DELETE", download)
        self.call("Remove an integration", "DELETE", INTEGRATION)

    def _revision(self, order_id: str) -> int:
        return self.world.order(order_id).revision

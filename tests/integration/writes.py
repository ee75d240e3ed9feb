"""Every operation of the API that changes something: its preparation, and the request."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from needs_attention.downloads.backdated import BackdatedDownload
from needs_attention.downloads.walk import Pace
from needs_attention.integrations.integration_settings import IntegrationSettings
from tools.builders import NOON
from tools.in_memory.api import Answer, World

ORDER, INTEGRATION = "/orders/701-1111111-1111111", "/integrations/acme-na"
DOWNLOAD = "20261123T120000000Z-abc"
START = "2026-11-01T00:00:00.000Z"
CREDENTIALS = {"clientId": "amzn1.client", "clientSecret": "a-client-secret", "refreshToken": "Atzr|a-token"}


class Write(NamedTuple):
    """A request, and what makes the world in which it is accepted."""

    method: str
    path: str
    body: object = None
    prepare: Callable[[World], object] = lambda _: None

    def make(self, world: World, **headers: str) -> Answer:
        """With an Idempotency-Key where there may be one: so it may be sent again."""
        if self.method == "POST":
            headers = {"Idempotency_Key": "monday"} | headers
        if isinstance(self.body, str):
            headers = {"Content_Type": "text/csv"} | headers
        more: dict[str, Any] = dict(headers)
        return world.call(self.method, self.path, self.body, **more)


def an_order(world: World) -> None:
    world.download()


def an_incomplete_order(world: World) -> None:
    world.download(buyer_email=None)


def an_order_put_on_hold(world: World) -> None:
    world.download()
    world.call("PATCH", ORDER, {"stage": "Needs Attention"})


def an_order_for_the_warehouse(world: World) -> None:
    world.download()
    world.call("PATCH", ORDER, {"threePlStatus": "Transfer to 3PL Now"})


def an_order_at_the_warehouse(world: World) -> None:
    an_order_for_the_warehouse(world)
    world.call("POST", f"{ORDER}/acknowledge")


def two_orders(world: World) -> None:
    world.download()
    world.download(order_id="701-2222222-2222222")


def a_stage(world: World) -> None:
    world.call("POST", "/stages", {"name": "Packing"})


def a_frozen_integration(world: World) -> None:
    world.change_integration(is_frozen=True)


def an_integration_to_merge(world: World) -> None:
    world.call("PATCH", INTEGRATION, {"sellerId": "A1EXAMPLESELLER"})
    world.change_integration(is_frozen=True)
    world.register("acme-ca", marketplace_ids=("A2EUQ1WTGCTBG2",), deleted_at=NOON)


def a_freeze(world: World) -> None:
    world.call("POST", "/freeze")


def a_download(world: World) -> None:
    download = BackdatedDownload.requested(NOON.replace(day=1), Pace(), by="ada", now=NOON, suffix="abc")
    world.downloads.save_backdated_download("acme-na", download)


def credentials(world: World) -> None:
    world.call("PATCH", INTEGRATION, {"credentials": CREDENTIALS})
    world.change_integration(settings=IntegrationSettings())


BOTH = [
    {"orderId": "701-1111111-1111111", "patch": {"company": "One"}},
    {"orderId": "701-2222222-2222222", "patch": {"company": "Two"}},
]
SHEET = "orderId,revision,company\n701-1111111-1111111,1,One\n701-2222222-2222222,1,Two\n"
REGISTRATION = {
    "integrationId": "beta-eu",
    "region": "EU",
    "sellerId": "A1EXAMPLESELLER",
    "marketplaceIds": ["A1PA6795UKMFR9"],
    "credentials": CREDENTIALS,
    "settings": {"downloadOrdersUpdatedAfter": START},
}

# By method and resource, as the template has them.
WRITES: Mapping[tuple[str, str], Write] = {
    ("PATCH", "/orders/{orderId}"): Write("PATCH", ORDER, {"email": "typed@example.com"}, an_incomplete_order),
    ("POST", "/orders/{orderId}/release"): Write("POST", f"{ORDER}/release", None, an_order_put_on_hold),
    ("POST", "/orders/{orderId}/erase"): Write(
        "POST", f"{ORDER}/erase", {"reference": "GR-2041", "evenIfUnsent": True}, an_order
    ),
    ("POST", "/erasures"): Write(
        "POST", "/erasures", {"reference": "GR-2042", "buyerEmail": "ada@marketplace.example.com"}
    ),
    ("POST", "/orders/{orderId}/acknowledge"): Write("POST", f"{ORDER}/acknowledge", None, an_order_for_the_warehouse),
    ("POST", "/orders/{orderId}/picked"): Write("POST", f"{ORDER}/picked", None, an_order_at_the_warehouse),
    ("POST", "/orders/{orderId}/dispatched"): Write(
        "POST", f"{ORDER}/dispatched", {"dispatchedAt": "2026-11-23T11:00:00Z"}, an_order_at_the_warehouse
    ),
    ("POST", "/orders/{orderId}/transfer-failed"): Write(
        "POST", f"{ORDER}/transfer-failed", {"reason": "The shelf is empty."}, an_order_at_the_warehouse
    ),
    ("POST", "/orders.csv"): Write("POST", "/orders.csv", SHEET, two_orders),
    ("POST", "/bulk/orders"): Write("POST", "/bulk/orders", {"orders": BOTH}, two_orders),
    ("POST", "/orders/{orderId}/redownload"): Write("POST", f"{ORDER}/redownload", None, an_order),
    ("POST", "/bulk/redownloads"): Write(
        "POST", "/bulk/redownloads", {"orderIds": [one["orderId"] for one in BOTH]}, two_orders
    ),
    ("POST", "/integrations/{integrationId}/downloads"): Write(
        "POST", f"{INTEGRATION}/downloads", {"updatedAfter": START}
    ),
    ("DELETE", "/integrations/{integrationId}/downloads/{downloadId}"): Write(
        "DELETE", f"{INTEGRATION}/downloads/{DOWNLOAD}", None, a_download
    ),
    ("POST", "/integrations"): Write("POST", "/integrations", REGISTRATION),
    ("PATCH", "/integrations/{integrationId}"): Write(
        "PATCH", INTEGRATION, {"name": "Acme again", "credentials": CREDENTIALS}
    ),
    ("DELETE", "/integrations/{integrationId}"): Write("DELETE", INTEGRATION, None, credentials),
    ("POST", "/integrations/{integrationId}/rejudgement"): Write("POST", f"{INTEGRATION}/rejudgement"),
    ("POST", "/integrations/{integrationId}/merge"): Write(
        "POST", f"{INTEGRATION}/merge", {"source": "acme-ca"}, an_integration_to_merge
    ),
    ("POST", "/integrations/{integrationId}/freeze"): Write("POST", f"{INTEGRATION}/freeze"),
    ("DELETE", "/integrations/{integrationId}/freeze"): Write(
        "DELETE", f"{INTEGRATION}/freeze", None, a_frozen_integration
    ),
    ("POST", "/freeze"): Write("POST", "/freeze"),
    ("DELETE", "/freeze"): Write("DELETE", "/freeze", None, a_freeze),
    ("POST", "/stages"): Write("POST", "/stages", {"name": "Packing"}),
    ("PATCH", "/stages/{stageId}"): Write("PATCH", "/stages/packing", {"name": "Packing up"}, a_stage),
    ("DELETE", "/stages/{stageId}"): Write("DELETE", "/stages/packing", None, a_stage),
}

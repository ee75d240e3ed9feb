"""The items that a release leaves in the tables in the middle of its work.

`PYTHONPATH=.:layers python -m tests.integration.stored_items 0.1.0` writes them to `stored/0.1.0.json`, once per
release; in `test_upgrade`, all later code continues from there. Never rewrite a file: deployed systems hold such items.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3
from moto import mock_aws

from needs_attention.amazon.client import SellingPartnerApi
from needs_attention.amazon.tokens import Credentials
from needs_attention.downloads.by_id import Redownload, SetAside
from needs_attention.integrations.incidents import Incident, Incidents
from needs_attention.integrations.integration import Integration, Rejudgement
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.jobs.download.run import Downloader
from needs_attention.orders.settings import ThreePlStatus
from needs_attention.tables.history import OrderRevision, history_item
from needs_attention.values import times
from tools.amazon_stand_in.generator import generated
from tools.amazon_stand_in.server import AmazonStandIn
from tools.builders import NOON, an_amazon_order, an_order
from tools.in_memory.api import Answer, Clock, World
from tools.in_memory.events import MemoryEvents

FOLDER = Path(__file__).parent / "stored"
TABLES = ("OrdersTable", "HistoryTable", "IntegrationsTable", "AnswersTable")
DAY = timedelta(days=1)

PENDING, HELD, READY, SNOOZED = "701-1000001", "701-1000002", "701-1000003", "701-1000004"
OVERRIDDEN, WITH_THE_WAREHOUSE, FOR_THE_WAREHOUSE = "701-1000005", "701-1000006", "701-1000007"
DISPATCHED, OLD, CANCELLED_TOO_LATE = "701-1000008", "701-1000009", "701-1000010"
ORDERS = (
    *(PENDING, HELD, READY, SNOOZED, OVERRIDDEN),
    *(WITH_THE_WAREHOUSE, FOR_THE_WAREHOUSE, DISPATCHED, OLD, CANCELLED_TOO_LATE),
)
EMAIL = {"email": "ada@marketplace.example.com"}
TO_WAREHOUSE = IntegrationSettings(default_three_pl_status=ThreePlStatus.NOW)


@contextmanager
def amazon_at(clock: Clock) -> Iterator[AmazonStandIn]:
    """The seller whose orders are half downloaded: the same for whoever goes on."""
    with AmazonStandIn(generated(12, now=NOON), now=clock) as amazon:
        yield amazon


def downloader(world: World, amazon: AmazonStandIn, http: urllib3.PoolManager) -> Downloader:
    login = amazon.credentials
    api = SellingPartnerApi(
        Credentials(login.client_id, login.client_secret, login.refresh_token),
        endpoint=amazon.endpoint,
        lwa_endpoint=amazon.lwa_endpoint,
        http=http,
        now=lambda: world.clock().timestamp(),
    )
    return Downloader(
        downloads=world.downloads,
        orders=world.orders,
        wake_ups=world.wake_ups,
        amazon_for=lambda _: api,
        now=world.clock,
        wake_up=lambda _: None,
        event_bus=MemoryEvents().bus,
    )


def ask_with_a_key(world: World) -> Answer:
    """A request that may be sent again after the upgrade."""
    return world.call("POST", f"/orders/{OVERRIDDEN}/release", _OVERRIDE, Idempotency_Key="once")


_OVERRIDE = {"override": {"reason": "The carrier takes it"}}


class InTheMiddle:
    """Brings the tables to where a release is when it is replaced."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._orders()
        self._integration()
        self._downloads()

    def _orders(self) -> None:
        world = self.world
        world.register(settings=TO_WAREHOUSE)
        world.call("POST", "/stages", {"name": "Packing"})
        world.download(order_id=HELD, buyer_email=None)
        for order_id in (READY, SNOOZED, OVERRIDDEN):
            world.download(order_id=order_id, buyer_email=None)
        world.call("PATCH", f"/orders/{READY}", {**EMAIL, "assignedTo": "zoe", "comment": "Asked the buyer"})
        world.call("PATCH", f"/orders/{SNOOZED}", {"snoozeUntil": times.instant(NOON + timedelta(hours=6))})
        ask_with_a_key(world)
        for order_id in (WITH_THE_WAREHOUSE, FOR_THE_WAREHOUSE, CANCELLED_TOO_LATE):
            world.download(order_id=order_id)
        for order_id in (WITH_THE_WAREHOUSE, CANCELLED_TOO_LATE):
            world.call("POST", f"/orders/{order_id}/acknowledge", role="warehouse")
        world.download(order_id=DISPATCHED)
        world.call("PATCH", f"/orders/{DISPATCHED}", {"stage": "Packing", "fullyDispatched": times.instant(NOON)})
        world.download(order_id=OLD, created_at=NOON - 40 * DAY, deliver_by=NOON - 25.5 * DAY)
        world.store(an_order(an_amazon_order(order_id=PENDING, buyer_email=None)))
        for item in world.dynamodb.scan(TableName="OrdersTable")["Items"]:
            world.dynamodb.put_item(TableName="HistoryTable", Item=history_item(OrderRevision.from_image(item)))

    def _integration(self) -> None:
        store = self.world.downloads
        store.save_incidents(
            "acme-na", Incidents(incidents=(Incident(code="amazonUnavailable", since=NOON, evidence="503"),))
        )
        store.set_aside(
            "acme-na", [SetAside(order_id="701-spoilt", reason="createdTime is missing", first_seen_at=NOON)]
        )
        store.want_redownload("acme-na", Redownload(order_id=HELD, cause="requested", wanted_at=NOON))
        store.save_subscription("a-subscription", "acme-na")
        stages = tuple(stage.id for stage in self.world.integrations.stages().stages)
        store.begin_rejudgement("acme-na", Rejudgement(requested_by="zoe", requested_at=NOON, stages=stages))
        self.world.integrations.freeze_all("zoe", NOON)

    def _downloads(self) -> None:
        """A backdated download that has come as far as three calls reach, and then had none left."""
        world = self.world
        demo = Integration(
            integration_id="demo",
            name="Demo",
            region="NA",
            marketplace_ids=("ATVPDKIKX0DER", "A2EUQ1WTGCTBG2", "A1AM78C64UM0Y8", "A2Q3Y263D00KWC"),
            registered_at=NOON,
        )
        world.integrations.save(demo)
        start = times.instant(NOON - 30 * DAY)
        world.call("POST", "/integrations/demo/downloads", {"updatedAfter": start})
        live = world.downloads.live_download(demo)
        bucket = live.search_bucket.model_copy(update={"tokens": 3.5})
        world.downloads.save_live_download("demo", live.model_copy(update={"search_bucket": bucket}))
        with amazon_at(world.clock) as amazon, urllib3.PoolManager() as http:
            downloader(world, amazon, http).run("demo", until=NOON + DAY)


def written() -> dict[str, list[Any]]:
    """The items of each table."""
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setattr(times, "utc_now", clock)
        world = InTheMiddle(World(clock)).world
        return {table: world.dynamodb.scan(TableName=table)["Items"] for table in TABLES}


if __name__ == "__main__":
    file = FOLDER / f"{sys.argv[1]}.json"
    if file.exists():
        sys.exit(f"{file} exists already: never rewrite the items of a release")
    file.write_text(json.dumps(written(), indent=1, sort_keys=True, ensure_ascii=False) + "\n")

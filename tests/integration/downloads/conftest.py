"""A seller at Amazon, the tables, and the downloader between them, on one clock."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
import urllib3

from needs_attention.amazon.client import SellingPartnerApi
from needs_attention.amazon.tokens import Credentials
from needs_attention.downloads.backdated import BackdatedDownload
from needs_attention.downloads.by_id import Redownload
from needs_attention.downloads.second_look import Reconciliation
from needs_attention.downloads.walk import AMAZONS_MARGIN, Walk
from needs_attention.integrations.incidents import Incidents
from needs_attention.integrations.integration import Integration
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.integrations.standing import IntegrationState
from needs_attention.jobs.download.run import Downloader, RunFindings
from needs_attention.jobs.redactions import remove_personal_data
from needs_attention.jobs.validation import Validation
from needs_attention.jobs.waking import wake_what_is_due
from needs_attention.orders.marketplaces import MARKETPLACES
from needs_attention.orders.order import Order
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.orders import OrderStore
from needs_attention.tables.wake_ups import WakeUpStore
from tools.amazon_stand_in.clock import Clock
from tools.amazon_stand_in.generator import generated
from tools.amazon_stand_in.server import AmazonStandIn, SeenRequest
from tools.in_memory.dynamodb import MemoryDynamoDB, Table
from tools.in_memory.events import MemoryEvents
from tools.in_memory.wake_up_queue import MemoryWakeUpQueue

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
NORTH_AMERICA = tuple(marketplace.id for marketplace in MARKETPLACES.values() if marketplace.region == "NA")
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
RETRY = timedelta(minutes=6)


@dataclass
class World:
    """A seller at Amazon, the tables, and the downloader between them, on one clock."""

    tables: Mapping[str, Table]
    dynamodb: Any
    amazon: AmazonStandIn
    clock: Clock
    orders: OrderStore
    integrations: SettingsStore
    downloads: DownloadStateStore
    wake_ups: WakeUpStore
    http: urllib3.PoolManager
    woken: list[str] = field(default_factory=list)
    events: MemoryEvents = field(default_factory=MemoryEvents)
    order_change_queue: str = "arn:aws:sqs:eu-west-1:123456789012:order-changes"

    def register(self, integration_id: str = "demo", **changes: Any) -> Integration:
        integration = Integration(
            integration_id=integration_id,
            name="Demo",
            region="NA",
            marketplace_ids=NORTH_AMERICA,
            registered_at=self.clock(),
            **changes,
        )
        return self.integrations.save(integration)

    def change(self, **changes: Any) -> None:
        self.integrations.save(self.integration.model_copy(update=changes))

    @property
    def integration(self) -> Integration:
        integration = self.integrations.get("demo")
        assert integration is not None
        return integration

    @property
    def live(self) -> Any:
        return self.downloads.live_download(self.integration)

    @property
    def state(self) -> IntegrationState:
        state = self.downloads.state("demo")
        assert state is not None
        return state

    @property
    def incidents(self) -> Incidents:
        return self.state.incidents

    def backdate(self, since: timedelta = 30 * DAY, download_id: str = "d1") -> None:
        start = self.clock() - since
        self.downloads.save_backdated_download(
            "demo",
            BackdatedDownload(
                download_id=download_id,
                updated_after=start,
                updated_before=self.clock() - AMAZONS_MARGIN,
                walk=Walk(reached=start),
                requested_by="ada",
                requested_at=self.clock(),
            ),
        )

    def want(self, order_id: str) -> None:
        """A person asks for the order."""
        wanted = Redownload(order_id=order_id, cause="requested", wanted_at=self.clock())
        self.downloads.want_redownload("demo", wanted)

    def hint(self, order_id: str, changed_at: datetime) -> None:
        """A notification says that the order has changed."""
        hint = Redownload(order_id=order_id, cause="orderChange", wanted_at=self.clock(), changed_at=changed_at)
        self.downloads.want_redownload("demo", hint)

    def backdated(self, download_id: str = "d1") -> BackdatedDownload:
        download = self.downloads.backdated_download("demo", download_id)
        assert download is not None
        return download

    def run(self, *, lasting: timedelta = HOUR, integration_id: str = "demo") -> RunFindings | None:
        downloader = Downloader(
            downloads=self.downloads,
            orders=self.orders,
            wake_ups=self.wake_ups,
            amazon_for=lambda _: self.api(),
            now=self.clock,
            wake_up=self.woken.append,
            event_bus=self.events.bus,
            order_change_queue=self.order_change_queue,
        )
        return downloader.run(integration_id, until=self.clock() + lasting)

    def redact(self, *, lasting: timedelta = HOUR) -> list[str]:
        """The integrations that failed."""
        until = self.clock() + lasting
        every = self.integrations.get_each(self.integrations.find_all_ids())
        return [*remove_personal_data(self.orders, self.downloads, every, self.clock, until)]

    def run_for(self, time: timedelta, tick: timedelta = MINUTE) -> None:
        """The first run is of a person's request; those after it are of the clock and of runs with work left."""
        end = self.clock() + time
        self.clock.advance(tick)
        self.run()
        while self.clock() < end:
            self.clock.advance(tick)
            if self.woken.pop() if self.woken else self.woken_by_the_clock():
                self.run()

    def woken_by_the_clock(self) -> list[str]:
        """The integrations that a tick now wakes."""
        queue = MemoryWakeUpQueue()
        wake_what_is_due(self.integrations, self.wake_ups, queue, tick=self.clock(), now=self.clock())
        return queue.woken

    def api(self) -> SellingPartnerApi:
        credentials = self.amazon.credentials
        return SellingPartnerApi(
            Credentials(credentials.client_id, credentials.client_secret, credentials.refresh_token),
            endpoint=self.amazon.endpoint,
            lwa_endpoint=self.amazon.lwa_endpoint,
            http=self.http,
            now=lambda: self.clock().timestamp(),
        )

    def items(self) -> dict[str, Any]:
        return {item["orderId"]["S"]: item for item in self.tables["OrdersTable"].items.values()}

    def judge_all(self) -> None:
        validation = Validation(self.orders, self.integrations, self.clock())
        for item in self.items().values():
            validation.judge_image(item)

    def order(self, order_id: str) -> Order:
        order = self.orders.get(order_id)
        assert order is not None
        return order

    def ledger(self) -> set[str]:
        return {entry.order_id for entry in self.amazon.orders()}

    def searches(self) -> list[SeenRequest]:
        return [request for request in self.amazon.requests() if request.operation == "searchOrders"]


def second_look(world: World) -> Reconciliation:
    looked = world.state.reconciliation
    assert looked is not None
    return looked


def held(world: World) -> str:
    """Everything downloaded and judged; the ID of an order that is held for its missing email."""
    order_id = next(
        entry.order_id
        for entry in world.amazon.orders()
        if entry.order["fulfillment"]["fulfilledBy"] == "MERCHANT"
        and entry.order["fulfillment"]["fulfillmentStatus"] == "UNSHIPPED"
        and not entry.missing
    )
    world.amazon.patch(order_id, {"buyer": {"buyerEmail": None}})
    world.backdate()
    world.run()
    world.judge_all()
    assert "email" in [item.field for item in world.order(order_id).missing]
    return order_id


@contextmanager
def a_world(tables: Mapping[str, Table], dynamodb: Any) -> Iterator[World]:
    clock = Clock(NOON)
    with urllib3.PoolManager() as http, AmazonStandIn(generated(40, now=NOON), now=clock) as amazon:
        orders = OrderStore(dynamodb, "OrdersTable")
        integrations = SettingsStore(dynamodb, "IntegrationsTable")
        downloads = DownloadStateStore(dynamodb, "IntegrationsTable")
        wake_ups = WakeUpStore(dynamodb, "IntegrationsTable")
        world = World(tables, dynamodb, amazon, clock, orders, integrations, downloads, wake_ups, http)
        world.register(settings=IntegrationSettings(download_pending_orders=True))
        yield world


@pytest.fixture(scope="session")
def client() -> Any:
    """Made once: that takes botocore longer than many a test."""
    return boto3.client("dynamodb", region_name="eu-west-1")


@pytest.fixture
def tables() -> Mapping[str, Table]:
    return {name: Table(name) for name in ("OrdersTable", "IntegrationsTable")}


@pytest.fixture
def world(client: Any, tables: Mapping[str, Table]) -> Iterator[World]:
    with MemoryDynamoDB(tables).answering(client), a_world(tables, client) as world:
        yield world

"""Days of a seller's life on a virtual clock: Amazon's ledger is the truth, and a seed decides everything else.

The real downloader, stores, rules and client run against the stand-in; only the clock, the tables and the socket are
simulated. What a seed draws: how Amazon's orders change (also while a page is on its way), which calls go wrong and
how, at which call a run dies, which wake-ups and stream records come twice, late or never, and what people type.
"""

import heapq
import io
import urllib.parse
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, cast
from unittest.mock import patch

import urllib3

from needs_attention.amazon.client import INCLUDED_DATA, SellingPartnerApi
from needs_attention.amazon.order_json import read_order
from needs_attention.amazon.tokens import Credentials
from needs_attention.api.callers import Caller, Role
from needs_attention.api.integrations.merges import IntegrationMerges
from needs_attention.api.integrations.requests import MergeRequest
from needs_attention.downloads.backdated import BackdatedDownload
from needs_attention.downloads.by_id import Redownload
from needs_attention.downloads.live import LiveDownload
from needs_attention.downloads.walk import AMAZONS_MARGIN
from needs_attention.integrations.integration import Integration, NamedSeller
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.integrations.standing import IntegrationState
from needs_attention.jobs.download.run import Downloader
from needs_attention.jobs.validation import Validation
from needs_attention.jobs.waking import wake_what_is_due
from needs_attention.orders import gate
from needs_attention.orders.amazon_update import downloaded
from needs_attention.orders.marketplaces import MARKETPLACES
from needs_attention.orders.settings import Settings
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.orders import LostRace, OrderStore
from needs_attention.tables.wake_ups import WakeUpStore
from tools.amazon_stand_in.clock import Clock
from tools.amazon_stand_in.generator import generated
from tools.amazon_stand_in.http_messages import Answer, Request
from tools.amazon_stand_in.ledger import Entry, Json, amazon_time
from tools.amazon_stand_in.login_with_amazon import TOKEN_PATH
from tools.amazon_stand_in.misbehaviour import OF_REPORTS, Instruction, Misbehaviour
from tools.amazon_stand_in.notifications_api import SELLER_ID
from tools.amazon_stand_in.server import AmazonStandIn, operation_of
from tools.amazon_stand_in.visibility import ALL_DATA_ROLES, shown
from tools.in_memory.dynamodb import MemoryDynamoDB, Table
from tools.in_memory.events import MemoryEvents
from tools.in_memory.wake_up_queue import MemoryWakeUpQueue

START = datetime(2026, 11, 1, tzinfo=UTC)
NORTH_AMERICA = tuple(marketplace.id for marketplace in MARKETPLACES.values() if marketplace.region == "NA")
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
VISIBILITY = timedelta(seconds=130)  # as in template.yaml
RUN_FOR = timedelta(seconds=20)  # as in functions/download_orders
SECOND_INTEGRATION = "abroad"  # of the same seller
ENDPOINT = "http://amazon.example.com"
DATASETS = frozenset(INCLUDED_DATA)

# The faults of an answer; its orders are as Amazon has them, or cannot be read at all.
FAULTS = (
    Misbehaviour.HTML_503,
    Misbehaviour.JSON_500,
    Misbehaviour.QUOTA_EXCEEDED,
    Misbehaviour.ACCESS_DENIED,
    Misbehaviour.INVALID_INPUT,
    Misbehaviour.DROPPED_CONNECTION,
    Misbehaviour.TRUNCATED_JSON,
    Misbehaviour.NULL_FIELDS,
    Misbehaviour.BLANK_FIELDS,
    Misbehaviour.DUPLICATES,
    Misbehaviour.MALFORMED_ORDER,
    Misbehaviour.REPEATED_PAGE,
    Misbehaviour.EARLIER_BOUND,
    *OF_REPORTS,
    Misbehaviour.LWA_INVALID_CLIENT,
    Misbehaviour.LWA_INVALID_GRANT,
    Misbehaviour.LWA_UNAUTHORIZED_CLIENT,
    Misbehaviour.LWA_SERVER_ERROR,
    Misbehaviour.LWA_TEMPORARILY_UNAVAILABLE,
)


class Killed(BaseException):
    """The process ends here, as if the machine had gone."""


@dataclass(frozen=True)
class Life:
    """A kind of seller. Orders come `page` at a time: with 5, 2,000 updates a day cost as much as 40,000."""

    updates_a_day: int
    lasts: timedelta
    settles: timedelta = 8 * HOUR  # at most, afterwards: well before a second look could find lost orders
    page: int = 5
    flood: int = 0  # this many more orders are updated within two minutes, an hour after the start
    faults: float = 0.0  # the share of calls to Amazon that go wrong
    crashes: float = 0.0  # the share of calls, to Amazon and to tables, at which the process dies
    people: float = 0.0  # the share of calls to tables around which somebody edits an order
    backdates: float = 0.0  # the share of minutes in which a backdated download is asked for
    stream: float = 0.0  # the share of stream records that come twice or never
    notified: float = 0.0  # the share of changes that Amazon tells of: some late, and some twice
    listed_late: float = 0.0  # the share of changes that Amazon shows only up to 25 minutes after their time
    registered_twice: bool = False  # until half of the time has passed; then the second integration is merged


@dataclass
class Told:
    """The outcome."""

    seed: int
    orders: int = 0
    searches: int = 0
    redownloads: int = 0
    faults: int = 0
    crashes: int = 0
    edits: int = 0
    longest_lag: timedelta = timedelta()
    settled_after: timedelta = timedelta()
    broken: list[str] = field(default_factory=list)


class Simulation:
    """One seller's life by one seed: the same seed gives the same life."""

    def __init__(
        self, seed: int, life: Life, integration_id: str = "demo", wrapped: Callable[[Any], Any] = lambda client: client
    ) -> None:
        self.told = Told(seed)
        self.life = life
        self.clock = Clock(START)
        self._random = Random(seed)
        self.integration_id = integration_id
        self._is_calm = False
        self._is_running = False
        self.amazon = AmazonStandIn(now=self.clock)
        self.tables = {name: Table(name) for name in ("OrdersTable", "IntegrationsTable")}
        client, undisturbed = (
            wrapped(MemoryDynamoDB(self.tables, self._at_a_table)),
            wrapped(MemoryDynamoDB(self.tables)),
        )
        self.orders = OrderStore(client, "OrdersTable")
        self.integrations = SettingsStore(client, "IntegrationsTable")
        self.downloads = DownloadStateStore(client, "IntegrationsTable")
        self.wake_ups = WakeUpStore(client, "IntegrationsTable")
        self._peoples_orders = OrderStore(undisturbed, "OrdersTable")
        self._settings = SettingsStore(undisturbed, "IntegrationsTable")
        self._peoples_downloads = DownloadStateStore(undisturbed, "IntegrationsTable")
        self._peoples_wake_ups = WakeUpStore(undisturbed, "IntegrationsTable")
        self._updates = self._drawn_updates()
        self._shown_late: list[tuple[datetime, datetime]] = []  # when the change shows, and its own time
        self._pool = deque(generated(len(self._updates), now=START, seed=seed))
        self._typed: dict[str, str] = {}
        self._api = self._new_process()
        self._wake_ups: deque[str] = deque()
        self._hidden_until = START
        self._stream: list[tuple[datetime, int, Any]] = []
        self._notifications: list[tuple[datetime, int, Redownload]] = []
        self._streamed: dict[tuple[str, ...], Any] = {}
        self._stored: dict[str, tuple[Entry, Any]] = {}
        self._merged_at: datetime | None = None
        registered = Integration(
            integration_id=integration_id,
            name="Demo",
            region="NA",
            marketplace_ids=NORTH_AMERICA,
            registered_at=START,
            settings=IntegrationSettings(download_pending_orders=True),
        )
        if life.registered_twice:
            seller = NamedSeller(seller_id=SELLER_ID, by="ada", at=START)
            abroad = registered.model_copy(
                update={"integration_id": SECOND_INTEGRATION, "marketplace_ids": NORTH_AMERICA[1:]}
            )
            self._settings.save(abroad)
            registered = registered.model_copy(
                update={"marketplace_ids": NORTH_AMERICA[:1], "named_sellers": (seller,)}
            )
        self._settings.save(registered)

    def live(self) -> Told:
        """Lives the whole life and then comes to rest; `broken` names what does not hold."""
        with self._pages_of(self.life.page):
            end = START + self.life.lasts
            while self.clock() < end:
                self._minute()
            self._is_calm = True
            self.amazon.behave()
            while self._is_unsettled() and self.clock() < end + self.life.settles:
                for _ in range(10):
                    self._minute()
        self.told.settled_after = self.clock() - end
        self._look()
        return self.told

    def woken_by_the_clock(self, tick: datetime) -> list[str]:
        """The integrations that a tick wakes then."""
        queue = MemoryWakeUpQueue()
        wake_what_is_due(self._settings, self._peoples_wake_ups, queue, tick, tick)
        return queue.woken

    def run_at(self, begins: datetime) -> None:
        """One run of the downloader then, and the verdicts that follow."""
        with self._pages_of(self.life.page):
            self._advance(begins - self.clock())
            self._run(self.integration_id)
            self._deliver_stream()
            self._note_lag()

    # Events

    def _minute(self) -> None:
        self._advance((self.clock() + MINUTE).replace(second=0, microsecond=0) - self.clock())
        if self._happens(self.life.backdates):
            self._ask_for_the_past()
        self._deliver_notifications()
        if self.life.registered_twice and self._merged_at is None and self.clock() >= START + self.life.lasts / 2:
            self._merge()
        self._wake_ups.extend(self.woken_by_the_clock(self.clock()))
        self._run_what_was_woken()
        self._deliver_stream()
        self._note_lag()

    def _note_lag(self) -> None:
        reached = self._live_download().walk.reached
        self.told.longest_lag = max(self.told.longest_lag, self.clock() - AMAZONS_MARGIN - reached)

    def _run_what_was_woken(self) -> None:
        """One message of the group at a time; one whose process died stays hidden for a while, and comes again."""
        while self._wake_ups and self.clock() >= self._hidden_until:
            message = self._wake_ups.popleft()
            try:
                self._run(message)
            except Killed:
                self.told.crashes += 1
                self._api = self._new_process()
                self._wake_ups.appendleft(message)
                self._hidden_until = self.clock() + VISIBILITY
                return
            if self._happens(0.02 if self.life.stream else 0.0):
                self._wake_ups.appendleft(message)  # delivered twice

    def _run(self, integration_id: str) -> None:
        downloader = Downloader(
            downloads=self.downloads,
            orders=self.orders,
            wake_ups=self.wake_ups,
            amazon_for=lambda _: self._api,
            now=self.clock,
            wake_up=self._wake,
            event_bus=MemoryEvents().bus,
        )
        self._is_running = True
        try:
            downloader.run(integration_id, until=self.clock() + RUN_FOR)
        finally:
            self._is_running = False

    def _wake(self, integration_id: str) -> None:
        """A run wakes its successor; now and then the message is lost."""
        if not self._happens(0.1 if self.life.stream else 0.0):
            self._wake_ups.append(integration_id)

    def _merge(self) -> None:
        """An administrator removes the second integration, and merges it into the first."""
        second = self._settings.get(SECOND_INTEGRATION)
        assert second is not None
        self._settings.save(second.model_copy(update={"deleted_at": self.clock()}))
        administrator = Caller("ada", frozenset({Role.ADMINISTRATOR}))
        queue = MemoryWakeUpQueue()
        first = self._settings.get(self.integration_id)
        assert first is not None
        self._settings.save(first.model_copy(update={"is_frozen": True}))
        merges = IntegrationMerges(
            self._settings, self._peoples_downloads, queue, caller=administrator, now=self.clock()
        )
        merges.merge(self.integration_id, MergeRequest(source=SECOND_INTEGRATION))
        self._wake_ups.extend(queue.woken)
        self._merged_at = self.clock()

    def _ask_for_the_past(self) -> None:
        start = self.clock() - self._random.random() * timedelta(days=2) - 3 * MINUTE
        download = BackdatedDownload.requested(
            start, self._live_download().walk.pace, by="ada", now=self.clock(), suffix=str(self._random.random())
        )
        self._peoples_downloads.save_backdated_download(self.integration_id, download)

    def _deliver_stream(self) -> None:
        """Judges what was written, later, sometimes twice, sometimes never: the clock asks for those again."""
        for key, item in self.tables["OrdersTable"].items.items():
            if self._streamed.get(key) is not item:
                self._streamed[key] = item
                if item["verdict"]["S"] == "pending" and not self._happens(self.life.stream):
                    delay = self._random.random() * (2 * MINUTE if self._happens(self.life.stream) else SECOND)
                    heapq.heappush(self._stream, (self.clock() + delay, len(self._stream), item))
        validation = Validation(self._peoples_orders, self._settings, self.clock())
        while self._stream and self._stream[0][0] <= self.clock():
            _, number, item = heapq.heappop(self._stream)
            validation.judge_image(item)
            if self._happens(self.life.stream):
                heapq.heappush(self._stream, (self.clock() + MINUTE, number, item))

    # Amazon's side

    def _drawn_updates(self) -> list[datetime]:
        count = round(self.life.updates_a_day * (self.life.lasts / timedelta(days=1)))
        updates = [START + self._random.random() * self.life.lasts for _ in range(count)]
        updates += [START + HOUR + 2 * self._random.random() * MINUTE for _ in range(self.life.flood)]
        return sorted(updates, reverse=True)

    def _advance(self, by: timedelta) -> None:
        """Time passes, and with it Amazon's orders change; their times are whole seconds."""
        until = self.clock() + by
        while self._updates and self._updates[-1] <= until:
            at = self._updates.pop().replace(microsecond=0)
            if self.life.listed_late and self._happens(self.life.listed_late):
                heapq.heappush(self._shown_late, (at + self._random.random() * 25 * MINUTE, at))
            else:
                self._update_an_order(at)
        while self._shown_late and self._shown_late[0][0] <= until:
            self._update_an_order(heapq.heappop(self._shown_late)[1])
        self.clock.now = until

    def _update_an_order(self, at: datetime) -> None:
        known = self.amazon.orders() if len(self._pool) < 40 or self._happens(0.4) else []
        if not known:
            new = dict(self._pool.popleft().order)
            self.amazon.put(new | {"createdTime": amazon_time(at), "lastUpdatedTime": amazon_time(at)})
            self._notify(new["orderId"], at)
            return
        order = self._random.choice(known[-200:])
        self.amazon.patch(order.order_id, self._random.choice(CHANGES)(self._random), last_updated_time=at)
        self._notify(order.order_id, at)

    def _notify(self, order_id: str, changed_at: datetime) -> None:
        if self.life.notified and self._happens(self.life.notified):
            for _ in range(2 if self._happens(0.2) else 1):
                delay = self._random.random() * (20 * MINUTE if self._happens(0.2) else 5 * SECOND)
                hint = Redownload(
                    order_id=order_id, cause="orderChange", wanted_at=changed_at + delay, changed_at=changed_at
                )
                heapq.heappush(self._notifications, (changed_at + delay, len(self._notifications), hint))

    def _deliver_notifications(self) -> None:
        while self._notifications and self._notifications[0][0] <= self.clock():
            _, _, hint = heapq.heappop(self._notifications)
            self._peoples_downloads.want_redownload(self.integration_id, hint)
            self._wake_ups.append(self.integration_id)

    def _exchange(self, request: Request) -> Answer | None:
        """A call to Amazon takes time, in which orders change; it may go wrong, or the process may die of it."""
        self._may_die()
        if self._happens(self.life.faults):
            self._misbehave(request)
        self._advance(SECOND * (0.2 + 2 * self._random.random()))
        answer = self.amazon.answer(request)
        self._may_die()
        return answer

    def _misbehave(self, request: Request) -> None:
        operation = operation_of(request)
        kind = self._random.choice([kind for kind in FAULTS if Instruction(kind).concerns(operation)])
        self.amazon.misbehave(kind, operations=[operation], seconds=self._random.randrange(600))
        self.told.faults += 1

    def _new_process(self) -> SellingPartnerApi:
        credentials = self.amazon.credentials
        return SellingPartnerApi(
            Credentials(credentials.client_id, credentials.client_secret, credentials.refresh_token),
            endpoint=ENDPOINT,
            lwa_endpoint=ENDPOINT + TOKEN_PATH,
            http=cast(urllib3.PoolManager, Wire(self._exchange)),
            now=lambda: self.clock().timestamp(),
        )

    # Around a call to a table

    def _at_a_table(self) -> None:
        self._may_die()
        if self._happens(self.life.people):
            self._somebody_edits()

    def _may_die(self) -> None:
        if self._is_running and self._happens(self.life.crashes):
            raise Killed

    def _somebody_edits(self) -> None:
        stored = list(self.tables["OrdersTable"].items.values())[-50:]
        order = stored and self._peoples_orders.get(self._random.choice(stored)["orderId"]["S"])
        if not order:
            return
        email = f"typed{self.told.edits}@buyers.example.com"
        edited = gate.edit(order, {"email": email}, None, Settings(), self.clock())
        with suppress(LostRace):
            self._peoples_orders.save(order, edited, by="zoe", at=self.clock(), cause="edit")
            self._typed[order.order_id] = email
            self.told.edits += 1

    def _happens(self, share: float) -> bool:
        return not self._is_calm and self._random.random() < share

    # The laws

    def _state(self) -> IntegrationState:
        state = self._peoples_downloads.state(self.integration_id)
        assert state is not None
        return state

    def _live_download(self) -> LiveDownload:
        return self._state().live

    def _is_unsettled(self) -> bool:
        downloads, integration_id = self._peoples_downloads, self.integration_id
        is_at_work = any(not download.is_over for download in downloads.backdated_downloads(integration_id))
        is_in_trouble = downloads.all_set_aside(integration_id) or self._state().incidents
        is_judged = all(item["verdict"]["S"] == "judged" for item in self.tables["OrdersTable"].items.values())
        return is_at_work or bool(is_in_trouble) or not is_judged or any(self._stale())

    def _stale(self) -> Iterator[str]:
        """Orders that are not in the table as Amazon has them."""
        items = self.tables["OrdersTable"].items
        for entry in self.amazon.orders():
            # Neither an entry nor an item is ever changed: a later one takes its place.
            compared = entry, items.get((entry.order_id,))
            if self._stored.get(entry.order_id) == compared:
                continue
            if not self._is_stored(entry):
                yield entry.order_id
            else:
                self._stored[entry.order_id] = compared

    def _is_stored(self, entry: Entry) -> bool:
        order = self._peoples_orders.get(entry.order_id)
        if order is None:
            return False
        # As Amazon showed it then: later it hides a shipped order's telephone number.
        showed = shown(entry, datasets=DATASETS, roles=ALL_DATA_ROLES, now=order.downloaded_at)
        return downloaded(order, read_order(showed), order.integration, Settings(), self.clock()) is None

    def _look(self) -> None:
        requests = self.amazon.requests()
        self.told.orders = len(self.amazon.orders())
        self.told.searches = sum(request.operation == "searchOrders" for request in requests)
        self.told.redownloads = sum(request.operation == "getOrder" for request in requests)
        stored = {key[0] for key in self.tables["OrdersTable"].items}
        ledger = {entry.order_id for entry in self.amazon.orders()}
        self._expect("every order of Amazon's is stored", ledger - stored)
        self._expect("no order is stored that Amazon does not have", stored - ledger)
        self._expect("no order is stale", set(self._stale()))
        found = self._peoples_orders.get_many(self._typed)
        self._expect("no edit is lost", {key for key, email in self._typed.items() if found[key].edits.email != email})
        every = self._peoples_orders.get_many(stored)
        self._expect("every order has its verdict", {key for key, order in every.items() if order.is_pending})
        downloads, integration_id = self._peoples_downloads, self.integration_id
        self._expect("nothing is set aside", {one.order_id for one in downloads.all_set_aside(integration_id)})
        self._expect("every incident is over", {one.code for one in self._state().incidents.incidents})
        self._expect(
            "no order is another integration's", {k for k, o in every.items() if o.integration != integration_id}
        )
        if self._merged_at:
            late = (request.at for request in requests if request.status == 429)
            refused = {at for at in late if at >= self._merged_at + HOUR}
            self._expect("no call is refused from an hour after the merge on", refused)
        past = downloads.backdated_downloads(integration_id)
        self._expect("every backdated download is over", {one.download_id for one in past if not one.is_over})

    def _expect(self, law: str, exceptions: set[Any]) -> None:
        if exceptions:
            self.told.broken.append(f"{law}: not {sorted(exceptions)[:5]} ({len(exceptions)})")

    def refused_for_quota(self) -> int:
        return sum(request.status == 429 for request in self.amazon.requests())

    @staticmethod
    @contextmanager
    def _pages_of(size: int) -> Iterator[None]:
        with (
            patch("needs_attention.downloads.walk.PAGE", size),
            patch("tools.amazon_stand_in.orders_api.MOST_RESULTS", size),
        ):
            yield


class Wire:
    """The part of urllib3's pool that the client needs, without a socket."""

    def __init__(self, exchange: Callable[[Request], Answer | None]) -> None:
        self._exchange = exchange

    def request(self, method: str, url: str, *, headers: dict[str, str], body: bytes | None, **_: object) -> Any:
        parts = urllib.parse.urlsplit(url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        answer = self._exchange(Request.read(method, target, headers, body or b""))
        if answer is None:
            raise urllib3.exceptions.ProtocolError("the connection was dropped")
        return _Response(answer)


class _Response(io.BytesIO):
    """A body that is read to its end, with status and headers."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body)
        self.status = answer.status
        own = {"Content-Type": answer.content_type, "x-amzn-RequestId": answer.request_id}
        self.headers = urllib3.HTTPHeaderDict(own | dict(answer.headers))


CHANGES: tuple[Callable[[Random], Json], ...] = (
    lambda _: {"fulfillment": {"fulfillmentStatus": "SHIPPED"}},
    lambda _: {"fulfillment": {"fulfillmentStatus": "UNSHIPPED"}},
    lambda _: {"fulfillment": {"fulfillmentStatus": "CANCELLED"}},
    lambda random: {"fulfillment": {"fulfillmentServiceLevel": f"LEVEL{random.randrange(1000)}"}},
    lambda random: {"recipient": {"deliveryAddress": {"addressLine1": f"{random.randrange(1, 999)} Larkspur Court"}}},
    lambda random: {"buyer": {"buyerEmail": f"{random.randrange(1, 99999)}@marketplace.example.com"}},
)

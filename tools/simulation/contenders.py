"""Three engines that download a seller's orders, each on its own `Amazon` with the same history and the same quotas.

How each is driven, so that anyone can judge whether that is fair:

`Ours` is the project's downloader as `Simulation` lives it: woken when something is due, a live search every 5 minutes
(every 10 while a download of the past waits), slices sized to three quarters of a page, looking back 30 seconds from
where the last search ended, and its bucket counted beforehand. The past is a backdated download next to the live one.
An order that is held is asked for by ID after 2, 5, 15 and 60 minutes, 6 and 24 hours, and when a person asks for it.

`Rewind` has one cursor and the same API and client as ours (searchOrders 2026-01-01, all datasets). It searches every 5
minutes from its cursor to 2:10 minutes ago, in full pages of 100, and then moves its cursor to that bound. When its
quota is used up it waits as long as one call takes to come back, and asks for the same page again. To heal orders it
sets its cursor back to before they were created, and downloads all that was updated since. To download the past it
begins there.

`OldWay` is python-amazon-sp-api with the Orders API v0, used as its documentation shows: `load_all_pages` over
getOrders(LastUpdatedAfter=...), every 5 minutes, in full pages of 100, and getOrderItems for each order of a page
before the next page. Its own `throttle_retry` waits when Amazon refuses a call: 5 s, then 1.3 times as long each time,
and up to 10 calls. Its sleeping moves the virtual clock. The cursor moves to the `LastUpdatedBefore` of Amazon's
answer. It heals and downloads the past as `Rewind` does.

Two things favour the other two: they look back by nothing, since the stand-in lists no order late; a person who asks
while they are busy is served when they are ready, and only then does the time to heal begin; they wake nobody and store
at once. In favour of `OldWay`: v0 shows buyers and addresses with getOrders as if a restricted data token cost nothing,
so that an order costs its part of a listing and a call for its items, where others need calls for its address and its
buyer too; and its documentation writes `throttle_retry` outside of `load_all_pages`, where it can catch nothing, but
here it is inside and works.

Amazon does not document by what it sorts and how it pages. The stand-in sorts by time of update and pages by offset, in
both APIs: an order that is updated while a search is walked leaves its window, and another slips between two pages.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol, cast
from unittest.mock import patch

import httpx
import urllib3
from sp_api.api import Orders  # type: ignore[import-untyped]  # ships no types
from sp_api.auth import AccessTokenResponse  # type: ignore[import-untyped]
from sp_api.base import Marketplaces  # type: ignore[import-untyped]
from sp_api.base._transport_httpx import HttpxTransport  # type: ignore[import-untyped]
from sp_api.util import load_all_pages, throttle_retry  # type: ignore[import-untyped]

from needs_attention.amazon.client import SellingPartnerApi
from needs_attention.amazon.errors import QuotaExceeded
from needs_attention.amazon.tokens import Credentials
from needs_attention.downloads.backdated import BackdatedDownload
from needs_attention.downloads.by_id import Redownload
from needs_attention.downloads.walk import AMAZONS_MARGIN
from tools.amazon_stand_in import orders_v0
from tools.amazon_stand_in.http_messages import Answer, Request
from tools.amazon_stand_in.ledger import Entry, Json, amazon_time, moment
from tools.amazon_stand_in.login_with_amazon import TOKEN_PATH
from tools.amazon_stand_in.quota import USAGE_PLANS
from tools.amazon_stand_in.visibility import ALL_DATA_ROLES, shown
from tools.simulation.history import Amazon
from tools.simulation.seller import DATASETS, ENDPOINT, MINUTE, NORTH_AMERICA, SECOND, Life, Simulation, Wire

EVERY = 5 * MINUTE
A_TOKEN = timedelta(seconds=1 / USAGE_PLANS["searchOrders"].rate)


class Past(NamedTuple):
    """The time and calls of a download of the past, and how many new orders it brought."""

    calls: int
    orders: int


class Contender(Protocol):
    """An engine, as a comparison needs it. Times are those of the clock of `side`, its own view of Amazon."""

    side: Amazon

    def download_the_past(self, since: datetime) -> None:
        """Begins to download all that was updated since; it comes while time passes."""

    @property
    def past(self) -> Past:
        """The result of the download of the past so far."""

    def live_until(self, until: datetime) -> None:
        """Downloads all that comes, at least until then: it finishes everything that it has begun."""

    def ask_for(self, entries: Sequence[Entry]) -> None:
        """A person asks for these orders again."""

    def is_through(self, until: datetime) -> bool:
        """Whether all is downloaded that was updated until then, as far as the engine knows."""

    def stored_at(self, entry: Entry) -> datetime | None:
        """When it stored what Amazon has of the order now; None if it has not, or has something else."""

    def has(self, entry: Entry) -> bool:
        """Whether it has the order at all, in whatever version."""


class Ours(Simulation):
    """The project's downloader, on tables in memory."""

    def __init__(self, side: Amazon) -> None:
        super().__init__(0, Life(updates_a_day=0, lasts=timedelta()))
        self.side = side
        self.clock = side.clock
        self.amazon = side.stand_in

    def download_the_past(self, since: datetime) -> None:
        pace = self._live_download().walk.pace
        download = BackdatedDownload.requested(since, pace, by="ada", now=self.clock())
        self._peoples_downloads.save_backdated_download(self.integration_id, download)

    @property
    def past(self) -> Past:
        (download,) = self._peoples_downloads.backdated_downloads(self.integration_id)
        return Past(download.counts.pages, download.counts.new)

    def live_until(self, until: datetime) -> None:
        while self.clock() < until:
            self._minute()

    def ask_for(self, entries: Sequence[Entry]) -> None:
        """As POST /bulk/redownloads does: each order is noted, and the integration is woken, a second later."""
        for entry in entries:
            wanted = Redownload(order_id=entry.order_id, cause="requested", wanted_at=self.clock())
            self._peoples_downloads.want_redownload(self.integration_id, wanted)
        self._advance(SECOND)
        self._wake_ups.append(self.integration_id)
        self._run_what_was_woken()
        self._deliver_stream()
        self._advance(SECOND)  # by then every verdict has come
        self._deliver_stream()

    def is_through(self, until: datetime) -> bool:
        downloads = self._peoples_downloads.backdated_downloads(self.integration_id)
        state = self._state()
        is_at_work = any(not one.is_over for one in downloads) or state.proofs.again
        return not is_at_work and state.live.walk.reached >= until

    def stored_at(self, entry: Entry) -> datetime | None:
        """An order that lacks nothing is stored only when its verdict says so too: then it may leave.

        An order that came back from shipped, or from Amazon's own fulfillment, waits for a person.
        """
        order = self._peoples_orders.get(entry.order_id)
        if order is None or not self._is_stored(entry):
            return None
        if order.hold and not entry.missing and order.amazon.came_back_from is None:
            return None
        return max(order.downloaded_at, order.judged_at or order.downloaded_at)

    def has(self, entry: Entry) -> bool:
        return self._peoples_orders.get(entry.order_id) is not None

    def _advance(self, by: timedelta) -> None:
        self.side.pass_time(by)

    def _exchange(self, request: Request) -> Answer:
        return self.side.exchange(request)


class OneCursor(ABC):
    """An engine that keeps orders as they came, and one time up to which it has asked for them."""

    def __init__(self, side: Amazon) -> None:
        self.side = side
        self._cursor = side.clock() - AMAZONS_MARGIN
        self._kept: dict[str, tuple[Json, datetime]] = {}
        self._first_walk: Past | None = None

    def download_the_past(self, since: datetime) -> None:
        self._cursor = since

    @property
    def past(self) -> Past:
        assert self._first_walk, "nothing was downloaded yet"
        return self._first_walk

    def live_until(self, until: datetime) -> None:
        now = self.side.clock
        while now() < until:
            next_one = now() + EVERY
            self._cursor = self._walk(self._cursor)
            self._first_walk = self._first_walk or Past(len(self.side.calls), len(self._kept))
            self.side.pass_time(max(next_one - now(), timedelta()))

    def ask_for(self, entries: Sequence[Entry]) -> None:
        """All that was updated since the oldest was created is downloaded again, at once."""
        self._cursor = self._walk(min(entry.created for entry in entries))

    def is_through(self, until: datetime) -> bool:
        return self._cursor >= until

    def stored_at(self, entry: Entry) -> datetime | None:
        document, at = self._kept.get(entry.order_id, ({}, self.side.clock()))
        return at if document == self._as_amazon_has(entry, at) else None

    def has(self, entry: Entry) -> bool:
        return entry.order_id in self._kept

    def _keep(self, order_id: str, document: Json) -> None:
        """An unchanged order keeps the time at which it came first."""
        known = self._kept.get(order_id)
        if known is None or known[0] != document:
            self._kept[order_id] = document, self.side.clock()

    @abstractmethod
    def _walk(self, after: datetime) -> datetime:
        """Downloads all that was updated since `after`, and answers with the time up to which that reached."""

    @abstractmethod
    def _as_amazon_has(self, entry: Entry, at: datetime) -> Json:
        """The order as `_keep` gets it if it is asked for then."""


class Rewind(OneCursor):
    """One cursor over searchOrders 2026-01-01."""

    def __init__(self, side: Amazon) -> None:
        super().__init__(side)
        credentials = side.stand_in.credentials
        self._api = SellingPartnerApi(
            Credentials(credentials.client_id, credentials.client_secret, credentials.refresh_token),
            endpoint=ENDPOINT,
            lwa_endpoint=ENDPOINT + TOKEN_PATH,
            http=cast(urllib3.PoolManager, Wire(side.exchange)),
            now=lambda: side.clock().timestamp(),
        )

    def _walk(self, after: datetime) -> datetime:
        before = (self.side.clock() - AMAZONS_MARGIN).replace(microsecond=0)
        token: str | None = None
        while True:
            try:
                page = self._api.search_orders(
                    marketplace_ids=NORTH_AMERICA,
                    updated_after=after,
                    updated_before=before,
                    pagination_token=token,
                )
            except QuotaExceeded:
                self.side.pass_time(A_TOKEN)
                continue
            for order in page.orders:
                self._keep(order["orderId"], order)
            token = page.next_token
            if token is None:
                return before

    def _as_amazon_has(self, entry: Entry, at: datetime) -> Json:
        return shown(entry, datasets=DATASETS, roles=ALL_DATA_ROLES, now=at)


class OldWay(OneCursor):
    """One cursor over python-amazon-sp-api's client for the Orders API v0."""

    def __init__(self, side: Amazon) -> None:
        super().__init__(side)
        self._orders = Orders(
            marketplace=Marketplaces.US,
            credentials={"refresh_token": "Atzr|v0", "lwa_app_id": "v0", "lwa_client_secret": "v0"},
            auth_token_client_class=_LoggedIn,
        )
        self._orders.close()
        self._orders._transport = HttpxTransport(client=httpx.Client(transport=httpx.MockTransport(self._answer)))

    def _walk(self, after: datetime) -> datetime:
        pages = load_all_pages()(throttle_retry()(self._orders.get_orders))
        get_order_items = throttle_retry()(self._orders.get_order_items)
        bound = after
        with patch("time.sleep", lambda seconds: self.side.pass_time(timedelta(seconds=seconds))):
            for page in pages(LastUpdatedAfter=amazon_time(after), MarketplaceIds=list(NORTH_AMERICA)):
                for order in page.payload["Orders"]:
                    items = get_order_items(order["AmazonOrderId"]).payload["OrderItems"]
                    self._keep(order["AmazonOrderId"], {**order, "OrderItems": items})
                bound = moment(page.payload["LastUpdatedBefore"])
        return bound

    def _as_amazon_has(self, entry: Entry, at: datetime) -> Json:
        return {**orders_v0.order_of(entry, at), "OrderItems": orders_v0.items_of(entry, at)}

    def _answer(self, sent: httpx.Request) -> httpx.Response:
        request = Request.read(sent.method, sent.url.raw_path.decode(), dict(sent.headers), sent.content)
        answer = self.side.exchange(request)
        headers = {"Content-Type": answer.content_type, **answer.headers}
        return httpx.Response(answer.status, headers=headers, content=answer.body)


class _LoggedIn:
    """Stands in for the library's login, which keeps its tokens by the real clock."""

    def __init__(self, **_: Any) -> None:
        pass

    def get_auth(self) -> Any:
        return AccessTokenResponse(access_token="Atza|v0")


CONTENDERS: Mapping[str, Callable[[Amazon], Contender]] = {"ours": Ours, "old way (v0)": OldWay, "rewind": Rewind}

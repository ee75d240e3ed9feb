"""The cost of downloads: processor time for a page of 100 orders, and calls to Amazon for an order.

The first is measured here, the second is what `make compare` measures.
"""

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from unittest.mock import patch

import boto3
import urllib3

from benchmarks.amazon_orders import NOW, answer, new_orders, shipped
from benchmarks.loopback_dynamodb import ACCESS, Item, loopback_dynamodb
from benchmarks.markdown import table
from benchmarks.report import Figure, Section
from benchmarks.rounds import Spread, interleaved, ratio
from benchmarks.usual.downloader import store_page, store_page_in_batches
from needs_attention import aws
from needs_attention.amazon.client import SellingPartnerApi
from needs_attention.amazon.tokens import Credentials
from needs_attention.integrations.integration import Integration
from needs_attention.jobs.download.intake import Intake
from needs_attention.jobs.validation import Validation
from needs_attention.orders.marketplaces import MARKETPLACES
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.orders import OrderStore
from tools.amazon_stand_in.ledger import Json
from tools.in_memory.dynamodb import MemoryDynamoDB, Table
from tools.simulation import comparison
from tools.simulation.comparison import BacklogTold, HealTold, LiveTold, lasting
from tools.simulation.contenders import CONTENDERS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table as DynamoDBTable

PAGE = 100
ROUNDS = 15
KINDS = ("new", "changed", "unchanged")
USUAL_WAYS: Mapping[str, Callable[["DynamoDBTable", bytes], None]] = {
    "update_item": store_page,
    "batch_writer": store_page_in_batches,
}
INTEGRATION = Integration(
    integration_id="demo",
    name="Demo shop",
    region="NA",
    marketplace_ids=tuple(one.id for one in MARKETPLACES.values() if one.region == "NA"),
    registered_at=NOW,
)


class Page(NamedTuple):
    """An answer of Amazon's, and what is stored of its orders by then. The name is its table's too."""

    name: str
    answer: bytes
    stored: Mapping[str, Item]


def pages() -> list[Page]:
    orders = new_orders(PAGE)
    judged = _judged(orders)
    return [
        Page("new", answer(orders), {}),
        Page("changed", answer(map(shipped, orders)), judged),
        Page("unchanged", answer(orders), judged),
    ]


def _judged(orders: Sequence[Json]) -> Mapping[str, Item]:
    """The orders as they are stored when validation has judged them."""
    tables = {name: Table(name) for name in ("OrdersTable", "IntegrationsTable")}
    client: Any = MemoryDynamoDB(tables)
    stores = OrderStore(client, "OrdersTable"), SettingsStore(client, "IntegrationsTable")
    stores[1].save(INTEGRATION)
    intake = Intake(stores[0], DownloadStateStore(client, "IntegrationsTable"))
    intake.take(INTEGRATION, orders, cause="download", request_id="1-downloaded", now=NOW)
    validation = Validation(*stores, NOW)
    items: dict[tuple[str, ...], Any] = tables["OrdersTable"].items
    for item in tuple(items.values()):
        validation.judge_image(item)
    return {order_id: item for (order_id,), item in items.items()}


class Amazon:
    """In place of a pool of connections: answers each search with the same page, from memory."""

    def __init__(self, page: bytes) -> None:
        self._page = page

    def request(self, method: str, *_: object, **__: object) -> urllib3.HTTPResponse:
        is_login = method == "POST"
        body = b'{"access_token": "Atza|token", "expires_in": 3600}' if is_login else self._page
        headers = {"Content-Type": "application/json", "x-amzn-RequestId": "1-downloaded"}
        return urllib3.HTTPResponse(BytesIO(body), headers=headers, status=200, preload_content=False)


def _ours(page: Page) -> Callable[[], float]:
    client = aws.client("dynamodb")
    intake = Intake(OrderStore(client, page.name), DownloadStateStore(client, "IntegrationsTable"))
    http = cast(urllib3.PoolManager, Amazon(page.answer))
    amazon = SellingPartnerApi(Credentials("client", "secret", "Atzr|token"), endpoint="https://amazon", http=http)

    def take() -> None:
        found = amazon.search_orders(
            marketplace_ids=INTEGRATION.marketplace_ids, updated_after=NOW - timedelta(days=1), updated_before=NOW
        )
        later = NOW + timedelta(hours=2)
        taken = intake.take(INTEGRATION, found.orders, cause="download", request_id=found.request_id, now=later)
        counted = {"new": taken.counts.new, "changed": taken.counts.changed, "unchanged": taken.counts.unchanged}
        if counted[page.name] != PAGE:
            raise ValueError(f"not all {PAGE} orders are {page.name}: {taken.counts}")

    return lambda: _milliseconds(take)


def _usual(page: Page, way: str) -> Callable[[], float]:
    orders = boto3.resource("dynamodb").Table(page.name)
    return lambda: _milliseconds(lambda: USUAL_WAYS[way](orders, page.answer))


def _milliseconds(work: Callable[[], None]) -> float:
    """Of a processor, in this process."""
    began = time.process_time()
    work()
    return 1000 * (time.process_time() - began)


def _processor_time() -> dict[str, list[float]]:
    """Milliseconds for each page, by whose and which it is, in each round."""
    every = pages()
    with ExitStack() as stack:
        endpoint = stack.enter_context(loopback_dynamodb({page.name: page.stored for page in every}))
        stack.enter_context(patch.dict(os.environ, ACCESS | {"AWS_ENDPOINT_URL_DYNAMODB": endpoint}))
        contenders = {f"ours: {page.name}": _ours(page) for page in every}
        contenders |= {f"{way}: {page.name}": _usual(page, way) for page in every for way in USUAL_WAYS}
        interleaved(1, contenders)  # the first of each is slower
        return interleaved(ROUNDS, contenders)


class Lives(NamedTuple):
    """The outcome of each contender's lives, by its name."""

    live: Mapping[str, LiveTold]
    heal: Mapping[str, HealTold]
    past: Mapping[str, BacklogTold]


def _lives() -> Lives:
    with ProcessPoolExecutor(os.cpu_count(), initializer=logging.disable) as pool:
        live = {name: pool.submit(comparison.live_and_heal, name, comparison.FULL, 0) for name in CONTENDERS}
        past = {name: pool.submit(comparison.backlog, name, comparison.FULL, 0) for name in CONTENDERS}
        lived = _results(live)
        return Lives(
            {name: told for name, (told, _) in lived.items()},
            {name: told for name, (_, told) in lived.items()},
            _results(past),
        )


def _results[Told](futures: Mapping[str, Future[Told]]) -> dict[str, Told]:
    results = {}
    for name, future in futures.items():
        results[name] = future.result()
        print(f"  {name} is through", flush=True)
    return results


def _table_of_pages(figures: Mapping[str, Sequence[float]]) -> str:
    rows = []
    for name in KINDS:
        ours, *usual = (figures[f"{whose}: {name}"] for whose in ("ours", *USUAL_WAYS))
        cells = [Spread.of(ours).shown()]
        for theirs in usual:
            cells += [Spread.of(theirs).shown(), ratio(ours, theirs).shown(2)]
        rows.append((name, *cells))
    headings = (cell for way in USUAL_WAYS for cell in (f"`{way}`, ms", "ours of it"))
    return table(("100 orders, all", "ours, ms", *headings), rows)


def _figures(figures: Mapping[str, Sequence[float]]) -> list[Figure]:
    told = []
    for way in USUAL_WAYS:
        of_it = (f"{ratio(figures[f'ours: {name}'], figures[f'{way}: {name}']).median:.2f} {name}" for name in KINDS)
        told.append(Figure(f"processor time of a page of {PAGE} orders, of `{way}`'s", ", ".join(of_it)))
    return told


def _table_of_lives(lives: Lives) -> str:
    headings = (
        "",
        "searches an order, live",
        "all calls an order, live",
        "calls an order, backlog",
        "an update waited, live",
        "30 held orders healed after",
        "lost, backlog and live",
    )
    return table(
        headings,
        [
            (
                name,
                f"{live.calls.listings / live.orders:.4f}",
                f"{live.calls_per_order:.4f}",
                f"{lives.past[name].calls_per_order:.4f}",
                lasting(live.outcome.longest_wait),
                lasting(lives.heal[name].healed_after),
                f"{lives.past[name].outcome.lost:,}, {live.outcome.lost:,}",
            )
            for name, live in lives.live.items()
        ],
    )


def section() -> Section:
    """Takes about five minutes."""
    print("Downloads: processor time", flush=True)
    figures = _processor_time()
    print("Downloads: lives on a virtual clock", flush=True)
    lives, scale = _lives(), comparison.FULL
    kilobytes = len(answer(new_orders(PAGE))) / PAGE / 1000
    return Section(
        _figures(figures),
        f"""## Downloads

What a page of {PAGE} orders takes of a processor, from the bytes of Amazon's answer until all of its orders are
written. Ours is the code that runs: it reads the stored orders, writes new and changed ones, each on the condition that
nobody changed it meanwhile, and counts held orders, for which it judges each order that it writes. The two usual ways
(`benchmarks/usual/downloader.py`) have models of everything that the API can send, and store each order as a map. One
calls `Table.update_item` for each order. The other uses `Table.batch_writer`, 25 orders a call: that writes
unconditionally, and overwrites what it does not read, such as a person's edit, a verdict, or a newer answer. Ours could
not use it without losing those. All call the same DynamoDB in another process: a stub that answers at once, keeps
nothing and is not counted; nor are TLS, the connection to Amazon, and the checkpoint after the page. The orders are
generated, {kilobytes:.1f} KB each as JSON. Amazon's can be larger, which costs the usual ways more: ours keeps only
what it uses.

{_table_of_pages(figures)}

Median (least to most) of {ROUNDS} rounds. There is no target: most of ours is botocore's work on one conditional
write an order. Batches of conditional PartiQL statements would take less, but AWS does not document that the conditions
of the functions' roles (`dynamodb:Attributes`, `dynamodb:LeadingKeys`) hold for them.

What `make compare` lives through on a virtual clock with Amazon's quotas, seed 0: {scale.backlog.past:,} orders of
yesterday as a backlog, and {scale.live.new:,} new orders and {scale.live.updates:,} updates in
{lasting(scale.live.lasts)} ({scale.live.held} of them come without an address that Amazon has later). The table
compares our engine with python-amazon-sp-api on the Orders API v0, and with one cursor on the Orders API 2026-01-01
that is set back. [downloads.md](downloads.md) says how each is driven, and which assumptions favour which.

{_table_of_lives(lives)}
""",
    )


if __name__ == "__main__":
    print(section().text)

"""`python -m tests.integration.downloads.memory SP_API LWA`: a large account in a process of its own.

Prints the most memory that the download function's process has taken, in MiB. The tables keep no orders here, because
DynamoDB's memory is not the function's; nothing else of the function is replaced.
"""

import os
import resource
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib import import_module
from itertools import batched
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from needs_attention.amazon.client import SellingPartnerApi
from needs_attention.amazon.tokens import Credentials
from needs_attention.downloads.backdated import BackdatedDownload
from needs_attention.downloads.live import LiveDownload
from needs_attention.downloads.quota import Bucket
from needs_attention.downloads.walk import AMAZONS_MARGIN, Pace, Walk
from needs_attention.integrations.integration import Integration
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.orders.order import Hold
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.order_items import to_item
from needs_attention.tables.orders import OrderStore
from needs_attention.tables.wake_ups import WakeUpStore
from needs_attention.values import times
from tools.builders import an_amazon_order, an_order
from tools.in_memory.dynamodb import MemoryDynamoDB, Table

HELD = 30_000
MARKETPLACES = ("ATVPDKIKX0DER", "A2EUQ1WTGCTBG2", "A1AM78C64UM0Y8", "A2Q3Y263D00KWC")
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "ORDERS_TABLE": "OrdersTable",
    "INTEGRATIONS_TABLE": "IntegrationsTable",
    "WAKE_UP_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/wake-up.fifo",
    "SECRET_PREFIX": "tests/",
    "POWERTOOLS_SERVICE_NAME": "download_orders",
    "POWERTOOLS_METRICS_NAMESPACE": "tests",
    "POWERTOOLS_METRICS_DISABLED": "true",
}


class Forgetful(MemoryDynamoDB):
    """Keeps no orders; `HELD` of them are due to be asked for again, and read as they are asked for."""

    def __init__(self, now: datetime) -> None:
        super().__init__({name: Table(name) for name in ("OrdersTable", "IntegrationsTable")})
        amazon = an_amazon_order(buyer_email=None)
        hold = Hold(since=now - timedelta(minutes=3))
        order = an_order(amazon=amazon, integration="demo", hold=hold, redownload_at=now - timedelta(minutes=1))
        order = order.with_(pending_since=None, judged_at=now)
        self._held = to_item(order)

    def update_item(self, *, TableName: str, Key: Any, UpdateExpression: str, **rest: Any) -> None:  # noqa: N803
        pass

    def batch_get_item(self, *, RequestItems: Any) -> dict[str, Any]:  # noqa: N803
        if "OrdersTable" not in RequestItems:
            return super().batch_get_item(RequestItems=RequestItems)
        keys = RequestItems["OrdersTable"]["Keys"]
        return {"Responses": {"OrdersTable": [self._item(key) for key in keys if self._is_held(key)]}}

    def get_paginator(self, _: str) -> Any:
        return SimpleNamespace(paginate=self._pages)

    def _pages(self, **query: Any) -> Iterator[dict[str, Any]]:
        if query.get("IndexName") != "byDue":
            yield self.query(**query)
            return
        for some in batched(range(HELD), 1_000, strict=False):
            yield {"Items": [{"orderId": {"S": f"held-{number}"}} for number in some]}

    @staticmethod
    def _is_held(key: Any) -> bool:
        return bool(key["orderId"]["S"].startswith("held-"))

    def _item(self, key: Any) -> Any:
        amazon = self._held["amazon"]["S"]
        return self._held | key | {"amazon": {"S": amazon.replace(an_amazon_order().order_id, key["orderId"]["S"])}}


def main(sp_api: str, lwa: str) -> None:
    os.environ |= ENVIRONMENT
    app: Any = import_module("functions.download_orders.app")  # it reads the environment
    now = times.utc_now()
    dynamodb: Any = Forgetful(now)
    app.orders = OrderStore(dynamodb, "OrdersTable")
    app.downloads = DownloadStateStore(dynamodb, "IntegrationsTable")
    app.wake_ups = WakeUpStore(dynamodb, "IntegrationsTable")
    app.queue = SimpleNamespace(wake=lambda *_: None)
    credentials = Credentials("amzn1.application-oa2-client.stand-in", "amzn1.oa2-cs.v1.stand-in", "Atzr|stand-in")
    amazon = SellingPartnerApi(credentials, endpoint=sp_api, lwa_endpoint=lwa)
    app.accounts = SimpleNamespace(api_for=lambda *_: amazon)
    SettingsStore(dynamodb, "IntegrationsTable").save(
        Integration(
            integration_id="demo",
            name="Demo",
            region="NA",
            marketplace_ids=MARKETPLACES,
            registered_at=now - timedelta(days=10),
            settings=IntegrationSettings(download_pending_orders=True),
        )
    )
    start = now - timedelta(days=3)
    download = BackdatedDownload.requested(start, Pace(), by="ada", now=now)
    app.downloads.save_backdated_download("demo", download)
    # So busy that the second look is by report.
    walk = Walk(reached=now - AMAZONS_MARGIN, pace=Pace().after(10**11, timedelta(days=1)))
    plenty = Bucket.full(100, 1_000, now)
    live = LiveDownload(walk=walk, search_bucket=plenty, get_bucket=plenty, last_run_at=now)
    app.downloads.save_live_download("demo", live)
    record: Any = SimpleNamespace(body='{"integrationId": "demo"}')
    for _ in range(6):
        app.run(record)
    look = app.downloads.state("demo").reconciliation
    done = app.downloads.backdated_downloads("demo")[0]
    rows = look.report.rows if look and look.report else 0
    sys.stdout.write(f"{done.counts.orders} {rows} {most_memory()}\n")


def most_memory() -> int:
    """In MiB. On Linux, what getrusage says may be the parent's, from before this process was its own."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024**2  # bytes, on macOS
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


if __name__ == "__main__":
    main(*sys.argv[1:])

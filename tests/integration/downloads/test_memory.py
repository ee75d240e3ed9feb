"""The download function fits into its memory, however large the account."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from tools.amazon_stand_in.generator import generated
from tools.amazon_stand_in.ledger import Entry, amazon_time
from tools.amazon_stand_in.server import AmazonStandIn

ORDERS, LINES = 800, 25
MOST_MIB = 192


def test_a_large_account_takes_no_more_memory_than_a_small_lambda_has() -> None:
    """Pages of megabytes, 30,000 held orders that are due at once, and a report with a row for each line."""
    now = datetime.now(UTC)
    with AmazonStandIn(large_orders(now)) as amazon:
        for operation in ("searchOrders", "getOrder", "createReport", "getReport", "getReportDocument"):
            amazon.set_usage_plan(operation, rate=1_000, burst=1_000)
        amazon.set_reports(duration=timedelta())
        module = [sys.executable, "-m", "tests.integration.downloads.memory"]
        command = [*module, amazon.endpoint, amazon.lwa_endpoint]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        finished = subprocess.run(  # noqa: S603 - only our own code
            command, env=environment, capture_output=True, text=True, check=True
        )
    orders, rows, most = map(int, finished.stdout.split()[-3:])
    assert orders >= ORDERS
    assert rows >= ORDERS * LINES
    assert most < MOST_MIB


def large_orders(now: datetime) -> Iterator[Entry]:
    """Of the last day, with many lines each; kept small in numbers, so that the stand-in is quick."""
    for number, entry in enumerate(generated(ORDERS, now=now, shares={})):
        order = entry.order
        item = order["orderItems"][0]
        lines = [item | {"orderItemId": f"{number}-{line}"} for line in range(LINES)]
        at = amazon_time(now - timedelta(minutes=30) - number * timedelta(minutes=1))
        yield Entry.of(order | {"orderItems": lines, "createdTime": at, "lastUpdatedTime": at})

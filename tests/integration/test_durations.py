"""How long things last: the time of a run within its function's, and how long answers are remembered."""

import time
from datetime import timedelta
from typing import Any

import pytest

from tools.from_template import of_type
from tools.in_memory.api import World, an_event, app, invoke

# A call to Amazon at its slowest, and the page that it brings: a run that is over its time ends with one of these.
LAST_CALL = timedelta(seconds=100)
# Redaction finishes its page of orders before it counts the overdue ones, and finishes a count that it has begun.
LAST_ORDERS = timedelta(seconds=60)
DAY_IN_SECONDS = 86_400


@pytest.mark.parametrize(
    ("function", "resource", "rest"),
    [
        ("download_orders", "DownloadOrdersFunction", LAST_CALL),
        ("redact_orders", "RedactOrdersFunction", LAST_ORDERS),
    ],
)
def test_a_run_ends_while_its_function_still_has_time(function: str, resource: str, rest: timedelta) -> None:
    timeout = timedelta(seconds=of_type("AWS::Serverless::Function")[resource]["Timeout"])
    run_for: timedelta = app(function).RUN_FOR + getattr(app(function), "COUNT_FOR", timedelta())
    assert timedelta() < run_for <= timeout - rest


def test_a_download_runs_until_its_time_is_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[Any] = []
    downloads = app("download_orders")
    monkeypatch.setattr(downloads.Downloader, "run", lambda *_, until: ends.append(until))
    invoke("download_orders", an_event("download_orders_wake_up"))
    assert ends == [world.clock.now + downloads.RUN_FOR]


def test_redaction_runs_until_its_time_is_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[Any] = []
    redactions = app("redact_orders")

    def remove_nothing(*arguments: object) -> dict[str, Exception]:
        ends.append(arguments[-1])
        return {}

    monkeypatch.setattr(redactions, "remove_personal_data", remove_nothing)
    invoke("redact_orders", an_event("redact_orders_message"))
    assert ends == [world.clock.now + redactions.RUN_FOR]


def test_an_answer_is_remembered_for_a_day(world: World) -> None:
    order = world.download()
    before = int(time.time())
    world.call("POST", f"/orders/{order.order_id}/redownload", Idempotency_Key="monday")
    after = int(time.time())
    (item,) = world.dynamodb.scan(TableName="AnswersTable")["Items"]
    assert before <= int(item["expiration"]["N"]) - DAY_IN_SECONDS <= after

"""A release takes over from the previous one in the middle of its work, and continues from the stored items.

The same holds for a rollback: a release ignores attributes that a later release has added to the items.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import urllib3

from needs_attention.jobs.download.intake import Intake
from needs_attention.jobs.redactions import remove_personal_data
from needs_attention.orders.settings import ThreePlStatus
from needs_attention.tables.history import OrderRevision
from needs_attention.tables.order_items import order_from_item
from needs_attention.values import times
from tests.integration.stored_items import (
    CANCELLED_TOO_LATE,
    DAY,
    DISPATCHED,
    EMAIL,
    FOLDER,
    FOR_THE_WAREHOUSE,
    HELD,
    OLD,
    ORDERS,
    OVERRIDDEN,
    PENDING,
    READY,
    SNOOZED,
    TABLES,
    WITH_THE_WAREHOUSE,
    amazon_at,
    ask_with_a_key,
    downloader,
    written,
)
from tools.builders import NOON, a_raw_order
from tools.in_memory.api import CONTEXT, World, an_event, app

LONG_AFTER = {"N": str(2**40)}  # a remembered answer ends a day later by the real clock


# Objects whose members are marketplaces.
BY_MARKETPLACE = {"fields", "byMarketplace"}


def with_more(value: Any) -> Any:
    """The JSON as a later release might write it: every object has a member that nobody knows yet."""
    if isinstance(value, list):
        return [with_more(one) for one in value]
    if isinstance(value, dict):
        members = {name: one if name in BY_MARKETPLACE else with_more(one) for name, one in value.items()}
        return members | {"aLaterMember": {"of": "anything"}}
    return value


def by_a_later_release(item: dict[str, Any]) -> dict[str, Any]:
    return {name: _with_more(attribute) for name, attribute in item.items()} | {"aLaterAttribute": {"S": "anything"}}


def _with_more(attribute: dict[str, Any]) -> dict[str, Any]:
    text = attribute.get("S", "")
    return {"S": json.dumps(with_more(json.loads(text)))} if text.startswith(("{", "[")) else attribute


A_LATER_ONE = "a later release"


@pytest.fixture(scope="session", params=[*sorted(file.stem for file in FOLDER.glob("*.json")), A_LATER_ONE])
def left_behind(request: pytest.FixtureRequest) -> dict[str, list[dict[str, Any]]]:
    """The items that another release left in each table."""
    if request.param != A_LATER_ONE:
        stored: dict[str, list[dict[str, Any]]] = json.loads(Path(FOLDER, f"{request.param}.json").read_text())
        return stored
    # Remembered answers are as Powertools writes them, and history is shown as it was written, whatever the release.
    as_they_are = {"AnswersTable", "HistoryTable"}
    return {
        table: items if table in as_they_are else [by_a_later_release(item) for item in items]
        for table, items in written().items()
    }


@pytest.fixture
def taken_over(left_behind: dict[str, list[dict[str, Any]]], world: World) -> World:
    for table in TABLES:
        for item in left_behind[table]:
            lasting = {"expiration": LONG_AFTER} if "expiration" in item else {}
            world.dynamodb.put_item(TableName=table, Item=item | lasting)
    return world


def validate_all(world: World) -> Any:
    """All that waits in the stream."""
    (record, *_) = an_event("validate_orders")["Records"]
    items = world.dynamodb.scan(TableName="OrdersTable")["Items"]
    images = [record["dynamodb"] | {"NewImage": item, "SequenceNumber": item["orderId"]["S"]} for item in items]
    waiting = [image for image in images if image["NewImage"]["verdict"]["S"] == "pending"]
    return app("validate_orders").handler({"Records": [record | {"dynamodb": image} for image in waiting]}, CONTEXT)


def test_an_order_that_waits_for_its_verdict_gets_it(taken_over: World) -> None:
    assert validate_all(taken_over) == {"batchItemFailures": []}
    order = taken_over.order(PENDING)
    assert (order.is_pending, [item.field for item in order.missing]) == (False, ["email"])


def test_every_order_is_there_and_can_be_changed_and_read_as_before(taken_over: World) -> None:
    found = taken_over.call("GET", "/orders", query={"orderIds": ",".join(ORDERS)}).body["orders"]
    assert [order["orderId"] for order in found] == list(ORDERS)
    for order_id in ORDERS:
        assert taken_over.call("GET", f"/orders/{order_id}").status == 200
        (change, *_) = taken_over.call("GET", f"/orders/{order_id}/history").body["changes"]
        assert change["revision"] == taken_over.order(order_id).revision
    assert taken_over.call("GET", "/summary").body["held"] == 3


def test_people_finish_the_work_that_they_began(taken_over: World) -> None:
    etag = taken_over.call("GET", f"/orders/{READY}").headers["ETag"]
    released = taken_over.call("POST", f"/orders/{READY}/release", {}, role="editor", If_Match=etag)
    assert (released.status, released.body["stage"], released.body["comment"]) == (200, "New", "Asked the buyer")
    filled = taken_over.call("PATCH", f"/orders/{HELD}", {**EMAIL, "stage": "Packing"}, role="editor")
    assert (filled.status, filled.body["stage"], filled.body["missing"]) == (200, "Packing", [])


def test_a_freeze_outlasts_the_upgrade_until_somebody_ends_it(taken_over: World) -> None:
    refused = taken_over.call("POST", f"/orders/{FOR_THE_WAREHOUSE}/acknowledge", role="warehouse")
    assert (refused.status, refused.body["code"]) == (409, "frozen")
    taken_over.call("DELETE", "/freeze")
    assert taken_over.call("POST", f"/orders/{FOR_THE_WAREHOUSE}/acknowledge", role="warehouse").status == 200


def test_the_warehouse_goes_on_with_what_it_has(taken_over: World) -> None:
    assert taken_over.call("POST", f"/orders/{WITH_THE_WAREHOUSE}/picked", role="warehouse").status == 200


def test_a_cancellation_of_an_order_at_the_warehouse_is_told_loudly(taken_over: World) -> None:
    order = taken_over.order(CANCELLED_TOO_LATE)
    cancelled = order.amazon.model_copy(update={"fulfillment_status": "CANCELLED"})
    waiting = order.with_(amazon=cancelled, pending_since=NOON)
    taken_over.orders.save(order, waiting, by="amazon", at=NOON, cause="download")
    validate_all(taken_over)
    assert "CancelledAfterHandOver" in taken_over.order(CANCELLED_TOO_LATE).alerts


def test_the_clock_ends_snoozes_redacts_and_judges_again(taken_over: World) -> None:
    taken_over.change_integration(is_paused=True)
    taken_over.clock.advance(DAY)
    with amazon_at(taken_over.clock) as amazon, urllib3.PoolManager() as http:
        downloader(taken_over, amazon, http).run("acme-na", until=taken_over.clock.now + DAY)
    remove_personal_data(
        taken_over.orders, taken_over.integrations, taken_over.downloads, taken_over.clock, taken_over.clock.now + DAY
    )
    snoozed = taken_over.order(SNOOZED)
    assert snoozed.hold is not None
    assert snoozed.hold.kind == "missing"
    assert taken_over.order(OLD).redacted_at
    rejudgement = taken_over.call("GET", "/integrations/acme-na/rejudgement").body
    assert rejudgement["finishedAt"]
    assert taken_over.order(DISPATCHED).three_pl_status is ThreePlStatus.NOW


def test_a_download_that_was_under_way_goes_on_from_where_it_stood(taken_over: World) -> None:
    (before,) = taken_over.downloads.backdated_downloads("demo")
    assert before.counts.pages == 3
    with amazon_at(taken_over.clock) as amazon, urllib3.PoolManager() as http:
        ledger = {entry.order_id for entry in amazon.orders() if "PENDING" not in str(entry.order["fulfillment"])}
        for _ in range(30):
            taken_over.clock.advance(DAY / 24)
            downloader(taken_over, amazon, http).run("demo", until=taken_over.clock.now + DAY)
    (after,) = taken_over.downloads.backdated_downloads("demo")
    assert (after.status, after.started_at) == ("finished", before.started_at)
    assert after.counts.pages > before.counts.pages
    assert taken_over.orders.get_many(ledger).keys() == ledger
    assert validate_all(taken_over) == {"batchItemFailures": []}


def test_a_request_repeated_after_the_upgrade_is_answered_as_before(taken_over: World) -> None:
    revision = taken_over.order(OVERRIDDEN).revision
    again = ask_with_a_key(taken_over)
    assert (again.status, again.headers["Idempotency-Replayed"], again.body["revision"]) == (200, "true", revision)
    assert taken_over.order(OVERRIDDEN).revision == revision


def test_a_download_that_brings_an_order_again_keeps_what_was_typed(taken_over: World) -> None:
    integration = taken_over.integrations.get("acme-na")
    assert integration is not None
    raw = a_raw_order(orderId=READY, lastUpdatedTime=times.instant(NOON), buyer={"buyerEmail": None})
    Intake(taken_over.orders, taken_over.downloads).take(
        integration, [raw], cause="download", request_id=None, now=NOON
    )
    validate_all(taken_over)
    order = taken_over.order(READY)
    assert order.edits.email == EMAIL["email"]


def test_how_the_connection_stands_is_known(taken_over: World) -> None:
    health = taken_over.call("GET", "/integrations/acme-na").body["health"]
    assert [incident["code"] for incident in health["incidents"]] == ["amazonUnavailable"]
    assert [aside["orderId"] for aside in health["setAside"]] == ["701-spoilt"]
    assert [one.order_id for one in taken_over.downloads.due_redownloads("acme-na", "requested", NOON)] == [HELD]
    assert taken_over.downloads.subscribers("a-subscription") == ("acme-na",)
    assert [stage["name"] for stage in taken_over.call("GET", "/stages").body["stages"]][-1] == "Packing"


def test_changes_that_wait_in_the_stream_are_told(taken_over: World) -> None:
    for item in taken_over.dynamodb.scan(TableName="OrdersTable")["Items"]:
        told, order = OrderRevision.from_image(item), order_from_item(item)
        assert (told.summary.revision, told.last_change) == (order.revision, order.last_change)

"""A release takes over from the previous one in the middle of its work, and continues from the stored items.

The same holds for a rollback: a release ignores attributes that a later release has added to the items.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import urllib3

from needs_attention.jobs.download.intake import Intake
from needs_attention.orders import gate
from needs_attention.orders.amazon_order import Address
from needs_attention.orders.amazon_update import downloaded
from needs_attention.orders.order import Order
from needs_attention.orders.settings import NEEDS_ATTENTION, Settings, ThreePlStatus
from needs_attention.tables.history import OrderRevision
from needs_attention.tables.order_items import order_from_item, to_item
from needs_attention.tables.orders import count_overdue
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
from tools.builders import NOON, a_judged_order, a_raw_order, an_address, an_amazon_order
from tools.in_memory.api import CONTEXT, DocumentedWorld, World, an_event, app

LONG_AFTER = {"N": str(2**40)}  # a remembered answer ends a day later by the real clock


# Objects whose members are marketplaces, or places of an order.
BY_NAME = {"fields", "byMarketplace", "settled"}


def with_more(value: Any) -> Any:
    """The JSON as a later release might write it: every object has a member that nobody knows yet."""
    if isinstance(value, list):
        return [with_more(one) for one in value]
    if isinstance(value, dict):
        members = {name: one if name in BY_NAME else with_more(one) for name, one in value.items()}
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
    taken_over.redact()
    snoozed = taken_over.order(SNOOZED)
    assert (snoozed.decisions.hold, snoozed.held and snoozed.held.kind) == (None, "missing")
    assert not taken_over.order(OLD).redacted_at  # the releases before counted from its delivery, though it is unsent
    rejudgement = taken_over.call("GET", "/integrations/acme-na/rejudgement").body
    assert rejudgement["finishedAt"]
    assert taken_over.order(DISPATCHED).three_pl_status is ThreePlStatus.NOW
    assert count_overdue(taken_over.orders, "acme-na", taken_over.clock.now + DAY) == 0
    taken_over.clock.advance(32 * DAY)
    taken_over.redact()
    assert taken_over.order(OLD).redacted_at


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


def test_a_request_repeated_after_the_upgrade_is_answered_as_before(
    taken_over: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DocumentedWorld, "call_as", World.call_as)  # the answer is as the release then documented it
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


# Orders in the form of the release before, where the form of now differs ----------------------------------------------

ORDER_ID = "701-1111111-1111111"
OF_NOW = {"decisions", "granted", "verdictHold", "news", "parcel", "closedAlerts", "apartUntil"}
PORTLAND = {
    "addressLine1": "12 Harbor Street",
    "city": "Portland",
    "stateOrRegion": "OR",
    "postalCode": "97209",
    "countryCode": "US",
}
IN_SALEM = {"deliveryAddress": PORTLAND | {"city": "Salem"}, "amazonThen": {"deliveryAddress": PORTLAND}}


def left_by_the_release_before(world: World, order: Order, **attributes: object) -> None:
    """The order as that release stores it; `attributes` are JSON, texts, or None for one that is not there."""
    item = {name: value for name, value in to_item(order.with_(revision=1)).items() if name not in OF_NOW}
    for name, value in attributes.items():
        item.pop(name, None)
        if value is not None:
            item[name] = {"S": value if isinstance(value, str) else json.dumps(value)}
    world.dynamodb.put_item(TableName="OrdersTable", Item=item)


def the_stream_judges(world: World, **amazon: Any) -> Order:
    """Amazon's next version comes in, and validation judges it under its role."""
    order = world.order()
    sent = order.amazon.model_copy(update={"updated_at": NOON, **amazon})
    after = downloaded(order, sent, order.integration, Settings(), NOON)
    assert after is not None
    world.orders.save(order, after, by="amazon", at=NOON, cause="download")
    validate_all(world)
    return world.order()


def test_an_address_typed_before_is_an_edit_of_the_parts_that_differ(world: World) -> None:
    left_by_the_release_before(world, a_judged_order(), edits=IN_SALEM)
    assert world.order().edits.delivery_address == Address(city="Salem")
    assert world.call("GET", f"/orders/{ORDER_ID}").body["deliveryAddress"] == PORTLAND | {"city": "Salem"}


def test_a_verdict_leaves_what_was_typed_before_as_it_was_read(world: World) -> None:
    left_by_the_release_before(world, a_judged_order(), edits=IN_SALEM)
    before = world.order().edits
    judged_again = the_stream_judges(world, buyer_company_name="Quill Works")
    assert (judged_again.edits, judged_again.is_held, judged_again.alerts) == (before, False, ())
    moved = the_stream_judges(world, delivery_address=an_address(line1="1 Quay"))
    shown = world.call("GET", f"/orders/{ORDER_ID}").body["deliveryAddress"]
    assert (shown["addressLine1"], shown["city"], moved.is_held) == ("1 Quay", "Salem", False)


def test_an_edit_of_now_over_one_of_before_keeps_both(world: World) -> None:
    left_by_the_release_before(world, a_judged_order(), edits=IN_SALEM)
    world.call("PATCH", f"/orders/{ORDER_ID}", {"email": "typed@b.example.com"}, role="editor")
    edits = world.order().edits
    assert (edits.delivery_address, edits.email) == (Address(city="Salem"), "typed@b.example.com")


@pytest.mark.parametrize(
    "answer",
    [
        {"accepted": [{"field": "buyerRequestedCancel", "reason": "asked"}]},
        {"edits": {"confirmed": ["buyerRequestedCancel"]}},
    ],
)
def test_a_request_to_cancel_that_was_answered_before_stays_so(world: World, answer: dict[str, object]) -> None:
    order = a_judged_order(an_amazon_order(cancel_requested_by_buyer=True), hold=None, stage="new")
    left_by_the_release_before(world, order, missing=None, hold=None, **answer)
    for company in ("One", "Two"):
        assert the_stream_judges(world, buyer_company_name=company).is_held is False
    taken_back = world.call("PATCH", f"/orders/{ORDER_ID}", {"confirmed": []}, role="editor").body
    assert (taken_back["hold"], taken_back["missing"]) == ("missing", ["buyerRequestedCancel"])
    assert the_stream_judges(world, buyer_company_name="Three").is_held is True


def test_a_hold_by_hand_of_before_ends_only_by_a_persons_word(world: World) -> None:
    on_hold = a_judged_order(stage=NEEDS_ATTENTION, three_pl_status=ThreePlStatus.DO_NOT_TRANSFER)
    left_by_the_release_before(world, on_hold, hold={"kind": "manual", "since": times.instant(NOON)})
    for company in ("One", "Two"):
        assert the_stream_judges(world, buyer_company_name=company).held == ("manual", NOON, None)
    released = world.call("POST", f"/orders/{ORDER_ID}/release", {}, role="editor").body
    assert (released["hold"], released["stage"]) == (None, "New")


def test_a_repaired_order_of_before_still_waits_for_its_release(world: World) -> None:
    held = a_judged_order(an_amazon_order(buyer_email=None))
    repaired = {"edits": {"email": "typed@b.example.com"}, "missing": None}
    left_by_the_release_before(world, held, hold={"kind": "missing", "since": times.instant(NOON)}, **repaired)
    for company in ("One", "Two", "Three"):
        waiting = the_stream_judges(world, buyer_company_name=company)
        assert (waiting.is_ready_to_release, waiting.is_fulfillable) == (True, False)


def test_a_snooze_of_before_outlasts_verdicts_until_its_date(world: World) -> None:
    held = a_judged_order(an_amazon_order(buyer_email=None))
    until = times.instant(NOON + DAY)
    left_by_the_release_before(world, held, hold={"kind": "snoozed", "since": times.instant(NOON), "until": until})
    for company in ("One", "Two"):
        assert the_stream_judges(world, buyer_company_name=company).held == ("snoozed", NOON, NOON + DAY)
    awake = gate.end_snooze(world.order(), Settings(), NOON + DAY)
    assert (awake.held and awake.held.kind, [item.field for item in awake.missing]) == ("missing", ["email"])


def test_a_hold_that_the_release_before_ended_after_a_rollback_is_ended(world: World) -> None:
    world.download()
    world.call("PATCH", f"/orders/{ORDER_ID}", {"stage": "Needs Attention"}, role="editor")
    rolled_back = to_item(world.order().with_(revision=3, stage="new")) | {"apartUntil": {"N": "2"}}
    rolled_back.pop("hold")  # all that it knows of the hold
    world.dynamodb.put_item(TableName="OrdersTable", Item=rolled_back)
    for company in ("One", "Two"):
        assert the_stream_judges(world, buyer_company_name=company).is_held is False


@pytest.mark.parametrize(
    ("shown", "decisions"),
    [
        ({}, {}),
        ({"stage": "packing"}, {"stage": "packing"}),
        ({"threePlStatus": "Transfer to 3PL Now"}, {"threePlStatus": "Transfer to 3PL Now"}),
        ({"threePlStatus": "Do Not Transfer to 3PL"}, {"threePlStatus": "Do Not Transfer to 3PL"}),
        (
            {"fullyDispatchedAt": times.instant(NOON), "dispatchedBy": "person"},
            {"fullyDispatched": times.instant(NOON)},
        ),
    ],
)
def test_what_an_order_showed_before_beside_the_defaults_people_decided(
    world: World, shown: dict[str, str], decisions: dict[str, str]
) -> None:
    left_by_the_release_before(world, a_judged_order(), **shown)
    the_stream_judges(world, buyer_company_name="Quill Works")
    order = world.call("GET", f"/orders/{ORDER_ID}").body
    made = order["decisions"]
    values = {
        "stage": made["stage"] and made["stage"]["stage"],
        "threePlStatus": made["threePlStatus"] and made["threePlStatus"]["threePlStatus"],
        "fullyDispatched": made["fullyDispatched"] and made["fullyDispatched"]["sentAt"],
    }
    assert {name: value for name, value in values.items() if value} == decisions
    assert order["threePlStatus"] == shown.get("threePlStatus", "Transfer to 3PL Upon Completion")
    assert {one["by"] for one in made.values() if one} <= {"before this release"}

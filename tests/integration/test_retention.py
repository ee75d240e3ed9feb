"""Removal of personal data on request, the removals that are due, and the proof of past ones."""

from datetime import timedelta
from typing import Any

import pytest

from needs_attention.api.cursors import cursor_at
from needs_attention.orders import gate
from needs_attention.orders.erasure import PageErased
from needs_attention.orders.order import REDACTION_AGE, Order
from needs_attention.orders.settings import Settings, ThreePlStatus
from needs_attention.values.times import instant
from tools.builders import DELIVER_BY, NOON
from tools.in_memory.api import Answer, World, found_at

FIRST, SECOND, THIRD = "701-1111111-1111111", "701-2222222-2222222", "701-3333333-3333333"
REQUEST = {"reference": "GR-2041"}
PERSONAL = ("firstName", "lastName", "company", "email", "deliveryAddress", "billingName", "billingAddress")
DAY = timedelta(days=1)
BY_ADMINISTRATOR = {"by": "administrator@example.com", "why": "request", "reference": "GR-2041"}


def erase(world: World, body: Any = REQUEST, order_id: str = FIRST, **more: Any) -> Answer:
    return world.call("POST", f"/orders/{order_id}/erase", body, **more)


def a_dispatched(world: World, order_id: str = FIRST, **fields: Any) -> Order:
    world.download(order_id=order_id, **fields)
    assert world.call("PATCH", f"/orders/{order_id}", {"fullyDispatched": True}).status == 200
    return world.order(order_id)


# One order, on request ------------------------------------------------------------------------------------------------


def test_an_order_that_was_sent_is_erased_at_once(world: World) -> None:
    before = a_dispatched(world)
    answer = erase(world)
    assert (answer.status, answer.body["revision"], answer.body["warnings"]) == (200, before.revision + 1, [])
    assert {field: answer.body[field] for field in PERSONAL} == dict.fromkeys(PERSONAL)
    assert (answer.body["redactedAt"], answer.body["redaction"]) == (instant(NOON), BY_ADMINISTRATOR)
    change = world.order().last_change
    assert change is not None
    assert (change.by, change.cause, change.events) == ("administrator@example.com", "erasure", ("OrderRedacted",))


def test_an_order_that_is_still_to_be_sent_is_not_erased_by_mistake(world: World) -> None:
    before = world.download(buyer_email=None)
    answer = erase(world)
    assert (answer.status, answer.body["code"]) == (409, "unsent")
    assert world.order() == before


def test_an_erased_order_that_was_to_be_sent_is_neither_held_nor_sent(world: World) -> None:
    world.download(buyer_email=None)
    answer = erase(world, {**REQUEST, "evenIfUnsent": True})
    assert [warning["code"] for warning in answer.body["warnings"]] == ["cannotBeSent"]
    assert (answer.body["hold"], answer.body["stage"], answer.body["threePlStatus"]) == (
        None,
        "New",
        ThreePlStatus.DO_NOT_TRANSFER,
    )
    wishes: list[dict[str, Any]] = [
        {"fullyDispatched": True},
        {"threePlStatus": ThreePlStatus.NOW},
        {"stage": "Needs Attention"},
        {"email": "typed@b.example.com"},
    ]
    for wish in wishes:
        refusal = world.call("PATCH", f"/orders/{FIRST}", wish)
        assert (refusal.status, refusal.body["code"]) == (409, "redacted"), wish
    assert world.call("GET", "/orders", query={"stage": "Needs Attention"}).body["orders"] == []


def test_an_order_that_is_erased_again_stays_as_it_is(world: World) -> None:
    a_dispatched(world)
    first = erase(world)
    again = erase(world, {"reference": "GR-9999", "evenIfUnsent": True})
    assert (again.status, again.body) == (200, first.body)


def test_an_erasure_on_an_outdated_state_is_refused(world: World) -> None:
    order = a_dispatched(world)
    answer = erase(world, If_Match=f'"{order.revision - 1}"')
    assert (answer.status, world.order()) == (412, order)


def test_an_order_that_is_not_there_cannot_be_erased(world: World) -> None:
    assert erase(world, order_id="none").status == 404


@pytest.mark.parametrize(
    "reference", ["", "Ada", "Ada Quill 7", "ada7@marketplace.example.com", "7" * 41, "№ 7", 7, None]
)
def test_a_reference_is_a_number_and_neither_a_name_nor_an_email(world: World, reference: Any) -> None:
    order = a_dispatched(world)
    answer = erase(world, {"reference": reference})
    assert (answer.status, list(answer.codes)) == (422, ["reference"])
    assert world.order() == order


def test_the_list_shows_that_an_order_was_redacted(world: World) -> None:
    a_dispatched(world)
    a_dispatched(world, SECOND)
    erase(world)
    rows = world.call("GET", "/orders").body["orders"]
    assert {row["orderId"]: row["redactedAt"] for row in rows} == {FIRST: instant(NOON), SECOND: None}


# The proof ------------------------------------------------------------------------------------------------------------


def redactions(world: World, integration: str = "acme-na", **query: Any) -> Any:
    return world.call("GET", f"/integrations/{integration}/redactions", role="reader", query=query).body


def redact(world: World, order_id: str) -> None:
    order = world.download(order_id=order_id)
    now = world.clock.now
    world.orders.save(order, gate.redact(order, Settings(), now), by="clock", at=now, cause="redaction")


def test_the_proof_names_order_time_author_and_reason_newest_first(world: World) -> None:
    redact(world, SECOND)
    world.clock.advance(DAY)
    a_dispatched(world)
    erase(world)
    world.download(order_id=THIRD)
    by_the_clock = {"by": "clock", "why": "retention", "reference": None}
    assert redactions(world) == {
        "redactions": [
            {"orderId": FIRST, "at": instant(NOON + DAY), **BY_ADMINISTRATOR},
            {"orderId": SECOND, "at": instant(NOON), **by_the_clock},
        ],
        "nextCursor": None,
    }


def test_the_proof_is_of_a_span_of_time_and_read_page_by_page(world: World) -> None:
    ids = [f"701-{number:07}-0000000" for number in range(5)]
    for order_id in ids:
        redact(world, order_id)
        world.clock.advance(DAY)
    span: dict[str, Any] = {"after": NOON + DAY, "before": NOON + 4 * DAY, "limit": 2}
    first = redactions(world, **span)
    second = redactions(world, **span, cursor=first["nextCursor"])
    pages = [[one["orderId"] for one in page["redactions"]] for page in (first, second)]
    assert (pages, second["nextCursor"]) == ([[ids[3], ids[2]], [ids[1]]], None)


def test_a_cursor_of_another_list_is_refused(world: World) -> None:
    world.register("other")
    for order_id in (FIRST, SECOND):
        redact(world, order_id)
    cursor = redactions(world, limit=1)["nextCursor"]
    others: dict[str, dict[str, Any]] = {"acme-na": {"after": NOON - DAY}, "other": {}}
    for integration, query in others.items():
        path = f"/integrations/{integration}/redactions"
        answer = world.call("GET", path, query=query | {"cursor": cursor})
        assert (answer.status, answer.body["code"]) == (400, "invalidCursor")


@pytest.mark.parametrize("position", ["nonsense", "2026-11-23T12:00:00.000Z#", "1999-11-23T12:00:00.000Z#701-1"])
def test_a_forged_cursor_is_refused(world: World, position: str) -> None:
    span = (NOON, NOON + DAY)
    cursor = cursor_at(position, f"redactions acme-na {instant(span[0])} {instant(span[1])}")
    query = {"cursor": cursor, "after": span[0], "before": span[1]}
    answer = world.call("GET", "/integrations/acme-na/redactions", query=query)
    assert (answer.status, answer.body["code"]) == (400, "invalidCursor")


def test_a_span_that_ends_before_it_begins_is_refused(world: World) -> None:
    answer = world.call("GET", "/integrations/acme-na/redactions", query={"after": NOON, "before": NOON})
    assert (answer.status, answer.codes) == (400, {"before": "notLater"})


def test_the_proof_outlives_the_integration(world: World) -> None:
    redact(world, FIRST)
    world.change_integration(deleted_at=NOON)
    assert [one["orderId"] for one in redactions(world)["redactions"]] == [FIRST]
    assert world.call("GET", "/integrations/none/redactions").status == 404


# Due removals ---------------------------------------------------------------------------------------------------------


def due(world: World) -> dict[str, Any]:
    answer = world.call("GET", "/retention", role="reader")
    return {one.pop("integration"): one for one in answer.body["integrations"]}


def delivered(before: timedelta) -> Any:
    """An order whose personal data was due for removal this long ago."""
    return NOON - before - REDACTION_AGE


def test_the_report_says_what_is_due_what_is_overdue_and_what_will_be(world: World) -> None:
    world.register("gone", deleted_at=NOON)
    for number, before in enumerate((3 * DAY, DAY, DAY / 2, -DAY, -6.9 * DAY, -7.1 * DAY)):
        order = world.download(order_id=f"701-{number}")
        sent = {"fulfillment_status": "SHIPPED", "deliver_by_earliest": delivered(before)}
        late = order.amazon.model_copy(update={**sent, "created_at": NOON - 60 * DAY})
        world.orders.save(order, order.with_(amazon=late), by="amazon", at=NOON, cause="download")
    nothing: dict[str, Any] = {
        "due": 0,
        "overdue": 0,
        "dueWithinSevenDays": 0,
        "oldestDueAt": None,
        "unsent": [],
        "isTruncated": False,
    }
    assert due(world) == {
        "acme-na": {
            "due": 3,
            "overdue": 2,
            "dueWithinSevenDays": 2,
            "oldestDueAt": instant(NOON - 3 * DAY),
            "unsent": [],
            "isTruncated": False,
        },
        "gone": nothing,
    }


def test_the_report_names_unsent_orders_from_their_ship_by_on(world: World) -> None:
    for number, ship_by in enumerate((-1 * DAY, -29 * DAY, DAY, -31 * DAY)):
        world.download(order_id=f"701-{number}", ship_by=NOON + ship_by)
    sent = world.download(order_id="701-9", ship_by=NOON - DAY, fulfillment_status="SHIPPED")
    assert sent.redact_at is not None
    assert due(world)["acme-na"]["unsent"] == [
        {"orderId": "701-3", "redactAt": instant(NOON - DAY)},
        {"orderId": "701-1", "redactAt": instant(NOON + DAY)},
        {"orderId": "701-0", "redactAt": instant(NOON + 29 * DAY)},
    ]
    assert due(world)["acme-na"]["due"] == 1
    world.call("POST", "/orders/701-0/release", None)
    world.call("PATCH", "/orders/701-0", {"fullyDispatched": True})  # it waits for the warehouse
    world.call("PATCH", "/orders/701-1", {"fullyDispatched": True, "threePlStatus": "Do Not Transfer to 3PL"})
    assert [one["orderId"] for one in due(world)["acme-na"]["unsent"]] == ["701-3", "701-0"]


def test_the_clock_removes_what_is_due_of_sent_and_unsent_orders_alike(world: World) -> None:
    world.download(order_id="701-0", ship_by=NOON - 31 * DAY)
    world.download(order_id="701-1", ship_by=NOON + 300 * DAY)
    world.download(order_id="701-2", ship_by=NOON - 60 * DAY, fulfillment_status="SHIPPED", **DELIVERED_LONG_AGO)
    assert redacted(world) == {"701-0", "701-2"}
    world.clock.advance(329 * DAY)
    assert redacted(world) == {"701-0", "701-2"}
    world.clock.advance(DAY + timedelta(seconds=1))
    assert redacted(world) == {"701-0", "701-1", "701-2"}


def test_an_order_that_an_earlier_release_counted_otherwise_is_put_right(world: World) -> None:
    order = world.download(ship_by=NOON + 100 * DAY)
    world.dynamodb.update_item(
        TableName="OrdersTable",
        Key={"orderId": {"S": order.order_id}},
        UpdateExpression="SET #key = :key",
        ExpressionAttributeNames={"#key": "redactionKey"},
        ExpressionAttributeValues={":key": {"S": f"due#{instant(NOON - 2 * DAY)}#{order.order_id}"}},
    )
    assert due(world)["acme-na"]["overdue"] == 1
    assert redacted(world) == set()
    assert due(world)["acme-na"]["overdue"] == 0
    world.clock.advance(131 * DAY)
    assert redacted(world) == {order.order_id}


DELIVERED_LONG_AGO: Any = {"created_at": NOON - 60 * DAY, "deliver_by_earliest": NOON - 27 * DAY}


def redacted(world: World) -> set[str]:
    """The orders without personal data, once the clock has done its work."""
    world.redact()
    every = world.dynamodb.scan(TableName="OrdersTable")["Items"]
    return {item["orderId"]["S"] for item in every if "redactedAt" in item}


def test_the_report_stops_counting_and_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("needs_attention.tables.orders.MOST_REDACTIONS_COUNTED", 2)
    world.clock.now = DELIVER_BY + REDACTION_AGE - DAY
    for number in range(3):
        world.download(order_id=f"701-{number}", fulfillment_status="SHIPPED", deliver_by_earliest=DELIVER_BY)
    counted = due(world)["acme-na"]
    assert (counted["dueWithinSevenDays"], counted["isTruncated"]) == (2, True)
    monkeypatch.setattr("needs_attention.tables.orders.MOST_REDACTIONS_COUNTED", 3)
    counted = due(world)["acme-na"]
    assert (counted["dueWithinSevenDays"], counted["isTruncated"]) == (3, False)


# A buyer, on request --------------------------------------------------------------------------------------------------

BUYER = {"reference": "GR-2042", "buyerEmail": "ada@marketplace.example.com"}


def erase_buyer(world: World, body: Any = BUYER, **more: Any) -> Answer:
    return world.call("POST", "/erasures", body, **more)


def test_the_erasure_of_a_buyer_covers_all_integrations_even_removed_ones(world: World) -> None:
    world.register("gone", deleted_at=NOON)
    answer = erase_buyer(world)
    none: dict[str, Any] = {
        f"{kind}{of}": value for kind in ("erased", "unsent", "unreadable") for of, value in (("", []), ("Count", 0))
    }
    part = {"orders": 0, **none, "finishedAt": None}
    assert answer.status == 202
    assert {name: answer.body[name] for name in ("reference", "requestedBy", "requestedAt", "evenIfUnsent")} == {
        "reference": "GR-2042",
        "requestedBy": "administrator@example.com",
        "requestedAt": instant(NOON),
        "evenIfUnsent": False,
    }
    assert answer.body["integrations"] == [{"integration": one, **part} for one in ("acme-na", "gone")]
    location = found_at(answer.headers["Location"], "/erasures")
    assert location == f"/erasures/{answer.body['erasureId']}"
    assert world.call("GET", location, role="reader").body == answer.body


def test_the_erasure_of_a_buyer_may_be_of_one_integration(world: World) -> None:
    world.register("other")
    answer = erase_buyer(world, BUYER | {"integration": "other"})
    assert [one["integration"] for one in answer.body["integrations"]] == ["other"]


def test_an_erasure_is_finished_when_every_integration_is_through(world: World) -> None:
    world.register("other")
    made = erase_buyer(world).body
    finished = NOON + DAY
    for one in ("acme-na", "other"):
        assert world.call("GET", f"/erasures/{made['erasureId']}").body["finishedAt"] is None
        (under_way,) = world.downloads.erasures_under_way(one)
        through = under_way.erasure.after_page(PageErased(7, [FIRST], [SECOND]), None, finished)
        assert world.downloads.save_progress(one, under_way, through)
    shown = world.call("GET", f"/erasures/{made['erasureId']}").body
    assert shown["finishedAt"] == instant(finished)
    assert shown["integrations"][0]["erased"] == [FIRST]
    assert shown["integrations"][1]["unsent"] == [SECOND]


def test_no_table_and_no_answer_holds_the_email_of_a_buyer_being_erased(world: World) -> None:
    answer = erase_buyer(world, Idempotency_Key="monday")
    again = erase_buyer(world, Idempotency_Key="monday")
    assert again.body == answer.body
    tables = ("IntegrationsTable", "AnswersTable")
    items = [world.dynamodb.scan(TableName=table)["Items"] for table in tables]
    assert "@marketplace" not in str([items, answer, again])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"buyerEmail": "Ada Quill"}, "buyerEmail"),
        ({"buyerEmail": ""}, "buyerEmail"),
        ({"buyerEmail": "a@b@example.com"}, "buyerEmail"),
        ({"buyerEmail": None}, "buyerEmail"),
        ({"reference": "ada@marketplace.example.com"}, "reference"),
        ({"integration": "nobody"}, "integration"),
    ],
)
def test_an_erasure_of_nobody_is_refused(world: World, change: dict[str, Any], field: str) -> None:
    answer = erase_buyer(world, BUYER | change)
    assert (answer.status, list(answer.codes)) == (422, [field])
    assert world.downloads.erasures_under_way("acme-na") == ()


def test_of_more_than_a_hundred_integrations_one_must_be_named(world: World) -> None:
    for number in range(98):
        world.register(f"shop-{number}")
    world.register("other")
    assert len(erase_buyer(world).body["integrations"]) == 100
    world.register("one-more")
    assert erase_buyer(world).codes == {"integration": "integrationNeeded"}
    assert erase_buyer(world, BUYER | {"integration": "other"}).status == 202


@pytest.mark.parametrize("erasure_id", ["none", "x" * 1024, "x" * 3000])
def test_an_erasure_that_is_not_there_is_not_found(world: World, erasure_id: str) -> None:
    assert world.call("GET", f"/erasures/{erasure_id}").status == 404

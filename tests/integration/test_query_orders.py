"""Finding orders: filters, order, pages, the whole order, its history, and what each role may see."""

import base64
import csv
import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from needs_attention.api.orders import list as order_list
from needs_attention.api.orders.filters import Filters, OrderFilters
from needs_attention.integrations.incidents import Incident, Incidents
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.integrations.wording import CONNECTION_AT_FAULT
from needs_attention.orders import gate
from needs_attention.orders.order import LastChange, Order
from needs_attention.orders.settings import NEEDS_ATTENTION, Settings, ThreePlStatus
from needs_attention.orders.summary import Summary
from needs_attention.orders.verdict import judged
from needs_attention.tables.history import HistoryStore, OrderRevision
from needs_attention.values.times import instant
from tools.builders import (
    CREATED,
    NOON,
    SHIP_BY,
    a_line,
    after_amazons_answer,
    an_address,
    an_amazon_order,
    an_order,
    decided,
    downloaded_again,
)
from tools.in_memory.api import World

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
FIRST, SECOND, THIRD = "701-0000001-0000001", "701-0000002-0000002", "701-0000003-0000003"
FOURTH = "701-0000004-0000004"


def found(world: World, role: str = "reader", **query: Any) -> list[str]:
    """The IDs that a list answers, which must be all on one page."""
    answer = world.call("GET", "/orders", role=role, query=query)
    assert answer.status == 200, answer.body
    assert answer.body["nextCursor"] is None
    return [order["orderId"] for order in answer.body["orders"]]


def pages(world: World, **query: object) -> list[list[str]]:
    """The IDs on each page, from the first to the last."""
    ids, cursor = [], None
    while True:
        answer = world.call("GET", "/orders", role="reader", query=query | ({"cursor": cursor} if cursor else {}))
        assert answer.status == 200, answer.body
        ids.append([order["orderId"] for order in answer.body["orders"]])
        cursor = answer.body["nextCursor"]
        if cursor is None:
            return ids


def a_transferable(world: World, order_id: str = FIRST, **fields: Any) -> Order:
    """An order that the warehouse may take."""
    chosen = decided(three_pl_status=ThreePlStatus.NOW)
    order = an_order(an_amazon_order(order_id=order_id, **fields), decisions=chosen)
    return world.store(judged(order, Settings(), NOON))


def a_repaired(world: World, order_id: str) -> None:
    """A held order into which a person typed what was missing."""
    order = world.download(order_id=order_id, buyer_email=None)
    edited = gate.edit(order, {"email": "typed@b.example.com"}, None, Settings(), NOON)
    world.orders.save(order, edited, by="somebody", at=NOON, cause="edit")


# Which orders are found -----------------------------------------------------------------------------------------------


def test_needs_attention_finds_exactly_the_held_orders_with_what_they_lack(world: World) -> None:
    world.download(order_id=FIRST)
    world.download(order_id=SECOND, buyer_email=None, recipient_name=None, buyer_name=None)
    answer = world.call("GET", "/orders", role="reader", query={"stage": "Needs Attention"})
    assert [order["orderId"] for order in answer.body["orders"]] == [SECOND]
    assert answer.body["orders"][0]["missing"] == ["firstName", "lastName", "email"]
    assert answer.body["nextCursor"] is None


def test_a_row_shows_where_the_order_stands_and_no_personal_data(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    row = world.call("GET", "/orders", role="reader").body["orders"][0]
    assert row == {
        "orderId": FIRST,
        "integration": "acme-na",
        "stage": "Needs Attention",
        "status": "Open",
        "threePlStatus": "Do Not Transfer to 3PL",
        "verdict": "judged",
        "missing": ["email"],
        "hold": "missing",
        "heldAt": "2026-11-23T12:00:00.000Z",
        "readyToRelease": False,
        "fulfillable": False,
        "blockedBy": ["held"],
        "goingNowhere": False,
        "stopped": None,
        "cameBackFrom": None,
        "createdAt": "2026-11-23T10:00:00.000Z",
        "updatedAt": "2026-11-23T10:00:00.000Z",
        "shipBy": "2026-11-25T12:00:00.000Z",
        "marketplace": "ATVPDKIKX0DER",
        "fulfilledBy": "MERCHANT",
        "fulfillmentStatus": "UNSHIPPED",
        "fullyDispatchedAt": None,
        "dispatchedBy": None,
        "alerts": [],
        "flags": [],
        "incident": None,
        "shipByState": "onTrack",
        "queue": "waitingForAmazon",
        "redownloadAt": "2026-11-23T12:02:00.000Z",
        "assignedTo": None,
        "redactedAt": None,
        "revision": 1,
    }


@pytest.mark.parametrize("stage", ["Needs Attention", "needs attention", "needs-attention"])
def test_a_stage_is_given_by_its_name_in_any_case_or_by_its_id(world: World, stage: str) -> None:
    world.download(buyer_email=None)
    assert len(found(world, stage=stage)) == 1


def downloaded(**fields: Any) -> Callable[[World, str], object]:
    """Puts an order with these fields of Amazon's there; the other fields are complete."""
    return lambda world, order_id: world.download(order_id=order_id, **fields)


def of_another_integration(world: World, order_id: str) -> None:
    world.register("other")
    world.download("other", order_id=order_id)


def an_assigned(name: str) -> Callable[[World, str], object]:
    def assigned(world: World, order_id: str) -> None:
        world.download(order_id=order_id)
        world.call("PATCH", f"/orders/{order_id}", {"assignedTo": name}, role="editor")

    return assigned


def patched(body: dict[str, Any], **fields: Any) -> Callable[[World, str], object]:
    """Puts an order there that an editor then changes."""

    def changed(world: World, order_id: str) -> None:
        world.download(order_id=order_id, **fields)
        assert world.call("PATCH", f"/orders/{order_id}", body, role="editor").status == 200

    return changed


def a_stopped(world: World, order_id: str) -> None:
    patched({"threePlStatus": "Do Not Transfer to 3PL"})(world, order_id)


def a_forgotten(world: World, order_id: str) -> None:
    """Typed in and let go by its Stage alone: it stays at Do Not Transfer, and nobody said so."""
    patched({"email": "typed@b.example.com", "stage": "New"}, buyer_email=None)(world, order_id)


def a_cancelled_after_hand_over(world: World, order_id: str) -> None:
    a_transferable(world, order_id)
    world.call("POST", f"/orders/{order_id}/acknowledge", role="warehouse")
    cancelled = judged(downloaded_again(world.order(order_id), fulfillment_status="CANCELLED"), Settings(), NOON)
    world.orders.save(world.order(order_id), cancelled, by="validation", at=NOON, cause="verdict")


def during_an_incident(world: World, order_id: str) -> None:
    emails_have_vanished(world)
    world.download(order_id=order_id, buyer_email=None)


COMPLETE = downloaded()
# The query, an order that the filter keeps, and one that it leaves out.
FILTER_CASES: list[tuple[dict[str, Any], Callable[[World, str], object], Callable[[World, str], object]]] = [
    ({"integration": "acme-na"}, COMPLETE, of_another_integration),
    ({"stage": "Needs Attention"}, downloaded(buyer_email=None), COMPLETE),
    ({"status": "Open"}, COMPLETE, downloaded(fulfillment_status="SHIPPED")),
    ({"status": "Void"}, downloaded(fulfillment_status="CANCELLED"), COMPLETE),
    ({"threePlStatus": "Do Not Transfer"}, downloaded(buyer_email=None), COMPLETE),
    ({"missing": "email"}, downloaded(buyer_email=None), downloaded(delivery_address=None)),
    ({"missing": "lineItems"}, downloaded(line_items=()), downloaded(buyer_email=None)),
    ({"readyToRelease": False}, downloaded(buyer_email=None), a_repaired),
    ({"readyToRelease": True}, a_repaired, downloaded(buyer_email=None)),
    ({"fulfillable": False}, COMPLETE, a_transferable),
    ({"fulfillable": True}, a_transferable, COMPLETE),
    ({"blockedBy": "held"}, downloaded(buyer_email=None), COMPLETE),
    ({"blockedBy": "notFullyDispatched"}, COMPLETE, a_stopped),
    ({"blockedBy": "doNotTransfer"}, a_stopped, COMPLETE),
    ({"blockedBy": "shipped"}, downloaded(fulfillment_status="SHIPPED"), COMPLETE),
    ({"stopped": True}, a_stopped, COMPLETE),
    ({"stopped": True}, patched({"fullyDispatched": False}, buyer_email=None), downloaded(buyer_email=None)),
    ({"stopped": False}, COMPLETE, a_stopped),
    ({"goingNowhere": True}, a_forgotten, a_stopped),
    ({"goingNowhere": True}, downloaded(ship_by=NOON - MINUTE), COMPLETE),
    ({"goingNowhere": False}, COMPLETE, a_forgotten),
    ({"incident": "fieldsVanished"}, during_an_incident, downloaded(line_items=())),
    ({"marketplace": "A2EUQ1WTGCTBG2"}, downloaded(marketplace_id="A2EUQ1WTGCTBG2"), COMPLETE),
    ({"fulfilledBy": "AMAZON"}, downloaded(fulfilled_by="AMAZON"), COMPLETE),
    ({"createdAfter": CREATED}, downloaded(created_at=CREATED), downloaded(created_at=CREATED - MINUTE)),
    ({"createdBefore": CREATED + MINUTE}, downloaded(created_at=CREATED), downloaded(created_at=CREATED + MINUTE)),
    ({"updatedAfter": CREATED}, downloaded(updated_at=CREATED), downloaded(updated_at=CREATED - MINUTE)),
    ({"updatedBefore": CREATED + MINUTE}, downloaded(updated_at=CREATED), downloaded(updated_at=CREATED + MINUTE)),
    ({"shipByBefore": SHIP_BY + MINUTE}, downloaded(ship_by=SHIP_BY), downloaded(ship_by=SHIP_BY + MINUTE)),
    ({"shipByBefore": SHIP_BY + MINUTE}, downloaded(ship_by=SHIP_BY), downloaded(ship_by=None)),
    ({"shipByState": "overdue"}, downloaded(ship_by=NOON), downloaded(ship_by=NOON + MINUTE)),
    ({"shipByState": "atRisk"}, downloaded(ship_by=NOON + DAY), downloaded(ship_by=NOON + DAY + MINUTE)),
    ({"shipByState": "onTrack"}, COMPLETE, downloaded(fulfillment_status="SHIPPED")),
    ({"queue": "waitingForAmazon"}, downloaded(buyer_email=None), COMPLETE),
    ({"queue": "yours"}, downloaded(buyer_email=None, ship_by=NOON + HOUR), downloaded(buyer_email=None)),
    ({"flag": "gift"}, downloaded(is_gift=True), COMPLETE),
    ({"flag": "prime"}, downloaded(programs=("PRIME",)), COMPLETE),
    ({"alert": "CancelledAfterHandOver"}, a_cancelled_after_hand_over, COMPLETE),
    ({"assignedTo": "zoe"}, an_assigned("zoe"), an_assigned("ada")),
    ({"isAssigned": False}, COMPLETE, an_assigned("zoe")),
    ({"isAssigned": True}, an_assigned("zoe"), COMPLETE),
]


@pytest.mark.parametrize(("query", "stays", "goes"), FILTER_CASES)
@pytest.mark.parametrize("by_id", [False, True])
def test_each_filter_leaves_out_what_does_not_match(
    world: World,
    query: dict[str, Any],
    stays: Callable[[World, str], object],
    goes: Callable[[World, str], object],
    by_id: bool,
) -> None:
    stays(world, FIRST)
    goes(world, SECOND)
    order_ids: dict[str, Any] = {"orderIds": [SECOND, FIRST]} if by_id else {}
    assert found(world, **query, **order_ids) == [FIRST]


def test_each_filter_has_a_case_in_the_test_above() -> None:
    filters = {info.alias for info in Filters.model_fields.values()}
    assert filters == {name for query, _, _ in FILTER_CASES for name in query}


def test_an_assigned_order_is_found_by_its_assignee(world: World) -> None:
    for order_id, name in ((FIRST, "zoe"), (SECOND, "ada")):
        world.download(order_id=order_id)
        world.call("PATCH", f"/orders/{order_id}", {"assignedTo": name}, role="editor")
    world.download(order_id=THIRD)
    assert found(world, assignedTo="zoe") == [FIRST]
    assert set(found(world, isAssigned=True)) == {FIRST, SECOND}


@pytest.mark.parametrize("query", [{"assignedTo": "zoe"}, {"isAssigned": True}, {"isAssigned": False}])
def test_a_warehouse_learns_of_nobody_who_sees_to_an_order(world: World, query: dict[str, Any]) -> None:
    world.download(order_id=FIRST)
    world.call("PATCH", f"/orders/{FIRST}", {"assignedTo": "zoe", "threePlStatus": "Transfer to 3PL Now"})
    assert "zoe" not in str(world.call("GET", "/orders", role="warehouse").body)
    answer = world.call("GET", "/orders", role="warehouse", query=query)
    assert (answer.status, answer.codes) == (400, {min(query): "notForWarehouses"})


def test_orders_that_wait_for_the_end_of_an_incident_are_found(world: World) -> None:
    emails_have_vanished(world)
    world.download(order_id=FIRST, buyer_email=None)
    world.download(order_id=SECOND, line_items=())
    assert found(world, incident="fieldsVanished") == found(world, queue="connectionAtFault") == [FIRST]


def test_an_order_that_is_ready_waits_for_no_one_but_a_person(world: World) -> None:
    a_repaired(world, FIRST)
    assert found(world, queue="yours") == [FIRST]


def test_an_order_that_is_snoozed_is_in_a_queue_of_its_own(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    world.call("PATCH", f"/orders/{FIRST}", {"snoozeUntil": (NOON + DAY).isoformat()}, role="editor")
    assert found(world, queue="snoozed") == [FIRST]


def test_an_order_that_amazon_fulfils_or_somebody_has_sent_is_not_late(world: World) -> None:
    world.download(order_id=FIRST, ship_by=NOON - DAY, fulfilled_by="AMAZON")
    world.download(order_id=SECOND, ship_by=NOON - DAY)
    world.call("PATCH", f"/orders/{SECOND}", {"fullyDispatched": True}, role="editor")
    assert found(world, shipByState="overdue") == []


@pytest.mark.parametrize("parameter", ["queue", "blockedBy", "shipByState", "flag", "alert", "incident"])
def test_a_filter_value_that_no_order_can_have_is_refused(world: World, parameter: str) -> None:
    answer = world.call("GET", "/orders", role="reader", query={parameter: "late"})
    assert (answer.status, list(answer.codes)) == (400, [parameter])


def test_missing_finds_orders_that_lack_any_of_several_fields(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    world.download(order_id=SECOND, line_items=())
    world.download(order_id=THIRD, delivery_address=None)
    assert sorted(found(world, missing="email,lineItems")) == [FIRST, SECOND]
    assert sorted(found(world, missing=["email", "lineItems"])) == [FIRST, SECOND]


def test_filters_narrow_together(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None, marketplace_id="A2EUQ1WTGCTBG2")
    world.download(order_id=SECOND, buyer_email=None)
    world.download(order_id=THIRD, marketplace_id="A2EUQ1WTGCTBG2")
    assert found(world, stage="Needs Attention", marketplace="A2EUQ1WTGCTBG2") == [FIRST]


def test_an_order_whose_verdict_is_pending_is_listed_as_such(world: World) -> None:
    world.store(an_order(an_amazon_order(order_id=FIRST)))
    row = world.call("GET", "/orders", role="reader").body["orders"][0]
    assert (row["verdict"], row["stage"], row["threePlStatus"]) == ("pending", None, "Do Not Transfer to 3PL")
    assert found(world, stage="New") == []


def test_one_integration_is_listed_alone(world: World) -> None:
    world.register("other")
    world.download(order_id=FIRST)
    world.download("other", order_id=SECOND)
    assert found(world, integration="other") == [SECOND]
    assert found(world, integration="other", stage="New") == [SECOND]


def test_orders_of_a_deleted_integration_are_still_found(world: World) -> None:
    world.download(order_id=FIRST)
    world.change_integration(deleted_at=NOON)
    assert found(world) == [FIRST]


def test_orders_by_id_come_in_the_given_sequence_without_the_unknown(world: World) -> None:
    for order_id in (FIRST, SECOND, THIRD):
        world.download(order_id=order_id)
    assert found(world, orderIds=f"{THIRD},{FIRST},no-such-order,{FIRST}") == [THIRD, FIRST]


@pytest.mark.parametrize("between", [", ", " ,", "\n", "\r\n", "\t", " ", ",,", "; ", ";", "\u00a0"], ids=repr)
def test_a_pasted_list_of_order_ids_finds_each_of_them(world: World, between: str) -> None:
    for order_id in (FIRST, SECOND):
        world.download(order_id=order_id)
    assert found(world, orderIds=f" {FIRST}{between}{SECOND}{between}") == [FIRST, SECOND]


def test_orders_asked_for_by_id_are_filtered_too(world: World) -> None:
    world.download(order_id=FIRST)
    world.download(order_id=SECOND, buyer_email=None)
    assert found(world, orderIds=f"{FIRST},{SECOND}", stage="Needs Attention") == [SECOND]


# In which order -------------------------------------------------------------------------------------------------------


def test_a_stage_lists_the_soonest_deadline_first_and_none_last(world: World) -> None:
    world.download(order_id=FIRST, ship_by=None)
    world.download(order_id=SECOND, ship_by=SHIP_BY + DAY)
    world.download(order_id=THIRD, ship_by=SHIP_BY)
    assert found(world, stage="New") == [THIRD, SECOND, FIRST]
    assert found(world, stage="New", sort="-shipBy") == [FIRST, SECOND, THIRD]


def test_without_a_stage_the_newest_orders_come_first(world: World) -> None:
    world.download(order_id=FIRST, created_at=CREATED)
    world.download(order_id=SECOND, created_at=CREATED - DAY)
    assert found(world) == [FIRST, SECOND]
    assert found(world, sort="createdAt") == [SECOND, FIRST]


def test_the_orders_of_a_stage_can_be_sorted_by_created_time(world: World) -> None:
    world.download(order_id=FIRST, created_at=CREATED, ship_by=SHIP_BY)
    world.download(order_id=SECOND, created_at=CREATED - DAY, ship_by=SHIP_BY + DAY)
    world.download(order_id=THIRD, buyer_email=None)
    assert found(world, stage="New", sort="createdAt") == [SECOND, FIRST]


# Pages ----------------------------------------------------------------------------------------------------------------


def many_orders(world: World) -> list[str]:
    """Orders of three integrations in turn, one a minute: their IDs, oldest first."""
    world.register("b-eu")
    world.register("c-fe")
    integrations = ["acme-na", "b-eu", "c-fe", "acme-na"]
    ids = [f"701-{n:07}-0000000" for n in range(46)]
    for n, order_id in enumerate(ids):
        time = CREATED + n * MINUTE
        lacks: dict[str, Any] = {"buyer_email": None} if n % 3 == 0 else {}
        world.download(
            integrations[n % 4], order_id=order_id, created_at=time, updated_at=time, ship_by=time + DAY, **lacks
        )
    return ids


def test_pages_of_any_size_hold_every_order_once_and_in_order(world: World) -> None:
    ids = many_orders(world)
    for limit in (1, 7, 45, 46, 250):
        listed = pages(world, limit=limit)
        assert (limit, [order_id for page in listed for order_id in page]) == (limit, ids[::-1])
        assert {len(page) for page in listed[:-1]} <= {limit}


def test_pages_of_a_narrowed_list_hold_every_match_once(world: World) -> None:
    ids = many_orders(world)
    listed = pages(world, limit=4, missing="email", sort="createdAt")
    assert [order_id for page in listed for order_id in page] == ids[::3]


def test_pages_of_a_stage_hold_every_order_once(world: World) -> None:
    ids = many_orders(world)
    listed = pages(world, limit=4, stage="Needs Attention", shipByBefore=CREATED + DAY + 30 * MINUTE)
    assert [order_id for page in listed for order_id in page] == ids[:30:3]


def test_a_list_that_reads_its_share_answers_early_with_a_cursor(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_list, "MOST_ENTRIES_READ", 0)
    monkeypatch.setattr(order_list, "FEWEST_ENTRIES_A_QUERY", 2)
    ids = many_orders(world)
    for order_id in ids[-3:]:
        order = world.order(order_id)
        world.orders.save(order, order.with_(voided_at=NOON), by="x", at=NOON, cause="x")
    monkeypatch.setattr(OrderFilters, "narrows", property(lambda _: False))
    listed = pages(world, limit=5, status="Void", sort="createdAt")
    assert listed[0] == []
    assert len(listed) > 2
    assert [order_id for page in listed for order_id in page] == ids[-3:]


def test_an_order_that_arrives_between_two_pages_moves_none_of_the_others(world: World) -> None:
    ids = many_orders(world)
    first = world.call("GET", "/orders", role="reader", query={"limit": 10})
    world.download(order_id="701-9999999-9999999", created_at=NOON + DAY, updated_at=NOON + DAY)
    second = world.call("GET", "/orders", role="reader", query={"limit": 10, "cursor": first.body["nextCursor"]})
    listed = [order["orderId"] for answer in (first, second) for order in answer.body["orders"]]
    assert listed == ids[: -20 - 1 : -1]


@pytest.mark.parametrize("order_id", ["a b", "#1", "7/1%00", "💡" * 100, '"\\' * 50])
@pytest.mark.parametrize("query", [{}, {"stage": "Needs Attention"}])
def test_a_list_goes_on_after_whatever_amazon_calls_an_order(
    world: World, order_id: str, query: dict[str, object]
) -> None:
    ids = [FIRST, order_id, SECOND]
    for minutes, one in enumerate(ids):
        at = CREATED - minutes * MINUTE
        world.download(order_id=one, buyer_email=None, created_at=at, updated_at=at, ship_by=NOON + minutes * MINUTE)
    assert pages(world, limit=1, **query) == [[one] for one in ids]


def a_cursor(**changes: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(changes).encode()).decode()


def test_a_cursor_of_other_filters_is_refused(world: World) -> None:
    many_orders(world)
    cursor = world.call("GET", "/orders", role="reader", query={"limit": 5}).body["nextCursor"]
    assert world.call("GET", "/orders", role="reader", query={"limit": 9, "cursor": cursor}).status == 200
    other = world.call("GET", "/orders", role="reader", query={"limit": 5, "cursor": cursor, "status": "Open"})
    assert (other.status, other.body["code"]) == (400, "invalidCursor")


@pytest.mark.parametrize("cursor", ["x", "{}", a_cursor(version=1), a_cursor(version=2, list="", position="")])
def test_a_cursor_that_is_none_is_refused(world: World, cursor: str) -> None:
    answer = world.call("GET", "/orders", role="reader", query={"cursor": cursor})
    assert (answer.status, answer.body["code"]) == (400, "invalidCursor")


@pytest.mark.parametrize("position", ["", "nonsense", "2025-01-01T00:00:00.000Z#1", "2026-11-23T10:05:00.000Z"])
def test_a_forged_position_is_refused(world: World, position: str) -> None:
    many_orders(world)
    query: dict[str, object] = {"limit": 5, "createdAfter": CREATED}
    cursor = world.call("GET", "/orders", role="reader", query=query).body["nextCursor"]
    content = json.loads(base64.urlsafe_b64decode(cursor))
    answer = world.call(
        "GET", "/orders", role="reader", query=query | {"cursor": a_cursor(**content | {"position": position})}
    )
    assert (answer.status, answer.body["code"]) == (400, "invalidCursor")


# Wrong questions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameter", "value", "code", "says"),
    [
        ("stge", "New", "unknownParameter", "allowed are integration, stage, status"),
        ("stage", "Nowhere", "unknownStage", "Needs Attention, New"),
        ("status", "Closed", "notAllowed", "'Draft', 'Open', 'Dispatched' or 'Void'"),
        ("threePlStatus", "Gone", "notAllowed", "Transfer to 3PL Now"),
        ("missing", "phone", "notAllowed", "firstName, lastName, email"),
        ("marketplace", "US", "notAllowed", "ATVPDKIKX0DER"),
        ("fulfilledBy", "US", "notAllowed", "'MERCHANT' or 'AMAZON'"),
        ("integration", "nobody", "unknownIntegration", "acme-na"),
        ("sort", "price", "notAllowed", "'shipBy', '-shipBy', 'createdAt' or '-createdAt'"),
        ("sort", "shipBy", "sortNeedsStage", "needs a stage"),
        ("limit", "251", "lessThanEqual", "250"),
        ("limit", "0", "greaterThanEqual", "1"),
        ("limit", "many", "wrongType", "integer"),
        ("fulfillable", "perhaps", "wrongType", "boolean"),
        ("createdAfter", "2026-11-23T10:00:00", "notAllowed", "with its zone"),
        ("orderIds", ",".join(map(str, range(101))), "tooLong", "100"),
        ("orderIds", "", "required", "at least one"),
        ("orderIds", " , ", "required", "at least one"),
        ("missing", ",", "required", "at least one"),
    ],
)
def test_a_wrong_parameter_is_refused_with_what_is_allowed(
    world: World, parameter: str, value: str, code: str, says: str
) -> None:
    answer = world.call("GET", "/orders", role="reader", query={parameter: value})
    assert answer.status == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    error = next(error for error in answer.body["errors"] if error["field"].startswith(parameter))
    assert error["code"] == code
    assert says in error["message"]


@pytest.mark.parametrize("time", ["created", "updated"])
@pytest.mark.parametrize(("after", "status"), [(CREATED - MINUTE, 200), (CREATED, 400), (CREATED + MINUTE, 400)])
def test_a_span_of_time_ends_later_than_it_begins(world: World, time: str, after: datetime, status: int) -> None:
    query = {f"{time}After": after, f"{time}Before": CREATED}
    answer = world.call("GET", "/orders", role="reader", query=query)
    assert answer.status == status
    if status == 400:
        (error,) = answer.body["errors"]
        assert (answer.body["code"], error["code"]) == ("invalid", "notLater")
        assert error["message"] == f"must be later than {time}After"
        assert error["message"] in answer.body["detail"]


def test_a_parameter_that_takes_one_value_is_not_given_twice(world: World) -> None:
    assert world.call("GET", "/orders", role="reader", query={"status": ["Open", "Void"]}).status == 400


def test_a_list_of_several_integrations_shows_the_orders_of_each_newest_first(world: World) -> None:
    for number, integration in enumerate(("acme-na", "other", "third")):
        if number:
            world.register(integration)
        created_at = CREATED + timedelta(minutes=number)
        world.download(integration, order_id=f"701-{number:07}-0000000", created_at=created_at)
    shown = ["701-0000002-0000000", "701-0000000-0000000"]
    assert found(world, integration=["acme-na", "third"]) == shown
    assert found(world, integration="acme-na,third") == shown
    first = world.call("GET", "/orders", role="reader", query={"integration": "acme-na,third", "limit": 1}).body
    assert found(world, integration="acme-na,third", cursor=first["nextCursor"]) == shown[1:]


def test_an_unknown_integration_among_others_is_named(world: World) -> None:
    (error,) = world.call("GET", "/orders", role="reader", query={"integration": "acme-na,acme-nz"}).body["errors"]
    assert (error["field"], error["code"]) == ("integration", "unknownIntegration")
    assert error["message"] == "acme-nz is not known; allowed are acme-na"


def test_the_orders_of_a_hundred_integrations_are_merged_and_no_more(world: World) -> None:
    for number in range(98):
        world.register(f"shop-{number}")
    world.register("other")
    assert found(world) == []
    world.register("one-more")
    answer = world.call("GET", "/orders", role="reader")
    assert (answer.status, answer.codes) == (400, {"integration": "integrationNeeded"})
    assert found(world, integration="other") == []


# Orders that may leave ------------------------------------------------------------------------------------------------


def test_an_order_that_may_leave_is_shown_as_fulfillable(world: World) -> None:
    a_transferable(world)
    assert world.call("GET", f"/orders/{FIRST}", role="reader").body["fulfillable"] is True
    assert found(world, "warehouse") == [FIRST]


@pytest.mark.parametrize(
    "changes",
    [
        {"is_frozen": True},
        {"settings": IntegrationSettings(trial_mode=True)},
        {"settings": IntegrationSettings(go_live_date=CREATED + MINUTE)},
    ],
)
def test_a_frozen_or_not_yet_live_integration_lets_nothing_out(world: World, changes: dict[str, Any]) -> None:
    a_transferable(world)
    world.change_integration(**changes)
    assert found(world, fulfillable=True) == []
    assert found(world, "warehouse") == []
    assert world.call("GET", f"/orders/{FIRST}", role="reader").body["fulfillable"] is False
    assert world.call("GET", f"/orders/{FIRST}", role="warehouse").status == 404


def test_a_freeze_of_everything_lets_nothing_out(world: World) -> None:
    a_transferable(world)
    world.integrations.freeze_all("ada", NOON)
    assert found(world, fulfillable=True) == []
    assert found(world, "warehouse") == []


def test_a_warehouse_is_shown_nothing_but_what_it_may_take(world: World) -> None:
    world.download(order_id=FIRST)  # waits for Fully Dispatched
    world.download(order_id=SECOND, buyer_email=None)
    assert found(world, "warehouse") == []
    assert found(world, "warehouse", orderIds=f"{FIRST},{SECOND}") == []
    assert world.call("GET", f"/orders/{FIRST}", role="warehouse").status == 404
    a_transferable(world, THIRD)
    assert found(world, "warehouse") == [THIRD]
    assert world.call("GET", f"/orders/{THIRD}", role="warehouse").body["lastName"] == "Quill"


def test_an_order_that_people_dispatched_is_not_for_the_warehouse(world: World) -> None:
    order = world.download(order_id=FIRST)
    dispatched = order.with_(
        dispatched_by="person", fully_dispatched_at=NOON, three_pl_status=ThreePlStatus.DO_NOT_TRANSFER
    )
    world.orders.save(order, dispatched, by="x", at=NOON, cause="x")
    assert found(world, fulfillable=True) == [FIRST]
    assert found(world, "warehouse") == []


def test_a_warehouse_reads_again_what_it_has_taken(world: World) -> None:
    a_transferable(world)
    assert world.call("POST", f"/orders/{FIRST}/acknowledge", role="warehouse").status == 200
    assert found(world, "warehouse") == []
    assert world.call("GET", f"/orders/{FIRST}", role="warehouse").status == 200


# Why an order may not leave -------------------------------------------------------------------------------------------


def blocked(world: World, order_id: str = FIRST) -> list[str]:
    reasons: list[str] = world.call("GET", f"/orders/{order_id}", role="reader").body["blockedBy"]
    return reasons


@pytest.mark.parametrize(
    ("put_there", "reasons"),
    [
        (a_transferable, []),
        (COMPLETE, ["notFullyDispatched"]),
        (a_stopped, ["doNotTransfer"]),
        (downloaded(buyer_email=None), ["held"]),
        (downloaded(fulfilled_by="AMAZON"), ["fulfilledByAmazon"]),
        (downloaded(fulfillment_status="PENDING"), ["draft"]),
        (downloaded(fulfillment_status="CANCELLED"), ["void"]),
        (downloaded(fulfillment_status="SHIPPED"), ["shipped"]),
    ],
)
def test_an_order_says_why_it_may_not_leave(
    world: World, put_there: Callable[[World, str], object], reasons: list[str]
) -> None:
    put_there(world, FIRST)
    assert blocked(world) == reasons


@pytest.mark.parametrize("case", range(len(FILTER_CASES)))
def test_an_order_is_blocked_by_something_exactly_if_it_may_not_leave(world: World, case: int) -> None:
    _, stays, goes = FILTER_CASES[case]
    stays(world, FIRST)
    goes(world, SECOND)
    rows = world.call("GET", "/orders", role="reader").body["orders"]
    assert [row["fulfillable"] for row in rows] == [row["blockedBy"] == [] for row in rows]


def test_an_order_names_each_reason_why_it_may_not_leave(world: World) -> None:
    world.store(an_order(an_amazon_order(order_id=FIRST)))
    world.change_integration(
        is_frozen=True, settings=IntegrationSettings(trial_mode=True, go_live_date=CREATED + MINUTE)
    )
    assert blocked(world) == ["pending", "frozen", "trialMode", "beforeGoLive"]


def test_what_the_warehouse_has_may_not_leave_again(world: World) -> None:
    a_transferable(world)
    world.call("POST", f"/orders/{FIRST}/acknowledge", role="warehouse")
    assert blocked(world) == ["handedOver"]


def test_a_redacted_order_may_not_leave(world: World) -> None:
    order = world.download(order_id=FIRST)
    world.orders.save(order, gate.redact(order, Settings(), NOON), by="clock", at=NOON, cause="redaction")
    assert blocked(world) == ["redacted"]


def test_a_list_shows_who_stopped_an_order_and_since_when(world: World) -> None:
    world.download(order_id=FIRST)
    world.clock.advance(HOUR)
    world.call("PATCH", f"/orders/{FIRST}", {"threePlStatus": "Do Not Transfer to 3PL"}, role="editor")
    (row,) = world.call("GET", "/orders", role="reader", query={"stopped": True}).body["orders"]
    assert row["stopped"] == {"by": "editor@example.com", "at": "2026-11-23T13:00:00.000Z"}


def test_an_order_whose_default_is_not_to_transfer_goes_somewhere(world: World) -> None:
    world.change_integration(settings=IntegrationSettings(default_three_pl_status=ThreePlStatus.DO_NOT_TRANSFER))
    world.download(order_id=FIRST)
    assert found(world, goingNowhere=True) == []


def test_an_order_that_is_held_is_late_and_does_not_go_nowhere(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None, ship_by=NOON - MINUTE)
    assert found(world, shipByState="overdue") == [FIRST]
    assert found(world, goingNowhere=True) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"is_frozen": True},
        {"settings": IntegrationSettings(trial_mode=True)},
        {"settings": IntegrationSettings(go_live_date=CREATED + MINUTE)},
    ],
)
def test_what_is_frozen_or_not_live_does_not_go_nowhere(world: World, changes: dict[str, Any]) -> None:
    a_forgotten(world, FIRST)
    assert found(world, goingNowhere=True) == [FIRST]
    world.change_integration(**changes)
    assert found(world, goingNowhere=True) == []


# One order ------------------------------------------------------------------------------------------------------------


def test_a_field_with_a_gap_and_a_difference_is_named_once(world: World) -> None:
    """A typed street that Amazon says otherwise by now, and a town that a person blanked: two things to do."""
    order = world.download(order_id=FIRST, delivery_address=an_address(line1=None), tax_address=an_address())
    typed = {"deliveryAddress": {"addressLine1": "9 Larkspur Court", "city": ""}}
    assert world.call("PATCH", f"/orders/{FIRST}", typed, role="editor").status == 200
    order = world.order(FIRST)
    late = after_amazons_answer(order, Settings(), NOON, delivery_address=an_address(line1="1 Quay"))
    world.orders.save(order, late, by="validation", at=NOON, cause="verdict")

    shown = world.call("GET", f"/orders/{FIRST}", role="reader").body
    reasons = [(item["field"], item["reason"], item["parts"]) for item in shown["missingDetails"]]
    assert reasons == [
        ("deliveryAddress", "incomplete", ["city"]),
        ("deliveryAddress", "differsFromAmazon", ["addressLine1"]),
    ]
    (row,) = world.call("GET", "/orders", role="reader", query={"missing": "deliveryAddress"}).body["orders"]
    assert row["missing"] == shown["missing"] == ["deliveryAddress"]
    assert world.call("GET", "/summary", role="reader").body["byMissing"]["deliveryAddress"] == 1
    (line,) = csv.DictReader(io.StringIO(world.call("GET", "/orders.csv", role="reader").body))
    assert (line["missing"], line["differsFromAmazon"]) == ("deliveryAddress", "deliveryAddress")
    overridden = {"override": {"reason": "The buyer wrote so."}, "stage": "New"}
    answer = world.call("PATCH", f"/orders/{FIRST}", overridden, role="administrator")
    assert answer.body["override"]["fields"] == ["deliveryAddress"]


def test_the_whole_order_says_what_is_missing_why_and_what_to_do(world: World) -> None:
    world.download(order_id=FIRST, delivery_address=an_address(line1=None, postal_code=None))
    answer = world.call("GET", f"/orders/{FIRST}", role="reader")
    assert answer.headers["ETag"] == '"1"'
    missing = {item["field"]: item for item in answer.body["missingDetails"]}
    assert missing["deliveryAddress"] == {
        "field": "deliveryAddress",
        "reason": "incomplete",
        "parts": ["addressLine1", "postalCode"],
        "firstMissingAt": "2026-11-23T12:00:00.000Z",
        "message": "The delivery address has no street and no postal code.",
        "nextStep": "Open the order in Seller Central and type it in here. "
        "Or wait: Amazon is asked again at 2026-11-23T12:02:00.000Z.",
        "accepted": False,
    }
    assert answer.body["hold"] == "missing"
    assert answer.body["sellerCentralUrl"] == f"https://sellercentral.amazon.com/orders-v3/order/{FIRST}"


def test_the_whole_order_says_where_each_part_comes_from(world: World) -> None:
    order = world.download(order_id=FIRST)
    edited = gate.edit(order, {"email": "typed@b.example.com"}, None, Settings(), NOON)
    world.orders.save(order, edited, by="x", at=NOON, cause="edit")
    shown = world.call("GET", f"/orders/{FIRST}", role="reader").body
    assert shown["sources"] == {
        "name": "recipient",
        "email": "edited",
        "deliveryAddress": "amazon",
        "billingAddress": "copiedFromDelivery",
        "lineItems": "amazon",
    }
    assert shown["email"] == "typed@b.example.com"
    assert shown["amazonSays"] == {"email": "ada@marketplace.example.com"}


def test_the_whole_order_shows_names_addresses_and_lines(world: World) -> None:
    world.download(order_id=FIRST, line_items=(a_line(title="Desk lamp"),))
    shown = world.call("GET", f"/orders/{FIRST}", role="reader").body
    assert (shown["firstName"], shown["lastName"], shown["company"]) == ("Ada", "Quill", None)
    assert shown["deliveryAddress"]["addressLine1"] == "12 Harbor Street"
    assert shown["billingAddress"] == shown["deliveryAddress"]
    assert [line["sellerSku"] for line in shown["lineItems"]] == ["LAMP-1"]


def test_an_alert_is_shown_on_the_order_and_in_the_list(world: World) -> None:
    a_cancelled_after_hand_over(world, FIRST)
    (row,) = world.call("GET", "/orders", role="reader").body["orders"]
    shown = world.call("GET", f"/orders/{FIRST}", role="reader").body
    assert row["alerts"] == shown["alerts"] == ["CancelledAfterHandOver"]


def emails_have_vanished(world: World) -> None:
    has_vanished(world, "email")


def has_vanished(world: World, field: str) -> None:
    incident = Incident(code="fieldsVanished", since=NOON, evidence="x", fields={"ATVPDKIKX0DER": (field,)})
    world.downloads.save_incidents("acme-na", Incidents(incidents=(incident,)))


def test_an_incident_shows_only_on_orders_that_lack_a_vanished_field(world: World) -> None:
    emails_have_vanished(world)
    world.register("other")
    world.download(order_id=FIRST, buyer_email=None)
    world.download(order_id=SECOND, buyer_email=None, marketplace_id="A2EUQ1WTGCTBG2")
    world.download(order_id=THIRD, line_items=())
    world.download("other", order_id=FOURTH, buyer_email=None)
    rows = world.call("GET", "/orders", role="reader").body["orders"]
    shown = [world.call("GET", f"/orders/{row['orderId']}", role="reader").body for row in rows]
    expected = {FIRST: "fieldsVanished", SECOND: None, THIRD: None, FOURTH: None}
    assert {row["orderId"]: row["incident"] for row in rows} == expected
    assert {order["orderId"]: order["incident"] for order in shown} == expected


def test_only_a_vanished_field_has_the_connection_as_its_next_step(world: World) -> None:
    emails_have_vanished(world)
    world.download(order_id=FIRST, buyer_email=None, line_items=())
    world.download(order_id=SECOND, buyer_email=None, marketplace_id="A2EUQ1WTGCTBG2")
    first, second = (world.call("GET", f"/orders/{id_}", role="reader").body for id_ in (FIRST, SECOND))
    at_fault = {item["field"]: item["nextStep"] == CONNECTION_AT_FAULT for item in first["missingDetails"]}
    assert at_fault == {"email": True, "lineItems": False}
    assert second["missingDetails"][0]["nextStep"].startswith("Open the order in Seller Central")


def test_what_a_person_can_settle_does_not_wait_for_the_connection(world: World) -> None:
    """Amazon sends emails for hardly any order now, but it sent those of these two."""
    emails_have_vanished(world)
    for order_id, buyer_email, typed in (
        (FIRST, "ada@marketplace.example.com", ""),
        (SECOND, None, "typed@b.example.com"),
    ):
        world.download(order_id=order_id, buyer_email=buyer_email)
        world.call("PATCH", f"/orders/{order_id}", {"email": typed}, role="editor")
    second = world.order(SECOND)
    late = after_amazons_answer(second, Settings(), NOON, buyer_email="late@marketplace.example.com")
    world.orders.save(second, late, by="validation", at=NOON, cause="verdict")
    blank, differing = (
        world.call("GET", f"/orders/{id_}", role="reader").body["missingDetails"] for id_ in (FIRST, SECOND)
    )
    assert [(item["reason"], item["nextStep"].partition(":")[0]) for item in (*blank, *differing)] == [
        ("blank", "Amazon has all of the email by now"),
        ("differsFromAmazon", "Compare both"),
    ]


def test_an_unknown_status_is_confirmed_and_not_typed_in_during_an_outage(world: World) -> None:
    has_vanished(world, "fulfillmentUnknown")
    world.download(order_id=FIRST, fulfillment_status=None)
    world.download(order_id=SECOND, came_back_from="shipped", doubts=1)
    first, second = (world.call("GET", f"/orders/{id_}", role="reader").body for id_ in (FIRST, SECOND))
    (step,), (own_step,) = ([item["nextStep"] for item in one["missingDetails"]] for one in (first, second))
    assert (first["incident"], second["incident"]) == ("fieldsVanished", None)
    assert "see the integration's incident" in step
    assert "confirm `fulfillmentUnknown`" in step
    assert own_step.startswith("Look in Seller Central.")


def test_a_redacted_order_shows_no_person(world: World) -> None:
    order = world.download(order_id=FIRST)
    world.orders.save(order, gate.redact(order, Settings(), NOON), by="clock", at=NOON, cause="redaction")
    shown = world.call("GET", f"/orders/{FIRST}", role="reader").body
    personal = ("firstName", "lastName", "company", "email", "deliveryAddress", "billingName", "billingAddress")
    assert {field: shown[field] for field in personal} == dict.fromkeys(personal)
    assert shown["redactedAt"] == "2026-11-23T12:00:00.000Z"


@pytest.mark.parametrize("order_id", ["no-such-order", "x" * 3000])
@pytest.mark.parametrize("path", ["/orders/{}", "/orders/{}/history"])
def test_an_order_that_is_not_there_is_not_found(world: World, order_id: str, path: str) -> None:
    answer = world.call("GET", path.format(order_id), role="reader")
    assert (answer.status, answer.body["code"]) == (404, "notFound")


# Its history ----------------------------------------------------------------------------------------------------------


def write_history(world: World, revisions: list[int]) -> Order:
    order = world.download(order_id=FIRST)
    history = HistoryStore(world.dynamodb, "HistoryTable")
    for revision in revisions:
        change = LastChange(by="ada", at=NOON + revision * MINUTE, cause="edit", fields=("edits.email",))
        history.save(OrderRevision(Summary.of(order.with_(revision=revision)), change))
    return order


def test_history_tells_who_did_what_when_newest_first(world: World) -> None:
    write_history(world, [1, 2])
    answer = world.call("GET", f"/orders/{FIRST}/history", role="reader")
    assert answer.body["changes"][0] == {
        "revision": 2,
        "at": "2026-11-23T12:02:00.000Z",
        "by": "ada",
        "cause": "edit",
        "fields": ["edits.email"],
        "events": [],
    }
    assert [change["revision"] for change in answer.body["changes"]] == [2, 1]


def shown_history(world: World, limit: int) -> list[Any]:
    seen, cursor = [], None
    while True:
        query = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        body = world.call("GET", f"/orders/{FIRST}/history", role="reader", query=query).body
        seen += [change.get("revision") or change["missingRevisions"] for change in body["changes"]]
        cursor = body["nextCursor"]
        if cursor is None:
            return seen


def test_a_gap_in_the_revisions_is_shown_as_one_on_any_page(world: World) -> None:
    write_history(world, [3, 4, 8])
    for limit in (1, 2, 3, 50):
        assert (limit, shown_history(world, limit)) == (limit, [8, {"from": 5, "to": 7}, 4, 3, {"from": 1, "to": 2}])


def test_a_cursor_of_no_history_is_refused(world: World) -> None:
    world.download(order_id=FIRST)
    answer = world.call("GET", f"/orders/{FIRST}/history", role="reader", query={"cursor": "x"})
    assert (answer.status, answer.body["code"]) == (400, "invalidCursor")


# The numbers ----------------------------------------------------------------------------------------------------------


def test_the_summary_counts_what_is_held_and_why(world: World) -> None:
    world.register("other")
    world.download(order_id=FIRST, buyer_email=None)
    world.download(order_id=SECOND, buyer_email=None, line_items=())
    world.download("other", order_id=THIRD)
    summary = world.call("GET", "/summary", role="reader").body
    assert summary["held"] == 2
    assert {field: count for field, count in summary["byMissing"].items() if count} == {"email": 2, "lineItems": 1}
    assert summary["byIntegration"] == {
        "acme-na": {"held": 2, "readyToRelease": 0, "asOf": instant(NOON)},
        "other": {"held": 0, "readyToRelease": 0, "asOf": instant(NOON)},
    }
    assert summary["byStage"] == {"Needs Attention": 2, "New": 1}
    assert summary["isTruncated"] is False


def test_the_summary_counts_the_orders_that_go_nowhere(world: World) -> None:
    world.register("other")
    a_forgotten(world, FIRST)
    a_stopped(world, SECOND)
    world.download(order_id=THIRD)
    world.download("other", order_id=FOURTH, ship_by=NOON - MINUTE)
    assert world.call("GET", "/summary", role="reader").body["goingNowhere"] == 2


def test_the_summary_counts_holds_by_queue_urgency_and_age(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    world.download(order_id=SECOND, buyer_email=None, ship_by=NOON + HOUR)
    world.download(order_id=THIRD)
    world.clock.advance(2 * HOUR)
    world.download(order_id=FOURTH, line_items=(), ship_by=None)
    summary = world.call("GET", "/summary", role="reader").body
    assert summary["byQueue"] == {"yours": 1, "waitingForAmazon": 2, "connectionAtFault": 0, "snoozed": 0}
    assert summary["byShipByState"] == {"onTrack": 1, "atRisk": 0, "overdue": 1}
    assert summary["byAge"] == {"underAnHour": 1, "underADay": 2, "underThreeDays": 0, "older": 0}


def test_a_summary_that_stops_counting_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_list, "MOST_ENTRIES_READ", 1)
    world.download(order_id=FIRST)
    world.download(order_id=SECOND)
    assert world.call("GET", "/summary", role="reader").body["isTruncated"] is True


def test_a_summary_that_stops_counting_leaves_out_what_is_long_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_list, "MOST_ENTRIES_READ", 1)
    world.download(order_id=FIRST, ship_by=NOON - 90 * DAY, fulfillment_status="SHIPPED")
    world.download(order_id=SECOND, ship_by=NOON - HOUR)
    world.download(order_id=THIRD, ship_by=NOON - HOUR, buyer_email=None)
    world.download(order_id=FOURTH, ship_by=NOON + 5 * DAY, buyer_email=None)
    summary = world.call("GET", "/summary", role="reader").body
    assert summary["goingNowhere"] == 1
    assert (summary["held"], summary["byShipByState"]["overdue"]) == (1, 1)


def test_a_stage_with_no_name_any_more_is_shown_by_its_id(world: World) -> None:
    order = world.download(order_id=FIRST)
    world.orders.save(order, order.with_(stage="gone"), by="x", at=NOON, cause="x")
    assert world.call("GET", f"/orders/{FIRST}", role="reader").body["stage"] == "gone"


def test_needs_attention_is_where_held_orders_are(world: World) -> None:
    assert world.download(buyer_email=None).stage == NEEDS_ATTENTION

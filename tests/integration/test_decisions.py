"""People's decisions through the API: kept until a person changes them, taken back with null, and shown with who."""

from datetime import timedelta
from typing import Any

import pytest

from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.orders.amazon_order import LineItem
from needs_attention.orders.amazon_update import downloaded
from needs_attention.orders.order import Order
from needs_attention.orders.settings import Settings, ThreePlStatus
from needs_attention.orders.verdict import judged
from needs_attention.tables.history import HistoryStore, OrderRevision
from needs_attention.tables.order_items import to_item
from tools.builders import CREATED, NOON, a_line, an_address, an_amazon_order, an_fba_order, an_order
from tools.in_memory.api import Answer, World

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
FIRST, SECOND = "701-0000001-0000001", "701-0000002-0000002"
DO_NOT, UPON_COMPLETION, AT_ONCE = "Do Not Transfer to 3PL", "Transfer to 3PL Upon Completion", "Transfer to 3PL Now"
OWN_WAREHOUSE = IntegrationSettings(default_three_pl_status=ThreePlStatus.DO_NOT_TRANSFER, auto_dispatch_orders=True)
TO_THE_3PL = IntegrationSettings(default_three_pl_status=ThreePlStatus.NOW)
TYPED = {"email": "typed@b.example.com"}


def patch(world: World, body: object, role: str = "editor", order_id: str = FIRST) -> Answer:
    return world.call("PATCH", f"/orders/{order_id}", body, role=role)


def done(world: World, body: object, order_id: str = FIRST) -> dict[str, Any]:
    answer = patch(world, body, order_id=order_id)
    assert answer.status == 200, answer.body
    order: dict[str, Any] = answer.body
    return order


def release(world: World, body: object = None, role: str = "editor") -> Answer:
    return world.call("POST", f"/orders/{FIRST}/release", body, role=role)


def shown(world: World, role: str = "reader") -> dict[str, Any]:
    order: dict[str, Any] = world.call("GET", f"/orders/{FIRST}", role=role).body
    return order


def at_the_warehouse(world: World, what: str, body: object = None, role: str = "warehouse") -> Answer:
    return world.call("POST", f"/orders/{FIRST}/{what}", body, role=role)


def amazon_says(world: World, *, is_judged: bool = True, **fields: Any) -> Order:
    """Amazon's next version of the order comes in, and with `is_judged` gets its verdict."""
    order = world.order(FIRST)
    integration = world.integrations.get(order.integration)
    assert integration is not None
    at, settings = world.clock.now, integration.settings.of(order.amazon.marketplace_id)
    sent = order.amazon.model_copy(update={"updated_at": order.amazon.updated_at + MINUTE, **fields})
    after = downloaded(order, sent, order.integration, settings, at)
    assert after is not None
    stored = world.orders.save(order, after, by="amazon", at=at, cause="download")
    if not is_judged:
        return stored
    return world.orders.save(stored, judged(stored, settings, at), by="validation", at=at, cause="verdict")


# A stop stops everything ----------------------------------------------------------------------------------------------


def test_an_order_that_was_stopped_is_not_auto_dispatched(world: World) -> None:
    world.change_integration(settings=OWN_WAREHOUSE)
    world.store(an_order(an_amazon_order(order_id=FIRST)))
    order = done(world, {"threePlStatus": DO_NOT})
    assert (order["verdict"], order["dispatchedBy"], order["fulfillable"]) == ("judged", None, False)
    assert order["stopped"] == {"by": "editor@example.com", "at": "2026-11-23T12:00:00.000Z"}


def test_a_dispatch_that_was_taken_back_keeps_a_default_transfer_away(world: World) -> None:
    world.change_integration(settings=TO_THE_3PL)
    world.download(order_id=FIRST)
    order = done(world, {"fullyDispatched": False})
    assert (order["threePlStatus"], order["fulfillable"]) == (DO_NOT, False)
    assert at_the_warehouse(world, "acknowledge").status == 409


def test_a_stop_undoes_a_dispatch_that_only_waits_for_its_transfer(world: World) -> None:
    world.download(order_id=FIRST)
    done(world, {"fullyDispatched": True})
    order = done(world, {"threePlStatus": DO_NOT})
    assert (order["status"], order["dispatchedBy"], order["fulfillable"]) == ("Open", None, False)


def test_a_stop_leaves_goods_that_are_on_their_way_dispatched(world: World) -> None:
    world.change_integration(settings=OWN_WAREHOUSE)
    world.download(order_id=FIRST)
    assert done(world, {"threePlStatus": DO_NOT})["dispatchedBy"] == "us"


def test_of_two_decisions_that_contradict_each_other_the_later_holds(world: World) -> None:
    world.download(order_id=FIRST)
    assert done(world, {"threePlStatus": AT_ONCE})["fulfillable"] is True
    stopped = done(world, {"fullyDispatched": False})
    assert (stopped["decisions"]["threePlStatus"], stopped["fulfillable"]) == (None, False)
    sent_on = done(world, {"threePlStatus": AT_ONCE})
    assert (sent_on["decisions"]["fullyDispatched"], sent_on["fulfillable"]) == (None, True)


@pytest.mark.parametrize("stop", [{"threePlStatus": DO_NOT}, {"fullyDispatched": False}, {"stage": "Needs Attention"}])
@pytest.mark.parametrize(
    "amazon",
    [
        an_amazon_order(order_id=FIRST, buyer_email=None),
        an_amazon_order(order_id=FIRST, fulfillment_status="PENDING"),
        an_fba_order(order_id=FIRST),
    ],
    ids=["held", "draft", "FBA"],
)
@pytest.mark.parametrize("is_pending", [False, True])
def test_an_order_that_has_not_left_can_always_be_stopped(
    world: World, amazon: Any, stop: dict[str, Any], is_pending: bool
) -> None:
    new = an_order(amazon)
    world.store(new if is_pending else judged(new, Settings(), NOON))
    done(world, stop)
    order = world.order(FIRST)
    assert order.decisions.hold if "stage" in stop else order.decisions.stop
    assert not order.is_fulfillable


@pytest.mark.parametrize("stop", [{"threePlStatus": DO_NOT}, {"fullyDispatched": False}, {"stage": "Needs Attention"}])
@pytest.mark.parametrize(("status", "code"), [("CANCELLED", "void"), ("SHIPPED", "shipped")])
def test_an_order_that_is_closed_cannot_be_stopped_any_more(
    world: World, stop: dict[str, Any], status: str, code: str
) -> None:
    world.download(order_id=FIRST, fulfillment_status=status)
    answer = patch(world, stop)
    assert (answer.status, answer.body["code"]) == (409, code)


@pytest.mark.parametrize("stop", [{"threePlStatus": DO_NOT}, {"stage": "Needs Attention"}, {"fullyDispatched": False}])
def test_an_order_at_the_warehouse_cannot_be_stopped_any_more(world: World, stop: dict[str, Any]) -> None:
    world.change_integration(settings=TO_THE_3PL)
    world.download(order_id=FIRST)
    at_the_warehouse(world, "acknowledge")
    answer = patch(world, stop)
    assert (answer.status, answer.body["code"]) == (409, "alreadyTransferred")


@pytest.mark.parametrize("hold", [{"stage": "Needs Attention"}, {"snoozeUntil": "2026-11-24T12:00:00Z"}])
def test_a_dispatched_order_is_not_put_on_hold(world: World, hold: dict[str, Any]) -> None:
    world.change_integration(settings=OWN_WAREHOUSE)
    world.download(order_id=FIRST)
    assert patch(world, hold).body["code"] == "alreadyDispatched"


# A decision holds until a person changes it ---------------------------------------------------------------------------


def test_a_choice_that_changes_nothing_now_is_kept_with_who_and_when(world: World) -> None:
    world.download(order_id=FIRST)
    order = done(world, {"stage": "New"})
    assert order["decisions"]["stage"] == {
        "by": "editor@example.com",
        "at": "2026-11-23T12:00:00.000Z",
        "stage": "New",
    }
    assert order["decisions"]["threePlStatus"] is None
    assert order["revision"] == 2


def test_an_order_that_heals_keeps_to_what_people_decided(world: World) -> None:
    world.change_integration(settings=OWN_WAREHOUSE)
    world.download(order_id=FIRST, buyer_email=None)
    done(world, {"threePlStatus": DO_NOT})
    amazon_says(world, buyer_email="ada@marketplace.example.com")
    order = shown(world)
    assert (order["stage"], order["hold"], order["dispatchedBy"]) == ("New", None, None)
    assert (order["blockedBy"], order["lastChange"]["events"]) == (["doNotTransfer"], ["OrderHealed"])


def test_a_draft_that_was_stopped_is_not_sent_once_amazon_releases_it(world: World) -> None:
    world.change_integration(settings=OWN_WAREHOUSE)
    world.download(order_id=FIRST, fulfillment_status="PENDING")
    done(world, {"threePlStatus": DO_NOT})
    amazon_says(world, fulfillment_status="UNSHIPPED")
    assert (shown(world)["stage"], shown(world)["dispatchedBy"]) == ("New", None)


def test_a_release_leaves_do_not_transfer_as_somebody_decided_it(world: World) -> None:
    world.change_integration(settings=TO_THE_3PL)
    world.download(order_id=FIRST, buyer_email=None)
    done(world, {"threePlStatus": DO_NOT, **TYPED})
    order = release(world).body
    assert (order["hold"], order["threePlStatus"], order["fulfillable"]) == (None, DO_NOT, False)


def test_an_order_gets_back_what_it_was_granted_once_a_hold_by_hand_ends(world: World) -> None:
    world.download(order_id=FIRST)
    done(world, {"stage": "Needs Attention"})
    order = done(world, {"stage": None})
    assert (order["hold"], order["stage"], order["threePlStatus"]) == (None, "New", UPON_COMPLETION)


def test_who_ends_a_hold_by_the_stage_alone_has_decided_no_transfer(world: World) -> None:
    world.change_integration(settings=TO_THE_3PL)
    world.download(order_id=FIRST, buyer_email=None)
    order = done(world, {**TYPED, "stage": "New"})
    assert (order["threePlStatus"], order["blockedBy"]) == (DO_NOT, ["doNotTransfer"])
    assert order["decisions"]["threePlStatus"]["isImplied"] is True
    assert order["goingNowhere"] is True
    assert done(world, {"threePlStatus": DO_NOT})["goingNowhere"] is False


def test_an_order_let_go_keeps_its_transfer_when_its_stage_changes(world: World) -> None:
    world.call("POST", "/stages", {"name": "Packing"})
    world.change_integration(settings=TO_THE_3PL)
    world.download(order_id=FIRST)
    order = done(world, {"stage": "Packing"})
    assert (order["stage"], order["threePlStatus"], order["fulfillable"]) == ("Packing", AT_ONCE, True)


def test_changed_defaults_leave_an_order_that_was_let_go_as_it_is(world: World) -> None:
    world.download(order_id=FIRST)
    world.change_integration(settings=TO_THE_3PL)
    assert done(world, {"comment": "x", "email": ""})["hold"] == "missing"
    assert done(world, {"email": None})["hold"] is None  # held once more, and healed: the defaults of now
    assert shown(world)["threePlStatus"] == AT_ONCE


# null takes a decision back -------------------------------------------------------------------------------------------


def test_null_lets_an_order_go_as_if_nobody_had_stopped_it(world: World) -> None:
    world.change_integration(settings=TO_THE_3PL)
    world.download(order_id=FIRST)
    done(world, {"threePlStatus": DO_NOT})
    order = done(world, {"threePlStatus": None})
    assert (order["threePlStatus"], order["fulfillable"], order["stopped"]) == (AT_ONCE, True, None)
    assert order["lastChange"]["cause"] == "decisionTakenBack"


def test_null_gives_the_defaults_of_now_and_not_those_of_then(world: World) -> None:
    world.download(order_id=FIRST)
    done(world, {"threePlStatus": DO_NOT})
    world.change_integration(settings=TO_THE_3PL)
    assert done(world, {"threePlStatus": None})["threePlStatus"] == AT_ONCE


def test_null_for_fully_dispatched_is_not_the_same_as_not_sent(world: World) -> None:
    world.change_integration(settings=OWN_WAREHOUSE)
    world.download(order_id=FIRST)
    not_sent = done(world, {"fullyDispatched": False})
    assert (not_sent["dispatchedBy"], not_sent["decisions"]["fullyDispatched"]["sentAt"]) == (None, None)
    nobody_said = done(world, {"fullyDispatched": None})
    assert (nobody_said["dispatchedBy"], nobody_said["decisions"]["fullyDispatched"]) == ("us", None)


def test_null_for_the_stage_ends_a_hold_by_hand_but_no_other(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    done(world, {"stage": "Needs Attention"})
    order = done(world, {"stage": None})
    assert (order["decisions"]["hold"], order["hold"]) == (None, "missing")


def test_null_on_a_held_order_lets_nothing_go(world: World) -> None:
    world.change_integration(settings=TO_THE_3PL)
    world.download(order_id=FIRST, buyer_email=None)
    done(world, {"threePlStatus": DO_NOT})
    order = done(world, {"threePlStatus": None})
    assert (order["hold"], order["threePlStatus"], order["decisions"]["threePlStatus"]) == ("missing", DO_NOT, None)


def test_null_passes_the_gate_and_lets_no_incomplete_order_go(world: World) -> None:
    world.change_integration(settings=TO_THE_3PL)
    world.download(order_id=FIRST)
    done(world, {"threePlStatus": DO_NOT})
    amazon_says(world, is_judged=False, line_items=())
    order = done(world, {"threePlStatus": None})
    assert (order["hold"], order["missing"], order["fulfillable"]) == ("missing", ["lineItems"], False)


@pytest.mark.parametrize("field", ["stage", "threePlStatus", "fullyDispatched"])
@pytest.mark.parametrize(("status", "code"), [("CANCELLED", "void"), ("SHIPPED", "shipped")])
def test_null_is_refused_on_a_closed_order(world: World, field: str, status: str, code: str) -> None:
    world.download(order_id=FIRST, fulfillment_status=status)
    assert patch(world, {field: None}).body["code"] == code


# Amazon says something else than was typed ----------------------------------------------------------------------------


LATE = "late@marketplace.example.com"


def a_differing(world: World) -> None:
    """Held for its email, typed; then Amazon sends another."""
    world.download(order_id=FIRST, buyer_email=None)
    done(world, TYPED)
    amazon_says(world, buyer_email=LATE)


def test_an_order_heals_by_itself_once_amazon_says_what_was_typed(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    done(world, TYPED)
    amazon_says(world, buyer_email="Typed@B.example.com")
    assert (shown(world)["hold"], shown(world)["lastChange"]["events"]) == (None, ["OrderHealed"])


def test_a_late_value_of_amazons_holds_the_order_until_somebody_settles_it(world: World) -> None:
    a_differing(world)
    order = shown(world)
    assert (order["hold"], order["missing"], order["readyToRelease"]) == ("missing", ["email"], False)
    assert (order["email"], order["amazonSays"]) == (TYPED["email"], {"email": LATE})
    (detail,) = order["missingDetails"]
    assert (detail["field"], detail["reason"]) == ("email", "differsFromAmazon")


@pytest.mark.parametrize("wish", ["release", "stage", "dry run"])
def test_a_release_before_that_is_refused_with_both_values(world: World, wish: str) -> None:
    a_differing(world)
    revision = world.order(FIRST).revision
    one = {"orderId": FIRST, "release": True}
    answers = {
        "release": lambda: release(world),
        "stage": lambda: patch(world, {"stage": "New"}),
        "dry run": lambda: world.call("POST", "/bulk/orders", {"orders": [one], "dryRun": True}, role="editor"),
    }
    body = answers[wish]().body
    problem = body["orders"][0]["problem"] if wish == "dry run" else body
    assert (problem["status"], problem["code"]) == (409, "differsFromAmazon")
    assert [(error["field"], error["code"]) for error in problem["errors"]] == [("email", "differsFromAmazon")]
    assert problem["order"]["revision"] == revision
    assert problem["order"]["email"] == TYPED["email"]
    assert problem["order"]["amazonSays"] == {"email": LATE}
    assert world.order(FIRST).revision == revision


def test_no_other_refusal_of_the_gate_shows_the_order(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    assert "order" not in release(world).body
    assert "order" not in patch(world, {"threePlStatus": AT_ONCE}).body


@pytest.mark.parametrize(
    ("body", "email"),
    [
        ({"keepTyped": ["email"]}, "typed@b.example.com"),
        (TYPED, "typed@b.example.com"),
        ({"email": "third@b.example.com"}, "third@b.example.com"),
        ({"email": None}, LATE),
        ({"email": LATE}, LATE),
    ],
)
def test_an_editor_settles_the_difference_and_the_order_heals_at_once(
    world: World, body: dict[str, Any], email: str
) -> None:
    a_differing(world)
    order = done(world, body)
    assert (order["hold"], order["email"], order["threePlStatus"]) == (None, email, UPON_COMPLETION)


@pytest.mark.parametrize(("body", "email"), [({"keepTyped": ["email"]}, TYPED["email"]), ({"email": None}, LATE)])
def test_a_bulk_change_settles_it_too(world: World, body: dict[str, Any], email: str) -> None:
    a_differing(world)
    wishes = [{"orderId": FIRST, "patch": body}]
    (one,) = world.call("POST", "/bulk/orders", {"orders": wishes}, role="editor").body["orders"]
    assert (one["status"], one["order"]["hold"], one["order"]["email"]) == (200, None, email)


def test_what_was_settled_opens_anew_for_the_next_value_of_amazons(world: World) -> None:
    a_differing(world)
    done(world, {"keepTyped": ["email"]})
    amazon_says(world, buyer_email=None)  # silence closes and opens nothing
    assert shown(world)["hold"] is None
    amazon_says(world, buyer_email="third@marketplace.example.com")
    order = shown(world)
    assert (order["hold"], order["heldAfterRelease"], order["missing"]) == ("missing", True, ["email"])


def test_amazons_silence_does_not_close_a_difference(world: World) -> None:
    a_differing(world)
    amazon_says(world, buyer_email=None)
    assert release(world).body["code"] == "differsFromAmazon"


def test_an_administrator_overrides_a_difference_too(world: World) -> None:
    a_differing(world)
    answer = release(world, {"override": {"reason": "The buyer wrote this one."}}, role="administrator")
    assert (answer.status, answer.body["hold"], answer.body["email"]) == (200, None, TYPED["email"])
    assert answer.body["override"]["fields"] == ["email"]


def test_amazons_first_word_after_a_release_is_an_alert_and_holds_nothing(world: World) -> None:
    world.download(order_id=FIRST, recipient_name=None, buyer_name=None)
    done(world, {"firstName": "Nia", "lastName": "Moss", "stage": "New", "threePlStatus": UPON_COMPLETION})
    amazon_says(world, recipient_name="Zoe Fern")
    order = shown(world)
    assert (order["hold"], order["alerts"], order["missing"]) == (None, ["DiffersFromAmazon"], [])
    amazon_says(world, recipient_name="Ada Fern")  # a second word replaces a value of Amazon's
    assert (shown(world)["hold"], shown(world)["missing"]) == ("missing", ["lastName"])


def test_a_value_that_came_while_the_order_was_snoozed_holds_it_afterwards(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    done(world, {**TYPED, "stage": "New"})
    done(world, {"snoozeUntil": "2026-11-24T12:00:00Z"})
    amazon_says(world, buyer_email=LATE)
    order = done(world, {"stage": None})
    assert (order["hold"], order["missing"]) == ("missing", ["email"])


def test_a_new_phone_number_alone_holds_nothing(world: World) -> None:
    world.download(order_id=FIRST, delivery_address=an_address(phone="+1 503 555 0100"))
    done(world, {"deliveryAddress": {"phone": "+1 503 555 0111"}})
    amazon_says(world, delivery_address=an_address(phone="+1 503 555 0122"))
    assert (shown(world)["hold"], shown(world)["alerts"]) == (None, [])


# Alerts end -----------------------------------------------------------------------------------------------------------


def an_alerted(world: World) -> None:
    """At the warehouse, and changed by Amazon since."""
    world.change_integration(settings=TO_THE_3PL)
    world.download(order_id=FIRST)
    at_the_warehouse(world, "acknowledge")
    amazon_says(world, delivery_address=an_address(line1="1 Quay"))


def test_an_editor_closes_an_alert_which_is_shown_with_who_and_when(world: World) -> None:
    an_alerted(world)
    assert shown(world)["alerts"] == ["ChangedAfterHandOver"]
    order = done(world, {"closeAlerts": ["ChangedAfterHandOver"]})
    closed = {"alert": "ChangedAfterHandOver", "by": "editor@example.com", "at": "2026-11-23T12:00:00.000Z"}
    assert (order["alerts"], order["closedAlerts"]) == ([], [closed])
    assert order["lastChange"]["cause"] == "alertsClosed"


def test_a_closed_alert_is_raised_for_other_news_and_not_for_the_same(world: World) -> None:
    an_alerted(world)
    done(world, {"closeAlerts": ["ChangedAfterHandOver"]})
    amazon_says(world, delivery_address=an_address(line1="1  QUAY."))
    assert shown(world)["alerts"] == []
    amazon_says(world, delivery_address=an_address(line1="2 Quay"))
    order = shown(world)
    assert (order["alerts"], order["lastChange"]["events"]) == (["ChangedAfterHandOver"], ["ChangedAfterHandOver"])


def test_an_alert_closes_with_the_dispatch_that_overtakes_it(world: World) -> None:
    an_alerted(world)
    amazon_says(world, fulfillment_status="SHIPPED")
    assert (shown(world)["alerts"], shown(world)["dispatchedBy"]) == ([], "amazon")


def test_an_order_that_is_shipped_no_more_is_held_until_somebody_answers(world: World) -> None:
    world.download(order_id=FIRST, fulfillment_status="SHIPPED")
    amazon_says(world, fulfillment_status="UNSHIPPED")
    order = shown(world)
    assert (order["hold"], order["missing"], order["cameBackFrom"]) == ("missing", ["fulfillmentUnknown"], "shipped")
    confirmed = done(world, {"confirmed": ["fulfillmentUnknown"]})
    assert (confirmed["readyToRelease"], confirmed["fulfillable"]) == (True, False)
    assert release(world).status == 200


@pytest.mark.parametrize(
    "fields", [{"fulfillment_status": "LOST"}, {"fulfillment_status": None}, {"fulfilled_by": "X"}]
)
def test_an_order_with_an_unknown_status_or_channel_is_held(world: World, fields: dict[str, Any]) -> None:
    world.download(order_id=FIRST, **fields)
    assert shown(world)["missing"] == ["fulfillmentUnknown"]
    assert release(world).body["code"] == "incomplete"


def test_a_confirmed_request_to_cancel_does_not_hide_the_next_one(world: World) -> None:
    lines = (a_line(asked_to_cancel=True), a_line(order_item_id="90002"))
    world.download(order_id=FIRST, line_items=lines)
    assert shown(world)["missing"] == ["buyerRequestedCancel"]
    assert done(world, {"confirmed": ["buyerRequestedCancel"]})["readyToRelease"] is True
    amazon_says(world, line_items=tuple(line.model_copy(update={"asked_to_cancel": True}) for line in lines))
    assert shown(world)["missing"] == ["buyerRequestedCancel"]


# What the warehouse sends ---------------------------------------------------------------------------------------------


def test_the_warehouse_reads_the_number_to_send_as_the_quantity(world: World) -> None:
    world.change_integration(settings=TO_THE_3PL)
    lines = (a_line(quantity=3, quantity_fulfilled=1, quantity_unfulfilled=2), a_line(order_item_id="9", quantity=1))
    world.download(order_id=FIRST, line_items=lines)
    to_send = [(line["quantity"], line["quantityOrdered"]) for line in shown(world, "warehouse")["lineItems"]]
    for_people = [(line["quantity"], line["quantityToSend"]) for line in shown(world)["lineItems"]]
    assert (to_send, for_people) == ([(2, 3), (1, 1)], [(3, 2), (1, 1)])


def test_a_line_with_nothing_left_to_send_is_none_of_the_warehouses(world: World) -> None:
    world.change_integration(settings=TO_THE_3PL)
    gone = a_line(order_item_id="9", quantity=1, quantity_fulfilled=1, quantity_unfulfilled=0)
    cancelled = a_line(order_item_id="8", is_cancelled=True)
    world.download(order_id=FIRST, line_items=(a_line(), gone, cancelled))
    assert [line["orderItemId"] for line in shown(world, "warehouse")["lineItems"]] == ["90001"]
    assert [line["orderItemId"] for line in shown(world)["lineItems"]] == ["90001", "9"]


def test_the_warehouse_reads_what_it_took_whatever_amazon_says_later(world: World) -> None:
    world.change_integration(settings=TO_THE_3PL)
    world.download(order_id=FIRST)
    assert [line["quantity"] for line in at_the_warehouse(world, "acknowledge").body["lineItems"]] == [2]
    amazon_says(world, line_items=(LineItem(order_item_id="90009", seller_sku="LAMP-9", quantity=7),))
    taken = [(line["sellerSku"], line["quantity"]) for line in shown(world, "warehouse")["lineItems"]]
    assert taken == [("LAMP-1", 2)]
    assert [line["sellerSku"] for line in shown(world)["lineItems"]] == ["LAMP-9"]


def test_a_line_taken_before_skus_were_kept_verbatim_is_known_again(world: World) -> None:
    world.change_integration(settings=TO_THE_3PL)
    world.download(order_id=FIRST, line_items=(a_line(seller_sku="LAMP 1"),))
    at_the_warehouse(world, "acknowledge")
    amazon_says(world, line_items=(a_line(seller_sku="LAMP  1", title="Lamp"),))
    taken = [(line["sellerSku"], line["title"]) for line in shown(world, "warehouse")["lineItems"]]
    assert taken == [("LAMP  1", "Lamp")]
    assert shown(world)["alerts"] == []


def test_lines_as_the_warehouse_reads_them_have_people_in_none(world: World) -> None:
    world.change_integration(settings=TO_THE_3PL)
    world.download(order_id=FIRST)
    done(world, {"stage": "New"})
    order = shown(world, "warehouse")
    assert not {"decisions", "stopped", "assignedTo", "comment"} & order.keys()
    rows = world.call("GET", "/orders", role="warehouse").body["orders"]
    assert not {"stopped", "assignedTo"} & rows[0].keys()


# The warehouse sends it -----------------------------------------------------------------------------------------------


def taken(world: World) -> None:
    world.change_integration(settings=TO_THE_3PL)
    world.download(order_id=FIRST)
    assert at_the_warehouse(world, "acknowledge").status == 200


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({}, "2026-11-23T12:00:00.000Z"),
        ({"dispatchedAt": "2026-11-23T12:00:00+01:00"}, "2026-11-23T11:00:00.000Z"),
    ],
)
def test_the_warehouse_reports_that_it_sent_an_order(world: World, body: dict[str, str], at: str) -> None:
    taken(world)
    order = at_the_warehouse(world, "dispatched", body).body
    assert (order["status"], order["dispatchedBy"], order["fullyDispatchedAt"]) == ("Dispatched", "warehouse", at)
    assert (order["lastChange"]["cause"], order["lastChange"]["events"]) == ("dispatched", ["OrderDispatched"])


def test_a_dispatch_that_is_reported_again_changes_nothing(world: World) -> None:
    taken(world)
    first = at_the_warehouse(world, "dispatched", {})
    world.clock.advance(HOUR)
    assert at_the_warehouse(world, "dispatched", {}).body["revision"] == first.body["revision"]


def test_an_order_that_the_warehouse_did_not_take_is_not_sent_by_it(world: World) -> None:
    world.change_integration(settings=TO_THE_3PL)
    world.download(order_id=FIRST)
    answer = at_the_warehouse(world, "dispatched", {})
    assert (answer.status, answer.body["code"]) == (409, "notTransferred")


@pytest.mark.parametrize(
    ("at", "status", "code"),
    [
        (NOON + MINUTE, 422, "inTheFuture"),
        (CREATED - MINUTE, 409, "dispatchedBeforeOrdered"),
    ],
)
def test_a_dispatch_is_neither_in_the_future_nor_before_the_order(
    world: World, at: Any, status: int, code: str
) -> None:
    taken(world)
    answer = at_the_warehouse(world, "dispatched", {"dispatchedAt": at.isoformat()})
    assert (answer.status, code in str(answer.body)) == (status, True)


def test_a_person_may_say_that_a_handed_over_order_was_sent_and_take_it_back(world: World) -> None:
    taken(world)
    sent = done(world, {"fullyDispatched": True})
    assert (sent["status"], sent["dispatchedBy"]) == ("Dispatched", "person")
    back = done(world, {"fullyDispatched": False})
    assert (back["status"], back["threePlStatus"]) == ("Open", "Transferred to 3PL for Picking")


def test_an_order_reported_as_sent_is_not_taken_back(world: World) -> None:
    taken(world)
    at_the_warehouse(world, "transfer-failed", {"reason": "The shelf is empty."})
    at_the_warehouse(world, "dispatched", {})
    assert patch(world, {"threePlStatus": DO_NOT}).body["code"] == "alreadyDispatched"


def test_a_take_back_undoes_the_dispatch_and_the_order_is_not_sent_twice(world: World) -> None:
    world.download(order_id=FIRST)
    done(world, {"fullyDispatched": True})
    assert at_the_warehouse(world, "acknowledge").status == 200
    at_the_warehouse(world, "transfer-failed", {"reason": "The shelf is empty."})
    order = done(world, {"threePlStatus": DO_NOT})
    assert (order["status"], order["dispatchedBy"], order["fulfillable"]) == ("Open", None, False)


def test_do_not_transfer_lands_on_an_incomplete_order_taken_back(world: World) -> None:
    taken(world)
    at_the_warehouse(world, "transfer-failed", {"reason": "No street."})
    amazon_says(world, line_items=())
    refused = patch(world, {"threePlStatus": AT_ONCE})
    assert (refused.status, refused.body["code"]) == (409, "held")
    assert world.order(FIRST).three_pl_status is ThreePlStatus.WITH_ERRORS
    order = done(world, {"threePlStatus": DO_NOT})
    assert (order["hold"], order["missing"], order["stopped"]["by"]) == ("missing", ["lineItems"], "editor@example.com")


@pytest.mark.parametrize("role", ["reader", "editor"])
def test_only_the_warehouse_or_an_administrator_reports_a_dispatch(world: World, role: str) -> None:
    taken(world)
    assert at_the_warehouse(world, "dispatched", {}, role=role).status == 403
    assert at_the_warehouse(world, "dispatched", {}, role="administrator").status == 200


# Their history --------------------------------------------------------------------------------------------------------


def history_of(world: World, *bodies: object) -> list[tuple[str, list[str]]]:
    """The cause and the fields of each of these changes, as the history answers them, the first one first."""
    history = HistoryStore(world.dynamodb, "HistoryTable")
    for body in bodies:
        done(world, body)
        history.save(OrderRevision.from_image(to_item(world.order(FIRST))))
    answer = world.call("GET", f"/orders/{FIRST}/history", role="reader").body
    changes = [change for change in reversed(answer["changes"]) if "cause" in change]
    assert {change["by"] for change in changes} == {"editor@example.com"}
    return [(change["cause"], change["fields"]) for change in changes]


def test_the_history_names_each_decision_on_a_held_order(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    told = history_of(
        world,
        {"threePlStatus": DO_NOT},
        {"threePlStatus": None},
        {"stage": "Needs Attention"},
        {"snoozeUntil": "2026-11-24T12:00:00Z"},
        {"stage": None},
    )
    assert told == [
        ("threePlStatus", ["decisions.threePlStatus"]),
        ("decisionTakenBack", ["decisions.threePlStatus"]),
        ("hold", ["decisions.hold"]),
        ("snooze", ["decisions.hold"]),
        ("decisionTakenBack", ["decisions.hold"]),
    ]


def test_the_history_names_each_decision_on_an_order_let_go(world: World) -> None:
    world.call("POST", "/stages", {"name": "Packing"})
    world.download(order_id=FIRST)
    told = history_of(
        world,
        {"fullyDispatched": True},
        {"fullyDispatched": False},
        {"fullyDispatched": None},
        {"stage": "Packing"},
        {"stage": None, "threePlStatus": None},
    )
    assert told == [
        ("dispatch", ["fullyDispatchedAt", "dispatchedBy", "decisions.fullyDispatched"]),
        ("dispatch", ["fullyDispatchedAt", "dispatchedBy", "decisions.fullyDispatched"]),
        ("decisionTakenBack", ["decisions.fullyDispatched"]),
        ("stage", ["stage", "decisions.stage"]),
        ("decisionTakenBack", ["stage", "decisions.stage"]),
    ]


def test_the_history_names_a_typed_value_that_was_kept(world: World) -> None:
    a_differing(world)
    (kept,) = history_of(world, {"keepTyped": ["email"]})
    assert kept == ("edit", ["hold", "missing", "stage", "threePlStatus", "keepTyped.email"])


def test_the_history_names_an_alert_that_was_closed(world: World) -> None:
    an_alerted(world)
    (closed,) = history_of(world, {"closeAlerts": ["ChangedAfterHandOver"]})
    assert closed == ("alertsClosed", ["closedAlerts.ChangedAfterHandOver"])

"""Settings by marketplace: at every door of the API, an order has those of its marketplace."""

from datetime import timedelta
from typing import Any

import pytest

from needs_attention.integrations.arrivals import Arrival, Arrivals
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.jobs.validation import Validation
from needs_attention.orders.order import Order
from needs_attention.orders.settings import Checks, Settings, ThreePlStatus
from needs_attention.orders.verdict import judged
from needs_attention.tables.order_items import to_item
from needs_attention.values.times import instant
from tools.builders import CREATED, NOON, an_amazon_order, an_order, edited
from tools.in_memory.api import Answer, World

ACME = "/integrations/acme-na"
US, CANADA, BRITAIN = "ATVPDKIKX0DER", "A2EUQ1WTGCTBG2", "A1F83G8C2ARO7P"
# The order of the marketplace with overrides, and one of a marketplace without.
OVERRIDDEN, OTHER = "701-1111111-0000001", "701-1111111-0000002"
SOLD_IN = {OVERRIDDEN: US, OTHER: CANADA}
MINUTE = timedelta(minutes=1)
TO_WAREHOUSE = Settings(default_three_pl_status=ThreePlStatus.NOW)


def override(world: World, **overrides: Any) -> Answer:
    answer = world.call("PATCH", ACME, {"settings": {"marketplaces": {US: overrides}}})
    assert answer.status == 200, answer.body
    return answer


def store_both(world: World, settings: Settings, **facts: Any) -> None:
    """Both orders, judged by these settings."""
    for order_id, marketplace_id in SOLD_IN.items():
        amazon = an_amazon_order(order_id=order_id, marketplace_id=marketplace_id, **facts)
        world.store(judged(an_order(amazon), settings, NOON))


def rows(world: World, member: str, role: str = "reader", **query: object) -> dict[str, Any]:
    found = world.call("GET", "/orders", role=role, query=query).body["orders"]
    return {row["orderId"]: row[member] for row in found}


def both(world: World) -> tuple[Order, Order]:
    return world.order(OVERRIDDEN), world.order(OTHER)


# What leaves ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [({"trialMode": True}, "trialMode"), ({"goLiveDate": instant(CREATED + MINUTE)}, "beforeGoLive")],
)
def test_only_the_orders_of_a_live_marketplace_leave(world: World, overrides: Any, reason: str) -> None:
    store_both(world, TO_WAREHOUSE)
    override(world, **overrides)
    assert rows(world, "blockedBy") == {OVERRIDDEN: [reason], OTHER: []}
    assert rows(world, "fulfillable") == {OVERRIDDEN: False, OTHER: True}
    assert [*rows(world, "orderId", fulfillable=True)] == [OTHER]
    assert [*rows(world, "orderId", role="warehouse")] == [OTHER]
    assert world.call("GET", f"/orders/{OVERRIDDEN}", role="warehouse").status == 404
    refused = world.call("POST", f"/orders/{OVERRIDDEN}/acknowledge", role="warehouse")
    assert (refused.status, refused.body["code"]) == (409, "notLive")
    assert world.call("POST", f"/orders/{OTHER}/acknowledge", role="warehouse").status == 200


@pytest.mark.parametrize(
    "overrides", [{"trialMode": False, "goLiveDate": instant(CREATED)}, {"trialMode": False, "goLiveDate": None}]
)
def test_a_marketplace_goes_live_before_the_others(world: World, overrides: Any) -> None:
    store_both(world, TO_WAREHOUSE)
    world.change_integration(settings=IntegrationSettings(trial_mode=True))
    override(world, **overrides)
    assert [*rows(world, "orderId", role="warehouse")] == [OVERRIDDEN]
    assert world.call("POST", f"/orders/{OVERRIDDEN}/acknowledge", role="warehouse").status == 200


def test_the_hand_over_asks_the_checks_of_the_marketplace(world: World) -> None:
    world.change_integration(settings=IntegrationSettings(checks=Checks(email=False)))
    unchecked = TO_WAREHOUSE.model_copy(update={"checks": Checks(email=False)})
    store_both(world, unchecked, buyer_email=None)
    override(world, checks={"email": True})
    assert world.call("POST", f"/orders/{OVERRIDDEN}/acknowledge", role="warehouse").status == 409
    assert world.order(OVERRIDDEN).is_held
    assert world.call("POST", f"/orders/{OTHER}/acknowledge", role="warehouse").status == 200


def test_an_override_made_in_the_instant_of_the_hand_over_counts(world: World) -> None:
    store_both(world, TO_WAREHOUSE)
    with world.just_before("edit_orders", "TransactWriteItems", lambda: override(world, trialMode=True)):
        answer = world.call("POST", f"/orders/{OVERRIDDEN}/acknowledge", role="warehouse")
    assert (answer.status, answer.body["code"]) == (409, "notLive")


# What people see and do -----------------------------------------------------------------------------------------------


def test_an_order_goes_nowhere_by_the_default_of_its_marketplace(world: World) -> None:
    store_both(world, Settings(default_three_pl_status=ThreePlStatus.DO_NOT_TRANSFER))
    override(world, defaultThreePlStatus="Do Not Transfer")
    assert rows(world, "goingNowhere") == {OVERRIDDEN: False, OTHER: True}
    assert [*rows(world, "orderId", goingNowhere=True)] == [OTHER]
    assert world.call("GET", "/summary", role="reader").body["goingNowhere"] == 1


def test_an_order_shows_the_billing_address_of_its_marketplace(world: World) -> None:
    store_both(world, Settings())
    override(world, billingAddress="require")
    shown = {one: world.call("GET", f"/orders/{one}", role="reader").body["billingAddress"] for one in SOLD_IN}
    assert shown[OVERRIDDEN] is None
    assert shown[OTHER] is not None


def test_what_a_typed_value_hides_depends_on_the_settings_of_the_marketplace(world: World) -> None:
    override(world, billingAddress="require")
    integration = world.integrations.get("acme-na")
    assert integration is not None
    for order_id, marketplace_id in SOLD_IN.items():
        amazon = an_amazon_order(order_id=order_id, marketplace_id=marketplace_id)
        without_town = edited(amazon, delivery_address={"city": ""})
        world.store(judged(an_order(amazon, edits=without_town), integration.settings.of(marketplace_id), NOON))
    details = {one: world.call("GET", f"/orders/{one}", role="reader").body["missingDetails"] for one in SOLD_IN}
    steps = {
        order_id: next(one["nextStep"] for one in missing if one["field"] == "billingAddress")
        for order_id, missing in details.items()
    }
    assert "Amazon has all of" in steps[OTHER]
    assert "Amazon has all of" not in steps[OVERRIDDEN]


LEAVES_AT_ONCE = {
    "defaultStage": "Picking",
    "defaultThreePlStatus": "Transfer to 3PL Now",
    "autoDispatchOrders": True,
}


@pytest.mark.parametrize("way", ["release", "patch", "bulk"])
def test_a_released_order_gets_the_defaults_of_its_marketplace(world: World, way: str) -> None:
    world.call("POST", "/stages", {"name": "Picking"})
    store_both(world, Settings(), buyer_email=None)
    override(world, **LEAVES_AT_ONCE)
    world.call("PATCH", ACME, {"settings": {"checks": {"email": False}}})
    for order_id in SOLD_IN:
        if way == "bulk":
            world.call("POST", "/bulk/orders", {"orders": [{"orderId": order_id, "release": True}]}, role="editor")
        elif way == "patch":
            world.call("PATCH", f"/orders/{order_id}", {"email": "typed@b.example.com"}, role="editor")
        else:
            world.call("POST", f"/orders/{order_id}/release", role="editor")
    overridden, other = both(world)
    assert (overridden.stage, overridden.three_pl_status) == ("picking", ThreePlStatus.NOW)
    assert (other.stage, other.three_pl_status) == ("new", ThreePlStatus.UPON_COMPLETION)
    assert (overridden.dispatched_by, other.dispatched_by) == ("us", None)


def test_a_typed_value_completes_an_order_by_the_checks_of_its_marketplace(world: World) -> None:
    store_both(world, Settings(), buyer_email=None, line_items=())
    override(world, checks={"lineItems": False})
    for order_id in SOLD_IN:
        world.call("PATCH", f"/orders/{order_id}", {"email": "typed@b.example.com"}, role="editor")
    assert rows(world, "missing") == {OVERRIDDEN: [], OTHER: ["lineItems"]}
    assert rows(world, "readyToRelease") == {OVERRIDDEN: True, OTHER: False}


def test_the_report_of_a_dispatch_is_judged_by_the_settings_of_the_marketplace(world: World) -> None:
    store_both(world, TO_WAREHOUSE)
    for order_id in SOLD_IN:
        world.call("POST", f"/orders/{order_id}/acknowledge", role="warehouse")
    override(world, trialMode=True)
    for order_id in SOLD_IN:
        assert world.call("POST", f"/orders/{order_id}/dispatched", role="warehouse").status == 200
    overridden, other = both(world)
    assert (overridden.is_live, other.is_live) == (False, True)


def test_the_erasure_of_an_order_is_judged_by_the_settings_of_its_marketplace(world: World) -> None:
    store_both(world, Settings())
    override(world, trialMode=True)
    for order_id in SOLD_IN:
        body = {"reference": "GR-2041", "evenIfUnsent": True}
        assert world.call("POST", f"/orders/{order_id}/erase", body).status == 200
    overridden, other = both(world)
    assert (overridden.is_live, other.is_live) == (False, True)


# Verdicts -------------------------------------------------------------------------------------------------------------


def test_a_first_verdict_goes_by_the_settings_of_the_marketplace(world: World) -> None:
    world.call("POST", "/stages", {"name": "Picking"})
    override(world, **LEAVES_AT_ONCE, checks={"email": False})
    validation = Validation(world.orders, world.integrations, NOON)
    for order_id, marketplace_id in (*SOLD_IN.items(), ("701-1111111-0000003", None)):
        amazon = an_amazon_order(order_id=order_id, marketplace_id=marketplace_id, buyer_email=None)
        validation.judge_image(to_item(world.store(an_order(amazon))))
    overridden, other = both(world)
    assert (overridden.stage, overridden.three_pl_status, overridden.is_held) == ("picking", ThreePlStatus.NOW, False)
    assert (other.is_held, world.order("701-1111111-0000003").is_held) == (True, True)


def test_a_preview_judges_each_order_by_its_marketplace(world: World) -> None:
    store_both(world, Settings(), buyer_email=None)
    change = {"settings": {"marketplaces": {US: {"checks": {"email": False}}}}, "dryRun": True}
    answer = world.call("PATCH", ACME, change)
    assert answer.body["preview"] == {"orders": 2, "wouldBeHeld": 0, "wouldBeLetGo": 1, "isTruncated": False}
    override(world, checks={"email": False})
    back = world.call("PATCH", ACME, {"settings": {"checks": {"email": False}, "marketplaces": None}, "dryRun": True})
    assert back.body["preview"] == {"orders": 2, "wouldBeHeld": 0, "wouldBeLetGo": 1, "isTruncated": False}
    assert back.body["settings"]["marketplaces"] == {}


def test_a_connection_names_the_role_by_the_checks_of_each_marketplace(world: World) -> None:
    world.change_integration(marketplace_ids=(US, CANADA))
    arrival = {"at": NOON, "lacks": ("deliveryAddress",)}
    latest = {one: (Arrival(order="1", **arrival),) for one in (US, CANADA)}
    world.downloads.save_arrivals("acme-na", Arrivals(by_marketplace=latest))
    override(world, checks={"email": False})
    (us, canada) = world.call("GET", f"{ACME}/connection", role="reader").body["marketplaces"]
    assert (us["shippingRole"], canada["shippingRole"]) == ("notSeen", "granted")

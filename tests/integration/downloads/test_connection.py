"""A connection that is at fault: one incident, and not a false task for each of its orders."""

import re
from typing import Any

import pytest

from needs_attention.integrations.incidents import Incident
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.integrations.standing import OrderStanding
from needs_attention.orders.settings import NEW, ThreePlStatus
from needs_attention.orders.summary import Summary
from tests.integration.downloads.conftest import DAY, HOUR, MINUTE, NOON, World, second_look
from tools.amazon_stand_in.generator import generated
from tools.amazon_stand_in.ledger import amazon_time
from tools.amazon_stand_in.misbehaviour import Misbehaviour
from tools.amazon_stand_in.visibility import ALL_DATA_ROLES

SHIPPING = "Direct-to-Consumer Shipping"
US = "ATVPDKIKX0DER"


@pytest.fixture
def shop(world: World) -> World:
    """Twenty whole orders of one marketplace, not downloaded yet, at an Amazon with quota to spare."""
    for entry in world.amazon.orders():
        world.amazon.patch(entry.order_id, {"fulfillment": {"fulfillmentStatus": "CANCELLED"}})
    for entry in generated(400, now=NOON, seed=5, shares={}):
        order = entry.order
        is_ours = order["fulfillment"].get("fulfilledBy") == "MERCHANT" and entry.fulfillment_status == "UNSHIPPED"
        if is_ours and entry.marketplace_id == US and len(ours(world)) < 20:
            world.amazon.put(order)
    assert len(ours(world)) == 20
    return world


def ours(world: World) -> list[str]:
    return [entry.order_id for entry in world.amazon.orders() if entry.fulfillment_status == "UNSHIPPED"]


def lose_the_role(world: World) -> None:
    world.amazon.set_roles(ALL_DATA_ROLES - {SHIPPING})


def grant_the_role(world: World) -> None:
    world.amazon.set_roles(ALL_DATA_ROLES)


def download_all(world: World, download_id: str = "d1") -> None:
    world.backdate(download_id=download_id)
    world.run()
    world.judge_all()


def vanished(world: World) -> Incident:
    incident = world.incidents.find("fieldsVanished")
    assert incident is not None
    return incident


def held(world: World) -> set[str]:
    return {order_id for order_id in world.items() if world.order(order_id).hold}


def asked_for(world: World) -> list[str]:
    return [request.path.rpartition("/")[2] for request in world.amazon.requests() if request.operation == "getOrder"]


def test_a_lost_role_is_one_incident_and_its_orders_stay_held(shop: World) -> None:
    lose_the_role(shop)
    download_all(shop)
    assert held(shop) == set(ours(shop))
    (incident,) = shop.incidents.incidents
    assert (incident.code, incident.since) == ("fieldsVanished", NOON)
    assert set(incident.fields) == {US}
    assert set(incident.fields[US]) == {"email", "deliveryAddress", "billingAddress"}  # another role gives the name
    assert "email on 20" in incident.evidence


def test_while_fields_are_gone_one_order_is_asked_for_on_behalf_of_all(shop: World) -> None:
    lose_the_role(shop)
    download_all(shop)
    shop.run_for(2 * HOUR)
    assert 7 <= len(asked_for(shop)) <= 9  # one in a quarter of an hour, from the beginning
    assert vanished(shop).since == NOON


def test_an_order_that_probed_for_all_stops_when_the_next_one_probes(shop: World) -> None:
    lose_the_role(shop)
    download_all(shop)
    shop.run_for(8 * HOUR, tick=15 * MINUTE)
    assert 10 <= len(asked_for(shop)) <= 40  # about one in a quarter of an hour


def test_once_the_role_is_back_all_orders_heal_and_the_incident_closes(shop: World) -> None:
    lose_the_role(shop)
    download_all(shop)
    shop.run_for(HOUR)
    grant_the_role(shop)
    shop.run_for(25 * MINUTE)
    shop.judge_all()
    assert held(shop) == set()
    assert not shop.incidents


def test_fields_that_stay_gone_keep_the_incident_open(shop: World) -> None:
    for order_id in ours(shop):
        nobody = {"buyer": {"buyerName": None}, "recipient": {"deliveryAddress": {"name": None}}}
        shop.amazon.patch(order_id, nobody)
    lose_the_role(shop)
    download_all(shop)
    grant_the_role(shop)
    shop.run_for(25 * MINUTE)
    assert (vanished(shop).since, vanished(shop).fields) == (NOON, {US: ("firstName", "lastName")})
    assert "firstName on 20" in vanished(shop).evidence


def test_a_person_may_ask_for_an_order_while_its_fields_are_gone(shop: World) -> None:
    lose_the_role(shop)
    download_all(shop)
    shop.run_for(3 * MINUTE)
    shop.amazon.forget_requests()
    order_id = ours(shop)[-1]
    shop.want(order_id)
    shop.clock.advance(MINUTE)
    shop.run()
    assert order_id in asked_for(shop)


def test_more_orders_than_a_burst_of_calls_is_worth_heal_by_one_search(
    shop: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("needs_attention.jobs.download.connection.MOST_BY_ID", 5)
    lose_the_role(shop)
    download_all(shop)
    grant_the_role(shop)
    shop.amazon.forget_requests()
    shop.run_for(4 * MINUTE)
    shop.judge_all()
    assert held(shop) == set()
    assert len(asked_for(shop)) == 1
    by_the_clock = [one for one in shop.downloads.backdated_downloads("demo") if one.requested_by == "clock"]
    assert [one.status for one in by_the_clock] == ["finished"]
    assert by_the_clock[0].counts.healed > 5


def test_as_many_orders_as_a_burst_is_worth_heal_without_a_search(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("needs_attention.jobs.download.connection.MOST_BY_ID", len(ours(shop)))
    lose_the_role(shop)
    download_all(shop)
    grant_the_role(shop)
    shop.run_for(4 * MINUTE)
    shop.judge_all()
    assert held(shop) == set()
    assert [one.requested_by for one in shop.downloads.backdated_downloads("demo")] == ["ada"]


def test_a_run_that_dies_while_it_heals_does_so_again(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    lose_the_role(shop)
    download_all(shop)
    grant_the_role(shop)
    save = shop.downloads.save_incidents

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shop.downloads, "save_incidents", dies)
    with pytest.raises(KeyboardInterrupt):
        shop.run_for(20 * MINUTE)
    monkeypatch.setattr(shop.downloads, "save_incidents", save)
    shop.run_for(25 * MINUTE)
    shop.judge_all()
    assert held(shop) == set()


def test_a_few_orders_without_an_email_are_their_own_gaps(shop: World) -> None:
    for order_id in ours(shop)[:8]:
        shop.amazon.patch(order_id, {"buyer": {"buyerEmail": None}})
    download_all(shop)
    assert len(held(shop)) == 8
    assert not shop.incidents


def test_a_marketplace_that_amazon_does_not_allow_is_told_from_a_lost_role(world: World) -> None:
    world.change(marketplace_ids=("A1PA6795UKMFR9",))
    world.clock.advance(10 * MINUTE)
    world.run()
    (incident,) = world.incidents.incidents
    assert incident.code == "marketplaceNotAllowed"
    assert "region" in incident.evidence


def test_quota_used_up_for_hours_is_an_incident_until_downloads_catch_up(world: World) -> None:
    world.run()
    world.amazon.misbehave(Misbehaviour.QUOTA_EXCEEDED, operations=["searchOrders"], times=None)
    world.run_for(110 * MINUTE, tick=5 * MINUTE)
    assert not world.incidents
    world.run_for(20 * MINUTE, tick=5 * MINUTE)
    (incident,) = world.incidents.incidents
    assert incident.code == "quotaExhausted"
    world.amazon.behave()
    world.run_for(30 * MINUTE)
    assert not world.incidents


def test_a_run_tells_how_many_incidents_are_open_and_how_far_it_is_behind(world: World) -> None:
    seen = world.run()
    assert seen is not None
    assert (seen.open_incidents, seen.cursor_lag) == (0, 0 * MINUTE)
    world.amazon.misbehave(Misbehaviour.HTML_503, operations=["searchOrders"], times=None)
    world.clock.advance(HOUR)
    seen = world.run()
    assert seen is not None
    assert (seen.open_incidents, seen.cursor_lag) == (1, HOUR)


def test_a_silent_week_closes_the_incident_and_asks_for_its_orders(
    shop: World,
) -> None:
    lose_the_role(shop)
    download_all(shop)
    for order_id in ours(shop):
        shop.amazon.patch(order_id, {"fulfillment": {"fulfillmentStatus": "CANCELLED"}})
    shop.clock.advance(6 * DAY)
    shop.run()
    assert vanished(shop).since == NOON
    shop.clock.advance(2 * DAY)
    shop.run()
    assert not shop.incidents
    shop.amazon.forget_requests()
    shop.clock.advance(MINUTE)
    shop.run()
    assert len(asked_for(shop)) == 20


def test_pausing_closes_incidents_of_calls_and_keeps_those_orders_wait_for(shop: World) -> None:
    lose_the_role(shop)
    download_all(shop)
    shop.amazon.misbehave(Misbehaviour.HTML_503, operations=["searchOrders"], times=None)
    shop.clock.advance(10 * MINUTE)
    shop.run()
    assert [one.code for one in shop.incidents.incidents] == ["fieldsVanished", "amazonUnavailable"]
    shop.change(is_paused=True)
    shop.run()
    assert [one.code for one in shop.incidents.incidents] == ["fieldsVanished"]


def test_a_run_tells_how_long_the_credentials_are_still_good(world: World) -> None:
    seen = world.run()
    assert seen is not None
    assert seen.credentials_last is None
    world.change(client_secret_created_at=NOON - 170 * DAY, consent_given_at=NOON)
    seen = world.run()
    assert seen is not None
    assert seen.credentials_last == 10 * DAY


# Status and channel ---------------------------------------------------------------------------------------------------

FULFILLMENT_IS_GONE = [Misbehaviour.NO_FULFILLMENT, Misbehaviour.UNKNOWN_VALUES]


def standing(world: World, order_id: str) -> OrderStanding:
    surroundings = world.integrations.surroundings("demo")
    assert surroundings is not None
    return OrderStanding.of(Summary.of(world.order(order_id)), surroundings, world.clock())


def of_us(world: World, order_ids: list[str]) -> list[str]:
    return [order_id for order_id in order_ids if world.order(order_id).amazon.marketplace_id == US]


@pytest.mark.parametrize("kind", FULFILLMENT_IS_GONE)
def test_orders_without_a_known_status_are_one_incident(shop: World, kind: Misbehaviour) -> None:
    shop.amazon.misbehave(kind, times=None)
    download_all(shop)
    (incident,) = shop.incidents.incidents
    assert (incident.code, incident.since, incident.fields[US]) == ("fieldsVanished", NOON, ("fulfillmentUnknown",))
    assert re.search(rf"Of the latest (\d+) orders of {US}, missing: fulfillmentUnknown on \1\.", incident.evidence)
    waiting = of_us(shop, sorted(held(shop)))
    assert {*ours(shop)} < {*waiting}
    seen = {(one.incident, one.queue) for one in (standing(shop, order_id) for order_id in waiting)}
    assert seen == {("fieldsVanished", "connectionAtFault")}


@pytest.mark.parametrize("kind", FULFILLMENT_IS_GONE)
def test_once_the_status_is_known_again_all_orders_heal(shop: World, kind: Misbehaviour) -> None:
    to_warehouse = IntegrationSettings(default_three_pl_status=ThreePlStatus.NOW, download_pending_orders=True)
    shop.change(settings=to_warehouse)
    shop.amazon.misbehave(kind, times=None)
    download_all(shop)
    shop.run_for(2 * HOUR)
    assert len(of_us(shop, asked_for(shop))) <= 9
    assert not any(shop.order(order_id).is_fulfillable for order_id in shop.items())
    shipped, *others = ours(shop)
    shop.amazon.patch(shipped, {"fulfillment": {"fulfillmentStatus": "SHIPPED"}})
    shop.amazon.behave()
    shop.run_for(25 * MINUTE)
    shop.judge_all()
    assert not shop.incidents
    assert of_us(shop, sorted(held(shop))) == []
    healed = {(one.stage, one.three_pl_status, one.is_transferable) for one in map(shop.order, others)}
    assert healed == {(NEW, ThreePlStatus.NOW, True)}
    sent = shop.order(shipped)
    assert (sent.dispatched_by, sent.three_pl_status, sent.is_fulfillable) == (
        "amazon",
        ThreePlStatus.DO_NOT_TRANSFER,
        False,
    )


def test_a_few_orders_without_a_status_are_their_own_doubts(shop: World) -> None:
    for order_id in ours(shop)[:8]:
        shop.amazon.patch(order_id, {"fulfillment": {"fulfillmentStatus": "ON_HOLD"}})
    download_all(shop)
    assert len(held(shop)) == 8
    assert not shop.incidents


def test_an_order_that_came_back_waits_for_a_person_also_in_an_outage(shop: World) -> None:
    download_all(shop)
    back = ours(shop)[0]
    shop.amazon.patch(back, {"fulfillment": {"fulfillmentStatus": "SHIPPED"}})
    shop.want(back)
    shop.run()
    shop.judge_all()
    shop.amazon.patch(back, {"fulfillment": {"fulfillmentStatus": "UNSHIPPED"}})
    shop.want(back)
    shop.run()
    shop.judge_all()
    shop.amazon.misbehave(Misbehaviour.NO_FULFILLMENT, times=None)
    download_all(shop, "d2")
    assert vanished(shop).fields[US] == ("fulfillmentUnknown",)
    assert (standing(shop, back).incident, standing(shop, ours(shop)[1]).incident) == (None, "fieldsVanished")
    shop.amazon.forget_requests()
    shop.run_for(20 * MINUTE)
    assert asked_for(shop).count(back) == 3  # after 2, 5 and 15 minutes, as an order with a gap of its own
    shop.amazon.forget_requests()
    shop.amazon.behave()
    shop.run_for(20 * MINUTE)
    assert not shop.incidents
    assert back not in asked_for(shop)


# The second look ------------------------------------------------------------------------------------------------------


@pytest.fixture
def watched(world: World) -> World:
    """Live downloads have been at it for a day, and have brought every order."""
    for entry in world.amazon.orders():
        world.amazon.patch(entry.order_id, {}, last_updated_time=NOON + 3 * HOUR)
    world.run_for(4 * HOUR, tick=20 * MINUTE)
    world.judge_all()
    world.run_for(20 * HOUR, tick=HOUR)
    assert world.items().keys() == world.ledger()
    return world


def test_a_second_look_finds_nothing_where_live_downloads_lost_nothing(watched: World) -> None:
    watched.run_for(HOUR, tick=10 * MINUTE)
    looked = second_look(watched)
    assert looked.finished_at is not None
    assert (looked.missed_count, looked.counts.unchanged) == (0, len(watched.ledger()))
    assert looked.updated_after == NOON


def test_an_order_that_live_downloads_missed_is_found_stored_and_reported(watched: World) -> None:
    known = watched.amazon.order(min(watched.ledger())).order
    missed = "777-7777777-7777777"
    watched.amazon.put(known | {"orderId": missed, "lastUpdatedTime": amazon_time(NOON + 20 * HOUR)})
    watched.run_for(HOUR, tick=10 * MINUTE)
    assert (second_look(watched).missed, second_look(watched).missed_count) == ((missed,), 1)
    assert second_look(watched).counts.new == 1
    assert watched.order(missed).amazon.updated_at == NOON + 20 * HOUR


def test_a_version_that_a_new_role_fills_was_not_missed(watched: World) -> None:
    order_id = ours(watched)[0]
    known = watched.order(order_id)
    poorer = known.with_(amazon=known.amazon.model_copy(update={"buyer_email": None}))
    watched.orders.save(known, poorer, by="amazon", at=watched.clock(), cause="download")
    watched.run_for(HOUR, tick=10 * MINUTE)
    looked = second_look(watched)
    assert (looked.counts.changed, looked.missed_count) == (1, 0)
    assert watched.order(order_id).amazon == known.amazon


def test_a_second_look_comes_again_a_day_after_the_last(watched: World) -> None:
    watched.run_for(HOUR, tick=10 * MINUTE)
    first = second_look(watched)
    watched.run_for(22 * HOUR, tick=HOUR)
    assert second_look(watched) == first
    watched.run_for(3 * HOUR, tick=30 * MINUTE)
    assert second_look(watched).updated_before > first.updated_before


def test_a_second_look_takes_no_quota_that_anything_else_could_use(watched: World) -> None:
    empty = watched.live.search_bucket.emptied(watched.clock())
    watched.downloads.save_live_download("demo", watched.live.model_copy(update={"search_bucket": empty}))
    watched.run_for(50 * MINUTE, tick=10 * MINUTE)
    assert watched.state.reconciliation is None
    watched.run_for(HOUR, tick=10 * MINUTE)
    assert second_look(watched).finished_at is not None


def test_a_second_look_that_amazon_rejects_is_taken_up_again(watched: World) -> None:
    watched.change(is_paused=True)
    watched.run_for(20 * MINUTE, tick=10 * MINUTE)
    watched.change(is_paused=False)
    watched.run(lasting=MINUTE * 0)  # the live download; what comes next is the second look
    watched.amazon.misbehave(Misbehaviour.INVALID_INPUT, operations=["searchOrders"], times=2)
    watched.run()
    assert second_look(watched).retry_at == watched.clock() + 5 * MINUTE
    watched.run_for(HOUR, tick=10 * MINUTE)
    assert second_look(watched).finished_at is not None
    assert not watched.incidents


def news(world: World) -> list[tuple[str, str, str]]:
    return [(event.name, event.detail["integration"], event.detail["code"]) for event in world.events.told]


def test_an_incident_is_told_once_when_it_opens_and_once_when_it_closes(world: World) -> None:
    world.amazon.misbehave(Misbehaviour.HTML_503, operations=["searchOrders"], times=None)
    world.run_for(HOUR)
    assert news(world) == [("IncidentOpened", "demo", "amazonUnavailable")]
    world.amazon.behave()
    world.run_for(HOUR)
    assert news(world)[1:] == [("IncidentClosed", "demo", "amazonUnavailable")]
    details = [event.detail for event in world.events.told]
    assert "503" in details[0]["evidence"]
    assert len({detail["changeId"] for detail in details}) == 2


def test_an_incident_that_no_call_revealed_is_told_without_a_request(shop: World) -> None:
    lose_the_role(shop)
    download_all(shop)
    (told,) = shop.events.told
    assert told.detail.keys() == {"integration", "code", "since", "evidence", "fields", "at", "changeId"}


def test_news_of_an_incident_waits_until_the_bus_takes_it(world: World) -> None:
    world.events.is_full = True
    world.amazon.misbehave(Misbehaviour.HTML_503, operations=["searchOrders"], times=None)
    world.run_for(20 * MINUTE)
    assert news(world) == []
    world.events.is_full = False
    world.run_for(MINUTE)
    assert news(world) == [("IncidentOpened", "demo", "amazonUnavailable")]


def test_a_run_that_dies_before_it_tells_leaves_the_news_to_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = world.events.put_events

    def dies(**_: Any) -> None:
        raise KeyboardInterrupt

    world.amazon.misbehave(Misbehaviour.HTML_503, operations=["searchOrders"], times=None)
    world.clock.advance(10 * MINUTE)
    monkeypatch.setattr(world.events, "put_events", dies)
    with pytest.raises(KeyboardInterrupt):
        world.run()
    monkeypatch.setattr(world.events, "put_events", put)
    world.run()
    assert news(world) == [("IncidentOpened", "demo", "amazonUnavailable")]


def test_pausing_an_integration_tells_that_its_incident_is_over(world: World) -> None:
    world.amazon.misbehave(Misbehaviour.HTML_503, operations=["searchOrders"], times=None)
    world.run_for(10 * MINUTE)
    world.change(is_paused=True)
    world.run()
    assert news(world)[-1] == ("IncidentClosed", "demo", "amazonUnavailable")

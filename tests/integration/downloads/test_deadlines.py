"""People get a word when the ship-by of an order nears or passes while it is held, or goes nowhere."""

from typing import Any

import pytest

from needs_attention.integrations.incidents import Incident, Incidents
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.orders.order import Order
from needs_attention.orders.settings import Settings, ThreePlStatus
from needs_attention.orders.verdict import judged
from tests.integration.downloads.conftest import DAY, HOUR, NOON, World
from tools.builders import an_amazon_order, an_order

SHIP_BY, HALF = NOON + 2 * DAY, HOUR / 2
TO_THE_3PL = {"default_three_pl_status": ThreePlStatus.UPON_COMPLETION}
ORDER_ID = "701-1111111-1111111"


@pytest.fixture
def resting(world: World) -> World:
    """Downloads are paused, so Amazon sends nothing."""
    world.change(is_paused=True)
    return world


def stored(world: World, *, order_id: str = ORDER_ID, settings: Settings | None = None, **facts: Any) -> None:
    amazon = an_amazon_order(order_id=order_id, ship_by=SHIP_BY, created_at=NOON - HOUR, **facts)
    order = judged(
        an_order(amazon, integration="demo"), settings or world.integration.settings.of(amazon.marketplace_id), NOON
    )
    world.orders.save(None, order, by="amazon", at=NOON, cause="download")


def words(world: World, order_id: str = ORDER_ID) -> list[str]:
    """The events of the order's latest change, if the clock made it for its ship-by."""
    change = world.order(order_id).last_change
    return list(change.events) if change and change.cause == "shipBy" else []


def watched_until(world: World, end: Any) -> list[tuple[str, ...]]:
    """The words that the order gets until then, with a run every half hour."""
    told: list[tuple[str, ...]] = []
    before = world.order(ORDER_ID).revision
    while world.clock() < end:
        world.clock.advance(HALF)
        world.run()
        order = world.order(ORDER_ID)
        if order.revision != before and order.last_change:
            told.append((order.last_change.cause, *order.last_change.events))
        before = order.revision
    return told


def test_a_held_order_gets_one_word_before_its_ship_by_and_one_after(resting: World) -> None:
    stored(resting, buyer_email=None)
    assert watched_until(resting, SHIP_BY - DAY - HALF) == []
    assert watched_until(resting, SHIP_BY - DAY) == [("shipBy", "OrderAtRisk")]
    assert watched_until(resting, SHIP_BY - HALF) == []
    assert watched_until(resting, SHIP_BY) == [("shipBy", "ShipByMissed")]
    assert watched_until(resting, SHIP_BY + 2 * DAY) == []


def test_an_order_that_goes_nowhere_gets_both_words_too(resting: World) -> None:
    resting.change(settings=IntegrationSettings(**TO_THE_3PL))
    stored(resting, settings=Settings(default_three_pl_status=ThreePlStatus.DO_NOT_TRANSFER))
    assert watched_until(resting, SHIP_BY + DAY) == [("shipBy", "OrderAtRisk"), ("shipBy", "ShipByMissed")]


def test_an_order_that_may_still_leave_gets_a_word_only_once_it_is_late(resting: World) -> None:
    stored(resting)
    assert watched_until(resting, SHIP_BY - HALF) == []
    assert watched_until(resting, SHIP_BY + DAY) == [("shipBy", "ShipByMissed")]


@pytest.mark.parametrize(
    "changes",
    [
        {"settings": IntegrationSettings(trial_mode=True)},
        {"settings": IntegrationSettings(go_live_date=NOON)},
        {"is_frozen": True},
    ],
)
def test_no_word_for_a_complete_order_that_the_settings_keep_here(resting: World, changes: dict[str, Any]) -> None:
    resting.change(**changes)
    stored(resting)
    assert watched_until(resting, SHIP_BY + 2 * DAY) == []


def test_a_freeze_of_everything_keeps_the_word_back_until_it_ends(resting: World) -> None:
    stored(resting)
    resting.integrations.freeze_all("ada", NOON)
    assert watched_until(resting, SHIP_BY + HOUR) == []
    resting.integrations.unfreeze_all()
    assert watched_until(resting, SHIP_BY + 4 * HOUR) == [("shipBy", "ShipByMissed")]


def test_orders_under_one_incident_get_no_word_until_it_closes(resting: World) -> None:
    stored(resting, buyer_email=None)
    vanished = {"ATVPDKIKX0DER": ("email",)}
    incident = Incident(code="fieldsVanished", since=NOON, evidence="Of the latest 20 orders ...", fields=vanished)
    resting.downloads.save_incidents("demo", Incidents(incidents=(incident,)))
    assert watched_until(resting, SHIP_BY - 2 * HOUR) == []
    resting.downloads.save_incidents("demo", Incidents())
    assert watched_until(resting, SHIP_BY - HALF) == [("shipBy", "OrderAtRisk")]


def test_a_deleted_integration_gets_no_word(resting: World) -> None:
    stored(resting, buyer_email=None)
    resting.change(deleted_at=NOON)
    assert watched_until(resting, SHIP_BY + DAY) == []


def test_a_person_who_is_faster_than_the_clock_loses_no_word(resting: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stored(resting, buyer_email=None)
    resting.clock.advance(SHIP_BY - resting.clock() - HOUR)
    read = resting.orders.get_many

    def comments_meanwhile(order_ids: Any) -> dict[str, Order]:
        found = read(order_ids)
        for order in found.values():
            changed = order.with_(comment="Called the buyer")
            resting.orders.save(order, changed, by="ada", at=resting.clock(), cause="edit")
        monkeypatch.setattr(resting.orders, "get_many", read)
        return found

    monkeypatch.setattr(resting.orders, "get_many", comments_meanwhile)
    resting.run()
    assert words(resting) == []
    resting.run()
    assert words(resting) == ["OrderAtRisk"]
    assert resting.order(ORDER_ID).comment == "Called the buyer"


@pytest.mark.parametrize("read_at_once", [100, 1])
def test_many_late_orders_are_told_run_by_run(
    resting: World, read_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("needs_attention.jobs.due_orders.READ_AT_ONCE", read_at_once)
    monkeypatch.setattr("needs_attention.jobs.due_orders.MOST_LOOKS", 2)
    order_ids = [f"701-000000{number}-0000000" for number in range(5)]
    for order_id in order_ids:
        stored(resting, order_id=order_id, buyer_email=None)
    resting.clock.advance(3 * DAY)
    told = []
    for _ in range(3):
        resting.run()
        told.append(sum(words(resting, order_id) == ["ShipByMissed"] for order_id in order_ids))
    assert told == [2, 4, 5]

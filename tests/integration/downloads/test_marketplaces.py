"""Settings by marketplace: downloads, the clock and the connection judge each order by those of its marketplace."""

from typing import Any

import pytest

from needs_attention.api.retention import EraseBuyer
from needs_attention.integrations.integration import OLD_VERDICTS_END_AFTER, Rejudgement
from needs_attention.integrations.integration_settings import (
    IntegrationSettings,
    MarketplaceChecks,
    MarketplaceSettings,
)
from needs_attention.orders.order import Order
from needs_attention.orders.settings import NEEDS_ATTENTION, NEW, Settings, ThreePlStatus
from needs_attention.orders.verdict import judged
from tests.integration.downloads.conftest import DAY, HOUR, MINUTE, NOON, World
from tools.amazon_stand_in.visibility import ALL_DATA_ROLES
from tools.builders import an_amazon_order, an_order, decided, snoozed

US, CANADA = "ATVPDKIKX0DER", "A2EUQ1WTGCTBG2"
OVERRIDDEN, OTHER = "701-1111111-0000001", "701-1111111-0000002"
SOLD_IN = {OVERRIDDEN: US, OTHER: CANADA}
SHIPPING = "Direct-to-Consumer Shipping"


@pytest.fixture
def resting(world: World) -> World:
    """Downloads are paused, so Amazon sends nothing."""
    world.change(is_paused=True)
    return world


def override(world: World, **overrides: Any) -> None:
    own = MarketplaceSettings(**overrides)
    world.change(settings=IntegrationSettings(download_pending_orders=True, marketplaces={US: own}))


def store_both(world: World, settings: Settings, **facts: Any) -> None:
    for order_id, marketplace_id in SOLD_IN.items():
        amazon = an_amazon_order(order_id=order_id, marketplace_id=marketplace_id, **facts)
        order = judged(an_order(amazon, integration="demo"), settings, NOON)
        world.orders.save(None, order, by="amazon", at=NOON, cause="download")


def both(world: World) -> tuple[Order, Order]:
    return world.order(OVERRIDDEN), world.order(OTHER)


def change_each(world: World, **fields: Any) -> None:
    for order in both(world):
        world.orders.save(order, order.with_(**fields), by="ada", at=NOON, cause="edit")


def of(world: World, marketplace_id: str) -> list[Order]:
    """The complete orders of ours that were downloaded from a marketplace."""
    orders = (world.order(order_id) for order_id in world.items())
    return [one for one in orders if one.amazon.marketplace_id == marketplace_id and one.stage == NEW]


def test_a_rejudgement_goes_by_the_settings_of_each_marketplace(resting: World) -> None:
    store_both(resting, Settings(), buyer_email=None)
    override(resting, checks=MarketplaceChecks(email=False))
    job = Rejudgement(requested_by="ada", requested_at=NOON, stages=(NEEDS_ATTENTION, NEW))
    resting.downloads.begin_rejudgement("demo", job)
    resting.clock.advance(OLD_VERDICTS_END_AFTER)
    resting.run()
    overridden, other = both(resting)
    assert (overridden.stage, other.stage) == (NEW, NEEDS_ATTENTION)


def test_the_end_of_a_snooze_goes_by_the_settings_of_the_marketplace(resting: World) -> None:
    store_both(resting, Settings(), buyer_email=None)
    change_each(resting, decisions=decided(hold=snoozed(NOON + HOUR)), redownload_at=None)
    override(resting, checks=MarketplaceChecks(email=False), default_stage="picking")
    resting.clock.advance(HOUR + MINUTE)
    resting.run()
    overridden, other = both(resting)
    assert (overridden.decisions.hold, overridden.stage) == (None, "picking")
    assert (other.decisions.hold, other.stage) == (None, NEEDS_ATTENTION)


def test_a_redaction_goes_by_the_settings_of_the_marketplace(resting: World) -> None:
    store_both(resting, Settings())
    override(resting, trial_mode=True)
    resting.clock.advance(400 * DAY)
    assert resting.redact() == []
    overridden, other = both(resting)
    assert overridden.redacted_at
    assert other.redacted_at
    assert (overridden.is_live, other.is_live) == (False, True)


def test_the_erasure_of_a_buyer_goes_by_the_settings_of_the_marketplace(resting: World) -> None:
    store_both(resting, Settings())
    override(resting, trial_mode=True)
    request = EraseBuyer(
        reference="GR-2041", buyer_email=both(resting)[0].amazon.buyer_email or "", even_if_unsent=True
    )
    erasure = request.erasure(by="ada", now=NOON, suffix="1")
    resting.downloads.save_erasure("demo", erasure)
    assert resting.redact() == []
    overridden, other = both(resting)
    assert (overridden.redacted_at, other.redacted_at) == (NOON, NOON)
    assert (overridden.is_live, other.is_live) == (False, True)


def test_words_about_a_ship_by_go_by_the_default_of_the_marketplace(resting: World) -> None:
    own_warehouse = Settings(default_three_pl_status=ThreePlStatus.DO_NOT_TRANSFER)
    store_both(resting, own_warehouse, ship_by=NOON + 2 * DAY)
    override(resting, default_three_pl_status=ThreePlStatus.DO_NOT_TRANSFER)
    resting.clock.advance(DAY + HOUR)
    resting.run()
    causes = [order.last_change and order.last_change.cause for order in both(resting)]
    assert causes == ["download", "shipBy"]


def test_a_download_counts_and_judges_by_the_settings_of_each_marketplace(world: World) -> None:
    override(world, default_stage="picking", default_three_pl_status=ThreePlStatus.NOW)
    world.backdate()
    world.run()
    world.judge_all()
    stages = {
        (order.amazon.marketplace_id == US, order.stage, order.three_pl_status)
        for order in (world.order(order_id) for order_id in world.items())
        if order.granted and order.has_a_future
    }
    assert (True, "picking", ThreePlStatus.NOW) in stages
    assert (False, NEW, ThreePlStatus.UPON_COMPLETION) in stages
    assert {stage for is_overridden, stage, _ in stages if not is_overridden} == {NEW}
    assert {stage for is_overridden, stage, _ in stages if is_overridden} == {"picking"}


def test_a_download_counts_the_holds_that_its_marketplaces_settings_bring(world: World) -> None:
    everything = dict.fromkeys(MarketplaceChecks.model_fields, False)
    unchecked = MarketplaceSettings(checks=MarketplaceChecks(**everything))
    every = dict.fromkeys(world.integration.marketplace_ids, unchecked)
    world.change(settings=IntegrationSettings(download_pending_orders=True, marketplaces=every))
    world.amazon.set_roles(ALL_DATA_ROLES - {SHIPPING})
    world.backdate()
    world.run()
    assert world.backdated().counts.held == 0


def test_a_verdict_stands_only_if_the_marketplaces_settings_agree(world: World) -> None:
    world.backdate()
    world.run()
    world.judge_all()
    touched = {one: of(world, one)[0].order_id for one in (US, CANADA)}
    override(world, trial_mode=True)
    for order_id in touched.values():
        world.clock.advance(MINUTE)
        world.amazon.patch(order_id, {}, last_updated_time=world.clock())
        world.want(order_id)
    world.clock.advance(5 * MINUTE)
    world.run()
    assert world.order(touched[US]).is_pending
    assert not world.order(touched[CANADA]).is_pending


def test_an_answer_without_a_marketplace_is_judged_by_the_one_that_is_known(world: World) -> None:
    world.backdate()
    world.run()
    override(world, trial_mode=True)
    world.judge_all()
    known = of(world, US)[0].order_id
    world.clock.advance(5 * MINUTE)
    world.amazon.patch(known, {"salesChannel": {"marketplaceId": None}}, last_updated_time=world.clock())
    world.want(known)
    world.run()
    after = world.order(known)
    assert (after.amazon.updated_at, after.amazon.marketplace_id) == (world.clock(), US)
    assert not after.is_pending


def test_a_check_that_a_marketplace_switches_off_is_no_incident_there(world: World) -> None:
    override(world, checks=MarketplaceChecks(email=False, delivery_address=False, billing_address=False))
    world.amazon.set_roles(ALL_DATA_ROLES - {SHIPPING})
    world.backdate()
    world.run()
    arrivals = world.downloads.arrivals("demo").by_marketplace
    assert {field for one in arrivals[US] for field in one.lacks}.isdisjoint({"email", "deliveryAddress"})
    assert any("email" in one.lacks for one in arrivals[CANADA])

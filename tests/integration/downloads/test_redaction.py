"""Personal data is removed when its time is over, whatever else happens to an order."""

import pytest

from needs_attention.redaction import redact_what_is_due
from tests.integration.downloads.conftest import DAY, HOUR, MINUTE, World, held


def test_personal_data_is_removed_when_its_time_is_over_also_while_paused(world: World) -> None:
    world.backdate()
    world.run()
    world.judge_all()
    world.change(is_paused=True)
    world.clock.advance(120 * DAY)
    world.run()
    assert world.redact() == len(world.items())
    for order_id in world.items():
        order = world.order(order_id)
        assert order.redacted_at == world.clock()
        assert (order.amazon.buyer_email, order.amazon.recipient_name, order.hold) == (None, None, None)
        assert not order.is_fulfillable or order.dispatched_by is not None
    assert world.redact() == 0


def test_personal_data_stays_as_long_as_it_may(world: World) -> None:
    world.backdate()
    world.run()
    world.judge_all()
    before = world.items()
    world.clock.advance(2 * DAY)
    assert world.redact() == 0
    assert world.items() == before


def test_an_order_that_changes_while_it_is_redacted_is_redacted_the_next_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = held(world)
    world.clock.advance(120 * DAY)
    stale = world.order(order_id)
    world.orders.save(stale, stale.with_(assigned_to="ada"), by="ada", at=world.clock(), cause="note")
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(world.orders, "get_many", lambda _: {order_id: stale})
        assert world.redact() == 0
    world.redact()
    assert world.order(order_id).redacted_at == world.clock()


def test_redaction_ends_with_its_time_and_goes_on_the_next_time(world: World) -> None:
    world.backdate()
    world.run()
    world.clock.advance(120 * DAY)
    assert redact_what_is_due(world.orders, world.integrations, world.clock, until=world.clock()) == 0
    assert world.redact() == len(world.items())


def test_redacted_orders_are_not_filled_again_by_a_backdated_download(world: World) -> None:
    world.backdate()
    world.run()
    world.judge_all()
    world.clock.advance(120 * DAY)
    world.redact()
    world.backdate(since=200 * DAY, download_id="d2")
    world.run_for(3 * HOUR, tick=10 * MINUTE)
    assert world.backdated("d2").status == "finished"
    assert {world.order(order_id).amazon.recipient_name for order_id in world.items()} == {None}

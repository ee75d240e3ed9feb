"""What a run downloads once it has finished a merge."""

from needs_attention.downloads.proofs import Again, Proofs
from needs_attention.downloads.walk import Pace, Slice, Walk
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.integrations.merge import Merge
from needs_attention.integrations.stages import Stages
from tests.integration.downloads.conftest import DAY, MINUTE, World


def begin_merge(world: World) -> None:
    """Of `old`, which downloaded until now, into `demo`. The next run finishes it."""
    now = world.clock()
    known = world.integrations.get("old") or world.register("old")
    source = world.integrations.save(known.model_copy(update={"deleted_at": now}))
    merge = Merge(source="old", requested_by="ada", requested_at=now - 3 * MINUTE, missed_since=now - MINUTE)
    target = world.integration
    world.integrations.begin_merge(source, target, target.with_source(source, Stages()), merge)


def test_a_run_searches_again_what_a_merged_source_was_to(world: World) -> None:
    """Only that: the parts may lie years back, and all that came since would take days of quota."""
    order_id = min(world.ledger(), key=lambda one: world.amazon.order(one).updated)
    updated_at = world.amazon.order(order_id).updated
    begun = Slice(after=updated_at - MINUTE, before=updated_at + MINUTE, page_token="of the source", pages=1)
    walk = Walk(reached=begun.after, looks_back=False, pace=Pace(), slice=begun)
    part = Again(before=begun.before, walk=walk, is_urgent=True)
    world.downloads.save_proofs("old", Proofs(again=(part,)))
    begin_merge(world)
    world.run()
    assert world.orders.get(order_id)
    assert world.state.proofs.again == ()
    assert min(one.updated_after for one in world.downloads.backdated_downloads("demo")) > updated_at + DAY


def test_a_merged_source_keeps_no_subscription_of_the_seller_alive(world: World) -> None:
    """It may have been removed although Amazon did not end it."""
    wanted = IntegrationSettings(order_change_notifications=True)
    world.change(settings=wanted)
    world.register("old", settings=wanted)
    for one in ("demo", "old"):
        world.run(integration_id=one)
    subscription_id = world.live.subscription.subscription_id
    assert world.downloads.subscribers(subscription_id) == ("demo", "old")
    begin_merge(world)
    world.run()
    assert world.downloads.subscribers(subscription_id) == ("demo",)
    world.change(settings=IntegrationSettings())
    world.run()
    assert world.amazon.order_change(min(world.ledger())) is None

"""What a run goes on with: a search that brings nothing leaves the time of the run to the others."""

from datetime import datetime

import pytest

from needs_attention.downloads.proofs import Again, Proofs
from needs_attention.downloads.walk import AMAZONS_MARGIN, OVERLAP, Walk
from tests.integration.downloads.conftest import DAY, MINUTE, NOON, World
from tools.amazon_stand_in.ledger import amazon_time
from tools.amazon_stand_in.misbehaviour import Misbehaviour

FAILURES = [Misbehaviour.INVALID_INPUT, Misbehaviour.TRUNCATED_JSON, Misbehaviour.HTML_503]


def to_walk_again(world: World, *starts: datetime) -> None:
    """From each of these times on, a day is to be walked again at once."""
    parts = (Again(before=start + DAY, walk=Walk(reached=start, width=DAY), is_urgent=True) for start in starts)
    world.downloads.save_proofs("demo", Proofs(again=tuple(parts)))


def waits_for_quota(world: World, **changes: object) -> None:
    """A backdated download does, as it says; there is some now."""
    world.backdate()
    waiting = world.backdated().model_copy(update={"status": "waitingForQuota", **changes})
    world.downloads.save_backdated_download("demo", waiting)


def walked(world: World) -> list[str]:
    return [request.parameters["lastUpdatedAfter"] for request in world.searches()]


@pytest.mark.parametrize("kind", FAILURES[:2])
def test_after_a_live_search_that_fails_the_run_goes_on_with_the_past(world: World, kind: Misbehaviour) -> None:
    world.run()
    world.backdate()
    world.clock.advance(10 * MINUTE)
    world.amazon.misbehave(kind, operations=["searchOrders"])
    world.run()
    assert len(world.incidents.incidents) == 1
    assert world.backdated().status == "finished"


@pytest.mark.parametrize("kind", FAILURES)
def test_after_a_backdated_search_that_fails_the_run_goes_on_with_the_next(world: World, kind: Misbehaviour) -> None:
    world.run()
    waits_for_quota(world)
    world.backdate(download_id="d2")
    world.amazon.misbehave(kind, operations=["searchOrders"])
    world.run()
    assert [world.backdated(one).status for one in ("d1", "d2")] == ["waitingForQuota", "finished"]
    assert world.backdated().retry_at == NOON + 5 * MINUTE


@pytest.mark.parametrize("kind", FAILURES)
def test_after_a_slice_that_cannot_be_walked_again_the_run_walks_the_next(world: World, kind: Misbehaviour) -> None:
    world.run()
    to_walk_again(world, NOON - 5 * DAY, NOON - 10 * DAY)
    world.amazon.misbehave(kind, operations=["searchOrders"])
    world.run()
    assert walked(world) == [amazon_time(NOON - one * DAY - OVERLAP) for one in (5, 10)]
    (left,) = world.downloads.proofs("demo").again
    assert left.walk.reached == NOON - 5 * DAY


def test_a_download_that_waited_for_quota_takes_all_that_there_is(world: World) -> None:
    world.run()
    waits_for_quota(world)
    world.run()
    assert world.backdated().status == "finished"
    assert world.backdated().counts.pages > 3


def test_a_live_download_that_is_up_to_date_leaves_the_run_to_the_past(world: World) -> None:
    world.backdate()
    world.run()
    assert world.live.walk.reached == NOON - AMAZONS_MARGIN
    assert world.backdated().status == "finished"


def test_a_download_with_nothing_left_is_over_and_the_run_begins_the_next(world: World) -> None:
    world.run()
    waits_for_quota(world, walk=Walk(reached=NOON - AMAZONS_MARGIN))
    world.backdate(download_id="d2")
    world.run()
    assert [world.backdated(one).status for one in ("d1", "d2")] == ["finished", "finished"]
    assert world.backdated().counts.pages == 0


def test_a_slice_with_nothing_left_to_walk_again_is_done_with(world: World) -> None:
    world.run()
    done = Again(before=NOON - DAY, walk=Walk(reached=NOON - DAY), is_urgent=True)
    to_walk_again(world, NOON - 10 * DAY)
    waiting = world.downloads.proofs("demo")
    world.downloads.save_proofs("demo", waiting.model_copy(update={"again": (done, *waiting.again)}))
    world.run()
    assert walked(world) == [amazon_time(NOON - 10 * DAY - OVERLAP)]
    assert world.downloads.proofs("demo").again == ()

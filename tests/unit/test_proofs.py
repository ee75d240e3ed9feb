"""Slices of several pages: an order that slipped between two of them is found, or the slice is walked again."""

from datetime import datetime, timedelta

import pytest

from needs_attention.downloads.proofs import Proofs, Unproven
from needs_attention.downloads.quota import GIVEN_UP_AFTER
from needs_attention.downloads.walk import Pace, Slice, Walk
from tools.builders import NOON

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY = timedelta(days=1)


def begun(walk: Walk, until: datetime = NOON) -> Slice:
    part = walk.next_slice(until)
    assert part is not None
    return part


def ids(count: int) -> tuple[str, ...]:
    return tuple(f"701-{number:07}-0000000" for number in range(count))


def walked(after: datetime = NOON - HOUR, before: datetime = NOON - HOUR / 2) -> Unproven:
    """A slice of two pages with 101 orders, walked within a minute."""
    part = Slice(after=after, before=before, may_have_pages=True)
    walk = Walk(reached=after, pace=Pace().after(150, before - after))
    part = begun(walk.after_page(part, ids(100), "more", None, NOON))
    proof = Unproven.left_by(part, ("701-0000100-0000000",), NOON + MINUTE)
    assert proof is not None
    return proof


def test_one_page_proves_itself() -> None:
    assert Unproven.left_by(Slice(after=NOON - HOUR, before=NOON), ids(100), NOON) is None


@pytest.mark.parametrize("order_id", ["701-0000000-0000000", "701-0000100-0000000"])
@pytest.mark.parametrize(
    ("updated_after", "is_contradicted"),
    [(-11 * SECOND, False), (-10 * SECOND, True), (MINUTE + 10 * SECOND, True), (MINUTE + 11 * SECOND, False)],
)
def test_an_order_updated_during_the_walk_contradicts_its_slice(
    order_id: str, updated_after: timedelta, is_contradicted: bool
) -> None:
    assert walked().is_contradicted_by({order_id: NOON + updated_after}) is is_contradicted
    assert not walked().is_contradicted_by({"999-9999999-9999999": NOON + updated_after})


def test_a_contradicted_slice_is_walked_again_at_once() -> None:
    one, other = walked(), walked(after=NOON - 9 * HOUR, before=NOON - 8 * HOUR)
    proofs = Proofs().with_walked(one).with_walked(other)
    assert [(again.walk.reached, again.is_urgent) for again in proofs.again] == [
        (NOON - HOUR, False),
        (NOON - 9 * HOUR, False),
    ]
    certain = Proofs(unproven=(other,), again=proofs.again).with_versions({ids(1)[0]: NOON})
    assert [(again.walk.reached, again.before, again.is_urgent) for again in certain.again][:1] == [
        (NOON - 9 * HOUR, NOON - 8 * HOUR, True)
    ]
    assert (certain.unproven, len(certain.again)) == ((), 3)
    assert certain.next_again(NOON) == certain.again[0]


def test_a_part_walked_again_is_done_when_nothing_of_it_is_left() -> None:
    late, early = walked(), walked(after=NOON - 9 * HOUR, before=NOON - 8 * HOUR)
    proofs = Proofs().with_walked(late).with_walked(early)
    first, second = proofs.again
    further = first.walk.model_copy(update={"reached": first.walk.reached + MINUTE})
    assert [one.walk for one in proofs.with_walk(first.walk, further).again] == [further, second.walk]
    through = first.walk.model_copy(update={"reached": first.before})
    assert proofs.with_walk(first.walk, through).again == (second,)


def test_a_part_whose_search_failed_waits_behind_the_others() -> None:
    late, early = walked(), walked(after=NOON - 9 * HOUR, before=NOON - 8 * HOUR)
    proofs = Proofs().with_walked(late).with_walked(early)
    postponed = proofs.postponed(proofs.again[0].walk, NOON, is_at_fault=True)
    assert postponed.next_again(NOON) == proofs.again[1]
    assert postponed.next_again(NOON + 5 * MINUTE) == postponed.again[0]
    assert Proofs().next_again(NOON) is None


def test_a_part_that_always_fails_is_left_to_the_second_look() -> None:
    fails, works = walked(), walked(after=NOON - 9 * HOUR, before=NOON - 8 * HOUR)
    proofs = Proofs().with_walked(fails).with_walked(works)
    walk = proofs.again[0].walk
    for _ in range(GIVEN_UP_AFTER - 1):
        proofs = proofs.postponed(walk, NOON, is_at_fault=True).postponed(walk, NOON, is_at_fault=False)
    assert [one.failures for one in proofs.again] == [GIVEN_UP_AFTER - 1, 0]
    gone_on = walk.model_copy(update={"width": MINUTE})
    assert proofs.with_walk(walk, gone_on).again[0].failures == 0
    assert proofs.postponed(walk, NOON, is_at_fault=True).again == proofs.again[1:]


def test_parts_to_walk_again_never_outgrow_an_item_of_dynamodb() -> None:
    proofs, start = Proofs(), NOON - 30 * DAY
    for number in range(300):
        after = start + 2 * number * HOUR
        proofs = proofs.with_walked(walked(after, after + HOUR))
    assert len(proofs.model_dump_json()) < 300_000
    latest = start + 2 * 299 * HOUR + HOUR
    assert [one.before for one in proofs.again[:2]] == [latest, latest - 2 * HOUR]
    urgent = proofs.with_versions({ids(1)[0]: NOON})
    assert {one.is_urgent for one in urgent.again[:40]} == {True}
    assert len(urgent.again) == 100


def test_a_slice_that_nothing_contradicts_stays_unproven() -> None:
    proofs = Proofs().with_walked(walked())
    assert proofs.with_versions({"999-9999999-9999999": NOON, ids(1)[0]: NOON - MINUTE}) == proofs


def test_a_part_that_follows_on_a_waiting_one_joins_it() -> None:
    proofs = Proofs()
    for start in (4, 3, 2):
        proofs = proofs.with_walked(walked(after=NOON - start * HOUR, before=NOON - (start - 1) * HOUR))
    (again,) = proofs.again
    assert (again.walk.reached, again.before) == (NOON - 4 * HOUR, NOON - HOUR)


def test_a_slice_is_watched_until_live_downloads_pass_its_walk() -> None:
    proofs = Proofs().with_walked(walked())
    assert proofs.watched(NOON + MINUTE).unproven
    assert not proofs.watched(NOON + 2 * MINUTE).unproven


def test_parts_of_another_integration_are_walked_from_the_beginning_of_their_slices() -> None:
    own, others = walked(), walked(after=NOON - 9 * HOUR, before=NOON - 8 * HOUR)
    (again,) = Proofs().with_walked(others).again
    begun_there = again.model_copy(update={"walk": again.walk.begun(begun(again.walk, again.before))})
    taken = Proofs().with_walked(own).with_parts_of(Proofs(again=(begun_there,)))
    assert [(one.walk.reached, one.walk.slice) for one in taken.again] == [
        (NOON - HOUR, None),
        (NOON - 9 * HOUR, None),
    ]
    assert taken.with_parts_of(Proofs(again=(begun_there,))) == taken

"""How a download walks through its window: slices, pages, and the width of the next slice."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from needs_attention.downloads.walk import NARROWEST, OVERLAP, WIDEST, Pace, Slice, Walk, order_fingerprint
from tools.builders import NOON

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY = timedelta(days=1)


def begun(walk: Walk, until: datetime = NOON) -> Slice:
    part = walk.next_slice(until)
    assert part is not None
    return part


def ids(count: int) -> tuple[str, ...]:
    return tuple(f"701-{number:07}-0000000" for number in range(count))


def paged(walk: Walk, order_ids: tuple[str, ...], token: str | None = None, bound: datetime | None = None) -> Walk:
    """The walk after the next page of a slice before noon."""
    return walk.after_page(begun(walk), order_ids, token, bound, NOON)


BUSY = Pace().after(40_000, DAY)  # 1,667 an hour


def test_a_slice_ends_where_its_width_ends() -> None:
    part = begun(Walk(reached=NOON - DAY, width=HOUR))
    assert (part.before, part.is_at_edge) == (NOON - DAY + HOUR, False)


def test_a_slice_never_passes_the_end_of_its_window() -> None:
    part = begun(Walk(reached=NOON - HOUR, width=DAY))
    assert (part.before, part.is_at_edge) == (NOON, True)


def test_only_a_walk_past_the_end_of_a_window_looks_back() -> None:
    walk = Walk(reached=NOON - DAY, width=DAY / 2)
    assert begun(walk).after == NOON - DAY - OVERLAP
    inside = paged(walk, ids(5))
    assert begun(inside).after == NOON - DAY / 2
    at_the_edge = paged(inside, ids(5))
    assert begun(at_the_edge, NOON + HOUR).after == NOON - OVERLAP


@pytest.mark.parametrize(
    ("updates_a_day", "looks_back"),
    [(0, 30 * MINUTE), (3_000, 30 * MINUTE), (3_100, 10 * MINUTE), (7_100, 10 * MINUTE), (7_300, OVERLAP)],
)
def test_a_live_download_looks_back_as_far_as_a_page_allows(updates_a_day: int, looks_back: timedelta) -> None:
    walk = Walk(reached=NOON - 5 * MINUTE, pace=Pace().after(updates_a_day, DAY))
    part = walk.next_slice(NOON, is_listed_late=True)
    assert part is not None
    assert part.after == NOON - 5 * MINUTE - looks_back
    assert walk.pages_expected(part) == 1
    assert begun(walk).after == NOON - 5 * MINUTE - OVERLAP
    assert OVERLAP == MINUTE / 2


def test_looking_back_may_fill_three_quarters_of_a_page() -> None:
    walk = Walk(reached=NOON - 5 * MINUTE, pace=Pace(orders=75, seconds=35 * 60))
    part = walk.next_slice(NOON, is_listed_late=True)
    assert part is not None
    assert part.after == NOON - 35 * MINUTE


def test_looking_back_counts_no_order_twice() -> None:
    walk = Walk(reached=NOON - 5 * MINUTE, pace=Pace().after(1_440, DAY))
    part = walk.next_slice(NOON, is_listed_late=True)
    assert part is not None
    later = walk.after_page(part, ids(35), None, None, NOON)
    assert later.pace == walk.pace.after(5, 5 * MINUTE)


def test_a_page_that_is_not_half_full_and_names_another_says_nothing_of_a_crowd() -> None:
    """Amazon repeated a page: whoever gave up looking back would miss what it lists late."""
    walk = Walk(reached=NOON - 5 * MINUTE, pace=Pace().after(40, HOUR))
    part = walk.next_slice(NOON, is_listed_late=True)
    assert part is not None
    odd = walk.after_page(part, ids(49), "more", None, NOON)
    assert odd.slice is not None
    assert (odd.crowded_before, odd.slice.page_token, odd.slice.may_have_pages) == (None, "more", True)
    assert odd.slice.repeats(ids(49))
    assert odd.restarted().next_slice(NOON, is_listed_late=True) == part
    crowded = walk.after_page(part, ids(50), "more", None, NOON)
    assert (crowded.crowded_before, crowded.slice) == (walk.reached, None)


def test_a_page_that_looking_back_filled_is_asked_for_without_that() -> None:
    walk = Walk(reached=NOON - 5 * MINUTE, width=HOUR, pace=Pace().after(10, DAY))
    part = walk.next_slice(NOON, is_listed_late=True)
    assert part is not None
    crowded = walk.after_page(part, ids(100), "more", None, NOON)
    again = crowded.next_slice(NOON, is_listed_late=True)
    assert again is not None
    assert (again.after, again.before) == (NOON - 5 * MINUTE - OVERLAP, NOON)
    assert (crowded.width, crowded.pace) == (walk.width, walk.pace)
    through = crowded.after_page(again, ids(5), None, None, NOON)
    later = through.next_slice(NOON + 20 * MINUTE, is_listed_late=True)
    assert later is not None
    assert later.after == NOON - 5 * MINUTE  # as far as the crowd, and no further


def test_slices_are_asked_for_in_whole_seconds() -> None:
    part = begun(Walk(reached=NOON - HOUR), until=NOON + timedelta(milliseconds=999))
    assert part.before == NOON


def test_there_is_no_slice_when_the_end_is_reached() -> None:
    assert Walk(reached=NOON).next_slice(NOON) is None
    assert Walk(reached=NOON).next_slice(NOON + timedelta(milliseconds=999)) is None


def test_a_slice_that_has_begun_goes_on_at_any_time() -> None:
    walk = Walk(reached=NOON - DAY, slice=Slice(after=NOON - DAY, before=NOON - HOUR, page_token="next", pages=1))
    assert walk.next_slice(NOON) == walk.slice


def test_the_last_page_moves_the_walk_to_the_bound_that_was_sent() -> None:
    assert paged(Walk(reached=NOON - HOUR), ids(5)).reached == NOON


def test_the_walk_follows_an_earlier_bound_that_amazon_used() -> None:
    moved = paged(Walk(reached=NOON - HOUR), ids(5), bound=NOON - timedelta(minutes=10))
    assert moved.reached == NOON - timedelta(minutes=10)


def test_the_walk_never_passes_the_bound_that_it_sent() -> None:
    assert paged(Walk(reached=NOON - HOUR), ids(5), bound=NOON + HOUR).reached == NOON


def test_the_walk_never_goes_backwards() -> None:
    assert paged(Walk(reached=NOON - HOUR), ids(5), bound=NOON - DAY).reached == NOON - HOUR


def test_more_than_a_page_is_cut_so_that_nothing_can_slip_between_pages() -> None:
    unknown = Walk(reached=NOON - 4 * HOUR, width=4 * HOUR)
    known = unknown.model_copy(update={"pace": Pace().after(600, DAY)})
    for walk, width in ((unknown, HOUR), (known, timedelta(hours=1.5))):
        cut = paged(walk, ids(100), "more")
        assert (cut.reached, cut.slice, cut.width) == (NOON - 4 * HOUR, None, width)
        assert cut.pace.orders_in(begun(walk).before - begun(walk).after) == pytest.approx(100)


def test_only_a_slice_with_the_expected_pages_is_paged_through() -> None:
    walk = Walk(reached=NOON - DAY, pace=BUSY)
    exact, double = begun(walk), walk.next_slice(NOON, may_have_pages=True)
    assert double is not None
    assert exact.before - walk.reached == pytest.approx(HOUR * 75 / 1667, abs=timedelta(seconds=2))
    assert double.before - walk.reached == pytest.approx(HOUR * 185 / 1667, abs=timedelta(seconds=2))
    assert (walk.pages_expected(exact), walk.pages_expected(double)) == (1, 2)
    assert walk.after_page(exact, ids(100), "more", None, NOON).slice is None
    paging = walk.after_page(double, ids(100), "more", None, NOON).slice
    assert paging is not None
    assert (paging.page_token, paging.pages, paging.began_at, len(paging.served)) == ("more", 1, NOON, 100)
    surprised = walk.model_copy(update={"pace": Pace().after(10, DAY)})
    assert surprised.after_page(double, ids(100), "more", None, NOON).slice is None


@pytest.mark.parametrize(("expected", "is_paged"), [(49, False), (50, True), (300, True), (301, False)])
def test_a_slice_is_paged_through_from_half_a_page_to_three(expected: int, is_paged: bool) -> None:
    part = Slice(after=NOON - HOUR, before=NOON, may_have_pages=True)
    walk = Walk(reached=NOON - HOUR, pace=Pace(orders=expected, seconds=3600))
    after = walk.after_page(part, ids(100), "more", None, NOON)
    assert (after.slice is not None) is is_paged


@pytest.mark.parametrize(("expected", "quarters"), [(49, 1), (50, 2)])
def test_a_slice_that_surprises_is_cut_in_four_and_another_in_two(expected: int, quarters: int) -> None:
    walk = Walk(reached=NOON - HOUR, pace=Pace(orders=expected, seconds=3600))
    assert (
        walk.after_page(Slice(after=NOON - HOUR, before=NOON), ids(100), "more", None, NOON).width
        == quarters * HOUR / 4
    )


def test_only_a_slice_with_more_than_was_expected_changes_the_pace() -> None:
    pace = Pace(orders=2_400, seconds=24 * 3600)  # 100 an hour
    assert pace.at_least(100, HOUR) == pace
    assert pace.at_least(101, HOUR) == Pace(orders=101, seconds=3600)


def test_a_slice_that_cannot_be_narrower_is_paged_through() -> None:
    walk = Walk(reached=NOON - NARROWEST, width=NARROWEST)
    second = paged(walk, ids(100), "page-2")
    third = paged(second, ids(100), "page-3")
    assert third.slice is not None
    assert (third.slice.page_token, third.slice.before, third.slice.pages) == ("page-3", NOON, 2)
    assert paged(third, ids(7)).reached == NOON


def test_a_slice_whose_token_is_no_longer_good_starts_again() -> None:
    walk = Walk(reached=NOON - HOUR, slice=Slice(after=NOON - HOUR, before=NOON, page_token="old", pages=3))
    assert walk.restarted() == Walk(reached=NOON - HOUR, was_restarted=True)


def test_a_slice_that_amazon_rejected_is_asked_for_with_the_same_bounds() -> None:
    walk = Walk(reached=NOON - HOUR)
    assert walk.begun(begun(walk)).next_slice(NOON + HOUR) == begun(walk)


def test_a_page_whose_orders_were_all_on_the_pages_before_is_noticed() -> None:
    """Also if several pages take turns for ever."""
    served = tuple(map(order_fingerprint, ids(4)))
    part = Slice(after=NOON - HOUR, before=NOON, page_token="next", served=served, pages=2)
    assert part.repeats(ids(2))
    assert part.repeats(ids(4))
    assert not part.repeats(ids(5))
    assert not Slice(after=NOON - HOUR, before=NOON).repeats(())


def test_a_few_empty_pages_may_follow_each_other_but_not_for_ever() -> None:
    walk, empties = Walk(reached=NOON - NARROWEST, width=NARROWEST), 0
    while not begun(walk).repeats(()):
        walk = paged(walk, (), f"page-{empties}")
        empties += 1
    assert empties == 3
    assert not begun(paged(walk, ids(1), "page-4")).repeats(())


def test_slices_double_until_they_hold_a_good_half_of_a_page() -> None:
    walk = Walk(reached=NOON - 40 * DAY)
    widths = []
    while part := walk.next_slice(NOON):
        width = part.before - walk.reached
        widths.append(width / DAY)
        walk = walk.after_page(part, ids(round(10 * (width / DAY))), None, None, NOON)
    assert widths[:4] == pytest.approx([1, 2, 4, 7.5], abs=0.2)
    assert all(width == pytest.approx(7.5, abs=0.2) for width in widths[3:-1])


def test_after_a_burst_slices_widen_again_at_once() -> None:
    walk = Walk(reached=NOON - DAY, pace=Pace().after(6_000, HOUR))
    widths = []
    for _ in range(6):
        part = begun(walk)
        widths.append((part.before - walk.reached).total_seconds())
        walk = walk.after_page(part, ids(1), None, None, NOON)
    assert widths[0] == 45
    assert widths[-1] > 16 * widths[0]


@pytest.mark.parametrize(
    ("expected", "seen", "is_over"),
    [(100, 24, True), (100, 25, False), (100, 40, False), (4, 0, True), (3, 0, False)],
)
def test_a_busy_time_is_over_if_a_slice_holds_too_few_for_chance(expected: int, seen: int, is_over: bool) -> None:
    walk = Walk(reached=NOON - HOUR, pace=Pace(orders=expected, seconds=3600))
    part = Slice(after=NOON - HOUR, before=NOON)
    average = walk.pace.after(seen, HOUR)
    later = walk.after_page(part, ids(seen), None, None, NOON).pace
    assert later == average.model_copy(update={"orders": average.orders / (2 if is_over else 1)})


def test_what_came_three_hours_ago_counts_half() -> None:
    assert Pace().after(100, HOUR).after(0, 3 * HOUR) == Pace(orders=50, seconds=1800 + 3 * 3600)
    assert Pace().orders_in(HOUR) == 0


def test_slices_stay_within_their_bounds() -> None:
    long_ago = NOON - 3 * WIDEST
    empty = Walk(reached=long_ago, width=WIDEST)
    assert paged(empty, ()).width == WIDEST == 60 * DAY
    quiet = Walk(reached=long_ago, width=WIDEST, pace=Pace().after(1, DAY))
    assert all(begun(walk).before - long_ago == WIDEST for walk in (empty, quiet))
    flooded = Walk(reached=NOON - HOUR, pace=Pace().after(1_000_000, HOUR))
    assert begun(flooded).before - flooded.reached == NARROWEST


def test_the_calls_that_a_window_takes_are_known_before() -> None:
    assert Walk(reached=NOON - 30 * DAY).calls_to(NOON) == 5  # 1, 2, 4, 8 and 15 days, if there is nothing in them
    assert Walk.of_the_past(NOON - 30 * DAY, Pace().after(100, DAY)).calls_to(NOON) == 40
    assert Walk(reached=NOON).calls_to(NOON) == 0
    assert Walk(reached=NOON).calls_to(NOON - 300 * DAY) == 0


@settings(deadline=None)
@given(
    updates=st.lists(st.integers(0, 30 * 24 * 3600), max_size=400),
    page=st.integers(1, 30),
)
def test_every_order_of_a_window_is_served_whatever_its_updates_look_like(updates: list[int], page: int) -> None:
    """Against an Amazon that pages by offset: nothing moves meanwhile, so nothing may be missed."""
    start = NOON - timedelta(days=30)
    ledger = [start + timedelta(seconds=second) for second in updates]
    walk, served = Walk(reached=start), set[datetime]()
    while part := walk.next_slice(NOON):
        found = [time for time in sorted(ledger) if part.after <= time <= part.before]
        offset = int(part.page_token or 0)
        served |= set(found[offset : offset + page])
        more = str(offset + page) if offset + page < len(found) else None
        walk = walk.after_page(part, ids(len(found[offset : offset + page])), more, part.before, NOON)
    assert served == {time for time in ledger if time <= NOON}

"""How a download walks through its window, what it may spend, and what it does to an order: the pure rules."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from needs_attention.download import (
    AMAZONS_MARGIN,
    NARROWEST,
    OVERLAP,
    WIDEST,
    BackdatedDownload,
    Bucket,
    Counts,
    LiveDownload,
    Slice,
    Walk,
    downloaded,
)
from needs_attention.order import UnreadableOrder
from tests.unit.builders import NOON, accepting, an_amazon_order, an_order

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def begun(walk: Walk, until: datetime = NOON) -> Slice:
    part = walk.next_slice(until)
    assert part is not None
    return part


def ids(count: int) -> tuple[str, ...]:
    return tuple(f"701-{number:07}-0000000" for number in range(count))


# A walk ---------------------------------------------------------------------------------------------------------------


def test_a_slice_looks_back_a_little_and_ends_where_its_width_ends() -> None:
    part = begun(Walk(reached=NOON - DAY, width=HOUR))
    assert (part.after, part.before) == (NOON - DAY - OVERLAP, NOON - DAY + HOUR)


def test_a_slice_never_passes_the_end_of_its_window() -> None:
    assert begun(Walk(reached=NOON - HOUR, width=DAY)).before == NOON


def test_slices_are_asked_for_in_whole_seconds() -> None:
    part = begun(Walk(reached=NOON - HOUR), until=NOON + timedelta(milliseconds=999))
    assert part.before == NOON


def test_there_is_no_slice_when_the_end_is_reached() -> None:
    assert Walk(reached=NOON).next_slice(NOON) is None
    assert Walk(reached=NOON).next_slice(NOON + timedelta(milliseconds=999)) is None


def test_a_slice_that_is_begun_is_gone_on_with_whatever_the_time_is_now() -> None:
    walk = Walk(reached=NOON - DAY, slice=Slice(after=NOON - DAY, before=NOON - HOUR, page_token="next", pages=1))
    assert walk.next_slice(NOON) == walk.slice


def test_the_last_page_moves_the_walk_to_the_bound_that_was_sent() -> None:
    walk = Walk(reached=NOON - HOUR)
    assert walk.after_page(begun(walk), ids(5), None, None).reached == NOON


def test_the_walk_follows_the_bound_that_amazon_really_used_if_that_is_earlier() -> None:
    walk = Walk(reached=NOON - HOUR)
    moved = walk.after_page(begun(walk), ids(5), None, NOON - timedelta(minutes=10))
    assert moved.reached == NOON - timedelta(minutes=10)


def test_the_walk_does_not_pass_the_bound_it_sent_even_if_amazon_names_a_later_one() -> None:
    walk = Walk(reached=NOON - HOUR)
    assert walk.after_page(begun(walk), ids(5), None, NOON + HOUR).reached == NOON


def test_the_walk_never_goes_backwards() -> None:
    walk = Walk(reached=NOON - HOUR)
    assert walk.after_page(begun(walk), ids(5), None, NOON - DAY).reached == NOON - HOUR


def test_more_than_a_page_is_asked_for_again_in_narrower_slices() -> None:
    walk = Walk(reached=NOON - 4 * HOUR, width=4 * HOUR)
    narrower = walk.after_page(begun(walk), ids(100), "more", NOON)
    assert (narrower.reached, narrower.slice, narrower.width) == (NOON - 4 * HOUR, None, HOUR)


def test_a_slice_that_cannot_be_narrower_is_paged_through() -> None:
    walk = Walk(reached=NOON - NARROWEST, width=NARROWEST)
    second = walk.after_page(begun(walk), ids(100), "page-2", NOON)
    assert second.slice is not None
    assert (second.slice.page_token, second.slice.orders, second.slice.pages) == ("page-2", 100, 1)
    third = second.after_page(second.slice, ids(100), "page-3", NOON)
    assert third.slice is not None
    assert (third.slice.page_token, third.slice.before, third.slice.pages) == ("page-3", NOON, 2)
    once_more = third.after_page(third.slice, ids(7), None, NOON)
    assert once_more.slice is not None
    assert (once_more.reached, once_more.slice.page_token) == (NOON - NARROWEST, None)


def test_only_two_walks_that_serve_the_same_orders_end_a_slice_of_several_pages() -> None:
    def walked(walk: Walk, *pages: tuple[str, ...]) -> Walk:
        for number, page in enumerate(pages, start=1):
            walk = walk.after_page(begun(walk), page, None if number == len(pages) else f"page-{number}", NOON)
        return walk

    one, two, three = ids(3)
    begin = Walk(reached=NOON - NARROWEST, width=NARROWEST)
    first = walked(begin, (one,), (three,))
    assert first.reached == NOON - NARROWEST
    assert walked(first, (three, two), (one,)).reached == NOON - NARROWEST
    assert walked(walked(first, (three, two), (one,)), (one, two), (three,)).reached == NOON
    assert walked(first, (three,), (one,)).reached == NOON
    assert walked(first, (one, three)).reached == NOON


def test_a_slice_whose_token_is_no_longer_good_starts_again() -> None:
    walk = Walk(reached=NOON - HOUR, slice=Slice(after=NOON - HOUR, before=NOON, page_token="old", pages=3))
    assert walk.restarted() == Walk(reached=NOON - HOUR, was_restarted=True)


def test_a_page_that_holds_just_what_the_page_before_held_is_noticed() -> None:
    part = Slice(after=NOON - HOUR, before=NOON, page_token="next", last_page=ids(2), pages=1)
    assert part.repeats(ids(2))
    assert not part.repeats(ids(3))
    assert not Slice(after=NOON - HOUR, before=NOON).repeats(())


def test_a_few_empty_pages_may_follow_each_other_but_not_for_ever() -> None:
    walk, empties = Walk(reached=NOON - NARROWEST, width=NARROWEST), 0
    while not begun(walk).repeats(()):
        walk = walk.after_page(begun(walk), (), f"page-{empties}", NOON)
        empties += 1
    assert empties == 3
    after_one_with_orders = walk.after_page(begun(walk), ids(1), "page-4", NOON)
    assert not begun(after_one_with_orders).repeats(())


@pytest.mark.parametrize(
    ("orders", "width"),
    [(0, 2 * HOUR), (39, 2 * HOUR), (40, HOUR), (80, HOUR), (81, HOUR / 2), (100, HOUR / 2)],
)
def test_slices_grow_and_shrink_towards_about_one_page(orders: int, width: timedelta) -> None:
    walk = Walk(reached=NOON - HOUR, width=HOUR)
    after = walk.after_page(Slice(after=NOON - HOUR, before=NOON), ids(orders), None, NOON)
    assert after.width == width


def test_slices_stay_within_their_bounds() -> None:
    long_ago = NOON - 2 * WIDEST
    wide = Walk(reached=long_ago, width=WIDEST).after_page(
        Slice(after=long_ago, before=long_ago + WIDEST), (), None, None
    )
    narrow = Walk(reached=NOON - NARROWEST).after_page(Slice(after=NOON - NARROWEST, before=NOON), ids(100), None, None)
    assert (wide.width, narrow.width) == (WIDEST, NARROWEST)


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
        walk = walk.after_page(part, ids(len(found[offset : offset + page])), more, part.before)
    assert served == {time for time in ledger if time <= NOON}


# What it may spend ----------------------------------------------------------------------------------------------------


def test_a_full_bucket_gives_its_burst_and_no_more() -> None:
    bucket: Bucket | None = Bucket.full(0.0056, 20, NOON)
    taken = 0
    while bucket and (bucket := bucket.take(NOON)):
        taken += 1
    assert taken == 20


def test_an_empty_bucket_gives_one_call_every_178_seconds() -> None:
    empty = Bucket.full(0.0056, 20, NOON).emptied(NOON)
    assert empty.take(NOON + timedelta(seconds=178)) is None
    assert empty.take(NOON + timedelta(seconds=179)) is not None
    assert empty.next_token_at(NOON) == NOON + timedelta(seconds=1 / 0.0056)


def test_a_bucket_with_a_token_gives_it_now() -> None:
    assert Bucket.full(0.5, 30, NOON).next_token_at(NOON) == NOON


def test_a_bucket_never_saves_up_more_than_its_burst() -> None:
    bucket = Bucket.full(0.5, 30, NOON).take(NOON + 10 * DAY)
    assert bucket is not None
    assert bucket.tokens == 29


def test_a_clock_that_went_back_gives_no_tokens() -> None:
    assert Bucket.full(0.5, 1, NOON).emptied(NOON).take(NOON - DAY) is None


def test_a_bucket_learns_the_rate_that_amazon_names() -> None:
    bucket = Bucket.full(0.0056, 20, NOON)
    assert bucket.learned(0.1).rate == 0.1
    assert bucket.learned(None).rate == 0.0056


# Live and backdated ---------------------------------------------------------------------------------------------------


def test_the_live_download_starts_now_so_that_new_orders_do_not_wait_behind_old_ones() -> None:
    assert LiveDownload.starting(NOON).walk.reached == NOON - AMAZONS_MARGIN


def test_the_live_download_is_due_at_its_interval_and_while_a_slice_is_begun() -> None:
    live = LiveDownload.starting(NOON)
    every = timedelta(minutes=5)
    assert live.is_due(NOON, every)
    ran = live.model_copy(update={"last_run_at": NOON})
    assert not ran.is_due(NOON + every - timedelta(seconds=31), every)
    assert ran.is_due(NOON + every - timedelta(seconds=30), every)
    part = Slice(after=NOON - HOUR, before=NOON, page_token="next")
    midway = ran.model_copy(update={"walk": live.walk.model_copy(update={"slice": part})})
    assert midway.is_due(NOON, every)


@pytest.mark.parametrize("status", ["queued", "running", "waitingForQuota"])
def test_a_download_with_work_left_is_not_over(status: str) -> None:
    assert not a_backdated_download(status).is_over


@pytest.mark.parametrize("status", ["finished", "cancelled", "failed"])
def test_a_download_that_ended_is_over(status: str) -> None:
    assert a_backdated_download(status).is_over


def a_backdated_download(status: str) -> BackdatedDownload:
    return BackdatedDownload.model_validate(
        {
            "download_id": "d",
            "status": status,
            "updated_after": NOON - DAY,
            "updated_before": NOON,
            "walk": Walk(reached=NOON - DAY),
            "requested_by": "ada",
            "requested_at": NOON,
        }
    )


def test_counts_add_up_field_by_field() -> None:
    assert Counts(pages=1, orders=3, new=2, unchanged=1) + Counts(pages=1, orders=1, changed=1) == Counts(
        pages=2, orders=4, new=2, changed=1, unchanged=1
    )


# What it does to an order ---------------------------------------------------------------------------------------------


def test_a_new_order_waits_for_its_verdict() -> None:
    order = downloaded(None, an_amazon_order(), "demo", NOON)
    assert order is not None
    assert (order.integration, order.is_pending, order.revision) == ("demo", True, 0)


def test_an_order_that_is_overdue_for_redaction_when_it_arrives_is_stored_redacted() -> None:
    old = an_amazon_order(deliver_by=NOON - timedelta(days=27))
    order = downloaded(None, old, "demo", NOON)
    assert order is not None
    assert order.redacted_at == NOON
    assert (order.amazon.recipient_name, order.amazon.buyer_email) == (None, None)


def test_an_unchanged_order_is_no_write() -> None:
    order = an_order()
    assert downloaded(order, order.amazon, order.integration, NOON) is None


def test_an_older_version_never_wins() -> None:
    order = an_order()
    older = order.amazon.model_copy(
        update={"updated_at": order.amazon.updated_at - timedelta(seconds=1), "recipient_name": "Somebody Else"}
    )
    assert downloaded(order, older, order.integration, NOON) is None


def test_new_content_at_the_same_time_is_written_since_a_role_may_have_been_granted() -> None:
    order = an_order(amazon=an_amazon_order(buyer_email=None))
    filled = order.amazon.model_copy(update={"buyer_email": "ada@marketplace.example.com"})
    after = downloaded(order, filled, order.integration, NOON)
    assert after is not None
    assert (after.amazon.buyer_email, after.pending_since) == ("ada@marketplace.example.com", NOON)


def test_a_download_leaves_peoples_part_of_the_order_alone() -> None:
    order = an_order(stage="packing", accepted=accepting("email"))
    newer = order.amazon.model_copy(update={"updated_at": order.amazon.updated_at + HOUR})
    after = downloaded(order, newer, order.integration, NOON)
    assert after is not None
    assert (after.edits, after.stage, after.accepted) == (order.edits, "packing", accepting("email"))


def test_a_redacted_order_is_never_filled_again() -> None:
    order = an_order(redacted_at=NOON)
    bare = order.with_(amazon=order.amazon.redacted())
    newer = an_amazon_order(updated_at=order.amazon.updated_at + HOUR)
    after = downloaded(bare, newer, bare.integration, NOON)
    assert after is not None
    assert (after.amazon.recipient_name, after.amazon.buyer_email) == (None, None)


def test_an_order_of_another_integration_is_refused() -> None:
    order = an_order(integration="ours")
    with pytest.raises(UnreadableOrder, match="belongs to another integration"):
        downloaded(order, an_amazon_order(), "theirs", NOON)

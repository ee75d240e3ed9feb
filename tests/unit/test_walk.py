"""How a download walks through its window, what it may spend, and what it does to an order: the pure rules."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from needs_attention.downloads.backdated import BackdatedDownload, Counts
from needs_attention.downloads.by_id import Redownload, SetAside
from needs_attention.downloads.live import LiveDownload, Subscription
from needs_attention.downloads.proofs import Proofs, Unproven
from needs_attention.downloads.quota import GIVEN_UP_AFTER, Bucket
from needs_attention.downloads.walk import AMAZONS_MARGIN, NARROWEST, OVERLAP, WIDEST, Pace, Slice, Walk
from needs_attention.orders.amazon_order import UnreadableOrder
from needs_attention.orders.amazon_update import downloaded
from needs_attention.orders.order import Redaction
from needs_attention.orders.settings import Checks, Settings
from needs_attention.orders.verdict import judged
from tools.builders import NOON, a_line, accepting, an_amazon_order, an_order

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY = timedelta(days=1)


def begun(walk: Walk, until: datetime = NOON) -> Slice:
    part = walk.next_slice(until)
    assert part is not None
    return part


def ids(count: int) -> tuple[str, ...]:
    return tuple(f"701-{number:07}-0000000" for number in range(count))


# A walk ---------------------------------------------------------------------------------------------------------------


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


def test_only_what_follows_the_end_of_a_window_looks_back_for_orders_that_were_listed_late() -> None:
    walk = Walk(reached=NOON - DAY, width=DAY / 2)
    assert begun(walk).after == NOON - DAY - OVERLAP
    inside = paged(walk, ids(5))
    assert begun(inside).after == NOON - DAY / 2
    at_the_edge = paged(inside, ids(5))
    assert begun(at_the_edge, NOON + HOUR).after == NOON - OVERLAP


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
    assert paged(Walk(reached=NOON - HOUR), ids(5)).reached == NOON


def test_the_walk_follows_the_bound_that_amazon_really_used_if_that_is_earlier() -> None:
    moved = paged(Walk(reached=NOON - HOUR), ids(5), bound=NOON - timedelta(minutes=10))
    assert moved.reached == NOON - timedelta(minutes=10)


def test_the_walk_does_not_pass_the_bound_it_sent_even_if_amazon_names_a_later_one() -> None:
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


def test_only_slices_that_may_have_pages_and_no_more_than_expected_are_paged_through() -> None:
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


def test_a_page_that_holds_just_what_the_page_before_held_is_noticed() -> None:
    part = Slice(after=NOON - HOUR, before=NOON, page_token="next", last_page=ids(2), pages=1)
    assert part.repeats(ids(2))
    assert not part.repeats(ids(3))
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


def test_a_download_that_amazon_does_not_answer_waits_and_is_not_given_up() -> None:
    download = a_backdated_download("running")
    for _ in range(20):
        download = download.waiting_for_amazon("no answer", NOON)
    assert (download.status, download.failures, download.retry_at) == ("running", 0, NOON + 5 * MINUTE)


def test_slices_stay_within_their_bounds() -> None:
    long_ago = NOON - 3 * WIDEST
    empty = Walk(reached=long_ago, width=WIDEST)
    assert paged(empty, ()).width == WIDEST
    flooded = Walk(reached=NOON - HOUR, pace=Pace().after(1_000_000, HOUR))
    assert begun(flooded).before - flooded.reached == NARROWEST


def test_how_many_calls_a_window_takes_is_known_before() -> None:
    assert Walk(reached=NOON - 30 * DAY).calls_to(NOON) == 5  # 1, 2, 4, 8 and 15 days, if there is nothing in them
    assert Walk.of_the_past(NOON - 30 * DAY, Pace().after(100, DAY)).calls_to(NOON) == 40
    assert Walk(reached=NOON).calls_to(NOON) == 0


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


# What is still to be proven -------------------------------------------------------------------------------------------


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
    [(-MINUTE, False), (MINUTE * 0, True), (MINUTE, True), (2 * MINUTE, False)],
)
def test_an_order_of_the_slice_that_was_updated_while_it_was_walked_contradicts_it(
    order_id: str, updated_after: timedelta, is_contradicted: bool
) -> None:
    assert walked().is_contradicted_by({order_id: NOON + updated_after}) is is_contradicted
    assert not walked().is_contradicted_by({"999-9999999-9999999": NOON + updated_after})


def test_what_is_contradicted_is_walked_again_at_once_and_every_slice_of_pages_when_there_is_quota() -> None:
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


def test_what_is_walked_again_is_done_when_nothing_is_left_of_it() -> None:
    late, early = walked(), walked(after=NOON - 9 * HOUR, before=NOON - 8 * HOUR)
    proofs = Proofs().with_walked(late).with_walked(early)
    first, second = proofs.again
    further = first.walk.model_copy(update={"reached": first.walk.reached + MINUTE})
    assert [one.walk for one in proofs.with_walk(first.walk, further).again] == [further, second.walk]
    through = first.walk.model_copy(update={"reached": first.before})
    assert proofs.with_walk(first.walk, through).again == (second,)


def test_what_cannot_be_walked_again_now_waits_and_lets_others_go_first() -> None:
    late, early = walked(), walked(after=NOON - 9 * HOUR, before=NOON - 8 * HOUR)
    proofs = Proofs().with_walked(late).with_walked(early)
    postponed = proofs.postponed(proofs.again[0].walk, NOON, is_at_fault=True)
    assert postponed.next_again(NOON) == proofs.again[1]
    assert postponed.next_again(NOON + 5 * MINUTE) == postponed.again[0]
    assert Proofs().next_again(NOON) is None


def test_what_always_fails_by_itself_is_left_to_the_second_look() -> None:
    fails, works = walked(), walked(after=NOON - 9 * HOUR, before=NOON - 8 * HOUR)
    proofs = Proofs().with_walked(fails).with_walked(works)
    walk = proofs.again[0].walk
    for _ in range(GIVEN_UP_AFTER - 1):
        proofs = proofs.postponed(walk, NOON, is_at_fault=True).postponed(walk, NOON, is_at_fault=False)
    assert [one.failures for one in proofs.again] == [GIVEN_UP_AFTER - 1, 0]
    gone_on = walk.model_copy(update={"width": MINUTE})
    assert proofs.with_walk(walk, gone_on).again[0].failures == 0
    assert proofs.postponed(walk, NOON, is_at_fault=True).again == proofs.again[1:]


def test_a_seller_without_quota_to_spare_fills_no_item_of_dynamodbs_with_what_is_to_be_walked_again() -> None:
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


def test_what_nothing_contradicts_stays_to_be_proven() -> None:
    proofs = Proofs().with_walked(walked())
    assert proofs.with_versions({"999-9999999-9999999": NOON, ids(1)[0]: NOON - MINUTE}) == proofs


def test_what_follows_on_what_waits_is_walked_with_it() -> None:
    proofs = Proofs()
    for start in (4, 3, 2):
        proofs = proofs.with_walked(walked(after=NOON - start * HOUR, before=NOON - (start - 1) * HOUR))
    (again,) = proofs.again
    assert (again.walk.reached, again.before) == (NOON - 4 * HOUR, NOON - HOUR)


def test_a_slice_is_watched_until_live_downloads_are_past_the_time_of_its_walk() -> None:
    proofs = Proofs().with_walked(walked())
    assert proofs.watched(NOON + MINUTE).unproven
    assert not proofs.watched(NOON + 2 * MINUTE).unproven


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
    assert bucket.answered(NOON, 0.1).rate == 0.1
    assert bucket.answered(NOON, None).rate == 0.0056


def test_a_bucket_that_was_full_fills_again_from_when_the_call_came_to_amazon() -> None:
    full = Bucket.full(0.5, 2, NOON).take(NOON)
    assert full is not None
    assert full.answered(NOON + 9 * SECOND, None).tokens_at(NOON + 9 * SECOND) == 1
    second = full.answered(NOON, None).take(NOON + SECOND / 2)
    assert second is not None
    assert second.answered(NOON + 9 * SECOND, None).tokens_at(NOON + 9 * SECOND) == 2


def test_a_bucket_tells_what_it_can_carry() -> None:
    bucket = Bucket.full(0.0056, 20, NOON)
    assert bucket.can_carry(Pace().after(29_000, DAY), 1.0)
    assert not bucket.can_carry(Pace().after(30_000, DAY), 1.0)
    assert not bucket.can_carry(Pace().after(29_000, DAY), 0.5)
    assert (bucket.is_half_full(NOON), bucket.is_brimming(NOON)) == (True, True)
    spent = bucket.emptied(NOON)
    assert (spent.is_half_full(NOON + 29 * MINUTE), spent.is_half_full(NOON + 30 * MINUTE)) == (False, True)
    assert (spent.is_brimming(NOON + 56 * MINUTE), spent.is_brimming(NOON + 57 * MINUTE)) == (False, True)


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


def test_a_live_search_that_failed_is_not_made_again_before_its_time() -> None:
    live = LiveDownload.starting(NOON).model_copy(update={"retry_at": NOON + 5 * MINUTE})
    assert not live.is_due(NOON + 4 * MINUTE, MINUTE)
    assert live.is_due(NOON + 5 * MINUTE, MINUTE)


def test_ids_of_backdated_downloads_sort_by_time() -> None:
    first, second = (
        BackdatedDownload.requested(NOON - DAY, Pace(), by="ada", now=NOON + timedelta(milliseconds=passed))
        for passed in (7, 80)
    )
    assert (first.walk.reached, first.status) == (NOON - DAY, "queued")
    assert first.updated_before == first.requested_at - AMAZONS_MARGIN
    assert first.download_id.startswith("20261123T120000007Z-")
    assert first.download_id < second.download_id


def test_a_backdated_download_that_fails_is_tried_again_and_given_up_after_an_hour() -> None:
    download = a_backdated_download("running")
    for failures in range(1, 12):
        download = download.failed("Amazon says no", NOON)
        assert (download.status, download.failures, download.retry_at) == ("running", failures, NOON + 5 * MINUTE)
    given_up = download.failed("Amazon says no", NOON)
    assert (given_up.status, given_up.failure, given_up.finished_at) == ("failed", "Amazon says no", NOON)


def test_what_was_set_aside_is_asked_for_again_more_and_more_seldom() -> None:
    aside = SetAside(order_id="701-1", reason="no createdTime", first_seen_at=NOON)
    waits = []
    for _ in range(5):
        aside = aside.tried_again(NOON)
        assert aside.retry_at is not None
        waits.append((aside.retry_at - NOON) / MINUTE)
    assert waits == [15, 60, 360, 1440, 1440]


def test_counts_add_up_field_by_field() -> None:
    assert Counts(pages=1, orders=3, new=2, unchanged=1) + Counts(pages=1, orders=1, changed=1) == Counts(
        pages=2, orders=4, new=2, changed=1, unchanged=1
    )


# What it does to an order ---------------------------------------------------------------------------------------------


def test_a_new_order_waits_for_its_verdict() -> None:
    order = downloaded(None, an_amazon_order(), "demo", Settings(), NOON)
    assert order is not None
    assert (order.integration, order.is_pending, order.revision) == ("demo", True, 0)


def test_an_order_that_is_overdue_for_redaction_when_it_arrives_is_stored_redacted() -> None:
    old = an_amazon_order(deliver_by=NOON - timedelta(days=27))
    order = downloaded(None, old, "demo", Settings(), NOON)
    assert order is not None
    assert (order.redacted_at, order.redaction) == (NOON, Redaction(by="clock", why="retention"))
    assert (order.amazon.recipient_name, order.amazon.buyer_email) == (None, None)


def test_an_unchanged_order_is_no_write() -> None:
    order = an_order()
    assert downloaded(order, order.amazon, order.integration, Settings(), NOON) is None


def test_an_older_version_never_wins() -> None:
    order = an_order()
    older = order.amazon.model_copy(
        update={"updated_at": order.amazon.updated_at - timedelta(seconds=1), "recipient_name": "Somebody Else"}
    )
    assert downloaded(order, older, order.integration, Settings(), NOON) is None


def test_new_content_at_the_same_time_is_written_since_a_role_may_have_been_granted() -> None:
    order = an_order(amazon=an_amazon_order(buyer_email=None))
    filled = order.amazon.model_copy(update={"buyer_email": "ada@marketplace.example.com"})
    after = downloaded(order, filled, order.integration, Settings(), NOON)
    assert after is not None
    assert (after.amazon.buyer_email, after.pending_since) == ("ada@marketplace.example.com", NOON)


def test_a_verdict_stands_when_only_the_time_of_the_update_is_new() -> None:
    judged_order = judged(an_order(amazon=an_amazon_order(buyer_email=None)), Settings(), NOON)
    touched = judged_order.amazon.model_copy(update={"updated_at": judged_order.amazon.updated_at + HOUR})
    after = downloaded(judged_order, touched, judged_order.integration, Settings(), NOON + HOUR)
    assert after == judged_order.with_(amazon=touched, downloaded_at=NOON + HOUR)
    assert judged(after, Settings(), NOON + HOUR).says_the_same_as(after)


def test_a_verdict_is_made_anew_when_only_the_time_of_the_update_is_new_but_the_settings_say_something_else() -> None:
    held = judged(an_order(amazon=an_amazon_order(buyer_email=None)), Settings(), NOON)
    touched = held.amazon.model_copy(update={"updated_at": held.amazon.updated_at + HOUR})
    after = downloaded(held, touched, held.integration, Settings(checks=Checks(email=False)), NOON + HOUR)
    assert after is not None
    assert after.pending_since == NOON + HOUR


def test_a_verdict_that_is_pending_stays_pending_when_only_the_time_of_the_update_is_new() -> None:
    order = an_order().with_(pending_since=NOON)
    touched = order.amazon.model_copy(update={"updated_at": order.amazon.updated_at + HOUR})
    after = downloaded(order, touched, order.integration, Settings(), NOON + HOUR)
    assert after is not None
    assert after.is_pending


def test_a_download_leaves_peoples_part_of_the_order_alone() -> None:
    order = an_order(stage="packing", accepted=accepting("email"))
    newer = order.amazon.model_copy(update={"updated_at": order.amazon.updated_at + HOUR})
    after = downloaded(order, newer, order.integration, Settings(), NOON)
    assert after is not None
    assert (after.edits, after.stage, after.accepted) == (order.edits, "packing", accepting("email"))


def test_a_redacted_order_is_never_filled_again() -> None:
    order = an_order(redacted_at=NOON)
    bare = order.with_(amazon=order.amazon.redacted())
    newer = an_amazon_order(updated_at=order.amazon.updated_at + HOUR)
    after = downloaded(bare, newer, bare.integration, Settings(), NOON)
    assert after is not None
    assert (after.amazon.recipient_name, after.amazon.buyer_email) == (None, None)


def test_an_order_of_another_integration_is_refused() -> None:
    order = an_order(integration="ours")
    with pytest.raises(UnreadableOrder, match="belongs to another integration"):
        downloaded(order, an_amazon_order(), "theirs", Settings(), NOON)


def test_an_order_too_large_with_what_is_kept_of_it_is_refused() -> None:
    lines = tuple(a_line(order_item_id=str(number), title="x" * 2_000) for number in range(30))
    order = an_order(an_amazon_order(line_items=lines))
    newer = order.amazon.model_copy(update={"line_items": None, "programs": ("x" * 2_000,) * 10})
    assert downloaded(order, newer, order.integration, Settings(), NOON)
    with pytest.raises(UnreadableOrder, match="more than the 100,000 that can be kept"):
        downloaded(
            order, newer.model_copy(update={"programs": ("x" * 2_000,) * 20}), order.integration, Settings(), NOON
        )


# By ID ----------------------------------------------------------------------------------------------------------------


def wanted(cause: Any = "requested", **fields: Any) -> Redownload:
    return Redownload(order_id="701-1", cause=cause, wanted_at=NOON, **fields)


def test_what_a_person_wants_is_answered_by_amazon_alone() -> None:
    assert not wanted().is_answered_by(NOON, NOON + DAY)


def test_a_hint_is_answered_by_the_version_that_is_stored() -> None:
    changed_at = NOON
    hint = wanted("orderChange", changed_at=changed_at)
    assert hint.is_answered_by(NOON, changed_at - SECOND)
    assert not hint.is_answered_by(NOON - SECOND, changed_at - SECOND)
    assert not hint.is_answered_by(None, changed_at - SECOND)


def test_a_change_is_answered_by_live_downloads_that_have_come_past_it_unless_they_missed_it() -> None:
    assert wanted("orderChange", changed_at=NOON).is_answered_by(None, NOON)
    assert not wanted("reconciliation", changed_at=NOON).is_answered_by(None, NOON + DAY)


def test_a_subscription_that_is_wanted_is_confirmed_each_day() -> None:
    assert not Subscription().is_in_order(NOON, is_wanted=True)
    made = Subscription(subscription_id="s1", confirmed_at=NOON)
    assert made.is_in_order(NOON + DAY - MINUTE, is_wanted=True)
    assert not made.is_in_order(NOON + DAY, is_wanted=True)


def test_a_subscription_that_nobody_wants_is_ended_and_a_failure_to_make_one_forgotten() -> None:
    assert Subscription().is_in_order(NOON, is_wanted=False)
    made = Subscription(subscription_id="s1", confirmed_at=NOON)
    assert not made.is_in_order(NOON, is_wanted=False)
    assert not Subscription().failed("no", NOON).is_in_order(NOON, is_wanted=False)
    assert made.failed("no", NOON).is_in_order(NOON + MINUTE, is_wanted=False)
    assert not made.failed("no", NOON).is_in_order(NOON + HOUR, is_wanted=False)
    assert Subscription().failed("no", NOON).is_in_order(NOON + MINUTE, is_wanted=True)


def test_a_subscription_that_could_not_be_made_is_tried_again_in_an_hour() -> None:
    failed = Subscription().failed("Amazon gave no reason", NOON)
    assert (failed.subscription_id, failed.failure, failed.retry_at) == (None, "Amazon gave no reason", NOON + HOUR)


def test_what_was_not_answered_is_asked_for_five_minutes_later_and_given_up_at_last() -> None:
    again: Redownload | None = wanted()
    for tries in range(1, GIVEN_UP_AFTER):
        assert again is not None
        again = again.failed(NOON)
        assert again is not None
        assert (again.tries, again.is_due(NOON + 5 * MINUTE - SECOND), again.is_due(NOON + 5 * MINUTE)) == (
            tries,
            False,
            True,
        )
    assert again is not None
    assert again.put_off(NOON + HOUR).tries == again.tries
    assert again.failed(NOON) is None
    assert wanted().is_due(NOON)


def test_a_download_is_known_again_by_its_suffix_and_its_start() -> None:
    def requested(at: datetime, suffix: str, start: datetime = NOON - timedelta(days=1)) -> BackdatedDownload:
        return BackdatedDownload.requested(start, Pace(), by="ada", now=at, suffix=suffix)

    first = requested(NOON, "monday")
    assert first.is_asked_for_again_by(requested(NOON + timedelta(minutes=1), "monday"))
    assert not first.is_asked_for_again_by(requested(NOON, "tuesday"))
    assert not first.is_asked_for_again_by(requested(NOON, "monday", NOON - timedelta(days=2)))

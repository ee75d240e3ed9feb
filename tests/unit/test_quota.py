"""Amazon's quota: the calls that a bucket gives, and what it can carry."""

from datetime import timedelta

from needs_attention.downloads.quota import Bucket
from needs_attention.downloads.walk import Pace
from tools.builders import NOON

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY = timedelta(days=1)


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


def test_a_bucket_tells_when_it_will_be_half_full_and_when_brimming() -> None:
    """A call comes each two seconds."""
    bucket = Bucket.full(0.5, 30, NOON).model_copy(update={"tokens": 10})
    assert bucket.half_full_at(NOON) == NOON + 10 * SECOND
    assert bucket.brimming_at(NOON) == NOON + 38 * SECOND
    assert Bucket.full(0.5, 30, NOON).brimming_at(NOON) == NOON


def test_a_bucket_with_a_part_of_a_token_gives_it_when_it_is_whole() -> None:
    bucket = Bucket.full(0.5, 30, NOON)
    half, more = (bucket.model_copy(update={"tokens": tokens}) for tokens in (0.5, 1.5))
    assert (half.next_token_at(NOON), more.next_token_at(NOON)) == (NOON + SECOND, NOON)


def test_a_token_is_there_a_millisecond_late_since_times_are_rounded() -> None:
    empty = Bucket.full(0.5, 30, NOON).emptied(NOON)
    assert empty.take(NOON + 2 * SECOND) is None
    assert empty.take(NOON + 2 * SECOND + timedelta(milliseconds=1)) is not None


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


def test_a_bucket_that_was_not_full_goes_on_filling_during_a_call() -> None:
    bucket = Bucket(rate=0.5, burst=30, tokens=5, at=NOON)
    assert bucket.answered(NOON + 9 * SECOND, None) == bucket


def test_a_full_bucket_refills_from_the_time_of_amazons_answer() -> None:
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


def test_a_bucket_at_its_limits_is_brimming_and_carries_no_more() -> None:
    bucket = Bucket.full(0.5, 20, NOON)
    assert bucket.model_copy(update={"tokens": 10}).is_half_full(NOON)
    assert bucket.model_copy(update={"tokens": 19}).is_brimming(NOON)
    four_fifths = 0.8 * 1800 * 75  # of an hour's calls, each with three quarters of a page
    assert not bucket.can_carry(Pace(orders=four_fifths, seconds=3600), 1.0)
    assert bucket.can_carry(Pace(orders=four_fifths - 1, seconds=3600), 1.0)


def test_a_bucket_that_two_spent_holds_what_neither_has_spent() -> None:
    mine, others = (Bucket.full(0.5, 30, NOON).model_copy(update={"tokens": tokens}) for tokens in (20.0, 25.0))
    assert mine.shared_with(others, NOON).tokens_at(NOON) == 15
    assert others.shared_with(mine, NOON).tokens_at(NOON) == 15
    assert mine.shared_with(mine.emptied(NOON), NOON).tokens_at(NOON) == 0
    assert mine.shared_with(others, NOON + timedelta(hours=1)).tokens_at(NOON + timedelta(hours=1)) == 30

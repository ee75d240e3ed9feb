"""The download by schedule: when it is due, and the subscription to Amazon's notifications."""

from datetime import timedelta

from needs_attention.downloads.live import LiveDownload, Subscription
from needs_attention.downloads.walk import AMAZONS_MARGIN, Slice
from tools.builders import NOON

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY = timedelta(days=1)


def test_the_live_download_starts_now() -> None:
    assert LiveDownload.starting(NOON).walk.reached == NOON - AMAZONS_MARGIN


def test_the_live_download_is_due_at_its_interval_or_midway() -> None:
    live = LiveDownload.starting(NOON)
    every = timedelta(minutes=5)
    assert live.is_due(NOON, every)
    ran = live.model_copy(update={"last_run_at": NOON})
    assert not ran.is_due(NOON + every - timedelta(seconds=31), every)
    assert ran.is_due(NOON + every - timedelta(seconds=30), every)
    part = Slice(after=NOON - HOUR, before=NOON, page_token="next")
    midway = ran.model_copy(update={"walk": live.walk.model_copy(update={"slice": part})})
    assert midway.is_due(NOON, every)


def test_a_live_search_that_failed_is_not_made_again_before_its_time() -> None:
    live = LiveDownload.starting(NOON).model_copy(update={"retry_at": NOON + 5 * MINUTE})
    assert not live.is_due(NOON + 4 * MINUTE, MINUTE)
    assert live.is_due(NOON + 5 * MINUTE, MINUTE)


def test_the_live_download_tells_when_it_is_due() -> None:
    live, every = LiveDownload.starting(NOON), 5 * MINUTE
    assert live.due_at(NOON, every) == NOON
    ran = live.model_copy(update={"last_run_at": NOON})
    assert ran.due_at(NOON + MINUTE, every) == NOON + every - 30 * SECOND
    assert ran.due_at(NOON + HOUR, every) == NOON + HOUR
    failed = ran.model_copy(update={"retry_at": NOON + 6 * MINUTE})
    assert failed.due_at(NOON, every) == NOON + 6 * MINUTE


def test_a_subscription_that_is_wanted_is_confirmed_each_day() -> None:
    assert not Subscription().is_in_order(NOON, None, is_wanted=True)
    made = Subscription(subscription_id="s1", confirmed_at=NOON)
    assert made.is_in_order(NOON + DAY - MINUTE, None, is_wanted=True)
    assert not made.is_in_order(NOON + DAY, None, is_wanted=True)


def test_an_unwanted_subscription_is_ended_and_its_failure_forgotten() -> None:
    assert Subscription().is_in_order(NOON, None, is_wanted=False)
    made = Subscription(subscription_id="s1", confirmed_at=NOON)
    assert not made.is_in_order(NOON, None, is_wanted=False)
    assert not Subscription().failed("no", NOON).is_in_order(NOON, None, is_wanted=False)
    assert made.failed("no", NOON).is_in_order(NOON + MINUTE, None, is_wanted=False)
    assert not made.failed("no", NOON).is_in_order(NOON + HOUR, None, is_wanted=False)
    assert Subscription().failed("no", NOON).is_in_order(NOON + MINUTE, None, is_wanted=True)


def test_a_subscription_that_could_not_be_made_is_tried_again_in_an_hour() -> None:
    failed = Subscription().failed("Amazon gave no reason", NOON)
    assert (failed.subscription_id, failed.failure, failed.retry_at) == (None, "Amazon gave no reason", NOON + HOUR)


def test_a_subscription_is_confirmed_again_with_other_credentials() -> None:
    made = Subscription(subscription_id="one", credentials_version="v1", confirmed_at=NOON)
    assert made.is_in_order(NOON, "v1", is_wanted=True)
    assert not made.is_in_order(NOON, "v2", is_wanted=True)
    assert made.failed("no", NOON).is_in_order(NOON, "v2", is_wanted=True)  # asked again in an hour

"""A download of the past: how it fails, ends and is known again."""

from datetime import datetime, timedelta

import pytest

from needs_attention.downloads.backdated import BackdatedDownload, Counts
from needs_attention.downloads.walk import AMAZONS_MARGIN, Pace, Walk
from tools.builders import NOON

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY = timedelta(days=1)


def test_a_download_that_amazon_does_not_answer_waits_and_is_not_given_up() -> None:
    download = a_backdated_download("running")
    for _ in range(20):
        download = download.waiting_for_amazon("no answer", NOON)
    assert (download.status, download.failures, download.retry_at) == ("running", 0, NOON + 5 * MINUTE)


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


def test_ids_of_backdated_downloads_sort_by_time() -> None:
    first, second = (
        BackdatedDownload.requested(NOON - DAY, Pace(), by="ada", now=NOON + timedelta(milliseconds=passed))
        for passed in (7, 80)
    )
    assert (first.walk.reached, first.status) == (NOON - DAY, "queued")
    assert first.updated_before == first.requested_at - AMAZONS_MARGIN
    assert first.download_id.startswith("20261123T120000007Z-")
    assert first.download_id < second.download_id


def test_a_failing_backdated_download_is_given_up_after_an_hour() -> None:
    download = a_backdated_download("running")
    for failures in range(1, 12):
        download = download.failed("Amazon says no", NOON)
        assert (download.status, download.failures, download.retry_at) == ("running", failures, NOON + 5 * MINUTE)
    given_up = download.failed("Amazon says no", NOON)
    assert (given_up.status, given_up.failure, given_up.finished_at) == ("failed", "Amazon says no", NOON)


def test_counts_add_up_field_by_field() -> None:
    assert Counts(pages=1, orders=3, new=2, unchanged=1) + Counts(pages=1, orders=1, changed=1) == Counts(
        pages=2, orders=4, new=2, changed=1, unchanged=1
    )


def test_a_download_is_known_again_by_its_suffix_and_its_start() -> None:
    def requested(at: datetime, suffix: str, start: datetime = NOON - timedelta(days=1)) -> BackdatedDownload:
        return BackdatedDownload.requested(start, Pace(), by="ada", now=at, suffix=suffix)

    first = requested(NOON, "monday")
    assert first.is_asked_for_again_by(requested(NOON + timedelta(minutes=1), "monday"))
    assert not first.is_asked_for_again_by(requested(NOON, "tuesday"))
    assert not first.is_asked_for_again_by(requested(NOON, "monday", NOON - timedelta(days=2)))


def test_counts_begin_at_nothing() -> None:
    assert set(dict(Counts()).values()) == {0}

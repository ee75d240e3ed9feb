"""The second look: when it comes, the window that it goes through, and which of two ways it takes."""

from datetime import datetime, timedelta

import pytest

from needs_attention.downloads.live import LiveDownload
from needs_attention.downloads.second_look import OrderReport, Reconciliation
from needs_attention.downloads.walk import Pace, Walk
from tools.builders import NOON

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LONG_AGO = NOON - 10 * DAY


def live(updates_a_day: int = 1_000) -> LiveDownload:
    walk = Walk(reached=NOON, pace=Pace().after(updates_a_day, DAY))
    return LiveDownload.starting(NOON).model_copy(update={"walk": walk})


def a_look(
    last: Reconciliation | None = None, since: datetime = LONG_AGO, updates_a_day: int = 1_000
) -> Reconciliation:
    look = Reconciliation.next(last, live(updates_a_day), since, NOON)
    assert look is not None
    return look


def test_it_goes_back_three_days_or_to_where_live_downloads_began() -> None:
    look = a_look()
    assert (look.updated_after, look.updated_before, look.walk.reached) == (NOON - 3 * DAY, NOON, NOON - 3 * DAY)
    assert a_look(since=NOON - 2 * DAY).updated_after == NOON - 2 * DAY
    assert Reconciliation.next(None, live(), NOON - DAY + MINUTE, NOON) is None


def test_it_comes_again_a_day_after_the_last_ended() -> None:
    ended = a_look().model_copy(update={"finished_at": NOON - DAY})
    assert Reconciliation.next(ended, live(), LONG_AGO, NOON - MINUTE) is None
    assert a_look(ended) == a_look()


def test_nothing_lies_between_two_of_them_however_long_the_first_took() -> None:
    ended = a_look().model_copy(update={"updated_before": NOON - 5 * DAY, "finished_at": NOON - DAY})
    assert a_look(ended).updated_after == NOON - 5 * DAY
    long_ago = ended.model_copy(update={"updated_before": NOON - 90 * DAY})
    assert a_look(long_ago, since=NOON - 400 * DAY).updated_after == NOON - 30 * DAY


def test_one_that_is_under_way_goes_on() -> None:
    under_way = a_look().model_copy(update={"missed_count": 3})
    assert a_look(under_way) == under_way


def test_an_account_without_quota_to_spare_is_compared_with_amazons_report() -> None:
    assert not a_look(updates_a_day=4_300).is_by_report
    assert a_look(updates_a_day=4_400).is_by_report


def test_searches_of_an_account_grown_busy_give_way_to_a_report() -> None:
    by_searches = a_look().model_copy(update={"missed_count": 3})
    assert a_look(by_searches, updates_a_day=4_400) == a_look(updates_a_day=4_400)


def test_a_report_is_compared_even_if_the_account_is_quiet_again() -> None:
    by_report = a_look(updates_a_day=4_400)
    assert a_look(by_report) == by_report


def test_a_report_that_failed_gives_way_to_searches_once_the_account_is_quiet() -> None:
    began = a_look(updates_a_day=4_400).model_copy(update={"updated_after": NOON - 9 * DAY})
    failed = began.without_report("CANCELLED", NOON - HOUR)
    again = a_look(failed)
    assert (again.is_by_report, again.updated_after, again.updated_before) == (False, NOON - 9 * DAY, NOON)


def test_searches_instead_of_a_report_go_on_however_busy_the_account_is_again() -> None:
    failed = a_look(updates_a_day=4_400).without_report("CANCELLED", NOON - HOUR)
    by_searches = a_look(failed)
    under_way = by_searches.model_copy(update={"missed_count": 3})
    assert a_look(under_way, updates_a_day=4_400) == under_way
    ended = under_way.model_copy(update={"finished_at": NOON - DAY})
    assert a_look(ended, updates_a_day=4_400).is_by_report


def test_a_look_that_starts_again_goes_back_as_far_as_the_one_before() -> None:
    by_searches = a_look().model_copy(update={"updated_after": NOON - 9 * DAY})
    assert a_look(by_searches, updates_a_day=4_400).updated_after == NOON - 9 * DAY
    longest = by_searches.model_copy(update={"updated_after": NOON - 40 * DAY})
    assert a_look(longest, updates_a_day=4_400).updated_after == NOON - 30 * DAY


def test_while_reports_fail_the_next_one_covers_the_time_since() -> None:
    began = a_look(updates_a_day=4_400).model_copy(
        update={"updated_after": NOON - 31 * DAY, "updated_before": NOON - DAY}
    )
    again = a_look(began.without_report("CANCELLED", NOON - HOUR), updates_a_day=4_400)
    assert (again.updated_after, again.updated_before) == (NOON - 30 * DAY, NOON)
    waiting = began.found(["701-1"]).asking_for(OrderReport(report_id="5", requested_at=NOON))
    assert (waiting.missed, waiting.missed_count, waiting.failure) == ((), 0, None)
    assert a_look(waiting, updates_a_day=4_400) == waiting


@pytest.mark.parametrize(
    ("failed", "waits"),
    [
        (a_look().failed("Amazon gave no reason", NOON), 5 * MINUTE),
        (a_look().without_report("Amazon could not make it", NOON), HOUR),
    ],
)
def test_a_failed_second_look_shows_its_failure_and_waits(failed: Reconciliation, waits: timedelta) -> None:
    assert failed.failure
    assert Reconciliation.next(failed, live(), LONG_AGO, NOON + waits - MINUTE) is None
    assert Reconciliation.next(failed, live(), LONG_AGO, NOON + waits) == failed


def test_only_a_report_that_amazon_could_not_make_is_forgotten() -> None:
    asked = a_look().model_copy(update={"report": OrderReport(report_id="5", requested_at=NOON)})
    assert asked.without_report("Amazon could not make it", NOON).report is None
    assert asked.failed("Amazon gave no reason", NOON).report == asked.report


def test_a_report_is_overdue_after_six_hours() -> None:
    report = OrderReport(report_id="5", requested_at=NOON)
    assert not report.is_overdue(NOON + 6 * HOUR)
    assert report.is_overdue(NOON + 6 * HOUR + MINUTE)


def test_all_that_was_missed_is_counted_and_the_first_are_named() -> None:
    found = a_look().found([f"701-{n}" for n in range(15)]).found([f"702-{n}" for n in range(15)])
    assert (found.missed_count, len(found.missed)) == (30, 20)

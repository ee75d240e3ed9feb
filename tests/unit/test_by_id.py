"""Single orders that Amazon is asked for by ID: when, and for how long."""

from datetime import timedelta
from typing import Any

from needs_attention.downloads.by_id import Redownload, SetAside
from needs_attention.downloads.quota import GIVEN_UP_AFTER
from tools.builders import NOON

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY = timedelta(days=1)


def test_an_order_set_aside_is_asked_for_less_and_less_often() -> None:
    aside = SetAside(order_id="701-1", reason="no createdTime", first_seen_at=NOON)
    waits = []
    for _ in range(5):
        aside = aside.tried_again(NOON)
        assert aside.retry_at is not None
        waits.append((aside.retry_at - NOON) / MINUTE)
    assert waits == [15, 60, 360, 1440, 1440]


def wanted(cause: Any = "requested", **fields: Any) -> Redownload:
    return Redownload(order_id="701-1", cause=cause, wanted_at=NOON, **fields)


def test_only_amazon_answers_a_persons_request() -> None:
    assert not wanted().is_answered_by(NOON, NOON + DAY)


def test_a_hint_is_answered_by_the_version_that_is_stored() -> None:
    changed_at = NOON
    hint = wanted("orderChange", changed_at=changed_at)
    assert hint.is_answered_by(NOON, changed_at - SECOND)
    assert not hint.is_answered_by(NOON - SECOND, changed_at - SECOND)
    assert not hint.is_answered_by(None, changed_at - SECOND)


def test_live_downloads_answer_a_change_that_they_have_long_passed() -> None:
    assert wanted("orderChange", changed_at=NOON).is_answered_by(None, NOON + 30 * MINUTE)
    assert not wanted("orderChange", changed_at=NOON).is_answered_by(None, NOON + 29 * MINUTE)  # it may be listed late
    assert not wanted("reconciliation", changed_at=NOON).is_answered_by(None, NOON + DAY)


def test_an_order_without_an_answer_is_asked_for_again_and_given_up() -> None:
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

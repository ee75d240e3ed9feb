"""Times: how they are taken, kept and written."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated

import pytest
from pydantic import ValidationError

from needs_attention.values.fields import WHOLE
from needs_attention.values.model import Value
from needs_attention.values.times import SentTime, id_made_at, in_utc, instant, utc_now
from tools.builders import NOON


def test_times_are_kept_in_utc_to_the_millisecond() -> None:
    in_tokyo = datetime(2026, 11, 23, 21, 0, 0, 123_999, tzinfo=timezone(timedelta(hours=9)))

    assert in_utc(in_tokyo) == datetime(2026, 11, 23, 12, 0, 0, 123_000, tzinfo=UTC)
    assert in_utc(in_tokyo).tzinfo is UTC


def test_times_are_written_so_that_their_texts_sort_as_they_do() -> None:
    times = [datetime(2026, 1, 2, tzinfo=UTC), NOON, NOON + timedelta(milliseconds=1), NOON + timedelta(seconds=1)]

    assert [instant(time) for time in times] == sorted(instant(time) for time in times)
    assert instant(NOON) == "2026-11-23T12:00:00.000Z"


def test_a_time_of_another_zone_is_written_in_utc() -> None:
    assert instant(datetime(2026, 11, 23, 21, tzinfo=timezone(timedelta(hours=9)))) == "2026-11-23T12:00:00.000Z"


def test_the_clock_is_read_as_exactly_as_times_are_stored() -> None:
    now = utc_now()

    assert now == in_utc(now)
    assert now.tzinfo is UTC


def test_an_id_holds_its_time_to_the_millisecond_and_twelve_digits() -> None:
    made_at = NOON + timedelta(microseconds=7_999)
    assert re.fullmatch(r"20261123T120000007Z-[0-9a-f]{12}", id_made_at(made_at))
    assert id_made_at(made_at) != id_made_at(made_at)
    assert id_made_at(made_at, "abc") == "20261123T120000007Z-abc"


@pytest.mark.parametrize("year", [1, 1969, 3000, 9999])
def test_a_time_at_the_far_ends_of_the_calendar_is_refused(year: int) -> None:
    with pytest.raises(ValueError, match="1970"):
        in_utc(datetime(year, 6, 1, tzinfo=UTC))


@pytest.mark.parametrize("text", ["1970-01-01T00:00:00+14:00", "2999-12-31T23:59:59-12:00"])
def test_a_time_out_of_range_in_utc_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="1970"):
        in_utc(datetime.fromisoformat(text))


@pytest.mark.parametrize("year", [1970, 2999])
def test_the_first_and_the_last_year_are_accepted(year: int) -> None:
    assert in_utc(datetime(year, 6, 1, tzinfo=UTC)).year == year


class Sent(Value):
    """A request."""

    at: SentTime | None = None
    number: Annotated[int, WHOLE] | None = None


@pytest.mark.parametrize(
    "at", ["2026-11-23T18:00:00Z", "2026-11-23t19:00:00.000+01:00", "2026-11-23T18:00:00.000000000z"]
)
def test_a_time_is_taken_as_rfc_3339_writes_it(at: str) -> None:
    assert Sent.model_validate_json(f'{{"at": "{at}"}}', strict=True).at == datetime(2026, 11, 23, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    "at",
    [
        '"1700000000"',
        "1700000000",
        '"2026-11-23"',
        '"2026-11-23 18:00:00Z"',
        '"2026-11-23T18:00:00"',
        '"2026-11-23T18:00Z"',
        '"2026-02-30T18:00:00Z"',
        '"1969-12-31T23:59:59Z"',
        '"3000-01-01T00:00:00Z"',
        '"٢٠٢٦-11-23T18:00:00Z"',
    ],
)
def test_no_other_time_is_taken(at: str) -> None:
    with pytest.raises(ValidationError):
        Sent.model_validate_json(f'{{"at": {at}}}', strict=True)

"""Times in UTC with a fixed width, so that they sort as text, and ids that sort by time."""

import re
import secrets
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError


def instant(time: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, e.g. `2026-11-23T18:00:00.000Z`. These texts sort like their times."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def id_made_at(time: datetime, suffix: str | None = None) -> str:
    """An id that sorts by time, and ends with the suffix or, without one, with random digits."""
    return f"{time:%Y%m%dT%H%M%S}{time.microsecond // 1000:03d}Z-{suffix or secrets.token_hex(6)}"


def utc_now() -> datetime:
    """The present time, as exact as it is stored. Only handlers call this."""
    return in_utc(datetime.now(UTC))


def in_utc(time: datetime) -> datetime:
    """The same moment in UTC, cut to milliseconds.

    Refuses the far ends of the calendar, where a change of zone or a deadline would overflow. This goes for the time as
    sent and in UTC, so that every time that is written can be read again.
    """
    utc = time.astimezone(UTC) if _is_in_range(time) else time
    if not _is_in_range(utc):
        raise PydanticCustomError("year_out_of_range", "a time must lie between the years 1970 and 2999")
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def _is_in_range(time: datetime) -> bool:
    return 1970 <= time.year < 3000


_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _parsed(value: object) -> object:
    """Stricter than pydantic, which also takes numbers, and their text, as seconds since 1970."""
    if not isinstance(value, str):
        return value
    try:
        if _RFC_3339.fullmatch(value):
            return datetime.fromisoformat(value.upper())
    except ValueError:  # such as 30 February
        pass
    raise ValueError("must be a time with its zone, such as 2026-11-23T18:00:00Z")


UtcTime = Annotated[
    AwareDatetime,
    AfterValidator(in_utc),
    PlainSerializer(instant, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]

# A time that people and machines send.
SentTime = Annotated[UtcTime, BeforeValidator(_parsed)]

"""Times in UTC with a fixed width, so that they sort as text, and IDs that sort by the time."""

import re
import secrets
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError


def instant(time: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, e.g. `2026-11-23T18:00:00.000Z`: such texts sort as the times do."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def id_made_at(time: datetime, suffix: str | None = None) -> str:
    """An id that sorts by the time, and ends with the suffix; without one, by chance."""
    return f"{time:%Y%m%dT%H%M%S}{time.microsecond // 1000:03d}Z-{suffix or secrets.token_hex(6)}"


def utc_now() -> datetime:
    """The time, as exact as it is stored: handlers read the clock with it, and nobody else does."""
    return in_utc(datetime.now(UTC))


def in_utc(time: datetime) -> datetime:
    """The same moment in UTC, cut to milliseconds.

    Refuses the far ends of the calendar, where changing the zone or adding a deadline would overflow; also what only
    its zone brings there, so that what was written is read again.
    """
    utc = time.astimezone(UTC) if _can_be_reckoned_with(time) else time
    if not _can_be_reckoned_with(utc):
        raise PydanticCustomError("year_out_of_range", "a time must lie between the years 1970 and 2999")
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def _can_be_reckoned_with(time: datetime) -> bool:
    return 1970 <= time.year < 3000


_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _parsed(value: object) -> object:
    """Not left to pydantic, which takes more for a time: a number, or its text, for seconds since 1970."""
    if not isinstance(value, str):
        return value
    try:
        if _RFC_3339.fullmatch(value):
            return datetime.fromisoformat(value.upper())
    except ValueError:  # a day that no month has
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

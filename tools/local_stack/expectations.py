"""Expectations: checked at once, or before a deadline."""

import time
from collections.abc import Callable

PAUSE = 0.2
# Many times as long as anything takes on a fast machine: only an event that never comes takes this long.
A_LONG_WHILE = 300.0


class Unexpected(Exception):
    """Something is not as expected: the message says what was expected, and what was found."""


def expect(actual: object, wanted: object, what: str) -> None:
    """Raises Unexpected unless both are equal."""
    if actual != wanted:
        raise Unexpected(f"{what}:\n  expected {wanted!r}\n  but it is {actual!r}")


def eventually[Found](
    what: str, find: Callable[[], Found | None], seconds: float = A_LONG_WHILE, pause: float = PAUSE
) -> Found:
    """The result of `find` as soon as it is not None. Raises Unexpected if it has not come after this many seconds."""
    deadline = time.monotonic() + seconds
    while (found := find()) is None:
        if time.monotonic() > deadline:
            raise Unexpected(f"{what}: not within {seconds} s")
        time.sleep(pause)
    return found

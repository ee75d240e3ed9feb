"""What must be so, at once or before a deadline."""

import time
from collections.abc import Callable

PAUSE = 0.2
# Many times what anything takes on a fast machine: only what never comes is waited for so long.
A_LONG_WHILE = 300.0


class Unexpected(Exception):
    """Something is not as it must be: the message says what, and how it is instead."""


def expect(actual: object, wanted: object, what: str) -> None:
    """Raises Unexpected unless both are equal."""
    if actual != wanted:
        raise Unexpected(f"{what}:\n  expected {wanted!r}\n  but it is {actual!r}")


def eventually[Found](
    what: str, find: Callable[[], Found | None], seconds: float = A_LONG_WHILE, pause: float = PAUSE
) -> Found:
    """What `find` answers as soon as that is not None. Raises Unexpected if it has not come after so many seconds."""
    deadline = time.monotonic() + seconds
    while (found := find()) is None:
        if time.monotonic() > deadline:
            raise Unexpected(f"{what}: not within {seconds} s")
        time.sleep(pause)
    return found

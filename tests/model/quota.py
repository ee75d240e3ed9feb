"""The calls that Amazon's quota of `searchOrders` leaves for backdated downloads, and the updates that it can carry."""

import math

SECONDS_PER_CALL = 178.6
ORDERS_A_PAGE = 100
MINUTES_A_DAY = 24 * 60
CALLS_A_DAY = MINUTES_A_DAY * 60 / SECONDS_PER_CALL
FIRST_WINDOW = 3.0
LONGEST_WINDOW = 3 * MINUTES_A_DAY


def calls_left(poll_every: int) -> float:
    """The calls that a day refills beyond a live poll every so many minutes."""
    return CALLS_A_DAY - MINUTES_A_DAY / poll_every


def hours_for(pages: int, poll_every: int) -> float:
    """How long a backdated download takes that gets every call left."""
    return pages / calls_left(poll_every) * 24


def settled_window(updates_a_day: int, overlap: int) -> float | None:
    """The window in minutes at which live downloads settle, or None where they never catch up.

    A window costs a call per page, and the next window is as long as those calls take, plus the overlap.
    """
    window = FIRST_WINDOW
    for _ in range(4_000):
        calls = max(1, math.ceil(updates_a_day / MINUTES_A_DAY * window / ORDERS_A_PAGE))
        longer = calls * SECONDS_PER_CALL / 60 + overlap
        if abs(longer - window) < 1e-9:
            return window
        if longer > LONGEST_WINDOW:
            return None
        window = longer
    return None

"""The quota of `searchOrders`: the calls that live polls leave, and the updates a day that it carries."""

import pytest

from tests.model.quota import calls_left, hours_for, settled_window


@pytest.mark.parametrize(
    ("poll_every", "left", "hours"), [(3, 4, 637.9), (5, 196, 12.3), (6, 244, 9.8), (10, 340, 7.1), (15, 388, 6.2)]
)
def test_live_polls_leave_calls_for_backdated_work(poll_every: int, left: int, hours: float) -> None:
    assert round(calls_left(poll_every)) == left
    assert round(hours_for(100, poll_every), 1) == hours


@pytest.mark.parametrize(
    ("updates_a_day", "windows"),
    [
        (10_000, {0: 3, 2: 5, 5: 8, 10: 13}),
        (20_000, {0: 3, 2: 5, 5: 11, 10: 19}),
        (30_000, {0: 3, 2: 8, 5: 14, 10: 28}),
        (40_000, {0: 3, 2: 14, 5: 32, 10: 61}),
        (44_000, {0: 3, 2: 23, 5: 56, 10: 111}),
        (48_000, {0: 3, 2: 258, 5: 645, 10: 1287}),
        (80_000, {0: None, 2: None, 5: None, 10: None}),
    ],
)
def test_windows_settle_as_long_as_the_quota_carries_the_updates(
    updates_a_day: int, windows: dict[int, int | None]
) -> None:
    settled = {overlap: settled_window(updates_a_day, overlap) for overlap in windows}
    assert {overlap: window and round(window) for overlap, window in settled.items()} == windows

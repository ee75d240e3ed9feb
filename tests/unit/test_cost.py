"""The model of a month's cost: the clock's part of it, which grows with sellers and not with orders."""

import pytest

from benchmarks import cost
from benchmarks.cost import DAYS, MINUTES, WAKE_UPS_A_DAY, Seller

ALONE, MANY = Seller("one", 100), Seller("ten thousand", 100, 10_000)


def test_each_seller_is_woken_as_often_as_the_clock_says() -> None:
    assert ALONE.messages == WAKE_UPS_A_DAY * DAYS
    assert MANY.messages == 10_000 * ALONE.messages


def test_a_live_search_needs_a_wake_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "WAKE_UPS_A_DAY", 1)

    assert ALONE.wake_ups == ALONE.searches


def test_wake_ups_of_one_minute_share_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "WAKE_UPS_A_DAY", 288)
    monkeypatch.setattr(cost, "WAKE_UPS_A_CALL", 10)

    assert ALONE.sends == ALONE.messages
    assert MANY.sends == 200 * MINUTES

"""The counter of held orders, and when they are counted again."""

from datetime import timedelta

import pytest

from needs_attention.integrations.held_counter import HeldCounter
from tools.builders import NOON

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(("age", "is_due"), [(timedelta(0), False), (59 * MINUTE, False), (60 * MINUTE, True)])
def test_held_orders_are_counted_again_after_an_hour(age: timedelta, is_due: bool) -> None:
    assert HeldCounter(held=3, counted_at=NOON - age).is_due(NOON) is is_due

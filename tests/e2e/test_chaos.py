"""Everything goes wrong at once, for a minute; `make chaos` does the same for ten."""

import secrets
from datetime import timedelta

from tests.e2e.conftest import DIRECTORY
from tools.local_stack.chaos.run import Chaos, Survived
from tools.local_stack.stack import Stack


def is_enough(so_far: Survived) -> bool:
    """A slow machine does less in a minute, and in some minutes chance leaves something out."""
    counts = so_far.counts
    some_orders = so_far.orders > 30 and so_far.handed_over and counts["samples"] > 100
    some_trouble = counts["functions killed"] and (counts["stands_still"] or counts["kills_all_functions"])
    return bool(some_orders and some_trouble)


def test_whatever_fails_nothing_incomplete_leaves_and_nothing_is_lost(stack: Stack) -> None:
    survived = Chaos(stack, DIRECTORY, secrets.randbelow(1_000_000)).run(timedelta(minutes=1), print, is_enough)
    assert survived.orders > 30
    assert survived.handed_over
    assert survived.counts["samples"] > 100
    assert survived.counts["functions killed"]
    assert survived.counts["stands_still"] or survived.counts["kills_all_functions"]

"""When a wake-up is due."""

from datetime import timedelta

from needs_attention.downloads.next_wake_up import NextWakeUp
from tools.builders import NOON

MINUTE = timedelta(minutes=1)


def test_a_wake_up_is_due_at_its_time() -> None:
    wake_up = NextWakeUp(integration="demo", at=NOON)
    assert not wake_up.is_due(NOON - MINUTE)
    assert wake_up.is_due(NOON)


def test_an_integration_is_looked_at_a_quarter_of_an_hour_after_its_last_run() -> None:
    late = NextWakeUp(integration="demo", at=NOON + timedelta(days=1), ran_at=NOON)
    assert not late.is_due(NOON + 14 * MINUTE)
    assert late.is_due(NOON + 15 * MINUTE)

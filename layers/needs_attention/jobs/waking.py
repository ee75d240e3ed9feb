"""A tick of the clock: wakes the integrations for which something is due, and those that nobody knows anything of."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from aws_lambda_powertools import Logger

from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.wake_ups import WakeUpStore
from needs_attention.wake_up_queue import WakeUpQueue

# How often all integrations are read, to find those without a next wake-up: one that was registered when no message
# could be sent, or one whose item was lost.
ALL_ARE_READ_EVERY = timedelta(minutes=15)

logger = Logger(child=True)


def wake_what_is_due(
    integrations: SettingsStore, wake_ups: WakeUpStore, queue: WakeUpQueue, tick: datetime, now: datetime
) -> Mapping[str, Exception]:
    """Wakes integrations, longest due first: paused and deleted ones too, whose verdicts and snoozes go on.

    `tick` is the time of the schedule: a tick that comes twice wakes once. Answers with the errors of those that could
    not be woken, by their IDs.
    """
    known = list(wake_ups.all())
    due = sorted((one for one in known if one.is_due(now)), key=lambda one: one.at)
    unknown = _unknown(integrations, {one.integration for one in known if one.ran_at}, tick)
    to_wake = dict.fromkeys((*(one.integration for one in due), *unknown))
    failed = queue.wake_each(to_wake, tick.isoformat())
    for one in due:
        if one.ran_at is None and one.integration not in failed:
            wake_ups.forget(one)
    logger.info("woke integrations", integrations=len(to_wake) - len(failed))
    return failed


def _unknown(integrations: SettingsStore, known: set[str], tick: datetime) -> list[str]:
    minutes = timedelta(hours=tick.hour, minutes=tick.minute)
    if known and minutes % ALL_ARE_READ_EVERY:
        return []
    return [one for one in integrations.find_all_ids() if one not in known]

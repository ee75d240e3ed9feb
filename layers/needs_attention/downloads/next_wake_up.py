"""When the clock wakes an integration next: for its live download, for an order, or to look whether anything is due."""

from datetime import datetime, timedelta

from needs_attention.values.model import Value
from needs_attention.values.times import UtcTime

# An integration is looked at this often, whatever its last run found: a wake-up may be lost. One that downloads says so
# often how its connection is, because alarms count by it.
LOOKED_AT_EVERY = timedelta(minutes=15)
LOOKED_AT_EVERY_WHILE_DOWNLOADING = timedelta(minutes=5)


class NextWakeUp(Value):
    """The time at which the clock wakes an integration next.

    The run that ended at `ran_at` chose it. None: it was a change of an order, which the clock owes something then.
    """

    integration: str
    at: UtcTime
    ran_at: UtcTime | None = None

    def is_due(self, now: datetime) -> bool:
        return self.at <= now or (self.ran_at is not None and self.ran_at + LOOKED_AT_EVERY <= now)

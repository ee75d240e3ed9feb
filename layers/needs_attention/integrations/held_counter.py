"""The counter of an integration's held orders: what reads over all integrations need not count them itself."""

from datetime import datetime, timedelta

from needs_attention.values.model import Value
from needs_attention.values.times import UtcTime

COUNTED_AGAIN_AFTER = timedelta(hours=1)


class HeldCounter(Value):
    """How many orders of an integration were held, and when they were counted."""

    held: int
    counted_at: UtcTime

    def is_due(self, now: datetime) -> bool:
        """Whether the orders should be counted again."""
        return now - self.counted_at >= COUNTED_AGAIN_AFTER

"""The merge of a removed integration into another one of the same seller."""

from datetime import datetime, timedelta

from needs_attention.values.fields import Slug
from needs_attention.values.model import Value
from needs_attention.values.times import UtcTime

# A run that read the integration before its removal may still store orders: it has two minutes (the timeout of
# download_orders in template.yaml), and indexes lag a moment.
LAST_RUN_ENDS_AFTER = timedelta(minutes=3)
MOST_UNREADABLE_NAMED = 100


class Merge(Value):
    """Moves the orders of the integration `source`, then the requests for single orders, and its progress.

    The orders move by their created time; `position` is the place of the next page. `unreadable` names the first orders
    that cannot be read: they stay. In the end, everything that Amazon updated since `missed_since` is downloaded: the
    source downloaded nothing from then on. A repeated merge moves mended orders, and each is asked for by ID.
    """

    source: Slug
    requested_by: str
    requested_at: UtcTime
    missed_since: UtcTime
    position: str | None = None
    orders: int = 0
    unreadable: tuple[str, ...] = ()
    are_orders_moved: bool = False
    is_repeated: bool = False
    finished_at: UtcTime | None = None

    @property
    def begins_at(self) -> datetime:
        """When no run can store an order of the source any more."""
        return self.requested_at + LAST_RUN_ENDS_AFTER

    def started_over(self) -> "Merge":
        """For orders that could not be read, and may have been mended since."""
        fresh = {"position": None, "unreadable": (), "are_orders_moved": False, "finished_at": None}
        return self.model_copy(update={**fresh, "is_repeated": True})

    def after_page(self, moved: int, unreadable: tuple[str, ...], position: str | None) -> "Merge":
        return self.model_copy(
            update={
                "position": position,
                "orders": self.orders + moved,
                "unreadable": (*self.unreadable, *unreadable)[:MOST_UNREADABLE_NAMED],
                "are_orders_moved": position is None,
            }
        )

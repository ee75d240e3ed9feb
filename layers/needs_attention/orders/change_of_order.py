"""Who changed an order, and in which fields."""

from datetime import datetime
from typing import NotRequired
from typing import TypedDict
from typing import Unpack
from needs_attention.orders.changes import happened
from needs_attention.orders.edits import Edits
from needs_attention.orders.order import LastChange
from needs_attention.orders.order import Order
from needs_attention.tables.dynamodb import items
from needs_attention.values.model import differing


# Who changes orders without anybody having asked; every other name is a person's or a warehouse's.
AUTOMATIC = frozenset({"amazon", "validation", "clock"})


class ChangedBy(TypedDict):
    """What is written down with a change of an order: who made it, when and why, and the request that it came with.

    That is the API's of a person's or a warehouse's change, Amazon's of a download.
    """

    by: str
    at: datetime
    cause: str
    request_id: NotRequired[str | None]


# Writes ---------------------------------------------------------------------------------------------------------------
def _changed(before: Order | None, after: Order, **changed_by: Unpack[ChangedBy]) -> Order:
    """The order as it will stand: one revision on, and with the change that led there written on it."""
    at = changed_by["at"]
    change = LastChange(
        by=changed_by["by"],
        at=max(at, before.last_change.at) if before and before.last_change else at,
        cause=changed_by["cause"],
        request_id=changed_by.get("request_id"),
        fields=_changed_fields(before, after),
        events=happened(before, after, by_a_person=changed_by["by"] not in AUTOMATIC),
    )
    return after.with_(revision=(before.revision if before else 0) + 1, last_change=change)


# Told otherwise (amazon, edits), or of no interest to a person who reads the history.
_OWN_BOOKKEEPING = {
    "amazon",
    "edits",
    "revision",
    "last_change",
    "downloaded_at",
    "pending_since",
    "judged_at",
    "judged_status",
    "redownload_at",
    "handed_over_digest",
    "redaction",
    "alerts",
}


def _changed_fields(before: Order | None, after: Order) -> tuple[str, ...]:
    if before is None:
        return ()
    own = differing(before, after) - _OWN_BOOKKEEPING
    edits = differing(before.edits, after.edits) - {"amazon_then"}
    told = (info.alias or name for name, info in Order.model_fields.items() if name in own)
    edited = (f"edits.{info.alias or name}" for name, info in Edits.model_fields.items() if name in edits)
    amazons = (f"amazon.{name}" for name in before.amazon.changed_fields(after.amazon))
    return (*told, *edited, *amazons)


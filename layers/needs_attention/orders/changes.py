"""The record of a change of an order: who made it, the fields that differ, and the events that it means."""

from collections.abc import Set
from datetime import datetime
from typing import NotRequired, TypedDict, Unpack

from needs_attention.orders.alerts import OF_ONE_CHANGE, told_by
from needs_attention.orders.decisions import Decisions
from needs_attention.orders.edits import Edits, unit_of
from needs_attention.orders.order import LastChange, Order
from needs_attention.orders.settings import ThreePlStatus
from needs_attention.orders.urgency import ShipByState
from needs_attention.values.model import Value, differing

# These change orders without a request; every other name is a person's or a warehouse's.
AUTOMATIC = frozenset({"amazon", "validation", "clock"})


class ChangedBy(TypedDict):
    """Who made a change, when and why, and the ID of the request that it came with.

    That is a request to the API, or Amazon's if a download made the change.
    """

    by: str
    at: datetime
    cause: str
    request_id: NotRequired[str | None]


def with_change(before: Order | None, after: Order, **changed_by: Unpack[ChangedBy]) -> Order:
    """The order as it is written: its next revision, with the record of the change on it."""
    at = changed_by["at"]
    change = LastChange(
        by=changed_by["by"],
        at=max(at, before.last_change.at) if before and before.last_change else at,
        cause=changed_by["cause"],
        request_id=changed_by.get("request_id"),
        fields=_changed_fields(before, after),
        events=happened(before, after, by_a_person=changed_by["by"] not in AUTOMATIC),
    )
    revision = (before.revision if before else 0) + 1
    is_apart = after.apart_until == after.revision
    return after.with_(revision=revision, last_change=change, apart_until=revision if is_apart else after.apart_until)


# Listed one by one below (amazon, edits, decisions, closed alerts), or of no interest to readers of the history.
_OWN_BOOKKEEPING = {
    "amazon",
    "edits",
    "decisions",
    "closed_alerts",
    "revision",
    "last_change",
    "downloaded_at",
    "pending_since",
    "judged_at",
    "judged_status",
    "granted",
    "news",
    "apart_until",
    "rules",
    "let_go_without",
    "redownload_at",
    "deadline",
    "handed_over_digest",
    "parcel",
    "told",
    "redaction",
    "alerts",
    "is_live",
}
# What the API calls parts of decisions and edits, where that is not their own name.
_IN_THE_API = {"dispatch": "fullyDispatched", "confirmedDoubt": "confirmed", "answeredRequests": "confirmed"}


def _changed_fields(before: Order | None, after: Order) -> tuple[str, ...]:
    """What changed, by its names in the API; `keepTyped.email` if a person kept a typed value over Amazon's."""
    if before is None:
        return ()
    own = differing(before, after) - _OWN_BOOKKEEPING
    decisions = differing(before.decisions, after.decisions)
    edits = differing(before.edits, after.edits) - {"settled"}
    settled = {unit_of(place) for place, _ in before.edits.settled.items() ^ after.edits.settled.items()}
    fields = (
        *_names(Order, own),
        *(f"decisions.{_IN_THE_API.get(name, name)}" for name in _names(Decisions, decisions)),
        *(f"edits.{_IN_THE_API.get(name, name)}" for name in _names(Edits, edits)),
        *(f"keepTyped.{name}" for name in _names(Edits, settled - edits)),
        *(f"closedAlerts.{one.alert}" for one in after.closed_alerts if one not in before.closed_alerts),
        *(f"amazon.{name}" for name in before.amazon.changed_fields(after.amazon)),
    )
    return tuple(dict.fromkeys(fields))


def _names(kind: type[Value], fields: Set[str]) -> list[str]:
    """Those fields of a value in the sequence in which it has them, by their names in JSON."""
    return [info.alias or name for name, info in kind.model_fields.items() if name in fields] if fields else []


def happened(before: Order | None, after: Order, *, by_a_person: bool) -> tuple[str, ...]:
    """The events that a change means. They are written with the change, so publishing them needs nothing else."""
    was_held, is_held = before is not None and before.is_held, after.is_held
    was_ready = before is not None and before.is_transferable and before.is_live
    told = set(before.alerts) if before else set()
    if before and _changed_once_more(before, after):
        told -= OF_ONE_CHANGE
    events = {
        "OrderHeld": is_held and not was_held,
        "OrderReleased" if by_a_person else "OrderHealed": was_held and not is_held and after.has_a_future,
        "OrderReadyFor3pl": after.is_transferable and after.is_live and not was_ready,
        "OrderTransferred": after.is_handed_over and not (before is not None and before.is_handed_over),
        "OrderPicked": _has_become(ThreePlStatus.PICKED, before, after),
        "OrderTransferFailed": _has_become(ThreePlStatus.WITH_ERRORS, before, after),
        "OrderDispatched": bool(after.fully_dispatched_at) and not (before is not None and before.fully_dispatched_at),
        "OrderCancelled": bool(after.voided_at) and not (before is not None and before.voided_at),
        "OrderAtRisk": _is_told("atRisk", before, after),
        "ShipByMissed": _is_told("overdue", before, after),
        "OrderRedacted": bool(after.redacted_at) and not (before is not None and before.redacted_at),
    }
    alerts = (one for one in after.alerts if one not in told or (before and _tells_more(one, before, after)))
    return (*(name for name, is_true in events.items() if is_true), *alerts)


def _has_become(status: ThreePlStatus, before: Order | None, after: Order) -> bool:
    return after.three_pl_status is status and not (before is not None and before.three_pl_status is status)


def _is_told(state: ShipByState, before: Order | None, after: Order) -> bool:
    """Whether this change is the word that the ship-by is near, or has passed."""
    known, now = before.deadline if before else None, after.deadline
    if now is None or now.told != state:
        return False
    return known is None or (known.ship_by, known.told) != (now.ship_by, now.told)


def _tells_more(alert: str, before: Order, after: Order) -> bool:
    """Whether an alert that was open tells of a further piece of news; the release before kept no such pieces."""
    known = told_by(alert, before.told)
    return bool(known) and not told_by(alert, after.told) <= known


def _changed_once_more(before: Order, after: Order) -> bool:
    """Whether Amazon changed the order once more since it left: each such change is told."""
    return before.parcel is not None and after.parcel is not None and before.parcel.told != after.parcel.told

"""Alerts, and the pieces of news that each tells of: a piece is told once, also if a person closed its alert."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Literal

# Amazon's news came too late for the gate: people must act on these.
Alert = Literal[
    "CancelledAfterDispatch",
    "CancelledAfterHandOver",
    "CancelRequestedAfterDispatch",
    "CancelRequestedAfterHandOver",
    "ChangedAfterDispatch",
    "ChangedAfterHandOver",
    "IncompleteAfterDispatch",
    "DiffersFromAmazon",
    "CameBack",
]
# These tell of one change: they stay until somebody closes them, or the order is sent. The others end with their cause.
# What people were told of a change is in the parcel.
OF_ONE_CHANGE: frozenset[str] = frozenset({"ChangedAfterDispatch", "ChangedAfterHandOver"})

# The first word of a piece of news.
CANCELLED, CANCEL_REQUESTED, MISSING, DIFFERS, CAME_BACK = (
    "cancelled",
    "cancelRequested",
    "missing",
    "differs",
    "cameBack",
)
_TELLS_OF: Mapping[str, str] = {
    "CancelledAfterDispatch": CANCELLED,
    "CancelledAfterHandOver": CANCELLED,
    "CancelRequestedAfterDispatch": CANCEL_REQUESTED,
    "CancelRequestedAfterHandOver": CANCEL_REQUESTED,
    "IncompleteAfterDispatch": MISSING,
    "DiffersFromAmazon": DIFFERS,
    "CameBack": CAME_BACK,
}


def told_by(alert: str, news: Iterable[str]) -> set[str]:
    """Those pieces of the news that the alert tells of; none of a change."""
    return {piece for piece in news if piece.partition(" ")[0] == _TELLS_OF.get(alert)}


def difference(place: str, said: str) -> str:
    """The piece of news that Amazon says this of a place, in a form that does not reveal it."""
    return f"{DIFFERS} {place} {hashlib.sha256(said.encode()).hexdigest()}"

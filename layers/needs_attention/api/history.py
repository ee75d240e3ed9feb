"""The history of an order, as the API shows it."""

from typing import Any, TypedDict

from needs_attention.api.cursors import cursor_at, invalid_cursor, position_in
from needs_attention.api.orders.views import Change
from needs_attention.tables.history import HistoryStore, is_position, revision_at


class PastChange(Change):
    """An entry of an order's history."""

    revision: int


Revisions = TypedDict("Revisions", {"from": int, "to": int})


class MissingRevisions(TypedDict):
    """Revisions without an entry."""

    missingRevisions: Revisions


class HistoryOfOrder(TypedDict):
    """A page of an order's history, newest first."""

    changes: list[PastChange | MissingRevisions]
    nextCursor: str | None


def history_of_order(history: HistoryStore, order_id: str, limit: int, cursor: str | None) -> HistoryOfOrder:
    """One page of an order's history. Revisions without an entry are shown as `missingRevisions`.

    Raises a 400 for a cursor of another list.
    """
    position = None if cursor is None else position_in(cursor, order_id)
    if position is not None and not is_position(position):
        raise invalid_cursor()
    found = history.find(order_id, limit, position)
    newer = None if position is None else revision_at(position)
    return {
        "changes": _with_gaps(newer, found.entries, is_all=found.position is None),
        "nextCursor": cursor_at(found.position, order_id) if found.position else None,
    }


def _with_gaps(newer: int | None, entries: list[Any], *, is_all: bool) -> list[PastChange | MissingRevisions]:
    """The entries, newest first, each after the gap that lies before it, if there is one.

    `newer` is the revision that the page before ended with. The page that ends the history shows a gap at its end too.
    """
    revisions = [entry["revision"] for entry in entries]
    gaps = [_gap(new, old) for new, old in zip([newer, *revisions], [*revisions, 0 if is_all else None], strict=True)]
    return [shown for pair in zip(gaps, [*entries, None], strict=True) for shown in pair if shown]


def _gap(newer: int | None, older: int | None) -> MissingRevisions | None:
    if newer is None or older is None or newer - older <= 1:
        return None
    return {"missingRevisions": {"from": older + 1, "to": newer - 1}}

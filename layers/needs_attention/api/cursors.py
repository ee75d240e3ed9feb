"""Where a list goes on: opaque to callers, and of use to the one list that it was made for.

A cursor shows nothing but a position, which is a key of an index; the list it belongs to is known by a digest.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from needs_attention.api.problems import Problem
from needs_attention.values.model import Value

# An order ID has a hundred characters, which may be of four bytes each.
SentCursor = Annotated[str, StringConstraints(max_length=1_000)]


class PartOfList(Value):
    """The query parameters of a list that has no filters."""

    limit: int = Field(default=50, ge=1, le=250)
    cursor: SentCursor | None = None


# A time and an order's ID: what the indexes that lists go through are sorted by.
_KEY_OF_AN_ORDER = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z#.{1,100}")


class _Cursor(Value):
    version: Literal[1] = 1
    list: str
    position: str


def cursor_at(position: str, list_: str) -> str:
    """The cursor of the list that goes on after the position; `list_` says which one it is, by all that chose it."""
    cursor = _Cursor(list=_digest(list_), position=position)
    return urlsafe_b64encode(cursor.model_dump_json().encode()).decode()


def position_in(cursor: str, list_: str) -> str:
    """The position. Raises a 400 for a cursor that is not of ours, or not of this list."""
    try:
        told = _Cursor.model_validate_json(urlsafe_b64decode(cursor))
    except ValueError:
        raise invalid_cursor() from None
    if told.list != _digest(list_):
        raise invalid_cursor()
    return told.position


def order_key_in(cursor: str, list_: str, between: tuple[str, str]) -> str:
    """The position in a list of orders that goes from the one key to the other. Raises a 400 as `position_in` does."""
    position = position_in(cursor, list_)
    low, high = between
    if not _KEY_OF_AN_ORDER.fullmatch(position) or not low <= position <= high:
        raise invalid_cursor()
    return position


def invalid_cursor() -> Problem:
    return Problem(400, "The cursor does not belong to this list. Start again without it.", code="invalidCursor")


def _digest(list_: str) -> str:
    return sha256(list_.encode()).hexdigest()[:16]

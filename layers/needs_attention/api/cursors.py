"""Cursors: the place where a list goes on. They are opaque to callers, and each fits the one list it was made for.

A cursor holds a position, which is a key of an index, and a digest of its list.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from needs_attention.api.problems import Problem
from needs_attention.values.model import Value

# An order ID has up to a hundred characters of up to four bytes each.
SentCursor = Annotated[str, StringConstraints(max_length=1_000)]


class PartOfList(Value):
    """The query parameters of a list that has no filters."""

    limit: int = Field(default=50, ge=1, le=250)
    cursor: SentCursor | None = None


# A time and an order's ID: the indexes that lists read are sorted by these.
_KEY_OF_AN_ORDER = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z#.{1,100}")
# See `Slug`.
_ID_OF_AN_INTEGRATION = re.compile(r"[a-z0-9-]{1,40}")


class _Cursor(Value):
    version: Literal[1] = 1
    list: str
    position: str


def cursor_at(position: str, list_: str) -> str:
    """The cursor of the list that goes on after the position. `list_` names the list by everything that selects it."""
    cursor = _Cursor(list=_digest(list_), position=position)
    return urlsafe_b64encode(cursor.model_dump_json().encode()).decode()


def position_in(cursor: str, list_: str) -> str:
    """The position in this list. Raises a 400 for a cursor of another list, and for a text that is no cursor."""
    try:
        told = _Cursor.model_validate_json(urlsafe_b64decode(cursor))
    except ValueError:
        raise invalid_cursor() from None
    if told.list != _digest(list_):
        raise invalid_cursor()
    return told.position


def order_key_in(cursor: str, list_: str, between: tuple[str, str]) -> str:
    """The position in a list of orders between these two keys. Raises a 400 as `position_in` does."""
    position = position_in(cursor, list_)
    low, high = between
    if not _KEY_OF_AN_ORDER.fullmatch(position) or not low <= position <= high:
        raise invalid_cursor()
    return position


def integration_in(cursor: str, list_: str) -> str:
    """The position in a list of integrations, an ID. Raises a 400 as `position_in` does."""
    position = position_in(cursor, list_)
    if not _ID_OF_AN_INTEGRATION.fullmatch(position):
        raise invalid_cursor()
    return position


def invalid_cursor() -> Problem:
    return Problem(400, "The cursor does not belong to this list. Start again without it.", code="invalidCursor")


def _digest(list_: str) -> str:
    return sha256(list_.encode()).hexdigest()[:16]

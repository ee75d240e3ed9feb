"""Can a walk over pages of a window of update times miss an order that did not change?

An order that is updated during the walk leaves the window, and the orders behind it may move up by one place. The model
tries every order, at every page, for each way in which a server may make page tokens and sort. Amazon documents
neither.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple


class Tokens(StrEnum):
    SNAPSHOT = "snapshot"
    """The server keeps the answer to the first call and serves its parts."""
    OFFSET = "offset"
    """A token is a number of orders to skip."""
    KEYSET = "keyset"
    """A token is the last order served, and the next page begins after it."""


class Sort(StrEnum):
    ASCENDING = "ascending"
    DESCENDING = "descending"
    UNSPECIFIED = "unspecified"


class Server(NamedTuple):
    tokens: Tokens
    sort: Sort

    def sort_key(self, order: int, updated_at: int, orders: int) -> tuple[int, int]:
        """How the server sorts an order; the order breaks ties."""
        match self.sort:
            case Sort.ASCENDING:
                return updated_at, order
            case Sort.DESCENDING:
                return -updated_at, order
            case _:
                return order * 7 % orders, order


# A keyset needs a sort order that the server keeps.
SERVERS = tuple(
    Server(tokens, sort) for tokens in Tokens for sort in Sort if (tokens, sort) != (Tokens.KEYSET, Sort.UNSPECIFIED)
)


class Walk(NamedTuple):
    """A walk through `orders` orders, the first updated first; `updated` is updated after page `at_page` was served."""

    server: Server
    orders: int
    per_page: int
    at_page: int
    updated: int


def pages(walk: Walk) -> Iterator[list[int]]:
    """The pages that the server answers."""
    window = {order: order for order in range(walk.orders)}
    snapshot = _sorted(window, walk)
    last: tuple[int, int] | None = None
    for page in range(walk.orders + 1):
        skipped = page * walk.per_page
        match walk.server.tokens:
            case Tokens.SNAPSHOT:
                rest = snapshot[skipped:]
            case Tokens.OFFSET:
                rest = _sorted(window, walk)[skipped:]
            case Tokens.KEYSET:
                rest = [order for order in _sorted(window, walk) if last is None or _key(order, window, walk) > last]
                last = _key(rest[: walk.per_page][-1], window, walk) if rest else last
        yield rest[: walk.per_page]
        if page == walk.at_page:
            del window[walk.updated]  # it belongs to the next window now
        if len(rest) <= walk.per_page:
            return


def missed(walk: Walk) -> set[int]:
    """The orders that did not change, lie in the window, and were never served."""
    answered = list(pages(walk))
    is_disturbed = walk.at_page < len(answered)
    unchanged = {order for order in range(walk.orders) if not (is_disturbed and order == walk.updated)}
    return unchanged - {order for page in answered for order in page}


def is_noticed(walk: Walk) -> bool:
    """The walk served the updated order before its update, so that its return tells that the walk was disturbed."""
    before = [order for number, page in enumerate(pages(walk)) if number <= walk.at_page for order in page]
    return walk.updated in before


def is_caught_by_overlap(walk: Walk, overlap: int) -> bool:
    """The next window begins `overlap` updates before the end of this one, and serves every missed order."""
    return all(order >= walk.orders - overlap for order in missed(walk))


def walks(server: Server, orders: int, per_page: int, pages_disturbed: int) -> Iterator[Walk]:
    """Every order updated after every page."""
    for at_page in range(pages_disturbed):
        for updated in range(orders):
            yield Walk(server, orders, per_page, at_page, updated)


def _key(order: int, window: dict[int, int], walk: Walk) -> tuple[int, int]:
    return walk.server.sort_key(order, window[order], walk.orders)


def _sorted(window: dict[int, int], walk: Walk) -> list[int]:
    return sorted(window, key=lambda order: _key(order, window, walk))

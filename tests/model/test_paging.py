"""Which servers let a walk over pages miss an order that did not change, and whether the walk can notice."""

import pytest

from tests.model.paging import SERVERS, Server, Sort, Tokens, Walk, is_caught_by_overlap, is_noticed, missed, walks

SAFE = [server for server in SERVERS if server.tokens is not Tokens.OFFSET]
OVERLAP = 2


@pytest.mark.parametrize("server", SAFE, ids="-".join)
def test_snapshot_and_keyset_tokens_miss_no_order(server: Server) -> None:
    assert not [walk for walk in every_walk(server) if missed(walk)]


@pytest.mark.parametrize(
    ("sort", "missing", "lost_for_good"), [(Sort.ASCENDING, 6, 2), (Sort.DESCENDING, 6, 6), (Sort.UNSPECIFIED, 6, 2)]
)
def test_offset_tokens_miss_orders_and_an_overlap_does_not_catch_all(
    sort: Sort, missing: int, lost_for_good: int
) -> None:
    disturbed = list(walks(Server(Tokens.OFFSET, sort), orders=6, per_page=2, pages_disturbed=3))
    assert len(disturbed) == 18
    assert len([walk for walk in disturbed if missed(walk)]) == missing
    assert len([walk for walk in disturbed if not is_caught_by_overlap(walk, OVERLAP)]) == lost_for_good


def test_whenever_a_walk_misses_an_order_it_served_the_one_that_moved() -> None:
    broken = [walk for server in SERVERS for walk in every_walk(server) if missed(walk)]
    assert len(broken) == 453
    assert all(is_noticed(walk) for walk in broken)


def test_a_walk_does_not_notice_an_update_of_an_order_not_yet_served() -> None:
    assert not is_noticed(Walk(Server(Tokens.OFFSET, Sort.ASCENDING), orders=6, per_page=2, at_page=0, updated=4))


def every_walk(server: Server) -> list[Walk]:
    """Up to eight orders, pages of one to three, and an update after any page."""
    return [
        walk
        for per_page in (1, 2, 3)
        for orders in range(1, 9)
        for walk in walks(server, orders, per_page, pages_disturbed=8)
    ]

"""A merge of two integrations: when it begins, and how far it has come."""

from datetime import timedelta

from needs_attention.integrations.merge import MOST_UNREADABLE_NAMED, Merge
from tools.builders import NOON

MERGE = Merge(source="acme-ca", requested_by="ada", requested_at=NOON, missed_since=NOON)


def test_it_begins_when_the_last_run_of_the_source_has_ended() -> None:
    assert MERGE.begins_at == NOON + timedelta(minutes=3)


def test_it_counts_the_orders_page_by_page_and_names_those_that_stay() -> None:
    half = MERGE.after_page(99, ("701-1",), "a position")
    whole = half.after_page(50, ("701-2",), None)
    assert (half.orders, half.position, half.are_orders_moved) == (99, "a position", False)
    assert (whole.orders, whole.unreadable, whole.are_orders_moved) == (149, ("701-1", "701-2"), True)
    many = tuple(f"701-{number}" for number in range(200))
    assert MERGE.after_page(0, many, None).unreadable == many[:MOST_UNREADABLE_NAMED]


def test_it_starts_over_for_orders_that_were_mended() -> None:
    finished = MERGE.after_page(99, ("701-1",), None).model_copy(update={"finished_at": NOON})
    again = finished.started_over()
    assert (again.position, again.unreadable, again.are_orders_moved, again.finished_at) == (None, (), False, None)
    assert again.orders == 99

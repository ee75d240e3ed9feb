"""The summary of an order: the facts that a list shows, and the flags."""

import pytest

from needs_attention.orders.summary import FLAGS, Summary
from needs_attention.orders.verdict import judged
from tools.builders import NOON, SHIP_BY, a_held_order, accepting, an_amazon_order, an_order, without_checks

FLAGGED = {
    "buyerRequestedCancel": {"cancel_requested_by_buyer": True},
    "replacement": {"replaces_order_id": "701-0000000-0000000"},
    "gift": {"is_gift": True},
    "prime": {"programs": ("PRIME",)},
    "business": {"programs": ("AMAZON_BUSINESS",)},
}


def test_every_flag_is_tested() -> None:
    assert list(FLAGGED) == list(FLAGS)


@pytest.mark.parametrize("flag", FLAGGED)
def test_a_flag_is_raised_by_its_own_fact(flag: str) -> None:
    assert Summary.of(an_order(an_amazon_order(**FLAGGED[flag]))).flags == (flag,)
    assert Summary.of(an_order()).flags == ()


def test_a_summary_of_a_held_order_tells_why_and_since_when() -> None:
    summary = Summary.of(a_held_order())

    assert (summary.hold, summary.held_at, summary.missing, summary.ship_by) == ("missing", NOON, ("email",), SHIP_BY)
    assert (summary.status, summary.three_pl_status, summary.stage) == (
        "Open",
        "Do Not Transfer to 3PL",
        "needs-attention",
    )


def test_a_summary_lists_only_the_gaps_that_nobody_accepted() -> None:
    summary = Summary.of(a_held_order(accepted=accepting("email")))

    assert (summary.missing, summary.ready_to_release) == ((), True)


def test_an_order_is_unsent_until_somebody_sends_or_takes_it() -> None:
    order = judged(an_order(), without_checks(), NOON)

    assert Summary.of(order).is_unsent
    assert not Summary.of(order.with_(fully_dispatched_at=NOON)).is_unsent
    assert not Summary.of(order.with_(amazon=an_amazon_order(fulfilled_by="AMAZON"))).is_unsent

"""The summary of an order: the facts that a list shows, and the flags."""

from typing import Any

import pytest

from needs_attention.orders.decisions import ThreePlDecision
from needs_attention.orders.order import DIFFERS, Missing
from needs_attention.orders.settings import NEEDS_ATTENTION, ThreePlStatus
from needs_attention.orders.summary import FLAGS, Summary
from needs_attention.orders.verdict import judged
from tools.builders import (
    NOON,
    SHIP_BY,
    a_held_order,
    a_judged_order,
    accepting,
    an_amazon_order,
    an_order,
    by_hand,
    decided,
    snoozed,
    without_checks,
)

FLAGGED: dict[str, dict[str, Any]] = {
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


def test_a_summary_names_a_field_that_differs_like_one_that_is_missing() -> None:
    blank, differing = Missing(field="email", reason="blank"), Missing(field="email", reason=DIFFERS)

    assert Summary.of(a_held_order(missing=(differing,), accepted=accepting("email"))).missing == ("email",)
    assert Summary.of(a_held_order(missing=(blank, differing))).missing == ("email",)


@pytest.mark.parametrize(("hold", "kind"), [(by_hand(), "manual"), (snoozed(SHIP_BY), "snoozed")])
def test_a_summary_shows_a_persons_hold(hold: Any, kind: str) -> None:
    held = a_judged_order(stage=NEEDS_ATTENTION, decisions=decided(hold=hold))

    assert (Summary.of(held).hold, Summary.of(held).held_at) == (kind, NOON)
    assert Summary.of(held.with_(stage=None)).hold is None


@pytest.mark.parametrize(
    "decisions",
    [decided(three_pl_status=ThreePlStatus.DO_NOT_TRANSFER), decided(not_sent=True)],
    ids=["do not transfer", "not sent"],
)
def test_a_summary_tells_who_stopped_the_order_and_when(decisions: Any) -> None:
    summary = Summary.of(a_judged_order(decisions=decisions))

    assert (summary.stopped_by, summary.stopped_at, summary.stop_is_implied) == ("ada", NOON, False)


def test_a_summary_tells_a_stop_that_a_stage_alone_implied() -> None:
    implied = ThreePlDecision(by="ada", at=NOON, three_pl_status=ThreePlStatus.DO_NOT_TRANSFER, is_implied=True)
    summary = Summary.of(a_judged_order(decisions=decided().with_(three_pl_status=implied)))

    assert (summary.stopped_by, summary.stop_is_implied) == ("ada", True)


def test_a_summary_of_an_order_that_nobody_stopped_names_nobody() -> None:
    summary = Summary.of(a_judged_order(decisions=decided(three_pl_status=ThreePlStatus.NOW, hold=by_hand())))

    assert (summary.stopped_by, summary.stopped_at, summary.stop_is_implied) == (None, None, False)


def test_a_summary_tells_why_an_order_is_closed() -> None:
    closed = a_judged_order(an_amazon_order(fulfillment_status="SHIPPED", came_back_from=None), voided_at=NOON)
    back = a_judged_order(an_amazon_order(came_back_from="shipped", doubts=1), redacted_at=NOON)

    assert (Summary.of(closed).is_shipped, Summary.of(closed).is_void) == (True, True)
    assert (Summary.of(back).came_back_from, Summary.of(back).redacted_at) == ("shipped", NOON)
    assert (Summary.of(back).is_shipped, Summary.of(back).is_void) == (False, False)


def test_a_missing_field_is_awaited_unless_only_people_can_settle_it() -> None:
    unknown = Summary.of(a_judged_order(an_amazon_order(fulfillment_status=None, buyer_email=None)))
    back = Summary.of(a_judged_order(an_amazon_order(came_back_from="shipped", doubts=1, buyer_email=None)))
    typed = Summary.of(a_held_order(missing=(Missing(field="email", reason=DIFFERS),)))

    assert unknown.awaited == unknown.missing == ("email", "fulfillmentUnknown")
    assert (back.awaited, back.missing) == (("email",), ("email", "fulfillmentUnknown"))
    assert (typed.awaited, typed.missing) == ((), ("email",))


def test_an_order_is_unsent_until_somebody_sends_or_takes_it() -> None:
    order = judged(an_order(), without_checks(), NOON)

    assert Summary.of(order).is_unsent
    assert not Summary.of(order.with_(fully_dispatched_at=NOON)).is_unsent
    assert not Summary.of(order.with_(amazon=an_amazon_order(fulfilled_by="AMAZON"))).is_unsent

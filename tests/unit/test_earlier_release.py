"""Orders that the release before wrote: the decisions that are read out of what they show."""

from typing import Any

import pytest

from needs_attention.orders.changes import with_change
from needs_attention.orders.decisions import Decisions, Granted
from needs_attention.orders.earlier_release import WHO, with_decisions_apart
from needs_attention.orders.order import Hold, Order
from needs_attention.orders.settings import NEEDS_ATTENTION, Settings, ThreePlStatus
from needs_attention.orders.verdict import judged
from tools.builders import (
    LATER,
    LATER_STILL,
    NOON,
    an_amazon_order,
    an_fba_order,
    an_order,
    by_hand,
    decided,
    downloaded_again,
)

BY_DEFAULT = Settings()
EAGER = Settings(default_stage="ready", default_three_pl_status=ThreePlStatus.NOW, auto_dispatch_orders=True)
DO_NOT_TRANSFER = ThreePlStatus.DO_NOT_TRANSFER


def written_before(**fields: Any) -> Order:
    """An order as the release before let it go by the defaults: it kept no decisions apart."""
    shown: dict[str, Any] = {
        "stage": "new",
        "three_pl_status": ThreePlStatus.UPON_COMPLETION,
        "judged_at": NOON,
        "pending_since": None,
        "apart_until": None,
        "revision": 3,
    }
    return an_order().with_(**(shown | fields))


def decisions_in(order: Order, settings: Settings = BY_DEFAULT) -> Decisions:
    return with_decisions_apart(order, settings).decisions


def test_an_order_that_shows_the_defaults_shows_no_decision() -> None:
    order = with_decisions_apart(written_before(), BY_DEFAULT)

    assert order.decisions == Decisions()
    assert order.granted == Granted(
        stage="new", three_pl_status=ThreePlStatus.UPON_COMPLETION, is_dispatched=False, at=NOON
    )


def test_another_stage_than_the_default_was_a_persons_choice() -> None:
    decisions = decisions_in(written_before(stage="packing"))

    assert decisions.stage is not None
    assert (decisions.stage.stage, decisions.stage.by, decisions.stage.at) == ("packing", WHO, NOON)
    assert (decisions.three_pl_status, decisions.dispatch, decisions.hold) == (None, None, None)


@pytest.mark.parametrize("status", [DO_NOT_TRANSFER, ThreePlStatus.NOW])
def test_another_3pl_status_than_the_default_was_a_persons_choice(status: ThreePlStatus) -> None:
    decisions = decisions_in(written_before(three_pl_status=status))

    assert decisions.three_pl_status is not None
    assert (decisions.three_pl_status.three_pl_status, decisions.three_pl_status.is_implied) == (status, False)
    assert decisions.stage is None


def test_a_dispatch_by_a_person_stays_a_persons() -> None:
    decisions = decisions_in(written_before(dispatched_by="person", fully_dispatched_at=LATER))

    assert decisions.dispatch is not None
    assert (decisions.dispatch.by, decisions.dispatch.sent_at) == (WHO, LATER)


def test_a_dispatch_by_us_was_granted() -> None:
    order = with_decisions_apart(written_before(dispatched_by="us", fully_dispatched_at=LATER), BY_DEFAULT)

    assert order.decisions == Decisions()
    assert order.granted is not None
    assert (order.granted.is_dispatched, order.granted.at) == (True, LATER)


@pytest.mark.parametrize(
    "fields",
    [
        {"stage": NEEDS_ATTENTION, "three_pl_status": DO_NOT_TRANSFER},
        {"stage": None, "three_pl_status": DO_NOT_TRANSFER},
        {"three_pl_status": ThreePlStatus.TRANSFERRED},
        {"three_pl_status": DO_NOT_TRANSFER, "voided_at": NOON},
        {"three_pl_status": DO_NOT_TRANSFER, "redacted_at": NOON},
        {"three_pl_status": DO_NOT_TRANSFER, "amazon": an_amazon_order(fulfillment_status="SHIPPED")},
        {"three_pl_status": DO_NOT_TRANSFER, "amazon": an_amazon_order(fulfillment_status="PARTIALLY_SHIPPED")},
        {"three_pl_status": DO_NOT_TRANSFER, "amazon": an_fba_order()},
    ],
    ids=["held", "draft", "handed over", "void", "redacted", "shipped", "partly shipped", "FBA"],
)
def test_what_the_state_of_an_order_shows_is_nobodys_decision(fields: dict[str, Any]) -> None:
    assert decisions_in(written_before(**fields)) == Decisions()


def test_a_transfer_chosen_for_a_partly_shipped_order_was_a_persons() -> None:
    partly = written_before(
        amazon=an_amazon_order(fulfillment_status="PARTIALLY_SHIPPED"), three_pl_status=ThreePlStatus.NOW
    )

    chosen = decisions_in(partly).three_pl_status
    assert chosen is not None
    assert chosen.three_pl_status is ThreePlStatus.NOW


@pytest.mark.parametrize(
    "fields",
    [{"judged_at": None}, {"hold": Hold(since=NOON), "stage": NEEDS_ATTENTION}],
    ids=["new", "held"],
)
def test_an_order_that_was_not_let_go_was_granted_nothing(fields: dict[str, Any]) -> None:
    order = with_decisions_apart(written_before(three_pl_status=DO_NOT_TRANSFER, **fields), BY_DEFAULT)

    assert (order.decisions, order.granted, order.apart_until) == (Decisions(), None, 3)


def test_reading_the_decisions_of_an_order_changes_nothing_else() -> None:
    order = written_before(stage="packing")
    apart = with_decisions_apart(order, BY_DEFAULT)

    assert apart.with_(decisions=order.decisions, granted=None, apart_until=None) == order


def test_an_order_of_which_this_release_knows_all_stays_as_it_is() -> None:
    order = written_before(stage="packing", three_pl_status=ThreePlStatus.NOW, apart_until=3)

    assert with_decisions_apart(order, BY_DEFAULT) is order


def test_decisions_are_read_once() -> None:
    apart = with_decisions_apart(written_before(stage="packing"), BY_DEFAULT)

    assert with_decisions_apart(apart, BY_DEFAULT) is apart


def test_an_order_of_this_release_stays_as_it_is_when_written() -> None:
    first = with_change(None, an_order(), by="amazon", at=NOON, cause="downloaded")
    second = with_change(first, judged(first, EAGER, LATER), by="validation", at=LATER, cause="verdict")

    assert with_decisions_apart(second, BY_DEFAULT) is second


# While both releases run ----------------------------------------------------------------------------------------------


def test_a_choice_in_the_release_before_joins_the_decisions_known() -> None:
    ours = judged(an_order(decisions=decided(stage="packing")), BY_DEFAULT, NOON)
    theirs = ours.with_(three_pl_status=ThreePlStatus.NOW, revision=ours.revision + 1)

    decisions = decisions_in(theirs)
    assert decisions.stage == ours.decisions.stage
    assert decisions.three_pl_status is not None
    assert decisions.three_pl_status.three_pl_status is ThreePlStatus.NOW
    assert decisions.three_pl_status.by == WHO


def test_a_decision_that_still_shows_keeps_its_author() -> None:
    ours = judged(an_order(decisions=decided(stage="packing", sent_at=NOON)), BY_DEFAULT, NOON)

    assert decisions_in(ours.with_(revision=ours.revision + 1)) == ours.decisions


def test_what_was_granted_counts_and_not_the_defaults_of_now() -> None:
    ours = judged(an_order(), BY_DEFAULT, NOON)
    theirs = ours.with_(revision=ours.revision + 1)

    assert with_decisions_apart(theirs, EAGER).granted == ours.granted
    assert decisions_in(theirs, EAGER) == Decisions()


def test_a_dispatch_taken_back_in_the_release_before_stays_taken_back() -> None:
    dispatched = judged(an_order(), EAGER.model_copy(update={"default_three_pl_status": DO_NOT_TRANSFER}), NOON)
    theirs = dispatched.with_(dispatched_by=None, fully_dispatched_at=None, revision=dispatched.revision + 1)

    decisions = decisions_in(theirs, EAGER)
    assert decisions.dispatch is not None
    assert not decisions.dispatch.is_sent
    assert judged(theirs, EAGER, LATER).dispatched_by is None


def test_the_hold_of_a_person_is_left_as_it_is() -> None:
    ours = judged(an_order(decisions=decided(hold=by_hand())), BY_DEFAULT, NOON)

    assert decisions_in(ours.with_(revision=ours.revision + 1)) == ours.decisions


# The next verdict -----------------------------------------------------------------------------------------------------


def test_a_verdict_keeps_what_people_chose_in_the_release_before() -> None:
    order = downloaded_again(written_before(stage="packing", three_pl_status=DO_NOT_TRANSFER), buyer_name="Bo Ortiz")

    after = judged(order, EAGER.model_copy(update={"default_stage": "new"}), LATER_STILL)
    assert (after.stage, after.three_pl_status, after.dispatched_by) == ("packing", DO_NOT_TRANSFER, None)

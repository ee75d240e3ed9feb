"""What people decide about an order: each call, where it is taken, what it undoes, and what it outlives."""

from datetime import timedelta
from typing import Any

import pytest

from needs_attention.orders.amazon_update import downloaded
from needs_attention.orders.decisions import (
    Decisions,
    DispatchDecision,
    HoldDecision,
    StageDecision,
    ThreePlDecision,
)
from needs_attention.orders.gate import Refused, Wanted, change, edit, end_snooze, stopped
from needs_attention.orders.order import Order
from needs_attention.orders.settings import NEEDS_ATTENTION, Settings, ThreePlStatus
from needs_attention.orders.verdict import judged
from tools.builders import (
    LATER,
    LATER_STILL,
    NOON,
    SHIP_BY,
    a_held_order,
    a_judged_order,
    a_line,
    after_a_call,
    after_amazons_answer,
    an_amazon_order,
    an_fba_order,
    an_order,
    by_hand,
    decided,
    downloaded_again,
    edited,
    snoozed,
)

DO_NOT_TRANSFER, UPON_COMPLETION, NOW = (
    ThreePlStatus.DO_NOT_TRANSFER,
    ThreePlStatus.UPON_COMPLETION,
    ThreePlStatus.NOW,
)
BY_DEFAULT = Settings()
STRAIGHT_ON = Settings(default_three_pl_status=NOW)
AUTO = Settings(auto_dispatch_orders=True)
OWN_WAREHOUSE = Settings(default_three_pl_status=DO_NOT_TRANSFER, auto_dispatch_orders=True)
EVERY_SETTINGS = [BY_DEFAULT, STRAIGHT_ON, AUTO, OWN_WAREHOUSE]

BO: dict[str, Any] = {"by": "bo", "at": LATER}
BOS_DO_NOT_TRANSFER = ThreePlDecision(**BO, three_pl_status=DO_NOT_TRANSFER)
BOS_NOT_SENT = DispatchDecision(**BO)
BOS_HOLD = HoldDecision(**BO)
BOS_SNOOZE = HoldDecision(**BO, until=SHIP_BY)

STOPS: dict[str, tuple[dict[str, Any], Decisions]] = {
    "Do Not Transfer": ({"three_pl_status": DO_NOT_TRANSFER}, Decisions(three_pl_status=BOS_DO_NOT_TRANSFER)),
    "hold": ({"stage": NEEDS_ATTENTION}, Decisions(hold=BOS_HOLD)),
    "snooze": ({"snooze_until": SHIP_BY}, Decisions(hold=BOS_SNOOZE)),
    "not sent": ({"fully_dispatched": False}, Decisions(dispatch=BOS_NOT_SENT)),
}


def calls(order: Order, settings: Settings = BY_DEFAULT, **wanted: Any) -> Order:
    return after_a_call(order, settings, "bo", **wanted)


def refusal(order: Order, settings: Settings = BY_DEFAULT, **wanted: Any) -> str:
    with pytest.raises(Refused) as refused:
        calls(order, settings, **wanted)
    return refused.value.code


def says_next(order: Order, settings: Settings = BY_DEFAULT, **facts: Any) -> Order:
    return after_amazons_answer(order, settings, LATER_STILL, **facts)


def complete(settings: Settings = BY_DEFAULT, **fields: Any) -> Order:
    return a_judged_order(settings=settings, **fields)


def draft() -> Order:
    return a_judged_order(an_amazon_order(fulfillment_status="PENDING"))


def typed() -> Order:
    """Held until a person releases it: its email was typed."""
    return judged(a_held_order(edits=edited(an_amazon_order(buyer_email=None), email="a@example.com")), AUTO, NOON)


def shown(order: Order) -> tuple[Any, ...]:
    return order.stage, order.three_pl_status, order.dispatched_by


# Stops ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("settings", EVERY_SETTINGS)
@pytest.mark.parametrize(
    "order",
    [
        an_order(),
        a_held_order(),
        draft(),
        a_judged_order(an_fba_order()),
        complete(),
        complete(STRAIGHT_ON),
        complete(AUTO),
    ],
    ids=["pending", "held", "draft", "fba", "complete", "straight on", "dispatched by us"],
)
def test_a_stop_is_taken_wherever_the_goods_are_still_here(order: Order, settings: Settings, stop: str) -> None:
    wanted, decisions = STOPS[stop]
    after = calls(order, settings, **wanted)

    assert after.decisions == decisions
    assert after.three_pl_status is not NOW
    assert not after.is_fulfillable


@pytest.mark.parametrize("settings", EVERY_SETTINGS)
@pytest.mark.parametrize("stop", ["Do Not Transfer", "not sent"])
@pytest.mark.parametrize("data", [{"buyer_email": None}, {"fulfillment_status": "PENDING"}], ids=str)
def test_what_was_stopped_does_not_leave_by_itself_later(data: dict[str, Any], stop: str, settings: Settings) -> None:
    wanted, _ = STOPS[stop]
    order = calls(a_judged_order(an_amazon_order(**data)), settings, **wanted)
    after = says_next(order, settings, buyer_email="ada@example.com", fulfillment_status="UNSHIPPED")

    assert (after.held, after.stage, after.dispatched_by) == (None, "new", None)
    assert not after.is_fulfillable


def test_a_stop_comes_before_the_verdict_that_would_dispatch() -> None:
    after = calls(an_order(), OWN_WAREHOUSE, three_pl_status=DO_NOT_TRANSFER)

    assert shown(after) == ("new", DO_NOT_TRANSFER, None)


def test_a_stop_that_changes_nothing_now_is_stored_all_the_same() -> None:
    order = complete(OWN_WAREHOUSE.model_copy(update={"auto_dispatch_orders": False}))
    after = calls(order, three_pl_status=DO_NOT_TRANSFER)

    assert order.three_pl_status is after.three_pl_status is DO_NOT_TRANSFER
    assert after.decisions.stop == BOS_DO_NOT_TRANSFER


def test_do_not_transfer_undoes_a_dispatch_that_only_waits() -> None:
    by_us = complete(AUTO)
    by_ada = calls(complete(), fully_dispatched=NOON)
    assert by_us.is_transferable
    assert by_ada.is_transferable

    for order in (by_us, by_ada):
        after = calls(order, AUTO, three_pl_status=DO_NOT_TRANSFER)
        assert shown(after) == ("new", DO_NOT_TRANSFER, None)
        assert after.decisions.dispatch is None
        assert after.granted is not None
        assert not after.granted.is_dispatched


def test_do_not_transfer_undoes_a_waiting_dispatch_that_a_hold_masks() -> None:
    order = calls(complete(), fully_dispatched=NOON)
    held = says_next(order, line_items=())
    stopped = calls(held, three_pl_status=DO_NOT_TRANSFER)
    after = says_next(stopped, line_items=order.amazon.line_items)

    assert shown(after) == ("new", DO_NOT_TRANSFER, None)
    assert not after.is_fulfillable


def test_do_not_transfer_leaves_a_real_dispatch() -> None:
    order = complete(OWN_WAREHOUSE)
    after = calls(order, OWN_WAREHOUSE, three_pl_status=DO_NOT_TRANSFER)

    assert shown(after) == ("new", DO_NOT_TRANSFER, "us")
    assert after.is_fulfillable


def test_a_dispatch_taken_back_keeps_a_default_from_the_warehouse() -> None:
    after = calls(complete(STRAIGHT_ON), STRAIGHT_ON, fully_dispatched=False)

    assert shown(after) == ("new", DO_NOT_TRANSFER, None)


def test_a_dispatch_taken_back_leaves_an_order_waiting_for_completion() -> None:
    assert shown(calls(complete(AUTO), AUTO, fully_dispatched=False)) == ("new", UPON_COMPLETION, None)


def test_a_dispatch_taken_back_ends_an_earlier_decision_to_transfer_now() -> None:
    order = calls(complete(), three_pl_status=NOW)
    after = calls(order, fully_dispatched=False)

    assert after.decisions == Decisions(dispatch=BOS_NOT_SENT)
    assert shown(after) == ("new", UPON_COMPLETION, None)


def test_a_dispatch_taken_back_keeps_a_decision_for_completion() -> None:
    order = calls(complete(), three_pl_status=UPON_COMPLETION)

    assert calls(order, fully_dispatched=False).decisions.three_pl_status == order.decisions.three_pl_status


@pytest.mark.parametrize("stop", ["hold", "snooze"])
def test_a_real_dispatch_is_not_held(stop: str) -> None:
    assert refusal(complete(OWN_WAREHOUSE), OWN_WAREHOUSE, **STOPS[stop][0]) == "alreadyDispatched"


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("status", ["SHIPPED", "CANCELLED"])
def test_a_closed_order_takes_no_stop_however_pending(status: str, stop: str) -> None:
    order = downloaded_again(complete(), fulfillment_status=status)

    assert refusal(order, **STOPS[stop][0]) in {"shipped", "void"}


def test_a_stop_stands_although_something_else_in_the_call_is_refused() -> None:
    """Nothing of a refused call is stored, so it may not seem to have stopped anything."""
    assert refusal(a_held_order(), three_pl_status=DO_NOT_TRANSFER, fully_dispatched=NOON) == "held"


def test_the_later_of_two_stops_is_the_one_that_is_told() -> None:
    order = complete(decisions=decided(three_pl_status=DO_NOT_TRANSFER))

    assert calls(order, fully_dispatched=False).decisions.stop == BOS_NOT_SENT
    assert complete(decisions=decided(three_pl_status=UPON_COMPLETION, sent_at=NOON)).decisions.stop is None


# UC, Now and Fully Dispatched -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", [{"three_pl_status": UPON_COMPLETION}, {"three_pl_status": NOW}], ids=str)
def test_a_transfer_is_decided_on_a_complete_order_let_go(wanted: dict[str, Any]) -> None:
    after = calls(complete(OWN_WAREHOUSE, dispatched_by=None, fully_dispatched_at=None), **wanted)

    assert after.three_pl_status is wanted["three_pl_status"]
    assert after.decisions.three_pl_status == ThreePlDecision(**BO, **wanted)


@pytest.mark.parametrize(
    "order",
    [
        a_held_order(),
        typed(),
        complete(decisions=decided(hold=by_hand())),
        complete(decisions=decided(hold=snoozed(SHIP_BY))),
    ],
    ids=["held", "ready", "by hand", "snoozed"],
)
@pytest.mark.parametrize(
    "wanted", [{"three_pl_status": UPON_COMPLETION}, {"three_pl_status": NOW}, {"fully_dispatched": NOON}], ids=str
)
def test_a_held_order_is_not_sent_before_its_release(order: Order, wanted: dict[str, Any]) -> None:
    assert refusal(order, **wanted) == "held"


def test_transfer_now_ends_an_earlier_word_that_it_was_not_sent() -> None:
    order = calls(complete(), fully_dispatched=False)
    after = calls(order, three_pl_status=NOW)

    assert after.decisions == Decisions(three_pl_status=ThreePlDecision(**BO, three_pl_status=NOW))
    assert after.is_transferable


def test_transfer_upon_completion_keeps_that_it_was_not_sent() -> None:
    order = calls(complete(AUTO), AUTO, fully_dispatched=False)
    after = calls(order, AUTO, three_pl_status=UPON_COMPLETION)

    assert after.decisions.dispatch == BOS_NOT_SENT
    assert not after.is_fulfillable


def test_fully_dispatched_is_a_persons_decision() -> None:
    after = calls(complete(), fully_dispatched=NOON)

    assert after.decisions == Decisions(dispatch=DispatchDecision(**BO, sent_at=NOON))
    assert (after.dispatched_by, after.fully_dispatched_at) == ("person", NOON)


# What ends a hold -----------------------------------------------------------------------------------------------------


def test_a_release_ends_every_hold_and_grants_the_defaults_of_now() -> None:
    order = typed().with_(decisions=decided(hold=snoozed(SHIP_BY, was_manual=True)))
    after = calls(order, STRAIGHT_ON, release=True)

    assert (after.hold, after.decisions.hold, after.held) == (None, None, None)
    assert shown(after) == ("new", NOW, None)


@pytest.mark.parametrize(
    ("decisions", "expected"),
    [
        (decided(stage="packing"), ("packing", UPON_COMPLETION, "us")),
        (decided(three_pl_status=DO_NOT_TRANSFER), ("new", DO_NOT_TRANSFER, None)),
        (decided(three_pl_status=NOW), ("new", NOW, "us")),
        (decided(not_sent=True), ("new", UPON_COMPLETION, None)),
        (decided(sent_at=NOON), ("new", UPON_COMPLETION, "person")),
    ],
)
def test_a_release_leaves_every_other_decision(decisions: Decisions, expected: tuple[Any, ...]) -> None:
    after = calls(typed().with_(decisions=decisions), AUTO, release=True)

    assert shown(after) == expected
    assert after.decisions == decisions


def test_only_what_nobody_decided_gets_the_defaults() -> None:
    settings = Settings(default_stage="ready", default_three_pl_status=NOW, auto_dispatch_orders=True)
    expected = {
        Decisions(): ("ready", NOW, "us"),
        decided(stage="packing"): ("packing", NOW, "us"),
        decided(three_pl_status=UPON_COMPLETION): ("ready", UPON_COMPLETION, "us"),
        decided(three_pl_status=DO_NOT_TRANSFER): ("ready", DO_NOT_TRANSFER, None),
        decided(not_sent=True): ("ready", DO_NOT_TRANSFER, None),
        decided(sent_at=NOON): ("ready", NOW, "person"),
    }

    for decisions, outcome in expected.items():
        assert shown(judged(an_order(decisions=decisions), settings, NOON)) == outcome


def test_a_stage_alone_that_ends_a_hold_decides_do_not_transfer() -> None:
    after = calls(typed(), STRAIGHT_ON, stage="packing")

    assert after.decisions.three_pl_status == ThreePlDecision(**BO, three_pl_status=DO_NOT_TRANSFER, is_implied=True)
    assert shown(after) == ("packing", DO_NOT_TRANSFER, None)


@pytest.mark.parametrize("settings", EVERY_SETTINGS)
def test_an_order_let_out_by_its_stage_never_leaves_by_itself(settings: Settings) -> None:
    order = calls(typed(), settings, stage="packing")
    held = says_next(order, settings, line_items=())
    without_edit = held.with_(edits=held.edits.with_typed("email", None, held.amazon))
    after = says_next(without_edit, settings, line_items=order.amazon.line_items, buyer_email="a@example.com")

    assert held.hold is not None
    assert after.held is None
    assert not after.is_fulfillable


def test_a_stage_that_ends_a_hold_keeps_a_3pl_status_decided_before() -> None:
    order = typed().with_(decisions=decided(three_pl_status=NOW))

    assert shown(calls(order, stage="packing")) == ("packing", NOW, None)


def test_a_stage_and_a_transfer_in_one_call_imply_nothing() -> None:
    after = calls(typed(), stage="packing", three_pl_status=NOW)

    assert after.decisions.three_pl_status == ThreePlDecision(**BO, three_pl_status=NOW)


def test_the_stage_of_an_order_let_go_implies_nothing() -> None:
    after = calls(complete(STRAIGHT_ON), stage="packing")

    assert after.decisions == Decisions(stage=StageDecision(**BO, stage="packing"))
    assert after.is_transferable


@pytest.mark.parametrize("wanted", [{"release": True}, {"stage": "packing"}], ids=str)
def test_a_difference_is_settled_before_anything_ends_the_hold(wanted: dict[str, Any]) -> None:
    order = says_next(typed(), buyer_email="late@example.com")

    assert refusal(order, **wanted) == "differsFromAmazon"
    # Amazon's data lacks nothing any more, so whatever settles the difference heals the order at once.
    assert edit(order, {"email": "a@example.com"}, None, BY_DEFAULT, LATER).held is None
    assert calls(says_next(order, line_items=()), **wanted, override="the typed one is right").held is None


def test_a_difference_that_came_while_the_page_was_open_refuses_too() -> None:
    """Amazon's value is written, its verdict is pending, and the person has not seen it."""
    order = typed()
    late = order.amazon.model_copy(update={"buyer_email": "late@example.com"})
    pending = downloaded(order, late, order.integration, BY_DEFAULT, LATER)

    assert pending is not None
    assert refusal(pending, release=True) == "differsFromAmazon"


# Decisions taken back -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decision", "decisions", "expected"),
    [
        ("stage", decided(stage="packing"), ("new", NOW, None)),
        ("three_pl_status", decided(three_pl_status=DO_NOT_TRANSFER), ("new", NOW, None)),
        ("three_pl_status", decided(three_pl_status=UPON_COMPLETION), ("new", NOW, None)),
        ("fully_dispatched", decided(not_sent=True), ("new", NOW, None)),
        ("fully_dispatched", decided(sent_at=NOON), ("new", NOW, None)),
        ("stage", decided(hold=by_hand()), ("new", NOW, None)),
        ("stage", decided(hold=snoozed(SHIP_BY)), ("new", NOW, None)),
    ],
)
def test_a_decision_taken_back_counts_as_if_nobody_had_made_it(
    decision: str, decisions: Decisions, expected: tuple[Any, ...]
) -> None:
    order = judged(complete(STRAIGHT_ON, decisions=decisions), STRAIGHT_ON, NOON)
    after = calls(order, STRAIGHT_ON, taken_back={decision})

    assert shown(after) == expected
    assert after.decisions == Decisions()


def test_an_order_let_go_gets_the_defaults_of_now_for_what_is_taken_back() -> None:
    order = calls(complete(), three_pl_status=DO_NOT_TRANSFER)
    after = calls(order, AUTO, taken_back={"three_pl_status"})

    assert shown(after) == ("new", UPON_COMPLETION, "us")
    assert after.is_transferable


def test_a_held_order_stays_held_when_a_decision_is_taken_back() -> None:
    order = calls(a_held_order(), three_pl_status=DO_NOT_TRANSFER)
    after = calls(order, STRAIGHT_ON, taken_back={"three_pl_status"})

    assert (after.decisions, after.granted) == (Decisions(), None)
    assert shown(after) == (NEEDS_ATTENTION, DO_NOT_TRANSFER, None)


def test_a_draft_and_an_fba_order_are_granted_nothing_for_it() -> None:
    for order in (draft(), a_judged_order(an_fba_order())):
        after = calls(calls(order, three_pl_status=DO_NOT_TRANSFER), STRAIGHT_ON, taken_back={"three_pl_status"})
        assert (after.decisions, after.granted) == (Decisions(), None)
        assert not after.is_fulfillable


@pytest.mark.parametrize("spell", [{"fulfillment_status": "PENDING"}, {"fulfilled_by": "AMAZON"}], ids=str)
def test_what_an_order_was_granted_outlasts_a_decision_taken_back_meanwhile(spell: dict[str, Any]) -> None:
    order = says_next(complete(), **spell)
    after = calls(calls(order, three_pl_status=DO_NOT_TRANSFER), STRAIGHT_ON, taken_back={"three_pl_status"})

    assert (after.decisions, after.granted) == (Decisions(), order.granted)


def test_taking_back_what_nobody_decided_changes_nothing() -> None:
    order = complete(AUTO)
    everything = {"stage", "three_pl_status", "fully_dispatched"}

    assert calls(order, AUTO, taken_back=everything).says_the_same_as(order)


def test_a_real_dispatch_stays_when_its_stage_is_taken_back() -> None:
    order = calls(complete(OWN_WAREHOUSE), OWN_WAREHOUSE, stage="packing")
    after = calls(order, OWN_WAREHOUSE, taken_back={"stage"})

    assert shown(after) == ("new", DO_NOT_TRANSFER, "us")
    assert after.fully_dispatched_at == order.fully_dispatched_at


def test_a_dispatch_that_waits_for_its_transfer_ends_with_the_transfer_taken_back() -> None:
    order = calls(complete(AUTO), three_pl_status=UPON_COMPLETION)
    by_hand_alone = Settings(default_three_pl_status=DO_NOT_TRANSFER)

    assert shown(order) == ("new", UPON_COMPLETION, "us")
    assert shown(calls(order, by_hand_alone, taken_back={"three_pl_status"})) == ("new", DO_NOT_TRANSFER, None)


def test_a_decision_taken_back_does_not_let_an_incomplete_order_go() -> None:
    order = downloaded_again(calls(complete(), three_pl_status=DO_NOT_TRANSFER), line_items=())
    after = calls(order, STRAIGHT_ON, taken_back={"three_pl_status"})

    assert after.held is not None
    assert not after.is_fulfillable


# What decisions outlive -----------------------------------------------------------------------------------------------

STOPPED = decided(stage="packing", three_pl_status=DO_NOT_TRANSFER)


@pytest.mark.parametrize(
    "answers",
    [
        [{"line_items": ()}, {}],
        [{"fulfillment_status": "PENDING"}, {"fulfillment_status": "UNSHIPPED"}],
        [{"updated_at": LATER}, {"updated_at": LATER_STILL}],
    ],
    ids=["held and healed", "pending", "two updates"],
)
@pytest.mark.parametrize("settings", EVERY_SETTINGS)
def test_decisions_outlive_whatever_amazon_says(settings: Settings, answers: list[dict[str, Any]]) -> None:
    order = judged(complete(settings, dispatched_by=None, fully_dispatched_at=None, decisions=STOPPED), settings, NOON)
    lines = order.amazon.line_items
    for answer in answers:
        order = says_next(order, settings, **{"line_items": lines, **answer})

    assert order.decisions == STOPPED
    assert shown(order) == ("packing", DO_NOT_TRANSFER, None)


@pytest.mark.parametrize(
    ("there", "back"),
    [
        ({"fulfillment_status": "SHIPPED"}, {"fulfillment_status": "UNSHIPPED"}),
        ({"fulfilled_by": "AMAZON"}, {"fulfilled_by": "MERCHANT"}),
    ],
    ids=["shipped", "fba"],
)
def test_an_order_that_comes_back_is_held_with_its_decisions(there: dict[str, Any], back: dict[str, Any]) -> None:
    order = judged(complete(STRAIGHT_ON, decisions=STOPPED), STRAIGHT_ON, NOON)
    returned = says_next(says_next(order, STRAIGHT_ON, **there), STRAIGHT_ON, **back)

    assert [(item.field, item.reason) for item in returned.missing] == [("fulfillmentUnknown", "cameBack")]
    assert returned.held is not None
    confirmed = edit(returned, {}, ["fulfillmentUnknown"], STRAIGHT_ON, LATER_STILL)
    after = change(confirmed, Wanted(release=True), STRAIGHT_ON, by="bo", at=LATER_STILL)
    assert (after.decisions, shown(after)) == (STOPPED, ("packing", DO_NOT_TRANSFER, None))


def test_an_order_shipped_and_back_before_one_verdict_is_held_too() -> None:
    order = complete(STRAIGHT_ON)
    for minutes, status in enumerate(("SHIPPED", "UNSHIPPED"), start=1):
        answer = order.amazon.model_copy(
            update={"fulfillment_status": status, "updated_at": LATER + timedelta(minutes=minutes)}
        )
        order = downloaded(order, answer, order.integration, STRAIGHT_ON, LATER) or order

    after = judged(order, STRAIGHT_ON, LATER_STILL)
    assert after.hold is not None
    assert not after.is_fulfillable


def test_the_end_of_a_snooze_and_new_settings_leave_decisions_alone() -> None:
    order = calls(judged(complete(decisions=STOPPED), BY_DEFAULT, NOON), snooze_until=LATER_STILL)

    for settings in EVERY_SETTINGS:
        after = end_snooze(order, settings, LATER_STILL)
        assert (after.decisions, shown(after)) == (STOPPED, ("packing", DO_NOT_TRANSFER, None))


def test_a_hold_outlives_a_draft_and_only_a_person_ends_it() -> None:
    held = calls(complete(STRAIGHT_ON), STRAIGHT_ON, stage=NEEDS_ATTENTION)
    hidden = says_next(held, STRAIGHT_ON, fulfillment_status="PENDING")
    after = says_next(hidden, STRAIGHT_ON, fulfillment_status="UNSHIPPED")

    assert (hidden.stage, hidden.status, hidden.held) == (None, "Draft", None)
    assert (after.stage, after.decisions.hold) == (NEEDS_ATTENTION, BOS_HOLD)
    assert calls(after, STRAIGHT_ON, release=True).is_transferable


def test_a_partly_shipped_order_is_sent_on_only_by_a_person() -> None:
    partly = an_amazon_order(
        fulfillment_status="PARTIALLY_SHIPPED", line_items=(a_line(quantity_fulfilled=1, quantity_unfulfilled=1),)
    )
    settings = Settings(default_three_pl_status=NOW, auto_dispatch_orders=True)
    order = judged(an_order(partly), settings, NOON)

    assert shown(order) == ("new", DO_NOT_TRANSFER, None)
    assert calls(order, three_pl_status=NOW).is_transferable


# A call that edits and stops ------------------------------------------------------------------------------------------


def test_a_stop_in_a_call_that_edits_comes_before_the_edit() -> None:
    pending = an_order()
    wanted = Wanted(three_pl_status=DO_NOT_TRANSFER)

    laid_in = stopped(pending, wanted, OWN_WAREHOUSE, by="ada", at=LATER)
    assert laid_in.decisions.three_pl_status is not None
    assert edit(laid_in, {"email": "typed@b.example.com"}, None, OWN_WAREHOUSE, LATER).dispatched_by is None


@pytest.mark.parametrize("wanted", [Wanted(), Wanted(three_pl_status=NOW)], ids=["nothing", "a transfer"])
@pytest.mark.parametrize("status", ["UNSHIPPED", "SHIPPED"])
def test_a_call_that_stops_nothing_lays_nothing_in(status: str, wanted: Wanted) -> None:
    order = an_order(an_amazon_order(fulfillment_status=status))

    assert stopped(order, wanted, BY_DEFAULT, by="ada", at=LATER) is order


def test_a_call_that_decides_nothing_is_not_refused() -> None:
    shipped = an_order(an_amazon_order(fulfillment_status="SHIPPED"))

    assert change(shipped, Wanted(), BY_DEFAULT, by="ada", at=LATER) == judged(shipped, BY_DEFAULT, LATER)


def test_a_stop_of_an_order_at_the_warehouse_is_not_laid_in() -> None:
    order = a_judged_order(three_pl_status=ThreePlStatus.TRANSFERRED)

    assert stopped(order, Wanted(three_pl_status=DO_NOT_TRANSFER), BY_DEFAULT, by="ada", at=LATER) is order


def test_a_stop_of_an_order_that_left_is_refused_with_the_edit() -> None:
    shipped = an_order(an_amazon_order(fulfillment_status="SHIPPED"))

    with pytest.raises(Refused, match="shipped"):
        stopped(shipped, Wanted(three_pl_status=DO_NOT_TRANSFER), BY_DEFAULT, by="ada", at=LATER)


def test_an_erased_order_at_the_warehouse_takes_no_word_of_people() -> None:
    erased = a_judged_order(redacted_at=NOON, three_pl_status=ThreePlStatus.TRANSFERRED)

    with pytest.raises(Refused, match="removed for good"):
        change(erased, Wanted(fully_dispatched=LATER), BY_DEFAULT, by="ada", at=LATER)

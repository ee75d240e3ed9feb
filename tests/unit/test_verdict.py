"""The verdict: the table row by row, and the laws that hold in every possible situation."""

from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError
from datetime import datetime, timedelta
from functools import cache
from itertools import product
from typing import Any, Literal, NamedTuple, get_args

import pytest

from needs_attention.orders.amazon_update import downloaded
from needs_attention.orders.decisions import Decisions, DispatchDecision, Granted, HoldDecision
from needs_attention.orders.edits import Edits
from needs_attention.orders.gate import hand_over
from needs_attention.orders.order import Hold, Missing, Order
from needs_attention.orders.settings import NEEDS_ATTENTION, Settings, ThreePlStatus
from needs_attention.orders.verdict import (
    REDOWNLOAD_AFTER,
    ROWS,
    RowName,
    Situation,
    Verdict,
    judge,
    judged,
    next_redownload,
)
from tools.builders import (
    CREATED,
    LATER,
    LATER_STILL,
    NOON,
    a_held_order,
    a_judged_order,
    a_line,
    a_typed_name,
    accepting,
    an_address,
    an_amazon_order,
    an_fba_order,
    an_order,
    by_hand,
    decided,
    downloaded_again,
    edited,
    snoozed,
    without_checks,
)

DO_NOT_TRANSFER = ThreePlStatus.DO_NOT_TRANSFER
UPON_COMPLETION = ThreePlStatus.UPON_COMPLETION
NOW = ThreePlStatus.NOW
BY_DEFAULT = Settings()
EAGER = Settings(default_stage="ready", default_three_pl_status=NOW, auto_dispatch_orders=True)
AUTOMATIC = Settings(default_stage="ready", auto_dispatch_orders=True)
OWN_WAREHOUSE = Settings(default_stage="ready", default_three_pl_status=DO_NOT_TRANSFER, auto_dispatch_orders=True)
HANDED_OVER = [ThreePlStatus.TRANSFERRED, ThreePlStatus.WITH_ERRORS, ThreePlStatus.PICKED]
BY_A_PERSON = [by_hand(), snoozed(LATER_STILL)]
BY_EITHER = pytest.mark.parametrize("hold", BY_A_PERSON, ids=lambda hold: hold.kind)
IN_EVERY_STATE = pytest.mark.parametrize(
    "before", [an_order(), a_held_order(), a_judged_order()], ids=["new", "held", "let go"]
)


def fields_of(missing: tuple[Missing, ...]) -> list[str]:
    return [item.field for item in missing]


def reasons_of(missing: tuple[Missing, ...]) -> list[tuple[str, str]]:
    return [(item.field, item.reason) for item in missing]


def row_of(order: Order, settings: Settings = EAGER) -> RowName:
    return judge(Situation(order, settings)).row


def state_of(order: Order) -> str:
    """What the rows from the ninth on decided last."""
    return Situation(order, EAGER).state


def is_held_whatever_the_defaults_say(order: Order) -> bool:
    """The three overrides of an incomplete order: Stage, Status and 3PL Status."""
    return (order.stage, order.status, order.three_pl_status) == (NEEDS_ATTENTION, "Open", DO_NOT_TRANSFER)


def with_decisions(order: Order, settings: Settings = EAGER, **choices: Any) -> Order:
    """The order with what Ada decided at noon, and the verdict on it."""
    return judged(order.with_(decisions=decided(**choices)), settings, NOON)


def amazon_says(order: Order, **fields: Any) -> Order:
    """The order with a newer answer of Amazon's merged into it. Its verdict is pending."""
    answer = order.amazon.model_copy(update={"updated_at": order.amazon.updated_at + timedelta(seconds=1), **fields})
    after = downloaded(order, answer, order.integration, EAGER, LATER)
    assert after is not None
    return after.with_(pending_since=LATER)


def after_amazon_says(order: Order, settings: Settings = EAGER, **fields: Any) -> Order:
    return judged(amazon_says(order, **fields), settings, LATER)


# Redacted -------------------------------------------------------------------------------------------------------------


def test_a_redacted_order_is_closed_with_the_default_stage() -> None:
    order = a_held_order(redacted_at=NOON)

    after = judged(order, EAGER, LATER)
    assert row_of(order) == "redacted"
    assert (after.hold, after.missing, after.stage, after.three_pl_status) == (None, (), "ready", DO_NOT_TRANSFER)
    assert not after.is_pending


@BY_EITHER
def test_redaction_ends_a_hold_by_a_person_too(hold: HoldDecision) -> None:
    after = judged(a_held_order(redacted_at=NOON, decisions=decided(hold=hold)), EAGER, LATER)

    assert (after.is_held, after.held, after.stage) == (False, None, "ready")


@pytest.mark.parametrize("status", HANDED_OVER)
def test_a_redacted_order_stays_with_the_warehouse_that_has_it(status: ThreePlStatus) -> None:
    assert judged(an_order(redacted_at=NOON, three_pl_status=status), EAGER, LATER).three_pl_status is status


@pytest.mark.parametrize("status", [NOW, UPON_COMPLETION])
def test_a_redacted_order_never_goes_to_the_warehouse(status: ThreePlStatus) -> None:
    order = a_judged_order(redacted_at=NOON, three_pl_status=status, decisions=decided(three_pl_status=status))

    assert judged(order, EAGER, LATER).three_pl_status is DO_NOT_TRANSFER


def test_redaction_undoes_neither_a_dispatch_nor_a_cancellation() -> None:
    sent = with_decisions(a_judged_order(), OWN_WAREHOUSE, three_pl_status=DO_NOT_TRANSFER, sent_at=NOON)
    void = a_judged_order(redacted_at=LATER, voided_at=NOON)

    after = judged(sent.with_(redacted_at=LATER), EAGER, LATER_STILL)
    assert (after.dispatched_by, after.fully_dispatched_at) == ("person", NOON)
    assert judged(void, EAGER, LATER_STILL).voided_at == NOON


def test_a_redacted_order_keeps_a_stage_that_people_gave_it() -> None:
    order = a_judged_order(redacted_at=NOON, decisions=decided(stage="archive"))

    assert judged(order, EAGER, LATER).stage == "archive"


def test_a_redacted_order_that_amazon_cancels_is_only_redacted() -> None:
    order = an_order(an_amazon_order(fulfillment_status="CANCELLED"), redacted_at=NOON)

    assert row_of(order) == "redacted"
    assert judged(order, EAGER, LATER).voided_at is None


# Out of our hands -----------------------------------------------------------------------------------------------------


def handed_over(settings: Settings = EAGER, **choices: Any) -> Order:
    order = with_decisions(a_judged_order(settings=settings), settings, **choices)
    return hand_over(order, settings, is_frozen=False, at=NOON)


@pytest.mark.parametrize("status", HANDED_OVER)
def test_an_order_at_the_warehouse_is_left_alone(status: ThreePlStatus) -> None:
    gap = Missing(field="x", reason="y", first_missing_at=NOON)
    order = handed_over(stage="packing").with_(missing=(gap,), three_pl_status=status)
    order = downloaded_again(order, line_items=())

    after = judged(order, BY_DEFAULT, LATER)
    told = {"alerts": after.alerts, "parcel": after.parcel, "handed_over_digest": after.handed_over_digest}
    assert row_of(order) == "outOfOurHands"
    assert (after.dispatched_by, after.stage) == ("us", "packing")
    assert after == order.with_(pending_since=None, **told)


@pytest.mark.parametrize("hold", BY_A_PERSON, ids=lambda hold: hold.kind)
def test_no_hold_shows_on_an_order_at_the_warehouse(hold: HoldDecision) -> None:
    order = handed_over().with_(decisions=decided(hold=hold))

    assert (judged(order, EAGER, LATER).held, judged(order, EAGER, LATER).stage) == (None, "ready")


@pytest.mark.parametrize("status", HANDED_OVER)
@pytest.mark.parametrize("settings", [EAGER, Settings(default_three_pl_status=NOW)], ids=["dispatched", "open"])
def test_amazons_shipped_makes_an_order_at_the_warehouse_dispatched(status: ThreePlStatus, settings: Settings) -> None:
    order = handed_over(settings).with_(three_pl_status=status)

    after = after_amazon_says(order, fulfillment_status="SHIPPED")
    assert (after.status, after.dispatched_by, after.three_pl_status) == ("Dispatched", "amazon", status)
    assert after.fully_dispatched_at == LATER


def test_an_earlier_word_of_a_person_is_not_when_amazon_shipped() -> None:
    order = handed_over(Settings(), sent_at=NOON)
    assert (order.dispatched_by, order.fully_dispatched_at) == ("person", NOON)

    after = after_amazon_says(order, fulfillment_status="SHIPPED")
    assert (after.dispatched_by, after.fully_dispatched_at) == ("amazon", LATER)


@pytest.mark.parametrize("by", ["person", "warehouse"])
def test_a_dispatch_reported_after_the_hand_over_stays_as_reported(by: Any) -> None:
    sent = DispatchDecision(by="bo", at=NOON, sent_at=NOON, is_reported=True)
    order = handed_over().with_(decisions=Decisions(dispatch=sent), dispatched_by=by, fully_dispatched_at=NOON)

    after = after_amazon_says(order, fulfillment_status="SHIPPED")
    assert (after.dispatched_by, after.fully_dispatched_at) == (by, NOON)


def test_amazons_dispatch_at_the_warehouse_stays_if_amazon_unships_it() -> None:
    order = after_amazon_says(handed_over(), fulfillment_status="SHIPPED")

    after = after_amazon_says(order, fulfillment_status="UNSHIPPED")
    assert (after.status, after.dispatched_by, after.alerts) == ("Dispatched", "amazon", ("CameBack",))


def test_a_void_order_stays_void_even_if_amazon_thinks_again() -> None:
    order = a_judged_order(voided_at=NOON, three_pl_status=DO_NOT_TRANSFER, stage="archive")
    order = downloaded_again(order, fulfillment_status="UNSHIPPED")

    after = judged(order, EAGER, LATER)
    assert row_of(order) == "outOfOurHands"
    assert (after.voided_at, after.stage, after.three_pl_status) == (NOON, "archive", DO_NOT_TRANSFER)


# Cancelled ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["CANCELLED", "UNFULFILLABLE"])
@pytest.mark.parametrize(
    "before",
    [an_order(), a_judged_order(), a_held_order(), a_held_order(decisions=decided(hold=by_hand()))],
    ids=["new", "let go", "held", "held by hand"],
)
def test_an_order_that_amazon_cancels_is_void_and_no_longer_held(before: Order, status: str) -> None:
    order = downloaded_again(before, fulfillment_status=status)

    after = judged(order, EAGER, LATER)
    assert row_of(order) == "cancelled"
    assert after.status == "Void"
    assert (after.voided_at, after.hold, after.held, after.missing) == (LATER, None, None, ())
    assert (after.three_pl_status, after.alerts) == (DO_NOT_TRANSFER, ())
    assert after.stage == ("new" if before.granted else "ready")


def test_an_order_read_from_storage_is_judged_the_same() -> None:
    stored = Order.model_validate_json(a_held_order().model_dump_json(by_alias=True))

    assert judged(downloaded_again(stored, fulfillment_status="CANCELLED"), EAGER, LATER).stage == "ready"


def test_a_cancelled_order_keeps_its_decisions_to_no_effect() -> None:
    order = with_decisions(a_judged_order(), stage="archive", three_pl_status=NOW)

    after = after_amazon_says(order, fulfillment_status="CANCELLED")
    assert (after.stage, after.three_pl_status, after.decisions) == ("archive", DO_NOT_TRANSFER, order.decisions)


def sent_by(by: str, stage: str | None = None) -> Order:
    """An order sent from our own warehouse: by Auto Dispatch, or by a person."""
    sent_at = NOON if by == "person" else None
    settings = OWN_WAREHOUSE.model_copy(update={"auto_dispatch_orders": by == "us"})
    return with_decisions(an_order(), settings, stage=stage, sent_at=sent_at)


@pytest.mark.parametrize("by", ["us", "person"])
def test_a_cancellation_undoes_no_dispatch(by: str) -> None:
    after = after_amazon_says(sent_by(by), fulfillment_status="CANCELLED")
    assert (after.status, after.dispatched_by, after.fully_dispatched_at) == ("Void", by, NOON)


# Shipped --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "before",
    [an_order(), a_judged_order(), a_held_order(), a_held_order(decisions=decided(hold=snoozed(LATER_STILL)))],
    ids=["new", "let go", "held", "snoozed"],
)
def test_an_order_that_amazon_calls_shipped_never_ships_twice(before: Order) -> None:
    order = downloaded_again(before, fulfillment_status="SHIPPED")

    after = judged(order, EAGER, LATER)
    assert row_of(order) == "shipped"
    assert (after.status, after.dispatched_by, after.fully_dispatched_at) == ("Dispatched", "amazon", LATER)
    assert (after.three_pl_status, after.hold, after.held, after.missing) == (DO_NOT_TRANSFER, None, None, ())
    assert (after.is_fulfillable, after.parcel) == (False, None)


def test_an_order_first_seen_shipped_is_not_held() -> None:
    order = an_order(an_amazon_order(fulfillment_status="SHIPPED", buyer_email=None, delivery_address=None))

    assert judged(order, BY_DEFAULT, LATER).hold is None


def test_a_dispatch_of_ours_stays_ours_when_amazon_ships() -> None:
    order = with_decisions(a_judged_order(), three_pl_status=DO_NOT_TRANSFER, sent_at=NOON)
    after = after_amazon_says(order, BY_DEFAULT, fulfillment_status="SHIPPED")

    assert (after.dispatched_by, after.fully_dispatched_at) == ("person", NOON)


def test_a_held_order_that_amazon_ships_is_new_again() -> None:
    assert state_of(after_amazon_says(a_held_order(), fulfillment_status="SHIPPED")) == "new"
    assert state_of(after_amazon_says(a_judged_order(), fulfillment_status="SHIPPED")) == "letGo"


@pytest.mark.parametrize("is_judged_between", [True, False], ids=["two verdicts", "one verdict"])
@IN_EVERY_STATE
def test_an_order_shipped_and_back_is_held_until_a_person_confirms(before: Order, is_judged_between: bool) -> None:
    shipped = amazon_says(before, fulfillment_status="SHIPPED", buyer_email="ada@example.com")
    shipped = judged(shipped, EAGER, LATER) if is_judged_between else shipped

    back = after_amazon_says(shipped, fulfillment_status="UNSHIPPED")
    assert is_held_whatever_the_defaults_say(back)
    assert (back.dispatched_by, reasons_of(back.missing)) == (None, [("fulfillmentUnknown", "cameBack")])
    confirmed = back.with_(edits=edited(back.amazon, confirmed=("fulfillmentUnknown",)))
    assert row_of(confirmed) == "readyToRelease"


def test_a_confirmation_does_not_answer_the_next_return() -> None:
    back = amazon_says(amazon_says(a_judged_order(), fulfillment_status="SHIPPED"), fulfillment_status="UNSHIPPED")
    confirmed = back.with_(edits=edited(back.amazon, confirmed=("fulfillmentUnknown",)))

    again = amazon_says(amazon_says(confirmed, fulfillment_status="SHIPPED"), fulfillment_status="UNSHIPPED")
    assert row_of(confirmed) == "asLetGo"
    assert row_of(again) == "incompleteAgain"


def test_decisions_outlive_shipped_and_back() -> None:
    order = with_decisions(a_judged_order(), stage="packing", three_pl_status=NOW, not_sent=True)
    shipped = after_amazon_says(order, fulfillment_status="SHIPPED")
    back = after_amazon_says(shipped, fulfillment_status="UNSHIPPED")

    confirmed = back.with_(edits=edited(back.amazon, confirmed=("fulfillmentUnknown",)), hold=None)
    after = judged(confirmed, EAGER, LATER_STILL)
    assert (after.stage, after.three_pl_status, after.dispatched_by) == ("packing", NOW, None)
    assert after.decisions == order.decisions


# Dispatched -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["us", "person"])
def test_a_dispatched_order_not_meant_for_the_3pl_is_left_alone(by: str) -> None:
    order = downloaded_again(sent_by(by, stage="archive"), line_items=())

    after = judged(order, EAGER, LATER)
    assert row_of(order) == "dispatched"
    assert fields_of(after.missing) == ["lineItems"]
    assert (after.status, after.stage, after.hold) == ("Dispatched", "archive", None)
    assert (after.dispatched_by, after.fully_dispatched_at, after.three_pl_status) == (by, NOON, DO_NOT_TRANSFER)
    assert not after.is_fulfillable


@pytest.mark.parametrize(
    "spell", [{"fulfillment_status": "PENDING"}, {"fulfilled_by": "AMAZON"}], ids=["pending", "FBA"]
)
def test_what_was_sent_stays_sent_whatever_amazon_calls_it_next(spell: dict[str, Any]) -> None:
    order = amazon_says(a_judged_order(settings=OWN_WAREHOUSE), **spell)

    after = judged(order, OWN_WAREHOUSE, LATER)
    assert row_of(order) == "dispatched"
    assert (after.status, after.dispatched_by, after.fully_dispatched_at) == ("Dispatched", "us", NOON)


def test_a_hold_by_hand_does_not_undo_a_real_dispatch() -> None:
    order = a_judged_order(settings=OWN_WAREHOUSE, decisions=decided(hold=by_hand()))

    assert row_of(order) == "dispatched"
    assert judged(order, OWN_WAREHOUSE, LATER).dispatched_by == "us"


def test_a_dispatch_by_amazon_is_no_dispatch_of_ours() -> None:
    order = a_judged_order(dispatched_by="amazon", fully_dispatched_at=NOON, three_pl_status=DO_NOT_TRANSFER)

    after = judged(order, BY_DEFAULT, LATER)
    assert row_of(order) == "asLetGo"
    assert (after.status, after.dispatched_by, after.fully_dispatched_at) == ("Open", None, None)


# Draft ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["PENDING", "PENDING_AVAILABILITY"])
def test_an_order_that_amazon_has_not_released_is_an_unheld_draft(status: str) -> None:
    order = an_order(an_amazon_order(fulfillment_status=status, buyer_email=None, line_items=None))

    after = judged(order, EAGER, LATER)
    assert row_of(order) == "draft"
    assert (after.status, after.stage, after.hold, after.missing) == ("Draft", None, None, ())
    assert after.three_pl_status is DO_NOT_TRANSFER
    assert after.dispatched_by is None
    assert not after.is_pending


def test_a_draft_is_judged_when_amazon_releases_it() -> None:
    draft = judged(an_order(an_amazon_order(fulfillment_status="PENDING", buyer_email=None)), EAGER, NOON)

    released = downloaded_again(draft, fulfillment_status="UNSHIPPED")
    assert draft.judged_at is None
    assert row_of(released) == "newAndIncomplete"
    assert row_of(downloaded_again(released, buyer_email="ada@example.com")) == "newAndComplete"


@pytest.mark.parametrize("hold", [None, *BY_A_PERSON], ids=["free", "manual", "snoozed"])
@IN_EVERY_STATE
def test_a_draft_has_no_stage_and_keeps_what_was_decided_of_it(before: Order, hold: HoldDecision | None) -> None:
    order = with_decisions(before, three_pl_status=NOW, hold=hold)

    draft = after_amazon_says(order, fulfillment_status="PENDING")
    assert (draft.status, draft.stage, draft.held, draft.three_pl_status) == ("Draft", None, None, DO_NOT_TRANSFER)
    assert (draft.hold, draft.judged_at, draft.granted) == (order.hold, order.judged_at, order.granted)
    assert draft.decisions == order.decisions


@BY_EITHER
def test_a_persons_hold_shows_again_after_a_pending_spell(hold: HoldDecision) -> None:
    held = with_decisions(a_judged_order(), hold=hold)
    draft = after_amazon_says(held, fulfillment_status="PENDING")

    after = after_amazon_says(draft, fulfillment_status="UNSHIPPED")
    assert after.held == held.held
    assert is_held_whatever_the_defaults_say(after)


def test_a_held_order_is_held_again_after_a_pending_spell() -> None:
    held = a_held_order().with_(edits=edited(an_amazon_order(buyer_email=None), email="typed@example.com"))
    draft = after_amazon_says(held, fulfillment_status="PENDING")

    released = amazon_says(draft, fulfillment_status="UNSHIPPED")
    assert row_of(released) == "readyToRelease"
    assert judged(released, EAGER, LATER).hold == held.hold


def test_a_released_order_is_not_held_for_a_pending_spell() -> None:
    typed = a_judged_order().with_(amazon=an_amazon_order(buyer_email=None), granted=granted(AUTOMATIC))
    released = typed.with_(edits=edited(typed.amazon, email="typed@example.com"))
    draft = after_amazon_says(released, fulfillment_status="PENDING")

    back = amazon_says(draft, fulfillment_status="UNSHIPPED")
    after = judged(back, EAGER, LATER)
    assert row_of(back) == "asLetGo"
    assert (after.stage, after.three_pl_status, after.dispatched_by) == ("ready", UPON_COMPLETION, "us")


def test_a_value_that_comes_in_a_pending_spell_of_a_held_order_holds_it() -> None:
    held = a_held_order().with_(edits=edited(an_amazon_order(buyer_email=None), email="typed@example.com"))
    draft = after_amazon_says(held, fulfillment_status="PENDING", buyer_email="bo@example.com")

    after = after_amazon_says(draft, fulfillment_status="UNSHIPPED")
    assert reasons_of(after.missing) == [("email", "differsFromAmazon")]
    assert not after.is_ready_to_release


def test_an_order_held_again_keeps_asking_amazon_after_a_pending_spell() -> None:
    draft = after_amazon_says(a_held_order(), fulfillment_status="PENDING")
    after = after_amazon_says(draft, fulfillment_status="UNSHIPPED")

    assert draft.redownload_at is None
    assert after.redownload_at == NOON + timedelta(minutes=15)


# Fulfilled by Amazon --------------------------------------------------------------------------------------------------


def test_an_order_that_amazon_fulfils_never_goes_to_the_3pl() -> None:
    after = judged(an_order(an_fba_order()), EAGER, LATER)

    assert row_of(an_order(an_fba_order())) == "fulfilledByAmazon"
    assert (after.stage, after.status, after.three_pl_status) == ("ready", "Open", DO_NOT_TRANSFER)
    assert (after.hold, after.missing) == (None, ())


def test_an_order_that_amazon_fulfils_is_held_without_lines() -> None:
    after = judged(an_order(an_fba_order(line_items=None)), EAGER, NOON)

    assert fields_of(after.missing) == ["lineItems"]
    assert is_held_whatever_the_defaults_say(after)


def test_an_order_that_amazon_fulfils_heals_when_its_lines_arrive() -> None:
    held = judged(an_order(an_fba_order(line_items=None)), EAGER, NOON)
    after = judged(downloaded_again(held, line_items=(a_line(),)), EAGER, LATER)

    assert (after.hold, after.stage, after.three_pl_status) == (None, "ready", DO_NOT_TRANSFER)
    assert state_of(after) == "new"


def test_an_order_that_amazon_fulfils_keeps_a_stage_from_people() -> None:
    order = judged(an_order(an_fba_order()), EAGER, NOON).with_(decisions=decided(stage="archive"))

    assert judged(downloaded_again(order, updated_at=LATER), EAGER, LATER).stage == "archive"


def test_a_released_draft_that_amazon_fulfils_gets_the_default_stage() -> None:
    draft = judged(an_order(an_fba_order(fulfillment_status="PENDING")), EAGER, NOON)

    assert judged(downloaded_again(draft, fulfillment_status="UNSHIPPED"), EAGER, LATER).stage == "ready"


@BY_EITHER
def test_a_persons_hold_shows_on_an_order_that_amazon_fulfils(hold: HoldDecision) -> None:
    order = with_decisions(an_order(an_fba_order()), hold=hold)

    assert row_of(order) == "heldByAPerson"
    assert is_held_whatever_the_defaults_say(order)


def test_an_accepted_gap_sends_no_order_that_amazon_fulfils_to_the_3pl() -> None:
    amazon = an_fba_order()
    order = an_order(amazon, edits=edited(amazon, line_items=()), accepted=accepting("lineItems"))
    held = order.with_(judged_at=NOON, hold=Hold(since=NOON), stage=NEEDS_ATTENTION)

    after = judged(held, EAGER, LATER)
    assert row_of(held) == "fulfilledByAmazon"
    assert (after.hold, after.three_pl_status, fields_of(after.missing)) == (None, DO_NOT_TRANSFER, ["lineItems"])


def test_a_waiting_dispatch_is_none_while_amazon_fulfils_the_order() -> None:
    order = after_amazon_says(a_judged_order(settings=EAGER), fulfilled_by="AMAZON")

    assert (order.status, order.dispatched_by, order.granted) == ("Open", None, granted(EAGER))


@IN_EVERY_STATE
def test_an_order_fulfilled_by_amazon_and_back_is_held_until_confirmed(before: Order) -> None:
    order = with_decisions(before, stage="packing", three_pl_status=NOW)
    fba = after_amazon_says(order, fulfilled_by="AMAZON", buyer_email="ada@example.com")

    back = after_amazon_says(fba, fulfilled_by="MERCHANT")
    assert (fba.hold, fba.stage, fba.three_pl_status) == (None, "packing", DO_NOT_TRANSFER)
    assert reasons_of(back.missing) == [("fulfillmentUnknown", "cameBack")]
    assert is_held_whatever_the_defaults_say(back)
    assert back.decisions == order.decisions


# Held by a person -----------------------------------------------------------------------------------------------------


@BY_EITHER
@pytest.mark.parametrize("amazon", [{}, {"line_items": ()}], ids=["complete", "incomplete"])
@IN_EVERY_STATE
def test_a_persons_hold_outlasts_every_verdict(before: Order, hold: HoldDecision, amazon: dict[str, Any]) -> None:
    order = before.with_(decisions=decided(hold=hold))
    order = downloaded_again(order, buyer_email="ada@example.com", **amazon)

    after = judged(order, EAGER, LATER)
    assert row_of(order) == "heldByAPerson"
    assert after.decisions.hold == hold
    assert is_held_whatever_the_defaults_say(after)
    assert fields_of(after.missing) == (["lineItems"] if amazon else [])
    assert (after.hold, after.judged_at, after.granted) == (before.hold, before.judged_at, before.granted)


@BY_EITHER
def test_a_persons_hold_closes_an_open_way_to_the_warehouse(hold: HoldDecision) -> None:
    order = a_judged_order(settings=EAGER, decisions=decided(hold=hold))

    after = judged(order, EAGER, LATER)
    assert is_held_whatever_the_defaults_say(after)
    assert (after.dispatched_by, after.fully_dispatched_at) == (None, None)


def test_an_order_let_go_goes_on_as_it_was_when_a_persons_hold_ends() -> None:
    held = with_decisions(a_judged_order(settings=AUTOMATIC), hold=by_hand())

    free = judged(held.with_(decisions=Decisions()), EAGER, LATER)
    assert (free.stage, free.three_pl_status, free.dispatched_by) == ("ready", UPON_COMPLETION, "us")
    assert free.fully_dispatched_at == NOON


def test_an_order_held_beneath_stays_held_when_a_persons_hold_ends() -> None:
    held = with_decisions(a_held_order(), hold=by_hand())

    assert row_of(held.with_(decisions=Decisions())) == "stillIncomplete"


def test_a_new_order_is_judged_when_a_persons_hold_ends() -> None:
    held = with_decisions(an_order(), hold=by_hand())

    assert row_of(held.with_(decisions=Decisions())) == "newAndComplete"


# New and complete -----------------------------------------------------------------------------------------------------


def granted(settings: Settings, at: datetime = NOON) -> Granted:
    """What a verdict grants that lets an order go by these settings."""
    return Granted(
        stage=settings.default_stage,
        three_pl_status=settings.default_three_pl_status,
        is_dispatched=settings.auto_dispatch_orders,
        at=at,
    )


def test_a_complete_order_gets_the_defaults() -> None:
    after = judged(an_order(), Settings(default_stage="ready"), LATER)

    assert row_of(an_order(), BY_DEFAULT) == "newAndComplete"
    assert (after.stage, after.status, after.three_pl_status) == ("ready", "Open", UPON_COMPLETION)
    assert (after.hold, after.missing, after.dispatched_by, after.fully_dispatched_at) == (None, (), None, None)
    assert (after.pending_since, after.judged_at) == (None, LATER)
    assert after.granted == granted(Settings(default_stage="ready"), at=LATER)


def test_auto_dispatch_sends_a_complete_order_at_once() -> None:
    after = judged(an_order(), EAGER, LATER)

    assert (after.status, after.dispatched_by, after.fully_dispatched_at) == ("Dispatched", "us", LATER)


def test_only_a_person_sends_the_rest_of_a_partly_shipped_order() -> None:
    rest = (a_line(quantity_unfulfilled=1),)
    order = an_order(an_amazon_order(fulfillment_status="PARTIALLY_SHIPPED", line_items=rest))

    after = judged(order, EAGER, LATER)
    assert row_of(order) == "newAndComplete"
    assert (after.stage, after.three_pl_status) == ("ready", DO_NOT_TRANSFER)
    assert (after.status, after.dispatched_by) == ("Open", None)
    assert with_decisions(order, three_pl_status=NOW).three_pl_status is NOW
    assert with_decisions(order, sent_at=NOON).dispatched_by == "person"


@pytest.mark.parametrize(
    "settings",
    [{"go_live_date": CREATED + timedelta(milliseconds=1)}, {"trial_mode": True}],
    ids=["before going live", "trial mode"],
)
def test_auto_dispatch_sends_nothing_that_may_not_leave(settings: dict[str, Any]) -> None:
    after = judged(an_order(), EAGER.model_copy(update=settings), LATER)

    assert (after.stage, after.three_pl_status) == ("ready", NOW)
    assert (after.status, after.dispatched_by, after.fully_dispatched_at) == ("Open", None, None)


def test_an_order_created_at_the_go_live_date_is_dispatched() -> None:
    after = judged(an_order(), EAGER.model_copy(update={"go_live_date": CREATED}), LATER)

    assert after.dispatched_by == "us"


# What is shown of an order let go, by what a person chose -------------------------------------------------------------

NOW_AND_AUTOMATIC = EAGER
SHOWN: dict[str, tuple[Settings, Decisions, tuple[str, ThreePlStatus, str | None]]] = {
    "nothing": (AUTOMATIC, decided(), ("ready", UPON_COMPLETION, "us")),
    "only Stage": (AUTOMATIC, decided(stage="packing"), ("packing", UPON_COMPLETION, "us")),
    "only Upon Completion": (EAGER, decided(three_pl_status=UPON_COMPLETION), ("ready", UPON_COMPLETION, "us")),
    "only Now": (AUTOMATIC, decided(three_pl_status=NOW), ("ready", NOW, "us")),
    "only Do Not Transfer": (EAGER, decided(three_pl_status=DO_NOT_TRANSFER), ("ready", DO_NOT_TRANSFER, None)),
    "only Do Not Transfer, the default": (
        OWN_WAREHOUSE,
        decided(three_pl_status=DO_NOT_TRANSFER),
        ("ready", DO_NOT_TRANSFER, None),
    ),
    "only not sent": (AUTOMATIC, decided(not_sent=True), ("ready", UPON_COMPLETION, None)),
    "only not sent, by default Now": (EAGER, decided(not_sent=True), ("ready", DO_NOT_TRANSFER, None)),
    "only not sent, own warehouse": (OWN_WAREHOUSE, decided(not_sent=True), ("ready", DO_NOT_TRANSFER, None)),
    "only sent": (Settings(), decided(sent_at=NOON), ("new", UPON_COMPLETION, "person")),
    "sent, not transferred": (
        EAGER,
        decided(three_pl_status=DO_NOT_TRANSFER, sent_at=NOON),
        ("ready", DO_NOT_TRANSFER, "person"),
    ),
    "not sent, then Upon Completion": (
        EAGER,
        decided(three_pl_status=UPON_COMPLETION, not_sent=True),
        ("ready", UPON_COMPLETION, None),
    ),
}


@pytest.mark.parametrize(("settings", "decisions", "shown"), SHOWN.values(), ids=SHOWN)
@pytest.mark.parametrize("way", ["newAndComplete", "healed", "asLetGo"])
def test_defaults_go_to_whatever_no_person_chose(
    way: str, settings: Settings, decisions: Decisions, shown: tuple[str, ThreePlStatus, str | None]
) -> None:
    before = {
        "newAndComplete": an_order(),
        "healed": amazon_says(a_held_order(), buyer_email="ada@example.com"),
        "asLetGo": a_judged_order(granted=granted(settings)),
    }[way].with_(decisions=decisions)

    after = judged(before, settings, LATER)
    assert row_of(before, settings) == way
    assert (after.stage, after.three_pl_status, after.dispatched_by) == shown
    assert after.decisions == decisions
    assert after.granted == granted(settings, at=NOON if way == "asLetGo" else LATER)


def test_a_dispatch_by_a_person_bears_the_time_that_the_person_gave() -> None:
    order = with_decisions(a_judged_order(), sent_at=CREATED)

    assert (order.dispatched_by, order.fully_dispatched_at) == ("person", CREATED)


# New and incomplete ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [BY_DEFAULT, EAGER], ids=["default", "eager"])
@pytest.mark.parametrize(
    "decisions",
    [Decisions(), decided(stage="packing", three_pl_status=NOW, sent_at=NOON)],
    ids=["undecided", "decided"],
)
def test_an_incomplete_order_is_held_whatever_anybody_says(settings: Settings, decisions: Decisions) -> None:
    order = an_order(an_amazon_order(buyer_email=None, line_items=None), decisions=decisions)

    after = judged(order, settings, LATER)
    assert row_of(order, settings) == "newAndIncomplete"
    assert is_held_whatever_the_defaults_say(after)
    assert after.hold == Hold(since=LATER)
    assert (after.dispatched_by, after.fully_dispatched_at, after.judged_at) == (None, None, LATER)
    assert (after.decisions, after.granted) == (decisions, None)
    assert after.missing == (
        Missing(field="email", reason="blank", first_missing_at=LATER),
        Missing(field="lineItems", reason="blank", first_missing_at=LATER),
    )


@pytest.mark.parametrize("check", ["email", "names"])
def test_a_check_that_is_switched_off_holds_nothing(check: str) -> None:
    order = an_order(an_amazon_order(buyer_email=None))

    assert row_of(order, without_checks(check)) == ("newAndComplete" if check == "email" else "newAndIncomplete")


@pytest.mark.parametrize("status", ["TELEPORTED", None])
def test_a_new_order_of_unknown_status_is_held_until_confirmed(status: str | None) -> None:
    order = an_order(an_amazon_order(fulfillment_status=status, doubts=1))

    assert row_of(order) == "newAndIncomplete"
    assert reasons_of(judged(order, EAGER, LATER).missing) == [("fulfillmentUnknown", "unknownStatus")]


WAITING_FOR_A_PERSON: dict[str, dict[str, Any]] = {
    "a gap accepted": {"amazon": an_amazon_order(buyer_email=None), "accepted": accepting("email")},
    "a gap typed": {
        "amazon": an_amazon_order(buyer_email=None),
        "edits": edited(an_amazon_order(buyer_email=None), email="typed@example.com"),
    },
    "a gap confirmed": {
        "amazon": an_amazon_order(buyer_email=None),
        "edits": edited(an_amazon_order(buyer_email=None), confirmed=("email",)),
    },
    "another value typed": {"edits": edited(an_amazon_order(buyer_email=None), email="typed@example.com")},
}


@pytest.mark.parametrize("fields", WAITING_FOR_A_PERSON.values(), ids=WAITING_FOR_A_PERSON)
def test_a_new_order_never_leaves_by_itself_on_a_persons_values(fields: dict[str, Any]) -> None:
    order = an_order(**fields)

    assert row_of(order) == "newAndIncomplete"
    assert is_held_whatever_the_defaults_say(judged(order, EAGER, LATER))
    assert row_of(judged(order, EAGER, LATER)) == "readyToRelease"


# Still incomplete -----------------------------------------------------------------------------------------------------


def test_a_partly_completed_order_stays_held_with_a_shorter_list() -> None:
    held = a_judged_order(an_amazon_order(buyer_email=None, line_items=None))
    order = downloaded_again(held, buyer_email="ada@example.com")

    after = judged(order, EAGER, LATER)
    assert row_of(order) == "stillIncomplete"
    assert fields_of(after.missing) == ["lineItems"]
    assert after.hold == held.hold
    assert is_held_whatever_the_defaults_say(after)


def test_each_field_remembers_since_when_it_is_missing() -> None:
    held = a_held_order()
    after = judged(downloaded_again(held, line_items=()), EAGER, LATER)

    assert [(item.field, item.first_missing_at) for item in after.missing] == [("email", NOON), ("lineItems", LATER)]


def test_accepted_gaps_are_listed_and_open_ones_hold() -> None:
    order = downloaded_again(a_held_order(accepted=accepting("email")), line_items=())

    assert row_of(order) == "stillIncomplete"
    assert fields_of(judged(order, EAGER, LATER).missing) == ["email", "lineItems"]


# Healed ---------------------------------------------------------------------------------------------------------------


def test_an_order_heals_to_the_defaults_as_they_are_now() -> None:
    order = downloaded_again(a_held_order(), buyer_email="ada@example.com")

    after = judged(order, EAGER, LATER)
    assert row_of(order) == "healed"
    assert (after.stage, after.three_pl_status, after.dispatched_by) == ("ready", NOW, "us")
    assert (after.hold, after.missing, after.fully_dispatched_at, after.redownload_at) == (None, (), LATER, None)
    assert after.granted == granted(EAGER, at=LATER)


def test_healing_without_auto_dispatch_leaves_the_order_open() -> None:
    after = judged(downloaded_again(a_held_order(), buyer_email="ada@example.com"), BY_DEFAULT, LATER)

    assert (after.status, after.stage, after.three_pl_status) == ("Open", "new", UPON_COMPLETION)


def typed_email(**fields: Any) -> Order:
    """A held order whose missing email a person typed."""
    return a_held_order(edits=edited(an_amazon_order(buyer_email=None), email="typed@example.com"), **fields)


@pytest.mark.parametrize("email", ["typed@example.com", "Typed@Example.COM"])
def test_an_order_heals_when_amazon_sends_what_a_person_typed(email: str) -> None:
    assert row_of(amazon_says(typed_email(), buyer_email=email)) == "healed"


def test_a_typed_part_that_amazon_never_sends_does_not_stop_a_heal() -> None:
    phone = edited(an_amazon_order(), delivery_address={"phone": "+1 503 555 0100"})

    assert row_of(amazon_says(a_held_order(edits=phone), buyer_email="ada@example.com")) == "healed"


def test_an_order_heals_if_the_check_that_held_it_is_switched_off() -> None:
    assert row_of(a_held_order(), without_checks("email")) == "healed"


def test_an_order_that_a_person_stopped_heals_and_stays_stopped() -> None:
    stopped = with_decisions(a_held_order(), OWN_WAREHOUSE, three_pl_status=DO_NOT_TRANSFER)

    healed = after_amazon_says(stopped, OWN_WAREHOUSE, buyer_email="ada@example.com")
    assert (healed.hold, healed.stage, healed.three_pl_status) == (None, "ready", DO_NOT_TRANSFER)
    assert (healed.dispatched_by, healed.is_fulfillable) == (None, False)


# Ready to release -----------------------------------------------------------------------------------------------------


def test_an_order_that_a_person_completed_waits_for_its_release() -> None:
    order = typed_email()

    after = judged(order, EAGER, LATER)
    assert row_of(order) == "readyToRelease"
    assert is_held_whatever_the_defaults_say(after)
    assert after.is_ready_to_release
    assert (after.hold, after.missing) == (order.hold, ())


def test_a_typed_value_that_amazon_contradicts_waits_to_be_settled() -> None:
    order = amazon_says(typed_email(), buyer_email="ada@example.com")

    after = judged(order, EAGER, LATER)
    assert row_of(order) == "readyToRelease"
    assert reasons_of(after.missing) == [("email", "differsFromAmazon")]
    assert is_held_whatever_the_defaults_say(after)
    assert not after.is_ready_to_release


def test_a_settled_value_heals_an_order_that_lacks_nothing_else() -> None:
    order = amazon_says(typed_email(), buyer_email="ada@example.com")
    settled = order.with_(edits=order.edits.settling(["email"], order.amazon), news=())

    assert row_of(settled) == "healed"
    assert row_of(amazon_says(settled, buyer_email="bo@example.com")) == "readyToRelease"


def test_amazons_silence_settles_no_difference() -> None:
    order = amazon_says(typed_email(), buyer_email="ada@example.com")
    silent = judged(amazon_says(order, buyer_email=None), EAGER, LATER)

    assert reasons_of(silent.missing) == [("email", "differsFromAmazon")]


def test_a_confirmation_makes_an_order_ready_to_release() -> None:
    order = a_held_order(edits=Edits(confirmed=("email",)))

    assert row_of(order) == "readyToRelease"
    assert judged(order, EAGER, LATER).is_ready_to_release


def test_a_confirmed_request_to_cancel_waits_for_its_release_too() -> None:
    held = a_judged_order(an_amazon_order(cancel_requested_by_buyer=True))

    assert row_of(held) == "stillIncomplete"
    assert row_of(held.with_(edits=edited(held.amazon, confirmed=("buyerRequestedCancel",)))) == "readyToRelease"


@pytest.mark.parametrize("amazon", [{"buyer_email": None}, {}], ids=["amazon lacks it", "a person blanked it"])
def test_an_accepted_gap_does_not_end_a_hold_by_itself(amazon: dict[str, Any]) -> None:
    order = an_order(an_amazon_order(**amazon), edits=edited(an_amazon_order(), email=""), accepted=accepting("email"))
    held = order.with_(judged_at=NOON, hold=Hold(since=NOON), stage=NEEDS_ATTENTION)

    after = judged(held, EAGER, LATER)
    assert row_of(held) == "readyToRelease"
    assert is_held_whatever_the_defaults_say(after)
    assert after.is_ready_to_release


# As it was let go -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [DO_NOT_TRANSFER, UPON_COMPLETION, NOW])
def test_an_order_that_was_let_go_keeps_what_people_chose(status: ThreePlStatus) -> None:
    order = a_judged_order(decisions=decided(stage="packing", three_pl_status=status))
    order = downloaded_again(order, updated_at=LATER)

    after = judged(order, EAGER, LATER)
    assert row_of(order) == "asLetGo"
    assert (after.stage, after.three_pl_status, after.dispatched_by) == ("packing", status, None)
    assert after.hold is None
    assert not after.is_pending


def test_an_order_that_was_let_go_keeps_the_defaults_of_then() -> None:
    after = judged(downloaded_again(a_judged_order(), updated_at=LATER), EAGER, LATER)

    assert (after.stage, after.three_pl_status, after.dispatched_by) == ("new", UPON_COMPLETION, None)
    assert after.granted == granted(BY_DEFAULT)


def test_an_order_let_go_without_a_grant_is_shown_by_the_defaults_of_now() -> None:
    after = judged(a_judged_order(granted=None), AUTOMATIC, LATER)

    assert (after.stage, after.three_pl_status, after.dispatched_by) == ("ready", UPON_COMPLETION, "us")
    assert after.granted is None


def test_a_dispatch_that_waits_for_its_transfer_is_kept() -> None:
    order = with_decisions(a_judged_order(), BY_DEFAULT, sent_at=NOON)

    after = judged(order, BY_DEFAULT, LATER)
    assert row_of(order, BY_DEFAULT) == "asLetGo"
    assert (after.dispatched_by, after.fully_dispatched_at) == ("person", NOON)
    assert after.is_transferable


def test_a_gap_accepted_at_release_is_shown_and_holds_nothing() -> None:
    order = a_judged_order(accepted=accepting("email"), decisions=decided(stage="packing"))
    order = downloaded_again(order, buyer_email=None)

    after = judged(order, EAGER, LATER)
    assert row_of(order) == "asLetGo"
    assert (fields_of(after.missing), after.stage, after.hold) == (["email"], "packing", None)


def test_a_part_shipped_since_goes_to_the_3pl_only_by_a_persons_choice() -> None:
    rest: dict[str, Any] = {"fulfillment_status": "PARTIALLY_SHIPPED", "line_items": (a_line(quantity_unfulfilled=1),)}
    partly = after_amazon_says(a_judged_order(settings=EAGER), **rest)

    assert (partly.stage, partly.three_pl_status, partly.hold) == ("ready", DO_NOT_TRANSFER, None)
    chosen = with_decisions(partly, three_pl_status=NOW)
    assert judged(downloaded_again(chosen, updated_at=LATER), EAGER, LATER).three_pl_status is NOW


def released_on_a_typed_email() -> Order:
    """An order that a person let go on an email that was typed because Amazon sent none."""
    amazon = an_amazon_order(buyer_email=None)
    return a_judged_order().with_(amazon=amazon, edits=edited(amazon, email="typed@example.com"))


@pytest.mark.parametrize("email", ["typed@example.com", "ada@example.com"], ids=["the same", "another"])
def test_amazons_first_word_on_a_typed_gap_does_not_hold(email: str) -> None:
    order = amazon_says(released_on_a_typed_email(), buyer_email=email)

    after = judged(order, EAGER, LATER)
    assert row_of(order) == "asLetGo"
    assert (after.hold, after.missing, after.three_pl_status) == (None, (), UPON_COMPLETION)


# Incomplete again -----------------------------------------------------------------------------------------------------


def test_a_new_gap_holds_the_order_again() -> None:
    order = with_decisions(a_judged_order(), stage="packing", three_pl_status=NOW)
    order = downloaded_again(order, line_items=())

    after = judged(order, EAGER, LATER)
    assert row_of(order) == "incompleteAgain"
    assert is_held_whatever_the_defaults_say(after)
    assert after.hold == Hold(since=LATER, after_release=True)
    assert fields_of(after.missing) == ["lineItems"]
    assert after.decisions == order.decisions


def test_a_new_gap_takes_back_a_dispatch_that_waited_for_its_transfer() -> None:
    order = a_judged_order(settings=AUTOMATIC)
    assert order.is_transferable

    after = judged(downloaded_again(order, line_items=()), EAGER, LATER)
    assert (after.status, after.dispatched_by, after.fully_dispatched_at) == ("Open", None, None)


def test_an_order_that_heals_again_shows_what_people_had_chosen() -> None:
    order = with_decisions(a_judged_order(), stage="packing", three_pl_status=NOW, not_sent=True)
    held = after_amazon_says(order, line_items=())

    healed = after_amazon_says(held, line_items=(a_line(),))
    assert (healed.stage, healed.three_pl_status, healed.dispatched_by) == ("packing", NOW, None)


def test_a_change_at_amazon_of_a_typed_value_holds_the_order_again() -> None:
    order = a_judged_order(edits=edited(an_amazon_order(), delivery_address={"line1": "1 Typed Street"}))
    order = amazon_says(order, delivery_address=an_address(line1="5 Mill Road"))

    after = judged(order, EAGER, LATER)
    assert row_of(order) == "incompleteAgain"
    assert [(item.field, item.reason, item.parts) for item in after.missing] == [
        ("deliveryAddress", "differsFromAmazon", ("addressLine1",))
    ]


def test_amazons_second_word_on_a_typed_gap_holds_the_order_again() -> None:
    first = after_amazon_says(released_on_a_typed_email(), buyer_email="ada@example.com")

    assert row_of(amazon_says(first, buyer_email="bo@example.com")) == "incompleteAgain"


def test_two_words_of_amazons_before_one_verdict_hold_the_order_again() -> None:
    first = amazon_says(released_on_a_typed_email(), buyer_email="ada@example.com")

    assert row_of(amazon_says(first, buyer_email="bo@example.com")) == "incompleteAgain"


@BY_EITHER
def test_a_value_that_came_while_a_person_held_the_order_holds_it_again(hold: HoldDecision) -> None:
    order = with_decisions(released_on_a_typed_email(), hold=hold)
    order = after_amazon_says(order, buyer_email="ada@example.com")

    free = order.with_(decisions=Decisions())
    assert row_of(free) == "incompleteAgain"
    assert reasons_of(judged(free, EAGER, LATER).missing) == [("email", "differsFromAmazon")]


def test_a_changed_value_that_a_person_settled_holds_no_more() -> None:
    order = amazon_says(released_on_a_typed_email(), buyer_email="ada@example.com")
    order = amazon_says(order, buyer_email="bo@example.com")

    assert row_of(order.with_(edits=order.edits.settling(["email"], order.amazon), news=())) == "asLetGo"
    assert row_of(amazon_says(order, buyer_email="typed@example.com")) == "asLetGo"


def test_a_status_that_becomes_unknown_holds_the_order_again() -> None:
    order = amazon_says(a_judged_order(settings=EAGER), fulfillment_status="TELEPORTED")

    assert row_of(order) == "incompleteAgain"
    assert not judged(order, EAGER, LATER).is_fulfillable


def test_a_request_to_cancel_holds_the_order_again_and_so_does_the_next() -> None:
    other = a_line(order_item_id="90002", seller_sku="SHADE-1")
    order = a_judged_order(an_amazon_order(line_items=(a_line(), other)), EAGER)

    asked = amazon_says(order, line_items=(a_line(asked_to_cancel=True), other))
    answered = asked.with_(edits=edited(asked.amazon, confirmed=("buyerRequestedCancel",)))
    both = (a_line(asked_to_cancel=True), other.model_copy(update={"asked_to_cancel": True}))
    assert row_of(asked) == "incompleteAgain"
    assert row_of(answered) == "asLetGo"
    assert row_of(amazon_says(answered, line_items=both)) == "incompleteAgain"


def test_a_hold_after_release_stays_one_while_it_lasts() -> None:
    order = judged(downloaded_again(a_judged_order(), line_items=()), EAGER, LATER)

    again = judged(order, EAGER, LATER_STILL)
    assert row_of(order) == "stillIncomplete"
    assert judge(Situation(order, EAGER)).is_after_release
    assert again.hold == order.hold


def test_a_first_hold_is_not_after_release() -> None:
    assert not judge(Situation(an_order(), EAGER)).is_after_release
    assert not judge(Situation(an_order(an_amazon_order(buyer_email=None)), EAGER)).is_after_release
    assert not judge(Situation(a_held_order(), EAGER)).is_after_release


# The table as a whole -------------------------------------------------------------------------------------------------


class Data(NamedTuple):
    """The lines and the email as people see them, and the words of Amazon and of an administrator on them."""

    amazon_has: bool = True
    typed: Literal["nothing", "lines", "blank", "email"] = "nothing"
    is_accepted: bool = False
    is_news: bool = False
    is_settled: bool = False


DATA = {
    "complete": Data(),
    "completed by a person": Data(amazon_has=False, typed="lines"),
    "incomplete": Data(amazon_has=False),
    "incomplete, accepted": Data(amazon_has=False, is_accepted=True),
    "blanked, accepted": Data(typed="blank", is_accepted=True),
    "differs": Data(typed="email"),
    "changed": Data(typed="email", is_news=True),
    "settled": Data(typed="email", is_settled=True),
}
EDITS = {
    "nothing": Edits(),
    "lines": Edits(line_items=(a_line(),)),
    "blank": Edits(line_items=()),
    "email": Edits(email="typed@example.com"),
}
OURS, AMAZONS = an_amazon_order(), an_fba_order()
PLACES = [
    *((OURS, status) for status in ("UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED", "CANCELLED", "PENDING", "TELEPORTED")),
    *((AMAZONS, status) for status in ("UNSHIPPED", "PENDING")),
]
DECISIONS = [
    decided(),
    decided(stage="packing"),
    decided(three_pl_status=DO_NOT_TRANSFER),
    decided(three_pl_status=NOW),
    decided(not_sent=True),
    decided(sent_at=NOON),
    *(decided(hold=hold) for hold in BY_A_PERSON),
    decided(stage="packing", three_pl_status=NOW, sent_at=NOON, hold=by_hand()),
    decided(three_pl_status=DO_NOT_TRANSFER, not_sent=True, hold=snoozed(LATER_STILL)),
]
STATES = ["new", "held", "letGo"]
# The 3PL Status, who dispatched it, and the end that was put to it.
LEFT: list[tuple[ThreePlStatus, Any, dict[str, Any]]] = [
    (DO_NOT_TRANSFER, None, {}),
    (DO_NOT_TRANSFER, "us", {}),
    (DO_NOT_TRANSFER, "amazon", {}),
    (UPON_COMPLETION, "person", {}),
    (NOW, None, {}),
    (ThreePlStatus.TRANSFERRED, "us", {}),
    (DO_NOT_TRANSFER, "us", {"redacted_at": NOON}),
    (ThreePlStatus.WITH_ERRORS, None, {"redacted_at": NOON}),
    (DO_NOT_TRANSFER, None, {"voided_at": NOON}),
]


@cache
def every_situation() -> tuple[tuple[Situation, Verdict, Order], ...]:
    """Every state, decision, data, status, channel and end in every combination, with the verdict on it."""
    situations = _situations()
    return tuple((one, judge(one), judged(one.order, EAGER, LATER)) for one in situations)


def _situations() -> Iterator[Situation]:
    for data, (channel, status) in product(DATA.values(), PLACES):
        for state, decisions, left in product(STATES, DECISIONS, LEFT):
            three_pl_status, dispatched_by, ends = left
            is_held = state == "held" or decisions.hold
            order = _downloaded(data, channel, status).with_(
                decisions=decisions,
                hold=Hold(since=NOON) if state == "held" else None,
                judged_at=None if state == "new" else NOON,
                granted=GRANTED if state == "letGo" else None,
                stage=NEEDS_ATTENTION if is_held else "new" if state == "letGo" else None,
                three_pl_status=three_pl_status,
                dispatched_by=dispatched_by,
                fully_dispatched_at=NOON if dispatched_by else None,
                **ends,
            )
            yield Situation(order, EAGER)


GRANTED = granted(BY_DEFAULT)


@cache
def _downloaded(data: Data, channel: Any, status: str) -> Order:
    line = a_line(quantity_unfulfilled=1)
    amazon = channel.model_copy(
        update={"fulfillment_status": status, "line_items": (line,) if data.amazon_has else None}
    )
    edits = EDITS[data.typed]
    return an_order(
        amazon,
        edits=edits.settling(["email"], amazon) if data.is_settled else edits,
        accepted=accepting("lineItems") if data.is_accepted else (),
        news=("email",) if data.is_news else (),
    )


def is_really_dispatched(order: Order) -> bool:
    return order.dispatched_by in {"us", "person"} and order.three_pl_status is DO_NOT_TRANSFER


# The table in words of its own. The endings are tried in this order; no two of the judgements ever match together.
ENDINGS: dict[RowName, Callable[[Situation], bool]] = {
    "redacted": lambda s: s.order.redacted_at is not None,
    "outOfOurHands": lambda s: s.order.three_pl_status in HANDED_OVER or s.order.voided_at is not None,
    "cancelled": lambda s: s.order.amazon.fulfillment_status == "CANCELLED",
    "shipped": lambda s: s.order.amazon.fulfillment_status == "SHIPPED",
    "dispatched": lambda s: is_really_dispatched(s.order),
    "draft": lambda s: s.order.amazon.fulfillment_status == "PENDING",
    "fulfilledByAmazon": lambda s: (
        s.order.amazon.fulfilled_by == "AMAZON" and not s.open_missing and s.order.decisions.hold is None
    ),
    "heldByAPerson": lambda s: s.order.decisions.hold is not None,
}
JUDGEMENTS: dict[RowName, Callable[[Situation], bool]] = {
    "newAndComplete": lambda s: is_new(s) and goes_by_itself(s),
    "newAndIncomplete": lambda s: is_new(s) and not goes_by_itself(s),
    "stillIncomplete": lambda s: s.order.hold is not None and bool(s.open_missing),
    "healed": lambda s: s.order.hold is not None and goes_by_itself(s),
    "readyToRelease": lambda s: s.order.hold is not None and not s.open_missing and not goes_by_itself(s),
    "asLetGo": lambda s: was_let_go(s) and not (s.open_missing or is_changed(s)),
    "incompleteAgain": lambda s: was_let_go(s) and bool(s.open_missing or is_changed(s)),
}


def is_new(s: Situation) -> bool:
    return s.order.judged_at is None


def was_let_go(s: Situation) -> bool:
    return s.order.judged_at is not None and s.order.hold is None


def goes_by_itself(s: Situation) -> bool:
    return not (s.missing or s.missing_at_amazon or s.unsettled)


def is_changed(s: Situation) -> bool:
    return bool(s.unsettled) and s.order.news == ("email",)


# The rows that hold an order, for missing data or for a difference.
HOLDING = {"newAndIncomplete", "stillIncomplete", "readyToRelease", "incompleteAgain"}
GRANTING = {"newAndComplete", "healed"}
LEAVING_THE_STATE = {"outOfOurHands", "dispatched", "draft", "heldByAPerson"}


def row_by_the_words(situation: Situation) -> RowName:
    for name, matches in ENDINGS.items():
        if matches(situation):
            return name
    (name,) = [name for name, matches in JUDGEMENTS.items() if matches(situation)]
    return name


def test_the_table_has_the_named_rows_in_their_order() -> None:
    assert tuple(row.name for row in ROWS) == get_args(RowName)
    assert [row.name for row in ROWS] == [*ENDINGS, *JUDGEMENTS]


def test_exactly_one_row_decides_every_situation() -> None:
    deciding = set()
    for situation, verdict, _ in every_situation():
        assert verdict.row == row_by_the_words(situation), situation
        deciding.add(verdict.row)

    assert deciding == set(get_args(RowName))


def test_no_order_with_an_open_gap_or_a_changed_value_may_leave() -> None:
    for situation, _, after in every_situation():
        if situation.open_missing or is_changed(situation):
            assert not after.is_fulfillable, situation


def test_no_verdict_sends_what_a_person_stopped() -> None:
    for situation, _, after in every_situation():
        if situation.order.decisions.stop and not is_really_dispatched(situation.order):
            assert not after.is_fulfillable, situation


def test_no_verdict_touches_a_decision_but_redaction_a_hold() -> None:
    for situation, verdict, after in every_situation():
        ends_hold = {"hold": None} if verdict.row == "redacted" else {}
        assert after.decisions == situation.order.decisions.with_(**ends_hold), situation


def test_only_a_verdict_that_lets_go_grants_the_defaults() -> None:
    for situation, verdict, after in every_situation():
        expected = granted(EAGER, at=LATER) if verdict.row in GRANTING else situation.order.granted
        assert after.granted == expected, situation


def test_rows_that_do_not_decide_leave_new_held_and_let_go() -> None:
    for situation, verdict, after in every_situation():
        if verdict.row in LEAVING_THE_STATE:
            assert (after.hold, after.judged_at) == (situation.order.hold, situation.order.judged_at), situation


def test_shipped_and_amazons_own_orders_are_held_no_more() -> None:
    for situation, verdict, after in every_situation():
        if verdict.row in {"shipped", "fulfilledByAmazon"}:
            assert state_of(after) == ("letGo" if was_let_go(situation) else "new"), situation


def test_every_held_order_is_in_needs_attention_and_not_transferable() -> None:
    for situation, verdict, after in every_situation():
        if verdict.row in HOLDING or verdict.row == "heldByAPerson":
            assert after.held, situation
            assert is_held_whatever_the_defaults_say(after), situation


def test_nothing_else_is_shown_in_needs_attention() -> None:
    for situation, verdict, after in every_situation():
        if after.stage == NEEDS_ATTENTION and verdict.row not in HOLDING | {"heldByAPerson"}:
            assert verdict.row in {"outOfOurHands", "dispatched"}, situation
            assert situation.order.stage == NEEDS_ATTENTION, situation


def test_every_hold_of_a_verdict_says_what_to_do_or_waits_for_a_release() -> None:
    for situation, verdict, after in every_situation():
        if verdict.row in HOLDING and not situation.order.decisions.hold:
            assert after.is_incomplete or after.is_ready_to_release, situation


def test_no_order_that_is_amazons_to_send_is_transferable() -> None:
    for situation, _, after in every_situation():
        amazon = situation.order.amazon
        if amazon.is_fulfilled_by_amazon or amazon.is_cancelled or amazon.is_shipped or amazon.is_pending:
            assert not after.is_transferable, situation


def test_a_redacted_order_is_never_held_and_never_transferable() -> None:
    for situation, _, after in every_situation():
        if situation.order.redacted_at:
            assert not after.is_held, situation
            assert not after.is_transferable, situation


def test_no_verdict_takes_an_order_from_the_warehouse() -> None:
    for situation, _, after in every_situation():
        if situation.order.is_handed_over:
            assert after.three_pl_status is situation.order.three_pl_status, situation


def test_a_hold_ends_by_itself_only_when_amazon_lacks_nothing() -> None:
    for situation, verdict, after in every_situation():
        if situation.order.hold and not after.hold:
            assert verdict.row in {"redacted", "cancelled", "shipped", "fulfilledByAmazon", "healed"}, situation
            if verdict.row == "healed":
                assert not situation.missing_at_amazon, situation
                assert not situation.unsettled, situation


def test_only_a_hold_or_a_draft_hides_a_persons_stage() -> None:
    hiding = HOLDING | {"heldByAPerson", "draft", "outOfOurHands", "dispatched"}
    for situation, verdict, after in every_situation():
        if situation.order.decisions.stage and verdict.row not in hiding:
            assert after.stage == "packing", situation


def test_judging_again_changes_nothing() -> None:
    for situation, _, after in every_situation():
        assert judged(after, EAGER, LATER_STILL).says_the_same_as(after), situation


@pytest.mark.parametrize("settings", [BY_DEFAULT, EAGER, OWN_WAREHOUSE], ids=["default", "eager", "own warehouse"])
@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize(("channel", "status"), PLACES)
def test_judging_again_changes_only_the_time_of_the_verdict(
    channel: Any, status: str, data: str, settings: Settings
) -> None:
    order = _downloaded(DATA[data], channel, status)

    once = judged(order, settings, NOON)
    again = judged(once, settings, LATER)
    assert again.with_(judged_at=once.judged_at) == once
    assert (again.judged_at is None) == (once.judged_at is None)


def test_a_verdict_that_does_not_decide_has_no_time_of_its_own() -> None:
    for situation, verdict, after in every_situation():
        if verdict.row in HOLDING | GRANTING | {"asLetGo", "redacted", "cancelled"}:
            assert after.judged_at == LATER, situation
        else:
            assert after.judged_at in {None, situation.order.judged_at}, situation


def test_a_situation_and_its_verdict_cannot_be_changed() -> None:
    situation = Situation(an_order(), EAGER)

    with pytest.raises(FrozenInstanceError):
        situation.order = an_order()  # type: ignore[misc]  # that is the point
    with pytest.raises(FrozenInstanceError):
        judge(situation).stage = "packing"  # type: ignore[misc]  # that is the point


def test_a_verdict_ends_the_wait_for_it() -> None:
    for order in [an_order(), a_held_order(), an_order(an_fba_order()), an_order(redacted_at=NOON)]:
        assert not judged(order.with_(pending_since=NOON), EAGER, LATER).is_pending


def test_an_order_that_was_void_keeps_its_time() -> None:
    order = judged(downloaded_again(a_judged_order(), fulfillment_status="CANCELLED"), EAGER, LATER)

    assert judged(order, EAGER, LATER_STILL).voided_at == LATER


# Asking Amazon again --------------------------------------------------------------------------------------------------


def test_a_held_order_is_asked_for_again_after_two_minutes() -> None:
    assert a_held_order().redownload_at == NOON + timedelta(minutes=2)


def test_while_an_order_stays_held_its_timetable_is_kept() -> None:
    order = a_held_order(redownload_at=LATER_STILL)

    assert judged(downloaded_again(order, line_items=()), EAGER, LATER).redownload_at == LATER_STILL


@pytest.mark.parametrize(
    "order",
    [
        an_order(),
        an_order(an_amazon_order(fulfillment_status="SHIPPED", buyer_email=None)),
        an_order(an_amazon_order(cancel_requested_by_buyer=True)),
        a_held_order(decisions=decided(hold=by_hand()), redownload_at=LATER),
        an_order(edits=edited(an_amazon_order(), name=a_typed_name("Ada", ""))),
    ],
    ids=["complete", "shipped", "asked to cancel", "held by a person", "blanked by a person"],
)
def test_a_gap_that_amazon_cannot_fill_is_not_asked_for_again(order: Order) -> None:
    assert judged(order, BY_DEFAULT, LATER).redownload_at is None


def test_a_billing_address_is_asked_for_again() -> None:
    order = judged(an_order(), Settings(billing_address="require"), NOON)

    assert fields_of(order.missing) == ["billingAddress"]
    assert order.redownload_at == NOON + REDOWNLOAD_AFTER[0]


def test_an_order_of_unknown_status_is_asked_for_again() -> None:
    order = judged(an_order(an_amazon_order(fulfillment_status="TELEPORTED", doubts=1)), BY_DEFAULT, NOON)

    assert order.redownload_at == NOON + REDOWNLOAD_AFTER[0]


def test_amazon_is_asked_again_once_a_persons_hold_ends() -> None:
    held = with_decisions(a_held_order(), hold=by_hand())
    free = judged(held.with_(decisions=Decisions()), EAGER, LATER)

    assert (held.redownload_at, free.redownload_at) == (None, NOON + timedelta(minutes=15))


def test_a_gap_next_to_a_request_to_cancel_is_asked_for_again() -> None:
    order = an_order(an_amazon_order(cancel_requested_by_buyer=True, buyer_email=None))

    assert judged(order, BY_DEFAULT, NOON).redownload_at == NOON + REDOWNLOAD_AFTER[0]


@pytest.mark.parametrize(
    ("asked_after", "next_after"),
    [
        (timedelta(0), timedelta(minutes=2)),
        (timedelta(minutes=2), timedelta(minutes=5)),
        (timedelta(minutes=4), timedelta(minutes=5)),
        (timedelta(minutes=5), timedelta(minutes=15)),
        (timedelta(minutes=15), timedelta(hours=1)),
        (timedelta(hours=1), timedelta(hours=6)),
        (timedelta(hours=6), timedelta(hours=24)),
        (timedelta(hours=24), None),
        (timedelta(days=3), None),
    ],
)
def test_amazon_is_asked_less_and_less_often_for_a_day(asked_after: timedelta, next_after: timedelta | None) -> None:
    expected: datetime | None = NOON + next_after if next_after else None

    assert next_redownload(a_held_order(), NOON + asked_after) == expected


@pytest.mark.parametrize(
    "order", [a_judged_order(), *(a_held_order(decisions=decided(hold=hold)) for hold in BY_A_PERSON)]
)
def test_an_order_not_held_for_missing_data_is_not_asked_for_again(order: Order) -> None:
    assert next_redownload(order, NOON) is None

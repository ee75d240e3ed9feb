"""The gate: the changes that people, the warehouse and the clock may make to an order, and its refusals."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from needs_attention.orders.amazon_order import Address
from needs_attention.orders.changes import happened
from needs_attention.orders.checks import CONFIRMABLE
from needs_attention.orders.decisions import Decisions, DispatchDecision, StageDecision, ThreePlDecision
from needs_attention.orders.edits import Edits
from needs_attention.orders.gate import (
    Refused,
    Wanted,
    close_alerts,
    dispatched,
    edit,
    end_snooze,
    erase,
    failed,
    hand_over,
    picked,
    redact,
)
from needs_attention.orders.order import Held, Hold, Order, Override, Parcel, Redaction
from needs_attention.orders.parcel import earlier_fingerprint, parcel_now
from needs_attention.orders.settings import NEEDS_ATTENTION, Settings, ThreePlStatus
from needs_attention.orders.verdict import judged
from tools.builders import (
    CREATED,
    LATER,
    LATER_STILL,
    NOON,
    SHIP_BY,
    a_held_order,
    a_judged_order,
    a_line,
    a_typed_name,
    accepting,
    after_a_call,
    after_amazons_answer,
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

BY_DEFAULT = Settings()
STRAIGHT_ON = Settings(default_three_pl_status=ThreePlStatus.NOW)
EAGER = Settings(default_stage="ready", default_three_pl_status=ThreePlStatus.NOW, auto_dispatch_orders=True)
OWN_WAREHOUSE = Settings(default_three_pl_status=ThreePlStatus.DO_NOT_TRANSFER, auto_dispatch_orders=True)
DO_NOT_TRANSFER, NOW = ThreePlStatus.DO_NOT_TRANSFER, ThreePlStatus.NOW
UPON_COMPLETION = ThreePlStatus.UPON_COMPLETION
HANDED_OVER = [ThreePlStatus.TRANSFERRED, ThreePlStatus.WITH_ERRORS, ThreePlStatus.PICKED]
WITH_THE_WAREHOUSE = [ThreePlStatus.TRANSFERRED, ThreePlStatus.PICKED]  # and it means to send them

LETTING_OUT = [
    {"stage": "packing"},
    {"release": True},
    {"fully_dispatched": NOON},
    {"three_pl_status": ThreePlStatus.NOW},
    {"three_pl_status": UPON_COMPLETION},
    {"stage": "packing", "fully_dispatched": NOON, "three_pl_status": ThreePlStatus.NOW},
]


def says_next(order: Order, settings: Settings = BY_DEFAULT, **facts: Any) -> Order:
    return after_amazons_answer(order, settings, LATER, **facts)


def differing() -> Order:
    """A held order whose typed email differs from the one that Amazon sends late."""
    order = says_next(ready_to_release(), buyer_email="late@marketplace.example.com")
    assert [item.field for item in order.differences] == ["email"]
    return order


def changed(order: Order, settings: Settings = BY_DEFAULT, **wanted: Any) -> Order:
    return after_a_call(order, settings, "ed@example.com", **wanted)


def refused(order: Order, settings: Settings = BY_DEFAULT, **wanted: Any) -> Refused:
    """The refusal of a change of the order."""
    with pytest.raises(Refused) as refusal:
        changed(order, settings, **wanted)
    assert refusal.value.message == str(refusal.value)
    return refusal.value


def fields(refusal: Refused) -> list[str]:
    return [item.field for item in refusal.missing]


def ready_to_release() -> Order:
    """An order that a person completed."""
    held = a_held_order(edits=edited(an_amazon_order(buyer_email=None), email="typed@example.com"))
    order = judged(held, BY_DEFAULT, NOON)
    assert order.is_ready_to_release
    return order


def dispatched_before_data_was_lost() -> Order:
    """Not held, because it was dispatched and the warehouse is not to get it; its lines are gone since."""
    order = changed(a_judged_order(), three_pl_status=DO_NOT_TRANSFER, fully_dispatched=NOON)
    order = judged(downloaded_again(order, line_items=()), BY_DEFAULT, LATER)
    assert order.hold is None
    assert order.open_missing
    return order


# Editing --------------------------------------------------------------------------------------------------------------


def test_an_edit_is_laid_over_amazons_data_and_judged_in_the_same_step() -> None:
    held = a_judged_order(an_amazon_order(buyer_email=None, delivery_address=None))
    after = edit(held, {"email": "typed@example.com"}, None, BY_DEFAULT, LATER)

    assert after.amazon == held.amazon
    assert after.edits.email == "typed@example.com"
    assert [item.field for item in after.missing] == ["deliveryAddress", "billingAddress"]
    assert after.judged_at == LATER


def test_the_last_edit_makes_an_order_ready_to_release_and_lets_nothing_go() -> None:
    after = edit(a_held_order(), {"email": "typed@example.com"}, None, EAGER, LATER)

    assert after.is_ready_to_release
    assert (after.stage, after.status, after.three_pl_status) == (NEEDS_ATTENTION, "Open", DO_NOT_TRANSFER)


def test_several_units_are_edited_at_once() -> None:
    order = a_judged_order(an_amazon_order(buyer_email=None, line_items=None, recipient_name="Cher"))
    units: dict[Any, Any] = {
        "line_items": (a_line(),),
        "name": a_typed_name(),
        "email": "typed@example.com",
        "delivery_address": an_address(),
        "billing_address": an_address(),
    }
    after = edit(order, units, None, BY_DEFAULT, LATER)

    assert after.is_ready_to_release
    assert after.edits == edited(order.amazon, **units)


def test_none_takes_a_unit_back_to_amazons_value() -> None:
    after = edit(ready_to_release(), {"email": None}, None, BY_DEFAULT, LATER)

    assert not after.edits.is_edited("email")
    assert [item.field for item in after.missing] == ["email"]


def test_units_that_are_not_named_keep_their_edits() -> None:
    after = edit(ready_to_release(), {"name": a_typed_name()}, None, BY_DEFAULT, LATER)

    assert after.edits.email == "typed@example.com"


def test_an_edit_that_takes_something_away_holds_the_order() -> None:
    after = edit(a_judged_order(settings=STRAIGHT_ON), {"line_items": ()}, None, BY_DEFAULT, LATER)

    assert (after.stage, after.three_pl_status) == (NEEDS_ATTENTION, DO_NOT_TRANSFER)
    assert after.hold == Hold(since=LATER, after_release=True)


def test_a_confirmation_counts_as_filled_and_is_replaced_whole() -> None:
    order = a_judged_order(an_amazon_order(recipient_name="Cher", buyer_email=None))

    after = edit(order, {}, ["firstName", "email"], BY_DEFAULT, LATER)
    assert after.edits.confirmed == ("firstName", "email")
    assert after.is_ready_to_release
    after = edit(after, {}, ["email"], BY_DEFAULT, LATER)
    assert [item.field for item in after.missing] == ["firstName"]


def test_without_a_word_about_confirmations_they_stay() -> None:
    order = edit(a_held_order(), {}, ["email"], BY_DEFAULT, LATER)

    assert edit(order, {"name": a_typed_name()}, None, BY_DEFAULT, LATER).edits.confirmed == ("email",)
    assert edit(order, {}, [], BY_DEFAULT, LATER).edits.confirmed == ()


def test_everything_confirmable_can_be_confirmed() -> None:
    assert edit(a_held_order(), {}, CONFIRMABLE, BY_DEFAULT, LATER).edits.confirmed == CONFIRMABLE


def test_a_redacted_order_cannot_be_edited() -> None:
    with pytest.raises(Refused) as refusal:
        edit(a_judged_order(redacted_at=NOON), {"email": "typed@example.com"}, None, BY_DEFAULT, LATER)

    assert refusal.value.code == "redacted"


def test_an_edit_of_what_the_warehouse_has_is_said_loudly() -> None:
    taken = hand_over(for_the_warehouse(), BY_DEFAULT, is_frozen=False, at=LATER)

    after = edit(taken, {"delivery_address": an_address(line1="5 Mill Road")}, None, BY_DEFAULT, LATER)
    assert after.alerts == ("ChangedAfterHandOver",)


# Letting go -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", LETTING_OUT, ids="+".join)
def test_an_incomplete_order_is_refused_with_all_its_missing_fields(wanted: dict[str, Any]) -> None:
    order = a_judged_order(an_amazon_order(buyer_email=None, line_items=None))

    refusal = refused(order, EAGER, **wanted)
    assert refusal.code == ("incomplete" if "stage" in wanted or "release" in wanted else "held")
    assert fields(refusal) == ["email", "lineItems"]


def test_the_refusal_names_what_is_missing_in_words() -> None:
    order = a_judged_order(an_amazon_order(buyer_email=None, line_items=None))

    assert refused(order, release=True).message == "The order is incomplete: email, lineItems."


@pytest.mark.parametrize("wanted", LETTING_OUT, ids="+".join)
def test_a_pending_order_is_judged_before_it_may_leave(wanted: dict[str, Any]) -> None:
    order = downloaded_again(a_judged_order(), line_items=())

    assert fields(refused(order, **wanted)) == ["lineItems"]


@pytest.mark.parametrize("wanted", LETTING_OUT, ids="+".join)
def test_an_incomplete_order_that_is_not_held_is_not_let_out_either(wanted: dict[str, Any]) -> None:
    refusal = refused(dispatched_before_data_was_lost(), **wanted)

    assert refusal.code == ("notHeld" if "release" in wanted else "incomplete")
    assert fields(refusal) == ([] if "release" in wanted else ["lineItems"])


@pytest.mark.parametrize("wanted", LETTING_OUT[2:5], ids=lambda wanted: "+".join(map(str, wanted.values())))
def test_a_check_that_was_switched_on_since_counts(wanted: dict[str, Any]) -> None:
    order = a_judged_order(an_amazon_order(buyer_email=None), without_checks("email"))
    assert not order.open_missing

    assert fields(refused(order, BY_DEFAULT, **wanted)) == ["email"]


@pytest.mark.parametrize("wanted", LETTING_OUT[2:5], ids=lambda wanted: "+".join(map(str, wanted.values())))
def test_even_a_complete_order_is_let_out_only_after_its_hold(wanted: dict[str, Any]) -> None:
    refusal = refused(ready_to_release(), **wanted)

    assert (refusal.code, fields(refusal)) == ("held", [])


def test_releasing_brings_the_defaults_as_they_are_now() -> None:
    after = changed(ready_to_release(), Settings(default_stage="ready", default_three_pl_status=NOW), release=True)

    assert (after.stage, after.three_pl_status, after.status) == ("ready", NOW, "Open")
    assert (after.hold, after.redownload_at, after.dispatched_by) == (None, None, None)
    assert not after.is_pending


def test_releasing_with_auto_dispatch_dispatches() -> None:
    after = changed(ready_to_release(), EAGER, release=True)

    assert (after.status, after.dispatched_by, after.fully_dispatched_at) == ("Dispatched", "us", LATER)


@pytest.mark.parametrize(
    "settings", [{"trial_mode": True}, {"go_live_date": CREATED + timedelta(milliseconds=1)}], ids=str
)
def test_releasing_does_not_dispatch_what_may_not_leave(settings: dict[str, Any]) -> None:
    after = changed(ready_to_release(), EAGER.model_copy(update=settings), release=True)

    assert (after.hold, after.stage, after.dispatched_by) == (None, "ready", None)


def test_changing_the_stage_ends_the_hold_and_sends_nothing_anywhere() -> None:
    after = changed(ready_to_release(), EAGER, stage="packing")

    assert (after.stage, after.status, after.three_pl_status) == ("packing", "Open", DO_NOT_TRANSFER)
    assert (after.hold, after.redownload_at) == (None, None)
    assert not after.is_fulfillable


def test_stage_dispatch_and_3pl_status_can_be_set_in_one_call() -> None:
    order = ready_to_release()
    after = changed(order, stage="packing", fully_dispatched=NOON, three_pl_status=UPON_COMPLETION)

    assert (after.stage, after.status, after.dispatched_by) == ("packing", "Dispatched", "person")
    assert (after.fully_dispatched_at, after.three_pl_status) == (NOON, UPON_COMPLETION)
    assert after.is_transferable


def test_values_named_in_a_release_come_before_the_defaults() -> None:
    after = changed(ready_to_release(), EAGER, release=True, stage="packing", three_pl_status=DO_NOT_TRANSFER)

    assert (after.stage, after.three_pl_status) == ("packing", DO_NOT_TRANSFER)


def test_do_not_transfer_in_a_release_keeps_auto_dispatch_from_it() -> None:
    after = changed(ready_to_release(), OWN_WAREHOUSE, release=True, three_pl_status=DO_NOT_TRANSFER)

    assert (after.hold, after.stage, after.dispatched_by) == (None, "new", None)
    assert not after.is_fulfillable


def test_the_next_verdict_does_not_overturn_what_people_chose() -> None:
    after = changed(ready_to_release(), stage="packing", three_pl_status=NOW)

    later = judged(downloaded_again(after, updated_at=LATER), EAGER, LATER_STILL)
    assert (later.stage, later.three_pl_status, later.hold) == ("packing", NOW, None)


def test_a_hold_by_hand_is_released_too() -> None:
    order = changed(a_judged_order(), stage=NEEDS_ATTENTION)

    assert changed(order, stage="packing").held is None
    assert changed(order, release=True).three_pl_status is UPON_COMPLETION


def test_an_order_that_is_not_held_cannot_be_released() -> None:
    assert refused(a_judged_order(), release=True).code == "notHeld"


def test_a_stage_of_an_order_that_is_not_held_is_just_changed() -> None:
    after = changed(for_the_warehouse(), stage="packing")

    assert (after.stage, after.three_pl_status, after.held) == ("packing", NOW, None)
    assert after.decisions == Decisions(stage=StageDecision(by="ed@example.com", at=LATER, stage="packing"))


@pytest.mark.parametrize("status", [DO_NOT_TRANSFER, UPON_COMPLETION, NOW])
def test_the_3pl_status_of_a_complete_order_is_just_changed(status: ThreePlStatus) -> None:
    assert changed(a_judged_order(), three_pl_status=status).three_pl_status is status


def test_a_complete_order_is_marked_as_dispatched() -> None:
    after = changed(a_judged_order(), fully_dispatched=NOON)

    assert (after.status, after.dispatched_by, after.fully_dispatched_at) == ("Dispatched", "person", NOON)


def test_a_dispatch_is_taken_back() -> None:
    order = changed(a_judged_order(), fully_dispatched=NOON)
    after = changed(order, fully_dispatched=False)

    assert (after.status, after.dispatched_by, after.fully_dispatched_at) == ("Open", None, None)


def test_taking_back_the_dispatch_of_an_incomplete_order_holds_it() -> None:
    after = changed(dispatched_before_data_was_lost(), fully_dispatched=False)

    assert after.hold == Hold(since=LATER, after_release=True)
    assert (after.stage, after.status, after.three_pl_status) == (NEEDS_ATTENTION, "Open", DO_NOT_TRANSFER)


def test_wanting_nothing_only_brings_the_verdict_up_to_date() -> None:
    after = changed(downloaded_again(a_judged_order(), line_items=()))

    assert after.hold == Hold(since=LATER, after_release=True)
    assert not after.is_pending


def test_a_time_without_a_zone_is_no_time_of_dispatch() -> None:
    with pytest.raises(ValidationError):
        Wanted(fully_dispatched=datetime(2026, 11, 23, 12))  # noqa: DTZ001  # that is the point


# Closed orders --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wanted",
    [
        *LETTING_OUT,
        {"stage": NEEDS_ATTENTION},
        {"snooze_until": SHIP_BY},
        {"fully_dispatched": False},
        {"three_pl_status": DO_NOT_TRANSFER},
        {"taken_back": {"stage"}},
    ],
    ids="+".join,
)
@pytest.mark.parametrize(
    ("order", "code"),
    [
        (a_judged_order(redacted_at=NOON), "redacted"),
        (a_judged_order(voided_at=NOON), "void"),
        (downloaded_again(a_judged_order(), fulfillment_status="CANCELLED"), "void"),
        (a_judged_order(an_amazon_order(fulfillment_status="SHIPPED")), "shipped"),
        (downloaded_again(a_judged_order(), fulfillment_status="SHIPPED"), "shipped"),
        (a_judged_order(an_amazon_order(fulfillment_status="INVOICE_UNCONFIRMED")), "shipped"),
    ],
    ids=lambda value: value if isinstance(value, str) else "order",
)
def test_a_closed_order_refuses_everything(order: Order, code: str, wanted: dict[str, Any]) -> None:
    assert refused(order, **wanted).code == code
    assert refused(order, **wanted, override="please").code == code


@pytest.mark.parametrize(
    "wanted",
    [
        {"stage": "packing"},
        {"stage": "packing", "fully_dispatched": NOON},
        {"release": True},
        {"three_pl_status": NOW},
        {"three_pl_status": DO_NOT_TRANSFER},
        {"stage": NEEDS_ATTENTION},
        {"snooze_until": SHIP_BY},
        {"fully_dispatched": False},
        {"taken_back": {"three_pl_status"}},
    ],
    ids="+".join,
)
@pytest.mark.parametrize("status", WITH_THE_WAREHOUSE)
def test_an_order_with_the_warehouse_is_only_reported_as_sent(status: ThreePlStatus, wanted: dict[str, Any]) -> None:
    order = a_judged_order(three_pl_status=status)

    assert refused(order, **wanted).code == "alreadyTransferred"
    assert refused(order, **wanted, override="please").code == "alreadyTransferred"


@pytest.mark.parametrize("wanted", LETTING_OUT, ids="+".join)
def test_a_draft_lets_nobody_send_it(wanted: dict[str, Any]) -> None:
    draft = a_judged_order(an_amazon_order(fulfillment_status="PENDING"))

    assert refused(draft, **wanted).code == "draft"
    assert refused(draft, **wanted, override="please").code == "draft"


@pytest.mark.parametrize("status", HANDED_OVER)
def test_only_the_warehouse_says_that_it_has_an_order(status: ThreePlStatus) -> None:
    refusal = refused(a_judged_order(), three_pl_status=status)

    assert refusal.code == "onlyTheWarehouse"
    assert status.value in refusal.message


@pytest.mark.parametrize("wanted", LETTING_OUT[2:], ids="+".join)
def test_an_order_that_amazon_fulfils_is_not_ours_to_send(wanted: dict[str, Any]) -> None:
    assert refused(a_judged_order(an_fba_order()), **wanted).code == "fulfilledByAmazon"
    assert refused(a_judged_order(an_fba_order(line_items=())), **wanted, override="please").code == "fulfilledByAmazon"


def test_an_fba_order_changes_its_stage_and_is_released_in_place() -> None:
    order = a_judged_order(an_fba_order())
    held = changed(order, EAGER, stage=NEEDS_ATTENTION)

    assert changed(order, EAGER, stage="archive").stage == "archive"
    after = changed(held, EAGER, release=True)
    assert (after.held, after.stage, after.three_pl_status) == (None, "ready", DO_NOT_TRANSFER)
    assert after.dispatched_by is None


# Overriding -----------------------------------------------------------------------------------------------------------


def test_an_administrators_reason_lets_an_incomplete_order_go() -> None:
    order = a_judged_order(an_amazon_order(buyer_email=None, line_items=None))
    after = changed(order, EAGER, release=True, override="paid by phone")

    assert (after.hold, after.stage, after.three_pl_status, after.dispatched_by) == (None, "ready", NOW, "us")
    assert after.accepted == accepting("email", "lineItems")
    assert after.override == Override(
        by="ed@example.com", at=LATER, reason="paid by phone", fields=("email", "lineItems")
    )
    assert [item.field for item in after.missing] == ["email", "lineItems"]
    assert judged(downloaded_again(after, updated_at=LATER), EAGER, LATER_STILL).hold is None


def test_an_override_does_not_end_a_hold_that_nobody_ended() -> None:
    assert refused(a_held_order(), three_pl_status=NOW, override="please").code == "held"


def test_an_override_lets_a_dispatched_order_change_too() -> None:
    after = changed(dispatched_before_data_was_lost(), stage="archive", override="known")

    assert (after.stage, after.accepted) == ("archive", accepting("lineItems"))


def test_a_second_override_adds_to_what_was_accepted() -> None:
    order = changed(a_held_order(), release=True, override="first")
    order = downloaded_again(order, line_items=())
    after = changed(order, stage="packing", override="second")

    assert after.accepted == accepting("email", "lineItems")
    assert after.override is not None
    assert (after.override.reason, after.override.fields) == ("second", ("lineItems",))


def test_where_nothing_is_missing_there_is_nothing_to_override() -> None:
    assert refused(ready_to_release(), release=True, override="please").code == "nothingToOverride"


def test_a_gap_beyond_what_was_accepted_holds_the_order_again() -> None:
    order = changed(a_held_order(), release=True, override="no email")

    assert judged(downloaded_again(order, line_items=()), BY_DEFAULT, LATER).hold is not None


# Putting on hold ------------------------------------------------------------------------------------------------------


def test_a_person_puts_an_order_into_needs_attention() -> None:
    after = changed(for_the_warehouse(), EAGER, stage=NEEDS_ATTENTION)

    assert (after.hold, after.held) == (None, Held("manual", LATER))
    assert (after.stage, after.three_pl_status) == (NEEDS_ATTENTION, DO_NOT_TRANSFER)
    assert after.is_ready_to_release


def test_a_hold_by_hand_over_a_hold_of_a_verdict_keeps_both() -> None:
    held = a_held_order()
    after = changed(held, stage=NEEDS_ATTENTION)

    assert after.hold == held.hold
    assert after.held == Held("manual", NOON)
    healed = judged(downloaded_again(after, an_amazon_order()), EAGER, LATER_STILL)
    assert healed.held == Held("manual", NOON)


def test_a_hold_by_hand_repeated_keeps_who_and_when() -> None:
    order = a_judged_order(decisions=decided(hold=by_hand()), stage=NEEDS_ATTENTION)

    assert changed(order, stage=NEEDS_ATTENTION).decisions.hold == by_hand()


def test_a_snoozed_order_put_into_needs_attention_waits_for_a_person() -> None:
    after = changed(changed(a_held_order(), snooze_until=LATER_STILL), stage=NEEDS_ATTENTION)

    assert after.held == Held("manual", NOON)
    assert end_snooze(after, EAGER, LATER_STILL) == after


def test_a_release_of_an_order_complete_by_current_settings_succeeds() -> None:
    order = a_held_order()

    after = changed(order, without_checks("email"), release=True)
    assert (after.hold, after.stage) == (None, Settings().default_stage)


def test_an_override_accepts_the_present_gap_and_no_larger_one() -> None:
    stateless = an_address(state_or_region=None)
    order = a_judged_order(an_amazon_order(delivery_address=stateless, tax_address=an_address()))
    let_go = changed(order, release=True, override="the carrier knows")

    assert judged(downloaded_again(let_go, updated_at=LATER), BY_DEFAULT, LATER).hold is None
    worse = an_address(state_or_region=None, postal_code=None)
    held = judged(downloaded_again(let_go, updated_at=LATER, delivery_address=worse), BY_DEFAULT, LATER)
    assert fields_of(held) == ["deliveryAddress"]


def test_an_override_settles_a_difference_until_the_next_value() -> None:
    let_go = changed(differing(), EAGER, release=True, override="the typed one is right")

    assert (let_go.held, let_go.edits.email, let_go.accepted) == (None, "typed@example.com", ())
    assert let_go.override is not None
    assert let_go.override.fields == ("email",)
    assert says_next(let_go, buyer_email="newer@m.example.com").hold is not None


def test_an_override_answers_a_doubt_and_a_request_and_no_later_one() -> None:
    asked = a_line(asked_to_cancel=True)
    order = a_judged_order(an_amazon_order(fulfillment_status=None, line_items=(asked,), buyer_email=None))
    after = changed(order, release=True, override="paid and packed")

    assert (after.held, after.missing, after.accepted) == (None, after.missing[:1], accepting("email"))
    assert after.edits.confirmed == ("buyerRequestedCancel", "fulfillmentUnknown")
    again = says_next(after, line_items=(asked, a_line(order_item_id="90002", asked_to_cancel=True)))
    assert fields_of(again) == ["buyerRequestedCancel"]


def fields_of(order: Order) -> list[str]:
    return [item.field for item in order.open_missing]


def test_a_hold_by_hand_returns_after_a_snooze() -> None:
    held = changed(a_judged_order(), stage=NEEDS_ATTENTION)
    once = changed(held, snooze_until=LATER_STILL)
    twice = changed(once, snooze_until=LATER_STILL)

    for order in (once, twice):
        assert order.held == Held("snoozed", LATER, LATER_STILL)
        after = end_snooze(order, EAGER, LATER_STILL)
        assert (after.held, after.is_transferable) == (Held("manual", LATER), False)
        assert after.decisions == held.decisions


def test_an_order_cannot_have_been_dispatched_before_it_was_placed() -> None:
    with pytest.raises(Refused) as refused:
        changed(a_judged_order(), fully_dispatched=CREATED - timedelta(days=365))

    assert refused.value.code == "dispatchedBeforeOrdered"
    assert changed(a_judged_order(), fully_dispatched=CREATED).fully_dispatched_at == CREATED


def test_a_snooze_waits_for_its_date() -> None:
    after = changed(a_judged_order(three_pl_status=NOW), snooze_until=SHIP_BY)

    assert after.held == Held("snoozed", LATER, SHIP_BY)
    assert (after.stage, after.three_pl_status) == (NEEDS_ATTENTION, DO_NOT_TRANSFER)
    assert not after.is_ready_to_release


def test_while_an_order_is_snoozed_amazon_is_not_asked_for_it() -> None:
    assert changed(a_held_order(), snooze_until=LATER_STILL).redownload_at is None


def test_a_snoozed_hold_remembers_when_and_why_it_began() -> None:
    order = judged(downloaded_again(a_judged_order(), line_items=()), BY_DEFAULT, NOON)
    after = changed(order, snooze_until=LATER_STILL)

    assert after.hold == Hold(since=NOON, after_release=True)
    assert after.held == Held("snoozed", NOON, LATER_STILL)
    ended = end_snooze(after, BY_DEFAULT, LATER_STILL)
    assert ended.hold == order.hold


def test_nothing_is_snoozed_past_its_ship_by_deadline() -> None:
    assert refused(a_judged_order(), snooze_until=SHIP_BY + timedelta(milliseconds=1)).code == "pastShipBy"


def test_without_a_deadline_a_snooze_may_last() -> None:
    order = a_judged_order(an_amazon_order(ship_by=None))

    assert changed(order, snooze_until=NOON + timedelta(days=90)).held is not None


@pytest.mark.parametrize(
    "wanted",
    [
        {"stage": NEEDS_ATTENTION, "fully_dispatched": NOON},
        {"stage": NEEDS_ATTENTION, "three_pl_status": NOW},
        {"stage": NEEDS_ATTENTION, "release": True},
        {"snooze_until": SHIP_BY, "stage": "packing"},
    ],
    ids="+".join,
)
def test_an_order_cannot_be_held_and_let_go_at_once(wanted: dict[str, Any]) -> None:
    assert refused(a_judged_order(), **wanted).code == "contradiction"


@pytest.mark.parametrize("wanted", [{"stage": NEEDS_ATTENTION}, {"snooze_until": SHIP_BY}], ids=str)
def test_a_dispatched_order_can_no_longer_be_held(wanted: dict[str, Any]) -> None:
    order = changed(a_judged_order(settings=OWN_WAREHOUSE), OWN_WAREHOUSE, fully_dispatched=NOON)

    assert refused(order, OWN_WAREHOUSE, **wanted).code == "alreadyDispatched"


@pytest.mark.parametrize("wanted", [{"stage": NEEDS_ATTENTION}, {"snooze_until": SHIP_BY}], ids=str)
def test_a_dispatch_that_waits_for_its_transfer_is_held_back(wanted: dict[str, Any]) -> None:
    order = changed(a_judged_order(), fully_dispatched=NOON)
    assert order.is_transferable

    after = changed(order, **wanted)
    assert (after.status, after.three_pl_status, after.is_fulfillable) == ("Open", DO_NOT_TRANSFER, False)


def test_a_hold_may_say_do_not_transfer_as_well() -> None:
    after = changed(a_judged_order(), stage=NEEDS_ATTENTION, three_pl_status=DO_NOT_TRANSFER)

    assert after.held == Held("manual", LATER)
    assert changed(after, EAGER, release=True).three_pl_status is DO_NOT_TRANSFER


# The end of a snooze --------------------------------------------------------------------------------------------------


def test_an_order_let_go_is_what_it_was_when_its_snooze_ends() -> None:
    order = changed(a_judged_order(settings=STRAIGHT_ON), snooze_until=LATER_STILL)
    after = end_snooze(order, EAGER, LATER_STILL)

    assert (after.held, after.stage, after.three_pl_status) == (None, "new", NOW)


def test_the_end_of_a_snooze_overturns_nothing_that_a_person_decided() -> None:
    order = changed(a_judged_order(settings=STRAIGHT_ON), stage="packing", three_pl_status=DO_NOT_TRANSFER)
    after = end_snooze(changed(order, snooze_until=LATER_STILL), EAGER, LATER_STILL)

    assert (after.held, after.stage, after.three_pl_status) == (None, "packing", DO_NOT_TRANSFER)
    assert not after.is_fulfillable


def test_a_new_order_that_was_snoozed_gets_the_defaults_at_its_end() -> None:
    after = end_snooze(changed(an_order(), snooze_until=LATER_STILL), EAGER, LATER_STILL)

    assert (after.held, after.stage, after.three_pl_status, after.dispatched_by) == (None, "ready", NOW, "us")


def test_an_incomplete_order_is_held_when_its_snooze_ends() -> None:
    order = changed(a_held_order(), snooze_until=LATER_STILL)
    after = end_snooze(order, EAGER, LATER_STILL)

    assert (after.hold, after.held) == (Hold(since=NOON), Held("missing", NOON))
    assert (after.stage, after.three_pl_status) == (NEEDS_ATTENTION, DO_NOT_TRANSFER)
    assert after.redownload_at == LATER_STILL


@pytest.mark.parametrize("order", [a_judged_order(), a_held_order(), a_judged_order(decisions=decided(hold=by_hand()))])
def test_an_order_that_is_not_snoozed_has_no_snooze_to_end(order: Order) -> None:
    assert end_snooze(order, EAGER, LATER) == order


# Handing over ---------------------------------------------------------------------------------------------------------


def taken(order: Order, settings: Settings = BY_DEFAULT, *, is_frozen: bool = False) -> Order:
    return hand_over(order, settings, is_frozen=is_frozen, at=LATER)


def not_taken(order: Order, settings: Settings = BY_DEFAULT, *, is_frozen: bool = False) -> Refused:
    with pytest.raises(Refused) as refusal:
        taken(order, settings, is_frozen=is_frozen)
    return refusal.value


def for_the_warehouse(**fields: Any) -> Order:
    """An order that went by the defaults to the warehouse at once."""
    return a_judged_order(settings=STRAIGHT_ON, **fields)


def test_the_warehouse_takes_an_order_marked_transfer_to_3pl_now() -> None:
    after = taken(for_the_warehouse())

    assert after.three_pl_status is ThreePlStatus.TRANSFERRED
    assert after.parcel == parcel_now(after, BY_DEFAULT)
    assert after.handed_over_digest == earlier_fingerprint(after, BY_DEFAULT)
    assert not after.is_fulfillable


def test_the_warehouse_takes_an_order_upon_its_completion() -> None:
    order = a_judged_order()

    assert not_taken(order).code == "notForTheWarehouse"
    assert taken(changed(order, fully_dispatched=NOON)).is_handed_over


def test_the_warehouse_picks_an_order_that_it_took_or_fails_to() -> None:
    order = a_judged_order(three_pl_status=ThreePlStatus.TRANSFERRED)
    stuck = failed(order, "Unknown SKU")
    assert (stuck.three_pl_status, stuck.warehouse_error) == (ThreePlStatus.WITH_ERRORS, "Unknown SKU")
    done = picked(stuck)
    assert (done.three_pl_status, done.warehouse_error) == (ThreePlStatus.PICKED, None)
    with pytest.raises(Refused) as refused:
        failed(done, "Too late")
    assert refused.value.code == "alreadyPicked"


def test_only_the_warehouse_sets_its_status_on_an_order_that_it_has() -> None:
    for order in (taken(for_the_warehouse()), not_picked()):
        with pytest.raises(Refused) as refused:
            changed(order, three_pl_status=ThreePlStatus.PICKED)
        assert refused.value.code == "onlyTheWarehouse"


def test_the_warehouse_reports_nothing_on_an_order_it_has_not_taken() -> None:
    for report in (picked, lambda order: failed(order, "x"), sent_by_the_warehouse):
        with pytest.raises(Refused) as refused:
            report(for_the_warehouse())
        assert refused.value.code == "notTransferred"


def test_an_order_not_picked_is_not_held_and_cannot_be_released() -> None:
    assert refused(not_picked(), three_pl_status=DO_NOT_TRANSFER, release=True).code == "notHeld"


@pytest.mark.parametrize("status", [DO_NOT_TRANSFER, NOW, UPON_COMPLETION])
def test_choosing_a_3pl_status_takes_back_an_order_not_picked(status: ThreePlStatus) -> None:
    back = changed(not_picked(), three_pl_status=status)

    assert (back.three_pl_status, back.parcel, back.handed_over_digest, back.warehouse_error) == (
        status,
        None,
        None,
        None,
    )
    assert back.decisions.three_pl_status == ThreePlDecision(by="ed@example.com", at=LATER, three_pl_status=status)


def not_picked(order: Order | None = None, settings: Settings = BY_DEFAULT) -> Order:
    """An order that the warehouse took and could not pick."""
    return failed(taken(order or for_the_warehouse(), settings), "Unknown SKU")


def test_taking_an_order_back_undoes_a_dispatch_that_waited_for_it() -> None:
    auto = Settings(auto_dispatch_orders=True)
    by_us = changed(not_picked(a_judged_order(settings=auto), auto), auto, three_pl_status=UPON_COMPLETION)
    by_hand = changed(not_picked(changed(a_judged_order(), fully_dispatched=NOON)), three_pl_status=UPON_COMPLETION)

    for back in (by_us, by_hand):
        assert (back.status, back.dispatched_by, back.decisions.dispatch) == ("Open", None, None)
        assert not back.is_fulfillable


def test_an_order_taken_back_keeps_that_its_dispatch_was_taken_back() -> None:
    order = changed(changed(a_judged_order(), fully_dispatched=False), three_pl_status=NOW, fully_dispatched=NOON)
    assert order.is_transferable
    back = changed(not_picked(order), three_pl_status=DO_NOT_TRANSFER, fully_dispatched=False)

    assert back.decisions.dispatch == DispatchDecision(by="ed@example.com", at=LATER)


def test_an_incomplete_order_taken_back_is_held_at_do_not_transfer() -> None:
    auto = Settings(auto_dispatch_orders=True)
    order = says_next(not_picked(a_judged_order(settings=auto), auto), line_items=())
    back = changed(order, auto, three_pl_status=DO_NOT_TRANSFER)

    assert (back.stage, back.status, back.three_pl_status) == (NEEDS_ATTENTION, "Open", DO_NOT_TRANSFER)
    assert back.hold == Hold(since=LATER, after_release=True)
    assert not back.is_fulfillable
    for status in (UPON_COMPLETION, NOW):
        assert refused(order, auto, three_pl_status=status).code == "held"


@pytest.mark.parametrize(("status", "code"), [("SHIPPED", "shipped"), ("CANCELLED", "void")])
def test_a_closed_order_that_was_not_picked_is_not_taken_back(status: str, code: str) -> None:
    order = says_next(not_picked(), fulfillment_status=status)

    assert refused(order, three_pl_status=DO_NOT_TRANSFER).code == code


def test_what_was_reported_as_sent_is_not_taken_back() -> None:
    order = changed(not_picked(), fully_dispatched=NOON)

    assert refused(order, three_pl_status=DO_NOT_TRANSFER).code == "alreadyDispatched"


# After the hand-over --------------------------------------------------------------------------------------------------


def sent_by_the_warehouse(order: Order, sent_at: datetime = NOON) -> Order:
    return dispatched(order, sent_at, BY_DEFAULT, by="warehouse@example.com", at=LATER)


@pytest.mark.parametrize("status", HANDED_OVER)
def test_the_warehouse_says_that_it_sent_an_order(status: ThreePlStatus) -> None:
    after = sent_by_the_warehouse(taken(for_the_warehouse()).with_(three_pl_status=status))

    assert (after.status, after.dispatched_by, after.fully_dispatched_at) == ("Dispatched", "warehouse", NOON)
    assert after.three_pl_status is status
    assert after.decisions.dispatch == DispatchDecision(
        by="warehouse@example.com", at=LATER, sent_at=NOON, is_reported=True
    )


@pytest.mark.parametrize("status", HANDED_OVER)
def test_a_person_may_say_that_the_warehouse_sent_an_order(status: ThreePlStatus) -> None:
    after = changed(taken(for_the_warehouse()).with_(three_pl_status=status), fully_dispatched=NOON)

    assert (after.status, after.dispatched_by, after.fully_dispatched_at) == ("Dispatched", "person", NOON)
    assert after.three_pl_status is status
    assert after.is_reported_sent


def test_a_dispatch_that_is_reported_again_keeps_the_first_report() -> None:
    order = sent_by_the_warehouse(taken(for_the_warehouse()))

    assert sent_by_the_warehouse(order, LATER) == order
    assert changed(order, fully_dispatched=LATER) == order


def test_a_reported_dispatch_is_taken_back() -> None:
    after = changed(sent_by_the_warehouse(taken(for_the_warehouse())), fully_dispatched=False)

    assert (after.status, after.dispatched_by, after.three_pl_status) == ("Open", None, ThreePlStatus.TRANSFERRED)
    assert after.decisions.dispatch == DispatchDecision(by="ed@example.com", at=LATER)


def test_a_dispatch_before_the_hand_over_is_not_taken_back_after_it() -> None:
    order = taken(changed(a_judged_order(), fully_dispatched=NOON))

    assert refused(order, fully_dispatched=False).code == "alreadyTransferred"


def test_a_reported_dispatch_that_amazon_confirms_is_not_taken_back() -> None:
    order = says_next(sent_by_the_warehouse(taken(for_the_warehouse())), fulfillment_status="SHIPPED")

    assert refused(order, fully_dispatched=False).code == "shipped"


def test_nobody_reports_a_dispatch_from_before_the_order() -> None:
    with pytest.raises(Refused) as refusal:
        sent_by_the_warehouse(taken(for_the_warehouse()), CREATED - timedelta(seconds=1))
    assert refusal.value.code == "dispatchedBeforeOrdered"


def test_an_order_shipped_at_amazon_after_the_hand_over_is_dispatched() -> None:
    after = says_next(picked(taken(for_the_warehouse())), fulfillment_status="SHIPPED")

    assert (after.status, after.dispatched_by, after.three_pl_status) == (
        "Dispatched",
        "amazon",
        ThreePlStatus.PICKED,
    )


def test_a_person_closes_an_alert_and_the_same_news_raises_none_again() -> None:
    asked = says_next(taken(for_the_warehouse()), line_items=(a_line(asked_to_cancel=True),))
    assert asked.alerts == ("CancelRequestedAfterHandOver",)

    after = close_alerts(asked, ["CancelRequestedAfterHandOver", "CameBack"], by="ed@example.com", at=LATER)
    assert (after.alerts, [one.alert for one in after.closed_alerts]) == ((), ["CancelRequestedAfterHandOver"])
    assert says_next(after, updated_at=LATER_STILL).alerts == ()


def test_the_same_lines_in_another_order_alarm_nobody() -> None:
    lines = (a_line(), a_line(order_item_id="90002", seller_sku="SHADE-1"))
    order = taken(a_judged_order(an_amazon_order(line_items=lines), STRAIGHT_ON))

    assert says_next(order, line_items=lines[::-1]).alerts == ()
    assert says_next(order, line_items=lines[:1]).alerts == ("ChangedAfterHandOver",)


def test_an_order_with_a_failed_pick_is_not_taken_back_by_anything_else() -> None:
    for wanted in (
        {"stage": NEEDS_ATTENTION},
        {"fully_dispatched": False},
        {"release": True},
        {"snooze_until": SHIP_BY},
    ):
        assert refused(not_picked(), **wanted).code == "alreadyTransferred"
    assert refused(not_picked(), three_pl_status=ThreePlStatus.PICKED).code == "onlyTheWarehouse"


@pytest.mark.parametrize("status", HANDED_OVER)
def test_nothing_is_handed_over_twice(status: ThreePlStatus) -> None:
    assert not_taken(a_judged_order(three_pl_status=status)).code == "alreadyTransferred"


def test_a_freeze_stops_every_hand_over() -> None:
    assert not_taken(for_the_warehouse(), is_frozen=True).code == "frozen"


def test_trial_mode_hands_nothing_over() -> None:
    assert not_taken(for_the_warehouse(), Settings(trial_mode=True)).code == "notLive"


def test_an_order_created_before_going_live_is_not_handed_over() -> None:
    assert not_taken(for_the_warehouse(), Settings(go_live_date=CREATED + timedelta(hours=1))).code == "notLive"
    assert taken(for_the_warehouse(), Settings(go_live_date=CREATED)).is_handed_over


@pytest.mark.parametrize(
    "order",
    [
        a_judged_order(three_pl_status=DO_NOT_TRANSFER),
        a_held_order(),
        for_the_warehouse(decisions=decided(hold=by_hand())),
        a_judged_order(an_fba_order()),
        for_the_warehouse(voided_at=NOON),
        for_the_warehouse(redacted_at=NOON),
        for_the_warehouse(pending_since=NOON),
        downloaded_again(for_the_warehouse(), fulfillment_status="CANCELLED"),
        for_the_warehouse(stage=NEEDS_ATTENTION),
    ],
    ids=[
        "do not transfer",
        "held",
        "held by hand",
        "fba",
        "void",
        "redacted",
        "pending",
        "cancelled",
        "needs attention",
    ],
)
def test_nothing_else_is_for_the_warehouse(order: Order) -> None:
    assert not_taken(order).code == "notForTheWarehouse"


def test_the_gate_runs_again_under_the_settings_of_now() -> None:
    unchecked = without_checks("email").model_copy(update={"default_three_pl_status": NOW})
    order = a_judged_order(an_amazon_order(buyer_email=None), unchecked)
    assert order.is_transferable

    refusal = not_taken(order, BY_DEFAULT)
    assert (refusal.code, fields(refusal)) == ("notForTheWarehouse", ["email"])


def test_an_order_that_an_administrator_accepted_is_handed_over() -> None:
    order = changed(a_held_order(), release=True, three_pl_status=NOW, override="no email")

    assert taken(order).is_handed_over


# Redaction ------------------------------------------------------------------------------------------------------------


def personal_order() -> Order:
    amazon = an_amazon_order(tax_name="Ada Quill", tax_address=an_address(), recipient_name="Ada Quill")
    typed = edited(
        amazon,
        confirmed=("email",),
        name=a_typed_name("Ada", "Quill"),
        email="ada@example.com",
        delivery_address=an_address(),
        billing_address=an_address(),
        line_items=(a_line(),),
    )
    override = Override(by="admin@example.com", at=NOON, reason="Ada Quill called", fields=("email",))
    judged = a_judged_order(amazon, edits=typed, override=override, accepted=accepting("email"))
    return judged.with_(
        assigned_to="Ada's desk",
        comment="Ada called",
        warehouse_error="Ada Quill moved",
        handed_over_digest="ada",
        parcel=Parcel(lines=(), left="ada", told="ada"),
        news=("deliveryAddress.city",),
    )


def test_redaction_leaves_no_personal_data_anywhere() -> None:
    text = redact(personal_order(), BY_DEFAULT, LATER).model_dump_json()

    personal = ["Ada", "Quill", "ada", "Harbor", "Portland", "97209"]
    assert [word for word in personal if word not in personal_order().model_dump_json()] == []
    assert [word for word in personal if word in text] == []


def test_redaction_forgets_edits_and_keeps_who_overrode() -> None:
    after = redact(personal_order(), BY_DEFAULT, LATER)

    assert after.edits == Edits()
    assert after.override == Override(by="admin@example.com", at=NOON, reason="[redacted]", fields=("email",))
    assert after.amazon.delivery_address == Address(country_code="US")
    assert (after.redacted_at, after.redact_at) == (LATER, None)


@pytest.mark.parametrize(
    "order",
    [
        a_held_order(),
        a_held_order(decisions=decided(hold=by_hand())),
        a_judged_order(decisions=decided(hold=snoozed(SHIP_BY)), stage=NEEDS_ATTENTION),
        an_order(),
        for_the_warehouse(),
    ],
)
def test_redaction_ends_the_hold_and_closes_the_way_to_the_warehouse(order: Order) -> None:
    after = redact(order, EAGER, LATER)

    assert (after.hold, after.held, after.missing, after.three_pl_status) == (None, None, (), DO_NOT_TRANSFER)
    assert not any([after.is_held, after.is_fulfillable, after.is_pending])


def test_redaction_keeps_decisions_without_effect() -> None:
    order = for_the_warehouse(decisions=decided(stage="packing", three_pl_status=NOW))
    after = redact(order, BY_DEFAULT, LATER)

    assert (after.decisions, after.three_pl_status) == (order.decisions, DO_NOT_TRANSFER)


def test_redaction_leaves_with_the_warehouse_what_it_has() -> None:
    assert redact(taken(for_the_warehouse()), BY_DEFAULT, LATER).three_pl_status is ThreePlStatus.TRANSFERRED


def test_redaction_without_an_override_makes_none() -> None:
    assert redact(a_judged_order(), BY_DEFAULT, LATER).override is None


def test_redaction_says_who_ordered_it_and_why() -> None:
    assert redact(a_judged_order(), BY_DEFAULT, LATER).redaction == Redaction(by="clock", why="retention")


def test_the_words_of_a_warehouse_about_a_redacted_order_are_not_kept() -> None:
    bare = redact(taken(for_the_warehouse()), BY_DEFAULT, LATER)
    after = failed(bare, "Ada Quill moved")

    assert (after.three_pl_status, after.warehouse_error) == (ThreePlStatus.WITH_ERRORS, "[redacted]")


# Erasure on request ---------------------------------------------------------------------------------------------------

REQUEST = Redaction(by="admin@example.com", why="request", reference="GR-2041")


def erased(order: Order, *, even_if_unsent: bool = False) -> Order:
    return erase(order, EAGER, REQUEST, even_if_unsent=even_if_unsent, at=LATER)


SENT_ORDERS: dict[str, Order] = {
    "dispatched": a_judged_order(dispatched_by="person", fully_dispatched_at=NOON),
    "with the warehouse": a_judged_order(three_pl_status=ThreePlStatus.TRANSFERRED),
    "picked": a_judged_order(three_pl_status=ThreePlStatus.PICKED),
    "void": a_judged_order(voided_at=NOON),
    "fulfilled by Amazon": a_judged_order(an_fba_order()),
}


@pytest.mark.parametrize("order", SENT_ORDERS.values(), ids=SENT_ORDERS.keys())
def test_an_order_with_nothing_left_to_send_is_erased_on_request(order: Order) -> None:
    assert erased(order) == redact(order, EAGER, LATER, REQUEST)


UNSENT_ORDERS: dict[str, Order] = {
    "held": a_held_order(),
    "complete": a_judged_order(),
    "pending": an_order(),
    "draft": a_judged_order(an_amazon_order(fulfillment_status="PENDING")),
    "not picked": a_judged_order(three_pl_status=ThreePlStatus.WITH_ERRORS),
}


@pytest.mark.parametrize("order", UNSENT_ORDERS.values(), ids=UNSENT_ORDERS.keys())
def test_an_unsent_order_is_erased_only_if_the_request_says_so(order: Order) -> None:
    with pytest.raises(Refused) as refusal:
        erased(order)
    after = erased(order, even_if_unsent=True)

    assert refusal.value.code == "unsent"
    assert (after.redacted_at, after.redaction, after.hold, after.is_transferable) == (LATER, REQUEST, None, False)


def test_an_order_whose_data_is_gone_already_stays_as_it_is() -> None:
    gone = redact(a_judged_order(), BY_DEFAULT, NOON)

    assert erased(gone) == gone


# The record of changes ------------------------------------------------------------------------------------------------

COMPLETE, HELD = a_judged_order(settings=Settings(default_three_pl_status=DO_NOT_TRANSFER)), a_held_order()
READY, SENT = for_the_warehouse(), changed(COMPLETE, fully_dispatched=NOON)
TAKEN, VOID = taken(READY), judged(downloaded_again(COMPLETE, fulfillment_status="CANCELLED"), BY_DEFAULT, LATER)


@pytest.mark.parametrize(
    ("before", "after", "events"),
    [
        (None, an_order(), ()),
        (an_order(), COMPLETE, ()),
        (COMPLETE, COMPLETE, ()),
        (None, HELD, ("OrderHeld",)),
        (an_order(), HELD, ("OrderHeld",)),
        (HELD, HELD, ()),
        (HELD, COMPLETE, ("OrderHealed",)),
        (HELD, READY, ("OrderHealed", "OrderReadyFor3pl")),
        (HELD, VOID, ("OrderCancelled",)),
        (HELD, redact(HELD, BY_DEFAULT, LATER), ("OrderRedacted",)),
        (None, READY, ("OrderReadyFor3pl",)),
        (COMPLETE, READY, ("OrderReadyFor3pl",)),
        (READY, READY, ()),
        (READY.with_(pending_since=NOON), READY, ("OrderReadyFor3pl",)),
        (READY, TAKEN, ("OrderTransferred",)),
        (TAKEN, TAKEN, ()),
        (None, TAKEN, ("OrderTransferred",)),
        (COMPLETE, SENT, ("OrderDispatched",)),
        (None, SENT, ("OrderDispatched",)),
        (SENT, SENT, ()),
        (COMPLETE, VOID, ("OrderCancelled",)),
        (None, VOID, ("OrderCancelled",)),
        (VOID, VOID, ()),
        (COMPLETE, redact(COMPLETE, BY_DEFAULT, LATER), ("OrderRedacted",)),
        (None, redact(COMPLETE, BY_DEFAULT, LATER), ("OrderRedacted",)),
        (redact(COMPLETE, BY_DEFAULT, LATER), redact(COMPLETE, BY_DEFAULT, LATER), ()),
        (None, COMPLETE.with_(alerts=("CancelledAfterHandOver",)), ("CancelledAfterHandOver",)),
        (COMPLETE.with_(alerts=("A",)), COMPLETE.with_(alerts=("A", "B")), ("B",)),
    ],
)
def test_a_change_tells_what_it_meant_and_only_once(
    before: Order | None, after: Order, events: tuple[str, ...]
) -> None:
    assert happened(before, after, by_a_person=False) == events


def test_a_hold_that_a_person_ends_is_a_release() -> None:
    assert happened(HELD, COMPLETE, by_a_person=True) == ("OrderReleased",)


def test_a_hold_that_a_shipment_ends_is_neither_healed_nor_released() -> None:
    shipped = judged(downloaded_again(HELD, fulfillment_status="SHIPPED"), BY_DEFAULT, LATER)
    assert happened(HELD, shipped, by_a_person=False) == ("OrderDispatched",)


def test_several_things_may_happen_at_once() -> None:
    after = changed(ready_to_release(), EAGER, release=True)

    events = happened(ready_to_release(), after, by_a_person=True)
    assert events == ("OrderReleased", "OrderReadyFor3pl", "OrderDispatched")

"""Orders that the release before wrote: the decisions and the parcel that are read out of what they show."""

from typing import Any

import pytest

from needs_attention.orders.changes import with_change
from needs_attention.orders.checks import RULES
from needs_attention.orders.decisions import Decisions, Granted
from needs_attention.orders.earlier_release import WHO, in_the_form_of_now
from needs_attention.orders.gate import Wanted, change, edit
from needs_attention.orders.order import Hold, Missing, Order
from needs_attention.orders.parcel import earlier_fingerprint, parcel_now
from needs_attention.orders.settings import NEEDS_ATTENTION, Settings, ThreePlStatus
from needs_attention.orders.verdict import judged
from tools.builders import (
    LATER,
    LATER_STILL,
    NOON,
    a_line,
    after_amazons_answer,
    an_address,
    an_amazon_order,
    an_fba_order,
    an_order,
    by_hand,
    decided,
    downloaded_again,
)

BY_DEFAULT = Settings()
ACCEPTING = Settings(single_word_names="accept")
EAGER = Settings(default_stage="ready", default_three_pl_status=ThreePlStatus.NOW, auto_dispatch_orders=True)
IN_ZAGREB = {"line1": "Ulica 1", "city": "Zagreb", "state_or_region": None, "country_code": "HR"}
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
    return in_the_form_of_now(order, settings).decisions


def test_an_order_that_shows_the_defaults_shows_no_decision() -> None:
    order = in_the_form_of_now(written_before(), BY_DEFAULT)

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
    order = in_the_form_of_now(written_before(dispatched_by="us", fully_dispatched_at=LATER), BY_DEFAULT)

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
    order = in_the_form_of_now(written_before(three_pl_status=DO_NOT_TRANSFER, **fields), BY_DEFAULT)

    assert (order.decisions, order.granted, order.apart_until) == (Decisions(), None, 3)


def test_reading_the_decisions_of_an_order_changes_nothing_else() -> None:
    order = written_before(stage="packing")
    apart = in_the_form_of_now(order, BY_DEFAULT)

    assert apart.with_(decisions=order.decisions, granted=None, apart_until=None, rules=None) == order


def test_an_order_of_which_this_release_knows_all_stays_as_it_is() -> None:
    order = written_before(stage="packing", three_pl_status=ThreePlStatus.NOW, apart_until=3, rules=RULES)

    assert in_the_form_of_now(order, BY_DEFAULT) is order


def test_decisions_are_read_once() -> None:
    apart = in_the_form_of_now(written_before(stage="packing"), BY_DEFAULT)

    assert in_the_form_of_now(apart, BY_DEFAULT) is apart


def test_an_order_of_this_release_stays_as_it_is_when_written() -> None:
    first = with_change(None, an_order(), by="amazon", at=NOON, cause="downloaded")
    second = with_change(first, judged(first, EAGER, LATER), by="validation", at=LATER, cause="verdict")

    assert in_the_form_of_now(second, BY_DEFAULT) is second


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

    assert in_the_form_of_now(theirs, EAGER).granted == ours.granted
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


# What left in the release before --------------------------------------------------------------------------------------


def with_the_warehouse(**fields: Any) -> Order:
    """An order that the release before handed over: it kept nothing of it but a fingerprint."""
    order = written_before(three_pl_status=ThreePlStatus.TRANSFERRED, **fields)
    return order.with_(handed_over_digest=earlier_fingerprint(order, BY_DEFAULT))


def test_the_warehouse_sees_what_it_took_in_the_release_before() -> None:
    sent = a_line(quantity=2, quantity_fulfilled=2, quantity_unfulfilled=0)
    order = with_the_warehouse(amazon=an_amazon_order(line_items=(a_line(quantity=2),)))

    after = after_amazons_answer(order, BY_DEFAULT, LATER, line_items=(sent,))
    assert after.parcel is not None
    assert [(line.quantity, line.quantity_ordered) for line in after.parcel.lines] == [(2, 2)]
    assert after.alerts == ()


def test_a_change_after_a_dispatch_of_the_release_before_is_told() -> None:
    dispatched = written_before(three_pl_status=DO_NOT_TRANSFER, dispatched_by="person", fully_dispatched_at=LATER)

    after = after_amazons_answer(dispatched, BY_DEFAULT, LATER, line_items=(a_line(quantity=7),))
    assert after.alerts == ("ChangedAfterDispatch",)


def test_news_that_waited_for_a_verdict_of_the_release_before_is_no_parcel() -> None:
    waiting = written_before(three_pl_status=DO_NOT_TRANSFER, dispatched_by="us", pending_since=NOON)

    assert in_the_form_of_now(waiting, BY_DEFAULT).parcel is None
    assert judged(waiting, BY_DEFAULT, LATER).alerts == ()


def test_a_name_that_this_release_splits_in_another_way_is_no_news() -> None:
    order = with_the_warehouse().with_(handed_over_digest="of Fru Anna and Hansen")

    after = after_amazons_answer(order, BY_DEFAULT, LATER, buyer_email="other@example.com")
    assert after.alerts == ()
    assert after_amazons_answer(after, BY_DEFAULT, LATER_STILL, line_items=(a_line(quantity=7),)).alerts == (
        "ChangedAfterHandOver",
    )


@pytest.mark.parametrize("trace", [{"alerts": ("ChangedAfterHandOver",)}, {"pending_since": NOON}])
def test_a_change_that_the_release_before_met_first_stays_told(trace: dict[str, Any]) -> None:
    order = with_the_warehouse(**trace).with_(handed_over_digest="of what left")

    assert judged(order, BY_DEFAULT, LATER).alerts == ("ChangedAfterHandOver",)


def test_a_parcel_known_stays_while_amazon_counts_down_what_was_sent() -> None:
    order = with_the_warehouse(amazon=an_amazon_order(line_items=(a_line(quantity=2),)))
    ours = in_the_form_of_now(order, BY_DEFAULT)
    counted = an_amazon_order(line_items=(a_line(quantity=2, quantity_unfulfilled=0),))
    theirs = ours.with_(amazon=counted, revision=ours.revision + 1)

    assert in_the_form_of_now(theirs, BY_DEFAULT).parcel == ours.parcel


def test_another_parcel_that_the_release_before_handed_over_is_the_one_that_left() -> None:
    ours = in_the_form_of_now(with_the_warehouse(), BY_DEFAULT)
    other = ours.with_(amazon=an_amazon_order(line_items=(a_line(quantity=5),)), revision=ours.revision + 1)
    theirs = other.with_(handed_over_digest=earlier_fingerprint(other, BY_DEFAULT))

    after = in_the_form_of_now(theirs, BY_DEFAULT)
    assert after.parcel == parcel_now(theirs, BY_DEFAULT)
    assert judged(theirs, BY_DEFAULT, LATER).alerts == ()


def test_a_change_that_the_release_before_noticed_is_told() -> None:
    ours = in_the_form_of_now(with_the_warehouse(), BY_DEFAULT)
    theirs = ours.with_(amazon=an_amazon_order(line_items=(a_line(quantity=5),)), revision=ours.revision + 1)

    assert judged(theirs, BY_DEFAULT, LATER).alerts == ("ChangedAfterHandOver",)


def test_a_stop_of_the_release_before_outlasts_a_spell_of_shipped() -> None:
    stopped = written_before(three_pl_status=DO_NOT_TRANSFER)
    shipped = after_amazons_answer(stopped, BY_DEFAULT, LATER, fulfillment_status="SHIPPED")
    back = after_amazons_answer(shipped, BY_DEFAULT, LATER, fulfillment_status="UNSHIPPED")
    confirmed = edit(back, {}, ("fulfillmentUnknown",), BY_DEFAULT, LATER)

    after = change(confirmed, Wanted(release=True), BY_DEFAULT, by="ada", at=LATER)
    assert (after.is_held, after.three_pl_status) == (False, DO_NOT_TRANSFER)


# Rules that ask for more than before ----------------------------------------------------------------------------------

WITHOUT_POSTAL_CODE = an_address(**IN_ZAGREB, postal_code=None)
# The name has no first name, and both addresses have no postal code; the release before asked for neither.
LET_GO_BEFORE = written_before(
    amazon=an_amazon_order(recipient_name="Fru Hansen", delivery_address=WITHOUT_POSTAL_CODE),
    three_pl_status=ThreePlStatus.NOW,
)


@pytest.mark.parametrize(
    "news",
    [
        {"buyer_email": "other@example.com"},
        {"line_items": (a_line(quantity=7),)},
        {"recipient_name": "fru HANSEN"},
        {"delivery_address": an_address(**IN_ZAGREB, postal_code=None, phone="+385 1 555 0100")},
    ],
    ids=str,
)
def test_an_order_let_go_before_is_not_held_for_a_rule_that_is_new(news: dict[str, Any]) -> None:
    after = after_amazons_answer(LET_GO_BEFORE, BY_DEFAULT, LATER, **news)

    assert (after.is_held, after.missing, after.is_fulfillable) == (False, (), True)
    assert not judged(after, BY_DEFAULT, LATER_STILL).is_held


@pytest.mark.parametrize(
    ("news", "missing"),
    [
        ({"recipient_name": "Fru Larsen"}, ["firstName"]),
        ({"delivery_address": an_address(**IN_ZAGREB | {"line1": "Trg 2"}, postal_code=None)}, ["postalCode"] * 2),
        ({"delivery_address": an_address(**IN_ZAGREB | {"city": None}, postal_code=None)}, ["city", "postalCode"] * 2),
    ],
    ids=str,
)
def test_a_new_rule_counts_from_amazons_next_change_of_the_unit(news: dict[str, Any], missing: list[str]) -> None:
    after = after_amazons_answer(LET_GO_BEFORE, BY_DEFAULT, LATER, **news)

    assert after.is_held
    assert [part for item in after.missing for part in item.parts or (item.field,)] == missing


def test_a_gap_let_go_keeps_no_order_from_healing() -> None:
    typed = edit(LET_GO_BEFORE, {"email": "typed@example.com"}, None, BY_DEFAULT, LATER)
    held = after_amazons_answer(typed, BY_DEFAULT, LATER, fulfillment_status="TELEPORTED")
    back = {"fulfillment_status": "UNSHIPPED", "buyer_email": "typed@example.com"}
    healed = after_amazons_answer(held, BY_DEFAULT, LATER_STILL, **back)

    assert (held.is_held, healed.is_held) == (True, False)


def test_an_order_with_decisions_apart_is_let_go_on_as_well() -> None:
    order = LET_GO_BEFORE.with_(apart_until=LET_GO_BEFORE.revision)

    assert not after_amazons_answer(order, BY_DEFAULT, LATER, buyer_email="other@example.com").is_held


def test_gaps_let_go_by_two_releases_ago_stay_so_while_news_waits() -> None:
    gaps = in_the_form_of_now(LET_GO_BEFORE, BY_DEFAULT).let_go_without
    order = LET_GO_BEFORE.with_(rules=RULES - 1, let_go_without=gaps, pending_since=NOON)

    assert not judged(order, BY_DEFAULT, LATER).is_held


def test_an_order_without_lines_was_never_let_go_by_earlier_rules() -> None:
    assert judged(written_before(amazon=an_amazon_order(line_items=())), BY_DEFAULT, LATER).is_held


def test_what_a_person_types_away_is_missing_all_the_same() -> None:
    blanked = edit(LET_GO_BEFORE, {"delivery_address": {"city": ""}}, None, BY_DEFAULT, LATER)

    assert [(item.field, item.parts) for item in blanked.open_missing if item.field == "deliveryAddress"] == [
        ("deliveryAddress", ("city", "postalCode"))
    ]


@pytest.mark.parametrize(
    "order",
    [
        an_order(amazon=LET_GO_BEFORE.amazon),
        LET_GO_BEFORE.with_(pending_since=NOON),
        LET_GO_BEFORE.with_(judged_at=None, hold=Hold(since=NOON), stage=NEEDS_ATTENTION),
    ],
    ids=["new", "news waits for its verdict", "held"],
)
def test_an_order_that_was_not_let_go_is_judged_by_the_new_rules(order: Order) -> None:
    assert judged(order, BY_DEFAULT, LATER).is_held


def test_a_gap_that_the_release_before_knew_stays_one() -> None:
    known = Missing(field="deliveryAddress", reason="incomplete", parts=("postalCode",), first_missing_at=NOON)
    dispatched = LET_GO_BEFORE.with_(missing=(known,), dispatched_by="us", fully_dispatched_at=NOON)

    after = judged(dispatched, BY_DEFAULT, LATER)
    assert ("deliveryAddress", "incomplete") in [(item.field, item.reason) for item in after.missing]


def test_a_rule_that_a_setting_switches_on_holds_an_order_of_this_release() -> None:
    ours = judged(an_order(amazon=an_amazon_order(recipient_name="Cher")), ACCEPTING, LATER)

    assert not ours.is_held
    assert judged(ours, BY_DEFAULT, LATER_STILL).is_held


def test_what_an_earlier_release_lets_go_after_a_rollback_stays_let_go() -> None:
    ours = judged(an_order(), BY_DEFAULT, LATER)
    theirs = ours.with_(amazon=LET_GO_BEFORE.amazon, revision=ours.revision + 1)

    assert not judged(theirs, BY_DEFAULT, LATER_STILL).is_held

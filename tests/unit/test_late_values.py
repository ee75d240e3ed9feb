"""Amazon's late value for a part that a person typed: each state of the order against each way in which it comes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from needs_attention.orders.amazon_update import downloaded
from needs_attention.orders.gate import Refused, Wanted, change, edit, end_snooze, failed, hand_over
from needs_attention.orders.order import Order
from needs_attention.orders.settings import NEEDS_ATTENTION, Settings, ThreePlStatus
from needs_attention.orders.verdict import judged
from tools.builders import LATER, LATER_STILL, NOON, SHIP_BY, a_line, an_address, an_amazon_order, an_order

STRAIGHT_ON = Settings(default_three_pl_status=ThreePlStatus.NOW)
TYPED, OTHER, THIRD = "12 Harbor Street", "5 Mill Road", "9 Quay"


def called(order: Order, **wanted: Any) -> Order:
    return change(order, Wanted(**wanted), STRAIGHT_ON, by="bo", at=LATER)


def told(order: Order, *streets: str | None, **facts: Any) -> Order:
    """The order after Amazon's answers with these streets in turn, all before one verdict."""
    for street in streets:
        answer = order.amazon.model_copy(
            update={
                "delivery_address": an_address(line1=street),
                "updated_at": order.amazon.updated_at + timedelta(minutes=1),
                **facts,
            }
        )
        order = downloaded(order, answer, order.integration, STRAIGHT_ON, LATER) or order
    return order


def says(order: Order, *streets: str | None, **facts: Any) -> Order:
    """The order after these answers, with a verdict after each."""
    for street in streets:
        order = judged(told(order, street, **facts), STRAIGHT_ON, LATER)
    return order


def typing(order: Order, street: str | None = TYPED) -> Order:
    return edit(order, {"delivery_address": {"line1": street}}, None, STRAIGHT_ON, LATER)


def keeping(order: Order) -> Order:
    return edit(order, {}, None, STRAIGHT_ON, LATER, kept=["delivery_address"])


def held() -> Order:
    """An order that came without its street; a person typed it, and nobody released the order."""
    order = judged(an_order(an_amazon_order(delivery_address=an_address(line1=None))), STRAIGHT_ON, NOON)
    return typing(order)


def let_go() -> Order:
    return called(held(), release=True)


def handed_over(order: Order | None = None) -> Order:
    return hand_over(order or let_go(), STRAIGHT_ON, is_frozen=False, at=LATER)


def differing_fields(order: Order) -> list[tuple[str, tuple[str, ...]]]:
    return [(item.field, item.parts) for item in order.differences]


def test_a_gap_and_a_difference_of_one_field_begin_at_their_own_times() -> None:
    unfinished = an_order(an_amazon_order(delivery_address=an_address(line1=None)))
    order = edit(unfinished, {"delivery_address": {"line1": TYPED, "city": ""}}, None, STRAIGHT_ON, NOON)
    late = judged(told(order, OTHER), STRAIGHT_ON, LATER)
    again = judged(late, STRAIGHT_ON, LATER_STILL)

    of_the_delivery = [item for item in again.missing if item.field == "deliveryAddress"]
    assert [(item.reason, item.parts, item.first_missing_at) for item in of_the_delivery] == [
        ("incomplete", ("city",), NOON),
        ("differsFromAmazon", ("addressLine1",), LATER),
    ]


STREET_DIFFERS = [("deliveryAddress", ("addressLine1",))]


def waits_for_a_person(order: Order) -> bool:
    """Whether it is held for the difference, and nobody can let it go before the difference is settled."""
    with pytest.raises(Refused) as refusal:
        called(order, release=True)
    is_said = refusal.value.code == "differsFromAmazon" and differing_fields(order) == STREET_DIFFERS
    return is_said and order.stage == NEEDS_ATTENTION and not order.is_fulfillable and not order.is_ready_to_release


def test_typed_lines_that_amazon_sends_late_heal_the_order() -> None:
    without_lines = judged(an_order(an_amazon_order(line_items=())), STRAIGHT_ON, NOON)
    typed = edit(without_lines, {"line_items": [a_line()]}, None, STRAIGHT_ON, LATER)
    late = typed.amazon.model_copy(update={"line_items": (a_line(),), "updated_at": LATER})
    answered = downloaded(typed, late, typed.integration, STRAIGHT_ON, LATER)
    assert answered is not None
    after = judged(answered, STRAIGHT_ON, LATER)

    assert (after.differences, after.held, after.three_pl_status) == ((), None, ThreePlStatus.NOW)


# Held, by hand, snoozed -----------------------------------------------------------------------------------------------

HELD: dict[str, Callable[[Order], Order]] = {
    "held": lambda order: order,
    "by hand": lambda order: called(order, stage=NEEDS_ATTENTION),
    "snoozed": lambda order: called(order, snooze_until=SHIP_BY),
}


def test_a_held_order_heals_when_amazon_says_what_was_typed() -> None:
    after = says(held(), TYPED.upper())

    assert (after.held, after.three_pl_status) == (None, ThreePlStatus.NOW)
    assert after.is_fulfillable


@pytest.mark.parametrize("hold", ["by hand", "snoozed"])
def test_a_hold_of_a_person_outlasts_the_value_as_typed(hold: str) -> None:
    after = says(HELD[hold](held()), TYPED)

    assert (after.stage, after.differences) == (NEEDS_ATTENTION, ())
    assert called(after, release=True).is_fulfillable


def test_a_snoozed_order_heals_at_its_end_if_amazon_says_what_was_typed() -> None:
    order = says(called(held(), snooze_until=LATER_STILL), TYPED)

    assert end_snooze(order, STRAIGHT_ON, LATER_STILL).is_fulfillable


@pytest.mark.parametrize("hold", HELD)
@pytest.mark.parametrize("streets", [[OTHER], [OTHER, THIRD]], ids=str)
def test_a_held_order_waits_for_a_person_when_amazon_says_something_else(streets: list[str], hold: str) -> None:
    order = HELD[hold](held())

    assert waits_for_a_person(says(order, *streets))
    assert waits_for_a_person(judged(told(order, *streets), STRAIGHT_ON, LATER))


def test_a_difference_is_gone_when_amazon_comes_back_to_the_typed_value() -> None:
    assert says(held(), OTHER, TYPED).is_fulfillable


@pytest.mark.parametrize("silence", [None, "[Redacted]"])
def test_amazons_silence_closes_no_difference(silence: str | None) -> None:
    assert waits_for_a_person(says(held(), OTHER, silence))


def test_the_end_of_a_snooze_lets_no_differing_value_out() -> None:
    order = says(called(held(), snooze_until=LATER_STILL), OTHER)

    assert waits_for_a_person(end_snooze(order, STRAIGHT_ON, LATER_STILL))


# A PENDING spell ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("street", "is_let_out"), [(TYPED, True), (OTHER, False)], ids=["as typed", "something else"])
def test_after_a_pending_spell_a_held_order_is_judged_as_held(street: str, is_let_out: bool) -> None:
    draft = says(held(), street, fulfillment_status="PENDING")
    after = says(draft, street, fulfillment_status="UNSHIPPED")

    assert draft.status == "Draft"
    assert after.is_fulfillable == is_let_out
    assert waits_for_a_person(after) != is_let_out


def test_after_a_pending_spell_an_order_let_go_only_alerts_of_a_first_word() -> None:
    draft = says(let_go(), OTHER, fulfillment_status="PENDING")
    after = says(draft, OTHER, fulfillment_status="UNSHIPPED")

    assert (after.held, after.alerts, after.is_fulfillable) == (None, ("DiffersFromAmazon",), True)


def test_after_a_pending_spell_an_order_let_go_is_held_for_a_changed_value() -> None:
    draft = says(says(let_go(), OTHER), THIRD, fulfillment_status="PENDING")

    assert waits_for_a_person(says(draft, THIRD, fulfillment_status="UNSHIPPED"))


# Let go ---------------------------------------------------------------------------------------------------------------


def test_an_order_let_go_takes_no_notice_of_the_value_as_typed() -> None:
    after = says(let_go(), TYPED)

    assert (after.held, after.alerts, after.is_fulfillable) == (None, (), True)


def test_amazons_first_word_on_a_typed_gap_alerts_and_does_not_hold() -> None:
    after = says(let_go(), OTHER)

    assert (after.held, after.alerts, after.is_fulfillable) == (None, ("DiffersFromAmazon",), True)
    assert after.missing == ()


@pytest.mark.parametrize("first", [TYPED, OTHER])
def test_a_value_that_replaces_another_of_amazons_holds_an_order_let_go(first: str) -> None:
    assert waits_for_a_person(says(let_go(), first, THIRD))


@pytest.mark.parametrize("first", [TYPED, OTHER])
def test_two_values_in_a_row_before_one_verdict_hold_it_too(first: str) -> None:
    assert waits_for_a_person(judged(told(let_go(), first, THIRD), STRAIGHT_ON, LATER))


@pytest.mark.parametrize("hold", ["by hand", "snoozed"])
def test_a_first_word_that_came_while_it_was_held_by_a_person_holds(hold: str) -> None:
    order = says(HELD[hold](let_go()), OTHER)
    awake = end_snooze(order, STRAIGHT_ON, SHIP_BY)

    assert waits_for_a_person(awake)


def test_an_alert_is_over_when_amazon_comes_back_to_the_typed_value() -> None:
    assert says(let_go(), OTHER, TYPED).alerts == ()


def test_an_alert_stays_while_amazon_is_silent() -> None:
    assert says(let_go(), OTHER, None).alerts == ("DiffersFromAmazon",)


def test_another_email_or_billing_address_alerts_nobody() -> None:
    silent = an_amazon_order(buyer_email=None)
    order = edit(judged(an_order(silent), STRAIGHT_ON, NOON), {"email": "typed@example.com"}, None, STRAIGHT_ON, LATER)
    answer = silent.model_copy(update={"buyer_email": "late@example.com", "updated_at": LATER})
    after = downloaded(called(order, release=True), answer, order.integration, STRAIGHT_ON, LATER)

    assert after is not None
    assert judged(after, STRAIGHT_ON, LATER).alerts == ()


# Handed over ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("streets", "alerts"),
    [([TYPED], set()), ([OTHER], {"DiffersFromAmazon"}), ([OTHER, THIRD], {"DiffersFromAmazon"})],
)
def test_a_late_value_after_the_hand_over_alerts(streets: list[str], alerts: set[str]) -> None:
    after = says(handed_over(), *streets)

    assert set(after.alerts) == alerts
    assert after.is_handed_over


@pytest.mark.parametrize(("streets", "is_held"), [([OTHER], False), ([OTHER, THIRD], True)], ids=str)
def test_an_order_taken_back_is_held_for_a_value_that_changed(streets: list[str], is_held: bool) -> None:
    order = failed(says(handed_over(), *streets), "Unknown SKU")
    back = called(order, three_pl_status=ThreePlStatus.DO_NOT_TRANSFER)

    assert (back.held is not None) == is_held
    assert (differing_fields(back) == STREET_DIFFERS) == is_held


# Another part was typed -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", [{"phone": "+1 503 555 0177"}, {"company_name": "Quill Works"}], ids=str)
def test_a_part_that_nobody_typed_is_taken_in_and_heals(typed: dict[str, str]) -> None:
    order = judged(an_order(an_amazon_order(delivery_address=an_address(line1=None))), STRAIGHT_ON, NOON)
    order = edit(order, {"delivery_address": typed}, None, STRAIGHT_ON, LATER)
    assert order.held is not None

    after = says(order, OTHER)
    assert (after.held, after.is_fulfillable) == (None, True)


def test_a_flat_typed_beside_amazons_street_is_taken_in_and_heals() -> None:
    without_code = an_amazon_order(delivery_address=an_address(postal_code=None))
    order = judged(an_order(without_code), STRAIGHT_ON, NOON)
    order = edit(order, {"delivery_address": {"line2": "Apt 3"}}, None, STRAIGHT_ON, LATER)
    assert order.held is not None

    after = says(order, "12 Harbor Street")
    assert (after.held, after.is_fulfillable) == (None, True)


def test_a_second_line_that_stood_in_for_the_street_is_compared_with_it() -> None:
    order = judged(an_order(an_amazon_order(delivery_address=an_address(line1=None))), STRAIGHT_ON, NOON)
    order = edit(order, {"delivery_address": {"line2": TYPED}}, None, STRAIGHT_ON, LATER)

    assert says(order, TYPED).is_fulfillable
    assert waits_for_a_person(says(order, OTHER))


# What settles a difference --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settle", [typing, keeping], ids=["typed again", "kept"])
def test_a_settled_difference_heals_at_once_if_amazon_lacks_nothing(settle: Callable[[Order], Order]) -> None:
    after = settle(says(held(), OTHER))

    assert (after.held, after.is_fulfillable) == (None, True)
    assert after.edits.delivery_address is not None
    assert after.edits.delivery_address.line1 == TYPED


@pytest.mark.parametrize("settle", [typing, keeping], ids=["typed again", "kept"])
def test_a_settled_difference_waits_for_a_release_if_amazon_lacks_more(settle: Callable[[Order], Order]) -> None:
    silent = an_amazon_order(delivery_address=an_address(line1=None), buyer_email=None)
    order = typing(judged(an_order(silent), STRAIGHT_ON, NOON))
    order = edit(order, {"email": "typed@example.com"}, None, STRAIGHT_ON, LATER)
    after = settle(says(order, OTHER))

    assert (after.held is not None, after.is_ready_to_release) == (True, True)
    assert called(after, release=True).is_fulfillable


def test_amazons_own_value_instead_of_the_typed_one_heals_at_once() -> None:
    after = typing(says(held(), OTHER), None)

    assert (after.held, after.is_fulfillable) == (None, True)
    assert after.edits.settled == {}


@pytest.mark.parametrize("settle", [typing, keeping], ids=["typed again", "kept"])
@pytest.mark.parametrize("order", [held(), let_go()], ids=["held", "let go"])
def test_a_settled_difference_opens_anew_for_the_next_value(order: Order, settle: Callable[[Order], Order]) -> None:
    settled = settle(says(order, OTHER))

    assert says(settled, OTHER).alerts == says(settled, None).alerts == ()
    assert waits_for_a_person(says(settled, THIRD))


def test_what_was_kept_is_no_news_any_more() -> None:
    order = says(let_go(), OTHER, THIRD)
    kept = keeping(order)

    assert (order.news, kept.news) == (("deliveryAddress.addressLine1",), ())
    assert kept.is_fulfillable


def test_keeping_where_nothing_differs_settles_nothing() -> None:
    order = held()

    assert keeping(order).says_the_same_as(order)


def test_keeping_one_unit_settles_no_other() -> None:
    order = edit(held(), {"email": "typed@example.com"}, None, STRAIGHT_ON, LATER)
    order = says(order, OTHER, buyer_email="other@example.com")

    assert [item.field for item in keeping(order).differences] == ["email"]


def test_an_administrators_override_settles_and_lets_go() -> None:
    after = called(says(held(), OTHER), release=True, override="the buyer called")

    assert (after.held, after.differences, after.is_fulfillable) == (None, (), True)


def test_an_override_settles_what_an_order_let_go_was_only_told_of() -> None:
    after = called(says(let_go(), OTHER), stage="packing", override="the buyer called")

    assert (after.stage, after.alerts) == ("packing", ())
    assert after.override is not None
    assert after.override.fields == ("deliveryAddress",)


# The value that a person typed over -----------------------------------------------------------------------------------


def typed_over() -> Order:
    """An order that Amazon sent whole, with another street; a person typed over it, and it went straight on."""
    return typing(judged(an_order(an_amazon_order(delivery_address=an_address(line1=OTHER))), STRAIGHT_ON, NOON))


def test_the_value_that_was_typed_over_holds_again_once_amazon_agreed_in_between() -> None:
    back = says(typed_over(), TYPED, OTHER)

    assert back.is_held
    assert [item.field for item in back.differences] == ["deliveryAddress"]


def test_what_came_back_is_news_until_a_person_settles_it() -> None:
    back = says(typed_over(), TYPED, OTHER)

    assert says(back, OTHER, buyer_email="other@example.com").is_held


def test_two_answers_before_one_verdict_hide_no_agreement_in_between() -> None:
    assert judged(told(typed_over(), TYPED, OTHER), STRAIGHT_ON, LATER).is_held


def test_a_difference_that_comes_back_during_a_snooze_outlasts_it() -> None:
    snoozed = called(says(typed_over(), TYPED), snooze_until=SHIP_BY - timedelta(hours=3))

    assert end_snooze(says(snoozed, OTHER), STRAIGHT_ON, LATER_STILL).is_held


def test_the_value_that_was_typed_over_stays_settled_while_amazon_never_agreed() -> None:
    assert not says(typed_over(), OTHER).is_held
    assert says(typed_over(), THIRD).is_held
    assert not says(typed_over(), THIRD, OTHER).differences


@pytest.mark.parametrize("settle", [typing, keeping])
def test_what_comes_back_is_settled_again_by_the_same_words(settle: Callable[[Order], Order]) -> None:
    settled = settle(says(typed_over(), TYPED, OTHER))

    assert not settled.differences
    assert not settled.is_held


def test_what_comes_back_is_settled_by_no_other_edit() -> None:
    back = says(typed_over(), TYPED, OTHER)
    commented = edit(back, {"email": "other@example.com"}, None, STRAIGHT_ON, LATER)

    assert [item.field for item in commented.differences] == ["deliveryAddress"]


def test_an_override_settles_what_comes_back() -> None:
    assert not called(says(typed_over(), TYPED, OTHER), override="as typed", release=True).differences

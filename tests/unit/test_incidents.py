"""When the connection is at fault and not the orders, what is shown of it, and when it is over."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from needs_attention.integrations.arrivals import LATEST, Arrivals, evidence_of, filled_gaps, vanished_fields
from needs_attention.integrations.incidents import Incident, Incidents, is_far_behind
from needs_attention.orders.settings import Settings
from tools.builders import NOON, an_address, an_amazon_order, an_fba_order, without_checks

US, CANADA = "ATVPDKIKX0DER", "A2EUQ1WTGCTBG2"
BY_DEFAULT = Settings()
NOTHING: dict[str, tuple[str, ...]] = {}


def arrived(*lacks_email: bool, start: int = 0, settings: Settings = BY_DEFAULT, **fields: Any) -> Arrivals:
    """Orders one after another, with or without an email address."""
    orders = [
        an_amazon_order(
            order_id=f"701-{start + number:07}-0000000",
            **({"buyer_email": None} if lacks else {}) | fields,
        )
        for number, lacks in enumerate(lacks_email)
    ]
    return Arrivals().with_orders(orders, settings, NOON)


def vanished(arrivals: Arrivals, known: Mapping[str, tuple[str, ...]] = NOTHING) -> dict[str, tuple[str, ...]]:
    return vanished_fields(arrivals, known, {})


# Fields that vanish ---------------------------------------------------------------------------------------------------


def test_a_field_that_most_of_at_least_ten_orders_lack_has_vanished() -> None:
    assert vanished(arrived(*[True] * 10)) == {US: ("email",)}
    assert vanished(arrived(*[True] * 9)) == {}
    assert vanished(arrived(*[False] * 5, *[True] * 6)) == {US: ("email",)}
    assert vanished(arrived(*[False] * 5, *[True] * 5)) == {}


def test_only_the_latest_fifty_orders_count() -> None:
    assert vanished(arrived(*[False] * 100, *[True] * 26)) == {US: ("email",)}
    assert vanished(arrived(*[False] * 100, *[True] * 25)) == {}
    assert len(arrived(*[True] * 60).by_marketplace[US]) == LATEST


def test_an_order_that_comes_again_counts_once_by_how_it_is_now() -> None:
    many = arrived(*[True] * 10)
    again = many.with_orders([an_amazon_order(order_id="701-0000000-0000000")], BY_DEFAULT, NOON)
    assert len(again.by_marketplace[US]) == 10
    assert [one.lacks for one in again.by_marketplace[US]][-2:] == [("email",), ()]


def test_a_marketplace_whose_orders_are_whole_is_not_concerned() -> None:
    both = arrived(*[True] * 10).with_orders(
        [an_amazon_order(order_id=f"702-{n}", marketplace_id=CANADA) for n in range(10)], BY_DEFAULT, NOON
    )
    assert vanished(both) == {US: ("email",)}


@pytest.mark.parametrize(
    "order",
    [
        an_fba_order(buyer_email=None),
        an_amazon_order(buyer_email=None, fulfillment_status="SHIPPED"),
        an_amazon_order(buyer_email=None, fulfillment_status="PENDING"),
        an_amazon_order(buyer_email=None, fulfillment_status="CANCELLED"),
    ],
    ids=["fulfilled by Amazon", "shipped", "pending", "cancelled"],
)
def test_orders_for_which_amazon_owes_no_personal_data_do_not_count(order: Any) -> None:
    assert Arrivals().with_orders([order], BY_DEFAULT, NOON).by_marketplace == {}


def test_a_check_that_is_switched_off_makes_no_incident() -> None:
    assert vanished(arrived(*[True] * 10, settings=without_checks("email"))) == {}


def test_a_name_of_one_word_and_a_wish_to_cancel_have_not_vanished() -> None:
    assert vanished(arrived(*[False] * 10, recipient_name="Cher", cancel_requested_by_buyer=True)) == {}


def test_a_lost_role_shows_in_all_its_fields() -> None:
    bare = arrived(*[True] * 10, recipient_name=None, buyer_name=None, delivery_address=an_address(line1=None))
    assert vanished(bare) == {US: ("billingAddress", "deliveryAddress", "email", "firstName", "lastName")}


# The end of it --------------------------------------------------------------------------------------------------------


def test_a_field_is_back_when_three_orders_in_a_row_have_it() -> None:
    known = {US: ("email",)}
    assert vanished(arrived(*[True] * 10, False, False), known) == known
    assert vanished(arrived(*[True] * 10, False, False, False), known) == {}
    assert vanished(arrived(*[True] * 10, False, False, True, False), known) == known


def test_a_field_is_back_when_amazon_has_filled_a_gap_with_it() -> None:
    known = {US: ("email", "firstName", "lastName")}
    nameless = arrived(*[True] * 10, recipient_name=None, buyer_name=None)
    assert vanished_fields(nameless, known, {US: frozenset({"email"})}) == {US: ("firstName", "lastName")}


def test_a_gap_is_filled_by_what_amazon_sends_for_the_first_time() -> None:
    before, after = an_amazon_order(buyer_email=None), an_amazon_order()
    assert filled_gaps([(before, after)], BY_DEFAULT) == {US: {"email"}}
    assert filled_gaps([(after, before), (after, after)], BY_DEFAULT) == {US: frozenset()}


def test_an_incident_stays_open_while_too_few_orders_come_to_tell() -> None:
    assert vanished(arrived(True, False), {US: ("email",)}) == {US: ("email",)}


def test_orders_that_opened_an_incident_do_not_open_it_again() -> None:
    assert arrived(*[True] * 10).without([US]).by_marketplace == {}


def test_a_marketplace_that_falls_silent_is_no_longer_known_to_be_at_fault() -> None:
    week = timedelta(days=7)
    canadas = [an_amazon_order(order_id="702-1", marketplace_id=CANADA)]
    both = arrived(*[True] * 10).with_orders(canadas, BY_DEFAULT, NOON + week / 2)
    assert both.recent(NOON + week) == both
    assert both.recent(NOON + week + timedelta(seconds=1)).by_marketplace.keys() == {CANADA}


# What is shown of it --------------------------------------------------------------------------------------------------


def an_incident(code: Any = "fieldsVanished", **fields: Any) -> Incident:
    return Incident(code=code, since=NOON, evidence="Of the latest 10 orders ...", **fields)


def test_an_incident_that_is_told_again_keeps_since_when_and_takes_the_new_evidence() -> None:
    later = an_incident().model_copy(update={"since": NOON + timedelta(hours=1), "evidence": "worse"})
    (told,) = Incidents().opened(an_incident()).opened(later).incidents
    assert (told.since, told.evidence) == (NOON, "worse")


def test_incidents_are_closed_by_their_cause() -> None:
    both = Incidents().opened(an_incident("accessDenied")).opened(an_incident("quotaExhausted"))
    assert [one.code for one in both.closed("accessDenied", "amazonUnavailable").incidents] == ["quotaExhausted"]
    assert not both.closed("accessDenied", "quotaExhausted")


def test_an_order_that_lacks_what_has_vanished_names_the_incident() -> None:
    incidents = Incidents().opened(an_incident(fields={US: ("email",)}))
    assert incidents.cause_of(US, ["firstName", "email"]) == "fieldsVanished"
    assert incidents.cause_of(US, ["firstName"]) is None
    assert incidents.cause_of(CANADA, ["email"]) is None
    assert incidents.cause_of(None, ["email"]) is None
    assert Incidents().cause_of(US, ["email"]) is None


def test_the_evidence_counts_orders_and_names_no_person() -> None:
    arrivals = arrived(*[False] * 4, *[True] * 8)
    assert evidence_of({US: ("email",)}, arrivals) == f"Of the latest 12 orders of {US}, missing: email on 8."
    assert evidence_of({"": ("email",)}, Arrivals()) == "Of the latest 0 orders of no marketplace, missing: email on 0."


# Quota ----------------------------------------------------------------------------------------------------------------


def test_downloads_are_far_behind_after_two_hours_until_they_have_made_up_one() -> None:
    assert is_far_behind(NOON - timedelta(hours=2, seconds=1), NOON, is_open=False)
    assert not is_far_behind(NOON - timedelta(hours=2), NOON, is_open=False)
    assert is_far_behind(NOON - timedelta(hours=1, seconds=1), NOON, is_open=True)
    assert not is_far_behind(NOON - timedelta(hours=1), NOON, is_open=True)

"""When the connection is at fault and not the orders, and what orders show about its roles."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from needs_attention.integrations.arrivals import (
    LATEST,
    Arrival,
    Arrivals,
    MarketplaceArrivals,
    arriving,
    evidence_of,
    filled_gaps,
    vanished_fields,
)
from needs_attention.integrations.integration_settings import (
    IntegrationSettings,
    MarketplaceChecks,
    MarketplaceSettings,
)
from needs_attention.orders.settings import Checks
from needs_attention.values.model import read_stored
from tools.builders import NOON, an_address, an_amazon_order, an_fba_order

US, CANADA = "ATVPDKIKX0DER", "A2EUQ1WTGCTBG2"
BY_DEFAULT = IntegrationSettings()
NOTHING: dict[str, tuple[str, ...]] = {}


def arrived(*lacks_email: bool, start: int = 0, settings: IntegrationSettings = BY_DEFAULT, **fields: Any) -> Arrivals:
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


def test_a_marketplace_with_complete_orders_is_not_affected() -> None:
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
def test_orders_without_a_claim_to_personal_data_do_not_count(order: Any) -> None:
    assert Arrivals().with_orders([order], BY_DEFAULT, NOON).by_marketplace == {}


def test_a_check_that_is_switched_off_makes_no_incident() -> None:
    assert vanished(arrived(*[True] * 10, settings=IntegrationSettings(checks=Checks(email=False)))) == {}


def test_a_name_of_one_word_and_a_wish_to_cancel_have_not_vanished() -> None:
    assert vanished(arrived(*[False] * 10, recipient_name="Cher", cancel_requested_by_buyer=True)) == {}


def test_a_lost_role_shows_in_all_its_fields() -> None:
    bare = arrived(*[True] * 10, recipient_name=None, buyer_name=None, delivery_address=an_address(line1=None))
    assert vanished(bare) == {US: ("billingAddress", "deliveryAddress", "email", "firstName", "lastName")}


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


WITHOUT_EMAIL_IN_THE_US = IntegrationSettings(
    marketplaces={US: MarketplaceSettings(checks=MarketplaceChecks(email=False, delivery_address=False))}
)


def test_a_check_counts_only_in_the_marketplaces_where_it_is_on() -> None:
    orders = [an_amazon_order(order_id=one, marketplace_id=one, buyer_email=None) for one in (US, CANADA)]
    latest = Arrivals().with_orders(orders, WITHOUT_EMAIL_IN_THE_US, NOON)
    assert latest.by_marketplace[US][0].lacks == ()
    assert latest.by_marketplace[CANADA][0].lacks == ("email",)
    filled = [(before, before.model_copy(update={"buyer_email": "ada@example.com"})) for before in orders]
    assert filled_gaps(filled, WITHOUT_EMAIL_IN_THE_US) == {US: frozenset(), CANADA: {"email"}}


def test_the_role_is_told_by_the_checks_that_are_on_in_the_marketplace() -> None:
    lacks = (Arrival(order="1", at=NOON, lacks=("billingAddress",)),)
    arrivals = Arrivals(by_marketplace={US: lacks, CANADA: lacks})
    (us, canada) = arriving(arrivals, [US, CANADA], WITHOUT_EMAIL_IN_THE_US)
    assert (us.shipping_role, canada.shipping_role) == ("unknown", "granted")


def test_an_incident_stays_open_while_too_few_orders_come_to_tell() -> None:
    assert vanished(arrived(True, False), {US: ("email",)}) == {US: ("email",)}


def test_orders_that_opened_an_incident_do_not_open_it_again() -> None:
    canadas = [an_amazon_order(order_id="702-1", marketplace_id=CANADA)]
    both = arrived(*[True] * 10).with_orders(canadas, BY_DEFAULT, NOON)
    assert both.once_back({US: {"email"}, CANADA: set()}, gone=()).by_marketplace.keys() == {CANADA}


def test_the_end_of_one_field_leaves_the_evidence_of_another() -> None:
    nameless = arrived(*[True] * 10, recipient_name=None, buyer_name=None)
    after = nameless.once_back({US: {"email"}}, gone=[US])
    assert vanished(after) == {US: ("firstName", "lastName")}


def test_after_a_week_of_silence_nothing_is_known_of_a_marketplace() -> None:
    week = timedelta(days=7)
    canadas = [an_amazon_order(order_id="702-1", marketplace_id=CANADA)]
    both = arrived(*[True] * 10).with_orders(canadas, BY_DEFAULT, NOON + week / 2)
    assert both.recent(NOON + week) == both
    assert both.recent(NOON + week + timedelta(seconds=1)).by_marketplace.keys() == {CANADA}


def test_the_evidence_counts_orders_and_names_no_person() -> None:
    arrivals = arrived(*[False] * 4, *[True] * 8)
    assert evidence_of({US: ("email",)}, arrivals) == f"Of the latest 12 orders of {US}, missing: email on 8."
    assert evidence_of({"": ("email",)}, Arrivals()) == "Of the latest 0 orders of no marketplace, missing: email on 0."


# Status and channel: the fulfillment ----------------------------------------------------------------------------------

UNKNOWN: dict[str, dict[str, Any]] = {
    "no dataset": {"fulfillment_status": None, "fulfilled_by": None},
    "no status": {"fulfillment_status": None},
    "a new status": {"fulfillment_status": "ON_HOLD"},
    "no channel": {"fulfilled_by": None},
    "a new channel": {"fulfilled_by": "DRONE"},
    "partly shipped, no channel": {"fulfillment_status": "PARTIALLY_SHIPPED", "fulfilled_by": None},
}
KNOWN: dict[str, dict[str, Any]] = {
    "unshipped": {},
    "shipped": {"fulfillment_status": "SHIPPED"},
    "cancelled": {"fulfillment_status": "CANCELLED"},
    "pending": {"fulfillment_status": "PENDING"},
    "fulfilled by Amazon": {"fulfilled_by": "AMAZON"},
}
GONE = {US: ("fulfillmentUnknown",)}


def after(*groups: tuple[int, Mapping[str, Any]], before: Arrivals | None = None) -> Arrivals:
    """Orders one after another: so many of each kind. Their IDs differ within these groups."""
    kinds = [fields for number, fields in groups for _ in range(number)]
    orders = [an_amazon_order(**{"order_id": f"702-{number:07}", **fields}) for number, fields in enumerate(kinds)]
    return (before or Arrivals()).with_orders(orders, BY_DEFAULT, NOON)


@pytest.mark.parametrize("fields", UNKNOWN.values(), ids=UNKNOWN)
def test_orders_without_a_known_status_or_channel_are_one_cause(fields: dict[str, Any]) -> None:
    assert vanished(after((10, fields))) == GONE
    assert vanished(after((9, fields))) == {}
    assert vanished(after((30, {}), (25, fields))) == {}
    assert vanished(after((30, {}), (26, fields))) == GONE


def test_an_order_of_unknown_fulfillment_blames_no_role() -> None:
    stripped = {"buyer_name": None, "buyer_email": None, "recipient_name": None, "delivery_address": None}
    bare = after((10, UNKNOWN["no dataset"] | stripped))
    assert vanished(bare) == GONE
    assert {one.lacks for one in bare.by_marketplace[US]} == {("fulfillmentUnknown",)}


def test_an_order_of_unknown_fulfillment_does_not_show_that_a_role_is_back() -> None:
    known = {US: ("email",)}
    both = {US: ("email", "fulfillmentUnknown")}
    arrivals = after((10, {"buyer_email": None}), (11, UNKNOWN["no status"]))
    assert vanished(arrivals, known) == vanished(arrivals) == both


def test_an_order_that_came_back_is_no_fault_of_the_connection() -> None:
    assert vanished(after((10, {"came_back_from": "shipped"}))) == {}


@pytest.mark.parametrize(
    "fields",
    [
        {"fulfillment_status": "SHIPPED", "fulfilled_by": None},
        {"fulfillment_status": "CANCELLED", "fulfilled_by": None},
        {"fulfillment_status": "PENDING", "fulfilled_by": None},
        {"fulfillment_status": None, "fulfilled_by": "AMAZON"},
    ],
    ids=["shipped", "cancelled", "pending", "fulfilled by Amazon"],
)
def test_an_order_known_not_to_be_sent_tells_nothing(fields: dict[str, Any]) -> None:
    waiting = after((10, UNKNOWN["no status"]))
    others = [an_amazon_order(order_id=f"703-{number}", **fields) for number in range(3)]
    assert waiting.with_orders(others, BY_DEFAULT, NOON) == waiting


@pytest.mark.parametrize("fields", KNOWN.values(), ids=KNOWN)
def test_fulfillment_is_known_again_after_three_orders_of_any_status(fields: dict[str, Any]) -> None:
    for unknown in (UNKNOWN["no dataset"], UNKNOWN["a new status"]):
        assert vanished(after((12, unknown), (2, fields)), GONE) == GONE
        assert vanished(after((12, unknown), (3, fields)), GONE) == {}
        assert vanished(after((12, unknown), (3, fields), (1, unknown)), GONE) == GONE


@pytest.mark.parametrize("fields", KNOWN.values(), ids=KNOWN)
def test_fulfillment_is_known_again_once_amazon_tells_it_of_one_order(fields: dict[str, Any]) -> None:
    for unknown in UNKNOWN.values():
        assert filled_gaps([(an_amazon_order(**unknown), an_amazon_order(**fields))], BY_DEFAULT) == {
            US: {"fulfillmentUnknown"}
        }


def test_another_unknown_status_does_not_make_fulfillment_known() -> None:
    before, later = (an_amazon_order(**UNKNOWN[kind]) for kind in ("no dataset", "a new status"))
    assert filled_gaps([(before, later)], BY_DEFAULT) == {US: frozenset()}


def test_only_orders_that_may_be_to_send_open_an_incident_of_fulfillment() -> None:
    shipped, unknown = KNOWN["shipped"], UNKNOWN["a new status"]
    assert vanished(after((40, shipped), (10, unknown), (40, shipped), (1, unknown))) == GONE


def test_an_order_of_unknown_fulfillment_that_is_known_now_does_not_count() -> None:
    waiting = after((10, UNKNOWN["no status"]))
    assert vanished(after((1, KNOWN["shipped"]), before=waiting)) == {}
    assert vanished(after((1, UNKNOWN["a new status"]), before=waiting)) == GONE


def test_orders_not_to_be_sent_are_noted_only_while_fulfillment_is_unknown() -> None:
    known = after((1, {}))
    assert after((5, KNOWN["shipped"]), before=known) == known
    noted = after((LATEST, {}), (1, UNKNOWN["no status"]), (5, KNOWN["shipped"])).by_marketplace[US]
    assert [(one.is_to_send, one.lacks) for one in noted][-5:] == [
        (True, ()),
        (False, ("fulfillmentUnknown",)),
        *[(False, ())] * 3,
    ]
    assert len(noted) == LATEST + 3


def test_what_an_order_lacked_while_it_was_to_be_sent_counts_once_it_is_sent() -> None:
    nameless = after((1, {"buyer_email": None}), (1, UNKNOWN["no status"]))
    noted = after((1, KNOWN["shipped"]), before=nameless).by_marketplace[US]
    assert [(one.is_to_send, one.lacks) for one in noted] == [
        (True, ("email",)),
        (False, ("fulfillmentUnknown",)),
        (False, ()),
    ]


def test_a_field_that_an_order_has_no_claim_to_is_not_filled() -> None:
    nameless = an_amazon_order(buyer_email=None)
    for later in (an_fba_order(), an_amazon_order(buyer_email=None, **UNKNOWN["no dataset"])):
        assert filled_gaps([(nameless, later)], BY_DEFAULT) == {US: frozenset()}


def test_the_end_of_unknown_fulfillment_keeps_the_incident_of_a_role() -> None:
    known = {US: ("email", "fulfillmentUnknown")}
    unknown = after((LATEST, UNKNOWN["no dataset"]), (3, KNOWN["shipped"]))
    assert vanished(unknown, known) == {US: ("email",)}
    left = unknown.once_back({US: {"fulfillmentUnknown"}}, gone=[US])
    assert vanished(after((1, {}), before=left), {US: ("email",)}) == {US: ("email",)}


def test_the_evidence_counts_orders_that_may_be_to_send() -> None:
    arrivals = after((3, {"buyer_email": None}), (9, UNKNOWN["no status"]), (2, KNOWN["shipped"]))
    assert evidence_of({US: ("email", "fulfillmentUnknown")}, arrivals) == (
        f"Of the latest 12 orders of {US}, missing: email on 3, fulfillmentUnknown on 9."
    )


def test_arrivals_that_the_release_before_stored_are_orders_to_send() -> None:
    stored = f'{{"byMarketplace":{{"{US}":[{{"order":"1f","at":"2026-11-23T12:00:00Z","lacks":["email"]}}]}}}}'
    assert read_stored(Arrivals, stored).by_marketplace[US] == (
        Arrival(order="1f", at=NOON, lacks=("email",), is_to_send=True),
    )


DAY = timedelta(days=1)


def told(*lacks: tuple[str, ...], checks: Checks | None = None) -> MarketplaceArrivals:
    """The findings from the marketplace's orders that lacked these fields."""
    latest = tuple(Arrival(order=str(n), at=NOON - n * DAY, lacks=fields) for n, fields in enumerate(lacks))
    arrivals = Arrivals(by_marketplace={US: latest[::-1]})
    (us, canada) = arriving(arrivals, [US, CANADA], IntegrationSettings(checks=checks or Checks()))
    assert (canada.marketplace_id, canada.orders, canada.shipping_role) == (CANADA, 0, "unknown")
    return us


def test_each_field_that_is_lacking_is_counted_among_the_latest_orders() -> None:
    us = told((), ("email",), ("deliveryAddress", "email"))
    assert (us.orders, us.latest_at) == (3, NOON)
    assert us.lacking == {"deliveryAddress": 1, "email": 2}


@pytest.mark.parametrize(
    ("lacks", "role"),
    [
        ([()], "granted"),
        ([("email",), ("email", "deliveryAddress")], "granted"),
        ([("email", "deliveryAddress")], "notSeen"),
        ([], "unknown"),
    ],
)
def test_the_shipping_role_is_granted_where_one_of_its_fields_has_come(lacks: list[tuple[str, ...]], role: str) -> None:
    assert told(*lacks).shipping_role == role


def test_an_order_of_unknown_fulfillment_tells_nothing_of_the_role() -> None:
    unknown = after((2, UNKNOWN["no status"]), (1, KNOWN["shipped"]))
    both = after((1, {"buyer_email": None}), before=unknown)
    (us,) = arriving(unknown, [US], IntegrationSettings())
    assert (us.orders, us.lacking, us.shipping_role) == (2, {"fulfillmentUnknown": 2}, "unknown")
    (us,) = arriving(both, [US], IntegrationSettings(checks=Checks(delivery_address=False)))
    assert (us.orders, us.lacking, us.shipping_role) == (2, {"email": 1, "fulfillmentUnknown": 1}, "notSeen")


def test_a_check_that_is_off_tells_nothing_of_the_role() -> None:
    without_email = Checks(email=False)
    assert told(("deliveryAddress",), checks=without_email).shipping_role == "notSeen"
    assert told((), checks=Checks(email=False, delivery_address=False)).shipping_role == "unknown"

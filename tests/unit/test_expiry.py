"""What arrives through a connection, and the dates that end it."""

from datetime import timedelta

import pytest

from needs_attention.integrations.arrivals import Arrival, Arrivals, MarketplaceArrivals, arriving
from needs_attention.integrations.expiry import Expiry
from needs_attention.orders.settings import Checks
from tools.builders import NOON

US, CANADA = "ATVPDKIKX0DER", "A2EUQ1WTGCTBG2"
DAY = timedelta(days=1)


def told(*lacks: tuple[str, ...], checks: Checks | None = None) -> MarketplaceArrivals:
    """What the marketplace's orders tell that lacked these fields."""
    latest = tuple(Arrival(order=str(n), at=NOON - n * DAY, lacks=fields) for n, fields in enumerate(lacks))
    arrivals = Arrivals(by_marketplace={US: latest[::-1]})
    (us, canada) = arriving(arrivals, [US, CANADA], checks or Checks())
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


def test_a_check_that_is_off_tells_nothing_of_the_role() -> None:
    without_email = Checks(email=False)
    assert told(("deliveryAddress",), checks=without_email).shipping_role == "notSeen"
    assert told((), checks=Checks(email=False, delivery_address=False)).shipping_role == "unknown"


def test_a_client_secret_ends_after_180_days_and_a_consent_after_365() -> None:
    assert Expiry.of("clientSecret", NOON, NOON).at == NOON + 180 * DAY
    assert Expiry.of("consent", NOON, NOON).at == NOON + 365 * DAY


def test_people_are_warned_thirty_days_before_the_end() -> None:
    almost = NOON + 150 * DAY - timedelta(seconds=1)
    assert not Expiry.of("clientSecret", NOON, almost).is_soon
    assert Expiry.of("clientSecret", NOON, NOON + 150 * DAY).is_soon
    assert Expiry.of("clientSecret", NOON, NOON + 200 * DAY).is_soon

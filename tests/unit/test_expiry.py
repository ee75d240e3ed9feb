"""The dates on which credentials end."""

from datetime import timedelta

from needs_attention.integrations.expiry import Expiry
from tools.builders import NOON

DAY = timedelta(days=1)


def test_a_client_secret_ends_after_180_days_and_a_consent_after_365() -> None:
    assert Expiry.of("clientSecret", NOON, NOON).at == NOON + 180 * DAY
    assert Expiry.of("consent", NOON, NOON).at == NOON + 365 * DAY


def test_people_are_warned_thirty_days_before_the_end() -> None:
    almost = NOON + 150 * DAY - timedelta(seconds=1)
    assert not Expiry.of("clientSecret", NOON, almost).is_soon
    assert Expiry.of("clientSecret", NOON, NOON + 150 * DAY).is_soon
    assert Expiry.of("clientSecret", NOON, NOON + 200 * DAY).is_soon

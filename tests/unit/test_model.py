"""Values: frozen, strict, and read from storage tolerantly."""

import pytest
from pydantic import ValidationError

from needs_attention.orders.amazon_order import Money
from needs_attention.orders.settings import Checks, Settings
from needs_attention.values.model import read_stored
from tools.builders import dollars


def test_a_value_that_does_not_know_a_field_says_so() -> None:
    with pytest.raises(ValidationError, match="amuont"):
        Money.model_validate({"amuont": "1.00", "currencyCode": "USD"})


def test_a_value_cannot_be_changed() -> None:
    money = dollars("1.00")

    with pytest.raises(ValidationError, match="frozen"):
        money.amount = "2.00"  # type: ignore[misc]  # that is the point


def test_unknown_stored_fields_are_left_out_at_every_level() -> None:
    stored = '{"autoDispatchOrders": true, "futureSetting": 1, "checks": {"email": false, "futureCheck": true}}'
    assert read_stored(Settings, stored) == Settings(auto_dispatch_orders=True, checks=Checks(email=False))


def test_a_stored_value_of_a_wrong_type_is_an_error() -> None:
    with pytest.raises(ValidationError):
        read_stored(Settings, '{"autoDispatchOrders": "perhaps"}')

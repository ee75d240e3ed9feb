"""Values that come back from a table."""

import pytest
from pydantic import ValidationError

from needs_attention.policy import Checks, Settings
from needs_attention.values import read_stored


def test_what_a_later_version_stored_beside_is_left_out_also_further_down() -> None:
    stored = '{"autoDispatchOrders": true, "futureSetting": 1, "checks": {"email": false, "futureCheck": true}}'
    assert read_stored(Settings, stored) == Settings(auto_dispatch_orders=True, checks=Checks(email=False))


def test_what_is_not_as_it_was_written_is_an_error() -> None:
    with pytest.raises(ValidationError):
        read_stored(Settings, '{"autoDispatchOrders": "perhaps"}')

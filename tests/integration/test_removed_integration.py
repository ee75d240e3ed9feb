"""A removed integration hands nothing over, and a revived one is as closed as it was."""

from typing import Any

import pytest

from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.orders.settings import ThreePlStatus
from tools.in_memory.api import World

LIVE = IntegrationSettings(default_three_pl_status=ThreePlStatus.NOW)
ACME = "/integrations/acme-na"
REGISTRATION = {
    "integrationId": "acme-na",
    "region": "NA",
    "sellerId": "A1EXAMPLESELLER",
    "marketplaceIds": ["ATVPDKIKX0DER"],
    "credentials": {"clientId": "an-id", "clientSecret": "a-client-secret", "refreshToken": "a-token"},
}


def test_a_removed_integration_hands_nothing_over(world: World) -> None:
    world.change_integration(settings=LIVE)
    order = world.download()
    path = f"/orders/{order.order_id}"
    assert world.call("GET", path).body["fulfillable"] is True

    world.call("DELETE", ACME)
    assert world.call("GET", path).body["fulfillable"] is False
    assert world.call("GET", "/orders", role="warehouse").body["orders"] == []
    answer = world.call("POST", f"{path}/acknowledge", role="warehouse")
    assert (answer.status, answer.body["code"]) == (409, "frozen")
    assert world.order() == order


def test_a_revived_integration_hands_over_again(world: World) -> None:
    world.change_integration(settings=LIVE)
    order = world.download()
    world.call("DELETE", ACME)
    world.call("POST", "/integrations", REGISTRATION)
    assert world.call("POST", f"/orders/{order.order_id}/acknowledge", role="warehouse").status == 200


@pytest.mark.parametrize("closed", [{"is_frozen": True}, {"is_paused": True}])
def test_a_revived_integration_stays_frozen_or_paused(world: World, closed: dict[str, Any]) -> None:
    world.change_integration(**closed)
    world.call("DELETE", ACME)
    answer = world.call("POST", "/integrations", REGISTRATION)
    shown = {"is_frozen": answer.body["isFrozen"], "is_paused": answer.body["isPaused"]}
    assert shown == {"is_frozen": False, "is_paused": False} | closed
    stored = world.integrations.get("acme-na")
    assert stored is not None
    assert (stored.is_frozen, stored.is_paused, stored.deleted_at) == (shown["is_frozen"], shown["is_paused"], None)

"""The integration that every local stack has: `demo`, a seller in North America."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic.alias_generators import to_camel

from tools.amazon_stand_in.login_with_amazon import Credentials
from tools.amazon_stand_in.marketplaces import marketplaces_of
from tools.amazon_stand_in.notifications_api import SELLER_ID
from tools.local_stack.api import call
from tools.local_stack.expectations import Unexpected
from tools.local_stack.stack import Stack

INTEGRATION = "demo"
DAYS_BACK = 30
# The stand-in's, which begin as Amazon's do: an Amazon named by SP_API_ENDPOINT gets the same.
CREDENTIALS = Credentials()


def registration(settings: Mapping[str, object] | None = None) -> dict[str, Any]:
    """The body of `POST /integrations`; `settings` are those that differ from the defaults."""
    start = datetime.now(UTC) - timedelta(days=DAYS_BACK)
    return {
        "integrationId": INTEGRATION,
        "name": "Demo shop",
        "region": "NA",
        "sellerId": SELLER_ID,
        "marketplaceIds": [marketplace.marketplace_id for marketplace in marketplaces_of("NA")],
        "credentials": {to_camel(name): value for name, value in asdict(CREDENTIALS).items()},
        "settings": {"downloadOrdersUpdatedAfter": start.isoformat(), **(settings or {})},
    }


def register(stack: Stack) -> bool:
    """Registers it as the administrator; False if it is there already, from an earlier `make up`."""
    answer = call(stack, "administrator", "POST", "/integrations", registration())
    if answer.status not in {201, 409}:
        raise Unexpected(f"Registering the integration {INTEGRATION} was answered with {answer.status}: {answer.body}")
    return answer.status == 201

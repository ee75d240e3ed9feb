"""What a request names by its ID: an order with its surroundings, integrations. Raises if it is not there."""

from collections.abc import Collection
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from needs_attention.api.problems import FieldError, invalid, not_found
from needs_attention.integrations.integration import Integration
from needs_attention.integrations.surroundings import Surroundings
from needs_attention.orders.order import Order
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.orders import OrderStore
from needs_attention.values.fields import SEVERAL

# A call reads or writes something of each of them, one after another.
MOST_INTEGRATIONS_AT_ONCE = 100
SearchedText = Annotated[str, StringConstraints(min_length=1, max_length=100)]
IntegrationNames = Annotated[tuple[SearchedText, ...], SEVERAL, Field(max_length=MOST_INTEGRATIONS_AT_ONCE)]


def existing_order(orders: OrderStore, order_id: str) -> Order:
    """The order as it is now. Raises a 404."""
    order = orders.get(order_id)
    if order is None:
        raise not_found("order")
    return order


def around(order: Order, integrations: SettingsStore) -> Surroundings:
    """The order's surroundings. No integration is ever removed for good, so an order without one is our fault."""
    surroundings = integrations.surroundings(order.integration)
    if surroundings is None:
        raise LookupError(order.integration)
    return surroundings


def existing_integration(integrations: SettingsStore, integration_id: str) -> Integration:
    """Raises a 404 for an integration that does not exist, or was removed."""
    integration = integrations.get(integration_id)
    if integration is None or integration.deleted_at:
        raise not_found("integration")
    return integration


def check_all_known(
    names: Collection[str], found: Collection[str], integrations: SettingsStore, *, status: Literal[400, 422]
) -> None:
    """Raises a problem of that status if one of the named integrations is not among those found."""
    if unknown := [one for one in names if one not in found]:
        message = f"{unknown[0]} is not known; {_known(integrations)}"
        raise invalid([FieldError("integration", "unknownIntegration", message)], status=status)


def _known(integrations: SettingsStore) -> str:
    """Says which integrations a request may name. People see to the orders of deleted ones too, but seldom."""
    first = integrations.page(MOST_INTEGRATIONS_AT_ONCE + 1)
    if len(first.ids) > MOST_INTEGRATIONS_AT_ONCE:
        return "GET /integrations lists those that are"
    return f"allowed are {', '.join(one.integration_id for one in first.readable if one.deleted_at is None)}"

"""What a request names by its ID: an order with its surroundings, an integration. Raises a 404 if it is not there."""

from needs_attention.api.problems import not_found
from needs_attention.integrations.integration import Integration
from needs_attention.integrations.surroundings import Surroundings
from needs_attention.orders.order import Order
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.orders import OrderStore


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

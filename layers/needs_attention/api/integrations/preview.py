"""A preview of other settings: what they would change about the present orders. Nothing is written."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypedDict

from needs_attention.integrations.integration import Integration
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.integrations.stages import Stage
from needs_attention.orders.verdict import judged
from needs_attention.tables.orders import OrderStore, Page

# Of each Stage: enough to see what a check would do, and few enough for one call.
MOST_LOOKED_AT = 300


class SettingsPreview(TypedDict):
    """How many of the checked orders other settings would hold or let go."""

    orders: int
    wouldBeHeld: int
    wouldBeLetGo: int
    isTruncated: bool


def preview(
    orders: OrderStore, integration: Integration, settings: IntegrationSettings, stages: Iterable[Stage], now: datetime
) -> SettingsPreview:
    """Judges the orders by the integration's settings and by the other ones."""
    looked_at = would_be_held = would_be_let_go = 0
    is_truncated = False
    for stage in stages:
        found = orders.find_by_stage(integration.integration_id, stage.id, Page(MOST_LOOKED_AT))
        is_truncated = is_truncated or found.position is not None
        for order in orders.get_many(summary.order_id for summary in found.summaries).values():
            was_held = judged(order, integration.settings.of(order.amazon.marketplace_id), now).is_held
            is_held = judged(order, settings.of(order.amazon.marketplace_id), now).is_held
            looked_at += 1
            would_be_held += is_held and not was_held
            would_be_let_go += was_held and not is_held
    return {
        "orders": looked_at,
        "wouldBeHeld": would_be_held,
        "wouldBeLetGo": would_be_let_go,
        "isTruncated": is_truncated,
    }

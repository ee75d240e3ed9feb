"""What other settings would change of the orders that are there: asked before they are set, and written nowhere."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from needs_attention.integrations.integration import Integration
from needs_attention.integrations.stages import Stage
from needs_attention.orders.settings import Settings
from needs_attention.orders.verdict import judged
from needs_attention.tables.orders import OrderStore, Page

# Of each Stage; enough to see what a check would do, and little enough for one call.
MOST_LOOKED_AT = 300


class Preview(NamedTuple):
    """How many orders were looked at, how many of them would be held or let go, and whether there are more."""

    orders: int
    would_be_held: int
    would_be_let_go: int
    is_truncated: bool


def preview(
    orders: OrderStore, integration: Integration, settings: Settings, stages: Iterable[Stage], now: datetime
) -> Preview:
    """Judges the orders by the integration's settings, and by the other ones."""
    looked_at = would_be_held = would_be_let_go = 0
    is_truncated = False
    for stage in stages:
        found = orders.find_by_stage(integration.integration_id, stage.id, Page(MOST_LOOKED_AT))
        is_truncated = is_truncated or found.position is not None
        for order in orders.get_many(summary.order_id for summary in found.summaries).values():
            was_held = judged(order, integration.settings, now).hold is not None
            is_held = judged(order, settings, now).hold is not None
            looked_at += 1
            would_be_held += is_held and not was_held
            would_be_let_go += was_held and not is_held
    return Preview(looked_at, would_be_held, would_be_let_go, is_truncated)

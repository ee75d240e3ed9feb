"""An order with a newer answer of Amazon merged into it."""

from datetime import datetime

from needs_attention.orders.amazon_order import AmazonOrder, UnreadableOrder
from needs_attention.orders.order import TIME_IS_OVER, Order
from needs_attention.orders.settings import Settings
from needs_attention.orders.verdict import judged
from needs_attention.values.model import differing


def downloaded(
    before: Order | None, amazon: AmazonOrder, integration: str, settings: Settings, at: datetime
) -> Order | None:
    """The order with what Amazon sent on it and its verdict pending; None if that is nothing new.

    Where nothing but Amazon's time of the update is new, and the integration's `settings` would have it judged the
    same, the verdict stands: the order is not stopped for nothing, and not written twice.

    An older version never wins. The same `lastUpdatedTime` with new content does: a role was granted. Absence never
    erases. A redacted order is never filled again, and one whose time is over when it arrives is stored redacted.
    Raises UnreadableOrder if the order belongs to another integration, or is far too large with what is kept of it.
    """
    if before is None:
        order = Order.first_seen(integration, amazon, at)
        overdue = order.redact_at is not None and order.redact_at <= at
        bare = {"amazon": amazon.redacted(), "redacted_at": at, "redaction": TIME_IS_OVER}
        return order.with_(**bare) if overdue else order
    if before.integration != integration:
        raise UnreadableOrder(amazon.order_id, "belongs to another integration")
    if amazon.updated_at < before.amazon.updated_at:
        return None
    merged = before.amazon.updated_with(amazon)
    merged = merged.redacted() if before.redacted_at else merged
    if merged == before.amazon:
        return None
    after = before.with_(amazon=merged.that_can_be_kept(), downloaded_at=at)
    is_touched = differing(before.amazon, merged) == {"updated_at"}
    stands = is_touched and judged(after, settings, at).says_the_same_as(after)
    return after if stands else after.with_(pending_since=at)

"""Merges an answer of Amazon's into the stored order: the only way in which Amazon's facts change."""

from datetime import datetime

from needs_attention.orders.amazon_order import AmazonOrder, UnreadableOrder
from needs_attention.orders.earlier_release import in_the_form_of_now, still_let_go_without
from needs_attention.orders.edits import news_for
from needs_attention.orders.order import TIME_IS_OVER, Order
from needs_attention.orders.settings import Settings
from needs_attention.orders.verdict import judged
from needs_attention.values.model import differing

# The time of Amazon's update, and what only the removal of personal data goes by.
_OF_NO_VERDICT = {"updated_at", "deliver_by_earliest", "delivered_at"}


def downloaded(
    before: Order | None, amazon: AmazonOrder, integration: str, settings: Settings, at: datetime
) -> Order | None:
    """The order with Amazon's answer merged into it and its verdict pending; None if nothing is new.

    The verdict stands if nothing that it goes by is new and `settings` lead to the same verdict. So the order
    is not stopped for nothing, and not written twice.

    An older version never wins. New content under the same `lastUpdatedTime` does: a role was granted. Absence never
    erases. A redacted order is never filled again, and an order that arrives after its time is stored redacted.
    Raises UnreadableOrder if the order belongs to another integration, or is too large once merged.
    """
    if before is None:
        order = Order.first_seen(integration, amazon, at)
        overdue = order.redact_at is not None and order.redact_at <= at
        bare = {"amazon": amazon.redacted(), "redacted_at": at, "redaction": TIME_IS_OVER}
        return order.with_(**bare) if overdue else order
    if before.integration != integration:
        reason = f"belongs to the integration {before.integration}: if that has the same seller, merge the two"
        raise UnreadableOrder(amazon.order_id, reason)
    if amazon.updated_at < before.amazon.updated_at:
        return None
    merged = before.amazon.updated_with(amazon)
    merged = merged.redacted() if before.redacted_at else merged
    if merged == before.amazon or (merged := merged.that_can_be_kept()) == before.amazon:
        return None
    before = in_the_form_of_now(before, settings)
    news = news_for(before.edits, before.amazon, merged, before.news, is_held=before.is_held)
    after = before.with_(
        amazon=merged,
        downloaded_at=at,
        news=tuple(sorted(news)),
        let_go_without=still_let_go_without(before, merged),
    )
    is_touched = differing(before.amazon, merged) <= _OF_NO_VERDICT
    stands = is_touched and judged(after, settings, at).says_the_same_as(after)
    return after if stands else after.with_(pending_since=at)

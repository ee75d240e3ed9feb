"""The fields that an order lacks, judged on what people see. Every missing field is listed, not only the first."""

from needs_attention.orders.amazon_order import AmazonOrder
from needs_attention.orders.checks import CHECKS
from needs_attention.orders.edits import Edits, units_changed_at_amazon
from needs_attention.orders.effective import seen
from needs_attention.orders.order import Missing
from needs_attention.orders.settings import Settings


def find_missing(amazon: AmazonOrder, edits: Edits, settings: Settings) -> tuple[Missing, ...]:
    """Everything that keeps the order from leaving: first the gaps, then the edited units that Amazon changed.

    Each of the two is in the order of the checks. A field that a person confirmed as unavailable counts as filled.
    """
    view = seen(amazon, edits, settings)
    checks = CHECKS if not amazon.is_fulfilled_by_amazon else [one for one in CHECKS if one.applies_to_orders_of_amazon]
    missing = [
        Missing(field=check.field, reason=gap.reason, parts=gap.parts)
        for check in checks
        if check.is_on(settings.checks) and check.field not in edits.confirmed
        if (gap := check.find(view, amazon, settings))
    ]
    listed = {item.field for item in missing}
    changed = units_changed_at_amazon(edits, amazon)
    missing += [
        Missing(field=check.field, reason="changedAtAmazon")
        for check in checks
        if check.unit in changed and check.field not in listed
    ]
    return tuple(missing)

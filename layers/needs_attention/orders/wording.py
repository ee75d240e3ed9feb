"""Plain words for people: the message and the next step for each missing field, and the order's page at Amazon."""

from pydantic.alias_generators import to_camel

from needs_attention.orders.checks import CHECK_OF, CONFIRMABLE
from needs_attention.orders.edits import Edits, Unit
from needs_attention.orders.marketplaces import MARKETPLACES
from needs_attention.orders.order import DIFFERS, Missing, Order
from needs_attention.values.times import instant

_PARTS = {
    "addressLine1": "street",
    "city": "city",
    "stateOrRegion": "state",
    "postalCode": "postal code",
    "countryCode": "country",
}
REASONS = {
    "blank": "The order has no {field}.",
    "singleWord": "The name is a single word, so there is no {field}.",
    "notAnAddress": "The {field} is not valid.",
    "incomplete": "The {field} has no {parts}.",
    "buyerIsNotRecipient": "Amazon sent no {field}, and the delivery address belongs to another person.",
    "noProduct": "A line item has neither SKU nor ASIN, or no quantity.",
    "differsFromAmazon": "Amazon says another {field} than was typed here.",
    "asked": "The buyer asked Amazon to cancel the order.",
    "unknownStatus": "Amazon does not say whether the order was shipped already, or who fulfils it.",
    "cameBack": "Amazon called the order shipped or its own, and now calls it neither.",
}
_STEPS = {
    "unknownStatus": "Look in Seller Central. If it is yours to send and not shipped, confirm `fulfillmentUnknown`.",
    "cameBack": "Look in Seller Central. If it is yours to send and not shipped, confirm `fulfillmentUnknown`.",
    "asked": "Cancel the order in Seller Central, or confirm `buyerRequestedCancel` to send it anyway.",
}


def message_for(missing: Missing) -> str:
    """The missing field and the reason, in one sentence."""
    words = REASONS.get(missing.reason, "The {field} is not in order.")
    field = CHECK_OF[missing.field].words if missing.field in CHECK_OF else missing.field
    parts = " and no ".join(_PARTS.get(part, part) for part in missing.parts)
    return words.format(field=field, parts=parts)


def next_step_for(missing: Missing, order: Order, hidden_by: Unit | None) -> str:
    """What a person can do about it, and when Amazon is asked again.

    `hidden_by`: the typed unit that hides Amazon's data, which has the field by now (`completeness.hidden_by_typing`).
    """
    unit = CHECK_OF[missing.field].unit if missing.field in CHECK_OF else None
    if missing.reason == DIFFERS and unit:
        return (
            f"Compare both: type the right one, keep the typed one with `keepTyped` (`{to_camel(unit)}`), or send null "
            f"for {_typed_fields(unit, order.edits)} to take Amazon's."
        )
    if hidden_by:
        return (
            f"Amazon has all of the {hidden_by.replace('_', ' ')} by now: send null for "
            f"{_typed_fields(hidden_by, order.edits)} to take Amazon's. Or type in here what is missing."
        )
    if missing.reason in _STEPS:
        return _STEPS[missing.reason]
    steps = ["Open the order in Seller Central and type it in here."]
    if missing.field in CONFIRMABLE:
        steps.append(f"If it is unavailable, confirm `{missing.field}`.")
    if order.redownload_at is not None:
        steps.append(f"Or wait: Amazon is asked again at {instant(order.redownload_at)}.")
    return " ".join(steps)


def _typed_fields(unit: Unit, edits: Edits) -> str:
    """The fields of a unit that people typed, by their names in the API."""
    names = [to_camel(part) for part, text in edits.name or () if text is not None] if unit == "name" else []
    return " and ".join(f"`{name}`" for name in names or [to_camel(unit)])


def seller_central_url(order: Order) -> str | None:
    """The order's page in the Seller Central of its marketplace; None if Amazon named none that is known."""
    marketplace = MARKETPLACES.get(order.amazon.marketplace_id or "")
    return marketplace.order_page(order.order_id) if marketplace else None

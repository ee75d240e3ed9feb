"""The fields that an order lacks, judged on what people see. Every missing field is listed, not only the first."""

from collections.abc import Iterable

from needs_attention.orders.amazon_order import AmazonOrder
from needs_attention.orders.checks import CHECK_OF, CHECKS
from needs_attention.orders.edits import UNITS, Edits, Unit, unit_of
from needs_attention.orders.effective import Seen
from needs_attention.orders.order import DIFFERS, Missing
from needs_attention.orders.settings import Settings


def find_missing(amazon: AmazonOrder, edits: Edits, settings: Settings) -> tuple[Missing, ...]:
    """Every gap of the order, in the order of the checks. A field that a person confirmed as unavailable is none."""
    view = Seen(amazon, edits, settings)
    checks = CHECKS if not amazon.is_fulfilled_by_amazon else [one for one in CHECKS if one.applies_to_orders_of_amazon]
    return tuple(
        Missing(field=check.field, reason=gap.reason, parts=gap.parts)
        for check in checks
        if check.is_on(settings.checks) and not check.is_confirmed(amazon, edits)
        if (gap := check.find(view, amazon, settings))
    )


def hidden_by_typing(amazon: AmazonOrder, edits: Edits, settings: Settings) -> dict[str, Unit]:
    """By missing field that Amazon could fill: the typed unit that hides Amazon's data.

    Without that edit nothing is missing in the unit of the field, so Amazon has all of it by now. The typed delivery
    address may hide a billing address that is copied from it. A confirmation fills no gap.
    """
    typed = [unit for unit in UNITS if edits.is_edited(unit)]
    lacking = {item.field for item in find_missing(amazon, edits, settings)} if typed else set()
    hidden: dict[str, Unit] = {}
    for unit in typed if lacking else ():
        bare = edits.with_typed(unit, None, amazon).confirming((), amazon)
        incomplete = {CHECK_OF[item.field].unit for item in find_missing(amazon, bare, settings)}
        hidden |= {field: unit for field in lacking if CHECK_OF[field].unit not in incomplete}
    return hidden


def find_differences(places: Iterable[str], edits: Edits) -> tuple[Missing, ...]:
    """The fields in which Amazon says something else than what was typed, in the order of the checks.

    `places` are those that differ, as `edits.unsettled` answers them; `parts` names them in fields that have parts.
    """
    parts_of: dict[str, list[str]] = {}
    for place in places:
        field, _, part = place.partition(".")
        if unit_of(place) == "name":
            field, part = _field_of_name(edits), "company" if place == "company" else ""
        parts_of.setdefault(field, []).extend([part] if part else [])
    return tuple(
        Missing(field=check.field, reason=DIFFERS, parts=tuple(parts_of[check.field]))
        for check in CHECKS
        if check.field in parts_of
    )


def _field_of_name(edits: Edits) -> str:
    """The one field that stands for a name that differs: Amazon's name is one text."""
    only_first = edits.name is not None and edits.name.first_name is not None and edits.name.last_name is None
    return "firstName" if only_first else "lastName"

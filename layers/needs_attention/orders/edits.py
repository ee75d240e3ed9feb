"""What people typed over Amazon's data."""

from collections import Counter
from collections.abc import Iterable, Set
from typing import Literal

from needs_attention.orders.amazon_order import WHERE, Address, AmazonOrder, LineItem
from needs_attention.values.model import Value


class PersonsName(Value):
    """A name as a person typed it: either part may be blank, and a company needs neither."""

    first_name: str = ""
    last_name: str = ""
    company: str = ""


class AmazonsUnit(Value):
    """What Amazon said of the units when a person edited them, to notice when Amazon changes its mind."""

    name: str | None = None
    email: str | None = None
    delivery_address: Address | None = None
    billing_address: Address | None = None
    line_items: tuple[LineItem, ...] | None = None


Unit = Literal["name", "email", "delivery_address", "billing_address", "line_items"]
UNITS: tuple[Unit, ...] = ("name", "email", "delivery_address", "billing_address", "line_items")


class Edits(Value):
    """What people typed, by unit, what they confirmed to be not to be had, and what Amazon said at that time."""

    name: PersonsName | None = None
    email: str | None = None
    delivery_address: Address | None = None
    billing_address: Address | None = None
    line_items: tuple[LineItem, ...] | None = None
    confirmed: tuple[str, ...] = ()
    amazon_then: AmazonsUnit = AmazonsUnit()

    def is_edited(self, unit: Unit) -> bool:
        return getattr(self, unit) is not None

    def edited(self, unit: Unit, value: object, amazon: AmazonOrder) -> "Edits":
        """With `value` over Amazon's unit, or Amazon's value again if it is None."""
        then = self.amazon_then.model_copy(update={unit: getattr(amazons_units(amazon), unit)})
        return self.model_copy(update={unit: value, "amazon_then": then})


def amazons_units(amazon: AmazonOrder) -> AmazonsUnit:
    """Amazon's present value of every unit that a person can edit."""
    return AmazonsUnit(
        name=amazon.addressee,
        email=amazon.buyer_email,
        delivery_address=amazon.delivery_address,
        billing_address=amazon.tax_address,
        line_items=amazon.line_items,
    )


def units_changed_at_amazon(edits: Edits, amazon: AmazonOrder) -> tuple[Unit, ...]:
    """The edited units in which Amazon now says something else than when they were edited.

    Amazon filling a gap is no change, nor is Amazon falling silent or saying what was typed; altering what it had said
    to something else is.
    """
    now = amazons_units(amazon)
    return tuple(
        unit
        for unit in UNITS
        if edits.is_edited(unit)
        and _contradicts(getattr(edits.amazon_then, unit), getattr(now, unit))
        and _contradicts(getattr(edits, unit), getattr(now, unit))
    )


# What Amazon changed --------------------------------------------------------------------------------------------------
def _contradicts(then: object, now: object) -> bool:
    if isinstance(then, Address) and isinstance(now, Address):
        said = then.given_parts()
        return any(said[part] != text for part, text in now.given_parts().items() if part in said and part in WHERE)
    if isinstance(then, PersonsName):
        return f"{then.first_name} {then.last_name}".split() != str(now).split()
    if isinstance(then, tuple) and isinstance(now, tuple):
        return _lines_contradict(then, now)
    # What was blanked here says something too: that there is none.
    return then is not None and bool(now) and then != now


def _lines_contradict(then: Iterable[LineItem], now: Iterable[LineItem]) -> bool:
    """A line whose SKU was not said can be contradicted in its quantity alone; where no line was, in nothing."""
    unsaid = {line.order_item_id for line in then if line.seller_sku is None}
    said = _to_pick(then, unsaid)
    return bool(said) and said != _to_pick(now, unsaid)


def _to_pick(lines: Iterable[LineItem], unsaid: Set[str | None]) -> Counter[tuple[str | None, str | None, int | None]]:
    return Counter(
        (line.order_item_id, None if line.order_item_id in unsaid else line.seller_sku, line.quantity)
        for line in lines
        if line.quantity
    )

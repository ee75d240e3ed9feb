"""The edits that people lay over Amazon's data, unit by unit, and the changes of Amazon's underneath."""

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
    """Amazon's value of each unit at the time of its edit: a later change of Amazon's shows against it."""

    name: str | None = None
    email: str | None = None
    delivery_address: Address | None = None
    billing_address: Address | None = None
    line_items: tuple[LineItem, ...] | None = None


Unit = Literal["name", "email", "delivery_address", "billing_address", "line_items"]
UNITS: tuple[Unit, ...] = ("name", "email", "delivery_address", "billing_address", "line_items")


class Edits(Value):
    """The typed value of each unit, the fields confirmed as unavailable, and Amazon's values at that time."""

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
        """With `value` over Amazon's unit, or without the edit if it is None."""
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
    """The edited units whose value at Amazon differs from the one at the time of the edit.

    It is no change if Amazon fills a gap, falls silent, or comes to say what was typed.
    """
    now = amazons_units(amazon)
    return tuple(
        unit
        for unit in UNITS
        if edits.is_edited(unit)
        and _contradicts(getattr(edits.amazon_then, unit), getattr(now, unit))
        and _contradicts(getattr(edits, unit), getattr(now, unit))
    )


def _contradicts(then: object, now: object) -> bool:
    if isinstance(then, Address) and isinstance(now, Address):
        said = then.given_parts()
        return any(said[part] != text for part, text in now.given_parts().items() if part in said and part in WHERE)
    if isinstance(then, PersonsName):
        return f"{then.first_name} {then.last_name}".split() != str(now).split()
    if isinstance(then, tuple) and isinstance(now, tuple):
        return _lines_contradict(then, now)
    # A blank edit is a statement too: there is none.
    return then is not None and bool(now) and then != now


def _lines_contradict(then: Iterable[LineItem], now: Iterable[LineItem]) -> bool:
    """Without a known SKU, only a line's quantity can be contradicted; without lines, nothing can."""
    unsaid = {line.order_item_id for line in then if line.seller_sku is None}
    said = _to_pick(then, unsaid)
    return bool(said) and said != _to_pick(now, unsaid)


def _to_pick(lines: Iterable[LineItem], unsaid: Set[str | None]) -> Counter[tuple[str | None, str | None, int | None]]:
    return Counter(
        (line.order_item_id, None if line.order_item_id in unsaid else line.seller_sku, line.quantity)
        for line in lines
        if line.quantity
    )

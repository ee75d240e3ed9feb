"""The order as people see it: which of Amazon's data and which edits show, by unit, and what stands in for a gap."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from needs_attention.orders.addresses import missing_parts
from needs_attention.orders.amazon_order import Address, AmazonOrder, LineItem
from needs_attention.orders.edits import Edits, PersonsName, Unit, laid_over
from needs_attention.orders.names import NameKind, PersonName, has_two_names, split_name
from needs_attention.orders.settings import Settings
from needs_attention.values.text import is_blank

# The sources of the parts.
NameSource = Literal["recipient", "buyer", "edited", "none"]
AmazonsOrEdited = Literal["amazon", "edited"]
BillingSource = Literal["amazonTax", "copiedFromDelivery", "edited", "none"]


class SeenLine(LineItem):
    """A line, the number of units that were ordered, and the number that is left to send; None if nobody can tell.

    `quantity` is the number ordered too, but for a warehouse: it reads the number to send there.
    """

    quantity_ordered: int | None = None
    quantity_to_send: int | None = None


@dataclass(frozen=True)
class Seen:
    """The personal data and lines that are shown: typed parts over Amazon's, part by part, each part with its source.

    Typed lines replace Amazon's. Without data, names are blank, there are no lines, and other parts are None. Each part
    is worked out when it is first asked for: a verdict on a complete order needs no split of its name.
    """

    amazon: AmazonOrder
    edits: Edits
    settings: Settings

    @property
    def first_name(self) -> str:
        return self._name.first

    @property
    def last_name(self) -> str:
        return self._name.last

    @property
    def name_kind(self) -> NameKind:
        return self._name.kind

    @cached_property
    def has_whole_name(self) -> bool:
        """Whether the name has a first and a last name, or is a company's."""
        if self.edits.name is None and has_two_names(self._addressee.name):
            return True
        return self.name_kind == "company" or not (is_blank(self.first_name) or is_blank(self.last_name))

    @property
    def name_source(self) -> NameSource:
        return "edited" if self.edits.is_edited("name") else self._addressee.source

    @property
    def company(self) -> str:
        if self.edits.name is not None and self.edits.name.company is not None:
            return self.edits.name.company
        amazon = self.amazon
        return (amazon.delivery_address and amazon.delivery_address.company_name) or amazon.buyer_company_name or ""

    @property
    def email(self) -> str | None:
        return self.edits.email if self.edits.email is not None else self.amazon.buyer_email

    @property
    def email_source(self) -> AmazonsOrEdited:
        return self._source("email")

    @cached_property
    def delivery_address(self) -> Address | None:
        return laid_over(self.amazon.delivery_address, self.edits.delivery_address)

    @cached_property
    def delivery_lacks(self) -> tuple[str, ...]:
        """The parts that the delivery address lacks, if there is one."""
        return missing_parts(self.delivery_address) if self.delivery_address else ()

    @property
    def delivery_source(self) -> AmazonsOrEdited:
        return self._source("delivery_address")

    @property
    def billing_name(self) -> str | None:
        return self.amazon.tax_name or self.amazon.buyer_name or self.amazon.recipient_name

    @cached_property
    def billing_address(self) -> Address | None:
        return laid_over(self._billing_without_edits[0], self.edits.billing_address)

    @property
    def billing_lacks(self) -> tuple[str, ...]:
        """The parts that the billing address lacks, if there is one."""
        if self.billing_source == "copiedFromDelivery":
            return self.delivery_lacks
        return missing_parts(self.billing_address) if self.billing_address else ()

    @property
    def billing_source(self) -> BillingSource:
        return "edited" if self.edits.is_edited("billing_address") else self._billing_without_edits[1]

    @cached_property
    def left_to_send(self) -> tuple[tuple[LineItem, int | None], ...]:
        """The lines, each with the number of its units that is left to send; None if nobody can tell."""
        return tuple((line, left) for line, left in _left_to_send(self.amazon, self.edits) if line.is_wanted)

    @property
    def line_items(self) -> tuple[SeenLine, ...]:
        return tuple(
            SeenLine(**dict(line), quantity_ordered=line.quantity, quantity_to_send=left)
            for line, left in self.left_to_send
        )

    @property
    def line_items_source(self) -> AmazonsOrEdited:
        return self._source("line_items")

    def _source(self, unit: Unit) -> AmazonsOrEdited:
        return "edited" if self.edits.is_edited(unit) else "amazon"

    @cached_property
    def _name(self) -> PersonName:
        name, company, _ = self._addressee
        amazons = split_name(name, company_name=company)
        return amazons if self.edits.name is None else _with_typed_parts(amazons, self.edits.name)

    @cached_property
    def _addressee(self) -> "_Addressee":
        amazon = self.amazon
        if amazon.recipient_name:
            company = amazon.delivery_address.company_name if amazon.delivery_address else None
            return _Addressee(amazon.recipient_name, company, "recipient")
        if amazon.addressee:
            return _Addressee(amazon.addressee, amazon.buyer_company_name, "buyer")
        return _Addressee(None, None, "none")

    @cached_property
    def _billing_without_edits(self) -> tuple[Address | None, BillingSource]:
        """Amazon's API has no billing address. The buyer's tax registration comes nearest; then the setting decides."""
        if self.amazon.tax_address is not None and self.amazon.tax_address.has_street:
            return self.amazon.tax_address, "amazonTax"
        if self.delivery_address is not None and _may_copy(self.amazon, self.settings):
            return self.delivery_address, "copiedFromDelivery"
        return None, "none"


class _Addressee(NamedTuple):
    """The name of the addressee as Amazon writes it, and the company at the same address."""

    name: str | None
    company: str | None
    source: NameSource


def _left_to_send(amazon: AmazonOrder, edits: Edits) -> Iterator[tuple[LineItem, int | None]]:
    """Each line, with what is left of it. A typed line that names one of Amazon's keeps its share of what is gone."""
    amazons = amazon.line_items or ()
    if edits.line_items is None:
        yield from ((line, _left(line, amazon)) for line in amazons)
        return
    was_sent = amazon.is_partly_shipped or any(map(_gone, amazons))
    done = {line.order_item_id for line in amazons if not line.is_wanted or line.quantity_unfulfilled == 0}
    unclear = {line.order_item_id for line in amazons if amazon.is_partly_shipped and _gone(line) is None}
    gone = Counter[str | None]()
    for line in amazons:
        gone[line.order_item_id] += _gone(line) or 0
    for line in edits.line_items:
        left = line.quantity
        if line.order_item_id is None:
            left = None if was_sent else left
        elif line.order_item_id in done:
            left = 0
        elif line.order_item_id in unclear:
            left = None
        elif left is not None:
            taken = min(left, gone[line.order_item_id])
            gone[line.order_item_id] -= taken
            left -= taken
        yield line, left


def _gone(line: LineItem) -> int | None:
    """The units of Amazon's line that are sent, or were cancelled; None if Amazon gives no number."""
    if not line.is_wanted or line.quantity is None or line.quantity_unfulfilled is None:
        return line.quantity_fulfilled
    return max(line.quantity - line.quantity_unfulfilled, line.quantity_fulfilled or 0)


def _left(line: LineItem, amazon: AmazonOrder) -> int | None:
    """The units of Amazon's line that are not sent yet.

    Without Amazon's number that is what was ordered, as long as nothing of the order was shipped. It is never more than
    was ordered: an answer that lowers the order may leave out the number that is left.
    """
    if line.quantity_unfulfilled is not None:
        ordered = line.quantity_unfulfilled if line.quantity is None else line.quantity
        return min(line.quantity_unfulfilled, ordered)
    if line.quantity is not None and line.quantity_fulfilled is not None:
        return max(line.quantity - line.quantity_fulfilled, 0)
    return None if amazon.is_partly_shipped else line.quantity


def _with_typed_parts(amazons: PersonName, typed: PersonsName) -> PersonName:
    first = amazons.first if typed.first_name is None else typed.first_name
    last = amazons.last if typed.last_name is None else typed.last_name
    if typed.company is None and typed.first_name is None and amazons.kind == "company":
        return PersonName(first=first, last=last, kind="company")
    return _typed_name(first, last, typed.company or "")


def _typed_name(first: str, last: str, company: str) -> PersonName:
    """A name from two boxes. Its script matters only if one of them is blank."""
    if not is_blank(company):
        return PersonName(first=first, last=last, kind="company")
    if not is_blank(first) and not is_blank(last):
        return PersonName(first=first, last=last, kind="person")
    only = split_name(last if is_blank(first) else first)
    if only.kind in {"blank", "unspacedScript"}:
        return PersonName(first=first, last=last, kind=only.kind)
    return PersonName(first=first, last=last, kind="singleWord")


def _may_copy(amazon: AmazonOrder, settings: Settings) -> bool:
    if settings.billing_address == "copyIfSameName":
        buyer, recipient = amazon.buyer_name, amazon.recipient_name
        return buyer is not None and recipient is not None and buyer.casefold() == recipient.casefold()
    return settings.billing_address == "copyDelivery"

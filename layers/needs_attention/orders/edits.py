"""What people typed over Amazon's data, part by part, and where Amazon says something else by now.

A typed part lies over Amazon's; a part that nobody typed is Amazon's as it is now. First name, last name, company,
email and each part of an address are parts of their own. The line items are replaced as a whole.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

from needs_attention.orders.amazon_order import Address, AmazonOrder, LineItem
from needs_attention.orders.equivalence import NO_GOODS, is_same_goods, plain, plain_email, plain_goods, plain_places
from needs_attention.values.model import Value

Unit = Literal["name", "email", "delivery_address", "billing_address", "line_items"]
UNITS: tuple[Unit, ...] = ("name", "email", "delivery_address", "billing_address", "line_items")


# The fields whose confirmation answers something that Amazon may say again.
FULFILLMENT_UNKNOWN, BUYER_REQUESTED_CANCEL = "fulfillmentUnknown", "buyerRequestedCancel"
ANSWERED_ANEW = frozenset({FULFILLMENT_UNKNOWN, BUYER_REQUESTED_CANCEL})


class PersonsName(Value):
    """The parts of a name that a person typed; None is a part that nobody typed, and "" one that is blank."""

    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None


class Edits(Value):
    """The typed parts of each unit, and the fields confirmed as unavailable.

    In an address None is a part that nobody typed, and "" one that a person blanked. `settled` holds what Amazon said
    of a place, in its plain form, when a person last typed or kept a value there.
    """

    name: PersonsName | None = None
    email: str | None = None
    delivery_address: Address | None = None
    billing_address: Address | None = None
    line_items: tuple[LineItem, ...] | None = None
    confirmed: tuple[str, ...] = ()
    # What the confirmations of a doubt and of a request to cancel answer: its number, and the lines (their IDs).
    # None: no request was ever answered.
    confirmed_doubt: int | None = None
    answered_requests: tuple[str, ...] | None = None
    settled: Mapping[str, str] = {}

    def is_edited(self, unit: Unit) -> bool:
        return getattr(self, unit) is not None

    def with_typed(self, unit: Unit, value: object, amazon: AmazonOrder) -> "Edits":
        """With `value` over Amazon's unit; None returns the unit to Amazon's value.

        A name and an address come as a mapping of their parts, by attribute name: None returns a part to Amazon's.
        Typing settles what Amazon says of these parts now.
        """
        typed = value
        if isinstance(value, Mapping):
            before = getattr(self, unit)
            parts = {**(dict(before) if before else {}), **value}
            given = {part: text for part, text in parts.items() if text is not None}
            typed = _KIND[unit](**given) if given else None
        edited = self.model_copy(update={unit: typed})
        return edited._forgetting(unit).settling(places_touched(unit, value), amazon)

    def confirming(self, fields: Sequence[str], amazon: AmazonOrder) -> "Edits":
        """With exactly these fields confirmed. That answers the doubt and the requests of now, and no later ones."""
        is_ours = FULFILLMENT_UNKNOWN in fields
        sends_anyway = BUYER_REQUESTED_CANCEL in fields
        before = self.answered_requests
        answered = tuple(sorted({*(before or ()), *amazon.cancel_requests})) if sends_anyway else ()
        was_asked = sends_anyway or before is not None or BUYER_REQUESTED_CANCEL in self.confirmed
        return self.model_copy(
            update={
                "confirmed": tuple(fields),
                "confirmed_doubt": amazon.doubts if is_ours else None,
                "answered_requests": answered if was_asked else None,
            }
        )

    def settling(self, places: Iterable[str], amazon: AmazonOrder) -> "Edits":
        """With Amazon's present words about these places as known to the person who typed or keeps a value there."""
        said = said_by(amazon)
        return self.model_copy(update={"settled": {**self.settled, **{place: said.get(place, "") for place in places}}})

    def _forgetting(self, unit: Unit) -> "Edits":
        """Without what was settled about places of the unit where nothing is typed any more."""
        typed = places_typed(unit, getattr(self, unit))
        kept = {place: text for place, text in self.settled.items() if unit_of(place) != unit or place in typed}
        return self.model_copy(update={"settled": kept})

    @property
    def places(self) -> frozenset[str]:
        """Every place where something is typed."""
        return frozenset(place for unit in UNITS for place in places_typed(unit, getattr(self, unit)))


# Places: the parts in which a typed value and Amazon's are compared ---------------------------------------------------

# A new phone number or type of address sends the parcel nowhere else.
_UNCOMPARED = {"phone", "address_type"}
_STREET = {"line1": "addressLine1", "line2": "addressLine1", "line3": "addressLine1"}
_BRAZILIAN = dict.fromkeys(("street_name", "street_number", "complement", "neighborhood"), "streetName")
_PLACE_IN_ADDRESS = {
    part: ({**_STREET, **_BRAZILIAN}).get(part, info.alias or part)
    for part, info in Address.model_fields.items()
    if part not in _UNCOMPARED
}
_UNIT_OF_PREFIX: dict[str, Unit] = {
    "name": "name",
    "company": "name",
    "email": "email",
    "deliveryAddress": "delivery_address",
    "billingAddress": "billing_address",
    "lineItems": "line_items",
}


def unit_of(place: str) -> Unit:
    """The unit that a place belongs to: `delivery_address` for `deliveryAddress.city`."""
    return _UNIT_OF_PREFIX[place.partition(".")[0]]


_KIND: dict[Unit, type[PersonsName | Address]] = {
    "name": PersonsName,
    "delivery_address": Address,
    "billing_address": Address,
}


def places_touched(unit: Unit, value: object) -> frozenset[str]:
    """The places that a person settles by typing `value`, which is a mapping of parts or a whole unit."""
    return places_typed(unit, _KIND[unit](**value) if isinstance(value, Mapping) else value)


def places_typed(unit: Unit, typed: object) -> frozenset[str]:
    """The places that typed parts of a unit cover: both parts of a name are one place, and so is a whole street."""
    if isinstance(typed, PersonsName):
        has_name = typed.first_name is not None or typed.last_name is not None
        return frozenset(filter(None, ("name" if has_name else "", "company" if typed.company is not None else "")))
    if isinstance(typed, Address):
        prefix = "deliveryAddress" if unit == "delivery_address" else "billingAddress"
        parts = (part for part, text in typed if text is not None and part not in _UNCOMPARED)
        return frozenset(f"{prefix}.{_PLACE_IN_ADDRESS[part]}" for part in parts)
    if typed is None:
        return frozenset()
    return frozenset(("email" if unit == "email" else "lineItems",))


def said_by(amazon: AmazonOrder) -> dict[str, str]:
    """What Amazon says of each place, in its plain form; blank for nothing."""
    company = amazon.delivery_address and amazon.delivery_address.company_name
    has_tax_address = amazon.tax_address is not None and amazon.tax_address.has_street
    return {
        "name": plain(amazon.addressee),
        "company": plain(company or amazon.buyer_company_name),
        "email": plain_email(amazon.buyer_email),
        **_prefixed("deliveryAddress", plain_places(amazon.delivery_address)),
        **_prefixed("billingAddress", plain_places(amazon.tax_address) if has_tax_address else {}),
        "lineItems": plain_goods(amazon.line_items),
    }


def _prefixed(prefix: str, places: Mapping[str, str]) -> dict[str, str]:
    return {f"{prefix}.{place}": text for place, text in places.items()}


# Differences ----------------------------------------------------------------------------------------------------------


def typed_against(edits: Edits, amazon: AmazonOrder) -> dict[str, str]:
    """By place: Amazon's words where they say something else than the typed value, settled or not."""
    if not edits.places:
        return {}
    said, typed = said_by(amazon), _typed_words(edits, amazon)
    return {
        place: said[place]
        for place in sorted(edits.places)
        if said.get(place) and not _says_the_same(place, said[place], typed, edits, amazon)
    }


def units_typed_otherwise(edits: Edits, amazon: AmazonOrder) -> set[Unit]:
    """The units with a typed value that Amazon does not say, be it that it says nothing."""
    differing = typed_against(edits, amazon)
    said = said_by(amazon) if edits.places else {}
    return {unit_of(place) for place in edits.places if place in differing or not said.get(place)}


def unsettled(edits: Edits, amazon: AmazonOrder, news: Collection[str] = ()) -> tuple[str, ...]:
    """The places where Amazon says something else than the typed value, and nobody has settled that.

    `news` are those of `news_for`: what a person once typed over may be news again.
    """
    settled = edits.settled
    return tuple(
        place for place, said in typed_against(edits, amazon).items() if place in news or said != settled.get(place, "")
    )


def news_for(edits: Edits, before: AmazonOrder, after: AmazonOrder, known: Iterable[str], *, is_held: bool) -> set[str]:
    """The places where Amazon's value is news that holds the order, after an answer of Amazon's.

    It replaced another value of Amazon's, or came while the order was held in any way. What Amazon says as typed is no
    news any more. Nor is the value that a person typed over, unless Amazon agreed with the person in between.
    """
    differing = typed_against(edits, after)
    if not differing:
        return set()
    said_before, differed_before = said_by(before), typed_against(edits, before)

    def is_news(place: str, said: str) -> bool:
        is_new = said != said_before.get(place)
        if is_new and said == edits.settled.get(place):
            return place not in differed_before
        was_a_gap = said_before.get(place) in {None, "", NO_GOODS}
        return place in known or (is_new and (is_held or not was_a_gap))

    return {place for place, said in differing.items() if is_news(place, said)}


def _typed_words(edits: Edits, amazon: AmazonOrder) -> dict[str, str]:
    """What the order says of each place with the typed parts over Amazon's, in plain form."""
    name = edits.name or PersonsName()
    delivery = laid_over(amazon.delivery_address, edits.delivery_address)
    billing = laid_over(amazon.tax_address, edits.billing_address)
    return {
        "name": plain(f"{name.first_name or ''} {name.last_name or ''}"),
        "company": plain(name.company),
        "email": plain_email(edits.email),
        **_prefixed("deliveryAddress", plain_places(delivery)),
        **_prefixed("billingAddress", plain_places(billing)),
    }


def _says_the_same(place: str, said: str, typed: Mapping[str, str], edits: Edits, amazon: AmazonOrder) -> bool:
    if place == "lineItems":
        return is_same_goods(edits.line_items or (), amazon.line_items or ())
    if place == "name" and edits.name is not None:
        return said == typed["name"] or said == typed["company"] or _is_part_of_the_name(edits.name, said)
    return said == typed.get(place, "")


def _is_part_of_the_name(typed: PersonsName, said: str) -> bool:
    """Whether a single typed part begins or ends Amazon's whole name: the rest of the name is Amazon's."""
    if typed.first_name is None:
        return f" {said}".endswith(f" {plain(typed.last_name)}")
    return typed.last_name is None and f"{said} ".startswith(f"{plain(typed.first_name)} ")


def laid_over(amazons: Address | None, typed: Address | None) -> Address | None:
    """Amazon's address with the typed parts over it; a part that was blanked is None.

    A street that Amazon sends as it was typed is Amazon's, for it may be spread over the lines in another way.
    """
    if typed is None:
        return amazons
    parts = {part: text or None for part, text in typed if text is not None}
    if amazons and plain_places(typed)["addressLine1"] == plain_places(amazons)["addressLine1"]:
        parts = {part: text for part, text in parts.items() if part not in _STREET}
    return Address(**((dict(amazons) if amazons else {}) | parts))

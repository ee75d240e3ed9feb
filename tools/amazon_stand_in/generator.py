"""Large accounts: any number of orders, the same ones for the same seed, with holes whose effect is known."""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from random import Random
from typing import Final

from tools.amazon_stand_in.ledger import MISSING_CODES, NAME, Entry, Json
from tools.amazon_stand_in.marketplaces import Region, marketplaces_of
from tools.amazon_stand_in.people_and_places import COUNTRIES, EXPORTS, Country
from tools.amazon_stand_in.whole_order import Line, whole_order

SPREAD: Final = timedelta(days=14)
PLACEHOLDERS: Final = ("[Redacted]", "Not Provided", "PII Removed", ".", "-", "", "   ")

_YOUNGEST: Final = timedelta(minutes=10)
_SHARE_GIFTS, _SHARE_COMPANIES, _SHARE_EXPORTS, _SHARE_FBA = 0.03, 0.02, 0.05, 0.1
_STATUSES: Final = {"UNSHIPPED": 86, "PARTIALLY_SHIPPED": 2, "SHIPPED": 6, "CANCELLED": 3, "PENDING": 3}
_JUDGED: Final = frozenset({"UNSHIPPED", "PARTIALLY_SHIPPED"})
_ID_PREFIXES: Final = {"US": "114", "CA": "702", "MX": "702", "BR": "701", "JP": "250", "AU": "249", "SG": "248"}
_COMPANIES: Final = ("Juniper & Daughters LLC", "Harbour Tools Ltd", "Nordlicht Handels GmbH", "Azulejo S.A.")
_CATALOGUE: Final = (
    Line("KETTLE-STEEL-17", "Steel kettle, 1.7 l", 1, Decimal("42.90")),
    Line("FILTER-PAPER-100", "Paper filters, 100 pieces", 3, Decimal("4.75")),
    Line("LAMP-OAK", "Oak desk lamp", 1, Decimal("119.00")),
    Line("SOCK-WOOL-M", "Wool socks, size M", 2, Decimal("12.49")),
    Line("MUG-BLÅ", "Mug, blue", 6, Decimal("8.00")),
)


class Hole(StrEnum):
    """A kind of hole. The first two are harmless: the buyer's name stands in, and Brazil's extendedFields do."""

    RECIPIENT_NAME_ABSENT = "recipientNameAbsent"
    BRAZILIAN_LINE_1_ABSENT = "brazilianLine1Absent"
    NAMES_ABSENT = "namesAbsent"
    NAMES_PLACEHOLDER = "namesPlaceholder"
    NAME_OF_ONE_WORD = "nameOfOneWord"
    EMAIL_ABSENT = "emailAbsent"
    EMAIL_PLACEHOLDER = "emailPlaceholder"
    EMAIL_MALFORMED = "emailMalformed"
    ADDRESS_ABSENT = "addressAbsent"
    STREET_ABSENT = "streetAbsent"
    COUNTRY_ABSENT = "countryAbsent"
    NEEDED_PART_ABSENT = "neededPartAbsent"
    LINE_ITEMS_ABSENT = "lineItemsAbsent"
    QUANTITIES_ZERO = "quantitiesZero"
    PRODUCTS_UNIDENTIFIED = "productsUnidentified"


DEFAULT_SHARES: Final[Mapping[Hole, float]] = dict.fromkeys(Hole, 0.005)


def generated(
    count: int,
    *,
    now: datetime,
    seed: int = 0,
    region: Region = "NA",
    shares: Mapping[Hole, float] = DEFAULT_SHARES,
    spread: timedelta = SPREAD,
) -> Iterator[Entry]:
    """`count` ledger entries, one by one; the n-th depends on its number, the seed and `now` alone.

    Updates are spread evenly over `spread` before `now`. `shares` gives the probability of each kind of hole in an
    order that a merchant still has to ship (and, for line items, in one that Amazon has to); of the kinds for one unit
    (name, email, address, line items) an order has one at most. Each entry's `missing` is the truth: the codes that a
    gate with default settings has to find missing. Its note names the kinds of holes. The billing address is not among
    the codes: by default it follows the delivery address.
    """
    for number in range(count):
        random = Random(f"{seed}:{number}")
        yield _entry(number, random=random, now=now, region=region, shares=shares, spread=spread)


def _entry(
    number: int, *, random: Random, now: datetime, region: Region, shares: Mapping[Hole, float], spread: timedelta
) -> Entry:
    marketplace = random.choice(marketplaces_of(region))
    country = _destination(marketplace.country, random)
    updated = now - _YOUNGEST - random.random() * spread
    updated = updated.replace(microsecond=random.choice((0, 0, 0, 250_000)))
    status = random.choices(tuple(_STATUSES), tuple(_STATUSES.values()))[0]
    fulfilled_by = "AMAZON" if random.random() < _SHARE_FBA else "MERCHANT"
    name = _name(country, random)
    whole = whole_order(
        f"{_ID_PREFIXES.get(marketplace.country, '305')}-{number:07}-{number * 7919 % 10_000_000:07}",
        marketplace=marketplace,
        buyer_name=name,
        address=_address(name, country, random),
        lines=random.sample(_CATALOGUE, random.choice((1, 1, 1, 2, 3))),
        created=updated - timedelta(seconds=random.randrange(7200)),
        updated=updated,
        ship_by=(updated + timedelta(days=random.randint(1, 3))).replace(microsecond=0),
        status=status,
        fulfilled_by=fulfilled_by,
    )
    is_gift = random.random() < _SHARE_GIFTS
    if is_gift:
        _make_a_gift(whole, random)
    elif random.random() < _SHARE_COMPANIES:
        _send_to_a_company(whole, random)
    if status not in _JUDGED:
        return Entry.of(whole)
    order = copy.deepcopy(whole)
    holes = [hole for hole in _drawn(shares, random) if fulfilled_by == "MERCHANT" or _HOLES[hole].unit == "lineItems"]
    missing = {code for hole in holes for code in _HOLES[hole].made(order, country, random)}
    if is_gift and order["orderItems"] and fulfilled_by == "MERCHANT" and not _names_a_recipient(order):
        missing |= set(NAME)  # the buyer of a gift is somebody else; without items nothing shows that it is a gift
    return Entry.of(
        order, whole=whole, missing=[code for code in MISSING_CODES if code in missing], note=",".join(holes)
    )


def _destination(marketplace_country: str, random: Random) -> Country:
    exports = EXPORTS.get(marketplace_country, ())
    if exports and random.random() < _SHARE_EXPORTS:
        return COUNTRIES[random.choice(exports)]
    return COUNTRIES[marketplace_country]


def _name(country: Country, random: Random) -> str:
    return country.name.format(
        given=random.choice(country.given),
        family=random.choice(country.family),
        space=random.choice(("", " ", "\u3000")),
    )


def _address(name: str, country: Country, random: Random) -> Json:
    city = random.choice(country.cities)
    number = random.randint(1, 2400)
    address = {
        "name": name,
        "addressLine1": random.choice(country.streets).format(number=number),
        "city": city.name,
        "stateOrRegion": city.region,
        "postalCode": city.postal_code,
        "countryCode": country.code,
        "phone": country.phone.format(two=f"{random.randrange(100):02}"),
        "addressType": "RESIDENTIAL",
    }
    filled: Json = {field: value for field, value in address.items() if value}
    if country.code == "BR":
        street = filled["addressLine1"].partition(",")[0]
        filled["extendedFields"] = {"streetName": street, "streetNumber": str(number), "neighborhood": "Centro"}
    return filled


def _names_a_recipient(order: Json) -> bool:
    return "name" in order["recipient"].get("deliveryAddress", {})


def _make_a_gift(order: Json, random: Random) -> None:
    order["buyer"]["buyerName"] = _name(COUNTRIES["GB"], random)
    for item in order["orderItems"]:
        item["fulfillment"]["packing"] = {"giftOption": {"giftMessage": "With love", "giftWrapLevel": "PAPER"}}


def _send_to_a_company(order: Json, random: Random) -> None:
    company = random.choice(_COMPANIES)
    order["programs"] = ["AMAZON_BUSINESS"]
    order["buyer"] |= {"buyerCompanyName": company, "buyerPurchaseOrderNumber": f"PO-{random.randrange(10_000)}"}
    order["recipient"]["deliveryAddress"] |= {"name": company, "companyName": company, "addressType": "COMMERCIAL"}


def _drawn(shares: Mapping[Hole, float], random: Random) -> list[Hole]:
    """At most one hole for each unit, names before the address that holds the recipient's."""
    by_unit = {_HOLES[hole].unit: hole for hole in Hole if random.random() < shares.get(hole, 0)}
    return [hole for hole in Hole if hole in by_unit.values()]


@dataclass(frozen=True, slots=True)
class _Making:
    """`made` puts the hole into an order and returns the codes of the missing data."""

    unit: str
    made: Callable[[Json, Country, Random], tuple[str, ...]]


def _without_recipient_name(order: Json, _: Country, __: Random) -> tuple[str, ...]:
    order["recipient"]["deliveryAddress"].pop("name")
    return ()


def _without_names(order: Json, _: Country, __: Random) -> tuple[str, ...]:
    address = order["recipient"]["deliveryAddress"]
    address.pop("name")
    address.pop("companyName", None)
    order["buyer"].pop("buyerName")
    return NAME


def _with_placeholder_names(order: Json, _: Country, random: Random) -> tuple[str, ...]:
    _set_names(order, random.choice(PLACEHOLDERS))
    return NAME


def _with_one_word_name(order: Json, country: Country, _: Random) -> tuple[str, ...]:
    _set_names(order, country.one_word_name or next(given for given in country.given if " " not in given))
    return ("firstName",)


def _set_names(order: Json, name: str) -> None:
    address = order["recipient"]["deliveryAddress"]
    address.pop("companyName", None)
    address["name"] = order["buyer"]["buyerName"] = name


def _without_email(order: Json, _: Country, __: Random) -> tuple[str, ...]:
    order["buyer"].pop("buyerEmail")
    return ("email",)


def _with_placeholder_email(order: Json, _: Country, random: Random) -> tuple[str, ...]:
    order["buyer"]["buyerEmail"] = random.choice(PLACEHOLDERS)
    return ("email",)


def _with_malformed_email(order: Json, _: Country, __: Random) -> tuple[str, ...]:
    order["buyer"]["buyerEmail"] = order["buyer"]["buyerEmail"].partition("@")[0]
    return ("email",)


def _without_address(order: Json, _: Country, __: Random) -> tuple[str, ...]:
    order["recipient"].pop("deliveryAddress")
    return ("deliveryAddress",)


def _without_street(order: Json, _: Country, __: Random) -> tuple[str, ...]:
    order["recipient"]["deliveryAddress"].pop("addressLine1")
    order["recipient"]["deliveryAddress"].pop("extendedFields", None)
    return ("deliveryAddress",)


def _without_line_1_in_brazil(order: Json, country: Country, _: Random) -> tuple[str, ...]:
    if country.code == "BR":
        order["recipient"]["deliveryAddress"].pop("addressLine1")
    return ()


def _without_country(order: Json, _: Country, __: Random) -> tuple[str, ...]:
    order["recipient"]["deliveryAddress"].pop("countryCode")
    return ("deliveryAddress",)


def _without_needed_part(order: Json, country: Country, random: Random) -> tuple[str, ...]:
    for field in random.choice(country.needs):
        order["recipient"]["deliveryAddress"].pop(field, None)
    return ("deliveryAddress",)


def _without_line_items(order: Json, _: Country, __: Random) -> tuple[str, ...]:
    order["orderItems"] = []
    return ("lineItems",)


def _with_zero_quantities(order: Json, _: Country, __: Random) -> tuple[str, ...]:
    for item in order["orderItems"]:
        item["quantityOrdered"] = 0
    return ("lineItems",)


def _with_unidentified_products(order: Json, _: Country, __: Random) -> tuple[str, ...]:
    for item in order["orderItems"]:
        item["product"].pop("asin")
        item["product"].pop("sellerSku")
    return ("lineItems",)


_HOLES: Final = {
    Hole.RECIPIENT_NAME_ABSENT: _Making("name", _without_recipient_name),
    Hole.NAMES_ABSENT: _Making("name", _without_names),
    Hole.NAMES_PLACEHOLDER: _Making("name", _with_placeholder_names),
    Hole.NAME_OF_ONE_WORD: _Making("name", _with_one_word_name),
    Hole.EMAIL_ABSENT: _Making("email", _without_email),
    Hole.EMAIL_PLACEHOLDER: _Making("email", _with_placeholder_email),
    Hole.EMAIL_MALFORMED: _Making("email", _with_malformed_email),
    Hole.BRAZILIAN_LINE_1_ABSENT: _Making("deliveryAddress", _without_line_1_in_brazil),
    Hole.ADDRESS_ABSENT: _Making("deliveryAddress", _without_address),
    Hole.STREET_ABSENT: _Making("deliveryAddress", _without_street),
    Hole.COUNTRY_ABSENT: _Making("deliveryAddress", _without_country),
    Hole.NEEDED_PART_ABSENT: _Making("deliveryAddress", _without_needed_part),
    Hole.LINE_ITEMS_ABSENT: _Making("lineItems", _without_line_items),
    Hole.QUANTITIES_ZERO: _Making("lineItems", _with_zero_quantities),
    Hole.PRODUCTS_UNIDENTIFIED: _Making("lineItems", _with_unidentified_products),
}

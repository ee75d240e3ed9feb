"""How the gate judges a shop platform's example addresses, one for each country that it ships to.

The environment variable EXAMPLE_ADDRESSES names them: a JSON object whose `addresses` are in Amazon's parts, each with
`postalCode_is`, the platform's own opinion of postal codes there ("required", "recommended", "optional" or "none").
The addresses are those of github.com/Shopify/worldwide, data/regions, commit 2514b31c.
"""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from needs_attention.api.orders.warnings import warnings_of_address
from needs_attention.orders.addresses import asks_for_postal_code, missing_parts
from needs_attention.orders.amazon_order import Address

# Examples that lack the postal code which the platform itself requires, in a country that is asked for it.
INCOMPLETE_THEMSELVES = {"AU"}


class Example(NamedTuple):
    address: Address
    parts: dict[str, str]
    opinion: str


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    path = os.environ.get("EXAMPLE_ADDRESSES")
    if not path:
        pytest.skip("EXAMPLE_ADDRESSES does not name the example addresses of a shop platform")
    addresses: list[dict[str, Any]] = json.loads(Path(path).read_text(encoding="utf-8"))["addresses"]
    return [read(example) for example in addresses]


def read(example: dict[str, Any]) -> Example:
    parts = {part: text for part, text in example.items() if part != "postalCode_is" and text}
    return Example(Address.model_validate(parts), parts, example["postalCode_is"])


def test_every_complete_example_is_complete(examples: list[Example]) -> None:
    incomplete = {one.parts["countryCode"]: missing_parts(one.address) for one in examples}
    assert {country: parts for country, parts in incomplete.items() if parts} == dict.fromkeys(
        INCOMPLETE_THEMSELVES, ("postalCode",)
    )


def test_an_example_without_its_postal_code_is_held_where_it_is_asked(examples: list[Example]) -> None:
    for address, parts, _ in examples:
        without = missing_parts(address.model_copy(update={"postal_code": None}))
        assert without == (("postalCode",) if asks_for_postal_code(parts["countryCode"]) else ()), parts


def test_no_postal_code_is_asked_where_the_platform_does_without(examples: list[Example]) -> None:
    for _, parts, opinion in examples:
        assert not (opinion in {"none", "optional"} and asks_for_postal_code(parts["countryCode"])), parts


def test_no_example_gets_a_warning_of_a_wrong_value(examples: list[Example]) -> None:
    for address, parts, _ in examples:
        codes = {warning.code for warning in warnings_of_address("deliveryAddress", parts, address)}
        assert codes <= {"noPostalCode"}, parts

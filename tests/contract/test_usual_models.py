"""The benchmarks' full models really are full: they have every field of Amazon's `Order` and of all that it reaches.

The environment variable SP_API_MODEL names the model: orders_2026-01-01.json of Amazon's selling-partner-api-models.
"""

import json
import os
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel

from benchmarks.usual.models import Order


@pytest.fixture(scope="module")
def model() -> dict[str, Any]:
    path = os.environ.get("SP_API_MODEL")
    if not path:
        pytest.skip("SP_API_MODEL does not name Amazon's model orders_2026-01-01.json")
    model: dict[str, Any] = json.loads(Path(path).read_text())
    return model


def in_amazons_model(definitions: Mapping[str, Any], schema: Mapping[str, Any], path: str) -> Iterator[str]:
    """Each field below, as `orderItems.product.asin*`: `*` where it must be there, `=A|B` where it takes only those."""
    if "$ref" in schema:
        yield from in_amazons_model(definitions, definitions[schema["$ref"].rpartition("/")[2]], path)
    elif schema["type"] == "array":
        yield from in_amazons_model(definitions, schema["items"], path)
    elif "enum" in schema:
        yield f"{path}={'|'.join(sorted(schema['enum']))}"
    for name, field in schema.get("properties", {}).items():
        yield f"{path}.{name}{'*' if name in schema.get('required', ()) else ''}"
        yield from in_amazons_model(definitions, field, f"{path}.{name}")


def in_ours(kind: Any, path: str) -> Iterator[str]:
    """The same of a type here."""
    if isinstance(kind, UnionType) or get_origin(kind) is list:
        for part in get_args(kind):
            yield from in_ours(part, path)
    elif issubclass(kind, StrEnum):
        yield f"{path}={'|'.join(sorted(kind))}"
    elif issubclass(kind, BaseModel):
        for field in kind.model_fields.values():
            yield f"{path}.{field.alias}{'*' if field.is_required() else ''}"
            yield from in_ours(field.annotation, f"{path}.{field.alias}")


def test_the_full_models_have_each_field_of_amazons_order_and_no_other(model: dict[str, Any]) -> None:
    theirs = list(in_amazons_model(model["definitions"], model["definitions"]["Order"], "order"))
    ours = list(in_ours(Order, "order"))
    assert sorted(ours) == sorted(theirs)
    assert len(ours) > 250


def test_the_full_models_take_amazons_own_samples_whole(model: dict[str, Any]) -> None:
    for operation in model["paths"].values():
        answers = operation["get"]["responses"]["200"]["x-amzn-api-sandbox"]["static"]
        for answer in (case["response"] for case in answers):
            for raw in answer["orders"] if "orders" in answer else [answer["order"]]:
                order = Order.model_validate(raw)
                assert order.order_id == raw["orderId"]
                assert json.loads(order.model_dump_json(by_alias=True, exclude_unset=True)).keys() == raw.keys()

"""The benchmarks' full models really are full: they have every field of Amazon's `Order` and of all that it reaches.

They leave out what Amazon added after they were written down (`ADDED_LATER`).
"""

import json
from collections.abc import Iterator
from enum import StrEnum
from types import UnionType
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from benchmarks.usual.models import Order
from tests.contract.amazons_orders_api import OrdersApi


def in_ours(kind: Any, path: str) -> Iterator[str]:
    """Each field below, as `OrdersApi.members` writes it."""
    if isinstance(kind, UnionType) or get_origin(kind) is list:
        for part in get_args(kind):
            yield from in_ours(part, path)
    elif issubclass(kind, StrEnum):
        yield f"{path}={'|'.join(sorted(kind))}"
    elif issubclass(kind, BaseModel):
        for field in kind.model_fields.values():
            yield f"{path}.{field.alias}{'*' if field.is_required() else ''}"
            yield from in_ours(field.annotation, f"{path}.{field.alias}")


def test_the_full_models_have_each_field_of_amazons_order_and_no_other(orders_api: OrdersApi) -> None:
    theirs = list(orders_api.as_first_published().members("Order", "order"))
    ours = list(in_ours(Order, "order"))
    assert sorted(ours) == sorted(theirs)
    assert len(ours) > 250


def test_the_full_models_take_every_order_whole(orders_api: OrdersApi) -> None:
    for raw in orders_api.as_first_published().orders():
        order = Order.model_validate(raw)
        assert order.order_id == raw["orderId"]
        assert members_of(json.loads(order.model_dump_json(by_alias=True, exclude_unset=True))) == members_of(raw)


def members_of(order: Any) -> Any:
    """The members' names, all the way down."""
    match order:
        case dict():
            return {name: members_of(value) for name, value in order.items()}
        case list():
            return [members_of(entry) for entry in order]
    return None

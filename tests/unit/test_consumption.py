"""The measurement itself: AWS's charges for reads, which no emulator reports."""

import json
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from tools.consumption import Consumption, consumption_of, size_of

SMALL: Any = {"orderId": {"S": "1"}}


def large(number_of_bytes: int) -> Any:
    return {"data": {"S": "x" * (number_of_bytes - len("data"))}}


def read(operation: str, parsed: dict[str, Any], **asked: object) -> Consumption:
    consumption = Consumption()
    consumption.add(parsed=parsed, model=SimpleNamespace(name=operation), context={"asked": asked})
    return consumption


def test_an_items_size_is_that_of_its_names_and_values_in_utf_8() -> None:
    assert size_of({"name": {"S": "Zoë"}, "revision": {"N": "123"}, "isGift": {"BOOL": True}}) == 8 + 11 + 7


def test_a_type_that_no_table_holds_is_not_guessed_at() -> None:
    with pytest.raises(ValueError, match="not known"):
        size_of({"list": {"L": []}})


@pytest.mark.parametrize(("number_of_bytes", "units"), [(4096, 1), (4097, 2)])
def test_a_consistent_read_costs_a_unit_for_4_kb(number_of_bytes: int, units: int) -> None:
    assert read("GetItem", {"Item": large(number_of_bytes)}, ConsistentRead=True).read_units == units


def test_a_read_in_vain_costs_as_much_as_a_little() -> None:
    assert read("GetItem", {}).read_units == read("GetItem", {"Item": SMALL}).read_units == 0.5


def test_the_items_of_a_query_are_rounded_up_together() -> None:
    used = read("Query", {"Items": [SMALL] * 10, "ScannedCount": 10})
    assert (used.requests, used.entries, used.read_units) == (1, 10, 0.5)


def test_items_that_a_filter_drops_cannot_be_weighed() -> None:
    with pytest.raises(ValueError, match="filter"):
        read("Query", {"Items": [SMALL], "ScannedCount": 2})


def test_a_count_is_weighed_by_the_items_that_it_reads() -> None:
    client = boto3.client("dynamodb", region_name="eu-west-1")
    sent: list[Any] = []

    def answer(*, params: Any, **_: object) -> tuple[Any, dict[str, Any]]:
        sent.append(json.loads(params["body"]))
        return SimpleNamespace(status_code=200), {"Count": 2, "ScannedCount": 2, "Items": [SMALL, large(4097)]}

    client.meta.events.register("before-call.dynamodb", answer)
    with consumption_of(client) as used:
        client.query(TableName="orders", Select="COUNT")
    assert (sent, used.read_units) == ([{"TableName": "orders"}], 1.0)


def test_each_item_of_a_batch_is_rounded_up_even_one_that_is_not_there() -> None:
    asked: Any = {"orders": {"Keys": [{}, {}, {}]}}
    used = read("BatchGetItem", {"Responses": {"orders": [SMALL, large(4097)]}}, RequestItems=asked)
    assert (used.entries, used.read_units) == (2, 0.5 + 1 + 0.5)


def test_a_writes_units_are_told_for_the_table_and_for_each_index() -> None:
    consumed = {"TableName": "orders", "CapacityUnits": 4, "GlobalSecondaryIndexes": {"byStage": {"CapacityUnits": 1}}}
    used = read("UpdateItem", {"ConsumedCapacity": consumed})
    assert (used.write_units, used.written) == (4, {"orders": 3, "orders.byStage": 1})


def test_an_operation_whose_cost_is_not_known_is_not_taken_for_free() -> None:
    with pytest.raises(ValueError, match="Scan"):
        read("Scan", {"Items": []})

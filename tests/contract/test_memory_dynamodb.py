"""DynamoDB in memory answers every call of the stores as moto does, and refuses what it does not know."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from needs_attention.tables.order_items import to_item
from needs_attention.tables.orders import OrderStore, Page
from tools.builders import NOON, an_amazon_order, an_order
from tools.from_template import create_table
from tools.in_memory.account import aws_in_memory
from tools.in_memory.dynamodb import Invalid, MemoryDynamoDB, Table
from tools.in_memory.mirrored import Mirrored
from tools.simulation.lives import TROUBLED
from tools.simulation.seller import HOUR, Simulation

TABLES = ("OrdersTable", "IntegrationsTable", "HistoryTable", "AnswersTable")
DEMO = {"integrationId": {"S": "demo"}}
OF_DEMO: dict[str, Any] = {
    "TableName": "IntegrationsTable",
    "KeyConditionExpression": "#id = :id AND begins_with(#item, :prefix)",
    "ExpressionAttributeNames": {"#id": "integrationId", "#item": "item"},
    "ExpressionAttributeValues": {":id": DEMO["integrationId"], ":prefix": {"S": "row#"}},
}


@pytest.fixture
def moto() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-1")
        for table in TABLES:
            create_table(client, table)
        yield client


@pytest.fixture
def memory() -> MemoryDynamoDB:
    return MemoryDynamoDB({name: Table(name) for name in TABLES})


@pytest.fixture
def both(moto: Any, memory: MemoryDynamoDB) -> Iterator[Any]:
    """Each call goes to both, through a botocore client, and raises an AssertionError where they differ."""
    client = boto3.client("dynamodb", region_name="eu-west-1")
    with memory.answering(client):
        yield Mirrored(client, moto)


def an_item(number: int, **attributes: Any) -> dict[str, Any]:
    return {**DEMO, "item": {"S": f"row#{number}"}, **attributes}


def of_revision(revision: int) -> dict[str, Any]:
    return {
        "ConditionExpression": "#revision = :read",
        "ExpressionAttributeNames": {"#revision": "revision"},
        "ExpressionAttributeValues": {":read": {"N": str(revision)}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def refusal(call: Any, **parameters: Any) -> str:
    """The code with which both refuse the call."""
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return str(refused.value.response["Error"]["Code"])


def test_an_hour_of_a_sellers_life_is_the_same_on_both(moto: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL + 1)
    life = replace(TROUBLED, updates_a_day=400, lasts=HOUR, crashes=0.0)
    told = Simulation(3, life, wrapped=lambda memory: Mirrored(memory, moto)).live()
    assert (told.broken, told.edits > 0) == ([], True)


def test_a_condition_that_does_not_hold_brings_the_item_along(both: Any) -> None:
    both.put_item(TableName="IntegrationsTable", Item=an_item(1, revision={"N": "1"}))
    both.put_item(TableName="IntegrationsTable", Item=an_item(1, revision={"N": "2"}), **of_revision(1))
    with pytest.raises(both.exceptions.ConditionalCheckFailedException) as refused:
        both.put_item(TableName="IntegrationsTable", Item=an_item(1), **of_revision(1))
    assert refused.value.response["Item"] == an_item(1, revision={"N": "2"})
    for number, condition in ((1, of_revision(1)), (2, of_revision(1))):
        key = an_item(number)
        refused_code = refusal(both.delete_item, TableName="IntegrationsTable", Key=key, **condition)
        assert refused_code == "ConditionalCheckFailedException"
    both.delete_item(TableName="IntegrationsTable", Key=an_item(1), **of_revision(2))
    assert both.get_item(TableName="IntegrationsTable", Key=an_item(1)) == {}


@pytest.mark.parametrize(("stored", "is_written"), [(None, True), ("1", True), ("2", False), ("3", False)])
def test_a_row_is_replaced_only_by_a_later_one(both: Any, stored: str | None, *, is_written: bool) -> None:
    later = {
        "ConditionExpression": "attribute_not_exists(#item) OR #changedAt < :changedAt",
        "ExpressionAttributeNames": {"#item": "item", "#changedAt": "changedAt"},
        "ExpressionAttributeValues": {":changedAt": {"S": "2"}},
    }
    if stored:
        both.put_item(TableName="IntegrationsTable", Item=an_item(1, changedAt={"S": stored}))
    write = {"TableName": "IntegrationsTable", "Item": an_item(1, changedAt={"S": "2"}), **later}
    if is_written:
        both.put_item(**write)
    else:
        assert refusal(both.put_item, **write) == "ConditionalCheckFailedException"
    both.get_item(TableName="IntegrationsTable", Key=an_item(1))


@pytest.mark.parametrize(
    ("stored", "is_written"),
    [
        (None, True),
        ({"expiration": "99", "status": "COMPLETED"}, True),
        ({"expiration": "100", "status": "COMPLETED"}, False),
        ({"expiration": "1000", "status": "COMPLETED", "in_progress_expiration": "1"}, False),
        ({"expiration": "1000", "status": "INPROGRESS"}, False),
        ({"expiration": "1000", "status": "INPROGRESS", "in_progress_expiration": "99999"}, True),
        ({"expiration": "1000", "status": "INPROGRESS", "in_progress_expiration": "100000"}, False),
    ],
)
def test_a_request_is_remembered_if_none_is_or_its_time_is_over(
    both: Any, stored: dict[str, str] | None, *, is_written: bool
) -> None:
    """Numbers are compared as numbers: 99 is before 100."""
    if stored:
        typed = {name: {"S" if name == "status" else "N": text} for name, text in stored.items()}
        both.put_item(TableName="AnswersTable", Item={"id": {"S": "key"}, **typed})
    write = {
        "TableName": "AnswersTable",
        "Item": {"id": {"S": "key"}, "expiration": {"N": "200"}, "status": {"S": "INPROGRESS"}},
        # As Powertools writes it.
        "ConditionExpression": "attribute_not_exists(#id) OR #expiry < :now OR (#status = :inprogress AND "
        "attribute_exists(#in_progress_expiry) AND #in_progress_expiry < :now_in_millis)",
        "ExpressionAttributeNames": {
            "#id": "id",
            "#expiry": "expiration",
            "#in_progress_expiry": "in_progress_expiration",
            "#status": "status",
        },
        "ExpressionAttributeValues": {
            ":now": {"N": "100"},
            ":now_in_millis": {"N": "100000"},
            ":inprogress": {"S": "INPROGRESS"},
        },
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    if is_written:
        both.put_item(**write)
    else:
        assert refusal(both.put_item, **write) == "ConditionalCheckFailedException"
    both.get_item(TableName="AnswersTable", Key={"id": {"S": "key"}})


def test_a_new_item_is_written_once(both: Any) -> None:
    new = {"ConditionExpression": "attribute_not_exists(#item)", "ExpressionAttributeNames": {"#item": "item"}}
    both.put_item(TableName="IntegrationsTable", Item=an_item(1), **new)
    assert refusal(both.put_item, TableName="IntegrationsTable", Item=an_item(1), **new) == (
        "ConditionalCheckFailedException"
    )


def test_an_update_sets_and_removes_attributes(both: Any) -> None:
    update = {
        "TableName": "IntegrationsTable",
        "Key": an_item(1),
        "UpdateExpression": "SET #a = :a, #b = :b REMOVE #c",
        "ExpressionAttributeNames": {"#a": "a", "#b": "b", "#c": "c"},
        "ExpressionAttributeValues": {":a": {"S": "text"}, ":b": {"BOOL": True}},
    }
    both.update_item(**update)
    both.put_item(TableName="IntegrationsTable", Item=an_item(1, a={"S": "old"}, c={"S": "gone"}, d={"N": "4"}))
    both.update_item(**update)
    assert both.get_item(TableName="IntegrationsTable", Key=an_item(1))["Item"] == an_item(
        1, a={"S": "text"}, b={"BOOL": True}, d={"N": "4"}
    )


@pytest.mark.parametrize(("revision", "is_frozen"), [(1, False), (2, False), (1, True)])
def test_a_transaction_writes_everything_or_nothing(both: Any, revision: int, *, is_frozen: bool) -> None:
    both.put_item(TableName="IntegrationsTable", Item=an_item(1, revision={"N": "1"}))
    both.put_item(TableName="IntegrationsTable", Item=an_item(2, data={"S": "old"}))
    both.put_item(TableName="IntegrationsTable", Item=an_item(4))
    if is_frozen:
        both.put_item(TableName="IntegrationsTable", Item={**DEMO, "item": {"S": "freeze"}})
    unchanged = of_revision(revision)
    del unchanged["ReturnValuesOnConditionCheckFailure"]
    update = {
        "UpdateExpression": "SET #data = :data",
        "ExpressionAttributeNames": {"#data": "data"},
        "ExpressionAttributeValues": {":data": {"S": "new"}},
    }
    not_frozen = {"ConditionExpression": "attribute_not_exists(#item)", "ExpressionAttributeNames": {"#item": "item"}}
    writes = [
        {"Update": {"TableName": "IntegrationsTable", "Key": an_item(2), **update}},
        {"ConditionCheck": {"TableName": "IntegrationsTable", "Key": an_item(1), **unchanged}},
        {"ConditionCheck": {"TableName": "IntegrationsTable", "Key": {**DEMO, "item": {"S": "freeze"}}, **not_frozen}},
        {"Put": {"TableName": "IntegrationsTable", "Item": an_item(3), **not_frozen}},
        {"Delete": {"TableName": "IntegrationsTable", "Key": an_item(4)}},
    ]
    is_written = revision == 1 and not is_frozen
    if is_written:
        both.transact_write_items(TransactItems=writes)
    else:
        assert refusal(both.transact_write_items, TransactItems=writes) == "TransactionCanceledException"
    stored = both.query(**OF_DEMO)["Items"]
    assert an_item(2, data={"S": "new" if is_written else "old"}) in stored
    assert (an_item(3) in stored) == is_written
    assert (an_item(4) in stored) != is_written


def test_a_batch_gives_what_exists_and_only_what_is_asked_of_it(both: Any) -> None:
    for number in (1, 2):
        both.put_item(TableName="IntegrationsTable", Item=an_item(number, data={"S": "text"}, revision={"N": "1"}))
    keys = [an_item(number) for number in (1, 2, 3)]
    whole = both.batch_get_item(RequestItems={"IntegrationsTable": {"Keys": keys, "ConsistentRead": True}})
    assert len(whole["Responses"]["IntegrationsTable"]) == 2
    only = {"ProjectionExpression": "#item, #data", "ExpressionAttributeNames": {"#item": "item", "#data": "data"}}
    parts = both.batch_get_item(RequestItems={"IntegrationsTable": {"Keys": keys, **only}})
    assert {frozenset(item) for item in parts["Responses"]["IntegrationsTable"]} == {frozenset({"item", "data"})}


@pytest.mark.parametrize("keys", [[an_item(1)] * 2, [an_item(number) for number in range(101)]])
def test_a_batch_of_too_many_keys_or_one_twice_is_refused(both: Any, keys: list[Any]) -> None:
    assert refusal(both.batch_get_item, RequestItems={"IntegrationsTable": {"Keys": keys}}) == "ValidationException"


def test_an_item_of_more_than_400_kb_is_refused(both: Any) -> None:
    large = an_item(1, data={"S": "é" * 205_000})
    assert refusal(both.put_item, TableName="IntegrationsTable", Item=large) == "ValidationException"
    both.put_item(TableName="IntegrationsTable", Item=an_item(1, data={"S": "é" * 200_000}))


def test_a_sort_key_of_more_than_1024_bytes_is_refused(both: Any) -> None:
    longest = "é" * 512
    assert refusal(both.put_item, TableName="IntegrationsTable", Item={**DEMO, "item": {"S": f"{longest}x"}}) == (
        "ValidationException"
    )
    both.put_item(TableName="IntegrationsTable", Item={**DEMO, "item": {"S": longest}})


def test_a_name_that_no_expression_uses_is_refused(both: Any) -> None:
    names = {"ExpressionAttributeNames": {"#revision": "revision", "#idle": "idle"}}
    write = {"TableName": "IntegrationsTable", "Item": an_item(1), **of_revision(1), **names}
    assert refusal(both.put_item, **write) == "ValidationException"


def test_a_name_that_is_not_given_is_refused(memory: MemoryDynamoDB) -> None:
    """Moto fails with an error of its own."""
    write = {"TableName": "IntegrationsTable", "Item": an_item(1), **of_revision(1)}
    with pytest.raises(Invalid):
        memory.put_item(**(write | {"ExpressionAttributeNames": {}}))


def test_a_page_goes_on_where_the_one_before_it_ended(both: Any) -> None:
    for number in (3, 1, 5, 2, 4):
        both.put_item(TableName="IntegrationsTable", Item=an_item(number))
    both.put_item(TableName="IntegrationsTable", Item={**DEMO, "item": {"S": "other"}})
    for forward in (True, False):
        found: list[str] = []
        start: dict[str, Any] = {}
        while True:
            answer = both.query(**OF_DEMO, Limit=2, ScanIndexForward=forward, **start)
            found += [item["item"]["S"] for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                break
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        assert found == [f"row#{number}" for number in sorted(range(1, 6), reverse=not forward)]
    (page,) = both.get_paginator("query").paginate(**OF_DEMO, PaginationConfig={"PageSize": 2})
    assert len(page["Items"]) == 5


def test_each_index_shows_what_it_includes_in_its_order(both: Any) -> None:
    orders = OrderStore(both, "OrdersTable")
    for number in (2, 3, 1):
        times = {"created_at": NOON + timedelta(minutes=number), "ship_by": NOON - timedelta(minutes=number)}
        amazon = an_amazon_order(order_id=f"701-{number}", **times)
        order = an_order(amazon, redownload_at=NOON - timedelta(hours=number))
        both.put_item(TableName="OrdersTable", Item=to_item(order))
    integration = order.integration
    pages = [
        Page(limit=2),
        Page(limit=2, descending=True),
        Page(limit=5, between=("2026-11-23T12:02", "2026-11-23T12:04")),
    ]
    found = [[one.order_id for one in orders.find_by_created(integration, page).summaries] for page in pages]
    assert found == [["701-1", "701-2"], ["701-3", "701-2"], ["701-2", "701-3"]]
    assert orders.count_created(integration, NOON, NOON + timedelta(minutes=2)) == 1
    assert list(orders.find_due(integration, NOON)) == ["701-3", "701-2", "701-1"]
    assert len(list(orders.find_redactions_due(integration, NOON + timedelta(days=100)))) == 3


@pytest.mark.parametrize(
    ("condition", "names", "values"),
    [
        ("size(#a) > :n", {"#a": "a"}, {":n": {"N": "1"}}),
        ("#a > :a OR #b = :b", {"#a": "a", "#b": "b"}, {":a": {"S": "1"}, ":b": {"S": "1"}}),
        ("NOT (#a = :a AND #b = :b)", {"#a": "a", "#b": "b"}, {":a": {"S": "1"}, ":b": {"S": "1"}}),
    ],
)
def test_a_condition_that_it_does_not_know_is_an_error(
    memory: MemoryDynamoDB, condition: str, names: dict[str, str], values: dict[str, Any]
) -> None:
    with pytest.raises(NotImplementedError):
        memory.put_item(
            TableName="IntegrationsTable",
            Item=an_item(1),
            ConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
        )


@pytest.mark.parametrize("index", [None, "byCreated", "byDue"])
def test_an_account_in_memory_shows_tests_what_a_table_or_an_index_holds(moto: Any, index: str | None) -> None:
    of_index: dict[str, Any] = {"IndexName": index} if index else {}

    def shown(client: Any) -> list[Any]:
        for order in (an_order(an_amazon_order(order_id="701-1")), an_order(redownload_at=NOON)):
            client.put_item(TableName="OrdersTable", Item=to_item(order))
        return sorted(client.scan(TableName="OrdersTable", **of_index)["Items"], key=str)

    expected = shown(moto)
    with aws_in_memory():
        memory = boto3.client("dynamodb", region_name="eu-west-1")
        assert memory.list_tables()["TableNames"] == []
        create_table(memory, "OrdersTable")
        assert shown(memory) == expected
        assert memory.list_tables()["TableNames"] == ["OrdersTable"]
    assert expected


def test_it_cannot_scan(memory: MemoryDynamoDB) -> None:
    with pytest.raises(NotImplementedError):
        memory.get_paginator("scan")
    assert not hasattr(memory, "scan")

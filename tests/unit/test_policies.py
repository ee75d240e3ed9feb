"""The requests that a policy allows in the tests of permissions: never more than IAM would."""

import pytest

from tools.permissions.policies import Request, Statement, allows
from tools.permissions.requests import requests_of

TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/OrdersTable"
KEY = {"orderId": {"S": "701"}}


def writing(*attributes: str) -> Request:
    return Request("dynamodb:UpdateItem", TABLE, {"dynamodb:Attributes": frozenset(attributes)})


def only(operator: str, *values: str) -> Statement:
    return Statement(("dynamodb:UpdateItem",), (TABLE,), ((operator, "dynamodb:Attributes", values),))


@pytest.mark.parametrize(
    ("actions", "resource", "is_allowed"),
    [
        (("dynamodb:UpdateItem",), TABLE, True),
        (("dynamodb:GetItem",), TABLE, False),
        (("dynamodb:UpdateItem",), f"{TABLE}/index/byDue", False),
        (("dynamodb:UpdateItem",), f"{TABLE}*", True),
    ],
)
def test_a_request_is_allowed_by_a_statement_of_its_action_and_resource(
    actions: tuple[str, ...], resource: str, is_allowed: bool
) -> None:
    assert allows((Statement(actions, (resource,)),), writing("stage")) is is_allowed


def test_excluded_attributes_are_excluded_in_any_company() -> None:
    policy = (only("ForAllValues:StringNotLike", "edits", "com*"),)
    assert allows(policy, writing("orderId", "stage"))
    assert not allows(policy, writing("orderId", "edits"))
    assert not allows(policy, writing("orderId", "comment"))


def test_attributes_that_are_not_listed_are_not_allowed() -> None:
    policy = (only("ForAllValues:StringEquals", "orderId", "stage"),)
    assert allows(policy, writing("orderId"))
    assert not allows(policy, writing("orderId", "edits"))


def test_a_condition_on_what_a_request_does_not_say_is_not_taken_to_hold() -> None:
    """In IAM it would hold, with `ForAllValues`: no policy may rest on that."""
    with pytest.raises(KeyError):
        allows((only("ForAllValues:StringNotLike", "edits"),), Request("dynamodb:UpdateItem", TABLE))


def test_a_condition_that_is_not_known_here_is_not_taken_to_hold() -> None:
    with pytest.raises(NotImplementedError):
        allows((only("StringEquals", "edits"),), writing("stage"))


def test_a_statement_splits_by_action_resource_and_allowed_value_only() -> None:
    listed = Statement(("a", "b"), ("r", "s"), (("ForAllValues:StringEquals", "k", ("1", "2")),))
    assert len(set(listed.permissions())) == 8
    excluded = Statement(("a",), ("r",), (("ForAllValues:StringNotLike", "k", ("1", "2")),))
    assert list(excluded.permissions()) == [excluded]


def test_a_statement_without_one_permission_still_allows_all_others() -> None:
    condition = ("ForAllValues:StringEquals", "k", ("1", "2"))
    statement = Statement(("a", "b"), ("r",), (condition,))
    both, first, second = (Request("a", "r", {"k": frozenset(values)}) for values in ({"1", "2"}, {"1"}, {"2"}))
    other = both._replace(action="b")
    taken = next(statement.permissions())
    assert taken.allows(first)
    left = tuple(statement.without(taken))
    assert [allows(left, request) for request in (both, first, second, other)] == [False, False, True, True]
    excluding = Statement(("a",), ("r",), (("ForAllValues:StringNotLike", "k", ("1", "2")),))
    assert list(excluding.without(excluding)) == []
    unconditional = Statement(("a",), ("r",))
    assert list(unconditional.without(unconditional)) == []


def test_an_update_names_its_key_what_it_writes_removes_and_rests_on() -> None:
    (request,) = requests_of(
        "dynamodb",
        "UpdateItem",
        {
            "TableName": "OrdersTable",
            "Key": KEY,
            "UpdateExpression": "SET #stage = :stage REMOVE #hold",
            "ConditionExpression": "#revision = :read",
            "ExpressionAttributeNames": {"#stage": "stage", "#hold": "hold", "#revision": "revision"},
        },
    )
    assert (request.action, request.resource) == ("dynamodb:UpdateItem", TABLE)
    assert request.keys["dynamodb:Attributes"] == {"orderId", "stage", "hold", "revision"}
    assert request.keys["dynamodb:LeadingKeys"] == {"701"}


def test_a_transaction_is_asked_for_write_by_write_and_check_by_check() -> None:
    write, check = ({"TableName": "OrdersTable", "Key": KEY} for _ in range(2))
    asked = requests_of(
        "dynamodb", "TransactWriteItems", {"TransactItems": [{"Update": write}, {"ConditionCheck": check}]}
    )
    assert [request.action for request in asked] == ["dynamodb:UpdateItem", "dynamodb:ConditionCheckItem"]


def test_a_query_of_an_index_is_asked_for_on_the_index() -> None:
    (request,) = requests_of(
        "dynamodb",
        "Query",
        {
            "TableName": "OrdersTable",
            "IndexName": "byDue",
            "KeyConditionExpression": "#integration = :integration AND #dueKey < :now",
            "ExpressionAttributeNames": {"#integration": "integration", "#dueKey": "dueKey"},
            "ExpressionAttributeValues": {":integration": {"S": "demo"}, ":now": {"S": "2026"}},
        },
    )
    assert request.resource == f"{TABLE}/index/byDue"
    assert request.keys["dynamodb:LeadingKeys"] == {"demo"}


def test_a_call_that_nobody_has_thought_of_yet_is_an_error() -> None:
    with pytest.raises(NotImplementedError):
        requests_of("dynamodb", "Scan", {"TableName": "OrdersTable"})

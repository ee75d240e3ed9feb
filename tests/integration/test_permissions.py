"""The roles of template.yaml allow each function all of its own calls, and nothing else.

Every other test of the functions is held to these roles too: see `invoke`.
"""

from collections.abc import Iterator, Mapping

import pytest
from moto import mock_aws

from needs_attention.values import times
from tests.integration.everything import do_everything
from tools.from_template import resources
from tools.in_memory.api import IAM, NAMES, Clock, World
from tools.permissions.policies import Policy, Request, Statement, allows, arn, policy_of, roles

POLICIES = {function: policy_of(role, NAMES) for function, role in roles().items()}
AMAZONS = ("amazon", "downloadedAt")
REDACTIONS = ("redactedAt", "redaction")
PEOPLES = ("edits", "accepted", "override", "assignedTo", "comment")
WRITE_LOGS = ("CreateLogStream", "PutLogEvents")
READ_QUEUE = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
READ_STREAM = ("DescribeStream", "GetRecords", "GetShardIterator")


def used_by_lambda(function: str) -> set[Statement]:
    """Lambda's own use of a function's role: it reads the function's events, reports abandoned records, and logs.

    By Lambda's Developer Guide: "Using Lambda with Amazon SQS" and "... with DynamoDB", each under "permissions". No
    AWS in memory uses the role for that, so without one of these nothing would fail here.
    """
    (properties,) = (
        one["Properties"]
        for one in resources().values()
        if one["Type"] == "AWS::Serverless::Function" and one["Properties"]["Role"] == f"{roles()[function]}.Arn"
    )
    used = {(f"logs:{action}", _arn(properties["LoggingConfig"]["LogGroup"])) for action in WRITE_LOGS}
    for event in properties["Events"].values():
        match event["Type"], event["Properties"]:
            case "SQS", source:
                used |= {(f"sqs:{action}", _arn(source["Queue"])) for action in READ_QUEUE}
            case "DynamoDB", source:
                used |= {(f"dynamodb:{action}", f"{_arn(source['Stream'])}/stream/*") for action in READ_STREAM}
                used |= {("dynamodb:ListStreams", "*")}
                used |= {("sqs:SendMessage", _arn(source["DestinationConfig"]["OnFailure"]["Destination"]))}
    return {Statement((action,), (resource,)) for action, resource in used}


def _arn(reference: str) -> str:
    return arn(reference.partition(".")[0], NAMES)


# Each permission that can be taken away singly.
SINGLY: Mapping[str, Policy] = {
    function: tuple(single for statement in policy for single in statement.permissions())
    for function, policy in POLICIES.items()
}
USED_BY_CODE = [
    pytest.param(function, statement, permission, id=f"{function}: {permission}")
    for function, policy in POLICIES.items()
    for statement in policy
    for permission in statement.permissions()
    if permission not in used_by_lambda(function)
]


@pytest.fixture(scope="module")
def asked() -> Iterator[Mapping[str, list[Request]]]:
    """All requests that each function ever makes to AWS."""
    with mock_aws(), pytest.MonkeyPatch.context() as monkeypatch, IAM.listening() as asked:
        clock = Clock()
        monkeypatch.setattr(times, "utc_now", clock)
        do_everything(World(clock), monkeypatch)
        yield asked


def test_with_all_its_permissions_a_function_is_denied_nothing(asked: Mapping[str, list[Request]]) -> None:
    denied = [(name, one) for name, policy in POLICIES.items() for one in asked[name] if not allows(policy, one)]
    assert denied == []


@pytest.mark.parametrize(("function", "statement", "permission"), USED_BY_CODE)
def test_without_any_one_permission_something_is_denied(
    asked: Mapping[str, list[Request]], function: str, statement: Statement, permission: Statement
) -> None:
    others = (one for one in POLICIES[function] if one is not statement)
    left = (*others, *statement.without(permission))
    assert any(not allows(left, request) for request in asked[function])


@pytest.mark.parametrize("function", POLICIES)
def test_lambda_may_read_a_functions_events_and_write_its_log(function: str) -> None:
    assert used_by_lambda(function) <= set(SINGLY[function])


@pytest.mark.parametrize(
    ("function", "attribute"),
    [
        *(("download_orders", attribute) for attribute in PEOPLES),
        *(("validate_orders", attribute) for attribute in (*AMAZONS, *PEOPLES, *REDACTIONS)),
        *(("edit_orders", attribute) for attribute in (*AMAZONS, *REDACTIONS)),
        *(("redact_orders", attribute) for attribute in ("downloadedAt", "accepted")),
    ],
)
def test_a_function_cannot_write_attributes_of_another(function: str, attribute: str) -> None:
    assert may_write(function, {"orderId", "stage"})
    assert not may_write(function, {"orderId", "stage", attribute})


def may_write(function: str, attributes: set[str]) -> bool:
    keys = {"dynamodb:LeadingKeys": frozenset({"701-1111111-1111111"}), "dynamodb:Attributes": frozenset(attributes)}
    return allows(POLICIES[function], Request("dynamodb:UpdateItem", _arn("OrdersTable"), keys))


@pytest.mark.parametrize("function", POLICIES)
@pytest.mark.parametrize(
    "action", ["PutItem", "DeleteItem", "BatchWriteItem", "PartiQLUpdate", "PartiQLInsert", "Scan"]
)
def test_no_function_goes_round_those_conditions(function: str, action: str) -> None:
    assert not allows(POLICIES[function], Request(f"dynamodb:{action}", _arn("OrdersTable")))


@pytest.mark.parametrize("action", ["PutItem", "UpdateItem", "DeleteItem"])
def test_settings_stages_and_the_freeze_are_written_by_settings_alone(action: str) -> None:
    keys = {"dynamodb:LeadingKeys": frozenset({"#system"}), "dynamodb:Attributes": frozenset({"integrationId", "item"})}
    request = Request(f"dynamodb:{action}", _arn("IntegrationsTable"), keys)
    may = {function for function, policy in POLICIES.items() if allows(policy, request)}
    assert may == ({"manage_settings"} if action != "UpdateItem" else set())


def test_only_the_downloader_reads_credentials_only_settings_writes_them() -> None:
    secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:needs-attention/integration/acme-na-a1B2c3"
    may = {
        action: {function for function, policy in POLICIES.items() if allows(policy, Request(action, secret))}
        for statements in POLICIES.values()
        for statement in statements
        for action in statement.actions
        if action.startswith("secretsmanager:")
    }
    assert may == {
        "secretsmanager:GetSecretValue": {"download_orders"},
        "secretsmanager:CreateSecret": {"manage_settings"},
        "secretsmanager:PutSecretValue": {"manage_settings"},
        "secretsmanager:DescribeSecret": {"manage_settings"},
        "secretsmanager:UpdateSecretVersionStage": {"manage_settings"},
        "secretsmanager:DeleteSecret": {"manage_settings"},
    }


@pytest.mark.parametrize("name", ["other/integration/acme-na", "needs-attention/x", "needs-attention-2/integration/x"])
def test_no_other_secret_is_in_reach(name: str) -> None:
    secret = f"arn:aws:secretsmanager:us-east-1:123456789012:secret:{name}-a1B2c3"
    actions = (
        "GetSecretValue",
        "CreateSecret",
        "PutSecretValue",
        "DescribeSecret",
        "UpdateSecretVersionStage",
        "DeleteSecret",
    )
    requests = [Request(f"secretsmanager:{action}", secret) for action in actions]
    assert not any(allows(policy, request) for policy in POLICIES.values() for request in requests)


def test_wildcards_stand_only_where_there_is_no_name_yet() -> None:
    """A stream's name ends with when it was made, a secret's with letters of AWS's; two actions have no resource."""
    wild = {
        (action, resource)
        for policy in POLICIES.values()
        for statement in policy
        for action in statement.actions
        for resource in statement.resources
        if "*" in resource or "*" in action
    }
    assert {action for action, _ in wild if not action.startswith("secretsmanager:")} == {
        "cloudwatch:GetMetricStatistics",
        "dynamodb:ListStreams",
        *(f"dynamodb:{action}" for action in READ_STREAM),
    }
    assert {resource for _, resource in wild if resource.endswith("*") and "secret" not in resource} == {
        "*",
        f"{_arn('OrdersTable')}/stream/*",
    }

"""The parts of template.yaml that encrypt data, restrict it to TLS, and close it to everybody else."""

import re
from itertools import chain, pairwise
from typing import Any

import pytest

from tools.from_template import TEMPLATE, conditions, of_type, resources, rules

QUEUES, TOPICS, TABLES = of_type("AWS::SQS::Queue"), of_type("AWS::SNS::Topic"), of_type("AWS::DynamoDB::Table")
LOGS = of_type("AWS::Logs::LogGroup")
(KEY,) = of_type("AWS::KMS::Key").values()
(API,) = of_type("AWS::Serverless::Api").values()
ROUTES = {
    (event["Properties"]["Method"], event["Properties"]["Path"]): event["Properties"]
    for function in of_type("AWS::Serverless::Function").values()
    for event in function["Events"].values()
    if event["Type"] == "Api"
}


def key_of(name: str) -> Any:
    properties = resources()[name]["Properties"]
    in_a_table = properties.get("SSESpecification", {}).get("KMSMasterKeyId")
    return in_a_table or properties.get("KmsMasterKeyId") or properties.get("KmsKeyId")


def policies_of(name: str) -> list[Any]:
    """The policy documents that stand at a queue, topic or table: the service keeps only the last that it is given."""
    attached = chain(of_type("AWS::SQS::QueuePolicy").values(), of_type("AWS::SNS::TopicPolicy").values())
    documents = [one["PolicyDocument"] for one in attached if name in one.get("Queues", one.get("Topics"))]
    return documents or documents_within(resources()[name])


def documents_within(value: Any) -> list[Any]:
    """Every policy document in it, however deep."""
    if isinstance(value, list):
        return [document for item in value for document in documents_within(item)]
    if not isinstance(value, dict):
        return []
    return [value] if "Statement" in value else documents_within(list(value.values()))


def statements_of(document: Any) -> list[Any]:
    """Its statements, also those that stand in an `!If`."""
    return [
        statement
        for item in document["Statement"]
        for statement in (item if isinstance(item, list) else [item])
        if isinstance(statement, dict)
    ]


@pytest.mark.parametrize("name", [*TABLES, *QUEUES, *TOPICS, *LOGS])
def test_whatever_keeps_data_is_encrypted_with_the_key(name: str) -> None:
    assert key_of(name) in {"Key", "Key.Arn"}


def test_the_key_rotates() -> None:
    assert KEY["EnableKeyRotation"] is True


def test_logs_may_use_the_key_for_log_groups_of_this_stack_alone() -> None:
    (statement,) = (one for one in statements_of(KEY["KeyPolicy"]) if "logs." in str(one["Principal"]))
    (encrypted,) = statement["Condition"]["ArnLike"].values()
    assert encrypted.endswith(":log-group:${AWS::StackName}-*")
    assert [name for name, group in LOGS.items() if "LogGroupName" in group] == []  # CloudFormation names them so


@pytest.mark.parametrize("name", [*TABLES, *QUEUES, *TOPICS])
def test_every_queue_topic_and_table_has_one_policy_against_plain_http(name: str) -> None:
    (policy,) = policies_of(name)
    refusals = [one for one in statements_of(policy) if one["Effect"] == "Deny"]
    assert [(one["Principal"], one["Condition"]) for one in refusals] == [
        ("*", {"Bool": {"aws:SecureTransport": "false"}})
    ]
    assert refusals[0]["Action"] in {"sqs:*", "dynamodb:*", "sns:Publish"}
    assert refusals[0]["Resource"] in {"*", name}


def test_plain_http_is_for_one_machine_alone() -> None:
    assert conditions()["HasTls"] == ["IsLocal"]  # !Not
    assert conditions()["IsLocal"] == ["Environment", "local"]  # !Equals
    assert of_type("AWS::SQS::QueuePolicy").keys() == {"QueuePolicy", "OrderChangeQueuePolicy"}
    assert resources()["QueuePolicy"]["Condition"] == "HasTls"
    (_, order_changes) = resources()["OrderChangeQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    (_, alarms) = resources()["AlarmTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    tables = [properties["ResourcePolicy"] for properties in TABLES.values()]
    assert {(one[0], one[2]) for one in [order_changes, alarms, *tables]} == {("HasTls", "AWS::NoValue")}


def test_the_api_takes_no_tls_below_1_2() -> None:
    (domain,) = of_type("AWS::ApiGateway::DomainName").values()
    for endpoint in (API, domain):
        assert endpoint["SecurityPolicy"].startswith("SecurityPolicy_TLS13_1_2_")
        assert endpoint["EndpointAccessMode"] == "STRICT"


def test_no_policy_allows_anything_to_everybody() -> None:
    allowed = [
        (name, one)
        for name, resource in resources().items()
        for document in documents_within(resource)
        for one in statements_of(document)
        if one["Effect"] == "Allow" and one.get("Principal") in ("*", {"AWS": "*"})
    ]
    assert [(name, one["Condition"]["StringEquals"]["kms:CallerAccount"]) for name, one in allowed] == [
        ("Key", "AWS::AccountId")
    ]


@pytest.mark.parametrize("role", of_type("AWS::IAM::Role"))
def test_no_role_may_call_a_table_without_naming_keys(role: str) -> None:
    """The conditions on keys let a call pass that names none: a scan, or PartiQL."""
    documents = documents_within(of_type("AWS::IAM::Role")[role].get("Policies", []))
    allowed = [one["Action"] for document in documents for one in statements_of(document)]
    actions = {name for some in allowed for name in ([some] if isinstance(some, str) else some)}
    assert {name for name in actions if re.search(r"Scan|PartiQL|\*", name)} == set()


def test_a_stranger_reads_what_the_api_is_and_nothing_else() -> None:
    assert API["Auth"]["DefaultAuthorizer"] == "Cognito"
    assert {route for route, properties in ROUTES.items() if "Auth" in properties} == {("GET", "/openapi.json")}


def test_functions_are_called_through_the_api_and_their_triggers_alone() -> None:
    kinds = {resource["Type"] for resource in resources().values()}
    assert kinds & {"AWS::Lambda::Permission", "AWS::Lambda::Url"} == set()
    assert [name for name, one in of_type("AWS::Serverless::Function").items() if "FunctionUrlConfig" in one] == []


def test_nobody_signs_up_without_being_invited() -> None:
    (pool,) = of_type("AWS::Cognito::UserPool").values()
    assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True


def test_people_cannot_change_the_address_that_resets_their_password() -> None:
    people = of_type("AWS::Cognito::UserPoolClient")["PeopleClient"]
    assert people["WriteAttributes"] == ["name"]


def test_the_first_administrator_outlives_the_parameter_that_invited_it() -> None:
    for name in ("FirstAdministrator", "FirstAdministratorMembership"):
        resource = resources()[name]
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_production_is_not_deployed_without_somebody_who_hears_its_alarms() -> None:
    rule = rules()["SomebodyHearsTheAlarmsOfProduction"]
    assert rule["RuleCondition"] == ["Environment", "prod"]  # !Equals
    assert [one["Assert"] for one in rule["Assertions"]] == [[["AlarmEmail", ""]]]  # !Not, !Equals


def test_every_exception_next_to_a_resource_says_why() -> None:
    exceptions = re.findall(r"checkov:skip=(\w+)(?::(.*))?", TEMPLATE.read_text(encoding="utf-8"))
    assert exceptions
    assert [check for check, reason in exceptions if len(reason.split()) < 5] == []


@pytest.mark.parametrize(("settings", "exception"), [("checkov.yaml", "  - CKV"), ("kingfisher.yaml", "    - '")])
def test_every_exception_in_the_settings_of_a_scan_has_its_reason_above_it(settings: str, exception: str) -> None:
    lines = (TEMPLATE.parent / "security" / settings).read_text(encoding="utf-8").splitlines()
    above = [before.strip() for before, line in pairwise(lines) if line.startswith(exception)]
    assert above
    assert [line for line in above if not line.startswith("# ")] == []

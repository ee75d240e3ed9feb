"""The values of template.yaml on which security, retention and operation rest, each with its reason.

No emulator notices a wrong one, and the other tests of the template ask whether a setting is there.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from needs_attention.api.callers import Role
from tools.from_template import globals_of_functions, of_type, parameters, resources

HOUR, DAY = 3600, 86_400
(API,) = of_type("AWS::Serverless::Api").values()


def value_at(path: str) -> Any:
    """The value at a path, from a resource's properties or from `Parameters` or `Globals`. Raises KeyError."""
    first, *rest = path.split("/")
    roots: dict[str, Any] = {"Parameters": parameters(), "Globals": globals_of_functions()}
    value = roots[first] if first in roots else resources()[first]["Properties"]
    for step in rest:
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


PASSWORD = "UserPool/Policies/PasswordPolicy"
VALIDATION, PUBLICATION = (
    "ValidateOrdersFunction/Events/PendingVerdict/Properties",
    "PublishChangesFunction/Events/Change/Properties",
)
TICK, REDACTION_TICK, DAILY = (
    "DownloadOrdersFunction/Events/EveryMinute/Properties",
    "RedactOrdersFunction/Events/EveryFiveMinutes/Properties",
    "SendDigestFunction/Events/Daily/Properties",
)
AMAZON = {"AWS": "arn:${AWS::Partition}:iam::437568002678:root"}
AMAZON_MAY = "OrderChangeQueuePolicy/PolicyDocument/Statement/0"
NOBODYS_ORIGIN = ["HasAllowedOrigin", "'${AllowedOrigin}'", "'https://no.page.invalid'"]

# A reason that begins with a document's name quotes it, up to the semicolon.
VALUES: list[tuple[str, Any, str]] = [
    # Who comes in
    (
        "UserPool/MfaConfiguration",
        ["IsLocal", "OPTIONAL", "ON"],
        "everybody has a second factor, except on one machine",
    ),
    ("UserPool/EnabledMfas", ["SOFTWARE_TOKEN_MFA"], "an app: a text message can be intercepted"),
    ("UserPool/UsernameConfiguration/CaseSensitive", False, "Ada and ada are one person in the history"),
    ("UserPool/AliasAttributes", ["email"], "the history shows user names, people sign in with either"),
    ("UserPool/AutoVerifiedAttributes", ["email"], "a password is reset by a verified address"),
    ("UserPool/AccountRecoverySetting/RecoveryMechanisms", [{"Name": "verified_email", "Priority": 1}], "the one way"),
    ("UserPool/DeletionProtection", ["IsProd", "ACTIVE", "INACTIVE"], "the users of production are not deleted"),
    (f"{PASSWORD}/MinimumLength", 12, "SECURITY.md: a password of 12 characters"),
    (f"{PASSWORD}/RequireLowercase", True, "the same policy"),
    (f"{PASSWORD}/RequireUppercase", True, "the same policy"),
    (f"{PASSWORD}/RequireNumbers", True, "the same policy"),
    (f"{PASSWORD}/RequireSymbols", True, "the same policy"),
    (
        f"{PASSWORD}/TemporaryPasswordValidityDays",
        3,
        "operations.md: is good for three days; an invitation does not stay open",
    ),
    ("PeopleClient/GenerateSecret", False, "a page cannot keep one"),
    (
        "PeopleClient/ExplicitAuthFlows",
        ["ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        "passwords and refresh tokens, and no flow that skips them",
    ),
    ("PeopleClient/PreventUserExistenceErrors", "ENABLED", "a stranger does not learn who has an account"),
    ("PeopleClient/EnableTokenRevocation", True, "SECURITY.md: sign users out in Cognito"),
    ("PeopleClient/AccessTokenValidity", ["IsLocal", 24, 1], "a stolen token is good for an hour"),
    ("PeopleClient/IdTokenValidity", 1, "the same"),
    ("PeopleClient/RefreshTokenValidity", 24, "people sign in once a day"),
    (
        "PeopleClient/TokenValidityUnits",
        {"AccessToken": "hours", "IdToken": "hours", "RefreshToken": "hours"},
        "the unit of the three above",
    ),
    ("WarehouseClient/GenerateSecret", True, "client credentials are an ID and a secret"),
    ("WarehouseClient/AllowedOAuthFlows", ["client_credentials"], "a machine, and no people"),
    ("WarehouseClient/AllowedOAuthFlowsUserPoolClient", True, "without it there is no scope"),
    ("WarehouseClient/AllowedOAuthScopes", ["${ResourceServer}/warehouse"], "the warehouse's role and no other"),
    ("WarehouseClient/ExplicitAuthFlows", ["ALLOW_REFRESH_TOKEN_AUTH"], "the same: Cognito asks for one"),
    ("WarehouseClient/AccessTokenValidity", 1, "README.md: A token is good for an hour"),
    ("WarehouseClient/TokenValidityUnits", {"AccessToken": "hours"}, "the unit of that"),
    # What strangers and pages may do
    ("Api/Cors/AllowOrigin", NOBODYS_ORIGIN, "no page calls the API unless the operator names it"),
    ("Api/Cors/MaxAge", "'600'", "a page that is not allowed any more is stopped within ten minutes"),
    ("Api/Auth/AddDefaultAuthorizerToCorsPreflight", False, "browsers send no token with OPTIONS"),
    ("Api/MethodSettings/0/ThrottlingRateLimit", 50, "one caller does not take all of the account's runs"),
    ("Api/MethodSettings/0/ThrottlingBurstLimit", 100, "the same"),
    ("Api/BinaryMediaTypes", ["text~1csv", "application~1vnd.ms-excel"], "the types of a sheet in api/operations.py"),
    ("Api/Cors/AllowHeaders", "'Authorization,Content-Type,Idempotency-Key,If-Match'", "what the API reads"),
    # What Amazon may do
    (f"{AMAZON_MAY}/Principal", AMAZON, "the account of Amazon's notifications (Notifications API use case guide)"),
    ("Key/KeyPolicy/Statement/2/1/Principal", AMAZON, "messages of that account are encrypted with the key"),
    (f"{AMAZON_MAY}/Action", ["sqs:SendMessage", "sqs:GetQueueAttributes"], "the two that the same guide asks for"),
    *(
        (
            f"{policy}/Condition/StringEquals/aws:SourceAccount",
            "AWS::AccountId",
            "alarms of other accounts do not count",
        )
        for policy in ("Key/KeyPolicy/Statement/3", "AlarmTopicPolicy/PolicyDocument/Statement/0")
    ),
    # How long something is kept
    ("AnswersTable/TimeToLiveSpecification", {"AttributeName": "expiration", "Enabled": True}, "Powertools writes it"),
    (
        "OrderChangeQueue/MessageRetentionPeriod",
        HOUR,
        "retention.md: Amazon's notifications, if switched on: a postal code",
    ),
    ("RedactionQueue/MessageRetentionPeriod", 4 * HOUR, "runbook.md: A message expires after four hours"),
    ("WakeUpQueue/MessageRetentionPeriod", HOUR, "an old wake-up is worthless"),
    *(
        (
            f"{queue}/MessageRetentionPeriod",
            14 * DAY,
            "people have two weeks to replay it, which is all that SQS allows",
        )
        for queue in (
            "WakeUpDeadLetterQueue",
            "RedactionDeadLetterQueue",
            "ScheduleDeadLetterQueue",
            "ValidateOrdersFailureQueue",
            "PublishChangesFailureQueue",
        )
    ),
    ("WakeUpQueue/KmsDataKeyReusePeriodSeconds", HOUR, "a message holds no more than an integration's ID"),
    ("Parameters/PointInTimeRecoveryDays/Default", 3, "retention.md: 3 days after its removal"),
    ("Parameters/PointInTimeRecoveryDays/MaxValue", 3, "26 days and these stay within Amazon's 30"),
    ("Parameters/LogRetentionDays/Default", 400, "Amazon asks for 12 months, and a month to look"),
    *(
        (f"{table}/PointInTimeRecoverySpecification/RecoveryPeriodInDays", "PointInTimeRecoveryDays", "the limit above")
        for table in ("OrdersTable", "HistoryTable", "IntegrationsTable")
    ),
    # When work begins
    *((f"{tick}/State", "ScheduleState", "one switch for the clock") for tick in (TICK, REDACTION_TICK, DAILY)),
    (f"{TICK}/ScheduleExpression", "rate(1 minute)", "orders come within minutes"),
    (
        f"{REDACTION_TICK}/ScheduleExpression",
        "rate(5 minutes)",
        "retention.md: Every five minutes it asks for the redactions",
    ),
    (f"{DAILY}/ScheduleExpression", "cron(0 6 * * ? *)", "operations.md: At 06:00 UTC"),
    (f"{DAILY}/ScheduleExpressionTimezone", "UTC", "the same"),
    ("OrdersTable/StreamSpecification/StreamViewType", "NEW_IMAGE", "filters and history read the whole new order"),
    # From the first record: the order that comes while the stack is made is judged, and its history is written.
    (f"{VALIDATION}/StartingPosition", "TRIM_HORIZON", "no order is left out"),
    (f"{PUBLICATION}/StartingPosition", "TRIM_HORIZON", "no change is left out"),
    # How often and how long something is tried
    (f"{VALIDATION}/MaximumRetryAttempts", 10, "runbook.md: tried ten times; the clock asks again afterwards"),
    (f"{VALIDATION}/MaximumRecordAgeInSeconds", 6 * HOUR, "well before the stream forgets"),
    (f"{PUBLICATION}/MaximumRetryAttempts", 100, "runbook.md: after a hundred tries; history has no second source"),
    (
        f"{PUBLICATION}/MaximumRecordAgeInSeconds",
        22 * HOUR,
        "runbook.md: You have 22 hours; the stream forgets after 24",
    ),
    (f"{VALIDATION}/ParallelizationFactor", 4, "with the next one 8 of an account's runs for each shard"),
    (f"{PUBLICATION}/ParallelizationFactor", 4, "the same"),
    ("WakeUpQueue/RedrivePolicy/maxReceiveCount", 3, "runbook.md: failed three times in a row"),
    ("RedactionQueue/RedrivePolicy/maxReceiveCount", 3, "runbook.md: failed three times within an hour"),
    ("WakeUpQueue/ContentBasedDeduplication", False, "two wake-ups of one integration have the same text"),
    ("WakeUpQueue/DeduplicationScope", "messageGroup", "thousands of integrations wake within a second"),
    ("WakeUpQueue/FifoThroughputLimit", "perMessageGroupId", "the same"),
    (
        "ValidateOrdersFunction/DeploymentPreference/Type",
        "Canary10Percent5Minutes",
        "operations.md: a tenth of its batches for five minutes",
    ),
    # How long a run may take
    ("Globals/Timeout", 29, "API Gateway waits no longer"),
    ("DownloadOrdersFunction/Timeout", 120, "20 seconds of work, and its slowest call to Amazon"),
    ("WakeUpQueue/VisibilityTimeout", 130, "faults.md: the same wake-up comes again after 130 s"),
    ("RedactionQueue/VisibilityTimeout", 1080, "faults.md: the same message 18 minutes later"),
    ("ValidateOrdersFunction/Timeout", 60, "a rejudgement waits for whoever may still judge by earlier settings"),
    ("PublishChangesFunction/Timeout", 60, "a batch of 100 changes"),
    ("RedactOrdersFunction/Timeout", 180, "90 seconds of work, 30 of counting, and the last order"),
    ("SendDigestFunction/Timeout", 300, "runbook.md: DynamoDB answers too slowly for five minutes"),
    ("ReceiveOrderChangesFunction/Events/OrderChange/Properties/BatchSize", 100, "one wake-up for many changes"),
    # What is logged
    ("Globals/LoggingConfig/LogFormat", "JSON", "queries of the logs read fields"),
    ("Globals/LoggingConfig/ApplicationLogLevel", "INFO", "metrics are log lines too"),
    ("Globals/Environment/Variables/POWERTOOLS_LOG_LEVEL", "INFO", "DEBUG logs whole events, with personal data"),
]


@pytest.mark.parametrize(
    ("path", "value"), [(path, value) for path, value, _ in VALUES], ids=[row[0] for row in VALUES]
)
def test_a_value_on_which_something_rests_is_what_it_must_be(path: str, value: Any) -> None:
    assert value_at(path) == value


QUOTES = [(path, match[1], match[2]) for path, _, why in VALUES if (match := re.match(r"(\w+\.md): ([^;]+)", why))]


@pytest.mark.parametrize(("path", "document", "words"), QUOTES, ids=[f"{path} {name}" for path, name, _ in QUOTES])
def test_a_document_says_the_same_as_the_template(path: str, document: str, words: str) -> None:
    (file,) = (one for one in (Path(document), Path("docs", document)) if one.exists())
    assert words in " ".join(file.read_text(encoding="utf-8").split())


def test_every_value_has_its_reason() -> None:
    assert [path for path, _, why in VALUES if len(why.split()) < 2] == []
    assert len({path for path, _, _ in VALUES}) == len(VALUES)


def test_a_page_may_use_the_methods_of_the_routes_and_no_others() -> None:
    events = [event for one in of_type("AWS::Serverless::Function").values() for event in one["Events"].values()]
    methods = {event["Properties"]["Method"] for event in events if event["Type"] == "Api"}
    assert set(API["Cors"]["AllowMethods"].strip("'").split(",")) == {*methods, "OPTIONS"}


def test_the_roles_are_groups_for_people_and_scopes_for_machines() -> None:
    groups = {group["GroupName"]: group["Precedence"] for group in of_type("AWS::Cognito::UserPoolGroup").values()}
    (server,) = of_type("AWS::Cognito::UserPoolResourceServer").values()
    assert groups.keys() == {scope["ScopeName"] for scope in server["Scopes"]} == {*Role}
    assert sorted(groups, key=groups.__getitem__) == ["administrator", "warehouse", "editor", "reader"]
    machines = {f"{server['Identifier']}/{role}" for role in Role}
    taken = API["Auth"]["Authorizers"]["Cognito"]["AuthorizationScopes"]
    assert set(taken) == {"aws.cognito.signin.user.admin", *machines}

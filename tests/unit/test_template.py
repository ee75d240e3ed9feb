"""The parts of template.yaml that code and rules depend on, where no emulator would notice a fault."""

import json
import re
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from needs_attention.api.problems import Problem
from needs_attention.orders.order import REDACTION_AGE, REDACTION_TAKES_AT_MOST
from needs_attention.orders.settings import Settings
from needs_attention.orders.verdict import judged
from needs_attention.tables.order_items import to_item
from tools.builders import NOON, an_order
from tools.from_template import conditions, function_property, of_type, parameters, resources

AMAZONS_LIMIT = timedelta(days=30)


FUNCTIONS = of_type("AWS::Serverless::Function")
STREAMS = {
    name: event["Properties"]
    for name, function in FUNCTIONS.items()
    for event in function["Events"].values()
    if event["Type"] == "DynamoDB"
}
TABLES = ("OrdersTable", "HistoryTable", "IntegrationsTable")
# A deployment that fails takes with it what it made: nothing is in there yet, and the next one makes it again.
KEPT, KEPT_WHEN_REPLACED = ["IsProd", "RetainExceptOnCreate", "Delete"], ["IsProd", "Retain", "Delete"]
(API,) = of_type("AWS::Serverless::Api").values()
IF_GIVEN = ["HasPermissionsBoundary", "PermissionsBoundary", "AWS::NoValue"]


def test_every_function_has_a_folder_of_its_own() -> None:
    folders = {Path(function["CodeUri"]).name for function in FUNCTIONS.values()}
    assert folders == {folder.name for folder in Path("functions").iterdir() if (folder / "app.py").exists()}
    assert len(folders) == len(FUNCTIONS)


def test_validation_is_woken_by_pending_verdicts_only() -> None:
    (filter_,) = STREAMS["ValidateOrdersFunction"]["FilterCriteria"]["Filters"]
    wanted = json.loads(filter_["Pattern"])["dynamodb"]["NewImage"]
    pending = an_order()
    assert lets_through(wanted, to_item(pending))
    assert not lets_through(wanted, to_item(judged(pending, Settings(), NOON)))


def lets_through(pattern: dict[str, dict[str, list[str]]], image: Any) -> bool:
    return all(image[name][kind] in texts for name, types in pattern.items() for kind, texts in types.items())


@pytest.mark.parametrize("function", STREAMS)
def test_a_record_that_fails_neither_stops_the_stream_nor_vanishes(function: str) -> None:
    stream = STREAMS[function]
    assert stream["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert stream["BisectBatchOnFunctionError"] is True
    assert stream["MaximumRetryAttempts"] > 0
    assert stream["MaximumRecordAgeInSeconds"] < timedelta(hours=24).total_seconds()
    assert stream["DestinationConfig"]["OnFailure"]["Destination"]


def test_errors_and_records_that_fail_roll_back_a_canary_of_validation() -> None:
    alarms = FUNCTIONS["ValidateOrdersFunction"]["DeploymentPreference"]["Alarms"]
    watched = {
        (resources()[name]["Properties"]["Namespace"], resources()[name]["Properties"]["MetricName"]) for name in alarms
    }
    assert watched == {("AWS/Lambda", "Errors"), ("NeedsAttention/${AWS::StackName}", "ValidationsFailed")}


def test_redaction_and_the_days_of_recovery_stay_within_what_amazon_allows() -> None:
    recovery = timedelta(days=parameters()["PointInTimeRecoveryDays"]["MaxValue"])
    assert REDACTION_AGE + recovery + REDACTION_TAKES_AT_MOST <= AMAZONS_LIMIT


@pytest.mark.parametrize("table", TABLES)
def test_tables_are_encrypted_recoverable_and_kept_in_production(table: str) -> None:
    resource, properties = resources()[table], resources()[table]["Properties"]
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == (KEPT, KEPT_WHEN_REPLACED)
    assert properties["DeletionProtectionEnabled"] == ["IsProd", True, False]
    assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert properties["SSESpecification"]["SSEType"] == "KMS"
    assert properties["BillingMode"] == "PAY_PER_REQUEST"


# Their content is worthless, or must not be kept: wake-ups and messages of redactions say nothing that is not in the
# table, and Amazon's notifications carry a postal code.
NOT_KEPT = {"WakeUpQueue", "WakeUpDeadLetterQueue", "RedactionQueue", "RedactionDeadLetterQueue", "OrderChangeQueue"}


@pytest.mark.parametrize("kind", ["AWS::KMS::Key", "AWS::Cognito::UserPool", "AWS::Logs::LogGroup", "AWS::SQS::Queue"])
def test_resources_worth_keeping_outlive_the_stack_in_production(kind: str) -> None:
    kept = {name: one for name, one in resources().items() if one["Type"] == kind and name not in NOT_KEPT}
    assert kept
    assert [name for name, one in kept.items() if one.get("DeletionPolicy") != KEPT] == []
    assert [name for name, one in kept.items() if one.get("UpdateReplacePolicy") != KEPT_WHEN_REPLACED] == []


def test_resources_that_outlive_the_stack_do_not_block_its_next_one() -> None:
    """A name that is still taken would."""
    named = {"QueueName", "TableName", "LogGroupName", "UserPoolName"}
    kept = {name: one["Properties"] for name, one in resources().items() if one.get("DeletionPolicy") == KEPT}
    assert [name for name, properties in kept.items() if named & properties.keys()] == []


def test_a_wake_up_is_not_given_out_twice_while_its_function_may_still_run() -> None:
    queue = of_type("AWS::SQS::Queue")["WakeUpQueue"]
    assert queue["VisibilityTimeout"] > FUNCTIONS["DownloadOrdersFunction"]["Timeout"]
    assert queue["FifoQueue"] is True


def test_a_notification_stays_hidden_as_long_as_its_function_may_run() -> None:
    timeout = 29  # of Globals
    assert of_type("AWS::SQS::Queue")["OrderChangeQueue"]["VisibilityTimeout"] >= 6 * timeout


def test_a_message_of_redactions_is_tried_three_times_before_the_delay_rings() -> None:
    queue = of_type("AWS::SQS::Queue")["RedactionQueue"]
    alarm = of_type("AWS::CloudWatch::Alarm")["RedactionsDelayAlarm"]
    assert queue["VisibilityTimeout"] >= 6 * FUNCTIONS["RedactOrdersFunction"]["Timeout"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] * queue["VisibilityTimeout"] < alarm["Threshold"]
    assert alarm["Threshold"] < queue["MessageRetentionPeriod"]
    assert "FifoQueue" not in queue  # a message that fails keeps no other waiting


def test_redactions_leave_the_accounts_concurrency_to_the_others() -> None:
    source = FUNCTIONS["RedactOrdersFunction"]["Events"]["Redaction"]["Properties"]
    assert source["ScalingConfig"]["MaximumConcurrency"] < 10  # all that a new account has


def test_the_clock_of_redactions_cannot_stop_unheard() -> None:
    alarm = resources()["RedactionClockStoppedAlarm"]
    looks = alarm["Properties"]
    assert "Condition" not in alarm  # it also rings if somebody stops the clock on purpose
    assert (looks["TreatMissingData"], looks["Statistic"]) == ("breaching", "SampleCount")
    assert timedelta(seconds=looks["Period"] * looks["EvaluationPeriods"]) < REDACTION_TAKES_AT_MOST / 12


def test_nothing_for_notifications_is_there_unless_it_is_wanted() -> None:
    about = {name for name in resources() if "OrderChange" in name}
    assert len(about) == 6
    assert {resources()[name]["Condition"] for name in about} == {"TakesOrderChanges"}
    assert parameters()["OrderChangeNotifications"]["Default"] == "false"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_functions_start_from_snapshots_of_versions_only_if_wanted(function: str) -> None:
    assert function_property(function, "SnapStart") == {"ApplyOn": ["StartsFromSnapshots", "PublishedVersions", "None"]}
    assert function_property(function, "AutoPublishAlias")  # without versions there are no snapshots
    assert conditions()["StartsFromSnapshots"] == ["SnapStart", "true"]
    assert parameters()["SnapStart"]["Default"] == "false"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_has_a_role_and_a_log_group_of_its_own(function: str) -> None:
    name = function.removesuffix("Function")
    assert FUNCTIONS[function]["Role"] == f"{name}Role.Arn"
    assert FUNCTIONS[function]["LoggingConfig"]["LogGroup"] == f"{name}Logs"
    assert resources()[f"{name}Logs"]["Properties"]["RetentionInDays"] == "LogRetentionDays"


@pytest.mark.parametrize("role", of_type("AWS::IAM::Role"))
def test_every_role_is_bounded(role: str) -> None:
    assert of_type("AWS::IAM::Role")[role]["PermissionsBoundary"] == IF_GIVEN


def test_every_role_that_sam_would_make_is_ours_or_bounded_too() -> None:
    canary = FUNCTIONS["ValidateOrdersFunction"]["DeploymentPreference"]["Role"]
    assert canary.removesuffix(".Arn") in of_type("AWS::IAM::Role")
    events = [event for function in FUNCTIONS.values() for event in function["Events"].values()]
    schedules = [event["Properties"] for event in events if event["Type"] == "ScheduleV2"]
    assert schedules
    assert [schedule["Name"] for schedule in schedules if schedule["PermissionsBoundary"] != IF_GIVEN] == []


@pytest.mark.parametrize(
    ("metric", "function"),
    [
        ("OpenIncidents", "DownloadOrdersFunction"),
        ("CursorLag", "DownloadOrdersFunction"),
        ("CredentialsLastDays", "DownloadOrdersFunction"),
        ("RedactionsOverdue", "RedactOrdersFunction"),
        ("IntegrationsToRedact", "RedactOrdersFunction"),
    ],
)
def test_a_broken_connection_and_overdue_work_ring_an_alarm(metric: str, function: str) -> None:
    (alarm,) = (one for one in of_type("AWS::CloudWatch::Alarm").values() if one.get("MetricName") == metric)
    variables = FUNCTIONS[function]["Environment"]["Variables"]
    assert alarm["Namespace"] == "NeedsAttention/${AWS::StackName}"
    assert alarm["Dimensions"] == [{"Name": "service", "Value": variables["POWERTOOLS_SERVICE_NAME"]}]
    assert alarm["AlarmActions"] == ["AlarmTopic"]


def sends_to(function: str) -> set[str]:
    """The queues that a function may send messages to."""
    (policy,) = resources()[f"{function.removesuffix('Function')}Role"]["Properties"]["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    return {one["Resource"].removesuffix(".Arn") for one in statements if "sqs:SendMessage" in one["Action"]}


def is_triggered_by(function: str) -> set[str]:
    """The queues whose messages trigger a function."""
    events = [event["Properties"] for event in FUNCTIONS[function]["Events"].values() if event["Type"] == "SQS"]
    return {event["Queue"].removesuffix(".Arn") for event in events}


def test_a_function_that_wakes_itself_is_not_stopped_as_a_loop() -> None:
    """Ticks of redactions send to their function's own queue too, but its messages send no others."""
    wakes_itself = {name for name in FUNCTIONS if sends_to(name) & is_triggered_by(name)}
    assert wakes_itself == {"DownloadOrdersFunction", "RedactOrdersFunction"}
    assert [name for name, one in FUNCTIONS.items() if one.get("RecursiveLoop") == "Allow"] == [
        "DownloadOrdersFunction"
    ]


@pytest.mark.parametrize(
    ("function", "tick", "rate", "seconds"),
    [
        ("DownloadOrdersFunction", "EveryMinute", "rate(1 minute)", 60),
        ("RedactOrdersFunction", "EveryFiveMinutes", "rate(5 minutes)", 300),
    ],
)
def test_a_tick_that_is_missed_does_not_come_late(function: str, tick: str, rate: str, seconds: int) -> None:
    """Lambda has a queue of its own for ticks: it would keep them for six hours, and try each three times."""
    settings = FUNCTIONS[function]
    assert settings["EventInvokeConfig"] == {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": seconds}
    assert settings["Events"][tick]["Properties"]["ScheduleExpression"] == rate


def test_a_digest_is_tried_three_times_before_its_alarm_rings() -> None:
    assert "EventInvokeConfig" not in FUNCTIONS["SendDigestFunction"]  # Lambda's own: once, and twice more
    assert resources()["DigestNotSentAlarm"]["Properties"]["Threshold"] == 2


def test_a_clock_that_was_stopped_on_purpose_rings_too() -> None:
    alarm = resources()["ClockStoppedAlarm"]
    assert "Condition" not in alarm
    assert alarm["Properties"]["TreatMissingData"] == "breaching"


@pytest.mark.parametrize("refusal", API["GatewayResponses"])
def test_a_refusal_by_api_gateway_looks_like_one_by_the_functions(refusal: str) -> None:
    answer = API["GatewayResponses"][refusal]
    (template,) = answer["ResponseTemplates"].values()
    body = json.loads(re.sub(r"\$context\.\w+", "x", template.replace("$context.error.messageString", '"x"')))
    assert body.keys() >= Problem(400, "x", code="x").as_json().keys()
    assert body["title"] == HTTPStatus(body["status"]).phrase
    assert body["errors"] == []
    headers = answer["ResponseParameters"]["Headers"]
    assert headers["Content-Type"] == "'application/problem+json'"
    assert headers["Access-Control-Allow-Origin"][:2] == ["HasAllowedOrigin", "'${AllowedOrigin}'"]


# The status codes of API Gateway's own (Developer Guide, "Gateway response types for API Gateway").
ITS_OWN_STATUS = {
    "UNAUTHORIZED": "401",
    "EXPIRED_TOKEN": "403",
    "ACCESS_DENIED": "403",
    "MISSING_AUTHENTICATION_TOKEN": "403",
    "WAF_FILTERED": "403",
    "REQUEST_TOO_LARGE": "413",
    "THROTTLED": "429",
    "INTEGRATION_TIMEOUT": "504",
}


@pytest.mark.parametrize("refusal", API["GatewayResponses"])
def test_a_refusal_by_api_gateway_has_the_status_that_it_names(refusal: str) -> None:
    answer = API["GatewayResponses"][refusal]
    (template,) = answer["ResponseTemplates"].values()
    (named,) = re.findall(r'"status":(\d+)', template)
    assert named == (answer["StatusCode"] if "StatusCode" in answer else ITS_OWN_STATUS[refusal])


@pytest.mark.parametrize("refusal", ["UNAUTHORIZED", "EXPIRED_TOKEN"])
def test_the_refusal_of_a_token_says_that_it_may_have_expired(refusal: str) -> None:
    """API Gateway names an expired token of Cognito as any other that is no good."""
    answer = API["GatewayResponses"][refusal]["ResponseTemplates"]["application/json"]
    assert "expired" in json.loads(answer)["detail"]


def test_an_access_log_line_is_json_whatever_the_error_says() -> None:
    _, setting, _ = API["AccessLogSetting"]
    line = re.sub(
        r"\$context[\w.]+", lambda one: r'"a \"quoted\" word"' if "String" in one[0] else "x", setting["Format"]
    )
    assert json.loads(line)["error"] == 'a "quoted" word'


def test_the_readme_says_how_long_the_name_of_a_stack_may_be() -> None:
    events = [event for function in FUNCTIONS.values() for event in function["Events"].values()]
    schedules = [event["Properties"]["Name"] for event in events if event["Type"] == "ScheduleV2"]
    queues = [queue["QueueName"] for queue in of_type("AWS::SQS::Queue").values() if "QueueName" in queue]
    lengths = [(name, most) for names, most in ((schedules, 64), (queues, 80)) for name in names]
    room = [most - len(name.replace("${AWS::StackName}", "")) for name, most in lengths]
    assert f"any name of at most {min(room)} characters" in Path("README.md").read_text(encoding="utf-8")


def test_by_default_logs_are_kept_for_the_twelve_months_that_amazon_asks() -> None:
    assert parameters()["LogRetentionDays"]["Default"] >= 365


def test_the_dashboard_is_json_with_every_function_and_dead_letter_queue() -> None:
    (dashboard,) = of_type("AWS::CloudWatch::Dashboard").values()
    shown = json.dumps(json.loads(dashboard["DashboardBody"]))
    always = {name for name, resource in resources().items() if "Condition" not in resource}
    given_up = {name for name in of_type("AWS::SQS::Queue") if name in always} - {"WakeUpQueue", "RedactionQueue"}
    assert [name for name in FUNCTIONS.keys() & always if f"${{{name}}}" not in shown] == []
    assert [name for name in given_up if f"${{{name}.QueueName}}" not in shown] == []

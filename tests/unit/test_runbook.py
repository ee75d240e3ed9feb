"""Template, code and documents agree on metrics and alarms."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

import pytest

from tools.from_template import outputs, resources
from tools.openapi.conformance import document_checked_in, problems_with_body

DOCUMENTS = {name: Path("docs", f"{name}.md").read_text() for name in ("runbook", "operations", "restore")}
RUNBOOK, OPERATIONS = DOCUMENTS["runbook"], DOCUMENTS["operations"]
SECTIONS = dict(re.findall(r"^### (\w+Alarm)\n(.*?)(?=^##|\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))
ALARMS = {name: one["Properties"] for name, one in resources().items() if one["Type"] == "AWS::CloudWatch::Alarm"}
OURS = "NeedsAttention/${AWS::StackName}"


def emitted() -> set[tuple[str, str]]:
    """The functions' metrics: each function's service name, and the metric's."""
    return {(app.parent.name, name) for app in Path("functions").glob("*/app.py") for name in _metrics_in(app)}


def _metrics_in(app: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(app.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_metric":
            yield from (ast.literal_eval(argument.value) for argument in node.keywords if argument.arg == "name")


def watched(alarm: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The metrics of ours that an alarm looks at."""
    queries = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", []) if "MetricStat" in one]
    for metric in queries or [alarm]:
        if metric["Namespace"] == OURS:
            (service,) = metric["Dimensions"]
            yield service["Value"], metric["MetricName"]


def test_every_alarm_has_a_section_of_the_runbook_and_every_section_one() -> None:
    assert SECTIONS.keys() == ALARMS.keys()


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_says_what_it_means_what_to_do_first_and_where_to_read_on(alarm: str) -> None:
    description = ALARMS[alarm]["AlarmDescription"]
    meaning, _, what_to_do = description.partition("First: ")
    assert meaning
    assert what_to_do.endswith(f" docs/runbook.md#{alarm.lower()}")
    assert len(description) <= 1024  # CloudWatch's own limit


class Rings(NamedTuple):
    """When an alarm rings: if the statistic of a period of seconds is above the threshold, so many periods in a row."""

    statistic: str = "Maximum"
    threshold: float = 0
    period: int = 300
    periods: int = 1
    comparison: str = "GreaterThanThreshold"
    missing: str = "notBreaching"

    @classmethod
    def of(cls, alarm: dict[str, Any]) -> Self:
        (measured,) = [one["MetricStat"] for one in alarm.get("Metrics", []) if "MetricStat" in one] or [alarm]
        return cls(
            measured["Stat"] if "Stat" in measured else measured["Statistic"],
            alarm["Threshold"],
            measured["Period"],
            alarm["EvaluationPeriods"],
            alarm["ComparisonOperator"],
            alarm["TreatMissingData"],
        )


# Each alarm with what its section of the runbook says about it: `{lasts}` is all its periods, `{limit}` its threshold.
RINGS: dict[str, tuple[Rings, list[str]]] = {
    "ValidateOrdersErrorsAlarm": (Rings("Sum", period=60), ["After {period} without errors"]),
    "ValidationsFailedAlarm": (Rings("Sum", period=60), ["After {period} without failed records"]),
    "ValidateOrdersDelayAlarm": (Rings(threshold=600_000), ["for more than {limit}", "is younger than {limit}"]),
    "VerdictLagAlarm": (Rings(threshold=900), ["more than {limit} after", "After {period} without a late verdict"]),
    "ValidateOrdersFailuresAlarm": (Rings(), ["When the queue is empty"]),
    "HeldOrdersGrowingAlarm": (Rings(threshold=33.3, period=86_400, periods=2), ["{Lasts} after the last such day"]),
    "DownloadOrdersErrorsAlarm": (Rings("Sum", periods=2), ["failed for {lasts}", "After {period} without errors"]),
    "ClockStoppedAlarm": (
        Rings("Sum", 1, periods=2, comparison="LessThanThreshold", missing="breaching"),
        ["not invoked for {lasts}"],
    ),
    "ScheduleDeadLettersAlarm": (Rings(), ["When the queue is empty"]),
    "WakeUpDeadLettersAlarm": (Rings(), ["When the queue is empty"]),
    "CursorLagAlarm": (Rings(threshold=7200), ["more than {limit} behind", "less than {limit} behind"]),
    "IncidentsAlarm": (Rings(periods=3), ["at fault for {lasts}"]),
    "CredentialsEndAlarm": (
        Rings("Minimum", 30, comparison="LessThanOrEqualToThreshold", missing="missing"),
        ["ends within 30 days", "With the next run"],
    ),
    "OrderChangesDelayAlarm": (Rings(threshold=600), ["for more than {limit}", "is younger than {limit}"]),
    "RedactOrdersErrorsAlarm": (Rings("Sum", period=3600, periods=2), ["in {lasts}", "After {period} without errors"]),
    "RedactionsOverdueAlarm": (
        Rings("Sum", period=900),
        ["due for removal more than a day ago", "After {period} in which every integration was looked at"],
    ),
    "RedactionClockStoppedAlarm": (
        Rings("SampleCount", 1, period=1800, periods=2, comparison="LessThanThreshold", missing="breaching"),
        ["For {lasts}, no tick has asked"],
    ),
    "RedactionsDelayAlarm": (Rings(threshold=3_600), ["is more than {limit} old", "younger than {limit}"]),
    "RedactionDeadLettersAlarm": (Rings(), ["When the queue is empty"]),
    "PublishChangesDelayAlarm": (Rings(threshold=1_800_000), ["more than {limit} behind", "younger than {limit}"]),
    "PublishChangesFailuresAlarm": (Rings(), ["When the queue is empty"]),
    "ApiErrorsAlarm": (
        Rings("Sum", 4),  # above four: at least five
        ["at least five requests within {period}", "After {period} with fewer than five"],
    ),
    "DigestNotSentAlarm": (Rings("Sum", 2, period=3600), ["failed three times", "After {period} without a failure"]),
}
IN_WORDS = {
    60: "a minute",
    300: "five minutes",
    600: "ten minutes",
    900: "15 minutes",
    1800: "half an hour",
    3600: "an hour",
    7200: "two hours",
    172_800: "two days",
}
SECONDS = {"IteratorAge": 0.001, "VerdictLag": 1, "CursorLag": 1, "ApproximateAgeOfOldestMessage": 1}


@pytest.mark.parametrize("alarm", RINGS)
def test_an_alarm_rings_when_the_runbook_says(alarm: str) -> None:
    rings, said = RINGS[alarm]
    assert Rings.of(ALARMS[alarm]) == rings
    limit = rings.threshold * SECONDS.get(ALARMS[alarm].get("MetricName", ""), 0)
    lasts = IN_WORDS.get(rings.period * rings.periods, "")
    numbers = {"lasts": lasts, "Lasts": lasts.capitalize(), "period": IN_WORDS.get(rings.period, "")}
    section = " ".join(SECTIONS[alarm].split())
    assert [words for words in said if words.format(**numbers, limit=IN_WORDS.get(int(limit), "")) not in section] == []


def test_the_numbers_of_every_alarm_are_compared() -> None:
    assert ALARMS.keys() == RINGS.keys()


def test_orders_are_too_many_if_they_grow_by_more_than_half_and_ten() -> None:
    """A third of today's orders is half of yesterday's."""
    alarm = ALARMS["HeldOrdersGrowingAlarm"]
    assert alarm["Metrics"][0]["Expression"] == "IF(DIFF(held) > 10, 100 * DIFF(held) / held, 0)"
    assert alarm["DatapointsToAlarm"] == 1
    assert "by more than half, and by more than ten" in " ".join(SECTIONS["HeldOrdersGrowingAlarm"].split())


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_tells_the_topic_when_it_rings_and_when_it_is_over(alarm: str) -> None:
    assert ALARMS[alarm]["AlarmActions"] == ALARMS[alarm]["OKActions"] == ["AlarmTopic"]


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_of_the_runbook_says_all_that_is_asked_in_the_night(section: str) -> None:
    said = re.findall(r"^\*\*(\w+)[^*]*\*\*", SECTIONS[section], re.MULTILINE)
    assert said == ["Means", "See", "Causes", "Do", "Closes"]


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_looks_at_what_is_really_measured(alarm: str) -> None:
    assert set(watched(ALARMS[alarm])) <= emitted()


def of_the_dashboard(kind: str) -> list[dict[str, Any]]:
    """The properties of its widgets of that type."""
    (dashboard,) = (one for one in resources().values() if one["Type"] == "AWS::CloudWatch::Dashboard")
    widgets = json.loads(dashboard["Properties"]["DashboardBody"])["widgets"]
    return [widget["properties"] for widget in widgets if widget["type"] == kind]


def test_every_metric_of_the_dashboard_is_really_measured() -> None:
    shown = [metric for widget in of_the_dashboard("metric") for metric in widget["metrics"]]
    ours = {(metric[3], metric[1]) for metric in shown if metric[0] == OURS}
    assert ours <= emitted()
    assert len(ours) > 8


def test_what_the_dashboard_reads_out_of_a_log_is_logged() -> None:
    (widget,) = of_the_dashboard("log")
    (message,) = re.findall("message = '(.+?)'", widget["query"])
    assert "'${DownloadOrdersLogs}'" in widget["query"]
    logged = Path("functions/download_orders/app.py").read_text()
    assert f'logger.info("{message}", integration=integration_id, cursor_lag=lag)' in logged


def test_whatever_is_measured_is_described() -> None:
    metrics = OPERATIONS.partition("## Metrics")[2].partition("\n## ")[0]
    described = set(re.findall(r"^\| `(\w+)` \|", metrics, re.MULTILINE))
    assert described == {name for _, name in emitted()}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_the_commands_name_what_there_is(document: str) -> None:
    assert set(re.findall(r"(?:resource|errors) (\w+)", _code(document))) <= resources().keys()
    assert set(re.findall(r"(?<!-)(?:output|first_message) (\w+)", _code(document))) <= outputs().keys()


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_the_documents_call_routes_that_exist_with_bodies_that_they_take(document: str) -> None:
    calls = re.findall(r"curl -sS (?:-X (\w+) )?\"\$API(/[^\"?]*)\S*([^`]*?)(?=curl|\n\n|`|\Z)", document)
    assert calls
    for method, path, options in calls:
        (operation,) = (one for one in _operations(method or "GET") if _is_path(one, path))
        if body := re.search(r"-d '(.*?)'", options, re.DOTALL):
            wrong = problems_with_body(method, operation, json.loads(body[1]))
            assert wrong == [], (method, path)


def _operations(method: str) -> list[str]:
    return [path for path, operations in document_checked_in()["paths"].items() if method.lower() in operations]


def _is_path(operation: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", operation), path) is not None


def _code(document: str) -> str:
    """The contents of code blocks, and of backticks within lines."""
    found = re.findall(r"```sh\n(.*?)```|`([^`\n]+)`", document, re.DOTALL)
    return "\n".join(block or inline for block, inline in found)

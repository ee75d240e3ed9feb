"""docs/faults.md covers every function and every one of its dependencies, and each of its rows has its tests."""

import ast
import re
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tools.from_template import resources

DOCUMENT = Path("docs/faults.md").read_text(encoding="utf-8")
TESTS = Path(__file__).parents[1]

# The dependency behind each variable of a function's environment; None if there is none.
BEHIND: dict[str, str | None] = {
    "ORDERS_TABLE": "OrdersTable",
    "HISTORY_TABLE": "HistoryTable",
    "INTEGRATIONS_TABLE": "IntegrationsTable",
    "ANSWERS_TABLE": "AnswersTable",
    "WAKE_UP_QUEUE_URL": "WakeUpQueue",
    "REDACTION_QUEUE_URL": "RedactionQueue",
    "ORDER_CHANGE_QUEUE": "OrderChangeQueue",
    "EVENT_BUS": "EventBus",
    "DIGEST_TOPIC": "DigestTopic",
    "SECRET_PREFIX": "Secrets Manager",
    "SP_API_ENDPOINT": "Amazon",
    "LWA_ENDPOINT": "Amazon",
    "POWERTOOLS_SERVICE_NAME": None,
    "ALLOWED_ORIGIN": None,
}
TRIGGERS = {"Api": "Api", "DynamoDB": "Stream", "ScheduleV2": "Schedule"}


class Row(NamedTuple):
    """One fault: its functions, the dependencies that fail, and the names of its tests."""

    functions: tuple[str, ...]
    things: tuple[str, ...]
    tests: tuple[str, ...]


def rows() -> list[Row]:
    cells = [line.strip("| \n").split(" | ") for line in DOCUMENT.splitlines() if line.startswith("| `")]
    named = [[tuple(re.findall(r"`([^`]+)`", cell)) for cell in row] for row in cells if len(row) == 7]
    return [Row(row[0], row[1], row[6]) for row in named]


def pairs() -> set[tuple[str, str]]:
    """Every function with each of its dependencies, as the template has them."""
    found = set()
    for resource in resources().values():
        if resource["Type"] == "AWS::Serverless::Function":
            name = Path(resource["Properties"]["CodeUri"]).name
            things: set[Any] = {BEHIND[variable] for variable in resource["Properties"]["Environment"]["Variables"]}
            things |= {_trigger(event) for event in resource["Properties"]["Events"].values()}
            found |= {(name, thing) for thing in things - {None} | {"Key", "Lambda"}}
    return found


def _trigger(event: dict[str, Any]) -> str:
    """A queue is known by its name."""
    if event["Type"] == "SQS":
        return str(event["Properties"]["Queue"]).removesuffix(".Arn")
    return TRIGGERS[event["Type"]]


def names_of_tests() -> list[str]:
    return [
        node.name
        for path in TESTS.rglob("test_*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


def test_everything_that_a_function_rests_on_is_in_the_table() -> None:
    told = {pair for row in rows() for pair in product(row.functions, row.things)}
    assert pairs() - told == set()
    assert told - pairs() == set()


def test_each_row_has_tests_and_they_are_there() -> None:
    known = names_of_tests()
    assert [row for row in rows() if not row.tests] == []
    assert [name for name in re.findall(r"`(test_\w+)`", DOCUMENT) if known.count(name) != 1] == []


@pytest.mark.parametrize("module", ["test_faults", "test_killed", "test_aws"])
def test_each_test_of_a_fault_stands_in_the_document(module: str) -> None:
    (path,) = TESTS.rglob(f"{module}.py")
    general = {
        "test_an_unanswered_call_is_given_up_while_there_is_time_to_say_so",
        "test_no_function_makes_a_client_of_its_own",
        "test_a_throttled_call_is_tried_three_times_with_pauses",
        "test_a_fault_that_passes_by_itself_is_told_from_one_to_mend",
        "test_a_transaction_passes_by_itself_if_one_of_its_reasons_does",
    }
    tests = set(re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    assert tests - general - set(re.findall(r"`(test_\w+)`", DOCUMENT)) == set()


def test_every_alarm_and_queue_that_the_document_names_exists() -> None:
    assert set(re.findall(r"`(\w+(?:Alarm|Queue))`", DOCUMENT)) <= resources().keys()

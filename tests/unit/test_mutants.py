"""The tests that a mutant meets, according to the recording."""

import json
from pathlib import Path

import pytest

from tools.mutants.recording import OF_THE_DOCUMENT, SECONDS, Recording

MODULE = """\
from datetime import timedelta
from functools import cache

HOUR = timedelta(hours=1)
DAY = 24 * HOUR


def is_old(age):
    return age > DAY


def is_new(age):
    return age < HOUR


class Kept:
    days: int = 26
    frozen = True

    @cache
    def until(self, start):
        return start + self.days * DAY


def keep():
    return Kept()
"""
HOURS, DAYS, OLD, NEW, KEPT_DAYS, FROZEN, DECORATOR, UNTIL, KEEP, NOWHERE = 4, 5, 9, 13, 17, 18, 20, 22, 26, 1


def recording(root: Path, tests: dict[str, tuple[float, list[int]]]) -> Recording:
    (root / "kept.py").write_text(MODULE)
    folder = root / "recorded"
    folder.mkdir()
    told = [{"test": test, "seconds": seconds, "lines": {"kept.py": lines}} for test, (seconds, lines) in tests.items()]
    for test in tests:
        path = root / test.partition("::")[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (folder / "1.jsonl").write_text("".join(json.dumps(one) + "\n" for one in told))
    return Recording(root, folder)


@pytest.mark.parametrize(
    ("line", "tests"),
    [
        (OLD, ["a.py::old"]),
        (NEW, ["a.py::new"]),
        (HOURS, ["a.py::new"]),
        (DAYS, ["a.py::old", "b.py::until"]),
        (KEPT_DAYS, ["b.py::until"]),
        (FROZEN, ["c.py::keep"]),
        (DECORATOR, ["b.py::until"]),
        (NOWHERE, []),
    ],
)
def test_a_mutant_meets_the_tests_that_run_its_line_or_use_its_name(
    tmp_path: Path, line: int, tests: list[str]
) -> None:
    recorded = recording(
        tmp_path,
        {
            "a.py::old": (0.1, [OLD]),
            "a.py::new": (0.1, [NEW]),
            "b.py::until": (0.2, [UNTIL]),
            "c.py::keep": (0.1, [KEEP]),
        },
    )
    assert recorded.tests_for("kept.py", line, line) == tests


def test_the_apis_document_is_compared_first_for_what_only_an_import_runs(tmp_path: Path) -> None:
    recorded = recording(tmp_path, {"tests/unit/a.py::old": (0.1, [OLD]), OF_THE_DOCUMENT: (2, [NEW])})
    assert recorded.tests_for("kept.py", DAYS, DAYS) == [OF_THE_DOCUMENT, "tests/unit/a.py::old"]
    assert recorded.tests_for("kept.py", OLD, OLD) == ["tests/unit/a.py::old"]


def test_tests_that_name_a_constant_come_before_those_that_run_its_users(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def test_day(): assert kept.DAY\ndef test_hour(): assert kept.HOUR\n")
    recorded = recording(
        tmp_path,
        {"a.py::test_day[1]": (0.1, [NOWHERE]), "a.py::test_hour": (0.1, [NOWHERE]), "a.py::old": (0.1, [OLD])},
    )
    assert recorded.tests_for("kept.py", DAYS, DAYS) == ["a.py::test_day[1]", "a.py::old"]


def test_the_quickest_test_of_each_file_comes_first(tmp_path: Path) -> None:
    recorded = recording(
        tmp_path,
        {
            "a.py::slow": (3, [OLD]),
            "a.py::cases[1]": (1, [OLD]),
            "a.py::cases[2]": (2, [OLD]),
            "b.py::only": (2, [OLD]),
        },
    )
    in_turn = ["a.py::cases[1]", "b.py::only", "a.py::slow", "a.py::cases[2]"]
    assert recorded.tests_for("kept.py", OLD, OLD) == in_turn


def test_a_file_of_long_tests_waits_for_the_others(tmp_path: Path) -> None:
    recorded = recording(
        tmp_path,
        {"a.py::first": (9, [OLD]), "b.py::first": (1, [OLD]), "b.py::second": (2, [OLD]), "b.py::third": (7, [OLD])},
    )
    in_turn = ["b.py::first", "b.py::second", "a.py::first", "b.py::third"]
    assert recorded.tests_for("kept.py", OLD, OLD) == in_turn


def test_unit_tests_come_before_all_others(tmp_path: Path) -> None:
    tests = {"tests/integration/a.py::quick": 1, "tests/unit/b.py::slow": 3, "tests/unit/c.py::case": 2}
    recorded = recording(tmp_path, {test: (seconds, [OLD]) for test, seconds in tests.items()})
    in_turn = ["tests/unit/c.py::case", "tests/unit/b.py::slow", "tests/integration/a.py::quick"]
    assert recorded.tests_for("kept.py", OLD, OLD) == in_turn


def test_a_mutants_tests_end_with_its_time_but_one_is_always_run(tmp_path: Path) -> None:
    recorded = recording(
        tmp_path,
        {
            "a.py::quick": (SECONDS / 2, [OLD]),
            "b.py::quick": (SECONDS / 2, [OLD]),
            "c.py::late": (SECONDS, [OLD]),
            "d.py::long": (2 * SECONDS, [NEW]),
        },
    )
    assert recorded.tests_for("kept.py", OLD, OLD) == ["a.py::quick", "b.py::quick"]
    assert recorded.tests_for("kept.py", NEW, NEW) == ["d.py::long"]

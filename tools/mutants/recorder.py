"""A plugin of pytest that writes down which lines of the system each test runs: `-p tools.mutants.recorder`.

It costs next to nothing, unlike coverage.py's contexts: the interpreter tells it of the system's own lines alone. Each
process appends one JSON object a test to a file of its own, in the folder that `RECORDED` names.
"""

import json
import os
import sys
from collections import defaultdict
from collections.abc import Generator
from inspect import CO_OPTIMIZED
from pathlib import Path
from time import process_time
from types import CodeType

import pytest

SYSTEM = tuple(f"{Path(folder).resolve()}{os.sep}" for folder in ("layers/needs_attention", "functions"))
EVENTS = sys.monitoring.events
TOOL = sys.monitoring.COVERAGE_ID

_lines: dict[str, set[int]] = defaultdict(set)


def _begins(code: CodeType, _: int) -> object:
    # Only functions have this flag. Lines that an import runs say nothing about the test that happened to come first.
    if code.co_flags & CO_OPTIMIZED and code.co_filename.startswith(SYSTEM):
        sys.monitoring.set_local_events(TOOL, code, EVENTS.LINE)
    return sys.monitoring.DISABLE


def _runs(code: CodeType, line: int) -> None:
    _lines[code.co_filename].add(line)


def pytest_configure() -> None:
    sys.monitoring.use_tool_id(TOOL, "mutants")
    sys.monitoring.register_callback(TOOL, EVENTS.PY_START, _begins)
    sys.monitoring.register_callback(TOOL, EVENTS.LINE, _runs)
    sys.monitoring.set_events(TOOL, EVENTS.PY_START)


def pytest_unconfigure() -> None:
    sys.monitoring.set_events(TOOL, EVENTS.NO_EVENTS)
    for event in (EVENTS.PY_START, EVENTS.LINE):
        sys.monitoring.register_callback(TOOL, event, None)
    sys.monitoring.free_tool_id(TOOL)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    began = process_time()
    _lines.clear()
    answer = yield
    lines = {str(Path(path).relative_to(Path.cwd())): sorted(numbers) for path, numbers in _lines.items()}
    told = {"test": item.nodeid, "seconds": round(process_time() - began, 3), "lines": lines}
    with (Path(os.environ["RECORDED"]) / f"{os.getpid()}.jsonl").open("a") as file:
        file.write(json.dumps(told, separators=(",", ":")) + "\n")
    return answer

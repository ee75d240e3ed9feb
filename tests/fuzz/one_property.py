"""`python -m tests.fuzz.one_property NAME CASES FOLDER`: one property on this many cases, in a process of its own.

Under atheris (libFuzzer) if that is there: bytes that reach something new are kept and mutated, and its output says
how far it is. Else Hypothesis makes the cases.

`python -m tests.fuzz.one_property NAME FILE` runs the one case that a crash has left in the file, and shows it.
"""

import logging
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any, Final

MODULES: Final = ("test_amazons_answers", "test_orders", "test_requests")
# A case takes milliseconds. Whatever takes this long, on however busy a machine, does not end in time for anybody.
LONGEST_CASE_SECONDS: Final = 20
# The memory of a Lambda function. The process itself takes 130 MB.
MOST_MEMORY_MB: Final = 512
# Enough for the strategies; cases that ask for more are not counted.
LONGEST_INPUT: Final = 2_048
FIRST_INPUTS: Final = 64


def properties() -> dict[str, Any]:
    """By the name of their test, without `test_`."""
    found = {}
    for name in MODULES:
        module = import_module(f"tests.fuzz.{name}")
        for test in vars(module).values():
            if hasattr(test, "hypothesis") and test.__module__ == module.__name__:
                found[test.__name__.removeprefix("test_")] = test
    return found


class Count:
    """Counts cases until there are enough, and ends the process then."""

    def __init__(self, name: str, cases: int) -> None:
        self._name = name
        self._cases = cases
        self._done = 0
        self._began = time.monotonic()

    def add(self) -> None:
        self._done += 1
        seconds = time.monotonic() - self._began
        if self._done % max(self._cases // 4, 1) == 0:
            say(f"{self._done:>9,} cases {seconds:>6.0f} s  {self._name}")
        if self._done >= self._cases:
            sys.stderr.flush()
            os._exit(0)  # libFuzzer has no other end than a crash


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def with_atheris(atheris: Any, name: str, cases: int, folder: Path) -> None:
    with atheris.instrument_imports(include=["needs_attention"]):
        run: Callable[[bytes], bytes | None] = properties()[name].hypothesis.fuzz_one_input
    count = Count(name, cases)

    def one_case(sent: bytes) -> None:
        if run(sent) is not None:
            count.add()

    inputs = folder / "inputs"
    inputs.mkdir(parents=True, exist_ok=True)
    for number in range(FIRST_INPUTS):
        (inputs / f"first-{number}").write_bytes(Random(number).randbytes(LONGEST_INPUT))
    options = {
        "timeout": LONGEST_CASE_SECONDS,
        "rss_limit_mb": MOST_MEMORY_MB,
        "max_len": LONGEST_INPUT,
        "len_control": 0,
        "reduce_inputs": 0,  # short ones end before the strategies have all they ask for
        "artifact_prefix": f"{folder}/",
    }
    atheris.Setup([name, *(f"-{option}={value}" for option, value in options.items()), str(inputs)], one_case)
    atheris.Fuzz()


def main(name: str, cases_or_file: str, folder: str = "") -> None:
    logging.disable(logging.CRITICAL)  # of millions of cases nobody reads a log
    if not folder:
        os.environ["FUZZ_SHOWN"] = "1"
        properties()[name].hypothesis.fuzz_one_input(Path(cases_or_file).read_bytes())
        return
    try:
        import atheris  # type: ignore[import-untyped]  # noqa: PLC0415 - there is no wheel for every machine
    except ImportError:
        os.environ["FUZZ_CASES"] = cases_or_file
        properties()[name]()
        return
    with_atheris(atheris, name, int(cases_or_file), Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])

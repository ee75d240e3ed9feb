"""Mutation tests of the package: `make mutants`, `make mutants SAMPLE=500 SEED=17`, `make mutants OF=orders/gate.py`.

Of the modules that `OF` names, all mutants are tried, with the unit tests alone: it is for modules of the rules, which
those tests cover completely.

cosmic-ray makes the mutants. A recording of the tests says which lines each of them runs, and a mutant meets only the
tests that run its lines. A mutant that no test runs has survived. All of this happens in copies of the project.
"""

import argparse
import os
import random
import resource
import shutil
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from difflib import ndiff
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from cosmic_ray.commands import init
from cosmic_ray.modules import find_modules
from cosmic_ray.mutating import use_mutation
from cosmic_ray.operators.no_op import NoOp
from cosmic_ray.plugins import OPERATOR_PROVIDERS
from cosmic_ray.work_db import WorkDB, use_db

from tools.mutants.operators import OPERATORS
from tools.mutants.recording import SECONDS, Recording
from tools.mutants.warm_pytest import IN_A_COPY, WarmPytest

PROJECT = Path(__file__).parents[2]
PACKAGE = Path("layers/needs_attention")
PYTHON = PROJECT / ".venv/bin/python"
EXPLAINED = Path(__file__).with_name("survivors.toml")
# The contract tests of the stand-in itself run nothing of the package that these do not.
TESTS = (
    "tests/unit",
    "tests/contract/test_order_mapping.py",
    "tests/contract/test_sp_api.py",
    "tests/contract/test_sp_api_against_stand_in.py",
    "tests/integration",
    "tests/fuzz",
)
OF_THE_RULES = ("tests/unit",)
HIGHEST_RATE = 0.08
# One mutant in so many is tried without its mutation too: tests that fail even then prove nothing.
CONTROLLED = 25
FIRST = 10
# A mutant may fill the memory.
MOST_BYTES = 4 << 30


class Mutant(NamedTuple):
    """A change at one place in one module, as cosmic-ray names it. A control changes nothing."""

    path: str
    first_line: int
    last_line: int
    operator: str
    occurrence: int
    is_control: bool = False

    @property
    def module(self) -> str:
        return str(Path(self.path).relative_to(PACKAGE))

    @property
    def room(self) -> str:
        """The folder that the module is in; a module outside all folders is a room of its own."""
        return self.module.partition("/")[0].removesuffix(".py")


class Result(NamedTuple):
    """How a mutant fared. `was` and `becomes` are the lines that it changed."""

    mutant: Mutant
    was: str
    becomes: str
    tests: int
    has_survived: bool
    seconds: float


class Workshop:
    """A copy of the project, in which one mutant is tried at a time."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._pytest = WarmPytest(PYTHON, root)

    def try_(self, mutant: Mutant, recording: Recording) -> Result:
        began = time.monotonic()
        tests = recording.tests_for(mutant.path, mutant.first_line, mutant.last_line)
        operator = NoOp if mutant.is_control else OPERATORS[mutant.operator]
        with use_mutation(self._root / mutant.path, operator(), mutant.occurrence) as (before, after):
            # Most mutants fall to the first tests: the files of the others are not even imported then.
            rounds = filter(None, (tests[:FIRST], tests[FIRST:]))
            has_survived = all(self._pytest.passes(some, round(3 * SECONDS)) for some in rounds)
        changed = [line for line in ndiff(before.splitlines(), after.splitlines()) if line[0] in "-+"]
        was, becomes = (
            " ".join(word for line in changed if line[0] == sign for word in line[2:].split()) for sign in "-+"
        )
        return Result(mutant, was, becomes, len(tests), has_survived, time.monotonic() - began)


def copy_the_project(root: Path) -> None:
    """Copies what is checked in, or could be."""
    listed = ("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    names = subprocess.check_output(listed, cwd=PROJECT, text=True)  # noqa: S603 - the line above
    for name in filter(None, names.split("\0")):
        if (PROJECT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, root / name)


def every_mutant(root: Path) -> list[Mutant]:
    """All mutants of the copy, in an order that depends on the code alone."""
    OPERATOR_PROVIDERS.clear()
    OPERATOR_PROVIDERS["ours"] = OPERATORS
    with use_db(root / "session.sqlite", WorkDB.Mode.create) as database:
        init(find_modules([root / PACKAGE]), database, {})
        specs = [spec for item in database.work_items for spec in item.mutations]
    return sorted(
        Mutant(
            path=str(one.module_path.relative_to(root)),
            first_line=one.start_pos[0],
            last_line=one.end_pos[0],
            operator=one.operator_name.removeprefix("ours/"),
            occurrence=one.occurrence,
        )
        for one in specs
    )


def recorded(root: Path, workers: int, tests: Iterable[str]) -> Recording:
    """Runs the tests in the copy once. Ends the program if one fails."""
    folder, output = root / "recorded", root / "recorded.txt"
    folder.mkdir()
    command: list[str | Path] = [PYTHON, "-m", "pytest", "-q", "-n", str(workers), *IN_A_COPY, *tests]
    command += ["-p", "tools.mutants.recorder"]
    with output.open("w") as file:
        finished = subprocess.run(  # noqa: S603 - the project's own tests
            command, cwd=root, env={**os.environ, "RECORDED": str(folder)}, stdout=file, check=False
        )
    if finished.returncode:
        sys.exit(f"The tests fail without any mutant: see {output}")
    return Recording(root, folder)


def chosen(mutants: Sequence[Mutant], sample: str, seed: int) -> list[Mutant]:
    """The sample in random order, after its controls."""
    in_random_order = random.Random(seed).sample(mutants, len(mutants))
    some = in_random_order if sample == "all" else in_random_order[: int(sample)]
    return [*(one._replace(is_control=True) for one in some[::CONTROLLED]), *some]


def tried(mutants: Iterable[Mutant], recording: Recording, workshops: Iterable[Workshop]) -> Iterator[Result]:
    """Tries the mutants, one at a time in each workshop."""
    free: SimpleQueue[Workshop] = SimpleQueue()
    for workshop in workshops:
        free.put(workshop)

    def try_(mutant: Mutant) -> Result:
        workshop = free.get()
        try:
            return workshop.try_(mutant, recording)
        finally:
            free.put(workshop)

    with ThreadPoolExecutor(free.qsize()) as pool:
        yield from pool.map(try_, mutants)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def report(results: Sequence[Result]) -> float:
    """Says which mutants survived, and how many in each room. Answers with the rate of all."""
    explained = {
        (one["module"], one["was"], one["becomes"]): one["because"]
        for one in tomllib.loads(EXPLAINED.read_text())["survivor"]
    }
    survivors = [one for one in results if one.has_survived]
    for one in sorted(survivors):
        because = explained.get((one.mutant.module, one.was, one.becomes), "NOT EXPLAINED")
        say(f"\n{one.mutant.path}:{one.mutant.first_line} ({one.mutant.operator}, {one.tests} tests): {because}")
        say(f"  - {one.was}\n  + {one.becomes}")
    rooms, survived = (Counter(one.mutant.room for one in some) for some in (results, survivors))
    say("")
    for room in sorted(rooms):
        say(f"{survived[room]:4} of {rooms[room]:5} survived in {room}")
    rate = len(survivors) / len(results)
    say(f"{len(survivors):4} of {len(results):5} survived: {rate:.1%}")
    return rate


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    parser.add_argument("--sample", default="300", help="how many mutants, or `all`")
    parser.add_argument("--of", nargs="+", default=[], help="modules of the rules, such as orders/gate.py")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=PROJECT / ".build/mutants", help="for the copies")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, resource.RLIM_INFINITY))
    shutil.rmtree(options.folder, ignore_errors=True)
    roots = [options.folder / str(number) for number in range(options.workers)]
    copy_the_project(roots[0])
    every = every_mutant(roots[0])
    if options.of:
        every = [one for one in every if one.module in options.of]
    some = chosen(every, "all" if options.of else options.sample, options.seed)
    say(f"{len(some)} of {len(every)} mutants and controls, seed {options.seed}; first the tests are recorded")
    recording = recorded(roots[0], options.workers, OF_THE_RULES if options.of else TESTS)
    for root in roots[1:]:
        shutil.copytree(roots[0], root)  # now, with the tests compiled
    results: list[Result] = []
    for number, one in enumerate(tried(some, recording, [Workshop(root) for root in roots]), start=1):
        fate = "survived" if one.has_survived else "killed"
        say(f"{number:5} {fate:8} {one.seconds:5.1f} s  {one.mutant.module}:{one.mutant.first_line}")
        if not one.mutant.is_control:
            results.append(one)
        elif not one.has_survived:
            sys.exit(f"The tests of {one.mutant.path}:{one.mutant.first_line} fail without any mutant")
    if report(results) > HIGHEST_RATE:
        sys.exit(f"More than {HIGHEST_RATE:.0%} survived")


if __name__ == "__main__":
    main()

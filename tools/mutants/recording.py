"""Which tests run which lines of the system, as `recorder` wrote it down; and the tests to run for a mutant."""

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from heapq import heapify, heappop, heapreplace
from itertools import chain, zip_longest
from pathlib import Path
from typing import NamedTuple

# The processor's time that the tests of a mutant may take, by the recording.
SECONDS = 30.0
UNIT = "tests/unit/"
# It reads what imports make of the package: the shapes, limits and words of the API.
OF_THE_DOCUMENT = (
    "tests/integration/test_api_document.py::test_the_checked_in_document_describes_the_functions_as_they_are"
)
# A constant may be used by another one before anything runs that uses that.
HOPS = 3


class Recording:
    """The tests that run each line of the copy at `root`, and the processor's seconds that each takes."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._root = root
        self._seconds: dict[str, float] = {}
        self._tests: dict[tuple[str, int], list[str]] = defaultdict(list)
        for line in chain.from_iterable(path.read_text().splitlines() for path in sorted(folder.iterdir())):
            told = json.loads(line)
            self._seconds[told["test"]] = told["seconds"]
            for path, numbers in told["lines"].items():
                for number in numbers:
                    self._tests[path, number].append(told["test"])
        paths = sorted({path for path, _ in self._tests})
        self._texts = {path: (root / path).read_text().splitlines() for path in paths}

    def tests_for(self, path: str, first: int, last: int) -> list[str]:
        """The tests that run any of these lines, unit tests first, the quickest of each file first, within `SECONDS`.

        For a line that runs only at the module's import, these are the tests that run the users of its name, after the
        test of the API's document and those that name a constant themselves.
        """
        found = self._running((path, line) for line in range(first, last + 1))
        ahead: list[str] = []
        if not found:
            found = self._using(path, first)
            ahead = [OF_THE_DOCUMENT] if OF_THE_DOCUMENT in self._seconds else []
            ahead += self._naming(_definitions_at(self._root / path, first)[0].names)
            found -= set(ahead)
        by_file = defaultdict(list)
        for test in sorted(found, key=lambda test: (self._seconds[test], test)):
            by_file[test.partition("::")[0]].append(test)
        # Unit tests look closest, and take so little time that most of them fit.
        unit = [tests for file, tests in by_file.items() if file.startswith(UNIT)]
        others = [tests for file, tests in by_file.items() if not file.startswith(UNIT)]
        chosen: list[str] = []
        left = SECONDS
        for test in chain(ahead, *(self._taking_turns(map(_in_turns_by_function, files)) for files in (unit, others))):
            if (left := left - self._seconds[test]) < 0 and chosen:
                break
            chosen.append(test)
        return chosen

    def _taking_turns(self, files: Iterable[Iterable[str]]) -> Iterator[str]:
        """The tests of all files: next comes the one with which its file has taken the least time."""
        waiting: list[tuple[float, int, str, Iterator[str]]] = []
        for number, tests in enumerate(map(iter, files)):
            first = next(tests)
            waiting.append((self._seconds[first], number, first, tests))
        heapify(waiting)
        while waiting:
            taken, number, test, others = waiting[0]
            yield test
            following = next(others, None)
            if following is None:
                heappop(waiting)
            else:
                heapreplace(waiting, (taken + self._seconds[following], number, following, others))

    def _naming(self, names: set[str]) -> list[str]:
        """The tests in which any of these constants stands, the quickest first."""
        constants = {name for name in names if name.isupper()}
        if not constants:
            return []
        functions = {test for test, words in self._words_in_tests.items() if not constants.isdisjoint(words)}
        tests = (test for test in self._seconds if test.partition("[")[0] in functions)
        return sorted(tests, key=lambda test: (self._seconds[test], test))

    @cached_property
    def _words_in_tests(self) -> dict[str, set[str]]:
        """The names in each function of the tests' files."""
        return {
            f"{file}::{node.name}": set(_names_in(node))
            for file in {test.partition("::")[0] for test in self._seconds}
            for node in ast.parse((self._root / file).read_text()).body
            if isinstance(node, ast.FunctionDef)
        }

    def _running(self, places: Iterable[tuple[str, int]]) -> set[str]:
        return set(chain.from_iterable(self._tests.get(place, ()) for place in places))

    def _using(self, path: str, line: int) -> set[str]:
        definition, around = _definitions_at(self._root / path, line)
        if found := self._running((path, number) for number in definition.lines):
            return found
        return self._using_names(definition.names) or self._using_names(around.names)

    def _using_names(self, names: set[str]) -> set[str]:
        known = set[str]()
        for _ in range(HOPS):
            if not names:
                break
            known |= names
            word = re.compile(rf"\b(?:{'|'.join(sorted(names))})\b")
            places = [
                (other, number)
                for other, lines in self._texts.items()
                for number, text in enumerate(lines, start=1)
                if word.search(text)
            ]
            if found := self._running(places):
                return found
            around = (_definitions_at(self._root / other, number)[0] for other, number in places)
            names = set[str]().union(*(one.names for one in around)) - known
        return set()


def _in_turns(some: Iterable[Iterable[str]]) -> Iterator[str]:
    """The first of each, then the second of each, and so on."""
    return filter(None, chain.from_iterable(zip_longest(*some)))


def _in_turns_by_function(tests: Iterable[str]) -> Iterator[str]:
    by_function = defaultdict(list)
    for test in tests:
        by_function[test.partition("[")[0]].append(test)
    return _in_turns(by_function.values())


def _names_in(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


class _Definition(NamedTuple):
    """A definition or assignment: its own lines, if it is a function, and what it defines."""

    lines: range
    names: set[str]


def _definitions_at(path: Path, line: int) -> tuple[_Definition, _Definition]:
    """The innermost definition around a line, and the one around that."""
    around = innermost = _Definition(range(0), set())
    begun = 0
    for node in ast.walk(ast.parse(path.read_text())):  # the outer ones come first
        if isinstance(node, ast.stmt) and (names := _defined_by(node)):
            first = min((one.lineno for one in getattr(node, "decorator_list", ())), default=node.lineno)
            last = node.end_lineno or first
            if begun <= first <= line <= last:
                own = range(first, last + 1) if isinstance(node, ast.FunctionDef) else range(0)
                around, innermost, begun = innermost, _Definition(own, names), first
    return innermost, around


def _defined_by(node: ast.stmt) -> set[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Assign() | ast.AnnAssign():
            return {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    return set()

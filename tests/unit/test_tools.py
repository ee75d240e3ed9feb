"""Tests import tools; tools, functions and benchmarks never import tests."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("layers", "functions", "tools", "benchmarks")
# As an import or, for `import_module`, as a text.
NAMES_TESTS = re.compile(r"""^\s*(?:from|import) tests\b|["']tests\.\w""", re.MULTILINE)


def test_nothing_outside_tests_imports_tests() -> None:
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")]

    assert len(files) > 100
    assert [str(file.relative_to(ROOT)) for file in files if NAMES_TESTS.search(file.read_text())] == []

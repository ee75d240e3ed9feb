"""One stack for the e2e tests: the real template on the embedded AWS, with the Amazon stand-in.

The tests run in any order, so each makes its own data, and `Shop.registered` begins at rest, whatever came before.
A test that has to see a stack on which nothing has happened yet takes `running`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tools.local_stack.deployment import PROJECT, Tools
from tools.local_stack.stack import LocalStack, Stack

DIRECTORY = PROJECT / ".build" / "e2e"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(PROJECT / "tests/e2e"):
            item.add_marker("e2e")


@contextmanager
def running(directory: Path) -> Iterator[Stack]:
    """A stack on which nothing has happened yet, with its files in the directory; it ends with the block."""
    local = LocalStack(directory, Tools(), print)
    local.down()  # the remains of an interrupted run
    with pytest.MonkeyPatch.context() as environment:
        for name in ("SP_API_ENDPOINT", "LWA_ENDPOINT"):  # these tests play Amazon's side themselves
            environment.delenv(name, raising=False)
        try:
            yield local.up()
        finally:
            local.down()


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with running(DIRECTORY) as stack:
        yield stack

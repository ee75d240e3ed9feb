"""One stack for all the e2e tests: the real template on the embedded AWS, with the Amazon stand-in."""

from collections.abc import Iterator

import pytest

from tools.local_stack.deployment import PROJECT, Tools
from tools.local_stack.stack import LocalStack, Stack

DIRECTORY = PROJECT / ".build" / "e2e"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The story begins with a stack on which nothing has happened yet, so it is told first."""
    ours = [item for item in items if item.path.is_relative_to(PROJECT / "tests/e2e")]
    for item in ours:
        item.add_marker("e2e")
    others = [item for item in items if item not in ours]
    items[:] = others + sorted(ours, key=lambda item: item.path.name != "test_story.py")


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    local = LocalStack(DIRECTORY, Tools(), print)
    local.down()  # what an interrupted run left behind
    with pytest.MonkeyPatch.context() as environment:
        for name in ("SP_API_ENDPOINT", "LWA_ENDPOINT"):  # these tests play Amazon's side themselves
            environment.delenv(name, raising=False)
        try:
            yield local.up()
        finally:
            local.down()

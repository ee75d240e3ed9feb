"""README's examples work as README says, on the system that `make up` starts."""

import json
import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import running
from tools.local_stack import registration
from tools.local_stack.api import call
from tools.local_stack.deployment import PROJECT
from tools.local_stack.expectations import eventually

README = (PROJECT / "README.md").read_text()


def curl_examples() -> list[str]:
    """The curl commands of README's shell examples, in their order; a body may go over several lines."""
    blocks = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    return [command.strip() for block in blocks for command in re.split(r"^(?=curl )", block, flags=re.MULTILINE)[1:]]


@pytest.fixture(scope="module")
def directory() -> Iterator[str]:
    """Where a stack runs that has just downloaded and judged its orders."""
    directory = PROJECT / ".build" / "readme"
    with running(directory) as stack:
        registration.register(stack)

        def all_held() -> object:
            answer = call(stack, "reader", "GET", "/orders?stage=Needs%20Attention")
            return len(answer.body["orders"]) > 5 or None

        eventually("orders are held", all_held)
        yield str(directory)


def test_readme_has_examples_of_every_role() -> None:
    assert len(curl_examples()) > 10
    assert all(f"${role}" in README for role in ("READER", "EDITOR", "WAREHOUSE", "ADMINISTRATOR"))


def test_every_example_succeeds_in_its_turn(directory: str) -> None:
    for example in curl_examples():
        script = f"source {directory}/env.sh\n{example} --fail-with-body"
        ran = subprocess.run(["bash", "-c", script], cwd=directory, capture_output=True, text=True, check=False)  # noqa: S603, S607 - README's own commands
        assert ran.returncode == 0, f"{example}\n{ran.stdout}{ran.stderr}"
        json.loads(ran.stdout or "{}")

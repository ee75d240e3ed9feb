"""The story that the system exists for, from the registration to the history: see `tools.local_stack.story`."""

import os
import shlex
import subprocess

from tools.amazon_stand_in.story import STORY
from tools.local_stack.deployment import PROJECT

PLAYED_BY_THE_DEMO = ("SP_API_ENDPOINT", "LWA_ENDPOINT")


def test_make_demo_tells_a_story_that_holds_on_a_stack_of_its_own() -> None:
    """The command is Makefile's; what it needs is there, or this test could not run."""
    *_, command = _run("make", "--dry-run", "--no-print-directory", "demo").splitlines()
    said = _run(*shlex.split(command))
    *_, told = said.partition("The story holds.")
    assert [row.order_id for row in STORY if row.order_id not in told] == []


def _run(*command: str) -> str:
    ran = subprocess.run(  # noqa: S603 - our own commands
        command,
        cwd=PROJECT,
        env={name: value for name, value in os.environ.items() if name not in PLAYED_BY_THE_DEMO},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    return ran.stdout

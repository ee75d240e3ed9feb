"""Runs tests repeatedly, each time in a fork of a process that has already imported all but the project's modules.

That saves most of the time that a run of a few tests takes. The process is this module as a program, in the environment
of the tests. It reads from each line what to run, and answers with pytest's exit code.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path

NOT_OURS = (
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.metrics",
    "aws_lambda_powertools.utilities.batch",
    "aws_lambda_powertools.utilities.data_classes",
    "aws_lambda_powertools.utilities.idempotency",
    "boto3",
    "hypothesis.strategies",
    "moto",
    "moto.dynamodb.models",
    "moto.events.models",
    "moto.secretsmanager.models",
    "moto.sns.models",
    "moto.sqs.models",
    "pydantic",
    "pytest",
    "urllib3",
    "yaml",
)
# A run that waits for ever is ended when so many times its processor's time has passed.
WAITS = 20
# Nothing is left behind, and chance decides nothing.
IN_A_COPY = ("-p", "no:cacheprovider", "--hypothesis-seed=0")


class WarmPytest:
    """Such a process, in the folder `root`."""

    def __init__(self, python: Path, root: Path) -> None:
        self._root = root
        self._process = subprocess.Popen(  # noqa: S603 - this module
            (python, "-m", "tools.mutants.warm_pytest"),
            cwd=root,
            # Python must not take the bytecode of a mutant for the module later.
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def passes(self, tests: list[str], seconds: int) -> bool:
        """Whether all of these tests pass within so many seconds of the processor's time."""
        (self._root / "chosen.txt").write_text("\n".join(tests))
        sent, answers = self._process.stdin, self._process.stdout
        assert sent
        assert answers
        # Hypothesis is a plugin that is imported already.
        arguments = ["-x", "-q", *IN_A_COPY, "-p", "no:xdist", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
        arguments.append("@chosen.txt")
        sent.write(json.dumps({"arguments": arguments, "seconds": seconds}) + "\n")
        sent.flush()
        return int(answers.readline()) == 0


def run(arguments: list[str], seconds: int) -> int:
    """pytest's exit code, or a signal's, negative, where one ended it."""
    child = os.fork()
    if not child:
        _be_pytest(arguments, seconds)
    end = time.monotonic() + WAITS * seconds
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _be_pytest(arguments: list[str], seconds: int) -> None:
    import pytest  # noqa: PLC0415 - in the environment of the tests

    code = 1
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
        os.dup2(os.open("pytest.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), sys.stdout.fileno())
        code = int(pytest.main(arguments))
    except BaseException:  # noqa: BLE001 - told, and then the process ends
        traceback.print_exc(file=sys.stdout)
    finally:
        sys.stdout.flush()
        os._exit(code)


def main() -> None:
    for module in NOT_OURS:
        import_module(module)
    for line in sys.stdin:
        wanted = json.loads(line)
        sys.stdout.write(f"{run(wanted['arguments'], wanted['seconds'])}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

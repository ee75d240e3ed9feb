"""`python -m tools.local_stack COMMAND`: the whole system on one machine; `make help` describes the commands."""

import argparse
import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from tools.local_stack import demo, registration, schemathesis_run, upgrade
from tools.local_stack.amazon import endpoints_from_environment
from tools.local_stack.deployment import PROJECT, Tools
from tools.local_stack.expectations import Unexpected
from tools.local_stack.load import Load
from tools.local_stack.stack import LocalStack, Stack


def say(sentence: str) -> None:
    """Progress, with the time since the command began."""
    sys.stdout.write(f"[{time.monotonic() - BEGAN:5.1f} s] {sentence}\n")
    sys.stdout.flush()


def up() -> int:
    """Starts the stack that people use, with the integration `demo`, and leaves it running."""
    local = LocalStack(PROJECT / ".local", Tools(), say)
    stack = local.up()
    if registration.register(stack):
        say(f"Registered the integration {registration.INTEGRATION}")
    say(f"Up: {stack.api}  (tokens and addresses: {local.stack_file.relative_to(PROJECT)})")
    return 0


def down() -> int:
    """Ends the stack that people use."""
    ended = LocalStack(PROJECT / ".local", Tools(), say).down()
    say(f"Ended {', '.join(ended)}" if ended else "Nothing was running")
    return 0


def run_demo() -> int:
    """Tells the story on a stack of its own."""
    with _own_stack("demo") as stack:
        return demo.tell(stack, say)


def run_schemathesis() -> int:
    """Has Schemathesis call a stack of its own."""
    with _own_stack("schemathesis-stack") as stack:
        return schemathesis_run.run(stack, say)


def run_load() -> int:
    """Sends ten thousand orders through a stack of its own."""
    with _own_stack("load") as stack:
        say(str(Load(stack, 10_000).run(say)))
    return 0


def run_scale() -> int:
    """Measures every route with fifty thousand orders and with five hundred."""
    from tools.local_stack import scale  # noqa: PLC0415 - no other command needs the layer to be importable

    with _own_stack("scale-few") as few, _own_stack("scale-many") as many:
        scale.compare((few, many), say)
    return 0


def run_upgrade() -> int:
    """Deploys this release over an earlier one that is in the middle of its work."""
    release = os.environ.get("RELEASE") or upgrade.last_release()
    local = _fresh_stack("upgrade")
    try:
        upgrade.run(local, release, say)
    finally:
        local.down()
    return 0


def run_restore() -> int:
    """Rehearses the steps of `docs/restore.md`."""
    from tools.local_stack import restore  # noqa: PLC0415 - it needs the layer to be importable

    with _own_stack("restore") as stack:
        restore.rehearse(stack, say)
    return 0


def run_chaos() -> int:
    """Makes everything go wrong on a stack of its own, for this many minutes, by a seed that it prints."""
    from tools.local_stack.chaos.run import Chaos  # noqa: PLC0415 - it needs the layer to be importable

    minutes = float(os.environ.get("MINUTES") or 10)
    seed = int(os.environ.get("SEED") or secrets.randbelow(1_000_000))
    with _own_stack("chaos") as stack:
        say(str(Chaos(stack, PROJECT / ".build/chaos", seed).run(timedelta(minutes=minutes), say)))
    return 0


@contextmanager
def _own_stack(name: str) -> Iterator[Stack]:
    """A fresh stack, which ends with what it is for."""
    local = _fresh_stack(name)
    try:
        yield local.up()
    finally:
        local.down()


def _fresh_stack(name: str) -> LocalStack:
    if endpoints_from_environment():
        raise ValueError("This plays Amazon's side itself: unset SP_API_ENDPOINT and LWA_ENDPOINT")
    local = LocalStack(PROJECT / ".build" / name, Tools(), say)
    local.down()  # the remains of an interrupted run
    return local


BEGAN = time.monotonic()
COMMANDS = {
    "up": up,
    "down": down,
    "demo": run_demo,
    "load": run_load,
    "schemathesis": run_schemathesis,
    "scale": run_scale,
    "upgrade": run_upgrade,
    "restore": run_restore,
    "chaos": run_chaos,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tools.local_stack", description="The whole system on one machine")
    parser.add_argument("command", choices=COMMANDS)
    try:
        sys.exit(COMMANDS[parser.parse_args().command]())
    except (RuntimeError, ValueError, Unexpected) as error:
        say(f"Failed: {error}")
        sys.exit(1)

"""`python -m tests.fuzz [--cases N] [--only WORD]`: every property on millions of cases, as many at once as there are
processors. Ends with 1 if one was broken; it keeps the case, and says how to see it again.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz.one_property import properties, say

FOLDER = Path(".build/fuzz")
CASES = 2_250_000
_COVERED = re.compile(r"\bcov: (\d+)")


def main() -> int:
    options = argparse.ArgumentParser(prog="make fuzz ARGUMENTS=...", description=__doc__)
    options.add_argument("--cases", type=int, default=CASES, help="of all properties together")
    options.add_argument("--only", default="", metavar="WORD", help="the properties with this word in their names")
    wanted = options.parse_args()
    names = [name for name in properties() if wanted.only in name]
    if find_spec("atheris") is None:
        say("There is no wheel of atheris for this machine: Hypothesis makes the cases, unguided by coverage.")
    cases = max(wanted.cases // len(names), 1)
    began = time.monotonic()
    with ThreadPoolExecutor(os.process_cpu_count()) as at_once:
        held = list(at_once.map(lambda name: hold(name, cases), names))
    say(f"{cases * len(names):,} cases of {len(names)} properties in {time.monotonic() - began:.0f} s")
    return 0 if all(held) else 1


def hold(name: str, cases: int) -> bool:
    """Runs a property in a process of its own, whose words go into its folder. Says whether it held."""
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "log"
    again = [sys.executable, "-m", "tests.fuzz.one_property", name]
    command = [*again, str(cases), str(folder)]
    began = time.monotonic()
    with log.open("w", encoding="utf-8") as words:
        has_held = subprocess.run(command, stderr=words, check=False).returncode == 0  # noqa: S603 - ourselves
    covered = _COVERED.findall(log.read_text(encoding="utf-8", errors="replace"))
    coverage = f", {covered[-1]} places covered" if covered else ""
    say(f"{'held' if has_held else 'BROKEN'}: {name} ({time.monotonic() - began:.0f} s{coverage})")
    if not has_held:
        # libFuzzer's names: crash-…, timeout-…, oom-…
        left = max(folder.glob("*-*"), key=lambda one: one.stat().st_mtime, default=None)
        say(f"  see {log}")
        say(
            f"  again: PYTHONPATH=.:layers {' '.join(again)} {left}"
            if left
            else "  again: the same cases are tried first"
        )
    return has_held


if __name__ == "__main__":
    sys.exit(main())

"""The processor instructions of a verdict, as valgrind's callgrind counts them: nothing else on the machine changes it.

`python -m benchmarks.instructions ours FILE 3` judges the first three batches of the file, one in each line.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from benchmarks.judging import Ours, PreparedWrites, Usual
from tools.local_stack.deployment import PROJECT

FEW, MANY = 1, 3
COLLECTED = re.compile(r"Collected\s*:\s*(\d+)")


def counted(batches: Mapping[str, Sequence[str]], records: int) -> Mapping[str, float] | None:
    """Instructions a record, by whose `batches` they are, each of so many records; None without valgrind.

    They are the difference between three batches and one: starts and imports do not count, and what the first batch
    fills, such as a cache by country, is full. It takes some minutes, because valgrind is slow.
    """
    if shutil.which("valgrind") is None:
        return None
    with tempfile.TemporaryDirectory() as directory, ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {}
        for whose, events in batches.items():
            file = Path(directory) / whose
            file.write_text("\n".join(events), encoding="utf-8")
            _run([], whose, file, FEW)  # leaves bytecode, without which valgrind takes three times as long
            for number in (FEW, MANY):
                runs[whose, number] = pool.submit(_instructions, whose, file, number)
        total = {run: future.result() for run, future in runs.items()}
    return {whose: (total[whose, MANY] - total[whose, FEW]) / (MANY - FEW) / records for whose in batches}


def _instructions(whose: str, file: Path, number: int) -> int:
    said = _run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"], whose, file, number)
    found = COLLECTED.search(said)
    if not found:
        raise RuntimeError(f"valgrind counted nothing:\n{said[-3000:]}")
    return int(found[1])


def _run(by: Sequence[str], whose: str, file: Path, number: int) -> str:
    """Judges the first batches of the file by that program; its standard error. Raises RuntimeError if it fails."""
    environment = {**os.environ, "PYTHONPATH": "layers", "PYTHONHASHSEED": "0", "PYTHONPYCACHEPREFIX": str(file.parent)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    finished = subprocess.run(  # noqa: S603 - our own program
        [*by, sys.executable, "-m", "benchmarks.instructions", whose, str(file), str(number)],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        raise RuntimeError(f"the batches of {whose} were not judged:\n{finished.stderr[-3000:]}")
    return finished.stderr


def _judge(whose: str, file: Path, number: int) -> None:
    handler = Ours(PreparedWrites()) if whose == "ours" else Usual(PreparedWrites())
    with file.open(encoding="utf-8") as lines:
        for event in islice(lines, number):
            handler.judge(event)


if __name__ == "__main__":
    whose_, file_, number_ = sys.argv[1:]
    _judge(whose_, Path(file_), int(number_))

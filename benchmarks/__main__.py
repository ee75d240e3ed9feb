"""`make bench`: measures everything in one run, and writes docs/benchmarks.md."""

import os
import platform
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

import psutil

from benchmarks import cold_start, cost, downloads, end_to_end, memory, queries, sellers, sides, verdicts
from benchmarks.markdown import wrapped
from benchmarks.report import Section, summary

WRITTEN = Path(__file__).parents[1] / "docs/benchmarks.md"
PARTS = (cold_start, verdicts, downloads, queries, sellers, cost, end_to_end, memory)
PACKAGES = ("aws-lambda-powertools", "boto3", "botocore", "pydantic", "pydantic-core")


def main() -> None:
    began = time.monotonic()
    sections: list[Section] = []
    for part in PARTS:
        print(f"== {part.__name__} ({time.monotonic() - began:.0f} s)", flush=True)
        # In a process of its own, none finds what another has warmed or set.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            sections.append(process.submit(part.section).result())
    minutes = round((time.monotonic() - began) / 60)
    texts = [_heading(sections, minutes), sides.section(), *(section.text for section in sections)]
    WRITTEN.write_text("\n\n".join(map(wrapped, texts)) + "\n", encoding="utf-8")
    print(f"wrote {WRITTEN}")


def _heading(sections: Sequence[Section], minutes: int) -> str:
    """The first screen, for people who decide, and how everything below was measured."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    memory_gib = psutil.virtual_memory().total / 2**30
    return f"""# Benchmarks

This system compared with the usual way to build it, measured on {datetime.now(UTC):%Y-%m-%d}. Nothing here ran on AWS:
the ratios carry over, the milliseconds do not. Dollars are list prices of us-east-1.

{summary(figure for section in sections for figure in section.figures)}

## How it was measured

`make bench` writes this file, and measures all of it in one run of {minutes} minutes. To measure one section alone, run
`PYTHONPATH=layers .venv/bin/python -m benchmarks.verdicts`, and so on. {os.cpu_count()} processors ({_processor()}),
{memory_gib:.0f} GiB, {platform.system()}, Python {platform.python_version()}; {packages}.

The machine is shared and noisy. So contenders take turns, in a new order each round. A ratio is the median of the
ratios of single rounds, with the least and the most in brackets. `benchmarks/usual/` holds the usual way."""


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


if __name__ == "__main__":
    main()

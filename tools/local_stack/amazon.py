"""The Amazon that the stack talks to: the stand-in, or the one that SP_API_ENDPOINT and LWA_ENDPOINT name."""

import json
import os
import sys
import time
from pathlib import Path
from typing import NamedTuple

from tools.local_stack.processes import BackgroundProcess, ProcessList


class AmazonEndpoints(NamedTuple):
    """The Selling Partner API's base URL, and Login with Amazon's whole token URL."""

    sp_api: str
    lwa: str


def endpoints_from_environment() -> AmazonEndpoints | None:
    """SP_API_ENDPOINT and LWA_ENDPOINT; None if neither is set, ValueError if only one is."""
    sp_api, lwa = os.environ.get("SP_API_ENDPOINT", ""), os.environ.get("LWA_ENDPOINT", "")
    if bool(sp_api) != bool(lwa):
        raise ValueError("Set both SP_API_ENDPOINT and LWA_ENDPOINT, or neither")
    return AmazonEndpoints(sp_api, lwa) if sp_api else None


def start_stand_in(project: Path, directory: Path, processes: ProcessList) -> AmazonEndpoints:
    """Starts the Amazon stand-in, which prints its endpoints as one line of JSON when it is ready."""
    log = directory / "amazon_stand_in.log"
    started = processes.start(
        "amazon_stand_in",
        [sys.executable, "-m", "tools.amazon_stand_in", "--port", "0"],
        environment={**os.environ, "PYTHONPATH": str(project), "PYTHONUNBUFFERED": "1"},
        endpoint="",
        log=log,
    )
    return _announced(started, log)


def running_stand_in(started: BackgroundProcess | None, directory: Path) -> AmazonEndpoints | None:
    """The endpoints of a stand-in that an earlier command started, if it still runs."""
    if started is None or started.process() is None:
        return None
    return _announced(started, directory / "amazon_stand_in.log")


def _announced(started: BackgroundProcess, log: Path, seconds: float = 180) -> AmazonEndpoints:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and started.process():
        for line in log.read_text(errors="replace").splitlines():
            if line.startswith("{") and "lwaEndpoint" in line:
                announced = json.loads(line)
                return AmazonEndpoints(announced["endpoint"], announced["lwaEndpoint"])
        time.sleep(0.1)
    raise RuntimeError(f"The Amazon stand-in did not start:\n{log.read_text(errors='replace')[-2000:]}")

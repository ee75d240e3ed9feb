"""Functions under the AWS Lambda Runtime Interface Emulator that comes with the AWS SAM CLI, without a container.

The emulator starts the runtime on the first request: awslambdaric, in the function's folder, with the layer on the
path. What it lacks of Lambda: the machine, the limits of processor and memory, and the download of the code.
"""

import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from benchmarks.artifacts import ARTIFACTS, compile_modules
from tools.local_stack.deployment import PROJECT, architecture
from tools.local_stack.processes import free_port

PYTHON = PROJECT / ".build/bench/bin/python"
RUNTIME = PROJECT / "benchmarks/traced_runtime.py"
EMULATORS = PROJECT / ".build/sam/lib/python3.13/site-packages/samcli/local/rapid"
LOG = ARTIFACTS / "runtime.log"
INVOCATIONS = "/2015-03-31/functions/function/invocations"
SECONDS_TO_START = 10
SECONDS_TO_ANSWER = 60


class Function(NamedTuple):
    """A function as Lambda has it: its folder, its layer's, and its environment."""

    folder: Path
    layer: Path | None
    environment: Mapping[str, str]


class Answer(NamedTuple):
    """A function's answer, and the milliseconds until it came."""

    content: Any
    milliseconds: float


class Runtime:
    """One environment of a function: an emulator, and the Python that it starts on the first request."""

    def __init__(self, emulator: psutil.Process, port: int) -> None:
        self._emulator = emulator
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS_TO_ANSWER)
        self._connection.connect()

    def answer(self, event: object) -> Answer:
        body = json.dumps(event).encode()
        began = time.perf_counter()
        self._connection.request("POST", INVOCATIONS, body)
        content = self._connection.getresponse().read()
        return Answer(json.loads(content), (time.perf_counter() - began) * 1000)

    def peak_mebibytes(self) -> float:
        """The most memory that the runtime's process has had so far (`VmHWM`)."""
        lines = (self._proc() / "status").read_text().splitlines()
        (kibibytes,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
        return int(kibibytes) / 1024

    def processor_milliseconds(self) -> float:
        """The processor time of all threads of the runtime's process so far."""
        threads = (self._proc() / "task").iterdir()
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e6

    def _proc(self) -> Path:
        (runtime,) = self._emulator.children()
        return Path(f"/proc/{runtime.pid}")


@contextmanager
def runtime_of(function: Function) -> Iterator[Runtime]:
    """A new environment of the function, in which nothing has run yet."""
    _prepare_python()
    port = free_port()
    emulator = [
        *(str(EMULATORS / f"aws-lambda-rie-{architecture()}"), "--log-level", "error"),
        *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
        *("--runtime-api-address", f"127.0.0.1:{free_port()}"),
    ]
    with LOG.open("wb") as log:
        started = psutil.Popen(
            [*emulator, str(PYTHON), str(RUNTIME), "app.handler"],
            cwd=function.folder,
            env=_environment(function),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(port)
        yield Runtime(started, port)
    finally:
        for process in [*started.children(recursive=True), started]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        started.wait()


def _environment(function: Function) -> dict[str, str]:
    """The environment of runtimes by Lambda's documentation, and the function's own."""
    return {
        "PATH": os.defpath,
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_NAME": function.folder.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "29",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": "INFO",
        "LAMBDA_TASK_ROOT": str(function.folder),
        # Where the code is, nothing can be written on Lambda: what was not compiled before is compiled each time.
        "PYTHONDONTWRITEBYTECODE": "1",
        **({"PYTHONPATH": str(function.layer / "python")} if function.layer else {}),
        **function.environment,
    }


@cache
def _prepare_python() -> None:
    """Compiles the runtime's own packages, which are nobody's code: for all alike."""
    compile_modules(PYTHON.parents[1] / "lib", PYTHON)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise RuntimeError(f"The emulator did not start:\n{LOG.read_text(errors='replace')[-2000:]}")

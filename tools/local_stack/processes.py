"""Background processes that outlive the command that started them, and that another command ends: exactly those.

Each is written down the moment it runs, so that whatever crashes afterwards, `make down` and the next `make up`
find it.
"""

import json
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

SECONDS_TO_END = 10


@dataclass(frozen=True)
class BackgroundProcess:
    """A process, told apart from a later one with the same ID by when it began."""

    name: str
    pid: int
    began_at: float
    endpoint: str

    def process(self) -> psutil.Process | None:
        """The running process, or None if it has ended."""
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            if process.create_time() == self.began_at and process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None


class ProcessList:
    """The background processes of one stack, kept in a JSON file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._children: list[subprocess.Popen[bytes]] = []

    def read(self) -> dict[str, BackgroundProcess]:
        """All processes written down, by name, running or not."""
        if not self.path.exists():
            return {}
        return {entry["name"]: BackgroundProcess(**entry) for entry in json.loads(self.path.read_text())}

    def start(
        self, name: str, command: Sequence[str], *, environment: Mapping[str, str], endpoint: str, log: Path
    ) -> BackgroundProcess:
        """Starts a process in a session of its own, so that a Ctrl-C meant for the command leaves it running."""
        with log.open("wb") as output:
            child = subprocess.Popen(  # noqa: S603 - the commands are this package's own
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._children.append(child)  # a Popen that is forgotten while its process runs is warned of
        started = BackgroundProcess(name, child.pid, psutil.Process(child.pid).create_time(), endpoint)
        self._write({**self.read(), name: started})
        return started

    def end_all(self) -> list[str]:
        """Ends every process written down, with its children, and answers the names of those that were running."""
        running = {name: process for name, entry in self.read().items() if (process := entry.process())}
        for process in running.values():
            _end(process)
        for child in self._children:
            child.poll()
        self.path.unlink(missing_ok=True)
        return list(running)

    def _write(self, processes: Mapping[str, BackgroundProcess]) -> None:
        unfinished = self.path.with_suffix(".new")
        unfinished.write_text(json.dumps([asdict(process) for process in processes.values()], indent=2))
        unfinished.replace(self.path)


def _end(process: psutil.Process) -> None:
    family = [process]
    with suppress(psutil.NoSuchProcess):
        family += process.children(recursive=True)
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.terminate()
    _, stubborn = psutil.wait_procs(family, timeout=SECONDS_TO_END)
    for member in stubborn:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(stubborn, timeout=SECONDS_TO_END)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(started: BackgroundProcess, port: int, *, log: Path, seconds: float = 180) -> None:
    """Returns once the process accepts connections; RuntimeError with the end of its log if it never does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and started.process():
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"{started.name} did not start:\n{log.read_text(errors='replace')[-2000:]}")

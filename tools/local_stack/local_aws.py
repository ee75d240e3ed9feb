"""The embedded AWS: MiniStack, in its own environment, with IAM enforced."""

import json
import os
import urllib.request
from pathlib import Path

import boto3

from tools.local_stack.processes import BackgroundProcess, ProcessList, free_port, wait_for_port

REGION = "us-east-1"
# MiniStack takes this key as the account's root; everything else (such as a function's role) is held to its policies.
ROOT_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def start(python: Path, directory: Path, processes: ProcessList) -> BackgroundProcess:
    """Starts MiniStack on a free port of 127.0.0.1, with all its files in `directory`."""
    port = free_port()
    log = directory / "ministack.log"
    scratch = directory / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    # Function workers inherit this environment, so nothing of the caller's own AWS settings may be in it.
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "PYTHONUNBUFFERED": "1",
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",  # in queue URLs and the like
        "STATE_DIR": str(state_of(directory)),
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "AUTH": "true",
        "LOG_LEVEL": "INFO",
    }
    command = [str(python), "-m", "ministack"]
    started = processes.start(
        "ministack", command, environment=environment, endpoint=f"http://127.0.0.1:{port}", log=log
    )
    wait_for_port(started, port, log=log)
    return started


def state_of(directory: Path) -> Path:
    """Where MiniStack that runs in the directory keeps what it signs tokens with."""
    return directory / "state"


def is_healthy(started: BackgroundProcess | None) -> bool:
    """Whether the process runs and answers as MiniStack."""
    if started is None or started.process() is None:
        return False
    try:
        with urllib.request.urlopen(f"{started.endpoint}/_ministack/health", timeout=5) as answer:  # noqa: S310 - http, ours
            return "services" in json.load(answer)
    except (OSError, ValueError):
        return False


def session() -> boto3.Session:
    """A boto3 session with the root credentials; clients need `endpoint_url` too."""
    return boto3.Session(
        aws_access_key_id=ROOT_CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=ROOT_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )


def environment_of(endpoint: str) -> dict[str, str]:
    """The environment in which AWS's own tools reach the embedded AWS, and nobody's real account."""
    callers = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **callers,
        **ROOT_CREDENTIALS,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint,
        "NO_PROXY": "127.0.0.1,localhost",
    }

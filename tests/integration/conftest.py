"""The start of integration tests: the API in memory, its log, and processes that stop before each call."""

import io
import logging
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest

from needs_attention.values import times
from tests.integration.interleaving import stopping_processes
from tools.in_memory.account import aws_in_memory
from tools.in_memory.api import Clock, DocumentedWorld, World, app
from tools.in_memory.dynamodb import MemoryDynamoDB, Table

if TYPE_CHECKING:
    from tests.integration.system import System

# Values of the orders and credentials in these tests that no log line may hold.
NEVER_LOGGED = ("Quill", "Ada", "example.com/", "@marketplace", "Harbor Street", "97209", "Atzr|", "a-client-secret")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(times, "utc_now", clock)
    return clock


@pytest.fixture
def world(clock: Clock, log_lines: io.StringIO) -> Iterator[World]:
    """The API with the integration `acme-na`. Its log must hold no personal data and no secret."""
    with aws_in_memory():
        world = DocumentedWorld(clock)
        world.register()
        yield world
    logged = log_lines.getvalue()
    assert [word for word in NEVER_LOGGED if word in logged] == []


@pytest.fixture
def log_lines() -> Iterator[io.StringIO]:
    """The functions' log while the test runs."""
    lines = io.StringIO()
    logger = logging.getLogger(os.environ["POWERTOOLS_SERVICE_NAME"])
    handler = logging.StreamHandler(lines)
    app("query_orders")  # makes the logger, and with it the formatter
    handler.setFormatter(logger.handlers[0].formatter)
    logger.addHandler(handler)
    yield lines
    logger.removeHandler(handler)


@pytest.fixture
def unlogged() -> Iterator[None]:
    """For a test of many thousand calls, whose log nobody reads."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def observer() -> MemoryDynamoDB:
    """Reads and writes the tables without being one of the processes that stop before each call."""
    return MemoryDynamoDB({name: Table(name) for name in ("OrdersTable", "IntegrationsTable")})


@pytest.fixture
def system(observer: MemoryDynamoDB, clock: Clock, unlogged: None) -> "Iterator[System]":
    """Control over processes; see `interleaving`."""
    from tests.integration.system import System  # noqa: PLC0415 - it makes loggers: after the environment

    client = boto3.client("dynamodb")
    with stopping_processes(client), observer.answering(client):
        yield System(client, clock)

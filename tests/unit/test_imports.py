"""The modules that each function imports when it starts: its first caller waits for all of them."""

import functools
import json
import os
import subprocess
import sys
from collections import Counter
from typing import NamedTuple

import pytest

from tools.from_template import TEMPLATE

PROJECT = TEMPLATE.parent
FUNCTIONS = sorted(path.parent.name for path in PROJECT.glob("functions/*/app.py"))
API = {"edit_orders", "manage_settings", "query_orders", "redact_orders", "request_downloads"}
STREAM_OR_QUEUE = {"download_orders", "publish_changes", "receive_order_changes", "redact_orders", "validate_orders"}

# Each costs a cold start 10 ms or more, and is of no use then.
NOBODYS = {
    "aws_lambda_powertools.event_handler.openapi.models",
    "aws_lambda_powertools.utilities.idempotency",
    "aws_lambda_powertools.utilities.parser",
    "aws_xray_sdk",
    "boto3",
    "s3transfer",
}
# Parts of packages that are imported where they are used, because few calls use them.
WHEN_USED = {"email_validator", "phonenumbers", "requests"}
# Modules that only some functions need.
SOMEBODYS = {
    "aws_lambda_powertools.event_handler": API,
    "aws_lambda_powertools.utilities.batch": STREAM_OR_QUEUE,
    "needs_attention.jobs.digest": {"send_digest"},
    "needs_attention.jobs.download.run": {"download_orders"},
    "needs_attention.jobs.change_log": {"publish_changes"},
    "needs_attention.jobs.download.intake": {"download_orders"},
    "needs_attention.jobs.download.report_comparison": {"download_orders"},
    "needs_attention.amazon.order_reports": {"download_orders"},
    "needs_attention.api.integrations.requests": {"manage_settings"},
    "needs_attention.api.idempotency": API - {"query_orders"},
    "needs_attention.api.integrations.preview": {"manage_settings"},
    "needs_attention.amazon.client": {"download_orders", "manage_settings", "receive_order_changes"},
    "needs_attention.jobs.validation": {"validate_orders"},
    "nameparser": {"edit_orders", "query_orders", "validate_orders"},
}


class Started(NamedTuple):
    """A function's modules after its import, and how often it made a client of each service."""

    modules: set[str]
    clients: Counter[str]


@functools.cache
def started(function: str) -> Started:
    code = """
import json, sys
from botocore.session import Session
clients, create = [], Session.create_client
def counted(self, service, *rest, **options):
    clients.append(service)
    return create(self, service, *rest, **options)
Session.create_client = counted
import app
json.dump([sorted(sys.modules), clients], sys.stdout)
"""
    variables = (
        "ANSWERS_TABLE DIGEST_TOPIC EVENT_BUS HISTORY_TABLE INTEGRATIONS_TABLE ORDERS_TABLE ORDER_CHANGE_QUEUE "
        "POWERTOOLS_METRICS_NAMESPACE POWERTOOLS_SERVICE_NAME REDACTION_QUEUE_URL SECRET_PREFIX WAKE_UP_QUEUE_URL"
    )
    path = os.pathsep.join(str(PROJECT / folder) for folder in ("layers", f"functions/{function}"))
    finished = subprocess.run(  # noqa: S603 - this project's own code
        [sys.executable, "-c", code],
        env={**dict.fromkeys(variables.split(), "x"), "AWS_DEFAULT_REGION": "eu-west-1", "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    modules, clients = json.loads(finished.stdout)
    return Started(set(modules), Counter(clients))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_imports_nothing_that_no_function_needs_at_its_start(function: str) -> None:
    assert started(function).modules & (NOBODYS | WHEN_USED) == set()


@pytest.mark.parametrize("module", SOMEBODYS)
def test_a_module_is_imported_by_the_functions_that_need_it_alone(module: str) -> None:
    assert {function for function in FUNCTIONS if module in started(function).modules} == SOMEBODYS[module]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_makes_one_client_of_each_service_that_it_uses(function: str) -> None:
    clients = started(function).clients
    assert clients
    assert set(clients.values()) == {1}, clients

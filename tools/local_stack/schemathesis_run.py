"""Schemathesis against the running API, from the document that the API serves: thousands of calls, right and wrong."""

import json
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tools.local_stack.api import Person
from tools.local_stack.expectations import eventually
from tools.local_stack.registration import INTEGRATION, register
from tools.local_stack.stack import Stack

PROJECT = Path(__file__).parents[2]
SCHEMATHESIS = PROJECT / ".build/schemathesis/bin/schemathesis"
HOOKS = "tools/openapi/schemathesis_hooks.py"
CONFIG = "tools/openapi/schemathesis.toml"
# Besides what the phases "examples" and "coverage" work out from the document.
CASES_AN_OPERATION = 40
# API Gateway throttles, as the template tells it to.
CALLS_A_SECOND = 45
# `positive_data_acceptance` goes by the status; the hooks have one that goes by the problem's code. API Gateway answers
# a method that a path does not have with 404 (the template makes that of its 403), and never with 405 and `Allow`.
NOT_CHECKED = "positive_data_acceptance,unsupported_method,allow_header_conformance"


def run(stack: Stack, say: Callable[[str], None]) -> int:
    """Schemathesis' exit code: 0 if every answer was as the document says, and none a 5xx."""
    names = _names_of_what_is_there(stack)
    say(f"Schemathesis calls {stack.api}")
    finished = subprocess.run(  # noqa: S603 - Schemathesis, from this project's own environment
        [
            str(SCHEMATHESIS),
            *("--config-file", CONFIG),
            *("run", f"{stack.api}/openapi.json", "--url", stack.api),
            *("--header", f"Authorization: Bearer {stack.tokens['administrator']}"),
            *("--exclude-checks", NOT_CHECKED),
            *("--max-examples", str(CASES_AN_OPERATION), "--rate-limit", f"{CALLS_A_SECOND}/s"),
            *("--request-timeout", "60", "--seed", "1", "--continue-on-failure", "--warnings", "off"),
        ],
        cwd=PROJECT,
        env={**os.environ, "SCHEMATHESIS_HOOKS": HOOKS, "PYTHONPATH": str(PROJECT), "REAL_NAMES": json.dumps(names)},
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return finished.returncode


def _names_of_what_is_there(stack: Stack) -> dict[str, list[str]]:
    """An integration with orders, held and complete ones, a download, a Stage and an erasure, by the part of a path."""
    register(stack)
    administrator = Person(stack, "administrator")
    start = {"updatedAfter": (datetime.now(UTC) - timedelta(days=3)).isoformat()}
    download = administrator.post(f"/integrations/{INTEGRATION}/downloads", start, status=202)["downloadId"]
    stage = administrator.post("/stages", {"name": "Supplier"}, status=201)["id"]
    buyer = {"reference": "GR-1", "buyerEmail": "nobody@mail.example.com"}
    erasure = administrator.post("/erasures", buyer, status=202)["erasureId"]
    path = f"/integrations/{INTEGRATION}/downloads/{download}"
    eventually("the download", lambda: administrator.get(path)["status"] == "finished" or None)
    orders = [row["orderId"] for row in administrator.get("/orders?limit=20")["orders"]]
    one_of_each = {"integrationId": INTEGRATION, "downloadId": download, "stageId": stage, "erasureId": erasure}
    return {"orderId": orders, **{part: [name] for part, name in one_of_each.items()}}

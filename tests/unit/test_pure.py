"""The rules know no AWS."""

import json
import subprocess
import sys
from pathlib import Path

import needs_attention

LAYERS = Path(needs_attention.__file__).parents[1]
PURE = sorted(
    ".".join(path.relative_to(LAYERS).with_suffix("").parts)
    for room in ("values", "orders", "downloads", "integrations")
    for path in (LAYERS / "needs_attention" / room).glob("[!_]*.py")
)
# One process for all: each would wait for pydantic. Says which of them brought AWS in.
IMPORTING = """
import importlib, json, sys
sys.path.insert(0, sys.argv[1])
brought = {}
for module in sys.argv[2:]:
    importlib.import_module(module)
    for name in {"boto3", "botocore", "aws_lambda_powertools"} & sys.modules.keys():
        brought.setdefault(name, module)
json.dump(brought, sys.stdout)
"""


def test_the_rules_run_without_aws() -> None:
    command = [sys.executable, "-c", IMPORTING, str(LAYERS), *PURE]
    imported = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  # only our own code

    assert len(PURE) > 20
    assert json.loads(imported.stdout) == {}

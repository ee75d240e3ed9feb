"""The rules know no AWS."""

import subprocess
import sys
from pathlib import Path

import pytest

import needs_attention

LAYERS = Path(needs_attention.__file__).parents[1]
PURE = sorted(
    ".".join(path.relative_to(LAYERS).with_suffix("").parts)
    for room in ("values", "orders", "downloads", "integrations")
    for path in (LAYERS / "needs_attention" / room).glob("[!_]*.py")
)


@pytest.mark.parametrize("module", PURE)
def test_the_rules_run_without_aws(module: str) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(LAYERS)!r}); import {module}; "
        "print(*sorted({'boto3', 'botocore', 'aws_lambda_powertools'} & sys.modules.keys()))"
    )
    command = [sys.executable, "-c", code]
    imported = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  # only our own code

    assert imported.stdout.split() == []

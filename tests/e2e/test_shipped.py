"""What `sam build` makes for Lambda, where nothing can be written beside the code."""

import importlib.util
import json
import marshal
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import pytest

from tests.e2e.conftest import DIRECTORY
from tests.from_template import TEMPLATE, resources

# PEP 552: bytecode that belongs to its source by hash, and is taken without reading the source.
UNCHECKED_HASH = 0b01


@pytest.mark.usefixtures("stack")
def test_every_module_comes_with_bytecode_that_is_taken_without_a_look_at_its_source() -> None:
    built = DIRECTORY / "build"
    sources = list(built.rglob("*.py"))
    functions = {name for name, resource in resources().items() if resource["Type"] == "AWS::Serverless::Function"}
    assert {path.relative_to(built).parts[0] for path in sources} == functions | {"NeedsAttentionLayer"}
    assert [wrong for source in sources for wrong in what_is_wrong(source, built)] == []


@pytest.mark.usefixtures("stack")
def test_the_layers_botocore_finds_every_service_that_functions_call_where_the_whole_one_does_in_every_region() -> None:
    sources = (source for folder in ("functions", "layers") for source in (TEMPLATE.parent / folder).rglob("*.py"))
    services = {name for source in sources for name in re.findall(r'client\("(\w+)"\)', source.read_text())}
    assert {"dynamodb", "sqs"} <= services
    whole, ours = (endpoints(path, services) for path in (None, DIRECTORY / "build/NeedsAttentionLayer/python"))
    assert len(whole) > 30 * len(services)
    assert ours == whole


def endpoints(packages: Path | None, services: set[str]) -> dict[str, str]:
    """Where botocore finds each service in each region of AWS, China's and the government's too."""
    code = """
import json, sys
from botocore.session import Session
session, found = Session(), {}
for partition in session.get_available_partitions():
    for region in session.get_available_regions("dynamodb", partition):
        for service in sys.argv[1:]:
            found[f"{service} in {region}"] = session.create_client(service, region).meta.endpoint_url
print(json.dumps(found))
"""
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    path = {"PYTHONPATH": str(packages)} if packages else {}
    started = subprocess.run(  # noqa: S603 - only our own code
        [sys.executable, "-c", code, *sorted(services)],
        env=os.environ | keys | path,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, str] = json.loads(started.stdout)
    return found


def what_is_wrong(source: Path, built: Path) -> Iterator[str]:
    bytecode = Path(importlib.util.cache_from_source(source))
    shipped = source.relative_to(built)
    if not bytecode.exists():
        yield f"{shipped} has none"
        return
    compiled = bytecode.read_bytes()
    magic, flags, digest = compiled[:4], int.from_bytes(compiled[4:8], "little"), compiled[8:16]
    code: CodeType = marshal.loads(compiled[16:])  # noqa: S302 - what was compiled here a minute ago
    on_lambda = Path("/opt" if shipped.parts[0] == "NeedsAttentionLayer" else "/var/task", *shipped.parts[1:])
    if magic != importlib.util.MAGIC_NUMBER:
        yield f"{shipped} is compiled for another Python"
    if flags != UNCHECKED_HASH:
        yield f"{shipped} would be compared with its source"
    if digest != importlib.util.source_hash(source.read_bytes()):
        yield f"{shipped} is compiled from another source"
    if Path(code.co_filename) != on_lambda:
        yield f"{shipped} would be {code.co_filename} in a traceback"

"""The output of `sam build` for Lambda, where nothing can be written next to the code."""

import importlib.util
import json
import marshal
import re
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import botocore
import pytest
from botocore.session import Session

from tools.from_template import TEMPLATE, resources
from tools.local_stack.deployment import build_of

# PEP 552: bytecode that belongs to its source by hash, and is taken without reading the source.
UNCHECKED_HASH = 0b01


@pytest.mark.usefixtures("stack")
def test_every_module_ships_bytecode_that_python_takes_without_its_source() -> None:
    built = build_of()
    sources = list(built.rglob("*.py"))
    functions = {name for name, resource in resources().items() if resource["Type"] == "AWS::Serverless::Function"}
    assert {path.relative_to(built).parts[0] for path in sources} == functions | {"NeedsAttentionLayer"}
    assert [wrong for source in sources for wrong in what_is_wrong(source, built)] == []


@pytest.mark.usefixtures("stack")
def test_the_layer_keeps_just_the_endpoints_of_services_that_are_called() -> None:
    sources = (source for folder in ("functions", "layers") for source in (TEMPLATE.parent / folder).rglob("*.py"))
    called = {name for source in sources for name in re.findall(r'client\("(\w+)"\)', source.read_text())}
    assert {"dynamodb", "sqs"} <= called
    prefixes = {Session().get_service_model(service).endpoint_prefix for service in called}
    shipped = build_of() / "NeedsAttentionLayer/python/botocore"
    whole, ours = (
        json.loads((package / "data/endpoints.json").read_text()) for package in (Path(*botocore.__path__), shipped)
    )
    for partition in whole["partitions"]:
        partition["services"] = {name: told for name, told in partition["services"].items() if name in prefixes}
    assert ours == whole


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

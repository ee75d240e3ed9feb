"""What template.yaml refers to: resources that a condition may leave out, and parameters that may change."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import yaml

from tools.from_template import TEMPLATE


class Call(NamedTuple):
    """A function of CloudFormation in its short form, such as `!Ref Key`."""

    function: str
    argument: Any


class _WithCalls(yaml.SafeLoader):
    """Keeps `!Ref`, `!Sub` and their like as calls."""


def _call(loader: yaml.SafeLoader, function: str, node: yaml.Node) -> Call:
    if isinstance(node, yaml.SequenceNode):
        return Call(function, loader.construct_sequence(node, deep=True))
    assert isinstance(node, yaml.ScalarNode)
    return Call(function, loader.construct_scalar(node))


_WithCalls.add_multi_constructor("!", _call)
WHOLE = yaml.load(TEMPLATE.read_text(encoding="utf-8"), _WithCalls)  # noqa: S506 - a SafeLoader
RESOURCES, OUTPUTS = WHOLE["Resources"], WHOLE["Outputs"]
CONDITIONAL = {name: one["Condition"] for name, one in RESOURCES.items() if "Condition" in one}


def references(value: Any, under: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """The names that a part of the template refers to, each with the conditions that are true there."""
    match value:
        case Call("If", [condition, then, otherwise]):
            yield from references(then, under | {condition})
            yield from references(otherwise, under)
        case Call("Ref", name):
            yield name, under
        case Call("GetAtt", attribute):
            yield attribute.partition(".")[0], under
        case Call("Sub", argument):
            text, *values = [argument] if isinstance(argument, str) else argument
            yield from ((name, under) for name in re.findall(r"\$\{(\w+)", text))
            yield from references(values, under)
        case Call(_, argument):
            yield from references(argument, under)
        case dict():
            yield from references(list(value.values()), under)
        case list():
            for item in value:
                yield from references(item, under)


def unsafe(part: dict[str, Any]) -> set[str]:
    """The conditional resources that it refers to where their condition may be false."""
    own = frozenset({part["Condition"]} if "Condition" in part else ())
    found = references(part, own)
    return {name for name, under in found if name in CONDITIONAL and CONDITIONAL[name] not in under}


@pytest.mark.parametrize("name", [*RESOURCES, *OUTPUTS])
def test_only_an_if_refers_to_what_a_condition_may_leave_out(name: str) -> None:
    parts = [group[name] for group in (RESOURCES, OUTPUTS) if name in group]
    assert [unsafe(part) for part in parts if unsafe(part)] == []


def test_nothing_depends_on_what_a_condition_may_leave_out() -> None:
    """CloudFormation leaves out a resource that depends on one whose condition is false."""
    depends = {name: one["DependsOn"] for name, one in RESOURCES.items() if "DependsOn" in one}
    named = {name: [on] if isinstance(on, str) else on for name, on in depends.items()}
    assert [name for name, on in named.items() if CONDITIONAL.keys() & set(on)] == []


def test_the_api_is_made_after_the_role_that_it_logs_through() -> None:
    made_before = {name for name, under in references(RESOURCES["Api"], frozenset()) if "SetsApiLoggingRole" in under}
    assert made_before == {"ApiAccount"}


def test_a_changed_parameter_reaches_the_live_versions() -> None:
    """SAM sees a parameter's value in a function's own properties, and not in Globals."""
    shared = {name for name, _ in references(WHOLE["Globals"], frozenset())}
    assert shared & WHOLE["Parameters"].keys() == {"AwsEndpointUrl"}  # only `sam local` sets it
    functions = {name: one["Properties"] for name, one in RESOURCES.items() if one["Type"].endswith(":Function")}
    assert [name for name, one in functions.items() if one["AutoPublishAliasAllProperties"] is not True] == []
    assert [name for name, one in functions.items() if one["Architectures"] != [Call("Ref", "Architecture")]] == []
    assert RESOURCES["Api"]["Properties"]["AlwaysDeploy"] is True
    assert WHOLE["Transform"][0] == "AWS::LanguageExtensions"  # before SAM's own

"""The tables of template.yaml in an AWS in memory, so that schema and tests cannot drift apart."""

from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

TEMPLATE = Path(__file__).parents[1] / "template.yaml"


class _PlainCloudFormation(yaml.SafeLoader):
    """Reads `!Ref`, `!Sub` and their like as the plain values that stand behind them."""


def _plain(loader: yaml.SafeLoader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    return loader.construct_sequence(node, deep=True) if isinstance(node, yaml.SequenceNode) else None


_PlainCloudFormation.add_multi_constructor("!", _plain)


@cache
def _template(file: Path = TEMPLATE) -> dict[str, Any]:
    return dict(yaml.load(file.read_text(), _PlainCloudFormation))  # noqa: S506 - a SafeLoader


def resources(template: Path = TEMPLATE) -> dict[str, Any]:
    """A template's resources by logical id."""
    return dict(_template(template)["Resources"])


def of_type(kind: str) -> dict[str, Any]:
    """The properties of all resources of that type, by logical id."""
    return {name: resource.get("Properties", {}) for name, resource in resources().items() if resource["Type"] == kind}


def conditions() -> dict[str, Any]:
    """The template's conditions by name."""
    return dict(_template()["Conditions"])


def rules() -> dict[str, Any]:
    """The template's rules by name: what CloudFormation asks of its parameters."""
    return dict(_template()["Rules"])


def parameters(template: Path = TEMPLATE) -> dict[str, Any]:
    """A template's parameters by name."""
    return dict(_template(template)["Parameters"])


def outputs() -> dict[str, Any]:
    """The template's outputs by name."""
    return dict(_template()["Outputs"])


def variables(function: str, template: Path = TEMPLATE) -> dict[str, Any]:
    """The environment of a function in a template, including the variables of all functions."""
    whole = _template(template)
    parts = whole.get("Globals", {}).get("Function", {}), whole["Resources"][function]["Properties"]
    found: dict[str, Any] = {}
    for part in parts:
        found |= part.get("Environment", {}).get("Variables", {})
    return found


def functions_timeout() -> timedelta:
    """The timeout of a function that sets none of its own."""
    return timedelta(seconds=globals_of_functions()["Timeout"])


def globals_of_functions() -> dict[str, Any]:
    """The properties of every function that sets no others."""
    return dict(_template()["Globals"]["Function"])


def logical_id_of(function: str) -> str:
    """Of the function in `functions/{function}/`, e.g. `query_orders`."""
    return "".join(word.capitalize() for word in function.split("_")) + "Function"


def function_property(logical_id: str, name: str) -> Any:
    """A property of that function, its own or every function's."""
    return resources()[logical_id]["Properties"].get(name, globals_of_functions()[name])


def create_table(client: Any, logical_id: str) -> str:
    """Makes the table of that logical id, with its keys, indexes and stream; its name is the logical id."""
    properties = resources()[logical_id]["Properties"]
    wanted = {"AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode"}
    client.create_table(TableName=logical_id, **{key: properties[key] for key in wanted & properties.keys()})
    return logical_id

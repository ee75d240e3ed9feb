"""The policies of template.yaml, and the requests that they allow.

This supports only the constructs of those policies, and raises on any other, so that it never allows a request that AWS
would refuse: IAM has more, and no Python library evaluates it with its conditions.
"""

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from tools.from_template import resources

REGION, ACCOUNT = "us-east-1", "123456789012"  # those of an AWS in memory


class Request(NamedTuple):
    """A request to IAM: an action, a resource, and the values of condition keys that the call brings along."""

    action: str
    resource: str
    keys: Mapping[str, frozenset[str]] = {}


class Statement(NamedTuple):
    """The actions and resources that it allows; of each condition it holds `(operator, key, values)`."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()

    def allows(self, request: Request) -> bool:
        return (
            request.action in self.actions
            and any(fnmatchcase(request.resource, pattern) for pattern in self.resources)
            and all(_holds(operator, values, request.keys[key]) for operator, key, values in self.conditions)
        )

    def permissions(self) -> "Iterator[Statement]":
        """The permissions that can be taken away singly: each action on each resource, for each value of a condition.

        The values that a condition excludes stay together: each of them takes something away already.
        """
        singly = [
            [(operator, key, some) for some in ([values] if "Not" in operator else [(value,) for value in values])]
            for operator, key, values in self.conditions
        ]
        for action, resource in product(self.actions, self.resources):
            yield from (Statement((action,), (resource,), conditions) for conditions in product(*singly))

    def without(self, permission: "Statement") -> "Iterator[Statement]":
        """The rest of it when one of its `permissions` is taken away.

        The other values of a condition stay together, since one call may need several: a batch of items does.
        """
        for action, resource in product(self.actions, self.resources):
            if ((action,), (resource,)) != (permission.actions, permission.resources):
                yield Statement((action,), (resource,), self.conditions)
                continue
            for number, (operator, key, values) in enumerate(self.conditions):
                if left := tuple(value for value in values if value not in permission.conditions[number][2]):
                    others = self.conditions[:number], self.conditions[number + 1 :]
                    yield Statement((action,), (resource,), (*others[0], (operator, key, left), *others[1]))

    def __str__(self) -> str:
        resource = self.resources[0].rpartition(":")[2]
        return " ".join([self.actions[0], resource, *(value for _, _, values in self.conditions for value in values)])


Policy = tuple[Statement, ...]


def allows(policy: Policy, request: Request) -> bool:
    return any(statement.allows(request) for statement in policy)


def roles() -> dict[str, str]:
    """The role of each function, by the name of the function's folder."""
    return {
        Path(function["Properties"]["CodeUri"]).name: function["Properties"]["Role"].removesuffix(".Arn")
        for function in resources().values()
        if function["Type"] == "AWS::Serverless::Function"
    }


def policy_of(role: str, names: Mapping[str, str]) -> Policy:
    """The permissions of a role in the template, if its resources have these names; see `arn`."""
    return tuple(
        _statement(statement, names)
        for policy in resources()[role]["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    )


def arn(logical_id: str, names: Mapping[str, str]) -> str:
    """The ARN of a resource of the template; one that `names` does not name bears its logical id."""
    service, prefix = _KINDS[resources()[logical_id]["Type"]]
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{prefix}{names.get(logical_id, logical_id)}"


_KINDS = {
    "AWS::DynamoDB::Table": ("dynamodb", "table/"),
    "AWS::SQS::Queue": ("sqs", ""),
    "AWS::Events::EventBus": ("events", "event-bus/"),
    "AWS::Logs::LogGroup": ("logs", "log-group:"),
    "AWS::SNS::Topic": ("sns", ""),
}
_PSEUDO_PARAMETERS = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::StackName": "needs-attention",
}


def _statement(statement: Mapping[str, Any], names: Mapping[str, str]) -> Statement:
    if statement["Effect"] != "Allow" or statement.keys() - {"Effect", "Action", "Resource", "Condition", "Sid"}:
        raise NotImplementedError(statement)
    return Statement(
        actions=_texts(statement["Action"]),
        resources=tuple(_resource(text, names) for text in _texts(statement["Resource"])),
        conditions=tuple(
            (operator, key, _texts(values))
            for operator, of_keys in statement.get("Condition", {}).items()
            for key, values in of_keys.items()
        ),
    )


def _resource(text: str, names: Mapping[str, str]) -> str:
    """A `!GetAtt` is read as `Table.Arn`, a `!Sub` as the text with its `${Table.Arn}`; a topic's `!Ref` is its ARN."""
    in_braces = text if "$" in text or text == "*" else f"${{{text}}}"
    return re.sub(r"\$\{([\w.:]+)\}", lambda found: _value(found[1], names), in_braces)


def _value(reference: str, names: Mapping[str, str]) -> str:
    if reference in _PSEUDO_PARAMETERS:
        return _PSEUDO_PARAMETERS[reference]
    logical_id, _, attribute = reference.partition(".")
    if resources()[logical_id]["Type"] == "AWS::SNS::Topic":
        return arn(logical_id, names)
    return {"Arn": arn(logical_id, names), "StreamArn": f"{arn(logical_id, names)}/stream/*"}[attribute]


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, list) else (value,)


def _holds(operator: str, wanted: tuple[str, ...], given: frozenset[str]) -> bool:
    """A key that the request does not bring is a KeyError before: in IAM `ForAllValues` would hold for it."""
    match operator:
        case "ForAllValues:StringEquals":
            return given <= set(wanted)
        case "ForAllValues:StringNotLike":
            return not any(fnmatchcase(value, pattern) for value in given for pattern in wanted)
    raise NotImplementedError(operator)

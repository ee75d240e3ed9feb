"""The requests to IAM when a function calls AWS, by AWS's Service Authorization Reference."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from tools.permissions.policies import ACCOUNT, REGION, Request

# A transaction is authorised as what is in it: "Using IAM with DynamoDB transactions" in the Developer Guide.
_IN_A_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
_SECRETS = {
    "CreateSecret": "Name",
    "GetSecretValue": "SecretId",
    "PutSecretValue": "SecretId",
    "DeleteSecret": "SecretId",
    "DescribeSecret": "SecretId",
    "UpdateSecretVersionStage": "SecretId",
}


# The one resource of a call that is of one.
_RESOURCES: Mapping[tuple[str, str], Callable[[Mapping[str, Any]], str]] = {
    ("sqs", "GetQueueAttributes"): lambda asked: _arn("sqs", asked["QueueUrl"].rpartition("/")[2]),
    ("sqs", "SendMessageBatch"): lambda sent: _arn("sqs", sent["QueueUrl"].rpartition("/")[2]),
    ("sns", "Publish"): lambda sent: str(sent["TopicArn"]),
    ("cloudwatch", "GetMetricStatistics"): lambda _: "*",
}
# Of operations that another one's action allows (Amazon SQS Developer Guide, "Amazon SQS batch actions").
_ACTIONS = {"SendMessageBatch": "SendMessage"}


def requests_of(service: str, operation: str, parameters: Mapping[str, Any]) -> list[Request]:
    """The requests that must be allowed for this call. Raises for a call that no function makes yet."""
    match service, operation:
        case "dynamodb", "BatchGetItem":
            tables = parameters["RequestItems"].items()
            return [_on_items(operation, {"TableName": name, **wanted}) for name, wanted in tables]
        case "dynamodb", "TransactWriteItems":
            items = [entry for item in parameters["TransactItems"] for entry in item.items()]
            return [_on_items(_IN_A_TRANSACTION[kind], entry) for kind, entry in items]
        case "dynamodb", "GetItem" | "PutItem" | "UpdateItem" | "DeleteItem" | "Query":
            return [_on_items(operation, parameters)]
        case plain if plain in _RESOURCES:
            return [Request(f"{service}:{_ACTIONS.get(operation, operation)}", _RESOURCES[plain](parameters))]
        case "events", "PutEvents":
            buses = {entry["EventBusName"] for entry in parameters["Entries"]}
            return [Request("events:PutEvents", _arn("events", f"event-bus/{bus}")) for bus in buses]
        case "secretsmanager", name if name in _SECRETS:
            # Secrets Manager ends the ARN with six letters of its own.
            return [
                Request(f"secretsmanager:{name}", _arn("secretsmanager", f"secret:{parameters[_SECRETS[name]]}-a1B2c3"))
            ]
    raise NotImplementedError(f"{service}:{operation}")


def _on_items(action: str, parameters: Mapping[str, Any]) -> Request:
    index = f"/index/{parameters['IndexName']}" if "IndexName" in parameters else ""
    return Request(
        f"dynamodb:{action}",
        _arn("dynamodb", f"table/{parameters['TableName']}{index}"),
        {"dynamodb:LeadingKeys": _leading_keys(parameters), "dynamodb:Attributes": _attributes(parameters)},
    )


def _leading_keys(parameters: Mapping[str, Any]) -> frozenset[str]:
    """The values of the partition key, which comes first in every key and key condition here."""
    if found := re.match(r"#\w+ = (:\w+)", parameters.get("KeyConditionExpression", "")):
        (value,) = parameters["ExpressionAttributeValues"][found[1]].values()
        return frozenset({value})
    keys = parameters.get("Keys") or [parameters.get("Key") or parameters["Item"]]
    return frozenset(str(next(iter(next(iter(key.values())).values()))) for key in keys)


def _attributes(parameters: Mapping[str, Any]) -> frozenset[str]:
    """The names in a call: of its key, of the attributes that it writes, and of all its expressions and conditions.

    Every expression of ours writes `#name` for a name.
    """
    names = parameters.get("ExpressionAttributeNames", {}).values()
    return frozenset({*names, *parameters.get("Key", {}), *parameters.get("Item", {})})


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"

"""The deployed functions, called directly, without the API and the queues, as AWS calls them."""

import json
from collections.abc import Iterator
from typing import Any, Final

import psutil

from tools.local_stack import local_aws
from tools.local_stack.stack import Stack

# In the command line of every function's process.
WORKER: Final = "ministack-lambda-"


class Functions:
    """By their logical IDs in the template."""

    def __init__(self, stack: Stack) -> None:
        session, endpoint = local_aws.session(), stack.aws_endpoint
        self._lambda = session.client("lambda", endpoint_url=endpoint)
        cloudformation = session.client("cloudformation", endpoint_url=endpoint)
        found = cloudformation.describe_stack_resources(StackName=stack.stack_name)["StackResources"]
        self.names = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}

    def environment(self, function: str) -> dict[str, str]:
        """The function's environment from the template."""
        configuration = self._lambda.get_function_configuration(FunctionName=self.names[function])
        return dict(configuration["Environment"]["Variables"])

    def does(self, function: str, event: dict[str, Any]) -> bool:
        """Whether the function does all of the event."""
        payload = json.dumps(event).encode()
        answer = self._lambda.invoke(FunctionName=self.names[function], Qualifier="live", Payload=payload)
        result = json.loads(answer["Payload"].read() or b"null")
        return "FunctionError" not in answer and not (result or {}).get("batchItemFailures")


def processes(aws: psutil.Process) -> list[psutil.Process]:
    """The processes in which functions run, oldest first; `aws` is the embedded AWS, whose children they are."""
    children = sorted(aws.children(), key=lambda child: child.pid)
    return [child for child in children if WORKER in " ".join(_command_line(child))]


def _command_line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def stream_record(image: dict[str, Any], number: int = 1) -> dict[str, Any]:
    """A record of the orders table's stream with this new image; `number` tells it from others of its batch."""
    place = {"SequenceNumber": str(number), "Keys": {"orderId": image["orderId"]}}
    return {
        "eventID": str(number),
        "eventName": "MODIFY",
        "eventSource": "aws:dynamodb",
        "dynamodb": {**place, "NewImage": image, "StreamViewType": "NEW_IMAGE"},
    }


def stream_images(stack: Stack) -> Iterator[dict[str, Any]]:
    """The new images of all changes that the orders table's stream still holds, oldest first."""
    session = local_aws.session()
    table = session.client("dynamodb", endpoint_url=stack.aws_endpoint).describe_table(
        TableName=stack.outputs["OrdersTable"]
    )["Table"]
    streams = session.client("dynamodbstreams", endpoint_url=stack.aws_endpoint)
    place = {"StreamArn": table["LatestStreamArn"], "ShardIteratorType": "TRIM_HORIZON"}
    for shard in streams.describe_stream(StreamArn=table["LatestStreamArn"])["StreamDescription"]["Shards"]:
        iterator = streams.get_shard_iterator(**place, ShardId=shard["ShardId"])["ShardIterator"]
        while iterator and (answer := streams.get_records(ShardIterator=iterator))["Records"]:
            yield from (one["dynamodb"]["NewImage"] for one in answer["Records"] if "NewImage" in one["dynamodb"])
            iterator = answer.get("NextShardIterator")

"""The template's tables on an embedded AWS of their own, and nothing else: no function runs there."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from tools.from_template import create_table, logical_id_of, of_type, variables
from tools.local_stack import local_aws
from tools.local_stack.deployment import PROJECT, Tools
from tools.local_stack.processes import ProcessList
from tools.local_stack.stack import Stack

# The template takes it as a parameter, which no deployment has set here.
ENDPOINT = "AWS_ENDPOINT_URL"


def environment_on(stack: Stack, function: str) -> dict[str, str]:
    """The function's environment, with what the stack has where the template refers to its own."""
    found = variables(logical_id_of(function))
    return {name: stack.outputs.get(str(value), str(value)) for name, value in found.items() if name != ENDPOINT}


@contextmanager
def embedded_dynamodb(name: str) -> Iterator[Stack]:
    """As a stack that has tables only; it ends with what it is for. `name` is that of its folder in `.build`."""
    directory = PROJECT / ".build" / name
    processes = ProcessList(directory / "processes.json")
    processes.end_all()  # what an interrupted run left behind
    try:
        directory.mkdir(parents=True, exist_ok=True)
        endpoint = local_aws.start(Tools().ministack_python, directory, processes).endpoint
        client = local_aws.session().client("dynamodb", endpoint_url=endpoint)
        tables = {table: create_table(client, table) for table in of_type("AWS::DynamoDB::Table")}
        yield Stack(
            api="",
            aws_endpoint=endpoint,
            region=local_aws.REGION,
            stack_name=name,
            amazon_endpoint="",
            lwa_endpoint="",
            tokens={},
            token_url="",
            warehouse_client="",
            outputs={**tables, "ApiId": name.replace("-", "_")},
        )
    finally:
        processes.end_all()
        shutil.rmtree(directory, ignore_errors=True)

"""Everything that a stack wrote where people, tools and other systems read it, except in the orders themselves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.local_stack import local_aws
from tools.local_stack.stack import Stack

# Longer than it takes to read a queue of thousands, so that no message comes twice.
SECONDS_HIDDEN = 900


class Written:
    """`directory` is where the stack has its files."""

    def __init__(self, stack: Stack, directory: Path) -> None:
        self._stack = stack
        self._directory = directory
        self._session = local_aws.session()

    def texts(self) -> Iterator[tuple[str, str]]:
        """Where, and what stands there."""
        yield from self._logs()
        yield from self._queues()
        for table in ("HistoryTable", "IntegrationsTable"):
            yield table, str(list(self.items(table)))
        yield "the functions' own output", (self._directory / "ministack.log").read_text(errors="replace")

    def items(self, table: str) -> Iterator[Any]:
        """The items of the table that the stack's output names."""
        dynamodb = self._session.client("dynamodb", endpoint_url=self._stack.aws_endpoint)
        for page in dynamodb.get_paginator("scan").paginate(TableName=self._stack.outputs[table]):
            yield from page["Items"]

    def _logs(self) -> Iterator[tuple[str, str]]:
        logs = self._session.client("logs", endpoint_url=self._stack.aws_endpoint)
        for group in logs.describe_log_groups()["logGroups"]:
            name = group["logGroupName"]
            if logs.describe_log_streams(logGroupName=name)["logStreams"]:
                pages = logs.get_paginator("filter_log_events").paginate(logGroupName=name)
                yield name, "\n".join(event["message"] for page in pages for event in page["events"])

    def _queues(self) -> Iterator[tuple[str, str]]:
        """Nothing is taken out: a wake-up that stayed hidden would hold its integration up."""
        sqs = self._session.client("sqs", endpoint_url=self._stack.aws_endpoint)
        for url in sqs.list_queues()["QueueUrls"]:
            found = []
            while messages := sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=SECONDS_HIDDEN
            ).get("Messages"):
                found += messages
            for message in found:
                sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
            yield url.rpartition("/")[2], str([message["Body"] for message in found])

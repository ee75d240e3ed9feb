"""The FIFO queue that wakes the downloader. Each integration is a message group: one run at a time spends its quota."""

import json
import uuid
from collections.abc import Iterable, Mapping
from itertools import batched
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from pydantic_core import from_json

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

logger = Logger(child=True)

# SQS takes as many with a call.
MOST_MESSAGES = 10


class NotWoken(Exception):
    """SQS took the other messages of a call, and not this one; the text is its code."""


class WakeUpQueue:
    """Sends wake-ups to the queue `url`. A message names nothing but an integration: all work is in the table."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def wake(self, integration_id: str) -> None:
        """Wakes the integration's downloads at once.

        Their work is in the table by then, and the clock wakes every integration within a quarter of an hour. So a
        wake-up that cannot be sent is only logged: the request that led to it has succeeded.
        """
        if failed := self.wake_each([integration_id], str(uuid.uuid4())):
            logger.warning("wake-up not sent", integration=integration_id, reason=str(failed[integration_id]))

    def wake_each(self, integration_ids: Iterable[str], occasion: str) -> Mapping[str, Exception]:
        """Wakes the downloads of each integration, once for each occasion: ten with a call, as SQS allows.

        Answers with the errors of those that could not be woken, by their IDs.
        """
        failed: dict[str, Exception] = {}
        for some in batched(integration_ids, MOST_MESSAGES, strict=False):
            entries: Any = [
                {
                    "Id": str(place),
                    "MessageBody": json.dumps({"integrationId": one}),
                    "MessageGroupId": one,
                    "MessageDeduplicationId": f"{one}-{occasion}".replace(":", "."),
                }
                for place, one in enumerate(some)
            ]
            try:
                answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            except (BotoCoreError, ClientError) as error:
                failed |= dict.fromkeys(some, error)
            else:
                failed |= {some[int(one["Id"])]: NotWoken(one["Code"]) for one in answer.get("Failed", ())}
        return failed


def integration_to_wake(body: str) -> str:
    """The ID of the integration that a message names. Raises ValueError for a message that is not one of ours."""
    match from_json(body):
        case {"integrationId": str(integration_id)}:
            return integration_id
    raise ValueError("the message names no integration")

"""The FIFO queue that wakes the downloader. Each integration is a message group: one run at a time spends its quota."""

import json
import uuid
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from pydantic_core import from_json

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

logger = Logger(child=True)


class WakeUpQueue:
    """Sends wake-ups to the queue `url`. A message names nothing but an integration: all work is in the table."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def wake(self, integration_id: str) -> None:
        """Wakes the integration's downloads at once.

        Their work is in the table by then, and the schedule wakes every integration each minute. So a wake-up that
        cannot be sent is only logged: the request that led to it has succeeded.
        """
        try:
            self.wake_once(integration_id, str(uuid.uuid4()))
        except (BotoCoreError, ClientError) as error:
            logger.warning("wake-up not sent", integration=integration_id, reason=str(error))

    def wake_once(self, integration_id: str, occasion: str) -> None:
        """Wakes the integration's downloads, once for each occasion. Raises botocore's errors."""
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=json.dumps({"integrationId": integration_id}),
            MessageGroupId=integration_id,
            MessageDeduplicationId=f"{integration_id}-{occasion}".replace(":", "."),
        )


def integration_to_wake(body: str) -> str:
    """The ID of the integration that a message names. Raises ValueError for a message that is not one of ours."""
    match from_json(body):
        case {"integrationId": str(integration_id)}:
            return integration_id
    raise ValueError("the message names no integration")

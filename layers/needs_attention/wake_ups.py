"""The FIFO queue that wakes the downloader, one message group per integration: one run at a time spends its quota."""

import json
import uuid
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic_core import from_json

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class WakeUpQueue:
    """Sends wake-ups to the queue `url`. A message says nothing but which integration: all work is in the table."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def wake(self, integration_id: str, *, scheduled_at: datetime | None = None) -> None:
        """Wakes the integration's downloads: at once, or, for the schedule, once for each scheduled time."""
        once = f"{integration_id}-{scheduled_at.isoformat()}" if scheduled_at else str(uuid.uuid4())
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=json.dumps({"integrationId": integration_id}),
            MessageGroupId=integration_id,
            MessageDeduplicationId=once.replace(":", "."),
        )


def integration_to_wake(body: str) -> str:
    """The integration that a message names. Raises ValueError for a message that is not one of ours."""
    match from_json(body):
        case {"integrationId": str(integration_id)}:
            return integration_id
    raise ValueError("the message names no integration")

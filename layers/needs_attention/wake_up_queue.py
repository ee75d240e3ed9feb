"""The FIFO queue that wakes the downloader. Each integration is a message group: one run at a time spends its quota."""

import json
import uuid
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger
from pydantic_core import from_json

from needs_attention.sqs import send_each

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

        Their work is in the table by then, and the clock wakes every integration within a quarter of an hour. So a
        wake-up that cannot be sent is only logged: the request that led to it has succeeded.
        """
        if failed := self.wake_each([integration_id], str(uuid.uuid4())):
            logger.warning("wake-up not sent", integration=integration_id, reason=str(failed[integration_id]))

    def wake_each(self, integration_ids: Iterable[str], occasion: str) -> Mapping[str, Exception]:
        """Wakes the downloads of each integration, once for each occasion.

        Answers with the errors of those that could not be woken, by their IDs.
        """
        return send_each(self._client, self._url, ((one, _wake_up(one, occasion)) for one in integration_ids))


def _wake_up(integration_id: str, occasion: str) -> dict[str, str]:
    return {
        "MessageBody": json.dumps({"integrationId": integration_id}),
        "MessageGroupId": integration_id,
        "MessageDeduplicationId": f"{integration_id}-{occasion}".replace(":", "."),
    }


def integration_to_wake(body: str) -> str:
    """The ID of the integration that a message names. Raises ValueError for a message that is not one of ours."""
    match from_json(body):
        case {"integrationId": str(integration_id)}:
            return integration_id
    raise ValueError("the message names no integration")

"""The queue of the redactions that the clock asks for. A message names some integrations, and nothing else.

It is no FIFO queue: two runs at once over an integration do no harm, because every write of a redaction or an erasure
has a condition. So a message that fails keeps no other waiting.
"""

import json
from collections.abc import Iterable, Mapping
from itertools import batched
from typing import TYPE_CHECKING

from pydantic_core import from_json

from needs_attention.sqs import send_each

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# With nothing due, they take a few seconds.
INTEGRATIONS_A_MESSAGE = 50


class RedactionQueue:
    """Sends the IDs of integrations to the queue `url`."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def has_waiting(self) -> bool:
        """Whether messages wait that no run has taken yet. One that failed, and will come again, does not count.

        SQS counts approximately: it may be late by a minute.
        """
        answer = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(answer["Attributes"]["ApproximateNumberOfMessages"]) > 0

    def ask_for(self, integration_ids: Iterable[str]) -> Mapping[str, Exception]:
        """Asks for the redactions of each integration.

        Answers with the errors of those that could not be asked for, by their IDs.
        """
        parts = batched(integration_ids, INTEGRATIONS_A_MESSAGE, strict=False)
        messages = ((some, {"MessageBody": json.dumps({"integrationIds": some})}) for some in parts)
        failed = send_each(self._client, self._url, messages)
        return {one: error for some, error in failed.items() for one in some}


def integrations_to_redact(body: str) -> tuple[str, ...]:
    """The IDs of the integrations that a message names. Raises ValueError for a message that is not one of ours."""
    match from_json(body):
        case {"integrationIds": [*named]} if named and all(isinstance(one, str) for one in named):
            return tuple(named)
    raise ValueError("the message names no integrations")

"""Sends many messages to a queue with few calls: ten with each, as SQS allows."""

from collections.abc import Hashable, Iterable, Mapping
from itertools import batched
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# SQS takes as many with a call.
MOST_MESSAGES = 10


class NotTaken(Exception):
    """SQS took the other messages of a call, and not this one; the text is its code."""


def send_each[Subject: Hashable](
    client: "SQSClient", url: str, messages: Iterable[tuple[Subject, Mapping[str, str]]]
) -> dict[Subject, Exception]:
    """Sends the messages, each of them with what it is about.

    Answers with the errors of those that were not sent, by what they are about: one that fails stops no other.
    """
    failed: dict[Subject, Exception] = {}
    for some in batched(messages, MOST_MESSAGES, strict=False):
        entries: Any = [{"Id": str(place), **message} for place, (_, message) in enumerate(some)]
        try:
            answer = client.send_message_batch(QueueUrl=url, Entries=entries)
        except (BotoCoreError, ClientError) as error:
            failed |= dict.fromkeys((subject for subject, _ in some), error)
        else:
            failed |= {some[int(one["Id"])][0]: NotTaken(one["Code"]) for one in answer.get("Failed", ())}
    return failed

"""Clients of AWS's services, as every function makes them, and which of their errors pass by themselves.

By default botocore waits 60 seconds for a connection and 60 more for an answer, up to four times (`Config` and
`retries.standard` of botocore 1.44). A function that API Gateway leaves 29 seconds is then killed in its first call,
and nobody learns why. DynamoDB, SQS, EventBridge and Secrets Manager answer within a second if they answer at all. So
a call gives up after 2 seconds without a connection or 5 without an answer, and is made three times at most: 21
seconds in all. A throttled call waits 3 seconds at most between its tries. These are botocore's `standard` retries:
they back off with jitter and share a quota, so that a service in trouble does not get ever more calls.

The clients are botocore's own, the same that boto3 hands out. An import of boto3 brings its resources and transfers
for S3, and every cold start would wait for them. (boto3 is in the layer for Powertools' idempotency, which imports it
when it is needed.)
"""

import functools
from typing import Any

import botocore
from botocore import session
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection


class ChangedMeanwhile(Exception):
    """Somebody else has changed the same thing since it was read."""


CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    # Otherwise botocore composes one for every call, which takes 10-14 % of the processor time of a call.
    user_agent=f"needs-attention Botocore/{botocore.__version__}",
)


# These codes say that the service has too much to do, whatever status they come with.
_THROTTLED = frozenset(
    {
        "KMS.ThrottlingException",
        "KmsThrottled",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "Throttling",
        "ThrottlingError",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)


class Throttled(Exception):
    """A service still does only a part of one request after several tries."""


def client(service: str) -> Any:
    """A client of the service, e.g. `dynamodb`."""
    return _session().create_client(service, config=CONFIG)


@functools.cache
def _session() -> session.Session:
    """One for all clients: each of its own would read AWS's endpoints once more."""
    return session.get_session()


def passes_by_itself(error: BaseException) -> bool:
    """Whether the same call may succeed a little later: AWS was not reached, has a fault, or has too much to do."""
    match error:
        case Throttled() | NoConnection() | HTTPClientError():
            return True
        case ClientError():
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            codes = {error.response["Error"]["Code"], *_reasons(error)}
            return status >= 500 or not codes.isdisjoint(_THROTTLED)
    return False


def is_lost_race(cancelled: ClientError) -> bool:
    """Whether a transaction was cancelled only because somebody else was faster, or is at it."""
    return _reasons(cancelled) <= {"None", "ConditionalCheckFailed", "TransactionConflict"}


def _reasons(error: ClientError) -> set[str]:
    """Why a transaction was cancelled: a code for each of its writes."""
    reasons: Any = error.response.get("CancellationReasons", ())
    return {reason.get("Code", "None") for reason in reasons}

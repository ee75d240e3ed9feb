"""Clients of AWS's services, as every function makes them, and which of their errors pass by themselves.

By itself botocore waits 60 seconds for a connection and 60 more for an answer, up to four times (`Config` and
`retries.standard` of botocore 1.44): a function that API Gateway leaves 29 seconds is killed in its first call, and
nobody is told why. What DynamoDB, SQS, EventBridge and Secrets Manager answer, they answer within a second. So a call
is given up after 2 seconds without a connection or 5 without an answer, and made three times at most: 21 seconds in
all. One that is throttled waits 3 seconds at most between its tries. These are botocore's `standard` retries: they
back off with jitter and share a quota, so that a service in trouble is not asked ever more.

The clients are botocore's own, the same that boto3 hands out: importing boto3 brings its resources and transfers for
S3, for which every cold start would wait. (It is in the layer for Powertools' idempotency, imported when it is needed.)
"""

import functools
from typing import Any

import botocore
from botocore import session
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection


class ChangedMeanwhile(Exception):
    """Somebody else changed the same thing since it was read."""


CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    # Else botocore composes one anew for every call, which takes 10-14 % of the processor time of a call.
    user_agent=f"needs-attention Botocore/{botocore.__version__}",
)


# Those that say that the service has too much to do, whatever the status they come with.
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
    """A service takes only a part of what it is asked at once, again and again."""


def client(service: str) -> Any:
    """A client of the service, e.g. `dynamodb`."""
    return _session().create_client(service, config=CONFIG)


@functools.cache
def _session() -> session.Session:
    """One for all clients: each would read AWS's endpoints anew."""
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

"""Faults of AWS at the edge where botocore makes a call: it is refused, its answer is lost, or the process is killed.

Each applies to the calls that functions make while its `with` lasts; a test makes its own calls before or after. A
refusal stands for the result after botocore's retries. `test_aws` checks those retries.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, NamedTuple

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError


class Killed(BaseException):
    """The process ends here, as if its time were up. No `except Exception` catches it: a dead process does nothing."""


class Call(NamedTuple):
    """A call that a function is about to make, e.g. `dynamodb`, `UpdateItem`, on `OrdersTable`."""

    service: str
    operation: str
    parameters: dict[str, Any]

    def is_to(self, service: str, operation: str | None = None, table: str | None = None) -> bool:
        """Whether it goes there: to any operation or any table, if none is named."""
        is_to_operation = operation in {None, self.operation}
        return self.service == service and is_to_operation and (table is None or table in str(self.parameters))


# The class with the one method that every call of every client comes through; the stubs keep it to themselves.
EVERY_CALL: Any = BaseClient

Fault = Callable[[Call, Any], BaseException | None]

# AWS's answers, by the codes and statuses of the services' own models.
THROTTLED = {"dynamodb": "ProvisionedThroughputExceededException", "sqs": "ThrottlingException"}
KMS_DENIED = {"dynamodb": "AccessDeniedException", "sqs": "KMS.AccessDeniedException"}


def refused(code: str, *, status: int = 400, **more: Any) -> Fault:
    """The service answers with the error of that code, as the client's own exception."""

    def fault(call: Call, client: Any) -> BaseException:
        response = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}, **more}
        error: BaseException = client.exceptions.from_code(code)(response, call.operation)
        return error

    return fault


def throttled(call: Call, client: Any) -> BaseException | None:
    """The service has too much to do."""
    return refused(THROTTLED.get(call.service, "ThrottlingException"))(call, client)


def kms_denied(call: Call, client: Any) -> BaseException | None:
    """The key that encrypts it may not be used: disabled, scheduled for deletion, or its policy changed."""
    return refused(KMS_DENIED.get(call.service, "AccessDeniedException"))(call, client)


def internal_error(call: Call, client: Any) -> BaseException | None:
    """A fault of the service's own."""
    return refused("InternalServerError", status=500)(call, client)


def unreachable(*_: object) -> BaseException:
    """No connection."""
    return ConnectTimeoutError(endpoint_url="https://aws.example.com")


def unanswered(*_: object) -> BaseException:
    """No answer in time; whether it was done nobody knows."""
    return ReadTimeoutError(endpoint_url="https://aws.example.com")


@contextmanager
def failing(fault: Fault, service: str, operation: str | None = None, table: str | None = None) -> Iterator[list[Call]]:
    """Every call there fails, and is not made; gives the list of those that did."""
    failed: list[Call] = []

    def before(call: Call, client: Any) -> None:
        if call.is_to(service, operation, table) and (error := fault(call, client)):
            failed.append(call)
            raise error

    with _at_the_edge(before):
        yield failed
    assert failed, f"nothing was asked of {service} {operation or ''} {table or ''}"


@contextmanager
def watched() -> Iterator[list[Call]]:
    """Nothing fails; gives the list of the calls that were made."""
    calls: list[Call] = []
    with _at_the_edge(lambda call, _: calls.append(call)):
        yield calls


@contextmanager
def sqs_takes_all_but_the_first() -> Iterator[None]:
    """Of the messages of each call, SQS does not take the first one, and says so."""
    make_call = EVERY_CALL._make_api_call

    def made(client: Any, operation: str, sent: dict[str, Any]) -> Any:
        if operation != "SendMessageBatch":
            return make_call(client, operation, sent)
        refused = {"Id": sent["Entries"][0]["Id"], "Code": "InternalError", "SenderFault": False}
        return make_call(client, operation, sent | {"Entries": sent["Entries"][1:]}) | {"Failed": [refused]}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EVERY_CALL, "_make_api_call", made)
        yield


@contextmanager
def killed_before_call(number: int) -> Iterator[None]:
    """The process dies instead of making its call of that number, from 0 on."""
    numbers = count()

    def before(*_: object) -> None:
        if next(numbers) == number:
            raise Killed

    with _at_the_edge(before):
        yield


@contextmanager
def _at_the_edge(before: Callable[[Call, Any], None]) -> Iterator[None]:
    """`before` is told of each call, and may raise in its place."""
    make_call = EVERY_CALL._make_api_call

    def made(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        before(Call(client.meta.service_model.service_name, operation, parameters), client)
        return make_call(client, operation, parameters)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EVERY_CALL, "_make_api_call", made)
        yield


@contextmanager
def answer_lost(client: Any, operation: str) -> Iterator[None]:
    """The client's next call of that operation is done, but its answer does not come in time; botocore makes it again.

    Under moto, whose answer comes first: `before-send` handlers run in the order of their registration.
    """
    lost: list[str] = []

    def lose(event_name: str, **_: object) -> None:
        if event_name.endswith(f".{operation}") and not lost:
            lost.append(event_name)
            raise ReadTimeoutError(endpoint_url="https://aws.example.com")

    client.meta.events.register_last("before-send", lose)
    try:
        yield
    finally:
        client.meta.events.unregister("before-send", lose)
    assert lost, f"{operation} was never called"

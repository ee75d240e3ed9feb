"""Calls of the API that cross: before a request that one makes to AWS, another comes in, or the process dies."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.client import BaseClient

# No call makes more requests to AWS; at a number above the last, nothing happens.
REQUESTS = range(1, 18)


class Killed(BaseException):
    """The process ends here."""


def dies() -> None:
    raise Killed


def call_of_aws() -> Any:
    """What every client of AWS calls. Its name is private, so the stubs leave it out."""
    return BaseClient._make_api_call  # type: ignore[attr-defined]


@contextmanager
def before_request(number: int, action: Callable[[], object]) -> Iterator[None]:
    """Does something once, before that request to AWS."""
    make_call, made = call_of_aws(), 0

    def counting(client: BaseClient, *request: Any) -> Any:
        nonlocal made
        made += 1
        if made == number:
            patch.undo()
            action()
        return make_call(client, *request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", counting)
        yield

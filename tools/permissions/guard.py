"""IAM for functions whose AWS is in memory: it denies calls that a role does not allow, conditions included.

The embedded AWS of the end-to-end tests enforces actions and resources too, but no conditions on attributes.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError
from botocore.handlers import BUILTIN_HANDLERS

from tools.permissions.policies import Policy, Request, allows
from tools.permissions.requests import requests_of


class Guard:
    """Stands between functions and AWS; `policies` are those of the functions' roles.

    It guards every client that is made after it, while a function is `running`.
    """

    def __init__(self, policies: Mapping[str, Policy]) -> None:
        self._policies = policies
        self._running: str | None = None
        self._asked: defaultdict[str, list[Request]] | None = None
        # Moto hooks in at the same place; it makes sessions of its own, so a session's events would not suffice.
        BUILTIN_HANDLERS.append(("provide-client-params", self._ask))

    @contextmanager
    def running(self, function: str | None) -> Iterator[None]:
        """Attributes all calls meanwhile to this function; None means a test, which may do anything."""
        before, self._running = self._running, function
        try:
            yield
        finally:
            self._running = before

    @contextmanager
    def listening(self) -> Iterator[Mapping[str, list[Request]]]:
        """The requests of each function meanwhile."""
        self._asked = defaultdict(list)
        try:
            yield self._asked
        finally:
            self._asked = None

    def _ask(self, params: Mapping[str, Any], model: Any, **_: object) -> None:
        if self._running is None:
            return
        for request in requests_of(model.service_model.service_name, model.name, params):
            if self._asked is not None:
                self._asked[self._running].append(request)
            if not allows(self._policies[self._running], request):
                message = f"{self._running} is not authorized to perform: {request}"
                raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": message}}, model.name)

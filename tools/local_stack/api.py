"""Calls to the deployed API, as one of the people."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import urllib3

from tools.local_stack.expectations import expect
from tools.local_stack.stack import Stack

# A function that starts on a busy machine keeps its first caller waiting.
CONNECTIONS = urllib3.PoolManager(timeout=urllib3.Timeout(300), retries=False)


class Answer(NamedTuple):
    """An answer of the API; `body` is parsed JSON, or None if there is none. Header names are lower-case."""

    status: int
    body: Any
    headers: Mapping[str, str]


def call(stack: Stack, role: str | None, method: str, path: str, body: object = None) -> Answer:
    """One call with the role's token (None: without), such as `call(stack, "reader", "GET", "/orders")`."""
    content = None if body is None else json.dumps(body).encode()
    return send(stack, role, method, path, content, {"Content-Type": "application/json"} if content else {})


def send(  # noqa: PLR0917 - all that a request has, in the order of HTTP
    stack: Stack, role: str | None, method: str, path: str, content: bytes | None, headers: Mapping[str, str]
) -> Answer:
    """One call with exactly this body and these headers, besides the token."""
    token = {"Authorization": f"Bearer {stack.tokens[role]}"} if role else {}
    answer = CONNECTIONS.request(method, stack.api + path, body=content, headers={**headers, **token})
    body = json.loads(answer.data) if answer.data else None
    return Answer(answer.status, body, {name.lower(): value for name, value in answer.headers.items()})


class Person(NamedTuple):
    """Somebody with a role. Every call says which status it expects, and answers with the body."""

    stack: Stack
    role: str | None

    def get(self, path: str, status: int = 200) -> Any:
        return self._ask("GET", path, None, status)

    def post(self, path: str, body: object, status: int = 200) -> Any:
        return self._ask("POST", path, body, status)

    def patch(self, path: str, body: object, status: int = 200) -> Any:
        return self._ask("PATCH", path, body, status)

    def delete(self, path: str, status: int = 200) -> Any:
        return self._ask("DELETE", path, None, status)

    def _ask(self, method: str, path: str, body: object, status: int) -> Any:
        answer = call(self.stack, self.role, method, path, body)
        expect(answer.status, status, f"{method} {path} as {self.role or 'nobody'} ({answer.body})")
        return answer.body

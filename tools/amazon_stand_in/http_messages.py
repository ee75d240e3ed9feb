"""Requests and answers, apart from the sockets they travel on."""

import json
import urllib.parse
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """`headers` has lower-case names; `query` keeps a parameter's every value, blank ones too."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes = b""

    @classmethod
    def read(cls, method: str, target: str, headers: Mapping[str, str], body: bytes) -> "Request":
        parts = urllib.parse.urlsplit(target)
        query = urllib.parse.parse_qs(parts.query, keep_blank_values=True)
        return cls(method, parts.path, query, {name.lower(): value for name, value in headers.items()}, body)


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is sent as it is; every answer carries a request ID, as all of Amazon's do."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @classmethod
    def of_json(cls, status: int, content: Any, headers: Mapping[str, str] | None = None) -> "Answer":
        return cls(status, json.dumps(content, ensure_ascii=False).encode(), headers or {})


class ApiError(Exception):
    """An error of the Selling Partner API: status, code, message and details as in its ErrorList."""

    def __init__(self, status: int, code: str, message: str, details: str = "") -> None:
        super().__init__(code)
        self.status = status
        self._error = {"code": code, "message": message, "details": details}

    def answer(self, headers: Mapping[str, str] | None = None) -> Answer:
        return Answer.of_json(self.status, {"errors": [self._error]}, headers)

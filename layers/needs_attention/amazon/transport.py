"""One HTTP exchange with Amazon: bounded in time and size, with an answer or an error.

It never sleeps, never retries and follows no redirect. Every request carries the User-Agent that Amazon requires.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import IO, Any, Final, cast

import urllib3

from needs_attention.amazon.errors import AmazonUnavailable, UnreadableAnswer
from needs_attention.version import VERSION

_TIMEOUT: Final = urllib3.Timeout(connect=3.0, read=20.0)
# The read timeout starts again with every byte that arrives; this one bounds an answer that comes in drops.
_ANSWER_SECONDS: Final = 60.0
# A page of 100 orders is about 0.3 MB. An answer this large is no page, and must not exhaust a function's memory.
_ANSWER_BYTES: Final = 16 * 1024 * 1024
# As Python's objects, lists within lists take fifty times their bytes. A page of long orders has some ten thousand
# objects and lists; with more than this it would not fit into a function's memory.
_MOST_PARTS: Final = 250_000
_CHUNK_BYTES: Final = 64 * 1024
_ESCAPED_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_USER_AGENT_LIMIT: Final = 500
_DECIMAL: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
# Requests a second. The fastest of the operations that are called here has 2 (Reports API, getReport); Amazon raises
# some sellers' rates.
_HIGHEST_RATE: Final = 100.0
# The slowest has 0.0056 (searchOrders). A rate of years could never be corrected.
_LOWEST_RATE: Final = 0.001


def user_agent(application: str, version: str, attributes: Mapping[str, str]) -> str:
    r"""Amazon's User-Agent, `Name/Version (Language=...; ...)`, each part with `\` before the sign that would end it.

    Amazon's page "Include a User-Agent header in all requests": Language is required, over 500 characters are rejected
    (ValueError here).
    """
    if "Language" not in attributes:
        raise ValueError("Amazon requires the attribute Language")
    listed = "; ".join(f"{_escaped(name, '=')}={_escaped(value, ');')}" for name, value in attributes.items())
    header = f"{_escaped(application, '/')}/{_escaped(version, '(')} ({listed})"
    if len(header) > _USER_AGENT_LIMIT:
        raise ValueError(f"Amazon rejects a User-Agent of more than {_USER_AGENT_LIMIT} characters")
    return header


def _escaped(text: str, endings: str) -> str:
    return "".join(f"\\{sign}" if sign in "\\" + endings else sign for sign in text)


USER_AGENT: Final = user_agent(
    "NeedsAttention",
    VERSION,
    {"Language": f"Python/{sys.version_info.major}.{sys.version_info.minor}", "Platform": sys.platform},
)


@dataclass(frozen=True)
class HttpAnswer:
    """An answer of Amazon's or of LWA's, with whatever status."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status < 300

    @property
    def request_id(self) -> str | None:
        return self.headers.get("x-amzn-RequestId")

    @property
    def rate_limit(self) -> float | None:
        """Requests a second. Amazon may leave the header out; a value that is no believable rate says as little."""
        stated = self.headers.get("x-amzn-RateLimit-Limit", "").strip()
        rate = float(stated) if _DECIMAL.fullmatch(stated) else 0.0
        return rate if _LOWEST_RATE <= rate <= _HIGHEST_RATE else None

    def json_object(self) -> dict[str, Any] | None:
        """The body, if it is a JSON object and says so. Raises nothing, as JSON errors carry the whole body along.

        Half a pair of surrogates, which JSON can write and nothing can send or store, comes as U+FFFD.
        """
        media_type = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if media_type != "application/json" and not media_type.endswith("+json"):
            return None
        if self.body.count(b"[") + self.body.count(b"{") > _MOST_PARTS:
            return None
        try:
            text = self.body.decode("utf-8-sig")
            document = json.loads(text)
            if _ESCAPED_SURROGATE.search(text):
                document = json.loads(_of_whole_characters(json.dumps(document, ensure_ascii=False)))
        except (ValueError, RecursionError):
            return None
        return document if isinstance(document, dict) else None

    def unreadable(self, operation: str, finding: str) -> UnreadableAnswer:
        """The error that says what the answer holds instead of what the model promises."""
        explanation = f"{operation}: Amazon answered with {finding}"
        return UnreadableAnswer(explanation, status=self.status, request_id=self.request_id)


class Transport:
    """Sends requests. `now` is seconds since the epoch."""

    def __init__(self, http: urllib3.PoolManager, now: Callable[[], float]) -> None:
        self._http = http
        self._now = now

    def exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> HttpAnswer:
        """Sends one request. Raises AmazonUnavailable without a complete answer, UnreadableAnswer for one too large."""
        deadline = self._now() + _ANSWER_SECONDS
        try:
            response = self._http.request(
                method,
                url,
                headers={"Accept": "application/json", "User-Agent": USER_AGENT, **headers},
                body=body,
                timeout=_TIMEOUT,
                retries=False,
                redirect=False,
                preload_content=False,
            )
            # A connection is used again only if its answer was read to the end; closing ends it otherwise.
            with closing(response):
                received = self._received(response, deadline)
        except urllib3.exceptions.HTTPError as error:
            raise AmazonUnavailable(f"Amazon gave no complete answer: {type(error).__name__}") from error
        return HttpAnswer(response.status, response.headers, received)

    @contextmanager
    def document(self, url: str) -> Iterator[IO[bytes]]:
        """The content at an address, to be read as it comes. Raises AmazonUnavailable, also while it is read."""
        try:
            response = self._http.request(
                "GET",
                url,
                headers={"User-Agent": USER_AGENT},
                body=None,
                timeout=_TIMEOUT,
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            with closing(response):
                if response.status != 200:
                    raise AmazonUnavailable("Amazon did not give the report's document", status=response.status)
                # Readers around it look once more when it has ended.
                cast(urllib3.HTTPResponse, response).auto_close = False
                yield cast(IO[bytes], response)
        except urllib3.exceptions.HTTPError as error:
            raise AmazonUnavailable(f"Amazon gave no complete document: {type(error).__name__}") from error

    def _received(self, response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        status, request_id = response.status, response.headers.get("x-amzn-RequestId")
        received = bytearray()
        while chunk := response.read1(_CHUNK_BYTES):
            received += chunk
            if len(received) > _ANSWER_BYTES:
                raise UnreadableAnswer(
                    f"Amazon's answer is larger than {_ANSWER_BYTES} bytes", status=status, request_id=request_id
                )
            if self._now() > deadline:
                raise AmazonUnavailable(
                    f"Amazon's answer took longer than {_ANSWER_SECONDS:.0f} s", status=status, request_id=request_id
                )
        return bytes(received)


def _of_whole_characters(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

"""Amazon's Selling Partner API and Login with Amazon (LWA): one call, one answer or one error.

The Orders API 2026-01-01 is here; `notifications` and `order_reports` make the calls of other APIs through it.

The client never sleeps, never retries on its own (except once with a fresh access token) and keeps no count of the
quota: whoever calls it takes a token from the persisted bucket first. A call that Amazon answers with 403 takes two.

Facts are those of the SP-API model orders_2026-01-01 and of developer-docs.amazon.com/sp-api, unless said otherwise.
"""

import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite
from typing import IO, Any, Final, cast
from urllib.parse import quote, urlencode, urlsplit

import urllib3

from needs_attention.amazon.errors import (
    AccessDenied,
    AmazonUnavailable,
    CredentialsRejected,
    OrderNotFound,
    PageTokenRejected,
    QuotaExceeded,
    RequestRejected,
    SpApiError,
    UnreadableAnswer,
)

VERSION: Final = "0.1.0"
LWA_ENDPOINT: Final = "https://api.amazon.com/auth/o2/token"
REGION_ENDPOINTS: Final[Mapping[str, str]] = {
    "NA": "https://sellingpartnerapi-na.amazon.com",
    "EU": "https://sellingpartnerapi-eu.amazon.com",
    "FE": "https://sellingpartnerapi-fe.amazon.com",
}
INCLUDED_DATA: Final = ("BUYER", "RECIPIENT", "FULFILLMENT", "PROCEEDS", "CANCELLATION", "TAX")

_ORDERS_PATH: Final = "/orders/2026-01-01/orders"
_TIMEOUT: Final = urllib3.Timeout(connect=3.0, read=20.0)
# The read timeout starts anew with every byte that arrives; this one bounds an answer that comes in drops.
_ANSWER_SECONDS: Final = 60.0
# A page of 100 orders is about 0.3 MB. Whatever is this large is no page, and must not exhaust a function's memory.
_ANSWER_BYTES: Final = 16 * 1024 * 1024
# As Python's objects, lists within lists take fifty times their bytes. A page of long orders has some ten thousand
# objects and lists; with more than this it would not fit into a function's memory.
_MOST_PARTS: Final = 250_000
# Amazon's model allows 100 on a page.
_MOST_ORDERS: Final = 1_000
_LONGEST_TOKEN_LIFE: Final = 24 * 3600
_CHUNK_BYTES: Final = 64 * 1024
# Amazon's own Java client renews an access token this long before it expires.
_TOKEN_LEEWAY_SECONDS: Final = 60.0
_USER_AGENT_LIMIT: Final = 500
_EXPLANATION_LIMIT: Final = 300
_ESCAPED_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_LWA_TOKEN: Final = re.compile(r"At[a-z]{1,2}(?:\||%7C)[^\s\"'&,;]+", re.IGNORECASE)


@dataclass(frozen=True)
class Credentials:
    """An application's LWA client and one seller's consent. The repr shows none of it."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)


@dataclass(frozen=True)
class Page:
    """One answer of `searchOrders`.

    `orders` are Amazon's entries as they came, unchecked: JSON objects, unless one of them is broken.
    `next_token` is None on the last page. `last_updated_before` is the upper bound that Amazon says it really used
    (aware). `rate_limit` is requests a second, if Amazon said so.
    """

    orders: tuple[Any, ...] = field(repr=False)
    next_token: str | None = field(repr=False)
    last_updated_before: datetime | None
    rate_limit: float | None
    request_id: str | None


@dataclass(frozen=True)
class FetchedOrder:
    """One answer of `getOrder`: Amazon's JSON object as it came, and the rate limit as in `Page`."""

    order: dict[str, Any] = field(repr=False)
    rate_limit: float | None
    request_id: str | None


@dataclass(frozen=True)
class _AccessToken:
    value: str = field(repr=False)
    renew_at: float


@dataclass(frozen=True)
class _Answer:
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
        """Requests a second. Amazon may leave the header out; a value that is no rate says as little."""
        try:
            rate = float(self.headers.get("x-amzn-RateLimit-Limit", ""))
        except ValueError:
            return None
        return rate if isfinite(rate) and rate > 0 else None

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


class SellingPartnerApi:
    """Calls Amazon for one seller in one region. Not for use by several threads at once.

    `endpoint` is a base URL (`REGION_ENDPOINTS`), `lwa_endpoint` the whole token URL, `now` seconds since the epoch.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        endpoint: str,
        lwa_endpoint: str = LWA_ENDPOINT,
        http: urllib3.PoolManager | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._credentials = credentials
        self._endpoint = endpoint.rstrip("/")
        self._lwa_endpoint = lwa_endpoint
        self._http = http or urllib3.PoolManager()
        self._now = now
        self._cached_tokens: dict[str | None, _AccessToken] = {}

    def search_orders(
        self,
        *,
        marketplace_ids: Sequence[str],
        updated_after: datetime,
        updated_before: datetime,
        pagination_token: str | None = None,
        fulfillment_statuses: Sequence[str] = (),
    ) -> Page:
        """One page of the orders updated between the two times, both inclusive (`searchOrders`).

        A further page needs exactly the parameters of the first one, and its token. Amazon wants `updated_before` at
        least two minutes in the past. Raises an SpApiError; ValueError for a time without a zone or no marketplace.
        """
        if not marketplace_ids:
            raise ValueError("searchOrders needs a marketplace ID: without one Amazon searches all of the region")
        query = {
            "marketplaceIds": ",".join(marketplace_ids),
            "lastUpdatedAfter": _timestamp(updated_after),
            "lastUpdatedBefore": _timestamp(updated_before),
            "includedData": ",".join(INCLUDED_DATA),
        }
        if fulfillment_statuses:
            query["fulfillmentStatuses"] = ",".join(fulfillment_statuses)
        if pagination_token is not None:
            query["paginationToken"] = pagination_token
        answer = self._call("GET", _ORDERS_PATH, query)
        if not answer.succeeded:
            raise self._error("searchOrders", answer, bad_request=PageTokenRejected if pagination_token else None)
        return _page(answer)

    def get_order(self, order_id: str) -> FetchedOrder:
        """One order by its ID (`getOrder`). Raises an SpApiError; ValueError for what can be no order ID."""
        if not order_id.strip("."):
            raise ValueError("an order ID of nothing but dots would be a step in the path")
        path = f"{_ORDERS_PATH}/{quote(order_id, safe='')}"
        answer = self._call("GET", path, {"includedData": ",".join(INCLUDED_DATA)})
        if not answer.succeeded:
            raise self._error("getOrder", answer, not_found=OrderNotFound)
        order = (answer.json_object() or {}).get("order")
        # Another order's data under this ID would be a person's data in the wrong place.
        if not isinstance(order, dict) or order.get("orderId") != order_id:
            raise _unreadable("getOrder", answer, "no JSON with the order that was asked for")
        return FetchedOrder(order=order, rate_limit=answer.rate_limit, request_id=answer.request_id)

    def call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        body: object = None,
        scope: str | None = None,
    ) -> dict[str, Any]:
        """An operation of another API, by its operationId: the JSON object of its answer, or {} if it has no body.

        `scope` makes it grantless: the application's own right, and not the seller's. Raises an SpApiError.
        """
        content = None if body is None else json.dumps(body).encode()
        answer = self._call(method, path, {}, content, scope)
        if not answer.succeeded:
            raise self._error(operation, answer)
        document = answer.json_object() if answer.body else {}
        if document is None:
            raise _unreadable(operation, answer, "no JSON object")
        return document

    @contextmanager
    def document(self, url: str) -> Iterator[IO[bytes]]:
        """A report's document at the address that Amazon gave for it, to be read as it comes; it wants no token.

        Raises AmazonUnavailable, also while it is read, and UnreadableAnswer for an address that is none of Amazon's.
        """
        if urlsplit(url).scheme != urlsplit(self._endpoint).scheme:
            raise UnreadableAnswer("Amazon gave an address for the report's document that is not encrypted")
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

    def _call(
        self, method: str, path: str, query: Mapping[str, str], body: bytes | None = None, scope: str | None = None
    ) -> _Answer:
        url = f"{self._endpoint}{path}?{urlencode(query)}" if query else f"{self._endpoint}{path}"
        answer = self._authorized(method, url, body, scope)
        if answer.status in (401, 403):
            # An expired access token and a missing role get the same 403: only a fresh token tells them apart.
            self._cached_tokens.pop(scope, None)
            answer = self._authorized(method, url, body, scope)
        return answer

    def _authorized(self, method: str, url: str, body: bytes | None, scope: str | None) -> _Answer:
        headers = {"x-amz-access-token": self._access_token(scope)}
        if body is not None:
            headers["Content-Type"] = "application/json"
        return self._exchange(method, url, headers, body)

    def _access_token(self, scope: str | None) -> str:
        known = self._cached_tokens.get(scope)
        if known is None or self._now() >= known.renew_at:
            known = self._cached_tokens[scope] = self._request_token(scope)
        return known.value

    def _request_token(self, scope: str | None) -> _AccessToken:
        consent = {"grant_type": "refresh_token", "refresh_token": self._credentials.refresh_token}
        form = {
            **(consent if scope is None else {"grant_type": "client_credentials", "scope": scope}),
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
        }
        asked_at = self._now()
        answer = self._exchange(
            "POST",
            self._lwa_endpoint,
            {"Content-Type": "application/x-www-form-urlencoded;charset=UTF-8"},
            urlencode(form).encode("ascii"),
        )
        if not answer.succeeded:
            raise self._lwa_error(answer)
        document = answer.json_object() or {}
        token, seconds = document.get("access_token"), document.get("expires_in")
        # A token that cannot be a header would be quoted in the HTTP library's complaint about it.
        if not (isinstance(token, str) and token.isascii() and token.isprintable() and token):
            raise _unreadable("LWA", answer, "no JSON with a usable access_token")
        if not isinstance(seconds, int) or not 0 <= seconds <= _LONGEST_TOKEN_LIFE:
            raise _unreadable("LWA", answer, "no JSON with expires_in in seconds")
        return _AccessToken(token, renew_at=asked_at + seconds - _TOKEN_LEEWAY_SECONDS)

    def _exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> _Answer:
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
        return _Answer(response.status, response.headers, received)

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

    def _error(
        self,
        operation: str,
        answer: _Answer,
        *,
        bad_request: type[RequestRejected] | None = None,
        not_found: type[OrderNotFound] | None = None,
    ) -> SpApiError:
        """What an answer without success means; `bad_request` and `not_found` are what 400 and 404 mean here."""
        code, text = self._stated_error(answer)
        explanation = f"{operation}: {text}" if text else f"{operation}: Amazon gave no reason"
        kind: type[SpApiError]
        match answer.status:
            case 400:
                kind = bad_request or RequestRejected
            case 401 | 403:
                kind = AccessDenied
            case 404 if code:
                # A 404 without Amazon's error document comes from a gateway or a wrong endpoint, not from the order.
                kind = not_found or RequestRejected
            case 429:
                kind = QuotaExceeded
            case status if status == 408 or status >= 500:
                kind = AmazonUnavailable
            case status if status >= 400:
                kind = RequestRejected
            case _:
                kind = UnreadableAnswer
        return kind(
            explanation,
            status=answer.status,
            code=code,
            request_id=answer.request_id,
            rate_limit=answer.rate_limit,
        )

    def _stated_error(self, answer: _Answer) -> tuple[str | None, str]:
        """The first error of an ErrorList: its code, and its message and details in one text."""
        errors = (answer.json_object() or {}).get("errors")
        first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
        code, message, details = (self._without_secrets(first.get(name)) for name in ("code", "message", "details"))
        return code or None, " ".join(filter(None, (message, details)))

    def _lwa_error(self, answer: _Answer) -> SpApiError:
        """Temporary, unless LWA itself names an error that is not: only that needs a person."""
        document = answer.json_object() or {}
        code = self._without_secrets(document.get("error")) or None
        text = self._without_secrets(document.get("error_description"))
        temporary = code in (None, "server_error", "temporarily_unavailable")
        is_permanent = 400 <= answer.status < 500 and answer.status not in (408, 429) and not temporary
        kind = CredentialsRejected if is_permanent else AmazonUnavailable
        explanation = f"LWA: {text}" if text else "LWA: Amazon gave no reason"
        return kind(explanation, status=answer.status, code=code, request_id=answer.request_id)

    def _without_secrets(self, text: object) -> str:
        """Amazon's words, short, without the tokens that its errors have been seen to quote."""
        if not isinstance(text, str):
            return ""
        for secret in filter(None, (self._credentials.client_secret, self._credentials.refresh_token)):
            text = text.replace(secret, "[secret]")
        return _LWA_TOKEN.sub("[secret]", text)[:_EXPLANATION_LIMIT]


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


def _page(answer: _Answer) -> Page:
    document = answer.json_object() or {}
    orders = document.get("orders")
    if not isinstance(orders, list):
        raise _unreadable("searchOrders", answer, "no JSON with a list of orders")
    if len(orders) > _MOST_ORDERS:
        raise _unreadable("searchOrders", answer, "more orders than a page can have")
    return Page(
        orders=tuple(orders),
        next_token=_next_token(answer, document.get("pagination")),
        last_updated_before=_upper_bound(answer, document.get("lastUpdatedBefore")),
        rate_limit=answer.rate_limit,
        request_id=answer.request_id,
    )


def _next_token(answer: _Answer, pagination: object) -> str | None:
    """Fails closed: a page must never look like the last one because its token could not be read."""
    if pagination is None:
        return None
    if not isinstance(pagination, dict) or not isinstance(token := pagination.get("nextToken"), str | None):
        raise _unreadable("searchOrders", answer, "a pagination that is not as in the model")
    return token or None


def _upper_bound(answer: _Answer, stated: object) -> datetime | None:
    """Fails closed: the cursor must not move past what Amazon searched because its bound could not be read."""
    if stated is None:
        return None
    try:
        bound = datetime.fromisoformat(stated) if isinstance(stated, str) else None
    except ValueError:
        bound = None
    if bound is None or bound.tzinfo is None:
        raise _unreadable("searchOrders", answer, "a lastUpdatedBefore that is no time with a zone")
    return bound


def _unreadable(operation: str, answer: _Answer, finding: str) -> UnreadableAnswer:
    return UnreadableAnswer(
        f"{operation}: Amazon answered with {finding}", status=answer.status, request_id=answer.request_id
    )


def _of_whole_characters(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC with `Z`: a `+` would be read as a blank in a query. Milliseconds only if there are some."""
    if moment.tzinfo is None:
        raise ValueError("Amazon's times need a zone")
    precision = "milliseconds" if moment.microsecond else "seconds"
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")

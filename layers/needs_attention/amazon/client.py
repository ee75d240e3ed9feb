"""Amazon's Selling Partner API: one call, one answer or one error.

The operations of the Orders API 2026-01-01 are here; `notifications` and `order_reports` make the calls of other APIs
through the same client.

The client never sleeps, never retries on its own (except once with a fresh access token) and keeps no count of the
quota: whoever calls it takes a token from the persisted bucket first. A call that Amazon answers with 403 takes two.

Facts are those of the SP-API model orders_2026-01-01 and of developer-docs.amazon.com/sp-api, unless said otherwise.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, Any, Final
from urllib.parse import quote, urlencode, urlsplit

import urllib3

from needs_attention.amazon.errors import (
    AccessDenied,
    AmazonUnavailable,
    OrderNotFound,
    PageTokenRejected,
    QuotaExceeded,
    RequestRejected,
    SpApiError,
    UnreadableAnswer,
)
from needs_attention.amazon.tokens import LWA_ENDPOINT, AccessTokens, Credentials
from needs_attention.amazon.transport import HttpAnswer, Transport

REGION_ENDPOINTS: Final[Mapping[str, str]] = {
    "NA": "https://sellingpartnerapi-na.amazon.com",
    "EU": "https://sellingpartnerapi-eu.amazon.com",
    "FE": "https://sellingpartnerapi-fe.amazon.com",
}
INCLUDED_DATA: Final = ("BUYER", "RECIPIENT", "FULFILLMENT", "PROCEEDS", "CANCELLATION", "TAX", "PACKAGES")

_ORDERS_PATH: Final = "/orders/2026-01-01/orders"
# Amazon's model allows 100 on a page.
_MOST_ORDERS: Final = 1_000


@dataclass(frozen=True)
class SearchPage:
    """One answer of `searchOrders`.

    `orders` are Amazon's entries as they came, unchecked: JSON objects, unless one of them is broken.
    `next_token` is None on the last page. `last_updated_before` is the upper bound that Amazon says it really used
    (aware). `rate_limit` is requests a second, if Amazon said so. `failure` tells of errors beside the orders: the
    page has some of its orders at most.
    """

    orders: tuple[Any, ...] = field(repr=False)
    next_token: str | None = field(repr=False)
    last_updated_before: datetime | None
    rate_limit: float | None
    request_id: str | None
    failure: str | None = None


@dataclass(frozen=True)
class FetchedOrder:
    """One answer of `getOrder`: Amazon's JSON object as it came, and the rate limit as in `SearchPage`."""

    order: dict[str, Any] = field(repr=False)
    rate_limit: float | None
    request_id: str | None


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
        self._transport = Transport(http or urllib3.PoolManager(), now)
        self._tokens = AccessTokens(credentials, endpoint=lwa_endpoint, transport=self._transport, now=now)

    def search_orders(
        self,
        *,
        marketplace_ids: Sequence[str],
        updated_after: datetime,
        updated_before: datetime,
        pagination_token: str | None = None,
        fulfillment_statuses: Sequence[str] = (),
    ) -> SearchPage:
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
        return _page(answer, stated_failure=lambda: str(self._error("searchOrders", answer)))

    def get_order(self, order_id: str) -> FetchedOrder:
        """One order by its ID (`getOrder`). Raises an SpApiError; ValueError for a text that can be no order ID."""
        if not order_id.strip("."):
            raise ValueError("an order ID of nothing but dots would be a step in the path")
        path = f"{_ORDERS_PATH}/{quote(order_id, safe='')}"
        answer = self._call("GET", path, {"includedData": ",".join(INCLUDED_DATA)})
        if not answer.succeeded:
            raise self._error("getOrder", answer, not_found=OrderNotFound)
        return _fetched_order(answer, order_id)

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
            raise answer.unreadable(operation, "no JSON object")
        return document

    @contextmanager
    def document(self, url: str) -> Iterator[IO[bytes]]:
        """A report's document at the address that Amazon gave for it, to be read as it comes; it wants no token.

        Raises AmazonUnavailable, also while it is read, and UnreadableAnswer for an address that is not encrypted.
        """
        if urlsplit(url).scheme != urlsplit(self._endpoint).scheme:
            raise UnreadableAnswer("Amazon gave an address for the report's document that is not encrypted")
        with self._transport.document(url) as content:
            yield content

    def _call(
        self, method: str, path: str, query: Mapping[str, str], body: bytes | None = None, scope: str | None = None
    ) -> HttpAnswer:
        url = f"{self._endpoint}{path}?{urlencode(query)}" if query else f"{self._endpoint}{path}"
        answer = self._authorized(method, url, body, scope)
        if answer.status in (401, 403):
            # An expired access token and a missing role get the same 403: only a fresh token tells them apart.
            self._tokens.forget(scope)
            answer = self._authorized(method, url, body, scope)
        return answer

    def _authorized(self, method: str, url: str, body: bytes | None, scope: str | None) -> HttpAnswer:
        headers = {"x-amz-access-token": self._tokens.get(scope)}
        if body is not None:
            headers["Content-Type"] = "application/json"
        return self._transport.exchange(method, url, headers, body)

    def _error(
        self,
        operation: str,
        answer: HttpAnswer,
        *,
        bad_request: type[RequestRejected] | None = None,
        not_found: type[OrderNotFound] | None = None,
    ) -> SpApiError:
        """The meaning of an answer without success; `bad_request` and `not_found` say what 400 and 404 mean here."""
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

    def _stated_error(self, answer: HttpAnswer) -> tuple[str | None, str]:
        """The first error of an ErrorList: its code, and its message and details in one text."""
        errors = (answer.json_object() or {}).get("errors")
        first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
        told = (self._credentials.without_secrets(first.get(name)) for name in ("code", "message", "details"))
        code, message, details = told
        return code or None, " ".join(filter(None, (message, details)))


def _page(answer: HttpAnswer, stated_failure: Callable[[], str]) -> SearchPage:
    """The page of a successful answer. Raises UnreadableAnswer."""
    document = answer.json_object() or {}
    orders = document.get("orders")
    if not isinstance(orders, list):
        raise answer.unreadable("searchOrders", "no JSON with a list of orders")
    if len(orders) > _MOST_ORDERS:
        raise answer.unreadable("searchOrders", "more orders than a page can have")
    return SearchPage(
        orders=tuple(orders),
        next_token=_next_token(answer, document.get("pagination")),
        last_updated_before=_upper_bound(answer, document.get("lastUpdatedBefore")),
        rate_limit=answer.rate_limit,
        request_id=answer.request_id,
        failure=stated_failure() if document.get("errors") else None,
    )


def _fetched_order(answer: HttpAnswer, order_id: str) -> FetchedOrder:
    """The order of a successful answer. Raises UnreadableAnswer, also for another order than the one asked for."""
    order = (answer.json_object() or {}).get("order")
    # Another order's data under this ID would be a person's data in the wrong place.
    if not isinstance(order, dict) or order.get("orderId") != order_id:
        raise answer.unreadable("getOrder", "no JSON with the order that was asked for")
    return FetchedOrder(order=order, rate_limit=answer.rate_limit, request_id=answer.request_id)


def _next_token(answer: HttpAnswer, pagination: object) -> str | None:
    """Fails closed: a page must never look like the last one because its token could not be read."""
    if pagination is None:
        return None
    if not isinstance(pagination, dict) or not isinstance(token := pagination.get("nextToken"), str | None):
        raise answer.unreadable("searchOrders", "a pagination that is not as in the model")
    return token or None


def _upper_bound(answer: HttpAnswer, stated: object) -> datetime | None:
    """Fails closed: the cursor must not move past what Amazon searched because its bound could not be read."""
    if stated is None:
        return None
    try:
        bound = datetime.fromisoformat(stated) if isinstance(stated, str) else None
    except ValueError:
        bound = None
    if bound is None or bound.tzinfo is None:
        raise answer.unreadable("searchOrders", "a lastUpdatedBefore that is no time with a zone")
    return bound


def _timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC with `Z`: a `+` would be read as a blank in a query. Milliseconds only if there are some."""
    if moment.tzinfo is None:
        raise ValueError("Amazon's times need a zone")
    precision = "milliseconds" if moment.microsecond else "seconds"
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")

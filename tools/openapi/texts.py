"""The texts of the OpenAPI document that belong to no single operation."""

from collections.abc import Mapping
from http import HTTPStatus

from needs_attention.api.operations import LARGEST_BODY, LARGEST_SHEET

ABOUT = """
Holds incomplete Amazon orders where nothing can fulfil them, until Amazon or a person supplies what is missing.

Times are RFC 3339 in UTC. Amounts are decimal texts. A list has a `nextCursor` while there may be more: send it as
`cursor` with the same filters. An `ETag` is a revision: send it as `If-Match`, and the change is refused if somebody
else changed the thing meanwhile. You can send a `POST` with an `Idempotency-Key` again: it gets the answer of the first
time. Refusals are `application/problem+json`: `code` is stable, texts are for people.
"""

PATH_PARTS = {
    "orderId": "Amazon's order ID",
    "integrationId": "The integration's ID, as it was registered",
    "downloadId": "The ID in the answer to the request for the download",
    "stageId": "A Stage's ID or name",
    "erasureId": "The ID in the answer to the request for the erasure",
}

REFUSALS: Mapping[HTTPStatus, str] = {
    HTTPStatus.BAD_REQUEST: "The request cannot be read: a parameter, a header or the JSON is wrong",
    HTTPStatus.UNAUTHORIZED: "The access token is missing, has expired, or is not of this system",
    HTTPStatus.FORBIDDEN: "The caller has none of the roles",
    HTTPStatus.NOT_FOUND: "There is no such thing, or the caller may not see it",
    HTTPStatus.CONFLICT: "The gate or the present state does not allow the change: `code` and `errors` say why",
    HTTPStatus.PRECONDITION_FAILED: "It has changed since you read it. The refusal shows it as it is now",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
        f"A body has at most {LARGEST_BODY // 1024} KB, and a sheet {LARGEST_SHEET // 1024} KB"
    ),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body has the wrong Content-Type",
    HTTPStatus.UNPROCESSABLE_ENTITY: "The body cannot be accepted: `errors` says why for each field",
    HTTPStatus.TOO_MANY_REQUESTS: "Slow down, and try again",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The error is logged. Try again later",
    HTTPStatus.SERVICE_UNAVAILABLE: "A service behind the API does not answer. Try again after `Retry-After` seconds",
    HTTPStatus.GATEWAY_TIMEOUT: "The request took too long. It may have taken effect, or not",
}

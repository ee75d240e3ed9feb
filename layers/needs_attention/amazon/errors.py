"""Why a call of the Selling Partner API brought no data."""


class SpApiError(Exception):
    """A call that brought no data. The text names no person and no secret, so it may be logged and shown.

    `status` is the HTTP status (None: no answer came), `code` Amazon's or LWA's error code (None: none was readable),
    `request_id` the `x-amzn-RequestId` that Amazon's support asks for, `rate_limit` requests a second, if Amazon says.
    Each subclass says when to call again.
    """

    def __init__(
        self,
        explanation: str,
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        rate_limit: float | None = None,
    ) -> None:
        facts = {"status": status, "code": code, "x-amzn-RequestId": request_id}
        known = ", ".join(f"{name} {value}" for name, value in facts.items() if value is not None)
        super().__init__(f"{explanation} ({known})" if known else explanation)
        self.status = status
        self.code = code
        self.request_id = request_id
        self.rate_limit = rate_limit


class QuotaExceeded(SpApiError):
    """429: the operation's token bucket is empty. Call again with the same parameters when a token is due.

    The model gives 429 no rate limit header, so `rate_limit` is usually None.
    """


class AccessDenied(SpApiError):
    """401 or 403, also with a fresh access token: a role, the region, a marketplace or the consent is wrong.

    Calling again helps only after a person changed that; pause and try again now and then.
    """


class CredentialsRejected(SpApiError):
    """LWA gives no access token for these credentials (`code`: invalid_grant, invalid_client, ...).

    Calling again helps only after a person renewed the consent or the client secret.
    """


class RequestRejected(SpApiError):
    """400, 413, 415 or another 4xx: Amazon does not accept the request as it is.

    It can be Amazon's fault and pass: call again later with the same parameters, and skip nothing meanwhile.
    """


class PageTokenRejected(RequestRejected):
    """400 to a call that carried a pagination token: expired (24 h) or not accepted. Start from page one again."""


class OrderNotFound(SpApiError):
    """404 to `getOrder`: Amazon has no such order, or none that this seller may see. Calling again does not help."""


class AmazonUnavailable(SpApiError):
    """5xx, a timeout, a refused or dropped connection, or LWA's temporary errors. Call again later."""


class UnreadableAnswer(SpApiError):
    """Neither an error nor what the model promises: no JSON, no `orders` or `order`, too large. Call again later.

    It says nothing about the orders, least of all that there are none.
    """

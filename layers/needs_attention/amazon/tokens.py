"""Access tokens of Login with Amazon (LWA) for one seller's consent, and for grantless operations."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from needs_attention.amazon.errors import AmazonUnavailable, CredentialsRejected, SpApiError
from needs_attention.amazon.transport import HttpAnswer, Transport

LWA_ENDPOINT: Final = "https://api.amazon.com/auth/o2/token"

_LONGEST_TOKEN_LIFE: Final = 24 * 3600
# Amazon's own Java client renews an access token this long before it expires.
_TOKEN_LEEWAY_SECONDS: Final = 60.0
_EXPLANATION_LIMIT: Final = 300
_LWA_TOKEN: Final = re.compile(r"At[a-z]{1,2}(?:\||%7C)[^\s\"'&,;]+", re.IGNORECASE)


@dataclass(frozen=True)
class Credentials:
    """An application's LWA client and one seller's consent. The repr shows none of it."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)

    def without_secrets(self, text: object) -> str:
        """Amazon's words, short, without the tokens that its errors have been seen to quote."""
        if not isinstance(text, str):
            return ""
        for secret in filter(None, (self.client_secret, self.refresh_token)):
            text = text.replace(secret, "[secret]")
        return _LWA_TOKEN.sub("[secret]", text)[:_EXPLANATION_LIMIT]


@dataclass(frozen=True)
class _AccessToken:
    value: str = field(repr=False)
    renew_at: float


class AccessTokens:
    """Keeps an access token for each scope until shortly before it expires; `endpoint` is the whole token URL.

    The scope None is the seller's consent. Any other makes the token grantless: the application's own right.
    """

    def __init__(
        self, credentials: Credentials, *, endpoint: str, transport: Transport, now: Callable[[], float]
    ) -> None:
        self._credentials = credentials
        self._endpoint = endpoint
        self._transport = transport
        self._now = now
        self._cached: dict[str | None, _AccessToken] = {}

    def get(self, scope: str | None) -> str:
        """A token that is still good, asked for if there is none. Raises an SpApiError."""
        known = self._cached.get(scope)
        if known is None or self._now() >= known.renew_at:
            known = self._cached[scope] = self._request(scope)
        return known.value

    def forget(self, scope: str | None) -> None:
        self._cached.pop(scope, None)

    def _request(self, scope: str | None) -> _AccessToken:
        consent = {"grant_type": "refresh_token", "refresh_token": self._credentials.refresh_token}
        form = {
            **(consent if scope is None else {"grant_type": "client_credentials", "scope": scope}),
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
        }
        asked_at = self._now()
        answer = self._transport.exchange(
            "POST",
            self._endpoint,
            {"Content-Type": "application/x-www-form-urlencoded;charset=UTF-8"},
            urlencode(form).encode("ascii"),
        )
        if not answer.succeeded:
            raise self._error(answer)
        document = answer.json_object() or {}
        token, seconds = document.get("access_token"), document.get("expires_in")
        # A token that cannot be a header would be quoted in the HTTP library's complaint about it.
        if not (isinstance(token, str) and token.isascii() and token.isprintable() and token):
            raise answer.unreadable("LWA", "no JSON with a usable access_token")
        if not isinstance(seconds, int) or not 0 <= seconds <= _LONGEST_TOKEN_LIFE:
            raise answer.unreadable("LWA", "no JSON with expires_in in seconds")
        return _AccessToken(token, renew_at=asked_at + seconds - _TOKEN_LEEWAY_SECONDS)

    def _error(self, answer: HttpAnswer) -> SpApiError:
        """Temporary, unless LWA itself names an error that is not: only that needs a person."""
        document = answer.json_object() or {}
        code = self._credentials.without_secrets(document.get("error")) or None
        text = self._credentials.without_secrets(document.get("error_description"))
        temporary = code in (None, "server_error", "temporarily_unavailable")
        is_permanent = 400 <= answer.status < 500 and answer.status not in (408, 429) and not temporary
        kind = CredentialsRejected if is_permanent else AmazonUnavailable
        explanation = f"LWA: {text}" if text else "LWA: Amazon gave no reason"
        return kind(explanation, status=answer.status, code=code, request_id=answer.request_id)

"""Login with Amazon: refresh tokens and client credentials in, access tokens out.

Source: SP-API documentation, "Connecting to the Selling Partner API"; RFC 6749 section 5.2 for the error codes.
"""

import secrets
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from tools.amazon_stand_in.http_messages import Answer, Request

TOKEN_PATH: Final = "/auth/o2/token"
TOKEN_LIFETIME: Final = timedelta(hours=1)
# The scope of a token: the account of the seller who authorized the application, or grantless operations only.
SELLER: Final = ""
NOTIFICATIONS: Final = "sellingpartnerapi::notifications"
_GRANTLESS_SCOPES: Final = frozenset({NOTIFICATIONS, "sellingpartnerapi::migration"})


@dataclass(frozen=True, slots=True)
class Credentials:
    """An application's and a seller's credentials, invented but shaped as Amazon's are."""

    client_id: str = "amzn1.application-oa2-client.stand-in"
    client_secret: str = "amzn1.oa2-cs.v1.stand-in"
    refresh_token: str = "Atzr|stand-in"


@dataclass(frozen=True, slots=True)
class Grant:
    """The rights of an access token."""

    scope: str
    expiry: datetime


class LoginError(Exception):
    """An OAuth error: the answer's status, its code and its description."""

    def __init__(self, status: int, code: str, description: str) -> None:
        super().__init__(code)
        self.answer = Answer.of_json(status, {"error": code, "error_description": description})


class LoginWithAmazon:
    """Grants access tokens, and knows the scope of each of them."""

    def __init__(self, credentials: Credentials, now: Callable[[], datetime]) -> None:
        self._credentials = credentials
        self._now = now
        self._grants: dict[str, Grant] = {}

    def answer(self, request: Request) -> Answer:
        try:
            return self._granted(_form(request))
        except LoginError as error:
            return error.answer

    def grant(self, access_token: str) -> Grant | None:
        """None: the token was never issued."""
        return self._grants.get(access_token)

    def expire_all(self) -> None:
        now = self._now()
        self._grants = {token: replace(grant, expiry=now) for token, grant in self._grants.items()}

    def _granted(self, form: dict[str, str]) -> Answer:
        grant_type = _required(form, "grant_type")
        if grant_type not in {"refresh_token", "client_credentials"}:
            raise LoginError(400, "unsupported_grant_type", "The authorization grant type is not supported")
        self._authenticate(_required(form, "client_id"), _required(form, "client_secret"))
        if grant_type == "client_credentials":
            scope = _required(form, "scope")
            if scope not in _GRANTLESS_SCOPES:
                raise LoginError(400, "invalid_scope", "The requested scope is invalid")
            return self._fresh(scope)
        if _required(form, "refresh_token") != self._credentials.refresh_token:
            raise LoginError(400, "invalid_grant", "The request has an invalid grant parameter : refresh_token")
        return self._fresh(SELLER, refresh_token=self._credentials.refresh_token)

    def _fresh(self, scope: str, **more: str) -> Answer:
        access_token = f"Atza|{secrets.token_urlsafe(48)}"
        self._grants[access_token] = Grant(scope, self._now() + TOKEN_LIFETIME)
        granted = {
            "access_token": access_token,
            "token_type": "bearer",
            "expires_in": int(TOKEN_LIFETIME.total_seconds()),
        }
        return Answer.of_json(200, granted | more, {"Cache-Control": "no-store", "Pragma": "no-cache"})

    def _authenticate(self, client_id: str, client_secret: str) -> None:
        if (client_id, client_secret) != (self._credentials.client_id, self._credentials.client_secret):
            raise LoginError(401, "invalid_client", "Client authentication failed")


def _form(request: Request) -> dict[str, str]:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method != "POST" or content_type != "application/x-www-form-urlencoded":
        raise LoginError(400, "invalid_request", "The request must be a form-encoded POST")
    form = urllib.parse.parse_qs(request.body.decode(errors="replace"), keep_blank_values=True)
    if repeated := [name for name, values in form.items() if len(values) > 1]:
        raise LoginError(400, "invalid_request", f"The request repeats a parameter : {repeated[0]}")
    return {name: values[0] for name, values in form.items()}


def _required(form: dict[str, str], name: str) -> str:
    value = form.get(name, "")
    if not value:
        raise LoginError(400, "invalid_request", f"The request is missing a required parameter : {name}")
    return value

"""The checks that every operation of the Selling Partner API makes first: User-Agent, access token, roles, quota.

Sources: SP-API documentation for the User-Agent and for grantless operations; Amazon's models for the statuses that
tell the rate; Amazon's issue tracker for the texts of 403 and 429 answers.
"""

import json
import re
from collections.abc import Callable, Iterable, Set
from datetime import datetime
from typing import Final

from tools.amazon_stand_in.http_messages import Answer, ApiError, Request
from tools.amazon_stand_in.ledger import Json
from tools.amazon_stand_in.login_with_amazon import SELLER, LoginWithAmazon
from tools.amazon_stand_in.marketplaces import MARKETPLACES, Region
from tools.amazon_stand_in.misbehaviour import access_denied, quota_exceeded
from tools.amazon_stand_in.quota import USAGE_PLANS, TokenBucket, UsagePlan
from tools.amazon_stand_in.visibility import ALL_DATA_ROLES, ROLES

_LONGEST_USER_AGENT: Final = 500
# `AppId/AppVersion (Language=...; ...)`, where a backslash escapes any of / \ ( ) = ;
_USER_AGENT: Final = re.compile(r"(?:[^\\/()]|\\.)+/(?:[^\\()]|\\.)+ \((?:.*; *)?Language=[^;)]+.*\)")
_STATUSES_WITH_RATE: Final = frozenset({200, 202, 400, 404})


class FrontDoor:
    """One application's way into one seller's account: `roles` are those that the seller granted."""

    def __init__(self, login: LoginWithAmazon, now: Callable[[], datetime]) -> None:
        self.roles: Set[str] = ALL_DATA_ROLES
        self._login = login
        self._now = now
        self._buckets = {operation: TokenBucket(plan, now()) for operation, plan in USAGE_PLANS.items()}

    def set_plan(self, operation: str, plan: UsagePlan) -> None:
        """Gives the operation another usage plan and a full bucket. Raises ValueError for an unknown operation."""
        if operation not in USAGE_PLANS:
            raise ValueError(f"no such operation: {operation}")
        self._buckets[operation] = TokenBucket(plan, self._now())

    def answer(
        self,
        operation: str,
        request: Request,
        found: Callable[[Request], Json],
        *,
        status: int = 200,
        scope: str = SELLER,
    ) -> Answer:
        """The operation's answer, `found` if nothing stands against it. `scope` is what the token must be good for."""
        rate = {"x-amzn-RateLimit-Limit": str(self._buckets[operation].plan.rate)}
        try:
            _check_user_agent(request)
            self._check_access(request, scope)
            if not self._buckets[operation].take(self._now()):
                raise quota_exceeded()
            return Answer.of_json(status, found(request), rate)
        except ApiError as error:
            return error.answer(rate if error.status in _STATUSES_WITH_RATE else {})

    def _check_access(self, request: Request, scope: str) -> None:
        access_token = request.headers.get("x-amz-access-token", "")
        if not access_token:
            raise ApiError(403, "MissingAuthenticationToken", "Missing Authentication Token")
        grant = self._login.grant(access_token)
        if grant is None:
            raise access_denied("The access token you provided is revoked, malformed or invalid.")
        if grant.expiry <= self._now():
            raise access_denied("The access token you provided has expired.")
        if grant.scope != scope:
            raise access_denied("")
        if scope == SELLER and not self.roles & ROLES:
            raise access_denied("The application has no role for this operation.")


def invalid_input(details: str) -> ApiError:
    return ApiError(400, "InvalidInput", "Invalid Input", details)


def check_region(marketplace_ids: Iterable[str], region: Region) -> None:
    """Raises Amazon's 403 unless all are marketplaces of the region."""
    for marketplace_id in marketplace_ids:
        marketplace = MARKETPLACES.get(marketplace_id)
        if marketplace is None or marketplace.region != region:
            raise access_denied("The marketplaces you provided are not valid for region.")


def json_body(request: Request) -> Json:
    """The request's body: a JSON object. Fields beyond Amazon's model are let through, as public clients send some."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        # The models give the status; the code is inferred.
        raise ApiError(415, "UnsupportedMediaType", "The request's Content-Type header is invalid.", content_type)
    try:
        body = json.loads(request.body)
    except ValueError:
        raise invalid_input("The body is not JSON.") from None
    if not isinstance(body, dict):
        raise invalid_input("The body must be a JSON object.")
    return body


def _check_user_agent(request: Request) -> None:
    user_agent = request.headers.get("user-agent", "")
    if len(user_agent) > _LONGEST_USER_AGENT:
        raise invalid_input(f"The User-Agent header must not exceed {_LONGEST_USER_AGENT} characters.")
    if not _USER_AGENT.fullmatch(user_agent):
        raise invalid_input("The User-Agent header must be AppId/AppVersion (Language=...).")

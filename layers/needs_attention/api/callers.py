"""Who calls the API, and with which roles."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from needs_attention.api.problems import Problem


class Role(StrEnum):
    """What a caller may do. People get roles through Cognito groups, machines through scopes."""

    READER = "reader"
    EDITOR = "editor"
    WAREHOUSE = "warehouse"
    ADMINISTRATOR = "administrator"


_INCLUDED_ROLES: Mapping[str, frozenset[Role]] = {
    Role.READER: frozenset({Role.READER}),
    Role.EDITOR: frozenset({Role.READER, Role.EDITOR}),
    Role.WAREHOUSE: frozenset({Role.WAREHOUSE}),
    Role.ADMINISTRATOR: frozenset({Role.READER, Role.EDITOR, Role.ADMINISTRATOR}),
}
_SCOPE_PREFIX = "needs-attention/"
# What history calls the system itself. A person may have such a user name.
_MACHINES = frozenset({"amazon", "clock", "validation"})


class Caller(NamedTuple):
    """The person or machine whose access token came with the request. History shows `name`.

    A person whose user name means the system itself has a name that begins with `user:`.
    """

    name: str
    roles: frozenset[Role]

    @classmethod
    def from_claims(cls, claims: Mapping[str, Any]) -> "Caller":
        """Reads the claims of a Cognito access token, as API Gateway passes them on.

        A person's scopes do not count: an app may be granted more scopes than the person has roles.
        """
        if username := str(claims.get("username") or ""):
            name = f"user:{username}" if username.strip().casefold() in _MACHINES else username
            return cls(name, _roles(_groups(claims.get("cognito:groups"))))
        scopes = str(claims.get("scope", "")).split()
        ours = [scope.removeprefix(_SCOPE_PREFIX) for scope in scopes if scope.startswith(_SCOPE_PREFIX)]
        return cls(str(claims.get("client_id", "unknown")), _roles(ours))

    def is_any_of(self, *roles: Role) -> bool:
        return not self.roles.isdisjoint(roles)

    def suffix_for(self, key: str | None) -> str | None:
        """The end of the ID of whatever a request with this `Idempotency-Key` makes: sent again, it finds that ID."""
        return hashlib.sha256(f"{self.name} {key}".encode()).hexdigest()[:12] if key else None

    def must_be(self, role: Role, what: str) -> None:
        """Raises a 403 for a caller without the role. `what` completes the sentence: "Only ... overrides the gate"."""
        if role not in self.roles:
            raise Problem(403, f"Only a caller with the role {role} {what}.", code="roleNeeded")


def _groups(claim: object) -> list[str]:
    """API Gateway writes a list of groups as `a,b` or `[a b]`. Other authorizers pass on a list."""
    if isinstance(claim, list):
        return [str(group) for group in claim]
    return re.split(r"[\s,]+", str(claim or "").strip("[] "))


def _roles(names: Sequence[str]) -> frozenset[Role]:
    return frozenset().union(*(_INCLUDED_ROLES.get(name, frozenset()) for name in names))


def claims_of(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The claims in an event of API Gateway; none for a request without a token."""
    authorizer = event.get("requestContext", {}).get("authorizer") or {}
    return authorizer.get("claims") or {}

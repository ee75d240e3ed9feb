"""The dates on which an integration's credentials end: Amazon's client secrets and consents do not last."""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

# Amazon's pages "Rotating your apps' LWA credentials" and "Renew authorizations" (of public applications).
CLIENT_SECRET_LIVES = timedelta(days=180)
CONSENT_LIVES = timedelta(days=365)
WARNED_BEFORE = timedelta(days=30)
Ending = Literal["clientSecret", "consent"]


class Expiry(NamedTuple):
    """The end of one part of the credentials; `is_soon` if it is less than 30 days away, or past."""

    what: Ending
    at: datetime
    is_soon: bool

    @classmethod
    def of(cls, what: Ending, begun_at: datetime, now: datetime) -> "Expiry":
        at = begun_at + (CLIENT_SECRET_LIVES if what == "clientSecret" else CONSENT_LIVES)
        return cls(what, at, is_soon=now >= at - WARNED_BEFORE)

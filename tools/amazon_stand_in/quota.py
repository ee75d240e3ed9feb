"""Usage plans: one token bucket for each operation."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final


@dataclass(frozen=True, slots=True)
class UsagePlan:
    """`rate` is in requests per second, `burst` in requests."""

    rate: float
    burst: int


# Source: "Usage Plan" of each operation in Amazon's models of the Orders API 2026-01-01, the Reports API 2021-06-30 and
# the Notifications API v1.
USAGE_PLANS: Final = {
    "searchOrders": UsagePlan(0.0056, 20),
    "getOrder": UsagePlan(0.5, 30),
    "createReport": UsagePlan(0.0167, 15),
    "getReport": UsagePlan(2, 15),
    "getReportDocument": UsagePlan(0.0167, 15),
    "createDestination": UsagePlan(1, 5),
    "getDestinations": UsagePlan(1, 5),
    "getDestination": UsagePlan(1, 5),
    "deleteDestination": UsagePlan(1, 5),
    "createSubscription": UsagePlan(1, 5),
    "getSubscription": UsagePlan(1, 5),
    "getSubscriptionById": UsagePlan(1, 5),
    "deleteSubscriptionById": UsagePlan(1, 5),
}


class TokenBucket:
    """Full at first; refills at the plan's rate up to its burst."""

    def __init__(self, plan: UsagePlan, now: datetime) -> None:
        self.plan = plan
        self._tokens = float(plan.burst)
        self._counted_at = now

    def take(self, now: datetime) -> bool:
        """Takes one token, if there is one."""
        elapsed = (now - self._counted_at).total_seconds()
        self._tokens = min(self.plan.burst, self._tokens + elapsed * self.plan.rate)
        self._counted_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

"""The standing of orders and integrations at one moment: it changes with the clock, so no index holds it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, Self, get_args

from needs_attention.downloads.live import LiveDownload
from needs_attention.downloads.proofs import Proofs
from needs_attention.downloads.second_look import Reconciliation
from needs_attention.integrations.held_counter import HeldCounter
from needs_attention.integrations.incidents import IncidentCode, Incidents
from needs_attention.integrations.integration import Integration, Rejudgement
from needs_attention.integrations.stages import Stages
from needs_attention.integrations.surroundings import Surroundings
from needs_attention.orders.checks import CHECK_OF
from needs_attention.orders.settings import ThreePlStatus
from needs_attention.orders.summary import Summary
from needs_attention.orders.urgency import Age, Queue, ShipByState, age_of, queue_of, ship_by_state

BlockedBy = Literal[
    "pending",
    "held",
    "frozen",
    "trialMode",
    "beforeGoLive",
    "incomplete",
    "doNotTransfer",
    "notFullyDispatched",
    "handedOver",
    "fulfilledByAmazon",
    "redacted",
    "void",
    "shipped",
    "draft",
]
# Blocked by nothing else, an order is complete and waits for somebody here to send it.
_WAITS_FOR_US: frozenset[BlockedBy] = frozenset({"doNotTransfer", "notFullyDispatched"})


def may_be_fulfilled(summary: Summary, surroundings: Surroundings) -> bool:
    """Whether goods may leave now: the order allows it, the integration is live, and nothing is frozen."""
    return summary.is_fulfillable and _is_open(summary, surroundings)


def may_be_transferred(summary: Summary, surroundings: Surroundings) -> bool:
    """Whether a warehouse may take the order now."""
    return summary.is_transferable and _is_open(summary, surroundings)


def _is_open(summary: Summary, surroundings: Surroundings) -> bool:
    settings = surroundings.settings_for(summary.marketplace_id)
    return settings.may_hand_over(summary.created_at) and not surroundings.is_frozen


def blocked_by(summary: Summary, surroundings: Surroundings) -> tuple[BlockedBy, ...]:
    """Every reason why goods may not leave now; none if they may."""
    if may_be_fulfilled(summary, surroundings):
        return ()
    settings, status = surroundings.settings_for(summary.marketplace_id), summary.three_pl_status
    is_ours = summary.fulfilled_by != "AMAZON"
    is_over = bool(summary.is_void or summary.redacted_at or summary.is_shipped or status.is_handed_over)
    is_held = summary.hold is not None
    waits = not (is_over or is_held or summary.is_pending or summary.status == "Draft") and is_ours
    reasons: dict[BlockedBy, bool] = {
        "pending": summary.is_pending,
        "held": is_held,
        "frozen": surroundings.is_frozen,
        "trialMode": settings.trial_mode,
        "beforeGoLive": settings.go_live_date is not None and summary.created_at < settings.go_live_date,
        "incomplete": waits and bool(summary.missing),
        "doNotTransfer": waits and status is ThreePlStatus.DO_NOT_TRANSFER and summary.fully_dispatched_at is None,
        "notFullyDispatched": waits and status is ThreePlStatus.UPON_COMPLETION and summary.fully_dispatched_at is None,
        "handedOver": status.is_handed_over,
        "fulfilledByAmazon": not is_ours,
        "redacted": summary.redacted_at is not None,
        "void": summary.is_void,
        "shipped": summary.is_shipped,
        "draft": summary.status == "Draft",
    }
    return tuple(reason for reason, applies in reasons.items() if applies)


def goes_nowhere(summary: Summary, surroundings: Surroundings, now: datetime) -> bool:
    """Whether a complete order of ours goes nowhere, and nobody decided that.

    It stays at `Do Not Transfer to 3PL` although neither the default nor a person's explicit decision says so, or its
    ship-by has passed while anything blocks it, also that the warehouse could not pick it.
    """
    return _goes_nowhere(summary, surroundings, blocked_by(summary, surroundings), ship_by_state(summary.ship_by, now))


def _goes_nowhere(
    summary: Summary, surroundings: Surroundings, reasons: tuple[BlockedBy, ...], urgency: ShipByState | None
) -> bool:
    if reasons == ("handedOver",) and summary.three_pl_status is ThreePlStatus.WITH_ERRORS:
        return summary.is_unsent and urgency == "overdue"
    if not reasons or not _WAITS_FOR_US.issuperset(reasons):
        return False
    settings = surroundings.settings_for(summary.marketplace_id)
    is_default = settings.default_three_pl_status is ThreePlStatus.DO_NOT_TRANSFER
    is_decided = summary.stopped_by is not None and not summary.stop_is_implied
    is_forgotten = "doNotTransfer" in reasons and not is_default and not is_decided
    return is_forgotten or urgency == "overdue"


class OrderStanding(NamedTuple):
    """The standing of an order at one moment: its incident, its deadline, its queue, and whether it goes nowhere."""

    incident: IncidentCode | None
    ship_by_state: ShipByState | None
    queue: Queue | None
    blocked_by: tuple[BlockedBy, ...]
    goes_nowhere: bool

    @classmethod
    def of(cls, summary: Summary, surroundings: Surroundings, now: datetime) -> "OrderStanding":
        incident = surroundings.incidents.cause_of(summary.marketplace_id, summary.awaited)
        urgency = ship_by_state(summary.ship_by, now) if summary.is_unsent else None
        waits = summary.redownload_at is not None and not summary.ready_to_release
        queue = queue_of(summary.hold, urgency, has_incident=incident is not None, waits_for_amazon=waits)
        reasons = blocked_by(summary, surroundings)
        return cls(incident, urgency, queue, reasons, _goes_nowhere(summary, surroundings, reasons, urgency))


@dataclass(frozen=True)
class HeldCounts:
    """How many orders are held, and how many of them by missing field, queue, age and ship-by state.

    An order that lacks several fields counts for each of them. Every name is there, also with 0.
    """

    held: int
    ready_to_release: int
    by_missing: Mapping[str, int]
    by_queue: Mapping[Queue, int]
    by_age: Mapping[str, int]
    by_ship_by_state: Mapping[ShipByState, int]

    @classmethod
    def of(cls, held: Sequence[Summary], surroundings: Surroundings, now: datetime) -> Self:
        """Counts the held orders of one integration."""
        standings = [OrderStanding.of(summary, surroundings, now) for summary in held]
        return cls(
            held=len(held),
            ready_to_release=sum(summary.ready_to_release for summary in held),
            by_missing=_counted(CHECK_OF, (field for summary in held for field in summary.missing)),
            by_queue=_counted(get_args(Queue), (standing.queue for standing in standings)),
            by_age=_counted(get_args(Age), (age_of(summary.held_at, now) for summary in held if summary.held_at)),
            by_ship_by_state=_counted(get_args(ShipByState), (standing.ship_by_state for standing in standings)),
        )

    @classmethod
    def total(cls, counts: Iterable[Self]) -> Self:
        """The counts of several integrations together."""
        every = list(counts)
        return cls(
            held=sum(one.held for one in every),
            ready_to_release=sum(one.ready_to_release for one in every),
            by_missing=_sum(CHECK_OF, (one.by_missing for one in every)),
            by_queue=_sum(get_args(Queue), (one.by_queue for one in every)),
            by_age=_sum(get_args(Age), (one.by_age for one in every)),
            by_ship_by_state=_sum(get_args(ShipByState), (one.by_ship_by_state for one in every)),
        )


class UnsentCounts(NamedTuple):
    """How many orders go nowhere, and how many unsent ones a person stopped."""

    going_nowhere: int
    stopped: int

    @classmethod
    def of(cls, orders: Iterable[Summary], surroundings: Surroundings, now: datetime) -> Self:
        """Counts among these orders of one integration."""
        unsent = [summary for summary in orders if summary.is_unsent]
        return cls(
            going_nowhere=sum(goes_nowhere(summary, surroundings, now) for summary in unsent),
            stopped=sum(summary.stopped_by is not None for summary in unsent),
        )

    @classmethod
    def total(cls, counts: Iterable[Self]) -> Self:
        """The counts of several integrations together."""
        every = list(counts)
        return cls(sum(one.going_nowhere for one in every), sum(one.stopped for one in every))


def _counted[Name: str](names: Iterable[Name], found: Iterable[str | None]) -> dict[Name, int]:
    times = Counter(found)
    return {name: times[name] for name in names}


def _sum[Name: str](names: Iterable[Name], counts: Iterable[Mapping[Name, int]]) -> dict[Name, int]:
    every = list(counts)
    return {name: sum(one[name] for one in every) for name in names}


class IntegrationState(NamedTuple):
    """An integration and the state of its downloads, as a run reads them once, at its start.

    Only runs write this state, one at a time. The exception is a rejudgement: people may start a new one meanwhile.
    """

    surroundings: Surroundings
    live: LiveDownload
    proofs: Proofs
    reconciliation: Reconciliation | None
    rejudgement: Rejudgement | None
    held_counter: HeldCounter | None

    @property
    def incidents(self) -> Incidents:
        return self.surroundings.incidents

    @property
    def integration(self) -> Integration:
        return self.surroundings.integration

    @property
    def is_rejudging(self) -> bool:
        return self.rejudgement is not None and self.rejudgement.finished_at is None


class IntegrationStanding(NamedTuple):
    """The state of an integration's downloads that people see, and the names of its Stages."""

    live: LiveDownload
    incidents: Incidents
    reconciliation: Reconciliation | None  # the second look that is under way, or was the last
    stages: Stages

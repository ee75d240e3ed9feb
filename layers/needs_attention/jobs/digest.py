"""The daily digest: new and healed orders, and those that wait for somebody or go nowhere. No personal data.

Its length is bounded. It counts as many held orders of an integration as the API's summary does. The integrations with
the most to do have a paragraph each, and the others share one. Of more integrations than it can look at in its time it
chooses by their incidents and the counters of their held orders, and adds the others up by these.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from needs_attention.integrations.held_counter import HeldCounter
from needs_attention.integrations.incidents import Incidents
from needs_attention.integrations.standing import HeldCounts, OrderStanding, UnsentCounts
from needs_attention.integrations.surroundings import Surroundings
from needs_attention.integrations.wording import HOW_TO_RENEW, what_to_do
from needs_attention.jobs.turns import for_each
from needs_attention.orders.settings import NEEDS_ATTENTION
from needs_attention.orders.summary import Summary
from needs_attention.orders.urgency import AT_RISK, ShipByState
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.integrations import IntegrationPage, SettingsStore
from needs_attention.tables.orders import MOST_ORDERS_COUNTED, OrderStore, Page, RedactionCounts
from needs_attention.values.times import instant

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.literals import StatisticType

DAY = timedelta(days=1)
# People still read a mail of this length, and it is far from the 256 KB that SNS takes.
MOST_INTEGRATIONS_TOLD = 50
MOST_ORDERS_NAMED = 20
# It takes some ten calls to look at an integration, one after another, and the function has five minutes.
MOST_LOOKED_AT = 100
# Of each integration.
MOST_HELD_READ = 1_000
# Of each other Stage of an integration: those that must leave within a day, or should have left not long ago. The other
# orders of a Stage are not due, or were told of for two weeks; and nearly all of them are sent.
MOST_DUE_READ = 1_000
OVERDUE_FOR_AT_MOST = 14 * DAY

_AGES = {
    "underAnHour": "less than an hour",
    "underADay": "less than a day",
    "underThreeDays": "less than three days",
    "older": "longer",
}
_URGENT_STATES: dict[ShipByState | None, str] = {"overdue": "overdue", "atRisk": "at risk"}


class Measurements:
    """Reads the functions' metrics from the namespace.

    Only metrics tell how many holds have ended: no index finds their orders, which are wherever they went.
    """

    def __init__(self, client: "CloudWatchClient", namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    def total(self, service: str, metric: str, statistic: "StatisticType", since: datetime, until: datetime) -> int:
        """The metric over all integrations, rounded: `Sum` adds its values, `SampleCount` counts them."""
        answer = self._client.get_metric_statistics(
            Namespace=self._namespace,
            MetricName=metric,
            Dimensions=[{"Name": "service", "Value": service}],
            StartTime=since,
            EndTime=until,
            Period=3600,
            Statistics=[statistic],
        )
        points: Iterable[Mapping[str, Any]] = answer["Datapoints"]
        total: float = sum(point[statistic] for point in points)
        return round(total)


class Digest(NamedTuple):
    """A mail: its subject, and its text."""

    subject: str
    text: str


class _Told(NamedTuple):
    """The facts about one integration; `is_truncated` says that more orders are held than were counted."""

    surroundings: Surroundings
    held: HeldCounts
    is_truncated: bool
    unsent: UnsentCounts
    new: int
    redactions: RedactionCounts
    urgent: tuple["_Urgent", ...]
    unreadable: tuple[str, ...]

    @property
    def urgency(self) -> tuple[int, ...]:
        """Sorts integrations by how much there is to do."""
        states, incidents = self.held.by_ship_by_state, self.surroundings.incidents.incidents
        return states["overdue"], states["atRisk"], self.unsent.going_nowhere, len(incidents), self.held.held


class _Urgent(NamedTuple):
    """An order of which `state` says, in words for people, that it is overdue or at risk."""

    order: Summary
    state: str


class _Others(NamedTuple):
    """The integrations that the digest does not look at: how many, and how many orders they held when counted.

    There may be some without a counter: `is_any` says that the digest does not look at all integrations.
    """

    is_any: bool = False
    integrations: int = 0
    held: int = 0
    is_truncated: bool = False

    @classmethod
    def of(cls, counters: Iterable[HeldCounter]) -> "_Others":
        every = [counter.held for counter in counters]
        is_truncated = any(held >= MOST_ORDERS_COUNTED for held in every)
        return cls(is_any=True, integrations=len(every), held=sum(every), is_truncated=is_truncated)


class _Chosen(NamedTuple):
    """The integrations to look at, and the others."""

    page: IntegrationPage
    incidents: Mapping[str, Incidents]
    others: _Others


def digest(
    orders: OrderStore,
    integrations: SettingsStore,
    downloads: DownloadStateStore,
    measurements: Measurements,
    now: datetime,
) -> Digest:
    """The digest of the day up to now."""
    since = now - DAY
    (ids, readable, _), incidents, others = _chosen(integrations, downloads)
    every = integrations.surroundings_among(readable, incidents, integrations.stages())
    present = [one for one, surroundings in every.items() if surroundings.integration.deleted_at is None]
    turns = for_each("digest", present, lambda one: _looked_at(orders, every[one], since, now))
    unread = [*turns.failed, *(one for one in ids if one not in every)]
    told = sorted(turns.results.values(), key=lambda one: one.urgency, reverse=True)
    urgent = sorted((one for each in told for one in each.urgent), key=lambda one: one.order.ship_by or now)
    states = [one.held.by_ship_by_state for one in told]
    overdue = _at_least(sum(one["overdue"] for one in states), others.is_any)
    at_risk = _at_least(sum(one["atRisk"] for one in states), others.is_any)
    unsent = UnsentCounts.total(one.unsent for one in told)
    going_nowhere, stopped = (_at_least(one, others.is_any) for one in (unsent.going_nowhere, unsent.stopped))
    waiting = _held_in(told, others)
    lines = [
        f"Needs Attention, from {instant(since)} to {instant(now)}",
        "",
        *_of_all(told, others, measurements, since, now),
        f"Held now: {waiting}. Overdue: {overdue}. At risk (ship-by within a day): {at_risk}.",
        f"Going nowhere: {going_nowhere}. Stopped by people: {stopped}.",
        *_of_the_choice(told, others),
        *(line for one in told[:MOST_INTEGRATIONS_TOLD] for line in ("", *_of_one(one, now))),
        *_of_the_others(told[MOST_INTEGRATIONS_TOLD:], others),
        *_of_the_unread(unread),
        *_most_urgent(urgent[:MOST_ORDERS_NAMED]),
    ]
    return Digest(f"Needs Attention: {waiting} held, {overdue} overdue, {at_risk} at risk", "\n".join(lines) + "\n")


def _chosen(integrations: SettingsStore, downloads: DownloadStateStore) -> _Chosen:
    """All integrations if they are few; else those with incidents or the most held orders, up to half for incidents.

    Deleted ones make them many too, but have no counters. Others without one, which no run has counted yet or none can,
    come last.
    """
    first = integrations.page(MOST_LOOKED_AT + 1)
    incidents = downloads.all_incidents()
    if len(first.ids) <= MOST_LOOKED_AT:
        return _Chosen(first, incidents, _Others())
    counters = downloads.all_held_counters()
    held = dict.fromkeys(incidents, 0) | {one: counter.held for one, counter in counters.items()}
    by_held = sorted(held, key=lambda one: (-held[one], one))
    at_fault = [one for one in by_held if one in incidents][: MOST_LOOKED_AT // 2]
    chosen = set(list(dict.fromkeys([*at_fault, *by_held, *first.ids]))[:MOST_LOOKED_AT])
    others = _Others.of(counter for one, counter in counters.items() if one not in chosen)
    return _Chosen(integrations.named(chosen), incidents, others)


def _looked_at(orders: OrderStore, surroundings: Surroundings, since: datetime, now: datetime) -> _Told:
    integration_id = surroundings.integration.integration_id
    found = orders.find_by_stage(integration_id, NEEDS_ATTENTION, Page(MOST_HELD_READ))
    due = _due_elsewhere(orders, surroundings, now)
    return _Told(
        surroundings,
        held=HeldCounts.of(found.summaries, surroundings, now),
        is_truncated=found.position is not None,
        unsent=UnsentCounts.of((*found.summaries, *due), surroundings, now),
        new=orders.count_created(integration_id, since, now),
        redactions=RedactionCounts.of(orders, integration_id, now),
        urgent=tuple(_urgent_in(found.summaries, surroundings, now)[:MOST_ORDERS_NAMED]),
        unreadable=found.unreadable,
    )


def _due_elsewhere(orders: OrderStore, surroundings: Surroundings, now: datetime) -> Iterator[Summary]:
    """The orders in other Stages whose ship-by is near or has passed, the latest of each Stage first."""
    between = instant(now - OVERDUE_FOR_AT_MOST), instant(now + AT_RISK)
    page = Page(MOST_DUE_READ, descending=True, between=between)
    for stage in surroundings.stages.stages:
        if stage.id != NEEDS_ATTENTION:
            yield from orders.find_by_stage(surroundings.integration.integration_id, stage.id, page).summaries


def _of_all(
    told: list[_Told], others: _Others, measurements: Measurements, since: datetime, now: datetime
) -> Iterator[str]:
    is_more = others.is_any or any(one.new >= MOST_ORDERS_COUNTED for one in told)
    new = _at_least(sum(one.new for one in told), is_more)
    held = measurements.total("validate_orders", "OrdersHeld", "Sum", since, now)
    healed = measurements.total("validate_orders", "OrdersHealed", "Sum", since, now)
    released = measurements.total("edit_orders", "TimeToRelease", "SampleCount", since, now)
    yield f"New orders: {new}. Put on hold: {held}. Healed by Amazon's data: {healed}. Released by people: {released}."


def _of_one(told: _Told, now: datetime) -> Iterator[str]:
    counts, integration = told.held, told.surroundings.integration
    marks = {"paused": integration.is_paused, "frozen": told.surroundings.is_frozen}
    marked = ", ".join(mark for mark, applies in marks.items() if applies)
    yield f"{integration.integration_id}{f' ({marked})' if marked else ''}"
    yield f"  New orders: {_at_least(told.new, told.new >= MOST_ORDERS_COUNTED)}"
    yield f"  Held: {_at_least(counts.held, told.is_truncated)}, ready to release: {counts.ready_to_release}"
    if counts.held:
        yield f"  Missing: {_counted(counts.by_missing)}"
        yield f"  Held for: {_counted({_AGES[age]: number for age, number in counts.by_age.items()})}"
        yield f"  Ship-by: overdue {counts.by_ship_by_state['overdue']}, at risk {counts.by_ship_by_state['atRisk']}"
    if told.unsent.going_nowhere or told.unsent.stopped:
        yield f"  Going nowhere: {told.unsent.going_nowhere}, stopped by people: {told.unsent.stopped}"
    if told.redactions.due:
        due = _at_least(told.redactions.due, told.redactions.is_truncated)
        yield f"  Personal data to be removed by now: {due} orders, overdue: {told.redactions.overdue}"
    if unsent := told.redactions.unsent:
        named = ", ".join(f"{one.order_id} ({instant(one.at)})" for one in unsent[:MOST_ORDERS_NAMED])
        more = " and more" if len(unsent) > MOST_ORDERS_NAMED else ""
        yield f"  Unsent past their ship-by, with the time when their personal data goes: {named}{more}"
    if told.unreadable:
        yield f"  Held, but cannot be read: {', '.join(told.unreadable[:MOST_ORDERS_NAMED])}"
    for incident in told.surroundings.incidents.incidents:
        yield f"  Incident since {instant(incident.since)}: {incident.code}. {what_to_do(incident)}"
    for expiry in integration.expiries(now):
        if expiry.is_soon:
            yield f"  {expiry.what} ends at {instant(expiry.at)}. {HOW_TO_RENEW[expiry.what]}"


def _of_the_choice(told: list[_Told], others: _Others) -> Iterator[str]:
    if others.is_any:
        yield f"This digest looks at {len(told)} integrations, those with incidents or the most held orders."
        yield f"Of {others.integrations} more it adds up the held orders, as counted once an hour, and nothing else."


def _of_the_others(told: list[_Told], others: _Others) -> Iterator[str]:
    if number := len(told) + others.integrations:
        yield ""
        yield f"And {number} more integrations, where less is to be done: {_held_in(told, others)} held."


def _of_the_unread(integration_ids: list[str]) -> Iterator[str]:
    if integration_ids:
        yield ""
        yield f"Not in this digest, because they cannot be read: {', '.join(integration_ids[:MOST_INTEGRATIONS_TOLD])}."


def _urgent_in(held: Iterable[Summary], surroundings: Surroundings, now: datetime) -> list[_Urgent]:
    states = ((one, OrderStanding.of(one, surroundings, now).ship_by_state) for one in held)
    return [_Urgent(one, _URGENT_STATES[state]) for one, state in states if state in _URGENT_STATES]


def _most_urgent(orders: list[_Urgent]) -> Iterator[str]:
    if orders:
        yield ""
        yield "Most urgent"
    for order, state in orders:
        what = "ready to release" if order.ready_to_release else f"missing: {', '.join(order.missing) or 'nothing'}"
        ship_by = instant(order.ship_by) if order.ship_by else ""
        yield f"  {order.order_id} ({order.integration}), {state}, ship by {ship_by}, {what}"


def _held_in(told: list[_Told], others: _Others) -> str:
    held = sum(one.held.held for one in told) + others.held
    return _at_least(held, others.is_truncated or any(one.is_truncated for one in told))


def _at_least(number: int, is_more: bool) -> str:  # noqa: FBT001 - one number, which may be cut off
    return f"{number} or more" if is_more else str(number)


def _counted(numbers: Mapping[str, int]) -> str:
    """The numbers above zero with their names, the highest first."""
    found = sorted(((number, name) for name, number in numbers.items() if number), reverse=True)
    return ", ".join(f"{name} {number}" for number, name in found) or "nothing"

"""Lists of orders: filters, pages, and the merge over integrations. The table is never scanned.

Stage, created time and order IDs are indexed; the other filters narrow what those find. Work per call is bounded: an
answer that stopped early has fewer orders and a cursor to go on from.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, NamedTuple, TypedDict, get_args

from pydantic import Field

from needs_attention.api.orders.filters import OrderFilters
from needs_attention.api.orders.views import OrderRow, for_warehouse, order_row, whole_order
from needs_attention.api.problems import FieldError, Problem, invalid
from needs_attention.integrations.incidents import Incidents
from needs_attention.integrations.stages import BUILT_IN_STAGES, Stage, Stages
from needs_attention.integrations.standing import OrderStanding, may_be_transferred
from needs_attention.integrations.surroundings import Surroundings
from needs_attention.orders.completeness import RULES
from needs_attention.orders.settings import NEEDS_ATTENTION
from needs_attention.orders.summary import Summary
from needs_attention.orders.urgency import Age, Queue, ShipByState, age_of
from needs_attention.tables.integrations import IntegrationStore
from needs_attention.tables.order_items import created_key, ship_by_key
from needs_attention.tables.orders import Found, OrderStore, Page


class OrderPage(TypedDict):
    """A part of a list. With `nextCursor` there may be more, even if this part is short or empty."""

    orders: list[OrderRow]
    nextCursor: str | None


class HeldOfIntegration(TypedDict):
    """How many of an integration's orders are held, and how many of these may be released."""

    held: int
    readyToRelease: int


class OrdersSummary(TypedDict):
    """How many orders are held, by what matters; and how many are in each Stage."""

    held: int
    readyToRelease: int
    byMissing: dict[str, int]
    byIntegration: dict[str, HeldOfIntegration]
    byQueue: dict[Queue, int]
    byAge: dict[str, int]
    byShipByState: dict[ShipByState, int]
    byStage: dict[str, int]
    isTruncated: Annotated[bool, Field(description="There are more orders than were counted")]


# What one call reads of an index at most, besides one query per integration.
MOST_ENTRIES_READ = 1_000
FEWEST_ENTRIES_A_QUERY = 20
MOST_INTEGRATIONS_MERGED = 100


class _ReadEnough(Exception):
    """The call has read as much as one may."""


class Held(NamedTuple):
    """The held orders of an integration, soonest ship-by deadline first, counted as `OrderList.summary` counts."""

    surroundings: Surroundings
    summaries: tuple[Summary, ...]
    counts: Mapping[str, Any]


class OrderList:
    """Answers questions about many orders."""

    def __init__(self, orders: OrderStore, integrations: IntegrationStore) -> None:
        self._orders = orders
        self._integrations = integrations

    def page(self, filters: OrderFilters, now: datetime, *, is_warehouse: bool) -> dict[str, Any]:
        """`{orders, nextCursor}`. A warehouse is shown only what it may take. Raises a 400 for wrong parameters."""
        listed = self._listed(filters, now, is_warehouse=is_warehouse)
        rows = [order_row(summary, listed.surroundings[summary.integration], now) for summary in listed.summaries]
        return {
            "orders": [for_warehouse(row) for row in rows] if is_warehouse else rows,
            "nextCursor": listed.next_cursor,
        }

    def whole_page(self, filters: OrderFilters, now: datetime) -> dict[str, Any]:
        """As `page`, with whole orders."""
        listed = self._listed(filters, now, is_warehouse=False)
        found = self._orders.get_many(summary.order_id for summary in listed.summaries)
        orders = [found[summary.order_id] for summary in listed.summaries if summary.order_id in found]
        return {
            "orders": [whole_order(order, listed.surroundings[order.integration], now) for order in orders],
            "nextCursor": listed.next_cursor,
        }

    def _listed(self, filters: OrderFilters, now: datetime, *, is_warehouse: bool) -> "_Listed":
        stages = self._integrations.stages()
        stage = _stage(filters, stages)
        if filters.sorts_by_ship_by and stage is None:
            raise _wrong("sort", "sortNeedsStage", "sorting by shipBy needs a stage")
        surroundings = self._surroundings(filters.integration, stages)
        found = self._orders_asked_for(filters) if filters.order_ids else self._walk(filters, stage, surroundings)

        def is_shown(summary: Summary) -> bool:
            around = surroundings.get(summary.integration)
            if around is None or not filters.match(summary, around, now):
                return False
            return not is_warehouse or may_be_transferred(summary, around)

        limit = len(filters.order_ids) or filters.limit
        shown, position = _up_to(limit, found, is_shown, _key_of(filters), filters.position())
        return _Listed(surroundings, shown, filters.cursor_at(position) if position else None)

    def summary(self, now: datetime) -> dict[str, Any]:
        """How many orders are held, by missing field, integration, queue, age and ship-by state; and how many are in
        each Stage.

        Counts at most `MOST_ENTRIES_READ` orders of a Stage in an integration; `isTruncated` says that there are more.
        """
        stages = self._integrations.stages()
        counts = _Counts(now)
        for integration_id, around in self._surroundings(None, stages).items():
            for stage in () if around.integration.deleted_at else stages.stages:
                found = self._orders.find_by_stage(integration_id, stage.id, Page(MOST_ENTRIES_READ))
                counts.add(around, stage, found)
        return counts.as_json()

    def held(self, now: datetime) -> Iterator["Held"]:
        """The held orders of each integration that is not deleted, one after the other, within the same bound."""
        stage = next(stage for stage in BUILT_IN_STAGES if stage.id == NEEDS_ATTENTION)
        for integration_id, around in self._surroundings(None, self._integrations.stages()).items():
            if not around.integration.deleted_at:
                found = self._orders.find_by_stage(integration_id, NEEDS_ATTENTION, Page(MOST_ENTRIES_READ))
                counts = _Counts(now)
                counts.add(around, stage, found)
                yield Held(around, found.summaries, counts.as_json())

    def _surroundings(self, integration: str | None, stages: Stages) -> dict[str, Surroundings]:
        """All integrations, or the one. Deleted ones too: their orders still have to be dealt with."""
        known = self._integrations.find_all(deleted_too=True)
        if integration is not None and integration not in {one.integration_id for one in known}:
            allowed = ", ".join(one.integration_id for one in known if one.deleted_at is None)
            raise _wrong("integration", "unknownIntegration", f"not known; allowed are {allowed}")
        is_all_frozen = self._integrations.is_all_frozen()
        incidents = self._integrations.all_incidents()
        return {
            one.integration_id: Surroundings.of(
                one, incidents.get(one.integration_id, Incidents()), stages, is_all_frozen=is_all_frozen
            )
            for one in known
            if integration in {None, one.integration_id}
        }

    def _orders_asked_for(self, filters: OrderFilters) -> Iterator[Summary]:
        found = self._orders.get_many(filters.order_ids)
        return (Summary.of(found[order_id]) for order_id in dict.fromkeys(filters.order_ids) if order_id in found)

    def _walk(
        self, filters: OrderFilters, stage: Stage | None, surroundings: Mapping[str, Surroundings]
    ) -> Iterator[Summary]:
        """The index's orders of all the integrations, in one order. Raises _ReadEnough when it has read its share."""
        if len(surroundings) > MOST_INTEGRATIONS_MERGED:
            raise _wrong("integration", "integrationNeeded", "there are too many to list all at once: name one")
        at_once = 250 if filters.narrows else filters.limit + 1
        page = Page(
            limit=max(at_once // max(len(surroundings), 1), FEWEST_ENTRIES_A_QUERY),
            after=filters.position(),
            descending=filters.is_descending,
            between=filters.bounds(),
        )
        budget = _Budget(MOST_ENTRIES_READ + page.limit * len(surroundings))
        walks = (self._walk_one(integration, filters, stage, page, budget) for integration in surroundings)
        return heapq.merge(*walks, key=_key_of(filters), reverse=filters.is_descending)

    def _walk_one(
        self, integration: str, filters: OrderFilters, stage: Stage | None, page: Page, budget: "_Budget"
    ) -> Iterator[Summary]:
        while True:
            budget.spend(page.limit)
            if filters.sorts_by_ship_by and stage is not None:
                found = self._orders.find_by_stage(integration, stage.id, page)
            else:
                found = self._orders.find_by_created(integration, page)
            yield from found.summaries
            if found.position is None:
                return
            page = page._replace(after=found.position)


class _Budget:
    """How many entries a call may still read."""

    def __init__(self, entries: int) -> None:
        self._entries = entries

    def spend(self, entries: int) -> None:
        if entries > self._entries:
            raise _ReadEnough
        self._entries -= entries


class _Listed(NamedTuple):
    """What of a list is shown, with the surroundings of each integration by its id."""

    surroundings: Mapping[str, Surroundings]
    summaries: Sequence[Summary]
    next_cursor: str | None


class _Shown(NamedTuple):
    summaries: list[Summary]
    position: str | None


def _up_to(
    limit: int,
    found: Iterator[Summary],
    is_shown: Callable[[Summary], bool],
    key: Callable[[Summary], str],
    start: str | None,
) -> _Shown:
    """The first `limit` orders that are shown, and the position of the last one looked at if there are more."""
    shown: list[Summary] = []
    position = start
    try:
        for summary in found:
            if is_shown(summary):
                if len(shown) == limit:
                    return _Shown(shown, position)
                shown.append(summary)
            position = key(summary)
    except _ReadEnough:
        return _Shown(shown, position)
    return _Shown(shown, None)


class _Counts:
    def __init__(self, now: datetime) -> None:
        self._now = now
        self._by_missing = dict.fromkeys(RULES, 0)
        self._by_integration: dict[str, dict[str, int]] = {}
        self._by_stage: dict[str, int] = {}
        self._by_queue = dict.fromkeys(get_args(Queue), 0)
        self._by_age = dict.fromkeys(get_args(Age), 0)
        self._by_ship_by_state = dict.fromkeys(get_args(ShipByState), 0)
        self._is_truncated = False

    def add(self, surroundings: Surroundings, stage: Stage, found: Found) -> None:
        self._by_stage[stage.name] = self._by_stage.get(stage.name, 0) + len(found.summaries)
        self._is_truncated = self._is_truncated or found.position is not None
        if stage.id != NEEDS_ATTENTION:
            return
        ready = sum(summary.ready_to_release for summary in found.summaries)
        counted = {"held": len(found.summaries), "readyToRelease": ready}
        self._by_integration[surroundings.integration.integration_id] = counted
        for summary in found.summaries:
            self._add_held(summary, OrderStanding.of(summary, surroundings, self._now))

    def _add_held(self, summary: Summary, standing: OrderStanding) -> None:
        for field in summary.missing:
            self._by_missing[field] += 1
        if standing.queue:
            self._by_queue[standing.queue] += 1
        if standing.ship_by_state:
            self._by_ship_by_state[standing.ship_by_state] += 1
        if summary.held_at:
            self._by_age[age_of(summary.held_at, self._now)] += 1

    def as_json(self) -> dict[str, Any]:
        return {
            "held": sum(counts["held"] for counts in self._by_integration.values()),
            "readyToRelease": sum(counts["readyToRelease"] for counts in self._by_integration.values()),
            "byMissing": self._by_missing,
            "byIntegration": self._by_integration,
            "byQueue": self._by_queue,
            "byAge": self._by_age,
            "byShipByState": self._by_ship_by_state,
            "byStage": self._by_stage,
            "isTruncated": self._is_truncated,
        }


def _key_of(filters: OrderFilters) -> Callable[[Summary], str]:
    return ship_by_key if filters.sorts_by_ship_by else created_key


def _stage(filters: OrderFilters, stages: Stages) -> Stage | None:
    if filters.stage is None:
        return None
    stage = stages.named(filters.stage)
    if stage is None:
        raise _wrong("stage", "unknownStage", f"not known; allowed are {', '.join(s.name for s in stages.stages)}")
    return stage


def _wrong(parameter: str, code: str, message: str) -> Problem:
    return invalid([FieldError(parameter, code, message)], status=400)

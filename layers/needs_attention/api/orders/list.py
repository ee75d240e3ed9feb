"""Lists of orders: filters, pages, and the merge over integrations. The table is never scanned.

Stage, created time and order IDs are indexed; the other filters narrow what the indexes find. Each call does a bounded
amount of work: an answer that stops early has fewer orders, and a cursor to go on from.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, NamedTuple, TypedDict

from pydantic import Field

from needs_attention.api.answers import Instant
from needs_attention.api.callers import Caller, Role
from needs_attention.api.cursors import PartOfList, cursor_at, integration_in, invalid_cursor
from needs_attention.api.lookup import MOST_INTEGRATIONS_AT_ONCE, IntegrationNames, around, check_all_known
from needs_attention.api.orders.filters import OrderFilters
from needs_attention.api.orders.views import (
    OrderRow,
    WholeOrder,
    order_row,
    row_for_warehouse,
    whole_order,
    whole_order_for,
)
from needs_attention.api.problems import FieldError, Problem, invalid, not_found
from needs_attention.integrations.stages import Stage, Stages
from needs_attention.integrations.standing import HeldCounts, goes_nowhere, may_be_transferred
from needs_attention.integrations.surroundings import Surroundings
from needs_attention.orders.order import Order
from needs_attention.orders.settings import NEEDS_ATTENTION
from needs_attention.orders.summary import Summary
from needs_attention.orders.urgency import Queue, ShipByState
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.order_items import created_key, ship_by_key
from needs_attention.tables.orders import MOST_ORDERS_COUNTED, OrderStore, Page
from needs_attention.values.times import instant


class OrderPage(TypedDict):
    """A part of a list. If there is a `nextCursor`, there may be more, even after a short or empty part."""

    orders: list[OrderRow]
    nextCursor: str | None


class WholePage(TypedDict):
    """A part of a list, with whole orders."""

    orders: list[WholeOrder]
    nextCursor: str | None


class HeldOfIntegration(TypedDict):
    """How many orders of an integration were held at a time, and how many of those you might release."""

    held: int
    readyToRelease: int | None
    asOf: Instant


class OrdersSummary(TypedDict):
    """How many orders are held, counted in several ways, and how many are in each Stage.

    Of more than 100 integrations that nobody named, it is made of counters: it has a part of `byIntegration`, and every
    other count is null.
    """

    isFromCounters: Annotated[
        bool, Field(description="The counts of held orders may be more than an hour old: see `asOf`")
    ]
    held: int | None
    readyToRelease: int | None
    byMissing: dict[str, int] | None
    byIntegration: dict[str, HeldOfIntegration]
    byQueue: dict[Queue, int] | None
    byAge: dict[str, int] | None
    byShipByState: dict[ShipByState, int] | None
    byStage: dict[str, int] | None
    goingNowhere: Annotated[int | None, Field(description="Complete orders that nobody sends, and nobody decided so")]
    isTruncated: Annotated[bool, Field(description="There are more orders than the counts include")]
    nextCursor: Annotated[str | None, Field(description="There may be more integrations")]


class PartOfSummary(PartOfList):
    """The query parameters of a summary, and the part of one that is made of counters."""

    integration: IntegrationNames = Field(default=(), description="Orders of any of these, counted now")


# The most entries of an index that one call reads, besides one query per integration.
MOST_ENTRIES_READ = 1_000
FEWEST_ENTRIES_A_QUERY = 20
# The name of the list of counters, for its cursors.
_COUNTERS = "summary"


class _ReadEnough(Exception):
    """The call has read all that one call may."""


class OrderList:
    """Answers questions about many orders."""

    def __init__(self, orders: OrderStore, integrations: SettingsStore, downloads: DownloadStateStore) -> None:
        self._orders = orders
        self._integrations = integrations
        self._downloads = downloads

    def page(self, filters: OrderFilters, now: datetime, *, is_warehouse: bool) -> OrderPage:
        """One page. A warehouse sees only orders that it may take. Raises a 400 for wrong parameters.

        A warehouse does not learn who sees to an order, also not by filters.
        """
        if is_warehouse and (filters.assigned_to is not None or filters.is_assigned is not None):
            name = "assignedTo" if filters.assigned_to is not None else "isAssigned"
            raise _wrong(name, "notForWarehouses", "a warehouse cannot filter by it")
        listed = self._listed(filters, now, is_warehouse=is_warehouse)
        rows = [order_row(summary, listed.surroundings[summary.integration], now) for summary in listed.summaries]
        return {
            "orders": [row_for_warehouse(row) for row in rows] if is_warehouse else rows,
            "nextCursor": listed.next_cursor,
        }

    def whole_page(self, filters: OrderFilters, now: datetime) -> WholePage:
        """One page, with whole orders. Raises as `page` does."""
        listed = self._listed(filters, now, is_warehouse=False)
        found = self._orders.get_many(summary.order_id for summary in listed.summaries)
        orders = [found[summary.order_id] for summary in listed.summaries if summary.order_id in found]
        # A merge may have moved an order out of the listed integration since the index was read.
        around_each = ((order, listed.surroundings.get(order.integration)) for order in orders)
        return {
            "orders": [whole_order(order, own, now) for order, own in around_each if own],
            "nextCursor": listed.next_cursor,
        }

    def one(self, order_id: str, caller: Caller, now: datetime) -> WholeOrder:
        """One order as the caller may see it. Raises a 404, also if the caller may not see it."""
        order = self._orders.get(order_id)
        if order is None:
            raise not_found("order")
        surroundings = around(order, self._integrations)
        _check_visible(order, surroundings, caller)
        return whole_order_for(caller, order, surroundings, now)

    def _listed(self, filters: OrderFilters, now: datetime, *, is_warehouse: bool) -> "_Listed":
        stages = self._integrations.stages()
        stage = _stage(filters, stages)
        if filters.sorts_by_ship_by and stage is None:
            raise _wrong("sort", "sortNeedsStage", "sorting by shipBy needs a stage")
        asked_for = self._orders_asked_for(filters)
        surroundings = self._surroundings(filters, asked_for, stages)
        found = iter(asked_for) if filters.order_ids else self._walk(filters, stage, surroundings)

        def is_shown(summary: Summary) -> bool:
            own = surroundings.get(summary.integration)
            if own is None or not filters.match(summary, own, now):
                return False
            return not is_warehouse or may_be_transferred(summary, own)

        limit = len(filters.order_ids) or filters.limit
        shown, position = _up_to(limit, found, is_shown, _key_of(filters), filters.position())
        return _Listed(surroundings, shown, filters.cursor_at(position) if position else None)

    def summary(self, part: PartOfSummary, now: datetime) -> OrdersSummary:
        """Counts orders now, or reads counters of held orders if there are too many integrations to count.

        Raises a 400 for an integration that does not exist, and for a cursor of another list: only counters have pages.
        """
        stages = self._integrations.stages()
        named = part.integration
        around_each = self._surroundings_of_named(named) if named else self._surroundings_of_all(stages)
        if around_each is None:
            return self._counted_before(part)
        if part.cursor is not None:
            raise invalid_cursor()
        return self._counted_now(around_each, stages, now)

    def _counted_before(self, part: PartOfSummary) -> OrdersSummary:
        """By the counters that runs keep, which leave out removed integrations."""
        after = integration_in(part.cursor, _COUNTERS) if part.cursor is not None else None
        found = self._downloads.held_counters(part.limit, after)
        return {
            "isFromCounters": True,
            "held": None,
            "readyToRelease": None,
            "byMissing": None,
            "byIntegration": {
                one: {"held": counter.held, "readyToRelease": None, "asOf": instant(counter.counted_at)}
                for one, counter in found.counters.items()
            },
            "byQueue": None,
            "byAge": None,
            "byShipByState": None,
            "byStage": None,
            "goingNowhere": None,
            "isTruncated": any(counter.held >= MOST_ORDERS_COUNTED for counter in found.counters.values()),
            "nextCursor": cursor_at(found.position, _COUNTERS) if found.position else None,
        }

    def _counted_now(self, around_each: Mapping[str, Surroundings], stages: Stages, now: datetime) -> OrdersSummary:
        """Counts at most `MOST_ENTRIES_READ` orders of each Stage and integration; `isTruncated` if there are more.

        Held orders with the soonest ship-by come first. In other Stages those with the latest do: nearly all that came
        before them are sent.
        """
        held: dict[str, HeldCounts] = {}
        by_stage: dict[str, int] = {}
        is_truncated = False
        going_nowhere = 0
        for integration_id, own in around_each.items():
            for stage in () if own.integration.deleted_at else stages.stages:
                page = Page(MOST_ENTRIES_READ, descending=stage.id != NEEDS_ATTENTION)
                found = self._orders.find_by_stage(integration_id, stage.id, page)
                by_stage[stage.name] = by_stage.get(stage.name, 0) + len(found.summaries)
                going_nowhere += sum(goes_nowhere(one, own, now) for one in found.summaries)
                is_truncated = is_truncated or found.position is not None
                if stage.id == NEEDS_ATTENTION:
                    held[integration_id] = HeldCounts.of(found.summaries, own, now)
        total = HeldCounts.total(held.values())
        return {
            "isFromCounters": False,
            "held": total.held,
            "readyToRelease": total.ready_to_release,
            "byMissing": dict(total.by_missing),
            "byIntegration": {
                one: {"held": counts.held, "readyToRelease": counts.ready_to_release, "asOf": instant(now)}
                for one, counts in held.items()
            },
            "byQueue": dict(total.by_queue),
            "byAge": dict(total.by_age),
            "byShipByState": dict(total.by_ship_by_state),
            "byStage": by_stage,
            "goingNowhere": going_nowhere,
            "isTruncated": is_truncated,
            "nextCursor": None,
        }

    def _surroundings(
        self, filters: OrderFilters, asked_for: Iterable[Summary], stages: Stages
    ) -> Mapping[str, Surroundings]:
        """By integration: those that the list can show. Raises a 400 for one that does not exist, or too many."""
        if filters.integration:
            return self._surroundings_of_named(filters.integration)
        if filters.order_ids:
            return self._integrations.surroundings_of(one.integration for one in asked_for)
        found = self._surroundings_of_all(stages)
        if found is None:
            raise _wrong(
                "integration",
                "integrationNeeded",
                f"there are too many to list at once: name up to {MOST_INTEGRATIONS_AT_ONCE}",
            )
        return found

    def _surroundings_of_named(self, names: Sequence[str]) -> Mapping[str, Surroundings]:
        """Raises a 400 for an integration that does not exist."""
        found = self._integrations.surroundings_of(names)
        check_all_known(names, found, self._integrations, status=400)
        return found

    def _surroundings_of_all(self, stages: Stages) -> Mapping[str, Surroundings] | None:
        """Of deleted integrations too, because people still have to see to their orders; None if there are too many."""
        first = self._integrations.page(MOST_INTEGRATIONS_AT_ONCE + 1)
        if len(first.ids) > MOST_INTEGRATIONS_AT_ONCE:
            return None
        return self._integrations.surroundings_among(first.readable, self._downloads.all_incidents(), stages)

    def _orders_asked_for(self, filters: OrderFilters) -> list[Summary]:
        found = self._orders.get_many(filters.order_ids)
        return [Summary.of(found[order_id]) for order_id in dict.fromkeys(filters.order_ids) if order_id in found]

    def _walk(
        self, filters: OrderFilters, stage: Stage | None, surroundings: Mapping[str, Surroundings]
    ) -> Iterator[Summary]:
        """The index entries of all the integrations, merged. Raises _ReadEnough after `MOST_ENTRIES_READ` entries."""
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
    """The number of entries that a call may still read."""

    def __init__(self, entries: int) -> None:
        self._entries = entries

    def spend(self, entries: int) -> None:
        if entries > self._entries:
            raise _ReadEnough
        self._entries -= entries


class _Listed(NamedTuple):
    """The part of a list to show, with the surroundings of each integration by its ID."""

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
    """The first `limit` orders to show, and the position of the last one read if there may be more."""
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


def _check_visible(order: Order, surroundings: Surroundings, caller: Caller) -> None:
    """Raises a 404 for a warehouse that may neither take the order nor has taken it. Readers see every order.

    A warehouse may read an order that it has taken, to see whether it was cancelled meanwhile.
    """
    may_see = order.is_handed_over or may_be_transferred(Summary.of(order), surroundings)
    if not may_see and not caller.is_any_of(Role.READER):
        raise not_found("order")


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

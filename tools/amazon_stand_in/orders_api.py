"""The Orders API 2026-01-01: searchOrders and getOrder under Amazon's rules.

Sources: Amazon's model of the API for parameters, bounds, paging, headers and error shapes; Amazon's issue tracker for
the rule that a page token binds every parameter but `maxResultsPerPage`. Where both are silent the stricter reading
was taken.
"""

import base64
import secrets
import urllib.parse
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from tools.amazon_stand_in.front_door import FrontDoor, check_region, invalid_input
from tools.amazon_stand_in.http_messages import Answer, ApiError, Request
from tools.amazon_stand_in.ledger import Entry, Json, Ledger, amazon_time, moment
from tools.amazon_stand_in.marketplaces import MARKETPLACES, Region
from tools.amazon_stand_in.misbehaviour import REWRITTEN, Misbehaviour, Misbehaviours
from tools.amazon_stand_in.visibility import DATASETS, shown

ORDERS_PATH: Final = "/orders/2026-01-01/orders"
MARGIN: Final = timedelta(minutes=2)
PAGE_TOKEN_LIFETIME: Final = timedelta(hours=24)
MOST_MARKETPLACES: Final = 50
MOST_RESULTS: Final = 100
HISTORY: Final = timedelta(days=730)
LONG_HISTORY_START: Final = datetime(2016, 1, 1, tzinfo=UTC)
LONG_HISTORY_COUNTRIES: Final = frozenset({"JP", "AU", "SG"})

STATUSES: Final = frozenset(
    {"PENDING_AVAILABILITY", "PENDING", "UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED", "CANCELLED", "UNFULFILLABLE"}
)
FULFILLED_BY: Final = frozenset({"MERCHANT", "AMAZON"})
_PAGE_ONLY: Final = frozenset({"paginationToken", "maxResultsPerPage"})


@dataclass(frozen=True, slots=True)
class Search:
    """The parameters of searchOrders, checked. `by_update` tells the time family; both bounds are inclusive."""

    by_update: bool
    after: datetime
    before: datetime
    statuses: Set[str]
    marketplace_ids: Set[str]
    fulfilled_by: Set[str]
    datasets: Set[str]
    page_size: int

    def time_of(self, entry: Entry) -> datetime:
        return entry.updated if self.by_update else entry.created

    def matches(self, entry: Entry) -> bool:
        return (
            self.after <= self.time_of(entry) <= self.before
            and (not self.marketplace_ids or entry.marketplace_id in self.marketplace_ids)
            and (not self.statuses or entry.fulfillment_status in self.statuses)
            and (not self.fulfilled_by or entry.fulfilled_by in self.fulfilled_by)
        )


@dataclass(frozen=True, slots=True)
class Page:
    """The content of a page token: an offset into one search, whose upper bound stays as first answered."""

    parameters: Mapping[str, str]
    offset: int
    before: datetime
    issued_at: datetime


class OrdersApi:
    """One seller's account in one region, as one application sees it."""

    def __init__(
        self,
        region: Region,
        ledger: Ledger,
        door: FrontDoor,
        misbehaviours: Misbehaviours,
        now: Callable[[], datetime],
    ) -> None:
        self._region = region
        self._ledger = ledger
        self._door = door
        self._misbehaviours = misbehaviours
        self._now = now
        self._pages: dict[str, Page] = {}

    def search_orders(self, request: Request) -> Answer:
        return self._door.answer("searchOrders", request, self._search)

    def get_order(self, request: Request) -> Answer:
        return self._door.answer("getOrder", request, self._get)

    def _get(self, request: Request) -> Json:
        order_id = urllib.parse.unquote(request.path.removeprefix(f"{ORDERS_PATH}/"))
        datasets = _choices(_parameters(request), "includedData", DATASETS)
        entry = self._ledger.get(order_id)
        if entry is None or not self._is_kept(entry):
            raise ApiError(404, "NotFound", "The requested order was not found.", order_id)
        return {"order": self._written("getOrder", [entry], datasets)[0]}

    def _search(self, request: Request) -> Json:
        parameters = _parameters(request)
        page = self._page(parameters)
        search = self._read(parameters, page)
        if told := self._misbehaviours.take("searchOrders", {Misbehaviour.EARLIER_BOUND}):
            search = replace(search, before=search.before - timedelta(seconds=told.seconds))
        matches = [entry for entry in self._ledger if search.matches(entry) and self._is_kept(entry)]
        matches.sort(key=lambda entry: (search.time_of(entry), entry.order_id))
        offset = page.offset if page else 0
        end = offset + search.page_size
        orders = self._written("searchOrders", matches[offset:end], search.datasets)
        if self._misbehaviours.take("searchOrders", {Misbehaviour.REPEATED_PAGE}):
            next_offset: int | None = offset
        else:
            next_offset = end if end < len(matches) else None
        bound = "lastUpdatedBefore" if search.by_update else "createdBefore"
        body: Json = {"orders": orders, bound: amazon_time(search.before)}
        if next_offset is not None:
            body["pagination"] = {"nextToken": self._token(parameters, next_offset, search.before)}
        return body

    def _written(self, operation: str, entries: list[Entry], datasets: Set[str]) -> list[Json]:
        now = self._now()
        orders = [shown(entry, datasets=datasets, roles=self._door.roles, now=now) for entry in entries]
        told = self._misbehaviours.take(operation, REWRITTEN)
        return REWRITTEN[told.kind](orders) if told else orders

    def _is_kept(self, entry: Entry) -> bool:
        marketplace = MARKETPLACES.get(entry.marketplace_id)
        if marketplace and marketplace.country in LONG_HISTORY_COUNTRIES:
            return entry.created >= LONG_HISTORY_START
        return entry.created >= self._now() - HISTORY

    def _read(self, parameters: Mapping[str, str], page: Page | None) -> Search:
        family = _time_family(parameters)
        marketplace_ids = _list(parameters, "marketplaceIds")
        if len(marketplace_ids) > MOST_MARKETPLACES:
            raise invalid_input(f"marketplaceIds must have at most {MOST_MARKETPLACES} values.")
        check_region(marketplace_ids, self._region)
        after = _time(parameters, f"{family}After")
        return Search(
            by_update=family == "lastUpdated",
            after=after,
            before=page.before if page else self._upper_bound(parameters, family, after),
            statuses=_choices(parameters, "fulfillmentStatuses", STATUSES),
            marketplace_ids=marketplace_ids,
            fulfilled_by=_choices(parameters, "fulfilledBy", FULFILLED_BY),
            datasets=_choices(parameters, "includedData", DATASETS),
            page_size=_page_size(parameters),
        )

    def _upper_bound(self, parameters: Mapping[str, str], family: str, after: datetime) -> datetime:
        latest = self._now() - MARGIN
        if f"{family}Before" not in parameters:
            return latest.replace(microsecond=0)
        before = _time(parameters, f"{family}Before")
        if before < after:
            raise invalid_input(f"{family}Before must be equal to or after {family}After.")
        if before > latest:
            raise invalid_input(f"{family}Before must be at least two minutes before the time of the request.")
        return before

    def _page(self, parameters: Mapping[str, str]) -> Page | None:
        if "paginationToken" not in parameters:
            return None
        page = self._pages.get(parameters["paginationToken"])
        if page is None:
            raise invalid_input("paginationToken is not valid.")
        if self._now() - page.issued_at >= PAGE_TOKEN_LIFETIME:
            raise invalid_input("paginationToken has expired.")
        if page.parameters != _bound(parameters):
            raise invalid_input("Only maxResultsPerPage may differ from the request that returned paginationToken.")
        return page

    def _token(self, parameters: Mapping[str, str], offset: int, before: datetime) -> str:
        token = base64.b64encode(secrets.token_bytes(64)).decode()
        self._pages[token] = Page(_bound(parameters), offset, before, self._now())
        return token


def _bound(parameters: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if name not in _PAGE_ONLY}


def _parameters(request: Request) -> dict[str, str]:
    """The query, where no parameter comes twice: arrays are comma-joined (the model's collection format)."""
    for name, values in request.query.items():
        if len(values) > 1:
            raise invalid_input(f"{name} must be given once, its values joined by commas.")
    return {name: values[0] for name, values in request.query.items()}


def _time_family(parameters: Mapping[str, str]) -> str:
    given = [family for family in ("created", "lastUpdated") if f"{family}After" in parameters]
    if len(given) != 1:
        raise invalid_input("Exactly one of createdAfter and lastUpdatedAfter must be given.")
    other = "lastUpdated" if given == ["created"] else "created"
    if f"{other}Before" in parameters:
        raise invalid_input(f"{other}Before must not be given with {given[0]}After.")
    return given[0]


def _time(parameters: Mapping[str, str], name: str) -> datetime:
    try:
        return moment(parameters[name])
    except ValueError:
        raise invalid_input(f"{name} must be an ISO 8601 time with its offset.") from None


def _list(parameters: Mapping[str, str], name: str) -> Set[str]:
    if name not in parameters:
        return frozenset()
    values = parameters[name].split(",")
    if not all(values):
        raise invalid_input(f"{name} has an empty value.")
    return frozenset(values)


def _choices(parameters: Mapping[str, str], name: str, allowed: Set[str]) -> Set[str]:
    values = _list(parameters, name)
    if unknown := values - allowed:
        raise invalid_input(f"{name} has an unknown value: {min(unknown)}.")
    return values


def _page_size(parameters: Mapping[str, str]) -> int:
    text = parameters.get("maxResultsPerPage", str(MOST_RESULTS))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_RESULTS:
        raise invalid_input(f"maxResultsPerPage must be between 1 and {MOST_RESULTS}.")
    return int(text)

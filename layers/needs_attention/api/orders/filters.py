"""The query parameters of lists of orders, and the orders that they match.

To add a filter, add a field to `Filters` and its predicate to `PREDICATES`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, ValidationInfo, field_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from needs_attention.api.cursors import SentCursor, cursor_at, order_key_in
from needs_attention.api.lookup import IntegrationNames, SearchedText
from needs_attention.integrations.incidents import IncidentCode
from needs_attention.integrations.standing import BlockedBy, OrderStanding, may_be_fulfilled
from needs_attention.integrations.surroundings import Surroundings
from needs_attention.orders.alerts import Alert
from needs_attention.orders.checks import CHECK_OF
from needs_attention.orders.marketplaces import MARKETPLACES
from needs_attention.orders.order import OrderStatus
from needs_attention.orders.settings import ThreePlStatus
from needs_attention.orders.summary import FLAGS, Summary
from needs_attention.orders.urgency import Queue, ShipByState
from needs_attention.values.fields import SEVERAL, OneOf
from needs_attention.values.model import Value
from needs_attention.values.times import SentTime, instant

# Bounds that come before and after every key of an index: keys begin with a year.
_FIRST, _LAST = "0", ":"


class Filters(Value):
    """The filters of a list. A time `...After` is included, a time `...Before` is not."""

    integration: IntegrationNames = Field(default=(), description="Orders of any of these")
    stage: SearchedText | None = Field(default=None, description="A Stage's name or id")
    status: OrderStatus | None = None
    three_pl_status: ThreePlStatus | None = None
    missing: Annotated[tuple[Annotated[str, OneOf(CHECK_OF)], ...], SEVERAL] = Field(
        default=(), description="Orders that lack any of these"
    )
    ready_to_release: bool | None = None
    fulfillable: bool | None = None
    blocked_by: BlockedBy | None = Field(default=None, description="Orders that may not leave for this reason")
    stopped: bool | None = Field(default=None, description="Whether a person decided that the order is not sent")
    going_nowhere: bool | None = Field(
        default=None, description="Complete orders that nobody sends, and nobody decided so"
    )
    incident: IncidentCode | None = Field(default=None, description="Orders that wait for the end of this incident")
    queue: Queue | None = Field(default=None, description="Held orders, by whose turn it is")
    ship_by_state: ShipByState | None = None
    assigned_to: SearchedText | None = None
    is_assigned: bool | None = None
    flag: Annotated[str, OneOf(FLAGS)] | None = None
    alert: Alert | None = None
    marketplace: Annotated[str, OneOf(MARKETPLACES)] | None = None
    fulfilled_by: Literal["MERCHANT", "AMAZON"] | None = None
    created_after: SentTime | None = None
    created_before: SentTime | None = None
    updated_after: SentTime | None = None
    updated_before: SentTime | None = None
    ship_by_before: SentTime | None = None

    @field_validator("created_before", "updated_before")
    @classmethod
    def _is_after_its_other_bound(cls, before: SentTime | None, info: ValidationInfo) -> SentTime | None:
        other = str(info.field_name).replace("before", "after")
        after = info.data.get(other)
        if before and after and after >= before:
            raise PydanticCustomError("not_later", "must be later than {other}", {"other": to_camel(other)})
        return before


class Candidate(NamedTuple):
    """An order that a list may show, as it stands now."""

    summary: Summary
    surroundings: Surroundings
    standing: OrderStanding


def _is_in_stage(order: Candidate, wanted: str) -> bool:
    stage = order.surroundings.stages.named(wanted)
    return stage is not None and order.summary.stage == stage.id


# By filter: whether it finds an order, given the value that the caller sent.
PREDICATES: Mapping[str, Callable[[Candidate, Any], bool]] = {
    "integration": lambda order, wanted: order.summary.integration in wanted,
    "stage": _is_in_stage,
    "status": lambda order, wanted: order.summary.status == wanted,
    "three_pl_status": lambda order, wanted: order.summary.three_pl_status == wanted,
    "missing": lambda order, wanted: not set(wanted).isdisjoint(order.summary.missing),
    "ready_to_release": lambda order, wanted: order.summary.ready_to_release == wanted,
    "fulfillable": lambda order, wanted: may_be_fulfilled(order.summary, order.surroundings) == wanted,
    "blocked_by": lambda order, wanted: wanted in order.standing.blocked_by,
    "stopped": lambda order, wanted: (order.summary.stopped_by is not None) == wanted,
    "going_nowhere": lambda order, wanted: order.standing.goes_nowhere == wanted,
    "incident": lambda order, wanted: order.standing.incident == wanted,
    "queue": lambda order, wanted: order.standing.queue == wanted,
    "ship_by_state": lambda order, wanted: order.standing.ship_by_state == wanted,
    "assigned_to": lambda order, wanted: order.summary.assigned_to == wanted,
    "is_assigned": lambda order, wanted: (order.summary.assigned_to is not None) == wanted,
    "flag": lambda order, wanted: wanted in order.summary.flags,
    "alert": lambda order, wanted: wanted in order.summary.alerts,
    "marketplace": lambda order, wanted: order.summary.marketplace_id == wanted,
    "fulfilled_by": lambda order, wanted: order.summary.fulfilled_by == wanted,
    "created_after": lambda order, wanted: order.summary.created_at >= wanted,
    "created_before": lambda order, wanted: order.summary.created_at < wanted,
    "updated_after": lambda order, wanted: order.summary.updated_at >= wanted,
    "updated_before": lambda order, wanted: order.summary.updated_at < wanted,
    "ship_by_before": lambda order, wanted: order.summary.ship_by is not None and order.summary.ship_by < wanted,
}
if PREDICATES.keys() != Filters.model_fields.keys():
    raise TypeError(f"field or predicate missing: {', '.join(PREDICATES.keys() ^ Filters.model_fields.keys())}")


class OrderFilters(Filters):
    """The query parameters of `GET /orders`: the filters, and the part of the list."""

    order_ids: Annotated[tuple[SearchedText, ...], SEVERAL, Field(max_length=100)] = ()
    sort: Literal["shipBy", "-shipBy", "createdAt", "-createdAt"] | None = Field(
        default=None, description="Default: `shipBy` with a Stage, else `-createdAt`"
    )
    limit: int = Field(default=50, ge=1, le=250)
    cursor: SentCursor | None = None

    @property
    def sorts_by_ship_by(self) -> bool:
        return self.sort in {"shipBy", "-shipBy"} or (self.sort is None and self.stage is not None)

    @property
    def is_descending(self) -> bool:
        return self.sort.startswith("-") if self.sort else self.stage is None

    @property
    def narrows(self) -> bool:
        """Whether filters narrow what an index finds, so that a page needs more entries than it shows."""
        indexed = {"integration", "sort", "limit", "cursor"}
        indexed |= {"stage", "ship_by_before"} if self.sorts_by_ship_by else {"created_after", "created_before"}
        return bool(self.model_fields_set - indexed)

    def bounds(self) -> tuple[str, str]:
        """The keys of the index around the orders. A time alone sorts before every key that begins with it."""
        if self.sorts_by_ship_by:
            return _FIRST, instant(self.ship_by_before) if self.ship_by_before else _LAST
        return (
            instant(self.created_after) if self.created_after else _FIRST,
            instant(self.created_before) if self.created_before else _LAST,
        )

    def position(self) -> str | None:
        """The key after which the list goes on. Raises a 400 for a cursor of other filters."""
        if self.cursor is None:
            return None
        return order_key_in(self.cursor, self._all_but_the_page(), self.bounds())

    def cursor_at(self, position: str) -> str:
        """The cursor of the page after the key."""
        return cursor_at(position, self._all_but_the_page())

    def _all_but_the_page(self) -> str:
        return self.model_dump_json(exclude={"cursor", "limit"})

    def match(self, summary: Summary, surroundings: Surroundings, now: datetime) -> bool:
        order = Candidate(summary, surroundings, OrderStanding.of(summary, surroundings, now))
        return all(
            (wanted := getattr(self, name)) in (None, ()) or finds(order, wanted) for name, finds in PREDICATES.items()
        )

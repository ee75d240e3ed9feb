"""What lists show of an order and filters look at: its summary, which indexes hold."""

from collections.abc import Callable, Mapping

from needs_attention.orders.amazon_order import AmazonOrder
from needs_attention.orders.decisions import ThreePlDecision
from needs_attention.orders.order import Order, is_unsent
from needs_attention.orders.settings import ThreePlStatus
from needs_attention.values.model import Value
from needs_attention.values.times import UtcTime


class Summary(Value):
    """An order without its personal data, which no index may hold.

    Summaries are stored with the orders: a new field needs a default, for those that an earlier release stored.
    `missing` names fields without their reasons, and leaves out what was accepted. `for_people` are those that only
    people can settle.
    """

    order_id: str
    integration: str
    revision: int
    marketplace_id: str | None = None
    fulfilled_by: str | None = None
    fulfillment_status: str | None = None
    created_at: UtcTime
    updated_at: UtcTime
    ship_by: UtcTime | None = None
    is_pending: bool = False
    stage: str | None = None
    status: str
    three_pl_status: ThreePlStatus
    hold: str | None = None
    held_at: UtcTime | None = None
    missing: tuple[str, ...] = ()
    for_people: tuple[str, ...] = ()
    ready_to_release: bool = False
    is_fulfillable: bool = False
    is_transferable: bool = False
    fully_dispatched_at: UtcTime | None = None
    dispatched_by: str | None = None
    alerts: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    redownload_at: UtcTime | None = None
    assigned_to: str | None = None
    redacted_at: UtcTime | None = None
    is_shipped: bool = False
    is_void: bool = False
    came_back_from: str | None = None
    # Who stopped the order, and when. A stop is only implied if the person chose a Stage, and no 3PL Status.
    stopped_by: str | None = None
    stopped_at: UtcTime | None = None
    stop_is_implied: bool = False

    @property
    def awaited(self) -> tuple[str, ...]:
        """The missing fields that Amazon may yet send."""
        return tuple(field for field in self.missing if field not in self.for_people)

    @property
    def is_unsent(self) -> bool:
        return is_unsent(self.status, self.three_pl_status, self.fulfilled_by)

    @classmethod
    def of(cls, order: Order) -> "Summary":
        amazon, held, stop = order.amazon, order.held, order.decisions.stop
        missing = (*order.open_missing, *order.differences)
        fields = dict.fromkeys(item.field for item in missing)
        awaited = {item.field for item in missing if not item.waits_for_a_person}
        return cls(
            order_id=order.order_id,
            integration=order.integration,
            revision=order.revision,
            marketplace_id=amazon.marketplace_id,
            fulfilled_by=amazon.fulfilled_by,
            fulfillment_status=amazon.fulfillment_status,
            created_at=amazon.created_at,
            updated_at=amazon.updated_at,
            ship_by=amazon.ship_by,
            is_pending=order.is_pending,
            stage=order.stage,
            status=order.status,
            three_pl_status=order.shown_three_pl_status,
            hold=held.kind if held else None,
            held_at=held.since if held else None,
            missing=tuple(fields),
            for_people=tuple(field for field in fields if field not in awaited),
            ready_to_release=order.is_ready_to_release,
            is_fulfillable=order.is_fulfillable,
            is_transferable=order.is_transferable,
            fully_dispatched_at=order.fully_dispatched_at,
            dispatched_by=order.dispatched_by,
            alerts=order.alerts,
            flags=tuple(name for name, applies in FLAGS.items() if applies(amazon)),
            redownload_at=order.redownload_at,
            assigned_to=order.assigned_to,
            redacted_at=order.redacted_at,
            is_shipped=amazon.is_shipped,
            is_void=order.voided_at is not None,
            came_back_from=amazon.came_back_from,
            stopped_by=stop.by if stop else None,
            stopped_at=stop.at if stop else None,
            stop_is_implied=isinstance(stop, ThreePlDecision) and stop.is_implied,
        )


# Facts that a clerk should see at a glance.
FLAGS: Mapping[str, Callable[[AmazonOrder], bool]] = {
    "buyerRequestedCancel": lambda amazon: bool(amazon.cancel_requests),
    "replacement": lambda amazon: amazon.replaces_order_id is not None,
    "gift": lambda amazon: amazon.is_gift,
    "prime": lambda amazon: "PRIME" in amazon.programs,
    "business": lambda amazon: "AMAZON_BUSINESS" in amazon.programs,
}

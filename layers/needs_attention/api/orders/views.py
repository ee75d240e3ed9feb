"""Orders as the API shows them: a row of a list, and the whole order. JSON in camelCase; what is not there is null."""

from datetime import datetime
from typing import Any, NamedTuple

from needs_attention.integrations.incidents import IncidentCode
from needs_attention.integrations.surroundings import Surroundings
from needs_attention.integrations.wording import CONNECTION_AT_FAULT
from needs_attention.orders.amazon_order import Address
from needs_attention.orders.edits import UNITS, amazons_units
from needs_attention.orders.effective import Seen, seen
from needs_attention.orders.order import Missing, Order
from needs_attention.orders.summary import Summary
from needs_attention.orders.urgency import Queue, ShipByState, queue_of, ship_by_state
from needs_attention.orders.wording import message_for, next_step_for, seller_central_url
from needs_attention.values.model import Value
from needs_attention.values.times import instant


def may_be_fulfilled(summary: Summary, surroundings: Surroundings) -> bool:
    """Whether goods may leave now: the order allows it, the integration is live, and nothing is frozen."""
    return summary.is_fulfillable and _is_open(summary, surroundings)


def may_be_transferred(summary: Summary, surroundings: Surroundings) -> bool:
    """Whether a warehouse may take the order now."""
    return summary.is_transferable and _is_open(summary, surroundings)


def _is_open(summary: Summary, surroundings: Surroundings) -> bool:
    return surroundings.settings.may_hand_over(summary.created_at) and not surroundings.is_frozen


class Standing(NamedTuple):
    """How an order stands at this moment: what an index cannot hold, because it changes with the clock."""

    incident: IncidentCode | None
    ship_by_state: ShipByState | None
    queue: Queue | None

    @classmethod
    def of(cls, summary: Summary, surroundings: Surroundings, now: datetime) -> "Standing":
        incident = surroundings.incidents.cause_of(summary.marketplace_id, summary.missing)
        urgency = ship_by_state(summary.ship_by, now) if summary.is_to_be_sent else None
        waits = summary.redownload_at is not None and not summary.ready_to_release
        queue = queue_of(summary.hold, urgency, has_incident=incident is not None, waits_for_amazon=waits)
        return cls(incident, urgency, queue)


def order_row(summary: Summary, surroundings: Surroundings, now: datetime) -> dict[str, Any]:
    """An order in a list. No personal data of buyers."""
    standing = Standing.of(summary, surroundings, now)
    shown = summary.model_dump(
        mode="json",
        by_alias=True,
        include={
            "order_id",
            "integration",
            "status",
            "three_pl_status",
            "missing",
            "hold",
            "held_at",
            "ready_to_release",
            "created_at",
            "updated_at",
            "ship_by",
            "fulfilled_by",
            "fulfillment_status",
            "fully_dispatched_at",
            "dispatched_by",
            "alerts",
            "flags",
            "redownload_at",
            "assigned_to",
            "redacted_at",
            "revision",
        },
    )
    return shown | {
        "marketplace": summary.marketplace_id,
        "stage": surroundings.stages.name_of(summary.stage),
        "verdict": "pending" if summary.is_pending else "judged",
        "fulfillable": may_be_fulfilled(summary, surroundings),
        "incident": standing.incident,
        "shipByState": standing.ship_by_state,
        "queue": standing.queue,
    }


def whole_order(order: Order, surroundings: Surroundings, now: datetime) -> dict[str, Any]:
    """All that people need of an order: its row, and the data behind it with where each part came from."""
    view = seen(order.amazon, order.edits, surroundings.settings)
    return order_row(Summary.of(order), surroundings, now) | {
        **(_NO_PERSONAL_DATA if order.redacted_at else _personal_data(view)),
        "sellerOrderId": order.amazon.seller_order_id,
        "lineItems": [_json(line) for line in view.line_items],
        "sources": {
            "name": view.name_source,
            "email": view.email_source,
            "deliveryAddress": view.delivery_source,
            "billingAddress": view.billing_source,
            "lineItems": view.line_items_source,
        },
        "missingDetails": [_missing(item, order, surroundings) for item in order.missing],
        "confirmed": list(order.edits.confirmed),
        "heldAfterRelease": order.hold is not None and order.hold.after_release,
        "snoozedUntil": instant(order.hold.until) if order.hold and order.hold.until else None,
        "override": _json(order.override),
        "comment": order.comment,
        "warehouseError": order.warehouse_error,
        "amazonSays": _amazon_says(order),
        "sellerCentralUrl": seller_central_url(order),
        "grandTotal": _json(order.amazon.grand_total),
        "downloadedAt": instant(order.downloaded_at),
        "redaction": _json(order.redaction),
        "lastChange": _json(order.last_change),
    }


def for_warehouse(order: dict[str, Any]) -> dict[str, Any]:
    """An order, or its row, without what the desk says about it among itself."""
    return {name: value for name, value in order.items() if name not in {"comment", "assignedTo"}}


_NO_PERSONAL_DATA = dict.fromkeys(
    ("firstName", "lastName", "company", "email", "deliveryAddress", "billingName", "billingAddress")
)


def _personal_data(view: Seen) -> dict[str, Any]:
    return {
        "firstName": view.first_name or None,
        "lastName": view.last_name or None,
        "company": view.company or None,
        "email": view.email or None,
        "deliveryAddress": _json(view.delivery_address),
        "billingName": view.billing_name,
        "billingAddress": _json(view.billing_address),
    }


def _missing(item: Missing, order: Order, surroundings: Surroundings) -> dict[str, Any]:
    has_vanished = item.field in surroundings.incidents.vanished(order.amazon.marketplace_id)
    return {
        **item.model_dump(mode="json", by_alias=True),
        "message": message_for(item),
        "nextStep": CONNECTION_AT_FAULT if has_vanished else next_step_for(item, order),
        "accepted": item not in order.open_missing,
    }


def _amazon_says(order: Order) -> dict[str, Any]:
    """Amazon's value of each unit that a person replaced by another one."""
    amazons = amazons_units(order.amazon)
    differing: set[str] = {
        unit for unit in UNITS if order.edits.is_edited(unit) and getattr(amazons, unit) != getattr(order.edits, unit)
    }
    return amazons.model_dump(mode="json", by_alias=True, include=differing)


def _json(value: Value | Address | None) -> dict[str, Any] | None:
    if value is None:
        return None
    return value.model_dump(mode="json", by_alias=True, exclude_none=isinstance(value, Address))

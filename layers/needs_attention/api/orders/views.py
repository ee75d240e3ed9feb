"""Orders as the API shows them: a row of a list, and the whole order. JSON in camelCase; what is not there is null."""

from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired, TypedDict, cast

from pydantic import Field

from needs_attention.api.answers import FieldCode, Instant, Url, as_json
from needs_attention.api.callers import Caller, Role
from needs_attention.api.problems import FieldProblem, ProblemDetails
from needs_attention.integrations.incidents import IncidentCode
from needs_attention.integrations.standing import OrderStanding, may_be_fulfilled
from needs_attention.integrations.surroundings import Surroundings
from needs_attention.integrations.wording import CONNECTION_AT_FAULT
from needs_attention.orders.amazon_order import Address, LineItem, Money
from needs_attention.orders.edits import UNITS, amazons_units
from needs_attention.orders.effective import AmazonsOrEdited, BillingSource, NameSource, Seen, seen
from needs_attention.orders.order import DispatchedBy, HoldKind, Missing, Order, OrderStatus, Override, Redaction
from needs_attention.orders.settings import ThreePlStatus
from needs_attention.orders.summary import Summary
from needs_attention.orders.urgency import Queue, ShipByState
from needs_attention.orders.verdict import Alert
from needs_attention.orders.wording import message_for, next_step_for, seller_central_url
from needs_attention.values.times import instant


class OrderProblem(ProblemDetails):
    """The order was changed meanwhile: `order` is how it is now."""

    order: "WholeOrder"


# Orders
class OrderRow(TypedDict):
    """An order in a list: no personal data of the buyer's."""

    orderId: str
    integration: str
    revision: int
    marketplace: str | None
    stage: Annotated[str | None, Field(description="The Stage's name; null while Amazon has not released the order")]
    status: OrderStatus
    threePlStatus: ThreePlStatus
    verdict: Annotated[
        Literal["pending", "judged"],
        Field(description="Nothing leaves while the last change is not judged"),
    ]
    hold: HoldKind | None
    heldAt: Instant | None
    missing: list[FieldCode]
    readyToRelease: bool
    fulfillable: Annotated[bool, Field(description="Whether goods may leave now")]
    queue: Annotated[Queue | None, Field(description="Whose turn it is with a held order")]
    incident: Annotated[IncidentCode | None, Field(description="The fault of the connection that the order waits for")]
    shipBy: Instant | None
    shipByState: ShipByState | None
    createdAt: Instant
    updatedAt: Annotated[Instant, Field(description="Of Amazon's last change")]
    fulfilledBy: Annotated[str | None, Field(description="`MERCHANT` or `AMAZON`")]
    fulfillmentStatus: Annotated[str | None, Field(description="Amazon's word, e.g. `UNSHIPPED`")]
    fullyDispatchedAt: Instant | None
    dispatchedBy: DispatchedBy | None
    alerts: list[Alert]
    flags: Annotated[list[str], Field(description="E.g. `buyerRequestedCancel`, `gift`, `prime`")]
    redownloadAt: Annotated[Instant | None, Field(description="When Amazon is asked for it again")]
    assignedTo: Annotated[NotRequired[str | None], Field(description="Not shown to a warehouse")]
    redactedAt: Annotated[Instant | None, Field(description="When its personal data was removed")]


class MissingDetail(TypedDict):
    """What an order lacks, why, and what to do about it."""

    field: FieldCode
    reason: str
    parts: Annotated[list[str], Field(description="The parts of an address that are missing")]
    firstMissingAt: Instant | None
    message: str
    nextStep: str
    accepted: Annotated[bool, Field(description="An administrator lets the order go without it")]


class Sources(TypedDict):
    """Where what is seen came from."""

    name: NameSource
    email: AmazonsOrEdited
    deliveryAddress: AmazonsOrEdited
    billingAddress: BillingSource
    lineItems: AmazonsOrEdited


class AmazonSays(TypedDict, total=False):
    """Amazon's value of what a person has replaced by another one."""

    name: str | None
    email: str | None
    deliveryAddress: Address | None
    billingAddress: Address | None
    lineItems: list[LineItem] | None


class Change(TypedDict):
    """Who changed an order, when and why, and which fields; never their values."""

    by: str
    at: Instant
    cause: str
    requestId: Annotated[
        NotRequired[str | None],
        Field(description="Of the call to this API; of a download, Amazon's. Logs name both"),
    ]
    fields: list[str]
    events: list[str]


class PersonalData(TypedDict):
    """Who and where the buyer and the recipient are."""

    firstName: str | None
    lastName: str | None
    company: str | None
    email: str | None
    deliveryAddress: Address | None
    billingName: str | None
    billingAddress: Address | None


class WholeOrder(OrderRow, PersonalData):
    """An order as people see it: edits over Amazon's data. Personal data is null once it was removed."""

    lineItems: list[LineItem]
    sources: Sources
    missingDetails: list[MissingDetail]
    confirmed: Annotated[list[FieldCode], Field(description="Confirmed to be not to be had")]
    heldAfterRelease: bool
    snoozedUntil: Instant | None
    override: Override | None
    comment: Annotated[NotRequired[str | None], Field(description="Not shown to a warehouse")]
    warehouseError: Annotated[str | None, Field(description="Why the warehouse could not pick it")]
    amazonSays: AmazonSays
    sellerOrderId: str | None
    sellerCentralUrl: Url | None
    grandTotal: Money | None
    downloadedAt: Instant
    redaction: Annotated[Redaction | None, Field(description="By whom and why its personal data was removed")]
    lastChange: Change | None


class EditedOrder(WholeOrder):
    """The order after a person's change, with what was taken as it was typed but looks wrong."""

    warnings: list[FieldProblem]


def order_row(summary: Summary, surroundings: Surroundings, now: datetime) -> OrderRow:
    """An order in a list. No personal data of buyers."""
    standing = OrderStanding.of(summary, surroundings, now)
    return {
        "orderId": summary.order_id,
        "integration": summary.integration,
        "revision": summary.revision,
        "fulfilledBy": summary.fulfilled_by,
        "fulfillmentStatus": summary.fulfillment_status,
        "createdAt": instant(summary.created_at),
        "updatedAt": instant(summary.updated_at),
        "shipBy": _instant(summary.ship_by),
        # A summary holds the words that were written with it, which may be those of a later version.
        "status": cast("OrderStatus", summary.status),
        "threePlStatus": summary.three_pl_status,
        "hold": cast("HoldKind | None", summary.hold),
        "heldAt": _instant(summary.held_at),
        "missing": list(summary.missing),
        "readyToRelease": summary.ready_to_release,
        "fullyDispatchedAt": _instant(summary.fully_dispatched_at),
        "dispatchedBy": cast("DispatchedBy | None", summary.dispatched_by),
        "alerts": cast("list[Alert]", list(summary.alerts)),
        "flags": list(summary.flags),
        "redownloadAt": _instant(summary.redownload_at),
        "assignedTo": summary.assigned_to,
        "redactedAt": _instant(summary.redacted_at),
        "marketplace": summary.marketplace_id,
        "stage": surroundings.stages.name_of(summary.stage),
        "verdict": "pending" if summary.is_pending else "judged",
        "fulfillable": may_be_fulfilled(summary, surroundings),
        "incident": standing.incident,
        "shipByState": standing.ship_by_state,
        "queue": standing.queue,
    }


def whole_order(order: Order, surroundings: Surroundings, now: datetime) -> WholeOrder:
    """All that people need of an order: its row, and the data behind it with where each part came from."""
    view = seen(order.amazon, order.edits, surroundings.settings)
    return {
        **order_row(Summary.of(order), surroundings, now),
        **(_NO_PERSONAL_DATA if order.redacted_at else _personal_data(view)),
        "sellerOrderId": order.amazon.seller_order_id,
        "lineItems": [as_json(line) for line in view.line_items],
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
        "snoozedUntil": _instant(order.hold.until if order.hold else None),
        "override": as_json(order.override),
        "comment": order.comment,
        "warehouseError": order.warehouse_error,
        "amazonSays": _amazon_says(order),
        "sellerCentralUrl": seller_central_url(order),
        "grandTotal": as_json(order.amazon.grand_total),
        "downloadedAt": instant(order.downloaded_at),
        "redaction": as_json(order.redaction),
        "lastChange": as_json(order.last_change),
    }


def whole_order_for(caller: Caller, order: Order, surroundings: Surroundings, now: datetime) -> WholeOrder:
    """The order as the caller may see it. A warehouse does not see what the desk notes on it."""
    shown = whole_order(order, surroundings, now)
    if not caller.is_any_of(Role.READER):
        shown.pop("assignedTo", None)
        shown.pop("comment", None)
    return shown


def row_for_warehouse(row: OrderRow) -> OrderRow:
    """The row without what the desk notes on the order."""
    shown = row.copy()
    shown.pop("assignedTo", None)
    return shown


_NO_PERSONAL_DATA: PersonalData = {
    "firstName": None,
    "lastName": None,
    "company": None,
    "email": None,
    "deliveryAddress": None,
    "billingName": None,
    "billingAddress": None,
}


def _personal_data(view: Seen) -> PersonalData:
    return {
        "firstName": view.first_name or None,
        "lastName": view.last_name or None,
        "company": view.company or None,
        "email": view.email or None,
        "deliveryAddress": _address(view.delivery_address),
        "billingName": view.billing_name,
        "billingAddress": _address(view.billing_address),
    }


def _missing(item: Missing, order: Order, surroundings: Surroundings) -> MissingDetail:
    has_vanished = item.field in surroundings.incidents.vanished(order.amazon.marketplace_id)
    return {
        "field": item.field,
        "reason": item.reason,
        "parts": list(item.parts),
        "firstMissingAt": _instant(item.first_missing_at),
        "message": message_for(item),
        "nextStep": CONNECTION_AT_FAULT if has_vanished else next_step_for(item, order),
        "accepted": item not in order.open_missing,
    }


def _amazon_says(order: Order) -> AmazonSays:
    """Amazon's value of each unit that a person replaced by another one."""
    amazons = amazons_units(order.amazon)
    differing: set[str] = {
        unit for unit in UNITS if order.edits.is_edited(unit) and getattr(amazons, unit) != getattr(order.edits, unit)
    }
    return cast("AmazonSays", amazons.model_dump(mode="json", by_alias=True, include=differing))


def _address(address: Address | None) -> Any:
    """Only the parts that it has."""
    return None if address is None else address.model_dump(mode="json", by_alias=True, exclude_none=True)


def _instant(time: datetime | None) -> str | None:
    return instant(time) if time else None

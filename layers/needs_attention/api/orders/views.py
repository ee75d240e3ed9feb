"""Orders as the API shows them: a row of a list, and the whole order."""

from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired, TypedDict, cast

from pydantic import Field

from needs_attention.api.answers import FieldCode, Instant, Url, as_json
from needs_attention.api.callers import Caller, Role
from needs_attention.api.problems import FieldProblem, ProblemDetails
from needs_attention.integrations.incidents import IncidentCode
from needs_attention.integrations.standing import BlockedBy, OrderStanding, may_be_fulfilled
from needs_attention.integrations.surroundings import Surroundings
from needs_attention.integrations.wording import next_step_at_fault
from needs_attention.orders.alerts import Alert
from needs_attention.orders.amazon_order import Address, CameBackFrom, LineItem, Money
from needs_attention.orders.completeness import hidden_by_typing
from needs_attention.orders.decisions import Decision
from needs_attention.orders.edits import Unit, units_typed_otherwise
from needs_attention.orders.effective import AmazonsOrEdited, BillingSource, NameSource, Seen, SeenLine
from needs_attention.orders.equivalence import plain_sku
from needs_attention.orders.order import (
    DispatchedBy,
    HoldKind,
    Missing,
    Order,
    OrderStatus,
    Override,
    Redaction,
    TakenLine,
)
from needs_attention.orders.settings import ThreePlStatus
from needs_attention.orders.summary import Summary
from needs_attention.orders.urgency import Queue, ShipByState
from needs_attention.orders.wording import message_for, next_step_for, seller_central_url
from needs_attention.values.times import instant


class OrderProblem(ProblemDetails):
    """The order has changed since you read it. `order` shows it as it is now."""

    order: "WholeOrder"


class GateProblem(ProblemDetails):
    """Why the gate refused. With the code `differsFromAmazon`, `order` shows the order as it is now.

    It holds both values: the typed one, and Amazon's in `amazonSays`.
    """

    order: NotRequired["WholeOrder"]


class Stop(TypedDict):
    """A person's decision not to send an order."""

    by: str
    at: Instant


class OrderRow(TypedDict):
    """An order in a list, without personal data."""

    orderId: str
    integration: str
    revision: int
    marketplace: str | None
    stage: Annotated[str | None, Field(description="The Stage's name; null while Amazon has not released the order")]
    status: OrderStatus
    threePlStatus: ThreePlStatus
    verdict: Annotated[
        Literal["pending", "judged"],
        Field(description="Nothing leaves while the last change has no verdict"),
    ]
    hold: HoldKind | None
    heldAt: Instant | None
    missing: list[FieldCode]
    readyToRelease: bool
    fulfillable: Annotated[bool, Field(description="Whether goods may leave now")]
    blockedBy: Annotated[list[BlockedBy], Field(description="Why goods may not leave now")]
    goingNowhere: Annotated[bool, Field(description="Complete, not sent by anybody, and nobody decided so")]
    stopped: Annotated[
        NotRequired[Stop | None],
        Field(description="The person who decided that it is not sent, and when. Not shown to a warehouse"),
    ]
    cameBackFrom: Annotated[
        CameBackFrom | None, Field(description="Amazon called it shipped, or its own, and now calls it neither")
    ]
    queue: Annotated[Queue | None, Field(description="Of a held order: whose turn it is")]
    incident: Annotated[IncidentCode | None, Field(description="The incident that the order waits for")]
    shipBy: Instant | None
    shipByState: ShipByState | None
    createdAt: Instant
    updatedAt: Annotated[Instant, Field(description="When Amazon changed it last")]
    fulfilledBy: Annotated[str | None, Field(description="`MERCHANT` or `AMAZON`")]
    fulfillmentStatus: Annotated[str | None, Field(description="In Amazon's words, e.g. `UNSHIPPED`")]
    fullyDispatchedAt: Instant | None
    dispatchedBy: DispatchedBy | None
    alerts: list[Alert]
    flags: Annotated[list[str], Field(description="E.g. `buyerRequestedCancel`, `gift`, `prime`")]
    redownloadAt: Annotated[Instant | None, Field(description="When Amazon is next asked for it")]
    assignedTo: Annotated[NotRequired[str | None], Field(description="Not shown to a warehouse")]
    redactedAt: Annotated[Instant | None, Field(description="When its personal data was removed")]


class MissingDetail(TypedDict):
    """A field that an order lacks, why, and what to do about it."""

    field: FieldCode
    reason: str
    parts: Annotated[list[str], Field(description="The parts of an address that are missing")]
    firstMissingAt: Instant | None
    message: str
    nextStep: str
    accepted: Annotated[bool, Field(description="An administrator lets the order go without it")]


class Sources(TypedDict):
    """Where the shown data comes from."""

    name: NameSource
    email: AmazonsOrEdited
    deliveryAddress: AmazonsOrEdited
    billingAddress: BillingSource
    lineItems: AmazonsOrEdited


class AmazonSays(TypedDict, total=False):
    """Amazon's values of the units that people edited."""

    name: str | None
    email: str | None
    deliveryAddress: Address | None
    billingAddress: Address | None
    lineItems: list[LineItem] | None


class Change(TypedDict):
    """Who changed an order, when, why, and which fields; never their values."""

    by: str
    at: Instant
    cause: str
    requestId: Annotated[
        NotRequired[str | None],
        Field(description="The ID of the call to this API or, for a download, of the call to Amazon. Logs hold both"),
    ]
    fields: Annotated[
        list[str],
        Field(description="E.g. `stage`, `decisions.hold`, `edits.email`, `keepTyped.email`, `amazon.shipBy`"),
    ]
    events: list[str]


class PersonalData(TypedDict):
    """The names and addresses of the buyer and the recipient."""

    firstName: str | None
    lastName: str | None
    company: str | None
    email: str | None
    deliveryAddress: Address | None
    billingName: str | None
    billingAddress: Address | None


class Decided(TypedDict):
    """A person's choice: who made it, and when."""

    by: str
    at: Instant


class DecidedStage(Decided):
    stage: str | None


class DecidedThreePlStatus(Decided):
    """`isImplied`: the person ended a hold by choosing a Stage, and asked for no transfer."""

    threePlStatus: ThreePlStatus
    isImplied: bool


class DecidedDispatch(Decided):
    """`sentAt` is null if the person said that the order was not sent."""

    sentAt: Instant | None


class DecidedHold(Decided):
    until: Instant | None


class DecidedByPeople(TypedDict):
    """What people decided about an order. Send null for a field to take its decision back."""

    stage: DecidedStage | None
    threePlStatus: DecidedThreePlStatus | None
    fullyDispatched: DecidedDispatch | None
    hold: DecidedHold | None


class ClosedAlertView(TypedDict):
    """An alert that a person closed: it is not raised again for the same news."""

    alert: str
    by: str
    at: Instant


class WholeOrder(OrderRow, PersonalData):
    """An order as people see it: edits take precedence over Amazon's data. Removed personal data is null."""

    lineItems: list[SeenLine]
    sources: Sources
    missingDetails: list[MissingDetail]
    confirmed: Annotated[list[FieldCode], Field(description="Confirmed as unavailable")]
    heldAfterRelease: bool
    snoozedUntil: Instant | None
    decisions: Annotated[
        NotRequired[DecidedByPeople],
        Field(description="What people chose, also where it changes nothing now. Not shown to a warehouse"),
    ]
    closedAlerts: list[ClosedAlertView]
    override: Override | None
    comment: Annotated[NotRequired[str | None], Field(description="Not shown to a warehouse")]
    warehouseError: Annotated[str | None, Field(description="Why the warehouse could not pick it")]
    amazonSays: AmazonSays
    sellerOrderId: str | None
    sellerCentralUrl: Url | None
    grandTotal: Money | None
    downloadedAt: Instant
    redaction: Annotated[Redaction | None, Field(description="Why its personal data was removed, and who removed it")]
    lastChange: Change | None


class EditedOrder(WholeOrder):
    """An order after a person's change, with warnings about values that look wrong."""

    warnings: list[FieldProblem]


def order_row(summary: Summary, surroundings: Surroundings, now: datetime) -> OrderRow:
    """An order in a list, without personal data."""
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
        # A summary holds the words of the release that stored it, which may be a later one.
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
        "blockedBy": list(standing.blocked_by),
        "goingNowhere": standing.goes_nowhere,
        "stopped": _stop(summary),
        "cameBackFrom": cast("CameBackFrom | None", summary.came_back_from),
        "incident": standing.incident,
        "shipByState": standing.ship_by_state,
        "queue": standing.queue,
    }


def _stop(summary: Summary) -> Stop | None:
    if summary.stopped_by is None or summary.stopped_at is None:
        return None
    return {"by": summary.stopped_by, "at": instant(summary.stopped_at)}


def whole_order(order: Order, surroundings: Surroundings, now: datetime) -> WholeOrder:
    """The whole order: its row, and the data behind it with its sources."""
    view = Seen(order.amazon, order.edits, surroundings.settings_for(order.amazon.marketplace_id))
    return {
        **order_row(Summary.of(order), surroundings, now),
        **(_NO_PERSONAL_DATA if order.redacted_at else _personal_data(view)),
        "sellerOrderId": order.amazon.seller_order_id,
        "lineItems": [as_json(line) for line in view.line_items],
        "decisions": _decisions(order, surroundings),
        "closedAlerts": [as_json(one) for one in order.closed_alerts],
        "sources": {
            "name": view.name_source,
            "email": view.email_source,
            "deliveryAddress": view.delivery_source,
            "billingAddress": view.billing_source,
            "lineItems": view.line_items_source,
        },
        "missingDetails": _missing_details(order, surroundings),
        "confirmed": list(order.edits.confirmed),
        "heldAfterRelease": order.hold is not None and order.hold.after_release,
        "snoozedUntil": _instant(order.held.until if order.held else None),
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


def _decisions(order: Order, surroundings: Surroundings) -> DecidedByPeople:
    stage, three_pl, dispatch, hold = (
        order.decisions.stage,
        order.decisions.three_pl_status,
        order.decisions.dispatch,
        order.decisions.hold,
    )
    return {
        "stage": {**_decided(stage), "stage": surroundings.stages.name_of(stage.stage)} if stage else None,
        "threePlStatus": {
            **_decided(three_pl),
            "threePlStatus": three_pl.three_pl_status,
            "isImplied": three_pl.is_implied,
        }
        if three_pl
        else None,
        "fullyDispatched": {**_decided(dispatch), "sentAt": _instant(dispatch.sent_at)} if dispatch else None,
        "hold": {**_decided(hold), "until": _instant(hold.until)} if hold else None,
    }


def _decided(decision: Decision) -> Decided:
    return {"by": decision.by, "at": instant(decision.at)}


def whole_order_for(caller: Caller, order: Order, surroundings: Surroundings, now: datetime) -> WholeOrder:
    """The order as the caller may see it.

    A warehouse does not see people's notes. Its lines are those to send, each with the number to send: after it took
    the order, what it took.
    """
    shown = whole_order(order, surroundings, now)
    if not caller.is_any_of(Role.READER):
        shown.pop("assignedTo", None)
        shown.pop("comment", None)
        shown.pop("stopped", None)
        shown.pop("decisions", None)
        shown["lineItems"] = _lines_for_warehouse(order, shown["lineItems"])
    return shown


def _lines_for_warehouse(order: Order, lines: list[Any]) -> list[Any]:
    if order.is_handed_over and order.parcel:
        known = {_product(line["orderItemId"], line["sellerSku"], line["asin"]): line for line in lines}
        taken = [(one, _product(one.order_item_id, one.seller_sku, one.asin)) for one in order.parcel.lines]
        lines = [_as_taken(one, known.get(product)) for one, product in taken]
    return [{**line, "quantity": line["quantityToSend"]} for line in lines if line["quantityToSend"]]


def _product(order_item_id: str | None, seller_sku: str | None, asin: str | None) -> tuple[str | None, str, str | None]:
    return order_item_id, plain_sku(seller_sku), asin


def _as_taken(taken: TakenLine, line: dict[str, Any] | None) -> dict[str, Any]:
    """The line as the warehouse took it, also if the order does not have it any more."""
    goods = SeenLine(order_item_id=taken.order_item_id, seller_sku=taken.seller_sku, asin=taken.asin)
    known = line or as_json(goods)
    return {**known, "quantityOrdered": taken.quantity_ordered, "quantityToSend": taken.quantity}


def row_for_warehouse(row: OrderRow) -> OrderRow:
    """The row without people's notes on the order."""
    shown = row.copy()
    shown.pop("assignedTo", None)
    shown.pop("stopped", None)
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


def _missing_details(order: Order, surroundings: Surroundings) -> list[MissingDetail]:
    hidden = hidden_by_typing(order.amazon, order.edits, surroundings.settings_for(order.amazon.marketplace_id))
    vanished = surroundings.incidents.vanished(order.amazon.marketplace_id) - hidden.keys()

    def next_step(item: Missing) -> str:
        if item.field in vanished and not item.waits_for_a_person:
            return next_step_at_fault(item.field)
        return next_step_for(item, order, hidden.get(item.field))

    return [
        {
            "field": item.field,
            "reason": item.reason,
            "parts": list(item.parts),
            "firstMissingAt": _instant(item.first_missing_at),
            "message": message_for(item),
            "nextStep": next_step(item),
            "accepted": item not in (*order.open_missing, *order.differences),
        }
        for item in order.missing
    ]


def _amazon_says(order: Order) -> AmazonSays:
    """Amazon's value of each unit for which a person entered another value."""
    amazon = order.amazon
    differing = units_typed_otherwise(order.edits, amazon)
    if not differing:
        return {}
    said: dict[Unit, tuple[str, object]] = {
        "name": ("name", amazon.addressee),
        "email": ("email", amazon.buyer_email),
        "delivery_address": ("deliveryAddress", _address(amazon.delivery_address)),
        "billing_address": ("billingAddress", _address(amazon.tax_address)),
        "line_items": ("lineItems", None if amazon.line_items is None else [as_json(x) for x in amazon.line_items]),
    }
    return cast("AmazonSays", {name: value for unit, (name, value) in said.items() if unit in differing})


def _address(address: Address | None) -> Any:
    """Without the parts that it lacks."""
    return None if address is None else address.model_dump(mode="json", by_alias=True, exclude_none=True)


def _instant(time: datetime | None) -> str | None:
    return instant(time) if time else None

"""The shapes of the API's answers, as its OpenAPI document tells them. Every answer in the tests is held against them.

Where an answer shows a value as it is stored, the value's own model is its shape. All members are always there, null
where there is nothing to say, but for those that say NotRequired.
"""

from typing import Annotated, Literal, NotRequired, TypedDict

from pydantic import Field, WithJsonSchema

from needs_attention.downloads.backdated import Counts, DownloadStatus
from needs_attention.downloads.live import OverdueVerdicts
from needs_attention.downloads.second_look import OrderReport
from needs_attention.integrations.arrivals import MarketplaceArrivals
from needs_attention.integrations.expiry import Ending
from needs_attention.integrations.incidents import IncidentCode
from needs_attention.integrations.integration import Region
from needs_attention.orders.amazon_order import Address, LineItem, Money
from needs_attention.orders.effective import AmazonsOrEdited, BillingSource, NameSource
from needs_attention.orders.order import DispatchedBy, HoldKind, OrderStatus, Override, Redaction
from needs_attention.orders.settings import Settings, ThreePlStatus
from needs_attention.orders.urgency import Queue, ShipByState
from needs_attention.orders.verdict import Alert

Instant = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Url = Annotated[str, WithJsonSchema({"type": "string", "format": "uri"})]
FieldCode = Annotated[str, Field(description="A field's name, e.g. `email` or `deliveryAddress`")]


# Refusals


class FieldProblem(TypedDict):
    """One thing that is wrong."""

    field: str
    code: str
    message: str


class ProblemDetails(TypedDict):
    """Why a request was refused (RFC 9457). `code` is stable; `detail` and the messages are for people."""

    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldProblem]


class OrderProblem(ProblemDetails):
    """The order was changed meanwhile: `order` is how it is now."""

    order: "WholeOrder"


class IntegrationProblem(ProblemDetails):
    """The integration was changed meanwhile: `integration` is how it is now."""

    integration: "IntegrationDetails"


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


class OrderPage(TypedDict):
    """A part of a list. With `nextCursor` there may be more, even if this part is short or empty."""

    orders: list[OrderRow]
    nextCursor: str | None


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


class WholeOrder(OrderRow):
    """An order as people see it: edits over Amazon's data. Personal data is null once it was removed."""

    firstName: str | None
    lastName: str | None
    company: str | None
    email: str | None
    deliveryAddress: Address | None
    billingName: str | None
    billingAddress: Address | None
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


class ChangedOrder(TypedDict):
    """One of several changes, done."""

    orderId: str
    status: Literal[200]
    order: WholeOrder
    warnings: list[FieldProblem]


class RefusedOrder(TypedDict):
    """One of several, refused."""

    orderId: str
    status: int
    problem: ProblemDetails | OrderProblem


class RefusedChange(RefusedOrder):
    """One of several changes, refused: nothing was changed, so there is nothing to be warned of."""

    warnings: list[FieldProblem]


class ChangedOrders(TypedDict):
    """A result for each order, in the order in which they were sent."""

    orders: list[ChangedOrder | RefusedChange]
    dryRun: bool


class ChangedRow(ChangedOrder):
    """A row of the sheet, done."""

    row: int


class RefusedRow(RefusedChange):
    """A row of the sheet, refused."""

    row: int


class ChangedRows(TypedDict):
    """A result for each row; they are counted from 1, below the columns' names."""

    orders: list[ChangedRow | RefusedRow]
    dryRun: bool


class PastChange(Change):
    """An entry of an order's history."""

    revision: int


Revisions = TypedDict("Revisions", {"from": int, "to": int})
"""From one revision to another, both included."""


class MissingRevisions(TypedDict):
    """Changes of which nothing was written down."""

    missingRevisions: Revisions


class HistoryOfOrder(TypedDict):
    """Newest first."""

    changes: list[PastChange | MissingRevisions]
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


# Retention


class DueOfIntegration(TypedDict):
    """How many of an integration's orders are to be redacted. What is overdue is also due."""

    integration: str
    due: Annotated[int, Field(description="By now; the clock sees to them within minutes")]
    overdue: Annotated[int, Field(description="Due for more than a day: see docs/retention.md")]
    dueWithinSevenDays: Annotated[int, Field(description="Not yet due")]
    oldestDueAt: Instant | None
    isTruncated: Annotated[bool, Field(description="There are more than were counted")]


class DueRedactions(TypedDict):
    """Of all integrations, removed ones too."""

    integrations: list[DueOfIntegration]


class RedactionOfOrder(TypedDict):
    """That an order's personal data was removed, when, by whom and why."""

    orderId: str
    at: Instant
    by: str
    why: Literal["retention", "request"]
    reference: Annotated[str | None, Field(description="What the request is called elsewhere")]


class Redactions(TypedDict):
    """Newest first."""

    redactions: list[RedactionOfOrder]
    nextCursor: str | None


class ErasureInIntegration(TypedDict):
    """How far a buyer's erasure has come in one integration. The lists name the first 100 orders."""

    integration: str
    orders: Annotated[int, Field(description="Looked at so far")]
    erased: list[str]
    erasedCount: int
    unsent: Annotated[list[str], Field(description="Still to be sent, and so left as they are")]
    unsentCount: int
    finishedAt: Instant | None


class ErasureOfBuyer(TypedDict):
    """A buyer's erasure. Who the buyer is is shown nowhere, and forgotten when it is through."""

    erasureId: str
    reference: str
    requestedBy: str
    requestedAt: Instant
    evenIfUnsent: bool
    integrations: list[ErasureInIntegration]
    finishedAt: Instant | None


# Downloads


class Download(TypedDict):
    """A download of a past window, planned, under way or over."""

    integrationId: str
    downloadId: str
    status: DownloadStatus
    updatedAfter: Instant
    updatedBefore: Instant
    requestedBy: str
    requestedAt: Instant
    startedAt: Instant | None
    finishedAt: Instant | None
    counts: Counts
    failures: int
    failure: str | None
    retryAt: Instant | None
    reached: Instant
    progress: Annotated[float, Field(ge=0, le=1)]
    estimatedOrdersLeft: int
    estimatedCallsLeft: int
    callsAhead: Annotated[int, Field(description="Calls of the downloads that come before it")]
    estimatedEnd: Instant | None


class Downloads(TypedDict):
    """Newest first."""

    downloads: list[Download]


class Redownloaded(TypedDict):
    """Amazon is asked for the order with the next run."""

    orderId: str
    redownloadAt: Instant


class RedownloadedOf(Redownloaded):
    """One of several, accepted."""

    status: Literal[202]


class RedownloadedOrders(TypedDict):
    """A result for each order."""

    orders: list[RedownloadedOf | RefusedOrder]


# Integrations


class ExpiryView(TypedDict):
    """When a part of the credentials ends, and what to do before that."""

    what: Ending
    at: Instant
    isSoon: bool
    whatToDo: str


class IncidentView(TypedDict):
    """What is wrong with the connection, since when, and what to do."""

    code: IncidentCode
    since: Instant
    evidence: str
    requestId: str | None
    fields: Annotated[dict[str, list[str]], Field(description="By marketplace: fields that Amazon sends no more")]
    whatToDo: str


class NotificationsState(TypedDict):
    """Whether Amazon tells of changed orders, or why not."""

    isSubscribed: bool
    failure: str | None


class QuotaLeft(TypedDict):
    """How many calls of each operation may be made at once."""

    searchOrders: int
    getOrder: int


class Health(TypedDict):
    """How an integration's downloads stand."""

    cursor: Annotated[Instant, Field(description="All that Amazon updated until then is here")]
    cursorLagSeconds: int
    lastRunAt: Instant | None
    lastSuccessAt: Instant | None
    orderChangeNotifications: NotificationsState
    incidents: list[IncidentView]
    overdueVerdicts: OverdueVerdicts | None
    quotaLeft: QuotaLeft
    expiries: list[ExpiryView]


class SetAsideView(TypedDict):
    """An order of Amazon's that could not be kept, and why."""

    orderId: str
    reason: str
    firstSeenAt: Instant
    requestId: str | None
    retryAt: Instant | None


class SecondLook(TypedDict):
    """What comparing a window anew with Amazon has found."""

    updatedAfter: Instant
    updatedBefore: Instant
    isByReport: bool
    report: OrderReport | None
    counts: Counts
    missed: list[str]
    missedCount: int
    finishedAt: Instant | None


class HealthDetails(Health):
    """With the orders that could not be kept (100 at most), and what the second look found."""

    setAside: list[SetAsideView]
    setAsideCount: int
    reconciliation: SecondLook | None


class ShownSettings(Settings):
    """An integration's settings; the default Stage by its name."""

    default_stage: str


class IntegrationBase(TypedDict):
    """An integration, without its credentials."""

    integrationId: str
    name: str
    region: Region
    marketplaceIds: list[str]
    settings: ShownSettings
    isPaused: bool
    isFrozen: bool
    registeredAt: Instant
    clientSecretCreatedAt: Instant | None
    consentGivenAt: Instant | None
    revision: int


class IntegrationRow(IntegrationBase):
    """An integration in the list."""

    health: Health


class IntegrationDetails(IntegrationBase):
    """One integration, with all that was found."""

    health: HealthDetails


class SettingsPreview(TypedDict):
    """What other settings would change of the orders that were looked at."""

    orders: int
    wouldBeHeld: int
    wouldBeLetGo: int
    isTruncated: bool


class TriedIntegration(IntegrationDetails):
    """An integration as it would be; only a dry run's answer has the preview."""

    dryRun: NotRequired[Literal[True]]
    preview: NotRequired[SettingsPreview]


class Integrations(TypedDict):
    """All of them, and whether all are frozen."""

    integrations: list[IntegrationRow]
    isFrozen: bool


class Connection(TypedDict):
    """What really arrives through a connection."""

    integrationId: str
    marketplaces: list[MarketplaceArrivals]
    expiries: list[ExpiryView]


class RejudgementView(TypedDict):
    """How far judging all orders anew has come."""

    requestedBy: str
    requestedAt: Instant
    orders: int
    changed: int
    finishedAt: Instant | None


class Freeze(TypedDict):
    """Whether the hand-over of all integrations is stopped."""

    isFrozen: bool


class StageView(TypedDict):
    """A Stage. Its id stays when it is renamed."""

    id: str
    name: str
    isBuiltIn: bool


class StageList(TypedDict):
    """All Stages."""

    stages: list[StageView]

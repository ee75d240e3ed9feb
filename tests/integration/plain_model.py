"""The API's behaviour in plain words, which `test_model` compares with the API.

Written from the design alone: nothing of the layer decides here. It knows the small world of that test, which keeps it
plain: one integration, no companies, names whose split is known, addresses in two countries, lines told apart by SKU.
"""

from collections import Counter
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeGuard

ADMINISTRATOR, EDITOR, READER, WAREHOUSE = "administrator", "editor", "reader", "warehouse"
NEEDS_ATTENTION = "Needs Attention"
STAGES = (NEEDS_ATTENTION, "New", "Packing")
MARKETPLACE = "ATVPDKIKX0DER"
DO_NOT_TRANSFER, UPON_COMPLETION, NOW = (
    "Do Not Transfer to 3PL",
    "Transfer to 3PL Upon Completion",
    "Transfer to 3PL Now",
)
TRANSFERRED, WITH_ERRORS, PICKED = (
    "Transferred to 3PL for Picking",
    "Transferred to 3PL with Errors",
    "Picked by 3PL Successfully",
)
HANDED_OVER = (TRANSFERRED, WITH_ERRORS, PICKED)
BY_THE_CLOCK = {"by": "clock", "why": "retention", "reference": None}

KNOWN_STATUSES = {"UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED", "CANCELLED", "PENDING"}
BY_US = {"us", "person", "warehouse"}
# Amazon is asked for a held order again so many minutes after it was held.
ASKED_AFTER = (2, 5, 15, 60, 6 * 60, 24 * 60)
# These alerts tell of one change: it is told once, so they stay until somebody closes them, or the order is sent.
OF_ONE_CHANGE = {"ChangedAfterDispatch", "ChangedAfterHandOver"}

# Texts that say nothing, and the names of this world as first and last name.
BLANK = ("", " ", ".", "[Redacted]")
NAMES = {"Ada Quill": ("Ada", "Quill"), "Bea Stone": ("Bea", "Stone"), "Cher": ("", "Cher"), None: ("", "")}
# Without a country nobody knows what else an address of it needs.
NEEDED_PARTS = {
    "US": ("addressLine1", "city", "stateOrRegion", "postalCode"),
    "SG": ("addressLine1", "postalCode"),
    None: ("addressLine1", "city", "countryCode"),
}
ADDRESSES = ("deliveryAddress", "billingAddress")
UNITS = ("name", "email", *ADDRESSES, "lineItems")
FIELDS = ("firstName", "lastName", "email", *ADDRESSES, "lineItems")
# Their confirmation answers what Amazon says now, and not what it says next.
CANCEL, DOUBT = "buyerRequestedCancel", "fulfillmentUnknown"
CONFIRMABLE = {"firstName", "lastName", "email", CANCEL, DOUBT}

Address = dict[str, str]


class Refusal(Exception):
    """The answer is a problem with this status and code, and with the code of each field that is why."""

    def __init__(self, status: int, code: str, fields: dict[str, str] | None = None) -> None:
        super().__init__(status, code)
        self.status = status
        self.code = code
        self.fields = fields or {}


class Line(NamedTuple):
    """A line; `sent` and `left` are Amazon's numbers of units sent and to be sent, if it gives them."""

    id: str | None
    sku: str | None
    quantity: int
    asked: bool = False
    sent: int | None = None
    left: int | None = None


class SeenLine(NamedTuple):
    """A line that people see; nobody knows how many units are to be sent if `to_send` is None."""

    id: str | None
    sku: str | None
    quantity: int
    to_send: int | None


DIFFERS = "differsFromAmazon"


class Missing(NamedTuple):
    field: str
    reason: str
    parts: tuple[str, ...] = ()

    @property
    def kind(self) -> tuple[str, bool]:
        return self.field, self.reason == DIFFERS


class Decision(NamedTuple):
    """What a person decided. `is_special`: an implied stop, a dispatch said after the hand-over, a manual hold below"""

    by: str
    at: datetime
    what: Any
    is_special: bool = False


class Granted(NamedTuple):
    stage: str
    three_pl: str
    is_dispatched: bool
    at: datetime


class Parcel(NamedTuple):
    """What left, how it was then, and what people were told of it last."""

    lines: tuple[SeenLine, ...]
    left: Any
    told: Any


@dataclass(frozen=True)
class Facts:
    """Amazon's data of an order in one version of it; None stands for a field that it leaves out.

    `came_back` and `doubts` follow from the versions before: what Amazon called the order and does not call it any
    more, and how many times nobody knew whether the order is ours to send.
    """

    updated: datetime
    status: str | None = "UNSHIPPED"
    by_amazon: bool = False
    name: str | None = "Ada Quill"
    email: str | None = "ada@marketplace.example.com"
    delivery: Address | None = None
    tax: Address | None = None
    lines: tuple[Line, ...] | None = None
    came_back: str | None = None
    doubts: int = 0

    def said(self) -> "Facts":
        """Without texts that say nothing."""
        return replace(
            self,
            name=said(self.name),
            email=said(self.email),
            delivery=said_parts(self.delivery or {}) or None,
            tax=said_parts(self.tax or {}) or None,
        )

    def answered(self) -> dict[str, Any]:
        """An answer of Amazon's that says all of this again."""
        ours = ("updated", "came_back", "doubts")
        return {name: value for name, value in vars(self).items() if name not in ours}

    @property
    def doubt(self) -> tuple[str | None, str | None] | None:
        """Why nobody knows whether the order is ours to send."""
        unknown = self.status if self.status not in KNOWN_STATUSES else ""
        return (unknown, self.came_back) if unknown != "" or self.came_back else None

    @property
    def asked_to_cancel(self) -> set[str | None]:
        return {line.id for line in self.lines or () if line.asked and line.quantity}


def said(text: str | None) -> str | None:
    return None if text in BLANK else text


def said_parts(address: Address) -> Address:
    return {part: text for part, text in address.items() if said(text)}


@dataclass
class Order:
    """An order as it stands. The last fields are never shown; a write that changes them counts all the same.

    `held_since` is the hold of a verdict: with `was_judged` it says whether the order is new, held or let go.
    """

    facts: Facts
    created: datetime
    ship_by: datetime
    deliver_by: datetime
    pending_since: datetime | None
    revision: int = 1
    edits: dict[str, Any] = field(default_factory=dict)
    confirmed: list[str] = field(default_factory=list)
    was_judged: bool = False
    held_since: datetime | None = None
    held_after_release: bool = False
    stage_decision: Decision | None = None
    three_pl_decision: Decision | None = None
    dispatch_decision: Decision | None = None
    hold_decision: Decision | None = None
    missing: list[Missing] = field(default_factory=list)
    missing_since: dict[tuple[str, bool], datetime] = field(default_factory=dict)
    accepted: list[Missing] = field(default_factory=list)
    override: dict[str, Any] | None = None
    stage: str | None = None
    three_pl: str = DO_NOT_TRANSFER
    dispatched_by: str | None = None
    dispatched_at: datetime | None = None
    is_void: bool = False
    redacted_at: datetime | None = None
    redaction: dict[str, Any] | None = None
    warehouse_error: str | None = None
    alerts: list[str] = field(default_factory=list)
    closed_alerts: list[tuple[str, str, datetime]] = field(default_factory=list)
    told: set[tuple[Any, ...]] = field(default_factory=set)
    assigned_to: str | None = None
    comment: str | None = None
    ask_amazon_at: datetime | None = None
    word: str | None = None  # the last one that people got about its ship-by
    granted: Granted | None = None
    settled: dict[str, Any] = field(default_factory=dict)
    news: list[str] = field(default_factory=list)
    confirmed_doubt: int | None = None
    answered: list[str | None] = field(default_factory=list)
    parcel: Parcel | None = None
    may_leave_by_verdict: bool = False
    status_at_verdict: str | None = None

    @property
    def is_handed_over(self) -> bool:
        return self.three_pl in HANDED_OVER

    @property
    def is_held(self) -> bool:
        """By a verdict or a person, be it that something hides it."""
        return self.held_since is not None or self.hold_decision is not None

    @property
    def hold(self) -> str | None:
        """The hold that people see."""
        if self.stage != NEEDS_ATTENTION:
            return None
        if self.hold_decision:
            return "snoozed" if self.hold_decision.what else "manual"
        return "missing"

    @property
    def held_at(self) -> datetime | None:
        if not self.hold:
            return None
        return self.held_since or (self.hold_decision.at if self.hold_decision else None)

    @property
    def open_missing(self) -> list[Missing]:
        return [one for one in self.missing if one.reason != DIFFERS and not self.accepts(one)]

    @property
    def differences(self) -> list[Missing]:
        return [one for one in self.missing if one.reason == DIFFERS]

    @property
    def is_incomplete(self) -> bool:
        return bool(self.open_missing or self.differences)

    def accepts(self, missing: Missing) -> bool:
        return any(one[:2] == missing[:2] and set(missing.parts) <= set(one.parts) for one in self.accepted)

    @property
    def is_reported_sent(self) -> bool:
        """Somebody said after the hand-over that it was sent."""
        decided = self.dispatch_decision
        return bool(decided and decided.what and decided.is_special)

    @property
    def is_really_dispatched(self) -> bool:
        return self.dispatched_by in BY_US and (self.three_pl == DO_NOT_TRANSFER or self.is_reported_sent)

    @property
    def stop(self) -> Decision | None:
        """The decision of a person that stops it."""
        decided, sent = self.three_pl_decision, self.dispatch_decision
        stops = [decided] if decided and decided.what == DO_NOT_TRANSFER else []
        stops += [sent] if sent and not sent.what else []
        return max(stops, key=lambda stop: stop.at, default=None)

    @property
    def may_leave(self) -> bool:
        """Nothing in the order itself keeps it here, whatever its 3PL Status is."""
        if self.pending_since or self.stage == NEEDS_ATTENTION or self.is_incomplete:
            return False
        is_closed = self.is_void or self.redacted_at or self.is_handed_over or self.facts.by_amazon
        return not is_closed and self.facts.status not in ("SHIPPED", "PENDING", "CANCELLED")

    @property
    def is_transferable(self) -> bool:
        is_due = self.three_pl == NOW or (self.three_pl == UPON_COMPLETION and self.dispatched_at is not None)
        return self.may_leave and is_due

    @property
    def is_fulfillable(self) -> bool:
        return self.is_transferable or (self.may_leave and self.dispatched_by in BY_US)

    @property
    def status(self) -> str:
        if self.is_void:
            return "Void"
        if self.dispatched_at:
            return "Dispatched"
        return "Draft" if self.facts.status == "PENDING" else "Open"

    @property
    def is_to_be_sent(self) -> bool:
        is_sent = self.is_void or self.dispatched_at or self.three_pl in (TRANSFERRED, PICKED)
        return not (is_sent or self.facts.by_amazon)


# The order as people see it, and its gaps -----------------------------------------------------------------------------


class Seen(NamedTuple):
    name: tuple[str, str]
    email: str | None
    delivery: Address | None
    billing: Address | None
    lines: tuple[SeenLine, ...]


def tax_address(facts: Facts) -> Address | None:
    """Amazon's billing address, if it has a street."""
    return facts.tax if facts.tax and "addressLine1" in facts.tax else None


def seen(order: Order, settings: dict[str, Any]) -> Seen:
    """What people typed lies over Amazon's data, part by part; typed lines replace Amazon's."""
    facts, edits = order.facts, order.edits
    delivery = laid_over(facts.delivery, edits.get("deliveryAddress"))
    copied = delivery if settings["billingAddress"] == "copyDelivery" else None
    return Seen(
        name=seen_name(order),
        email=edits.get("email", facts.email),
        delivery=delivery,
        billing=laid_over(tax_address(facts) or copied, edits.get("billingAddress")),
        lines=seen_lines(order),
    )


def cells_of(view: Seen) -> dict[str, str]:
    """The cells of a sheet that people fill in, as they are exported."""
    first, last = view.name
    addresses = (("deliveryAddress", view.delivery), ("billingAddress", view.billing))
    parts = {
        f"{name}.{part}": (address or {}).get(part, "")
        for name, address in addresses
        for part in ("addressLine1", "city", "stateOrRegion", "postalCode", "countryCode")
    }
    return {"firstName": first, "lastName": last, "email": view.email or "", **parts}


def seen_name(order: Order) -> tuple[str, str]:
    typed, (first, last) = order.edits.get("name", {}), NAMES[order.facts.name]
    return typed.get("firstName", first), typed.get("lastName", last)


def laid_over(amazons: Address | None, typed: Address | None) -> Address | None:
    """A blank part was blanked by a person. An address may lose all of its parts like that."""
    return amazons if typed is None else said_parts({**(amazons or {}), **typed})


def seen_lines(order: Order) -> tuple[SeenLine, ...]:
    facts = order.facts
    is_partly_sent = facts.status == "PARTIALLY_SHIPPED" or any(map(is_counted_down, facts.lines or ()))
    if "lineItems" in order.edits:
        # A typed line is none of Amazon's: nobody knows whether it was among what was sent.
        lines = [(line, None if is_partly_sent else line.quantity) for line in order.edits["lineItems"]]
    else:
        lines = [(line, left_of(line, facts)) for line in facts.lines or ()]
    return tuple(SeenLine(line.id, line.sku, line.quantity, to_send) for line, to_send in lines if line.quantity)


def is_counted_down(line: Line) -> bool:
    return bool(line.sent) or (line.left is not None and line.quantity > line.left)


def left_of(line: Line, facts: Facts) -> int | None:
    if line.left is not None:
        return line.left
    if line.sent is not None:
        return max(line.quantity - line.sent, 0)
    return None if facts.status == "PARTIALLY_SHIPPED" else line.quantity


def what_is_missing(order: Order, settings: dict[str, Any]) -> list[Missing]:
    view, facts = seen(order, settings), order.facts
    found = [] if facts.by_amazon else missing_of_the_buyer(view, settings)
    found += missing_lines(view, is_amazons=facts.by_amazon)
    if not facts.by_amazon and not facts.asked_to_cancel <= set(order.answered):
        found.append(Missing(CANCEL, "asked"))
    if not facts.by_amazon and facts.doubt and order.confirmed_doubt != facts.doubts:
        found.append(Missing(DOUBT, "cameBack" if facts.came_back else "unknownStatus"))
    for_ever = set(order.confirmed) - {CANCEL, DOUBT}
    return [missing for missing in found if missing.field not in for_ever]


def missing_of_the_buyer(view: Seen, settings: dict[str, Any]) -> list[Missing]:
    first, last = view.name
    of_a_blank_name = "singleWord" if first or last else "blank"
    found = [Missing("firstName", of_a_blank_name)] if not first else []
    found += [Missing("lastName", of_a_blank_name)] if not last else []
    if settings["checks"]["email"]:
        if not view.email:
            found.append(Missing("email", "blank"))
        elif "@" not in view.email:
            found.append(Missing("email", "notAnAddress"))
    for name, address in (("deliveryAddress", view.delivery), ("billingAddress", view.billing)):
        if not address:
            found.append(Missing(name, "blank"))
        elif parts := tuple(part for part in NEEDED_PARTS[address.get("countryCode")] if part not in address):
            found.append(Missing(name, "incomplete", parts))
    return found


def missing_lines(view: Seen, *, is_amazons: bool) -> list[Missing]:
    """A line of which nothing is left to send is not picked; it counts where Amazon itself picks."""
    to_pick = [line for line in view.lines if is_amazons or line.to_send != 0]
    if not to_pick:
        return [Missing("lineItems", "blank")]
    is_unclear = any(line.sku is None or (line.to_send is None and not is_amazons) for line in to_pick)
    return [Missing("lineItems", "noProduct")] if is_unclear else []


def what_amazon_lacks(order: Order, settings: dict[str, Any]) -> list[Missing]:
    """The fields that would be missing if nobody had typed, answered or confirmed anything."""
    return what_is_missing(replace(order, edits={}, confirmed=[], confirmed_doubt=None, answered=[]), settings)


# Typed parts that Amazon says otherwise -------------------------------------------------------------------------------


def places_of(unit: str, typed: Any) -> set[str]:
    """Where a typed value and Amazon's are compared: the whole name, the lines, each part of an address."""
    return {f"{unit}.{part}" for part in typed} if unit in ADDRESSES else {unit}


def words(text: str | None) -> str:
    """As texts are compared."""
    return (text or "").casefold()


def amazons_words(facts: Facts) -> dict[str, Any]:
    addresses = {"deliveryAddress": facts.delivery or {}, "billingAddress": tax_address(facts) or {}}
    goods = sorted((line.quantity, line.sku or "") for line in facts.lines or () if line.quantity)
    return {
        "name": words(facts.name),
        "email": words(facts.email),
        **{f"{unit}.{part}": words(text) for unit, address in addresses.items() for part, text in address.items()},
        "lineItems": str(goods) if goods else "",
    }


def says_the_same(order: Order, place: str, amazons: Any) -> bool:
    unit, _, part = place.partition(".")
    typed = order.edits[unit]
    if unit == "lineItems":
        return goods_of(typed) == goods_of(order.facts.lines or ())
    if unit == "name":
        return bool(words(" ".join(filter(None, seen_name(order)))) == amazons)
    return bool(words(typed[part] if part else typed) == amazons)


def goods_of(lines: Iterable[Line]) -> Counter[str | None]:
    goods = Counter[str | None]()
    for line in lines:
        goods[line.sku] += line.quantity
    return +goods


def said_otherwise(order: Order) -> dict[str, Any]:
    """The places of typed values, with Amazon's words where it says something else."""
    amazons = amazons_words(order.facts)
    typed = sorted(place for unit, value in order.edits.items() for place in places_of(unit, value))
    return {
        place: amazons[place]
        for place in typed
        if amazons.get(place) and not says_the_same(order, place, amazons[place])
    }


def unsettled(order: Order) -> list[str]:
    return [
        place
        for place, now in said_otherwise(order).items()
        if place in order.news or now != order.settled.get(place, "")
    ]


def as_missing(order: Order, places: Iterable[str]) -> list[Missing]:
    found: dict[str, tuple[str, ...]] = {}
    for place in places:
        name, _, part = place.partition(".")
        if name == "name":
            name = "firstName" if "lastName" not in order.edits["name"] else "lastName"
        found[name] = (*found.get(name, ()), *([part] if part else ()))
    return [Missing(name, DIFFERS, found[name]) for name in FIELDS if name in found]


def settle(order: Order, places: Iterable[str]) -> None:
    """A person knows what Amazon says there: it is no news any more."""
    amazons = amazons_words(order.facts)
    known = {place: amazons.get(place, "") for place in places}
    order.settled = order.settled | known
    order.news = [place for place in order.news if place not in known]


def forget_what_is_settled(order: Order, unit: str) -> None:
    """Of a unit, where nothing is typed any more."""
    typed = places_of(unit, order.edits[unit]) if unit in order.edits else set()
    order.settled = {
        place: now for place, now in order.settled.items() if place.partition(".")[0] != unit or place in typed
    }


def is_about_the_parcel(place: str) -> bool:
    return place.partition(".")[0] in ("name", "deliveryAddress", "lineItems")


# The verdict ----------------------------------------------------------------------------------------------------------


def may_leave(order: Order, settings: dict[str, Any]) -> bool:
    live_since = settings["goLiveDate"]
    return not settings["trialMode"] and (live_since is None or order.created >= datetime.fromisoformat(live_since))


def judge(order: Order, settings: dict[str, Any], now: datetime) -> None:
    """The table of the design, row by row, and what is noted down with each verdict."""
    if order.dispatched_by == "amazon" and order.facts.status != "SHIPPED" and not order.is_handed_over:
        order.dispatched_by = order.dispatched_at = None
    was_held, since = order.held_since is not None, order.missing_since
    dispatched_by, dispatched_at = order.dispatched_by, order.dispatched_at
    parcel, order.parcel = order.parcel, None
    order.pending_since = None
    causes = decide(order, settings, parcel, now)
    order.dispatched_at = dispatched_at if order.dispatched_by == dispatched_by else None
    order.dispatched_at = time_of_dispatch(order, now) if order.dispatched_by else None
    order.missing_since = {one.kind: since.get(one.kind, now) for one in order.missing}
    order.status_at_verdict, order.may_leave_by_verdict = order.facts.status, may_leave(order, settings)
    sound(order, causes, settings)
    if order.hold != "missing" or all(one.field == CANCEL for one in what_amazon_lacks(order, settings)):
        order.ask_amazon_at = None
    elif order.ask_amazon_at is None or not was_held:
        order.ask_amazon_at = next_asked(order, now)


def next_asked(order: Order, now: datetime) -> datetime | None:
    assert order.held_since
    times = (order.held_since + timedelta(minutes=minutes) for minutes in ASKED_AFTER)
    return next((time for time in times if time > now), None)


def time_of_dispatch(order: Order, now: datetime) -> datetime:
    if order.dispatched_at:
        return order.dispatched_at
    if order.dispatched_by == "person" and order.dispatch_decision:
        when: datetime = order.dispatch_decision.what
        return when
    return order.granted.at if order.dispatched_by == "us" and order.granted else now


def decide(order: Order, settings: dict[str, Any], parcel: Parcel | None, now: datetime) -> list[str]:
    """The first row that fits; answers what people must be told."""
    status, missing, differing = order.facts.status, what_is_missing(order, settings), unsettled(order)
    if order.redacted_at:
        close(order, settings)
        order.hold_decision, order.was_judged = None, True
    elif order.is_handed_over:
        return once_handed_over(order, settings, parcel, missing, differing)
    elif order.is_void:
        order.missing = []
        return once_void(order)
    elif status == "CANCELLED":
        close(order, settings)
        order.is_void = order.was_judged = True
        return once_void(order)
    elif status == "SHIPPED":
        if order.is_really_dispatched:
            order.parcel = told_of(order, parcel, settings)
        close(order, settings)
        order.dispatched_by = order.dispatched_by or "amazon"
    elif order.is_really_dispatched:
        changed = [place for place in differing if place in order.news]
        order.missing = missing + as_missing(order, changed)
        return once_dispatched(order, settings, parcel, missing, differing)
    elif status == "PENDING":
        order.missing, order.stage, order.three_pl, order.dispatched_by = [], None, DO_NOT_TRANSFER, None
    elif order.facts.by_amazon and all(map(order.accepts, missing)) and not order.hold_decision:
        close(order, settings)
        order.missing, order.dispatched_by = missing, None
    else:
        return decide_what_is_ours(order, settings, missing, differing, now)
    return []


def decide_what_is_ours(
    order: Order, settings: dict[str, Any], missing: list[Missing], differing: list[str], now: datetime
) -> list[str]:
    """It goes by itself only if Amazon's own data is complete, and says what people typed."""
    needs_nobody = not (missing or differing or what_amazon_lacks(order, settings))
    is_complete = all(map(order.accepts, missing))
    is_changed = any(place in order.news for place in differing)
    is_let_go = order.was_judged and not order.held_since
    order.missing = missing + as_missing(order, differing)
    if order.hold_decision:
        put_into_needs_attention(order)
    elif not is_let_go and needs_nobody:
        order.missing, order.was_judged, order.held_since = missing, True, None
        order.granted = defaults(order, settings, now)
        show(order, order.granted, settings)
    elif is_let_go and is_complete and not is_changed:
        order.missing = missing
        show(order, order.granted or defaults(order, settings, now), settings)
        return ["DiffersFromAmazon"] if any(map(is_about_the_parcel, differing)) else []
    else:
        order.held_after_release = is_let_go or (order.held_after_release and order.held_since is not None)
        order.was_judged, order.held_since = True, order.held_since or now
        put_into_needs_attention(order)
    return []


def close(order: Order, settings: dict[str, Any]) -> None:
    """Nothing is ours to do, and no dispatch waits any more. Should it come back, what was held is new."""
    order.missing = []
    if order.dispatched_by in BY_US and order.three_pl in (UPON_COMPLETION, NOW):
        order.dispatched_by = None
    if order.held_since:
        order.held_since, order.was_judged = None, False
    granted = order.granted.stage if order.granted else settings["defaultStage"]
    order.stage = order.stage_decision.what if order.stage_decision else granted
    order.three_pl = order.three_pl if order.is_handed_over else DO_NOT_TRANSFER


def put_into_needs_attention(order: Order) -> None:
    order.stage, order.three_pl, order.dispatched_by = NEEDS_ATTENTION, DO_NOT_TRANSFER, None


def defaults(order: Order, settings: dict[str, Any], now: datetime) -> Granted:
    is_dispatched = settings["autoDispatchOrders"] and may_leave(order, settings)
    return Granted(settings["defaultStage"], settings["defaultThreePlStatus"], is_dispatched, now)


def show(order: Order, granted: Granted, settings: dict[str, Any]) -> None:
    """What people decided, else what was granted."""
    order.stage = order.stage_decision.what if order.stage_decision else granted.stage
    order.three_pl = decided_or_granted(order, granted)
    # A partly shipped order is not dispatched by itself, and nor is what a person stopped.
    is_kept = order.facts.status == "PARTIALLY_SHIPPED" or order.stop is not None
    order.dispatched_by = "us" if granted.is_dispatched and not is_kept else None
    if order.dispatch_decision:
        order.dispatched_by = "person" if order.dispatch_decision.what else None
    if order.is_really_dispatched:
        order.parcel = parcel_of(order, settings)


def decided_or_granted(order: Order, granted: Granted) -> str:
    """The 3PL Status. Only a person sends the rest of a partly shipped order, or what he said was not sent."""
    if order.three_pl_decision:
        chosen: str = order.three_pl_decision.what
        return chosen
    is_not_sent = order.dispatch_decision is not None and not order.dispatch_decision.what
    is_kept = order.facts.status == "PARTIALLY_SHIPPED" or (is_not_sent and granted.three_pl == NOW)
    return DO_NOT_TRANSFER if is_kept else granted.three_pl


# What people must be told ---------------------------------------------------------------------------------------------


def once_void(order: Order) -> list[str]:
    if order.facts.status != "CANCELLED":
        return ["CameBack"]
    return ["CancelledAfterDispatch"] if order.dispatched_by in BY_US else []


def once_handed_over(
    order: Order, settings: dict[str, Any], parcel: Parcel | None, missing: list[Missing], differing: list[str]
) -> list[str]:
    is_shipped = order.facts.status == "SHIPPED"
    if is_shipped and not order.is_reported_sent:
        order.dispatched_by = "amazon"
    causes = {
        "CancelledAfterHandOver": order.facts.status == "CANCELLED",
        "CancelRequestedAfterHandOver": any(one.field == CANCEL for one in missing),
        "ChangedAfterHandOver": is_news(order, parcel, settings),
        "DiffersFromAmazon": any(map(is_about_the_parcel, differing)),
        "CameBack": Missing(DOUBT, "cameBack") in missing,
    }
    order.parcel = told_of(order, parcel, settings)
    return [] if is_shipped or order.is_reported_sent else [name for name, applies in causes.items() if applies]


def once_dispatched(
    order: Order, settings: dict[str, Any], parcel: Parcel | None, missing: list[Missing], differing: list[str]
) -> list[str]:
    open_missing = {one.field for one in missing if not order.accepts(one)}
    causes = {
        "IncompleteAfterDispatch": bool(open_missing - {CANCEL, DOUBT}),
        "CancelRequestedAfterDispatch": CANCEL in open_missing,
        "ChangedAfterDispatch": is_news(order, parcel, settings),
        "DiffersFromAmazon": any(map(is_about_the_parcel, differing)),
        "CameBack": Missing(DOUBT, "cameBack") in missing,
    }
    order.parcel = told_of(order, parcel, settings)
    return [name for name, applies in causes.items() if applies]


def sound(order: Order, causes: list[str], settings: dict[str, Any]) -> None:
    """An alert ends with its cause, one of a single change when it is closed, and all once the order is sent.

    Each piece of news is told once, as long as it goes on.
    """
    if order.redacted_at or is_sent(order):
        order.alerts, order.closed_alerts, order.told = [], [], set()
        return
    news = bad_news(order, settings)
    hidden = [about(name, order.told) for name in order.alerts if name not in causes]
    known = (order.told & news).difference(*hidden)
    still = [name for name in order.alerts if name in causes or name in OF_ONE_CHANGE]
    new = [name for name in causes if name in OF_ONE_CHANGE or about(name, news - known)]
    order.alerts = still + [name for name in new if name not in still]
    order.told = known.union(*(about(name, news) for name in causes))
    order.closed_alerts = [
        one for one in order.closed_alerts if one[0] not in order.alerts and about(one[0], order.told)
    ]


def is_sent(order: Order) -> bool:
    return (order.facts.status == "SHIPPED" and not order.is_void) or (order.is_handed_over and order.is_reported_sent)


def bad_news(order: Order, settings: dict[str, Any]) -> set[tuple[Any, ...]]:
    """In pieces, each with the first word of the alerts that tell of it."""
    missing = [one for one in what_is_missing(order, settings) if not order.accepts(one)]
    is_cancelled = order.facts.status == "CANCELLED"
    came_back = not is_cancelled if order.is_void else Missing(DOUBT, "cameBack") in missing
    news: set[tuple[Any, ...]] = {("Cancelled",)} if is_cancelled else set()
    if came_back:
        news.add(("CameBack", order.facts.doubts))
    for one in missing:
        if one.field == CANCEL:
            news |= {("CancelRequested", line) for line in order.facts.asked_to_cancel - set(order.answered)}
        elif one.field != DOUBT:
            news |= {("Incomplete", one.field, part) for part in one.parts or ("",)}
    words = said_otherwise(order)
    return news | {
        ("DiffersFromAmazon", place, str(words[place])) for place in unsettled(order) if is_about_the_parcel(place)
    }


def about(alert: str, news: set[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    return {piece for piece in news if piece[0] == alert.partition("After")[0]}


def parcel_of(order: Order, settings: dict[str, Any]) -> Parcel:
    view = seen(order, settings)
    lines = tuple(line for line in view.lines if line.to_send)
    news = news_of(view, lines)
    return Parcel(lines, news, news)


def told_of(order: Order, parcel: Parcel | None, settings: dict[str, Any]) -> Parcel | None:
    if order.redacted_at:
        return None
    now = parcel._replace(told=news_of(seen(order, settings), parcel.lines)) if parcel else parcel_of(order, settings)
    return now._replace(told=now.left) if is_sent(order) else now


def is_news(order: Order, parcel: Parcel | None, settings: dict[str, Any]) -> bool:
    return parcel is not None and news_of(seen(order, settings), parcel.lines) != parcel.told


def news_of(view: Seen, taken: tuple[SeenLine, ...]) -> Any:
    """The destination, and how the goods differ from those that left. A lower number is what Amazon counts down."""
    where = {part: words(text) for part, text in (view.delivery or {}).items()}
    now, then = Counter[Any](), Counter[Any]()
    for lines, goods in ((view.lines, now), (taken, then)):
        for line in lines:
            goods[line.id, line.sku] += line.quantity
    differing = {one: number for one, number in now.items() if number > then[one]}
    return words(" ".join(filter(None, view.name))), where, differing, {one for one in then if not now[one]}


# The acts of people, the warehouse, Amazon and the clock --------------------------------------------------------------


class PlainModel:
    """The orders, the settings and the freezes."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.orders: dict[str, Order] = {}
        self.frozen: set[str] = set()
        # When the clock looks again at an order of which people need no word yet, and whether it was held then.
        self.put_off: dict[str, tuple[datetime, bool]] = {}
        self.own_settings: dict[str, Any] = {
            "defaultStage": "New",
            "defaultThreePlStatus": UPON_COMPLETION,
            "autoDispatchOrders": False,
            "trialMode": False,
            "goLiveDate": None,
            "checks": {"email": True},
            "billingAddress": "copyDelivery",
        }
        self.overrides: dict[str, dict[str, Any]] = {}

    @property
    def settings(self) -> dict[str, Any]:
        """Those of every order: all are of one marketplace."""
        overrides = self.overrides.get(MARKETPLACE, {})
        checks = self.own_settings["checks"] | overrides.get("checks", {})
        return self.own_settings | overrides | {"checks": checks}

    # Administrators

    def change_settings(self, role: str, changes: dict[str, Any]) -> None:
        self._must_be(role, ADMINISTRATOR)
        for marketplace_id, overrides in changes.get("marketplaces", {}).items():
            known = {} if overrides is None else self.overrides.get(marketplace_id, {}) | overrides
            self.overrides[marketplace_id] = {name: value for name, value in known.items() if value is not None}
        self.own_settings |= {name: value for name, value in changes.items() if name != "marketplaces"}

    def freeze(self, role: str, what: str) -> None:
        self._must_be(role, ADMINISTRATOR)
        self.frozen.add(what)

    def unfreeze(self, role: str, what: str) -> None:
        self._must_be(role, ADMINISTRATOR)
        self.frozen.discard(what)

    # Amazon, the stream and the clock

    def download(self, order_id: str, sent: Facts, created: datetime, ship_by: datetime, deliver_by: datetime) -> None:
        """A newer version is laid over what is known: absence never erases."""
        sent, before = sent.said(), self.orders.get(order_id)
        if before is None:
            if sent.status != "PENDING":
                order = Order(sent, created, ship_by, deliver_by, pending_since=self.now)
                if is_to_be_redacted(order, self.now):
                    order.facts, order.redacted_at, order.redaction = bare(sent), self.now, BY_THE_CLOCK
                self.orders[order_id] = order
            return
        if sent.updated < before.facts.updated:
            return
        merged = merged_facts(before.facts, sent)
        if before.redacted_at:
            merged = bare(merged)
        if merged == before.facts:
            return
        order = replace(before, facts=merged, revision=before.revision + 1)
        order.news = news_for(before, order)
        is_touched = replace(merged, updated=before.facts.updated) == before.facts
        stands = is_touched and self._judged(order) == order
        self.orders[order_id] = order if stands else replace(order, pending_since=self.now)

    def validate(self, order_id: str, revision: int) -> None:
        """The stream brings an order as it was written; one that was changed since is somebody else's to judge."""
        order = self.orders[order_id]
        if order.revision == revision and order.pending_since:
            self._land(order_id, self._judged(order))

    def clock_runs(self) -> None:
        """It does one thing that is due for each order."""
        for order_id, before in list(self.orders.items()):
            order = deepcopy(before)
            if is_to_be_redacted(order, self.now):
                self._redact(order)
            elif (snooze := order.hold_decision) and snooze.what and snooze.what <= self.now:
                beneath = snooze._replace(what=None, is_special=False)
                order.hold_decision = beneath if snooze.is_special else None
                judge(order, self.settings, self.now)
                order.ask_amazon_at = order.ask_amazon_at and self.now
            elif order.pending_since and order.pending_since + timedelta(minutes=10) <= self.now:
                order.pending_since = self.now  # asked for again
            else:
                self._watch_deadline(order_id, order)
            self._land(order_id, order)

    def _watch_deadline(self, order_id: str, order: Order) -> None:
        """People get a word a day before the ship-by and one after it, of an order that is held or goes nowhere."""
        at_risk = order.ship_by - timedelta(days=1)
        if self.now < (order.ship_by if order.word == "atRisk" else at_risk) or order.word == "overdue":
            return
        again, was_held = self.put_off.get(order_id, (self.now, order.is_held))
        if not self._waits_here(order) or (was_held == order.is_held and self.now < again):
            return
        late = self.now - order.ship_by
        if order.hold or self.goes_nowhere(order):
            order.word = "atRisk" if late < timedelta() else "overdue"
            self.put_off.pop(order_id, None)
        elif late < timedelta() and not order.is_held:
            self.put_off[order_id] = (order.ship_by, False)
        else:
            wait = min(max(late, timedelta(hours=1)), timedelta(days=1))
            self.put_off[order_id] = (self.now + wait, order.is_held)

    @staticmethod
    def _waits_here(order: Order) -> bool:
        is_over = order.redacted_at or order.facts.status in ("SHIPPED", "PENDING") or order.pending_since
        return order.is_to_be_sent and not is_over and not order.is_fulfillable

    def goes_nowhere(self, order: Order) -> bool:
        """Complete and ours to send, and yet nobody sends it."""
        is_late = self.now >= order.ship_by
        if order.hold or not self._waits_here(order) or not self._is_open(order):
            return False
        if order.three_pl == WITH_ERRORS:
            return is_late
        if order.is_incomplete:
            return False
        is_implied = order.stop is not None and order.stop is order.three_pl_decision and order.stop.is_special
        is_decided = order.stop is not None and not is_implied
        is_default = self.settings["defaultThreePlStatus"] == DO_NOT_TRANSFER
        return is_late or (order.three_pl == DO_NOT_TRANSFER and not is_default and not is_decided)

    def _redact(self, order: Order, request: dict[str, Any] | None = None) -> None:
        order.facts, order.redacted_at = bare(order.facts), self.now
        order.redaction = request or BY_THE_CLOCK
        order.edits, order.settled, order.news = {}, {}, []
        order.confirmed, order.confirmed_doubt, order.answered = [], None, []
        order.assigned_to = order.comment = order.warehouse_error = order.parcel = None
        if order.override:
            order.override = order.override | {"reason": "[redacted]"}
        judge(order, self.settings, self.now)

    # People

    def patch(self, role: str, order_id: str, body: dict[str, Any], if_match: int | None) -> None:
        self._must_be(role, EDITOR, ADMINISTRATOR)
        self._check_patch(role, body)
        order = deepcopy(self._found(order_id, if_match))
        self._check_what_is_wanted(body)
        if order.redacted_at and (body.get("comment") is not None or body.get("assignedTo") is not None):
            raise Refusal(409, "redacted")
        if "assignedTo" in body:
            order.assigned_to = body["assignedTo"]
        if "comment" in body:
            order.comment = body["comment"]
        self._close_alerts(role, order, body.get("closeAlerts", ()))
        typed = self._what_is_typed(order, body)
        if typed or body.get("keepTyped") or "confirmed" in body:
            if order.redacted_at:
                raise Refusal(409, "redacted")
            self._stop_first(role, order, body)
            self._edit(order, typed, body)
        elif not asks_for_something(body):
            self._land(order_id, order)
            return
        self._land(order_id, self._gone_through_the_gate(role, order, body))

    def fill_in(self, role: str, order_id: str, cells: dict[str, str], revision: int | None) -> None:
        """A row of a sheet: what a cell says otherwise than it was exported is typed; an empty one says nothing."""
        self._must_be(role, EDITOR, ADMINISTRATOR)
        order = self._found(order_id, revision)
        kept, taken = (cells.get(column, "").split() for column in ("keepTyped", "takeAmazons"))
        body: dict[str, Any] = {}
        for cell, exported in cells_of(seen(order, self.settings)).items():
            written, (unit, _, part) = cells.get(cell, "").strip(), cell.partition(".")
            if written not in ("", exported):
                body[unit] = body.get(unit, {}) | {part: written} if part else written
        if not set(kept + taken) <= {*UNITS}:
            raise Refusal(422, "invalid")
        amazons = [field for unit in taken for field in (("firstName", "lastName") if unit == "name" else (unit,))]
        if set(kept) & set(taken) or body.keys() & set(amazons):
            raise Refusal(422, "invalid")
        body |= dict.fromkeys(amazons)
        self.patch(role, order_id, body | ({"keepTyped": kept} if kept else {}), revision)

    def _edit(self, order: Order, typed: dict[str, Any], body: dict[str, Any]) -> None:
        judge(order, self.settings, self.now)
        for unit, value in typed.items():
            lay_over(order, unit, value)
        settle(order, [place for place in unsettled(order) if place.partition(".")[0] in body.get("keepTyped", ())])
        if "confirmed" in body:
            confirm(order, list(dict.fromkeys(body["confirmed"] or ())))
        order.news = [place for place in order.news if place in unsettled(order)]
        judge(order, self.settings, self.now)

    def _close_alerts(self, role: str, order: Order, names: Iterable[str]) -> None:
        closed = [(name, by(role), self.now) for name in order.alerts if name in names]
        again = {name for name, *_ in closed}
        order.alerts = [name for name in order.alerts if name not in again]
        order.closed_alerts = [one for one in order.closed_alerts if one[0] not in again] + closed

    def release(self, role: str, order_id: str, body: dict[str, Any], if_match: int | None) -> None:
        self._must_be(role, EDITOR, ADMINISTRATOR)
        if "override" in body:
            self._must_be(role, ADMINISTRATOR)
        order = deepcopy(self._found(order_id, if_match))
        self._land(order_id, self._gone_through_the_gate(role, order, body | {"release": True}))

    def erase(self, role: str, order_id: str, body: dict[str, Any], if_match: int | None) -> None:
        self._must_be(role, ADMINISTRATOR)
        order = deepcopy(self._found(order_id, if_match))
        if order.redacted_at:
            return
        if order.is_to_be_sent and not body.get("evenIfUnsent"):
            raise Refusal(409, "unsent")
        self._redact(order, {"by": by(role), "why": "request", "reference": body["reference"]})
        self._land(order_id, order)

    def _check_patch(self, role: str, body: dict[str, Any]) -> None:
        malformed = {}
        if "@" not in (said(body.get("email")) or "@"):
            malformed["email"] = "notAnAddress"
        if set(body.get("confirmed") or ()) - CONFIRMABLE:
            malformed["confirmed.0"] = "notAllowed"
        if malformed:
            raise Refusal(422, "invalid", malformed)
        if "override" in body:
            self._must_be(role, ADMINISTRATOR)

    def _check_what_is_wanted(self, body: dict[str, Any]) -> None:
        if (body.get("stage") or "New") not in STAGES:
            raise Refusal(422, "invalid", {"stage": "unknownStage"})
        if is_time(body.get("fullyDispatched")) and at(body["fullyDispatched"]) > self.now:
            raise Refusal(422, "invalid", {"fullyDispatched": "inTheFuture"})
        if "snoozeUntil" in body and at(body["snoozeUntil"]) <= self.now:
            raise Refusal(422, "invalid", {"snoozeUntil": "inThePast"})
        if "override" in body and not (ends_hold(body) or lets_out(body)):
            raise Refusal(422, "invalid", {"override": "overridesNothing"})

    @staticmethod
    def _what_is_typed(order: Order, body: dict[str, Any]) -> dict[str, Any]:
        """The new value of each unit that is patched; None is Amazon's again, which is no change if nobody edited."""
        typed = dict[str, Any]()
        names: dict[str, str | None] = {name: body[name] for name in ("firstName", "lastName") if name in body}
        if names:
            typed["name"] = as_typed(names)
        if "email" in body:
            typed["email"] = None if body["email"] is None else said(body["email"]) or ""
        for unit in ADDRESSES:
            if unit in body:
                typed[unit] = body[unit] if body[unit] is None else as_typed(body[unit])
        if "lineItems" in body:
            lines = body["lineItems"]
            typed["lineItems"] = lines and tuple(Line(None, line.get("sellerSku"), line["quantity"]) for line in lines)
            typed["lineItems"] = () if lines == [] else typed["lineItems"]
        return {unit: value for unit, value in typed.items() if says_something(value) or unit in order.edits}

    def _gone_through_the_gate(self, role: str, order: Order, wish: dict[str, Any]) -> Order:
        """The order stopped as wished, judged, changed as wished, and judged again."""
        if not asks_for_something(wish):
            return self._judged(order)
        refuse_contradictions(wish)
        if order.is_handed_over:
            return self._after_the_hand_over(role, order, wish)
        was_held = order.is_held
        self._stop_first(role, order, wish)
        order = self._judged(order)
        self._take_back_decisions(order, wish)
        return self._sent_on(role, order, wish, was_held=was_held)

    # What stops an order

    def _stop_first(self, role: str, order: Order, wish: dict[str, Any]) -> None:
        """No pending verdict is faster than a stop."""
        if order.is_handed_over or not asks_for_something(wish):
            return
        refuse_contradictions(wish)
        refuse_if_closed(order)
        if wish.get("threePlStatus") == DO_NOT_TRANSFER:
            self._do_not_transfer(role, order)
        if wish.get("fullyDispatched") is False:
            order.dispatch_decision = Decision(by(role), self.now, None)
            if order.three_pl_decision and order.three_pl_decision.what == NOW:
                order.three_pl_decision = None
            undo_dispatch(order)
        if holds(wish):
            self._put_on_hold(role, order, wish)

    def _do_not_transfer(self, role: str, order: Order) -> None:
        """A dispatch that only waits for its transfer is undone, also one that a hold hides."""
        if not order.is_really_dispatched:
            undo_dispatch(order)
            order.granted = order.granted and order.granted._replace(is_dispatched=False)
            if order.dispatch_decision and order.dispatch_decision.what:
                order.dispatch_decision = None
        order.three_pl_decision = Decision(by(role), self.now, DO_NOT_TRANSFER)
        order.three_pl = DO_NOT_TRANSFER

    def _put_on_hold(self, role: str, order: Order, wish: dict[str, Any]) -> None:
        if order.is_really_dispatched:
            raise Refusal(409, "alreadyDispatched")
        before = order.hold_decision
        if "snoozeUntil" in wish:
            until = at(wish["snoozeUntil"])
            if until > order.ship_by:
                raise Refusal(409, "pastShipBy")
            is_over_manual = before is not None and (before.what is None or before.is_special)
            order.hold_decision = Decision(by(role), self.now, until, is_over_manual)
        elif before is None or before.what:
            order.hold_decision = Decision(by(role), self.now, None)

    # What takes decisions back

    def _take_back_decisions(self, order: Order, wish: dict[str, Any]) -> None:
        """As if nobody had decided: an order let go gets the defaults of now."""
        was_open = order.was_judged and not order.is_held
        before = (order.stage_decision, order.three_pl_decision, order.dispatch_decision, order.hold_decision)
        if "stage" in wish and wish["stage"] is None:
            order.stage_decision = order.hold_decision = None
        if "threePlStatus" in wish and wish["threePlStatus"] is None:
            order.three_pl_decision = None
        if "fullyDispatched" in wish and wish["fullyDispatched"] is None:
            order.dispatch_decision = None
        after = (order.stage_decision, order.three_pl_decision, order.dispatch_decision, order.hold_decision)
        if before == after:
            return
        if was_open and not order.facts.by_amazon and order.facts.status != "PENDING":
            order.granted = defaults(order, self.settings, self.now)
            if order.is_really_dispatched and wish.get("fullyDispatched", "") is not None:
                order.stage = order.stage_decision.what if order.stage_decision else order.granted.stage
                order.three_pl = decided_or_granted(order, order.granted)
            else:
                undo_dispatch(order)
        judge(order, self.settings, self.now)

    # What sends an order

    def _sent_on(self, role: str, order: Order, wish: dict[str, Any], *, was_held: bool) -> Order:
        if not (ends_hold(wish) or lets_out(wish)):
            return order
        self._refuse_what_is_not_ours(order, wish)
        if order.is_held and not ends_hold(wish):
            raise Refusal(409, "held", reasons(order.open_missing))
        if "release" in wish and not order.is_held:
            if was_held:
                return order  # by the settings of now nothing is missing
            raise Refusal(409, "notHeld")
        if "override" in wish:
            self._override(role, order, wish["override"]["reason"])
        if order.open_missing:
            raise Refusal(409, "incomplete", reasons(order.open_missing))
        if order.differences:
            raise Refusal(409, "differsFromAmazon", reasons(order.differences))
        self._let_go(role, order, wish)
        return self._judged(order)

    @staticmethod
    def _refuse_what_is_not_ours(order: Order, wish: dict[str, Any]) -> None:
        if wish.get("threePlStatus") in HANDED_OVER:
            raise Refusal(409, "onlyTheWarehouse")
        if order.facts.status == "PENDING":
            raise Refusal(409, "draft")
        if order.facts.by_amazon and lets_out(wish):
            raise Refusal(409, "fulfilledByAmazon")
        dispatched = wish.get("fullyDispatched")
        if is_time(dispatched) and at(dispatched) < order.created:
            raise Refusal(409, "dispatchedBeforeOrdered")

    def _override(self, role: str, order: Order, reason: str) -> None:
        """The administrator accepts the gaps, and answers, confirms and settles what is there now."""
        if not order.is_incomplete:
            raise Refusal(409, "nothingToOverride")
        fields = list(dict.fromkeys(one.field for one in [*order.open_missing, *order.differences]))
        order.override = {"by": by(role), "at": text(self.now), "reason": reason, "fields": fields}
        answered = [one.field for one in order.open_missing if one.field in (CANCEL, DOUBT)]
        order.accepted = [*order.accepted, *(one for one in order.open_missing if one.field not in answered)]
        settle(order, unsettled(order))
        if answered:
            confirm(order, list(dict.fromkeys([*order.confirmed, *answered])))
        order.news = []
        judge(order, self.settings, self.now)

    def _let_go(self, role: str, order: Order, wish: dict[str, Any]) -> None:
        if wish.get("stage"):
            order.stage_decision = Decision(by(role), self.now, wish["stage"])
            order.stage = order.stage if order.is_held else wish["stage"]
        if wish.get("threePlStatus") in (UPON_COMPLETION, NOW):
            order.three_pl_decision = Decision(by(role), self.now, wish["threePlStatus"])
            order.three_pl = order.three_pl if order.is_held else wish["threePlStatus"]
            is_not_sent = order.dispatch_decision is not None and not order.dispatch_decision.what
            if wish["threePlStatus"] == NOW and is_not_sent:
                order.dispatch_decision = None
        if wish.get("fullyDispatched"):
            when = at(wish["fullyDispatched"]) if is_time(wish["fullyDispatched"]) else self.now
            order.dispatch_decision = Decision(by(role), self.now, when)
            if not order.is_held:
                order.dispatched_by, order.dispatched_at = "person", when
        if order.is_held:
            if not order.three_pl_decision and "release" not in wish:
                order.three_pl_decision = Decision(by(role), self.now, DO_NOT_TRANSFER, is_special=True)
            order.held_since = order.hold_decision = None
            order.was_judged = True
            order.granted = order.granted if order.facts.by_amazon else defaults(order, self.settings, self.now)

    # After the hand-over

    def _after_the_hand_over(self, role: str, order: Order, wish: dict[str, Any]) -> Order:
        order = self._judged(order)
        if order.redacted_at:
            raise Refusal(409, "redacted")
        if wish.get("threePlStatus") in HANDED_OVER:
            raise Refusal(409, "onlyTheWarehouse")
        if order.three_pl == WITH_ERRORS and wish.get("threePlStatus"):
            return self._back_from_the_warehouse(role, order, wish)
        is_only_dispatch = WISHES & wish.keys() == {"fullyDispatched"} and "override" not in wish
        if is_only_dispatch and wish["fullyDispatched"]:
            when = at(wish["fullyDispatched"]) if is_time(wish["fullyDispatched"]) else self.now
            return self._reported_sent(role, order, when, "person")
        if is_only_dispatch and wish["fullyDispatched"] is False and order.is_reported_sent:
            if order.facts.status == "SHIPPED":
                raise Refusal(409, "shipped")
            order.dispatch_decision = Decision(by(role), self.now, None)
            undo_dispatch(order)
            return self._judged(order)
        raise Refusal(409, "alreadyTransferred")

    def _reported_sent(self, role: str, order: Order, when: datetime, who: str) -> Order:
        if when < order.created:
            raise Refusal(409, "dispatchedBeforeOrdered")
        if not order.is_reported_sent:
            order.dispatch_decision = Decision(by(role), self.now, when, is_special=True)
            order.dispatched_by, order.dispatched_at = who, when
            judge(order, self.settings, self.now)
        return order

    def _back_from_the_warehouse(self, role: str, order: Order, wish: dict[str, Any]) -> Order:
        """The order is ours again. A dispatch that only waited for the transfer is undone."""
        refuse_if_closed(order)
        if order.is_reported_sent:
            raise Refusal(409, "alreadyDispatched")
        order.three_pl, order.warehouse_error, order.parcel = DO_NOT_TRANSFER, None, None
        undo_dispatch(order)
        order.granted = order.granted and order.granted._replace(is_dispatched=False)
        order.three_pl_decision = None
        if order.dispatch_decision and order.dispatch_decision.what:
            order.dispatch_decision = None
        self._stop_first(role, order, wish)
        order = self._judged(order)
        self._take_back_decisions(order, wish)
        return self._sent_on(role, order, wish, was_held=False)

    # The warehouse

    def acknowledge(self, role: str, order_id: str, if_match: int | None) -> None:
        self._must_be(role, WAREHOUSE, ADMINISTRATOR)
        order = self._found(order_id, None)
        if order.is_handed_over:
            raise Refusal(409, "alreadyTransferred")
        if self.frozen:
            raise Refusal(409, "frozen")
        if not may_leave(order, self.settings):
            raise Refusal(409, "notLive")
        if not order.is_transferable:
            raise Refusal(409, "notForTheWarehouse", reasons(order.open_missing))
        self._found(order_id, if_match)
        order = self._judged(order)
        if order.is_held:
            # By the settings of now it is incomplete: it is held at once, where people find it.
            self._land(order_id, order)
        if order.is_held or not order.is_transferable:
            raise Refusal(409, "notForTheWarehouse", reasons(order.open_missing))
        order.three_pl, order.parcel = TRANSFERRED, parcel_of(order, self.settings)
        self._land(order_id, order)

    def picked(self, role: str, order_id: str, if_match: int | None) -> None:
        order = self._reported_on(role, order_id, if_match)
        order.three_pl, order.warehouse_error = PICKED, None
        self._land(order_id, order)

    def dispatched(self, role: str, order_id: str, if_match: int | None) -> None:
        order = self._judged(self._reported_on(role, order_id, if_match))
        self._land(order_id, self._reported_sent(role, order, self.now, "warehouse"))

    def transfer_failed(self, role: str, order_id: str, reason: str, if_match: int | None) -> None:
        order = self._reported_on(role, order_id, if_match)
        if order.three_pl == PICKED:
            raise Refusal(409, "alreadyPicked")
        order.three_pl, order.warehouse_error = WITH_ERRORS, "[redacted]" if order.redacted_at else reason
        self._land(order_id, order)

    def _reported_on(self, role: str, order_id: str, if_match: int | None) -> Order:
        self._must_be(role, WAREHOUSE, ADMINISTRATOR)
        if not self._found(order_id, None).is_handed_over:
            raise Refusal(409, "notTransferred")
        return deepcopy(self._found(order_id, if_match))

    def lines_to_send(self, order_id: str) -> list[tuple[str | None, int | None]]:
        """The lines as the warehouse sees them: after it took the order, as it took them."""
        order = self.orders[order_id]
        is_taken = order.is_handed_over and order.parcel
        lines = order.parcel.lines if is_taken and order.parcel else seen(order, self.settings).lines
        return [(line.sku, line.to_send) for line in lines if line.to_send]

    @staticmethod
    def _decisions(order: Order) -> dict[str, Any]:
        stage, three_pl, dispatch, hold = (
            one and dict[str, Any](by=one.by, at=text(one.at))
            for one in (order.stage_decision, order.three_pl_decision, order.dispatch_decision, order.hold_decision)
        )
        if stage and order.stage_decision:
            stage["stage"] = order.stage_decision.what
        if three_pl and order.three_pl_decision:
            three_pl |= {"threePlStatus": order.three_pl_decision.what, "isImplied": order.three_pl_decision.is_special}
        if dispatch and order.dispatch_decision:
            dispatch["sentAt"] = order.dispatch_decision.what and text(order.dispatch_decision.what)
        if hold and order.hold_decision:
            hold["until"] = order.hold_decision.what and text(order.hold_decision.what)
        return {"stage": stage, "threePlStatus": three_pl, "fullyDispatched": dispatch, "hold": hold}

    # Common parts

    @staticmethod
    def _must_be(role: str, *roles: str) -> None:
        if role not in roles:
            raise Refusal(403, "roleNeeded")

    def _found(self, order_id: str, if_match: int | None) -> Order:
        if order_id not in self.orders:
            raise Refusal(404, "notFound")
        if if_match is not None and if_match != self.orders[order_id].revision:
            raise Refusal(412, "changedMeanwhile")
        return self.orders[order_id]

    def _judged(self, order: Order) -> Order:
        judged = deepcopy(order)
        judge(judged, self.settings, self.now)
        return judged

    def _land(self, order_id: str, order: Order) -> None:
        """A change adds one to the revision; an act that changes nothing is not written."""
        before = self.orders[order_id]
        if asdict(replace(order, was_judged=before.was_judged)) != asdict(before):
            self.orders[order_id] = replace(order, revision=before.revision + 1)

    # The answers

    def is_fulfillable(self, order: Order) -> bool:
        return order.is_fulfillable and self._is_open(order)

    def is_for_the_warehouse(self, order: Order) -> bool:
        return order.is_transferable and self._is_open(order)

    def _is_open(self, order: Order) -> bool:
        return may_leave(order, self.settings) and not self.frozen

    def row(self, order_id: str) -> dict[str, Any]:
        """An order as a list shows it."""
        order = self.orders[order_id]
        return {
            "orderId": order_id,
            "revision": order.revision,
            "verdict": "pending" if order.pending_since else "judged",
            "stage": order.stage,
            "status": order.status,
            "threePlStatus": DO_NOT_TRANSFER if order.pending_since and not order.is_handed_over else order.three_pl,
            "fulfillable": self.is_fulfillable(order),
            "missing": list(dict.fromkeys(one.field for one in [*order.open_missing, *order.differences])),
            "hold": order.hold,
            "heldAt": order.held_at and text(order.held_at),
            "readyToRelease": order.hold in ("missing", "manual")
            and not order.pending_since
            and not order.is_incomplete,
            "dispatchedBy": order.dispatched_by,
            "fullyDispatchedAt": order.dispatched_at and text(order.dispatched_at),
            "alerts": order.alerts,
            "redownloadAt": order.ask_amazon_at and text(order.ask_amazon_at),
            "assignedTo": order.assigned_to,
            "fulfillmentStatus": order.facts.status,
            "cameBackFrom": order.facts.came_back,
            "stopped": order.stop and {"by": order.stop.by, "at": text(order.stop.at)},
        }

    def whole(self, order_id: str) -> dict[str, Any]:
        """The part of an order that its caller sees."""
        order = self.orders[order_id]
        view, snooze = seen(order, self.settings), order.hold_decision
        personal = {
            "firstName": view.name[0] or None,
            "lastName": view.name[1] or None,
            "email": view.email or None,
            "deliveryAddress": view.delivery,
            "billingAddress": view.billing,
        }
        return self.row(order_id) | {
            **(dict.fromkeys(personal) if order.redacted_at else personal),
            "lineItems": [(line.sku, line.quantity) for line in view.lines],
            "decisions": self._decisions(order),
            "closedAlerts": [{"alert": name, "by": who, "at": text(at)} for name, who, at in order.closed_alerts],
            "edited": sorted(order.edits),
            "missingDetails": [
                {
                    "field": one.field,
                    "reason": one.reason,
                    "parts": list(one.parts),
                    "firstMissingAt": text(order.missing_since[one.kind]),
                    "accepted": one.reason != DIFFERS and order.accepts(one),
                }
                for one in order.missing
            ],
            "confirmed": order.confirmed,
            "heldAfterRelease": order.held_after_release and order.held_since is not None,
            "snoozedUntil": snooze.what and text(snooze.what) if order.hold and snooze else None,
            "override": order.override,
            "comment": order.comment,
            "warehouseError": order.warehouse_error,
            "redactedAt": order.redacted_at and text(order.redacted_at),
            "redaction": order.redaction,
        }


# The parts of a patch -------------------------------------------------------------------------------------------------

WISHES = {"stage", "threePlStatus", "fullyDispatched", "snoozeUntil", "release"}


def by(role: str) -> str:
    return f"{role}@example.com"


def ends_hold(wish: dict[str, Any]) -> bool:
    return "release" in wish or wish.get("stage") not in (None, NEEDS_ATTENTION)


def holds(wish: dict[str, Any]) -> bool:
    return wish.get("stage") == NEEDS_ATTENTION or "snoozeUntil" in wish


def lets_out(wish: dict[str, Any]) -> bool:
    return bool(wish.get("fullyDispatched")) or wish.get("threePlStatus") not in (None, DO_NOT_TRANSFER)


def asks_for_something(wish: dict[str, Any]) -> bool:
    return not wish.keys().isdisjoint(WISHES)


def refuse_contradictions(wish: dict[str, Any]) -> None:
    if holds(wish) and (lets_out(wish) or ends_hold(wish)):
        raise Refusal(409, "contradiction")


def refuse_if_closed(order: Order) -> None:
    if order.redacted_at:
        raise Refusal(409, "redacted")
    if order.is_void or order.facts.status == "CANCELLED":
        raise Refusal(409, "void")
    if order.facts.status == "SHIPPED":
        raise Refusal(409, "shipped")


def undo_dispatch(order: Order) -> None:
    order.dispatched_by = order.dispatched_at = None


def as_typed(parts: dict[str, str | None]) -> dict[str, str | None]:
    """The parts that a person typed, blank ones as ""; None returns a part to Amazon's."""
    return {part: None if value is None else said(value) or "" for part, value in parts.items()}


def says_something(value: Any) -> bool:
    return any(part is not None for part in value.values()) if isinstance(value, dict) else value is not None


def lay_over(order: Order, unit: str, value: Any) -> None:
    """A person's value over Amazon's, part by part, or Amazon's again; what Amazon says there now is settled."""
    touched = value
    if isinstance(value, dict):
        touched = {part: text for part, text in value.items() if text is not None}
        parts = order.edits.get(unit, {}) | value
        value = {part: text for part, text in parts.items() if text is not None} or None
    order.edits = {known: typed for known, typed in order.edits.items() if known != unit}
    if value is not None:
        order.edits[unit] = value
    forget_what_is_settled(order, unit)
    if touched:
        settle(order, places_of(unit, touched))
    elif touched is not None and unit in ("email", "lineItems"):
        settle(order, [unit])


def confirm(order: Order, fields: list[str]) -> None:
    """Exactly these fields. That answers the doubt and the requests of now, and none that come later."""
    order.confirmed = fields
    order.confirmed_doubt = order.facts.doubts if DOUBT in fields else None
    known = {*order.answered, *order.facts.asked_to_cancel} if CANCEL in fields else set[str | None]()
    order.answered = sorted(known, key=str)


def reasons(missing: list[Missing]) -> dict[str, str]:
    return {one.field: one.reason for one in missing}


# Data that Amazon no longer sends -------------------------------------------------------------------------------------


def merged_facts(old: Facts, new: Facts) -> Facts:
    known = {line.id: line for line in old.lines or ()}
    lines = old.lines if new.lines is None else new.lines
    is_over = old.status in ("SHIPPED", "CANCELLED")
    merged = replace(
        new,
        # An unknown status is news, but it takes nothing back that is final.
        status=old.status if is_over and new.status not in KNOWN_STATUSES else new.status,
        name=new.name or old.name,
        email=new.email or old.email,
        delivery=merged_address(old.delivery, new.delivery),
        tax=merged_address(old.tax, new.tax),
        lines=lines and tuple(merged_line(known.get(line.id), line) for line in lines),
    )
    return with_doubt(old, merged)


def merged_line(old: Line | None, new: Line) -> Line:
    if old is None:
        return new
    return new._replace(
        sku=new.sku or old.sku,
        asked=new.asked or old.asked,
        sent=old.sent if new.sent is None else new.sent,
        left=old.left if new.left is None else new.left,
    )


def with_doubt(old: Facts, new: Facts) -> Facts:
    """Whether it comes back from elsewhere, and one doubt more if this is another one."""
    if new.status in ("SHIPPED", "CANCELLED"):
        return replace(new, came_back=None, doubts=old.doubts)
    returns_from = "shipped" if old.status == "SHIPPED" else None
    if not returns_from and old.by_amazon and not new.by_amazon:
        returns_from = "fulfilledByAmazon"
    now = replace(new, came_back=returns_from or old.came_back)
    is_new = returns_from is not None or (now.doubt is not None and now.doubt != old.doubt)
    return replace(now, doubts=old.doubts + is_new)


def news_for(before: Order, after: Order) -> list[str]:
    """Where Amazon's other value replaces one of its own, or comes while the order is held.

    The value that a person typed over is none, unless Amazon agreed with the person in between.
    """
    then, differed = amazons_words(before.facts), said_otherwise(before)

    def is_news(place: str, now: str) -> bool:
        is_new = now != then.get(place, "")
        if is_new and now == after.settled.get(place):
            return place not in differed
        return place in before.news or (is_new and bool(before.is_held or then.get(place)))

    return [place for place, now in said_otherwise(after).items() if is_news(place, now)]


def merged_address(old: Address | None, new: Address | None) -> Address | None:
    """One with a street replaces the old one; one without fills in what an old one without lacks."""
    if not old or not new or "addressLine1" in new:
        return new or old
    return old if "addressLine1" in old else old | new


def is_to_be_redacted(order: Order, now: datetime) -> bool:
    """26 days after the delivery, which the only date that Amazon gives here tells, or 30 after a missed ship-by."""
    is_over_at_amazon = order.facts.status in ("SHIPPED", "CANCELLED") or order.facts.by_amazon
    if not (is_over_at_amazon or order.is_void or order.is_really_dispatched):
        return not order.redacted_at and order.ship_by + timedelta(days=30) <= now
    sent_at = order.dispatched_at if order.dispatched_by in BY_US else None
    return not order.redacted_at and max(order.deliver_by, sent_at or order.deliver_by) + timedelta(days=26) <= now


def bare(facts: Facts) -> Facts:
    """Without personal data: only the country of the address is left."""
    country = (facts.delivery or {}).get("countryCode")
    return replace(facts, name=None, email=None, tax=None, delivery={"countryCode": country} if country else None)


# Times ----------------------------------------------------------------------------------------------------------------


def is_time(value: object) -> TypeGuard[str]:
    return isinstance(value, str)


def at(written: str) -> datetime:
    return datetime.fromisoformat(written)


def text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

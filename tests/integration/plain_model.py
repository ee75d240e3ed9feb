"""The API's behaviour in plain words, which `test_model` compares with the API.

Written from the design alone: nothing of the layer decides here. It knows the small world of that test, which keeps it
plain: one integration, no companies, names whose split is known, addresses in two countries, lines told apart by SKU.
"""

from collections import Counter
from copy import deepcopy
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeGuard

ADMINISTRATOR, EDITOR, READER, WAREHOUSE = "administrator", "editor", "reader", "warehouse"
NEEDS_ATTENTION = "Needs Attention"
STAGES = (NEEDS_ATTENTION, "New", "Packing")
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

# Texts that say nothing, and the names of this world as first and last name.
BLANK = ("", " ", ".", "[Redacted]")
NAMES = {"Ada Quill": ("Ada", "Quill"), "Bea Stone": ("Bea", "Stone"), "Cher": ("", "Cher"), None: ("", "")}
# Without a country nobody knows what else an address of it needs.
NEEDED_PARTS = {
    "US": ("addressLine1", "city", "stateOrRegion", "postalCode"),
    "SG": ("addressLine1", "postalCode"),
    None: ("addressLine1", "city", "countryCode"),
}
FIELDS_OF_UNIT = {
    "name": ("firstName", "lastName"),
    "email": ("email",),
    "deliveryAddress": ("deliveryAddress",),
    "billingAddress": ("billingAddress",),
    "lineItems": ("lineItems",),
}
CONFIRMABLE = {"firstName", "lastName", "email"}

Address = dict[str, str]


class Refusal(Exception):
    """The answer is a problem with this status and code, and with the code of each field that is why."""

    def __init__(self, status: int, code: str, fields: dict[str, str] | None = None) -> None:
        super().__init__(status, code)
        self.status = status
        self.code = code
        self.fields = fields or {}


class Line(NamedTuple):
    id: str | None
    sku: str | None
    quantity: int


class Missing(NamedTuple):
    field: str
    reason: str
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Facts:
    """Amazon's data of an order in one version of it; None stands for a field that it leaves out."""

    updated: datetime
    status: str = "UNSHIPPED"
    by_amazon: bool = False
    name: str | None = "Ada Quill"
    email: str | None = "ada@marketplace.example.com"
    delivery: Address | None = None
    tax: Address | None = None
    lines: tuple[Line, ...] | None = None

    def said(self) -> "Facts":
        """Without texts that say nothing."""
        return replace(
            self,
            name=said(self.name),
            email=said(self.email),
            delivery=said_parts(self.delivery or {}) or None,
            tax=said_parts(self.tax or {}) or None,
        )


def said(text: str | None) -> str | None:
    return None if text in BLANK else text


def said_parts(address: Address) -> Address:
    return {part: text for part, text in address.items() if said(text)}


@dataclass
class Order:
    """An order as it stands. The last three fields are never shown; a write that changes them counts all the same."""

    facts: Facts
    created: datetime
    ship_by: datetime
    deliver_by: datetime
    pending_since: datetime | None
    revision: int = 1
    edits: dict[str, Any] = field(default_factory=dict)
    amazon_then: dict[str, Any] = field(default_factory=lambda: dict.fromkeys(FIELDS_OF_UNIT))
    confirmed: list[str] = field(default_factory=list)
    was_judged: bool = False
    missing: list[Missing] = field(default_factory=list)
    missing_since: dict[str, datetime] = field(default_factory=dict)
    accepted: list[Missing] = field(default_factory=list)
    override: dict[str, Any] | None = None
    hold: str | None = None
    held_at: datetime | None = None
    held_after_release: bool = False
    snoozed_until: datetime | None = None
    manual_before_snooze: bool = False
    stage: str | None = None
    three_pl: str = DO_NOT_TRANSFER
    dispatched_by: str | None = None
    dispatched_at: datetime | None = None
    is_void: bool = False
    redacted_at: datetime | None = None
    redaction: dict[str, Any] | None = None
    told_warehouse: Any = None
    warehouse_error: str | None = None
    alerts: list[str] = field(default_factory=list)
    assigned_to: str | None = None
    comment: str | None = None
    ask_amazon_at: datetime | None = None
    may_leave_by_verdict: bool = False
    status_at_verdict: str | None = None

    @property
    def is_handed_over(self) -> bool:
        return self.three_pl in HANDED_OVER

    @property
    def open_missing(self) -> list[Missing]:
        return [missing for missing in self.missing if not self.accepts(missing)]

    def accepts(self, missing: Missing) -> bool:
        return any(one[:2] == missing[:2] and set(missing.parts) <= set(one.parts) for one in self.accepted)

    @property
    def is_transferable(self) -> bool:
        if self.pending_since or self.is_void or self.redacted_at or self.stage == NEEDS_ATTENTION:
            return False
        return self.three_pl == NOW or (self.three_pl == UPON_COMPLETION and self.dispatched_at is not None)

    @property
    def is_fulfillable(self) -> bool:
        is_over = self.is_void or self.redacted_at or self.facts.status == "SHIPPED"
        if self.pending_since or self.is_handed_over or is_over:
            return False
        return self.is_transferable or self.dispatched_by in ("us", "person")

    @property
    def status(self) -> str:
        if self.is_void:
            return "Void"
        if self.dispatched_at:
            return "Dispatched"
        return "Draft" if self.facts.status == "PENDING" and not self.hold else "Open"

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
    lines: tuple[Line, ...]


def amazons(order: Order) -> dict[str, Any]:
    """Amazon's value of each unit that people can edit."""
    facts = order.facts
    return {
        "name": facts.name,
        "email": facts.email,
        "deliveryAddress": facts.delivery,
        "billingAddress": facts.tax,
        "lineItems": facts.lines,
    }


def seen(order: Order, settings: dict[str, Any]) -> Seen:
    """People's entries stand over Amazon's, unit by unit."""
    facts, edits = order.facts, order.edits
    delivery = edits.get("deliveryAddress", facts.delivery)
    tax = facts.tax if facts.tax and "addressLine1" in facts.tax else None
    copied = delivery if settings["billingAddress"] == "copyDelivery" else None
    lines = edits.get("lineItems", facts.lines) or ()
    return Seen(
        name=edits.get("name", NAMES[facts.name]),
        email=edits.get("email", facts.email),
        delivery=delivery,
        billing=edits.get("billingAddress", tax or copied),
        lines=tuple(line for line in lines if line.quantity),
    )


def what_is_missing(order: Order, settings: dict[str, Any]) -> list[Missing]:
    view = seen(order, settings)
    found = [] if order.facts.by_amazon else missing_of_the_buyer(view, settings)
    found = [missing for missing in found if missing.field not in order.confirmed]
    if not view.lines:
        found.append(Missing("lineItems", "blank"))
    elif any(line.sku is None for line in view.lines):
        found.append(Missing("lineItems", "noProduct"))
    listed = {missing.field for missing in found}
    for unit, fields in FIELDS_OF_UNIT.items():
        if has_changed_at_amazon(order, unit) and (unit == "lineItems" or not order.facts.by_amazon):
            found += [Missing(name, "changedAtAmazon") for name in fields if name not in listed]
    return found


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


def what_amazon_lacks(order: Order, settings: dict[str, Any]) -> list[Missing]:
    """The fields that would be missing if nobody had typed or confirmed anything."""
    return what_is_missing(replace(order, edits={}, confirmed=[]), settings)


def has_changed_at_amazon(order: Order, unit: str) -> bool:
    """Amazon had said something when the unit was edited, and now says something else, which is not what was typed."""
    if unit not in order.edits:
        return False
    then, now, typed = order.amazon_then[unit], amazons(order)[unit], order.edits[unit]
    if unit == "name":
        typed = " ".join(part for part in typed if part)
    if unit in ("deliveryAddress", "billingAddress"):
        return parts_differ(then or {}, now or {}) and parts_differ(typed, now or {})
    if unit == "lineItems":
        was_said = any(line.quantity for line in then or ())
        return was_said and now is not None and lines_differ(then, now) and lines_differ(typed, now)
    return bool(then and now) and now not in (then, typed)


def parts_differ(one: Address, other: Address) -> bool:
    return any(one[part] != other[part] for part in one.keys() & other.keys())


def lines_differ(one: tuple[Line, ...], other: tuple[Line, ...]) -> bool:
    """Compares what the warehouse picks; a SKU that was not given before is no difference."""
    unsaid = {line.id for line in one if line.sku is None}
    return to_pick(one, unsaid) != to_pick(other, unsaid)


def to_pick(lines: tuple[Line, ...], unsaid: set[str | None]) -> Counter[Line]:
    return Counter(line._replace(sku=None) if line.id in unsaid else line for line in lines if line.quantity)


# The verdict ----------------------------------------------------------------------------------------------------------


def may_leave(order: Order, settings: dict[str, Any]) -> bool:
    live_since = settings["goLiveDate"]
    return not settings["trialMode"] and (live_since is None or order.created >= datetime.fromisoformat(live_since))


def judge(order: Order, settings: dict[str, Any], now: datetime) -> None:
    """The table of the design, row by row, and what is noted down with each verdict."""
    was_held, since = order.hold is not None, order.missing_since
    order.pending_since = None
    if not is_over(order, settings):
        decide(order, settings)
    order.dispatched_at = (order.dispatched_at or now) if order.dispatched_by else None
    order.missing_since = {one.field: since.get(one.field, now) for one in order.missing}
    order.status_at_verdict, order.may_leave_by_verdict = order.facts.status, may_leave(order, settings)
    if order.hold is None:
        forget_hold(order)
    elif not was_held:
        order.held_at = now
    if order.hold != "missing" or not what_amazon_lacks(order, settings):
        order.ask_amazon_at = None
    elif not was_held:
        order.ask_amazon_at = now + timedelta(minutes=2)


def is_over(order: Order, settings: dict[str, Any]) -> bool:
    """Whether the order is out of our hands, or not in them yet; it is left so, whatever it lacks."""
    status = order.facts.status
    if order.redacted_at:
        close(order, settings)
    elif order.is_handed_over or order.is_void:
        alert_after_hand_over(order, settings)
    elif status == "CANCELLED":
        close(order, settings)
        order.is_void = True
        if order.dispatched_by in ("us", "person"):
            alert(order, "CancelledAfterDispatch")
    elif status == "SHIPPED":
        close(order, settings)
        order.dispatched_by = order.dispatched_by or "amazon"
    elif status == "PENDING":
        hold = order.hold if order.hold in ("manual", "snoozed") else None
        close(order, settings)
        order.hold, order.stage, order.dispatched_by = hold, NEEDS_ATTENTION if hold else None, None
        order.was_judged = False
        return True
    else:
        return False
    order.was_judged = True
    return True


def decide(order: Order, settings: dict[str, Any]) -> None:
    """By the missing fields, the decisions before, and who made them."""
    missing = what_is_missing(order, settings)
    is_incomplete = any(not order.accepts(one) for one in missing)
    by_a_person = order.hold in ("manual", "snoozed")
    was_held, was_judged = order.hold is not None, order.was_judged
    order.missing, order.was_judged = missing, True
    if order.facts.by_amazon and not is_incomplete and not by_a_person:
        close(order, settings)
        order.missing = missing
    elif order.dispatched_by and order.three_pl == DO_NOT_TRANSFER:
        pass
    elif by_a_person:
        order.stage, order.three_pl = NEEDS_ATTENTION, DO_NOT_TRANSFER
    elif not was_judged and not is_incomplete:
        give_defaults(order, settings)
    elif was_held and not missing and not what_amazon_lacks(order, settings):
        give_defaults(order, settings)  # healed
    elif was_held or is_incomplete:
        order.held_after_release = order.held_after_release or (was_judged and not was_held)
        order.hold, order.stage, order.three_pl = "missing", NEEDS_ATTENTION, DO_NOT_TRANSFER
        order.dispatched_by = None
    elif order.facts.status == "PARTIALLY_SHIPPED" != order.status_at_verdict:
        order.three_pl = DO_NOT_TRANSFER  # a part was sent: it no longer goes to the warehouse whole


def close(order: Order, settings: dict[str, Any]) -> None:
    """Nothing more is ours to do."""
    order.missing, order.hold = [], None
    order.stage = settings["defaultStage"] if order.stage in (None, NEEDS_ATTENTION) else order.stage
    order.three_pl = order.three_pl if order.is_handed_over else DO_NOT_TRANSFER


def give_defaults(order: Order, settings: dict[str, Any]) -> None:
    is_whole = order.facts.status != "PARTIALLY_SHIPPED"
    order.hold, order.stage = None, settings["defaultStage"]
    order.three_pl = settings["defaultThreePlStatus"] if is_whole else DO_NOT_TRANSFER
    if is_dispatched_at_once(order, settings):
        order.dispatched_by = "us"


def is_dispatched_at_once(order: Order, settings: dict[str, Any]) -> bool:
    is_whole = order.facts.status != "PARTIALLY_SHIPPED"
    return settings["autoDispatchOrders"] and may_leave(order, settings) and is_whole


def forget_hold(order: Order) -> None:
    order.hold = order.held_at = order.snoozed_until = None
    order.held_after_release = order.manual_before_snooze = False


def alert_after_hand_over(order: Order, settings: dict[str, Any]) -> None:
    if not order.is_handed_over:
        return
    if order.facts.status == "CANCELLED":
        alert(order, "CancelledAfterHandOver")
    elif order.told_warehouse != what_and_where(order, settings):
        alert(order, "ChangedAfterHandOver")
        order.told_warehouse = what_and_where(order, settings)


def alert(order: Order, name: str) -> None:
    order.alerts = [*order.alerts, name] if name not in order.alerts else order.alerts


def what_and_where(order: Order, settings: dict[str, Any]) -> Any:
    view = seen(order, settings)
    return view.name, view.delivery, view.lines


# The acts of people, the warehouse, Amazon and the clock --------------------------------------------------------------


class PlainModel:
    """The orders, the settings and the freezes."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.orders: dict[str, Order] = {}
        self.frozen: set[str] = set()
        self.settings: dict[str, Any] = {
            "defaultStage": "New",
            "defaultThreePlStatus": UPON_COMPLETION,
            "autoDispatchOrders": False,
            "trialMode": False,
            "goLiveDate": None,
            "checks": {"email": True},
            "billingAddress": "copyDelivery",
        }

    # Administrators

    def change_settings(self, role: str, changes: dict[str, Any]) -> None:
        self._must_be(role, ADMINISTRATOR)
        self.settings |= changes

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
            elif order.snoozed_until and order.snoozed_until <= self.now:
                order.hold = "manual" if order.manual_before_snooze else "missing"
                order.snoozed_until, order.ask_amazon_at = None, self.now
                judge(order, self.settings, self.now)
            elif order.pending_since and order.pending_since + timedelta(minutes=10) <= self.now:
                order.pending_since = self.now  # asked for again
            self._land(order_id, order)

    def _redact(self, order: Order, request: dict[str, Any] | None = None) -> None:
        order.facts, order.redacted_at = bare(order.facts), self.now
        order.redaction = request or BY_THE_CLOCK
        order.edits, order.amazon_then, order.confirmed = {}, dict.fromkeys(FIELDS_OF_UNIT), []
        order.assigned_to = order.comment = order.warehouse_error = order.told_warehouse = None
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
        typed = self._what_is_typed(order, body)
        confirmed = list(dict.fromkeys(body["confirmed"] or ())) if "confirmed" in body else order.confirmed
        if typed or confirmed != order.confirmed:
            if order.redacted_at:
                raise Refusal(409, "redacted")
            for unit, value in typed.items():
                lay_over(order, unit, value)
            order.confirmed = confirmed
            judge(order, self.settings, self.now)
        elif not asks_for_something(body):
            self._land(order_id, order)
            return
        self._land(order_id, self._gone_through_the_gate(role, order, body))

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
        self._redact(order, {"by": f"{role}@example.com", "why": "request", "reference": body["reference"]})
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
        if body.get("stage", "New") not in STAGES:
            raise Refusal(422, "invalid", {"stage": "unknownStage"})
        if is_time(body.get("fullyDispatched")) and at(body["fullyDispatched"]) > self.now:
            raise Refusal(422, "invalid", {"fullyDispatched": "inTheFuture"})
        if "snoozeUntil" in body and at(body["snoozeUntil"]) <= self.now:
            raise Refusal(422, "invalid", {"snoozeUntil": "inThePast"})
        if "override" in body and not (ends_hold(body) or lets_out(body)):
            raise Refusal(422, "invalid", {"override": "overridesNothing"})

    def _what_is_typed(self, order: Order, body: dict[str, Any]) -> dict[str, Any]:
        """The new value of each unit that is patched; None is Amazon's again, which is no change if nobody edited."""
        view, typed = seen(order, self.settings), dict[str, Any]()
        names = {name: body[name] for name in ("firstName", "lastName") if name in body}
        if names:
            # A part that goes back to Amazon's takes the part that is not sent along.
            first, last = NAMES[order.facts.name] if None in names.values() else view.name
            parts = {"firstName": first, "lastName": last}
            parts |= {name: said(text) or "" for name, text in names.items() if text is not None}
            typed["name"] = tuple(parts.values()) if any(text is not None for text in names.values()) else None
        if "email" in body:
            typed["email"] = None if body["email"] is None else said(body["email"]) or ""
        for unit, address in (("deliveryAddress", view.delivery), ("billingAddress", view.billing)):
            if unit in body:
                typed[unit] = None if body[unit] is None else said_parts((address or {}) | body[unit])
        if "lineItems" in body:
            lines = body["lineItems"]
            typed["lineItems"] = lines and tuple(Line(None, line.get("sellerSku"), line["quantity"]) for line in lines)
            typed["lineItems"] = () if lines == [] else typed["lineItems"]
        return {unit: value for unit, value in typed.items() if value is not None or unit in order.edits}

    def _gone_through_the_gate(self, role: str, order: Order, wish: dict[str, Any]) -> Order:
        """The order judged, changed as wished, and judged again."""
        was_held = order.hold is not None
        wished_three_pl = wish.get("threePlStatus")
        if order.three_pl == WITH_ERRORS and wished_three_pl and wished_three_pl not in HANDED_OVER:
            order.three_pl, order.warehouse_error, order.told_warehouse = DO_NOT_TRANSFER, None, None
        order = self._judged(order)
        if not asks_for_something(wish):
            return order
        self._refuse_if_closed(order)
        if wish.get("stage") == NEEDS_ATTENTION or "snoozeUntil" in wish:
            self._put_on_hold(order, wish)
            return self._judged(order)
        self._refuse_what_is_not_ours(order, wish)
        if order.hold and lets_out(wish) and not ends_hold(wish):
            raise Refusal(409, "held", reasons(order))
        if "release" in wish and not order.hold:
            if was_held:
                return order  # by the settings of now nothing is missing
            raise Refusal(409, "notHeld")
        if "override" in wish:
            self._override(role, order, wish["override"]["reason"])
        if order.open_missing and (ends_hold(wish) or lets_out(wish)):
            raise Refusal(409, "incomplete", reasons(order))
        self._let_go(order, wish)
        return self._judged(order)

    @staticmethod
    def _refuse_what_is_not_ours(order: Order, wish: dict[str, Any]) -> None:
        if wish.get("threePlStatus") in HANDED_OVER:
            raise Refusal(409, "onlyTheWarehouse")
        if order.facts.by_amazon and lets_out(wish):
            raise Refusal(409, "fulfilledByAmazon")
        dispatched = wish.get("fullyDispatched")
        if is_time(dispatched) and at(dispatched) < order.created:
            raise Refusal(409, "dispatchedBeforeOrdered")

    @staticmethod
    def _refuse_if_closed(order: Order) -> None:
        if order.redacted_at:
            raise Refusal(409, "redacted")
        if order.is_handed_over:
            raise Refusal(409, "alreadyTransferred")
        if order.is_void:
            raise Refusal(409, "void")
        if order.facts.status == "SHIPPED":
            raise Refusal(409, "shipped")
        if order.facts.status == "PENDING":
            raise Refusal(409, "draft")

    def _put_on_hold(self, order: Order, wish: dict[str, Any]) -> None:
        if lets_out(wish) or ends_hold(wish):
            raise Refusal(409, "contradiction")
        if order.dispatched_by:
            raise Refusal(409, "alreadyDispatched")
        before, order.stage, order.three_pl = order.hold, NEEDS_ATTENTION, DO_NOT_TRANSFER
        order.held_at = order.held_at or self.now
        if "snoozeUntil" in wish:
            if at(wish["snoozeUntil"]) > order.ship_by:
                raise Refusal(409, "pastShipBy")
            order.hold, order.snoozed_until = "snoozed", at(wish["snoozeUntil"])
            order.manual_before_snooze = before == "manual" or order.manual_before_snooze
        elif before != "missing":
            order.hold, order.snoozed_until = "manual", None

    def _override(self, role: str, order: Order, reason: str) -> None:
        """The administrator accepts the gaps, and edits whose value differs from Amazon's."""
        missing = order.open_missing
        if not missing:
            raise Refusal(409, "nothingToOverride")
        fields = [one.field for one in missing]
        order.override = {"by": f"{role}@example.com", "at": text(self.now), "reason": reason, "fields": fields}
        changed = {one.field for one in missing if one.reason == "changedAtAmazon"}
        order.accepted = [*order.accepted, *(one for one in missing if one.field not in changed)]
        for unit, of_unit in FIELDS_OF_UNIT.items():
            if changed & set(of_unit):
                order.amazon_then[unit] = amazons(order)[unit]
        judge(order, self.settings, self.now)

    def _let_go(self, order: Order, wish: dict[str, Any]) -> None:
        if "release" in wish:
            order.stage = self.settings["defaultStage"]
            order.three_pl = DO_NOT_TRANSFER if order.facts.by_amazon else self.settings["defaultThreePlStatus"]
            if not order.facts.by_amazon and is_dispatched_at_once(order, self.settings):
                order.dispatched_by, order.dispatched_at = "us", self.now
        if ends_hold(wish):
            forget_hold(order)
            order.ask_amazon_at = None
        order.stage = wish.get("stage", order.stage)
        order.three_pl = wish.get("threePlStatus", order.three_pl)
        if "fullyDispatched" in wish:
            when = wish["fullyDispatched"]
            order.dispatched_by = "person" if when else None
            order.dispatched_at = at(when) if is_time(when) else self.now if when else None

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
            raise Refusal(409, "notForTheWarehouse", reasons(order))
        self._found(order_id, if_match)
        order = self._judged(order)
        if order.hold:
            # By the settings of now it is incomplete: it is held at once, where people find it.
            self._land(order_id, order)
        if order.hold or not order.is_transferable:
            raise Refusal(409, "notForTheWarehouse", reasons(order))
        order.three_pl, order.told_warehouse = TRANSFERRED, what_and_where(order, self.settings)
        self._land(order_id, order)

    def picked(self, role: str, order_id: str, if_match: int | None) -> None:
        order = self._reported_on(role, order_id, if_match)
        order.three_pl, order.warehouse_error = PICKED, None
        self._land(order_id, order)

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
            "missing": [one.field for one in order.open_missing],
            "hold": order.hold,
            "heldAt": order.held_at and text(order.held_at),
            "readyToRelease": order.hold in ("missing", "manual")
            and not order.pending_since
            and not order.open_missing,
            "dispatchedBy": order.dispatched_by,
            "fullyDispatchedAt": order.dispatched_at and text(order.dispatched_at),
            "alerts": order.alerts,
            "redownloadAt": order.ask_amazon_at and text(order.ask_amazon_at),
            "assignedTo": order.assigned_to,
            "fulfillmentStatus": order.facts.status,
        }

    def whole(self, order_id: str) -> dict[str, Any]:
        """The part of an order that its caller sees."""
        order = self.orders[order_id]
        view = seen(order, self.settings)
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
            "edited": sorted(order.edits),
            "missingDetails": [
                {
                    "field": one.field,
                    "reason": one.reason,
                    "parts": list(one.parts),
                    "firstMissingAt": text(order.missing_since[one.field]),
                    "accepted": order.accepts(one),
                }
                for one in order.missing
            ],
            "confirmed": order.confirmed,
            "heldAfterRelease": order.held_after_release,
            "snoozedUntil": order.snoozed_until and text(order.snoozed_until),
            "override": order.override,
            "comment": order.comment,
            "warehouseError": order.warehouse_error,
            "redactedAt": order.redacted_at and text(order.redacted_at),
            "redaction": order.redaction,
        }


# The parts of a patch -------------------------------------------------------------------------------------------------


def ends_hold(wish: dict[str, Any]) -> bool:
    return "release" in wish or wish.get("stage") not in (None, NEEDS_ATTENTION)


def lets_out(wish: dict[str, Any]) -> bool:
    return bool(wish.get("fullyDispatched")) or wish.get("threePlStatus") not in (None, DO_NOT_TRANSFER)


def asks_for_something(wish: dict[str, Any]) -> bool:
    return not wish.keys().isdisjoint({"stage", "threePlStatus", "fullyDispatched", "snoozeUntil", "release"})


def lay_over(order: Order, unit: str, value: Any) -> None:
    """A person's value over Amazon's, or Amazon's again; the edit remembers Amazon's value at that time."""
    order.amazon_then[unit] = amazons(order)[unit]
    if value is None:
        del order.edits[unit]
    else:
        order.edits[unit] = value


def reasons(order: Order) -> dict[str, str]:
    return {missing.field: missing.reason for missing in order.open_missing}


# Data that Amazon no longer sends -------------------------------------------------------------------------------------


def merged_facts(old: Facts, new: Facts) -> Facts:
    skus = {line.id: line.sku for line in old.lines or ()}
    lines = old.lines if new.lines is None else new.lines
    return replace(
        new,
        name=new.name or old.name,
        email=new.email or old.email,
        delivery=merged_address(old.delivery, new.delivery),
        tax=merged_address(old.tax, new.tax),
        lines=lines and tuple(line._replace(sku=line.sku or skus.get(line.id)) for line in lines),
    )


def merged_address(old: Address | None, new: Address | None) -> Address | None:
    """One with a street replaces the old one; one without fills in what an old one without lacks."""
    if not old or not new or "addressLine1" in new:
        return new or old
    return old if "addressLine1" in old else old | new


def is_to_be_redacted(order: Order, now: datetime) -> bool:
    return not order.redacted_at and order.deliver_by + timedelta(days=26) <= now


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

"""The bodies of requests that change orders. A patch is a JSON Merge Patch (RFC 7396) on the order as people see it."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import InitErrorDetails, PydanticCustomError

from needs_attention.api.orders.warnings import warnings_of_address, warnings_of_texts
from needs_attention.api.problems import FieldError, FieldWarning, Problem, invalid
from needs_attention.integrations.stages import Stages
from needs_attention.orders.alerts import Alert
from needs_attention.orders.amazon_order import Address, LineItem, Money
from needs_attention.orders.checks import CONFIRMABLE
from needs_attention.orders.countries import code_of_country
from needs_attention.orders.edits import UNITS, Unit
from needs_attention.orders.effective import Seen
from needs_attention.orders.gate import DecisionName, Refused, Wanted, check_editable
from needs_attention.orders.order import Order
from needs_attention.orders.settings import NEEDS_ATTENTION, Settings, ThreePlStatus
from needs_attention.values.fields import WHOLE, Like, NotNull, OneOf
from needs_attention.values.model import Value
from needs_attention.values.text import cleaned, verbatim
from needs_attention.values.times import SentTime

# The names of people's changes in the history, which also lists the fields that changed.
Cause = Literal[
    "edit",
    "note",
    "release",
    "hold",
    "snooze",
    "stage",
    "threePlStatus",
    "dispatch",
    "decisionTakenBack",
    "override",
    "acknowledge",
    "picked",
    "transferFailed",
    "dispatched",
    "alertsClosed",
    "erasure",
]

MOST_LINE_ITEMS = 200
# In bytes as stored. An item also holds the rest of the order (see `LARGEST_ORDER`), with Amazon's lines of the time.
LARGEST_LINE_ITEMS = 80_000


def _tidy(text: str) -> str:
    """Cleaned as Amazon's texts are; a text without content becomes blank."""
    return cleaned(text) or ""


def _verbatim(text: str) -> str:
    """A key of the seller's own systems, letter by letter; blank if nothing in it is visible."""
    return verbatim(text) or ""


_JAPANESE_DOMAIN = re.compile(r".+\.jp|au\.com", re.IGNORECASE)
_DOTS = re.compile(r"\.{2,}")
_LONGEST_NAME = 64  # RFC 5321, 4.5.3.1.1


def _email_address(text: str) -> str:
    """Tidy, with the domain in lower case and in letters of its own script.

    Only addresses that people type pass through here. Amazon's are kept as they are, and `completeness` judges them.
    Domains that nobody can own (`.test`, `.invalid`, `.local`, `localhost`) are refused too: mail to them goes nowhere.
    Under Japanese domains, dots may begin, end or follow each other in the name: until April 2009, mobile carriers gave
    out such addresses, against RFC 5322
    (https://help.comipo.app/hc/en-us/articles/45693628239513-Regarding-email-addresses-that-violate-RFC).
    """
    # Imported here, because compiling its patterns takes 15 ms, and most cold starts do not need it.
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - see above

    typed = _tidy(text)
    name, at, domain = typed.rpartition("@")
    checked = typed
    if _JAPANESE_DOMAIN.fullmatch(domain) and len(name) <= _LONGEST_NAME:
        checked = f"{_DOTS.sub('.', name).strip('.')}{at}{domain}"
    try:
        valid = typed and validate_email(checked, check_deliverability=False)
    except EmailNotValidError as error:
        raise PydanticCustomError("not_an_address", "{why}", {"why": str(error)}) from None
    if not valid:
        return ""
    return valid.normalized if checked == typed else f"{name}@{valid.domain}"


_ATTRIBUTE = {info.alias or name: name for name, info in Address.model_fields.items()}
_ADDRESS_PARTS = list(_ATTRIBUTE)
Text = Annotated[str, StringConstraints(max_length=200), AfterValidator(_tidy)]
Sku = Annotated[str, StringConstraints(max_length=200), AfterValidator(_verbatim)]
Email = Annotated[str, StringConstraints(max_length=320), AfterValidator(_email_address)]
Quantity = Annotated[int, Field(ge=0, le=1_000_000), WHOLE]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]


def _with_country(parts: dict[str, str | None]) -> dict[str, str | None]:
    """With the country's code for whatever names it. Amazon's codes are kept as they are, but a typed one is known."""
    typed = parts.get("countryCode")
    if not typed:
        return parts
    code = code_of_country(typed)
    if code is None:
        why = "is not a country; type its two letters in ISO 3166-1, such as US, GB or DE, or its name in English"
        error = PydanticCustomError("unknown_country", why)
        details = InitErrorDetails(type=error, loc=("countryCode",), input=typed)
        raise ValidationError.from_exception_data("AddressPatch", [details])
    return {**parts, "countryCode": code}


_AddressPart = Annotated[str, OneOf(_ADDRESS_PARTS, "not a part of an address; those are {allowed}")]
AddressPatch = Annotated[dict[_AddressPart, Text | None], AfterValidator(_with_country)]
KEPT_UNITS = {to_camel(unit): unit for unit in UNITS}
Kept = Annotated[str, OneOf(KEPT_UNITS, "no typed value has that name; those are {allowed}")]
Confirmed = Annotated[str, OneOf(CONFIRMABLE, "only {allowed} can be confirmed as unavailable")]


class Price(Value):
    amount: Annotated[str, Like(r"\d{1,12}(\.\d{1,6})?", 'must be an amount as text, such as "12.50"')]
    currency_code: Annotated[str, Like("[A-Z]{3}", "must be the currency's three capital letters, such as USD")]


class LineItemBody(Value):
    """A line as the API shows it, so that you can change a list and send it back.

    What Amazon says of a line (`quantityUnfulfilled`, `isCancelled`, `askedToCancel`) and the numbers that follow
    (`quantityOrdered`, `quantityToSend`) are not stored.
    """

    order_item_id: Text | None = None
    seller_sku: Sku | None = None
    asin: Text | None = None
    title: Annotated[str, StringConstraints(max_length=500), AfterValidator(_tidy)] | None = None
    quantity: Quantity
    quantity_fulfilled: Quantity | None = None
    quantity_unfulfilled: Quantity | None = None
    quantity_ordered: Quantity | None = None
    quantity_to_send: Quantity | None = None
    is_cancelled: bool | None = None
    asked_to_cancel: bool | None = None
    unit_price: Price | None = None

    def as_line_item(self) -> LineItem:
        price = self.unit_price and Money(amount=self.unit_price.amount, currency_code=self.unit_price.currency_code)
        return LineItem(
            order_item_id=self.order_item_id,
            seller_sku=self.seller_sku,
            asin=self.asin,
            title=self.title,
            quantity=self.quantity,
            quantity_fulfilled=self.quantity_fulfilled,
            unit_price=price,
        )


class OverrideBody(Value):
    reason: Reason


class Release(Value):
    """A release: an empty body, or an administrator's reason for releasing an incomplete order."""

    override: OverrideBody | None = None

    def wanted(self) -> Wanted:
        return Wanted(release=True, override=self.override.reason if self.override else None)


class TransferFailure(Value):
    """Why the warehouse cannot pick an order."""

    reason: Reason


class DispatchReport(Value):
    """When the warehouse sent an order; now, if it does not say."""

    dispatched_at: SentTime | None = None

    def sent_at(self, now: datetime) -> datetime:
        """Raises a 422 for a time in the future."""
        if self.dispatched_at and self.dispatched_at > now:
            raise _wrong("dispatchedAt", "inTheFuture", "the order cannot have been dispatched in the future")
        return self.dispatched_at or now


_NAME_PARTS = ("first_name", "last_name", "company")


class OrderPatch(Value):
    """A change of an order. Fields that you do not send stay as they are.

    A value sets an edit: of one part, if you send a part of an address or of the name. The other parts stay Amazon's,
    also if Amazon changes them later. "" blanks a field or a part. null returns it to Amazon's value. A typed
    `countryCode` is a code of ISO 3166-1 or the country's name in English; it is stored as the code of two letters.
    `lineItems` and `confirmed` are replaced as a whole. `keepTyped` names typed values that stay although Amazon says
    something else by now. `copyDeliveryToBilling` copies the delivery address, as this patch leaves it, into an edit of
    the billing address. It copies once: later edits of one do not change the other.

    For `stage`, `threePlStatus` and `fullyDispatched`, null takes a decision back: the order is again as if nobody had
    decided, with the defaults of now, and may leave at once.
    """

    email: Email | None = None
    first_name: Text | None = None
    last_name: Text | None = None
    company: Text | None = None
    delivery_address: AddressPatch | None = None
    billing_address: AddressPatch | None = None
    copy_delivery_to_billing: Annotated[Literal[True] | None, NotNull()] = None
    line_items: Annotated[tuple[LineItemBody, ...], Field(max_length=MOST_LINE_ITEMS)] | None = None
    confirmed: Annotated[tuple[Confirmed, ...], Field(max_length=10)] | None = None
    keep_typed: Annotated[tuple[Kept, ...], Field(max_length=10)] = ()
    close_alerts: Annotated[tuple[Alert, ...], Field(max_length=20)] = ()
    stage: Annotated[str, StringConstraints(min_length=1, max_length=60)] | None = None
    three_pl_status: ThreePlStatus | None = None
    fully_dispatched: bool | SentTime | None = None
    snooze_until: Annotated[SentTime | None, NotNull()] = None
    assigned_to: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)] | None = None
    comment: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)] | None = None
    override: Annotated[OverrideBody | None, NotNull()] = None

    def confirmed_fields(self) -> tuple[str, ...] | None:
        """The fields that the patch confirms as unavailable; None if it does not mention them."""
        return tuple(dict.fromkeys(self.confirmed or ())) if "confirmed" in self.model_fields_set else None

    def noted(self, order: Order) -> Order:
        """The order with people's notes: its assignee and a comment. Neither decides anything.

        Raises Refused for a note on a redacted order: notes are free text, and may hold a buyer's data.
        """
        given = self.model_fields_set & {"assigned_to", "comment"}
        if order.redacted_at and (self.comment is not None or self.assigned_to is not None):
            raise Refused("redacted", "The personal data of this order was removed for good; it takes no notes.")
        return order.with_(**{field: getattr(self, field) for field in given})

    def units(self, order: Order, settings: Settings) -> dict[Unit, object]:
        """The units that change, each with a person's value, or None for Amazon's.

        Raises a 422 for a delivery address that cannot be copied and for line items that are too large together, and
        Refused for the address of a redacted order.
        """
        given = self.model_fields_set
        units: dict[Unit, object] = {}
        if not given.isdisjoint(_NAME_PARTS):
            units["name"] = {part: getattr(self, part) for part in _NAME_PARTS if part in given}
        if "email" in given:
            units["email"] = self.email
        if "delivery_address" in given:
            units["delivery_address"] = _parts(self.delivery_address)
        if "billing_address" in given:
            units["billing_address"] = _parts(self.billing_address)
        if self.copy_delivery_to_billing:
            units["billing_address"] = self._copied(order, units, settings)
        if "line_items" in given:
            units["line_items"] = self._lines()
        # Without an edit, a return to Amazon's value is no change.
        return {unit: value for unit, value in units.items() if _types(value) or order.edits.is_edited(unit)}

    def kept(self) -> tuple[Unit, ...]:
        """The units whose typed value stays over what Amazon says now."""
        return tuple(KEPT_UNITS[name] for name in self.keep_typed)

    def warnings(self, changed: Order, settings: Settings) -> tuple[FieldWarning, ...]:
        """Warnings about values of the patch, given the order as it changed."""
        names = {name: getattr(self, name) for name in (*_NAME_PARTS, "email")}
        found = list(warnings_of_texts({to_camel(name): text for name, text in names.items()}))
        if self.delivery_address or self.billing_address:
            view = Seen(changed.amazon, changed.edits, settings)
            found += warnings_of_address("deliveryAddress", self.delivery_address or {}, view.delivery_address)
            found += warnings_of_address("billingAddress", self.billing_address or {}, view.billing_address)
        return tuple(found)

    def _copied(self, order: Order, units: Mapping[Unit, object], settings: Settings) -> dict[str, str]:
        """The parts of the delivery address as this patch leaves it."""
        if "billing_address" in self.model_fields_set:
            raise _wrong("copyDeliveryToBilling", "contradiction", "send either this or billingAddress")
        check_editable(order)  # first, because a redacted order never has an address to copy
        edits = order.edits
        if "delivery_address" in units:
            edits = edits.with_typed("delivery_address", units["delivery_address"], order.amazon)
        delivery = Seen(order.amazon, edits, settings).delivery_address
        if delivery is None or not delivery.given_parts():
            raise _wrong("copyDeliveryToBilling", "noDeliveryAddress", "the order has no delivery address to copy")
        return delivery.given_parts()

    def _lines(self) -> tuple[LineItem, ...] | None:
        if self.line_items is None:
            return None
        lines = tuple(line.as_line_item() for line in self.line_items)
        if sum(len(line.model_dump_json(by_alias=True).encode()) for line in lines) > LARGEST_LINE_ITEMS:
            raise _wrong("lineItems", "tooLarge", f"take more than {LARGEST_LINE_ITEMS:,} bytes together")
        return lines

    def wanted(self, stages: Stages, now: datetime) -> Wanted:
        """The patch's wishes to the gate. Raises a 422 for an unknown Stage, and for an override of nothing."""
        dispatched = now if self.fully_dispatched is True else self.fully_dispatched
        wanted = Wanted(
            stage=_stage_id(self.stage, stages),
            three_pl_status=self.three_pl_status,
            fully_dispatched=dispatched,
            taken_back=frozenset(name for name in get_args(DecisionName) if self._is_null(name)),
            snooze_until=self.snooze_until,
            override=self.override.reason if self.override else None,
        )
        if dispatched and dispatched > now:
            raise _wrong("fullyDispatched", "inTheFuture", "the order cannot have been dispatched in the future")
        if self.snooze_until and self.snooze_until <= now:
            raise _wrong("snoozeUntil", "inThePast", "the date must be in the future")
        if wanted.override and not (wanted.ends_hold or wanted.lets_out):
            raise _wrong("override", "overridesNothing", "say in the same call what the override is for")
        return wanted

    def _is_null(self, name: str) -> bool:
        return name in self.model_fields_set and getattr(self, name) is None


class BulkOrder(Value):
    """One order of a bulk change: a patch or a release."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["patch"], "properties": {"patch": {"type": "object"}, "release": {"type": "null"}}},
                {"required": ["release"], "properties": {"release": {"const": True}, "patch": {"type": "null"}}},
            ]
        }
    )

    order_id: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    patch: OrderPatch | None = None
    release: Literal[True] | None = None

    @model_validator(mode="after")
    def _asks_for_one_thing(self) -> Self:
        if (self.patch is None) == (self.release is None):
            raise ValueError("send either patch or release")
        return self


class BulkChanges(Value):
    """Changes of several orders, each by itself. A dry run writes none."""

    orders: Annotated[tuple[BulkOrder, ...], Field(min_length=1, max_length=100)]
    dry_run: bool = False

    @field_validator("orders")
    @classmethod
    def _has_no_order_twice(cls, orders: tuple[BulkOrder, ...]) -> tuple[BulkOrder, ...]:
        if len({order.order_id for order in orders}) < len(orders):
            raise PydanticCustomError("not_unique", "name each order only once")
        return orders


class SheetOptions(Value):
    """The query parameters of a sheet that you send back. A dry run changes nothing."""

    dry_run: bool = False


def cause_of(before: Order, wanted: Wanted) -> Cause:
    """The name of a change: what it does to where the order may go, or else an edit."""
    causes: dict[Cause, bool] = {
        "override": wanted.override is not None,
        "release": wanted.ends_hold and before.is_held,
        "snooze": wanted.snooze_until is not None,
        "hold": wanted.stage == NEEDS_ATTENTION,
        "threePlStatus": wanted.three_pl_status is not None,
        "dispatch": wanted.fully_dispatched is not None,
        "stage": wanted.stage is not None,
        "decisionTakenBack": bool(wanted.taken_back),
    }
    return next((cause for cause, applies in causes.items() if applies), "edit")


def _parts(patch: Mapping[str, str | None] | None) -> dict[str, str | None] | None:
    """The patch of an address by the names of its attributes; None stands for Amazon's whole address."""
    return None if patch is None else {_ATTRIBUTE[part]: text for part, text in patch.items()}


def _types(value: object) -> bool:
    """Whether an edit types something, and does not only return to Amazon's value."""
    return any(text is not None for text in value.values()) if isinstance(value, Mapping) else value is not None


def _stage_id(name: str | None, stages: Stages) -> str | None:
    if name is None:
        return None
    stage = stages.named(name)
    if stage is None:
        known = ", ".join(stage.name for stage in stages.stages)
        raise _wrong("stage", "unknownStage", f"not known; the Stages are {known}")
    return stage.id


def _wrong(field: str, code: str, message: str) -> Problem:
    return invalid([FieldError(field, code, message)])

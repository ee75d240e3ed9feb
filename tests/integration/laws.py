"""The laws that hold for an order whatever happens to it: after every write, and once everything has quietened.

A law is a predicate that is true if the law is broken. Most laws look at stored orders alone, a few also at the writer
and at the settings in force meanwhile.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from needs_attention.orders.completeness import find_missing
from needs_attention.orders.decisions import Decisions
from needs_attention.orders.edits import Edits, unit_of, unsettled
from needs_attention.orders.order import Order
from needs_attention.orders.settings import NEEDS_ATTENTION, Settings, ThreePlStatus
from needs_attention.tables.order_items import to_item

Doer = Literal["download", "another integration", "validation", "person", "warehouse", "clock"]


class Write(NamedTuple):
    """One write of one process on the order, and the circumstances while the process ran.

    `settings` are those that it may have read: all that were in force since it began. `now` is what is in force at the
    write itself.
    """

    before: Order | None
    after: Order
    item: dict[str, Any]
    by: Doer
    wish: dict[str, Any]
    settings: Sequence[Settings]
    now: Settings
    at: datetime
    is_frozen: bool

    def was(self, question: Callable[[Order], object]) -> bool:
        return self.before is not None and bool(question(self.before))

    def becomes(self, question: Callable[[Order], object]) -> bool:
        return bool(question(self.after)) and not self.was(question)

    @property
    def is_incomplete(self) -> bool:
        """By all settings that the writer may have judged by."""
        return all(lacks(self.after, settings) for settings in self.settings)

    @property
    def may_have_let_it_out(self) -> bool:
        """Whether the write changed the order's data, or where it may go."""
        if self.before is None or self.after.is_pending != self.before.is_pending:
            return True
        then = (self.before.amazon, self.before.edits, self.before.accepted, self.before.is_transferable)
        return then != (self.after.amazon, self.after.edits, self.after.accepted, self.after.is_transferable)


def lacks(order: Order, settings: Settings) -> set[str]:
    """The fields that the stored order lacks, except those that an administrator accepted."""
    missing = find_missing(order.amazon, order.edits, settings)
    return {item.field for item in order.not_accepted(missing)}


def differs(order: Order, *, is_let_go: bool) -> set[str]:
    """The units in which Amazon says something else than what was typed, and nobody has settled that.

    Of an order that was let go, only those count that hold it again.
    """
    places = unsettled(order.edits, order.amazon)
    return {unit_of(place) for place in places if not is_let_go or place in order.news}


def amazon_lacks(order: Order, settings: Settings) -> set[str]:
    missing = find_missing(order.amazon, Edits(), settings)
    return {item.field for item in order.not_accepted(missing)}


def is_dispatched_by_us(order: Order) -> bool:
    return order.dispatched_by in {"us", "person", "warehouse"}


def is_stopped(order: Order) -> bool:
    """Whether a person decided that it is not sent."""
    return order.decisions.stop is not None


def is_fulfillable(order: Order) -> bool:
    return order.is_fulfillable or order.is_transferable


def is_closed(order: Order) -> bool:
    """Nothing more is ours to do: cancelled, shipped, removed, handed over, or never ours."""
    amazon = order.amazon
    return bool(
        order.redacted_at
        or order.voided_at
        or order.is_handed_over
        or amazon.is_cancelled
        or amazon.is_shipped
        or amazon.is_pending
        or amazon.is_fulfilled_by_amazon
    )


def is_done_with(order: Order) -> bool:
    """Dispatched and not for the warehouse: then people are told what comes to be missing, and it is not held."""
    return is_dispatched_by_us(order) and order.three_pl_status is ThreePlStatus.DO_NOT_TRANSFER


def has_personal_data(order: Order) -> bool:
    amazon = order.amazon
    said = amazon.buyer_name or amazon.buyer_email or amazon.recipient_name or amazon.tax_name
    has_street = amazon.delivery_address is not None and amazon.delivery_address.has_street
    return bool(said) or has_street or order.edits != Edits()


def loses_what_amazon_said(write: Write) -> bool:
    if write.before is None or write.after.redacted_at:
        return False
    then, now = write.before.amazon, write.after.amazon
    return any(
        getattr(then, field) is not None and getattr(now, field) is None
        for field in ("recipient_name", "buyer_email", "delivery_address", "ship_by", "deliver_by")
    )


def changes_what_is_not_its_own(write: Write) -> bool:
    """Downloads write Amazon's data and nothing else, people write the edits; only a redaction empties both."""
    if write.before is None or write.becomes(lambda order: order.redacted_at):
        return False
    changed = {name for name in Order.model_fields if getattr(write.before, name) != getattr(write.after, name)} - {
        "revision",
        "apart_until",
        "rules",
        "last_change",
    }
    allowed = {"amazon", "downloaded_at", "pending_since", "redownload_at", "news", "let_go_without"}
    if write.by == "download":
        return not changed <= allowed
    return "amazon" in changed or ("edits" in changed and write.by != "person")


def accepts_without_override(write: Write) -> bool:
    newly_accepted = set(write.after.accepted) - set(write.before.accepted if write.before else ())
    is_override = write.by == "person" and "override" in write.wish
    was_missing = all(any(one.covers(item) for item in write.after.missing) for one in newly_accepted)
    return bool(newly_accepted) and not (is_override and was_missing)


def hands_over_what_may_not_leave(write: Write) -> bool:
    if not write.becomes(lambda order: order.is_handed_over):
        return False
    was_open = write.was(lambda order: order.is_transferable and not order.hold)
    may_leave = write.now.may_hand_over(write.after.amazon.created_at) and not write.is_frozen
    is_taken = write.by == "warehouse"
    return not (was_open and may_leave and is_taken) or bool(lacks(write.after, write.now))


def lets_go_by_itself_what_amazon_left_incomplete(write: Write) -> bool:
    """A hold that the missing data brought about ends by a person's word, or because Amazon's own data is complete."""
    was_held = write.was(lambda order: order.hold is not None)
    is_let_go = was_held and write.after.hold is None and not is_closed(write.after)
    says_so = write.by == "person" and (write.wish.get("stage") or write.wish.get("release"))
    lacks_something = all(amazon_lacks(write.after, settings) for settings in write.settings)
    return is_let_go and not says_so and (lacks_something or bool(differs(write.after, is_let_go=False)))


def ends_a_persons_hold(write: Write) -> bool:
    """Such a hold ends by a person, or by its date; by nothing else, however closed the order is meanwhile."""
    before = write.before and write.before.decisions.hold
    if not before or write.after.redacted_at or write.by == "person":
        return False
    is_over = write.by == "clock" and before.until is not None and before.until <= write.at
    kept = write.after.decisions.hold
    return kept is None and (not is_over or before.was_manual)


def decides_for_people(write: Write) -> bool:
    """A decision changes by a person's call alone, or the warehouse's report; snoozes end, and redaction ends holds."""
    then, now = (order.decisions if order else Decisions() for order in (write.before, write.after))
    if write.by in {"person", "warehouse"}:
        return False
    return then.with_(hold=None) != now.with_(hold=None) or (
        now.hold is not None and now.hold != then.hold and write.by != "clock"
    )


def decides_something_else(write: Write) -> bool:
    """A call changes the decisions that it names, and what these contradict; a call about data changes none."""
    if write.before is None or write.by != "person":
        return False
    then, now = write.before.decisions, write.after.decisions
    changed = {name for name in Decisions.model_fields if getattr(then, name) != getattr(now, name)}
    named = write.wish.keys() & {"stage", "threePlStatus", "fullyDispatched", "snoozeUntil", "release"}
    return bool(changed) and not named


def shows_something_else_than_decided(write: Write) -> bool:
    """Once nothing hides them, decisions are what is shown: the Stage, and of an order of ours the 3PL Status."""
    after, decided = write.after, write.after.decisions
    if after.is_pending or after.is_held or after.amazon.is_pending:
        return False
    if decided.stage and after.stage != decided.stage.stage:
        return True
    status = decided.three_pl_status and decided.three_pl_status.three_pl_status
    return status is not None and not is_closed(after) and after.three_pl_status is not status


def forgets_a_wish(write: Write) -> bool:
    """What a person asked for is stored, also where it changes nothing now."""
    if write.by != "person":
        return False
    decided, wish = write.after.decisions, write.wish
    three_pl = decided.three_pl_status and decided.three_pl_status.three_pl_status
    wanted_three_pl = wish.get("threePlStatus", three_pl)
    sent = decided.dispatch.is_sent if decided.dispatch else None
    if "threePlStatus" in wish and three_pl != wanted_three_pl and wish.get("fullyDispatched") is not False:
        return not write.was(lambda order: order.is_handed_over)
    return "fullyDispatched" in wish and sent != wish["fullyDispatched"] and wish.get("threePlStatus") is None


def leaves_against_a_stop(write: Write) -> bool:
    """Only a person lets a stopped order go: no verdict, download, clock or call about data does.

    Auto Dispatch dispatches nothing that is stopped, whoever judges it.
    """
    is_asked_for = write.by == "person" and write.wish.keys() & {"stage", "threePlStatus", "fullyDispatched", "release"}
    was_stopped = write.was(is_stopped) and not write.was(is_fulfillable)
    is_dispatched_now = write.becomes(lambda order: order.dispatched_by == "us") and is_stopped(write.after)
    return is_dispatched_now or (was_stopped and is_fulfillable(write.after) and not is_asked_for)


def leaves_on_an_open_difference(write: Write) -> bool:
    """Nothing leaves with a typed value against another one of Amazon's that holds it, whoever dispatched it."""
    return is_fulfillable(write.after) and bool(differs(write.after, is_let_go=True))


def is_nowhere(write: Write) -> bool:
    """An order is held, closed, on its way, waits for a decision that the default leaves to people, or was stopped.

    The default Do Not Transfer leaves it to people, and so does the rest of a partly shipped order.
    """
    after = write.after
    if after.is_pending or is_closed(after) or after.is_held or is_stopped(after) or after.dispatched_by:
        return False
    is_left_to_people = after.amazon.is_partly_shipped or (
        after.granted is not None and after.granted.three_pl_status is ThreePlStatus.DO_NOT_TRANSFER
    )
    return after.three_pl_status is ThreePlStatus.DO_NOT_TRANSFER and not is_left_to_people


def keeps_an_alert_too_long(write: Write) -> bool:
    """Whatever Amazon calls shipped is out of everybody's hands: there is nothing to be told any more."""
    after = write.after
    return not after.is_pending and after.amazon.is_shipped and not after.voided_at and bool(after.alerts)


def tells_again_what_was_closed(write: Write) -> bool:
    """A closed alert comes back only for news: its cause ended meanwhile, and is forgotten then."""
    closed = {one.alert for one in write.after.closed_alerts}
    return bool(closed & set(write.after.alerts) - {"ChangedAfterHandOver", "ChangedAfterDispatch"})


def dispatches_against_the_settings(write: Write) -> bool:
    """An order that was granted its dispatch has it again after a hold, whatever the settings are by then."""
    created = write.after.amazon.created_at
    allowed = any(s.auto_dispatch_orders and s.may_hand_over(created) for s in write.settings)
    was_granted = write.before is not None and write.before.granted is not None and write.before.granted.is_dispatched
    return write.becomes(lambda order: order.dispatched_by == "us") and not (allowed or was_granted)


def dispatches_incomplete(write: Write) -> bool:
    """Only a person's edit may leave one so that was complete until then, and dispatched at once: that is told."""
    if not write.becomes(is_dispatched_by_us) or not write.is_incomplete or write.after.is_handed_over:
        return False
    return not (write.by == "person" and write.after.alerts and not is_fulfillable(write.after))


def departs_from_the_defaults(write: Write) -> bool:
    """A complete order's first verdict gives it the integration's defaults, for whatever nobody decided.

    The rest of a partly shipped one waits.
    """
    after, decided = write.after, write.after.decisions
    is_first = write.by == "validation" and write.becomes(lambda order: order.judged_at)
    if not is_first or after.is_held or is_closed(after):
        return False
    not_sent = decided.dispatch is not None and not decided.dispatch.is_sent

    def expected(settings: Settings) -> tuple[str | None, ThreePlStatus]:
        stage = decided.stage.stage if decided.stage else settings.default_stage
        if decided.three_pl_status:
            return stage, decided.three_pl_status.three_pl_status
        default = settings.default_three_pl_status
        waits = after.amazon.is_partly_shipped or (not_sent and default is ThreePlStatus.NOW)
        return stage, ThreePlStatus.DO_NOT_TRANSFER if waits else default

    return (after.stage, after.three_pl_status) not in [expected(settings) for settings in write.settings]


def judges_wrongly(write: Write) -> bool:
    """A verdict lists what is missing on the data that it stands on, and holds for it."""
    after = write.after
    if after.is_pending or is_closed(after):
        return False
    listed = {item.field for item in after.open_missing}
    if all(listed != lacks(after, settings) for settings in write.settings):
        return True
    return bool(listed) and not is_done_with(after) and not is_held_safely(after)


def is_held_safely(order: Order) -> bool:
    """As an incomplete order has to be: Stage Needs Attention, not dispatched, Do Not Transfer to 3PL."""
    return (
        order.is_held
        and order.stage == NEEDS_ATTENTION
        and order.fully_dispatched_at is None
        and order.three_pl_status is ThreePlStatus.DO_NOT_TRANSFER
    )


def is_not_one_revision_on(write: Write) -> bool:
    before = write.before.revision if write.before else 0
    return write.after.revision != before + 1


def is_incomplete_and(question: Callable[[Order], object]) -> Callable[[Write], bool]:
    return lambda write: bool(question(write.after)) and write.may_have_let_it_out and write.is_incomplete


LAWS: dict[str, Callable[[Write], bool]] = {
    "an incomplete order that no administrator released is never transferable": is_incomplete_and(
        lambda order: order.is_transferable
    ),
    "an incomplete order that no administrator released is never fulfillable": is_incomplete_and(is_fulfillable),
    "an incomplete order that no administrator released never becomes dispatched by us": dispatches_incomplete,
    "a decision changes only by a person's call": decides_for_people,
    "a call about data decides nothing": decides_something_else,
    "a decision is stored also where it changes nothing": forgets_a_wish,
    "what people decided is shown where nothing hides it": shows_something_else_than_decided,
    "a stopped order leaves only by a person's word": leaves_against_a_stop,
    "nothing leaves on a difference that holds it": leaves_on_an_open_difference,
    "an order is held, closed, on its way, or stopped": is_nowhere,
    "no alert outlasts the delivery": keeps_an_alert_too_long,
    "a closed alert is not raised again": tells_again_what_was_closed,
    "only what may leave at that instant is handed over": hands_over_what_may_not_leave,
    "nothing is transferable while its verdict is pending": lambda write: (
        write.after.is_pending and (write.after.is_transferable or write.after.is_fulfillable)
    ),
    "nothing in Needs Attention is transferable": lambda write: (
        write.after.stage == NEEDS_ATTENTION and write.after.is_transferable
    ),
    "what is held is in Needs Attention, not dispatched, and not for the warehouse": lambda write: (
        write.after.is_held
        and not (write.after.is_pending or is_closed(write.after))
        and not is_held_safely(write.after)
    ),
    "what Amazon cancelled, shipped or fulfils itself is never transferable": lambda write: (
        write.after.is_transferable
        and (
            write.after.amazon.is_cancelled
            or write.after.amazon.is_shipped
            or write.after.amazon.is_pending
            or write.after.amazon.is_fulfilled_by_amazon
        )
    ),
    "a redacted order is never transferable": lambda write: (
        write.after.redacted_at is not None
        and not write.after.is_handed_over
        and (write.after.is_transferable or write.after.three_pl_status is not ThreePlStatus.DO_NOT_TRANSFER)
    ),
    "a redacted order is never held": lambda write: (
        write.after.redacted_at is not None and (write.after.is_held or write.after.stage == NEEDS_ATTENTION)
    ),
    "a redacted order is never filled again": lambda write: (
        write.was(lambda order: order.redacted_at) and (has_personal_data(write.after) or not write.after.redacted_at)
    ),
    "a redaction leaves no personal data": lambda write: (
        write.after.redacted_at is not None and has_personal_data(write.after)
    ),
    "absence never erases": loses_what_amazon_said,
    "an older version never wins": lambda write: write.was(
        lambda order: order.amazon.updated_at > write.after.amazon.updated_at
    ),
    "downloads write Amazon's data and people their edits": changes_what_is_not_its_own,
    "an order belongs to one integration": lambda write: (
        write.by == "another integration" or write.was(lambda order: order.integration != write.after.integration)
    ),
    "only an administrator's override accepts what is missing, and nothing else": accepts_without_override,
    "what the warehouse has stays with it": lambda write: (
        write.was(lambda order: order.is_handed_over) and not write.after.is_handed_over
    ),
    "a void order stays void": lambda write: write.was(lambda order: order.voided_at) and not write.after.voided_at,
    "validation lets go only what Amazon itself completed": lets_go_by_itself_what_amazon_left_incomplete,
    "only a person ends a hold that a person began": ends_a_persons_hold,
    "Auto Dispatch is asked before anything is dispatched by it": dispatches_against_the_settings,
    "a complete order gets the integration's defaults": departs_from_the_defaults,
    "a verdict lists what is missing, and an incomplete order is held": judges_wrongly,
    "every write is one revision on": is_not_one_revision_on,
    "the lists and indexes show the order as it is": lambda write: write.item != to_item(write.after),
}


def is_told_yes_for_nothing(wish: dict[str, Any], told: dict[str, Any]) -> bool:
    """The answer shows an order that differs from the request."""
    asked, shown = dict[str, Any](), dict[str, Any]()
    is_hidden = told["status"] in {"Draft", "Dispatched"} or told["fulfilledBy"] == "AMAZON" or told["hold"]
    if wish.get("threePlStatus"):
        asked["threePlStatus"], shown["threePlStatus"] = wish["threePlStatus"], told["threePlStatus"]
    if wish.get("stage") and not (wish["stage"] == NEEDS_ATTENTION and is_hidden):
        asked["stage"], shown["stage"] = wish["stage"], told["stage"].lower().replace(" ", "-")
    if wish.get("fullyDispatched") is not None:
        asked["isDispatched"], shown["isDispatched"] = wish["fullyDispatched"], told["status"] == "Dispatched"
    if wish.get("release"):
        asked["hold"], shown["hold"] = None, told["hold"]
    return asked != shown


class Quiet(NamedTuple):
    """The order once nothing is on its way any more. `settings` are those that the last verdict may stand on."""

    order: Order
    settings: Sequence[Settings]
    now: datetime


def is_not_judged_on_its_latest_data(quiet: Quiet) -> bool:
    order = quiet.order
    if order.is_pending:
        return True
    if is_closed(order):
        return False
    return all({item.field for item in order.open_missing} != lacks(order, s) for s in quiet.settings)


def is_held_though_amazon_completed_it(quiet: Quiet) -> bool:
    order = quiet.order
    is_waiting = order.hold is not None and not order.decisions.hold and not is_closed(order)
    return (
        is_waiting
        and not differs(order, is_let_go=False)
        and not any(
            find_missing(order.amazon, order.edits, s) or find_missing(order.amazon, Edits(), s) for s in quiet.settings
        )
    )


def is_incomplete_and_loose(quiet: Quiet) -> bool:
    order = quiet.order
    is_incomplete = not is_closed(order) and all(lacks(order, s) for s in quiet.settings)
    return is_incomplete and not is_done_with(order) and not is_held_safely(order)


def is_owed_something(quiet: Quiet) -> bool:
    order = quiet.order
    snooze_ends = order.decisions.hold and order.decisions.hold.until
    return bool((snooze_ends and snooze_ends <= quiet.now) or (order.redact_at and order.redact_at <= quiet.now))


def is_open_though_amazon_closed_it(quiet: Quiet) -> bool:
    order = quiet.order
    is_over = order.amazon.is_cancelled or order.amazon.is_shipped
    return is_over and not order.is_handed_over and order.three_pl_status is not ThreePlStatus.DO_NOT_TRANSFER


LAWS_ONCE_QUIET: dict[str, Callable[[Quiet], bool]] = {
    "no snooze outlasts its date, and no personal data its time": is_owed_something,
    "every order has a verdict on its latest data": is_not_judged_on_its_latest_data,
    "what Amazon completed is healed": is_held_though_amazon_completed_it,
    "an incomplete order is in Needs Attention, not dispatched, and not for the warehouse": is_incomplete_and_loose,
    "what Amazon cancelled or shipped is not for the warehouse": is_open_though_amazon_closed_it,
}

"""The properties that no history may break: each with a code, a sentence, and checks of a write or an order at rest."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.model.decisions.alerts import alerts_of, is_sent, news_now
from tests.model.decisions.item import (
    ALERT_ASKED_TO_CANCEL,
    ALERT_BACK,
    ALERT_CANCELLED,
    ALERT_CHANGED,
    ALERT_LATE_VALUE,
    ALERT_MISSING,
    BLANK,
    CLOSED_AT_AMAZON,
    DISPATCHED_BEFORE_HAND_OVER,
    DISPATCHED_BY_US,
    LAST_JUDGED_ELSEWHERE,
    LINE_GAPS,
    MISSING_X,
    OWNED_BLANK,
    DispatchDecision,
    Dispatched,
    Item,
    Settings,
    is_handed_over,
    is_held_in_any_way,
    is_really_dispatched,
)
from tests.model.decisions.lines import left_at_amazon, number_in_the_warehouses_eyes, number_to_send
from tests.model.decisions.memory import Memory
from tests.model.decisions.people import SENDING, Act
from tests.model.decisions.rules import Rules
from tests.model.decisions.situation import (
    Situation,
    is_fulfillable,
    is_released_to_3pl,
    is_transferable,
)
from tests.model.values import Stage, Status, ThreePl

PROPERTIES = {
    # Nothing incomplete, doubtful or asked back leaves, beyond what was accepted.
    "A": "an order with something missing that nobody accepted leaves",
    "A2": "an order with something missing that nobody accepted is fulfillable",
    "A3": "nobody knows whether the order was shipped already, nobody confirmed that it is ours, and it is on its way",
    "A4": "the buyer asked to cancel, nobody answered, and the order is on its way",
    # People's last words hold.
    "B": "an order leaves against a person's last word",
    "B2": "an order leaves while it is snoozed or held by hand",
    "B3": "a decision does not show on an order that nothing masks",
    "B4": "nothing has left, and a person cannot stop it",
    "B5": "a release was taken, and the order is still held",
    # No typed value leaves against another one of Amazon's without a word about it.
    "C": "a typed value leaves against Amazon's other one, which came while the order was held",
    "C2": "Amazon changed the value that it had given, and the typed one is on its way",
    # Every order at rest is held, closed, on its way or stopped by a person, and bad news is loud.
    "D": "an order goes nowhere: not held, not closed, not on its way, and nobody decided so",
    "D1": "an order is held, and not in Needs Attention",
    "D2": "an order is in Needs Attention, and yet dispatched or about to be transferred",
    "D3": "bad news after hand-over, dispatch or void raises no alert",
    "D4": "the warehouse shipped the order, which stays Open for ever",
    "D5": "an order shows as dispatched by Amazon, which says otherwise",
    "D6": "an order is cancelled and not void",
    "D7": "an order is shipped and not Dispatched",
    "D8": "a verdict forgets a real dispatch",
    # Alerts end.
    "L": "an alert is raised without news, or one that a person closed comes back",
    "L2": "an alert is open, and its cause is over",
    "L3": "an alert is open on an order that is sent",
    # Every verdict comes, untouched orders end at the defaults, and what Amazon fills heals.
    "E1": "a verdict is pending for ever",
    "E2": "the list of what is missing is out of date for ever",
    "E3": "a complete order that nobody touched is not at the defaults",
    "F": "Amazon filled the gap as it was typed, and the order never heals",
    # Going out needs a person's word where Amazon's data does not suffice; that word lasts until there is news.
    "G": "an order is let go on typed values or confirmations, and no person said go",
    "R": "an order is held again although a person released it and nothing is new",
    # Nothing is sent twice.
    "Q": "more may leave than Amazon has left, or nobody knows how much, and no administrator accepted that",
    "Q2": "what the warehouse took changes in its eyes",
    "Q3": "a part was shipped at Amazon, and the rest leaves without a person's word",
    # People always have a way out.
    "N": "an order is held, and no act of people ends that",
    "N2": "one act does not take either side of a difference",
    # Fail closed; absence; redaction.
    "P": "an order is fulfillable on data that nobody judged",
    "S4": "absence erased a stored value",
    "S5": "a redacted order was filled again",
    "S7": "a redacted order is still held",
    "S8": "a redacted order is transferable",
}


# Writes ---------------------------------------------------------------------------------------------------------------


class Write(NamedTuple):
    """One write: the item before and after, the memory with the act in it, and the act if a person wrote."""

    old: Item
    new: Item
    memory: Memory
    settings: Settings
    act: Act | None = None
    by_download: bool = False

    @property
    def is_taken(self) -> bool:
        """The warehouse takes the order."""
        return self.new.three_pl is ThreePl.TRANSFERRED and self.old.three_pl is not ThreePl.TRANSFERRED

    @property
    def was_dispatched(self) -> bool:
        """The order was really dispatched before, by us or by a person."""
        return self.old.dispatched in DISPATCHED_BEFORE_HAND_OVER and self.old.three_pl is ThreePl.DO_NOT_TRANSFER


def broken_by_write(w: Write, memory_after: Memory, rules: Rules) -> tuple[str, ...]:
    """The codes of the properties that a write breaks."""
    raised = w.new.alerts & ~w.old.alerts & ~LAST_JUDGED_ELSEWHERE
    comes_back = ("L",) if raised & ~memory_after.untold else ()
    becomes_fulfillable = is_fulfillable(w.new, rules) and not w.was_dispatched and not is_fulfillable(w.old, rules)
    checks = ON_EVERY_WRITE
    if becomes_fulfillable or w.is_taken:
        checks += ON_THE_WAY_OUT
    if becomes_fulfillable:
        checks += ON_BECOMING_FULFILLABLE
    s = Situation(w.new, w.settings, rules)
    return comes_back + tuple(code for code, is_broken in checks if is_broken(w, s))


def _against_the_last_word(w: Write, _: Situation) -> bool:
    if w.act is Act.SENT:
        return False
    was_sent_since = w.memory.said_sent_since and not w.is_taken
    return w.memory.said_hold or w.memory.said_not_sent or (w.memory.said_do_not_transfer and not was_sent_since)


def _on_typed_values_alone(w: Write, s: Situation) -> bool:
    was_let_go = w.old.is_judged and not w.old.is_held and w.old.is_granted
    return bool(s.missing_at_amazon & ~w.new.accepted) and not w.memory.said_go and not was_let_go


def _rest_leaves_by_itself(w: Write, _: Situation) -> bool:
    is_decided = w.new.decided_three_pl is not None or w.new.decided_dispatch or w.act in SENDING
    return w.new.status is Status.PARTLY_SHIPPED and not is_decided


def _sends_too_much(w: Write, s: Situation) -> bool:
    number = number_to_send(w.new, s.rules)
    return not w.new.accepted & LINE_GAPS and (number is None or number > left_at_amazon(w.new))


def _changes_in_the_warehouses_eyes(w: Write, s: Situation) -> bool:
    if not (is_handed_over(w.old) and is_handed_over(w.new)) or w.new.is_redacted:
        return False
    before, after = (number_in_the_warehouses_eyes(item, s.rules) for item in (w.old, w.new))
    return before != after


def _held_again_without_news(w: Write, s: Situation) -> bool:
    if not w.new.is_held or w.old.is_held or w.act or not w.memory.said_go:
        return False
    return not (w.memory.changed_value or w.memory.late_value or s.line_differs or s.open_missing)


type CheckOfWrite = Callable[[Write, Situation], bool]

ON_EVERY_WRITE: tuple[tuple[str, CheckOfWrite], ...] = (
    ("R", _held_again_without_news),
    ("B5", lambda w, _: w.act in (Act.RELEASE, Act.STAGE, Act.OVERRIDE) and is_held_in_any_way(w.new)),
    ("D8", lambda w, _: not w.act and w.was_dispatched and not w.new.dispatched),
    ("S5", lambda w, _: w.new.is_redacted and bool(w.new.amazon_x or w.new.typed_x or w.new.typed_y)),
    ("Q2", _changes_in_the_warehouses_eyes),
    ("S4", lambda w, _: bool(w.old.amazon_x) and not w.new.amazon_x and not w.new.is_redacted),
)
ON_THE_WAY_OUT: tuple[tuple[str, CheckOfWrite], ...] = (
    # A download leaves the verdict pending: P watches that its data does not leave before the verdict.
    ("A", lambda w, s: bool(s.open_missing) and not w.by_download),
    ("B", _against_the_last_word),
    ("B2", lambda w, _: bool(w.new.decided_hold)),
    ("C", lambda w, _: w.memory.late_value),
    ("Q", _sends_too_much),
)
ON_BECOMING_FULFILLABLE: tuple[tuple[str, CheckOfWrite], ...] = (
    ("G", _on_typed_values_alone),
    ("Q3", _rest_leaves_by_itself),
)


# Orders at rest -------------------------------------------------------------------------------------------------------


type Perform = Callable[[Act, Item], Item | None]


class Rest:
    """An order whose verdict is in, while nothing is half done and no settings wait for it."""

    __slots__ = (
        "is_closed",
        "is_dispatched",
        "is_fulfillable",
        "is_handed_over",
        "is_held",
        "item",
        "memory",
        "missing_at_amazon",
        "perform",
        "rules",
        "s",
    )

    def __init__(self, s: Situation, memory: Memory, perform: Perform) -> None:
        item = s.item
        self.s = s
        self.item = item
        self.memory = memory
        self.rules = s.rules
        self.perform = perform
        self.missing_at_amazon = s.missing_at_amazon
        self.is_fulfillable = is_fulfillable(item, s.rules)
        self.is_handed_over = is_handed_over(item)
        self.is_dispatched = is_really_dispatched(item)
        self.is_closed = (
            item.is_void
            or self.is_handed_over
            or item.status in (*CLOSED_AT_AMAZON, Status.PENDING)
            or (item.is_fba and not s.open_missing)
            or self.is_dispatched
        )
        self.is_held = item.stage is Stage.NEEDS_ATTENTION and is_held_in_any_way(item)


def broken_at_rest(
    s: Situation, memory: Memory, perform: Perform, *, awaits_rejudgement: bool, has_record: bool
) -> tuple[str, ...]:
    """The codes of the properties that an order breaks as it stands."""
    if not s.item.is_stored or s.item.is_earlier:
        return ()  # nothing of this release has looked at it
    if s.item.is_redacted:
        return tuple(_broken_when_redacted(s.item, s.rules))
    if s.item.is_pending:
        return tuple(_broken_while_pending(s.item, s.rules, has_record=has_record))
    if awaits_rejudgement:
        return ()
    rest = Rest(s, memory, perform)
    return tuple(code for code, is_broken in AT_REST if is_broken(rest))


def _broken_when_redacted(item: Item, rules: Rules) -> Iterator[str]:
    if not item.is_pending and is_held_in_any_way(item):
        yield "S7"
    if is_released_to_3pl(item._replace(is_redacted=False), rules) and not is_handed_over(item):
        yield "S8"


def _broken_while_pending(item: Item, rules: Rules, *, has_record: bool) -> Iterator[str]:
    if is_fulfillable(item, rules):
        yield "P"
    if not has_record and not rules.sweep:
        yield "E1"


def _list_is_out_of_date(r: Rest) -> bool:
    is_listed = r.item.status not in CLOSED_AT_AMAZON and not r.is_handed_over and not r.item.is_void
    return is_listed and r.item.missing != r.s.missing


def _incomplete_and_fulfillable(r: Rest) -> bool:
    return bool(r.s.open_missing) and (r.is_fulfillable or is_transferable(r.item, r.rules))


def _doubtful_and_fulfillable(r: Rest) -> bool:
    in_doubt = r.item.status is Status.UNKNOWN or r.memory.in_doubt
    return r.is_fulfillable and in_doubt and not r.memory.confirmed_ours


def _transfers_while_held(r: Rest) -> bool:
    is_going = r.item.three_pl is not ThreePl.DO_NOT_TRANSFER or r.item.dispatched in DISPATCHED_BEFORE_HAND_OVER
    return r.is_held and is_going


def _goes_nowhere(r: Rest) -> bool:
    item = r.item
    is_decided = item.decided_three_pl is not None or item.decided_dispatch
    waits_for_a_person = item.status is Status.PARTLY_SHIPPED
    if r.is_closed or r.is_held or r.is_fulfillable or is_decided or waits_for_a_person:
        return False
    is_as_granted = item.three_pl == item.granted_three_pl and item.dispatched == item.granted_dispatch
    return not (item.is_granted and is_as_granted)


def _hides_a_decision(r: Rest) -> bool:
    item = r.item
    if r.is_closed or r.is_held or not r.rules.apart:
        return False
    hides_stage = item.decided_stage and item.stage is not Stage.OWN
    hides_three_pl = item.decided_three_pl is not None and item.three_pl != item.decided_three_pl
    hides_sent = item.decided_dispatch is DispatchDecision.SENT and item.dispatched in (
        Dispatched.NO,
        Dispatched.BY_US,
    )
    hides_not_sent = (
        item.decided_dispatch is DispatchDecision.NOT_SENT and item.dispatched in DISPATCHED_BEFORE_HAND_OVER
    )
    return hides_stage or hides_three_pl or hides_sent or hides_not_sent


def _expected_alerts(r: Rest) -> int:
    """The alerts whose news concerns people as the order is now, should there be news."""
    item = r.item
    if is_sent(item):
        return 0
    if r.is_handed_over:
        return ALERT_CANCELLED | ALERT_ASKED_TO_CANCEL | ALERT_CHANGED | ALERT_LATE_VALUE | ALERT_BACK
    if item.is_void:
        return ALERT_BACK | (ALERT_CANCELLED if item.dispatched in DISPATCHED_BY_US else 0)
    if r.is_dispatched:
        return ALERT_MISSING | ALERT_ASKED_TO_CANCEL | ALERT_CHANGED | ALERT_LATE_VALUE | ALERT_BACK
    is_closed = item.status is Status.PENDING or item.is_fba
    return 0 if is_closed or is_held_in_any_way(item) else ALERT_LATE_VALUE


def _silent_about_bad_news(r: Rest) -> bool:
    return bool(r.memory.untold & _expected_alerts(r) & ~r.item.alerts)


def _outlives_its_cause(r: Rest) -> bool:
    causes = alerts_of(news_now(r.s)) & _expected_alerts(r)
    # A change has no end: it stays until a person closes it, or the order is sent.
    return not is_sent(r.item) and bool(r.item.alerts & ~causes & ~(ALERT_CHANGED | LAST_JUDGED_ELSEWHERE))


def _wrongly_dispatched_by_amazon(r: Rest) -> bool:
    is_ours = not r.is_handed_over and not r.item.is_void and not r.is_held
    return r.item.dispatched is Dispatched.BY_AMAZON and r.item.status not in CLOSED_AT_AMAZON and is_ours


def _not_at_the_defaults(r: Rest) -> bool:
    item = r.item
    if r.memory.is_touched or r.is_closed or r.missing_at_amazon or item.status is Status.PARTLY_SHIPPED:
        return False
    shown = (item.stage, item.three_pl, item.dispatched)
    return r.is_held or shown != (Stage.DEFAULT, item.granted_three_pl, item.granted_dispatch)


def _cannot_be_stopped(r: Rest) -> bool:
    item = r.item
    has_left = item.is_void or r.is_handed_over or item.status in CLOSED_AT_AMAZON or r.is_dispatched
    if not r.rules.apart or has_left or item.decided_three_pl is ThreePl.DO_NOT_TRANSFER:
        return False
    return r.perform(Act.DO_NOT_TRANSFER, item) is None


def _never_heals(r: Rest) -> bool:
    item = r.item
    if not item.is_held or item.decided_hold or r.is_closed or r.missing_at_amazon:
        return False
    is_filled_as_typed = not r.s.missing and item.typed_x in (BLANK, item.amazon_x)
    lacks_x_at_most = not r.s.missing & ~MISSING_X
    return is_filled_as_typed or (lacks_x_at_most and item.typed_y and item.typed_x in (BLANK, OWNED_BLANK))


def _has_no_way_out(r: Rest) -> bool:
    """An editor (an administrator where lines are missing) can always end a hold: fill, keep, confirm, release."""
    if not r.is_held or r.is_closed:
        return False
    item = r.item
    for act in (Act.TYPE_X_1, Act.KEEP_TYPED, Act.CONFIRM, Act.OVERRIDE, Act.RELEASE):
        s = Situation(item, r.s.settings, r.rules)
        is_needless = (act is Act.TYPE_X_1 and not s.missing & MISSING_X) or (
            act is Act.OVERRIDE and not s.open_missing & LINE_GAPS
        )
        if not is_needless:
            item = r.perform(act, item) or item
    return is_held_in_any_way(item)


def _needs_more_than_one_act(r: Rest) -> bool:
    """`keepTyped` and `null` heal at once an order that lacks nothing else."""
    lacks_nothing_else = r.s.differs and not r.s.missing and not r.missing_at_amazon
    if not r.is_held or r.is_closed or not lacks_nothing_else or not r.item.is_held or r.item.decided_hold:
        return False
    taken = [r.perform(act, r.item) for act in (Act.KEEP_TYPED, Act.CLEAR_X)]
    return any(item is None or item.is_held for item in taken)


AT_REST: tuple[tuple[str, Callable[[Rest], bool]], ...] = (
    ("E2", _list_is_out_of_date),
    ("A2", _incomplete_and_fulfillable),
    ("A4", lambda r: r.is_fulfillable and r.item.cancel_requests > r.memory.answered_requests),
    ("A3", _doubtful_and_fulfillable),
    ("C2", lambda r: (r.memory.changed_value or r.s.line_differs) and r.is_fulfillable),
    ("D1", lambda r: is_held_in_any_way(r.item) and r.item.stage is not Stage.NEEDS_ATTENTION and not r.is_closed),
    ("D2", _transfers_while_held),
    ("D", _goes_nowhere),
    ("B3", _hides_a_decision),
    ("D3", _silent_about_bad_news),
    ("L2", _outlives_its_cause),
    ("L3", lambda r: is_sent(r.item) and bool(r.item.alerts & ~LAST_JUDGED_ELSEWHERE)),
    ("D4", lambda r: r.is_handed_over and r.item.status is Status.SHIPPED and not r.item.dispatched),
    ("D5", _wrongly_dispatched_by_amazon),
    ("D6", lambda r: r.item.status is Status.CANCELLED and not r.item.is_void and not r.is_handed_over),
    ("D7", lambda r: r.item.status is Status.SHIPPED and not r.item.dispatched and not r.item.is_void),
    ("N", _has_no_way_out),
    ("N2", _needs_more_than_one_act),
    ("B4", _cannot_be_stopped),
    ("E3", _not_at_the_defaults),
    ("F", _never_heals),
)

"""People's acts on an order. Each act is judged in its own write, so that no later verdict overturns it."""

from enum import StrEnum

from tests.model.decisions.earlier import in_the_form_of_now
from tests.model.decisions.item import (
    BLANK,
    CLOSED_AT_AMAZON,
    DISPATCHED_BEFORE_HAND_OVER,
    LINE_GAPS,
    MISSING_ANSWER,
    MISSING_CONFIRMATION,
    MISSING_X,
    OWNED_BLANK,
    DispatchDecision,
    Dispatched,
    HoldDecision,
    Item,
    Settings,
    TypedLine,
    is_handed_over,
    is_held_in_any_way,
    waits_for_transfer,
)
from tests.model.decisions.lines import has_goods
from tests.model.decisions.rules import Rules
from tests.model.decisions.situation import Situation, is_changed, is_in_doubt
from tests.model.decisions.verdict import grant, judge, show
from tests.model.values import Stage, Status, ThreePl


class Act(StrEnum):
    """A call of the API, or a part of one."""

    TYPE_X_1 = "type x=1"
    TYPE_X_2 = "type x=2"
    CLEAR_X = "x: null"
    TYPE_Y = "type y"
    CLEAR_Y = "y: null"
    TYPE_LINE = "type the line"
    TYPE_NAMELESS_LINE = "type a line without an ID"
    CLEAR_LINES = "lineItems: null"
    KEEP_TYPED = "keepTyped"
    CONFIRM = "confirm"
    CLOSE_ALERTS = "close all alerts"
    DO_NOT_TRANSFER = "Do Not Transfer"
    HOLD = "hold by hand"
    SNOOZE = "snooze"
    NOT_SENT = "fullyDispatched: false"
    RELEASE = "release"
    STAGE = "change the Stage"
    OVERRIDE = "override"
    UPON_COMPLETION = "Transfer Upon Completion"
    NOW = "Transfer Now"
    SENT = "fullyDispatched: true"
    CLEAR_STAGE = "stage: null"
    CLEAR_THREE_PL = "threePlStatus: null"
    CLEAR_DISPATCH = "fullyDispatched: null"


EDITS = (
    Act.TYPE_X_1,
    Act.TYPE_X_2,
    Act.CLEAR_X,
    Act.TYPE_Y,
    Act.CLEAR_Y,
    Act.TYPE_LINE,
    Act.TYPE_NAMELESS_LINE,
    Act.CLEAR_LINES,
    Act.KEEP_TYPED,
    Act.CONFIRM,
)
TYPED_LINES = {
    Act.TYPE_LINE: TypedLine.NAMED,
    Act.TYPE_NAMELESS_LINE: TypedLine.NAMELESS,
    Act.CLEAR_LINES: TypedLine.NONE,
}
STOPS = (Act.DO_NOT_TRANSFER, Act.HOLD, Act.SNOOZE, Act.NOT_SENT)
GO_ACTS = (Act.RELEASE, Act.STAGE, Act.OVERRIDE, Act.UPON_COMPLETION, Act.NOW, Act.SENT)
SENDING = (Act.UPON_COMPLETION, Act.NOW, Act.SENT)
CLEARED_DECISIONS = (Act.CLEAR_STAGE, Act.CLEAR_THREE_PL, Act.CLEAR_DISPATCH)
ALL_ACTS = (*EDITS, *STOPS, *GO_ACTS, *CLEARED_DECISIONS, Act.CLOSE_ALERTS)


def perform(act: Act, item: Item, settings: Settings, rules: Rules) -> Item | None:
    """The order after the act, or None where the act is refused or changes nothing."""
    if act is Act.CLOSE_ALERTS:
        # Those that are open: a pending verdict may raise further ones.
        return item._replace(alerts=0) if item.alerts else None
    item = in_the_form_of_now(item, settings, rules)
    if item.is_pending and not is_before_the_verdict(act, item, rules):
        item = judge(item, settings, rules)
    if item.is_redacted:
        return None
    s = Situation(item, settings, rules)
    if act in EDITS:
        return _judged_if_changed(s, _edited(act, s))
    return _after_hand_over(act, s) if is_handed_over(item) else _before_hand_over(act, s)


def is_before_the_verdict(act: Act, item: Item, rules: Rules) -> bool:
    """Whether the act leaves what is pending for later: a stop is laid in first, and alerts are closed as they are."""
    return act is Act.CLOSE_ALERTS or (act in STOPS and rules.stop_first and not is_handed_over(item))


def end_snooze(item: Item, settings: Settings, rules: Rules) -> Item:
    """The clock ends a snooze on its date."""
    if item.is_pending:
        item = judge(item, settings, rules)
    was_let_go = item.is_judged and not item.is_held
    was_over_manual = item.decided_hold is HoldDecision.SNOOZED_OVER_MANUAL
    ended = item._replace(decided_hold=HoldDecision.MANUAL if was_over_manual else HoldDecision.NONE)
    if not rules.layers and was_let_go and not was_over_manual:
        ended = ended._replace(is_held=True)
    return judge(ended, settings, rules)


def _judged(s: Situation, item: Item) -> Item:
    return judge(item, s.settings, s.rules)


def _judged_if_changed(s: Situation, item: Item | None) -> Item | None:
    return None if item is None or item == s.item else judge(item, s.settings, s.rules)


def _is_draft_or_fba(item: Item) -> bool:
    return item.status is Status.PENDING or item.is_fba


# Edits ----------------------------------------------------------------------------------------------------------------


def _edited(act: Act, s: Situation) -> Item | None:
    item = s.item
    edited: Item | None = item
    match act:
        case Act.TYPE_X_1 | Act.TYPE_X_2:
            edited = item._replace(typed_x=1 if act is Act.TYPE_X_1 else 2, settled=item.amazon_x, news=False)
        case Act.CLEAR_X:
            edited = item._replace(typed_x=BLANK, settled=BLANK, news=False)
        case Act.TYPE_Y:
            edited = _with_y_typed(s)
        case Act.CLEAR_Y:
            edited = item._replace(typed_y=False)
        case Act.TYPE_LINE | Act.TYPE_NAMELESS_LINE | Act.CLEAR_LINES:
            typed = TYPED_LINES[act]
            edited = item._replace(typed_line=typed, settled_without_goods=bool(typed) and not has_goods(item))
        case Act.KEEP_TYPED:
            edited = _settled(s) if s.differs else None
        case _:
            edited = _confirmed(s) if s.missing & (MISSING_ANSWER | MISSING_CONFIRMATION) else None
    return edited


def _settled(s: Situation) -> Item:
    """What Amazon says of typed values is known to the person."""
    item = s.item
    return item._replace(
        settled=item.amazon_x if item.typed_x else item.settled,
        settled_without_goods=bool(item.typed_line) and not has_goods(item),
        news=False,
    )


def _with_y_typed(s: Situation) -> Item:
    item = s.item
    if s.rules.parts:
        return item._replace(typed_y=True)
    return item._replace(typed_y=True, typed_x=item.typed_x or item.amazon_x or OWNED_BLANK, settled=item.amazon_x)


def _confirmed(s: Situation) -> Item:
    """Answers the cancel requests that are there, and confirms that an order in doubt is ours to send."""
    return s.item._replace(
        answered_requests=s.item.cancel_requests if s.rules.asked_count else 2,
        confirmed_ours=True if is_in_doubt(s.item, s.rules) else s.item.confirmed_ours,
    )


# After the hand-over --------------------------------------------------------------------------------------------------


def _after_hand_over(act: Act, s: Situation) -> Item | None:
    item = s.item
    if act is Act.SENT and not item.is_void:
        is_reported = item.dispatched is Dispatched.REPORTED
        sent = item._replace(dispatched=Dispatched.REPORTED, decided_dispatch=DispatchDecision.SENT)
        return None if is_reported else _judged(s, sent)
    if act is Act.NOT_SENT:
        may_take_it_back = item.dispatched is Dispatched.REPORTED and item.status is not Status.SHIPPED
        taken_back = item._replace(dispatched=Dispatched.NO, decided_dispatch=DispatchDecision.NOT_SENT)
        return _judged(s, taken_back) if may_take_it_back else None
    if act in (Act.DO_NOT_TRANSFER, Act.UPON_COMPLETION, Act.NOW) and item.three_pl is ThreePl.WITH_ERRORS:
        return _take_back_from_3pl(act, s)
    return None


def _take_back_from_3pl(act: Act, s: Situation) -> Item | None:
    item = s.item
    if item.is_void or item.status in CLOSED_AT_AMAZON or item.dispatched is Dispatched.REPORTED:
        return None
    taken = item._replace(three_pl=ThreePl.DO_NOT_TRANSFER, decided_three_pl=None, parcel=None)
    if s.rules.undo_back:
        is_not_sent = item.decided_dispatch is DispatchDecision.NOT_SENT
        taken = taken._replace(
            dispatched=Dispatched.NO,
            granted_dispatch=Dispatched.NO,
            decided_dispatch=DispatchDecision.NOT_SENT if is_not_sent else DispatchDecision.NONE,
        )
    taken = _judged(s, taken)
    if act is Act.DO_NOT_TRANSFER:
        return _judged(s, taken._replace(decided_three_pl=ThreePl.DO_NOT_TRANSFER) if s.rules.apart else taken)
    return _go(act, Situation(taken, s.settings, s.rules))


def _before_hand_over(act: Act, s: Situation) -> Item | None:
    if s.item.is_void or s.item.status in CLOSED_AT_AMAZON:
        return None
    if act in STOPS:
        return _stop(act, s)
    return _clear_decision(act, s) if act in CLEARED_DECISIONS else _go(act, s)


# Acts that stop an order ----------------------------------------------------------------------------------------------


def _stop(act: Act, s: Situation) -> Item | None:
    item = s.item
    if _is_draft_or_fba(item) and not s.rules.stop_draft:
        return None
    if act in (Act.DO_NOT_TRANSFER, Act.HOLD, Act.NOT_SENT) and _is_forgotten(act, s):
        return item
    match act:
        case Act.DO_NOT_TRANSFER:
            return _judged_if_changed(s, _do_not_transfer(s))
        case Act.NOT_SENT:
            return _judged_if_changed(s, _dispatch_taken_back(s))
        case _:
            return _judged_if_changed(s, _held(act, s))


def _is_forgotten(act: Act, s: Situation) -> bool:
    """Without `noop`, a stop on a held order is answered with success, and nothing of it is stored."""
    if not is_held_in_any_way(s.item) or s.rules.noop:
        return False
    if act is Act.HOLD:
        return not _has_real_dispatch(s.item)
    return act is Act.NOT_SENT or s.rules.apart


def _has_real_dispatch(item: Item) -> bool:
    return item.dispatched not in (Dispatched.NO, Dispatched.BY_AMAZON) and item.three_pl is ThreePl.DO_NOT_TRANSFER


def _do_not_transfer(s: Situation) -> Item:
    item = s.item
    if not s.rules.apart:
        return item._replace(three_pl=ThreePl.DO_NOT_TRANSFER)
    stopped = item._replace(decided_three_pl=ThreePl.DO_NOT_TRANSFER)
    if not _has_real_dispatch(item) and s.rules.undo_dnt:
        # A hold hides a dispatch that waits for its transfer: it is undone there too.
        dispatched = Dispatched.NO if waits_for_transfer(item) else item.dispatched
        stopped = stopped._replace(dispatched=dispatched, granted_dispatch=Dispatched.NO)
    only_waits = item.decided_dispatch is DispatchDecision.SENT and not _has_real_dispatch(item)
    if only_waits and s.rules.later_wins:
        stopped = stopped._replace(decided_dispatch=DispatchDecision.NONE)
    if not is_held_in_any_way(item) and not _is_draft_or_fba(item):
        stopped = stopped._replace(three_pl=ThreePl.DO_NOT_TRANSFER)
    return stopped


def _dispatch_taken_back(s: Situation) -> Item | None:
    item = s.item
    can_be_undone = item.dispatched in (*DISPATCHED_BEFORE_HAND_OVER, Dispatched.REPORTED)
    if not s.rules.apart:
        return item._replace(dispatched=Dispatched.NO) if can_be_undone else None
    ends_now = item.decided_three_pl is ThreePl.NOW and s.rules.later_wins
    stopped = item._replace(
        decided_dispatch=DispatchDecision.NOT_SENT,
        dispatched=Dispatched.NO if can_be_undone else item.dispatched,
        decided_three_pl=None if ends_now else item.decided_three_pl,
    )
    if item.three_pl is ThreePl.NOW and stopped.decided_three_pl is None and s.rules.back_stops:
        stopped = stopped._replace(three_pl=ThreePl.DO_NOT_TRANSFER)
    return stopped


def _held(act: Act, s: Situation) -> Item | None:
    item = s.item
    if _has_real_dispatch(item):
        return None
    if act is Act.HOLD:
        return item._replace(decided_hold=HoldDecision.MANUAL)
    is_over_manual = item.decided_hold in (HoldDecision.MANUAL, HoldDecision.SNOOZED_OVER_MANUAL)
    return item._replace(decided_hold=HoldDecision.SNOOZED_OVER_MANUAL if is_over_manual else HoldDecision.SNOOZED)


# Acts that take a decision back ---------------------------------------------------------------------------------------


def _clear_decision(act: Act, s: Situation) -> Item | None:
    """`null`: as if nobody had decided, at once, by the settings of now."""
    item = s.item
    if not s.rules.apart:
        return None
    match act:
        case Act.CLEAR_STAGE:
            cleared = item._replace(decided_stage=False, decided_hold=HoldDecision.NONE)
        case Act.CLEAR_THREE_PL:
            cleared = item._replace(decided_three_pl=None)
        case _:
            cleared = item._replace(decided_dispatch=DispatchDecision.NONE)
    if cleared == item:
        return None
    if item.is_judged and not is_held_in_any_way(item) and not _is_draft_or_fba(item):
        cleared = grant(cleared, s.settings, s.rules)
        if act is Act.CLEAR_DISPATCH and s.open_missing:
            cleared = cleared._replace(dispatched=Dispatched.NO)
        elif act is not Act.CLEAR_DISPATCH and _has_real_dispatch(item):
            cleared = cleared._replace(dispatched=item.dispatched)
    return _judged(s, cleared)


# Acts that send an order ----------------------------------------------------------------------------------------------


def _go(act: Act, s: Situation) -> Item | None:
    item = s.item
    if item.status is Status.PENDING or (item.is_fba and act in SENDING):
        return None
    if act is Act.OVERRIDE:
        return _override(s)
    if s.open_missing or (is_changed(item, s.rules) and not is_held_in_any_way(item)):
        return None
    if is_held_in_any_way(item):
        return _end_hold(act, s) if act in (Act.RELEASE, Act.STAGE) else None
    if act is Act.RELEASE:
        return None
    return _judged_if_changed(s, _sent_on_its_way(act, s))


def _override(s: Situation) -> Item | None:
    """Accepts, answers, confirms and settles what is there now, then releases."""
    item = s.item
    if not (s.open_missing or s.differs):
        return None
    settled = Situation(_settled(s), s.settings, s.rules)
    accepted = _confirmed(settled)._replace(accepted=item.accepted | (s.missing & (MISSING_X | LINE_GAPS)))
    if not is_held_in_any_way(item):
        return _judged(s, accepted)
    return _released(s, accepted)


def _end_hold(act: Act, s: Situation) -> Item | None:
    item = s.item
    if s.differs and s.rules.settle_first:
        return None
    if act is Act.RELEASE:
        return _released(s, item)
    ended = _without_hold(item)
    if not s.rules.apart:
        granted = grant(ended, s.settings, s.rules)
        return _judged(s, granted._replace(stage=Stage.OWN, three_pl=ThreePl.DO_NOT_TRANSFER))
    ended = ended._replace(decided_stage=True)
    if item.decided_three_pl is None and s.rules.stage_ends:
        ended = ended._replace(decided_three_pl=ThreePl.DO_NOT_TRANSFER)
    if item.is_fba:
        return _judged(s, ended)
    if ended.decided_three_pl is not None:
        return _judged(s, grant(ended, s.settings, s.rules))
    as_it_stands = ended._replace(
        is_granted=False, granted_three_pl=ThreePl.DO_NOT_TRANSFER, granted_dispatch=Dispatched.NO
    )
    return _judged(s, show(as_it_stands, s.rules))


def _released(s: Situation, item: Item) -> Item:
    if item.is_fba:
        return _judged(s, _without_hold(item))
    return _judged(s, grant(_without_hold(item), s.settings, s.rules))


def _without_hold(item: Item) -> Item:
    return item._replace(is_held=False, decided_hold=HoldDecision.NONE, is_judged=True)


def _sent_on_its_way(act: Act, s: Situation) -> Item:
    """A decision on an order that was let go."""
    item, apart = s.item, s.rules.apart
    match act:
        case Act.STAGE:
            return item._replace(stage=Stage.OWN, decided_stage=apart or item.decided_stage)
        case Act.UPON_COMPLETION | Act.NOW:
            three_pl = ThreePl.NOW if act is Act.NOW else ThreePl.UPON_COMPLETION
            decided = item._replace(three_pl=three_pl, decided_three_pl=three_pl if apart else item.decided_three_pl)
            ends_not_sent = act is Act.NOW and item.decided_dispatch is DispatchDecision.NOT_SENT
            if ends_not_sent and s.rules.later_wins and apart:
                decided = decided._replace(decided_dispatch=DispatchDecision.NONE)
            return decided
        case _:
            decided_dispatch = DispatchDecision.SENT if apart else item.decided_dispatch
            return item._replace(dispatched=Dispatched.BY_PERSON, decided_dispatch=decided_dispatch)

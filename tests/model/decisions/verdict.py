"""The verdict: one table, one pure function. The first row that matches decides."""

from collections.abc import Callable
from typing import NamedTuple

from tests.model.decisions.alerts import told
from tests.model.decisions.earlier import in_the_form_of_now
from tests.model.decisions.item import (
    ALERT_ASKED_TO_CANCEL,
    ALERT_BACK,
    ALERT_CANCELLED,
    ALERT_CHANGED,
    ALERT_LATE_VALUE,
    ALERT_MISSING,
    DISPATCHED_BEFORE_HAND_OVER,
    DISPATCHED_BY_US,
    LAST_JUDGED_ELSEWHERE,
    DispatchDecision,
    Dispatched,
    HoldDecision,
    Item,
    Settings,
    is_handed_over,
    waits_for_transfer,
)
from tests.model.decisions.rules import Rules
from tests.model.decisions.situation import Situation, is_changed
from tests.model.values import Stage, Status, ThreePl


def judge(item: Item, settings: Settings, rules: Rules) -> Item:
    """The order with its verdict, on the settings of now."""
    item = in_the_form_of_now(item, settings, rules)
    s = Situation(_with_amazons_place(item, rules), settings, rules)
    row = next(row for row in ROWS if row.matches(s))
    judged = row.outcome(s)._replace(is_pending=False, missing=0 if row in CLOSING_ROWS else s.missing)
    if not rules.chg_merge and row is not DRAFT:
        judged = judged._replace(last_judged_x=s.item.amazon_x)
    return told(s, judged, row.alerts(s))


def _with_amazons_place(item: Item, rules: Rules) -> Item:
    """Before any row: a dispatch by Amazon ends with Amazon's word; without `back_merge` the doubt begins here."""
    if rules.amz_fd and item.dispatched is Dispatched.BY_AMAZON and item.status is not Status.SHIPPED:
        item = item if is_handed_over(item) else item._replace(dispatched=Dispatched.NO)
    if rules.back and not rules.back_merge:
        is_elsewhere = item.status is Status.SHIPPED or item.is_fba
        if item.alerts & LAST_JUDGED_ELSEWHERE and not is_elsewhere and item.status is not Status.CANCELLED:
            item = item._replace(was_elsewhere=True, confirmed_ours=False, told=item.told._replace(is_back=False))
            return item._replace(alerts=item.alerts & ~LAST_JUDGED_ELSEWHERE)
        if is_elsewhere:
            return item._replace(was_elsewhere=False, alerts=item.alerts | LAST_JUDGED_ELSEWHERE)
    return item


# An order that was let go ---------------------------------------------------------------------------------------------


def show(item: Item, rules: Rules) -> Item:
    """An order let go: what people decided, else what was granted."""
    is_not_sent = item.decided_dispatch is DispatchDecision.NOT_SENT
    three_pl = item.granted_three_pl if item.decided_three_pl is None else item.decided_three_pl
    if is_not_sent and item.decided_three_pl is None and three_pl is ThreePl.NOW and rules.back_stops:
        three_pl = ThreePl.DO_NOT_TRANSFER
    if item.decided_three_pl is None and _only_a_person_sends_it(item, rules):
        three_pl = ThreePl.DO_NOT_TRANSFER
    return item._replace(
        stage=_decided_stage(item), three_pl=three_pl, dispatched=_dispatch_shown(item, rules), is_held=False
    )


def _dispatch_shown(item: Item, rules: Rules) -> Dispatched:
    if item.dispatched in (Dispatched.BY_AMAZON, Dispatched.REPORTED):
        return item.dispatched
    if item.decided_dispatch is DispatchDecision.SENT:
        return Dispatched.BY_PERSON
    is_stopped = rules.stop_auto and item.decided_three_pl is ThreePl.DO_NOT_TRANSFER
    is_kept = is_stopped or _only_a_person_sends_it(item, rules)
    if is_kept or item.decided_dispatch is DispatchDecision.NOT_SENT:
        return Dispatched.NO
    return item.granted_dispatch


def _only_a_person_sends_it(item: Item, rules: Rules) -> bool:
    """The rest of a partly shipped order."""
    return item.status is Status.PARTLY_SHIPPED and rules.partly_waits


def grant(item: Item, settings: Settings, rules: Rules) -> Item:
    """Lets an order go with the defaults as they are now, for whatever no person decided."""
    granted = item._replace(
        is_granted=True,
        granted_three_pl=settings.default_three_pl,
        granted_dispatch=Dispatched.BY_US if settings.auto_dispatch else Dispatched.NO,
    )
    return show(granted, rules)


def _decided_stage(item: Item) -> Stage:
    return Stage.OWN if item.decided_stage else Stage.DEFAULT


# The outcomes ---------------------------------------------------------------------------------------------------------


def _hold(s: Situation) -> Item:
    return _in_needs_attention(s)._replace(is_held=True, is_judged=True)


def _in_needs_attention(s: Situation) -> Item:
    undone = s.item.dispatched in DISPATCHED_BEFORE_HAND_OVER and s.rules.undo_hold
    return s.item._replace(
        stage=Stage.NEEDS_ATTENTION,
        three_pl=ThreePl.DO_NOT_TRANSFER,
        dispatched=Dispatched.NO if undone else s.item.dispatched,
    )


def _let_go(s: Situation) -> Item:
    return grant(s.item, s.settings, s.rules)._replace(is_judged=True)


def _left_let_go(s: Situation) -> Item:
    shown = show(s.item, s.rules) if s.rules.layers else s.item
    return shown._replace(is_judged=True)


def _redacted(s: Situation) -> Item:
    return s.item._replace(
        is_judged=True,
        is_held=False,
        decided_hold=HoldDecision.NONE,
        stage=_decided_stage(s.item),
        dispatched=_dispatch_that_stays(s.item),
        three_pl=s.item.three_pl if is_handed_over(s.item) else ThreePl.DO_NOT_TRANSFER,
    )


def _out_of_our_hands(s: Situation) -> Item:
    item = s.item
    is_sent_now = is_handed_over(item) and item.status is Status.SHIPPED and s.rules.row2_ships
    is_unsent = item.dispatched in (Dispatched.NO, *DISPATCHED_BEFORE_HAND_OVER)
    return item._replace(dispatched=Dispatched.BY_AMAZON if is_sent_now and is_unsent else item.dispatched)


def _alerts_out_of_our_hands(s: Situation) -> int:
    if is_handed_over(s.item):
        return ALERT_CANCELLED | ALERT_ASKED_TO_CANCEL | ALERT_CHANGED | ALERT_LATE_VALUE | ALERT_BACK
    return ALERT_BACK | _alerts_once_cancelled(s)


def _cancelled(s: Situation) -> Item:
    return s.item._replace(
        is_judged=True,
        is_void=True,
        is_held=False,
        stage=_decided_stage(s.item),
        three_pl=ThreePl.DO_NOT_TRANSFER,
        dispatched=_dispatch_that_stays(s.item),
    )


def _alerts_once_cancelled(s: Situation) -> int:
    return ALERT_CANCELLED if _dispatch_that_stays(s.item) in DISPATCHED_BY_US else 0


def _dispatch_that_stays(item: Item) -> Dispatched:
    """A dispatch that only waited for its transfer is undone."""
    return Dispatched.NO if waits_for_transfer(item) else item.dispatched


def _shipped(s: Situation) -> Item:
    return _closed_for_now(s, _dispatch_that_stays(s.item) or Dispatched.BY_AMAZON)


def _fba(s: Situation) -> Item:
    return _closed_for_now(s, _dispatch_outside_our_house(s.item))


def _closed_for_now(s: Situation, dispatched: Dispatched) -> Item:
    """Nothing to send: a hold ends, and an order that comes back is judged as new."""
    return s.item._replace(
        is_held=False,
        is_judged=(s.item.is_judged and not s.item.is_held) or not s.rules.row8_leaves,
        stage=_decided_stage(s.item),
        three_pl=ThreePl.DO_NOT_TRANSFER,
        dispatched=dispatched,
    )


def _dispatch_outside_our_house(item: Item) -> Dispatched:
    """Amazon's dispatch, or one reported after the hand-over."""
    return item.dispatched if item.dispatched in (Dispatched.BY_AMAZON, Dispatched.REPORTED) else Dispatched.NO


def _dispatched(s: Situation) -> Item:
    return s.item._replace(is_judged=s.item.is_judged or not s.rules.row8_leaves)


def _alerts_after_dispatch(s: Situation) -> int:
    changed = ALERT_CHANGED | ALERT_LATE_VALUE if s.rules.row7_changed else 0
    return ALERT_MISSING | ALERT_ASKED_TO_CANCEL | ALERT_BACK | changed


def _draft(s: Situation) -> Item:
    draft = s.item._replace(
        stage=Stage.NONE, three_pl=ThreePl.DO_NOT_TRANSFER, dispatched=_dispatch_outside_our_house(s.item)
    )
    return draft if s.rules.row5_keeps else draft._replace(is_held=False, is_judged=False)


def _held_by_a_person(s: Situation) -> Item:
    return _in_needs_attention(s)._replace(is_judged=s.item.is_judged or not s.rules.row8_leaves)


# The table ------------------------------------------------------------------------------------------------------------


class Row(NamedTuple):
    name: str
    matches: Callable[[Situation], bool]
    outcome: Callable[[Situation], Item]
    alerts: Callable[[Situation], int] = lambda _: 0
    """The alerts that concern people, should there be news to tell."""


def _is_shipped(s: Situation) -> bool:
    return s.item.status is Status.SHIPPED and (s.rules.shipped_row or s.item.is_held or not s.item.is_judged)


def _is_fba(s: Situation) -> bool:
    return s.item.is_fba and not s.open_missing and not s.item.decided_hold


def _is_dispatched(s: Situation) -> bool:
    return s.has_dispatch_of_ours and (s.rules.row7_first or not (s.item.status is Status.PENDING or _is_fba(s)))


def _may_go_at_first(s: Situation) -> bool:
    return s.is_ready or (not s.rules.row9_strict and not s.open_missing)


REDACTED = Row("redacted", lambda s: s.item.is_redacted, _redacted)
OUT_OF_OUR_HANDS = Row(
    "out of our hands", lambda s: is_handed_over(s.item) or s.item.is_void, _out_of_our_hands, _alerts_out_of_our_hands
)
CANCELLED = Row("cancelled", lambda s: s.item.status is Status.CANCELLED, _cancelled, _alerts_once_cancelled)
SHIPPED = Row("shipped", _is_shipped, _shipped)
DISPATCHED = Row("dispatched", _is_dispatched, _dispatched, _alerts_after_dispatch)
DRAFT = Row("draft", lambda s: s.item.status is Status.PENDING, _draft)
FBA = Row("fulfilled by Amazon", _is_fba, _fba)
HELD_BY_A_PERSON = Row("held by a person", lambda s: bool(s.item.decided_hold), _held_by_a_person)
NEW_AND_COMPLETE = Row("new and complete", lambda s: not s.item.is_judged and _may_go_at_first(s), _let_go)
NEW = Row("new", lambda s: not s.item.is_judged, _hold)
HELD_AND_INCOMPLETE = Row("held and incomplete", lambda s: s.item.is_held and bool(s.open_missing), _hold)
HEALED = Row("healed", lambda s: s.item.is_held and s.is_ready, _let_go)
READY_TO_RELEASE = Row("ready to release", lambda s: s.item.is_held, _hold)
NOTHING_NEW = Row(
    "nothing new since it was let go",
    lambda s: not s.open_missing and not is_changed(s.item, s.rules),
    _left_let_go,
    lambda _: ALERT_LATE_VALUE,
)
NEWS = Row("news since it was let go", lambda _: True, _hold)

ROWS = (
    REDACTED,
    OUT_OF_OUR_HANDS,
    CANCELLED,
    SHIPPED,
    DISPATCHED,
    DRAFT,
    FBA,
    HELD_BY_A_PERSON,
    NEW_AND_COMPLETE,
    NEW,
    HELD_AND_INCOMPLETE,
    HEALED,
    READY_TO_RELEASE,
    NOTHING_NEW,
    NEWS,
)
CLOSING_ROWS = (REDACTED, CANCELLED, SHIPPED)
"""With these, nothing is listed as missing."""

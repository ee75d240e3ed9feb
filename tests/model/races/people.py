"""People's acts on an order, and the gate in front of it."""

from enum import StrEnum

from tests.model.races.item import (
    Dispatched,
    Hold,
    Item,
    Settings,
    find_missing,
    is_fulfillable,
    is_handed_over,
    open_missing,
)
from tests.model.races.rules import Rules
from tests.model.races.verdict import judge, with_defaults
from tests.model.values import Stage, Status, ThreePl


class Act(StrEnum):
    TYPE_NAME = "type the name"
    BLANK_NAME = "take the typed name back"
    TYPE_LINES = "type lines"
    BLANK_LINES = "take the typed lines back"
    STAGE = "change the Stage"
    DISPATCH = "Fully Dispatched"
    NOW = "Transfer Now"
    UPON_COMPLETION = "Transfer Upon Completion"
    TRANSFERRED = "Transferred"
    RELEASE = "release"
    OVERRIDE = "override"
    HOLD = "hold by hand"


EDITS = (Act.TYPE_NAME, Act.BLANK_NAME, Act.TYPE_LINES, Act.BLANK_LINES)
GATED = (
    Act.STAGE,
    Act.DISPATCH,
    Act.NOW,
    Act.UPON_COMPLETION,
    Act.TRANSFERRED,
    Act.RELEASE,
    Act.OVERRIDE,
    Act.HOLD,
)
CHOOSE_A_STAGE = (Act.STAGE, Act.RELEASE, Act.OVERRIDE, Act.HOLD)
SEND = (Act.DISPATCH, Act.NOW, Act.UPON_COMPLETION, Act.TRANSFERRED)


def apply(act: Act, item: Item, settings: Settings, rules: Rules) -> Item:
    """The order with the act on it, not judged."""
    match act:
        case Act.TYPE_NAME | Act.BLANK_NAME:
            return item._replace(typed_name=act is Act.TYPE_NAME)
        case Act.TYPE_LINES | Act.BLANK_LINES:
            return item._replace(typed_lines=act is Act.TYPE_LINES)
        case Act.DISPATCH:
            return item._replace(dispatched=Dispatched.BY_US)
        case Act.NOW | Act.UPON_COMPLETION | Act.TRANSFERRED:
            return item._replace(three_pl=THREE_PL[act])
        case _:
            return _with_a_stage(act, item, settings, rules)


THREE_PL = {
    Act.NOW: ThreePl.NOW,
    Act.UPON_COMPLETION: ThreePl.UPON_COMPLETION,
    Act.TRANSFERRED: ThreePl.TRANSFERRED,
}


def _with_a_stage(act: Act, item: Item, settings: Settings, rules: Rules) -> Item:
    match act:
        case Act.RELEASE:
            return with_defaults(item, settings)
        case Act.HOLD if rules.manual_hold:
            held = item._replace(stage=Stage.NEEDS_ATTENTION, three_pl=ThreePl.DO_NOT_TRANSFER, hold=Hold.MANUAL)
            return item if item.hold else held
        case Act.HOLD:
            return item._replace(stage=Stage.NEEDS_ATTENTION)
        case Act.OVERRIDE:
            return item._replace(stage=Stage.OWN, accepted=item.accepted | find_missing(item), hold=Hold.NONE)
        case _:
            return item._replace(stage=Stage.OWN, hold=Hold.NONE)


def may(act: Act, item: Item, settings: Settings, rules: Rules) -> bool:
    """The gate: whether a person may do this to the order as read."""
    if item.is_void or item.is_redacted or is_handed_over(item):
        return False
    if rules.gate_status and item.status is not Status.UNSHIPPED:
        return False
    if act is Act.HOLD:
        return not item.hold and not item.dispatched
    if rules.gate_all and item.hold and act in SEND:
        return False
    if act is Act.OVERRIDE:
        return bool(find_missing(item))
    after = apply(act, item, settings, rules)
    return not open_missing(after) or _may_stay_incomplete(item, after, rules)


def _may_stay_incomplete(item: Item, after: Item, rules: Rules) -> bool:
    """Whether an incomplete order may become this, because it still cannot leave."""
    leaves_needs_attention = item.stage is Stage.NEEDS_ATTENTION and after.stage is not Stage.NEEDS_ATTENTION
    if leaves_needs_attention or is_fulfillable(after._replace(is_pending=False), pend_closed=rules.pend_closed):
        return False
    stays_put = (
        after.three_pl is ThreePl.DO_NOT_TRANSFER and after.dispatched <= item.dispatched and after.stage is item.stage
    )
    return stays_put or not rules.gate_all


def written(act: Act, item: Item, settings: Settings, rules: Rules) -> Item:
    """The order after a person's write."""
    if not rules.sync:
        after = apply(act, item, settings, rules)._replace(by_download=False)
        return after._replace(is_pending=True) if act in EDITS else after
    if act in EDITS:
        return judge(apply(act, item, settings, rules)._replace(by_download=False), settings, rules)
    # The verdict is brought up to date first, then the person's choice is put on top.
    judged = judge(item._replace(by_download=False), settings, rules) if item.is_pending else item
    return apply(act, judged, settings, rules)._replace(is_pending=False, by_download=False)


def written_blindly(act: Act, item: Item, read: Item, settings: Settings, rules: Rules) -> Item:
    """An edit written without a look at the revision, with the verdict on the order as it was read."""
    if not rules.sync:
        return written(act, item, settings, rules)
    verdict = written(act, read, settings, rules)
    return apply(act, item, settings, rules)._replace(
        is_pending=False,
        is_judged=True,
        hold=verdict.hold,
        missing=verdict.missing,
        stage=verdict.stage,
        dispatched=verdict.dispatched,
        three_pl=verdict.three_pl,
        is_void=verdict.is_void,
    )

"""Orders as the release before stored them, and what people had said of each."""

from collections.abc import Iterator

from tests.model.decisions.alerts import has_left, parcel_now, parcel_of
from tests.model.decisions.download import Answer, merge
from tests.model.decisions.item import (
    CLOSED_AT_AMAZON,
    MISSING_X,
    NO_ITEM,
    Dispatched,
    HoldDecision,
    Item,
    Settings,
)
from tests.model.decisions.memory import Memory
from tests.model.decisions.rules import ALL_ON
from tests.model.values import Stage, Status, ThreePl

BEFORE_HAND_OVER = (ThreePl.DO_NOT_TRANSFER, ThreePl.UPON_COMPLETION, ThreePl.NOW)
WITH_THE_WAREHOUSE = (ThreePl.TRANSFERRED, ThreePl.WITH_ERRORS, ThreePl.PICKED)


def stored_before(answer: Answer, settings: Settings) -> Iterator[tuple[Item, Memory]]:
    """Every order that the release before may have stored of Amazon's answer, and what people had said of each."""
    new = merge(NO_ITEM, 1, answer, ALL_ON)._replace(is_earlier=True)
    yield new, Memory()
    if answer.status in CLOSED_AT_AMAZON:
        return
    judged = new._replace(is_pending=False, is_judged=True, stage=Stage.DEFAULT)
    if answer.status is Status.PENDING:
        yield judged._replace(is_judged=False, stage=Stage.NONE), Memory()
    elif answer.is_fba:
        yield judged, Memory()
    elif not answer.x:
        yield from _with_a_gap(judged, settings)
    else:
        yield from _complete(judged, settings)


def _with_a_gap(judged: Item, settings: Settings) -> Iterator[tuple[Item, Memory]]:
    held = judged._replace(is_held=True, stage=Stage.NEEDS_ATTENTION, missing=MISSING_X)
    yield held, Memory(seems_held=True)
    yield held._replace(typed_x=1, missing=0), Memory(is_touched=True, seems_held=True)
    yield from _held_by_a_person(held)
    released = judged._replace(typed_x=1)
    yield _remembered(released._replace(three_pl=settings.default_three_pl), settings, said_go=True)


def _complete(judged: Item, settings: Settings) -> Iterator[tuple[Item, Memory]]:
    yield from _held_by_a_person(judged._replace(stage=Stage.NEEDS_ATTENTION))
    by_default = judged._replace(three_pl=settings.default_three_pl)
    yield _remembered(by_default._replace(stage=Stage.OWN), settings, said_go=False)
    for dispatched in (Dispatched.NO, Dispatched.BY_US, Dispatched.BY_PERSON):
        if dispatched is Dispatched.BY_US and not settings.auto_dispatch:
            continue
        let_go = judged._replace(dispatched=dispatched)
        said_go = dispatched is Dispatched.BY_PERSON
        for three_pl in BEFORE_HAND_OVER:
            yield _remembered(let_go._replace(three_pl=three_pl), settings, said_go=said_go)
        for three_pl in WITH_THE_WAREHOUSE:
            parcel = parcel_now(let_go, ALL_ON)._replace(took=0, is_earlier=True)
            yield _remembered(let_go._replace(three_pl=three_pl, parcel=parcel), settings, said_go=said_go)


def _held_by_a_person(item: Item) -> Iterator[tuple[Item, Memory]]:
    yield (
        item._replace(decided_hold=HoldDecision.MANUAL),
        Memory(is_touched=True, seems_held=True, said_hold=True),
    )
    # A snooze hid whether a verdict had held the order: it is judged at its end.
    snoozed = item._replace(is_held=True)
    yield snoozed._replace(decided_hold=HoldDecision.SNOOZED), Memory(is_touched=True, seems_held=True)
    yield (
        snoozed._replace(decided_hold=HoldDecision.SNOOZED_OVER_MANUAL),
        Memory(is_touched=True, seems_held=True, said_hold=True),
    )


def _remembered(item: Item, settings: Settings, *, said_go: bool) -> tuple[Item, Memory]:
    """An order that was let go: a person said what is not the default."""
    is_chosen = item.three_pl in BEFORE_HAND_OVER and item.three_pl is not settings.default_three_pl
    is_stopped = is_chosen and item.three_pl is ThreePl.DO_NOT_TRANSFER
    is_sent = item.dispatched is Dispatched.BY_PERSON
    is_dispatched_otherwise = item.dispatched is Dispatched.NO and settings.auto_dispatch
    now = parcel_of(item)
    return item, Memory(
        said_do_not_transfer=is_stopped,
        said_sent_since=is_stopped and is_sent,
        said_go=said_go or (is_chosen and not is_stopped),
        is_touched=said_go or is_chosen or is_dispatched_otherwise or item.stage is Stage.OWN,
        parcels=(now, now) if has_left(item) else None,
    )

"""The model's memory of a history, apart from the item, by which properties judge the rules."""

from typing import NamedTuple

from tests.model.decisions.alerts import alerts_of, beyond, has_left, is_sent, parcel_of
from tests.model.decisions.item import (
    ALERT_CHANGED,
    BLANK,
    CLOSED_AT_AMAZON,
    NO_NEWS,
    TYPED_VALUES,
    Item,
    News,
    is_handed_over,
    is_held_in_any_way,
)
from tests.model.decisions.people import GO_ACTS, Act
from tests.model.values import Status


class Memory(NamedTuple):
    # people's last words
    said_hold: bool = False
    said_do_not_transfer: bool = False
    said_not_sent: bool = False
    said_sent_since: bool = False
    """A person said that it is sent after the last Do Not Transfer."""
    said_go: bool = False
    """A person said go since the order was held last."""
    is_touched: bool = False
    answered_requests: int = 0
    confirmed_ours: bool = False
    # Amazon's news
    late_value: bool = False
    """A value other than the typed one came while the order was held, and nobody has settled it."""
    changed_value: bool = False
    """The same on an order let go, where Amazon's value had been there."""
    in_doubt: bool = False
    """The order was shipped or FBA before, and is not any more."""
    seems_held: bool = False
    """Held as people see it, through a spell of PENDING."""
    # what a person has to be told
    judged_news: News = NO_NEWS
    """The bad news that was there at the last verdict."""
    parcels: tuple[tuple[int, int], tuple[int, int]] | None = None
    """What left, and what the order said of it at the last verdict."""
    untold: int = 0
    """The alerts whose news came since a person closed them last."""


NOTHING = Memory()


def after_act(memory: Memory, act: Act, before: Item, item: Item) -> Memory:
    """The memory after a person's act; `item` is the order after it."""
    if act is Act.CLOSE_ALERTS:
        memory = memory._replace(untold=memory.untold & ~before.alerts)
    settles = act in (Act.TYPE_X_1, Act.TYPE_X_2, Act.CLEAR_X, Act.KEEP_TYPED, Act.OVERRIDE)
    sends = act in (Act.NOW, Act.UPON_COMPLETION, Act.SENT)
    confirms = act in (Act.CONFIRM, Act.OVERRIDE)
    return _last_words(memory, act)._replace(
        # An order that Amazon fulfils goes nowhere: another Stage sends it no more than it was sent.
        said_go=memory.said_go or (act in GO_ACTS and not item.is_fba),
        late_value=memory.late_value and not settles,
        changed_value=memory.changed_value and not settles and not sends,
        seems_held=memory.seems_held and act is not Act.CLEAR_STAGE,
        is_touched=True,
        answered_requests=item.cancel_requests if confirms else memory.answered_requests,
        confirmed_ours=memory.confirmed_ours or confirms,
    )


def _last_words(memory: Memory, act: Act) -> Memory:
    if act in (Act.RELEASE, Act.STAGE, Act.OVERRIDE, Act.CLEAR_STAGE):
        memory = memory._replace(said_hold=False)
    if act in (Act.NOW, Act.UPON_COMPLETION, Act.CLEAR_THREE_PL):
        memory = memory._replace(said_do_not_transfer=False)
    if act in (Act.NOW, Act.SENT, Act.CLEAR_DISPATCH):
        memory = memory._replace(said_not_sent=False)
    match act:
        case Act.HOLD:
            return memory._replace(said_hold=True)
        case Act.DO_NOT_TRANSFER:
            return memory._replace(said_do_not_transfer=True, said_sent_since=False)
        case Act.NOT_SENT:
            return memory._replace(said_not_sent=True, said_sent_since=False)
        case Act.SENT:
            return memory._replace(said_sent_since=True)
        case _:
            return memory


def after_snooze(memory: Memory) -> Memory:
    return memory._replace(seems_held=False)


def after_write(memory: Memory, old: Item, new: Item, *, by_download: bool) -> Memory:
    """The memory after a write, whoever wrote."""
    late_value, changed_value = _unsettled_values(memory, old, new, by_download=by_download)
    in_doubt, confirmed_ours = memory.in_doubt, memory.confirmed_ours
    if by_download:
        in_doubt, confirmed_ours = _doubt(memory, old, new)
    is_held = is_held_in_any_way(new) and new.status not in CLOSED_AT_AMAZON
    stays_as_it_seems = new.is_pending or new.status is Status.PENDING
    return memory._replace(
        said_hold=memory.said_hold and not new.is_redacted,
        said_do_not_transfer=memory.said_do_not_transfer and not new.is_redacted,
        said_not_sent=memory.said_not_sent and not new.is_redacted,
        said_sent_since=memory.said_sent_since and not new.is_redacted,
        said_go=memory.said_go and (old.is_held or not new.is_held),
        late_value=late_value,
        changed_value=changed_value,
        seems_held=is_held or (memory.seems_held and stays_as_it_seems),
        in_doubt=in_doubt,
        confirmed_ours=confirmed_ours,
    )


def after_verdict(memory: Memory, news: News, item: Item) -> Memory:
    """The memory after a write that leaves no verdict pending; `news` is what is there then.

    Whatever is sent is over; if it was not sent after all, everything is news.
    """
    now, parcels = parcel_of(item), None
    if has_left(item):
        parcels = (memory.parcels[0] if memory.parcels else now, now)
    if is_sent(item) or item.is_redacted:
        return memory._replace(judged_news=NO_NEWS, parcels=parcels and (parcels[0], parcels[0]), untold=0)
    changed = ALERT_CHANGED if parcels and memory.parcels and memory.parcels[1] != now else 0
    goes_on = memory.untold & (alerts_of(news) | ALERT_CHANGED)
    return memory._replace(
        judged_news=news, parcels=parcels, untold=goes_on | changed | alerts_of(beyond(news, memory.judged_news))
    )


def _unsettled_values(memory: Memory, old: Item, new: Item, *, by_download: bool) -> tuple[bool, bool]:
    late_value, changed_value = memory.late_value, memory.changed_value
    is_typed = new.typed_x in TYPED_VALUES
    is_out_of_our_hands = is_handed_over(new) or new.is_void or new.is_redacted
    if not is_typed or new.amazon_x == new.typed_x or is_out_of_our_hands:
        return False, False
    if by_download and new.amazon_x not in (BLANK, old.amazon_x):
        if memory.seems_held:
            late_value = True
        elif old.amazon_x and not is_handed_over(old):
            changed_value = True
    return late_value, changed_value


def _doubt(memory: Memory, old: Item, new: Item) -> tuple[bool, bool]:
    if new.status in CLOSED_AT_AMAZON:
        return False, False
    if old.is_stored and (old.status is Status.SHIPPED or (old.is_fba and not new.is_fba)):
        return True, False
    return memory.in_doubt, memory.confirmed_ours and (new.status is old.status or memory.in_doubt)

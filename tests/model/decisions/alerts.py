"""Alerts: bad news about an order that left, or was let go. What raises them, and what ends them."""

from tests.model.decisions.item import (
    ALERT_ASKED_TO_CANCEL,
    ALERT_BACK,
    ALERT_CANCELLED,
    ALERT_CHANGED,
    ALERT_LATE_VALUE,
    ALERT_MISSING,
    LAST_JUDGED_ELSEWHERE,
    LINE_GAPS,
    MISSING_LINES,
    MISSING_X,
    NO_NEWS,
    TYPED_VALUES,
    Dispatched,
    Item,
    News,
    Parcel,
    is_handed_over,
    is_really_dispatched,
)
from tests.model.decisions.lines import goods_of, number_to_send
from tests.model.decisions.rules import Rules
from tests.model.decisions.situation import Situation
from tests.model.values import Status


def parcel_of(item: Item) -> tuple[int, int]:
    """The destination and the goods, as the order shows them."""
    return item.typed_x if item.typed_x in TYPED_VALUES else item.amazon_x, goods_of(item)


def parcel_now(item: Item, rules: Rules) -> Parcel:
    now = parcel_of(item)
    return Parcel(now, now, number_to_send(item, rules) or 0)


def news_now(s: Situation) -> News:
    """All the bad news there is, whether or not it concerns anybody."""
    item = s.item
    is_back_from_void = item.is_void and item.status is not Status.CANCELLED
    return News(
        is_cancelled=item.status is Status.CANCELLED,
        requests=item.cancel_requests if s.has_unanswered_request else 0,
        is_back=is_back_from_void if item.is_void else s.has_unconfirmed_return,
        missing=s.open_missing & MISSING_X | (MISSING_LINES if s.open_missing & LINE_GAPS else 0),
        late_x=item.amazon_x if s.x_differs else 0,
        late_cancellation=s.line_differs,
    )


def alerts_of(news: News) -> int:
    """The alerts that tell of these pieces of news."""
    return (
        (ALERT_CANCELLED if news.is_cancelled else 0)
        | (ALERT_ASKED_TO_CANCEL if news.requests else 0)
        | (ALERT_BACK if news.is_back else 0)
        | (ALERT_MISSING if news.missing else 0)
        | (ALERT_LATE_VALUE if news.late_x or news.late_cancellation else 0)
    )


def beyond(now: News, known: News) -> News:
    """The pieces that are not known."""
    return News(
        is_cancelled=now.is_cancelled and not known.is_cancelled,
        requests=now.requests if now.requests > known.requests else 0,
        is_back=now.is_back and not known.is_back,
        missing=now.missing & ~known.missing,
        late_x=now.late_x if now.late_x != known.late_x else 0,
        late_cancellation=now.late_cancellation and not known.late_cancellation,
    )


def is_sent(item: Item) -> bool:
    """Sent, as Amazon, the warehouse or a person says: nobody can act on news any more. A void order stays void."""
    if is_handed_over(item):
        return item.status is Status.SHIPPED or item.dispatched is Dispatched.REPORTED
    return item.status is Status.SHIPPED and not item.is_void


def has_left(item: Item) -> bool:
    """The warehouse took it, or it was dispatched from here."""
    is_away = is_handed_over(item) or (is_really_dispatched(item) and not item.is_void)
    return is_away and not item.is_redacted


def told(s: Situation, judged: Item, causes: int) -> Item:
    """The order with its verdict and its alerts; `causes` are those alerts that concern people by the verdict's row."""
    rules, item = s.rules, s.item
    note = judged.alerts & LAST_JUDGED_ELSEWHERE
    is_over = is_sent(judged) or judged.is_redacted
    parcel = _parcel(s, is_over=is_over) if has_left(judged) else None
    if not (causes or item.alerts or item.parcel or parcel) and item.told == NO_NEWS and not is_over:
        return judged  # as with most orders
    now = news_now(s)
    if causes & ALERT_CHANGED and not _has_changed(s):
        causes &= ~ALERT_CHANGED
    causes &= alerts_of(now) | ALERT_CHANGED
    if is_over:
        left_open = 0 if rules.sent_closes else item.alerts
        known = NO_NEWS if rules.unsent_tells else now
        return judged._replace(alerts=left_open | note, told=known, parcel=parcel)
    known = item.told if rules.closing_sticks else NO_NEWS
    further = alerts_of(beyond(now, known))
    if not rules.news_reopens:
        further &= ~alerts_of(known)
    goes_on = item.alerts & (causes | ALERT_CHANGED) if rules.alert_ends else item.alerts
    alerts = (goes_on | causes & (further | ALERT_CHANGED)) if rules.loud else 0
    hidden = item.alerts & ~causes if rules.hidden_reopens else 0
    return judged._replace(alerts=alerts | note, told=_known_from_now(now, item.told, causes, hidden), parcel=parcel)


def _has_changed(s: Situation) -> bool:
    parcel, rules = s.item.parcel, s.rules
    if parcel is None:
        return False
    if parcel.is_earlier:
        return True  # one that says the same is in the form of now already
    if not rules.lower_is_no_news and parcel.took != (number_to_send(s.item, rules) or 0):
        return True
    known_x, known_goods = parcel.told if rules.closing_sticks else parcel.left
    x, goods = parcel_of(s.item)
    return x != known_x or (goods != known_goods and rules.cancelled_line)


def _parcel(s: Situation, *, is_over: bool) -> Parcel:
    left = s.item.parcel
    now = left if left and not left.is_earlier else parcel_now(s.item, s.rules)
    return now._replace(told=now.left if is_over and s.rules.unsent_tells else parcel_of(s.item))


def _known_from_now(now: News, known: News, causes: int, hidden: int) -> News:
    """What people were told before, as far as it goes on, with what they are told now.

    `hidden` are the open alerts that concern nobody now: they are open again when they do.
    """
    goes_on = _common(now, known)
    return News._make(
        now[piece] if causes & alert else NO_NEWS[piece] if hidden & alert else goes_on[piece]
        for piece, alert in enumerate(ALERTS_BY_PIECE)
    )


ALERTS_BY_PIECE = (
    ALERT_CANCELLED,
    ALERT_ASKED_TO_CANCEL,
    ALERT_BACK,
    ALERT_MISSING,
    ALERT_LATE_VALUE,
    ALERT_LATE_VALUE,
)
"""By the fields of `News`."""


def _common(one: News, other: News) -> News:
    return News(
        is_cancelled=one.is_cancelled and other.is_cancelled,
        requests=min(one.requests, other.requests),
        is_back=one.is_back and other.is_back,
        missing=one.missing & other.missing,
        late_x=one.late_x if one.late_x == other.late_x else 0,
        late_cancellation=one.late_cancellation and other.late_cancellation,
    )

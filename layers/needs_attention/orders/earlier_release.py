"""Orders that the release before this one wrote: their decisions are read out of what they show.

That release stored a person's choice in the same attributes as the verdict's, so a Stage, a 3PL Status or a dispatch
other than the defaults was a person's. It may also write an order after this release did, while both run side by side
or after a rollback: it leaves the decisions that are stored as they are, and does not know them.

The first write of this release must read them: Amazon's next news may hide them.

The same write notes the gaps of an order that earlier rules let go. New rules do not hold it for those; they count from
Amazon's next change of the name or address in question.
"""

from datetime import datetime

from needs_attention.orders.amazon_order import AmazonOrder
from needs_attention.orders.checks import CHECK_OF, RULES
from needs_attention.orders.completeness import find_missing
from needs_attention.orders.decisions import (
    Decisions,
    Defaults,
    DispatchDecision,
    Granted,
    StageDecision,
    ThreePlDecision,
)
from needs_attention.orders.edits import Unit, said_by, unit_of
from needs_attention.orders.order import Accepted, Order, Parcel
from needs_attention.orders.parcel import earlier_fingerprint, parcel_now, told_now
from needs_attention.orders.settings import NEEDS_ATTENTION, Settings, ThreePlStatus

WHO = "before this release"


def in_the_form_of_now(order: Order, settings: Settings) -> Order:
    """The order with its decisions apart from what it was granted, and with the parcel that left.

    An order that this release wrote last is returned as it is.
    """
    is_apart = order.apart_until == order.revision
    if is_apart and order.rules == RULES:
        return order
    order = order.with_(rules=RULES, let_go_without=_gaps_let_go(order, settings))
    if is_apart:
        return order
    now = order.with_(apart_until=order.revision, parcel=_parcel_that_left(order, settings))
    if order.hold or order.judged_at is None:
        return now
    granted = order.granted or _granted_before(order, settings, order.judged_at)
    return now.with_(granted=granted, decisions=_decisions_shown(order, granted, order.judged_at))


_GIVEN_BY_AMAZON: frozenset[Unit | None] = frozenset({"name", "delivery_address", "billing_address"})


def _gaps_let_go(order: Order, settings: Settings) -> tuple[Accepted, ...]:
    """Those that a verdict of earlier rules did not find. In data that waits for its verdict they may be news."""
    if order.is_pending or not order.is_let_go:
        return order.let_go_without
    known = {(item.field, item.reason) for item in order.missing}
    gaps = (
        Accepted(field=item.field, reason=item.reason, parts=item.parts)
        for item in order.not_accepted(find_missing(order.amazon, order.edits, settings))
        if CHECK_OF[item.field].unit in _GIVEN_BY_AMAZON and (item.field, item.reason) not in known
    )
    return tuple(dict.fromkeys((*order.let_go_without, *gaps)))


def still_let_go_without(order: Order, now: AmazonOrder) -> tuple[Accepted, ...]:
    """The gaps that go on to count as none, because Amazon says `now` what it said of their unit before.

    A billing address may be a copy of the delivery address.
    """
    if not order.let_go_without:
        return ()
    before, after = said_by(order.amazon), said_by(now)
    changed = {unit_of(place) for place in before.keys() | after.keys() if before.get(place) != after.get(place)}
    if "delivery_address" in changed:
        changed.add("billing_address")
    return tuple(one for one in order.let_go_without if CHECK_OF[one.field].unit not in changed)


def _parcel_that_left(order: Order, settings: Settings) -> Parcel | None:
    """That release kept a fingerprint of what the warehouse took, and nothing of what it dispatched from here.

    While the fingerprint fits, or no news waits for its verdict, the order still says what left. A parcel that this
    release noted says it better, unless that release took the order back since then, and handed over another one.

    A fingerprint may not fit without news: it covers the two parts of a name, which this release splits in another way.
    """
    noted = order.parcel
    if order.handed_over_digest is None:
        is_as_it_left = noted is None and order.is_really_dispatched and not order.is_pending
    else:
        is_another = noted is None or told_now(order, noted, settings) != noted
        fits = order.handed_over_digest == earlier_fingerprint(order, settings)
        is_without_news = noted is None and not order.is_pending and "ChangedAfterHandOver" not in order.alerts
        is_as_it_left = is_another and (fits or is_without_news)
    return parcel_now(order, settings) if is_as_it_left else noted


def _granted_before(order: Order, settings: Settings, at: datetime) -> Granted:
    return Granted(
        stage=settings.default_stage,
        three_pl_status=settings.default_three_pl_status,
        is_dispatched=order.dispatched_by == "us",
        at=order.fully_dispatched_at or at,
    )


def _decisions_shown(order: Order, granted: Defaults, at: datetime) -> Decisions:
    """What people decided, as far as the order shows it: everything that is neither decided already nor granted."""
    known = order.decisions
    stage, three_pl_status = known.stage, known.three_pl_status
    if order.stage not in {None, NEEDS_ATTENTION, granted.stage, stage.stage if stage else None}:
        stage = StageDecision(by=WHO, at=at, stage=str(order.stage))
    is_open = not (order.is_handed_over or order.voided_at or order.redacted_at or order.amazon.is_shipped)
    shown = order.three_pl_status
    is_masked = not is_open or order.stage in {None, NEEDS_ATTENTION} or order.amazon.is_fulfilled_by_amazon
    if order.amazon.is_partly_shipped and shown is ThreePlStatus.DO_NOT_TRANSFER:
        is_masked = True
    decided = three_pl_status.three_pl_status if three_pl_status else None
    if not is_masked and shown not in {granted.three_pl_status, decided}:
        three_pl_status = ThreePlDecision(by=WHO, at=at, three_pl_status=shown)
    dispatch = known.dispatch
    if order.dispatched_by == "person" and order.fully_dispatched_at and not (dispatch and dispatch.is_sent):
        dispatch = DispatchDecision(by=WHO, at=at, sent_at=order.fully_dispatched_at)
    elif not is_masked and granted.is_dispatched and order.dispatched_by is None and dispatch is None:
        dispatch = DispatchDecision(by=WHO, at=at)
    return known.with_(stage=stage, three_pl_status=three_pl_status, dispatch=dispatch)

"""Orders of the release before: how their decisions are read out of what they show.

That release kept a person's choice of Stage, 3PL Status and dispatch in the same attributes as the verdict's. Holds by
hand and snoozes it kept apart.
"""

from tests.model.decisions.alerts import has_left, parcel_now, parcel_of
from tests.model.decisions.item import DispatchDecision, Dispatched, Item, Parcel, Settings, is_handed_over
from tests.model.decisions.rules import Rules
from tests.model.values import Stage, Status, ThreePl


def in_the_form_of_now(item: Item, settings: Settings, rules: Rules) -> Item:
    """The order with its decisions apart from what it was granted."""
    if not item.is_earlier:
        return item
    now = item._replace(is_earlier=False, parcel=_parcel_in_the_form_of_now(item, rules))
    if item.is_held or not item.is_judged:
        return now
    granted_dispatch = Dispatched.BY_US if item.dispatched is Dispatched.BY_US else Dispatched.NO
    if rules.shown_is_granted:
        now = now._replace(
            is_granted=True, granted_three_pl=settings.default_three_pl, granted_dispatch=granted_dispatch
        )
    return _with_decisions_shown(now, settings) if rules.shown_counts else now


def _parcel_in_the_form_of_now(item: Item, rules: Rules) -> Parcel | None:
    """That release noted nothing of what it dispatched from here, and a fingerprint of what the warehouse took."""
    if item.parcel is None:
        return parcel_now(item, rules) if has_left(item) and not item.is_pending else None
    is_as_taken = item.parcel.told == parcel_of(item)
    return parcel_now(item, rules) if is_as_taken and rules.own_way else item.parcel


def _with_decisions_shown(item: Item, settings: Settings) -> Item:
    is_chosen = item.three_pl is not settings.default_three_pl and not _is_masked(item)
    is_sent = item.dispatched is Dispatched.BY_PERSON
    return item._replace(
        decided_stage=item.stage is Stage.OWN,
        decided_three_pl=item.three_pl if is_chosen else None,
        decided_dispatch=DispatchDecision.SENT if is_sent else DispatchDecision.NONE,
    )


def _is_masked(item: Item) -> bool:
    """Whether the 3PL Status comes from the state of the order, and tells nothing of a person."""
    is_open = not (is_handed_over(item) or item.is_void or item.is_redacted or item.status is Status.SHIPPED)
    is_the_rest = item.status is Status.PARTLY_SHIPPED and item.three_pl is ThreePl.DO_NOT_TRANSFER
    return not is_open or item.is_fba or is_the_rest or item.stage in (Stage.NONE, Stage.NEEDS_ATTENTION)

"""The facts that the rules need: an order's gaps, typed values that differ from Amazon's, and whether it may leave."""

from tests.model.decisions.item import (
    BLANK,
    CLOSED_AT_AMAZON,
    DISPATCHED_BEFORE_HAND_OVER,
    MISSING_ANSWER,
    MISSING_CONFIRMATION,
    MISSING_LINES,
    MISSING_X,
    TYPED_VALUES,
    Dispatched,
    Item,
    Settings,
    is_handed_over,
)
from tests.model.decisions.lines import amazons_number, gap_of, is_cancelled_under_typed, number_to_send
from tests.model.decisions.rules import Rules
from tests.model.values import Stage, Status, ThreePl

STATUSES_THAT_STAY = (Status.PENDING, *CLOSED_AT_AMAZON)


class Situation:
    """One order, with the settings of now and the rules that are on."""

    __slots__ = ("differs", "item", "line_differs", "missing", "open_missing", "rules", "settings", "x_differs")

    def __init__(self, item: Item, settings: Settings, rules: Rules) -> None:
        self.item = item
        self.settings = settings
        self.rules = rules
        self.missing = _missing(item, settings, rules)
        self.open_missing = self.missing & ~item.accepted
        """The gaps that no administrator accepted."""
        self.x_differs = _x_differs(item, rules)
        self.line_differs = is_cancelled_under_typed(item)
        self.differs = self.x_differs or self.line_differs
        """An unsettled difference: typed, and Amazon says something else that no person has seen yet."""

    @property
    def missing_at_amazon(self) -> int:
        """The gaps in Amazon's data alone, without typed values and confirmations."""
        item = self.item
        x = 0 if item.amazon_x or not self.settings.checks_x else MISSING_X
        lines = gap_of(amazons_number(item, self.rules))
        answer = MISSING_ANSWER if item.cancel_requests else 0
        return x | lines | answer | (MISSING_CONFIRMATION if is_in_doubt(item, self.rules) else 0)

    @property
    def is_ready(self) -> bool:
        """Nothing is missing, in Amazon's data alone neither, and no difference is unsettled."""
        if self.missing or (self.rules.row12_alone and self.missing_at_amazon):
            return False
        return not (self.rules.differs and self.differs)

    @property
    def has_unanswered_request(self) -> bool:
        return self.item.cancel_requests > self.item.answered_requests

    @property
    def has_unconfirmed_return(self) -> bool:
        """Back from shipped or FBA, and nobody confirmed that it is ours to send."""
        return self.item.was_elsewhere and not self.item.confirmed_ours

    @property
    def has_dispatch_of_ours(self) -> bool:
        """A real dispatch: 3PL Status Do Not Transfer, so it does not wait for a transfer."""
        return _has_real_dispatch(self.item) and not (
            self.item.dispatched is Dispatched.BY_AMAZON and self.rules.amz_fd
        )


def _has_real_dispatch(item: Item) -> bool:
    return bool(item.dispatched) and item.three_pl is ThreePl.DO_NOT_TRANSFER


def is_in_doubt(item: Item, rules: Rules) -> bool:
    """Nobody knows whether the order was shipped already."""
    return (item.status is Status.UNKNOWN and rules.unknown) or item.was_elsewhere


def _missing(item: Item, settings: Settings, rules: Rules) -> int:
    if item.is_fba:
        return 0 if item.amazon_lines else MISSING_LINES
    lines = gap_of(number_to_send(item, rules))
    is_typed = item.typed_x in TYPED_VALUES
    owns_the_unit = bool(item.typed_x) and not is_typed
    has_x = is_typed or (item.amazon_x and not owns_the_unit) or not settings.checks_x
    answer = MISSING_ANSWER if item.cancel_requests > item.answered_requests else 0
    confirmation = MISSING_CONFIRMATION if is_in_doubt(item, rules) and not item.confirmed_ours else 0
    return (0 if has_x else MISSING_X) | lines | answer | confirmation


def _x_differs(item: Item, rules: Rules) -> bool:
    if item.typed_x not in TYPED_VALUES or item.amazon_x in (BLANK, item.typed_x):
        return False
    return item.news or item.amazon_x != item.settled if rules.settle_value else not item.settled


def is_changed(item: Item, rules: Rules) -> bool:
    """Amazon changed what it had said. This holds an order let go too; Amazon's first word on a gap does not."""
    if is_cancelled_under_typed(item):
        return True
    if not _x_differs(item, rules):
        return False
    if not rules.chg:
        return item.settled not in (BLANK, item.amazon_x)
    return item.news if rules.chg_merge else item.last_judged_x not in (BLANK, item.amazon_x)


# Orders that may leave ------------------------------------------------------------------------------------------------


def _is_open(item: Item, rules: Rules) -> bool:
    is_closed = (
        (item.is_pending and rules.pend_closed)
        or item.is_void
        or item.is_redacted
        or item.is_fba
        or item.stage is Stage.NEEDS_ATTENTION
        or item.status in STATUSES_THAT_STAY
        or is_handed_over(item)
    )
    return not is_closed


def _lacks_nothing_as_judged(item: Item, rules: Rules) -> bool:
    return not (rules.ful_looks and item.missing & ~item.accepted)


def is_released_to_3pl(item: Item, rules: Rules) -> bool:
    """Open, and its 3PL Status says that the warehouse may take it."""
    return _is_open(item, rules) and (
        item.three_pl is ThreePl.NOW or (item.three_pl is ThreePl.UPON_COMPLETION and bool(item.dispatched))
    )


def is_transferable(item: Item, rules: Rules) -> bool:
    return is_released_to_3pl(item, rules) and _lacks_nothing_as_judged(item, rules)


def is_fulfillable(item: Item, rules: Rules) -> bool:
    if (rules.row7_changed and is_changed(item, rules)) or not _lacks_nothing_as_judged(item, rules):
        return False
    return is_released_to_3pl(item, rules) or (_is_open(item, rules) and item.dispatched in DISPATCHED_BEFORE_HAND_OVER)

"""The decisions that people make about an order, and the defaults that it was given where nobody decided.

The two are stored apart. A verdict never writes a decision, so no verdict overturns one; and a decision is stored also
if it changes nothing at that moment.
"""

from typing import Literal

from needs_attention.orders.settings import ThreePlStatus
from needs_attention.values.model import Value
from needs_attention.values.times import UtcTime


class Decision(Value):
    """Who decided, and when."""

    by: str
    at: UtcTime


class StageDecision(Decision):
    """The Stage (its id) that a person chose."""

    stage: str


class ThreePlDecision(Decision):
    """The 3PL Status that a person chose, of those that are ours to set.

    `is_implied`: the person ended a hold by choosing a Stage, and asked for no transfer.
    """

    three_pl_status: ThreePlStatus
    is_implied: bool = False


class DispatchDecision(Decision):
    """Whether the order was sent (`sent_at` says when), or was not.

    `is_reported`: said after the hand-over, of goods that the warehouse has.
    """

    sent_at: UtcTime | None = None
    is_reported: bool = False

    @property
    def is_sent(self) -> bool:
        return self.sent_at is not None


class HoldDecision(Decision):
    """A hold that a person put on the order: until a person ends it or, if it is a snooze, until a date.

    `was_manual`: the snooze lies over a hold by hand, which goes on when the snooze ends.
    """

    until: UtcTime | None = None
    was_manual: bool = False

    @property
    def kind(self) -> Literal["manual", "snoozed"]:
        return "manual" if self.until is None else "snoozed"


class Decisions(Value):
    """All that people decided about an order."""

    stage: StageDecision | None = None
    three_pl_status: ThreePlDecision | None = None
    dispatch: DispatchDecision | None = None
    hold: HoldDecision | None = None

    def with_(self, **changes: Decision | None) -> "Decisions":
        return self.model_copy(update=changes)

    @property
    def stop(self) -> Decision | None:
        """The decision that stops the order, the later of two; None if no person stopped it."""
        is_not_transferred = (
            self.three_pl_status is not None and self.three_pl_status.three_pl_status is ThreePlStatus.DO_NOT_TRANSFER
        )
        stops: list[Decision] = []
        if self.three_pl_status is not None and is_not_transferred:
            stops.append(self.three_pl_status)
        if self.dispatch is not None and not self.dispatch.is_sent:
            stops.append(self.dispatch)
        return max(stops, key=lambda stop: stop.at, default=None)


class Defaults(Value):
    """What an order gets where no person decided. `is_dispatched`: Auto Dispatch marks it as dispatched."""

    stage: str
    three_pl_status: ThreePlStatus
    is_dispatched: bool


class Granted(Defaults):
    """The defaults that an order was let go with, and when: by a verdict, a release, or a decision taken back."""

    at: UtcTime

"""The settings that an order is judged by: its defaults, its checks, and the times at which nothing may leave."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from needs_attention.values.fields import Slug
from needs_attention.values.model import Value
from needs_attention.values.times import SentTime


class ThreePlStatus(StrEnum):
    """The state of an order at the third-party warehouse, in the words of Cin7 Omni's 3PL integrations."""

    DO_NOT_TRANSFER = "Do Not Transfer to 3PL"
    UPON_COMPLETION = "Transfer to 3PL Upon Completion"
    NOW = "Transfer to 3PL Now"
    TRANSFERRED = "Transferred to 3PL for Picking"
    WITH_ERRORS = "Transferred to 3PL with Errors"
    PICKED = "Picked by 3PL Successfully"

    @classmethod
    def _missing_(cls, value: object) -> "ThreePlStatus | None":
        """Accepts other spellings: upper and lower case, `Do Not Transfer` and `Transfer to 3PL Upon Complete`."""
        spelling = " ".join(str(value).split()).casefold()
        others = {"do not transfer": cls.DO_NOT_TRANSFER, "transfer to 3pl upon complete": cls.UPON_COMPLETION}
        return next((status for status in cls if status.casefold() == spelling), others.get(spelling))

    @property
    def is_handed_over(self) -> bool:
        """Whether the warehouse has the order: from then on nobody here changes it."""
        return self in _HANDED_OVER


_HANDED_OVER = frozenset({ThreePlStatus.TRANSFERRED, ThreePlStatus.WITH_ERRORS, ThreePlStatus.PICKED})
OURS_TO_SET = [str(status) for status in ThreePlStatus if not status.is_handed_over]

NEEDS_ATTENTION = "needs-attention"
NEW = "new"


class Checks(Value):
    """The checks that hold an order, each switched on or off."""

    names: bool = True
    email: bool = True
    delivery_address: bool = True
    billing_address: bool = True
    line_items: bool = True
    buyer_requested_cancel: bool = True


def _ours_to_set(status: ThreePlStatus) -> ThreePlStatus:
    if status.is_handed_over:
        raise ValueError("only a warehouse sets this 3PL Status, so it cannot be a default")
    return status


def _not_a_hold(stage: str) -> str:
    if stage == NEEDS_ATTENTION:
        raise PydanticCustomError(
            "means_held", "Needs Attention means held, so it cannot be the Stage of complete orders"
        )
    return stage


DefaultStage = Annotated[Slug, AfterValidator(_not_a_hold)]
DefaultThreePlStatus = Annotated[
    ThreePlStatus, AfterValidator(_ours_to_set), WithJsonSchema({"type": "string", "enum": OURS_TO_SET})
]
BillingAddressPolicy = Literal["copyDelivery", "copyIfSameName", "require"]
SingleWordNamePolicy = Literal["byScript", "hold", "accept"]
# The choices of each kind: an order that one of them holds or keeps here is held or kept by those behind it, too.
_LAXEST_FIRST = (
    *(ThreePlStatus.NOW, ThreePlStatus.UPON_COMPLETION, ThreePlStatus.DO_NOT_TRANSFER),
    *("copyDelivery", "copyIfSameName", "require"),
    *("accept", "byScript", "hold"),
)


class OrderDefaults(Value):
    """The settings that a marketplace may have its own values of, with the defaults of a new integration.

    No rule takes these: it takes `Settings`, which are those of the order's marketplace.
    """

    default_stage: DefaultStage = NEW
    default_three_pl_status: DefaultThreePlStatus = ThreePlStatus.UPON_COMPLETION
    auto_dispatch_orders: bool = False
    go_live_date: SentTime | None = Field(
        default=None, description="Orders created before this time are judged but never handed over"
    )
    trial_mode: bool = Field(default=False, description="Orders are judged and shown, but none is handed over")
    checks: Checks = Checks()
    billing_address: BillingAddressPolicy = "copyDelivery"
    single_word_names: SingleWordNamePolicy = "byScript"


class Settings(OrderDefaults):
    """The settings that one order is judged by."""

    def may_hand_over(self, created_at: datetime) -> bool:
        """Whether an order created then may ever leave: not in trial mode, and not from before the go-live date."""
        return not self.trial_mode and (self.go_live_date is None or created_at >= self.go_live_date)

    def no_freer_than(self, other: Self) -> Self:
        """With what keeps more orders of both: what one of the two holds or keeps here stays here."""
        both = (self, other)
        dates = [one.go_live_date for one in both if one.go_live_date]
        kept: dict[str, object] = {
            name: max((getattr(one, name) for one in both), key=_LAXEST_FIRST.index)
            for name in ("default_three_pl_status", "billing_address", "single_word_names")
        }
        kept |= {
            "trial_mode": self.trial_mode or other.trial_mode,
            "go_live_date": max(dates, default=None),
            "checks": Checks(**{name: is_on or getattr(other.checks, name) for name, is_on in self.checks}),
            "auto_dispatch_orders": self.auto_dispatch_orders and other.auto_dispatch_orders,
        }
        return self.model_copy(update=kept)

"""The settings of one integration: its defaults, its checks, and the times at which nothing may leave."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema, field_validator
from pydantic_core import PydanticCustomError

from needs_attention.values.fields import WHOLE, Slug
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
        return self in {self.TRANSFERRED, self.WITH_ERRORS, self.PICKED}


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


class Settings(Value):
    """One integration's settings, with the defaults of a new one."""

    default_stage: Slug = NEW
    default_three_pl_status: Annotated[ThreePlStatus, WithJsonSchema({"type": "string", "enum": OURS_TO_SET})] = (
        ThreePlStatus.UPON_COMPLETION
    )
    auto_dispatch_orders: bool = False
    download_orders_updated_after: SentTime | None = Field(
        default=None, description="The start of a backdated download whose request names no time"
    )
    go_live_date: SentTime | None = Field(
        default=None, description="Orders created before this time are judged but never handed over"
    )
    trial_mode: bool = Field(default=False, description="Orders are judged and shown, but none is handed over")
    download_pending_orders: bool = Field(
        default=False, description="Orders that Amazon has not released yet are downloaded as drafts"
    )
    checks: Checks = Checks()
    billing_address: Literal["copyDelivery", "copyIfSameName", "require"] = "copyDelivery"
    single_word_names: Literal["byScript", "hold", "accept"] = "byScript"
    live_download_every_minutes: Annotated[int, Field(ge=1, le=24 * 60), WHOLE] = 5
    order_change_notifications: bool = Field(
        default=False, description="Amazon reports changed orders, which are then downloaded within seconds"
    )

    @field_validator("default_three_pl_status")
    @classmethod
    def _is_ours_to_set(cls, status: ThreePlStatus) -> ThreePlStatus:
        if status.is_handed_over:
            raise ValueError("only a warehouse sets this 3PL Status, so it cannot be a default")
        return status

    @field_validator("default_stage")
    @classmethod
    def _is_not_a_hold(cls, stage: str) -> str:
        if stage == NEEDS_ATTENTION:
            raise PydanticCustomError(
                "means_held", "Needs Attention means held, so it cannot be the Stage of complete orders"
            )
        return stage

    def may_hand_over(self, created_at: datetime) -> bool:
        """Whether an order created then may ever leave: not in trial mode, and not from before the go-live date."""
        return not self.trial_mode and (self.go_live_date is None or created_at >= self.go_live_date)

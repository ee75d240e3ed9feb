"""What an order can have in both models: a status at Amazon, a Stage, a 3PL Status."""

from enum import IntEnum, StrEnum


class Status(StrEnum):
    """Amazon's fulfillment status."""

    PENDING = "PENDING"
    UNSHIPPED = "UNSHIPPED"
    PARTLY_SHIPPED = "PARTIALLY_SHIPPED"
    SHIPPED = "SHIPPED"
    CANCELLED = "CANCELLED"
    UNKNOWN = "unknown"


class Stage(StrEnum):
    NONE = "no Stage"
    NEEDS_ATTENTION = "Needs Attention"
    DEFAULT = "default Stage"
    OWN = "own Stage"


class ThreePl(IntEnum):
    """3PL Status. From `TRANSFERRED` on, the warehouse has the order."""

    DO_NOT_TRANSFER = 0
    UPON_COMPLETION = 1
    NOW = 2
    TRANSFERRED = 3
    WITH_ERRORS = 4
    PICKED = 5

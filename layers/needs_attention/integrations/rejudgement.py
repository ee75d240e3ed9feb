"""Orders judged anew because the settings have changed: how far that has come."""

from needs_attention.values.model import Value
from needs_attention.values.times import UtcTime


class Rejudgement(Value):
    """Goes through the Stages one after another; `position` is where it stands in the first of `stages`.

    `changed` counts the orders whose verdict is another one now.
    """

    requested_by: str
    requested_at: UtcTime
    stages: tuple[str, ...]
    position: str | None = None
    orders: int = 0
    changed: int = 0
    finished_at: UtcTime | None = None

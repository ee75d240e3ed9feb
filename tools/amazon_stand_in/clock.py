"""A clock that tests set."""

from datetime import datetime, timedelta


class Clock:
    """Callable, as the stand-in requires of its clock: returns `now`."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by

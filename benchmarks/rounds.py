"""Measuring contenders side by side: one machine, one run, a new order each round."""

import random
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import NamedTuple


class Spread(NamedTuple):
    """The median of what was measured, and between which bounds all of it lay."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> "Spread":
        return cls(median(figures), min(figures), max(figures))

    def shown(self, digits: int = 0) -> str:
        """For a table: `425 (401 to 498)`."""
        return f"{self.median:,.{digits}f} ({self.least:,.{digits}f} to {self.most:,.{digits}f})"


def interleaved[Figure](rounds: int, contenders: Mapping[str, Callable[[], Figure]]) -> dict[str, list[Figure]]:
    """Each contender's figures in each round, by its name.

    The processor's speed drifts within a minute. So every round has each contender once, in an order of its own, and
    only figures of one round are compared (`ratio`).
    """
    figures: dict[str, list[Figure]] = {name: [] for name in contenders}
    shuffled = list(contenders)
    for number in range(1, rounds + 1):
        random.shuffle(shuffled)
        for name in shuffled:
            figures[name].append(contenders[name]())
        print(f"  round {number} of {rounds}", flush=True)
    return figures


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Ours by theirs, round by round."""
    return Spread.of([mine / other for mine, other in zip(ours, theirs, strict=True)])

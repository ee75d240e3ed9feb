"""The parts of the report: each section has a text, and figures for people who decide."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from benchmarks.markdown import table


class Figure(NamedTuple):
    """What is measured, what it came to and what was aimed at, in words; `is_met` is None where there is no target."""

    what: str
    reached: str
    target: str = ""
    is_met: bool | None = None


class Section(NamedTuple):
    """`text` begins with a heading."""

    figures: Sequence[Figure]
    text: str


def at_most(what: str, reached: float, target: float, unit: str = "", digits: int = 2) -> Figure:
    return Figure(what, f"{reached:,.{digits}f}{unit}", f"at most {target:,.{digits}f}{unit}", reached <= target)


def at_least(what: str, reached: float, target: float, unit: str = "", digits: int = 2) -> Figure:
    return Figure(what, f"{reached:,.{digits}f}{unit}", f"at least {target:,.{digits}f}{unit}", reached >= target)


def told_of(figure: Figure, target: str = "Target") -> str:
    """For a text: `Target: at most 0.70. Missed: 0.73.`"""
    return f"{target}: {figure.target}. {'Reached' if figure.is_met else 'Missed'}: {figure.reached}."


def summary(figures: Iterable[Figure]) -> str:
    """All of them in one table."""
    met = {None: "", True: "yes", False: "**no**"}
    rows = [(figure.what, figure.reached, figure.target, met[figure.is_met]) for figure in figures]
    return table(("", "measured", "target", "met"), rows)

"""Breadth-first search through every history of a model; it remembers the shortest history that breaks each property.

Nothing is sampled: the search visits every state that any order of the steps can reach.
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Step[S: Hashable](NamedTuple):
    """One atomic write or one event: its name, the state after it, and the properties that it breaks on its way."""

    name: str
    state: S
    broken: tuple[str, ...]


@dataclass(frozen=True)
class Model[S: Hashable]:
    """The states where histories begin, the steps from a state, and the properties that a state breaks by itself."""

    begins: Iterable[S]
    steps: Callable[[S], Iterable[Step[S]]]
    broken_in: Callable[[S], tuple[str, ...]]


type History[S] = list[tuple[str, S]]


@dataclass
class Found[S: Hashable]:
    """The size of a search, and the shortest history that breaks each broken property."""

    states: int = 0
    transitions: int = 0
    histories: dict[str, History[S]] = field(default_factory=dict)

    def add(self, other: "Found[S]") -> None:
        """Takes in what another search found; of two histories that break a property, the shorter one stays."""
        self.states += other.states
        self.transitions += other.transitions
        for broken, history in other.histories.items():
            if broken not in self.histories or len(history) < len(self.histories[broken]):
                self.histories[broken] = history

    @property
    def shortest(self) -> str:
        """The property with the shortest history of all."""
        return min(self.histories, key=lambda broken: len(self.histories[broken]))


def search[S: Hashable](model: Model[S], *, until_broken: bool = False) -> Found[S]:
    """Visits every state, or, with `until_broken`, stops after the first state whose steps break a property."""
    came_from: dict[S, tuple[S, str] | None] = dict.fromkeys(model.begins)
    found: Found[S] = Found()
    to_visit = deque(came_from)
    while to_visit and not (until_broken and found.histories):
        state = to_visit.popleft()
        for step in model.steps(state):
            found.transitions += 1
            broken = step.broken
            if step.state not in came_from:
                came_from[step.state] = (state, step.name)
                to_visit.append(step.state)
                broken += model.broken_in(step.state)
            for name in broken:
                if name not in found.histories:
                    found.histories[name] = [*_history_to(state, came_from), (step.name, step.state)]
    found.states = len(came_from)
    return found


def _history_to[S: Hashable](state: S, came_from: dict[S, tuple[S, str] | None]) -> History[S]:
    history: History[S] = []
    while (last := came_from[state]) is not None:
        before, name = last
        history.append((name, state))
        state = before
    return history[::-1]


class Break(NamedTuple):
    """A break without a rule: the property, the steps of the shortest history, and a world where it happens."""

    broken: str
    steps: int
    world: str
    ledger: int = 0
    """Which of the world's ledgers tells that history."""
    bound: str = "quick"


class Subject[S: Hashable](NamedTuple):
    """A model with all that a run of it needs."""

    name: str
    models: Callable[[str, str | None], Mapping[str, Model[S]]]
    """The models of a bound by the names of their worlds, with all rules on or without the one named."""
    bounds: tuple[str, ...]
    """The bounds of a full run, from the smallest to the largest."""
    properties: Mapping[str, str]
    breaks: Mapping[str, Break]
    sentence: Callable[[str], str]
    lines_of: Callable[[History[S]], list[str]]

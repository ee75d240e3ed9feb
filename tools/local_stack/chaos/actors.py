"""Actors, who do something at random, in parallel, until the run is over."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from random import Random
from threading import Event
from typing import Any, ClassVar

from botocore.exceptions import BotoCoreError
from urllib3.exceptions import HTTPError

from tools.local_stack.api import Answer, call
from tools.local_stack.chaos.truth import Truth
from tools.local_stack.expectations import Unexpected
from tools.local_stack.stack import Stack

# The refusals that a caller may get while functions die: not now, or not at all.
REFUSED = frozenset({404, 409, 412, 429, 500, 502, 503, 504})


class Actor(ABC):
    """Its acts follow from the seed alone; their results depend on the other actors."""

    pause: ClassVar[float]  # seconds between two acts, on average

    def __init__(self, seed: int) -> None:
        self.random = Random(f"{seed}:{type(self).__name__}")
        self.counts: Counter[str] = Counter()

    @abstractmethod
    def acts(self) -> Mapping[Callable[[], object], int]:
        """Its possible next acts, and the relative probability of each."""

    def keep_on(self, until: Event) -> None:
        """Raises Unexpected if something is as it must never be. That nobody answers is nothing unexpected."""
        while not until.is_set():
            acts = self.acts()
            (act,) = self.random.choices(list(acts), list(acts.values()))
            try:
                act()
            except (HTTPError, BotoCoreError):
                self.counts["unanswered"] += 1
            else:
                self.counts[act.__name__] += 1
            until.wait(self.random.uniform(0, 2 * self.pause))


class Caller(Actor):
    """An actor who uses the API, as whoever has the role."""

    def __init__(self, seed: int, stack: Stack, truth: Truth) -> None:
        super().__init__(seed)
        self.stack = stack
        self.truth = truth

    def ask(self, role: str, method: str, path: str, body: Any = None) -> Answer:
        """Counts the answers by their status. Raises Unexpected for a status that nobody may be answered with."""
        answer = call(self.stack, role, method, path, body)
        self.counts[f"answered {answer.status}"] += 1
        if answer.status >= 300 and answer.status not in REFUSED:
            raise Unexpected(f"{method} {path} as {role} is answered with {answer.status}: {answer.body}")
        return answer

    def some_order(self) -> str | None:
        """Rather one that has just come."""
        known = self.truth.order_ids()
        return self.random.choice(known[-40:] if self.random.random() < 0.7 else known) if known else None

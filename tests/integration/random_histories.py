"""How tests make random histories: as many as fit into every run, or, with `HYPOTHESIS_PROFILE=deep`, many more."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

IS_DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"


@dataclass(frozen=True)
class Step:
    """Something that happens: a method of the machine, with its arguments."""

    what: str
    how: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"{self.what}({', '.join(f'{name}={value!r}' for name, value in self.how.items())})"

    def _repr_pretty_(self, printer: Any, _is_cycle: bool) -> None:
        printer.text(repr(self))


class Independent(HypothesisProvider):
    """Makes every history from scratch.

    Left alone, Hypothesis makes five of six histories from an earlier one, with a step copied to another place. On code
    that was broken on purpose, that found fewer faults in the same time.
    """


AVAILABLE_PROVIDERS["independent"] = Independent


def run_histories(machine: Callable[[], RuleBasedStateMachine], *, histories: int, steps: int) -> None:
    """Runs so many, the same ones each time; fifty times as many, and others each time, if looking deep."""
    run_state_machine_as_test(
        machine,  # type: ignore[arg-type]  # typed as a class; any factory will do
        settings=settings(
            backend="independent",
            max_examples=50 * histories if IS_DEEP else histories,
            stateful_step_count=steps,
            derandomize=not IS_DEEP,
            deadline=None,
            # Explaining a failure traces every line, which makes shrinking it take minutes.
            phases=set(Phase) - {Phase.explain},
            suppress_health_check=tuple(HealthCheck),
            print_blob=True,
        ),
    )

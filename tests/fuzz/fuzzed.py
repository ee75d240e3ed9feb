"""Properties that fuzzing holds the parsers to: two hundred cases each as tests, millions by `make fuzz`.

Each is a test of pytest's and of Hypothesis's. Anything that it raises is a crash.
"""

import os
from collections.abc import Callable
from typing import Any, Final

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st

# `make fuzz` tells a property that it runs by Hypothesis alone how many cases to try, and whether to show the one case
# of a crash.
CASES: Final = os.environ.get("FUZZ_CASES")
IS_SHOWN: Final = "FUZZ_SHOWN" in os.environ
CASES_OF_A_TEST: Final = 200


def fuzzed(**what: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Marks a property of whatever the strategies make; as a test it has the same cases in every run."""

    def decorate(prop: Callable[..., None]) -> Callable[..., None]:
        configured = settings(
            max_examples=int(CASES or CASES_OF_A_TEST),
            derandomize=CASES is None,
            verbosity=Verbosity.verbose if IS_SHOWN else Verbosity.normal,
            deadline=None,  # the machine may be busy: the bombs are measured in processor time instead
            # Explaining a failure traces every line, which makes shrinking it take minutes.
            phases=set(Phase) - {Phase.explain},
            suppress_health_check=tuple(HealthCheck),
            print_blob=True,
        )
        return configured(given(**what)(prop))

    return decorate

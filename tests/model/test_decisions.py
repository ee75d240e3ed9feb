"""One order under every history of Amazon's news, people's decisions, the warehouse and faults, to a bound."""

from dataclasses import replace

import pytest

from tests.model.decisions.breaks import BREAKS
from tests.model.decisions.properties import PROPERTIES
from tests.model.decisions.rules import NAMES
from tests.model.decisions.runs import explored_by_the_tests, models
from tests.model.decisions.worlds import WORLDS
from tests.model.search import search


@pytest.mark.parametrize("world", WORLDS)
def test_with_all_rules_no_history_breaks_a_property(world: str) -> None:
    found = explored_by_the_tests(world).found
    assert found.histories == {}
    assert found.states == STATES[world]


# A rule that takes steps away hides what those steps would break, so the number of states is part of the proof.
STATES = {
    "typed against late": 24_888,
    "status and snooze": 42_400,
    "warehouse": 26_745,
    "faults": 14_790,
    "settings": 29_274,
    "alerts": 13_549,
    "lines": 9_360,
    "taken over": 12_565,
}


@pytest.mark.parametrize("rule", NAMES)
def test_without_a_rule_a_history_breaks_a_property(rule: str) -> None:
    expected = BREAKS[rule]
    model = models(expected.bound, rule)[expected.world]
    begins = [state for state in model.begins if state.ledger == expected.ledger]
    found = search(replace(model, begins=begins), until_broken=True)
    assert {broken: len(history) for broken, history in found.histories.items()}[expected.broken] == expected.steps


def test_the_table_names_every_rule_and_known_properties() -> None:
    assert tuple(BREAKS) == NAMES
    assert {expected.broken for expected in BREAKS.values()} <= PROPERTIES.keys()

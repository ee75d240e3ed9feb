"""One order under every interleaving of reads and writes of downloads, validation, people, the 3PL and redaction."""

from dataclasses import replace

import pytest

from tests.model.races.breaks import BREAKS
from tests.model.races.properties import PROPERTIES
from tests.model.races.rules import NAMES
from tests.model.races.runs import models
from tests.model.races.steps import LEDGERS, WORLDS
from tests.model.search import search

# A rule that takes steps away hides what those steps would break, so the number of states is part of the proof.
STATES = {"upon completion": 25_362, "upon completion, Auto Dispatch": 27_640, "now": 28_522}


@pytest.mark.parametrize("world", WORLDS)
def test_with_all_rules_no_history_breaks_a_property(world: str) -> None:
    found = search(models("tests")[world])
    assert found.histories == {}
    assert found.states == STATES[world]


@pytest.mark.parametrize("rule", NAMES)
def test_without_a_rule_a_history_breaks_a_property(rule: str) -> None:
    expected = BREAKS[rule]
    model = models(expected.bound, rule)[expected.world]
    begins = [state for state in model.begins if state.ledger == LEDGERS[expected.ledger]]
    found = search(replace(model, begins=begins), until_broken=True)
    assert {broken: len(history) for broken, history in found.histories.items()}[expected.broken] == expected.steps


def test_the_table_names_every_rule_and_known_properties() -> None:
    assert tuple(BREAKS) == NAMES
    assert {expected.broken for expected in BREAKS.values()} <= PROPERTIES.keys()

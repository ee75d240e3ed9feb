"""The model of read and write races, ready to run."""

from tests.model.races.breaks import BREAKS
from tests.model.races.properties import PROPERTIES
from tests.model.races.rules import rules_without, sentence
from tests.model.races.steps import BUDGETS, WORLDS, State, one_order
from tests.model.races.story import lines_of
from tests.model.search import Model, Subject


def models(bound: str, rule: str | None = None) -> dict[str, Model[State]]:
    """The models of a bound by settings, with all rules on or without the one named."""
    rules = rules_without(rule)
    return {name: one_order(settings, rules, BUDGETS[bound]) for name, settings in WORLDS.items()}


RACES = Subject(
    name="read and write races",
    models=models,
    bounds=("quick",),
    properties=PROPERTIES,
    breaks=BREAKS,
    sentence=sentence,
    lines_of=lines_of,
)

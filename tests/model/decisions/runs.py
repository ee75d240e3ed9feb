"""The model of people's decisions, ready to run."""

from tests.model.decisions.breaks import BREAKS
from tests.model.decisions.people import ALL_ACTS
from tests.model.decisions.properties import PROPERTIES
from tests.model.decisions.rules import rules_without, sentence
from tests.model.decisions.steps import State, one_order
from tests.model.decisions.story import lines_of
from tests.model.decisions.worlds import BUDGETS, WORLDS
from tests.model.search import Model, Subject


def models(bound: str, rule: str | None = None) -> dict[str, Model[State]]:
    """The models of a bound by world, with all rules on or without the one named."""
    rules = rules_without(rule)
    return {
        name: one_order(world._replace(acts=ALL_ACTS) if bound == "all acts" else world, rules, BUDGETS[bound][name])
        for name, world in WORLDS.items()
    }


DECISIONS = Subject(
    name="people's decisions",
    models=models,
    bounds=("quick", "three acts", "all acts"),
    properties=PROPERTIES,
    breaks=BREAKS,
    sentence=sentence,
    lines_of=lines_of,
)

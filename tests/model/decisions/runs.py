"""The model of people's decisions, ready to run."""

from dataclasses import replace
from functools import cache
from typing import NamedTuple

from tests.model.decisions.breaks import BREAKS
from tests.model.decisions.item import Item
from tests.model.decisions.people import ALL_ACTS
from tests.model.decisions.properties import PROPERTIES
from tests.model.decisions.rules import rules_without, sentence
from tests.model.decisions.steps import State, one_order
from tests.model.decisions.story import lines_of
from tests.model.decisions.worlds import BUDGETS, WORLDS
from tests.model.search import Found, Model, Subject, search


def models(bound: str, rule: str | None = None) -> dict[str, Model[State]]:
    """The models of a bound by world, with all rules on or without the one named.

    Without a rule of now, each history begins with nothing stored: one that begins with an order of the release before
    is shorter only by what happened there.
    """
    rules = rules_without(rule)
    is_taken_over = rule and WORLDS[BREAKS[rule].world].is_taken_over
    return {
        name: one_order(world._replace(acts=ALL_ACTS) if bound == "all acts" else world, rules, BUDGETS[bound][name])
        for name, world in WORLDS.items()
        if rule is None or world.is_taken_over == is_taken_over
    }


class Explored(NamedTuple):
    """What the search of a world found, and every order as it is stored at some time in some history there."""

    found: Found[State]
    items: tuple[Item, ...]


@cache
def explored_by_the_tests(world: str) -> Explored:
    """All rules on, to the bound of the tests. Two tests look at it, and a search takes seconds."""
    items: dict[Item, None] = {}
    model = models("tests")[world]

    def broken_in(state: State) -> tuple[str, ...]:
        items[state.item] = None
        return model.broken_in(state)

    found = search(replace(model, broken_in=broken_in))
    return Explored(found, tuple(item for item in items if item.is_stored))


DECISIONS = Subject(
    name="people's decisions",
    models=models,
    bounds=("quick", "three acts", "all acts"),
    properties=PROPERTIES,
    breaks=BREAKS,
    sentence=sentence,
    lines_of=lines_of,
)

"""The package does what the model says: every verdict and every act that the model's search meets, one by one."""

from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from typing import Literal, NamedTuple

import pytest

from tests.model.decisions.item import OWNED_BLANK, Item, Settings
from tests.model.decisions.package import (
    Outcome,
    judged_by_the_package,
    outcome_of_item,
    performed_by_the_package,
    taken_by_the_warehouse,
)
from tests.model.decisions.people import Act, perform
from tests.model.decisions.rules import ALL_ON
from tests.model.decisions.runs import explored_by_the_tests
from tests.model.decisions.situation import is_transferable
from tests.model.decisions.steps import transferred
from tests.model.decisions.verdict import judge
from tests.model.decisions.worlds import WORLDS

# So many orders of each world meet one of the settings and a few of the acts; others that differ little meet the rest.
ORDERS, ACTS_OF_AN_ORDER = 500, 2


class Difference(NamedTuple):
    """Where the two part: the order before, the act (None: a verdict), and what each makes of it."""

    act: Act | Literal["hand-over"] | None
    before: Item
    settings: Settings
    differing: dict[str, tuple[object, object]]


@pytest.mark.parametrize("world", WORLDS)
def test_the_package_does_what_the_model_says(world: str) -> None:
    items = [item for item in explored_by_the_tests(world).items if has_a_counterpart(item)]
    some = [item for item in items if item.is_earlier] + items[:: max(1, len(items) // ORDERS)]
    found = [*differences(some, WORLDS[world].settings, WORLDS[world].acts)]
    assert found[:3] == []
    assert len(items) > ORDERS


def has_a_counterpart(item: Item) -> bool:
    """The package has no orders of rules that are switched off, and asks for lines that were ordered."""
    return item.typed_x != OWNED_BLANK and not (item.cancel_requests and not item.amazon_lines)


def differences(items: Sequence[Item], every: Sequence[Settings], acts: Sequence[Act]) -> Iterator[Difference]:
    for number, item in enumerate(items):
        settings = every[number % len(every)]
        judged = judge(item, settings, ALL_ON)
        yield from compared(None, item, settings, outcome_of_item(judged), judged_by_the_package(item, settings))
        yield from compared_hand_over(item, judged, settings)
        if not item.is_pending and judged != item:
            continue  # the package judges by the settings of now before each act, the model only what is pending
        for act in islice(cycle(acts), number % len(acts), number % len(acts) + ACTS_OF_AN_ORDER):
            yield from compared_after(act, item, settings)


def compared_hand_over(item: Item, judged: Item, settings: Settings) -> Iterator[Difference]:
    may_take = is_transferable(item, ALL_ON) and is_transferable(judged, ALL_ON)
    by_the_package = taken_by_the_warehouse(item, settings)
    if may_take != (by_the_package is not None):
        yield Difference("hand-over", item, settings, {"is refused": (not may_take, by_the_package is None)})
    elif by_the_package is not None:
        taken = transferred(judged, ALL_ON)
        yield from compared("hand-over", item, settings, outcome_of_item(taken), by_the_package)


def compared_after(act: Act, item: Item, settings: Settings) -> Iterator[Difference]:
    performed = perform(act, item, settings, ALL_ON)
    by_the_package = performed_by_the_package(act, item, settings)
    if performed is None:
        # Refused, or without effect: the package may answer the order as it is then.
        is_unchanged = by_the_package in {None, outcome_of_item(item), judged_by_the_package(item, settings)}
        if not is_unchanged:
            yield Difference(act, item, settings, {"is refused": (True, False)})
    elif by_the_package is None:
        yield Difference(act, item, settings, {"is refused": (False, True)})
    elif has_a_counterpart(performed):
        yield from compared(act, item, settings, outcome_of_item(performed), by_the_package)


def compared(
    act: Act | Literal["hand-over"] | None, item: Item, settings: Settings, model: Outcome, package: Outcome
) -> Iterator[Difference]:
    differing = {
        field: (getattr(model, field), getattr(package, field))
        for field in model._fields
        if getattr(model, field) != getattr(package, field) and not is_of_no_interest(field, model)
    }
    if differing:
        yield Difference(act, item, settings, differing)


def is_of_no_interest(field: str, outcome: Outcome) -> bool:
    """The model goes on listing what is missing where nobody acts on it: in drafts, void and handed-over orders."""
    return field == "missing" and (outcome.stage is None or outcome.is_void or outcome.three_pl.is_handed_over)

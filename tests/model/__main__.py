"""`python -m tests.model`: the models of one order in full. First all rules on, to every bound: nothing may break. Then
each rule off alone: each must break what the model's table of breaks says, and no shorter history may break anything.
Ends with 1 if that is not so.
"""

import argparse
import sys
import time
from collections.abc import Hashable

from tests.model.decisions.runs import DECISIONS
from tests.model.races.runs import RACES
from tests.model.search import Found, Subject, search


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="make model ARGUMENTS=...", description=__doc__)
    parser.add_argument("--bound", choices=DECISIONS.bounds, help="all rules on, to this bound only")
    parser.add_argument("--without", metavar="RULE", help="only without this rule")
    wanted = parser.parse_args()
    results = [*results_of(DECISIONS, wanted.bound, wanted.without), *results_of(RACES, wanted.bound, wanted.without)]
    if not results:
        parser.error(f"no such rule: {wanted.without}")
    return 0 if all(results) else 1


def results_of[S: Hashable](subject: Subject[S], bound: str | None, without: str | None) -> list[bool]:
    """Whether each run came out as it must."""
    bounds = [] if without else [name for name in subject.bounds if bound in (None, name)]
    rules = [] if bound else [rule for rule in subject.breaks if without in (None, rule)]
    return [nothing_breaks(subject, name) for name in bounds] + [rule_is_needed(subject, rule) for rule in rules]


def nothing_breaks[S: Hashable](subject: Subject[S], bound: str) -> bool:
    say(f"{subject.name}, all rules on, {bound}")
    found = explore(subject, bound, None)
    say(f"  {found.states:,} states, {found.transitions:,} transitions: {'BROKEN' if found.histories else 'holds'}")
    for broken in found.histories:
        tell(subject, found, broken)
    return not found.histories


def rule_is_needed[S: Hashable](subject: Subject[S], rule: str) -> bool:
    expected = subject.breaks[rule]
    say(f"{subject.name}, without {rule}: {subject.sentence(rule)}")
    found: Found[S] = Found()
    for bound in subject.bounds:
        if not found.histories:
            found = explore(subject, bound, rule)
    if not found.histories:
        say("  NOTHING BREAKS")
        return False
    shortest = found.shortest
    is_as_told = len(found.histories[shortest]) == len(found.histories.get(expected.broken, ())) == expected.steps
    tell(subject, found, expected.broken if is_as_told else shortest)
    if not is_as_told:
        say(f"  BUT the table says: {expected.broken} in {expected.steps} steps")
    return is_as_told


def explore[S: Hashable](subject: Subject[S], bound: str, rule: str | None) -> Found[S]:
    found: Found[S] = Found()
    for world, model in subject.models(bound, rule).items():
        began = time.monotonic()
        in_world = search(model, until_broken=rule is not None)
        found.add(in_world)
        seconds = time.monotonic() - began
        say(f"  {world}: {in_world.states:,} states, {in_world.transitions:,} transitions, {seconds:.0f} s")
    return found


def tell[S: Hashable](subject: Subject[S], found: Found[S], broken: str) -> None:
    say(f"  {broken}: {subject.properties[broken]}")
    for line in subject.lines_of(found.histories[broken]):
        say(f"    {line}")


if __name__ == "__main__":
    sys.exit(main())

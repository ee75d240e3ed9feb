"""The rules of writes, gates and holds. Each can be switched off alone, and then some history breaks a property."""

from dataclasses import dataclass, fields
from typing import Annotated, get_type_hints


@dataclass(frozen=True, slots=True)
class Rules:
    """Which rules are on. Each rule's sentence says what the rule asks and, after "off", what happens without it."""

    dl_cond: Annotated[bool, "downloads write on the revision that they read; off: on Amazon's update time only"] = True
    edit_cond: Annotated[bool, "edits write on the revision that they read; off: blindly"] = True
    sync: Annotated[bool, "people's writes are judged in the same write; off: they leave the verdict pending"] = True
    state_heal: Annotated[
        bool, "an order heals when Amazon's data alone is complete; off: when its last change was a download"
    ] = True
    pend_closed: Annotated[bool, "an order with a pending verdict may not leave, whatever its 3PL Status says"] = True
    recall: Annotated[bool, "an order that was dispatched but not yet transferred can still be held"] = True
    shipped_row: Annotated[
        bool, "shipped at Amazon always ends in Do Not Transfer; off: only for held orders and new ones"
    ] = True
    gate_all: Annotated[
        bool, "the gate asks at every 3PL Status but Do Not Transfer; off: at Now, and Upon Completion once dispatched"
    ] = True
    gate_status: Annotated[bool, "the gate also refuses orders that Amazon says are shipped or cancelled"] = True
    manual_hold: Annotated[
        bool, "Needs Attention that a person chose is a hold, with Do Not Transfer; off: it is a Stage only"
    ] = True
    red_closes: Annotated[bool, "redaction ends the hold and sets Do Not Transfer in the same write"] = True
    sweep: Annotated[bool, "a clock asks again for a verdict that stays pending"] = True
    claim: Annotated[bool, "the 3PL takes an order by a conditional write; off: on the event that it received"] = True


ALL_ON = Rules()
NAMES = tuple(rule.name for rule in fields(Rules))


def sentence(rule: str) -> str:
    """The sentence of a rule."""
    said: str = get_type_hints(Rules, include_extras=True)[rule].__metadata__[0]
    return said


def rules_without(rule: str | None) -> Rules:
    """All rules, or all but one."""
    return ALL_ON if rule is None else Rules(**{rule: False})

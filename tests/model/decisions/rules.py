"""The rules of one order. Each can be switched off alone, and then some history breaks a property."""

from dataclasses import dataclass, fields
from typing import Annotated, get_type_hints


@dataclass(frozen=True, slots=True)
class Rules:
    """Which rules are on. Each rule's sentence says what the rule asks and, after "off", what happens without it."""

    # People's decisions
    apart: Annotated[bool, "decisions are stored apart from what verdicts grant; off: in the same attributes"] = True
    noop: Annotated[
        bool, "a decision that changes nothing now is stored too; off: a stop on a held order is answered and forgotten"
    ] = True
    layers: Annotated[
        bool,
        "held, Draft, snoozed, FBA and shipped only mask what was granted; off: they overwrite it, and the row of"
        " orders let go leaves it untouched",
    ] = True
    row5_keeps: Annotated[bool, "a spell of PENDING leaves held or let go as it was; off: the Draft row forgets it"] = (
        True
    )
    stop_auto: Annotated[bool, "with Do Not Transfer decided, Auto Dispatch does not dispatch"] = True
    back_stops: Annotated[bool, "with the dispatch taken back, a default Transfer Now is given as Do Not Transfer"] = (
        True
    )
    later_wins: Annotated[bool, "Now ends an earlier `notSent`, and `notSent` ends an earlier Now"] = True
    undo_dnt: Annotated[bool, "Do Not Transfer undoes a dispatch that only waited for its transfer"] = True
    undo_back: Annotated[bool, "taking an order back from the warehouse undoes such a dispatch"] = True
    undo_hold: Annotated[bool, "a hold undoes such a dispatch"] = True
    stage_ends: Annotated[
        bool, "a hold ended by the Stage alone decides Do Not Transfer, if nobody decided otherwise"
    ] = True
    stop_first: Annotated[bool, "a stop is laid in before a pending verdict is brought up to date; off: after it"] = (
        True
    )
    row8_leaves: Annotated[
        bool,
        "the rows of closed, dispatched and by-hand-held orders leave new, held or let go; off: they count as judged",
    ] = True
    row7_changed: Annotated[
        bool,
        "after a real dispatch a change of Amazon's is loud, and over a typed value the order is not fulfillable until"
        " a person settles it",
    ] = True
    row7_first: Annotated[bool, "a real dispatch goes before Draft and FBA"] = True
    stop_draft: Annotated[bool, "a stop is taken on a Draft and on FBA too; off: refused"] = True

    # A typed value against Amazon's late one
    row9_strict: Annotated[
        bool, "the first verdict asks what a heal asks: typed values alone do not let an order go"
    ] = True
    row12_alone: Annotated[bool, "an order heals only when Amazon's data alone lacks nothing"] = True
    differs: Annotated[bool, "an unsettled difference keeps a held order held"] = True
    settle_first: Annotated[
        bool, "a release, and a Stage that ends a hold, is refused while a difference is unsettled"
    ] = True
    settle_value: Annotated[bool, "a difference is settled for the value that Amazon said then; off: for ever"] = True
    agreed: Annotated[
        bool, "a value that was typed over is news again once Amazon agreed in between; off: it stays settled"
    ] = True
    chg_merge: Annotated[
        bool, "the download notices that Amazon changed a value; off: the verdict compares with what it judged last"
    ] = True
    chg: Annotated[
        bool,
        "a value of Amazon's that changes after it was there holds; off: it is only compared with what Amazon said"
        " when the person typed",
    ] = True
    chg_held: Annotated[bool, "so does a value that came while the order was held, by hand or snoozed too"] = True
    parts: Annotated[bool, "a typed part sits on Amazon's unit; off: it owns the whole unit"] = True

    # The line, and how many of it are left
    unknown_number: Annotated[
        bool, "on a partly shipped order without Amazon's numbers nobody knows what is left; off: all that was ordered"
    ] = True
    typed_share: Annotated[
        bool,
        "a typed line that names Amazon's keeps its share of what was sent or cancelled; off: all is sent",
    ] = True
    typed_waits: Annotated[
        bool, "a typed line that names none is held once anything of the order was sent; off: it is sent as typed"
    ] = True
    partly_waits: Annotated[bool, "only a person sends the rest of a partly shipped order; off: the defaults do"] = True
    frozen: Annotated[bool, "after the hand-over the warehouse sees the number that it took; off: the number now"] = (
        True
    )
    lower_is_no_news: Annotated[bool, "a lower number is no change of what left: Amazon counts down what was sent"] = (
        True
    )
    cancelled_line: Annotated[bool, "a line that is cancelled after it left is a change"] = True

    # Amazon's status
    unknown: Annotated[bool, "an unknown status holds"] = True
    asked_count: Annotated[bool, "an answered cancel request does not hide the next one"] = True
    back: Annotated[bool, "shipped or FBA before, and now neither: `fulfillmentUnknown` until a person confirms"] = True
    back_merge: Annotated[
        bool, "the download notices that; off: the next verdict does, which may never have seen the order shipped"
    ] = True
    amz_fd: Annotated[bool, "an order is dispatched by Amazon only as long as Amazon says so"] = True
    confirm_once: Annotated[
        bool, "a confirmation that the order is ours to send ends when the doubt ends or another one arises"
    ] = True
    shipped_row: Annotated[
        bool, "shipped closes every order that is not handed over; off: only held orders and new ones"
    ] = True
    row2_ships: Annotated[bool, "handed over and shipped: Dispatched"] = True
    loud: Annotated[bool, "news after hand-over, dispatch or void raises an alert"] = True

    # The end of alerts
    alert_ends: Annotated[bool, "an alert ends with its cause; off: it stays until a person closes it"] = True
    sent_closes: Annotated[bool, "an order that is sent, as Amazon or a report says, has no alert"] = True
    closing_sticks: Annotated[
        bool, "what people were told is not told again while it goes on, also through a Draft or a hold; off: it is"
    ] = True
    news_reopens: Annotated[
        bool, "further news of the same kind is told again; off: not while the first goes on, also if that was closed"
    ] = True
    hidden_reopens: Annotated[
        bool, "an open alert that a Draft or a hold hides is open again after it; off: it counts as told, as if closed"
    ] = True
    unsent_tells: Annotated[
        bool,
        "of an order that was not sent after all, everything is told again, and a change against what left; off: what"
        " people were told before, and what came while it was sent, stays told",
    ] = True

    # Orders of the release before
    shown_counts: Annotated[
        bool, "what an order shows other than the defaults is a person's decision; off: nobody decided anything"
    ] = True
    shown_is_granted: Annotated[bool, "the rest of what it shows was granted; off: nothing was"] = True
    read_at_once: Annotated[
        bool,
        "whoever writes first reads the decisions; off: the next verdict does, when Amazon's news may hide them",
    ] = True
    own_way: Annotated[
        bool, "a parcel of that release is compared in its way; off: in the way of now, where each differs"
    ] = True

    # What may leave
    ful_looks: Annotated[bool, "fulfillable looks at what is missing, dispatched or not"] = True

    # The machinery
    cond_dl: Annotated[bool, "downloads write on the revision that they read"] = True
    cond_op: Annotated[bool, "people's calls write on the revision that they read"] = True
    cond_val: Annotated[bool, "verdicts are written on the revision that they judged"] = True
    claim: Annotated[
        bool, "the warehouse takes an order by a conditional write that runs the gate again; off: on an event"
    ] = True
    claim_judges: Annotated[bool, "and that gate judges by the settings of now"] = True
    sweep: Annotated[bool, "a clock asks again for a verdict that stays pending"] = True
    pend_closed: Annotated[bool, "with a pending verdict an order is not fulfillable"] = True
    red_closes: Annotated[bool, "redaction ends the hold and the transfer in the same write"] = True
    rejudge: Annotated[bool, "changed settings have the orders judged again"] = True
    rejudge_all: Annotated[
        bool,
        "that walk begins when no validation with the old settings runs any more, and covers orders whose verdict is"
        " pending; off: it leaves those to the validation that runs",
    ] = True
    no_erase: Annotated[bool, "absence never erases a stored value"] = True


ALL_ON = Rules()
NAMES = tuple(rule.name for rule in fields(Rules))


def sentence(rule: str) -> str:
    """The sentence of a rule."""
    said: str = get_type_hints(Rules, include_extras=True)[rule].__metadata__[0]
    return said


def rules_without(rule: str | None) -> Rules:
    """All rules, or all but one."""
    return ALL_ON if rule is None else Rules(**{rule: False})

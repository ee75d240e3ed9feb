"""Every step of one order: Amazon's answers, verdicts, people, the warehouse, the clocks, redaction and faults.

Each step is one atomic conditional write or one event from outside. A crash is a step that never happens.

A conditional write that loses reads again and redoes its work on what is there then, so a read and its conditional
write are one step. With one of the rules `cond_*` off they are two steps, and the write is blind. A stream record that
is delivered twice finds another revision or no pending verdict, and changes nothing. A lost record is a step.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from tests.model.decisions.alerts import news_now, parcel_now
from tests.model.decisions.download import WRITTEN_BY_DOWNLOADS, Answer, merge
from tests.model.decisions.earlier import in_the_form_of_now
from tests.model.decisions.earlier_items import stored_before
from tests.model.decisions.item import (
    BLANK,
    DISPATCHED_BEFORE_HAND_OVER,
    NO_ITEM,
    NO_NEWS,
    Dispatched,
    HoldDecision,
    Item,
    Settings,
    TypedLine,
    is_handed_over,
)
from tests.model.decisions.memory import NOTHING, Memory, after_act, after_snooze, after_verdict, after_write
from tests.model.decisions.people import Act, end_snooze, is_before_the_verdict, perform
from tests.model.decisions.properties import Write, broken_at_rest, broken_by_write
from tests.model.decisions.rules import Rules
from tests.model.decisions.situation import Situation, is_transferable
from tests.model.decisions.verdict import judge
from tests.model.search import Model, Step
from tests.model.values import ThreePl

TYPED_OR_DECIDED = (
    "typed_x",
    "typed_y",
    "settled",
    "typed_line",
    "settled_without_goods",
    "answered_requests",
    "decided_stage",
    "decided_three_pl",
    "decided_dispatch",
    "accepted",
    "is_redacted",
)
AT_MOST_IN_FLIGHT = 2


class Budgets(NamedTuple):
    """How many steps of a kind a history may hold."""

    downloads: int
    acts: int
    lost_records: int = 0
    warehouse: int = 1
    redactions: int = 0
    settings_changes: int = 0


@cache
def _spend(budgets: Budgets, kind: str) -> Budgets:
    left: int = getattr(budgets, kind)
    return budgets._replace(**{kind: left - 1})


class World(NamedTuple):
    """The versions of the order that Amazon may tell, the settings that may hold, and the acts that people know."""

    ledgers: Sequence[Sequence[Answer]]
    settings: Sequence[Settings]
    acts: Sequence[Act]
    is_taken_over: bool = False
    """The release before stored the order, by the first of the versions."""


class UnwrittenDownload(NamedTuple):
    """A download that has read the order and is about to write it blindly: only with `cond_dl` off."""

    version: int
    answer: Answer
    merged: tuple[Any, ...]


class UnwrittenVerdict(NamedTuple):
    """A verdict that is about to be written blindly: only with `cond_val` off."""

    judged: Item


class UnwrittenAct(NamedTuple):
    """A person's call that is about to be written blindly: only with `cond_op` off."""

    act: Act
    item: Item


class State(NamedTuple):
    ledger: int
    settings: int
    awaits_rejudgement: bool
    item: Item
    has_record: bool
    """The stream holds a record that asks for the verdict."""
    unwritten: tuple[UnwrittenDownload | UnwrittenVerdict | UnwrittenAct, ...]
    old_validations: tuple[int, ...]
    """The settings that validations have read which still run: only with `rejudge_all` off."""
    has_event: bool
    """The warehouse was told that the order is ready: only with `claim` off."""
    budgets: Budgets
    memory: Memory


def one_order(world: World, rules: Rules, budgets: Budgets) -> Model[State]:
    """The model of one order in a world."""
    steps = _Steps(world, rules)
    begins = [
        State(ledger, settings, False, NO_ITEM, False, (), (), False, budgets, NOTHING)
        for ledger in range(len(world.ledgers))
        for settings in range(len(world.settings))
    ]
    return Model(begins, steps.after, steps.broken_in)


def _news(item: Item, version: int, answer: Answer, rules: Rules) -> Item | None:
    """The order with Amazon's answer in it, or None where the answer is older or says nothing new."""
    if item.is_stored and version < item.version:
        return None
    merged = merge(item, version, answer, rules)
    is_known = item.is_stored and merged._replace(is_pending=item.is_pending) == item
    return None if is_known else merged


class _Effects(NamedTuple):
    memory: Memory
    broken: tuple[str, ...]
    tells_the_3pl: bool


def _effects(write: Write, rules: Rules) -> _Effects:
    """The effects of a write apart from the item; `write` comes with the memory of before."""
    old, new = write.old, write.new
    if write.act:
        write = write._replace(memory=after_act(write.memory, write.act, old, new))
    memory = after_write(write.memory, old, new, by_download=write.by_download)
    if write.act and old.is_pending and not is_before_the_verdict(write.act, old, rules):
        # What is pending is judged within the act, before a person's word.
        judged = judge(old, write.settings, rules)
        memory = after_verdict(memory, news_now(Situation(judged, write.settings, rules)), judged)
    if not new.is_pending:
        memory = after_verdict(memory, news_now(Situation(new, write.settings, rules)), new)
    return _Effects(
        memory=memory,
        broken=broken_by_write(write, memory, rules),
        tells_the_3pl=not rules.claim and is_transferable(new, rules) and not is_transferable(old, rules),
    )


class _Steps:
    """The steps of an order in a world.

    The same items come up under many budgets, ledgers and memories. Everything pure is kept: the search then takes a
    third of the time.
    """

    def __init__(self, world: World, rules: Rules) -> None:
        self.world = world
        self.answers = [[*_answers(ledger)] for ledger in world.ledgers]
        self.rules = rules
        self.judge = cache(lambda item, settings: judge(item, settings, rules))
        self.perform = cache(lambda act, item, settings: perform(act, item, settings, rules))
        self.news = cache(lambda item, version, answer: _news(item, version, answer, rules))
        self.effects = cache(lambda write: _effects(write, rules))
        self.at_rest = cache(self._broken_at_rest)

    def after(self, state: State) -> Iterator[Step[State]]:
        if self.world.is_taken_over and not state.item.is_stored:
            yield from self._takes_over(state)
            return
        yield from self._downloads(state)
        yield from self._blind_writes(state)
        yield from self._verdicts(state)
        yield from self._settings(state)
        yield from self._people(state)
        yield from self._snooze_end(state)
        yield from self._warehouse(state)
        yield from self._redaction(state)

    def broken_in(self, state: State) -> tuple[str, ...]:
        if state.unwritten:
            return ()
        settings = self.world.settings[state.settings]
        return self.at_rest(state.item, settings, state.memory, state.awaits_rejudgement, state.has_record)

    def _broken_at_rest(
        self, item: Item, settings: Settings, memory: Memory, awaits_rejudgement: bool, has_record: bool
    ) -> tuple[str, ...]:
        return broken_at_rest(
            Situation(item, settings, self.rules),
            memory,
            lambda act, item: self.perform(act, item, settings),
            awaits_rejudgement=awaits_rejudgement,
            has_record=has_record,
        )

    def _takes_over(self, state: State) -> Iterator[Step[State]]:
        first, settings = self.world.ledgers[state.ledger][0], self.world.settings[state.settings]
        for item, memory in stored_before(first, settings):
            left = state._replace(item=item, has_record=item.is_pending, memory=memory)
            yield Step("the release before leaves it", left, ())

    def _write(
        self,
        name: str,
        state: State,
        new: Item,
        *,
        spends: str | None = None,
        act: Act | None = None,
        by_download: bool = False,
    ) -> Step[State]:
        """A write that lands on `state`, whose `unwritten` and `awaits_rejudgement` are already those after it."""
        settings = self.world.settings[state.settings]
        effects = self.effects(Write(state.item, new, state.memory, settings, act, by_download))
        after = State(
            state.ledger,
            state.settings,
            state.awaits_rejudgement,
            new,
            new.is_pending,
            state.unwritten,
            (),
            state.has_event or effects.tells_the_3pl,
            _spend(state.budgets, spends) if spends else state.budgets,
            effects.memory,
        )
        return Step(name, after, effects.broken)

    # Downloads --------------------------------------------------------------------------------------------------------

    def _downloads(self, state: State) -> Iterator[Step[State]]:
        if not state.budgets.downloads:
            return
        for version, answer in self.answers[state.ledger]:
            yield from self._download(state, version, answer)

    def _download(self, state: State, version: int, answer: Answer) -> Iterator[Step[State]]:
        item = state.item
        if self.rules.read_at_once:
            item = in_the_form_of_now(item, self.world.settings[state.settings], self.rules)
        merged = self.news(item, version, answer)
        if merged is None:
            return
        name = f"download of version {version} ({_told(answer)})"
        if self.rules.cond_dl:
            yield self._write(name, state, merged, spends="downloads", by_download=True)
        elif len(state.unwritten) < AT_MOST_IN_FLIGHT:
            values = tuple(getattr(merged, field) for field in WRITTEN_BY_DOWNLOADS)
            read = state._replace(
                unwritten=(*state.unwritten, UnwrittenDownload(version, answer, values)),
                budgets=_spend(state.budgets, "downloads"),
            )
            yield Step(f"{name} reads", read, ())

    def _blind_writes(self, state: State) -> Iterator[Step[State]]:
        for number, unwritten in enumerate(state.unwritten):
            rest = state._replace(unwritten=state.unwritten[:number] + state.unwritten[number + 1 :])
            match unwritten:
                case UnwrittenDownload(version=version, merged=merged):
                    if not state.item.is_stored or version >= state.item.version:
                        new = state.item._replace(**dict(zip(WRITTEN_BY_DOWNLOADS, merged, strict=True)))
                        yield self._write("the download writes", rest, new, by_download=True)
                case UnwrittenVerdict(judged=judged):
                    of_downloads = (field for field in WRITTEN_BY_DOWNLOADS if field != "is_pending")
                    new = _with_fields_of(state.item, judged, *of_downloads, *TYPED_OR_DECIDED)
                    yield self._write("the verdict is written", rest, new)
                case UnwrittenAct(act=act, item=item):
                    of_downloads = (field for field in WRITTEN_BY_DOWNLOADS if field != "confirmed_ours")
                    new = _with_fields_of(state.item, item, *of_downloads)
                    yield self._write(f"the person's {act} is written", rest, new, act=act)

    # Verdicts and settings --------------------------------------------------------------------------------------------

    def _verdicts(self, state: State) -> Iterator[Step[State]]:
        item, settings = state.item, self.world.settings
        if not (item.is_stored and item.is_pending):
            return
        if state.has_record:
            if self.rules.cond_val:
                yield self._write("verdict", state, self.judge(item, settings[state.settings]))
            if state.old_validations:
                judged = self.judge(item, settings[state.old_validations[0]])
                yield self._write("verdict by the settings of before", state, judged)
            if not self.rules.cond_val and len(state.unwritten) < AT_MOST_IN_FLIGHT:
                unwritten = UnwrittenVerdict(self.judge(item, settings[state.settings]))
                in_flight = state._replace(has_record=False, unwritten=(*state.unwritten, unwritten))
                yield Step("a validation judges", in_flight, ())
            if state.budgets.lost_records:
                lost = state._replace(has_record=False, budgets=_spend(state.budgets, "lost_records"))
                yield Step("the stream's record is lost", lost, ())
        elif self.rules.sweep and not state.unwritten and not state.old_validations:
            yield Step("the clock asks for the verdict again", state._replace(has_record=True), ())

    def _settings(self, state: State) -> Iterator[Step[State]]:
        item, rules = state.item, self.rules
        is_left_to_validation = item.is_pending and not rules.rejudge_all
        if state.awaits_rejudgement and item.is_stored and rules.rejudge and not is_left_to_validation:
            judged = self.judge(item, self.world.settings[state.settings])
            yield self._write("judged again", state._replace(awaits_rejudgement=False), judged)
        if not state.budgets.settings_changes:
            return
        is_being_judged = item.is_pending and state.has_record and not rules.rejudge_all
        for number, settings in enumerate(self.world.settings):
            if number != state.settings:
                changed = state._replace(
                    settings=number,
                    awaits_rejudgement=item.is_stored and rules.rejudge and (rules.rejudge_all or not item.is_pending),
                    old_validations=state.old_validations + ((state.settings,) if is_being_judged else ()),
                    budgets=_spend(state.budgets, "settings_changes"),
                )
                yield Step(f"settings become {_set(settings)}", changed, ())

    # People, the warehouse and the clocks -----------------------------------------------------------------------------

    def _people(self, state: State) -> Iterator[Step[State]]:
        if not state.budgets.acts or not state.item.is_stored or state.item.is_redacted:
            return
        settings = self.world.settings[state.settings]
        for act in self.world.acts:
            item = self.perform(act, state.item, settings)
            if item is None:
                continue
            if self.rules.cond_op:
                yield self._write(f"person: {act}", state, item, spends="acts", act=act)
            elif len(state.unwritten) < AT_MOST_IN_FLIGHT:
                in_flight = state._replace(
                    unwritten=(*state.unwritten, UnwrittenAct(act, item)), budgets=_spend(state.budgets, "acts")
                )
                yield Step(f"person: {act} reads", in_flight, ())

    def _snooze_end(self, state: State) -> Iterator[Step[State]]:
        is_snoozed = state.item.decided_hold in (HoldDecision.SNOOZED, HoldDecision.SNOOZED_OVER_MANUAL)
        if is_snoozed and not state.item.is_redacted:
            ended = end_snooze(state.item, self.world.settings[state.settings], self.rules)
            yield self._write("the snooze ends", state._replace(memory=after_snooze(state.memory)), ended)

    def _warehouse(self, state: State) -> Iterator[Step[State]]:
        item = state.item
        if not state.budgets.warehouse or not item.is_stored:
            return
        taken = self._taken(state)
        if taken is not None:
            yield self._write("the 3PL takes it", state, taken, spends="warehouse")
        if item.three_pl is ThreePl.TRANSFERRED:
            for name, three_pl in (("picked", ThreePl.PICKED), ("failed", ThreePl.WITH_ERRORS)):
                yield self._write(f"the 3PL: {name}", state, item._replace(three_pl=three_pl), spends="warehouse")
        is_unsent = item.dispatched in (Dispatched.NO, *DISPATCHED_BEFORE_HAND_OVER)
        if item.three_pl in (ThreePl.TRANSFERRED, ThreePl.PICKED) and is_unsent:
            sent = self.judge(item._replace(dispatched=Dispatched.REPORTED), self.world.settings[state.settings])
            yield self._write("the 3PL: sent", state, sent, spends="warehouse")

    def _taken(self, state: State) -> Item | None:
        """The order in the 3PL's hands, if the 3PL may take it now."""
        item, rules = state.item, self.rules
        if not rules.claim:
            may_take = state.has_event and not is_handed_over(item) and not item.is_redacted
            return transferred(item, rules) if may_take else None
        if not is_transferable(item, rules):
            return None
        judges = rules.claim_judges and not item.is_pending
        judged = self.judge(item, self.world.settings[state.settings]) if judges else item
        return transferred(judged, rules) if is_transferable(judged, rules) else None

    def _redaction(self, state: State) -> Iterator[Step[State]]:
        item = state.item
        if not state.budgets.redactions or not item.is_stored or item.is_redacted:
            return
        redacted = item._replace(
            is_redacted=True,
            amazon_x=BLANK,
            typed_x=BLANK,
            typed_y=False,
            settled=BLANK,
            last_judged_x=BLANK,
            news=False,
            typed_line=TypedLine.NONE,
            settled_without_goods=False,
            alerts=0,
            told=NO_NEWS,
            parcel=None,
        )
        if self.rules.red_closes:
            redacted = redacted._replace(
                is_held=False,
                decided_hold=HoldDecision.NONE,
                is_pending=False,
                three_pl=item.three_pl if is_handed_over(item) else ThreePl.DO_NOT_TRANSFER,
            )
        yield self._write("redaction", state, redacted, spends="redactions")


def transferred(item: Item, rules: Rules) -> Item:
    """The order in the warehouse's hands."""
    return item._replace(three_pl=ThreePl.TRANSFERRED, parcel=parcel_now(item, rules))


def _with_fields_of(current: Item, item: Item, *fields: str) -> Item:
    """`item`, but with these fields as they are now."""
    return item._replace(**{field: getattr(current, field) for field in fields})


def _answers(ledger: Sequence[Answer]) -> Iterator[tuple[int, Answer]]:
    """Each version of the order, also as Amazon strips personal data from it."""
    for version, told in enumerate(ledger, start=1):
        yield version, told
        if told.x:
            yield version, told._replace(x=BLANK)


def _told(answer: Answer) -> str:
    words = [f"x={answer.x}" if answer.x else "x blank", "lines" if answer.lines else "no lines", answer.status]
    words += [f"{answer.line.unfulfilled} left"] if answer.line.unfulfilled is not None else []
    words += ["cancelled line"] if answer.line.is_cancelled else []
    words += ["FBA"] if answer.is_fba else []
    words += [f"{answer.cancel_requests} cancel requests"] if answer.cancel_requests else []
    return ", ".join(words)


def _set(settings: Settings) -> str:
    auto = ", Auto Dispatch" if settings.auto_dispatch else ""
    return f"{settings.default_three_pl.name}{auto}{'' if settings.checks_x else ', x not checked'}"

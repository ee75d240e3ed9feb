"""Every step of one order between the reads and writes of downloads, validation, people, the 3PL and redaction.

Each step is one atomic call of DynamoDB or one event from outside. Any process may die between two of its steps: its
next step never happens. A read and its write are two steps, and everything else may come between them.

A revision is only ever compared with the current one and never comes back. So the model keeps no number: whoever has
read the order is fresh until the next write, and stale after it. A stream record is likewise there or not: one of an
older revision changes nothing.
"""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from tests.model.races.item import NO_ITEM, Item, Settings, is_handed_over, is_transferable, open_missing
from tests.model.races.people import CHOOSE_A_STAGE, EDITS, GATED, Act, apply, may, written, written_blindly
from tests.model.races.properties import Memory, after_write, broken_by_verdict, broken_by_write, broken_in
from tests.model.races.rules import Rules
from tests.model.races.verdict import close_redacted, judge
from tests.model.search import Model, Step
from tests.model.values import Status, ThreePl


class Answer(NamedTuple):
    """One version of the order as Amazon tells it."""

    has_name: bool
    has_lines: bool
    status: Status = Status.UNSHIPPED


type Ledger = tuple[Answer, Answer]

FIRST_VERSIONS = (Answer(False, True), Answer(True, True), Answer(True, False))
SECOND_VERSIONS = (
    Answer(True, True),
    Answer(True, False),
    Answer(False, True),
    Answer(True, True, Status.CANCELLED),
    Answer(True, True, Status.SHIPPED),
)
LEDGERS: tuple[Ledger, ...] = tuple((first, second) for first in FIRST_VERSIONS for second in SECOND_VERSIONS)
WORLDS = {
    "upon completion": Settings(ThreePl.UPON_COMPLETION, auto_dispatch=False),
    "upon completion, Auto Dispatch": Settings(ThreePl.UPON_COMPLETION, auto_dispatch=True),
    "now": Settings(ThreePl.NOW, auto_dispatch=False),
}


class Budgets(NamedTuple):
    """How many steps of a kind a history may hold."""

    downloads: int = 2
    acts: int = 2
    lost_records: int = 1
    warehouse: int = 1
    redactions: int = 1


BUDGETS = {"tests": Budgets(acts=1), "quick": Budgets()}


@cache
def _spend(budgets: Budgets, kind: str) -> Budgets:
    left: int = getattr(budgets, kind)
    return budgets._replace(**{kind: left - 1})


AT_MOST_IN_FLIGHT = 2


class Download(NamedTuple):
    """A download that has read Amazon's answer and the order."""

    version: int
    answer: Answer
    is_fresh: bool
    merged: Item


class Call(NamedTuple):
    """A person's call that has passed the gate on the order as read."""

    act: Act
    is_fresh: bool
    read: Item | None
    """The order as read: only with `edit_cond` off, where the verdict on it is written blindly."""


type InFlight = Download | Call


class State(NamedTuple):
    ledger: Ledger
    item: Item
    has_record: bool
    """The stream holds a record of this revision that asks for the verdict."""
    in_flight: tuple[InFlight, ...]
    has_event: bool
    """The 3PL was told that the order is ready: only with `claim` off."""
    budgets: Budgets
    memory: Memory


def one_order(settings: Settings, rules: Rules, budgets: Budgets) -> Model[State]:
    """The model of one order under an integration's settings."""
    steps = _Steps(settings, rules)
    begins = [State(ledger, NO_ITEM, False, (), False, budgets, Memory()) for ledger in LEDGERS]
    return Model(begins, steps.after, steps.broken_in)


def _with(in_flight: tuple[InFlight, ...], started: InFlight) -> tuple[InFlight, ...]:
    """In one order, whoever started first: who started first makes no difference."""
    return tuple(sorted((*in_flight, started), key=_sort_key))


@cache
def _sort_key(process: InFlight) -> str:
    return repr(process)


def _merge(item: Item, version: int, answer: Answer) -> Item:
    """Absence never erases a name; lines are a real value."""
    return item._replace(
        is_stored=True,
        version=version,
        amazon_name=item.amazon_name or (answer.has_name and not item.is_redacted),
        amazon_lines=answer.has_lines,
        status=answer.status,
        is_pending=True,
        by_download=True,
    )


def _says_nothing_new(item: Item, merged: Item) -> bool:
    return item.is_stored and merged._replace(is_pending=item.is_pending, by_download=item.by_download) == item


class _Steps:
    """The steps of an order under an integration's settings. Verdicts and writes are pure, so each is kept."""

    def __init__(self, settings: Settings, rules: Rules) -> None:
        self.settings = settings
        self.rules = rules
        self.judge = cache(lambda item: judge(item, settings, rules))
        self.apply = cache(lambda act, item: apply(act, item, settings, rules))
        self.may = cache(lambda act, item: may(act, item, settings, rules))
        self.written = cache(lambda act, item: written(act, item, settings, rules))

    def after(self, state: State) -> Iterator[Step[State]]:
        yield from self._reads_of_downloads(state)
        for number, process in enumerate(state.in_flight):
            rest = state._replace(in_flight=state.in_flight[:number] + state.in_flight[number + 1 :])
            if isinstance(process, Download):
                yield Step("the download dies", rest, ())
                yield from self._write_of_download(rest, process)
            else:
                yield Step("the person gives up", rest, ())
                yield from self._write_of_call(rest, process)
        yield from self._validation(state)
        yield from self._reads_of_people(state)
        yield from self._warehouse(state)
        yield from self._redaction(state)

    def broken_in(self, state: State) -> tuple[str, ...]:
        item = state.item
        if not item.is_stored:
            return ()
        is_owed = self.rules.sweep and item.is_pending
        is_quiet = not state.in_flight and not state.has_record and not is_owed
        return tuple(broken_in(item, self.rules, is_quiet=is_quiet))

    def _write(
        self, name: str, state: State, new: Item, *, chooses_a_stage: bool = False, broken: tuple[str, ...] = ()
    ) -> Step[State]:
        """A write that lands: whoever else has read the order is stale from now on."""
        old, pend_closed = state.item, self.rules.pend_closed
        memory, broken_memory = after_write(state.memory, new, chooses_a_stage=chooses_a_stage)
        could_be_taken = old.is_stored and is_transferable(old, pend_closed=pend_closed)
        is_told = not self.rules.claim and not could_be_taken and is_transferable(new, pend_closed=pend_closed)
        after = state._replace(
            item=new,
            has_record=new.is_pending,
            in_flight=self._stale(state.in_flight),
            has_event=state.has_event or is_told,
            memory=memory,
        )
        return Step(name, after, (*broken_by_write(old, new), *broken_memory, *broken))

    def _stale(self, in_flight: tuple[InFlight, ...]) -> tuple[InFlight, ...]:
        """Calls on a revision that is gone can do nothing more. Downloads read again, and blind edits land anyway."""
        kept = (
            process
            for process in in_flight
            if isinstance(process, Download) or (process.act in EDITS and not self.rules.edit_cond)
        )
        return tuple(sorted((process._replace(is_fresh=False) for process in kept), key=_sort_key))

    # Downloads --------------------------------------------------------------------------------------------------------

    def _reads_of_downloads(self, state: State) -> Iterator[Step[State]]:
        running = sum(isinstance(process, Download) for process in state.in_flight)
        if not state.budgets.downloads or running == AT_MOST_IN_FLIGHT:
            return
        budgets = _spend(state.budgets, "downloads")
        for version, told in enumerate(state.ledger, start=1):
            for answer in (told, told._replace(has_name=False)) if told.has_name else (told,):
                merged = _merge(state.item, version, answer)
                is_older = state.item.is_stored and version < state.item.version
                if not is_older and not _says_nothing_new(state.item, merged):
                    process = Download(version, answer, True, merged)
                    after = state._replace(in_flight=_with(state.in_flight, process), budgets=budgets)
                    without_name = " without the name" if told.has_name and not answer.has_name else ""
                    yield Step(f"a download reads version {version}{without_name}", after, ())

    def _write_of_download(self, state: State, process: Download) -> Iterator[Step[State]]:
        item, version, merged = state.item, process.version, process.merged
        is_older = item.is_stored and version < item.version
        if not self.rules.dl_cond:
            if not is_older:
                of_amazon = {field: getattr(merged, field) for field in ("amazon_name", "amazon_lines", "status")}
                new = item._replace(is_stored=True, version=version, is_pending=True, by_download=True, **of_amazon)
                yield self._write("the download writes", state, new)
        elif process.is_fresh:
            yield self._write("the download writes", state, merged)
        elif not is_older:
            merged = _merge(item, version, process.answer)
            if not _says_nothing_new(item, merged):
                again = process._replace(is_fresh=True, merged=merged)
                yield Step("the download reads again", state._replace(in_flight=_with(state.in_flight, again)), ())

    # Validation -------------------------------------------------------------------------------------------------------

    def _validation(self, state: State) -> Iterator[Step[State]]:
        item = state.item
        if state.has_record:
            judged = self.judge(item)
            yield self._write("the verdict is written", state, judged, broken=broken_by_verdict(item, judged))
            if state.budgets.lost_records:
                lost = state._replace(has_record=False, budgets=_spend(state.budgets, "lost_records"))
                yield Step("the stream's record is lost", lost, ())
        elif self.rules.sweep and item.is_stored and item.is_pending:
            yield self._write("the clock asks for the verdict again", state, item)

    # People -----------------------------------------------------------------------------------------------------------

    def _reads_of_people(self, state: State) -> Iterator[Step[State]]:
        item = state.item
        running = sum(isinstance(process, Call) for process in state.in_flight)
        if not state.budgets.acts or not item.is_stored or item.is_redacted or running == AT_MOST_IN_FLIGHT:
            return
        budgets = _spend(state.budgets, "acts")
        is_blind = self.rules.sync and not self.rules.edit_cond
        for act in (*EDITS, *GATED):
            if self.apply(act, item) == item or (act in GATED and not self.may(act, item)):
                continue
            call = Call(act, True, item if is_blind and act in EDITS else None)
            after = state._replace(in_flight=_with(state.in_flight, call), budgets=budgets)
            yield Step(f"a person reads for: {act}", after, ())

    def _write_of_call(self, state: State, call: Call) -> Iterator[Step[State]]:
        act = call.act
        if act in EDITS and not self.rules.edit_cond:
            read = call.read or state.item
            new = written_blindly(act, state.item, read, self.settings, self.rules)
        elif call.is_fresh:
            new = self.written(act, state.item)
        else:
            return
        yield self._write(f"the person's write: {act}", state, new, chooses_a_stage=act in CHOOSE_A_STAGE)

    # The 3PL and redaction --------------------------------------------------------------------------------------------

    def _warehouse(self, state: State) -> Iterator[Step[State]]:
        item = state.item
        if not state.budgets.warehouse or not item.is_stored:
            return
        before = state._replace(budgets=_spend(state.budgets, "warehouse"))
        taken = item._replace(three_pl=ThreePl.TRANSFERRED)
        if self.rules.claim:
            if is_transferable(item, pend_closed=self.rules.pend_closed):
                yield self._write("the 3PL takes it", before, taken)
        elif state.has_event and not is_handed_over(item) and not item.is_redacted:
            step = self._write("the 3PL acts on the event", before._replace(has_event=False), taken)
            if open_missing(item):
                step = step._replace(broken=("S1f",))
            elif item.is_void:
                step = step._replace(broken=("S1g",))
            yield step

    def _redaction(self, state: State) -> Iterator[Step[State]]:
        item = state.item
        if not state.budgets.redactions or not item.is_stored or item.is_redacted:
            return
        redacted = item._replace(is_redacted=True, amazon_name=False, typed_name=False)
        if self.rules.red_closes:
            redacted = close_redacted(redacted)._replace(is_pending=False)
        yield self._write("redaction", state._replace(budgets=_spend(state.budgets, "redactions")), redacted)

"""Two or three at one order at the same time, in every order in which their calls can follow one another.

Each process runs alone from one call on the orders table to the next; who takes the next turn is tried in every way
(calls that read settings meet nobody who writes them, so when they are made makes no difference). A version that comes
in is judged by a process of its own, as the stream has it, whenever that gets its turn. In every interleaving:

* nothing is lost: an edit that its author was told of is on the order in the end;
* a refusal is a 409 or a 412 that says why, and what it refuses has not been done;
* after every write the order keeps `LAWS`, so that one that lacks something is never fulfillable, and once all is
  quiet `LAWS_ONCE_QUIET`;
* the revision counts the changes that landed, one by one, and who names the revision that they read lands on it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import combinations, product
from typing import Any, NamedTuple

import pytest

from needs_attention.integrations.integration import Integration
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.orders.amazon_order import AmazonOrder
from needs_attention.orders.order import Order
from needs_attention.orders.settings import NEEDS_ATTENTION, NEW, ThreePlStatus
from needs_attention.orders.verdict import judged
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.order_items import order_from_item, to_item
from needs_attention.values.times import instant
from tests.integration.interleaving import Process, Schedule, every_schedule
from tests.integration.laws import LAWS, LAWS_ONCE_QUIET, Doer, Quiet, Write, is_told_yes_for_nothing
from tests.integration.system import ORDER_ID, Answer, System
from tools.builders import LATER, NOON, a_raw_order, an_amazon_order, an_order, downloaded_again

OF_INTEGRATION = IntegrationSettings(default_three_pl_status=ThreePlStatus.NOW)
SETTINGS = OF_INTEGRATION.of(None)
TYPED_EMAIL, TYPED_STREET = "typed@b.example.com", "7 Elm Road"


class Wish(NamedTuple):
    """A person's request, and whether it has been done. Data and stops `last`; a verdict may undo the rest."""

    body: Mapping[str, Any]
    is_done: Callable[[Order], bool]
    lasts: bool = True


EDITS = {
    "types the email": Wish({"email": TYPED_EMAIL}, lambda order: order.edits.email == TYPED_EMAIL),
    "types the street": Wish(
        {"deliveryAddress": {"addressLine1": TYPED_STREET}},
        lambda order: order.edits.delivery_address is not None and order.edits.delivery_address.line1 == TYPED_STREET,
    ),
    "types the lines": Wish(
        {"lineItems": [{"sellerSku": "LAMP-9", "quantity": 1}]},
        lambda order: [line.seller_sku for line in order.edits.line_items or ()] == ["LAMP-9"],
    ),
    "confirms that there is no email": Wish(
        {"confirmed": ["email"]}, lambda order: order.edits.confirmed == ("email",)
    ),
    "comments": Wish({"comment": "asked the buyer"}, lambda order: order.comment == "asked the buyer"),
}
BLANKS = {
    "blanks the email": Wish({"email": ""}, lambda order: order.edits.email == ""),
    "blanks the street": Wish(
        {"deliveryAddress": {"addressLine1": ""}},
        lambda order: order.edits.delivery_address is not None and not order.edits.delivery_address.has_street,
    ),
}
HOLDS = {
    "puts it on hold": Wish({"stage": NEEDS_ATTENTION}, lambda order: order.decisions.hold is not None),
    "snoozes it": Wish(
        {"snoozeUntil": instant(NOON + timedelta(hours=3))}, lambda order: order.decisions.hold is not None
    ),
    "keeps it from the warehouse": Wish(
        {"threePlStatus": "Do Not Transfer to 3PL"},
        lambda order: order.decisions.stop is not None and order.three_pl_status is ThreePlStatus.DO_NOT_TRANSFER,
    ),
    "says that it was not sent": Wish(
        {"fullyDispatched": False},
        lambda order: order.decisions.stop is not None and order.three_pl_status is ThreePlStatus.DO_NOT_TRANSFER,
    ),
}
RELEASES = {
    "changes the Stage": Wish({"stage": NEW}, lambda order: not order.is_held, lasts=False),
    "hands it to the warehouse": Wish(
        {"stage": NEW, "threePlStatus": "Transfer to 3PL Now"},
        lambda order: not order.is_held and order.three_pl_status is ThreePlStatus.NOW,
        lasts=False,
    ),
    "dispatches it": Wish(
        {"stage": NEW, "fullyDispatched": True}, lambda order: order.dispatched_by == "person", lasts=False
    ),
    "overrides the gate": Wish(
        {"stage": NEW, "override": {"reason": "the buyer called"}}, lambda order: not order.is_held, lasts=False
    ),
}


class Part(NamedTuple):
    """The work of one process. Only people and the warehouse learn its outcome, and may name a `revision`."""

    name: str
    doer: Doer
    work: Callable[[System], Answer | None]
    wish: Wish
    revision: int | None = None


def edits(name: str, wish: Wish, revision: int | None = None) -> Part:
    return Part(name, "person", lambda system: system.patch(dict(wish.body), revision), wish, revision)


def releases() -> Part:
    wish = Wish({"release": True}, lambda order: not order.is_held, lasts=False)
    return Part("releases it", "person", lambda system: system.release({}), wish)


def acknowledges(revision: int | None = None) -> Part:
    wish = Wish({}, lambda order: order.is_handed_over, lasts=False)
    return Part("the warehouse takes it", "warehouse", lambda system: system.acknowledge(revision), wish, revision)


@dataclass
class Interleavings:
    """Lets parts run by one schedule after the other, from the same start each time."""

    system: System
    observer: Any
    integration: Integration
    runs: set[tuple[str, ...]] = field(default_factory=set)

    def all_keep_the_laws(self, case: str, start: Order, *parts: Part) -> None:
        """Every interleaving of these parts, none of them twice."""
        for schedule in every_schedule():
            run = Run(self, start, schedule)
            try:
                run.to_the_end(parts)
                run.check(parts)
            except BaseException as error:
                error.add_note("\n".join((f"{case}, {schedule.choices}:", *run.told)))
                raise
            told = (case, *run.told)
            assert told not in self.runs
            self.runs.add(told)

    def downloads(self, name: str, **changes: object) -> Part:
        """A later version of Amazon's comes in."""
        raw = a_raw_order(lastUpdatedTime=instant(LATER), **changes)

        def work(system: System) -> None:
            system.download(self.integration, raw)

        return Part(name, "download", work, Wish({}, lambda order: order.amazon.updated_at == LATER))


class Landed(NamedTuple):
    by: str
    after: Order


class Run:
    """One interleaving."""

    def __init__(self, world: Interleavings, start: Order, schedule: Schedule) -> None:
        self._system = world.system
        self._observer = world.observer
        self._schedule = schedule
        self._item: dict[str, Any] = {**to_item(start)}
        self._start = self._order = start
        self._observer.put_item(TableName="OrdersTable", Item=self._item)
        self._at_work: dict[str, tuple[Part, Process]] = {}
        self._answers: dict[str, Answer] = {}
        self._landed: list[Landed] = []
        self.told: list[str] = []

    def to_the_end(self, parts: tuple[Part, ...]) -> None:
        try:
            for part in parts:
                self._begin(part)
            if self._start.is_pending:
                self._begin(self._validation())
            while self._at_work:
                self._take_turn(*self._schedule.choose(list(self._at_work.values())))
        finally:
            for _, process in self._at_work.values():
                process.die()

    def _validation(self) -> Part:
        """The stream brings the order as it is now."""
        image = self._item

        def work(system: System) -> None:
            system.validate([image])

        wish = Wish({}, lambda order: not order.is_pending, lasts=False)
        return Part(f"validation of r{self._order.revision}", "validation", work, wish)

    def _begin(self, part: Part) -> None:
        process = Process(part.name, lambda: part.work(self._system))
        self._at_work[part.name] = part, process
        self._run_on(part, process)

    def _take_turn(self, part: Part, process: Process) -> None:
        call = process.make_call()
        self.told.append(f"{part.name}: {call}")
        if call.writes:
            self._look(part)
        self._run_on(part, process)

    def _run_on(self, part: Part, process: Process) -> None:
        """Up to the next call in which it can meet the others."""
        while process.next_call and "OrdersTable" not in process.next_call.tables:
            process.make_call()
        if process.next_call is None:
            del self._at_work[part.name]
            if isinstance(process.outcome, Answer):
                self._answers[part.name] = process.outcome
                self.told.append(f"{part.name} is told {process.outcome.status} {process.outcome.code}")

    def _look(self, part: Part) -> None:
        item = self._observer.get_item(TableName="OrdersTable", Key={"orderId": {"S": ORDER_ID}})["Item"]
        if item == self._item:
            return
        before, self._item, self._order = self._order, item, order_from_item(item)
        self.told.append(f"  r{self._order.revision} lands")
        self._landed.append(Landed(part.name, self._order))
        write = Write(
            before=before,
            after=self._order,
            item=item,
            by=part.doer,
            wish=dict(part.wish.body),
            settings=[SETTINGS],
            now=SETTINGS,
            at=NOON,
            is_frozen=False,
        )
        assert [law for law, is_broken in LAWS.items() if is_broken(write)] == []
        if self._order.is_pending:
            self._begin(self._validation())

    # The laws at the end

    def check(self, parts: tuple[Part, ...]) -> None:
        for part in parts:
            answer = self._answers.get(part.name)
            if answer is None or answer.status == 200:
                self._check_that_it_is_done(part)
            else:
                self._check_that_it_is_refused(part, answer)
            if answer and answer.status == 200:
                assert not is_told_yes_for_nothing(dict(part.wish.body), answer.order)
        assert [one.after.revision for one in self._landed] == [
            self._start.revision + number for number in range(1, len(self._landed) + 1)
        ]
        quiet = Quiet(self._order, [SETTINGS], NOON)
        assert [law for law, is_broken in LAWS_ONCE_QUIET.items() if is_broken(quiet)] == []

    def _check_that_it_is_done(self, part: Part) -> None:
        landed = [one.after for one in self._landed if one.by == part.name]
        assert [part.wish.is_done(order) for order in landed] == [True]
        assert part.revision is None or landed[0].revision == part.revision + 1
        assert part.wish.is_done(self._order) or not part.wish.lasts, "it is lost"

    def _check_that_it_is_refused(self, part: Part, answer: Answer) -> None:
        assert answer.status in {409, 412}
        assert answer.code
        assert answer.detail
        assert part.name not in {one.by for one in self._landed}


@pytest.fixture
def interleavings(system: System, observer: Any) -> Interleavings:
    integration = Integration(
        integration_id="acme-na",
        name="Acme",
        region="NA",
        marketplace_ids=("ATVPDKIKX0DER",),
        settings=OF_INTEGRATION,
        registered_at=NOON,
    )
    return Interleavings(system, observer, SettingsStore(observer, "IntegrationsTable").save(integration))


def a_stored_order(amazon: AmazonOrder) -> Order:
    """Judged, as its first write and its verdict left it."""
    return judged(an_order(amazon), SETTINGS, NOON).with_(revision=2)


def a_complete_order(**fields: Any) -> Order:
    return a_stored_order(an_amazon_order(order_id=ORDER_ID, **fields))


def a_held_order(**fields: Any) -> Order:
    return a_complete_order(**{"buyer_email": None, **fields})


def a_repaired_order() -> Order:
    """Held, and complete by what somebody typed: it waits for its release."""
    held = a_held_order()
    typed = held.with_(edits=held.edits.with_typed("email", TYPED_EMAIL, held.amazon))
    return judged(typed, SETTINGS, NOON)


def test_of_two_editors_neither_loses_what_they_typed(interleavings: Interleavings) -> None:
    for (one, first), (other, second) in combinations(EDITS.items(), 2):
        for revisions in ((None, None), (2, 2)):
            parts = edits(one, first, revisions[0]), edits(other, second, revisions[1])
            interleavings.all_keep_the_laws(f"{one} and {other} on {revisions}", a_held_order(), *parts)
    assert len(interleavings.runs) >= 100


def test_an_edit_survives_a_version_that_comes_in_meanwhile(interleavings: Interleavings) -> None:
    versions: dict[str, dict[str, Any]] = {
        "Amazon sends the email": {},
        "Amazon leaves the street out": {"recipient": {"deliveryAddress": {"addressLine1": ""}}},
        "Amazon takes the lines out": {"orderItems": []},
        "Amazon cancels it": {"fulfillment": {"fulfillmentStatus": "CANCELLED"}},
    }
    for version, changes in versions.items():
        for name, revision in product(("types the email", "types the lines"), (None, 2)):
            download = interleavings.downloads(version, orderId=ORDER_ID, **changes)
            parts = edits(name, EDITS[name], revision), download
            interleavings.all_keep_the_laws(f"{name} on {revision}, {version}", a_held_order(), *parts)
    assert len(interleavings.runs) >= 200


def test_no_release_gets_past_a_recheck(interleavings: Interleavings) -> None:
    repaired = a_repaired_order()
    rechecks = {
        "nothing new": downloaded_again(repaired, updated_at=LATER),
        "no lines": downloaded_again(repaired, updated_at=LATER, line_items=()),
        "no email yet": downloaded_again(a_held_order(), updated_at=LATER),
    }
    askers = {name: edits(name, wish) for name, wish in RELEASES.items()} | {"releases it": releases()}
    for recheck, start in rechecks.items():
        for name, asker in askers.items():
            interleavings.all_keep_the_laws(f"{name}, {recheck}", start, asker, acknowledges())
    assert len(interleavings.runs) >= 140


def test_an_edit_and_the_warehouse_never_both_win_on_the_same_state(interleavings: Interleavings) -> None:
    for name, wish in (BLANKS | HOLDS | EDITS).items():
        for revisions in ((None, None), (2, 2)):
            parts = edits(name, wish, revisions[0]), acknowledges(revisions[1])
            interleavings.all_keep_the_laws(f"{name} on {revisions}", a_complete_order(), *parts)
    assert len(interleavings.runs) >= 240

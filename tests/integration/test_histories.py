"""Random histories of one order, every read and write of every process interleaved with all others.

The code behind the functions' handlers runs as it is, against DynamoDB in memory. Hypothesis chooses what Amazon says,
what people want, which process makes the next call and which one dies before it, and what the stream delivers late,
again or never. After every write the stored order must keep `LAWS`; once everything has quietened, `LAWS_ONCE_QUIET`.
The two that matter most:

* No incomplete order that no administrator released ever becomes dispatched by us or transferable.
* Every order gets a verdict on its latest data.

A failing history is shrunk, told as a numbered list, and the same each time. `HYPOTHESIS_PROFILE=deep` looks longer.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count, product
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from needs_attention.integrations.integration import Integration
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.integrations.stages import BUILT_IN_STAGES, Stage, Stages
from needs_attention.orders.decisions import Decisions
from needs_attention.orders.order import Order
from needs_attention.orders.settings import NEEDS_ATTENTION, Checks, Settings, ThreePlStatus
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.order_items import order_from_item
from needs_attention.values.times import instant
from tests.integration.interleaving import Process
from tests.integration.laws import LAWS, LAWS_ONCE_QUIET, Doer, Quiet, Write, is_told_yes_for_nothing
from tests.integration.random_histories import Step, run_histories
from tests.integration.system import ORDER_ID, Answer, System
from tools.in_memory.api import Clock

US, CANADA = "ATVPDKIKX0DER", "A2EUQ1WTGCTBG2"
START = datetime(2026, 11, 23, 12, tzinfo=UTC)
SHIP_BY, DELIVER_BY = START + timedelta(days=2), START + timedelta(days=5)
SNOOZE = timedelta(hours=1)
UNTIL_A_VERDICT_IS_OVERDUE, UNTIL_A_SNOOZE_ENDS = timedelta(minutes=11), timedelta(hours=2)
PASSES = (timedelta(seconds=1), timedelta(seconds=1), UNTIL_A_VERDICT_IS_OVERDUE, UNTIL_A_SNOOZE_ENDS)
UNTIL_REDACTION = timedelta(days=33)  # of an order that nobody sent: 30 after its ship-by
ALL_CALLS = 1_000
# The clock does one thing for an order in a round: it may have an overdue verdict, a snooze and a redaction to do.
ROUNDS_UNTIL_QUIET = 3


# Amazon's versions ----------------------------------------------------------------------------------------------------


class AmazonsVersion(NamedTuple):
    """The order at Amazon as of one `lastUpdatedTime`: a name that it may stop sending, lines that may really go."""

    number: int
    name: str | None
    lines: int
    status: str | None = "UNSHIPPED"
    fulfilled_by: str = "MERCHANT"
    asked: int = 0

    def __str__(self) -> str:
        name, lines = self.name or "no name", f"{self.lines} lines" if self.lines else "no lines"
        return f"v{self.number} ({name}, {lines}, {self.status}, {self.fulfilled_by})"

    def answer(self, *, without_personal_data: bool) -> dict[str, Any]:
        """As Amazon sends it; without roles (or later) it leaves personal data out."""
        buyer = {"buyerEmail": "ada@marketplace.example.com"}
        address = {
            "addressLine1": "12 Harbor Street",
            "city": "Portland",
            "stateOrRegion": "OR",
            "postalCode": "97209",
            "countryCode": "US",
        }
        return {
            "orderId": ORDER_ID,
            "createdTime": instant(START - timedelta(hours=2)),
            "lastUpdatedTime": instant(self.updated_at),
            "salesChannel": {"channelName": "AMAZON", "marketplaceId": US},
            "buyer": {} if without_personal_data else buyer,
            "recipient": {} if without_personal_data else {"deliveryAddress": {"name": self.name, **address}},
            "fulfillment": {
                "fulfillmentStatus": self.status,
                "fulfilledBy": self.fulfilled_by,
                "shipByWindow": {"latestDateTime": instant(SHIP_BY)},
                "deliverByWindow": {"latestDateTime": instant(DELIVER_BY)},
            },
            "orderItems": [
                {
                    "orderItemId": str(line),
                    "quantityOrdered": 1,
                    "product": {"sellerSku": f"LAMP-{line}"},
                    "cancellation": {"cancellationRequest": {"requester": "BUYER"} if line < self.asked else {}},
                    "fulfillment": {"quantityFulfilled": 0, "quantityUnfulfilled": 1},
                }
                for line in range(self.lines)
            ],
        }

    @property
    def updated_at(self) -> datetime:
        return START - timedelta(hours=1) + timedelta(seconds=self.number)


# Unlikely at Amazon, but what a history may hold: any of them after any other.
DATA_AT_AMAZON: dict[str, dict[str, Any]] = {
    "leaves the name out": {"name": None},
    "sends the name": {"name": "Ada Quill"},
    "changes the name": {"name": "Bea Stone"},
    "has no lines any more": {"lines": 0},
    "has a line": {"lines": 1},
    "has another line": {"lines": 2},
}
STATUS_AT_AMAZON: dict[str, dict[str, Any]] = {
    "has it unshipped": {"status": "UNSHIPPED"},
    "ships part of it": {"status": "PARTIALLY_SHIPPED"},
    "ships it": {"status": "SHIPPED"},
    "cancels it": {"status": "CANCELLED"},
    "has it pending": {"status": "PENDING"},
    "fulfils it itself": {"fulfilled_by": "AMAZON"},
    "leaves it to the merchant": {"fulfilled_by": "MERCHANT"},
    "says nothing of its status": {"status": None},
    "is asked to cancel a line": {"asked": 1},
    "is asked to cancel both lines": {"asked": 2},
}


# People's acts --------------------------------------------------------------------------------------------------------

A_LINE = {"sellerSku": "LAMP-9", "quantity": 1}
DATA: dict[str, dict[str, Any]] = {
    "types the name": {"firstName": "Ada", "lastName": "Quill"},
    "blanks the name": {"firstName": "", "lastName": ""},
    "goes back to Amazon's name": {"firstName": None, "lastName": None},
    "types the lines": {"lineItems": [A_LINE]},
    "takes all lines out": {"lineItems": []},
    "goes back to Amazon's lines": {"lineItems": None},
    "confirms that there is no name": {"confirmed": ["firstName", "lastName"]},
    "confirms nothing any more": {"confirmed": []},
    "confirms that it is to be sent": {"confirmed": ["fulfillmentUnknown", "buyerRequestedCancel"]},
    "keeps what was typed": {"keepTyped": ["name", "lineItems"]},
    "closes the alerts": {"closeAlerts": ["ChangedAfterHandOver", "ChangedAfterDispatch", "DiffersFromAmazon"]},
}
OVERRIDE = {"override": {"reason": "the buyer called"}}
WISHES: dict[str, dict[str, Any]] = {
    "changes the Stage": {"stage": "packing"},
    "puts it into Needs Attention": {"stage": NEEDS_ATTENTION},
    "sets Transfer to 3PL Now": {"threePlStatus": "Transfer to 3PL Now"},
    "sets Transfer to 3PL Upon Completion": {"threePlStatus": "Transfer to 3PL Upon Completion"},
    "sets Do Not Transfer to 3PL": {"threePlStatus": "Do Not Transfer to 3PL"},
    "sets Fully Dispatched": {"fullyDispatched": True},
    "takes Fully Dispatched back": {"fullyDispatched": False},
    "takes the decision on the Stage back": {"stage": None},
    "takes the decision on the 3PL Status back": {"threePlStatus": None},
    "takes the decision on the dispatch back": {"fullyDispatched": None},
    "takes all decisions back": {"stage": None, "threePlStatus": None, "fullyDispatched": None},
    "changes Stage, 3PL Status and Fully Dispatched": {
        "stage": "packing",
        "threePlStatus": "Transfer to 3PL Upon Completion",
        "fullyDispatched": True,
    },
    "overrides the gate by Stage": {"stage": "packing", **OVERRIDE},
    "overrides the gate by Stage and 3PL Status": {
        "stage": "packing",
        "threePlStatus": "Transfer to 3PL Now",
        **OVERRIDE,
    },
}
RELEASES: dict[str, dict[str, Any]] = {"releases it": {}, "releases it although incomplete": OVERRIDE}

SETTINGS: dict[str, Callable[[IntegrationSettings], dict[str, Any]]] = {
    "Transfer to 3PL Now as default": lambda _: {"default_three_pl_status": ThreePlStatus.NOW},
    "Transfer to 3PL Upon Completion as default": lambda _: {"default_three_pl_status": ThreePlStatus.UPON_COMPLETION},
    "Do Not Transfer to 3PL as default": lambda _: {"default_three_pl_status": ThreePlStatus.DO_NOT_TRANSFER},
    "another default Stage": lambda now: {"default_stage": "picking" if now.default_stage == "new" else "new"},
    "Auto Dispatch switched": lambda now: {"auto_dispatch_orders": not now.auto_dispatch_orders},
    "trial mode on": lambda _: {"trial_mode": True},
    "trial mode off": lambda _: {"trial_mode": False},
    "no trial mode": lambda _: {"trial_mode": False},
    "the check of names switched": lambda now: {"checks": Checks(names=not now.checks.names)},
    "Transfer to 3PL Now in its marketplace": lambda _: {
        "marketplaces": {US: {"default_three_pl_status": ThreePlStatus.NOW, "default_stage": "picking"}}
    },
    "trial mode switched in its marketplace": lambda now: {"marketplaces": {US: {"trial_mode": not now.trial_mode}}},
    "names and Auto Dispatch switched in its marketplace": lambda now: {
        "marketplaces": {
            US: {"checks": {"names": not now.checks.names}, "auto_dispatch_orders": not now.auto_dispatch_orders}
        }
    },
    "trial mode in another marketplace": lambda _: {
        "marketplaces": {CANADA: {"trial_mode": True, "default_three_pl_status": ThreePlStatus.NOW}}
    },
}


# The histories --------------------------------------------------------------------------------------------------------


class Task(NamedTuple):
    """A process with what it does, and the moment of the history at which it began."""

    process: Process
    doer: Doer
    wish: dict[str, Any]
    began: int
    when_done: Callable[[object], None]


class Change(NamedTuple):
    """Settings, and the moment of the history from which they are in force."""

    since: int
    settings: Settings


def every(method: str, **how: Iterable[Any]) -> tuple[Step, ...]:
    """That method with every combination of these arguments, the simplest first."""
    return tuple(Step(method, dict(zip(how, values, strict=True))) for values in product(*how.values()))


# A change by a person or the warehouse reads so often before it writes.
CALLS_BEFORE_THE_WRITE = 4
# How many calls a process makes at once, before others may come between: all of them, or so many.
CALLS = (ALL_CALLS, ALL_CALLS, ALL_CALLS, 1, 2, 3, CALLS_BEFORE_THE_WRITE)
SELDOM = (False, False, True)
MOSTLY = (True, True, False)

# The events, and their relative frequency. One rule draws from all: with many rules Hypothesis leaves half out of
# each history, and most histories would come to nothing. Every step takes equally many choices, two, so that Hypothesis
# can take any step out of a history that fails.
OFTEN = (
    (12, every("goes_on", calls=(1, 1, 2, 3, ALL_CALLS), which=range(4))),
    (4, every("amazon", what=DATA_AT_AMAZON, calls=CALLS, is_downloaded=MOSTLY)),
    (2, every("amazon", what=STATUS_AT_AMAZON, calls=CALLS, is_downloaded=MOSTLY)),
    (4, every("download", calls=CALLS, versions_ago=(0, 0, 1, 2), without_personal_data=SELDOM)),
    (6, every("validation", calls=CALLS, records=(1, 2))),
    (4, every("person", wish=WISHES, calls=CALLS, on_what_was_seen=(False, True))),
    (3, every("person", wish=DATA, calls=CALLS, on_what_was_seen=(False, True))),
    (2, every("person_in_one_call", data=DATA, wish=WISHES, calls=CALLS)),
    (2, every("person_releases", release=RELEASES, calls=CALLS)),
    (2, every("person_snoozes", calls=CALLS)),
    (4, every("warehouse", calls=CALLS, in_vain_too=SELDOM)),
    (3, every("clock_runs", calls=CALLS)),
    (2, every("time_passes", passes=(*PASSES, UNTIL_REDACTION))),
    (2, every("administrator", what=SETTINGS)),
    (2, every("administrator", what=("the check of names switched",))),
    (1, every("administrator_while_the_warehouse_takes_it", what=("trial mode on", "the check of names switched"))),
    (1, every("freeze_while_the_warehouse_takes_it", what=("the integration", "everything"))),
    (2, every("freeze", what=("nothing", "nothing", "the integration", "everything"))),
    (1, every("validation_again", calls=CALLS, records_ago=(1, 2, 3))),
    (1, every("a_record_is_lost")),
    (1, every("dies", which=range(4))),
    (1, every("download_of_another_integration", calls=CALLS)),
    (1, every("everything_quietens", stream_is_lost=(False, True))),
)
STEPS = st.sampled_from([steps for often, steps in OFTEN for _ in range(often)]).flatmap(st.sampled_from)


class Histories(RuleBasedStateMachine):
    """One order's history. A rule is something that happens; every law is asked after every write."""

    def __init__(self, system: System, observer: Any, clock: Clock) -> None:
        super().__init__()
        self.system = system
        self.observer = observer
        self.clock = clock
        self.clock.now = START
        self.told: list[str] = []
        self.moment = 0
        self.names = count(1)
        self.tasks: list[Task] = []
        self.item: dict[str, Any] | None = None
        self.order: Order | None = None
        self.in_force: list[Change] = []
        self.settings_of_verdict: Sequence[Settings] = ()
        self.is_frozen = False
        self.versions: list[AmazonsVersion] = []
        self.newest = -1
        self.images: list[dict[str, Any]] = []
        self.delivered = 0
        self.stream_is_lost_at_the_end = False
        self.is_broken = False

    @rule(step=STEPS)
    def happens(self, step: Step) -> None:
        getattr(self, step.what)(**step.how)

    # The world

    @initialize(
        three_pl=st.sampled_from(
            (
                ThreePlStatus.NOW,
                ThreePlStatus.UPON_COMPLETION,
                ThreePlStatus.NOW,
                ThreePlStatus.UPON_COMPLETION,
                ThreePlStatus.DO_NOT_TRANSFER,
            )
        ),
        auto_dispatch=st.booleans(),
        checks_names=st.sampled_from((True, True, False)),
        name=st.sampled_from(("Ada Quill", "Ada Quill", None)),
        lines=st.sampled_from((1, 1, 0)),
        calls=st.sampled_from(CALLS),
        stream_is_lost=st.booleans(),
    )
    def a_new_world(
        self,
        *,
        three_pl: ThreePlStatus,
        auto_dispatch: bool,
        checks_names: bool,
        name: str | None,
        lines: int,
        calls: int,
        stream_is_lost: bool,
    ) -> None:
        observer = self.observer
        observer.empty()
        self.integrations = SettingsStore(observer, "IntegrationsTable")
        self.downloads = DownloadStateStore(observer, "IntegrationsTable")
        own = IntegrationSettings(
            default_three_pl_status=three_pl,
            auto_dispatch_orders=auto_dispatch,
            checks=Checks(names=checks_names),
            download_pending_orders=True,
        )
        self.integration = self._registered("acme-na", own)
        self.other_integration = self._registered("other-na", IntegrationSettings())
        self.integrations.save_stages(
            Stages(stages=(*BUILT_IN_STAGES, Stage(id="packing", name="Packing"), Stage(id="picking", name="Picking")))
        )
        self.in_force.append(Change(0, own.of(US)))
        self.stream_is_lost_at_the_end = stream_is_lost
        self.versions.append(AmazonsVersion(0, name, lines))
        checked = "names are checked" if checks_names else "names are not checked"
        self._tell(f"defaults: {three_pl}, Auto Dispatch {'on' if auto_dispatch else 'off'}; {checked}")
        self._tell(f"Amazon has {self.versions[0]}")
        self.download(0, without_personal_data=False, calls=calls)

    def _registered(self, integration_id: str, settings: IntegrationSettings) -> Integration:
        """Paused, so that the clock's run does only what it owes by itself: downloads are rules of their own."""
        return self.integrations.save(
            Integration(
                integration_id=integration_id,
                name=integration_id,
                region="NA",
                marketplace_ids=(US,),
                settings=settings,
                is_paused=True,
                registered_at=START,
            )
        )

    def amazon(self, what: str, *, is_downloaded: bool, calls: int) -> None:
        changed = (DATA_AT_AMAZON | STATUS_AT_AMAZON)[what]
        newest = self.versions[-1]._replace(number=len(self.versions), **changed)
        self.versions.append(newest)
        self._tell(f"Amazon {what}: {newest}")
        if is_downloaded:
            self.download(0, without_personal_data=False, calls=calls)

    def time_passes(self, passes: timedelta) -> None:
        self.clock.now += passes
        self._tell(f"{passes} pass")

    # The processes

    def download(self, versions_ago: int, *, without_personal_data: bool, calls: int) -> None:
        """Amazon's answer may be late, repeated, out of order, and without personal data."""
        version = self.versions[max(0, len(self.versions) - 1 - versions_ago)]
        answer = version.answer(without_personal_data=without_personal_data)

        def brought(_: object) -> None:
            self.newest = max(self.newest, version.number)

        what = f"download of {version}{' without personal data' if without_personal_data else ''}"
        self._begin(
            what,
            "download",
            lambda: self.system.download(self.integration, answer),
            calls,
            when_done=brought,
        )

    def download_of_another_integration(self, calls: int) -> None:
        if self.item is None:
            return
        answer = self.versions[-1].answer(without_personal_data=False)
        self._begin(
            "download of another integration's order with the same ID",
            "another integration",
            lambda: self.system.download(self.other_integration, answer),
            calls,
        )

    def validation(self, records: int, calls: int) -> None:
        """The stream delivers what comes next; if the process dies, it may never do so again."""
        images = self.images[self.delivered : self.delivered + records]
        self.delivered += len(images)
        if images:
            self._validate(images, "validation", calls)

    def validation_again(self, records_ago: int, calls: int) -> None:
        """The stream repeats what it delivered before, from some record on."""
        images = self.images[max(0, self.delivered - records_ago) : self.delivered]
        if images:
            self._validate(images, "validation again", calls)

    def a_record_is_lost(self) -> None:
        if self.delivered < len(self.images):
            self.delivered += 1
            self._tell("a record of the stream is lost")

    def _validate(self, images: Sequence[dict[str, Any]], what: str, calls: int) -> None:
        revisions = ", ".join(f"r{image['revision']['N']}" for image in images)
        work = functools.partial(self.system.validate, images)
        self._begin(f"{what} of {revisions}", "validation", work, calls)

    def person(self, wish: str, on_what_was_seen: bool, calls: int) -> None:
        self._patch(wish, (DATA | WISHES)[wish], on_what_was_seen, calls)

    def person_in_one_call(self, data: str, wish: str, calls: int) -> None:
        self._patch(f"{data} and {wish}", DATA[data] | WISHES[wish], False, calls)

    def person_snoozes(self, calls: int) -> None:
        self._patch("snoozes it", {"snoozeUntil": instant(self.clock.now + SNOOZE)}, False, calls)

    def person_releases(self, release: str, calls: int) -> None:
        body = RELEASES[release]
        self._ask(release, functools.partial(self.system.release, body), body | {"release": True}, calls)

    def _patch(self, what: str, body: dict[str, Any], on_what_was_seen: bool, calls: int) -> None:
        seen = self.order.revision if on_what_was_seen and self.order else None
        self._ask(what, functools.partial(self.system.patch, body, seen), body, calls)

    def _ask(self, what: str, ask: Callable[[], Answer], wish: dict[str, Any], calls: int) -> None:
        answered = functools.partial(self._answered, wish)
        self._begin(f"somebody {what}", "person", ask, calls, wish=wish, when_done=answered)

    def warehouse(self, *, in_vain_too: bool, calls: int) -> None:
        if not in_vain_too and not (self.order and self.order.is_transferable):
            return
        answered = functools.partial(self._answered, {"threePlStatus": "Transferred to 3PL for Picking"})
        acknowledge = self.system.acknowledge
        self._begin("the warehouse takes it", "warehouse", acknowledge, calls, when_done=answered)

    def clock_runs(self, calls: int) -> None:
        """Overdue verdicts, snoozes that end, personal data to be removed."""
        self._begin("the clock", "clock", functools.partial(self.system.clock_runs, "acme-na"), calls)

    def administrator(self, what: str) -> None:
        """One conditional write of one item, so nothing can come between."""
        own = self.integration.settings
        own = IntegrationSettings.model_validate(own.model_dump() | SETTINGS[what](own))
        self.integration = self.integrations.save(self.integration.model_copy(update={"settings": own}))
        self.moment += 1
        self.in_force.append(Change(self.moment, own.of(US)))
        self._tell(f"settings: {what}")

    def freeze(self, what: str) -> None:
        only_this_one = self.integration.model_copy(update={"is_frozen": what == "the integration"})
        self.integration = self.integrations.save(only_this_one)
        if what == "everything":
            self.integrations.freeze_all("ada", self.clock.now)
        else:
            self.integrations.unfreeze_all()
        self.is_frozen = what != "nothing"
        self._tell(f"frozen: {what}")

    def administrator_while_the_warehouse_takes_it(self, what: str) -> None:
        self.warehouse(in_vain_too=False, calls=CALLS_BEFORE_THE_WRITE)
        self.administrator(what)

    def freeze_while_the_warehouse_takes_it(self, what: str) -> None:
        self.warehouse(in_vain_too=False, calls=CALLS_BEFORE_THE_WRITE)
        self.freeze(what)

    # Who goes on, and who dies

    def goes_on(self, which: int, calls: int) -> None:
        if self.tasks:
            self._go_on(self.tasks[which % len(self.tasks)], calls)

    def dies(self, which: int) -> None:
        if self.tasks:
            task = self.tasks.pop(which % len(self.tasks))
            self._tell(f"{task.process.name} dies before {task.process.next_call}")
            task.process.die()

    def _begin(
        self,
        what: str,
        doer: Doer,
        work: Callable[[], object],
        calls: int,
        *,
        wish: dict[str, Any] | None = None,
        when_done: Callable[[object], None] = lambda _: None,
    ) -> None:
        name = f"#{next(self.names)} {what}"
        self._tell(f"{name} begins")
        with self._told_if_it_fails():
            task = Task(Process(name, work), doer, wish or {}, self.moment, when_done)
        self.tasks.append(task)
        self._go_on(task, calls)

    def _go_on(self, task: Task, calls: int) -> None:
        for _ in range(calls):
            if task.process.next_call is None:
                break
            with self._told_if_it_fails():
                call = task.process.make_call()
            self.moment += 1
            self._tell(f"{task.process.name}: {call}")
            if call.writes:
                self._look(task)
        if task.process.next_call is None:
            self.tasks.remove(task)
            task.when_done(task.process.outcome)

    @contextmanager
    def _told_if_it_fails(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self.is_broken = True
            error.add_note("\n".join(("The history:", *self.told)))
            raise

    def _answered(self, wish: dict[str, Any], answer: Any) -> None:
        self._tell(f"  is told {answer.status} {answer.code}")
        yes_for_nothing = answer.status == 200 and is_told_yes_for_nothing(wish, answer.order)
        self._check({"who is told yes has what was asked for": yes_for_nothing})

    # The stored order, and the laws

    def _look(self, task: Task) -> None:
        """Reads the stored order after a call that may have written it; what has changed is in the stream."""
        found = self.observer.get_item(TableName="OrdersTable", Key={"orderId": {"S": ORDER_ID}})
        item = found.get("Item")
        if item is None or item == self.item:
            return
        before, after = self.order, order_from_item(item)
        self.item, self.order = item, after
        self._tell(f"  {summed_up(after)}")
        if item["verdict"]["S"] == "pending":
            self.images.append(item)
        settings = self._settings_since(task.began)
        if not after.is_pending and task.doer != "download":
            self.settings_of_verdict = settings
        write = Write(
            before=before,
            after=after,
            item=item,
            by=task.doer,
            wish=task.wish,
            settings=settings,
            now=self.in_force[-1].settings,
            at=self.clock.now,
            is_frozen=self.is_frozen,
        )
        self._check({law: is_broken(write) for law, is_broken in LAWS.items()})

    def _settings_since(self, moment: int) -> Sequence[Settings]:
        """All that were in force from that moment on."""
        until = [change.since for change in self.in_force[1:]] + [self.moment + 1]
        return [change.settings for change, end in zip(self.in_force, until, strict=True) if end > moment]

    def _check(self, broken: dict[str, bool]) -> None:
        laws = [law for law, is_broken in broken.items() if is_broken]
        if laws:
            self.is_broken = True
            raise AssertionError("\n".join(("broken:", *laws, "", "The history:", *self.told)))

    def _tell(self, line: str) -> None:
        self.told.append(line)

    # The end

    def everything_quietens(self, *, stream_is_lost: bool) -> None:
        """Whoever is at work comes to an end, the stream is drained or lost, the clock makes its rounds."""
        self._tell(f"everything quietens{', the stream is lost' if stream_is_lost else ''}")
        while self.tasks:
            self._go_on(self.tasks[0], ALL_CALLS)
        if stream_is_lost:
            self.delivered = len(self.images)
        self.clock.now += UNTIL_A_SNOOZE_ENDS
        for _ in range(ROUNDS_UNTIL_QUIET):
            self.clock_runs(ALL_CALLS)
            self._deliver_what_is_left()
        if self.order:
            quiet = Quiet(self.order, self.settings_of_verdict, self.clock.now)
            self._check({law: is_broken(quiet) for law, is_broken in LAWS_ONCE_QUIET.items()})
            self._check({"the newest version that a download brought is stored": self._is_behind_amazon(self.order)})

    def _deliver_what_is_left(self) -> None:
        while self.delivered < len(self.images):
            images = self.images[self.delivered :]
            self.delivered = len(self.images)
            self._validate(images, "validation", ALL_CALLS)

    def _is_behind_amazon(self, order: Order) -> bool:
        """The order is as Amazon had it at one time, no earlier than what a download brought to its end."""
        stored = next(version for version in self.versions if version.updated_at == order.amazon.updated_at)
        said = (order.amazon.fulfillment_status, order.amazon.fulfilled_by, len(order.amazon.line_items or ()))
        # Without a status nobody knows what became of the order, but a final status stays.
        is_final = stored.status is None and order.amazon.fulfillment_status in {"SHIPPED", "CANCELLED"}
        status = order.amazon.fulfillment_status if is_final else stored.status
        return stored.number < self.newest or said != (status, stored.fulfilled_by, stored.lines)

    def teardown(self) -> None:
        try:
            if not self.is_broken:
                self.everything_quietens(stream_is_lost=self.stream_is_lost_at_the_end)
        finally:
            for task in self.tasks:
                task.process.die()


def summed_up(order: Order) -> str:
    amazon, edits = order.amazon, order.edits
    facts = {
        f"Amazon {amazon.recipient_name or 'no name'}, {len(amazon.line_items or ())} lines": True,
        str(amazon.fulfillment_status): True,
        "name edited": edits.name is not None,
        "lines edited": edits.line_items is not None,
        f"confirmed {edits.confirmed}": bool(edits.confirmed),
        "PENDING": order.is_pending,
        f"held ({order.held.kind if order.held else 'hidden'})": order.is_held,
        f"decided {order.decisions.model_dump(exclude_none=True)}": order.decisions != Decisions(),
        f"granted {order.granted}": order.granted is not None,
        f"news {order.news}": bool(order.news),
        f"missing {[item.field for item in order.missing]}": bool(order.missing),
        f"accepted {order.accepted}": bool(order.accepted),
        f"Stage {order.stage}": True,
        f"dispatched by {order.dispatched_by}": order.dispatched_by is not None,
        str(order.three_pl_status): True,
        "VOID": order.voided_at is not None,
        "REDACTED": order.redacted_at is not None,
    }
    return f"r{order.revision}: " + "; ".join(fact for fact, is_so in facts.items() if is_so)


def test_no_history_lets_an_incomplete_order_out_or_loses_a_verdict(
    system: System, observer: Any, clock: Clock
) -> None:
    run_histories(lambda: Histories(system, observer, clock), histories=100, steps=40)

"""Which orders a run asks Amazon for by ID, one after another, and what follows from the answer to each.

First those that people want, then held orders by their timetable, then orders that could not be kept, then those that
Amazon is said to have changed. Each is read when its turn comes, and its answer is kept where it came from, so a run
that dies repeats a call and loses none.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from itertools import chain, zip_longest

from aws_lambda_powertools import Logger

from needs_attention.downloads.by_id import Redownload, RedownloadCause, SetAside
from needs_attention.downloads.quota import RETRY_AFTER
from needs_attention.jobs.download.connection import Connection
from needs_attention.jobs.download.intake import Taken
from needs_attention.orders.order import Order
from needs_attention.orders.verdict import next_redownload
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.orders import OrderStore

logger = Logger(child=True)


@dataclass(frozen=True)
class Wanted:
    """One order to ask for, what its history will say is the cause, and what is kept when.

    `unknown`: Amazon has no such order, or shows it to this seller no more. `failed`: Amazon may send it later.
    `unanswered`: it may be Amazon's trouble with this order or with all; others have their turn first next time.
    """

    order_id: str
    cause: str
    before_the_call: Callable[[], None]
    answered: Callable[[Taken], None]
    unknown: Callable[[], None]
    failed: Callable[[], None]
    unanswered: Callable[[], None]


@dataclass
class Redownloads:
    """What one run asks for by ID, the most urgent first.

    `due` are the held orders whose time has come; `reached` says how far live downloads are.
    """

    orders: OrderStore
    downloads: DownloadStateStore
    connection: Connection
    integration_id: str
    due: Iterable[Order]
    reached: Callable[[], datetime]
    now: Callable[[], datetime]

    def __post_init__(self) -> None:
        self._wanted: Iterator[Wanted] = chain(self._requested(), self._due(), self._set_aside(), self._hinted())
        self._next: Wanted | None = None

    def next(self) -> Wanted | None:
        """The next one, the same until `begin` is called."""
        if self._next is None:
            self._next = next(self._wanted, None)
        return self._next

    def begin(self, wanted: Wanted) -> None:
        """Right before its call."""
        wanted.before_the_call()
        self._next = None

    def stop(self) -> None:
        """Amazon does not answer: the next run asks for what is left."""
        self._wanted = iter(())

    # What people want, and the clock once a connection is mended

    def _requested(self) -> Iterator[Wanted]:
        for one in self._kept("requested"):
            yield self._once(one, "redownload")

    def _once(self, redownload: Redownload, cause: str) -> Wanted:
        return Wanted(
            redownload.order_id,
            cause,
            before_the_call=_nothing,
            answered=lambda _: self._settle(redownload, None),
            unknown=lambda: self._settle(redownload, None),
            failed=lambda: self._settle(redownload, redownload.failed(self.now())),
            unanswered=lambda: self._settle(redownload, redownload.put_off(self.now())),
        )

    def _kept(self, cause: RedownloadCause) -> tuple[Redownload, ...]:
        """Those of that cause that are due; most runs find none of any, so that is asked first."""
        if not self._are_any_kept:
            return ()
        return self.downloads.due_redownloads(self.integration_id, cause, self.now())

    @cached_property
    def _are_any_kept(self) -> bool:
        return self.downloads.has_redownloads(self.integration_id)

    def _settle(self, redownload: Redownload, later: Redownload | None) -> None:
        self.downloads.settle_redownload(self.integration_id, redownload, later)

    # Held orders by their timetable

    def _due(self) -> Iterator[Wanted]:
        """Past those that Amazon could not answer more about than the last one."""
        for order in self.due:
            if self.connection.is_worth_asking_for(order, self.now()):
                yield Wanted(
                    order.order_id,
                    "redownload",
                    before_the_call=_nothing,
                    answered=partial(self._ask_later_unless_written, order),
                    unknown=partial(self.orders.ask_again, order, None),
                    failed=partial(self._ask_later, order),
                    unanswered=partial(self._put_order_off, order),
                )
            else:
                self._ask_later(order)

    def _ask_later(self, order: Order) -> None:
        self.orders.ask_again(order, next_redownload(order, self.now()))

    def _put_order_off(self, order: Order) -> None:
        self.orders.ask_again(order, self.now() + RETRY_AFTER)

    def _ask_later_unless_written(self, order: Order, taken: Taken) -> None:
        if not taken.written:
            self.orders.ask_again(order, self.connection.next_time_for(order, self.now()))

    # Orders that could not be kept: it may have been the answer's fault, or ours, mended since

    def _set_aside(self) -> Iterator[Wanted]:
        for one in self.downloads.all_set_aside(self.integration_id):
            if one.retry_at and one.retry_at <= self.now():
                yield Wanted(
                    one.order_id,
                    "redownload",
                    before_the_call=partial(self._put_off, one),  # whatever kills the run does so seldom
                    answered=_nothing,
                    unknown=_nothing,
                    failed=_nothing,
                    unanswered=_nothing,
                )

    def _put_off(self, aside: SetAside) -> None:
        self.downloads.set_aside(self.integration_id, [aside.tried_again(self.now())])

    # Orders that Amazon is said to have changed

    def _hinted(self) -> Iterator[Wanted]:
        """What Amazon tells of and what the second look found take turns."""
        told, found = self._kept("orderChange"), self._kept("reconciliation")
        stored = self.orders.versions(hint.order_id for hint in (*told, *found))
        for hint in filter(None, chain.from_iterable(zip_longest(told, found))):
            if hint.is_answered_by(stored.get(hint.order_id), self.reached()):
                self._settle(hint, None)
            else:
                yield self._once(hint, hint.cause)


def _nothing(*_: object) -> None:
    """What was wanted leaves nothing to be kept then."""

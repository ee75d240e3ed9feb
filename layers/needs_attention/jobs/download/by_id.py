"""Which orders a run asks Amazon for by ID, one after another, and what follows from the answer to each.

The orders that people want come first, then held orders by their timetable, then orders that could not be kept, then
those that Amazon is said to have changed. Each is read when its turn comes, and its answer is kept where it came from,
so a run that dies repeats a call and loses none.
"""

from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from itertools import chain, zip_longest

from aws_lambda_powertools import Logger

from needs_attention.amazon.errors import (
    AccessDenied,
    AmazonUnavailable,
    OrderNotFound,
    RequestRejected,
    UnreadableAnswer,
)
from needs_attention.downloads.by_id import Redownload, RedownloadCause, SetAside
from needs_attention.downloads.quota import RETRY_AFTER
from needs_attention.jobs.download.calls import Calls
from needs_attention.jobs.download.intake import Taken
from needs_attention.jobs.download.run_state import RunState
from needs_attention.orders.order import Order
from needs_attention.orders.verdict import next_redownload
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.orders import OrderStore

logger = Logger(child=True)


@dataclass(frozen=True)
class WantedOrder:
    """One order to ask for, the cause that its history will give, and what is kept when.

    `unknown`: Amazon has no such order, or no longer shows it to this seller. `failed`: Amazon may send it later.
    `unanswered`: the trouble may concern this order or all; others have their turn first next time.
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
    """The orders that one run asks for by ID, the most urgent first. `due` are the held orders whose time has come."""

    orders: OrderStore
    downloads: DownloadStateStore
    state: RunState
    calls: Calls
    due: Iterable[Order]
    now: Callable[[], datetime]

    def __post_init__(self) -> None:
        self._id = self.state.integration_id
        self._wanted: Iterator[WantedOrder] = chain(self._requested(), self._due(), self._set_aside(), self._hinted())
        self._next: WantedOrder | None = None

    def ask_for_next(self, now: datetime) -> bool:
        """Asks for one order; False if none is wanted, or may be asked for now.

        An order that Amazon cannot answer waits for its next turn.
        """
        wanted = self._peek() if self.state.live.get_bucket.tokens_at(now) >= 1 else None
        if wanted is None or not self.state.takes_token("get_bucket", now):
            return False
        wanted.before_the_call()
        self._next = None
        try:
            taken = self.calls.order(wanted.order_id, cause=wanted.cause)
        except OrderNotFound:
            wanted.unknown()
            return True
        except AmazonUnavailable as error:
            logger.warning("redownloads wait", integration=self._id, reason=str(error))
            wanted.unanswered()
            self._wanted = iter(())  # the next run asks for what is left
            return True
        except (AccessDenied, RequestRejected, UnreadableAnswer) as error:
            logger.warning("redownload failed", integration=self._id, order_id=wanted.order_id, reason=str(error))
            wanted.failed()
            return True
        wanted.answered(taken)
        self.state.works(now)
        return True

    def _peek(self) -> WantedOrder | None:
        """The next one, the same until it is asked for."""
        if self._next is None:
            self._next = next(self._wanted, None)
        return self._next

    # Orders that people want, and that the clock wants once a connection is mended

    def _requested(self) -> Iterator[WantedOrder]:
        for one in self._kept("requested"):
            yield self._once(one, "redownload")

    def _once(self, redownload: Redownload, cause: str) -> WantedOrder:
        return WantedOrder(
            redownload.order_id,
            cause,
            before_the_call=_nothing,
            answered=lambda _: self._settle(redownload, None),
            unknown=lambda: self._settle(redownload, None),
            failed=lambda: self._settle(redownload, redownload.failed(self.now())),
            unanswered=lambda: self._settle(redownload, redownload.put_off(self.now())),
        )

    @property
    def told_sellers(self) -> Set[str]:
        """The sellers that new notifications name. One whose order is asked for again later was heard before."""
        return {hint.seller_id for hint in self._told if hint.seller_id and hint.retry_at is None}

    @cached_property
    def _told(self) -> tuple[Redownload, ...]:
        return self._kept("orderChange")

    def _kept(self, cause: RedownloadCause) -> tuple[Redownload, ...]:
        """The requests of that cause that are due. Most runs find none of any cause, so that is asked first."""
        if not self.are_any_kept:
            return ()
        return self.downloads.due_redownloads(self._id, cause, self.now())

    @cached_property
    def are_any_kept(self) -> bool:
        """Whether the run found requests, due or not."""
        return self.downloads.has_redownloads(self._id)

    def _settle(self, redownload: Redownload, later: Redownload | None) -> None:
        self.downloads.settle_redownload(self._id, redownload, later)

    # Held orders by their timetable

    def _due(self) -> Iterator[WantedOrder]:
        """The due orders, except those that wait for the same fault of the connection as an order before them."""
        for order in self.due:
            if self.state.health.is_worth_asking_for(order, self.now()):
                yield WantedOrder(
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
            self.orders.ask_again(order, self.state.health.next_time_for(order, self.now()))

    # Orders that could not be kept: the answer may have been at fault, or we were, and that is mended since

    def _set_aside(self) -> Iterator[WantedOrder]:
        for one in self.downloads.all_set_aside(self._id):
            if one.retry_at and one.retry_at <= self.now():
                yield WantedOrder(
                    one.order_id,
                    "redownload",
                    before_the_call=partial(self._put_off, one),  # if it kills the run, it seldom does so again
                    answered=_nothing,
                    unknown=_nothing,
                    failed=_nothing,
                    unanswered=_nothing,
                )

    def _put_off(self, aside: SetAside) -> None:
        self.downloads.set_aside(self._id, [aside.tried_again(self.now())])

    # Orders that Amazon is said to have changed

    def _hinted(self) -> Iterator[WantedOrder]:
        """The orders that Amazon tells of and those that the second look found take turns."""
        told, found = self._told, self._kept("reconciliation")
        stored = self.orders.versions(hint.order_id for hint in (*told, *found))
        for hint in filter(None, chain.from_iterable(zip_longest(told, found))):
            if hint.is_answered_by(stored.get(hint.order_id), self.state.live.walk.reached):
                self._settle(hint, None)
            else:
                yield self._once(hint, hint.cause)


def _nothing(*_: object) -> None:
    """Leaves nothing to be kept."""

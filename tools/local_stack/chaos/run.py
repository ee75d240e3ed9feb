"""Everything goes wrong at once, under load: at the end the state must be as if nothing had.

While people, a warehouse and Amazon are at work, functions are killed, AWS stands still, Amazon fails, and messages
come twice and late; an observer checks all the time whether an order may leave that must not. Then all of it stops, and
once there was time to settle, the stored orders must equal Amazon's ledger. See `Ending` for what else must hold.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Final

from tools.local_stack.chaos.actors import Actor
from tools.local_stack.chaos.crowd import AmazonsSide, Clock, People, Warehouse
from tools.local_stack.chaos.ending import Ending
from tools.local_stack.chaos.observer import Observer, TableObserver
from tools.local_stack.chaos.trouble import AmazonsTrouble, Machine, Repetitions
from tools.local_stack.chaos.truth import Truth
from tools.local_stack.expectations import A_LONG_WHILE
from tools.local_stack.outside import Subscriber
from tools.local_stack.processes import ProcessList
from tools.local_stack.shop import Shop
from tools.local_stack.stack import Stack

SAYS_EVERY: Final = 15.0
SECONDS_TO_BEGIN: Final = A_LONG_WHILE
# On a slow machine it takes longer until enough has happened.
SECONDS_FOR_ENOUGH: Final = 900.0
# As long as a run takes at most, and no longer: a wake-up whose function was killed holds its integration up so long.
SECONDS_A_WAKE_UP_IS_HIDDEN: Final = 30
# A complete order leaves at once, so that an early or wrong verdict shows.
LEAVES_AT_ONCE: Final = {"autoDispatchOrders": True, "defaultThreePlStatus": "Transfer to 3PL Now"}


@dataclass(frozen=True)
class Survived:
    """The record of a run; `counts` holds the number of every act, by its name."""

    seed: int
    orders: int
    handed_over: int
    told_again: int
    counts: Counter[str]

    def __str__(self) -> str:
        done = ", ".join(f"{what} {number:,}" for what, number in sorted(self.counts.items()))
        return (
            f"{self.orders:,} orders, all as at Amazon; {self.counts['samples']:,} samples, none that must not leave; "
            f"{self.counts['functions killed']:,} functions killed; {self.handed_over:,} orders handed over; "
            f"{self.told_again:,} changes sent again; seed {self.seed}. All acts: {done}"
        )


class Chaos:
    """A run on a stack with its files in `directory`. The seed determines the acts, not their results."""

    def __init__(self, stack: Stack, directory: Path, seed: int) -> None:
        self._shop = Shop.registered(stack)
        self._seed = seed
        self._truth = Truth()
        self._ending = Ending(self._shop, self._truth, directory)
        aws = ProcessList(directory / "processes.json").read()["ministack"].process()
        if aws is None:
            raise RuntimeError("MiniStack does not run")
        shop, truth = self._shop, self._truth
        self._crowd: Sequence[Actor] = (
            AmazonsSide(seed, shop.amazon, truth),
            People(seed, stack, truth),
            Warehouse(seed, stack, truth),
            Clock(seed, shop, truth),
            Observer(seed, stack, truth),
            TableObserver(seed, shop, truth),
        )
        self._trouble: Sequence[Actor] = (
            Machine(seed, aws),
            AmazonsTrouble(seed, shop),
            Repetitions(seed, shop, truth),
        )

    def run(
        self, length: timedelta, say: Callable[[str], None], enough: Callable[[Survived], bool] = lambda _: True
    ) -> Survived:
        """So long, and then until it is enough. Raises Unexpected if anything may leave that must not, or is lost."""
        say(f"Chaos for {length}, with the seed {self._seed}")
        with self._surroundings():
            try:
                self._reign(length, say, lambda: enough(self._survived()))
            finally:
                self._shop.amazon.behave()
            say("It is over; delayed work goes on")
            self._ending.settle()
            told_again = self._ending.check()
        return self._survived(told_again)

    def _survived(self, told_again: int = 0) -> Survived:
        orders = len(self._truth.ledger)
        return Survived(self._seed, orders, len(self._truth.handed_over), told_again, self._counts())

    def _reign(self, length: timedelta, say: Callable[[str], None], enough: Callable[[], bool]) -> None:
        """The trouble begins once orders go all the way: until then there is nothing that it could disturb."""
        over = Event()
        with ThreadPoolExecutor(len(self._crowd) + len(self._trouble)) as pool:
            try:
                acting = [pool.submit(actor.keep_on, over) for actor in self._crowd]
                self._go_on(acting, SECONDS_TO_BEGIN, enough=lambda: bool(self._truth.handed_over))
                say(f"{len(self._truth.handed_over)} orders are handed over: now the trouble begins")
                acting += [pool.submit(actor.keep_on, over) for actor in self._trouble]
                ends = time.monotonic() + length.total_seconds()
                while (remaining := ends - time.monotonic()) > 0:
                    self._go_on(acting, min(remaining, SAYS_EVERY), enough=lambda: False)
                    say(self._progress())
                self._go_on(acting, SECONDS_FOR_ENOUGH, enough)
            finally:
                over.set()
        for one in acting:
            one.result()

    def _go_on(self, acting: Sequence[Future[None]], seconds: float, enough: Callable[[], bool]) -> None:
        """For so long, or until it is enough. Raises what one of those who act has raised."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends and not enough():
            done, _ = wait(acting, timeout=min(1.0, seconds), return_when=FIRST_EXCEPTION)
            for one in done:
                one.result()

    def _progress(self) -> str:
        counts = self._counts()
        return (
            f"{len(self._truth.ledger):,} orders, {len(self._truth.handed_over):,} handed over, "
            f"{counts['functions killed']:,} functions killed, {counts['samples']:,} samples"
        )

    def _counts(self) -> Counter[str]:
        return sum((actor.counts.copy() for actor in (*self._crowd, *self._trouble)), Counter())

    @contextmanager
    def _surroundings(self) -> Iterator[None]:
        """Settings for the run, which others on the stack do not find changed; and somebody who listens.

        What is told on the event bus is looked through for personal data as well.
        """
        before = self._shop.administrator.get(self._shop.path)["settings"]
        hidden = self._shop.set_wake_ups_hidden(SECONDS_A_WAKE_UP_IS_HIDDEN)
        self._shop.administrator.patch(self._shop.path, {"settings": LEAVES_AT_ONCE})
        try:
            with closing(Subscriber(self._shop.stack)):
                yield
        finally:
            self._shop.administrator.patch(
                self._shop.path, {"settings": {name: before[name] for name in LEAVES_AT_ONCE}}
            )
            self._shop.set_wake_ups_hidden(hidden)

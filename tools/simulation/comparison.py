"""`python -m tools.simulation.comparison`: three download engines side by side, on virtual clocks (about 2 minutes).

`contenders` describes them and how each is driven, `history` the events at Amazon meanwhile, which are the same for all
of them, as are Amazon's own quotas. There are two lives:

The backlog: 20,000 orders of yesterday are downloaded when an account is connected, while 100 orders and 200 updates
an hour go on. The calls for it are those of the download of the past alone; ours also makes live searches, which
count as calls meanwhile, while the other two have one cursor, behind which new orders wait.

The live half-day: 10,000 orders and 4,000 updates in 12 hours, as on 28,000 updates a day, among them 30 orders that
came without an address. Then Amazon learns the 30 addresses and tells nobody (`lastUpdatedTime` stays), and
a person asks for the 30. Orders and updates go on for two hours more, and then each engine gets time to finish.

The 30 are spread among the others. Were they the oldest, a search in the order of updates would bring them first, and
new orders would still wait until the rewound cursor has caught up.

What ours pays for losing nothing shows too: its slices are three quarters full and their remainders are calls of their
own, so it lists fewer orders a call than the others, shares its quota with live searches, and takes longer for a
backlog; and it asks for held orders by ID without being told to.

Calls are those that Amazon answered; the refused ones (429) are counted apart, and logins not at all. An order is lost
if it was never stored, and stale if what is stored is not what Amazon has, when the engine thinks it is through.
"""

import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from tools.amazon_stand_in.ledger import Entry
from tools.simulation.contenders import CONTENDERS, Contender, Past
from tools.simulation.history import DAY, Amazon, Flow, History
from tools.simulation.seller import HOUR, MINUTE, START

# An engine that has not finished by then never will: it loses more than it downloads.
MOST_TO_BE_THROUGH = 3 * DAY
# An order that was updated later than this before the end of the live half-day may still be absent.
STILL_COMING = HOUR


@dataclass(frozen=True)
class Scale:
    """How large the two lives are, and how many orders a page holds. A person asks when `live.lasts` is over."""

    page: int
    backlog: Flow
    live: Flow


FULL = Scale(
    page=100,
    backlog=Flow(past=20_000, new=1_200, updates=2_400, lasts=12 * HOUR),
    live=Flow(past=0, new=10_000, updates=4_000, lasts=12 * HOUR, held=30, goes_on=2 * HOUR),
)


@dataclass(frozen=True)
class Calls:
    """Calls that Amazon answered: those that list orders, and those for one order; and those that it refused."""

    listings: int
    single: int
    refused: int

    @property
    def answered(self) -> int:
        return self.listings + self.single

    @classmethod
    def between(cls, side: Amazon, begin: datetime, end: datetime) -> "Calls":
        made = Counter(operation for operation, at in side.calls if begin <= at <= end)
        refused = sum(begin <= at <= end for _, at in side.refused)
        listings = made["searchOrders"] + made["getOrders"]
        return cls(listings, made.total() - listings, refused)


@dataclass(frozen=True)
class Outcome:
    """`lost` and `stale` count orders; `longest_wait` is from an update to its being stored, of those that are."""

    lost: int
    stale: int
    longest_wait: timedelta

    @classmethod
    def of(cls, contender: Contender, entries: Iterable[Entry], updated: tuple[datetime, datetime]) -> "Outcome":
        """Of the orders that were last updated between the two times."""
        first, last = updated
        lost = stale = 0
        longest_wait = timedelta()
        for entry in entries:
            if not first <= entry.updated <= last:
                continue
            at = contender.stored_at(entry)
            if at is not None:
                longest_wait = max(longest_wait, at - entry.updated)
            elif contender.has(entry):
                stale += 1
            else:
                lost += 1
        return cls(lost, stale, longest_wait)


@dataclass(frozen=True)
class BacklogTold:
    """`past` is the download of the past alone, `meanwhile` all calls until its last order was stored.

    `live` is what became of orders that were new or updated meanwhile, `outcome` what became of all.
    """

    past: Past
    meanwhile: Calls
    stored_after: timedelta
    live: Outcome
    outcome: Outcome

    @property
    def calls_per_order(self) -> float:
        return self.past.calls / self.past.orders


@dataclass(frozen=True)
class LiveTold:
    """The half-day until a person asks: `updates` count new orders too."""

    orders: int
    updates: int
    calls: Calls
    outcome: Outcome

    @property
    def calls_per_order(self) -> float:
        return self.calls.answered / self.orders


@dataclass(frozen=True)
class HealTold:
    """`healed` of the `held` orders had their addresses `healed_after` the asking, with `calls` until then.

    `meanwhile` is what became of orders updated after the asking, `outcome` what became of all in the end.
    """

    held: int
    healed: int
    healed_after: timedelta
    calls: Calls
    meanwhile: Outcome
    outcome: Outcome


def backlog(name: str, scale: Scale, seed: int) -> BacklogTold:
    """A contender downloads yesterday's orders while today's come."""
    with pages_of(scale.page):
        side = Amazon(History.drawn(seed, scale.backlog), seed)
        contender = CONTENDERS[name](side)
        contender.download_the_past(START - DAY - HOUR)
        _live_till_through(contender)
        untouched = (entry for entry in side.existing() if entry.updated <= START)
        last = max(filter(None, map(contender.stored_at, untouched)))
        return BacklogTold(
            past=contender.past,
            meanwhile=Calls.between(side, START, last),
            stored_after=last - START,
            live=Outcome.of(contender, side.existing(), (START, side.clock())),
            outcome=Outcome.of(contender, side.existing(), (START - 2 * DAY, side.clock())),
        )


def live_and_heal(name: str, scale: Scale, seed: int) -> tuple[LiveTold, HealTold]:
    """A contender lives half a day, and then a person asks for the orders that were held in it."""
    with pages_of(scale.page):
        history = History.drawn(seed, scale.live)
        side = Amazon(history, seed)
        contender = CONTENDERS[name](side)
        contender.live_until(START + scale.live.lasts)
        asked_at = side.clock()
        existing = side.existing()
        told = LiveTold(
            orders=len(existing),
            updates=len(existing) + sum(update.at <= asked_at for update in history.updates),
            calls=Calls.between(side, START, asked_at),
            outcome=Outcome.of(contender, existing, (START, asked_at - STILL_COMING)),
        )
        for order_id in history.held:
            side.stand_in.complete(order_id)
        contender.ask_for([side.stand_in.order(order_id) for order_id in history.held])
        _live_till_through(contender)
        healed = [at for one in history.held if (at := contender.stored_at(side.stand_in.order(one)))]
        return told, HealTold(
            held=len(history.held),
            healed=len(healed),
            healed_after=max(healed) - asked_at,
            calls=Calls.between(side, asked_at, max(healed)),
            meanwhile=Outcome.of(contender, side.existing(), (asked_at, side.clock())),
            outcome=Outcome.of(contender, side.existing(), (START, side.clock())),
        )


def _live_till_through(contender: Contender) -> None:
    side = contender.side
    give_up_at = side.clock() + MOST_TO_BE_THROUGH
    while not contender.is_through(side.history.ends) and side.clock() < give_up_at:
        contender.live_until(side.clock() + MINUTE)


@contextmanager
def pages_of(size: int) -> Iterator[None]:
    """As `Simulation` does: with small pages, few orders cost as many calls as many do."""
    with (
        patch("needs_attention.downloads.walk.PAGE", size),
        patch("tools.amazon_stand_in.orders_api.MOST_RESULTS", size),
    ):
        yield


# The table ------------------------------------------------------------------------------------------------------------


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as they need to be, the first flush left and the others flush right."""
    lines = [list(header), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]
        )
        for line in lines
    )


def backlog_table(told: dict[str, BacklogTold]) -> str:
    header = "|calls for it|per order|all calls meanwhile|refused|last one stored after|a new one waited|lost|stale"
    return table(
        header.split("|"),
        (
            (
                name,
                f"{one.past.calls:,}",
                f"{one.calls_per_order:.4f}",
                f"{one.meanwhile.answered:,}",
                f"{one.meanwhile.refused:,}",
                lasting(one.stored_after),
                lasting(one.live.longest_wait),
                f"{one.outcome.lost:,}",
                f"{one.outcome.stale:,}",
            )
            for name, one in told.items()
        ),
    )


def live_table(told: dict[str, LiveTold]) -> str:
    header = "|listings|for one order|refused|listings per order|calls per order|per update|one waited|lost|stale"
    return table(
        header.split("|"),
        (
            (
                name,
                f"{one.calls.listings:,}",
                f"{one.calls.single:,}",
                f"{one.calls.refused:,}",
                f"{one.calls.listings / one.orders:.4f}",
                f"{one.calls_per_order:.4f}",
                f"{one.calls.answered / one.updates:.4f}",
                lasting(one.outcome.longest_wait),
                f"{one.outcome.lost:,}",
                f"{one.outcome.stale:,}",
            )
            for name, one in told.items()
        ),
    )


def heal_table(told: dict[str, HealTold]) -> str:
    header = "|healed|after|calls until then|an update meanwhile waited|lost in the end|stale in the end"
    return table(
        header.split("|"),
        (
            (
                name,
                f"{one.healed} of {one.held}",
                lasting(one.healed_after),
                f"{one.calls.answered:,}",
                lasting(one.meanwhile.longest_wait),
                f"{one.outcome.lost:,}",
                f"{one.outcome.stale:,}",
            )
            for name, one in told.items()
        ),
    )


def lasting(time_passed: timedelta) -> str:
    """`42 s`, `7 min 30 s` or `5 h 12 min`."""
    seconds = round(time_passed.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(scale: Scale = FULL, seed: int = 0) -> None:
    began = time.monotonic()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        logging.disable(logging.CRITICAL)
        live = {name: pool.submit(live_and_heal, name, scale, seed) for name in CONTENDERS}
        past = {name: pool.submit(backlog, name, scale, seed) for name in CONTENDERS}
        lives: list[Future[Any]] = [*live.values(), *past.values()]
        for number, _ in enumerate(as_completed(lives), start=1):
            say(f"[{time.monotonic() - began:3.0f} s] {number} of {len(lives)} lives are lived")
    say(f"\n{scale.backlog.past:,} orders of yesterday\n")
    say(backlog_table({name: future.result() for name, future in past.items()}))
    lived = {name: future.result() for name, future in live.items()}
    say(f"\n{scale.live.new:,} orders and {scale.live.updates:,} updates in {lasting(scale.live.lasts)}\n")
    say(live_table({name: one for name, (one, _) in lived.items()}))
    say(f"\n{scale.live.held} of them came without an address; Amazon has it now, and a person asks\n")
    say(heal_table({name: one for name, (_, one) in lived.items()}))


if __name__ == "__main__":
    main()

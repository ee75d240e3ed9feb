"""The events at Amazon while download engines are compared: drawn once from a seed, the same for each of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from tools.amazon_stand_in import orders_v0
from tools.amazon_stand_in.clock import Clock
from tools.amazon_stand_in.generator import Hole, generated
from tools.amazon_stand_in.http_messages import Answer, Request
from tools.amazon_stand_in.ledger import Entry, Json, amazon_time
from tools.amazon_stand_in.login_with_amazon import TOKEN_PATH
from tools.amazon_stand_in.orders_api import ORDERS_PATH
from tools.amazon_stand_in.server import AmazonStandIn
from tools.simulation.seller import CHANGES, SECOND, START

DAY = timedelta(days=1)
# Half of the updates concern one of this many latest orders; the others concern any order.
LATEST = 200


class Update(NamedTuple):
    """A change of an order by a JSON Merge Patch, which gives it a new `lastUpdatedTime`."""

    at: datetime
    order_id: str
    patch: Json


@dataclass(frozen=True)
class Flow:
    """How many orders the seller has: `past` ones were last updated in the day before the start, evenly.

    `new` ones and `updates` follow evenly over `lasts` from the start. Of the new ones `held` come without a delivery
    address; they are spread evenly among the others, and nobody updates them. After that it `goes_on` for a while at
    the same rate, and no more orders are held.
    """

    past: int
    new: int
    updates: int
    lasts: timedelta
    held: int = 0
    goes_on: timedelta = timedelta()

    @property
    def all_new(self) -> int:
        return round(self.new * ((self.lasts + self.goes_on) / self.lasts))


@dataclass(frozen=True)
class History:
    """All orders, those of the future with the time at which they will be created, and all updates by time.

    Orders of the future need not be put into the ledger when their time comes: every search ends in the past.
    """

    entries: tuple[Entry, ...]
    updates: tuple[Update, ...]
    held: tuple[str, ...]
    ends: datetime

    @classmethod
    def drawn(cls, seed: int, flow: Flow) -> "History":
        random = Random(seed)
        # Every order that can lack its address comes without it, and with what it would be as a whole.
        count, shares = flow.past + flow.all_new, {Hole.ADDRESS_ABSENT: 1.0}
        pool = generated(count, now=START, seed=seed, shares=shares, spread=DAY)
        entries = [_made_whole(next(pool)) for _ in range(flow.past)]
        may_be_updated = [entry.order_id for entry in entries]
        updates: list[Update] = []
        held: list[str] = []
        for at, is_update in _moments(random, flow):
            if is_update and may_be_updated:
                order_id = random.choice(may_be_updated[-LATEST:] if random.random() < 0.5 else may_be_updated)
                updates.append(Update(at, order_id, random.choice(CHANGES)(random)))
            elif not is_update:
                entry, number = next(pool), len(entries) - flow.past + 1
                may_be_held = bool(entry.missing) and number <= flow.new
                is_held = may_be_held and len(held) < flow.held * number / flow.new
                entries.append(_created(entry if is_held else _made_whole(entry), at))
                (held if is_held else may_be_updated).append(entry.order_id)
        return cls(tuple(entries), tuple(updates), tuple(held), START + flow.lasts + flow.goes_on)


class Amazon:
    """Amazon as one engine meets it: the history, on a clock that only this engine's calls and waits move.

    Both APIs show the same ledger, each with Amazon's own quotas. `calls` has the operation and the time of each call
    that was answered, `refused` of each that met an empty bucket (429); logins are not counted.
    """

    def __init__(self, history: History, seed: int) -> None:
        self.history = history
        self.clock = Clock(START)
        self.stand_in = AmazonStandIn(history.entries, now=self.clock)
        self.calls: list[tuple[str, datetime]] = []
        self.refused: list[tuple[str, datetime]] = []
        self._v0 = orders_v0.OrdersV0(self.stand_in, self.clock)
        self._updates = iter(history.updates)
        self._next_update = next(self._updates, None)
        self._random = Random(seed)

    def pass_time(self, by: timedelta) -> None:
        """Time passes, and with it Amazon's orders change."""
        until = self.clock() + by
        while self._next_update and self._next_update.at <= until:
            at, order_id, patch = self._next_update
            self.stand_in.patch(order_id, patch, last_updated_time=at)
            self._next_update = next(self._updates, None)
        self.clock.now = until

    def exchange(self, request: Request) -> Answer:
        """A call takes between 0.2 and 2.2 seconds, whichever API it is for, as in `Simulation`."""
        self.pass_time(SECOND * (0.2 + 2 * self._random.random()))
        is_v0 = request.path.startswith(orders_v0.ORDERS_PATH)
        answer = self._v0.answer(request) if is_v0 else self.stand_in.answer(request)
        assert answer is not None, "nothing drops connections here"
        if request.path != TOKEN_PATH:
            operation = orders_v0.operation_of(request) if is_v0 else _operation_of(request)
            (self.refused if answer.status == 429 else self.calls).append((operation, self.clock()))
        return answer

    def existing(self) -> list[Entry]:
        """The orders that Amazon has by now."""
        return [entry for entry in self.stand_in.orders() if entry.created <= self.clock()]


def _operation_of(request: Request) -> str:
    return "searchOrders" if request.path == ORDERS_PATH else "getOrder"


def _moments(random: Random, flow: Flow) -> Iterator[tuple[datetime, bool]]:
    """When something happens, in whole seconds as Amazon's times, and whether it is an update."""
    further = flow.all_new - flow.new, round(flow.updates * (flow.goes_on / flow.lasts))
    parts = ((START, flow.lasts, flow.new, flow.updates), (START + flow.lasts, flow.goes_on, *further))
    for begins, lasts, new, updates in parts:
        kinds = [False] * new + [True] * updates
        random.shuffle(kinds)
        times = sorted(begins + random.random() * lasts for _ in kinds)
        yield from zip((at.replace(microsecond=0) for at in times), kinds, strict=True)


def _made_whole(entry: Entry) -> Entry:
    return Entry.of(json.loads(entry.whole)) if entry.missing else entry


def _created(entry: Entry, at: datetime) -> Entry:
    times = {"createdTime": amazon_time(at), "lastUpdatedTime": amazon_time(at)}
    return Entry.of(entry.order | times, whole=json.loads(entry.whole) | times, missing=entry.missing, note=entry.note)

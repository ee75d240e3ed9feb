"""Lets a test say which process makes the next DynamoDB call, and which one dies before it.

Every process runs in a thread of its own and stops before each call that it makes to DynamoDB, until the test lets it
go on; so only one runs at any time, and the same choices replay the same history.
"""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

# A process computes between two calls and waits for nothing; one that takes this long hangs.
HANGS_AFTER_SECONDS = 60


class Died(BaseException):
    """Ends a process between two of its calls. No `except Exception` may catch it: a dead process does nothing."""


class Call(NamedTuple):
    """A call that a process is about to make, e.g. `UpdateItem` on `OrdersTable`."""

    operation: str
    tables: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.operation} {'+'.join(self.tables)}"

    @property
    def writes(self) -> bool:
        return self.operation in {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"}


class Process(threading.Thread):
    """Does `work` one call at a time. `outcome` is its result once `next_call` is None."""

    def __init__(self, name: str, work: Callable[[], object]) -> None:
        super().__init__(name=name, daemon=True)
        self._work = work
        self._may_go_on = threading.Semaphore(0)
        self._has_stopped = threading.Semaphore(0)
        self._is_to_die = False
        self._error: BaseException | None = None
        self.outcome: object = None
        self.next_call: Call | None = None
        self.start()
        self._wait_until_it_stops()

    def run(self) -> None:
        try:
            self.outcome = self._work()
        except BaseException as error:  # noqa: BLE001 - told to the test, in whose thread it belongs
            self._error = None if self._is_to_die else error
        finally:
            self.next_call = None
            self._has_stopped.release()

    def make_call(self) -> Call:
        """Makes the next call and runs on to the one after it. Raises errors that the process does not catch."""
        if self.next_call is None:
            raise ValueError(f"{self.name} has ended")
        call = self.next_call
        self._may_go_on.release()
        self._wait_until_it_stops()
        return call

    def die(self) -> None:
        """The next call is never made."""
        self._is_to_die = True
        while self.next_call is not None:
            self._may_go_on.release()
            self._wait_until_it_stops()
        self.join(HANGS_AFTER_SECONDS)

    def stop_before(self, call: Call) -> None:
        """In the process: waits until the test lets it make the call."""
        if not self._is_to_die:
            self.next_call = call
            self._has_stopped.release()
            self._may_go_on.acquire()
        if self._is_to_die:
            raise Died

    def _wait_until_it_stops(self) -> None:
        if not self._has_stopped.acquire(timeout=HANGS_AFTER_SECONDS):
            raise TimeoutError(f"{self.name} hangs before {self.next_call}")
        if self._error is not None:
            raise self._error


class Schedule:
    """Who of those that can go on goes on, turn after turn: as `choices` say, and the first one after those."""

    def __init__(self, choices: Sequence[int] = ()) -> None:
        self._choices = choices
        self._taken: list[tuple[int, int]] = []

    @property
    def choices(self) -> tuple[int, ...]:
        return tuple(choice for choice, _ in self._taken)

    def choose[Candidate](self, candidates: Sequence[Candidate]) -> Candidate:
        turn = len(self._taken)
        choice = self._choices[turn] if turn < len(self._choices) else 0
        self._taken.append((choice, len(candidates)))
        return candidates[choice]

    def following(self) -> "Schedule | None":
        """The next one in the order of a dictionary: the last choice that could be another one is the next one."""
        taken = list(self._taken)
        while taken:
            choice, candidates = taken.pop()
            if choice + 1 < candidates:
                return Schedule((*(earlier for earlier, _ in taken), choice + 1))
        return None


def every_schedule() -> Iterator[Schedule]:
    """Every order in which processes can take their turns, each once.

    Whoever asks runs the processes by one schedule to their end, so that it has met all its choices, before they ask
    for the next.
    """
    schedule: Schedule | None = Schedule()
    while schedule:
        yield schedule
        schedule = schedule.following()


@contextmanager
def stopping_processes(*clients: Any) -> Iterator[None]:
    """While this lasts, a process stops before each call that it makes through one of these DynamoDB clients."""
    for client in clients:
        client.meta.events.register("before-call.dynamodb", _stop)
    try:
        yield
    finally:
        for client in clients:
            client.meta.events.unregister("before-call.dynamodb", _stop)


def _stop(model: Any, params: dict[str, Any], **_: object) -> None:
    process = threading.current_thread()
    if isinstance(process, Process):
        process.stop_before(Call(model.name, _tables(json.loads(params["body"]))))


def _tables(request: dict[str, Any]) -> tuple[str, ...]:
    """The tables that a request names: in a transaction and a batch there are several."""
    if "TableName" in request:
        return (str(request["TableName"]),)
    if "RequestItems" in request:
        return tuple(sorted(request["RequestItems"]))
    actions = (action for item in request["TransactItems"] for action in item.values())
    return tuple(sorted({str(action["TableName"]) for action in actions}))

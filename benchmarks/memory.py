"""How much memory each function gets: what its work takes on the whole system, and how long that lasts at each size."""

import json
from collections.abc import Callable, Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from benchmarks.markdown import table
from benchmarks.report import Section
from tools.from_template import function_property
from tools.local_stack.api import Person
from tools.local_stack.demo import tell
from tools.local_stack.deployment import PROJECT, Tools
from tools.local_stack.expectations import expect
from tools.local_stack.functions import Functions, processes, stream_images, stream_record
from tools.local_stack.load import Load
from tools.local_stack.processes import ProcessList
from tools.local_stack.registration import INTEGRATION
from tools.local_stack.stack import LocalStack, Stack

ORDERS = 2_000
CALLS = 40
A_BATCH = 100
SIZES = (256, 512, 1024, 1769)
# Lambda gives processor time in proportion to memory: one processor at so many MB
# (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html).
ONE_PROCESSOR = 1769
# The time that a person who waits for an answer notices.
MOST_MILLISECONDS = 50


class Work(NamedTuple):
    """A function's frequent work, and how to invoke it. `is_awaited`: a person waits for it."""

    function: str
    what: str
    once: Callable[[], object]
    is_awaited: bool = False


class Taken(NamedTuple):
    """The usage of a function's work: the peak MB, and milliseconds of a processor per call."""

    work: Work
    megabytes: float
    milliseconds: float


class Workers:
    """The functions' processes, which are the embedded AWS's children, by the functions' names."""

    def __init__(self, directory: Path) -> None:
        aws = ProcessList(directory / "processes.json").read()["ministack"].process()
        assert aws
        self._aws = aws

    def of(self, name: str) -> list[psutil.Process]:
        return [worker for worker in processes(self._aws) if self._is_of(name, worker)]

    @staticmethod
    def _is_of(name: str, worker: psutil.Process) -> bool:
        try:
            return worker.environ().get("AWS_LAMBDA_FUNCTION_NAME") == name
        except psutil.NoSuchProcess:
            return False

    def processor_time(self, name: str) -> float:
        """Seconds, of all its processes together."""
        times = [worker.cpu_times() for worker in self.of(name)]
        return sum(one.user + one.system for one in times)

    def peak(self, name: str) -> float:
        """MB, of the largest of its processes."""
        return max(_peak(worker.pid) for worker in self.of(name))


def _peak(pid: int) -> float:
    """The most memory that a process ever had, in MB. Linux alone tells it."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = [line for line in status if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def measured(stack: Stack, directory: Path) -> list[Taken]:
    """The usage of each function's work, after a story and a load that all of them took part in."""
    expect(tell(stack, print), 0, "how the story ended")
    print(Load(stack, ORDERS).run(print))
    functions, workers = Functions(stack), Workers(directory)
    taken = []
    for work in _works(stack, functions):
        name = functions.names[work.function]
        work.once()  # the process is there
        before = workers.processor_time(name)
        for _ in range(CALLS):
            work.once()
        milliseconds = (workers.processor_time(name) - before) / CALLS * 1000
        taken.append(Taken(work, workers.peak(name), milliseconds))
        print(f"  {work.function}: {taken[-1].megabytes:.0f} MB, {milliseconds:.0f} ms", flush=True)
    return taken


def _works(stack: Stack, functions: Functions) -> Iterator[Work]:
    reader, editor = Person(stack, "reader"), Person(stack, "editor")
    administrator = Person(stack, "administrator")
    order_id = reader.get("/orders?limit=1")["orders"][0]["orderId"]
    numbers = count()
    images = list(islice(stream_images(stack), A_BATCH))
    batch = {"Records": [stream_record(image, number) for number, image in enumerate(images)]}

    def work(function: str, what: str, event: dict[str, Any]) -> Work:
        return Work(
            function, what, lambda: expect([functions.does(function, event)], [True], f"whether {function} did")
        )

    yield Work("QueryOrdersFunction", "one order", lambda: reader.get(f"/orders/{order_id}"), is_awaited=True)
    yield Work(
        "EditOrdersFunction",
        "a comment on an order",
        lambda: editor.patch(f"/orders/{order_id}", {"comment": f"No. {next(numbers)}"}),
        is_awaited=True,
    )
    yield Work(
        "ManageSettingsFunction",
        "an integration",
        lambda: administrator.get(f"/integrations/{INTEGRATION}"),
        is_awaited=True,
    )
    yield Work(
        "RequestDownloadsFunction",
        "the list of downloads",
        lambda: reader.get(f"/integrations/{INTEGRATION}/downloads"),
        is_awaited=True,
    )
    yield work("ValidateOrdersFunction", f"{A_BATCH} records that were judged before", batch)
    yield work("PublishChangesFunction", f"{A_BATCH} records", batch)
    yield work("DownloadOrdersFunction", "the tick of the clock", an_event("download_orders_tick"))
    yield work("RedactOrdersFunction", "the tick of the clock", an_event("redact_orders_tick"))
    yield work("ReceiveOrderChangesFunction", "a notification", an_event("receive_order_changes"))
    yield work("SendDigestFunction", "a digest", an_event("send_digest"))


def an_event(name: str) -> dict[str, Any]:
    return dict(json.loads((PROJECT / "events" / f"{name}.json").read_text()))


def section() -> Section:
    directory = PROJECT / ".build/benchmarks/memory"
    local = LocalStack(directory, Tools(), print)
    local.down()  # what an interrupted run left behind
    try:
        taken = measured(local.up(), directory)
    finally:
        local.down()
    headings = ("Function", "A call", "Memory, MB", "Processor, ms", *(f"{size:,} MB" for size in SIZES))
    return Section(
        [],
        f"""## Memory

Each function's processes on the local stack, after the demo's story and {ORDERS:,} more orders: the peak memory of any
of them, and the processor time of one more call of its most frequent kind. Lambda gives a share of a processor in
proportion to memory, a whole one at {ONE_PROCESSOR:,} MB, so the time that the call computes at each size is
arithmetic. Waiting for AWS's answers comes on top; it takes as long at every size but is paid by the MB. A cold start
computes on a whole processor whatever the size. `*` marks the size in the template: the smallest size that holds twice
the memory and computes for {MOST_MILLISECONDS} ms at most where a person waits, elsewhere for a tenth of the timeout.
DownloadOrders has more, for the largest answer that it takes from Amazon (`amazon/transport.py`), which no run here
brings.

{table(headings, map(_row, taken))}
""",
    )


def _row(taken: Taken) -> list[str]:
    function, what, *_ = taken.work
    given = function_property(function, "MemorySize")
    name = function.removesuffix("Function")
    cells = [name, what, f"{taken.megabytes:.0f}", f"{taken.milliseconds:.0f}"]
    cells += [f"{_lasts(taken, size):,.0f} ms{' *' if size == given else ''}" for size in SIZES]
    by_the_rule = next(
        size for size in SIZES if size >= 2 * taken.megabytes and _lasts(taken, size) <= _most(taken.work)
    )
    note = "" if by_the_rule == given else f" (by the rule {by_the_rule:,} MB)"
    return [*cells[:-1], cells[-1] + note]


def _lasts(taken: Taken, size: int) -> float:
    """How many milliseconds the call computes with so many MB."""
    return taken.milliseconds * max(1, ONE_PROCESSOR / size)


def _most(work: Work) -> float:
    """How many milliseconds it may compute."""
    return MOST_MILLISECONDS if work.is_awaited else function_property(work.function, "Timeout") * 100


if __name__ == "__main__":
    print(section().text)

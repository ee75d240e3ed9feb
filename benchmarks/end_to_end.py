"""From outside to outside: from Amazon's answer to the verdicts on a page, and from a person's edit to its effect.

On the local stack, which has the real template on the embedded AWS; and reckoned for AWS.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from benchmarks.cost import MB_OF_A_PROCESSOR, OTHER_WAIT, WAITS, memory_of
from benchmarks.markdown import table
from benchmarks.memory import Workers
from benchmarks.report import Figure, Section
from benchmarks.rounds import Spread
from tools.amazon_stand_in.generator import Hole, generated
from tools.amazon_stand_in.ledger import Entry
from tools.from_template import logical_id_of
from tools.local_stack import local_aws
from tools.local_stack.api import Person, call
from tools.local_stack.deployment import PROJECT, Tools
from tools.local_stack.expectations import eventually, expect
from tools.local_stack.functions import Functions
from tools.local_stack.outside import Amazon, Subscriber
from tools.local_stack.registration import INTEGRATION, registration
from tools.local_stack.stack import LocalStack, Stack

PAGE = 100
PAGES, EDITS = 20, 30
FEWEST = 5
# Whatever has not been measured by then is left out.
SECONDS_FOR_PAGES, SECONDS_FOR_EDITS = 60, 30
LOOKS_EVERY = 0.02
# Of the orders in a page; a person can mend these by one field.
HOLES = {Hole.EMAIL_ABSENT: 0.15}
# Pages lie so far apart in the time of their updates, so that a download finds the newest alone.
APART = timedelta(minutes=10)
WAREHOUSE_GETS_IT = {"stage": "New", "fullyDispatched": True, "email": "typed@mail.example.com"}

# Assumptions about AWS, besides those of `benchmarks/cost.py`. Lambda reads a stream four times a second (Lambda
# Developer Guide, "Process DynamoDB records with Lambda"), and the template lets it work on four batches at a time.
STREAM_WAIT = 0.25
BATCHES_AT_A_TIME = 4
# Calls of DynamoDB: of an edit and a look as docs/scale.md counts them; of a page besides one for each order, roughly.
CALLS_OF_AN_EDIT, CALLS_OF_A_LOOK, CALLS_OF_A_PAGE = 3, 2, 10


class Measured(NamedTuple):
    """Seconds of each page until its verdicts, and of each edit until it is seen, and until its event.

    `processor` has the seconds of a processor that each function took for a page or an edit, by its folder's name.
    """

    verdicts: Sequence[float]
    seen: Sequence[float]
    told: Sequence[float]
    processor: Mapping[str, float]


class _Bench:
    """A stack with one integration that downloads nothing by itself, and the people who use it."""

    def __init__(self, stack: Stack, workers: Workers) -> None:
        self._stack = stack
        self._workers = workers
        self._names = Functions(stack).names
        self._amazon = Amazon(stack.amazon_endpoint)
        self._administrator, self._editor = Person(stack, "administrator"), Person(stack, "editor")
        self._dynamodb = local_aws.session().client("dynamodb", endpoint_url=stack.aws_endpoint)
        self._first = datetime.now(UTC) - (PAGES + 10) * APART
        self._processor: dict[str, float] = {}

    def measured(self) -> Measured:
        self._registered()
        pages = (self._page(number) for number in range(PAGES))
        verdicts = self._taken(("download_orders", "validate_orders"), _until(SECONDS_FOR_PAGES, pages))
        listed = self._editor.get("/orders?missing=email&limit=250")["orders"]
        first, *lacking = (row["orderId"] for row in listed if row["missing"] == ["email"])
        subscriber = Subscriber(self._stack)
        try:
            self._edit(first, subscriber)  # the first call of a function takes longer
            edits = (self._edit(order_id, subscriber) for order_id in lacking[:EDITS])
            edited = self._taken(("edit_orders", "query_orders", "publish_changes"), _until(SECONDS_FOR_EDITS, edits))
        finally:
            subscriber.close()
        return Measured(verdicts, [seen for seen, _ in edited], [told for _, told in edited], self._processor)

    def _taken[Taken](self, functions: Sequence[str], work: Iterable[Taken]) -> list[Taken]:
        """The figures of the work, with a note of the processor time that each of the functions took for one."""
        names = {function: self._names[logical_id_of(function)] for function in functions}
        before = {function: self._workers.processor_time(name) for function, name in names.items()}
        figures = list(work)
        for function, name in names.items():
            self._processor[function] = (self._workers.processor_time(name) - before[function]) / len(figures)
        return figures

    def _registered(self) -> None:
        settings = {"liveDownloadEveryMinutes": 24 * 60, "autoDispatchOrders": False}
        answer = call(self._stack, "administrator", "POST", "/integrations", registration(settings))
        expect(answer.status, 201, f"the registration ({answer.body})")
        self._amazon.set_usage_plan("searchOrders", rate=100, burst=100)
        path = f"/integrations/{INTEGRATION}"
        eventually("the first live download", lambda: self._editor.get(path)["health"]["lastRunAt"])
        eventually("the downloads so far", lambda: self._are_over() or None)
        self._page(-1)  # the functions have started

    def _are_over(self) -> bool:
        downloads = self._editor.get(f"/integrations/{INTEGRATION}/downloads")["downloads"]
        return all(one["status"] == "finished" for one in downloads)

    def _page(self, number: int) -> float:
        """Seconds from Amazon's answer with a page of new orders until all of them are judged."""
        at = self._first + number * APART
        entries = _orders(number, at)
        self._amazon.ask("DELETE", "/requests")
        for entry in entries:
            self._amazon.put(entry.order)
        updated = datetime.fromisoformat(entries[0].order["lastUpdatedTime"])
        begin = updated - timedelta(seconds=1)
        path = f"/integrations/{INTEGRATION}/downloads"
        self._administrator.post(path, {"updatedAfter": begin.isoformat()}, status=202)
        eventually("every verdict", lambda: self._are_judged(entries) or None, pause=LOOKS_EVERY)
        judged = datetime.now(UTC)
        eventually("the end of the download", lambda: self._are_over() or None)
        answers = (one for one in self._amazon.ask("GET", "/requests")["requests"] if _covers(one, updated))
        # A search that was made while the orders were put brought some of them, and the last one the rest.
        answered = max(at for one in answers if (at := datetime.fromisoformat(one["at"])) < judged)
        return (judged - answered).total_seconds()

    def _are_judged(self, entries: Sequence[Entry]) -> bool:
        """Read from the table, which keeps no function from its work."""
        table_ = self._stack.outputs["OrdersTable"]
        keys = [{"orderId": {"S": entry.order_id}} for entry in entries]
        asked = {"Keys": keys, "ProjectionExpression": "verdict", "ConsistentRead": True}
        found = self._dynamodb.batch_get_item(RequestItems={table_: asked})["Responses"][table_]
        return len(found) == len(entries) and all(item["verdict"]["S"] != "pending" for item in found)

    def _edit(self, order_id: str, subscriber: Subscriber) -> tuple[float, float]:
        """Seconds from the PATCH that mends and releases a held order until the order is seen so, and its event."""
        path = f"/orders/{order_id}"
        began = time.perf_counter()
        self._editor.patch(path, WAREHOUSE_GETS_IT)
        order = self._editor.get(path)
        seen = time.perf_counter() - began
        expect((order["missing"], order["stage"], order["fulfillable"]), ([], "New", True), f"the order {order_id}")
        eventually("its event", lambda: subscriber.find("OrderReleased", order_id), pause=LOOKS_EVERY)
        return seen, time.perf_counter() - began


def _covers(request: Mapping[str, Any], updated: datetime) -> bool:
    """Whether it is a search of a window that holds what was updated then."""
    sent = request["parameters"]
    if request["operation"] != "searchOrders" or "lastUpdatedAfter" not in sent:
        return False
    after, before = (datetime.fromisoformat(sent[name]) for name in ("lastUpdatedAfter", "lastUpdatedBefore"))
    return after <= updated < before


def _orders(number: int, at: datetime) -> list[Entry]:
    """A page of orders that were updated at the same time, with a seed of their own."""
    every = generated(3 * PAGE, now=at, seed=number, shares=HOLES, spread=timedelta(0))
    return list(islice((entry for entry in every if entry.fulfillment_status == "UNSHIPPED"), PAGE))


def _until[Taken](seconds: float, figures: Iterator[Taken]) -> Iterator[Taken]:
    """The figures, as many as come in that time, but a few in any case."""
    deadline = time.monotonic() + seconds
    for number, figure in enumerate(figures, 1):
        yield figure
        if time.monotonic() > deadline and number >= FEWEST:
            return


# On AWS ---------------------------------------------------------------------------------------------------------------


class Reckoned(NamedTuple):
    """Seconds on AWS, with functions that have started."""

    verdicts: float
    seen: float
    told: float


def reckoned(processor: Mapping[str, float]) -> Reckoned:
    """From the seconds of a processor that a page and an edit take here."""

    def lasts(function: str, calls: float, share: float = 1) -> float:
        """So much of the function's work, with so many calls of DynamoDB one after the other."""
        return processor[function] * share / min(memory_of(function) / MB_OF_A_PROCESSOR, 1) + calls * OTHER_WAIT

    download = lasts("download_orders", PAGE + CALLS_OF_A_PAGE)
    # Four batches at a time: that is what validation takes if it is slower than the download. If not, it works on the
    # orders while they come, and what is left in the end is what came since the stream was last read.
    validation = lasts("validate_orders", PAGE) / BATCHES_AT_A_TIME
    last_batch = validation * min(STREAM_WAIT / download, 1)
    edit, look = lasts("edit_orders", CALLS_OF_AN_EDIT), lasts("query_orders", CALLS_OF_A_LOOK)
    return Reckoned(
        verdicts=max(download, validation) + STREAM_WAIT + last_batch,
        seen=edit + look,
        told=edit + STREAM_WAIT + lasts("publish_changes", 1) + WAITS["PutEvents"],
    )


def section() -> Section:
    """Takes about two minutes, and one more to start the stack."""
    directory = PROJECT / ".build/benchmarks/end_to_end"
    local = LocalStack(directory, Tools(), print)
    local.down()  # what an interrupted run left behind
    try:
        measured = _Bench(local.up(), Workers(directory)).measured()
    finally:
        local.down()
    return told(measured)


def told(measured: Measured) -> Section:
    on_aws = reckoned(measured.processor)
    lines = {
        f"Amazon's answer with {PAGE} new orders, until the last of them is judged": (
            measured.verdicts,
            on_aws.verdicts,
        ),
        "the PATCH that mends and releases a held order, until GET shows it fulfillable": (measured.seen, on_aws.seen),
        "the same PATCH, until its event is on the bus": (measured.told, on_aws.told),
    }
    rows = [(name, f"{len(here)}", Spread.of(here).shown(2), f"{aws:.1f}") for name, (here, aws) in lines.items()]
    return Section(
        [
            Figure(
                f"seconds {name}",
                f"{Spread.of(here).median:.2f}, {max(here):.2f} at worst (on AWS, reckoned: {aws:.1f})",
            )
            for name, (here, aws) in ((f"from {name}", line) for name, line in lines.items())
        ],
        f"""## End to end

Seconds on the local stack: the real template on MiniStack, with the Amazon stand-in, and everything on this machine.
Functions have started. A page is downloaded because a person asks for it; the time begins when the stand-in gets the
search that lists the orders, and ends when the orders table has a verdict on each (looked at every
{1000 * LOOKS_EVERY:.0f} ms). An edit types the email in that a held order lacks, and releases it, in one PATCH, which
judges the order itself: the answer of the GET that follows shows it fulfillable. The event `OrderReleased` comes to a
queue behind a rule on the bus. Median (least to most).

{table(("from", "times", "here, s", "on AWS, reckoned, s"), rows)}

What is reckoned for AWS takes the processor time that each function took here, at the speed that its memory gives it on
Lambda (a whole processor at {MB_OF_A_PROCESSOR:,} MB), and {1000 * OTHER_WAIT:.0f} ms for each call of DynamoDB, one
after the other. Lambda reads the stream four times a second, so a change waits {STREAM_WAIT:g} s at most, and works on
{BATCHES_AT_A_TIME} batches of it at a time. It leaves out API Gateway, the network, cold starts (above), and the
time that EventBridge takes to deliver an event that it has accepted. How long an order waits at Amazon before a search
lists it is in [Downloads](#downloads).
""",
    )


if __name__ == "__main__":
    print(section().text)

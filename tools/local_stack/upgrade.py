"""A release takes over from an earlier one that is in the middle of its work, on the real template.

The earlier release is deployed from git; a download of it is half done and waits for quota, orders are held, typed
into, and with the warehouse. Then this release is deployed over it: every order gets its verdict, and nothing is lost.
"""

import shutil
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from tools.amazon_stand_in.generator import Hole, generated
from tools.local_stack.api import Person
from tools.local_stack.deployment import PROJECT
from tools.local_stack.expectations import eventually, expect
from tools.local_stack.load import FOLLOWS, NOT_DOWNLOADED
from tools.local_stack.outside import Amazon
from tools.local_stack.registration import INTEGRATION, register
from tools.local_stack.stack import LocalStack, Stack

# Before there is a release with a tag: the first state of the project that can be deployed like this.
FIRST = "fc52104"
ORDERS = 300
SHARES = dict.fromkeys(Hole, 0.05)
NOW, TRANSFERRED = "Transfer to 3PL Now", "Transferred to 3PL for Picking"
DOWNLOADS = f"/integrations/{INTEGRATION}/downloads"
EMAIL = "typed@mail.example.com"
A_WHILE = 240.0


def last_release() -> str:
    """The last tag before this state of the project."""
    return _git("describe", "--tags", "--abbrev=0", may_fail=True).decode().strip() or FIRST


def run(local: LocalStack, release: str, say: Callable[[str], None]) -> None:
    """Raises Unexpected if anything is lost, or judged wrongly."""
    source = local.directory.with_name(f"{local.directory.name}-from")
    _unpack(release, source)
    say(f"First the release {release}")
    work = Work(local.up(source))
    shutil.rmtree(source)
    work.begin()
    say("Its download waits for quota half-way; one order is edited, and another is with the warehouse")
    work.taken_over_by(local.up())
    say("This release has taken over; Amazon gives quota again")
    held = work.goes_on()
    say(f"Every order has its verdict; {held} of them are held, as they must be, and people's unfinished work is done")


class Work:
    """The unfinished work of Amazon, the system and people."""

    def __init__(self, stack: Stack) -> None:
        entries = list(generated(ORDERS, now=datetime.now(UTC), shares=SHARES))
        self._truth = {one.order_id: set(one.missing) for one in entries if one.fulfillment_status != NOT_DOWNLOADED}
        self._people(stack)
        self._amazon = Amazon(stack.amazon_endpoint)
        for entry in entries:
            self._amazon.put(entry.order)
        self._stack = stack

    def _people(self, stack: Stack) -> None:
        self._editor, self._warehouse = Person(stack, "editor"), Person(stack, "warehouse")

    def begin(self) -> None:
        self._amazon.set_usage_plan("searchOrders", rate=0.02, burst=4)
        register(self._stack)
        self._downloaded = eventually("a download that is half done", self._half_done, A_WHILE)
        rows = eventually("verdicts", self._all_judged, A_WHILE)
        self._typed = next(one for one, row in rows.items() if row["missing"] == ["email"])
        self._edited = self._editor.patch(f"/orders/{self._typed}", {"email": EMAIL})
        self._sent = next(one for one, row in rows.items() if _may_be_sent(row))
        self._editor.patch(f"/orders/{self._sent}", {"threePlStatus": NOW})
        self._warehouse.post(f"/orders/{self._sent}/acknowledge", {})
        self._before = rows

    def taken_over_by(self, stack: Stack) -> None:
        """All is there as it was: the orders, the edit, the hand-over, and how far the download had come."""
        self._people(stack)
        rows = self._rows()
        expect(rows.keys() >= self._before.keys(), True, "the orders that were there are there")
        typed = self._editor.get(f"/orders/{self._typed}")
        expect((typed["email"], typed["readyToRelease"]), (EMAIL, True), "what was typed in")
        expect(typed["revision"], self._edited["revision"], "its revision")
        expect(self._editor.get(f"/orders/{self._sent}")["threePlStatus"], TRANSFERRED, "what the warehouse has")
        (download,) = self._editor.get(DOWNLOADS)["downloads"]
        expect(download["counts"]["orders"] >= self._downloaded, True, "how far the download had come")

    def goes_on(self) -> int:
        """The unfinished work is done; returns how many orders are held."""
        self._editor.post(f"/orders/{self._typed}/release", {})
        self._warehouse.post(f"/orders/{self._sent}/picked", {})
        self._amazon.set_usage_plan("searchOrders", rate=1000, burst=1000)
        eventually("the end of the download", self._finished, A_WHILE)
        rows = eventually("every verdict", self._all_judged, A_WHILE)
        held = {one: set(row["missing"]) - {FOLLOWS} for one, row in rows.items() if row["stage"] == "Needs Attention"}
        truth = {one: missing for one, missing in self._truth.items() if missing and one != self._typed}
        expect(held, truth, "the held orders, and what each lacks")
        expect(rows.keys(), self._truth.keys(), "the orders")
        return len(held)

    def _half_done(self) -> int | None:
        downloads = self._editor.get(DOWNLOADS)["downloads"]
        waiting = [one["counts"]["orders"] for one in downloads if one["status"] == "waitingForQuota"]
        return next((orders for orders in waiting if orders), None)

    def _finished(self) -> bool | None:
        (download,) = self._editor.get(DOWNLOADS)["downloads"]
        return download["status"] == "finished" or None

    def _all_judged(self) -> Mapping[str, Any] | None:
        rows = self._rows()
        return None if any(row["verdict"] == "pending" for row in rows.values()) else rows

    def _rows(self) -> dict[str, Any]:
        """The generated orders that are there; the stand-in has some of its own."""
        rows, cursor = dict[str, Any](), ""
        while True:
            page = self._editor.get(f"/orders?limit=250{cursor}")
            rows |= {row["orderId"]: row for row in page["orders"] if row["orderId"] in self._truth}
            if page["nextCursor"] is None:
                return rows
            cursor = f"&cursor={page['nextCursor']}"


def _may_be_sent(row: Mapping[str, Any]) -> bool:
    return not row["missing"] and row["status"] == "Open" and row["fulfilledBy"] == "MERCHANT"


def _unpack(release: str, directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    with tarfile.open(fileobj=BytesIO(_git("archive", release))) as archive:
        archive.extractall(directory, filter="data")


def _git(*arguments: str, may_fail: bool = False) -> bytes:
    finished = subprocess.run(  # noqa: S603 - git, with arguments of ours
        ["git", *arguments],  # noqa: S607
        cwd=PROJECT,
        capture_output=True,
        check=False,
    )
    if finished.returncode and not may_fail:
        raise RuntimeError(f"git {arguments[0]}: {finished.stderr.decode()}")
    return finished.stdout

"""A release takes over from an earlier one that is in the middle of its work, and back, on the real template.

The earlier release is deployed from git; a download of it is half done and waits for quota, orders are held, typed
into, snoozed, released, and with the warehouse. Its seller was registered three times; one integration is removed and
still has orders. Then this release is deployed over it: every order gets its verdict, the seller gets one integration,
nothing is lost, nothing alarms. Then the earlier release takes over again, as after a rollback: nothing leaves that a
person stopped. At last this release is back, with every decision.
"""

import shutil
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from tools.amazon_stand_in.generator import Hole, generated
from tools.amazon_stand_in.ledger import amazon_time
from tools.amazon_stand_in.notifications_api import SELLER_ID
from tools.local_stack.api import Person, call
from tools.local_stack.deployment import PROJECT
from tools.local_stack.expectations import Unexpected, eventually, expect
from tools.local_stack.load import FOLLOWS, NOT_DOWNLOADED
from tools.local_stack.outside import Amazon
from tools.local_stack.registration import INTEGRATION, registration
from tools.local_stack.stack import LocalStack, Stack

# Before there is a release with a tag: the first state of the project that can be deployed like this.
FIRST = "fc52104"
ORDERS = 300
# Integrations of the same seller: one was removed, and the seller registered again under the usual ID, then once more.
REMOVED, SECOND = "removed", "second"
SHARES = dict.fromkeys(Hole, 0.05) | {Hole.EMAIL_ABSENT: 0.2}
NOW, STOPPED = "Transfer to 3PL Now", "Do Not Transfer to 3PL"
NEEDS_ATTENTION = "Needs Attention"
DOWNLOADS = f"/integrations/{INTEGRATION}/downloads"
EMAIL, AMAZONS_EMAIL = "typed@mail.example.com", "buyer@marketplace.example.com"
A_WHILE = 240.0
# Longer than the whole rehearsal.
SNOOZE = timedelta(hours=2)


def last_release() -> str:
    """The last tag before this state of the project."""
    return _git("describe", "--tags", "--abbrev=0", may_fail=True).decode().strip() or FIRST


def run(local: LocalStack, release: str, say: Callable[[str], None]) -> None:
    """Raises Unexpected if anything is lost, leaves early, alarms without a cause, or is judged wrongly."""
    source = local.directory.with_name(f"{local.directory.name}-from")
    _unpack(release, source)
    try:
        say(f"First the release {release}")
        work = Work(local.up(source))
        work.begin()
        say("Its download waits for quota half-way; people have typed, released, snoozed and handed over orders")
        work.taken_over_by(local.up())
        say("This release has taken over, and shows each order as it was; Amazon gives quota again")
        held = work.goes_on()
        say(f"Every order has its verdict; {held} of them are held, as they must be, and people's work is done")
        moved = work.merges_integrations()
        say(f"The seller has one integration, and {moved} orders of the others with it")
        work.stops_orders()
        say("A person stops two orders in this release, one of them held, and takes one back from the warehouse")
        work.rolled_back_to(local.up(source))
        say("The earlier release has taken over again; Amazon fills the gap of the stopped order, and it stays here")
        work.rolled_forward_to(local.up())
        say("This release is back: every decision is there, and nothing alarms")
    finally:
        shutil.rmtree(source, ignore_errors=True)


# A role, a method, the rest of the order's path, and a body.
type Call = tuple[str, str, str, Mapping[str, Any]]


class Act(NamedTuple):
    """What people do with one order of the earlier release, and with an order of which kind.

    Nobody may snooze an order past its ship-by: where an act `needs_time`, Amazon moves that first.
    """

    wants: Callable[[Mapping[str, Any]], bool]
    calls: tuple[Call, ...]
    needs_time: bool = False


def _acts() -> dict[str, Act]:
    """By name; each is done to an order of its own."""
    later = (datetime.now(UTC) + SNOOZE).isoformat()
    hands_over: tuple[Call, ...] = (
        ("editor", "PATCH", "", {"threePlStatus": NOW}),
        ("warehouse", "POST", "/acknowledge", {}),
    )
    return {
        "snoozed": Act(_may_be_sent, (("editor", "PATCH", "", {"snoozeUntil": later}),), needs_time=True),
        "snoozedOverAGap": Act(_lacks_its_email, (("editor", "PATCH", "", {"snoozeUntil": later}),), needs_time=True),
        "heldByHand": Act(_may_be_sent, (("editor", "PATCH", "", {"stage": NEEDS_ATTENTION}),)),
        "ready": Act(_may_be_sent, (("editor", "PATCH", "", {"threePlStatus": NOW}),)),
        "dispatched": Act(_may_be_sent, (("editor", "PATCH", "", {"fullyDispatched": True}),)),
        "handedOver": Act(_may_be_sent, hands_over),
        "picked": Act(_may_be_sent, (*hands_over, ("warehouse", "POST", "/picked", {}))),
        "released": Act(
            _lacks_its_email, (("editor", "PATCH", "", {"email": EMAIL}), ("editor", "POST", "/release", {}))
        ),
        "typed": Act(_lacks_its_email, (("editor", "PATCH", "", {"email": EMAIL}),)),
        "toBeStopped": Act(_may_be_sent, (("editor", "PATCH", "", {"threePlStatus": NOW}),)),
        "toBeStoppedWhileHeld": Act(_lacks_its_email, ()),
        "toBeTakenBack": Act(
            _may_be_sent, (*hands_over, ("warehouse", "POST", "/transfer-failed", {"reason": "no stock"}))
        ),
    }


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
        self._administrator = Person(stack, "administrator")

    def begin(self) -> None:
        self._register(REMOVED, marketplaceIds=["A2EUQ1WTGCTBG2"])
        self._of_removed = eventually("the first orders", self._first_orders, A_WHILE)
        self._administrator.delete(f"/integrations/{REMOVED}", status=204)
        self._amazon.set_usage_plan("searchOrders", rate=0.02, burst=4)
        self._register(INTEGRATION)
        self._register(SECOND, settings={})
        self._downloaded = eventually("a download that is half done", self._half_done, A_WHILE)
        rows = eventually("verdicts", self._all_judged, A_WHILE)
        free = {one: row for one, row in rows.items() if row["integration"] == INTEGRATION}
        self._order: dict[str, str] = {}
        for name, act in _acts().items():
            order_id = next((one for one, row in free.items() if act.wants(row)), None)
            if order_id is None:
                raise Unexpected(f"No order of the first pages is fit for {name}")
            del free[order_id]
            self._order[name] = order_id
            if act.needs_time:
                self._move_ship_by(order_id, datetime.now(UTC) + 5 * SNOOZE)
            for role, method, path, body in act.calls:
                self._act(role, method, f"/orders/{order_id}{path}", body)
        self._before = self._rows()

    def _register(self, integration_id: str, **changes: object) -> None:
        """As 0.1.0 takes it, which knows no sellers and registers one as often as it is asked to."""
        body = registration() | {"integrationId": integration_id} | changes
        del body["sellerId"]
        answer = call(self._stack, "administrator", "POST", "/integrations", body)
        expect(answer.status, 201, f"the answer to the registration of {integration_id} ({answer.body})")

    def _first_orders(self) -> frozenset[str] | None:
        rows = self._all_judged()
        return frozenset(rows) if rows else None

    def merges_integrations(self) -> int:
        """Names the seller, and merges the removed integration; answers with the number of its orders."""
        path = f"/integrations/{INTEGRATION}"
        self._administrator.patch(path, {"sellerId": SELLER_ID})
        refused = self._administrator.patch(f"/integrations/{SECOND}", {"sellerId": SELLER_ID}, status=409)
        expect(refused["registeredAs"], INTEGRATION, "the integration that has the seller")
        self._administrator.delete(f"/integrations/{SECOND}", status=204)
        self._administrator.post(f"{path}/freeze", {})
        self._administrator.post(f"{path}/merge", {"source": REMOVED}, status=202)
        eventually("the end of the merge", self._merged, 2 * A_WHILE)
        self._administrator.delete(f"{path}/freeze", status=200)
        rows = self._rows()
        moved = {one for one in self._of_removed if rows[one]["integration"] == INTEGRATION}
        expect(moved, self._of_removed, "the orders that were merged")
        return len(moved)

    def _merged(self) -> bool | None:
        merge = self._editor.get(f"/integrations/{INTEGRATION}/merge")
        return merge["finishedAt"] is not None or None

    def _move_ship_by(self, order_id: str, to: datetime) -> None:
        self._amazon.change(order_id, {"fulfillment": {"shipByWindow": {"latestDateTime": amazon_time(to)}}})
        self._editor.post(f"/orders/{order_id}/redownload", {}, status=202)
        eventually("the later ship-by", partial(self._is_to_be_shipped_by, order_id, to), A_WHILE)

    def _is_to_be_shipped_by(self, order_id: str, time: datetime) -> bool | None:
        order = self._editor.get(f"/orders/{order_id}")
        is_there = order["verdict"] != "pending" and order["shipBy"] is not None
        return (is_there and abs(datetime.fromisoformat(order["shipBy"]) - time) < timedelta(seconds=1)) or None

    def taken_over_by(self, stack: Stack) -> None:
        """All is there as it was: the orders, people's work, and how far the download had come."""
        self._people(stack)
        rows = self._rows()
        expect({one: _shown(rows[one]) for one in self._before}, _all_shown(self._before), "the orders as they were")
        typed = self._editor.get(f"/orders/{self._order['typed']}")
        expect((typed["email"], typed["readyToRelease"]), (EMAIL, True), "what was typed in")
        download = self._download()
        expect(download["counts"]["orders"] >= self._downloaded, True, "how far the download had come")

    def goes_on(self) -> int:
        """The unfinished work is done; returns how many orders are held because of what they lack."""
        self._administrator.post(f"/integrations/{INTEGRATION}/rejudgement", {}, status=202)
        self._editor.post(f"/orders/{self._order['typed']}/release", {})
        self._warehouse.post(f"/orders/{self._order['handedOver']}/picked", {})
        self._amazon.set_usage_plan("searchOrders", rate=1000, burst=1000)
        eventually("the end of the download", self._finished, A_WHILE)
        eventually("the end of the rejudgement", self._rejudged, A_WHILE)
        rows = eventually("every verdict", self._all_judged, A_WHILE)
        by_people = {self._order["typed"], self._order["released"]}
        held = {one: set(row["missing"]) - {FOLLOWS} for one, row in rows.items() if row["missing"]}
        truth = {one: missing for one, missing in self._truth.items() if missing and one not in by_people}
        expect(held, truth, "the incomplete orders, and what each lacks")
        expect(rows.keys(), self._truth.keys(), "the orders")
        self._expect_no_alarm(rows)
        worked = {self._order["typed"], self._order["handedOver"]}
        as_before = {name: one for name, one in self._order.items() if one not in worked}
        expect(
            {name: _shown(rows[one]) for name, one in as_before.items()},
            {name: _shown(self._before[one]) for name, one in as_before.items()},
            "what people had decided",
        )
        return len(held)

    def stops_orders(self) -> None:
        stop = {"threePlStatus": STOPPED}
        for name in ("toBeStopped", "toBeStoppedWhileHeld", "toBeTakenBack"):
            self._editor.patch(f"/orders/{self._order[name]}", stop)
        self._before = self._rows()

    def rolled_back_to(self, stack: Stack) -> None:
        """The earlier release lets nothing leave that waits, or that a person stopped."""
        self._people(stack)
        before = {one for one, row in self._before.items() if row["fulfillable"]}
        for name in ("toBeStoppedWhileHeld", "snoozedOverAGap"):
            self._amazon.change(self._order[name], {"buyer": {"buyerEmail": AMAZONS_EMAIL}})
            self._editor.post(f"/orders/{self._order[name]}/redownload", {}, status=202)
            eventually(f"Amazon's data of {name}", partial(self._is_complete, self._order[name]), A_WHILE)
        rows = eventually("every verdict", self._all_judged, A_WHILE)
        leaving = {one for one, row in rows.items() if row["fulfillable"]}
        expect(leaving, before, "the orders that may leave")
        expect(_all_shown(rows).keys(), _all_shown(self._before).keys(), "the orders")

    def rolled_forward_to(self, stack: Stack) -> None:
        self._people(stack)
        self._administrator.post(f"/integrations/{INTEGRATION}/rejudgement", {}, status=202)
        eventually("the end of the rejudgement", self._rejudged, A_WHILE)
        rows = eventually("every verdict", self._all_judged, A_WHILE)
        self._expect_no_alarm(rows)
        filled = {self._order["toBeStoppedWhileHeld"], self._order["snoozedOverAGap"]}
        expect(
            {one: _shown(row) for one, row in rows.items() if one not in filled},
            {one: shown for one, shown in _all_shown(self._before).items() if one not in filled},
            "the orders as they were",
        )
        for name in ("toBeStopped", "toBeStoppedWhileHeld", "toBeTakenBack"):
            row = rows[self._order[name]]
            expect((row["threePlStatus"], row["fulfillable"], row["stopped"]["by"]), (STOPPED, False, "editor"), name)
        expect(rows[self._order["snoozedOverAGap"]]["fulfillable"], False, "the snoozed order")

    def _act(self, role: str, method: str, path: str, body: Mapping[str, Any]) -> None:
        person = self._warehouse if role == "warehouse" else self._editor
        (person.patch if method == "PATCH" else person.post)(path, body)

    def _expect_no_alarm(self, rows: Mapping[str, Any]) -> None:
        expect({one: row["alerts"] for one, row in rows.items() if row["alerts"]}, {}, "the alerts")

    def _is_complete(self, order_id: str) -> bool | None:
        order = self._editor.get(f"/orders/{order_id}")
        return not order["missing"] or None

    def _rejudged(self) -> bool | None:
        job = self._editor.get(f"/integrations/{INTEGRATION}/rejudgement")
        return job["finishedAt"] is not None or None

    def _half_done(self) -> int | None:
        downloads = self._editor.get(DOWNLOADS)["downloads"]
        waiting = [one["counts"]["orders"] for one in downloads if one["status"] == "waitingForQuota"]
        return next((orders for orders in waiting if orders), None)

    def _finished(self) -> bool | None:
        return self._download()["status"] == "finished" or None

    def _download(self) -> Any:
        """The download of the past that the registration began."""
        *_, first = self._editor.get(DOWNLOADS)["downloads"]
        return first

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


def _lacks_its_email(row: Mapping[str, Any]) -> bool:
    return bool(row["missing"] == ["email"])


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """What both releases show of an order."""
    return {name: row[name] for name in ("stage", "status", "threePlStatus", "missing", "fulfillable", "alerts")}


def _all_shown(rows: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {one: _shown(row) for one, row in rows.items()}


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

"""The story that the system exists for, driven only from outside: by the clock, by Amazon, and through the API.

`make demo` tells it and shows how it ended; the e2e tests run the same steps. Each step is a sentence, and relies on
those before it. A step that does not hold raises Unexpected.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, cast

from tools.amazon_stand_in.story import STORY, Part, StoryOrder
from tools.local_stack.api import Person
from tools.local_stack.expectations import Unexpected, eventually, expect
from tools.local_stack.outside import Amazon, Subscriber, just_listed
from tools.local_stack.registration import CREDENTIALS, INTEGRATION, registration
from tools.local_stack.stack import Stack

NEEDS_ATTENTION = "Needs Attention"
DO_NOT_TRANSFER = "Do Not Transfer to 3PL"
UPON_COMPLETION = "Transfer to 3PL Upon Completion"
NOW = "Transfer to 3PL Now"
TRANSFERRED = "Transferred to 3PL for Picking"
OWN_STAGE = "Ready to Pick"
# A copy of the delivery address is the billing address, so both lack the same.
ALSO_MISSING = {"deliveryAddress": ("deliveryAddress", "billingAddress")}
LATE_ORDER = "111-0000020-1000020"
TYPED_EMAIL = "priya.r@mail.example.com"
TYPED_STREET = "9 Larkspur Court"
OVERRIDE_REASON = "The carrier takes one name"


def ids_of(part: Part) -> list[str]:
    return [row.order_id for row in STORY if row.part is part]


def id_of(part: Part) -> str:
    (order_id,) = ids_of(part)
    return order_id


def missing_of(row: StoryOrder) -> list[str]:
    """The gaps that the gate has to find: the data that Amazon lacks, and everything that follows from that."""
    if row.part is Part.CANCELLATION_REQUESTED:
        return ["buyerRequestedCancel"]
    if row.status != "UNSHIPPED" or row.fulfilled_by == "AMAZON":
        return []
    codes = [code for field in row.missing for code in ALSO_MISSING.get(field, (field,))]
    return sorted(codes, key=lambda code: code == "lineItems")


HELD: Final = {row.order_id: missing_of(row) for row in STORY if missing_of(row)}
WAITING: Final = tuple(ids_of(Part.COMPLETE))
FREE: Final = WAITING[0]


class Story:
    """The people, Amazon, and what has happened to each order so far."""

    def __init__(self, stack: Stack) -> None:
        self.administrator = Person(stack, "administrator")
        self.editor = Person(stack, "editor")
        self.reader = Person(stack, "reader")
        self.warehouse = Person(stack, "warehouse")
        self.nobody = Person(stack, None)
        self.amazon = Amazon(stack.amazon_endpoint)
        self.subscriber = Subscriber(stack)
        self.happened: dict[str, str] = {}

    # The steps

    def an_administrator_registers_an_integration(self) -> None:
        """With its Stage, its 3PL Status, no Auto Dispatch, and the date to start from; nobody else may."""
        self.nobody.get("/orders", status=401)
        self.editor.post("/integrations", registration(), status=403)
        self.administrator.post("/stages", {"name": OWN_STAGE}, status=201)
        self.administrator.post("/stages", {"name": "needs attention"})
        names = [stage["name"] for stage in self.reader.get("/stages")["stages"]]
        expect(names, [NEEDS_ATTENTION, "New", OWN_STAGE], "the list of Stages")
        defaults = {"defaultStage": "New", "defaultThreePlStatus": UPON_COMPLETION, "autoDispatchOrders": False}
        # After the first, no live download takes an order that a backdated one brings in the story.
        settings = {**defaults, "liveDownloadEveryMinutes": 24 * 60}
        self.administrator.post("/integrations", registration(settings), status=201)
        self.administrator.post("/integrations", registration(settings), status=409)
        shown = self.integration()
        expect({name: shown["settings"][name] for name in defaults}, defaults, "the integration's defaults")
        expect(CREDENTIALS.client_secret in str(shown), False, "a secret is shown")

    def the_orders_of_the_last_30_days_are_downloaded_and_judged(self) -> None:
        """Complete ones get the defaults; what Amazon ships, has shipped or cancelled is recorded as that."""
        downloaded = {row.order_id for row in STORY if row.part is not Part.PENDING}
        rows = eventually("every order is judged", lambda: self.rows_if_all_judged(downloaded))
        eventually("the first live download", lambda: self.integration()["health"]["lastRunAt"])
        for part, outcome in {
            Part.COMPLETE: ("New", "Open", UPON_COMPLETION),
            Part.FULFILLED_BY_AMAZON: ("New", "Open", DO_NOT_TRANSFER),
            Part.SHIPPED: ("New", "Dispatched", DO_NOT_TRANSFER),
            Part.CANCELLED: ("New", "Void", DO_NOT_TRANSFER),
        }.items():
            for order_id in ids_of(part):
                expect(outcome_of(rows[order_id]), outcome, f"Stage, Status and 3PL Status of {order_id} ({part})")
        for row in STORY:
            self.happened[row.order_id] = AT_FIRST[row.part]

    def a_reader_finds_exactly_the_held_orders_soonest_deadline_first(self) -> None:
        """In the list with all that each lacks; on the order itself also in plain words, and with the next step."""
        found = self.held()
        expect({row["orderId"]: row["missing"] for row in found}, HELD, "the orders in Needs Attention")
        deadlines = [self.ship_by(row["orderId"]) for row in found]
        expect(deadlines, sorted(deadlines), "the deadlines to ship, in the order of the list")
        for row in found:
            expect(outcome_of(row), (NEEDS_ATTENTION, "Open", DO_NOT_TRANSFER), f"what holds {row['orderId']}")
            for item in self.order(row["orderId"])["missingDetails"]:
                blank = [name for name in ("reason", "message", "nextStep", "firstMissingAt") if not item[name]]
                expect(blank, [], f"what is not said about the {item['field']} of {row['orderId']}")
        lacking = [row["orderId"] for row in self.rows("missing=email&limit=250")]
        expect(set(lacking), {order_id for order_id in HELD if "email" in HELD[order_id]}, "the orders without email")

    def every_attempt_to_let_an_incomplete_order_go_is_refused(self) -> None:
        """With what is missing; an editor cannot override, and the warehouse neither sees nor takes the order."""
        order_id = id_of(Part.REFUSED)
        before = self.order(order_id)
        for attempt in (
            {"stage": "New"},
            {"stage": OWN_STAGE, "fullyDispatched": True},
            {"stage": "New", "threePlStatus": NOW},
            {"stage": "New", "threePlStatus": UPON_COMPLETION},
            {"fullyDispatched": True},
            {"threePlStatus": NOW},
        ):
            refusal = self.editor.patch(f"/orders/{order_id}", attempt, status=409)
            expect(fields_in(refusal), ["lineItems"], f"why {attempt} is refused")
        refusal = self.editor.post(f"/orders/{order_id}/release", {}, status=409)
        expect(fields_in(refusal), ["lineItems"], "why a release is refused")
        (result,) = self.editor.post("/bulk/orders", {"orders": [{"orderId": order_id, "release": True}]})["orders"]
        expect(result["status"], 409, "a release among others")
        override = {"override": {"reason": "I am in a hurry"}}
        self.editor.post(f"/orders/{order_id}/release", override, status=403)
        self.editor.patch(f"/orders/{order_id}", {"stage": "New", **override}, status=403)
        self.warehouse.get(f"/orders/{order_id}", status=404)
        self.warehouse.post(f"/orders/{order_id}/acknowledge", {}, status=409)
        expect(self.order(order_id)["revision"], before["revision"], "the revision of the order after all of that")
        self.happened[order_id] = "every attempt was refused"

    def what_amazon_completes_heals_by_a_backdated_download(self) -> None:
        """All of it: the defaults; only some: held with the shorter list. The live cursor stays where it is."""
        healed, partly, cancelled = ids_of(Part.HEALED), id_of(Part.PARTLY_COMPLETED), id_of(Part.CANCELLED_LATER)
        for order_id in healed:
            self.amazon.complete(order_id)
        self.amazon.complete(partly, "firstName", "lastName", "deliveryAddress")
        self.amazon.change(cancelled, {"fulfillment": {"fulfillmentStatus": "CANCELLED"}})
        before = self.integration()["health"]
        self.download_backdated()
        after = self.integration()["health"]
        expect(after["cursor"], before["cursor"], "the live cursor after a backdated download")
        rows = self.all_rows()
        for order_id in healed:
            expect(outcome_of(rows[order_id]), ("New", "Open", UPON_COMPLETION), f"what {order_id} is healed to")
            expect(rows[order_id]["missing"], [], f"what {order_id} lacks")
            self.happened[order_id] = "Amazon completed it: healed"
        expect(outcome_of(rows[partly]), (NEEDS_ATTENTION, "Open", DO_NOT_TRANSFER), f"what still holds {partly}")
        expect(rows[partly]["missing"], ["email"], f"what {partly} still lacks")
        self.happened[partly] = "Amazon completed all but the email"
        expect(outcome_of(rows[cancelled])[1:], ("Void", DO_NOT_TRANSFER), f"the cancelled {cancelled}")
        self.happened[cancelled] = "cancelled at Amazon while held"

    def an_editor_types_the_missing_data_in_and_lets_the_order_go(self) -> None:
        """Typing alone releases nothing: the order is ready to release until the editor changes its Stage."""
        order_id = id_of(Part.EDITED)
        path = f"/orders/{order_id}"
        patch = {"email": TYPED_EMAIL, "deliveryAddress": {"addressLine1": TYPED_STREET}}
        edited = self.editor.patch(path, patch)
        expect(outcome_of(edited), (NEEDS_ATTENTION, "Open", DO_NOT_TRANSFER), "the edited order")
        expect((edited["missing"], edited["readyToRelease"]), ([], True), "what it lacks, and whether it is ready")
        expect(edited["deliveryAddress"]["city"], "Madison", "the part of the address that Amazon had")
        ready = [row["orderId"] for row in self.rows("readyToRelease=true&stage=Needs%20Attention")]
        expect(ready, [order_id], "the orders that are ready to release")
        self.editor.patch(path, {"threePlStatus": NOW}, status=409)  # not before it is out of Needs Attention
        self.editor.patch(path, {"stage": OWN_STAGE})
        self.editor.patch(path, {"fullyDispatched": True})
        released = self.editor.patch(path, {"threePlStatus": NOW})
        expect(outcome_of(released), (OWN_STAGE, "Dispatched", NOW), "the released order")
        expect(released["fulfillable"], True, "whether it is fulfillable")

    def a_later_download_neither_wipes_the_edits_nor_flags_the_order_again(self) -> None:
        order_id = id_of(Part.EDITED)
        before = self.order(order_id)
        self.amazon.change(order_id, {"fulfillment": {"fulfillmentServiceLevel": "EXPEDITED"}})
        self.download_backdated()
        after = self.order(order_id)
        expect(after["downloadedAt"] > before["downloadedAt"], True, "it was downloaded again")
        expect(after["email"], TYPED_EMAIL, "the typed email")
        expect(after["deliveryAddress"]["addressLine1"], TYPED_STREET, "the typed street")
        expect((outcome_of(after), after["missing"]), (outcome_of(before), []), "the released order")

    def freeze_trial_mode_and_go_live_date_let_nothing_out(self) -> None:
        """Neither does the list show anything to fulfil, nor may the warehouse take anything."""
        self.editor.patch(f"/orders/{FREE}", {"fullyDispatched": True})
        may_leave = {FREE, id_of(Part.EDITED)}
        expect(self.fulfillable(self.reader), may_leave, "what is fulfillable before")
        expect(self.fulfillable(self.warehouse), may_leave, "what the warehouse sees before")
        for shut, reopened in (
            (lambda: self.administrator.post("/freeze", {}), lambda: self.administrator.delete("/freeze")),
            (
                lambda: self.administrator.post(f"/integrations/{INTEGRATION}/freeze", {}),
                lambda: self.administrator.delete(f"/integrations/{INTEGRATION}/freeze"),
            ),
            (lambda: self.set_to(trialMode=True), lambda: self.set_to(trialMode=False)),
            (lambda: self.set_to(goLiveDate=datetime.now(UTC).isoformat()), lambda: self.set_to(goLiveDate=None)),
        ):
            shut()
            expect(self.fulfillable(self.reader), set(), "what is fulfillable while nothing may leave")
            expect(self.fulfillable(self.warehouse), set(), "what the warehouse sees while nothing may leave")
            for order_id in may_leave:
                self.warehouse.post(f"/orders/{order_id}/acknowledge", {}, status=409)
            reopened()
            expect(self.fulfillable(self.reader), may_leave, "what is fulfillable afterwards")

    def the_warehouse_takes_what_is_fulfillable(self) -> None:
        """Once: who asks again is told that it has the order."""
        for order_id in sorted(self.fulfillable(self.warehouse)):
            taken = self.warehouse.post(f"/orders/{order_id}/acknowledge", {})
            expect(taken["threePlStatus"], TRANSFERRED, f"the 3PL Status of {order_id}")
            self.warehouse.post(f"/orders/{order_id}/acknowledge", {}, status=409)
        expect(self.fulfillable(self.warehouse), set(), "what is left for the warehouse")
        self.happened[FREE] = "complete; a person dispatched it"
        self.happened[id_of(Part.EDITED)] = "an editor typed it in and let it go"

    def an_administrator_overrides_with_a_reason_that_is_remembered(self) -> None:
        order_id = id_of(Part.OVERRIDDEN)
        self.administrator.post(f"/orders/{order_id}/release", {}, status=409)
        self.administrator.post(f"/orders/{order_id}/release", {"override": {"reason": OVERRIDE_REASON}})
        order = self.order(order_id)
        expect(outcome_of(order), ("New", "Open", UPON_COMPLETION), "the overridden order")
        expect(
            (order["override"]["reason"], order["override"]["fields"]),
            (OVERRIDE_REASON, ["firstName"]),
            "what is remembered of the override",
        )
        self.happened[order_id] = "an administrator overrode the gate"

    def the_clock_brings_what_amazon_listed_meanwhile(self) -> None:
        """Nobody asks for this order: a tick of the schedule does, within a minute once each has a live download."""
        self.set_to(liveDownloadEveryMinutes=1)
        order = self.amazon.order(id_of(Part.OVERRIDDEN))
        self.amazon.put(order | {"orderId": LATE_ORDER, "createdTime": just_listed(), "lastUpdatedTime": just_listed()})
        eventually("the next tick's download", lambda: self.all_rows().get(LATE_ORDER))
        row = eventually("its verdict", lambda: self.judged_row(LATE_ORDER))
        expect(outcome_of(row), (NEEDS_ATTENTION, "Open", DO_NOT_TRANSFER), "the order of the last minute")
        expect(row["missing"], ["firstName"], "what it lacks")
        revision = row["revision"]
        first = eventually("its history", lambda: self.history_up_to(LATE_ORDER, revision))[-1]
        expect((first["by"], first["cause"]), ("amazon", "download"), "how it came")
        self.happened[LATE_ORDER] = "came with the schedule: held"

    def history_and_events_say_what_happened_without_personal_data(self) -> None:
        """Who did what, when; and what the event bus carried."""
        expected_causes = {
            ids_of(Part.HEALED)[0]: ["backdatedDownload", "verdict", "backdatedDownload", "verdict"],
            id_of(Part.EDITED): [
                *("backdatedDownload", "verdict", "edit", "release", "dispatch", "threePlStatus"),
                *("backdatedDownload", "verdict", "acknowledge"),
            ],
            id_of(Part.OVERRIDDEN): ["backdatedDownload", "verdict", "override"],
        }
        for order_id, causes in expected_causes.items():
            revision = self.order(order_id)["revision"]
            changes = eventually(f"the history of {order_id}", partial(self.history_up_to, order_id, revision))
            expect([change["cause"] for change in reversed(changes)], causes, f"the history of {order_id}")
        for event, order_id in (
            ("OrderHeld", LATE_ORDER),
            ("OrderHealed", ids_of(Part.HEALED)[0]),
            ("OrderReleased", id_of(Part.EDITED)),
            ("OrderReadyFor3pl", id_of(Part.EDITED)),
            ("OrderTransferred", id_of(Part.EDITED)),
            ("OrderCancelled", id_of(Part.CANCELLED_LATER)),
        ):
            eventually(f"event {event} of {order_id}", partial(self.subscriber.find, event, order_id))
        told = str([self.subscriber.received, *(self.history(order_id) for order_id in self.all_rows())])
        expect([text for text in self.personal_data() if text in told], [], "personal data in history and events")

    # Questions of the steps

    def rows(self, query: str) -> list[dict[str, Any]]:
        return cast(list[dict[str, Any]], self.reader.get(f"/orders?{query}")["orders"])

    def all_rows(self) -> dict[str, dict[str, Any]]:
        return {row["orderId"]: row for row in self.rows("limit=250")}

    def held(self) -> list[dict[str, Any]]:
        return self.rows("stage=Needs%20Attention&limit=250")

    def rows_if_all_judged(self, order_ids: Iterable[str]) -> dict[str, dict[str, Any]] | None:
        """All orders, if there are these and no others, and no verdict is pending."""
        rows = self.all_rows()
        is_judged = all(row["verdict"] == "judged" for row in rows.values())
        return rows if is_judged and rows.keys() == set(order_ids) else None

    def judged_row(self, order_id: str) -> dict[str, Any] | None:
        row = self.all_rows()[order_id]
        return row if row["verdict"] == "judged" else None

    def order(self, order_id: str) -> dict[str, Any]:
        return cast(dict[str, Any], self.reader.get(f"/orders/{order_id}"))

    def history(self, order_id: str) -> list[dict[str, Any]]:
        """Newest first."""
        return cast(list[dict[str, Any]], self.reader.get(f"/orders/{order_id}/history?limit=250")["changes"])

    def history_up_to(self, order_id: str, revision: int) -> list[dict[str, Any]] | None:
        """None as long as it has not come to that revision."""
        changes = self.history(order_id)
        return changes if changes and changes[0].get("revision") == revision else None

    def fulfillable(self, person: Person) -> set[str]:
        return {row["orderId"] for row in person.get("/orders?fulfillable=true&limit=250")["orders"]}

    def integration(self) -> dict[str, Any]:
        return cast(dict[str, Any], self.reader.get(f"/integrations/{INTEGRATION}"))

    def set_to(self, **settings: object) -> None:
        self.administrator.patch(f"/integrations/{INTEGRATION}", {"settings": settings})

    def download_backdated(self) -> None:
        """As an administrator does it: the date to before all the orders, then the download; until all is judged."""
        self.set_to(downloadOrdersUpdatedAfter=(datetime.now(UTC) - timedelta(days=10)).isoformat())
        path = f"/integrations/{INTEGRATION}/downloads"
        asked = self.administrator.post(path, {}, status=202)
        eventually("the backdated download", lambda: self.finished(f"{path}/{asked['downloadId']}"))
        eventually("every verdict", lambda: self.rows_if_all_judged(self.all_rows()))

    def finished(self, path: str) -> dict[str, Any] | None:
        download = self.reader.get(path)
        if download["status"] in {"failed", "cancelled"}:
            raise Unexpected(f"the download has {download['status']}: {download}")
        return download if download["status"] == "finished" else None

    def ship_by(self, order_id: str) -> str:
        return cast(str, self.amazon.order(order_id)["fulfillment"]["shipByWindow"]["latestDateTime"])

    def personal_data(self) -> set[str]:
        """Names, emails, streets and telephone numbers of the story's people, from Amazon and typed in."""
        told = {TYPED_EMAIL, TYPED_STREET, *(word for row in STORY for word in row.recipient.split() if len(word) > 2)}
        for order_id in self.amazon.orders():
            order = self.amazon.order(order_id)
            address = order.get("recipient", {}).get("deliveryAddress", {})
            email = order.get("buyer", {}).get("buyerEmail")
            told |= {text for text in (address.get("addressLine1"), address.get("phone"), email) if text}
        return told

    def table(self) -> list[tuple[str, ...]]:
        """How it ended: a row an order, the orders that Amazon has first."""
        rows = self.all_rows()
        at_first = HELD | {LATE_ORDER: ["firstName"]}
        return [
            (
                order_id,
                ", ".join(SHORT[code] for code in at_first.get(order_id, []) if code in SHORT) or "-",
                self.happened.get(order_id, ""),
                *(rows[order_id][name] or "-" if order_id in rows else "-" for name in ("stage", "status")),
                rows[order_id]["threePlStatus"].replace(" to 3PL", "") if order_id in rows else "-",
                ending(rows.get(order_id)),
            )
            for order_id in self.amazon.orders()
        ]


HEADINGS = ("Order", "Missing at first", "Events", "Stage", "Status", "3PL Status", "Outcome")
SHORT = {
    "firstName": "first name",
    "lastName": "last name",
    "email": "email",
    "deliveryAddress": "address",
    "lineItems": "line items",
    "buyerRequestedCancel": "wish to cancel",
}
AT_FIRST = {
    Part.COMPLETE: "complete from the start",
    Part.HEALED: "held",
    Part.PARTLY_COMPLETED: "held",
    Part.EDITED: "held",
    Part.OVERRIDDEN: "held",
    Part.REFUSED: "held",
    Part.CANCELLED_LATER: "held",
    Part.FULFILLED_BY_AMAZON: "Amazon fulfils it",
    Part.PENDING: "pending at Amazon: not downloaded",
    Part.SHIPPED: "was shipped already",
    Part.CANCELLED: "was cancelled already",
    Part.CANCELLATION_REQUESTED: "held: the buyer asked to cancel",
}

STEPS: Final[tuple[Callable[[Story], None], ...]] = (
    Story.an_administrator_registers_an_integration,
    Story.the_orders_of_the_last_30_days_are_downloaded_and_judged,
    Story.a_reader_finds_exactly_the_held_orders_soonest_deadline_first,
    Story.every_attempt_to_let_an_incomplete_order_go_is_refused,
    Story.what_amazon_completes_heals_by_a_backdated_download,
    Story.an_editor_types_the_missing_data_in_and_lets_the_order_go,
    Story.a_later_download_neither_wipes_the_edits_nor_flags_the_order_again,
    Story.freeze_trial_mode_and_go_live_date_let_nothing_out,
    Story.the_warehouse_takes_what_is_fulfillable,
    Story.an_administrator_overrides_with_a_reason_that_is_remembered,
    Story.the_clock_brings_what_amazon_listed_meanwhile,
    Story.history_and_events_say_what_happened_without_personal_data,
)


def sentence_of(step: Callable[[Story], None]) -> str:
    words = step.__name__.replace("_", " ").replace("amazon", "Amazon")
    return words[0].upper() + words[1:]


def outcome_of(row: dict[str, Any]) -> tuple[str, str, str]:
    """Stage, Status and 3PL Status."""
    return row["stage"], row["status"], row["threePlStatus"]


def fields_in(problem: dict[str, Any]) -> list[str]:
    return [error["field"] for error in problem["errors"]]


def ending(row: dict[str, Any] | None) -> str:
    """The possible next steps of the order."""
    if row is None:
        return "Amazon has not released it"
    if row["stage"] == NEEDS_ATTENTION:
        return "held: nothing can fulfil it"
    if row["status"] == "Void":
        return "void: nothing leaves"
    if row["threePlStatus"] == TRANSFERRED:
        return "with the warehouse"
    if row["fulfilledBy"] == "AMAZON" or row["dispatchedBy"] == "amazon":
        return "with Amazon"
    return "free to be dispatched"

"""Whatever was known of a buyer, and whoever wrote it where: after a redaction no table and no index holds it.

Every personal text, from Amazon and from people, carries a mark. The tests search all stored tables for it, after the
redaction and after everything that may come later.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from needs_attention.jobs.change_log import ChangeLog
from needs_attention.jobs.download.intake import Intake
from needs_attention.jobs.download.run import Downloader
from needs_attention.jobs.redactions import remove_personal_data
from needs_attention.jobs.validation import Validation
from needs_attention.tables.history import HistoryStore, OrderRevision
from needs_attention.values.times import instant
from tests.integration.random_histories import IS_DEEP
from tools.amazon_stand_in.misbehaviour import ADDRESS_TEXTS
from tools.builders import NOON, a_raw_order
from tools.from_template import resources
from tools.in_memory.account import aws_in_memory
from tools.in_memory.api import Clock, World
from tools.in_memory.events import MemoryEvents

MARK = "zqx"
EMAIL = f"{MARK}.ada@marketplace.example.com"
ORDER_ID = "701-1111111-1111111"
ORDER = f"/orders/{ORDER_ID}"
MONTHS = timedelta(days=90)
# The country stays: it is nobody's.
ADDRESS_PARTS = tuple(part for part in ADDRESS_TEXTS if part != "countryCode")
EXTENDED_PARTS = ("streetName", "streetNumber", "complement", "neighborhood")


def marked(word: str) -> str:
    return f"{MARK} {word}"


ADDRESS: dict[str, Any] = {
    **{part: marked(part) for part in ADDRESS_PARTS},
    "countryCode": "US",
    "extendedFields": {part: marked(part) for part in EXTENDED_PARTS},
}
TYPED_ADDRESS = {part: marked(f"typed {part}") for part in ADDRESS_PARTS if part != "name"} | {"countryCode": "US"}
WHO: dict[str, Any] = {
    "buyer": {
        "buyerName": marked("Ortiz"),
        "buyerEmail": EMAIL,
        "buyerCompanyName": marked("Lamps"),
        "buyerPurchaseOrderNumber": marked("PO-5"),
    },
    "recipient": {"deliveryAddress": ADDRESS},
    "tax": {
        "taxRegistrations": [
            {"entityType": "BUYER", "legalName": marked("Lamps Ltd"), "taxRegistrationAddress": ADDRESS},
        ]
    },
}
NOTHING: dict[str, Any] = {"buyer": None, "recipient": None, "tax": None}
UNKNOWN_EMAIL = {"buyer": {**WHO["buyer"], "buyerEmail": None}}
OTHER_EMAIL = {"buyer": {**WHO["buyer"], "buyerEmail": f"{MARK}.other@marketplace.example.com"}}


class History:
    """One order's, in tables of its own. It remembers the stream's records, and writes them to history at once."""

    def __init__(self, clock: Clock) -> None:
        self.world = World(clock)
        self.integration = self.world.register(is_paused=True)
        self.images: list[Any] = []
        self.versions = 0
        self._event_bus = MemoryEvents().bus
        self._change_log = ChangeLog(HistoryStore(self.world.dynamodb, "HistoryTable"), self._event_bus)

    def call(self, method: str, path: str, body: object = None, **more: Any) -> None:
        """Whether it is done or refused."""
        assert self.world.call(method, path, body, **more).status < 500
        self.note_image()

    def patch(self, **body: Any) -> None:
        self.call("PATCH", ORDER, body)

    def fill_in(self, sheet: str) -> None:
        self.call("POST", "/orders.csv", sheet, Content_Type="text/csv")

    def amazon_sends(self, who: dict[str, Any], age: int = 1) -> None:
        """A version of the order that is newer than the last, or `age` 0: of the same time."""
        self.versions += age
        updated = instant(NOON + timedelta(seconds=self.versions))
        intake = Intake(self.world.orders, self.world.downloads)
        sent = a_raw_order(lastUpdatedTime=updated, **who)
        intake.take(self.integration, [sent], cause="download", request_id=None, now=self.world.clock.now)
        self.note_image()

    def the_stream_brings(self, images: list[Any]) -> None:
        validation = Validation(self.world.orders, self.world.integrations, self.world.clock.now)
        for image in images:
            validation.judge_image(image)
        self.note_image()

    def the_clock_runs(self) -> None:
        world = self.world
        until = world.clock.now + timedelta(minutes=1)
        every = world.integrations.get_each(["acme-na"])
        remove_personal_data(world.orders, world.downloads, every, world.clock, until)
        downloader = Downloader(
            world.downloads, world.orders, world.wake_ups, _nobody, world.clock, _nobody, self._event_bus
        )
        downloader.run("acme-na", until)
        self.note_image()

    def note_image(self) -> None:
        image = self.world.dynamodb.get_item(TableName="OrdersTable", Key={"orderId": {"S": ORDER_ID}}).get("Item")
        if image and image not in self.images:
            self.images.append(image)
            self._change_log.tell(OrderRevision.from_image(image))

    def places_with_the_mark(self) -> list[str]:
        return [place for place, items in self._everything() if MARK in str(items).casefold()]

    def _everything(self) -> Iterator[tuple[str, Any]]:
        """But the remembered answers: those are read only through the API, which gives none of a redacted order."""
        for table in ("OrdersTable", "HistoryTable", "IntegrationsTable"):
            yield table, self.world.dynamodb.scan(TableName=table)["Items"]
            for index in resources()[table]["Properties"].get("GlobalSecondaryIndexes", []):
                name = index["IndexName"]
                yield f"{table} {name}", self.world.dynamodb.scan(TableName=table, IndexName=name)["Items"]


def _nobody(*_: object) -> Any:
    return None


# The events of an order -----------------------------------------------------------------------------------------------

Step = Callable[[History], None]
OVERRIDE = {"reason": marked("called")}
STEPS: dict[str, Step] = {
    "the name is typed": lambda h: h.patch(firstName=marked("A"), lastName=marked("Q"), company=marked("C")),
    "the email is typed": lambda h: h.patch(email=f"{MARK}.typed@mail.example.com"),
    "the email is blanked": lambda h: h.patch(email=""),
    "the delivery address is typed": lambda h: h.patch(deliveryAddress=TYPED_ADDRESS),
    "the billing address is typed": lambda h: h.patch(billingAddress=TYPED_ADDRESS),
    "the delivery address is copied": lambda h: h.patch(copyDeliveryToBilling=True),
    "lines are typed": lambda h: h.patch(lineItems=[{"sellerSku": marked("S"), "title": marked("for"), "quantity": 1}]),
    "it is confirmed that there is no email": lambda h: h.patch(confirmed=["email"]),
    "edits are taken back": lambda h: h.patch(email=None, deliveryAddress=None, lineItems=None),
    "it is assigned and commented": lambda h: h.patch(assignedTo=marked("desk"), comment=marked("moved")),
    "it is held": lambda h: h.patch(stage="Needs Attention"),
    "it is snoozed": lambda h: h.patch(snoozeUntil=instant(NOON + timedelta(hours=5))),
    "it is stopped": lambda h: h.patch(threePlStatus="Do Not Transfer to 3PL"),
    "it is stopped no more": lambda h: h.patch(threePlStatus=None),
    "what was typed is kept": lambda h: h.patch(keepTyped=["name", "email", "deliveryAddress"]),
    "alerts are closed": lambda h: h.patch(closeAlerts=["ChangedAfterHandOver", "CancelledAfterHandOver"]),
    "it is released": lambda h: h.call("POST", f"{ORDER}/release", {}),
    "it is overridden": lambda h: h.call("POST", f"{ORDER}/release", {"override": OVERRIDE}),
    "it is dispatched": lambda h: h.patch(fullyDispatched=True),
    "it is for the warehouse": lambda h: h.patch(threePlStatus="Transfer to 3PL Now"),
    "the warehouse takes it": lambda h: h.call("POST", f"{ORDER}/acknowledge"),
    "the warehouse fails": lambda h: h.call("POST", f"{ORDER}/transfer-failed", {"reason": marked("is not there")}),
    "the warehouse picks it": lambda h: h.call("POST", f"{ORDER}/picked"),
    "the warehouse sends it": lambda h: h.call("POST", f"{ORDER}/dispatched", {}),
    "a sheet comes back": lambda h: h.fill_in(f"orderId,revision,lastName\n{ORDER_ID},{len(h.images)},{MARK}\n"),
    "Amazon is asked again": lambda h: h.call("POST", f"{ORDER}/redownload"),
    "Amazon sends all": lambda h: h.amazon_sends(WHO),
    "Amazon sends all at the same time": lambda h: h.amazon_sends(WHO, age=0),
    "Amazon sends no email": lambda h: h.amazon_sends(WHO | UNKNOWN_EMAIL),
    "Amazon sends another email": lambda h: h.amazon_sends(WHO | OTHER_EMAIL),
    "Amazon sends nothing of the buyer": lambda h: h.amazon_sends(NOTHING),
    "Amazon cancels": lambda h: h.amazon_sends(WHO | {"fulfillment": {"fulfillmentStatus": "CANCELLED"}}),
    "Amazon ships": lambda h: h.amazon_sends(WHO | {"fulfillment": {"fulfillmentStatus": "SHIPPED"}}),
    "the stream brings the last": lambda h: h.the_stream_brings(h.images[-1:]),
    "the stream brings all again": lambda h: h.the_stream_brings(list(h.images)),
    "the clock runs": lambda h: h.the_clock_runs(),
}
# A way to the warehouse and back is six steps: often enough only if it is one of them.
WAYS = {
    "it goes to the warehouse": ("the stream brings the last", "it is for the warehouse", "the warehouse takes it"),
    "it comes back": ("the warehouse fails",),
}


def _erased_by_hand(history: History) -> None:
    history.call("POST", f"{ORDER}/erase", {"reference": "GR-2041", "evenIfUnsent": True})


def _erased_with_its_buyer(history: History) -> None:
    """A buyer is found by an email that the order has: here, at last."""
    history.patch(email=EMAIL)
    body = {"reference": "GR-2042", "buyerEmail": EMAIL, "evenIfUnsent": True}
    history.call("POST", "/erasures", body, Idempotency_Key="monday")
    history.the_clock_runs()


def _over_age(history: History) -> None:
    history.world.clock.advance(MONTHS)
    history.the_clock_runs()


REDACTIONS: dict[str, Step] = {
    "its time is over": _over_age,
    "it is erased": _erased_by_hand,
    "its buyer is erased": _erased_with_its_buyer,
}


def some_steps(at_most: int) -> st.SearchStrategy[list[str]]:
    one = st.sampled_from([(name,) for name in STEPS] + [*WAYS.values()] * 3)
    return st.lists(one, max_size=at_most).map(lambda steps: [name for way in steps for name in way])


@given(before=some_steps(10), redaction=st.sampled_from(sorted(REDACTIONS)), later=some_steps(8))
@settings(
    max_examples=2_000 if IS_DEEP else 30,
    derandomize=not IS_DEEP,
    deadline=None,
    suppress_health_check=tuple(HealthCheck),
)
def test_no_table_or_index_ever_holds_the_buyers_words_after_a_redaction(
    clock: Clock, unlogged: None, before: list[str], redaction: str, later: list[str]
) -> None:
    clock.now = NOON
    with aws_in_memory():
        history = History(clock)
        for name in ("Amazon sends all", *before):
            STEPS[name](history)
        assert "OrdersTable" in history.places_with_the_mark()
        REDACTIONS[redaction](history)
        assert history.places_with_the_mark() == []
        for name in later:
            STEPS[name](history)
            assert history.places_with_the_mark() == [], name
        order = history.world.order()
        assert (order.redacted_at is not None, order.hold) == (True, None)


def test_an_order_whose_time_is_over_when_it_arrives_leaves_no_trace(clock: Clock, unlogged: None) -> None:
    clock.advance(MONTHS)
    with aws_in_memory():
        history = History(clock)
        history.amazon_sends(WHO)
        history.the_stream_brings(list(history.images))
        assert history.places_with_the_mark() == []
        assert history.world.order().redacted_at == clock.now


@pytest.mark.parametrize("step", STEPS)
def test_every_step_of_these_histories_is_done_once_at_least(clock: Clock, unlogged: None, step: str) -> None:
    """A step that is always refused would prove nothing."""
    with aws_in_memory():
        history = History(clock)
        for name in ("Amazon sends all", *LEADING_TO.get(step, ("the stream brings the last",))):
            STEPS[name](history)
        images = len(history.images)
        STEPS[step](history)
        assert len(history.images) > images or step in CHANGES_NOTHING


HELD_FOR_EMAIL = ("the stream brings the last", "it is held")
AT_THE_WAREHOUSE = WAYS["it goes to the warehouse"]
LEADING_TO: dict[str, tuple[str, ...]] = {
    "edits are taken back": ("the stream brings the last", "the email is typed"),
    "it is released": HELD_FOR_EMAIL,
    "it is overridden": ("the stream brings the last", "the email is blanked"),
    "the warehouse takes it": ("the stream brings the last", "it is for the warehouse"),
    "the warehouse fails": AT_THE_WAREHOUSE,
    "the warehouse picks it": AT_THE_WAREHOUSE,
    "the warehouse sends it": AT_THE_WAREHOUSE,
    "it is stopped no more": ("the stream brings the last", "it is stopped"),
    "what was typed is kept": ("the stream brings the last", "the email is typed", "Amazon sends another email"),
    "alerts are closed": (*AT_THE_WAREHOUSE, "Amazon cancels", "the stream brings the last"),
    "the stream brings the last": (),
    "the stream brings all again": (),
}
# It shows elsewhere, or is there to see that it changes nothing.
CHANGES_NOTHING = {"Amazon is asked again", "Amazon sends all at the same time", "the clock runs"}

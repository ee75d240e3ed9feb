"""Random histories of a few orders, called through the API, and compared with the plain model of its rules.

Amazon's versions come in, the stream brings them to validation late or again, people and the warehouse ask for whatever
there is to ask for, in every role and on states that may be outdated, administrators change settings, time passes.
After each of these, what the API answers and what it shows must be what `plain_model` says: the status and code of a
refusal, the order field by field with its revision, and which lists it is in.

A failing history is shrunk, and the same each time. `HYPOTHESIS_PROFILE=deep` looks longer.
"""

import csv
import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from needs_attention.jobs.download.intake import Intake
from needs_attention.values.times import instant
from tests.integration.plain_model import (
    ADMINISTRATOR,
    DO_NOT_TRANSFER,
    EDITOR,
    MARKETPLACE,
    NEEDS_ATTENTION,
    NOW,
    READER,
    TRANSFERRED,
    UPON_COMPLETION,
    WAREHOUSE,
    Facts,
    Line,
    Order,
    PlainModel,
    Refusal,
    Seen,
    cells_of,
)
from tests.integration.random_histories import Step, run_histories
from tools.builders import NOON
from tools.in_memory.account import aws_in_memory
from tools.in_memory.api import Answer, Clock, World, an_event, app, invoke

INTEGRATION = "acme-na"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CANADA = "A2EUQ1WTGCTBG2"
CREATED = NOON - 2 * HOUR
# Never on the minute, so that nothing is due at the very moment that the clock looks.
SHIP_BY, DELIVER_BY = NOON + 2 * DAY + MINUTE / 2, NOON + 5 * DAY + MINUTE / 2

FIRST, SECOND, THIRD = "701-0000001-0000001", "701-0000002-0000002", "701-0000003-0000003"
# The third comes late, or never.
ORDER_IDS = st.sampled_from((*[FIRST] * 4, *[SECOND] * 4, THIRD))

# Amazon's versions ----------------------------------------------------------------------------------------------------

PORTLAND = {
    "addressLine1": "12 Harbor Street",
    "city": "Portland",
    "stateOrRegion": "OR",
    "postalCode": "97209",
    "countryCode": "US",
}
SINGAPORE = {"addressLine1": "9 Orchard Road", "postalCode": "238841", "countryCode": "SG"}
LAMP = Line("1", "LAMP-1", 2)
SHADE = Line("2", "SHADE-1", 1)
COMPLETE: dict[str, Any] = {"delivery": PORTLAND, "lines": (LAMP,)}
NEWS: tuple[dict[str, Any], ...] = (
    {"name": None},
    {"name": "[Redacted]"},
    {"name": "Bea Stone"},
    {"name": "Cher"},
    {"email": None},
    {"email": None},
    {"email": " "},
    {"email": "bea@marketplace.example.com"},
    {"email": "none given"},
    {"delivery": None},
    {"delivery": SINGAPORE},
    {"delivery": PORTLAND | {"addressLine1": "."}},
    {"delivery": PORTLAND | {"postalCode": ""}},
    {"tax": PORTLAND | {"addressLine1": "1 Ledger Lane"}},
    {"tax": SINGAPORE},
    {"lines": None},
    {"lines": ()},
    {"lines": (LAMP._replace(sku=None),)},
    {"lines": (LAMP._replace(quantity=1), SHADE)},
    {"lines": (LAMP._replace(quantity=0),)},
    {"lines": (LAMP._replace(asked=True), SHADE)},
    {"lines": (LAMP, SHADE._replace(asked=True))},
    {"lines": (LAMP._replace(sent=1, left=1),)},
    {"lines": (LAMP._replace(sent=2, left=0), SHADE._replace(sent=0, left=1))},
    {"lines": (Line("3", "LAMP-9", 1),)},
    {"email": "typed@b.example.com"},
    {"delivery": PORTLAND | {"addressLine1": "7 Elm Road"}},
    {"by_amazon": True},
    {"status": "PARTIALLY_SHIPPED"},
    {"status": "PARTIALLY_SHIPPED", "lines": (LAMP._replace(sent=1, left=1),)},
    {"status": "SHIPPED"},
    {"status": "SHIPPED"},
    {"status": "CANCELLED"},
    {"status": "PENDING"},
    {"status": None},
    {"status": "ON_ITS_WAY"},
)


def bodies(pieces: Sequence[dict[str, Any]], at_most: int, at_least: int = 1) -> st.SearchStrategy[dict[str, Any]]:
    """Some of these pieces in one."""
    some = st.lists(st.sampled_from(pieces), min_size=at_least, max_size=at_most)
    return some.map(lambda drawn: {name: value for piece in drawn for name, value in piece.items()})


ANSWERS_OF_AMAZON = bodies(NEWS, 2, at_least=0).map(lambda news: COMPLETE | news)
AGES = st.sampled_from((*["newer"] * 3, "same", "older"))
# What Amazon changes of an order as it has it: its place, or what people may have typed.
CHANGES = st.sampled_from(
    (
        {"status": "UNSHIPPED", "by_amazon": False},
        {"status": "UNSHIPPED"},
        {"status": "SHIPPED"},
        {"status": "PENDING"},
        {"status": "PENDING"},
        {"status": None},
        {"by_amazon": True},
        {"by_amazon": True},
        {"email": "bea@marketplace.example.com"},
        {"email": "bea@marketplace.example.com", "name": "Bea Stone"},
        {"email": "cher@marketplace.example.com"},
        {"delivery": PORTLAND | {"addressLine1": "1 New Lane"}},
        {"delivery": PORTLAND | {"addressLine1": "2 New Lane"}, "lines": (LAMP._replace(quantity=3),)},
    )
)


def as_amazon_sends(order_id: str, facts: Facts) -> dict[str, Any]:
    items = [
        {
            "orderItemId": line.id,
            "quantityOrdered": line.quantity,
            "product": {"sellerSku": line.sku},
            "cancellation": {"cancellationRequest": {"requester": "BUYER"} if line.asked else {}},
            "fulfillment": {"quantityFulfilled": line.sent, "quantityUnfulfilled": line.left},
        }
        for line in facts.lines or ()
    ]
    registration = {"entityType": "BUYER", "taxRegistrationAddress": facts.tax}
    order = {
        "orderId": order_id,
        "createdTime": instant(CREATED),
        "lastUpdatedTime": instant(facts.updated),
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": MARKETPLACE},
        "buyer": {"buyerEmail": facts.email},
        "recipient": {"deliveryAddress": {**(facts.delivery or {}), "name": facts.name}},
        "tax": {"taxRegistrations": [registration] if facts.tax else []},
        "fulfillment": {
            "fulfillmentStatus": facts.status,
            "fulfilledBy": "AMAZON" if facts.by_amazon else "MERCHANT",
            "shipByWindow": {"latestDateTime": instant(SHIP_BY)},
            "deliverByWindow": {"earliestDateTime": instant(DELIVER_BY), "latestDateTime": instant(DELIVER_BY)},
        },
    }
    return order if facts.lines is None else order | {"orderItems": items}


# People's requests ----------------------------------------------------------------------------------------------------

TYPED: tuple[dict[str, Any], ...] = (
    {"email": "typed@b.example.com"},
    {"email": "bea@marketplace.example.com"},
    {"email": "no address"},
    {"email": ""},
    {"email": None},
    {"firstName": "Bea", "lastName": "Stone"},
    {"firstName": "Ada"},
    {"firstName": ""},
    {"firstName": None},
    {"lastName": "Quill"},
    {"lastName": "[Redacted]"},
    {"firstName": None, "lastName": None},
    {"deliveryAddress": {"addressLine1": "7 Elm Road"}},
    {"deliveryAddress": {"addressLine1": " ", "city": "Salem"}},
    {"deliveryAddress": {"postalCode": None}},
    {"deliveryAddress": {"countryCode": "SG"}},
    {"deliveryAddress": {"countryCode": ""}},
    {"deliveryAddress": {"city": "PORTLAND"}},
    {"deliveryAddress": PORTLAND},
    {"deliveryAddress": None},
    {"billingAddress": {"addressLine1": "2 Ledger Lane"}},
    {"billingAddress": {"city": "."}},
    {"billingAddress": PORTLAND},
    {"billingAddress": None},
    {"lineItems": [{"sellerSku": "LAMP-9", "quantity": 1}]},
    {"lineItems": [{"quantity": 1}]},
    {"lineItems": [{"sellerSku": "LAMP-9", "quantity": 0}]},
    {"lineItems": []},
    {"lineItems": None},
    {"confirmed": ["email"]},
    {"confirmed": ["firstName", "lastName"]},
    {"confirmed": []},
    {"confirmed": None},
    {"confirmed": ["deliveryAddress"]},
    {"confirmed": ["buyerRequestedCancel"]},
    {"confirmed": ["fulfillmentUnknown"]},
    {"confirmed": ["email", "fulfillmentUnknown", "buyerRequestedCancel"]},
    {"keepTyped": ["name", "email"]},
    {"keepTyped": ["deliveryAddress", "billingAddress", "lineItems"]},
    {"keepTyped": ["email", "deliveryAddress"]},
    {"closeAlerts": ["ChangedAfterHandOver", "ChangedAfterDispatch", "DiffersFromAmazon"]},
    {"closeAlerts": ["CancelledAfterHandOver", "CameBack", "IncompleteAfterDispatch"]},
    {"assignedTo": "zoe"},
    {"assignedTo": None},
    {"comment": "asked the buyer"},
    {"comment": None},
)
WISHED: tuple[dict[str, Any], ...] = (
    {"stage": "New"},
    {"stage": "Packing"},
    {"stage": NEEDS_ATTENTION},
    {"stage": "Nowhere"},
    {"threePlStatus": NOW},
    {"threePlStatus": UPON_COMPLETION},
    {"threePlStatus": DO_NOT_TRANSFER},
    {"threePlStatus": TRANSFERRED},
    {"stage": "New", "threePlStatus": NOW},
    {"stage": "Packing", "threePlStatus": UPON_COMPLETION, "fullyDispatched": True},
    {"fullyDispatched": True},
    {"fullyDispatched": False},
    {"fullyDispatched": None},
    {"stage": None},
    {"threePlStatus": None},
    {"stage": None, "threePlStatus": None, "fullyDispatched": None},
    {"stage": "New", "threePlStatus": DO_NOT_TRANSFER},
    {"fullyDispatched": timedelta(hours=-1)},
    {"fullyDispatched": -DAY * 90},
    {"fullyDispatched": HOUR},
    {"snoozeUntil": HOUR + MINUTE / 2},
    {"snoozeUntil": DAY + MINUTE / 2},
    {"snoozeUntil": 3 * DAY},
    {"snoozeUntil": -HOUR},
    {"stage": "New", "override": {"reason": "the buyer called"}},
    {"stage": "Packing", "threePlStatus": NOW, "override": {"reason": "known buyer"}},
    {"override": {"reason": "because"}},
)
COMPLETELY = {"email": "typed@b.example.com", "firstName": "Bea", "lastName": "Stone", "deliveryAddress": PORTLAND}
REPAIRS = st.sampled_from((*TYPED, *[COMPLETELY] * len(TYPED)))
# A person's hold that is snoozed later, and ends by itself, is three steps: often enough only if each is likely.
HOLDS = ({"stage": NEEDS_ATTENTION}, {"snoozeUntil": HOUR + MINUTE / 2})
WISHES = st.sampled_from(WISHED)
# What the warehouse says of an order that it took: that it picked it, that it sent it, or why it cannot.
REPORTS = st.sampled_from(("picked", "dispatched", "Unknown SKU", "No room"))
IN_BULK = st.lists(
    st.tuples(
        st.sampled_from((FIRST, SECOND, THIRD)),
        st.sampled_from(
            (
                "release",
                "release",
                {"threePlStatus": DO_NOT_TRANSFER},
                {"threePlStatus": None},
                {"stage": "Packing"},
                {"stage": NEEDS_ATTENTION},
                {"fullyDispatched": False},
                {"keepTyped": ["name", "email", "deliveryAddress", "billingAddress", "lineItems"]},
                {"email": "typed@b.example.com", "threePlStatus": DO_NOT_TRANSFER},
            )
        ),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda one: one[0],
)
CELLS = bodies(
    (
        {"email": "typed@b.example.com"},
        {"email": "no address"},
        {"firstName": "Bea", "lastName": "Stone"},
        {"lastName": "[Redacted]"},
        {"deliveryAddress.addressLine1": "7 Elm Road"},
        {"deliveryAddress.postalCode": "97209", "deliveryAddress.city": " Portland "},
        {"billingAddress.addressLine1": "2 Ledger Lane", "billingAddress.city": ""},
        {"keepTyped": "name email"},
        {"keepTyped": "deliveryAddress"},
        {"keepTyped": "street"},
        {"takeAmazons": "email"},
        {"takeAmazons": "name deliveryAddress billingAddress"},
    ),
    3,
    at_least=0,
)
CELL_NAMES = (*cells_of(Seen(("", ""), None, None, None, ())), "keepTyped", "takeAmazons")
SHEETS = st.lists(
    st.tuples(st.sampled_from((FIRST, SECOND, THIRD)), CELLS, st.sampled_from((0, 0, 0, -1))),
    min_size=1,
    max_size=3,
    unique_by=lambda one: one[0],
)
SELDOM = st.sampled_from((False, False, False, True))
ERASURES = st.sampled_from(({"reference": "GR-1"}, {"reference": "GR-2", "evenIfUnsent": True}))
OVERRIDES = st.sampled_from(({}, {}, {"override": {"reason": "the carrier takes one name"}}))


class Asker(NamedTuple):
    """In which role somebody asks, and on which revision, counted from the current one; None sends no `If-Match`."""

    role: str
    revision: int | None


REVISIONS = st.sampled_from((*[None] * 6, 0, 0, -1))
EDITORS = st.builds(Asker, st.sampled_from((*[EDITOR] * 6, *[ADMINISTRATOR] * 8, READER, WAREHOUSE)), REVISIONS)
WAREHOUSES = st.builds(Asker, st.sampled_from((*[WAREHOUSE] * 6, *[ADMINISTRATOR] * 2, READER, EDITOR)), REVISIONS)
ADMINISTRATORS = st.sampled_from((*[ADMINISTRATOR] * 7, EDITOR))
ERASERS = st.builds(Asker, ADMINISTRATORS, REVISIONS)
SETTINGS: tuple[dict[str, Any], ...] = (
    {"defaultStage": "Packing"},
    {"defaultStage": "New"},
    {"defaultThreePlStatus": NOW},
    {"defaultThreePlStatus": UPON_COMPLETION},
    {"defaultThreePlStatus": DO_NOT_TRANSFER},
    {"autoDispatchOrders": True},
    {"autoDispatchOrders": False},
    {"trialMode": True},
    {"trialMode": False},
    {"trialMode": False, "goLiveDate": None},
    {"goLiveDate": instant(NOON)},
    {"goLiveDate": instant(CREATED)},
    {"checks": {"email": False}},
    {"checks": {"email": True}},
    {"billingAddress": "require"},
    {"billingAddress": "copyDelivery"},
    {"marketplaces": {MARKETPLACE: {"defaultStage": "Packing", "defaultThreePlStatus": NOW}}},
    {"marketplaces": {MARKETPLACE: {"autoDispatchOrders": True, "trialMode": False}}},
    {"marketplaces": {MARKETPLACE: {"trialMode": True, "defaultStage": None}}},
    {"marketplaces": {MARKETPLACE: {"goLiveDate": instant(NOON), "billingAddress": "require"}}},
    {"marketplaces": {MARKETPLACE: {"checks": {"email": False}, "goLiveDate": instant(CREATED)}}},
    {"marketplaces": {MARKETPLACE: None}},
    {"marketplaces": {CANADA: {"trialMode": True, "defaultThreePlStatus": NOW, "checks": {"email": False}}}},
)
FREEZES = (
    ("POST", "/freeze"),
    ("DELETE", "/freeze"),
    ("DELETE", "/freeze"),
    ("POST", f"/integrations/{INTEGRATION}/freeze"),
    ("DELETE", f"/integrations/{INTEGRATION}/freeze"),
    ("DELETE", f"/integrations/{INTEGRATION}/freeze"),
)
# Rarely a month, after which personal data is removed.
PASSES = (*[7 * MINUTE] * 4, *[11 * MINUTE] * 4, *[2 * HOUR] * 6, *[DAY] * 4, *[2 * DAY] * 2, 31 * DAY)

# The events, and their relative frequency. One rule draws from all: with many rules Hypothesis leaves half out of
# each history.
OFTEN: tuple[tuple[int, str, dict[str, st.SearchStrategy[Any]]], ...] = (
    (4, "amazon_sends", {"order_id": ORDER_IDS, "answer": ANSWERS_OF_AMAZON, "age": AGES}),
    (2, "amazon_contradicts", {"order_id": ORDER_IDS, "is_held": st.booleans(), "by": EDITORS}),
    (4, "amazon_goes_on", {"order_id": ORDER_IDS, "change": CHANGES, "is_judged": st.booleans()}),
    (5, "the_stream_brings", {"records": st.sampled_from((1, 2, 3))}),
    (1, "the_stream_brings_the_last_ones_first", {"records": st.sampled_from((1, 2))}),
    (3, "time_passes", {"passes": st.sampled_from(PASSES)}),
    (4, "somebody_types", {"order_id": ORDER_IDS, "body": bodies(TYPED, 3), "by": EDITORS}),
    (4, "somebody_wishes", {"order_id": ORDER_IDS, "body": bodies(WISHED, 2), "by": EDITORS}),
    (2, "somebody_wishes", {"order_id": ORDER_IDS, "body": st.sampled_from(HOLDS), "by": EDITORS}),
    (4, "somebody_repairs", {"order_id": ORDER_IDS, "typed": REPAIRS, "wished": WISHES, "by": EDITORS}),
    (3, "somebody_releases", {"order_id": ORDER_IDS, "body": OVERRIDES, "by": EDITORS}),
    (
        3,
        "the_warehouse_takes",
        {"order_id": ORDER_IDS, "is_in_vain": SELDOM, "is_trial": SELDOM, "by": WAREHOUSES},
    ),
    (3, "the_warehouse_reports", {"order_id": ORDER_IDS, "is_in_vain": SELDOM, "report": REPORTS, "by": WAREHOUSES}),
    (2, "somebody_changes_many", {"wishes": IN_BULK, "is_dry_run": SELDOM, "by": EDITORS}),
    (1, "somebody_sends_a_sheet", {"rows": SHEETS, "is_dry_run": SELDOM, "by": EDITORS}),
    (1, "the_warehouse_looks", {"order_id": ORDER_IDS}),
    (1, "somebody_erases", {"order_id": ORDER_IDS, "body": ERASURES, "by": ERASERS}),
    (2, "an_administrator_sets", {"changes": bodies(SETTINGS, 2), "role": ADMINISTRATORS}),
    (1, "an_administrator_freezes", {"what": st.sampled_from(FREEZES), "role": ADMINISTRATORS}),
)


STEPS = st.sampled_from([(what, how) for often, what, how in OFTEN for _ in range(often)]).flatmap(
    lambda kind: st.builds(Step, st.just(kind[0]), st.fixed_dictionaries(kind[1]))
)


class Histories(RuleBasedStateMachine):
    """Everything is done twice, by the API and by the model, and both must agree."""

    def __init__(self, clock: Clock, met: Counter[str]) -> None:
        super().__init__()
        self.met = met
        self.aws = ExitStack()
        self.aws.enter_context(aws_in_memory())
        clock.now = NOON
        self.world = World(clock)
        # Paused: Amazon's answers come one by one, and the clock asks Amazon for nothing.
        self.world.register(INTEGRATION, is_paused=True)
        self.world.call("POST", "/stages", {"name": "Packing"})
        self.model = PlainModel(NOON)
        self.images: list[dict[str, Any]] = []
        self.seen: dict[str, int] = {}
        self.listed: list[dict[str, Any]] = []

    def teardown(self) -> None:
        self.aws.close()

    @rule(step=STEPS)
    def happens(self, step: Step) -> None:
        getattr(self, step.what)(**step.how)

    # Amazon, the stream, the clock

    @initialize(
        three_pl=st.sampled_from((NOW, NOW, UPON_COMPLETION)),
        first=ANSWERS_OF_AMAZON,
        second=ANSWERS_OF_AMAZON,
    )
    def orders_come_in(self, three_pl: str, first: dict[str, Any], second: dict[str, Any]) -> None:
        self.an_administrator_sets({"defaultThreePlStatus": three_pl}, ADMINISTRATOR)
        self.amazon_sends(FIRST, first, "newer")
        self.amazon_sends(SECOND, second, "newer")
        self.the_stream_brings(records=2)

    def amazon_sends(self, order_id: str, answer: dict[str, Any], age: str) -> None:
        known = self.model.orders.get(order_id)
        since = {"newer": MINUTE / 60, "same": timedelta(), "older": -MINUTE / 60}[age]
        facts = Facts(updated=(known.facts.updated if known else CREATED) + since, **answer)
        intake = Intake(self.world.orders, self.world.downloads)
        sent = as_amazon_sends(order_id, facts)
        integration = self.world.integrations.get(INTEGRATION)  # a run reads it, and with it the settings of now
        assert integration is not None
        intake.take(integration, [sent], cause="download", request_id=None, now=self.model.now)
        self.model.download(order_id, facts, CREATED, SHIP_BY, DELIVER_BY)
        self._agree(order_id)

    def amazon_goes_on(self, order_id: str, change: dict[str, Any], is_judged: bool) -> None:
        known = self.model.orders.get(order_id)
        answer = known.facts.answered() if known else COMPLETE
        self.amazon_sends(order_id, answer | change, "newer")
        if is_judged:
            self.the_stream_brings(records=len(self.images))

    def amazon_contradicts(self, order_id: str, is_held: bool, by: Asker) -> None:
        """Somebody typed what Amazon left out, and Amazon says something else then: a first word, or another one."""
        known = self.model.orders.get(order_id)
        self.amazon_sends(order_id, (known.facts.answered() if known else COMPLETE) | {"email": None}, "newer")
        self.somebody_repairs(order_id, COMPLETELY, {} if is_held else {"stage": "New", "threePlStatus": NOW}, by)
        self.amazon_goes_on(order_id, {"email": "bea@marketplace.example.com", "name": "Bea Stone"}, is_judged=True)

    def the_stream_brings(self, records: int) -> None:
        """The first written comes first."""
        brought, self.images = self.images[:records], self.images[records:]
        self._validate(brought)

    def the_stream_brings_the_last_ones_first(self, records: int) -> None:
        """And leaves them where they are: they come again."""
        self._validate(self.images[-records:])

    def _validate(self, images: list[dict[str, Any]]) -> None:
        if not images:
            return
        (record, *_) = an_event("validate_orders")["Records"]
        records = [record | {"dynamodb": record["dynamodb"] | {"NewImage": image}} for image in images]
        assert invoke("validate_orders", {"Records": records}) == {"batchItemFailures": []}
        app("validate_orders").metrics.clear_metrics()  # nothing publishes them here, and Powertools warns at a hundred
        for image in images:
            self.model.validate(image["orderId"]["S"], int(image["revision"]["N"]))
        self._agree(*{image["orderId"]["S"] for image in images})

    def time_passes(self, passes: timedelta) -> None:
        self.model.now += passes
        self.world.clock.now = self.model.now
        wake_up = an_event("download_orders_wake_up")
        for message in wake_up["Records"]:
            message["body"] = message["body"].replace("demo", INTEGRATION)
        self.world.redact()
        assert invoke("download_orders", wake_up) == {"batchItemFailures": []}
        self.model.clock_runs()
        self._agree(*self.model.orders)

    # People

    def somebody_types(self, order_id: str, body: dict[str, Any], by: Asker) -> None:
        self._patch(order_id, body, by)

    def somebody_wishes(self, order_id: str, body: dict[str, Any], by: Asker) -> None:
        self._patch(order_id, body, by)

    def somebody_repairs(self, order_id: str, typed: dict[str, Any], wished: dict[str, Any], by: Asker) -> None:
        self._patch(order_id, typed | wished, by)

    def _patch(self, order_id: str, body: dict[str, Any], by: Asker) -> None:
        """A span of time in the body stands for the moment that is so far from now."""
        sent = {
            name: instant(self.model.now + value) if isinstance(value, timedelta) else value
            for name, value in body.items()
        }
        self._ask(
            "PATCH",
            f"/orders/{order_id}",
            sent,
            by,
            lambda if_match: self.model.patch(by.role, order_id, sent, if_match),
        )

    def somebody_releases(self, order_id: str, body: dict[str, Any], by: Asker) -> None:
        path = f"/orders/{order_id}/release"
        self._ask("POST", path, body, by, lambda if_match: self.model.release(by.role, order_id, body, if_match))

    def somebody_erases(self, order_id: str, body: dict[str, Any], by: Asker) -> None:
        path = f"/orders/{order_id}/erase"
        self._ask("POST", path, body, by, lambda if_match: self.model.erase(by.role, order_id, body, if_match))

    def the_warehouse_takes(self, order_id: str, is_in_vain: bool, is_trial: bool, by: Asker) -> None:
        """Now and then it comes in the moment in which an administrator begins the trial mode."""
        if not is_in_vain:
            order_id = self._one_that(self.model.is_for_the_warehouse, order_id)
        if is_trial:
            self.an_administrator_sets({"trialMode": True}, ADMINISTRATOR)
        path = f"/orders/{order_id}/acknowledge"
        self._ask("POST", path, None, by, lambda if_match: self.model.acknowledge(by.role, order_id, if_match))

    def the_warehouse_reports(self, order_id: str, is_in_vain: bool, report: str, by: Asker) -> None:
        if not is_in_vain:
            order_id = self._one_that(lambda order: order.is_handed_over, order_id)
        expected = {"picked": self.model.picked, "dispatched": self.model.dispatched}
        if expect := expected.get(report):
            path = f"/orders/{order_id}/{report}"
            body: dict[str, Any] | None = {} if report == "dispatched" else None
            self._ask("POST", path, body, by, lambda if_match: expect(by.role, order_id, if_match))
        else:
            path, reason = f"/orders/{order_id}/transfer-failed", {"reason": report}
            fail = self.model.transfer_failed
            self._ask("POST", path, reason, by, lambda if_match: fail(by.role, order_id, report, if_match))

    def somebody_changes_many(self, wishes: list[tuple[str, Any]], is_dry_run: bool, by: Asker) -> None:
        """Each order by itself: the refusal of one does not keep it from the others. A dry run lands nothing."""
        orders = [
            {"orderId": order_id, **({"release": True} if wish == "release" else {"patch": wish})}
            for order_id, wish in wishes
        ]
        answer = self.world.call("POST", "/bulk/orders", {"orders": orders, "dryRun": is_dry_run}, role=by.role)
        if by.role not in (EDITOR, ADMINISTRATOR):
            assert (answer.status, answer.body["code"]) == (403, "roleNeeded")
            return

        def expect(order_id: str, wish: Any) -> None:
            if wish == "release":
                self.model.release(by.role, order_id, {}, None)
            else:
                self.model.patch(by.role, order_id, wish, None)

        self._each_for_itself(answer, {order_id: partial(expect, order_id, wish) for order_id, wish in wishes}, by)

    def somebody_sends_a_sheet(self, rows: list[tuple[str, dict[str, str], int]], is_dry_run: bool, by: Asker) -> None:
        """Each row on the revision that was exported: some have changed since."""
        orders = self.model.orders
        revisions = {one: orders[one].revision + age if one in orders else 1 for one, _, age in rows}
        written = io.StringIO()
        writer = csv.DictWriter(written, ["orderId", "revision", *CELL_NAMES])
        writer.writeheader()
        writer.writerows({"orderId": one, "revision": revisions[one], **cells} for one, cells, _ in rows)
        query = {"dryRun": is_dry_run}
        answer = self.world.call(
            "POST", "/orders.csv", written.getvalue(), query=query, role=by.role, Content_Type="text/csv"
        )
        if by.role not in (EDITOR, ADMINISTRATOR):
            assert (answer.status, answer.body["code"]) == (403, "roleNeeded")
            return
        fill_in = self.model.fill_in
        expected = {one: partial(fill_in, by.role, one, cells, revisions[one]) for one, cells, _ in rows}
        self._each_for_itself(answer, expected, by)

    def _each_for_itself(self, answer: Answer, expected: Mapping[str, Callable[[], None]], by: Asker) -> None:
        """The results of many changes, by order. A dry run lands nothing."""
        is_dry_run = answer.body["dryRun"]
        as_they_were = dict(self.model.orders)
        for (order_id, expect), result in zip(expected.items(), answer.body["orders"], strict=True):
            refusal: Refusal | None = None
            try:
                expect()
            except Refusal as error:
                refusal = error
            problem = result.get("problem", {})
            assert (result["status"], problem.get("code")) == (
                (refusal.status, refusal.code) if refusal else (200, None)
            )
            if refusal is None:
                shown = self._as_seen_by(by.role, order_id)
                revision = {"revision": as_they_were[order_id].revision} if is_dry_run else {}
                assert in_plain_words(result["order"]) == shown | revision
        if is_dry_run:
            self.model.orders = as_they_were
        self._agree(*expected)

    def _one_that(self, is_so: Callable[[Order], bool], otherwise: str) -> str:
        return next((order_id for order_id, order in self.model.orders.items() if is_so(order)), otherwise)

    # Administrators

    def an_administrator_sets(self, changes: dict[str, Any], role: str) -> None:
        self._administer(
            lambda: self.world.call("PATCH", f"/integrations/{INTEGRATION}", {"settings": changes}, role=role),
            lambda: self.model.change_settings(role, changes),
        )

    def an_administrator_freezes(self, what: tuple[str, str], role: str) -> None:
        method, path = what
        decide = self.model.freeze if method == "POST" else self.model.unfreeze
        self._administer(lambda: self.world.call(method, path, role=role), lambda: decide(role, path))

    # Both must agree

    def _ask(self, method: str, path: str, body: object, by: Asker, expect: Callable[[int | None], None]) -> None:
        order_id = path.split("/")[2]
        known = self.model.orders.get(order_id)
        if_match = known.revision + by.revision if known and by.revision is not None else None
        headers: dict[str, Any] = {} if if_match is None else {"If_Match": f'"{if_match}"'}
        answer = self.world.call(method, path, body, role=by.role, **headers)
        refusal = self._refused(answer, lambda: expect(if_match))
        if refusal is None:
            assert answer.status == 200, answer
            self._is_shown(order_id, answer, by.role)
        elif refusal.status == 412:
            assert in_plain_words(answer.body["order"]) == self._as_seen_by(by.role, order_id)
        self._agree(order_id)

    def _administer(self, ask: Callable[[], Answer], expect: Callable[[], None]) -> None:
        answer = ask()
        if self._refused(answer, expect) is None:
            assert answer.status == 200, answer
        self._agree()

    def _refused(self, answer: Answer, expect: Callable[[], None]) -> Refusal | None:
        """The model's refusal, which is the API's too."""
        refusal: Refusal | None = None
        try:
            expect()
        except Refusal as error:
            refusal = error
        if refusal:
            assert (answer.status, answer.body.get("code")) == (refusal.status, refusal.code), answer
            assert answer.codes == refusal.fields
            assert answer.body["detail"]
            assert answer.headers["Content-Type"] == "application/problem+json"
        self.met[refusal.code if refusal else "done"] += 1
        return refusal

    def _agree(self, *order_ids: str) -> None:
        """The API shows these orders, and lists orders, as the model says."""
        for order_id in order_ids:
            if order_id not in self.model.orders:
                assert self.world.call("GET", f"/orders/{order_id}").status == 404
                continue
            self._is_shown(order_id, self.world.call("GET", f"/orders/{order_id}", role=READER), READER)
            self._note_image(order_id)
        orders, rows = self.model.orders, [self.model.row(order_id) for order_id in self.model.orders]
        if rows == self.listed:
            return
        self.listed = rows
        self._are_listed({"stage": NEEDS_ATTENTION}, [one for one in orders if orders[one].stage == NEEDS_ATTENTION])
        self._are_listed({"fulfillable": True}, [one for one in orders if self.model.is_fulfillable(orders[one])])

    def _is_shown(self, order_id: str, answer: Answer, role: str) -> None:
        assert in_plain_words(answer.body) == self._as_seen_by(role, order_id)
        assert answer.headers["ETag"] == f'"{self.model.orders[order_id].revision}"'

    def _as_seen_by(self, role: str, order_id: str) -> dict[str, Any]:
        shown = self.model.whole(order_id)
        if role != WAREHOUSE:
            return shown
        lines = {"lineItems": self.model.lines_to_send(order_id)}
        return {name: value for name, value in shown.items() if name not in NOT_FOR_THE_WAREHOUSE} | lines

    def _are_listed(self, filters: dict[str, object], order_ids: list[str]) -> None:
        rows = self.world.call("GET", "/orders", query=filters, role=READER).body["orders"]
        listed = {row["orderId"]: row for row in rows}
        assert listed.keys() == set(order_ids)
        for order_id in order_ids:
            expected = self.model.row(order_id)
            assert {name: listed[order_id][name] for name in expected} == expected

    def the_warehouse_looks(self, order_id: str) -> None:
        orders = self.model.orders
        rows = self.world.call("GET", "/orders", role=WAREHOUSE).body["orders"]
        assert {row["orderId"] for row in rows} == {
            one for one in orders if self.model.is_for_the_warehouse(orders[one])
        }
        answer = self.world.call("GET", f"/orders/{order_id}", role=WAREHOUSE)
        order = orders.get(order_id)
        if order and (order.is_handed_over or self.model.is_for_the_warehouse(order)):
            self._is_shown(order_id, answer, WAREHOUSE)
        else:
            assert (answer.status, answer.body["code"]) == (404, "notFound")

    def _note_image(self, order_id: str) -> None:
        """A write that leaves the verdict pending is in the stream."""
        order = self.model.orders[order_id]
        if order.pending_since and self.seen.get(order_id) != order.revision:
            found = self.world.dynamodb.get_item(TableName="OrdersTable", Key={"orderId": {"S": order_id}})
            self.images.append(found["Item"])
        self.seen[order_id] = order.revision


# The model's words that are the API's own.
SHOWN = {
    "orderId",
    "revision",
    "verdict",
    "stage",
    "status",
    "threePlStatus",
    "fulfillable",
    "missing",
    "hold",
    "heldAt",
    "readyToRelease",
    "dispatchedBy",
    "fullyDispatchedAt",
    "alerts",
    "redownloadAt",
    "assignedTo",
    "fulfillmentStatus",
    "firstName",
    "lastName",
    "email",
    "deliveryAddress",
    "billingAddress",
    "confirmed",
    "heldAfterRelease",
    "snoozedUntil",
    "override",
    "comment",
    "warehouseError",
    "redactedAt",
    "redaction",
    "cameBackFrom",
    "stopped",
    "decisions",
    "closedAlerts",
}
NOT_FOR_THE_WAREHOUSE = {"assignedTo", "comment", "stopped", "decisions"}


def in_plain_words(body: dict[str, Any]) -> dict[str, Any]:
    """An order as the API shows it, in the words of the model."""
    of_both = {name: body[name] for name in SHOWN & body.keys()}
    return of_both | {
        "lineItems": [(line["sellerSku"], line["quantity"]) for line in body["lineItems"]],
        "edited": sorted(unit for unit, source in body["sources"].items() if source == "edited"),
        "missingDetails": [
            {name: value for name, value in item.items() if name not in {"message", "nextStep"}}
            for item in body["missingDetails"]
        ],
    }


# Without these among what was answered, agreement would say little.
MUST_BE_MET = {
    "done",
    "roleNeeded",
    "notFound",
    "changedMeanwhile",
    "invalid",
    "incomplete",
    "held",
    "notHeld",
    "notForTheWarehouse",
    "notTransferred",
    "alreadyTransferred",
    "notLive",
    "redacted",
    "unsent",
    "shipped",
    "void",
    "draft",
    "fulfilledByAmazon",
    "differsFromAmazon",
    "contradiction",
}


def test_the_api_does_what_the_plain_model_says(clock: Clock, unlogged: None) -> None:
    met: Counter[str] = Counter()
    run_histories(lambda: Histories(clock, met), histories=30, steps=30)
    assert met.keys() >= MUST_BE_MET

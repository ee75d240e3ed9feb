"""The standing of orders at one moment, and the counts of those that are held."""

from datetime import timedelta
from typing import Any, get_args

import pytest

from needs_attention.downloads.live import LiveDownload
from needs_attention.downloads.proofs import Proofs
from needs_attention.integrations.incidents import Incident, Incidents
from needs_attention.integrations.integration import Integration, Rejudgement
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.integrations.stages import Stages
from needs_attention.integrations.standing import (
    BlockedBy,
    HeldCounts,
    IntegrationState,
    OrderStanding,
    UnsentCounts,
    blocked_by,
    goes_nowhere,
    may_be_fulfilled,
    may_be_transferred,
)
from needs_attention.integrations.surroundings import Surroundings
from needs_attention.orders.checks import CHECK_OF
from needs_attention.orders.decisions import ThreePlDecision
from needs_attention.orders.order import DIFFERS, Missing, Order
from needs_attention.orders.settings import NEEDS_ATTENTION, Settings, ThreePlStatus
from needs_attention.orders.summary import Summary
from needs_attention.orders.urgency import Age, Queue, ShipByState
from needs_attention.orders.verdict import judged
from tools.builders import (
    CREATED,
    LATER,
    NOON,
    SHIP_BY,
    a_held_order,
    a_judged_order,
    an_amazon_order,
    an_fba_order,
    an_order,
    by_hand,
    decided,
    snoozed,
)

US = "ATVPDKIKX0DER"
READY = Summary.of(a_judged_order(three_pl_status=ThreePlStatus.NOW))
HELD = Summary.of(a_held_order())
VANISHED = Incidents(
    incidents=(Incident(code="fieldsVanished", since=NOON, evidence="most of them", fields={US: ("email",)}),)
)


def an_integration(**settings: Any) -> Integration:
    return Integration(
        integration_id="acme-na",
        name="Acme",
        region="NA",
        marketplace_ids=(US,),
        registered_at=NOON,
        settings=IntegrationSettings(**settings),
    )


def around(incidents: Incidents | None = None, *, is_frozen: bool = False, **settings: Any) -> Surroundings:
    return Surroundings.of(an_integration(**settings), incidents or Incidents(), Stages(), is_all_frozen=is_frozen)


@pytest.mark.parametrize(
    ("summary", "surroundings", "may_leave"),
    [
        (READY, around(), True),
        (HELD, around(), False),
        (READY, around(is_frozen=True), False),
        (READY, around(trial_mode=True), False),
        (READY, around(go_live_date=NOON), False),
    ],
    ids=["ready", "held", "frozen", "trial mode", "before going live"],
)
def test_an_order_leaves_if_it_is_ready_and_its_integration_open(
    summary: Summary, surroundings: Surroundings, may_leave: bool
) -> None:
    assert may_be_transferred(summary, surroundings) is may_leave
    assert may_be_fulfilled(summary, surroundings) is may_leave


def test_a_dispatched_order_not_meant_for_the_3pl_is_only_fulfilled() -> None:
    order = a_judged_order(
        dispatched_by="person", fully_dispatched_at=NOON, three_pl_status=ThreePlStatus.DO_NOT_TRANSFER
    )

    assert may_be_fulfilled(Summary.of(order), around())
    assert not may_be_transferred(Summary.of(order), around())


def test_a_held_order_waits_for_amazon_until_its_deadline_is_near() -> None:
    near = SHIP_BY - timedelta(hours=24)

    assert OrderStanding.of(HELD, around(), NOON) == (None, "onTrack", "waitingForAmazon", ("held",), False)
    assert OrderStanding.of(HELD, around(), near) == (None, "atRisk", "yours", ("held",), False)


def test_an_order_that_lacks_a_vanished_field_waits_for_the_connection() -> None:
    standing = OrderStanding.of(HELD, around(VANISHED), NOON)

    assert (standing.incident, standing.ship_by_state, standing.queue) == (
        "fieldsVanished",
        "onTrack",
        "connectionAtFault",
    )


@pytest.mark.parametrize(
    ("fields", "queue"),
    [({"fulfillment_status": None}, "connectionAtFault"), ({"came_back_from": "shipped"}, "waitingForAmazon")],
)
def test_an_order_that_came_back_does_not_wait_for_the_connection(fields: dict[str, Any], queue: str) -> None:
    incident = Incident(code="fieldsVanished", since=NOON, evidence="all", fields={US: ("fulfillmentUnknown",)})
    held = Summary.of(a_judged_order(an_amazon_order(**fields)))

    assert OrderStanding.of(held, around(Incidents(incidents=(incident,))), NOON).queue == queue


def test_an_order_ready_to_release_waits_for_a_person() -> None:
    assert OrderStanding.of(HELD.model_copy(update={"ready_to_release": True}), around(), NOON).queue == "yours"


def test_a_sent_order_has_no_deadline_any_longer() -> None:
    sent = Summary.of(a_judged_order(an_amazon_order(fulfillment_status="SHIPPED")))

    assert OrderStanding.of(sent, around(), SHIP_BY) == (None, None, None, ("shipped",), False)


def test_held_orders_are_counted_under_every_name() -> None:
    asleep = a_judged_order(
        stage=NEEDS_ATTENTION, decisions=decided(hold=snoozed(SHIP_BY, at=NOON - timedelta(days=4)))
    )
    counts = HeldCounts.of([HELD, Summary.of(asleep)], around(), NOON)

    assert (counts.held, counts.ready_to_release) == (2, 0)
    assert counts.by_missing == dict.fromkeys(CHECK_OF, 0) | {"email": 1}
    assert counts.by_queue == dict.fromkeys(get_args(Queue), 0) | {"waitingForAmazon": 1, "snoozed": 1}
    assert counts.by_age == dict.fromkeys(get_args(Age), 0) | {"underAnHour": 1, "older": 1}
    assert counts.by_ship_by_state == dict.fromkeys(get_args(ShipByState), 0) | {"onTrack": 2}


def test_the_counts_of_integrations_add_up() -> None:
    ready = Summary.of(a_held_order(missing=()))
    total = HeldCounts.total([HeldCounts.of([HELD], around(), NOON), HeldCounts.of([HELD, ready], around(), NOON)])

    assert (total.held, total.ready_to_release, total.by_missing["email"]) == (3, 1, 2)
    assert total == HeldCounts.of([HELD, HELD, ready], around(), NOON)
    assert HeldCounts.total([]) == HeldCounts.of([], around(), NOON)


# Blocked by -----------------------------------------------------------------------------------------------------------

TO_BE_TRANSFERRED_BY_HAND = Settings(default_three_pl_status=ThreePlStatus.DO_NOT_TRANSFER)
STOPPED = judged(a_judged_order(decisions=decided(three_pl_status=ThreePlStatus.DO_NOT_TRANSFER)), Settings(), NOON)
IMPLIED = ThreePlDecision(by="ada", at=NOON, three_pl_status=ThreePlStatus.DO_NOT_TRANSFER, is_implied=True)

BLOCKED: dict[str, tuple[Order, Surroundings, tuple[BlockedBy, ...]]] = {
    "ready": (a_judged_order(three_pl_status=ThreePlStatus.NOW), around(), ()),
    "dispatched": (
        a_judged_order(three_pl_status=ThreePlStatus.DO_NOT_TRANSFER, dispatched_by="us", fully_dispatched_at=NOON),
        around(),
        (),
    ),
    "pending": (an_order(), around(), ("pending",)),
    "held": (a_held_order(), around(), ("held",)),
    "held by hand": (
        a_judged_order(
            stage=NEEDS_ATTENTION,
            three_pl_status=ThreePlStatus.DO_NOT_TRANSFER,
            decisions=decided(hold=by_hand()),
        ),
        around(),
        ("held",),
    ),
    "ready, but frozen": (a_judged_order(three_pl_status=ThreePlStatus.NOW), around(is_frozen=True), ("frozen",)),
    "ready, but on trial": (
        a_judged_order(three_pl_status=ThreePlStatus.NOW),
        around(trial_mode=True),
        ("trialMode",),
    ),
    "ready, but too old": (
        a_judged_order(three_pl_status=ThreePlStatus.NOW),
        around(go_live_date=CREATED + timedelta(milliseconds=1)),
        ("beforeGoLive",),
    ),
    "created as it goes live": (
        a_judged_order(three_pl_status=ThreePlStatus.NOW),
        around(go_live_date=CREATED),
        (),
    ),
    "created as it goes live, and stopped": (STOPPED, around(go_live_date=CREATED), ("doNotTransfer",)),
    "stopped": (STOPPED, around(), ("doNotTransfer",)),
    "not dispatched": (a_judged_order(), around(), ("notFullyDispatched",)),
    "incomplete": (
        a_judged_order(three_pl_status=ThreePlStatus.NOW, missing=(Missing(field="email", reason=DIFFERS),)),
        around(),
        ("incomplete",),
    ),
    "handed over": (a_judged_order(three_pl_status=ThreePlStatus.TRANSFERRED), around(), ("handedOver",)),
    "of Amazon": (judged(an_order(an_fba_order()), Settings(), NOON), around(), ("fulfilledByAmazon",)),
    "redacted": (a_judged_order(redacted_at=NOON), around(), ("redacted",)),
    "void": (a_judged_order(voided_at=NOON), around(), ("void",)),
    "shipped": (a_judged_order(an_amazon_order(fulfillment_status="SHIPPED")), around(), ("shipped",)),
    "a draft": (a_judged_order(an_amazon_order(fulfillment_status="PENDING")), around(), ("draft",)),
}


def test_every_reason_that_blocks_an_order_is_tested() -> None:
    assert {reason for _, _, reasons in BLOCKED.values() for reason in reasons} == set(get_args(BlockedBy))


@pytest.mark.parametrize(("order", "surroundings", "reasons"), BLOCKED.values(), ids=BLOCKED)
def test_a_blocked_order_says_why(order: Order, surroundings: Surroundings, reasons: tuple[BlockedBy, ...]) -> None:
    assert blocked_by(Summary.of(order), surroundings) == reasons


def test_all_reasons_that_block_an_order_are_told() -> None:
    surroundings = around(is_frozen=True, trial_mode=True)

    assert blocked_by(HELD, surroundings) == ("held", "frozen", "trialMode")


@pytest.mark.parametrize("case", [case for case, (_, _, reasons) in BLOCKED.items() if not reasons])
def test_only_an_order_that_nothing_blocks_may_leave(case: str) -> None:
    order, surroundings, _ = BLOCKED[case]

    assert may_be_fulfilled(Summary.of(order), surroundings)


# Going nowhere --------------------------------------------------------------------------------------------------------


def test_an_order_that_a_person_stopped_does_not_go_nowhere() -> None:
    assert not goes_nowhere(Summary.of(STOPPED), around(), NOON)


def test_an_order_not_transferred_by_default_does_not_go_nowhere() -> None:
    order = a_judged_order(settings=TO_BE_TRANSFERRED_BY_HAND)
    surroundings = around(default_three_pl_status=ThreePlStatus.DO_NOT_TRANSFER)

    assert blocked_by(Summary.of(order), surroundings) == ("doNotTransfer",)
    assert not goes_nowhere(Summary.of(order), surroundings, NOON)


def test_an_order_not_transferred_that_nobody_stopped_goes_nowhere() -> None:
    order = a_judged_order(settings=TO_BE_TRANSFERRED_BY_HAND)

    assert goes_nowhere(Summary.of(order), around(), NOON)


def test_an_order_that_a_stage_alone_stopped_goes_nowhere() -> None:
    order = judged(STOPPED.with_(decisions=decided().with_(three_pl_status=IMPLIED)), Settings(), LATER)

    assert goes_nowhere(Summary.of(order), around(), NOON)


@pytest.mark.parametrize("order", [STOPPED, a_judged_order()], ids=["stopped", "not dispatched"])
def test_a_blocked_order_goes_nowhere_once_its_ship_by_has_passed(order: Order) -> None:
    assert not goes_nowhere(Summary.of(order), around(), SHIP_BY - timedelta(seconds=1))
    assert goes_nowhere(Summary.of(order), around(), SHIP_BY)


def test_an_order_the_warehouse_could_not_pick_goes_nowhere_when_late() -> None:
    failed = a_judged_order(settings=TO_BE_TRANSFERRED_BY_HAND).with_(three_pl_status=ThreePlStatus.WITH_ERRORS)

    assert not goes_nowhere(Summary.of(failed), around(), SHIP_BY - timedelta(seconds=1))
    assert goes_nowhere(Summary.of(failed), around(), SHIP_BY)
    sent = failed.with_(fully_dispatched_at=NOON, dispatched_by="warehouse")
    assert not goes_nowhere(Summary.of(sent), around(), SHIP_BY)
    assert not goes_nowhere(Summary.of(failed), around(trial_mode=True), SHIP_BY)


def test_an_order_that_may_leave_never_goes_nowhere() -> None:
    assert not goes_nowhere(READY, around(), SHIP_BY)


def test_unsent_orders_are_counted_if_they_go_nowhere_or_were_stopped() -> None:
    forgotten = a_judged_order(settings=TO_BE_TRANSFERRED_BY_HAND)
    stopped_and_held = a_held_order(decisions=decided(three_pl_status=ThreePlStatus.DO_NOT_TRANSFER))
    stopped_and_void = STOPPED.with_(voided_at=NOON)
    orders = [forgotten, STOPPED, stopped_and_held, stopped_and_void, a_judged_order()]
    summaries = [Summary.of(order) for order in orders]

    assert UnsentCounts.of(summaries, around(), NOON) == (1, 2)
    # Past its ship-by, what a person stopped goes nowhere too: somebody has to look at it once more.
    assert UnsentCounts.of(summaries, around(), SHIP_BY) == (3, 2)


def test_the_counts_of_unsent_orders_add_up() -> None:
    assert UnsentCounts.total([UnsentCounts(2, 3), UnsentCounts(0, 1)]) == (2, 4)
    assert UnsentCounts.total([]) == (0, 0)


SOMEBODY_ELSES_TURN = [
    case for case, (_, _, reasons) in BLOCKED.items() if not {*reasons} <= {"doNotTransfer", "notFullyDispatched"}
]


@pytest.mark.parametrize("case", SOMEBODY_ELSES_TURN)
def test_an_order_that_is_held_or_not_ours_never_goes_nowhere(case: str) -> None:
    order, surroundings, _ = BLOCKED[case]

    assert not goes_nowhere(Summary.of(order), surroundings, SHIP_BY)


@pytest.mark.parametrize(
    ("rejudgement", "is_rejudging"),
    [
        (None, False),
        (Rejudgement(requested_by="ada", requested_at=NOON, stages=()), True),
        (Rejudgement(requested_by="ada", requested_at=NOON, stages=(), finished_at=NOON), False),
    ],
)
def test_a_rejudgement_goes_on_until_it_is_finished(rejudgement: Rejudgement | None, is_rejudging: bool) -> None:
    surroundings = Surroundings.of(an_integration(), Incidents(), Stages(), is_all_frozen=False)
    state = IntegrationState(surroundings, LiveDownload.starting(NOON), Proofs(), None, rejudgement, None)

    assert state.is_rejudging is is_rejudging
    assert (state.integration, state.incidents) == (surroundings.integration, surroundings.incidents)

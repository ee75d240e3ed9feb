"""The standing of orders at one moment, and the counts of those that are held."""

from datetime import timedelta
from typing import Any, get_args

import pytest

from needs_attention.downloads.live import LiveDownload
from needs_attention.downloads.proofs import Proofs
from needs_attention.integrations.incidents import Incident, Incidents
from needs_attention.integrations.integration import Integration, Rejudgement
from needs_attention.integrations.stages import Stages
from needs_attention.integrations.standing import (
    HeldCounts,
    IntegrationState,
    OrderStanding,
    may_be_fulfilled,
    may_be_transferred,
)
from needs_attention.integrations.surroundings import Surroundings
from needs_attention.orders.checks import CHECK_OF
from needs_attention.orders.order import Hold
from needs_attention.orders.settings import Settings, ThreePlStatus
from needs_attention.orders.summary import Summary
from needs_attention.orders.urgency import Age, Queue, ShipByState
from tools.builders import NOON, SHIP_BY, a_held_order, a_judged_order, an_amazon_order

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
        settings=Settings(**settings),
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
    assert OrderStanding.of(HELD, around(), NOON) == (None, "onTrack", "waitingForAmazon")
    assert OrderStanding.of(HELD, around(), SHIP_BY - timedelta(hours=24)) == (None, "atRisk", "yours")


def test_an_order_that_lacks_a_vanished_field_waits_for_the_connection() -> None:
    assert OrderStanding.of(HELD, around(VANISHED), NOON) == ("fieldsVanished", "onTrack", "connectionAtFault")


def test_an_order_ready_to_release_waits_for_a_person() -> None:
    assert OrderStanding.of(HELD.model_copy(update={"ready_to_release": True}), around(), NOON).queue == "yours"


def test_a_sent_order_has_no_deadline_any_longer() -> None:
    sent = Summary.of(a_judged_order(an_amazon_order(fulfillment_status="SHIPPED")))

    assert OrderStanding.of(sent, around(), SHIP_BY) == (None, None, None)


def test_held_orders_are_counted_under_every_name() -> None:
    snoozed = a_held_order(hold=Hold(kind="snoozed", since=NOON - timedelta(days=4)), missing=())
    counts = HeldCounts.of([HELD, Summary.of(snoozed)], around(), NOON)

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


@pytest.mark.parametrize(
    ("rejudgement", "is_rejudging"),
    [
        (None, False),
        (Rejudgement(requested_by="ada", requested_at=NOON, stages=()), True),
        (Rejudgement(requested_by="ada", requested_at=NOON, stages=(), finished_at=NOON), False),
    ],
)
def test_a_rejudgement_goes_on_until_it_is_finished(rejudgement: Rejudgement | None, is_rejudging: bool) -> None:
    state = IntegrationState(
        an_integration(), LiveDownload.starting(NOON), Proofs(), None, rejudgement, incidents=Incidents()
    )

    assert state.is_rejudging is is_rejudging

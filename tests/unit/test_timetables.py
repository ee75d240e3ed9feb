"""How long things wait and how often they are tried, as people are told: in minutes and hours, not by their names."""

from datetime import datetime, timedelta

import pytest

from needs_attention.downloads.by_id import Redownload
from needs_attention.downloads.second_look import OrderReport, Reconciliation
from needs_attention.downloads.walk import Walk
from needs_attention.integrations.integration import Rejudgement
from needs_attention.orders.order import Order
from needs_attention.orders.settings import Settings
from needs_attention.orders.urgency import ship_by_state
from needs_attention.orders.verdict import judged, next_redownload
from tools.builders import CREATED, NOON, an_amazon_order, an_order
from tools.from_template import function_property, functions_timeout

MOMENT, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("milliseconds", "minutes", "hours", "days"))
LOOKED = Reconciliation(updated_after=NOON - DAY, updated_before=NOON, walk=Walk(reached=NOON))


def held() -> Order:
    return judged(an_order(an_amazon_order(buyer_email=None)), Settings(), NOON)


def test_a_held_order_is_asked_for_six_times_in_a_day() -> None:
    asked: list[datetime] = []
    while next_time := next_redownload(held(), asked[-1] if asked else NOON):
        asked.append(next_time)
    assert [time - NOON for time in asked] == [2 * MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY]


def test_an_order_is_given_up_at_the_twelfth_failure() -> None:
    wanted: Redownload | None = Redownload(order_id="701-1", cause="requested", wanted_at=NOON)
    failures = 0
    while wanted:
        wanted = wanted.failed(NOON)
        failures += 1
    assert failures == 12


@pytest.mark.parametrize(
    ("before", "state"),
    [(DAY + MOMENT, "onTrack"), (DAY, "atRisk"), (MOMENT, "atRisk"), (timedelta(), "overdue")],
)
def test_an_order_is_at_risk_a_day_before_its_deadline(before: timedelta, state: str) -> None:
    assert ship_by_state(NOON, NOON - before) == state


def test_a_report_that_is_not_there_after_six_hours_is_overdue() -> None:
    report = OrderReport(report_id="r1", requested_at=NOON)
    assert not report.is_overdue(NOON + 6 * HOUR)
    assert report.is_overdue(NOON + 6 * HOUR + MOMENT)


def test_a_second_look_that_fails_waits_five_minutes_or_an_hour() -> None:
    asked = LOOKED.model_copy(update={"report": OrderReport(report_id="r1", requested_at=NOON)})
    failed, without = asked.failed("no answer", NOON), asked.without_report("cancelled", NOON)
    assert (failed.retry_at, failed.report) == (NOON + 5 * MINUTE, asked.report)
    assert (without.retry_at, without.report) == (NOON + HOUR, None)


def test_a_second_look_names_twenty_missed_orders_and_counts_all() -> None:
    names = [f"701-{number}" for number in range(21)]
    looked = LOOKED.found(names[:2]).found(names[2:])
    assert (looked.missed, looked.missed_count) == (tuple(names[:20]), 21)


def test_a_rejudgement_begins_after_whoever_read_earlier_settings_has_ended() -> None:
    job = Rejudgement(requested_by="ada", requested_at=NOON, stages=())
    changing = functions_timeout()  # of the request that changes the settings, and of those that change orders
    validating = timedelta(seconds=function_property("ValidateOrdersFunction", "Timeout"))
    indexes_lag = timedelta(seconds=10)
    assert function_property("EditOrdersFunction", "Timeout") <= validating.total_seconds()
    assert job.begins_at >= NOON + changing + validating + indexes_lag
    assert job.begins_at == NOON + 2 * MINUTE


def test_personal_data_is_due_26_days_after_delivery_and_30_after_a_missed_ship_by() -> None:
    sent = an_amazon_order(fulfillment_status="SHIPPED", deliver_by_earliest=NOON)
    assert an_order(sent).redact_at == NOON + 26 * DAY
    assert an_order(an_amazon_order(ship_by=NOON)).redact_at == NOON + 30 * DAY
    never = {"ship_by": None, "deliver_by": None, "deliver_by_earliest": None}
    assert an_order(an_amazon_order(**never)).redact_at == CREATED + (60 + 26) * DAY
    lasting = an_amazon_order(ship_by=NOON + 900 * DAY)
    assert an_order(lasting).redact_at == CREATED + 396 * DAY

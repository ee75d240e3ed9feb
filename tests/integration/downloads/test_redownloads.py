"""Single orders by their IDs: held ones by their timetable, those that people want, those that Amazon changed."""

from datetime import timedelta
from typing import Any

import pytest

from needs_attention.amazon.client import SellingPartnerApi
from needs_attention.amazon.errors import AmazonUnavailable
from needs_attention.downloads.by_id import Redownload
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.orders.order import Order
from needs_attention.orders.settings import Settings
from needs_attention.orders.verdict import judged
from tests.integration.downloads.conftest import DAY, HOUR, MINUTE, NOON, RETRY, World, held
from tests.integration.faults import watched
from tools.amazon_stand_in.misbehaviour import Misbehaviour
from tools.builders import an_amazon_order, an_order

SECOND = timedelta(seconds=1)
UNKNOWN, OTHER = "999-9999999-9999999", "000-0000000-0000000"


@pytest.fixture
def known(world: World) -> World:
    """Everything is downloaded and judged, and live downloads are not due for a while."""
    world.change(settings=IntegrationSettings(download_pending_orders=True, live_download_every_minutes=24 * 60))
    world.backdate()
    world.run()
    world.judge_all()
    world.amazon.forget_requests()
    return world


def asked_for(world: World) -> list[str]:
    return [request.path.rpartition("/")[2] for request in world.amazon.requests() if request.operation == "getOrder"]


def a_new_order(world: World, order_id: str = UNKNOWN) -> str:
    world.amazon.put(dict(world.amazon.order(min(world.ledger())).order) | {"orderId": order_id})
    return order_id


# By their timetable ---------------------------------------------------------------------------------------------------


def test_a_held_order_is_asked_for_again_by_id_and_heals(world: World) -> None:
    order_id = held(world)
    world.amazon.patch(order_id, {"buyer": {"buyerEmail": "late@marketplace.example.com"}})
    world.run_for(3 * MINUTE)
    assert world.order(order_id).is_pending
    world.judge_all()
    order = world.order(order_id)
    assert (order.hold, order.redownload_at) == (None, None)


@pytest.mark.parametrize(
    ("bucket", "asked", "status"),
    [("search_bucket", "getOrder", "waitingForQuota"), ("get_bucket", "searchOrders", "finished")],
)
def test_an_operation_without_quota_delays_no_other(world: World, bucket: str, asked: str, status: str) -> None:
    order_id = held(world)
    world.clock.advance(20 * MINUTE)
    world.backdate(download_id="d2")
    empty = getattr(world.live, bucket).emptied(world.clock())
    world.downloads.save_live_download("demo", world.live.model_copy(update={bucket: empty}))
    world.amazon.forget_requests()
    world.run()
    assert {request.operation for request in world.amazon.requests()} - {"login"} == {asked}
    assert world.backdated("d2").status == status
    assert world.order(order_id).redownload_at is not None


def test_a_held_order_is_asked_for_at_2_5_15_60_minutes_6_and_24_hours(world: World) -> None:
    order_id = held(world)
    world.run_for(65 * MINUTE)
    world.run_for(30 * HOUR, tick=HOUR)
    asked = [request.at - NOON for request in world.amazon.requests() if request.path.endswith(order_id)]
    assert [round(time / MINUTE) for time in asked] == pytest.approx([2, 5, 15, 60, 365, 1445], abs=1)
    assert world.order(order_id).redownload_at is None


def test_the_order_that_has_been_due_longest_is_asked_for_first(world: World) -> None:
    """Whatever else was due of the other one before."""
    for order_id, ship_by, asked_at in ((OTHER, NOON + DAY, 2 * MINUTE), (UNKNOWN, NOON + 9 * DAY, MINUTE)):
        amazon = an_amazon_order(order_id=order_id, ship_by=ship_by, buyer_email=None)
        order = judged(an_order(amazon, integration="demo"), Settings(), NOON).with_(redownload_at=NOON + asked_at)
        world.orders.save(None, order, by="amazon", at=NOON, cause="download")
    world.clock.advance(2 * MINUTE)
    world.run()
    assert asked_for(world) == [UNKNOWN, OTHER]


def test_an_order_that_amazon_no_longer_knows_is_not_asked_for_again(world: World) -> None:
    order_id = held(world)
    world.dynamodb.delete_item(TableName="OrdersTable", Key={"orderId": {"S": order_id}})
    stranger = world.order(next(iter(world.items()))).amazon.model_copy(update={"order_id": "999-9999999-9999999"})
    order = world.orders.save(None, Order.first_seen("demo", stranger, NOON), by="amazon", at=NOON, cause="download")
    world.orders.ask_again(order, NOON)
    world.run_for(2 * MINUTE)
    assert world.order(order.order_id).redownload_at is None


def test_one_order_that_amazon_refuses_to_show_holds_up_nothing(world: World) -> None:
    order_id = held(world)
    world.amazon.misbehave(Misbehaviour.ACCESS_DENIED, operations=["getOrder"], times=None)
    cursor = world.live.walk.reached
    world.run_for(30 * MINUTE)
    assert world.live.walk.reached > cursor
    assert not world.incidents
    assert world.order(order_id).redownload_at == NOON + HOUR


# Wanted by people -----------------------------------------------------------------------------------------------------


def test_an_order_that_a_person_wants_is_asked_for_once_in_the_next_run(known: World) -> None:
    order_id = min(known.ledger())
    known.amazon.patch(order_id, {"buyer": {"buyerCompanyName": "Renamed Ltd"}})
    known.want(order_id)
    known.run()
    order = known.order(order_id)
    assert order.amazon.buyer_company_name == "Renamed Ltd"
    assert order.last_change is not None
    assert order.last_change.cause == "redownload"
    known.clock.advance(MINUTE)
    known.run()
    assert asked_for(known) == [order_id]


def test_thirty_orders_that_people_want_are_answered_in_one_burst(known: World) -> None:
    wanted = sorted(known.ledger())[:30]
    for order_id in wanted:
        known.want(order_id)
    known.run(lasting=MINUTE)
    assert asked_for(known) == wanted


def test_wishes_of_people_come_before_those_of_the_clock(world: World) -> None:
    due = held(world)
    wanted = next(order_id for order_id in world.ledger() if order_id != due)
    world.clock.advance(3 * MINUTE)
    world.amazon.forget_requests()
    world.want(wanted)
    world.run()
    assert asked_for(world)[:2] == [wanted, due]


def test_an_edit_at_the_same_time_does_not_drop_what_a_person_wants(known: World) -> None:
    order = known.order(min(known.ledger()))
    known.want(order.order_id)
    edits = order.edits.with_typed("email", "typed@buyers.example.com", order.amazon)
    known.orders.save(order, order.with_(edits=edits), by="zoe", at=NOON, cause="edit")
    known.run()
    assert asked_for(known) == [order.order_id]


@pytest.mark.parametrize("kind", [Misbehaviour.ACCESS_DENIED, Misbehaviour.INVALID_INPUT, Misbehaviour.TRUNCATED_JSON])
def test_a_wish_of_a_person_outlives_an_unusable_answer(known: World, kind: Misbehaviour) -> None:
    order_id = min(known.ledger())
    known.want(order_id)
    known.amazon.misbehave(kind, operations=["getOrder"], times=2 if kind is Misbehaviour.ACCESS_DENIED else 1)
    known.run()
    known.amazon.forget_requests()
    known.run_for(RETRY)
    assert asked_for(known) == [order_id]


def test_an_order_that_amazon_never_sends_is_given_up_after_an_hour(known: World) -> None:
    order_id = min(known.ledger())
    known.want(order_id)
    known.amazon.misbehave(Misbehaviour.INVALID_INPUT, operations=["getOrder"], times=None)
    known.run_for(3 * HOUR, tick=5 * MINUTE)
    assert asked_for(known) == [order_id] * 12
    assert known.downloads.due_redownloads("demo", "requested", known.clock() + HOUR) == ()


def test_while_amazon_does_not_answer_nothing_that_is_wanted_is_lost(known: World) -> None:
    wanted = sorted(known.ledger())[:3]
    for order_id in wanted:
        known.want(order_id)
    known.amazon.misbehave(Misbehaviour.HTML_503, operations=["getOrder"])
    known.run()
    assert len(asked_for(known)) == 1
    known.amazon.forget_requests()
    known.clock.advance(MINUTE)
    known.run()
    assert asked_for(known) == wanted[1:]
    known.clock.advance(RETRY)
    known.run()
    assert asked_for(known) == [*wanted[1:], wanted[0]]


def test_an_order_that_amazon_does_not_have_is_wanted_once(known: World) -> None:
    known.want(UNKNOWN)
    known.run_for(10 * MINUTE)
    assert asked_for(known) == [UNKNOWN]


@pytest.mark.parametrize("kind", [Misbehaviour.INVALID_INPUT, Misbehaviour.TRUNCATED_JSON])
def test_after_an_order_that_amazon_does_not_send_a_run_asks_for_the_next(known: World, kind: Misbehaviour) -> None:
    wanted = sorted(known.ledger())[:2]
    for order_id in wanted:
        known.want(order_id)
    known.amazon.misbehave(kind, operations=["getOrder"])
    known.run()
    assert asked_for(known) == wanted


def test_after_an_order_that_amazon_does_not_have_a_run_asks_for_the_next(known: World) -> None:
    wanted = sorted([OTHER, min(known.ledger())])
    for order_id in wanted:
        known.want(order_id)
    known.run()
    assert asked_for(known) == wanted
    assert known.order(wanted[1]).last_change is not None


def test_an_order_wanted_again_while_its_answer_arrives_is_asked_for_again(
    known: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = min(known.ledger())
    get_order = SellingPartnerApi.get_order

    def somebody_asks_meanwhile(api: SellingPartnerApi, order_id: str) -> Any:
        answer = get_order(api, order_id)
        monkeypatch.undo()
        known.clock.advance(SECOND)
        known.want(order_id)
        return answer

    monkeypatch.setattr(SellingPartnerApi, "get_order", somebody_asks_meanwhile)
    known.want(order_id)
    known.run()
    known.clock.advance(MINUTE)
    known.run()
    assert asked_for(known) == [order_id] * 2


# Changed at Amazon, as notifications say ------------------------------------------------------------------------------


def test_an_order_told_as_changed_is_stored_long_before_live_downloads(known: World) -> None:
    cursor = known.live.walk.reached
    known.clock.advance(MINUTE)
    known.hint(a_new_order(known), known.clock())
    known.run()
    order = known.order(UNKNOWN)
    assert order.last_change is not None
    assert (order.last_change.cause, order.is_pending) == ("orderChange", True)
    assert known.live.walk.reached == cursor


def test_a_version_that_is_stored_costs_no_call(known: World) -> None:
    order = known.order(min(known.ledger()))
    known.hint(order.order_id, order.amazon.updated_at)
    known.run()
    assert asked_for(known) == []
    assert known.downloads.due_redownloads("demo", "orderChange", known.clock() + HOUR) == ()


def test_a_change_that_live_downloads_have_long_passed_costs_no_call(known: World) -> None:
    known.hint(UNKNOWN, known.live.walk.reached - 30 * MINUTE)
    known.run()
    assert asked_for(known) == []
    assert known.downloads.due_redownloads("demo", "orderChange", known.clock() + HOUR) == ()


def test_a_change_told_twice_or_in_the_wrong_order_is_asked_for_once(known: World) -> None:
    order_id = min(known.ledger())
    known.clock.advance(MINUTE)
    newest = known.clock()
    known.amazon.patch(order_id, {"fulfillment": {"fulfillmentStatus": "SHIPPED"}}, last_updated_time=newest)
    for changed_at in (newest, newest - 2 * SECOND, newest):
        known.hint(order_id, changed_at)
    (hint,) = known.downloads.due_redownloads("demo", "orderChange", known.clock() + HOUR)
    assert hint.changed_at == newest
    known.run()
    known.hint(order_id, newest)
    known.run()
    assert asked_for(known) == [order_id]


def test_more_changes_than_one_run_reads_are_all_asked_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("needs_attention.tables.downloads.MOST_REDOWNLOADS_READ", 10)
    world.change(settings=IntegrationSettings(download_pending_orders=True, live_download_every_minutes=24 * 60))
    world.run()
    for order_id in world.ledger():
        world.hint(order_id, world.clock())
    world.run_for(5 * MINUTE)
    assert world.items().keys() == world.ledger()


def test_held_orders_are_asked_for_before_those_told_as_changed(world: World) -> None:
    due = held(world)
    world.clock.advance(3 * MINUTE)
    world.hint(a_new_order(world), world.clock())
    world.amazon.forget_requests()
    world.run()
    assert asked_for(world)[:2] == [due, UNKNOWN]


def test_finds_of_the_second_look_take_turns_with_changes_amazon_tells_of(known: World) -> None:
    known.clock.advance(MINUTE)
    told = [a_new_order(known, f"999-999999{number}-9999999") for number in range(3)]
    for order_id in told:
        known.hint(order_id, known.clock())
    found = a_new_order(known, "999-0000000-0000000")
    hint = Redownload(order_id=found, cause="reconciliation", wanted_at=known.clock(), changed_at=known.clock())
    known.downloads.want_redownload("demo", hint)
    known.run()
    assert asked_for(known) == [told[0], found, *told[1:]]


def test_a_find_of_the_second_look_is_asked_for_though_live_is_past_it(known: World) -> None:
    found = Redownload(
        order_id=a_new_order(known), cause="reconciliation", wanted_at=NOON, changed_at=NOON - 30 * MINUTE
    )
    known.downloads.want_redownload("demo", found)
    known.run()
    assert asked_for(known) == [UNKNOWN]


def test_an_order_of_another_marketplace_is_none_of_this_integration(known: World) -> None:
    known.change(marketplace_ids=("ATVPDKIKX0DER",))
    entry = next(entry for entry in known.amazon.orders() if entry.marketplace_id == "A2EUQ1WTGCTBG2")
    known.amazon.put(dict(entry.order) | {"orderId": UNKNOWN})
    known.clock.advance(MINUTE)
    known.hint(UNKNOWN, known.clock())
    known.run()
    assert asked_for(known) == [UNKNOWN]
    assert UNKNOWN not in known.items()


# Trouble at Amazon ----------------------------------------------------------------------------------------------------


@pytest.fixture
def poisoned(known: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """One order to which Amazon always answers that it has an internal error."""
    get_order = SellingPartnerApi.get_order
    poison = min(known.ledger())

    def fails_for_one(api: SellingPartnerApi, order_id: str) -> Any:
        answer = get_order(api, order_id)
        if order_id == poison:
            raise AmazonUnavailable("getOrder: Amazon gave no reason", status=500)
        return answer

    monkeypatch.setattr(SellingPartnerApi, "get_order", fails_for_one)
    return poison


def test_an_order_that_amazon_never_answers_for_keeps_no_other_waiting(known: World, poisoned: str) -> None:
    healthy = max(known.ledger())
    known.want(poisoned)
    known.want(healthy)
    known.run_for(3 * MINUTE)
    assert asked_for(known) == [poisoned, healthy]
    known.run_for(2 * HOUR)
    assert asked_for(known).count(poisoned) >= 20  # Amazon may have trouble for hours: it is not given up


def test_a_held_order_that_amazon_never_answers_for_keeps_no_other_waiting(known: World, poisoned: str) -> None:
    order = known.order(poisoned)
    known.orders.ask_again(order, NOON)
    known.clock.advance(MINUTE)
    known.hint(a_new_order(known), known.clock())
    known.run_for(3 * MINUTE)
    assert UNKNOWN in known.items()
    assert asked_for(known).count(poisoned) == 1


def test_orders_that_wait_for_a_retry_hide_none_that_are_due(known: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("needs_attention.tables.downloads.MOST_REDOWNLOADS_READ", 5)
    *refused, healthy = sorted(known.ledger())[:11]
    for order_id in refused:
        known.want(order_id)
    known.amazon.misbehave(Misbehaviour.INVALID_INPUT, operations=["getOrder"], times=len(refused))
    known.run_for(2 * MINUTE)
    known.want(healthy)
    known.amazon.forget_requests()
    known.clock.advance(MINUTE)
    known.run()
    assert asked_for(known) == [healthy]


def test_an_empty_bucket_costs_no_reading(known: World) -> None:
    empty = known.live.get_bucket.emptied(known.clock())
    known.downloads.save_live_download("demo", known.live.model_copy(update={"get_bucket": empty}))
    known.want("701-2222222-2222222")
    assert redownloads_read(known) == []
    known.clock.advance(MINUTE)
    assert redownloads_read(known) == ["redownload#", "redownload#requested#"]


def redownloads_read(world: World) -> list[str]:
    """A run's requests to the table for orders that are wanted by ID."""
    with watched() as calls:
        world.run(lasting=MINUTE * 0)
    asked = (call.parameters.get("ExpressionAttributeValues", {}).get(":prefix", {}).get("S", "") for call in calls)
    return [prefix for prefix in asked if prefix.startswith("redownload#")]

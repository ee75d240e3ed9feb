"""Downloads from the stand-in's Amazon into the orders table: the orders that come in, the cost, and the faults."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from needs_attention.amazon.client import SearchPage, SellingPartnerApi
from needs_attention.amazon.errors import AmazonUnavailable
from needs_attention.downloads.backdated import BackdatedDownload
from needs_attention.downloads.live import OverdueVerdicts
from needs_attention.downloads.walk import AMAZONS_MARGIN, Pace, Walk
from needs_attention.integrations.integration import OLD_VERDICTS_END_AFTER, Rejudgement
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.jobs.validation import Validation
from needs_attention.orders.order import Order
from needs_attention.orders.settings import NEEDS_ATTENTION, NEW, Checks
from tests.integration.downloads.conftest import DAY, HOUR, MINUTE, NOON, RETRY, World, held
from tests.integration.faults import watched
from tools.amazon_stand_in.generator import generated
from tools.amazon_stand_in.ledger import amazon_time
from tools.amazon_stand_in.misbehaviour import Misbehaviour
from tools.builders import decided, snoozed


class Killed(BaseException):
    """The process ends here, as if the machine had gone."""


# Orders that come in --------------------------------------------------------------------------------------------------


def test_a_backdated_download_brings_every_order_of_its_window(world: World) -> None:
    world.backdate()
    world.run()
    assert world.items().keys() == world.ledger()
    download = world.backdated()
    assert (download.status, download.counts.new) == ("finished", 40)


def test_every_order_that_comes_in_waits_for_its_verdict_and_may_not_leave(world: World) -> None:
    world.backdate()
    world.run()
    orders = [world.order(order_id) for order_id in world.items()]
    assert all(order.is_pending and not order.is_fulfillable for order in orders)


def test_a_backdated_download_does_not_move_the_live_cursor(world: World) -> None:
    world.run()
    cursor = world.live.walk.reached
    world.backdate()
    world.run()
    assert world.backdated().status == "finished"
    assert world.live.walk.reached == cursor


def test_a_run_with_nothing_to_do_reads_six_times_and_writes_its_next_wake_up(world: World) -> None:
    """A wake-up may come twice."""
    world.run()
    world.clock.advance(MINUTE)
    with watched() as calls:
        world.run()
    prefixes = [call.parameters.get("ExpressionAttributeValues", {}).get(":prefix", {}).get("S") for call in calls]
    assert [call.operation for call in calls] == ["BatchGetItem", *["Query"] * 5, "PutItem"]
    assert prefixes == [None, None, "download#", "redownload#", "setAside#", None, None]


def test_a_live_search_that_brings_nothing_writes_three_times(world: World) -> None:
    """Before the call, since it takes of the quota, after it, and when the next run is."""
    world.run()
    world.clock.advance(6 * MINUTE)
    with watched() as calls:
        world.run()
    assert len(world.searches()) == 1
    assert [call.operation for call in calls if "Query" not in call.operation] == ["BatchGetItem", *["PutItem"] * 3]


def test_live_downloads_bring_changes_from_now_on_at_their_interval(world: World) -> None:
    world.run()
    assert world.items() == {}
    world.clock.advance(MINUTE)
    order_id = min(world.ledger())
    world.amazon.patch(order_id, {}, last_updated_time=world.clock())
    world.run_for(12 * MINUTE)
    assert set(world.items()) == {order_id}
    assert len(world.searches()) == 2


def test_a_setting_slows_the_live_download_down(world: World) -> None:
    world.change(settings=IntegrationSettings(live_download_every_minutes=30))
    world.run_for(61 * MINUTE)
    assert len(world.searches()) == 3


def test_orders_that_amazon_has_not_released_are_not_downloaded_by_default(world: World) -> None:
    order_id = min(world.ledger())
    world.amazon.patch(order_id, {"fulfillment": {"fulfillmentStatus": "PENDING"}})
    world.change(settings=IntegrationSettings())
    world.backdate()
    world.run()
    assert order_id not in world.items()
    assert world.items().keys() | {order_id} >= world.ledger() - {
        entry.order_id
        for entry in world.amazon.orders()
        if "PENDING" in entry.order["fulfillment"]["fulfillmentStatus"]
    }


def test_an_unchanged_order_costs_no_write(world: World) -> None:
    world.backdate()
    world.run()
    world.judge_all()
    world.run()  # tells of held orders whose ship-by has passed
    before = world.items()
    world.backdate(download_id="d2")
    world.run()
    assert world.items() == before
    assert (world.backdated("d2").counts.unchanged, world.backdated("d2").counts.changed) == (40, 0)


@pytest.mark.parametrize("has_orders", [False, True])
def test_a_page_with_errors_moves_no_cursor_and_is_asked_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch, has_orders: bool
) -> None:
    world.run()
    order = dict(world.amazon.order(min(world.ledger())).order)
    page = SearchPage((order,) if has_orders else (), None, None, None, "r-1", failure="searchOrders: Try again.")
    monkeypatch.setattr(SellingPartnerApi, "search_orders", lambda *_, **__: page)
    reached = world.live.walk.reached
    world.backdate()
    world.run_for(10 * MINUTE, tick=5 * MINUTE)
    assert world.live.walk.reached == reached
    assert (order["orderId"] in world.items()) == has_orders
    assert (world.backdated().counts.pages, "Try again." in str(world.backdated().failure)) == (0, True)
    monkeypatch.undo()
    world.run_for(20 * MINUTE, tick=5 * MINUTE)
    assert world.live.walk.reached > reached
    assert world.items().keys() == world.ledger()


def test_the_same_order_twice_on_a_page_is_one_order(world: World) -> None:
    world.amazon.misbehave(Misbehaviour.DUPLICATES, operations=["searchOrders"], times=None)
    world.backdate()
    world.run()
    assert world.items().keys() == world.ledger()


def test_a_large_account_is_walked_in_slices_of_about_a_page(world: World) -> None:
    world.amazon.set_usage_plan("searchOrders", rate=100, burst=1000)
    for entry in generated(450, now=NOON, seed=7):
        world.amazon.put(entry.order, missing=entry.missing)
    world.backdate()
    for _ in range(6):
        world.run()
        world.clock.advance(MINUTE)
    assert world.items().keys() == world.ledger()
    assert world.backdated().counts.pages < 20


def test_slices_of_several_pages_are_walked_again_once(world: World) -> None:
    world.amazon.set_usage_plan("searchOrders", rate=100, burst=1000)
    for entry in generated(450, now=NOON, seed=7):
        world.amazon.put(entry.order, missing=entry.missing)
    world.backdate()
    world.run_for(10 * MINUTE)
    world.amazon.forget_requests()
    world.run_for(30 * MINUTE)
    assert len(world.searches()) == 6  # those of the live download


def test_people_who_changed_an_order_meanwhile_keep_their_change(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.backdate()
    world.run()
    world.judge_all()
    order_id = min(world.items())
    amazons = world.order(order_id).amazon
    get_many = world.orders.get_many
    edited: list[Order] = []

    def read_and_then_somebody_edits(order_ids: Any) -> dict[str, Order]:
        found = get_many(order_ids)
        if order_id in found and not edited:
            order = found[order_id]
            edits = order.edits.with_typed("email", "zoe@buyers.example.com", order.amazon)
            edited.append(world.orders.save(order, order.with_(edits=edits), by="zoe", at=NOON, cause="edit"))
        return found

    monkeypatch.setattr(world.orders, "get_many", read_and_then_somebody_edits)
    world.amazon.patch(order_id, {"buyer": {"buyerCompanyName": "Renamed Ltd"}})
    world.backdate(download_id="d2")
    world.run()
    order = world.order(order_id)
    assert order.edits.email == "zoe@buyers.example.com"
    assert (amazons.buyer_company_name, order.amazon.buyer_company_name) != ("Renamed Ltd", None)
    assert order.is_pending


# The quota ------------------------------------------------------------------------------------------------------------


def test_the_rate_that_an_answer_names_is_the_rate_of_the_bucket(world: World) -> None:
    world.amazon.set_usage_plan("searchOrders", rate=0.1, burst=20)
    world.backdate()
    world.run()
    assert world.live.search_bucket.rate == 0.1


def test_the_rate_of_a_page_that_moves_nothing_on_is_kept_too(world: World) -> None:
    world.run()
    world.amazon.set_usage_plan("searchOrders", rate=0.1, burst=20)
    world.run_for(6 * MINUTE)
    assert world.live.search_bucket.rate == 0.1


def test_no_call_is_made_without_a_token(world: World) -> None:
    world.run()
    bucket = world.live.search_bucket.emptied(world.clock())
    world.downloads.save_live_download("demo", world.live.model_copy(update={"search_bucket": bucket}))
    world.amazon.forget_requests()
    world.backdate()
    world.run()
    assert world.searches() == []
    assert world.backdated().status == "waitingForQuota"


@pytest.mark.parametrize(("tokens", "searches"), [(2.9, 0), (3, 3)])
def test_a_slice_of_three_pages_waits_until_there_is_quota_for_all(world: World, tokens: float, searches: int) -> None:
    world.run()
    world.clock.advance(5 * MINUTE)
    now = world.clock()
    walk = Walk(reached=now - HOUR, pace=Pace().after(2_000, HOUR))
    bucket = world.live.search_bucket.model_copy(update={"tokens": tokens, "at": now})
    world.downloads.save_live_download("demo", world.live.model_copy(update={"walk": walk, "search_bucket": bucket}))
    world.amazon.forget_requests()
    world.run()
    assert len(world.searches()) == searches


def test_a_download_that_waits_for_quota_goes_on_when_there_is_some(world: World) -> None:
    world.run()
    bucket = world.live.search_bucket.emptied(world.clock())
    world.downloads.save_live_download("demo", world.live.model_copy(update={"search_bucket": bucket}))
    world.backdate()
    world.run_for(2 * HOUR, tick=10 * MINUTE)
    assert world.backdated().status == "finished"
    assert world.items().keys() == world.ledger()


def test_amazon_never_has_to_refuse_a_call_for_its_quota(world: World) -> None:
    world.backdate()
    world.run_for(3 * HOUR, tick=10 * MINUTE)
    assert {request.status for request in world.searches()} == {200}


def test_a_429_empties_the_bucket_and_loses_nothing(world: World) -> None:
    world.backdate()
    world.run(lasting=timedelta(0))
    world.amazon.misbehave(Misbehaviour.QUOTA_EXCEEDED, operations=["searchOrders"])
    world.run()
    assert world.live.search_bucket.tokens == 0
    assert not world.incidents
    world.run_for(2 * HOUR, tick=10 * MINUTE)
    assert world.items().keys() == world.ledger()


def test_a_run_whose_time_is_up_wakes_the_next_one(world: World) -> None:
    world.backdate()
    world.run(lasting=timedelta(0))
    assert world.woken == ["demo"]
    assert not world.backdated().is_over


# Faults ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("misbehaviour", "code"),
    [
        (Misbehaviour.HTML_503, "amazonUnavailable"),
        (Misbehaviour.JSON_500, "amazonUnavailable"),
        (Misbehaviour.DROPPED_CONNECTION, "amazonUnavailable"),
        (Misbehaviour.ACCESS_DENIED, "accessDenied"),
    ],
)
def test_a_failure_of_amazon_is_one_incident_that_closes_and_loses_nothing(
    world: World, misbehaviour: Misbehaviour, code: str
) -> None:
    world.backdate()
    reached = world.live.walk.reached
    world.clock.advance(10 * MINUTE)
    world.amazon.misbehave(misbehaviour, operations=["searchOrders"], times=None)
    world.run()
    (first,) = world.incidents.incidents
    world.run_for(20 * MINUTE, tick=2 * MINUTE)
    (still,) = world.incidents.incidents
    assert (first.code, still.code, still.since) == (code, code, first.since)
    assert world.live.walk.reached == reached
    assert len(world.searches()) <= 4 * 5
    world.amazon.behave()
    world.run_for(RETRY)
    assert not world.incidents
    assert world.items().keys() == world.ledger()


SEARCH_FAILS = [(Misbehaviour.TRUNCATED_JSON, "unreadableAnswer"), (Misbehaviour.INVALID_INPUT, "requestRejected")]


@pytest.mark.parametrize(("misbehaviour", "code"), SEARCH_FAILS)
def test_a_failed_live_search_is_one_incident_until_its_bounds_succeed(
    world: World, misbehaviour: Misbehaviour, code: str
) -> None:
    world.clock.advance(10 * MINUTE)
    order_id = min(world.ledger())
    world.amazon.patch(order_id, {}, last_updated_time=NOON + MINUTE)
    world.amazon.misbehave(misbehaviour, operations=["searchOrders"], times=2)
    world.run_for(12 * MINUTE)
    assert [request.status for request in world.searches()][:2] == [400 if code == "requestRejected" else 200] * 2
    assert set(world.items()) == {order_id}
    assert not world.incidents
    failed, again = (request.parameters["lastUpdatedBefore"] for request in world.searches()[:2])
    assert (failed == again) is (code == "requestRejected")  # it may be our clock that was wrong


@pytest.mark.parametrize(("misbehaviour", "code"), SEARCH_FAILS)
def test_a_failed_backdated_search_says_so_and_delays_no_live_download(
    world: World, misbehaviour: Misbehaviour, code: str
) -> None:
    world.run()
    world.backdate()
    api = world.api()
    search = api.search_orders

    def search_fails_for_the_past(**query: Any) -> Any:
        if query["updated_after"] < NOON - DAY:
            world.amazon.misbehave(misbehaviour, operations=["searchOrders"])
        return search(**query)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SellingPartnerApi, "search_orders", lambda _, **query: search_fails_for_the_past(**query))
        world.run_for(30 * MINUTE)
        download = world.backdated()
        assert (download.status, download.failures, bool(download.failure)) == ("queued", 6, True)
        assert world.live.walk.reached > NOON + 15 * MINUTE
        assert not world.incidents
        world.run_for(2 * HOUR)
    assert (world.backdated().status, world.backdated().failures) == ("failed", 12)


def test_a_backdated_search_that_amazon_never_answers_blocks_nothing_else(world: World) -> None:
    world.run()
    world.backdate()
    search = SellingPartnerApi.search_orders

    def never_answers_for_the_past(api: SellingPartnerApi, **query: Any) -> Any:
        if query["updated_after"] < NOON - DAY:
            raise AmazonUnavailable("Amazon gave no complete answer")
        return search(api, **query)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SellingPartnerApi, "search_orders", never_answers_for_the_past)
        world.run_for(2 * HOUR, tick=5 * MINUTE)
    download = world.backdated()
    assert (download.is_over, download.failures, bool(download.failure)) == (False, 0, True)
    assert world.live.walk.reached > NOON + 100 * MINUTE
    assert (world.live.blocked_until, bool(world.incidents)) == (None, False)
    world.run_for(HOUR, tick=5 * MINUTE)
    assert world.backdated().status == "finished"


def test_live_and_backdated_work_take_turns_while_quota_is_short(world: World) -> None:
    world.run()
    empty = world.live.search_bucket.emptied(world.clock())
    world.downloads.save_live_download("demo", world.live.model_copy(update={"search_bucket": empty}))
    world.backdate(since=700 * DAY)
    world.backdate(since=700 * DAY, download_id="d2")
    busy = Walk(reached=NOON - 2 * DAY, width=MINUTE)
    world.downloads.save_live_download("demo", world.live.model_copy(update={"walk": busy, "last_run_at": None}))
    world.amazon.forget_requests()
    world.run_for(HOUR)
    starts = [request.parameters["lastUpdatedAfter"] for request in world.searches()]
    is_live = [start > "2026-10-30" for start in starts]
    assert len(is_live) == 20
    assert not any(one and other for one, other in pairwise(is_live))
    assert is_live[:8:2] == [True] * 4


@pytest.mark.parametrize("misbehaviour", [Misbehaviour.LWA_INVALID_GRANT, Misbehaviour.LWA_INVALID_CLIENT])
def test_credentials_that_amazon_rejects_are_an_incident(world: World, misbehaviour: Misbehaviour) -> None:
    world.backdate()
    world.amazon.misbehave(misbehaviour, times=None)
    world.run()
    assert [one.code for one in world.incidents.incidents] == ["credentialsRejected"]
    assert world.searches() == []


def test_a_page_that_repeats_itself_for_ever_is_noticed(world: World) -> None:
    world.amazon.set_usage_plan("searchOrders", rate=100, burst=1000)
    busy_minute = NOON - HOUR
    for entry in generated(120, now=NOON, seed=3):
        world.amazon.put(entry.order | {"lastUpdatedTime": busy_minute.isoformat().replace("+00:00", "Z")})
    world.amazon.misbehave(Misbehaviour.REPEATED_PAGE, operations=["searchOrders"], times=None)
    world.backdate(since=2 * HOUR)
    world.run_for(HOUR, tick=10 * MINUTE)
    assert "repeats the pages before it" in (world.backdated().failure or "")
    world.amazon.behave()
    world.run_for(3 * HOUR, tick=10 * MINUTE)
    assert world.items().keys() >= {entry.order_id for entry in generated(120, now=NOON, seed=3)}


def test_a_page_token_that_died_starts_its_slice_again(world: World) -> None:
    world.amazon.set_usage_plan("searchOrders", rate=100, burst=1000)
    busy_minute = (NOON - HOUR).isoformat().replace("+00:00", "Z")
    for entry in generated(120, now=NOON, seed=3):
        world.amazon.put(entry.order | {"lastUpdatedTime": busy_minute})
    world.backdate(since=2 * HOUR)
    while world.backdated().walk.slice is None:
        world.run(lasting=timedelta(0))
        world.clock.advance(timedelta(seconds=1))
    world.clock.advance(25 * HOUR)
    world.run_for(10 * MINUTE)
    assert world.backdated().status == "finished"
    assert not world.incidents
    assert world.items().keys() >= {entry.order_id for entry in generated(120, now=NOON, seed=3)}


@pytest.mark.parametrize("misbehaviour", [Misbehaviour.NULL_FIELDS, Misbehaviour.BLANK_FIELDS])
def test_personal_data_that_amazon_stops_sending_stays(world: World, misbehaviour: Misbehaviour) -> None:
    world.backdate()
    world.run()
    world.judge_all()
    before = {order_id: world.order(order_id).amazon for order_id in world.items()}
    world.amazon.misbehave(misbehaviour, operations=["searchOrders"], times=None)
    world.backdate(download_id="d2")
    world.run()
    after = {order_id: world.order(order_id).amazon for order_id in world.items()}
    for order_id, amazon in before.items():
        assert after[order_id].recipient_name == amazon.recipient_name
        assert after[order_id].buyer_email == amazon.buyer_email
        assert after[order_id].delivery_address == amazon.delivery_address


def test_values_that_amazon_never_announced_do_not_spoil_a_page(world: World) -> None:
    world.amazon.misbehave(Misbehaviour.UNKNOWN_VALUES, operations=["searchOrders"], times=None)
    world.backdate()
    world.run()
    assert world.items().keys() == world.ledger()
    assert world.downloads.all_set_aside("demo") == ()


def test_an_order_that_cannot_be_read_is_set_aside_alone_until_it_can(world: World) -> None:
    world.amazon.misbehave(Misbehaviour.MALFORMED_ORDER, operations=["searchOrders"], times=None)
    world.backdate()
    world.run()
    world.amazon.behave()
    missing = world.ledger() - world.items().keys()
    aside = world.downloads.all_set_aside("demo")
    assert len(aside) == 1
    assert missing <= {aside[0].order_id}
    counts = world.backdated().counts
    assert (counts.orders, counts.set_aside) == (len(world.ledger()), 1)
    world.backdate(download_id="d2")
    world.run()
    assert world.items().keys() == world.ledger()
    assert world.downloads.all_set_aside("demo") == ()


def test_an_order_far_too_large_is_set_aside_and_the_others_come_in(world: World) -> None:
    order_id = min(world.ledger())
    line = dict(world.amazon.order(order_id).order["orderItems"][0])
    world.amazon.patch(order_id, {"orderItems": [line] * 3000})
    world.backdate()
    world.run()
    (aside,) = world.downloads.all_set_aside("demo")
    assert aside.order_id == order_id
    assert world.items().keys() == world.ledger() - {order_id}


@pytest.mark.parametrize("text", ["{", "[" * 100_000])
def test_an_order_with_a_spoilt_item_is_set_aside_and_the_others_come_in(world: World, text: str) -> None:
    order_id = min(world.ledger())
    spoilt = {"orderId": {"S": order_id}, "amazon": {"S": text}}
    world.dynamodb.put_item(TableName="OrdersTable", Item=spoilt)
    world.backdate()
    world.run()
    (aside,) = world.downloads.all_set_aside("demo")
    assert aside.order_id == order_id
    assert world.items().keys() == world.ledger()
    assert world.items()[order_id] == spoilt


def test_an_order_that_belongs_to_another_integration_is_set_aside(world: World) -> None:
    world.register("other")
    world.backdate()
    world.run()
    start = NOON - 30 * DAY
    theirs = world.backdated().model_copy(update={"revision": 0, "status": "queued", "walk": Walk(reached=start)})
    world.downloads.save_backdated_download("other", theirs)
    world.run(integration_id="other")
    assert {order.order_id for order in world.downloads.all_set_aside("other")} == world.ledger()
    assert {world.order(order_id).integration for order_id in world.items()} == {"demo"}


@pytest.mark.parametrize("call", range(1, 9))
def test_a_run_that_is_killed_at_any_write_loses_nothing(world: World, call: int) -> None:
    world.backdate()
    count = iter(range(1, 1_000))

    def dies(**_: object) -> None:
        if next(count) == call * 6:
            raise Killed

    events = world.dynamodb.meta.events
    for operation in ("UpdateItem", "PutItem"):
        events.register(f"provide-client-params.dynamodb.{operation}", dies, unique_id=f"kill-{operation}")
    with pytest.raises(Killed):
        world.run()
    for operation in ("UpdateItem", "PutItem"):
        events.unregister(f"provide-client-params.dynamodb.{operation}", unique_id=f"kill-{operation}")
    world.run_for(30 * MINUTE, tick=10 * MINUTE)
    assert world.backdated().status == "finished"
    assert world.items().keys() == world.ledger()


def test_a_download_cancelled_while_its_page_is_on_the_way_stays_cancelled(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.backdate()
    save = world.downloads.save_backdated_download
    cancelled: list[BackdatedDownload] = []

    def somebody_cancels_first(integration_id: str, download: BackdatedDownload) -> BackdatedDownload:
        if not cancelled:
            stored = world.backdated()
            cancelled.append(save(integration_id, stored.model_copy(update={"status": "cancelled"})))
        return save(integration_id, download)

    monkeypatch.setattr(world.downloads, "save_backdated_download", somebody_cancels_first)
    world.run_for(10 * MINUTE)
    assert world.backdated().status == "cancelled"


def test_two_backdated_downloads_run_one_after_the_other(world: World) -> None:
    world.backdate(download_id="d1")
    world.backdate(download_id="d2")
    world.run(lasting=timedelta(0))
    world.run(lasting=timedelta(0))
    assert (world.backdated("d1").status, world.backdated("d2").status) == ("running", "queued")
    world.run_for(2 * HOUR, tick=10 * MINUTE)
    assert (world.backdated("d1").status, world.backdated("d2").status) == ("finished", "finished")


def test_an_integration_that_is_paused_or_deleted_asks_amazon_nothing(world: World) -> None:
    world.backdate()
    world.change(is_paused=True)
    world.run()
    world.change(is_paused=False, deleted_at=NOON)
    world.run()
    assert world.amazon.requests() == []


def test_a_wake_up_for_an_integration_that_is_not_there_is_done_at_once(world: World) -> None:
    world.run(integration_id="nobody")
    assert world.amazon.requests() == []


# The clock's other work -----------------------------------------------------------------------------------------------


def test_a_verdict_that_was_lost_is_asked_for_again(world: World) -> None:
    world.backdate()
    world.run()
    order_id = min(world.items())
    revision = world.order(order_id).revision
    world.clock.advance(11 * MINUTE)
    world.run()
    order = world.order(order_id)
    assert (order.revision, order.pending_since) == (revision + 1, world.clock())
    assert order.last_change is not None
    assert order.last_change.cause == "verdictOverdue"


def test_verdicts_that_were_lost_are_counted_where_people_see_it(world: World) -> None:
    world.backdate()
    world.run()
    assert world.live.overdue_verdicts is None
    world.clock.advance(11 * MINUTE)
    world.run()
    assert world.live.overdue_verdicts == OverdueVerdicts(orders=len(world.items()), found_at=world.clock())


def test_a_snooze_ends_at_its_date(world: World) -> None:
    order_id = held(world)
    order = world.order(order_id)
    asleep = order.with_(decisions=decided(hold=snoozed(NOON + HOUR)), redownload_at=None)
    world.orders.save(order, asleep, by="ada", at=NOON, cause="snooze")
    world.clock.advance(HOUR)
    world.run()
    awake = world.order(order_id)
    assert (awake.decisions.hold, awake.held and awake.held.kind) == (None, "missing")


# Judged again ---------------------------------------------------------------------------------------------------------

WITHOUT_EMAIL = IntegrationSettings(download_pending_orders=True, checks=Checks(email=False))


def request_rejudgement(world: World, stages: tuple[str, ...] = (NEEDS_ATTENTION, NEW)) -> None:
    job = Rejudgement(requested_by="ada", requested_at=world.clock(), stages=stages)
    world.downloads.begin_rejudgement("demo", job)


def rejudge(world: World, stages: tuple[str, ...] = (NEEDS_ATTENTION, NEW)) -> None:
    """Requests it, and waits until it may begin."""
    request_rejudgement(world, stages)
    world.clock.advance(OLD_VERDICTS_END_AFTER)


def rejudged(world: World) -> Rejudgement:
    job = world.downloads.rejudgement("demo")
    assert job is not None
    return job


def test_changed_settings_count_at_once_when_somebody_asks_for_rejudgement(world: World) -> None:
    order_id = held(world)
    world.change(settings=WITHOUT_EMAIL)
    assert world.order(order_id).hold is not None
    rejudge(world)
    world.run()
    order = world.order(order_id)
    assert (order.hold, order.stage) == (None, NEW)
    assert order.last_change is not None
    assert (order.last_change.cause, order.last_change.by) == ("settingsChanged", "clock")
    job = rejudged(world)
    assert (job.changed >= 1, job.orders >= job.changed, job.finished_at) == (True, True, world.clock())


def test_judging_again_by_the_same_settings_changes_nothing(world: World) -> None:
    held(world)
    world.run()  # tells of held orders whose ship-by has passed
    before = world.items()
    rejudge(world)
    world.run()
    assert world.items() == before
    assert (rejudged(world).changed, rejudged(world).finished_at) == (0, world.clock())


def test_a_rejudgement_takes_several_runs_if_it_must_and_wakes_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("needs_attention.jobs.due_orders.READ_AT_ONCE", 3)
    held(world)
    rejudge(world, (NEW, NEEDS_ATTENTION))
    world.woken.clear()
    save = world.downloads.save_rejudgement

    def takes_its_time(integration_id: str, job: Rejudgement) -> None:
        save(integration_id, job)
        world.clock.advance(MINUTE)

    monkeypatch.setattr(world.downloads, "save_rejudgement", takes_its_time)
    world.run(lasting=MINUTE)
    assert (rejudged(world).orders, rejudged(world).finished_at) == (3, None)
    assert "demo" in world.woken
    world.run(lasting=HOUR)
    assert rejudged(world).finished_at is not None


def test_an_order_whose_verdict_is_pending_is_judged_again_too(world: World) -> None:
    order_id = held(world)
    world.amazon.patch(order_id, {"buyer": {"buyerCompanyName": "Renamed Ltd"}})
    world.want(order_id)
    world.run()
    late = Validation(world.orders, world.integrations, world.clock())
    image = world.items()[order_id]
    assert world.order(order_id).is_pending
    world.change(settings=WITHOUT_EMAIL)
    rejudge(world)
    world.run()
    judged_again = world.order(order_id)
    assert (judged_again.is_pending, judged_again.stage) == (False, NEW)
    assert rejudged(world).changed >= 1
    late.judge_image(image)
    assert (late.counts["stale"], world.order(order_id)) == (1, judged_again)


def test_no_verdict_by_earlier_settings_outlives_a_rejudgement(world: World) -> None:
    whole = world.amazon.order(held(world)).order
    first, second = "701-7777777-0000001", "701-7777777-0000002"
    for order_id in (first, second):
        world.amazon.put(whole | {"orderId": order_id})
        world.want(order_id)
    world.run()
    validation, images = Validation(world.orders, world.integrations, world.clock()), world.items()
    validation.judge_image(images[first])  # reads the settings, for the whole batch
    world.change(settings=WITHOUT_EMAIL)
    request_rejudgement(world)
    world.woken.clear()
    world.run()
    assert (rejudged(world).orders, rejudged(world).finished_at, world.woken) == (0, None, [])
    validation.judge_image(images[second])
    assert world.order(second).stage == NEEDS_ATTENTION
    world.clock.advance(OLD_VERDICTS_END_AFTER)
    world.run()
    assert rejudged(world).finished_at == world.clock()
    assert {world.order(order_id).stage for order_id in (first, second)} == {NEW}


def test_a_rejudgement_requested_during_another_starts_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    held(world)
    rejudge(world)
    find = world.orders.find_by_stage

    def somebody_asks_again(*arguments: Any) -> Any:
        monkeypatch.undo()
        world.clock.advance(MINUTE)
        request_rejudgement(world, (NEW,))
        return find(*arguments)

    monkeypatch.setattr(world.orders, "find_by_stage", somebody_asks_again)
    world.run()
    again = rejudged(world)
    assert (again.requested_at, again.orders, again.finished_at) == (world.clock(), 0, None)
    world.clock.advance(OLD_VERDICTS_END_AFTER)
    world.run()
    assert (rejudged(world).requested_at, rejudged(world).finished_at) == (again.requested_at, world.clock())


def test_a_system_without_stages_has_nothing_to_judge_again(world: World) -> None:
    rejudge(world, ())
    world.run()
    assert (rejudged(world).orders, rejudged(world).finished_at) == (0, world.clock())


# Orders that Amazon lists late ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes_late", [1, 9, 22, 29])
def test_an_order_that_amazon_lists_late_is_found_by_the_next_run(world: World, minutes_late: int) -> None:
    world.run_for(HOUR, tick=5 * MINUTE)
    listed_late(world, world.clock() - AMAZONS_MARGIN - timedelta(minutes=minutes_late))
    world.run_for(5 * MINUTE, tick=5 * MINUTE)
    assert LATE in world.items()


def test_looking_back_for_late_orders_costs_no_call_and_no_write(world: World) -> None:
    world.run_for(HOUR, tick=5 * MINUTE)
    for number in range(20):
        listed_late(world, world.clock() - 10 * MINUTE - number * timedelta(seconds=10), f"777-{number:07}-0000000")
    world.run_for(10 * MINUTE, tick=5 * MINUTE)
    world.judge_all()
    stored = {order_id: world.order(order_id).downloaded_at for order_id in world.items()}
    world.amazon.forget_requests()
    world.run_for(15 * MINUTE, tick=5 * MINUTE)
    assert len(stored) == 20
    assert len(world.searches()) == 3
    assert {order_id: world.order(order_id).downloaded_at for order_id in world.items()} == stored


def test_an_order_that_is_told_of_and_listed_late_is_asked_for_by_its_id(world: World) -> None:
    world.run_for(HOUR, tick=5 * MINUTE)
    changed_at = world.clock() - 15 * MINUTE
    busy = world.live.walk.model_copy(update={"pace": Pace().after(40_000, DAY)})
    world.downloads.save_live_download("demo", world.live.model_copy(update={"walk": busy}))
    listed_late(world, changed_at)
    world.hint(LATE, changed_at)
    world.run()
    assert LATE in world.items()


LATE = "777-7777777-7777777"


def listed_late(world: World, updated_at: datetime, order_id: str = LATE) -> None:
    known = world.amazon.order(min(world.ledger())).order
    world.amazon.put(dict(known) | {"orderId": order_id, "lastUpdatedTime": amazon_time(updated_at)})

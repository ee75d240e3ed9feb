"""Two integrations of one seller become one: orders, requests and settings come along, and no order leaves by that."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from needs_attention.downloads.backdated import DownloadStatus
from needs_attention.downloads.by_id import Redownload, SetAside
from needs_attention.downloads.second_look import Reconciliation
from needs_attention.downloads.walk import Pace, Walk
from needs_attention.integrations.integration import Integration, NamedSeller
from needs_attention.integrations.integration_settings import IntegrationSettings, MarketplaceSettings
from needs_attention.jobs.due_orders import go_on_rejudging
from needs_attention.jobs.merging import go_on_merging
from needs_attention.orders.order import Order
from needs_attention.orders.settings import Checks, ThreePlStatus
from needs_attention.tables.order_items import to_item
from needs_attention.values.model import differing
from tests.integration.crossings import REQUESTS, Killed, before_request, dies
from tools.builders import NOON
from tools.in_memory.api import Answer, World

US, CANADA, MEXICO = "ATVPDKIKX0DER", "A2EUQ1WTGCTBG2", "A1AM78C64UM0Y8"
ACME, BERG = "A1ACMEACMEACME", "A2BERGBERGBERG"
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
LIVE = IntegrationSettings(default_three_pl_status=ThreePlStatus.NOW)
CREDENTIALS = {"clientId": "amzn1.client", "clientSecret": "a-client-secret", "refreshToken": "Atzr|a-token"}


@pytest.fixture
def two(world: World) -> World:
    """`acme-na` sells in the United States, and is frozen. `acme-ca`, removed by now, sold in Canada, in trial mode."""
    named = (NamedSeller(seller_id=ACME, by="ada", at=NOON),)
    world.change_integration(settings=LIVE, named_sellers=named, is_frozen=True)
    trial = LIVE.model_copy(update={"trial_mode": True})
    world.register("acme-ca", marketplace_ids=(CANADA,), settings=trial, deleted_at=NOON)
    return world


def merge(world: World, source: str = "acme-ca", target: str = "acme-na") -> Answer:
    return world.call("POST", f"/integrations/{target}/merge", {"source": source})


def progress(world: World) -> Any:
    return world.call("GET", "/integrations/acme-na/merge", role="reader").body


def run(world: World, *, lasting: timedelta = MINUTE) -> bool:
    return go_on_merging(world.orders, world.downloads, "acme-na", world.clock, world.clock.now + lasting)


def rejudge(world: World, integration_id: str = "acme-na") -> None:
    until = world.clock.now + MINUTE
    go_on_rejudging(world.orders, world.downloads, integration(world, integration_id), world.clock, until)


def merged(world: World) -> Any:
    """The merge, from the request to its end."""
    assert merge(world).status == 202
    world.clock.advance(3 * MINUTE)
    run(world)
    return progress(world)


def integration(world: World, integration_id: str = "acme-na") -> Integration:
    found = world.integrations.get(integration_id)
    assert found is not None
    return found


def canadian(world: World, number: int = 1, **fields: Any) -> Order:
    order_id = f"702-{number:07}-0000001"
    return world.download("acme-ca", order_id=order_id, marketplace_id=CANADA, **fields)


# What comes along


def test_orders_move_with_their_data_decisions_and_verdict(two: World) -> None:
    complete, held = canadian(two, 1), canadian(two, 2, buyer_email=None)
    two.call("PATCH", f"/orders/{complete.order_id}", {"threePlStatus": "Do Not Transfer to 3PL"})
    before = {one: two.order(one) for one in (complete.order_id, held.order_id)}
    shown = merged(two)
    assert (shown["source"], shown["orders"], shown["unreadable"]) == ("acme-ca", 2, [])
    assert shown["finishedAt"] == "2026-11-23T12:03:00.000Z"
    for order_id, was in before.items():
        now = two.order(order_id)
        assert differing(was, now) <= {"integration", "revision", "last_change", "apart_until"}
        assert (now.integration, now.revision) == ("acme-na", was.revision + 1)
        assert now.last_change is not None
        assert (now.last_change.cause, now.last_change.by) == ("merge", "administrator@example.com")
    listed = two.call("GET", "/orders", query={"integration": "acme-na"}).body["orders"]
    assert {one["orderId"] for one in listed} == set(before)


def test_no_order_can_leave_that_could_not_before_the_merge(two: World) -> None:
    order = canadian(two)
    assert two.call("GET", f"/orders/{order.order_id}").body["blockedBy"] == ["frozen", "trialMode"]
    merged(two)
    two.call("DELETE", "/integrations/acme-na/freeze")
    assert two.call("GET", f"/orders/{order.order_id}").body["blockedBy"] == ["trialMode"]


def test_nobody_unfreezes_an_integration_while_a_merge_is_under_way(two: World) -> None:
    order = canadian(two)
    merge(two)
    answer = two.call("DELETE", "/integrations/acme-na/freeze")
    assert (answer.status, answer.body["code"]) == (409, "mergeUnderWay")
    assert "frozen" in two.call("GET", f"/orders/{order.order_id}").body["blockedBy"]
    two.clock.advance(3 * MINUTE)
    run(two)
    assert two.call("DELETE", "/integrations/acme-na/freeze").status == 200


@pytest.mark.parametrize("number", REQUESTS)
def test_a_merge_that_begins_meanwhile_finds_its_target_frozen(two: World, number: int) -> None:
    with before_request(number, lambda: merge(two)):
        two.call("DELETE", "/integrations/acme-na/freeze")
    assert integration(two).is_frozen or two.downloads.merge_under_way("acme-na") is None


def test_the_marketplaces_come_along_with_the_settings_of_their_orders(two: World) -> None:
    checks = Checks(email=False)
    two.change_integration("acme-ca", marketplace_ids=(CANADA, US), settings=LIVE.model_copy(update={"checks": checks}))
    merged(two)
    now = integration(two)
    assert now.marketplace_ids == (US, CANADA)
    assert now.settings.of(CANADA).checks == checks
    assert now.settings.of(US) == LIVE.of(US)
    assert US not in now.settings.marketplaces


def test_orders_of_a_marketplace_that_the_source_has_left_keep_their_settings(two: World) -> None:
    """The override that the target had for it was for its own orders of that time."""
    live = MarketplaceSettings(trial_mode=False)
    settings = LIVE.model_copy(update={"marketplaces": {MEXICO: live}})
    two.change_integration(settings=settings)
    order = two.download("acme-ca", order_id="702-1", marketplace_id=MEXICO)
    merged(two)
    two.call("DELETE", "/integrations/acme-na/freeze")
    assert two.call("GET", f"/orders/{order.order_id}").body["blockedBy"] == ["trialMode"]


@pytest.mark.parametrize(
    ("kept", "reason"), [({"trial_mode": True}, "trialMode"), ({"go_live_date": NOON + DAY}, "beforeGoLive")]
)
def test_no_order_of_a_marketplace_that_both_have_left_becomes_free(
    two: World, kept: dict[str, Any], reason: str
) -> None:
    overrides = {MEXICO: MarketplaceSettings(**kept)}
    two.change_integration(settings=LIVE.model_copy(update={"marketplaces": overrides}))
    two.change_integration("acme-ca", settings=LIVE)
    order = two.download(order_id="702-1", marketplace_id=MEXICO)
    merged(two)
    two.call("DELETE", "/integrations/acme-na/freeze")
    assert two.call("GET", f"/orders/{order.order_id}").body["blockedBy"] == [reason]
    assert integration(two).settings.of(CANADA) == LIVE.of(CANADA)


@pytest.mark.parametrize(
    "free",
    [
        {"checks": Checks(email=False)},
        {"billing_address": "copyDelivery"},
        {"single_word_names": "accept"},
        {"auto_dispatch_orders": True},
        {"default_three_pl_status": ThreePlStatus.NOW},
    ],
    ids=str,
)
@pytest.mark.parametrize("strict", ["acme-na", "acme-ca"])
def test_what_one_of_a_merge_keeps_stays_where_both_have_left(two: World, strict: str, free: dict[str, Any]) -> None:
    strictest = IntegrationSettings(
        billing_address="require", single_word_names="hold", default_three_pl_status=ThreePlStatus.DO_NOT_TRANSFER
    )
    freer = "acme-na" if strict == "acme-ca" else "acme-ca"
    two.change_integration(strict, settings=strictest)
    two.change_integration(freer, settings=strictest.model_copy(update=free))
    merged(two)
    assert integration(two).settings.of(MEXICO) == strictest.of(MEXICO)


def test_an_incomplete_order_is_held_on_where_both_have_left(two: World) -> None:
    two.change_integration(settings=LIVE)
    two.change_integration("acme-ca", settings=LIVE.model_copy(update={"checks": Checks(email=False)}))
    order = two.download(order_id="702-1", marketplace_id=MEXICO, buyer_email=None)
    merged(two)
    two.call("POST", "/integrations/acme-na/rejudgement")
    two.clock.advance(2 * MINUTE)
    rejudge(two)
    assert two.order(order.order_id).is_held


def test_a_default_stage_that_is_gone_does_not_come_along(two: World) -> None:
    two.change_integration("acme-ca", settings=LIVE.model_copy(update={"default_stage": "gone", "trial_mode": True}))
    merged(two)
    settings = integration(two).settings.of(CANADA)
    assert (settings.default_stage, settings.trial_mode) == ("new", True)
    assert two.call("PATCH", "/integrations/acme-na", {"settings": {"checks": {"email": False}}}).status == 200


def test_a_stop_of_an_earlier_release_moves_as_a_decision(two: World) -> None:
    """There a stop was told from the defaults by the 3PL Status alone. By the target's defaults it would be none."""
    own = LIVE.model_copy(update={"default_three_pl_status": ThreePlStatus.DO_NOT_TRANSFER})
    two.change_integration(settings=own)
    stopped = canadian(two).with_(three_pl_status=ThreePlStatus.DO_NOT_TRANSFER, granted=None, apart_until=0)
    two.dynamodb.put_item(TableName="OrdersTable", Item=to_item(stopped))
    merged(two)
    assert two.order(stopped.order_id).decisions.three_pl_status is not None


def test_a_source_without_go_live_date_stays_live_next_to_a_later_one(two: World) -> None:
    two.change_integration(settings=LIVE.model_copy(update={"go_live_date": NOON + DAY}))
    two.change_integration("acme-ca", settings=LIVE)
    order = canadian(two)
    merged(two)
    two.call("DELETE", "/integrations/acme-na/freeze")
    assert two.call("GET", f"/orders/{order.order_id}").body["fulfillable"] is True
    assert not integration(two).settings.of(US).may_hand_over(NOON)


def test_requests_for_single_orders_come_along(two: World) -> None:
    wanted = [Redownload(order_id=f"702-{number}", cause="requested", wanted_at=NOON) for number in range(60)]
    aside = SetAside(order_id="702-99", reason="no createdTime", first_seen_at=NOON, retry_at=NOON + DAY)
    for one in wanted:
        two.downloads.want_redownload("acme-ca", one)
    two.downloads.set_aside("acme-ca", [aside])
    merged(two)
    assert {*two.downloads.due_redownloads("acme-na", "requested", two.clock.now)} == {*wanted}
    assert not two.downloads.has_redownloads("acme-ca")
    assert (two.downloads.all_set_aside("acme-ca"), two.downloads.all_set_aside("acme-na")) == ((), (aside,))


@pytest.mark.parametrize("of_target", [NOON - MINUTE, NOON + MINUTE])
@pytest.mark.parametrize("changed_at", [None, NOON])
def test_of_two_requests_for_an_order_the_newer_stays(
    two: World, of_target: datetime, changed_at: datetime | None
) -> None:
    """An older one has been tried more often, and is given up sooner."""
    tried = Redownload(order_id="702-1", cause="requested", wanted_at=NOON, tries=11, changed_at=changed_at)
    own = tried.model_copy(
        update={"wanted_at": of_target, "tries": 0, "changed_at": changed_at and changed_at + (of_target - NOON)}
    )
    two.downloads.want_redownload("acme-ca", tried)
    two.downloads.want_redownload("acme-na", own)
    merged(two)
    (kept,) = two.downloads.due_redownloads("acme-na", "requested", two.clock.now)
    assert kept == max(tried, own, key=lambda one: one.wanted_at)


def test_what_the_target_has_set_aside_itself_stays_as_it_is(two: World) -> None:
    old = SetAside(order_id="702-99", reason="no createdTime", first_seen_at=NOON, retry_at=NOON + DAY, tries=4)
    own = SetAside(order_id="702-99", reason="no orderId", first_seen_at=NOON, retry_at=NOON + MINUTE)
    two.downloads.set_aside("acme-ca", [old])
    two.downloads.set_aside("acme-na", [own])
    merged(two)
    assert (two.downloads.all_set_aside("acme-ca"), two.downloads.all_set_aside("acme-na")) == ((), (own,))


def test_a_download_brings_what_the_source_missed_once_its_orders_are_here(two: World) -> None:
    live = two.downloads.live_download(integration(two, "acme-ca"))
    reached = NOON - 3 * DAY
    walk = live.walk.model_copy(update={"reached": reached})
    two.downloads.save_live_download("acme-ca", live.model_copy(update={"walk": walk}))
    merge(two)
    assert two.woken() == ["acme-na"]
    assert two.downloads.backdated_downloads("acme-na") == ()
    two.clock.advance(3 * MINUTE)
    run(two)
    (download,) = two.downloads.backdated_downloads("acme-na")
    assert download.updated_after == reached - timedelta(minutes=30)  # Amazon lists some orders late
    assert download.updated_before > NOON
    assert download.requested_by == "administrator@example.com"


@pytest.mark.parametrize("walked", [0 * DAY, 25 * DAY])
def test_the_download_begins_in_the_history_that_the_source_did_not_finish(two: World, walked: timedelta) -> None:
    """Where the source left off: a history may take days of quota."""
    two.change_integration("acme-ca", deleted_at=None)
    start = "2026-10-24T12:00:00Z"
    two.call("POST", "/integrations/acme-ca/downloads", {"updatedAfter": start})
    two.change_integration("acme-ca", deleted_at=NOON)
    (history,) = two.downloads.backdated_downloads("acme-ca")
    walk = Walk.of_the_past(history.updated_after + walked, Pace())
    two.downloads.save_backdated_download("acme-ca", history.model_copy(update={"walk": walk}))
    merged(two)
    (download,) = two.downloads.backdated_downloads("acme-na")
    assert download.updated_after == NOON - 30 * DAY + walked


@pytest.mark.parametrize(
    ("registered", "begins"), [(10 * DAY, 4 * DAY), (2 * DAY, 2 * DAY), (MINUTE, 30 * MINUTE + DAY)]
)
def test_the_download_looks_at_what_the_source_never_looked_at_again(
    two: World, registered: timedelta, begins: timedelta
) -> None:
    """As its first second look would have. One that was registered again may have an older cursor."""
    source = two.change_integration("acme-ca", registered_at=NOON - registered)
    live = two.downloads.live_download(source)
    walk = live.walk.model_copy(update={"reached": NOON - DAY})
    two.downloads.save_live_download("acme-ca", live.model_copy(update={"walk": walk}))
    merged(two)
    (download,) = two.downloads.backdated_downloads("acme-na")
    assert download.updated_after == NOON - begins


@pytest.mark.parametrize("finished_at", [NOON, None])
def test_the_download_begins_where_the_second_look_at_the_source_ended(
    two: World, finished_at: datetime | None
) -> None:
    begin, end = NOON - 5 * DAY, NOON - 2 * DAY
    walk = Walk.of_the_past(begin, Pace())
    look = Reconciliation(updated_after=begin, updated_before=end, walk=walk, finished_at=finished_at)
    two.downloads.save_reconciliation("acme-ca", look)
    merged(two)
    (download,) = two.downloads.backdated_downloads("acme-na")
    assert download.updated_after == (end if finished_at else begin)


def test_a_source_removed_years_ago_asks_amazon_for_no_more_than_it_shows(two: World) -> None:
    two.change_integration("acme-ca", registered_at=NOON - 900 * DAY)
    merged(two)
    (download,) = two.downloads.backdated_downloads("acme-na")
    assert download.updated_after == NOON - 730 * DAY


def test_the_seller_of_the_source_becomes_the_targets(two: World) -> None:
    two.change_integration(named_sellers=())
    body = {"integrationId": "acme-mx", "region": "NA", "sellerId": ACME, "marketplaceIds": [MEXICO]}
    two.call("POST", "/integrations", body | {"credentials": CREDENTIALS})
    two.call("DELETE", "/integrations/acme-mx")
    assert merge(two, "acme-mx").status == 202
    assert two.call("GET", "/integrations/acme-na").body["sellerId"] == ACME
    answer = two.call("POST", "/integrations", body | {"integrationId": "third", "credentials": CREDENTIALS})
    assert (answer.status, answer.body["registeredAs"]) == (409, "acme-na")


# The way there


def test_nothing_moves_before_the_last_run_of_the_source_has_ended(two: World) -> None:
    order = canadian(two)
    assert merge(two).body["beginsAt"] == "2026-11-23T12:03:00.000Z"
    two.clock.advance(3 * MINUTE - timedelta(seconds=1))
    assert run(two) is False
    assert two.order(order.order_id).integration == "acme-ca"
    two.clock.advance(timedelta(seconds=1))
    late = canadian(two, 2)
    run(two)
    assert {two.order(one.order_id).integration for one in (order, late)} == {"acme-na"}


def test_orders_move_once_the_source_has_judged_all_of_them_again(two: World) -> None:
    two.change_integration("acme-ca", settings=LIVE.model_copy(update={"checks": Checks(email=False)}))
    order_id = canadian(two, buyer_email=None).order_id
    two.change_integration("acme-ca", settings=LIVE, deleted_at=None)
    assert two.call("POST", "/integrations/acme-ca/rejudgement").status == 202
    two.change_integration("acme-ca", deleted_at=NOON)
    merge(two)
    two.clock.advance(3 * MINUTE)
    assert run(two) is False
    rejudge(two, "acme-ca")
    run(two)
    assert (two.order(order_id).integration, two.order(order_id).is_held) == ("acme-na", True)


@pytest.mark.parametrize("asked", ["before", "afterwards"])
def test_orders_that_move_behind_a_rejudgement_are_judged_again(two: World, asked: str) -> None:
    checks = LIVE.model_copy(update={"checks": Checks(email=False)})
    two.change_integration("acme-ca", settings=checks)
    order_id = two.download("acme-ca", order_id="702-1", buyer_email=None).order_id  # sold where the target sells, too
    if asked == "before":
        two.call("POST", "/integrations/acme-na/rejudgement")
    merge(two)
    if asked == "afterwards":
        two.call("POST", "/integrations/acme-na/rejudgement")
    two.clock.advance(2 * MINUTE)
    rejudge(two)
    two.clock.advance(MINUTE)
    run(two)
    assert not two.order(order_id).is_held
    two.clock.advance(2 * MINUTE)
    rejudge(two)
    assert two.order(order_id).is_held


def test_a_merge_judges_nothing_again_that_nobody_asked_for(two: World) -> None:
    two.call("POST", "/integrations/acme-na/rejudgement")
    two.clock.advance(2 * MINUTE)
    rejudge(two)
    two.clock.advance(MINUTE)
    judged_before = two.downloads.rejudgement("acme-na")
    merged(two)
    assert two.downloads.rejudgement("acme-na") == judged_before


def test_many_orders_take_several_runs_and_each_asks_for_the_next(two: World) -> None:
    for number in range(101):
        canadian(two, number)
    merge(two)
    two.clock.advance(3 * MINUTE)
    assert run(two, lasting=timedelta(0)) is True
    assert progress(two)["orders"] == 0
    assert run(two) is False
    assert progress(two)["orders"] == 101


def test_a_merge_that_is_asked_for_again_goes_on(two: World) -> None:
    first = merge(two)
    two.clock.advance(MINUTE)
    again = merge(two)
    assert (again.status, again.body) == (202, first.body)
    two.clock.advance(2 * MINUTE)
    run(two)
    assert merge(two).body["finishedAt"] is not None
    assert len(two.downloads.backdated_downloads("acme-na")) == 1


def test_a_merge_goes_on_once_it_is_asked_for_again_after_a_rollback(two: World) -> None:
    order_id = canadian(two).order_id
    merge(two)
    two.change_integration(merged_from=())  # a release that knows no merges has changed the integration
    merge(two)
    assert integration(two).merged_from == ("acme-ca",)
    two.clock.advance(3 * MINUTE)
    run(two)
    assert two.order(order_id).integration == "acme-na"


def test_a_merge_that_a_rollback_has_forgotten_goes_on_in_a_frozen_one(two: World) -> None:
    """That release has unfrozen the target, and dropped its overrides."""
    merge(two)
    two.change_integration(merged_from=(), is_frozen=False, settings=LIVE)
    answer = merge(two)
    assert (answer.status, answer.body["code"]) == (409, "notFrozen")
    assert integration(two).merged_from == ()  # so no run goes on with it
    two.call("POST", "/integrations/acme-na/freeze")
    assert merge(two).status == 202
    assert integration(two).merged_from == ("acme-ca",)


def test_a_merge_goes_on_once_its_target_is_removed_and_revived(two: World) -> None:
    order_id = canadian(two).order_id
    merge(two)
    two.call("DELETE", "/integrations/acme-na")
    body = {"integrationId": "acme-na", "region": "NA", "sellerId": ACME, "marketplaceIds": [US, CANADA]}
    assert two.call("POST", "/integrations", body | {"credentials": CREDENTIALS}).status == 201
    assert integration(two).merged_from == ("acme-ca",)
    assert progress(two)["finishedAt"] is None
    two.clock.advance(3 * MINUTE)
    run(two)
    assert two.order(order_id).integration == "acme-na"


@pytest.mark.parametrize("number", range(1, 20))
def test_a_run_that_dies_repeats_and_moves_each_order_once(two: World, number: int) -> None:
    moved = [canadian(two, one).order_id for one in range(3)]
    two.downloads.want_redownload("acme-ca", Redownload(order_id="702-1", cause="requested", wanted_at=NOON))
    merge(two)
    two.clock.advance(3 * MINUTE)
    try:
        with before_request(number, dies):
            run(two)
    except Killed:
        assert progress(two)["finishedAt"] is None
    run(two)
    assert progress(two)["finishedAt"] is not None
    assert {(two.order(one).integration, two.order(one).revision) for one in moved} == {("acme-na", 2)}
    assert len(two.downloads.due_redownloads("acme-na", "requested", two.clock.now)) == 1
    assert len(two.downloads.backdated_downloads("acme-na")) == 1


@pytest.mark.parametrize("number", range(1, 10))
def test_an_order_that_somebody_changes_meanwhile_moves_with_the_change(two: World, number: int) -> None:
    order_id = canadian(two).order_id
    merge(two)
    two.clock.advance(3 * MINUTE)
    edit = {"threePlStatus": "Do Not Transfer to 3PL"}
    with before_request(number, lambda: two.call("PATCH", f"/orders/{order_id}", edit)):
        run(two)
    order = two.order(order_id)
    assert order.integration == "acme-na"
    if order.revision > 2:
        assert order.decisions.three_pl_status is not None


def test_a_sheet_of_the_source_leaves_out_what_moves_meanwhile(two: World) -> None:
    order_id = canadian(two).order_id
    merge(two)
    two.clock.advance(3 * MINUTE)
    with two.just_before("query_orders", "BatchGetItem", lambda: run(two)):
        answer = two.call("GET", "/orders.csv", query={"integration": "acme-ca"})
    assert answer.status == 200
    assert order_id not in str(answer.body)


@pytest.mark.parametrize("number", REQUESTS)
def test_a_merge_begins_whole_or_not_at_all(two: World, number: int) -> None:
    try:
        with before_request(number, dies):
            merge(two)
    except Killed:
        has_begun = integration(two, "acme-ca").merged_into == "acme-na"
        assert (CANADA in integration(two).marketplace_ids) == has_begun
        assert bool(two.downloads.merge("acme-na", "acme-ca")) == has_begun
    assert merge(two).status == 202
    assert integration(two, "acme-ca").merged_into == "acme-na"


def test_a_change_of_settings_that_comes_between_is_kept(two: World) -> None:
    for number in REQUESTS:
        with before_request(number, lambda: two.call("PATCH", "/integrations/acme-na", {"name": "Acme Ltd."})):
            merge(two)
        if integration(two).name == "Acme Ltd.":
            break
    assert (integration(two).name, integration(two).marketplace_ids) == ("Acme Ltd.", (US, CANADA))


def spoil(world: World, order: Order) -> None:
    world.dynamodb.update_item(
        TableName="OrdersTable",
        Key={"orderId": {"S": order.order_id}},
        UpdateExpression="SET #amazon = :amazon",
        ExpressionAttributeNames={"#amazon": "amazon"},
        ExpressionAttributeValues={":amazon": {"S": "{"}},
    )


def test_an_order_that_cannot_be_read_stays_and_is_named(two: World) -> None:
    spoilt, other = canadian(two, 1), canadian(two, 2)
    spoil(two, spoilt)
    shown = merged(two)
    assert (shown["orders"], shown["unreadable"]) == (1, [spoilt.order_id])
    assert shown["finishedAt"] is not None
    assert two.order(other.order_id).integration == "acme-na"
    two.dynamodb.put_item(TableName="OrdersTable", Item=to_item(spoilt))  # somebody mends it
    assert merge(two).body["finishedAt"] is None
    run(two)
    assert two.order(spoilt.order_id).integration == "acme-na"
    assert progress(two)["unreadable"] == []


def test_mended_orders_move_into_a_frozen_integration_only(two: World) -> None:
    spoil(two, spoilt := canadian(two))
    merged(two)
    two.call("DELETE", "/integrations/acme-na/freeze")
    two.dynamodb.put_item(TableName="OrdersTable", Item=to_item(spoilt))
    answer = merge(two)
    assert (answer.status, answer.body["code"]) == (409, "notFrozen")
    assert run(two) is False
    assert two.order(spoilt.order_id).integration == "acme-ca"
    two.call("POST", "/integrations/acme-na/freeze")
    assert merge(two).status == 202


@pytest.mark.parametrize("status", ["queued", "running", "finished"])
def test_amazon_is_asked_for_each_mended_order(two: World, status: DownloadStatus) -> None:
    """The download of the first time has passed them, or will not come to what Amazon has changed since."""
    canadian(two, 1)
    spoil(two, spoilt := canadian(two, 2))
    merged(two)
    (first,) = two.downloads.backdated_downloads("acme-na")
    two.downloads.save_backdated_download("acme-na", first.model_copy(update={"status": status}))
    assert two.downloads.due_redownloads("acme-na", "requested", two.clock.now) == ()
    two.dynamodb.put_item(TableName="OrdersTable", Item=to_item(spoilt))
    two.clock.advance(DAY)
    merge(two)
    run(two)
    (wanted,) = two.downloads.due_redownloads("acme-na", "requested", two.clock.now)
    assert (wanted.order_id, wanted.wanted_at) == (spoilt.order_id, two.clock.now)
    assert len(two.downloads.backdated_downloads("acme-na")) == 1  # it may take days of quota


# Refusals


@pytest.mark.parametrize(
    ("target", "source", "code"),
    [
        ({}, {"deleted_at": None}, "notRemoved"),
        ({}, {"credentials_version": "v1"}, "stillBeingRemoved"),
        ({}, {"region": "EU"}, "otherSeller"),
        ({}, {"named_sellers": (NamedSeller(seller_id=BERG, by="ada", at=NOON),)}, "otherSeller"),
        ({"named_sellers": ()}, {}, "noSellerId"),
        ({"is_frozen": False}, {}, "notFrozen"),
        ({}, {"merged_into": "elsewhere"}, "alreadyMerged"),
    ],
)
def test_a_merge_that_could_do_harm_is_refused(
    two: World, target: dict[str, Any], source: dict[str, Any], code: str
) -> None:
    two.change_integration(**target)
    two.change_integration("acme-ca", **source)
    before = (integration(two), integration(two, "acme-ca"))
    answer = merge(two)
    assert (answer.status, answer.body["code"]) == (409, code)
    assert (integration(two), integration(two, "acme-ca")) == before


def test_what_is_merged_elsewhere_waits_for_what_is_merged_into_it(two: World) -> None:
    named = integration(two).named_sellers
    two.register("acme-mx", marketplace_ids=(MEXICO,), named_sellers=named, is_frozen=True)
    merge(two)
    two.change_integration(deleted_at=NOON)
    answer = merge(two, "acme-na", "acme-mx")
    assert (answer.status, answer.body["code"]) == (409, "mergeUnderWay")


@pytest.mark.parametrize("source", ["acme-na", "nowhere"])
def test_only_another_integration_can_be_merged(two: World, source: str) -> None:
    answer = merge(two, source)
    assert (answer.status, answer.body["errors"][0]["field"]) == (422, "source")


@pytest.mark.parametrize("target", ["acme-ca", "nowhere"])
def test_nothing_is_merged_into_an_integration_that_is_not_there(two: World, target: str) -> None:
    assert merge(two, "acme-ca", target).status == 404


def test_a_second_merge_waits_for_the_first(two: World) -> None:
    two.register("acme-mx", marketplace_ids=(MEXICO,), deleted_at=NOON)
    merge(two)
    answer = merge(two, "acme-mx")
    assert (answer.status, answer.body["code"]) == (409, "mergeUnderWay")
    two.clock.advance(3 * MINUTE)
    run(two)
    assert merge(two, "acme-mx").status == 202
    assert integration(two).marketplace_ids == (US, CANADA, MEXICO)


def test_a_merged_integration_is_not_revived(two: World) -> None:
    merged(two)
    body = {"integrationId": "acme-ca", "region": "NA", "sellerId": ACME, "marketplaceIds": [CANADA]}
    answer = two.call("POST", "/integrations", body | {"credentials": CREDENTIALS})
    assert (answer.status, answer.body["code"]) == (409, "alreadyMerged")


def test_without_a_merge_there_is_no_progress(two: World) -> None:
    assert two.call("GET", "/integrations/acme-na/merge").status == 404


# Personal data


def test_an_erasure_waits_for_no_merge_that_a_rollback_has_forgotten(two: World) -> None:
    order = two.download(fulfillment_status="SHIPPED")
    merge(two)
    two.change_integration(merged_from=())
    two.call("POST", "/erasures", {"buyerEmail": order.amazon.buyer_email, "reference": "GR-7"})
    two.redact()
    assert two.order(order.order_id).redacted_at


@pytest.mark.parametrize("at", ["before the merge", "before it begins", "half-way", "afterwards"])
def test_an_erasure_finds_the_orders_wherever_a_merge_has_them(two: World, at: str) -> None:
    orders = [canadian(two, number, fulfillment_status="SHIPPED").order_id for number in range(150)]
    email = two.order(orders[0]).amazon.buyer_email

    def erase_if(moment: str) -> None:
        if at == moment:
            request = {"buyerEmail": email, "integration": "acme-ca", "reference": "GR-7"}
            assert two.call("POST", "/erasures", request).status == 202
            two.clock.advance(MINUTE)

    erase_if("before the merge")
    merge(two)
    erase_if("before it begins")
    two.clock.advance(3 * MINUTE)
    if at == "half-way":
        run_one_page(two)
        assert progress(two)["orders"] == 100
    erase_if("half-way")
    if at == "afterwards":
        run(two)
    erase_if("afterwards")
    for _ in range(4):
        run(two)
        two.redact()
        two.clock.advance(MINUTE)
    assert progress(two)["finishedAt"] is not None
    assert all(two.order(order_id).redacted_at for order_id in orders)


def test_an_erasure_finds_where_an_unreadable_integration_went(two: World) -> None:
    order = canadian(two, fulfillment_status="SHIPPED")
    merged(two)
    place = {"integrationId": {"S": "#system"}, "item": {"S": "integration#acme-ca"}}
    two.dynamodb.put_item(TableName="IntegrationsTable", Item={**place, "data": {"S": "{"}})
    wanted = {"buyerEmail": order.amazon.buyer_email, "integration": "acme-ca", "reference": "GR-7"}
    assert two.call("POST", "/erasures", wanted).status == 202
    two.redact()
    assert two.order(order.order_id).redacted_at


def test_an_erasure_goes_past_no_place_that_a_merge_moves_orders_to(two: World) -> None:
    email = canadian(two, fulfillment_status="SHIPPED").amazon.buyer_email
    merge(two)
    erasure = two.call("POST", "/erasures", {"buyerEmail": email, "reference": "GR-7"}).body["erasureId"]
    two.redact()
    parts = two.call("GET", f"/erasures/{erasure}").body["integrations"]
    assert {one["integration"]: one["finishedAt"] is not None for one in parts} == {"acme-ca": True, "acme-na": False}


def run_one_page(world: World) -> None:
    """The time is up after a page, for which a run reads the clock three times."""
    now = world.clock.now
    times = iter([now] * 3)
    go_on_merging(world.orders, world.downloads, "acme-na", lambda: next(times, now + MINUTE), now + MINUTE)

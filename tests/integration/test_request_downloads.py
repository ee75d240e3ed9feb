"""Requests for downloads of the past, their progress, and asking Amazon for one order again."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from needs_attention.api.problems import UnexpectedError
from needs_attention.downloads.backdated import BackdatedDownload, Counts
from needs_attention.downloads.quota import Bucket
from needs_attention.downloads.walk import Pace, Walk
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.orders import gate
from needs_attention.orders.settings import Settings
from tools.builders import NOON
from tools.in_memory.api import Answer, World, app, found_at

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
PATH = "/integrations/acme-na/downloads"


def request(world: World, body: object = None, **headers: Any) -> Answer:
    return world.call("POST", PATH, body, **headers)


def dies(*_: object) -> None:
    raise OSError


def since(start: datetime) -> dict[str, str]:
    return {"updatedAfter": start.isoformat()}


def stored(world: World, **changes: Any) -> BackdatedDownload:
    """A download that was asked for, and has come as far as `changes` say."""
    answer = request(world, since(NOON - 10 * DAY))
    download = world.downloads.backdated_download("acme-na", answer.body["downloadId"])
    assert download is not None
    return world.downloads.save_backdated_download("acme-na", download.model_copy(update=changes))


# Asking for a download ------------------------------------------------------------------------------------------------


def test_a_download_is_queued_and_the_integration_woken(world: World) -> None:
    cursor = world.downloads.live_download(world.register("other")).walk
    answer = request(world, since(NOON - 30 * DAY))
    assert answer.status == 202, answer.body
    download_id = answer.body["downloadId"]
    assert found_at(answer.headers["Location"], PATH) == f"{PATH}/{download_id}"
    assert answer.body == {
        "integrationId": "acme-na",
        "downloadId": download_id,
        "status": "queued",
        "updatedAfter": "2026-10-24T12:00:00.000Z",
        "updatedBefore": "2026-11-23T11:57:50.000Z",
        "requestedBy": "administrator@example.com",
        "requestedAt": "2026-11-23T12:00:00.000Z",
        "startedAt": None,
        "finishedAt": None,
        "counts": {
            "pages": 0,
            "orders": 0,
            "new": 0,
            "changed": 0,
            "unchanged": 0,
            "setAside": 0,
            "held": 0,
            "healed": 0,
            "partlyFilled": 0,
        },
        "failures": 0,
        "failure": None,
        "retryAt": None,
        "reached": "2026-10-24T12:00:00.000Z",
        "progress": 0.0,
        "estimatedOrdersLeft": 0,
        "estimatedCallsLeft": 5,
        "callsAhead": 0,
        "estimatedEnd": "2026-11-23T12:00:00.000Z",
    }
    assert world.woken() == ["acme-na"]
    integration = world.integrations.get("acme-na")
    assert integration is not None
    assert world.downloads.live_download(integration).walk == cursor


def test_a_dry_run_plans_a_download_by_recent_volumes_and_starts_none(world: World) -> None:
    integration = world.integrations.get("acme-na")
    assert integration is not None
    live = world.downloads.live_download(integration)
    walk = live.walk.model_copy(update={"pace": Pace().after(4_000, DAY)})
    world.downloads.save_live_download("acme-na", live.model_copy(update={"walk": walk}))

    plan = request(world, since(NOON - 3 * DAY) | {"dryRun": True})

    assert plan.status == 200, plan.body
    assert (plan.body["estimatedOrdersLeft"], plan.body["estimatedCallsLeft"]) == (11_994, 160)
    assert plan.body["estimatedEnd"] == "2026-11-24T01:53:20.000Z"  # 20 at once, 140 at half of 0.0056 a second
    assert world.downloads.backdated_downloads("acme-na") == ()
    assert world.woken() == []


def test_a_plan_counts_what_is_done_before_it(world: World) -> None:
    first = request(world, since(NOON - 30 * DAY)).body
    world.clock.advance(MINUTE)
    second = request(world, since(NOON - 30 * DAY)).body
    assert (second["callsAhead"], second["estimatedCallsLeft"]) == (first["estimatedCallsLeft"], 5)
    assert request(world, since(NOON - DAY) | {"dryRun": True}).body["callsAhead"] == 10


def test_without_a_time_the_download_starts_where_the_setting_says(world: World) -> None:
    world.change_integration(settings=IntegrationSettings(download_orders_updated_after=NOON - 3 * DAY))
    assert request(world).body["updatedAfter"] == "2026-11-20T12:00:00.000Z"
    assert request(world, {}).body["updatedAfter"] == "2026-11-20T12:00:00.000Z"


def test_without_a_time_and_without_the_setting_nothing_is_downloaded(world: World) -> None:
    answer = request(world)
    assert (answer.status, answer.codes) == (422, {"updatedAfter": "required"})
    assert world.woken() == []


@pytest.mark.parametrize(
    ("start", "code"),
    [(NOON + MINUTE, "tooLate"), (NOON - MINUTE, "tooLate"), (NOON - 731 * DAY, "tooOld")],
)
def test_a_download_starts_where_amazon_has_something_to_show(world: World, start: datetime, code: str) -> None:
    answer = request(world, since(start))
    assert (answer.status, answer.codes) == (422, {"updatedAfter": code})


@pytest.mark.parametrize("body", [{"updatedAfter": "yesterday"}, {"updatedAfter": "2026-11-01"}, {"since": "x"}])
def test_a_request_that_is_none_is_refused(world: World, body: object) -> None:
    assert request(world, body).status == 422


def test_a_request_sent_again_with_its_key_makes_no_second_download(world: World) -> None:
    first = request(world, since(NOON - DAY), Idempotency_Key="monday")
    world.clock.advance(MINUTE)
    again = request(world, since(NOON - DAY), Idempotency_Key="monday")
    assert (again.status, again.body["downloadId"]) == (202, first.body["downloadId"])
    assert len(world.downloads.backdated_downloads("acme-na")) == 1
    other = request(world, since(NOON - DAY), Idempotency_Key="tuesday")
    assert other.body["downloadId"] != first.body["downloadId"]


def test_a_repeated_request_is_answered_with_the_download_that_was_stored(world: World) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app("request_downloads").wake_ups, "wake", dies)
        with pytest.raises(UnexpectedError):
            request(world, since(NOON - DAY), Idempotency_Key="monday")
    (made,) = world.downloads.backdated_downloads("acme-na")
    world.clock.advance(MINUTE)
    again = request(world, since(NOON - DAY), Idempotency_Key="monday")
    assert (again.status, again.body["downloadId"]) == (202, made.download_id)
    assert len(world.downloads.backdated_downloads("acme-na")) == 1
    assert world.woken() == ["acme-na"]


def test_an_integration_that_is_not_there_downloads_nothing(world: World) -> None:
    assert world.call("POST", "/integrations/nobody/downloads", since(NOON - DAY)).status == 404
    world.change_integration(deleted_at=NOON)
    assert request(world, since(NOON - DAY)).status == 404


# Its progress ---------------------------------------------------------------------------------------------------------


def test_downloads_are_listed_newest_first(world: World) -> None:
    first = request(world, since(NOON - DAY)).body["downloadId"]
    world.clock.advance(timedelta(milliseconds=1))
    second = request(world, since(NOON - DAY)).body["downloadId"]
    listed = world.call("GET", PATH, role="reader").body["downloads"]
    assert [download["downloadId"] for download in listed] == [second, first]


def test_progress_is_estimated_from_how_dense_the_window_turned_out(world: World) -> None:
    download = stored(
        world,
        status="running",
        started_at=NOON,
        walk=Walk(reached=NOON - 5 * DAY, width=timedelta(hours=6), pace=Pace().after(240, DAY)),
        counts=Counts(pages=7, orders=612, new=600, changed=12),
    )
    integration = world.register("fresh")
    live = world.downloads.live_download(integration)
    bucket = Bucket(rate=0.0056, burst=20, tokens=4, at=NOON)
    world.downloads.save_live_download("acme-na", live.model_copy(update={"search_bucket": bucket}))
    shown = world.call("GET", f"{PATH}/{download.download_id}", role="reader").body
    assert (shown["status"], shown["counts"]["orders"], shown["progress"]) == ("running", 612, 0.5)
    assert shown["estimatedCallsLeft"] == 17
    assert shown["estimatedEnd"] == "2026-11-23T13:17:22.857Z"  # 4 at once, 13 at half of 0.0056 a second


def test_a_finished_download_has_nothing_left(world: World) -> None:
    download = stored(world, status="finished", walk=Walk(reached=NOON), finished_at=NOON)
    shown = world.call("GET", f"{PATH}/{download.download_id}", role="reader").body
    assert (shown["progress"], shown["estimatedCallsLeft"], shown["estimatedEnd"]) == (1.0, 0, None)


def test_a_download_that_is_not_there_is_not_found(world: World) -> None:
    for method in ("GET", "DELETE"):
        assert world.call(method, f"{PATH}/none").status == 404


# Cancelling -----------------------------------------------------------------------------------------------------------


def test_a_download_is_cancelled_once_and_for_all(world: World) -> None:
    download = stored(world, status="running")
    answer = world.call("DELETE", f"{PATH}/{download.download_id}")
    assert (answer.status, answer.body["status"]) == (200, "cancelled")
    assert answer.body["finishedAt"] == "2026-11-23T12:00:00.000Z"
    world.clock.advance(DAY)
    assert world.call("DELETE", f"{PATH}/{download.download_id}").body == answer.body


@pytest.mark.parametrize("status", ["finished", "failed"])
def test_a_download_that_is_over_is_not_cancelled(world: World, status: str) -> None:
    download = stored(world, status=status)
    answer = world.call("DELETE", f"{PATH}/{download.download_id}")
    assert (answer.status, answer.body["code"]) == (409, "alreadyOver")


@pytest.mark.parametrize(("times", "status"), [(1, 200), (4, 409)])
def test_cancelling_a_download_that_is_at_work_is_tried_again(world: World, times: int, status: int) -> None:
    download_id = stored(world, status="running").download_id

    def a_page_arrives() -> None:
        download = world.downloads.backdated_download("acme-na", download_id)
        assert download is not None
        counts = download.counts + Counts(pages=1)
        world.downloads.save_backdated_download("acme-na", download.model_copy(update={"counts": counts}))

    with world.just_before("request_downloads", "PutItem", a_page_arrives, times=times):
        answer = world.call("DELETE", f"{PATH}/{download_id}")
    assert answer.status == status


# One order ------------------------------------------------------------------------------------------------------------


def test_amazon_is_asked_for_an_order_at_once(world: World) -> None:
    order = world.download(buyer_email=None)
    world.clock.advance(MINUTE)
    answer = world.call("POST", f"/orders/{order.order_id}/redownload", role="editor")
    assert (answer.status, answer.body["redownloadAt"]) == (202, "2026-11-23T12:01:00.000Z")
    (wanted,) = world.downloads.due_redownloads("acme-na", "requested", world.clock())
    assert (wanted.order_id, wanted.cause, wanted.wanted_at) == (order.order_id, "requested", NOON + MINUTE)
    assert world.order() == order
    assert world.woken() == ["acme-na"]


def test_a_request_for_an_order_outlives_an_edit_at_the_same_time(world: World) -> None:
    order = world.download(buyer_email=None)

    def somebody_edits() -> None:
        edited = gate.edit(world.order(), {"email": "typed@b.example.com"}, None, Settings(), NOON)
        world.orders.save(world.order(), edited, by="somebody", at=NOON, cause="edit")

    with world.just_before("request_downloads", "PutItem", somebody_edits):
        answer = world.call("POST", f"/orders/{order.order_id}/redownload", role="editor")
    assert answer.status == 202
    assert [one.order_id for one in world.downloads.due_redownloads("acme-na", "requested", world.clock())] == [
        order.order_id
    ]


def test_asking_for_an_order_twice_is_one_request(world: World) -> None:
    order = world.download()
    for _ in range(2):
        world.call("POST", f"/orders/{order.order_id}/redownload", role="editor")
    assert len(world.downloads.due_redownloads("acme-na", "requested", world.clock())) == 1


def test_amazon_is_not_asked_again_for_a_redacted_order(world: World) -> None:
    order = world.download()
    world.orders.save(order, gate.redact(order, Settings(), NOON), by="clock", at=NOON, cause="redaction")
    answer = world.call("POST", f"/orders/{order.order_id}/redownload", role="editor")
    assert (answer.status, answer.body["code"]) == (409, "redacted")


@pytest.mark.parametrize("changes", [{"is_paused": True}, {"deleted_at": NOON}])
def test_an_order_of_an_integration_without_downloads_is_not_asked_for(world: World, changes: dict[str, Any]) -> None:
    order = world.download()
    world.change_integration(**changes)
    answer = world.call("POST", f"/orders/{order.order_id}/redownload", role="editor")
    assert (answer.status, answer.body["code"]) == (409, "paused")


def test_many_orders_are_asked_for_in_one_call_with_a_result_each(world: World) -> None:
    first = world.download(buyer_email=None)
    second = world.download(order_id="701-2222222-2222222")
    world.clock.advance(MINUTE)
    wanted = [first.order_id, "none", second.order_id, first.order_id]
    answer = world.call("POST", "/bulk/redownloads", {"orderIds": wanted}, role="editor")
    assert answer.status == 202
    assert [(one["orderId"], one["status"]) for one in answer.body["orders"]] == [
        (first.order_id, 202),
        ("none", 404),
        (second.order_id, 202),
    ]
    wanted_ids = {one.order_id for one in world.downloads.due_redownloads("acme-na", "requested", world.clock())}
    assert wanted_ids == {first.order_id, second.order_id}
    assert world.woken() == ["acme-na"]


def test_a_dry_run_says_what_would_come_of_each_and_asks_for_none(world: World) -> None:
    order_ids = [world.download().order_id, "none"]
    tried = world.call("POST", "/bulk/redownloads", {"orderIds": order_ids, "dryRun": True}, role="editor")
    assert (tried.status, world.woken()) == (200, [])
    assert list(world.downloads.due_redownloads("acme-na", "requested", world.clock())) == []
    done = world.call("POST", "/bulk/redownloads", {"orderIds": order_ids}, role="editor")
    assert (done.status, done.body) == (202, tried.body)


@pytest.mark.parametrize("order_ids", [[], [""], [f"701-{n}" for n in range(101)], "701-1"])
def test_a_bulk_request_that_is_none_is_refused(world: World, order_ids: object) -> None:
    assert world.call("POST", "/bulk/redownloads", {"orderIds": order_ids}, role="editor").status == 422


def test_amazon_is_not_asked_for_an_order_that_is_not_there(world: World) -> None:
    assert world.call("POST", "/orders/none/redownload", role="editor").status == 404

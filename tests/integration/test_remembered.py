"""Requests that are sent again with their `Idempotency-Key`."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from needs_attention.api.problems import UnexpectedError
from tests.integration.writes import an_integration_to_merge
from tools.in_memory.api import Answer, World, app, routes

ORDER = "/orders/701-1111111-1111111"
POSTS: dict[tuple[str, str], Any] = {
    ("POST", "/orders/{orderId}/release"): {},
    ("POST", "/orders/{orderId}/erase"): {"reference": "GR-2041", "evenIfUnsent": True},
    ("POST", "/orders/{orderId}/acknowledge"): None,
    ("POST", "/orders/{orderId}/picked"): None,
    ("POST", "/orders/{orderId}/transfer-failed"): {"reason": "The shelf is empty."},
    ("POST", "/orders/{orderId}/redownload"): None,
    ("POST", "/orders/{orderId}/dispatched"): {"dispatchedAt": "2026-11-23T11:00:00Z"},
    ("POST", "/orders.csv"): "orderId,revision,email\n701-1111111-1111111,1,typed@example.com\n",
    ("POST", "/bulk/orders"): {"orders": [{"orderId": "701-1111111-1111111", "release": True}]},
    ("POST", "/bulk/redownloads"): {"orderIds": ["701-1111111-1111111"]},
    ("POST", "/integrations"): {
        "integrationId": "new-eu",
        "region": "EU",
        "sellerId": "A1EXAMPLESELLER",
        "marketplaceIds": ["A1PA6795UKMFR9"],
        "credentials": {"clientId": "id", "clientSecret": "secret", "refreshToken": "token"},
    },
    ("POST", "/integrations/{integrationId}/downloads"): {"updatedAfter": "2026-11-01T00:00:00Z"},
    ("POST", "/integrations/{integrationId}/rejudgement"): None,
    ("POST", "/integrations/{integrationId}/merge"): {"source": "acme-ca"},
    ("POST", "/integrations/{integrationId}/freeze"): None,
    ("POST", "/freeze"): None,
    ("POST", "/erasures"): {"reference": "GR-2041", "buyerEmail": "ada@marketplace.example.com"},
    ("POST", "/stages"): {"name": "Awaiting Supplier"},
}


def held(world: World) -> Answer:
    """An order that a person has put into Needs Attention, complete as it is."""
    world.download()
    return world.call("PATCH", ORDER, {"stage": "Needs Attention"})


def release(world: World, key: str = "monday", body: object = None, **more: Any) -> Answer:
    return world.call("POST", f"{ORDER}/release", body, Idempotency_Key=key, **more)


@pytest.mark.parametrize(("method", "resource"), POSTS)
def test_every_post_sent_again_is_answered_as_it_was_the_first_time(world: World, method: str, resource: str) -> None:
    order = world.download()
    if "release" in resource or "bulk/orders" in resource:
        world.call("PATCH", ORDER, {"stage": "Needs Attention"})
    reports = ("picked", "dispatched", "failed")
    if resource.endswith(("acknowledge", *reports)):
        world.call("PATCH", ORDER, {"threePlStatus": "Transfer to 3PL Now"})
    if resource.endswith(reports):
        world.call("POST", f"{ORDER}/acknowledge")
    if resource.endswith("merge"):
        an_integration_to_merge(world)
    path = resource.replace("{orderId}", order.order_id).replace("{integrationId}", "acme-na")
    body = POSTS[method, resource]
    headers: dict[str, Any] = {"Idempotency_Key": "monday"}
    if isinstance(body, str):
        headers["Content_Type"] = "text/csv"
    first = world.call(method, path, body, **headers)
    before = everything(world)
    again = world.call(method, path, body, **headers)
    assert first.status < 300
    assert (again.status, again.body) == (first.status, first.body)
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    assert {**again.headers, "Idempotency-Replayed": ""} == {**first.headers, "Idempotency-Replayed": ""}
    assert everything(world) == before


def test_every_post_of_the_template_is_in_that_test() -> None:
    assert POSTS.keys() == {(route.method, route.resource) for route in routes() if route.method == "POST"}


def everything(world: World) -> Any:
    tables = ("OrdersTable", "IntegrationsTable", "AnswersTable")
    return [world.dynamodb.scan(TableName=table)["Items"] for table in tables]


def test_a_release_repeated_late_does_not_release_an_order_held_since(world: World) -> None:
    held(world)
    assert release(world).body["stage"] == "New"
    world.call("PATCH", ORDER, {"stage": "Needs Attention"})
    assert release(world).body["stage"] == "New"
    assert world.call("GET", ORDER).body["stage"] == "Needs Attention"
    assert release(world, "tuesday").body["stage"] == "New"
    assert world.call("GET", ORDER).body["stage"] == "New"


@pytest.mark.parametrize("other", [{"body": {"override": {"reason": "A reason."}}}, {"If_Match": '"7"'}])
def test_a_key_is_for_one_request_only(world: World, other: dict[str, Any]) -> None:
    held(world)
    release(world)
    before = everything(world)
    answer = release(world, **other)
    assert (answer.status, answer.body["code"]) == (422, "idempotencyKeyUsed")
    assert everything(world) == before


def test_a_key_is_its_callers_own_and_its_operations(world: World) -> None:
    held(world)
    release(world, role="administrator")
    world.call("PATCH", ORDER, {"stage": "Needs Attention"})
    assert "Idempotency-Replayed" not in release(world, role="editor").headers
    assert "Idempotency-Replayed" not in world.call("POST", f"{ORDER}/redownload", Idempotency_Key="monday").headers


def test_a_request_that_was_refused_is_tried_again(world: World) -> None:
    world.download(buyer_email=None)
    assert release(world).status == 409
    world.call("PATCH", ORDER, {"email": "typed@example.com"})
    assert release(world).status == 200


def test_a_request_that_failed_is_tried_again(world: World) -> None:
    held(world)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app("edit_orders").orders, "save", dies)
        with pytest.raises(UnexpectedError):
            release(world)
    assert release(world).body["stage"] == "New"


def dies(*_: object, **__: object) -> None:
    raise OSError


def test_the_same_request_twice_at_once_is_done_once(world: World) -> None:
    held(world)
    answers = []
    with world.just_before("edit_orders", "UpdateItem", lambda: answers.append(release(world))):
        answers.append(release(world))
    assert [(answer.status, answer.body.get("code")) for answer in answers] == [(409, "requestInProgress"), (200, None)]
    assert world.order().last_change is not None
    assert release(world).body == answers[1].body


@pytest.mark.parametrize("key", ["", "k" * 256, "new\nline", "two words", "\x7f", "ключ"])
def test_a_key_that_is_none_is_refused(world: World, key: str) -> None:
    held(world)
    answer = release(world, key)
    assert (answer.status, answer.body["code"]) == (400, "invalidIdempotencyKey")
    assert world.call("GET", ORDER).body["stage"] == "Needs Attention"


def test_nobody_gets_another_ones_answer_by_a_key_without_the_role(world: World) -> None:
    held(world)
    release(world)
    assert release(world, role="reader").status == 403


def test_an_answer_of_a_hundred_whole_orders_is_remembered(world: World) -> None:
    lines = [
        {"sellerSku": f"SKU-{n}", "title": "An item with a title of some length", "quantity": 1} for n in range(20)
    ]
    order_ids = [f"701-1111111-{n:07d}" for n in range(100)]
    for order_id in order_ids:
        world.download(order_id=order_id)
    patches = {"orders": [{"orderId": order_id, "patch": {"lineItems": lines}} for order_id in order_ids]}
    first = world.call("POST", "/bulk/orders", patches, Idempotency_Key="monday")
    assert len(json.dumps(first.body)) > 400 * 1024
    again = world.call("POST", "/bulk/orders", patches, Idempotency_Key="monday")
    assert (again.body, again.headers["Idempotency-Replayed"]) == (first.body, "true")


def test_an_answer_that_cannot_be_remembered_is_given_all_the_same(world: World) -> None:
    held(world)

    def refuse(params: dict[str, Any], **_: object) -> None:
        if params["TableName"] == "AnswersTable":
            raise ClientError({"Error": {"Code": "ValidationException"}}, "UpdateItem")

    events = app("edit_orders").dynamodb.meta.events
    events.register("before-parameter-build.dynamodb.UpdateItem", refuse)
    try:
        answer = release(world)
    finally:
        events.unregister("before-parameter-build.dynamodb.UpdateItem", refuse)
    assert (answer.status, answer.body["stage"]) == (200, "New")
    assert release(world).body["code"] == "requestInProgress"


def test_answers_are_kept_for_a_day_without_anything_that_can_be_read(world: World) -> None:
    held(world)
    release(world)
    (item,) = world.dynamodb.scan(TableName="AnswersTable")["Items"]
    assert "Quill" not in json.dumps(item)
    assert set(item) == {"id", "expiration", "in_progress_expiration", "status", "data", "validation"}


# Personal data --------------------------------------------------------------------------------------------------------

OF_THE_PERSON = ("Quill", "Harbor", "ada@marketplace", "typed@b.example.com", "Ortiz")
NOTE = {"orderId": "701-1111111-1111111", "patch": {"assignedTo": "zoe"}}
HEADER = "orderId,revision,email"
RESULTS: dict[str, tuple[str, Any]] = {
    "an order in a list": ("/bulk/orders", {"orders": [NOTE]}),
    "an order in a list, tried": ("/bulk/orders", {"orders": [NOTE], "dryRun": True}),
    "a refused order in a list": (
        "/bulk/orders",
        {"orders": [{**NOTE, "patch": {"email": "typed@b.example.com", "deliveryAddress": {"countryCode": "??"}}}]},
    ),
    "an order after one that is not there": ("/bulk/orders", {"orders": [{**NOTE, "orderId": "701-9"}, NOTE]}),
    "a row": ("/orders.csv", f"{HEADER}\n701-1111111-1111111,1,typed@b.example.com\n"),
    "a row of an older revision": ("/orders.csv", f"{HEADER}\n701-1111111-1111111,7,typed@b.example.com\n"),
    "a row that cannot be read": ("/orders.csv", f"{HEADER}\n701-1111111-1111111,1,typed@b.example.com Quill\n"),
    "a row after a row that is not there": (
        "/orders.csv",
        f"{HEADER}\n701-9,1,typed@b.example.com\n701-1111111-1111111,7,typed@b.example.com\n",
    ),
}


def posted(world: World, path: str, body: object) -> Answer:
    content_type = "text/csv" if isinstance(body, str) else "application/json"
    return world.call("POST", path, body, Idempotency_Key="monday", Content_Type=content_type)


def erase(world: World) -> None:
    erasure = {"reference": "GR-2041", "evenIfUnsent": True}
    assert world.call("POST", f"{ORDER}/erase", erasure).status == 200


@pytest.mark.parametrize("result", RESULTS)
def test_an_answer_is_not_repeated_once_its_personal_data_was_removed(world: World, result: str) -> None:
    path, body = RESULTS[result]
    world.download()
    first = posted(world, path, body)
    assert first.status == 200
    assert posted(world, path, body).body == first.body
    erase(world)
    again = posted(world, path, body)
    assert (again.status, again.body["code"]) == (409, "redacted")
    assert not [word for word in OF_THE_PERSON if word in json.dumps(again.body)]


@pytest.mark.parametrize(("method", "resource"), POSTS)
def test_no_post_gives_personal_data_again_that_was_removed(world: World, method: str, resource: str) -> None:
    order = world.download()
    if "release" in resource or "bulk/orders" in resource:
        world.call("PATCH", ORDER, {"stage": "Needs Attention"})
    if resource.endswith(("acknowledge", "picked", "dispatched", "failed")):
        world.call("PATCH", ORDER, {"threePlStatus": "Transfer to 3PL Now"})
    if resource.endswith(("picked", "dispatched", "failed")):
        world.call("POST", f"{ORDER}/acknowledge")
    if resource.endswith("merge"):
        an_integration_to_merge(world)
    path = resource.replace("{orderId}", order.order_id).replace("{integrationId}", "acme-na")
    first = posted(world, path, POSTS[method, resource])
    assert first.status < 300
    erase(world)
    again = posted(world, path, POSTS[method, resource])
    assert not [word for word in OF_THE_PERSON if word in json.dumps(again.body)]


@pytest.mark.parametrize("body", [{"orders": [NOTE]}, {"orders": [{**NOTE, "patch": {"email": "x@b.example.com"}}]}])
def test_an_answer_about_an_order_that_was_bare_already_is_repeated(world: World, body: object) -> None:
    world.download()
    erase(world)
    first = posted(world, "/bulk/orders", body)
    again = posted(world, "/bulk/orders", body)
    assert (first.status, again.status, again.body) == (200, 200, first.body)

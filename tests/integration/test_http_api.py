"""The rules of every route: who is let in, the form of requests, and the form of refusals."""

import base64
import io
import json
from typing import Any

import pytest

from needs_attention.api.router import Api
from tools.builders import NOON, an_amazon_order, an_order
from tools.in_memory.api import API_FUNCTIONS, CONTEXT, World, an_event, app, routes, send

ORDER = "/orders/701-1111111-1111111"

READERS = {"reader", "editor", "administrator"}
ALLOWED: dict[tuple[str, str], set[str]] = {
    ("GET", "/orders"): READERS | {"warehouse"},
    ("GET", "/orders/{orderId}"): READERS | {"warehouse"},
    ("GET", "/orders/{orderId}/history"): READERS,
    ("GET", "/summary"): READERS,
    ("GET", "/retention"): READERS,
    ("GET", "/integrations/{integrationId}/redactions"): READERS,
    ("POST", "/orders/{orderId}/erase"): {"administrator"},
    ("POST", "/erasures"): {"administrator"},
    ("GET", "/erasures/{erasureId}"): READERS,
    ("PATCH", "/orders/{orderId}"): {"editor", "administrator"},
    ("POST", "/orders/{orderId}/release"): {"editor", "administrator"},
    ("GET", "/orders.csv"): READERS,
    ("POST", "/orders.csv"): {"editor", "administrator"},
    ("POST", "/orders/{orderId}/acknowledge"): {"warehouse", "administrator"},
    ("POST", "/orders/{orderId}/picked"): {"warehouse", "administrator"},
    ("POST", "/orders/{orderId}/dispatched"): {"warehouse", "administrator"},
    ("POST", "/orders/{orderId}/transfer-failed"): {"warehouse", "administrator"},
    ("POST", "/orders/{orderId}/redownload"): {"editor", "administrator"},
    ("POST", "/bulk/redownloads"): {"editor", "administrator"},
    ("POST", "/bulk/orders"): {"editor", "administrator"},
    ("POST", "/integrations/{integrationId}/downloads"): {"administrator"},
    ("GET", "/integrations/{integrationId}/downloads"): READERS,
    ("GET", "/integrations/{integrationId}/downloads/{downloadId}"): READERS,
    ("DELETE", "/integrations/{integrationId}/downloads/{downloadId}"): {"administrator"},
    ("GET", "/integrations"): READERS,
    ("POST", "/integrations"): {"administrator"},
    ("GET", "/integrations/{integrationId}"): READERS,
    ("PATCH", "/integrations/{integrationId}"): {"administrator"},
    ("DELETE", "/integrations/{integrationId}"): {"administrator"},
    ("GET", "/integrations/{integrationId}/connection"): {"reader", "editor", "administrator"},
    ("POST", "/integrations/{integrationId}/rejudgement"): {"administrator"},
    ("GET", "/integrations/{integrationId}/rejudgement"): READERS,
    ("POST", "/integrations/{integrationId}/merge"): {"administrator"},
    ("GET", "/integrations/{integrationId}/merge"): READERS,
    ("POST", "/integrations/{integrationId}/freeze"): {"administrator"},
    ("DELETE", "/integrations/{integrationId}/freeze"): {"administrator"},
    ("POST", "/freeze"): {"administrator"},
    ("DELETE", "/freeze"): {"administrator"},
    ("GET", "/stages"): READERS,
    ("POST", "/stages"): {"administrator"},
    ("PATCH", "/stages/{stageId}"): {"administrator"},
    ("DELETE", "/stages/{stageId}"): {"administrator"},
}
OPEN_TO_EVERYBODY = {("GET", "/openapi.json")}


def path_of(resource: str) -> str:
    return resource.replace("{orderId}", "none").replace("{", "").replace("}", "")


# Who is let in --------------------------------------------------------------------------------------------------------


def test_every_route_of_the_template_is_in_the_table_of_roles() -> None:
    assert {(route.method, route.resource) for route in routes()} == {*ALLOWED, *OPEN_TO_EVERYBODY}


@pytest.mark.parametrize(("method", "resource"), ALLOWED)
@pytest.mark.parametrize("role", ["reader", "editor", "warehouse", "administrator", "", "stranger"])
def test_a_route_lets_in_exactly_the_roles_of_the_table(world: World, method: str, resource: str, role: str) -> None:
    answer = world.call(method, path_of(resource), role=role)
    assert (answer.status != 403) is (role in ALLOWED[method, resource])
    if answer.status == 403:
        assert answer.body["code"] == "roleNeeded"


@pytest.mark.parametrize(
    ("groups", "is_let_in"),
    [
        ("editor", True),
        ("reader,editor", True),
        ("[reader editor]", True),
        ("[reader, editor]", True),
        (["reader", "editor"], True),
        ("reader", False),
        ("warehouse", False),
        ("[]", False),
        ("", False),
        ("editors", False),
        (None, False),
    ],
)
def test_a_persons_groups_are_read_however_they_are_passed_on(world: World, groups: Any, is_let_in: bool) -> None:
    claims = {"username": "ada", "cognito:groups": groups}
    assert (world.call_as(claims, "PATCH", ORDER, {}).status == 404) is is_let_in


@pytest.mark.parametrize(
    ("username", "by"),
    [
        ("amazon", "user:amazon"),
        ("Clock", "user:Clock"),
        ("validation", "user:validation"),
        ("amazon-desk", "amazon-desk"),
        ("ada", "ada"),
    ],
)
def test_a_person_with_the_systems_own_name_is_told_apart_from_it(world: World, username: str, by: str) -> None:
    world.download(buyer_email=None)
    claims = {"username": username, "cognito:groups": "editor"}
    answer = world.call_as(claims, "PATCH", ORDER, {"email": "typed@b.example.com"})
    assert answer.body["lastChange"]["by"] == by


def test_a_machine_comes_in_by_its_scopes(world: World) -> None:
    world.download(buyer_email=None)
    claims = {"client_id": "erp", "scope": "needs-attention/reader needs-attention/editor"}
    answer = world.call_as(claims, "PATCH", ORDER, {"email": "typed@b.example.com"})
    assert (answer.status, answer.body["lastChange"]["by"]) == (200, "erp")


@pytest.mark.parametrize("scope", ["other/editor", "needs-attention/editors", "editor", ""])
def test_another_systems_scope_lets_no_machine_in(world: World, scope: str) -> None:
    assert world.call_as({"client_id": "erp", "scope": scope}, "PATCH", ORDER, {}).status == 403


def test_a_persons_scopes_give_no_role(world: World) -> None:
    claims = {"username": "ada", "cognito:groups": "reader", "scope": "needs-attention/administrator"}
    assert world.call_as(claims, "POST", "/freeze").status == 403


def test_a_request_without_a_token_is_let_in_nowhere(world: World) -> None:
    event = an_event("query_orders")
    event["requestContext"].pop("authorizer")
    assert send("query_orders", event).status == 403


# The form of requests -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", API_FUNCTIONS)
def test_the_sample_event_of_each_function_is_answered(world: World, name: str) -> None:
    world.download(buyer_email=None)
    if name == "manage_settings":
        world.call("DELETE", "/integrations/acme-na")
    assert send(name, an_event(name)).status in {200, 201, 202}


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", ""])
def test_a_body_that_is_not_called_json_is_refused(world: World, content_type: str) -> None:
    answer = world.call("POST", "/stages", '{"name": "x"}', Content_Type=content_type)
    assert (answer.status, answer.body["code"]) == (415, "wrongContentType")


def test_a_merge_patch_is_no_body_for_a_post(world: World) -> None:
    answer = world.call("POST", "/stages", {"name": "x"}, Content_Type="application/merge-patch+json")
    assert answer.status == 415


@pytest.mark.parametrize("body", ["{", '{"name": }', "name=x", '{"name": "\\ud800"}', "[" * 100_000])
def test_a_body_that_is_no_json_is_refused(world: World, body: str) -> None:
    answer = world.call("POST", "/stages", body)
    assert (answer.status, answer.body["code"]) == (400, "unreadableJson")


def test_a_body_that_is_too_large_is_refused(world: World) -> None:
    answer = world.call("POST", "/stages", json.dumps({"name": "é" * 140_000}, ensure_ascii=False))
    assert (answer.status, answer.body["code"]) == (413, "tooLarge")


def test_no_body_stands_for_an_empty_one(world: World) -> None:
    answer = world.call("POST", "/stages")
    assert (answer.status, answer.codes) == (422, {"name": "required"})


def test_a_body_in_base64_is_read(world: World) -> None:
    event = an_event("edit_orders")
    world.download(buyer_email=None)
    encoded = base64.b64encode(event["body"].encode()).decode()
    assert send("edit_orders", event | {"body": encoded, "isBase64Encoded": True}).body["readyToRelease"] is True


def test_a_header_counts_in_any_case(world: World) -> None:
    event = an_event("edit_orders")
    world.download()
    event["headers"] = {"content-type": "application/json", "if-match": '"9"'}
    assert send("edit_orders", event).status == 412


# The form of refusals -------------------------------------------------------------------------------------------------


def test_a_refusal_is_a_problem_with_a_code_and_an_error_per_field(world: World) -> None:
    answer = world.call("POST", "/stages", {"name": "", "colour": "red"})
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body == {
        "title": "Unprocessable Content",
        "status": 422,
        "detail": "name: String should have at least 1 character; colour: not known; allowed are name",
        "code": "invalid",
        "errors": [
            {"field": "name", "code": "stringTooShort", "message": "String should have at least 1 character"},
            {"field": "colour", "code": "unknownField", "message": "not known; allowed are name"},
        ],
    }


def test_a_refusal_does_not_repeat_what_was_sent(world: World) -> None:
    world.download()
    sent = {"email": "secret@b.example.com" * 20, "lineItems": "secret", "stage": None, "fullyDispatched": "secret"}
    assert "secret" not in str(world.call("PATCH", ORDER, sent).body)


@pytest.mark.parametrize("function", API_FUNCTIONS)
def test_a_route_that_is_none_is_not_found(world: World, function: str) -> None:
    answer = send(function, an_event(function) | {"path": "/nowhere", "resource": "/nowhere"})
    assert (answer.status, answer.body["code"]) == (404, "notFound")


def test_answers_are_kept_by_nobody(world: World) -> None:
    world.download()
    for path in (ORDER, "/orders/none", "/orders"):
        assert world.call("GET", path).headers["Cache-Control"] == "no-store"


def test_an_unforeseen_error_fails_without_a_word_of_the_data(world: World, log_lines: io.StringIO) -> None:
    """An order that cannot be read would be quoted in pydantic's complaint, and Lambda logs what a function raises."""
    order = world.store(an_order(an_amazon_order()))
    world.dynamodb.update_item(
        TableName="OrdersTable",
        Key={"orderId": {"S": order.order_id}},
        UpdateExpression="SET #amazon = :broken",
        ExpressionAttributeNames={"#amazon": "amazon"},
        ExpressionAttributeValues={":broken": {"S": '{"buyerName": "Ada Quill"}'}},
    )
    with pytest.raises(Exception) as failure:  # noqa: PT011 - whatever it is, its text is what matters
        world.call("GET", ORDER)
    assert str(failure.value) == "ValidationError"
    assert failure.value.__suppress_context__
    line = json.loads(log_lines.getvalue().splitlines()[-1])
    assert (line["message"], line["error"]) == ("unexpected error", "ValidationError")
    assert any(where.startswith("get_order:") for where in line["where"])
    assert len(line["where"]) == 5


def test_each_answer_is_logged_by_route_status_and_caller(world: World, log_lines: io.StringIO) -> None:
    world.download()
    world.call("GET", ORDER, role="reader")
    line = json.loads(log_lines.getvalue().splitlines()[-1])
    assert (line["route"], line["status"], line["caller"]) == ("GET /orders/{orderId}", 200, "reader@example.com")


def test_the_functions_read_one_clock(world: World) -> None:
    assert world.clock.now == NOON
    assert {app(name).api.__class__.__name__ for name in API_FUNCTIONS} == {"Api"}


# Browsers -------------------------------------------------------------------------------------------------------------


def test_a_page_of_the_allowed_origin_may_read_the_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_ORIGIN", "https://desk.example.com")
    answered = asked_by_a_page(Api())
    assert answered["Access-Control-Allow-Origin"] == ["https://desk.example.com"]
    assert "ETag" in answered["Access-Control-Expose-Headers"][0]


def test_without_an_allowed_origin_no_page_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_ORIGIN", "")
    assert not {name for name in asked_by_a_page(Api()) if name.startswith("Access-Control")}


def asked_by_a_page(api: Api) -> dict[str, list[str]]:
    event = an_event("query_orders")
    event["headers"] = (event["headers"] or {}) | {"Origin": "https://desk.example.com"}
    event["multiValueHeaders"] = {name: [text] for name, text in event["headers"].items()}
    headers: dict[str, list[str]] = api.resolve(event, CONTEXT)["multiValueHeaders"]
    return headers


@pytest.mark.parametrize("length", [101, 1_500, 3_000])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/orders/{name}"),
        ("PATCH", "/orders/{name}"),
        ("POST", "/orders/{name}/redownload"),
        ("GET", "/integrations/{name}"),
        ("GET", "/integrations/acme-na/downloads/{name}"),
        ("DELETE", "/stages/{name}"),
    ],
)
def test_a_name_longer_than_any_is_of_nothing(world: World, method: str, path: str, length: int) -> None:
    body: object = {} if method == "PATCH" else None
    assert world.call(method, path.replace("{name}", "n" * length), body).status == 404


def test_an_empty_header_is_none(world: World) -> None:
    world.download()
    answer = world.call("PATCH", ORDER, {"email": "typed@example.com"}, If_Match="")
    assert (answer.status, answer.body["code"]) == (400, "invalidIfMatch")
    answer = world.call("POST", "/stages", {"name": "Later"}, Idempotency_Key="")
    assert (answer.status, answer.body["code"]) == (400, "invalidIdempotencyKey")

"""Every wrong request that a client can send is refused with the right 4xx and a remedy, and changes nothing.

The wrong requests are made from the OpenAPI document, so that a new operation, parameter or field cannot be forgotten.
"""

import base64
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest

from needs_attention.api.cursors import cursor_at
from needs_attention.api.operations import LARGEST_BODY, LARGEST_SHEET
from needs_attention.values.times import instant
from tests.integration.wrong_requests import (
    NOT_JSON,
    OTHER_VALUES,
    Called,
    Wrong,
    names_in_body,
    names_in_schema,
    operations,
    wrong_bodies,
    wrong_texts,
)
from tools.builders import NOON
from tools.in_memory.api import Answer, World, routes, send

HELD, COMPLETE, OTHERS = "701-1111111-1111111", "701-2222222-2222222", "701-3333333-3333333"
PATH_PARTS = {"orderId": HELD, "integrationId": "acme-na", "stageId": "awaiting-supplier"}

ADDRESS = {
    "companyName": "Quill & Sons",
    "addressLine1": "7 Elm Road",
    "addressLine2": "Back door",
    "addressLine3": None,
    "city": "Portland",
    "districtOrCounty": None,
    "municipality": None,
    "stateOrRegion": "OR",
    "postalCode": "97209",
    "countryCode": "US",
    "phone": "+1 503 555 0100",
    "addressType": "RESIDENTIAL",
    "streetName": "Elm Road",
    "streetNumber": "7",
    "complement": None,
    "neighborhood": None,
}
PATCH = {
    "email": "ada@example.com",
    "firstName": "Ada",
    "lastName": "Quill",
    "company": "Quill & Sons",
    "deliveryAddress": ADDRESS,
    "billingAddress": ADDRESS,
    "copyDeliveryToBilling": True,
    "lineItems": [
        {
            "orderItemId": "1",
            "sellerSku": "LAMP-1",
            "asin": "B000000001",
            "title": "Lamp",
            "quantity": 1,
            "quantityFulfilled": 0,
            "quantityUnfulfilled": 1,
            "quantityOrdered": 1,
            "quantityToSend": 1,
            "isCancelled": False,
            "askedToCancel": None,
            "unitPrice": {"amount": "12.50", "currencyCode": "USD"},
        }
    ],
    "confirmed": ["email"],
    "keepTyped": ["deliveryAddress"],
    "closeAlerts": ["ChangedAfterHandOver"],
    "stage": "New",
    "threePlStatus": "Do Not Transfer to 3PL",
    "fullyDispatched": True,
    "snoozeUntil": "2026-11-25T00:00:00Z",
    "assignedTo": "bea",
    "comment": "Called the buyer.",
    "override": {"reason": "The buyer collects it."},
}
SETTINGS: dict[str, Any] = {
    "defaultStage": "New",
    "defaultThreePlStatus": "Transfer to 3PL Now",
    "autoDispatchOrders": False,
    "downloadOrdersUpdatedAfter": "2026-11-01T00:00:00Z",
    "goLiveDate": None,
    "trialMode": False,
    "downloadPendingOrders": False,
    "checks": {
        "names": True,
        "email": True,
        "deliveryAddress": True,
        "billingAddress": True,
        "lineItems": True,
        "buyerRequestedCancel": None,
    },
    "billingAddress": "copyDelivery",
    "singleWordNames": "hold",
    "liveDownloadEveryMinutes": 5,
    "orderChangeNotifications": False,
}
OVERRIDES = {
    "defaultStage": "New",
    "defaultThreePlStatus": "Do Not Transfer to 3PL",
    "autoDispatchOrders": True,
    "goLiveDate": "2026-11-01T00:00:00Z",
    "trialMode": True,
    "checks": {**SETTINGS["checks"], "email": False},
    "billingAddress": "require",
    "singleWordNames": None,
}
CREDENTIALS = {
    "clientId": "amzn1.application-oa2-client.example",
    "clientSecret": "a-client-secret",
    "refreshToken": "Atzr|example",
    "clientSecretCreatedAt": "2026-11-01T00:00:00Z",
    "consentGivenAt": None,
}
RIGHT: dict[Called, Any] = {
    Called("PATCH", "/orders/{orderId}"): PATCH,
    Called("POST", "/orders/{orderId}/release"): {"override": {"reason": "The buyer collects it."}},
    Called("POST", "/orders/{orderId}/erase"): {"reference": "GR-2041", "evenIfUnsent": False},
    Called("POST", "/orders/{orderId}/transfer-failed"): {"reason": "The shelf is empty."},
    Called("POST", "/orders/{orderId}/dispatched"): {"dispatchedAt": "2026-11-23T11:00:00Z"},
    Called("POST", "/bulk/orders"): {
        "orders": [{"orderId": HELD, "patch": PATCH}, {"orderId": COMPLETE, "release": True}],
        "dryRun": True,
    },
    Called("POST", "/bulk/redownloads"): {"orderIds": [HELD], "dryRun": False},
    Called("POST", "/integrations"): {
        "integrationId": "acme-fe",
        "name": "Acme Far East",
        "region": "FE",
        "sellerId": "A1EXAMPLESELLER",
        "marketplaceIds": ["A1VC38T7YXB528"],
        "credentials": CREDENTIALS,
        "settings": SETTINGS | {"marketplaces": {"A1VC38T7YXB528": OVERRIDES}},
    },
    Called("PATCH", "/integrations/{integrationId}"): {
        "name": "Acme",
        "sellerId": "A1EXAMPLESELLER",
        "marketplaceIds": ["ATVPDKIKX0DER"],
        "settings": SETTINGS | {"marketplaces": {"ATVPDKIKX0DER": OVERRIDES, "A2EUQ1WTGCTBG2": None}},
        "credentials": CREDENTIALS,
        "isPaused": True,
        "dryRun": False,
    },
    Called("POST", "/integrations/{integrationId}/merge"): {"source": "acme-eu", "sellerId": "A1EXAMPLESELLER"},
    Called("POST", "/integrations/{integrationId}/downloads"): {
        "updatedAfter": "2026-11-20T00:00:00Z",
        "dryRun": False,
    },
    Called("POST", "/erasures"): {
        "reference": "GR-2041",
        "evenIfUnsent": False,
        "buyerEmail": "k3x9@marketplace.example.com",
        "integration": "acme-na",
    },
    Called("POST", "/stages"): {"name": "Awaiting Payment"},
    Called("PATCH", "/stages/{stageId}"): {"name": "Awaiting Payment"},
}
SHEET = f"orderId,revision,email\n{HELD},1,ada@example.com\n"
WRONG_SHEETS = {
    "nothing": "",
    "no row": "orderId,revision,email\n",
    "no column for the order": "revision,email\n1,ada@example.com\n",
    "a column twice": f"orderId,revision,email,email\n{HELD},1,a@example.com,b@example.com\n",
    "blank rows": "orderId,revision,email\n,,\n\n",
    "an open quotation": f'orderId,revision,email\n{HELD},1,"ada@example.com\n',
    "more rows than a sheet takes": "orderId,revision,email\n" + "".join(f"{n},1,a@example.com\n" for n in range(251)),
    "JSON": json.dumps(PATCH),
}

with_a_body = [called for called in operations() if called.has_body]
with_parameters = [called for called in operations() if set(called.parameters) - {"If-Match", "Idempotency-Key"}]


@pytest.fixture
def world(world: World) -> World:
    """Two integrations with orders, a download each, a Stage of their own: whatever a right request needs."""
    world.register("acme-eu", region="EU", marketplace_ids=("A1PA6795UKMFR9",))
    for integration in ("acme-na", "acme-eu"):
        world.call(
            "POST", f"/integrations/{integration}/downloads", {"updatedAfter": instant(NOON - timedelta(days=2))}
        )
    world.call("POST", "/stages", {"name": "Awaiting Supplier"})
    world.download(buyer_email=None, order_id=HELD)
    world.download(order_id=COMPLETE)
    world.download("acme-eu", order_id=OTHERS)
    world.woken()
    return world


@pytest.fixture(autouse=True)
def nothing_changes(world: World) -> Iterator[None]:
    """No request in these tests may leave a trace, in a table, a queue or a secret."""
    before = everything(world)
    yield
    assert everything(world) == before


def everything(world: World) -> Any:
    tables = [world.dynamodb.scan(TableName=name)["Items"] for name in world.dynamodb.list_tables()["TableNames"]]
    return tables, world.woken(), boto3.client("secretsmanager").list_secrets()["SecretList"]


def path_of(called: Called) -> str:
    path = called.path
    for name, part in (PATH_PARTS | {"downloadId": "none", "erasureId": "none"}).items():
        path = path.replace(f"{{{name}}}", part)
    return path


def ask(world: World, called: Called, body: Any = None, **more: Any) -> Answer:
    more.setdefault(
        "Content_Type", "text/csv" if called.has_body and called.json_schema is None else "application/json"
    )
    return world.call(called.method, path_of(called), body, role=role_for(called), **more)


def role_for(called: Called) -> str:
    roles = called.told["x-roles"]
    return "administrator" if "administrator" in roles else str(roles[0])


def explains(answer: Answer, wrong: Wrong) -> bool:
    """Whether a refusal names the field, one within it, or what it is one of two of, and says what it should be."""
    around = wrong.field.rpartition(".")[0]
    told = [
        one["message"]
        for one in answer.body["errors"]
        if one["field"] == around or f"{one['field']}.".startswith(f"{wrong.field}.".lstrip("."))
    ]
    return any(hint in message for message in told for hint in wrong.hints)


def sent_raw(world: World, called: Called, sent: bytes, content_type: str) -> Answer:
    """As API Gateway passes on a body that it does not take for text."""
    route = next(one for one in routes() if (one.method, one.resource) == (called.method, called.path))
    event = {
        "httpMethod": called.method,
        "resource": called.path,
        "path": path_of(called),
        "headers": {"Content-Type": content_type},
        "multiValueHeaders": {"Content-Type": [content_type]},
        "multiValueQueryStringParameters": None,
        "queryStringParameters": None,
        "requestContext": {"authorizer": {"claims": {"username": "ada", "cognito:groups": role_for(called)}}},
        "body": base64.b64encode(sent).decode(),
        "isBase64Encoded": True,
    }
    return send(route.function, event)


# Bodies ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("called", [called for called in with_a_body if called.json_schema], ids=" ".join)
def test_a_body_wrong_in_one_place_is_refused_there_and_told_what_is_right(world: World, called: Called) -> None:
    schema = called.json_schema
    assert schema
    answers = [(wrong, ask(world, called, json.dumps(wrong.sent))) for wrong in wrong_bodies(schema, RIGHT[called])]
    assert len(answers) > len(OTHER_VALUES)
    assert [str(wrong) for wrong, answer in answers if answer.status != 422] == []
    assert [(str(w), answer.body["errors"]) for w, answer in answers if not explains(answer, w)] == []


@pytest.mark.parametrize("called", [called for called in with_a_body if called.json_schema], ids=" ".join)
def test_each_place_of_each_body_is_in_that_test(called: Called) -> None:
    schema = called.json_schema
    assert schema
    assert names_in_schema(schema) - names_in_body(RIGHT[called]) == set()


@pytest.mark.parametrize("called", with_a_body, ids=" ".join)
def test_a_body_too_large_or_not_of_its_type_is_refused(world: World, called: Called) -> None:
    largest = LARGEST_BODY if called.json_schema else LARGEST_SHEET
    answer = ask(world, called, json.dumps({"name": "x" * largest}))
    told = f"at most {largest // 1024} KB" in answer.body["detail"]
    assert (answer.status, answer.body["code"], told) == (413, "tooLarge", True)
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "application/xml", "", "json"):
        answer = ask(world, called, "{}", Content_Type=content_type)
        assert (answer.status, answer.body["code"], "/" in answer.body["detail"]) == (415, "wrongContentType", True)


def test_of_a_body_of_nothing_but_errors_the_first_hundred_are_told(world: World) -> None:
    sent = {f"colour{number}": "red" for number in range(10_000)}
    answer = ask(world, Called("PATCH", "/orders/{orderId}"), sent)
    assert answer.status == 422
    assert [error["field"] for error in answer.body["errors"]] == list(sent)[:100]


def test_a_refusal_tells_its_first_three_errors_in_words(world: World) -> None:
    answer = ask(world, Called("PATCH", "/orders/{orderId}"), dict.fromkeys(("a1", "b2", "c3", "d4"), "red"))
    assert [name for name in ("a1", "b2", "c3", "d4") if f"{name}: " in answer.body["detail"]] == ["a1", "b2", "c3"]


def test_a_name_of_nothing_but_dots_is_one_name(world: World) -> None:
    name = "a." * 1_000
    answer = ask(world, Called("PATCH", "/orders/{orderId}"), {name: 1, "a": 2})
    assert answer.codes == {name: "unknownField", "a": "unknownField"}


@pytest.mark.parametrize("called", [called for called in with_a_body if called.json_schema], ids=" ".join)
def test_a_body_that_is_no_json_in_utf_8_is_refused(world: World, called: Called) -> None:
    for name, sent in NOT_JSON.items():
        answer = sent_raw(world, called, sent, "application/json")
        assert (name, answer.status, answer.body["code"]) == (name, 400, "unreadableJson")
        assert answer.body["detail"]


@pytest.mark.parametrize("name", WRONG_SHEETS)
def test_a_sheet_that_is_none_is_refused(world: World, name: str) -> None:
    answer = ask(world, Called("POST", "/orders.csv"), WRONG_SHEETS[name])
    assert answer.status in {400, 422}
    assert answer.body["detail"]


@pytest.mark.parametrize("sent", ["é".encode("latin-1"), SHEET.encode("utf-16")[:-1]])
def test_a_sheet_in_another_encoding_is_refused_with_the_right_one(world: World, sent: bytes) -> None:
    answer = sent_raw(world, Called("POST", "/orders.csv"), sent, "text/csv")
    assert (answer.status, "UTF-8" in answer.body["detail"]) == (400, True)


# Parameters and headers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("called", with_parameters, ids=" ".join)
def test_a_wrong_parameter_is_refused_with_what_would_be_right(world: World, called: Called) -> None:
    body = SHEET if called.has_body else None
    for name, schema in called.parameters.items():
        if name not in {"If-Match", "Idempotency-Key"}:
            wrong = [one._replace(field=name) for one in wrong_texts(schema)]
            answers = [(one, ask(world, called, body, query={name: one.sent})) for one in wrong]
            assert wrong
            assert [str(one) for one, answer in answers if answer.status != 400] == []
            assert [(str(one), answer.body["errors"]) for one, answer in answers if not explains(answer, one)] == []


@pytest.mark.parametrize("called", operations(), ids=" ".join)
def test_a_parameter_that_is_none_is_refused_with_those_that_are(world: World, called: Called) -> None:
    answer = ask(world, called, SHEET if called.has_body else None, query={"colour": "red"})
    told = {error["field"]: (error["code"], error["message"]) for error in answer.body["errors"]}
    code, message = told["colour"]
    assert (answer.status, code) == (400, "unknownParameter")
    assert all(name in message for name in set(called.parameters) - {"Idempotency-Key", "If-Match"})


@pytest.mark.parametrize("called", [one for one in operations() if "If-Match" in one.parameters], ids=" ".join)
def test_a_header_of_no_revision_or_of_another_lets_no_change_land(world: World, called: Called) -> None:
    right = RIGHT.get(called)
    for tag in ("", "1", '"1', "W/1", '"1";"2"', "'1'", "last Monday"):
        answer = ask(world, called, right, If_Match=tag)
        assert (tag, answer.status, answer.body["code"]) == (tag, 400, "invalidIfMatch")
    if called.path.endswith(("acknowledge", "picked", "dispatched", "transfer-failed")):
        return  # a warehouse is not shown how an order is now that is not for it, or that it has not taken
    for tag in ('"999"', '"0", "998"', '"x"'):
        least = right if called.path.endswith("erase") else {} if right else None
        answer = ask(world, called, least, If_Match=tag)
        assert (tag, answer.status) == (tag, 412)


@pytest.mark.parametrize("called", [one for one in operations() if one.method == "POST"], ids=" ".join)
def test_an_idempotency_key_that_is_none_lets_nothing_happen(world: World, called: Called) -> None:
    body = RIGHT.get(called, SHEET if called.has_body else None)
    for key in ("", " ", "two words", "x" * 256, "schlüssel", "a\tb"):
        answer = ask(world, called, body, Idempotency_Key=key)
        assert (key, answer.status, answer.body["code"]) == (key, 400, "invalidIdempotencyKey")
        assert "255" in answer.body["detail"]


# Unknown IDs, and those of another ------------------------------------------------------------------------------------

NO_IDS = ("none", "0", "..", "#system", "live", "download#1", "%00", "\u0000", "💡", "x y", "x" * 101, "x" * 5_000)


@pytest.mark.parametrize(
    ("called", "part"), [(one, part) for one in operations() for part in re.findall(r"{(\w+)}", one.path)]
)
def test_an_unknown_id_is_not_found_whatever_it_looks_like(world: World, called: Called, part: str) -> None:
    for nobody in NO_IDS:
        path = called.path.replace(f"{{{part}}}", nobody)
        for name, known in PATH_PARTS.items():
            path = path.replace(f"{{{name}}}", known)
        answer = world.call(called.method, path, RIGHT.get(called), role=role_for(called))
        assert (nobody, answer.status, answer.body["code"]) == (nobody, 404, "notFound")


def test_a_download_of_another_integration_is_not_found(world: World) -> None:
    listed = world.call("GET", "/integrations/acme-eu/downloads").body["downloads"]
    for method in ("GET", "DELETE"):
        answer = world.call(method, f"/integrations/acme-na/downloads/{listed[0]['downloadId']}")
        assert (answer.status, answer.body["code"]) == (404, "notFound")


def test_a_list_of_one_integration_shows_no_order_of_another(world: World) -> None:
    query = {"integration": "acme-na", "orderIds": f"{HELD},{OTHERS}"}
    assert [order["orderId"] for order in world.call("GET", "/orders", query=query).body["orders"]] == [HELD]


def test_a_warehouse_finds_no_order_that_is_not_for_it(world: World) -> None:
    assert world.call("GET", f"/orders/{HELD}", role="warehouse").status == 404
    assert world.call("GET", "/orders", role="warehouse").body["orders"] == []
    answer = world.call("POST", f"/orders/{HELD}/acknowledge", role="warehouse")
    assert (answer.status, answer.codes) == (409, {"email": "blank"})


# Cursors --------------------------------------------------------------------------------------------------------------


def cursor_of(world: World, **query: object) -> str:
    cursor = world.call("GET", "/orders", query={"limit": 1, **query}).body["nextCursor"]
    assert isinstance(cursor, str)
    return cursor


@pytest.mark.parametrize(
    "other",
    [
        {"integration": "acme-eu"},
        {"stage": "New"},
        {"sort": "createdAt"},
        {"status": "Open"},
        {"missing": "email"},
        {"createdBefore": "2026-11-01T00:00:00Z"},
    ],
)
@pytest.mark.parametrize("path", ["/orders", "/orders.csv"])
def test_a_cursor_of_another_list_is_refused(world: World, path: str, other: dict[str, str]) -> None:
    cursor = cursor_of(world, integration="acme-na")
    answer = world.call("GET", path, query={"integration": "acme-na", **other, "cursor": cursor})
    assert (answer.status, answer.body["code"]) == (400, "invalidCursor")
    assert "Start again without it" in answer.body["detail"]


def test_a_forged_cursor_is_refused(world: World) -> None:
    cursor = cursor_of(world)
    told = json.loads(base64.urlsafe_b64decode(cursor))
    forged = [
        cursor[:-5],
        cursor[::-1],
        cursor.upper(),
        encoded({**told, "position": "2026-11-23T12:00:00.000Z"}),
        encoded({**told, "position": "9999-99-99T99:99:99.999Z#" + "x" * 101}),
        encoded({**told, "position": None}),
        encoded({**told, "list": "0" * 16}),
        encoded({**told, "version": 2}),
        encoded({**told, "also": 1}),
        encoded([]),
    ]
    for one in forged:
        answer = world.call("GET", "/orders", query={"limit": 1, "cursor": one})
        assert (one, answer.status, answer.body["code"]) == (one, 400, "invalidCursor")


def test_a_cursor_of_a_history_is_of_no_use_for_another(world: World) -> None:
    of_another = cursor_at("2026-11-23T12:00:00.000Z#0000000009", COMPLETE)
    assert world.call("GET", f"/orders/{COMPLETE}/history", query={"cursor": of_another}).status == 200
    answer = world.call("GET", f"/orders/{HELD}/history", query={"cursor": of_another})
    assert (answer.status, answer.body["code"]) == (400, "invalidCursor")


def test_a_cursor_of_a_list_is_none_of_a_history(world: World) -> None:
    answer = world.call("GET", f"/orders/{HELD}/history", query={"cursor": cursor_of(world)})
    assert (answer.status, answer.body["code"]) == (400, "invalidCursor")


def encoded(told: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode()

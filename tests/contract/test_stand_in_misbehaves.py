"""The Amazon stand-in goes wrong as told, in the ways in which Amazon does, and its control works over HTTP."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import urllib3

from tools.amazon_stand_in.misbehaviour import Misbehaviour
from tools.amazon_stand_in.plain_client import ALL_DATASETS, PlainClient, Query
from tools.amazon_stand_in.server import AmazonStandIn
from tools.amazon_stand_in.story import story

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ALL: Query = {"lastUpdatedAfter": NOON - timedelta(days=30), "includedData": ALL_DATASETS}
NO_NAMES, NO_STREET, NO_EMAIL = "111-0000005-1000005", "701-0000006-1000006", "700-0000011-1000011"


@pytest.fixture
def stand_in() -> Iterator[AmazonStandIn]:
    with AmazonStandIn(story(NOON), now=lambda: NOON) as stand_in:
        yield stand_in


@pytest.fixture
def client(stand_in: AmazonStandIn) -> Iterator[PlainClient]:
    client = PlainClient(stand_in)
    yield client
    client.close()


# Answers in place of the real one


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (Misbehaviour.JSON_500, 500, "InternalFailure"),
        (Misbehaviour.QUOTA_EXCEEDED, 429, "QuotaExceeded"),
        (Misbehaviour.ACCESS_DENIED, 403, "Unauthorized"),
        (Misbehaviour.INVALID_INPUT, 400, "InvalidInput"),
    ],
)
def test_the_next_answers_are_errors_then_all_is_well(
    client: PlainClient, stand_in: AmazonStandIn, kind: Misbehaviour, status: int, code: str
) -> None:
    stand_in.misbehave(kind, times=2)
    replies = [client.search(ALL), client.order(NO_NAMES)]
    assert [(reply.status, reply.error["code"]) for reply in replies] == [(status, code)] * 2
    assert client.search(ALL).status == 200


def test_a_503_comes_as_html(client: PlainClient, stand_in: AmazonStandIn) -> None:
    stand_in.misbehave(Misbehaviour.HTML_503)
    reply = client.search(ALL)
    assert (reply.status, reply.headers["content-type"]) == (503, "text/html")
    assert reply.body.startswith(b"<html>")


def test_instructions_are_followed_one_after_another(client: PlainClient, stand_in: AmazonStandIn) -> None:
    stand_in.misbehave(Misbehaviour.HTML_503)
    stand_in.misbehave(Misbehaviour.DUPLICATES)
    stand_in.misbehave(Misbehaviour.QUOTA_EXCEEDED)
    assert [client.search(ALL).status for _ in range(4)] == [503, 200, 429, 200]


def test_it_misbehaves_for_ever_until_told_to_behave(client: PlainClient, stand_in: AmazonStandIn) -> None:
    stand_in.misbehave(Misbehaviour.HTML_503, times=None)
    assert {client.search(ALL).status for _ in range(5)} == {503}
    stand_in.behave()
    assert client.search(ALL).status == 200


def test_one_operation_misbehaves_and_the_others_do_not(client: PlainClient, stand_in: AmazonStandIn) -> None:
    stand_in.misbehave(Misbehaviour.HTML_503, times=None, operations={"getOrder"})
    assert client.search(ALL).status == 200
    assert client.order(NO_NAMES).status == 503


def test_a_dropped_connection_brings_no_answer(client: PlainClient, stand_in: AmazonStandIn) -> None:
    client.renew_access_token()
    stand_in.misbehave(Misbehaviour.DROPPED_CONNECTION)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        client.search(ALL)
    assert stand_in.requests()[-1].status is None
    assert client.search(ALL).status == 200


def test_truncated_json_cannot_be_read(client: PlainClient, stand_in: AmazonStandIn) -> None:
    stand_in.misbehave(Misbehaviour.TRUNCATED_JSON)
    reply = client.search(ALL)
    assert reply.status == 200
    with pytest.raises(ValueError, match=r"Unterminated|Expecting|delimiter"):
        _ = reply.json


def test_a_slow_answer_outlasts_a_callers_patience(client: PlainClient, stand_in: AmazonStandIn) -> None:
    client.renew_access_token()
    stand_in.misbehave(Misbehaviour.SLOW_ANSWER, seconds=60)
    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        client.search(ALL, timeout=0.05)
    assert client.search(ALL).status == 200


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (Misbehaviour.LWA_INVALID_CLIENT, 401, "invalid_client"),
        (Misbehaviour.LWA_INVALID_GRANT, 400, "invalid_grant"),
        (Misbehaviour.LWA_UNAUTHORIZED_CLIENT, 400, "unauthorized_client"),
        (Misbehaviour.LWA_SERVER_ERROR, 500, "server_error"),
        (Misbehaviour.LWA_TEMPORARILY_UNAVAILABLE, 503, "temporarily_unavailable"),
    ],
)
def test_login_answers_with_the_error_asked_for(
    client: PlainClient, stand_in: AmazonStandIn, kind: Misbehaviour, status: int, code: str
) -> None:
    stand_in.misbehave(kind)
    reply = client.log_in()
    assert (reply.status, reply.json["error"]) == (status, code)
    assert client.log_in().status == 200


def test_login_can_fail_in_html_too(client: PlainClient, stand_in: AmazonStandIn) -> None:
    stand_in.misbehave(Misbehaviour.HTML_503, operations={"login"})
    assert client.log_in().status == 503
    assert client.log_in().status == 200


# Good answers, gone strange


def test_absent_fields_come_as_null(client: PlainClient, stand_in: AmazonStandIn) -> None:
    stand_in.misbehave(Misbehaviour.NULL_FIELDS)
    order = client.order(NO_NAMES, includedData=ALL_DATASETS).json["order"]
    assert order["buyer"]["buyerName"] is order["recipient"]["deliveryAddress"]["name"] is order["packages"] is None
    assert order["recipient"]["deliveryAddress"]["city"] == "Madison"


def test_absent_fields_come_blank(client: PlainClient, stand_in: AmazonStandIn) -> None:
    stand_in.misbehave(Misbehaviour.BLANK_FIELDS)
    order = client.order(NO_NAMES, includedData=ALL_DATASETS).json["order"]
    assert order["buyer"]["buyerName"] == order["recipient"]["deliveryAddress"]["name"] == ""
    assert order["buyer"]["buyerEmail"]


def test_a_dataset_is_left_out_of_every_order(client: PlainClient, stand_in: AmazonStandIn) -> None:
    stand_in.misbehave(Misbehaviour.NO_FULFILLMENT)
    order = client.order(NO_NAMES, includedData=ALL_DATASETS).json["order"]
    assert "fulfillment" not in order
    assert not any("fulfillment" in item for item in order["orderItems"])
    assert order["recipient"]


def test_an_order_comes_twice_on_a_page(client: PlainClient, stand_in: AmazonStandIn) -> None:
    stand_in.misbehave(Misbehaviour.DUPLICATES)
    order_ids = client.search(ALL).order_ids
    assert len(order_ids) == len(set(order_ids)) + 1


def test_statuses_channels_programs_and_fields_come_that_nobody_knows(
    client: PlainClient, stand_in: AmazonStandIn
) -> None:
    stand_in.misbehave(Misbehaviour.UNKNOWN_VALUES)
    order = client.order(NO_NAMES, includedData=ALL_DATASETS).json["order"]
    assert order["fulfillment"]["fulfillmentStatus"] == "AWAITING_DRONE"
    assert order["fulfillment"]["fulfilledBy"] == "DRONE"
    assert order["programs"] == ["AMAZON_DRONE"]
    assert order["carbonFootprint"] == {"grams": 120}


def test_one_order_of_a_page_is_not_of_the_models_shape(client: PlainClient, stand_in: AmazonStandIn) -> None:
    stand_in.misbehave(Misbehaviour.MALFORMED_ORDER)
    first, *others = client.search(ALL).json["orders"]
    assert (first["createdTime"], first["orderItems"]) == ("yesterday", "two")
    assert all(isinstance(order["orderItems"], list) for order in others)


def test_a_page_repeats_for_ever(client: PlainClient, stand_in: AmazonStandIn) -> None:
    query = ALL | {"maxResultsPerPage": "3"}
    stand_in.misbehave(Misbehaviour.REPEATED_PAGE, times=None)
    pages = [client.search(query)]
    for _ in range(3):
        pages.append(client.search(query | {"paginationToken": pages[-1].json["pagination"]["nextToken"]}))
    assert len({tuple(page.order_ids) for page in pages}) == 1


def test_orders_are_answered_only_up_to_an_earlier_bound_than_asked(
    client: PlainClient, stand_in: AmazonStandIn
) -> None:
    query = ALL | {"lastUpdatedBefore": NOON - timedelta(minutes=5)}
    stand_in.misbehave(Misbehaviour.EARLIER_BOUND, seconds=24 * 3600)
    early, on_time = client.search(query), client.search(query)
    assert early.json["lastUpdatedBefore"] == "2026-11-19T11:55:00Z"
    assert set(early.order_ids) < set(on_time.order_ids)


def test_a_fault_of_searches_alone_leaves_single_orders_their_own_faults(
    client: PlainClient, stand_in: AmazonStandIn
) -> None:
    stand_in.misbehave(Misbehaviour.REPEATED_PAGE)
    stand_in.misbehave(Misbehaviour.HTML_503)
    assert client.order(NO_NAMES).status == 503


@pytest.mark.parametrize(
    ("kind", "times", "operations"),
    [
        (Misbehaviour.HTML_503, 1, {"cancelOrder"}),
        (Misbehaviour.HTML_503, 0, set()),
        (Misbehaviour.REPEATED_PAGE, 1, {"getOrder"}),
        (Misbehaviour.LWA_INVALID_GRANT, 1, {"searchOrders"}),
        (Misbehaviour.QUOTA_EXCEEDED, 1, {"login"}),
    ],
)
def test_an_instruction_that_cannot_be_followed_is_refused(
    stand_in: AmazonStandIn, kind: Misbehaviour, times: int, operations: set[str]
) -> None:
    with pytest.raises(ValueError, match=r"operation|answer|times"):
        stand_in.misbehave(kind, times=times, operations=operations)


# Control over HTTP


def test_control_lists_the_ledger(client: PlainClient) -> None:
    orders = client.control("GET", "/orders").json["orders"]
    assert len(orders) == 19
    assert orders[4] == {
        "orderId": NO_NAMES,
        "createdTime": "2026-11-16T12:00:00Z",
        "lastUpdatedTime": "2026-11-16T12:35:00Z",
        "marketplaceId": "ATVPDKIKX0DER",
        "fulfillmentStatus": "UNSHIPPED",
        "fulfilledBy": "MERCHANT",
        "missing": ["firstName", "lastName"],
        "note": "healed",
    }


def test_control_puts_and_patches_orders(client: PlainClient) -> None:
    order = client.control("GET", f"/orders/{NO_NAMES}").json | {"orderId": "111-7654321-7654321"}
    assert client.control("PUT", "/orders/111-7654321-7654321", order).status == 200
    changes = {"changes": {"programs": ["PRIME"]}, "lastUpdatedTime": "2026-11-20T11:00:00Z"}
    assert client.control("PATCH", "/orders/111-7654321-7654321", changes).status == 200
    shown = client.order("111-7654321-7654321").json["order"]
    assert (shown["programs"], shown["lastUpdatedTime"]) == (["PRIME"], "2026-11-20T11:00:00Z")


def test_control_completes_an_order_at_amazons_side(client: PlainClient) -> None:
    path = f"/orders/{NO_NAMES}/complete"
    assert client.control("POST", path, {"lastUpdatedTime": "2026-11-18T08:00:00Z"}).status == 200
    order = client.order(NO_NAMES, includedData=ALL_DATASETS).json["order"]
    assert order["recipient"]["deliveryAddress"]["name"] == order["buyer"]["buyerName"] == "Marcus Oyelaran"
    assert order["lastUpdatedTime"] == "2026-11-18T08:00:00Z"
    assert client.control("GET", "/orders").json["orders"][4]["missing"] == []


def test_control_tells_what_was_asked(client: PlainClient) -> None:
    client.order(NO_NAMES)
    requests = client.control("GET", "/requests").json["requests"]
    assert [request["operation"] for request in requests] == ["login", "getOrder"]
    assert requests[1]["path"] == f"/orders/2026-01-01/orders/{NO_NAMES}"
    client.control("DELETE", "/requests")
    assert client.control("GET", "/requests").json == {"requests": []}


def test_control_orders_misbehaviour(client: PlainClient) -> None:
    client.control("POST", "/misbehaviours", {"kind": "html503", "times": None, "operations": ["searchOrders"]})
    assert [client.search(ALL).status for _ in range(2)] == [503, 503]
    client.control("DELETE", "/misbehaviours")
    assert client.search(ALL).status == 200


def test_control_sets_roles_plans_and_the_end_of_tokens(client: PlainClient) -> None:
    assert client.control("PUT", "/roles", {"roles": ["Inventory and Order Tracking"]}).status == 200
    assert "buyer" not in client.order(NO_STREET, includedData="BUYER").json["order"]
    assert client.control("PUT", "/usage-plans/getOrder", {"rate": 0.5, "burst": 1}).status == 200
    assert [client.order(NO_STREET).status for _ in range(2)] == [200, 429]
    assert client.control("DELETE", "/access-tokens").status == 200
    assert client.search(ALL).status == 403


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", "/nothing", None, 404),
        ("GET", "/orders/111-9999999-9999999", None, 404),
        ("POST", "/orders/111-9999999-9999999/complete", {}, 404),
        ("POST", f"/orders/{NO_NAMES}/complete", {"fields": ["phone"]}, 400),
        ("PUT", "/orders/111-9999999-9999999", {"orderId": "other"}, 400),
        ("POST", "/misbehaviours", {"kind": "sulk"}, 400),
        ("PUT", "/roles", {"roles": ["Emperor"]}, 400),
        ("PUT", "/usage-plans/cancelOrder", {"rate": 1, "burst": 1}, 400),
        ("PUT", "/roles", ["Emperor"], 400),
    ],
)
def test_control_says_what_it_cannot_do(client: PlainClient, method: str, path: str, content: Any, status: int) -> None:
    reply = client.control(method, path, content)
    assert reply.status == status
    assert reply.json["error"]

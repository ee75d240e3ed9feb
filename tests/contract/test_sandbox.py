"""The command that tries Amazon's static sandbox, and the stand-in that plays it.

The environment variable SP_API_MODEL names Amazon's Swagger file of the Orders API, whose sandbox cases ours are then
compared with.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools import sandbox
from tools.amazon_stand_in.marketplaces import Region
from tools.amazon_stand_in.misbehaviour import Misbehaviour
from tools.amazon_stand_in.plain_client import PlainClient
from tools.amazon_stand_in.sandbox import CASES
from tools.amazon_stand_in.server import AmazonStandIn

REGIONS: tuple[Region, ...] = ("NA", "EU", "FE")


@pytest.fixture(params=REGIONS)
def stand_in(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[AmazonStandIn]:
    with AmazonStandIn(region=request.param, is_sandbox=True) as amazon:
        credentials = amazon.credentials
        monkeypatch.setenv("SP_API_CLIENT_ID", credentials.client_id)
        monkeypatch.setenv("SP_API_CLIENT_SECRET", credentials.client_secret)
        monkeypatch.setenv("SP_API_REFRESH_TOKEN", credentials.refresh_token)
        monkeypatch.setenv("SP_API_ENDPOINT", amazon.endpoint)
        monkeypatch.setenv("LWA_ENDPOINT", amazon.lwa_endpoint)
        monkeypatch.setattr(sys, "argv", ["sandbox", "--region", request.param])
        yield amazon


def test_every_call_of_the_region_is_made_and_read(stand_in: AmazonStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    assert sandbox.main() == 0
    lines = capsys.readouterr().out.splitlines()
    made = [seen.operation for seen in stand_in.requests() if seen.operation != "login"]
    assert [line.split()[:2] for line in lines] == [["ok", operation] for operation in made]
    assert made


@pytest.mark.parametrize(
    ("kind", "operation", "told"),
    [
        (Misbehaviour.LWA_INVALID_CLIENT, "login", "refuses the credentials"),
        (Misbehaviour.ACCESS_DENIED, "searchOrders", "may not call this"),
        (Misbehaviour.INVALID_INPUT, "searchOrders", "does not know these parameters"),
        (Misbehaviour.HTML_503, "searchOrders", "503"),
        (Misbehaviour.TRUNCATED_JSON, "searchOrders", "no JSON"),
    ],
)
def test_what_fails_is_told_with_its_cause(
    stand_in: AmazonStandIn, capsys: pytest.CaptureFixture[str], kind: Misbehaviour, operation: str, told: str
) -> None:
    stand_in.misbehave(kind, operations=[operation], times=2)
    assert sandbox.main() == 1
    printed = capsys.readouterr().out
    assert "FAILED" in printed
    assert told in printed
    assert stand_in.credentials.client_secret not in printed


def test_an_order_that_is_read_otherwise_is_told(
    stand_in: AmazonStandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tools.amazon_stand_in.sandbox._order_of", lambda case: {"orderId": case.order_id})
    assert sandbox.main() == 1
    assert "lastUpdatedTime is missing" in capsys.readouterr().out
    assert stand_in.requests()


def test_without_credentials_nothing_is_called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in sandbox.SECRETS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "argv", ["sandbox"])
    assert sandbox.main() == 2
    told = capsys.readouterr().err
    assert all(name in told for name in sandbox.SECRETS)


def test_the_sandbox_refuses_the_parameters_of_a_download() -> None:
    with AmazonStandIn(is_sandbox=True) as amazon:
        client = PlainClient(amazon)
        parameters = {"marketplaceIds": "ATVPDKIKX0DER", "lastUpdatedAfter": "2026-11-01T00:00:00Z"}
        reply = client.get("/orders/2026-01-01/orders", parameters)
        client.close()
    assert (reply.status, reply.error["message"]) == (400, "Could not match input arguments")


@pytest.mark.skipif("SP_API_MODEL" not in os.environ, reason="SP_API_MODEL names no file")
def test_the_cases_are_those_of_amazons_model() -> None:
    paths = json.loads(Path(os.environ["SP_API_MODEL"]).read_bytes())["paths"]
    documented = [_case(case) for path in paths.values() for case in _sandbox_cases(path)]
    ours = [
        (
            {"orderId": case.order_id, **case.query} if case.operation == "getOrder" else dict(case.query),
            case.order_id,
            case.country,
            case.status,
            case.fulfilled_by,
            case.lines,
            case.has_buyer,
        )
        for case in CASES
    ]
    assert sorted(map(repr, ours)) == sorted(map(repr, documented))


def _sandbox_cases(path: dict[str, Any]) -> list[Any]:
    cases: list[Any] = path["get"]["responses"]["200"]["x-amzn-api-sandbox"]["static"]
    return cases


def _case(case: dict[str, Any]) -> tuple[object, ...]:
    values = {name: given["value"] for name, given in case["request"]["parameters"].items()}
    query = {name: ",".join(value) if isinstance(value, list) else value for name, value in values.items()}
    (order,) = case["response"].get("orders") or [case["response"]["order"]]
    fulfillment = order["fulfillment"]
    return (
        query,
        order["orderId"],
        order["recipient"]["deliveryAddress"]["countryCode"],
        fulfillment["fulfillmentStatus"],
        fulfillment["fulfilledBy"],
        len(order["orderItems"]),
        "buyer" in order,
    )

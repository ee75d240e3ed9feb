"""The command that tries Amazon's static sandbox, and the stand-in that plays it."""

import sys
from collections.abc import Iterator

import jsonschema
import pytest

from tests.contract.amazons_orders_api import FORMATS, GET, SEARCH, OrdersApi, SandboxCall
from tools import sandbox
from tools.amazon_stand_in.marketplaces import Region
from tools.amazon_stand_in.misbehaviour import Misbehaviour
from tools.amazon_stand_in.plain_client import PlainClient
from tools.amazon_stand_in.sandbox import CASES, SandboxCase
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


def test_the_cases_are_those_that_amazon_publishes(orders_api: OrdersApi) -> None:
    ours = {
        SandboxCall(
            query=tuple(sorted({**case.query, **({"orderId": case.order_id} if is_one_order(case) else {})}.items())),
            order_id=case.order_id,
            country=case.country,
            status=case.status,
            fulfilled_by=case.fulfilled_by,
            lines=case.lines,
            has_buyer=case.has_buyer,
        )
        for case in CASES
    }
    assert ours == orders_api.sandbox
    assert len(CASES) == len(ours) == 6


def is_one_order(case: SandboxCase) -> bool:
    return case.operation == "getOrder"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.order_id)
def test_a_case_asks_and_answers_in_amazons_types(orders_api: OrdersApi, case: SandboxCase) -> None:
    path = GET if is_one_order(case) else SEARCH
    parameters = orders_api.operations[path].parameters
    for name, text in case.query.items():
        value = text.split(",") if parameters[name]["type"] == "array" else text
        jsonschema.Draft4Validator(parameters[name], format_checker=FORMATS).validate(value)
    with AmazonStandIn(region=case.region, is_sandbox=True) as amazon:
        client = PlainClient(amazon)
        reply = client.get(case.path, dict(case.query))
        client.close()
    orders_api.validate(reply.json, path, reply.status)
    assert reply.status == 200

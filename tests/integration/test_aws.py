"""Calls to AWS as botocore makes them for us: how long it tries, how often, and the effect of a second try."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ProxyConnectionError
from moto import mock_aws

from needs_attention import aws
from needs_attention.aws import CONFIG, Throttled, passes_by_itself
from needs_attention.downloads.live import LiveDownload
from needs_attention.downloads.proofs import Proofs
from needs_attention.integrations.incidents import Incident, Incidents
from needs_attention.integrations.integration import Integration, Rejudgement
from needs_attention.tables.downloads import DownloadStateStore
from needs_attention.tables.dynamodb import WAITS_FOR_THE_REST
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.orders import OrderStore
from tests.integration.faults import answer_lost, unanswered, unreachable
from tests.integration.writes import INTEGRATION, ORDER
from tools.builders import NOON, an_amazon_order, an_order
from tools.from_template import create_table, functions_timeout
from tools.in_memory.api import Clock, DocumentedWorld, World, app

LONGEST_BACKOFF = 1 + 2  # seconds before the second and the third try, if botocore draws the longest


def answered(code: str, **more: Any) -> ClientError:
    response: Any = {"Error": {"Code": code}, **more}
    return ClientError(response, "PutItem")


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long somebody would have slept, had the test let them."""
    times: list[float] = []
    monkeypatch.setattr(time, "sleep", times.append)
    return times


@pytest.fixture
def dynamodb(slept: list[float]) -> Iterator[Any]:
    with mock_aws():
        yield aws.client("dynamodb")


@pytest.fixture
def world(clock: Clock) -> Iterator[World]:
    """Of moto's own DynamoDB, to which botocore sends requests, and whose answers it reads."""
    with mock_aws():
        world = DocumentedWorld(clock)
        world.register()
        yield world


def test_an_unanswered_call_is_given_up_while_there_is_time_to_say_so() -> None:
    config: Any = CONFIG
    tries = config.retries["total_max_attempts"]
    longest = tries * (config.connect_timeout + config.read_timeout) + LONGEST_BACKOFF
    assert timedelta(seconds=longest) < functions_timeout() - timedelta(seconds=4)


def test_no_function_makes_a_client_of_its_own() -> None:
    code = [path for folder in ("functions", "layers") for path in Path(folder).rglob("*.py")]
    assert [path.name for path in code if "create_client(" in path.read_text(encoding="utf-8")] == ["aws.py"]


def test_a_throttled_call_is_tried_three_times_with_pauses(dynamodb: Any, slept: list[float]) -> None:
    tries = []

    def throttle(request: Any, **_: object) -> Any:
        tries.append(request)
        body = b'{"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "no"}'
        return SimpleNamespace(status_code=400, headers={}, content=body)

    dynamodb.meta.events.register_first("before-send.dynamodb.ListTables", throttle)
    with pytest.raises(ClientError) as refused:
        dynamodb.list_tables()
    assert len(tries) == 3
    assert len(slept) == 2
    assert sum(slept) <= LONGEST_BACKOFF
    assert passes_by_itself(refused.value)


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (unreachable(), True),
        (unanswered(), True),
        (EndpointConnectionError(endpoint_url="https://aws.example.com"), True),
        (ProxyConnectionError(proxy_url="https://aws.example.com"), True),
        (Throttled(), True),
        (answered("ProvisionedThroughputExceededException"), True),
        (answered("Unknown", ResponseMetadata={"HTTPStatusCode": 503}), True),
        (answered("AccessDeniedException"), False),
        (answered("ValidationException"), False),
        (ValueError(), False),
    ],
)
def test_a_fault_that_passes_by_itself_is_told_from_one_to_mend(error: Exception, passes: bool) -> None:
    assert passes_by_itself(error) is passes


@pytest.mark.parametrize(("reason", "passes"), [("ThrottlingError", True), ("ValidationError", False)])
def test_a_transaction_passes_by_itself_if_one_of_its_reasons_does(reason: str, passes: bool) -> None:
    error = answered("TransactionCanceledException", CancellationReasons=[{"Code": "None"}, {"Code": reason}])
    assert passes_by_itself(error) is passes


# A part of a batch


@pytest.fixture
def two_orders(dynamodb: Any) -> OrderStore:
    orders = OrderStore(dynamodb, create_table(dynamodb, "OrdersTable"))
    for order_id in ("1", "2"):
        orders.save(None, an_order(an_amazon_order(order_id=order_id)), by="amazon", at=NOON, cause="download")
    return orders


@contextmanager
def leaving_out(dynamodb: Any, times: int) -> Iterator[None]:
    """DynamoDB gives all but one of the items that it is asked for, this many times."""
    left = iter(range(times))

    def leave(parsed: dict[str, Any], **_: object) -> None:
        for table, found in parsed["Responses"].items():
            if next(left, None) is not None and found:
                item = found.pop()
                key = {name: item[name] for name in ("orderId", "integrationId", "item") if name in item}
                parsed["UnprocessedKeys"] = {table: {"Keys": [key]}}

    dynamodb.meta.events.register("after-call.dynamodb.BatchGetItem", leave)
    try:
        yield
    finally:
        dynamodb.meta.events.unregister("after-call.dynamodb.BatchGetItem", leave)


def test_items_that_a_batch_leaves_out_are_asked_for_again_after_a_pause(
    dynamodb: Any, two_orders: OrderStore, slept: list[float]
) -> None:
    with leaving_out(dynamodb, times=2):
        assert two_orders.get_many(["1", "2"]).keys() == {"1", "2"}
    assert slept == list(WAITS_FOR_THE_REST[:2])


def test_a_batch_that_never_comes_whole_is_given_up(dynamodb: Any, two_orders: OrderStore, slept: list[float]) -> None:
    with leaving_out(dynamodb, times=100), pytest.raises(Throttled):
        two_orders.get_many(["1", "2"])
    assert sum(slept) < 2


def test_a_read_of_an_orders_surroundings_asks_again_for_the_rest(world: World, slept: list[float]) -> None:
    world.download()
    world.call("POST", "/stages", {"name": "Awaiting Supplier"})
    world.call("POST", "/freeze")
    world.call("PATCH", ORDER, {"stage": "Awaiting Supplier", "threePlStatus": "Transfer to 3PL Now"})
    whole = world.call("GET", ORDER)
    with leaving_out(app("query_orders").dynamodb, times=3):
        assert world.call("GET", ORDER) == whole
    assert (whole.body["stage"], whole.body["fulfillable"]) == ("Awaiting Supplier", False)
    assert slept == list(WAITS_FOR_THE_REST[:3])


@pytest.fixture
def downloads(dynamodb: Any) -> DownloadStateStore:
    """Of one integration, with everything stored that a run reads when it begins."""
    store = DownloadStateStore(dynamodb, create_table(dynamodb, "IntegrationsTable"))
    demo = Integration(
        integration_id="demo", name="Demo", region="NA", marketplace_ids=("ATVPDKIKX0DER",), registered_at=NOON
    )
    SettingsStore(dynamodb, "IntegrationsTable").save(demo)
    store.save_live_download("demo", LiveDownload.starting(NOON).model_copy(update={"last_run_at": NOON}))
    store.save_proofs("demo", Proofs())
    store.begin_rejudgement("demo", Rejudgement(requested_by="ada", requested_at=NOON, stages=()))
    store.save_incidents("demo", Incidents().opened(Incident(code="amazonUnavailable", since=NOON, evidence="503")))
    return store


def test_a_read_of_the_state_of_downloads_asks_again_for_the_rest(
    dynamodb: Any, downloads: DownloadStateStore, slept: list[float]
) -> None:
    whole = downloads.state("demo")
    with leaving_out(dynamodb, times=4):
        assert downloads.state("demo") == whole
    assert whole is not None
    assert whole.is_rejudging
    assert (whole.live.last_run_at, len(whole.incidents.incidents)) == (NOON, 1)
    assert slept == list(WAITS_FOR_THE_REST[:4])


def test_no_run_goes_on_from_a_part_of_how_its_downloads_stand(
    dynamodb: Any, downloads: DownloadStateStore, slept: list[float]
) -> None:
    with leaving_out(dynamodb, times=100), pytest.raises(Throttled):
        downloads.state("demo")
    assert sum(slept) < 2


@pytest.mark.parametrize(
    ("function", "method", "body"), [("query_orders", "GET", None), ("edit_orders", "PATCH", {"comment": "Later."})]
)
def test_surroundings_that_never_come_whole_are_a_503(
    world: World, slept: list[float], function: str, method: str, body: object
) -> None:
    world.download()
    with leaving_out(app(function).dynamodb, times=100):
        answer = world.call(method, ORDER, body)
    assert (answer.status, answer.body["code"], answer.headers["Retry-After"]) == (503, "tryAgain", "5")
    assert world.order().revision == 1


@pytest.mark.parametrize("path", ["/integrations", INTEGRATION])
def test_a_read_of_the_states_of_integrations_asks_again_for_the_rest(
    world: World, slept: list[float], path: str
) -> None:
    at_noon = LiveDownload.starting(NOON).model_copy(update={"last_run_at": NOON})
    for integration in world.integrations.find_all():
        world.downloads.save_live_download(integration.integration_id, at_noon)
    whole = world.call("GET", path)
    assert '"lastRunAt": null' not in json.dumps(whole.body)
    with leaving_out(app("manage_settings").dynamodb, times=4):
        assert world.call("GET", path) == whole
    with leaving_out(app("manage_settings").dynamodb, times=100):
        assert world.call("GET", path).status == 503


# A write whose answer is lost is made again, and finds itself there


def test_an_edit_whose_answer_was_lost_is_answered_as_done(world: World, slept: list[float]) -> None:
    world.download(buyer_email=None)
    with answer_lost(app("edit_orders").dynamodb, "UpdateItem"):
        answer = world.call("PATCH", ORDER, {"email": "typed@example.com"}, If_Match='"1"')
    assert (answer.status, answer.body["email"], answer.body["revision"]) == (200, "typed@example.com", 2)
    assert world.order().revision == 2


def test_a_release_whose_answer_was_lost_is_answered_as_done(world: World, slept: list[float]) -> None:
    world.download()
    world.call("PATCH", ORDER, {"stage": "Needs Attention"})
    with answer_lost(app("edit_orders").dynamodb, "UpdateItem"):
        answer = world.call("POST", f"{ORDER}/release")
    assert (answer.status, answer.body["stage"]) == (200, "New")


def test_a_change_of_settings_whose_answer_was_lost_is_answered_as_done(world: World, slept: list[float]) -> None:
    with answer_lost(app("manage_settings").dynamodb, "PutItem"):
        answer = world.call("PATCH", INTEGRATION, {"name": "Acme again"}, If_Match='"1"')
    assert (answer.status, answer.body["name"], answer.body["revision"]) == (200, "Acme again", 2)


def test_a_hand_over_carries_a_token_by_which_dynamodb_knows_it_again(world: World) -> None:
    """DynamoDB's own rule: the same token within ten minutes succeeds, and changes nothing. moto does not know it."""
    world.download()
    world.call("PATCH", ORDER, {"threePlStatus": "Transfer to 3PL Now"})
    sent = []

    def see(params: dict[str, Any], **_: object) -> None:
        sent.append(params["body"])

    events = app("edit_orders").dynamodb.meta.events
    events.register("before-call.dynamodb.TransactWriteItems", see)
    try:
        assert world.call("POST", f"{ORDER}/acknowledge", role="warehouse").status == 200
    finally:
        events.unregister("before-call.dynamodb.TransactWriteItems", see)
    assert b"ClientRequestToken" in sent[0]

"""Faults of everything that a function depends on: each test belongs to one or more rows of docs/faults.md.

Rows that other files test already name those. Faults are at the edge where botocore makes a call; see `faults`.
"""

import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError
from botocore.exceptions import BotoCoreError, ClientError

from needs_attention.amazon.accounts import AmazonAccounts
from needs_attention.amazon.tokens import Credentials
from needs_attention.api.problems import UnexpectedError
from needs_attention.environment import AmazonAccess
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.orders.marketplaces import MARKETPLACES
from needs_attention.orders.order import Order
from needs_attention.orders.settings import NEEDS_ATTENTION
from tests.integration.faults import (
    Fault,
    failing,
    internal_error,
    kms_denied,
    refused,
    throttled,
    unanswered,
    unreachable,
    watched,
)
from tests.integration.test_killed import a_world
from tests.integration.test_triggered_functions import SUBSCRIPTION, a_stream_event, failed
from tests.integration.writes import (
    BOTH,
    INTEGRATION,
    ORDER,
    REGISTRATION,
    WRITES,
    Write,
    a_download,
    an_order_for_the_warehouse,
    two_orders,
)
from tools.amazon_stand_in.generator import generated
from tools.amazon_stand_in.server import AmazonStandIn
from tools.builders import NOON, an_amazon_order, an_order
from tools.from_template import resources
from tools.in_memory.api import Clock, World, a_message_of_redactions, an_event, app, invoke

FIRST, SECOND = "701-1111111-1111111", "701-2222222-2222222"
DAY = timedelta(days=1)
PASSES = [throttled, internal_error, unreachable, unanswered]
ANY_FAULT = [*PASSES, kms_denied]
BY_NAME: Any = {"ids": lambda value: getattr(value, "__name__", None)}


def one_pending(world: World) -> Order:
    return world.store(an_order())


def messages_logged(log_lines: io.StringIO, message: str) -> list[dict[str, Any]]:
    lines = (json.loads(line) for line in log_lines.getvalue().splitlines())
    return [line for line in lines if line["message"] == message]


# The API --------------------------------------------------------------------------------------------------------------

READS = {
    path: Write("GET", path, None, a_download)
    for path in (
        "/orders",
        "/orders.csv",
        ORDER,
        f"{ORDER}/history",
        "/summary",
        "/integrations",
        INTEGRATION,
        f"{INTEGRATION}/connection",
        f"{INTEGRATION}/downloads",
        f"{INTEGRATION}/redactions",
        "/retention",
        "/stages",
    )
}
OPERATIONS = [*WRITES.values(), *READS.values()]
TABLES = ("OrdersTable", "IntegrationsTable", "HistoryTable", "AnswersTable")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.method} {operation.path}")
def test_a_call_is_refused_with_503_until_its_table_answers_again(
    clock: Clock, unlogged: None, operation: Write
) -> None:
    def prepare(world: World) -> None:
        operation.prepare(world)
        if world.orders.get(FIRST) is None:
            world.download()

    with a_world(clock) as world:
        prepare(world)
        with watched() as calls:
            operation.make(world)
    asked = [table for table in TABLES if any(call.is_to("dynamodb", None, table) for call in calls)]
    for table in asked:
        with a_world(clock) as world:
            prepare(world)
            with failing(throttled, "dynamodb", table=table):
                answer = operation.make(world)
            # A call for many orders answers for each separately.
            results = answer.body["orders"] if answer.status < 300 else [answer.body]
            assert {result.get("problem", result)["code"] for result in results} == {"tryAgain"}
            if answer.status == 503:
                assert answer.headers["Retry-After"] == "5"
                assert operation.make(world).status < 300


@pytest.mark.parametrize("fault", PASSES, **BY_NAME)
@pytest.mark.parametrize("operation", [WRITES["PATCH", "/orders/{orderId}"], READS["/orders"]], ids=["write", "read"])
def test_a_caller_is_told_to_try_again_whatever_stops_dynamodb(
    world: World, log_lines: io.StringIO, operation: Write, fault: Fault
) -> None:
    operation.prepare(world)
    with failing(fault, "dynamodb"):
        answer = operation.make(world)
    assert (answer.status, answer.body["code"]) == (503, "tryAgain")
    assert len(messages_logged(log_lines, "unavailable")) == 1


@pytest.mark.parametrize(
    ("write", "table"),
    [
        (WRITES["PATCH", "/orders/{orderId}"], "OrdersTable"),
        (Write("GET", f"{ORDER}/history", None, two_orders), "HistoryTable"),
        (WRITES["POST", "/integrations/{integrationId}/downloads"], "IntegrationsTable"),
        (WRITES["POST", "/stages"], "AnswersTable"),
    ],
    ids=["edit_orders", "query_orders", "request_downloads", "manage_settings"],
)
def test_a_denied_table_key_is_our_own_fault_and_logged_with_its_code(
    world: World, log_lines: io.StringIO, write: Write, table: str
) -> None:
    write.prepare(world)
    with failing(kms_denied, "dynamodb", table=table), pytest.raises(UnexpectedError):
        write.make(world)
    (line,) = messages_logged(log_lines, "unexpected error")
    assert line["code"] == "AccessDeniedException"


@pytest.mark.parametrize("fault", [*PASSES, kms_denied, refused("AWS.SimpleQueueService.NonExistentQueue")], **BY_NAME)
@pytest.mark.parametrize(
    "key",
    [
        ("POST", "/integrations"),
        ("PATCH", "/integrations/{integrationId}"),
        ("POST", "/integrations/{integrationId}/rejudgement"),
        ("POST", "/integrations/{integrationId}/merge"),
        ("POST", "/integrations/{integrationId}/downloads"),
        ("POST", "/orders/{orderId}/redownload"),
        ("POST", "/bulk/redownloads"),
    ],
)
def test_a_request_is_done_though_no_wake_up_can_be_sent_for_it(
    world: World, log_lines: io.StringIO, key: tuple[str, str], fault: Fault
) -> None:
    WRITES[key].prepare(world)
    with failing(fault, "sqs", "SendMessageBatch"):
        assert WRITES[key].make(world).status < 300
    assert messages_logged(log_lines, "wake-up not sent")


# Orders


def test_a_bulk_change_asks_to_resend_the_orders_that_dynamodb_left(world: World) -> None:
    two_orders(world)
    with failing(throttled, "dynamodb", "UpdateItem", SECOND):
        answer = world.call("POST", "/bulk/orders", {"orders": BOTH})
    first, second = answer.body["orders"]
    assert (first["status"], second["status"], second["problem"]["code"]) == (200, 503, "tryAgain")
    assert world.order(FIRST).revision == 2
    assert world.order(SECOND).revision == 1


@pytest.mark.parametrize(
    ("path", "body", "service", "operation"),
    [
        ("/bulk/orders", {"orders": BOTH}, "dynamodb", "UpdateItem"),
        ("/bulk/redownloads", {"orderIds": [FIRST, SECOND]}, "dynamodb", "PutItem"),
    ],
)
def test_once_dynamodb_does_not_answer_the_others_of_many_are_not_tried(
    world: World, path: str, body: object, service: str, operation: str
) -> None:
    two_orders(world)
    with failing(unanswered, service, operation) as tried:
        answer = world.call("POST", path, body)
    assert [result["status"] for result in answer.body["orders"]] == [503, 503]
    assert len(tried) == 1


@pytest.mark.parametrize("times", [1, 10])
def test_a_freeze_lands_between_the_hand_overs_of_a_busy_warehouse(world: World, times: int) -> None:
    left = iter(range(times))

    def a_hand_over_is_under_way(call: Any, client: Any) -> BaseException | None:
        return refused("TransactionConflictException")(call, client) if next(left, None) is not None else None

    with failing(a_hand_over_is_under_way, "dynamodb", "PutItem", "IntegrationsTable"):
        assert world.call("POST", "/freeze").status == 200
    assert world.integrations.is_all_frozen()


def test_settings_that_meet_a_hand_over_are_changed_all_the_same(world: World) -> None:
    left = iter(range(2))

    def a_hand_over_is_under_way(call: Any, client: Any) -> BaseException | None:
        return refused("TransactionConflictException")(call, client) if next(left, None) is not None else None

    with failing(a_hand_over_is_under_way, "dynamodb", "PutItem", "IntegrationsTable"):
        assert world.call("PATCH", INTEGRATION, {"name": "Acme again"}).status == 200


def test_a_freeze_that_conflicts_for_ever_is_refused_with_409(world: World) -> None:
    with failing(refused("TransactionConflictException"), "dynamodb", "PutItem", "IntegrationsTable"):
        answer = world.call("POST", "/freeze")
    assert (answer.status, answer.body["code"]) == (409, "changedMeanwhile")


# Remembered answers


@pytest.mark.parametrize("fault", PASSES, **BY_NAME)
def test_a_request_whose_key_cannot_be_looked_up_is_not_done(world: World, fault: Fault) -> None:
    an_order_for_the_warehouse(world)
    with failing(fault, "dynamodb", table="AnswersTable"):
        answer = world.call("POST", f"{ORDER}/acknowledge", Idempotency_Key="monday")
    assert (answer.status, answer.body["code"]) == (503, "tryAgain")
    assert world.order().three_pl_status == "Transfer to 3PL Now"
    assert world.call("POST", f"{ORDER}/acknowledge", Idempotency_Key="monday").status == 200


# Credentials


@pytest.mark.parametrize("fault", PASSES, **BY_NAME)
def test_no_integration_is_registered_unless_its_credentials_are_stored(world: World, fault: Fault) -> None:
    with failing(fault, "secretsmanager"):
        answer = world.call("POST", "/integrations", REGISTRATION)
    assert (answer.status, answer.body["code"]) == (503, "tryAgain")
    assert world.integrations.get("beta-eu") is None
    assert world.downloads.backdated_downloads("beta-eu") == ()
    assert world.call("POST", "/integrations", REGISTRATION).status == 201


def test_credentials_that_may_not_be_stored_are_a_fault_of_ours(world: World, log_lines: io.StringIO) -> None:
    with failing(kms_denied, "secretsmanager"), pytest.raises(UnexpectedError):
        world.call("POST", "/integrations", REGISTRATION)
    (line,) = messages_logged(log_lines, "unexpected error")
    assert line["code"] == "AccessDeniedException"
    assert world.integrations.get("beta-eu") is None


@pytest.mark.parametrize("code", ["InvalidRequestException", "ResourceExistsException"])
def test_credentials_that_somebody_else_just_changed_are_refused_with_409(world: World, code: str) -> None:
    operation = "PutSecretValue" if code == "InvalidRequestException" else "CreateSecret"
    with failing(refused(code), "secretsmanager", operation):
        answer = world.call("POST", "/integrations", REGISTRATION)
    assert (answer.status, answer.body["code"]) == (409, "changedMeanwhile")


def test_credentials_that_could_not_be_removed_are_removed_by_the_next_try(world: World) -> None:
    WRITES["DELETE", "/integrations/{integrationId}"].prepare(world)
    with failing(unanswered, "secretsmanager"):
        assert world.call("DELETE", INTEGRATION).status == 503
    assert world.call("GET", INTEGRATION).status == 404
    assert world.call("DELETE", INTEGRATION).status == 404
    assert boto3.client("secretsmanager").list_secrets()["SecretList"] == []


# validate_orders ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ANY_FAULT, **BY_NAME)
@pytest.mark.parametrize("table", ["OrdersTable", "IntegrationsTable"])
def test_a_verdict_that_a_table_prevents_is_retried_and_its_order_stays(world: World, table: str, fault: Fault) -> None:
    event = a_stream_event(one_pending(world))
    with failing(fault, "dynamodb", table=table):
        assert failed(invoke("validate_orders", event)) == ["1"]
    assert world.order().is_pending
    assert not world.order().is_fulfillable
    assert failed(invoke("validate_orders", event)) == []
    assert not world.order().is_pending


def test_one_verdict_that_cannot_be_written_holds_up_no_other(world: World) -> None:
    orders = [world.store(an_order(an_amazon_order(order_id=order_id))) for order_id in (FIRST, SECOND)]
    with failing(throttled, "dynamodb", "UpdateItem", FIRST):
        assert failed(invoke("validate_orders", a_stream_event(*orders))) == ["1"]
    assert world.order(FIRST).is_pending
    assert not world.order(SECOND).is_pending


def test_the_whole_stream_again_from_its_horizon_changes_no_order(world: World) -> None:
    """A recreated mapping begins a day back, although people and Amazon have long moved on."""
    images = [one_pending(world)]
    invoke("validate_orders", a_stream_event(images[0]))
    world.clock.advance(timedelta(hours=1))
    images.append(world.order())
    noted = world.order().with_(assigned_to="zoe")
    images.append(world.orders.save(world.order(), noted, by="ada", at=world.clock.now, cause="note"))
    again = world.order().with_(pending_since=world.clock.now)
    images.append(world.orders.save(world.order(), again, by="amazon", at=world.clock.now, cause="download"))
    invoke("validate_orders", a_stream_event(images[-1]))
    before = world.order()
    world.clock.advance(timedelta(hours=22))
    assert failed(invoke("validate_orders", a_stream_event(*images))) == []
    assert world.order() == before


# publish_changes ------------------------------------------------------------------------------------------------------


@pytest.fixture
def told(world: World) -> Iterator[Callable[[], list[str]]]:
    """The kinds of events that were put onto the bus, as they were tried."""
    boto3.client("events").create_event_bus(Name="orders")
    kinds: list[str] = []

    def see(params: dict[str, Any], **_: object) -> None:
        kinds.extend(entry["DetailType"] for entry in json.loads(params["body"])["Entries"])

    events = app("publish_changes").events.meta.events
    events.register("before-call.events.PutEvents", see)
    yield lambda: kinds
    events.unregister("before-call.events.PutEvents", see)


def history(world: World) -> list[int]:
    items = world.dynamodb.scan(TableName="HistoryTable")["Items"]
    return sorted(json.loads(item["data"]["S"])["revision"] for item in items)


def sequence_numbers(event: dict[str, Any]) -> list[str]:
    return [record["dynamodb"]["SequenceNumber"] for record in event["Records"]]


@pytest.mark.parametrize("fault", ANY_FAULT, **BY_NAME)
def test_a_change_that_cannot_be_written_down_comes_again(
    world: World, told: Callable[[], list[str]], fault: Fault
) -> None:
    event = an_event("publish_changes")
    with failing(fault, "dynamodb", "PutItem"):
        assert failed(invoke("publish_changes", event)) == sequence_numbers(event)
    assert history(world) == []
    assert failed(invoke("publish_changes", event)) == []
    assert history(world) == [1, 2]
    assert told() == ["OrderHeld", "OrderHeld"]  # events may come twice: they carry the revision


@pytest.mark.parametrize("fault", ANY_FAULT, **BY_NAME)
def test_a_change_is_not_written_down_until_its_event_can_be_put(
    world: World, told: Callable[[], list[str]], fault: Fault
) -> None:
    event = an_event("publish_changes")
    with failing(fault, "events"):
        assert failed(invoke("publish_changes", event)) == sequence_numbers(event)[1:]
    assert history(world) == [1]  # the first has no event to put
    assert failed(invoke("publish_changes", event)) == []
    assert history(world) == [1, 2]
    assert told() == ["OrderHeld"]


def test_replaying_all_changes_gives_the_same_entries_and_no_new_events(
    world: World, told: Callable[[], list[str]]
) -> None:
    event = an_event("publish_changes")
    invoke("publish_changes", event)
    before = world.dynamodb.scan(TableName="HistoryTable")["Items"]
    world.clock.advance(DAY)
    assert failed(invoke("publish_changes", event)) == []
    assert world.dynamodb.scan(TableName="HistoryTable")["Items"] == before
    assert told() == ["OrderHeld"]


# receive_order_changes ------------------------------------------------------------------------------------------------


@pytest.fixture
def subscribed(world: World) -> World:
    """The integration of the event, with notifications of changed orders switched on."""
    world.register("demo", settings=IntegrationSettings(order_change_notifications=True))
    world.downloads.save_subscription(SUBSCRIPTION, "demo")
    return world


@pytest.mark.parametrize("fault", ANY_FAULT, **BY_NAME)
@pytest.mark.parametrize("operation", ["Query", "GetItem", "PutItem"])
def test_a_notification_that_cannot_be_noted_comes_again(subscribed: World, operation: str, fault: Fault) -> None:
    event = an_event("receive_order_changes")
    with failing(fault, "dynamodb", operation):
        assert failed(invoke("receive_order_changes", event)) == [event["Records"][0]["messageId"]]
    assert subscribed.woken() == []
    assert failed(invoke("receive_order_changes", event)) == []
    assert len(subscribed.downloads.due_redownloads("demo", "orderChange", NOON)) == 1


@pytest.mark.parametrize("fault", ANY_FAULT, **BY_NAME)
def test_a_notification_is_noted_though_nobody_can_be_woken(
    subscribed: World, log_lines: io.StringIO, fault: Fault
) -> None:
    with failing(fault, "sqs"):
        assert failed(invoke("receive_order_changes", an_event("receive_order_changes"))) == []
    assert len(subscribed.downloads.due_redownloads("demo", "orderChange", NOON)) == 1
    assert messages_logged(log_lines, "wake-up not sent")


def test_a_notification_that_comes_twice_is_noted_once(subscribed: World) -> None:
    event = an_event("receive_order_changes")
    invoke("receive_order_changes", event)
    first = subscribed.downloads.due_redownloads("demo", "orderChange", NOON)
    invoke("receive_order_changes", event)
    assert subscribed.downloads.due_redownloads("demo", "orderChange", NOON) == first


# download_orders ------------------------------------------------------------------------------------------------------


@pytest.fixture
def shop(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The integration `demo`, with Amazon behind it and all of its history to be downloaded."""
    with AmazonStandIn(generated(6, now=NOON), now=world.clock) as amazon:
        access = AmazonAccess(
            secret_prefix=os.environ["SECRET_PREFIX"], sp_api_endpoint=amazon.endpoint, lwa_endpoint=amazon.lwa_endpoint
        )
        accounts = AmazonAccounts(boto3.client("secretsmanager"), access)
        accounts.offer("demo", Credentials(**asdict(amazon.credentials)), in_use=None)
        monkeypatch.setattr(app("download_orders"), "accounts", accounts)
        north_america = tuple(one.id for one in MARKETPLACES.values() if one.region == "NA")
        world.register(
            "demo", marketplace_ids=north_america, settings=IntegrationSettings(download_pending_orders=True)
        )
        world.call("POST", "/integrations/demo/downloads", {"updatedAfter": "2026-11-01T00:00:00Z"})
        world.woken()
        yield world


def is_downloaded(shop: World) -> bool:
    (download,) = shop.downloads.backdated_downloads("demo")
    return download.status == "finished" and shop.dynamodb.scan(TableName="OrdersTable")["Count"] == 6


def wake(shop: World) -> None:
    assert failed(invoke("download_orders", an_event("download_orders_wake_up"))) == []


@pytest.mark.parametrize("fault", ANY_FAULT, **BY_NAME)
@pytest.mark.parametrize(
    ("table", "operation"),
    [
        ("IntegrationsTable", "BatchGetItem"),
        ("OrdersTable", "BatchGetItem"),
        ("OrdersTable", "UpdateItem"),
        ("IntegrationsTable", "PutItem"),
    ],
)
def test_a_run_that_a_table_ends_is_made_again_by_the_same_wake_up(
    shop: World, table: str, operation: str, fault: Fault
) -> None:
    with failing(fault, "dynamodb", operation, table), pytest.raises(Exception, match="fail"):
        wake(shop)
    assert not is_downloaded(shop)
    wake(shop)
    assert is_downloaded(shop)


def test_a_wake_up_that_comes_twice_downloads_nothing_twice(shop: World) -> None:
    wake(shop)
    before = shop.dynamodb.scan(TableName="OrdersTable")["Items"]
    wake(shop)
    assert shop.dynamodb.scan(TableName="OrdersTable")["Items"] == before


@pytest.mark.parametrize("fault", [*ANY_FAULT, refused("ResourceNotFoundException")], **BY_NAME)
def test_unreadable_credentials_are_one_incident_and_delay_only_amazon(shop: World, fault: Fault) -> None:
    overdue = an_order(an_amazon_order(order_id=FIRST), integration="demo", pending_since=NOON - timedelta(minutes=11))
    shop.store(overdue)
    with failing(fault, "secretsmanager"):
        wake(shop)
    (incident,) = shop.call("GET", "/integrations/demo").body["health"]["incidents"]
    assert incident["code"] == "credentialsUnreadable"
    assert "Secrets Manager" in incident["evidence"]
    assert shop.order().pending_since == NOON  # its verdict was asked for again
    shop.clock.advance(timedelta(minutes=6))
    wake(shop)
    assert shop.call("GET", "/integrations/demo").body["health"]["incidents"] == []


@pytest.mark.parametrize("fault", ANY_FAULT, **BY_NAME)
def test_news_of_an_incident_that_the_bus_does_not_take_comes_again(
    shop: World, log_lines: io.StringIO, fault: Fault
) -> None:
    boto3.client("events").create_event_bus(Name="orders")
    with failing(kms_denied, "secretsmanager"), failing(fault, "events"):
        wake(shop)
    (untold,) = messages_logged(log_lines, "incidents are not told yet")
    assert untold["integration"] == "demo"
    shop.clock.advance(timedelta(minutes=6))
    wake(shop)
    state = shop.downloads.state("demo")
    assert state is not None
    assert (state.incidents.incidents, state.incidents.untold) == ((), ())


@pytest.mark.parametrize("secret", ["", "[]", '{"client_id": "id"}', "{"])
def test_a_secret_that_holds_no_credentials_is_that_incident_too(
    shop: World, secret: str, log_lines: io.StringIO
) -> None:
    boto3.client("secretsmanager").put_secret_value(
        SecretId=f"{os.environ['SECRET_PREFIX']}demo", SecretString=secret or "null"
    )
    wake(shop)
    state = shop.downloads.state("demo")
    assert state is not None
    (incident,) = state.incidents.incidents
    assert (incident.code, incident.evidence) == (
        "credentialsUnreadable",
        "What Secrets Manager holds are no credentials.",
    )


@pytest.mark.parametrize("fault", ANY_FAULT, **BY_NAME)
def test_a_run_that_cannot_wake_its_successor_leaves_that_to_the_next_tick(
    shop: World, monkeypatch: pytest.MonkeyPatch, log_lines: io.StringIO, fault: Fault
) -> None:
    monkeypatch.setattr(app("download_orders"), "RUN_FOR", timedelta())  # its time is up after one call
    with failing(fault, "sqs"):
        wake(shop)
    assert messages_logged(log_lines, "wake-up not sent")
    monkeypatch.undo()


@pytest.mark.parametrize("fault", ANY_FAULT, **BY_NAME)
@pytest.mark.parametrize(("service", "operation"), [("sqs", "SendMessageBatch"), ("dynamodb", "Query")])
def test_a_tick_fails_loudly_and_the_next_one_does_its_work(
    world: World, service: str, operation: str, fault: Fault
) -> None:
    tick = an_event("download_orders_tick")
    with failing(fault, service, operation), pytest.raises((BotoCoreError, ClientError)):
        invoke("download_orders", tick)
    invoke("download_orders", tick | {"time": "2026-11-23T12:01:00Z"})
    assert world.woken() == ["acme-na"]


# redact_orders --------------------------------------------------------------------------------------------------------


def redact(world: World) -> None:
    assert invoke("redact_orders", a_message_of_redactions("acme-na")) == {"batchItemFailures": []}


def an_order_whose_time_is_over(world: World) -> Order:
    world.clock.advance(100 * DAY)
    return world.store(an_order(pending_since=None, judged_at=NOON))


@pytest.mark.parametrize("fault", ANY_FAULT, **BY_NAME)
@pytest.mark.parametrize(
    ("table", "operation"),
    [
        ("IntegrationsTable", "BatchGetItem"),
        ("OrdersTable", "Query"),
        ("OrdersTable", "BatchGetItem"),
        ("OrdersTable", "UpdateItem"),
    ],
)
def test_a_redaction_that_a_table_ends_is_gone_on_with_by_the_next_tick(
    world: World, table: str, operation: str, fault: Fault
) -> None:
    order = an_order_whose_time_is_over(world)
    with failing(fault, "dynamodb", operation, table), pytest.raises(BatchProcessingError):
        redact(world)
    assert world.order(order.order_id).redacted_at is None
    redact(world)
    assert world.order(order.order_id).redacted_at == world.clock.now


@pytest.mark.parametrize("fault", ANY_FAULT, **BY_NAME)
@pytest.mark.parametrize("operation", ["Query", "PutItem", "TransactWriteItems"])
def test_an_erasure_that_the_table_ends_is_gone_on_with_by_the_next_tick(
    world: World, monkeypatch: pytest.MonkeyPatch, operation: str, fault: Fault
) -> None:
    monkeypatch.setattr("needs_attention.jobs.redactions.READ_AT_ONCE", 1)
    for order_id in (FIRST, SECOND):
        world.download(order_id=order_id)
    request = {"reference": "GR-1", "buyerEmail": world.order(FIRST).amazon.buyer_email, "evenIfUnsent": True}
    asked = world.call("POST", "/erasures", request).body
    with failing(fault, "dynamodb", operation, "IntegrationsTable"), pytest.raises(BatchProcessingError):
        redact(world)
    redact(world)
    (part,) = world.call("GET", f"/erasures/{asked['erasureId']}").body["integrations"]
    assert (part["erasedCount"], part["finishedAt"] is not None) == (2, True)


def test_a_redaction_that_comes_twice_changes_nothing(world: World) -> None:
    an_order_whose_time_is_over(world)
    redact(world)
    before = world.dynamodb.scan(TableName="OrdersTable")["Items"]
    redact(world)
    assert world.dynamodb.scan(TableName="OrdersTable")["Items"] == before


@pytest.mark.parametrize("fault", ANY_FAULT, **BY_NAME)
@pytest.mark.parametrize(
    ("service", "operation"), [("sqs", "GetQueueAttributes"), ("sqs", "SendMessageBatch"), ("dynamodb", "Query")]
)
def test_a_tick_that_asks_for_no_redactions_shows_no_sign_of_life(
    world: World, capsys: pytest.CaptureFixture[str], service: str, operation: str, fault: Fault
) -> None:
    tick = an_event("redact_orders_tick")
    with failing(fault, service, operation), pytest.raises((BotoCoreError, ClientError)):
        invoke("redact_orders", tick)
    assert "IntegrationsToRedact" not in capsys.readouterr().out
    invoke("redact_orders", tick)
    assert "IntegrationsToRedact" in capsys.readouterr().out
    assert world.asked_to_redact() == [["acme-na"]]


@pytest.mark.parametrize("fault", ANY_FAULT, **BY_NAME)
@pytest.mark.parametrize("table", ["IntegrationsTable", "OrdersTable"])
def test_overdue_orders_are_counted_whatever_keeps_them_from_being_redacted(
    world: World, capsys: pytest.CaptureFixture[str], table: str, fault: Fault
) -> None:
    an_order_whose_time_is_over(world)
    with failing(fault, "dynamodb", "BatchGetItem", table), pytest.raises(BatchProcessingError):
        redact(world)
    assert '"RedactionsOverdue":[1.0]' in capsys.readouterr().out


# send_digest ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ANY_FAULT, **BY_NAME)
@pytest.mark.parametrize("service", ["dynamodb", "cloudwatch", "sns"])
def test_a_digest_that_aws_keeps_from_being_sent_is_sent_by_the_next_try(
    world: World, service: str, fault: Fault
) -> None:
    boto3.client("sns").create_topic(Name="digest")
    world.download(buyer_email=None)
    with failing(fault, service), pytest.raises((BotoCoreError, ClientError)):
        invoke("send_digest", an_event("send_digest"))
    with watched() as calls:
        invoke("send_digest", an_event("send_digest"))
    assert [call.operation for call in calls][-1] == "Publish"


# Across functions -----------------------------------------------------------------------------------------------------


def test_an_abandoned_verdict_is_shown_as_overdue_and_made_in_the_end(shop: World) -> None:
    """Ten minutes after validation should have come, the clock asks for it again, and counts it."""
    shop.store(an_order(an_amazon_order(order_id=FIRST), integration="demo"))
    shop.clock.advance(timedelta(minutes=11))
    wake(shop)
    assert shop.call("GET", "/integrations/demo").body["health"]["overdueVerdicts"]["orders"] == 1
    assert failed(invoke("validate_orders", a_stream_event(shop.order()))) == []
    assert shop.order().stage != NEEDS_ATTENTION
    assert not shop.order().is_pending


def test_every_queue_except_the_wake_ups_rings_an_alarm() -> None:
    watched = {
        dimension["Value"].removesuffix(".QueueName")
        for one in resources().values()
        if one["Type"] == "AWS::CloudWatch::Alarm"
        for dimension in one["Properties"].get("Dimensions", [])
    }
    queues = {name for name, one in resources().items() if one["Type"] == "AWS::SQS::Queue"}
    assert queues - {"WakeUpQueue"} <= watched

"""The daily digest, as the subscribers of its topic get it."""

import json
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import boto3
import pytest
from botocore.exceptions import ClientError

from needs_attention.integrations.incidents import Incident, Incidents
from needs_attention.orders.settings import Settings, ThreePlStatus
from needs_attention.orders.verdict import judged
from tools.builders import NOON, an_address, an_amazon_order, an_order, edited
from tools.in_memory.api import World, an_event, invoke

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Mail(NamedTuple):
    subject: str
    text: str


type Inbox = Callable[[], list[Mail]]


@pytest.fixture
def inbox(world: World) -> Inbox:
    """The mails to a subscriber of the topic since the last call of this."""
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic = sns.create_topic(Name="digest")["TopicArn"]
    assert topic == os.environ["DIGEST_TOPIC"]
    queue = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    def read() -> list[Mail]:
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        mails = [json.loads(message["Body"]) for message in messages]
        return [Mail(mail["Subject"], mail["Message"]) for mail in mails]

    return read


def send(inbox: Inbox) -> Mail:
    invoke("send_digest", an_event("send_digest"))
    (mail,) = inbox()
    return mail


def measure(service: str, metric: str, *values: float, ago: timedelta = HOUR) -> None:
    data: Any = [
        {
            "MetricName": metric,
            "Dimensions": [{"Name": "service", "Value": service}],
            "Timestamp": NOON - ago,
            "Value": value,
        }
        for value in values
    ]
    boto3.client("cloudwatch").put_metric_data(Namespace="tests", MetricData=data)


def test_the_digest_counts_new_healed_and_released_orders_and_those_held(world: World, inbox: Inbox) -> None:
    world.download(order_id="701-1", created_at=NOON - 30 * HOUR, buyer_email=None, ship_by=NOON - HOUR)
    world.download(order_id="701-2", created_at=NOON - HOUR, buyer_email=None, ship_by=NOON + HOUR)
    world.download(order_id="701-3", created_at=NOON - HOUR, delivery_address=None)
    world.download(order_id="701-4", created_at=NOON - HOUR)
    measure("validate_orders", "OrdersHeld", 2, 1)
    measure("validate_orders", "OrdersHealed", 4)
    measure("validate_orders", "OrdersHealed", 9, ago=26 * HOUR)
    measure("edit_orders", "TimeToRelease", 3600, 60)
    world.downloads.save_incidents(
        "acme-na", Incidents(incidents=(Incident(code="amazonUnavailable", since=NOON - HOUR, evidence="503"),))
    )
    mail = send(inbox)
    assert mail.subject == "Needs Attention: 3 held, 1 overdue, 1 at risk"
    assert mail.text.splitlines() == [
        "Needs Attention, from 2026-11-22T12:00:00.000Z to 2026-11-23T12:00:00.000Z",
        "",
        "New orders: 3. Put on hold: 3. Healed by Amazon's data: 4. Released by people: 2.",
        "Held now: 3. Overdue: 1. At risk (ship-by within a day): 1.",
        "Going nowhere: 0. Stopped by people: 0.",
        "",
        "acme-na",
        "  New orders: 3",
        "  Held: 3, ready to release: 0",
        "  Missing: email 2, deliveryAddress 1, billingAddress 1",
        "  Held for: less than an hour 3",
        "  Ship-by: overdue 1, at risk 1",
        "  Unsent past their ship-by, with the time when their personal data goes: 701-1 (2026-12-23T11:00:00.000Z)",
        "  Incident since 2026-11-23T11:00:00.000Z: amazonUnavailable. Nothing: the call is repeated automatically.",
        "",
        "Most urgent",
        "  701-1 (acme-na), overdue, ship by 2026-11-23T11:00:00.000Z, missing: email",
        "  701-2 (acme-na), at risk, ship by 2026-11-23T13:00:00.000Z, missing: email",
    ]


def test_it_says_nothing_of_a_buyer(world: World, inbox: Inbox) -> None:
    world.download(buyer_email="not an email", ship_by=NOON)
    second = world.download(order_id="701-2222222-2222222", delivery_address=an_address(line1=None), ship_by=NOON)
    typed = second.with_(edits=edited(second.amazon, email="ada.quill@example.com"), comment="Ada Quill called")
    world.orders.save(second, typed, by="zoe", at=NOON, cause="edit")
    text = send(inbox).text
    assert "701-2222222-2222222" in text
    personal = ("Ada", "Quill", "@", "Harbor", "Portland", "97209", "not an email", "zoe", "called")
    assert [word for word in personal if word in text] == []


def test_where_nothing_is_there_is_nothing_to_tell(world: World, inbox: Inbox) -> None:
    world.change_integration(deleted_at=NOON)
    mail = send(inbox)
    assert mail.subject == "Needs Attention: 0 held, 0 overdue, 0 at risk"
    assert mail.text.splitlines()[2:] == [
        "New orders: 0. Put on hold: 0. Healed by Amazon's data: 0. Released by people: 0.",
        "Held now: 0. Overdue: 0. At risk (ship-by within a day): 0.",
        "Going nowhere: 0. Stopped by people: 0.",
    ]


EMAIL = "ada@marketplace.example.com"
STOP = {"threePlStatus": "Do Not Transfer to 3PL"}


def test_it_counts_what_people_stopped_and_what_goes_nowhere(world: World, inbox: Inbox) -> None:
    world.call("POST", "/stages", {"name": "Packing"})
    world.register("quiet")
    for order_id, email, ship_by, decision in (
        ("701-1", None, NOON + HOUR, STOP),  # held
        ("701-2", EMAIL, NOON + HOUR, {**STOP, "stage": "Packing"}),
        ("701-3", EMAIL, NOON - 13 * DAY, None),
        ("701-4", EMAIL, NOON - 15 * DAY, None),  # told of for two weeks
        ("701-5", EMAIL, NOON + 2 * DAY, STOP),  # not due yet
    ):
        world.download(order_id=order_id, buyer_email=email, ship_by=ship_by)
        if decision:
            assert world.call("PATCH", f"/orders/{order_id}", decision).status == 200
    lines = send(inbox).text.splitlines()
    assert "Going nowhere: 1. Stopped by people: 2." in lines
    assert [line for line in lines if "nowhere:" in line][1:] == ["  Going nowhere: 1, stopped by people: 2"]


def test_of_too_many_due_orders_it_reads_the_latest(
    world: World, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("needs_attention.jobs.digest.MOST_DUE_READ", 1)
    world.download(order_id="701-1", ship_by=NOON - DAY)
    world.download(order_id="701-2", ship_by=NOON - HOUR)
    world.call("PATCH", "/orders/701-2", STOP)
    assert "Going nowhere: 1. Stopped by people: 1." in send(inbox).text


def test_an_integration_whose_orders_go_nowhere_comes_before_a_quiet_one(world: World, inbox: Inbox) -> None:
    for name in ("forgotten", "late", "quiet"):
        world.register(name)
    world.download("forgotten", order_id="701-1", ship_by=NOON - HOUR)
    world.download("late", order_id="701-2", buyer_email=None, ship_by=NOON - HOUR)
    world.download("quiet", order_id="701-3", buyer_email=None, ship_by=NOON + 5 * DAY)
    lines = send(inbox).text.splitlines()
    assert [line for line in lines if line in {"forgotten", "late", "quiet"}] == ["late", "forgotten", "quiet"]


def test_it_tells_of_personal_data_that_is_to_go(world: World, inbox: Inbox) -> None:
    sent: Any = {"created_at": NOON - 60 * DAY, "fulfillment_status": "SHIPPED"}
    world.download(deliver_by_earliest=NOON - timedelta(days=26), **sent)
    world.download(order_id="701-2222222-2222222", deliver_by_earliest=NOON - timedelta(days=28), **sent)
    assert "  Personal data to be removed by now: 2 orders, overdue: 1" in send(inbox).text.splitlines()


def test_it_names_the_unsent_orders_whose_data_will_go(world: World, inbox: Inbox) -> None:
    world.download(ship_by=NOON - DAY)
    world.download(order_id="701-2222222-2222222", ship_by=NOON + DAY)
    told = "Unsent past their ship-by, with the time when their personal data goes"
    assert f"  {told}: 701-1111111-1111111 (2026-12-22T12:00:00.000Z)" in send(inbox).text.splitlines()


def test_it_tells_what_keeps_an_integration_back(world: World, inbox: Inbox) -> None:
    world.change_integration(
        is_paused=True,
        is_frozen=True,
        client_secret_created_at=NOON - timedelta(days=170),
        consent_given_at=NOON,
    )
    text = send(inbox).text
    assert "acme-na (paused, frozen)" in text
    assert "clientSecret ends at 2026-12-03T12:00:00.000Z. Rotate the client secret" in text
    assert "consent ends" not in text


def test_an_order_that_only_waits_for_its_release_is_told_so(world: World, inbox: Inbox) -> None:
    world.download(buyer_email=None, ship_by=NOON)
    world.call("PATCH", "/orders/701-1111111-1111111", {"email": "ada@marketplace.example.com"})
    text = send(inbox).text
    assert "Held: 1, ready to release: 1" in text
    assert text.endswith("overdue, ship by 2026-11-23T12:00:00.000Z, ready to release\n")


def test_too_much_to_count_is_not_counted_to_the_end(
    world: World, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("needs_attention.jobs.digest.MOST_HELD_READ", 2)
    for module in ("tables.orders", "jobs.digest"):
        monkeypatch.setattr(f"needs_attention.{module}.MOST_ORDERS_COUNTED", 2)
    monkeypatch.setattr("needs_attention.jobs.digest.MOST_ORDERS_NAMED", 1)
    for number in range(3):
        world.download(order_id=f"701-{number}", buyer_email=None, ship_by=NOON)
    mail = send(inbox)
    assert mail.subject == "Needs Attention: 2 or more held, 2 overdue, 0 at risk"
    assert "New orders: 2 or more. Put" in mail.text
    assert "  Held: 2 or more, ready to release: 0" in mail.text
    assert mail.text.count("missing: email") == 1


def test_the_digest_tells_only_the_integrations_with_the_most_work(
    world: World, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("needs_attention.jobs.digest.MOST_INTEGRATIONS_TOLD", 2)
    for name in ("held", "overdue", "quiet"):
        world.register(name)
    world.download("held", order_id="701-1", buyer_email=None)
    world.download("held", order_id="701-2", buyer_email=None)
    world.download("overdue", order_id="701-3", buyer_email=None, ship_by=NOON)
    lines = send(inbox).text.splitlines()
    assert [line for line in lines if line in {"acme-na", "held", "overdue", "quiet"}] == ["overdue", "held"]
    assert "And 2 more integrations, where less is to be done: 0 held." in lines


def test_the_most_urgent_of_all_integrations_come_first(
    world: World, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("needs_attention.jobs.digest.MOST_ORDERS_NAMED", 2)
    world.register("second")
    for number, integration in enumerate(["acme-na", "second", "acme-na", "second"]):
        world.download(integration, order_id=f"701-{number}", buyer_email=None, ship_by=NOON - number * HOUR)
    lines = send(inbox).text.splitlines()
    assert [line.split()[0] for line in lines[lines.index("Most urgent") + 1 :]] == ["701-3", "701-2"]


def test_a_subject_is_one_that_sns_takes(world: World, inbox: Inbox) -> None:
    subject = send(inbox).subject
    assert subject.isascii()
    assert len(subject) <= 100


def test_a_digest_that_cannot_be_sent_fails_so_that_it_is_tried_again(world: World) -> None:
    with pytest.raises(ClientError, match="NotFound"):  # the topic is gone
        invoke("send_digest", an_event("send_digest"))


def test_a_digest_counts_orders_by_the_default_of_their_marketplace(world: World, inbox: Inbox) -> None:
    own_warehouse = Settings(default_three_pl_status=ThreePlStatus.DO_NOT_TRANSFER)
    for order_id, marketplace_id in (("701-1", "ATVPDKIKX0DER"), ("701-2", "A2EUQ1WTGCTBG2")):
        amazon = an_amazon_order(order_id=order_id, marketplace_id=marketplace_id)
        world.store(judged(an_order(amazon), own_warehouse, NOON))
    overrides = {"ATVPDKIKX0DER": {"defaultThreePlStatus": "Do Not Transfer"}}
    world.clock.advance(DAY + HOUR)
    assert "Going nowhere: 2." in send(inbox).text
    world.call("PATCH", "/integrations/acme-na", {"settings": {"marketplaces": overrides}})
    assert "Going nowhere: 1." in send(inbox).text

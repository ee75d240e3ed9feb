"""The orders table: writes that land, writes that lose a race, and the results of the indexes."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from needs_attention.orders import gate
from needs_attention.orders.amazon_order import Address
from needs_attention.orders.decisions import Granted
from needs_attention.orders.edits import Edits, PersonsName
from needs_attention.orders.order import (
    LONGEST_DELIVERY,
    REDACTION_AGE,
    TIME_IS_OVER,
    ClosedAlert,
    DeadlineWatch,
    Hold,
    Missing,
    Order,
    Override,
    Parcel,
    TakenLine,
)
from needs_attention.orders.settings import NEEDS_ATTENTION, Settings, ThreePlStatus
from needs_attention.orders.summary import Summary
from needs_attention.orders.verdict import judged
from needs_attention.tables.history import OrderRevision, history_item
from needs_attention.tables.order_items import created_key, order_from_item, to_item
from needs_attention.tables.orders import LostRace, OrderStore, Page, Redacted, RedactionDue
from needs_attention.values.times import instant
from tests.integration.faults import failing, refused
from tools.builders import (
    ADA_AT_NOON,
    CREATED,
    DELIVER_BY,
    LATER,
    LATER_STILL,
    NOON,
    SHIP_BY,
    accepting,
    an_amazon_order,
    an_order,
    by_hand,
    decided,
    edited,
    snoozed,
)
from tools.from_template import create_table

BY_CREATED_ALL = Page(limit=10)


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("dynamodb", region_name="eu-west-1")


@pytest.fixture
def orders(dynamodb: Any) -> OrderStore:
    return OrderStore(dynamodb, create_table(dynamodb, "OrdersTable"))


def saved(orders: OrderStore, order: Order, before: Order | None = None, cause: str = "download") -> Order:
    return orders.save(before, order, by="amazon", at=NOON, cause=cause)


def an_incomplete(order_id: str = "701-1111111-1111111", **fields: Any) -> Order:
    return an_order(an_amazon_order(order_id=order_id, buyer_email=None, **fields))


def held(orders: OrderStore, order: Order) -> Order:
    new = saved(orders, order)
    return orders.save(new, judged(new, Settings(), LATER), by="validation", at=LATER, cause="verdict")


# One order ------------------------------------------------------------------------------------------------------------


def test_an_order_is_read_back_as_it_was_saved(orders: OrderStore) -> None:
    new = saved(orders, an_order())
    assert orders.get(new.order_id) == new
    assert new.revision == 1


def test_a_held_and_edited_order_is_read_back_as_it_was_saved(orders: OrderStore) -> None:
    order = held(orders, an_incomplete())
    edits = Edits(
        name=PersonsName(first_name="Zoë", last_name="山田"),
        delivery_address=Address(line1="1 Quay", city="Cork", country_code="IE"),
        confirmed=("email",),
    )
    edited = orders.save(order, order.with_(edits=edits), by="ada", at=LATER_STILL, cause="edit")
    assert orders.get(order.order_id) == edited
    assert edited.revision == 3


def test_an_order_with_a_value_in_every_attribute_is_read_back_as_it_was(orders: OrderStore) -> None:
    order = an_order(
        edits=edited(an_amazon_order(), name={"first_name": "Zoë"}, delivery_address={"city": "Cork"}),
        judged_at=NOON,
        hold=Hold(since=NOON, after_release=True),
        decisions=decided(
            stage="packing", three_pl_status=ThreePlStatus.NOW, not_sent=True, hold=snoozed(LATER, was_manual=True)
        ),
        granted=Granted(stage="new", three_pl_status=ThreePlStatus.NOW, is_dispatched=True, at=NOON),
        missing=(Missing(field="email", reason="blank", first_missing_at=NOON),),
        news=("email", "deliveryAddress.city"),
        accepted=accepting("email"),
        rules=2,
        let_go_without=accepting("deliveryAddress"),
        override=Override(**ADA_AT_NOON, reason="known", fields=("email",)),
        stage=NEEDS_ATTENTION,
        fully_dispatched_at=NOON,
        dispatched_by="warehouse",
        voided_at=NOON,
        redacted_at=NOON,
        redaction=TIME_IS_OVER,
        parcel=Parcel(lines=(TakenLine(order_item_id="90001", quantity=1, quantity_ordered=2),), left="w", told="x"),
        handed_over_digest="y",
        warehouse_error="The shelf is empty.",
        alerts=("CameBack",),
        closed_alerts=(ClosedAlert(alert="ChangedAfterHandOver", **ADA_AT_NOON),),
        told=("cameBack 1",),
        is_live=True,
        judged_status="UNSHIPPED",
        redownload_at=LATER,
        deadline=DeadlineWatch(ship_by=LATER, told="atRisk"),
        assigned_to="zoe",
        comment="Asked the buyer.",
    )
    new = saved(orders, order)
    assert orders.get(new.order_id) == new
    changed = orders.save(new, an_order().with_(revision=1, apart_until=1), by="ada", at=LATER, cause="edit")
    assert orders.get(new.order_id) == changed
    assert orders.save(changed, new.with_(revision=2, apart_until=2), by="ada", at=LATER, cause="edit") == orders.get(
        new.order_id
    )
    unset = {name for name, value in vars(new).items() if value in (None, (), False)}
    assert unset == set()


def test_what_lists_show_of_an_order_leaves_out_what_is_not_there() -> None:
    shown = json.loads(to_item(an_order(revision=1))["summary"]["S"])

    assert [name for name, value in shown.items() if value in (None, False, [], "")] == []


def test_an_order_that_is_not_there_is_none(orders: OrderStore) -> None:
    assert orders.get("701-0000000-0000000") is None


def test_a_write_on_an_old_revision_loses_and_shows_the_order_as_it_is(orders: OrderStore) -> None:
    first = saved(orders, an_order())
    second = saved(orders, first.with_(stage="packing"), before=first)
    with pytest.raises(LostRace) as lost:
        saved(orders, first.with_(stage="late"), before=first)
    assert lost.value.current == second
    assert orders.get(first.order_id) == second


def test_an_order_is_created_only_once(orders: OrderStore) -> None:
    first = saved(orders, an_order())
    with pytest.raises(LostRace) as lost:
        saved(orders, an_order(), cause="redownload")
    assert lost.value.current == first


def test_a_write_to_an_order_that_vanished_loses(orders: OrderStore) -> None:
    never_saved = an_order().with_(revision=3)
    with pytest.raises(LostRace) as lost:
        saved(orders, never_saved.with_(stage="packing"), before=never_saved)
    assert lost.value.current is None


def test_a_write_that_has_landed_already_is_no_race_lost(orders: OrderStore) -> None:
    """botocore makes a write again whose answer was lost on its way."""
    first = saved(orders, an_order())
    second = saved(orders, first.with_(stage="packing"), before=first)
    assert saved(orders, first.with_(stage="packing"), before=first) == second
    assert orders.get(first.order_id) == second


def test_the_clocks_bookkeeping_gives_way_to_a_simultaneous_hand_over(orders: OrderStore) -> None:
    order = held(orders, an_incomplete())
    with failing(refused("TransactionConflictException"), "dynamodb", "UpdateItem"):
        orders.ask_again(order, LATER_STILL)
    assert orders.get(order.order_id) == order


def test_an_attribute_that_a_write_no_longer_has_is_removed_from_the_item(orders: OrderStore, dynamodb: Any) -> None:
    order = held(orders, an_incomplete())
    saved(orders, order.with_(hold=None, missing=(), redownload_at=None), before=order)
    item = dynamodb.get_item(TableName="OrdersTable", Key={"orderId": {"S": order.order_id}})["Item"]
    assert not {"hold", "verdictHold", "missing", "redownloadAt"} & item.keys()


# What the release before reads in `hold`, while it runs beside this one or after a rollback.
MIRRORS: list[tuple[dict[str, Any], dict[str, Any] | None]] = [
    ({}, None),
    ({"decisions": decided(not_sent=True)}, None),
    ({"hold": Hold(since=NOON)}, {"kind": "missing", "since": instant(NOON)}),
    (
        {"hold": Hold(since=NOON, after_release=True)},
        {"kind": "missing", "since": instant(NOON), "afterRelease": True},
    ),
    (
        {"hold": Hold(since=NOON), "decisions": decided(not_sent=True)},
        {"kind": "manual", "since": instant(NOON), "of": "missing"},
    ),
    ({"decisions": decided(hold=by_hand(LATER))}, {"kind": "manual", "since": instant(LATER)}),
    (
        {"hold": Hold(since=NOON), "decisions": decided(hold=snoozed(LATER_STILL, LATER))},
        {"kind": "snoozed", "since": instant(NOON), "until": instant(LATER_STILL), "wasManual": True},
    ),
]


@pytest.mark.parametrize(("state", "mirror"), MIRRORS)
def test_the_release_before_reads_every_hold_as_one_that_it_does_not_end(
    state: dict[str, Any], mirror: dict[str, Any] | None
) -> None:
    item = to_item(an_order(**state))
    assert (json.loads(item["hold"]["S"]) if "hold" in item else None) == mirror


def test_a_change_says_who_made_it_why_and_in_which_fields_but_no_value(orders: OrderStore) -> None:
    order = held(orders, an_incomplete())
    edits = order.edits.with_typed("email", "zoe@buyers.example.com", order.amazon)
    change = orders.save(order, order.with_(edits=edits), by="ada", at=LATER_STILL, cause="edit").last_change
    assert change is not None
    assert (change.by, change.at, change.cause, change.fields) == ("ada", LATER_STILL, "edit", ("edits.email",))
    assert "zoe" not in change.model_dump_json()


def test_a_slow_clock_puts_no_change_before_the_one_that_it_was_made_on(orders: OrderStore) -> None:
    first = orders.save(None, an_order(), by="amazon", at=LATER, cause="download")
    second = orders.save(first, first.with_(stage="packing"), by="ada", at=NOON, cause="stage")
    third = orders.save(second, second.with_(stage="new"), by="ada", at=LATER_STILL, cause="stage")
    changes = [(order, order.last_change) for order in (first, second, third) if order.last_change]
    assert [change.at for _, change in changes] == [LATER, LATER, LATER_STILL]
    keys = [history_item(OrderRevision(Summary.of(order), change))["changedAt"]["S"] for order, change in changes]
    assert keys == sorted(set(keys))
    assert orders.get(first.order_id) == third


def test_a_download_names_the_fields_that_amazon_changed(orders: OrderStore) -> None:
    order = saved(orders, an_incomplete())
    filled = order.amazon.model_copy(update={"buyer_email": "zoe@buyers.example.com"})
    change = saved(orders, order.with_(amazon=filled), before=order).last_change
    assert change is not None
    assert change.fields == ("amazon.buyerEmail",)


def test_many_orders_are_read_in_as_many_calls_as_it_takes(orders: OrderStore) -> None:
    ids = [f"701-{number:07}-0000000" for number in range(130)]
    for order_id in ids:
        saved(orders, an_incomplete(order_id))
    found = orders.get_many([*ids, "701-9999999-9999999"])
    assert set(found) == set(ids)


def test_an_item_that_is_no_order_is_told(orders: OrderStore) -> None:
    with pytest.raises(ValueError, match="amazon"):
        order_from_item({"orderId": {"S": "701-1111111-1111111"}, "integration": {"S": "demo"}})


@pytest.mark.parametrize(
    ("attribute", "spoilt"),
    [
        ("edits", {"N": "0"}),
        ("edits", {"S": '{"amazonThen": 1}'}),
        ("accepted", {"S": "[1]"}),
        ("hold", {"N": "0"}),
        ("hold", {"S": "{}"}),
        ("decisions", {"S": "[]"}),
        ("news", {"S": "1"}),
    ],
)
def test_an_item_that_is_spoilt_is_told_and_keeps_no_other_waiting(
    orders: OrderStore, dynamodb: Any, attribute: str, spoilt: dict[str, str]
) -> None:
    order, other = saved(orders, an_incomplete()), saved(orders, an_incomplete("701-0000002-0000002"))
    written: dict[str, Any] = dict(to_item(order)) | {attribute: spoilt}
    item = {name: one for name, one in written.items() if name != "apartUntil"}
    with pytest.raises(ValueError):  # noqa: PT011 - whatever its words
        order_from_item(item)
    dynamodb.put_item(TableName="OrdersTable", Item=item)
    assert orders.get_many([order.order_id, other.order_id]) == {other.order_id: other}


def test_the_streams_filter_sees_which_verdicts_are_pending() -> None:
    order = an_order()
    assert to_item(order)["verdict"] == {"S": "pending"}
    assert to_item(judged(order, Settings(), NOON))["verdict"] == {"S": "judged"}


def test_the_clocks_bookkeeping_leaves_the_revision_alone(orders: OrderStore) -> None:
    order = held(orders, an_incomplete())
    orders.ask_again(order, LATER + timedelta(hours=1))
    now = orders.get(order.order_id)
    assert now == order.with_(redownload_at=LATER + timedelta(hours=1))


def test_the_clocks_bookkeeping_gives_way_to_a_change(orders: OrderStore) -> None:
    order = held(orders, an_incomplete())
    changed = saved(orders, order.with_(stage="packing"), before=order)
    orders.ask_again(order, None)
    assert orders.get(order.order_id) == changed


# Lists ----------------------------------------------------------------------------------------------------------------


def test_held_orders_come_by_soonest_ship_by_deadline_and_without_one_last(orders: OrderStore) -> None:
    for number, ship_by in enumerate((SHIP_BY + timedelta(days=1), None, SHIP_BY)):
        held(orders, an_incomplete(f"701-{number:07}-0000000", ship_by=ship_by))
    found = orders.find_by_stage("acme-na", NEEDS_ATTENTION, Page(limit=10))
    assert [summary.order_id[4:11] for summary in found.summaries] == ["0000002", "0000000", "0000001"]
    assert found.position is None


def test_a_list_is_read_page_by_page_in_either_direction(orders: OrderStore) -> None:
    ids = [f"701-{number:07}-0000000" for number in range(5)]
    for number, order_id in enumerate(ids):
        saved(orders, an_incomplete(order_id, created_at=NOON - timedelta(hours=10 - number)))
    assert all_by_created(orders, descending=False) == ids
    assert all_by_created(orders, descending=True) == ids[::-1]


def all_by_created(orders: OrderStore, *, descending: bool) -> list[str]:
    found: list[str] = []
    position: str | None = None
    while True:
        page = orders.find_by_created("acme-na", Page(limit=2, after=position, descending=descending))
        found += [summary.order_id for summary in page.summaries]
        if page.position is None:
            return found
        position = page.position


def test_a_list_goes_on_where_it_was_although_the_order_there_moved_away(orders: OrderStore) -> None:
    first, second = (held(orders, an_incomplete(f"701-{number:07}-0000000")) for number in range(2))
    page = orders.find_by_stage("acme-na", NEEDS_ATTENTION, Page(limit=1))
    saved(orders, first.with_(hold=None, stage="new"), before=first)
    rest = orders.find_by_stage("acme-na", NEEDS_ATTENTION, Page(limit=1, after=page.position))
    assert [summary.order_id for summary in rest.summaries] == [second.order_id]


def test_a_list_can_be_bounded_by_created_time(orders: OrderStore) -> None:
    early = saved(orders, an_incomplete("701-0000001-0000000", created_at=NOON - timedelta(days=3)))
    saved(orders, an_incomplete("701-0000002-0000000", created_at=NOON - timedelta(days=1)))
    bounds = (created_key(early), created_key(early))
    found = orders.find_by_created("acme-na", Page(limit=10, between=bounds))
    assert [summary.order_id for summary in found.summaries] == [early.order_id]


def test_lists_keep_to_their_integration(orders: OrderStore) -> None:
    held(orders, an_incomplete())
    assert orders.find_by_stage("other", NEEDS_ATTENTION, Page(limit=10)).summaries == ()
    assert orders.find_by_created("other", BY_CREATED_ALL).summaries == ()


def test_a_list_shows_what_is_missing_and_no_personal_data(orders: OrderStore) -> None:
    held(orders, an_incomplete(recipient_name="Marker Person"))
    (summary,) = orders.find_by_stage("acme-na", NEEDS_ATTENTION, Page(limit=10)).summaries
    assert (summary.missing, summary.hold, summary.status) == (("email",), "missing", "Open")
    assert "Marker" not in summary.model_dump_json()


# Orders that are due --------------------------------------------------------------------------------------------------


def test_a_verdict_that_is_pending_for_too_long_is_due(orders: OrderStore) -> None:
    order = saved(orders, an_order())
    assert list(orders.find_due("acme-na", NOON + timedelta(minutes=9))) == []
    assert list(orders.find_due("acme-na", NOON + timedelta(minutes=10, seconds=1))) == [order.order_id]


def test_a_held_order_is_due_at_the_time_of_its_next_redownload(orders: OrderStore) -> None:
    order = held(orders, an_incomplete())
    assert list(orders.find_due("acme-na", LATER + timedelta(minutes=1))) == []
    assert list(orders.find_due("acme-na", LATER + timedelta(minutes=3))) == [order.order_id]


def test_an_order_that_nobody_sends_is_due_a_day_before_its_ship_by(orders: OrderStore) -> None:
    order = held(orders, an_order(an_amazon_order(ship_by=NOON + timedelta(days=9))))
    assert list(orders.find_due("acme-na", NOON + timedelta(days=8))) == []
    assert list(orders.find_due("acme-na", NOON + timedelta(days=8, minutes=1))) == [order.order_id]


def test_a_complete_order_without_deadline_is_due_for_redaction_only(orders: OrderStore) -> None:
    order = held(orders, an_order(an_amazon_order(ship_by=None)))
    assert list(orders.find_due("acme-na", NOON + timedelta(days=32))) == []
    due = RedactionDue(order.order_id, CREATED + LONGEST_DELIVERY + REDACTION_AGE)
    assert list(orders.find_redactions_due("acme-na", due.at)) == []
    assert list(orders.find_redactions_due("acme-na", due.at + timedelta(milliseconds=1))) == [due]


def test_an_order_delivered_later_is_due_for_redaction_once_and_later(orders: OrderStore) -> None:
    sent = an_amazon_order(fulfillment_status="SHIPPED", deliver_by_earliest=DELIVER_BY)
    order = held(orders, an_order(sent))
    later = order.amazon.model_copy(update={"deliver_by_earliest": DELIVER_BY + timedelta(days=9)})
    orders.save(order, order.with_(amazon=later), by="amazon", at=NOON, cause="download")
    due = [RedactionDue(order.order_id, DELIVER_BY + timedelta(days=9) + REDACTION_AGE)]
    assert list(orders.find_redactions_due("acme-na", NOON + timedelta(days=365))) == due


def test_redactions_due_are_read_page_by_page_longest_due_first(
    orders: OrderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("needs_attention.tables.orders.REDACTIONS_A_QUERY", 7)
    ids = [f"701-{number:07}-0000000" for number in range(20)]
    for number, order_id in enumerate(ids):
        # Every second order is still to be sent.
        dates = {"ship_by": DELIVER_BY - timedelta(days=4, hours=number), "fulfillment_status": "UNSHIPPED"}
        if number % 2:
            at = DELIVER_BY - timedelta(hours=number)
            dates = {"deliver_by_earliest": at, "fulfillment_status": "SHIPPED"}
        saved(orders, an_order(an_amazon_order(order_id=order_id, **dates)))
    found = orders.find_redactions_due("acme-na", NOON + timedelta(days=365))
    assert [due.order_id for due in found] == ids[::-1]


def test_a_redacted_order_is_found_by_its_time_and_no_longer_due(orders: OrderStore) -> None:
    ids = [f"701-{number}#odd" for number in range(5)]
    for number, order_id in enumerate(ids):
        order = saved(orders, an_order(an_amazon_order(order_id=order_id)))
        at = NOON + timedelta(days=number)
        orders.save(order, gate.redact(order, Settings(), at), by="clock", at=at, cause="redaction")
    assert list(orders.find_redactions_due("acme-na", NOON + timedelta(days=365))) == []
    since, until = NOON + timedelta(days=1), NOON + timedelta(days=4)
    found = orders.find_redacted("acme-na", since, until, Page(limit=2))
    assert found.orders == tuple(
        Redacted(ids[number], NOON + timedelta(days=number), TIME_IS_OVER) for number in (1, 2)
    )
    rest = orders.find_redacted("acme-na", since, until, Page(limit=2, after=found.position))
    assert ([one.order_id for one in rest.orders], rest.position) == ([ids[3]], None)


def test_orders_due_are_read_page_by_page_to_the_end(orders: OrderStore) -> None:
    ids = {f"701-{number:07}-0000000" for number in range(30)}
    for order_id in ids:
        saved(orders, an_incomplete(order_id))
    assert set(orders.find_due("acme-na", NOON + timedelta(days=1))) == ids

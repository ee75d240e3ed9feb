"""The clock's removal of personal data, run by run, which delays nothing else."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from needs_attention.api.retention import EraseBuyer
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.jobs.redactions import MOST_REDACTED_AT_ONCE, READ_AT_ONCE, go_on_erasing, redact_what_is_due
from needs_attention.orders import gate
from needs_attention.orders.erasure import Erasure
from needs_attention.orders.order import REDACTION_AGE, Order, Redaction
from needs_attention.orders.settings import Settings
from needs_attention.tables.order_items import to_item
from needs_attention.tables.orders import OrderStore, count_overdue
from tests.integration.downloads.conftest import DAY, HOUR, MINUTE, NOON, World, held
from tools.builders import an_amazon_order, an_order
from tools.in_memory.dynamodb import MemoryDynamoDB, Table


def an_overdue_order(number: int, integration: str = "demo") -> Order:
    """A judged order whose personal data was due for removal long ago."""
    amazon = an_amazon_order(
        order_id=f"701-{number:07}-0000000",
        created_at=NOON - 60 * DAY,
        fulfillment_status="SHIPPED",
        deliver_by_earliest=NOON - REDACTION_AGE - 3 * DAY + timedelta(seconds=number),
    )
    return an_order(amazon, integration=integration, revision=1, pending_since=None, judged_at=NOON)


def stored(world: World, number: int) -> Order:
    order = an_overdue_order(number)
    world.dynamodb.put_item(TableName="OrdersTable", Item=to_item(order))
    return order


def is_redacted(world: World, order: Order) -> bool:
    return world.order(order.order_id).redacted_at is not None


def redacted_count(world: World) -> int:
    return sum("redactedAt" in item for item in world.items().values())


@pytest.mark.parametrize("state", [{"is_paused": True}, {"deleted_at": NOON}, {"is_frozen": True}])
def test_personal_data_goes_whatever_became_of_the_integration(world: World, state: dict[str, Any]) -> None:
    order = stored(world, 1)
    world.change(**state)
    world.redact()
    after = world.order(order.order_id)
    assert (after.redacted_at, after.amazon.recipient_name) == (world.clock(), None)
    assert after.last_change is not None
    assert (after.last_change.by, after.last_change.cause) == ("clock", "redaction")


def test_personal_data_stays_until_its_time_is_over(world: World) -> None:
    order = stored(world, 1)
    assert order.redact_at is not None
    world.clock.now = order.redact_at
    world.redact()
    assert not is_redacted(world, order)
    world.clock.advance(timedelta(milliseconds=1))
    world.redact()
    assert is_redacted(world, order)


class CountingDynamoDB(MemoryDynamoDB):
    """Counts its calls, by operation; it has none that scans."""

    def __init__(self) -> None:
        super().__init__({name: Table(name) for name in ("OrdersTable", "IntegrationsTable")})
        self.calls: Counter[str] = Counter()

    def update_item(self, **call: Any) -> None:
        self.calls["update_item"] += 1
        super().update_item(**call)

    def batch_get_item(self, **call: Any) -> dict[str, Any]:
        self.calls["batch_get_item"] += 1
        return super().batch_get_item(**call)

    def query(self, **call: Any) -> dict[str, Any]:
        self.calls["query"] += 1
        return super().query(**call)


def test_orders_due_at_once_are_redacted_in_bounded_turns_without_a_scan() -> None:
    turns = 3
    due = turns * MOST_REDACTED_AT_ONCE
    dynamodb = CountingDynamoDB()
    orders = OrderStore(dynamodb, "OrdersTable")  # type: ignore[arg-type] # it has what is called
    for number in range(due):
        item: Any = to_item(an_overdue_order(number))
        dynamodb.put_item(TableName="OrdersTable", Item=item)
    for turn in range(1, turns + 1):
        dynamodb.calls.clear()
        leaves_some = redact_what_is_due(orders, "demo", IntegrationSettings(), lambda: NOON, until=NOON + MINUTE)
        assert leaves_some
        assert len(list(orders.find_redactions_due("demo", NOON))) == due - turn * MOST_REDACTED_AT_ONCE
        assert dynamodb.calls["update_item"] == MOST_REDACTED_AT_ONCE
        assert dynamodb.calls["batch_get_item"] == MOST_REDACTED_AT_ONCE // READ_AT_ONCE
        assert dynamodb.calls["query"] < 10
    assert not redact_what_is_due(orders, "demo", IntegrationSettings(), lambda: NOON, until=NOON + MINUTE)


def test_no_integrations_backlog_keeps_another_waiting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("needs_attention.jobs.redactions.MOST_REDACTED_AT_ONCE", 2)
    monkeypatch.setattr("needs_attention.jobs.redactions.READ_AT_ONCE", 2)
    world.register("last")
    for number in range(6):
        stored(world, number)
    other = an_overdue_order(99, "last")
    world.dynamodb.put_item(TableName="OrdersTable", Item=to_item(other))
    takes_a_minute(world, monkeypatch)
    world.redact(lasting=3 * MINUTE)
    assert is_redacted(world, other)
    assert redacted_count(world) == 3


def test_all_that_is_due_goes_in_one_run_if_the_time_reaches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("needs_attention.jobs.redactions.MOST_REDACTED_AT_ONCE", 2)
    monkeypatch.setattr("needs_attention.jobs.redactions.READ_AT_ONCE", 2)
    for number in range(7):
        stored(world, number)
    world.redact()
    assert redacted_count(world) == 7


def takes_a_minute(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each write does."""
    save = world.orders.save_if_unchanged

    def takes_its_time(*arguments: Any, **more: Any) -> bool:
        world.clock.advance(MINUTE)
        return save(*arguments, **more)

    monkeypatch.setattr(world.orders, "save_if_unchanged", takes_its_time)


def test_a_run_out_of_time_redacts_on_in_the_next(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("needs_attention.jobs.redactions.READ_AT_ONCE", 2)
    for number in range(6):
        stored(world, number)
    takes_a_minute(world, monkeypatch)
    world.redact(lasting=3 * MINUTE)
    assert redacted_count(world) == 4
    world.redact(lasting=3 * MINUTE)
    assert redacted_count(world) == 6


def test_an_order_that_is_changed_meanwhile_is_redacted_by_the_next_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = stored(world, 1)
    read = world.orders.get_many

    def somebody_is_faster(order_ids: Any) -> Any:
        found = read(order_ids)
        monkeypatch.undo()
        world.orders.save(order, order.with_(stage="packing"), by="ada", at=world.clock(), cause="stage")
        return found

    monkeypatch.setattr(world.orders, "get_many", somebody_is_faster)
    world.redact()
    assert not is_redacted(world, order)
    world.redact()
    assert is_redacted(world, order)


def test_an_unreadable_order_is_logged_counted_as_overdue_and_delays_none(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    spoilt, other = stored(world, 1), stored(world, 2)
    world.dynamodb.put_item(TableName="OrdersTable", Item=to_item(spoilt) | {"amazon": {"S": "{"}})
    assert count_overdue(world.orders, "demo", world.clock()) == 2
    world.redact()
    assert is_redacted(world, other)
    assert [getattr(record, "order_ids", None) for record in caplog.records if record.levelname == "ERROR"] == [
        [spoilt.order_id]
    ]
    assert count_overdue(world.orders, "demo", world.clock()) == 1


def test_an_order_due_for_less_than_a_day_is_not_overdue(world: World) -> None:
    order = stored(world, 1)
    assert order.redact_at is not None
    assert count_overdue(world.orders, "demo", order.redact_at + DAY) == 0
    assert count_overdue(world.orders, "demo", order.redact_at + DAY + MINUTE) == 1


# Buyers ---------------------------------------------------------------------------------------------------------------

BUYER = "ada@marketplace.example.com"


def an_erasure(world: World, *, even_if_unsent: bool = False, suffix: str = "monday") -> str:
    """Somebody asked for it; its id."""
    request = EraseBuyer(reference="GR-2041", buyer_email=BUYER, even_if_unsent=even_if_unsent)
    erasure = request.erasure(by="admin@example.com", now=world.clock(), suffix=suffix)
    world.downloads.save_erasure("demo", erasure)
    return erasure.erasure_id


def an_order_of(world: World, number: int, email: str | None = BUYER, **fields: Any) -> str:
    """The ID of a dispatched order, unless told otherwise, with nothing due for redaction."""
    created = NOON - DAY + timedelta(seconds=number)
    amazon = an_amazon_order(order_id=f"701-{number}", buyer_email=email, created_at=created, deliver_by=NOON + DAY)
    sent = {"dispatched_by": "person", "fully_dispatched_at": NOON}
    order = an_order(amazon, integration="demo", revision=1, pending_since=None, judged_at=NOON)
    order = order.with_(**(sent | fields))
    world.dynamodb.put_item(TableName="OrdersTable", Item=to_item(order))
    return order.order_id


def erasure(world: World, erasure_id: str) -> Erasure:
    found = world.downloads.erasures_of(["demo"], erasure_id).get("demo")
    assert found is not None
    return found


UNSENT = {"dispatched_by": None, "fully_dispatched_at": None}


@pytest.mark.parametrize("state", [{"is_paused": True}, {"deleted_at": NOON}])
def test_a_buyers_orders_are_erased_and_nobody_elses(world: World, state: dict[str, Any]) -> None:
    world.change(**state)
    ours = [an_order_of(world, number) for number in range(3)]
    others = [an_order_of(world, 3, "bea@marketplace.example.com"), an_order_of(world, 4, None)]
    erasure_id = an_erasure(world)
    world.redact()
    for order_id in ours:
        order = world.order(order_id)
        assert order.redaction == Redaction(by="admin@example.com", why="request", reference="GR-2041")
        assert order.last_change is not None
        assert (order.last_change.by, order.last_change.cause) == ("admin@example.com", "erasure")
    assert [world.order(order_id).redacted_at for order_id in others] == [None, None]
    done = erasure(world, erasure_id)
    assert (done.erased, done.orders, done.finished_at) == (tuple(ours), 5, world.clock())


def test_nothing_remembers_a_buyer_whose_erasure_is_through(world: World) -> None:
    an_order_of(world, 1)
    erasure_id = an_erasure(world)
    assert erasure(world, erasure_id).buyer is not None
    world.redact()
    assert erasure(world, erasure_id).buyer is None
    assert world.downloads.erasures_under_way("demo") == ()
    items = [table.items for table in world.tables.values()]
    assert [word for word in (BUYER, "fingerprint") if word in str(items)] == []


def test_a_buyers_orders_that_are_still_to_be_sent_are_left_and_named(world: World) -> None:
    sent, unsent = an_order_of(world, 1), an_order_of(world, 2, **UNSENT)
    erasure_id = an_erasure(world)
    world.redact()
    done = erasure(world, erasure_id)
    assert (done.erased, done.unsent, world.order(unsent).redacted_at) == ((sent,), (unsent,), None)
    world.clock.advance(MINUTE)
    erasure_id = an_erasure(world, even_if_unsent=True, suffix="tuesday")
    world.redact()
    done = erasure(world, erasure_id)
    assert (done.erased, done.unsent, world.order(unsent).redacted_at) == ((unsent,), (), world.clock())


def leaves_more_to_erase(world: World) -> bool:
    settings, until = IntegrationSettings(), world.clock() + HOUR
    return go_on_erasing(world.orders, world.downloads, "demo", settings, world.clock, until=until)


def test_an_erasure_takes_a_page_in_its_turn(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("needs_attention.jobs.redactions.READ_AT_ONCE", 2)
    ours = [an_order_of(world, number) for number in range(5)]
    erasure_id = an_erasure(world)
    for looked_at in (2, 4):
        assert leaves_more_to_erase(world)
        assert erasure(world, erasure_id).orders == looked_at
    assert not leaves_more_to_erase(world)
    assert erasure(world, erasure_id).erased == tuple(ours)


def test_no_page_of_an_erasure_begins_when_the_time_is_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    an_order_of(world, 1)
    first, second = an_erasure(world), an_erasure(world, suffix="tuesday")
    find = world.orders.find_by_created

    def takes_a_minute(*args: Any) -> Any:
        world.clock.advance(MINUTE)
        return find(*args)

    monkeypatch.setattr(world.orders, "find_by_created", takes_a_minute)
    world.redact(lasting=MINUTE)
    assert [one.erasure.erasure_id for one in world.downloads.erasures_under_way("demo")] == [second]
    world.redact(lasting=MINUTE)
    assert erasure(world, first).finished_at
    assert erasure(world, second).finished_at


def test_a_page_that_is_erased_twice_is_reported_as_if_erased_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = [an_order_of(world, number) for number in range(3)]
    erasure_id = an_erasure(world)
    with monkeypatch.context() as patch:
        patch.setattr(world.downloads, "save_progress", dies)
        assert world.redact() == ["demo"]
    assert {world.order(order_id).redacted_at for order_id in ours} == {world.clock()}
    world.redact()
    assert erasure(world, erasure_id).erased == tuple(ours)


def dies(*_: object) -> None:
    raise OSError("the run dies")


def test_an_order_that_changes_while_it_is_erased_is_erased_as_it_is_then(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = an_order_of(world, 1)
    save = world.orders.save

    def somebody_is_faster(*arguments: Any, **more: Any) -> Order:
        monkeypatch.undo()
        order = world.order(order_id)
        save(order, order.with_(comment="Ada called"), by="ada", at=world.clock(), cause="note")
        return save(*arguments, **more)

    monkeypatch.setattr(world.orders, "save", somebody_is_faster)
    erasure_id = an_erasure(world)
    world.redact()
    order = world.order(order_id)
    assert (order.redacted_at, order.comment, order.revision) == (world.clock(), None, 3)
    assert erasure(world, erasure_id).erased == (order_id,)


def test_an_erased_order_is_not_filled_again_by_any_download(world: World) -> None:
    order_id = held(world)
    order = world.order(order_id)
    request = Redaction(by="admin@example.com", why="request", reference="GR-2041")
    bare = gate.erase(order, Settings(), request, even_if_unsent=True, at=world.clock())
    world.orders.save(order, bare, by="admin@example.com", at=world.clock(), cause="erasure")
    world.amazon.patch(order_id, {"buyer": {"buyerEmail": BUYER, "buyerName": "Ada Quill"}})
    world.want(order_id)
    world.backdate(since=60 * DAY, download_id="again")
    world.run_for(2 * HOUR, tick=10 * MINUTE)
    world.judge_all()
    assert world.backdated("again").status == "finished"
    after = world.order(order_id)
    assert (after.redaction, after.hold, after.amazon.buyer_email, after.amazon.buyer_name) == (
        request,
        None,
        None,
        None,
    )


# Two runs at once -----------------------------------------------------------------------------------------------------


def meanwhile(world: World, monkeypatch: pytest.MonkeyPatch, *others: Any) -> None:
    """While the next run reads its first page, these happen."""
    read = world.orders.find_by_created

    def reads_while_others_are_faster(*arguments: Any) -> Any:
        page = read(*arguments)
        monkeypatch.setattr(world.orders, "find_by_created", read)
        for other in others:
            other()
        return page

    monkeypatch.setattr(world.orders, "find_by_created", reads_while_others_are_faster)


def test_a_slower_run_brings_no_finished_erasure_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("needs_attention.jobs.redactions.READ_AT_ONCE", 2)
    ours = [an_order_of(world, number) for number in range(5)]
    erasure_id = an_erasure(world)
    meanwhile(world, monkeypatch, world.redact)
    assert not leaves_more_to_erase(world)
    done = erasure(world, erasure_id)
    assert (done.erased, done.orders, done.finished_at) == (tuple(ours), 5, world.clock())
    assert world.downloads.erasures_under_way("demo") == ()
    assert "fingerprint" not in str([table.items for table in world.tables.values()])


def test_the_slower_of_two_runs_at_a_page_overwrites_no_progress(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("needs_attention.jobs.redactions.READ_AT_ONCE", 2)
    for number in range(5):
        an_order_of(world, number)
    erasure_id = an_erasure(world)

    def one_page() -> bool:
        return leaves_more_to_erase(world)

    meanwhile(world, monkeypatch, one_page, one_page)
    assert not one_page()  # the faster run goes on
    assert erasure(world, erasure_id).orders == 4
    assert not one_page()
    assert erasure(world, erasure_id).orders == 5


def test_two_runs_at_the_last_page_write_one_proof(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = an_order_of(world, 1)
    erasure_id = an_erasure(world)

    def another_run() -> None:
        world.redact()
        world.clock.advance(MINUTE)

    finished = world.clock()
    meanwhile(world, monkeypatch, another_run)
    assert world.redact() == []
    done = erasure(world, erasure_id)
    assert (done.erased, done.erased_count, done.finished_at) == ((order_id,), 1, finished)


def test_an_erasure_that_a_later_release_wrote_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("needs_attention.jobs.redactions.READ_AT_ONCE", 2)
    for number in range(5):
        an_order_of(world, number)
    erasure_id = an_erasure(world)
    key = ("demo", f"erasing#{erasure_id}")
    table = world.tables["IntegrationsTable"]
    written = table.items[key]["data"]["S"]
    table.put(table.items[key] | {"data": {"S": written.removesuffix("}") + ', "aLaterMember": 1}'}})
    world.redact()
    assert erasure(world, erasure_id).orders == 5
    assert world.downloads.erasures_under_way("demo") == ()

"""The second look at an account that is too busy for searches: Amazon's order report, and single orders by ID."""

import codecs
import gzip
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import IO, Any

import pytest

from needs_attention.amazon.client import SellingPartnerApi
from needs_attention.amazon.errors import UnreadableAnswer
from needs_attention.amazon.tokens import Credentials
from needs_attention.downloads.walk import Pace
from needs_attention.integrations.integration_settings import IntegrationSettings
from tests.integration.downloads.conftest import DAY, HOUR, MINUTE, NOON, World, second_look
from tools.amazon_stand_in.ledger import amazon_time
from tools.amazon_stand_in.misbehaviour import Misbehaviour

MISSED = "777-7777777-7777777"
HEADER = "amazon-order-id\tlast-updated-date\torder-status\tsales-channel"
BUSY = Pace().after(40_000, DAY)


@pytest.fixture
def busy(world: World) -> World:
    """Everything is stored, and live downloads have been at it for a day and have no quota to spare."""
    for entry in world.amazon.orders():
        world.amazon.patch(entry.order_id, {}, last_updated_time=NOON + HOUR)
    world.backdate(since=DAY)
    world.clock.advance(DAY)
    world.backdate(since=DAY + HOUR, download_id="d2")
    world.run_for(HOUR, tick=10 * MINUTE)
    assert world.items().keys() == world.ledger()
    world.judge_all()
    looked = {"integrationId": {"S": "demo"}, "item": {"S": "reconciliation"}}
    world.dynamodb.delete_item(TableName="IntegrationsTable", Key=looked)
    world.change(settings=IntegrationSettings(download_pending_orders=True, live_download_every_minutes=24 * 60))
    walk = world.live.walk.model_copy(update={"pace": BUSY})
    world.downloads.save_live_download("demo", world.live.model_copy(update={"walk": walk}))
    world.amazon.forget_requests()
    return world


def calls(world: World) -> list[str]:
    seen = (request.operation for request in world.amazon.requests())
    return [operation for operation in seen if operation not in {"login", "searchOrders"}]


def miss(world: World, order_id: str = MISSED, **changes: Any) -> None:
    """An order that live downloads should have brought."""
    known = world.amazon.order(min(world.ledger())).order
    world.amazon.put(dict(known) | {"orderId": order_id, "lastUpdatedTime": amazon_time(NOON + 3 * HOUR)} | changes)


def test_a_busy_account_is_compared_with_one_report_and_no_search(busy: World) -> None:
    busy.run_for(5 * MINUTE)
    assert calls(busy) == ["createReport", "getReport", "getReport", "getReportDocument", "download"]
    assert busy.searches() == []
    looked = second_look(busy)
    assert (looked.is_by_report, looked.finished_at, looked.missed_count) == (True, busy.clock() - 2 * MINUTE, 0)
    assert looked.counts.orders == len(busy.ledger())


def test_orders_that_live_downloads_missed_are_fetched_stored_and_reported(busy: World) -> None:
    miss(busy)
    stale = min(busy.ledger() - {MISSED})
    busy.amazon.patch(stale, {"fulfillment": {"fulfillmentStatus": "SHIPPED"}}, last_updated_time=NOON + 4 * HOUR)
    busy.run_for(6 * MINUTE)
    assert calls(busy)[-2:] == ["getOrder", "getOrder"]
    assert busy.order(MISSED).last_change is not None
    assert busy.order(stale).amazon.updated_at == NOON + 4 * HOUR
    looked = second_look(busy)
    assert (set(looked.missed), looked.missed_count) == ({MISSED, stale}, 2)
    assert looked.finished_at is not None


def test_a_report_older_than_what_is_stored_says_nothing(busy: World) -> None:
    order_id = min(busy.ledger())
    busy.run()
    busy.amazon.patch(order_id, {}, last_updated_time=busy.clock())
    busy.want(order_id)
    busy.run_for(5 * MINUTE)
    assert second_look(busy).counts.changed == 0


def test_pending_orders_do_not_count_as_missed_unless_they_are_wanted(busy: World) -> None:
    busy.change(settings=IntegrationSettings(live_download_every_minutes=24 * 60))
    miss(busy, fulfillment={"fulfillmentStatus": "PENDING", "fulfilledBy": "MERCHANT"})
    busy.run_for(6 * MINUTE)
    assert second_look(busy).finished_at is not None
    assert "getOrder" not in calls(busy)


def test_a_report_too_long_for_one_run_is_compared_by_several(busy: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("needs_attention.jobs.download.report_comparison._COMPARED_AT_ONCE", 10)
    busy.run()
    busy.clock.advance(3 * MINUTE)
    for _ in range(2):
        busy.run(lasting=timedelta())
    report = second_look(busy).report
    assert report is not None
    assert report.rows == 20
    busy.run()
    looked = second_look(busy)
    assert looked.finished_at is not None
    assert looked.report is not None
    assert looked.report.rows >= len(busy.ledger())


def test_a_run_that_dies_while_it_compares_loses_nothing(busy: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("needs_attention.jobs.download.report_comparison._COMPARED_AT_ONCE", 10)
    for number in range(3):
        miss(busy, f"777-000000{number}-0000000")
    busy.run()
    busy.clock.advance(3 * MINUTE)
    want = busy.downloads.want_redownload

    def dies_at_the_second(*arguments: Any) -> None:
        want(*arguments)
        if len(busy.downloads.due_redownloads("demo", "reconciliation", busy.clock())) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(busy.downloads, "want_redownload", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        busy.run()
    monkeypatch.setattr(busy.downloads, "want_redownload", want)
    busy.run_for(2 * MINUTE)
    assert busy.items().keys() == busy.ledger()
    assert second_look(busy).missed_count >= 1  # the two that were asked for meanwhile are stored, and missed no more


def test_a_window_in_which_amazon_lists_nothing_is_no_proof(busy: World) -> None:
    for entry in busy.amazon.orders():
        busy.amazon.patch(entry.order_id, {}, last_updated_time=NOON - 60 * DAY)
    busy.run_for(4 * MINUTE)
    assert "CANCELLED" in str(second_look(busy).failure)
    assert second_look(busy).finished_at is None
    assert calls(busy) == ["createReport", "getReport", "getReport"]


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (Misbehaviour.FATAL_REPORT, "FATAL"),
        (Misbehaviour.CANCELLED_REPORT, "CANCELLED"),
        (Misbehaviour.UNREADABLE_REPORT, "rows of the order report cannot be read"),
    ],
)
def test_a_report_that_proves_nothing_is_asked_for_again_in_an_hour(busy: World, kind: Misbehaviour, told: str) -> None:
    miss(busy)
    busy.amazon.misbehave(kind, operations=["createReport"])
    busy.run_for(50 * MINUTE, tick=5 * MINUTE)
    assert calls(busy).count("createReport") == 1
    assert told in str(second_look(busy).failure)
    busy.run_for(30 * MINUTE, tick=5 * MINUTE)
    assert calls(busy).count("createReport") == 2
    looked = second_look(busy)
    assert (looked.failure, looked.finished_at is None, looked.missed) == (None, False, (MISSED,))
    assert looked.counts.orders == len(busy.ledger())


def test_what_a_failed_report_missed_is_not_counted_again_by_the_next(
    busy: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    never_stored = f"777-9\t{amazon_time(NOON)}\tShipped\tAmazon.com"
    answer_with(report_of(never_stored, "777-1\tsoon\tShipped\tAmazon.com"), monkeypatch)
    busy.run_for(5 * HOUR, tick=10 * MINUTE)
    assert calls(busy).count("createReport") > 2
    looked = second_look(busy)
    assert (looked.missed, looked.missed_count) == (("777-9",), 1)


def test_a_report_asked_for_again_covers_the_time_since(busy: World) -> None:
    busy.amazon.misbehave(Misbehaviour.CANCELLED_REPORT, operations=["createReport"], times=3)
    busy.run()
    first = second_look(busy)
    for _ in range(3):
        walk = busy.live.walk.model_copy(update={"reached": busy.clock() + HOUR, "pace": BUSY})
        busy.downloads.save_live_download("demo", busy.live.model_copy(update={"walk": walk}))
        busy.run_for(70 * MINUTE, tick=5 * MINUTE)
    again = second_look(busy)
    assert again.updated_after == first.updated_after
    assert again.updated_before >= first.updated_before + 2 * HOUR


def test_a_report_that_never_comes_is_asked_for_again(busy: World) -> None:
    busy.amazon.set_reports(duration=30 * DAY)
    busy.run_for(6 * HOUR, tick=30 * MINUTE)
    assert second_look(busy).failure is None
    busy.run_for(HOUR, tick=30 * MINUTE)
    assert "six hours" in str(second_look(busy).failure)


def test_a_document_that_can_never_be_had_is_given_up_with_its_report(busy: World) -> None:
    busy.amazon.misbehave(Misbehaviour.HTML_503, operations=["download"], times=None)
    busy.run_for(8 * HOUR, tick=10 * MINUTE)
    assert calls(busy).count("createReport") == 2


@pytest.mark.parametrize("operation", ["createReport", "getReport", "getReportDocument", "download"])
@pytest.mark.parametrize("kind", [Misbehaviour.HTML_503, Misbehaviour.DROPPED_CONNECTION])
def test_a_call_without_an_answer_is_repeated_and_delays_no_download(
    busy: World, operation: str, kind: Misbehaviour
) -> None:
    busy.amazon.misbehave(kind, operations=[operation])
    busy.run_for(10 * MINUTE)
    assert second_look(busy).finished_at is not None
    assert calls(busy).count("createReport") == (2 if operation == "createReport" else 1)
    assert not busy.incidents


@pytest.mark.parametrize("operation", ["createReport", "getReport", "getReportDocument"])
def test_a_denied_second_look_is_shown_and_starts_again_in_an_hour(busy: World, operation: str) -> None:
    busy.amazon.misbehave(Misbehaviour.ACCESS_DENIED, operations=[operation], times=2)
    busy.run_for(10 * MINUTE)
    looked = second_look(busy)
    assert looked.failure
    assert (looked.report, looked.finished_at) == (None, None)
    busy.run_for(80 * MINUTE, tick=5 * MINUTE)
    assert second_look(busy).finished_at is not None


@pytest.mark.parametrize(
    "document",
    [
        b"no gzip",
        gzip.compress(b"Date range exceeded. Report can be requested only upto 30 days"),
        gzip.compress(b"amazon-order-id\tlast-updated-date\torder-status\tsales-channel\n" * 100)[:-20],
        gzip.compress(b"amazon-order-id\tlast-updated-date\torder-status\tsales-channel\n" + b"x" * 50_000_000),
        b"",
    ],
    ids=["no report", "a sentence", "cut off", "a line without end", "empty"],
)
def test_an_unreadable_document_is_asked_for_again_in_an_hour(
    busy: World, monkeypatch: pytest.MonkeyPatch, document: bytes
) -> None:
    answer_with(document, monkeypatch)
    busy.run_for(5 * MINUTE)
    looked = second_look(busy)
    assert looked.failure
    assert (looked.report, looked.retry_at is None) == (None, False)


def test_rows_that_cannot_be_read_keep_no_other_from_being_compared(
    busy: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    miss(busy)
    lines = (
        "last-updated-date\tmore\tamazon-order-id\torder-status\tsales-channel",
        "yesterday\t\t777-1\tShipped",
        "2026-11-01T15:00:00+00:00\t\t..\tShipped",
        "2026-11-01T15:00:00+00:00\t\t" + "7" * 2_000 + "\tShipped",
        "",
        "2026-11-01T15:00:00+00:00\t\t\tShipped",
        '2026-11-01T15:00:00+00:00\t"\t' + MISSED + "\tShipped",
    )
    answer_with(gzip.compress("\r\n".join(lines).encode()), monkeypatch)
    busy.run_for(6 * MINUTE)
    assert [operation for operation in calls(busy) if operation == "getOrder"] == ["getOrder"]
    assert MISSED in busy.items()
    assert second_look(busy).failure == "4 of 6 rows of the order report cannot be read."
    assert second_look(busy).finished_at is None


def test_rows_that_cannot_be_read_count_over_all_runs(busy: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("needs_attention.jobs.download.report_comparison._COMPARED_AT_ONCE", 2)
    at = amazon_time(NOON)
    rows = [f"777-{number}\t{'soon' if number == 1 else at}\tShipped\tAmazon.com" for number in range(1, 6)]
    answer_with(report_of(*rows), monkeypatch)
    busy.run()
    busy.clock.advance(3 * MINUTE)
    for _ in range(3):
        busy.run(lasting=timedelta())
    busy.run()
    assert second_look(busy).failure == "1 of 5 rows of the order report cannot be read."


@pytest.mark.parametrize("rows", [[], [""], [f"{MISSED}\t2026-11-01T15:00:00+00:00\tShipped\tNon-Amazon US"]])
def test_a_report_that_names_no_order_of_a_busy_account_proves_nothing(
    busy: World, monkeypatch: pytest.MonkeyPatch, rows: list[str]
) -> None:
    answer_with(report_of(*rows), monkeypatch)
    busy.run_for(5 * MINUTE)
    looked = second_look(busy)
    assert (looked.failure, looked.finished_at) == ("The order report names no order.", None)


@pytest.mark.parametrize(
    "time",
    [
        "2026-11-01T15:00:00+00:00",
        "2026-11-01T15:00:00Z",
        "2026-11-01T07:00:00 PST",
        *(f"2026-11-01 08:00:00 {zone}" for zone in ("MST", "PDT")),
        "2026-11-01 09:00:00 MDT",
        *(f"2026-11-01 10:00:00 {zone}" for zone in ("CDT", "EST")),
        "2026-11-01 11:00:00 EDT",
        "2026-11-01 12:00:00 BRT",
        *(f"2026-11-01 15:00:00 {zone}" for zone in ("UTC", "GMT", "WET")),
        *(f"2026-11-01 16:00:00 {zone}" for zone in ("BST", "WEST", "CET", "MET", "MEZ")),
        *(f"2026-11-01 17:00:00 {zone}" for zone in ("CEST", "MEST", "MESZ", "SAST", "EET")),
        *(f"2026-11-01 18:00:00 {zone}" for zone in ("EEST", "TRT")),
        "2026-11-01 19:00:00 GST",
        "2026-11-01 23:00:00 SGT",
        "2026-11-02 00:00:00 JST",
        "2026-11-02 01:00:00 AEST",
        "2026-11-02 02:00:00 AEDT",
    ],
)
def test_a_time_in_a_report_may_name_its_zone(busy: World, monkeypatch: pytest.MonkeyPatch, time: str) -> None:
    told = []
    monkeypatch.setattr(busy.downloads, "want_redownload", lambda _, hint: told.append(hint.changed_at))
    answer_with(report_of(f"{MISSED}\t{time}\tShipped\tAmazon.com"), monkeypatch)
    busy.run_for(5 * MINUTE)
    assert told == [NOON + 3 * HOUR]


UNREADABLE_TIMES = [
    "2026-11-01 15:00:00 IST",
    "2026-11-01 15:00:00 XYZ",
    "PDT",
    " PDT",
    "0001-01-01",
    # Hours may lie between these and the time that Amazon means.
    "2026-11-01T15:00:00",
    "2026-11-01 15:00:00",
    "2026-11-01",
    "2026-11-01 PDT",
    "2026-11-01T15",
    "2026-11-01T15:00:00+00:",
    "2026-11-01T15:00:00+09:00 PDT",
    "2026-W44-5",
]


@pytest.mark.parametrize("time", UNREADABLE_TIMES)
def test_a_time_whose_zone_is_not_known_cannot_be_read(busy: World, monkeypatch: pytest.MonkeyPatch, time: str) -> None:
    answer_with(report_of(f"{MISSED}\t{time}\tShipped\tAmazon.com"), monkeypatch)
    busy.run_for(5 * MINUTE)
    assert "cannot be read" in str(second_look(busy).failure)


@pytest.mark.parametrize(
    "written",
    [
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
        lambda text: gzip.compress(text.encode("utf-8-sig")),
        lambda text: quoted(text).encode(),
        lambda text: quoted(text).encode("utf-8-sig"),
        lambda text: text.replace("\n", "\r\n").encode("cp932"),
    ],
    ids=["BOM", "UTF-16", "UTF-16 big-endian", "BOM in gzip", "quoted", "BOM and quoted", "Windows-31J"],
)
def test_a_report_is_read_however_it_is_written(
    busy: World, monkeypatch: pytest.MonkeyPatch, written: Callable[[str], bytes]
) -> None:
    miss(busy)
    text = report_of(f'{MISSED}\t{amazon_time(NOON + 3 * HOUR)}\tShipped\tAmazon.com\t"机の灯り').decode()
    answer_with(written(text.replace("sales-channel", "sales-channel\ttitle")), monkeypatch)
    busy.run_for(6 * MINUTE)
    looked = second_look(busy)
    assert (looked.failure, looked.finished_at is None, looked.missed) == (None, False, (MISSED,))


def quoted(text: str) -> str:
    return "\n".join("\t".join(f'"{cell}"' for cell in row.split("\t")) for row in text.splitlines())


def test_a_report_that_is_not_compressed_is_compared_too(busy: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over a real connection: urllib3's answer closes itself when it has been read."""
    monkeypatch.setattr("gzip.compress", lambda content: content)
    miss(busy)
    busy.run_for(6 * MINUTE)
    assert second_look(busy).finished_at is not None
    assert MISSED in busy.items()


def test_an_address_that_is_not_encrypted_as_amazons_are_is_not_followed(busy: World) -> None:
    api = SellingPartnerApi(Credentials("a", "b", "c"), endpoint="https://sellingpartnerapi-na.amazon.com")
    with pytest.raises(UnreadableAnswer), api.document("http://127.0.0.1/report"):
        pass


def test_an_order_of_another_shop_that_amazon_only_fulfils_is_not_missed(
    busy: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = amazon_time(NOON + 3 * HOUR)
    known = f"{min(busy.ledger())}\t{amazon_time(NOON)}\tShipped\tAmazon.com"
    answer_with(report_of(known, f"{MISSED}\t{at}\tShipped\tNon-Amazon US"), monkeypatch)
    busy.run_for(5 * MINUTE)
    assert second_look(busy).finished_at is not None
    assert second_look(busy).missed_count == 0


def test_a_row_of_a_later_update_says_nothing_of_the_window(busy: World, monkeypatch: pytest.MonkeyPatch) -> None:
    later = amazon_time(busy.clock() + HOUR)
    answer_with(report_of(f"{MISSED}\t{later}\tShipped\tAmazon.com"), monkeypatch)
    busy.run_for(5 * MINUTE)
    assert second_look(busy).finished_at is not None
    assert second_look(busy).missed_count == 0


def report_of(*rows: str) -> bytes:
    return "".join(f"{line}\n" for line in (HEADER, *rows)).encode()


def answer_with(document: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def gives(*_: object) -> Iterator[IO[bytes]]:
        yield io.BytesIO(document)

    monkeypatch.setattr(SellingPartnerApi, "document", gives)

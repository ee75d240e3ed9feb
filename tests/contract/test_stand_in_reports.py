"""The stand-in's Reports API keeps Amazon's rules, and public clients fetch a report from it."""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
import sp_api.auth  # type: ignore[import-untyped]  # neither client ships types
import spapi  # type: ignore[import-untyped]
import urllib3
from sp_api.api import Reports  # type: ignore[import-untyped]

from tools.amazon_stand_in.clock import Clock
from tools.amazon_stand_in.http_messages import Request
from tools.amazon_stand_in.ledger import Entry, Json, merged
from tools.amazon_stand_in.marketplaces import Region, marketplace_in
from tools.amazon_stand_in.misbehaviour import Misbehaviour
from tools.amazon_stand_in.plain_client import USER_AGENT, PlainClient, Reply
from tools.amazon_stand_in.server import AmazonStandIn
from tools.amazon_stand_in.whole_order import Line, whole_order

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
US, CANADA, GERMANY = "ATVPDKIKX0DER", "A2EUQ1WTGCTBG2", "A1PA6795UKMFR9"
REPORTS, DOCUMENTS = "/reports/2021-06-30/reports", "/reports/2021-06-30/documents"
ALL_ORDERS = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL"
TODAY: Json = {
    "reportType": ALL_ORDERS,
    "marketplaceIds": [US],
    "dataStartTime": "2026-11-20T00:00:00Z",
    "dataEndTime": "2026-11-20T12:00:00Z",
}
DONE = timedelta(minutes=2)


def an_order(number: int = 1, *, changes: Json | None = None, country: str = "US", **details: Any) -> Entry:
    """Of two items, updated `number` minutes before 11:00, changed by a merge patch."""
    updated = NOON - timedelta(hours=1, minutes=number)
    defaults: Json = {
        "marketplace": marketplace_in(country),
        "buyer_name": "Dana Whitfield",
        "address": {
            "name": "Avery Hargrove",
            "addressLine1": "1420 Quarry Lane",
            "city": "Madison",
            "stateOrRegion": "WI",
            "postalCode": "53703",
            "countryCode": "US",
            "phone": "+1 608-555-0142",
        },
        "lines": [
            Line("KETTLE-STEEL-17", "Steel kettle", 2, Decimal("42.90")),
            Line("MUG-BLUE", "Blue\tmug ✓", 1, Decimal("8.00")),
        ],
        "created": updated - timedelta(hours=1),
        "updated": updated,
        "ship_by": NOON + timedelta(days=2),
    }
    order = whole_order(f"111-{number:07}-{number:07}", **defaults | details)
    return Entry.of(merged(order, changes or {}))


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def region() -> Region:
    return "NA"


@pytest.fixture
def stand_in(clock: Clock, region: Region) -> Iterator[AmazonStandIn]:
    with AmazonStandIn([an_order(number) for number in range(1, 4)], region=region, now=clock) as stand_in:
        yield stand_in


@pytest.fixture
def client(stand_in: AmazonStandIn) -> Iterator[PlainClient]:
    client = PlainClient(stand_in)
    yield client
    client.close()


def create(client: PlainClient, **changes: Any) -> Reply:
    """Asks createReport for today's report, with `changes` in the body (None: left out)."""
    body = {name: value for name, value in (TODAY | changes).items() if value is not None}
    return client.call("POST", REPORTS, body)


def status(client: PlainClient, created: Reply) -> Json:
    report: Json = client.get(f"{REPORTS}/{created.json['reportId']}").json
    return report


def document(client: PlainClient, clock: Clock, **changes: Any) -> Json:
    """The answer of getReportDocument for a report that is created and waited for."""
    created = create(client, **changes)
    clock.advance(DONE)
    found: Json = client.get(f"{DOCUMENTS}/{status(client, created)['reportDocumentId']}").json
    return found


def rows(content: bytes, charset: str = "UTF-8") -> list[dict[str, str]]:
    text = gzip.decompress(content).decode(charset)
    return list(csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))


def report(client: PlainClient, clock: Clock, **changes: Any) -> list[dict[str, str]]:
    return rows(client.ask("GET", document(client, clock, **changes)["url"]).body)


# The report itself


def test_a_report_has_amazons_columns(client: PlainClient, clock: Clock) -> None:
    content = client.ask("GET", document(client, clock)["url"]).body
    assert gzip.decompress(content).decode().partition("\n")[0].split("\t") == [
        "amazon-order-id",
        "merchant-order-id",
        "purchase-date",
        "last-updated-date",
        "order-status",
        "fulfillment-channel",
        "sales-channel",
        "order-channel",
        "ship-service-level",
        "product-name",
        "sku",
        "asin",
        "item-status",
        "quantity",
        "currency",
        "item-price",
        "item-tax",
        "shipping-price",
        "shipping-tax",
        "gift-wrap-price",
        "gift-wrap-tax",
        "item-promotion-discount",
        "ship-promotion-discount",
        "ship-city",
        "ship-state",
        "ship-postal-code",
        "ship-country",
        "promotion-ids",
        "is-business-order",
        "purchase-order-number",
        "price-designation",
    ]


def test_a_report_has_a_row_for_each_item(client: PlainClient, clock: Clock) -> None:
    found = report(client, clock)
    assert [row["amazon-order-id"][-1] for row in found] == ["3", "3", "2", "2", "1", "1"]
    assert {name: value for name, value in found[0].items() if value} == {
        "amazon-order-id": "111-0000003-0000003",
        "merchant-order-id": "SHOP-0000003",
        "purchase-date": "2026-11-20T09:57:00+00:00",
        "last-updated-date": "2026-11-20T10:57:00+00:00",
        "order-status": "Unshipped",
        "fulfillment-channel": "Merchant",
        "sales-channel": "Amazon.com",
        "ship-service-level": "Standard",
        "product-name": "Steel kettle",
        "sku": "KETTLE-STEEL-17",
        "asin": "B000000301",
        "item-status": "Unshipped",
        "quantity": "2",
        "currency": "USD",
        "item-price": "85.80",
        "ship-city": "Madison",
        "ship-state": "WI",
        "ship-postal-code": "53703",
        "ship-country": "US",
        "is-business-order": "false",
    }
    assert found[1]["product-name"] == "Blue mug ✓"


def test_a_report_shows_neither_who_bought_nor_the_street(client: PlainClient, clock: Clock) -> None:
    content = gzip.decompress(client.ask("GET", document(client, clock)["url"]).body).decode()
    for personal in ("Dana", "Whitfield", "Avery", "Quarry", "555-0142", "marketplace.example.com"):
        assert personal not in content


@pytest.mark.parametrize(
    ("fulfillment_status", "statuses"),
    [
        ("PENDING", ("Pending", "Unshipped")),
        ("PENDING_AVAILABILITY", ("PendingAvailability", "Unshipped")),
        ("UNSHIPPED", ("Unshipped", "Unshipped")),
        ("PARTIALLY_SHIPPED", ("PartiallyShipped", "Unshipped")),
        ("SHIPPED", ("Shipped", "Shipped")),
        ("CANCELLED", ("Cancelled", "Cancelled")),
        ("UNFULFILLABLE", ("Unfulfillable", "Unshipped")),
    ],
)
def test_statuses_are_in_the_reports_own_words(
    client: PlainClient, stand_in: AmazonStandIn, clock: Clock, fulfillment_status: str, statuses: tuple[str, str]
) -> None:
    stand_in.put(an_order(4, status=fulfillment_status).order)
    row = report(client, clock)[0]
    assert (row["order-status"], row["item-status"]) == statuses


def test_a_pending_order_of_the_merchants_has_no_price_and_no_destination(
    client: PlainClient, stand_in: AmazonStandIn, clock: Clock
) -> None:
    stand_in.put(an_order(4, status="PENDING").order)
    stand_in.put(an_order(5, status="PENDING", fulfilled_by="AMAZON").order)
    by_amazon, _, by_merchant, _, *_ = report(client, clock)
    assert (by_amazon["fulfillment-channel"], by_amazon["item-price"], by_amazon["currency"]) == (
        "Amazon",
        "85.80",
        "USD",
    )
    assert (by_merchant["item-price"], by_merchant["currency"], by_merchant["ship-city"]) == ("", "", "")


def test_business_orders_and_promotions_are_told(client: PlainClient, stand_in: AmazonStandIn, clock: Clock) -> None:
    order = an_order(4, changes={"programs": ["AMAZON_BUSINESS"], "buyer": {"buyerPurchaseOrderNumber": "PO-7"}}).order
    order["orderItems"][0]["promotion"] = {"breakdowns": [{"promotionId": "SPRING"}, {"promotionId": "FREE-SHIP"}]}
    stand_in.put(order)
    row = report(client, clock)[0]
    assert (row["is-business-order"], row["purchase-order-number"]) == ("true", "PO-7")
    assert row["promotion-ids"] == "SPRING,FREE-SHIP"


def test_an_order_without_items_has_no_row(client: PlainClient, stand_in: AmazonStandIn, clock: Clock) -> None:
    stand_in.patch("111-0000002-0000002", {"orderItems": []})
    assert {row["amazon-order-id"][-1] for row in report(client, clock)} == {"1", "3"}


def test_a_report_shows_orders_updated_in_its_window_in_its_marketplaces(
    client: PlainClient, stand_in: AmazonStandIn, clock: Clock
) -> None:
    stand_in.put(an_order(4, country="CA").order)
    first, _, third, fourth = stand_in.orders()
    window = {"dataStartTime": fourth.updated.isoformat(), "dataEndTime": first.updated.isoformat()}
    assert {row["amazon-order-id"][-1] for row in report(client, clock, **window)} == {"1", "2", "3"}
    both = window | {"marketplaceIds": [US, CANADA]}
    assert {row["amazon-order-id"][-1] for row in report(client, clock, **both)} == {"1", "2", "3", "4"}
    narrow = window | {"dataStartTime": (third.updated + timedelta(seconds=1)).isoformat()}
    assert {row["amazon-order-id"][-1] for row in report(client, clock, **narrow)} == {"1", "2"}


@pytest.mark.parametrize(
    ("region", "country", "expected"),
    [
        ("NA", "CA", ("UTF-8", "Żółty czajnik ✓")),
        ("EU", "DE", ("Cp1252", "?ó?ty czajnik ?")),
        ("FE", "JP", ("Windows-31J", "???ty czajnik ?")),
    ],
)
def test_each_region_has_its_character_set(
    client: PlainClient, stand_in: AmazonStandIn, clock: Clock, country: str, expected: tuple[str, str]
) -> None:
    kettle = Line("KETTLE", "Żółty czajnik ✓", 1, Decimal(40))
    stand_in.put(an_order(4, country=country, lines=[kettle]).order)
    found = document(client, clock, marketplaceIds=[marketplace_in(country).marketplace_id])
    reply = client.ask("GET", found["url"])
    charset = reply.headers["content-type"].removeprefix("text/plain; charset=")
    assert (charset, rows(reply.body, charset)[0]["product-name"]) == expected


# createReport


def test_a_report_is_accepted_and_numbered(client: PlainClient) -> None:
    first, second = create(client), create(client)
    assert (first.status, set(first.json)) == (202, {"reportId"})
    assert first.headers["x-amzn-ratelimit-limit"] == "0.0167"
    assert first.json["reportId"] != second.json["reportId"]


@pytest.mark.parametrize(
    ("changes", "message", "details"),
    [
        (
            {"reportType": None, "marketplaceIds": None},
            "One or more required parameters missing",
            "marketplaceIds;reportType;",
        ),
        ({"marketplaceIds": []}, "One or more required parameters missing", "marketplaceIds;"),
        ({"reportType": "GET_ORDERS"}, "Invalid Report Type GET_ORDERS", ""),
        (
            {"dataStartTime": "2026-11-20T12:00:00Z", "dataEndTime": "2026-11-20T11:59:59Z"},
            "dataStartTime is after",
            "",
        ),
        ({"marketplaceIds": US}, "Invalid Input", "list"),
        ({"marketplaceIds": [US] * 26}, "Invalid Input", "25"),
        ({"dataEndTime": "2026-11-20T12:00:01Z"}, "Invalid Input", "future"),
        ({"dataStartTime": "2026-11-20"}, "Invalid Input", "ISO 8601"),
        ({"dataStartTime": 20}, "Invalid Input", "ISO 8601"),
    ],
)
def test_a_report_that_amazon_does_not_make_is_rejected(
    client: PlainClient, changes: Json, message: str, details: str
) -> None:
    reply = create(client, **changes)
    assert (reply.status, reply.error["code"]) == (400, "InvalidInput")
    assert message in reply.error["message"]
    assert details in reply.error["details"]


@pytest.mark.parametrize("marketplace_id", [GERMANY, "A00000000000"])
def test_a_marketplace_of_no_or_another_region_is_refused(client: PlainClient, marketplace_id: str) -> None:
    reply = create(client, marketplaceIds=[US, marketplace_id])
    assert (reply.status, reply.error["code"]) == (403, "Unauthorized")


@pytest.mark.parametrize("content", [b"", b"reportType=x", b"[]"])
def test_a_body_that_is_no_json_object_is_rejected(
    client: PlainClient, stand_in: AmazonStandIn, content: bytes
) -> None:
    token = client.log_in().json["access_token"]
    headers = {"User-Agent": USER_AGENT, "x-amz-access-token": token, "Content-Type": "application/json"}
    reply = client.ask("POST", stand_in.endpoint + REPORTS, headers=headers, body=content)
    assert (reply.status, reply.error["code"]) == (400, "InvalidInput")


def test_a_body_must_say_that_it_is_json(client: PlainClient) -> None:
    assert client.call("POST", REPORTS, TODAY, headers={"Content-Type": "text/plain"}).status == 415


def test_without_times_a_report_begins_and_ends_now(client: PlainClient, clock: Clock) -> None:
    created = create(client, dataStartTime=None, dataEndTime=None)
    found = status(client, created)
    assert found["dataStartTime"] == found["dataEndTime"] == found["createdTime"] == "2026-11-20T12:00:00+00:00"


def test_a_report_wants_a_sellers_token_and_a_role(client: PlainClient, stand_in: AmazonStandIn) -> None:
    grantless = client.log_in(
        grant_type="client_credentials", scope="sellingpartnerapi::notifications", refresh_token=None
    )
    headers = {"x-amz-access-token": grantless.json["access_token"]}
    assert client.call("POST", REPORTS, TODAY, headers=headers).status == 403
    stand_in.set_roles(frozenset())
    assert create(client).status == 403


def test_fifteen_reports_at_once_are_the_burst_then_one_a_minute(client: PlainClient, clock: Clock) -> None:
    assert [create(client).status for _ in range(16)] == [202] * 15 + [429]
    clock.advance(timedelta(seconds=59))
    assert create(client).status == 429
    clock.advance(timedelta(seconds=1))
    assert create(client).status == 202


def test_documents_and_statuses_have_quotas_of_their_own(
    client: PlainClient, stand_in: AmazonStandIn, clock: Clock
) -> None:
    created = create(client)
    path = f"{REPORTS}/{created.json['reportId']}"
    assert [client.get(path).status for _ in range(16)] == [200] * 15 + [429]
    clock.advance(DONE)
    document_id = status(client, created)["reportDocumentId"]
    assert [client.get(f"{DOCUMENTS}/{document_id}").status for _ in range(16)] == [200] * 15 + [429]
    stand_in.set_usage_plan("getReportDocument", rate=1, burst=1)
    assert client.get(f"{DOCUMENTS}/{document_id}").status == 200


# getReport


def test_a_report_waits_then_is_made_then_is_done(client: PlainClient, clock: Clock) -> None:
    created = create(client)
    waiting = status(client, created)
    assert waiting == TODAY | {
        "reportId": created.json["reportId"],
        "dataStartTime": "2026-11-20T00:00:00+00:00",
        "dataEndTime": "2026-11-20T12:00:00+00:00",
        "createdTime": "2026-11-20T12:00:00+00:00",
        "processingStatus": "IN_QUEUE",
    }
    clock.advance(timedelta(minutes=1))
    started = {"processingStartTime": "2026-11-20T12:01:00+00:00"}
    assert status(client, created) == waiting | started | {"processingStatus": "IN_PROGRESS"}
    clock.advance(timedelta(seconds=59))
    assert status(client, created)["processingStatus"] == "IN_PROGRESS"
    clock.advance(timedelta(seconds=1))
    done = status(client, created)
    assert done.pop("reportDocumentId").startswith("amzn1.spdoc.")
    ended = {"processingStatus": "DONE", "processingEndTime": "2026-11-20T12:02:00+00:00"}
    assert done == waiting | started | ended


def test_a_report_takes_as_long_as_told(client: PlainClient, stand_in: AmazonStandIn, clock: Clock) -> None:
    stand_in.set_reports(duration=timedelta(0))
    assert status(client, create(client))["processingStatus"] == "DONE"
    assert client.control("PUT", "/reports", {"duration": 3600}).status == 200
    slow = create(client)
    clock.advance(timedelta(minutes=59))
    assert status(client, slow)["processingStatus"] == "IN_PROGRESS"
    assert client.control("PUT", "/reports", {"speed": 1}).status == 400


def test_a_report_without_data_is_cancelled(client: PlainClient, clock: Clock) -> None:
    created = create(client, dataStartTime="2026-11-20T11:30:00Z")
    clock.advance(DONE)
    found = status(client, created)
    assert found["processingStatus"] == "CANCELLED"
    assert "reportDocumentId" not in found


def test_a_report_is_fatal_when_told_so(client: PlainClient, stand_in: AmazonStandIn, clock: Clock) -> None:
    stand_in.misbehave(Misbehaviour.FATAL_REPORT)
    fatal, good = create(client), create(client)
    assert status(client, fatal)["processingStatus"] == "IN_QUEUE"
    clock.advance(DONE)
    assert status(client, fatal)["processingStatus"] == "FATAL"
    assert "reportDocumentId" not in status(client, fatal)
    assert status(client, good)["processingStatus"] == "DONE"


def test_a_report_is_cancelled_when_told_so(client: PlainClient, stand_in: AmazonStandIn, clock: Clock) -> None:
    stand_in.misbehave(Misbehaviour.CANCELLED_REPORT)
    cancelled, good = create(client), create(client)
    clock.advance(DONE)
    assert status(client, cancelled)["processingStatus"] == "CANCELLED"
    assert status(client, good)["processingStatus"] == "DONE"


def test_a_report_has_times_of_an_unknown_zone_when_told_so(
    client: PlainClient, stand_in: AmazonStandIn, clock: Clock
) -> None:
    stand_in.misbehave(Misbehaviour.UNREADABLE_REPORT)
    created = create(client)
    clock.advance(DONE)
    url = client.get(f"{DOCUMENTS}/{status(client, created)['reportDocumentId']}").json["url"]
    rows = list(csv.DictReader(gzip.decompress(client.ask("GET", url).body).decode().splitlines(), delimiter="\t"))
    assert rows
    assert all(row["last-updated-date"].endswith(" XYZ") for row in rows)


def test_more_than_thirty_days_make_a_fatal_report_whose_document_says_why(client: PlainClient, clock: Clock) -> None:
    thirty_days = create(client, dataStartTime="2026-10-21T12:00:00Z")
    more = create(client, dataStartTime="2026-10-21T11:59:59Z")
    clock.advance(DONE)
    assert status(client, thirty_days)["processingStatus"] == "DONE"
    found = status(client, more)
    assert found["processingStatus"] == "FATAL"
    url = client.get(f"{DOCUMENTS}/{found['reportDocumentId']}").json["url"]
    assert gzip.decompress(client.ask("GET", url).body).startswith(b"Date range exceeded.")


def test_an_unknown_report_is_not_found(client: PlainClient) -> None:
    reply = client.get(f"{REPORTS}/50000000000")
    assert (reply.status, reply.error["code"]) == (404, "NotFound")


def test_a_report_shows_the_orders_as_they_were_when_it_was_created(
    client: PlainClient, stand_in: AmazonStandIn, clock: Clock
) -> None:
    created = create(client)
    clock.advance(timedelta(seconds=1))
    stand_in.patch("111-0000001-0000001", {"fulfillment": {"fulfillmentStatus": "SHIPPED"}})
    stand_in.put(an_order(4).order)
    clock.advance(DONE)
    url = client.get(f"{DOCUMENTS}/{status(client, created)['reportDocumentId']}").json["url"]
    found = rows(client.ask("GET", url).body)
    assert {row["order-status"] for row in found} == {"Unshipped"}
    assert len(found) == 6


def test_a_report_shows_what_happened_a_moment_before(
    client: PlainClient, stand_in: AmazonStandIn, clock: Clock
) -> None:
    stand_in.patch("111-0000001-0000001", {"fulfillment": {"fulfillmentStatus": "SHIPPED"}})
    assert [row["order-status"] for row in report(client, clock)][-1] == "Shipped"


def test_a_report_can_lag_behind(client: PlainClient, stand_in: AmazonStandIn, clock: Clock) -> None:
    stand_in.set_reports(lag=timedelta(minutes=30))
    patched = {"fulfillment": {"fulfillmentStatus": "SHIPPED"}}
    stand_in.patch("111-0000001-0000001", patched)
    clock.advance(timedelta(minutes=20))
    stand_in.patch("111-0000002-0000002", patched)
    stand_in.complete("111-0000003-0000003", last_updated_time=clock())
    stand_in.put(an_order(4).order)
    found = report(client, clock)
    assert {row["amazon-order-id"][-1] for row in found} == {"1", "2", "3"}
    assert {row["order-status"] for row in found} == {"Unshipped"}
    clock.advance(timedelta(minutes=8))
    client.renew_access_token()
    found = report(client, clock)
    assert {row["amazon-order-id"][-1] for row in found if row["order-status"] == "Shipped"} == {"1"}
    assert len(found) == 6


def test_a_lag_of_more_than_half_an_hour_is_refused(stand_in: AmazonStandIn) -> None:
    with pytest.raises(ValueError, match="at most"):
        stand_in.set_reports(lag=timedelta(minutes=30, seconds=1))


# getReportDocument and the download


def test_a_document_is_fetched_without_a_token_and_is_compressed(client: PlainClient, clock: Clock) -> None:
    found = document(client, clock)
    assert set(found) == {"reportDocumentId", "url", "compressionAlgorithm"}
    assert found["compressionAlgorithm"] == "GZIP"
    reply = client.ask("GET", found["url"])
    assert (reply.status, reply.headers["content-encoding"]) == (200, "identity")
    assert len(rows(reply.body)) == 6


def test_a_download_link_expires_after_five_minutes_and_can_be_renewed(client: PlainClient, clock: Clock) -> None:
    found = document(client, clock)
    clock.advance(timedelta(minutes=4, seconds=59))
    assert client.ask("GET", found["url"]).status == 200
    clock.advance(timedelta(seconds=1))
    reply = client.ask("GET", found["url"])
    assert (reply.status, reply.headers["content-type"]) == (403, "application/xml")
    assert b"<Code>AccessDenied</Code><Message>Request has expired</Message>" in reply.body
    assert b"<X-Amz-Expires>300</X-Amz-Expires><Expires>2026-11-20T12:07:00Z</Expires>" in reply.body
    again = client.get(f"{DOCUMENTS}/{found['reportDocumentId']}").json["url"]
    assert client.ask("GET", again).status == 200


def test_a_download_wants_the_signature_of_its_own_document(client: PlainClient, clock: Clock) -> None:
    one, other = document(client, clock)["url"], document(client, clock)["url"]
    mixed = one.partition("?")[0] + "?" + other.partition("?")[2]
    for url in (one.partition("?")[0], mixed):
        reply = client.ask("GET", url)
        assert reply.status == 403
        assert b"<Code>SignatureDoesNotMatch</Code>" in reply.body


def test_an_unknown_document_is_an_invalid_input(client: PlainClient) -> None:
    reply = client.get(f"{DOCUMENTS}/50000019412")
    assert (reply.status, reply.error["code"]) == (400, "InvalidInput")
    assert reply.error["message"] == "Invalid reportDocumentId 50000019412"


def test_a_report_is_had_without_a_socket(clock: Clock) -> None:
    stand_in = AmazonStandIn([an_order()], now=clock)
    stand_in.set_reports(duration=timedelta(0))
    form = (
        b"grant_type=refresh_token&client_id=amzn1.application-oa2-client.stand-in"
        b"&client_secret=amzn1.oa2-cs.v1.stand-in&refresh_token=Atzr|stand-in"
    )

    def asked(method: str, target: str, content: bytes = b"", **headers: str) -> Any:
        answer = stand_in.answer(Request.read(method, target, {"Host": "amazon.example.com"} | headers, content))
        assert answer is not None
        return answer

    def called(method: str, target: str, content: bytes = b"") -> Json:
        sent = {"User-Agent": USER_AGENT, "x-amz-access-token": token, "Content-Type": "application/json"}
        found: Json = json.loads(asked(method, target, content, **sent).body)
        return found

    token = ""
    login = asked("POST", "/auth/o2/token", form, **{"Content-Type": "application/x-www-form-urlencoded"})
    token = json.loads(login.body)["access_token"]
    report_id = called("POST", REPORTS, json.dumps(TODAY).encode())["reportId"]
    document_id = called("GET", f"{REPORTS}/{report_id}")["reportDocumentId"]
    url = urlsplit(called("GET", f"{DOCUMENTS}/{document_id}")["url"])
    assert url.netloc == "amazon.example.com"
    assert len(rows(asked("GET", f"{url.path}?{url.query}").body)) == 2


# Faults, and how they show


@pytest.mark.parametrize("operation", ["createReport", "getReport", "getReportDocument"])
@pytest.mark.parametrize(
    ("kind", "status_code"),
    [
        (Misbehaviour.HTML_503, 503),
        (Misbehaviour.JSON_500, 500),
        (Misbehaviour.QUOTA_EXCEEDED, 429),
        (Misbehaviour.ACCESS_DENIED, 403),
        (Misbehaviour.INVALID_INPUT, 400),
    ],
)
def test_each_operation_answers_with_the_error_asked_for(
    client: PlainClient, stand_in: AmazonStandIn, operation: str, kind: Misbehaviour, status_code: int
) -> None:
    stand_in.set_reports(duration=timedelta(0))

    def statuses() -> dict[str, int]:
        return {
            "createReport": create(client).status,
            "getReport": client.get(f"{REPORTS}/{report_id}").status,
            "getReportDocument": client.get(f"{DOCUMENTS}/{document_id}").status,
        }

    created = create(client)
    report_id, document_id = created.json["reportId"], status(client, created)["reportDocumentId"]
    good = {"createReport": 202, "getReport": 200, "getReportDocument": 200}
    stand_in.misbehave(kind, operations={operation})
    assert statuses() == good | {operation: status_code}
    assert statuses() == good


def test_a_download_breaks_off_or_fails_as_told(client: PlainClient, stand_in: AmazonStandIn, clock: Clock) -> None:
    url = document(client, clock)["url"]
    stand_in.misbehave(Misbehaviour.DROPPED_CONNECTION, operations={"download"})
    with pytest.raises(urllib3.exceptions.ProtocolError):
        client.ask("GET", url)
    stand_in.misbehave(Misbehaviour.TRUNCATED_JSON, operations={"download"})
    with pytest.raises(EOFError):
        gzip.decompress(client.ask("GET", url).body)
    stand_in.misbehave(Misbehaviour.HTML_503, operations={"download"})
    assert [client.ask("GET", url).status for _ in range(2)] == [503, 200]


@pytest.mark.parametrize(
    ("kind", "operation"),
    [
        (Misbehaviour.FATAL_REPORT, "getReport"),
        (Misbehaviour.DUPLICATES, "createReport"),
        (Misbehaviour.QUOTA_EXCEEDED, "download"),
    ],
)
def test_an_instruction_that_cannot_be_followed_is_refused(
    stand_in: AmazonStandIn, kind: Misbehaviour, operation: str
) -> None:
    with pytest.raises(ValueError, match="cannot answer"):
        stand_in.misbehave(kind, operations={operation})


def test_requests_are_remembered_with_their_bodies_but_without_signatures(
    client: PlainClient, stand_in: AmazonStandIn, clock: Clock
) -> None:
    client.ask("GET", document(client, clock)["url"])
    _, created, _, _, download = stand_in.requests()
    assert (created.operation, created.status) == ("createReport", 202)
    assert created.parameters == TODAY | {"marketplaceIds": f'["{US}"]'}
    assert (download.operation, set(download.parameters)) == ("download", {"X-Amz-Date", "X-Amz-Expires"})


# Public clients


def test_python_amazon_sp_api_fetches_a_report(
    stand_in: AmazonStandIn, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = stand_in.endpoint.removeprefix("http://")
    monkeypatch.setattr(sp_api.auth.AccessTokenClient, "scheme", "http://")
    monkeypatch.setattr(sp_api.auth.AccessTokenClient, "host", host)
    monkeypatch.setattr(Reports, "user_agent", USER_AGENT)
    sp_api.auth.access_token_client.cache.clear()
    api = Reports(
        # It derives the Host header by cutting off the length of "https://": the sign makes up for the missing letter.
        marketplace=SimpleNamespace(endpoint=f"http://@{host}", marketplace_id=US, region="us-east-1"),
        credentials={
            "lwa_app_id": stand_in.credentials.client_id,
            "lwa_client_secret": stand_in.credentials.client_secret,
            "refresh_token": stand_in.credentials.refresh_token,
        },
    )
    created = api.create_report(reportType=ALL_ORDERS, dataStartTime=NOON - timedelta(hours=12), dataEndTime=NOON)
    clock.advance(DONE)
    document_id = api.get_report(created.payload["reportId"]).payload["reportDocumentId"]
    fetched = api.get_report_document(document_id, download=True)
    api.close()
    api._auth._transport.close()  # its own close forgets this one
    assert fetched.character_code.upper() == "UTF-8"
    lines = fetched.payload["document"].splitlines()
    assert (len(lines), lines[0].split("\t")[0]) == (7, "amazon-order-id")
    assert "Blue mug ✓" in lines[-1]


def test_the_official_sdk_fetches_a_report(client: PlainClient, stand_in: AmazonStandIn, clock: Clock) -> None:
    spapi.Configuration.set_default(spapi.Configuration())
    credentials = stand_in.credentials
    config = spapi.SPAPIConfig(credentials.client_id, credentials.client_secret, credentials.refresh_token)
    sdk = spapi.SPAPIClient(config, oauth_endpoint=stand_in.lwa_endpoint, endpoint=stand_in.endpoint).api_client
    sdk.user_agent = USER_AGENT
    api = spapi.ReportsApi(sdk)
    body = {"reportType": ALL_ORDERS, "marketplaceIds": [US], "dataStartTime": NOON - timedelta(hours=12)}
    created = api.create_report(body)
    clock.advance(DONE)
    found = api.get_report(created.report_id)
    assert (found.processing_status, found.marketplace_ids) == ("DONE", [US])
    fetched = api.get_report_document(found.report_document_id)
    sdk.rest_client.pool_manager.clear()
    spapi.Configuration.set_default(None)
    assert fetched.compression_algorithm == "GZIP"
    assert len(rows(client.ask("GET", fetched.url).body)) == 6

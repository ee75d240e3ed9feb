"""The Amazon stand-in keeps Amazon's rules, asked over real HTTP on loopback."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tools.amazon_stand_in.clock import Clock
from tools.amazon_stand_in.ledger import Entry, Json, merged
from tools.amazon_stand_in.marketplaces import Region, marketplace_in
from tools.amazon_stand_in.plain_client import ALL_DATASETS, USER_AGENT, PlainClient, Query
from tools.amazon_stand_in.server import AmazonStandIn
from tools.amazon_stand_in.visibility import (
    DIRECT_TO_CONSUMER,
    INVENTORY_AND_ORDER_TRACKING,
    TAX_INVOICING,
)
from tools.amazon_stand_in.whole_order import Line, whole_order

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
A_DAY_AGO = NOON - timedelta(days=1)
RECENT: Query = {"lastUpdatedAfter": A_DAY_AGO}
US, CANADA, GERMANY = "ATVPDKIKX0DER", "A2EUQ1WTGCTBG2", "A1PA6795UKMFR9"


def an_order(number: int = 1, *, changes: Json | None = None, country: str = "US", **details: Any) -> Entry:
    """A whole order, updated `number` minutes before 11:00, changed by a merge patch."""
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
        "lines": [Line("KETTLE-STEEL-17", "Steel kettle", 1, Decimal("42.90"))],
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
    with AmazonStandIn([an_order(number) for number in range(1, 6)], region=region, now=clock) as stand_in:
        yield stand_in


@pytest.fixture
def client(stand_in: AmazonStandIn) -> Iterator[PlainClient]:
    client = PlainClient(stand_in)
    yield client
    client.close()


def shown(client: PlainClient, entry: Entry, includedData: str = ALL_DATASETS) -> Json:  # noqa: N803 - Amazon's name
    order: Json = client.order(entry.order_id, includedData=includedData).json["order"]
    return order


# Login with Amazon


def test_a_refresh_token_buys_an_access_token_for_one_hour(client: PlainClient) -> None:
    reply = client.log_in()
    assert reply.status == 200
    assert reply.json["access_token"].startswith("Atza|")
    assert (reply.json["token_type"], reply.json["expires_in"]) == ("bearer", 3600)
    assert reply.json["refresh_token"].startswith("Atzr|")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "amzn1.application-oa2-client.unknown"}, 401, "invalid_client"),
        ({"refresh_token": "Atzr|revoked"}, 400, "invalid_grant"),
        ({"refresh_token": None}, 400, "invalid_request"),
        ({"grant_type": None}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, 400, "invalid_request"),
        ({"grant_type": "client_credentials", "scope": "everything"}, 400, "invalid_scope"),
    ],
)
def test_login_refuses_with_the_codes_of_oauth(
    client: PlainClient, changes: dict[str, str | None], status: int, code: str
) -> None:
    reply = client.log_in(**changes)
    assert (reply.status, reply.json["error"]) == (status, code)
    assert reply.json["error_description"]
    assert reply.headers["x-amzn-requestid"]


def test_login_refuses_a_repeated_parameter(client: PlainClient, stand_in: AmazonStandIn) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    form = b"grant_type=refresh_token&grant_type=refresh_token"
    reply = client.ask("POST", stand_in.lwa_endpoint, headers=headers, body=form)
    assert (reply.status, reply.json["error"]) == (400, "invalid_request")


def test_login_takes_forms_only(client: PlainClient, stand_in: AmazonStandIn) -> None:
    headers = {"Content-Type": "application/json"}
    reply = client.ask("POST", stand_in.lwa_endpoint, headers=headers, body=b'{"grant_type": "refresh_token"}')
    assert (reply.status, reply.json["error"]) == (400, "invalid_request")


def test_a_grantless_token_does_not_open_orders(client: PlainClient) -> None:
    reply = client.log_in(grant_type="client_credentials", scope="sellingpartnerapi::notifications", refresh_token=None)
    assert "refresh_token" not in reply.json
    token = {"x-amz-access-token": reply.json["access_token"]}
    assert client.search(RECENT, headers=token).status == 403


# Access


def test_a_call_without_an_access_token_is_refused(client: PlainClient) -> None:
    reply = client.search(RECENT, headers={"x-amz-access-token": ""})
    assert (reply.status, reply.error["code"]) == (403, "MissingAuthenticationToken")


def test_an_unknown_access_token_is_refused(client: PlainClient) -> None:
    reply = client.search(RECENT, headers={"x-amz-access-token": "Atza|unknown"})
    assert (reply.status, reply.error["code"]) == (403, "Unauthorized")
    assert reply.error["message"] == "Access to requested resource is denied."
    assert "x-amzn-ratelimit-limit" not in reply.headers


def test_an_access_token_expires_after_an_hour(client: PlainClient, clock: Clock) -> None:
    assert client.search(RECENT).status == 200
    clock.advance(timedelta(minutes=59, seconds=59))
    assert client.search(RECENT).status == 200
    clock.advance(timedelta(seconds=1))
    reply = client.search(RECENT)
    assert (reply.status, reply.error["code"]) == (403, "Unauthorized")
    assert "expired" in reply.error["details"]


def test_access_tokens_expire_on_demand(client: PlainClient, stand_in: AmazonStandIn) -> None:
    client.search(RECENT)
    stand_in.expire_access_tokens()
    assert client.search(RECENT).status == 403
    client.renew_access_token()
    assert client.search(RECENT).status == 200


def test_a_seller_who_granted_no_role_gets_403(client: PlainClient, stand_in: AmazonStandIn) -> None:
    stand_in.set_roles(frozenset())
    assert client.search(RECENT).status == 403


@pytest.mark.parametrize(
    "user_agent",
    [USER_AGENT, r"My \(own\) App\/2/1.0 (Language=Java/21; Platform=Linux)", "App/1 (Platform=Linux; Language=Go)"],
)
def test_a_user_agent_that_names_its_language_is_welcome(client: PlainClient, user_agent: str) -> None:
    assert client.search(RECENT, headers={"User-Agent": user_agent}).status == 200


@pytest.mark.parametrize(
    "user_agent",
    [
        "",
        "python-urllib3/2.8.0",
        "App/1",
        "App/1 (Platform=Linux)",
        "App (Language=Go)",
        "App/1 (Language=)",
        f"App/1 (Language=Go; Comment={'x' * 500})",
    ],
)
def test_any_other_user_agent_is_rejected(client: PlainClient, user_agent: str) -> None:
    reply = client.search(RECENT, headers={"User-Agent": user_agent})
    assert (reply.status, reply.error["code"]) == (400, "InvalidInput")
    assert "User-Agent" in reply.error["details"]


# Time families and bounds


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"createdAfter": A_DAY_AGO, "lastUpdatedAfter": A_DAY_AGO},
        {"createdAfter": A_DAY_AGO, "lastUpdatedBefore": NOON - timedelta(hours=1)},
        {"lastUpdatedAfter": A_DAY_AGO, "createdBefore": NOON - timedelta(hours=1)},
        {"lastUpdatedBefore": NOON - timedelta(hours=1)},
    ],
)
def test_exactly_one_time_family_is_asked_for(client: PlainClient, query: Query) -> None:
    reply = client.search(query)
    assert (reply.status, reply.error["code"]) == (400, "InvalidInput")


def test_the_upper_bound_must_be_two_minutes_old(client: PlainClient) -> None:
    two_minutes_ago = NOON - timedelta(minutes=2)
    assert client.search(RECENT | {"lastUpdatedBefore": two_minutes_ago}).status == 200
    reply = client.search(RECENT | {"lastUpdatedBefore": two_minutes_ago + timedelta(seconds=1)})
    assert (reply.status, reply.error["code"]) == (400, "InvalidInput")


def test_the_upper_bound_must_not_come_before_the_lower(client: PlainClient) -> None:
    assert client.search({"createdAfter": A_DAY_AGO, "createdBefore": A_DAY_AGO}).status == 200
    assert client.search({"createdAfter": A_DAY_AGO, "createdBefore": A_DAY_AGO - timedelta(seconds=1)}).status == 400


@pytest.mark.parametrize(
    "text", ["TEST_CASE_400", "2026-11-19", "2026-11-19T12:00:00", "2026-11-19T12:00:00 02:00", ""]
)
def test_a_time_that_is_not_iso_8601_with_an_offset_is_rejected(client: PlainClient, text: str) -> None:
    assert client.search({"createdAfter": text}).status == 400


def test_both_bounds_are_inclusive(client: PlainClient, stand_in: AmazonStandIn) -> None:
    second, fourth = stand_in.orders()[1], stand_in.orders()[3]
    reply = client.search({"lastUpdatedAfter": fourth.updated, "lastUpdatedBefore": second.updated})
    assert len(reply.order_ids) == 3
    reply = client.search({"createdAfter": fourth.created, "createdBefore": second.created})
    assert len(reply.order_ids) == 3


def test_the_upper_bound_is_echoed(client: PlainClient) -> None:
    bound = NOON - timedelta(minutes=30)
    reply = client.search(RECENT | {"lastUpdatedBefore": bound}).json
    assert reply["lastUpdatedBefore"] == "2026-11-20T11:30:00Z"
    assert "createdBefore" not in reply
    assert (
        client.search({"createdAfter": A_DAY_AGO, "createdBefore": bound}).json["createdBefore"]
        == "2026-11-20T11:30:00Z"
    )


def test_without_an_upper_bound_it_is_two_minutes_ago(client: PlainClient, stand_in: AmazonStandIn) -> None:
    for minutes in (1, 3):
        entry = an_order(10 + minutes, updated=NOON - timedelta(minutes=minutes), created=A_DAY_AGO)
        stand_in.put(entry.order)
    reply = client.search({"lastUpdatedAfter": NOON - timedelta(minutes=30)})
    assert reply.order_ids == ["111-0000013-0000013"]
    assert reply.json["lastUpdatedBefore"] == "2026-11-20T11:58:00Z"


# Filters


def test_marketplaces_statuses_and_fulfillment_narrow_the_search(client: PlainClient, stand_in: AmazonStandIn) -> None:
    stand_in.put(an_order(6, country="CA").order)
    stand_in.put(an_order(7, status="SHIPPED").order)
    stand_in.put(an_order(8, fulfilled_by="AMAZON").order)
    queries: dict[str, Query] = {
        "canada": {"marketplaceIds": CANADA},
        "both": {"marketplaceIds": f"{CANADA},{US}"},
        "none named": {},
        "shipped": {"fulfillmentStatuses": "SHIPPED,CANCELLED"},
        "fba": {"fulfilledBy": "AMAZON"},
    }
    found = {name: client.search(RECENT | query).order_ids for name, query in queries.items()}
    assert found["canada"] == ["111-0000006-0000006"]
    assert len(found["both"]) == len(found["none named"]) == 8
    assert found["shipped"] == ["111-0000007-0000007"]
    assert found["fba"] == ["111-0000008-0000008"]


@pytest.mark.parametrize("marketplace_id", [GERMANY, "A2ZV50J4W1RKNI"])
def test_a_marketplace_of_no_or_another_region_is_refused(client: PlainClient, marketplace_id: str) -> None:
    reply = client.search(RECENT | {"marketplaceIds": f"{US},{marketplace_id}"})
    assert (reply.status, reply.error["code"]) == (403, "Unauthorized")
    assert reply.error["details"] == "The marketplaces you provided are not valid for region."


@pytest.mark.parametrize(
    "query",
    [
        {"marketplaceIds": ",".join(f"A{number}" for number in range(51))},
        {"marketplaceIds": ""},
        {"fulfillmentStatuses": "Unshipped"},
        {"fulfilledBy": "MFN"},
        {"includedData": "BUYER,EVERYTHING"},
        {"maxResultsPerPage": "0"},
        {"maxResultsPerPage": "101"},
        {"maxResultsPerPage": "ten"},
    ],
)
def test_a_parameter_beyond_amazons_model_is_rejected(client: PlainClient, query: Query) -> None:
    reply = client.search(RECENT | query)
    assert (reply.status, reply.error["code"]) == (400, "InvalidInput")
    assert next(iter(query)) in reply.error["details"]


def test_arrays_come_joined_by_commas_not_repeated(client: PlainClient) -> None:
    path = f"/orders/2026-01-01/orders?createdAfter=2026-11-19T12:00:00Z&marketplaceIds={US}&marketplaceIds={CANADA}"
    assert client.get(path).status == 400


def test_orders_older_than_two_years_are_not_shown(client: PlainClient, stand_in: AmazonStandIn) -> None:
    entry = an_order(6, created=NOON - timedelta(days=731))
    stand_in.put(entry.order)
    assert entry.order_id not in client.search(RECENT).order_ids
    assert client.order(entry.order_id).status == 404


@pytest.mark.parametrize("region", ["FE"])
def test_orders_of_japan_are_shown_since_2016(client: PlainClient, stand_in: AmazonStandIn) -> None:
    for number, year in ((6, 2015), (7, 2016)):
        stand_in.put(an_order(number, country="JP", created=datetime(year, 6, 1, tzinfo=UTC)).order)
    reply = client.search(RECENT | {"marketplaceIds": "A1VC38T7YXB528"})
    assert reply.order_ids == ["111-0000007-0000007"]


# Pages


def test_pages_hold_every_order_once_and_the_last_has_no_pagination(client: PlainClient) -> None:
    query: Query = {"lastUpdatedAfter": A_DAY_AGO, "maxResultsPerPage": "2"}
    first = client.search(query)
    second = client.search(query | {"paginationToken": first.json["pagination"]["nextToken"]})
    third = client.search(query | {"paginationToken": second.json["pagination"]["nextToken"]})
    assert [len(page.order_ids) for page in (first, second, third)] == [2, 2, 1]
    assert len({*first.order_ids, *second.order_ids, *third.order_ids}) == 5
    assert "pagination" not in third.json


def test_a_full_last_page_has_no_pagination_either(client: PlainClient) -> None:
    assert "pagination" not in client.search(RECENT | {"maxResultsPerPage": "5"}).json


def test_a_page_has_a_hundred_orders_unless_told_otherwise(client: PlainClient, stand_in: AmazonStandIn) -> None:
    for number in range(1, 102):
        stand_in.put(an_order(number).order)
    assert len(client.search(RECENT).order_ids) == 100


@pytest.mark.parametrize(
    "changes",
    [
        {"lastUpdatedAfter": A_DAY_AGO + timedelta(seconds=1)},
        {"lastUpdatedBefore": NOON - timedelta(hours=1)},
        {"marketplaceIds": US},
        {"fulfillmentStatuses": "UNSHIPPED"},
        {"includedData": "BUYER"},
    ],
)
def test_a_page_token_is_bound_to_the_search_that_it_came_from(client: PlainClient, changes: Query) -> None:
    query: Query = {"lastUpdatedAfter": A_DAY_AGO, "maxResultsPerPage": "2"}
    token = client.search(query).json["pagination"]["nextToken"]
    assert client.search(query | changes | {"paginationToken": token}).status == 400
    assert client.search(query | {"paginationToken": token}).status == 200


def test_only_the_size_of_pages_may_change_from_page_to_page(client: PlainClient) -> None:
    token = client.search(RECENT | {"maxResultsPerPage": "2"}).json["pagination"]["nextToken"]
    page = client.search(RECENT | {"maxResultsPerPage": "100", "paginationToken": token})
    assert len(page.order_ids) == 3


def test_a_page_token_dies_after_a_day(client: PlainClient, clock: Clock, stand_in: AmazonStandIn) -> None:
    query: Query = {"lastUpdatedAfter": A_DAY_AGO, "maxResultsPerPage": "2"}
    token = client.search(query).json["pagination"]["nextToken"]
    clock.advance(timedelta(hours=24))
    client.renew_access_token()
    reply = client.search(query | {"paginationToken": token})
    assert (reply.status, reply.error["details"]) == (400, "paginationToken has expired.")


def test_an_invented_page_token_is_rejected(client: PlainClient) -> None:
    assert client.search(RECENT | {"paginationToken": "bmljZSB0cnk="}).status == 400


def test_an_open_upper_bound_stays_the_same_on_all_pages(client: PlainClient, clock: Clock) -> None:
    query: Query = {"lastUpdatedAfter": A_DAY_AGO, "maxResultsPerPage": "4"}
    first = client.search(query).json
    clock.advance(timedelta(minutes=5))
    second = client.search(query | {"paginationToken": first["pagination"]["nextToken"]}).json
    assert second["lastUpdatedBefore"] == first["lastUpdatedBefore"]


def test_an_update_between_two_pages_makes_them_skip_an_unchanged_order(
    client: PlainClient, stand_in: AmazonStandIn
) -> None:
    query: Query = {
        "lastUpdatedAfter": A_DAY_AGO,
        "lastUpdatedBefore": NOON - timedelta(minutes=10),
        "maxResultsPerPage": "2",
    }
    first = client.search(query)
    stand_in.patch(first.order_ids[0], {}, last_updated_time=NOON)
    second = client.search(query | {"paginationToken": first.json["pagination"]["nextToken"]})
    assert len({*first.order_ids, *second.order_ids}) == 4
    assert "pagination" not in second.json


# Quotas


def test_twenty_searches_at_once_are_the_burst_then_one_every_178_seconds(client: PlainClient, clock: Clock) -> None:
    replies = [client.search(RECENT) for _ in range(21)]
    assert [reply.status for reply in replies] == [200] * 20 + [429]
    assert replies[20].error["code"] == "QuotaExceeded"
    clock.advance(timedelta(seconds=178))
    assert client.search(RECENT).status == 429
    clock.advance(timedelta(seconds=1))
    assert client.search(RECENT).status == 200


def test_single_orders_have_a_quota_of_their_own(client: PlainClient, clock: Clock, stand_in: AmazonStandIn) -> None:
    order_id = stand_in.orders()[0].order_id
    assert [client.order(order_id).status for _ in range(31)] == [200] * 30 + [429]
    assert client.search(RECENT).status == 200
    clock.advance(timedelta(seconds=2))
    assert client.order(order_id).status == 200


def test_a_rejected_call_costs_quota_too(client: PlainClient, stand_in: AmazonStandIn) -> None:
    stand_in.set_usage_plan("searchOrders", rate=0.0056, burst=1)
    assert client.search().status == 400
    assert client.search().status == 429


def test_the_rate_is_told_with_200_400_and_404_but_not_with_429(client: PlainClient, stand_in: AmazonStandIn) -> None:
    stand_in.set_usage_plan("searchOrders", rate=0.25, burst=2)
    good, bad, refused = (client.search(query) for query in ({"createdAfter": A_DAY_AGO}, {}, {}))
    unknown = client.order("111-9999999-9999999")
    assert [reply.status for reply in (good, bad, refused, unknown)] == [200, 400, 429, 404]
    rates = [reply.headers.get("x-amzn-ratelimit-limit") for reply in (good, bad, refused, unknown)]
    assert rates == ["0.25", "0.25", None, "0.5"]
    assert all(reply.headers["x-amzn-requestid"] for reply in (good, bad, refused, unknown))


# Datasets, roles and states


def test_without_included_data_only_the_bare_order_comes(client: PlainClient, stand_in: AmazonStandIn) -> None:
    order = client.order(stand_in.orders()[0].order_id).json["order"]
    assert set(order) == {"orderId", "orderAliases", "createdTime", "lastUpdatedTime", "salesChannel", "orderItems"}
    assert set(order["orderItems"][0]) == {"orderItemId", "quantityOrdered", "product"}


@pytest.mark.parametrize(
    ("dataset", "field", "item_field"),
    [
        ("BUYER", "buyer", None),
        ("RECIPIENT", "recipient", None),
        ("PROCEEDS", "proceeds", "proceeds"),
        ("FULFILLMENT", "fulfillment", "fulfillment"),
        ("TAX", "tax", None),
        ("PACKAGES", "packages", None),
        ("CANCELLATION", None, "cancellation"),
    ],
)
def test_a_dataset_brings_its_fields_and_no_others(
    client: PlainClient, stand_in: AmazonStandIn, dataset: str, field: str | None, item_field: str | None
) -> None:
    whole = an_order(6).order | {
        "tax": {"taxInvoicing": {"invoiceStatus": "PENDING"}},
        "packages": [{"packageReferenceId": "1"}],
    }
    whole["orderItems"][0]["cancellation"] = {"cancellationRequest": {"requester": "BUYER"}}
    stand_in.put(whole)
    bare = client.order(whole["orderId"]).json["order"]
    order = client.order(whole["orderId"], includedData=dataset).json["order"]
    assert set(order) - set(bare) == ({field} if field else set())
    assert set(order["orderItems"][0]) - set(bare["orderItems"][0]) == ({item_field} if item_field else set())


def test_without_the_direct_to_consumer_role_personal_data_is_left_out(
    client: PlainClient, stand_in: AmazonStandIn
) -> None:
    entry = stand_in.orders()[0]
    stand_in.set_roles(frozenset({INVENTORY_AND_ORDER_TRACKING}))
    order = shown(client, entry)
    assert "buyer" not in order
    assert order["recipient"] == {"deliveryAddress": {"city": "Madison", "stateOrRegion": "WI", "countryCode": "US"}}
    stand_in.set_roles(frozenset({DIRECT_TO_CONSUMER}))
    order = shown(client, entry)
    assert order["buyer"]["buyerEmail"].endswith("@marketplace.example.com")
    assert order["recipient"]["deliveryAddress"]["addressLine1"] == "1420 Quarry Lane"


def test_a_recipient_without_anything_to_show_is_left_out(client: PlainClient, stand_in: AmazonStandIn) -> None:
    entry = an_order(6, address={"name": "Avery Hargrove", "phone": "+1 608-555-0142"})
    stand_in.put(entry.order)
    stand_in.set_roles(frozenset({INVENTORY_AND_ORDER_TRACKING}))
    assert "recipient" not in shown(client, entry)


def test_tax_registrations_need_a_tax_role(client: PlainClient, stand_in: AmazonStandIn) -> None:
    tax = {"taxRegistrations": [{"entityType": "BUYER", "legalName": "Whitfield Ltd"}]}
    entry = an_order(6, changes={"tax": tax})
    stand_in.put(entry.order)
    assert shown(client, entry)["tax"] == tax
    stand_in.set_roles(frozenset({DIRECT_TO_CONSUMER}))
    assert "tax" not in shown(client, entry)


def test_a_gift_message_is_personal_data_inside_fulfillment(client: PlainClient, stand_in: AmazonStandIn) -> None:
    order = an_order(6).order
    order["orderItems"][0]["fulfillment"]["packing"] = {"giftOption": {"giftMessage": "Hi", "giftWrapLevel": "PAPER"}}
    stand_in.put(order)
    stand_in.set_roles(frozenset({INVENTORY_AND_ORDER_TRACKING}))
    item = client.order(order["orderId"], includedData="FULFILLMENT").json["order"]["orderItems"][0]
    assert item["fulfillment"]["packing"]["giftOption"] == {"giftWrapLevel": "PAPER"}


@pytest.mark.parametrize("status", ["UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED"])
def test_the_email_comes_with_released_orders_of_the_merchant(
    client: PlainClient, stand_in: AmazonStandIn, status: str
) -> None:
    by_merchant, by_amazon = an_order(6, status=status), an_order(7, status=status, fulfilled_by="AMAZON")
    stand_in.put(by_merchant.order)
    stand_in.put(by_amazon.order)
    assert "buyerEmail" in shown(client, by_merchant)["buyer"]
    assert "buyer" not in shown(client, by_amazon)


def test_amazons_own_orders_show_names_by_tax_role_but_not_in_the_us(
    client: PlainClient, stand_in: AmazonStandIn
) -> None:
    in_us, in_canada = (an_order(6, fulfilled_by="AMAZON"), an_order(7, fulfilled_by="AMAZON", country="CA"))
    stand_in.put(in_us.order)
    stand_in.put(in_canada.order)
    stand_in.set_roles(frozenset({DIRECT_TO_CONSUMER, TAX_INVOICING}))
    assert "name" not in shown(client, in_us)["recipient"]["deliveryAddress"]
    assert shown(client, in_canada)["buyer"] == {"buyerName": "Dana Whitfield"}
    assert "phone" not in shown(client, in_canada)["recipient"]["deliveryAddress"]


@pytest.mark.parametrize("status", ["PENDING", "PENDING_AVAILABILITY", "CANCELLED", "UNFULFILLABLE"])
def test_unreleased_and_cancelled_orders_show_neither_buyer_nor_recipient(
    client: PlainClient, stand_in: AmazonStandIn, status: str
) -> None:
    entry = an_order(6, status=status)
    stand_in.put(entry.order)
    assert not {"buyer", "recipient"} & set(shown(client, entry))


def test_a_pending_order_has_no_prices(client: PlainClient, stand_in: AmazonStandIn) -> None:
    entry = an_order(6, status="PENDING")
    stand_in.put(entry.order)
    order = shown(client, entry)
    assert "proceeds" not in order
    assert "proceeds" not in order["orderItems"][0]
    assert "price" not in order["orderItems"][0]["product"]


def test_the_phone_of_a_shipped_order_goes_after_its_latest_delivery(
    client: PlainClient, stand_in: AmazonStandIn, clock: Clock
) -> None:
    entry = an_order(6, status="SHIPPED")
    stand_in.put(entry.order)
    assert "phone" in shown(client, entry)["recipient"]["deliveryAddress"]
    clock.advance(timedelta(days=7))
    client.renew_access_token()
    assert "phone" not in shown(client, entry)["recipient"]["deliveryAddress"]


def test_answers_have_no_payload_wrapper(client: PlainClient, stand_in: AmazonStandIn) -> None:
    assert set(client.order(stand_in.orders()[0].order_id).json) == {"order"}
    assert set(client.search({"createdAfter": A_DAY_AGO}).json) == {"orders", "createdBefore"}


def test_a_route_that_amazon_does_not_offer_is_not_found(client: PlainClient) -> None:
    assert client.get("/orders/v0/orders").status == 404


# The ledger


def test_a_patched_order_keeps_its_time_unless_given_one(client: PlainClient, stand_in: AmazonStandIn) -> None:
    entry = stand_in.orders()[0]
    stand_in.patch(entry.order_id, {"buyer": {"buyerEmail": None}, "programs": ["PRIME"]})
    order = shown(client, entry)
    assert (order["programs"], order["lastUpdatedTime"]) == (["PRIME"], "2026-11-20T10:59:00Z")
    assert order["buyer"] == {"buyerName": "Dana Whitfield"}
    stand_in.patch(entry.order_id, {}, last_updated_time=NOON)
    assert shown(client, entry)["lastUpdatedTime"] == "2026-11-20T12:00:00Z"


def test_requests_are_remembered_without_tokens_and_secrets(client: PlainClient, stand_in: AmazonStandIn) -> None:
    client.search(RECENT | {"marketplaceIds": US})
    login, search = stand_in.requests()
    assert (login.operation, login.parameters) == ("login", {"grant_type": "refresh_token"})
    assert (search.method, search.path, search.status) == ("GET", "/orders/2026-01-01/orders", 200)
    assert search.parameters == {"lastUpdatedAfter": "2026-11-19T12:00:00Z", "marketplaceIds": US}
    assert "Atz" not in str(stand_in.requests())
    stand_in.forget_requests()
    assert stand_in.requests() == []

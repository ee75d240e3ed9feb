"""The stand-in's scenarios: the story that the demo tells, and generated accounts of any size."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
import urllib3

from tools.amazon_stand_in.generator import Hole, generated
from tools.amazon_stand_in.ledger import MISSING_CODES, Ledger
from tools.amazon_stand_in.marketplaces import Region, marketplaces_of
from tools.amazon_stand_in.story import STORY, Part, story

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
PARTLY = "702-0000007-1000007"


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(story(NOON))


# The story


def test_the_story_has_a_part_for_every_step_of_the_demo() -> None:
    parts = Counter(row.part for row in STORY)
    assert set(parts) == set(Part)
    assert parts[Part.HEALED] >= 2
    assert parts[Part.COMPLETE] >= 5


def test_the_story_happens_in_the_days_before_it_starts(ledger: Ledger) -> None:
    assert len(ledger) == len(STORY)
    for entry in ledger:
        assert NOON - timedelta(days=5) <= entry.created < entry.updated <= NOON - timedelta(hours=1)


def test_the_deadlines_lie_ahead_in_another_sequence_than_the_orders(ledger: Ledger) -> None:
    deadlines = [entry.order["fulfillment"]["shipByWindow"]["latestDateTime"] for entry in ledger]
    assert min(deadlines) > "2026-11-20T12:00:00Z"
    assert len(set(deadlines)) == len(deadlines)
    assert deadlines != sorted(deadlines)


def test_completing_an_order_fills_all_that_was_missing(ledger: Ledger) -> None:
    ledger.complete(PARTLY, last_updated_time=NOON - timedelta(days=2))
    entry = ledger[PARTLY]
    assert entry.missing == ()
    assert entry.order["buyer"] == {
        "buyerName": "Rocío Balderas Nava",
        "buyerEmail": "70200000071000007@marketplace.example.com",
    }
    assert entry.order["recipient"]["deliveryAddress"]["addressLine1"] == "Calle Jacaranda 208"
    assert entry.updated == NOON - timedelta(days=2)


def test_completing_some_fields_keeps_the_others_missing_and_the_time(ledger: Ledger) -> None:
    before = ledger[PARTLY].updated
    ledger.complete(PARTLY, "firstName", "lastName", "deliveryAddress")
    entry = ledger[PARTLY]
    assert entry.missing == ("email",)
    assert entry.order["buyer"] == {"buyerName": "Rocío Balderas Nava"}
    assert entry.order["recipient"]["deliveryAddress"]["name"] == "Rocío Balderas Nava"
    assert entry.updated == before
    assert entry.note == Part.PARTLY_COMPLETED


def test_first_and_last_name_are_completed_together(ledger: Ledger) -> None:
    ledger.complete("111-0000005-1000005", "lastName")
    assert ledger["111-0000005-1000005"].missing == ()


def test_completing_line_items_brings_them_back(ledger: Ledger) -> None:
    ledger.complete("111-0000010-1000010", "lineItems")
    assert [item["product"]["sellerSku"] for item in ledger["111-0000010-1000010"].order["orderItems"]] == [
        "KETTLE-STEEL-17",
        "FILTER-PAPER-100",
    ]


def test_a_held_order_can_be_cancelled_and_keeps_what_it_is_missing(ledger: Ledger) -> None:
    ledger.patch("700-0000011-1000011", {"fulfillment": {"fulfillmentStatus": "CANCELLED"}}, last_updated_time=NOON)
    entry = ledger["700-0000011-1000011"]
    assert (entry.fulfillment_status, entry.missing, entry.note) == ("CANCELLED", ("email",), Part.CANCELLED_LATER)


# Generated accounts


def test_the_same_seed_makes_the_same_orders_and_another_does_not() -> None:
    assert list(generated(50, now=NOON, seed=7)) == list(generated(50, now=NOON, seed=7))
    assert list(generated(50, now=NOON, seed=7)) != list(generated(50, now=NOON, seed=8))


def test_an_account_may_be_of_any_size_for_orders_come_one_by_one() -> None:
    first_three = list(islice(generated(10**12, now=NOON), 3))
    assert first_three == list(generated(3, now=NOON))


@pytest.mark.parametrize("region", ["NA", "EU", "FE"])
def test_every_marketplace_of_the_region_has_orders(region: Region) -> None:
    entries = list(generated(400, now=NOON, region=region))
    assert {entry.marketplace_id for entry in entries} == {
        marketplace.marketplace_id for marketplace in marketplaces_of(region)
    }
    assert len({entry.order_id for entry in entries}) == 400
    assert all(NOON - timedelta(days=15) < entry.created <= entry.updated < NOON for entry in entries)


def test_an_account_without_holes_lacks_nothing() -> None:
    assert {entry.missing for entry in generated(200, now=NOON, shares={})} == {()}


def to_be_shipped_by_the_merchant(hole: Hole, region: Region) -> Iterator[tuple[str, ...]]:
    for entry in generated(150, now=NOON, region=region, shares={hole: 1.0}):
        if entry.fulfilled_by == "MERCHANT" and entry.fulfillment_status in {"UNSHIPPED", "PARTIALLY_SHIPPED"}:
            is_gift = "packing" in entry.order["orderItems"][0]["fulfillment"] if entry.order["orderItems"] else False
            if not is_gift:
                yield entry.missing


@pytest.mark.parametrize("region", ["NA", "EU", "FE"])
@pytest.mark.parametrize(
    ("hole", "missing"),
    [
        (Hole.RECIPIENT_NAME_ABSENT, ()),
        (Hole.BRAZILIAN_LINE_1_ABSENT, ()),
        (Hole.NAMES_ABSENT, ("firstName", "lastName")),
        (Hole.NAMES_PLACEHOLDER, ("firstName", "lastName")),
        (Hole.NAME_OF_ONE_WORD, ("firstName",)),
        (Hole.EMAIL_ABSENT, ("email",)),
        (Hole.EMAIL_PLACEHOLDER, ("email",)),
        (Hole.EMAIL_MALFORMED, ("email",)),
        (Hole.ADDRESS_ABSENT, ("deliveryAddress",)),
        (Hole.STREET_ABSENT, ("deliveryAddress",)),
        (Hole.COUNTRY_ABSENT, ("deliveryAddress",)),
        (Hole.NEEDED_PART_ABSENT, ("deliveryAddress",)),
        (Hole.QUANTITIES_ZERO, ("lineItems",)),
        (Hole.PRODUCTS_UNIDENTIFIED, ("lineItems",)),
    ],
)
def test_each_kind_of_hole_makes_its_codes_missing(hole: Hole, missing: tuple[str, ...], region: Region) -> None:
    assert set(to_be_shipped_by_the_merchant(hole, region)) == {missing}


def test_no_line_items_is_a_hole_in_amazons_own_orders_too() -> None:
    entries = list(generated(150, now=NOON, shares={Hole.LINE_ITEMS_ABSENT: 1.0}))
    judged = [entry for entry in entries if entry.fulfillment_status in {"UNSHIPPED", "PARTIALLY_SHIPPED"}]
    assert {entry.missing for entry in judged} == {("lineItems",)}
    assert {entry.fulfilled_by for entry in judged} == {"MERCHANT", "AMAZON"}


def test_a_gift_without_its_recipients_name_lacks_the_names() -> None:
    entries = generated(600, now=NOON, shares={Hole.RECIPIENT_NAME_ABSENT: 1.0})
    assert {entry.missing for entry in entries} == {(), ("firstName", "lastName")}


def test_all_units_of_an_order_can_have_holes_at_once() -> None:
    shares = {Hole.NAMES_ABSENT: 1.0, Hole.EMAIL_ABSENT: 1.0, Hole.STREET_ABSENT: 1.0, Hole.LINE_ITEMS_ABSENT: 1.0}
    assert MISSING_CODES in {entry.missing for entry in generated(50, now=NOON, shares=shares)}


def test_completing_a_generated_order_makes_it_whole() -> None:
    ledger = Ledger(generated(100, now=NOON, shares={Hole.ADDRESS_ABSENT: 1.0, Hole.EMAIL_PLACEHOLDER: 1.0}))
    for entry in ledger:
        ledger.complete(entry.order_id)
        assert ledger[entry.order_id].order == json.loads(entry.whole)


# The command line


def test_the_command_says_where_it_listens_and_serves() -> None:
    command = [sys.executable, "-m", "tools.amazon_stand_in", "--port", "0", "--scenario", "generated", "--orders", "7"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own words
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            assert ready["lwaEndpoint"] == f"{ready['endpoint']}/auth/o2/token"
            assert ready["credentials"]["refreshToken"].startswith("Atzr|")
            ledger = urllib3.request("GET", f"{ready['controlEndpoint']}/orders").json()
            assert len(ledger["orders"]) == 7
        finally:
            process.terminate()

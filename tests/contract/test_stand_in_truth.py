"""The gate finds missing exactly the data that the generator left out, in orders as Amazon would show them."""

from datetime import UTC, datetime

import pytest

from needs_attention.amazon.order_json import read_order
from needs_attention.orders.completeness import find_missing
from needs_attention.orders.edits import Edits
from needs_attention.orders.settings import Settings
from tools.amazon_stand_in.generator import Hole, generated
from tools.amazon_stand_in.ledger import MISSING_CODES, Entry
from tools.amazon_stand_in.marketplaces import Region
from tools.amazon_stand_in.visibility import ALL_DATA_ROLES, DATASETS, shown

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def found_missing(entry: Entry) -> tuple[str, ...]:
    order = read_order(shown(entry, datasets=DATASETS, roles=ALL_DATA_ROLES, now=NOON))
    fields = {missing.field for missing in find_missing(order, Edits(), Settings())}
    return tuple(code for code in MISSING_CODES if code in fields)


@pytest.mark.parametrize("region", ["NA", "EU", "FE"])
def test_the_gate_finds_missing_exactly_what_the_generator_left_out(region: Region) -> None:
    entries = generated(700, now=NOON, region=region, shares=dict.fromkeys(Hole, 0.1))
    judged = [entry for entry in entries if entry.fulfillment_status in {"UNSHIPPED", "PARTIALLY_SHIPPED"}]
    wrong = {entry.order_id: (entry.note, entry.missing, found_missing(entry)) for entry in judged}
    assert {order_id: row for order_id, row in wrong.items() if row[1] != row[2]} == {}

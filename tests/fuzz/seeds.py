"""What is mutated: real messages of every kind, as the JSON texts that they are."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from tools.amazon_stand_in.generator import DEFAULT_SHARES, generated
from tools.amazon_stand_in.order_report import order_report
from tools.amazon_stand_in.story import story
from tools.builders import NOON, a_raw_order

_EVENTS: Final = Path(__file__).parents[2] / "events"
_FEW_HOLES: Final = dict.fromkeys(DEFAULT_SHARES, 0.02)


def event(name: str) -> dict[str, Any]:
    """One of `events/`."""
    found: dict[str, Any] = json.loads((_EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


_ENTRIES: Final = [
    *story(NOON - timedelta(days=3)),
    *(entry for region in ("NA", "EU", "FE") for entry in generated(8, now=NOON, region=region, shares=_FEW_HOLES)),
]
# In many scripts, some with holes; the first has every field that is read.
RAW_ORDERS: Final = (a_raw_order(), *(entry.order for entry in _ENTRIES))
ORDERS: Final = tuple(map(json.dumps, RAW_ORDERS))
REPORT: Final = order_report(_ENTRIES, "UTF-8")
NOTIFICATIONS: Final = tuple(record["body"] for record in event("receive_order_changes")["Records"])
WAKE_UPS: Final = tuple(record["body"] for record in event("download_orders_wake_up")["Records"])

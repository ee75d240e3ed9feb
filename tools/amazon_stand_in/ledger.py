"""The seller's orders as Amazon keeps them, whatever a caller may see of them."""

import copy
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

type Json = dict[str, Any]

NAME: Final = ("firstName", "lastName")
MEMORY: Final = timedelta(minutes=30)
MISSING_CODES: Final = (*NAME, "email", "deliveryAddress", "lineItems")


def amazon_time(moment: datetime) -> str:
    """The moment as Amazon writes it: UTC with `Z`, milliseconds only where there are some."""
    precision = "milliseconds" if moment.microsecond else "seconds"
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """Raises ValueError unless `text` is an ISO 8601 time with an offset."""
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError(f"{text} has no offset from UTC")
    return parsed.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """One order of the ledger, compact: 10,000 of them take about 20 MB.

    `document` is the order in Amazon's shape, with all datasets; `whole` is the same order with nothing missing;
    `missing` holds the codes that a gate with default settings has to find missing; `note` says what the order is for.
    """

    order_id: str
    created: datetime
    updated: datetime
    marketplace_id: str
    fulfillment_status: str
    fulfilled_by: str
    document: bytes
    whole: bytes
    missing: tuple[str, ...] = ()
    note: str = ""

    @classmethod
    def of(cls, order: Json, *, whole: Json | None = None, missing: Iterable[str] = (), note: str = "") -> "Entry":
        document = json.dumps(order, ensure_ascii=False).encode()
        fulfillment = order.get("fulfillment") or {}
        return cls(
            order_id=order["orderId"],
            created=moment(order["createdTime"]),
            updated=moment(order["lastUpdatedTime"]),
            marketplace_id=order["salesChannel"].get("marketplaceId", ""),
            fulfillment_status=fulfillment.get("fulfillmentStatus", ""),
            fulfilled_by=fulfillment.get("fulfilledBy", ""),
            document=document,
            whole=document if whole is None else json.dumps(whole, ensure_ascii=False).encode(),
            missing=tuple(missing),
            note=note,
        )

    @property
    def order(self) -> Json:
        return _parsed(self.document)

    def summary(self) -> Json:
        return {
            "orderId": self.order_id,
            "createdTime": amazon_time(self.created),
            "lastUpdatedTime": amazon_time(self.updated),
            "marketplaceId": self.marketplace_id,
            "fulfillmentStatus": self.fulfillment_status,
            "fulfilledBy": self.fulfilled_by,
            "missing": list(self.missing),
            "note": self.note,
        }


class Ledger:
    """The orders of one seller, by order ID. Unknown order IDs raise KeyError.

    It remembers its content at any time of the last half hour, because a late report shows it.
    """

    def __init__(self, entries: Iterable[Entry] = (), now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._entries = {entry.order_id: entry for entry in entries}
        self._now = now
        # The time of each write, and the order in its place before: none, if it was new.
        self._replaced: deque[tuple[datetime, str, Entry | None]] = deque()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries.values()))

    def __getitem__(self, order_id: str) -> Entry:
        return self._entries[order_id]

    def get(self, order_id: str) -> Entry | None:
        return self._entries.get(order_id)

    def as_of(self, at: datetime) -> list[Entry]:
        """The orders as they were at that time. Raises ValueError for a time longer ago than `MEMORY`."""
        if at < self._now() - MEMORY:
            raise ValueError(f"the ledger remembers {MEMORY} only")
        entries = dict(self._entries)
        for replaced_at, order_id, before in reversed(self._replaced):
            if replaced_at <= at:
                break
            if before is None:
                del entries[order_id]
            else:
                entries[order_id] = before
        return list(entries.values())

    def put(self, order: Json, *, whole: Json | None = None, missing: Iterable[str] = ()) -> None:
        """Adds the order, or replaces the one with its ID."""
        self._write(Entry.of(order, whole=whole, missing=missing))

    def patch(self, order_id: str, changes: Json, *, last_updated_time: datetime | None = None) -> None:
        """Changes the order by a JSON Merge Patch (RFC 7396); `lastUpdatedTime` is kept unless given."""
        entry = self._entries[order_id]
        changes = _with_time(changes, last_updated_time)
        changed = Entry.of(merged(entry.order, changes), whole=merged(_parsed(entry.whole), changes))
        self._write(replace(changed, missing=entry.missing, note=entry.note))

    def complete(self, order_id: str, *codes: str, last_updated_time: datetime | None = None) -> None:
        """Fills in missing data, as when it arrives at Amazon late.

        `codes` are of `MISSING_CODES` (the two names go together); without any, everything is filled in.
        `lastUpdatedTime` is kept unless given.
        """
        if unknown := set(codes) - set(MISSING_CODES):
            raise ValueError(f"not a code of missing data: {', '.join(sorted(unknown))}")
        entry = self._entries[order_id]
        whole = _parsed(entry.whole)
        filled = set(codes or MISSING_CODES)
        filled |= set(NAME) if filled & set(NAME) else set()
        order = _with_time(_filled(entry.order, whole, filled), last_updated_time)
        still_missing = [code for code in entry.missing if code not in filled]
        self._write(Entry.of(order, whole=whole, missing=still_missing, note=entry.note))

    def _write(self, entry: Entry) -> None:
        now = self._now()
        while self._replaced and self._replaced[0][0] < now - MEMORY:
            self._replaced.popleft()
        self._replaced.append((now, entry.order_id, self._entries.get(entry.order_id)))
        self._entries[entry.order_id] = entry


def merged(target: Json, patch: Json) -> Json:
    """`target` changed by a JSON Merge Patch (RFC 7396)."""
    result = copy.deepcopy(target)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            before = result.get(key)
            result[key] = merged(before if isinstance(before, dict) else {}, value)
        else:
            result[key] = value
    return result


def _filled(order: Json, whole: Json, codes: set[str]) -> Json:
    """`order` with the units that `codes` name taken from `whole`."""
    buyer, whole_buyer = order.get("buyer", {}), whole.get("buyer", {})
    address = order.get("recipient", {}).get("deliveryAddress", {})
    whole_address = whole.get("recipient", {}).get("deliveryAddress", {})
    if "firstName" in codes:
        buyer = _taken(buyer, whole_buyer, {"buyerName"})
        address = _taken(address, whole_address, {"name"})
    if "email" in codes:
        buyer = _taken(buyer, whole_buyer, {"buyerEmail"})
    if "deliveryAddress" in codes:
        address = _taken(address, whole_address, whole_address.keys() - {"name"})
    items = whole["orderItems"] if "lineItems" in codes else order["orderItems"]
    changes: Json = {"orderItems": items}
    if buyer:
        changes["buyer"] = buyer
    if address:
        changes["recipient"] = {"deliveryAddress": address}
    return merged(order, changes)


def _taken(part: Json, whole: Json, keys: Iterable[str]) -> Json:
    return part | {key: whole[key] for key in keys if key in whole}


def _with_time(changes: Json, last_updated_time: datetime | None) -> Json:
    return changes if last_updated_time is None else changes | {"lastUpdatedTime": amazon_time(last_updated_time)}


def _parsed(document: bytes) -> Json:
    order: Json = json.loads(document)
    return order

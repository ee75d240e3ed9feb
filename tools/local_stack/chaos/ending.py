"""The state that everything must reach once the chaos is over and there was time to settle."""

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Final

from needs_attention.amazon.order_json import read_order
from needs_attention.orders.checks import CHECKS
from needs_attention.orders.order import DIFFERS, Order
from needs_attention.orders.settings import NEEDS_ATTENTION
from needs_attention.tables.order_items import order_from_item
from tools.amazon_stand_in.ledger import Entry, moment
from tools.local_stack.chaos.crowd import PREFIX
from tools.local_stack.chaos.truth import Truth
from tools.local_stack.expectations import Unexpected, expect
from tools.local_stack.functions import Functions, stream_images, stream_record
from tools.local_stack.marks import MARK, around
from tools.local_stack.outside import just_listed
from tools.local_stack.shop import Shop
from tools.local_stack.written import Written

# Of a machine that is slow with much to do.
SECONDS_TO_SETTLE: Final = 900
LOOKS_BETWEEN_WHILES: Final = 5
SHOWN: Final = 10


class Ending:
    """Checks one after another; each raises Unexpected, and names some of the orders that are not as they must be."""

    def __init__(self, shop: Shop, truth: Truth, directory: Path) -> None:
        self._shop = shop
        self._truth = truth
        self._written = Written(shop.stack, directory)
        self._given_up_before = self.given_up()

    def settle(self) -> None:
        """Waits until live downloads have passed now, every order is as at Amazon, all are judged, and nothing runs."""
        ended = moment(just_listed())
        deadline = time.monotonic() + SECONDS_TO_SETTLE
        looks = count()
        while unsettled := list(self._unsettled(ended)):
            if time.monotonic() > deadline:
                raise Unexpected(f"not settled within {SECONDS_TO_SETTLE} s: {unsettled[:SHOWN]} of {len(unsettled)}")
            if next(looks) % LOOKS_BETWEEN_WHILES == 0:
                self._shop.let_a_while_pass()
                self._shop.let_verdicts_become_overdue(self._truth.order_ids())
            time.sleep(1)

    def _unsettled(self, ended: datetime) -> Iterator[str]:
        if self._shop.cursor() < ended:
            yield f"live downloads have come to {self._shop.cursor()} only"
        if wake_ups := self._shop.wake_ups():
            yield f"{wake_ups} wake-ups are under way, or held back"
        for download in self._shop.reader.get(f"{self._shop.path}/downloads")["downloads"]:
            if download["status"] != "finished":
                yield f"a download is {download['status']}"
        stored = self._stored()
        for entry in self._truth.ledger:
            order = stored.get(entry.order_id)
            if order is None:
                yield f"{entry.order_id} is not there"
            elif order.amazon.updated_at != entry.updated:
                yield f"{entry.order_id} is of {order.amazon.updated_at}, at Amazon of {entry.updated}"
            elif order.is_pending:
                yield f"{entry.order_id} is pending"

    def check(self) -> int:
        """Checks everything at the end; returns how many changes had to be sent again in place of the embedded AWS."""
        stored = self._stored()
        expect(stored.keys() ^ set(self._truth.order_ids()), set(), "orders that only Amazon has, or only we")
        wrong = [
            f"{one}: {why}" for one, order in stored.items() for why in self._wrong(order, self._truth.ledger[one])
        ]
        if wrong:
            raise Unexpected(f"{len(wrong)} orders are not as they must be: {wrong[:SHOWN]}")
        told_again = self._complete_the_history(stored)
        expect(self._gaps(stored), {}, "the gaps in the history")
        expect(self.given_up(), self._given_up_before, "what was given up")
        expect(self._leaks(), {}, "marked personal data outside the orders")
        return told_again

    def _wrong(self, order: Order, entry: Entry) -> Iterator[str]:
        """The differences from Amazon's last version with people's changes."""
        is_cancelled = entry.fulfillment_status == "CANCELLED"
        if not is_cancelled and order.amazon != read_order(entry.order):
            yield f"differs from Amazon's in {read_order(entry.order).changed_fields(order.amazon)}"
        if order.comment not in self._truth.comments[order.order_id]:
            yield f"the comment that was answered as stored is not there, but {order.comment}"
        if order.order_id in self._truth.handed_over and not order.is_handed_over:
            yield f"was handed over, and is {order.three_pl_status}"
        if order.is_handed_over:
            return
        if is_cancelled:
            if order.voided_at is None or order.is_fulfillable:
                yield "is cancelled at Amazon, and not void"
            return
        typed = {check.field for check in CHECKS if check.unit and order.edits.is_edited(check.unit)}
        missing = set(entry.missing) - typed
        found = {item.field for item in order.missing if item.reason != DIFFERS} - {"billingAddress"}
        if found != missing:
            yield f"lacks {sorted(missing)}, but is said to lack {sorted(found)}"
        if missing and (order.stage != NEEDS_ATTENTION or order.is_fulfillable or order.is_transferable):
            yield f"lacks {sorted(missing)}, and may leave or is in {order.stage}"

    def _complete_the_history(self, stored: dict[str, Order]) -> int:
        """Sends the function again every unpublished change that the stream still holds.

        Lambda repeats records that a function names as failed; the embedded AWS forgets them.
        """
        gaps = self._gaps(stored)
        lost = [
            image
            for image in stream_images(self._shop.stack)
            if image["orderId"]["S"] in gaps and int(image["revision"]["N"]) in gaps[image["orderId"]["S"]]
        ]
        functions = Functions(self._shop.stack)
        for number, image in enumerate(lost, start=1):
            functions.does("PublishChangesFunction", {"Records": [stream_record(image, number)]})
        return len(lost)

    def _gaps(self, stored: dict[str, Order]) -> dict[str, list[int]]:
        """The revisions that the history lacks, by order."""
        told: dict[str, set[int]] = defaultdict(set)
        for item in self._written.items("HistoryTable"):
            told[item["orderId"]["S"]].add(json.loads(item["data"]["S"])["revision"])
        gaps = {one: sorted(set(range(1, order.revision + 1)) - told[one]) for one, order in stored.items()}
        return {one: revisions for one, revisions in gaps.items() if revisions}

    def given_up(self) -> dict[str, int]:
        """How many messages wait in each queue of abandoned work.

        Not in those of wake-ups and redactions: one whose function was killed three times is given up rightly, and any
        other does as well.
        """
        queues = ("ValidateOrdersFailureQueue", "PublishChangesFailureQueue", "ScheduleDeadLetterQueue")
        return {queue: self._shop.waiting_in(queue) for queue in queues}

    def _leaks(self) -> dict[str, str]:
        return {where: around(text, MARK) for where, text in self._written.texts() if MARK in text}

    def _stored(self) -> dict[str, Order]:
        ours = (item for item in self._written.items("OrdersTable") if item["orderId"]["S"].startswith(f"{PREFIX}-"))
        return {item["orderId"]["S"]: order_from_item(item) for item in ours}

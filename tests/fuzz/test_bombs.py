"""Small inputs that unpack to large ones, or take long for their size: their cost is bounded.

Time is the processor's, so that a busy machine does not look like a slow parser. The bounds are a few times the
measured values; before the fixes, these inputs took minutes or gigabytes, or never ended.
"""

import gzip
import json
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import NamedTuple

import pytest

from needs_attention.amazon.errors import UnreadableAnswer
from needs_attention.api.operations import LARGEST_BODY, LARGEST_SHEET, parsed
from needs_attention.api.orders.requests import BulkChanges, OrderPatch
from needs_attention.api.orders.sheet import rows_of
from needs_attention.api.problems import Problem
from tests.fuzz.test_amazons_answers import DOCUMENT, DONE, TOKEN, Reply, amazon, answered, compared
from tests.fuzz.test_requests import LARGEST_ANSWER
from tools.builders import NOON

MEGABYTE = 1024 * 1024


@contextmanager
def costing_at_most(*, seconds: float, megabytes: float) -> Iterator[None]:
    tracemalloc.start()
    began = time.process_time()
    try:
        yield
        took, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert took < seconds
    assert peak < megabytes * MEGABYTE


class Bomb(NamedTuple):
    name: str
    read: Callable[[str], object]
    sent: str
    largest: int = LARGEST_BODY


def members(count: int) -> str:
    return "{" + ",".join(f'"{number}":1' for number in range(count)) + "}"


BOMBS = (
    Bomb("brackets", lambda sent: parsed(OrderPatch, sent), "[" * LARGEST_BODY),
    Bomb("objects", lambda sent: parsed(OrderPatch, sent), '{"comment":' * (LARGEST_BODY // 11)),
    Bomb("a name of dots", lambda sent: parsed(OrderPatch, sent), '{"' + "." * (LARGEST_BODY - 6) + '":1}'),
    Bomb("unknown names", lambda sent: parsed(OrderPatch, sent), members(27_000)),
    Bomb("unknown parts", lambda sent: parsed(OrderPatch, sent), f'{{"deliveryAddress":{members(27_000)}}}'),
    Bomb(
        "unknown names in lines",
        lambda sent: parsed(OrderPatch, sent),
        f'{{"lineItems":[{",".join([members(140)] * 200)}]}}',
    ),
    Bomb("orders", lambda sent: parsed(BulkChanges, sent), '{"orders":[' + ",".join(["{}"] * 80_000) + "]}"),
    Bomb("digits", lambda sent: parsed(OrderPatch, sent), '{"lineItems":[{"quantity":' + "9" * 200_000 + "}]}"),
    Bomb("columns", rows_of, "," * LARGEST_SHEET, LARGEST_SHEET),
    Bomb("columns of names", rows_of, ",".join(map(str, range(290_000))), LARGEST_SHEET),
    Bomb("rows", rows_of, "orderId,revision\n" + "1,1\n" * 520_000, LARGEST_SHEET),
    Bomb("empty rows", rows_of, "orderId,revision" + "\n" * (LARGEST_SHEET - 16), LARGEST_SHEET),
    Bomb("quotation marks", rows_of, '"' * LARGEST_SHEET, LARGEST_SHEET),
)


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.name)
def test_the_largest_body_costs_a_bounded_refusal_that_can_be_sent(bomb: Bomb) -> None:
    assert bomb.largest * 3 / 4 < len(bomb.sent) <= bomb.largest
    with costing_at_most(seconds=20, megabytes=100), pytest.raises(Problem) as refused:
        bomb.read(bomb.sent)
    assert len(json.dumps(refused.value.as_json())) < LARGEST_ANSWER / 4


HEADER = b"amazon-order-id\tlast-updated-date\torder-status\tsales-channel\n"


@pytest.mark.parametrize("line", [b"\n", b"\t\n", b"701-1111111-1111111\tsoon\tUnshipped\tAmazon\n", b"x", b"\x00"])
def test_a_report_of_gigabytes_takes_no_memory_and_ends_with_the_runs_time(line: bytes) -> None:
    packed = gzip.compress(HEADER) + gzip.compress(line * (MEGABYTE // len(line))) * 2_000
    hours = count()
    with costing_at_most(seconds=10, megabytes=20):
        look = compared(DONE, DOCUMENT, Reply(200, [], packed), now=lambda: NOON + timedelta(hours=next(hours)))
    assert look.failure or (look.report and look.report.rows <= 1_000)


NESTED = b'{"orders":[' + (b"[" * 900 + b"]" * 900 + b",") * 9_000 + b"0]}"


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(b" " * MEGABYTE) * 2_000, "gzip"),
        (gzip.compress(gzip.compress(b" " * MEGABYTE) * 2_000), "gzip, gzip"),
        (b"[" * 16 * MEGABYTE, "identity"),
        (NESTED, "identity"),
        (b'{"orders":[' + b"0," * 7 * MEGABYTE + b"0]}", "identity"),
        (b'{"orders":[],"lastUpdatedBefore":' + b"9" * 10 * MEGABYTE + b"}", "identity"),
    ],
    ids=["packed", "packed twice", "brackets", "lists in lists", "orders that are none", "digits"],
)
def test_an_answer_of_gigabytes_is_given_up_before_it_fills_the_memory(body: bytes, encoding: str) -> None:
    reply = Reply(200, [("Content-Type", "application/json"), ("Content-Encoding", encoding)], body)
    with costing_at_most(seconds=20, megabytes=300), pytest.raises(UnreadableAnswer):
        amazon(answered(TOKEN), reply).search_orders(
            marketplace_ids=["ATVPDKIKX0DER"], updated_after=NOON, updated_before=NOON
        )

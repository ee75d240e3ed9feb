"""Real messages in hostile hands: JSON with other values in some places, and damaged bytes.

Lone surrogates, numbers that no machine holds and depth without end are written as text, because that is how they come:
Python's own objects cannot hold all of them.
"""

import copy
import json
from collections.abc import Sequence
from typing import Any, Final

from hypothesis import strategies as st

# Only in values, never in names: a refusal of a value must not quote it.
MARK: Final = "Marked-7f3a"
_COMBINING: Final = "\u0300\u0316"

TEXTS: Final[tuple[str, ...]] = (
    *("", " ", "x", MARK, f"'{MARK}", f'"{MARK}\r\n', "null", "NaN", "-1", "1.5", "1e400", "१२", "9" * 5_000),
    *("\x00", "\x1b[2J", "\ud800", "\udc00\ud800", "\ufffe", "\u202e", "\u2028", "ﷺ" * 30, "e" + _COMBINING * 40),
    *("x" * 201, "x" * 5_000, "é" * 3_000, "💡" * 100, "a" + _COMBINING * 3_000, "a," * 2_000, "a.b " * 500),
    *("'=1+1", "=1+1", "''-1", "'", "+1", "@x", "[Redacted]", "Not Provided", ".", "...", "../..", "a b", "a#b", "%00"),
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "1970-01-01T00:00:00+14:00", "2999-12-31T23:59:59-12:00"),
    *("1970-01-01T00:00:00Z", "2026-11-23T12:00:00.123456Z", "2026-02-30T12:00:00Z", "2026-11-23", "20261123T12Z"),
    *(
        "CANCELLED",
        "PENDING",
        "SHIPPED",
        "PARTIALLY_SHIPPED",
        "AMAZON",
        "BUYER",
        "Needs Attention",
        "New",
        "new",
        "true",
    ),
    *("Transfer to 3PL Now", "Transferred to 3PL for Picking", "a@b.example.com", "a@localhost", "ä@xn--a.example.com"),
)
_VALUES: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 1, 2.0, 1.5, 1e308, -0.0, 10**12, 2**63, 10**400, float("nan"), float("inf")),
    *([], {}, [[]], [None] * 300, ["x"] * 101, {"": 1}, {"$numberLong": "1"}, {f"n{n}": n for n in range(300)}),
)
_NAMES: Final[tuple[str, ...]] = (
    *("", "x", "$", "[key]", "bool", "function-after", "__proto__", "a.b", "." * 300, "\x00", "é", "\ud800", "body"),
)
_PIECES: Final[tuple[bytes, ...]] = (
    *(b"\x00", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b'"', b"\\", b"\\u", b"\\ud800", b",", b"\t", b"\n"),
    *(b"\r", b"\r\n", b"[", b"{", b"}", b"]", b":", b"0", b"-", b"e9", b"'", b"1" * 5_000, b"[" * 20_000),
    *(b'{"a":' * 5_000, b"\n" * 2_000, b"," * 2_000, b"\t" * 500, b'"' * 501),
)

texts = st.one_of(st.sampled_from(TEXTS), st.text(max_size=20))
values = st.one_of(st.sampled_from(_VALUES).map(copy.deepcopy), texts, st.integers(), st.floats())
_numbers = st.integers(0, 2**16 - 1)
_bytes = st.binary(max_size=4)
_names = st.one_of(st.sampled_from(_NAMES), st.text(max_size=8))


def one_of_them[Option](draw: st.DrawFn, options: Sequence[Option]) -> Option:
    """Four times as fast as a strategy made for just these options."""
    return options[draw(_numbers) % len(options)]


@st.composite
def mutated(draw: st.DrawFn, seeds: Sequence[str]) -> Any:
    """One of the seeds, which are JSON texts, with up to five places changed."""
    tree = {"": json.loads(one_of_them(draw, seeds))}
    repeats = iter((150, 2))  # of a list, once each; more of more, or copies of them, would be gigabytes
    for _ in range(draw(_numbers) % 6):
        places = _places(tree)
        around, part = one_of_them(draw, places)
        match draw(_numbers) % 6:
            case 0 | 1:
                around[part] = draw(values)
            case 2:  # what stands elsewhere
                other, there = one_of_them(draw, places)
                copied = json.dumps(other[there])
                around[part] = json.loads(copied) if len(copied) < 10_000 else None
            case 3 if around is not tree:
                del around[part]
            case 4 if isinstance(around[part], dict):
                around[part][draw(_names)] = draw(values)
            case 5 if isinstance(around[part], list) and around[part]:
                around[part] *= next(repeats, 1)
            case _:
                around[part] = draw(texts)
    return tree[""]


def _places(tree: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Whatever can be changed in the tree: what it stands in, and where there."""
    found: list[tuple[Any, Any]] = []
    left: list[Any] = [tree]
    while left and len(found) < 2_000:
        around = left.pop()
        for part in around if isinstance(around, dict) else range(len(around)):
            found.append((around, part))
            if isinstance(around[part], dict | list):
                left.append(around[part])
    return found


@st.composite
def damaged(draw: st.DrawFn, content: st.SearchStrategy[bytes]) -> bytes:
    """The bytes as they are more often than not; else cut off, flipped, repeated, or with something strange within."""
    sent = draw(content)
    for _ in range(max(draw(_numbers) % 7 - 3, 0)):
        at = draw(_numbers) % (len(sent) + 1)
        length = draw(_numbers) % 300 + 1
        match draw(_numbers) % 5:
            case 0:
                sent = sent[:at]
            case 1:
                sent = sent[:at] + draw(_bytes) + sent[at + 1 :]
            case 2:
                sent = sent[:at] + one_of_them(draw, _PIECES) + sent[at:]
            case 3:
                sent = sent[:at] + sent[at + length :]
            case _:
                sent = sent[:at] + sent[at : at + length] * 2 + sent[at + length :]
    return sent


def as_json(tree: Any) -> bytes:
    """Lone surrogates escaped, as JSON can write them."""
    return json.dumps(tree).encode()


def as_raw_json(tree: Any) -> bytes:
    """Everything as itself: a lone surrogate makes bytes that are no UTF-8."""
    return json.dumps(tree, ensure_ascii=False).encode("utf-8", "surrogatepass")


def json_bytes(seeds: Sequence[str]) -> st.SearchStrategy[bytes]:
    """Mutated JSON as it is sent, and its bytes damaged now and then."""
    return damaged(st.builds(lambda write, tree: write(tree), st.sampled_from((as_json, as_raw_json)), mutated(seeds)))

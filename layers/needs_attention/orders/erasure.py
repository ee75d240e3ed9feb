"""Erases a buyer's personal data on request, before its time: page by page through all orders."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from needs_attention.orders.order import Order, Redaction
from needs_attention.values.model import Value
from needs_attention.values.times import UtcTime

# An erasure names this many orders; `GET /integrations/{integrationId}/redactions` names all.
MOST_NAMED = 100


class Buyer(Value):
    """A buyer to compare orders with, as a fingerprint that names nobody.

    The key is as secret as the fingerprint. Both are forgotten when the erasure is finished.
    """

    key: str
    fingerprint: str

    @classmethod
    def with_email(cls, email: str) -> "Buyer":
        key = secrets.token_hex(32)
        return cls(key=key, fingerprint=_fingerprint(email, key))

    def placed(self, order: Order) -> bool:
        """Whether the order has the buyer's email, as Amazon or a person wrote it, in upper or lower case."""
        known = (order.amazon.buyer_email, order.edits.email, order.edits.settled.get("email"))
        return any(_fingerprint(email, self.key) == self.fingerprint for email in known if email)


def _fingerprint(email: str, key: str) -> str:
    return blake2b(email.strip().casefold().encode(), key=bytes.fromhex(key)).hexdigest()


class BegunErasure(Value):
    """A request to erase a buyer, as it was begun: the integrations that it concerns, and its state in each of them.

    It is written before the first of them, so that a request that dies half way is not forgotten. It names no buyer.
    """

    integrations: tuple[str, ...]
    erasure: "Erasure"

    @classmethod
    def of(cls, erasure: "Erasure", integrations: Sequence[str]) -> "BegunErasure":
        nameless = erasure.model_copy(update={"buyer": None})
        return cls(integrations=tuple(integrations), erasure=nameless)


class PageErased(NamedTuple):
    """The result of one page: how many orders it had, the erased ones, and those left because they are unsent.

    Nobody can tell whether those that cannot be read are the buyer's.
    """

    orders: int
    erased: Sequence[str]
    unsent: Sequence[str]
    unreadable: Sequence[str] = ()


class Erasure(Value):
    """One buyer's erasure in one integration, and its progress.

    It goes through all orders by their created time; `position` is the place of the next page. `erased`, `unsent` and
    `unreadable` name the first orders of each kind. An order that is still to be sent is left as it is, unless the
    request says otherwise.
    """

    erasure_id: str
    requested_by: str
    requested_at: UtcTime
    reference: str
    even_if_unsent: bool
    buyer: Buyer | None
    position: str | None = None
    orders: int = 0
    erased: tuple[str, ...] = ()
    erased_count: int = 0
    unsent: tuple[str, ...] = ()
    unsent_count: int = 0
    unreadable: tuple[str, ...] = ()
    unreadable_count: int = 0
    finished_at: UtcTime | None = None

    @property
    def redaction(self) -> Redaction:
        return Redaction(by=self.requested_by, why="request", reference=self.reference)

    def concerns(self, order: Order) -> bool:
        """Whether the order is the buyer's, or was until this erasure redacted it."""
        if order.redacted_at:
            return order.redacted_at >= self.requested_at and order.redaction == self.redaction
        return self.buyer is not None and self.buyer.placed(order)

    def after_page(self, page: PageErased, position: str | None, now: datetime) -> "Erasure":
        """After a page of orders. After the last one it is finished, and forgets the buyer."""
        is_finished = position is None
        return self.model_copy(
            update={
                "position": position,
                "orders": self.orders + page.orders,
                "erased": (*self.erased, *page.erased)[:MOST_NAMED],
                "erased_count": self.erased_count + len(page.erased),
                "unsent": (*self.unsent, *page.unsent)[:MOST_NAMED],
                "unsent_count": self.unsent_count + len(page.unsent),
                "unreadable": (*self.unreadable, *page.unreadable)[:MOST_NAMED],
                "unreadable_count": self.unreadable_count + len(page.unreadable),
                "buyer": None if is_finished else self.buyer,
                "finished_at": now if is_finished else None,
            }
        )

"""What the warehouse took, or was dispatched from here, and whether the order says something else since then."""

import hashlib
from collections import Counter
from collections.abc import Iterable

from needs_attention.orders.amazon_order import WHERE
from needs_attention.orders.effective import Seen, SeenLine
from needs_attention.orders.equivalence import plain, plain_places, plain_sku
from needs_attention.orders.order import Order, Parcel, TakenLine
from needs_attention.orders.settings import Settings
from needs_attention.values.text import cleaned


def parcel_now(order: Order, settings: Settings) -> Parcel:
    """What leaves with the order as it is now."""
    view = Seen(order.amazon, order.edits, settings)
    lines = tuple(
        TakenLine(
            order_item_id=line.order_item_id,
            seller_sku=line.seller_sku,
            asin=line.asin,
            quantity=line.quantity_to_send,
            quantity_ordered=line.quantity or line.quantity_to_send,
        )
        for line in view.line_items
        if line.quantity_to_send
    )
    fingerprint = _fingerprint(view, lines)
    return Parcel(lines=lines, left=fingerprint, told=fingerprint)


def told_now(order: Order, taken: Parcel, settings: Settings) -> Parcel:
    """The same goods, with what the order says of them and of their destination now as told.

    A release may split names in another way than the one before, which left fewer words out. So the name as Amazon
    writes it is the same name.
    """
    view = Seen(order.amazon, order.edits, settings)
    now = _fingerprint(view, taken.lines)
    if now != taken.told and view.name_source in {"recipient", "buyer"}:
        as_amazon_writes = _fingerprint(view, taken.lines, f"{order.amazon.addressee} {view.company}")
        now = taken.told if as_amazon_writes == taken.told else now
    return taken.model_copy(update={"told": now})


def earlier_fingerprint(order: Order, settings: Settings) -> str:
    """The fingerprint of the release before, which still compares with it while both run side by side."""
    view = Seen(order.amazon, order.edits, settings)
    where = view.delivery_address.model_dump(include=WHERE) if view.delivery_address else {}
    destination = [view.first_name, view.last_name, view.company, *sorted(where.items())]
    lines = order.edits.line_items if order.edits.line_items is not None else order.amazon.line_items or ()
    goods = [
        (line.order_item_id, cleaned(line.seller_sku), line.asin, line.quantity) for line in lines if line.quantity != 0
    ]
    return hashlib.sha256(f"{destination}{goods}".encode()).hexdigest()


def _fingerprint(view: Seen, taken: Iterable[TakenLine], addressee: str | None = None) -> str:
    """A fingerprint of the destination and of what became of the goods. It reveals neither.

    The order of lines and another spelling of the same address are no change, and nor is a phone number.
    """
    addressee = addressee or f"{view.first_name} {view.last_name} {view.company}"
    destination = [plain(addressee), *sorted(plain_places(view.delivery_address).items())]
    return hashlib.sha256(f"{destination}{_news_of_goods(view.line_items, taken)}".encode()).hexdigest()


def _news_of_goods(now: Iterable[SeenLine], taken: Iterable[TakenLine]) -> list[tuple[str, int]]:
    """How the goods differ from those that were taken: what was taken and is gone, and what is there and was not taken.

    A lower number is no news: Amazon counts down what was sent.
    """
    ordered, took = Counter[str](), Counter[str]()
    for line in now:
        ordered[_goods_of(line)] += line.quantity or 0
    for one in taken:
        took[_goods_of(one)] += one.quantity_ordered
    gone = [(goods, -number) for goods, number in took.items() if not ordered[goods]]
    more = [(goods, number) for goods, number in ordered.items() if number > took[goods]]
    return sorted(gone + more)


def _goods_of(line: SeenLine | TakenLine) -> str:
    return f"{line.order_item_id} {plain_sku(line.seller_sku) or line.asin}"

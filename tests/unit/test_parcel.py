"""What left with an order, and which of Amazon's later words are news about it."""

from typing import Any

import pytest

from needs_attention.orders.order import Order, TakenLine
from needs_attention.orders.parcel import earlier_fingerprint, parcel_now, told_now
from needs_attention.orders.settings import Settings
from tools.builders import a_line, an_address, an_amazon_order, an_order, edited

SETTINGS = Settings()
# Of the lamp and the shade, as the release before stores it.
AS_BEFORE = "871bbfcf06e49d09fe3f4e34d98aa8bfd73dc459e10e7a2bc735437ff409cd8d"
LAMP = a_line(quantity=3, quantity_fulfilled=1, quantity_unfulfilled=2)
SHADE = a_line(order_item_id="90002", seller_sku="SHADE-1", asin="B0EXAMPLE2", quantity=1)


def an_order_with(**facts: Any) -> Order:
    return an_order(an_amazon_order(**{"line_items": (LAMP, SHADE), **facts}))


def is_news(**facts: Any) -> bool:
    """Whether the order tells something new of the parcel that left, once Amazon says this."""
    taken = parcel_now(an_order_with(), SETTINGS)
    return told_now(an_order_with(**facts), taken, SETTINGS).told != taken.told


def test_a_parcel_holds_the_number_that_is_left_to_send() -> None:
    parcel = parcel_now(an_order_with(), SETTINGS)

    assert parcel.lines == (
        TakenLine(order_item_id="90001", seller_sku="LAMP-1", asin="B0EXAMPLE1", quantity=2, quantity_ordered=3),
        TakenLine(order_item_id="90002", seller_sku="SHADE-1", asin="B0EXAMPLE2", quantity=1, quantity_ordered=1),
    )


@pytest.mark.parametrize(
    "gone", [{"quantity_unfulfilled": 0}, {"is_cancelled": True}, {"quantity": 0}], ids=["sent", "cancelled", "zero"]
)
def test_a_line_with_nothing_left_is_not_in_the_parcel(gone: dict[str, Any]) -> None:
    parcel = parcel_now(an_order_with(line_items=(a_line(**gone), SHADE)), SETTINGS)

    assert [line.seller_sku for line in parcel.lines] == ["SHADE-1"]


def test_the_lines_that_a_person_typed_are_in_the_parcel() -> None:
    order = an_order_with()
    typed = order.with_(edits=edited(order.amazon, line_items=(a_line(seller_sku="OWN-1", quantity=3),)))

    (line,) = parcel_now(typed, SETTINGS).lines
    assert (line.seller_sku, line.quantity, line.quantity_ordered) == ("OWN-1", 2, 3)


def test_a_parcel_reveals_nobody() -> None:
    text = parcel_now(an_order_with(), SETTINGS).model_dump_json()

    assert [word for word in ("Ada", "Quill", "Harbor", "Portland", "97209") if word.lower() in text.lower()] == []


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"line_items": (SHADE, LAMP)},
        {"recipient_name": "ADA QUILL"},
        {"delivery_address": an_address(line1="12 harbor street", postal_code="97209-1234")},
        {"delivery_address": an_address(state_or_region="Oregon")},
        {"delivery_address": an_address(phone="+1 503 555 0199", address_type="COMMERCIAL")},
        {"buyer_email": "other@example.com"},
        {"fulfillment_status": "PARTIALLY_SHIPPED", "line_items": (a_line(quantity=3, quantity_unfulfilled=0), SHADE)},
        {"line_items": (a_line(quantity=1), SHADE)},
        {"line_items": (a_line(quantity=3, title="Another title"), SHADE)},
    ],
    ids=str,
)
def test_another_spelling_and_what_was_sent_are_no_news(facts: dict[str, Any]) -> None:
    assert not is_news(**facts)


@pytest.mark.parametrize(
    "facts",
    [
        {"recipient_name": "Bo Quill"},
        {"delivery_address": an_address(line1="5 Mill Road")},
        {"delivery_address": an_address(company_name="Quill Works")},
        {"line_items": (LAMP,)},
        {"line_items": (LAMP, SHADE.model_copy(update={"is_cancelled": True}))},
        {"line_items": (a_line(quantity=4), SHADE)},
        {"line_items": (LAMP, SHADE, a_line(order_item_id="90003", seller_sku="NEW-1"))},
        {"line_items": (LAMP, SHADE.model_copy(update={"seller_sku": "SHADE-2"}))},
        {"line_items": ()},
    ],
    ids=str,
)
def test_another_destination_and_other_goods_are_news(facts: dict[str, Any]) -> None:
    assert is_news(**facts)


def test_the_same_news_is_told_once() -> None:
    taken = parcel_now(an_order_with(), SETTINGS)
    moved = an_order_with(delivery_address=an_address(line1="5 Mill Road"))
    told = told_now(moved, taken, SETTINGS)

    assert told.lines == taken.lines
    assert told_now(moved, told, SETTINGS) == told


def test_the_fingerprint_of_the_release_before_sees_the_order_of_lines() -> None:
    """That release alarms people about it; its fingerprint has to stay as it was, for it reads it."""
    order, swapped = an_order_with(), an_order_with(line_items=(SHADE, LAMP))

    assert earlier_fingerprint(order, SETTINGS) == earlier_fingerprint(order, SETTINGS)
    assert earlier_fingerprint(order, SETTINGS) != earlier_fingerprint(swapped, SETTINGS)
    assert earlier_fingerprint(order, SETTINGS) == AS_BEFORE


@pytest.mark.parametrize(("quantity", "is_told"), [(0, False), (1, True)])
def test_the_release_before_is_told_of_lines_with_something_to_send(quantity: int, is_told: bool) -> None:
    order = an_order_with(line_items=(LAMP, SHADE.model_copy(update={"quantity": quantity})))
    without = an_order_with(line_items=(LAMP,))

    assert (earlier_fingerprint(order, SETTINGS) != earlier_fingerprint(without, SETTINGS)) is is_told


@pytest.mark.parametrize(
    ("stored", "read"), [("ABC DEF", "ABC  DEF"), ("\u00e9t\u00e9-1", "e\u0301te\u0301-1"), (None, "N/A")]
)
def test_a_sku_as_an_earlier_release_stored_it_is_no_news(stored: str | None, read: str) -> None:
    before = an_order_with(line_items=(a_line(seller_sku=stored), SHADE))
    now = an_order_with(line_items=(a_line(seller_sku=read), SHADE))

    assert told_now(now, parcel_now(before, SETTINGS), SETTINGS) == parcel_now(before, SETTINGS)
    assert earlier_fingerprint(now, SETTINGS) == earlier_fingerprint(before, SETTINGS)


@pytest.mark.parametrize(("first", "last"), [("Fru Anna", "Hansen"), ("", "Fru Anna Hansen"), ("Anna", "Hansen")])
def test_a_name_that_an_earlier_release_split_in_another_way_is_no_news(first: str, last: str) -> None:
    order = an_order_with(recipient_name="Fru Anna Hansen")
    split_before = order.with_(edits=edited(order.amazon, name={"first_name": first, "last_name": last}))
    taken = parcel_now(order, SETTINGS).model_copy(update={"told": parcel_now(split_before, SETTINGS).told})
    other = an_order_with(recipient_name="Fru Anna Larsen")

    assert told_now(order, taken, SETTINGS) == taken
    assert told_now(other, taken, SETTINGS) != taken


def test_a_buyers_name_that_an_earlier_release_split_in_another_way_is_no_news() -> None:
    order = an_order_with(recipient_name=None, buyer_name="Fru Anna Hansen")
    split_before = order.with_(edits=edited(order.amazon, name={"first_name": "Fru Anna", "last_name": "Hansen"}))
    taken = parcel_now(order, SETTINGS).model_copy(update={"told": parcel_now(split_before, SETTINGS).told})

    assert told_now(order, taken, SETTINGS) == taken

"""Erasures on request: the orders that they concern, and the memory of a buyer that they keep."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from needs_attention.api.retention import EraseBuyer
from needs_attention.orders.erasure import MOST_NAMED, BegunErasure, Buyer, Erasure, PageErased
from needs_attention.orders.gate import redact
from needs_attention.orders.order import Redaction
from needs_attention.orders.settings import Settings
from tools.builders import LATER, NOON, a_judged_order, an_amazon_order, edited

EMAIL = "ada@marketplace.example.com"
OTHER = "bea@marketplace.example.com"
SECOND = timedelta(seconds=1)


def an_erasure(**fields: Any) -> Erasure:
    request = EraseBuyer(reference="GR-2041", buyer_email=EMAIL, **fields)
    return request.erasure(by="admin@example.com", now=NOON, suffix="monday")


@pytest.mark.parametrize("reference", ["GR-2041", "#2041", "INC0012345", "2026/118", "111-0000008-1000008"])
def test_a_reference_is_a_number_of_whoever_was_asked(reference: str) -> None:
    assert EraseBuyer(reference=reference, buyer_email=EMAIL).reference == reference


@pytest.mark.parametrize("reference", ["", "Ada", "Ada Quill 7", EMAIL, "Ada-Quill-7", "7" * 60])
def test_a_reference_is_neither_a_name_nor_an_email(reference: str) -> None:
    with pytest.raises(ValidationError, match="such as GR-2041"):
        EraseBuyer(reference=reference, buyer_email=EMAIL)


def test_what_is_kept_of_a_request_to_erase_cannot_be_compared_with_buyers() -> None:
    begun = BegunErasure.of(an_erasure(), ["acme-na"])
    assert begun.integrations == ("acme-na",)
    assert begun.erasure == an_erasure().model_copy(update={"buyer": None})


def test_an_erasure_does_not_say_whose_it_is() -> None:
    assert "marketplace" not in an_erasure().model_dump_json().casefold()


def test_the_same_email_is_another_fingerprint_every_time() -> None:
    first, second = Buyer.with_email(EMAIL), Buyer.with_email(EMAIL)

    assert first.fingerprint != second.fingerprint


@pytest.mark.parametrize("email", [EMAIL, "ADA@Marketplace.example.com", f"  {EMAIL}"])
def test_a_buyer_is_known_by_amazons_address_in_any_case(email: str) -> None:
    order = a_judged_order(an_amazon_order(buyer_email=email))

    assert Buyer.with_email(EMAIL.upper()).placed(order)


def test_a_buyer_is_known_by_amazons_email_and_by_the_typed_one() -> None:
    typed = a_judged_order(an_amazon_order(buyer_email=None), edits=edited(an_amazon_order(), email=EMAIL))
    over = an_amazon_order(buyer_email=EMAIL)
    typed_over = a_judged_order(an_amazon_order(buyer_email=None), edits=edited(over, email=OTHER))

    assert Buyer.with_email(EMAIL).placed(typed)
    assert Buyer.with_email(EMAIL).placed(typed_over)


@pytest.mark.parametrize("email", [OTHER, None])
def test_another_buyer_and_one_without_an_address_is_not_the_buyer(email: str | None) -> None:
    assert not Buyer.with_email(EMAIL).placed(a_judged_order(an_amazon_order(buyer_email=email)))


def test_an_erasure_concerns_the_buyers_orders_only() -> None:
    assert an_erasure().concerns(a_judged_order())
    assert not an_erasure().concerns(a_judged_order(an_amazon_order(buyer_email=OTHER)))


def test_an_erasure_knows_again_what_it_has_erased() -> None:
    erasure = an_erasure()
    others = Redaction(by="admin@example.com", why="request", reference="GR-2042")

    assert erasure.concerns(redact(a_judged_order(), Settings(), LATER, erasure.redaction))
    assert not erasure.concerns(redact(a_judged_order(), Settings(), LATER, others))
    assert not erasure.concerns(redact(a_judged_order(), Settings(), LATER))
    assert not erasure.concerns(redact(a_judged_order(), Settings(), NOON - SECOND, erasure.redaction))


def test_an_erasure_counts_pages_and_forgets_the_buyer_at_the_last() -> None:
    first = an_erasure().after_page(PageErased(100, ["701-1"], ["701-2"]), "somewhere", LATER)
    last = first.after_page(PageErased(20, ["701-3"], []), None, LATER)

    assert (first.position, first.finished_at, first.buyer is None) == ("somewhere", None, False)
    assert (last.orders, last.erased, last.unsent) == (120, ("701-1", "701-3"), ("701-2",))
    assert (last.erased_count, last.unsent_count) == (2, 1)
    assert (last.position, last.finished_at, last.buyer) == (None, LATER, None)


def test_an_erasure_that_is_through_concerns_nothing_but_what_it_erased() -> None:
    assert not an_erasure().after_page(PageErased(0, [], []), None, LATER).concerns(a_judged_order())


def test_an_erasure_names_the_first_of_many_orders() -> None:
    ids = [f"701-{number}" for number in range(MOST_NAMED + 1)]
    erasure = an_erasure().after_page(PageErased(200, ids, ids), None, LATER)

    assert (erasure.erased, erasure.unsent) == (tuple(ids[:MOST_NAMED]), tuple(ids[:MOST_NAMED]))
    assert (erasure.erased_count, erasure.unsent_count) == (MOST_NAMED + 1, MOST_NAMED + 1)

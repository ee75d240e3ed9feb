"""Every reason for a hold has words of its own, and a next step."""

from typing import get_args

import pytest

from needs_attention.integrations.expiry import Ending
from needs_attention.integrations.incidents import IncidentCode
from needs_attention.integrations.wording import HOW_TO_RENEW, WHAT_TO_DO
from needs_attention.orders.amazon_order import AmazonOrder
from needs_attention.orders.checks import Finding
from needs_attention.orders.completeness import find_differences, find_missing
from needs_attention.orders.edits import Edits
from needs_attention.orders.order import DIFFERS, Missing
from needs_attention.orders.settings import Settings
from needs_attention.orders.wording import REASONS, message_for, next_step_for, seller_central_url
from needs_attention.values.times import instant
from tools.builders import NOON, a_line, an_address, an_amazon_order, an_order, edited

NOBODY = {"recipient_name": None, "buyer_name": None}


@pytest.mark.parametrize(
    ("amazon", "edits", "settings", "messages"),
    [
        (an_amazon_order(**NOBODY), Edits(), {}, ["Amazon sent no first name.", "Amazon sent no last name."]),
        (
            an_amazon_order(recipient_name="Ada", buyer_name="Ada"),
            Edits(),
            {},
            ["The name is a single word, so there is no first name."],
        ),
        (an_amazon_order(buyer_email=None), Edits(), {}, ["Amazon sent no email address."]),
        (an_amazon_order(buyer_email="ada"), Edits(), {}, ["The email address is not valid."]),
        (
            an_amazon_order(delivery_address=an_address(city=None, state_or_region=None), tax_address=an_address()),
            Edits(),
            {},
            ["The delivery address has no city and no state."],
        ),
        (
            an_amazon_order(buyer_name="Bo Moss"),
            Edits(),
            {"billing_address": "copyIfSameName"},
            ["Amazon sent no billing address, and the delivery address belongs to another person."],
        ),
        (an_amazon_order(), Edits(), {"billing_address": "require"}, ["Amazon sent no billing address."]),
        (an_amazon_order(line_items=()), Edits(), {}, ["Amazon sent no line items."]),
        (
            an_amazon_order(line_items=(a_line(seller_sku=None, asin=None),)),
            Edits(),
            {},
            ["A line item has neither SKU nor ASIN, or no quantity."],
        ),
        (
            an_amazon_order(cancel_requested_by_buyer=True),
            Edits(),
            {},
            ["The buyer asked Amazon to cancel the order."],
        ),
    ],
)
def test_a_missing_field_is_told_in_plain_words(
    amazon: AmazonOrder, edits: Edits, settings: dict[str, str], messages: list[str]
) -> None:
    missing = find_missing(amazon, edits, Settings.model_validate(settings))
    assert [message_for(item) for item in missing] == messages


def test_a_field_that_differs_from_amazons_is_told_in_plain_words() -> None:
    (differing,) = find_differences(["email"], edited(an_amazon_order(), email="typed@b.example.com"))

    assert message_for(differing) == "Amazon says another email address than was typed here."


def test_a_doubt_about_the_status_and_a_return_have_words_of_their_own() -> None:
    messages = [message_for(Missing(field="fulfillmentUnknown", reason=why)) for why in ("unknownStatus", "cameBack")]

    assert messages == [
        "Amazon does not say whether the order was shipped already, or who fulfils it.",
        "Amazon called the order shipped or its own, and now calls it neither.",
    ]


def test_every_reason_has_words() -> None:
    assert set(REASONS) == {*get_args(Finding), DIFFERS}


def test_a_reason_without_words_is_still_told() -> None:
    assert message_for(Missing(field="phone", reason="tooShort")) == "The phone is not in order."


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        (Missing(field="email", reason="blank"), "confirm `email`"),
        (Missing(field="deliveryAddress", reason="blank"), "type it in here"),
        (Missing(field="email", reason=DIFFERS), "keep the typed one with `keepTyped`, or send null to take Amazon's"),
        (Missing(field="fulfillmentUnknown", reason="unknownStatus"), "confirm `fulfillmentUnknown`"),
        (Missing(field="fulfillmentUnknown", reason="cameBack"), "confirm `fulfillmentUnknown`"),
        (Missing(field="buyerRequestedCancel", reason="asked"), "Cancel the order in Seller Central"),
    ],
)
def test_each_missing_field_has_a_next_step(missing: Missing, says: str) -> None:
    assert says in next_step_for(missing, an_order())


def test_the_next_step_names_the_time_of_the_next_redownload() -> None:
    waiting = an_order(redownload_at=NOON)
    assert f"asked again at {instant(NOON)}" in next_step_for(Missing(field="email", reason="blank"), waiting)
    assert "asked again" not in next_step_for(Missing(field="email", reason="blank"), an_order())


def test_an_address_cannot_be_confirmed_away() -> None:
    assert "confirm" not in next_step_for(Missing(field="deliveryAddress", reason="blank"), an_order())


def test_the_order_opens_in_the_seller_central_of_its_marketplace() -> None:
    order = an_order(an_amazon_order(marketplace_id="A1PA6795UKMFR9"))
    assert seller_central_url(order) == f"https://sellercentral-europe.amazon.com/orders-v3/order/{order.order_id}"


def test_an_order_of_an_unknown_marketplace_opens_nowhere() -> None:
    assert seller_central_url(an_order(an_amazon_order(marketplace_id="NEW"))) is None
    assert seller_central_url(an_order(an_amazon_order(marketplace_id=None))) is None


def test_every_incident_and_every_end_of_credentials_says_what_to_do() -> None:
    assert set(WHAT_TO_DO) == set(get_args(IncidentCode))
    assert set(HOW_TO_RENEW) == set(get_args(Ending))

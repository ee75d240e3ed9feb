"""Every reason for a hold has words of its own, and a next step."""

from typing import Any, get_args

import pytest

from needs_attention.integrations.expiry import Ending
from needs_attention.integrations.incidents import Incident, IncidentCode
from needs_attention.integrations.wording import (
    FULFILLMENT_VANISHED,
    HOW_TO_RENEW,
    WHAT_TO_DO,
    next_step_at_fault,
    what_to_do,
)
from needs_attention.orders.amazon_order import AmazonOrder
from needs_attention.orders.checks import Finding
from needs_attention.orders.completeness import find_differences, find_missing
from needs_attention.orders.edits import Edits, Unit
from needs_attention.orders.order import DIFFERS, Missing
from needs_attention.orders.settings import Settings
from needs_attention.orders.wording import REASONS, message_for, next_step_for, seller_central_url
from needs_attention.values.times import instant
from tools.builders import NOON, a_line, an_address, an_amazon_order, an_order, edited

NOBODY = {"recipient_name": None, "buyer_name": None}


@pytest.mark.parametrize(
    ("amazon", "edits", "settings", "messages"),
    [
        (an_amazon_order(**NOBODY), Edits(), {}, ["The order has no first name.", "The order has no last name."]),
        (
            an_amazon_order(recipient_name="Ada", buyer_name="Ada"),
            Edits(),
            {},
            ["The name is a single word, so there is no first name."],
        ),
        (an_amazon_order(buyer_email=None), Edits(), {}, ["The order has no email address."]),
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
        (an_amazon_order(), Edits(), {"billing_address": "require"}, ["The order has no billing address."]),
        (an_amazon_order(line_items=()), Edits(), {}, ["The order has no line items."]),
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
        (Missing(field="fulfillmentUnknown", reason="unknownStatus"), "confirm `fulfillmentUnknown`"),
        (Missing(field="fulfillmentUnknown", reason="cameBack"), "confirm `fulfillmentUnknown`"),
        (Missing(field="buyerRequestedCancel", reason="asked"), "Cancel the order in Seller Central"),
    ],
)
def test_each_missing_field_has_a_next_step(missing: Missing, says: str) -> None:
    assert says in next_step_for(missing, an_order(), None)


NAMED = {"first_name": "Nia", "last_name": ""}


@pytest.mark.parametrize(
    ("field", "typed", "unit", "fields"),
    [
        ("email", {"email": "typed@b.example.com"}, "email", "`email`"),
        ("lastName", {"name": NAMED}, "name", "`firstName` and `lastName`"),
        ("lastName", {"name": {"company": "Moss Ltd"}}, "name", "`company`"),
        ("deliveryAddress", {"delivery_address": {"city": "Salem"}}, "deliveryAddress", "`deliveryAddress`"),
        ("lineItems", {"line_items": (a_line(quantity=9),)}, "lineItems", "`lineItems`"),
    ],
)
def test_the_next_step_of_a_difference_names_both_ways_to_settle_it(
    field: str, typed: dict[str, Any], unit: str, fields: str
) -> None:
    order = an_order(edits=edited(an_amazon_order(), **typed))
    assert next_step_for(Missing(field=field, reason=DIFFERS), order, None) == (
        f"Compare both: type the right one, keep the typed one with `keepTyped` (`{unit}`), or send null for {fields} "
        "to take Amazon's."
    )


def test_a_difference_is_compared_also_where_the_typing_hides_a_gap() -> None:
    order = an_order(edits=edited(an_amazon_order(), delivery_address={"city": "Salem", "postal_code": ""}))
    step = next_step_for(Missing(field="deliveryAddress", reason=DIFFERS), order, "delivery_address")
    assert step.startswith("Compare both")


@pytest.mark.parametrize(
    ("field", "hidden_by", "says"),
    [
        ("deliveryAddress", "delivery_address", "all of the delivery address by now: send null for `deliveryAddress`"),
        ("billingAddress", "delivery_address", "all of the delivery address by now: send null for `deliveryAddress`"),
        ("lastName", "name", "all of the name by now: send null for `firstName` and `lastName`"),
    ],
)
def test_the_next_step_says_that_amazon_has_all_of_it_by_now(field: str, hidden_by: Unit, says: str) -> None:
    edits = edited(an_amazon_order(), name=NAMED, delivery_address={"city": ""})
    order = an_order(edits=edits, redownload_at=NOON)
    step = next_step_for(Missing(field=field, reason="blank"), order, hidden_by)
    assert step == f"Amazon has {says} to take Amazon's. Or type in here what is missing."


def test_the_next_step_names_the_time_of_the_next_redownload() -> None:
    waiting = an_order(redownload_at=NOON)
    assert f"asked again at {instant(NOON)}" in next_step_for(Missing(field="email", reason="blank"), waiting, None)
    assert "asked again" not in next_step_for(Missing(field="email", reason="blank"), an_order(), None)


def test_an_address_cannot_be_confirmed_away() -> None:
    assert "confirm" not in next_step_for(Missing(field="deliveryAddress", reason="blank"), an_order(), None)


def test_the_order_opens_in_the_seller_central_of_its_marketplace() -> None:
    order = an_order(an_amazon_order(marketplace_id="A1PA6795UKMFR9"))
    assert seller_central_url(order) == f"https://sellercentral-europe.amazon.com/orders-v3/order/{order.order_id}"


def test_an_order_of_an_unknown_marketplace_opens_nowhere() -> None:
    assert seller_central_url(an_order(an_amazon_order(marketplace_id="NEW"))) is None
    assert seller_central_url(an_order(an_amazon_order(marketplace_id=None))) is None


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        (("email",), [WHAT_TO_DO["fieldsVanished"]]),
        (("fulfillmentUnknown",), [FULFILLMENT_VANISHED]),
        (("email", "fulfillmentUnknown"), [FULFILLMENT_VANISHED, WHAT_TO_DO["fieldsVanished"]]),
    ],
)
def test_roles_are_named_only_for_fields_that_come_with_a_role(fields: tuple[str, ...], says: list[str]) -> None:
    incident = Incident(code="fieldsVanished", since=NOON, evidence="all", fields={"US": fields})
    assert what_to_do(incident) == " ".join(says)


def test_other_incidents_have_one_thing_to_do() -> None:
    assert what_to_do(Incident(code="accessDenied", since=NOON, evidence="403")) == WHAT_TO_DO["accessDenied"]


def test_a_field_that_a_connection_leaves_out_has_a_next_step() -> None:
    assert "or type it in here" in next_step_at_fault("email")
    assert "confirm `fulfillmentUnknown`" in next_step_at_fault("fulfillmentUnknown")


def test_every_incident_and_every_end_of_credentials_says_what_to_do() -> None:
    assert set(WHAT_TO_DO) == set(get_args(IncidentCode))
    assert set(HOW_TO_RENEW) == set(get_args(Ending))

"""Changing orders: edits, the gate, races, the warehouse's acknowledgement, and several orders at once."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from needs_attention.api.problems import UnexpectedError
from needs_attention.integrations.integration_settings import IntegrationSettings
from needs_attention.orders import gate
from needs_attention.orders.amazon_order import Address, LineItem
from needs_attention.orders.amazon_update import downloaded
from needs_attention.orders.edits import Unit
from needs_attention.orders.order import Order
from needs_attention.orders.settings import NEEDS_ATTENTION, Checks, Settings, ThreePlStatus
from needs_attention.orders.verdict import judged
from tools.builders import (
    CREATED,
    NOON,
    SHIP_BY,
    an_address,
    an_amazon_order,
    an_order,
    decided,
    downloaded_again,
)
from tools.in_memory.api import Answer, World, app

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
FIRST, SECOND, THIRD = "701-0000001-0000001", "701-0000002-0000002", "701-0000003-0000003"


def patch(world: World, body: object, role: str = "editor", order_id: str = FIRST, **headers: Any) -> Answer:
    return world.call("PATCH", f"/orders/{order_id}", body, role=role, **headers)


def release(world: World, body: object = None, role: str = "editor", order_id: str = FIRST) -> Answer:
    return world.call("POST", f"/orders/{order_id}/release", body, role=role)


def acknowledge(world: World, role: str = "warehouse", order_id: str = FIRST, **headers: Any) -> Answer:
    return world.call("POST", f"/orders/{order_id}/acknowledge", role=role, **headers)


def a_transferable(world: World, order_id: str = FIRST, **fields: Any) -> Order:
    chosen = decided(three_pl_status=ThreePlStatus.NOW)
    order = an_order(an_amazon_order(order_id=order_id, **fields), decisions=chosen)
    return world.store(judged(order, Settings(), NOON))


def amazon_says(world: World, order_id: str = FIRST, *, is_judged: bool = True, **fields: Any) -> Order:
    """Amazon's next version of the order comes in, with its verdict."""
    order = world.order(order_id)
    sent = order.amazon.model_copy(update={"updated_at": order.amazon.updated_at + MINUTE, **fields})
    found = world.integrations.get(order.integration)
    settings = found.settings.of(order.amazon.marketplace_id) if found else Settings()
    again = downloaded(order, sent, order.integration, settings, world.clock.now)
    assert again is not None
    stored = world.orders.save(order, again, by="amazon", at=world.clock.now, cause="download")
    if not is_judged:
        return stored
    verdict = judged(stored, settings, world.clock.now)
    return world.orders.save(stored, verdict, by="validation", at=world.clock.now, cause="verdict")


def somebody_edits(world: World, order_id: str = FIRST) -> None:
    """Another person is faster."""
    order = world.order(order_id)
    email = f"somebody{order.revision}@b.example.com"
    edited = gate.edit(order, {"email": email}, None, Settings(), NOON)
    world.orders.save(order, edited, by="somebody", at=NOON, cause="edit")


# Edits ----------------------------------------------------------------------------------------------------------------


def test_an_order_waits_to_be_released_once_missing_data_is_typed_in(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    answer = patch(world, {"email": "typed@b.example.com"})
    assert answer.status == 200, answer.body
    assert answer.body["email"] == "typed@b.example.com"
    assert answer.body["missing"] == []
    assert answer.body["stage"] == "Needs Attention"
    assert answer.body["readyToRelease"] is True
    assert answer.headers["ETag"] == '"2"'
    assert world.order(FIRST).edits.email == "typed@b.example.com"


def test_the_whole_story_of_a_repair_by_hand(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None, recipient_name=None, buyer_name=None)
    assert patch(world, {"email": "typed@b.example.com", "firstName": "Nia", "lastName": "Moss"}).status == 200
    answer = patch(world, {"stage": "New", "fullyDispatched": True, "threePlStatus": "Transfer to 3PL Upon Completion"})
    assert answer.status == 200, answer.body
    assert (answer.body["stage"], answer.body["status"], answer.body["hold"]) == ("New", "Dispatched", None)
    assert answer.body["fulfillable"] is True
    taken = acknowledge(world)
    assert taken.status == 200
    assert taken.body["threePlStatus"] == "Transferred to 3PL for Picking"


def test_everything_can_be_done_in_one_call(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    answer = patch(world, {"email": "typed@b.example.com", "stage": "New", "threePlStatus": "Transfer to 3PL Now"})
    assert answer.status == 200
    assert (answer.body["stage"], answer.body["fulfillable"]) == ("New", True)


def test_a_part_of_an_address_is_an_edit_of_that_part_alone(world: World) -> None:
    world.download(order_id=FIRST, delivery_address=an_address(line1=None))
    answer = patch(world, {"deliveryAddress": {"addressLine1": " 7  Elm Road ", "stateOrRegion": ""}})
    assert answer.body["deliveryAddress"] == {
        "addressLine1": "7 Elm Road",
        "city": "Portland",
        "postalCode": "97209",
        "countryCode": "US",
    }
    assert answer.body["sources"]["deliveryAddress"] == "edited"
    assert [item["parts"] for item in answer.body["missingDetails"] if item["field"] == "deliveryAddress"] == [
        ["stateOrRegion"]
    ]


def test_null_for_a_part_of_an_address_takes_that_part_from_amazon(world: World) -> None:
    world.download(order_id=FIRST)
    patch(world, {"deliveryAddress": {"city": "Salem", "addressLine2": "Apt 3"}})
    answer = patch(world, {"deliveryAddress": {"city": None}})
    assert (answer.body["deliveryAddress"]["city"], answer.body["deliveryAddress"]["addressLine2"]) == (
        "Portland",
        "Apt 3",
    )
    assert patch(world, {"deliveryAddress": {"addressLine2": None}}).body["sources"]["deliveryAddress"] == "amazon"


def test_a_part_that_nobody_typed_follows_amazon(world: World) -> None:
    world.download(order_id=FIRST)
    patch(world, {"deliveryAddress": {"phone": "+1 503 555 0100"}})
    amazon_says(world, delivery_address=an_address(line1="1 Quay", phone="+1 503 555 0199"))
    shown = world.call("GET", f"/orders/{FIRST}").body
    assert (shown["deliveryAddress"]["addressLine1"], shown["deliveryAddress"]["phone"]) == (
        "1 Quay",
        "+1 503 555 0100",
    )
    assert (shown["stage"], shown["alerts"]) == ("New", [])


@pytest.mark.parametrize("blank", ["", " ", "."])
def test_a_blank_part_of_an_address_is_not_there(world: World, blank: str | None) -> None:
    world.download(order_id=FIRST, delivery_address=an_address(line2="Apt 3"))
    answer = patch(world, {"deliveryAddress": {"addressLine2": blank}})
    assert "addressLine2" not in answer.body["deliveryAddress"]


def test_an_address_can_be_typed_where_amazon_sent_none(world: World) -> None:
    world.download(order_id=FIRST, delivery_address=None)
    address = {"addressLine1": "7 Elm Road", "city": "Hong Kong", "countryCode": "HK"}
    answer = patch(world, {"deliveryAddress": address})
    assert answer.body["deliveryAddress"] == address
    assert answer.body["missing"] == []


def test_the_billing_address_is_an_edit_of_its_own(world: World) -> None:
    world.download(order_id=FIRST)
    answer = patch(world, {"billingAddress": {"addressLine1": "7 Elm Road"}})
    assert answer.body["billingAddress"]["addressLine1"] == "7 Elm Road"
    assert answer.body["deliveryAddress"]["addressLine1"] == "12 Harbor Street"
    assert answer.body["sources"]["billingAddress"] == "edited"


def warned_of(answer: dict[str, Any]) -> dict[str, str]:
    """The code of each field's warning."""
    return {warning["field"]: warning["code"] for warning in answer["warnings"]}


@pytest.mark.parametrize("address", ["deliveryAddress", "billingAddress"])
def test_a_typed_phone_that_cannot_be_one_is_taken_with_a_warning(world: World, address: str) -> None:
    world.download(order_id=FIRST)
    answer = patch(world, {address: {"phone": "555-0100"}})
    assert (answer.status, answer.body[address]["phone"]) == (200, "555-0100")
    (warning,) = answer.body["warnings"]
    assert (warning["field"], warning["code"]) == (f"{address}.phone", "unlikelyPhone")
    assert "does not look like a phone number of US" in warning["message"]
    assert answer.body["missing"] == []


@pytest.mark.parametrize("phone", ["+1 503 555 0100", "(503) 555-0100 ext. 12345", "+44 20 7946 0018", "", None])
def test_a_typed_phone_that_may_be_one_is_not_warned_of(world: World, phone: str | None) -> None:
    world.download(order_id=FIRST, delivery_address=an_address(phone="1"))
    assert patch(world, {"deliveryAddress": {"phone": phone}}).body["warnings"] == []


def test_a_phone_is_checked_against_the_country_in_the_same_patch(world: World) -> None:
    world.download(order_id=FIRST)
    in_london = {"phone": "020 7946 0018", "countryCode": "UK", "postalCode": "SW1A 1AA"}
    assert warned_of(patch(world, {"deliveryAddress": {"phone": "020 7946 0018"}}).body) != {}
    assert warned_of(patch(world, {"deliveryAddress": in_london}).body) == {}
    assert warned_of(patch(world, {"deliveryAddress": {"phone": "503 555 0100"}}).body) != {}


def test_a_phone_that_the_patch_does_not_type_is_not_looked_at(world: World) -> None:
    world.download(order_id=FIRST, delivery_address=an_address(phone="1"))
    assert warned_of(patch(world, {"deliveryAddress": {"city": "Salem"}, "firstName": "Nia"}).body) == {}
    assert warned_of(patch(world, {"deliveryAddress": None}).body) == {}
    assert warned_of(patch(world, {}).body) == {}


def test_a_phone_that_is_typed_again_is_warned_of_again_and_not_written(world: World) -> None:
    world.download(order_id=FIRST)
    patch(world, {"deliveryAddress": {"phone": "1"}})
    answer = patch(world, {"deliveryAddress": {"phone": "1"}})
    assert (warned_of(answer.body), answer.body["revision"]) == ({"deliveryAddress.phone": "unlikelyPhone"}, 2)


@pytest.mark.parametrize("address", ["deliveryAddress", "billingAddress"])
@pytest.mark.parametrize(
    ("part", "text", "said"),
    [
        ("addressLine1", "TBD", ("filler", "looks like a filler")),
        ("addressLine1", "see above", ("filler", "looks like a filler")),
        ("addressLine2", "siehe oben", ("filler", "looks like a filler")),
        ("companyName", "xxx", ("filler", "looks like a filler")),
        ("city", "n.a.", ("filler", "looks like a filler")),
        ("stateOrRegion", "NA", ("filler", "looks like a filler")),
        ("stateOrRegion", "ZZ", ("unlikelyState", "is not a state or province of US")),
        ("stateOrRegion", "Ontario", ("unlikelyState", "is not a state or province of US")),
        ("postalCode", "2134", ("unlikelyPostalCode", "does not look like a postal code of US; one looks like 95014")),
        ("postalCode", "ABC", ("unlikelyPostalCode", "does not look like a postal code of US")),
        ("postalCode", "tbd", ("filler", "looks like a filler")),
        ("phone", "TBD", ("filler", "looks like a filler")),
    ],
)
def test_a_typed_part_that_looks_wrong_is_taken_with_a_warning(
    world: World, address: str, part: str, text: str, said: tuple[str, str]
) -> None:
    world.download(order_id=FIRST)
    answer = patch(world, {address: {part: text}})
    assert (answer.status, answer.body[address][part]) == (200, text)
    (warning,) = answer.body["warnings"]
    assert (warning["field"], warning["code"]) == (f"{address}.{part}", said[0])
    assert warning["message"].startswith(said[1])


@pytest.mark.parametrize(
    "parts",
    [
        {"addressLine1": "7 Elm Road", "postalCode": "972011234", "stateOrRegion": "oregon", "city": "Salem"},
        {"addressLine1": "7 Elm Road", "postalCode": "〒100-0001", "stateOrRegion": "東京", "countryCode": "JP"},
        {"addressLine1": "Via Esempio 5", "postalCode": "80100", "stateOrRegion": "NA", "countryCode": "IT"},
        {"postalCode": "L-1234", "stateOrRegion": "", "countryCode": "LU"},
        {"postalCode": "sw1a1aa", "stateOrRegion": "Surrey", "countryCode": "UK"},
        {"postalCode": "", "stateOrRegion": "", "city": "Hong Kong", "countryCode": "HK"},
        {"postalCode": "", "stateOrRegion": ""},
        {"addressType": "none"},
    ],
)
def test_a_typed_address_that_may_be_one_is_not_warned_of(world: World, parts: dict[str, str]) -> None:
    world.download(order_id=FIRST)
    assert patch(world, {"deliveryAddress": parts}).body["warnings"] == []


def test_amazons_own_values_are_not_warned_of(world: World) -> None:
    world.download(order_id=FIRST, delivery_address=an_address(line1="TBD", postal_code="ABC", state_or_region="ZZ"))
    typed = {"city": "Salem", "addressLine1": None, "phone": "+1 503 555 0100"}
    assert warned_of(patch(world, {"deliveryAddress": typed}).body) == {}
    assert warned_of(patch(world, {"copyDeliveryToBilling": True}).body) == {}


def test_a_typed_country_is_checked_against_the_rest_of_the_address(world: World) -> None:
    world.download(order_id=FIRST)
    answer = patch(world, {"deliveryAddress": {"countryCode": "CA"}})
    assert warned_of(answer.body) == {
        "deliveryAddress.postalCode": "unlikelyPostalCode",
        "deliveryAddress.stateOrRegion": "unlikelyState",
    }
    in_canada = {"countryCode": "CA", "postalCode": "H2X 1Y4", "stateOrRegion": "QC"}
    assert warned_of(patch(world, {"deliveryAddress": in_canada}).body) == {}
    assert list(warned_of(patch(world, {"deliveryAddress": {"stateOrRegion": "OR"}}).body)) == [
        "deliveryAddress.stateOrRegion"
    ]


@pytest.mark.parametrize("country", ["IE", "PH"])
def test_an_address_without_postal_code_is_warned_of_where_some_ask_for_it(world: World, country: str) -> None:
    world.download(order_id=FIRST, delivery_address=None)
    answer = patch(world, {"deliveryAddress": {"addressLine1": "7 Elm Road", "city": "Cork", "countryCode": country}})
    (warning,) = answer.body["warnings"]
    assert (warning["field"], warning["code"]) == ("deliveryAddress.postalCode", "noPostalCode")
    assert f"carriers may ask for one in {country}" in warning["message"]
    assert answer.body["missing"] == []
    assert warned_of(patch(world, {"deliveryAddress": {"phone": "", "addressLine2": "Apt 3"}}).body) == {}
    assert list(warned_of(patch(world, {"deliveryAddress": {"postalCode": ""}}).body)) == ["deliveryAddress.postalCode"]


@pytest.mark.parametrize(
    ("field", "text"),
    [("firstName", "TBD"), ("lastName", "none"), ("company", "xxx"), ("email", "none@mail.example.com")],
)
def test_a_filler_in_place_of_a_name_or_an_email_is_taken_with_a_warning(world: World, field: str, text: str) -> None:
    world.download(order_id=FIRST)
    answer = patch(world, {field: text})
    assert (answer.status, answer.body[field]) == (200, text)
    assert warned_of(answer.body) == {field: "filler"}
    assert warned_of(patch(world, {field: None}).body) == {}


@pytest.mark.parametrize("address", ["deliveryAddress", "billingAddress"])
@pytest.mark.parametrize("country", ["SP", "ZZ", "XX", "Spanien?", "USAA"])
def test_a_country_that_is_none_is_refused(world: World, address: str, country: str) -> None:
    world.download(order_id=FIRST)
    answer = patch(world, {address: {"city": "Salem", "countryCode": country}})
    assert (answer.status, answer.codes) == (422, {f"{address}.countryCode": "unknownCountry"})
    assert "type its two letters in ISO 3166-1, such as US" in answer.body["detail"]
    assert world.order(FIRST).revision == 1


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("USA", "US"),
        ("us", "US"),
        ("United States", "US"),
        ("UK", "GB"),
        ("deu", "DE"),
        ("Germany", "DE"),
        ("xk", "XK"),
    ],
)
def test_a_typed_country_is_stored_as_its_code(world: World, typed: str, code: str) -> None:
    world.download(order_id=FIRST, delivery_address=None)
    answer = patch(world, {"deliveryAddress": {"countryCode": typed}})
    assert answer.body["deliveryAddress"]["countryCode"] == code


def test_a_country_is_blanked_and_left_to_amazon_whatever_amazon_calls_it(world: World) -> None:
    world.download(order_id=FIRST, delivery_address=an_address(country_code="UK", postal_code="SW1A 1AA"))
    blanked = patch(world, {"deliveryAddress": {"countryCode": ""}})
    assert (blanked.status, "countryCode" in blanked.body["deliveryAddress"]) == (200, False)
    assert patch(world, {"deliveryAddress": {"countryCode": None}}).body["deliveryAddress"]["countryCode"] == "UK"


def test_an_order_that_is_read_has_no_warnings(world: World) -> None:
    world.download(order_id=FIRST)
    patch(world, {"deliveryAddress": {"phone": "1"}})
    assert "warnings" not in world.call("GET", f"/orders/{FIRST}").body


def test_the_delivery_address_is_copied_to_the_billing_address_whole(world: World) -> None:
    delivery = an_address(company_name="Quill Lamps", phone="+1 503 555 0100", line2="Apt 3")
    world.download(order_id=FIRST, delivery_address=delivery, tax_address=an_address(line1="5 Mill Road"))
    answer = patch(world, {"copyDeliveryToBilling": True})
    assert answer.status == 200
    assert answer.body["billingAddress"] == answer.body["deliveryAddress"]
    assert world.order(FIRST).edits.billing_address == delivery
    assert answer.body["sources"]["billingAddress"] == "edited"
    assert answer.body["sources"]["deliveryAddress"] == "amazon"  # which is no edit
    assert answer.body["amazonSays"]["billingAddress"]["addressLine1"] == "5 Mill Road"


def test_a_copy_is_told_of_as_any_other_edit_of_the_billing_address(world: World) -> None:
    for order_id in (FIRST, SECOND):
        world.download(order_id=order_id)
    copied = patch(world, {"copyDeliveryToBilling": True}).body["lastChange"]
    typed = patch(world, {"billingAddress": {"city": "Salem"}}, order_id=SECOND).body["lastChange"]
    assert copied == typed
    assert (copied["cause"], "edits.billingAddress" in copied["fields"]) == ("edit", True)


def test_the_copy_includes_edits_of_the_delivery_address_in_the_same_patch(world: World) -> None:
    world.download(order_id=FIRST, delivery_address=an_address(line1=None))
    answer = patch(world, {"deliveryAddress": {"addressLine1": "7 Elm Road"}, "copyDeliveryToBilling": True})
    assert answer.body["billingAddress"] == answer.body["deliveryAddress"]
    assert answer.body["billingAddress"]["addressLine1"] == "7 Elm Road"
    assert answer.body["missing"] == []


def test_an_address_that_goes_back_to_amazons_is_copied_as_amazon_has_it(world: World) -> None:
    world.download(order_id=FIRST)
    patch(world, {"deliveryAddress": {"city": "Salem"}})
    answer = patch(world, {"deliveryAddress": None, "copyDeliveryToBilling": True})
    assert world.order(FIRST).edits.billing_address == an_address()
    assert answer.body["billingAddress"] == answer.body["deliveryAddress"]


def test_a_copy_stays_as_it_is_when_the_delivery_address_is_edited_later(world: World) -> None:
    world.download(order_id=FIRST)
    patch(world, {"copyDeliveryToBilling": True})
    answer = patch(world, {"deliveryAddress": {"city": "Salem"}})
    assert (answer.body["deliveryAddress"]["city"], answer.body["billingAddress"]["city"]) == ("Salem", "Portland")
    assert patch(world, {"billingAddress": None}).body["sources"]["billingAddress"] == "copiedFromDelivery"


def test_a_phone_that_is_copied_is_warned_of_where_it_was_typed(world: World) -> None:
    world.download(order_id=FIRST)
    answer = patch(world, {"deliveryAddress": {"phone": "1"}, "copyDeliveryToBilling": True})
    assert answer.body["billingAddress"]["phone"] == "1"
    assert list(warned_of(answer.body)) == ["deliveryAddress.phone"]


@pytest.mark.parametrize("billing", [{"city": "Salem"}, {}, None])
def test_a_copy_and_a_typed_billing_address_contradict_each_other(world: World, billing: object) -> None:
    world.download(order_id=FIRST)
    answer = patch(world, {"copyDeliveryToBilling": True, "billingAddress": billing})
    assert (answer.status, answer.codes) == (422, {"copyDeliveryToBilling": "contradiction"})
    assert world.order(FIRST).revision == 1


@pytest.mark.parametrize("delivery", [{}, {"deliveryAddress": None}, {"deliveryAddress": {"city": ""}}])
def test_an_order_without_a_delivery_address_has_none_to_copy(world: World, delivery: dict[str, Any]) -> None:
    world.download(order_id=FIRST, delivery_address=None)
    answer = patch(world, {"copyDeliveryToBilling": True, **delivery})
    assert (answer.status, answer.codes) == (422, {"copyDeliveryToBilling": "noDeliveryAddress"})
    assert "no delivery address" in answer.body["detail"]
    assert world.order(FIRST).revision == 1


@pytest.mark.parametrize("address", [an_address(), None])
def test_a_redacted_order_has_no_address_copied(world: World, address: Address | None) -> None:
    order = world.download(order_id=FIRST, delivery_address=address)
    world.orders.save(order, gate.redact(order, Settings(), NOON), by="clock", at=NOON, cause="redaction")
    answer = patch(world, {"copyDeliveryToBilling": True})
    assert (answer.status, answer.body["code"]) == (409, "redacted")


def test_a_part_of_the_name_keeps_the_others_as_they_are_seen(world: World) -> None:
    world.download(order_id=FIRST)
    answer = patch(world, {"firstName": "Nia"})
    assert (answer.body["firstName"], answer.body["lastName"]) == ("Nia", "Quill")
    assert answer.body["sources"]["name"] == "edited"


def test_an_empty_text_blanks_a_field_and_a_blank_field_is_missing(world: World) -> None:
    world.download(order_id=FIRST)
    answer = patch(world, {"email": "", "firstName": " "})
    assert (answer.body["email"], answer.body["firstName"]) == (None, None)
    assert {item["field"]: item["reason"] for item in answer.body["missingDetails"]} == {
        "firstName": "singleWord",
        "email": "blank",
    }
    assert answer.body["stage"] == "Needs Attention"


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("ada.quill+shop@b.example.com", "ada.quill+shop@b.example.com"),
        (" Ada@B.Example.COM ", "Ada@b.example.com"),
        ("x7k2p9@marketplace.amazon.com", "x7k2p9@marketplace.amazon.com"),  # Amazon's relay
        ("x7k2p9+8c1d-4e@marketplace.amazon.co.jp", "x7k2p9+8c1d-4e@marketplace.amazon.co.jp"),
        ("josé@correo.example.com", "josé@correo.example.com"),
        ("ada@bücher.example", "ada@bücher.example"),
        ("ada@xn--bcher-kva.example", "ada@bücher.example"),
        ("山田@例え.example.jp", "山田@例え.example.jp"),
        ("ada..quill@b.example.jp", "ada..quill@b.example.jp"),
        (".ada@B.EXAMPLE.JP", ".ada@b.example.jp"),
        ("ada.@b.example.jp", "ada.@b.example.jp"),
        ("a...d..a.@au.com", "a...d..a.@au.com"),
    ],
)
def test_an_email_that_can_be_one_is_taken_whatever_its_script(world: World, typed: str, shown: str) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    answer = patch(world, {"email": typed})
    assert (answer.status, answer.body["email"], answer.body["missing"]) == (200, shown, [])


@pytest.mark.parametrize(
    "typed",
    [
        "ada",
        "ada@",
        "ada@localhost",
        "ada@example",
        "ada@mail.example..com",
        "ada.@b.example.com",
        "ada..quill@b.example.com",
        "...@b.example.jp",
        "a d..a@b.example.jp",
        "ada@b..example.jp",
        "a" * 65 + "..a@b.example.jp",
        "ada quill@b.example.com",
        "ada@b.example.com, bo@b.example.com",
        "Ada Quill <ada@b.example.com>",
        "ada@[192.0.2.1]",
        "ada@shop.test",
        "ada@shop.invalid",
        "ada@printer.local",
        "a" * 250 + "@b.example.com",
    ],
)
def test_an_email_that_cannot_be_one_is_refused_when_it_is_typed(world: World, typed: str) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    answer = patch(world, {"email": typed})
    assert (answer.status, answer.codes) == (422, {"email": "notAnAddress"})
    assert world.order(FIRST).revision == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"firstName": "J\ufffdrg"}, "firstName"),
        ({"comment": "Asked M\ufffdller"}, "comment"),
        ({"deliveryAddress": {"city": "K\ufffdln"}}, "deliveryAddress.city"),
        ({"lineItems": [{"sellerSku": "LAMP-\ufffd", "quantity": 1}]}, "lineItems.0.sellerSku"),
    ],
)
def test_a_text_that_has_lost_characters_is_refused_wherever_it_is_typed(world: World, body: Any, field: str) -> None:
    world.download(order_id=FIRST)
    answer = patch(world, body)
    assert (answer.status, answer.codes) == (422, {field: "lostCharacters"})
    assert world.order(FIRST).revision == 1


def test_the_refusal_of_an_email_says_what_is_wrong_with_it(world: World) -> None:
    world.download(order_id=FIRST)
    (error,) = patch(world, {"email": "ada"}).body["errors"]
    assert error["message"] == "An email address must have an @-sign."


@pytest.mark.parametrize("blank", ["", "-", "[Redacted]", "Not provided"])
def test_an_email_that_says_nothing_is_typed_as_a_blank(world: World, blank: str) -> None:
    world.download(order_id=FIRST)
    answer = patch(world, {"email": blank})
    assert (answer.body["email"], answer.body["missing"]) == (None, ["email"])


def test_an_invalid_email_from_amazon_refuses_no_other_edit(world: World) -> None:
    world.download(order_id=FIRST, buyer_email="ada@localhost")
    answer = patch(world, {"firstName": "Nia"})
    assert (answer.status, answer.body["email"], answer.body["missing"]) == (200, "ada@localhost", ["email"])


def test_null_takes_a_unit_back_to_what_amazon_says(world: World) -> None:
    world.download(order_id=FIRST)
    patch(world, {"email": "typed@b.example.com", "firstName": "Nia", "deliveryAddress": {"city": "Salem"}})
    answer = patch(world, {"email": None, "firstName": None, "deliveryAddress": None})
    assert answer.body["email"] == "ada@marketplace.example.com"
    assert answer.body["firstName"] == "Ada"
    assert answer.body["deliveryAddress"]["city"] == "Portland"
    assert set(answer.body["sources"].values()) == {"recipient", "amazon", "copiedFromDelivery"}


def test_null_for_one_part_of_the_name_takes_that_part_from_amazon(world: World) -> None:
    world.download(order_id=FIRST)
    patch(world, {"firstName": "Nia", "lastName": "Moss"})
    answer = patch(world, {"firstName": None, "lastName": "Fern"})
    assert (answer.body["firstName"], answer.body["lastName"]) == ("Ada", "Fern")


def test_a_part_of_a_persons_name_does_not_make_a_company_of_the_person(world: World) -> None:
    world.download(order_id=FIRST, recipient_name="Cher", delivery_address=an_address(company_name="Quill Works"))
    answer = patch(world, {"lastName": "Cher"})
    assert (answer.body["missing"], answer.body["company"]) == (["firstName"], "Quill Works")
    assert answer.body["deliveryAddress"]["companyName"] == "Quill Works"


@pytest.mark.parametrize(
    ("body", "missing"),
    [({"firstName": ""}, ["firstName", "lastName"]), ({"lastName": "Cher"}, ["firstName"]), ({"company": "Moss"}, [])],
)
def test_an_order_without_a_name_is_a_companys_only_if_a_person_says_so(
    world: World, body: dict[str, str], missing: list[str]
) -> None:
    nameless: dict[str, Any] = {"recipient_name": None, "buyer_name": None, "buyer_company_name": "Quill Works"}
    world.download(order_id=FIRST, **nameless)
    answer = patch(world, body)
    assert (answer.body["missing"], answer.body["company"]) == (missing, body.get("company", "Quill Works"))


def test_a_company_stays_one_when_a_part_of_its_name_is_typed(world: World) -> None:
    works: dict[str, Any] = {
        "recipient_name": "Quill Works",
        "delivery_address": an_address(company_name="Quill Works"),
    }
    world.download(order_id=FIRST, **works)
    answer = patch(world, {"lastName": "Moss"})
    assert (answer.body["missing"], answer.body["company"]) == ([], "Quill Works")
    assert (answer.body["firstName"], answer.body["lastName"]) == (None, "Moss")


def test_line_items_are_replaced_whole(world: World) -> None:
    world.download(order_id=FIRST, line_items=())
    lines = [
        {"sellerSku": "LAMP-1", "quantity": 2, "unitPrice": {"amount": "29.95", "currencyCode": "USD"}},
        {"asin": "B0EXAMPLE2", "quantity": 1},
    ]
    answer = patch(world, {"lineItems": lines})
    assert [(line["sellerSku"], line["asin"], line["quantity"]) for line in answer.body["lineItems"]] == [
        ("LAMP-1", None, 2),
        (None, "B0EXAMPLE2", 1),
    ]
    assert answer.body["lineItems"][0]["unitPrice"] == {"amount": "29.95", "currencyCode": "USD"}
    assert answer.body["missing"] == []
    assert patch(world, {"lineItems": None}).body["lineItems"] == []


def test_lines_can_be_sent_back_as_they_were_shown(world: World) -> None:
    world.download(order_id=FIRST)
    shown = world.call("GET", f"/orders/{FIRST}").body["lineItems"]
    assert patch(world, {"lineItems": shown}).body["lineItems"] == shown


@pytest.mark.parametrize("sku", ["ABC  DEF", "TABLE\tLAMP", "N/A", "e\u0301te\u0301-1", " LAMP-1 "])
def test_a_typed_sku_is_stored_letter_by_letter(world: World, sku: str) -> None:
    world.download(order_id=FIRST)
    answer = patch(world, {"lineItems": [{"sellerSku": sku, "asin": "B0EXAMPLE1", "quantity": 1}]})
    assert [line["sellerSku"] for line in answer.body["lineItems"]] == [sku]


def test_lines_too_large_for_an_item_of_the_table_are_refused(world: World) -> None:
    world.download(order_id=FIRST)
    lines = [{"sellerSku": "LAMP-1", "title": "é" * 100, "quantity": 1}] * 200
    assert patch(world, {"lineItems": lines}).status == 200
    answer = patch(world, {"lineItems": [line | {"title": "é" * 200} for line in lines]})
    assert (answer.status, answer.codes) == (422, {"lineItems": "tooLarge"})
    kept = LineItem(seller_sku="LAMP-1", title="é" * 100, quantity=1)
    assert world.order(FIRST).edits.line_items == (kept,) * 200


def test_a_field_that_nobody_can_supply_can_be_confirmed(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    answer = patch(world, {"confirmed": ["email"]})
    assert (answer.body["missing"], answer.body["confirmed"]) == ([], ["email"])
    assert answer.body["readyToRelease"] is True
    assert patch(world, {"confirmed": None}).body["missing"] == ["email"]


def test_amazons_own_value_is_shown_next_to_an_edit_that_differs(world: World) -> None:
    world.download(order_id=FIRST)
    answer = patch(world, {"email": "typed@b.example.com", "firstName": "Ada"})
    assert answer.body["amazonSays"]["email"] == "ada@marketplace.example.com"


def test_a_later_download_neither_wipes_an_edit_nor_flags_it_again(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    patch(world, {"email": "typed@b.example.com", "stage": "New"})
    order = world.order(FIRST)
    again = judged(downloaded_again(order, updated_at=NOON), Settings(), NOON)
    world.orders.save(order, again, by="amazon", at=NOON, cause="download")
    shown = world.call("GET", f"/orders/{FIRST}").body
    assert (shown["email"], shown["stage"], shown["missing"]) == ("typed@b.example.com", "New", [])


def test_a_misspelt_part_of_a_line_is_answered_with_the_parts_of_a_line(world: World) -> None:
    world.download(line_items=())
    (error, *_) = patch(world, {"lineItems": [{"quantity": 1, "sellerSkv": "SKU-1"}]}).body["errors"]
    assert (error["field"], error["code"]) == ("lineItems.0.sellerSkv", "unknownField")
    assert "sellerSku, asin" in error["message"]
    assert "comment" not in error["message"]


@pytest.mark.parametrize("content_type", ["application/json", "application/merge-patch+json; charset=utf-8"])
def test_a_patch_is_sent_as_json_or_as_merge_patch(world: World, content_type: str) -> None:
    world.download(order_id=FIRST)
    assert patch(world, {"firstName": "Nia"}, Content_Type=content_type).status == 200


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"phone": "1"}, "phone", "unknownField"),
        ({"email": 1}, "email", "wrongType"),
        ({"email": "x" * 321}, "email", "stringTooLong"),
        ({"firstName": "x" * 201}, "firstName", "stringTooLong"),
        ({"deliveryAddress": "7 Elm Road"}, "deliveryAddress", "wrongType"),
        ({"deliveryAddress": {"street": "7 Elm Road"}}, "deliveryAddress.street", "notAllowed"),
        ({"deliveryAddress": {"city": "x" * 201}}, "deliveryAddress.city", "stringTooLong"),
        ({"lineItems": [{"sellerSku": "LAMP-1"}]}, "lineItems.0.quantity", "required"),
        ({"lineItems": [{"quantity": -1}]}, "lineItems.0.quantity", "greaterThanEqual"),
        ({"lineItems": [{"quantity": "2"}]}, "lineItems.0.quantity", "wrongType"),
        ({"lineItems": [{"quantity": 1}] * 201}, "lineItems", "tooLong"),
        (
            {"lineItems": [{"quantity": 1, "unitPrice": {"amount": "cheap", "currencyCode": "USD"}}]},
            "lineItems.0.unitPrice.amount",
            "notAllowed",
        ),
        (
            {"lineItems": [{"quantity": 1, "unitPrice": {"amount": "NaN", "currencyCode": "USD"}}]},
            "lineItems.0.unitPrice.amount",
            "notAllowed",
        ),
        ({"confirmed": ["deliveryAddress"]}, "confirmed.0", "notAllowed"),
        ({"copyDeliveryToBilling": False}, "copyDeliveryToBilling", "notAllowed"),
        ({"copyDeliveryToBilling": None}, "copyDeliveryToBilling", "notAllowed"),
        ({"stage": "Nowhere"}, "stage", "unknownStage"),
        ({"keepTyped": ["phone"]}, "keepTyped.0", "notAllowed"),
        ({"closeAlerts": ["Gone"]}, "closeAlerts.0", "notAllowed"),
        ({"snoozeUntil": None}, "snoozeUntil", "notAllowed"),
        ({"threePlStatus": "Gone"}, "threePlStatus", "notAllowed"),
        ({"fullyDispatched": "yesterday"}, "fullyDispatched", "notAllowed"),
        ({"fullyDispatched": "2026-11-23T12:00:01Z"}, "fullyDispatched", "inTheFuture"),
        ({"snoozeUntil": "2026-11-23T12:00:00Z"}, "snoozeUntil", "inThePast"),
        ([], "body", "wrongType"),
    ],
)
def test_an_impossible_value_is_refused_by_field_and_nothing_is_written(
    world: World, body: object, field: str, code: str
) -> None:
    world.download(order_id=FIRST)
    answer = patch(world, body)
    assert (answer.status, answer.codes) == (422, {field: code})
    assert world.order(FIRST).revision == 1


def test_a_patch_of_nothing_writes_nothing(world: World) -> None:
    world.download(order_id=FIRST)
    assert patch(world, {}).body["revision"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {"email": None},
        {"deliveryAddress": {"city": None}},
        {"confirmed": []},
        {"stage": None},
        {"threePlStatus": None},
        {"fullyDispatched": None},
        {"keepTyped": ["email"]},
        {"closeAlerts": ["CameBack"]},
    ],
)
def test_a_change_that_changes_nothing_writes_nothing(world: World, body: object) -> None:
    world.download(order_id=FIRST)
    world.clock.advance(HOUR)
    assert patch(world, body).body["revision"] == 1


def test_a_change_that_was_made_before_writes_nothing(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    patch(world, {"email": "typed@b.example.com"})
    world.clock.advance(HOUR)
    assert patch(world, {"email": "typed@b.example.com"}).body["revision"] == 2


def test_a_patch_that_asks_nothing_writes_nothing_to_a_pending_order(world: World) -> None:
    world.store(an_order(an_amazon_order(order_id=FIRST)))
    answer = patch(world, {"email": None})
    assert (answer.body["verdict"], answer.body["revision"]) == ("pending", 1)


def test_a_redacted_order_is_not_edited(world: World) -> None:
    order = world.download(order_id=FIRST)
    world.orders.save(order, gate.redact(order, Settings(), NOON), by="clock", at=NOON, cause="redaction")
    answer = patch(world, {"email": "typed@b.example.com"})
    assert (answer.status, answer.body["code"]) == (409, "redacted")


def test_an_order_that_is_not_there_is_not_found(world: World) -> None:
    assert patch(world, {"email": None}, order_id="none").status == 404
    assert release(world, order_id="none").status == 404
    assert acknowledge(world, order_id="none").status == 404


# The gate -------------------------------------------------------------------------------------------------------------

ATTEMPTS: list[dict[str, object]] = [
    {"stage": "New"},
    {"stage": "New", "fullyDispatched": True},
    {"stage": "New", "threePlStatus": "Transfer to 3PL Now"},
    {"stage": "New", "threePlStatus": "Transfer to 3PL Upon Completion"},
]


@pytest.mark.parametrize("body", ATTEMPTS)
def test_an_incomplete_order_is_not_let_out_and_all_it_lacks_is_listed(world: World, body: object) -> None:
    world.download(order_id=FIRST, buyer_email=None, line_items=())
    answer = patch(world, body)
    assert (answer.status, answer.body["code"]) == (409, "incomplete")
    assert answer.body["errors"] == [
        {"field": "email", "code": "blank", "message": "The order has no email address."},
        {"field": "lineItems", "code": "blank", "message": "The order has no line items."},
    ]
    assert world.order(FIRST).revision == 1


@pytest.mark.parametrize("body", [{"fullyDispatched": True}, {"threePlStatus": "Transfer to 3PL Now"}])
def test_a_held_order_is_released_first(world: World, body: object) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    answer = patch(world, body)
    assert (answer.status, answer.body["code"], answer.codes) == (409, "held", {"email": "blank"})


def test_an_incomplete_order_is_not_released(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    answer = release(world)
    assert (answer.status, answer.body["code"], answer.codes) == (409, "incomplete", {"email": "blank"})


def test_a_release_gives_the_defaults_of_the_integration(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    patch(world, {"email": "typed@b.example.com"})
    world.change_integration(settings=IntegrationSettings(default_three_pl_status=ThreePlStatus.NOW))
    answer = release(world, {})
    assert answer.status == 200
    assert (answer.body["stage"], answer.body["threePlStatus"]) == ("New", "Transfer to 3PL Now")
    assert answer.body["lastChange"]["cause"] == "release"


def test_an_order_that_is_complete_by_the_settings_of_now_is_let_go(world: World) -> None:
    for order_id in (FIRST, SECOND, THIRD):
        world.download(order_id=order_id, buyer_email=None)
    world.change_integration(settings=IntegrationSettings(checks=Checks(email=False)))
    assert release(world).status == 200
    assert patch(world, {"stage": "New"}, order_id=SECOND).status == 200
    assert bulk(world, [{"orderId": THIRD, "release": True}]).body["orders"][0]["status"] == 200
    for order in map(world.order, (FIRST, SECOND, THIRD)):
        assert (order.hold, order.missing, order.stage, order.revision) == (None, (), "new", 2)
        assert order.three_pl_status is ThreePlStatus.UPON_COMPLETION
        assert order.last_change is not None
        assert (order.last_change.cause, order.last_change.events) == ("release", ("OrderReleased",))


def test_an_order_that_is_not_held_is_not_released(world: World) -> None:
    world.download(order_id=FIRST)
    assert release(world).body["code"] == "notHeld"


def test_an_administrator_overrides_the_gate_with_a_reason_that_is_kept(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    answer = release(world, {"override": {"reason": "the buyer has no email"}}, role="administrator")
    assert answer.status == 200
    assert answer.body["hold"] is None
    assert answer.body["override"] == {
        "by": "administrator@example.com",
        "at": "2026-11-23T12:00:00.000Z",
        "reason": "the buyer has no email",
        "fields": ["email"],
    }
    assert [(item["field"], item["accepted"]) for item in answer.body["missingDetails"]] == [("email", True)]
    assert answer.body["lastChange"]["cause"] == "override"


def test_an_override_works_in_a_patch_too(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    body = {"stage": "New", "threePlStatus": "Transfer to 3PL Now", "override": {"reason": "known buyer"}}
    answer = patch(world, body, role="administrator")
    assert (answer.status, answer.body["fulfillable"]) == (200, True)


def test_nobody_but_an_administrator_overrides_the_gate(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    override = {"override": {"reason": "because I can"}}
    for answer in (release(world, override), patch(world, {"stage": "New"} | override)):
        assert (answer.status, answer.body["code"]) == (403, "roleNeeded")
    assert world.order(FIRST).hold is not None


@pytest.mark.parametrize("override", [{}, {"reason": ""}, {"reason": "  x "}, {"reason": "x" * 501}])
def test_an_override_needs_a_reason(world: World, override: object) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    assert release(world, {"override": override}, role="administrator").status == 422


def test_an_override_without_anything_to_do_is_refused(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    answer = patch(world, {"override": {"reason": "because"}}, role="administrator")
    assert answer.codes == {"override": "overridesNothing"}


def test_nobody_but_the_warehouse_says_that_it_has_an_order(world: World) -> None:
    world.download(order_id=FIRST)
    answer = patch(world, {"threePlStatus": "Transferred to 3PL for Picking"}, role="administrator")
    assert (answer.status, answer.body["code"]) == (409, "onlyTheWarehouse")


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ({"email": "typed@b.example.com"}, "edit"),
        ({"stage": "Needs Attention"}, "hold"),
        ({"snoozeUntil": "2026-11-24T12:00:00Z"}, "snooze"),
        ({"threePlStatus": "Transfer to 3PL Now"}, "threePlStatus"),
        ({"fullyDispatched": "2026-11-23T11:30:00+01:00"}, "dispatch"),
        ({"stage": "Picking"}, "stage"),
    ],
)
def test_a_change_is_called_by_what_it_does(world: World, body: object, cause: str) -> None:
    world.call("POST", "/stages", {"name": "Picking"})
    world.download(order_id=FIRST)
    answer = patch(world, body)
    assert answer.status == 200, answer.body
    assert answer.body["lastChange"]["cause"] == cause
    assert answer.body["lastChange"]["by"] == "editor@example.com"


def test_fully_dispatched_takes_a_time_of_its_own_and_can_be_taken_back(world: World) -> None:
    world.download(order_id=FIRST)
    answer = patch(world, {"fullyDispatched": "2026-11-23T11:30:00+01:00"})
    assert (answer.body["fullyDispatchedAt"], answer.body["dispatchedBy"]) == ("2026-11-23T10:30:00.000Z", "person")
    taken_back = patch(world, {"fullyDispatched": False})
    assert (taken_back.body["status"], taken_back.body["stopped"]["by"]) == ("Open", "editor@example.com")


def test_a_person_puts_an_order_on_hold_and_lets_it_go_again(world: World) -> None:
    world.download(order_id=FIRST)
    held = patch(world, {"stage": "Needs Attention"})
    assert (held.body["hold"], held.body["threePlStatus"]) == ("manual", "Do Not Transfer to 3PL")
    assert release(world).body["stage"] == "New"


def test_an_order_is_not_snoozed_past_its_deadline(world: World) -> None:
    world.download(order_id=FIRST)
    answer = patch(world, {"snoozeUntil": (SHIP_BY + MINUTE).isoformat()})
    assert (answer.status, answer.body["code"]) == (409, "pastShipBy")


@pytest.mark.parametrize(("lasts", "wakes"), [(14 * MINUTE, [14 * MINUTE]), (15 * MINUTE, [])])
def test_the_clock_is_told_of_a_snooze_that_ends_before_its_next_look(
    world: World, lasts: timedelta, wakes: list[timedelta]
) -> None:
    """It looks at each integration in a quarter of an hour by itself."""
    world.download(order_id=FIRST)
    until = NOON + lasts
    assert patch(world, {"snoozeUntil": until.isoformat()}).status == 200
    patch(world, {"comment": "The same snooze wakes once."})
    stored = world.dynamodb.scan(TableName="IntegrationsTable")["Items"]
    found = [json.loads(item["data"]["S"]) for item in stored if item["integrationId"]["S"] == "#wake-ups"]
    assert [(one["integration"], datetime.fromisoformat(one["at"])) for one in found] == [
        ("acme-na", NOON + wake) for wake in wakes
    ]


def test_a_snooze_is_made_though_the_clock_cannot_be_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.download(order_id=FIRST)

    def refused(_: object) -> None:
        raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException"}}, "PutItem")

    monkeypatch.setattr(app("edit_orders").wake_ups, "save", refused)
    assert patch(world, {"snoozeUntil": (NOON + MINUTE).isoformat()}).status == 200


# Two at once ----------------------------------------------------------------------------------------------------------


def test_whoever_loses_a_race_reads_again_and_redoes_it(world: World) -> None:
    world.download(order_id=FIRST)
    with world.just_before("edit_orders", "UpdateItem", lambda: somebody_edits(world)):
        answer = patch(world, {"firstName": "Nia"})
    assert (answer.status, answer.body["revision"]) == (200, 3)
    assert (answer.body["firstName"], answer.body["email"]) == ("Nia", "somebody1@b.example.com")


def test_whoever_loses_every_race_is_told(world: World) -> None:
    world.download(order_id=FIRST)
    with world.just_before("edit_orders", "UpdateItem", lambda: somebody_edits(world), times=4):
        answer = patch(world, {"firstName": "Nia"})
    assert (answer.status, answer.body["code"]) == (409, "changedMeanwhile")


def test_a_gate_is_not_passed_on_data_that_has_just_changed(world: World) -> None:
    world.download(order_id=FIRST)

    def amazon_loses_the_lines() -> None:
        order = world.order(FIRST)
        again = downloaded_again(order, line_items=(), updated_at=NOON)
        world.orders.save(order, again, by="amazon", at=NOON, cause="download")

    with world.just_before("edit_orders", "UpdateItem", amazon_loses_the_lines):
        answer = patch(world, {"threePlStatus": "Transfer to 3PL Now"})
    assert answer.status == 409
    assert answer.codes == {"lineItems": "blank"}


def test_a_change_with_if_match_lands_on_the_revision_that_was_read(world: World) -> None:
    world.download(order_id=FIRST)
    assert patch(world, {"firstName": "Nia"}, If_Match='"1"').status == 200
    assert patch(world, {"firstName": "Zoe"}, If_Match='"7", "2"').status == 200
    assert patch(world, {"firstName": "Ann"}, If_Match="*").status == 200


def test_a_change_with_another_if_match_is_refused_with_the_order_as_it_is(world: World) -> None:
    world.download(order_id=FIRST)
    somebody_edits(world)
    for answer in (patch(world, {"firstName": "Nia"}, If_Match='"1"'), patch(world, {}, If_Match='"1"')):
        assert (answer.status, answer.body["code"]) == (412, "changedMeanwhile")
        assert (answer.body["order"]["revision"], answer.body["order"]["firstName"]) == (2, "Ada")


def test_a_change_with_if_match_that_loses_a_race_is_not_redone(world: World) -> None:
    world.download(order_id=FIRST)
    with world.just_before("edit_orders", "UpdateItem", lambda: somebody_edits(world)):
        answer = patch(world, {"firstName": "Nia"}, If_Match='"1"')
    assert (answer.status, answer.body["order"]["email"]) == (412, "somebody1@b.example.com")


@pytest.mark.parametrize("header", ["1", 'W/"1"', '"1", 2'])
def test_an_if_match_that_is_no_etag_is_refused(world: World, header: str) -> None:
    world.download(order_id=FIRST)
    answer = patch(world, {"firstName": "Nia"}, If_Match=header)
    assert (answer.status, answer.body["code"]) == (400, "invalidIfMatch")


# The warehouse --------------------------------------------------------------------------------------------------------


def test_the_warehouse_takes_an_order_and_gets_what_it_needs_to_send_it(world: World) -> None:
    a_transferable(world)
    answer = acknowledge(world)
    assert (answer.status, answer.headers["ETag"]) == (200, '"2"')
    assert answer.body["threePlStatus"] == "Transferred to 3PL for Picking"
    assert answer.body["deliveryAddress"]["city"] == "Portland"
    assert answer.body["lastChange"]["events"] == ["OrderTransferred"]


def test_an_order_is_taken_once(world: World) -> None:
    a_transferable(world)
    acknowledge(world)
    answer = acknowledge(world)
    assert (answer.status, answer.body["code"]) == (409, "alreadyTransferred")
    assert world.order(FIRST).revision == 2


def test_a_held_order_is_not_taken(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    answer = acknowledge(world)
    assert (answer.status, answer.body["code"], answer.codes) == (409, "notForTheWarehouse", {"email": "blank"})


def test_a_warehouse_is_not_shown_an_order_that_is_not_for_it(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    answer = acknowledge(world, If_Match='"0"')
    assert (answer.status, "order" in answer.body) == (409, False)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"is_frozen": True}, "frozen"),
        ({"settings": IntegrationSettings(trial_mode=True)}, "notLive"),
        ({"settings": IntegrationSettings(go_live_date=CREATED + MINUTE)}, "notLive"),
    ],
)
def test_a_frozen_or_not_yet_live_integration_hands_nothing_over(
    world: World, changes: dict[str, Any], code: str
) -> None:
    a_transferable(world)
    world.change_integration(**changes)
    answer = acknowledge(world)
    assert (answer.status, answer.body["code"]) == (409, code)
    assert not world.order(FIRST).is_handed_over


def test_a_freeze_of_everything_hands_nothing_over(world: World) -> None:
    a_transferable(world)
    world.integrations.freeze_all("ada", NOON)
    assert acknowledge(world).body["code"] == "frozen"


def test_a_freeze_between_the_gate_and_the_write_still_stops_it(world: World) -> None:
    a_transferable(world)
    freeze = lambda: world.integrations.freeze_all("ada", NOON)  # noqa: E731 - one line says it
    with world.just_before("edit_orders", "TransactWriteItems", freeze):
        answer = acknowledge(world)
    assert (answer.status, answer.body["code"]) == (409, "frozen")
    assert not world.order(FIRST).is_handed_over


def test_trial_mode_switched_on_between_gate_and_write_stops_the_transfer(world: World) -> None:
    a_transferable(world)
    in_trial: dict[str, Any] = {"settings": IntegrationSettings(trial_mode=True)}
    with world.just_before("edit_orders", "TransactWriteItems", lambda: world.change_integration(**in_trial)):
        answer = acknowledge(world)
    assert (answer.status, answer.body["code"]) == (409, "notLive")


def test_an_order_that_changes_while_it_is_taken_is_looked_at_again(world: World) -> None:
    a_transferable(world)
    with world.just_before("edit_orders", "TransactWriteItems", lambda: somebody_edits(world)):
        answer = acknowledge(world)
    assert (answer.status, answer.body["email"]) == (200, "somebody1@b.example.com")


def test_an_acknowledgement_that_is_throttled_is_not_tried_again_at_once(world: World) -> None:
    a_transferable(world)
    error = app("edit_orders").dynamodb.exceptions.TransactionCanceledException
    calls = []

    def throttle() -> None:
        calls.append(1)
        raise error(
            {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": [{"Code": "ThrottlingError"}]},
            "TransactWriteItems",
        )

    with world.just_before("edit_orders", "TransactWriteItems", throttle):
        answer = acknowledge(world)
    assert (answer.status, answer.body["code"], answer.headers["Retry-After"]) == (503, "tryAgain", "5")
    assert len(calls) == 1
    assert world.order(FIRST).revision == 1


def test_an_edit_during_an_acknowledgement_is_told_to_try_again(world: World) -> None:
    world.download(order_id=FIRST)

    def conflict() -> None:
        raise ClientError({"Error": {"Code": "TransactionConflictException"}}, "UpdateItem")

    with world.just_before("edit_orders", "UpdateItem", conflict):
        answer = patch(world, {"firstName": "Nia"})
    assert (answer.status, answer.body["code"]) == (409, "changedMeanwhile")


def test_an_order_of_an_integration_that_never_was_is_a_fault_of_ours(world: World) -> None:
    world.download("never-was", order_id=FIRST)
    with pytest.raises(UnexpectedError):
        patch(world, {"firstName": "Nia"})
    with pytest.raises(UnexpectedError):
        bulk(world, [{"orderId": FIRST, "release": True}])


def test_a_warehouse_that_loses_every_race_is_told(world: World) -> None:
    a_transferable(world)
    with world.just_before("edit_orders", "TransactWriteItems", lambda: somebody_edits(world), times=4):
        answer = acknowledge(world)
    assert (answer.status, answer.body["code"]) == (409, "changedMeanwhile")


def test_an_order_that_loses_its_address_while_it_is_taken_stays(world: World) -> None:
    a_transferable(world)
    blank: dict[Unit, object] = {"delivery_address": {"line1": ""}}

    def somebody_blanks_the_street() -> None:
        order = world.order(FIRST)
        edited = gate.edit(order, blank, None, Settings(), NOON)
        world.orders.save(order, edited, by="somebody", at=NOON, cause="edit")

    with world.just_before("edit_orders", "TransactWriteItems", somebody_blanks_the_street):
        answer = acknowledge(world)
    assert (answer.status, answer.body["code"]) == (409, "notForTheWarehouse")
    assert answer.codes == {"billingAddress": "incomplete", "deliveryAddress": "incomplete"}
    assert world.order(FIRST).stage == NEEDS_ATTENTION


def test_the_warehouse_takes_only_the_revision_that_it_read(world: World) -> None:
    a_transferable(world)
    somebody_edits(world)
    assert acknowledge(world, If_Match='"1"').status == 412
    assert acknowledge(world, If_Match='"2"').status == 200


# Several at once ------------------------------------------------------------------------------------------------------


def bulk(world: World, orders: list[dict[str, Any]], role: str = "editor", **more: object) -> Answer:
    return world.call("POST", "/bulk/orders", {"orders": orders, **more}, role=role)


def test_each_order_of_a_bulk_change_succeeds_or_fails_by_itself(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    world.download(order_id=SECOND, buyer_email=None)
    answer = bulk(
        world,
        [
            {"orderId": FIRST, "patch": {"email": "typed@b.example.com", "stage": "New"}},
            {"orderId": SECOND, "release": True},
            {"orderId": THIRD, "release": True},
        ],
    )
    assert answer.status == 200
    first, second, third = answer.body["orders"]
    assert (first["orderId"], first["status"], first["order"]["stage"]) == (FIRST, 200, "New")
    assert (second["orderId"], second["status"], second["problem"]["code"]) == (SECOND, 409, "incomplete")
    assert (third["status"], third["problem"]["code"]) == (404, "notFound")
    assert world.order(FIRST).stage == "new"


def test_a_dry_run_shows_what_would_be_and_writes_nothing(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    answer = bulk(world, [{"orderId": FIRST, "patch": {"email": "typed@b.example.com", "stage": "New"}}], dryRun=True)
    assert (answer.body["dryRun"], answer.body["orders"][0]["order"]["stage"]) == (True, "New")
    assert world.order(FIRST).revision == 1


@pytest.mark.parametrize("is_dry_run", [False, True])
def test_each_result_of_a_bulk_change_has_its_own_warnings(world: World, is_dry_run: bool) -> None:
    for order_id in (FIRST, SECOND):
        world.download(order_id=order_id)
    wishes: list[dict[str, Any]] = [
        {"orderId": FIRST, "patch": {"deliveryAddress": {"phone": "1"}, "billingAddress": {"phone": "2"}}},
        {"orderId": SECOND, "patch": {"deliveryAddress": {"phone": "+1 503 555 0100"}}},
        {"orderId": THIRD, "release": True},
    ]
    first, second, third = bulk(world, wishes, dryRun=is_dry_run).body["orders"]
    assert list(warned_of(first)) == ["deliveryAddress.phone", "billingAddress.phone"]
    assert (second["status"], second["warnings"]) == (200, [])
    assert (third["status"], third["warnings"]) == (404, [])
    assert "warnings" not in first["order"]  # which is as it is read


def test_a_bulk_change_copies_each_delivery_address_that_there_is(world: World) -> None:
    world.download(order_id=FIRST)
    world.download(order_id=SECOND, delivery_address=None)
    wishes = [{"orderId": order_id, "patch": {"copyDeliveryToBilling": True}} for order_id in (FIRST, SECOND)]
    first, second = bulk(world, wishes).body["orders"]
    assert (first["status"], first["order"]["sources"]["billingAddress"]) == (200, "edited")
    assert (second["status"], second["problem"]["errors"][0]["code"]) == (422, "noDeliveryAddress")


def test_an_override_in_a_bulk_change_needs_an_administrator(world: World) -> None:
    world.download(order_id=FIRST, buyer_email=None)
    wish = {"orderId": FIRST, "patch": {"stage": "New", "override": {"reason": "known buyer"}}}
    assert bulk(world, [wish]).body["orders"][0]["status"] == 403
    assert bulk(world, [wish], role="administrator").body["orders"][0]["status"] == 200


def test_a_lost_race_in_a_bulk_change_is_redone(world: World) -> None:
    world.download(order_id=FIRST)
    with world.just_before("edit_orders", "UpdateItem", lambda: somebody_edits(world)):
        answer = bulk(world, [{"orderId": FIRST, "patch": {"firstName": "Nia"}}])
    assert answer.body["orders"][0]["order"]["revision"] == 3


@pytest.mark.parametrize(
    "orders",
    [
        [],
        [{"orderId": FIRST}],
        [{"orderId": FIRST, "release": True, "patch": {}}],
        [{"orderId": FIRST, "release": False}],
        [{"orderId": FIRST, "release": True}, {"orderId": FIRST, "patch": {}}],
        [{"orderId": str(n), "release": True} for n in range(101)],
        [{"orderId": FIRST, "patch": {"phone": "1"}}],
    ],
)
def test_a_bulk_change_that_is_none_is_refused_whole(world: World, orders: list[dict[str, Any]]) -> None:
    world.download(order_id=FIRST)
    assert bulk(world, orders).status == 422
    assert world.order(FIRST).revision == 1


# Notes of the desk ----------------------------------------------------------------------------------------------------


def test_an_order_is_assigned_and_commented_without_touching_its_verdict(world: World) -> None:
    before = world.download(order_id=FIRST, buyer_email=None)
    answer = patch(world, {"assignedTo": "zoe", "comment": "Asked the buyer for an address."})
    assert (answer.status, answer.body["assignedTo"]) == (200, "zoe")
    assert answer.body["comment"] == "Asked the buyer for an address."
    after = world.order(FIRST)
    assert (after.hold, after.missing, after.judged_at) == (before.hold, before.missing, before.judged_at)
    assert after.last_change is not None
    assert (after.last_change.cause, set(after.last_change.fields)) == ("note", {"assignedTo", "comment"})


def test_null_takes_a_note_back(world: World) -> None:
    world.download(order_id=FIRST)
    patch(world, {"assignedTo": "zoe", "comment": "x"})
    answer = patch(world, {"assignedTo": None, "comment": None})
    assert (answer.body["assignedTo"], answer.body["comment"]) == (None, None)


def test_a_note_is_taken_on_an_order_that_is_closed_to_all_else(world: World) -> None:
    world.download(order_id=FIRST, fulfillment_status="CANCELLED")
    assert patch(world, {"comment": "Refunded."}).status == 200


def test_a_note_goes_with_an_edit_in_one_write(world: World) -> None:
    before = world.download(order_id=FIRST, buyer_email=None)
    answer = patch(world, {"email": "ada@mail.example.com", "assignedTo": "zoe"})
    assert (answer.body["readyToRelease"], answer.body["assignedTo"]) == (True, "zoe")
    assert world.order(FIRST).revision == before.revision + 1


def test_a_redacted_order_has_lost_its_notes_and_takes_none(world: World) -> None:
    world.download(order_id=FIRST)
    patch(world, {"comment": "Ada Quill called.", "assignedTo": "zoe"})
    order = world.order(FIRST)
    world.orders.save(order, gate.redact(order, Settings(), NOON), by="clock", at=NOON, cause="redaction")
    assert (world.order(FIRST).comment, world.order(FIRST).assigned_to) == (None, None)
    for note in ({"comment": "Ada Quill called."}, {"assignedTo": "Ada Quill"}):
        answer = patch(world, note)
        assert (answer.status, answer.body["code"]) == (409, "redacted")
    assert patch(world, {"assignedTo": None, "comment": None}).status == 200


@pytest.mark.parametrize("body", [{"comment": ""}, {"comment": "x" * 2_001}, {"assignedTo": " "}, {"assignedTo": 7}])
def test_a_note_that_is_none_is_refused(world: World, body: dict[str, Any]) -> None:
    world.download(order_id=FIRST)
    answer = patch(world, body)
    assert (answer.status, list(answer.codes)) == (422, list(body))


def test_the_warehouse_sees_nothing_of_what_the_desk_notes(world: World) -> None:
    a_transferable(world)
    patch(world, {"comment": "Difficult.", "assignedTo": "zoe"})
    listed = world.call("GET", "/orders", role="warehouse")
    seen = [listed, acknowledge(world), world.call("GET", f"/orders/{FIRST}", role="warehouse")]
    assert len(listed.body["orders"]) == 1
    assert [answer.status for answer in seen] == [200, 200, 200]
    assert "Difficult." not in str(seen)
    assert "zoe" not in str([answer.body | {"lastChange": None} for answer in seen])


# Reports of the warehouse ---------------------------------------------------------------------------------------------


def report(world: World, what: str, body: object = None, role: str = "warehouse", **headers: Any) -> Answer:
    return world.call("POST", f"/orders/{FIRST}/{what}", body, role=role, **headers)


def test_the_warehouse_may_report_an_order_as_picked_any_number_of_times(world: World) -> None:
    a_transferable(world)
    acknowledge(world)
    first, second = report(world, "picked"), report(world, "picked")
    assert (first.status, second.status) == (200, 200)
    assert first.body["threePlStatus"] == "Picked by 3PL Successfully"
    assert first.body["revision"] == second.body["revision"]
    change = world.order(FIRST).last_change
    assert change is not None
    assert (change.cause, change.events) == ("picked", ("OrderPicked",))


def test_the_warehouse_reports_why_it_cannot_pick_an_order(world: World) -> None:
    a_transferable(world, ship_by=NOON - HOUR)
    acknowledge(world)
    answer = report(world, "transfer-failed", {"reason": "Unknown SKU LAMP-1"})
    assert (answer.status, answer.body["threePlStatus"]) == (200, "Transferred to 3PL with Errors")
    shown = world.call("GET", f"/orders/{FIRST}", role="reader").body
    assert (shown["warehouseError"], shown["shipByState"]) == ("Unknown SKU LAMP-1", "overdue")
    change = world.order(FIRST).last_change
    assert change is not None
    assert change.events == ("OrderTransferFailed",)
    assert report(world, "picked").body["warehouseError"] is None


@pytest.mark.parametrize("what", ["picked", "transfer-failed"])
def test_the_warehouse_cannot_report_on_an_order_that_it_has_not_taken(world: World, what: str) -> None:
    a_transferable(world)
    answer = report(world, what, {"reason": "Unknown SKU"} if what == "transfer-failed" else None, If_Match='"99"')
    assert (answer.status, answer.body["code"]) == (409, "notTransferred")
    assert "order" not in answer.body


def test_a_picked_order_can_no_longer_fail(world: World) -> None:
    a_transferable(world)
    acknowledge(world)
    report(world, "picked")
    answer = report(world, "transfer-failed", {"reason": "Too late"})
    assert (answer.status, answer.body["code"]) == (409, "alreadyPicked")


@pytest.mark.parametrize("status", ["Do Not Transfer to 3PL", "Transfer to 3PL Now"])
def test_a_person_takes_an_order_back_that_the_warehouse_could_not_pick(world: World, status: str) -> None:
    a_transferable(world)
    acknowledge(world)
    report(world, "transfer-failed", {"reason": "Unknown SKU LAMP-1"})
    answer = patch(world, {"threePlStatus": status})
    assert (answer.status, answer.body["threePlStatus"], answer.body["warehouseError"]) == (200, status, None)
    assert report(world, "picked").body["code"] == "notTransferred"
    assert acknowledge(world).status == (200 if status == "Transfer to 3PL Now" else 409)


def test_an_order_that_is_taken_back_must_pass_the_gate_again(world: World) -> None:
    a_transferable(world)
    acknowledge(world)
    report(world, "transfer-failed", {"reason": "No street"})
    order = world.order(FIRST)
    bare = order.amazon.model_copy(update={"buyer_email": None})
    world.orders.save(order, order.with_(amazon=bare), by="amazon", at=NOON, cause="download")
    answer = patch(world, {"threePlStatus": "Transfer to 3PL Now"})
    assert (answer.status, answer.body["code"]) == (409, "held")
    assert world.order(FIRST).three_pl_status is ThreePlStatus.WITH_ERRORS


@pytest.mark.parametrize("body", [{"threePlStatus": "Transfer to 3PL Now"}, {"stage": "New"}, {"threePlStatus": None}])
def test_nobody_takes_back_an_order_that_the_warehouse_is_picking(world: World, body: dict[str, Any]) -> None:
    a_transferable(world)
    acknowledge(world)
    assert patch(world, body).body["code"] == "alreadyTransferred"


def test_the_words_of_the_warehouse_are_gone_after_redaction(world: World) -> None:
    a_transferable(world)
    acknowledge(world)
    report(world, "transfer-failed", {"reason": "Ada Quill moved"})
    order = world.order(FIRST)
    world.orders.save(order, gate.redact(order, Settings(), NOON), by="clock", at=NOON, cause="redaction")
    assert world.order(FIRST).warehouse_error is None


def test_a_failed_pick_of_a_redacted_order_keeps_no_words_of_the_warehouse(world: World) -> None:
    a_transferable(world)
    acknowledge(world)
    order = world.order(FIRST)
    world.orders.save(order, gate.redact(order, Settings(), NOON), by="clock", at=NOON, cause="redaction")
    assert report(world, "transfer-failed", {"reason": "Ada Quill moved"}).status == 200
    failed = world.order(FIRST)
    assert (failed.three_pl_status, failed.warehouse_error) == (ThreePlStatus.WITH_ERRORS, "[redacted]")


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "x" * 501}, {"reason": 7}])
def test_a_failure_without_a_reason_is_refused(world: World, body: dict[str, Any]) -> None:
    a_transferable(world)
    acknowledge(world)
    assert report(world, "transfer-failed", body).status == 422

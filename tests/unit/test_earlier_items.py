"""Orders of the release before: read into the form of now, and mirrored so that it ends no hold it does not know."""

from typing import Any

import pytest

from needs_attention.orders.decisions import Decisions
from needs_attention.orders.edits import Edits, unsettled
from needs_attention.orders.order import Hold, Order
from needs_attention.orders.settings import NEEDS_ATTENTION, Settings, ThreePlStatus
from needs_attention.orders.verdict import judged
from needs_attention.tables.earlier_items import as_written_now, is_of_the_release_before, mirrored_hold
from needs_attention.tables.order_items import to_item
from needs_attention.values.times import instant
from tools.builders import (
    LATER,
    NOON,
    SHIP_BY,
    a_held_order,
    a_judged_order,
    a_line,
    an_address,
    an_amazon_order,
    an_order,
    by_hand,
    decided,
    edited,
    snoozed,
)

SINCE = instant(NOON)
DO_NOT_TRANSFER, NOW = ThreePlStatus.DO_NOT_TRANSFER, ThreePlStatus.NOW


def read(edits: dict[str, Any] | None = None, hold: dict[str, Any] | None = None, **values: Any) -> dict[str, Any]:
    return as_written_now({"revision": 3, "amazon": {}, "edits": edits or {}, **values}, hold)


def test_items_are_of_the_schema_that_the_release_before_reads() -> None:
    assert to_item(a_held_order())["schemaVersion"] == {"N": "1"}


def edits_read(edits: dict[str, Any]) -> Edits:
    return Edits.model_validate(read(edits)["edits"])


@pytest.mark.parametrize(
    ("values", "is_earlier"),
    [
        ({"revision": 3}, True),
        ({"revision": 3, "apartUntil": 3}, False),
        ({"revision": 4, "apartUntil": 3}, True),
        ({"revision": 0, "apartUntil": 0}, False),
    ],
    ids=str,
)
def test_an_item_counts_as_earlier_if_that_release_wrote_it_last(values: dict[str, int], is_earlier: bool) -> None:
    assert is_of_the_release_before(values) == is_earlier


# Mirrored for the release before --------------------------------------------------------------------------------------

HELD_AGAIN = Hold(since=NOON, after_release=True)


@pytest.mark.parametrize(
    ("hold", "decisions", "mirror"),
    [
        (None, Decisions(), None),
        (None, decided(three_pl_status=DO_NOT_TRANSFER), None),
        (Hold(since=NOON), Decisions(), {"kind": "missing", "since": SINCE}),
        (HELD_AGAIN, Decisions(), {"kind": "missing", "since": SINCE, "afterRelease": True}),
        (
            Hold(since=NOON),
            decided(three_pl_status=DO_NOT_TRANSFER),
            {"kind": "manual", "since": SINCE, "of": "missing"},
        ),
        (Hold(since=NOON), decided(not_sent=True), {"kind": "manual", "since": SINCE, "of": "missing"}),
        (Hold(since=NOON), decided(three_pl_status=NOW), {"kind": "missing", "since": SINCE}),
        (Hold(since=NOON), decided(hold=by_hand(LATER)), {"kind": "manual", "since": SINCE}),
        (None, decided(hold=by_hand(LATER)), {"kind": "manual", "since": instant(LATER)}),
        (
            None,
            decided(hold=snoozed(SHIP_BY)),
            {"kind": "snoozed", "since": SINCE, "until": instant(SHIP_BY), "wasManual": True},
        ),
    ],
    ids=str,
)
def test_each_hold_is_mirrored_as_one_that_release_does_not_end(
    hold: Hold | None, decisions: Decisions, mirror: dict[str, Any] | None
) -> None:
    order = a_judged_order(hold=hold, decisions=decisions, stage=NEEDS_ATTENTION)

    assert mirrored_hold(order) == mirror


BACK = an_amazon_order(came_back_from="shipped", doubts=2)
ASKED = an_amazon_order(line_items=(a_line(asked_to_cancel=True),))
TYPED = edited(an_amazon_order(), email="typed@example.com").model_copy(update={"settled": {}})


IN_THE_US = an_amazon_order(delivery_address=an_address(postal_code=None))
IN_CROATIA = {"line1": "Ulica 1", "city": "Zagreb", "state_or_region": "", "country_code": "HR", "postal_code": ""}


def in_country(code: str) -> Order:
    """Held, because its addresses lack nothing but a postal code."""
    address = an_address(postal_code=None, country_code=code)
    return a_judged_order(an_amazon_order(delivery_address=address))


@pytest.mark.parametrize(
    ("order", "kind"),
    [
        (a_held_order(), "missing"),
        (a_judged_order(an_amazon_order(line_items=())), "missing"),
        (a_judged_order(ASKED), "missing"),
        (a_judged_order(BACK), "manual"),
        (a_judged_order(an_amazon_order(fulfillment_status="NEW_ONE")), "manual"),
        (a_judged_order(an_amazon_order(line_items=(a_line(is_cancelled=True),))), "manual"),
        (a_judged_order(an_amazon_order(line_items=(a_line(quantity_unfulfilled=0),))), "manual"),
        (
            a_judged_order(an_amazon_order(line_items=()), edits=edited(BACK, line_items=(a_line(quantity=None),))),
            "manual",
        ),
        (a_judged_order(ASKED, edits=edited(an_amazon_order(), confirmed=("buyerRequestedCancel",))), "manual"),
        (judged(an_order(edits=TYPED), Settings(), NOON), "manual"),
        (in_country("US"), "missing"),
        (in_country("HR"), "manual"),
        (a_judged_order(in_country("US").amazon, edits=edited(IN_THE_US, billing_address=IN_CROATIA)), "manual"),
        (a_judged_order(an_amazon_order(recipient_name="Cher")), "missing"),
        (
            a_judged_order(an_amazon_order(recipient_name="Cher"), edits=edited(IN_THE_US, name={"last_name": "Moss"})),
            "manual",
        ),
        (a_judged_order(an_amazon_order(recipient_name="Fru Hansen")), "manual"),
        (a_judged_order(an_amazon_order(recipient_name="Nair #204")), "manual"),
        (a_judged_order(an_amazon_order(recipient_name=None, buyer_name=None)), "missing"),
    ],
    ids=[
        *("gap", "no lines", "asked", "back", "status", "cancelled", "none left", "typed", "asked again", "differs"),
        *("US", "HR", "billed in HR", "one word", "one word typed", "honorific", "number", "no name"),
    ],
)
def test_a_hold_whose_reason_that_release_does_not_know_is_by_hand_there(order: Order, kind: str) -> None:
    assert order.hold is not None
    assert (mirrored_hold(order) or {})["kind"] == kind


def test_an_order_back_from_shipped_stays_in_doubt_through_that_release() -> None:
    mirror = mirrored_hold(a_judged_order(BACK))
    as_told = {"fulfillmentStatus": "UNSHIPPED"}

    assert read(hold=mirror, amazon=as_told)["amazon"] == as_told | {"cameBackFrom": "shipped", "doubts": 2}
    assert read(hold=mirror, amazon={"fulfillmentStatus": "SHIPPED"})["amazon"] == {"fulfillmentStatus": "SHIPPED"}
    assert read(hold=mirror, amazon=as_told, apartUntil=3)["amazon"] == as_told


def test_a_hold_mirrored_as_by_hand_is_read_back_as_nobodys_decision() -> None:
    mirror = mirrored_hold(a_judged_order(BACK))
    values = read(hold=mirror, missing=[{"field": "email", "reason": "blank"}])

    assert (values["hold"], values["decisions"]) == ({"since": SINCE, "afterRelease": False}, {"hold": None})


@pytest.mark.parametrize("order", [a_held_order(), a_judged_order()], ids=["held", "let go"])
def test_a_mirrored_hold_is_read_back_as_it_was(order: Order) -> None:
    read_back = read(hold=mirrored_hold(order))["hold"]

    assert (Hold.model_validate(read_back) if read_back else None) == order.hold


# Read into the form of now --------------------------------------------------------------------------------------------


def test_a_hold_of_a_verdict_is_nobodys_decision() -> None:
    values = read(hold={"kind": "missing", "since": SINCE, "afterRelease": True})

    assert values["hold"] == {"since": SINCE, "afterRelease": True}
    assert values["decisions"] == {"hold": None}


def test_a_hold_by_hand_on_a_complete_order_lies_over_one_let_go() -> None:
    values = read(hold={"kind": "manual", "since": SINCE})

    assert values["hold"] is None
    assert values["decisions"]["hold"] == {"by": "before this release", "at": SINCE}


def test_a_hold_by_hand_on_an_incomplete_order_lies_over_a_verdicts() -> None:
    values = read(hold={"kind": "manual", "since": SINCE}, missing=[{"field": "email", "reason": "blank"}])

    assert values["hold"] == {"since": SINCE, "afterRelease": False}
    assert values["decisions"]["hold"]["at"] == SINCE


@pytest.mark.parametrize("was_manual", [True, False])
def test_what_lies_under_a_snooze_is_judged_at_its_end(was_manual: bool) -> None:
    until = instant(SHIP_BY)
    hold = {"kind": "snoozed", "since": SINCE, "until": until, "wasManual": was_manual}
    values = read(hold=hold)

    assert values["hold"] == {"since": SINCE, "afterRelease": False}
    assert values["decisions"]["hold"] == {
        "by": "before this release",
        "at": SINCE,
        "until": until,
        "wasManual": was_manual,
    }


def test_a_decision_to_hold_that_is_stored_keeps_who_and_when() -> None:
    known = {"by": "ada", "at": SINCE}
    values = read(hold={"kind": "manual", "since": SINCE}, decisions={"hold": known, "stage": {"stage": "packing"}})

    assert values["decisions"] == {"hold": known, "stage": {"stage": "packing"}}


def test_a_hold_that_the_release_before_ended_is_over() -> None:
    values = read(hold=None, decisions={"hold": {"by": "ada", "at": SINCE}})

    assert (values["hold"], values["decisions"]["hold"]) == (None, None)


def test_of_an_earlier_address_only_the_parts_that_differed_are_typed() -> None:
    amazons = {"addressLine1": "12 Harbor Street", "city": "Portland", "countryCode": "US", "phone": "1"}
    typed = {"addressLine1": "5 Mill Road", "city": "Portland", "countryCode": "US"}
    edits = edits_read({"deliveryAddress": typed, "amazonThen": {"deliveryAddress": amazons}})

    assert edits.delivery_address is not None
    assert edits.delivery_address.model_dump(exclude_none=True) == {"line1": "5 Mill Road", "phone": ""}


def test_an_earlier_name_is_typed_in_both_parts_and_its_company_if_any() -> None:
    edits = edits_read({"name": {"firstName": "Bo", "lastName": ""}, "amazonThen": {"name": "Ada Quill"}})
    assert edits.name is not None
    assert (edits.name.first_name, edits.name.last_name, edits.name.company) == ("Bo", "", None)

    edits = edits_read({"name": {"company": "Quill Works"}, "amazonThen": {}})
    assert edits.name is not None
    assert (edits.name.first_name, edits.name.last_name, edits.name.company) == ("", "", "Quill Works")


def test_what_amazon_said_when_the_person_typed_is_settled() -> None:
    line = a_line().model_dump(by_alias=True, mode="json")
    then = {
        "name": "Ada Quill",
        "email": "ada@marketplace.example.com",
        "deliveryAddress": an_address().model_dump(by_alias=True),
        "lineItems": [{**line, "aFieldOfThen": True}],
    }
    edits = edits_read(
        {
            "name": {"firstName": "Bo", "lastName": "Ortiz"},
            "email": "typed@example.com",
            "deliveryAddress": {"addressLine1": "5 Mill Road"},
            "lineItems": [{**line, "sellerSku": "TYPED"}],
            "amazonThen": then,
        }
    )

    assert unsettled(edits, an_amazon_order()) == ()
    changed = an_amazon_order(recipient_name="Cy Quill", buyer_email="new@example.com", line_items=())
    assert unsettled(edits, changed) == ("email", "lineItems", "name")


def test_lines_typed_where_amazon_had_no_list_settle_nothing() -> None:
    line = a_line(seller_sku="TYPED").model_dump(by_alias=True, mode="json")
    edits = edits_read({"lineItems": [line], "amazonThen": {"lineItems": None}})

    assert unsettled(edits, an_amazon_order(line_items=None)) == ()
    assert unsettled(edits, an_amazon_order()) == ("lineItems",)


def test_an_earlier_answer_to_a_request_answers_the_whole_order() -> None:
    edits = edits_read({"confirmed": ["email", "buyerRequestedCancel"], "amazonThen": {}})

    assert (edits.confirmed, edits.answered_requests) == (("email", "buyerRequestedCancel"), ("*",))


def test_an_accepted_request_of_earlier_is_an_answer_now() -> None:
    accepted = [{"field": "email", "reason": "blank"}, {"field": "buyerRequestedCancel", "reason": "asked"}]
    values = read({"amazonThen": {}}, accepted=accepted)

    assert values["accepted"] == accepted[:1]
    assert (values["edits"]["confirmed"], values["edits"]["answeredRequests"]) == (["buyerRequestedCancel"], ["*"])


def test_edits_in_the_form_of_now_are_left_as_they_are() -> None:
    edits = {"email": "typed@example.com", "settled": {"email": ""}, "amazonThen": {"email": "x@example.com"}}

    assert read(edits)["edits"] == edits

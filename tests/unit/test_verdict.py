"""The verdict: the table row by row, and the laws that hold in every possible situation."""

from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError
from datetime import datetime, timedelta
from functools import cache
from itertools import product
from typing import Any, Literal, NamedTuple, get_args

import pytest

from needs_attention.orders.changes import happened
from needs_attention.orders.edits import Edits
from needs_attention.orders.order import Hold, Missing, Order
from needs_attention.orders.settings import NEEDS_ATTENTION, Settings, ThreePlStatus
from needs_attention.orders.verdict import (
    REDOWNLOAD_AFTER,
    ROWS,
    RowName,
    Situation,
    Verdict,
    digest,
    judge,
    judged,
    next_redownload,
)
from tools.builders import (
    CREATED,
    LATER,
    LATER_STILL,
    NOON,
    a_held_order,
    a_judged_order,
    a_line,
    a_typed_name,
    accepting,
    an_address,
    an_amazon_order,
    an_fba_order,
    an_order,
    downloaded_again,
    edited,
    without_checks,
)

BY_DEFAULT = Settings()
EAGER = Settings(default_stage="ready", default_three_pl_status=ThreePlStatus.NOW, auto_dispatch_orders=True)
DO_NOT_TRANSFER = ThreePlStatus.DO_NOT_TRANSFER
HANDED_OVER = [ThreePlStatus.TRANSFERRED, ThreePlStatus.WITH_ERRORS, ThreePlStatus.PICKED]
BY_A_PERSON = [Hold(kind="manual", since=NOON), Hold(kind="snoozed", since=NOON, until=LATER_STILL)]


def fields_of(missing: tuple[Missing, ...]) -> list[str]:
    return [item.field for item in missing]


def is_held_whatever_the_defaults_say(order: Order) -> bool:
    """The three overrides of an incomplete order: Stage, Status and 3PL Status."""
    return (order.stage, order.status, order.three_pl_status) == (NEEDS_ATTENTION, "Open", DO_NOT_TRANSFER)


# Redacted -------------------------------------------------------------------------------------------------------------


def test_a_redacted_order_is_closed_with_the_default_stage() -> None:
    order = a_held_order(redacted_at=NOON)

    after = judged(order, EAGER, LATER)
    assert judge(Situation(order, EAGER)).row == "redacted"
    assert (after.hold, after.missing, after.stage, after.three_pl_status) == (None, (), "ready", DO_NOT_TRANSFER)
    assert not after.is_pending


@pytest.mark.parametrize("status", HANDED_OVER)
def test_a_redacted_order_stays_with_the_warehouse_that_has_it(status: ThreePlStatus) -> None:
    assert judged(an_order(redacted_at=NOON, three_pl_status=status), EAGER, LATER).three_pl_status is status


@pytest.mark.parametrize("status", [ThreePlStatus.NOW, ThreePlStatus.UPON_COMPLETION])
def test_a_redacted_order_never_goes_to_the_warehouse(status: ThreePlStatus) -> None:
    assert judged(an_order(redacted_at=NOON, three_pl_status=status), EAGER, LATER).three_pl_status is DO_NOT_TRANSFER


def test_redaction_undoes_neither_a_dispatch_nor_a_cancellation() -> None:
    dispatched = a_judged_order(redacted_at=LATER, dispatched_by="person", fully_dispatched_at=NOON)
    void = a_judged_order(redacted_at=LATER, voided_at=NOON)

    after = judged(dispatched, EAGER, LATER_STILL)
    assert (after.dispatched_by, after.fully_dispatched_at) == ("person", NOON)
    assert judged(void, EAGER, LATER_STILL).voided_at == NOON


def test_a_redacted_order_keeps_a_stage_that_people_gave_it() -> None:
    assert judged(a_judged_order(redacted_at=NOON, stage="archive"), EAGER, LATER).stage == "archive"


def test_a_redacted_order_that_amazon_cancels_is_only_redacted() -> None:
    order = an_order(an_amazon_order(fulfillment_status="CANCELLED"), redacted_at=NOON)

    assert judge(Situation(order, EAGER)).row == "redacted"
    assert judged(order, EAGER, LATER).voided_at is None


# Out of our hands -----------------------------------------------------------------------------------------------------


def handed_over(settings: Settings = BY_DEFAULT, **fields: Any) -> Order:
    order = a_judged_order(three_pl_status=ThreePlStatus.TRANSFERRED, stage="packing", **fields)
    return order.with_(handed_over_digest=digest(order, settings))


@pytest.mark.parametrize("status", HANDED_OVER)
def test_an_order_at_the_warehouse_is_left_alone(status: ThreePlStatus) -> None:
    order = handed_over(dispatched_by="us", fully_dispatched_at=NOON, missing=(Missing(field="x", reason="y"),))
    order = downloaded_again(order.with_(three_pl_status=status), line_items=())

    after = judged(order, EAGER, LATER)
    assert judge(Situation(order, EAGER)).row == "outOfOurHands"
    assert fields_of(after.missing) == ["x"]
    left_alone = {"missing": order.missing, "alerts": (), "handed_over_digest": order.handed_over_digest}
    assert after.model_copy(update=left_alone) == order.with_(pending_since=None, judged_at=LATER, is_live=True)


def test_a_void_order_stays_void_even_if_amazon_thinks_again() -> None:
    order = a_judged_order(voided_at=NOON, three_pl_status=DO_NOT_TRANSFER, stage="archive")
    order = downloaded_again(order, fulfillment_status="UNSHIPPED")

    after = judged(order, EAGER, LATER)
    assert judge(Situation(order, EAGER)).row == "outOfOurHands"
    assert (after.voided_at, after.stage, after.three_pl_status, after.alerts) == (NOON, "archive", DO_NOT_TRANSFER, ())


def test_a_cancellation_after_the_hand_over_raises_one_alert() -> None:
    order = downloaded_again(handed_over(), fulfillment_status="CANCELLED")

    after = judged(order, BY_DEFAULT, LATER)
    assert after.alerts == ("CancelledAfterHandOver",)
    assert after.voided_at is None
    assert after.three_pl_status is ThreePlStatus.TRANSFERRED
    assert judged(after, BY_DEFAULT, LATER).alerts == ("CancelledAfterHandOver",)


@pytest.mark.parametrize(
    "change",
    [
        {"delivery_address": an_address(line1="5 Mill Road")},
        {"recipient_name": "Bo Quill"},
        {"recipient_name": "Ada Quell"},
        {"line_items": (a_line(quantity=1),)},
        {"buyer_company_name": "Quill Works"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_change_of_data_told_to_the_warehouse_raises_an_alert(change: dict[str, Any]) -> None:
    order = downloaded_again(handed_over(alerts=("EarlierAlert",)), **change)

    assert judged(order, BY_DEFAULT, LATER).alerts == ("EarlierAlert", "ChangedAfterHandOver")


@pytest.mark.parametrize("change", [{"buyer_email": "bo@example.com"}, {"updated_at": LATER}, {"is_gift": True}])
def test_any_other_change_after_the_hand_over_raises_no_alert(change: dict[str, Any]) -> None:
    order = downloaded_again(handed_over(), **change)

    assert judged(order, BY_DEFAULT, LATER).alerts == ()


@pytest.mark.parametrize(
    ("change", "alerts"),
    [
        ({"phone": None}, ()),
        ({"phone": "+1 503 555 0199"}, ()),
        ({"address_type": None}, ()),
        ({"address_type": "COMMERCIAL"}, ()),
        ({"city": "Salem"}, ("ChangedAfterHandOver",)),
        ({"company_name": "Quill Works"}, ("ChangedAfterHandOver",)),
    ],
)
def test_only_the_destination_in_an_address_counts_as_changed(
    change: dict[str, str | None], alerts: tuple[str, ...]
) -> None:
    told: dict[str, str | None] = {"phone": "+1 503 555 0100", "address_type": "RESIDENTIAL"}
    order = handed_over(amazon=an_amazon_order(delivery_address=an_address(**told)))
    order = downloaded_again(order, delivery_address=an_address(**told | change))

    assert judged(order, BY_DEFAULT, LATER).alerts == alerts


def test_a_second_kind_of_alert_joins_the_first() -> None:
    changed = judged(downloaded_again(handed_over(), line_items=()), BY_DEFAULT, LATER)
    cancelled = judged(downloaded_again(changed, fulfillment_status="CANCELLED"), BY_DEFAULT, LATER)

    assert cancelled.alerts == ("ChangedAfterHandOver", "CancelledAfterHandOver")


def test_the_digest_of_a_hand_over_leaves_no_trace_of_the_buyer() -> None:
    fingerprint = digest(an_order(), BY_DEFAULT)

    assert len(fingerprint) == 64
    assert int(fingerprint, 16)


# Cancelled ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["CANCELLED", "UNFULFILLABLE"])
@pytest.mark.parametrize("before", [an_order(), a_judged_order(), a_held_order(), a_held_order(hold=BY_A_PERSON[0])])
def test_an_order_that_amazon_cancels_is_void_and_no_longer_held(before: Order, status: str) -> None:
    order = downloaded_again(before, fulfillment_status=status)

    after = judged(order, EAGER, LATER)
    assert judge(Situation(order, EAGER)).row == "cancelled"
    assert after.status == "Void"
    assert (after.voided_at, after.hold, after.missing) == (LATER, None, ())
    assert (after.three_pl_status, after.alerts) == (DO_NOT_TRANSFER, ())
    assert after.stage == ("new" if before.stage == "new" else "ready")


def test_an_order_read_from_storage_is_judged_the_same() -> None:
    stored = Order.model_validate_json(a_held_order().model_dump_json(by_alias=True))

    assert judged(downloaded_again(stored, fulfillment_status="CANCELLED"), EAGER, LATER).stage == "ready"


@pytest.mark.parametrize(
    ("dispatched_by", "alerts"),
    [("us", ("CancelledAfterDispatch",)), ("person", ("CancelledAfterDispatch",)), ("amazon", ()), (None, ())],
)
def test_a_cancellation_after_our_dispatch_raises_an_alert(dispatched_by: Any, alerts: tuple[str, ...]) -> None:
    order = a_judged_order(dispatched_by=dispatched_by, fully_dispatched_at=NOON if dispatched_by else None)
    after = judged(downloaded_again(order, fulfillment_status="CANCELLED"), BY_DEFAULT, LATER)

    assert after.alerts == alerts
    assert after.dispatched_by == dispatched_by
    assert after.fully_dispatched_at == order.fully_dispatched_at


# Shipped --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [an_order(), a_judged_order(), a_held_order(), a_held_order(hold=BY_A_PERSON[1])])
def test_an_order_that_amazon_calls_shipped_never_ships_twice(before: Order) -> None:
    order = downloaded_again(before, fulfillment_status="SHIPPED")

    after = judged(order, EAGER, LATER)
    assert judge(Situation(order, EAGER)).row == "shipped"
    assert (after.status, after.dispatched_by, after.fully_dispatched_at) == ("Dispatched", "amazon", LATER)
    assert (after.three_pl_status, after.hold, after.missing) == (DO_NOT_TRANSFER, None, ())
    assert not after.is_fulfillable


def test_an_order_first_seen_shipped_is_not_held() -> None:
    order = an_order(an_amazon_order(fulfillment_status="SHIPPED", buyer_email=None, delivery_address=None))

    assert judged(order, BY_DEFAULT, LATER).hold is None


def test_a_dispatch_of_ours_stays_ours_when_amazon_ships() -> None:
    order = a_judged_order(dispatched_by="person", fully_dispatched_at=NOON)
    after = judged(downloaded_again(order, fulfillment_status="SHIPPED"), BY_DEFAULT, LATER)

    assert (after.dispatched_by, after.fully_dispatched_at) == ("person", NOON)


# Draft ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["PENDING", "PENDING_AVAILABILITY"])
def test_an_order_that_amazon_has_not_released_is_an_unheld_draft(status: str) -> None:
    order = an_order(an_amazon_order(fulfillment_status=status, buyer_email=None, line_items=None))

    after = judged(order, EAGER, LATER)
    assert judge(Situation(order, EAGER)).row == "draft"
    assert (after.status, after.stage, after.hold, after.missing) == ("Draft", None, None, ())
    assert after.three_pl_status is DO_NOT_TRANSFER
    assert after.dispatched_by is None
    assert not after.is_pending


def test_a_draft_is_judged_when_amazon_releases_it() -> None:
    draft = judged(an_order(an_amazon_order(fulfillment_status="PENDING", buyer_email=None)), EAGER, NOON)

    released = downloaded_again(draft, fulfillment_status="UNSHIPPED")
    assert draft.judged_at is None
    assert judge(Situation(released, EAGER)).row == "newAndIncomplete"
    assert judge(Situation(downloaded_again(released, buyer_email="ada@example.com"), EAGER)).row == "newAndComplete"


# Fulfilled by Amazon --------------------------------------------------------------------------------------------------


def test_an_order_that_amazon_fulfils_never_goes_to_the_3pl() -> None:
    after = judged(an_order(an_fba_order()), EAGER, LATER)

    assert judge(Situation(an_order(an_fba_order()), EAGER)).row == "fulfilledByAmazon"
    assert (after.stage, after.status, after.three_pl_status) == ("ready", "Open", DO_NOT_TRANSFER)
    assert (after.hold, after.missing) == (None, ())


def test_an_order_that_amazon_fulfils_is_held_without_lines() -> None:
    after = judged(an_order(an_fba_order(line_items=None)), EAGER, NOON)

    assert fields_of(after.missing) == ["lineItems"]
    assert is_held_whatever_the_defaults_say(after)


def test_an_order_that_amazon_fulfils_heals_when_its_lines_arrive() -> None:
    held = judged(an_order(an_fba_order(line_items=None)), EAGER, NOON)
    after = judged(downloaded_again(held, line_items=(a_line(),)), EAGER, LATER)

    assert (after.hold, after.stage, after.three_pl_status) == (None, "ready", DO_NOT_TRANSFER)


def test_an_order_that_amazon_fulfils_keeps_a_stage_from_people() -> None:
    order = judged(an_order(an_fba_order()), EAGER, NOON).with_(stage="archive")

    assert judged(downloaded_again(order, updated_at=LATER), EAGER, LATER).stage == "archive"


def test_a_released_draft_that_amazon_fulfils_gets_the_default_stage() -> None:
    draft = judged(an_order(an_fba_order(fulfillment_status="PENDING")), EAGER, NOON)

    assert judged(downloaded_again(draft, fulfillment_status="UNSHIPPED"), EAGER, LATER).stage == "ready"


@pytest.mark.parametrize("hold", BY_A_PERSON, ids=lambda hold: hold.kind)
def test_a_persons_hold_stands_for_an_order_that_amazon_fulfils(hold: Hold) -> None:
    order = judged(an_order(an_fba_order()), EAGER, NOON).with_(hold=hold, stage=NEEDS_ATTENTION)

    assert judge(Situation(order, EAGER)).row == "heldByAPerson"


def test_an_accepted_gap_sends_no_order_that_amazon_fulfils_to_the_3pl() -> None:
    amazon = an_fba_order()
    order = an_order(amazon, edits=edited(amazon, line_items=()), accepted=accepting("lineItems"))
    held = order.with_(judged_at=NOON, hold=Hold(kind="missing", since=NOON), stage=NEEDS_ATTENTION)

    after = judged(held, EAGER, LATER)
    assert judge(Situation(held, EAGER)).row == "fulfilledByAmazon"
    assert (after.hold, after.three_pl_status, fields_of(after.missing)) == (None, DO_NOT_TRANSFER, ["lineItems"])


def test_a_dispatch_of_an_order_that_amazon_fulfils_is_kept() -> None:
    order = judged(an_order(an_fba_order()), EAGER, NOON).with_(dispatched_by="amazon", fully_dispatched_at=NOON)

    after = judged(order, EAGER, LATER)
    assert (judge(Situation(order, EAGER)).row, after.dispatched_by, after.fully_dispatched_at) == (
        "fulfilledByAmazon",
        "amazon",
        NOON,
    )


# Dispatched -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dispatched_by", ["us", "person", "amazon"])
def test_a_dispatched_order_not_meant_for_the_3pl_is_left_alone(dispatched_by: str) -> None:
    order = a_judged_order(
        dispatched_by=dispatched_by, fully_dispatched_at=NOON, three_pl_status=DO_NOT_TRANSFER, stage="archive"
    )
    order = downloaded_again(order, line_items=())

    after = judged(order, EAGER, LATER)
    assert judge(Situation(order, EAGER)).row == "dispatched"
    assert fields_of(after.missing) == ["lineItems"]
    assert (after.status, after.stage, after.hold) == ("Dispatched", "archive", None)
    assert (after.dispatched_by, after.fully_dispatched_at, after.three_pl_status) == (
        dispatched_by,
        NOON,
        DO_NOT_TRANSFER,
    )


# Held by a person -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hold", BY_A_PERSON, ids=lambda hold: hold.kind)
@pytest.mark.parametrize("amazon", [{}, {"line_items": ()}], ids=["complete", "incomplete"])
def test_a_persons_hold_outlasts_every_verdict(hold: Hold, amazon: dict[str, Any]) -> None:
    order = a_judged_order(hold=hold, stage=NEEDS_ATTENTION, three_pl_status=DO_NOT_TRANSFER)
    order = downloaded_again(order, **amazon)

    after = judged(order, EAGER, LATER)
    assert judge(Situation(order, EAGER)).row == "heldByAPerson"
    assert after.hold == hold
    assert is_held_whatever_the_defaults_say(after)
    assert fields_of(after.missing) == (["lineItems"] if amazon else [])


@pytest.mark.parametrize("hold", BY_A_PERSON, ids=lambda hold: hold.kind)
def test_a_persons_hold_closes_an_open_way_to_the_warehouse(hold: Hold) -> None:
    order = a_judged_order(hold=hold, stage="new", three_pl_status=ThreePlStatus.NOW)

    assert is_held_whatever_the_defaults_say(judged(order, EAGER, LATER))


# New and complete -----------------------------------------------------------------------------------------------------


def test_a_complete_order_gets_the_defaults() -> None:
    after = judged(an_order(), Settings(default_stage="ready"), LATER)

    assert judge(Situation(an_order(), BY_DEFAULT)).row == "newAndComplete"
    assert (after.stage, after.status, after.three_pl_status) == ("ready", "Open", ThreePlStatus.UPON_COMPLETION)
    assert (after.hold, after.missing, after.dispatched_by, after.fully_dispatched_at) == (None, (), None, None)
    assert (after.pending_since, after.judged_at) == (None, LATER)


def test_auto_dispatch_sends_a_complete_order_at_once() -> None:
    after = judged(an_order(), EAGER, LATER)

    assert (after.status, after.dispatched_by, after.fully_dispatched_at) == ("Dispatched", "us", LATER)


def test_only_a_person_sends_the_rest_of_a_partly_shipped_order() -> None:
    after = judged(an_order(an_amazon_order(fulfillment_status="PARTIALLY_SHIPPED")), EAGER, LATER)

    assert (after.stage, after.three_pl_status) == ("ready", ThreePlStatus.DO_NOT_TRANSFER)
    assert (after.status, after.dispatched_by) == ("Open", None)


def test_each_change_of_the_parcel_after_hand_over_is_told_once() -> None:
    order = handed_over()
    (line,) = order.amazon.line_items or ()
    shipped = judged(
        downloaded_again(order, line_items=(line.model_copy(update={"quantity_fulfilled": 1, "title": "New"}),)),
        EAGER,
        LATER,
    )
    assert shipped.alerts == ()
    moved = judged(downloaded_again(shipped, delivery_address=an_address(line1="5 Other Road")), EAGER, LATER)
    again = judged(downloaded_again(moved, delivery_address=an_address(line1="6 Other Road")), EAGER, LATER)
    same = judged(again.with_(pending_since=LATER), EAGER, LATER)
    assert happened(shipped, moved, by_a_person=False) == ("ChangedAfterHandOver",)
    assert happened(moved, again, by_a_person=False) == ("ChangedAfterHandOver",)
    assert happened(again, same, by_a_person=False) == ()


def test_a_held_order_that_amazon_takes_back_becomes_a_draft() -> None:
    pending = judged(downloaded_again(a_held_order(), fulfillment_status="PENDING"), EAGER, LATER)

    assert (pending.hold, pending.stage, pending.status) == (None, None, "Draft")


def test_a_persons_hold_lasts_while_amazon_calls_the_order_pending() -> None:
    held = a_judged_order(hold=Hold(kind="manual", since=NOON), stage=NEEDS_ATTENTION)
    pending = judged(downloaded_again(held, fulfillment_status="PENDING"), EAGER, LATER)
    after = judged(downloaded_again(pending, fulfillment_status="UNSHIPPED"), EAGER, LATER)

    assert (after.hold, after.stage, after.is_transferable) == (held.hold, NEEDS_ATTENTION, False)


@pytest.mark.parametrize(
    ("amazon", "settings"),
    [
        ({}, {"go_live_date": CREATED + timedelta(milliseconds=1)}),
        ({}, {"trial_mode": True}),
    ],
    ids=["before going live", "trial mode"],
)
def test_auto_dispatch_sends_nothing_that_may_not_leave(amazon: dict[str, Any], settings: dict[str, Any]) -> None:
    after = judged(an_order(an_amazon_order(**amazon)), EAGER.model_copy(update=settings), LATER)

    assert (after.stage, after.three_pl_status) == ("ready", ThreePlStatus.NOW)
    assert (after.status, after.dispatched_by, after.fully_dispatched_at) == ("Open", None, None)


def test_an_order_created_at_the_go_live_date_is_dispatched() -> None:
    after = judged(an_order(), EAGER.model_copy(update={"go_live_date": CREATED}), LATER)

    assert after.dispatched_by == "us"


def test_an_unknown_status_at_amazon_is_judged_like_an_open_one() -> None:
    for status in ["TELEPORTED", None]:
        assert judge(Situation(an_order(an_amazon_order(fulfillment_status=status)), EAGER)).row == "newAndComplete"


def test_a_new_order_whose_gaps_were_accepted_gets_the_defaults() -> None:
    order = an_order(an_amazon_order(buyer_email=None), accepted=accepting("email"))

    after = judged(order, EAGER, LATER)
    assert judge(Situation(order, EAGER)).row == "newAndComplete"
    assert fields_of(after.missing) == ["email"]


# New and incomplete ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [BY_DEFAULT, EAGER], ids=["default", "eager"])
def test_an_incomplete_order_is_held_whatever_the_defaults_say(settings: Settings) -> None:
    order = an_order(an_amazon_order(buyer_email=None, line_items=None))

    after = judged(order, settings, LATER)
    assert judge(Situation(order, settings)).row == "newAndIncomplete"
    assert is_held_whatever_the_defaults_say(after)
    assert after.hold == Hold(kind="missing", since=LATER)
    assert (after.dispatched_by, after.fully_dispatched_at, after.judged_at) == (None, None, LATER)
    assert after.missing == (
        Missing(field="email", reason="blank", first_missing_at=LATER),
        Missing(field="lineItems", reason="blank", first_missing_at=LATER),
    )


@pytest.mark.parametrize("check", ["email", "names"])
def test_a_check_that_is_switched_off_holds_nothing(check: str) -> None:
    order = an_order(an_amazon_order(buyer_email=None))

    assert judge(Situation(order, without_checks(check))).row == (
        "newAndComplete" if check == "email" else "newAndIncomplete"
    )


# Still incomplete -----------------------------------------------------------------------------------------------------


def test_a_partly_completed_order_stays_held_with_a_shorter_list() -> None:
    held = a_judged_order(an_amazon_order(buyer_email=None, line_items=None))
    order = downloaded_again(held, buyer_email="ada@example.com")

    after = judged(order, EAGER, LATER)
    assert judge(Situation(order, EAGER)).row == "stillIncomplete"
    assert fields_of(after.missing) == ["lineItems"]
    assert after.hold == held.hold
    assert is_held_whatever_the_defaults_say(after)


def test_each_field_remembers_since_when_it_is_missing() -> None:
    held = a_held_order()
    after = judged(downloaded_again(held, line_items=()), EAGER, LATER)

    assert [(item.field, item.first_missing_at) for item in after.missing] == [("email", NOON), ("lineItems", LATER)]


def test_accepted_gaps_are_listed_and_open_ones_hold() -> None:
    order = downloaded_again(a_held_order(accepted=accepting("email")), line_items=())

    assert judge(Situation(order, EAGER)).row == "stillIncomplete"
    assert fields_of(judged(order, EAGER, LATER).missing) == ["email", "lineItems"]


# Healed ---------------------------------------------------------------------------------------------------------------


def test_an_order_heals_to_the_defaults_as_they_are_now() -> None:
    order = downloaded_again(a_held_order(), buyer_email="ada@example.com")

    after = judged(order, EAGER, LATER)
    assert judge(Situation(order, EAGER)).row == "healed"
    assert (after.stage, after.three_pl_status, after.dispatched_by) == ("ready", ThreePlStatus.NOW, "us")
    assert (after.hold, after.missing, after.fully_dispatched_at, after.redownload_at) == (None, (), LATER, None)


def test_healing_without_auto_dispatch_leaves_the_order_open() -> None:
    after = judged(downloaded_again(a_held_order(), buyer_email="ada@example.com"), BY_DEFAULT, LATER)

    assert (after.status, after.stage, after.three_pl_status) == ("Open", "new", ThreePlStatus.UPON_COMPLETION)


def test_an_order_heals_when_amazon_sends_what_a_person_typed() -> None:
    held = a_held_order(edits=edited(an_amazon_order(buyer_email=None), email="typed@example.com"))

    assert judge(Situation(downloaded_again(held, buyer_email="ada@example.com"), EAGER)).row == "healed"


def test_an_order_heals_if_the_check_that_held_it_is_switched_off() -> None:
    assert judge(Situation(a_held_order(), without_checks("email"))).row == "healed"


# Ready to release -----------------------------------------------------------------------------------------------------


def test_an_order_that_a_person_completed_waits_for_its_release() -> None:
    order = a_held_order(edits=edited(an_amazon_order(buyer_email=None), email="typed@example.com"))

    after = judged(order, EAGER, LATER)
    assert judge(Situation(order, EAGER)).row == "readyToRelease"
    assert is_held_whatever_the_defaults_say(after)
    assert after.is_ready_to_release
    assert (after.hold, after.missing) == (order.hold, ())


def test_a_confirmation_makes_an_order_ready_to_release() -> None:
    order = a_held_order(edits=Edits(confirmed=("email",)))

    assert judge(Situation(order, EAGER)).row == "readyToRelease"
    assert judged(order, EAGER, LATER).is_ready_to_release


def test_a_confirmed_request_to_cancel_waits_for_its_release_too() -> None:
    held = a_judged_order(an_amazon_order(cancel_requested_by_buyer=True))

    assert judge(Situation(held, EAGER)).row == "stillIncomplete"
    assert judge(Situation(held.with_(edits=Edits(confirmed=("buyerRequestedCancel",))), EAGER)).row == "readyToRelease"


@pytest.mark.parametrize("amazon", [{"buyer_email": None}, {}], ids=["amazon lacks it", "a person blanked it"])
def test_an_accepted_gap_does_not_end_a_hold_by_itself(amazon: dict[str, Any]) -> None:
    order = an_order(an_amazon_order(**amazon), edits=edited(an_amazon_order(), email=""), accepted=accepting("email"))
    held = order.with_(judged_at=NOON, hold=Hold(kind="missing", since=NOON), stage=NEEDS_ATTENTION)

    after = judged(held, EAGER, LATER)
    assert judge(Situation(held, EAGER)).row == "readyToRelease"
    assert is_held_whatever_the_defaults_say(after)
    assert after.is_ready_to_release


# As it was let go -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [DO_NOT_TRANSFER, ThreePlStatus.UPON_COMPLETION, ThreePlStatus.NOW])
def test_an_order_that_was_let_go_keeps_what_people_chose(status: ThreePlStatus) -> None:
    order = downloaded_again(a_judged_order(stage="packing", three_pl_status=status), updated_at=LATER)

    after = judged(order, EAGER, LATER)
    assert judge(Situation(order, EAGER)).row == "asLetGo"
    assert (after.stage, after.three_pl_status, after.dispatched_by) == ("packing", status, None)
    assert after.hold is None
    assert not after.is_pending


def test_a_dispatch_that_waits_for_its_transfer_is_kept() -> None:
    order = a_judged_order(dispatched_by="person", fully_dispatched_at=NOON)

    after = judged(order, BY_DEFAULT, LATER)
    assert judge(Situation(order, BY_DEFAULT)).row == "asLetGo"
    assert (after.dispatched_by, after.fully_dispatched_at) == ("person", NOON)
    assert after.is_transferable


def test_a_gap_accepted_at_release_is_shown_and_holds_nothing() -> None:
    order = downloaded_again(a_judged_order(accepted=accepting("email"), stage="packing"), buyer_email=None)

    after = judged(order, EAGER, LATER)
    assert judge(Situation(order, EAGER)).row == "asLetGo"
    assert (fields_of(after.missing), after.stage, after.hold) == (["email"], "packing", None)


def test_a_part_shipped_since_goes_to_the_3pl_only_by_a_new_choice() -> None:
    order = a_judged_order(stage="packing", three_pl_status=ThreePlStatus.NOW)

    partly = judged(downloaded_again(order, fulfillment_status="PARTIALLY_SHIPPED"), EAGER, LATER)
    assert (partly.stage, partly.three_pl_status, partly.hold) == ("packing", DO_NOT_TRANSFER, None)
    chosen = Order.model_validate_json(partly.with_(three_pl_status=ThreePlStatus.NOW).model_dump_json())
    again = judged(downloaded_again(chosen, updated_at=LATER), EAGER, LATER)
    assert again.three_pl_status is ThreePlStatus.NOW


# Incomplete again -----------------------------------------------------------------------------------------------------


def test_a_new_gap_holds_the_order_again() -> None:
    order = downloaded_again(a_judged_order(stage="packing", three_pl_status=ThreePlStatus.NOW), line_items=())

    after = judged(order, EAGER, LATER)
    assert judge(Situation(order, EAGER)).row == "incompleteAgain"
    assert is_held_whatever_the_defaults_say(after)
    assert after.hold == Hold(kind="missing", since=LATER, after_release=True)
    assert fields_of(after.missing) == ["lineItems"]


def test_a_new_gap_takes_back_a_dispatch_that_waited_for_its_transfer() -> None:
    order = a_judged_order(dispatched_by="us", fully_dispatched_at=NOON)
    assert order.is_transferable

    after = judged(downloaded_again(order, line_items=()), EAGER, LATER)
    assert (after.status, after.dispatched_by, after.fully_dispatched_at) == ("Open", None, None)


def test_a_change_at_amazon_of_an_edited_unit_holds_the_order_again() -> None:
    order = a_judged_order(edits=edited(an_amazon_order(), delivery_address=an_address(line1="1 Typed Street")))
    order = downloaded_again(order, delivery_address=an_address(line1="5 Mill Road"))

    after = judged(order, EAGER, LATER)
    assert judge(Situation(order, EAGER)).row == "incompleteAgain"
    assert [(item.field, item.reason) for item in after.missing] == [("deliveryAddress", "changedAtAmazon")]


def test_a_hold_after_release_stays_one_while_it_lasts() -> None:
    order = judged(downloaded_again(a_judged_order(), line_items=()), EAGER, LATER)

    again = judged(order, EAGER, LATER_STILL)
    assert judge(Situation(order, EAGER)).row == "stillIncomplete"
    assert judge(Situation(order, EAGER)).is_after_release
    assert again.hold == order.hold


def test_a_first_hold_is_not_after_release() -> None:
    assert not judge(Situation(an_order(), EAGER)).is_after_release
    assert not judge(Situation(an_order(an_amazon_order(buyer_email=None)), EAGER)).is_after_release
    assert not judge(Situation(a_held_order(), EAGER)).is_after_release


# The table as a whole -------------------------------------------------------------------------------------------------


class Data(NamedTuple):
    """The lines as people see them, and the words of Amazon and of an administrator on them."""

    amazon_has: bool
    typed: Literal["nothing", "lines", "blank"]
    is_accepted: bool


DATA = {
    "complete": Data(amazon_has=True, typed="nothing", is_accepted=False),
    "completed by a person": Data(amazon_has=False, typed="lines", is_accepted=False),
    "incomplete": Data(amazon_has=False, typed="nothing", is_accepted=False),
    "blanked by a person": Data(amazon_has=True, typed="blank", is_accepted=False),
    "incomplete, accepted": Data(amazon_has=False, typed="nothing", is_accepted=True),
    "blanked, accepted": Data(amazon_has=True, typed="blank", is_accepted=True),
}
EDITS = {"nothing": Edits(), "lines": Edits(line_items=(a_line(),)), "blank": Edits(line_items=())}
CHANNELS = {"MERCHANT": an_amazon_order(), "AMAZON": an_fba_order()}
STATUSES = ["UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED", "CANCELLED", "PENDING", "TELEPORTED"]
HOLDS = [None, Hold(kind="missing", since=NOON), *BY_A_PERSON]
THREE_PL_STATUSES = [DO_NOT_TRANSFER, ThreePlStatus.UPON_COMPLETION, ThreePlStatus.NOW, ThreePlStatus.TRANSFERRED]
DISPATCHES = [None, "us", "person", "amazon"]
ENDS: list[dict[str, Any]] = [{}, {"redacted_at": NOON}, {"voided_at": NOON}]


@cache
def every_situation() -> tuple[Situation, ...]:
    """Every hold, data, status at Amazon, 3PL Status, dispatch, channel and end, in every combination."""
    return tuple(_situations())


def _situations() -> Iterator[Situation]:
    for data, (channel, status) in product(DATA.values(), product(CHANNELS.values(), STATUSES)):
        update = {"fulfillment_status": status, "line_items": (a_line(),) if data.amazon_has else None}
        order = an_order(channel.model_copy(update=update), edits=EDITS[data.typed])
        order = order.with_(accepted=accepting("lineItems") if data.is_accepted else ())
        states = product(HOLDS, [None, NOON], THREE_PL_STATUSES, DISPATCHES, ENDS)
        for hold, judged_at, three_pl_status, dispatched_by, ends in states:
            so_far = order.with_(
                hold=hold,
                stage=NEEDS_ATTENTION if hold else "packing" if judged_at else None,
                judged_at=judged_at,
                three_pl_status=three_pl_status,
                dispatched_by=dispatched_by,
                fully_dispatched_at=NOON if dispatched_by else None,
                **ends,
            )
            yield Situation(so_far, EAGER)


def decided(situation: Situation) -> Order:
    """The order with the verdict on it, all but its times."""
    verdict = judge(situation)
    return situation.order.with_(
        pending_since=None,
        judged_at=NOON if verdict.is_judged else None,
        missing=verdict.missing,
        hold=situation.order.hold if situation.order.hold and verdict.hold else _hold_of(verdict),
        stage=verdict.stage,
        three_pl_status=verdict.three_pl_status,
        dispatched_by=verdict.dispatched_by,
        fully_dispatched_at=NOON if verdict.dispatched_by else None,
        voided_at=NOON if verdict.is_void else None,
    )


def _hold_of(verdict: Verdict) -> Hold | None:
    return Hold(kind=verdict.hold, since=NOON) if verdict.hold else None


# The table in words of its own. The endings are tried in this order; no two of the judgements ever match together.
ENDINGS: dict[RowName, Callable[[Situation], bool]] = {
    "redacted": lambda s: s.order.redacted_at is not None,
    "outOfOurHands": lambda s: s.order.three_pl_status in HANDED_OVER or s.order.voided_at is not None,
    "cancelled": lambda s: s.order.amazon.fulfillment_status == "CANCELLED",
    "shipped": lambda s: s.order.amazon.fulfillment_status == "SHIPPED",
    "draft": lambda s: s.order.amazon.fulfillment_status == "PENDING",
    "fulfilledByAmazon": lambda s: (
        s.order.amazon.fulfilled_by == "AMAZON" and not s.open_missing and s.order.hold not in BY_A_PERSON
    ),
    "dispatched": lambda s: s.order.dispatched_by is not None and s.order.three_pl_status == "Do Not Transfer to 3PL",
    "heldByAPerson": lambda s: s.order.hold in BY_A_PERSON,
}
JUDGEMENTS: dict[RowName, Callable[[Situation], bool]] = {
    "newAndComplete": lambda s: s.order.judged_at is None and not s.open_missing,
    "newAndIncomplete": lambda s: s.order.judged_at is None and bool(s.open_missing),
    "stillIncomplete": lambda s: s.order.judged_at is not None and s.order.hold is not None and bool(s.open_missing),
    "healed": lambda s: (
        s.order.judged_at is not None and s.order.hold is not None and not (s.missing or s.missing_at_amazon)
    ),
    "readyToRelease": lambda s: (
        s.order.judged_at is not None
        and s.order.hold is not None
        and not s.open_missing
        and bool(s.missing or s.missing_at_amazon)
    ),
    "asLetGo": lambda s: s.order.judged_at is not None and s.order.hold is None and not s.open_missing,
    "incompleteAgain": lambda s: s.order.judged_at is not None and s.order.hold is None and bool(s.open_missing),
}


# The rows that hold an order for missing data.
HOLDING = {"newAndIncomplete", "stillIncomplete", "readyToRelease", "incompleteAgain"}


def row_by_the_words(situation: Situation) -> RowName:
    for name, matches in ENDINGS.items():
        if matches(situation):
            return name
    (name,) = [name for name, matches in JUDGEMENTS.items() if matches(situation)]
    return name


def test_the_table_has_the_named_rows_in_their_order() -> None:
    assert tuple(row.name for row in ROWS) == get_args(RowName)
    assert [row.name for row in ROWS] == [*ENDINGS, *JUDGEMENTS]


def test_exactly_one_row_decides_every_situation() -> None:
    deciding = set()
    for situation in every_situation():
        verdict = judge(situation)
        assert verdict.row == row_by_the_words(situation), situation
        deciding.add(verdict.row)

    assert deciding == set(get_args(RowName))


def test_no_order_with_an_open_gap_may_leave() -> None:
    for situation in every_situation():
        if situation.open_missing:
            after = decided(situation)
            assert not after.is_transferable, situation
            assert after.dispatched_by != "us" or situation.order.dispatched_by == "us", situation


def test_every_held_order_is_in_needs_attention_and_not_transferable() -> None:
    for situation in every_situation():
        after = decided(situation)
        if after.hold and not situation.order.is_handed_over and not after.voided_at:
            assert not after.is_transferable, situation
            assert after.stage == NEEDS_ATTENTION, situation
            assert after.three_pl_status is DO_NOT_TRANSFER, situation


def test_every_hold_for_missing_data_makes_the_three_overrides() -> None:
    for situation in every_situation():
        if judge(situation).row in HOLDING:
            after = decided(situation)
            assert after.hold, situation
            assert is_held_whatever_the_defaults_say(after), situation


def test_no_order_that_is_amazons_to_send_is_transferable() -> None:
    for situation in every_situation():
        amazon = situation.order.amazon
        if amazon.is_fulfilled_by_amazon or amazon.is_cancelled or amazon.is_shipped or amazon.is_pending:
            assert not decided(situation).is_transferable, situation


def test_a_redacted_order_is_never_held_and_never_transferable() -> None:
    for situation in every_situation():
        if situation.order.redacted_at:
            after = decided(situation)
            assert after.hold is None, situation
            assert not after.is_transferable, situation


def test_no_verdict_takes_an_order_from_the_warehouse() -> None:
    for situation in every_situation():
        if situation.order.is_handed_over:
            assert decided(situation).three_pl_status is situation.order.three_pl_status, situation


def test_a_hold_ends_by_itself_only_when_amazon_lacks_nothing() -> None:
    for situation in every_situation():
        after = decided(situation)
        is_ended = situation.was_judged and situation.is_held and not after.hold
        is_closed = after.redacted_at or after.voided_at or after.dispatched_by == "amazon" or after.stage is None
        if is_ended and not is_closed and situation.order.dispatched_by is None:
            assert judge(situation).row in {"fulfilledByAmazon", "healed"}, situation
            if not situation.order.amazon.is_fulfilled_by_amazon:
                assert not situation.missing_at_amazon, situation


def test_only_a_hold_or_a_draft_replaces_a_persons_stage() -> None:
    for situation in every_situation():
        if situation.order.stage == "packing":
            expected = {"incompleteAgain": NEEDS_ATTENTION, "heldByAPerson": NEEDS_ATTENTION, "draft": None}.get(
                judge(situation).row, "packing"
            )
            assert decided(situation).stage == expected, situation


def test_judging_again_changes_nothing() -> None:
    for situation in every_situation():
        after = decided(situation)
        assert decided(Situation(after, EAGER)) == after, situation


@pytest.mark.parametrize("settings", [BY_DEFAULT, EAGER], ids=["default", "eager"])
@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("channel", CHANNELS)
def test_judging_again_changes_only_the_time_of_the_verdict(
    channel: str, status: str, data: str, settings: Settings
) -> None:
    amazon_has, typed, is_accepted = DATA[data]
    amazon = CHANNELS[channel].model_copy(
        update={"fulfillment_status": status, "line_items": (a_line(),) if amazon_has else None}
    )
    order = an_order(amazon, edits=EDITS[typed], accepted=accepting("lineItems") if is_accepted else ())

    once = judged(order, settings, NOON)
    again = judged(once, settings, LATER)
    assert again.with_(judged_at=once.judged_at) == once
    assert (again.judged_at is None) == (once.judged_at is None)


def test_a_situation_and_its_verdict_cannot_be_changed() -> None:
    situation = Situation(an_order(), EAGER)

    with pytest.raises(FrozenInstanceError):
        situation.order = an_order()  # type: ignore[misc]  # that is the point
    with pytest.raises(FrozenInstanceError):
        judge(situation).hold = "manual"  # type: ignore[misc]  # that is the point


def test_a_verdict_ends_the_wait_for_it() -> None:
    for order in [an_order(), a_held_order(), an_order(an_fba_order()), an_order(redacted_at=NOON)]:
        assert not judged(order.with_(pending_since=NOON), EAGER, LATER).is_pending


def test_an_order_that_was_void_keeps_its_time() -> None:
    order = judged(downloaded_again(a_judged_order(), fulfillment_status="CANCELLED"), EAGER, LATER)

    assert judged(order, EAGER, LATER_STILL).voided_at == LATER


# Asking Amazon again --------------------------------------------------------------------------------------------------


def test_a_held_order_is_asked_for_again_after_two_minutes() -> None:
    assert a_held_order().redownload_at == NOON + timedelta(minutes=2)


def test_while_an_order_stays_held_its_timetable_is_kept() -> None:
    order = a_held_order(redownload_at=LATER_STILL)

    assert judged(downloaded_again(order, line_items=()), EAGER, LATER).redownload_at == LATER_STILL


@pytest.mark.parametrize(
    "order",
    [
        an_order(),
        an_order(an_amazon_order(fulfillment_status="SHIPPED", buyer_email=None)),
        an_order(an_amazon_order(cancel_requested_by_buyer=True)),
        a_held_order(hold=BY_A_PERSON[0], redownload_at=LATER),
        an_order(edits=edited(an_amazon_order(), name=a_typed_name("Ada", ""))),
    ],
    ids=["complete", "shipped", "asked to cancel", "held by a person", "blanked by a person"],
)
def test_a_gap_that_amazon_cannot_fill_is_not_asked_for_again(order: Order) -> None:
    assert judged(order, BY_DEFAULT, LATER).redownload_at is None


def test_a_billing_address_is_asked_for_again() -> None:
    order = judged(an_order(), Settings(billing_address="require"), NOON)

    assert fields_of(order.missing) == ["billingAddress"]
    assert order.redownload_at == NOON + REDOWNLOAD_AFTER[0]


def test_a_gap_next_to_a_request_to_cancel_is_asked_for_again() -> None:
    order = an_order(an_amazon_order(cancel_requested_by_buyer=True, buyer_email=None))

    assert judged(order, BY_DEFAULT, NOON).redownload_at == NOON + REDOWNLOAD_AFTER[0]


@pytest.mark.parametrize(
    ("asked_after", "next_after"),
    [
        (timedelta(0), timedelta(minutes=2)),
        (timedelta(minutes=2), timedelta(minutes=5)),
        (timedelta(minutes=4), timedelta(minutes=5)),
        (timedelta(minutes=5), timedelta(minutes=15)),
        (timedelta(minutes=15), timedelta(hours=1)),
        (timedelta(hours=1), timedelta(hours=6)),
        (timedelta(hours=6), timedelta(hours=24)),
        (timedelta(hours=24), None),
        (timedelta(days=3), None),
    ],
)
def test_amazon_is_asked_less_and_less_often_for_a_day(asked_after: timedelta, next_after: timedelta | None) -> None:
    expected: datetime | None = NOON + next_after if next_after else None

    assert next_redownload(a_held_order(), NOON + asked_after) == expected


@pytest.mark.parametrize("order", [a_judged_order(), *(a_held_order(hold=hold) for hold in BY_A_PERSON)])
def test_an_order_not_held_for_missing_data_is_not_asked_for_again(order: Order) -> None:
    assert next_redownload(order, NOON) is None

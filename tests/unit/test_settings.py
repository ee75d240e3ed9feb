"""An integration's settings: the values that each takes and refuses, and their effects."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from pydantic import ValidationError

from needs_attention.orders.completeness import find_missing
from needs_attention.orders.edits import Edits
from needs_attention.orders.settings import NEEDS_ATTENTION, NEW, Checks, Settings, ThreePlStatus
from needs_attention.orders.verdict import judged
from tools.builders import CREATED, NOON, an_amazon_order, an_order


@pytest.mark.parametrize(
    ("spelling", "status"),
    [
        ("Do Not Transfer to 3PL", ThreePlStatus.DO_NOT_TRANSFER),
        ("Do Not Transfer To 3PL", ThreePlStatus.DO_NOT_TRANSFER),
        ("Do Not Transfer", ThreePlStatus.DO_NOT_TRANSFER),
        ("  do not  transfer ", ThreePlStatus.DO_NOT_TRANSFER),
        ("Transfer to 3PL Upon Completion", ThreePlStatus.UPON_COMPLETION),
        ("Transfer to 3PL Upon Complete", ThreePlStatus.UPON_COMPLETION),
        ("transfer to 3pl now", ThreePlStatus.NOW),
        ("TRANSFERRED TO 3PL FOR PICKING", ThreePlStatus.TRANSFERRED),
        ("Transferred to 3PL with errors", ThreePlStatus.WITH_ERRORS),
        ("Picked by 3PL successfully", ThreePlStatus.PICKED),
    ],
)
def test_other_spellings_of_a_3pl_status_are_accepted(spelling: str, status: ThreePlStatus) -> None:
    assert ThreePlStatus(spelling) is status


@pytest.mark.parametrize("nonsense", ["", "Transfer", "Now", None, 3])
def test_any_other_text_is_refused_as_a_3pl_status(nonsense: Any) -> None:
    with pytest.raises(ValueError, match="is not a valid ThreePlStatus"):
        ThreePlStatus(nonsense)


def test_a_3pl_status_is_answered_in_one_spelling() -> None:
    assert Settings.model_validate({"defaultThreePlStatus": "do not transfer"}).model_dump(mode="json", by_alias=True)[
        "defaultThreePlStatus"
    ] == ("Do Not Transfer to 3PL")


@pytest.mark.parametrize(
    ("status", "handed_over"),
    [
        (ThreePlStatus.DO_NOT_TRANSFER, False),
        (ThreePlStatus.UPON_COMPLETION, False),
        (ThreePlStatus.NOW, False),
        (ThreePlStatus.TRANSFERRED, True),
        (ThreePlStatus.WITH_ERRORS, True),
        (ThreePlStatus.PICKED, True),
    ],
)
def test_the_warehouse_has_the_order_from_the_transfer_on(status: ThreePlStatus, handed_over: bool) -> None:
    assert status.is_handed_over is handed_over


class Taken(NamedTuple):
    """The values that a setting takes."""

    default: object
    other: object
    refused: object


TAKEN = {
    "default_stage": Taken(NEW, "ready", NEEDS_ATTENTION),
    "default_three_pl_status": Taken(ThreePlStatus.UPON_COMPLETION, ThreePlStatus.NOW, ThreePlStatus.PICKED),
    "auto_dispatch_orders": Taken(default=False, other=True, refused=None),
    "download_orders_updated_after": Taken(None, NOON, "2026-11-23"),
    "go_live_date": Taken(None, NOON, "2026-11-23"),
    "trial_mode": Taken(default=False, other=True, refused=None),
    "download_pending_orders": Taken(default=False, other=True, refused=None),
    "checks": Taken(Checks(), Checks(email=False), {"telegrams": True}),
    "billing_address": Taken("copyDelivery", "require", "ask"),
    "single_word_names": Taken("byScript", "hold", "ask"),
    "live_download_every_minutes": Taken(5, 60, 0),
    "order_change_notifications": Taken(default=False, other=True, refused=None),
}
# The effect of each setting on an order.
DECIDED: dict[str, Callable[[Settings], object]] = {
    "default_stage": lambda settings: judged(an_order(), settings, NOON).stage,
    "default_three_pl_status": lambda settings: judged(an_order(), settings, NOON).three_pl_status,
    "auto_dispatch_orders": lambda settings: judged(an_order(), settings, NOON).dispatched_by,
    "go_live_date": lambda settings: settings.may_hand_over(CREATED),
    "trial_mode": lambda settings: settings.may_hand_over(CREATED),
    "checks": lambda settings: find_missing(an_amazon_order(buyer_email=None), Edits(), settings),
    "billing_address": lambda settings: find_missing(an_amazon_order(), Edits(), settings),
    "single_word_names": lambda settings: find_missing(an_amazon_order(recipient_name="山田太郎"), Edits(), settings),
}
# The settings that decide when Amazon is asked and for what: see tests/integration/downloads.
OF_DOWNLOADS = {
    "download_orders_updated_after",
    "download_pending_orders",
    "live_download_every_minutes",
    "order_change_notifications",
}


def test_every_setting_is_tested() -> None:
    assert list(TAKEN) == list(Settings.model_fields)
    assert DECIDED.keys() | OF_DOWNLOADS == TAKEN.keys()


@pytest.mark.parametrize("name", TAKEN)
def test_a_setting_has_a_default_takes_another_value_and_refuses_nonsense(name: str) -> None:
    default, other, refused = TAKEN[name]

    assert getattr(Settings(), name) == default
    assert getattr(Settings.model_validate({name: other}), name) == other
    with pytest.raises(ValidationError, match=name):
        Settings.model_validate({name: refused})


@pytest.mark.parametrize("name", DECIDED)
def test_a_setting_changes_what_is_decided_about_an_order(name: str) -> None:
    decided = DECIDED[name]

    assert decided(Settings.model_validate({name: TAKEN[name].other})) != decided(Settings())


def test_a_new_integration_checks_everything() -> None:
    assert set(Checks().model_dump().values()) == {True}


@pytest.mark.parametrize("status", [ThreePlStatus.TRANSFERRED, ThreePlStatus.WITH_ERRORS, ThreePlStatus.PICKED])
def test_a_status_that_only_a_warehouse_sets_cannot_be_a_default(status: ThreePlStatus) -> None:
    with pytest.raises(ValidationError, match="only a warehouse"):
        Settings(default_three_pl_status=status)


@pytest.mark.parametrize("status", [ThreePlStatus.DO_NOT_TRANSFER, ThreePlStatus.UPON_COMPLETION, ThreePlStatus.NOW])
def test_any_other_3pl_status_can_be_the_default(status: ThreePlStatus) -> None:
    assert Settings(default_three_pl_status=status).default_three_pl_status is status


def test_needs_attention_cannot_be_the_stage_of_complete_orders() -> None:
    with pytest.raises(ValidationError, match="Needs Attention means held"):
        Settings(default_stage=NEEDS_ATTENTION)

    assert Settings(default_stage="on-hold").default_stage == "on-hold"


@pytest.mark.parametrize("minutes", [0, 24 * 60 + 1])
def test_live_downloads_come_at_least_daily_and_at_most_every_minute(minutes: int) -> None:
    with pytest.raises(ValidationError, match="live_download_every_minutes"):
        Settings(live_download_every_minutes=minutes)


def test_a_setting_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValidationError, match="autoDispach"):
        Settings.model_validate({"autoDispach": True})


def test_in_trial_mode_nothing_is_handed_over() -> None:
    assert Settings().may_hand_over(NOON)
    assert not Settings(trial_mode=True).may_hand_over(NOON)


def test_orders_from_before_the_go_live_date_are_never_handed_over() -> None:
    settings = Settings(go_live_date=NOON)

    assert not settings.may_hand_over(NOON - timedelta(milliseconds=1))
    assert settings.may_hand_over(NOON)

"""An integration's settings: what each takes and refuses, and what follows from it."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from needs_attention.orders.settings import NEEDS_ATTENTION, NEW, Checks, Settings, ThreePlStatus
from tests.unit.builders import NOON


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
def test_what_is_no_3pl_status_is_refused(nonsense: Any) -> None:
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


def test_a_new_integration_checks_everything_and_lets_nothing_out_by_itself() -> None:
    settings = Settings()

    assert settings.checks == Checks(
        names=True,
        email=True,
        delivery_address=True,
        billing_address=True,
        line_items=True,
        buyer_requested_cancel=True,
    )
    assert settings.default_stage == NEW
    assert settings.default_three_pl_status is ThreePlStatus.UPON_COMPLETION
    assert settings.auto_dispatch_orders is False
    assert settings.billing_address == "copyDelivery"
    assert settings.single_word_names == "byScript"


@pytest.mark.parametrize("status", [ThreePlStatus.TRANSFERRED, ThreePlStatus.WITH_ERRORS, ThreePlStatus.PICKED])
def test_what_only_a_warehouse_sets_cannot_be_the_default_3pl_status(status: ThreePlStatus) -> None:
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

"""An integration's settings: the values that each takes and refuses, their effects, and overrides by marketplace."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from pydantic import ValidationError

from needs_attention.integrations.integration_settings import (
    NO_GO_LIVE_DATE,
    IntegrationSettings,
    MarketplaceChecks,
    MarketplaceSettings,
)
from needs_attention.integrations.stages import Stages
from needs_attention.orders.completeness import find_missing
from needs_attention.orders.edits import Edits
from needs_attention.orders.settings import NEEDS_ATTENTION, NEW, Checks, OrderDefaults, Settings, ThreePlStatus
from needs_attention.orders.verdict import judged
from needs_attention.values.model import Value, read_stored
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


US, CANADA = "ATVPDKIKX0DER", "A2EUQ1WTGCTBG2"


class Taken(NamedTuple):
    """The values that a setting takes."""

    default: object
    other: object
    refused: object


TAKEN = {
    "default_stage": Taken(NEW, "ready", NEEDS_ATTENTION),
    "default_three_pl_status": Taken(ThreePlStatus.UPON_COMPLETION, ThreePlStatus.NOW, ThreePlStatus.PICKED),
    "auto_dispatch_orders": Taken(default=False, other=True, refused=None),
    "go_live_date": Taken(None, NOON, "2026-11-23"),
    "trial_mode": Taken(default=False, other=True, refused=None),
    "checks": Taken(Checks(), Checks(email=False), {"telegrams": True}),
    "billing_address": Taken("copyDelivery", "require", "ask"),
    "single_word_names": Taken("byScript", "hold", "ask"),
    "download_orders_updated_after": Taken(None, NOON, "2026-11-23"),
    "download_pending_orders": Taken(default=False, other=True, refused=None),
    "live_download_every_minutes": Taken(5, 60, 0),
    "order_change_notifications": Taken(default=False, other=True, refused=None),
    "marketplaces": Taken({}, {US: MarketplaceSettings(trial_mode=True)}, {US: {"trial_mode": "perhaps"}}),
}
# What a marketplace may say of `checks`: only the checks that it switches.
OTHER_CHECKS = MarketplaceChecks(email=False)
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
    assert list(TAKEN) == list(IntegrationSettings.model_fields)
    assert list(DECIDED) == list(OrderDefaults.model_fields) == list(Settings.model_fields)
    assert DECIDED.keys() | OF_DOWNLOADS | {"marketplaces"} == TAKEN.keys()


def test_a_marketplace_can_override_all_that_orders_are_judged_by() -> None:
    assert list(MarketplaceSettings.model_fields) == list(OrderDefaults.model_fields)
    assert list(MarketplaceChecks.model_fields) == list(Checks.model_fields)


@pytest.mark.parametrize("name", TAKEN)
def test_a_setting_has_a_default_takes_another_value_and_refuses_nonsense(name: str) -> None:
    default, other, refused = TAKEN[name]

    assert getattr(IntegrationSettings(), name) == default
    assert getattr(IntegrationSettings.model_validate({name: other}), name) == other
    with pytest.raises(ValidationError, match=name):
        IntegrationSettings.model_validate({name: refused})


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
        IntegrationSettings(live_download_every_minutes=minutes)


def test_a_setting_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValidationError, match="autoDispach"):
        IntegrationSettings.model_validate({"autoDispach": True})
    with pytest.raises(ValidationError, match="autoDispach"):
        MarketplaceSettings.model_validate({"autoDispach": True})


def test_in_trial_mode_nothing_is_handed_over() -> None:
    assert Settings().may_hand_over(NOON)
    assert not Settings(trial_mode=True).may_hand_over(NOON)


def test_orders_from_before_the_go_live_date_are_never_handed_over() -> None:
    settings = Settings(go_live_date=NOON)

    assert not settings.may_hand_over(NOON - timedelta(milliseconds=1))
    assert settings.may_hand_over(NOON)


# Overrides by marketplace ---------------------------------------------------------------------------------------------


def overriding(name: str, **own: object) -> IntegrationSettings:
    """Settings of which the United States override one."""
    value = OTHER_CHECKS if name == "checks" else TAKEN[name].other
    return IntegrationSettings.model_validate({**own, "marketplaces": {US: {name: value}}})


@pytest.mark.parametrize("name", DECIDED)
def test_an_override_decides_about_the_orders_of_its_marketplace_only(name: str) -> None:
    decided, overridden = DECIDED[name], overriding(name)

    assert decided(overridden.of(US)) == decided(Settings.model_validate({name: TAKEN[name].other}))
    for elsewhere in (CANADA, None, ""):
        assert decided(overridden.of(elsewhere)) == decided(Settings())


@pytest.mark.parametrize("name", DECIDED)
def test_an_override_can_take_back_what_the_integration_says(name: str) -> None:
    default, other, _ = TAKEN[name]
    back = {"email": True} if name == "checks" else NOON - timedelta(days=365) if name == "go_live_date" else default
    settings = IntegrationSettings.model_validate({name: other, "marketplaces": {US: {name: back}}})

    assert DECIDED[name](settings.of(US)) == DECIDED[name](Settings())
    assert DECIDED[name](settings.of(CANADA)) == DECIDED[name](settings.of(None)) != DECIDED[name](Settings())


@pytest.mark.parametrize("name", OrderDefaults.model_fields)
def test_what_a_marketplace_does_not_override_is_the_integrations(name: str) -> None:
    others = {one: TAKEN[one].other for one in OrderDefaults.model_fields if one != name}

    assert overriding(name, **others).of(US) == Settings.model_validate(others | {name: TAKEN[name].other})
    assert overriding(name, **others).of(CANADA) == Settings.model_validate(others)


@pytest.mark.parametrize("check", Checks.model_fields)
@pytest.mark.parametrize("is_on", [False, True])
def test_each_check_is_switched_by_itself_in_a_marketplace(check: str, is_on: bool) -> None:
    others = dict.fromkeys(Checks.model_fields, not is_on)
    switched = {US: {"checks": {check: is_on}}}
    settings = IntegrationSettings.model_validate({"checks": others, "marketplaces": switched})

    assert settings.of(US).checks == Checks(**others | {check: is_on})
    assert settings.of(CANADA).checks == Checks(**others)


def test_a_marketplace_without_overrides_is_not_kept() -> None:
    nothing = MarketplaceSettings(checks=MarketplaceChecks())

    assert IntegrationSettings(marketplaces={US: nothing, CANADA: MarketplaceSettings()}) == IntegrationSettings()


def test_only_what_is_overridden_is_stored_and_read_again() -> None:
    settings = IntegrationSettings(marketplaces={US: MarketplaceSettings(go_live_date=NOON, checks=OTHER_CHECKS)})
    stored = settings.model_dump_json(by_alias=True)

    assert json.loads(stored)["marketplaces"] == {
        US: {"goLiveDate": "2026-11-23T12:00:00.000Z", "checks": {"email": False}}
    }
    assert read_stored(IntegrationSettings, stored) == settings


def test_overrides_that_a_later_release_stored_are_read_without_what_is_new() -> None:
    stored = {"marketplaces": {"ANEWMARKET": {"trialMode": True, "colour": "red", "checks": {"phone": True}}}}

    assert read_stored(IntegrationSettings, json.dumps(stored)) == IntegrationSettings(
        marketplaces={"ANEWMARKET": MarketplaceSettings(trial_mode=True)}
    )


def test_settings_are_resolved_once_and_again_for_changed_ones() -> None:
    settings = overriding("trial_mode")
    live = settings.model_copy(update={"trial_mode": True, "marketplaces": {}})

    assert settings.of(US) is settings.of(US)
    assert settings.of(CANADA) is settings.of(None)
    assert (settings.of(US).trial_mode, settings.of(None).trial_mode) == (True, False)
    changed = settings.model_copy(update={"auto_dispatch_orders": True})
    assert (changed.of(US).auto_dispatch_orders, changed.of(None).auto_dispatch_orders) == (True, True)
    assert live.of(US).trial_mode


def test_every_stage_that_is_a_default_somewhere_is_told() -> None:
    settings = IntegrationSettings(
        marketplaces={US: MarketplaceSettings(default_stage="picking"), CANADA: MarketplaceSettings(trial_mode=True)}
    )

    assert settings.default_stages == {NEW, "picking"}
    assert IntegrationSettings(default_stage="packing").default_stages == {"packing"}


@pytest.mark.parametrize("name", OrderDefaults.model_fields)
def test_an_override_refuses_what_the_setting_refuses(name: str) -> None:
    with pytest.raises(ValidationError, match=name):
        MarketplaceSettings.model_validate({name: TAKEN[name].refused})
    with pytest.raises(ValidationError, match="cannot be null"):
        MarketplaceSettings.model_validate({name: None})


@pytest.mark.parametrize("overrides", [MarketplaceSettings, MarketplaceChecks])
def test_an_override_is_described_as_left_out_and_never_as_null(overrides: type[Value]) -> None:
    described = overrides.model_json_schema(mode="serialization")["properties"]

    assert [name for name, one in described.items() if "default" in one or "null" in str(one)] == []


# The settings of another integration, as overrides


def test_orders_keep_the_settings_of_an_integration_that_was_merged() -> None:
    own = IntegrationSettings(go_live_date=NOON, checks=Checks(names=False))
    other = IntegrationSettings(trial_mode=True, single_word_names="hold", checks=Checks(email=False))
    both = own.with_overrides_of(other, ["A", "B"], Stages())
    wanted = other.of("A").model_copy(update={"go_live_date": NO_GO_LIVE_DATE})
    assert (both.of("A"), both.of("B")) == (wanted, wanted)
    assert both.of("C") == own.of("C")
    assert wanted.may_hand_over(NOON - timedelta(days=1)) == other.of("A").may_hand_over(NOON - timedelta(days=1))


LAX = Settings(
    default_three_pl_status=ThreePlStatus.NOW,
    auto_dispatch_orders=True,
    checks=Checks(names=False, email=False),
    billing_address="copyDelivery",
    single_word_names="accept",
)
STRICT: dict[str, Any] = {
    "default_three_pl_status": ThreePlStatus.DO_NOT_TRANSFER,
    "auto_dispatch_orders": False,
    "go_live_date": NOON,
    "trial_mode": True,
    "checks": Checks(names=False),
    "billing_address": "copyIfSameName",
    "single_word_names": "byScript",
}


@pytest.mark.parametrize("name", STRICT)
def test_of_two_settings_the_stricter_counts_whichever_has_it(name: str) -> None:
    strict = LAX.model_copy(update={name: STRICT[name]})
    assert LAX.no_freer_than(strict) == strict.no_freer_than(LAX) == strict


def test_two_settings_that_are_the_same_are_kept() -> None:
    assert LAX.no_freer_than(LAX) == LAX


def test_a_default_stage_that_is_gone_stays_the_integrations() -> None:
    other = IntegrationSettings(default_stage="gone", trial_mode=True)
    both = IntegrationSettings().with_overrides_of(other, ["A"], Stages())
    assert (both.of("A").default_stage, both.of("A").trial_mode) == (NEW, True)

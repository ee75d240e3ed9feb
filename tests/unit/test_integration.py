"""An integration: the ends of its credentials, and all that a decision about one of its orders needs."""

from datetime import timedelta
from typing import Any

import pytest

from needs_attention.integrations.incidents import Incidents
from needs_attention.integrations.integration import Integration, Rejudgement
from needs_attention.integrations.integration_settings import IntegrationSettings, MarketplaceSettings
from needs_attention.integrations.stages import Stages
from needs_attention.integrations.surroundings import Surroundings
from tools.builders import NOON

DAY = timedelta(days=1)


def an_integration(**fields: Any) -> Integration:
    return Integration.model_validate(
        {
            "integration_id": "acme-na",
            "name": "Acme",
            "region": "NA",
            "marketplace_ids": ["ATVPDKIKX0DER"],
            "registered_at": NOON,
            **fields,
        }
    )


def test_the_ends_of_the_credentials_are_told_the_soonest_first() -> None:
    both = an_integration(client_secret_created_at=NOON, consent_given_at=NOON)
    old_consent = an_integration(client_secret_created_at=NOON, consent_given_at=NOON - 360 * DAY)

    assert [(one.what, one.at) for one in both.expiries(NOON)] == [
        ("clientSecret", NOON + 180 * DAY),
        ("consent", NOON + 365 * DAY),
    ]
    assert [one.what for one in old_consent.expiries(NOON)] == ["consent", "clientSecret"]


def test_an_unknown_beginning_has_no_end() -> None:
    assert an_integration().expiries(NOON) == ()
    assert [one.what for one in an_integration(consent_given_at=NOON).expiries(NOON)] == ["consent"]


@pytest.mark.parametrize(
    ("fields", "is_all_frozen", "is_frozen"),
    [
        ({}, False, False),
        ({}, True, True),
        ({"is_frozen": True}, False, True),
        ({"deleted_at": NOON}, False, True),
        ({"is_paused": True}, False, False),
    ],
)
def test_a_frozen_or_deleted_integration_hands_nothing_over(
    fields: dict[str, Any], is_all_frozen: bool, is_frozen: bool
) -> None:
    integration = an_integration(**fields)
    surroundings = Surroundings.of(integration, Incidents(), Stages(), is_all_frozen=is_all_frozen)

    assert surroundings.is_frozen is is_frozen


def test_an_order_is_judged_by_the_settings_of_its_marketplace() -> None:
    integration = an_integration(
        settings={"trial_mode": True, "marketplaces": {"ATVPDKIKX0DER": {"trial_mode": False}}}
    )
    surroundings = Surroundings.of(integration, Incidents(), Stages(), is_all_frozen=False)

    assert surroundings.settings_for("ATVPDKIKX0DER") is integration.settings.of("ATVPDKIKX0DER")
    assert not surroundings.settings_for("ATVPDKIKX0DER").trial_mode
    assert surroundings.settings_for(None).trial_mode


# Its seller, and what a merge brings

US, CANADA, MEXICO = "ATVPDKIKX0DER", "A2EUQ1WTGCTBG2", "A1AM78C64UM0Y8"


def test_the_seller_is_the_one_named_last_and_the_last_twenty_are_known() -> None:
    integration = an_integration()
    assert integration.seller_id is None
    for number in range(25):
        integration = integration.of_seller(f"A1SELLER{number:04}", "ada", NOON)
    assert integration.seller_id == "A1SELLER0024"
    assert [one.seller_id for one in integration.named_sellers] == [f"A1SELLER{number:04}" for number in range(5, 25)]
    assert integration.of_seller("A1SELLER0024", "zoe", NOON + DAY) is integration


@pytest.mark.parametrize(
    ("region", "own", "others", "is_possible"),
    [
        ("NA", "A1ACMEACMEACME", "A1ACMEACMEACME", True),
        ("NA", "A1ACMEACMEACME", "A2BERGBERGBERG", False),
        ("NA", None, "A1ACMEACMEACME", True),
        ("NA", "A1ACMEACMEACME", None, True),
        ("NA", None, None, True),
        ("EU", "A1ACMEACMEACME", "A1ACMEACMEACME", False),
        ("EU", None, None, False),
    ],
)
def test_two_integrations_may_be_of_one_seller_unless_something_known_differs(
    region: str, own: str | None, others: str | None, *, is_possible: bool
) -> None:
    one, other = an_integration(region=region), an_integration()
    one = one.of_seller(own, "ada", NOON) if own else one
    other = other.of_seller(others, "ada", NOON) if others else other
    assert one.may_have_the_seller_of(other) is is_possible
    assert other.may_have_the_seller_of(one) is is_possible


def test_a_merge_brings_the_seller_the_marketplaces_and_their_settings() -> None:
    trial = IntegrationSettings(trial_mode=True)
    source = an_integration(integration_id="acme-ca", marketplace_ids=[US, CANADA], settings=trial)
    source = source.of_seller("A1ACMEACMEACME", "ada", NOON)
    merged = an_integration().with_source(source, Stages())
    assert (merged.seller_id, merged.marketplace_ids) == ("A1ACMEACMEACME", (US, CANADA))
    assert merged.merged_from == ("acme-ca",)
    modes = {one: merged.settings.of(one).trial_mode for one in (US, CANADA, MEXICO)}
    assert modes == {US: False, CANADA: True, MEXICO: True}


def test_a_merge_leaves_no_override_where_both_settings_agree() -> None:
    own = IntegrationSettings(marketplaces={CANADA: MarketplaceSettings(trial_mode=True)})
    merged = an_integration(settings=own).with_source(an_integration(marketplace_ids=[CANADA]), Stages())
    assert merged.settings == IntegrationSettings()


def test_a_rejudgement_of_every_stage_is_under_way_until_it_is_finished() -> None:
    asked = Rejudgement.of_every_stage(Stages(), by="ada", at=NOON)
    assert asked.stages == tuple(stage.id for stage in Stages().stages)
    assert asked.was_under_way(NOON + timedelta(days=1))
    finished = asked.model_copy(update={"finished_at": NOON})
    assert [finished.was_under_way(NOON + timedelta(seconds=late)) for late in (0, 1)] == [True, False]

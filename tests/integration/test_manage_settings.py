"""Integrations, their credentials and settings, the freeze, and the list of Stages."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest
from pydantic.alias_generators import to_camel

from needs_attention.downloads.by_id import SetAside
from needs_attention.downloads.live import Subscription
from needs_attention.integrations.arrivals import Arrival, Arrivals
from needs_attention.integrations.incidents import Incident, Incidents
from needs_attention.integrations.integration import NamedSeller
from needs_attention.integrations.integration_settings import IntegrationSettings, MarketplaceSettings
from needs_attention.orders.settings import Checks
from needs_attention.values.times import instant
from tests.integration.crossings import REQUESTS, before_request
from tests.integration.faults import Call, failing, refused
from tools.builders import NOON
from tools.in_memory.api import Answer, World, found_at

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
CREDENTIALS = {"clientId": "amzn1.client", "clientSecret": "a-client-secret", "refreshToken": "Atzr|a-token"}
REGISTRATION = {
    "integrationId": "beta-eu",
    "name": "Beta",
    "region": "EU",
    "sellerId": "A1EXAMPLESELLER",
    "marketplaceIds": ["A1F83G8C2ARO7P", "A1PA6795UKMFR9"],
    "credentials": CREDENTIALS,
}
BETA = "/integrations/beta-eu"
BRITAIN, GERMANY, FRANCE, US = "A1F83G8C2ARO7P", "A1PA6795UKMFR9", "A13V1IB3VIYZZH", "ATVPDKIKX0DER"
CANADA = "A2EUQ1WTGCTBG2"
OF_BRITAIN = f"settings.marketplaces.{BRITAIN}"


def register(world: World, **changes: object) -> Answer:
    return world.call("POST", "/integrations", REGISTRATION | changes)


def secret(integration_id: str) -> Any:
    name = f"needs-attention/integration/{integration_id}"
    stored = boto3.client("secretsmanager").get_secret_value(SecretId=name, VersionStage="AWSCURRENT")
    return json.loads(stored["SecretString"])


# Registering ----------------------------------------------------------------------------------------------------------


def test_an_integration_is_registered_with_the_defaults_and_woken(world: World) -> None:
    answer = register(world)
    assert answer.status == 201, answer.body
    assert (found_at(answer.headers["Location"], "/integrations"), answer.headers["ETag"]) == (BETA, '"1"')
    assert answer.body["settings"]["defaultStage"] == "New"
    assert answer.body["settings"]["defaultThreePlStatus"] == "Transfer to 3PL Upon Completion"
    assert (answer.body["isPaused"], answer.body["isFrozen"]) == (False, False)
    assert world.woken() == ["beta-eu"]
    assert world.call("GET", BETA, role="reader").body == answer.body


def test_credentials_go_into_secrets_manager_and_nowhere_else(world: World) -> None:
    answer = register(world)
    assert secret("beta-eu") == {
        "client_id": "amzn1.client",
        "client_secret": "a-client-secret",
        "refresh_token": "Atzr|a-token",
    }
    stored = str(world.dynamodb.scan(TableName="IntegrationsTable")["Items"])
    shown = str(answer) + str(world.call("GET", BETA)) + str(world.call("GET", "/integrations"))
    for value in CREDENTIALS.values():
        assert value not in stored
        assert value not in shown


def test_an_integration_is_registered_with_settings_of_its_own(world: World) -> None:
    world.call("POST", "/stages", {"name": "Picking"})
    settings = {
        "defaultStage": "Picking",
        "defaultThreePlStatus": "Do Not Transfer",
        "autoDispatchOrders": True,
        "goLiveDate": "2026-12-01T00:00:00Z",
        "checks": {"email": False},
    }
    shown = register(world, settings=settings).body["settings"]
    assert shown["defaultStage"] == "Picking"
    assert shown["defaultThreePlStatus"] == "Do Not Transfer to 3PL"
    assert shown["autoDispatchOrders"] is True
    assert shown["goLiveDate"] == "2026-12-01T00:00:00.000Z"
    assert (shown["checks"]["email"], shown["checks"]["names"]) == (False, True)
    integration = world.integrations.get("beta-eu")
    assert integration is not None
    assert integration.settings.default_stage == "picking"


def test_history_comes_from_the_start_date_and_the_cursor_starts_now(world: World) -> None:
    answer = register(world, settings={"downloadOrdersUpdatedAfter": "2026-10-24T12:00:00Z"})
    (download,) = world.downloads.backdated_downloads("beta-eu")
    assert download.updated_after == NOON - 30 * DAY
    assert download.requested_by == "administrator@example.com"
    assert answer.body["health"]["cursor"] == "2026-11-23T11:57:50.000Z"


def test_without_a_start_date_no_history_is_downloaded(world: World) -> None:
    register(world)
    assert world.downloads.backdated_downloads("beta-eu") == ()


def test_an_integration_is_registered_once(world: World) -> None:
    register(world)
    answer = register(world, credentials=CREDENTIALS | {"clientSecret": "another"})
    assert (answer.status, answer.body["code"]) == (409, "alreadyRegistered")
    assert secret("beta-eu")["client_secret"] == "a-client-secret"


def test_of_two_who_register_the_same_at_once_one_is_told(world: World) -> None:
    with world.just_before(
        "manage_settings", "TransactWriteItems", lambda: world.register("beta-eu", name="The other")
    ):
        answer = register(world)
    assert (answer.status, answer.body["code"]) == (409, "changedMeanwhile")
    assert world.integrations.find_all()[1].name == "The other"


def test_registering_a_deleted_integration_revives_it_with_its_cursor(world: World) -> None:
    register(world)
    integration = world.integrations.get("beta-eu")
    assert integration is not None
    live = world.downloads.live_download(integration)
    world.downloads.save_live_download("beta-eu", live)
    world.call("DELETE", BETA)
    assert world.call("GET", BETA).status == 404
    world.clock.advance(DAY)
    answer = register(world, name="Beta again")
    assert (answer.status, answer.body["name"]) == (201, "Beta again")
    assert answer.body["health"]["cursor"] == "2026-11-23T11:57:50.000Z"


@pytest.mark.parametrize(
    ("sent", "trial_mode", "go_live_date"),
    [
        ({}, True, "2026-12-01T00:00:00.000Z"),
        ({"trialMode": False}, False, "2026-12-01T00:00:00.000Z"),
        ({"goLiveDate": None}, True, None),
    ],
)
def test_a_revived_integration_keeps_the_settings_that_are_not_sent(
    world: World, sent: dict[str, object], trial_mode: bool, go_live_date: str | None
) -> None:
    register(world, settings={"trialMode": True, "goLiveDate": "2026-12-01T00:00:00Z"})
    world.call("DELETE", BETA)
    settings = register(world, settings=sent).body["settings"]
    assert (settings["trialMode"], settings["goLiveDate"]) == (trial_mode, go_live_date)


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"integrationId": "Beta EU"}, "integrationId", "notAllowed"),
        ({"integrationId": "#system"}, "integrationId", "notAllowed"),
        ({"region": "US"}, "region", "notAllowed"),
        ({"marketplaceIds": []}, "marketplaceIds", "tooShort"),
        ({"marketplaceIds": ["ATVPDKIKX0DER"]}, "marketplaceIds", "otherRegion"),
        ({"marketplaceIds": ["nowhere"]}, "marketplaceIds.0", "notAllowed"),
        ({"credentials": {"clientId": "x"}}, "credentials.clientSecret", "required"),
        ({"credentials": CREDENTIALS | {"refreshToken": ""}}, "credentials.refreshToken", "tooShort"),
        ({"name": ""}, "name", "stringTooShort"),
        ({"colour": "red"}, "colour", "unknownField"),
        ({"settings": {"defaultStage": "Nowhere"}}, "settings.defaultStage", "unknownStage"),
        ({"settings": {"defaultStage": "Needs Attention"}}, "settings.defaultStage", "meansHeld"),
        ({"settings": {"defaultStage": 1}}, "settings.defaultStage", "wrongType"),
        ({"settings": {"autoDispatchOrders": "yes"}}, "settings.autoDispatchOrders", "wrongType"),
        ({"settings": {"checks": {"phone": True}}}, "settings.checks.phone", "unknownField"),
        (
            {"settings": {"defaultThreePlStatus": "Picked by 3PL Successfully"}},
            "settings.defaultThreePlStatus",
            "notAllowed",
        ),
        ({"settings": {"marketplaces": {BRITAIN: {"colour": "red"}}}}, f"{OF_BRITAIN}.colour", "unknownField"),
        (
            {"settings": {"downloadOrdersUpdatedAfter": "2020-01-01T00:00:00Z"}},
            "settings.downloadOrdersUpdatedAfter",
            "tooOld",
        ),
    ],
)
def test_a_registration_that_cannot_be_is_refused_by_field(
    world: World, changes: dict[str, object], field: str, code: str
) -> None:
    answer = register(world, **changes)
    assert answer.status == 422
    assert answer.codes[field] == code
    assert world.integrations.get("beta-eu") is None
    assert not boto3.client("secretsmanager").list_secrets()["SecretList"]


# Changing -------------------------------------------------------------------------------------------------------------


def test_a_setting_is_changed_and_the_others_stay(world: World) -> None:
    register(world, settings={"autoDispatchOrders": True, "goLiveDate": "2026-12-01T00:00:00Z"})
    answer = world.call("PATCH", BETA, {"settings": {"trialMode": True, "goLiveDate": None}, "name": " Gamma "})
    assert answer.status == 200, answer.body
    settings = answer.body["settings"]
    assert (settings["trialMode"], settings["autoDispatchOrders"], settings["goLiveDate"]) == (True, True, None)
    assert answer.body["name"] == "Gamma"
    assert answer.headers["ETag"] == '"2"'


def test_a_setting_of_null_goes_back_to_its_default(world: World) -> None:
    register(world, settings={"autoDispatchOrders": True, "checks": {"email": False, "names": False}})
    answer = world.call("PATCH", BETA, {"settings": {"autoDispatchOrders": None, "checks": {"email": None}}})
    assert answer.status == 200, answer.body
    assert answer.body["settings"]["autoDispatchOrders"] is False
    assert (answer.body["settings"]["checks"]["email"], answer.body["settings"]["checks"]["names"]) == (True, False)


# Settings of marketplaces ---------------------------------------------------------------------------------------------


def set_by_marketplace(world: World, marketplaces: object, **more: object) -> Answer:
    return world.call("PATCH", BETA, {"settings": {"marketplaces": marketplaces, **more}})


def test_an_integration_begins_without_settings_of_marketplaces(world: World) -> None:
    assert register(world).body["settings"]["marketplaces"] == {}
    assert world.call("GET", "/integrations").body["integrations"][1]["settings"]["marketplaces"] == {}


def test_a_marketplaces_settings_are_shown_with_its_stage_by_name(world: World) -> None:
    world.call("POST", "/stages", {"name": "Picking"})
    overrides = {
        "defaultStage": "picking",
        "defaultThreePlStatus": "do not transfer",
        "autoDispatchOrders": True,
        "goLiveDate": "2026-12-01T00:00:00Z",
        "trialMode": False,
        "checks": {"email": False},
        "billingAddress": "require",
        "singleWordNames": "hold",
    }
    assert overrides.keys() == {to_camel(name) for name in MarketplaceSettings.model_fields}
    shown = {
        BRITAIN: overrides
        | {
            "defaultStage": "Picking",
            "defaultThreePlStatus": "Do Not Transfer to 3PL",
            "goLiveDate": "2026-12-01T00:00:00.000Z",
        }
    }
    assert register(world, settings={"marketplaces": {BRITAIN: overrides}}).body["settings"]["marketplaces"] == shown
    assert world.call("GET", BETA).body["settings"]["marketplaces"] == shown
    assert world.call("GET", "/integrations").body["integrations"][1]["settings"]["marketplaces"] == shown
    integration = world.integrations.get("beta-eu")
    assert integration is not None
    assert integration.settings.of(BRITAIN).default_stage == "picking"
    world.call("PATCH", "/stages/picking", {"name": "Packing"})
    assert world.call("GET", BETA).body["settings"]["marketplaces"][BRITAIN]["defaultStage"] == "Packing"


@pytest.mark.parametrize(
    ("patch", "left"),
    [
        ({BRITAIN: {"trialMode": False}}, {BRITAIN: {"trialMode": False, "checks": {"email": False, "names": False}}}),
        ({BRITAIN: {"trialMode": None}}, {BRITAIN: {"checks": {"email": False, "names": False}}}),
        ({BRITAIN: {"checks": {"email": None}}}, {BRITAIN: {"trialMode": True, "checks": {"names": False}}}),
        ({BRITAIN: {"checks": {"email": None, "names": None}}}, {BRITAIN: {"trialMode": True}}),
        ({BRITAIN: {"checks": None}}, {BRITAIN: {"trialMode": True}}),
        ({BRITAIN: {"checks": None, "trialMode": None}}, {}),
        ({BRITAIN: None}, {}),
        (None, {}),
        ({US: None, "nowhere": None}, {BRITAIN: {"trialMode": True, "checks": {"email": False, "names": False}}}),
        ({FRANCE: {}}, {BRITAIN: {"trialMode": True, "checks": {"email": False, "names": False}}}),
    ],
)
def test_null_takes_overrides_back_and_empty_ones_disappear(world: World, patch: object, left: dict[str, Any]) -> None:
    before = {BRITAIN: {"trialMode": True, "checks": {"email": False, "names": False}}, GERMANY: {"trialMode": False}}
    register(world, settings={"marketplaces": before})
    answer = set_by_marketplace(world, patch)
    assert answer.status == 200, answer.body
    germany = {} if patch is None else {GERMANY: {"trialMode": False}}
    assert answer.body["settings"]["marketplaces"] == germany | left


def test_the_overrides_of_a_marketplace_outlive_its_place_in_the_list(world: World) -> None:
    register(world)
    assert set_by_marketplace(world, {FRANCE: {"trialMode": True}}).status == 200
    world.call("PATCH", BETA, {"marketplaceIds": [GERMANY]})
    assert world.call("GET", BETA).body["settings"]["marketplaces"] == {FRANCE: {"trialMode": True}}


@pytest.mark.parametrize(
    ("marketplaces", "field", "code"),
    [
        ({US: {"trialMode": True}}, f"settings.marketplaces.{US}", "otherRegion"),
        ({US: {}}, f"settings.marketplaces.{US}", "otherRegion"),
        ({"nowhere": {"trialMode": True}}, "settings.marketplaces.nowhere", "notAllowed"),
        ({"": {"trialMode": True}}, "settings.marketplaces.", "notAllowed"),
        ({BRITAIN: {"defaultStage": "Nowhere"}}, f"{OF_BRITAIN}.defaultStage", "unknownStage"),
        ({BRITAIN: {"defaultStage": "Needs Attention"}}, f"{OF_BRITAIN}.defaultStage", "meansHeld"),
        ({BRITAIN: {"defaultStage": 1}}, f"{OF_BRITAIN}.defaultStage", "wrongType"),
        (
            {BRITAIN: {"defaultThreePlStatus": "Picked by 3PL Successfully"}},
            f"{OF_BRITAIN}.defaultThreePlStatus",
            "notAllowed",
        ),
        ({BRITAIN: {"autoDispatchOrders": "yes"}}, f"{OF_BRITAIN}.autoDispatchOrders", "wrongType"),
        ({BRITAIN: {"goLiveDate": "soon"}}, f"{OF_BRITAIN}.goLiveDate", None),
        ({BRITAIN: {"trialMode": 1}}, f"{OF_BRITAIN}.trialMode", "wrongType"),
        ({BRITAIN: {"checks": {"phone": True}}}, f"{OF_BRITAIN}.checks.phone", "unknownField"),
        ({BRITAIN: {"checks": [True]}}, f"{OF_BRITAIN}.checks", "wrongType"),
        ({BRITAIN: {"billingAddress": "ask"}}, f"{OF_BRITAIN}.billingAddress", "notAllowed"),
        ({BRITAIN: {"singleWordNames": "ask"}}, f"{OF_BRITAIN}.singleWordNames", "notAllowed"),
        ({BRITAIN: {"liveDownloadEveryMinutes": 5}}, f"{OF_BRITAIN}.liveDownloadEveryMinutes", "unknownField"),
        ({BRITAIN: {"marketplaces": {}}}, f"{OF_BRITAIN}.marketplaces", "unknownField"),
        ({BRITAIN: True}, OF_BRITAIN, "wrongType"),
        ([BRITAIN], "settings.marketplaces", "wrongType"),
        ("all", "settings.marketplaces", "wrongType"),
    ],
)
def test_an_override_that_cannot_be_is_refused_by_its_place(
    world: World, marketplaces: object, field: str, code: str | None
) -> None:
    register(world)
    answer = set_by_marketplace(world, marketplaces)
    assert answer.status == 422
    assert field in answer.codes
    assert answer.codes[field] == code or code is None
    assert world.call("GET", BETA).headers["ETag"] == '"1"'
    world.call("DELETE", BETA)
    assert register(world, settings={"marketplaces": marketplaces}).codes == answer.codes


def test_a_marketplace_of_another_region_is_refused_with_those_of_the_region(world: World) -> None:
    register(world)
    errors = set_by_marketplace(world, {US: {"trialMode": True}, "nowhere": {}}).body["errors"]
    assert [error["message"].split(" has ")[0] for error in errors] == ["region EU", "not known; region EU"]
    assert BRITAIN in errors[0]["message"]


def test_wrong_overrides_however_many_are_refused_with_the_first_hundred(world: World) -> None:
    register(world)
    answer = set_by_marketplace(world, {f"nowhere-{number}": {"trialMode": True} for number in range(2_000)})
    assert (answer.status, len(answer.body["errors"])) == (422, 100)


def test_a_revived_integration_keeps_the_overrides_that_are_not_sent(world: World) -> None:
    register(world, settings={"marketplaces": {BRITAIN: {"trialMode": True}, GERMANY: {"trialMode": True}}})
    world.call("DELETE", BETA)
    sent = {"marketplaces": {GERMANY: None, FRANCE: {"trialMode": False}}}
    answer = register(world, marketplaceIds=[FRANCE], settings=sent)
    assert answer.status == 201, answer.body
    assert answer.body["settings"]["marketplaces"] == {BRITAIN: {"trialMode": True}, FRANCE: {"trialMode": False}}


def test_an_override_starts_a_rejudgement_under_way_over(world: World) -> None:
    register(world)
    world.call("POST", f"{BETA}/rejudgement")
    world.clock.advance(MINUTE)
    set_by_marketplace(world, {BRITAIN: {"trialMode": True}})
    job = world.downloads.rejudgement("beta-eu")
    assert job is not None
    assert job.requested_at == NOON + MINUTE


# Dry runs of settings -------------------------------------------------------------------------------------------------


def test_a_dry_run_counts_orders_to_hold_or_let_go_and_changes_nothing(world: World) -> None:
    world.change_integration(settings=IntegrationSettings(checks=Checks(email=False)))
    world.download(order_id="701-1", buyer_email=None)
    world.download(order_id="701-2", line_items=())
    world.download(order_id="701-3")
    before = (world.integrations.get("acme-na"), world.order("701-1"))
    body = {"settings": {"checks": {"email": True, "lineItems": False}}, "dryRun": True}
    answer = world.call("PATCH", "/integrations/acme-na", body)
    assert answer.status == 200
    assert answer.body["preview"] == {"orders": 3, "wouldBeHeld": 1, "wouldBeLetGo": 1, "isTruncated": False}
    assert answer.body["settings"]["checks"]["email"] is True
    assert (world.integrations.get("acme-na"), world.order("701-1")) == before
    assert world.woken() == []


def test_a_dry_run_of_nothing_changes_nothing(world: World) -> None:
    world.download(buyer_email=None)
    answer = world.call("PATCH", "/integrations/acme-na", {"dryRun": True})
    assert (answer.body["preview"]["wouldBeHeld"], answer.body["preview"]["wouldBeLetGo"]) == (0, 0)


def test_a_dry_run_that_has_seen_only_a_part_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("needs_attention.api.integrations.preview.MOST_LOOKED_AT", 1)
    for number in range(2):
        world.download(order_id=f"701-{number}", buyer_email=None)
    preview = world.call("PATCH", "/integrations/acme-na", {"dryRun": True}).body["preview"]
    assert (preview["orders"], preview["isTruncated"]) == (1, True)


def test_a_dry_run_of_what_cannot_be_is_refused(world: World) -> None:
    body = {"settings": {"billingAddress": "guess"}, "dryRun": True}
    assert world.call("PATCH", "/integrations/acme-na", body).status == 422
    assert world.call("PATCH", "/integrations/none", {"dryRun": True}).status == 404


def test_orders_are_judged_again_on_request(world: World) -> None:
    assert world.call("GET", "/integrations/acme-na/rejudgement").status == 404
    answer = world.call("POST", "/integrations/acme-na/rejudgement")
    assert (answer.status, answer.body["finishedAt"]) == (202, None)
    assert world.woken() == ["acme-na"]
    assert world.call("GET", "/integrations/acme-na/rejudgement", role="reader").body == answer.body
    job = world.downloads.rejudgement("acme-na")
    assert job is not None
    assert job.stages == ("needs-attention", "new")
    assert answer.body["beginsAt"] == instant(NOON + 2 * MINUTE)
    assert world.call("POST", "/integrations/none/rejudgement").status == 404


REJUDGEMENT = "/integrations/acme-na/rejudgement"
NEW_SETTINGS = {"settings": {"checks": {"email": False}}}


def finish_rejudgement(world: World) -> None:
    job = world.downloads.rejudgement("acme-na")
    assert job is not None
    done = {"stages": (), "orders": 7, "finished_at": world.clock()}
    world.downloads.save_rejudgement("acme-na", job.model_copy(update=done))


def test_a_change_of_settings_starts_a_rejudgement_over(world: World) -> None:
    world.call("POST", REJUDGEMENT)
    world.call("POST", "/stages", {"name": "Packing"})
    world.clock.advance(3 * MINUTE)
    assert world.call("PATCH", "/integrations/acme-na", NEW_SETTINGS).status == 200
    shown = world.call("GET", REJUDGEMENT).body
    times = (shown["requestedAt"], shown["beginsAt"], shown["finishedAt"])
    assert times == (instant(world.clock()), instant(world.clock() + 2 * MINUTE), None)
    job = world.downloads.rejudgement("acme-na")
    assert job is not None
    assert job.stages == ("needs-attention", "new", "packing")


def test_a_change_of_settings_sent_again_starts_a_rejudgement_over(world: World) -> None:
    """The first one may have died in between."""
    world.call("PATCH", "/integrations/acme-na", NEW_SETTINGS)
    world.call("POST", REJUDGEMENT)
    world.clock.advance(MINUTE)
    world.call("PATCH", "/integrations/acme-na", NEW_SETTINGS)
    assert world.call("GET", REJUDGEMENT).body["requestedAt"] == instant(world.clock())


@pytest.mark.parametrize("body", [{"name": "Renamed"}, NEW_SETTINGS | {"dryRun": True}], ids=["name", "dry run"])
def test_another_change_lets_a_rejudgement_go_on(world: World, body: dict[str, Any]) -> None:
    begun = world.call("POST", REJUDGEMENT).body
    world.clock.advance(MINUTE)
    assert world.call("PATCH", "/integrations/acme-na", body).status == 200
    assert world.call("GET", REJUDGEMENT).body == begun


def test_a_finished_rejudgement_is_started_over_only_if_it_ran_meanwhile(world: World) -> None:
    world.call("POST", REJUDGEMENT)
    world.clock.advance(3 * MINUTE)
    finish_rejudgement(world)
    world.call("PATCH", "/integrations/acme-na", NEW_SETTINGS)
    assert world.call("GET", REJUDGEMENT).body["finishedAt"] is None
    world.clock.advance(3 * MINUTE)
    finish_rejudgement(world)
    world.clock.advance(MINUTE)
    world.call("PATCH", "/integrations/acme-na", {"settings": {"checks": {"email": True}}})
    assert world.call("GET", REJUDGEMENT).body["orders"] == 7


def test_settings_without_a_rejudgement_begin_none(world: World) -> None:
    world.call("PATCH", "/integrations/acme-na", NEW_SETTINGS)
    assert world.call("GET", REJUDGEMENT).status == 404


# The connection -------------------------------------------------------------------------------------------------------


def expiries(answer: Answer) -> dict[str, tuple[str, bool]]:
    return {one["what"]: (one["at"][:10], one["isSoon"]) for one in answer.body["expiries"]}


def test_a_connection_tells_which_fields_arrive_and_when_credentials_end(world: World) -> None:
    register(world)
    arrivals = Arrivals(by_marketplace={"A1F83G8C2ARO7P": (Arrival(order="1", at=NOON, lacks=("email",)),)})
    world.downloads.save_arrivals("beta-eu", arrivals)
    answer = world.call("GET", f"{BETA}/connection", role="reader")
    assert answer.status == 200
    assert [(one["orders"], one["lacking"], one["shippingRole"]) for one in answer.body["marketplaces"]] == [
        (1, {"email": 1}, "granted"),
        (0, {}, "unknown"),
    ]
    assert expiries(answer) == {"clientSecret": ("2027-05-22", False), "consent": ("2027-11-23", False)}
    assert world.call("GET", BETA).body["health"]["expiries"] == answer.body["expiries"]


def test_credentials_that_were_made_earlier_end_earlier(world: World) -> None:
    made = {"clientSecretCreatedAt": "2026-06-10T00:00:00Z", "consentGivenAt": "2026-01-01T00:00:00Z"}
    register(world, credentials=CREDENTIALS | made)
    answer = world.call("GET", f"{BETA}/connection")
    assert expiries(answer) == {"clientSecret": ("2026-12-07", True), "consent": ("2027-01-01", False)}
    assert all(one["whatToDo"] for one in answer.body["expiries"])
    world.clock.advance(DAY)
    world.call("PATCH", BETA, {"credentials": CREDENTIALS | {"consentGivenAt": "2026-01-01T00:00:00Z"}})
    renewed = world.call("GET", f"{BETA}/connection")
    assert expiries(renewed) == {"consent": ("2027-01-01", False), "clientSecret": ("2027-05-23", False)}


@pytest.mark.parametrize("field", ["clientSecretCreatedAt", "consentGivenAt"])
def test_credentials_from_the_future_are_refused(world: World, field: str) -> None:
    answer = register(world, credentials=CREDENTIALS | {field: "2026-11-24T00:00:00Z"})
    assert (answer.status, answer.codes) == (422, {f"credentials.{field}": "inTheFuture"})


def test_an_integration_that_is_not_there_has_no_connection(world: World) -> None:
    assert world.call("GET", f"{BETA}/connection").status == 404


def test_new_credentials_replace_the_old_ones(world: World) -> None:
    register(world)
    answer = world.call("PATCH", BETA, {"credentials": CREDENTIALS | {"clientSecret": "a-newer-one"}})
    assert answer.status == 200
    assert secret("beta-eu")["client_secret"] == "a-newer-one"
    assert "a-newer-one" not in str(answer)


def test_a_name_is_kept_without_the_blanks_around_it(world: World) -> None:
    assert world.call("PATCH", "/integrations/acme-na", {"name": "  Acme  Corp "}).body["name"] == "Acme  Corp"
    assert world.call("PATCH", "/integrations/acme-na", {"name": " "}).codes == {"name": "stringTooShort"}


def test_an_unknown_check_is_refused_with_the_checks_that_there_are(world: World) -> None:
    for settings, place in (
        ({"checks": {"mail": True}}, "settings.checks.mail"),
        ({"marketplaces": {US: {"checks": {"mail": True}}}}, f"settings.marketplaces.{US}.checks.mail"),
    ):
        (error,) = world.call("PATCH", "/integrations/acme-na", {"settings": settings}).body["errors"]
        assert (error["field"], error["code"]) == (place, "unknownField")
        assert error["message"] == f"not known; allowed are {', '.join(map(to_camel, Checks.model_fields))}"


def test_marketplaces_are_changed(world: World) -> None:
    register(world)
    answer = world.call("PATCH", BETA, {"marketplaceIds": ["A1F83G8C2ARO7P", "A13V1IB3VIYZZH", "A1F83G8C2ARO7P"]})
    assert answer.status == 200, answer.body
    assert answer.body["marketplaceIds"] == ["A1F83G8C2ARO7P", "A13V1IB3VIYZZH"]
    assert world.call("GET", BETA).body["marketplaceIds"] == answer.body["marketplaceIds"]


@pytest.mark.parametrize(
    ("marketplace_ids", "field", "code"),
    [
        (["A1F83G8C2ARO7P", "ATVPDKIKX0DER"], "marketplaceIds", "otherRegion"),
        (["nowhere"], "marketplaceIds.0", "notAllowed"),
        ([], "marketplaceIds", "tooShort"),
    ],
)
def test_marketplaces_that_cannot_be_are_refused(
    world: World, marketplace_ids: list[str], field: str, code: str
) -> None:
    register(world)
    answer = world.call("PATCH", BETA, {"marketplaceIds": marketplace_ids})
    assert (answer.status, answer.codes) == (422, {field: code})
    assert world.call("GET", BETA).body["marketplaceIds"] == REGISTRATION["marketplaceIds"]


def test_an_integration_is_paused_and_goes_on(world: World) -> None:
    assert world.call("PATCH", "/integrations/acme-na", {"isPaused": True}).body["isPaused"] is True
    assert world.call("PATCH", "/integrations/acme-na", {"isPaused": False}).body["isPaused"] is False
    assert world.woken() == ["acme-na", "acme-na"]


def test_a_start_date_must_be_one_from_which_amazon_shows_orders(world: World) -> None:
    for start, status in (("2026-10-24T12:00:00Z", 200), ("2020-01-01T00:00:00Z", 422), ("2026-11-24T00:00:00Z", 422)):
        body = {"settings": {"downloadOrdersUpdatedAfter": start}}
        assert world.call("PATCH", "/integrations/acme-na", body).status == status


@pytest.mark.parametrize("body", [{"region": "EU"}, {"settings": {"billingAddress": "guess"}}, {"isPaused": None}])
def test_a_change_that_cannot_be_is_refused(world: World, body: object) -> None:
    assert world.call("PATCH", "/integrations/acme-na", body).status == 422


def test_a_change_with_a_stale_if_match_is_refused_with_the_current_state(world: World) -> None:
    answer = world.call("PATCH", "/integrations/acme-na", {"name": "x"}, If_Match='"7"')
    assert (answer.status, answer.body["integration"]["name"]) == (412, "Acme")
    assert world.call("PATCH", "/integrations/acme-na", {"name": "x"}, If_Match='"1"').status == 200


@pytest.mark.parametrize(("times", "status"), [(1, 200), (4, 409)])
def test_two_changes_at_once_both_land_or_one_is_told(world: World, times: int, status: int) -> None:
    def somebody_renames() -> None:
        integration = world.integrations.get("acme-na")
        assert integration is not None
        world.change_integration(name=f"{integration.name}!")

    with world.just_before("manage_settings", "PutItem", somebody_renames, times=times):
        answer = world.call("PATCH", "/integrations/acme-na", {"isPaused": True})
    assert answer.status == status
    if status == 200:
        assert (answer.body["name"], answer.body["isPaused"]) == ("Acme!", True)


def test_a_setting_that_has_grown_old_does_not_stand_in_the_way_of_others(world: World) -> None:
    world.change_integration(settings=IntegrationSettings(download_orders_updated_after=NOON - 800 * DAY))
    assert world.call("PATCH", "/integrations/acme-na", {"settings": {"trialMode": True}}).status == 200


def test_a_removed_integration_is_gone_from_the_list_and_its_orders_stay(world: World) -> None:
    order = world.download()
    assert world.call("DELETE", "/integrations/acme-na").status == 204
    assert world.call("GET", "/integrations").body["integrations"] == []
    for method in ("GET", "PATCH", "DELETE"):
        assert world.call(method, "/integrations/acme-na", {} if method == "PATCH" else None).status == 404
    assert world.call("GET", f"/orders/{order.order_id}").status == 200


def test_a_removed_integration_leaves_no_credentials_and_takes_new_ones(world: World) -> None:
    register(world)
    world.call("DELETE", BETA)
    assert not boto3.client("secretsmanager").list_secrets(IncludePlannedDeletion=True)["SecretList"]
    answer = register(world, credentials=CREDENTIALS | {"clientSecret": "a-newer-one"})
    assert answer.status == 201, answer.body
    assert secret("beta-eu")["client_secret"] == "a-newer-one"


def test_a_subscribed_integration_is_removed_only_if_it_cannot_unsubscribe(world: World) -> None:
    register(world)
    integration = world.integrations.get("beta-eu")
    assert integration is not None
    live = world.downloads.live_download(integration)
    subscribed = live.model_copy(update={"subscription": Subscription(subscription_id="s1", confirmed_at=NOON)})
    world.downloads.save_live_download("beta-eu", subscribed)
    answer = world.call("DELETE", BETA)
    assert (answer.status, answer.body["code"]) == (409, "stillSubscribed")
    cannot = subscribed.model_copy(update={"subscription": subscribed.subscription.failed("revoked", NOON)})
    world.downloads.save_live_download("beta-eu", cannot)
    assert world.call("DELETE", BETA).status == 204


def test_an_integration_without_credentials_is_removed_too(world: World) -> None:
    assert not boto3.client("secretsmanager").list_secrets()["SecretList"]
    assert world.call("DELETE", "/integrations/acme-na").status == 204


# Its health -----------------------------------------------------------------------------------------------------------


def test_health_says_what_is_wrong_since_when_and_what_to_do(world: World) -> None:
    world.call("PATCH", "/integrations/acme-na", {"sellerId": "A1EXAMPLESELLER"})
    integration = world.integrations.get("acme-na")
    assert integration is not None
    live = world.downloads.live_download(integration)
    incident = Incident(code="credentialsRejected", since=NOON - DAY, evidence="LWA said no", request_id="r-1")
    world.downloads.save_incidents("acme-na", Incidents(incidents=(incident,)))
    changes = {"search_bucket": live.search_bucket.emptied(NOON), "last_run_at": NOON}
    world.downloads.save_live_download("acme-na", live.model_copy(update=changes))
    world.downloads.set_aside("acme-na", [SetAside(order_id="701-1", reason="no createdTime", first_seen_at=NOON)])
    health = world.call("GET", "/integrations/acme-na", role="reader").body["health"]
    assert health == {
        "cursor": "2026-11-23T11:57:50.000Z",
        "cursorLagSeconds": 0,
        "lastRunAt": "2026-11-23T12:00:00.000Z",
        "lastSuccessAt": None,
        "incidents": [
            {
                "code": "credentialsRejected",
                "since": "2026-11-22T12:00:00.000Z",
                "evidence": "LWA said no",
                "requestId": "r-1",
                "fields": {},
                "whatToDo": "Renew the client secret or the seller's consent, and send the new credentials.",
            }
        ],
        "overdueVerdicts": None,
        "warnings": [],
        "orderChangeNotifications": {"isSubscribed": False, "failure": None},
        "expiries": [],
        "quotaLeft": {"searchOrders": 0, "getOrder": 30},
        "setAside": [
            {
                "orderId": "701-1",
                "reason": "no createdTime",
                "firstSeenAt": "2026-11-23T12:00:00.000Z",
                "requestId": None,
                "retryAt": None,
            }
        ],
        "setAsideCount": 1,
        "reconciliation": None,
    }


def test_health_shows_a_hundred_orders_that_were_set_aside_and_counts_all(world: World) -> None:
    aside = [
        SetAside(order_id=f"701-{number:03}", reason="no createdTime", first_seen_at=NOON) for number in range(101)
    ]
    world.downloads.set_aside("acme-na", aside)
    health = world.call("GET", "/integrations/acme-na", role="reader").body["health"]
    assert [one["orderId"] for one in health["setAside"]] == [one.order_id for one in aside[:100]]
    assert health["setAsideCount"] == 101


def test_the_list_shows_every_integration_with_its_health(world: World) -> None:
    register(world)
    listed = world.call("GET", "/integrations", role="reader").body
    assert [one["integrationId"] for one in listed["integrations"]] == ["acme-na", "beta-eu"]
    assert listed["integrations"][0]["health"]["quotaLeft"]["searchOrders"] == 20
    assert listed["isFrozen"] is False


# Freezing -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("in_the_way", "status"), [(19, 200), (20, 409)])
@pytest.mark.parametrize(("method", "operation"), [("POST", "PutItem"), ("DELETE", "DeleteItem")])
def test_a_freeze_lands_between_hand_overs_however_many(
    world: World, method: str, operation: str, in_the_way: int, status: int
) -> None:
    """Each locks it for milliseconds; twenty in a row are told."""
    conflict = refused("TransactionConflictException")
    hand_overs = iter(range(in_the_way))

    def in_a_hand_over(call: Call, client: Any) -> BaseException | None:
        is_locked = next(hand_overs, None) is not None
        return conflict(call, client) if is_locked else None

    with failing(in_a_hand_over, "dynamodb", operation, "IntegrationsTable"):
        assert world.call(method, "/freeze").status == status


def test_one_integration_is_frozen_and_unfrozen(world: World) -> None:
    assert world.call("POST", "/integrations/acme-na/freeze").body["isFrozen"] is True
    assert world.call("POST", "/integrations/acme-na/freeze").body["revision"] == 2
    assert world.call("DELETE", "/integrations/acme-na/freeze").body["isFrozen"] is False
    assert world.call("POST", "/integrations/nobody/freeze").status == 404


def test_everything_is_frozen_and_unfrozen_in_one_call(world: World) -> None:
    assert world.call("POST", "/freeze").body == {"isFrozen": True}
    assert world.integrations.is_all_frozen()
    assert world.call("POST", "/freeze").status == 200
    assert world.call("GET", "/integrations").body["isFrozen"] is True
    assert world.call("DELETE", "/freeze").body == {"isFrozen": False}
    assert not world.integrations.is_all_frozen()


# Stages ---------------------------------------------------------------------------------------------------------------


def names(world: World) -> list[str]:
    return [stage["name"] for stage in world.call("GET", "/stages", role="reader").body["stages"]]


def add(world: World, name: str) -> Answer:
    return world.call("POST", "/stages", {"name": name})


def test_needs_attention_and_new_always_exist(world: World) -> None:
    assert world.call("GET", "/stages", role="reader").body == {
        "stages": [
            {"id": "needs-attention", "name": "Needs Attention", "isBuiltIn": True},
            {"id": "new", "name": "New", "isBuiltIn": True},
        ]
    }


def test_a_stage_is_added(world: World) -> None:
    answer = add(world, " Waiting for Stock ")
    assert (answer.status, answer.body) == (
        201,
        {"id": "waiting-for-stock", "name": "Waiting for Stock", "isBuiltIn": False},
    )
    assert names(world) == ["Needs Attention", "New", "Waiting for Stock"]


def test_blanks_do_not_make_two_stages_of_one(world: World) -> None:
    first, again = add(world, "On  Hold"), add(world, " On \t Hold")
    assert (first.status, first.body["name"]) == (201, "On Hold")
    assert (again.status, again.body) == (200, first.body)
    assert names(world) == ["Needs Attention", "New", "On Hold"]
    assert world.call("PATCH", "/stages/on-hold", {"name": "Put  Aside"}).body["name"] == "Put Aside"


@pytest.mark.parametrize("name", ["Needs Attention", "needs  attention", "New", "PICKING"])
def test_adding_a_stage_that_exists_succeeds_and_changes_nothing(world: World, name: str) -> None:
    add(world, "Picking")
    before = world.call("GET", "/stages").body
    assert add(world, name).status == 200
    assert world.call("GET", "/stages").body == before


def test_a_stage_may_be_called_in_any_script(world: World) -> None:
    first, second = add(world, "在庫待ち"), add(world, "Prüfung")
    assert (first.status, second.status) == (201, 201)
    assert second.body["id"] == "prufung"
    assert names(world)[2:] == ["在庫待ち", "Prüfung"]


def test_stages_that_sound_alike_have_ids_of_their_own(world: World) -> None:
    ids = {add(world, name).body["id"] for name in ("On hold", "On-hold!", "On_hold")}
    assert len(ids) == 3


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "x" * 61}, {"name": 1}, {"name": "x", "id": "y"}])
def test_a_stage_that_is_none_is_refused(world: World, body: object) -> None:
    assert world.call("POST", "/stages", body).status == 422


def test_there_are_not_too_many_stages(world: World) -> None:
    answers = [add(world, f"Stage {number}").status for number in range(49)]
    assert answers == [201] * 48 + [409]


def test_a_renamed_stage_keeps_its_id_and_its_orders(world: World) -> None:
    add(world, "Picking")
    order = world.download()
    world.call("PATCH", f"/orders/{order.order_id}", {"stage": "Picking"})
    answer = world.call("PATCH", "/stages/picking", {"name": "Packing"})
    assert (answer.status, answer.body["id"], answer.body["name"]) == (200, "picking", "Packing")
    listed = world.call("GET", "/orders", query={"stage": "Packing"}).body["orders"]
    assert [row["stage"] for row in listed] == ["Packing"]


def test_a_stage_does_not_take_the_name_of_another(world: World) -> None:
    add(world, "Picking")
    add(world, "Packing")
    answer = world.call("PATCH", "/stages/picking", {"name": "PACKING"})
    assert (answer.status, answer.body["code"]) == (409, "nameTaken")
    assert world.call("PATCH", "/stages/picking", {"name": "PICKING"}).status == 200


def test_a_stage_that_nothing_uses_is_removed(world: World) -> None:
    add(world, "Picking")
    assert world.call("DELETE", "/stages/picking").status == 204
    assert names(world) == ["Needs Attention", "New"]


@pytest.mark.parametrize("stage", ["needs-attention", "new"])
def test_a_built_in_stage_is_neither_removed_nor_renamed(world: World, stage: str) -> None:
    for answer in (
        world.call("DELETE", f"/stages/{stage}"),
        world.call("PATCH", f"/stages/{stage}", {"name": "Other"}),
    ):
        assert (answer.status, answer.body["code"]) == (409, "builtIn")


def test_a_stage_in_which_orders_are_is_not_removed(world: World) -> None:
    add(world, "Picking")
    order = world.download()
    world.call("PATCH", f"/orders/{order.order_id}", {"stage": "Picking"})
    world.call("DELETE", "/integrations/acme-na")
    answer = world.call("DELETE", "/stages/picking")
    assert (answer.status, answer.body["code"]) == (409, "inUse")


def test_a_stage_that_is_the_default_of_a_marketplace_is_not_removed(world: World) -> None:
    add(world, "Picking")
    overrides = {US: {"defaultStage": "Picking"}}
    world.call("PATCH", "/integrations/acme-na", {"settings": {"marketplaces": overrides}})
    answer = world.call("DELETE", "/stages/picking")
    assert (answer.status, answer.body["code"]) == (409, "inUse")
    world.call("PATCH", "/integrations/acme-na", {"settings": {"marketplaces": {US: None}}})
    assert world.call("DELETE", "/stages/picking").status == 204


def test_a_stage_that_is_a_default_is_not_removed(world: World) -> None:
    add(world, "Picking")
    world.call("PATCH", "/integrations/acme-na", {"settings": {"defaultStage": "picking"}})
    answer = world.call("DELETE", "/stages/picking")
    assert (answer.status, answer.body["code"]) == (409, "inUse")


def patch_to_picking(world: World) -> Answer:
    return world.call("PATCH", "/integrations/acme-na", {"settings": {"defaultStage": "picking"}})


def register_with_picking(world: World) -> Answer:
    return register(world, settings={"marketplaces": {BRITAIN: {"defaultStage": "picking"}}})


def merge_one_with_picking(world: World) -> Answer:
    return world.call("POST", "/integrations/acme-na/merge", {"source": "acme-ca"})


def remove_picking(world: World) -> Answer:
    return world.call("DELETE", "/stages/picking")


@pytest.mark.parametrize("is_removed_first", [True, False])
@pytest.mark.parametrize("number", REQUESTS)
@pytest.mark.parametrize("name_it", [patch_to_picking, register_with_picking, merge_one_with_picking])
def test_no_stage_is_removed_while_it_becomes_a_default(
    world: World, name_it: Callable[[World], Answer], number: int, *, is_removed_first: bool
) -> None:
    add(world, "Picking")
    seller = (NamedSeller(seller_id="A1ACMEACMEACME", by="ada", at=NOON),)
    world.change_integration(is_frozen=True, named_sellers=seller)
    settings = IntegrationSettings(default_stage="picking")
    world.register("acme-ca", marketplace_ids=(CANADA,), settings=settings, deleted_at=NOON)
    first, second = (remove_picking, name_it) if is_removed_first else (name_it, remove_picking)
    with before_request(number, lambda: second(world)):
        first(world)
    known = {stage.id for stage in world.integrations.stages().stages}
    assert all(one.settings.default_stages <= known for one in world.integrations.find_all())


def test_a_stage_that_is_not_there_is_not_found(world: World) -> None:
    assert world.call("DELETE", "/stages/none").status == 404
    assert world.call("PATCH", "/stages/none", {"name": "x"}).status == 404


@pytest.mark.parametrize(("times", "status"), [(1, 201), (4, 409)])
def test_two_who_add_stages_at_once_both_succeed_or_one_is_told(world: World, times: int, status: int) -> None:
    numbers = iter(range(times))

    def somebody_adds_another() -> None:
        stages = world.integrations.stages()
        stage = stages.stages[0].model_copy(update={"id": f"other-{next(numbers)}", "name": "Other"})
        world.integrations.save_stages(stages.model_copy(update={"stages": (*stages.stages, stage)}))

    with world.just_before("manage_settings", "PutItem", somebody_adds_another, times=times):
        answer = add(world, "Picking")
    assert answer.status == status
    assert len(names(world)) == 2 + times + (status == 201)

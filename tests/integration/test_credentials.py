"""Credentials belong to the call that brought them, however two calls cross, and wherever one of them dies.

The first call makes its requests to AWS one after another; before each of them in turn the other call comes in between,
or the process dies.
"""

import json
import os
from contextlib import suppress
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from needs_attention.amazon.accounts import AmazonAccounts
from needs_attention.aws import ChangedMeanwhile
from needs_attention.environment import AmazonAccess
from tests.integration.crossings import REQUESTS, Killed, before_request, call_of_aws, dies
from tools.builders import NOON
from tools.in_memory.api import Answer, World, app

FIVE_MINUTES, MOMENT = timedelta(minutes=5), timedelta(milliseconds=1)
SHOP = "/integrations/shop"
SECRET = "needs-attention/integration/shop"


def credentials(who: str) -> dict[str, str]:
    return {"clientId": f"client-of-{who}", "clientSecret": "a-client-secret", "refreshToken": f"Atzr|{who}"}


def register(world: World, who: str) -> Answer:
    body: dict[str, object] = {"integrationId": "shop", "name": who, "region": "NA", "sellerId": "A1EXAMPLESELLER"}
    body["marketplaceIds"] = ["ATVPDKIKX0DER"]
    return world.call("POST", "/integrations", {**body, "credentials": credentials(who)})


def change(world: World, who: str, **headers: Any) -> Answer:
    return world.call("PATCH", SHOP, {"name": who, "credentials": credentials(who)}, **headers)


def used(world: World) -> str:
    """Whose credentials the downloads of the integration use."""
    integration = world.integrations.get("shop")
    assert integration is not None
    version = {"VersionId": integration.credentials_version} if integration.credentials_version else {}
    stored = boto3.client("secretsmanager").get_secret_value(SecretId=SECRET, **version)
    token: str = json.loads(stored["SecretString"])["refresh_token"]
    return token.removeprefix("Atzr|")


def current() -> str:
    """Whose credentials the release before would use."""
    # moto does not take the current version for granted once it has been moved.
    stored = boto3.client("secretsmanager").get_secret_value(SecretId=SECRET, VersionStage="AWSCURRENT")
    token: str = json.loads(stored["SecretString"])["refresh_token"]
    return token.removeprefix("Atzr|")


def name(world: World) -> str:
    integration = world.integrations.get("shop")
    assert integration is not None
    return integration.name


def labels() -> list[list[str]]:
    versions = boto3.client("secretsmanager").describe_secret(SecretId=SECRET)["VersionIdsToStages"]
    return sorted(stages for stages in versions.values() if stages not in ([], ["AWSPREVIOUS"]))


def test_amazon_is_called_with_new_credentials_at_once_or_in_five_minutes(world: World) -> None:
    """At once if the integration names their version, as each change of this release does."""
    register(world, "first")
    integration = world.integrations.get("shop")
    assert integration is not None
    access = AmazonAccess(secret_prefix=os.environ["SECRET_PREFIX"])
    accounts = AmazonAccounts(boto3.client("secretsmanager"), access)
    first = accounts.api_for(integration, NOON)
    assert accounts.api_for(integration, NOON + FIVE_MINUTES - MOMENT) is first
    assert accounts.api_for(integration, NOON + FIVE_MINUTES) is not first
    unnamed = integration.model_copy(update={"credentials_version": None})
    assert accounts.api_for(unnamed, NOON) is not first


@pytest.mark.parametrize("number", REQUESTS)
def test_of_two_registrations_at_once_one_is_refused_whole(world: World, number: int) -> None:
    answers: list[Answer] = []
    with before_request(number, lambda: answers.append(register(world, "second"))):
        answers.append(register(world, "first"))
    if len(answers) == 1:  # the first was through before that request
        answers.insert(0, register(world, "second"))
    assert sorted(answer.status for answer in answers) == [201, 409]
    winner = "second" if answers[0].status == 201 else "first"
    assert (name(world), used(world), current()) == (winner, winner, winner)
    assert labels() == [["AWSCURRENT"]]


@pytest.mark.parametrize("number", REQUESTS)
def test_of_two_changes_at_once_the_later_one_brings_name_and_credentials(world: World, number: int) -> None:
    register(world, "nobody")
    answers: list[Answer] = []
    with before_request(number, lambda: answers.append(change(world, "second"))):
        answers.append(change(world, "first"))
    assert {answer.status for answer in answers} <= {200, 409}
    assert used(world) == current() == name(world)
    assert name(world) in {"first", "second"}


@pytest.mark.parametrize("number", REQUESTS)
def test_a_change_on_an_outdated_state_leaves_the_credentials(world: World, number: int) -> None:
    register(world, "nobody")
    with before_request(number, lambda: change(world, "second")):
        answer = change(world, "first", If_Match='"1"')
    assert used(world) == current() == name(world)
    if answer.status == 412:
        assert name(world) == "second"


def test_a_change_of_an_outdated_state_brings_nothing(world: World) -> None:
    register(world, "nobody")
    assert change(world, "first", If_Match='"7"').status == 412
    assert (name(world), used(world), current()) == ("nobody", "nobody", "nobody")
    assert labels() == [["AWSCURRENT"]]


@pytest.mark.parametrize("number", REQUESTS)
def test_a_registration_that_dies_leaves_nothing_or_all_and_may_be_repeated(world: World, number: int) -> None:
    try:
        with before_request(number, dies):
            register(world, "first")
    except Killed:
        if world.integrations.get("shop"):
            assert used(world) == "first"
    register(world, "second")
    assert used(world) == name(world)


@pytest.mark.parametrize("number", REQUESTS)
def test_a_change_that_dies_leaves_name_and_credentials_of_one_call(world: World, number: int) -> None:
    register(world, "nobody")
    try:
        with before_request(number, dies):
            change(world, "first")
    except Killed:
        assert used(world) == name(world)
    assert change(world, "second").status == 200
    assert (name(world), used(world), current()) == ("second", "second", "second")


def test_calls_that_died_do_not_use_up_the_labels_of_a_secret(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    make_call = call_of_aws()

    def limited(client: Any, operation: str, parameters: Any) -> Any:
        """As Secrets Manager does, and moto does not."""
        if operation == "PutSecretValue" and sum(map(len, labels())) >= 20:
            raise client.exceptions.LimitExceededException({"Error": {"Code": "LimitExceededException"}}, operation)
        return make_call(client, operation, parameters)

    register(world, "nobody")
    with monkeypatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", limited)
        for _ in range(25):
            with pytest.raises(Killed), before_request(5, dies):  # the credentials are stored, the integration is not
                change(world, "first")
        assert (used(world), current()) == ("nobody", "nobody")
        assert change(world, "second").status == 200
    assert (name(world), used(world), current()) == ("second", "second", "second")


def test_a_change_succeeds_though_its_credentials_are_not_made_current(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_call = call_of_aws()

    def throttled(client: Any, operation: str, parameters: Any) -> Any:
        if operation == "DescribeSecret":
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, operation)
        return make_call(client, operation, parameters)

    with monkeypatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", throttled)
        assert register(world, "nobody").status == 201
        assert change(world, "first").status == 200
    assert (name(world), used(world)) == ("first", "first")
    assert world.woken() == ["shop", "shop"]
    change(world, "second")
    assert (used(world), current()) == ("second", "second")


def test_a_change_whose_answer_was_lost_is_not_withdrawn(world: World) -> None:
    register(world, "nobody")
    integrations = app("manage_settings").integrations
    save = integrations.save

    def lands_unnoticed(integration: Any) -> Any:
        save(integration)
        raise ChangedMeanwhile

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(integrations, "save", lands_unnoticed)
        assert change(world, "first", If_Match='"1"').status == 412
    assert (name(world), used(world)) == ("first", "first")
    assert [stages for stages in labels() if stages != ["AWSCURRENT"]] != []


def test_a_removal_that_a_revival_crosses_leaves_the_new_credentials(world: World) -> None:
    for number in REQUESTS:
        register(world, "nobody")
        with before_request(number, lambda: register(world, "second")):
            world.call("DELETE", SHOP)
        integration = world.integrations.get("shop")
        assert integration is not None
        if integration.deleted_at is None:
            assert used(world) == name(world)


def test_an_integration_whose_removal_died_is_revived_once_that_is_finished(world: World) -> None:
    register(world, "nobody")
    for number in REQUESTS:
        with suppress(Killed), before_request(number, dies):
            world.call("DELETE", SHOP)
        integration = world.integrations.get("shop")
        assert integration is not None
        if integration.deleted_at:
            world.call("DELETE", SHOP)
            assert register(world, "second").status == 201
        assert used(world) == name(world)


def test_credentials_of_an_earlier_release_stay_until_others_are_accepted(world: World) -> None:
    world.register("shop", name="of-old")
    old = {"client_id": "i", "client_secret": "s", "refresh_token": "Atzr|of-old"}
    boto3.client("secretsmanager").create_secret(Name=SECRET, SecretString=json.dumps(old))
    assert change(world, "first", If_Match='"7"').status == 412
    assert (used(world), current()) == ("of-old", "of-old")
    assert change(world, "first").status == 200
    assert (used(world), current()) == ("first", "first")


def test_many_refused_changes_do_not_use_up_the_labels_of_a_secret(world: World) -> None:
    register(world, "nobody")
    for _ in range(25):
        assert change(world, "first", If_Match='"7"').status == 412
    assert change(world, "second").status == 200
    assert labels() == [["AWSCURRENT"]]


def test_a_change_of_an_integration_that_is_removed_meanwhile_is_no_failure(world: World) -> None:
    register(world, "nobody")
    before = world.integrations.get("shop")
    assert before is not None

    def removed() -> None:
        world.change_integration("shop", deleted_at=NOON)
        boto3.client("secretsmanager").delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)

    for number in REQUESTS:
        with before_request(number, removed):
            answer = change(world, "first")
        assert answer.status in {200, 404, 409, 503}
        now = world.integrations.get("shop")
        assert now is not None
        world.integrations.save(before.model_copy(update={"revision": now.revision}))
        register(world, "nobody")

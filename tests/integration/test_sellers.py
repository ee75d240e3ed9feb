"""One integration has a seller in a region, however registrations and changes cross, repeat, or die half-way."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import permutations
from typing import Any

import boto3
import pytest

from needs_attention.integrations.integration import Integration
from tests.integration.crossings import REQUESTS, Killed, before_request, dies
from tools.builders import NOON
from tools.in_memory.api import Answer, World

ACME, BERG = "A1ACMEACMEACME", "A2BERGBERGBERG"
US, CANADA, GERMANY = "ATVPDKIKX0DER", "A2EUQ1WTGCTBG2", "A1PA6795UKMFR9"
CREDENTIALS = {"clientId": "amzn1.client", "clientSecret": "a-client-secret", "refreshToken": "Atzr|a-token"}
MINUTE = timedelta(minutes=1)


def register(world: World, integration_id: str, seller_id: str | None = ACME, **changes: object) -> Answer:
    body = {"integrationId": integration_id, "region": "NA", "marketplaceIds": [US], "credentials": CREDENTIALS}
    return world.call("POST", "/integrations", body | ({} if seller_id is None else {"sellerId": seller_id}) | changes)


def name_seller(world: World, integration_id: str, seller_id: Any, **more: object) -> Answer:
    return world.call("PATCH", f"/integrations/{integration_id}", {"sellerId": seller_id, **more})


def remove(world: World, integration_id: str) -> Answer:
    return world.call("DELETE", f"/integrations/{integration_id}")


def sellers(world: World) -> dict[str, tuple[str, str]]:
    """The region and seller of each integration that has one. No seller is held for another, or free by mistake."""
    known: dict[str, tuple[str, str]] = {
        one.integration_id: (one.region, one.seller_id) for one in every_integration(world) if one.seller_id
    }
    held = {(region, seller): holder for region, seller, holder in held_sellers(world)}
    assert held == {seller: integration_id for integration_id, seller in known.items()}
    return known


def every_integration(world: World) -> tuple[Integration, ...]:
    return world.integrations.find_all(deleted_too=True)


def held_sellers(world: World) -> Iterator[tuple[str, str, str]]:
    for item in world.dynamodb.scan(TableName="IntegrationsTable")["Items"]:
        if item["item"]["S"].startswith("seller#"):
            _, region, seller = item["item"]["S"].split("#")
            yield region, seller, item["registeredAs"]["S"]


# The seller at registration


def test_a_registration_names_the_seller_and_shows_it(world: World) -> None:
    answer = register(world, "shop", " a1acmeacmeacme ")
    assert answer.status == 201
    assert answer.body["sellerId"] == ACME
    by = {"by": "administrator@example.com", "at": "2026-11-23T12:00:00.000Z"}
    assert answer.body["sellerHistory"] == [{"sellerId": ACME, **by}]
    assert answer.body["health"]["warnings"] == []
    assert sellers(world) == {"shop": ("NA", ACME)}


@pytest.mark.parametrize(
    ("seller_id", "code", "told"),
    [
        (None, "required", "Seller Central shows it under Settings, Account Info"),
        ("", "notAllowed", "Merchant Token"),
        ("Acme Ltd.", "notAllowed", "Seller Central"),
        ("a1acmeacmea\u00df", "notAllowed", "Merchant Token"),
        ("A1ACMEACME\u0661\u0662", "notAllowed", "Merchant Token"),
        ("A" * 10_000, "notAllowed", "Merchant Token"),
        (US, "notAllowed", "marketplace"),
    ],
)
def test_without_a_merchant_token_it_is_told_where_that_is(
    world: World, seller_id: str | None, code: str, told: str
) -> None:
    answer = register(world, "shop", seller_id)
    assert answer.status == 422
    (error,) = answer.body["errors"]
    assert (error["field"], error["code"]) == ("sellerId", code)
    assert told in error["message"]
    assert world.integrations.get("shop") is None


def test_a_second_registration_of_a_seller_is_refused_and_names_the_first(world: World) -> None:
    register(world, "shop")
    answer = register(world, "shop-ca", marketplaceIds=[CANADA])
    assert (answer.status, answer.body["code"]) == (409, "sellerAlreadyRegistered")
    assert answer.body["registeredAs"] == "shop"
    assert "shop" in answer.body["detail"]
    assert "Add the marketplaces" in answer.body["detail"]
    assert sellers(world) == {"shop": ("NA", ACME)}


def test_a_seller_has_an_integration_in_each_region(world: World) -> None:
    register(world, "shop")
    assert register(world, "shop-eu", region="EU", marketplaceIds=[GERMANY]).status == 201
    assert sellers(world) == {"shop": ("NA", ACME), "shop-eu": ("EU", ACME)}


def test_a_refused_registration_leaves_no_credentials(world: World) -> None:
    register(world, "shop")
    register(world, "shop-ca")
    answer = register(world, "shop-ca", BERG)
    assert answer.status == 201
    assert sellers(world) == {"shop": ("NA", ACME), "shop-ca": ("NA", BERG)}


# Removed integrations


def test_a_removed_integration_is_named_to_whoever_registers_its_seller(world: World) -> None:
    register(world, "shop")
    remove(world, "shop")
    answer = register(world, "shop-2")
    assert (answer.status, answer.body["code"], answer.body["registeredAs"]) == (409, "sellerAlreadyRegistered", "shop")
    assert "its orders come along" in answer.body["detail"]
    assert register(world, "shop").status == 201


@pytest.mark.parametrize(
    "other", [{"seller_id": BERG}, {"region": "EU", "marketplaceIds": [GERMANY]}], ids=["seller", "region"]
)
def test_a_removed_integration_is_revived_only_for_its_seller(world: World, other: dict[str, Any]) -> None:
    register(world, "shop")
    remove(world, "shop")
    answer = register(world, "shop", **other)
    assert (answer.status, answer.body["code"]) == (409, "otherSeller")
    assert ACME in answer.body["detail"]
    removed = world.integrations.get("shop")
    assert removed is not None
    assert removed.deleted_at is not None


def test_an_administrator_names_the_seller_of_one_removed_by_an_earlier_release(world: World) -> None:
    world.register("shop", deleted_at=NOON)
    assert register(world, "shop", ACME).status == 201
    assert sellers(world) == {"shop": ("NA", ACME)}


def test_a_removed_integration_without_seller_is_not_revived_in_another_region(world: World) -> None:
    world.register("shop", deleted_at=NOON)
    answer = register(world, "shop", region="EU", marketplaceIds=[GERMANY])
    assert (answer.status, answer.body["code"]) == (409, "otherSeller")
    assert "NA" in answer.body["detail"]


def test_a_revived_integration_keeps_who_named_its_seller(world: World) -> None:
    named = register(world, "shop").body["sellerHistory"]
    remove(world, "shop")
    world.clock.now += MINUTE
    assert register(world, "shop").body["sellerHistory"] == named


# Integrations of an earlier release, and corrections


def test_an_integration_without_seller_works_and_its_health_says_so(world: World) -> None:
    (warning,) = world.call("GET", "/integrations/acme-na").body["health"]["warnings"]
    assert warning["code"] == "noSellerId"
    assert "Merchant Token" in warning["whatToDo"]
    (listed,) = world.call("GET", "/integrations").body["integrations"]
    assert (listed["sellerId"], listed["health"]["warnings"]) == (None, [warning])
    assert world.call("PATCH", "/integrations/acme-na", {"name": "Acme Ltd."}).status == 200


def test_an_administrator_adds_and_corrects_the_seller_on_record(world: World) -> None:
    assert name_seller(world, "acme-na", BERG).body["health"]["warnings"] == []
    world.clock.now += MINUTE
    answer = name_seller(world, "acme-na", ACME)
    assert answer.body["sellerId"] == ACME
    assert [one["sellerId"] for one in answer.body["sellerHistory"]] == [BERG, ACME]
    assert sellers(world) == {"acme-na": ("NA", ACME)}
    assert register(world, "shop", BERG).status == 201  # the wrong one is free again


def test_naming_the_same_seller_again_changes_nothing(world: World) -> None:
    once = name_seller(world, "acme-na", ACME)
    again = name_seller(world, "acme-na", ACME)
    assert (again.status, again.body["revision"]) == (200, once.body["revision"])


@pytest.mark.parametrize("dry_run", [False, True])
def test_an_integration_cannot_take_the_seller_of_another(world: World, *, dry_run: bool) -> None:
    register(world, "shop")
    answer = name_seller(world, "acme-na", ACME, dryRun=dry_run)
    assert (answer.status, answer.body["code"], answer.body["registeredAs"]) == (409, "sellerAlreadyRegistered", "shop")
    assert sellers(world) == {"shop": ("NA", ACME)}


@pytest.mark.parametrize("sent", [None, "", US, 7])
def test_a_seller_cannot_be_taken_back(world: World, sent: object) -> None:
    name_seller(world, "acme-na", ACME)
    assert name_seller(world, "acme-na", sent).status == 422
    assert sellers(world) == {"acme-na": ("NA", ACME)}


def test_only_the_last_twenty_sellers_stay_on_record(world: World) -> None:
    named = [f"A3NUMBERNUMB{number:02}" for number in range(25)]
    for seller_id in named:
        answer = name_seller(world, "acme-na", seller_id)
    assert [one["sellerId"] for one in answer.body["sellerHistory"]] == named[5:]


def test_the_second_of_two_integrations_of_a_seller_is_told_to_be_merged(world: World) -> None:
    register(world, "shop")
    answer = name_seller(world, "acme-na", ACME)
    assert "Remove acme-na, and merge it into that one" in answer.body["detail"]


def test_a_seller_of_a_removed_integration_is_had_by_merging_that(world: World) -> None:
    register(world, "shop")
    remove(world, "shop")
    answer = name_seller(world, "acme-na", ACME)
    assert (answer.status, answer.body["registeredAs"]) == (409, "shop")
    assert "Merge shop into acme-na" in answer.body["detail"]
    world.change_integration(is_frozen=True)
    assert world.call("POST", "/integrations/acme-na/merge", {"source": "shop"}).status == 202
    assert world.call("GET", "/integrations/acme-na").body["sellerId"] == ACME


@pytest.mark.parametrize("wrong", ["shop", "acme-na"])
def test_a_merge_corrects_a_seller_that_was_recorded_wrongly(world: World, wrong: str) -> None:
    """Two integrations never have one seller, so nothing else can make the two agree."""
    register(world, "shop", BERG if wrong == "shop" else ACME)
    name_seller(world, "acme-na", BERG if wrong == "acme-na" else ACME)
    remove(world, "shop")
    world.change_integration(is_frozen=True)
    refused = world.call("POST", "/integrations/acme-na/merge", {"source": "shop"})
    assert (refused.status, refused.body["code"]) == (409, "otherSeller")
    answer = world.call("POST", "/integrations/acme-na/merge", {"source": "shop", "sellerId": ACME})
    assert answer.status == 202
    assert {(region, seller): holder for region, seller, holder in held_sellers(world)} == {("NA", ACME): "acme-na"}
    assert {one.seller_id for one in every_integration(world)} == {ACME}
    assert register(world, "other", BERG).status == 201


@pytest.mark.parametrize(
    ("source", "target", "told"),
    [
        ("shop", "acme-na", "Merge shop into acme-na with this `sellerId`"),
        ("acme-na", "shop", "Remove acme-na, and merge it into that one with this `sellerId`"),
    ],
)
def test_whoever_corrects_a_seller_is_told_how_the_two_merge(world: World, source: str, target: str, told: str) -> None:
    register(world, "shop", ACME)
    name_seller(world, "acme-na", BERG)
    if source == "shop":
        remove(world, "shop")
    assert told in name_seller(world, "acme-na", ACME).body["detail"]
    remove(world, source)
    world.change_integration(target, is_frozen=True)
    body = {"source": source, "sellerId": ACME}
    assert world.call("POST", f"/integrations/{target}/merge", body).status == 202


def test_no_seller_helps_two_integrations_of_two_regions(world: World) -> None:
    register(world, "shop", BERG, region="EU", marketplaceIds=[GERMANY])
    name_seller(world, "acme-na", ACME)
    remove(world, "shop")
    answer = world.call("POST", "/integrations/acme-na/merge", {"source": "shop"})
    assert (answer.status, answer.body["code"]) == (409, "otherSeller")
    assert "sellerId" not in answer.body["detail"]


def test_a_merge_gives_nobody_a_seller_that_neither_has(world: World) -> None:
    register(world, "shop", BERG)
    name_seller(world, "acme-na", ACME)
    remove(world, "shop")
    world.change_integration(is_frozen=True)
    body = {"source": "shop", "sellerId": "A3OTHEROTHER00"}
    answer = world.call("POST", "/integrations/acme-na/merge", body)
    assert (answer.status, answer.codes) == (422, {"sellerId": "otherSeller"})


def test_a_removed_integration_whose_seller_is_another_ones_is_merged(world: World) -> None:
    remove(world, "acme-na")
    register(world, "shop")
    answer = register(world, "acme-na")
    assert (answer.status, answer.body["registeredAs"]) == (409, "shop")
    assert answer.body["detail"].endswith("Merge acme-na into that one: its orders come along.")


def test_a_seller_recorded_wrongly_is_corrected_after_a_removal(world: World) -> None:
    register(world, "shop", BERG)
    remove(world, "shop")
    assert "correct `sellerId` with PATCH" in register(world, "shop", ACME).body["detail"]
    register(world, "shop", BERG)
    assert name_seller(world, "shop", ACME).status == 200
    assert sellers(world) == {"shop": ("NA", ACME)}


# After a rollback to a release that drops the seller from integrations, and back


def test_a_seller_that_a_rollback_dropped_is_still_held(world: World) -> None:
    register(world, "shop")
    world.change_integration("shop", named_sellers=())
    answer = register(world, "shop-2")
    assert (answer.status, answer.body["registeredAs"]) == (409, "shop")
    assert name_seller(world, "shop", ACME).status == 200
    assert sellers(world) == {"shop": ("NA", ACME)}


def test_a_seller_that_an_integration_left_behind_is_free(world: World) -> None:
    register(world, "shop")
    world.change_integration("shop", named_sellers=())
    name_seller(world, "shop", BERG)
    assert register(world, "shop-2", ACME).status == 201
    assert sellers(world) == {"shop": ("NA", BERG), "shop-2": ("NA", ACME)}


@pytest.mark.parametrize("number", REQUESTS)
def test_a_seller_left_behind_goes_to_one_of_two_who_want_it_at_once(world: World, number: int) -> None:
    register(world, "shop")
    world.change_integration("shop", named_sellers=())
    name_seller(world, "shop", BERG)
    crossed(world, lambda one: register(one, "shop-2", ACME), lambda one: name_seller(one, "shop", ACME), number)
    assert ("NA", ACME) in sellers(world).values()


# Crossed, repeated and half-done calls

Call = Callable[[World], Answer]
CALLS: dict[str, Call] = {
    "shop for Acme": lambda world: register(world, "shop", ACME),
    "shop-2 for Acme": lambda world: register(world, "shop-2", ACME),
    "acme-na is Acme": lambda world: name_seller(world, "acme-na", ACME),
    "acme-na is Berg": lambda world: name_seller(world, "acme-na", BERG),
    "shop-2 for Berg": lambda world: register(world, "shop-2", BERG),
    "acme-na removed": lambda world: remove(world, "acme-na"),
}


def crossed(world: World, first: Call, second: Call, number: int) -> set[int]:
    """The statuses of the answers, if the second call comes before that request of the first one."""
    answers: list[Answer] = []
    with before_request(number, lambda: answers.append(second(world))):
        answers.append(first(world))
    return {answer.status for answer in answers}


@pytest.mark.parametrize(("first", "second"), list(permutations(CALLS, 2)))
def test_crossing_calls_leave_one_integration_a_seller(world: World, first: str, second: str) -> None:
    for number in REQUESTS:
        assert crossed(world, CALLS[first], CALLS[second], number) <= {200, 201, 204, 404, 409}
        sellers(world)
        start_again(world)


@pytest.mark.parametrize("number", REQUESTS)
def test_of_two_registrations_of_a_seller_at_once_one_is_named_the_other(world: World, number: int) -> None:
    answers: dict[str, Answer] = {}
    with before_request(number, lambda: answers.update(second=register(world, "shop-2"))):
        answers["first"] = register(world, "shop")
    if "second" not in answers:
        answers["second"] = register(world, "shop-2")
    winner, loser = sorted(answers.values(), key=lambda answer: answer.status)
    assert (winner.status, loser.status) == (201, 409)
    assert (loser.body["code"], loser.body["registeredAs"]) == ("sellerAlreadyRegistered", winner.body["integrationId"])


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("number", REQUESTS)
def test_a_call_that_dies_may_be_repeated_and_leaves_no_seller_behind(world: World, call: str, number: int) -> None:
    try:
        with before_request(number, dies):
            CALLS[call](world)
    except Killed:
        sellers(world)
    repeated = CALLS[call](world)
    assert repeated.status in {200, 201, 204} or repeated.body["code"] in {"alreadyRegistered", "notFound"}
    sellers(world)


def start_again(world: World) -> None:
    """As before: `acme-na` without a seller, and nothing else."""
    for item in world.dynamodb.scan(TableName="IntegrationsTable")["Items"]:
        key = {name: item[name] for name in ("integrationId", "item")}
        world.dynamodb.delete_item(TableName="IntegrationsTable", Key=key)
    secrets = boto3.client("secretsmanager")
    for secret in secrets.list_secrets()["SecretList"]:
        secrets.delete_secret(SecretId=secret["Name"], ForceDeleteWithoutRecovery=True)
    world.register()

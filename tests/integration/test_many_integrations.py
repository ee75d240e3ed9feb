"""Ten thousand sellers: what reads over all integrations makes a bounded number of calls, and reads bounded items."""

import json
from datetime import timedelta

import pytest
from moto import mock_aws

from needs_attention.api.cursors import cursor_at
from needs_attention.integrations.held_counter import HeldCounter
from needs_attention.integrations.incidents import Incident, Incidents
from needs_attention.jobs.digest import Measurements, digest
from needs_attention.orders.erasure import PageErased
from needs_attention.values.times import instant
from tests.integration.faults import Call, watched
from tools.builders import NOON
from tools.in_memory.api import Answer, Clock, World, an_event, app, invoke

HOUR = timedelta(hours=1)
ERASURE = {"reference": "GR-1", "buyerEmail": "k3x9@marketplace.example.com"}


class NoMeasurements(Measurements):
    def __init__(self) -> None:
        """Asks nobody."""

    def total(self, *_: object) -> int:
        return 0


def run(world: World, integration_id: str = "acme-na") -> None:
    """A run of its downloads. The integrations of these tests are paused, so it asks Amazon nothing."""
    event = an_event("download_orders_wake_up")
    event["Records"][0]["body"] = json.dumps({"integrationId": integration_id})
    assert invoke("download_orders", event) == {"batchItemFailures": []}


def count(world: World, integration_id: str, held: int) -> None:
    """Its counter, as a run leaves it."""
    world.downloads.save_held_counter(integration_id, HeldCounter(held=held, counted_at=NOON))


@pytest.fixture
def paused(world: World) -> World:
    world.change_integration(is_paused=True)
    return world


# Counters of held orders ----------------------------------------------------------------------------------------------


def test_a_run_counts_the_held_orders_of_its_integration(paused: World) -> None:
    paused.download(order_id="701-1", buyer_email=None)
    paused.download(order_id="701-2")
    run(paused)
    assert paused.downloads.all_held_counters() == {"acme-na": HeldCounter(held=1, counted_at=NOON)}


def test_runs_count_held_orders_once_an_hour(paused: World) -> None:
    run(paused)
    paused.download(buyer_email=None)
    paused.clock.advance(HOUR - timedelta(minutes=1))
    with watched() as calls:
        run(paused)
    assert paused.downloads.all_held_counters()["acme-na"].held == 0
    assert not [call for call in calls if "#held" in str(call.parameters) and call.operation != "BatchGetItem"]
    paused.clock.advance(timedelta(minutes=1))
    run(paused)
    counted = HeldCounter(held=1, counted_at=paused.clock.now)
    assert paused.downloads.all_held_counters() == {"acme-na": counted}


def test_a_removed_integration_loses_its_counter(paused: World) -> None:
    paused.download(buyer_email=None)
    run(paused)
    paused.change_integration(deleted_at=NOON)
    run(paused)
    assert paused.downloads.all_held_counters() == {}
    with watched() as calls:
        run(paused)
    assert "DeleteItem" not in [call.operation for call in calls if "#held" in str(call.parameters)]


def test_a_counter_that_cannot_be_read_is_counted_again(paused: World) -> None:
    run(paused)
    paused.dynamodb.put_item(
        TableName="IntegrationsTable",
        Item={"integrationId": {"S": "#held"}, "item": {"S": "held#acme-na"}, "data": {"S": "{"}},
    )
    assert paused.downloads.all_held_counters() == {}
    run(paused)
    assert paused.downloads.all_held_counters()["acme-na"].held == 0


# Lists, summaries and jobs --------------------------------------------------------------------------------------------

MANY = 300
PAGED = ["/integrations", "/retention", "/summary"]


@pytest.fixture
def many(world: World, unlogged: None) -> World:
    return with_many(world)


def with_many(world: World) -> World:
    """More integrations than anything looks at one after another: `acme-na` and `shop-000` to `shop-299`.

    Each shop has a counter, of as many orders as its number.
    """
    for number in range(MANY):
        world.register(shop(number))
        count(world, shop(number), number)
    return world


def shop(number: int) -> str:
    return f"shop-{number:03}"


def reads(calls: list[Call]) -> int:
    """How many calls go to DynamoDB, each of which reads at most a page or a hundred items."""
    return len([call for call in calls if call.service == "dynamodb"])


def shown(answer: Answer) -> list[str]:
    """The integrations that an answer has something of, in its order."""
    if "byIntegration" in answer.body:
        return list(answer.body["byIntegration"])
    return [one.get("integrationId") or one["integration"] for one in answer.body["integrations"]]


@pytest.mark.parametrize(("path", "most"), [("/integrations", 5), ("/retention", 31), ("/summary", 3)])
def test_a_page_reads_no_more_than_its_integrations(many: World, path: str, most: int) -> None:
    with watched() as calls:
        answer = many.call("GET", path, query={"limit": 10})
    assert len(shown(answer)) == 10
    assert answer.body["nextCursor"]
    assert reads(calls) <= most
    queries = [call.parameters for call in calls if call.is_to("dynamodb", "Query", "IntegrationsTable")]
    assert max(query["Limit"] for query in queries) <= 101


def all_pages(world: World, path: str) -> list[str]:
    found: list[str] = []
    cursor: str | None = None
    for _ in range(MANY // 80 + 1):
        answer = world.call("GET", path, query={"limit": 80, **({"cursor": cursor} if cursor else {})})
        found += shown(answer)
        cursor = answer.body["nextCursor"]
    assert cursor is None
    return found


@pytest.mark.parametrize("path", PAGED)
def test_pages_show_each_integration_once(many: World, path: str) -> None:
    shops = [shop(number) for number in range(MANY)]
    assert all_pages(many, path) == (shops if path == "/summary" else ["acme-na", *shops])


def test_motos_pages_show_each_integration_once_too(clock: Clock, unlogged: None) -> None:
    with mock_aws():
        world = with_many(World(clock))
        shops = [shop(number) for number in range(MANY)]
        assert [all_pages(world, path) for path in PAGED] == [shops] * len(PAGED)


def test_a_page_is_whole_though_dynamodb_answers_with_less(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    query = world.dynamodb.query
    monkeypatch.setattr(world.dynamodb, "query", lambda **asked: query(**asked | {"Limit": min(asked["Limit"], 2)}))
    for number in range(4):
        world.register(shop(number))
    first = world.integrations.page(4)
    assert (first.ids, first.position) == (("acme-na", shop(0), shop(1), shop(2)), shop(2))
    rest = world.integrations.page(4, first.position)
    assert (rest.ids, rest.position) == ((shop(3),), None)


@pytest.mark.parametrize("path", PAGED)
@pytest.mark.parametrize("position", ["", "Ada", "x" * 41, "a#b"])
def test_a_forged_cursor_of_integrations_is_refused(many: World, path: str, position: str) -> None:
    lists = {"/integrations": "integrations", "/retention": "due ", "/summary": "summary"}
    for name in (lists[path], "another list"):
        answer = many.call("GET", path, query={"cursor": cursor_at(position, name)})
        assert (answer.status, answer.body["code"]) == (400, "invalidCursor")


def test_a_summary_of_many_integrations_is_of_counters_and_says_so(many: World) -> None:
    count(many, shop(2), 10_000)
    many.clock.advance(HOUR)
    body = many.call("GET", "/summary", query={"limit": 2}).body
    assert body["isFromCounters"] is True
    as_of = {"readyToRelease": None, "asOf": instant(NOON)}
    assert body["byIntegration"] == {shop(0): {"held": 0, **as_of}, shop(1): {"held": 1, **as_of}}
    uncounted = ("held", "readyToRelease", "byMissing", "byQueue", "byAge", "byShipByState", "byStage", "goingNowhere")
    assert [body[name] for name in uncounted] == [None] * len(uncounted)
    assert body["isTruncated"] is False
    assert many.call("GET", "/summary", query={"limit": 3}).body["isTruncated"] is True


def test_a_summary_of_named_integrations_is_counted_now(many: World) -> None:
    many.download(shop(7), buyer_email=None)
    many.clock.advance(HOUR)
    with watched() as calls:
        body = many.call("GET", "/summary", query={"integration": [shop(7), shop(8)]}).body
    assert (body["isFromCounters"], body["held"], body["nextCursor"]) == (False, 1, None)
    counted = {"readyToRelease": 0, "asOf": instant(many.clock.now)}
    assert body["byIntegration"] == {shop(7): {"held": 1, **counted}, shop(8): {"held": 0, **counted}}
    assert reads(calls) == 6  # the Stages, the surroundings, and two Stages of each


def test_a_summary_that_is_counted_now_has_no_pages(world: World) -> None:
    body = world.call("GET", "/summary").body
    assert (body["isFromCounters"], body["nextCursor"]) == (False, None)
    answer = world.call("GET", "/summary", query={"cursor": cursor_at("acme-na", "summary")})
    assert (answer.status, answer.body["code"]) == (400, "invalidCursor")


@pytest.mark.parametrize("path", ["/summary", "/retention"])
def test_an_unknown_integration_is_named_in_the_refusal(world: World, path: str) -> None:
    answer = world.call("GET", path, query={"integration": "acme-na,acme-nz"})
    assert (answer.status, answer.codes) == (400, {"integration": "unknownIntegration"})
    assert answer.body["errors"][0]["message"] == "acme-nz is not known; allowed are acme-na"


def test_what_is_due_may_be_asked_of_some_integrations(many: World) -> None:
    named = {"integration": ",".join([shop(9), shop(7), shop(7), shop(8)]), "limit": 2}
    first = many.call("GET", "/retention", query=named)
    rest = many.call("GET", "/retention", query={**named, "cursor": first.body["nextCursor"]})
    assert (shown(first), shown(rest)) == ([shop(7), shop(8)], [shop(9)])
    assert rest.body["nextCursor"] is None
    other = {"integration": shop(9), "cursor": first.body["nextCursor"]}
    assert many.call("GET", "/retention", query=other).body["code"] == "invalidCursor"


def test_settings_that_cannot_be_read_make_many_integrations_no_fewer(world: World) -> None:
    for number in range(100):
        world.register(shop(number))
    place = {"integrationId": {"S": "#system"}, "item": {"S": f"integration#{shop(0)}"}}
    world.dynamodb.put_item(TableName="IntegrationsTable", Item={**place, "data": {"S": "{"}})
    assert world.call("GET", "/orders").codes == {"integration": "integrationNeeded"}
    assert world.call("GET", "/summary").body["isFromCounters"] is True


@pytest.mark.parametrize("wanted", [{"integration": shop(5)}, {}])
def test_an_erasure_is_begun_and_shown_in_a_bounded_number_of_calls(many: World, wanted: dict[str, str]) -> None:
    with watched() as calls:
        begun = many.call("POST", "/erasures", {**ERASURE, **wanted})
    assert reads(calls) <= 5
    assert begun.status == (202 if wanted else 422)
    if wanted:
        with watched() as calls:
            told = many.call("GET", f"/erasures/{begun.body['erasureId']}")
        assert shown(told) == [shop(5)]
        assert reads(calls) <= 3


def test_an_erasure_that_nobody_began_is_not_looked_for_everywhere(many: World) -> None:
    with watched() as calls:
        assert many.call("GET", "/erasures/none").status == 404
    assert reads(calls) == 2


def test_an_erasure_that_died_at_its_beginning_is_shown_as_not_finished(world: World) -> None:
    world.register("other")
    begun = world.call("POST", "/erasures", ERASURE).body
    (read,) = world.downloads.erasures_under_way("acme-na")
    through = read.erasure.after_page(PageErased(0, [], []), None, NOON)
    assert world.downloads.save_progress("acme-na", read, through)
    unbegun = {"integrationId": {"S": "other"}, "item": {"S": f"erasing#{begun['erasureId']}"}}
    world.dynamodb.delete_item(TableName="IntegrationsTable", Key=unbegun)
    told = world.call("GET", f"/erasures/{begun['erasureId']}").body
    assert [(one["integration"], one["finishedAt"]) for one in told["integrations"]] == [
        ("acme-na", instant(NOON)),
        ("other", None),
    ]
    assert told["finishedAt"] is None
    assert told["reference"] == "GR-1"


def test_an_erasure_that_an_earlier_release_began_is_shown(world: World) -> None:
    world.register("other")
    begun = world.call("POST", "/erasures", ERASURE).body
    listed = {"integrationId": {"S": "#erasures"}, "item": {"S": f"begun#{begun['erasureId']}"}}
    world.dynamodb.delete_item(TableName="IntegrationsTable", Key=listed)
    assert world.call("GET", f"/erasures/{begun['erasureId']}").body == begun


def test_a_stage_of_too_many_integrations_is_not_searched_for_orders(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("needs_attention.api.integrations.stages.MOST_INTEGRATIONS_SEARCHED", 2)
    world.call("POST", "/stages", {"name": "Packing"})
    for number in range(2):
        world.register(shop(number))
    with watched() as calls:
        answer = world.call("DELETE", "/stages/Packing")
    assert (answer.status, answer.body["code"]) == (409, "tooManyIntegrations")
    assert reads(calls) == 2
    monkeypatch.setattr("needs_attention.api.integrations.stages.MOST_INTEGRATIONS_SEARCHED", 3)
    assert world.call("DELETE", "/stages/Packing").status == 204


def test_the_digest_of_many_looks_at_those_with_incidents_or_most_held(
    many: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("needs_attention.jobs.digest.MOST_LOOKED_AT", 4)
    incident = Incident(code="amazonUnavailable", since=NOON, evidence="503")
    for number in (3, 5, 8):
        many.downloads.save_incidents(shop(number), Incidents(incidents=(incident,)))
    many.downloads.save_incidents(shop(9), Incidents())
    many.download(shop(298), buyer_email=None)
    with watched() as calls:
        mail = digest(many.orders, many.integrations, many.downloads, NoMeasurements(), NOON)
    lines = mail.text.splitlines()
    assert {line for line in lines if line.startswith("shop-")} == {shop(298), shop(299), shop(5), shop(8)}
    others = sum(range(MANY)) - 298 - 299 - 5 - 8
    assert mail.subject == f"Needs Attention: {others + 1} held, 0 or more overdue, 0 or more at risk"
    assert lines[2].startswith("New orders: 1 or more. Put on hold: 0.")
    assert lines[3] == f"Held now: {others + 1}. Overdue: 0 or more. At risk (ship-by within a day): 0 or more."
    assert lines[4] == "Going nowhere: 0 or more. Stopped by people: 0 or more."
    assert lines[5:7] == [
        "This digest looks at 4 integrations, those with incidents or the most held orders.",
        "Of 296 more it adds up the held orders, as counted once an hour, and nothing else.",
    ]
    assert f"And 296 more integrations, where less is to be done: {others} held." in lines
    assert reads(calls) <= 6 + 4 * 10


def test_the_digest_of_many_without_counters_looks_at_some_and_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("needs_attention.jobs.digest.MOST_LOOKED_AT", 2)
    for number in range(2):
        world.register(shop(number))
        world.download(shop(number), order_id=f"701-{number}", buyer_email=None)
    mail = digest(world.orders, world.integrations, world.downloads, NoMeasurements(), NOON)
    assert mail.subject == "Needs Attention: 1 held, 0 or more overdue, 0 or more at risk"
    assert "This digest looks at 2 integrations, those with incidents or the most held orders." in mail.text


def test_the_digest_of_many_counts_no_further_than_the_counters(many: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("needs_attention.jobs.digest.MOST_LOOKED_AT", 1)
    count(many, shop(0), 10_000)
    count(many, shop(1), 10_001)
    mail = digest(many.orders, many.integrations, many.downloads, NoMeasurements(), NOON)
    assert f"Held now: {sum(range(2, MANY)) + 10_000} or more." in mail.text


def test_the_hourly_sum_of_held_orders_takes_one_query(many: World, capsys: pytest.CaptureFixture[str]) -> None:
    with watched() as calls:
        app("download_orders").measure_held()
    assert f'"OrdersHeldNow":[{float(sum(range(MANY)))}]' in capsys.readouterr().out
    assert reads(calls) == 1

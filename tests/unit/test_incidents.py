"""Incidents of a connection: how they open, what they explain, and how they close."""

import json
from datetime import timedelta
from typing import Any

from needs_attention.integrations.incidents import MOST_UNTOLD, Incident, Incidents, is_far_behind
from needs_attention.values.model import read_stored
from tools.builders import NOON

US, CANADA = "ATVPDKIKX0DER", "A2EUQ1WTGCTBG2"


def an_incident(code: Any = "fieldsVanished", **fields: Any) -> Incident:
    return Incident(code=code, since=NOON, evidence="Of the latest 10 orders ...", **fields)


def test_a_repeated_incident_keeps_its_beginning_with_new_evidence() -> None:
    later = an_incident().model_copy(update={"since": NOON + timedelta(hours=1), "evidence": "worse"})
    (told,) = Incidents().opened(an_incident()).opened(later).incidents
    assert (told.since, told.evidence) == (NOON, "worse")


def test_incidents_are_closed_by_their_cause() -> None:
    both = Incidents().opened(an_incident("accessDenied")).opened(an_incident("quotaExhausted"))
    assert [one.code for one in both.closed("accessDenied", "amazonUnavailable").incidents] == ["quotaExhausted"]
    assert not both.closed("accessDenied", "quotaExhausted")


def test_an_order_that_lacks_a_vanished_field_names_the_incident() -> None:
    incidents = Incidents().opened(an_incident(fields={US: ("email",)}))
    assert incidents.cause_of(US, ["firstName", "email"]) == "fieldsVanished"
    assert incidents.cause_of(US, ["firstName"]) is None
    assert incidents.cause_of(CANADA, ["email"]) is None
    assert incidents.cause_of(None, ["email"]) is None
    assert Incidents().cause_of(US, ["email"]) is None


def test_downloads_are_far_behind_from_two_hours_down_to_one() -> None:
    assert is_far_behind(NOON - timedelta(hours=2, seconds=1), NOON, is_open=False)
    assert not is_far_behind(NOON - timedelta(hours=2), NOON, is_open=False)
    assert is_far_behind(NOON - timedelta(hours=1, seconds=1), NOON, is_open=True)
    assert not is_far_behind(NOON - timedelta(hours=1), NOON, is_open=True)


def test_what_opens_and_closes_is_news_until_it_is_told() -> None:
    first = Incidents().opened(an_incident("accessDenied")).with_news_since(Incidents(), NOON)
    later = NOON + timedelta(hours=1)
    both = first.closed("accessDenied").opened(an_incident("quotaExhausted")).with_news_since(first, later)
    assert [(one.event, one.incident.code, one.at) for one in both.untold] == [
        ("IncidentOpened", "accessDenied", NOON),
        ("IncidentClosed", "accessDenied", later),
        ("IncidentOpened", "quotaExhausted", later),
    ]
    told = both.all_told()
    assert (told.incidents, told.untold) == (both.incidents, ())


def test_new_evidence_of_an_open_incident_is_no_news() -> None:
    known = Incidents().opened(an_incident())
    worse = an_incident().model_copy(update={"evidence": "worse"})
    assert known.opened(worse).with_news_since(known, NOON).untold == ()


def test_only_the_latest_news_is_kept_while_the_bus_takes_none() -> None:
    incidents = Incidents()
    for minute in range(MOST_UNTOLD):
        at = NOON + timedelta(minutes=minute)
        opened = incidents.opened(an_incident()).with_news_since(incidents, at)
        incidents = opened.closed("fieldsVanished").with_news_since(opened, at)
    assert len(incidents.untold) == MOST_UNTOLD
    assert incidents.untold[-1].at == NOON + timedelta(minutes=MOST_UNTOLD - 1)


# Codes since 0.1.0, which that release cannot read


def stored(incidents: Incidents) -> Any:
    return json.loads(incidents.model_dump_json(by_alias=True))


def test_an_incident_of_a_newer_code_is_read_again_in_its_place() -> None:
    oldest = an_incident("otherSeller", seller_id="A1ACMEACMEACME")
    later = an_incident("quotaExhausted").model_copy(update={"since": NOON + timedelta(minutes=1)})
    both = Incidents().opened(oldest).with_news_since(Incidents(), NOON)
    both = both.opened(later).with_news_since(both, NOON + timedelta(minutes=1))
    assert read_stored(Incidents, json.dumps(stored(both))) == both


def test_a_release_that_does_not_know_a_code_never_meets_it() -> None:
    both = Incidents().opened(an_incident("otherSeller")).opened(an_incident("quotaExhausted"))
    item = stored(both.with_news_since(Incidents(), NOON))
    assert [one["code"] for one in item["incidents"]] == ["quotaExhausted"]
    assert [one["incident"]["code"] for one in item["untold"]] == ["quotaExhausted"]


def test_codes_of_a_later_release_are_left_out() -> None:
    item = stored(Incidents().opened(an_incident("otherSeller")))
    (known,) = item["newer"]["incidents"]
    item["newer"] = {"incidents": [known, known | {"code": "ofALaterRelease"}], "untold": []}
    assert [one.code for one in read_stored(Incidents, json.dumps(item)).incidents] == ["otherSeller"]

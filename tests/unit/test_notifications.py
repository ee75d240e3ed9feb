"""The stack that brings events to people knows every event that somebody has to act on, and no other."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest

from needs_attention.integrations.incidents import IncidentNews
from needs_attention.orders.alerts import Alert
from tools.from_template import resources

TEMPLATE = Path(__file__).parents[2] / "docs" / "notifications.yaml"
ABOUT_TIME = {"OrderAtRisk", "ShipByMissed"}
OF_THE_WAREHOUSE = {"OrderTransferFailed"}


def rule(name: str) -> dict[str, Any]:
    properties: dict[str, Any] = resources(TEMPLATE)[name]["Properties"]
    return properties


def test_every_alert_and_every_word_about_time_reaches_people() -> None:
    told = rule("Orders")["EventPattern"]["detail-type"]
    assert set(told) == {*get_args(Alert), *ABOUT_TIME, *OF_THE_WAREHOUSE}


def test_the_beginning_and_the_end_of_an_incident_reach_people() -> None:
    events = IncidentNews.model_fields["event"].annotation
    assert set(rule("Incidents")["EventPattern"]["detail-type"]) == set(get_args(events))


@pytest.mark.parametrize("name", ["Orders", "Incidents"])
def test_a_message_names_nothing_but_what_its_rule_reads(name: str) -> None:
    for target in rule(name)["Targets"]:
        transformer = target["InputTransformer"]
        assert set(re.findall(r"<(\w+)>", transformer["InputTemplate"])) == set(transformer["InputPathsMap"])

"""`make scale` measures the function that is deployed."""

import json

import pytest

from tools.local_stack.scale import InProcess, Route, over_http
from tools.local_stack.stack import Stack


@pytest.mark.parametrize(
    ("function", "route"),
    [
        ("query_orders", Route("an order", "GET", "/orders/unknown")),
        ("edit_orders", Route("an edit", "PATCH", "/orders/unknown", role="editor", body={"comment": "Later."})),
    ],
)
def test_a_function_in_this_process_answers_as_the_deployed_one_does(stack: Stack, function: str, route: Route) -> None:
    here = InProcess(function, stack).call(route)
    there = over_http(stack, route)
    told = [(answer.status, json.loads(answer.body)["code"]) for answer in (here, there)]
    assert told == [(404, "notFound")] * 2

"""From an order to the request that changed it, and from a line of the log to the order."""

import io
import json
from typing import Any

import pytest

from needs_attention.api.problems import UnexpectedError
from needs_attention.jobs.download.intake import Intake
from needs_attention.orders.order import LastChange
from needs_attention.orders.summary import Summary
from needs_attention.tables.history import OrderRevision, history_item
from needs_attention.tables.order_items import to_item
from tools.builders import NOON, a_raw_order
from tools.in_memory.api import World, an_event, app

ORDER_ID = "701-1111111-1111111"
REQUEST = an_event("edit_orders")["requestContext"]["requestId"]


def lines(log_lines: io.StringIO, message: str) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, log_lines.getvalue().splitlines()) if line["message"] == message]


def told(world: World) -> dict[str, Any]:
    """The entry in the history that the order's last change makes."""
    entry: dict[str, Any] = json.loads(history_item(OrderRevision.from_image(to_item(world.order())))["data"]["S"])
    return entry


def test_a_persons_change_and_the_log_name_the_same_request_and_order(world: World, log_lines: io.StringIO) -> None:
    world.download(buyer_email=None)
    changed = world.call("PATCH", f"/orders/{ORDER_ID}", {"email": "ada@marketplace.example.com"}, role="editor")
    assert changed.body["lastChange"]["requestId"] == REQUEST
    assert told(world)["requestId"] == REQUEST
    (line,) = lines(log_lines, "answered")
    assert (line["correlation_id"], line["order_id"]) == (REQUEST, ORDER_ID)


def test_a_hand_over_names_its_request(world: World) -> None:
    world.register("open", settings={"default_three_pl_status": "Transfer to 3PL Now"})
    world.download("open")
    world.call("POST", f"/orders/{ORDER_ID}/acknowledge", role="warehouse")
    assert (told(world)["cause"], told(world)["requestId"]) == ("acknowledge", REQUEST)


def test_an_erasure_and_the_log_name_the_same_request(world: World, log_lines: io.StringIO) -> None:
    world.download()
    request = an_event("redact_orders")["requestContext"]["requestId"]
    erased = world.call("POST", f"/orders/{ORDER_ID}/erase", {"reference": "GR-2041", "evenIfUnsent": True})
    assert erased.body["lastChange"]["requestId"] == request
    (line,) = lines(log_lines, "answered")
    assert (line["correlation_id"], line["order_id"]) == (request, ORDER_ID)


def test_a_download_is_kept_with_amazons_request(world: World) -> None:
    integration = world.integrations.get("acme-na")
    assert integration is not None
    intake = Intake(world.orders, world.downloads)
    intake.take(integration, [a_raw_order()], cause="download", request_id="amazons-1", now=NOON)
    assert told(world)["requestId"] == "amazons-1"


def test_a_change_that_came_with_no_request_names_none(world: World) -> None:
    world.download()
    assert "requestId" not in told(world)


def test_many_changes_at_once_are_one_line_with_the_orders_that_changed(world: World, log_lines: io.StringIO) -> None:
    world.download(buyer_email=None)
    wishes = [{"orderId": one, "patch": {"comment": "Called"}} for one in (ORDER_ID, "701-2222222-2222222")]
    assert world.call("POST", "/bulk/orders", {"orders": wishes}, role="editor").status == 200
    (line,) = lines(log_lines, "answered")
    assert line["order_ids"] == [ORDER_ID]


def test_many_redownloads_at_once_are_one_line_with_their_orders(world: World, log_lines: io.StringIO) -> None:
    world.download()
    world.call("POST", "/bulk/redownloads", {"orderIds": [ORDER_ID, "701-2222222-2222222"]}, role="editor")
    (line,) = lines(log_lines, "answered")
    assert line["order_ids"] == [ORDER_ID]


def test_a_request_about_no_order_names_none_not_even_the_one_before(world: World, log_lines: io.StringIO) -> None:
    world.download()
    world.call("GET", f"/orders/{ORDER_ID}")
    world.call("GET", "/summary")
    assert [line.get("order_id") for line in lines(log_lines, "answered")] == [ORDER_ID, None]


TYPED_BY_MISTAKE = [
    "bella@mail.example.com",
    "Bella",
    "Bella%20Ortiz%201",
    "Bella-Ortiz-7",
    "4915112345678",
    "503-555-0100",
    "Bella-701-1111111-1111111",
]


@pytest.mark.parametrize("typed", TYPED_BY_MISTAKE)
def test_a_text_typed_in_place_of_an_order_id_is_not_logged(world: World, log_lines: io.StringIO, typed: str) -> None:
    assert world.call("GET", f"/orders/{typed}").status == 404
    assert typed.casefold() not in log_lines.getvalue().casefold()
    (line,) = lines(log_lines, "answered")
    assert line.get("order_id") is None


@pytest.mark.parametrize("order_id", ["701-1111111-1111111", "S02-1111111-1111111"])
def test_an_order_id_is_logged_though_there_is_no_such_order(
    world: World, log_lines: io.StringIO, order_id: str
) -> None:
    world.call("GET", f"/orders/{order_id}")
    (line,) = lines(log_lines, "answered")
    assert line["order_id"] == order_id


def test_an_error_that_nobody_foresaw_names_its_request_and_order(
    world: World, log_lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(app("query_orders").orders, "get", broken)
    with pytest.raises(UnexpectedError):
        world.call("GET", f"/orders/{ORDER_ID}")
    (line,) = lines(log_lines, "unexpected error")
    assert (line["correlation_id"], line["order_id"]) == (REQUEST, ORDER_ID)


def test_a_change_written_by_a_later_version_is_told_by_this_one(world: World) -> None:
    """A release that was rolled back left images in the stream."""
    world.download()
    image = to_item(world.order())
    for attribute in ("summary", "lastChange"):
        image[attribute] = {"S": json.dumps(json.loads(image[attribute]["S"]) | {"aLaterField": 1})}
    revision = OrderRevision.from_image(image)
    assert revision == OrderRevision(Summary.of(world.order()), LastChange.model_validate(world.order().last_change))

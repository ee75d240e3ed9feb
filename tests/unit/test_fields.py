"""Values that come back from a table."""

from datetime import UTC, datetime
from typing import Annotated

import pytest
from pydantic import TypeAdapter, ValidationError

from needs_attention.orders.settings import Checks, Settings
from needs_attention.values.fields import WHOLE, Like, NotNull, OneOf
from needs_attention.values.model import Value, read_stored
from needs_attention.values.times import SentTime


def test_what_a_later_version_stored_beside_is_left_out_also_further_down() -> None:
    stored = '{"autoDispatchOrders": true, "futureSetting": 1, "checks": {"email": false, "futureCheck": true}}'
    assert read_stored(Settings, stored) == Settings(auto_dispatch_orders=True, checks=Checks(email=False))


def test_what_is_not_as_it_was_written_is_an_error() -> None:
    with pytest.raises(ValidationError):
        read_stored(Settings, '{"autoDispatchOrders": "perhaps"}')


class Sent(Value):
    """What somebody sends."""

    at: SentTime | None = None
    number: Annotated[int, WHOLE] | None = None


@pytest.mark.parametrize(
    "at", ["2026-11-23T18:00:00Z", "2026-11-23t19:00:00.000+01:00", "2026-11-23T18:00:00.000000000z"]
)
def test_a_time_is_taken_as_rfc_3339_writes_it(at: str) -> None:
    assert Sent.model_validate_json(f'{{"at": "{at}"}}', strict=True).at == datetime(2026, 11, 23, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    "at",
    [
        '"1700000000"',
        "1700000000",
        '"2026-11-23"',
        '"2026-11-23 18:00:00Z"',
        '"2026-11-23T18:00:00"',
        '"2026-11-23T18:00Z"',
        '"2026-02-30T18:00:00Z"',
        '"1969-12-31T23:59:59Z"',
        '"3000-01-01T00:00:00Z"',
        '"٢٠٢٦-11-23T18:00:00Z"',
    ],
)
def test_no_other_time_is_taken(at: str) -> None:
    with pytest.raises(ValidationError):
        Sent.model_validate_json(f'{{"at": {at}}}', strict=True)


@pytest.mark.parametrize("number", ["2", "2.0", "2e0"])
def test_a_whole_number_is_taken_however_json_writes_it(number: str) -> None:
    assert Sent.model_validate_json(f'{{"number": {number}}}', strict=True).number == 2


@pytest.mark.parametrize("number", ["2.5", '"2"', "true"])
def test_no_other_number_is_taken(number: str) -> None:
    with pytest.raises(ValidationError):
        Sent.model_validate_json(f'{{"number": {number}}}', strict=True)


class Chosen(Value):
    """What somebody chooses."""

    color: Annotated[str, OneOf(["red", "green"], "only {allowed}")] = "red"
    size: Annotated[int | None, NotNull()] = None
    at: Annotated[datetime | str | None, NotNull()] = None


def test_a_text_is_one_of_those_that_are_allowed() -> None:
    assert Chosen(color="green").color == "green"
    with pytest.raises(ValidationError, match="only red, green"):
        Chosen(color="blue")


def test_what_may_be_left_out_cannot_be_null() -> None:
    assert Chosen().size is None
    assert Chosen(size=3).size == 3
    with pytest.raises(ValidationError, match="cannot be null"):
        Chosen(size=None)


def test_the_schema_says_what_is_allowed() -> None:
    told = Chosen.model_json_schema()["properties"]
    assert told["color"]["enum"] == ["red", "green"]
    assert told["size"] == {"type": "integer", "default": None, "title": "Size"}
    assert told["at"]["anyOf"] == [{"type": "string", "format": "date-time"}, {"type": "string"}]


def test_how_a_text_is_written_stands_in_the_schema_and_in_the_refusal() -> None:
    kind: TypeAdapter[str] = TypeAdapter(Annotated[str, Like("[A-Z]{3}", "must be three capital letters")])
    assert kind.json_schema() == {"type": "string", "pattern": "^[A-Z]{3}$"}
    assert kind.validate_python("USD") == "USD"
    with pytest.raises(ValidationError, match="must be three capital letters"):
        kind.validate_python("usd")

"""The annotations of fields: what each takes, refuses and says in the schema."""

from datetime import datetime
from typing import Annotated

import pytest
from pydantic import TypeAdapter, ValidationError

from needs_attention.values.fields import SEVERAL, WHOLE, Like, NoneOf, NotNull, OneOf
from needs_attention.values.model import Value
from needs_attention.values.times import SentTime


class Sent(Value):
    """A request."""

    at: SentTime | None = None
    number: Annotated[int, WHOLE] | None = None


@pytest.mark.parametrize("number", ["2", "2.0", "2e0"])
def test_a_whole_number_is_taken_however_json_writes_it(number: str) -> None:
    assert Sent.model_validate_json(f'{{"number": {number}}}', strict=True).number == 2


@pytest.mark.parametrize("number", ["2.5", '"2"', "true"])
def test_no_other_number_is_taken(number: str) -> None:
    with pytest.raises(ValidationError):
        Sent.model_validate_json(f'{{"number": {number}}}', strict=True)


class Named(Value):
    """Several names."""

    names: Annotated[tuple[str, ...], SEVERAL] = ()


@pytest.mark.parametrize("sent", ["a,b c", ["a", "b;c"], "a\nb,, c", ("a", "b", "c")])
def test_several_values_come_in_one_text_or_in_many(sent: object) -> None:
    assert Named.model_validate({"names": sent}).names == ("a", "b", "c")


@pytest.mark.parametrize("sent", ["", " , ", [], [""]])
def test_a_parameter_that_takes_several_values_has_at_least_one(sent: object) -> None:
    with pytest.raises(ValidationError, match="must name at least one"):
        Named.model_validate({"names": sent})


class Chosen(Value):
    """A choice."""

    color: Annotated[str, OneOf(["red", "green"], "only {allowed}")] = "red"
    size: Annotated[int | None, NotNull()] = None
    at: Annotated[datetime | str | None, NotNull()] = None


def test_a_text_is_one_of_those_that_are_allowed() -> None:
    assert Chosen(color="green").color == "green"
    with pytest.raises(ValidationError, match="only red, green"):
        Chosen(color="blue")


def test_a_field_that_may_be_left_out_cannot_be_null() -> None:
    assert Chosen().size is None
    assert Chosen(size=3).size == 3
    with pytest.raises(ValidationError, match="cannot be null"):
        Chosen(size=None)


def test_the_schema_says_what_is_allowed() -> None:
    told = Chosen.model_json_schema()["properties"]
    assert told["color"]["enum"] == ["red", "green"]
    assert told["size"] == {"type": "integer", "default": None, "title": "Size"}
    assert told["at"]["anyOf"] == [{"type": "string", "format": "date-time"}, {"type": "string"}]


def test_a_pattern_is_in_the_schema_and_in_the_refusal() -> None:
    kind: TypeAdapter[str] = TypeAdapter(Annotated[str, Like("[A-Z]{3}", "must be three capital letters")])
    assert kind.json_schema() == {"type": "string", "pattern": "^[A-Z]{3}$"}
    assert kind.validate_python("USD") == "USD"
    with pytest.raises(ValidationError, match="must be three capital letters"):
        kind.validate_python("usd")


def test_a_text_that_must_be_none_of_some_is_refused_as_one_of_them() -> None:
    other = TypeAdapter(Annotated[str, NoneOf(["red", "green"], "is a colour")])
    assert other.validate_python("plum") == "plum"
    with pytest.raises(ValidationError, match="is a colour"):
        other.validate_python("green")

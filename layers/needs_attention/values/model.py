"""The base of every value: frozen, camelCase outside, and read from storage tolerantly."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Value(BaseModel):
    """A frozen value with camelCase names outside; what it does not know is an error, so a typing mistake is seen."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, extra="forbid", hide_input_in_errors=True
    )


def differing[Kind: Value](one: Kind, other: Kind) -> set[str]:
    """The names of the fields in which the two differ."""
    was, now = vars(one), vars(other)
    # A change keeps most values as they are, and to see that costs less than to compare them.
    return {name for name in was if was[name] is not now[name] and was[name] != now[name]}


def read_stored[Stored: Value](kind: type[Stored], text: str) -> Stored:
    """What a table holds; fields of a later version are left out, so that one that was rolled back can go on."""
    return kind.model_validate_json(text, extra="ignore")

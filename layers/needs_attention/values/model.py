"""The base of every value: frozen, with camelCase names outside, and read from storage tolerantly."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Value(BaseModel):
    """A frozen value with camelCase names outside. It refuses unknown fields, so a misspelt one is noticed."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, extra="forbid", hide_input_in_errors=True
    )


def differing[Kind: Value](one: Kind, other: Kind) -> set[str]:
    """The names of the fields in which the two differ."""
    if one is other:
        return set()
    was, now = vars(one), vars(other)
    # A change keeps most values as they are, and an identity check is cheaper than a comparison.
    return {name for name in was if was[name] is not now[name] and was[name] != now[name]}


def read_stored[Stored: Value](kind: type[Stored], text: str) -> Stored:
    """A value from a table. Unknown fields are left out, so that a release can be rolled back to an earlier one."""
    return kind.model_validate_json(text, extra="ignore")

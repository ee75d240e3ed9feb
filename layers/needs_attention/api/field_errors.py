"""What pydantic found wrong in a value that was sent, in words for whoever sent it."""

import re
from collections.abc import Iterator, Sequence
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic.alias_generators import to_camel

from needs_attention.api.problems import FieldError

_PLAIN_CODES = {
    "enum": "notAllowed",
    "extra_forbidden": "unknownField",
    "literal_error": "notAllowed",
    "missing": "required",
    "value_error": "notAllowed",
}
# pydantic has a code for every type of Python's; who sends JSON knows only that it is another one.
_WRONG_TYPE = re.compile(r"\w+_(type|parsing)|int_from_float|string_unicode")


def field_errors(error: ValidationError, model: type[BaseModel]) -> list[FieldError]:
    """What pydantic found in a value that should be the model's, without any value that was sent."""
    found: dict[tuple[str | int, ...], FieldError] = {}
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        path = tuple(part for part in item["loc"] if _is_field(part))
        field = ".".join(str(part) for part in path) or "body"
        kind = "wrong_type" if _WRONG_TYPE.fullmatch(item["type"]) else item["type"]
        message = item["msg"].removeprefix("Value error, ").replace("be True", "be true")
        if kind == "extra_forbidden":
            message = f"not known; allowed are {', '.join(_names_at(model, path[:-1]))}"
        found[path] = FieldError(field, _PLAIN_CODES.get(kind, to_camel(kind)), message)
    # pydantic also calls a list too short because of what is wrong with its items.
    around = {path[:depth] for path in found for depth in range(1, len(path))}
    return [error for path, error in found.items() if path not in around]


def _is_field(part: str | int) -> bool:
    """pydantic also names the branch of a union and the key of a dictionary."""
    return isinstance(part, int) or not (part in {"bool", "[key]"} or part.startswith("function-"))


def _names_at(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """The names that an object has there."""
    for part in path:
        held = (info.annotation for name, info in model.model_fields.items() if part == (info.alias or name))
        model = next((one for annotation in held for one in _models_in(annotation)), model)
    return [info.alias or name for name, info in model.model_fields.items()]


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)

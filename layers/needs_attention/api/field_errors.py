"""The errors that pydantic finds in a request, in words for the caller."""

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
# pydantic has a code for each Python type. To a caller who sends JSON, they all mean a wrong type.
_WRONG_TYPE = re.compile(r"\w+_(type|parsing)|int_from_float|string_unicode")


def field_errors(error: ValidationError, model: type[BaseModel]) -> list[FieldError]:
    """The errors of a value that does not fit the model. They repeat nothing that the caller sent."""
    found: dict[tuple[str | int, ...], FieldError] = {}
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        path = tuple(part for part in item["loc"] if _is_field(part))
        field = ".".join(str(part) for part in path) or "body"
        kind = "wrong_type" if _WRONG_TYPE.fullmatch(item["type"]) else item["type"]
        message = item["msg"].removeprefix("Value error, ").replace("be True", "be true")
        if kind == "missing":
            message = _missing(model, path)
        if kind == "extra_forbidden":
            allowed = ", ".join(_names_at(model, path[:-1]))
            message = f"not known; allowed are {allowed}" if allowed else "not known; none is allowed"
        found[path] = FieldError(field, _PLAIN_CODES.get(kind, to_camel(kind)), message)
    # pydantic also calls a list too short when its items are wrong.
    around = {path[:depth] for path in found for depth in range(1, len(path))}
    return [error for path, error in found.items() if path not in around]


def _is_field(part: str | int) -> bool:
    """False for the branch of a union and the key of a dictionary, which pydantic names too."""
    return isinstance(part, int) or not (part in {"bool", "[key]"} or part.startswith("function-"))


def _missing(model: type[BaseModel], path: Sequence[str | int]) -> str:
    """Says where the value is found, if the field does."""
    fields = _model_at(model, path[:-1]).model_fields
    described = (info.description for name, info in fields.items() if path[-1:] == (info.alias or name,))
    return next((f"is required. {description}" for description in described if description), "is required")


def _names_at(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """The names of the fields that the object at this path has."""
    return [info.alias or name for name, info in _model_at(model, path).model_fields.items()]


def _model_at(model: type[BaseModel], path: Sequence[str | int]) -> type[BaseModel]:
    for part in path:
        held = (info.annotation for name, info in model.model_fields.items() if part == (info.alias or name))
        model = next((one for annotation in held for one in _models_in(annotation)), model)
    return model


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)

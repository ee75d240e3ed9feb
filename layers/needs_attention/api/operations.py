"""The operations of the API, and the parameters that they take from a request."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum, auto
from http import HTTPStatus
from typing import Annotated, NamedTuple, Protocol, TypeVar, get_type_hints

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ValidationError

from needs_attention.api.callers import Role
from needs_attention.api.field_errors import field_errors
from needs_attention.api.problems import FieldError, Problem, invalid

JSON = ("application/json",)
MERGE_PATCH = ("application/merge-patch+json", "application/json")
# Windows names the files so that Excel opens.
CSV = ("text/csv", "application/vnd.ms-excel")
LARGEST_BODY = 256 * 1024
# An export of 250 orders with long texts, which a spreadsheet saved in UTF-16. In base64 it fits what Lambda takes.
LARGEST_SHEET = 2 * 1024 * 1024
# An `Idempotency-Key`.
KEY = re.compile(r"[!-~]{1,255}")


class IfMatch(NamedTuple):
    """The revisions that a change may replace; None stands for any."""

    revisions: frozenset[str] | None

    @classmethod
    def from_header(cls, header: str | None) -> "IfMatch":
        """Raises a 400 for a header that holds anything other than ETags of this API."""
        if header is None or header.strip() == "*":
            return cls(None)
        tags = [tag.strip() for tag in header.split(",")]
        if not all(re.fullmatch(r'"[^"]*"', tag) for tag in tags):
            raise Problem(400, 'If-Match takes the ETag of an earlier answer, such as "3".', code="invalidIfMatch")
        return cls(frozenset(tag.strip('"') for tag in tags))

    def allows(self, revision: int) -> bool:
        return self.revisions is None or str(revision) in self.revisions


class Source(Enum):
    """The part of a request that a parameter of an operation comes from."""

    QUERY = auto()
    BODY = auto()
    MERGE_PATCH = auto()
    SHEET = auto()
    IF_MATCH = auto()
    IDEMPOTENCY_KEY = auto()


_Sent = TypeVar("_Sent", bound=BaseModel)

# An operation's function names its parameters with these annotations. Parts of the path need none.
Query = Annotated[_Sent, Source.QUERY]
Body = Annotated[_Sent, Source.BODY]
MergePatch = Annotated[_Sent, Source.MERGE_PATCH]
Sheet = Annotated[str, Source.SHEET]
IfMatchHeader = Annotated[IfMatch, Source.IF_MATCH]
IdempotencyKey = Annotated[str | None, Source.IDEMPOTENCY_KEY]


class Parameter(NamedTuple):
    """A parameter of an operation: its name in the function, its type, and where it comes from."""

    name: str
    kind: type
    source: Source


type Endpoint = Callable[..., Response[object]]


class Operation(NamedTuple):
    """One method of one path: who may call it, its parameters, and the type of its answer's body by status.

    None stands for an answer without a body, `str` for a sheet. The OpenAPI document is made of these.
    """

    method: str
    path: str
    roles: tuple[Role, ...]
    parameters: tuple[Parameter, ...]
    answers: Mapping[HTTPStatus, object]
    endpoint: Endpoint

    def takes(self, *sources: Source) -> bool:
        return any(parameter.source in sources for parameter in self.parameters)


def parameters_of(endpoint: Endpoint) -> tuple[Parameter, ...]:
    """The parameters that have one of the annotations above."""
    hints = get_type_hints(endpoint, include_extras=True)
    sources = {name: getattr(hint, "__metadata__", ()) for name, hint in hints.items()}
    return tuple(
        Parameter(name, hints[name].__origin__, source)
        for name, found in sources.items()
        for source in found
        if isinstance(source, Source)
    )


def parsed[Sent: BaseModel](model: type[Sent], text: str | bytes) -> Sent:
    """Reads JSON as a value. Raises a 400 if it is not JSON, and a 422 that names every wrong field.

    A text with U+FFFD is wrong everywhere: whatever program wrote it has lost the characters that were there.
    """
    try:
        value = model.model_validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise Problem(400, first["msg"], code="unreadableJson") from None
        raise invalid(field_errors(error, model)) from None
    if lossy := [name for name, sent in _texts_in(json.loads(text)) if _LOST in sent]:
        message = "holds U+FFFD in place of characters that were lost; type it again, or save the file as UTF-8"
        raise invalid([FieldError(name, "lostCharacters", message) for name in lossy])
    return value


_LOST = "\N{REPLACEMENT CHARACTER}"


def _texts_in(value: object, *path: str) -> Iterator[tuple[str, str]]:
    """Every text in a JSON value, with the names and places that lead to it."""
    match value:
        case str():
            yield ".".join(path) or "body", value
        case dict():
            for name, part in value.items():
                yield from _texts_in(part, *path, name)
        case list():
            for place, part in enumerate(value):
                yield from _texts_in(part, *path, str(place))


class KeyedRequest(NamedTuple):
    """A request with an `Idempotency-Key`. `key` names caller, operation and key; `content` is the rest of it."""

    key: str
    content: Sequence[str]


class Remembered(Protocol):
    """The answers to requests with an `Idempotency-Key`."""

    def answer(
        self, request: KeyedRequest, context: LambdaContext, make: Callable[[], Response[object]]
    ) -> Response[object]:
        """The answer that the request got the first time, or else the one that `make` returns."""

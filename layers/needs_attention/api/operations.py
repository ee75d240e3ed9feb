"""What an operation of the API takes from a request, and how it answers."""

import re
from collections.abc import Callable, Mapping
from enum import Enum, auto
from http import HTTPStatus
from typing import Annotated, NamedTuple, TypeVar, get_type_hints

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel, ValidationError

from needs_attention.api.callers import Role
from needs_attention.api.field_errors import field_errors
from needs_attention.api.problems import Problem, invalid

JSON = ("application/json",)
MERGE_PATCH = ("application/merge-patch+json", "application/json")
LARGEST_BODY = 256 * 1024

KEY = re.compile(r"[!-~]{1,255}")


# What was sent --------------------------------------------------------------------------------------------------------
class IfMatch(NamedTuple):
    """The revisions on which the caller wants the change to land; None for whichever it is now."""

    revisions: frozenset[str] | None

    @classmethod
    def from_header(cls, header: str | None) -> "IfMatch":
        """Raises a 400 for what is no ETag of ours."""
        if header is None or header.strip() == "*":
            return cls(None)
        tags = [tag.strip() for tag in header.split(",")]
        if not all(re.fullmatch(r'"[^"]*"', tag) for tag in tags):
            raise Problem(400, 'If-Match takes the ETag of an earlier answer, such as "3".', code="invalidIfMatch")
        return cls(frozenset(tag.strip('"') for tag in tags))

    def allows(self, revision: int) -> bool:
        return self.revisions is None or str(revision) in self.revisions


def parsed[Body: BaseModel](model: type[Body], text: str | bytes) -> Body:
    """JSON as a value. Raises a 400 if it is no JSON, a 422 with every field that is wrong."""
    try:
        return model.model_validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise Problem(400, first["msg"], code="unreadableJson") from None
        raise invalid(field_errors(error, model)) from None


# Operations -----------------------------------------------------------------------------------------------------------
class Source(Enum):
    """Where in a request an operation's parameter stands."""

    QUERY = auto()
    BODY = auto()
    MERGE_PATCH = auto()
    SHEET = auto()
    IF_MATCH = auto()
    IDEMPOTENCY_KEY = auto()


_Sent = TypeVar("_Sent", bound=BaseModel)


# How an operation's function says what it takes, beside the parts of its path.
Query = Annotated[_Sent, Source.QUERY]
Body = Annotated[_Sent, Source.BODY]
MergePatch = Annotated[_Sent, Source.MERGE_PATCH]
Sheet = Annotated[str, Source.SHEET]
IfMatchHeader = Annotated[IfMatch, Source.IF_MATCH]
IdempotencyKey = Annotated[str | None, Source.IDEMPOTENCY_KEY]


class Parameter(NamedTuple):
    """What an operation takes from a request: its name in the function, its type, and where it stands."""

    name: str
    kind: type
    source: Source


type Endpoint = Callable[..., Response[object]]


class Operation(NamedTuple):
    """One method of one path: who may call it, what it takes, and the type of its answer's body by status.

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
    hints = get_type_hints(endpoint, include_extras=True)
    sources = {name: getattr(hint, "__metadata__", ()) for name, hint in hints.items()}
    return tuple(
        Parameter(name, hints[name].__origin__, source)
        for name, found in sources.items()
        for source in found
        if isinstance(source, Source)
    )

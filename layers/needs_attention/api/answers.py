"""How the API answers: JSON that nobody may keep, and the types that the shapes of answers share.

A function that builds an answer returns its shape, a TypedDict next to it, and the OpenAPI document is made of those
shapes. Every member is always there, null if there is nothing to say, except those that say NotRequired.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from pydantic import Field, WithJsonSchema

from needs_attention.values.model import Value

Instant = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Url = Annotated[str, WithJsonSchema({"type": "string", "format": "uri"})]
FieldCode = Annotated[str, Field(description="A field's name, e.g. `email` or `deliveryAddress`")]


def as_json(value: Value | None) -> Any:
    """A value that an answer shows as it is stored. Its model is its shape there, so the answer's type names that."""
    return None if value is None else value.model_dump(mode="json", by_alias=True)


def answer(
    body: object, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response[object]:
    """A JSON answer, which nobody may keep: it may hold personal data."""
    return Response(int(status), "application/json", body, {"Cache-Control": "no-store", **(headers or {})})


def nothing() -> Response[object]:
    """That something is done, and there is nothing to show."""
    return Response(int(HTTPStatus.NO_CONTENT), body="")


def etag(revision: int) -> dict[str, str]:
    return {"ETag": f'"{revision}"'}

"""How the API answers: JSON that nobody may keep, and the types that the shapes of answers share.

A function that builds an answer returns its shape, a TypedDict next to it, and the OpenAPI document is made of those
shapes. Every member is always there, null if there is nothing to say, except those that say NotRequired.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, TypedDict

from aws_lambda_powertools.event_handler import Response
from pydantic import Field, WithJsonSchema

from needs_attention.values.model import Value

Instant = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Url = Annotated[str, WithJsonSchema({"type": "string", "format": "uri"})]
FieldCode = Annotated[str, Field(description="A field's name, e.g. `email` or `deliveryAddress`")]


def as_json(value: Value | None) -> Any:
    """A value that an answer shows as it is stored. Its model is its shape there, so the answer's type names that."""
    return None if value is None else value.model_dump(mode="json", by_alias=True)


class Revised(TypedDict):
    """Any shape with a revision."""

    revision: int


def answer(
    body: object, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response[object]:
    """A JSON answer that nobody may keep: it may hold personal data."""
    return Response(int(status), "application/json", body, {"Cache-Control": "no-store", **(headers or {})})


def answer_with_etag(
    body: Revised, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response[object]:
    """A JSON answer with its revision as `ETag`, which a later request sends as `If-Match`."""
    return answer(body, status, {"ETag": f'"{body["revision"]}"', **(headers or {})})


def sheet_answer(sheet: str, file_name: str, next_cursor: str | None) -> Response[object]:
    """A CSV file to save, which nobody else may keep."""
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{file_name}"'}
    if next_cursor:
        headers["X-Next-Cursor"] = next_cursor
    return Response(int(HTTPStatus.OK), "text/csv; charset=utf-8", sheet, headers)


def nothing() -> Response[object]:
    """An answer without a body: the request is done."""
    return Response(int(HTTPStatus.NO_CONTENT), body="")

"""Whether an answer is as the OpenAPI document describes it, down to the last member."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

FILE = Path(__file__).parents[2] / "functions" / "query_orders" / "openapi.json"


@cache
def document_checked_in() -> Mapping[str, Any]:
    """The document as JSON."""
    checked_in: Mapping[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return checked_in


def problems_with(method: str, path: str, status: int, body: object, headers: Mapping[str, str]) -> list[str]:
    """The differences between an answer and the document; none for a right answer."""
    responses = document_checked_in()["paths"][path][method.lower()]["responses"]
    if str(status) not in responses:
        return [f"status {status} is not documented"]
    response = responses[str(status)]
    if "$ref" in response:
        response = document_checked_in()["components"]["responses"][response["$ref"].rpartition("/")[2]]
    if "content" not in response:
        return [] if body is None else ["a body is not documented"]
    media_type = headers.get("Content-Type", "").partition(";")[0]
    if media_type not in response["content"]:
        return [f"{media_type} is not documented for status {status}"]
    if media_type == "text/csv":
        return []
    errors = _validator(json.dumps(response["content"][media_type]["schema"])).iter_errors(body)
    return [f"{error.json_path}: {error.message[:200]}" for error in errors]


def problems_with_body(method: str, path: str, body: object) -> list[str]:
    """The differences between the body of a request and the document."""
    (media, *_) = document_checked_in()["paths"][path][method.lower()]["requestBody"]["content"].values()
    errors = _validator(json.dumps(media["schema"])).iter_errors(body)
    return [f"{error.json_path}: {error.message[:200]}" for error in errors]


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema) | {"components": _closed_components()})


@cache
def _closed_components() -> Any:
    return _closed(document_checked_in()["components"])


def _closed(schema: Any) -> Any:
    """The schema without the members that the document leaves to later versions."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: _closed(one) for name, one in schema.items()}
    is_closable = inner.get("type") == "object" and isinstance(inner.get("properties"), dict)
    return {"additionalProperties": False} | inner if is_closable else inner

"""The API's OpenAPI 3.1 document, made of the functions' operations: their roles, parameters, models and texts.

Powertools' own generator also reads a function's annotations. But it needs its own parameter classes, whose import
costs every cold start, and it cannot say that a body may have one of two content types, that one of several roles is
enough, or that a refusal is a `ProblemDetails`. So the operations say all that, and this module puts it together. The
schemas are pydantic's.
"""

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaMode

from needs_attention.api.callers import Caller, Role
from needs_attention.api.downloads import Download
from needs_attention.api.integrations.changes import SellerProblem, TriedIntegration
from needs_attention.api.integrations.views import IntegrationDetails, IntegrationProblem
from needs_attention.api.operations import CSV, JSON, KEY, MERGE_PATCH, Operation, Source
from needs_attention.api.orders.views import EditedOrder, GateProblem, OrderProblem, WholeOrder
from needs_attention.api.problems import ProblemDetails
from needs_attention.api.retention import ErasureOfBuyer
from tools.openapi.examples import Example
from tools.openapi.texts import ABOUT, PATH_PARTS, REFUSALS

PROBLEM = "application/problem+json"
COMPONENTS = "#/components/schemas/"
HAS_LOCATION = {
    (HTTPStatus.CREATED, IntegrationDetails),
    (HTTPStatus.ACCEPTED, Download),
    (HTTPStatus.ACCEPTED, ErasureOfBuyer),
}
HAS_ETAG = (WholeOrder, EditedOrder, IntegrationDetails, TriedIntegration)
NAMES_A_SELLER = {(HTTPStatus.CREATED, IntegrationDetails), (HTTPStatus.OK, TriedIntegration)}
CONTENT_TYPES = {Source.BODY: JSON, Source.MERGE_PATCH: MERGE_PATCH, Source.SHEET: CSV}
BODIES = tuple(CONTENT_TYPES)

# Answers that hold the parts of another operation's path: the places in the body, by operation and status.
TELLS: Mapping[tuple[str, HTTPStatus], Mapping[str, str]] = {
    ("listOrders", HTTPStatus.OK): {"orderId": "/orders/0/orderId"},
    ("eraseBuyer", HTTPStatus.ACCEPTED): {"erasureId": "/erasureId"},
    ("registerIntegration", HTTPStatus.CREATED): {"integrationId": "/integrationId"},
    ("listIntegrations", HTTPStatus.OK): {"integrationId": "/integrations/0/integrationId"},
    ("requestDownload", HTTPStatus.ACCEPTED): {"integrationId": "/integrationId", "downloadId": "/downloadId"},
    ("addStage", HTTPStatus.CREATED): {"stageId": "/id"},
}


def document(operations: Iterable[Operation], examples: Iterable[Example]) -> dict[str, Any]:
    """The whole document, as JSON values."""
    schemas = _Schemas(operations)
    by_operation: dict[tuple[str, str], list[Example]] = {}
    for example in examples:
        by_operation.setdefault((example.method, example.path), []).append(example)
    paths: dict[str, dict[str, Any]] = {}
    for operation in sorted(schemas.operations, key=lambda one: (path_of(one), one.method)):
        shown = _operation(operation, schemas, by_operation.get((operation.method, path_of(operation)), ()))
        paths.setdefault(path_of(operation), {})[operation.method.lower()] = shown
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Needs Attention",
            "version": "1.0.0",
            "summary": "The gate that keeps incomplete Amazon orders from being fulfilled until they are repaired",
            "description": _text(ABOUT),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": ".", "description": "The address of this document"}],
        "tags": [{"name": name} for name in sorted({_tag(operation) for operation in schemas.operations})],
        "paths": paths,
        "components": _components(schemas),
    }


def _components(schemas: "_Schemas") -> dict[str, Any]:
    return {
        "schemas": schemas.components,
        "responses": {_name(status): _refusal(status, text, schemas) for status, text in REFUSALS.items()},
        "securitySchemes": {
            "person": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "An access token of the user pool, whose groups are roles. One of these is enough",
            },
            "machine": {
                "type": "oauth2",
                "description": "An access token for client credentials. Its scopes are the machine's roles",
                "flows": {
                    "clientCredentials": {
                        "tokenUrl": "https://users.example.com/oauth2/token",
                        "scopes": {f"needs-attention/{role}": f"Role {role}" for role in Role},
                    }
                },
            },
        },
    }


class _Schemas:
    """The JSON schemas of all requests and answers, under `components/schemas`."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self.operations = tuple(operations)
        sent, queries = self._kinds(*BODIES), self._kinds(Source.QUERY)
        answers: list[Any] = [ProblemDetails, OrderProblem, GateProblem, IntegrationProblem, SellerProblem]
        answers += [kind for operation in self.operations for kind in operation.answers.values() if kind is not None]
        wanted: list[tuple[Any, JsonSchemaMode]] = [(kind, "validation") for kind in sent | queries]
        wanted += [(kind, "serialization") for kind in dict.fromkeys(answers)]
        schemas, found = TypeAdapter.json_schemas(
            [(kind, mode, TypeAdapter(kind)) for kind, mode in wanted], ref_template=f"{COMPONENTS}{{model}}"
        )
        names = {name: one.get("title", name) for name, one in found["$defs"].items()}
        self._schemas = {key: _renamed(one, names) for key, one in schemas.items()}
        self._all = {names[name]: _renamed(one, names) for name, one in found["$defs"].items()}
        of_queries = {kind.__name__ for kind in queries}
        self.components = {name: one for name, one in sorted(self._all.items()) if name not in of_queries}
        # A merge patch has no defaults: fields that you do not send stay as they are.
        for kind in self._kinds(Source.MERGE_PATCH):
            for member in self.whole(kind)["properties"].values():
                member.pop("default", None)

    def _kinds(self, *sources: Source) -> set[Any]:
        parameters = (parameter for operation in self.operations for parameter in operation.parameters)
        return {parameter.kind for parameter in parameters if parameter.source in sources}

    def sent(self, kind: Any) -> Any:
        return self._schemas[(kind, "validation")]

    def answered(self, kind: Any) -> Any:
        return self._schemas[(kind, "serialization")]

    def whole(self, kind: Any) -> Any:
        """The schema itself, for which `sent` may answer a reference."""
        schema = self.sent(kind)
        return self._all[schema["$ref"].removeprefix(COMPONENTS)] if "$ref" in schema else schema


def _renamed(schema: Any, names: Mapping[str, str]) -> Any:
    """A schema whose references are by title: a class keeps its name in the document when the code calls it another."""
    if isinstance(schema, list):
        return [_renamed(one, names) for one in schema]
    if not isinstance(schema, dict):
        return schema
    told = {key: _renamed(one, names) for key, one in schema.items()}
    if isinstance(told.get("$ref"), str):
        told["$ref"] = COMPONENTS + names[told["$ref"].removeprefix(COMPONENTS)]
    return told


def _operation(operation: Operation, schemas: _Schemas, examples: Iterable[Example]) -> dict[str, Any]:
    summary, _, description = _text(inspect.getdoc(operation.endpoint) or "").partition("\n\n")
    sentence, _, rest = summary.partition(". ")
    roles = [str(role) for role in operation.roles]
    return {
        "operationId": _id(operation),
        "summary": sentence.removesuffix("."),
        "description": "\n\n".join(filter(None, (rest, description, f"Open to: {', '.join(_who(operation))}."))),
        "tags": [_tag(operation)],
        "security": [{"person": [role]} for role in roles] + [{"machine": [f"needs-attention/{r}"]} for r in roles],
        "x-roles": _who(operation),
        "parameters": [*_path_parts(operation), *_query(operation, schemas), *_headers(operation)],
        **_body(operation, schemas, examples),
        "responses": dict(_responses(operation, schemas, list(examples))),
    }


def _who(operation: Operation) -> list[str]:
    """The roles that may call it, including the roles that imply one of them."""
    callers = {role: Caller.from_claims({"username": "somebody", "cognito:groups": [role]}) for role in Role}
    return [str(role) for role, caller in callers.items() if caller.is_any_of(*operation.roles)]


# Requests -------------------------------------------------------------------------------------------------------------


def _path_parts(operation: Operation) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", path_of(operation)):
        schema = {"type": "string", "minLength": 1, "maxLength": 100}
        yield {"name": name, "in": "path", "required": True, "description": PATH_PARTS[name], "schema": schema}


def _query(operation: Operation, schemas: _Schemas) -> Iterator[dict[str, Any]]:
    for parameter in operation.parameters:
        if parameter.source is Source.QUERY:
            for name, schema in schemas.whole(parameter.kind)["properties"].items():
                yield {"name": name, "in": "query", **_without_null(schema)}


def _without_null(property_: Mapping[str, Any]) -> dict[str, Any]:
    """A property as a parameter: left out instead of null, and a list as one text with commas."""
    schema = {name: value for name, value in property_.items() if name not in {"title", "description", "default"}}
    if "anyOf" in schema:
        kinds = [one for one in schema.pop("anyOf") if one.get("type") != "null"]
        schema |= kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    if property_.get("default") not in (None, [], ()):
        schema["default"] = property_["default"]
    told = {"description": property_["description"]} if "description" in property_ else {}
    form = {"style": "form", "explode": False} if schema.get("type") == "array" else {}
    return told | form | {"schema": schema}


def _headers(operation: Operation) -> Iterator[dict[str, Any]]:
    if operation.takes(Source.IF_MATCH):
        yield {
            "name": "If-Match",
            "in": "header",
            "description": 'The ETag of the revision to change, e.g. `"3"`. Without it, any revision may change',
            "schema": {"type": "string", "examples": ['"3"']},
        }
    if operation.method == "POST":
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "A text of your own choice for this request alone. If you send the request again within a "
            "day, it gets the answer of the first time, and changes nothing",
            "schema": {"type": "string", "pattern": f"^{KEY.pattern}$"},
        }


def _body(operation: Operation, schemas: _Schemas, examples: Iterable[Example]) -> dict[str, Any]:
    for parameter in operation.parameters:
        if parameter.source in BODIES:
            schema = schemas.sent(parameter.kind)
            shown = _named({example.name: example.sent for example in examples if example.sent is not None})
            content = {kind: {"schema": schema, "examples": shown} for kind in CONTENT_TYPES[parameter.source]}
            is_required = parameter.source is Source.SHEET or "required" in schemas.whole(parameter.kind)
            return {"requestBody": {"required": is_required, "content": content}}
    return {}


# Answers --------------------------------------------------------------------------------------------------------------


def _responses(operation: Operation, schemas: _Schemas, examples: list[Example]) -> Iterator[tuple[str, Any]]:
    for status, kind in sorted(operation.answers.items()):
        headers = dict(_answers_headers(operation, status, kind))
        links = dict(_links(operation, status, schemas.operations))
        also = {"headers": headers, "links": links}
        answer: dict[str, Any] = {"description": _says(kind, status)} | {name: one for name, one in also.items() if one}
        if kind is not None:
            media_type = "text/csv" if kind is str else "application/json"
            shown = _named({example.name: example.answered for example in examples if example.status == status})
            answer["content"] = {media_type: {"schema": schemas.answered(kind), "examples": shown}}
        yield str(int(status)), answer
    for status in _refused_with(operation):
        if status is HTTPStatus.PRECONDITION_FAILED:
            kind = OrderProblem if operation.path.startswith("/orders") else IntegrationProblem
            yield str(int(status)), _refused(status, kind, schemas)
        elif status is HTTPStatus.CONFLICT and operation.answers.get(HTTPStatus.OK) is EditedOrder:
            yield str(int(status)), _refused(status, GateProblem, schemas)
        elif status is HTTPStatus.CONFLICT and NAMES_A_SELLER & {*operation.answers.items()}:
            yield str(int(status)), _refused(status, SellerProblem, schemas)
        else:
            yield str(int(status)), {"$ref": f"#/components/responses/{_name(status)}"}


def _refused(status: HTTPStatus, kind: object, schemas: _Schemas) -> dict[str, Any]:
    return {"description": REFUSALS[status], "content": {PROBLEM: {"schema": schemas.answered(kind)}}}


def _answers_headers(operation: Operation, status: HTTPStatus, kind: object) -> Iterator[tuple[str, Any]]:
    text = {"schema": {"type": "string"}}
    if kind in HAS_ETAG:
        yield "ETag", {"description": "The revision, for `If-Match`", **text}
    if kind is str:
        yield "X-Next-Cursor", {"description": "Send it as `cursor`: there may be more", **text}
    if (status, kind) in HAS_LOCATION:
        yield "Location", {"description": "Where the new thing is, relative to the URL of this request", **text}
    if operation.method == "POST":
        yield "Idempotency-Replayed", {"description": "`true` if this is the answer of the first time", **text}


def _links(operation: Operation, status: HTTPStatus, others: Iterable[Operation]) -> Iterator[tuple[str, Any]]:
    told = TELLS.get((_id(operation), status), {})
    for other in others:
        needed = re.findall(r"{(\w+)}", path_of(other))
        if needed and set(needed) <= told.keys():
            parameters = {f"path.{name}": f"$response.body#{told[name]}" for name in needed}
            yield _id(other), {"operationId": _id(other), "parameters": parameters}


def _refused_with(operation: Operation) -> Iterator[HTTPStatus]:
    has_body = operation.takes(*BODIES)
    is_write = operation.method != "GET"
    applies = {
        HTTPStatus.NOT_FOUND: "<" in operation.path,
        HTTPStatus.CONFLICT: is_write,
        HTTPStatus.PRECONDITION_FAILED: operation.takes(Source.IF_MATCH),
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: has_body,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE: has_body,
        HTTPStatus.UNPROCESSABLE_ENTITY: has_body or operation.method == "POST",
    }
    return (status for status in REFUSALS if applies.get(status, True))


def _refusal(status: HTTPStatus, text: str, schemas: _Schemas) -> dict[str, Any]:
    told = {"description": "Seconds to wait before you try again", "schema": {"type": "integer"}}
    headers = {"headers": {"Retry-After": told}} if status is HTTPStatus.SERVICE_UNAVAILABLE else {}
    return {"description": text, **headers, "content": {PROBLEM: {"schema": schemas.answered(ProblemDetails)}}}


# Names and texts ------------------------------------------------------------------------------------------------------


def _id(operation: Operation) -> str:
    return to_camel(operation.endpoint.__name__)


def path_of(operation: Operation) -> str:
    """The path as the template writes it: `/orders/{orderId}`."""
    return re.sub(r"<(\w+)>", lambda part: f"{{{to_camel(part[1])}}}", operation.path)


def _tag(operation: Operation) -> str:
    first = operation.path.strip("/").replace(".", "/").split("/")[0]
    return {"bulk": "orders", "summary": "orders", "freeze": "integrations"}.get(first, first)


def _named(values: Mapping[str, object]) -> dict[str, Any]:
    """Examples as a document holds them, by their names."""
    return {to_camel(name.replace(" ", "_")): {"summary": name, "value": value} for name, value in values.items()}


def _name(status: HTTPStatus) -> str:
    return "".join(word.capitalize() for word in status.name.split("_"))


def _says(kind: object, status: HTTPStatus) -> str:
    if kind is None or kind is str:
        return "A sheet" if kind else status.phrase
    return _text(inspect.getdoc(kind) or status.phrase).partition("\n\n")[0]


def _text(lines: str) -> str:
    """Paragraphs without their line breaks."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in lines.strip().split("\n\n"))

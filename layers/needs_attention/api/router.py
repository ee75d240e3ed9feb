"""From an event of API Gateway to the function behind its route, and from there to an answer or a refusal.

A refusal is `application/problem+json` (RFC 9457): `title`, `status`, `detail`, a stable `code`, and `errors`, one per
field: `{field, code, message}`. An unforeseen error becomes API Gateway's own 500 (template.yaml gives it the same
shape) after one log line. That line names the error and where it arose, never a value: values may be personal data.
"""

import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, CORSConfig, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ValidationError

from needs_attention.api.callers import Caller, Role, claims_of
from needs_attention.api.field_errors import field_errors
from needs_attention.api.operations import (
    CSV,
    JSON,
    KEY,
    LARGEST_BODY,
    LARGEST_SHEET,
    MERGE_PATCH,
    Endpoint,
    IfMatch,
    KeyedRequest,
    Operation,
    Parameter,
    Remembered,
    Source,
    parameters_of,
    parsed,
)
from needs_attention.api.problems import (
    RETRY_AFTER,
    FieldError,
    Problem,
    UnexpectedError,
    invalid,
    log_error,
    logger,
    problem_of,
)
from needs_attention.environment import AllowedOrigin
from needs_attention.values.encodings import UnreadableText, decoded
from needs_attention.values.model import Value

EXPOSED_HEADERS = ["ETag", "Location", "Retry-After", "X-Next-Cursor"]
# The parts of a path that are logged, if they look as they should: a caller may have typed an email address there.
LOGGED_PARTS: Mapping[str, re.Pattern[str]] = {"order_id": re.compile(r"[A-Z0-9]{3}-[0-9]{7}-[0-9]{7}")}


class NoParameters(Value):
    """The query string of an operation that takes none: a misspelt `dryRun` must not pass for one."""


class Api(APIGatewayRestResolver):
    """The routes of a REST API (payload format 1.0). `operation` adds one."""

    def __init__(self, remembered: Remembered | None = None) -> None:
        """An API with POST operations needs `remembered`: their requests may be sent again."""
        origin = AllowedOrigin.from_env().allowed_origin
        cors = CORSConfig(allow_origin=origin, expose_headers=EXPOSED_HEADERS) if origin else None
        super().__init__(cors=cors, debug=False)
        self.operations: list[Operation] = []
        self._remembered = remembered
        self._logged: dict[str, str | None] = {}
        # Powertools asks for a handler of NotFoundError by name when no route matches.
        self.exception_handler([NotFoundError, Exception])(self._refuse)

    def resolve(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Answers an event of API Gateway, and logs one line about it. Raises UnexpectedError if it cannot."""
        self._logged = dict.fromkeys(LOGGED_PARTS)
        response = super().resolve(event, context)
        caller = Caller.from_claims(claims_of(event))
        route = f"{event['httpMethod']} {event.get('resource')}"
        status = response["statusCode"]
        logger.info("answered", route=route, status=status, caller=caller.name, extra=self._logged)
        return response

    def operation(
        self, method: str, path: str, *, open_to: Sequence[Role], answers: Mapping[HTTPStatus, object]
    ) -> Callable[[Endpoint], Endpoint]:
        """Makes the function answer callers that have any of these roles.

        The function takes the caller, the parts of the path, and the parameters that its annotations name: see
        `Source`.
        """

        def register(endpoint: Endpoint) -> Endpoint:
            operation = Operation(method, path, tuple(open_to), parameters_of(endpoint), answers, endpoint)
            self.operations.append(operation)

            def guarded(**path_parts: str) -> Response[object]:
                for name, part in path_parts.items():
                    if name in LOGGED_PARTS and LOGGED_PARTS[name].fullmatch(part):
                        self._logged[name] = part
                return self._answered(operation, path_parts)

            self.route(path, method)(guarded)
            return endpoint

        return register

    @property
    def request_id(self) -> str:
        """API Gateway's ID of the request, which the caller finds in a header of the answer."""
        return str(self.current_event.request_context.request_id)

    def query[Sent: BaseModel](self, model: type[Sent]) -> Sent:
        """The query string as a value: one text per name, or a list of texts for a repeated name.

        Raises a 400 that says for each wrong parameter which values are allowed.
        """
        given = self.current_event.resolved_query_string_parameters
        try:
            return model.model_validate({name: texts[0] if len(texts) == 1 else texts for name, texts in given.items()})
        except ValidationError as error:
            errors = field_errors(error, model)
            raise invalid([_of_a_parameter(item) for item in errors], status=400) from None

    def body[Sent: BaseModel](self, model: type[Sent], content_types: Sequence[str] = JSON) -> Sent:
        """The request's body as a value. A request without a body counts as `{}`.

        Raises a 413 if it is too large, a 415 if its header names another type, a 400 if it is not JSON, and a 422 that
        names every wrong field.
        """
        return parsed(model, self._checked_bytes(content_types) or b"{}")

    def sheet(self) -> str:
        """The request's body as the text of a sheet. Raises a 413 or a 415 as `body` does, and a 400 if it is no text.

        API Gateway hands over the bytes of a sheet in base64, because its media types are binary ones in template.yaml.
        """
        charset = re.search(r"charset=\"?([^;\"\s]+)", self._header("Content-Type") or "", re.IGNORECASE)
        try:
            return decoded(self._checked_bytes(CSV, LARGEST_SHEET), charset[1] if charset else "")
        except UnreadableText:
            detail = (
                "The sheet is not in Unicode. Save it as CSV UTF-8, or name its encoding: "
                "Content-Type: text/csv; charset=windows-1252."
            )
            raise Problem(400, detail, code="unreadableSheet") from None

    def idempotency_key(self) -> str | None:
        """The request's `Idempotency-Key`, if it has one. Raises a 400 for a key that cannot be."""
        key = self._header("Idempotency-Key")
        if key is not None and not KEY.fullmatch(key):
            detail = "Idempotency-Key takes a text of your own choice, of 255 letters, digits and signs at most."
            raise Problem(400, detail, code="invalidIdempotencyKey")
        return key

    def _answered(self, operation: Operation, path_parts: Mapping[str, str]) -> Response[object]:
        caller = Caller.from_claims(claims_of(self.current_event.raw_event))
        if not caller.is_any_of(*operation.roles):
            raise Problem(403, f"This needs one of the roles {', '.join(operation.roles)}.", code="roleNeeded")

        def make() -> Response[object]:
            if not operation.takes(Source.QUERY):
                self.query(NoParameters)
            sent = {one.name: self._sent(one) for one in operation.parameters}
            return operation.endpoint(caller, **path_parts, **sent)

        key = self.idempotency_key() if operation.method == "POST" else None
        if key is None or self._remembered is None:
            return make()
        return self._remembered.answer(self._keyed(caller, key), self.lambda_context, make)

    def _sent(self, parameter: Parameter) -> object:
        """The parameter's value in this request. Raises the problem with it."""
        match parameter.source:
            case Source.QUERY:
                return self.query(parameter.kind)
            case Source.BODY:
                return self.body(parameter.kind)
            case Source.MERGE_PATCH:
                return self.body(parameter.kind, MERGE_PATCH)
            case Source.SHEET:
                return self.sheet()
            case Source.IF_MATCH:
                return IfMatch.from_header(self._header("If-Match"))
            case Source.IDEMPOTENCY_KEY:
                return self.idempotency_key()

    def _keyed(self, caller: Caller, key: str) -> KeyedRequest:
        event = self.current_event
        place = f"{event.http_method} {event.path}"
        query = json.dumps(event.resolved_query_string_parameters, sort_keys=True)
        return KeyedRequest(
            key=f"{caller.name} {place} {key}", content=[query, json.dumps(self._header("If-Match")), event.body or ""]
        )

    def _header(self, name: str) -> str | None:
        return self.current_event.headers.get(name)

    def _checked_bytes(self, content_types: Sequence[str], largest: int = LARGEST_BODY) -> bytes:
        text = self.current_event.body or ""
        sent = b64decode(text) if self.current_event.is_base64_encoded else text.encode()
        if len(sent) > largest:
            raise Problem(413, f"A body has at most {largest // 1024} KB.", code="tooLarge")
        media_type = (self._header("Content-Type") or "").partition(";")[0].strip().lower()
        if sent and media_type not in content_types:
            raise Problem(415, f"Send Content-Type {' or '.join(content_types)}.", code="wrongContentType")
        return sent

    def _refuse(self, error: Exception) -> Response[object]:
        problem = problem_of(error)
        if problem is None:
            log_error("unexpected error", error, self._logged)
            raise UnexpectedError(type(error).__name__) from None
        headers = {"Cache-Control": "no-store"}
        if problem.is_unavailable:
            headers["Retry-After"] = str(RETRY_AFTER)
        body = json.dumps(problem.as_json(), separators=(",", ":"))
        return Response(problem.status, "application/problem+json", body, headers)


def _of_a_parameter(error: FieldError) -> FieldError:
    return error._replace(code="unknownParameter") if error.code == "unknownField" else error

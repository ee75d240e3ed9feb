"""What the functions behind the API share: who calls, what was sent, and one shape for every refusal.

Refusals are `application/problem+json` (RFC 9457): `title`, `status`, `detail`, a stable `code`, and `errors`, one per
field: `{field, code, message}`. What nobody foresaw becomes API Gateway's own 500 (template.yaml gives it the same
shape) after one log line that names the error and where it arose, never a value: values may be personal data.
"""

import hashlib
import json
import re
import traceback
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum, StrEnum, auto
from http import HTTPStatus
from typing import Annotated, Any, Literal, NamedTuple, Protocol, TypeVar, get_args, get_type_hints

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, CORSConfig, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError
from pydantic import BaseModel, ValidationError
from pydantic.alias_generators import to_camel

from needs_attention.aws import ChangedMeanwhile, passes_by_itself
from needs_attention.environment import Browsers
from needs_attention.integrations.integration import Integration
from needs_attention.orders.gate import Refused
from needs_attention.orders.wording import message_for
from needs_attention.tables.integrations import IntegrationStore

JSON = ("application/json",)
MERGE_PATCH = ("application/merge-patch+json", "application/json")
LARGEST_BODY = 256 * 1024
EXPOSED_HEADERS = ["ETag", "Location", "Retry-After", "X-Next-Cursor"]
# What is logged of a path: somebody may have typed something else there, such as an email.
_LIKE_AN_ORDER_ID = re.compile(r"(?=.*\d)[\w-]{1,100}")
# Of a body of nothing but errors: Lambda lets a function answer 6 MB, and nobody reads more of them.
MOST_ERRORS = 100
KEY = re.compile(r"[!-~]{1,255}")
# Whoever loses a race reads again and redoes it; this often, before the caller is told.
ATTEMPTS = 4
# Seconds after which it is worth a try to send again what could not be done now.
RETRY_AFTER = 5

logger = Logger(child=True)


# Who calls ------------------------------------------------------------------------------------------------------------


class Role(StrEnum):
    """What a caller may do: people get roles through Cognito groups, machines through scopes."""

    READER = "reader"
    EDITOR = "editor"
    WAREHOUSE = "warehouse"
    ADMINISTRATOR = "administrator"


_INCLUDED_ROLES: Mapping[str, frozenset[Role]] = {
    Role.READER: frozenset({Role.READER}),
    Role.EDITOR: frozenset({Role.READER, Role.EDITOR}),
    Role.WAREHOUSE: frozenset({Role.WAREHOUSE}),
    Role.ADMINISTRATOR: frozenset({Role.READER, Role.EDITOR, Role.ADMINISTRATOR}),
}
_SCOPE_PREFIX = "needs-attention/"


class Caller(NamedTuple):
    """Whose access token came with the request: `name` is what history shows."""

    name: str
    roles: frozenset[Role]

    @classmethod
    def from_claims(cls, claims: Mapping[str, Any]) -> "Caller":
        """Reads the claims of a Cognito access token, as API Gateway passes them on.

        A person's scopes are ignored: an app may be granted more of them than the person has roles.
        """
        username = claims.get("username")
        if username:
            return cls(str(username), _roles(_groups(claims.get("cognito:groups"))))
        scopes = str(claims.get("scope", "")).split()
        ours = [scope.removeprefix(_SCOPE_PREFIX) for scope in scopes if scope.startswith(_SCOPE_PREFIX)]
        return cls(str(claims.get("client_id", "unknown")), _roles(ours))

    def is_any_of(self, *roles: Role) -> bool:
        return not self.roles.isdisjoint(roles)

    def suffix_for(self, key: str | None) -> str | None:
        """How what a request with this `Idempotency-Key` makes is named, so that the same request finds it again."""
        return hashlib.sha256(f"{self.name} {key}".encode()).hexdigest()[:12] if key else None

    def must_be(self, role: Role, what: str) -> None:
        """Raises a 403 that says what needs the role."""
        if role not in self.roles:
            raise Problem(403, f"Only a caller with the role {role} {what}.", code="roleNeeded")


def _groups(claim: object) -> list[str]:
    """API Gateway writes a list of groups as `a,b` or `[a b]`; other authorizers pass on a list."""
    if isinstance(claim, list):
        return [str(group) for group in claim]
    return re.split(r"[\s,]+", str(claim or "").strip("[] "))


def _roles(names: Sequence[str]) -> frozenset[Role]:
    return frozenset().union(*(_INCLUDED_ROLES.get(name, frozenset()) for name in names))


# Refusals -------------------------------------------------------------------------------------------------------------


class FieldError(NamedTuple):
    """One thing that is wrong, where, and in plain words."""

    field: str
    code: str
    message: str


class Problem(Exception):
    """A refusal. `also` holds further members of the answer, such as the order as it is now."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        code: str,
        errors: Sequence[FieldError] = (),
        also: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.detail = detail
        self.code = code
        self.errors = errors
        self.also = also or {}

    @property
    def is_unavailable(self) -> bool:
        """Whether it is no fault of the request's: sent again a little later, it may well succeed."""
        return self.status == HTTPStatus.SERVICE_UNAVAILABLE

    def as_json(self) -> dict[str, Any]:
        return {
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "errors": [error._asdict() for error in self.errors],
            **self.also,
        }


class UnexpectedError(Exception):
    """What Lambda logs and alarms on instead of the real error, whose text may hold personal data."""


def not_found(what: str) -> Problem:
    return Problem(404, f"There is no such {what}.", code="notFound")


def existing_integration(integrations: IntegrationStore, integration_id: str) -> Integration:
    """Raises a 404 for one that is not there, or was removed."""
    integration = integrations.get(integration_id)
    if integration is None or integration.deleted_at:
        raise not_found("integration")
    return integration


def changed_meanwhile() -> Problem:
    return Problem(409, "Somebody else changes the same thing at this moment. Try again.", code="changedMeanwhile")


def invalid(errors: Sequence[FieldError], status: Literal[400, 422] = 422) -> Problem:
    """What was sent cannot be accepted: 422 for a body, 400 for parameters. The first hundred errors are told."""
    detail = "; ".join(f"{e.field}: {e.message}" for e in errors[:3])
    return Problem(status, detail, code="invalid", errors=errors[:MOST_ERRORS])


def problem_of(error: Exception) -> Problem | None:
    """The refusal that an error means to a caller; None if nobody foresaw it. That AWS does not answer is logged."""
    match error:
        case Problem():
            return error
        case Refused():
            errors = [FieldError(item.field, item.reason, message_for(item)) for item in error.missing]
            return Problem(409, error.message, code=error.code, errors=errors)
        case NotFoundError():
            return not_found("route")
        case _ if _is_a_lost_race(error):
            return changed_meanwhile()
        case _ if passes_by_itself(error):
            _log("unavailable", error)
            detail = "What this rests on does not answer now. It may have been done, or not: look, and try again."
            return Problem(503, detail, code="tryAgain")
    return None


class OneByOne:
    """Does the same to several orders, each by itself.

    Once AWS does not answer, the others are not tried: each would take seconds, and the caller waits.
    """

    def __init__(self) -> None:
        self._unavailable: Problem | None = None

    def result(self, order_id: str, attempt: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
        """What the attempt comes to, or the problem that refused it. What nobody foresaw ends all."""
        if self._unavailable:
            return refused(order_id, self._unavailable)
        try:
            return {"orderId": order_id, **attempt()}
        except Exception as error:
            problem = problem_of(error)
            if problem is None:
                raise
            self._unavailable = problem if problem.is_unavailable else None
            return refused(order_id, problem)


def refused(order_id: str, problem: Problem) -> dict[str, Any]:
    """The result of one of several orders that was refused."""
    return {"orderId": order_id, "status": problem.status, "problem": problem.as_json()}


def _is_a_lost_race(error: Exception) -> bool:
    is_conflict = isinstance(error, ClientError) and error.response["Error"]["Code"] == "TransactionConflictException"
    return is_conflict or isinstance(error, ChangedMeanwhile)


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


def etag(revision: int) -> dict[str, str]:
    return {"ETag": f'"{revision}"'}


def answer(
    body: object, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response[object]:
    """A JSON answer, which nobody may keep: it may hold personal data."""
    return Response(int(status), "application/json", body, {"Cache-Control": "no-store", **(headers or {})})


def nothing() -> Response[object]:
    """That something is done, and there is nothing to show."""
    return Response(int(HTTPStatus.NO_CONTENT), body="")


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


def _parameters(endpoint: Endpoint) -> tuple[Parameter, ...]:
    hints = get_type_hints(endpoint, include_extras=True)
    sources = {name: getattr(hint, "__metadata__", ()) for name, hint in hints.items()}
    return tuple(
        Parameter(name, hints[name].__origin__, source)
        for name, found in sources.items()
        for source in found
        if isinstance(source, Source)
    )


class KeyedRequest(NamedTuple):
    """A request that may be sent again: `key` is its caller's and its operation's own, `content` what it says."""

    key: str
    content: Sequence[str]


class Remembered(Protocol):
    """Answers of requests with an `Idempotency-Key`."""

    def answer(
        self, request: KeyedRequest, context: LambdaContext, make: Callable[[], Response[object]]
    ) -> Response[object]:
        """What `make` answers, or answered when the request first came."""


class Api(APIGatewayRestResolver):
    """Routes of a REST API (payload format 1.0), which `operation` makes."""

    def __init__(self, remembered: Remembered | None = None) -> None:
        """`remembered` is needed by an API with POST operations: their requests may be sent again."""
        origin = Browsers.from_env().allowed_origin
        cors = CORSConfig(allow_origin=origin, expose_headers=EXPOSED_HEADERS) if origin else None
        super().__init__(cors=cors, debug=False)
        self.operations: list[Operation] = []
        self._remembered = remembered
        self._order_id: str | None = None  # which the request is about, for the log
        # Powertools asks for a handler of NotFoundError by name when no route matches.
        self.exception_handler([NotFoundError, Exception])(self._refuse)

    def resolve(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Answers an event of API Gateway. Raises UnexpectedError for what nobody foresaw.

        One log line says what was asked and answered, with the order that it was about.
        """
        self._order_id = None
        response = super().resolve(event, context)
        caller = Caller.from_claims(_claims(event))
        route = f"{event['httpMethod']} {event.get('resource')}"
        logger.info("answered", route=route, status=response["statusCode"], caller=caller.name, order_id=self._order_id)
        return response

    def operation(
        self, method: str, path: str, *, open_to: Sequence[Role], answers: Mapping[HTTPStatus, object]
    ) -> Callable[[Endpoint], Endpoint]:
        """Has the function answer callers with any of these roles.

        The function takes the caller, the parts of the path, and what else its parameters' types say: see `Source`.
        """

        def register(endpoint: Endpoint) -> Endpoint:
            operation = Operation(method, path, tuple(open_to), _parameters(endpoint), answers, endpoint)
            self.operations.append(operation)

            def guarded(**path_parts: str) -> Response[object]:
                if _LIKE_AN_ORDER_ID.fullmatch(path_parts.get("order_id", "")):
                    self._order_id = path_parts["order_id"]
                return self._answered(operation, path_parts)

            self.route(path, method)(guarded)
            return endpoint

        return register

    @property
    def request_id(self) -> str:
        """What API Gateway calls the request: the caller has it too, as a header of the answer."""
        return str(self.current_event.request_context.request_id)

    def _answered(self, operation: Operation, path_parts: Mapping[str, str]) -> Response[object]:
        caller = Caller.from_claims(_claims(self.current_event.raw_event))
        if not caller.is_any_of(*operation.roles):
            raise Problem(403, f"This needs one of the roles {', '.join(operation.roles)}.", code="roleNeeded")

        def make() -> Response[object]:
            sent = {one.name: self._sent(one) for one in operation.parameters}
            return operation.endpoint(caller, **path_parts, **sent)

        key = self.idempotency_key() if operation.method == "POST" else None
        if key is None or self._remembered is None:
            return make()
        return self._remembered.answer(self._request(caller, key), self.lambda_context, make)

    def _sent(self, parameter: Parameter) -> object:
        """What a parameter is in this request. Raises the problem with it."""
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

    def _request(self, caller: Caller, key: str) -> KeyedRequest:
        event = self.current_event
        place = f"{event.http_method} {event.path}"
        query = json.dumps(event.resolved_query_string_parameters, sort_keys=True)
        return KeyedRequest(
            key=f"{caller.name} {place} {key}", content=[query, json.dumps(self._header("If-Match")), event.body or ""]
        )

    def body[Sent: BaseModel](self, model: type[Sent], content_types: Sequence[str] = JSON) -> Sent:
        """The request's body as a value; no body at all stands for `{}`.

        Raises a 413 if it is too large, a 415 if it is not JSON by its header, a 400 if it is not by its content, and a
        422 with every field that is wrong.
        """
        return parsed(model, self._checked_bytes(content_types) or b"{}")

    def sheet(self) -> str:
        """The request's body as CSV. Raises a 413 or a 415 as `body` does, and a 400 if it is not UTF-8."""
        try:
            return self._checked_bytes(("text/csv",)).decode()
        except UnicodeDecodeError:
            raise Problem(400, "Save the sheet as CSV in UTF-8.", code="unreadableSheet") from None

    def query[Sent: BaseModel](self, model: type[Sent]) -> Sent:
        """The query string as a value: one text per name, a list of texts for a name that is repeated.

        Raises a 400 that says for each wrong parameter what is allowed.
        """
        given = self.current_event.resolved_query_string_parameters
        try:
            return model.model_validate({name: texts[0] if len(texts) == 1 else texts for name, texts in given.items()})
        except ValidationError as error:
            errors = field_errors(error, model)
            raise invalid([_of_a_parameter(item) for item in errors], status=400) from None

    def idempotency_key(self) -> str | None:
        """What makes a request one with another that has the same; None if it has none. Raises a 400."""
        key = self._header("Idempotency-Key")
        if key is not None and not KEY.fullmatch(key):
            detail = "Idempotency-Key takes a text of your own choice, of 255 letters, digits and signs at most."
            raise Problem(400, detail, code="invalidIdempotencyKey")
        return key

    def _header(self, name: str) -> str | None:
        return self.current_event.headers.get(name)

    def _checked_bytes(self, content_types: Sequence[str]) -> bytes:
        sent = self._bytes_sent()
        if len(sent) > LARGEST_BODY:
            raise Problem(413, f"A body has at most {LARGEST_BODY // 1024} KB.", code="tooLarge")
        media_type = (self._header("Content-Type") or "").partition(";")[0].strip().lower()
        if sent and media_type not in content_types:
            raise Problem(415, f"Send Content-Type {' or '.join(content_types)}.", code="wrongContentType")
        return sent

    def _bytes_sent(self) -> bytes:
        text = self.current_event.body or ""
        return b64decode(text) if self.current_event.is_base64_encoded else text.encode()

    def _refuse(self, error: Exception) -> Response[object]:
        problem = problem_of(error)
        if problem is None:
            _log("unexpected error", error, self._order_id)
            raise UnexpectedError(type(error).__name__) from None
        headers = {"Cache-Control": "no-store"}
        if problem.is_unavailable:
            headers["Retry-After"] = str(RETRY_AFTER)
        body = json.dumps(problem.as_json(), separators=(",", ":"))
        return Response(problem.status, "application/problem+json", body, headers)


def _claims(event: Mapping[str, Any]) -> Mapping[str, Any]:
    authorizer = event.get("requestContext", {}).get("authorizer") or {}
    return authorizer.get("claims") or {}


def _of_a_parameter(error: FieldError) -> FieldError:
    return error._replace(code="unknownParameter") if error.code == "unknownField" else error


def _log(what: str, error: Exception, order_id: str | None = None) -> None:
    """Names the error and where it arose, never its text: that may hold personal data."""
    where = [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-5:]]
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else None
    logger.error(what, error=type(error).__name__, code=code, where=where, order_id=order_id)

"""One shape for every refusal: `application/problem+json` (RFC 9457)."""

import traceback
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Literal, NamedTuple, TypedDict, cast

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from botocore.exceptions import ClientError

from needs_attention.aws import ChangedMeanwhile, passes_by_itself
from needs_attention.orders.gate import Refused
from needs_attention.orders.wording import message_for

# A body can be wrong in thousands of places: Lambda lets a function answer 6 MB, and nobody reads that many.
MOST_ERRORS = 100
# A caller that loses a race reads again and retries: this often before it is told.
ATTEMPTS = 4
# Seconds until it is worth sending a request again that AWS could not serve.
RETRY_AFTER = 5

logger = Logger(child=True)


class FieldProblem(TypedDict):
    """What is the matter with one field.

    `field` is its path, such as `lineItems.0.quantity`. `code` is stable; `message` is for people.
    """

    field: str
    code: str
    message: str


class ProblemDetails(TypedDict):
    """Why a request was refused (RFC 9457). `code` is stable; `detail` and the messages are for people."""

    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldProblem]


class FieldRemark(NamedTuple):
    """What is said about one field, in the shape of a FieldProblem. Its field is `body` if it is about the whole."""

    field: str
    code: str
    message: str

    def as_json(self) -> FieldProblem:
        return {"field": self.field, "code": self.code, "message": self.message}


class FieldError(FieldRemark):
    """Why the request is refused."""


class FieldWarning(FieldRemark):
    """A value that was accepted but looks wrong."""


class Problem(Exception):
    """A refusal. `also` holds further members of the answer, such as the current order."""

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
        """Whether AWS is at fault, not the request: sent again a little later, it may well succeed."""
        return self.status == HTTPStatus.SERVICE_UNAVAILABLE

    def as_json(self) -> ProblemDetails:
        details: ProblemDetails = {
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "errors": [error.as_json() for error in self.errors],
        }
        return cast("ProblemDetails", {**details, **self.also})


class UnexpectedError(Exception):
    """Lambda logs this instead of an unforeseen error, whose text may hold personal data."""


def not_found(what: str) -> Problem:
    """A 404. `what` completes the sentence: "There is no such ..."."""
    return Problem(404, f"There is no such {what}.", code="notFound")


def changed_meanwhile() -> Problem:
    """A 409 after a lost race: the same request may succeed a moment later."""
    return Problem(409, "Somebody else is changing the same thing right now. Try again.", code="changedMeanwhile")


def invalid(errors: Sequence[FieldError], status: Literal[400, 422] = 422) -> Problem:
    """The request cannot be accepted: 422 for a body, 400 for parameters. Tells the first hundred errors."""
    detail = "; ".join(f"{e.field}: {e.message}" for e in errors[:3])
    return Problem(status, detail, code="invalid", errors=errors[:MOST_ERRORS])


def problem_of(error: Exception) -> Problem | None:
    """The refusal that an error means to a caller; None for an unforeseen error. Logs that AWS does not answer."""
    match error:
        case Problem():
            return error
        case Refused():
            return problem_of_refusal(error)
        case NotFoundError():
            return not_found("route")
        case _ if _is_a_lost_race(error):
            return changed_meanwhile()
        case _ if passes_by_itself(error):
            log_error("unavailable", error)
            detail = "A service behind the API does not answer. Check whether the request took effect, and try again."
            return Problem(503, detail, code="tryAgain")
    return None


def problem_of_refusal(refused: Refused, also: Mapping[str, object] | None = None) -> Problem:
    """The 409 of the gate, with an error for each field that is the reason. `also`: further members of the answer."""
    errors = [FieldError(item.field, item.reason, message_for(item)) for item in refused.missing]
    return Problem(409, refused.message, code=refused.code, errors=errors, also=also)


def _is_a_lost_race(error: Exception) -> bool:
    is_conflict = isinstance(error, ClientError) and error.response["Error"]["Code"] == "TransactionConflictException"
    return is_conflict or isinstance(error, ChangedMeanwhile)


def log_error(what: str, error: Exception, about: Mapping[str, str | None] | None = None) -> None:
    """Names the error and where it arose, never its text: that may hold personal data."""
    where = [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-5:]]
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else None
    logger.error(what, error=type(error).__name__, code=code, where=where, extra=about or {})

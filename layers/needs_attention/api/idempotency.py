"""Answers remembered for a day: a request sent again with its `Idempotency-Key` is answered as it was the first time.

Only what succeeded is remembered: what was refused, or failed, is tried anew. Powertools keeps the records; it is
imported with the first key that is sent, because most requests have none.
"""

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from needs_attention.api.operations import KeyedRequest
from needs_attention.api.problems import Problem

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

REMEMBERED_SECONDS = 24 * 60 * 60

logger = Logger(child=True)


class RememberedAnswers:
    """Keeps answers in the table of remembered answers, `table`, compressed: an item holds at most 400 KB.

    `check` is given the body of an answer before it is given again, and raises why it cannot be.
    """

    def __init__(self, client: "DynamoDBClient", table: str, check: Callable[[Any], None] = lambda _: None) -> None:
        self._client = client
        self._table = table
        self._check = check

    def answer(
        self, request: KeyedRequest, context: LambdaContext, make: Callable[[], Response[object]]
    ) -> Response[object]:
        """What `make` answers, or answered when the request first came. Raises what `make` raises, a 409 while the
        first request is still being answered, and a 422 for another request with the same key."""
        from aws_lambda_powertools.utilities.idempotency import (  # noqa: PLC0415 - see the module
            DynamoDBPersistenceLayer,
            IdempotencyConfig,
            idempotent_function,
        )
        from aws_lambda_powertools.utilities.idempotency.exceptions import (  # noqa: PLC0415 - likewise
            IdempotencyAlreadyInProgressError,
            IdempotencyPersistenceLayerError,
            IdempotencyValidationError,
        )

        made: list[Response[object]] = []

        def first_answer(*, request: Mapping[str, object]) -> dict[str, Any]:  # noqa: ARG001 - read by Powertools
            made.append(make())
            return _packed(made[0])

        config = IdempotencyConfig(
            event_key_jmespath="key",
            payload_validation_jmespath="content",
            expires_after_seconds=REMEMBERED_SECONDS,
            hash_function="sha256",
            lambda_context=context,
        )
        store = DynamoDBPersistenceLayer(table_name=self._table, boto3_client=self._client)
        remembering = idempotent_function(
            first_answer, data_keyword_argument="request", persistence_store=store, config=config
        )
        try:
            packed = remembering(request=request._asdict())
        except IdempotencyAlreadyInProgressError:
            detail = "The first request with this Idempotency-Key is still being answered. Send it again in a moment."
            raise Problem(409, detail, code="requestInProgress") from None
        except IdempotencyValidationError:
            detail = "This Idempotency-Key was sent with another request. Send each request with a key of its own."
            raise Problem(422, detail, code="idempotencyKeyUsed") from None
        except IdempotencyPersistenceLayerError as error:
            if not made:
                raise (error.__cause__ or error) from None
            # It is done and cannot be taken back: that it is not remembered matters less than the answer.
            logger.warning("an answer was not remembered", reason=type(error.__cause__).__name__)
        if made:
            return made[0]
        remembered = _unpacked(packed)
        self._check(remembered.body)
        return remembered


def _packed(answer: Response[object]) -> dict[str, Any]:
    body = zlib.compress(json.dumps(answer.body, separators=(",", ":")).encode())
    return {"status": answer.status_code, "headers": answer.headers, "body": b64encode(body).decode()}


def _unpacked(packed: Mapping[str, Any]) -> Response[object]:
    headers = {**packed["headers"], "Idempotency-Replayed": "true"}
    body = json.loads(zlib.decompress(b64decode(packed["body"])))
    return Response(packed["status"], "application/json", body, headers)

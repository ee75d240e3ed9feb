"""Answers remembered for a day: a request sent again with its `Idempotency-Key` gets the answer of the first time.

Only success is remembered: a request that was refused, or failed, is tried again. Powertools keeps the records. It is
imported with the first key that a caller sends, because most requests have none.
"""

import json
import os
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
# How stored keys begin after the function's name. Powertools would take the names of the module and its functions, so
# a release that renames one would not find what the release before it remembered.
KEY_PREFIX = "needs_attention.remembered.RememberedAnswers.answer.<locals>.first_answer"

logger = Logger(child=True)


class RememberedAnswers:
    """Keeps answers in the table `table`, compressed: an item holds at most 400 KB.

    `check` gets the body of a remembered answer, and raises an error if it must not be given again.
    """

    def __init__(self, client: "DynamoDBClient", table: str, check: Callable[[Any], None] = lambda _: None) -> None:
        self._client = client
        self._table = table
        self._check = check

    def answer(
        self, request: KeyedRequest, context: LambdaContext, make: Callable[[], Response[object]]
    ) -> Response[object]:
        """The answer that the request got the first time, or else the one that `make` returns.

        Raises the errors of `make`, a 409 while the first request is under way, and a 422 for another request with the
        same key.
        """
        from aws_lambda_powertools.utilities.idempotency.exceptions import (  # noqa: PLC0415 - see the module
            IdempotencyAlreadyInProgressError,
            IdempotencyPersistenceLayerError,
            IdempotencyValidationError,
        )

        made: list[Response[object]] = []

        def first_answer(*, request: Mapping[str, object]) -> dict[str, Any]:  # noqa: ARG001 - read by Powertools
            made.append(make())
            return _packed(made[0])

        remembering = self._remembering(first_answer, context)
        try:
            packed = remembering(request=request._asdict())
        except IdempotencyAlreadyInProgressError:
            detail = "The first request with this Idempotency-Key is still under way. Send it again in a moment."
            raise Problem(409, detail, code="requestInProgress") from None
        except IdempotencyValidationError:
            detail = "This Idempotency-Key came with another request. Send each request with a key of its own."
            raise Problem(422, detail, code="idempotencyKeyUsed") from None
        except IdempotencyPersistenceLayerError as error:
            if not made:
                raise (error.__cause__ or error) from None
            # The change is made and cannot be taken back, so the caller gets the answer even if it is not remembered.
            logger.warning("an answer was not remembered", reason=type(error.__cause__).__name__)
        if made:
            return made[0]
        remembered = _unpacked(packed)
        self._check(remembered.body)
        return remembered

    def _remembering(self, first_answer: Callable[..., dict[str, Any]], context: LambdaContext) -> Any:
        """The function as Powertools wraps it: it calls `first_answer` only for a request that is new."""
        from aws_lambda_powertools.utilities.idempotency import (  # noqa: PLC0415 - see the module
            DynamoDBPersistenceLayer,
            IdempotencyConfig,
            idempotent_function,
        )

        config = IdempotencyConfig(
            event_key_jmespath="key",
            payload_validation_jmespath="content",
            expires_after_seconds=REMEMBERED_SECONDS,
            hash_function="sha256",
            lambda_context=context,
        )
        store = DynamoDBPersistenceLayer(table_name=self._table, boto3_client=self._client)
        return idempotent_function(
            first_answer,
            data_keyword_argument="request",
            persistence_store=store,
            config=config,
            key_prefix=f"{os.environ.get('AWS_LAMBDA_FUNCTION_NAME', 'test-func')}.{KEY_PREFIX}",
        )


def _packed(answer: Response[object]) -> dict[str, Any]:
    body = zlib.compress(json.dumps(answer.body, separators=(",", ":")).encode())
    return {"status": answer.status_code, "headers": answer.headers, "body": b64encode(body).decode()}


def _unpacked(packed: Mapping[str, Any]) -> Response[object]:
    headers = {**packed["headers"], "Idempotency-Replayed": "true"}
    body = json.loads(zlib.decompress(b64decode(packed["body"])))
    return Response(packed["status"], "application/json", body, headers)

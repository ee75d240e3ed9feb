"""Gives every integration its turn: one that fails keeps no other waiting, and is reported."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from aws_lambda_powertools import Logger

logger = Logger(child=True)


class Turns[Result](NamedTuple):
    """The results by integration ID, and the errors of the integrations that failed."""

    results: Mapping[str, Result]
    failed: Mapping[str, Exception]


def for_each[Result](job: str, integration_ids: Iterable[str], turn: Callable[[str], Result]) -> Turns[Result]:
    """Calls `turn` with each ID. What goes wrong is logged, with `job` to say where."""
    results: dict[str, Result] = {}
    failed: dict[str, Exception] = {}
    for integration_id in integration_ids:
        try:
            results[integration_id] = turn(integration_id)
        except Exception as error:  # whatever it is, the others have their turn, and `fail_loudly` raises it
            logger.exception("integration failed", job=job, integration=integration_id)
            failed[integration_id] = error
    return Turns(results, failed)


def fail_loudly(*failed: Mapping[str, Exception]) -> None:
    """Raises the first error, if there is any, once all others had their turn: the function's alarm rings."""
    for error in (error for errors in failed for error in errors.values()):
        raise error

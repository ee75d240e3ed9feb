"""Gives every integration its turn: one that fails keeps no other waiting, and is reported."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from aws_lambda_powertools import Logger

logger = Logger(child=True)


class Turns[Result](NamedTuple):
    """The results by integration ID, and the IDs of the integrations that failed."""

    results: dict[str, Result]
    failed: tuple[str, ...]


def for_each[Result](job: str, integration_ids: Iterable[str], turn: Callable[[str], Result]) -> Turns[Result]:
    """Calls `turn` with each ID. What goes wrong is logged, with `job` to say where."""
    results: dict[str, Result] = {}
    failed: list[str] = []
    for integration_id in integration_ids:
        try:
            results[integration_id] = turn(integration_id)
        except Exception:
            logger.exception("integration failed", job=job, integration=integration_id)
            failed.append(integration_id)
    return Turns(results, tuple(failed))

"""DynamoDB in memory and on moto at once: every call goes to both, and both must give the same answer."""

from functools import partial
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from tools.in_memory.dynamodb import ConditionalCheckFailed, Invalid, TransactionCanceled

COMPARED = {"Item", "Items", "Responses", "Count", "LastEvaluatedKey"}


class Mirrored:
    """`memory` is a MemoryDynamoDB or a client that it answers, and raises its errors; `moto` is a client of moto's."""

    def __init__(self, memory: Any, moto: Any) -> None:
        # A simulation's acts around a call apply to both.
        self._on_call = getattr(memory, "on_call", lambda: None)
        if hasattr(memory, "on_call"):
            memory.on_call = lambda: None
        self._memory = memory
        self._moto = moto
        self.exceptions = memory.exceptions

    def __getattr__(self, operation: str) -> Any:
        return partial(self._both, operation)

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=partial(self._both_pages, operation))

    def _both(self, operation: str, **parameters: Any) -> Any:
        self._on_call()
        expected = _outcome(getattr(self._moto, operation), parameters)
        said = _outcome(getattr(self._memory, operation), parameters)
        self._on_call()
        assert said == expected, (operation, parameters)
        if isinstance(said, _Refused):
            raise said.error
        return said

    def _both_pages(self, operation: str, **parameters: Any) -> Any:
        self._on_call()
        expected, pages = (
            [item for page in client.get_paginator(operation).paginate(**parameters) for item in page["Items"]]
            for client in (self._moto, self._memory)
        )
        self._on_call()
        assert pages == expected, (operation, parameters)
        return [{"Items": pages}]


class _Refused:
    """An error, equal to another with the same code, the same item in it and the same reasons."""

    def __init__(self, error: Any) -> None:
        self.error = error
        reasons = [reason["Code"] for reason in error.response.get("CancellationReasons", ())]
        self._told = error.response["Error"]["Code"], error.response.get("Item"), reasons

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Refused) and other._told == self._told

    __hash__ = None  # type: ignore[assignment]  # only compared

    def __repr__(self) -> str:
        return f"refused: {self._told}"


def _outcome(call: Any, parameters: dict[str, Any]) -> Any:
    """A call's answer, without moto's wrapping."""
    try:
        answer = call(**parameters) or {}
    except (ClientError, ConditionalCheckFailed, Invalid, TransactionCanceled) as error:
        return _Refused(error)
    found = {name: value for name, value in answer.items() if name in COMPARED}
    for items in found.get("Responses", {}).values():
        items.sort(key=str)
    return found

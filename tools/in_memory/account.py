"""An AWS account in memory: its DynamoDB is ours, which is many times as fast as moto's, and all else is moto's.

What moto alone can tell, tests on moto's DynamoDB do: `test_permissions`, for one, has every function make every call.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.handlers import BUILTIN_HANDLERS, REGISTER_LAST
from moto import mock_aws

from tools.in_memory.dynamodb import Item, MemoryDynamoDB, Table


class OwnedDynamoDB(MemoryDynamoDB):
    """With what tests do and no function may: they make tables, and look at all that is in one."""

    def __init__(self) -> None:
        self.tables: dict[str, Table] = {}
        super().__init__(self.tables)

    def create_table(self, *, TableName: str, **_: object) -> None:  # noqa: N803 - botocore's names
        """Whose name is its logical id in the template, where its schema is too."""
        self.tables[TableName] = Table(TableName)

    def list_tables(self) -> dict[str, Any]:
        return {"TableNames": sorted(self.tables)}

    def scan(self, *, TableName: str, IndexName: str = "") -> dict[str, Any]:  # noqa: N803
        items: list[Item] = self.tables[TableName].scan(IndexName)
        return {"Items": items, "Count": len(items)}


class _Door:
    """Through it, whoever is `answering` answers the DynamoDB clients that are made after it."""

    def __init__(self) -> None:
        self._answering: MemoryDynamoDB | None = None
        # Last, so that tests may do something just before a call; moto, which sends it, comes later still.
        BUILTIN_HANDLERS.append(("before-call.dynamodb", self._answer, REGISTER_LAST))

    @contextmanager
    def opened_to(self, dynamodb: MemoryDynamoDB) -> Iterator[None]:
        before, self._answering = self._answering, dynamodb
        try:
            yield
        finally:
            self._answering = before

    def _answer(self, model: Any, params: Mapping[str, Any], **_: object) -> tuple[Any, Mapping[str, Any]] | None:
        return self._answering.answer(model.name, json.loads(params["body"])) if self._answering else None


_DOOR = _Door()


@contextmanager
def aws_in_memory() -> Iterator[None]:
    """While this lasts, all calls to AWS go to a new account with nothing in it."""
    with mock_aws(), _DOOR.opened_to(OwnedDynamoDB()):
        yield

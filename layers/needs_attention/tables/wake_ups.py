"""When the clock wakes each integration next, in a partition of the integrations table: one query reads all of them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from needs_attention.downloads.next_wake_up import NextWakeUp
from needs_attention.tables.integration_items import WAKE_UPS, IntegrationItems, item_key, read_if_readable
from needs_attention.values.times import instant

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class WakeUpStore:
    """Reads and writes the next wake-ups in the integrations table, `table`.

    The last run of an integration has one item. Each change of an order that is due soon has another, so that neither
    undoes the other.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table
        self._items = IntegrationItems(client, table)

    def all(self) -> Iterator[NextWakeUp]:
        """Those of all integrations. One that cannot be read is left out, as if it were not there."""
        every = (read_if_readable(NextWakeUp, item) for item in self._items.named(WAKE_UPS, "next#"))
        return (one for one in every if one)

    def save(self, wake_up: NextWakeUp) -> None:
        self._items.put(WAKE_UPS, _name(wake_up), wake_up)

    def forget(self, wake_up: NextWakeUp) -> None:
        self._client.delete_item(TableName=self._table, Key=item_key(WAKE_UPS, _name(wake_up)))


def _name(wake_up: NextWakeUp) -> str:
    of_a_run = f"next#{wake_up.integration}"
    return of_a_run if wake_up.ran_at else f"{of_a_run}#{instant(wake_up.at)}"
